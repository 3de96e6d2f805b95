"""Cross-view self-prompting: points from the mask that the grid shows in a view."""

from __future__ import annotations

import numpy as np

from training.sa3d.scene import Array
from zim_model.prompts import Point

MIN_RADIUS = 2.0
"""Least distance of two points, in pixels."""
RADIUS_SHARE = 0.5
"""Least distance of two points, relative to the radius of a disc of the mask's area."""


def select_points(confidence: Array, positions: Array, count: int) -> tuple[Point, ...]:
    """Choose positive points where a rendered mask is surest (SA3D, section 3.3).

    The first point has the highest confidence.  For each further one, confidences are
    lowered by the distance in 3-D to the points before, of these the one that lowers
    least, so that what shows a stray bit of the mask far from the object is not
    chosen; and pixels near points before are left out, so that the points spread.

    Args:
        confidence: (H, W), above 0 on the object.
        positions: (H, W, 3) world coordinates of what the pixels show.
        count: most points.

    Returns:
        Up to ``count`` points in image coordinates; none if nothing is above 0.
    """
    height, width = confidence.shape
    remaining = confidence.copy()
    decay = np.full(confidence.shape, np.inf)
    radius = max(
        MIN_RADIUS, RADIUS_SHARE * np.sqrt(np.count_nonzero(confidence > 0) / np.pi)
    )
    rows, columns = np.mgrid[:height, :width]
    points: list[Point] = []
    while len(points) < count:
        scores = remaining - (decay if points else 0)
        row, column = np.unravel_index(int(scores.argmax()), scores.shape)
        if not scores[row, column] > 0:
            break
        points.append(Point(float(column) + 0.5, float(row) + 0.5))
        distance = np.linalg.norm(positions - positions[row, column], axis=-1)
        distance /= max(float(distance[confidence > 0].max()), 1e-9)
        decay = np.minimum(decay, confidence[row, column] * distance)
        remaining[np.hypot(rows - row, columns - column) < radius] = -np.inf
    return tuple(points)
