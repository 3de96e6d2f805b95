"""Prompting without a mouse: a cursor that the arrow keys move over the image.

Enter clicks at the cursor, Tab selects prompts one by one, and the arrow keys move the
selected one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QKeyEvent

from zim_app.gui.document import Document
from zim_app.gui.tools.gestures import (
    PointerPress,
    PromptGesture,
    PromptPart,
    corners,
    list_parts,
)

STEP, LARGE_STEP, SMALL_STEP = 10.0, 50.0, 1.0
"""Step of an arrow key in view pixels: alone, with Shift, with Alt."""

_Key, _Modifier = Qt.Key, Qt.KeyboardModifier
ARROWS = {
    _Key.Key_Left: (-1, 0),
    _Key.Key_Right: (1, 0),
    _Key.Key_Up: (0, -1),
    _Key.Key_Down: (0, 1),
}
ENTER = (_Key.Key_Return, _Key.Key_Enter)


class KeyboardTarget(Protocol):
    """The methods of a canvas that the keyboard cursor uses.

    Positions are in image pixels.
    """

    document: Document | None
    selected: PromptPart | None

    @property
    def view_scale(self) -> float:
        """View pixels per image pixel."""

    @property
    def busy(self) -> bool:
        """Whether a button or a pen is pressed."""

    @property
    def visible_centre(self) -> QPointF:
        """Centre of the visible part of the image."""

    def select(self, part: PromptPart | None) -> None:
        """Select a prompt."""

    def point_with_keys(self, position: QPointF) -> None:
        """Move the cursor there, and scroll to it."""

    def click(self, position: QPointF, *, positive: bool) -> None:
        """Click with the current tool."""

    def show_gesture(self, gesture: PromptGesture | None) -> None:
        """Show a gesture; None ends it."""

    def finish_gesture(self) -> None:
        """Commit the shown gesture."""


class KeyboardCursor:
    """Handles the keys of the canvas.

    Attributes:
        position: the cursor in image pixels; None until an arrow key is used, and after
            the mouse moved.
    """

    def __init__(self, target: KeyboardTarget) -> None:
        self._target = target
        self.position: QPointF | None = None
        self._corner: QPointF | None = None  # first corner of a box
        self._held: tuple[PromptGesture, QPointF] | None = (
            None  # the prompt being moved
        )

    @property
    def is_active(self) -> bool:
        """Whether a box or a move is in progress."""
        return self._corner is not None or self._held is not None

    def press(self, event: QKeyEvent) -> bool:
        """Handle a pressed key; return whether it was used."""
        document, key = self._target.document, _Key(event.key())
        if document is None or self._target.busy:
            return False
        if key in ARROWS:
            self._move_cursor(document, key, event.modifiers())
        elif key in ENTER and event.modifiers() & _Modifier.ShiftModifier:
            self._box(document)
        elif key in ENTER or key == _Key.Key_N:
            negative = event.modifiers() & _Modifier.ControlModifier
            self._click(positive=key in ENTER and not negative)
        else:
            return False
        return True

    def release(self, event: QKeyEvent) -> bool:
        """Handle a released key: an arrow key commits a moved prompt.

        Returns:
            Whether the key was used.
        """
        if event.key() not in ARROWS or event.isAutoRepeat():
            return False
        self.commit_pending()
        return True

    def commit_pending(self) -> None:
        """Commit a prompt that is being moved, as one undo step."""
        if self._held is not None:
            self._held = None
            self._target.finish_gesture()

    def cancel(self) -> bool:
        """Cancel a box or a move in progress; return whether there was one."""
        is_active = self.is_active
        self._corner = self._held = None
        if is_active:
            self._target.show_gesture(None)
        return is_active

    def hide(self) -> None:
        """Hide the cursor, because the mouse is used."""
        if self._corner is not None:
            self.cancel()
        self.commit_pending()
        self.position = None

    def select_next(self, step: int) -> bool:
        """Select the next or previous prompt; return false after the last one."""
        document, selected = self._target.document, self._target.selected
        if document is None:
            return False
        parts = list_parts(document.state.recipe.prompts)
        if selected is not None and selected.is_box_handle:
            selected = PromptPart("box")
        if selected in parts:
            index = parts.index(selected) + step
        else:
            index = 0 if step > 0 else len(parts) - 1
        if not 0 <= index < len(parts):
            self._target.select(None)
            return False
        self._target.select(parts[index])
        return True

    # -- Keys ---------------------------------------------------------------

    def _move_cursor(
        self, document: Document, key: Qt.Key, modifiers: Qt.KeyboardModifier
    ) -> None:
        length = STEP
        if modifiers & _Modifier.ShiftModifier:
            length = LARGE_STEP
        elif modifiers & _Modifier.AltModifier:
            length = SMALL_STEP
        x, y = ARROWS[key]
        step = QPointF(x, y) * (length / self._target.view_scale)
        if self._target.selected is not None:
            self._move_prompt(document, self._target.selected, step)
            return
        self.position = self._inside(
            document, (self.position or self._target.visible_centre) + step
        )
        self._target.point_with_keys(self.position)
        self._show_box(document)

    def _inside(self, document: Document, position: QPointF) -> QPointF:
        right, bottom = document.image.width - 0.5, document.image.height - 0.5
        return QPointF(
            min(max(position.x(), 0.0), right),
            min(max(position.y(), 0.0), bottom),
        )

    def _click(self, *, positive: bool) -> None:
        if self.position is None:
            self.position = self._target.visible_centre
            self._target.point_with_keys(self.position)
        self._target.click(self.position, positive=positive)
        # The arrow keys keep moving the cursor, not the new point.
        self._target.select(None)

    def _box(self, document: Document) -> None:
        """Begin a box at the cursor, or finish it there."""
        if self.position is None:
            self.position = self._target.visible_centre
            self._target.point_with_keys(self.position)
        if self._corner is None:
            self._target.select(None)
            self._corner = self.position
            return
        self._show_box(document)
        self._corner = None
        self._target.finish_gesture()
        self._target.select(None)

    def _show_box(self, document: Document) -> None:
        if self._corner is not None and self.position is not None:
            gesture = self._gesture(document, None, self._corner)
            self._target.show_gesture(
                replace(gesture, position=self.position, dragging=True)
            )

    def _move_prompt(self, document: Document, part: PromptPart, step: QPointF) -> None:
        if self._held is None:
            position = _handle_position(document, part)
            self._held = self._gesture(document, part, position), position
        gesture, position = self._held
        self._held = gesture, position + step
        self._target.show_gesture(
            replace(gesture, position=position + step, dragging=True)
        )

    def _gesture(
        self, document: Document, part: PromptPart | None, position: QPointF
    ) -> PromptGesture:
        size = document.image.height, document.image.width
        recipe, scale = document.state.recipe, self._target.view_scale
        press = PointerPress(
            recipe, size, part, True, position, position * scale, scale=scale
        )
        return PromptGesture.begin(press)


def _handle_position(document: Document, part: PromptPart) -> QPointF:
    """Position of the handle of a part, in image pixels."""
    prompts = document.state.recipe.prompts
    if part.kind == "point":
        return QPointF(prompts.points[part.index].x, prompts.points[part.index].y)
    if part.kind == "scribble":
        return QPointF(*prompts.scribbles[part.index].path[0])
    assert prompts.box is not None
    return QPointF(*corners(prompts.box)[part.index])
