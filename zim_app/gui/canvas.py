"""The canvas: a document on the viewport, its prompts, and the tool in hand."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF, Qt, Signal, Slot
from PySide6.QtGui import QMouseEvent, QPainter, QRegion
from PySide6.QtWidgets import QWidget

from zim_app.gui.document import Document, DocumentState, object_at
from zim_app.gui.markers import (
    RADIUS,
    paint_prompts,
    paint_trace,
    prompts_region,
    trace_region,
)
from zim_app.gui.overlay import Layer
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
    corners,
    part_at,
    without,
)
from zim_app.gui.viewport import Viewport
from zim_model.prompts import Box, PromptSet

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
        self._select(None)
        self.show_picture(document.levels)
        self._show_mattes(document.state)
        document.changed.connect(self._on_document_changed)

    @Slot(object, object)
    def _on_document_changed(self, old: DocumentState, new: DocumentState) -> None:
        self._show_mattes(new)
        if new.recipe.prompts != old.recipe.prompts:
            self._end_gesture()
            self._repaint_prompts(old.recipe.prompts, new.recipe.prompts)
            if self.selected and not self.selected.exists_in(new.recipe.prompts):
                self._select(None)

    def _show_mattes(self, state: DocumentState) -> None:
        self.show_layers(
            tuple(
                Layer(matte, entry.colour, active=entry.id == state.object.id)
                for entry, matte in state.shown
            )
        )

    def show_object(self) -> None:
        """Zoom to the active object, or to its prompts while it has no matte."""
        if self.document is not None:
            self.show_area(extent(self.document.state))

    def interrupt(self) -> None:
        super().interrupt()
        if self._gesture is not None:
            self.escape()

    def set_tool(self, tool: Tool) -> None:
        """Take another tool in hand."""
        self.escape()
        self.tool = tool
        self.hand = tool.pans
        self.update_cursor()
        self.tool_changed.emit(tool)

    def set_options(self, options: ToolOptions) -> None:
        """Let the tools work in another way, from the next gesture on."""
        if options != self.options:
            self.options = options
            self.options_changed.emit(options)

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
        if self._gesture is None:
            self._select(None)
            return
        shown = self.shown_prompts
        self._end_gesture()
        self._repaint_prompts(shown, self.shown_prompts)

    def _end_gesture(self) -> None:
        self._repaint_trace(self._trace())
        self._gesture = self._edit = None

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

    # -- Mouse and paint ----------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self.document is None or self._gesture is not None:
            return
        super().mousePressEvent(event)
        if not self.panning and event.button() in _BUTTONS:
            if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
                self._select_object(event.position())
            else:
                self._begin_gesture(event)
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

    def _begin_gesture(self, event: QMouseEvent) -> None:
        assert self.document is not None
        picture, recipe = self.document.picture, self.document.state.recipe
        at = event.position()
        alt = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        left = event.button() == Qt.MouseButton.LeftButton
        part = self._part_at(at)
        self._gesture = self.tool.begin(
            Press(
                recipe,
                (picture.height, picture.width),
                part,
                positive=left and not alt,
                at=self.to_image(at),
                view=at,
                scale=self.transform().m11(),
                straight=bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier),
                options=self.options,
            )
        )
        self._edit = self._gesture.edit() if self._gesture else None
        self._select(part)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        if self._gesture is not None:
            self._move_gesture(self._gesture, event.position())
        self.update_cursor(event.position())

    def _move_gesture(self, gesture: Gesture, at: QPointF) -> None:
        shown, trace = self.shown_prompts, self._trace()
        self._gesture = gesture.moved(self.to_image(at), at)
        self._edit = self._gesture.edit()
        if shown != self.shown_prompts:
            self._repaint_prompts(shown, self.shown_prompts)
        # The line ends at the pointer, and its last piece leads back to its beginning.
        self._repaint_trace(trace[-2:] + self._trace()[-3:])

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        panned = self.dragged_by_hand
        super().mouseReleaseEvent(event)
        if not panned and self._gesture is not None and not event.buttons() & _either():
            self._move_gesture(self._gesture, event.position())
            edit = self._edit
            self._end_gesture()
            if edit is not None:
                self._apply(edit)
        self.update_cursor(event.position())

    def drawForeground(self, painter: QPainter, rect: QRectF | QRect) -> None:
        painter.save()
        painter.resetTransform()
        prompts = self.shown_prompts
        paint_prompts(painter, prompts, self.selected, self.to_view, self._scale)
        paint_trace(painter, self._trace(), self.to_view)
        painter.restore()

    def _part_at(self, at: QPointF) -> Part | None:
        if not self.tool.takes_parts:
            return None
        return part_at(self.shown_prompts, at, self.to_view, self._scale)

    def cursor_at(self, at: QPointF | None) -> Qt.CursorShape:
        if at is not None and self._gesture is None and self._part_at(at):
            return Qt.CursorShape.SizeAllCursor
        return Qt.CursorShape.CrossCursor


def _either() -> Qt.MouseButton:
    return Qt.MouseButton.LeftButton | Qt.MouseButton.RightButton


def extent(state: DocumentState) -> QRectF:
    """The place of the active object, in image pixels; empty without one."""
    matte, recipe = state.matte, state.recipe
    if matte is not None and matte.support[2] > matte.support[0]:
        left, top, right, bottom = matte.support
        return QRectF(left, top, right - left, bottom - top)
    places = []
    for prompts in (recipe.prompts, *recipe.also):
        places += [(point.x, point.y) for point in prompts.points]
        places += [place for line in prompts.scribbles for place in line.path]
        places += corners(prompts.box) if prompts.box else []
    places += [(x, y) for stroke in recipe.finish.strokes for x, y, _ in stroke.path]
    if not places:
        return QRectF()
    box = Box.enclosing(places)
    return QRectF(box.x0, box.y0, max(box.width, 1), max(box.height, 1))
