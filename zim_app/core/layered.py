"""Layered pictures in memory: what Photoshop and OpenRaster files are made of."""

from __future__ import annotations

from dataclasses import dataclass

from zim_app.core.compose import Cut, cutout
from zim_app.core.framing import cropped, support_of
from zim_app.core.pixels import PixelArray


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One layer.

    Attributes:
        name: for the user.
        left: of ``pixels`` in the whole picture.
        top: likewise.
        visible: whether editors show it at first.
        pixels: (H, W, 4) red, green, blue, alpha, straight; uint8 or uint16.
    """

    name: str
    left: int
    top: int
    visible: bool
    pixels: PixelArray

    @classmethod
    def of(cls, name: str, cut: Cut, *, visible: bool = True) -> Layer:
        """A layer of all that can be seen of a cut-out as large as the picture."""
        rect = support_of(cut.alpha) or (0, 0, 1, 1)
        pixels = cutout(cropped(cut, rect))
        return cls(name, rect[0], rect[1], visible, pixels)


@dataclass(frozen=True, slots=True, eq=False)
class LayeredPicture:
    """Layers and what they look like together.

    Attributes:
        merged: (H, W, 4) as in :class:`Layer`; the visible layers over each other.
        layers: the lowest first; all of the same depth as ``merged``.
    """

    merged: PixelArray
    layers: tuple[Layer, ...]
