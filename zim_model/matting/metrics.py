"""Errors of a matte against the ground truth, as ZIM's evaluation defines them.

All are taken over the whole image, without a trimap, on alpha in [0, 1]. Only the box
around both supports is computed: outside, both mattes are empty and equal.
"""

from __future__ import annotations

import cv2
import numpy as np

from zim_model.arrays import BoolArray, ByteArray, FloatArray, mask_bounds

THETA = 0.15
"""Smaller differences do not count as disconnected."""
STEPS = np.arange(0, 1.1, 0.1)
"""The thresholds of connectivity; the first one, 0, is skipped."""
_LAST = len(STEPS) - 1
_LEVELS = np.zeros(256, np.float32)
_LEVELS[: len(STEPS)] = STEPS
_NEAR = 1e-3
"""In levels: more than rounding errors, less than half a level."""
_UNDER_THETA = float(np.nextafter(np.float32(THETA), np.float32(0)))
_STRIDE = 4
"""Every n-th row and column suffices to guess the position of the largest region."""

Rect = tuple[slice, slice]


def union_rect(predicted: FloatArray, target: FloatArray, margin: int = 0) -> Rect:
    """Rows and columns around the support of either of two (H, W) alphas.

    One pixel where both are empty.

    Args:
        margin: pixels added on each side, inside the image.
    """
    bounds = mask_bounds(cv2.max(predicted, target)) or (0, 0, 1, 1)
    left, top, right, bottom = bounds
    return (
        slice(max(0, top - margin), bottom + margin),
        slice(max(0, left - margin), right + margin),
    )


def sad(predicted: FloatArray, target: FloatArray) -> float:
    """Sum of absolute differences of (H, W) alphas, in thousands."""
    return float(cv2.norm(predicted, target, cv2.NORM_L1) / 1e3)


def mse(predicted: FloatArray, target: FloatArray) -> float:
    """Mean squared difference of (H, W) alphas, times 1000."""
    return float(cv2.norm(predicted, target, cv2.NORM_L2SQR) / predicted.size * 1e3)


def mae(predicted: FloatArray, target: FloatArray) -> float:
    """Mean absolute difference of (H, W) alphas, times 1000."""
    return float(cv2.norm(predicted, target, cv2.NORM_L1) / predicted.size * 1e3)


def grad(predicted: FloatArray, target: FloatArray) -> float:
    """Mean difference of the gradients' lengths of (H, W) alphas, times 1000.

    The gradient is Sobel's, not normalised (gain 8), with zeros beyond the border; not
    the "Grad" of alphamatting.com.
    """
    part = union_rect(predicted, target, 1)
    return gradient_sum(predicted[part], target[part]) / predicted.size * 1e3


def gradient_sum(predicted: FloatArray, target: FloatArray) -> float:
    """Sum of the differences of the Sobel gradients' lengths of (H, W) alphas."""
    first, second = _gradient_length(predicted), _gradient_length(target)
    return float(cv2.norm(first, second, cv2.NORM_L1))


def _gradient_length(alpha: FloatArray) -> FloatArray:
    x, y = (
        np.asarray(
            cv2.Sobel(
                alpha, cv2.CV_32F, *axis, ksize=3, borderType=cv2.BORDER_CONSTANT
            ),
            np.float32,
        )
        for axis in ((1, 0), (0, 1))
    )
    x *= x
    y *= y
    x += y
    x += np.float32(1e-8)
    return np.sqrt(x, out=x)


def conn(predicted: FloatArray, target: FloatArray) -> float:
    """Connectivity error of (H, W) float32 alphas, in thousands.

    At each of ten levels the largest 4-connected region that both alphas reach counts
    as connected; what lies off it more than THETA is an error.
    """
    part = union_rect(predicted, target)
    off = connectivity_sum(predicted[part], target[part])
    return float(off.sum(dtype=np.float64) / 1e3)


def connectivity_sum(predicted: FloatArray, target: FloatArray) -> FloatArray:
    """Difference of connectivity at each pixel of two (H, W) float32 alphas, (H, W)."""
    level = cv2.LUT(connectivity_levels(predicted, target), _LEVELS)
    gaps = [
        cv2.threshold(cv2.subtract(alpha, level), _UNDER_THETA, 0, cv2.THRESH_TOZERO)[1]
        for alpha in (predicted, target)
    ]
    return np.asarray(cv2.absdiff(*gaps), np.float32)


def connectivity_levels(predicted: FloatArray, target: FloatArray) -> ByteArray:
    """Index into STEPS of the last level to which each pixel (H, W) is connected.

    A pixel is connected to a level if at it, and at all lower ones, it belongs to the
    largest region that both alphas reach.
    """
    reached = levels_reached(np.minimum(predicted, target))
    histogram = cv2.calcHist([reached], [0], None, [_LAST + 1], [0, _LAST + 1])
    counts = np.cumsum(histogram[::-1].astype(np.int64))[::-1].tolist()
    regions = _ConnectedRegions(reached)
    connected = np.zeros_like(reached)
    for level in range(_LAST, 0, -1):
        connected += 1
        connected *= regions.largest(level, counts[level])
    return connected


def levels_reached(alpha: FloatArray) -> ByteArray:
    """How many of the thresholds above 0 each pixel (H, W) reaches."""
    # Rounded down; where rounding errors may have made it too large, compare.
    levels = cv2.convertScaleAbs(alpha, alpha=_LAST, beta=_NEAR - 0.5)
    too_large = cv2.compare(alpha, cv2.LUT(levels, _LEVELS), cv2.CMP_LT)
    return np.asarray(levels, np.uint8) - (np.asarray(too_large, np.uint8) & 1)


class _ConnectedRegions:
    """The largest regions of ``reached >= level``, from the highest level down.

    Flood filling from a pixel of the next level's region is many times faster than
    labelling all regions, and a region of more than half of all pixels is the largest.

    Args:
        reached: (H, W), at most _LAST.
    """

    def __init__(self, reached: ByteArray) -> None:
        self._reached = reached
        self._seed: tuple[int, int] | None = None
        subsampled = np.ascontiguousarray(reached[::_STRIDE, ::_STRIDE])
        if (subsampled == _LAST).any():  # a guess that is mostly right
            region, _ = _largest_region(subsampled, _LAST)
            depth = cv2.distanceTransform(region, cv2.DIST_L1, 3)
            _, _, _, (x, y) = cv2.minMaxLoc(depth)
            self._seed = x * _STRIDE, y * _STRIDE
        height, width = reached.shape
        self._filled = np.empty((height + 2, width + 2), np.uint8)

    def largest(self, level: int, count: int) -> ByteArray:
        """The largest region (H, W) as 0 and 1; valid until the next call.

        Args:
            count: pixels that reach the level.
        """
        if count == 0:
            self._filled.fill(0)
            return self._filled[1:-1, 1:-1]
        if self._seed is not None and 2 * self._fill(self._seed, level) > count:
            return self._filled[1:-1, 1:-1]
        region, self._seed = _largest_region(self._reached, level)
        return region

    def _fill(self, seed: tuple[int, int], level: int) -> int:
        """Fill from a pixel (x, y) that reaches the level; return the pixel count."""
        self._filled.fill(0)
        own = int(self._reached[seed[1], seed[0]])
        flags = 4 | cv2.FLOODFILL_MASK_ONLY | cv2.FLOODFILL_FIXED_RANGE | 1 << 8
        lower, upper = own - level, _LAST - own
        return int(
            cv2.floodFill(self._reached, self._filled, seed, 0, lower, upper, flags)[0]
        )


def _largest_region(
    reached: ByteArray, level: int
) -> tuple[ByteArray, tuple[int, int]]:
    """The largest region of ``reached >= level`` as 0 and 1, and its first pixel.

    There must be one; of equal ones it is the first.
    """
    _, labels, stats, _ = cv2.connectedComponentsWithStats(
        (reached >= level).view(np.uint8), connectivity=4
    )
    region = labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    y, x = np.unravel_index(int(region.argmax()), region.shape)
    return region.astype(np.uint8), (int(x), int(y))


def iou(
    predicted: BoolArray, target: BoolArray, valid: BoolArray | None = None
) -> float:
    """Intersection over union of (H, W) masks, over the valid pixels."""
    both, either = predicted & target, predicted | target
    if valid is not None:
        both, either = both & valid, either & valid
    area = np.count_nonzero(either)
    return float(np.count_nonzero(both) / area) if area else 1.0
