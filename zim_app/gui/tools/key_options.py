"""The options of the colour key tool: they change the last key of the active object."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QWidget

from zim_app.gui.canvas.canvas import Canvas
from zim_app.gui.document import Document, DocumentState
from zim_app.gui.panels.fields import (
    ONE_LINE_SLIDER,
    SHORT_SLIDER,
    SliderField,
    SliderScale,
)
from zim_app.gui.tools.colour_key import with_last_key
from zim_app.gui.tools.gestures import ToolOptions
from zim_model.finish import KEY_SOFTNESS, KEY_TOLERANCE


class KeyOptions(QWidget):
    """Tolerance and softness of the last colour key, and of the next ones.

    **Signals**: ``preview_requested(recipe)``: preview this recipe; None ends it.

    **Threads**: the window's only.
    """

    preview_requested = Signal(object)

    def __init__(self, canvas: Canvas) -> None:
        super().__init__()
        self._canvas = canvas
        self._document: Document | None = None
        self._object_id = 0  # of the object whose key is being changed
        self.tolerance = SliderField(
            self.tr("Tolerance"),
            self.tr("How far colours may differ from the removed one"),
            SliderScale(0, 100, 100 * KEY_TOLERANCE, unit=" %", curve=2),
            one_line=True,
        )
        self.softness = SliderField(
            self.tr("Softness"),
            self.tr("Over which further difference colours become opaque"),
            SliderScale(0, 100, 100 * KEY_SOFTNESS, unit=" %", curve=2),
            one_line=True,
        )
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        for name, field in self._fields.items():
            row.addWidget(field)
            field.changing.connect(partial(self._preview, name))
            field.changed.connect(partial(self._commit, name))

    @property
    def _fields(self) -> dict[str, SliderField]:
        return {"tolerance": self.tolerance, "softness": self.softness}

    def set_document(self, document: Document) -> None:
        """Change the keys of another document."""
        for field in self._fields.values():
            field.commit_pending()
        if self._document is not None:
            self._document.changed.disconnect(self._on_document_changed)
        self._document = document
        document.changed.connect(self._on_document_changed)
        self._show_last_key(document.state)

    def set_compact(self, compact: bool) -> None:
        """Shorten the sliders, or show them in full again."""
        for field in self._fields.values():
            field.slider.setFixedWidth(SHORT_SLIDER if compact else ONE_LINE_SLIDER)

    def show_options(self, options: ToolOptions) -> None:
        """Show the options of the next key."""
        self.tolerance.set_value(100 * options.key_tolerance)
        self.softness.set_value(100 * options.key_softness)

    def _preview(self, name: str, percent: float) -> None:
        if self._document is not None:
            self._object_id = self._document.state.object.id
            recipe = self._document.state.recipe
            changed = with_last_key(recipe, **{name: percent / 100})
            self.preview_requested.emit(changed)

    def _commit(self, name: str, percent: float) -> None:
        """Edit the object that was active when the slider moved."""
        changes: dict[str, Any] = {f"key_{name}": percent / 100}
        self._canvas.set_options(replace(self._canvas.options, **changes))
        state = self._document.state if self._document is not None else None
        index = state.find(self._object_id) if state is not None else None
        if self._document is None or state is None or index is None:
            return
        recipe = state.objects[index].recipe
        changed = with_last_key(recipe, **{name: percent / 100})
        if changed != recipe:
            text = self.tr("Change removed colour")
            self._document.edit_object(text, index, recipe=changed)
        else:
            self.preview_requested.emit(None)
        self._show_last_key(self._document.state)

    @Slot(object, object)
    def _on_document_changed(self, old: DocumentState, new: DocumentState) -> None:
        if new.recipe.finish.colour_keys != old.recipe.finish.colour_keys:
            self._show_last_key(new)

    def _show_last_key(self, state: DocumentState) -> None:
        keys = state.recipe.finish.colour_keys
        if keys:
            self.tolerance.set_value(100 * keys[-1].tolerance)
            self.softness.set_value(100 * keys[-1].softness)
