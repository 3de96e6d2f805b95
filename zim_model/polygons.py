"""Polygons: the inside of a closed line."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

Vertex = tuple[float, float]
"""x and y."""


def inner_position(path: Sequence[Vertex]) -> Vertex:
    """A position inside a polygon: the middle of its widest span at half its height.

    What the line goes around twice is inside, too.  Without any inside it is the first
    vertex.
    """
    heights = [y for _, y in path]
    middle = (min(heights) + max(heights)) / 2
    crossings = sorted(
        (ax + (bx - ax) * (middle - ay) / (by - ay), 1 if by > ay else -1)
        for (ax, ay), (bx, by) in pairwise((*path, path[0]))
        if (ay <= middle) != (by <= middle)
    )
    turns = accumulate(direction for _, direction in crossings)
    spans = [
        (right - left, (left + right) / 2)
        for ((left, _), (right, _)), turn in zip(
            pairwise(crossings), turns, strict=False
        )
        if turn
    ]
    return (max(spans)[1], middle) if spans else path[0]


def clip_polygon(
    path: Sequence[Vertex], height: float, width: float
) -> tuple[Vertex, ...]:
    """The part of a polygon inside a rectangle at the origin (Sutherland and Hodgman).

    Args:
        path: the vertices.
        height, width: of the rectangle.
    """
    for axis, sign, limit in (
        (0, -1, 0.0),
        (0, 1, width),
        (1, -1, 0.0),
        (1, 1, height),
    ):
        kept: list[Vertex] = []
        for a, b in pairwise([*path[-1:], *path]):
            before, after = (sign * (v[axis] - limit) for v in (a, b))
            if (before > 0) != (after > 0):
                t = before / (before - after)
                kept.append((a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])))
            if after <= 0:
                kept.append(b)
        path = kept
    return tuple(path)
