"""Checks of values that were read from JSON, where numbers have no limits."""

from __future__ import annotations

import math
import sys


def is_number(
    value: object,
    low: float = -math.inf,
    high: float = math.inf,
    *,
    whole: bool = False,
) -> bool:
    """Whether a value is a finite number in a range.

    Booleans are none, and neither are integers that no float can hold.

    Args:
        value: of any type.
        low: the least value.
        high: the largest value.
        whole: whether it must be an integer.
    """
    kinds = int if whole else int | float
    if not isinstance(value, kinds) or isinstance(value, bool):
        return False
    # Without conversions to float, which fail for integers of many digits.
    return low <= value <= high and abs(value) <= sys.float_info.max
