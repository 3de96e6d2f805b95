"""Overlapping tiles over a part of an image, with weights to blend their results."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from zim_model.arrays import Bounds, FloatArray


def overlapping_tiles(
    bounds: Bounds, side: int, overlap: int
) -> Iterator[tuple[Bounds, FloatArray]]:
    """Tiles that cover a part of an image.

    Args:
        bounds: of the part.
        side: of a tile, in pixels; tiles are shorter where the part is.
        overlap: smallest overlap of neighbours, below ``side``.

    Returns:
        The bounds and the weights (h, w) of each tile.  The weights fall smoothly
        towards borders inside the part; those of a pixel add up to 1.
    """
    left, top, right, bottom = bounds
    rows = list(_spans(top, bottom, side, overlap))
    columns = list(_spans(left, right, side, overlap))
    for first_row, last_row, vertical in rows:
        for first, last, horizontal in columns:
            yield (first, first_row, last, last_row), vertical[:, None] * horizontal


def _spans(
    start: int, stop: int, side: int, overlap: int
) -> Iterator[tuple[int, int, FloatArray]]:
    """Overlapping spans that cover a range, and weights that add up to 1."""
    length = min(side, stop - start)
    count = 1 + -(-(stop - start - length) // (side - overlap))
    starts = np.linspace(start, stop - length, count).round().astype(int).tolist()
    hill = np.sin((np.arange(length) + 0.5) / length * np.pi) ** 2
    total = np.zeros(stop - start)
    for first in starts:
        total[first - start : first - start + length] += hill
    for first in starts:
        share = hill / total[first - start : first - start + length]
        yield first, first + length, np.asarray(share, np.float32)
