"""What screen readers tell about the canvas: its state, and what changed."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QObject, Slot

from zim_app.gui.accessibility import speak
from zim_app.gui.canvas.canvas import Canvas
from zim_app.gui.canvas.view_modes import ViewMode
from zim_app.gui.document import Document, DocumentState
from zim_app.gui.panels.object_texts import object_summary, prompt_summary
from zim_app.gui.tools.gestures import Tool


class SpokenState(QObject):
    """Keeps the canvas's accessible description, and has changes announced.

    The description names the active object with its prompts, the tool, the view mode
    and the keys of the canvas.

    **Threads**: the window's only.
    """

    def __init__(self, canvas: Canvas) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self._keys = canvas.accessibleDescription()
        self._document: Document | None = None
        canvas.image_shown.connect(self._on_image_shown)
        canvas.tool_changed.connect(self._on_tool_changed)
        canvas.mode_changed.connect(self._on_mode_changed)

    @Slot()
    def _on_image_shown(self) -> None:
        """Follow the document that is shown from now on."""
        if self._document is not None:
            self._document.changed.disconnect(self._on_document_changed)
        self._document = self._canvas.document
        if self._document is not None:
            self._document.changed.connect(self._on_document_changed)
        self._describe()

    @Slot(object, object)
    def _on_document_changed(self, old: DocumentState, new: DocumentState) -> None:
        self._describe()
        if new.object.id != old.object.id:
            speak(self._canvas, object_summary(new, new.active))
        elif new.recipe != old.recipe:
            speak(self._canvas, prompt_summary(new.recipe))
        elif new.has_current_matte and not old.has_current_matte:
            text = self.tr("The matte is ready: {}")
            speak(self._canvas, text.format(object_summary(new, new.active)))

    @Slot(object)
    def _on_tool_changed(self, tool: Tool) -> None:
        self._describe()
        speak(self._canvas, QCoreApplication.translate("Tool", tool.text))

    @Slot(object)
    def _on_mode_changed(self, mode: ViewMode) -> None:
        self._describe()
        speak(self._canvas, _mode_name(mode))

    def _describe(self) -> None:
        canvas, parts = self._canvas, []
        if canvas.document is not None:
            state = canvas.document.state
            parts.append(object_summary(state, state.active) + ".")
        tool = QCoreApplication.translate("Tool", canvas.tool.text)
        parts.append(self.tr("Tool: {}.").format(tool))
        parts.append(self.tr("View: {}.").format(_mode_name(canvas.mode)))
        canvas.setAccessibleDescription(" ".join([*parts, self._keys]))


def _mode_name(mode: ViewMode) -> str:
    return QCoreApplication.translate("ViewMode", mode.text).replace("&", "")
