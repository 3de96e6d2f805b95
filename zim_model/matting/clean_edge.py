"""A matte's black and white point, from its own histogram: levels of an image editor.

A network's alpha often stays a little below opaque inside of an object, and a little
above transparent outside.  What most of the interior reaches becomes opaque, and what
half of the exterior does not exceed becomes transparent.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from zim_model.arrays import WordArray
from zim_model.matting.purity import default_margin, sample_alpha
from zim_model.request import ALPHA_MAX

SAMPLED_PIXELS = 1 << 20
"""Most pixels from which levels are found."""
WHITE_PERCENTILE = 10
"""Of alpha over the interior: so much of it may stay below opaque."""
LEAST_WHITE, MOST_BLACK = 0.85, 0.05
"""Limits of the levels: an interior of less alpha is of glass, not of noise."""


@dataclass(frozen=True, slots=True)
class Levels:
    """Alpha that becomes 0, and alpha that becomes 1; by default nothing changes."""

    black: float = 0.0
    white: float = 1.0


def find_levels(alpha: WordArray) -> Levels:
    """The black and white point of a matte.

    The interior has alpha above one half in a square around each pixel, of
    :func:`~zim_model.matting.purity.default_margin` to each side; the exterior has not
    above one half, likewise.  Black is the median of the exterior, at most
    ``MOST_BLACK``; white is a low percentile of the interior, at least
    ``LEAST_WHITE``.  Without an exterior black is 0, without an interior white is 1.

    Args:
        alpha: (H, W) uint16, not empty.
    """
    sample, _ = sample_alpha(alpha, SAMPLED_PIXELS)
    inside = (sample > ALPHA_MAX // 2).astype(np.uint8)
    side = 2 * round(default_margin(*sample.shape)) + 1
    square = np.ones((side, side), np.uint8)
    interior = sample[cv2.erode(inside, square) > 0]
    exterior = sample[cv2.erode(1 - inside, square) > 0]
    black, white = 0.0, 1.0
    if exterior.size:
        black = min(float(np.median(exterior)) / ALPHA_MAX, MOST_BLACK)
    if interior.size:
        low = _percentile(interior, WHITE_PERCENTILE) / ALPHA_MAX
        white = max(low, LEAST_WHITE)
    return Levels(black, white)


def _percentile(values: WordArray, percent: float) -> float:
    """``np.percentile``, which imports all of ``np.ma`` when it is first called."""
    place = (len(values) - 1) * percent / 100
    low = int(place)
    high = min(low + 1, len(values) - 1)
    ordered = np.partition(values, (low, high))
    return float(ordered[low] + (place - low) * (float(ordered[high]) - ordered[low]))


def clean_edge(alpha: WordArray) -> WordArray:
    """Stretch a matte from its black to its white point, see :func:`find_levels`.

    Args:
        alpha: (H, W) uint16, not empty; not modified.

    Returns:
        (H, W) uint16, a new array, or ``alpha`` where nothing changes.
    """
    levels = find_levels(alpha)
    if levels == Levels():
        return alpha
    gain = 1 / (levels.white - levels.black)
    # Integers saturate, which clips the ends; a table takes 100 times as long.
    stretched = cv2.addWeighted(alpha, gain, alpha, 0, -levels.black * gain * ALPHA_MAX)
    return np.asarray(stretched, np.uint16)
