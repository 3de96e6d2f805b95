"""Simulated users: prompts from a matte, and the next click."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from zim_model.arrays import BoolArray, FloatArray
from zim_model.prompts import Box, Point, PromptSet

VISIBLE_ALPHA = 0.1
"""The box of an object contains all of its matte above this alpha."""
NOC_IOUS = (0.85, 0.90)
"""The number of clicks to these IoUs is reported."""


def next_click(
    predicted: BoolArray, target: BoolArray, valid: BoolArray, clicks: BoolArray
) -> Point:
    """The standard clicker (RITM): a click in the centre of the largest error.

    Args:
        predicted, target: (H, W) masks.
        valid: (H, W); errors elsewhere do not count.
        clicks: (H, W), true at earlier clicks; never clicked again.

    Returns:
        A positive click where the object was missed, a negative one on wrongly included
        background.
    """
    missed = _inner_distance(target & ~predicted & valid) * ~clicks
    excess = _inner_distance(predicted & ~target & valid) * ~clicks
    positive = bool(missed.max() >= excess.max())
    depth = missed if positive else excess
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    return Point(float(column) + 0.5, float(row) + 0.5, positive)


def click_by_click(
    solve: Callable[[PromptSet], FloatArray],
    target: BoolArray,
    valid: BoolArray,
    clicks: int,
) -> Iterator[tuple[PromptSet, FloatArray]]:
    """Correct predictions with the standard clicker, click after click.

    Args:
        solve: returns alpha (H, W) in [0, 1] for prompts.
        target: (H, W) mask of the object.
        valid: (H, W); errors elsewhere do not count.
        clicks: their number.

    Yields:
        The clicks so far and their prediction.
    """
    alpha = np.zeros(target.shape, np.float32)
    used = np.zeros(target.shape, bool)
    points: tuple[Point, ...] = ()
    for _ in range(clicks):
        point = next_click(alpha > 0.5, target, valid, used)
        used[int(point.y), int(point.x)] = True
        points = (*points, point)
        prompts = PromptSet(points)
        alpha = solve(prompts)
        yield prompts, alpha


def number_of_clicks(ious: Sequence[float], threshold: float, limit: int) -> int:
    """Number of clicks until the IoU first reaches a threshold; ``limit`` if never.

    Args:
        ious: after 1, 2, ... clicks.
    """
    reached = (n for n, value in enumerate(ious, 1) if value >= threshold)
    return min(next(reached, limit), limit)


def matte_box(alpha: FloatArray) -> Box:
    """The tight box around an (H, W) alpha above VISIBLE_ALPHA, not empty."""
    return Box.around(alpha > VISIBLE_ALPHA)


def first_click(target: BoolArray) -> Point:
    """The click on an object (H, W) of which nothing was found yet."""
    none = np.zeros_like(target)
    return next_click(none, target, ~none, none)


def _inner_distance(region: BoolArray) -> npt.NDArray[np.float32]:
    """Distance to the region's edge; the image's border is an edge too."""
    padded = np.pad(region.astype(np.uint8), 1)
    return np.asarray(cv2.distanceTransform(padded, cv2.DIST_L2, 0)[1:-1, 1:-1])
