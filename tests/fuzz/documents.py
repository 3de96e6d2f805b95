"""Files of the studio's own: projects, sessions, recovery, recipes, export presets."""

from __future__ import annotations

import json
from argparse import Namespace
from functools import lru_cache
from os.path import isfile
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from tests.fuzz.mutation import hostile_json
from tests.fuzz.reader import Reader
from zim_app.cli.prompting import _read_recipe
from zim_app.core import presets, project, session_store
from zim_app.core.canvas import Canvas
from zim_app.core.export_options import ExportOptions
from zim_app.core.saved_work import ObjectStack, check_limits
from zim_app.core.session_store import RecoveryState, Session, SessionStore
from zim_model.finish import ColourKey, Finish, Stroke
from zim_model.imported_mask import ImportedMask
from zim_model.prompts import Box, Point, PromptSet, Scribble
from zim_model.recipe import Options, Recipe, SceneObject

HEIGHT, WIDTH = 60, 80
DIGEST = "0123456789abcdef"


def make_prompts() -> PromptSet:
    scribble = Scribble(((1.0, 2.0), (30.5, 40.25), (50.0, 2.0)), True)
    points = (Point(10, 20), Point(30.5, 40.25, False))
    return PromptSet(points, Box(5, 5, 60, 50), (scribble,))


@lru_cache
def make_recipe() -> Recipe:
    """A recipe with something in every field."""
    mask = ImportedMask.from_level(np.eye(HEIGHT, WIDTH, dtype=np.uint8) * 255)
    stroke = Stroke(((3.0, 4.0, 1.0), (5.0, 6.0, 0.5)), 5.0, tolerance=0.5)
    key = ColourKey(0x00FF00)
    return Recipe(
        make_prompts(),
        options=Options(1, "native", True, "vitmatte"),
        finish=Finish(1.5, feather=2, strokes=(stroke,), colour_keys=(key,)),
        more_prompt_sets=(PromptSet((Point(1, 1),)),),
        masks=(mask,),
    )


def make_stack() -> ObjectStack:
    objects = SceneObject(1, "hair", recipe=make_recipe()), SceneObject(2)
    return ObjectStack(objects, 1)


def use_recipe(recipe: Recipe) -> None:
    """Do with a recipe what saving and the engine do with it."""
    data = json.loads(json.dumps(recipe.to_json(), allow_nan=False))
    assert Recipe.from_json(data) == recipe
    for mask in recipe.masks:
        mask.check_size(HEIGHT, WIDTH)
    for prompts in (recipe.prompts, *recipe.more_prompt_sets):
        for scribble in prompts.scribbles:
            if scribble.path:
                _ = scribble.clicks
    recipe.validate(HEIGHT, WIDTH)


def use_stack(stack: ObjectStack) -> None:
    check_limits(stack.objects)
    text = json.dumps(stack.to_json(), allow_nan=False)
    assert ObjectStack.from_json(json.loads(text)) == stack
    for each in stack.objects:
        use_recipe(each.recipe)


def _write(rng: Random, path: Path, data: Any) -> Path:
    path.write_bytes(hostile_json(rng, data))
    return path


# -- Projects --------------------------------------------------------------------------


def _make_project(rng: Random, folder: Path) -> Path:
    reference = project.ImageReference("a.png", "a.png", WIDTH, HEIGHT, DIGEST)
    data = {
        "format": str(project.KIND),
        "version": project.VERSION,
        "picture": reference.to_json(),
        **make_stack().to_json(),
    }
    return _write(rng, folder / "a.zimproj", data)


def _read_project(path: Path) -> None:
    found = project.read_project(path)
    image = project.find_image_file(path, found.reference)
    if image is not None:
        image.read_bytes()
    use_stack(found.stack)


# -- Sessions --------------------------------------------------------------------------


def _make_session(rng: Random, folder: Path) -> Path:
    stamp = session_store.FileStamp(1_700_000_000_000_000_000, 12345)
    session = Session(DIGEST, "a.png", folder / "a.png", make_stack(), True, stamp)
    data = {
        "format": str(session_store.KIND),
        "version": session_store.VERSION,
        **session.to_json(),
        "path": "/photos/a.png",  # the same in every folder
    }
    _write(rng, folder / f"{DIGEST}.json", data)
    (folder / f"{DIGEST}.owner").write_bytes(rng.randbytes(rng.choice((0, 9))))
    return folder


def _read_session(folder: Path) -> None:
    store = SessionStore(folder)
    store.marks()
    store.find(Path("/photos/a.png"))
    store.owner(DIGEST)
    session = store.load(DIGEST)
    assert session is not None
    use_stack(session.stack)
    store.save(session)


def _make_recovery(rng: Random, folder: Path) -> Path:
    path = folder / "run.json"
    session_store.write_recovery_state(path, RecoveryState("a", Path("a.png"), path))
    return _write(rng, path, json.loads(path.read_text()))


def _read_recovery(path: Path) -> None:
    state = session_store.read_recovery_state(path)
    for file in (state.image, state.project) if state else ():
        if file is not None:
            isfile(file)


# -- Recipes and presets ---------------------------------------------------------------


def _make_recipe_file(rng: Random, folder: Path) -> Path:
    return _write(rng, folder / "recipe.json", make_recipe().to_json())


def _read_recipe_file(path: Path) -> None:
    use_recipe(_read_recipe(path, Namespace(model=None, trimap_network=None)))


def _make_preset(rng: Random, folder: Path) -> Path:
    options = ExportOptions(
        canvas=Canvas(2000, 1500, "px", padding=7.5), template="{name}-{what}"
    )
    path = folder / "mine.json"
    presets.write_preset(path, options)
    return _write(rng, path, json.loads(path.read_text()))


def _read_preset(path: Path) -> None:
    store = presets.PresetStore(path.parent)
    found, problems = store.load()
    assert len(found) + len(problems) == len(presets.BUILT_IN) + 1
    options = store.find("mine").options
    options.frame(WIDTH, HEIGHT, (3, 3, 40, 50))
    json.dumps(options.to_json(), allow_nan=False)


READERS = (
    Reader("project", _make_project, _read_project),
    Reader("session", _make_session, _read_session),
    Reader("recovery", _make_recovery, _read_recovery),
    Reader("recipe", _make_recipe_file, _read_recipe_file),
    Reader("preset", _make_preset, _read_preset),
)
