"""ADE20K's categories, and those whose objects have coarse outlines.

The paper's converter learns by *selective transformation* (STL) that objects without
fine detail keep their label: for them the target is the label itself.  The paper takes
"coarse-grained categories" of ADE20K without listing them, so they are chosen here:
:data:`COARSE` has rigid things, mostly made by people, whose outline is smooth at the
resolution of a photograph.  Left out are

- what has hair, leaves or blades (person, animal, tree, plant, palm, flower, grass);
- what light shines through or what is loosely woven (curtain, blind, awning, tent,
  basket, blanket, towel, rug, cushion, pillow, apparel, flag, glass, bottle, vase);
- what is thin or pierced (fence, railing, bannister, bicycle, minibike, chandelier,
  fan, lamp, light, streetlight, pole, swivel chair, plaything, shower);
- regions that end where others begin, with outlines as fine as theirs (sky, earth,
  mountain, water, field, road, floor, wall, ceiling and the like);
- what has no shape of its own (food, sculpture, fountain, waterfall, trade name).
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

from zim_model.errors import MALFORMED, ZimError

SCENE_PARSING = (
    *("wall", "building", "sky", "floor", "tree", "ceiling", "road", "bed"),
    *("windowpane", "grass", "cabinet", "sidewalk", "person", "earth", "door", "table"),
    *("mountain", "plant", "curtain", "chair", "car", "water", "painting", "sofa"),
    *("shelf", "house", "sea", "mirror", "rug", "field", "armchair", "seat", "fence"),
    *("desk", "rock", "wardrobe", "lamp", "bathtub", "railing", "cushion", "base"),
    *("box", "column", "signboard", "chest of drawers", "counter", "sand", "sink"),
    *("skyscraper", "fireplace", "refrigerator", "grandstand", "path", "stairs"),
    *("runway", "case", "pool table", "pillow", "screen door", "stairway", "river"),
    *("bridge", "bookcase", "blind", "coffee table", "toilet", "flower", "book"),
    *("hill", "bench", "countertop", "stove", "palm", "kitchen island", "computer"),
    *("swivel chair", "boat", "bar", "arcade machine", "hovel", "bus", "towel"),
    *("light", "truck", "tower", "chandelier", "awning", "streetlight", "booth"),
    *("television receiver", "airplane", "dirt track", "apparel", "pole", "land"),
    *("bannister", "escalator", "ottoman", "bottle", "buffet", "poster", "stage"),
    *("van", "ship", "fountain", "conveyer belt", "canopy", "washer", "plaything"),
    *("swimming pool", "stool", "barrel", "basket", "waterfall", "tent", "bag"),
    *("minibike", "cradle", "oven", "ball", "food", "step", "tank", "trade name"),
    *("microwave", "pot", "animal", "bicycle", "lake", "dishwasher", "screen"),
    *("blanket", "sculpture", "hood", "sconce", "vase", "traffic light", "tray"),
    *("ashcan", "fan", "pier", "crt screen", "plate", "monitor", "bulletin board"),
    *("shower", "radiator", "glass", "clock", "flag"),
)
"""The 150 categories of the scene parsing challenge, of label 1 and so on."""
_STUFF = (
    *("wall", "building", "sky", "floor", "tree", "ceiling", "road", "grass"),
    *("sidewalk", "earth", "mountain", "plant", "water", "house", "sea", "rug"),
    *("field", "rock", "base", "sand", "skyscraper", "grandstand", "path", "runway"),
    *("stairway", "river", "bridge", "blind", "hill", "bar", "hovel", "tower"),
    *("dirt track", "land", "escalator", "buffet", "poster", "stage"),
    *("conveyer belt", "canopy", "swimming pool", "waterfall", "tent", "cradle"),
    *("tank", "lake", "blanket", "pier", "crt screen", "shower"),
)
INSTANCES = tuple(name for name in SCENE_PARSING if name not in _STUFF)
"""The 100 categories of the instance challenge, of label 1 and so on."""
COARSE = frozenset(
    (
        *("bed", "cabinet", "door", "table", "car", "painting", "sofa", "shelf"),
        *("mirror", "armchair", "seat", "desk", "wardrobe", "bathtub", "box"),
        *("column", "signboard", "chest of drawers", "counter", "sink", "fireplace"),
        *("refrigerator", "case", "pool table", "screen door", "bookcase"),
        *("coffee table", "toilet", "book", "bench", "countertop", "stove"),
        *("kitchen island", "computer", "boat", "arcade machine", "bus", "truck"),
        *("booth", "television receiver", "airplane", "ottoman", "poster", "van"),
        *("ship", "washer", "stool", "barrel", "bag", "oven", "ball", "tank"),
        *("microwave", "pot", "dishwasher", "screen", "hood", "traffic light"),
        *("tray", "ashcan", "crt screen", "plate", "monitor", "bulletin board"),
        *("radiator", "clock", "windowpane", "building", "house", "skyscraper"),
    )
)
"""Categories whose labels are targets of their own; see above."""
_OTHER_NAMES = {"window": "windowpane", "television": "television receiver"}
"""Names of the full data set that the challenges changed."""
UNKNOWN = "Unpack the data set with the files that describe its objects."


@lru_cache(maxsize=1024)
def full_categories(target: Path) -> dict[int, str]:
    """The categories of a label map of the full data set, by their index.

    They are read from the description beside the map: ``NAME.json`` of the releases
    since 2021 or, for maps of objects, ``NAME_atr.txt`` of 2016 (by the number of the
    object, see :func:`by_object`).

    Raises:
        ZimError: the description is missing or malformed.
    """
    path = target.with_name(f"{target.name.removesuffix('_seg.png')}.json")
    try:
        objects = json.loads(path.read_text("latin-1"))["annotation"]["object"]
        return {int(each["name_ndx"]): canonical(each["name"]) for each in objects}
    except FileNotFoundError as error:
        raise ZimError(f"{path} does not exist.", UNKNOWN) from error
    except (OSError, *MALFORMED) as error:
        raise ZimError(f"{path} cannot be read: {error}.", UNKNOWN) from error


def by_object(target: Path) -> dict[int, str] | None:
    """The categories of a map's objects by their number; None without such a file.

    Raises:
        ZimError: the description of 2016 is malformed.
    """
    path = target.with_name(f"{target.name.removesuffix('_seg.png')}_atr.txt")
    if not path.is_file():
        return None
    try:
        rows = (line.split("#") for line in path.read_text("latin-1").splitlines())
        # Number, level of the part (0 is an object), occlusion, category, name, ...
        return {
            int(row[0]): canonical(row[3])
            for row in rows
            if len(row) > 3 and int(row[1]) == 0
        }
    except (OSError, ValueError) as error:
        raise ZimError(f"{path} cannot be read: {error}.", UNKNOWN) from error


def canonical(names: str) -> str:
    """The name of the challenges for a list of synonyms: ``"car, auto, machine"``."""
    name = names.partition(",")[0].strip().lower()
    return _OTHER_NAMES.get(name, name)
