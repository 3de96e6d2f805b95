"""Layered images, the content of Photoshop and OpenRaster files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from zim_app.core.compose import (
    CutOut,
    HiddenPixels,
    cut_out_pixels,
    put_over,
    recolour_hidden_pixels,
)
from zim_app.core.framing import crop
from zim_app.core.pixels import PixelArray, convert_depth, strips
from zim_model.arrays import WordArray, mask_bounds


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

    @property
    def entry(self) -> LayerEntry:
        """What a file says of it."""
        height, width = self.pixels.shape[:2]
        return LayerEntry(self.name, self.left, self.top, width, height, self.visible)

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


class LayerEntry(NamedTuple):
    """What a file says of a layer beside its pixels, see :class:`ImageLayer`."""

    name: str
    left: int = 0
    top: int = 0
    width: int = 0
    height: int = 0
    visible: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class LayerSource:
    """A layer that is rendered when it is written.

    Attributes:
        name: of the layer.
        render: gives the layer; may be called again, for another attempt to write.
    """

    name: str
    render: Callable[[], ImageLayer]


class LayeredImage:
    """Layers, rendered one at a time since each may be large, and their composite.

    Attributes:
        sources: of the layers, the lowest first.
        merged: (H, W, 4) as in :class:`ImageLayer`; the visible layers over each other,
            black where all are transparent.  Complete once all layers were rendered.
        entries: of the layers that were rendered.
        digests: of their pixels, see :func:`pixel_digest`.
    """

    def __init__(
        self,
        height: int,
        width: int,
        dtype: np.dtype[Any],
        sources: Sequence[LayerSource],
    ) -> None:
        """An image of that size and depth from layers that lie inside it."""
        self.sources = tuple(sources)
        self.merged: PixelArray = np.zeros((height, width, 4), dtype)
        self.entries: list[LayerEntry] = []
        self.digests: list[bytes] = []

    def render_layers(self) -> Iterator[ImageLayer]:
        """Each layer, the lowest first; none is kept."""
        self.merged.fill(0)
        self.entries.clear()
        self.digests.clear()
        # At 8 bits, the rounding of many layers would add up.
        alpha = np.zeros(self.merged.shape[:2], np.uint16)
        for source in self.sources:
            layer = source.render()
            self.entries.append(layer.entry)
            self.digests.append(pixel_digest(layer.pixels))
            if layer.visible:
                _put_layer_over(self.merged, alpha, layer)
            yield layer
            del layer  # else it would be in memory beside the next one
        self.merged[..., 3] = convert_depth(alpha, self.merged.dtype)


def _put_layer_over(merged: PixelArray, alpha: WordArray, layer: ImageLayer) -> None:
    """Composite a layer over the colours (H, W, 4) and the alpha (H, W) of others."""
    height, width = layer.pixels.shape[:2]
    part = (
        slice(layer.top, layer.top + height),
        slice(layer.left, layer.left + width),
    )
    above = convert_depth(layer.pixels[..., 3], np.uint16)
    put_over((merged[part][..., :3], alpha[part]), (layer.pixels[..., :3], above))


def pixel_digest(pixels: PixelArray) -> bytes:
    """SHA-256 of pixels (H, W, C), their shape and their depth."""
    digest = hashlib.sha256(repr((pixels.shape, pixels.dtype.str)).encode())
    for rows in strips(*pixels.shape[:2]):
        digest.update(pixels[rows].tobytes())
    return digest.digest()
