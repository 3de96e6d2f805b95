"""Buttons of the evaluation: one with an icon, and one that exports the report."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QEvent, Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices, QKeySequence, QPalette
from PySide6.QtWidgets import QFileDialog, QMenu, QToolButton, QWidget

from zim_app.gui.evaluation.evaluation_worker import EvaluationWorker
from zim_app.gui.icons import icon
from zim_model.evaluation.datasets import Dataset
from zim_model.evaluation.report import Report
from zim_model.evaluation.report_formats import WRITERS


class IconButton(QToolButton):
    """A tool button with an icon, and a tool tip that names its key.

    Args:
        name: name of the icon, see :func:`zim_app.gui.icons.icon`.
        tip: what the button does.
        handler: called on clicks.
        keys: shortcut, in the notation of :class:`QKeySequence`.
        text: beside the icon; empty shows only the icon.

    **Threads**: the window's only.
    """

    def __init__(
        self,
        name: str,
        tip: str,
        handler: Callable[[], object] | None = None,
        *,
        keys: str = "",
        text: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._name = name
        self._keys = QKeySequence(keys)
        if keys:
            self.setShortcut(self._keys)
        self.setAutoRaise(not text)
        self.set_text(text)
        self.set_tip(tip)
        if handler is not None:
            self.clicked.connect(handler)
        self._paint_icon()

    def set_tip(self, tip: str) -> None:
        """Set the tool tip, followed by the key."""
        shown = self._keys.toString(QKeySequence.SequenceFormat.NativeText)
        self.setToolTip(f"{tip} ({shown})" if shown else tip)
        self.setAccessibleName(self.text() or tip)

    def set_text(self, text: str) -> None:
        """Set the text beside the icon."""
        self.setText(text)
        if text:
            style = Qt.ToolButtonStyle.ToolButtonTextBesideIcon
            self.setToolButtonStyle(style)
        if not self._keys.isEmpty():  # setText removes the shortcut
            self.setShortcut(self._keys)

    def _paint_icon(self) -> None:
        group, role = QPalette.ColorGroup, QPalette.ColorRole.ButtonText
        colour = self.palette().color(group.Active, role).name()
        faint = self.palette().color(group.Disabled, role).name()
        self.setIcon(icon(self._name, colour, faint))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._paint_icon()


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
            "report.json": self.tr("Everything (JSON)…"),
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


def open_outside(path: Path) -> None:
    """Open a file or folder with the system's default program."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))
