"""A picture and its matte become pixels to export; pure NumPy, in strips.

Where a picture has transparency of its own, its alpha multiplies the matte.
Blending happens in encoded values, as browsers and editors do by default.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from zim_app.core.images import Picture
from zim_app.core.pixels import PixelArray, at_depth, strips
from zim_model.arrays import WordArray
from zim_model.request import ALPHA_MAX


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """Colours and what is to be seen of them: straight alpha, never premultiplied.

    Attributes:
        colours: (H, W, 3) uint8 or uint16, in the picture's profile.
        alpha: (H, W) uint16, 0 transparent to 65535 opaque.
    """

    colours: PixelArray
    alpha: WordArray

    @classmethod
    def of(cls, picture: Picture, alpha: WordArray) -> Cut:
        """The part of a picture that a matte, (H, W) uint16, keeps.

        The colours are the picture's ``source``, exactly, not a copy.
        """
        if alpha.shape != (picture.height, picture.width) or alpha.dtype != np.uint16:
            raise ValueError(
                f"alpha is {alpha.shape} {alpha.dtype}, the picture "
                f"({picture.height}, {picture.width})"
            )
        if picture.source_alpha is not None:
            alpha = _product(alpha, picture.source_alpha)
        return cls(picture.source, alpha)


def cutout(cut: Cut, dtype: np.dtype[Any] | type | None = None) -> PixelArray:
    """Colours and alpha together.

    Args:
        cut: stays as it is, even the colours where alpha is 0.
        dtype: uint8 or uint16; None keeps that of the colours.

    Returns:
        (H, W, 4) red, green, blue, alpha.
    """
    result = np.empty((*cut.alpha.shape, 4), dtype or cut.colours.dtype)
    for rows in strips(*cut.alpha.shape):
        result[rows, :, :3] = at_depth(cut.colours[rows], result.dtype)
        result[rows, :, 3] = at_depth(cut.alpha[rows], result.dtype)
    return result


def composite(
    cut: Cut,
    backdrop: PixelArray,
    dtype: np.dtype[Any] | type | None = None,
) -> PixelArray:
    """The cut-out over one colour or over another picture.

    Args:
        cut: what lies on top.
        backdrop: (3,) or (H, W, 3), uint8 or uint16, in the profile of the colours.
        dtype: as for :func:`cutout`.

    Returns:
        (H, W, 3).
    """
    result = np.empty(cut.colours.shape, dtype or cut.colours.dtype)
    for rows in strips(*cut.alpha.shape):
        behind = backdrop if backdrop.ndim == 1 else backdrop[rows]
        below = at_depth(behind, result.dtype).astype(np.uint32)
        above = at_depth(cut.colours[rows], result.dtype)
        opacity = cut.alpha[rows, :, None].astype(np.uint32)
        blended = above * opacity + below * (ALPHA_MAX - opacity)
        result[rows] = (blended + ALPHA_MAX // 2) // ALPHA_MAX
    return result


def matte(cut: Cut, dtype: np.dtype[Any] | type | None = None) -> PixelArray:
    """The alpha of :func:`cutout` as a grey picture, (H, W)."""
    return at_depth(cut.alpha, dtype or cut.colours.dtype)


def together(alphas: Iterable[WordArray]) -> WordArray:
    """One matte of several, as if their cut-outs lay over each other.

    Args:
        alphas: at least one; (H, W) uint16 each.

    Returns:
        (H, W) uint16; the only matte itself, if there is one.
    """
    first, *others = alphas
    result = first
    for alpha in others:
        result = 65535 - _product(65535 - result, 65535 - alpha)
    return result


def stacked(cuts: Iterable[Cut]) -> Cut:
    """Lay cut-outs of one size over each other, the last on top.

    Args:
        cuts: at least one, all of one size and depth.

    Returns:
        The colours that, with its alpha, give what is seen; those of the first
        where nothing is.
    """
    first, *others = cuts
    colours, alpha = first.colours.copy(), first.alpha.copy()
    top = np.iinfo(colours.dtype).max
    for cut in others:
        for rows in strips(*alpha.shape):
            above = cut.alpha[rows].astype(np.float32) / ALPHA_MAX
            below = (1 - above) * (alpha[rows].astype(np.float32) / ALPHA_MAX)
            total = above + below
            share = np.where(total > 0, above / np.maximum(total, 1e-9), 0)[..., None]
            mixed = colours[rows] + share * (
                cut.colours[rows].astype(np.float32) - colours[rows]
            )
            colours[rows] = np.clip(mixed.round(), 0, top)
            alpha[rows] = (total * ALPHA_MAX).round().clip(0, ALPHA_MAX)
    return Cut(colours, alpha)


def _product(alpha: WordArray, other: WordArray) -> WordArray:
    result = np.empty_like(alpha)
    for rows in strips(*alpha.shape):
        product = alpha[rows].astype(np.uint32) * other[rows]
        result[rows] = (product + ALPHA_MAX // 2) // ALPHA_MAX
    return result
