"""The batch dialog: settings, a preview of the run, and its progress."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from os.path import isdir
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from zim_app.core.batch.journal import BatchRow
from zim_app.core.batch.prompt_table import table_name
from zim_app.core.batch.runner import Event, JobFinished, JobStarted
from zim_app.gui.batch.batch_form import BatchForm
from zim_app.gui.batch.batch_table import BatchTable, table_view
from zim_app.gui.batch.batch_worker import BatchPreview, BatchSettings, BatchWorker
from zim_app.gui.desktop import open_outside
from zim_app.gui.language import time_left_text, translate_message
from zim_app.gui.settings import window_state
from zim_model.errors import ZimError

if TYPE_CHECKING:
    from zim_app.core.batch.plan import BatchPlan

PREVIEW_DELAY_MS = 300
"""Milliseconds without a change after which the preview is computed."""


class BatchDialog(QDialog):
    """Settings for processing many images, and the progress of the run.

    Closing the dialog does not stop the run; it can be opened again.

    Args:
        worker: computes the preview and runs the batch.
        model: the proposed one.

    **Signals**

    - ``open_requested(path)``: open that image in the studio.
    - ``failed(error)``: an unexpected exception.

    **Threads**: the window's only.
    """

    open_requested = Signal(object)
    failed = Signal(object)

    def __init__(
        self,
        worker: BatchWorker,
        model: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Batch"))
        self.worker = worker
        self.preview: BatchPreview | None = None
        self._image_paths: dict[str, Path] = {}
        self._counts: Counter[str] = Counter()
        self.form = BatchForm()
        self.table = BatchTable(self)
        self.view = table_view(self.table)
        self.view.setAccessibleName(self.tr("Photos of the batch"))
        self._make_controls()
        self._lay_out()
        self._preview_timer = QTimer(self)
        self._preview_timer.setSingleShot(True)
        self._preview_timer.setInterval(PREVIEW_DELAY_MS)
        self._connect()
        self.form.restore(window_state.batch_settings(), model)
        self._update()
        self.resize(window_state.first_size(self.screen(), QSize(860, 720)))

    # -- Set-up ----------------------------------------------------------------------

    def _make_controls(self) -> None:
        self.summary = QLabel()
        self.summary.setWordWrap(True)
        self.summary.setTextFormat(Qt.TextFormat.PlainText)
        self.selected_only = QCheckBox(self.tr("Only the selected photos"))
        self.selected_only.setToolTip(self.tr("Skip the other photos for now"))
        self.bar = QProgressBar()
        self.bar.setToolTip(self.tr("Photos processed"))
        self.bar.setTextVisible(False)
        self.time_left = QLabel()
        self.start = self._button(
            self.tr("&Start"), self.tr("Begin, or go on where an earlier run ended")
        )
        self.pause = self._button(
            self.tr("&Pause"), self.tr("Pause before the next photo")
        )
        self.pause.setCheckable(True)
        self.stop = self._button(
            self.tr("S&top"), self.tr("End the run; what is done is kept")
        )
        self.open_image = self._button(
            self.tr("Open in the st&udio"),
            self.tr("Open the selected photo (Enter or double click)"),
        )
        self.open_folder = self._button(
            self.tr("Open &folder"), self.tr("Show the folder with the results")
        )
        self.close_button = self._button(
            self.tr("&Close"), self.tr("Close; a run goes on (Esc)")
        )

    def _button(self, text: str, tip: str) -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(tip)
        button.setAutoDefault(False)
        button.setIcon(QIcon())
        return button

    def _lay_out(self) -> None:
        progress = QHBoxLayout()
        progress.addWidget(self.bar, 1)
        progress.addWidget(self.time_left)
        buttons = QHBoxLayout()
        for button in (self.start, self.pause, self.stop):
            buttons.addWidget(button)
        buttons.addStretch()
        for button in (self.open_image, self.open_folder, self.close_button):
            buttons.addWidget(button)
        over = QHBoxLayout()
        over.addWidget(self.summary, 1)
        over.addWidget(self.selected_only, 0, Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setSpacing(10)
        layout.addWidget(self.form)
        layout.addLayout(over)
        layout.addWidget(self.view, 1)
        layout.addLayout(progress)
        layout.addLayout(buttons)

    def _connect(self) -> None:
        self.form.changed.connect(self._on_form_changed)
        self._preview_timer.timeout.connect(self._request_preview)
        self.worker.previewed.connect(self._on_worker_previewed)
        self.worker.rejected.connect(self._on_worker_rejected)
        self.worker.progressed.connect(self._on_worker_progressed)
        self.worker.finished.connect(self._on_worker_finished)
        self.worker.state_changed.connect(self._update)
        self.start.clicked.connect(self._on_start_clicked)
        self.pause.toggled.connect(self.worker.set_paused)
        self.stop.clicked.connect(self.worker.stop)
        self.open_folder.clicked.connect(self._on_open_folder_clicked)
        self.open_image.clicked.connect(self._on_open_image_clicked)
        self.close_button.clicked.connect(self.close)
        self.view.activated.connect(self._on_view_activated)
        self.view.selectionModel().selectionChanged.connect(self._update)
        self.selected_only.toggled.connect(self._update)

    # -- The preview -----------------------------------------------------------------

    def refresh_preview(self) -> None:
        """Compute the preview again, unless a run is under way."""
        if not self.worker.running:
            self._on_form_changed()

    @Slot()
    def _on_form_changed(self) -> None:
        self.preview = None
        self._preview_timer.start()
        self._update()

    @Slot()
    def _request_preview(self) -> None:
        if self.worker.running:
            return
        window_state.set_batch_settings(self.form.to_json())
        self.worker.preview(self.form.settings())

    @Slot(object, object)
    def _on_worker_previewed(
        self, settings: BatchSettings, preview: BatchPreview
    ) -> None:
        if self.worker.running or settings != self.form.settings():
            return
        self.preview = preview
        self._image_paths = {job.relative: job.path for job in preview.plan.jobs}
        self.table.show_preview(preview.entries, self._image_paths)
        self.summary.setText(self._preview_text(preview))
        self._update()

    @Slot(object, object)
    def _on_worker_rejected(self, settings: BatchSettings, error: Exception) -> None:
        if self.worker.running or settings != self.form.settings():
            return
        self.table.clear()
        if isinstance(error, ZimError):
            self.summary.setText(translate_message(error.text))
        else:
            self.failed.emit(error)
        self._update()

    def _preview_text(self, preview: BatchPreview) -> str:
        states = Counter(each.state for each in preview.entries)
        sources = Counter(e.prompts for e in preview.entries if e.state == "done")
        counts = (
            (self.tr("{} from the studio"), sources["session"] + sources["project"]),
            (self.tr("{} from the file"), sources["table"]),
            (self.tr("{} with the box"), sources["box"]),
            (self.tr("{} by their main object"), sources["automatic"]),
            (self.tr("{} made before"), states["kept"]),
            (self.tr("{} skipped"), states["skipped"]),
            (self.tr("{} that cannot be processed"), states["failed"]),
        )
        parts = [text.format(count) for text, count in counts if count]
        total = self.tr("{} photos: {}.")
        return total.format(len(preview.entries), ", ".join(parts))

    # -- The run ---------------------------------------------------------------------

    @property
    def chosen_plan(self) -> BatchPlan | None:
        """The plan for the chosen images; None if there is none."""
        if self.preview is None:
            return None
        plan = self.preview.plan
        if not self.selected_only.isChecked():
            return plan
        rows = self.view.selectionModel().selectedRows()
        names = {self.table.rows[index.row()].image for index in rows}
        jobs = tuple(job for job in plan.jobs if job.relative in names)
        policy = plan.prompt_policy
        if policy.table is not None:  # unselected names are not errors
            table_names = set(map(table_name, names))
            entries = {
                image: table_entry
                for image, table_entry in policy.table.entries.items()
                if image in table_names or image.rpartition("/")[2] in table_names
            }
            policy = replace(policy, table=replace(policy.table, entries=entries))
        obstacles = tuple(x for x in plan.obstacles if x.relative in names)
        chosen = replace(plan, jobs=jobs, prompt_policy=policy, obstacles=obstacles)
        return chosen if jobs else None

    @Slot()
    def _on_start_clicked(self) -> None:
        plan = self.chosen_plan
        if plan is None or self.worker.running:
            return
        self._counts = Counter()
        self.bar.setRange(0, len(plan.jobs))
        self.bar.setValue(0)
        self.time_left.setText("")
        self.pause.setChecked(False)
        self.worker.run(plan)

    @Slot(object)
    def _on_worker_progressed(self, event: Event) -> None:
        if isinstance(event, JobStarted):
            row = self.table.show_working(event.image)
            if row >= 0 and not self.view.hasFocus():
                self.view.scrollTo(self.table.index(row, 0))
        elif isinstance(event, JobFinished):
            self.table.show_row(event.row)
            self._counts[event.row.state] += 1
            if event.row.outputs:
                self.open_folder.setEnabled(True)
            self.bar.setRange(0, event.total)
            self.bar.setValue(event.done)
            self.summary.setText(self._counts_text())
            left = event.seconds_left
            if left is None or event.done >= event.total:
                self.time_left.clear()
            else:
                self.time_left.setText(time_left_text(left))

    def _counts_text(self) -> str:
        text = self.tr("{} made, {} made before, {} skipped, {} failed.")
        states = ("done", "kept", "skipped", "failed")
        return text.format(*(self._counts[state] for state in states))

    @Slot(object, object, object)
    def _on_worker_finished(
        self, rows: list[BatchRow], files: list[Path], error: Exception | None
    ) -> None:
        self.pause.setChecked(False)
        self.time_left.setText("")
        text = self._counts_text()
        if self.bar.value() < self.bar.maximum():
            text += " " + self.tr("Stopped; Start goes on.")
        if files:
            text += " " + self.tr("The report is {}.").format(files[0].name)
        self.summary.setText(text)
        if isinstance(error, ZimError):
            self.summary.setText(translate_message(error.text))
        elif error is not None:
            self.failed.emit(error)
        self._update()

    # -- Other buttons ---------------------------------------------------------------

    @Slot()
    def _on_open_folder_clicked(self) -> None:
        output = self.form.settings().output
        if output is not None and isdir(output):
            open_outside(output)

    @Slot()
    def _on_open_image_clicked(self) -> None:
        self._open(self.view.currentIndex())

    @Slot(QModelIndex)
    def _on_view_activated(self, index: QModelIndex) -> None:
        self._open(index)

    def _open(self, index: QModelIndex) -> None:
        path = self.table.rows[index.row()].path if index.isValid() else None
        if path is not None:
            self.open_requested.emit(path)

    @Slot()
    def _update(self) -> None:
        running, stopping = self.worker.running, self.worker.stopping
        self.form.setEnabled(not running)
        self.selected_only.setEnabled(not running)
        self.start.setEnabled(not running and self.chosen_plan is not None)
        self.pause.setEnabled(running and not stopping)
        self.pause.setText(
            self.tr("&Go on") if self.worker.paused else self.tr("&Pause")
        )
        self.stop.setEnabled(running and not stopping)
        self.bar.setVisible(running)
        self.time_left.setVisible(running)
        index = self.view.currentIndex()
        has_file = index.isValid() and self.table.rows[index.row()].path is not None
        self.open_image.setEnabled(has_file)
        output = self.form.settings().output
        self.open_folder.setEnabled(output is not None and isdir(output))
