"""The right side of the evaluation window: tables, pictures and charts of rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QModelIndex, Qt, Signal, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QSplitter,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from zim_app.gui.evaluation.case_viewer import CaseViewer
from zim_app.gui.evaluation.charts import Chart, Plot, Series, histogram
from zim_app.gui.evaluation.filters import Filter, FilterBar
from zim_app.gui.evaluation.results import Summary
from zim_app.gui.evaluation.tables import (
    BY_NAME,
    MeansModel,
    RowsModel,
    Table,
    mean_columns,
    measure_tip,
    prompt_text,
    row_columns,
)
from zim_model.evaluation.journal import Key, Row
from zim_model.evaluation.measures import MEASURES

FAMILIES = (("zim",), ("dim",), ("boundary", "mask", "clicks"))
CURVES = ("IoU", "SAD", "MSE")
MEANS, ROWS, CHARTS, FAILURES = range(4)


class ResultsView(QWidget):
    """Shows rows and their means, as far as the filters take them.

    **Signals**

    - ``look_requested(row)``: its pictures are to be shown in ``viewer``.
    - ``open_requested(row)``: it is to be opened in the studio.

    **Threads**: the window's only.
    """

    look_requested = Signal(object)
    open_requested = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: Mapping[Key, Row] = {}
        self.summary: Summary | None = None
        self._problems: tuple[Row, ...] = ()
        self._selected: Key | None = None
        self._showing = False
        self.filters = FilterBar()
        self.means = Table(MeansModel())
        self.list = Table(RowsModel())
        self.failures = Table(RowsModel(faint_failures=False))
        self.viewer = CaseViewer()
        self.histogram = Chart(self.tr("Nothing is measured yet."))
        self.curves = Chart(
            self.tr(
                "Curves come with the prompts “Clicks”: the error after each click."
            )
        )
        self._setup_layout()
        self.filters.changed.connect(self._on_filter_changed)
        self.list.selectionModel().currentRowChanged.connect(self._on_row_changed)
        self.list.opened.connect(self.open_requested)
        self.failures.opened.connect(self._on_failure_opened)
        self.viewer.open_requested.connect(self._on_open_requested)
        self.viewer.step_requested.connect(self.step)

    def _setup_layout(self) -> None:
        self.family = QComboBox()
        self.family.setToolTip(self.tr("Which measures the tables show"))
        for text in (
            self.tr("ZIM's measures"),
            self.tr("alphamatting.com"),
            self.tr("Masks and outlines"),
        ):
            self.family.addItem(text)
        self.family.currentIndexChanged.connect(self._on_family_changed)
        top = QHBoxLayout()
        top.addWidget(self.filters, 1)
        top.addWidget(self.family)
        pictures = QSplitter(Qt.Orientation.Vertical)
        pictures.addWidget(self.list)
        pictures.addWidget(self.viewer)
        pictures.setChildrenCollapsible(False)
        pictures.setStretchFactor(0, 2)
        pictures.setStretchFactor(1, 3)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(self.means, self.tr("Means"))
        self.tabs.addTab(pictures, self.tr("Pictures"))
        self.tabs.addTab(self._charts(), self.tr("Charts"))
        self.tabs.addTab(self.failures, self.tr("Failed"))
        tips = (
            self.tr("Means of every model and kind of prompt"),
            self.tr("Every row, the worst first, and its pictures"),
            self.tr("How errors are spread, and how they fall with clicks"),
            self.tr("What could not be measured, and why"),
        )
        for index, tip in enumerate(tips):
            self.tabs.setTabToolTip(index, tip)
        self.tabs.currentChanged.connect(self._on_tab_changed)
        self.means.setToolTip("")
        self.list.setAccessibleName(tips[ROWS])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(top)
        layout.addWidget(self.tabs, 1)

    def _charts(self) -> QWidget:
        self.measure = QComboBox()
        for measure in MEASURES:
            self.measure.addItem(measure.name)
            tip = measure_tip(measure)
            row = self.measure.count() - 1
            self.measure.setItemData(row, tip, Qt.ItemDataRole.ToolTipRole)
        self.measure.setToolTip(self.tr("Measure of the histogram"))
        self.measure.currentIndexChanged.connect(self._show_charts)
        self.curve_measure = QComboBox()
        self.curve_measure.addItems(list(CURVES))
        self.curve_measure.setToolTip(self.tr("Measure of the curves"))
        self.curve_measure.currentIndexChanged.connect(self._show_charts)
        bar = QHBoxLayout()
        bar.addWidget(QLabel(self.tr("Histogram of")))
        bar.addWidget(self.measure)
        bar.addSpacing(16)
        bar.addWidget(QLabel(self.tr("Curves of")))
        bar.addWidget(self.curve_measure)
        bar.addStretch(1)
        charts = QSplitter(Qt.Orientation.Vertical)
        charts.addWidget(self.histogram)
        charts.addWidget(self.curves)
        charts.setChildrenCollapsible(False)
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.addLayout(bar)
        layout.addWidget(charts, 1)
        return page

    # -- What is shown ----------------------------------------------------------------

    def show_results(self, rows: Mapping[Key, Row], problems: Sequence[str]) -> None:
        """Show rows, and what does not fit in the data set."""
        self.rows = rows
        self._problems = tuple(
            Row("", "", "", "", error=problem) for problem in problems
        )  # lines without a case
        self.filters.offer(rows.values())
        self._show()

    def show_summary(self, summary: Summary | None) -> None:
        """Show the means of rows."""
        measures, self.summary = self.measures, summary
        if self.tabs.currentIndex() != ROWS or self.measures != measures:
            self._show()  # single rows do not depend on it otherwise

    @property
    def measures(self) -> list[str]:
        """The measures that the tables show."""
        wanted = FAMILIES[self.family.currentIndex()]
        if self.summary is None:
            return [m.name for m in MEASURES if m.family in wanted]
        names = self.summary.measures
        names = names or tuple(m.name for m in MEASURES if m.family == "zim")
        return [name for name in names if BY_NAME[name].family in wanted]

    def _show(self) -> None:
        """Show the page that is seen; the others are shown when they are."""
        pages = {
            MEANS: self._show_means,
            ROWS: self._show_rows,
            CHARTS: self._show_charts,
            FAILURES: self._show_failures,
        }
        pages[self.tabs.currentIndex()]()
        count = sum(bool(row.error) for row in self.rows.values())
        count += len(self._problems)
        text = self.tr("Failed ({})").format(count) if count else self.tr("Failed")
        self.tabs.setTabText(FAILURES, text)

    def _show_means(self) -> None:
        lines = self.summary.lines if self.summary else ()
        taken = [line for line in lines if self.filters.filter.takes_line(line)]
        self.means.show_lines(taken, mean_columns(self.measures))

    def _show_rows(self) -> None:
        """Show the rows again; the one that is looked at stays so."""
        taken = self.filters.filter.of(self.rows.values())
        measures = self.measures
        if self.list.table.sorted_by not in [
            c.title for c in row_columns(measures, failed=True)
        ]:
            self._sort_by_worst(measures)
        failed = any(row.error for row in taken)
        self._showing = True
        self.list.show_lines(taken, row_columns(measures, failed=failed))
        self._select(self._selected)
        self._showing = False
        if self.selected is None:  # the worst is what one wants to see first
            self.step(1)

    def _sort_by_worst(self, measures: Sequence[str]) -> None:
        table = self.list.table
        table.sorted_by = measures[0] if measures else ""
        table.descending = bool(measures) and BY_NAME[measures[0]].better == "less"

    def _select(self, key: Key | None) -> None:
        lines = self.list.table.lines
        index = next((i for i, row in enumerate(lines) if row.key == key), None)
        if index is not None:
            self.list.selectRow(index)

    def _show_failures(self) -> None:
        failed = [row for row in self.rows.values() if row.error]
        taken = [row for row in failed if self.filters.filter.takes(row)]
        columns = row_columns((), failed=True)
        shown = [c for i, c in enumerate(columns) if i != 3]  # they have no size
        self.failures.show_lines((*self._problems, *taken), shown)

    @Slot()
    def _show_charts(self) -> None:
        name, chosen = self.measure.currentText(), self.filters.filter
        values: dict[str, list[float]] = {}
        for row in self.rows.values():
            if name in row.metrics and chosen.takes(row):
                who = f"{row.system}, {prompt_text(row.prompt)}"
                values.setdefault(who, []).append(row.metrics[name])
        title = self.tr("How often each {}").format(name)
        rows = self.tr("rows")
        self.histogram.show_plot(histogram(title, name, rows, values))
        self.curves.show_plot(self._curve_plot(chosen))

    def _curve_plot(self, chosen: Filter) -> Plot:
        name = self.curve_measure.currentText()
        curves = self.summary.curves if self.summary else {}
        series = tuple(
            Series(
                f"{system}, {prompt_text(prompt)}",
                tuple((float(i), point[name]) for i, point in enumerate(curve, 1)),
            )
            for (system, prompt), curve in curves.items()
            if chosen.system in ("", system) and chosen.prompt in ("", prompt)
        )
        title = self.tr("Mean {} after each click, all subsets and sizes").format(name)
        clicks = self.tr("clicks")
        return Plot(title, clicks, name, series, whole_x=True)

    # -- What the user does -----------------------------------------------------------

    @property
    def selected(self) -> Row | None:
        """The row that is looked at."""
        return self.rows.get(self._selected) if self._selected else None

    @Slot(int)
    def step(self, step: int) -> None:
        """Look at the next row of the list (1) or the previous one (-1)."""
        lines = self.list.table.lines
        now = self.list.currentIndex().row()
        if lines:
            self.list.selectRow(min(max(now + step, 0), len(lines) - 1))

    @Slot(object)
    def _on_filter_changed(self, chosen: Filter) -> None:
        self._show()

    @Slot(int)
    def _on_family_changed(self, index: int) -> None:
        self._show()

    @Slot(int)
    def _on_tab_changed(self, index: int) -> None:
        self._show()

    @Slot(QModelIndex, QModelIndex)
    def _on_row_changed(self, index: QModelIndex, before: QModelIndex) -> None:
        if self._showing or not index.isValid():
            return
        row: Row = self.list.table.lines[index.row()]
        if row.key != self._selected:
            self._selected = row.key
            self.look_requested.emit(row)

    @Slot(object)
    def _on_failure_opened(self, row: Row) -> None:
        if row.case:  # else a file that is no case
            self.open_requested.emit(row)

    @Slot()
    def _on_open_requested(self) -> None:
        row = self.selected
        if row is not None:
            self.open_requested.emit(row)
