"""The view of a picture: zoom, pan, frames, and the matte over it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QResizeEvent,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QGraphicsScene, QGraphicsView, QWidget

from zim_app.gui.overlay import VIEW_MODES, ImageItem, OverlayItem, ViewMode
from zim_model.arrays import ByteArray

MIN_ZOOM, MAX_ZOOM = 0.02, 64.0
ZOOM_STEP = 1.25
WHEEL_STEP = 120
FIT_MARGIN = 16
SURROUND = QColor(0x45, 0x45, 0x45)
"""Neutral, and darker than most pictures, so that colours read true."""
_ROOM = 1e5
"""Scene units around the picture, so that any part of it can be anywhere on screen."""


class Viewport(QGraphicsView):
    """Shows a picture and a matte over it; one scene unit is one image pixel.

    The wheel zooms at the cursor, the middle button or Space and a button pan.

    Attributes:
        hand: every button pans.

    **Signals**

    - ``pointed(position)``: the pointer in image pixels (``QPointF``), or None when it
      is not over the picture.
    - ``zoom_changed(zoom)``: screen pixels per image pixel.
    - ``mode_changed(mode)``: the :class:`ViewMode`.

    **Threads**: the window's only.
    """

    pointed = Signal(object)
    zoom_changed = Signal(float)
    mode_changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.mode = VIEW_MODES[0]
        self._pan_from: QPoint | None = None
        self._space = False
        self.hand = False
        self._fitted = True
        self._image = ImageItem()
        self._overlay = OverlayItem()
        scene = QGraphicsScene(self)
        scene.setItemIndexMethod(QGraphicsScene.ItemIndexMethod.NoIndex)
        scene.addItem(self._image)
        scene.addItem(self._overlay)
        self.setScene(scene)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setBackgroundBrush(SURROUND)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setResizeAnchor(QGraphicsView.ViewportAnchor.AnchorViewCenter)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)

    # -- What is shown ------------------------------------------------------------

    def show_picture(self, levels: tuple[ByteArray, ...]) -> None:
        """Show another picture, given at 1, 1/2, 1/4, ... of its size, all of it."""
        self._image.set_levels(levels)
        self.setSceneRect(self.image_rect.adjusted(-_ROOM, -_ROOM, _ROOM, _ROOM))
        self.fit()

    def show_alpha(self, levels: tuple[ByteArray, ...]) -> None:
        """Show another matte over the picture, as its pyramid; () shows none."""
        self._overlay.set_levels(levels)

    def set_mode(self, mode: ViewMode) -> None:
        """Look at the matte in another way."""
        self.mode = mode
        self._overlay.set_mode(mode)
        self.mode_changed.emit(mode)

    def next_mode(self) -> None:
        """Look at the matte in the next way of the table."""
        index = VIEW_MODES.index(self.mode)
        self.set_mode(VIEW_MODES[(index + 1) % len(VIEW_MODES)])

    @property
    def image_rect(self) -> QRectF:
        """The picture's place in the scene; empty without one."""
        return self._image.boundingRect()

    # -- Frames -----------------------------------------------------------------

    @property
    def zoom(self) -> float:
        """Screen pixels per image pixel."""
        return self.transform().m11() * self.devicePixelRatioF()

    def to_view(self, x: float, y: float) -> QPointF:
        """View position of x, y in image pixels, not rounded."""
        return self.viewportTransform().map(QPointF(x, y))

    def to_image(self, at: QPointF) -> QPointF:
        """Image position, in pixels, of a view position."""
        inverse, _ = self.viewportTransform().inverted()
        return inverse.map(at)

    def set_zoom(self, zoom: float, at: QPointF | None = None) -> None:
        """Zoom so that the picture stays where it is under view position ``at``.

        The middle of the view stays if ``at`` is None.
        """
        scale = min(max(zoom, MIN_ZOOM), MAX_ZOOM) / self.devicePixelRatioF()
        at = QRectF(self.viewport().rect()).center() if at is None else at
        anchor = self.to_image(at)
        self._fitted = False
        self.setTransform(QTransform.fromScale(scale, scale))
        self._scroll_by(self.to_view(anchor.x(), anchor.y()) - at)
        self.zoom_changed.emit(self.zoom)

    def zoom_in(self) -> None:
        """One step closer."""
        self.set_zoom(self.zoom * ZOOM_STEP)

    def zoom_out(self) -> None:
        """One step away."""
        self.set_zoom(self.zoom / ZOOM_STEP)

    def actual_size(self) -> None:
        """One screen pixel for each image pixel."""
        self.set_zoom(1.0)

    def fit(self) -> None:
        """Show the whole picture, and keep showing it when the window changes."""
        bounds = self.image_rect
        if bounds.isEmpty():
            return
        room = self.viewport().size()
        scale = min(
            (room.width() - 2 * FIT_MARGIN) / bounds.width(),
            (room.height() - 2 * FIT_MARGIN) / bounds.height(),
        )
        self.set_zoom(scale * self.devicePixelRatioF())
        self.centerOn(bounds.center())
        self._fitted = True

    def _scroll_by(self, delta: QPointF) -> None:
        for bar, step in (
            (self.horizontalScrollBar(), delta.x()),
            (self.verticalScrollBar(), delta.y()),
        ):
            bar.setValue(bar.value() + round(step))

    # -- Pan and zoom ---------------------------------------------------------------

    @property
    def panning(self) -> bool:
        """Whether the pointer moves the picture, or would if a button were pressed."""
        return self._pan_from is not None or self._space or self.hand

    @property
    def dragged_by_hand(self) -> bool:
        """Whether the picture is being panned right now."""
        return self._pan_from is not None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.MiddleButton or self._space or self.hand:
            self._pan_from = event.position().toPoint()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        if self._pan_from is not None:
            self._scroll_by(QPointF(self._pan_from - at.toPoint()))
            self._pan_from = at.toPoint()
            self._fitted = False
        where = self.to_image(at)
        self.pointed.emit(where if self.image_rect.contains(where) else None)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._pan_from = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        # Two quick clicks are two clicks.
        self.mousePressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        steps = event.angleDelta().y() / WHEEL_STEP
        if steps:
            self.set_zoom(self.zoom * ZOOM_STEP**steps, event.position())
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space:
            self._space = True
            self.update_cursor()
        else:
            event.ignore()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._space = False
            self.update_cursor()
        else:
            event.ignore()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._space = False  # its release goes elsewhere
        self.update_cursor()

    def leaveEvent(self, event: QEvent) -> None:
        self.pointed.emit(None)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._fitted:
            self.fit()

    def update_cursor(self, at: QPointF | None = None) -> None:
        """Show the pointer's shape for view position ``at``; None if unknown."""
        if self._pan_from is not None:
            shape = Qt.CursorShape.ClosedHandCursor
        elif self._space or self.hand:
            shape = Qt.CursorShape.OpenHandCursor
        else:
            shape = self.cursor_at(at)
        self.viewport().setCursor(shape)

    def cursor_at(self, at: QPointF | None) -> Qt.CursorShape:
        """The pointer's shape where it does not pan."""
        return Qt.CursorShape.ArrowCursor
