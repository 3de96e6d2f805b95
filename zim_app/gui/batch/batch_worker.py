"""Batches on worker threads: preview, run, pause and stop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal, Slot

from zim_app.core.export_options import BATCH_EXPORT, ExportOptions
from zim_app.gui.workers.shared_engine import SharedEngine
from zim_app.gui.workers.warmup import import_readers
from zim_app.gui.workers.worker_thread import WorkerTask, WorkerThread
from zim_model.errors import Cancelled, ZimError, msg
from zim_model.request import CancelCheck
from zim_model.runtime.jobs import RunControl
from zim_model.weights.catalogue import DEFAULT_MODEL

if TYPE_CHECKING:
    from zim_app.core.batch.journal import BatchRow
    from zim_app.core.batch.plan import BatchPlan
    from zim_app.core.batch.resume import DryRunEntry
    from zim_app.core.batch.runner import Event


@dataclass(frozen=True, slots=True)
class BatchSettings:
    """The settings of the dialog, not validated.

    Attributes:
        folder: with the images, unless ``images`` are given.
        images: files to process instead.
        recursive: whether subfolders are read, too.
        output: folder for the results; None if none is chosen.
        recipes: whether prompts of sessions and projects are used.
        table: file of prompts; an empty path if none is chosen yet.
        box: relative box for all images: left, top, right and bottom, 0 to 1.
        automatic: whether the main object is searched.
        model: for prompts that do not name one.
        export: options of the written files.
        subject_network: an automatic network that finds the main object, or "".
        clean_edge: of the objects that have no saved recipe.
    """

    folder: Path | None = None
    images: tuple[Path, ...] = ()
    recursive: bool = False
    output: Path | None = None
    recipes: bool = True
    table: Path | None = None
    box: tuple[float, float, float, float] | None = None
    automatic: bool = False
    model: str = DEFAULT_MODEL
    export: ExportOptions = BATCH_EXPORT
    subject_network: str = ""
    clean_edge: bool = True


@dataclass(frozen=True, slots=True)
class BatchPreview:
    """Preview of a run.

    Attributes:
        plan: plan of the run.
        entries: expected outcome of each image.
    """

    plan: BatchPlan
    entries: tuple[DryRunEntry, ...]


class BatchWorker(QObject):
    """Computes the preview of a batch, and runs one batch at a time.

    Images are read and written on threads of the batch; the model runs on the engine's
    thread while the window has no requests.

    **Signals**

    - ``previewed(settings, preview)``: result of the newest :meth:`preview`.
    - ``rejected(settings, error)``: the preview failed; any exception.
    - ``progressed(event)``: an :data:`~zim_app.core.batch.runner.Event` of the run.
    - ``finished(rows, files, error)``: the run is complete or stopped; ``error`` is the
      exception that ended it, or None.
    - ``state_changed()``: ``running``, ``paused`` or ``stopping`` has changed.

    **Threads**: lives on the window's thread.
    """

    previewed = Signal(object, object)
    rejected = Signal(object, object)
    progressed = Signal(object)
    finished = Signal(object, object, object)
    state_changed = Signal()
    _progressed = Signal(object)  # emitted on the batch's thread

    def __init__(self, engine: SharedEngine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._preview_cancelled: threading.Event | None = None
        self._control = RunControl()
        self.running = False
        self._preview_thread = WorkerThread("batch-plan", waiting=1, parent=self)
        self._run_thread = WorkerThread("batch", parent=self)
        self._preview_thread.finished.connect(self._on_preview_finished)
        self._run_thread.finished.connect(self._on_run_finished)
        self._progressed.connect(self.progressed)

    @property
    def idle(self) -> bool:
        """Whether no batch runs and no preview is computed."""
        return self._preview_thread.idle and self._run_thread.idle

    @property
    def paused(self) -> bool:
        """Whether the run waits before its next image."""
        return self.running and self._control.paused

    @property
    def stopping(self) -> bool:
        """Whether the run finishes what it is writing."""
        return self.running and self._control.cancelled()

    def preview(self, settings: BatchSettings) -> None:
        """Compute the preview of a run; only the latest call has a result."""
        if self._preview_cancelled is not None:
            self._preview_cancelled.set()
        self._preview_cancelled = cancelled = threading.Event()
        work = partial(_preview, settings, cancelled.is_set)
        self._preview_thread.submit(WorkerTask("preview", settings, work))

    def run(self, plan: BatchPlan) -> None:
        """Start a run, or resume an earlier run of the same plan."""
        assert not self.running
        self._control = RunControl()
        self.running = True
        work = partial(_run, plan, self._engine, self._control, self._progressed.emit)
        self._run_thread.submit(WorkerTask("run", plan, work))
        self.state_changed.emit()

    @Slot(bool)
    def set_paused(self, paused: bool) -> None:
        """Pause before the next image, or resume."""
        if paused:
            self._control.pause()
        else:
            self._control.resume()
        self.state_changed.emit()

    @Slot()
    def stop(self) -> None:
        """End the run as soon as the current results are written."""
        self._control.cancel()
        self.state_changed.emit()

    def close(self) -> None:
        """Stop the run and wait for the threads; finished results are kept."""
        if self._preview_cancelled is not None:
            self._preview_cancelled.set()
        self._control.cancel()
        self._preview_thread.close()
        self._run_thread.close()

    @Slot(object, object, object)
    def _on_preview_finished(
        self, task: WorkerTask, preview: Any, error: Exception | None
    ) -> None:
        if not self._preview_thread.idle or isinstance(error, Cancelled):
            return  # superseded by later settings
        if error is None:
            self.previewed.emit(task.subject, preview)
        else:
            self.rejected.emit(task.subject, error)

    @Slot(object, object, object)
    def _on_run_finished(
        self, task: WorkerTask, result: Any, error: Exception | None
    ) -> None:
        self.running = False
        rows, files = result or ([], [])
        self.state_changed.emit()
        self.finished.emit(rows, files, error)


# -- On worker threads ---------------------------------------------------------------


def _preview(settings: BatchSettings, cancelled: CancelCheck) -> BatchPreview:
    import_readers()
    from zim_app.core.batch.resume import dry_run

    plan = make_plan(settings)
    entries = []
    for entry in dry_run(plan):
        entries.append(entry)
        if cancelled():
            raise Cancelled
    return BatchPreview(plan, tuple(entries))


def make_plan(settings: BatchSettings) -> BatchPlan:
    """The plan for the settings, validated.

    Raises:
        ZimError: the settings are incomplete or invalid.
    """
    from zim_app.core.batch.jobs import FolderScan, image_jobs, scan_folder
    from zim_app.core.batch.plan import BatchPlan
    from zim_app.core.batch.prompt_sources import PromptPolicy
    from zim_app.core.batch.prompt_table import RelativeBox, read_table

    if settings.folder is None and not settings.images:
        raise ZimError(msg("Choose a folder of photos."))
    if settings.output is None:
        raise ZimError(msg("Choose a folder for the results."))
    if settings.table == Path():
        raise ZimError(msg("Choose a file of prompts."))
    if settings.images:
        scan = FolderScan(image_jobs(settings.images), ())
    else:
        assert settings.folder is not None
        scan = scan_folder(
            settings.folder, settings.output, recursive=settings.recursive
        )
    table = read_table(settings.table) if settings.table else None
    box = RelativeBox(*settings.box) if settings.box else None
    policy = PromptPolicy(
        settings.recipes,
        table,
        box,
        settings.automatic,
        settings.model,
        settings.subject_network,
        clean_edge=settings.clean_edge,
    )
    return BatchPlan(
        scan.jobs,
        settings.output,
        policy,
        settings.export,
        obstacles=scan.obstacles,
    ).validate()


def _run(
    plan: BatchPlan,
    engine: SharedEngine,
    control: RunControl,
    on_event: Callable[[Event], None],
) -> tuple[list[BatchRow], list[Path]]:
    import_readers()
    from zim_app.core.batch.reports import write_reports
    from zim_app.core.batch.runner import JobFinished, run

    rows = []
    for event in run(plan, engine, control=control):
        on_event(event)
        if isinstance(event, JobFinished):
            rows.append(event.row)
    return rows, write_reports(plan, rows) if rows else []
