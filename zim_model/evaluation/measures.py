"""Every error of a matte that the evaluation tells, by name, from one pass over it.

Three families, never mixed: ZIM's own (``SAD`` ... ``Conn``, over the whole image),
those of alphamatting.com and Deep Image Matting (``... (DIM)``, over the unknown region
of a trimap or the whole image, as the data set's papers do), and those of masks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from zim_model import metrics
from zim_model.arrays import BoolArray, FloatArray

BAND = 10
"""Pixels on each side: of the outline, for the boundary's errors; of what is neither
empty nor opaque, for a trimap that is made from a true matte."""
BOUNDARY_WIDTH = 0.02
"""Of the image's diagonal: how far a mask's boundary reaches inside (Boundary IoU)."""
SIGMA = 1.4
"""Of the Gaussian whose derivatives are the gradient of ``Grad (DIM)``, in pixels."""
MASK_ABOVE = 0.5
"""A pixel with more alpha belongs to the mask."""
_MARGIN = BAND + 2

Family = Literal["zim", "dim", "boundary", "mask", "clicks"]


@dataclass(frozen=True, slots=True)
class Measure:
    """One column of a report.

    Attributes:
        name: also its key in a row's metrics.
        family: of definitions.
        meaning: one sentence, with the unit.
        better: whether ``less`` or ``more`` is better.
    """

    name: str
    family: Family
    meaning: str
    better: Literal["less", "more"] = "less"


MEASURES = (
    Measure("SAD", "zim", "Sum of absolute differences, in thousands."),
    Measure("MSE", "zim", "Mean squared difference, times 1000."),
    Measure("MAE", "zim", "Mean absolute difference, times 1000."),
    Measure("Grad", "zim", "Mean difference of Sobel gradients, times 1000."),
    Measure("Conn", "zim", "Connectivity error, in thousands."),
    Measure("SAD (DIM)", "dim", "As SAD, in the region that counts."),
    Measure("MSE (DIM)", "dim", "As MSE, in the region that counts."),
    Measure(
        "Grad (DIM)",
        "dim",
        "Squared difference of Gaussian gradients, summed, in thousands.",
    ),
    Measure("Conn (DIM)", "dim", "As Conn, in the region that counts."),
    Measure(
        "SAD (boundary)", "boundary", f"As SAD, within {BAND} pixels of the outline."
    ),
    Measure(
        "MSE (boundary)", "boundary", f"As MSE, within {BAND} pixels of the outline."
    ),
    Measure("IoU", "mask", "Intersection over union of alpha above one half.", "more"),
    Measure(
        "Boundary IoU",
        "mask",
        "IoU of the masks' inner boundaries, 2 % of the diagonal wide.",
        "more",
    ),
    Measure("NoC@85", "clicks", "Clicks until IoU 0.85, the most where never."),
    Measure("NoC@90", "clicks", "Clicks until IoU 0.90, the most where never."),
)
"""In the order of a report's columns."""


def measured(
    predicted: FloatArray, target: FloatArray, unknown: BoolArray | None = None
) -> dict[str, float]:
    """The errors of a matte, by the names of MEASURES.

    Args:
        predicted, target: (H, W) float32 alpha in [0, 1].
        unknown: (H, W), where the ``(DIM)`` errors count; None is everywhere.  What
            does not exist (a mean over no pixel) is left out.
    """
    height, width = target.shape
    part = metrics.union(predicted, target, _MARGIN)
    p = np.ascontiguousarray(predicted[part])
    g = np.ascontiguousarray(target[part])
    off = metrics.disconnection(p, g)
    values = {
        "SAD": cv2.norm(p, g, cv2.NORM_L1) / 1e3 if p.size else 0.0,
        "MSE": cv2.norm(p, g, cv2.NORM_L2SQR) / target.size * 1e3 if p.size else 0.0,
        "Grad": metrics.gradient_sum(p, g) / target.size * 1e3,
        "Conn": float(off.sum(dtype=np.float64)) / 1e3,
    }
    values["MAE"] = values["SAD"] * 1e6 / target.size
    values |= _dim(p, g, off, unknown, part, target.size)
    values |= _boundary(p, g) if p.size else {}
    values |= _masks(p > MASK_ABOVE, g > MASK_ABOVE, math.hypot(height, width))
    order = [measure.name for measure in MEASURES]
    return {name: float(values[name]) for name in order if name in values}


def unknown_region(alpha: FloatArray) -> BoolArray:
    """The unknown part (H, W) of the trimap that is made from a true matte (H, W).

    All within BAND pixels (along rows and columns) of what is neither empty nor opaque:
    the shown part grown by a square, less the opaque part shrunk by it.
    """
    shown = alpha > 0
    opaque = alpha >= 1
    return _band(shown, opaque)


def _band(outer: BoolArray, inner: BoolArray) -> BoolArray:
    """``outer`` grown by BAND pixels less ``inner`` shrunk by them, all (H, W)."""
    brush = np.ones((2 * BAND + 1,) * 2, np.uint8)
    grown = cv2.dilate(outer.view(np.uint8), brush)
    kept = cv2.erode(inner.view(np.uint8), brush)
    return np.asarray(grown > kept)


# --- alphamatting.com, Deep Image Matting ---------------------------------------------


def _dim(
    p: FloatArray,
    g: FloatArray,
    off: FloatArray,
    unknown: BoolArray | None,
    part: metrics.Part,
    size: int,
) -> dict[str, float]:
    if unknown is None:
        count, where = size, np.ones(p.shape, bool)
    else:
        count, where = int(np.count_nonzero(unknown)), unknown[part]
    if count == 0:
        return {}
    difference = (p - g)[where]
    squares = np.square(difference, dtype=np.float64).sum()
    return {
        "SAD (DIM)": np.abs(difference).sum(dtype=np.float64) / 1e3,
        "MSE (DIM)": squares / count * 1e3,
        "Grad (DIM)": _dim_grad(p, g, where),
        "Conn (DIM)": off[where].sum(dtype=np.float64) / 1e3,
    }


def _dim_grad(p: FloatArray, g: FloatArray, where: BoolArray) -> float:
    """Sum of squared differences of the gradients' lengths, in thousands.

    Filtered in double precision: where two mattes are nearly the same, single precision
    would leave nothing of the difference.
    """
    rows, columns = np.flatnonzero(where.any(1)), np.flatnonzero(where.any(0))
    if not len(rows):
        return 0.0
    smooth, slope = _kernels()
    reach = len(smooth) // 2
    near = (  # pixels that the filters see from where it counts
        slice(max(0, rows[0] - reach), rows[-1] + reach + 1),
        slice(max(0, columns[0] - reach), columns[-1] + reach + 1),
    )
    lengths = []
    for alpha in (p[near], g[near]):
        x, y = (
            cv2.sepFilter2D(
                alpha, cv2.CV_64F, *kernels, borderType=cv2.BORDER_REPLICATE
            )
            for kernels in ((slope, smooth), (smooth, slope))
        )
        lengths.append(np.asarray(cv2.magnitude(x, y), np.float64))
    difference = lengths[0]
    difference -= lengths[1]
    difference *= difference
    return float(difference[where[near]].sum() / 1e3)


def _kernels() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The Gaussian and its derivative, cut where it falls to 1 %, of unit length."""
    reach = math.ceil(
        SIGMA * math.sqrt(-2 * math.log(math.sqrt(2 * math.pi) * SIGMA * 0.01))
    )
    x = np.arange(-reach, reach + 1)
    smooth = np.exp(-(x**2) / (2 * SIGMA**2))
    slope = -x * smooth
    return smooth / np.linalg.norm(smooth), slope / np.linalg.norm(slope)


# --- outlines and masks ---------------------------------------------------------------


def _boundary(p: FloatArray, g: FloatArray) -> dict[str, float]:
    """Errors within BAND pixels of the true mask's outline."""
    mask = g > MASK_ABOVE
    band = _band(mask, mask)
    if not band.any():
        return {}
    difference = (p - g)[band]
    return {
        "SAD (boundary)": np.abs(difference).sum(dtype=np.float64) / 1e3,
        "MSE (boundary)": np.square(difference, dtype=np.float64).mean() * 1e3,
    }


def _masks(p: BoolArray, g: BoolArray, diagonal: float) -> dict[str, float]:
    width = max(1, round(BOUNDARY_WIDTH * diagonal))
    return {
        "IoU": metrics.iou(p, g),
        "Boundary IoU": metrics.iou(_rim(p, width), _rim(g, width)),
    }


def _rim(mask: BoolArray, width: int) -> BoolArray:
    """The part of a mask within so many pixels of its outside, beyond the image too.

    That is the mask less what so many erosions by a 3 x 3 square leave of it.
    """
    padded = np.pad(mask.astype(np.uint8), 1)
    depth = cv2.distanceTransform(padded, cv2.DIST_C, 3)[1:-1, 1:-1]
    return np.asarray(mask & (depth <= width))
