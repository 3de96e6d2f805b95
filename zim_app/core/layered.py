"""Layered images in memory, the content of Photoshop and OpenRaster files."""

from __future__ import annotations

from dataclasses import dataclass

from zim_app.core.compose import CutOut, cut_out_pixels
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
        cls, name: str, cut_out: CutOut, *, visible: bool = True
    ) -> ImageLayer:
        """A layer from a cut-out of the whole image, cropped to its support."""
        rect = mask_bounds(cut_out.alpha) or (0, 0, 1, 1)
        pixels = cut_out_pixels(crop(cut_out, rect))
        return cls(name, rect[0], rect[1], visible, pixels)


@dataclass(frozen=True, slots=True, eq=False)
class LayeredImage:
    """Layers and their composite.

    Attributes:
        merged: (H, W, 4) as in :class:`ImageLayer`; the visible layers over each other.
        layers: the lowest first; all of the same depth as ``merged``.
    """

    merged: PixelArray
    layers: tuple[ImageLayer, ...]
