"""Prompt sampling for training: clicks as in RITM, boxes with jitter.

Masks and coordinates are in the same pixel coordinates, x right and y down.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from zim_model.arrays import BoolArray
from zim_model.prompts import Box, Point

CLICK_DECAY = 0.8
"""Factor of the probability of each further click (RITM's gamma, in its published
configurations)."""
EROSION_SHARE, EROSION_ROUNDS = 0.9, 3
"""How often positive clicks keep off an object's edge, and by how many pixels."""
MIN_ERODED_AREA = 10
"""An eroded object of no more pixels is not used."""
BORDER_WIDTH = 0.1
"""Width of the band of negative clicks around an object, as a fraction of the root of
its area."""
NEGATIVE_SHARES = (0.5, 0.1, 0.4)
"""Shares of negative clicks in the band, in the background and on other objects."""
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
    objects: Sequence[BoolArray],
    other_objects: BoolArray,
    *,
    max_points: int,
    min_positive: int = 1,
) -> tuple[Point, ...]:
    """Sample positive and negative clicks as RITM does (its MultiPointSampler).

    The target is the union of ``objects``.  One object gets ``min_positive`` clicks and
    k more with a probability proportional to ``CLICK_DECAY ** k``; of several that are
    merged, each gets one, and k more fall on any of them.

    Args:
        objects: masks (H, W), at least one, none of them empty.
        other_objects: (H, W) bool, for negative clicks.
        max_points: largest number of clicks of each sign.
        min_positive: smallest number of positive clicks; 0 beside a box.
    """
    target = np.logical_or.reduce(objects)
    insides = [_erode_at_random(rng, mask) for mask in objects]
    points: list[Point] = []
    if len(insides) == 1:
        count = min_positive + _sample_count(rng, max_points - min_positive)
        points += _sample_uniform(rng, insides[0], count, positive=True)
    else:
        for inside in insides[:max_points]:
            points += _sample_uniform(rng, inside, 1, positive=True)
        for _ in range(min(_sample_count(rng, max_points), max_points - len(points))):
            inside = insides[rng.integers(len(insides))]
            points += _sample_uniform(rng, inside, 1, positive=True)
    regions = (_border_band(target), ~target, other_objects & ~target)
    for _ in range(_sample_count(rng, max_points)):
        region = regions[rng.choice(len(regions), p=NEGATIVE_SHARES)]
        points += _sample_uniform(rng, region, 1, positive=False)
    return tuple(points)


def _erode_at_random(rng: np.random.Generator, mask: BoolArray) -> BoolArray:
    if rng.random() > EROSION_SHARE:
        return mask
    kernel = np.ones((3, 3), np.uint8)
    eroded = cv2.erode(mask.astype(np.uint8), kernel, iterations=EROSION_ROUNDS) > 0
    return eroded if eroded.sum() > MIN_ERODED_AREA else mask


def _border_band(mask: BoolArray) -> BoolArray:
    """The pixels around a mask, as far as a share of its size."""
    radius = int(np.ceil(BORDER_WIDTH * np.sqrt(mask.sum())))
    square = np.ones((2 * radius + 1,) * 2, np.uint8)
    return (cv2.dilate(mask.astype(np.uint8), square) > 0) & ~mask


def sample_central_click(
    rng: np.random.Generator, region: BoolArray, *, positive: bool
) -> Point:
    """Sample a click well inside the thickest part of a non-empty region (H, W)."""
    depth = cv2.distanceTransform(np.pad(region.astype(np.uint8), 1), cv2.DIST_L2, 3)[
        1:-1, 1:-1
    ]
    return _sample_uniform(rng, depth > depth.max() / 1.7, 1, positive=positive)[0]


def _sample_count(rng: np.random.Generator, limit: int) -> int:
    """0 to ``limit``, each ``CLICK_DECAY`` times as likely as the one before."""
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
