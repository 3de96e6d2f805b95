"""Images as scripts hand them over, arrays of several kinds and PIL images, as pixels.

Values are those that files hold and screens show (sRGB), not light.
"""

from __future__ import annotations

import os
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from PIL import Image

from zim_model.arrays import ByteArray
from zim_model.errors import ImageError, msg

Pixels = npt.NDArray[np.unsignedinteger[Any]]
"""uint8 or uint16."""
TRANSPARENT_GREY = 128
"""sRGB grey that shows through transparent pixels where a model sees them."""

_SLACK = 1e-3
"""By which floats may leave 0 to 1, as after resampling; they are clipped."""
_PLAIN_MODES = ("L", "LA", "RGB", "RGBA", "F")
_CONVERTED = {"1": "L", "La": "LA", "RGBa": "RGBA"}
_DEEP = ("I", "I;16", "I;16L", "I;16B", "I;16N")


def as_rgb(image: npt.ArrayLike | Image.Image) -> ByteArray:
    """An image as a model sees it: (H, W, 3) uint8, red first.

    Args:
        image: as in :func:`split_alpha`, or a PIL image.  Of one with transparency the
            colours are composited over a neutral grey.  Neither the orientation nor the
            colour profile of a PIL image is applied.

    Returns:
        The same array if it is (H, W, 3) uint8 already.

    Raises:
        ImageError: a path or the bytes of a file; see :func:`split_alpha` and
            :func:`pil_pixels`.
    """
    if isinstance(image, str | os.PathLike | bytes | bytearray | memoryview):
        raise ImageError(
            msg("{image!r:.60} is a file, not its pixels.", image=image),
            msg("Open it with PIL.Image.open, or call zim_model.remove, which does."),
        )
    pixels = pil_pixels(image) if isinstance(image, Image.Image) else image
    colour, alpha = split_alpha(pixels)
    colour = _to_bytes(colour)
    if alpha is not None:
        opacity = _to_bytes(alpha)[..., None].astype(np.uint16)
        if colour.ndim == 2:
            colour = colour[..., None]
        mixed = colour * opacity + (255 - opacity) * np.uint16(TRANSPARENT_GREY)
        colour = ((mixed + 127) // 255).astype(np.uint8)
    if colour.ndim == 2 or colour.shape[2] == 1:
        colour = np.repeat(colour.reshape(*colour.shape[:2], 1), 3, axis=2)
    return colour


def split_alpha(image: npt.ArrayLike) -> tuple[Pixels, Pixels | None]:
    """Colours and own transparency of an array.

    Args:
        image: (H, W) or (H, W, 1) grey, (H, W, 2) grey and alpha, (H, W, 3) RGB, or
            (H, W, 4) RGBA with straight alpha; uint8, uint16, or floats from 0 to 1.

    Returns:
        Colours, (H, W) or (H, W, 3), and alpha, (H, W) or None; uint8 or uint16, floats
        as uint16.

    Raises:
        ImageError: another shape or dtype, an empty array, or floats out of range.
    """
    try:
        array = np.asarray(image)
    except ValueError as error:
        raise ImageError(
            msg("The image is not an array of numbers."),
            msg("Give rows of one length, as a PIL image or a NumPy array has them."),
        ) from error
    channels = array.shape[2] if array.ndim == 3 else 1
    if array.ndim not in (2, 3) or not 1 <= channels <= 4 or not array.size:
        raise _array_error(array)
    if array.dtype.kind == "f":
        array = _floats_to_words(array)
    elif array.dtype not in (np.uint8, np.uint16):
        raise _array_error(array)
    pixels = cast(Pixels, array)
    if pixels.ndim == 2:
        return pixels, None
    if channels == 3:
        return pixels, None
    colour = pixels[..., 0] if channels < 3 else pixels[..., :3]
    return colour, None if channels == 1 else pixels[..., -1]


def pil_pixels(image: Image.Image) -> npt.NDArray[Any]:
    """The pixels of a PIL image as an array for :func:`split_alpha`.

    Palettes, CMYK and other modes become RGB, or RGBA where they have transparency.

    Raises:
        ImageError: its file is damaged or closed, or its numbers are out of range.
    """
    try:
        mode = image.mode
        if mode in _DEEP:
            return _deep_pixels(np.asarray(image))
        if mode not in _PLAIN_MODES:
            clear = image.has_transparency_data
            image = image.convert(_CONVERTED.get(mode, "RGBA" if clear else "RGB"))
        elif "transparency" in image.info:  # one colour or grey is transparent
            image = image.convert("LA" if mode == "L" else "RGBA")
        return np.asarray(image)
    except (AssertionError, OSError, SyntaxError, ValueError) as error:
        # Pillow asserts that the file of an image is still open.
        raise ImageError(
            msg(
                "The PIL image cannot be read ({reason}).",
                reason=str(error) or "closed",
            ),
            msg("Open its file again."),
        ) from error


def _deep_pixels(array: npt.NDArray[Any]) -> npt.NDArray[np.uint16]:
    if array.min(initial=0) < 0 or array.max(initial=0) > 65535:
        raise ImageError(
            msg("The PIL image has numbers of more than 16 bits."),
            msg("Scale them to 0 to 65535 first."),
        )
    return array.astype(np.uint16)


def _floats_to_words(array: npt.NDArray[Any]) -> npt.NDArray[np.uint16]:
    low, high = float(array.min()), float(array.max())
    if not (low >= -_SLACK and high <= 1 + _SLACK):  # also where one is not a number
        raise ImageError(
            msg(
                "The image has values from {low:g} to {high:g}; floats are 0 to 1.",
                low=low,
                high=high,
            ),
            msg("Divide by 255, or convert to uint8."),
        )
    scaled = np.clip(array, 0, 1).astype(np.float32, copy=False) * np.float32(65535)
    return np.asarray(np.rint(scaled), np.uint16)


def _to_bytes(values: Pixels) -> ByteArray:
    if values.dtype == np.uint8:
        return cast(ByteArray, values)
    return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _array_error(array: npt.NDArray[Any]) -> ImageError:
    if array.ndim == 3 and array.shape[0] in (1, 3, 4) and array.shape[2] > 4:
        hint = msg("Put the channels last: numpy.moveaxis(image, 0, -1).")
    else:
        hint = msg(
            "Expected (height, width), or (height, width, 3 or 4), of uint8, uint16, "
            "or floats from 0 to 1."
        )
    return ImageError(
        msg(
            "The image has shape {shape} and type {dtype}.",
            shape=array.shape,
            dtype=array.dtype,
        ),
        hint,
    )
