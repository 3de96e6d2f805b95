"""Errors of a matte against the true one, as ZIM's evaluation defines them.

All are taken over the whole image, without a trimap, on alpha in [0, 1].
"""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np

from zim_model.arrays import BoolArray, FloatArray

THETA = 0.15
"""Smaller gaps do not count as disconnected."""


def sad(predicted: FloatArray, target: FloatArray) -> float:
    """Sum of absolute differences of (H, W) alphas, in thousands."""
    return float(np.abs(predicted - target).sum(dtype=np.float64) / 1e3)


def mse(predicted: FloatArray, target: FloatArray) -> float:
    """Mean squared difference of (H, W) alphas, times 1000."""
    return float(np.square(predicted - target).mean(dtype=np.float64) * 1e3)


def mae(predicted: FloatArray, target: FloatArray) -> float:
    """Mean absolute difference of (H, W) alphas, times 1000."""
    return float(np.abs(predicted - target).mean(dtype=np.float64) * 1e3)


def grad(predicted: FloatArray, target: FloatArray) -> float:
    """Mean difference of the gradients' lengths of (H, W) alphas, times 1000.

    The gradient is Sobel's, not normalised (gain 8), with zeros beyond the border; not
    the "Grad" of alphamatting.com.
    """
    difference = _gradient_length(predicted) - _gradient_length(target)
    return float(np.abs(difference).mean(dtype=np.float64) * 1e3)


def _gradient_length(alpha: FloatArray) -> FloatArray:
    x, y = (
        cv2.Sobel(alpha, cv2.CV_32F, *axis, ksize=3, borderType=cv2.BORDER_CONSTANT)
        for axis in ((1, 0), (0, 1))
    )
    return np.asarray(np.sqrt(x * x + y * y + np.float32(1e-8)), np.float32)


def conn(predicted: FloatArray, target: FloatArray) -> float:
    """Connectivity error of (H, W) float32 alphas, in thousands.

    At each of ten levels the largest 4-connected region that both alphas reach counts
    as connected; what lies off it more than THETA is an error.
    """
    either = (predicted > 0) | (target > 0)
    if not either.any():
        return 0.0
    # Where both are 0 they are equally connected, and nothing joins through there.
    rows, columns = np.flatnonzero(either.any(1)), np.flatnonzero(either.any(0))
    part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    p, g = predicted[part], target[part]
    level = np.full(p.shape, -1, np.float32)
    steps = np.arange(0, 1.1, 0.1)
    for below, step in pairwise(steps):
        connected = _largest_region((p >= step) & (g >= step))
        level[(level < 0) & ~connected] = below
    level[level < 0] = 1
    phi = []
    for alpha in (p, g):
        off = alpha - level
        phi.append(1 - off * (off >= THETA))
    return float(np.abs(phi[0] - phi[1]).sum(dtype=np.float64) / 1e3)


def _largest_region(mask: BoolArray) -> BoolArray:
    """The largest 4-connected region of (H, W), the first of equal ones."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(
        mask.astype(np.uint8), connectivity=4
    )
    if len(stats) == 1:
        return np.zeros(mask.shape, bool)
    largest: BoolArray = labels == 1 + stats[1:, cv2.CC_STAT_AREA].argmax()
    return largest


def iou(predicted: BoolArray, target: BoolArray, known: BoolArray) -> float:
    """Intersection over union of (H, W) masks where the target is known."""
    union = ((predicted | target) & known).sum()
    return float(((predicted & target) & known).sum() / union) if union else 1.0
