"""The loupe: magnified image, matte and cut-out around the pointer."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QLineF, QPoint, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFontMetrics,
    QImage,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
)
from PySide6.QtWidgets import QWidget

from zim_app.gui.canvas import alpha_statistics
from zim_app.gui.canvas.alpha_statistics import AlphaStatistics
from zim_app.gui.canvas.overlay import Backdrop, OverlayLayer, union_alpha
from zim_app.gui.language import format_number
from zim_model.arrays import ByteArray
from zim_model.request import ALPHA_MAX, Matte

MAGNIFICATIONS = (4, 6, 8, 12, 16)
"""View pixels per image pixel."""
PANE = 120
"""Side of each of the three views, in view pixels."""
_GAP, _MARGIN, _TEXT = 3, 6, 20
_FAR = 28
"""Distance from the pointer to the loupe, in view pixels."""
_GRID_FROM = 8
_WHEEL_STEP = 120
_OUTSIDE = 69
"""Grey outside the image."""
_GRID = QColor(128, 128, 128, 70)


class Loupe(QWidget):
    """Shows three magnified views of the pixels around the pointer, beside it.

    From the left: the image, the matte of all objects on screen, and their cut-out over
    the background; below them red, green and blue, alpha, and the magnification.  Where
    there is room, the histogram of the active object's alpha and its purity follow.

    **Threads**: the window's only.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._parent = parent
        self.enabled_by_user = False
        self.magnification = 8
        self._turned = 0
        self._at: tuple[int, int] | None = None
        self._pointer = QPoint()
        self._levels: tuple[ByteArray, ...] = ()
        self._layers: tuple[OverlayLayer, ...] = ()
        self._backdrop = Backdrop()
        self._checker = (255, 208)
        self._statistics: tuple[Matte, AlphaStatistics] | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.resize(self.sizeHint())
        self.hide()

    # -- Content ----------------------------------------------------------------

    def show_image(self, levels: tuple[ByteArray, ...]) -> None:
        """Show another image, given as a pyramid of which the first level is used."""
        self._levels = levels
        self.follow(QPointF(), None)

    def show_layers(self, layers: tuple[OverlayLayer, ...]) -> None:
        """Show other mattes, the topmost first."""
        self._layers = layers
        if self.isVisible():
            self._place()

    def set_backdrop(self, backdrop: Backdrop) -> None:
        """Set the background of the cut-out."""
        self._backdrop = backdrop
        self.update()

    def set_checker(self, light: str, dark: str) -> None:
        """Set the colours of the checker board, "#rrggbb"."""
        self._checker = (QColor(light).lightness(), QColor(dark).lightness())
        self.update()

    def set_enabled_by_user(self, on: bool) -> None:
        """Show the loupe whenever the pointer is over the image, or never."""
        self.enabled_by_user = on
        self.setVisible(on and self._at is not None)

    def magnify(self, turned: int) -> None:
        """Change the magnification by a turn of a wheel.

        Args:
            turned: eighths of a degree, 120 for one step.
        """
        self._turned += turned
        steps = math.trunc(self._turned / _WHEEL_STEP)
        self._turned -= steps * _WHEEL_STEP
        index = MAGNIFICATIONS.index(self.magnification) + steps
        index = min(max(index, 0), len(MAGNIFICATIONS) - 1)
        self.magnification = MAGNIFICATIONS[index]
        self.update()

    def follow(self, position: QPointF, image_position: QPointF | None) -> None:
        """Follow the pointer.

        Args:
            position: the pointer in pixels of the parent.
            image_position: the pointer in image pixels; None outside the image.
        """
        self._at = None
        if image_position is not None and self._levels:
            height, width = self._levels[0].shape[:2]
            x, y = int(image_position.x()), int(image_position.y())
            if 0 <= x < width and 0 <= y < height:
                self._at = x, y
        self._pointer = position.toPoint()
        self._place()

    def _place(self) -> None:
        corner = None
        if self.enabled_by_user and self._at is not None:
            self.resize(self.sizeHint())
            corner = place_beside(self._pointer, self.size(), self._parent.size())
        if corner is not None:
            self.move(corner)
            self.update()
        self.setVisible(corner is not None)

    # -- Pixels -----------------------------------------------------------------------

    def panes(self) -> list[ByteArray]:
        """Image, matte and cut-out around the pointer.

        Returns:
            Three arrays (n, n, 3) uint8 sRGB with odd n; the central pixel is the one
            under the pointer.  Empty if the pointer is not over the image.
        """
        if self._at is None:
            return []
        count = math.ceil(PANE / self.magnification) | 1
        around = _PixelNeighbourhood(*self._at, count, *self._levels[0].shape[:2])
        rgb = around.take(self._levels[0], _OUTSIDE)
        mattes = [around.take(layer.matte.pyramid[0], 0) for layer in self._layers]
        alpha = union_alpha(mattes) if mattes else np.zeros((count, count), np.uint8)
        cut = self._backdrop_pixels(around).astype(np.float32)
        for layer, matte in zip(self._layers[::-1], mattes[::-1], strict=True):
            colours = rgb
            if len(layer.matte.foreground) == len(self._levels):  # else a draft
                colours = around.take(layer.matte.foreground[0], _OUTSIDE)
            opacity = matte[..., None] / np.float32(255)
            cut += (colours - cut) * opacity
        composite = np.rint(cut).astype(np.uint8)
        composite[~around.inside] = _OUTSIDE
        return [rgb, np.repeat(alpha[..., None], 3, axis=2), composite]

    def _backdrop_pixels(self, around: _PixelNeighbourhood) -> ByteArray:
        """The background (n, n, 3); the squares of a checker board are image pixels."""
        if self._backdrop.levels:
            return around.take(self._backdrop.levels[0], _OUTSIDE)
        if self._backdrop.colour is not None:
            colour = self._backdrop.colour
            rgb = colour.red(), colour.green(), colour.blue()
            return np.full((*around.inside.shape, 3), rgb, np.uint8)
        squares = (around.rows[:, None] // 2 + around.columns // 2) % 2
        greys = np.array(self._checker, np.uint8)[squares]
        return np.repeat(greys[..., None], 3, axis=2)

    def readings(self) -> tuple[str, str, str]:
        """The texts below the three panes."""
        if self._at is None:
            return "", "", ""
        x, y = self._at
        red, green, blue = self._levels[0][y, x, :3].tolist()
        clear = 1.0
        for layer in self._layers:
            clear *= 1 - float(layer.matte.alpha[y, x]) / ALPHA_MAX
        return (
            self.tr("RGB {} {} {}").format(red, green, blue),
            self.tr("alpha {}").format(format_number(1 - clear, 3)),
            self.tr("{} ×").format(self.magnification),
        )

    def statistics(self) -> AlphaStatistics | None:
        """Statistics of the active object's matte; None if it has none on screen."""
        matte = self._active_matte()
        if matte is None:
            return None
        if self._statistics is None or self._statistics[0] is not matte:
            self._statistics = matte, AlphaStatistics.of(matte)
        return self._statistics[1]

    def _active_matte(self) -> Matte | None:
        active = (layer.matte for layer in self._layers if layer.active)
        return next(active, None)

    # -- Painting ---------------------------------------------------------------------

    @property
    def _line(self) -> int:
        """Height of a line of text, in view pixels."""
        return max(_TEXT, QFontMetrics(self.font()).height() + 2)

    def sizeHint(self) -> QSize:
        width = 3 * PANE + 2 * _GAP + 2 * _MARGIN
        size = QSize(width, PANE + 2 * _MARGIN + self._line)
        extended = size.height() + alpha_statistics.height(self._line)
        room = self._parent.height()
        # Else there would be no place for it while the pointer is in the middle.
        if self._active_matte() is not None and room >= 2 * (extended + _FAR):
            size.setHeight(extended)
        return size

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette = self.palette()
        painter.setPen(palette.color(QPalette.ColorRole.Mid))
        painter.setBrush(palette.color(QPalette.ColorRole.Window))
        painter.drawRoundedRect(
            QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 5, 5
        )
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(palette.color(QPalette.ColorRole.WindowText))
        for index, (pixels, text) in enumerate(
            zip(self.panes(), self.readings(), strict=False)
        ):
            left = _MARGIN + index * (PANE + _GAP)
            pane = QRect(left, _MARGIN, PANE, PANE)
            below = QRect(left, pane.bottom() + 1, PANE, _MARGIN + self._line)
            painter.drawText(below, Qt.AlignmentFlag.AlignCenter, text)
            self._paint_pane(painter, pane, pixels)
        rest = self.rect().adjusted(_MARGIN, 0, -_MARGIN, -_MARGIN)
        rest.setTop(PANE + _MARGIN + self._line)
        if rest.height() > alpha_statistics.BARS:
            statistics = self.statistics()
            if statistics is not None:
                statistics.paint(painter, rest, palette)

    def _paint_pane(self, painter: QPainter, pane: QRect, pixels: ByteArray) -> None:
        pixels = np.ascontiguousarray(pixels)
        count, cell = len(pixels), self.magnification
        kind = QImage.Format.Format_RGB888
        image = QImage(pixels.data, count, count, 3 * count, kind)
        around = QRectF(0, 0, count * cell, count * cell)
        around.moveCenter(QRectF(pane).center())
        painter.save()
        painter.setClipRect(pane)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawImage(around, image)
        if cell >= _GRID_FROM:
            painter.setPen(QPen(_GRID, 0))
            for index in range(1, count):
                x, y = around.left() + index * cell, around.top() + index * cell
                painter.drawLine(QLineF(x, pane.top(), x, pane.bottom()))
                painter.drawLine(QLineF(pane.left(), y, pane.right(), y))
        middle = QRectF(0, 0, cell, cell)
        middle.moveCenter(around.center())
        painter.setPen(QPen(Qt.GlobalColor.black, 1))
        painter.drawRect(middle.adjusted(-1.5, -1.5, 1.5, 1.5))
        painter.setPen(QPen(Qt.GlobalColor.white, 1))
        painter.drawRect(middle.adjusted(-0.5, -0.5, 0.5, 0.5))
        painter.restore()


class _PixelNeighbourhood:
    """A square of pixels around one, which may extend beyond the image.

    Attributes:
        rows: (n,) row indices, also outside.
        columns: (n,) column indices, likewise.
        inside: (n, n) bool, whether a pixel is inside the image.
    """

    def __init__(self, x: int, y: int, count: int, height: int, width: int) -> None:
        reach = np.arange(count) - count // 2
        self.rows, self.columns = y + reach, x + reach
        rows_inside = (self.rows >= 0) & (self.rows < height)
        columns_inside = (self.columns >= 0) & (self.columns < width)
        self.inside = rows_inside[:, None] & columns_inside
        self._index = np.ix_(
            self.rows.clip(0, height - 1), self.columns.clip(0, width - 1)
        )

    def take(self, level: ByteArray, outside: int) -> ByteArray:
        """The pixels of an (H, W) or (H, W, 3) array; ``outside`` beyond it."""
        pixels: ByteArray = level[self._index]
        pixels[~self.inside] = outside
        return pixels


def place_beside(pointer: QPoint, size: QSize, room: QSize) -> QPoint | None:
    """A position for a loupe in ``room`` that does not cover the pointer, or None."""
    width, height = room.width() - size.width(), room.height() - size.height()
    right, left = pointer.x() + _FAR, pointer.x() - _FAR - size.width()
    below, above = pointer.y() + _FAR, pointer.y() - _FAR - size.height()
    level = min(max(pointer.y() - size.height() // 2, 0), height)
    over = min(max(pointer.x() - size.width() // 2, 0), width)
    places = [QPoint(x, y) for y in (below, above) for x in (right, left)]
    places += [QPoint(over, below), QPoint(over, above)]
    places += [QPoint(right, level), QPoint(left, level)]
    fitting = (p for p in places if 0 <= p.x() <= width and 0 <= p.y() <= height)
    return next(fitting, None)
