"""Array types, whose shapes are documented where arrays are passed, and bounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

ByteArray = npt.NDArray[np.uint8]
WordArray = npt.NDArray[np.uint16]
FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]
Bounds = tuple[int, int, int, int]
"""(left, top, right, bottom) in pixels; right and bottom are exclusive."""

BACKGROUND, UNKNOWN, FOREGROUND = 0, 128, 255
"""Values of a trimap, (h, w) uint8."""


def mask_bounds(mask: npt.NDArray[Any]) -> Bounds | None:
    """The bounds of all nonzero elements of an array (H, W); None if there are none."""
    mask = np.asarray(mask, np.bool_)  # numbers are slower to search
    rows = np.flatnonzero(mask.any(1))
    if not rows.size:
        return None
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    columns = np.flatnonzero(mask[top:bottom].any(0))
    return int(columns[0]), top, int(columns[-1]) + 1, bottom


def size_within(shape: Sequence[int], longest: int) -> tuple[int, int]:
    """(width, height) of an image (H, W, ...) with sides of at most ``longest``.

    Its own size if it is no larger; at least one pixel either way.
    """
    height, width = shape[:2]
    scale = min(1.0, longest / max(height, width))
    return max(1, round(width * scale)), max(1, round(height * scale))


def shrink(image: ByteArray, width: int, height: int) -> ByteArray:
    """An image (H, W, ...) at a smaller size, by area means.

    It is halved first while it is much larger and its sides are even: means of 2 x 2
    pixels are exact, and many times as fast as those of any other size.
    """
    import cv2

    tall, wide = image.shape[:2]
    while min(tall / height, wide / width) >= 4 and not (tall % 2 or wide % 2):
        tall, wide = tall // 2, wide // 2
        image = np.asarray(
            cv2.resize(image, (wide, tall), interpolation=cv2.INTER_AREA)
        )
    size = (width, height)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


SPARSE_SHARE = 0.5
"""Of an array: a larger part is not worth a copy."""


def sparse(array: WordArray, bounds: Bounds | None = None) -> WordArray:
    """An array (H, W) with memory only for the rows that are not all 0.

    The system gives zeros that were never written no memory.  The same array where
    most of it lies inside the bounds of what is not 0.

    Args:
        bounds: around what is not 0, where they are known.
    """
    left, top, right, bottom = bounds or mask_bounds(array) or (0, 0, 0, 0)
    if (bottom - top) * (right - left) > SPARSE_SHARE * array.size:
        return array
    out = np.zeros(array.shape, array.dtype)  # zeros_like would write them
    out[top:bottom, left:right] = array[top:bottom, left:right]
    return out
