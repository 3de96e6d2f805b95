import pytest
from PySide6.QtCore import QPoint, Qt

from zim_app.gui.evaluation.filters import FAILED, RowFilter
from zim_app.gui.evaluation.results import MeansRow
from zim_app.gui.evaluation.tables import (
    MEANINGS,
    ResultsTableView,
    RowsModel,
    number_text,
    row_columns,
)
from zim_app.gui.language import time_left_text
from zim_model.evaluation.journal import EvaluationRow
from zim_model.evaluation.measures import METRICS


def row(case, sad=None, error="", **more):
    metrics = {} if sad is None else {"SAD": sad}
    return EvaluationRow("m", case, "box", "d", metrics=metrics, error=error, **more)


@pytest.fixture
def table(qtbot):
    table = ResultsTableView(RowsModel())
    qtbot.addWidget(table)
    table.resize(600, 300)
    rows = [row("b", 2.0), row("broken", error="no"), row("a", 10.0), row("c", 1.0)]
    table.show_rows(rows, row_columns(["SAD"], failed=True))
    table.show()
    return table


def cases(table):
    return [row.case for row in table.table.rows]


@pytest.mark.parametrize("descending", [True, False])
def test_lines_without_a_value_come_last(table, descending):
    table.sort_by("SAD", descending=descending)
    assert cases(table)[-1] == "broken"
    assert cases(table)[0] == ("a" if descending else "c")


def test_the_order_stays_when_more_lines_come(table):
    table.sort_by("SAD", descending=True)
    rows = [*table.table.rows, row("d", 5.0)]
    table.show_rows(rows, row_columns(["SAD"], failed=True))
    assert cases(table) == ["a", "d", "b", "c", "broken"]


def test_a_double_click_and_enter_open_a_line(qtbot, table):
    at = table.visualRect(table.table.index(2, 0)).center()
    viewport, left = table.viewport(), Qt.MouseButton.LeftButton
    with qtbot.waitSignal(table.row_opened) as signal:
        qtbot.mouseClick(viewport, left, pos=at)
        qtbot.mouseDClick(viewport, left, pos=at)
    assert signal.args == [table.table.rows[2]]
    with qtbot.waitSignal(table.row_opened) as signal:
        qtbot.keyClick(table, Qt.Key.Key_Return)
    assert signal.args == [table.table.rows[2]]


def test_a_single_click_opens_nothing(qtbot, table):
    with qtbot.assertNotEmitted(table.row_opened):
        qtbot.mouseClick(
            table.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(20, 10)
        )
    assert table.currentIndex().row() == 0


def test_every_measure_is_explained_in_words_that_are_translated():
    assert {metric.meaning for metric in METRICS} == set(MEANINGS)


def test_a_failed_row_has_no_size():
    small, failed = row("a", 1.0, area=0.001), row("b", error="no")
    assert RowFilter(size="S").select([small, failed]) == [small]
    assert RowFilter(state=FAILED).select([small, failed]) == [failed]
    assert RowFilter().select([small, failed]) == [small, failed]


def test_published_means_of_all_sizes_do_not_stand_beside_those_of_one():
    published = MeansRow("ZIM", "box", "fine", "all", 0, 0, {}, published=True)
    measured = MeansRow("zim-tiny", "box", "fine", "S", 3, 0, {})
    assert RowFilter().matches_group(published)
    assert not RowFilter(size="S").matches_group(published)
    assert RowFilter(size="S").matches_group(measured)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "1 s left"),
        (89, "89 s left"),
        (91, "2 min left"),
        (7260, "2 h 1 min left"),
    ],
)
def test_the_time_that_is_left_is_rounded_up(seconds, text):
    assert time_left_text(seconds) == text


def test_a_missing_number_is_a_dash():
    assert number_text(None) == "–"
