"""The cheat sheet: all keys and mouse gestures, made from the tables."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication, QSize, Qt, Slot
from PySide6.QtWidgets import (
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from zim_app.gui.commands import shortcuts
from zim_app.gui.commands.actions import BY_ID, sections
from zim_app.gui.commands.gesture_help import GESTURES
from zim_app.gui.settings import window_state

FULL_SIZE = QSize(1400, 760)
COLUMN_WIDTH = 330
"""Least width of a column, in the language with the longest texts."""
SIDE_BY_SIDE = 22
"""Number of characters up to which keys are shown side by side."""
_STYLE = """
QLabel[key="true"] {
    border: 1px solid palette(mid); border-radius: 4px; padding: 1px 6px;
    background: palette(base);
}
"""


class CheatSheetSection(QWidget):
    """A title, and rows of descriptions with their keys.

    **Threads**: the window's only.
    """

    def __init__(self, title: str, rows: Sequence[tuple[str, Sequence[str]]]) -> None:
        super().__init__()
        self.rows: list[tuple[str, list[QWidget]]] = []
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 12)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(0, 1)
        heading = QLabel(title)
        font = heading.font()
        font.setBold(True)
        heading.setFont(font)
        grid.addWidget(heading, 0, 0, 1, 2)
        for number, (text, keys) in enumerate(rows, start=1):
            label = QLabel(text)
            label.setWordWrap(True)
            caps = _key_caps(keys)
            grid.addWidget(label, number, 0)
            grid.addWidget(caps, number, 1)
            search_text = " ".join((title, text, *keys)).casefold()
            self.rows.append((search_text, [label, caps]))

    def show_matching(self, words: str) -> None:
        """Show only rows with all words; hide the section without such rows."""
        searched = words.casefold().split()
        matching = [all(word in text for word in searched) for text, _ in self.rows]
        for visible, (_, widgets) in zip(matching, self.rows, strict=True):
            for widget in widgets:
                widget.setVisible(visible)
        self.setVisible(any(matching))


def _key_caps(keys: Sequence[str]) -> QWidget:
    """Widget with the keys side by side, or in a column if they are too wide."""
    caps = QWidget()
    wide = sum(map(len, keys)) > SIDE_BY_SIDE
    box = QVBoxLayout(caps) if wide else QHBoxLayout(caps)
    box.setContentsMargins(0, 0, 0, 0)
    box.setSpacing(4)
    if not wide:
        box.addStretch()
    for key in keys:
        cap = QLabel(key)
        cap.setProperty("key", True)
        cap.setWordWrap(keys == [key] and len(key) > SIDE_BY_SIDE)
        box.addWidget(
            cap, 0, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        )
    return caps


class CheatSheet(QDialog):
    """Dialog with keys and gestures in columns, and a search field.

    **Threads**: the window's only.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Keys and mouse"))
        self.setStyleSheet(_STYLE)
        self.search = QLineEdit()
        self.search.setPlaceholderText(self.tr("Search"))
        self.search.setToolTip(self.tr("Show only entries with these words"))
        self.search.setAccessibleName(self.tr("Search"))
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._filter)
        self.sections = [self._mouse(), *self._actions()]
        size = window_state.first_size(self.screen(), FULL_SIZE)
        body = QScrollArea()
        body.setWidget(self._columns(size.width() // COLUMN_WIDTH))
        body.setWidgetResizable(True)
        body.setFrameShape(QScrollArea.Shape.NoFrame)
        body.setAccessibleName(self.windowTitle())
        layout = QVBoxLayout(self)
        layout.addWidget(self.search)
        layout.addWidget(body, 1)
        self.resize(size)

    def _mouse(self) -> CheatSheetSection:
        translate = QCoreApplication.translate
        rows = [
            (
                translate("Gestures", use.text),
                translate("Gestures", use.how).split(", "),
            )
            for use in GESTURES
        ]
        return CheatSheetSection(self.tr("On the canvas"), rows)

    def _actions(self) -> list[CheatSheetSection]:
        """Sections of the actions with a key, one per menu."""
        keys = shortcuts.current()
        result = []
        for title, ids in sections():
            rows = [
                (BY_ID[id_].label, [shortcuts.native_text(key) for key in keys[id_]])
                for id_ in ids
                if keys[id_]
            ]
            if rows:
                result.append(CheatSheetSection(title, rows))
        return result

    def _columns(self, count: int) -> QWidget:
        """The sections in columns; each is added to the shortest column."""
        body = QWidget()
        outer = QHBoxLayout(body)
        outer.setSpacing(24)
        columns = [QVBoxLayout() for _ in range(count)]
        lengths = [0] * count
        for section in self.sections:
            shortest = lengths.index(min(lengths))
            columns[shortest].addWidget(section)
            lengths[shortest] += len(section.rows) + 2
        for number, column in enumerate(columns):
            column.addStretch()
            # The first, with the mouse gestures, has longer texts.
            outer.addLayout(column, 2 if number else 3)
        return body

    @Slot(str)
    def _filter(self, words: str) -> None:
        for section in self.sections:
            section.show_matching(words)
