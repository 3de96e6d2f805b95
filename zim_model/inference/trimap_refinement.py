"""Trimap refinement: a matte's soft edge, solved by a trimap network.

A trimap is made of the matte.  The network predicts alpha in overlapping tiles at image
resolution, wherever the trimap is unknown; the rest of the matte stays as it was.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Protocol

import cv2
import numpy as np

from zim_model.arguments import check_pixels, check_plane
from zim_model.arrays import (
    BACKGROUND,
    FOREGROUND,
    UNKNOWN,
    Bounds,
    ByteArray,
    FloatArray,
    WordArray,
    mask_bounds,
)
from zim_model.inference.tiles import overlapping_tiles
from zim_model.inference.trimap_memory import MAX_PIXELS, TILE_OVERLAP, TILE_SIDE
from zim_model.matting.guided_upsampling import guided_upsample
from zim_model.matting.trimap import make_trimap
from zim_model.request import (
    ALPHA_MAX,
    CancelCheck,
    ProgressCallback,
    ignore_progress,
    never_cancelled,
    raise_if_cancelled,
)


class TrimapSolver(Protocol):
    """Solves trimaps: a trimap network, or closed-form matting.

    They are :class:`~zim_model.backends.trimap_network.TrimapNetwork` and
    :class:`~zim_model.matting.closed_form.ClosedFormSolver`.
    """

    def predict(
        self, image: ByteArray, trimap: ByteArray, cancelled: CancelCheck
    ) -> FloatArray:
        """Alpha (h, w) float32 of a tile."""


def refine_with_trimap(
    alpha: WordArray,
    image: ByteArray,
    network: TrimapSolver,
    cell: float = 1.0,
    cancelled: CancelCheck = never_cancelled,
    progress: ProgressCallback = ignore_progress,
    *,
    of_mask: bool = False,
) -> WordArray:
    """Solve the soft edge of a matte again.

    Args:
        alpha: (H, W) uint16, the matte so far; not changed.
        image: (H, W, 3) uint8 sRGB.
        cell: see :func:`~zim_model.matting.trimap.make_trimap`.
        cancelled: polled between tiles, and within them.
        progress: called after each tile.
        of_mask: whether ``alpha`` is a mask's: where it says that a pixel of the
            interior is perhaps not the object's, this is no transparency.

    Returns:
        (H, W) uint16; where the trimap is known, equal to ``alpha``, of a mask exactly
        0 or 65535.

    Raises:
        ImageError: the arrays are of other shapes or types.
        Cancelled: ``cancelled`` became true.
    """
    check_pixels(image)
    check_plane(alpha, "alpha", (np.uint16,), image.shape[:2])
    trimap = make_trimap(alpha, cell)
    solved = solve_trimap(image, trimap, network, cancelled, progress)
    return solved if of_mask else np.where(trimap == UNKNOWN, solved, alpha)


def solve_trimap(
    image: ByteArray,
    trimap: ByteArray,
    network: TrimapSolver,
    cancelled: CancelCheck = never_cancelled,
    progress: ProgressCallback = ignore_progress,
) -> WordArray:
    """Alpha of an image with a trimap, of any size.

    The network sees tiles, which bounds its memory; tiles without unknown pixels are
    skipped.  Where the unknown pixels spread over more than ``MAX_PIXELS``, that part
    is solved scaled down and upsampled along the image's edges.

    Args:
        image: (H, W, 3) uint8 sRGB.
        trimap: (H, W) uint8: 0 on the background, 255 on the foreground; every other
            value is unknown.
        cancelled: polled between tiles, and within them.
        progress: called after each tile.

    Returns:
        (H, W) uint16, exactly 0 and 65535 where the trimap is known.

    Raises:
        ImageError: the arrays are of other shapes or types.
        Cancelled: ``cancelled`` became true.
    """
    check_pixels(image)
    check_plane(trimap, "trimap", (np.uint8,), image.shape[:2])
    trimap = _of_three_values(trimap)
    alpha = np.where(trimap == FOREGROUND, ALPHA_MAX, 0).astype(np.uint16)
    bounds = _with_context(mask_bounds(trimap == UNKNOWN), trimap.shape)
    if bounds is None:
        return alpha
    left, top, right, bottom = bounds
    part = np.s_[top:bottom, left:right]
    solved = _solve_part(image[part], trimap[part], network, cancelled, progress)
    alpha[part] = np.where(trimap[part] == UNKNOWN, solved, alpha[part])
    return alpha


def _of_three_values(trimap: ByteArray) -> ByteArray:
    """A trimap with all values but 0 and 255 as unknown."""
    known = (trimap == BACKGROUND) | (trimap == FOREGROUND)
    return np.where(known, trimap, np.uint8(UNKNOWN))


def _with_context(bounds: Bounds | None, shape: tuple[int, ...]) -> Bounds | None:
    """Bounds widened by the tiles' overlap, inside an image."""
    if bounds is None:
        return None
    left, top, right, bottom = bounds
    return (
        max(0, left - TILE_OVERLAP),
        max(0, top - TILE_OVERLAP),
        min(shape[1], right + TILE_OVERLAP),
        min(shape[0], bottom + TILE_OVERLAP),
    )


def _solve_part(
    image: ByteArray,
    trimap: ByteArray,
    network: TrimapSolver,
    cancelled: CancelCheck,
    progress: ProgressCallback,
) -> WordArray:
    """Alpha (h, w) uint16 of a part, where its trimap is unknown; scaled if large."""
    scale = math.sqrt(MAX_PIXELS / trimap.size)
    if scale >= 1:
        solved = _solve_tiles(image, trimap, network, cancelled, progress)
        return (solved * ALPHA_MAX + 0.5).astype(np.uint16)
    size = tuple(max(1, round(side * scale)) for side in trimap.shape[::-1])
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    # A pixel is known where all that it covers is.
    levels = cv2.resize(trimap, size, interpolation=cv2.INTER_AREA)
    solved = _solve_tiles(
        np.asarray(small, np.uint8),
        _of_three_values(np.asarray(levels, np.uint8)),
        *(network, cancelled, progress),
    )
    return guided_upsample(solved, image, guided=True)


def _solve_tiles(
    image: ByteArray,
    trimap: ByteArray,
    network: TrimapSolver,
    cancelled: CancelCheck,
    progress: ProgressCallback,
) -> FloatArray:
    """Alpha (h, w) in [0, 1], where the trimap is unknown; elsewhere anything."""
    height, width = trimap.shape
    alpha = np.zeros((height, width), np.float32)
    alpha[trimap == FOREGROUND] = 1  # for upsampling, near what is unknown

    def tiles() -> Iterator[tuple[tuple[slice, slice], FloatArray]]:
        whole = (0, 0, width, height)
        for bounds, weight in overlapping_tiles(whole, TILE_SIDE, TILE_OVERLAP):
            left, top, right, bottom = bounds
            part = np.s_[top:bottom, left:right]
            if (trimap[part] == UNKNOWN).any():
                yield part, weight

    count = sum(1 for _ in tiles())
    for done, (part, weight) in enumerate(tiles(), 1):
        raise_if_cancelled(cancelled)
        predicted = network.predict(image[part], trimap[part], cancelled)
        alpha[part] += predicted * weight * (trimap[part] == UNKNOWN)
        progress(done / count)
    return np.clip(alpha, 0, 1)
