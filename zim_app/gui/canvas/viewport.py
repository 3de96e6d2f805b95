"""The view of an image and the mattes over it: zoom, pan, wipe and loupe."""

from __future__ import annotations

import math
from collections.abc import Callable

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
    QGraphicsScene,
    QGraphicsView,
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
from zim_app.gui.canvas.touch import TouchInput
from zim_app.gui.canvas.view_modes import VIEW_MODES, OverlayStyle, ViewMode
from zim_app.gui.canvas.wipe import WipeHandle
from zim_model.arrays import ByteArray

MIN_ZOOM, MAX_ZOOM = 0.02, 64.0
ZOOM_STEP = 1.25
WHEEL_STEP = 120
"""Eighths of a degree of one wheel step."""
SCROLL_STEP = 60
"""Scrolled touch pad pixels that are equivalent to one wheel step."""
_SAME_PIXEL = 1.01
MIN_VISIBLE_PIXELS = 80
"""View pixels of the image that always stay visible, in both directions."""
FIT_MARGIN = 16
PEEK_KEYS = (Qt.Key.Key_Backslash, Qt.Key.Key_NumberSign)
"""The key beside Enter on American and on European keyboards."""
SURROUND = QColor(0x45, 0x45, 0x45)
"""Neutral, and darker than most images, so that colours are judged correctly."""
AREA_FRACTION, MAX_AREA_ZOOM = 0.85, 8.0
"""Fraction of the view that a zoomed area fills, and the largest zoom for it."""


class Viewport(QGraphicsView):
    """Shows an image and mattes over it; one scene unit is one image pixel.

    The wheel and two-finger scrolling or pinching zoom at the cursor; the middle
    button, Space with any button, or two fingers on a touch screen pan.  A part of the
    image always stays visible.

    Attributes:
        hand: whether every button pans.

    **Signals**

    - ``pointer_moved(position)``: the pointer in image pixels (``QPointF``), or None
      outside the image.
    - ``zoom_changed(zoom)``: screen pixels per image pixel.
    - ``mode_changed(mode)``: the :class:`ViewMode`.
    - ``image_shown()``: another image is shown.
    - ``levels_shown(levels)``: its pyramid.
    - ``layers_shown(layers)``: other mattes are shown, as :class:`OverlayLayer`.
    - ``wipe_changed(on)``: whether the wipe is on.
    - ``loupe_changed(on)``: whether the loupe is on.

    **Threads**: the window's only.
    """

    pointer_moved = Signal(object)
    zoom_changed = Signal(float)
    mode_changed = Signal(object)
    image_shown = Signal()
    levels_shown = Signal(object)
    layers_shown = Signal(object)
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
        self._wipe = WipeHandle(self)
        self._wipe.moved.connect(self._on_wipe_moved)
        self._loupe = Loupe(self)
        TouchInput(self, self)

    # -- Content ------------------------------------------------------------------

    def show_image(self, levels: tuple[ByteArray, ...]) -> None:
        """Show another image, given as a pyramid, without mattes and zoomed to fit."""
        self.show_layers(())
        self._image.set_levels(levels)
        self._overlay.set_levels(levels)
        self._grid.set_bounds(self.image_rect)
        self._loupe.show_image(levels)
        self.fit()
        self.levels_shown.emit(levels)
        self.image_shown.emit()

    def show_layers(self, layers: tuple[OverlayLayer, ...]) -> None:
        """Show other mattes over the image, the topmost first."""
        self._overlay.set_layers(layers)
        self._hide_covered_items()
        self._loupe.show_layers(layers)
        self.layers_shown.emit(layers)

    def set_overlay_style(self, style: OverlayStyle) -> None:
        """Change what the overlay tints, and how."""
        self._overlay.set_style(style)

    def set_backdrop(self, backdrop: Backdrop) -> None:
        """Change the background of cut-outs."""
        self._overlay.set_backdrop(backdrop)
        self._loupe.set_backdrop(backdrop)

    def set_checker(self, size: int, light: str, dark: str) -> None:
        """Set the checker board: side in view pixels, two colours "#rrggbb"."""
        self._overlay.set_checker(checker_board(size, light, dark))
        self._loupe.set_checker(light, dark)

    def update_alpha(self, area: QRectF) -> None:
        """Repaint an area, in image pixels, where the arrays of mattes changed."""
        self._overlay.update(area)
        self._loupe.update()

    def set_mode(self, mode: ViewMode) -> None:
        """Change the view mode."""
        self.mode = mode
        self._overlay.set_mode(mode)
        self._hide_covered_items()
        self.mode_changed.emit(mode)

    def next_mode(self, step: int = 1) -> None:
        """Switch to the view mode ``step`` rows further in the table."""
        index = VIEW_MODES.index(self.mode) + step
        self.set_mode(VIEW_MODES[index % len(VIEW_MODES)])

    def previous_mode(self) -> None:
        """Switch to the previous view mode."""
        self.next_mode(-1)

    # -- Comparing ------------------------------------------------------------------

    @property
    def wipe_enabled(self) -> bool:
        """Whether the image without mattes is shown left of a movable line."""
        return self._wipe.isVisibleTo(self)

    def set_wipe_enabled(self, on: bool) -> None:
        """Turn on or off the wipe: mattes are drawn only right of a movable line."""
        if on != self.wipe_enabled:
            self._wipe.setVisible(on)
            # The line does not move with the image: scrolling must repaint everything.
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
        """Turn on or off the loupe beside the pointer."""
        if on != self._loupe.enabled_by_user:
            self._loupe.set_enabled_by_user(on)
            self.loupe_changed.emit(on)

    def show_mattes(self, *, on: bool) -> None:
        """Show or hide the mattes."""
        self._mattes_enabled = on
        self._set_peeking(False)

    def _set_peeking(self, on: bool) -> None:
        self._overlay.setVisible(self._mattes_enabled and not on)
        self._hide_covered_items()

    def _hide_covered_items(self) -> None:
        # Painting hidden items would double the time.
        self._image.setVisible(not self._overlay.is_opaque)

    @property
    def image_rect(self) -> QRectF:
        """Rectangle of the image in the scene; empty without an image."""
        return self._image.boundingRect()

    # -- Zoom -----------------------------------------------------------------

    @property
    def zoom(self) -> float:
        """Screen pixels per image pixel."""
        return self.transform().m11() * self.devicePixelRatioF()

    @property
    def view_scale(self) -> float:
        """View pixels per image pixel."""
        return self.transform().m11()

    def to_view(self, x: float, y: float) -> QPointF:
        """View position of image position x, y, not rounded."""
        return self.viewportTransform().map(QPointF(x, y))

    def to_image(self, position: QPointF) -> QPointF:
        """Image position, in pixels, of a view position."""
        inverse, _ = self.viewportTransform().inverted()
        return inverse.map(position)

    def set_zoom(self, zoom: float, position: QPointF | None = None) -> None:
        """Zoom so that the image stays fixed at a view position; None is the centre."""
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

        Views scroll by whole pixels.  As long as the pixel is the same, the last
        position is used, so that rounding errors do not accumulate over small steps.
        """
        off = self.to_view(self._anchor.x(), self._anchor.y()) - position
        if off.manhattanLength() > _SAME_PIXEL:
            self._anchor = self.to_image(position)
        return self._anchor

    def zoom_by(self, factor: float, position: QPointF | None = None) -> None:
        """Multiply the zoom by a factor; see :meth:`set_zoom`."""
        self.set_zoom(self.zoom * factor, position)

    def zoom_in(self) -> None:
        """Zoom in by one step."""
        self.zoom_by(ZOOM_STEP)

    def zoom_out(self) -> None:
        """Zoom out by one step."""
        self.zoom_by(1 / ZOOM_STEP)

    def actual_size(self) -> None:
        """Zoom to one screen pixel per image pixel."""
        self.set_zoom(1.0)

    def fit(self) -> None:
        """Show the whole image, also after the window is resized."""
        bounds = self.image_rect
        if bounds.isEmpty():
            return
        room = self.viewport().size() - QSize(2 * FIT_MARGIN, 2 * FIT_MARGIN)
        self._zoom_to(bounds, room)
        self._fitted = True

    def remember_place(self) -> Callable[[], None]:
        """A function that shows what is visible now again, in an image of that size."""
        if self._fitted:
            return self.fit
        middle = QPointF(self.viewport().rect().center())
        zoom, position = self.zoom, self.to_image(middle)

        def go_back() -> None:
            self.set_zoom(zoom)
            self.move_to(position, middle)

        return go_back

    def show_area(self, area: QRectF) -> None:
        """Zoom to an area in image pixels, up to ``MAX_AREA_ZOOM``."""
        area &= self.image_rect
        if not area.isEmpty():
            self._zoom_to(area, self.viewport().size() * AREA_FRACTION, MAX_AREA_ZOOM)

    def _zoom_to(self, area: QRectF, room: QSize, closest: float = MAX_ZOOM) -> None:
        ratio = min(room.width() / area.width(), room.height() / area.height())
        self.set_zoom(min(ratio * self.devicePixelRatioF(), closest))
        self.centerOn(area.center())

    def _clamp(self) -> None:
        """Limit scrolling so that a part of the image stays visible."""
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

    def move_to(self, image_position: QPointF, position: QPointF) -> None:
        """Scroll so that an image position comes to a view position."""
        self._fitted = False
        place = self.to_view(image_position.x(), image_position.y())
        self._scroll_by(place - position)

    def scroll_to(self, position: QPointF) -> None:
        """Scroll as far as it takes to see a position in image pixels."""
        view = self.to_view(position.x(), position.y())
        room = QRectF(self.viewport().rect()).adjusted(20, 20, -20, -20)
        inside = QPointF(
            min(max(view.x(), room.left()), room.right()),
            min(max(view.y(), room.top()), room.bottom()),
        )
        self._scroll_by(view - inside)

    def _scroll_by(self, delta: QPointF) -> None:
        for bar, step in (
            (self.horizontalScrollBar(), delta.x()),
            (self.verticalScrollBar(), delta.y()),
        ):
            bar.setValue(bar.value() + round(step))

    # -- Pan and zoom ---------------------------------------------------------------

    @property
    def panning(self) -> bool:
        """Whether a drag pans, or would if a button were pressed."""
        return self._pan_from is not None or self._space or self.hand

    @property
    def is_panning_by_hand(self) -> bool:
        """Whether the image is being panned."""
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
            return  # no fingers on the touch pad
        turned, scrolled = event.angleDelta(), event.pixelDelta()
        if (
            event.modifiers() & Qt.KeyboardModifier.AltModifier
            and self._loupe.enabled_by_user
        ):
            # Some systems report horizontal wheel turns when Alt is pressed.
            self._loupe.magnify(turned.y() or turned.x())
        elif turned.y() or scrolled.y():
            steps = turned.y() / WHEEL_STEP or scrolled.y() / SCROLL_STEP
            self.zoom_by(ZOOM_STEP**steps, event.position())
            self._emit_pointer(event.position())
        event.accept()

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QNativeGestureEvent):
            return self._native_gesture(event)
        return super().viewportEvent(event)

    def _native_gesture(self, event: QNativeGestureEvent) -> bool:
        """Handle a pinch or a double tap on a touch pad."""
        kind = event.gestureType()
        if kind == Qt.NativeGestureType.ZoomNativeGesture:
            self.zoom_by(max(1 + event.value(), 0.1), event.position())
        elif kind == Qt.NativeGestureType.PanNativeGesture:  # while two fingers pinch
            self._fitted = False
            self._scroll_by(-event.delta())
        elif kind == Qt.NativeGestureType.SmartZoomNativeGesture:
            if self._fitted:
                self.set_zoom(1.0, event.position())
            else:
                self.fit()
        else:
            return False
        event.accept()
        return True

    def interrupt(self) -> None:
        """Cancel the gesture of a mouse button."""
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
        self._space = False  # the release event goes to another widget
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
        """Set the pointer's shape for a view position; None if unknown."""
        if self._pan_from is not None:
            shape = Qt.CursorShape.ClosedHandCursor
        elif self._space or self.hand:
            shape = Qt.CursorShape.OpenHandCursor
        else:
            shape = self.cursor_at(position)
        self.viewport().setCursor(shape)

    def cursor_at(self, position: QPointF | None) -> Qt.CursorShape:
        """The pointer's shape at a view position, if it does not pan."""
        return Qt.CursorShape.ArrowCursor
