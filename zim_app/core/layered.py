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
from zim_app.core.pixels import PixelArray, convert_depth
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
        # At 8 bits, the rounding of many layers would add up.
        alpha = np.zeros((height, width), np.uint16)
        kept = []
        for layer in layers:
            kept.append(layer)
            if layer.visible:
                rows, columns = layer.pixels.shape[:2]
                part = (
                    slice(layer.top, layer.top + rows),
                    slice(layer.left, layer.left + columns),
                )
                above = convert_depth(layer.pixels[..., 3], np.uint16)
                put_over(
                    (merged[part][..., :3], alpha[part]),
                    (layer.pixels[..., :3], above),
                )
        merged[..., 3] = convert_depth(alpha, dtype)
        return cls(merged, tuple(kept))
