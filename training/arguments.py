"""Arguments that several commands of the training take; imports no torch."""

from __future__ import annotations

import argparse
import contextlib


def minutes(text: str) -> float:
    """A duration in minutes, 0 or more; ``inf`` is one, too.

    Raises:
        ArgumentTypeError: it is none.
    """
    with contextlib.suppress(ValueError):
        if (value := float(text)) >= 0:
            return value
    raise argparse.ArgumentTypeError(f"{text!r} is not a number of minutes")
