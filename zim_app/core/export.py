"""Save cut-outs, mattes and composites, faithfully and all or nothing."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal, cast, get_args

import cv2
import numpy as np
import tifffile
from PIL import Image

from zim_app.core import compose
from zim_app.core.images import Picture
from zim_app.core.pixels import PixelArray, Rgb, at_depth
from zim_model.arrays import WordArray
from zim_model.errors import ImageError
from zim_model.files import explain, replacing

What = Literal["cutout", "matte", "composite"]
WHITE: Rgb = (255, 255, 255)

_PNG_EFFORT = 3
"""Compression level: twice the speed of the usual 6 for a fifth more bytes."""
_PNG_HEADER = 33
"""Bytes of the PNG signature and the IHDR chunk, after which others may follow."""


@dataclass(frozen=True, slots=True)
class _Tags:
    icc: bytes | None
    dpi: tuple[float, float] | None

    def for_pillow(self) -> dict[str, Any]:
        both = {"icc_profile": self.icc, "dpi": self.dpi}
        return {name: value for name, value in both.items() if value}


Writer = Callable[[IO[bytes], PixelArray, _Tags], None]


@dataclass(frozen=True, slots=True)
class Format:
    """A file format to export to.

    Attributes:
        name: for the user.
        suffixes: lower-case, with the dot; the first is the usual one.
        transparency: whether it can hold a cut-out.
        max_side: the largest width or height in pixels.
        write: encodes (H, W), (H, W, 3) or (H, W, 4) pixels into an open file.
    """

    name: str
    suffixes: tuple[str, ...]
    transparency: bool
    max_side: int
    write: Writer


def export(
    picture: Picture,
    alpha: WordArray,
    path: Path,
    what: What = "cutout",
    background: Rgb = WHITE,
) -> None:
    """Write one result to a file, whose suffix chooses the format.

    PNG and TIFF are written with 16 bits a channel when the source has 16, else 8,
    the matte likewise; WebP (lossless) and JPEG always have 8.  ICC profile and
    resolution are the picture's own; the matte, being no colour, carries no profile.
    Pixels are upright, and no orientation is written.

    Args:
        picture: gives colours, profile and resolution.
        alpha: (H, W) uint16, 0 transparent to 65535 opaque.
        path: the file to write; an existing one is replaced once the new one is whole.
        what: the picture with transparency, its grey matte, or the picture over
            ``background``.
        background: sRGB.

    Raises:
        ImageError: the path cannot be written for a reason that
            :func:`check_target` or the system gives; the old file is unharmed.
    """
    file_format = check_target(picture, path, what)
    tags = _Tags(None if what == "matte" else picture.icc, picture.dpi)
    if what == "cutout":
        pixels = compose.cutout(picture, alpha)
    elif what == "matte":
        pixels = compose.matte(picture, alpha)
    else:
        pixels = compose.composite(picture, alpha, background)
    try:
        with replacing(path) as stream:
            file_format.write(stream, pixels, tags)
    except OSError as error:
        reason, cure = explain(error)
        raise ImageError(f"{path} cannot be written: {reason}.", cure) from error


def check_target(picture: Picture, path: Path, what: What = "cutout") -> Format:
    """Find out early whether :func:`export` can write there, and in which format.

    Raises:
        ImageError: the suffix is unknown, the format cannot hold a cut-out or so
            large a picture, the folder is missing, or the path is a folder or the
            source picture itself.
    """
    assert what in get_args(What), what
    file_format = _BY_SUFFIX.get(path.suffix.lower())
    if file_format is None:
        raise ImageError(
            f"{path.name} does not end in a picture format that can be written.",
            f"Use one of {', '.join(_BY_SUFFIX)}.",
        )
    if what == "cutout" and not file_format.transparency:
        raise ImageError(
            f"{file_format.name} cannot hold the transparency of a cut-out.",
            "Save as .png, .tif or .webp, or save the matte or a composite instead.",
        )
    if max(picture.height, picture.width) > file_format.max_side:
        raise ImageError(
            f"{file_format.name} holds at most {file_format.max_side} pixels a side; "
            f"the picture is {picture.width} x {picture.height}.",
            "Save as .png or .tif.",
        )
    if path.is_dir():
        raise ImageError(f"{path} is a folder.", "Add a file name.")
    if not path.parent.is_dir():
        raise ImageError(
            f"The folder {path.parent} does not exist.",
            "Create it first, or choose another.",
        )
    if picture.path is not None and _same_file(path, picture.path):
        raise ImageError(
            f"{path.name} is the source picture, which is never overwritten.",
            "Choose another name.",
        )
    return file_format


def _same_file(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except OSError:  # one of them does not exist
        return path.resolve() == other.resolve()


def _write_png(stream: IO[bytes], pixels: PixelArray, tags: _Tags) -> None:
    if pixels.dtype == np.uint8:
        Image.fromarray(pixels).save(
            stream, "PNG", compress_level=_PNG_EFFORT, **tags.for_pillow()
        )
        return
    # Pillow has no 16-bit colour; OpenCV has it, but writes neither profile nor dpi.
    encoded = cv2.imencode(
        ".png", _blue_first(pixels), [cv2.IMWRITE_PNG_COMPRESSION, _PNG_EFFORT]
    )[1]
    stream.write(encoded[:_PNG_HEADER].data)
    if tags.icc:
        stream.write(_chunk(b"iCCP", b"ICC Profile\0\0" + zlib.compress(tags.icc)))
    if tags.dpi:
        x, y = (round(number / 0.0254) for number in tags.dpi)  # pixels per metre
        stream.write(_chunk(b"pHYs", struct.pack(">IIB", x, y, 1)))
    stream.write(encoded[_PNG_HEADER:].data)


def _blue_first(pixels: PixelArray) -> PixelArray:
    if pixels.ndim == 2:
        return pixels
    code = cv2.COLOR_RGB2BGR if pixels.shape[2] == 3 else cv2.COLOR_RGBA2BGRA
    return cast(PixelArray, cv2.cvtColor(pixels, code))


def _chunk(kind: bytes, body: bytes) -> bytes:
    checksum = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)


def _write_tiff(stream: IO[bytes], pixels: PixelArray, tags: _Tags) -> None:
    tifffile.imwrite(
        stream,
        pixels,
        photometric="minisblack" if pixels.ndim == 2 else "rgb",
        extrasamples=["unassalpha"] if pixels.shape[2:] == (4,) else None,
        compression="zlib",
        predictor=True,
        iccprofile=tags.icc,
        resolution=tags.dpi,
        resolutionunit="INCH" if tags.dpi else None,
        software="zim-studio",
        metadata=None,
    )


def _write_webp(stream: IO[bytes], pixels: PixelArray, tags: _Tags) -> None:
    # exact: keep the colour of fully transparent pixels as well.  The least effort
    # takes a tenth of the time of the usual one, for a sixth more bytes.
    Image.fromarray(at_depth(pixels, np.uint8)).save(
        stream,
        "WEBP",
        lossless=True,
        exact=True,
        method=0,
        quality=20,
        **tags.for_pillow(),
    )


def _write_jpeg(stream: IO[bytes], pixels: PixelArray, tags: _Tags) -> None:
    Image.fromarray(at_depth(pixels, np.uint8)).save(
        stream, "JPEG", quality=95, subsampling=0, **tags.for_pillow()
    )


FORMATS = (
    Format("PNG", (".png",), True, 2**31 - 1, _write_png),
    Format("TIFF", (".tif", ".tiff"), True, 2**31 - 1, _write_tiff),
    Format("WebP", (".webp",), True, 16383, _write_webp),
    Format("JPEG", (".jpg", ".jpeg"), False, 65500, _write_jpeg),
)
"""Every format that can be written, the usual one first."""

_BY_SUFFIX = {suffix: entry for entry in FORMATS for suffix in entry.suffixes}
