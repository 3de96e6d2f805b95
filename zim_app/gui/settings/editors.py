"""Editors of settings: one widget per kind; changes apply at once."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QSignalBlocker, QSize, Slot
from PySide6.QtGui import QColor, QIcon, QPixmap
from PySide6.QtWidgets import (
    QCheckBox,
    QColorDialog,
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QToolButton,
    QWidget,
)

from zim_app.gui.files.dialogs import folder_dialog
from zim_app.gui.number_boxes import NumberBox, WholeNumberBox
from zim_app.gui.settings import preferences
from zim_app.gui.settings.preferences import Setting

translate = QCoreApplication.translate


class Editor(QWidget):
    """Base class of the editors: shows and changes one setting.

    **Threads**: the window's only.
    """

    def __init__(self, setting: Setting, control: QWidget) -> None:
        super().__init__()
        self.setting = setting
        self.control = control
        control.setObjectName(setting.key)
        tip = setting.tip or setting.text
        control.setToolTip(translate("Preferences", tip))
        control.setAccessibleName(translate("Preferences", setting.text))
        self.setFocusProxy(control)
        self.row = QHBoxLayout(self)
        self.row.setContentsMargins(0, 0, 0, 0)
        self.row.addWidget(control)
        preferences.changed.connect(self._on_preference_changed)

    def start(self) -> Editor:
        """Show the current value; returns itself."""
        self._on_preference_changed(self.setting.key)
        return self

    def show_value(self, value: bool | int | float | str) -> None:
        """Set the widget's value."""
        raise NotImplementedError

    @Slot(str)
    def _on_preference_changed(self, key: str) -> None:
        if key == self.setting.key:
            with QSignalBlocker(self.control):
                self.show_value(preferences.value(key))

    def choose(self, value: bool | int | float | str) -> None:
        """Set the preference; an invalid value shows the old one again."""
        try:
            preferences.set_value(self.setting.key, value)
        except ValueError:
            self.start()


class BoolEditor(Editor):
    """Editor with a check box."""

    def __init__(self, setting: Setting) -> None:
        self.box = QCheckBox()
        super().__init__(setting, self.box)
        self.box.toggled.connect(self.choose)

    def show_value(self, value: bool | int | float | str) -> None:
        self.box.setChecked(bool(value))


class NumberEditor(Editor):
    """Editor with a spin box; a number applies with Enter or when focus leaves."""

    def __init__(self, setting: Setting) -> None:
        self.box = WholeNumberBox() if setting.kind == "int" else NumberBox()
        low, high = setting.limits
        if isinstance(self.box, WholeNumberBox):
            self.box.setRange(int(low), int(high))
        else:
            self.box.setRange(low, high)
            self.box.setSingleStep((high - low) / 100)
        if setting.unit:
            self.box.setSuffix(" " + translate("Preferences", setting.unit))
        self.box.setKeyboardTracking(False)
        super().__init__(setting, self.box)
        self.row.addStretch()
        self.box.setMinimumWidth(110)
        self.box.valueChanged.connect(self.choose)

    def show_value(self, value: bool | int | float | str) -> None:
        if isinstance(self.box, WholeNumberBox):
            self.box.setValue(int(value))
        else:
            self.box.setValue(float(value))


class ChoiceEditor(Editor):
    """Editor with a combo box."""

    def __init__(self, setting: Setting) -> None:
        self.box = QComboBox()
        for choice in setting.choices:
            self.box.addItem(translate(choice.context, choice.text), choice.value)
        super().__init__(setting, self.box)
        self.row.addStretch()
        self.box.activated.connect(self._on_activated)

    def show_value(self, value: bool | int | float | str) -> None:
        if self.box.findData(value) < 0:
            self.box.addItem(str(value), value)
        self.box.setCurrentIndex(self.box.findData(value))

    @Slot(int)
    def _on_activated(self, index: int) -> None:
        self.choose(self.box.itemData(index))


class ColourEditor(Editor):
    """Editor with a button in the colour, which opens a colour dialog."""

    def __init__(self, setting: Setting) -> None:
        self.button = QPushButton()
        self.button.setAutoDefault(False)
        self.button.setIconSize(QSize(32, 16))
        super().__init__(setting, self.button)
        self.row.addStretch()
        self.button.clicked.connect(self._show_dialog)

    def show_value(self, value: bool | int | float | str) -> None:
        swatch = QPixmap(32, 16)
        swatch.fill(QColor(str(value)))
        self.button.setIcon(QIcon(swatch))
        self.button.setText(str(value))
        name = translate("Preferences", self.setting.text)
        self.button.setAccessibleName(f"{name} {value}")

    @Slot()
    def _show_dialog(self) -> None:
        colour = QColor(preferences.value(self.setting.key))
        dialog = QColorDialog(colour, self)
        dialog.colorSelected.connect(self._on_selected)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    @Slot(QColor)
    def _on_selected(self, colour: QColor) -> None:
        self.choose(colour.name())


class TextEditor(Editor):
    """Editor with a line of text, which applies with Enter or when focus leaves."""

    def __init__(self, setting: Setting) -> None:
        self.line = QLineEdit()
        super().__init__(setting, self.line)
        self.line.editingFinished.connect(self._on_editing_finished)

    def show_value(self, value: bool | int | float | str) -> None:
        self.line.setText(str(value))

    @Slot()
    def _on_editing_finished(self) -> None:
        self.choose(self.line.text())


class FolderEditor(TextEditor):
    """Editor for a folder: typed, or chosen in a dialog."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        button = QToolButton()
        button.setObjectName(f"choose_{setting.key}")
        button.setText("…")
        button.setToolTip(self.tr("Choose a folder"))
        button.setAccessibleName(button.toolTip())
        button.clicked.connect(self._show_dialog)
        self.row.addWidget(button)

    @Slot()
    def _show_dialog(self) -> None:
        dialog = folder_dialog(self, self.tr("Choose a folder"), self.line.text())
        dialog.fileSelected.connect(self.choose)
        dialog.open()


_EDITORS: dict[str, Callable[[Setting], Editor]] = {
    "bool": BoolEditor,
    "int": NumberEditor,
    "float": NumberEditor,
    "choice": ChoiceEditor,
    "colour": ColourEditor,
    "text": TextEditor,
    "path": FolderEditor,
}


def make_editor(setting: Setting) -> Editor:
    """The editor for a setting, with its current value."""
    return _EDITORS[setting.kind](setting).start()
