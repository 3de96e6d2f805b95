"""Decode a checked file with Pillow, into samples of 8 bits."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from zim_app.core.decoders.base import Damaged
from zim_app.core.pixels import strips
from zim_model.arrays import ByteArray


def decode_samples(data: bytes, file_format: str) -> tuple[ByteArray, str]:
    """Decode a file of one picture.

    Args:
        data: the file.
        file_format: Pillow's name of its format.

    Returns:
        (H, W, S) uint8 samples and Pillow's mode: L, LA, P (indices), RGB, RGBA, CMYK,
        or another for samples that are of no use here.

    Raises:
        Exception: the file is damaged; Pillow raises many classes.
    """
    try:
        with Image.open(io.BytesIO(data), formats=(file_format,)) as image:
            image.load()
            return samples(image), "L" if image.mode == "1" else image.mode
    except Image.DecompressionBombError as error:  # the size was checked before
        raise Damaged("its size is contradictory") from error


def samples(image: Image.Image) -> ByteArray:
    """The samples of an image, (H, W, S) uint8."""
    bands = len(image.getbands())
    width, height = image.size
    result = np.empty((height, width, bands), np.uint8)
    # In strips, because Pillow's own conversion to an array holds a second copy.
    for rows in strips(height, width):
        part = image.crop((0, rows.start, width, rows.stop))
        if part.mode == "1":
            part = part.convert("L")
        result[rows] = np.asarray(part).reshape(*part.size[::-1], bands)
    return result
