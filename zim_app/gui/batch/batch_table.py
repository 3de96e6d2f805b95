"""The images of a batch as a table: the preview of each, then its result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import (
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
from zim_app.gui.language import translate_message
from zim_app.gui.translatable import QT_TRANSLATE_NOOP

if TYPE_CHECKING:
    from zim_app.core.batch.journal import BatchRow
    from zim_app.core.batch.resume import DryRunEntry

translate = QCoreApplication.translate
Index = QModelIndex | QPersistentModelIndex

COLUMNS = (
    QT_TRANSLATE_NOOP("BatchTable", "Photo"),
    QT_TRANSLATE_NOOP("BatchTable", "State"),
    QT_TRANSLATE_NOOP("BatchTable", "Prompts"),
    QT_TRANSLATE_NOOP("BatchTable", "Result"),
    QT_TRANSLATE_NOOP("BatchTable", "Time"),
)
IMAGE_COLUMN, STATE_COLUMN, PROMPTS_COLUMN, RESULT_COLUMN, TIME_COLUMN = range(5)
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
class BatchTableRow:
    """One image of the batch.

    Attributes:
        image: its name in reports.
        path: its file; None if there is none.
        state: a key of ``STATES``.
        prompts: a key of ``SOURCES``, or empty.
        text: names of the written files, or the reason why there are none.
        ms: milliseconds spent; 0 before it is done.
    """

    image: str
    path: Path | None
    state: str
    prompts: str = ""
    text: str = ""
    ms: float = 0.0


class BatchTable(QAbstractTableModel):
    """Table model with one row per image, in the order of the batch.

    **Threads**: the window's only.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: list[BatchTableRow] = []
        self._row_numbers: dict[str, int] = {}

    def show_preview(
        self, entries: Iterable[DryRunEntry], paths: Mapping[str, Path]
    ) -> None:
        """Show the preview of a run; ``paths`` are the files by name of the image."""
        self.beginResetModel()
        self.rows = [
            BatchTableRow(
                entry.image,
                paths.get(entry.image),
                "waiting" if entry.state == "done" else entry.state,
                entry.prompts or "",
                ", ".join(entry.outputs) or _failure_text(entry.message, entry.hint),
            )
            for entry in entries
        ]
        self._row_numbers = {row.image: number for number, row in enumerate(self.rows)}
        self.endResetModel()

    def clear(self) -> None:
        """Remove all rows."""
        self.show_preview((), {})

    def show_working(self, image: str) -> int:
        """Mark an image as being processed; return its row number, -1 without one."""
        number = self._row_numbers.get(image, -1)
        if number >= 0:
            self._set(number, replace(self.rows[number], state="working"))
        return number

    def show_row(self, result: BatchRow) -> None:
        """Show the result of an image."""
        number = self._row_numbers.get(result.image, -1)
        if number < 0:
            return
        ms = result.read_ms + result.encode_ms + result.click_ms + result.write_ms
        text = ", ".join(result.outputs) or _failure_text(result.message, result.hint)
        if result.notes:
            text = " – ".join([text, *map(translate_message, result.notes)])
        old = self.rows[number]
        prompts = result.prompts or old.prompts
        self._set(
            number,
            BatchTableRow(result.image, old.path, result.state, prompts, text, ms),
        )

    def _set(self, number: int, row: BatchTableRow) -> None:
        self.rows[number] = row
        self.dataChanged.emit(self.index(number, 0), self.index(number, TIME_COLUMN))

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        is_text = role == Qt.ItemDataRole.DisplayRole
        if is_text and orientation == Qt.Orientation.Horizontal:
            return translate("BatchTable", COLUMNS[section])
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row, column = self.rows[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(row, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return row.image if column == IMAGE_COLUMN else self._text(row, column)
        if role == Qt.ItemDataRole.DecorationRole and column == STATE_COLUMN:
            sign = _SIGNS.get(row.state)
            return glyph(sign[0], 16, sign[1]) if sign else None
        if role == Qt.ItemDataRole.TextAlignmentRole and column == TIME_COLUMN:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def _text(self, row: BatchTableRow, column: int) -> str:
        if column == IMAGE_COLUMN:
            return row.image
        if column == STATE_COLUMN:
            return translate("BatchTable", STATES[row.state])
        if column == PROMPTS_COLUMN:
            return translate("BatchTable", SOURCES.get(row.prompts, ""))
        if column == RESULT_COLUMN:
            return row.text
        if not row.ms:
            return ""
        return self.tr("{} ms").format(QLocale().toString(round(row.ms)))


def _failure_text(message: str, hint: str) -> str:
    return f"{translate_message(message)} {translate_message(hint)}".strip()


def table_view(model: BatchTable, parent: QWidget | None = None) -> QTableView:
    """A view of the table in which whole rows are selected."""
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
    for column, width in (
        (IMAGE_COLUMN, 190),
        (STATE_COLUMN, 120),
        (PROMPTS_COLUMN, 100),
        (TIME_COLUMN, 80),
    ):
        view.setColumnWidth(column, width)
    header.setSectionResizeMode(RESULT_COLUMN, QHeaderView.ResizeMode.Stretch)
    return view
