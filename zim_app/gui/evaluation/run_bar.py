"""Buttons to start, pause and stop an evaluation, and its progress."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)
from superqt.elidable import QElidingLabel

State = Literal["idle", "loading", "running", "pausing", "paused", "stopping"]
_PERMILLE = 1000


class RunBar(QWidget):
    """Three buttons, a progress bar and a label.

    **Signals**: ``start_requested()``, ``pause_requested()``, ``resume_requested()``,
    ``stop_requested()``.

    **Threads**: the window's only.
    """

    start_requested = Signal()
    pause_requested = Signal()
    resume_requested = Signal()
    stop_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.state: State = "idle"
        self.start_button = QPushButton(self.tr("&Start"))
        self.start_button.setObjectName("primary")
        self.start_button.setStyleSheet(_PRIMARY)
        self.start_button.clicked.connect(self.start_requested)
        self.pause_button = QPushButton(self.tr("&Pause"))
        self.pause_button.clicked.connect(self._on_pause_clicked)
        self.stop_button = QPushButton(self.tr("S&top"))
        self.stop_button.setToolTip(self.tr("Stop; finished rows are kept (Alt+T)"))
        self.stop_button.clicked.connect(self.stop_requested)
        self.bar = QProgressBar()
        self.bar.setRange(0, _PERMILLE)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(8)
        self.label = QElidingLabel()
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        buttons = QHBoxLayout()
        for button in (self.start_button, self.pause_button, self.stop_button):
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 8)
        layout.addLayout(buttons)
        layout.addWidget(self.bar)
        layout.addWidget(self.label)
        self.set_state("idle")

    def set_state(
        self, state: State, *, blocked_reason: str = "", resumable: bool = False
    ) -> None:
        """Enable the buttons for a state.

        Args:
            blocked_reason: why a run cannot be started; empty if it can.
            resumable: whether there are rows of an earlier run.
        """
        self.state = state
        idle = state == "idle"
        self.start_button.setEnabled(idle and not blocked_reason)
        text = self.tr("Re&sume") if resumable else self.tr("&Start")
        self.start_button.setText(text)
        tip = self.tr("Go on; finished rows are not done again (Alt+S)")
        tip = tip if resumable else self.tr("Start the evaluation (Alt+S)")
        self.start_button.setToolTip(blocked_reason or tip)
        self.pause_button.setEnabled(state in ("running", "pausing", "paused"))
        paused = state in ("pausing", "paused")
        text = self.tr("&Go on") if paused else self.tr("&Pause")
        self.pause_button.setText(text)
        tip = self.tr("Go on (Alt+G)")
        self.pause_button.setToolTip(
            tip if paused else self.tr("Pause after the row under way (Alt+P)")
        )
        self.stop_button.setEnabled(not idle and state != "stopping")
        self.bar.setEnabled(state != "paused")

    def show_progress(self, done: int, total: int, detail: str = "") -> None:
        """Show the number of finished rows, and a detail."""
        self.bar.setValue(_PERMILLE * done // max(total, 1))
        parts = [self.tr("{} of {} rows").format(done, total)] if total else []
        text = " · ".join([*parts, detail] if detail else parts)
        self.label.setText(text)
        self.label.setToolTip(text)
        self.label.setAccessibleName(text)

    def _on_pause_clicked(self) -> None:
        if self.state in ("pausing", "paused"):
            self.resume_requested.emit()
        else:
            self.pause_requested.emit()


_PRIMARY = """
#primary { border-radius: 4px; padding: 5px 12px; }
#primary:disabled { border: 1px solid palette(mid); }
#primary:enabled { background: #1f74d6; color: white; }
#primary:enabled:hover { background: #2f84e6; }
#primary:enabled:pressed { background: #175eb0; }
"""
