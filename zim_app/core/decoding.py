"""Decode image files into arrays, at the depth and in the colour space of the file.

Pillow reads every format, but reduces 16-bit colour to 8 bits, so 16-bit PNG pixels are
read with OpenCV and 16-bit TIFF pixels with tifffile.  Formats are detected by the
first bytes of a file, not by its suffix.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import tifffile
from PIL import Image, UnidentifiedImageError
from PIL.ExifTags import Base

from zim_app.core.colour import Space
from zim_app.core.pixels import PixelArray, convert_depth, strips
from zim_model.arrays import WordArray
from zim_model.errors import ImageError, msg

MAX_PIXELS = 150_000_000
"""Larger images are refused before they are decoded."""

MAX_DPI = 65535
"""Largest resolution of JPEG and PSD; a larger one is invalid and ignored."""

FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "BMP", "GIF")
"""Pillow's names of the formats that are read; JPEG includes the MPO of cameras."""

_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_TIFF_MAGICS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_SPACES: dict[str, Space] = {"L": "GRAY", "RGB": "RGB", "RGBA": "RGB", "CMYK": "CMYK"}
_TIFF_SPACES: dict[int, Space] = {
    tifffile.PHOTOMETRIC.MINISWHITE: "GRAY",
    tifffile.PHOTOMETRIC.MINISBLACK: "GRAY",
    tifffile.PHOTOMETRIC.RGB: "RGB",
    tifffile.PHOTOMETRIC.SEPARATED: "CMYK",
}
_SAMPLES: dict[Space, int] = {"GRAY": 1, "RGB": 3, "CMYK": 4}
_ORIENTATION = 274  # the EXIF and TIFF tag
_UNITS = {2: 1.0, 3: 2.54}
"""Factors from the resolution units of EXIF and TIFF (inch, cm) to pixels per inch."""

Bands = tuple[PixelArray, Space, WordArray | None]
"""The first three fields of :class:`DecodedImage`."""

logging.getLogger("tifffile").addHandler(logging.NullHandler())  # not to stderr


@dataclass(slots=True)
class DecodedImage:
    """A file's pixels as stored.

    Attributes:
        colour: uint8 or uint16; (H, W) grey, (H, W, 3) RGB or (H, W, 4) CMYK with 0
            for no ink; not premultiplied.
        space: the colour space.
        alpha: (H, W) uint16, or None.
        icc: the embedded profile, not validated.
        dpi: horizontal and vertical pixels per inch.
        orientation: 1 to 8 as in EXIF; 1 is upright.
    """

    colour: PixelArray
    space: Space
    alpha: WordArray | None = None
    icc: bytes | None = None
    dpi: tuple[float, float] | None = None
    orientation: int = 1


def decode(path: Path) -> DecodedImage:
    """Decode the first image of a file.

    Raises:
        ImageError: the format or its variant is not supported, or the image has more
            than ``MAX_PIXELS``.
        OSError: the file cannot be read.
        Exception: the file is damaged; the decoding libraries raise many classes.
    """
    with path.open("rb") as stream:
        head = stream.read(32)
    if not head:
        raise ImageError(
            msg("{name} is empty.", name=path.name), msg("Copy or download it again.")
        )
    if head.startswith(_TIFF_MAGICS):
        decoded = _decode_deep_tiff(path)
        if decoded is not None:
            return decoded
    return _decode_with_pillow(path, is_png16=_is_png16(head))


def _is_png16(head: bytes) -> bool:
    return head.startswith(_PNG_MAGIC) and head[24:25] == b"\x10"


def _check_size(path: Path, width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise _too_large_error(path, width * height, f" ({width} x {height})")


def _too_large_error(path: Path, pixels: int, size: str = "") -> ImageError:
    return ImageError(
        msg(
            "{name} has {pixels:.0f} million pixels{size}; the limit is {limit} "
            "million.",
            name=path.name,
            pixels=pixels / 1e6,
            size=size,
            limit=MAX_PIXELS // 1_000_000,
        ),
        msg("Crop it or make it smaller first."),
    )


# --- Pillow, and OpenCV for the pixels of 16-bit PNG ----------------------------------


def _decode_with_pillow(path: Path, *, is_png16: bool) -> DecodedImage:
    try:
        with Image.open(path, formats=FORMATS) as image:
            _check_size(path, *image.size)
            image.load()  # 16-bit PNG too: Pillow's checks are the strictest
            # After loading: Pillow turns TIFF upright then, and drops the tag.
            exif, info = image.getexif(), image.info
            orientation = _orientation(exif.get(_ORIENTATION))
            bands = None if is_png16 else _read_bands(path, image)
    except Image.DecompressionBombError as error:
        count = re.search(r"\d+", str(error))
        raise _too_large_error(path, int(count.group()) if count else 0) from error
    except UnidentifiedImageError as error:
        raise ImageError(
            msg("{name} is not a photo that zim-studio can read.", name=path.name),
            msg(
                "Convert it to JPEG, PNG, TIFF, WebP, BMP or GIF; if it is one "
                "already, it is damaged."
            ),
        ) from error
    colour, space, alpha = bands or _png16_bands(path, info.get("transparency"))
    return DecodedImage(
        colour,
        space,
        alpha,
        icc=info.get("icc_profile"),
        dpi=_dpi(info.get("dpi")) or _exif_dpi(exif),
        orientation=orientation,
    )


def _read_bands(path: Path, image: Image.Image) -> Bands:
    if image.has_transparency_data:
        image = image.convert("RGBA")
    elif image.mode in ("1", "P", "RGBX", "YCbCr"):
        image = image.convert("L" if image.mode == "1" else "RGB")
    if image.mode not in _SPACES:
        raise _unsupported_error(
            path, msg("its pixels are of the kind {mode}", mode=image.mode)
        )
    space = _SPACES[image.mode]
    width, height = image.size
    shape = (height, width) if space == "GRAY" else (height, width, _SAMPLES[space])
    colour = np.empty(shape, np.uint8)
    alpha = np.empty((height, width), np.uint16) if image.mode == "RGBA" else None
    # In strips, because Pillow's own conversion to an array holds a second copy.
    for rows in strips(height, width):
        block = np.asarray(image.crop((0, rows.start, width, rows.stop)))
        if alpha is None:
            colour[rows] = block
        else:
            colour[rows] = block[..., :3]
            alpha[rows] = convert_depth(block[..., 3], np.uint16)
    return colour, space, alpha


def _png16_bands(path: Path, clear: object) -> Bands:
    pixels = _opencv_pixels(path)
    if pixels.ndim == 2:
        alpha = None
        if isinstance(clear, int):  # the grey value that is transparent
            alpha = np.where(pixels == clear, 0, 65535).astype(np.uint16)
        return pixels, "GRAY", alpha
    return pixels[..., :3], "RGB", pixels[..., 3] if pixels.shape[2] == 4 else None


def _opencv_pixels(path: Path) -> WordArray:
    """16-bit samples of a PNG or TIFF, (H, W) grey or (H, W, 3 or 4) red first."""
    pixels = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16:
        raise ValueError("its 16-bit samples cannot be decoded")
    if pixels.ndim == 3:
        code = cv2.COLOR_BGR2RGB if pixels.shape[2] == 3 else cv2.COLOR_BGRA2RGBA
        cv2.cvtColor(pixels, code, dst=pixels)
    return cast(WordArray, pixels)


def _exif_dpi(exif: Image.Exif) -> tuple[float, float] | None:
    """Resolution from EXIF, which is the only place for it in WebP files."""
    scale = _UNITS.get(exif.get(Base.ResolutionUnit, 2), 0.0)
    sides: list[Any] = [exif.get(Base.XResolution), exif.get(Base.YResolution)]
    try:
        return _dpi([float(side) * scale for side in sides])
    except (TypeError, ValueError, ZeroDivisionError):
        return None


def _dpi(value: Any) -> tuple[float, float] | None:
    try:
        x, y = (float(number) for number in value)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    # TIFF without a resolution has 1 pixel per inch.
    return (x, y) if all(1 < number <= MAX_DPI for number in (x, y)) else None


def _orientation(value: Any) -> int:
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _unsupported_error(path: Path, reason: str) -> ImageError:
    return ImageError(
        msg("{name} cannot be used: {reason}.", name=path.name, reason=reason),
        msg("Save it as 8-bit or 16-bit RGB first."),
    )


# --- tifffile, for TIFF of more than 8 bits -------------------------------------------


def _decode_deep_tiff(path: Path) -> DecodedImage | None:
    """Decode a TIFF of more than 8 bits per sample; None if it has fewer."""
    with tifffile.TiffFile(path) as tiff:
        page = tiff.pages[0]
        assert isinstance(page, tifffile.TiffPage)
        _check_size(path, page.imagewidth, page.imagelength)
        if page.bitspersample <= 8:
            return None
        if page.dtype != np.uint16 or page.bitspersample != 16:
            kind = page.dtype.name if page.dtype else "unknown"
            raise _unsupported_error(
                path,
                msg(
                    "its samples are {bits}-bit {kind}",
                    bits=page.bitspersample,
                    kind=kind,
                ),
            )
        space = _TIFF_SPACES.get(page.photometric)
        if space is None or not 0 <= page.samplesperpixel - _SAMPLES[space] <= 4:
            raise _unsupported_error(
                path,
                msg(
                    "its {count} samples a pixel are of unknown kind",
                    count=page.samplesperpixel,
                ),
            )
        colour, alpha = _tiff_bands(page, _tiff_pixels(path, page), _SAMPLES[space])
        return DecodedImage(
            colour,
            space,
            alpha,
            icc=page.tags.valueof(34675),
            dpi=_tiff_dpi(page),
            orientation=_orientation(page.tags.valueof(_ORIENTATION)),
        )


def _tiff_pixels(path: Path, page: tifffile.TiffPage) -> WordArray:
    """All samples, (H, W, S) uint16."""
    try:
        pixels = page.asarray()
    except ValueError as error:
        if "imagecodecs" not in str(error):
            raise
        # LZW needs that optional package; OpenCV has the codec built in.
        pixels = _opencv_pixels(path)
    else:
        if page.planarconfig == tifffile.PLANARCONFIG.SEPARATE and pixels.ndim == 3:
            pixels = np.moveaxis(pixels, 0, -1)
    return pixels.reshape(page.imagelength, page.imagewidth, -1)


def _tiff_bands(
    page: tifffile.TiffPage, pixels: WordArray, bands: int
) -> tuple[PixelArray, WordArray | None]:
    """Split samples into colour, not premultiplied, and alpha."""
    colour: PixelArray = pixels[..., 0] if bands == 1 else pixels[..., :bands]
    if page.photometric == tifffile.PHOTOMETRIC.MINISWHITE:
        colour = 65535 - colour
    extra = next(iter(page.extrasamples), tifffile.EXTRASAMPLE.UNSPECIFIED)
    if extra == tifffile.EXTRASAMPLE.UNSPECIFIED:
        return colour, None
    alpha = pixels[..., bands]
    if extra == tifffile.EXTRASAMPLE.ASSOCALPHA:
        colour = _unpremultiply(colour, alpha)
    return colour, alpha


def _unpremultiply(colour: PixelArray, alpha: WordArray) -> WordArray:
    result = np.empty(colour.shape, np.uint16)
    for rows in strips(*alpha.shape):
        opacity = alpha[rows].astype(np.uint32)
        if colour.ndim == 3:
            opacity = opacity[..., None]
        scaled = colour[rows] * np.uint32(65535) + opacity // 2
        result[rows] = np.minimum(scaled // np.maximum(opacity, 1), 65535)
    return result


def _tiff_dpi(page: tifffile.TiffPage) -> tuple[float, float] | None:
    scale = _UNITS.get(page.tags.valueof(296, default=2))
    try:
        numbers = [
            scale * numerator / denominator
            for numerator, denominator in (page.tags.valueof(tag) for tag in (282, 283))
        ]
    except (TypeError, ZeroDivisionError):
        return None
    return _dpi(numbers)
