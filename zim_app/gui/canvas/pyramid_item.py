"""Scene items that draw the exposed part of an image pyramid.

They draw the level that fits the zoom, cropped to the exposed part.  The time of a
repaint does not depend on the size of the image.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QLineF, QPointF, QRectF
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QTransform
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from zim_model.arrays import ByteArray

CRISP_ZOOM = 4.0
"""Scale from which pixels are drawn as squares."""
GRID_ZOOM = 16.0
"""Scale from which a pixel grid is drawn."""
_GRID_DARK, _GRID_BRIGHT = QColor(0, 0, 0, 56), QColor(255, 255, 255, 56)
_FORMATS = {3: QImage.Format.Format_RGB888, 4: QImage.Format.Format_RGB32}


def level_for(scale: float, count: int) -> int:
    """Index of the smallest level with at least one pixel per view pixel."""
    return min(max(math.floor(-math.log2(scale) + 1e-6), 0), count - 1)


def to_qimage(pixels: ByteArray, kind: QImage.Format | None = None) -> QImage:
    """A ``QImage`` on the memory of (h, w, 3 or 4) pixels, which must outlive it."""
    height, width, channels = pixels.shape
    return QImage(
        pixels.data, width, height, pixels.strides[0], kind or _FORMATS[channels]
    )


@dataclass(frozen=True, slots=True)
class Crop:
    """A region of one pyramid level, and its rectangle in the first level.

    Attributes:
        rows: rows of the level.
        columns: columns of the level.
        target: the rectangle in pixels of the first level.
    """

    rows: slice
    columns: slice
    target: QRectF

    @property
    def source(self) -> QRectF:
        """The rectangle in pixels of the level."""
        width = self.columns.stop - self.columns.start
        height = self.rows.stop - self.rows.start
        return QRectF(self.columns.start, self.rows.start, width, height)

    def pixels(self, level: ByteArray) -> ByteArray:
        """The region of a level, as a view of its array."""
        return level[self.rows, self.columns]


def crop_level(exposed: QRectF, bounds: QRectF, level: ByteArray) -> Crop:
    """The pixels of a level that cover ``exposed``, with a margin for smoothing."""
    height, width = level.shape[:2]
    sx, sy = width / bounds.width(), height / bounds.height()
    left = max(math.floor(exposed.left() * sx) - 2, 0)
    top = max(math.floor(exposed.top() * sy) - 2, 0)
    right = min(math.ceil(exposed.right() * sx) + 2, width)
    bottom = min(math.ceil(exposed.bottom() * sy) + 2, height)
    target = QRectF(left / sx, top / sy, (right - left) / sx, (bottom - top) / sy)
    return Crop(slice(top, bottom), slice(left, right), target)


class PyramidItem(QGraphicsItem):
    """Draws a pyramid, an image at 1, 1/2, 1/4, ... of its size.

    One scene unit is one pixel of the first level.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemUsesExtendedStyleOption)
        self._levels: tuple[ByteArray, ...] = ()

    def set_levels(self, levels: tuple[ByteArray, ...]) -> None:
        """Show another pyramid; an empty tuple shows nothing."""
        if [a.shape for a in levels[:1]] != [a.shape for a in self._levels[:1]]:
            self.prepareGeometryChange()
        self._levels = levels
        self.update()

    def boundingRect(self) -> QRectF:
        if not self._levels:
            return QRectF()
        height, width = self._levels[0].shape[:2]
        return QRectF(0, 0, width, height)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionGraphicsItem,
        widget: QWidget | None = None,
    ) -> None:
        exposed = option.exposedRect.intersected(self.boundingRect())
        if exposed.isEmpty():
            return
        scale = option.levelOfDetailFromTransform(painter.worldTransform())
        scale *= painter.device().devicePixelRatio()
        painter.setRenderHint(
            QPainter.RenderHint.SmoothPixmapTransform, scale < CRISP_ZOOM
        )
        self.paint_exposed(painter, exposed, scale)

    def paint_exposed(self, painter: QPainter, exposed: QRectF, scale: float) -> None:
        """Draw the exposed part, in pixels of the first level.

        Args:
            painter: its unit is one of these pixels.
            exposed: not empty, inside the bounds.
            scale: screen pixels per such pixel.
        """
        raise NotImplementedError


class ImageItem(PyramidItem):
    """Draws the image from its arrays, without a copy."""

    def __init__(self) -> None:
        super().__init__()
        self._images: list[QImage] = []

    def set_levels(self, levels: tuple[ByteArray, ...]) -> None:
        super().set_levels(levels)
        self._images = [to_qimage(level) for level in levels]

    def paint_exposed(self, painter: QPainter, exposed: QRectF, scale: float) -> None:
        index = level_for(scale, len(self._levels))
        crop = crop_level(exposed, self.boundingRect(), self._levels[index])
        painter.drawImage(crop.target, self._images[index], crop.source)


class PixelGridItem(QGraphicsItem):
    """Draws lines between pixels at large zoom factors."""

    def __init__(self) -> None:
        super().__init__()
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemUsesExtendedStyleOption)
        self._bounds = QRectF()

    def set_bounds(self, bounds: QRectF) -> None:
        """Set the rectangle of the image."""
        self.prepareGeometryChange()
        self._bounds = bounds

    def boundingRect(self) -> QRectF:
        return self._bounds

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionGraphicsItem,
        widget: QWidget | None = None,
    ) -> None:
        world, ratio = painter.worldTransform(), painter.device().devicePixelRatio()
        exposed = option.exposedRect & self._bounds
        if world.m11() * ratio < GRID_ZOOM or exposed.isEmpty():
            return
        painter.save()
        painter.resetTransform()
        # Dark beside bright lines are visible on every colour.
        for colour, shift in ((_GRID_DARK, 0), (_GRID_BRIGHT, 1 / ratio)):
            painter.setPen(QPen(colour, 0))
            painter.drawLines(_grid(world, exposed, shift))
        painter.restore()


def _grid(world: QTransform, area: QRectF, shift: float) -> list[QLineF]:
    """Lines in view pixels between the image pixels in ``area``."""
    visible = world.mapRect(area)
    lines = []
    for x in range(math.ceil(area.left()), math.floor(area.right()) + 1):
        position = world.map(QPointF(x, 0)).x() + shift
        lines.append(QLineF(position, visible.top(), position, visible.bottom()))
    for y in range(math.ceil(area.top()), math.floor(area.bottom()) + 1):
        position = world.map(QPointF(0, y)).y() + shift
        lines.append(QLineF(visible.left(), position, visible.right(), position))
    return lines
