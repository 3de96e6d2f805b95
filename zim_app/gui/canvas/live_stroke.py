"""Renders strokes on screen exactly as the engine will apply them.

Changed alpha is stored in tiles over the matte; only the display pyramid is copied as a
whole, once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from zim_model.arrays import ByteArray, FloatArray, WordArray
from zim_model.finish import Stroke
from zim_model.request import Matte, Timings

TILE = 256

Region = tuple[slice, slice]
"""Rows and columns of an image."""


class TiledAlpha:
    """An (H, W) array over another one that stores only the changed tiles.

    Args:
        below: the array that shows through where nothing was written; it must not
            change.
    """

    def __init__(self, below: npt.NDArray[np.generic] | TiledAlpha) -> None:
        self.shape: tuple[int, ...] = below.shape
        self.dtype: np.dtype[np.generic] = below.dtype
        self._below = below
        self._own: dict[tuple[int, int], npt.NDArray[np.generic]] = {}

    @property
    def written_tiles(self) -> tuple[Region, ...]:
        """Regions of the tiles that were written to."""
        return tuple(self._tile_rect(key) for key in self._own)

    def read(self, region: Region) -> npt.NDArray[np.generic]:
        """A copy of the values in a region."""
        rows, columns = region
        out = np.empty(
            (rows.stop - rows.start, columns.stop - columns.start), self.dtype
        )
        for key in _keys(region):
            in_region, in_tile = _overlap(region, self._tile_rect(key))
            out[in_region] = self._tile(key)[in_tile]
        return out

    def write(self, region: Region, values: npt.NDArray[np.generic]) -> None:
        """Set the values of a region."""
        for key in _keys(region):
            if key not in self._own:
                self._own[key] = np.array(self._tile(key))
            in_region, in_tile = _overlap(region, self._tile_rect(key))
            self._own[key][in_tile] = values[in_region]

    def _tile(self, key: tuple[int, int]) -> npt.NDArray[np.generic]:
        if key in self._own:
            return self._own[key]
        if isinstance(self._below, TiledAlpha):
            return self._below._tile(key)
        return self._below[self._tile_rect(key)]

    def _tile_rect(self, key: tuple[int, int]) -> Region:
        row, column = key[0] * TILE, key[1] * TILE
        return (
            slice(row, min(row + TILE, self.shape[0])),
            slice(column, min(column + TILE, self.shape[1])),
        )


def _keys(region: Region) -> Iterator[tuple[int, int]]:
    rows, columns = region
    for row in range(rows.start // TILE, -(-rows.stop // TILE)):
        for column in range(columns.start // TILE, -(-columns.stop // TILE)):
            yield row, column


def _overlap(region: Region, tile: Region) -> tuple[Region, Region]:
    """The intersection of two regions, relative to the first and to the second."""
    first = [max(a.start, b.start) for a, b in zip(region, tile, strict=True)]
    last = [min(a.stop, b.stop) for a, b in zip(region, tile, strict=True)]

    def local_slice(outer: Region) -> Region:
        rows, columns = (
            slice(f - o.start, e - o.start)
            for f, e, o in zip(first, last, outer, strict=True)
        )
        return rows, columns

    return local_slice(region), local_slice(tile)


class LiveStrokeMatte:
    """A matte with strokes that are being drawn.

    Args:
        matte: the matte below the strokes; None is an empty one.
        image: (H, W, 3) uint8 RGB.

    Attributes:
        matte: for display.  Its pyramid changes with each stroke; its alpha does not.
    """

    def __init__(self, matte: Matte | None, image: ByteArray) -> None:
        self._image = image
        self._size = image.shape[0], image.shape[1]
        self._put_below(matte)
        self._base = self._result
        self._cover = TiledAlpha(np.broadcast_to(np.float32(0), self._size))
        self._stroke: Stroke | None = None
        self._done = 0  # number of final pieces of the stroke
        self._dirty: Region | None = None  # region of the last piece

    def _put_below(self, matte: Matte | None) -> None:
        below = matte or empty_matte(self._size)
        self._result = TiledAlpha(below.alpha)
        height, width = self._size
        levels: tuple[ByteArray, ...] = below.pyramid
        if matte is not None:
            levels = tuple(np.array(a) for a in levels)
        self.matte = replace(below, pyramid=levels, support=(0, 0, width, height))

    def begin(self) -> None:
        """Begin a stroke on the present result."""
        self._base, self._result = self._result, TiledAlpha(self._result)
        self._cover = TiledAlpha(np.broadcast_to(np.float32(0), self._base.shape))
        self._stroke, self._done, self._dirty = None, 0, None

    def show(self, stroke: Stroke) -> Region | None:
        """Render the current stroke.

        Args:
            stroke: the stroke of the previous call, extended by vertices; only its
                last vertex may have moved.

        Returns:
            The changed region, or None.
        """
        from zim_model.matting.edge_and_brush import coverage, stroke_region

        self._stroke = stroke
        pieces = _stroke_pieces(stroke)
        dirty = self._dirty
        for piece in pieces[self._done : -1]:
            region = stroke_region(piece, self._base.shape)
            if _is_empty(region):
                continue
            cover = np.maximum(
                self._stroke_coverage(region), coverage(piece, region, self._image)
            )
            self._cover.write(region, cover)
            dirty = _union_region(dirty, region)
        self._done = len(pieces) - 1
        region = stroke_region(pieces[-1], self._base.shape)
        self._dirty = None if _is_empty(region) else region
        dirty = _union_region(dirty, self._dirty)
        if dirty is not None:
            self._paint(stroke, dirty, pieces[-1])
        return dirty

    def cancel(self) -> None:
        """Remove the current stroke."""
        for region in self._result.written_tiles:
            self._write(region, np.asarray(self._base.read(region), np.uint16))
        self._result = self._base

    def rebase(self, matte: Matte | None) -> None:
        """Render the current stroke on another matte."""
        written_tiles, stroke = self._cover.written_tiles, self._stroke
        self._put_below(matte)
        self._base, self._result = self._result, TiledAlpha(self._result)
        if stroke is None:
            return
        last = _stroke_pieces(stroke)[-1]
        for region in written_tiles:
            self._paint(stroke, region, last)
        if self._dirty is not None:
            self._paint(stroke, self._dirty, last)

    def _stroke_coverage(self, region: Region) -> FloatArray:
        return np.asarray(self._cover.read(region), np.float32)

    def _paint(self, stroke: Stroke, region: Region, last: Stroke) -> None:
        """Apply the stroke in a region: its final pieces and its last one."""
        from zim_model.matting.edge_and_brush import (
            apply_stroke,
            coverage,
            surroundings,
        )

        cover = np.maximum(
            self._stroke_coverage(region), coverage(last, region, self._image)
        )
        around = surroundings(stroke, region, self._base.shape)
        alpha: WordArray = np.asarray(self._base.read(around), np.uint16)
        inside, _ = _overlap(around, region)
        self._write(region, apply_stroke(alpha, inside, cover, stroke))

    def _write(self, region: Region, alpha: WordArray) -> None:
        from zim_model.matting.pyramid import update_pyramid_region

        self._result.write(region, alpha)
        self.matte.pyramid[0][region] = alpha >> 8
        update_pyramid_region(self.matte.pyramid, region)


def empty_matte(size: tuple[int, int]) -> Matte:
    """An empty matte of that height and width; its alpha takes no memory.

    Its pyramid is writable.
    """
    alpha = np.broadcast_to(np.uint16(0), size)
    levels = [np.zeros(size, np.uint8)]
    while max(size) >= 512:
        size = (-(-size[0] // 2), -(-size[1] // 2))
        levels.append(np.zeros(size, np.uint8))
    scores, timings = np.zeros(4, np.float32), Timings(0.0, 0.0, "")
    return Matte(alpha, tuple(levels), scores, 0, (0, 0, 0, 0), timings)


def _stroke_pieces(stroke: Stroke) -> list[Stroke]:
    """A stroke split into strokes of two vertices, or of one if it has only one."""
    path = stroke.path
    if len(path) == 1:
        return [stroke]
    return [replace(stroke, path=path[i : i + 2]) for i in range(len(path) - 1)]


def _is_empty(region: Region) -> bool:
    return any(side.start >= side.stop for side in region)


def _union_region(a: Region | None, b: Region | None) -> Region | None:
    """The smallest region that contains both."""
    if a is None or b is None:
        return a or b
    rows, columns = (
        slice(min(x.start, y.start), max(x.stop, y.stop))
        for x, y in zip(a, b, strict=True)
    )
    return rows, columns
