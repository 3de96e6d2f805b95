"""Drawing prompts over the picture, at constant size on the screen."""

from __future__ import annotations

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QRegion

from zim_app.gui.tools import Part, ToView, corners
from zim_model.prompts import Box, Point, PromptSet

POSITIVE = QColor(0x1F, 0xA8, 0x4D)
NEGATIVE = QColor(0xD9, 0x36, 0x36)
OUTLINE = QColor(Qt.GlobalColor.white)
SHADE = QColor(0, 0, 0, 150)
ACCENT = QColor(0x2F, 0x8F, 0xFF)
RADIUS = 8.0
SELECTED_RADIUS = 12.0
HANDLE = 4.0
_MARGIN = 3


def paint_prompts(
    painter: QPainter, prompts: PromptSet, selected: Part | None, to_view: ToView
) -> None:
    """Draw box and points; the painter's unit is a view pixel."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if prompts.box is not None:
        held = selected is not None and selected.of_box
        _paint_box(painter, prompts.box, held, to_view)
    for index, point in enumerate(prompts.points):
        _paint_point(
            painter,
            to_view(point.x, point.y),
            point,
            selected == Part("point", index),
        )


def prompts_region(prompts: PromptSet, to_view: ToView) -> QRegion:
    """The part of the view that :func:`paint_prompts` touches."""
    region = QRegion()
    for point in prompts.points:
        at = to_view(point.x, point.y)
        region |= QRegion(_around(at, at, SELECTED_RADIUS).toAlignedRect())
    if prompts.box is not None:
        ends = [to_view(x, y) for x, y in corners(prompts.box)]
        for a, b in zip(ends, ends[1:] + ends[:1], strict=True):
            region |= QRegion(_around(a, b, HANDLE).toAlignedRect())
    return region


def _around(a: QPointF, b: QPointF, reach: float) -> QRectF:
    grow = reach + _MARGIN
    return QRectF(a, b).normalized().adjusted(-grow, -grow, grow, grow)


def _paint_point(painter: QPainter, at: QPointF, point: Point, selected: bool) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if selected:
        painter.setPen(QPen(OUTLINE, 4.5))
        painter.drawEllipse(at, SELECTED_RADIUS, SELECTED_RADIUS)
        painter.setPen(QPen(ACCENT, 2.5))
        painter.drawEllipse(at, SELECTED_RADIUS, SELECTED_RADIUS)
    painter.setPen(QPen(SHADE, 1))
    painter.drawEllipse(at, RADIUS + 1, RADIUS + 1)
    painter.setPen(QPen(OUTLINE, 1.5))
    painter.setBrush(POSITIVE if point.positive else NEGATIVE)
    painter.drawEllipse(at, RADIUS, RADIUS)
    painter.setPen(QPen(OUTLINE, 2))
    arm = RADIUS - 3.5
    painter.drawLine(QLineF(at.x() - arm, at.y(), at.x() + arm, at.y()))
    if point.positive:
        painter.drawLine(QLineF(at.x(), at.y() - arm, at.x(), at.y() + arm))


def _paint_box(painter: QPainter, box: Box, selected: bool, to_view: ToView) -> None:
    ends = [to_view(x, y) for x, y in corners(box)]
    rect = QRectF(ends[0], ends[2])
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(ACCENT if selected else SHADE, 2))
    painter.drawRect(rect)
    dashes = QPen(OUTLINE, 1.5, Qt.PenStyle.CustomDashLine)
    dashes.setDashPattern([4, 4])
    painter.setPen(dashes)
    painter.drawRect(rect)
    painter.setPen(QPen(ACCENT if selected else SHADE, 1.2))
    painter.setBrush(OUTLINE)
    for end in ends:
        painter.drawRect(
            QRectF(end.x() - HANDLE, end.y() - HANDLE, 2 * HANDLE, 2 * HANDLE)
        )
