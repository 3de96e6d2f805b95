"""Small procedural data sets in the layouts of published ones, the same everywhere.

Their images are drawn as those of :mod:`zim_model.evaluation.mini`, one object each:
they show how a set is measured, not what a model is worth on it.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np

from zim_model.arrays import BACKGROUND, FOREGROUND, UNKNOWN, ByteArray, FloatArray
from zim_model.evaluation.folder_pairs import HQ_SETS
from zim_model.evaluation.mini import (
    SIZE,
    draw_hairy,
    draw_texture,
    write_mini_dataset,
)
from zim_model.evaluation.writing import write_png
from zim_model.runtime.atomic_files import OTHER_FOLDER, check_absent, write_error

MICROMAT = "micromat"
MATTING_SETS = {
    "aim500": ("MiniAIM-500", "", "original", "mask", "trimap"),
    "am2k": ("MiniAM-2K", "validation", "original", "mask", "trimap"),
    "p3m": ("MiniP3M-500-NP", "", "original_image", "mask", "trimap"),
}
"""By layout: name of the root, folder in it, and the folders of images, mattes and
trimaps."""
HQ_LAYOUT, HQ_FOLDER = "hqsam", "MiniHQ"
MINI_LAYOUTS = (MICROMAT, *MATTING_SETS, HQ_LAYOUT)
_SEEDS = {"aim500": 5000, "am2k": 5100, "p3m": 5200, HQ_LAYOUT: 5300}
_BAND = 9
"""Pixels around a soft edge that the trimaps leave unknown."""


def write_mini_layout(folder: Path, layout: str, images: int = 4) -> Path:
    """Write a set in one of MINI_LAYOUTS and return its root, a folder in ``folder``.

    Args:
        images: number of images; of HQ-SAM's four sets, of each.

    Raises:
        ZimError: the set is there already, or cannot be written.
    """
    if layout == MICROMAT:
        return write_mini_dataset(folder, images)
    name = HQ_FOLDER if layout == HQ_LAYOUT else MATTING_SETS[layout][0]
    root = folder / name
    check_absent([root], OTHER_FOLDER)
    rng = np.random.default_rng(_SEEDS[layout])
    try:
        if layout == HQ_LAYOUT:
            for inner, photos, masks in HQ_SETS.values():
                for number in range(images):
                    alpha = _draw_thin(rng)
                    file = f"{number + 1:04}.png"
                    write_png(root / inner / photos / file, _composite(rng, alpha))
                    write_png(root / inner / masks / file, _levels(alpha.round()))
        else:
            _, inner, photos, mattes, trimaps = MATTING_SETS[layout]
            for number in range(images):
                alpha, file = draw_hairy(rng), f"{number + 1:04}.png"
                write_png(root / inner / photos / file, _composite(rng, alpha))
                write_png(root / inner / mattes / file, _levels(alpha))
                write_png(root / inner / trimaps / file, _trimap(alpha))
    except OSError as error:
        shutil.rmtree(root, ignore_errors=True)  # half a set is none
        raise write_error(root, error) from error
    return root


def _composite(rng: np.random.Generator, alpha: FloatArray) -> ByteArray:
    """An image (H, W, 3) BGR of the object of an alpha before a background."""
    front, back = draw_texture(rng), draw_texture(rng)
    return _levels(back + (front - back) * alpha[..., None])


def _levels(values: FloatArray) -> ByteArray:
    return (values * 255 + 0.5).astype(np.uint8)


def _trimap(alpha: FloatArray) -> ByteArray:
    soft = ((alpha > 0) & (alpha < 1)).astype(np.uint8)
    unknown = cv2.dilate(soft, np.ones((2 * _BAND + 1,) * 2, np.uint8)) > 0
    known = np.where(alpha > 0.5, FOREGROUND, BACKGROUND)
    return np.where(unknown, UNKNOWN, known).astype(np.uint8)


def _draw_thin(rng: np.random.Generator) -> FloatArray:
    """A plate on thin curved legs, (H, W) float32 alpha."""
    height, width = SIZE
    big = np.zeros((height * 4, width * 4), np.uint8)
    left, right = rng.uniform(0.15, 0.3) * width, rng.uniform(0.7, 0.85) * width
    top = rng.uniform(0.25, 0.4) * height
    thickness = int(rng.integers(24, 48))
    cv2.line(big, _at(left, top), _at(right, top), 255, 4 * thickness // 2)
    for foot in np.linspace(left, right, int(rng.integers(5, 9))):
        t = np.linspace(0, 1, 24)
        sway = rng.uniform(-20, 20) * np.sin(np.pi * t)
        path = np.stack([foot + sway, top + t * 0.5 * height], 1)
        cv2.polylines(big, [(path * 4).astype(np.int32)], False, 255, 10)
    small = cv2.resize(big, SIZE[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(small.astype(np.float32) / 255)


def _at(x: float, y: float) -> tuple[int, int]:
    return int(4 * x), int(4 * y)
