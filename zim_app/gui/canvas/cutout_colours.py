"""The colours of a cut-out on screen: the image's, or decontaminated ones."""

from __future__ import annotations

import numpy as np

from zim_app.gui.canvas.pyramid_item import Crop
from zim_model.arrays import ByteArray

Levels = tuple[ByteArray, ...]
"""A pyramid: the first level RGB, the others BGRA."""


def cutout_pixels(
    levels: Levels, foreground: Levels, index: int, crop: Crop
) -> ByteArray:
    """The colours of a crop of one level.

    Args:
        levels: of the image.
        foreground: of the matte's decontaminated colours; empty without any.  A draft
            lacks the first levels: there, the image is changed as its first level is.
        index: of the level in ``levels``.
        crop: the part of that level.

    Returns:
        (h, w, 3 or 4) uint8, ordered as that level.
    """
    if not foreground:
        return crop.pixels(levels[index])
    missing = len(levels) - len(foreground)
    if index >= missing:
        return crop.pixels(foreground[index - missing])
    pixels = crop.pixels(levels[index])
    change = _change(levels[missing], foreground[0], 1 << missing - index, crop)
    if pixels.shape[2] == 3:
        change = change[..., ::-1]
    corrected = pixels.copy()
    corrected[..., :3] = np.clip(pixels[..., :3] + change, 0, 255)
    return corrected


def _change(before: ByteArray, after: ByteArray, factor: int, crop: Crop) -> np.ndarray:
    """What was changed on a coarse level, for a crop of a finer one.

    Args:
        before, after: the coarse level, BGRA.
        factor: finer pixels per coarse pixel.

    Returns:
        (h, w, 3) int16, blue first, interpolated.
    """
    import cv2

    rows, columns = (
        slice(max(0, part.start // factor - 1), -(-part.stop // factor) + 1)
        for part in (crop.rows, crop.columns)
    )
    earlier, later = (level[rows, columns, :3] for level in (before, after))
    coarse = np.subtract(later, earlier, dtype=np.int16)
    if not coarse.any():
        return np.zeros((1, 1, 3), np.int16)
    size = coarse.shape[1] * factor, coarse.shape[0] * factor
    fine = cv2.resize(coarse, size, interpolation=cv2.INTER_LINEAR)
    top, left = crop.rows.start - rows.start * factor, crop.columns.start
    left -= columns.start * factor
    height = crop.rows.stop - crop.rows.start
    width = crop.columns.stop - crop.columns.start
    return fine[top : top + height, left : left + width]
