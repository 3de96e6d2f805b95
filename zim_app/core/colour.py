"""Colour management: from an image's ICC profile to sRGB and back.

Conversions are relative colorimetric with black point compensation, as in other
image editors.  A profile that is damaged, or of another colour space than the image's,
is ignored.

Pixels of 8 bits are converted with Pillow, those of 16 bits with imagecodecs or from
its tables: in a profile whose values are proportional to light, 8 bits would show bands
in the shadows.  Both use Little CMS.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from functools import cache
from typing import Any, Literal, cast

import imagecodecs
import numpy as np
from PIL import Image, ImageCms

from zim_app.core.pixels import PixelArray, Rgb, convert_depth, strips
from zim_model.arrays import ByteArray, FloatArray, WordArray

Space = Literal["GRAY", "RGB", "CMYK"]
_MODES: dict[Space, str] = {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK"}
SRGB_PRIMARIES = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
SRGB_WHITE = (0.3127, 0.3290)
"""Chromaticities, x and y, of red, green and blue, and of white."""
_LIGHT_TOLERANCE = 1e-3
"""Largest difference from the sum of the channels' light, of 1."""
_WHITE_ERROR = 8
"""By which rounded primaries miss white, of 65535."""
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
    if pixels.dtype == np.uint16 and icc:
        light = _light_tables(icc)
        if light is not None:
            return _encode_light(pixels, light)
    return _apply_transform(transform, pixels, "RGB")


def grey_to_srgb(pixels: PixelArray, icc: bytes | None) -> PixelArray:
    """Convert grey pixels, (H, W) uint8 or uint16, to sRGB's tone curve.

    The depth stays.
    """
    transform = _to_srgb(icc, "GRAY") if icc else None
    if transform is None or icc is None:
        return pixels
    curve: PixelArray
    if pixels.dtype == np.uint8:
        ramp = np.arange(256, dtype=np.uint8)[None]
        curve = _apply_transform(transform, ramp, "GRAY")[0, :, 1]
    else:
        deep = np.arange(65536, dtype=np.uint16)[None]
        colours = _convert_exactly(deep, icc, _srgb().tobytes(), "gray", np.uint16)
        curve = np.ascontiguousarray(colours[0, :, 1])
    return cast(PixelArray, curve[pixels])


def cmyk_to_srgb(pixels: PixelArray, icc: bytes | None) -> ByteArray:
    """Convert CMYK, (H, W, 4) with 0 for no ink, to (H, W, 3) uint8 sRGB.

    Without a profile, ideal inks are assumed.
    """
    transform = _to_srgb(icc, "CMYK") if icc else None
    return _apply_transform(transform, pixels, "CMYK")


def srgb_to_profile(colour: Rgb, icc: bytes | None) -> WordArray:
    """The nearest RGB value, in that profile, to an sRGB colour; (3,) uint16."""
    pixel = np.array(colour, np.uint8)[None, None]
    return cast(WordArray, rgb_from_srgb(pixel, icc, np.uint16)[0, 0])


def rgb_from_srgb(
    pixels: ByteArray, icc: bytes | None, dtype: type = np.uint8
) -> PixelArray:
    """Convert 8-bit sRGB pixels to a profile.

    Args:
        pixels: (H, W, 3) uint8.
        icc: the target profile; None means sRGB.
        dtype: uint8 or uint16.

    Returns:
        (H, W, 3) of that type; ``pixels`` itself where nothing changes.
    """
    transform = _from_srgb(icc)
    if transform is None or icc is None:
        return convert_depth(pixels, dtype)
    if dtype == np.uint8:
        return _apply_transform(transform, pixels, "RGB")
    # Every colour once: the exact conversion takes a second for a million pixels.
    codes = pixels.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    used = np.zeros(1 << 24, bool)
    used[codes] = True
    colours = np.flatnonzero(used)
    rgb = (colours[:, None] >> np.array([16, 8, 0]) & 255).astype(np.uint8)
    table = _convert_exactly(rgb[None], _srgb().tobytes(), icc, "rgb", np.uint16)[0]
    table[table >= 65535 - _WHITE_ERROR] = 65535  # white stays white
    return cast(PixelArray, table[np.searchsorted(colours, codes)])


# --- Light ----------------------------------------------------------------------------


def srgb_to_light(values: WordArray) -> FloatArray:
    """Light of uint16 sRGB values, of the same shape: float32, 0 to 1."""
    return _light_of_srgb()[values]


def light_to_srgb(light: FloatArray) -> WordArray:
    """Light, (H, W) or (H, W, C) floats, as uint16 sRGB; it is clipped to 0 to 1."""
    result = np.empty(light.shape, np.uint16)
    for rows in strips(*light.shape[:2]):
        part = np.clip(light[rows], 0, 1, dtype=np.float32)
        result[rows] = np.rint(_srgb_curve(part) * 65535)
    return result


def rgb_to_light(pixels: PixelArray, icc: bytes | None) -> FloatArray:
    """Convert RGB pixels to light with the primaries of sRGB.

    Args:
        pixels: (H, W, 3) uint8 or uint16.
        icc: their profile; None means sRGB.

    Returns:
        (H, W, 3) float32: white is 1, and colours outside sRGB's gamut have negative
        values.
    """
    words = cast(WordArray, convert_depth(pixels, np.uint16))
    transform = _to_srgb(icc, "RGB") if icc else None
    if icc is None or transform is None or _is_near_identity(transform):
        return srgb_to_light(words)
    tables = _light_tables(icc)
    result = np.empty(pixels.shape, np.float32)
    for rows in strips(*pixels.shape[:2]):
        result[rows] = (
            _convert_exactly(words[rows], icc, linear_srgb(), "rgb", np.float32)
            if tables is None
            else _sum_of_light(words[rows], tables)
        )
    return result


def floats_to_light(values: FloatArray, icc: bytes, space: Space) -> FloatArray:
    """Convert floats of a valid profile to light with the primaries of sRGB.

    Args:
        values: (H, W) grey or (H, W, 3) RGB float32.
        icc: their profile.
        space: GRAY or RGB.

    Returns:
        (H, W, 3) float32.
    """

    def convert(part: FloatArray) -> FloatArray:
        light = _convert_exactly(part, icc, linear_srgb(), space.lower(), np.float32)
        return cast(FloatArray, light)

    if space == "RGB":
        probe = np.random.default_rng(0).random((8, 8, 3), np.float32)
        matrix = convert(np.eye(3, dtype=np.float32)[None])[0]
        if np.abs(convert(probe) - probe @ matrix).max() <= _LIGHT_TOLERANCE:
            return cast(FloatArray, values @ matrix)  # a thousand times as fast
    result = np.empty((*values.shape[:2], 3), np.float32)
    for rows in strips(*values.shape[:2]):
        result[rows] = convert(np.ascontiguousarray(values[rows]))
    return result


@cache
def linear_srgb() -> bytes:
    """A profile of sRGB's primaries (IEC 61966-2-1) whose values are light."""
    return make_profile(SRGB_WHITE, SRGB_PRIMARIES, gamma=1.0)


def make_profile(
    white: Sequence[float], primaries: Sequence[float] | None, **curve: Any
) -> bytes:
    """An ICC profile, always of the same bytes.

    Args:
        white: x and y.
        primaries: x and y of red, green and blue; None for grey.
        curve: ``gamma``, or ``transferfunction``: light of values from 0 to 1.
    """
    options: dict[str, Any] = {"whitepoint": [*white, 1.0], **curve}
    if primaries is not None:
        xy = list(primaries)
        options["primaries"] = [*xy[:2], 1.0, *xy[2:4], 1.0, *xy[4:], 1.0]
    kind = "gray" if primaries is None else "rgb"
    profile = bytearray(imagecodecs.cms_profile(kind, **options))
    struct.pack_into(">6H", profile, 24, 2000, 1, 1, 0, 0, 0)  # in place of today
    return bytes(profile)


def _srgb_curve(light: Any) -> Any:
    """The sRGB value, 0 to 1, of light from 0 to 1."""
    return np.where(
        light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055
    )


def srgb_decoding(values: Any) -> Any:
    """Light, 0 to 1, of sRGB values from 0 to 1."""
    return np.where(
        values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4
    )


@cache
def _light_of_srgb() -> FloatArray:
    values = np.arange(65536) / 65535
    return np.asarray(srgb_decoding(values), np.float32)


# --- Transforms -----------------------------------------------------------------------


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


# --- 16 bits --------------------------------------------------------------------------


def _convert_exactly(
    pixels: PixelArray | FloatArray,
    source: bytes,
    target: bytes,
    space: str,
    dtype: type,
) -> Any:
    """Convert (H, W) or (H, W, C) pixels to RGB of a type, without approximation."""
    return imagecodecs.cms_transform(
        pixels,
        source,
        target,
        colorspace=space,
        outcolorspace="rgb",
        outdtype=np.dtype(dtype),
        intent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION | ImageCms.Flags.NOOPTIMIZE,
    )


def _light_tables(icc: bytes) -> FloatArray | None:
    """Linear sRGB of every value of every channel alone, (3, 65536, 3) float32.

    The light of a colour is the sum of its channels' for a profile of curves and
    primaries, which is checked; None for another.
    """
    target = linear_srgb()
    ramps = np.zeros((3, 65536, 3), np.float32)
    for channel in range(3):
        ramps[channel, :, channel] = np.linspace(0, 1, 65536, dtype=np.float32)
    steps = np.arange(0, 65536, 4369)
    grid = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(64, 64, 3)
    values = (grid / 65535).astype(np.float32)
    try:
        tables = _convert_exactly(ramps, icc, target, "rgb", np.float32)
        expected = _convert_exactly(values, icc, target, "rgb", np.float32)
    except imagecodecs.CmsError:
        return None
    tables = tables - tables[:, :1] * np.float32(2 / 3)  # black counts once, not thrice
    difference = np.abs(_sum_of_light(grid, tables) - expected).max()
    return tables if difference <= _LIGHT_TOLERANCE else None


def _sum_of_light(pixels: Any, tables: FloatArray) -> Any:
    red, green, blue = (tables[n][pixels[..., n]] for n in range(3))
    return red + green + blue


def _encode_light(pixels: PixelArray, tables: FloatArray) -> ByteArray:
    """Convert (H, W, 3) uint16 pixels to 8-bit sRGB, by way of linear light."""
    encoded = np.rint(_srgb_curve(np.arange(65536) / 65535) * 255).astype(np.uint8)
    result = np.empty(pixels.shape, np.uint8)
    for rows in strips(*pixels.shape[:2]):
        linear = np.clip(_sum_of_light(pixels[rows], tables), 0, 1)
        result[rows] = encoded[np.rint(linear * 65535).astype(np.uint16)]
    return result


# --- Little CMS by way of Pillow ------------------------------------------------------


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
