"""A trimap from a matte: where alpha is uncertain, and how far around that.

The unknown band is the matte's soft edge, widened on either side by the larger of two
margins: a few cells of the grid on which the matte was predicted, since the edge may be
wrong by that much, and half of the edge's own width there, since hair and fur reach
farther than a coarse prediction shows.
"""

from __future__ import annotations

import cv2
import numpy as np

from zim_model.arguments import check_number, check_plane
from zim_model.arrays import (
    BACKGROUND,
    FOREGROUND,
    UNKNOWN,
    BoolArray,
    ByteArray,
    WordArray,
)
from zim_model.request import ALPHA_MAX

CERTAIN_ALPHA = 0.95
"""Alpha above this, or below one minus this, is certain away from the edge."""
MARGIN_CELLS = 1.5
"""Smallest margin, in cells of the prediction's grid."""
MIN_MARGIN = 4
"""Smallest margin, in pixels."""
DOUBLINGS = 2
"""How often the smallest margin is doubled at most, where the edge is soft."""


def make_trimap(alpha: WordArray, cell: float = 1.0) -> ByteArray:
    """A trimap whose unknown band contains the soft edge of a matte.

    Args:
        alpha: (H, W) uint16, 65535 opaque.
        cell: pixels between neighbours on the grid on which alpha was predicted; 1
            where it has the full resolution.

    Returns:
        (H, W) uint8: 0 on the background, 128 unknown, 255 on the foreground.

    Raises:
        ImageError: alpha is of another shape or type.
        ZimError: ``cell`` is no positive number.
    """
    check_plane(alpha, "alpha", (np.uint16,))
    check_number("cell", cell, 0)
    soft = _soft_edge(alpha)
    margin = max(float(MIN_MARGIN), MARGIN_CELLS * cell)
    unknown = _within(soft, margin)
    # Deep inside a soft edge the distance to its border is half of its width.
    depth = cv2.distanceTransform(soft, cv2.DIST_L2, 3)
    for _ in range(DOUBLINGS):
        margin *= 2
        core = (depth >= margin).astype(np.uint8)
        if not core.any():
            break
        unknown |= _within(core, 2 * margin)  # so deep, and as far beyond the border
    trimap = np.where(alpha > ALPHA_MAX // 2, FOREGROUND, BACKGROUND).astype(np.uint8)
    trimap[unknown] = UNKNOWN
    return trimap


def _within(region: ByteArray, distance: float) -> BoolArray:
    """Whether pixels are at most that far from a region, (H, W) of 0 and 1."""
    return np.asarray(
        cv2.distanceTransform(1 - region, cv2.DIST_L2, 3) <= distance, np.bool_
    )


def _soft_edge(alpha: WordArray) -> ByteArray:
    """1 where alpha is uncertain or a hard edge runs, else 0; (H, W)."""
    kernel = np.ones((3, 3), np.uint8)
    low, high = cv2.erode(alpha, kernel), cv2.dilate(alpha, kernel)
    edge = (low < CERTAIN_ALPHA * ALPHA_MAX) & (high > (1 - CERTAIN_ALPHA) * ALPHA_MAX)
    return edge.astype(np.uint8)
