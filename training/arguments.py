"""What the command lines of the training share; imports no torch."""

from __future__ import annotations

import argparse
import contextlib
import math
from collections.abc import Callable

INTERRUPTED = 130
"""Exit code after Ctrl-C, as of shells."""


def minutes(text: str) -> float:
    """A duration in minutes, 0 or more; ``inf`` is one, too.

    Raises:
        ArgumentTypeError: it is none.
    """
    with contextlib.suppress(ValueError):
        if (value := float(text)) >= 0:
            return value
    raise argparse.ArgumentTypeError(f"{text!r} is not a number of minutes")


def number_between(
    least: float, most: float = math.inf, kind: type[int] | type[float] = int
) -> Callable[[str], float]:
    """A parser of finite numbers of a range, for ``type`` of an argument.

    It raises an ArgumentTypeError for another text.
    """

    def parse(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            value = math.nan
        if not (least <= value <= most and abs(value) < math.inf):
            whole = "whole number" if kind is int else "number"
            end = f" to {most:g}" if math.isfinite(most) else ""
            raise argparse.ArgumentTypeError(
                f"{text!r} is not a {whole} from {least:g}{end}"
            )
        return value

    return parse
