"""Edge adjustments and brush strokes on a matte, after the model.

Everything works on alpha itself and keeps it soft.  Strokes are stored as strokes, so
that they survive other prompts and another model.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np

from zim_model.arrays import ByteArray, FloatArray, WordArray, mask_bounds
from zim_model.finish import Finish, Stroke
from zim_model.matting.closed_form import CERTAIN, MAX_PIXELS, solve_alpha
from zim_model.matting.colour_keys import colour_match, to_lab
from zim_model.request import (
    ALPHA_MAX,
    CancelCheck,
    never_cancelled,
    raise_if_cancelled,
)
from zim_model.runtime.lru import ByteBoundedLru

Region = tuple[slice, slice]
"""Rows and columns of an image."""

SOFTEN_SIGMA = 0.25
"""Standard deviation of the soften brush's blur, as a fraction of its radius."""
BLURS = 3
SHORTEST = 1e-6
"""Pixels; a segment of a stroke that is not longer is a dot."""
COVER_BYTES = 256 << 20
"""Default size of :class:`StrokeCoverageCache`."""
CONTEXT = 32
"""Pixels around a refine stroke, at least, that its solution reads; or its radius."""
COLOUR_SAMPLES = 4
"""Most places on a segment of a stroke whose colours it keeps to."""


def apply_edge_adjustments(alpha: WordArray, finish: Finish) -> WordArray:
    """Shift, feather and steepen the edge of a matte, in this order.

    Args:
        alpha: (H, W) uint16; not modified.
        finish: its strokes are ignored.

    Returns:
        (H, W) uint16, a new array, or ``alpha`` where nothing changes.
    """
    bounds = mask_bounds(alpha)
    if bounds is None or not finish.adjusts_edge:
        return alpha
    reach = math.ceil(abs(finish.shift_edge) + 4 * finish.feather) + 2
    left, top, right, bottom = bounds
    inside = (slice(top, bottom), slice(left, right))
    area = _expand_region(inside, reach, alpha.shape)
    region = np.ascontiguousarray(alpha[area])
    region = _shift_edge(region, finish.shift_edge)
    if finish.feather > 0:
        region = np.asarray(
            cv2.GaussianBlur(
                region, (0, 0), finish.feather, borderType=cv2.BORDER_REPLICATE
            ),
            np.uint16,
        )
    if finish.contrast > 0:
        region = _contrast_table(finish.contrast)[region]
    out = alpha.copy()
    out[area] = region
    return out


def _shift_edge(alpha: WordArray, pixels: float) -> WordArray:
    """Grey-scale dilation or erosion; fractional pixels mix the two nearest radii."""
    if pixels == 0:
        return alpha
    change = cv2.dilate if pixels > 0 else cv2.erode
    whole, rest = divmod(abs(pixels), 1)

    def by(radius: int) -> WordArray:
        if radius == 0:
            return alpha
        side = 2 * radius + 1
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
        border = cv2.BORDER_REPLICATE
        return np.asarray(change(alpha, disc, borderType=border), np.uint16)

    near = by(int(whole))
    if rest == 0:
        return near
    return np.asarray(
        cv2.addWeighted(near, 1 - rest, by(int(whole) + 1), rest, 0), np.uint16
    )


def _contrast_table(contrast: float) -> WordArray:
    """A smooth S-curve through 0, 0.5 and 1 for every value of alpha."""
    alpha = np.arange(ALPHA_MAX + 1) / ALPHA_MAX
    # Slopes at the middle from 1 to 6: even then a hair of alpha 0.5 keeps a soft edge.
    power = 1 + 5 * contrast
    up, down = alpha**power, (1 - alpha) ** power
    return np.rint(up / (up + down) * ALPHA_MAX).astype(np.uint16)


class StrokeCoverageCache(ByteBoundedLru[tuple[object, ...], WordArray]):
    """Cache of strokes' coverage, which is most of the work of painting them again."""

    def __init__(self, max_bytes: int = COVER_BYTES) -> None:
        super().__init__(max_bytes)

    def coverage(
        self, stroke: Stroke, part: Region, image: ByteArray | None = None
    ) -> FloatArray:
        """As :func:`coverage`, rounded to 16 bits."""
        if stroke.tolerance:  # depends on the image
            return coverage(stroke, part, image)
        rows, columns = part
        place = (rows.start, rows.stop, columns.start, columns.stop)
        key = (stroke.path, stroke.radius, stroke.hardness, *place)
        cached = self.get(key)
        if cached is None:
            exact = coverage(stroke, part)
            cached = np.rint(exact * ALPHA_MAX).astype(np.uint16)
            self.put(key, cached)
        return cached.astype(np.float32) / np.float32(ALPHA_MAX)


def apply_strokes(
    alpha: WordArray,
    strokes: Sequence[Stroke],
    coverage_cache: StrokeCoverageCache | None = None,
    cancelled: CancelCheck = never_cancelled,
    *,
    image: ByteArray | None = None,
    max_pixels: int = MAX_PIXELS,
) -> WordArray:
    """Paint strokes over a matte, in order.

    Args:
        alpha: (H, W) uint16; not modified.
        coverage_cache: keeps the strokes' coverage between calls.
        cancelled: polled between strokes, and while one is solved.
        image: (H, W, 3) uint8 RGB, for strokes that read colours.
        max_pixels: size at which refine strokes are solved.

    Returns:
        (H, W) uint16, a new array, or ``alpha`` where there are no strokes.

    Raises:
        Cancelled: ``cancelled`` became true.
    """
    if not strokes:
        return alpha
    out = alpha.copy()
    cover_of = coverage if coverage_cache is None else coverage_cache.coverage
    for stroke in strokes:
        raise_if_cancelled(cancelled)
        part = stroke_region(stroke, out.shape)
        cover = cover_of(stroke, part, image)
        if stroke.brush == "refine":
            assert image is not None
            solved = _solve_region(out, part, cover, image, max_pixels, cancelled)
            out[part] = _mix(out[part], solved, cover * stroke.strength)
        else:
            out[part] = apply_stroke(out, part, cover, stroke)
    return out


def _solve_region(
    alpha: WordArray,
    part: Region,
    cover: FloatArray,
    image: ByteArray,
    max_pixels: int,
    cancelled: CancelCheck,
) -> FloatArray:
    """Alpha of a region, solved where a stroke covers it, in [0, 65535]."""
    height, width = cover.shape
    if not cover.any():
        return alpha[part].astype(np.float32)
    reach = max(CONTEXT, min(height, width) // 2)
    while True:  # until both the object and the background are known somewhere
        around = _expand_region(part, reach, alpha.shape)
        known = alpha[around] * np.float32(1 / ALPHA_MAX)
        top, left = part[0].start - around[0].start, part[1].start - around[1].start
        inside = np.s_[top : top + height, left : left + width]
        unknown = np.zeros(known.shape, bool)
        unknown[inside] = cover > 0
        certain = known[~unknown]
        both = (certain < CERTAIN).any() and (certain > 1 - CERTAIN).any()
        if both or known.shape == alpha.shape:
            break
        reach *= 2
    solved = solve_alpha(
        image[around], known, unknown, max_pixels=max_pixels, cancelled=cancelled
    )
    return solved[inside] * np.float32(ALPHA_MAX)


def stroke_region(stroke: Stroke, shape: tuple[int, ...]) -> Region:
    """Rows and columns of an (H, W) image that a stroke may touch; may be empty."""
    path = np.asarray(stroke.path)
    x0, y0 = np.floor(path[:, :2].min(0) - stroke.radius - 1).astype(int)
    x1, y1 = np.ceil(path[:, :2].max(0) + stroke.radius + 1).astype(int)
    rows = slice(int(np.clip(y0, 0, shape[0])), int(np.clip(y1, 0, shape[0])))
    return rows, slice(int(np.clip(x0, 0, shape[1])), int(np.clip(x1, 0, shape[1])))


def coverage(
    stroke: Stroke, part: Region, image: ByteArray | None = None
) -> FloatArray:
    """Coverage of the pixels of a region by a stroke, (h, w) float32 in [0, 1].

    A pixel gets the largest value of any segment of the path, so that a stroke that
    crosses itself does not add up.

    Args:
        part: the region.
        image: (H, W, 3) uint8 RGB, for a stroke with a tolerance.
    """
    rows, columns = part
    out = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.float32)
    path = stroke.path if len(stroke.path) > 1 else stroke.path * 2
    for begin, end in pairwise(path):
        piece = replace(stroke, path=(begin, end))
        shape = (rows.stop, columns.stop)
        near_rows, near_columns = stroke_region(piece, shape)
        top, left = (
            max(near_rows.start, rows.start),
            max(near_columns.start, columns.start),
        )
        if top >= near_rows.stop or left >= near_columns.stop:
            continue
        near = (slice(top, near_rows.stop), slice(left, near_columns.stop))
        place = (
            slice(top - rows.start, near_rows.stop - rows.start),
            slice(left - columns.start, near_columns.stop - columns.start),
        )
        cover = _segment_coverage(piece, near)
        if stroke.tolerance:
            assert image is not None
            colours = _colours_under(piece, image)
            cover *= colour_match(image[near], colours, stroke.tolerance)
        np.maximum(out[place], cover, out=out[place])
    return out


def _colours_under(piece: Stroke, image: ByteArray) -> FloatArray:
    """The colours on a segment, means over 3 x 3 pixels; (n, 3), as of ``to_lab``."""
    (ax, ay, _), (bx, by, _) = piece.path
    length = math.hypot(bx - ax, by - ay)
    count = min(COLOUR_SAMPLES, 1 + math.ceil(length / piece.radius))
    height, width = image.shape[:2]
    colours = []
    for share in np.linspace(0, 1, count):
        x = int(np.clip(math.floor(ax + share * (bx - ax)), 0, width - 1))
        y = int(np.clip(math.floor(ay + share * (by - ay)), 0, height - 1))
        near = image[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2]
        colours.append(to_lab(near).mean((0, 1)))
    return np.stack(colours)


def _segment_coverage(piece: Stroke, part: Region) -> FloatArray:
    """The coverage of a stroke of two vertices."""
    (ax, ay, ap), (bx, by, bp) = piece.path
    y = np.arange(part[0].start, part[0].stop, dtype=np.float32)[:, None] + 0.5
    x = np.arange(part[1].start, part[1].stop, dtype=np.float32)[None] + 0.5
    dx, dy = bx - ax, by - ay
    length = dx * dx + dy * dy
    if length > SHORTEST**2:
        along = ((x - ax) * dx + (y - ay) * dy) / length
    else:
        along = np.zeros_like(x)
    along = np.clip(along, 0, 1)
    distance = np.hypot(x - ax - along * dx, y - ay - along * dy)
    radius = piece.radius * (ap + along * (bp - ap))
    # At least a pixel of slope, so that even a hard brush has no stairs.
    slope = np.maximum(radius * (1 - piece.hardness), 1)
    value = np.clip((radius + 0.5 - distance) / slope, 0, 1)
    return np.asarray(value * value * (3 - 2 * value), np.float32)


def apply_stroke(
    alpha: WordArray, part: Region, cover: FloatArray, stroke: Stroke
) -> WordArray:
    """A region of a matte with a stroke painted over it.

    Args:
        alpha: (H, W), the whole matte, or a part of it with the :func:`surroundings`.
        part: the region, in rows and columns of ``alpha``.
        cover: (h, w), from :func:`coverage`.
        stroke: any but a refine stroke, which is not painted piece by piece.

    Returns:
        (h, w) uint16.
    """
    goal: float | FloatArray = float(ALPHA_MAX) if stroke.brush == "add" else 0.0
    if stroke.brush == "soften":
        goal = _blur_region(alpha, part, stroke)
    return _mix(alpha[part], goal, cover * stroke.strength)


def _mix(alpha: WordArray, goal: float | FloatArray, share: FloatArray) -> WordArray:
    old = alpha.astype(np.float32)
    return np.rint(old + (goal - old) * share).astype(np.uint16)


def surroundings(stroke: Stroke, part: Region, shape: tuple[int, ...]) -> Region:
    """The region that :func:`apply_stroke` reads when it paints another one."""
    if stroke.brush != "soften":
        return part
    return _expand_region(part, BLURS * (_box_side(stroke) // 2), shape)


def _box_side(stroke: Stroke) -> int:
    """Odd side of the boxes of which :data:`BLURS` in a row approximate a Gaussian."""
    sigma = SOFTEN_SIGMA * stroke.radius
    return 2 * max(round((math.sqrt(12 * sigma**2 / BLURS + 1) - 1) / 2), 1) + 1


def _blur_region(alpha: WordArray, part: Region, stroke: Stroke) -> FloatArray:
    """A region of the blurred matte, computed with its surroundings.

    Box means cost the same whatever their size, and a pixel's result does not depend on
    the region.
    """
    around = surroundings(stroke, part, alpha.shape)
    blurred = np.ascontiguousarray(alpha[around])
    box = (_box_side(stroke), _box_side(stroke))
    for _ in range(BLURS):
        smooth = cv2.blur(blurred, box, borderType=cv2.BORDER_REPLICATE)
        blurred = np.asarray(smooth, np.uint16)
    top, left = part[0].start - around[0].start, part[1].start - around[1].start
    height, width = part[0].stop - part[0].start, part[1].stop - part[1].start
    return np.asarray(blurred[top : top + height, left : left + width], np.float32)


def _expand_region(part: Region, by: int, shape: tuple[int, ...]) -> Region:
    """A region with ``by`` pixels more on each side, inside the image."""
    rows, columns = part
    return (
        slice(max(0, rows.start - by), min(shape[0], rows.stop + by)),
        slice(max(0, columns.start - by), min(shape[1], columns.stop + by)),
    )
