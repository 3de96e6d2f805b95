"""The button that exports the report of an evaluation."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QFileDialog, QMenu, QToolButton, QWidget

from zim_app.gui.desktop import open_outside
from zim_app.gui.evaluation.evaluation_worker import EvaluationWorker
from zim_app.gui.icon_button import IconButton
from zim_model.evaluation.datasets import Dataset
from zim_model.evaluation.report import Report
from zim_model.evaluation.report_formats import WRITERS


class ExportButton(IconButton):
    """A button with a menu of the formats of a report.

    Args:
        worker: writes the files.

    **Threads**: the window's only.
    """

    def __init__(self, worker: EvaluationWorker, parent: QWidget | None = None) -> None:
        super().__init__("export-variant", "", keys="Ctrl+E", parent=parent)
        self.set_text(self.tr("Export"))
        self.set_tip(self.tr("Write the report as a table or a page"))
        self.setAutoRaise(False)
        self._worker = worker
        self._report: Report | None = None
        self._dataset: Dataset | None = None
        menu = QMenu(self)
        texts = {
            "report.html": self.tr("Page with photos (HTML)…"),
            "report.md": self.tr("Tables (Markdown)…"),
            "report.tex": self.tr("Tables (LaTeX)…"),
            "report.csv": self.tr("Means (CSV)…"),
            "rows.csv": self.tr("All rows (CSV)…"),
            "comparisons.csv": self.tr("Differences of the models (CSV)…"),
            "report.json": self.tr("Everything (JSON)…"),
            "iou.svg": self.tr("Bars of the mean IoU (SVG)…"),
        }
        for form, text in texts.items():
            menu.addAction(text, partial(self._choose, form)).setData(form)
        menu.addSeparator()
        menu.addAction(self.tr("All of these into the results"), self.export_all)
        menu.addAction(self.tr("Show the folder of results"), self._show_folder)
        self.setMenu(menu)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)

    def set_report(self, report: Report | None, dataset: Dataset | None) -> None:
        """Set the report to export.

        Args:
            dataset: images for the page; without it the page has none.
        """
        self._report, self._dataset = report, dataset
        self.setEnabled(report is not None and bool(report.rows))

    def _choose(self, form: str) -> None:
        """Ask for a file for one format."""
        if self._report is None:
            return
        dialog = QFileDialog(self, self.tr("Export the report"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(Path(form).suffix.removeprefix("."))
        dialog.setDirectory(str(self._report.folders[0]))
        dialog.selectFile(form)
        dialog.fileSelected.connect(partial(self.export_to, form))
        dialog.open()

    def export_to(self, form: str, name: str) -> None:
        """Write the report to a file; ``form`` is a name in WRITERS."""
        assert form in WRITERS
        if self._report is not None:
            self._worker.export(self._report, self._dataset, Path(name), form)

    @Slot()
    def export_all(self) -> None:
        """Write all formats into the folder of results."""
        if self._report is not None:
            folder = self._report.folders[0]
            self._worker.export_all(self._report, self._dataset, folder)

    @Slot()
    def _show_folder(self) -> None:
        if self._report is not None:
            open_outside(self._report.folders[0])
