"""The settings dialog, made from the table of settings; changes apply at once."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QCoreApplication, QSize, Qt, Slot
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QScrollArea,
    QStackedWidget,
    QToolButton,
    QWidget,
)

from zim_app.gui.commands.shortcut_page import ShortcutPage
from zim_app.gui.files.dialogs import close_button
from zim_app.gui.icon_button import IconButton
from zim_app.gui.settings import preferences, window_state
from zim_app.gui.settings.editors import make_editor
from zim_app.gui.settings.preferences import GROUPS, SETTINGS, Setting


def tr(text: str) -> str:
    """Translate a text of the table."""
    return QCoreApplication.translate("Preferences", text)


class SettingsPage(QScrollArea):
    """The settings of one group, one row each.

    **Threads**: the window's only.
    """

    def __init__(self, group: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.settings = [setting for setting in SETTINGS if setting.group == group]
        self._rows: dict[str, list[QWidget]] = {}
        self._resets: dict[str, QToolButton] = {}
        body = QWidget()
        grid = QGridLayout(body)
        grid.setColumnStretch(1, 1)
        grid.setVerticalSpacing(10)
        grid.setHorizontalSpacing(12)
        for row, setting in enumerate(self.settings):
            self._add_row(grid, 2 * row, setting)
        grid.setRowStretch(2 * len(self.settings), 1)
        self.setWidget(body)
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # its controls are reached
        preferences.changed.connect(self._update_reset)

    def show_matching(self, words: str) -> int:
        """Show only settings that contain all words; return their number."""
        count = 0
        for setting in self.settings:
            matches = _matches(setting, words)
            count += matches
            for widget in self._rows[setting.key]:
                widget.setVisible(matches)
        return count

    @Slot()
    def reset(self) -> None:
        """Reset this page to the defaults."""
        preferences.reset(setting.key for setting in self.settings)

    def _add_row(self, grid: QGridLayout, row: int, setting: Setting) -> None:
        editor = make_editor(setting)
        label = QLabel(tr(setting.text))
        label.setBuddy(editor)
        back = partial(preferences.reset, [setting.key])
        reset = IconButton("restore", self.tr("Back to the default"), back)
        reset.setObjectName(f"reset_{setting.key}")
        self._resets[setting.key] = reset
        widgets: list[QWidget] = [label, editor, reset]
        for column, widget in enumerate(widgets):
            grid.addWidget(widget, row, column)
        note = self._note(setting)
        if note.text():
            grid.addWidget(note, row + 1, 1, 1, 2)
            widgets.append(note)
        self._rows[setting.key] = widgets
        self._update_reset(setting.key)

    def _note(self, setting: Setting) -> QLabel:
        lines = [tr(setting.tip)] if setting.tip else []
        if setting.restart:
            lines.append(self.tr("Applies when zim-studio starts again."))
        note = QLabel("\n".join(lines))
        note.setWordWrap(True)
        note.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        font = note.font()
        font.setPointSizeF(font.pointSizeF() * 0.9)
        note.setFont(font)
        return note

    @Slot(str)
    def _update_reset(self, key: str) -> None:
        if key in self._resets:
            default = preferences.BY_KEY[key].default
            self._resets[key].setEnabled(preferences.value(key) != default)


def _matches(setting: Setting, words: str) -> bool:
    text = f"{tr(setting.text)} {tr(setting.tip) if setting.tip else ''}".casefold()
    return all(word in text for word in words.casefold().split())


class SettingsDialog(QDialog):
    """All settings and keys, page by page, with a search.

    **Threads**: the window's only.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Settings"))
        self.search = QLineEdit()
        self.search.setPlaceholderText(self.tr("Search"))
        self.search.setToolTip(self.tr("Show only entries with these words"))
        self.search.setAccessibleName(self.tr("Search"))
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._filter)
        self.list = QListWidget()
        self.list.setFixedWidth(170)
        self.list.setAccessibleName(self.tr("Pages"))
        self.pages = QStackedWidget()
        self.list.currentRowChanged.connect(self.pages.setCurrentIndex)
        for group, title in GROUPS.items():
            self._add_page(tr(title), SettingsPage(group))
        self._add_page(self.tr("Keys"), ShortcutPage())
        self.list.setCurrentRow(0)
        self._lay_out()
        self.resize(window_state.first_size(self.screen(), QSize(760, 520)))

    def _add_page(self, title: str, page: SettingsPage | ShortcutPage) -> None:
        QListWidgetItem(title, self.list)
        self.pages.addWidget(page)

    def _lay_out(self) -> None:
        buttons = close_button()
        self.reset_button = buttons.addButton(
            self.tr("Reset page"), QDialogButtonBox.ButtonRole.ResetRole
        )
        self.reset_button.setToolTip(self.tr("Go back to the defaults of this page"))
        self.reset_button.clicked.connect(self._reset_page)
        self.reset_button.setAutoDefault(False)  # Enter applies a typed value
        buttons.rejected.connect(self.reject)
        layout = QGridLayout(self)
        layout.addWidget(self.search, 0, 0)
        layout.addWidget(self.list, 1, 0)
        layout.addWidget(self.pages, 0, 1, 2, 1)
        layout.addWidget(buttons, 2, 0, 1, 2)
        layout.setColumnStretch(1, 1)

    @Slot()
    def _reset_page(self) -> None:
        page = self.pages.currentWidget()
        assert isinstance(page, SettingsPage | ShortcutPage)
        page.reset()

    @Slot(str)
    def _filter(self, words: str) -> None:
        """Hide settings that do not match, and show the first page with a match."""
        counts = []
        for row in range(self.pages.count()):
            page = self.pages.widget(row)
            assert isinstance(page, SettingsPage | ShortcutPage)
            counts.append(page.show_matching(words))
            self.list.item(row).setHidden(not counts[row])
        if any(counts) and not counts[self.list.currentRow()]:
            self.list.setCurrentRow(next(i for i, count in enumerate(counts) if count))
