"""Prompts and truth of NVOS: scribbles in one view of an LLFF scene, a mask of another.

For each task, such as ``horns_center``, the labels hold three folders:
``reference_image/TASK/`` with a copy of the view that has the scribbles,
``scribbles/TASK/`` with images ``pos*`` and ``neg*``, not black where drawn on,
and ``masks/TASK/`` with a copy of the view that is measured and its mask
``*_mask.png``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.sa3d.scene import SUFFIXES, PosedImage
from zim_app.core.images import load_image
from zim_model.arrays import BoolArray
from zim_model.errors import ZimError
from zim_model.prompts import Point, PromptSet
from zim_model.runtime.atomic_files import read_error

POSITIVE_POINTS, NEGATIVE_POINTS = 8, 4
"""Points that stand for the scribbles of a task."""


@dataclass(frozen=True, slots=True)
class NvosTask:
    """What NVOS says about one object.

    Attributes:
        view: name of the view with the scribbles.
        prompts: points on the scribbles, in pixels of the photo's file.
        target: name of the view that is measured.
        truth: file of its mask.
    """

    view: str
    prompts: PromptSet
    target: str
    truth: Path


def read_task(root: Path, task: str, views: Sequence[PosedImage]) -> NvosTask:
    """Read the labels of a task of a scene.

    Raises:
        ZimError: files are missing or unreadable, or belong to another scene.
    """
    scribbles = root / "scribbles" / task
    positive = _one(scribbles, lambda stem: "pos" in stem)
    negative = _one(scribbles, lambda stem: "neg" in stem)
    view = _view_of(_one(root / "reference_image" / task), views)
    masks = root / "masks" / task
    truth = _one(masks, lambda stem: stem.endswith("_mask"))
    target = _one(masks, lambda stem: not stem.endswith("_mask"))
    points = [
        Point(x, y, sign)
        for path, count, sign in (
            (positive, POSITIVE_POINTS, True),
            (negative, NEGATIVE_POINTS, False),
        )
        for x, y in _spread(_drawn(path, view), count)
    ]
    return NvosTask(
        view.name, PromptSet(tuple(points)), _view_of(target, views).name, truth
    )


def _one(folder: Path, wanted: Callable[[str], bool] = lambda stem: True) -> Path:
    """The only image in a folder whose name without suffix is wanted."""
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        raise read_error(folder, error) from error
    found = [
        p for p in paths if p.suffix.lower() in SUFFIXES and wanted(p.stem.lower())
    ]
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise ZimError(
            f"{folder}: one image was expected, found {names}.",
            "Unpack NVOS's labels again; see training/README.md for their layout.",
        )
    return found[0]


def _view_of(copy: Path, views: Sequence[PosedImage]) -> PosedImage:
    """The view whose photo has this name, whatever its suffix."""
    for view in views:
        if Path(view.name).stem.lower() == copy.stem.lower():
            return view
    raise ZimError(
        f"{copy}: the scene has no photo of this name.",
        "Give the scene that the task belongs to.",
    )


def _drawn(path: Path, view: PosedImage) -> BoolArray:
    pixels = load_image(path).rgb
    if pixels.shape[:2] != view.full_size:
        height, width = view.full_size
        raise ZimError(
            f"{path} has {pixels.shape[1]} x {pixels.shape[0]} pixels, {view.name} has"
            f" {width} x {height}.",
            "Use the photos at the size that NVOS's labels have.",
        )
    drawn = pixels.any(-1)
    if not drawn.any():
        raise ZimError(f"{path} is black.", "It must show the scribbles.")
    return np.asarray(drawn)


def _spread(drawn: BoolArray, count: int) -> list[tuple[float, float]]:
    """Up to that many positions (x, y) on a mask, far from one another."""
    places = np.argwhere(drawn)[:, ::-1] + 0.5
    middle = places.mean(0)
    chosen = [int(np.linalg.norm(places - middle, axis=1).argmin())]
    distance = np.full(len(places), np.inf)
    while len(chosen) < min(count, len(places)):
        last = places[chosen[-1]]
        distance = np.minimum(distance, np.linalg.norm(places - last, axis=1))
        chosen.append(int(distance.argmax()))
    return [(float(x), float(y)) for x, y in places[chosen]]
