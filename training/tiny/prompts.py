"""Simulated prompts of zim-tiny's training, drawn into maps.

Maps are (3, S, S) uint8 of 0 and 1: positive, negative, and the filled box.
"""

from __future__ import annotations

import cv2
import numpy as np

from training.prompt_sampling import sample_clicks
from zim_model.arrays import BoolArray, ByteArray, FloatArray
from zim_model.backends.prompt_maps import (
    NEGATIVE,
    POSITIVE,
    RADIUS,
    draw_disk,
    fill_box,
)
from zim_model.prompts import Box

EDGE_SPREAD = 0.05
"""Standard deviation of a box's edges, as a share of its width or height."""
MAX_SHIFT = 0.2
"""Largest shift of a box's edges, as a share of its width or height."""
CORE = 0.35
"""Share of the largest distance to the edge above which first clicks fall."""


def depth_of(region: BoolArray) -> FloatArray:
    """Distance (H, W) of a region's pixels to its edge; the border is an edge too."""
    padded = np.pad(region.astype(np.uint8), 1)
    return np.asarray(cv2.distanceTransform(padded, cv2.DIST_L2, 3)[1:-1, 1:-1])


def draw_first_click(
    rng: np.random.Generator, maps: ByteArray, mask: BoolArray
) -> None:
    """Mark a positive point well inside the mask, or at its deepest place."""
    depth = depth_of(mask)
    if rng.random() < 0.35:
        places = np.array([int(depth.argmax())])
    else:
        places = np.flatnonzero(depth > CORE * depth.max())
    row, column = divmod(int(rng.choice(places)), mask.shape[1])
    draw_disk(maps, column, row, positive=True)


def draw_clicks(
    rng: np.random.Generator,
    maps: ByteArray,
    mask: BoolArray,
    others: BoolArray,
    fewest: int = 1,
) -> None:
    """Mark positive and negative points that are drawn at once, as in RITM.

    Args:
        fewest: smallest number of positive points.
    """
    points = sample_clicks(rng, [mask], others, max_points=4, min_positive=fewest)
    for point in points:
        draw_disk(maps, point.x, point.y, positive=point.positive)


def draw_box(rng: np.random.Generator, maps: ByteArray, shown: BoolArray) -> None:
    """Fill the box of a mask, each edge moved at random."""
    fill_box(maps, shift_edges(rng, Box.around(shown)))


def shift_edges(rng: np.random.Generator, box: Box) -> Box:
    """The box with each edge moved by a share of the side, normally distributed."""
    dx = np.clip(rng.normal(0, EDGE_SPREAD, 2), -MAX_SHIFT, MAX_SHIFT) * box.width
    dy = np.clip(rng.normal(0, EDGE_SPREAD, 2), -MAX_SHIFT, MAX_SHIFT) * box.height
    return Box(box.x0 + dx[0], box.y0 + dy[0], box.x1 + dx[1], box.y1 + dy[1])


def draw_scribble(rng: np.random.Generator, maps: ByteArray, mask: BoolArray) -> None:
    """Mark a line through the inside of the mask."""
    depth = depth_of(mask)
    places = np.flatnonzero(depth > 0.4 * depth.max())
    count = int(rng.integers(2, 5))
    chosen = rng.choice(places, count)
    corners = np.stack(np.divmod(chosen, mask.shape[1])[::-1], 1)
    drawn: ByteArray = np.zeros(mask.shape, np.uint8)
    cv2.polylines(drawn, [corners.astype(np.int32)], False, 1, 2 * RADIUS + 1)
    inside = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8))
    maps[POSITIVE] |= drawn & (inside > 0)


def draw_lasso(
    rng: np.random.Generator, maps: ByteArray, mask: BoolArray, looseness: float = 0.1
) -> None:
    """Mark all inside of a loop around the mask as positive, all far outside as not.

    The loop is the mask's rough outline, some of the background with it.

    Args:
        looseness: largest size of the dilation, as a share of the mask's size.
    """
    low = min(0.03, looseness)
    size = max(3, int(rng.uniform(low, looseness) * np.sqrt(mask.sum()))) | 1
    loop = cv2.dilate(mask.astype(np.uint8), np.ones((size, size), np.uint8))
    loop = cv2.morphologyEx(loop, cv2.MORPH_CLOSE, np.ones((3 * size,) * 2, np.uint8))
    far = cv2.dilate(loop, np.ones((2 * size + 1,) * 2, np.uint8)) == 0
    maps[POSITIVE] |= cv2.erode(loop, np.ones((2 * size + 1,) * 2, np.uint8))
    maps[NEGATIVE] |= far.astype(np.uint8)


def correct(
    rng: np.random.Generator,
    maps: ByteArray,
    predicted: BoolArray,
    target: BoolArray,
    known: BoolArray,
) -> bool:
    """Mark a point in the largest error of a prediction; whether there is one.

    Args:
        maps: of side S, changed in place.
        predicted, target, known: (S/2, S/2).
    """
    free = (maps[POSITIVE, ::2, ::2] | maps[NEGATIVE, ::2, ::2]) == 0
    missed = depth_of(target & ~predicted & known) * free
    excess = depth_of(predicted & ~target & known) * free
    positive = bool(missed.max() >= excess.max())
    depth = missed if positive else excess
    if depth.max() < 1:
        return False
    if rng.random() < 0.5:
        place = int(depth.argmax())
    else:
        place = int(rng.choice(np.flatnonzero(depth > 0.5 * depth.max())))
    row, column = divmod(place, depth.shape[1])
    draw_disk(maps, 2 * column + 1, 2 * row + 1, positive=positive)
    return True
