"""Tiled refinement: predicting again along a matte's edge, at image resolution.

A model sees a large view scaled down.  Here it predicts once more for windows of the
image at full resolution, along the soft edge.  The prompts of a window come from the
matte: the box of the object's part in it, and points deep inside and outside it.

A window shows little of the object, so only the detail of its prediction is used: the
mean of alpha over a few cells of the coarse matte stays as it was.  A window that
contradicts certain alpha is discarded.  The others are blended, and only near the soft
edge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import cv2
import numpy as np

from zim_model.arrays import BoolArray, ByteArray, FloatArray, WordArray
from zim_model.backends.view import View
from zim_model.inference.prediction import alpha_box
from zim_model.inference.tiles import overlapping_tiles
from zim_model.matting.guided_upsampling import guided_upsample
from zim_model.prompts import Point, PromptSet
from zim_model.request import (
    ALPHA_MAX,
    CancelCheck,
    ProgressCallback,
    ignore_progress,
    never_cancelled,
    raise_if_cancelled,
)

CERTAIN_ALPHA = 0.95
"""Alpha above this, or below one minus this, is certain."""
MIN_REDUCTION = 1.25
"""A view is refined if it was scaled down by more."""
DISAGREEMENT = 0.1
"""Mean difference of certain alpha beyond which a window is discarded."""
REACH, KEPT = 2, 8
"""Cells of the coarse matte: from its soft edge to where nothing changes, and the
side of the square over which alpha's mean stays."""
CLICKS = 3
"""Most points inside, and as many outside, in the prompts of a window."""

PredictWindow = Callable[[View, PromptSet], FloatArray]
"""The model's alpha (h, w) in [0, 1] of a view, to prompts in image pixels."""


def refine_tiles(
    alpha: WordArray,
    image: ByteArray,
    view: View,
    predict_window: PredictWindow,
    cancelled: CancelCheck = never_cancelled,
    progress: ProgressCallback = ignore_progress,
) -> WordArray:
    """Predict the soft edge of a matte again, in windows at image resolution.

    Args:
        alpha: (H, W) uint16, the matte so far; not changed.
        image: (H, W, 3) uint8 RGB.
        view: the view that the matte was predicted on.
        predict_window: returns alpha of a window.
        cancelled: polled between windows.
        progress: called before each window.

    Returns:
        (H, W) uint16; ``alpha`` itself where the view was not scaled down.

    Raises:
        Cancelled: ``cancelled`` became true.
    """
    reduction = max(view.width, view.height) / view.image_size
    if reduction <= MIN_REDUCTION:
        return alpha
    result = alpha.copy()
    reach, kept = round(REACH * reduction), (round(KEPT * reduction) | 1,) * 2
    count = sum(1 for _ in _windows(view))
    for done, (window, weight) in enumerate(_windows(view)):
        raise_if_cancelled(cancelled)
        progress(done / count)
        region = np.s_[window.top : window.bottom, window.left : window.right]
        band = _band(alpha, window, reach)
        weight = weight * band
        if not weight.any():
            continue
        before = alpha[region] * np.float32(1 / ALPHA_MAX)
        predicted = predict_window(window, _prompts(before, window))
        fine = guided_upsample(predicted, image[region], guided=True)
        change = fine * np.float32(1 / ALPHA_MAX) - before
        certain = (before > CERTAIN_ALPHA) | (before < 1 - CERTAIN_ALPHA)
        if certain.any() and float(np.abs(change[certain]).mean()) > DISAGREEMENT:
            continue
        change -= cv2.blur(change, kept)
        np.clip(change, -before, 1 - before, out=change)
        # All weights of a pixel add up to 1 at most, so this stays in range.
        mixed = result[region] + change * weight * ALPHA_MAX
        result[region] = np.clip(mixed + 0.5, 0, ALPHA_MAX)
    return result


def _windows(view: View) -> Iterator[tuple[View, FloatArray]]:
    """Overlapping windows over a view and their weights (h, w), which add up to 1."""
    side, bounds = view.image_size, (view.left, view.top, view.right, view.bottom)
    for (left, top, right, bottom), weight in overlapping_tiles(
        bounds, side, side // 2
    ):
        yield view.part(left, top, right, bottom), weight


def _band(alpha: WordArray, window: View, reach: int) -> FloatArray:
    """1 near the soft edge, falling to 0 over ``reach`` pixels; (h, w) of a window."""
    height, width = alpha.shape
    margin = 2 * reach
    top, left = max(0, window.top - margin), max(0, window.left - margin)
    bottom, right = (
        min(height, window.bottom + margin),
        min(width, window.right + margin),
    )
    part = alpha[top:bottom, left:right]
    kernel = np.ones((2 * reach + 1,) * 2, np.uint8)
    low, high = cv2.erode(part, kernel), cv2.dilate(part, kernel)
    edge = (low < CERTAIN_ALPHA * ALPHA_MAX) & (high > (1 - CERTAIN_ALPHA) * ALPHA_MAX)
    band = cv2.blur(edge.astype(np.float32), (reach | 1,) * 2)
    inner = band[window.top - top :, window.left - left :]
    return np.asarray(inner[: window.height, : window.width], np.float32)


def _prompts(alpha: FloatArray, window: View) -> PromptSet:
    """Prompts for a window, in image pixels, from its matte (h, w) in [0, 1]."""
    inside = _innermost_points(alpha > CERTAIN_ALPHA) or _most_opaque_point(alpha)
    outside = _innermost_points(alpha < 1 - CERTAIN_ALPHA)
    points = [Point(x + window.left, y + window.top) for x, y in inside]
    points += [Point(x + window.left, y + window.top, False) for x, y in outside]
    return PromptSet(tuple(points), alpha_box(alpha, window))


def _innermost_points(region: BoolArray) -> list[tuple[float, float]]:
    """Centres (x, y) of a region's thickest parts, apart from one another."""
    depth = cv2.distanceTransform(region.astype(np.uint8), cv2.DIST_L2, 3)
    apart = max(region.shape) / 4
    points: list[tuple[float, float]] = []
    while len(points) < CLICKS:
        row, column = np.unravel_index(int(depth.argmax()), depth.shape)
        if depth[row, column] < 2:
            break
        points.append((float(column) + 0.5, float(row) + 0.5))
        cv2.circle(depth, (int(column), int(row)), round(apart), 0.0, -1)
    return points


def _most_opaque_point(alpha: FloatArray) -> list[tuple[float, float]]:
    """The position (x, y) of the largest alpha, in a list."""
    row, column = np.unravel_index(int(alpha.argmax()), alpha.shape)
    return [(float(column) + 0.5, float(row) + 0.5)]
