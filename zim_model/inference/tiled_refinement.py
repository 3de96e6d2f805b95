"""Looking again along a matte's edge, at the image's own resolution.

A model sees a large view scaled down.  Here it is asked once more about windows of the
image as they are, along the soft edge.  What the matte already knows for sure in a
window is the prompt there: the box of the object's part, and places deep inside and
outside it.

A window shows little of the object, so its answer is believed in the detail only: the
mean of alpha over a few cells of the coarse matte stays as it was.  A window that
contradicts what was sure is not believed at all.  The others are blended, and only
near the soft edge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import cv2
import numpy as np

from zim_model.arrays import BoolArray, ByteArray, FloatArray, WordArray
from zim_model.errors import Cancelled
from zim_model.inference.view import View
from zim_model.matting.guided_upsampling import guided_upsample
from zim_model.prompts import Box, Point, PromptSet
from zim_model.request import ALPHA_MAX, CancelCheck, never_cancelled

CERTAIN_ALPHA = 0.95
"""Alpha above this, and below the rest to 1, is taken for known."""
MIN_SOFT_SHARE = 1.25
"""A view is looked at again if it was scaled down by more."""
DISAGREEMENT = 0.1
"""Mean difference of alpha, where the matte is sure, beyond which a window is not
believed."""
REACH, KEPT = 2, 8
"""Cells of the coarse matte: from its soft edge to where nothing changes, and the side
of the square over which alpha's mean stays."""
CLICKS = 3
"""Most places inside, and as many outside, that a window is prompted with."""

PredictWindow = Callable[[View, PromptSet], FloatArray]
"""The model's alpha (h, w) in [0, 1] of a view, to prompts in image pixels."""


def refine_tiles(
    alpha: WordArray,
    image: ByteArray,
    view: View,
    predict_window: PredictWindow,
    cancelled: CancelCheck = never_cancelled,
) -> WordArray:
    """Make the soft edge of a matte again from windows at the image's resolution.

    Args:
        alpha: (H, W) uint16, the matte so far; not changed.
        image: (H, W, 3) uint8 RGB.
        view: what the model saw when it made the matte.
        ask: asks the model about a window.
        cancelled: polled between windows.

    Returns:
        (H, W) uint16; ``alpha`` itself where the view was not scaled down.

    Raises:
        Cancelled: ``cancelled`` became true.
    """
    shrunk = max(view.width, view.height) / view.image_size
    if shrunk <= MIN_SOFT_SHARE:
        return alpha
    result = alpha.copy()
    reach, kept = round(REACH * shrunk), (round(KEPT * shrunk) | 1,) * 2
    for window, weight in _windows(view):
        if cancelled():
            raise Cancelled
        part = np.s_[window.top : window.bottom, window.left : window.right]
        band = _band(alpha, window, reach)
        weight = weight * band
        if not weight.any():
            continue
        before = alpha[part] * np.float32(1 / ALPHA_MAX)
        answer = predict_window(window, _prompts(before, window))
        fine = guided_upsample(answer, image[part], guided=True)
        change = fine * np.float32(1 / ALPHA_MAX) - before
        sure = (before > CERTAIN_ALPHA) | (before < 1 - CERTAIN_ALPHA)
        if sure.any() and float(np.abs(change[sure]).mean()) > DISAGREEMENT:
            continue
        change -= cv2.blur(change, kept)
        np.clip(change, -before, 1 - before, out=change)
        # All weights of a pixel add up to 1 at most, so this stays in range.
        mixed = result[part] + change * weight * ALPHA_MAX
        result[part] = np.clip(mixed + 0.5, 0, ALPHA_MAX)
    return result


def _windows(view: View) -> Iterator[tuple[View, FloatArray]]:
    """Overlapping windows over a view and their weights (h, w), which add up to 1."""
    side = view.image_size
    rows = list(_spans(view.top, view.bottom, side))
    columns = list(_spans(view.left, view.right, side))
    for top, bottom, vertical in rows:
        for left, right, horizontal in columns:
            window = View(left, top, right, bottom, side)
            yield window, vertical[:, None] * horizontal


def _spans(start: int, stop: int, side: int) -> Iterator[tuple[int, int, FloatArray]]:
    """Half-overlapping spans that cover a range, and weights that add up to 1."""
    length = min(side, stop - start)
    count = 1 + -(-2 * (stop - start - length) // side)
    starts = np.linspace(start, stop - length, count).round().astype(int).tolist()
    hill = np.sin((np.arange(length) + 0.5) / length * np.pi) ** 2
    total = np.zeros(stop - start)
    for first in starts:
        total[first - start : first - start + length] += hill
    for first in starts:
        share = hill / total[first - start : first - start + length]
        yield first, first + length, np.asarray(share, np.float32)


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
    """What a matte (h, w) in [0, 1] already knows of a window, in image pixels."""
    inside = _innermost_point(alpha > CERTAIN_ALPHA) or _most_opaque_point(alpha)
    outside = _innermost_point(alpha < 1 - CERTAIN_ALPHA)
    points = [Point(x + window.left, y + window.top) for x, y in inside]
    points += [Point(x + window.left, y + window.top, False) for x, y in outside]
    shows = alpha > 0.5
    if not shows.any():
        return PromptSet(tuple(points))
    rows, columns = np.flatnonzero(shows.any(1)), np.flatnonzero(shows.any(0))
    box = Box(
        window.left + float(columns[0]),
        window.top + float(rows[0]),
        window.left + float(columns[-1] + 1),
        window.top + float(rows[-1] + 1),
    )
    return PromptSet(tuple(points), box)


def _innermost_point(region: BoolArray) -> list[tuple[float, float]]:
    """Middles (x, y) of a region's thickest parts, apart from one another."""
    depth = cv2.distanceTransform(region.astype(np.uint8), cv2.DIST_L2, 3)
    apart = max(region.shape) / 4
    found: list[tuple[float, float]] = []
    while len(found) < CLICKS:
        row, column = np.unravel_index(int(depth.argmax()), depth.shape)
        if depth[row, column] < 2:
            break
        found.append((float(column) + 0.5, float(row) + 0.5))
        cv2.circle(depth, (int(column), int(row)), round(apart), 0.0, -1)
    return found


def _most_opaque_point(alpha: FloatArray) -> list[tuple[float, float]]:
    """The place (x, y) of the largest alpha."""
    row, column = np.unravel_index(int(alpha.argmax()), alpha.shape)
    return [(float(column) + 0.5, float(row) + 0.5)]
