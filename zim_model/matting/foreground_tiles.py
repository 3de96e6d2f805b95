"""The tiles of an image that foreground colours are estimated in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from zim_model.arrays import BoolArray, FloatArray

TILE = 256
"""Side of a tile in pixels, a multiple of any level's."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A square of the image; ``rows`` and ``columns`` end at the image's border.

    Attributes:
        depth: number of levels from the tile's own to the coarse ones.
        halo: pixels around the tile that its colours depend on.
    """

    rows: slice
    columns: slice
    depth: int
    halo: int


def tiles(needed: BoolArray, depth: int, halo: int) -> Iterator[Tile]:
    """The tiles with pixels to estimate."""
    height, width = needed.shape
    for top in range(0, height, TILE):
        rows = slice(top, min(top + TILE, height))
        columns = np.flatnonzero(needed[rows].any(0)) // TILE
        for column in np.unique(columns).tolist():
            left = column * TILE
            yield Tile(rows, slice(left, min(left + TILE, width)), depth, halo)


def without_halo(colours: FloatArray, tile: Tile) -> FloatArray:
    """The tile's own part of an array (h, w, 3) with its halo."""
    inner = colours[tile.halo :, tile.halo :]
    height = tile.rows.stop - tile.rows.start
    return inner[:height, : tile.columns.stop - tile.columns.start]


def pad_tile(
    pixels: npt.NDArray[np.integer], top: int, left: int, side: int
) -> npt.NDArray[np.integer]:
    """A square of (H, W) or (H, W, 3), with border pixels replicated outside."""
    height, width = pixels.shape[:2]
    inside = pixels[
        max(top, 0) : min(top + side, height), max(left, 0) : min(left + side, width)
    ]
    above, before = max(-top, 0), max(-left, 0)
    below, after = side - above - inside.shape[0], side - before - inside.shape[1]
    if not (above or before or below or after):
        return inside
    return np.asarray(
        cv2.copyMakeBorder(inside, above, below, before, after, cv2.BORDER_REPLICATE)
    )
