"""Decode image files into arrays, at the depth and in the colour space of the file.

Formats are detected by the first bytes of a file, not by its suffix.  Of animations and
files of several pages the first picture is read.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from zim_app.core.decoders import (
    bmp,
    exr,
    gif,
    heif,
    jpeg,
    jpegxl,
    medical,
    png,
    raw,
    tiff,
    webp,
)
from zim_app.core.decoders.base import (
    MAX_DPI,
    MAX_PIXELS,
    ORIENTATION,
    DecodedImage,
)
from zim_app.core.greys import GreyView
from zim_model.errors import ImageError, msg

__all__ = ["MAX_DPI", "MAX_PIXELS", "DecodedImage", "decode", "read_size"]

_Decoder = Callable[[bytes, str], DecodedImage]
_DECODERS: tuple[tuple[bytes, _Decoder], ...] = (
    (jpeg.MAGIC, jpeg.decode_jpeg),
    (png.MAGIC, png.decode_png),
    (gif.MAGICS[0], gif.decode_gif),
    (gif.MAGICS[1], gif.decode_gif),
    (bmp.MAGIC, bmp.decode_bmp),
    (jpegxl.CODESTREAM, jpegxl.decode_jpegxl),
    (jpegxl.CONTAINER, jpegxl.decode_jpegxl),
    (exr.MAGIC, exr.decode_exr),
)
_HEAD = 132
"""Bytes that tell the format."""
_OTHERS = (
    (0, b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (0, b"\xff\x4f\xff\x51", "JPEG 2000"),
    (0, b"#?RADIANCE", "Radiance HDR"),
    (0, b"8BPS", "Photoshop"),
    (0, b"%PDF", "PDF"),
    (0, b"\0\0\x01\0", "ICO"),
    (0, b"II\xbc\x01", "JPEG XR"),
    (0, b"P5", "PGM"),
    (0, b"P6", "PPM"),
    (0, b"gimp xcf", "GIMP"),
    (0, b"PK\x03\x04", "ZIP"),
    (0, b"<svg", "SVG"),
    (0, b"<?xml", "XML"),
)
"""Offset and first bytes of formats that are not read, and their names."""


def decode(path: Path, view: GreyView | None = None) -> DecodedImage:
    """Decode the first image of a file; of a volume, the slice of the view.

    Raises:
        ImageError: the format or its variant is not supported, or the image has more
            than ``MAX_PIXELS``.
        OSError: the file cannot be read.
        Exception: the file is damaged; the decoding libraries raise many classes.
    """
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    if not head:
        raise ImageError(
            msg("{name} is empty.", name=path.name), msg("Copy or download it again.")
        )
    if medical.is_medical(path, head):
        return medical.decode_medical(path, view or GreyView())
    if raw.is_raw(head):
        return raw.decode_raw(path)
    if head.startswith(tiff.MAGICS):
        try:
            return tiff.decode_tiff(path)
        except raw.RawPhoto:
            return raw.decode_raw(path)
    decoder = _decoder(head)
    if decoder is None:
        raise _unknown_error(path, head)
    return decoder(path.read_bytes(), path.name)


def read_size(path: Path) -> tuple[int, int] | None:
    """Height and width of an image, upright, from the headers of the file.

    None if they do not tell, or the file cannot be read: decoding it says why.
    """
    with contextlib.suppress(Exception), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Pillow, about large images
        with path.open("rb") as stream:
            head = stream.read(_HEAD)
        if head.startswith(tiff.MAGICS):
            width, height, orientation = tiff.read_tiff_size(path)
        elif head.startswith((jpeg.MAGIC, png.MAGIC)):
            with Image.open(path, formats=("JPEG", "PNG")) as file:
                width, height = file.size
                orientation = file.getexif().get(ORIENTATION, 1)
        else:
            return None
        return (width, height) if orientation in range(5, 9) else (height, width)
    return None


def _decoder(head: bytes) -> _Decoder | None:
    if head.startswith(webp.MAGIC) and head[8:12] == b"WEBP":
        return webp.decode_webp
    kind = heif.kind_of(head)
    if kind is not None:
        return heif.decode_avif if kind == "AVIF" else heif.decode_heic
    return next((each for magic, each in _DECODERS if head.startswith(magic)), None)


def _unknown_error(path: Path, head: bytes) -> ImageError:
    hint = msg("Convert it to JPEG, PNG, TIFF, WebP, BMP or GIF.")
    for at, magic, kind in _OTHERS:
        if head[at : at + len(magic)] == magic:
            return ImageError(
                msg(
                    "{name} is not a photo that zim-studio can read: its format is "
                    "{kind}.",
                    name=path.name,
                    kind=kind,
                ),
                hint,
            )
    return ImageError(
        msg("{name} is not a photo that zim-studio can read.", name=path.name),
        msg(
            "Convert it to JPEG, PNG, TIFF, WebP, BMP or GIF; if it is one already, "
            "it is damaged."
        ),
    )
