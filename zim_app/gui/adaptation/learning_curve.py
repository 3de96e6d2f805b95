"""The scores of the held-out images in the course of a training, drawn as a line."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPalette, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from zim_app.gui.language import format_number

MARGIN = 8
LINE = QColor("#1f74d6")
LEAST_SPAN = 0.04
"""Smallest range of scores that the height stands for."""


class LearningCurve(QWidget):
    """Draws scores over the share of the time, and the first one as a level line.

    **Threads**: the window's only.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.points: list[tuple[float, float]] = []
        self.setMinimumHeight(110)
        self.setAccessibleName(self.tr("Accuracy on held-out photos"))

    def sizeHint(self) -> QSize:
        return QSize(420, 120)

    def clear(self) -> None:
        """Forget all scores."""
        self.points.clear()
        self.update()

    def add(self, share: float, score: float) -> None:
        """Add a score at a share of the time, in [0, 1]."""
        self.points.append((share, score))
        first, best = self.points[0][1], max(score for _, score in self.points)
        self.setAccessibleDescription(
            self.tr("IoU {} at first, now {}, at best {}").format(
                *(format_number(value, 3) for value in (first, score, best))
            )
        )
        self.setToolTip(self.accessibleDescription())
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colour = self.palette().color(QPalette.ColorRole.WindowText)
        faint = QColor(colour)
        faint.setAlpha(90)
        area = QRectF(self.rect()).adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN)
        painter.setPen(QPen(faint, 1))
        painter.drawRect(area)
        if not self.points:
            return
        scores = [score for _, score in self.points]
        middle = (min(scores) + max(scores)) / 2
        span = max(LEAST_SPAN, 1.2 * (max(scores) - min(scores)))
        low = middle - span / 2

        def place(share: float, score: float) -> QPointF:
            return QPointF(
                area.left() + share * area.width(),
                area.bottom() - (score - low) / span * area.height(),
            )

        painter.setPen(QPen(faint, 1, Qt.PenStyle.DashLine))
        painter.drawLine(place(0, scores[0]), place(1, scores[0]))
        painter.setPen(QPen(LINE, 2))
        line = [place(*point) for point in self.points]
        painter.drawPolyline(QPolygonF(line))
        painter.setBrush(LINE)
        for point in line:
            painter.drawEllipse(point, 3, 3)
        self._draw_numbers(painter, area, (low, low + span), colour)

    def _draw_numbers(
        self,
        painter: QPainter,
        area: QRectF,
        ends: tuple[float, float],
        colour: QColor,
    ) -> None:
        painter.setPen(colour)
        inside = area.adjusted(4, 2, -4, -2)
        left = Qt.AlignmentFlag.AlignLeft
        for value, side in zip(
            ends,
            (Qt.AlignmentFlag.AlignBottom, Qt.AlignmentFlag.AlignTop),
            strict=True,
        ):
            painter.drawText(inside, left | side, format_number(value, 3))
