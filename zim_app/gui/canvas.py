"""The canvas: a document on the viewport, its prompts, and the tool in hand."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, Qt, Signal, Slot
from PySide6.QtGui import (
    QMouseEvent,
    QPainter,
    QPointingDevice,
    QRegion,
    QSinglePointEvent,
    QTabletEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from zim_app.gui import preferences
from zim_app.gui.brush import hardened, resized
from zim_app.gui.document import Document, DocumentState, extent, object_at
from zim_app.gui.markers import (
    RADIUS,
    Ring,
    paint_prompts,
    paint_ring,
    paint_trace,
    prompts_region,
    ring_region,
    trace_region,
)
from zim_app.gui.overlay import Layer, OverlayItem
from zim_app.gui.painting import Painting
from zim_app.gui.scribble import Path
from zim_app.gui.toolbox import TOOLS
from zim_app.gui.tools import (
    Edit,
    Gesture,
    Part,
    Press,
    Tool,
    ToolOptions,
    cleared,
    part_at,
    without,
)
from zim_app.gui.view_modes import HINT_MODE
from zim_app.gui.viewport import WHEEL_STEP, Viewport
from zim_model.prompts import PromptSet
from zim_model.request import Matte

_BUTTONS = (Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton)


class Canvas(Viewport):
    """Shows a document and edits its active object with a tool.

    A button pressed begins a gesture of the tool, its release ends it as one undo step,
    Escape aborts it.  The right button, or Alt and the left, mean the opposite.

    **Signals**: those of :class:`Viewport`, and

    - ``selection_changed(part)``: a :class:`Part`, or None.
    - ``tool_changed(tool)``: the :class:`Tool`.
    - ``options_changed(options)``: the :class:`ToolOptions`.

    **Threads**: the window's only.
    """

    selection_changed = Signal(object)
    tool_changed = Signal(object)
    options_changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.document: Document | None = None
        self.selected: Part | None = None
        self.tool = TOOLS[0]
        self.options = ToolOptions()
        self._scale = 1.0  # of points
        self._gesture: Gesture | None = None
        self._edit: Edit | None = None  # what the gesture would do now
        self._pen = False  # a pen makes the gesture
        self._pointer: QPointF | None = None  # in view pixels
        self._painting = Painting()
        self._preview: Matte | None = None
        self._hint = OverlayItem()
        self._hint.set_mode(HINT_MODE)
        self.scene().addItem(self._hint)
        self.update_cursor()

    def set_marker_size(self, diameter: int) -> None:
        """Draw points with this diameter in view pixels."""
        self._scale = diameter / (2 * RADIUS)
        self.viewport().update()

    # -- The document -----------------------------------------------------------

    def set_document(self, document: Document) -> None:
        """Show another document from now on, all of it."""
        if self.document is not None:
            self.document.changed.disconnect(self._on_document_changed)
        self.document = document
        self._end_gesture()
        self._painting.clear()
        self._preview = None
        self._select(None)
        self.show_picture(document.levels)
        self._hint.set_levels(document.levels)
        self.show_hint(None)
        self._show_mattes(document.state)
        if self.options == ToolOptions():  # untouched
            self.set_options(replace(self.options, radius=_first_radius(document)))
        document.changed.connect(self._on_document_changed)

    @Slot(object, object)
    def _on_document_changed(self, old: DocumentState, new: DocumentState) -> None:
        if new.recipe != old.recipe or new.object.id != old.object.id:
            self.escape_gesture()
        self._painting.follow(old, new)
        self._show_mattes(new)
        if new.recipe.prompts != old.recipe.prompts:
            self._repaint_prompts(old.recipe.prompts, new.recipe.prompts)
            if self.selected and not self.selected.exists_in(new.recipe.prompts):
                self._select(None)

    def _show_mattes(self, state: DocumentState) -> None:
        mattes = list(state.mattes)
        provisional = self._painting.matte or self._preview
        if provisional is not None:
            mattes[state.active] = provisional
        self.show_layers(
            tuple(
                Layer(matte, entry.colour, active=index == state.active)
                for index, (entry, matte) in enumerate(
                    zip(state.objects, mattes, strict=True)
                )
                if matte is not None and state.shows(index)
            )
        )

    def show_preview(self, matte: Matte | None) -> None:
        """Show that in place of the active object's matte; None stops it."""
        if matte is not self._preview:
            self._preview = matte
            if self.document is not None:
                self._show_mattes(self.document.state)

    def show_hint(self, matte: Matte | None) -> None:
        """Show a matte translucent over all else; None shows none."""
        self._hint.set_layers((Layer(matte, 0),) if matte else ())

    @property
    def clicks(self) -> bool:
        """Whether a click with the tool in hand adds a point, and none is under way."""
        tool = self.tool
        return not (tool.paints or tool.pans or self.panning) and self._gesture is None

    def show_object(self) -> None:
        """Zoom to the active object, or to its prompts while it has no matte."""
        if self.document is not None:
            self.show_area(extent(self.document.state))

    def interrupt(self) -> None:
        super().interrupt()
        self.escape_gesture()

    def set_tool(self, tool: Tool) -> None:
        """Take another tool in hand."""
        self.escape()
        self._repaint_brush()
        self.tool = tool
        self.hand = tool.pans
        self._repaint_brush()
        self.update_cursor()
        self.tool_changed.emit(tool)

    # -- Prompts ----------------------------------------------------------------

    @property
    def shown_prompts(self) -> PromptSet:
        """The prompts on screen: the document's, or those of the gesture under way."""
        if self._gesture and self._gesture.dragging and self._edit is not None:
            return self._edit.recipe.prompts
        return self.document.state.recipe.prompts if self.document else PromptSet()

    def delete_selected(self) -> None:
        """Delete the selected prompt, if any."""
        if self.document is not None and self.selected is not None:
            self._apply(without(self.document.state.recipe, self.selected))

    def clear_prompts(self) -> None:
        """Delete all prompts."""
        if self.document is not None:
            self._apply(cleared(self.document.state.recipe))

    def _trace(self) -> Path:
        return self._gesture.trace if self._gesture else ()

    def _repaint_trace(self, path: Path) -> None:
        self.viewport().update(trace_region(path, self.to_view))

    def escape(self) -> None:
        """Abort the gesture under way; if there is none, select nothing."""
        if not self.escape_gesture():
            self._select(None)

    def escape_gesture(self) -> bool:
        """Abort the gesture under way; false if there is none."""
        if self._gesture is None:
            return False
        shown = self.shown_prompts
        self._end_gesture()
        self._repaint_prompts(shown, self.shown_prompts)
        self._cancel_stroke()
        return True

    def _end_gesture(self) -> None:
        self._repaint_trace(self._trace())
        self._gesture = self._edit = None
        self._pen = False

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
            region |= prompts_region(prompts, self.to_view, self._scale)
        self.viewport().update(region)

    # -- Mouse and pen ------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self.document is None or self._gesture is not None:
            return
        super().mousePressEvent(event)
        if not self.panning and event.button() in _BUTTONS:
            if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
                self._select_object(event.position())
            else:
                self._begin_gesture(event, event.button())
        self.update_cursor(event.position())

    def _select_object(self, at: QPointF) -> None:
        """Make the object under view position ``at`` the active one, if there is one.

        An object's opaque part counts, of those that are to be seen.
        """
        assert self.document is not None
        where = self.to_image(at)
        index = object_at(self.document.state, where.x(), where.y())
        if index is not None:
            self.document.select(index)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        self._move_pointer(event.position())
        if self._gesture is not None:
            self._move_gesture(self._gesture, event.position())
        self.update_cursor(event.position())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        panned = self.dragged_by_hand
        super().mouseReleaseEvent(event)
        if not panned and self._gesture is not None and not event.buttons() & _either():
            self._finish_gesture(self._gesture, event.position())
        self.update_cursor(event.position())

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QTabletEvent):
            self.tabletEvent(event)
            return event.isAccepted()
        return bool(super().viewportEvent(event))

    def tabletEvent(self, event: QTabletEvent) -> None:
        """Draw with a pen and its pressure; what is ignored comes as a mouse event."""
        kind, at = event.type(), event.position()
        event.setAccepted(False)
        if kind == QEvent.Type.TabletPress:
            free = self.document is not None and self._gesture is None
            if free and not self.panning and event.button() in _BUTTONS:
                self._pen = True
                self._begin_gesture(event, event.button(), event.pressure())
                event.accept()
        elif self._pen and self._gesture is not None:
            event.accept()
            self._move_pointer(at)
            if kind == QEvent.Type.TabletMove:
                self._move_gesture(self._gesture, at, event.pressure())
            elif not event.buttons() & _either():
                # At its release a pen does not press any more.
                self._finish_gesture(self._gesture)

    def _begin_gesture(
        self, event: QSinglePointEvent, button: Qt.MouseButton, pressure: float = 1.0
    ) -> None:
        assert self.document is not None
        picture = self.document.picture
        at, keys = event.position(), event.modifiers()
        rubber = event.pointerType() == QPointingDevice.PointerType.Eraser
        opposite = rubber or bool(keys & Qt.KeyboardModifier.AltModifier)
        part = self._part_at(at)
        self._gesture = self.tool.begin(
            Press(
                self.document.state.recipe,
                (picture.height, picture.width),
                part,
                positive=(button == Qt.MouseButton.LeftButton) != opposite,
                at=self.to_image(at),
                view=at,
                pressure=pressure,
                scale=self.transform().m11(),
                straight=bool(keys & Qt.KeyboardModifier.ShiftModifier),
                options=self.options,
            )
        )
        self._edit = self._gesture.edit() if self._gesture else None
        self._select(part)
        if self._gesture is not None and self.tool.paints:
            self._begin_stroke()

    def _move_gesture(
        self, gesture: Gesture, at: QPointF, pressure: float = 1.0
    ) -> None:
        shown, trace = self.shown_prompts, self._trace()
        self._gesture = gesture.moved(self.to_image(at), at, pressure)
        self._edit = self._gesture.edit()
        if shown != self.shown_prompts:
            self._repaint_prompts(shown, self.shown_prompts)
        # The line ends at the pointer, and its last piece leads back to its beginning.
        self._repaint_trace(trace[-2:] + self._trace()[-3:])
        self._paint_stroke()

    def _finish_gesture(self, gesture: Gesture, at: QPointF | None = None) -> None:
        """Let the gesture count, at ``at`` or where it is."""
        if at is not None:
            self._move_gesture(gesture, at)
        edit = self._edit
        self._end_gesture()
        if edit is not None:
            if self._painting.under_way and self.document is not None:
                self._painting.finish(self.document.state, edit.recipe)
            self._apply(edit)
        else:
            self._cancel_stroke()

    # -- The brush ----------------------------------------------------------------

    def _begin_stroke(self) -> None:
        assert self.document is not None
        state, picture = self.document.state, self.document.picture
        self._painting.begin(state, (picture.height, picture.width))
        self._show_mattes(state)
        self._paint_stroke()

    def _paint_stroke(self) -> None:
        if self._painting.under_way and self._edit is not None:
            self.update_alpha(self._painting.show(self._edit.recipe))

    def _cancel_stroke(self) -> None:
        if self._painting.under_way and self.document is not None:
            self._painting.cancel(self.document.state)
            self._show_mattes(self.document.state)
            self.update_alpha(self.image_rect)

    def set_options(self, options: ToolOptions) -> None:
        """Let the tools work in another way, from the next gesture on."""
        if options != self.options:
            self._repaint_brush()
            self.options = options
            self._repaint_brush()
            self.options_changed.emit(options)

    def resize_brush(self, steps: float) -> None:
        """Make the brush so many steps larger."""
        self.set_options(resized(self.options, steps))

    def harden_brush(self, steps: float) -> None:
        """Make the brush so many steps harder."""
        self.set_options(hardened(self.options, steps))

    def wheelEvent(self, event: QWheelEvent) -> None:
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if control and self.tool.paints:
            self.resize_brush(event.angleDelta().y() / WHEEL_STEP)
            event.accept()
        else:
            super().wheelEvent(event)

    @property
    def pointed_at(self) -> QPointF | None:
        """Where the pointer is, in image pixels; None if not over the picture."""
        if self._pointer is None:
            return None
        where = self.to_image(self._pointer)
        return where if self.image_rect.contains(where) else None

    def _move_pointer(self, at: QPointF | None) -> None:
        self._repaint_brush()
        self._pointer = at
        self._repaint_brush()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._move_pointer(None)

    def _brush_ring(self) -> Ring | None:
        """Where the brush is shown, if it is."""
        if not self.tool.paints or self._pointer is None or self.panning:
            return None
        radius = self.options.radius * self.transform().m11()
        return Ring(self._pointer, radius, radius * self.options.hardness)

    def _repaint_brush(self) -> None:
        ring = self._brush_ring()
        if ring is not None:
            self.viewport().update(ring_region(ring))

    # -- Paint --------------------------------------------------------------------

    def drawForeground(self, painter: QPainter, rect: QRectF | QRect) -> None:
        painter.save()
        painter.resetTransform()
        prompts = self.shown_prompts
        paint_prompts(painter, prompts, self.selected, self.to_view, self._scale)
        paint_trace(painter, self._trace(), self.to_view)
        ring = self._brush_ring()
        if ring is not None:
            paint_ring(painter, ring)
        painter.restore()

    def _part_at(self, at: QPointF) -> Part | None:
        if not self.tool.takes_parts:
            return None
        return part_at(self.shown_prompts, at, self.to_view, self._scale)

    def cursor_at(self, at: QPointF | None) -> Qt.CursorShape:
        if self.tool.paints:
            return Qt.CursorShape.BlankCursor  # the ring is the cursor
        if at is not None and self._gesture is None and self._part_at(at):
            return Qt.CursorShape.SizeAllCursor
        return Qt.CursorShape.CrossCursor


def _first_radius(document: Document) -> float:
    """Of a brush, as the user wants it, or else so that it fits the picture."""
    diameter: int = preferences.value("brush_size")
    side = max(document.picture.height, document.picture.width)
    return diameter / 2 if diameter else max(side / 60, 2.0)


def _either() -> Qt.MouseButton:
    return Qt.MouseButton.LeftButton | Qt.MouseButton.RightButton
