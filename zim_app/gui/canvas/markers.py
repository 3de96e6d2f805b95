"""Draws prompts over the image, at constant size on the screen."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF, QRegion

from zim_app.gui.tools.gestures import PromptPart, ToView, corners
from zim_app.gui.tools.scribble import Path
from zim_model.prompts import Box, Point, PromptSet, Scribble

POSITIVE = QColor(0x1F, 0xA8, 0x4D)
NEGATIVE = QColor(0xD9, 0x36, 0x36)
OUTLINE = QColor(Qt.GlobalColor.white)
SHADOW = QColor(0, 0, 0, 150)
ACCENT = QColor(0x2F, 0x8F, 0xFF)
BAND = QColor(0xFF, 0xB0, 0x20, 110)
RADIUS = 8.0
SELECTED_RADIUS = 12.0
HANDLE = 4.0
LINE_WIDTH = 4.0
SIGN = 4.0
"""Length of an arm of a plus or minus sign on a scribble, in view pixels."""
CROSS, CROSS_GAP = 14.0, 5.0
"""Outer and inner radius of the keyboard cursor's arms, in view pixels."""
LEAST_RING = 2.0
"""Smallest radius of the brush ring, in view pixels."""
SIGN_GAP = 70.0
"""Distance between signs along a scribble, in view pixels."""
REGION_ALPHA = 30
"""Opacity of a region's inside, of 255."""
_MARGIN = 3


def paint_prompts(
    painter: QPainter,
    prompts: PromptSet,
    selected: PromptPart | None,
    to_view: ToView,
    scale: float = 1.0,
) -> None:
    """Draw box, scribbles and points; the painter's unit is a view pixel.

    ``scale`` magnifies the points.
    """
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if prompts.box is not None:
        held = selected is not None and selected.is_box_handle
        _paint_box(painter, prompts.box, held, to_view)
    for index, scribble in enumerate(prompts.scribbles):
        path = [to_view(x, y) for x, y in scribble.line]
        held = selected == PromptPart("scribble", index)
        _paint_scribble(painter, path, scribble, selected=held)
    for index, point in enumerate(prompts.points):
        painter.save()
        painter.translate(to_view(point.x, point.y))
        painter.scale(scale, scale)
        _paint_point(painter, QPointF(), point, selected == PromptPart("point", index))
        painter.restore()


@dataclass(frozen=True, slots=True)
class BrushRing:
    """The outline of a brush, in view pixels: its edge, and its fully opaque part."""

    position: QPointF
    radius: float
    full: float


def paint_ring(painter: QPainter, ring: BrushRing) -> None:
    """Draw the brush's edge, and a dotted circle where its opacity begins to fall."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    radius = max(ring.radius, LEAST_RING)
    for colour, width in ((SHADOW, 2.5), (OUTLINE, 1.2)):
        painter.setPen(QPen(colour, width))
        painter.drawEllipse(ring.position, radius, radius)
        painter.setPen(QPen(colour, width * 0.7, Qt.PenStyle.DotLine))
        if LEAST_RING < ring.full < radius - 2:
            painter.drawEllipse(ring.position, ring.full, ring.full)
        x, y, arm = ring.position.x(), ring.position.y(), 3.0
        painter.setPen(QPen(colour, width))
        painter.drawLine(QLineF(x - arm, y, x + arm, y))
        painter.drawLine(QLineF(x, y - arm, x, y + arm))


def ring_region(ring: BrushRing) -> QRegion:
    """The region of the view that :func:`paint_ring` touches."""
    radius = max(ring.radius, LEAST_RING)
    return QRegion(_around(ring.position, ring.position, radius).toAlignedRect())


def paint_cross(painter: QPainter, position: QPointF) -> None:
    """Draw the keyboard cursor: a cross with an open centre."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    x, y = position.x(), position.y()
    for colour, width in ((SHADOW, 4.5), (OUTLINE, 2.5), (ACCENT, 1.0)):
        painter.setPen(_round_pen(colour, width))
        for near, far in ((-CROSS_GAP, -CROSS), (CROSS_GAP, CROSS)):
            painter.drawLine(QLineF(x + near, y, x + far, y))
            painter.drawLine(QLineF(x, y + near, x, y + far))


def cross_region(position: QPointF) -> QRegion:
    """The region of the view that :func:`paint_cross` touches."""
    return QRegion(_around(position, position, CROSS).toAlignedRect())


def paint_gesture_path(
    painter: QPainter, path: Path, to_view: ToView, radius: float
) -> None:
    """Draw the path of a gesture.

    Args:
        radius: half the width of the translucent band, in view pixels.
    """
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(_round_pen(BAND, 2 * radius))
    painter.drawPolyline(QPolygonF([to_view(x, y) for x, y in path]))


def gesture_path_region(path: Path, to_view: ToView, radius: float) -> QRegion:
    """The region of the view that :func:`paint_gesture_path` touches."""
    region = QRegion()
    for a, b in pairwise([to_view(x, y) for x, y in path]):
        region |= QRegion(_around(a, b, 2 + radius).toAlignedRect())
    return region


def prompts_region(prompts: PromptSet, to_view: ToView, scale: float = 1.0) -> QRegion:
    """The region of the view that :func:`paint_prompts` touches."""
    region = QRegion()
    for point in prompts.points:
        position = to_view(point.x, point.y)
        region |= QRegion(
            _around(position, position, SELECTED_RADIUS * scale).toAlignedRect()
        )
    for scribble in prompts.scribbles:
        path = [to_view(x, y) for x, y in scribble.line]
        if scribble.region:
            region |= QRegion(QPolygonF(path).toPolygon(), Qt.FillRule.WindingFill)
        # By segments, because what a line goes around need not be repainted.
        for a, b in pairwise(path if len(path) > 1 else path * 2):
            region |= QRegion(_around(a, b, RADIUS).toAlignedRect())
    if prompts.box is not None:
        ends = [to_view(x, y) for x, y in corners(prompts.box)]
        for a, b in zip(ends, ends[1:] + ends[:1], strict=True):
            region |= QRegion(_around(a, b, HANDLE).toAlignedRect())
    return region


def _around(a: QPointF, b: QPointF, reach: float) -> QRectF:
    grow = reach + _MARGIN
    return QRectF(a, b).normalized().adjusted(-grow, -grow, grow, grow)


def _paint_point(
    painter: QPainter, position: QPointF, point: Point, selected: bool
) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if selected:
        painter.setPen(QPen(OUTLINE, 4.5))
        painter.drawEllipse(position, SELECTED_RADIUS, SELECTED_RADIUS)
        painter.setPen(QPen(ACCENT, 2.5))
        painter.drawEllipse(position, SELECTED_RADIUS, SELECTED_RADIUS)
    painter.setPen(QPen(SHADOW, 1))
    painter.drawEllipse(position, RADIUS + 1, RADIUS + 1)
    painter.setPen(QPen(OUTLINE, 1.5))
    painter.setBrush(POSITIVE if point.positive else NEGATIVE)
    painter.drawEllipse(position, RADIUS, RADIUS)
    _paint_sign(painter, position, RADIUS - 3.5, positive=point.positive)


def _paint_sign(
    painter: QPainter, position: QPointF, arm: float, *, positive: bool
) -> None:
    painter.setPen(QPen(OUTLINE, 2))
    painter.drawLine(
        QLineF(position.x() - arm, position.y(), position.x() + arm, position.y())
    )
    if positive:
        painter.drawLine(
            QLineF(position.x(), position.y() - arm, position.x(), position.y() + arm)
        )


def _paint_scribble(
    painter: QPainter, path: list[QPointF], scribble: Scribble, *, selected: bool
) -> None:
    """A line with signs at regular distances; a region's is thin, its inside faint."""
    line = QPolygonF(path if len(path) > 1 else path * 2)
    colour = POSITIVE if scribble.positive else NEGATIVE
    if scribble.region:
        fill = QColor(colour)
        fill.setAlpha(REGION_ALPHA)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(fill)
        painter.drawPolygon(line, Qt.FillRule.WindingFill)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    thickness = LINE_WIDTH / 2 if scribble.region else LINE_WIDTH
    for pen, width in (
        (ACCENT if selected else SHADOW, thickness + (7 if selected else 4)),
        (OUTLINE, thickness + 2.5),
        (colour, thickness),
    ):
        painter.setPen(_round_pen(pen, width))
        painter.drawPolyline(line)
    for position in sign_positions(path):
        painter.setPen(QPen(OUTLINE, 1.2))
        painter.setBrush(colour)
        painter.drawEllipse(position, SIGN + 2.5, SIGN + 2.5)
        _paint_sign(painter, position, SIGN, positive=scribble.positive)


def _round_pen(colour: QColor, width: float) -> QPen:
    return QPen(
        colour,
        width,
        Qt.PenStyle.SolidLine,
        Qt.PenCapStyle.RoundCap,
        Qt.PenJoinStyle.RoundJoin,
    )


def sign_positions(path: list[QPointF]) -> list[QPointF]:
    """Positions of the signs on a line, at equal distances from its start.

    They do not move while the line grows.  A short line has one in its middle.
    """
    lengths = [math.hypot((b - a).x(), (b - a).y()) for a, b in pairwise(path)]
    gap = min(sum(lengths), SIGN_GAP)
    if gap == 0:
        return path[:1]
    signs: list[QPointF] = []
    travelled = 0.0
    for (a, b), length in zip(pairwise(path), lengths, strict=True):
        while length > 0 and (len(signs) + 0.5) * gap <= travelled + length:
            fraction = ((len(signs) + 0.5) * gap - travelled) / length
            signs.append(a + (b - a) * fraction)
        travelled += length
    return signs


def _paint_box(painter: QPainter, box: Box, selected: bool, to_view: ToView) -> None:
    ends = [to_view(x, y) for x, y in corners(box)]
    rect = QRectF(ends[0], ends[2])
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(ACCENT if selected else SHADOW, 2))
    painter.drawRect(rect)
    dashes = QPen(OUTLINE, 1.5, Qt.PenStyle.CustomDashLine)
    dashes.setDashPattern([4, 4])
    painter.setPen(dashes)
    painter.drawRect(rect)
    painter.setPen(QPen(ACCENT if selected else SHADOW, 1.2))
    painter.setBrush(OUTLINE)
    for end in ends:
        painter.drawRect(
            QRectF(end.x() - HANDLE, end.y() - HANDLE, 2 * HANDLE, 2 * HANDLE)
        )
