"""The canvas: the picture, the matte over it, the prompts, and the mouse."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, Qt, Signal, Slot
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QRegion,
    QResizeEvent,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QGraphicsScene, QGraphicsView, QWidget

from zim_app.gui.document import Document, DocumentState
from zim_app.gui.markers import paint_prompts, prompts_region
from zim_app.gui.overlay import VIEW_MODES, ImageItem, OverlayItem, ViewMode
from zim_app.gui.tools import Edit, Gesture, Part, cleared, part_at, without
from zim_model.prompts import PromptSet

MIN_ZOOM, MAX_ZOOM = 0.02, 64.0
ZOOM_STEP = 1.25
WHEEL_STEP = 120
FIT_MARGIN = 16
SURROUND = QColor(0x45, 0x45, 0x45)
"""Neutral, and darker than most pictures, so that colours read true."""
_ROOM = 1e5
"""Scene units around the picture, so that any part of it can be anywhere on screen."""
_BUTTONS = (Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton)


class Canvas(QGraphicsView):
    """Shows a document and edits its prompts; one scene unit is one image pixel.

    Left click adds a positive point, right click or Alt+left a negative one, a left
    drag draws the box.  Points, box edges and corners can be dragged.  The wheel zooms
    at the cursor, the middle button or Space and the left button pan.

    **Signals**

    - ``pointed(position)``: the pointer in image pixels (``QPointF``), or None when it
      is not over the picture.
    - ``zoom_changed(zoom)``: screen pixels per image pixel.
    - ``selection_changed(part)``: a :class:`Part`, or None.
    - ``mode_changed(mode)``: the :class:`ViewMode`.

    **Threads**: the window's only.
    """

    pointed = Signal(object)
    zoom_changed = Signal(float)
    selection_changed = Signal(object)
    mode_changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.document: Document | None = None
        self.selected: Part | None = None
        self.mode = VIEW_MODES[0]
        self._gesture: Gesture | None = None
        self._pan_from: QPoint | None = None
        self._space = False
        self._fitted = True
        self._image = ImageItem()
        self._overlay = OverlayItem()
        self._setup_view()

    def _setup_view(self) -> None:
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
        self._update_cursor()

    # -- The document -----------------------------------------------------------

    def set_document(self, document: Document) -> None:
        """Show another document from now on, all of it."""
        if self.document is not None:
            self.document.changed.disconnect(self._on_document_changed)
        self.document = document
        self._gesture = None
        self._select(None)
        self._image.set_levels(document.levels)
        self._show_matte(document.state)
        room = self._image.boundingRect().adjusted(-_ROOM, -_ROOM, _ROOM, _ROOM)
        self.setSceneRect(room)
        document.changed.connect(self._on_document_changed)
        self.fit()

    def set_mode(self, mode: ViewMode) -> None:
        """Look at the matte in another way."""
        self.mode = mode
        self._overlay.set_mode(mode)
        self.mode_changed.emit(mode)

    def next_mode(self) -> None:
        """Look at the matte in the next way of the table."""
        index = VIEW_MODES.index(self.mode)
        self.set_mode(VIEW_MODES[(index + 1) % len(VIEW_MODES)])

    @Slot(object, object)
    def _on_document_changed(self, old: DocumentState, new: DocumentState) -> None:
        if new.matte is not old.matte:
            self._show_matte(new)
        if new.recipe.prompts != old.recipe.prompts:
            self._gesture = None
            self._repaint_prompts(old.recipe.prompts, new.recipe.prompts)
            if self.selected and not self.selected.exists_in(new.recipe.prompts):
                self._select(None)

    def _show_matte(self, state: DocumentState) -> None:
        self._overlay.set_levels(state.matte.pyramid if state.matte else ())

    # -- Prompts ----------------------------------------------------------------

    @property
    def shown_prompts(self) -> PromptSet:
        """The prompts on screen: the document's, or those of the gesture under way."""
        edit = (
            self._gesture.edit() if self._gesture and self._gesture.dragging else None
        )
        if edit is not None:
            return edit.recipe.prompts
        return self.document.state.recipe.prompts if self.document else PromptSet()

    def delete_selected(self) -> None:
        """Delete the selected point or box, if any."""
        if self.document is not None and self.selected is not None:
            self._apply(without(self.document.state.recipe, self.selected))

    def clear_prompts(self) -> None:
        """Delete all prompts."""
        if self.document is not None:
            self._apply(cleared(self.document.state.recipe))

    def escape(self) -> None:
        """Abort the gesture under way; if there is none, select nothing."""
        if self._gesture is None:
            self._select(None)
            return
        shown, self._gesture = self.shown_prompts, None
        self._repaint_prompts(shown, self.shown_prompts)

    def _apply(self, edit: Edit) -> None:
        assert self.document is not None
        self._select(edit.selected)
        self.document.edit(edit.text, edit.recipe)

    def _select(self, part: Part | None) -> None:
        if part != self.selected:
            self.selected = part
            self._repaint_prompts(self.shown_prompts)
            self.selection_changed.emit(part)

    def _repaint_prompts(self, *sets: PromptSet) -> None:
        region = QRegion()
        for prompts in sets:
            region |= prompts_region(prompts, self.to_view)
        self.viewport().update(region)

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
        bounds = self._image.boundingRect()
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

    # -- Mouse, keys, paint -----------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self.document is None or self._gesture is not None:
            return
        if event.button() == Qt.MouseButton.MiddleButton or self._space:
            self._pan_from = event.position().toPoint()
        elif event.button() in _BUTTONS:
            self._begin_gesture(event)
        self._update_cursor()

    def _begin_gesture(self, event: QMouseEvent) -> None:
        assert self.document is not None
        recipe, at = self.document.state.recipe, event.position()
        part = part_at(recipe.prompts, at, self.to_view)
        alt = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        left = event.button() == Qt.MouseButton.LeftButton
        where = self.to_image(at)
        size = (self.document.picture.height, self.document.picture.width)
        self._gesture = Gesture(
            recipe, size, part, left and not alt, start=where, now=where, start_view=at
        )
        self._select(part)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        if self._pan_from is not None:
            self._scroll_by(QPointF(self._pan_from - at.toPoint()))
            self._pan_from = at.toPoint()
            self._fitted = False
        elif self._gesture is not None:
            self._move_gesture(self._gesture, at)
        self._update_cursor(at)
        self._emit_pointed(at)

    def _move_gesture(self, gesture: Gesture, at: QPointF) -> Gesture:
        shown = self.shown_prompts
        self._gesture = gesture.moved(self.to_image(at), at)
        self._repaint_prompts(shown, self.shown_prompts)
        return self._gesture

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._pan_from is not None:
            self._pan_from = None
        elif self._gesture is not None and not event.buttons() & _either():
            edit = self._move_gesture(self._gesture, event.position()).edit()
            self._gesture = None
            if edit is not None:
                self._apply(edit)
        self._update_cursor(event.position())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        # Two quick clicks are two points.
        self.mousePressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        steps = event.angleDelta().y() / WHEEL_STEP
        if self.document is not None and steps:
            self.set_zoom(self.zoom * ZOOM_STEP**steps, event.position())
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space:
            self._space = True
            self._update_cursor()
        else:
            event.ignore()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._space = False
            self._update_cursor()
        else:
            event.ignore()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._space = False  # its release goes elsewhere
        self._update_cursor()

    def leaveEvent(self, event: QEvent) -> None:
        self.pointed.emit(None)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._fitted:
            self.fit()

    def drawForeground(self, painter: QPainter, rect: QRectF | QRect) -> None:
        painter.save()
        painter.resetTransform()
        paint_prompts(painter, self.shown_prompts, self.selected, self.to_view)
        painter.restore()

    def _emit_pointed(self, at: QPointF) -> None:
        where = self.to_image(at)
        inside = self._image.boundingRect().contains(where)
        self.pointed.emit(where if inside else None)

    def _update_cursor(self, at: QPointF | None = None) -> None:
        self.viewport().setCursor(self._cursor_at(at))

    def _cursor_at(self, at: QPointF | None) -> Qt.CursorShape:
        if self._pan_from is not None:
            return Qt.CursorShape.ClosedHandCursor
        if self._space:
            return Qt.CursorShape.OpenHandCursor
        if at is None or self._gesture is not None:
            return Qt.CursorShape.CrossCursor
        part = part_at(self.shown_prompts, at, self.to_view)
        return Qt.CursorShape.SizeAllCursor if part else Qt.CursorShape.CrossCursor


def _either() -> Qt.MouseButton:
    return Qt.MouseButton.LeftButton | Qt.MouseButton.RightButton
