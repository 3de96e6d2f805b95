"""Pixel arrays at 8 and 16 bits: types, strips of rows, conversion of the depth.

Whole-image arithmetic on 100 million pixels would allocate gigabytes of wider
integers, so computations run over strips of rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from zim_model.arrays import ByteArray

PixelArray = npt.NDArray[np.unsignedinteger[Any]]
"""uint8 or uint16."""

Rgb = tuple[int, int, int]
"""A colour: red, green, blue in 0..255, sRGB unless stated otherwise."""

TRIM_ALPHA = 2
"""Alpha, in steps of 255, that the eye does not see on any background."""

_STRIP_PIXELS = 1 << 18
"""Whose wider integers stay in a processor's cache."""


def strips(height: int, width: int) -> Iterator[slice]:
    """Slices of rows that cover an image, each of about 260,000 pixels."""
    step = max(1, _STRIP_PIXELS // max(1, width))
    for top in range(0, height, step):
        yield slice(top, min(top + step, height))


def convert_depth(values: PixelArray, dtype: np.dtype[Any] | type) -> PixelArray:
    """Rescale full-range integers to another depth, rounding to the nearest.

    Args:
        values: uint8 or uint16, of any shape.
        dtype: uint8 or uint16.

    Returns:
        The same array if it has that depth already, else a new one of its shape.
        8 to 16 bits and back is exact.
    """
    if values.dtype == dtype:
        return values
    if values.dtype == np.uint8:
        return np.multiply(values, np.uint16(257), dtype=np.uint16)
    if values.ndim < 2:
        return _to_8_bit(values)
    result = np.empty(values.shape, np.uint8)
    for rows in strips(values.shape[0], int(np.prod(values.shape[1:]))):
        result[rows] = _to_8_bit(values[rows])
    return result


def _to_8_bit(values: PixelArray) -> ByteArray:
    return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)


def unpremultiply(colour: PixelArray, alpha: PixelArray, dtype: type) -> PixelArray:
    """Divide colours, (H, W) or (H, W, C), by their alpha, (H, W) of the same range."""
    result: PixelArray = np.empty(colour.shape, dtype)
    top = np.uint32(np.iinfo(dtype).max)
    for rows in strips(*alpha.shape):
        opacity = alpha[rows].astype(np.uint32)
        if colour.ndim == 3:
            opacity = opacity[..., None]
        scaled = colour[rows] * top + opacity // 2
        result[rows] = np.minimum(scaled // np.maximum(opacity, 1), top)
    return result


def to_full_range(values: PixelArray, bits: int) -> PixelArray:
    """Samples of 1 to 16 bits as 8 or 16 bits, where the largest stays the largest."""
    if bits in (8, 16):
        return values
    dtype = np.uint8 if bits <= 8 else np.uint16
    largest = (1 << bits) - 1
    steps = np.arange(largest + 1, dtype=np.uint32) * np.uint32(np.iinfo(dtype).max)
    return cast(PixelArray, ((steps + largest // 2) // largest).astype(dtype)[values])


def upright(pixels: PixelArray, orientation: int) -> PixelArray:
    """Stored pixels turned upright (EXIF orientation 1 to 8), as a NumPy view."""
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    flip_rows = orientation in (3, 4, 7, 8)
    flip_columns = orientation in (2, 3, 6, 7)
    return pixels[:: -1 if flip_rows else 1, :: -1 if flip_columns else 1]
