"""Layered images in memory, the content of Photoshop and OpenRaster files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from zim_app.core.compose import (
    CutOut,
    HiddenPixels,
    cut_out_pixels,
    put_over,
    recolour_hidden_pixels,
)
from zim_app.core.framing import crop
from zim_app.core.pixels import PixelArray
from zim_model.arrays import mask_bounds


@dataclass(frozen=True, slots=True, eq=False)
class ImageLayer:
    """One layer.

    Attributes:
        name: for the user.
        left: of ``pixels`` in the whole image.
        top: of ``pixels`` in the whole image.
        visible: whether editors show it when they open the file.
        pixels: (H, W, 4) red, green, blue, alpha, straight; uint8 or uint16.
    """

    name: str
    left: int
    top: int
    visible: bool
    pixels: PixelArray

    @classmethod
    def from_cut_out(
        cls,
        name: str,
        cut_out: CutOut,
        dtype: np.dtype[Any],
        *,
        visible: bool = True,
        hidden_pixels: HiddenPixels = "keep",
    ) -> ImageLayer:
        """A layer from a cut-out of the whole image, cropped to its support.

        Args:
            name: for the user.
            cut_out: of the size of the file.
            dtype: of the layer, uint8 or uint16.
            visible: whether editors show it.
            hidden_pixels: the colours of its transparent pixels.
        """
        rect = mask_bounds(cut_out.alpha) or (0, 0, 1, 1)
        part = recolour_hidden_pixels(crop(cut_out, rect), hidden_pixels, dtype)
        return cls(name, rect[0], rect[1], visible, cut_out_pixels(part, dtype))


@dataclass(frozen=True, slots=True, eq=False)
class LayeredImage:
    """Layers and their composite.

    Attributes:
        merged: (H, W, 4) as in :class:`ImageLayer`; the visible layers over each other,
            black where all are transparent.
        layers: the lowest first; all of the same depth as ``merged``.
    """

    merged: PixelArray
    layers: tuple[ImageLayer, ...]

    @classmethod
    def from_layers(
        cls, height: int, width: int, dtype: np.dtype[Any], layers: Iterable[ImageLayer]
    ) -> LayeredImage:
        """An image of that size from layers that lie inside it, the lowest first."""
        merged: PixelArray = np.zeros((height, width, 4), dtype)
        kept = []
        for layer in layers:
            kept.append(layer)
            if layer.visible:
                rows, columns = layer.pixels.shape[:2]
                part = merged[
                    layer.top : layer.top + rows, layer.left : layer.left + columns
                ]
                put_over(_planes(part), _planes(layer.pixels))
        return cls(merged, tuple(kept))


def _planes(pixels: PixelArray) -> tuple[PixelArray, PixelArray]:
    """Views of colours (H, W, 3) and alpha (H, W) of RGBA pixels."""
    return pixels[..., :3], pixels[..., 3]
