"""Objects to find, from a folder of development pictures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from training.prompt_sampling import bounding_box
from zim_model.arrays import BoolArray, ByteArray, FloatArray
from zim_model.prompts import Box


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """An object to find: a picture, alpha (H, W) in [0, 1], and where that is known."""

    name: str
    image: ByteArray
    alpha: FloatArray
    known: BoolArray


def labelled_cases(root: Path) -> Iterator[Case]:
    """The regions of ``targets.json``, in files below the folder above ``root``."""
    targets = json.loads((root / "targets.json").read_text("utf-8"))
    for row in targets:
        with Image.open(root.parent / row["labels"]) as picture:
            labels = np.asarray(picture)
        yield Case(
            f"{row['image']}:{row['region']}",
            _pixels(root.parent / row["image"], "RGB"),
            (labels == row["region"]).astype(np.float32),
            labels > 0,
        )


def matte_cases(root: Path) -> Iterator[Case]:
    """The pictures of ``matte/`` with their alphas."""
    for path in sorted((root / "matte").glob("*.alpha.png")):
        alpha = np.asarray(_pixels(path, "L") / 255, np.float32)
        image = path.with_name(path.name.replace(".alpha.png", ".jpg"))
        yield Case(image.name, _pixels(image, "RGB"), alpha, np.ones(alpha.shape, bool))


def _pixels(path: Path, mode: str) -> ByteArray:
    with Image.open(path) as picture:
        return np.asarray(picture.convert(mode), np.uint8)


def box_of(case: Case) -> Box:
    """The tight box of a case's object."""
    return bounding_box(case.alpha > 0.1)
