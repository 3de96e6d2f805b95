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
        self.setMinimumHeight(130)
        self.setAccessibleName(self.tr("IoU on held-out photos"))

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
        metrics = self.fontMetrics()
        left = MARGIN + metrics.horizontalAdvance(format_number(1, 3))
        top = MARGIN + metrics.height()
        area = QRectF(self.rect()).adjusted(left, top, -MARGIN, -MARGIN)
        painter.setPen(colour)
        painter.drawText(QPointF(area.left(), area.top() - 4), self.accessibleName())
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
        painter.setPen(colour)
        beside = QRectF(0, area.top(), area.left() - 4, area.height())
        right = Qt.AlignmentFlag.AlignRight
        painter.drawText(
            beside, right | Qt.AlignmentFlag.AlignTop, format_number(low + span, 3)
        )
        painter.drawText(
            beside, right | Qt.AlignmentFlag.AlignBottom, format_number(low, 3)
        )
