"""Thumbnails of image files, read without decoding the whole file where possible."""

from __future__ import annotations

import contextlib
import warnings
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from PIL import Image, ImageOps

from zim_app.core.decoding import FORMATS, MAX_PIXELS
from zim_app.core.images import TRANSPARENT_GREY, load_image
from zim_model.arrays import ByteArray

_PLAIN_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK")
"""Pillow's modes that it converts to 8-bit RGB correctly."""


def read_thumbnail(path: Path, side: int) -> ByteArray:
    """A thumbnail of an image file, upright; transparency is composited over grey.

    Args:
        path: of the file.
        side: of the square that it fits in, in pixels.

    Returns:
        (H, W, 3) uint8, sRGB unless the file has another profile.

    Raises:
        ImageError: the file cannot be read as an image.
    """
    with contextlib.suppress(Exception), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(path, formats=FORMATS) as image:
            if image.mode in _PLAIN_MODES and image.width * image.height <= MAX_PIXELS:
                return _downscale(image, side)
    rgb = load_image(path).rgb  # modes beyond Pillow, or the error
    scale = side / max(rgb.shape[:2])
    size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
    return cast(ByteArray, cv2.resize(rgb, size, interpolation=cv2.INTER_AREA))


def _downscale(image: Image.Image, side: int) -> ByteArray:
    image.draft("RGB", (side, side))  # decodes JPEG at a fraction of its size
    small: Image.Image = image
    if image.has_transparency_data:
        small = image.convert("RGBA")
    elif image.mode != "RGB":
        small = image.convert("RGB")
    small.thumbnail((side, side))
    small = ImageOps.exif_transpose(small)
    if small.mode == "RGBA":
        grey = Image.new("RGBA", small.size, (TRANSPARENT_GREY,) * 3 + (255,))
        small = Image.alpha_composite(grey, small).convert("RGB")
    return np.ascontiguousarray(small)
