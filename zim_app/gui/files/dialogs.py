"""File dialogs and the about box; none of them blocks the event loop."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QCoreApplication, QStandardPaths, Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QMessageBox,
    QPushButton,
    QWidget,
)

from zim_app.core.folders import IMAGE_SUFFIXES
from zim_app.core.saved_work import PROJECT_SUFFIX
from zim_app.gui.document import Document
from zim_app.gui.language import translate_message
from zim_model.assets import asset_path
from zim_model.errors import ZimError

translate = QCoreApplication.translate


_SUFFIXES = sorted((*IMAGE_SUFFIXES, ".nii.gz"))
IMAGE_FILTER = " ".join(f"*{suffix}" for suffix in _SUFFIXES)
"""Patterns of the names of files that can be opened as images."""
_PROJECT_FILTER = f"*{PROJECT_SUFFIX}"


def open_dialog(parent: QWidget) -> QFileDialog:
    """Dialog to open images or a project; emits ``filesSelected``."""
    dialog = QFileDialog(parent, translate("Dialogs", "Open a photo or project"))
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
    dialog.setNameFilters(
        [
            translate("Dialogs", "Photos and projects ({})").format(
                f"{IMAGE_FILTER} {_PROJECT_FILTER}"
            ),
            translate("Dialogs", "Projects ({})").format(_PROJECT_FILTER),
            translate("Dialogs", "All files (*)"),
        ]
    )
    return dialog


def folder_dialog(parent: QWidget, title: str, start: str = "") -> QFileDialog:
    """Dialog to choose a folder, at first in ``start``; emits ``fileSelected``."""
    dialog = QFileDialog(parent, title, start)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    return dialog


def locate_dialog(parent: QWidget, name: str) -> QFileDialog:
    """Dialog to locate the image of that name; emits ``fileSelected``."""
    dialog = QFileDialog(parent, translate("Dialogs", "Where is {}?").format(name))
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.setNameFilters(
        [
            translate("Dialogs", "Photos ({})").format(IMAGE_FILTER),
            translate("Dialogs", "All files (*)"),
        ]
    )
    return dialog


def save_project_dialog(parent: QWidget, document: Document) -> QFileDialog:
    """Dialog to save the project; emits ``fileSelected``."""
    dialog = QFileDialog(parent, translate("Dialogs", "Save project"))
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix(PROJECT_SUFFIX.removeprefix("."))
    dialog.setNameFilters(
        [translate("Dialogs", "Projects ({})").format(_PROJECT_FILTER)]
    )
    dialog.setDirectory(str(start_folder(document)))
    dialog.selectFile(f"{Path(document.image.name).stem}{PROJECT_SUFFIX}")
    return dialog


def close_with(document: Document, dialog: QDialog) -> None:
    """Close a dialog about a document when another one is opened in its place."""
    document.destroyed.connect(dialog.reject)


def start_folder(document: Document) -> Path:
    """Default folder of a document's files: its image's, else the user's photos."""
    source = document.image.path
    if source is not None and source.parent != asset_path("samples"):
        return source.parent
    return pictures_folder()


def pictures_folder() -> Path:
    """The user's folder of photos, as the desktop names it; without it, their own."""
    images = QStandardPaths.StandardLocation.PicturesLocation
    folder = Path(QStandardPaths.writableLocation(images))
    return folder if folder.is_dir() else Path.home()


def question_box(
    parent: QWidget, title: str, text: str, details: str = ""
) -> QMessageBox:
    """Box with a question and no buttons yet; it is deleted when it closes."""
    box = QMessageBox(parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle(title)
    box.setText(text)
    box.setInformativeText(details)
    return box


def unsaved_box(parent: QWidget, project: Path) -> QMessageBox:
    """Box about a project's unsaved changes; emits ``buttonClicked``."""
    text = translate("Dialogs", "Save the changes to {}?").format(project.name)
    return _save_box(parent, text)


def unwritten_box(parent: QWidget, error: ZimError) -> QMessageBox:
    """Box about work that cannot be kept; emits ``buttonClicked``."""
    text = translate(
        "Dialogs",
        "Your work on this photo could not be saved. Save it elsewhere, as a project?",
    )
    lines = translate_message(error.message), translate_message(error.hint or "")
    box = _save_box(parent, text, "\n".join(lines).strip())
    box.setIcon(QMessageBox.Icon.Warning)
    return box


def quit_box(
    parent: QWidget, title: str, text: str, details: str, leave: str
) -> tuple[QMessageBox, QPushButton]:
    """Box about work that quitting would end, and its button ``leave``."""
    box = question_box(parent, title, text, details)
    button = box.addButton(leave, QMessageBox.ButtonRole.AcceptRole)
    box.addButton(translate("Dialogs", "Go on"), QMessageBox.ButtonRole.RejectRole)
    for each in box.buttons():
        each.setIcon(QIcon())
    return box, button


def _save_box(parent: QWidget, text: str, details: str = "") -> QMessageBox:
    title = translate("Dialogs", "Unsaved changes")
    box = question_box(parent, title, text, details)
    button = QMessageBox.StandardButton
    box.setStandardButtons(button.Save | button.Discard | button.Cancel)
    box.setDefaultButton(button.Save)
    return box


def close_button() -> QDialogButtonBox:
    """A button box with a Close button that Enter does not press."""
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    close = buttons.button(QDialogButtonBox.StandardButton.Close)
    close.setAutoDefault(False)
    close.setToolTip(translate("Dialogs", "Close (Esc)"))
    close.setIcon(QIcon())  # Qt's own icon is invisible on dark grey
    return buttons


def about_dialog(parent: QWidget) -> QMessageBox:
    """The about box."""
    box = QMessageBox(parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setStandardButtons(QMessageBox.StandardButton.Ok)
    box.button(QMessageBox.StandardButton.Ok).setIcon(QIcon())
    box.setWindowTitle(translate("Dialogs", "About zim-studio"))
    box.setIconPixmap(parent.windowIcon().pixmap(64, 64))
    box.setText(
        translate(
            "Dialogs",
            "<h3>zim-studio</h3>"
            "<p>Click an object in a photo, get a soft alpha matte.</p>",
        )
    )
    box.setInformativeText(
        translate(
            "Dialogs",
            "Built on ZIM, “Zero-Shot Image Matting for Anything” (ICCV 2025), "
            "with PyTorch and Qt.",
        )
    )
    return box
