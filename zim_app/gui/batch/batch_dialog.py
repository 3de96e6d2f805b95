"""The batch dialog: settings, what they lead to, and how far the run is."""

from __future__ import annotations

import math
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, Qt, QTimer, QUrl, Signal, Slot
from PySide6.QtGui import QDesktopServices, QIcon
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

from zim_app.core.batch.journal import Row
from zim_app.core.batch.runner import Begun, Ended, Event
from zim_app.gui.batch.batch_form import BatchForm
from zim_app.gui.batch.batch_table import BatchTable, table_view
from zim_app.gui.batch.batch_worker import BatchWork, Outlook, Wish
from zim_app.gui.language import error_text
from zim_app.gui.settings import window_state
from zim_model.errors import ZimError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zim_app.core.batch.plan import Plan
    from zim_model.runtime.devices import Device

LOOK_MS = 300
"""How long nothing must change before the disk is looked at."""


class BatchDialog(QDialog):
    """Asks what to do with many pictures, and shows how it goes.

    Closing it stops nothing: a run goes on, and the dialog can be opened again.

    Args:
        work: looks ahead and runs.
        devices: of this machine, as far as they are known.
        model: to propose.

    **Signals**

    - ``open_requested(path)``: the user wants that picture in the studio.
    - ``failed(error)``: an exception that nobody expected.

    **Threads**: the window's only.
    """

    open_requested = Signal(object)
    failed = Signal(object)

    def __init__(
        self,
        work: BatchWork,
        devices: Sequence[Device] = (),
        model: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Batch"))
        self.work = work
        self.outlook: Outlook | None = None
        self._pictures: dict[str, Path] = {}
        self._started = 0.0
        self._worked = 0
        self._counts: Counter[str] = Counter()
        self.form = BatchForm(devices)
        self.table = BatchTable(self)
        self.view = table_view(self.table)
        self.view.setAccessibleName(self.tr("Pictures of the batch"))
        self._make_controls()
        self._lay_out()
        self._look_soon = QTimer(self)
        self._look_soon.setSingleShot(True)
        self._look_soon.setInterval(LOOK_MS)
        self._connect()
        self.form.restore(window_state.batch_settings(), model)
        self._update()
        self.resize(860, 720)

    # -- Set-up ----------------------------------------------------------------------

    def _make_controls(self) -> None:
        self.summary = QLabel()
        self.summary.setWordWrap(True)
        self.summary.setTextFormat(Qt.TextFormat.PlainText)
        self.selected_only = QCheckBox(self.tr("Only the selected pictures"))
        self.selected_only.setToolTip(self.tr("Leave the other pictures for later"))
        self.bar = QProgressBar()
        self.bar.setToolTip(self.tr("Pictures dealt with"))
        self.bar.setTextVisible(False)
        self.time_left = QLabel()
        self.start = self._button(
            self.tr("&Start"), self.tr("Begin, or go on where an earlier run ended")
        )
        self.pause = self._button(
            self.tr("&Pause"), self.tr("Wait before the next picture")
        )
        self.pause.setCheckable(True)
        self.stop = self._button(
            self.tr("S&top"), self.tr("End the run; what is done is kept")
        )
        self.open_picture = self._button(
            self.tr("Open in the st&udio"),
            self.tr("Open the selected picture (Enter or double click)"),
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
        for button in (self.open_picture, self.open_folder, self.close_button):
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
        self._look_soon.timeout.connect(self._look)
        self.work.foreseen.connect(self._on_work_foreseen)
        self.work.objected.connect(self._on_work_objected)
        self.work.told.connect(self._on_work_told)
        self.work.ended.connect(self._on_work_ended)
        self.work.state_changed.connect(self._update)
        self.start.clicked.connect(self._on_start_clicked)
        self.pause.toggled.connect(self.work.set_paused)
        self.stop.clicked.connect(self.work.stop)
        self.open_folder.clicked.connect(self._on_open_folder_clicked)
        self.open_picture.clicked.connect(self._on_open_picture_clicked)
        self.close_button.clicked.connect(self.close)
        self.view.activated.connect(self._on_view_activated)
        self.view.selectionModel().selectionChanged.connect(self._update)
        self.selected_only.toggled.connect(self._update)

    # -- Looking ahead ---------------------------------------------------------------

    def look_again(self) -> None:
        """Find out anew what a run would do, unless one is under way."""
        if not self.work.running:
            self._on_form_changed()

    @Slot()
    def _on_form_changed(self) -> None:
        self.outlook = None
        self._look_soon.start()
        self._update()

    @Slot()
    def _look(self) -> None:
        if self.work.running:
            return
        window_state.set_batch_settings(self.form.to_json())
        self.work.look(self.form.wish())

    @Slot(object, object)
    def _on_work_foreseen(self, wish: Wish, outlook: Outlook) -> None:
        if self.work.running or wish != self.form.wish():
            return
        self.outlook = outlook
        self._pictures = {job.relative: job.path for job in outlook.plan.jobs}
        self.table.show_outlook(outlook.pictures, self._pictures)
        self.summary.setText(self._foreseen_text(outlook))
        self._update()

    @Slot(object, object)
    def _on_work_objected(self, wish: Wish, error: Exception) -> None:
        if self.work.running or wish != self.form.wish():
            return
        self.table.clear()
        if isinstance(error, ZimError):
            words = (error_text(error.message), error_text(error.hint))
            self.summary.setText(" ".join(words).strip())
        else:
            self.failed.emit(error)
        self._update()

    def _foreseen_text(self, outlook: Outlook) -> str:
        states = Counter(each.state for each in outlook.pictures)
        sources = Counter(e.prompts for e in outlook.pictures if e.state == "done")
        parts = [
            self.tr("{} from the studio").format(
                sources["session"] + sources["project"]
            ),
            self.tr("{} from the file").format(sources["table"]),
            self.tr("{} with the box").format(sources["box"]),
            self.tr("{} by their main object").format(sources["automatic"]),
            self.tr("{} made before").format(states["kept"]),
            self.tr("{} without prompts").format(states["skipped"]),
            self.tr("{} that cannot be read or answered").format(states["failed"]),
        ]
        said = [part for part in parts if not part.startswith("0 ")]
        total = self.tr("{} pictures: {}.")
        return total.format(len(outlook.pictures), ", ".join(said))

    # -- The run ---------------------------------------------------------------------

    @property
    def chosen_plan(self) -> Plan | None:
        """The plan of the pictures that are to be done; None if there is none."""
        if self.outlook is None:
            return None
        plan = self.outlook.plan
        if not self.selected_only.isChecked():
            return plan
        rows = self.view.selectionModel().selectedRows()
        names = {self.table.lines[index.row()].picture for index in rows}
        jobs = tuple(job for job in plan.jobs if job.relative in names)
        prompting = plan.prompting
        if prompting.table is not None:  # names of the others are no mistakes
            kept = {
                image: entry
                for image, entry in prompting.table.entries.items()
                if image in names or image.rpartition("/")[2] in names
            }
            prompting = replace(prompting, table=replace(prompting.table, entries=kept))
        return replace(plan, jobs=jobs, prompting=prompting) if jobs else None

    @Slot()
    def _on_start_clicked(self) -> None:
        plan = self.chosen_plan
        if plan is None or self.work.running:
            return
        self._started, self._worked = time.monotonic(), 0
        self._counts = Counter()
        self.bar.setRange(0, len(plan.jobs))
        self.bar.setValue(0)
        self.time_left.setText("")
        self.pause.setChecked(False)
        self.work.run(plan)

    @Slot(object)
    def _on_work_told(self, event: Event) -> None:
        if isinstance(event, Begun):
            row = self.table.show_working(event.picture)
            if row >= 0 and not self.view.hasFocus():
                self.view.scrollTo(self.table.index(row, 0))
        elif isinstance(event, Ended):
            self.table.show_row(event.row)
            self._counts[event.row.state] += 1
            if event.row.outputs:
                self.open_folder.setEnabled(True)
            self._worked += event.row.state != "kept"
            self.bar.setRange(0, event.total)
            self.bar.setValue(event.done)
            self.summary.setText(self._counts_text())
            self._show_time_left(event.total - event.done)

    def _show_time_left(self, left: int) -> None:
        seconds = (time.monotonic() - self._started) / max(1, self._worked) * left
        if seconds < 90:
            text = self.tr("{} s left").format(math.ceil(seconds))
        else:
            text = self.tr("{} min left").format(math.ceil(seconds / 60))
        self.time_left.setText(text if left else "")

    def _counts_text(self) -> str:
        text = self.tr("{} made, {} made before, {} without prompts, {} failed.")
        states = ("done", "kept", "skipped", "failed")
        return text.format(*(self._counts[state] for state in states))

    @Slot(object, object, object)
    def _on_work_ended(
        self, rows: list[Row], files: list[Path], error: Exception | None
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
            words = (error_text(error.message), error_text(error.hint))
            self.summary.setText(" ".join(words).strip())
        elif error is not None:
            self.failed.emit(error)
        self._update()

    # -- Other buttons ---------------------------------------------------------------

    @Slot()
    def _on_open_folder_clicked(self) -> None:
        output = self.form.wish().output
        if output is not None and output.is_dir():
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(output)))

    @Slot()
    def _on_open_picture_clicked(self) -> None:
        self._open(self.view.currentIndex())

    @Slot(QModelIndex)
    def _on_view_activated(self, index: QModelIndex) -> None:
        self._open(index)

    def _open(self, index: QModelIndex) -> None:
        path = self.table.lines[index.row()].path if index.isValid() else None
        if path is not None:
            self.open_requested.emit(path)

    @Slot()
    def _update(self) -> None:
        running, stopping = self.work.running, self.work.stopping
        self.form.setEnabled(not running)
        self.selected_only.setEnabled(not running)
        self.start.setEnabled(not running and self.chosen_plan is not None)
        self.pause.setEnabled(running and not stopping)
        self.pause.setText(self.tr("&Go on") if self.work.paused else self.tr("&Pause"))
        self.stop.setEnabled(running and not stopping)
        self.bar.setVisible(running)
        self.time_left.setVisible(running)
        index = self.view.currentIndex()
        there = index.isValid() and self.table.lines[index.row()].path is not None
        self.open_picture.setEnabled(there)
        output = self.form.wish().output
        self.open_folder.setEnabled(output is not None and output.is_dir())
