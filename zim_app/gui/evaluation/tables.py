"""The tables of means, of rows and of failures, sorted by any column."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Generic, TypeVar

from PySide6.QtCore import (
    QT_TRANSLATE_NOOP,
    QAbstractTableModel,
    QCoreApplication,
    QLocale,
    QModelIndex,
    QPersistentModelIndex,
    Qt,
    Signal,
)
from PySide6.QtGui import QFont, QFontMetrics, QGuiApplication, QKeyEvent, QPalette
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from zim_app.gui.evaluation.results import Line
from zim_app.gui.language import error_text
from zim_model.evaluation.journal import Row
from zim_model.evaluation.measures import MEASURES, Measure
from zim_model.evaluation.report import ALL
from zim_model.evaluation.tables import NONE

translate = QCoreApplication.translate
T = TypeVar("T")
Index = QModelIndex | QPersistentModelIndex
_ROLE = Qt.ItemDataRole

MEANINGS = (
    QT_TRANSLATE_NOOP("Evaluation", "Sum of absolute differences, in thousands."),
    QT_TRANSLATE_NOOP("Evaluation", "Mean squared difference, times 1000."),
    QT_TRANSLATE_NOOP("Evaluation", "Mean absolute difference, times 1000."),
    QT_TRANSLATE_NOOP("Evaluation", "Mean difference of Sobel gradients, times 1000."),
    QT_TRANSLATE_NOOP("Evaluation", "Connectivity error, in thousands."),
    QT_TRANSLATE_NOOP("Evaluation", "As SAD, in the region that counts."),
    QT_TRANSLATE_NOOP("Evaluation", "As MSE, in the region that counts."),
    QT_TRANSLATE_NOOP(
        "Evaluation", "Squared difference of Gaussian gradients, summed, in thousands."
    ),
    QT_TRANSLATE_NOOP("Evaluation", "As Conn, in the region that counts."),
    QT_TRANSLATE_NOOP("Evaluation", "As SAD, within 10 pixels of the outline."),
    QT_TRANSLATE_NOOP("Evaluation", "As MSE, within 10 pixels of the outline."),
    QT_TRANSLATE_NOOP("Evaluation", "Intersection over union of alpha above one half."),
    QT_TRANSLATE_NOOP(
        "Evaluation", "IoU of the masks' inner boundaries, 2 % of the diagonal wide."
    ),
    QT_TRANSLATE_NOOP("Evaluation", "Clicks until IoU 0.85, the most where never."),
    QT_TRANSLATE_NOOP("Evaluation", "Clicks until IoU 0.90, the most where never."),
)
"""Of the measures, as they are worded there."""
_ROOT = QModelIndex()
_ROOM, _SORT_MARK, _WIDEST = 12, 16, 900
"""View pixels beside a text, for the mark of sorting, and at most."""
_LOOKED_AT = 40
"""Rows whose widths count; more would take time."""
BY_NAME = {measure.name: measure for measure in MEASURES}


@dataclass(frozen=True, slots=True)
class Column(Generic[T]):
    """One column of a table.

    Attributes:
        title: at its top.
        key: what it is sorted by; None where there is nothing, which comes last.
        text: what stands in a cell.
        tip: about the column.
        number: whether it is right-aligned, and first sorted with the worst on top.
        more_is_better: of a measure.
    """

    title: str
    key: Callable[[T], Any]
    text: Callable[[T], str]
    tip: str = ""
    number: bool = False
    more_is_better: bool = False


def number_text(value: float | None) -> str:
    """A measure with the digits that tables of this field print."""
    if value is None:
        return NONE
    return QLocale().toString(value, "f", 4 if abs(value) < 1000 else 1)


def all_text(name: str) -> str:
    """A subset or size for people."""
    return translate("Evaluation", "all") if name == ALL else name


class TableModel(QAbstractTableModel, Generic[T]):
    """Values as lines of a table; sorting keeps lines without a value at the end.

    **Threads**: the window's only.
    """

    def __init__(self) -> None:
        super().__init__()
        self.columns: tuple[Column[T], ...] = ()
        self.lines: list[T] = []
        self.sorted_by: str = ""
        self.descending = False

    def show_lines(self, lines: Sequence[T], columns: Sequence[Column[T]]) -> None:
        """Show others, in the order that the user chose."""
        self.beginResetModel()
        self.lines, self.columns = list(lines), tuple(columns)
        self._sort()
        self.endResetModel()

    def _sort(self) -> None:
        column = next((c for c in self.columns if c.title == self.sorted_by), None)
        if column is None:
            return
        pairs = [(column.key(line), line) for line in self.lines]
        there = [pair for pair in pairs if pair[0] is not None]
        missing = [line for key, line in pairs if key is None]
        there.sort(key=itemgetter(0), reverse=self.descending)
        self.lines = [line for _, line in there] + missing

    def rowCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self.lines)

    def columnCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self.columns)

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = _ROLE.DisplayRole,
    ) -> Any:
        if orientation != Qt.Orientation.Horizontal or section >= len(self.columns):
            return None
        column = self.columns[section]
        if role == _ROLE.DisplayRole:
            return column.title
        if role == _ROLE.ToolTipRole:
            return column.tip or None
        if role == _ROLE.TextAlignmentRole:
            return _alignment(column.number)
        return None

    def data(self, index: Index, role: int = _ROLE.DisplayRole) -> Any:
        if not index.isValid():
            return None
        line, column = self.lines[index.row()], self.columns[index.column()]
        if role == _ROLE.DisplayRole:
            return column.text(line)
        if role == _ROLE.TextAlignmentRole:
            return _alignment(column.number)
        return self.look_of(line, role)

    def look_of(self, line: T, role: int) -> Any:
        """Font, colour or tool tip of a line."""
        return None


def _alignment(number: bool) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if number else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter


def _faint() -> Any:
    palette = QGuiApplication.palette()
    return palette.brush(QPalette.ColorRole.PlaceholderText)


class MeansModel(TableModel[Line]):
    """Means by system, prompt, subset and size; published ones set apart."""

    def _sort(self) -> None:
        super()._sort()
        self.lines.sort(key=lambda line: line.published)  # never mixed

    def look_of(self, line: Line, role: int) -> Any:
        if role == _ROLE.FontRole:
            font = QFont()
            font.setItalic(line.published)
            font.setBold(not line.published and line.size == ALL)
            return font
        if role == _ROLE.ForegroundRole and line.published:
            return _faint()
        if role == _ROLE.ToolTipRole and line.published:
            return translate(
                "Evaluation",
                "Published by others, not measured here: Table 1 of the ZIM paper "
                "(ICCV 2025)",
            )
        return None


def mean_columns(measures: Sequence[str]) -> list[Column[Line]]:
    """The columns of the table of means."""
    texts: list[Column[Line]] = [
        Column(
            translate("Evaluation", "Model"), lambda x: x.system.lower(), _system_text
        ),
        Column(translate("Evaluation", "Prompt"), lambda x: x.prompt, _prompt_text),
        Column(
            translate("Evaluation", "Subset"),
            lambda x: x.subset,
            lambda x: all_text(x.subset),
        ),
        Column(
            translate("Evaluation", "Size"),
            lambda x: ("all", "S", "M", "L").index(x.size),
            lambda x: all_text(x.size),
            translate(
                "Evaluation",
                "Of the object: S under 1 %, M under 10 %, L from 10 % of the picture",
            ),
        ),
        Column(
            translate("Evaluation", "Rows"),
            lambda x: x.count or None,
            _count_text,
            translate("Evaluation", "How many were measured, and how many failed"),
            number=True,
        ),
    ]
    return [*texts, *(_measure_column(name, _mean_of(name)) for name in measures)]


def _mean_of(name: str) -> Callable[[Line], float | None]:
    return lambda line: line.means.get(name)


def _system_text(line: Line) -> str:
    if line.published:
        return translate("Evaluation", "{} (published)").format(line.system)
    return line.system


def _prompt_text(line: Line | Row) -> str:
    return prompt_text(line.prompt)


def _count_text(line: Line) -> str:
    if line.published:
        return ""
    if line.failed:
        text = translate("Evaluation", "{} (+{} failed)")
        return text.format(line.count, line.failed)
    return str(line.count)


def prompt_text(prompt: str) -> str:
    """A kind of prompts for people."""
    kind, _, count = prompt.partition(":")
    if kind == "clicks":
        return translate("Evaluation", "{} clicks").format(count)
    texts = {
        "point": translate("Evaluation", "point"),
        "box": translate("Evaluation", "box"),
    }
    return texts.get(kind, prompt)


def _measure_column(name: str, key: Callable[[T], float | None]) -> Column[T]:
    measure = BY_NAME[name]
    return Column(
        name,
        key,
        lambda line: number_text(key(line)),
        measure_tip(measure),
        number=True,
        more_is_better=measure.better == "more",
    )


def measure_tip(measure: Measure) -> str:
    """What a measure is, and which way is better."""
    better = (
        translate("Evaluation", "more is better")
        if measure.better == "more"
        else translate("Evaluation", "less is better")
    )
    return f"{translate('Evaluation', measure.meaning)} ({better})"


class RowsModel(TableModel[Row]):
    """The single rows; a failed one says why in its tool tip.

    Args:
        faint_failures: whether failed rows are told apart from others.
    """

    def __init__(self, *, faint_failures: bool = True) -> None:
        super().__init__()
        self._faint = faint_failures

    def look_of(self, line: Row, role: int) -> Any:
        if role == _ROLE.ForegroundRole and line.error and self._faint:
            return _faint()
        if role == _ROLE.ToolTipRole:
            return error_text(line.error) if line.error else line.case
        return None


def row_columns(measures: Sequence[str], *, failed: bool) -> list[Column[Row]]:
    """The columns of the table of rows.

    Args:
        failed: whether some failed, whose reasons then have a column.
    """
    columns: list[Column[Row]] = [
        Column(translate("Evaluation", "Case"), lambda x: x.case, lambda x: x.case),
        Column(
            translate("Evaluation", "Model"),
            lambda x: x.system.lower(),
            lambda x: x.system,
        ),
        Column(translate("Evaluation", "Prompt"), lambda x: x.prompt, _prompt_text),
        Column(
            translate("Evaluation", "Size"),
            lambda x: None if x.error else x.area,
            lambda x: NONE if x.error else x.size,
            translate(
                "Evaluation",
                "Of the object: S under 1 %, M under 10 %, L from 10 % of the picture",
            ),
        ),
    ]
    columns += [_measure_column(name, _value_of(name)) for name in measures]
    if failed:
        columns.append(
            Column(
                translate("Evaluation", "Reason"),
                lambda x: x.error or None,
                lambda x: error_text(x.error),
            )
        )
    return columns


def _value_of(name: str) -> Callable[[Row], float | None]:
    return lambda row: row.metrics.get(name)


class Table(QTableView):
    """A table whose first click on a number's title puts the worst on top.

    **Signals**: ``opened(line)``: it was double-clicked, or Enter pressed on it.

    **Threads**: the window's only.
    """

    opened = Signal(object)

    def __init__(self, model: TableModel[Any], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.table = model
        self.doubleClicked.connect(self._on_double_clicked)
        self.setModel(model)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setAlternatingRowColors(True)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        vertical = self.verticalHeader()
        vertical.hide()
        vertical.setDefaultSectionSize(vertical.minimumSectionSize() + 2)
        header = self.horizontalHeader()
        header.setSectionsClickable(True)
        header.setHighlightSections(False)
        header.setSortIndicatorShown(True)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.sectionClicked.connect(self._on_header_clicked)
        self._shown: tuple[str, ...] = ()

    def show_lines(self, lines: Sequence[Any], columns: Sequence[Column[Any]]) -> None:
        """Show other lines; widths stay while the columns are the same."""
        place = self.verticalScrollBar().value()
        self.table.show_lines(lines, columns)
        self._make_room(columns)
        self._show_order()
        self.verticalScrollBar().setValue(place)

    def _make_room(self, columns: Sequence[Column[Any]]) -> None:
        """Widen the columns for what is in them; Qt's own way asks much more."""
        titles = tuple(column.title for column in columns)
        anew, self._shown = titles != self._shown, titles
        font = self.font()
        font.setBold(True)
        metrics = QFontMetrics(font)
        first = self.table.lines[:_LOOKED_AT]
        for index, column in enumerate(columns):
            title = metrics.horizontalAdvance(column.title) + _SORT_MARK
            texts = {column.text(line) for line in first}
            wanted = max([title, *map(metrics.horizontalAdvance, texts)]) + _ROOM
            if anew or wanted > self.columnWidth(index):
                self.setColumnWidth(index, min(wanted, _WIDEST))

    def sort_by(self, title: str, *, descending: bool) -> None:
        """Sort by the column of that title."""
        self.table.sorted_by, self.table.descending = title, descending
        self.show_lines(self.table.lines, self.table.columns)

    def _on_double_clicked(self, index: QModelIndex) -> None:
        self.opened.emit(self.table.lines[index.row()])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        # Not "activated": on some systems a single click does that.
        index = self.currentIndex()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and index.isValid():
            self.opened.emit(self.table.lines[index.row()])
        else:
            super().keyPressEvent(event)

    def _on_header_clicked(self, index: int) -> None:
        column = self.table.columns[index]
        descending = column.number and not column.more_is_better
        if self.table.sorted_by == column.title:
            descending = not self.table.descending
        self.sort_by(column.title, descending=descending)

    def _show_order(self) -> None:
        titles = [column.title for column in self.table.columns]
        header = self.horizontalHeader()
        if self.table.sorted_by not in titles:
            header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
            return
        down = Qt.SortOrder.DescendingOrder
        order = down if self.table.descending else Qt.SortOrder.AscendingOrder
        header.setSortIndicator(titles.index(self.table.sorted_by), order)
