"""The tables of means, of rows and of failures, sorted by any column."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Generic, TypeVar

from PySide6.QtCore import (
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

from zim_app.gui.evaluation.results import MeansRow
from zim_app.gui.language import translate_message
from zim_app.gui.translatable import QT_TRANSLATE_NOOP
from zim_model.evaluation.journal import EvaluationRow
from zim_model.evaluation.measures import METRICS, Metric
from zim_model.evaluation.modes import MODES
from zim_model.evaluation.report import ALL
from zim_model.evaluation.tables import NO_VALUE

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
    QT_TRANSLATE_NOOP("Evaluation", "Percent of the interior that is not opaque."),
    QT_TRANSLATE_NOOP("Evaluation", "Percent of the exterior that is not transparent."),
    QT_TRANSLATE_NOOP("Evaluation", "Intersection over union of alpha above one half."),
    QT_TRANSLATE_NOOP(
        "Evaluation", "IoU of the masks' inner boundaries, 2 % of the diagonal wide."
    ),
    QT_TRANSLATE_NOOP("Evaluation", "Clicks until IoU 0.85, the most where never."),
    QT_TRANSLATE_NOOP("Evaluation", "Clicks until IoU 0.90, the most where never."),
)
"""Descriptions of the metrics, as in :data:`METRICS`, for translation."""
_ROOT = QModelIndex()
_CELL_PADDING, _SORT_MARK, _MAX_WIDTH = 12, 16, 900
"""Widths in view pixels: beside a text, of the sort indicator, and of a column."""
_ROWS_MEASURED_FOR_WIDTH = 40
"""Rows whose texts determine the widths of columns; more would be slow."""
BY_NAME = {metric.name: metric for metric in METRICS}


@dataclass(frozen=True, slots=True)
class TableColumn(Generic[T]):
    """One column of a table.

    Attributes:
        title: its header.
        key: sort key of a row; rows with None are last.
        text: text of a row's cell.
        tip: tool tip of the header.
        number: whether it is right-aligned, and first sorted with the worst on top.
        more_is_better: of a metric.
    """

    title: str
    key: Callable[[T], Any]
    text: Callable[[T], str]
    tip: str = ""
    number: bool = False
    more_is_better: bool = False


def number_text(value: float | None) -> str:
    """The value of a metric, with 4 decimals or 1 above 1000."""
    if value is None:
        return NO_VALUE
    return QLocale().toString(value, "f", 4 if abs(value) < 1000 else 1)


def all_text(name: str) -> str:
    """A subset or size as translated text."""
    return translate("Evaluation", "all") if name == ALL else name


class ResultsTableModel(QAbstractTableModel, Generic[T]):
    """Table model with a value per row; sorting keeps rows without a key at the end.

    **Threads**: the window's only.
    """

    def __init__(self) -> None:
        super().__init__()
        self.columns: tuple[TableColumn[T], ...] = ()
        self.rows: list[T] = []
        self.sorted_by: str = ""
        self.descending = False

    def show_rows(self, rows: Sequence[T], columns: Sequence[TableColumn[T]]) -> None:
        """Replace rows and columns, sorted as before."""
        self.beginResetModel()
        self.rows, self.columns = list(rows), tuple(columns)
        self._sort()
        self.endResetModel()

    def _sort(self) -> None:
        column = next((c for c in self.columns if c.title == self.sorted_by), None)
        if column is None:
            return
        pairs = [(column.key(row), row) for row in self.rows]
        present = [pair for pair in pairs if pair[0] is not None]
        missing = [row for key, row in pairs if key is None]
        present.sort(key=itemgetter(0), reverse=self.descending)
        self.rows = [row for _, row in present] + missing

    def rowCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self.rows)

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
        row, column = self.rows[index.row()], self.columns[index.column()]
        if role == _ROLE.DisplayRole:
            return column.text(row)
        if role == _ROLE.TextAlignmentRole:
            return _alignment(column.number)
        return self.cell_style(row, role, column.title)

    def cell_style(self, row: T, role: int, title: str) -> Any:
        """Font, colour or tool tip of a row's cell below a title, by role."""
        return None


def _alignment(number: bool) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if number else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter


def _faint_colour() -> Any:
    palette = QGuiApplication.palette()
    return palette.brush(QPalette.ColorRole.PlaceholderText)


class MeansModel(ResultsTableModel[MeansRow]):
    """Means by system, prompt, subset and size; published ones at the end.

    The best of several systems is in bold; a tool tip has the standard deviation.
    """

    def _sort(self) -> None:
        super()._sort()
        self.rows.sort(key=lambda row: row.published)  # never mixed

    def cell_style(self, row: MeansRow, role: int, title: str) -> Any:
        if role == _ROLE.FontRole:
            font = QFont()
            font.setItalic(row.published)
            font.setBold(title in row.best)
            return font
        if role == _ROLE.ForegroundRole and row.published:
            return _faint_colour()
        if role == _ROLE.ToolTipRole and row.published:
            return translate(
                "Evaluation",
                "Published by others, not measured here: Table 1 of the ZIM paper "
                "(ICCV 2025)",
            )
        if role == _ROLE.ToolTipRole and title in row.deviations:
            text = translate("Evaluation", "Standard deviation {} over {} objects")
            return text.format(number_text(row.deviations[title]), row.count)
        return None


def mean_columns(metrics: Sequence[str]) -> list[TableColumn[MeansRow]]:
    """The columns of the table of means."""
    texts: list[TableColumn[MeansRow]] = [
        TableColumn(
            translate("Evaluation", "Model"), lambda x: x.system.lower(), _system_text
        ),
        TableColumn(
            translate("Evaluation", "Prompt"), lambda x: x.prompt, _prompt_text
        ),
        TableColumn(
            translate("Evaluation", "Subset"),
            lambda x: x.subset,
            lambda x: all_text(x.subset),
        ),
        TableColumn(
            translate("Evaluation", "Size"),
            lambda x: ("all", "S", "M", "L").index(x.size),
            lambda x: all_text(x.size),
            translate(
                "Evaluation",
                "Of the object: S under 1 %, M under 10 %, L from 10 % of the photo",
            ),
        ),
        TableColumn(
            translate("Evaluation", "Rows"),
            lambda x: x.count or None,
            _count_text,
            translate("Evaluation", "How many were measured, and how many failed"),
            number=True,
        ),
    ]
    return [*texts, *(_metric_column(name, _mean_getter(name)) for name in metrics)]


def _mean_getter(name: str) -> Callable[[MeansRow], float | None]:
    return lambda row: row.means.get(name)


def _system_text(row: MeansRow) -> str:
    if row.published:
        return translate("Evaluation", "{} (published)").format(row.system)
    return row.system


def _prompt_text(row: MeansRow | EvaluationRow) -> str:
    return prompt_text(row.prompt)


def _count_text(row: MeansRow) -> str:
    if row.published:
        return ""
    if row.failed:
        text = translate("Evaluation", "{} (+{} failed)")
        return text.format(row.count, row.failed)
    return str(row.count)


def prompt_text(prompt: str) -> str:
    """A kind of prompts as translated text."""
    kind, _, count = prompt.partition(":")
    if kind == "clicks":
        return translate("Evaluation", "{} clicks").format(count)
    if kind in MODES:
        return translate("Evaluation", "mode {}").format(kind.removeprefix("mode"))
    texts = {
        "point": translate("Evaluation", "point"),
        "box": translate("Evaluation", "box"),
    }
    return texts.get(kind, prompt)


def _metric_column(name: str, key: Callable[[T], float | None]) -> TableColumn[T]:
    metric = BY_NAME[name]
    return TableColumn(
        name,
        key,
        lambda row: number_text(key(row)),
        metric_tip(metric),
        number=True,
        more_is_better=metric.better == "more",
    )


def metric_tip(metric: Metric) -> str:
    """Description of a metric, and whether more or less is better."""
    better = (
        translate("Evaluation", "more is better")
        if metric.better == "more"
        else translate("Evaluation", "less is better")
    )
    return f"{translate('Evaluation', metric.meaning)} ({better})"


class RowsModel(ResultsTableModel[EvaluationRow]):
    """The single rows; the tool tip of a failed row is its error.

    Args:
        faint_failures: whether failed rows are painted in a faint colour.
    """

    def __init__(self, *, faint_failures: bool = True) -> None:
        super().__init__()
        self._faint_failures = faint_failures

    def cell_style(self, row: EvaluationRow, role: int, title: str) -> Any:
        if role == _ROLE.ForegroundRole and row.error and self._faint_failures:
            return _faint_colour()
        if role == _ROLE.ToolTipRole:
            return translate_message(row.error) if row.error else row.case
        return None


def row_columns(
    metrics: Sequence[str], *, failed: bool
) -> list[TableColumn[EvaluationRow]]:
    """The columns of the table of rows.

    Args:
        failed: whether there are failed rows; then there is a column of reasons.
    """
    columns: list[TableColumn[EvaluationRow]] = [
        TableColumn(
            translate("Evaluation", "Case"), lambda x: x.case, lambda x: x.case
        ),
        TableColumn(
            translate("Evaluation", "Model"),
            lambda x: x.system.lower(),
            lambda x: x.system,
        ),
        TableColumn(
            translate("Evaluation", "Prompt"), lambda x: x.prompt, _prompt_text
        ),
        TableColumn(
            translate("Evaluation", "Size"),
            lambda x: None if x.error else x.area,
            lambda x: NO_VALUE if x.error else x.size,
            translate(
                "Evaluation",
                "Of the object: S under 1 %, M under 10 %, L from 10 % of the photo",
            ),
        ),
    ]
    columns += [_metric_column(name, _value_getter(name)) for name in metrics]
    if failed:
        columns.append(
            TableColumn(
                translate("Evaluation", "Reason"),
                lambda x: x.error or None,
                lambda x: translate_message(x.error),
            )
        )
    return columns


def _value_getter(name: str) -> Callable[[EvaluationRow], float | None]:
    return lambda row: row.metrics.get(name)


class ResultsTableView(QTableView):
    """A sortable table; the first click on a number's header puts the worst on top.

    **Signals**: ``row_opened(row)``: a row was double-clicked, or Enter was pressed.

    **Threads**: the window's only.
    """

    row_opened = Signal(object)

    def __init__(
        self, model: ResultsTableModel[Any], parent: QWidget | None = None
    ) -> None:
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

    def show_rows(
        self, rows: Sequence[Any], columns: Sequence[TableColumn[Any]]
    ) -> None:
        """Replace the rows; widths stay while the columns are the same."""
        scroll_position = self.verticalScrollBar().value()
        self.table.show_rows(rows, columns)
        self._widen_columns(columns)
        self._show_sort_order()
        self.verticalScrollBar().setValue(scroll_position)

    def _widen_columns(self, columns: Sequence[TableColumn[Any]]) -> None:
        """Widen the columns for their texts; measures fewer cells than Qt does."""
        titles = tuple(column.title for column in columns)
        columns_changed, self._shown = titles != self._shown, titles
        font = self.font()
        font.setBold(True)
        metrics = QFontMetrics(font)
        first = self.table.rows[:_ROWS_MEASURED_FOR_WIDTH]
        for index, column in enumerate(columns):
            title = metrics.horizontalAdvance(column.title) + _SORT_MARK
            texts = {column.text(row) for row in first}
            width = max([title, *map(metrics.horizontalAdvance, texts)]) + _CELL_PADDING
            if columns_changed or width > self.columnWidth(index):
                self.setColumnWidth(index, min(width, _MAX_WIDTH))

    def sort_by(self, title: str, *, descending: bool) -> None:
        """Sort by the column with that title."""
        self.table.sorted_by, self.table.descending = title, descending
        self.show_rows(self.table.rows, self.table.columns)

    def _on_double_clicked(self, index: QModelIndex) -> None:
        self.row_opened.emit(self.table.rows[index.row()])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        # Not "activated": some systems emit it on a single click.
        index = self.currentIndex()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and index.isValid():
            self.row_opened.emit(self.table.rows[index.row()])
        else:
            super().keyPressEvent(event)

    def _on_header_clicked(self, index: int) -> None:
        column = self.table.columns[index]
        descending = column.number and not column.more_is_better
        if self.table.sorted_by == column.title:
            descending = not self.table.descending
        self.sort_by(column.title, descending=descending)

    def _show_sort_order(self) -> None:
        titles = [column.title for column in self.table.columns]
        header = self.horizontalHeader()
        if self.table.sorted_by not in titles:
            header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
            return
        down = Qt.SortOrder.DescendingOrder
        order = down if self.table.descending else Qt.SortOrder.AscendingOrder
        header.setSortIndicator(titles.index(self.table.sorted_by), order)
