"""The window in which models are evaluated."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QEvent,
    QSize,
    Qt,
    QTimer,
    Signal,
    Slot,
)
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from zim_app.gui.evaluation.case_images import Look, Sight, look_of
from zim_app.gui.evaluation.choices import Choices, default_out
from zim_app.gui.evaluation.evaluation_worker import EvaluationWork, Job, Outcome
from zim_app.gui.evaluation.export_button import ExportButton, open_outside
from zim_app.gui.evaluation.results import Summary
from zim_app.gui.evaluation.results_view import ResultsView
from zim_app.gui.evaluation.run_bar import RunBar, time_text
from zim_app.gui.evaluation.setup_panel import SetupPanel
from zim_app.gui.language import error_text
from zim_app.gui.models.model_controller import default_model
from zim_app.gui.notices import Banner
from zim_app.gui.settings import window_state
from zim_model.errors import ZimError
from zim_model.evaluation.datasets import Dataset
from zim_model.evaluation.events import Event, Notice, Paused, RowDone, Started
from zim_model.evaluation.journal import Config, Key, Row
from zim_model.evaluation.report import Report
from zim_model.evaluation.runner import RunOptions, default_jobs
from zim_model.evaluation.systems import Model
from zim_model.prompts import PromptSet
from zim_model.recipe import Recipe
from zim_model.request import Options

if TYPE_CHECKING:
    from collections.abc import Callable

    from zim_model.runtime.devices import Device

REFRESH_MS = 400
"""Rows that come within this time are shown at once."""
REFRESH_SHARE = 20
"""How many times as long as showing takes is waited after it."""


class EvaluationWindow(QWidget):
    """Choose, run, watch, look into and export an evaluation.

    A run goes on while the studio is used, and is stopped when this window is closed:
    its rows are on the disk, and starting it again goes on with them.

    Args:
        work: does everything that takes time; outlives the window.
        devices: tells the devices of this machine, as far as they are known.
        jobs: processes that score answers; 0 scores on the run's thread.

    **Signals**: ``case_requested(path, recipe, name)``: that picture is to be opened
    in the studio, with an object of that :class:`Recipe` and name.

    **Threads**: the window's only.
    """

    case_requested = Signal(object, object, str)

    def __init__(
        self,
        work: EvaluationWork,
        devices: Callable[[], tuple[Device, ...]] = tuple,
        *,
        jobs: int | None = None,
    ) -> None:
        super().__init__()
        self.work = work
        self.dataset: Dataset | None = None
        self.rows: dict[Key, Row] = {}
        self.config: Config | None = None
        self.out: Path | None = None
        self._total: int | None = None
        self._devices = devices
        self._jobs = default_jobs() if jobs is None else jobs
        self._summarising = False
        self._opening: Path | None = None
        self.setWindowTitle(self.tr("Evaluate models – zim-studio"))
        choices = Choices.from_json(window_state.evaluation_choices())
        self.setup = SetupPanel(choices)
        self.run_bar = RunBar()
        self.results = ResultsView()
        self.banner = Banner()
        self.export_button = ExportButton(work)
        self._setup_layout()
        self._refresh = QTimer(self)
        self._refresh.setSingleShot(True)
        self._refresh.setInterval(REFRESH_MS)
        self._refresh.timeout.connect(self._show_rows)
        self._connect()
        self.export_button.set_report(None, None)
        self._update()
        if not self.restoreGeometry(window_state.evaluation_geometry()):
            self.resize(QSize(1280, 820))
        if choices.root:
            self._open_root(Path(choices.root))

    @property
    def busy(self) -> bool:
        """Whether something runs, or was not shown yet."""
        return self.work.running or self._refresh.isActive() or self._summarising

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
        over = QGridLayout()  # nothing moves when a message comes
        over.setContentsMargins(8, 8, 8, 8)
        over.addWidget(self.banner)
        grid.addLayout(over, 0, 0, Qt.AlignmentFlag.AlignBottom)
        self.splitter = QSplitter()
        self.splitter.addWidget(side)
        self.splitter.addWidget(right)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setStretchFactor(1, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.splitter)

    def _connect(self) -> None:
        work, setup, bar = self.work, self.setup, self.run_bar
        setup.changed.connect(self._update)
        setup.root_changed.connect(self._on_root_changed)
        setup.out_changed.connect(self._on_out_changed)
        setup.mini_requested.connect(work.make_mini)
        bar.start_requested.connect(self.start)
        bar.pause_requested.connect(self.pause)
        bar.resume_requested.connect(self.resume)
        bar.stop_requested.connect(self.stop)
        self.results.look_requested.connect(self._on_look_requested)
        self.results.open_requested.connect(self.open_in_studio)
        work.opened.connect(self._on_work_opened)
        work.found.connect(self._on_work_found)
        work.made.connect(self._on_work_made)
        work.told.connect(self._on_work_told)
        work.ended.connect(self._on_work_ended)
        work.summarised.connect(self._on_work_summarised)
        work.seen.connect(self._on_work_seen)
        work.prompts_found.connect(self._on_work_prompts_found)
        work.exported.connect(self._on_work_exported)
        work.activity_changed.connect(self._update)

    # -- Folders ----------------------------------------------------------------------

    @Slot(object)
    def _on_root_changed(self, root: Path | None) -> None:
        self.dataset = None
        if root is not None:
            self._open_root(root)
        else:
            self.setup.tell_dataset(None, None)

    def _open_root(self, root: Path) -> None:
        self._opening = root
        self.work.open(root)

    @Slot(object, object, object)
    def _on_work_opened(
        self, root: Path, dataset: Dataset | None, error: ZimError | None
    ) -> None:
        if root != self._opening:
            return  # another is wanted by now
        self._opening, self.dataset = None, dataset
        self.setup.tell_dataset(dataset, error)
        if dataset is not None:
            self.setup.remember_root()
            if self.setup.choices.out:
                self._on_out_changed()
            else:
                self.setup.set_out(str(default_out(dataset)))
        self._update()

    @Slot()
    def _on_out_changed(self) -> None:
        out = self.setup.choices.out
        self.out = Path(out) if out else None
        self._forget_results()
        if self.out is not None:
            self.work.find(self.out)

    def _forget_results(self) -> None:
        self.rows, self.config, self._total = {}, None, None
        self.results.viewer.clear()
        self.results.show_summary(None)
        self.export_button.set_report(None, None)
        self._show_rows()
        self.setup.tell_results("")
        self.run_bar.show_progress(0, 0)

    @Slot(object, object, object)
    def _on_work_found(
        self, out: Path, report: Report | None, error: ZimError | None
    ) -> None:
        if out != self.out or self.work.running:
            return
        if error is not None:
            text = f"{error_text(error.message)} {error_text(error.hint)}"
            self.setup.tell_results(text.strip())
        elif report is None:
            self.setup.tell_results(self.tr("Nothing is there yet."))
        else:
            self._take_report(report)
            self.setup.tell_results(self._said_of(report))
        self._update()

    def _said_of(self, report: Report) -> str:
        if self.dataset is not None and report.config.dataset != self.dataset.name:
            text = self.tr("The results of {} are there; choose another folder.")
            return text.format(report.config.dataset)
        text = self.tr("{} rows are there, {} failed, {} not done.")
        done, failed = len(report.rows), len(report.failed)
        return text.format(done, failed, report.missing)

    def _take_report(self, report: Report) -> None:
        """Show what lies in the folder of results."""
        self.config, self._total = report.config, None
        self.rows = {row.key: row for row in report.rows}
        self.run_bar.show_progress(len(report.rows), report.expected)
        self._show_rows()

    @Slot(object, object)
    def _on_work_made(self, root: Path | None, error: ZimError | None) -> None:
        if error is not None:
            self.report(error)
        else:
            self.setup.set_root(root)

    # -- The run ----------------------------------------------------------------------

    @Slot()
    def start(self) -> None:
        """Begin, or go on with what is in the folder of results."""
        choices, dataset = self.setup.choices, self.dataset
        if self.setup.why_not(dataset) or self.work.running or dataset is None:
            return
        self._keep_choices()
        options = RunOptions(
            upsampling=choices.upsampling,
            limit=choices.limit,
            jobs=self._jobs,
            predictions=choices.keep_mattes,
        )
        out = Path(choices.out).expanduser().absolute()
        self.out = out
        systems, prompts = choices.systems, choices.prompts
        job = Job(
            dataset, systems, prompts, out, options, self.setup.choices.device_choice
        )
        if self.config is None or self.config.dataset != dataset.name:
            self.rows = {}
        self.config = job.config
        self._total = None
        self.banner.withdraw("run")
        self.work.start(job)
        self.run_bar.set_state("loading")
        self.run_bar.show_progress(0, 0, self.tr("Loading the models…"))
        self._update()

    @Slot()
    def pause(self) -> None:
        """Wait after the row under way."""
        self.work.pause()
        self.run_bar.set_state("pausing")
        self._update()

    @Slot()
    def resume(self) -> None:
        """Go on."""
        self.work.resume()
        self.run_bar.set_state("running")
        self._update()

    @Slot()
    def stop(self) -> None:
        """End the run; its rows are kept."""
        self.work.stop()
        if self.work.running:
            self.run_bar.set_state("stopping")
            self._update()

    @Slot(object)
    def _on_work_told(self, event: Event) -> None:
        match event:
            case Started(total, rows):
                self._total = total
                self.rows = {**self.rows, **{row.key: row for row in rows}}
                self.run_bar.show_progress(len(rows), total)
                if self.run_bar.state == "loading":
                    self.run_bar.set_state("running")
                    self._update()
                self._show_rows()
            case RowDone(row, done, total, left):
                self.rows[row.key] = row
                detail = row.case if left is None else f"{time_text(left)} · {row.case}"
                self.run_bar.show_progress(done, total, detail)
                if not self._refresh.isActive():
                    self._refresh.start()
            case Notice(text):
                self.banner.show_warning(error_text(text), topic="run")
            case Paused():
                if self.run_bar.state == "pausing":
                    self.run_bar.set_state("paused")
                    self._update()

    @Slot(object, object)
    def _on_work_ended(self, outcome: Outcome | None, error: Exception | None) -> None:
        self.run_bar.set_state("idle")
        if isinstance(error, ZimError):
            self.report(error)
        if outcome is not None:
            self._take_report(outcome.report)
            self.setup.tell_results(self._said_of(outcome.report))
            if outcome.complete:
                self._tell_complete(outcome)
        elif self.out is not None:
            self.work.find(self.out)
        self._update()

    def _tell_complete(self, outcome: Outcome) -> None:
        report = outcome.report
        text = self.tr("The evaluation is complete: {} rows, {} of them failed.")
        self.banner.show_success(
            text.format(len(report.rows), len(report.failed)),
            self.tr("Show the report"),
            partial(open_outside, report.folders[0] / "report.html"),
        )

    @Slot()
    def _update(self) -> None:
        """Show what can be done now."""
        running = self.work.running
        state = self.run_bar.state
        if running and state == "idle":  # stopped while the window was closed
            state = "stopping"
        begun = bool(self.rows) and not running
        self.run_bar.set_state(
            state, why_not=self.setup.why_not(self.dataset), begun=begun
        )
        self.setup.set_locked(running)

    # -- Rows -------------------------------------------------------------------------

    @Slot()
    def _show_rows(self) -> None:
        """Show what has come, and have the means of it worked out."""
        problems = self.config.problems if self.config else ()
        began = perf_counter()
        self.results.show_results(self.rows, problems)
        # Many rows take longer to sort, which must not be all that is done.
        spent = (perf_counter() - began) * 1000
        self._refresh.setInterval(max(REFRESH_MS, round(REFRESH_SHARE * spent)))
        if self.config is None or self.out is None:
            return
        if self._summarising:
            self._refresh.start()  # again, with what came meanwhile
            return
        self._summarising = True
        self.work.summarise(self.config, self.rows, self._total, self.out)

    @Slot(object)
    def _on_work_summarised(self, summary: Summary) -> None:
        self._summarising = False
        if self.out is not None and self.out in summary.report.folders:
            self.results.show_summary(summary)
            self.export_button.set_report(summary.report, self._pictured)

    # -- Looking ----------------------------------------------------------------------

    def look_of(self, row: Row) -> Look:
        """Where the pictures of a row are."""
        assert self.out is not None
        assert self.config is not None
        known = self.setup.choices.known_systems
        return look_of(row, self.config, self.out, known, self._pictured)

    @property
    def _pictured(self) -> Dataset | None:
        """The data set, if it is the one that the results are of."""
        if self.dataset is None or self.config is None:
            return None
        return self.dataset if self.dataset.name == self.config.dataset else None

    @Slot(object)
    def _on_look_requested(self, row: Row) -> None:
        self.results.viewer.wait_for(row.case)
        self.work.look(self.look_of(row), self.setup.choices.device_choice)

    @Slot(object, object)
    def _on_work_seen(self, sight: Sight, error: ZimError | None) -> None:
        selected = self.results.selected
        if selected is not None and sight.look.row.key == selected.key:
            problem = f"{error.message} {error.hint}".strip() if error else ""
            self.results.viewer.show_sight(sight, problem)

    @Slot(object)
    def open_in_studio(self, row: Row) -> None:
        """Open a row's picture in the studio, with its prompts and model."""
        look = self.look_of(row)
        if look.case is None:
            self.banner.show_error(
                self.tr("The picture of {} is not at hand.").format(row.case),
                self.tr("Choose the folder of the data set to see its pictures."),
            )
        elif row.prompts is not None:
            self._on_work_prompts_found(look, row.prompt_set)
        else:
            self.work.find_prompts(look)

    @Slot(object, object)
    def _on_work_prompts_found(self, look: Look, prompts: PromptSet) -> None:
        assert look.case is not None
        model = default_model()
        if isinstance(look.system, Model):
            model = look.system.model
        recipe = Recipe(prompts, model, Options(upsampling=look.upsampling))
        self.case_requested.emit(look.case.image, recipe, look.row.case)

    # -- Export -----------------------------------------------------------------------

    @Slot(object, object)
    def _on_work_exported(
        self, paths: tuple[Path, ...] | None, error: Exception | None
    ) -> None:
        if isinstance(error, ZimError):
            self.report(error)
        elif paths:
            named = paths[0] if len(paths) == 1 else paths[0].parent
            self.banner.show_success(self.tr("Saved {}").format(named))

    @Slot(object)
    def report(self, error: ZimError) -> None:
        """Show an expected failure."""
        self.banner.show_error(error.message, error.hint)

    # -- Coming and going -------------------------------------------------------------

    def _keep_choices(self) -> None:
        window_state.set_evaluation_choices(self.setup.choices.to_json())

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.ActivationChange and self.isActiveWindow():
            # Models may have been added meanwhile, and devices become known.
            self.setup.offer(self._devices())

    def closeEvent(self, event: QCloseEvent) -> None:
        self._keep_choices()
        window_state.set_evaluation_geometry(self.saveGeometry())
        self._refresh.stop()
        if self.work.running:
            self.run_bar.set_state("stopping")
        self.work.rest()
        event.accept()
