"""The definitions of the errors, written down plainly, in double precision.

Slow on purpose: nothing is cropped, shared or filled.  The tests compare what the
evaluation computes with these; the benchmark compares the time.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import ndimage


def zim_errors(p: np.ndarray, g: np.ndarray) -> dict[str, float]:
    """ZIM's: whole image, alpha (H, W) in [0, 1]."""
    p, g = p.astype(np.float64), g.astype(np.float64)
    return {
        "SAD": np.abs(p - g).sum() / 1000,
        "MSE": ((p - g) ** 2).mean() * 1e3,
        "MAE": np.abs(p - g).mean() * 1e3,
        "Grad": np.abs(_sobel_length(p) - _sobel_length(g)).mean() * 1e3,
        "Conn": _disconnection(p, g).sum() / 1000,
    }


def dim_errors(
    p: np.ndarray, g: np.ndarray, unknown: np.ndarray | None
) -> dict[str, float]:
    """Those of alphamatting.com's and Deep Image Matting's Matlab code."""
    p, g = p.astype(np.float64), g.astype(np.float64)
    where = np.ones(p.shape, bool) if unknown is None else unknown
    slopes = _gaussian_length(p) - _gaussian_length(g)
    return {
        "SAD (DIM)": np.abs(p - g)[where].sum() / 1000,
        "MSE (DIM)": ((p - g) ** 2)[where].sum() / where.sum() * 1e3,
        "Grad (DIM)": (slopes**2)[where].sum() / 1000,
        "Conn (DIM)": _disconnection(p, g)[where].sum() / 1000,
    }


def mask_errors(p: np.ndarray, g: np.ndarray, band: int) -> dict[str, float]:
    """IoU, Boundary IoU (Cheng et al., 2021) and errors near the true outline."""
    mask_p, mask_g = p > 0.5, g > 0.5
    width = max(1, round(0.02 * math.hypot(*g.shape)))
    rims = []
    for mask in (mask_p, mask_g):
        padded = np.pad(mask, 1)
        inner = ndimage.binary_erosion(padded, np.ones((3, 3)), iterations=width)
        rims.append(mask & ~inner[1:-1, 1:-1])
    square = np.ones((2 * band + 1,) * 2, bool)
    near = ndimage.binary_dilation(mask_g, square) & ~ndimage.binary_erosion(
        mask_g, square, border_value=1
    )
    difference = p.astype(np.float64) - g
    errors = {"IoU": _iou(mask_p, mask_g), "Boundary IoU": _iou(*rims)}
    if near.any():
        errors["SAD (boundary)"] = np.abs(difference)[near].sum() / 1000
        errors["MSE (boundary)"] = (difference**2)[near].mean() * 1e3
    return errors


def purity_errors(p: np.ndarray, g: np.ndarray, band: int) -> dict[str, float]:
    """Percentages of the true interior and exterior, away from soft edges."""
    square = np.ones((2 * band + 1,) * 2, bool)
    interior = ndimage.binary_erosion(g >= 250 / 255, square, border_value=1)
    exterior = ~ndimage.binary_dilation(g > 5 / 255, square)
    errors = {}
    if interior.any():
        errors["Interior"] = 100 * (p[interior] < 250 / 255).mean()
    if exterior.any():
        errors["Exterior"] = 100 * (p[exterior] > 5 / 255).mean()
    return errors


def unknown_region(g: np.ndarray, band: int) -> np.ndarray:
    square = np.ones((2 * band + 1,) * 2, bool)
    grown = ndimage.binary_dilation(g > 0, square)
    return grown & ~ndimage.binary_erosion(g >= 1, square, border_value=1)


def _iou(p: np.ndarray, g: np.ndarray) -> float:
    return (p & g).sum() / (p | g).sum() if (p | g).any() else 1.0


def _sobel_length(alpha: np.ndarray) -> np.ndarray:
    x, y = (ndimage.sobel(alpha, axis, mode="constant") for axis in (1, 0))
    return np.sqrt(x**2 + y**2 + 1e-8)


def _gaussian_length(alpha: np.ndarray, sigma: float = 1.4) -> np.ndarray:
    half = math.ceil(
        sigma * math.sqrt(-2 * math.log(math.sqrt(2 * math.pi) * sigma * 0.01))
    )
    x = np.arange(-half, half + 1)
    gauss = np.exp(-(x**2) / (2 * sigma**2)) / (sigma * math.sqrt(2 * math.pi))
    kernel = np.outer(gauss, -x * gauss / sigma**2)
    kernel /= np.sqrt((kernel**2).sum())
    along = ndimage.convolve(alpha, kernel, mode="nearest")
    across = ndimage.convolve(alpha, kernel.T, mode="nearest")
    return np.sqrt(along**2 + across**2)


def _disconnection(p: np.ndarray, g: np.ndarray) -> np.ndarray:
    level = -np.ones(p.shape)
    steps = np.arange(0, 1.1, 0.1)
    for i in range(1, len(steps)):
        labels, count = ndimage.label((p >= steps[i]) & (g >= steps[i]))
        omega = np.zeros(p.shape, bool)
        if count:
            omega = labels == 1 + np.argmax(np.bincount(labels.ravel())[1:])
        level[(level == -1) & ~omega] = steps[i - 1]
    level[level == -1] = 1

    def phi(alpha: np.ndarray) -> np.ndarray:
        off = alpha - level
        return 1 - off * (off >= 0.15)

    return np.abs(phi(p) - phi(g))
