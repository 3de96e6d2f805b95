"""Colour management: from an image's ICC profile to sRGB and back.

Conversions are relative colorimetric with black point compensation, as in other
image editors.  A profile that is damaged, or of another colour space than the image's,
is ignored.
"""

from __future__ import annotations

import io
from functools import cache
from typing import Literal, cast

import numpy as np
from PIL import Image, ImageCms

from zim_app.core.pixels import PixelArray, Rgb, convert_depth, strips
from zim_model.arrays import ByteArray

Space = Literal["GRAY", "RGB", "CMYK"]
_MODES: dict[Space, str] = {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK"}
_TOLERANCE = 1
"""Largest difference from sRGB, in 8-bit steps, of a profile that counts as sRGB."""


def usable_profile(icc: bytes | None, space: Space) -> bytes | None:
    """The profile itself if it is valid for that colour space, else None."""
    return icc if icc and _to_srgb(icc, space) is not None else None


def rgb_to_srgb(pixels: PixelArray, icc: bytes | None) -> ByteArray:
    """Convert RGB pixels to 8-bit sRGB.

    Args:
        pixels: (H, W, 3) uint8 or uint16.
        icc: their profile; None means sRGB.

    Returns:
        (H, W, 3) uint8; ``pixels`` itself where nothing changes.
    """
    transform = _to_srgb(icc, "RGB") if icc else None
    if transform is None or _is_near_identity(transform):
        return cast(ByteArray, convert_depth(pixels, np.uint8))
    return _apply_transform(transform, pixels, "RGB")


def grey_to_srgb(pixels: PixelArray, icc: bytes | None) -> PixelArray:
    """Convert grey pixels, (H, W) uint8 or uint16, to sRGB's tone curve.

    The depth stays; the curve is sampled at 256 greys and interpolated between them.
    """
    transform = _to_srgb(icc, "GRAY") if icc else None
    if transform is None:
        return pixels
    ramp = np.arange(256, dtype=np.uint8)[None]
    curve = _apply_transform(transform, ramp, "GRAY")[0, :, 1]
    if pixels.dtype == np.uint8:
        return curve[pixels]
    inputs, outputs = ramp[0] * 257.0, curve * 257.0
    table = np.interp(np.arange(65536), inputs, outputs)
    return cast(PixelArray, table.round().astype(np.uint16)[pixels])


def cmyk_to_srgb(pixels: PixelArray, icc: bytes | None) -> ByteArray:
    """Convert CMYK, (H, W, 4) with 0 for no ink, to (H, W, 3) uint8 sRGB.

    Without a profile, ideal inks are assumed.
    """
    transform = _to_srgb(icc, "CMYK") if icc else None
    return _apply_transform(transform, pixels, "CMYK")


def srgb_to_profile(colour: Rgb, icc: bytes | None) -> Rgb:
    """The nearest 8-bit RGB value, in that profile, to an sRGB colour."""
    transform = _from_srgb(icc)
    if transform is None:
        return colour
    pixel = Image.new("RGB", (1, 1), colour)
    return cast(Rgb, transform.apply(pixel).getpixel((0, 0)))


def rgb_from_srgb(pixels: ByteArray, icc: bytes | None) -> ByteArray:
    """Convert 8-bit sRGB pixels to a profile.

    Args:
        pixels: (H, W, 3) uint8.
        icc: the target profile; None means sRGB.

    Returns:
        (H, W, 3) uint8; ``pixels`` itself where nothing changes.
    """
    transform = _from_srgb(icc)
    return pixels if transform is None else _apply_transform(transform, pixels, "RGB")


def _from_srgb(icc: bytes | None) -> ImageCms.ImageCmsTransform | None:
    """The transform from sRGB; None where there is none or it is the identity."""
    source = _to_srgb(icc, "RGB") if icc else None
    if icc is None or source is None or _is_near_identity(source):
        return None
    try:
        return _transform(_srgb(), _profile(icc), "RGB", "RGB")
    except ImageCms.PyCMSError:  # an input-only profile, as of scanners
        return None


def _to_srgb(icc: bytes, space: Space) -> ImageCms.ImageCmsTransform | None:
    try:
        profile = _profile(icc)
        if profile.profile.xcolor_space.strip() != space:
            return None
        return _transform(profile, _srgb(), _MODES[space], "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None


def _profile(icc: bytes) -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(io.BytesIO(icc))


@cache
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def _transform(
    source: ImageCms.ImageCmsProfile,
    target: ImageCms.ImageCmsProfile,
    mode_in: str,
    mode_out: str,
) -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(
        source,
        target,
        mode_in,
        mode_out,
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )


def _is_near_identity(transform: ImageCms.ImageCmsTransform) -> bool:
    """Whether a transform leaves a grid of 16 x 16 x 16 RGB colours unchanged."""
    steps = np.arange(0, 256, 17, dtype=np.uint8)
    grid = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(64, 64, 3)
    moved = _apply_transform(transform, grid, "RGB").astype(np.int16) - grid
    return bool(np.abs(moved).max() <= _TOLERANCE)


def _apply_transform(
    transform: ImageCms.ImageCmsTransform | None, pixels: PixelArray, space: Space
) -> ByteArray:
    height, width = pixels.shape[:2]
    result = np.empty((height, width, 3), np.uint8)
    for rows in strips(height, width):
        block = convert_depth(pixels[rows], np.uint8)
        size = (width, rows.stop - rows.start)
        image = Image.frombytes(_MODES[space], size, block.tobytes())
        result[rows] = np.asarray(
            transform.apply(image) if transform else image.convert("RGB")
        )
    return result
