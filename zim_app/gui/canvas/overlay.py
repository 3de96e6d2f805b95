"""The mattes of the objects on screen over the image, as one scene item."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import (
    QBrush,
    QColor,
    QImage,
    QPainter,
    QPen,
    QPixmap,
    QTransform,
)

from zim_app.gui.canvas.contour import contour_path, trace_contour
from zim_app.gui.canvas.cutout_colours import cutout_pixels
from zim_app.gui.canvas.pyramid_item import (
    Crop,
    PyramidItem,
    crop_level,
    level_for,
    to_qimage,
)
from zim_app.gui.canvas.view_modes import VIEW_MODES, OverlayStyle, ViewMode, blend
from zim_model.arrays import ByteArray
from zim_model.request import Matte

_INACTIVE = 0.5
"""Strength of the tints of objects that are not active."""
_OUTLINE = QColor(0xFF, 0xFF, 0xFF)
_OUTLINE_SHADE = QColor(0, 0, 0, 170)


@dataclass(frozen=True, slots=True)
class OverlayLayer:
    """The matte of one object on screen.

    Attributes:
        matte: the matte, of the image's size.
        colour: 0xRRGGBB, of the object.
        active: whether it is the active object.
    """

    matte: Matte
    colour: int
    active: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Backdrop:
    """The background of a cut-out; without attributes a checker board.

    Attributes:
        colour: a uniform colour.
        levels: a background image, as a pyramid with the shapes of the image's.
    """

    colour: QColor | None = None
    levels: tuple[ByteArray, ...] = ()


class OverlayItem(PyramidItem):
    """Draws the mattes over the image in a view mode.

    Its own levels are those of the image, whose pixels a cut-out shows.
    """

    def __init__(self) -> None:
        super().__init__()
        self._mode = VIEW_MODES[0]
        self._style = OverlayStyle()
        self._layers: tuple[OverlayLayer, ...] = ()
        self._backdrop = Backdrop()
        self._checker = checker_board()
        self._left_edge = -math.inf

    def set_layers(self, layers: tuple[OverlayLayer, ...]) -> None:
        """Show other mattes, the topmost first; an empty tuple shows only the image."""
        if layers != self._layers:
            self._layers = layers
            self.update()

    def set_mode(self, mode: ViewMode) -> None:
        """Change the view mode."""
        self._mode = mode
        self.update()

    def set_style(self, style: OverlayStyle) -> None:
        """Change what the overlay tints, and how."""
        self._style = style
        self.update()

    def set_backdrop(self, backdrop: Backdrop) -> None:
        """Change the background of cut-outs."""
        self._backdrop = backdrop
        self.update()

    def set_checker(self, board: QPixmap) -> None:
        """Change the tile of checker boards."""
        self._checker = board
        self.update()

    def set_left_edge(self, left: float) -> None:
        """Draw only right of ``left``, in view pixels."""
        self._left_edge = left
        self.update()

    @property
    def is_opaque(self) -> bool:
        """Whether the overlay hides the whole image."""
        opaque = bool(self._mode.colours) and min(self._mode.colours) >> 24 == 0xFF
        whole = self._left_edge == -math.inf and self.isVisible()
        return whole and bool(self._layers) and (opaque or self._mode.cut_out)

    def paint_exposed(self, painter: QPainter, exposed: QRectF, scale: float) -> None:
        if not self._layers:
            return
        painter.save()
        if self._left_edge > -math.inf:
            exposed = self._clip_left(painter, exposed)
        if not exposed.isEmpty():
            self._paint_mode(painter, exposed, scale)
        painter.restore()

    def _clip_left(self, painter: QPainter, exposed: QRectF) -> QRectF:
        world = painter.worldTransform()
        visible = world.mapRect(exposed)
        visible.setLeft(max(visible.left(), self._left_edge))
        painter.resetTransform()
        painter.setClipRect(visible, Qt.ClipOperation.IntersectClip)
        painter.setTransform(world)
        return world.inverted()[0].mapRect(visible) if visible.isValid() else QRectF()

    def _paint_mode(self, painter: QPainter, exposed: QRectF, scale: float) -> None:
        if self._mode.colours:
            self._paint_colours(painter, exposed, scale, self._mode.colours)
        if self._mode.tints:
            self._paint_tints(painter, exposed, scale)
        if self._mode.cut_out:
            self._paint_backdrop(painter, exposed, scale)
            for layer in reversed(self._layers):
                self._paint_cutout(painter, exposed, scale, layer)
        if self._mode.outlined:
            for layer in reversed(self._layers):
                self._paint_outline(painter, exposed, scale, layer)

    def _paint_tints(self, painter: QPainter, exposed: QRectF, scale: float) -> None:
        if self._style.target == "background":
            self._paint_colours(painter, exposed, scale, self._style.colours)
            if len(self._layers) > 1:  # tells them apart
                for layer in reversed(self._layers):
                    self._paint_outline(painter, exposed, scale, layer)
            return
        for layer in reversed(self._layers):
            self._paint_tint(painter, exposed, scale, layer)

    def _paint_colours(
        self,
        painter: QPainter,
        exposed: QRectF,
        scale: float,
        colours: tuple[int, ...],
    ) -> None:
        pyramids = [layer.matte.pyramid for layer in self._layers]
        index = level_for(scale, min(map(len, pyramids)))
        crop = crop_level(exposed, self.boundingRect(), pyramids[0][index])
        alpha = union_alpha([crop.pixels(pyramid[index]) for pyramid in pyramids])
        _draw_indexed(painter, crop, alpha, colours)

    def _paint_tint(
        self, painter: QPainter, exposed: QRectF, scale: float, layer: OverlayLayer
    ) -> None:
        level = _nearest_level(layer.matte.pyramid, scale)
        crop = self._visible_crop(exposed, layer, level)
        if crop is not None:
            strength = self._style.strength * (1 if layer.active else _INACTIVE)
            colours = _tint(layer.colour, strength)
            _draw_indexed(painter, crop, crop.pixels(level), colours)

    def _paint_backdrop(self, painter: QPainter, exposed: QRectF, scale: float) -> None:
        if self._backdrop.levels:
            level = _level(self._backdrop.levels, scale)
            crop = crop_level(exposed, self.boundingRect(), level)
            painter.drawImage(crop.target, to_qimage(level), crop.source)
        elif self._backdrop.colour is not None:
            painter.fillRect(exposed, self._backdrop.colour)
        else:
            # Of constant size on the screen, and anchored to the image, because the
            # view scrolls its painted pixels.
            brush = QBrush(self._checker)
            world = painter.worldTransform()
            brush.setTransform(QTransform.fromScale(1 / world.m11(), 1 / world.m22()))
            painter.fillRect(exposed, brush)

    def _paint_cutout(
        self, painter: QPainter, exposed: QRectF, scale: float, layer: OverlayLayer
    ) -> None:
        levels, pyramid = self._levels, layer.matte.pyramid
        index = level_for(scale, min(len(pyramid), len(levels)))
        crop = self._visible_crop(exposed, layer, pyramid[index])
        if crop is not None:
            colours = cutout_pixels(levels, layer.matte.foreground, index, crop)
            pixels = with_alpha(colours, crop.pixels(pyramid[index]))
            image = to_qimage(pixels, QImage.Format.Format_ARGB32)
            image.convertTo(QImage.Format.Format_ARGB32_Premultiplied)
            painter.drawImage(crop.target, image, QRectF(image.rect()))

    def _paint_outline(
        self, painter: QPainter, exposed: QRectF, scale: float, layer: OverlayLayer
    ) -> None:
        """Draw a line of constant width on the screen, dark beside bright."""
        level = _nearest_level(layer.matte.pyramid, scale)
        crop = self._visible_crop(exposed, layer, level)
        if crop is None:
            return
        world = painter.worldTransform()
        target = world.mapRect(crop.target)
        segments = trace_contour(np.ascontiguousarray(crop.pixels(level)))
        segments *= (
            target.width() / crop.source.width(),
            target.height() / crop.source.height(),
        )
        segments += (target.left(), target.top())
        path = contour_path(segments)
        bright = QColor(layer.colour) if len(self._layers) > 1 else _OUTLINE
        painter.save()
        painter.setClipRect(exposed, Qt.ClipOperation.IntersectClip)
        painter.resetTransform()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for colour, width in ((_OUTLINE_SHADE, 3.5), (bright, 1.6)):
            solid, flat = Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap
            painter.strokePath(path, QPen(colour, width, solid, flat))
        painter.restore()

    def _visible_crop(
        self, exposed: QRectF, layer: OverlayLayer, level: ByteArray
    ) -> Crop | None:
        """The exposed part of a level inside the object's support, or None."""
        bounds = self.boundingRect()
        left, top, right, bottom = layer.matte.support
        reach = bounds.width() / level.shape[1]  # a pixel of a level is a mean of many
        support = QRectF(left, top, right - left, bottom - top)
        support.adjust(-reach, -reach, reach, reach)
        area = exposed & support & bounds
        return None if area.isEmpty() else crop_level(area, bounds, level)


# -- Pixels -----------------------------------------------------------------------


def union_alpha(alphas: list[ByteArray]) -> ByteArray:
    """The alpha of several objects composited over one another.

    1 - (1 - a)(1 - b), in any order: as stacked exported layers, and as the export of
    all objects in one file computes it with 16 bits.

    Args:
        alphas: at least one, (h, w) uint8; not changed.

    Returns:
        (h, w) uint8.
    """
    clear = ~alphas[0]
    for alpha in alphas[1:]:
        product = clear.astype(np.uint16) * ~alpha
        clear = ((product + 127) // 255).astype(np.uint8)
    return ~clear


def with_alpha(colours: ByteArray, alpha: ByteArray) -> ByteArray:
    """Pixels of an image pyramid with an alpha, as (h, w, 4), blue first.

    Args:
        colours: (h, w, 3) red first, or (h, w, 4) blue first; see
            :func:`image_pyramid`.
        alpha: (h, w) uint8.
    """
    import cv2

    pixels = np.empty((*alpha.shape, 4), np.uint8)
    blue_first = colours.shape[2] == 4
    if blue_first:
        pixels[:] = colours
    else:
        cv2.cvtColor(colours, cv2.COLOR_RGB2BGRA, dst=pixels)
    pixels[..., 3] = alpha
    return pixels


def _level(levels: tuple[ByteArray, ...], scale: float) -> ByteArray:
    return levels[level_for(scale, len(levels))]


def _nearest_level(levels: tuple[ByteArray, ...], scale: float) -> ByteArray:
    """The level nearest to the screen's resolution, which may be coarser.

    Sufficient for tints and outlines, whose finer details are not visible.
    """
    return _level(levels, scale / math.sqrt(2))


def _draw_indexed(
    painter: QPainter, crop: Crop, values: ByteArray, colours: tuple[int, ...]
) -> None:
    values = np.ascontiguousarray(values)
    height, width = values.shape
    image = QImage(values.data, width, height, width, QImage.Format.Format_Indexed8)
    image.setColorTable(colours)
    # Scales twice as fast as indexed pixels.
    image.convertTo(QImage.Format.Format_ARGB32_Premultiplied)
    painter.drawImage(crop.target, image, QRectF(image.rect()))


@cache
def _tint(colour: int, strength: float) -> tuple[int, ...]:
    rgb = (colour >> 16 & 255, colour >> 8 & 255, colour & 255)
    return blend((*rgb, 0.0), (*rgb, strength))


def checker_board(
    size: int = 10, light: str = "#ffffff", dark: str = "#d0d0d0"
) -> QPixmap:
    """A tile of two by two squares of a checker board, each of ``size`` view pixels."""
    board = QPixmap(2 * size, 2 * size)
    board.fill(QColor(light))
    painter = QPainter(board)
    painter.fillRect(0, 0, size, size, QColor(dark))
    painter.fillRect(size, size, size, size, QColor(dark))
    painter.end()
    return board
