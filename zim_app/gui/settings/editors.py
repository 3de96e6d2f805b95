"""A widget for each kind of setting; it shows the value and changes it at once."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QSignalBlocker, QSize, Slot
from PySide6.QtGui import QColor, QIcon, QPixmap
from PySide6.QtWidgets import (
    QCheckBox,
    QColorDialog,
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QToolButton,
    QWidget,
)

from zim_app.gui.settings import preferences
from zim_app.gui.settings.preferences import Setting

translate = QCoreApplication.translate


class Editor(QWidget):
    """Shows and changes one setting; a subclass has the widget for its kind.

    **Threads**: the window's only.
    """

    def __init__(self, setting: Setting, control: QWidget) -> None:
        super().__init__()
        self.setting = setting
        self.control = control
        control.setObjectName(setting.key)
        tip = setting.tip or setting.text
        control.setToolTip(translate("Preferences", tip))
        self.setFocusProxy(control)
        self.row = QHBoxLayout(self)
        self.row.setContentsMargins(0, 0, 0, 0)
        self.row.addWidget(control)
        preferences.changed.connect(self._on_preference_changed)

    def start(self) -> Editor:
        """Show the value as it is now."""
        self._on_preference_changed(self.setting.key)
        return self

    def show_value(self, value: bool | int | float | str) -> None:
        """Make the widget show that value."""
        raise NotImplementedError

    @Slot(str)
    def _on_preference_changed(self, key: str) -> None:
        if key == self.setting.key:
            with QSignalBlocker(self.control):
                self.show_value(preferences.value(key))

    def choose(self, value: bool | int | float | str) -> None:
        """Take what the user chose; show the old value if it makes no sense."""
        try:
            preferences.set_value(self.setting.key, value)
        except ValueError:
            self.start()


class BoolEditor(Editor):
    """A check box."""

    def __init__(self, setting: Setting) -> None:
        self.box = QCheckBox()
        super().__init__(setting, self.box)
        self.box.toggled.connect(self.choose)

    def show_value(self, value: bool | int | float | str) -> None:
        self.box.setChecked(bool(value))


class NumberEditor(Editor):
    """A spin box; a number applies when it has been typed to its end."""

    def __init__(self, setting: Setting) -> None:
        self.box = QSpinBox() if setting.kind == "int" else QDoubleSpinBox()
        low, high = setting.limits
        if isinstance(self.box, QSpinBox):
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
        if isinstance(self.box, QSpinBox):
            self.box.setValue(int(value))
        else:
            self.box.setValue(float(value))


class ChoiceEditor(Editor):
    """A list to pull down."""

    def __init__(self, setting: Setting) -> None:
        self.box = QComboBox()
        for choice in setting.choices:
            self.box.addItem(translate(choice.context, choice.text), choice.value)
        super().__init__(setting, self.box)
        self.row.addStretch()
        self.box.activated.connect(self._on_activated)

    def show_value(self, value: bool | int | float | str) -> None:
        self.box.setCurrentIndex(self.box.findData(value))

    @Slot(int)
    def _on_activated(self, index: int) -> None:
        self.choose(self.box.itemData(index))


class ColourEditor(Editor):
    """A button in the colour, which opens a dialog."""

    def __init__(self, setting: Setting) -> None:
        self.button = QPushButton()
        self.button.setAutoDefault(False)
        self.button.setIconSize(QSize(32, 16))
        super().__init__(setting, self.button)
        self.row.addStretch()
        self.button.clicked.connect(self._ask)

    def show_value(self, value: bool | int | float | str) -> None:
        swatch = QPixmap(32, 16)
        swatch.fill(QColor(str(value)))
        self.button.setIcon(QIcon(swatch))
        self.button.setText(str(value))

    @Slot()
    def _ask(self) -> None:
        colour = QColor(preferences.value(self.setting.key))
        dialog = QColorDialog(colour, self)
        dialog.colorSelected.connect(self._on_selected)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    @Slot(QColor)
    def _on_selected(self, colour: QColor) -> None:
        self.choose(colour.name())


class TextEditor(Editor):
    """A line of text, which applies with Enter or when it is left."""

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
    """A folder: typed, or chosen in a dialog."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        button = QToolButton()
        button.setObjectName(f"choose_{setting.key}")
        button.setText("…")
        button.setToolTip(self.tr("Choose a folder"))
        button.clicked.connect(self._ask)
        self.row.addWidget(button)

    @Slot()
    def _ask(self) -> None:
        dialog = QFileDialog(self, self.tr("Choose a folder"), self.line.text())
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(self.choose)
        dialog.finished.connect(dialog.deleteLater)
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
    """The widget for a setting, with the value that it has now."""
    return _EDITORS[setting.kind](setting).start()
