"""The user's pairs of image and matte: listed, looked at, and split for validation."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from training.datasets.scan import scan_data
from training.datasets.table import DataEntry, Pair, Pool, TrainingData, name_number
from training.manifest import Manifest
from zim_app.core.adaptation import MIN_IMAGES
from zim_app.core.corrections import image_name, too_few_images

HELD_OUT_SHARE, MAX_HELD_OUT = 0.25, 24
"""Share of the images that are held out, and the largest number of them."""
RENDERED_SHARE = 0.3
"""Share of the views that are rendered objects, against forgetting."""


@dataclass(frozen=True, slots=True)
class CorrectedPairs:
    """Pairs that can be learned from.

    Attributes:
        folder: one that they lie in.
        pairs: images and mattes.
        faults: sentences on those that are left out.
        digest: of the files, see :class:`training.datasets.scan.Scan`.
    """

    folder: Path
    pairs: tuple[Pair, ...]
    faults: tuple[str, ...]
    digest: str

    @property
    def images(self) -> tuple[str, ...]:
        """Names of the images, in an order that follows from the names alone."""
        found = {image_name(matte) for _, matte in self.pairs}
        return tuple(sorted(found, key=name_number))


def check_pairs(
    folder: Path, pairs: Iterable[Pair], faults: Sequence[str] = ()
) -> CorrectedPairs:
    """Look at all files of pairs.

    Args:
        folder: one that they lie in.
        pairs: images and mattes.
        faults: sentences on what was left out before.

    Raises:
        ZimError: there are too few usable ones.
    """
    entry = DataEntry(str(folder), "matte", "corrections")
    listed = Pool(entry, tuple(pairs), Manifest(folder))
    data = TrainingData(folder, (listed,))
    scan = scan_data(data, quiet=True)
    usable = tuple(pair for _, pair in data.without({*scan.faults}).files())
    told = (*faults, *scan.faults.values())
    found = CorrectedPairs(folder, usable, told, scan.digest)
    if len(found.images) < MIN_IMAGES:
        raise too_few_images(len(found.images), told)
    return found


def split_pairs(found: CorrectedPairs) -> TrainingData:
    """The pairs as data of a run: some images are held out, rendered objects added."""
    images = found.images
    count = min(MAX_HELD_OUT, math.ceil(len(images) * HELD_OUT_SHARE))
    held_out = {*images[:count]}
    manifest = Manifest(found.folder)

    def pool(split: str, weight: float) -> Pool:
        entry = DataEntry(str(found.folder), "matte", split, weight, split=split)
        chosen = (
            pair
            for pair in found.pairs
            if (image_name(pair[1]) in held_out) is (split == "val")
        )
        return Pool(entry, tuple(chosen), manifest)

    rendered = DataEntry(kind="procedural", name="rendered", weight=RENDERED_SHARE)
    return TrainingData(
        found.folder,
        (
            pool("train", 1 - RENDERED_SHARE),
            pool("val", 1.0),
            Pool(rendered, ((found.folder, found.folder),), manifest),
        ),
    )
