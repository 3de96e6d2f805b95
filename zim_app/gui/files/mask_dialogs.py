"""Dialogs of imported masks and of training pairs."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QCoreApplication, Qt, Signal, Slot
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QLabel,
    QLineEdit,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from zim_app.gui.files.dialogs import IMAGE_FILTER
from zim_app.gui.form_rows import (
    browse_button,
    choose_folder,
    typed_path,
    widget_row,
)


def masks_dialog(parent: QWidget, folder: Path) -> QFileDialog:
    """Dialog to choose masks of the image; emits ``filesSelected``."""
    translate = QCoreApplication.translate
    dialog = QFileDialog(parent, translate("MaskDialog", "Import a mask"), str(folder))
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
    dialog.setNameFilters(
        [
            translate("MaskDialog", "Masks ({})").format(IMAGE_FILTER),
            translate("MaskDialog", "All files (*)"),
        ]
    )
    return dialog


class MaskDialog(QDialog):
    """Dialog about how to import masks.

    Args:
        paths: paths of the masks; at least one.
        refine: initial choice.

    **Signals**: ``import_requested(paths, refine)``.

    **Threads**: the window's only.
    """

    import_requested = Signal(object, bool)

    def __init__(
        self, paths: tuple[Path, ...], parent: QWidget, *, refine: bool = True
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Import mask"))
        self._paths = paths
        text = self.tr("{} masks") if len(paths) > 1 else "{}"
        label = QLabel(text.format(len(paths) if len(paths) > 1 else paths[0].name))
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setToolTip("\n".join(map(str, paths[:20])))
        self.refine = QRadioButton(self.tr("&Refine with the converter"))
        self.refine.setToolTip(
            self.tr("Make a soft matte that follows the photo's edges (Alt+R)")
        )
        self.as_it_is = QRadioButton(self.tr("&Use as it is"))
        self.as_it_is.setToolTip(
            self.tr("Take the mask's own greys, or its transparency, as alpha (Alt+U)")
        )
        (self.refine if refine else self.as_it_is).setChecked(True)
        layout = QVBoxLayout(self)
        for widget in (label, self.refine, self.as_it_is):
            layout.addWidget(widget)
        self.ok = _add_buttons(self, layout, self.tr("Import"))

    def accept(self) -> None:
        self.import_requested.emit(self._paths, self.refine.isChecked())
        super().accept()


class PairDialog(QDialog):
    """Dialog for the folder and objects of training pairs.

    Args:
        folder: initial folder.
        several: whether there are several objects to save.

    **Signals**: ``save_requested(folder, all)``.

    **Threads**: the window's only.
    """

    save_requested = Signal(object, bool)

    def __init__(self, folder: Path, parent: QWidget, *, several: bool) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Save as training pair"))
        self.setMinimumWidth(460)
        self.folder = QLineEdit(str(folder))
        self.folder.setAccessibleName(self.tr("Training folder"))
        self.folder.setToolTip(
            self.tr("Training folder; pairs go to “matte” in it, nothing is replaced")
        )
        self.active = QRadioButton(self.tr("&The active object"))
        self.active.setToolTip(self.tr("One pair, of the active object (Alt+T)"))
        self.all = QRadioButton(self.tr("&Each visible object"))
        self.all.setToolTip(self.tr("One pair for each visible object (Alt+E)"))
        self.all.setEnabled(several)
        self.active.setChecked(True)
        note = QLabel(self.tr("The photo and its matte, as training reads them."))
        layout = QVBoxLayout(self)
        layout.addWidget(note)
        layout.addWidget(widget_row(self.folder, browse_button(self._browse)))
        layout.addWidget(self.active)
        layout.addWidget(self.all)
        self.ok = _add_buttons(self, layout, self.tr("Save"))
        self.folder.textChanged.connect(self._on_folder_changed)
        self._on_folder_changed()

    @Slot()
    def _on_folder_changed(self) -> None:
        self.ok.setEnabled(typed_path(self.folder) is not None)

    @Slot()
    def _browse(self) -> None:
        choose_folder(self.folder, self.tr("Choose a folder"))

    def accept(self) -> None:
        self.save_requested.emit(typed_path(self.folder), self.all.isChecked())
        super().accept()


def _add_buttons(dialog: QDialog, layout: QVBoxLayout, text: str) -> QWidget:
    """Add Cancel and a default button with that text; return the latter."""
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
    ok = buttons.addButton(text, QDialogButtonBox.ButtonRole.AcceptRole)
    ok.setToolTip(QCoreApplication.translate("MaskDialog", "{} (Enter)").format(text))
    cancel = buttons.button(QDialogButtonBox.StandardButton.Cancel)
    cancel.setToolTip(QCoreApplication.translate("MaskDialog", "Change nothing (Esc)"))
    for button in buttons.buttons():
        button.setIcon(QIcon())  # Qt's own icon is invisible on dark grey
    buttons.accepted.connect(dialog.accept)
    buttons.rejected.connect(dialog.reject)
    layout.addWidget(buttons)
    ok.setDefault(True)  # only effective inside the dialog
    return ok
