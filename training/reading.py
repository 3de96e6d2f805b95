"""Photos, mattes and label maps as arrays, for training and for its evaluation.

Photos are decoded as the application does: JPEG, PNG, WebP, TIFF and the other formats
of :func:`zim_app.core.images.load_image`, upright and in sRGB.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from zim_app.core.images import load_image
from zim_model.arrays import ByteArray, size_within
from zim_model.errors import ImageError
from zim_model.evaluation.reading import read_grey, read_matte
from zim_model.request import ALPHA_MAX

CACHE_SIZE = 6000
"""Downscaled images kept in memory by each process."""
MASK_ONES = (1, 257)
"""What a mask's 1 of 16 and of 8 bits is as a matte of 16 bits."""
Kind = Literal["photo", "alpha", "labels"]
CURE = "Repair or remove it."


def read_photo(path: Path, longest: int = 0) -> ByteArray:
    """A photo, (H, W, 3) uint8 sRGB, read-only.

    Args:
        path: the file.
        longest: side in pixels that larger images are downscaled to, and then kept in
            memory; 0 for neither.

    Raises:
        ImageError: it is missing, damaged or of an unknown format.
    """
    return (_remembered if longest else decode)(path, "photo", longest)


def read_alpha(path: Path, longest: int = 0) -> ByteArray:
    """A matte of 8 or 16 bits, (H, W) uint8, 255 opaque; see :func:`read_photo`.

    One without values above 1 is a mask, where 1 is opaque.
    """
    return (_remembered if longest else decode)(path, "alpha", longest)


def read_labels(path: Path, longest: int = 0) -> ByteArray:
    """A label map, (H, W) uint8, 0 unknown; downscaled by nearest neighbours.

    The regions of a map of 16 bits are numbered anew, in the order of their numbers.

    Raises:
        ImageError: as :func:`read_photo`, or it is no map of at most 255 regions.
    """
    return (_remembered if longest else decode)(path, "labels", longest)


def decode(path: Path, kind: Kind, longest: int) -> ByteArray:
    """Read a file without keeping it in memory; see :func:`read_photo`."""
    if kind == "labels":
        return resized(_region_numbers(path), longest, Image.Resampling.NEAREST)
    if kind == "alpha":
        matte = read_matte(path)
        if matte.max(initial=0) in MASK_ONES:
            matte = np.where(matte > 0, np.uint16(ALPHA_MAX), np.uint16(0))
        plane = (matte.astype(np.uint32) + 128) // 257
        return resized(plane.astype(np.uint8), longest)
    try:
        pixels = load_image(path).rgb
    except ImageError as error:  # it may name the file without its folder
        raise ImageError(f"{path} cannot be read: {error.message}", CURE) from error
    return resized(pixels, longest)


_remembered = lru_cache(maxsize=CACHE_SIZE)(decode)


def _region_numbers(path: Path) -> ByteArray:
    labels = read_grey(path)
    if labels.ndim != 2:
        raise ImageError(f"{path} is in colour, not a map of regions.", CURE)
    if labels.max(initial=0) <= 255:
        return labels.astype(np.uint8)
    values, places = np.unique(labels, return_inverse=True)
    numbers = np.arange(len(values)) + (values[0] != 0)
    if numbers[-1] > 255:
        raise ImageError(f"{path} has {len(values)} regions, more than 255.", CURE)
    return np.asarray(numbers[places].reshape(labels.shape), np.uint8)


def resized(
    pixels: ByteArray,
    longest: int,
    method: Image.Resampling = Image.Resampling.BOX,
) -> ByteArray:
    """Pixels with sides of at most ``longest``; 0 keeps them."""
    if not longest or max(pixels.shape[:2]) <= longest:
        return pixels
    size = size_within(pixels.shape, longest)
    return np.asarray(Image.fromarray(pixels).resize(size, method), np.uint8)
