"""Checks of what scripts hand over: errors name the argument, and say what is expected.

What has passed a check is used as it is.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
import numpy.typing as npt

from zim_model.errors import ImageError, Message, PromptError, ZimError, msg


def check_pixels(image: Any, dtypes: Sequence[npt.DTypeLike] = (np.uint8,)) -> None:
    """Check an RGB image, (H, W, 3) with at least one pixel, of one of the dtypes.

    Raises:
        ImageError: it is none.
    """
    expected = msg("(height, width, 3)")
    _check_array(image, "image", dtypes, expected)
    if image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise _array_error(image, "image", dtypes, expected)


def check_plane(
    plane: Any,
    name: str,
    dtypes: Sequence[npt.DTypeLike],
    size: Sequence[int] | None = None,
) -> None:
    """Check a mask, a trimap or alpha, (H, W) with at least one pixel.

    Args:
        dtypes: one of them.
        size: height and width, if they are known.

    Raises:
        ImageError: it is none; the message has its name.
    """
    expected = msg("(height, width)")
    if size is not None:
        expected = msg("({height}, {width})", height=size[0], width=size[1])
    _check_array(plane, name, dtypes, expected)
    fits = size is None or plane.shape == tuple(size)
    if plane.ndim != 2 or not plane.size or not fits:
        raise _array_error(plane, name, dtypes, expected)


def check_number(
    name: str,
    value: Any,
    low: float = -math.inf,
    high: float = math.inf,
    *,
    whole: bool = False,
    error: type[ZimError] = ZimError,
) -> None:
    """Check a finite number, Python's or NumPy's, from ``low`` to ``high``.

    Raises:
        ZimError: it is none; the message has its name, and is of the class ``error``.
    """
    of_kind = isinstance(value, Integral) or not whole
    if of_kind and is_finite(value) and low <= value <= high:
        return
    if low == -math.inf:
        cure = msg("Give a number.")
    elif high == math.inf:
        cure = msg("Give a number of at least {low:g}.", low=low)
    else:
        cure = msg("Give a number from {low:g} to {high:g}.", low=low, high=high)
    if whole:
        cure = msg("Give a whole number from {low:g} to {high:g}.", low=low, high=high)
    raise error(msg("{name} is {value!r:.60}.", name=name, value=value), cure)


def check_choice(
    name: str,
    value: Any,
    choices: Iterable[str],
    *,
    error: type[ZimError] = ZimError,
) -> None:
    """Check that a value is one of some words.

    Raises:
        ZimError: it is none; the message has its name, and is of the class ``error``.
    """
    words = tuple(choices)
    if isinstance(value, str) and value in words:
        return
    raise error(
        msg("{name} is {value!r:.60}.", name=name, value=value),
        msg("Give one of {names}.", names=", ".join(map(repr, words))),
    )


def as_doubles(values: Any, name: str) -> npt.NDArray[np.float64]:
    """An array of doubles, also from a tensor on any device.

    Args:
        name: of the argument, for the message.

    Raises:
        PromptError: they are no numbers, or rows of unequal lengths.
    """
    if hasattr(values, "detach"):  # a tensor, without importing torch
        values = values.detach().cpu().numpy()
    try:
        if not np.iscomplexobj(values):
            return np.asarray(values, np.float64)
    except (OverflowError, TypeError, ValueError):
        pass
    raise PromptError(
        msg("{name} is not an array of numbers.", name=name),
        msg("Give numbers in rows of one length, as a list or a NumPy array."),
    )


def is_finite(value: Any) -> bool:
    """Whether a value is a finite number, Python's or NumPy's; booleans are none."""
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    return is_number and abs(value) < math.inf


def _check_array(
    array: Any, name: str, dtypes: Sequence[npt.DTypeLike], expected: Message
) -> None:
    if not isinstance(array, np.ndarray):
        raise ImageError(
            msg(
                "{name} is of the type {kind}, not a NumPy array.",
                name=name,
                kind=type(array).__name__,
            ),
            msg(
                "Give an array of the shape {shape}, such as numpy.asarray makes of a "
                "PIL image.",
                shape=expected,
            ),
        )
    if array.dtype not in dtypes:
        raise _array_error(array, name, dtypes, expected)


def _array_error(
    array: np.ndarray, name: str, dtypes: Sequence[npt.DTypeLike], expected: Message
) -> ImageError:
    return ImageError(
        msg(
            "{name} has shape {shape} and type {dtype}.",
            name=name,
            shape=array.shape,
            dtype=array.dtype,
        ),
        msg(
            "Expected {shape} of {dtypes}.",
            shape=expected,
            dtypes=" or ".join(np.dtype(dtype).name for dtype in dtypes),
        ),
    )
