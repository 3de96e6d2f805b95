"""Run-length masks in COCO's format, plain and packed into a string.

Runs go down the columns, from the left one to the right, and alternate between 0 and
1, beginning with 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from zim_model.arrays import BoolArray
from zim_model.errors import ZimError, msg

FIRST_CHARACTER = 48
DATA_BITS, MORE, NEGATIVE = 5, 0x20, 0x10
"""A packed number is a chain of characters of 5 bits, lowest first; each but the last
has the bit MORE, and NEGATIVE in the last extends the sign."""

MAX_PIXELS = 1 << 28
"""Most pixels of a mask; a hundred bytes can name any number."""

Counts = npt.NDArray[np.int64]


def decoded(
    segmentation: Mapping[str, Any], shape: tuple[int, ...] | None = None
) -> BoolArray:
    """The mask (H, W) of ``{"size": [H, W], "counts": list or string}``.

    Args:
        shape: height and width of the mask's image, if that is known.

    Raises:
        ZimError: it is no run-length mask, its runs do not fill its size, or it has
            another size than its image, or more pixels than ``MAX_PIXELS``.
    """
    try:
        height, width = (int(side) for side in segmentation["size"])
        counts = segmentation["counts"]
        runs = unpacked(counts) if isinstance(counts, str | bytes) else _plain(counts)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ZimError(
            msg("This is no run-length mask: {error}.", error=repr(error))
        ) from error
    _check_size((height, width), shape)
    # Runs are compared one by one first: the sum of large ones wraps.
    unfit = ((runs < 0) | (runs > MAX_PIXELS)).any()
    if min(height, width) < 1 or unfit or runs.sum() != height * width:
        raise ZimError(
            msg(
                "A run-length mask of {count} pixels does not fill {height} x {width} "
                "pixels.",
                count=int(runs.sum()),
                height=height,
                width=width,
            )
        )
    values = np.arange(len(runs)) % 2 == 1
    return np.repeat(values, runs).reshape(width, height).T


def _check_size(size: tuple[int, int], shape: tuple[int, ...] | None) -> None:
    height, width = size
    if shape is not None and size != shape:
        raise ZimError(
            msg(
                "A run-length mask of {width} x {height} pixels belongs to another "
                "photo.",
                width=width,
                height=height,
            )
        )
    if height * width > MAX_PIXELS:
        raise ZimError(
            msg(
                "A run-length mask of {width} x {height} pixels is too large.",
                width=width,
                height=height,
            )
        )


def encoded(mask: BoolArray, *, packed: bool = True) -> dict[str, Any]:
    """A mask (H, W) as run lengths, ``counts`` being a string or a list."""
    flat = np.asarray(mask, bool).T.ravel()
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    runs = np.diff(np.concatenate([[0], changes, [flat.size]]))
    if flat[0]:
        runs = np.concatenate([[0], runs])
    counts = runs.astype(np.int64)
    return {
        "size": list(mask.shape),
        "counts": packed_string(counts) if packed else counts.tolist(),
    }


def _plain(counts: Any) -> Counts:
    runs = np.asarray(counts)
    if runs.ndim != 1 or runs.dtype.kind not in "iu":
        raise ValueError("counts must be whole numbers or a string")
    return runs.astype(np.int64)


def unpacked(text: str | bytes) -> Counts:
    """Run lengths (R,) of a packed string."""
    data = text.encode("ascii") if isinstance(text, str) else text
    codes = np.frombuffer(data, np.uint8).astype(np.int64) - FIRST_CHARACTER
    if not len(codes) or codes.min() < 0 or codes.max() > 63 or codes[-1] & MORE:
        raise ValueError("counts is no packed string")
    last = np.flatnonzero(codes & MORE == 0)
    first = np.concatenate([[0], last[:-1] + 1])
    lengths = last - first + 1
    if lengths.max() > 7:
        raise ValueError("counts holds a number that is too large")
    place = np.arange(len(codes)) - np.repeat(first, lengths)
    numbers: Counts = np.add.reduceat((codes & 31) << (DATA_BITS * place), first)
    signed = codes[last] & NEGATIVE != 0
    numbers -= signed.astype(np.int64) << (DATA_BITS * lengths)
    # From the fourth on, a number is the difference to the one two places before.
    for start in (1, 2):
        numbers[start::2] = np.cumsum(numbers[start::2])
    return numbers


def packed_string(runs: Counts) -> str:
    """The reverse of :func:`unpacked`."""
    numbers = runs.copy()
    numbers[3:] -= runs[1:-2]
    characters = []
    for number in numbers.tolist():
        more = True
        while more:
            code = number & 31
            number >>= DATA_BITS
            more = number != (-1 if code & NEGATIVE else 0)
            characters.append(chr((code | (MORE if more else 0)) + FIRST_CHARACTER))
    return "".join(characters)
