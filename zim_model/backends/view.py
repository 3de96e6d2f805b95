"""From the image to the network's square input, and back.

A :class:`View` is the part of the image that the network sees.  The view is scaled so
that its longer side fills the input, and padded on the right and below with zeros after
normalisation (SAM, ``ResizeLongestSide``), or stretched to the square (SAM 2).
Coordinates and mattes are mapped back by the exact inverse.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from zim_model.arrays import ByteArray, FloatArray, shrink
from zim_model.network.config import PIXEL_MEAN, PIXEL_STD, STRIDE, ModelConfig
from zim_model.polygons import clip_polygon
from zim_model.prompts import Box, Point, PromptSet, Scribble

FADE = 0.08
"""Outermost part of a view over which its matte fades, less than the surroundings."""


@dataclass(frozen=True, slots=True)
class View:
    """A rectangle of whole image pixels and the input side it is scaled to.

    Attributes:
        left, top, right, bottom: in image pixels, right and bottom exclusive.
        image_size: side S of the square input.
        stretch: whether both sides are scaled to S; else the longer one is.
    """

    left: int
    top: int
    right: int
    bottom: int
    image_size: int
    stretch: bool = False

    @classmethod
    def whole(
        cls, height: int, width: int, image_size: int, *, stretch: bool = False
    ) -> View:
        """The view of a whole image."""
        return cls(0, 0, width, height, image_size, stretch)

    @classmethod
    def whole_for(cls, config: ModelConfig, height: int, width: int) -> View:
        """The view of a whole image that a model is made for."""
        return cls.whole(height, width, config.image_size, stretch=config.stretch)

    def flip(self, width: int) -> View:
        """The same part of the mirror image of an image of that width."""
        return replace(self, left=width - self.right, right=width - self.left)

    def part(self, left: int, top: int, right: int, bottom: int) -> View:
        """Another part of the same image, for the same input."""
        return View(left, top, right, bottom, self.image_size, self.stretch)

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def input_size(self) -> tuple[int, int]:
        """(height, width) of the scaled view inside the input, in input pixels."""
        if self.stretch:
            return self.image_size, self.image_size
        scale = self.image_size / max(self.height, self.width)
        return (
            max(1, int(self.height * scale + 0.5)),
            max(1, int(self.width * scale + 0.5)),
        )

    def cells(self, stride: int) -> tuple[int, int]:
        """(rows, columns) of the input's grid that the view reaches, also in part."""
        height, width = self.input_size
        return -(-height // stride), -(-width // stride)

    def crop(self, image: ByteArray) -> ByteArray:
        """The pixels of this view, (height, width, 3), without copying."""
        return image[self.top : self.bottom, self.left : self.right]

    def apply(self, prompts: PromptSet) -> PromptSet:
        """Prompts in input pixels, from prompts in image pixels.

        Points and parts of scribbles outside the view are dropped; the box and regions
        are clipped to it.  Other scribbles come out with vertices at most about a token
        apart.
        """
        height, width = self.input_size
        sx, sy = width / self.width, height / self.height
        points = tuple(
            Point((p.x - self.left) * sx, (p.y - self.top) * sy, p.positive)
            for p in prompts.points
            if self.left <= p.x < self.right and self.top <= p.y < self.bottom
        )
        box = prompts.box
        if box is not None:
            box = Box(
                (box.x0 - self.left) * sx,
                (box.y0 - self.top) * sy,
                (box.x1 - self.left) * sx,
                (box.y1 - self.top) * sy,
            ).clip(height, width)
        scribbles = (self._scribble(s, sx, sy) for s in prompts.scribbles)
        return PromptSet(points, box, tuple(s for s in scribbles if s.path))

    def _scribble(self, scribble: Scribble, sx: float, sy: float) -> Scribble:
        """The part of a scribble inside the view, in input pixels."""
        path = [((x - self.left) * sx, (y - self.top) * sy) for x, y in scribble.path]
        if scribble.region:
            return replace(scribble, path=clip_polygon(path, *self.input_size))
        scaled = Scribble(tuple(path), scribble.positive)
        length = sum(map(math.dist, path, path[1:]))
        height, width = self.input_size
        inside = tuple(
            (p.x, p.y)
            for p in scaled.sample(1 + max(1, math.ceil(length / STRIDE)))
            if 0 <= p.x < width and 0 <= p.y < height
        )
        return Scribble(inside, scribble.positive)


def align(values: FloatArray, view: View, stride: int) -> FloatArray:
    """Values on a grid that covers a view exactly, from the grid of the padded input.

    Cell i of the input's grid covers the input pixels ``[i, i + 1) * stride``, whatever
    the padding, so a view may end inside a cell.  The result is the input's grid where
    it does not, else it is interpolated at the middles of slightly smaller cells.

    Args:
        values: (..., G, G), or the first ``view.cells(stride)`` of it.
        view: what the input shows.
        stride: input pixels per cell.

    Returns:
        (..., rows, columns), see :meth:`View.cells`.
    """
    sides, counts = view.input_size, view.cells(stride)
    values = values[..., : counts[0], : counts[1]]
    for axis, side, count in zip((-2, -1), sides, counts, strict=True):
        if side % stride:
            middles = np.arange(count) + 0.5
            values = sample_cells(values, middles * (side / stride / count) - 0.5, axis)
    return values


def spread(values: FloatArray, view: View, stride: int) -> FloatArray:
    """The inverse of :func:`align`: values (h, w) of a view on the input's grid.

    Returns:
        The cells that the view reaches, ``view.cells(stride)``.
    """
    sides, counts = view.input_size, view.cells(stride)
    for axis, side, count in zip((0, 1), sides, counts, strict=True):
        scale = values.shape[axis] * stride / side
        if scale != 1:
            middles = np.arange(count) + 0.5
            values = sample_cells(values, middles * scale - 0.5, axis)
    return values


def sample_cells(
    values: FloatArray, positions: npt.NDArray[np.floating[Any]], axis: int
) -> FloatArray:
    """Values between cells, by cubic convolution (Keys 1981, a = -1/2).

    Args:
        values: float32; the outermost cells continue beyond the ends.
        positions: (n,), in cells; 0 is the middle of the first one.
        axis: that n replaces.
    """
    first = np.floor(positions)
    t = positions - first
    weights = (
        ((2 - t) * t - 1) * t / 2,
        ((3 * t - 5) * t * t + 2) / 2,
        ((4 - 3 * t) * t + 1) * t / 2,
        (t - 1) * t * t / 2,
    )
    shape = [1] * values.ndim
    shape[axis] = len(positions)
    last, total = values.shape[axis] - 1, None
    for offset, weight in enumerate(weights, -1):
        cells = np.clip(first + offset, 0, last).astype(np.intp)
        term = values.take(cells, axis) * weight.astype(np.float32).reshape(shape)
        total = term if total is None else np.add(total, term, out=total)
    return np.asarray(total, np.float32)


def border_fade(
    shape: tuple[int, ...], view: View, height: int, width: int
) -> FloatArray:
    """Weights that fade a matte to 0 where its view ends inside the image.

    Args:
        shape: (h, w) of the view's matte.
        view: where it lies.
        height, width: of the image.

    Returns:
        (h, w) float32: 1 inside and at the image's own borders, falling to 0 over
        :data:`FADE` of the view at the others.
    """

    def ramp(count: int, low: bool, high: bool) -> FloatArray:
        rising = np.minimum((np.arange(count) + 0.5) / count / FADE, 1)
        ends = (rising if low else 1) * (rising[::-1] if high else 1)
        return np.asarray(np.broadcast_to(ends, count), np.float32)

    rows = ramp(shape[0], view.top > 0, view.bottom < height)
    columns = ramp(shape[1], view.left > 0, view.right < width)
    return np.asarray(rows[:, None] * columns, np.float32)


def resize_view(config: ModelConfig, image: ByteArray, view: View) -> ByteArray:
    """The view scaled to the input, (h, w, 3) uint8 with max(h, w) = image_size."""
    height, width = view.input_size
    pixels = view.crop(image)
    if config.resize == "pil":
        resizable = Image.fromarray(np.ascontiguousarray(pixels))
        resized = resizable.resize((width, height), Image.Resampling.BILINEAR)
        return np.asarray(resized)
    if height <= view.height:
        return shrink(pixels, width, height)
    return np.asarray(cv2.resize(pixels, (width, height)), np.uint8)


def normalise(pixels: ByteArray, image_size: int) -> FloatArray:
    """The network's input (3, S, S) float32 from a scaled view (h, w, 3) uint8."""
    height, width = pixels.shape[:2]
    out = np.zeros((3, image_size, image_size), np.float32)
    out[:, :height, :width] = ((pixels - PIXEL_MEAN) / PIXEL_STD).transpose(2, 0, 1)
    return out
