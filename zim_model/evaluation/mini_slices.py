"""A small made-up set of grey slices with masks, the same on every machine.

For tests, and to try the protocol for medical images without data: ellipses of several
parts over a body, with noise, 16 bits.  They resemble no patient.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from zim_model.arrays import BoolArray
from zim_model.evaluation.mask_pairs import IMAGES, MASKS
from zim_model.evaluation.writing import write_png
from zim_model.runtime.atomic_files import OTHER_FOLDER, check_absent, write_error

FOLDER = "MiniSlices"
SIDE = 320
_SEED = 2023
_AIR, _BODY, _ORGAN = 200.0, 900.0, 1500.0
"""Values of the regions, of 65,536, as scanners leave most of the range unused."""
_NOISE = 18.0


def write_mini_slices(folder: Path, images: int = 8) -> Path:
    """Write the set and return its root, ``folder/MiniSlices``.

    Raises:
        ZimError: the set is there already, or cannot be written.
    """
    root = folder / FOLDER
    check_absent([root], OTHER_FOLDER)
    try:
        for number in range(images):
            values, mask = _draw(np.random.default_rng(_SEED + number), 1 + number % 4)
            for name, pixels in (
                (IMAGES, values),
                (MASKS, mask.astype(np.uint8) * 255),
            ):
                write_png(root / name / f"slice_{number + 1:02}.png", pixels)
    except OSError as error:
        shutil.rmtree(root, ignore_errors=True)  # half a set is none
        raise write_error(root, error) from error
    return root


def _draw(
    rng: np.random.Generator, parts: int
) -> tuple[npt.NDArray[np.uint16], BoolArray]:
    """Values (H, W) and the mask of an object of so many parts."""
    values = np.full((SIDE, SIDE), _AIR, np.float32)
    middle = np.array([SIDE / 2, SIDE / 2])
    _ellipse(values, middle, (SIDE * 0.44, SIDE * 0.36), 0, _BODY)
    for _ in range(6):  # what is not meant
        centre = middle + rng.uniform(-70, 70, 2)
        _ellipse(values, centre, rng.uniform(8, 22, 2), rng.uniform(0, 180), _BODY - 70)
    mask = np.zeros((SIDE, SIDE), np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    for part in range(parts):
        around = angle + 2 * np.pi * part / parts
        centre = middle + 62 * np.array([np.cos(around), np.sin(around)])
        axes = rng.uniform(16, 30, 2) * (1 - 0.15 * part)
        _ellipse(mask, centre, axes, rng.uniform(0, 180), 1)
    values[mask > 0] = _ORGAN
    smooth = cv2.GaussianBlur(values, (0, 0), 1.2)
    noisy = smooth + rng.normal(0, _NOISE, smooth.shape)
    return np.clip(noisy, 0, 65535).astype(np.uint16), mask > 0


def _ellipse(
    values: npt.NDArray[np.float32],
    centre: npt.NDArray[np.float64],
    axes: npt.ArrayLike,
    angle: float,
    value: float,
) -> None:
    """Fill an ellipse; ``centre`` is x and y, ``axes`` are half as long as it."""
    sides = tuple(np.asarray(axes, int).tolist())
    x, y = centre.astype(int).tolist()
    cv2.ellipse(values, (x, y), sides, angle, 0, 360, value, -1)
