"""The model manager: a dialog that lists, downloads, adds and removes models."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from html import escape
from pathlib import Path
from typing import get_args

from PySide6.QtCore import QCoreApplication, QEvent, QSize, Qt, Signal, Slot
from PySide6.QtGui import QKeySequence, QPalette
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from zim_app.gui.language import format_number, size_text, translate_message
from zim_app.gui.models.model_worker import Download, ModelWorker
from zim_app.gui.settings import window_state
from zim_app.gui.status_bar import WARNING
from zim_model.errors import ZimError
from zim_model.weights import hub
from zim_model.weights.catalogue import MODELS, ModelInfo, find_known
from zim_model.weights.download import DownloadProgress, partial_bytes
from zim_model.weights.installed import (
    InstalledModel,
    Kind,
    installed_models,
    models_folder,
)

translate = QCoreApplication.translate

_PERMILLE = 1000
"""Steps of a progress bar."""


def progress_text(progress: DownloadProgress) -> str:
    """Progress of a download as text: percent, rate and remaining time."""
    if progress.verifying:
        return translate("ModelRow", "Checking the file…")
    percent = 100 * progress.done // max(1, progress.total)
    parts = [
        translate("ModelRow", "{} % of {}").format(percent, size_text(progress.total))
    ]
    left = progress.seconds_left
    if left is not None:
        rate = size_text(progress.rate)
        parts.append(translate("ModelRow", "{} per second").format(rate))
        if left < 90:
            parts.append(translate("ModelRow", "{} s left").format(math.ceil(left)))
        else:
            minutes = math.ceil(left / 60)
            parts.append(translate("ModelRow", "{} min left").format(minutes))
    return " · ".join(parts)


class ModelRow(QFrame):
    """Row of one model: description, licence, state and buttons.

    **Signals**: ``use_requested``, ``download_requested``, ``cancel_requested`` and
    ``remove_requested``, each with the model's name.

    **Threads**: the window's only.
    """

    use_requested = Signal(str)
    download_requested = Signal(str)
    cancel_requested = Signal(str)
    remove_requested = Signal(str)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name = name
        self.info: ModelInfo | None = find_known(name)
        self.setObjectName("model-row")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.title = QLabel(self.info.title if self.info else name)
        font = self.title.font()
        font.setBold(True)
        self.title.setFont(font)
        self.state = QLabel()
        self.description = self._text(
            translate_message(self.info.description)
            if self.info
            else self.tr("Added from the disk; its licence is not known here.")
        )
        self.cost = self._text(self._cost())
        self.cost.setVisible(bool(self.cost.text()))
        self.licence = self._licence()
        self.progress = QProgressBar()
        self.progress.setRange(0, _PERMILLE)
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(6)
        self.progress_label = QLabel()
        self.error = self._text("")
        self._setup_buttons()
        self._setup_layout()

    def _text(self, text: str) -> QLabel:
        label = QLabel(text)
        label.setWordWrap(True)
        label.setTextFormat(Qt.TextFormat.PlainText)
        return label

    def _cost(self) -> str:
        """How long the model takes without a GPU; empty where it is not known."""
        if self.info is None or self.info.cpu_seconds is None:
            return ""
        photo, click = self.info.cpu_seconds
        text = self.tr(
            "On one CPU core: {} s for a new photo, then {} s for each click"
        )
        return text.format(format_number(photo, 0), format_number(click, 1))

    def _licence(self) -> QLabel:
        label = QLabel()
        label.setWordWrap(True)
        label.setOpenExternalLinks(True)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextBrowserInteraction)
        if self.info is not None:
            terms = self.info.licence
            link = f'<a href="{escape(terms.url)}">{escape(terms.name)}</a>'
            text = self.tr("Licence: {}").format(link)
            if not terms.commercial:
                warning = escape(self.tr("not for commercial use"))
                text += f' · <b style="color:{WARNING.name()}">{warning}</b>'
            source = self.tr("authors’ page")
            text += f' · <a href="{escape(self.info.source)}">{escape(source)}</a>'
            label.setText(text)
        return label

    def _setup_buttons(self) -> None:
        self.use_button = self._button(self.tr("Use"), self._on_use_clicked)
        self.use_button.setToolTip(
            self.tr("Matte the active object with this model, and new photos too")
        )
        self.download_button = self._button("", self._on_download_clicked)
        self.cancel_button = self._button(self.tr("Cancel"), self._on_cancel_clicked)
        self.cancel_button.setToolTip(
            self.tr("Stop the download; what has arrived is kept")
        )
        self.remove_button = self._button(self.tr("Remove"), self._on_remove_clicked)
        self.remove_button.setToolTip(self.tr("Delete the files from this computer"))

    def _button(self, text: str, handler: Callable[[], None]) -> QPushButton:
        button = QPushButton(text)
        button.setAutoDefault(False)
        button.clicked.connect(handler)
        return button

    @Slot()
    def _on_use_clicked(self) -> None:
        self.use_requested.emit(self.name)

    @Slot()
    def _on_download_clicked(self) -> None:
        self.download_requested.emit(self.name)

    @Slot()
    def _on_cancel_clicked(self) -> None:
        self.cancel_requested.emit(self.name)

    @Slot()
    def _on_remove_clicked(self) -> None:
        self.remove_requested.emit(self.name)

    def _setup_layout(self) -> None:
        buttons = QHBoxLayout()
        for button in (
            self.use_button,
            self.download_button,
            self.cancel_button,
            self.remove_button,
        ):
            buttons.addWidget(button)
        head = QHBoxLayout()
        head.addWidget(self.title)
        head.addWidget(self.state)
        head.addStretch(1)
        head.addLayout(buttons)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 8, 12, 10)
        layout.setSpacing(4)
        layout.addLayout(head)
        for widget in (
            self.description,
            self.cost,
            self.licence,
            self.progress,
            self.progress_label,
            self.error,
        ):
            layout.addWidget(widget)

    def show_state(
        self,
        model: InstalledModel | None,
        download: Download | None,
        error: ZimError | None,
        *,
        in_use: bool,
    ) -> None:
        """Show the current state of the model.

        Args:
            model: the installed model, if it is installed.
            download: current or waiting download.
            error: of the last download or addition.
            in_use: whether the active object uses it.
        """
        received = partial_bytes(self.info) if self.info and not model else 0
        self.state.setText(self._state(model, download, received, in_use=in_use))
        self.use_button.setVisible(model is not None and model.kind == "prompt")
        self.use_button.setEnabled(not in_use)
        self.download_button.setVisible(model is None and download is None)
        self._name_download(received)
        self.cancel_button.setVisible(download is not None)
        self.cancel_button.setEnabled(not (download and download.stop.is_set()))
        removable = not model.bundled if model else received > 0
        self.remove_button.setVisible(removable and download is None)
        self._show_progress(download)
        self.licence.setVisible(self.info is not None)
        self.error.setVisible(error is not None)
        if error is not None:
            self.error.setText(_error_text(error))
            self.error.setStyleSheet(f"color: {_error_colour(self.palette())};")

    def _state(
        self,
        model: InstalledModel | None,
        download: Download | None,
        received: int,
        *,
        in_use: bool,
    ) -> str:
        if download is not None:
            if download.stop.is_set():
                return self.tr("Stopping…")
            if download.progress is None:
                return self.tr("Waiting for its turn")
            return self.tr("Downloading")
        if model is None:
            total = self.info.size if self.info else 0
            if received:
                text = self.tr("{} of {} downloaded")
                return text.format(size_text(received), size_text(total))
            return self.tr("Not installed")
        kind = self.tr("Bundled") if model.bundled else self.tr("Installed")
        parts = [kind, size_text(model.size)]
        if in_use:
            parts.append(self.tr("in use"))
        return " · ".join(parts)

    def _name_download(self, received: int) -> None:
        if self.info is None:
            return
        total = size_text(self.info.size)
        text = self.tr("Resume") if received else self.tr("Download {}").format(total)
        self.download_button.setText(text)
        host = hub.hub_host(self.info.files[0]) if self.info.files else ""
        tip = self.tr("Fetch {} from {}; the licence above applies")
        if all(map(hub.find_cached, self.info.files)):
            tip = self.tr(
                "Take {} from the Hugging Face cache, without the network; the licence "
                "above applies"
            )
        self.download_button.setToolTip(tip.format(total, host))

    def _show_progress(self, download: Download | None) -> None:
        progress = download.progress if download else None
        self.progress.setVisible(download is not None)
        self.progress_label.setVisible(progress is not None)
        self.progress.setValue(0)
        if progress is not None:
            permille = _PERMILLE * progress.done // max(1, progress.total)
            self.progress.setValue(permille)
            self.progress_label.setText(progress_text(progress))


def _error_text(error: ZimError) -> str:
    """Message and hint of an error, translated."""
    return (
        f"{translate_message(error.message)}\n{translate_message(error.hint)}".strip()
    )


def _error_colour(palette: QPalette) -> str:
    """A red that is readable on this palette's background."""
    dark = palette.color(QPalette.ColorRole.Window).lightness() < 128
    return "#ff8a80" if dark else "#b3261e"


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
        }
        self._lists: dict[str, QVBoxLayout] = {}
        for kind in get_args(Kind):
            if kind in headings:
                outer.addWidget(QLabel(headings[kind]))
            self._lists[kind] = QVBoxLayout()
            self._lists[kind].setSpacing(8)
            outer.addLayout(self._lists[kind])
        outer.addStretch(1)
        area = QScrollArea()
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
                "Install a .safetensors, .pth or .bin file or a pair of ONNX graphs"
                " (Alt+A)"
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
                self._add_row(name, info.kind if info else models[name].kind)
            self._show(self.rows[name], models.get(name))

    def _add_row(self, name: str, kind: Kind) -> None:
        row = self.rows[name] = ModelRow(name)
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
        box = QMessageBox(self)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setIcon(QMessageBox.Icon.Question)
        box.setText(self.tr("Remove {}?").format(self.rows[name].title.text()))
        box.setInformativeText(
            self.tr("Its files in {} are deleted.").format(models_folder())
        )
        remove_button = box.addButton(
            self.tr("&Remove"), QMessageBox.ButtonRole.DestructiveRole
        )
        box.addButton(QMessageBox.StandardButton.Cancel)
        remove_button.clicked.connect(partial(self._remove, name))
        box.open()

    def _remove(self, name: str) -> None:
        self._errors.pop(name, None)
        self.worker.remove(name)

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
            self.error.setText(_error_text(error))
            self.error.setStyleSheet(f"color: {_error_colour(self.palette())};")
            self.error.show()

    @Slot(bool)
    def _on_worker_adding_changed(self, busy: bool) -> None:
        self.add_button.setEnabled(not busy)
        text = self.tr("Checking the file…") if busy else self.tr("&Add from disk…")
        self.add_button.setText(text)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.ApplicationPaletteChange and self.rows:
            self.refresh()  # the colour of errors depends on the palette
