"""Errors of a matte against the true one, as ZIM's evaluation defines them.

All are taken over the whole image, without a trimap, on alpha in [0, 1].
"""

from __future__ import annotations

import numpy as np

from zim_model.arrays import BoolArray, FloatArray


def sad(predicted: FloatArray, target: FloatArray) -> float:
    """Sum of absolute differences of (H, W) alphas, in thousands."""
    return float(np.abs(predicted - target).sum(dtype=np.float64) / 1e3)


def mse(predicted: FloatArray, target: FloatArray) -> float:
    """Mean squared difference of (H, W) alphas, times 1000."""
    return float(np.square(predicted - target).mean(dtype=np.float64) * 1e3)


def iou(predicted: BoolArray, target: BoolArray, known: BoolArray) -> float:
    """Intersection over union of (H, W) masks where the target is known."""
    union = ((predicted | target) & known).sum()
    return float(((predicted & target) & known).sum() / union) if union else 1.0
