"""From light, as files of compositors store it in floats, to colours of sRGB."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from zim_app.core.colour import Space, light_to_srgb
from zim_app.core.decoders.base import DecodedImage, Metadata
from zim_app.core.pixels import strips
from zim_model.arrays import FloatArray, WordArray
from zim_model.errors import Message, msg

Convert = Callable[[FloatArray], FloatArray]
"""From the colours of a file, (H, W) or (H, W, 3), to light of sRGB's primaries."""

_WHITE = 1.001
"""Light from which a pixel is brighter than white; halves round by half as much."""


def image_of_light(
    metadata: Metadata,
    colour: FloatArray,
    alpha: FloatArray | None,
    *,
    premultiplied: bool,
    convert: Convert | None = None,
) -> DecodedImage:
    """The image of floats, at 16 bits: what is brighter than white is clipped.

    Args:
        metadata: of the file; the profile is not used.
        colour: (H, W) grey or (H, W, 3) RGB, of any float type.
        alpha: (H, W), or None.
        premultiplied: whether the colours were multiplied by it.
        convert: makes light of the colours; None if they are light.
    """
    shape, problems = colour.shape[:2], set[str]()
    encoded: WordArray | None = None
    opacity = None if alpha is None else np.empty(shape, np.uint16)
    for rows in strips(*shape):
        light = _finite(colour[rows], problems)
        if alpha is not None and opacity is not None:
            part = np.clip(_finite(alpha[rows], problems), 0, 1)
            opacity[rows] = np.rint(part * 65535)
            if premultiplied:
                light = _divide(light, part)
        light = light if convert is None else convert(light)
        if light.max(initial=0) > _WHITE:
            problems.add("bright")
        if encoded is None:
            encoded = np.empty((*shape, *light.shape[2:]), np.uint16)
        encoded[rows] = light_to_srgb(light)
    assert encoded is not None
    ignored = [text for key, text in _PROBLEMS.items() if key in problems]
    space: Space = "GRAY" if encoded.ndim == 2 else "RGB"
    image = replace(metadata, icc=None).image(encoded, space, opacity)
    return replace(image, ignored=(*image.ignored, *ignored), linear=True)


_PROBLEMS: dict[str, Message] = {
    "bright": msg("light brighter than white"),
    "number": msg("values that are no numbers"),
}


def _finite(values: Any, problems: set[str]) -> FloatArray:
    """Values as float32, with 0 for what is no number."""
    with np.errstate(over="ignore", invalid="ignore"):
        result = values.astype(np.float32)
    if np.isnan(result).any():
        problems.add("number")
    largest = float(np.finfo(np.float32).max)
    finite = np.nan_to_num(result, copy=False, posinf=largest, neginf=0.0)
    return np.asarray(finite, np.float32)


def _divide(light: FloatArray, alpha: FloatArray) -> FloatArray:
    """Straight colours of premultiplied ones; those of no opacity are kept."""
    divisor = np.where(alpha > 0, alpha, np.float32(1))
    with np.errstate(over="ignore"):  # infinite light is white
        result = light / (divisor if light.ndim == 2 else divisor[..., None])
    return np.asarray(result, np.float32)
