"""Decode HEIC and AVIF files (ISO/IEC 23008-12) with libheif and libavif.

HEIC needs ``pillow-heif``; AVIF is read by Pillow, where it was built with libavif.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping
from typing import Any, cast

import numpy as np
from PIL import Image, features

from zim_app.core.decoders.base import (
    ORIENTATION,
    Damaged,
    DecodedImage,
    Metadata,
    check_size,
    unsupported,
    valid_orientation,
)
from zim_app.core.decoders.pillow import samples
from zim_app.core.pixels import PixelArray, convert_depth
from zim_model.arrays import WordArray
from zim_model.errors import msg

_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1")
_AVIF_BRANDS = (b"avif", b"avis")
_NCLX = b"colrnclx"
_PRIMARIES = (1, 2, 5, 6, 7)
"""Of ISO/IEC 23091-2: BT.709, which sRGB has, unspecified, and those of television."""
_TRANSFERS = (1, 2, 4, 5, 6, 7, 13, 14, 15)
"""All but linear light and those of high dynamic range."""


def kind_of(head: bytes) -> str | None:
    """The format, HEIC or AVIF, that the first bytes of a file tell, else None."""
    if head[4:8] != b"ftyp":
        return None
    size = int.from_bytes(head[:4], "big")
    box = head[8:size]
    brands = {box[at : at + 4] for at in range(0, len(box), 4)}
    if brands & {*_AVIF_BRANDS}:
        return "AVIF"
    return "HEIC" if brands & {*_HEIC_BRANDS} else None


def decode_avif(data: bytes, name: str) -> DecodedImage:
    """Decode the first picture of an AVIF file, at 8 bits.

    Raises:
        ImageError: it is too large, or this Pillow or the variant is not supported.
        Exception: it is damaged.
    """
    if not features.check("avif"):
        raise unsupported(
            name,
            msg("it is an AVIF file, and this Pillow was built without AVIF"),
            msg("Update Pillow (pip install -U pillow), or convert it to JPEG or PNG."),
        )
    metadata = Metadata()
    with Image.open(io.BytesIO(data), formats=("AVIF",)) as image:
        check_size(name, *image.size)
        _read_profile(metadata, data, name, image.info)
        # Pillow makes the file's own turns a value of EXIF.
        metadata.orientation = valid_orientation(image.getexif().get(ORIENTATION)) or 1
        image.load()
        pixels = samples(image)
    return _to_image(pixels, metadata)


def decode_heic(data: bytes, name: str) -> DecodedImage:
    """Decode the main picture of a HEIC file, at 8 or 16 bits.

    Raises:
        ImageError: it is too large, of a variant that is not read, or ``pillow-heif``
            is not installed.
        Damaged: it is damaged.
    """
    try:
        import pillow_heif
    except ImportError as error:
        raise unsupported(
            name,
            msg("it is a HEIC photo"),
            msg(
                "Install the extra [heif] (pip install pillow-heif), or convert it to "
                "JPEG or PNG."
            ),
        ) from error
    metadata = Metadata()
    try:
        photo = pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=False)
        check_size(name, *photo.size)
        _read_profile(metadata, data, name, photo.info)
        pixels = np.asarray(photo)
    except (ValueError, EOFError, OSError) as error:
        raise Damaged(str(error)) from error
    metadata.orientation = 1  # libheif has turned it
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    if pixels.dtype == np.uint16:
        pixels = _from_highest_bits(pixels, int(photo.info.get("bit_depth", 16)))
    return _to_image(pixels, metadata)


def _read_profile(
    metadata: Metadata, data: bytes, name: str, info: Mapping[Any, Any]
) -> None:
    """Take the profile; refuse colours that are not sRGB without a profile."""
    metadata.read_exif(info.get("exif") or b"")
    icc = info.get("icc_profile")
    if icc:
        metadata.set_profile(icc)
        return
    at = data.find(_NCLX)
    if at >= 0 and len(data) >= at + 12:
        primaries, transfer = struct.unpack_from(">HH", data, at + len(_NCLX))
        if primaries not in _PRIMARIES or transfer not in _TRANSFERS:
            raise unsupported(
                name,
                msg("its colours are of high dynamic range or of a wide gamut"),
                msg("Save it with an ICC profile, or as sRGB, first."),
            )


def _from_highest_bits(pixels: PixelArray, bits: int) -> PixelArray:
    """Samples of 9 to 16 bits in the upper bits of 16, as 0 to 65535."""
    largest = (1 << bits) - 1
    values = (pixels >> (16 - bits)).astype(np.uint32)
    return cast(PixelArray, ((values * 65535 + largest // 2) // largest).astype("u2"))


def _to_image(pixels: PixelArray, metadata: Metadata) -> DecodedImage:
    count = pixels.shape[2]
    alpha = None
    if count in (2, 4):
        alpha = cast(WordArray, convert_depth(pixels[..., -1], np.uint16))
    if count <= 2:
        return metadata.image(pixels[..., 0], "GRAY", alpha)
    return metadata.image(pixels[..., :3], "RGB", alpha)
