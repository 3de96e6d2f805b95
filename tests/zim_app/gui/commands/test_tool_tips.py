"""All controls have tool tips."""

import pytest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QSlider,
    QWidget,
)

from zim_app.gui.commands.cheat_sheet import CheatSheet
from zim_app.gui.crash import CrashDialog
from zim_app.gui.settings.settings_dialog import SettingsDialog

CONTROLS = (QAbstractButton, QAbstractSpinBox, QComboBox, QLineEdit, QSlider)
COMPOUND = (QAbstractSpinBox, QComboBox, QLineEdit)


def silent(root: QWidget) -> list[str]:
    """Controls without a tool tip, except parts of others and those of Qt."""
    return [
        f"{type(widget).__name__} in {type(widget.parent()).__name__}"
        for widget in root.findChildren(QWidget)
        if isinstance(widget, CONTROLS)
        and not isinstance(widget.parent(), COMPOUND)
        and not widget.objectName().startswith("qt_")
        and not widget.toolTip()
    ]


def test_the_window(opened):
    opened.banner.show_error("It failed.", "", "Undo", lambda: None)
    opened.status.show_success("Saved it.", "Open folder", lambda: None)
    assert silent(opened) == []


@pytest.mark.parametrize("make", [SettingsDialog, CheatSheet])
def test_dialogs(make, window):
    assert silent(make(window)) == []


def test_the_report_of_a_bug(window):
    assert silent(CrashDialog("a bug", window)) == []
