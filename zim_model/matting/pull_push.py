"""Smooth interpolation of scattered values by a pyramid, in linear time."""

from __future__ import annotations

import cv2
import numpy as np

from zim_model.arrays import BoolArray, FloatArray


def interpolate(values: FloatArray, known: BoolArray) -> FloatArray:
    """Values that continue the known ones smoothly; far from all, their mean.

    Args:
        values: (h, w, c) float32.
        known: (h, w), where ``values`` count.

    Returns:
        (h, w, c) float32; all 0 where nothing is known.
    """
    weight = known.astype(np.float32)
    return _fill(values * weight[..., None], weight)


def _fill(sums: FloatArray, weight: FloatArray) -> FloatArray:
    """The pull-push recursion (Gortler et al. 1996).

    Args:
        sums: (h, w, c), the known values times their weights.
        weight: (h, w), 0 to 1.
    """
    height, width = weight.shape
    if min(height, width) <= 2:
        mean = sums.sum((0, 1)) / max(float(weight.sum()), 1e-6)
        return np.asarray(sums + (1 - weight[..., None]) * mean, np.float32)
    size = (width + 1) // 2, (height + 1) // 2
    pulled = 4 * cv2.resize(weight, size, interpolation=cv2.INTER_LINEAR)
    scale = 4 / np.maximum(pulled, 1)
    smaller = cv2.resize(sums, size, interpolation=cv2.INTER_LINEAR)
    smaller = smaller.reshape(*pulled.shape, -1) * scale[..., None]
    weights = np.asarray(np.minimum(pulled, 1), np.float32)
    coarse = _fill(np.asarray(smaller, np.float32), weights)
    finer = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    filled = sums + (1 - weight[..., None]) * finer.reshape(sums.shape)
    return np.asarray(filled, np.float32)
