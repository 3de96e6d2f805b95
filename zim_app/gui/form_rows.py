"""Rows of forms: widgets side by side, and lines with the path of a folder or file."""

from __future__ import annotations

from collections.abc import Callable
from os.path import expanduser
from pathlib import Path

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QSlider, QWidget

from zim_app.gui.files.dialogs import folder_dialog
from zim_app.gui.icon_button import IconButton


def widget_row(*widgets: QWidget) -> QWidget:
    """Widgets in a row; inputs, sliders and lists stretch."""
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    for widget in widgets:
        grows = isinstance(widget, QLineEdit | QSlider | QComboBox)
        layout.addWidget(widget, 1 if grows else 0)
    return row


def browse_button(handler: Callable[[], object]) -> IconButton:
    """A button to choose a file or folder."""
    tip = QCoreApplication.translate("ExportForm", "Choose another")
    button = IconButton("folder-open-outline", tip, handler)
    button.setAutoRaise(False)
    return button


def choose_folder(line: QLineEdit, title: str) -> None:
    """Show a dialog of that title, whose folder is written into the line."""
    dialog = folder_dialog(line, title, line.text())
    dialog.fileSelected.connect(line.setText)
    dialog.open()


def typed_path(line: QLineEdit) -> Path | None:
    """The absolute path typed in a line, "~" being the user's home; None if empty."""
    text = line.text().strip()
    # Unlike that of Path, this leaves a "~" alone that is no user's.
    return Path(expanduser(text)).absolute() if text else None
