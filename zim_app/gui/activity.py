"""Shows running work: texts in the status bar, a busy bar, and a stop button."""

from __future__ import annotations

from PySide6.QtCore import (
    QCoreApplication,
    QObject,
    QTimer,
    Signal,
    Slot,
)
from PySide6.QtGui import QAction

from zim_app.gui.notices import BusyBar
from zim_app.gui.status_bar import StatusBar
from zim_app.gui.translatable import QT_TRANSLATE_NOOP
from zim_app.gui.workers.file_worker import FileWorker
from zim_app.gui.workers.inference_queue import InferenceQueue

STOP_DELAY_MS = 500
"""Delay until the stop button appears."""
TEXTS = {
    "open": QT_TRANSLATE_NOOP("Activity", "Opening…"),
    "save_project": QT_TRANSLATE_NOOP("Activity", "Saving…"),
    "import_mask": QT_TRANSLATE_NOOP("Activity", "Reading the mask…"),
    "training_pair": QT_TRANSLATE_NOOP("Activity", "Saving…"),
    "export": QT_TRANSLATE_NOOP("Activity", "Exporting…"),
    "copy": QT_TRANSLATE_NOOP("Activity", "Copying…"),
    "warm_up": QT_TRANSLATE_NOOP("Activity", "Loading the model…"),
    "prepare": QT_TRANSLATE_NOOP("Activity", "Encoding…"),
    "solve": QT_TRANSLATE_NOOP("Activity", "Matting…"),
    "select_subject": QT_TRANSLATE_NOOP("Activity", "Selecting the subject…"),
    "erase": QT_TRANSLATE_NOOP("Activity", "Filling…"),
    "search": QT_TRANSLATE_NOOP("Activity", "Searching…"),
}
BACKGROUND_KINDS = {"warm_up", "search"}
"""Work without a busy bar: warming up is not waited for, and searching shows its own
progress."""
STOPPABLE = {"open", "prepare", "solve", "search"}
"""Work that can be cancelled; writing files is always finished."""


class ActivityIndicator(QObject):
    """Shows which work runs, and a button to stop long work.

    **Signals**: ``stoppable_changed(on)``: whether stoppable work runs.

    **Threads**: the window's only.
    """

    stoppable_changed = Signal(bool)

    def __init__(
        self,
        queue: InferenceQueue,
        file_worker: FileWorker,
        status: StatusBar,
        busy_bar: BusyBar,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._queue, self._file_worker = queue, file_worker
        self._status, self._busy_bar = status, busy_bar
        self._stopping: frozenset[str] = frozenset()
        self.stop_button = status.stop_button
        self._delay = QTimer(self)
        self._delay.setSingleShot(True)
        self._delay.setInterval(STOP_DELAY_MS)
        self._delay.timeout.connect(self.stop_button.show)
        self._percent = 0  # of the engine's work, where that is known
        queue.activity_changed.connect(self._on_queue_activity_changed)
        queue.progressed.connect(self._on_queue_progressed)
        file_worker.activity_changed.connect(self._update)

    def set_action(self, action: QAction) -> None:
        """Use that action for the stop button."""
        self.stop_button.setDefaultAction(action)
        self.stoppable_changed.connect(action.setEnabled)

    @property
    def kinds(self) -> list[str]:
        """Kinds of the running work, keys of ``TEXTS``."""
        kinds = [*self._file_worker.activities, self._queue.activity]
        return [kind for kind in kinds if kind in TEXTS]

    @property
    def stoppable(self) -> bool:
        """Whether stoppable work runs that is not being stopped already."""
        return bool(STOPPABLE.intersection(self.kinds) - self._stopping)

    def stop(self) -> None:
        """Cancel opening files and the engine's work at its next step."""
        self._stopping = frozenset(STOPPABLE.intersection(self.kinds))
        self._file_worker.cancel_open()
        self._queue.cancel()
        self._update()

    @Slot()
    def _on_queue_activity_changed(self) -> None:
        self._percent = 0
        self._update()

    @Slot(float)
    def _on_queue_progressed(self, fraction: float) -> None:
        if round(100 * fraction) != self._percent:
            self._percent = round(100 * fraction)
            self._update()

    @Slot()
    def _update(self) -> None:
        kinds = self.kinds
        self._stopping &= frozenset(kinds)
        self._status.activity.setText("  ".join(map(self._text, kinds)))
        self._busy_bar.set_busy(bool(set(kinds) - BACKGROUND_KINDS))
        if not self.stoppable:
            self._delay.stop()
            self.stop_button.hide()
        elif self.stop_button.isHidden() and not self._delay.isActive():
            self._delay.start()
        self.stoppable_changed.emit(self.stoppable)

    def _text(self, kind: str) -> str:
        if kind in self._stopping:
            return QCoreApplication.translate("Activity", "Stopping…")
        text = QCoreApplication.translate("Activity", TEXTS[kind])
        if kind == "solve" and self._percent:
            percent = QCoreApplication.translate("Activity", "{} %")
            return f"{text} {percent.format(self._percent)}"
        return text
