"""Cut-outs, composites and mattes as pixels to export, in strips of rows.

Where an image has transparency of its own, the lower of its alpha and the matte counts:
both fall off at the same edge, so that their product would be too thin.  Blending is
done in encoded (not linear) values, as browsers and image editors do by default.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

from zim_app.core.images import Image
from zim_app.core.pixels import PixelArray, convert_depth, strips
from zim_model.arrays import BoolArray, WordArray
from zim_model.request import ALPHA_MAX

HiddenPixels = Literal["bleed", "keep", "clear"]
"""Colours of transparent pixels, see :func:`recolour_hidden_pixels`."""
BLEED = 8
"""Pixels around the edge that get its colours, where enlarging filters look."""
_TILE = 256
"""Side of the parts of an image that are searched for an edge."""


@dataclass(frozen=True, slots=True, eq=False)
class CutOut:
    """Foreground colours with straight (not premultiplied) alpha.

    Attributes:
        colours: (H, W, 3) uint8 or uint16, in the image's profile.
        alpha: (H, W) uint16, 0 transparent to 65535 opaque.
    """

    colours: PixelArray
    alpha: WordArray

    @classmethod
    def from_image(cls, image: Image, alpha: WordArray) -> CutOut:
        """Cut an image out with a matte, (H, W) uint16.

        The colours are the image's ``source`` array itself, not a copy.
        """
        if alpha.shape != (image.height, image.width) or alpha.dtype != np.uint16:
            raise ValueError(
                f"alpha is {alpha.shape} {alpha.dtype}, the image "
                f"({image.height}, {image.width})"
            )
        if image.source_alpha is not None:
            alpha = np.minimum(alpha, image.source_alpha)
        return cls(image.source, alpha)


def recolour_hidden_pixels(
    cut_out: CutOut, mode: HiddenPixels, dtype: np.dtype[Any] | type
) -> CutOut:
    """Replace the colours of transparent pixels, which programs can make visible.

    Args:
        cut_out: at its final size.
        mode: ``bleed`` repeats the colour of the nearest visible pixel for
            :data:`BLEED` pixels, so that programs which resample colours and alpha
            separately have no dark edges, and is black beyond; ``clear`` is black
            everywhere; ``keep`` changes nothing.
        dtype: uint8 or uint16, in which alpha will be stored: what it rounds to 0 is
            transparent.

    Returns:
        A new cut-out; the same one if nothing changes.
    """
    if mode == "keep":
        return cut_out
    hidden = convert_depth(cut_out.alpha, dtype) == 0
    if not hidden.any():
        return cut_out
    colours = np.zeros_like(cut_out.colours)
    cv2.copyTo(cut_out.colours, (~hidden).view(np.uint8), colours)
    if mode == "bleed":
        for tile in _tiles(hidden.shape):
            _bleed(colours, cut_out.colours, hidden, tile)
    return CutOut(colours, cut_out.alpha)


def _tiles(shape: tuple[int, int]) -> Iterator[tuple[slice, slice]]:
    """Rows and columns of parts of an image, most of which have no edge."""
    height, width = shape
    for top, left in product(range(0, height, _TILE), range(0, width, _TILE)):
        yield (
            slice(top, min(top + _TILE, height)),
            slice(left, min(left + _TILE, width)),
        )


def _bleed(
    out: PixelArray, colours: PixelArray, hidden: BoolArray, tile: tuple[slice, slice]
) -> None:
    """Give the hidden pixels of a tile the colour of the nearest visible pixel.

    Args:
        out: (H, W, 3), written where one is within :data:`BLEED` pixels.
        colours: (H, W, 3).
        hidden: (H, W).
        tile: rows and columns.
    """
    if not hidden[tile].any():
        return
    around = tuple(slice(max(0, s.start - BLEED), s.stop + BLEED) for s in tile)
    if hidden[around].all():
        return
    nearest, near = _nearest_visible(hidden[around], BLEED)
    inner = tuple(
        slice(s.start - a.start, s.stop - a.start)
        for s, a in zip(tile, around, strict=True)
    )
    near = near[inner]
    seen = colours[around].reshape(-1, 3)
    out[tile][near] = seen[nearest[inner][near]]


def _nearest_visible(
    hidden: BoolArray, reach: int
) -> tuple[npt.NDArray[np.intp], BoolArray]:
    """Flat indexes of the nearest visible pixels, and where one is within reach.

    Args:
        hidden: (H, W), not all true.
        reach: in pixels.

    Returns:
        (H, W) indexes, meaningful where the second result, (H, W) of hidden pixels, is
        true.
    """
    distance, labels = cv2.distanceTransformWithLabels(
        hidden.astype(np.uint8),
        cv2.DIST_L2,
        cv2.DIST_MASK_5,
        labelType=cv2.DIST_LABEL_PIXEL,
    )
    visible = np.flatnonzero(~hidden)
    index = np.zeros(len(visible) + 1, np.intp)
    index[labels.ravel()[visible]] = visible
    return index[labels], hidden & (distance <= reach)


def cut_out_pixels(
    cut_out: CutOut, dtype: np.dtype[Any] | type | None = None
) -> PixelArray:
    """Colours and alpha as one RGBA array.

    Args:
        cut_out: its colours are kept even where alpha is 0.
        dtype: uint8 or uint16; None keeps that of the colours.

    Returns:
        (H, W, 4) red, green, blue, alpha.
    """
    result = np.empty((*cut_out.alpha.shape, 4), dtype or cut_out.colours.dtype)
    for rows in strips(*cut_out.alpha.shape):
        planes = (cut_out.colours[rows], cut_out.alpha[rows])
        same_depth = [convert_depth(plane, result.dtype) for plane in planes]
        cv2.mixChannels(same_depth, [result[rows]], [0, 0, 1, 1, 2, 2, 3, 3])
    return result


def composite(
    cut_out: CutOut,
    backdrop: PixelArray,
    dtype: np.dtype[Any] | type | None = None,
) -> PixelArray:
    """Composite a cut-out over one colour or over another image.

    Args:
        cut_out: the foreground.
        backdrop: (3,) or (H, W, 3), uint8 or uint16, in the profile of the colours.
        dtype: as for :func:`cut_out_pixels`.

    Returns:
        (H, W, 3).
    """
    result = np.empty(cut_out.colours.shape, dtype or cut_out.colours.dtype)
    for rows in strips(*cut_out.alpha.shape):
        behind = backdrop if backdrop.ndim == 1 else backdrop[rows]
        below = convert_depth(behind, result.dtype).astype(np.uint32)
        above = convert_depth(cut_out.colours[rows], result.dtype)
        opacity = cut_out.alpha[rows, :, None].astype(np.uint32)
        blended = above * opacity + below * (ALPHA_MAX - opacity)
        result[rows] = (blended + ALPHA_MAX // 2) // ALPHA_MAX
    return result


def union_alpha(alphas: Iterable[WordArray]) -> WordArray:
    """Combined alpha of several mattes, as of cut-outs stacked over each other.

    Args:
        alphas: at least one; (H, W) uint16 each.

    Returns:
        (H, W) uint16; the same array if there is only one.
    """
    first, *rest = alphas
    result = first
    for alpha in rest:
        result = 65535 - _multiply_alpha(65535 - result, 65535 - alpha)
    return result


def stack_cut_outs(cut_outs: Iterable[CutOut]) -> CutOut:
    """Composite cut-outs of one size over each other, the last on top.

    Args:
        cut_outs: at least one, all of one size and depth.

    Returns:
        One cut-out with the combined colours and alpha; where all are transparent,
        with the colours of the first.
    """
    first, *rest = cut_outs
    result = CutOut(first.colours.copy(), first.alpha.copy())
    for cut_out in rest:
        put_over((result.colours, result.alpha), (cut_out.colours, cut_out.alpha))
    return result


def put_over(
    below: tuple[PixelArray, PixelArray], above: tuple[PixelArray, PixelArray]
) -> None:
    """Composite colours and alpha over others of the same size, in place.

    Args:
        below: colours (H, W, 3) and alpha (H, W), straight, each at its own depth.
        above: likewise, of the same depths.
    """
    colours, alpha = below
    top, opaque = np.iinfo(colours.dtype).max, np.iinfo(alpha.dtype).max
    for rows in strips(*alpha.shape):
        over = above[1][rows].astype(np.float32) / opaque
        under = (1 - over) * (alpha[rows].astype(np.float32) / opaque)
        total = over + under
        weight = np.where(total > 0, over / np.maximum(total, 1e-9), 0)[..., None]
        mixed = colours[rows] + weight * (
            above[0][rows].astype(np.float32) - colours[rows]
        )
        colours[rows] = np.clip(mixed.round(), 0, top)
        alpha[rows] = (total * opaque).round().clip(0, opaque)


def _multiply_alpha(alpha: WordArray, other: WordArray) -> WordArray:
    result = np.empty_like(alpha)
    for rows in strips(*alpha.shape):
        product = alpha[rows].astype(np.uint32) * other[rows]
        result[rows] = (product + ALPHA_MAX // 2) // ALPHA_MAX
    return result
