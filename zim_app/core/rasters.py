"""Encoders of flat images: PNG, TIFF, WebP and JPEG, at 8 and 16 bits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, Any

import numpy as np
import tifffile
from PIL import Image
from PIL.ExifTags import Base

from zim_app.core.pixels import PixelArray, convert_depth
from zim_app.core.png_encoder import encode_png

INCH = 2
"""EXIF's and TIFF's number for pixels per inch."""

TIFF_OPTIONS: dict[str, Any] = {
    "compression": "zlib",
    "compressionargs": {"level": 1},  # twice as fast, and a twentieth larger
    "predictor": True,
    "software": "zim-studio",
    "metadata": None,
}
"""Of tifffile, for every TIFF file."""


@dataclass(frozen=True, slots=True)
class Tags:
    """Metadata of a file's pixels.

    Attributes:
        icc: colour profile; None for sRGB or a matte.
        dpi: horizontal and vertical pixels per inch.
        quality: 1 to 100, for JPEG.
        float_bits: 16 or 32 for floats of light, where the format has these; else 0.
    """

    icc: bytes | None = None
    dpi: tuple[float, float] | None = None
    quality: int = 95
    float_bits: int = 0

    def for_pillow(self) -> dict[str, Any]:
        """The values that are set, as arguments of ``Image.save``."""
        both = {"icc_profile": self.icc, "dpi": self.dpi}
        return {name: value for name, value in both.items() if value}


def write_png(stream: IO[bytes], pixels: PixelArray, tags: Tags) -> None:
    """Encode (H, W), (H, W, 3) or (H, W, 4) pixels at their own depth."""
    encode_png(stream, pixels, tags.icc, tags.dpi)


def write_tiff(stream: IO[bytes], pixels: PixelArray, tags: Tags) -> None:
    """Encode as :func:`write_png` does; alpha is tagged as not premultiplied."""
    tifffile.imwrite(
        stream,
        pixels,
        photometric="minisblack" if pixels.ndim == 2 else "rgb",
        extrasamples=["unassalpha"] if pixels.shape[2:] == (4,) else None,
        iccprofile=tags.icc,
        resolution=tags.dpi,
        resolutionunit="INCH" if tags.dpi else None,
        **TIFF_OPTIONS,
    )


def write_webp(stream: IO[bytes], pixels: PixelArray, tags: Tags) -> None:
    """Encode as :func:`write_png` does, at 8 bits, lossless."""
    # exact: keep the colour of fully transparent pixels.  The least effort takes a
    # tenth of the time of the default; files are a sixth larger.
    Image.fromarray(convert_depth(pixels, np.uint8)).save(
        stream,
        "WEBP",
        lossless=True,
        exact=True,
        method=0,
        quality=20,
        icc_profile=tags.icc,
        exif=_resolution_exif(tags),
    )


def _resolution_exif(tags: Tags) -> bytes:
    """An EXIF block with the resolution, for formats without another place for it."""
    if not tags.dpi:
        return b""
    exif = Image.Exif()
    exif[Base.XResolution], exif[Base.YResolution] = tags.dpi
    exif[Base.ResolutionUnit] = INCH
    return exif.tobytes()


def write_jpeg(stream: IO[bytes], pixels: PixelArray, tags: Tags) -> None:
    """Encode (H, W) or (H, W, 3) pixels at 8 bits; colour is not subsampled."""
    Image.fromarray(convert_depth(pixels, np.uint8)).save(
        stream, "JPEG", quality=tags.quality, subsampling=0, **tags.for_pillow()
    )
