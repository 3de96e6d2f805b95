"""From the network's small grid to the image's own resolution.

The guided upsampling is the fast guided filter (He and Sun 2015) with a colour guide
and radius 1: in every 3 x 3 window of the small image, alpha is fitted as a linear
function of colour; the fits are brought to full size and applied to the full-size
colours.  Larger radii lose the gain.  Two things are added to it: of the windows that
share a pixel the better fits count more, and what they all miss of the small matte is
put back, so that the result has its means.  On mattes reduced four times, this halves
bilinear interpolation's error.

A very small matte gets there in steps (:func:`stepped`), with plain fits: it is an
answer that hesitates, and not to be kept to the letter.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from zim_model.arrays import ByteArray, FloatArray, WordArray
from zim_model.request import ALPHA_MAX

EPSILON = 3e-5
"""Regularisation of the fits, for colours and alpha in [0, 1]."""
GOOD = 1e-4
"""Variance of alpha that a fit may leave unexplained and still count nearly in full."""
STEP, FINEST, STEP_EPSILON = 1.5, 324, 3e-4
"""A small matte grows by STEP at a time while its longer side stays within FINEST."""
OPAQUE, CLEAR = 0.98, 0.02
"""Alpha beyond these is flat: no edge runs there and nothing is fitted."""
CELLS = 8
"""Rows of the small grid treated at a time; only runs of cells with an edge are."""
LONGEST_RUN = 12
"""Cells of a run treated at a time: the interpolation's cost grows with its length."""


def upsampled(
    alpha: FloatArray,
    image: ByteArray,
    *,
    guided: bool,
    guide: ByteArray | None = None,
) -> WordArray:
    """Bring a matte to the size of an image.

    Args:
        alpha: (h, w) float32 in [0, 1], of the whole image.
        image: (H, W, 3) uint8 RGB.
        guided: follow the image's edges inside the soft band, else bilinear.
        guide: the image at the matte's size, (h, w, 3), where that is at hand.

    Returns:
        (H, W) uint16, 65535 opaque.
    """
    height, width = image.shape[:2]
    small = (np.clip(alpha, 0, 1) * ALPHA_MAX + 0.5).astype(np.uint16)
    out = np.asarray(cv2.resize(small, (width, height)), np.uint16)
    if not guided or height * width <= alpha.size:
        return out
    band = _soft_band(alpha)
    small_image = _at_size(image if guide is None else guide, alpha.shape)
    fit = _faithful_fit(alpha, small_image) * ALPHA_MAX
    maps = np.concatenate([fit, band[..., None]], -1).transpose(2, 0, 1).copy()
    rows = _edges(alpha.shape[0], height)
    columns = _edges(alpha.shape[1], width)
    for y in range(0, alpha.shape[0], CELLS):
        beside = band[max(0, y - 1) : y + CELLS + 1].any(0)
        beside |= np.roll(beside, 1) | np.roll(beside, -1)
        top, bottom = rows[y], rows[min(y + CELLS, alpha.shape[0])]
        for first, last in _runs(beside):
            part = np.s_[top:bottom, columns[first] : columns[last]]
            _follow_colours(out, image, maps, part)
    return out


def stepped(alpha: FloatArray, image: ByteArray) -> tuple[FloatArray, ByteArray | None]:
    """Bring a small matte to a finer grid in steps that each follow the colours.

    A network's hesitant edge is narrowed a little at every step, where one step alone
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
    # Of a large image a part of the pixels tells the colours of so small a grid.
    stride = max(1, max(image.shape[:2]) // (4 * FINEST))
    columns, rows = (max(1, side // stride) for side in image.shape[1::-1])
    thinned = cv2.resize(image, (columns, rows), interpolation=cv2.INTER_NEAREST)
    image = np.asarray(thinned, np.uint8)
    scale = min(1.0, FINEST / max(image.shape[:2]))
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    guide = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    finer: ByteArray | None = None
    while max(alpha.shape) * STEP <= limit:
        height, width = (max(1, round(side * STEP)) for side in alpha.shape)
        resized = cv2.resize(guide, (width, height), interpolation=cv2.INTER_AREA)
        finer = np.asarray(resized, np.uint8)
        alpha = _step(alpha, finer)
    # Resizing a small image once more costs little and is a little more exact.
    return alpha, finer if stride > 1 else None


def _step(alpha: FloatArray, image: ByteArray) -> FloatArray:
    """One step: alpha (h, w) at the size of an image (H, W, 3), a little larger."""
    height, width = image.shape[:2]
    band = _soft_band(alpha)
    slope, offset, _ = _window_fits(alpha, _at_size(image, alpha.shape), STEP_EPSILON)
    fit = _mean(np.dstack([slope, offset]))
    fit[..., :3] /= 255
    maps = np.concatenate([fit, band[..., None], alpha[..., None]], -1)
    maps = np.asarray(cv2.resize(maps, (width, height)), np.float32)
    followed = (maps[..., :3] * image).sum(-1) + maps[..., 3]
    plain, inside = maps[..., 5], maps[..., 4]
    return np.asarray(plain + inside * (followed.clip(0, 1) - plain), np.float32)


def _follow_colours(
    out: WordArray, image: ByteArray, maps: FloatArray, part: tuple[slice, slice]
) -> None:
    """Replace a part of alpha by its fit to the colours, as far as the band says.

    Args:
        out: (H, W), changed in place.
        image: (H, W, 3).
        maps: (5, h, w): slopes for R, G, B and offset, all times ALPHA_MAX, and band.
        part: rows and columns of the full-size grid.
    """
    *slopes, value, inside = _resampled(maps, part, image.shape)
    colours, alpha = image[part], out[part]
    for channel, slope in enumerate(slopes):
        slope *= colours[..., channel]
        value += slope
    np.clip(value, 0, ALPHA_MAX, out=value)
    if inside.min() < 1:
        value -= alpha
        value *= inside
        value += alpha
    value += 0.5
    alpha[...] = value


def _edges(cells: int, pixels: int) -> list[int]:
    """The full-size pixel where each small cell begins, and the end of the last."""
    return [round(i * pixels / cells) for i in range(cells + 1)]


def _runs(flags: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Half-open ranges of consecutive true values, at most LONGEST_RUN long."""
    steps = np.flatnonzero(np.diff(np.r_[False, flags, False].astype(np.int8)))
    return [
        (start, min(start + LONGEST_RUN, int(stop)))
        for begin, stop in steps.reshape(-1, 2)
        for start in range(int(begin), int(stop), LONGEST_RUN)
    ]


def _at_size(image: ByteArray, shape: tuple[int, ...]) -> ByteArray:
    """The image at a matte's size (h, w)."""
    if image.shape[:2] == shape[:2]:
        return image
    size = (shape[1], shape[0])
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _mean(values: npt.NDArray[np.floating]) -> FloatArray:
    """Means over 3 x 3 windows, of an (h, w) or (h, w, N) array."""
    blurred = cv2.blur(values, (3, 3), borderType=cv2.BORDER_REFLECT)
    return np.asarray(blurred, np.float32)


def _window_fits(
    alpha: FloatArray, image: ByteArray, epsilon: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Alpha as a linear function of colour, in the window around each pixel.

    Args:
        alpha: (h, w).
        image: (h, w, 3).
        epsilon: regularisation.

    Returns:
        Slopes (h, w, 3) for colours in [0, 1], offset (h, w), and the variance of
        alpha (h, w) that they leave unexplained.
    """
    guide = image.astype(np.float32) / 255
    mean_guide, mean_alpha = _mean(guide), _mean(alpha)
    covariance = _mean(guide * alpha[..., None]) - mean_guide * mean_alpha[..., None]
    # Only the band and what its means and interpolation reach is ever looked at.
    near = cv2.dilate(_soft_band(alpha), np.ones((5, 5), np.uint8)) > 0
    entries = []
    for i, j in ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)):
        entry = _mean(guide[..., i] * guide[..., j])[near].astype(np.float64)
        entry -= mean_guide[near, i] * mean_guide[near, j]
        entries.append(entry + epsilon if i == j else entry)
    slope = np.zeros_like(covariance)
    slope[near] = _solved(entries, covariance[near])
    offset = mean_alpha - (slope * mean_guide).sum(-1)
    missed = (
        _mean(alpha * alpha) - mean_alpha * mean_alpha - (slope * covariance).sum(-1)
    )
    return slope, offset, np.maximum(missed, 0)


def _solved(
    entries: list[npt.NDArray[np.float64]], right: FloatArray
) -> npt.NDArray[np.float64]:
    """Solutions (N, 3) of N small symmetric systems, by their adjugates.

    Args:
        entries: six of (N,): xx, xy, xz, yy, yz, zz.
        right: right-hand sides, (N, 3).
    """
    xx, xy, xz, yy, yz, zz = entries
    first = yy * zz - yz * yz, xz * yz - xy * zz, xy * yz - xz * yy
    second = first[1], xx * zz - xz * xz, xy * xz - xx * yz
    third = first[2], second[2], xx * yy - xy * xy
    scale = 1 / (xx * first[0] + xy * first[1] + xz * first[2])
    x, y, z = right.T
    rows = (row[0] * x + row[1] * y + row[2] * z for row in (first, second, third))
    return np.stack([row * scale for row in rows], axis=1)


def _faithful_fit(alpha: FloatArray, image: ByteArray) -> FloatArray:
    """Coefficients (h, w, 4) with alpha = sum(c[:3] * RGB) + c[3] at each pixel.

    Args:
        alpha: (h, w).
        image: (h, w, 3).
    """
    slope, offset, missed = _window_fits(alpha, image, EPSILON)
    weight = (1 / (missed + GOOD))[..., None]
    sums = _mean(np.dstack([slope * weight, offset[..., None] * weight, weight]))
    fit = np.asarray(sums[..., :4] / sums[..., 4:], np.float32)
    fit[..., :3] /= 255
    gap = alpha - (fit[..., :3] * image).sum(-1) - fit[..., 3]
    # Interpolation takes an eighth of each cell's mean from either side: made up for.
    kernel, border = np.array([1, 6, 1], np.float32) / 8, cv2.BORDER_REFLECT
    fit[..., 3] += 2 * gap - cv2.sepFilter2D(gap, -1, kernel, kernel, borderType=border)
    return fit


def _soft_band(alpha: FloatArray) -> FloatArray:
    """1 where an edge runs through the neighbourhood, else 0; (h, w)."""
    kernel = np.ones((3, 3), np.uint8)
    low, high = cv2.erode(alpha, kernel), cv2.dilate(alpha, kernel)
    soft = ((low < OPAQUE) & (high > CLEAR)).astype(np.float32)
    return np.asarray(cv2.dilate(soft, kernel))


def _resampled(
    maps: FloatArray, part: tuple[slice, slice], shape: tuple[int, ...]
) -> FloatArray:
    """Bilinear values (K, h, w) of a part of the full-size grid, from (K, h', w').

    As two matrix products, which are quick and leave other threads alone.
    """
    rows, vertical = _interpolation(maps.shape[1], shape[0], part[0])
    columns, horizontal = _interpolation(maps.shape[2], shape[1], part[1])
    return np.asarray(vertical @ maps[:, rows, columns] @ horizontal.T, np.float32)


def _interpolation(cells: int, pixels: int, wanted: slice) -> tuple[slice, FloatArray]:
    """The cells between which full-size pixels lie, and their weights (n, cells)."""
    full = np.arange(wanted.start, wanted.stop, dtype=np.float32)
    place = np.clip((full + 0.5) * (cells / pixels) - 0.5, 0, cells - 1)
    first, last = int(place[0]), min(int(place[-1]) + 1, cells - 1)
    near = np.arange(first, last + 1, dtype=np.float32)
    weights = np.maximum(0, 1 - np.abs(place[:, None] - near))
    return slice(first, last + 1), np.asarray(weights, np.float32)
