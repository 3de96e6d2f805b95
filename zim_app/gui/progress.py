"""The progress of a job in the status bar, with a cancel button."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QToolButton, QWidget

from zim_app.gui.icons import icon

PROGRESS_DELAY_MS = 500
"""Delay until progress is shown."""


class JobProgress(QWidget):
    """A progress bar and a cancel button, hidden for short jobs.

    Args:
        tip: tool tip of the bar.
        cancel_tip: tool tip of the button.

    **Signals**

    - ``cancelled()``: the user cancels the job.
    - ``progressed(fraction)``: to be emitted by the job, on any thread, with 0 to 1.

    **Threads**: the window's, except for ``progressed``.
    """

    cancelled = Signal()
    progressed = Signal(float)

    def __init__(
        self, tip: str, cancel_tip: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.bar = QProgressBar()
        self.bar.setRange(0, 100)
        self.bar.setFixedWidth(140)
        self.bar.setToolTip(tip)
        self.button = QToolButton()
        self.button.setAutoRaise(True)
        colour = self.palette().buttonText().color().name()
        self.button.setIcon(icon("close-circle-outline", colour))
        self.button.setToolTip(cancel_tip)
        self.button.clicked.connect(self.cancelled)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(4, 0, 4, 0)
        layout.addWidget(self.bar)
        layout.addWidget(self.button)
        self._delay = QTimer(self)
        self._delay.setSingleShot(True)
        self._delay.setInterval(PROGRESS_DELAY_MS)
        self._delay.timeout.connect(self.show)
        self.progressed.connect(self._on_progressed)
        self.hide()

    def start(self) -> None:
        """Show the progress after a delay."""
        if not self.isVisible() and not self._delay.isActive():
            self.bar.setValue(0)
            self._delay.start()

    def stop(self) -> None:
        """Hide the progress."""
        self._delay.stop()
        self.hide()

    @Slot(float)
    def _on_progressed(self, fraction: float) -> None:
        self.bar.setValue(round(100 * fraction))
