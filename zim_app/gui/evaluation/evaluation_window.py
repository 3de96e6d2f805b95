"""The window for evaluating models on a data set."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from zim_app.gui.desktop import open_outside
from zim_app.gui.evaluation.case_images import CaseQuery, CaseView, case_query
from zim_app.gui.evaluation.choices import EvaluationChoices, default_output_folder
from zim_app.gui.evaluation.evaluation_worker import (
    EvaluationJob,
    EvaluationOutcome,
    EvaluationWorker,
)
from zim_app.gui.evaluation.export_button import ExportButton
from zim_app.gui.evaluation.results import ResultsSummary
from zim_app.gui.evaluation.results_view import ResultsView
from zim_app.gui.evaluation.run_bar import RunBar
from zim_app.gui.evaluation.setup_panel import SetupPanel
from zim_app.gui.language import time_left_text, translate_message
from zim_app.gui.models.model_controller import default_model
from zim_app.gui.notices import Banner
from zim_app.gui.settings import window_state
from zim_model.errors import ZimError
from zim_model.evaluation.datasets import Dataset
from zim_model.evaluation.events import (
    DegradationEvent,
    Event,
    Paused,
    RowDone,
    Started,
)
from zim_model.evaluation.journal import EvaluationRow, RowKey, RunConfig
from zim_model.evaluation.report import Report
from zim_model.evaluation.runner import EvaluationOptions, default_jobs
from zim_model.evaluation.systems import ModelSystem
from zim_model.prompts import PromptSet

if TYPE_CHECKING:
    from collections.abc import Callable

    from zim_model.runtime.devices import Device

REFRESH_MS = 400
"""Milliseconds in which new rows are collected before they are shown."""
REFRESH_FACTOR = 20
"""The wait after showing rows is at least this multiple of the time to show them."""


class EvaluationWindow(QWidget):
    """Window to choose, run, inspect and export an evaluation.

    A run continues while the studio is used, and is stopped when this window is closed.
    Its rows are on the disk, and starting it again resumes from them.

    Args:
        worker: does everything slow; outlives the window.
        devices: returns those found so far on this machine.
        jobs: processes that score predictions; 0 scores on the run's thread.

    **Signals**: ``open_requested(path, recipe, name)``: open that image in the studio,
    with an object of that :class:`Recipe` and name.

    **Threads**: the window's only.
    """

    open_requested = Signal(object, object, str)

    def __init__(
        self,
        worker: EvaluationWorker,
        devices: Callable[[], tuple[Device, ...]] = tuple,
        *,
        jobs: int | None = None,
    ) -> None:
        super().__init__()
        self.worker = worker
        self.dataset: Dataset | None = None
        self.rows: dict[RowKey, EvaluationRow] = {}
        self.config: RunConfig | None = None
        self.out: Path | None = None
        self._total: int | None = None
        self._devices = devices
        self._jobs = default_jobs() if jobs is None else jobs
        self._summarising = False
        self._opening: Path | None = None
        self.setWindowTitle(self.tr("Evaluate models – zim-studio"))
        choices = EvaluationChoices.from_json(window_state.evaluation_choices())
        self.setup = SetupPanel(choices)
        self.run_bar = RunBar()
        self.results = ResultsView()
        self.banner = Banner()
        self.export_button = ExportButton(worker)
        self._setup_layout()
        self._refresh = QTimer(self)
        self._refresh.setSingleShot(True)
        self._refresh.setInterval(REFRESH_MS)
        self._refresh.timeout.connect(self._show_rows)
        self._connect()
        self.export_button.set_report(None, None)
        self._update()
        if not self.restoreGeometry(window_state.evaluation_geometry()):
            self.resize(window_state.first_size(self.screen(), QSize(1280, 820)))
        if choices.root:
            self._open_root(Path(choices.root))

    @property
    def busy(self) -> bool:
        """Whether a run is under way or some rows are not shown yet."""
        return self.worker.running or self._refresh.isActive() or self._summarising

    # -- Set-up -----------------------------------------------------------------------

    def _setup_layout(self) -> None:
        side = QWidget()
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.setup, 1)
        column.addWidget(self.run_bar)
        right = QWidget()
        grid = QGridLayout(right)
        grid.setContentsMargins(4, 8, 8, 8)
        grid.addWidget(self.results, 0, 0)
        corner = QWidget()
        row = QHBoxLayout(corner)
        row.setContentsMargins(0, 0, 0, 2)
        row.addWidget(self.export_button)
        self.results.tabs.setCornerWidget(corner)
        overlay = QGridLayout()  # a message covers the results without moving them
        overlay.setContentsMargins(8, 8, 8, 8)
        overlay.addWidget(self.banner)
        grid.addLayout(overlay, 0, 0, Qt.AlignmentFlag.AlignBottom)
        self.splitter = QSplitter()
        self.splitter.addWidget(side)
        self.splitter.addWidget(right)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setStretchFactor(1, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.splitter)

    def _connect(self) -> None:
        worker, setup, bar = self.worker, self.setup, self.run_bar
        setup.changed.connect(self._update)
        setup.root_changed.connect(self._on_root_changed)
        setup.out_changed.connect(self._on_out_changed)
        setup.mini_requested.connect(worker.write_mini)
        bar.start_requested.connect(self.start)
        bar.pause_requested.connect(self.pause)
        bar.resume_requested.connect(self.resume)
        bar.stop_requested.connect(self.stop)
        self.results.case_requested.connect(self._on_case_requested)
        self.results.open_requested.connect(self.open_in_studio)
        worker.opened.connect(self._on_worker_opened)
        worker.results_found.connect(self._on_worker_results_found)
        worker.mini_written.connect(self._on_worker_mini_written)
        worker.progressed.connect(self._on_worker_progressed)
        worker.finished.connect(self._on_worker_finished)
        worker.summarised.connect(self._on_worker_summarised)
        worker.case_loaded.connect(self._on_worker_case_loaded)
        worker.prompts_found.connect(self._on_worker_prompts_found)
        worker.exported.connect(self._on_worker_exported)
        worker.activity_changed.connect(self._update)

    # -- Folders ----------------------------------------------------------------------

    @Slot(object)
    def _on_root_changed(self, root: Path | None) -> None:
        self.dataset = None
        if root is not None:
            self._open_root(root)
        else:
            self.setup.show_dataset_state(None, None)

    def _open_root(self, root: Path) -> None:
        self._opening = root
        self.worker.open(root)

    @Slot(object, object, object)
    def _on_worker_opened(
        self, root: Path, dataset: Dataset | None, error: ZimError | None
    ) -> None:
        if root != self._opening:
            return  # superseded by another folder
        self._opening, self.dataset = None, dataset
        self.setup.show_dataset_state(dataset, error)
        if dataset is not None:
            self.setup.remember_root()
            if self.setup.choices.out:
                self._on_out_changed()
            else:
                self.setup.set_out(str(default_output_folder(dataset)))
        self._update()

    @Slot()
    def _on_out_changed(self) -> None:
        out = self.setup.choices.out
        self.out = Path(out) if out else None
        self._clear_results()
        if self.out is not None:
            self.worker.find_results(self.out)

    def _clear_results(self) -> None:
        self.rows, self.config, self._total = {}, None, None
        self.results.viewer.clear()
        self.results.show_summary(None)
        self.export_button.set_report(None, None)
        self._show_rows()
        self.setup.show_results_state("")
        self.run_bar.show_progress(0, 0)

    @Slot(object, object, object)
    def _on_worker_results_found(
        self, out: Path, report: Report | None, error: ZimError | None
    ) -> None:
        if out != self.out or self.worker.running:
            return
        if error is not None:
            self.setup.show_results_state(translate_message(error.text))
        elif report is None:
            self.setup.show_results_state(self.tr("Nothing is there yet."))
        else:
            self._show_report(report)
            self.setup.show_results_state(self._report_text(report))
        self._update()

    def _report_text(self, report: Report) -> str:
        if self.dataset is not None and report.config.dataset != self.dataset.name:
            text = self.tr("The results of {} are there; choose another folder.")
            return text.format(report.config.dataset)
        text = self.tr("{} rows are there, {} failed, {} not done.")
        done, failed = len(report.rows), len(report.failed)
        return text.format(done, failed, report.missing)

    def _show_report(self, report: Report) -> None:
        """Show the report of the folder of results."""
        self.config, self._total = report.config, None
        self.rows = {row.key: row for row in report.rows}
        self.run_bar.show_progress(len(report.rows), report.expected)
        self._show_rows()

    @Slot(object, object)
    def _on_worker_mini_written(
        self, root: Path | None, error: ZimError | None
    ) -> None:
        if error is not None:
            self.report(error)
        else:
            self.setup.set_root(root)

    # -- The run ----------------------------------------------------------------------

    @Slot()
    def start(self) -> None:
        """Start a run, or resume the one in the folder of results."""
        choices, dataset = self.setup.choices, self.dataset
        if self.setup.blocked_reason(dataset) or self.worker.running or dataset is None:
            return
        self._store_choices()
        options = EvaluationOptions(
            upsampling=choices.upsampling,
            flip_tta=choices.flip_tta,
            limit=choices.limit,
            jobs=self._jobs,
            predictions=choices.keep_mattes,
        )
        out = Path(choices.out).expanduser().absolute()
        self.out = out
        systems, prompts = choices.systems, choices.prompts
        job = EvaluationJob(
            dataset, systems, prompts, out, options, self.setup.choices.device_choice
        )
        if self.config is None or self.config.dataset != dataset.name:
            self.rows, self.config = {}, None  # the run's own come when it starts
        self._total = None
        self.banner.remove_topic("run")
        self.worker.start(job)
        self.run_bar.set_state("loading")
        self.run_bar.show_progress(0, 0, self.tr("Loading the models…"))
        self._update()

    @Slot()
    def pause(self) -> None:
        """Pause after the current row."""
        self.worker.pause()
        self.run_bar.set_state("pausing")
        self._update()

    @Slot()
    def resume(self) -> None:
        """Resume the run."""
        self.worker.resume()
        self.run_bar.set_state("running")
        self._update()

    @Slot()
    def stop(self) -> None:
        """End the run; its rows are kept."""
        self.worker.stop()
        if self.worker.running:
            self.run_bar.set_state("stopping")
            self._update()

    @Slot(object)
    def _on_worker_progressed(self, event: Event) -> None:
        match event:
            case Started(total, rows, config):
                self._total, self.config = total, config
                self.rows = {**self.rows, **{row.key: row for row in rows}}
                self.run_bar.show_progress(len(rows), total)
                if self.run_bar.state == "loading":
                    self.run_bar.set_state("running")
                    self._update()
                self._show_rows()
            case RowDone(row, done, total, left):
                self.rows[row.key] = row
                detail = row.case
                if left is not None:
                    detail = f"{time_left_text(left)} · {row.case}"
                self.run_bar.show_progress(done, total, detail)
                if not self._refresh.isActive():
                    self._refresh.start()
            case DegradationEvent(text):
                self.banner.show_warning(translate_message(text), topic="run")
            case Paused():
                if self.run_bar.state == "pausing":
                    self.run_bar.set_state("paused")
                    self._update()

    @Slot(object, object)
    def _on_worker_finished(
        self, outcome: EvaluationOutcome | None, error: Exception | None
    ) -> None:
        self.run_bar.set_state("idle")
        if isinstance(error, ZimError):
            self.report(error)
        if outcome is not None:
            self._show_report(outcome.report)
            self.setup.show_results_state(self._report_text(outcome.report))
            if outcome.complete:
                self._announce_completion(outcome)
        elif self.out is not None:
            self.worker.find_results(self.out)
        self._update()

    def _announce_completion(self, outcome: EvaluationOutcome) -> None:
        report = outcome.report
        text = self.tr("The evaluation is complete: {} rows, {} of them failed.")
        self.banner.show_success(
            text.format(len(report.rows), len(report.failed)),
            self.tr("Show the report"),
            partial(open_outside, report.folders[0] / "report.html"),
        )

    @Slot()
    def _update(self) -> None:
        """Enable what is possible now."""
        running = self.worker.running
        state = self.run_bar.state
        if running and state == "idle":  # stopped while the window was closed
            state = "stopping"
        resumable = bool(self.rows) and not running
        self.run_bar.set_state(
            state,
            blocked_reason=self.setup.blocked_reason(self.dataset),
            resumable=resumable,
        )
        self.setup.set_locked(running)

    # -- Rows -------------------------------------------------------------------------

    @Slot()
    def _show_rows(self) -> None:
        """Show the rows so far, and request their means."""
        problems = self.config.problems if self.config else ()
        began = perf_counter()
        self.results.show_results(self.rows, problems)
        # Sorting many rows is slow and must not occupy the thread all the time.
        elapsed = (perf_counter() - began) * 1000
        self._refresh.setInterval(max(REFRESH_MS, round(REFRESH_FACTOR * elapsed)))
        if self.config is None or self.out is None:
            return
        if self._summarising:
            self._refresh.start()  # again, with the rows since then
            return
        self._summarising = True
        self.worker.summarise(self.config, self.rows, self._total, self.out)

    @Slot(object)
    def _on_worker_summarised(self, summary: ResultsSummary) -> None:
        self._summarising = False
        if self.out is not None and self.out in summary.report.folders:
            self.results.show_summary(summary)
            self.export_button.set_report(summary.report, self._viewed_dataset)

    # -- Cases ------------------------------------------------------------------------

    def case_query(self, row: EvaluationRow) -> CaseQuery:
        """The query for the images of a row."""
        assert self.out is not None
        assert self.config is not None
        known_systems = self.setup.choices.known_systems
        return case_query(
            row, self.config, self.out, known_systems, self._viewed_dataset
        )

    @property
    def _viewed_dataset(self) -> Dataset | None:
        """The data set, if the results belong to it."""
        if self.dataset is None or self.config is None:
            return None
        return self.dataset if self.dataset.name == self.config.dataset else None

    @Slot(object)
    def _on_case_requested(self, row: EvaluationRow) -> None:
        self.results.viewer.show_loading(row.case)
        self.worker.load_case(self.case_query(row), self.setup.choices.device_choice)

    @Slot(object, object)
    def _on_worker_case_loaded(
        self, case_view: CaseView, error: ZimError | None
    ) -> None:
        selected = self.results.selected
        if selected is not None and case_view.query.row.key == selected.key:
            self.results.viewer.show_case(case_view, error.text if error else "")

    @Slot(object)
    def open_in_studio(self, row: EvaluationRow) -> None:
        """Open a row's image in the studio, with its prompts and model."""
        query = self.case_query(row)
        if query.case is None:
            self.banner.show_error(
                self.tr("The photo of {} is not available.").format(row.case),
                self.tr("Choose the folder of the data set to see its photos."),
            )
        elif row.prompts is not None:
            self._on_worker_prompts_found(query, row.prompt_sets)
        else:
            self.worker.find_prompts(query)

    @Slot(object, object)
    def _on_worker_prompts_found(
        self, query: CaseQuery, prompts: tuple[PromptSet, ...]
    ) -> None:
        assert query.case is not None
        model = default_model()
        if isinstance(query.system, ModelSystem):
            model = query.system.model
        recipe = query.recipe(prompts, model)
        self.open_requested.emit(query.case.image, recipe, query.row.case)

    # -- Export -----------------------------------------------------------------------

    @Slot(object, object)
    def _on_worker_exported(
        self, paths: tuple[Path, ...] | None, error: Exception | None
    ) -> None:
        if isinstance(error, ZimError):
            self.report(error)
        elif paths:
            location = paths[0] if len(paths) == 1 else paths[0].parent
            self.banner.show_success(self.tr("Saved {}").format(location))

    @Slot(object)
    def report(self, error: ZimError) -> None:
        """Show an error in the banner."""
        self.banner.show_error(error.message, error.hint)

    # -- Showing and closing ----------------------------------------------------------

    def _store_choices(self) -> None:
        window_state.set_evaluation_choices(self.setup.choices.to_json())

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.ActivationChange and self.isActiveWindow():
            # Models may have been installed and devices found since then.
            self.setup.set_devices_and_models(self._devices())

    def closeEvent(self, event: QCloseEvent) -> None:
        self._store_choices()
        window_state.set_evaluation_geometry(self.saveGeometry())
        self._refresh.stop()
        if self.worker.running:
            self.run_bar.set_state("stopping")
        self.worker.release_engine()
        event.accept()
