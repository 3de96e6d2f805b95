"""The picture and the matte as scene items that repaint only what is exposed.

Both draw from a pyramid: the level that fits the zoom, cropped to the exposed part.
A repaint costs the same whatever the size of the picture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QT_TRANSLATE_NOOP, QPoint, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPixmap
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from zim_model.arrays import ByteArray

CRISP_ZOOM = 4.0
"""From this scale on, pixels are drawn as squares."""
_CHECKER_SIZE = 10


@dataclass(frozen=True, slots=True)
class ViewMode:
    """One way to look at a matte.

    Attributes:
        id: of the action that chooses it, after ``view_``.
        text: its name, to be translated in the context "ViewMode".
        colours: what is drawn over the picture for each alpha 0 to 255, as
            0xAARRGGBB; empty draws nothing.
        checker: take only the opacity from ``colours``, and draw a checker board.
    """

    id: str
    text: str
    colours: tuple[int, ...] = ()
    checker: bool = False


def _blend(
    background: tuple[int, int, int, float], subject: tuple[int, int, int, float]
) -> tuple[int, ...]:
    """Colours that go from one translucent colour to another as alpha grows.

    They mix as light does, weighted by opacity.
    """
    alpha = np.arange(256)[:, None] / 255
    ends = np.array([background, subject])
    opacity = ends[:, 3:]
    mixed = (1 - alpha) * (ends * opacity)[0] + alpha * (ends * opacity)[1]
    total = (1 - alpha) * opacity[0] + alpha * opacity[1]
    rgb = np.rint(mixed[:, :3] / np.maximum(total, 1e-9)).astype(int)
    a = np.rint(total[:, 0] * 255).astype(int)
    packed = (a << 24) | (rgb[:, 0] << 16) | (rgb[:, 1] << 8) | rgb[:, 2]
    return tuple(packed.tolist())


def _grey(value: int) -> int:
    return 0xFF000000 | value * 0x010101


VIEW_MODES = (
    ViewMode(
        "overlay",
        QT_TRANSLATE_NOOP("ViewMode", "Overlay"),
        _blend((0x1C, 0x2E, 0x70, 0.64), (0x1C, 0x2E, 0x70, 0.0)),
    ),
    ViewMode(
        "cutout",
        QT_TRANSLATE_NOOP("ViewMode", "Cut-out"),
        _blend((0, 0, 0, 1.0), (0, 0, 0, 0.0)),
        checker=True,
    ),
    ViewMode(
        "matte",
        QT_TRANSLATE_NOOP("ViewMode", "Matte"),
        tuple(map(_grey, range(256))),
    ),
    ViewMode("picture", QT_TRANSLATE_NOOP("ViewMode", "Picture")),
)


def picture_levels(rgb: ByteArray) -> tuple[ByteArray, ...]:
    """Halve a picture again and again until its longer side is below 512.

    Slow: for a worker thread.  The first level is ``rgb`` itself, (H, W, 3) uint8;
    the others are (h, w, 4) uint8, blue first, which paints three times as fast.
    """
    import cv2

    levels, level = [rgb], rgb
    while max(level.shape[:2]) >= 512:
        height, width = level.shape[:2]
        size = ((width + 1) // 2, (height + 1) // 2)
        level = cv2.resize(level, size, interpolation=cv2.INTER_AREA)
        levels.append(np.asarray(cv2.cvtColor(level, cv2.COLOR_RGB2BGRA), np.uint8))
        levels[-1].flags.writeable = False
    return tuple(levels)


def level_for(scale: float, count: int) -> int:
    """Index of the smallest level that still has a pixel for each view pixel."""
    return min(max(math.floor(-math.log2(scale) + 1e-6), 0), count - 1)


@dataclass(frozen=True, slots=True)
class _Crop:
    """Part of one pyramid level: rows and columns of it, and where they belong."""

    rows: slice
    columns: slice
    target: QRectF

    @property
    def source(self) -> QRectF:
        width = self.columns.stop - self.columns.start
        height = self.rows.stop - self.rows.start
        return QRectF(self.columns.start, self.rows.start, width, height)


def _crop(exposed: QRectF, bounds: QRectF, level: ByteArray) -> _Crop:
    """The pixels of a level that cover ``exposed``, with a margin for smoothing."""
    height, width = level.shape[:2]
    sx, sy = width / bounds.width(), height / bounds.height()
    left = max(math.floor(exposed.left() * sx) - 2, 0)
    top = max(math.floor(exposed.top() * sy) - 2, 0)
    right = min(math.ceil(exposed.right() * sx) + 2, width)
    bottom = min(math.ceil(exposed.bottom() * sy) + 2, height)
    target = QRectF(left / sx, top / sy, (right - left) / sx, (bottom - top) / sy)
    return _Crop(slice(top, bottom), slice(left, right), target)


class PyramidItem(QGraphicsItem):
    """Draws something that is given at 1, 1/2, 1/4, ... of its size.

    One scene unit is one pixel of the first level.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemUsesExtendedStyleOption)
        self._levels: tuple[ByteArray, ...] = ()

    def set_levels(self, levels: tuple[ByteArray, ...]) -> None:
        """Show other pixels; an empty tuple shows nothing."""
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
        index = level_for(scale, len(self._levels))
        crop = _crop(exposed, self.boundingRect(), self._levels[index])
        painter.setRenderHint(
            QPainter.RenderHint.SmoothPixmapTransform, scale < CRISP_ZOOM
        )
        self.paint_crop(painter, index, crop, exposed)

    def paint_crop(
        self, painter: QPainter, index: int, crop: _Crop, exposed: QRectF
    ) -> None:
        """Draw that part of level ``index``."""
        raise NotImplementedError


class ImageItem(PyramidItem):
    """The picture, drawn from the arrays themselves without a copy."""

    def __init__(self) -> None:
        super().__init__()
        self._images: list[QImage] = []

    def set_levels(self, levels: tuple[ByteArray, ...]) -> None:
        super().set_levels(levels)
        self._images = [
            QImage(a.data, a.shape[1], a.shape[0], a.strides[0], _FORMATS[a.shape[2]])
            for a in levels
        ]

    def paint_crop(
        self, painter: QPainter, index: int, crop: _Crop, exposed: QRectF
    ) -> None:
        painter.drawImage(crop.target, self._images[index], crop.source)


_FORMATS = {3: QImage.Format.Format_RGB888, 4: QImage.Format.Format_RGB32}


class OverlayItem(PyramidItem):
    """The matte over the picture, in the colours of a view mode."""

    def __init__(self) -> None:
        super().__init__()
        self._mode = VIEW_MODES[0]
        self._checker = _checker_board()

    def set_mode(self, mode: ViewMode) -> None:
        """Draw in the colours of ``mode`` from now on."""
        self._mode = mode
        self.update()

    def paint_crop(
        self, painter: QPainter, index: int, crop: _Crop, exposed: QRectF
    ) -> None:
        if not self._mode.colours:
            return
        alpha = np.ascontiguousarray(self._levels[index][crop.rows, crop.columns])
        height, width = alpha.shape
        image = QImage(alpha.data, width, height, width, QImage.Format.Format_Indexed8)
        image.setColorTable(self._mode.colours)
        # Twice as fast to scale as indexed pixels.
        image = image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)
        if self._mode.checker:
            self._paint_checker(painter, crop.target, image, exposed)
        else:
            painter.drawImage(crop.target, image, QRectF(image.rect()))

    def _paint_checker(
        self, painter: QPainter, target: QRectF, image: QImage, exposed: QRectF
    ) -> None:
        """Draw a checker board, as large on the screen at every zoom.

        It is anchored to the picture, because the view scrolls what it has drawn.
        """
        world = painter.worldTransform()
        area = world.mapRect(exposed).toAlignedRect()
        ratio = painter.device().devicePixelRatio()
        buffer = QImage(area.size() * ratio, QImage.Format.Format_ARGB32_Premultiplied)
        buffer.setDevicePixelRatio(ratio)
        buffer.fill(Qt.GlobalColor.transparent)
        brush = QPainter(buffer)
        brush.setRenderHints(painter.renderHints())
        brush.translate(-area.topLeft())
        brush.setTransform(world, combine=True)
        brush.drawImage(target, image, QRectF(image.rect()))
        brush.resetTransform()
        brush.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceIn)
        origin = area.topLeft() - world.map(QPoint(0, 0))
        brush.drawTiledPixmap(
            QRectF(0, 0, area.width(), area.height()), self._checker, origin
        )
        brush.end()
        painter.save()
        painter.resetTransform()
        painter.drawImage(area.topLeft(), buffer)
        painter.restore()


def _checker_board() -> QPixmap:
    size = _CHECKER_SIZE
    board = QPixmap(2 * size, 2 * size)
    board.fill(QColor(0xFF, 0xFF, 0xFF))
    painter = QPainter(board)
    painter.fillRect(0, 0, size, size, QColor(0xD0, 0xD0, 0xD0))
    painter.fillRect(size, size, size, size, QColor(0xD0, 0xD0, 0xD0))
    painter.end()
    return board
