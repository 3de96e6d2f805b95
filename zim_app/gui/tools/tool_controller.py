"""Connects the tools to the window: tool bar, options bar and panels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from PySide6.QtCore import QObject, QSize, Qt, Slot
from PySide6.QtGui import QAction, QPalette
from PySide6.QtWidgets import QMainWindow, QToolBar

from zim_app.gui.canvas.canvas import Canvas
from zim_app.gui.commands.action_spec import CANDIDATE_IDS, TOOL_IDS
from zim_app.gui.document import Document
from zim_app.gui.panels.candidates import CandidateStrip
from zim_app.gui.panels.refine_panel import RefinePanel
from zim_app.gui.settings import preferences
from zim_app.gui.tools.candidate_comparison import CandidateComparison
from zim_app.gui.tools.gestures import Tool
from zim_app.gui.tools.hover_preview import HoverPreview
from zim_app.gui.tools.tool_options import ToolOptionsBar
from zim_app.gui.tools.toolbox import TOOLS
from zim_app.gui.workers.inference_queue import InferenceQueue

TOOL_ICON_SIZE = QSize(24, 24)


class ToolController(QObject):
    """Connects the tools to the canvas and to the window's bars and docks.

    **Threads**: the window's only.
    """

    def __init__(
        self, window: QMainWindow, canvas: Canvas, queue: InferenceQueue
    ) -> None:
        super().__init__(window)
        self._canvas = canvas
        self._actions: Mapping[str, QAction] = {}
        self.options_bar = ToolOptionsBar(canvas, window)
        self.tool_bar = QToolBar(self.tr("Tools"), window)
        self.tool_bar.setObjectName("toolbox")
        self.tool_bar.setOrientation(Qt.Orientation.Vertical)
        self.tool_bar.setMovable(False)
        self.tool_bar.setIconSize(TOOL_ICON_SIZE)
        self.previews = HoverPreview(queue, canvas, self)
        self.candidates = CandidateStrip(window)
        self.refine = RefinePanel(window)
        self.panels = (self.candidates, self.refine)
        row = self.candidates.comparison
        self.comparison = CandidateComparison(row, queue, canvas, self)
        for panel in self.panels:
            panel.preview_requested.connect(self.previews.show_recipe)
        canvas.tool_changed.connect(self._on_canvas_tool_changed)
        canvas.edit_previewed.connect(self.previews.show_recipe)
        key = self.options_bar.key
        key.preview_requested.connect(self.previews.show_recipe)
        self.previews.hovering_changed.connect(self._on_previews_hovering_changed)

    @property
    def handlers(self) -> dict[str, Callable[..., object]]:
        """Handlers of the tool actions, by action id."""
        tools = {
            id_: partial(self._canvas.set_tool, tool)
            for id_, tool in zip(TOOL_IDS, TOOLS, strict=True)
        }
        return {
            **tools,
            **{
                id_: partial(self.candidates.choose, index)
                for index, id_ in enumerate(CANDIDATE_IDS)
            },
            "compare_candidates": self.candidates.comparison.set_on,
            "hover_preview": self._toggle_hovering,
            "brush_smaller": partial(self._canvas.resize_brush, -1),
            "brush_larger": partial(self._canvas.resize_brush, 1),
            "brush_softer": partial(self._canvas.change_hardness, -1),
            "brush_harder": partial(self._canvas.change_hardness, 1),
        }

    def connect_actions(
        self, window: QMainWindow, actions: Mapping[str, QAction]
    ) -> None:
        """Connect the actions, and add bars and panels to the window."""
        self._actions = actions
        for id_ in TOOL_IDS:
            self.tool_bar.addAction(actions[id_])
            button = self.tool_bar.widgetForAction(actions[id_])
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        window.addToolBar(Qt.ToolBarArea.LeftToolBarArea, self.tool_bar)
        for panel in self.panels:
            window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, panel)
        window.addToolBarBreak()
        window.addToolBar(self.options_bar)
        self._on_canvas_tool_changed(self._canvas.tool)
        compare = actions["compare_candidates"]
        self.candidates.comparison.toggled.connect(compare.setChecked)
        preferences.changed.connect(self._on_preference_changed)
        self._on_preference_changed("hover_preview")

    def set_document(self, document: Document) -> None:
        """Switch to another document."""
        for panel in self.panels:
            panel.set_document(document)
        self.options_bar.key.set_document(document)
        self.previews.set_document(document)
        self.comparison.set_document(document)

    @Slot()
    def _toggle_hovering(self) -> None:
        preferences.set_value("hover_preview", not self.previews.hovering)

    @Slot(str)
    def _on_preference_changed(self, key: str) -> None:
        if key == "hover_preview":
            self.previews.set_hovering(preferences.value(key))

    @Slot(bool)
    def _on_previews_hovering_changed(self, on: bool) -> None:
        self._actions["hover_preview"].setChecked(on)

    def paint_icons(self, palette: QPalette) -> None:
        """Draw the icons in the palette's colours."""
        self.options_bar.paint_icons(palette)

    @Slot(object)
    def _on_canvas_tool_changed(self, tool: Tool) -> None:
        self._actions[f"tool_{tool.id}"].setChecked(True)
