"""File dialogs and the about box; all of them leave the event loop running."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QCoreApplication, QStandardPaths, Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QDialogButtonBox, QFileDialog, QMessageBox, QWidget

from zim_app.gui.document import Document
from zim_model.assets import asset_path

translate = QCoreApplication.translate


def open_dialog(parent: QWidget) -> QFileDialog:
    """Asks for a picture to open; ``fileSelected`` tells."""
    dialog = QFileDialog(parent, translate("Dialogs", "Open a picture"))
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    suffixes = "*.jpg *.jpeg *.png *.tif *.tiff *.webp *.bmp *.gif"
    dialog.setNameFilters(
        [
            translate("Dialogs", "Pictures ({})").format(suffixes),
            translate("Dialogs", "All files (*)"),
        ]
    )
    return dialog


def export_dialog(parent: QWidget, document: Document) -> QFileDialog:
    """Asks where to save the cut-out; ``fileSelected`` tells."""
    dialog = QFileDialog(parent, translate("Dialogs", "Export cut-out"))
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix("png")
    dialog.setNameFilters(
        [
            translate("Dialogs", "PNG (*.png)"),
            translate("Dialogs", "TIFF (*.tif *.tiff)"),
            translate("Dialogs", "WebP, lossless (*.webp)"),
        ]
    )
    source = document.picture.path
    if source is None or source.parent == asset_path("samples"):
        pictures = QStandardPaths.StandardLocation.PicturesLocation
        dialog.setDirectory(QStandardPaths.writableLocation(pictures))
    else:
        dialog.setDirectory(str(source.parent))
    stem = Path(document.picture.name).stem
    name = translate("Dialogs", "{}-cutout.png")
    dialog.selectFile(name.format(stem))
    return dialog


def close_button() -> QDialogButtonBox:
    """A row of buttons with Close in it, which Enter does not press."""
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    close = buttons.button(QDialogButtonBox.StandardButton.Close)
    close.setAutoDefault(False)
    close.setIcon(QIcon())  # Qt's own cannot be seen on dark grey
    return buttons


def about_dialog(parent: QWidget) -> QMessageBox:
    """Says what this program is."""
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
