"""Simulated users: where a person would click next."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from zim_model.arrays import BoolArray
from zim_model.prompts import Point


def next_click(
    predicted: BoolArray, target: BoolArray, known: BoolArray, clicked: BoolArray
) -> Point:
    """The standard clicker (RITM): the middle of the largest error.

    Args:
        predicted, target: (H, W) masks.
        known: (H, W); errors elsewhere do not count.
        clicked: (H, W), true at earlier clicks; never clicked again.

    Returns:
        A positive click where the object was missed, a negative one where something
        else was taken for it.
    """
    missed = _depth(target & ~predicted & known) * ~clicked
    excess = _depth(predicted & ~target & known) * ~clicked
    positive = bool(missed.max() >= excess.max())
    depth = missed if positive else excess
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    return Point(float(column) + 0.5, float(row) + 0.5, positive)


def noc(ious: Sequence[float], threshold: float, limit: int) -> int:
    """Number of clicks until the IoU first reaches a threshold; ``limit`` if never.

    Args:
        ious: after 1, 2, ... clicks.
    """
    reached = (n for n, value in enumerate(ious, 1) if value >= threshold)
    return min(next(reached, limit), limit)


def _depth(region: BoolArray) -> npt.NDArray[np.float32]:
    """Distance to the region's edge; the image's border is an edge too."""
    padded = np.pad(region.astype(np.uint8), 1)
    return np.asarray(cv2.distanceTransform(padded, cv2.DIST_L2, 0)[1:-1, 1:-1])
