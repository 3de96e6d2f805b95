"""Guided upsampling: from the network's small grid to image resolution.

The algorithm is the fast guided filter (He and Sun 2015) with a colour guide and radius
1: in every 3 x 3 window of the small image, alpha is fitted as a linear function of
colour; the fits are upsampled to full size and applied to the full-size colours.
Larger radii lose the gain.  Two things are added: of the windows that share a pixel the
better fits count more, and the residual of the small matte is added back, so that the
result has its means.  On mattes reduced four times, this halves bilinear
interpolation's error.

A very small matte is upsampled in steps (:func:`upsample_in_steps`), with plain fits:
it is uncertain, and its means are not kept.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from zim_model.arrays import ByteArray, FloatArray, WordArray, shrink
from zim_model.request import ALPHA_MAX
from zim_model.runtime.threads import single_blas_thread

PlaneStack = list[FloatArray]
"""Maps of one size, (h, w) float32 each."""
Array = npt.NDArray[Any]

EPSILON = 3e-5
"""Regularisation of the fits, for colours and alpha in [0, 1]."""
MIN_FIT_QUALITY = 1e-4
"""Variance of alpha that a fit may leave unexplained and still count nearly in full."""
STEP, FINEST, STEP_EPSILON = 1.5, 324, 3e-4
"""A small matte grows by STEP at a time while its longer side stays within FINEST."""
SAMPLES_PER_CELL = 4
"""Of a large image this many rows and columns per cell are used for a step's guide."""
OPAQUE, CLEAR = 0.98, 0.02
"""Alpha beyond these is flat: no edge runs there and nothing is fitted."""
MAPS = ("red", "green", "blue", "offset", "band")
"""Upsampled maps: slopes and offset of the fits, and the soft band."""
BLOCK = 12
"""Rows and columns of cells processed at a time, where an edge runs: interpolation
costs more in larger blocks, and calls cost more in smaller ones."""


def guided_upsample(
    alpha: FloatArray,
    image: ByteArray,
    *,
    guided: bool,
    guide: ByteArray | None = None,
) -> WordArray:
    """Upsample a matte to the size of an image.

    Args:
        alpha: (h, w) float32 in [0, 1], of the whole image.
        image: (H, W, 3) uint8 RGB.
        guided: follow the image's edges inside the soft band, else bilinear.
        guide: the image at the matte's size, (h, w, 3), if available.

    Returns:
        (H, W) uint16, 65535 opaque.
    """
    height, width = image.shape[:2]
    small = (np.clip(alpha, 0, 1) * ALPHA_MAX + 0.5).astype(np.uint16)
    out = np.asarray(cv2.resize(small, (width, height)), np.uint16)
    if not guided or height * width <= alpha.size:
        return out
    if guide is None:
        guide = image
    if alpha.shape[0] > height or alpha.shape[1] > width:  # finer in one direction
        size = min(alpha.shape[1], width), min(alpha.shape[0], height)
        alpha = np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA))
    with single_blas_thread():
        _apply_fit(out, image, alpha, _resize_image(guide, alpha.shape))
    return out


def _apply_fit(
    out: WordArray, image: ByteArray, alpha: FloatArray, guide: ByteArray
) -> None:
    """Replace a matte by the fit of the small one to the colours, where edges run.

    Args:
        out: (H, W), changed in place.
        image: (H, W, 3).
        alpha: the small matte, (h, w).
        guide: the image at its size, (h, w, 3).
    """
    band = _soft_band(alpha)
    fit = [plane * ALPHA_MAX for plane in _reproducing_fit(alpha, guide)]
    maps = np.stack([*fit, band], 1)  # (h, len(MAPS), w)
    rows, columns = map(_Interpolation.of, alpha.shape, image.shape[:2])
    for first in range(0, alpha.shape[0], BLOCK):
        last = min(first + BLOCK, alpha.shape[0])
        tall, near = rows.pixels(first, last), _with_neighbours(first, last)
        runs = _runs(np.asarray(band[near].any(0)))
        if not runs:
            continue
        down = rows.weights(first, last) @ maps[near].reshape(len(maps[near]), -1)
        down = down.reshape(-1, *maps.shape[1:])
        for begin, end in runs:
            wide, beside = columns.pixels(begin, end), _with_neighbours(begin, end)
            count = len(MAPS) - int(band[near, beside].all())
            part = down[:, :count, beside]
            across = part.reshape(-1, part.shape[2]) @ columns.weights(begin, end).T
            values = across.reshape(*part.shape[:2], -1)
            _apply_fit_block(out[tall, wide], image[tall, wide], values)


def upsample_in_steps(
    alpha: FloatArray, image: ByteArray
) -> tuple[FloatArray, ByteArray | None]:
    """Upsample a small matte to a finer grid in steps that each follow the colours.

    A network's uncertain edge is narrowed a little at every step, where one step alone
    would leave a band as wide as the coarse cells.

    Args:
        alpha: (h, w) float32 in [0, 1], of the whole image.
        image: (H, W, 3) uint8 RGB.

    Returns:
        (h', w') float32 in [0, 1] and, of a large image, that at the same size; a matte
        that is fine enough comes back as it is, with None.
    """
    limit = min(FINEST, max(image.shape[:2]))
    if max(alpha.shape) * STEP > limit:
        return alpha, None
    scale = min(1.0, FINEST / max(image.shape[:2]))
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    large = SAMPLES_PER_CELL * max(height, width) < max(image.shape[:2])
    if large:  # A subset of the pixels suffices for so small a grid.
        thinned = (SAMPLES_PER_CELL * width, SAMPLES_PER_CELL * height)
        image = np.asarray(
            cv2.resize(image, thinned, interpolation=cv2.INTER_NEAREST_EXACT), np.uint8
        )
    guide = shrink(image, width, height)
    finer: ByteArray | None = None
    while max(alpha.shape) * STEP <= limit:
        height, width = (max(1, round(side * STEP)) for side in alpha.shape)
        resized = cv2.resize(guide, (width, height), interpolation=cv2.INTER_AREA)
        finer = np.asarray(resized, np.uint8)
        alpha = _upsample_step(alpha, finer)
    # Resizing a small image once more costs little and is a little more exact.
    return alpha, finer if large else None


def _upsample_step(alpha: FloatArray, image: ByteArray) -> FloatArray:
    """One step: alpha (h, w) at the size of an image (H, W, 3), a little larger."""
    size = image.shape[1::-1]
    fit, _ = _window_fits(alpha, _resize_image(image, alpha.shape), STEP_EPSILON)
    *slopes, followed = (cv2.resize(_window_mean(plane), size) for plane in fit)
    for slope, colour in zip(slopes, cv2.split(image), strict=True):
        followed += slope * (colour / np.float32(255))
    plain = cv2.resize(alpha, size)
    inside = cv2.resize(_soft_band(alpha), size)
    return np.asarray(plain + inside * (followed.clip(0, 1) - plain), np.float32)


def _apply_fit_block(alpha: WordArray, colours: ByteArray, maps: FloatArray) -> None:
    """Apply the fit to a block, from maps that were upsampled to its size.

    Args:
        alpha: (h, w), changed in place.
        colours: (h, w, 3).
        maps: (h, 4 or 5, w): MAPS, all but the band times ALPHA_MAX; without the band
            where that is 1 throughout.
    """
    red, green, blue = (
        cv2.multiply(maps[:, channel], plane, dtype=cv2.CV_32F)
        for channel, plane in enumerate(cv2.split(colours))
    )
    cv2.add(red, green, dst=red)
    cv2.add(blue, maps[:, 3], dst=blue)
    followed = cv2.add(red, blue, dtype=cv2.CV_16U)  # rounds and clips
    if maps.shape[1] == len(MAPS):
        change = cv2.subtract(followed, alpha, dtype=cv2.CV_32F)
        cv2.multiply(change, maps[:, 4], dst=change)
        followed = cv2.add(alpha, change, dtype=cv2.CV_16U)
    alpha[...] = followed


def _with_neighbours(first: int, last: int) -> slice:
    """Cells with their neighbours, between which their pixels lie."""
    return slice(max(0, first - 1), last + 1)


def _runs(flags: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Half-open ranges of cells at or beside true ones, each in one block."""
    near = np.convolve(flags, (1, 1, 1))[1:-1] > 0
    steps = np.flatnonzero(np.diff(np.r_[False, near, False].astype(np.int8)))
    runs: list[tuple[int, int]] = []
    for begin, stop in steps.reshape(-1, 2).tolist():
        inner = range(begin // BLOCK + 1, -(-stop // BLOCK))
        cuts = [begin, *(BLOCK * block for block in inner), stop]
        runs += itertools.pairwise(cuts)
    return runs


def _resize_image(image: ByteArray, shape: tuple[int, ...]) -> ByteArray:
    """The image at a matte's size (h, w)."""
    if image.shape[:2] == shape[:2]:
        return image
    return shrink(image, shape[1], shape[0])


def _window_mean(values: FloatArray) -> FloatArray:
    """Means over 3 x 3 windows, (h, w)."""
    blurred = cv2.blur(values, (3, 3), borderType=cv2.BORDER_REFLECT)
    return np.asarray(blurred, np.float32)


def _window_fits(
    alpha: FloatArray, image: ByteArray, epsilon: float
) -> tuple[PlaneStack, FloatArray]:
    """Alpha as a linear function of colour, in the window around each pixel.

    Args:
        alpha: (h, w).
        image: (h, w, 3).
        epsilon: regularisation.

    Returns:
        Slopes for R, G, B in [0, 1] and offset, and the variance of alpha that they
        leave unexplained, all (h, w).
    """
    # Plane by plane: sums over three neighbouring numbers would take most of the time.
    colours = [plane / np.float32(255) for plane in cv2.split(image)]
    means, mean_alpha = [_window_mean(plane) for plane in colours], _window_mean(alpha)
    shared = [
        _window_mean(plane * alpha) - mean * mean_alpha
        for plane, mean in zip(colours, means, strict=True)
    ]
    # Only the band and the support of its means and interpolation are used.
    near = cv2.dilate(_soft_band(alpha), np.ones((5, 5), np.uint8)) > 0
    near_means = [mean[near].astype(np.float64) for mean in means]
    entries = []
    for i, j in ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)):
        entry = (
            _window_mean(colours[i] * colours[j])[near] - near_means[i] * near_means[j]
        )
        entries.append(entry + epsilon if i == j else entry)
    numerators, determinant = cramer_3x3(entries, [plane[near] for plane in shared])
    scale, slopes = 1 / determinant, []
    for numerator in numerators:
        slope = np.zeros_like(alpha)
        slope[near] = numerator * scale
        slopes.append(slope)
    offset, missed = (
        mean_alpha.copy(),
        _window_mean(alpha * alpha) - mean_alpha * mean_alpha,
    )
    for slope, mean, plane in zip(slopes, means, shared, strict=True):
        offset -= slope * mean
        missed -= slope * plane
    return [*slopes, offset], np.maximum(missed, 0)


def cramer_3x3(
    entries: Sequence[Array], right: Sequence[Array]
) -> tuple[list[Array], Array]:
    """Solve many symmetric 3 x 3 systems of equations by Cramer's rule.

    Args:
        entries: six arrays of one shape: xx, xy, xz, yy, yz, zz of each system.
        right: the three right-hand sides, of that shape.

    Returns:
        Three numerators and the determinant; their quotients are the unknowns.
    """
    xx, xy, xz, yy, yz, zz = entries
    first = yy * zz - yz * yz, xz * yz - xy * zz, xy * yz - xz * yy
    second = first[1], xx * zz - xz * xz, xy * xz - xx * yz
    third = first[2], second[2], xx * yy - xy * xy
    determinant = xx * first[0] + xy * first[1] + xz * first[2]
    x, y, z = right
    numerators = [
        row[0] * x + row[1] * y + row[2] * z for row in (first, second, third)
    ]
    return numerators, determinant


def _reproducing_fit(alpha: FloatArray, image: ByteArray) -> PlaneStack:
    """Coefficients c, (h, w) each, with alpha = sum(c[:3] * RGB) + c[3] at each pixel.

    Args:
        alpha: (h, w).
        image: (h, w, 3).
    """
    fit, missed = _window_fits(alpha, image, EPSILON)
    weight = np.asarray(1 / (missed + MIN_FIT_QUALITY), np.float32)
    total = _window_mean(weight)
    *slopes, offset = (
        np.asarray(_window_mean(plane * weight) / total, np.float32) for plane in fit
    )
    slopes = [np.asarray(slope / 255, np.float32) for slope in slopes]
    gap = alpha - offset
    for slope, colour in zip(slopes, cv2.split(image), strict=True):
        gap -= slope * colour
    # Compensate the eighth of each cell's mean that interpolation takes from each side.
    kernel, border = np.array([1, 6, 1], np.float32) / 8, cv2.BORDER_REFLECT
    offset += 2 * gap - cv2.sepFilter2D(gap, -1, kernel, kernel, borderType=border)
    return [*slopes, offset]


def _soft_band(alpha: FloatArray) -> FloatArray:
    """1 where an edge runs through the neighbourhood, else 0; (h, w)."""
    kernel = np.ones((3, 3), np.uint8)
    low, high = cv2.erode(alpha, kernel), cv2.dilate(alpha, kernel)
    soft = ((low < OPAQUE) & (high > CLEAR)).astype(np.float32)
    return np.asarray(cv2.dilate(soft, kernel))


@dataclass(frozen=True, slots=True, eq=False)
class _Interpolation:
    """Bilinear interpolation along one direction, as matrix products.

    Attributes:
        edges: the full-size pixel where each cell begins, and the end of the last.
        blocks: weights (pixels, cells) of BLOCK cells each and their neighbours.
    """

    edges: tuple[int, ...]
    blocks: tuple[FloatArray, ...]

    @classmethod
    @lru_cache(maxsize=4)
    def of(cls, cells: int, pixels: int) -> _Interpolation:
        """From ``cells`` cells to ``pixels`` pixels."""
        edges = tuple(round(i * pixels / cells) for i in range(cells + 1))
        full = np.arange(pixels, dtype=np.float32)
        place = np.clip((full + 0.5) * (cells / pixels) - 0.5, 0, cells - 1)
        blocks = []
        for first in range(0, cells, BLOCK):
            last = min(first + BLOCK, cells)
            near = np.arange(cells, dtype=np.float32)[_with_neighbours(first, last)]
            gap = np.abs(place[edges[first] : edges[last], None] - near)
            blocks.append(np.maximum(0, 1 - gap).astype(np.float32))
        return cls(edges, tuple(blocks))

    def pixels(self, first: int, last: int) -> slice:
        """The pixels of some cells."""
        return slice(self.edges[first], self.edges[last])

    def weights(self, first: int, last: int) -> FloatArray:
        """Weights (pixels, cells) of some cells of a block, with their neighbours."""
        index = first // BLOCK
        begin = index * BLOCK
        top, left = self.edges[begin], max(0, begin - 1)
        near = _with_neighbours(first, last)
        return self.blocks[index][
            self.edges[first] - top : self.edges[last] - top,
            near.start - left : near.stop - left,
        ]
