"""Decode TIFF and BigTIFF files (TIFF 6.0; Adobe's technical notes).

tifffile reads the structure, in Python, and decompresses with imagecodecs.  YCbCr that
is not JPEG-compressed is left to libtiff, by way of Pillow.
"""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import tifffile
from PIL import Image
from tifffile import EXTRASAMPLE, PHOTOMETRIC, TiffPage

from zim_app.core.colour import Space, floats_to_light, usable_profile
from zim_app.core.decoders import raw
from zim_app.core.decoders.base import (
    MAX_PIXELS,
    MAX_TEXT,
    ORIENTATION,
    UNITS,
    Damaged,
    DecodedImage,
    Metadata,
    check_size,
    unsupported,
    valid_dpi,
    valid_orientation,
)
from zim_app.core.decoders.light import image_of_light
from zim_app.core.decoders.pillow import samples as pillow_samples
from zim_app.core.pixels import (
    PixelArray,
    convert_depth,
    to_full_range,
    unpremultiply,
)
from zim_model.arrays import FloatArray, WordArray
from zim_model.errors import Message, msg

MAGICS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

_MAX_SAMPLES = 16
"""Samples a pixel; colours, alpha and masks are fewer."""
_SAMPLES: dict[Space, int] = {"GRAY": 1, "RGB": 3, "CMYK": 4}
_SPACES: dict[int, Space] = {
    PHOTOMETRIC.MINISWHITE: "GRAY",
    PHOTOMETRIC.MINISBLACK: "GRAY",
    PHOTOMETRIC.MASK: "GRAY",
    PHOTOMETRIC.PALETTE: "GRAY",  # indices
    PHOTOMETRIC.RGB: "RGB",
    PHOTOMETRIC.SEPARATED: "CMYK",
    PHOTOMETRIC.YCBCR: "RGB",  # which JPEG decoders return
}
_JPEG = (7, 33003, 33004, 33005, 34712, 34892, 50001, 50002, 52546)
"""Compressions with a colour transform of their own."""
_OLD_JPEG = 6
_REDUCED, _MASK = 1, 4  # flags of NewSubfileType
_INK_SET, _XMP, _PHOTOMETRIC, _COLOUR_MAP = 332, 700, 262, 320
_PROFILE, _X_RESOLUTION, _Y_RESOLUTION, _UNIT = 34675, 282, 283, 296

logging.getLogger("tifffile").addHandler(logging.NullHandler())  # not to stderr


def decode_tiff(path: Path) -> DecodedImage:
    """Decode the first page of a TIFF file that is neither a preview nor a mask.

    Raises:
        ImageError: it is too large, a raw photo, or of a variant that is not read.
        Exception: it is damaged; tifffile and imagecodecs raise many classes.
    """
    with tifffile.TiffFile(path) as tiff:
        raw.refuse_raw(path, tiff)
        index, page = _main_page(tiff)
        check_page(path.name, page)
        metadata = _read_metadata(page)
        if page.compression == _OLD_JPEG or (
            page.photometric == PHOTOMETRIC.YCBCR and page.compression not in _JPEG
        ):
            return _decode_with_libtiff(path, index, metadata)
        if page.dtype is not None and page.dtype.kind == "f":
            return _to_image_of_light(page, _pixels(page), metadata)
        return _to_image(page, _pixels(page), metadata)


def read_floats(path: Path) -> FloatArray:
    """The samples of the first page of a TIFF file of floats, (H, W, S), as stored.

    Raises:
        ImageError, Exception: as :func:`decode_tiff`.
    """
    with tifffile.TiffFile(path) as tiff:
        _, page = _main_page(tiff)
        check_page(path.name, page)
        return cast(FloatArray, _pixels(page))


def read_tiff_size(path: Path) -> tuple[int, int, int]:
    """Width, height and orientation of the page that :func:`decode_tiff` decodes.

    Raises:
        ImageError, Exception: as :func:`decode_tiff`, as far as headers show it.
    """
    with tifffile.TiffFile(path) as tiff:
        raw.refuse_raw(path, tiff)
        _, page = _main_page(tiff)
        check_page(path.name, page)
        orientation = valid_orientation(page.tags.valueof(ORIENTATION))
        return page.imagewidth, page.imagelength, orientation or 1


def _main_page(tiff: tifffile.TiffFile) -> tuple[int, TiffPage]:
    """The first page that is neither a preview nor a mask, else the first page."""
    if not len(tiff.pages):
        raise Damaged("its pages are missing")
    for index, page in enumerate(tiff.pages):
        if isinstance(page, TiffPage) and not page.subfiletype & (_REDUCED | _MASK):
            return index, page
        if index > raw.MAX_PAGES:
            break
    return 0, cast(TiffPage, tiff.pages[0])


def check_page(name: str, page: TiffPage) -> None:
    """Check what a page's tags say about its pixels, before these are decoded.

    Raises:
        ImageError: it is too large, or of a variant that is not read.
        Damaged: it is impossible.
    """
    check_size(name, page.imagewidth, page.imagelength)
    reason = _reason_against(page)
    if reason is not None:
        raise unsupported(name, reason)
    if page.is_tiled and page.tilewidth * page.tilelength > MAX_PIXELS:
        raise Damaged(f"its tiles are {page.tilewidth} x {page.tilelength}")
    size = page.parent.filehandle.size
    ends = zip(page.dataoffsets, page.databytecounts, strict=False)
    if any(offset + count > size for offset, count in ends):
        raise Damaged("it ends too early")
    if len(page.dataoffsets) != len(page.databytecounts) or not page.dataoffsets:
        raise Damaged("the place of its pixels is missing")


def _reason_against(page: TiffPage) -> Message | None:
    """Why a page is of a variant that is not read, else None."""
    bits, kind = page.bitspersample, page.dtype
    floats = kind is not None and kind.kind == "f"
    if kind is None or not isinstance(bits, int) or not _is_read(kind, bits):
        return msg(
            "its samples are {bits}-bit {kind}",
            bits=bits,
            kind="unknown" if kind is None else kind.name,
        )
    space = _SPACES.get(page.photometric)
    if floats and page.photometric not in (PHOTOMETRIC.MINISBLACK, PHOTOMETRIC.RGB):
        space = None
    if space is None or page.imagedepth > 1:
        return msg("its colours are {kind}", kind=_name_of(page.photometric))
    if page.photometric == PHOTOMETRIC.SEPARATED and _inks(page) != 1:
        return msg("its inks are others than CMYK")
    count = page.samplesperpixel
    if not _SAMPLES[space] <= count <= _MAX_SAMPLES:
        return msg("its {count} samples a pixel are of unknown kind", count=count)
    try:
        tifffile.TIFF.DECOMPRESSORS[page.compression]
    except KeyError:
        kind_of = _name_of(page.compression)
        return msg("its compression is {kind}", kind=kind_of)
    if page.predictor not in (1, 3 if floats else 2):
        return msg("its predictor is {kind}", kind=_name_of(page.predictor))
    return None


def _is_read(kind: np.dtype[Any], bits: int) -> bool:
    return (
        bits in (16, 32, 64) if kind.kind == "f" else kind.kind in "ub" and bits <= 16
    )


def _name_of(value: Any) -> str:
    return str(getattr(value, "name", value))


def _inks(page: TiffPage) -> int:
    value = page.tags.valueof(_INK_SET, default=1)
    return int(value) if isinstance(value, int) else 1


# --- Metadata -------------------------------------------------------------------------


def _read_metadata(page: TiffPage) -> Metadata:
    metadata, tags = Metadata(), page.tags
    icc = tags.valueof(_PROFILE)
    if icc is not None:
        metadata.set_profile(icc if isinstance(icc, bytes) else None)
    metadata.orientation = valid_orientation(tags.valueof(ORIENTATION))
    xmp = tags.valueof(_XMP)
    if isinstance(xmp, bytes):
        metadata.read_xmp(xmp[:MAX_TEXT])
    unit = tags.valueof(_UNIT, default=2)
    scale = UNITS.get(unit) if isinstance(unit, int) else None
    try:
        sides = [
            numerator / denominator
            for numerator, denominator in map(
                tags.valueof, (_X_RESOLUTION, _Y_RESOLUTION)
            )
        ]
    except (TypeError, ValueError, ZeroDivisionError):
        sides = []
    metadata.dpi = valid_dpi(sides, scale) if scale else None
    return metadata


# --- Pixels ---------------------------------------------------------------------------


def _pixels(page: TiffPage) -> PixelArray:
    """All samples, (H, W, S), as integers of the file's own number of bits."""
    segments = len(page.dataoffsets)
    if not page.is_contiguous and segments < _segment_count(page):
        raise Damaged("some of its pixels are missing")
    pixels = page.asarray(squeeze=False)  # (planes, depth, H, W, samples)
    if pixels.dtype == np.bool_:
        pixels = pixels.view(np.uint8)
    if pixels.shape[0] > 1:
        return np.moveaxis(pixels[:, 0, :, :, 0], 0, -1)
    return cast(PixelArray, pixels[0, 0])


def _segment_count(page: TiffPage) -> int:
    """Number of strips or tiles that cover the page."""
    width, height = page.imagewidth, page.imagelength
    planes = page.samplesperpixel if page.planarconfig == 2 else 1
    if page.is_tiled:
        return planes * (-(-width // page.tilewidth) * -(-height // page.tilelength))
    return planes * -(-height // max(1, min(page.rowsperstrip, height)))


def _split(page: TiffPage, pixels: Any) -> tuple[Space, Any, Any, bool]:
    """Colour space, colours, alpha or None, and whether it is premultiplied."""
    space = _SPACES[page.photometric]
    if _PHOTOMETRIC not in page.tags:  # libtiff assumes the same
        space = "RGB" if page.samplesperpixel >= 3 else "GRAY"
    bands = _SAMPLES[space]
    kinds = list(page.extrasamples)[: page.samplesperpixel - bands]
    extra = next(
        (k for k in kinds if k in (EXTRASAMPLE.ASSOCALPHA, EXTRASAMPLE.UNASSALPHA)),
        None,
    )
    alpha = None if extra is None else pixels[..., bands + kinds.index(extra)]
    colour = pixels[..., 0] if bands == 1 else pixels[..., :bands]
    return space, colour, alpha, extra == EXTRASAMPLE.ASSOCALPHA


def _to_image_of_light(page: TiffPage, pixels: Any, metadata: Metadata) -> DecodedImage:
    """The image of floats, which are light unless a profile says otherwise."""
    space, colour, alpha, premultiplied = _split(page, pixels)
    icc, convert = metadata.icc, None
    if icc is not None and usable_profile(icc, space) is None:
        metadata.set_profile(None)
    elif icc is not None:
        convert = partial(floats_to_light, icc=icc, space=space)
    return image_of_light(
        metadata, colour, alpha, premultiplied=premultiplied, convert=convert
    )


def _to_image(page: TiffPage, pixels: PixelArray, metadata: Metadata) -> DecodedImage:
    """Split samples into colour, not premultiplied, and alpha."""
    space, colour, alpha, premultiplied = _split(page, pixels)
    bits = page.bitspersample
    if page.photometric == PHOTOMETRIC.PALETTE:
        colour, space = _look_up(page, colour), "RGB"
    elif alpha is not None and premultiplied:
        colour = unpremultiply(colour, alpha, _depth(bits))
    else:
        colour = to_full_range(colour, bits)
    if page.photometric == PHOTOMETRIC.MINISWHITE and _PHOTOMETRIC in page.tags:
        colour = np.iinfo(colour.dtype).max - colour
    if alpha is not None:
        alpha = convert_depth(to_full_range(alpha, bits), np.uint16)
    return metadata.image(colour, space, cast("WordArray | None", alpha))


def _depth(bits: int) -> type:
    return np.uint8 if bits <= 8 else np.uint16


def _look_up(page: TiffPage, indices: PixelArray) -> PixelArray:
    """The colours of indices, (H, W, 3) uint8."""
    stored = page.colormap
    if stored is None or stored.shape[0] != 3:
        raise Damaged("its colour map is missing")
    # Of 16 bits; of 8 bits from some programs, as libtiff assumes too.
    shift = 8 if stored.max() > 255 else 0
    table = np.zeros((1 << page.bitspersample, 3), np.uint8)
    table[: stored.shape[1]] = (stored >> shift).T[: len(table)]
    return table[indices]


def _decode_with_libtiff(path: Path, index: int, metadata: Metadata) -> DecodedImage:
    with Image.open(path, formats=("TIFF",)) as image:
        image.seek(index)
        image.load()
        metadata.orientation = None  # Pillow has turned it
        plain = image.mode in ("L", "RGB")
        pixels = pillow_samples(image if plain else image.convert("RGB"))
    if pixels.shape[2] == 1:
        return metadata.image(pixels[..., 0], "GRAY")
    return metadata.image(pixels, "RGB")
