"""Statistics of a matte's alpha, and their drawing below the views of the loupe."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QCoreApplication, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPalette

from zim_app.gui.language import format_number
from zim_app.gui.translatable import QT_TRANSLATE_NOOP
from zim_model.arrays import FloatArray
from zim_model.matting.purity import (
    OPAQUE_FROM,
    TRANSPARENT_TO,
    AlphaHistogram,
    Purity,
    alpha_histogram,
    default_margin,
    measure_purity,
    sample_alpha,
)
from zim_model.request import Matte

BARS = 32
"""Height of the histogram, in view pixels."""
SMALLEST_SHARE = 1e-5
"""Share of the pixels at which a bar begins to show; bars grow with its logarithm."""


@dataclass(frozen=True, slots=True, eq=False)
class AlphaStatistics:
    """Histogram and purity of a matte, from a sample of its pixels."""

    histogram: AlphaHistogram
    purity: Purity

    @classmethod
    def of(cls, matte: Matte) -> AlphaStatistics:
        """The statistics of a matte; takes some milliseconds."""
        sample, step = sample_alpha(matte.alpha)
        margin = default_margin(*matte.alpha.shape) / step
        return cls(alpha_histogram(sample), measure_purity(sample, margin))

    def texts(self) -> tuple[tuple[str, str], tuple[str, str]]:
        """Two lines, left and right: what is beside the histogram, and the purity."""
        below, above = self.purity.interior_below, self.purity.exterior_above
        return (
            (
                _tr(QT_TRANSLATE_NOOP("Loupe", "alpha 0: {} %")).format(
                    _percent(self.histogram.transparent)
                ),
                _tr(QT_TRANSLATE_NOOP("Loupe", "alpha 1: {} %")).format(
                    _percent(self.histogram.opaque)
                ),
            ),
            (
                _tr(QT_TRANSLATE_NOOP("Loupe", "exterior above {}/255: {} %")).format(
                    round(255 * TRANSPARENT_TO), _percent(above)
                ),
                _tr(QT_TRANSLATE_NOOP("Loupe", "interior below {}/255: {} %")).format(
                    round(255 * OPAQUE_FROM), _percent(below)
                ),
            ),
        )

    def bar_heights(self) -> FloatArray:
        """Heights of the histogram's bars, 0 to 1, on a logarithmic scale."""
        shares = np.maximum(self.histogram.soft, np.float32(SMALLEST_SHARE))
        heights = 1 - np.log10(shares) / np.log10(SMALLEST_SHARE)
        return np.asarray(heights, np.float32)

    def paint(self, painter: QPainter, area: QRect, palette: QPalette) -> None:
        """Draw histogram and texts into an area of the height :func:`height`."""
        bars = QRectF(area.left(), area.top(), area.width(), BARS)
        painter.fillRect(bars, palette.color(QPalette.ColorRole.Base))
        heights = self.bar_heights()
        width = bars.width() / len(heights)
        grey = QColor(128, 128, 128)
        for index, height in enumerate(heights.tolist()):
            bar = QRectF(bars.left() + index * width, 0, width, height * BARS)
            bar.moveBottom(bars.bottom())
            painter.fillRect(bar, grey)
        painter.setPen(palette.color(QPalette.ColorRole.WindowText))
        line = QRect(area.left(), area.top() + BARS, area.width(), 0)
        line.setHeight((area.height() - BARS) // 2)
        for texts in self.texts():
            for text, side in zip(texts, (_LEFT, _RIGHT), strict=True):
                painter.drawText(line, side, text)
            line.translate(0, line.height())


_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


def height(line: int) -> int:
    """Height of the drawing, in view pixels, for lines of that height."""
    return BARS + 2 * line


def _tr(text: str) -> str:
    return QCoreApplication.translate("Loupe", text)


def _percent(share: float | None) -> str:
    return "–" if share is None else format_number(100 * share, 1)
