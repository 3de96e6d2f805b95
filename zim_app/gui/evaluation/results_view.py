"""The right side of the evaluation window: tables, case viewer and charts."""

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
from zim_app.gui.evaluation.charts import Chart, PlotData, PlotSeries, histogram
from zim_app.gui.evaluation.filters import FilterBar, RowFilter
from zim_app.gui.evaluation.results import ResultsSummary
from zim_app.gui.evaluation.tables import (
    BY_NAME,
    MeansModel,
    ResultsTableView,
    RowsModel,
    mean_columns,
    metric_tip,
    prompt_text,
    row_columns,
)
from zim_model.evaluation.journal import EvaluationRow, RowKey
from zim_model.evaluation.measures import METRICS

FAMILIES = (("zim",), ("dim",), ("boundary", "purity", "mask", "clicks"))
CURVES = ("IoU", "SAD", "MSE")
MEANS, ROWS, CHARTS, FAILURES = range(4)


class ResultsView(QWidget):
    """Shows the rows that match the filters, and their means.

    **Signals**

    - ``case_requested(row)``: load the row's images for ``viewer``.
    - ``open_requested(row)``: open the row's image in the studio.

    **Threads**: the window's only.
    """

    case_requested = Signal(object)
    open_requested = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: Mapping[RowKey, EvaluationRow] = {}
        self.summary: ResultsSummary | None = None
        self._problems: tuple[EvaluationRow, ...] = ()
        self._selected: RowKey | None = None
        self._showing = False
        self.filters = FilterBar()
        self.means = ResultsTableView(MeansModel())
        self.list = ResultsTableView(RowsModel())
        self.failures = ResultsTableView(RowsModel(faint_failures=False))
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
        self.list.row_opened.connect(self.open_requested)
        self.failures.row_opened.connect(self._on_failure_opened)
        self.viewer.open_requested.connect(self._on_open_requested)
        self.viewer.step_requested.connect(self.step)

    def _setup_layout(self) -> None:
        self.family = QComboBox()
        self.family.setToolTip(self.tr("Which metrics the tables show"))
        self.family.setAccessibleName(self.family.toolTip())
        for text in (
            self.tr("ZIM's metrics"),
            self.tr("alphamatting.com"),
            self.tr("Masks and outlines"),
        ):
            self.family.addItem(text)
        self.family.currentIndexChanged.connect(self._on_family_changed)
        top = QHBoxLayout()
        top.addWidget(self.filters, 1)
        top.addWidget(self.family)
        cases = QSplitter(Qt.Orientation.Vertical)
        cases.addWidget(self.list)
        cases.addWidget(self.viewer)
        cases.setChildrenCollapsible(False)
        cases.setStretchFactor(0, 2)
        cases.setStretchFactor(1, 3)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(self.means, self.tr("Means"))
        self.tabs.addTab(cases, self.tr("Photos"))
        self.tabs.addTab(self._make_charts(), self.tr("Charts"))
        self.tabs.addTab(self.failures, self.tr("Failed"))
        tips = (
            self.tr("Means of every model and kind of prompt"),
            self.tr("Every row, the worst first, and its photos"),
            self.tr("How errors are distributed, and how they fall with clicks"),
            self.tr("Rows that could not be measured, and why"),
        )
        for index, tip in enumerate(tips):
            self.tabs.setTabToolTip(index, tip)
        self.tabs.currentChanged.connect(self._on_tab_changed)
        self.means.setToolTip("")
        self.tabs.setAccessibleName(self.tr("Results"))
        tables = ((self.means, MEANS), (self.list, ROWS), (self.failures, FAILURES))
        for table, page in tables:
            table.setAccessibleName(tips[page])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(top)
        layout.addWidget(self.tabs, 1)

    def _make_charts(self) -> QWidget:
        self.histogram_metric = QComboBox()
        for metric in METRICS:
            self.histogram_metric.addItem(metric.name)
            tip = metric_tip(metric)
            row = self.histogram_metric.count() - 1
            self.histogram_metric.setItemData(row, tip, Qt.ItemDataRole.ToolTipRole)
        self.histogram_metric.setToolTip(self.tr("Metric of the histogram"))
        self.histogram_metric.setAccessibleName(self.histogram_metric.toolTip())
        self.histogram_metric.currentIndexChanged.connect(self._show_charts)
        self.curve_metric = QComboBox()
        self.curve_metric.addItems(list(CURVES))
        self.curve_metric.setToolTip(self.tr("Metric of the curves"))
        self.curve_metric.setAccessibleName(self.curve_metric.toolTip())
        self.curve_metric.currentIndexChanged.connect(self._show_charts)
        bar = QHBoxLayout()
        bar.addWidget(QLabel(self.tr("Histogram of")))
        bar.addWidget(self.histogram_metric)
        bar.addSpacing(16)
        bar.addWidget(QLabel(self.tr("Curves of")))
        bar.addWidget(self.curve_metric)
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

    # -- Contents ---------------------------------------------------------------------

    def show_results(
        self, rows: Mapping[RowKey, EvaluationRow], problems: Sequence[str]
    ) -> None:
        """Show rows, and the problems of the data set as failures."""
        self.rows = rows
        self._problems = tuple(
            EvaluationRow("", "", "", "", error=problem) for problem in problems
        )  # rows without a case
        self.filters.set_choices(rows.values())
        self._show()

    def show_summary(self, summary: ResultsSummary | None) -> None:
        """Show the means of rows."""
        metrics, self.summary = self.metrics, summary
        if self.tabs.currentIndex() != ROWS or self.metrics != metrics:
            self._show()  # otherwise single rows do not depend on the summary

    @property
    def metrics(self) -> list[str]:
        """Names of the metrics in the tables."""
        families = FAMILIES[self.family.currentIndex()]
        if self.summary is None:
            return [m.name for m in METRICS if m.family in families]
        names = self.summary.metrics
        names = names or tuple(m.name for m in METRICS if m.family == "zim")
        return [name for name in names if BY_NAME[name].family in families]

    def _show(self) -> None:
        """Fill the current page; the others are filled when they are opened."""
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
        rows = self.summary.rows if self.summary else ()
        shown = [row for row in rows if self.filters.filter.matches_group(row)]
        self.means.show_rows(shown, mean_columns(self.metrics))

    def _show_rows(self) -> None:
        """Fill the table of rows; the selected row stays selected."""
        shown = self.filters.filter.select(self.rows.values())
        metrics = self.metrics
        if self.list.table.sorted_by not in [
            c.title for c in row_columns(metrics, failed=True)
        ]:
            self._sort_by_worst(metrics)
        failed = any(row.error for row in shown)
        self._showing = True
        self.list.show_rows(shown, row_columns(metrics, failed=failed))
        self._select(self._selected)
        self._showing = False
        if self.selected is None:  # start with the worst row
            self.step(1)

    def _sort_by_worst(self, metrics: Sequence[str]) -> None:
        table = self.list.table
        table.sorted_by = metrics[0] if metrics else ""
        table.descending = bool(metrics) and BY_NAME[metrics[0]].better == "less"

    def _select(self, key: RowKey | None) -> None:
        rows = self.list.table.rows
        index = next((i for i, row in enumerate(rows) if row.key == key), None)
        if index is not None:
            self.list.selectRow(index)

    def _show_failures(self) -> None:
        failed = [row for row in self.rows.values() if row.error]
        shown = [row for row in failed if self.filters.filter.matches(row)]
        columns = row_columns((), failed=True)
        columns = [c for i, c in enumerate(columns) if i != 3]  # failures have no size
        self.failures.show_rows((*self._problems, *shown), columns)

    @Slot()
    def _show_charts(self) -> None:
        name, chosen = self.histogram_metric.currentText(), self.filters.filter
        values: dict[str, list[float]] = {}
        for row in self.rows.values():
            if name in row.metrics and chosen.matches(row):
                label = f"{row.system}, {prompt_text(row.prompt)}"
                values.setdefault(label, []).append(row.metrics[name])
        title = self.tr("How often each {}").format(name)
        rows = self.tr("rows")
        self.histogram.show_plot(histogram(title, name, rows, values))
        self.curves.show_plot(self._curve_plot(chosen))

    def _curve_plot(self, chosen: RowFilter) -> PlotData:
        name = self.curve_metric.currentText()
        curves = self.summary.curves if self.summary else {}
        series = tuple(
            PlotSeries(
                f"{system}, {prompt_text(prompt)}",
                tuple((float(i), point[name]) for i, point in enumerate(curve, 1)),
            )
            for (system, prompt), curve in curves.items()
            if chosen.system in ("", system) and chosen.prompt in ("", prompt)
        )
        title = self.tr("Mean {} after each click, all subsets and sizes").format(name)
        clicks = self.tr("clicks")
        return PlotData(title, clicks, name, series, whole_x=True)

    # -- Selection -------------------------------------------------------------------

    @property
    def selected(self) -> EvaluationRow | None:
        """The selected row."""
        return self.rows.get(self._selected) if self._selected else None

    @Slot(int)
    def step(self, step: int) -> None:
        """Select the next row of the list (1) or the previous one (-1)."""
        rows = self.list.table.rows
        current = self.list.currentIndex().row()
        if rows:
            self.list.selectRow(min(max(current + step, 0), len(rows) - 1))

    @Slot(object)
    def _on_filter_changed(self, chosen: RowFilter) -> None:
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
        row: EvaluationRow = self.list.table.rows[index.row()]
        if row.key != self._selected:
            self._selected = row.key
            self.case_requested.emit(row)

    @Slot(object)
    def _on_failure_opened(self, row: EvaluationRow) -> None:
        if row.case:  # problems of the data set have no case
            self.open_requested.emit(row)

    @Slot()
    def _on_open_requested(self) -> None:
        row = self.selected
        if row is not None:
            self.open_requested.emit(row)
