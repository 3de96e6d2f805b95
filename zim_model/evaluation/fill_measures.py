"""How good a filled hole is, where what was behind it is known.

All measures are of the hole alone and need no network.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from zim_model.arrays import BoolArray, ByteArray, FloatArray

FILL_METRICS = {
    "PSNR": "decibels of the hole's colours, higher is better",
    "SSIM": "structural similarity in the hole, 0 to 1, higher is better",
    "MAE": "mean absolute error of the hole's colours, of 255, lower is better",
    "detail": "slopes in the hole relative to those of the truth, best is 1",
}
"""Every measure by :func:`measure_fill`, and what it means."""
_SSIM_SIGMA, _SSIM_C1, _SSIM_C2 = 1.5, (0.01 * 255) ** 2, (0.03 * 255) ** 2
_MOST_PSNR = 100.0
"""Of equal images, whose own would be infinite."""


def measure_fill(
    filled: ByteArray, truth: ByteArray, hole: BoolArray
) -> dict[str, float]:
    """The :data:`FILL_METRICS` of a filled image.

    Args:
        filled: (H, W, 3) uint8 sRGB.
        truth: (H, W, 3) uint8 sRGB, without the object.
        hole: (H, W), not empty.
    """
    difference = filled[hole].astype(np.float64) - truth[hole]
    error = float(np.mean(difference**2))
    psnr = 10 * math.log10(255**2 / error) if error > 0 else _MOST_PSNR
    grey, expected = (_grey(image) for image in (filled, truth))
    slope, expected_slope = (
        float(_slopes(image)[hole].mean()) for image in (grey, expected)
    )
    return {
        "PSNR": min(psnr, _MOST_PSNR),
        "SSIM": float(_ssim(grey, expected)[hole].mean()),
        "MAE": float(np.abs(difference).mean()),
        "detail": slope / max(expected_slope, 1e-6),
    }


def _grey(image: ByteArray) -> FloatArray:
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)


def _slopes(grey: FloatArray) -> FloatArray:
    dx, dy = (cv2.Sobel(grey, cv2.CV_32F, *axis) for axis in ((1, 0), (0, 1)))
    return np.asarray(np.hypot(dx, dy), np.float32)


def _ssim(a: FloatArray, b: FloatArray) -> FloatArray:
    """The map of the structural similarity (Wang et al. 2004)."""

    def mean(values: FloatArray) -> FloatArray:
        return np.asarray(cv2.GaussianBlur(values, (11, 11), _SSIM_SIGMA))

    mean_a, mean_b = mean(a), mean(b)
    var_a, var_b = mean(a * a) - mean_a**2, mean(b * b) - mean_b**2
    covariance = mean(a * b) - mean_a * mean_b
    light = (2 * mean_a * mean_b + _SSIM_C1) / (mean_a**2 + mean_b**2 + _SSIM_C1)
    structure = (2 * covariance + _SSIM_C2) / (var_a + var_b + _SSIM_C2)
    return np.asarray(light * structure, np.float32)
