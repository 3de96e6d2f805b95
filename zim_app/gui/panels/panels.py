"""The docked panels, shown with the first image, in the user's last layout."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QByteArray, QObject, Qt, Slot
from PySide6.QtWidgets import QDockWidget, QMainWindow, QMenu

from zim_app.gui.settings import window_state


class DockPanels(QObject):
    """Shows and hides a window's panels, and stores their layout.

    Attributes:
        menu: shows or hides each panel.

    **Threads**: the window's only.
    """

    def __init__(self, window: QMainWindow, panels: Sequence[QDockWidget]) -> None:
        super().__init__(window)
        self._window, self._panels = window, panels
        self._shown = False
        self._before: QByteArray | None = None
        self.menu = QMenu(self.tr("Pan&els"), window)
        for panel in panels:
            panel.hide()
            self.menu.addAction(panel.toggleViewAction())
        self.menu.setEnabled(False)  # until an image is open

    def show(self) -> None:
        """Show the panels in their stored layout; only the first call has an effect."""
        self._before = None
        if self._shown:
            return
        self._shown = True
        self.menu.setEnabled(True)
        for panel in self._panels:
            panel.show()
        *_, last = self._panels  # takes its preferred height, the first the rest
        vertical = Qt.Orientation.Vertical
        self._window.resizeDocks([last], [self._window.height()], vertical)
        self._window.restoreState(window_state.window_state())

    @Slot(bool)
    def show_early(self, on: bool) -> None:
        """Show the panels while the first photo is read, or hide them if it cannot be.

        Has no effect once :meth:`show` was called.
        """
        if on and not self._shown:
            before = self._window.saveState()
            self.show()
            self._before = before
        elif not on and self._before is not None:
            self._window.restoreState(self._before)
            self.menu.setEnabled(False)
            self._before, self._shown = None, False

    def save_state(self) -> None:
        """Store the layout of the panels for the next start."""
        if self._shown:
            window_state.set_window_state(self._window.saveState())
