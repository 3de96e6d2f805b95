"""Controller of batches: opens the dialog, shows progress, asks before quitting."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from zim_app.gui.desktop import announce, bring_to_front
from zim_app.gui.files import dialogs
from zim_app.gui.models.model_controller import default_model
from zim_app.gui.notices import JobProgress
from zim_app.gui.studio import Studio
from zim_model.errors import ZimError

if TYPE_CHECKING:
    from zim_app.core.batch.journal import BatchRow
    from zim_app.gui.batch.batch_dialog import BatchDialog
    from zim_app.gui.batch.batch_worker import BatchWorker


class BatchController(QObject):
    """Opens the batch dialog, and shows the progress of its run in the window.

    Args:
        studio: the window.

    **Signals**: ``failed(error)``: an unexpected exception.

    **Threads**: the window's only; :class:`BatchWorker` runs the batch.
    """

    failed = Signal(object)

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio.widget)
        self._studio = studio
        self.worker: BatchWorker | None = None
        self.dialog: BatchDialog | None = None
        self.progress = JobProgress(
            self.tr("Progress of the batch"),
            self.tr("Stop the batch; what is done is kept"),
        )
        studio.status.addPermanentWidget(self.progress)
        self._closing = False

    @property
    def handlers(self) -> dict[str, Callable[[], object]]:
        """Handlers of the actions, by id."""
        return {"batch": self.show}

    @property
    def idle(self) -> bool:
        """Whether no batch runs and no preview is computed."""
        return self.worker is None or self.worker.idle

    @Slot()
    def show(self) -> None:
        """Open the dialog, or bring it to the front."""
        if self.dialog is None:
            self.dialog = self._make_dialog()
        self._studio.sessions.flush()  # the preview reads the sessions
        # Models may have been installed and devices found since it was made.
        self.dialog.form.set_devices_and_models(self._studio.queue.devices)
        self.dialog.form.set_strip(self._studio.strip.model.paths)
        self.dialog.refresh_preview()
        bring_to_front(self.dialog)

    def _make_dialog(self) -> BatchDialog:
        # Imported here: the image writers would delay the first paint.
        from zim_app.gui.batch.batch_dialog import BatchDialog
        from zim_app.gui.batch.batch_worker import BatchWorker

        self.worker = BatchWorker(self._studio.queue.shared_engine, self)
        self.worker.progressed.connect(self._on_worker_progressed)
        self.worker.finished.connect(self._on_worker_finished)
        self.worker.state_changed.connect(self._on_worker_state_changed)
        self.progress.cancelled.connect(self.worker.stop)
        dialog = BatchDialog(self.worker, default_model(), self._studio.widget)
        dialog.open_requested.connect(self._on_open_requested)
        dialog.failed.connect(self.failed)
        return dialog

    # -- The run ---------------------------------------------------------------------

    @Slot()
    def _on_worker_state_changed(self) -> None:
        assert self.worker is not None
        if self.worker.running:
            self.progress.start()
        else:
            self.progress.stop()

    @Slot(object)
    def _on_worker_progressed(self, event: object) -> None:
        done, total = getattr(event, "done", None), getattr(event, "total", 0)
        if done is not None:
            self.progress.progressed.emit(done / max(1, total))

    @Slot(object, object, object)
    def _on_worker_finished(
        self, rows: list[BatchRow], files: list[Path], error: Exception | None
    ) -> None:
        if self._closing:
            self._closing = False  # closing again may ask about something else
            self._studio.widget.close()
            return
        if isinstance(error, ZimError):
            text = self.tr("The batch was ended by an error.")
            announce(self._studio.widget, "zim-studio", text)
            if not self._is_dialog_open:
                self._studio.report(error)
            return
        if not rows:
            return
        failed = sum(row.state == "failed" for row in rows)
        text = self.tr("The batch has ended: {} photos, {} of them failed.")
        text = text.format(len(rows), failed)
        announce(self._studio.widget, "zim-studio", text)
        if not self._is_dialog_open:
            # A failure stays until it is seen.
            studio = self._studio
            tell = studio.banner.show_info if failed else studio.status.show_success
            tell(text, self.tr("Show"), self.show)

    @property
    def _is_dialog_open(self) -> bool:
        """Whether the dialog shows how the run has ended."""
        return self.dialog is not None and self.dialog.isVisible()

    @Slot(object)
    def _on_open_requested(self, path: Path) -> None:
        self._studio.open_path(path)
        self._studio.widget.activateWindow()

    # -- Leaving ---------------------------------------------------------------------

    def may_close(self) -> bool:
        """Whether the window may close now; if not, asks the user."""
        if self.worker is None or not self.worker.running:
            return True
        if not self._closing:
            self._confirm_stop()
        return False

    def _confirm_stop(self) -> None:
        box, leave = dialogs.quit_box(
            self._studio.widget,
            self.tr("A batch is running"),
            self.tr("Stop the batch and quit?"),
            self.tr("What is done is kept; the same batch goes on from there."),
            self.tr("Stop and quit"),
        )
        leave.clicked.connect(self._on_stop_clicked)
        box.open()

    def stop_unasked(self) -> None:
        """Stop a running batch after the current results; then the window closes."""
        if self.worker is not None and self.worker.running:
            self._closing = True
            self.worker.stop()

    @Slot()
    def _on_stop_clicked(self) -> None:
        assert self.worker is not None
        if self.worker.running:
            self._closing = True  # after the current results are written
            self.worker.stop()
        else:
            self._studio.widget.close()

    def close(self) -> None:
        """Close the dialog and wait for the threads; call after closing the engine."""
        if self.dialog is not None:
            self.dialog.close()
        if self.worker is not None:
            self.worker.close()
