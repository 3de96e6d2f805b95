"""The pictures of a batch as a table: what will come of each, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import (
    QT_TRANSLATE_NOOP,
    QAbstractTableModel,
    QCoreApplication,
    QLocale,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
)
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from zim_app.gui.icons import glyph
from zim_app.gui.language import error_text

if TYPE_CHECKING:
    from zim_app.core.batch.journal import Row
    from zim_app.core.batch.resume import Foreseen

translate = QCoreApplication.translate
Index = QModelIndex | QPersistentModelIndex

COLUMNS = (
    QT_TRANSLATE_NOOP("BatchTable", "Picture"),
    QT_TRANSLATE_NOOP("BatchTable", "State"),
    QT_TRANSLATE_NOOP("BatchTable", "Prompts"),
    QT_TRANSLATE_NOOP("BatchTable", "Result"),
    QT_TRANSLATE_NOOP("BatchTable", "Time"),
)
PICTURE, STATE, PROMPTS, RESULT, TIME = range(5)
STATES = {
    "waiting": QT_TRANSLATE_NOOP("BatchTable", "Waiting"),
    "working": QT_TRANSLATE_NOOP("BatchTable", "Matting…"),
    "done": QT_TRANSLATE_NOOP("BatchTable", "Made"),
    "kept": QT_TRANSLATE_NOOP("BatchTable", "Made before"),
    "skipped": QT_TRANSLATE_NOOP("BatchTable", "No prompts"),
    "failed": QT_TRANSLATE_NOOP("BatchTable", "Failed"),
}
SOURCES = {
    "session": QT_TRANSLATE_NOOP("BatchTable", "Studio"),
    "project": QT_TRANSLATE_NOOP("BatchTable", "Project"),
    "table": QT_TRANSLATE_NOOP("BatchTable", "File"),
    "box": QT_TRANSLATE_NOOP("BatchTable", "Box"),
    "automatic": QT_TRANSLATE_NOOP("BatchTable", "Main object"),
}
_SIGNS = {
    "working": ("progress-clock", "#2f8fff"),
    "done": ("check-circle", "#3dbe6b"),
    "kept": ("check-circle-outline", "#3dbe6b"),
    "skipped": ("minus-circle-outline", "#8a8a8a"),
    "failed": ("alert-circle", "#e4572e"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One picture.

    Attributes:
        picture: as reports call it.
        path: of its file; None if there is none.
        state: a key of ``STATES``.
        prompts: a key of ``SOURCES``, or empty.
        text: the files, or why there are none.
        ms: what it took; 0 before.
    """

    picture: str
    path: Path | None
    state: str
    prompts: str = ""
    text: str = ""
    ms: float = 0.0


class BatchTable(QAbstractTableModel):
    """The lines, in the order of the batch.

    **Threads**: the window's only.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.lines: list[Line] = []
        self._rows: dict[str, int] = {}

    def show_outlook(
        self, pictures: Iterable[Foreseen], paths: Mapping[str, Path]
    ) -> None:
        """Show what a run would do with these pictures, whose files are ``paths``."""
        self.beginResetModel()
        self.lines = [
            Line(
                each.picture,
                paths.get(each.picture),
                "waiting" if each.state == "done" else each.state,
                each.prompts or "",
                ", ".join(each.outputs) or _reason(each.message, each.hint),
            )
            for each in pictures
        ]
        self._rows = {line.picture: row for row, line in enumerate(self.lines)}
        self.endResetModel()

    def clear(self) -> None:
        """Show nothing."""
        self.show_outlook((), {})

    def show_working(self, picture: str) -> int:
        """The model works on that picture now; returns its row, -1 if it has none."""
        row = self._rows.get(picture, -1)
        if row >= 0:
            self._set(row, replace(self.lines[row], state="working"))
        return row

    def show_row(self, result: Row) -> None:
        """Show what came of a picture."""
        row = self._rows.get(result.picture, -1)
        if row < 0:
            return
        ms = result.read_ms + result.encode_ms + result.click_ms + result.write_ms
        text = ", ".join(result.outputs) or _reason(result.message, result.hint)
        old = self.lines[row]
        prompts = result.prompts or old.prompts
        self._set(row, Line(result.picture, old.path, result.state, prompts, text, ms))

    def _set(self, row: int, line: Line) -> None:
        self.lines[row] = line
        self.dataChanged.emit(self.index(row, 0), self.index(row, TIME))

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.lines)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        shown = role == Qt.ItemDataRole.DisplayRole
        if shown and orientation == Qt.Orientation.Horizontal:
            return translate("BatchTable", COLUMNS[section])
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        line, column = self.lines[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(line, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return line.picture if column == PICTURE else self._text(line, column)
        if role == Qt.ItemDataRole.DecorationRole and column == STATE:
            sign = _SIGNS.get(line.state)
            return glyph(sign[0], 16, sign[1]) if sign else None
        if role == Qt.ItemDataRole.TextAlignmentRole and column == TIME:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def _text(self, line: Line, column: int) -> str:
        if column == PICTURE:
            return line.picture
        if column == STATE:
            return translate("BatchTable", STATES[line.state])
        if column == PROMPTS:
            return translate("BatchTable", SOURCES.get(line.prompts, ""))
        if column == RESULT:
            return line.text
        if not line.ms:
            return ""
        return self.tr("{} ms").format(QLocale().toString(round(line.ms)))


def _reason(message: str, hint: str) -> str:
    return f"{error_text(message)} {error_text(hint)}".strip()


def table_view(model: BatchTable, parent: QWidget | None = None) -> QTableView:
    """A view of the lines, whose rows are chosen as a whole."""
    view = QTableView(parent)
    view.setModel(model)
    view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    view.setAlternatingRowColors(True)
    view.setShowGrid(False)
    view.setWordWrap(False)
    view.setTabKeyNavigation(False)
    view.verticalHeader().hide()
    view.verticalHeader().setDefaultSectionSize(24)
    header = view.horizontalHeader()
    header.setHighlightSections(False)
    for column, width in ((PICTURE, 190), (STATE, 120), (PROMPTS, 100), (TIME, 80)):
        view.setColumnWidth(column, width)
    header.setSectionResizeMode(RESULT, QHeaderView.ResizeMode.Stretch)
    return view
