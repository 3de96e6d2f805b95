"""Point grids, crops and overlapping boxes of automatic mask generators."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from zim_model.backends.view import View

Mask = npt.NDArray[np.bool_]
Boxes = npt.NDArray[np.float64]

EDGE = 20
"""Image pixels from a crop's border within which an object counts as cut off there."""


def point_grid(side: int) -> npt.NDArray[np.float64]:
    """Points (side * side, 2) evenly over the unit square, x and y, row by row."""
    places = (np.arange(side) + 0.5) / side
    return np.stack(np.meshgrid(places, places), -1).reshape(-1, 2)


def crop_spans(length: int, count: int, overlap: int) -> list[tuple[int, int]]:
    """Begin and end of ``count`` overlapping crops of a side, fewer of a tiny one."""
    piece = -(-(overlap * (count - 1) + length) // count)
    starts = [(piece - overlap) * i for i in range(count)]
    return [(start, min(start + piece, length)) for start in starts if start < length]


def is_cut(box: tuple[float, ...], view: View, shape: tuple[int, ...]) -> bool:
    """Whether a box ends at a border of the crop that is not one of the image."""
    height, width = shape[:2]
    borders = (
        (box[0], view.left, 0),
        (box[1], view.top, 0),
        (box[2], view.right, width),
        (box[3], view.bottom, height),
    )
    return any(abs(e - c) <= EDGE and abs(e - i) > EDGE for e, c, i in borders)


def non_maximum_suppression(
    boxes: Boxes, scores: Sequence[float], limit: float
) -> list[int]:
    """Indexes of the boxes that stay, the best first.

    Args:
        boxes: (N, 4) left, top, right, bottom.
        scores: (N,), the larger is better; of equals the first.
        limit: IoU above which the worse of two is dropped.

    Returns:
        Indexes into ``boxes``.
    """
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    remaining = np.argsort(-np.asarray(scores, np.float64), kind="stable")
    kept = []
    while len(remaining):
        best, remaining = remaining[0], remaining[1:]
        kept.append(int(best))
        low = np.maximum(boxes[remaining, :2], boxes[best, :2])
        high = np.minimum(boxes[remaining, 2:], boxes[best, 2:])
        common = np.prod(np.clip(high - low, 0, None), axis=1)
        union = areas[remaining] + areas[best] - common
        remaining = remaining[common <= limit * union]
    return kept


def remove_small_regions(mask: Mask, area: int) -> Mask:
    """A mask without islands and holes of fewer pixels than ``area``.

    The largest island always stays.
    """
    if area <= 0:
        return mask
    for fills in (True, False):  # holes first
        _, labels, stats, _ = cv2.connectedComponentsWithStats(
            (mask != fills).astype(np.uint8), connectivity=8
        )
        sizes = stats[:, cv2.CC_STAT_AREA].copy()
        sizes[0] = area  # the label of the complement
        small = sizes < area
        if not fills and small[1:].all() and len(sizes) > 1:
            small[1 + int(np.argmax(sizes[1:]))] = False
        mask = np.where(small[labels], fills, mask)
    return np.asarray(mask, np.bool_)
