"""Images as scripts hand them over, and results of the same kind.

A path, the bytes of a file, a PIL image or a NumPy array becomes an
:class:`~zim_app.core.images.Image`; pixels become bytes of a PNG, a PIL image or an
array again.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as PilImage

from zim_app.core.decoders.base import (
    ORIENTATION,
    DecodedImage,
    check_size,
    valid_dpi,
    valid_orientation,
)
from zim_app.core.images import Image, build_image, load_image, load_image_bytes
from zim_app.core.pixels import PixelArray, convert_depth
from zim_app.core.rasters import Tags
from zim_model.errors import ImageError, msg
from zim_model.image_input import pil_pixels, split_alpha

ImageSource = (
    str
    | os.PathLike[str]
    | bytes
    | bytearray
    | memoryview
    | PilImage.Image
    | np.ndarray
)
"""What :func:`read_source` takes."""
_NAME = "image"


def read_source(source: ImageSource) -> Image:
    """The image that a script hands over.

    Args:
        source: the path of a file or its bytes, see
            :func:`~zim_app.core.images.load_image`; a PIL image, whose EXIF orientation
            is applied and whose colour profile is kept; or an array of sRGB values, see
            :func:`~zim_model.image_input.split_alpha`.

    Raises:
        ImageError: it is none of these, damaged, or too large.
    """
    if isinstance(source, PilImage.Image):
        return _from_pil(source)
    if isinstance(source, np.ndarray):
        return _from_array(source)
    if isinstance(source, bytes | bytearray | memoryview):
        return load_image_bytes(bytes(source), _NAME)
    if isinstance(source, str | os.PathLike):
        return load_image(Path(source))
    raise ImageError(
        msg("{kind} is no image.", kind=type(source).__name__),
        msg("Give a path, the bytes of a file, a PIL image or a NumPy array."),
    )


def result_like(source: ImageSource, pixels: PixelArray, tags: Tags) -> Any:
    """Pixels as an array or a PIL image, as the source is one.

    Args:
        source: an array, whose dtype they get, or anything else for a PIL image.
        pixels: (H, W), (H, W, 3) or (H, W, 4), uint8 or uint16.
        tags: colour profile and resolution.

    Returns:
        Floats are from 0 to 1.  A PIL image has 8 bits, and the profile and resolution
        in its ``info``.
    """
    if isinstance(source, np.ndarray):
        if source.dtype.kind != "f":
            return convert_depth(pixels, source.dtype)
        words = convert_depth(pixels, np.uint16)
        return (words / np.float32(65535)).astype(source.dtype, copy=False)
    result = PilImage.fromarray(convert_depth(pixels, np.uint8))
    result.info.update(tags.for_pillow())
    return result


def _from_array(array: np.ndarray) -> Image:
    colour, alpha = split_alpha(array)
    _check_size(_NAME, colour.shape[1], colour.shape[0])
    if colour.ndim == 2:
        colour = np.repeat(colour[..., None], 3, axis=2)
    return Image.from_array(colour, _NAME, alpha)


def _from_pil(image: PilImage.Image) -> Image:
    file = getattr(image, "filename", "")
    name = os.path.basename(file) if isinstance(file, str) and file else _NAME
    _check_size(name, *image.size)
    icc, dpi = image.info.get("icc_profile"), image.info.get("dpi")
    try:
        orientation = valid_orientation(image.getexif().get(ORIENTATION))
    except Exception:  # Pillow raises many classes for damaged blocks
        orientation = None
    rest: dict[str, Any] = {
        "icc": icc if isinstance(icc, bytes) else None,
        "dpi": valid_dpi(dpi),
        "orientation": orientation or 1,
    }
    if image.mode == "CMYK":
        try:
            return build_image(
                DecodedImage(np.array(image), "CMYK", **rest), None, name
            )
        except (AssertionError, OSError, SyntaxError, ValueError):
            pil_pixels(image)  # says what is wrong
            raise
    colour, alpha = split_alpha(pil_pixels(image))
    words: Any = None if alpha is None else convert_depth(alpha, np.uint16)
    space: Any = "GRAY" if colour.ndim == 2 else "RGB"
    return build_image(DecodedImage(colour.copy(), space, words, **rest), None, name)


def _check_size(name: str, width: int, height: int) -> None:
    if min(width, height) < 1:
        raise ImageError(
            msg("{name} is empty.", name=name), msg("Give an image with pixels.")
        )
    check_size(name, width, height)
