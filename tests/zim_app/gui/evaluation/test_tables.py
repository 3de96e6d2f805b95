import pytest
from PySide6.QtCore import QPoint, Qt

from zim_app.gui.evaluation.filters import FAILED, Filter
from zim_app.gui.evaluation.results import Line
from zim_app.gui.evaluation.run_bar import time_text
from zim_app.gui.evaluation.tables import (
    MEANINGS,
    RowsModel,
    Table,
    number_text,
    row_columns,
)
from zim_model.evaluation.journal import Row
from zim_model.evaluation.measures import MEASURES


def row(case, sad=None, error="", **more):
    metrics = {} if sad is None else {"SAD": sad}
    return Row("m", case, "box", "d", metrics=metrics, error=error, **more)


@pytest.fixture
def table(qtbot):
    table = Table(RowsModel())
    qtbot.addWidget(table)
    table.resize(600, 300)
    rows = [row("b", 2.0), row("broken", error="no"), row("a", 10.0), row("c", 1.0)]
    table.show_lines(rows, row_columns(["SAD"], failed=True))
    table.show()
    return table


def cases(table):
    return [line.case for line in table.table.lines]


@pytest.mark.parametrize("descending", [True, False])
def test_lines_without_a_value_come_last(table, descending):
    table.sort_by("SAD", descending=descending)
    assert cases(table)[-1] == "broken"
    assert cases(table)[0] == ("a" if descending else "c")


def test_the_order_stays_when_more_lines_come(table):
    table.sort_by("SAD", descending=True)
    rows = [*table.table.lines, row("d", 5.0)]
    table.show_lines(rows, row_columns(["SAD"], failed=True))
    assert cases(table) == ["a", "d", "b", "c", "broken"]


def test_a_double_click_and_enter_open_a_line(qtbot, table):
    at = table.visualRect(table.table.index(2, 0)).center()
    viewport, left = table.viewport(), Qt.MouseButton.LeftButton
    with qtbot.waitSignal(table.opened) as told:
        qtbot.mouseClick(viewport, left, pos=at)
        qtbot.mouseDClick(viewport, left, pos=at)
    assert told.args == [table.table.lines[2]]
    with qtbot.waitSignal(table.opened) as told:
        qtbot.keyClick(table, Qt.Key.Key_Return)
    assert told.args == [table.table.lines[2]]


def test_a_single_click_opens_nothing(qtbot, table):
    with qtbot.assertNotEmitted(table.opened):
        qtbot.mouseClick(
            table.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(20, 10)
        )
    assert table.currentIndex().row() == 0


def test_every_measure_is_explained_in_words_that_are_translated():
    assert {measure.meaning for measure in MEASURES} == set(MEANINGS)


def test_a_failed_row_has_no_size():
    small, failed = row("a", 1.0, area=0.001), row("b", error="no")
    assert Filter(size="S").of([small, failed]) == [small]
    assert Filter(state=FAILED).of([small, failed]) == [failed]
    assert Filter().of([small, failed]) == [small, failed]


def test_published_means_of_all_sizes_do_not_stand_beside_those_of_one():
    published = Line("ZIM", "box", "fine", "all", 0, 0, {}, published=True)
    measured = Line("zim-tiny", "box", "fine", "S", 3, 0, {})
    assert Filter().takes_line(published)
    assert not Filter(size="S").takes_line(published)
    assert Filter(size="S").takes_line(measured)


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
    assert time_text(seconds) == text


def test_a_missing_number_is_a_dash():
    assert number_text(None) == "–"
