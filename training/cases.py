"""Cases of a development folder: labelled objects and mattes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from zim_model.arrays import BoolArray, ByteArray, FloatArray
from zim_model.prompts import Box


@dataclass(frozen=True, slots=True, eq=False)
class DevCase:
    """One object of a development image.

    Attributes:
        name: file name of the image, with the region's number for labelled objects.
        image: (H, W, 3) uint8.
        alpha: (H, W) float32 in [0, 1], the ground truth.
        valid: (H, W) bool, false where the ground truth is undefined.
    """

    name: str
    image: ByteArray
    alpha: FloatArray
    valid: BoolArray


def labelled_cases(root: Path) -> Iterator[DevCase]:
    """Yield the regions listed in ``targets.json``.

    Its paths are relative to the parent folder of ``root``.
    """
    targets = json.loads((root / "targets.json").read_text("utf-8"))
    for row in targets:
        with Image.open(root.parent / row["labels"]) as file:
            labels = np.asarray(file)
        yield DevCase(
            f"{row['image']}:{row['region']}",
            _pixels(root.parent / row["image"], "RGB"),
            (labels == row["region"]).astype(np.float32),
            labels > 0,
        )


def matte_cases(root: Path) -> Iterator[DevCase]:
    """Yield the images of ``matte/`` with their alphas."""
    for path in sorted((root / "matte").glob("*.alpha.png")):
        alpha = np.asarray(_pixels(path, "L") / 255, np.float32)
        image = path.with_name(path.name.replace(".alpha.png", ".jpg"))
        yield DevCase(
            image.name, _pixels(image, "RGB"), alpha, np.ones(alpha.shape, bool)
        )


def _pixels(path: Path, mode: str) -> ByteArray:
    with Image.open(path) as file:
        return np.asarray(file.convert(mode), np.uint8)


def case_box(case: DevCase) -> Box:
    """Return the tight box around a case's object."""
    return Box.around(case.alpha > 0.1)
