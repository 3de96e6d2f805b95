"""Windows: which grey values are shown from black to white.

A window is given as radiologists do, by its level (the middle) and its width.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from zim_model.errors import ZimError, msg

Numbers = npt.NDArray[np.number[Any]]
Depth = TypeVar("Depth", bound=np.unsignedinteger[Any])

TAILS = (0.5, 99.5)
"""Percentiles of the values at the ends of an automatic window."""
_SAMPLES = 1 << 20
"""Most values that an automatic window is computed of."""


@dataclass(frozen=True, slots=True)
class Window:
    """A range of grey values.

    Attributes:
        level: the value that becomes middle grey.
        width: from black to white, more than 0.
    """

    level: float
    width: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.level) and math.isfinite(self.width)):
            raise ZimError(msg("A window's level and width are numbers."))
        if self.width <= 0:
            raise ZimError(
                msg("A window's width is more than 0, not {width:g}.", width=self.width)
            )

    @classmethod
    def between(cls, low: float, high: float) -> Window:
        """The window from a value to another; of width 1 where they are equal."""
        return cls((low + high) / 2, (high - low) or 1.0)

    @classmethod
    def parse(cls, text: str) -> Window:
        """Read ``LEVEL,WIDTH``, or the name of one of PRESETS.

        Raises:
            ZimError: it is neither.
        """
        if text in PRESETS:
            return PRESETS[text]
        level, _, width = text.partition(",")
        try:
            return cls(float(level), float(width))
        except ValueError as error:
            raise ZimError(
                msg("{text!r} is no window.", text=text),
                msg("Use LEVEL,WIDTH or one of {names}.", names=", ".join(PRESETS)),
            ) from error

    def __str__(self) -> str:
        return f"{self.level:g},{self.width:g}"

    @property
    def low(self) -> float:
        """The value that becomes black."""
        return self.level - self.width / 2

    @property
    def high(self) -> float:
        """The value that becomes white."""
        return self.level + self.width / 2

    def apply(
        self, values: Numbers, dtype: type[Depth], *, inverted: bool = False
    ) -> npt.NDArray[Depth]:
        """Values of any shape and type as greys of full range; beyond it, clipped.

        The function is DICOM's LINEAR_EXACT (PS3.3, C.11.2.1.3.2).  What is no number
        becomes the lowest value.

        Args:
            dtype: uint8 or uint16.
            inverted: whether the lowest value is white.
        """
        top = np.iinfo(dtype).max
        share = (values.astype(np.float32) - np.float32(self.low)) / np.float32(
            self.width
        )
        share = np.clip(np.nan_to_num(share, nan=0.0), 0, 1)
        if inverted:
            share = 1 - share
        return np.asarray(np.rint(share * np.float32(top)), dtype)


PRESETS: Mapping[str, Window] = MappingProxyType(
    {
        "soft-tissue": Window(40, 400),
        "lung": Window(-600, 1500),
        "bone": Window(400, 1800),
        "brain": Window(40, 80),
    }
)
"""Usual windows of computed tomography, in Hounsfield units."""


def automatic_window(values: Numbers) -> Window:
    """The window from the 0.5th to the 99.5th percentile of the finite values.

    Of a large array, evenly spread values count.
    """
    flat = values.ravel()
    flat = flat[:: max(1, flat.size // _SAMPLES)]
    flat = flat[np.isfinite(flat)]
    if not flat.size:
        return Window(0.5, 1.0)
    low, high = map(float, np.percentile(flat, TAILS))
    if low == high:  # a few bright pixels on nothing
        low, high = float(flat.min()), float(flat.max())
    return Window.between(low, high)


@dataclass(frozen=True, slots=True, eq=False)
class GreyImage:
    """Grey values of one image, as a file means them.

    Attributes:
        values: (H, W), of any type of numbers.
        window: the one that the file stores, or None.
        inverted: whether the lowest value is white.
        hounsfield: whether the values are Hounsfield units.
    """

    values: Numbers
    window: Window | None = None
    inverted: bool = False
    hounsfield: bool = False

    @property
    def own_window(self) -> Window:
        """The window of the file, else the automatic one."""
        return self.window or automatic_window(self.values)

    def render(
        self, dtype: type[Depth], window: Window | None = None
    ) -> npt.NDArray[Depth]:
        """The greys (H, W) in a window; None takes the file's or the automatic one."""
        chosen = window or self.own_window
        return chosen.apply(self.values, dtype, inverted=self.inverted)
