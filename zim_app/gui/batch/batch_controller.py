"""What the window has to do with batches: opening the dialog, progress, and leaving."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QMessageBox

from zim_app.gui.models.model_controller import default_model
from zim_app.gui.progress import JobProgress

if TYPE_CHECKING:
    from zim_app.core.batch.journal import Row
    from zim_app.gui.batch.batch_dialog import BatchDialog
    from zim_app.gui.batch.batch_worker import BatchWork
    from zim_app.gui.main_window import MainWindow
    from zim_model.errors import ZimError


class BatchControl(QObject):
    """Opens the batch dialog, and tells of its run where the dialog is not seen.

    Args:
        window: gives the engine, the strip, the status bar and the banner.

    **Signals**: ``failed(error)``: an exception that nobody expected.

    **Threads**: the window's only; the work is :class:`BatchWork`'s.
    """

    failed = Signal(object)

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.work: BatchWork | None = None
        self.dialog: BatchDialog | None = None
        self.progress = JobProgress(
            self.tr("Progress of the batch"),
            self.tr("Stop the batch; what is done is kept"),
        )
        window.status.addPermanentWidget(self.progress)
        self._closing = False

    @property
    def handlers(self) -> dict[str, Callable[[], object]]:
        """What the actions do, by id."""
        return {"batch": self.show}

    @property
    def idle(self) -> bool:
        """Whether no batch runs, and none is looked at."""
        return self.work is None or self.work.idle

    @Slot()
    def show(self) -> None:
        """Open the dialog, or bring it to the front."""
        if self.dialog is None:
            self.dialog = self._make_dialog()
        self._window.flow.sessions.flush()  # what was just clicked counts as well
        self.dialog.form.set_strip(self._window.strip.model.paths)
        self.dialog.look_again()
        self.dialog.show()
        self.dialog.raise_()
        self.dialog.activateWindow()

    def _make_dialog(self) -> BatchDialog:
        # Imported here: what writes pictures would delay the first paint.
        from zim_app.gui.batch.batch_dialog import BatchDialog
        from zim_app.gui.batch.batch_worker import BatchWork

        self.work = BatchWork(self._window.queue.lent, self)
        self.work.told.connect(self._on_work_told)
        self.work.ended.connect(self._on_work_ended)
        self.work.state_changed.connect(self._on_work_state_changed)
        self.progress.cancelled.connect(self.work.stop)
        devices = self._window.queue.devices
        dialog = BatchDialog(self.work, devices, default_model(), self._window)
        dialog.open_requested.connect(self._on_open_requested)
        dialog.failed.connect(self.failed)
        return dialog

    # -- The run ---------------------------------------------------------------------

    @Slot()
    def _on_work_state_changed(self) -> None:
        assert self.work is not None
        if self.work.running:
            self.progress.start()
        else:
            self.progress.stop()

    @Slot(object)
    def _on_work_told(self, event: object) -> None:
        done, total = getattr(event, "done", None), getattr(event, "total", 0)
        if done is not None:
            self.progress.moved.emit(done / max(1, total))

    @Slot(object, object, object)
    def _on_work_ended(
        self, rows: list[Row], files: list[Path], error: ZimError | None
    ) -> None:
        if self._closing:
            self._closing = False  # somebody else may want to ask, too
            self._window.close()
            return
        failed = sum(row.state == "failed" for row in rows)
        hidden = self.dialog is None or not self.dialog.isVisible()
        if hidden and rows:
            text = self.tr("The batch has ended: {} pictures, {} of them failed.")
            self._window.banner.show_success(
                text.format(len(rows), failed), self.tr("Show"), self.show
            )

    @Slot(object)
    def _on_open_requested(self, path: Path) -> None:
        self._window.open_path(path)
        self._window.activateWindow()

    # -- Leaving ---------------------------------------------------------------------

    def may_close(self) -> bool:
        """Whether the window may close now; else the user is asked first."""
        if self.work is None or not self.work.running:
            return True
        if not self._closing:
            self._ask()
        return False

    def _ask(self) -> None:
        box = QMessageBox(self._window)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle(self.tr("A batch is running"))
        box.setText(self.tr("Stop the batch and quit?"))
        box.setInformativeText(
            self.tr("What is done is kept; the same batch goes on from there.")
        )
        stop = box.addButton(
            self.tr("Stop and quit"), QMessageBox.ButtonRole.AcceptRole
        )
        box.addButton(self.tr("Go on"), QMessageBox.ButtonRole.RejectRole)
        for button in box.buttons():
            button.setIcon(QIcon())
        stop.clicked.connect(self._on_stop_clicked)
        box.open()

    @Slot()
    def _on_stop_clicked(self) -> None:
        assert self.work is not None
        if self.work.running:
            self._closing = True  # when the results being written are whole
            self.work.stop()
        else:
            self._window.close()

    def close(self) -> None:
        """Return when all threads have ended; after the engine's has."""
        if self.dialog is not None:
            self.dialog.close()
        if self.work is not None:
            self.work.close()
