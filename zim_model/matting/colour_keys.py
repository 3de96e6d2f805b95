"""Colours that are removed from a matte, and strokes that keep to colours.

Distances of colours are Euclidean in CIELAB (D65), in units of 100, which is about the
distance from black to white; just noticeable is 0.02.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from zim_model.arrays import ByteArray, FloatArray, WordArray
from zim_model.finish import ColourKey
from zim_model.request import CancelCheck, never_cancelled, raise_if_cancelled

ROWS = 128
"""Rows that are converted at a time, so that memory does not grow with the image."""
STROKE_SOFTNESS = 0.5
"""Distance over which a stroke's effect falls off, as a fraction of its tolerance."""


def apply_colour_keys(
    alpha: WordArray,
    image: ByteArray,
    keys: Sequence[ColourKey],
    cancelled: CancelCheck = never_cancelled,
) -> WordArray:
    """Make a matte transparent where the image has one of the keys' colours.

    Args:
        alpha: (H, W) uint16; not modified.
        image: (H, W, 3) uint8 RGB.
        cancelled: polled between blocks of rows.

    Returns:
        (H, W) uint16, a new array, or ``alpha`` where there are no keys.

    Raises:
        Cancelled: ``cancelled`` became true.
    """
    if not keys:
        return alpha
    result = alpha.copy()
    colours = np.array([_components(key.colour) for key in keys], np.uint8)
    for top in range(0, len(alpha), ROWS):
        raise_if_cancelled(cancelled)
        rows = result[top : top + ROWS]
        if not rows.any():
            continue
        opacity = np.ones(rows.shape, np.float32)
        lab = to_lab(image[top : top + ROWS])
        for key, centre in zip(keys, to_lab(colours[None])[0], strict=True):
            distance = np.sqrt(((lab - centre) ** 2).sum(-1)) - key.tolerance
            # Even without softness, a step of one just noticeable difference.
            np.minimum(opacity, distance / max(key.softness, 0.01), out=opacity)
        rows[...] = np.rint(rows * np.clip(opacity, 0, 1))
    return result


def colour_match(image: ByteArray, colours: FloatArray, tolerance: float) -> FloatArray:
    """How well pixels match the nearest of some colours.

    Args:
        image: (h, w, 3) uint8 RGB.
        colours: (n, 3), CIELAB in units of 100.
        tolerance: distance up to which the match is 1, above 0.

    Returns:
        (h, w) float32 from 1 to 0, which is reached at
        ``(1 + STROKE_SOFTNESS) * tolerance``.
    """
    lab = to_lab(image)
    distance = np.full(lab.shape[:2], np.inf, np.float32)
    for colour in colours:
        np.minimum(distance, ((lab - colour) ** 2).sum(-1), out=distance)
    beyond = np.sqrt(distance) / np.float32(tolerance) - 1
    return np.asarray(np.clip(1 - beyond / STROKE_SOFTNESS, 0, 1), np.float32)


def to_lab(image: ByteArray) -> FloatArray:
    """The colours of an image (h, w, 3) uint8 RGB in CIELAB, in units of 100."""
    scaled = image.astype(np.float32) * np.float32(1 / 255)
    lab = cv2.cvtColor(scaled, cv2.COLOR_RGB2Lab)
    return np.asarray(lab * np.float32(0.01), np.float32)


def _components(colour: int) -> tuple[int, int, int]:
    return colour >> 16, colour >> 8 & 0xFF, colour & 0xFF
