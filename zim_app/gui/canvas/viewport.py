"""The view of a picture: zoom, pan, frames, and the mattes over it."""

from __future__ import annotations

import math

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QResizeEvent,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import (
    QFrame,
    QGestureEvent,
    QGraphicsScene,
    QGraphicsView,
    QPinchGesture,
    QWidget,
)

from zim_app.gui.canvas.loupe import Loupe
from zim_app.gui.canvas.overlay import (
    Backdrop,
    OverlayItem,
    OverlayLayer,
    checker_board,
)
from zim_app.gui.canvas.pyramid_item import ImageItem, PixelGridItem
from zim_app.gui.canvas.view_modes import VIEW_MODES, ViewMode
from zim_app.gui.canvas.wipe import WipeHandle
from zim_model.arrays import ByteArray

MIN_ZOOM, MAX_ZOOM = 0.02, 64.0
ZOOM_STEP = 1.25
WHEEL_STEP = 120
"""Eighths of a degree that a wheel turns in one step."""
SCROLL_STEP = 60
"""Pixels of a touch pad's scrolling that count as one step of a wheel."""
_SAME_PIXEL = 1.01
MIN_VISIBLE_PIXELS = 80
"""View pixels of the picture that cannot be moved out of the view, either way."""
FIT_MARGIN = 16
PEEK_KEYS = (Qt.Key.Key_Backslash, Qt.Key.Key_NumberSign)
"""The same key beside Enter on American and on European keyboards."""
SURROUND = QColor(0x45, 0x45, 0x45)
"""Neutral, and darker than most pictures, so that colours read true."""
AREA_SHARE, MAX_AREA_ZOOM = 0.85, 8.0
"""How much of the view is filled when something is zoomed to, and how close at most."""


class Viewport(QGraphicsView):
    """Shows a picture and mattes over it; one scene unit is one image pixel.

    The wheel, two fingers scrolling or pinching zoom at the cursor, the middle button
    or Space and a button pan.  Some of the picture always stays in view.

    Attributes:
        hand: every button pans.

    **Signals**

    - ``pointer_moved(position)``: the pointer in image pixels (``QPointF``), or None when it
      is not over the picture.
    - ``zoom_changed(zoom)``: screen pixels per image pixel.
    - ``mode_changed(mode)``: the :class:`ViewMode`.
    - ``image_shown()``: there is another picture.
    - ``wipe_changed(on)``: the photograph is shown left of a line, or not any more.
    - ``loupe_changed(on)``: there is a loupe at the pointer, or not any more.

    **Threads**: the window's only.
    """

    pointer_moved = Signal(object)
    zoom_changed = Signal(float)
    mode_changed = Signal(object)
    image_shown = Signal()
    wipe_changed = Signal(bool)
    loupe_changed = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.mode = VIEW_MODES[0]
        self._pan_from: QPoint | None = None
        self._space = False
        self.hand = False
        self._fitted = True
        self._anchor = QPointF()
        self._image = ImageItem()
        self._overlay = OverlayItem()
        self._mattes_enabled = True
        self._grid = PixelGridItem()
        scene = QGraphicsScene(self)
        scene.setItemIndexMethod(QGraphicsScene.ItemIndexMethod.NoIndex)
        scene.addItem(self._image)
        scene.addItem(self._overlay)
        scene.addItem(self._grid)
        self.setScene(scene)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setBackgroundBrush(SURROUND)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setResizeAnchor(QGraphicsView.ViewportAnchor.AnchorViewCenter)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.viewport().grabGesture(Qt.GestureType.PinchGesture)
        self._wipe = WipeHandle(self)
        self._wipe.moved.connect(self._on_wipe_moved)
        self._loupe = Loupe(self)

    # -- What is shown ------------------------------------------------------------

    def show_image(self, levels: tuple[ByteArray, ...]) -> None:
        """Show another picture, given at 1, 1/2, 1/4, ... of its size, all of it.

        It has no mattes over it.
        """
        self.show_layers(())
        self._image.set_levels(levels)
        self._overlay.set_levels(levels)
        self._grid.set_bounds(self.image_rect)
        self._loupe.show_image(levels)
        self.fit()
        self.image_shown.emit()

    def show_layers(self, layers: tuple[OverlayLayer, ...]) -> None:
        """Show other mattes over the picture, the topmost first."""
        self._overlay.set_layers(layers)
        self._hide_covered_items()
        self._loupe.show_layers(layers)

    def set_backdrop(self, backdrop: Backdrop) -> None:
        """Show cut-outs over that."""
        self._overlay.set_backdrop(backdrop)
        self._loupe.set_backdrop(backdrop)

    def set_checker(self, size: int, light: str, dark: str) -> None:
        """Draw checker boards like that: side in view pixels, "#rrggbb" twice."""
        self._overlay.set_checker(checker_board(size, light, dark))
        self._loupe.set_checker(light, dark)

    def update_alpha(self, area: QRectF) -> None:
        """Paint the matte again there, in image pixels, where its arrays changed."""
        self._overlay.update(area)
        self._loupe.update()

    def set_mode(self, mode: ViewMode) -> None:
        """Look at the mattes in another way."""
        self.mode = mode
        self._overlay.set_mode(mode)
        self._hide_covered_items()
        self.mode_changed.emit(mode)

    def next_mode(self, step: int = 1) -> None:
        """Look at the mattes in the next way of the table, or that many on."""
        index = VIEW_MODES.index(self.mode) + step
        self.set_mode(VIEW_MODES[index % len(VIEW_MODES)])

    def previous_mode(self) -> None:
        """Look at the mattes in the way before this in the table."""
        self.next_mode(-1)

    # -- Comparing ------------------------------------------------------------------

    @property
    def wipe_enabled(self) -> bool:
        """Whether the photograph is shown left of a line that can be dragged."""
        return self._wipe.isVisibleTo(self)

    def set_wipe_enabled(self, on: bool) -> None:
        """Show the photograph left of a line, and the mattes right of it, or not."""
        if on != self.wipe_enabled:
            self._wipe.setVisible(on)
            # The line stays when the picture moves, so nothing drawn can be moved.
            full = QGraphicsView.ViewportUpdateMode.FullViewportUpdate
            partial = QGraphicsView.ViewportUpdateMode.MinimalViewportUpdate
            self.setViewportUpdateMode(full if on else partial)
            self._on_wipe_moved()
            if on:
                self._wipe.setFocus()
            self.wipe_changed.emit(on)

    @Slot()
    def _on_wipe_moved(self) -> None:
        self._overlay.set_left_edge(
            self._wipe.position if self.wipe_enabled else -math.inf
        )
        self._hide_covered_items()

    def set_loupe(self, on: bool) -> None:
        """Show a loupe beside the pointer whenever that is over the picture, or not."""
        if on != self._loupe.enabled_by_user:
            self._loupe.set_enabled_by_user(on)
            self.loupe_changed.emit(on)

    def show_mattes(self, *, on: bool) -> None:
        """Show the mattes over the picture, or the picture alone."""
        self._mattes_enabled = on
        self._set_peeking(False)

    def _set_peeking(self, on: bool) -> None:
        self._overlay.setVisible(self._mattes_enabled and not on)
        self._hide_covered_items()

    def _hide_covered_items(self) -> None:
        # It would take as long to paint as what is to be seen.
        self._image.setVisible(not self._overlay.is_opaque)

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

    def to_image(self, position: QPointF) -> QPointF:
        """Image position, in pixels, of a view position."""
        inverse, _ = self.viewportTransform().inverted()
        return inverse.map(position)

    def set_zoom(self, zoom: float, position: QPointF | None = None) -> None:
        """Zoom so that the picture stays where it is under view position ``at``.

        The middle of the view stays if ``at`` is None.
        """
        scale = min(max(zoom, MIN_ZOOM), MAX_ZOOM) / self.devicePixelRatioF()
        position = (
            QRectF(self.viewport().rect()).center() if position is None else position
        )
        anchor = self._anchor_at(position)
        self._fitted = False
        self.setTransform(QTransform.fromScale(scale, scale))
        self._clamp()
        self._scroll_by(self.to_view(anchor.x(), anchor.y()) - position)
        self.zoom_changed.emit(self.zoom)

    def _anchor_at(self, position: QPointF) -> QPointF:
        """The image position to keep at a view position while zooming.

        Views are scrolled by whole pixels.  As long as it is that same pixel, the last
        position counts, so that roundings do not add up over many small steps.
        """
        off = self.to_view(self._anchor.x(), self._anchor.y()) - position
        if off.manhattanLength() > _SAME_PIXEL:
            self._anchor = self.to_image(position)
        return self._anchor

    def zoom_by(self, factor: float, position: QPointF | None = None) -> None:
        """Zoom closer by a factor; see :meth:`set_zoom`."""
        self.set_zoom(self.zoom * factor, position)

    def zoom_in(self) -> None:
        """One step closer."""
        self.zoom_by(ZOOM_STEP)

    def zoom_out(self) -> None:
        """One step away."""
        self.zoom_by(1 / ZOOM_STEP)

    def actual_size(self) -> None:
        """One screen pixel for each image pixel."""
        self.set_zoom(1.0)

    def fit(self) -> None:
        """Show the whole picture, and keep showing it when the window changes."""
        bounds = self.image_rect
        if bounds.isEmpty():
            return
        room = self.viewport().size() - 2 * QSize(FIT_MARGIN, FIT_MARGIN)
        self._zoom_to(bounds, room)
        self._fitted = True

    def show_area(self, area: QRectF) -> None:
        """Zoom to a part of the picture, in image pixels, as close as makes sense."""
        area &= self.image_rect
        if not area.isEmpty():
            self._zoom_to(area, self.viewport().size() * AREA_SHARE, MAX_AREA_ZOOM)

    def _zoom_to(self, area: QRectF, room: QSize, closest: float = MAX_ZOOM) -> None:
        ratio = min(room.width() / area.width(), room.height() / area.height())
        self.set_zoom(min(ratio * self.devicePixelRatioF(), closest))
        self.centerOn(area.center())

    def _clamp(self) -> None:
        """Leave just so much room around the picture that it cannot get lost."""
        scale, view = self.transform().m11(), self.viewport().size()
        bounds = self.image_rect
        visible = [
            min(MIN_VISIBLE_PIXELS, side * scale, room / 2)
            for side, room in (
                (bounds.width(), view.width()),
                (bounds.height(), view.height()),
            )
        ]
        x, y = (view.width() - visible[0]) / scale, (view.height() - visible[1]) / scale
        self.setSceneRect(bounds.adjusted(-x, -y, x, y))

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
    def is_panning_by_hand(self) -> bool:
        """Whether the picture is being panned right now."""
        return self._pan_from is not None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.MiddleButton or self._space or self.hand:
            self._pan_from = event.position().toPoint()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        position = event.position()
        if self._pan_from is not None:
            self._scroll_by(QPointF(self._pan_from - position.toPoint()))
            self._pan_from = position.toPoint()
            self._fitted = False
        self._emit_pointer(position)

    def _emit_pointer(self, position: QPointF) -> None:
        image_position = self.to_image(position)
        inside = self.image_rect.contains(image_position)
        self._loupe.follow(
            position, image_position if inside and not self.is_panning_by_hand else None
        )
        self.pointer_moved.emit(image_position if inside else None)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._pan_from = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        # Two quick clicks are two clicks.
        self.mousePressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.phase() == Qt.ScrollPhase.ScrollMomentum:
            return  # the fingers have let go
        turned, scrolled = event.angleDelta(), event.pixelDelta()
        if (
            event.modifiers() & Qt.KeyboardModifier.AltModifier
            and self._loupe.enabled_by_user
        ):
            # Some systems turn the wheel of a mouse sideways when Alt is down.
            self._loupe.magnify(turned.y() or turned.x())
        elif turned.y() or scrolled.y():
            steps = turned.y() / WHEEL_STEP or scrolled.y() / SCROLL_STEP
            self.zoom_by(ZOOM_STEP**steps, event.position())
            self._emit_pointer(event.position())
        event.accept()

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QNativeGestureEvent):
            return self._native_gesture(event)
        if isinstance(event, QGestureEvent):
            pinch = event.gesture(Qt.GestureType.PinchGesture)
            if isinstance(pinch, QPinchGesture):
                self._handle_pinch(pinch)
                return True
        return super().viewportEvent(event)

    def _native_gesture(self, event: QNativeGestureEvent) -> bool:
        """Two fingers on a touch pad: pinched, or tapped twice."""
        kind = event.gestureType()
        if kind == Qt.NativeGestureType.ZoomNativeGesture:
            self.zoom_by(max(1 + event.value(), 0.1), event.position())
        elif kind == Qt.NativeGestureType.SmartZoomNativeGesture:
            if self._fitted:
                self.set_zoom(1.0, event.position())
            else:
                self.fit()
        else:
            return False
        event.accept()
        return True

    def _handle_pinch(self, pinch: QPinchGesture) -> None:
        """Two fingers on a touch screen."""
        if pinch.state() == Qt.GestureState.GestureStarted:
            self.interrupt()  # what the first finger began
        if pinch.state() != Qt.GestureState.GestureUpdated:
            return  # the last change comes again with the end
        centre = self.viewport().mapFromGlobal(pinch.centerPoint())
        before = self.viewport().mapFromGlobal(pinch.lastCenterPoint())
        self.zoom_by(pinch.scaleFactor(), centre)
        self._scroll_by(before - centre)

    def interrupt(self) -> None:
        """Forget the gesture that a button began."""
        self._pan_from = None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space:
            self._space = True
            self.update_cursor()
        elif event.key() in PEEK_KEYS:
            self._set_peeking(True)
        else:
            event.ignore()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.isAutoRepeat():
            return
        if event.key() == Qt.Key.Key_Space:
            self._space = False
            self.update_cursor()
        elif event.key() in PEEK_KEYS:
            self._set_peeking(False)
        else:
            event.ignore()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._space = False  # its release goes elsewhere
        self._set_peeking(False)
        self.update_cursor()

    def leaveEvent(self, event: QEvent) -> None:
        self._loupe.follow(QPointF(), None)
        self.pointer_moved.emit(None)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._clamp()
        self._wipe.fit()
        self._on_wipe_moved()
        if self._fitted:
            self.fit()

    def update_cursor(self, position: QPointF | None = None) -> None:
        """Show the pointer's shape for view position ``at``; None if unknown."""
        if self._pan_from is not None:
            shape = Qt.CursorShape.ClosedHandCursor
        elif self._space or self.hand:
            shape = Qt.CursorShape.OpenHandCursor
        else:
            shape = self.cursor_at(position)
        self.viewport().setCursor(shape)

    def cursor_at(self, position: QPointF | None) -> Qt.CursorShape:
        """The pointer's shape where it does not pan."""
        return Qt.CursorShape.ArrowCursor
