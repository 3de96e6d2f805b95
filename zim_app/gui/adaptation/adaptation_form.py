"""The form of an adaptation: corrections, model, time and name."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QWidget,
)

from zim_app.core.adaptation import MIN_IMAGES
from zim_app.core.corrections import Corrections, find_corrections
from zim_app.gui.adaptation.training_process import AdaptationOrder
from zim_app.gui.form_rows import (
    browse_button,
    choose_folder,
    typed_path,
    widget_row,
)
from zim_app.gui.language import translate_message
from zim_app.gui.number_boxes import WholeNumberBox
from zim_model.errors import ZimError
from zim_model.runtime.threads import thread_count
from zim_model.weights.adapted import adaptable_models
from zim_model.weights.catalogue import find_known
from zim_model.weights.installed import check_free_name, find_installed

MINUTES, MAX_MINUTES = 10, 240


class AdaptationForm(QWidget):
    """Chooses what is adapted to what.

    Attributes:
        problem: why it cannot start, as shown; "" if it can.

    **Signals**: ``changed()``: an input, and ``problem`` with it.

    **Threads**: the window's only; files are listed, not opened.
    """

    changed = Signal()

    def __init__(self, folder: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.problem = ""
        self.folder = QLineEdit(str(folder))
        self.folder.setAccessibleName(self.tr("Folder of corrections"))
        self.folder.setToolTip(
            self.tr("Folder with training pairs, projects, or both; nothing is changed")
        )
        self.found = QLabel()
        self.found.setWordWrap(True)
        self.model = QComboBox()
        self.model.setToolTip(self.tr("The model that is copied and trained further"))
        self.minutes = WholeNumberBox()
        self.minutes.setRange(1, MAX_MINUTES)
        self.minutes.setValue(MINUTES)
        self.minutes.setSuffix(self.tr(" min"))
        self.minutes.setToolTip(
            self.tr("Time for the training; it ends earlier if you stop it")
        )
        self.name = QLineEdit()
        self.name.setToolTip(self.tr("Name of the new model in the list of models"))
        layout = QFormLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        label = QLabel(self.tr("&Corrections:"))
        label.setBuddy(self.folder)
        layout.addRow(label, widget_row(self.folder, browse_button(self._browse)))
        layout.addRow("", self.found)
        layout.addRow(self.tr("&Model:"), self.model)
        layout.addRow(self.tr("&Time:"), self.minutes)
        layout.addRow(self.tr("&Name:"), self.name)
        self.refresh()
        self.folder.textChanged.connect(self._on_changed)
        self.name.textChanged.connect(self._on_changed)
        self._on_changed()

    def refresh(self) -> None:
        """List the models again, and propose a name where none is free."""
        chosen = self.model.currentData()
        self.model.clear()
        for model in adaptable_models():
            info = find_known(model.name)
            self.model.addItem(info.title if info else model.name, model.name)
        self.model.setCurrentIndex(max(0, self.model.findData(chosen)))
        name = self.name.text().strip()
        if name and find_installed(name, None) is None:
            return
        stem, number = self.tr("my-model"), 1
        while find_installed(f"{stem}-{number}", None) is not None:
            number += 1
        self.name.setText(f"{stem}-{number}")

    @property
    def order(self) -> AdaptationOrder:
        """What the inputs say; there must be no ``problem``."""
        folder = typed_path(self.folder)
        assert folder is not None  # else there is a problem
        return AdaptationOrder(
            folder,
            self.model.currentData(),
            self.name.text().strip(),
            self.minutes.value(),
            max(1, thread_count() - 1),  # the window needs one, too
        )

    @Slot()
    def _on_changed(self) -> None:
        folder = typed_path(self.folder)
        self.found.clear()
        if folder is None:
            self.problem = self.tr("Choose a folder of corrections.")
        else:
            try:
                corrections = find_corrections(folder)
                self.found.setText(self._count(corrections))
                self.problem = self._problem(corrections)
            except ZimError as error:
                self.problem = translate_message(error.message)
        self.changed.emit()

    def _count(self, found: Corrections) -> str:
        text = self.tr("Found: {} training pairs, {} projects.")
        return text.format(len(found.pairs), len(found.projects))

    def _problem(self, found: Corrections) -> str:
        """Why it cannot start, "" if it can."""
        if found.images < MIN_IMAGES:
            text = self.tr(
                "{} corrected photos are too few; at least {} are needed. Correct a"
                " photo and choose File › Save as training pair."
            )
            return text.format(found.images, MIN_IMAGES)
        try:
            check_free_name(self.name.text().strip())
        except ZimError as error:
            return translate_message(error.text)
        return ""

    @Slot()
    def _browse(self) -> None:
        choose_folder(self.folder, self.tr("Choose a folder"))
