"""Array types, whose shapes are documented where arrays are passed, and a check."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from zim_model.errors import ImageError, msg

ByteArray = npt.NDArray[np.uint8]
WordArray = npt.NDArray[np.uint16]
FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]


def as_rgb(image: npt.ArrayLike) -> ByteArray:
    """The image as an array, checked.

    Raises:
        ImageError: it is not (H, W, 3) uint8.
    """
    array = np.asarray(image)
    if array.ndim != 3 or array.shape[2] != 3 or array.dtype != np.uint8:
        raise ImageError(
            msg(
                "The image has shape {shape} and type {dtype}.",
                shape=array.shape,
                dtype=array.dtype,
            ),
            msg("Expected (height, width, 3) of uint8."),
        )
    return array
