"""What a matte's alpha consists of: its histogram, and how pure its two sides are.

A window imports this module before it appears, so OpenCV is imported lazily.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from zim_model.arrays import FloatArray, WordArray
from zim_model.request import ALPHA_MAX

BINS = 64
OPAQUE_FROM, TRANSPARENT_TO = 250 / 255, 5 / 255
"""Alpha from which a pixel counts as opaque, and up to which as transparent."""
SAMPLED_PIXELS = 250_000
"""Enough for shares of a tenth of a percent, and fast enough for a window."""


@dataclass(frozen=True, slots=True, eq=False)
class AlphaHistogram:
    """How alpha is distributed over the pixels.

    Attributes:
        transparent: share of the pixels with alpha 0, 0 to 1.
        opaque: share of the pixels with the largest alpha, likewise.
        soft: (n,) float32, shares of the pixels whose alpha lies in between, in n
            intervals of equal width from 0 to 1.
    """

    transparent: float
    opaque: float
    soft: FloatArray


@dataclass(frozen=True, slots=True)
class Purity:
    """How far a matte is from opaque inside, and from transparent outside.

    Attributes:
        interior_below: share of the interior with alpha below ``OPAQUE_FROM``, 0 to 1;
            None without an interior.
        exterior_above: share of the exterior with alpha above ``TRANSPARENT_TO``,
            likewise.
    """

    interior_below: float | None
    exterior_above: float | None


def sample_alpha(alpha: WordArray, most: int = SAMPLED_PIXELS) -> tuple[WordArray, int]:
    """Every n-th pixel of every n-th row, so that at most ``most`` are left, and n.

    Unlike the mean of neighbours, a sample has the values of the matte.
    """
    step = max(1, math.ceil(math.sqrt(alpha.size / most)))
    return np.ascontiguousarray(alpha[::step, ::step]), step


def alpha_histogram(alpha: WordArray, bins: int = BINS) -> AlphaHistogram:
    """Shares of pixels by alpha.

    Args:
        alpha: (H, W) uint16, not empty.
        bins: number of intervals between transparent and opaque.
    """
    counts = np.bincount(alpha.ravel(), minlength=ALPHA_MAX + 1)
    shares = counts / alpha.size
    soft = np.arange(1, ALPHA_MAX)
    intervals = soft * bins // ALPHA_MAX
    summed = np.bincount(intervals, weights=shares[1:ALPHA_MAX], minlength=bins)
    return AlphaHistogram(
        float(shares[0]), float(shares[ALPHA_MAX]), summed.astype(np.float32)
    )


def default_margin(height: int, width: int) -> float:
    """The margin of :func:`measure_purity`, in pixels: a hundredth, at least three."""
    return max(3.0, 0.01 * max(height, width))


def measure_purity(alpha: WordArray, margin: float | None = None) -> Purity:
    """Measure the interior and the exterior of a matte.

    Both begin further than ``margin`` from the outline, the border between pixels with
    alpha of at least one half and those below.  The interior lies on the first side.
    Soft edges that are wider than the margin, such as hair, count as impure.

    Args:
        alpha: (H, W) uint16, not empty.
        margin: Euclidean distance, in pixels of ``alpha``; None is
            :func:`default_margin`.
    """
    if margin is None:
        margin = default_margin(*alpha.shape)
    inside = alpha > ALPHA_MAX // 2
    far = _outline_distance(inside) > margin
    low, high = OPAQUE_FROM * ALPHA_MAX, TRANSPARENT_TO * ALPHA_MAX
    interior, exterior = alpha[far & inside], alpha[far & ~inside]
    return Purity(
        float(np.mean(interior < low)) if interior.size else None,
        float(np.mean(exterior > high)) if exterior.size else None,
    )


def _outline_distance(inside: np.ndarray) -> np.ndarray:
    """Distance of each pixel to the nearest one at the outline, on either side.

    Infinite without an outline.
    """
    import cv2

    away = np.ones(inside.shape, np.uint8)
    for near, there in (
        ((slice(None), slice(None, -1)), (slice(None), slice(1, None))),
        ((slice(None, -1), slice(None)), (slice(1, None), slice(None))),
    ):
        crossed = inside[near] != inside[there]
        away[near][crossed] = 0
        away[there][crossed] = 0
    if away.all():
        return np.full(inside.shape, np.inf, np.float32)
    return np.asarray(cv2.distanceTransform(away, cv2.DIST_L2, 5), np.float32)
