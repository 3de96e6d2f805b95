"""Cropping, scaling and placing of cut-outs.

Hidden colours do not bleed into soft edges.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt

from zim_app.core.compose import CutOut
from zim_app.core.pixels import PixelArray
from zim_model.arrays import FloatArray, WordArray, mask_bounds
from zim_model.errors import Cancelled
from zim_model.request import ALPHA_MAX, CancelCheck

Rect = tuple[int, int, int, int]
"""Left, top, right and bottom in image pixels; right and bottom are exclusive."""


@dataclass(frozen=True, slots=True)
class ExportFrame:
    """The region of an image that is exported, and its size in the file.

    Attributes:
        rect: in pixels of the image; may reach beyond it.
        width: of the result, in pixels.
        height: of the result, in pixels.
        part: where the region lies in the result, in pixels of the result; may reach
            beyond it.  None if it fills the result.
    """

    rect: Rect
    width: int
    height: int
    part: Rect | None = None

    @property
    def filled(self) -> Rect:
        """Where the region lies in the result."""
        return self.part or (0, 0, self.width, self.height)

    @property
    def percent(self) -> int:
        """Pixels of the file per 100 pixels of the image, along a side."""
        return round(100 * max(_size(self.filled)) / max(_size(self.rect)))

    def all_seen(self, width: int, height: int) -> ExportFrame:
        """The same frame with all that it shows of an image of that size.

        The place in the result is rounded to whole pixels.
        """
        if self.part is None:
            return self
        edges = []
        for axis, (side, length) in enumerate(
            ((self.width, width), (self.height, height))
        ):
            start, placed = self.rect[axis], self.filled[axis]
            factor = _size(self.filled)[axis] / _size(self.rect)[axis]
            first = max(0, math.floor(start - placed / factor))
            last = min(length, math.ceil(start + (side - placed) / factor))
            new = [round(placed + (edge - start) * factor) for edge in (first, last)]
            edges.append((first, last, new[0], max(new[0] + 1, new[1])))
        (left, right, x0, x1), (top, bottom, y0, y1) = edges
        rect, part = (left, top, right, bottom), (x0, y0, x1, y1)
        return ExportFrame(rect, self.width, self.height, part)


def visible_bounds(alpha: WordArray, threshold: int) -> Rect | None:
    """Bounding box of the pixels that are seen.

    Args:
        alpha: (H, W) uint16.
        threshold: largest alpha, in steps of 255, that counts as invisible; where no
            pixel exceeds it, all above 0 count.

    Returns:
        None if alpha is 0 everywhere.
    """
    return mask_bounds(alpha > threshold * 257) or mask_bounds(alpha)


def crop(cut_out: CutOut, rect: Rect) -> CutOut:
    """Crop to ``rect``; beyond the image, alpha is 0.

    Colours of the border are repeated there, which later resampling needs.
    """
    height, width = cut_out.alpha.shape
    left, top, right, bottom = rect
    if rect == (0, 0, width, height):
        return cut_out
    inside = (
        slice(max(0, top), min(height, bottom)),
        slice(max(0, left), min(width, right)),
    )
    margins = (
        (inside[0].start - top, bottom - inside[0].stop),
        (inside[1].start - left, right - inside[1].stop),
    )
    colours, alpha = cut_out.colours[inside], cut_out.alpha[inside]
    if any(margin for pair in margins for margin in pair):
        colours = np.pad(colours, (*margins, (0, 0)), mode="edge")
        alpha = np.pad(alpha, margins)
    return CutOut(colours, alpha)


def place(region: CutOut, frame: ExportFrame, cancelled: CancelCheck) -> CutOut:
    """A region at its size and place in the result, transparent and black around it.

    Args:
        region: cropped to the frame's ``rect``.
        frame: of the result.
        cancelled: polled repeatedly.

    Raises:
        Cancelled: ``cancelled`` became true.
    """
    part = scale(region, *_size(frame.filled), cancelled)
    if frame.part is None:
        return part
    colours = np.zeros((frame.height, frame.width, 3), part.colours.dtype)
    alpha = np.zeros((frame.height, frame.width), np.uint16)
    _paste(part.colours, colours, frame.part)
    _paste(part.alpha, alpha, frame.part)
    return CutOut(colours, alpha)


def place_alpha(region: WordArray, frame: ExportFrame) -> WordArray:
    """The alpha of :func:`place`, from that of the region, uint16."""
    part = scale_alpha(region, *_size(frame.filled))
    if frame.part is None:
        return part
    alpha = np.zeros((frame.height, frame.width), np.uint16)
    _paste(part, alpha, frame.part)
    return alpha


def place_map(
    values: FloatArray, width: int, height: int, frame: ExportFrame
) -> FloatArray:
    """A smooth map of an image, resampled to the result; 0 beyond the image.

    Args:
        values: (h, w) in [0, 1], of a smaller copy of the whole image.
        width: of the image.
        height: of the image.
        frame: of the result.

    Returns:
        (height, width) of the frame, in [0, 1].
    """
    left, top, _, _ = frame.filled
    new, old = _size(frame.filled), _size(frame.rect)
    factors = [new[0] / old[0], new[1] / old[1]]
    # Pixels of the result per value of the map.
    steps = (
        factors[0] * width / values.shape[1],
        factors[1] * height / values.shape[0],
    )
    if min(steps) < 1:
        small = [max(1, round(width * factors[0])), max(1, round(height * factors[1]))]
        size = (min(small[0], values.shape[1]), min(small[1], values.shape[0]))
        values = cast(
            FloatArray, cv2.resize(values, size, interpolation=cv2.INTER_AREA)
        )
        steps = (
            factors[0] * width / values.shape[1],
            factors[1] * height / values.shape[0],
        )
    offsets = (left - frame.rect[0] * factors[0], top - frame.rect[1] * factors[1])
    matrix = np.array(
        [
            # Centres of pixels are at whole numbers in OpenCV.
            [steps[0], 0, offsets[0] + steps[0] / 2 - 0.5],
            [0, steps[1], offsets[1] + steps[1] / 2 - 0.5],
        ]
    )
    size = (frame.width, frame.height)
    placed = cv2.warpAffine(values, matrix, size, flags=cv2.INTER_CUBIC)
    return cast(FloatArray, np.clip(placed, 0, 1, out=placed))


def _paste(part: PixelArray, canvas: PixelArray, rect: Rect) -> None:
    """Copy an array to a place in another, which it may reach beyond."""
    height, width = canvas.shape[:2]
    left, top, right, bottom = rect
    x, y = max(0, left), max(0, top)
    right, bottom = min(width, right), min(height, bottom)
    if x < right and y < bottom:
        canvas[y:bottom, x:right] = part[
            y - top : bottom - top, x - left : right - left
        ]


def _size(rect: Rect) -> tuple[int, int]:
    left, top, right, bottom = rect
    return right - left, bottom - top


def scale(cut_out: CutOut, width: int, height: int, cancelled: CancelCheck) -> CutOut:
    """Resample a cut-out to a size in pixels.

    Colours are weighted by alpha, so that colours of transparent pixels do not bleed
    into the edges.  Shrinking averages areas; enlarging is bicubic.

    Raises:
        Cancelled: ``cancelled`` became true.
    """
    if cut_out.alpha.shape == (height, width):
        return cut_out
    size = (width, height)
    weight = cut_out.alpha.astype(np.float32)
    total = _resample(weight, size, smooth=False)
    result = np.empty((height, width, 3), cut_out.colours.dtype)
    for channel in range(3):
        if cancelled():
            raise Cancelled
        plain = cut_out.colours[..., channel].astype(np.float32)
        values = _resample_weighted(plain, weight, total, size)
        result[..., channel] = _round_to_dtype(values, result.dtype)
    return CutOut(result, scale_alpha(cut_out.alpha, width, height))


def scale_alpha(alpha: WordArray, width: int, height: int) -> WordArray:
    """Resample a matte, (H, W) uint16, to a size in pixels."""
    if alpha.shape == (height, width):
        return alpha
    values = _resample(alpha.astype(np.float32), (width, height), smooth=True)
    return cast(WordArray, _round_to_dtype(values, np.uint16))


def scale_to_cover(pixels: PixelArray, width: int, height: int) -> PixelArray:
    """Scale and centre-crop an opaque image so that it covers a size in pixels.

    Args:
        pixels: (H, W, 3) uint8 or uint16.
        width: of the result.
        height: of the result.
    """
    old_height, old_width = pixels.shape[:2]
    factor = max(width / old_width, height / old_height)
    used_width = min(old_width, max(1, round(width / factor)))
    used_height = min(old_height, max(1, round(height / factor)))
    left, top = (old_width - used_width) // 2, (old_height - used_height) // 2
    part = pixels[top : top + used_height, left : left + used_width]
    values = _resample(part.astype(np.float32), (width, height), smooth=True)
    return _round_to_dtype(values, pixels.dtype)


def _resample_weighted(
    plain: FloatArray, weight: FloatArray, total: FloatArray, size: tuple[int, int]
) -> FloatArray:
    """Resample one channel, weighted per pixel.

    Bicubic interpolation overshoots where alpha is low, so colours of soft edges are
    resampled linearly; opaque areas are resampled bicubically.
    """
    even = _resample(plain, size, smooth=True)
    mixed = _resample(plain * weight, size, smooth=False)
    result = np.divide(mixed, total, out=even.copy(), where=total >= 1)
    opaque = total >= ALPHA_MAX - 0.5
    result[opaque] = even[opaque]
    return result


def _resample(values: FloatArray, size: tuple[int, int], *, smooth: bool) -> FloatArray:
    height, width = values.shape[:2]
    shrinks = size[0] <= width and size[1] <= height
    method = cv2.INTER_CUBIC if smooth else cv2.INTER_LINEAR
    if shrinks:
        method = cv2.INTER_AREA
    return cast(FloatArray, cv2.resize(values, size, interpolation=method))


def _round_to_dtype(values: FloatArray, dtype: npt.DTypeLike) -> PixelArray:
    top: Any = np.iinfo(dtype).max
    np.rint(values, out=values)
    return cast(PixelArray, np.clip(values, 0, top, out=values).astype(dtype))
