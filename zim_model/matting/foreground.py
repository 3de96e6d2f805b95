"""Foreground estimation: colours of a soft edge without the background in them.

A pixel of alpha a shows ``I = a F + (1 - a) B``. Left as it is, the background's part
shows as a halo on any other background.  F and B are estimated from coarse to fine: on
each level of a pyramid, colours spread from where they are certain (means over a small
window, weighted by alpha for F and by 1 - alpha for B; the blur fusion of Forte 2021),
and both are corrected by the least change that explains the pixel (Germer et al. 2020).

The coarse levels are processed whole.  The fine ones are only processed in tiles that
an edge runs through, so memory does not grow with the image.

For display, Forte's blur fusion on two levels costs less and is nearly as accurate.
"""

from __future__ import annotations

import math
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal, TypeVar, get_args

import cv2
import numpy as np
import numpy.typing as npt

from zim_model.arguments import check_choice, check_number, check_pixels, check_plane
from zim_model.arrays import BoolArray, FloatArray, WordArray
from zim_model.matting.foreground_tiles import TILE, Tile, pad_tile, tiles, without_halo
from zim_model.request import (
    ALPHA_MAX,
    CancelCheck,
    ProgressCallback,
    ignore_progress,
    never_cancelled,
    raise_if_cancelled,
)

SPREAD = 8
"""Pixels by which colours are spread beyond the edge, where alpha is 0, so that a
cut-out can be scaled and filtered without the background bleeding in."""
WINDOW = 3
"""Side of the window of each level's means."""
ROUNDS, FINEST_ROUNDS = 3, 1
"""How often colours spread by a pixel on each level, and on the image's own.  One
round there instead of three costs a twentieth more error and saves half the time."""
COARSE_PIXELS = 400_000
"""The coarse levels begin where the image has at most this many pixels."""
COARSEST_SIDE = 8
COARSEST_ROUNDS = 10
TILES_BETWEEN_CHECKS = 4
"""Tiles that each thread treats between two cancel checks."""
MIN_WEIGHT = 1e-3
"""Least weight of a colour in a mean: where nothing is certain, all count."""

WIDE, NARROW = 91, 7
"""Sides of the two windows of the blur fusion, in pixels of the image."""
CELLS = 64
"""Rows of the coarse level that are summed at a time."""
EPSILON = 1e-5
"""Prevents division by zero in the blur fusion where nothing is opaque, or all is."""

Method = Literal["multi-level", "blur-fusion"]
"""For export, and for display."""
Pixels = TypeVar("Pixels", npt.NDArray[np.uint8], npt.NDArray[np.uint16])


def estimate_foreground(
    image: Pixels,
    alpha: WordArray,
    *,
    amount: float = 1.0,
    method: Method = "multi-level",
    cancelled: CancelCheck = never_cancelled,
    progress: ProgressCallback = ignore_progress,
) -> Pixels:
    """Straight (not premultiplied) colours for a cut-out without a halo.

    Colours are mixed as they are encoded, which is how cut-outs are composited here.

    Args:
        image: (H, W, 3) uint8 or uint16.
        alpha: (H, W) uint16, 0 transparent to 65535 opaque.
        amount: in [0, 1], from the image's colours to the estimated ones.
        method: "multi-level" is the more exact, "blur-fusion" the quicker.
        cancelled: polled between tiles.
        progress: called between tiles.

    Returns:
        (H, W, 3) of the image's type, a new array.  Opaque pixels and those further
        than :data:`SPREAD` beyond the edge are exactly as in the image.

    Raises:
        ImageError: the arrays have other shapes or types.
        ZimError: the amount is outside [0, 1], or there is no such method.
        Cancelled: ``cancelled`` became true.
    """
    validate(image, alpha)
    check_number("amount", amount, 0, 1)
    check_choice("method", method, get_args(Method))
    result = image.copy()
    needed = _pixels_to_estimate(alpha)
    if amount == 0 or not needed.any():
        return result
    depth = _count_fine_levels(*alpha.shape)
    raise_if_cancelled(cancelled)
    begin, finish, halo = _STEPS[method]
    coarse = begin(image, alpha, depth)

    def estimate_tile(tile: Tile) -> None:
        colours = finish(image, alpha, coarse, tile)
        inside = needed[tile.rows, tile.columns]
        _write(result[tile.rows, tile.columns], colours, inside, amount)

    parts = list(tiles(needed, depth, halo(depth)))
    step = (os.cpu_count() or 1) * TILES_BETWEEN_CHECKS
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for first in range(0, len(parts), step):
            raise_if_cancelled(cancelled)
            progress(first / len(parts))
            # A list: it raises what the tiles raised.
            list(pool.map(estimate_tile, parts[first : first + step]))
    return result


def validate(image: Pixels, alpha: WordArray) -> None:
    """Check that an image and its alpha are what :func:`estimate_foreground` takes.

    Raises:
        ImageError: the arrays have other shapes or types.
    """
    check_pixels(image, dtypes=(np.uint8, np.uint16))
    check_plane(alpha, "alpha", (np.uint16,), image.shape[:2])


def _pixels_to_estimate(alpha: WordArray) -> BoolArray:
    """Where colours change: soft alpha, and near any alpha > 0; (H, W) bool."""
    shows = (alpha > 0).view(np.uint8)
    kernel = np.ones((2 * SPREAD + 1,) * 2, np.uint8)
    near = np.asarray(cv2.dilate(shows, kernel)).view(np.bool_)
    near &= alpha < ALPHA_MAX
    return near


# --- the levels -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _LayerColours:
    """An estimate on one level: (h, w, 3) float32 in [0, 1] each."""

    foreground: FloatArray
    background: FloatArray

    def resize(self, height: int, width: int) -> _LayerColours:
        """Both at another size, interpolated."""

        def resize(colours: FloatArray) -> FloatArray:
            return np.asarray(cv2.resize(colours, (width, height)), np.float32)

        return _LayerColours(resize(self.foreground), resize(self.background))


@dataclass(frozen=True, slots=True, eq=False)
class _Level:
    """Image and alpha of a level, (h, w, 3) and (h, w) float32 in [0, 1]."""

    image: FloatArray
    alpha: FloatArray

    def halve(self) -> _Level:
        """The next coarser level."""
        height, width = self.alpha.shape
        size = (-(-width // 2), -(-height // 2))
        image = cv2.resize(self.image, size, interpolation=cv2.INTER_AREA)
        alpha = cv2.resize(self.alpha, size, interpolation=cv2.INTER_AREA)
        return _Level(np.asarray(image), np.asarray(alpha))

    def refine(self, start: _LayerColours, rounds: int) -> _LayerColours:
        """Colours that are smooth and explain the image.

        Args:
            start: the coarser level's estimate, of any size.
            rounds: how often colours spread by half a window.
        """
        weight = _as_three_channels(self.alpha)
        rest = 1 - weight
        scale = 1 / (weight * weight + rest * rest)
        colours = start.resize(*self.alpha.shape)
        foreground, background = colours.foreground, colours.background
        spread_foreground, spread_background = (
            _WeightedMean(weight),
            _WeightedMean(rest),
        )
        gain, other_gain = weight * scale, rest * scale
        for _ in range(rounds):
            foreground = spread_foreground(foreground)
            background = spread_background(background)
            residual = self.image - weight * foreground
            residual -= rest * background
            foreground += gain * residual
            background += other_gain * residual
            np.clip(foreground, 0, 1, out=foreground)
            np.clip(background, 0, 1, out=background)
        return _LayerColours(foreground, background)


class _WeightedMean:
    """Means over windows of (h, w, 3), weighted by a fixed (h, w, 3)."""

    def __init__(self, weight: FloatArray) -> None:
        self._weight = weight + np.float32(MIN_WEIGHT)
        self._scale = 1 / self._sums(self._weight)

    def __call__(self, colours: FloatArray) -> FloatArray:
        sums = self._sums(colours * self._weight)
        sums *= self._scale
        return sums

    @staticmethod
    def _sums(values: FloatArray) -> FloatArray:
        window = (WINDOW, WINDOW)
        return np.asarray(cv2.blur(values, window, borderType=cv2.BORDER_REPLICATE))


def _make_level(
    image: npt.NDArray[np.integer], alpha: npt.NDArray[np.integer]
) -> _Level:
    full = np.float32(1 / np.iinfo(image.dtype).max)
    return _Level(image * full, alpha * np.float32(1 / ALPHA_MAX))


def _count_fine_levels(height: int, width: int) -> int:
    """Number of levels that are processed in tiles; the first is the image itself."""
    depth = 0
    while height * width > COARSE_PIXELS << 2 * depth:
        depth += 1
    return depth


def _coarse_level(
    image: npt.NDArray[np.integer], alpha: WordArray, depth: int
) -> _Level:
    """The whole image, halved ``depth`` times."""
    if depth:
        height, width = (max(1, -(-side >> depth)) for side in alpha.shape)
        size, method = (width, height), cv2.INTER_AREA
        image = np.asarray(cv2.resize(image, size, interpolation=method))
        alpha = np.asarray(cv2.resize(alpha, size, interpolation=method))
        image, alpha = image.reshape(height, width, 3), alpha.reshape(height, width)
    return _make_level(image, alpha)


def _coarse_colours(
    image: npt.NDArray[np.integer], alpha: WordArray, depth: int
) -> _LayerColours:
    """The estimate on level ``depth``, of the whole image."""
    levels = [_coarse_level(image, alpha, depth)]
    while max(levels[-1].alpha.shape) > COARSEST_SIDE:
        levels.append(levels[-1].halve())
    coarsest = levels[-1]
    start = _LayerColours(coarsest.image, coarsest.image)
    colours = coarsest.refine(start, COARSEST_ROUNDS)
    return _refine_down(levels[:-1], colours, finest=depth == 0)


def _refine_down(
    levels: list[_Level], start: _LayerColours, *, finest: bool
) -> _LayerColours:
    """Refine through levels, whose last is the coarsest.

    Args:
        finest: whether the first level is the image's own.
    """
    colours = start
    for index in range(len(levels) - 1, -1, -1):
        rounds = FINEST_ROUNDS if finest and index == 0 else ROUNDS
        colours = levels[index].refine(colours, rounds)
    return colours


# --- the tiles ------------------------------------------------------------------------


def _halo(depth: int) -> int:
    """Margin that a tile's multi-level estimate depends on, in whole coarse cells."""
    # A window on each round, and the finer level's interpolation.
    rounds = [FINEST_ROUNDS, *[ROUNDS] * (depth - 1)]
    reach = sum((n * (WINDOW // 2) + 1) << i for i, n in enumerate(rounds))
    return -(-reach >> depth) << depth


def _tile_colours(
    image: npt.NDArray[np.integer], alpha: WordArray, coarse: _LayerColours, tile: Tile
) -> FloatArray:
    """Foreground colours (h, w, 3) of a tile, from those of the coarse levels."""
    if not tile.depth:
        return coarse.foreground[tile.rows, tile.columns]
    levels = [_tile_level(image, alpha, tile)]
    for _ in range(tile.depth - 1):
        levels.append(levels[-1].halve())
    start = _upsample_coarse(coarse, alpha.shape, tile, len(levels[-1].alpha))
    colours = _refine_down(levels, start, finest=True)
    return without_halo(colours.foreground, tile)


def _tile_level(image: npt.NDArray[np.integer], alpha: WordArray, tile: Tile) -> _Level:
    """A tile of the image with its halo."""
    top, left = tile.rows.start - tile.halo, tile.columns.start - tile.halo
    side = TILE + 2 * tile.halo
    return _make_level(
        pad_tile(image, top, left, side), pad_tile(alpha, top, left, side)
    )


def _upsample_coarse(
    coarse: _LayerColours, shape: tuple[int, ...], tile: Tile, count: int
) -> _LayerColours:
    """The coarse estimate on the finer cells of a tile and its halo.

    Args:
        shape: (H, W) of the image.
        count: cells a side.
    """
    cell = (TILE + 2 * tile.halo) / count
    place, near = np.zeros((2, 3)), [slice(0), slice(0)]
    for axis, (part, long) in enumerate(((tile.columns, 1), (tile.rows, 0))):
        length = coarse.foreground.shape[long]
        scale = length / shape[long]
        centre = part.start - tile.halo + cell / 2  # of the first cell, in pixels
        first = centre * scale - 0.5
        # OpenCV cannot sample arrays of 32768 rows or columns: pass a part.
        begin = min(max(0, math.floor(first) - 1), length - 1)
        end = max(begin + 1, math.ceil(first + cell * scale * (count - 1)) + 2)
        near[long] = slice(begin, end)
        place[axis, axis], place[axis, 2] = cell * scale, first - begin

    def sample(colours: FloatArray) -> FloatArray:
        warped = cv2.warpAffine(
            colours[near[0], near[1]],
            place,
            (count, count),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return np.asarray(warped, np.float32)

    return _LayerColours(sample(coarse.foreground), sample(coarse.background))


def _write(
    out: npt.NDArray[np.integer], colours: FloatArray, inside: BoolArray, amount: float
) -> None:
    """Mix ``colours`` into ``out`` (h, w, 3) where ``inside`` (h, w)."""
    full = np.float32(np.iinfo(out.dtype).max)
    mixed = colours * (full * np.float32(amount))
    if amount < 1:
        mixed += out * np.float32(1 - amount)
    mixed += np.float32(0.5)
    np.copyto(out, mixed.astype(out.dtype), where=inside[..., None])


# --- the blur fusion ------------------------------------------------------------------


def _box_blur(sums: _LayerColours, opacity: FloatArray, side: int) -> _LayerColours:
    """Means over windows.

    Args:
        sums: F times alpha and B times the rest, (h, w, 3).
        share: alpha in [0, 1], likewise.
        side: of the windows.
    """

    def blur(values: FloatArray) -> FloatArray:
        box, border = (side, side), cv2.BORDER_REPLICATE
        return np.asarray(cv2.blur(values, box, borderType=border), np.float32)

    weight = blur(opacity)
    foreground, background = blur(sums.foreground), blur(sums.background)
    foreground /= weight + np.float32(EPSILON)
    background /= np.float32(1 + EPSILON) - weight
    return _LayerColours(foreground, background)


def _blur_fusion(
    image: FloatArray, weight: FloatArray, blurred: _LayerColours
) -> FloatArray:
    """The foreground (h, w, 3): its mean, corrected by the residual times alpha."""
    residual = image - blurred.background
    residual -= weight * (blurred.foreground - blurred.background)
    residual *= weight
    residual += blurred.foreground
    return np.clip(residual, 0, 1, out=residual)


def _coarse_blurs(
    image: npt.NDArray[np.integer], alpha: WordArray, depth: int
) -> _LayerColours:
    """Means over wide windows, on level ``depth``, of the whole image."""
    level = _coarse_level(image, alpha, depth)
    shown = np.empty_like(level.image)
    # The product's mean, not the means' product: a cell may hold a thin hair.
    for top in range(0, len(shown), CELLS):
        rows = slice(top << depth, (top + CELLS) << depth)
        weight = (alpha[rows] >> 8).astype(np.uint8).astype(image.dtype)
        product = cv2.multiply(image[rows], cv2.merge([weight] * 3), scale=1 / 255)
        part = shown[top : top + CELLS]
        size = (shown.shape[1], len(part))
        mean = cv2.resize(product, size, interpolation=cv2.INTER_AREA)
        part[...] = mean * np.float32(1 / np.iinfo(image.dtype).max)
    sums = _LayerColours(shown, level.image - shown)
    return _box_blur(sums, _as_three_channels(level.alpha), (WIDE >> depth) | 1)


def _tile_blurs(
    image: npt.NDArray[np.integer], alpha: WordArray, coarse: _LayerColours, tile: Tile
) -> FloatArray:
    """Foreground colours (h, w, 3) of a tile, from the wide windows' means."""
    level = _tile_level(image, alpha, tile)
    weight = _as_three_channels(level.alpha)
    wide = _upsample_coarse(coarse, alpha.shape, tile, len(weight))
    fused = _blur_fusion(level.image, weight, wide) * weight
    sums = _LayerColours(fused, wide.background * (1 - weight))
    narrow = _box_blur(sums, weight, NARROW)
    return without_halo(_blur_fusion(level.image, weight, narrow), tile)


def _as_three_channels(alpha: FloatArray) -> FloatArray:
    """Alpha (h, w) repeated for three channels: faster than broadcasting."""
    return np.asarray(cv2.merge([alpha] * 3), np.float32)


_STEPS = {
    "multi-level": (_coarse_colours, _tile_colours, _halo),
    "blur-fusion": (_coarse_blurs, _tile_blurs, lambda _: NARROW // 2),
}
"""What a method does with the whole image and with a tile, and how far a tile looks,
from the number of fine levels."""
