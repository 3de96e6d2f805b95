"""Two mattes over the image, each in its own colour, to see where they differ."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter

from zim_app.gui.canvas.pyramid_item import PyramidItem, crop_level, level_for
from zim_model.request import Matte

FIRST, SECOND = QColor(0xF0, 0x8C, 0x00), QColor(0x0A, 0x6C, 0xF0)
"""Colours of what is only in the first matte, and only in the second one; they differ
for colour-blind people too."""
BOTH = QColor(0x80, 0x80, 0x80)
STRENGTHS = (0.85, 0.85, 0.55)
"""Opacity of these colours where alpha is 1; the photo is seen where both agree."""
_BITS = 6
_SHADES = 1 << _BITS
"""Steps of each alpha in the table of colours."""


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Two mattes of the same image.

    Attributes:
        first, second: the mattes.
        blend: 0 shows only the first, 1 only the second, 0.5 both.
    """

    first: Matte
    second: Matte
    blend: float = 0.5


@lru_cache(maxsize=128)
def onion_colours(blend: float) -> npt.NDArray[np.uint32]:
    """Colours for every pair of alphas.

    Returns:
        (64, 64) uint32: 0xAARRGGBB, premultiplied, by the first alpha and the second
        one, in 64 steps from 0 to 1.
    """
    alpha = np.linspace(0, 1, _SHADES)
    first = alpha[:, None, None] * min(2 * (1 - blend), 1)
    second = alpha[None, :, None] * min(2 * blend, 1)
    shares = (first * (1 - second), second * (1 - first), first * second)
    pixels = np.zeros((_SHADES, _SHADES, 4))
    for share, colour, opacity in zip(
        shares, (FIRST, SECOND, BOTH), STRENGTHS, strict=True
    ):
        rgb = colour.red(), colour.green(), colour.blue()
        pixels += share * opacity * (255, *rgb)
    a, r, g, b = np.moveaxis(np.rint(pixels).astype(np.uint32), 2, 0)
    colours: npt.NDArray[np.uint32] = a << 24 | r << 16 | g << 8 | b
    return colours


class OnionSkinItem(PyramidItem):
    """Draws a comparison; its levels are those of the image."""

    def __init__(self) -> None:
        super().__init__()
        self._comparison: Comparison | None = None

    @property
    def comparison(self) -> Comparison | None:
        """What is drawn; None draws nothing."""
        return self._comparison

    def set_comparison(self, comparison: Comparison | None) -> None:
        """Draw another comparison."""
        self._comparison = comparison
        self.update()

    def paint_exposed(self, painter: QPainter, exposed: QRectF, scale: float) -> None:
        comparison = self._comparison
        if comparison is None:
            return
        pyramids = comparison.first.pyramid, comparison.second.pyramid
        index = level_for(scale, min(map(len, pyramids)))
        crop = crop_level(exposed, self.boundingRect(), pyramids[0][index])
        first, second = (crop.pixels(pyramid[index]) for pyramid in pyramids)
        unused = 8 - _BITS
        colours = onion_colours(comparison.blend)[first >> unused, second >> unused]
        height, width = colours.shape
        kind = QImage.Format.Format_ARGB32_Premultiplied
        image = QImage(colours.data, width, height, 4 * width, kind)
        painter.drawImage(crop.target, image, QRectF(image.rect()))
