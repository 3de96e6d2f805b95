"""From the network's small grid to the image's own resolution.

The guided upsampling is the fast guided filter (He and Sun 2015) with a colour guide
and radius 1: in every 3 x 3 window of the small image, alpha is fitted as a linear
function of colour; the fits are brought to full size and applied to the full-size
colours.  On mattes reduced four times it halves bilinear interpolation's error; larger
radii lose the gain.  A very small matte gets there in steps (:func:`stepped`).
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from zim_model.arrays import ByteArray, FloatArray, WordArray
from zim_model.request import ALPHA_MAX

EPSILON = 1e-4
"""Regularisation of the fits, for colours and alpha in [0, 1]."""
STEP, FINEST, STEP_EPSILON = 1.5, 324, 3e-4
"""A small matte grows by STEP at a time while its longer side stays within FINEST."""
OPAQUE, CLEAR = 0.98, 0.02
"""Alpha beyond these is flat: no edge runs there and nothing is fitted."""
CELLS = 4
"""Rows of the small grid treated at a time; only runs of cells with an edge are."""
LONGEST_RUN = 8
"""Cells of a run treated at a time: the interpolation's cost grows with its length."""


def upsampled(alpha: FloatArray, image: ByteArray, *, guided: bool) -> WordArray:
    """Bring a matte to the size of an image.

    Args:
        alpha: (h, w) float32 in [0, 1], of the whole image.
        image: (H, W, 3) uint8 RGB.
        guided: follow the image's edges inside the soft band, else bilinear.

    Returns:
        (H, W) uint16, 65535 opaque.
    """
    height, width = image.shape[:2]
    small = (np.clip(alpha, 0, 1) * ALPHA_MAX + 0.5).astype(np.uint16)
    out = np.asarray(cv2.resize(small, (width, height)), np.uint16)
    if not guided or height * width <= alpha.size:
        return out
    band = _soft_band(alpha)
    fit = _colour_fit(alpha, image) * ALPHA_MAX
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


def stepped(alpha: FloatArray, image: ByteArray) -> FloatArray:
    """Bring a small matte to a finer grid in steps that each follow the colours.

    A network's hesitant edge is narrowed a little at every step, where one step alone
    would leave a band as wide as the coarse cells.

    Args:
        alpha: (h, w) float32 in [0, 1], of the whole image.
        image: (H, W, 3) uint8 RGB.

    Returns:
        (h', w') float32 in [0, 1]; a matte that is fine enough comes back as it is.
    """
    limit = min(FINEST, max(image.shape[:2]))
    if max(alpha.shape) * STEP > limit:
        return alpha
    scale = min(1.0, FINEST / max(image.shape[:2]))
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    guide = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    while max(alpha.shape) * STEP <= limit:
        height, width = (max(1, round(side * STEP)) for side in alpha.shape)
        finer = cv2.resize(guide, (width, height), interpolation=cv2.INTER_AREA)
        alpha = _step(alpha, np.asarray(finer, np.uint8))
    return alpha


def _step(alpha: FloatArray, image: ByteArray) -> FloatArray:
    """One step: alpha (h, w) at the size of an image (H, W, 3), a little larger."""
    height, width = image.shape[:2]
    band = _soft_band(alpha)
    fit = _colour_fit(alpha, image, STEP_EPSILON)
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


def _colour_fit(
    alpha: FloatArray, image: ByteArray, epsilon: float = EPSILON
) -> FloatArray:
    """Coefficients (h, w, 4) with alpha ~ sum(c[:3] * RGB) + c[3], smoothed."""
    height, width = alpha.shape
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    guide = small.astype(np.float32) / 255

    def mean(values: npt.NDArray[np.floating]) -> FloatArray:
        blurred = cv2.blur(values, (3, 3), borderType=cv2.BORDER_REFLECT)
        return np.asarray(blurred, np.float32)

    mean_guide, mean_alpha = mean(guide), mean(alpha)
    covariance = mean(guide * alpha[..., None]) - mean_guide * mean_alpha[..., None]
    matrix = np.empty((height, width, 3, 3), np.float32)
    for i in range(3):
        for j in range(i, 3):
            entry = mean(guide[..., i] * guide[..., j])
            entry = entry - mean_guide[..., i] * mean_guide[..., j]
            matrix[..., i, j] = matrix[..., j, i] = entry
    matrix += epsilon * np.eye(3, dtype=np.float32)
    slope = np.linalg.solve(matrix, covariance[..., None])[..., 0]
    offset = mean_alpha - (slope * mean_guide).sum(-1)
    fit = mean(np.concatenate([slope, offset[..., None]], -1).astype(np.float32))
    fit[..., :3] /= 255
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
