"""Image and matte pyramids for display: 1, 1/2, 1/4, ... of the size.

A window imports this module before it appears, so OpenCV is imported lazily.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import numpy as np

from zim_model.arrays import Bounds, ByteArray, FloatArray, WordArray

AnyArray = TypeVar("AnyArray", ByteArray, WordArray)
SMALLEST = 512
"""The last level's longer side is below this."""


def image_pyramid(rgb: ByteArray, first: int = 0) -> tuple[ByteArray, ...]:
    """Halve an image again and again until its longer side is below 512.

    Slow: for a worker thread.  The first level is ``rgb`` itself, (H, W, 3) uint8; the
    others are (h, w, 4) uint8, blue first, which Qt paints three times as fast.

    Args:
        first: the level of a larger image's pyramid that ``rgb`` is; the levels before
            it are left out.
    """
    import cv2

    def for_display(level: ByteArray) -> ByteArray:
        painted = np.asarray(cv2.cvtColor(level, cv2.COLOR_RGB2BGRA), np.uint8)
        painted.flags.writeable = False
        return painted

    levels, level = [for_display(rgb) if first else rgb], rgb
    while max(level.shape[:2]) >= SMALLEST:
        level = halve(level)
        levels.append(for_display(level))
    return tuple(levels)


def halve(pixels: AnyArray, times: int = 1) -> AnyArray:
    """An image or matte at half its size, rounded up, so many times; area means."""
    import cv2

    if times == 0:
        return pixels
    height, width = (-(-side // 2**times) for side in pixels.shape[:2])
    size = (width, height)
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)  # type: ignore[return-value]


def display_pyramid(
    alpha: WordArray, support: Bounds | None = None
) -> tuple[ByteArray, ...]:
    """Alpha as uint8 at 1, 1/2, 1/4, ... of its size, until the longer side < 512.

    Args:
        alpha: (H, W).
        support: (left, top, right, bottom) around all alpha > 0; None is the image.
    """
    level = np.zeros(alpha.shape, np.uint8)
    left, top, right, bottom = support or (0, 0, alpha.shape[1], alpha.shape[0])
    part = np.s_[top:bottom, left:right]
    np.right_shift(alpha[part], 8, out=level[part], casting="unsafe")
    levels = [level]
    while max(level.shape) >= SMALLEST:
        level = halve(level)
        levels.append(level)
    for level in levels:
        level.flags.writeable = False
    return tuple(levels)


def update_pyramid_region(
    levels: tuple[ByteArray, ...], part: tuple[slice, slice]
) -> None:
    """Update the coarser levels where the first one has changed.

    Args:
        levels: as of :func:`display_pyramid`, changed in place.
        part: rows and columns of the first level.
    """
    import cv2

    for fine, coarse in pairwise(levels):
        sides = zip(part, fine.shape, coarse.shape, strict=True)
        rows, columns = (_axis_reduction(side, n, m) for side, n, m in sides)
        near = fine[rows.input_, columns.input_]
        if fine.shape == (2 * coarse.shape[0], 2 * coarse.shape[1]):
            size = (len(columns.weights), len(rows.weights))
            smaller = cv2.resize(near, size, interpolation=cv2.INTER_AREA)
        else:
            mean = rows.weights @ near.astype(np.float32) @ columns.weights.T
            smaller = np.rint(mean)
        part = (rows.output, columns.output)
        coarse[part] = smaller


@dataclass(frozen=True, slots=True, eq=False)
class _AxisReduction:
    """One axis of a halving: output range, input range and weights."""

    output: slice
    input_: slice
    weights: FloatArray


def _axis_reduction(part: slice, fine: int, coarse: int) -> _AxisReduction:
    """The halving of a part of ``fine`` pixels to a side of ``coarse`` pixels."""
    ratio = fine / coarse
    first = int(part.start / ratio)
    last = min(math.ceil(part.stop / ratio), coarse)
    begin = np.arange(first, last)[:, None] * ratio
    low = int(first * ratio)
    high = min(math.ceil(last * ratio - 1e-9), fine)
    at = np.arange(low, high)
    shared = np.minimum(at + 1, begin + ratio) - np.maximum(at, begin)
    weights = np.asarray(np.clip(shared, 0, None) / ratio, np.float32)
    return _AxisReduction(slice(first, last), slice(low, high), weights)
