"""A picture and its matte become pixels to export; pure NumPy, in strips.

Where a picture has transparency of its own, its alpha multiplies the matte.
Blending happens in encoded values, as browsers and editors do by default.
"""

from __future__ import annotations

import numpy as np

from zim_app.core.colour import srgb_to_profile
from zim_app.core.images import Picture
from zim_app.core.pixels import PixelArray, Rgb, at_depth, strips
from zim_model.arrays import WordArray
from zim_model.request import ALPHA_MAX


def cutout(picture: Picture, alpha: WordArray) -> PixelArray:
    """The picture with the matte as its transparency.

    Args:
        picture: whose ``source`` gives the colours, which stay exactly as they are:
            straight alpha, nothing is premultiplied, not even where alpha is 0.
        alpha: (H, W) uint16, 0 transparent to 65535 opaque.

    Returns:
        (H, W, 4) red, green, blue, alpha at the depth and in the profile of
        ``picture.source``.
    """
    _check(picture, alpha)
    result = np.empty((*alpha.shape, 4), picture.source.dtype)
    for rows in strips(*alpha.shape):
        result[rows, :, :3] = picture.source[rows]
        result[rows, :, 3] = at_depth(_opacity(picture, alpha, rows), result.dtype)
    return result


def composite(picture: Picture, alpha: WordArray, background: Rgb) -> PixelArray:
    """The cut-out over one colour.

    Args:
        picture: as for :func:`cutout`.
        alpha: as for :func:`cutout`.
        background: sRGB; it is converted to the picture's profile.

    Returns:
        (H, W, 3) at the depth and in the profile of ``picture.source``.
    """
    _check(picture, alpha)
    colour = np.array(srgb_to_profile(background, picture.icc), np.uint8)
    backdrop = at_depth(colour, picture.source.dtype).astype(np.uint32)
    result = np.empty_like(picture.source)
    for rows in strips(*alpha.shape):
        opacity = _opacity(picture, alpha, rows)[..., None].astype(np.uint32)
        blended = picture.source[rows] * opacity + backdrop * (ALPHA_MAX - opacity)
        result[rows] = (blended + ALPHA_MAX // 2) // ALPHA_MAX
    return result


def matte(picture: Picture, alpha: WordArray) -> PixelArray:
    """The alpha of :func:`cutout` as a grey picture, (H, W) at the source's depth."""
    _check(picture, alpha)
    result = np.empty(alpha.shape, picture.source.dtype)
    for rows in strips(*alpha.shape):
        result[rows] = at_depth(_opacity(picture, alpha, rows), result.dtype)
    return result


def _check(picture: Picture, alpha: WordArray) -> None:
    if alpha.shape != (picture.height, picture.width) or alpha.dtype != np.uint16:
        raise ValueError(
            f"alpha is {alpha.shape} {alpha.dtype}, the picture "
            f"({picture.height}, {picture.width})"
        )


def _opacity(picture: Picture, alpha: WordArray, rows: slice) -> WordArray:
    if picture.source_alpha is None:
        return alpha[rows]
    product = alpha[rows].astype(np.uint32) * picture.source_alpha[rows]
    return ((product + ALPHA_MAX // 2) // ALPHA_MAX).astype(np.uint16)
