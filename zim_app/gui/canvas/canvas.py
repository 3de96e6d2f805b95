"""The canvas: shows a document and its prompts, and edits them with tools."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, Qt, Signal, Slot
from PySide6.QtGui import (
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPointingDevice,
    QRegion,
    QSinglePointEvent,
    QTabletEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from zim_app.gui.canvas.document_view import DocumentView
from zim_app.gui.canvas.keyboard_cursor import KeyboardCursor
from zim_app.gui.canvas.markers import (
    RADIUS,
    BrushRing,
    cross_region,
    gesture_path_region,
    paint_cross,
    paint_gesture_path,
    paint_prompts,
    paint_ring,
    prompts_region,
    ring_region,
)
from zim_app.gui.canvas.viewport import WHEEL_STEP
from zim_app.gui.document import Document, DocumentState, find_object_at
from zim_app.gui.tools.brush import change_hardness, default_radius, resize_brush
from zim_app.gui.tools.gestures import (
    Gesture,
    PointerPress,
    PromptPart,
    RecipeEdit,
    Tool,
    ToolOptions,
    clear_prompts,
    find_part_at,
    remove_part,
)
from zim_app.gui.tools.scribble import Path
from zim_app.gui.tools.toolbox import TOOLS
from zim_model.prompts import PromptSet

_BUTTONS = (Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton)
_PRESS_BUTTONS = Qt.MouseButton.LeftButton | Qt.MouseButton.RightButton


class Canvas(DocumentView):
    """Shows a document and edits its active object with a tool.

    Pressing a button begins a gesture of the tool, releasing it commits one undo step,
    Escape cancels it.  The right button, or Alt with the left, inverts the sign.

    **Signals**: those of :class:`DocumentView`, and

    - ``selection_changed(part)``: a :class:`PromptPart`, or None.
    - ``tool_changed(tool)``: the :class:`Tool`.
    - ``options_changed(options)``: the :class:`ToolOptions`.

    **Threads**: the window's only.
    """

    selection_changed = Signal(object)
    tool_changed = Signal(object)
    options_changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.selected: PromptPart | None = None
        self.tool = TOOLS[0]
        self.options = ToolOptions()
        self._scale = 1.0  # scale of point markers
        self._gesture: Gesture | None = None
        self._edit: RecipeEdit | None = None  # the edit of the gesture if it ended now
        self._pen = False  # whether a pen makes the gesture
        self._pointer: QPointF | None = None  # in view pixels
        self.keyboard = KeyboardCursor(self)
        self.setAccessibleName(self.tr("Canvas"))
        self.setAccessibleDescription(
            self.tr(
                "Arrow keys move a cursor over the photo, Enter adds a positive point "
                "there, N a negative one; Tab goes through the prompts."
            )
        )
        self.update_cursor()

    def set_marker_size(self, diameter: int) -> None:
        """Set the diameter of point markers, in view pixels."""
        self._scale = diameter / (2 * RADIUS)
        self.viewport().update()

    # -- The document -----------------------------------------------------------

    def set_document(self, document: Document) -> None:
        self._end_gesture()
        self.select(None)
        super().set_document(document)
        if self.options.radius == ToolOptions().radius:  # not changed by the user
            self.set_options(replace(self.options, radius=default_radius(document)))

    @Slot(object, object)
    def _on_document_changed(self, old: DocumentState, new: DocumentState) -> None:
        if new.recipe != old.recipe or new.object.id != old.object.id:
            self.escape_gesture()
        super()._on_document_changed(old, new)
        if new.recipe.prompts != old.recipe.prompts:
            self._repaint_prompts(old.recipe.prompts, new.recipe.prompts)
            if self.selected and not self.selected.exists_in(new.recipe.prompts):
                self.select(None)

    @property
    def click_adds_point(self) -> bool:
        """Whether a click would add a point now: no gesture, no panning or painting."""
        free = not self.panning and self._gesture is None
        return self.tool.drags_prompts and free

    def interrupt(self) -> None:
        super().interrupt()
        self.escape_gesture()

    def set_tool(self, tool: Tool) -> None:
        """Switch to another tool."""
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
        """The prompts on screen: the document's, or those of the current drag."""
        if self._gesture and self._gesture.dragging and self._edit is not None:
            return self._edit.recipe.prompts
        return self.document.state.recipe.prompts if self.document else PromptSet()

    def delete_selected(self) -> None:
        """Delete the selected prompt, if any."""
        if self.document is not None and self.selected is not None:
            self._apply(remove_part(self.document.state.recipe, self.selected))

    def clear_prompts(self) -> None:
        """Delete all prompts."""
        if self.document is not None:
            self._apply(clear_prompts(self.document.state.recipe))

    def _gesture_path(self) -> Path:
        return self._gesture.preview_path if self._gesture else ()

    def _gesture_radius(self) -> float:
        """Half the width of the gesture's path, in view pixels."""
        return self._gesture.preview_radius * self.view_scale if self._gesture else 0.0

    def _repaint_gesture_path(self, path: Path) -> None:
        radius = self._gesture_radius()
        self.viewport().update(gesture_path_region(path, self.to_view, radius))

    def escape(self) -> None:
        """Cancel the current gesture; if there is none, clear the selection."""
        if self.keyboard.cancel():
            return
        if not self.escape_gesture():
            self.select(None)

    def escape_gesture(self) -> bool:
        """Cancel the current gesture; return whether there was one."""
        if self._gesture is None:
            return False
        shown = self.shown_prompts
        self._end_gesture()
        self._repaint_prompts(shown, self.shown_prompts)
        self._cancel_edit()
        return True

    def _end_gesture(self) -> None:
        self._repaint_gesture_path(self._gesture_path())
        self._gesture = self._edit = None
        self._pen = False

    def _apply(self, edit: RecipeEdit) -> None:
        assert self.document is not None
        if self.document.edit(edit.text, edit.recipe):
            self.select(edit.selected)

    def select(self, part: PromptPart | None) -> None:
        """Select a prompt; None clears the selection."""
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
        self.keyboard.hide()
        if self.document is None or self._gesture is not None:
            return
        super().mousePressEvent(event)
        if not self.panning and event.button() in _BUTTONS:
            if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
                self._select_object(event.position())
            else:
                self._begin_gesture(event, event.button())
        self.update_cursor(event.position())

    def _select_object(self, position: QPointF) -> None:
        """Select the object on screen that is opaque at a view position, if any."""
        assert self.document is not None
        image_position = self.to_image(position)
        index = find_object_at(
            self.document.state, image_position.x(), image_position.y()
        )
        if index is not None:
            self.document.select(index)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        self.keyboard.hide()
        self._move_pointer(event.position())
        if self._gesture is not None:
            self._move_gesture(self._gesture, event.position())
        self.update_cursor(event.position())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        panned = self.is_panning_by_hand
        super().mouseReleaseEvent(event)
        if (
            not panned
            and self._gesture is not None
            and not event.buttons() & _PRESS_BUTTONS
        ):
            self._finish_gesture(self._gesture, event.position())
        self.update_cursor(event.position())

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QTabletEvent):
            self.tabletEvent(event)
            return event.isAccepted()
        return bool(super().viewportEvent(event))

    def tabletEvent(self, event: QTabletEvent) -> None:
        """Draw with a pen and its pressure; ignored events return as mouse events."""
        kind, position = event.type(), event.position()
        event.setAccepted(False)
        if kind == QEvent.Type.TabletPress:
            free = self.document is not None and self._gesture is None
            if free and not self.panning and event.button() in _BUTTONS:
                self._pen = True
                self._begin_gesture(event, event.button(), event.pressure())
                event.accept()
        elif self._pen and self._gesture is not None:
            event.accept()
            self._move_pointer(position)
            if kind == QEvent.Type.TabletMove:
                self._move_gesture(self._gesture, position, event.pressure())
            elif not event.buttons() & _PRESS_BUTTONS:
                # The event of a release has no pressure.
                self._finish_gesture(self._gesture)

    def _begin_gesture(
        self, event: QSinglePointEvent, button: Qt.MouseButton, pressure: float = 1.0
    ) -> None:
        modifiers = event.modifiers()
        is_eraser = event.pointerType() == QPointingDevice.PointerType.Eraser
        opposite = is_eraser or bool(modifiers & Qt.KeyboardModifier.AltModifier)
        press = replace(
            self._press_at(self.to_image(event.position())),
            part=self._part_at(event.position()),
            positive=(button == Qt.MouseButton.LeftButton) != opposite,
            pressure=pressure,
            straight=bool(modifiers & Qt.KeyboardModifier.ShiftModifier),
        )
        self._begin(press)

    def _press_at(self, position: QPointF) -> PointerPress:
        assert self.document is not None
        image = self.document.image
        return PointerPress(
            self.document.state.recipe,
            (image.height, image.width),
            None,
            positive=True,
            position=position,
            view=self.to_view(position.x(), position.y()),
            scale=self.view_scale,
            options=self.options,
            colour=image.colour_at(position.x(), position.y()),
        )

    def _begin(self, press: PointerPress) -> None:
        if self.tool.drags_prompts:
            self.set_prompts_hidden(False)
        self._gesture = self.tool.begin(press)
        self._edit = self._gesture.edit() if self._gesture else None
        self.select(press.part)
        if self._gesture is not None:
            if self.tool.paints and not self.tool.engine_previews(self.options):
                self._begin_stroke()
            self._show_edit()

    def _show_edit(self) -> None:
        """Show what the gesture would do to the matte if it ended now."""
        self._paint_stroke(self._edit)
        if self.tool.engine_previews(self.options):
            self.edit_previewed.emit(self._edit.recipe if self._edit else None)

    def _cancel_edit(self) -> None:
        """Show the matte without the gesture, which was cancelled."""
        self._cancel_stroke()
        if self.tool.engine_previews(self.options):
            self.edit_previewed.emit(None)

    def _move_gesture(
        self, gesture: Gesture, position: QPointF, pressure: float = 1.0
    ) -> None:
        shown, preview_path = self.shown_prompts, self._gesture_path()
        self._gesture = gesture.move(self.to_image(position), position, pressure)
        self._edit = self._gesture.edit()
        if shown != self.shown_prompts:
            self._repaint_prompts(shown, self.shown_prompts)
        self._repaint_gesture_path(preview_path[-2:] + self._gesture_path()[-3:])
        self._show_edit()

    def _finish_gesture(
        self, gesture: Gesture, position: QPointF | None = None
    ) -> None:
        """Commit the gesture, moved to a view position if one is given."""
        if position is not None:
            self._move_gesture(gesture, position)
        edit = self._edit
        self._end_gesture()
        if edit is not None:
            self._finish_stroke(edit)
            self._apply(edit)
        else:
            self._cancel_edit()

    # -- Keys ---------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """Whether a button or a pen is pressed."""
        return self._gesture is not None and not self.keyboard.is_active

    @property
    def visible_centre(self) -> QPointF:
        """Centre of the visible part of the image, in image pixels."""
        visible = self.viewportTransform().inverted()[0].mapRect(QRectF(self.rect()))
        return visible.intersected(self.image_rect).center()

    def point_with_keys(self, position: QPointF) -> None:
        """Move the keyboard cursor to a position in image pixels, and scroll to it."""
        self.scroll_to(position)
        self._move_pointer(self.to_view(position.x(), position.y()))
        self.pointer_moved.emit(position)

    def click(self, position: QPointF, *, positive: bool) -> None:
        """Click with the current tool at a position in image pixels."""
        self._begin(replace(self._press_at(position), positive=positive))
        if self._gesture is not None:
            self._finish_gesture(self._gesture)

    def show_gesture(self, gesture: Gesture | None) -> None:
        """Show a gesture of the keyboard; None ends it."""
        shown = self.shown_prompts
        self._gesture = gesture
        self._edit = gesture.edit() if gesture else None
        self._repaint_prompts(shown, self.shown_prompts)

    def finish_gesture(self) -> None:
        """Commit the shown gesture."""
        if self._gesture is not None:
            self._finish_gesture(self._gesture)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self.keyboard.press(event):
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if not self.keyboard.release(event):
            super().keyReleaseEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.keyboard.commit_pending()

    def focusNextPrevChild(self, next_: bool) -> bool:
        """Tab selects the prompts one by one before it leaves the canvas."""
        step = 1 if next_ else -1
        return self.keyboard.select_next(step) or super().focusNextPrevChild(next_)

    # -- The brush ----------------------------------------------------------------

    def set_options(self, options: ToolOptions) -> None:
        """Change the tool options, from the next gesture on."""
        if options != self.options:
            self._repaint_brush()
            self.options = options
            self._repaint_brush()
            self.options_changed.emit(options)

    def resize_brush(self, steps: float) -> None:
        """Change the brush size by a number of steps."""
        self.set_options(resize_brush(self.options, steps))

    def change_hardness(self, steps: float) -> None:
        """Change the brush hardness by a number of steps."""
        self.set_options(change_hardness(self.options, steps))

    def wheelEvent(self, event: QWheelEvent) -> None:
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if control and self.tool.paints:
            self.resize_brush(event.angleDelta().y() / WHEEL_STEP)
            event.accept()
        else:
            super().wheelEvent(event)

    @property
    def pointer_position(self) -> QPointF | None:
        """Position of the pointer in image pixels; None if it is not over the image."""
        if self._pointer is None:
            return None
        image_position = self.to_image(self._pointer)
        return image_position if self.image_rect.contains(image_position) else None

    def _move_pointer(self, position: QPointF | None) -> None:
        self._repaint_brush()
        self._pointer = position
        self._repaint_brush()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._move_pointer(None)

    def _brush_ring(self) -> BrushRing | None:
        """The outline of the brush, or None if it is not shown."""
        if not self.tool.paints or self._pointer is None or self.panning:
            return None
        radius = self.options.radius * self.view_scale
        return BrushRing(self._pointer, radius, radius * self.options.hardness)

    def _repaint_brush(self) -> None:
        if (ring := self._brush_ring()) is not None:
            self.viewport().update(ring_region(ring))
        if self._pointer is not None:
            self.viewport().update(cross_region(self._pointer))

    # -- Paint --------------------------------------------------------------------

    def drawForeground(self, painter: QPainter, rect: QRectF | QRect) -> None:
        painter.save()
        painter.resetTransform()
        if not self.prompts_hidden:
            prompts = self.shown_prompts
            paint_prompts(painter, prompts, self.selected, self.to_view, self._scale)
        path, radius = self._gesture_path(), self._gesture_radius()
        paint_gesture_path(painter, path, self.to_view, radius)
        ring = self._brush_ring()
        if ring is not None:
            paint_ring(painter, ring)
        elif self.keyboard.position is not None and self._pointer is not None:
            paint_cross(painter, self._pointer)
        painter.restore()

    def _part_at(self, position: QPointF) -> PromptPart | None:
        if not self.tool.drags_prompts or self.prompts_hidden:
            return None
        return find_part_at(self.shown_prompts, position, self.to_view, self._scale)

    def cursor_at(self, position: QPointF | None) -> Qt.CursorShape:
        if self.tool.paints:
            return Qt.CursorShape.BlankCursor  # the ring is the cursor
        idle = self._gesture is None
        part = self._part_at(position) if idle and position is not None else None
        return Qt.CursorShape.CrossCursor if part is None else part.cursor
