"""Prompt sampling for training: clicks as in RITM, boxes with jitter.

Masks and coordinates are in the same pixel coordinates, x right and y down.
"""

from __future__ import annotations

import cv2
import numpy as np

from zim_model.arrays import BoolArray
from zim_model.prompts import Box, Point

CLICK_DECAY = 0.7
"""Factor of the probability of each further click (RITM's gamma)."""
BOX_JITTER = 0.1
"""Largest shift of a box edge, as a fraction of the side (SAM)."""


def jitter_box(rng: np.random.Generator, box: Box, height: int, width: int) -> Box:
    """Move each edge of a box at random, as in hand-drawn boxes."""
    spread = rng.uniform(0, BOX_JITTER, 4) * rng.choice((-1, 1), 4)
    dx, dy = spread[:2] * box.width, spread[2:] * box.height
    moved = Box(box.x0 + dx[0], box.y0 + dy[0], box.x1 + dx[1], box.y1 + dy[1])
    return moved.clip(height, width)


def sample_clicks(
    rng: np.random.Generator,
    mask: BoolArray,
    other_objects: BoolArray,
    *,
    max_points: int,
    first_positive: bool = True,
) -> tuple[Point, ...]:
    """Sample positive and negative clicks for a mask (H, W), as in RITM.

    Args:
        mask: the object.
        other_objects: (H, W) bool, on which 40% of the negative clicks are placed.
        max_points: largest number of clicks of both kinds together.
        first_positive: start with a positive click; needed without a box.
    """
    positives = int(first_positive) + _sample_count(rng, max_points - 1)
    negatives = _sample_count(rng, max_points - positives)
    interior = mask
    if rng.random() < 0.9:
        eroded = cv2.erode(mask.astype(np.uint8), np.ones((3, 3)), iterations=2) > 0
        if eroded.sum() > 10:
            interior = eroded
    points: list[Point] = []
    if first_positive and rng.random() < 0.5:
        points.append(sample_central_click(rng, mask, positive=True))
    points += _sample_uniform(rng, interior, positives - len(points), positive=True)
    size = int(np.ceil(0.1 * np.sqrt(mask.sum()))) | 1
    band = cv2.dilate(mask.astype(np.uint8), np.ones((2 * size + 1,) * 2)) > 0
    band &= ~mask
    for _ in range(negatives):
        kind = rng.choice(3, p=(0.5, 0.1, 0.4))
        region = (band, ~mask, other_objects & ~mask)[kind]
        points += _sample_uniform(
            rng, region if region.any() else ~mask, 1, positive=False
        )
    return tuple(points)


def sample_central_click(
    rng: np.random.Generator, region: BoolArray, *, positive: bool
) -> Point:
    """Sample a click well inside the thickest part of a non-empty region (H, W)."""
    depth = cv2.distanceTransform(np.pad(region.astype(np.uint8), 1), cv2.DIST_L2, 3)[
        1:-1, 1:-1
    ]
    return _sample_uniform(rng, depth > depth.max() / 1.7, 1, positive=positive)[0]


def _sample_count(rng: np.random.Generator, limit: int) -> int:
    if limit <= 0:
        return 0
    weights = CLICK_DECAY ** np.arange(limit + 1)
    return int(rng.choice(limit + 1, p=weights / weights.sum()))


def _sample_uniform(
    rng: np.random.Generator, region: BoolArray, count: int, *, positive: bool
) -> list[Point]:
    """Sample ``count`` points in a region; none if it is empty."""
    indexes = np.flatnonzero(region)
    if count <= 0 or not len(indexes):
        return []
    chosen = rng.choice(indexes, count)
    rows, columns = np.divmod(chosen, region.shape[1])
    return [
        Point(float(x) + 0.5, float(y) + 0.5, positive)
        for x, y in zip(columns, rows, strict=True)
    ]
