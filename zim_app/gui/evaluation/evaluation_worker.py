"""Tasks of the evaluation window on worker threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal, Slot

from zim_app.gui.evaluation.case_images import (
    CaseQuery,
    CaseView,
    load_case_view,
    predict_case,
    read_prompts,
)
from zim_app.gui.evaluation.results import (
    ResultsSummary,
    partial_report,
    read_results,
    summarise,
)
from zim_app.gui.workers.warmup import import_readers, import_torch
from zim_app.gui.workers.worker_thread import WorkerTask, WorkerThread
from zim_model.errors import Cancelled, ZimError
from zim_model.evaluation.datasets import Dataset, open_dataset
from zim_model.evaluation.events import Event, Finished, Paused
from zim_model.evaluation.journal import EvaluationRow, RowKey, RunConfig
from zim_model.evaluation.mini import write_mini_dataset
from zim_model.evaluation.report import Report
from zim_model.evaluation.report_formats import WRITERS, write_report
from zim_model.evaluation.runner import EvaluationOptions, evaluate
from zim_model.evaluation.systems import PromptKind, System
from zim_model.runtime.atomic_files import atomic_write, write_error
from zim_model.runtime.devices import DeviceChoice
from zim_model.runtime.jobs import RunControl

if TYPE_CHECKING:
    from zim_model.inference.engine import Engine

CACHE_BYTES = 256 * 2**20
"""Memory for features; they are used only for the cases of one image."""


def make_engine() -> Engine:
    """A new engine for the evaluation; called on the worker thread."""
    import_torch()
    from zim_model.inference.engine import Engine

    return Engine(cache_bytes=CACHE_BYTES)


@dataclass(frozen=True, slots=True, eq=False)
class EvaluationJob:
    """Arguments of a run.

    Attributes:
        dataset, systems, prompts, out, options: see :func:`evaluate`.
        device: where the models run.
    """

    dataset: Dataset
    systems: tuple[System, ...]
    prompts: tuple[PromptKind, ...]
    out: Path
    options: EvaluationOptions
    device: DeviceChoice


@dataclass(frozen=True, slots=True)
class EvaluationOutcome:
    """Result of a run.

    Attributes:
        complete: whether all rows are done; false if it was stopped.
        report: of all rows in the folder of results.
        written: files of the report; empty if it was stopped.
    """

    complete: bool
    report: Report
    written: tuple[Path, ...] = ()


class _EvaluationRunner:
    """Owns the engine; all methods run on the worker thread.

    ``newest`` is the view whose prediction is to be made, or None: the window's thread
    writes it, the worker thread reads it.  Reading and writing a reference is atomic,
    so no lock is needed; ``woken`` is set after writing.
    """

    def __init__(
        self,
        factory: Callable[[], Engine],
        on_event: Callable[[Event], None],
        on_case: Callable[[CaseView | None, object], None],
    ) -> None:
        self.newest: CaseView | None = None
        self.woken = threading.Event()
        self.device = DeviceChoice()
        self._handled: CaseView | None = None
        self._factory, self._on_event, self._on_case = factory, on_event, on_case
        self._engine: Engine | None = None

    def run(self, job: EvaluationJob, control: RunControl) -> EvaluationOutcome:
        """Do a run; pending queries are served between rows and during a pause."""
        complete = False
        self.device = job.device
        events = evaluate(
            job.dataset,
            job.systems,
            job.out,
            prompts=job.prompts,
            options=job.options,
            control=control,
            engine=self.engine(),
        )
        for event in events:
            if isinstance(event, Finished):
                complete = event.complete
            else:
                self._on_event(event)
            self.run_pending_queries()
            if isinstance(event, Paused):
                self._wait(control)
        report = read_results(job.out)
        assert report is not None
        if not complete:
            return EvaluationOutcome(complete, report)
        return EvaluationOutcome(
            complete, report, write_report(report, job.out, job.dataset)
        )

    def _wait(self, control: RunControl) -> None:
        """Serve queries until the run is resumed."""
        while control.paused:
            self.woken.wait()
            self.woken.clear()
            self.run_pending_queries()

    def run_pending_queries(self) -> None:
        """Predict the newest view, unless that is done."""
        view = self.newest
        if view is None or view is self._handled:
            return
        self._handled = view
        try:
            engine = self.engine()
            self._on_case(
                predict_case(view, engine, lambda: self.newest is not view), None
            )
        except Cancelled:
            return
        except ZimError as error:
            self._on_case(view, error)

    def engine(self) -> Engine:
        """The engine, made at the first call."""
        if self._engine is None:
            self._engine = self._factory()
        self._engine.set_device(self.device)
        return self._engine

    def drop_engine(self) -> None:
        """Free the models."""
        self._engine = None


class EvaluationWorker(QObject):
    """Runs evaluations, and reads and writes data sets, results and reports.

    A run has its own thread and engine, so that clicks in the studio do not wait for
    it.  The models take memory a second time, on the device that is chosen for the
    evaluation (a second copy of ViT-B is 0.4 GB, and up to CACHE_BYTES of features),
    until :meth:`release_engine` frees it.  The runner's processes score predictions.

    Args:
        factory: makes the engine; called on the worker thread.

    **Signals**

    - ``progressed(event)``: an :class:`Event` of the run, except the last.
    - ``finished(outcome, error)``: the run is over; one of them is None, or both if it
      was stopped before it began.
    - ``opened(root, dataset, error)``: result of :meth:`open`.
    - ``results_found(out, report, error)``: the results in a folder; both are None
      without results.
    - ``summarised(summary)``: a :class:`ResultsSummary`, see :meth:`summarise`.
    - ``case_loaded(view, error)``: a :class:`CaseView`; may be emitted twice, first
      with an enlarged thumbnail of the prediction.  The error is the reason why the
      whole matte cannot be predicted.
    - ``prompts_found(query, prompts)``: prompts of a row.
    - ``mini_written(root, error)``: the small data set.
    - ``exported(paths, error)``: the written files of a report.
    - ``activity_changed()``: ``running`` may have changed.

    **Threads**: lives on the window's thread.  Runs are done on one worker
    thread, images of the viewer are read on a second, everything else on a third.
    """

    progressed = Signal(object)
    finished = Signal(object, object)
    opened = Signal(object, object, object)
    results_found = Signal(object, object, object)
    summarised = Signal(object)
    case_loaded = Signal(object, object)
    prompts_found = Signal(object, object)
    mini_written = Signal(object, object)
    exported = Signal(object, object)
    activity_changed = Signal()
    _progressed = Signal(object)  # emitted on the worker thread
    _case_updated = Signal(object, object)  # likewise

    def __init__(
        self,
        factory: Callable[[], Engine] = make_engine,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.control: RunControl | None = None
        self._runner = _EvaluationRunner(
            factory, self._progressed.emit, self._case_updated.emit
        )
        self._run_thread = WorkerThread("evaluation", parent=self)
        self._case_thread = WorkerThread("evaluation-cases", waiting=1, parent=self)
        self._file_thread = WorkerThread("evaluation-files", parent=self)
        self._progressed.connect(self.progressed)
        self._case_updated.connect(self._on_case_updated)
        for thread in (self._run_thread, self._case_thread, self._file_thread):
            thread.finished.connect(self._on_task_finished)

    @property
    def running(self) -> bool:
        """Whether a run is under way, including paused ones."""
        return self.control is not None

    @property
    def idle(self) -> bool:
        """Whether no task is under way."""
        return all(
            thread.idle
            for thread in (self._run_thread, self._case_thread, self._file_thread)
        )

    # -- The run ----------------------------------------------------------------------

    def start(self, job: EvaluationJob) -> None:
        """Start a run, or resume the one in its folder."""
        assert not self.running
        job = replace(job, options=replace(job.options, resume=True))
        self.control = RunControl()
        work = partial(self._runner.run, job, self.control)
        self._run_thread.submit(WorkerTask("run", job, work))
        self.activity_changed.emit()

    def pause(self) -> None:
        """Pause the run after the current row."""
        if self.control is not None:
            self.control.pause()

    def resume(self) -> None:
        """Resume the run."""
        if self.control is not None:
            self.control.resume()
            self._runner.woken.set()

    def stop(self) -> None:
        """End the run; its rows are kept."""
        if self.control is not None:
            self.control.cancel()
            self._runner.woken.set()

    def release_engine(self) -> None:
        """End the run and free the models; called when the window closes."""
        self.stop()
        self._runner.newest = None
        self._case_thread.drop_waiting()
        self._run_thread.submit(WorkerTask("release", None, self._runner.drop_engine))

    def close(self) -> None:
        """End all tasks and wait for the threads."""
        self.release_engine()
        for thread in (self._run_thread, self._case_thread, self._file_thread):
            thread.close()

    # -- Everything else --------------------------------------------------------------

    def open(self, root: Path) -> None:
        """Recognise and read the data set in a folder."""
        self._file_thread.submit(WorkerTask("open", root, partial(open_dataset, root)))

    def find_results(self, out: Path) -> None:
        """Read the results in a folder."""
        self._file_thread.submit(WorkerTask("find", out, partial(read_results, out)))

    def summarise(
        self,
        config: RunConfig,
        rows: Mapping[RowKey, EvaluationRow],
        total: int | None,
        out: Path,
    ) -> None:
        """Compute the means; arguments are those of :func:`partial_report`."""
        snapshot = dict(rows)  # rows are added while the other thread reads
        work = partial(_summarise, config, snapshot, total, out)
        self._file_thread.submit(WorkerTask("summarise", None, work))

    def write_mini(self, folder: Path) -> None:
        """Write a small data set below a folder."""
        self._file_thread.submit(
            WorkerTask("mini", folder, partial(write_mini_dataset, folder))
        )

    def load_case(self, query: CaseQuery, device: DeviceChoice) -> None:
        """Load the images of a row; a later call replaces an earlier one.

        Args:
            device: where its model runs if the matte is predicted again.
        """
        self._runner.newest = None
        self._case_thread.submit(WorkerTask("case", device, partial(_load_case, query)))

    def find_prompts(self, query: CaseQuery) -> None:
        """Find the prompts of a row."""
        self._file_thread.submit(
            WorkerTask("prompts", query, partial(read_prompts, query))
        )

    def export(
        self, report: Report, dataset: Dataset | None, path: Path, form: str
    ) -> None:
        """Write one file of a report.

        Args:
            form: a name in WRITERS.
        """
        work = partial(_export_report, report, dataset, path, form)
        self._file_thread.submit(WorkerTask("export", path, work))

    def export_all(self, report: Report, dataset: Dataset | None, out: Path) -> None:
        """Write all files of a report into a folder."""
        work = partial(write_report, report, out, dataset)
        self._file_thread.submit(WorkerTask("export", out, work))

    # -- Results ----------------------------------------------------------------------

    @Slot(object, object, object)
    def _on_task_finished(
        self, task: WorkerTask, result: Any, error: Exception | None
    ) -> None:
        if error is not None and not isinstance(error, ZimError | Cancelled):
            if task.kind == "run":
                self._end_run()
            raise error
        match task.kind:
            case "run":
                self._end_run()
                failure = None if isinstance(error, Cancelled) else error
                self.finished.emit(result, failure)
            case "case":
                self._emit_case(task.subject, result)
            case "open":
                self.opened.emit(task.subject, result, error)
            case "find":
                self.results_found.emit(task.subject, result, error)
            case "summarise":
                self.summarised.emit(result)
            case "prompts":
                self.prompts_found.emit(task.subject, result)
            case "mini":
                self.mini_written.emit(result, error)
            case "export":
                self.exported.emit(result, error)

    def _end_run(self) -> None:
        self.control = None
        self.activity_changed.emit()

    def _emit_case(self, device: DeviceChoice, view: CaseView) -> None:
        """Emit a view, and request its prediction if that is not stored whole."""
        self.case_loaded.emit(view, None)
        if not view.can_predict or self._case_thread.has_waiting:
            return
        self._runner.newest = view
        if self.running:
            self._runner.woken.set()
        else:
            self._runner.device = device
            self._run_thread.submit(
                WorkerTask("predict", None, self._runner.run_pending_queries)
            )

    @Slot(object, object)
    def _on_case_updated(self, view: CaseView, error: ZimError | None) -> None:
        newest = self._runner.newest
        if newest is not None and view.query == newest.query:
            self.case_loaded.emit(view, error)


def _summarise(
    config: RunConfig,
    rows: Mapping[RowKey, EvaluationRow],
    total: int | None,
    out: Path,
) -> ResultsSummary:
    return summarise(partial_report(config, rows, total, out))


def _load_case(query: CaseQuery) -> CaseView:
    import_readers()
    return load_case_view(query)


def _export_report(
    report: Report, dataset: Dataset | None, path: Path, form: str
) -> tuple[Path, ...]:
    text = WRITERS[form](report, dataset)
    try:
        with atomic_write(path) as stream:
            stream.write(text.encode())
    except OSError as error:
        raise write_error(path, error) from error
    return (path,)
