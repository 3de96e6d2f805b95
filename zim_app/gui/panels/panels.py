"""The docked panels: there from the first picture on, where the user left them."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow, QMenu

from zim_app.gui.settings import window_state


class DockPanels(QObject):
    """Shows, hides and remembers a window's panels.

    Attributes:
        menu: brings each panel back, or closes it.

    **Threads**: the window's only.
    """

    def __init__(self, window: QMainWindow, panels: Sequence[QDockWidget]) -> None:
        super().__init__(window)
        self._window, self._panels = window, panels
        self._shown = False
        self.menu = QMenu(self.tr("Pan&els"), window)
        for panel in panels:
            panel.hide()
            self.menu.addAction(panel.toggleViewAction())
        self.menu.setEnabled(False)  # until there is a picture

    def show(self) -> None:
        """Show the panels as they were left last time; only the first call counts."""
        if self._shown:
            return
        self._shown = True
        self.menu.setEnabled(True)
        for panel in self._panels:
            panel.show()
        *_, last = self._panels  # gets all that it can use, the first what is left
        vertical = Qt.Orientation.Vertical
        self._window.resizeDocks([last], [self._window.height()], vertical)
        self._window.restoreState(window_state.window_state())

    def save_state(self) -> None:
        """Remember how the panels are now, for the next start."""
        if self._shown:
            window_state.set_window_state(self._window.saveState())
