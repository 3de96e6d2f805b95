"""The table of file formats that are written, and the verification of written files."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import cv2
import numpy as np

from zim_app.core.decoding import decode
from zim_app.core.floats import (
    check_exr,
    check_float_tiff,
    write_exr,
    write_float_tiff,
)
from zim_app.core.layered import LayeredImage, pixel_digest
from zim_app.core.openraster import profile_of, read_back, write_openraster
from zim_app.core.pixels import PixelArray, convert_depth, strips
from zim_app.core.psd import MAX_SIDE, check_merged, read_psd, write_psd
from zim_app.core.rasters import Tags, write_jpeg, write_png, write_tiff, write_webp
from zim_model.errors import ImageError, msg

Content = PixelArray | LayeredImage
"""(H, W), (H, W, 3) or (H, W, 4) pixels, or layers."""

_LOSSY_ERROR = 24.0
"""Largest mean difference of means over 8 x 8 pixels, in 8-bit steps; above that of the
lowest quality, even for noise."""

_LEAST_DPI = 2
"""Formats that hold whole numbers round less to 1, which stands for no resolution."""


@dataclass(frozen=True, slots=True)
class FileFormat:
    """A file format to export to.

    Attributes:
        id: stored in settings.
        name: shown to the user.
        suffixes: lower-case, with the dot; the first is the default.
        transparency: whether it can hold a cut-out.
        max_side: the largest width or height in pixels.
        write: encodes a :data:`Content` into an open file.
        check: raises an exception if a file does not hold that content.
        deep: whether it can hold 16 bits a channel.
        layered: whether its content is layers instead of pixels.
        lossy: whether it has a quality setting.
        floats: the bits of floats that it can hold, 16 or 32.
    """

    id: str
    name: str
    suffixes: tuple[str, ...]
    transparency: bool
    max_side: int
    write: Callable[[IO[bytes], Any, Tags], None]
    check: Callable[[Path, Any, Tags], None]
    deep: bool = False
    layered: bool = False
    lossy: bool = False
    floats: tuple[int, ...] = ()

    def float_bits(self, depth: str) -> int:
        """Bits of the floats of light that a depth is written with; 0 for none."""
        if depth == "32" and 32 in self.floats:
            return 32
        return 16 if 16 in self.floats else 0


def check_written(
    path: Path, name: str, file_format: FileFormat, *content: Any
) -> None:
    """Read a written file back and compare it with the content.

    Args:
        path: of the file.
        name: of the file in error messages.
        file_format: of the file.
        content: the content and the tags that were passed to the writer.

    Raises:
        ImageError: the content differs, or the file cannot be read.
    """
    try:
        file_format.check(path, *content)
    except Exception as error:  # decoders raise many classes for damaged files
        raise ImageError(
            msg(
                "{name} was not written correctly ({reason}).",
                name=name,
                reason=str(error) or type(error).__name__,
            ),
            msg("Nothing was saved. Try again, or choose another disk."),
        ) from error


def _check_flat(path: Path, pixels: PixelArray, tags: Tags) -> None:
    colour, alpha = _read_flat(path, pixels, tags)
    for rows in strips(*pixels.shape[:2]):
        if not _equal_colours(colour[rows], pixels[rows]):
            raise ValueError("its colours differ")
        if pixels.shape[2:] == (4,):
            expected = convert_depth(pixels[rows, :, 3], np.uint16)
            # WebP leaves out alpha that is opaque everywhere.
            found = np.uint16(65535) if alpha is None else alpha[rows]
            if not (expected == found).all():
                raise ValueError("its alpha differs")


def _equal_colours(colour: PixelArray, pixels: PixelArray) -> bool:
    """Whether (H, W) or (H, W, 3) colours are those of pixels, which may have alpha."""
    if colour.ndim == 2:
        return np.array_equal(colour, pixels)
    # By channel: NumPy compares three values at a time more slowly than millions.
    return all(np.array_equal(colour[..., i], pixels[..., i]) for i in range(3))


def _write_tiff(stream: IO[bytes], pixels: PixelArray, tags: Tags) -> None:
    (write_float_tiff if tags.float_bits else write_tiff)(stream, pixels, tags)


def _check_tiff(path: Path, pixels: PixelArray, tags: Tags) -> None:
    (check_float_tiff if tags.float_bits else _check_flat)(path, pixels, tags)


def _check_webp(path: Path, pixels: PixelArray, tags: Tags) -> None:
    _check_flat(path, convert_depth(pixels, np.uint8), tags)


def _check_jpeg(path: Path, pixels: PixelArray, tags: Tags) -> None:
    expected = convert_depth(pixels, np.uint8)
    colour, _ = _read_flat(path, expected, tags)
    height, width = expected.shape[:2]
    size = (max(1, width // 8), max(1, height // 8))
    means, expected_means = (
        cv2.resize(each, size, interpolation=cv2.INTER_AREA).astype(np.int16)
        for each in (colour, expected)
    )
    difference = np.abs(means - expected_means).mean()
    if difference > _LOSSY_ERROR:
        raise ValueError(f"its colours differ by {difference:.0f} of 255 on average")


def _read_flat(
    path: Path, pixels: PixelArray, tags: Tags
) -> tuple[PixelArray, PixelArray | None]:
    """Decode a file; check size, channels, depth, profile and resolution."""
    decoded = decode(path)
    shape = pixels.shape[:2] if pixels.ndim == 2 else (*pixels.shape[:2], 3)
    if decoded.colour.shape != shape or decoded.colour.dtype != pixels.dtype:
        raise ValueError(
            f"it has {decoded.colour.shape} {decoded.colour.dtype} pixels "
            f"instead of {shape} {pixels.dtype}"
        )
    _check_tags(Tags(decoded.icc, decoded.dpi), tags)
    return decoded.colour, decoded.alpha


def _check_tags(found: Tags, expected: Tags) -> None:
    if found.icc != (expected.icc or None):
        raise ValueError("its colour profile differs")
    if expected.dpi and not found.dpi and min(expected.dpi) >= _LEAST_DPI:
        raise ValueError("its resolution is missing")
    for value, number in zip(found.dpi or (), expected.dpi or (), strict=False):
        if not math.isclose(value, number, rel_tol=1e-3, abs_tol=0.6):
            raise ValueError("its resolution differs")


def _check_psd(path: Path, image: LayeredImage, tags: Tags) -> None:
    with path.open("rb") as stream:
        size, layers, found_tags = read_psd(stream)
        _check_tags(found_tags, tags)
        if size != image.merged.shape[:2]:
            raise ValueError("its size differs")
        for expected, digest in zip(image.entries, image.digests, strict=True):
            found = next(layers, None)  # zip would keep it while the next one is read
            if found is None or found.entry != expected:
                raise ValueError(f"the place of its layer {expected.name} differs")
            if pixel_digest(found.pixels) != digest:
                raise ValueError(f"the pixels of its layer {expected.name} differ")
            del found
        if next(layers, None) is not None:
            raise ValueError("it has another layer")
        check_merged(stream, image.merged)


def _check_openraster(path: Path, image: LayeredImage, tags: Tags) -> None:
    expected = [*image.digests, pixel_digest(image.merged)]
    with path.open("rb") as stream:
        if [pixel_digest(pixels) for pixels in read_back(stream)] != expected:
            raise ValueError("its pixels differ")
        if profile_of(stream) != (tags.icc or None):
            raise ValueError("its colour profile differs")


_MAX_SIDE = 2**31 - 1
FORMATS = (
    FileFormat(
        *("png", "PNG", (".png",), True, _MAX_SIDE, write_png, _check_flat),
        deep=True,
    ),
    FileFormat(
        *("tiff", "TIFF", (".tif", ".tiff"), True, _MAX_SIDE, _write_tiff, _check_tiff),
        deep=True,
        floats=(32,),
    ),
    FileFormat("webp", "WebP", (".webp",), True, 16383, write_webp, _check_webp),
    FileFormat(
        *("jpeg", "JPEG", (".jpg", ".jpeg"), False, 65500, write_jpeg, _check_jpeg),
        lossy=True,
    ),
    FileFormat(
        *("psd", "Photoshop", (".psd",), True, MAX_SIDE, write_psd, _check_psd),
        deep=True,
        layered=True,
    ),
    FileFormat(
        *("ora", "OpenRaster", (".ora",), True, _MAX_SIDE),
        *(write_openraster, _check_openraster),
        deep=True,
        layered=True,
    ),
    FileFormat(
        *("exr", "OpenEXR", (".exr",), True, _MAX_SIDE, write_exr, check_exr),
        deep=True,
        floats=(16, 32),
    ),
)
"""Every format that can be written; the first is the default."""

BY_ID = {entry.id: entry for entry in FORMATS}
BY_SUFFIX = {suffix: entry for entry in FORMATS for suffix in entry.suffixes}
