"""The form of the batch dialog: images, prompts, model and results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSignalBlocker, Signal, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFormLayout,
    QLineEdit,
    QTabWidget,
    QWidget,
)

from zim_app.core.export_options import BATCH_EXPORT, ExportOptions
from zim_app.gui.accessibility import name_controls
from zim_app.gui.batch.batch_worker import BatchSettings
from zim_app.gui.files.export_form import ExportForm
from zim_app.gui.form_rows import (
    browse_button,
    choose_folder,
    typed_path,
    widget_row,
)
from zim_app.gui.number_boxes import WholeNumberBox
from zim_app.gui.settings import preferences
from zim_model.errors import ZimError
from zim_model.json_values import is_number
from zim_model.runtime.devices import CPU, Device
from zim_model.weights.catalogue import find_known
from zim_model.weights.installed import installed_models

LONGEST_SIDE = 2048
"""Proposed longest side of exported images, in pixels."""
OUTPUT_FOLDER = "cutouts"
"""Name of the proposed folder for results, below the folder of images."""
DEFAULT_BOX = (10, 10, 90, 90)
"""Left, top, right and bottom, in percent of width and height."""


class BatchForm(QTabWidget):
    """Form for the :class:`BatchSettings`.

    **Signals**: ``changed()``: :meth:`settings` may have changed.

    **Threads**: the window's only.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._strip: tuple[Path, ...] = ()
        self._proposed = ""
        self._make_input()
        self._make_prompts()
        self._make_model()
        self.set_devices_and_models(())
        self._make_results()
        self._lay_out()
        self.setAccessibleName(self.tr("Settings of the batch"))
        self.setDocumentMode(True)  # else the dark theme draws pages in a light grey
        self._connect()

    # -- Set-up ----------------------------------------------------------------------

    def _make_input(self) -> None:
        self.source = QComboBox()
        self.source.setToolTip(self.tr("Which photos to process"))
        for value, text in (("folder", self.tr("In a folder")), ("strip", "")):
            self.source.addItem(text, value)
        self.folder = QLineEdit()
        self.folder.setToolTip(self.tr("Folder with the photos"))
        self.folder.setAccessibleName(self.folder.toolTip())
        self.recursive = QCheckBox(self.tr("Also folders in it"))
        self.recursive.setToolTip(self.tr("The results keep the same tree of folders"))

    def _make_prompts(self) -> None:
        self.recipes = QCheckBox(self.tr("Objects from the studio and from projects"))
        self.recipes.setToolTip(
            self.tr("Use the objects of photos that were edited in the studio before")
        )
        self.recipes.setChecked(True)
        self.use_table = QCheckBox(self.tr("A file"))
        self.use_table.setToolTip(self.tr("Take prompts from a CSV or JSON file"))
        self.table = QLineEdit()
        self.table.setToolTip(
            self.tr("Columns: image, object, x, y, label, left, top, right, bottom")
        )
        self.table.setAccessibleName(self.tr("File of prompts"))
        self.use_box = QCheckBox(self.tr("One box for all"))
        self.use_box.setToolTip(self.tr("Use the same box for every other photo"))
        tips = (
            self.tr("Left edge of the box, in percent of the width"),
            self.tr("Top edge of the box, in percent of the height"),
            self.tr("Right edge of the box, in percent of the width"),
            self.tr("Bottom edge of the box, in percent of the height"),
        )
        self.box = [self._percent_box(tip) for tip in tips]
        self.automatic = QCheckBox(self.tr("The main object, as by Select subject"))
        self.automatic.setToolTip(
            self.tr("Find the main object of every other photo; slow without a network")
        )

    def _percent_box(self, tip: str) -> WholeNumberBox:
        edge = WholeNumberBox()
        edge.setRange(0, 100)
        edge.setSuffix(self.tr(" %"))
        edge.setToolTip(tip)
        return edge

    def _make_model(self) -> None:
        self.model = QComboBox()
        self.model.setToolTip(self.tr("Model for prompts that do not name one"))
        self.clean_edge = QCheckBox(self.tr("Clean edge"))
        self.clean_edge.setChecked(True)
        self.clean_edge.setToolTip(
            self.tr(
                "Makes the inside opaque and the background transparent where the"
                " model nearly does; objects from the studio keep their own setting"
            )
        )
        self.device = QComboBox()
        self.device.setToolTip(self.tr("Where models run, also in the window"))

    def _make_results(self) -> None:
        self.output = QLineEdit()
        self.output.setToolTip(self.tr("Folder for results, table and contact sheet"))
        self.export = ExportForm(several=True, longest=LONGEST_SIDE)

    def _lay_out(self) -> None:
        first = QWidget()
        form = self._input_layout = QFormLayout(first)
        browse = browse_button(self._choose_folder)
        self._folder_row = widget_row(self.folder, browse, self.recursive)
        form.addRow(self.tr("Photos"), self.source)
        form.addRow("", self._folder_row)
        form.addRow(self.tr("Prompts"), self.recipes)
        browse = browse_button(self._choose_table)
        form.addRow("", widget_row(self.use_table, self.table, browse))
        form.addRow("", widget_row(self.use_box, *self.box))
        form.addRow("", self.automatic)
        form.addRow(self.tr("Model"), widget_row(self.model, self.device))
        form.addRow("", self.clean_edge)
        browse = browse_button(self._choose_output)
        form.addRow(self.tr("Results"), widget_row(self.output, browse))
        name_controls(form)
        second = QWidget()
        layout = QFormLayout(second)
        layout.addRow(self.export)
        self.addTab(first, self.tr("Photos and prompts"))
        self.addTab(second, self.tr("Format and size"))

    def _connect(self) -> None:
        self.source.currentIndexChanged.connect(self._update)
        self.model.currentIndexChanged.connect(self._update)
        self.folder.textChanged.connect(self._propose_output)
        for line in (self.folder, self.table, self.output):
            line.textChanged.connect(self._update)
        checks = (self.recursive, self.recipes, self.use_table, self.use_box)
        for check in (*checks, self.automatic, self.clean_edge):
            check.toggled.connect(self._update)
        for edge in self.box:
            edge.valueChanged.connect(self._update)
        self.export.changed.connect(self.changed)
        self.device.activated.connect(self._on_device_activated)

    # -- The settings ----------------------------------------------------------------

    def settings(self) -> BatchSettings:
        """The settings that the controls show, not validated."""
        from_strip = self.source.currentData() == "strip"
        x0, y0, x1, y1 = (edge.value() / 100 for edge in self.box)
        table = typed_path(self.table) or Path()
        return BatchSettings(
            folder=typed_path(self.folder),
            images=self._strip if from_strip else (),
            recursive=self.recursive.isChecked(),
            output=typed_path(self.output),
            recipes=self.recipes.isChecked(),
            table=table if self.use_table.isChecked() else None,
            box=(x0, y0, x1, y1) if self.use_box.isChecked() else None,
            automatic=self.automatic.isChecked(),
            model=self.model.currentData() or "",
            export=self.export.options,
            subject_network=preferences.value("subject"),
            clean_edge=self.clean_edge.isChecked(),
        )

    def set_strip(self, images: Sequence[Path]) -> None:
        """Offer the images of the window's strip as input."""
        self._strip = tuple(images)
        text = self.tr("In the strip of the window ({})").format(len(images))
        self.source.setItemText(1, text)
        # The combo box's own model is a QStandardItemModel.
        item = self.source.model().item(1)  # type: ignore[attr-defined]
        item.setEnabled(bool(images))
        if not images:
            self.source.setCurrentIndex(0)
        if images and not self.folder.text():
            self.folder.setText(str(images[0].parent))
        self._update()

    def set_devices_and_models(self, devices: Sequence[Device]) -> None:
        """Offer devices, and the installed models; what is chosen stays chosen."""
        chosen = self.model.currentData()
        with QSignalBlocker(self.model):
            self.model.clear()
            for model in installed_models():
                info = find_known(model.name)
                self.model.addItem(info.title if info else model.name, model.name)
            self.model.setCurrentIndex(max(0, self.model.findData(chosen)))
        choices = [("auto", self.tr("Best available"))]
        choices += [
            (each.id.removesuffix(":0"), each.name) for each in devices or [CPU]
        ]
        self.device.clear()
        for value, text in choices:
            self.device.addItem(text, value)
        current = self.device.findData(preferences.value("device"))
        self.device.setCurrentIndex(max(0, current))

    def to_json(self) -> dict[str, Any]:
        """The state of the controls, as plain values."""
        return {
            "folder": self.folder.text(),
            "recursive": self.recursive.isChecked(),
            "recipes": self.recipes.isChecked(),
            "use_table": self.use_table.isChecked(),
            "table": self.table.text(),
            "use_box": self.use_box.isChecked(),
            "box": [edge.value() for edge in self.box],
            "automatic": self.automatic.isChecked(),
            "clean_edge": self.clean_edge.isChecked(),
            "output": self.output.text(),
            "export": self.export.options.to_json(),
        }

    def restore(self, data: dict[str, Any], model: str) -> None:
        """Show the values of :meth:`to_json`; invalid ones are replaced by defaults.

        Args:
            data: stored by an earlier dialog.
            model: the proposed one.
        """
        for line, key in ((self.folder, "folder"), (self.table, "table")):
            line.setText(str(data.get(key, "")))
        self.output.setText(str(data.get("output", "")))
        checks = {
            "recursive": self.recursive,
            "use_table": self.use_table,
            "use_box": self.use_box,
            "automatic": self.automatic,
        }
        for key, check in checks.items():
            check.setChecked(data.get(key) is True)
        on_at_first = {"recipes": self.recipes, "clean_edge": self.clean_edge}
        for key, check in on_at_first.items():
            check.setChecked(data.get(key) is not False)
        box = data.get("box")
        if (
            not isinstance(box, list)
            or len(box) != len(DEFAULT_BOX)
            or not all(is_number(edge, 0, 100, whole=True) for edge in box)
        ):
            box = DEFAULT_BOX
        for edge, value in zip(self.box, box, strict=True):
            edge.setValue(value)
        try:
            options = ExportOptions.from_json(
                data.get("export", BATCH_EXPORT.to_json())
            )
        except (AttributeError, TypeError, ZimError):
            options = BATCH_EXPORT
        self.export.show_options(options)
        self.model.setCurrentIndex(max(0, self.model.findData(model)))

    # -- Changes ---------------------------------------------------------------------

    @Slot()
    def _update(self) -> None:
        in_folder = self.source.currentData() == "folder"
        self._input_layout.setRowVisible(self._folder_row, in_folder)
        self.table.setEnabled(self.use_table.isChecked())
        for edge in self.box:
            edge.setEnabled(self.use_box.isChecked())
        self.changed.emit()

    @Slot(str)
    def _propose_output(self, folder: str) -> None:
        """Propose a folder in that of the images, unless the user chose another."""
        if self.output.text() in ("", self._proposed):
            self._proposed = str(Path(folder) / OUTPUT_FOLDER) if folder.strip() else ""
            self.output.setText(self._proposed)

    @Slot(int)
    def _on_device_activated(self, index: int) -> None:
        preferences.set_value("device", self.device.itemData(index))

    @Slot()
    def _choose_folder(self) -> None:
        choose_folder(self.folder, self.tr("Choose a folder of photos"))

    @Slot()
    def _choose_output(self) -> None:
        choose_folder(self.output, self.tr("Choose a folder for the results"))

    @Slot()
    def _choose_table(self) -> None:
        title = self.tr("Choose a file of prompts")
        dialog = QFileDialog(self, title, self.table.text())
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters(
            [self.tr("Prompts (*.csv *.tsv *.json)"), self.tr("All files (*)")]
        )
        dialog.fileSelected.connect(self._on_table_chosen)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    @Slot(str)
    def _on_table_chosen(self, name: str) -> None:
        self.table.setText(name)
        self.use_table.setChecked(True)
