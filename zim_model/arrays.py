"""Array types, whose shapes are documented where arrays are passed; bounds; a check."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from zim_model.errors import ImageError, msg

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


def as_rgb(image: npt.ArrayLike) -> ByteArray:
    """The image as an array, checked.

    Raises:
        ImageError: it is not (H, W, 3) uint8, or empty.
    """
    array = np.asarray(image)
    fits = array.ndim == 3 and array.shape[2] == 3 and array.size
    if not fits or array.dtype != np.uint8:
        raise ImageError(
            msg(
                "The image has shape {shape} and type {dtype}.",
                shape=array.shape,
                dtype=array.dtype,
            ),
            msg("Expected (height, width, 3) of uint8."),
        )
    return array
