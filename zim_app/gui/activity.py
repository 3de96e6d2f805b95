"""What runs now: words in the status bar, a thin bar over the canvas, a way to stop."""

from __future__ import annotations

from PySide6.QtCore import (
    QT_TRANSLATE_NOOP,
    QCoreApplication,
    QObject,
    QTimer,
    Signal,
    Slot,
)
from PySide6.QtGui import QAction

from zim_app.gui.notices import BusyBar
from zim_app.gui.status_bar import StatusBar
from zim_app.gui.workers.file_worker import FileWorker
from zim_app.gui.workers.inference_queue import InferenceQueue

STOP_DELAY_MS = 500
"""Work that takes longer gets a button to stop it."""
WORDS = {
    "open": QT_TRANSLATE_NOOP("Activity", "Opening…"),
    "save_project": QT_TRANSLATE_NOOP("Activity", "Saving…"),
    "import_mask": QT_TRANSLATE_NOOP("Activity", "Reading the mask…"),
    "training_pair": QT_TRANSLATE_NOOP("Activity", "Saving…"),
    "export": QT_TRANSLATE_NOOP("Activity", "Exporting…"),
    "copy": QT_TRANSLATE_NOOP("Activity", "Copying…"),
    "warm_up": QT_TRANSLATE_NOOP("Activity", "Loading the model…"),
    "prepare": QT_TRANSLATE_NOOP("Activity", "Encoding…"),
    "solve": QT_TRANSLATE_NOOP("Activity", "Matting…"),
    "search": QT_TRANSLATE_NOOP("Activity", "Searching…"),
}
BACKGROUND_KINDS = {"warm_up", "search"}
"""Nobody waits for the first; the second shows its own progress."""
STOPPABLE = {"open", "prepare", "solve", "search"}
"""What can be given up; a file that is being written is finished."""


class ActivityIndicator(QObject):
    """Says what runs, and offers to stop what takes long.

    **Signals**: ``stoppable_changed(on)``: something runs that can be stopped.

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
        queue.activity_changed.connect(self._update)
        file_worker.activity_changed.connect(self._update)

    def set_action(self, action: QAction) -> None:
        """Stop with that action, which the button shows."""
        self.stop_button.setDefaultAction(action)
        self.stoppable_changed.connect(action.setEnabled)

    @property
    def kinds(self) -> list[str]:
        """What runs now, as in ``WORDS``."""
        kinds = [*self._file_worker.activities, self._queue.activity]
        return [kind for kind in kinds if kind in WORDS]

    @property
    def stoppable(self) -> bool:
        """Whether something runs that can be stopped, and is not being stopped."""
        return bool(STOPPABLE.intersection(self.kinds) - self._stopping)

    def stop(self) -> None:
        """Give up what is being read and what the engine does, at its next step."""
        self._stopping = frozenset(STOPPABLE.intersection(self.kinds))
        self._file_worker.cancel_open()
        self._queue.cancel()
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
            return self.tr("Stopping…")
        return QCoreApplication.translate("Activity", WORDS[kind])
