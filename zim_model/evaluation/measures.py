"""All metrics of a matte, by name, in one pass.

Families that are never mixed: ZIM's own (``SAD`` ... ``Conn``, over the whole image),
those of alphamatting.com and Deep Image Matting (``... (DIM)``, over the unknown region
of a trimap or the whole image, as in the data set's papers), those of masks, and
purity: how much of the true interior and exterior, away from soft edges, has alpha that
is visibly another.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from zim_model.arrays import BoolArray, FloatArray, mask_bounds
from zim_model.matting import metrics
from zim_model.matting.purity import OPAQUE_FROM, TRANSPARENT_TO

BAND = 10
"""Pixels on each side: of the outline, for the boundary's errors; of soft alpha, for
a trimap made from the ground truth."""
BOUNDARY_WIDTH = 0.02
"""Of the image's diagonal: how far a mask's boundary reaches inside (Boundary IoU)."""
SIGMA = 1.4
"""Of the Gaussian whose derivatives are the gradient of ``Grad (DIM)``, in pixels."""
MASK_ABOVE = 0.5
"""A pixel with more alpha belongs to the mask."""
_MARGIN = BAND + 2
_STRIP = 64
"""Rows that are filtered at a time, so that they stay in the processor's cache."""

MetricFamily = Literal["zim", "dim", "boundary", "purity", "mask", "clicks"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One column of a report.

    Attributes:
        name: also its key in a row's metrics.
        family: of definitions.
        meaning: one sentence, with the unit.
        better: ``less`` or ``more``.
    """

    name: str
    family: MetricFamily
    meaning: str
    better: Literal["less", "more"] = "less"


METRICS = (
    Metric("SAD", "zim", "Sum of absolute differences, in thousands."),
    Metric("MSE", "zim", "Mean squared difference, times 1000."),
    Metric("MAE", "zim", "Mean absolute difference, times 1000."),
    Metric("Grad", "zim", "Mean difference of Sobel gradients, times 1000."),
    Metric("Conn", "zim", "Connectivity error, in thousands."),
    Metric("SAD (DIM)", "dim", "As SAD, in the region that counts."),
    Metric("MSE (DIM)", "dim", "As MSE, in the region that counts."),
    Metric(
        "Grad (DIM)",
        "dim",
        "Squared difference of Gaussian gradients, summed, in thousands.",
    ),
    Metric("Conn (DIM)", "dim", "As Conn, in the region that counts."),
    Metric(
        "SAD (boundary)", "boundary", f"As SAD, within {BAND} pixels of the outline."
    ),
    Metric(
        "MSE (boundary)", "boundary", f"As MSE, within {BAND} pixels of the outline."
    ),
    Metric("Interior", "purity", "Percent of the interior that is not opaque."),
    Metric("Exterior", "purity", "Percent of the exterior that is not transparent."),
    Metric("IoU", "mask", "Intersection over union of alpha above one half.", "more"),
    Metric(
        "Boundary IoU",
        "mask",
        "IoU of the masks' inner boundaries, 2 % of the diagonal wide.",
        "more",
    ),
    Metric("NoC@85", "clicks", "Clicks until IoU 0.85, the most where never."),
    Metric("NoC@90", "clicks", "Clicks until IoU 0.90, the most where never."),
)
"""In the order of a report's columns."""


def compute_metrics(
    predicted: FloatArray, target: FloatArray, unknown: BoolArray | None = None
) -> dict[str, float]:
    """The metrics of a matte, by the names of METRICS.

    Args:
        predicted, target: (H, W) float32 alpha in [0, 1].
        unknown: (H, W), where the ``(DIM)`` errors count; None is everywhere.  What
            does not exist (a mean over no pixel) is left out.
    """
    height, width = target.shape
    part = metrics.union_rect(predicted, target, _MARGIN)
    p = np.ascontiguousarray(predicted[part])
    g = np.ascontiguousarray(target[part])
    difference = metrics.connectivity_sum(p, g)
    values = _zim(p, g, difference, target.size)
    values |= _dim(p, g, difference, unknown, part, target.size)
    values |= _boundary(p, g)
    values |= _purity(p, g, target)
    values |= _masks(p > MASK_ABOVE, g > MASK_ABOVE, math.hypot(height, width))
    order = [measure.name for measure in METRICS]
    return {name: float(values[name]) for name in order if name in values}


def zim_metrics(predicted: FloatArray, target: FloatArray) -> dict[str, float]:
    """ZIM's own metrics alone; see :func:`compute_metrics`."""
    part = metrics.union_rect(predicted, target, 1)
    p, g = predicted[part], target[part]
    return _zim(p, g, metrics.connectivity_sum(p, g), target.size)


def _zim(
    predicted: FloatArray, target: FloatArray, off: FloatArray, size: int
) -> dict[str, float]:
    """ZIM's metrics from the region around both mattes, in an image of ``size``."""
    difference = cv2.norm(predicted, target, cv2.NORM_L1)
    return {
        "SAD": difference / 1e3,
        "MSE": cv2.norm(predicted, target, cv2.NORM_L2SQR) / size * 1e3,
        "MAE": difference / size * 1e3,
        "Grad": metrics.gradient_sum(predicted, target) / size * 1e3,
        "Conn": cv2.norm(off, cv2.NORM_L1) / 1e3,
    }


def unknown_region(alpha: FloatArray) -> BoolArray:
    """The unknown region (H, W) of the trimap made from a ground truth (H, W).

    All within BAND pixels (along rows and columns) of soft alpha: the support dilated
    by a square, less the opaque part eroded by it.
    """
    shown = alpha > 0
    opaque = alpha >= 1
    return _edge_band(shown, opaque)


def _edge_band(outer: BoolArray, inner: BoolArray) -> BoolArray:
    """``outer`` grown by BAND pixels less ``inner`` shrunk by them, all (H, W)."""
    brush = np.ones((2 * BAND + 1,) * 2, np.uint8)
    grown = cv2.dilate(outer.view(np.uint8), brush)
    kept = cv2.erode(inner.view(np.uint8), brush)
    return np.asarray(grown > kept)


# --- alphamatting.com, Deep Image Matting ---------------------------------------------


def _dim(
    predicted: FloatArray,
    target: FloatArray,
    difference: FloatArray,
    unknown: BoolArray | None,
    part: metrics.Rect,
    size: int,
) -> dict[str, float]:
    if unknown is None:
        count, where = size, np.ones(predicted.shape, bool)
    else:
        count, where = int(np.count_nonzero(unknown)), unknown[part]
    if count == 0:
        return {}
    values = {"Grad (DIM)": _dim_grad(predicted, target, where)}
    counted = np.ascontiguousarray(where).view(np.uint8)
    return values | {
        "SAD (DIM)": cv2.norm(predicted, target, cv2.NORM_L1, counted) / 1e3,
        "MSE (DIM)": cv2.norm(predicted, target, cv2.NORM_L2SQR, counted) / count * 1e3,
        "Conn (DIM)": cv2.norm(difference, cv2.NORM_L1, counted) / 1e3,
    }


def _dim_grad(predicted: FloatArray, target: FloatArray, where: BoolArray) -> float:
    """Sum of squared differences of the gradients' lengths, in thousands.

    With the gradients d of the difference and s of the sum of the mattes, the lengths
    differ by 2 d.s / (|s + d| + |s - d|).  Where two mattes are nearly the same, single
    precision would leave nothing of a difference of lengths.
    """
    bounds = mask_bounds(where)
    if bounds is None:
        return 0.0
    left, start, right, stop = bounds
    reach = len(_kernels()[0]) // 2
    left, right = max(0, left - reach), right + reach
    total = 0.0
    for top in range(start, stop, _STRIP):
        bottom = min(top + _STRIP, stop)
        first = max(0, top - reach)  # the filters see so many pixels more
        near = slice(first, bottom + reach), slice(left, right)
        gap = _gradient_difference(predicted[near], target[near])[
            top - first : bottom - first
        ]
        counted = np.ascontiguousarray(where[top:bottom, left:right]).view(np.uint8)
        total += cv2.norm(gap, cv2.NORM_L2SQR, counted)
    return total / 1e3


def _gradient_difference(predicted: FloatArray, target: FloatArray) -> FloatArray:
    """Difference of the lengths of the Gaussian gradients of two mattes, (H, W)."""
    smooth, slope = _kernels()
    (dx, dy), (sx, sy) = (
        [
            np.asarray(
                cv2.sepFilter2D(
                    alpha, cv2.CV_32F, *kernels, borderType=cv2.BORDER_REPLICATE
                ),
                np.float32,
            )
            for kernels in ((slope, smooth), (smooth, slope))
        ]
        for alpha in (cv2.subtract(predicted, target), cv2.add(predicted, target))
    )
    gap = 2 * (dx * sx + dy * sy)
    lengths = _magnitude(sx + dx, sy + dy)
    lengths += _magnitude(sx - dx, sy - dy)
    # Nothing divided by nothing is nothing.
    gap /= np.maximum(lengths, np.finfo(np.float32).tiny)
    return gap


def _magnitude(x: FloatArray, y: FloatArray) -> FloatArray:
    """Length of vectors; OpenCV's last bits depend on the arrays' alignment."""
    x *= x
    y *= y
    x += y
    return np.sqrt(x, out=x)


def _kernels() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The Gaussian and its derivative, cut where it falls to 1 %, of unit length."""
    reach = math.ceil(
        SIGMA * math.sqrt(-2 * math.log(math.sqrt(2 * math.pi) * SIGMA * 0.01))
    )
    x = np.arange(-reach, reach + 1)
    smooth = np.exp(-(x**2) / (2 * SIGMA**2))
    slope = -x * smooth
    return smooth / np.linalg.norm(smooth), slope / np.linalg.norm(slope)


# --- inside and outside ---------------------------------------------------------------


def _purity(
    predicted: FloatArray, target: FloatArray, whole: FloatArray
) -> dict[str, float]:
    """Percentages of interior and exterior; without either, not its own.

    Both sides of the truth are as opaque and as transparent as is asked of the
    prediction, because many mattes reach 254, not 255, inside.

    Args:
        predicted, target: the region around both mattes.
        whole: the true matte of all of the image.
    """
    brush = np.ones((2 * BAND + 1,) * 2, np.uint8)
    inner = cv2.erode((whole >= OPAQUE_FROM).view(np.uint8), brush)
    interior, exterior = cv2.countNonZero(inner), whole.size
    exterior -= cv2.countNonZero(
        cv2.dilate((whole > TRANSPARENT_TO).view(np.uint8), brush)
    )
    values: dict[str, float] = {}
    if interior:
        opaque = cv2.erode((target >= OPAQUE_FROM).view(np.uint8), brush) > 0
        faint = opaque & (predicted < OPAQUE_FROM)
        values["Interior"] = 100 * np.count_nonzero(faint) / interior
    if exterior:
        empty = cv2.dilate((target > TRANSPARENT_TO).view(np.uint8), brush) == 0
        seen = empty & (predicted > TRANSPARENT_TO)
        values["Exterior"] = 100 * np.count_nonzero(seen) / exterior
    return values


# --- outlines and masks ---------------------------------------------------------------


def _boundary(predicted: FloatArray, target: FloatArray) -> dict[str, float]:
    """Errors within BAND pixels of the true mask's outline."""
    mask = target > MASK_ABOVE
    band = _edge_band(mask, mask).view(np.uint8)
    count = cv2.countNonZero(band)
    if not count:
        return {}
    return {
        "SAD (boundary)": cv2.norm(predicted, target, cv2.NORM_L1, band) / 1e3,
        "MSE (boundary)": cv2.norm(predicted, target, cv2.NORM_L2SQR, band)
        / count
        * 1e3,
    }


def _masks(
    predicted: BoolArray, target: BoolArray, diagonal: float
) -> dict[str, float]:
    width = max(1, round(BOUNDARY_WIDTH * diagonal))
    return {
        "IoU": metrics.iou(predicted, target),
        "Boundary IoU": metrics.iou(
            _mask_boundary(predicted, width), _mask_boundary(target, width)
        ),
    }


def _mask_boundary(mask: BoolArray, width: int) -> BoolArray:
    """The part of a mask within ``width`` pixels of its outside or the image's border.

    That is the mask less its erosion by as many 3 x 3 squares.
    """
    brush = np.ones((2 * width + 1,) * 2, np.uint8)
    inner = cv2.erode(
        mask.view(np.uint8), brush, borderType=cv2.BORDER_CONSTANT, borderValue=0
    )
    return np.asarray(mask > inner)
