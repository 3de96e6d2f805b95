"""The model manager: a dialog that lists, downloads, adds and removes models."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import get_args

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QKeySequence, QShowEvent
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QFrame,
    QGridLayout,
    QLabel,
    QMessageBox,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from zim_app.gui.files.dialogs import question_box
from zim_app.gui.models.model_row import ModelRow, error_colour, error_text
from zim_app.gui.models.model_worker import ModelWorker
from zim_app.gui.settings import window_state
from zim_model.errors import ZimError
from zim_model.weights.adapted import read_adaptation, stated_licence
from zim_model.weights.catalogue import MODELS, find_known
from zim_model.weights.installed import (
    InstalledModel,
    Kind,
    installed_models,
    models_folder,
)


class ModelManager(QDialog):
    """Dialog with the list of models; not modal.

    Args:
        worker: downloads, adds and removes models; outlives the dialog.

    **Signals**: ``model_chosen(name)``: use this installed model.

    **Threads**: the window's only.
    """

    model_chosen = Signal(str)

    def __init__(self, worker: ModelWorker, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.worker = worker
        self.rows: dict[str, ModelRow] = {}
        self._current = ""
        self._errors: dict[str, ZimError] = {}
        self.setWindowTitle(self.tr("Models"))
        self._setup_layout()
        worker.changed.connect(self._on_worker_changed)
        worker.installed.connect(self._on_worker_installed)
        worker.removed.connect(self._on_worker_installed)
        worker.failed.connect(self._on_worker_failed)
        worker.adding_changed.connect(self._on_worker_adding_changed)
        self.refresh()
        self.resize(window_state.first_size(self.screen(), QSize(620, 620)))

    def _setup_layout(self) -> None:
        note = QLabel(
            self.tr("Photos never leave this computer. Only Download uses the network.")
        )
        note.setWordWrap(True)
        inside = QWidget()
        outer = QVBoxLayout(inside)
        headings = {
            "trimap": self.tr("Trimap networks, for Detail in the panel Refine"),
            "automatic": self.tr("Automatic networks, for Select subject"),
            "inpainting": self.tr("Inpainting networks, for Remove object from photo"),
        }
        self._lists: dict[str, QVBoxLayout] = {}
        for kind in get_args(Kind):
            if kind in headings:
                outer.addWidget(QLabel(headings[kind]))
            self._lists[kind] = QVBoxLayout()
            self._lists[kind].setSpacing(8)
            outer.addLayout(self._lists[kind])
        outer.addStretch(1)
        area = self._area = QScrollArea()
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidget(inside)
        area.setAccessibleName(self.windowTitle())
        self.error = QLabel()
        self.error.setWordWrap(True)
        self.error.setTextFormat(Qt.TextFormat.PlainText)
        self.error.hide()
        self.add_button = QPushButton(self.tr("&Add from disk…"))
        self.add_button.setAutoDefault(False)
        self.add_button.setToolTip(
            self.tr(
                "Install a .safetensors, .pth or .bin file, a pair of ONNX graphs or an"
                " inpainting network (Alt+A)"
            )
        )
        self.add_button.clicked.connect(self.choose_file)
        self.close_button = QPushButton(self.tr("&Close"))
        self.close_button.setAutoDefault(False)
        key = QKeySequence(Qt.Key.Key_Escape)
        native = key.toString(QKeySequence.SequenceFormat.NativeText)
        self.close_button.setToolTip(
            self.tr("Close; downloads go on ({})").format(native)
        )
        self.close_button.clicked.connect(self.close)
        layout = QGridLayout(self)
        layout.addWidget(note, 0, 0, 1, 3)
        layout.addWidget(area, 1, 0, 1, 3)
        layout.addWidget(self.error, 2, 0, 1, 3)
        layout.addWidget(self.add_button, 3, 0)
        layout.setColumnStretch(1, 1)
        layout.addWidget(self.close_button, 3, 2)

    def set_current(self, name: str) -> None:
        """Set the model of the active object."""
        if name != self._current:
            self._current = name
            self.refresh()

    def refresh(self) -> None:
        """Update the rows from the disk and the downloads."""
        models = {model.name: model for model in installed_models(None)}
        names = [info.name for info in MODELS]
        names += [name for name in models if name not in names]
        for name in set(self.rows) - set(names):
            self.rows.pop(name).deleteLater()
        for name in names:
            if name not in self.rows:
                info = find_known(name)
                kind = info.kind if info else models[name].kind
                row = ModelRow(name) if info else _added_row(models[name])
                self._add_row(row, kind)
            self._show(self.rows[name], models.get(name))

    def _add_row(self, row: ModelRow, kind: Kind) -> None:
        self.rows[row.name] = row
        row.use_requested.connect(self.model_chosen)
        row.download_requested.connect(self._download)
        row.cancel_requested.connect(self.worker.cancel)
        row.remove_requested.connect(self._confirm_remove)
        self._lists[kind].addWidget(row)

    def _show(self, row: ModelRow, model: InstalledModel | None) -> None:
        row.show_state(
            model,
            self.worker.downloads.get(row.name),
            self._errors.get(row.name),
            in_use=row.name == self._current,
        )

    @Slot(str)
    def _download(self, name: str) -> None:
        info = find_known(name)
        self._errors.pop(name, None)
        if info is not None:
            self.worker.download(info)

    # -- Adding and removing ------------------------------------------------------

    @Slot()
    def choose_file(self) -> None:
        """Show a dialog for adding a model from the disk."""
        dialog = QFileDialog(self, self.tr("Add a model"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters(
            [
                self.tr("Models ({})").format("*.safetensors *.pth *.pt *.bin *.onnx"),
                self.tr("All files (*)"),
            ]
        )
        dialog.fileSelected.connect(self._on_file_chosen)
        dialog.open()

    @Slot(str)
    def _on_file_chosen(self, name: str) -> None:
        self.error.hide()
        self.worker.add(Path(name))

    @Slot(str)
    def _confirm_remove(self, name: str) -> None:
        """Ask before removing, since downloading again is slow."""
        text = self.tr("Remove {}?").format(self.rows[name].title.text())
        details = self.tr("Its files in {} are deleted.").format(models_folder())
        box = question_box(self, "", text, details)
        remove_button = box.addButton(
            self.tr("&Remove"), QMessageBox.ButtonRole.DestructiveRole
        )
        box.addButton(QMessageBox.StandardButton.Cancel)
        remove_button.clicked.connect(partial(self._remove, name))
        box.open()

    def _remove(self, name: str) -> None:
        self._errors.pop(name, None)
        self.worker.remove(name)

    def _scroll_to_current(self) -> None:
        """Show the row of the model in use, which may lie far down."""
        row = self.rows.get(self._current)
        if row is not None:
            self._area.ensureWidgetVisible(row)

    # -- Events ----------------------------------------------------------------

    @Slot(str)
    def _on_worker_changed(self, name: str) -> None:
        row = self.rows.get(name)
        if row is not None:
            self._show(row, None)

    @Slot(str)
    def _on_worker_installed(self, name: str) -> None:
        self._errors.pop(name, None)
        self.refresh()

    @Slot(str, object)
    def _on_worker_failed(self, name: str, error: ZimError) -> None:
        if name in self.rows:
            self._errors[name] = error
            self.refresh()
        else:
            self.error.setText(error_text(error))
            self.error.setStyleSheet(f"color: {error_colour(self.palette())};")
            self.error.show()

    @Slot(bool)
    def _on_worker_adding_changed(self, busy: bool) -> None:
        self.add_button.setEnabled(not busy)
        text = self.tr("Checking the file…") if busy else self.tr("&Add from disk…")
        self.add_button.setText(text)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        QTimer.singleShot(0, self, self._scroll_to_current)  # once rows have a place

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.ApplicationPaletteChange and self.rows:
            self.refresh()  # the colour of errors depends on the palette


def _added_row(model: InstalledModel) -> ModelRow:
    """The row of a model that is not known, with what its file tells."""
    path = model.path
    return ModelRow(model.name, read_adaptation(path), stated_licence(path))
