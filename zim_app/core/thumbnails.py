"""Thumbnails of image files; of JPEG files without decoding all pixels."""

from __future__ import annotations

import contextlib
import io
import warnings
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from PIL import Image

from zim_app.core import isolation
from zim_app.core.decoders import jpeg
from zim_app.core.images import load_image
from zim_app.core.pixels import upright
from zim_model.arrays import ByteArray


def read_thumbnail(path: Path, side: int) -> ByteArray:
    """A thumbnail of an image file, upright; transparency is composited over grey.

    Args:
        path: of the file.
        side: of the square that it fits in, in pixels.

    Returns:
        (H, W, 3) uint8, sRGB; of JPEG files in the file's own profile.

    Raises:
        ImageError: the file cannot be read as an image.
    """
    return isolation.run(path, _read, path, side)


def read_reduced_jpeg(path: Path, side: int) -> ByteArray | None:
    """A JPEG file at 1/1, 1/2, 1/4 or 1/8 of its size, the least above ``side``.

    Progressive files at 1/8, from their first scans, which are decoded many times as
    fast as all.

    Args:
        path: of the file.
        side: the shorter side has at least so many pixels, if the file's has.

    Returns:
        (H, W, 3) uint8, upright, in the file's own profile; None of other files, which
        are not decoded.

    Raises:
        ImageError: the file cannot be read.
    """
    return isolation.run(path, _reduce, path, side)


def _reduce(path: Path, side: int) -> ByteArray | None:
    with contextlib.suppress(Exception), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _read_coarse_jpeg(path, side) if _is_jpeg(path) else None
    return None


def _read_coarse_jpeg(path: Path, side: int) -> ByteArray:
    data, orientation = jpeg.coarse_picture(path.read_bytes(), path.name)
    with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
        progressive = bool(image.info.get("progressive"))
        return _decode_reduced(image, 1 if progressive else side, orientation)


def _is_jpeg(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(len(jpeg.MAGIC)) == jpeg.MAGIC


def _read(path: Path, side: int) -> ByteArray:
    with contextlib.suppress(Exception), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if _is_jpeg(path):
            return _read_jpeg(path, side)
    rgb = load_image(path).rgb  # other formats, or the error
    scale = side / max(rgb.shape[:2])
    size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
    return cast(ByteArray, cv2.resize(rgb, size, interpolation=cv2.INTER_AREA))


def _read_jpeg(path: Path, side: int) -> ByteArray:
    """A picture that fits into a square."""
    data, orientation = jpeg.still_picture(path.read_bytes(), path.name)
    with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
        return _decode_reduced(image, side, orientation, exact=True)


def _decode_reduced(
    image: Image.Image, side: int, orientation: int, *, exact: bool = False
) -> ByteArray:
    """The least reduced picture that fills a square, or one that fits into it."""
    image.draft("RGB", (side, side))  # decodes at a fraction of the size
    small = image if image.mode == "RGB" else image.convert("RGB")
    if exact:
        small.thumbnail((side, side))
    pixels = upright(np.asarray(small), orientation)
    return cast(ByteArray, np.ascontiguousarray(pixels))
