import shutil

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication

from tests.zim_app.gui.evaluation.conftest import (
    click,
    enter,
    run_through,
    settled,
    until,
)
from tests.zim_model.evaluation.conftest import FakeEngine
from zim_app.gui.evaluation.results import MeansRow
from zim_app.gui.evaluation.results_view import CHARTS, FAILURES, ROWS
from zim_app.gui.evaluation.tables import MeansModel, mean_columns
from zim_model.evaluation import EvaluationOptions, RowDone, evaluate, open_dataset
from zim_model.evaluation.journal import read_journal
from zim_model.evaluation.report_formats import WRITERS
from zim_model.evaluation.systems import ModelSystem
from zim_model.weights.catalogue import DEFAULT_MODEL

ROW_COUNT = 10
"""Rows of a run: five objects, each with a point and a box."""


def texts(table, column=0):
    model = table.table
    return [model.index(i, column).data() for i in range(model.rowCount())]


def plain_text(label):
    """The text of a label without the break points in long paths."""
    return label.text().replace("\u200b", "")


def column_of(table, title):
    titles = [column.title for column in table.table.columns]
    return titles.index(title)


def click_header(qtbot, table, title):
    header = table.horizontalHeader()
    x = header.sectionViewportPosition(column_of(table, title)) + 5
    at = QPoint(x, header.height() // 2)
    qtbot.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=at)


def rows_on_disk(window):
    return read_journal(window.out / "rows.jsonl")[1]


def test_the_folders_contents_are_described(chosen):
    assert "5" in chosen.setup.layout_label.text()
    assert "MicroMat-3K" in chosen.setup.layout_label.text()
    assert "fine" in chosen.setup.layout_label.text()


def test_a_folder_without_a_data_set_is_named(qtbot, make_window, tmp_path):
    window = make_window()
    enter(qtbot, window.setup.root.lineEdit(), str(tmp_path / "nowhere"))
    until(qtbot, lambda: "nowhere" in plain_text(window.setup.layout_label))
    assert not window.run_bar.start_button.isEnabled()


def test_a_run_shows_its_rows_while_they_come(qtbot, chosen, model):
    model.hold()
    click(qtbot, chosen.run_bar.start_button)
    model.let(3)
    until(qtbot, lambda: chosen.results.means.table.rowCount() > 0)
    chosen.results.tabs.setCurrentIndex(ROWS)
    until(qtbot, lambda: chosen.results.list.table.rowCount() == 3)
    assert chosen.run_bar.stop_button.isEnabled()
    assert "3" in chosen.run_bar.label.text()
    assert not chosen.setup.inside.isEnabled()
    model.free()
    settled(qtbot, chosen)
    assert chosen.results.list.table.rowCount() == ROW_COUNT
    assert chosen.setup.inside.isEnabled()
    assert (chosen.out / "report.html").is_file()


@pytest.fixture
def small_micromat(monkeypatch):
    """The mini set counts as MicroMat-3K."""
    monkeypatch.setattr("zim_model.evaluation.published.MICROMAT_CASES", 1)


def test_published_lines_are_marked_and_never_mixed(small_micromat, qtbot, done):
    names = texts(done.results.means)
    published = ["published" in name for name in names]
    assert any(published)
    assert published == sorted(published)
    click_header(qtbot, done.results.means, "SAD")
    published = ["published" in name for name in texts(done.results.means)]
    assert published == sorted(published)


def test_means_are_of_the_rows(done):
    table = done.results.means
    means = table.table.rows[0]
    rows = [row for row in done.rows.values() if row.prompt == means.prompt]
    assert means.count == len(rows) == 5
    mean = sum(row.metrics["SAD"] for row in rows) / 5
    assert means.means["SAD"] == pytest.approx(mean)


def test_a_paused_run_waits_and_goes_on(qtbot, chosen, model):
    model.hold()
    click(qtbot, chosen.run_bar.start_button)
    model.let(2)
    until(qtbot, lambda: len(chosen.rows) == 2)
    click(qtbot, chosen.run_bar.pause_button)
    model.let(1)  # the one under way
    until(qtbot, lambda: chosen.run_bar.state == "paused")
    count = len(model.requests)
    model.free()
    assert len(rows_on_disk(chosen)) == len(chosen.rows) == count
    click(qtbot, chosen.run_bar.pause_button)
    settled(qtbot, chosen)
    assert len(chosen.rows) == ROW_COUNT
    assert len(model.requests) == ROW_COUNT


def test_a_row_can_be_viewed_while_the_run_waits(qtbot, chosen, model):
    model.hold()
    click(qtbot, chosen.run_bar.start_button)
    model.let(1)
    until(qtbot, lambda: len(chosen.rows) == 1)
    click(qtbot, chosen.run_bar.pause_button)
    model.let(1)
    until(qtbot, lambda: chosen.run_bar.state == "paused")
    for path in (chosen.out / "thumbnails").rglob("*.png"):
        path.unlink()
    model.let(1)
    chosen.results.tabs.setCurrentIndex(ROWS)
    until(qtbot, lambda: chosen.results.viewer.case_view is not None)
    until(qtbot, lambda: chosen.results.viewer.case_view.exact)
    assert chosen.worker.running


def test_stopping_keeps_the_rows_and_resuming_does_only_the_rest(qtbot, chosen, model):
    model.hold()
    click(qtbot, chosen.run_bar.start_button)
    model.let(4)
    until(qtbot, lambda: len(chosen.rows) == 4)
    click(qtbot, chosen.run_bar.stop_button)
    settled(qtbot, chosen)
    assert len(rows_on_disk(chosen)) == 4
    assert "4" in chosen.setup.out_label.text()
    before = len(model.requests)
    model.free()
    run_through(qtbot, chosen)
    assert len(chosen.rows) == ROW_COUNT
    assert len(model.requests) == before + ROW_COUNT - 4


def test_a_mirrored_run_of_the_command_resumes(qtbot, chosen, model, mini):
    options = EvaluationOptions(jobs=0, flip_tta=True)
    system = ModelSystem.from_name(DEFAULT_MODEL)
    events = evaluate(
        open_dataset(mini), [system], chosen.out, options=options, engine=FakeEngine()
    )
    for event in events:
        if isinstance(event, RowDone) and event.done == 4:
            events.close()
    run_through(qtbot, chosen)
    assert "mirrored is yes there and no now" in chosen.banner.text
    assert not model.requests
    chosen.setup.flip_tta.setFocus()
    qtbot.keyClick(chosen.setup.flip_tta, Qt.Key.Key_Space)
    run_through(qtbot, chosen)
    assert len(rows_on_disk(chosen)) == len(chosen.rows) == ROW_COUNT
    assert len(model.requests) == ROW_COUNT - 4
    assert all(request.recipe.options.flip_tta for request in model.requests)
    query = chosen.case_query(next(iter(chosen.rows.values())))
    assert query.options.flip_tta


def test_closing_ends_a_run_and_the_next_window_resumes_it(
    qtbot, chosen, model, make_window
):
    model.hold()
    click(qtbot, chosen.run_bar.start_button)
    model.let(3)
    until(qtbot, lambda: len(chosen.rows) == 3)
    chosen.close()
    until(qtbot, lambda: chosen.worker.idle)
    assert len(rows_on_disk(chosen)) == 3
    model.free()
    again = make_window()
    until(qtbot, lambda: len(again.rows) == 3)
    settled(qtbot, again)
    assert again.setup.choices == chosen.setup.choices
    run_through(qtbot, again)
    assert len(again.rows) == ROW_COUNT
    assert len(model.requests) == ROW_COUNT


def test_a_paused_run_can_be_stopped(qtbot, chosen, model):
    model.hold()
    click(qtbot, chosen.run_bar.start_button)
    model.let(1)
    until(qtbot, lambda: len(chosen.rows) == 1)
    click(qtbot, chosen.run_bar.pause_button)
    model.let(1)
    until(qtbot, lambda: chosen.run_bar.state == "paused")
    click(qtbot, chosen.run_bar.stop_button)
    settled(qtbot, chosen)
    assert chosen.run_bar.state == "idle"
    assert set(rows_on_disk(chosen)) == set(chosen.rows)
    assert len(model.requests) == len(chosen.rows) < ROW_COUNT


def test_a_model_that_cannot_be_loaded_is_reported(qtbot, chosen, model, refusal):
    def backend(name):
        raise refusal

    model.backend = backend
    run_through(qtbot, chosen)
    assert refusal.message in chosen.banner.text
    assert chosen.run_bar.start_button.isEnabled()


def test_results_of_another_data_set_are_not_mixed(qtbot, done, tmp_path, mini):
    other = tmp_path / "Other"
    shutil.copytree(mini, other)
    done.setup.set_root(other)
    until(qtbot, lambda: done.dataset is not None and done.worker.idle)
    enter(qtbot, done.setup.out, str(tmp_path / "out"))
    until(qtbot, lambda: "MicroMat3K" in done.setup.out_label.text())
    before = rows_on_disk(done)
    run_through(qtbot, done)
    assert "MicroMat3K" in done.banner.text
    assert rows_on_disk(done) == before


def test_the_worst_row_comes_first_and_a_click_turns_it_round(qtbot, done):
    done.results.tabs.setCurrentIndex(ROWS)
    table = done.results.list

    def sads():
        return [row.metrics["SAD"] for row in table.table.rows]

    assert sads() == sorted(sads(), reverse=True)
    click_header(qtbot, table, "SAD")
    assert sads() == sorted(sads())
    click_header(qtbot, table, "MSE")
    mses = [row.metrics["MSE"] for row in table.table.rows]
    assert mses == sorted(mses, reverse=True)


def test_filters_choose_rows_and_means(qtbot, done):
    box = done.results.filters.boxes["prompt"]
    box.setCurrentIndex(box.findData("box"))
    assert {row.prompt for row in done.results.means.table.rows} == {"box"}
    done.results.tabs.setCurrentIndex(ROWS)
    assert {row.prompt for row in done.results.list.table.rows} == {"box"}
    subset = done.results.filters.boxes["subset"]
    subset.setCurrentIndex(subset.findData("fine"))
    assert {row.subset for row in done.results.list.table.rows} == {"fine"}
    qtbot.keyClicks(done.results.filters.text, "0002")
    assert texts(done.results.list) == ["fine/0002_1"]


@pytest.fixture
def damaged(qtbot, chosen, mini, tmp_path):
    """The window after a run on a data set with an unreadable matte."""
    root = tmp_path / "MicroMat3K"
    shutil.copytree(mini, root)
    (root / "matte/fine/0001_1.png").write_bytes(b"no image")
    chosen.setup.set_root(root)
    until(qtbot, lambda: chosen.dataset is not None and chosen.worker.idle)
    enter(qtbot, chosen.setup.out, str(tmp_path / "damaged"))
    until(qtbot, lambda: chosen.worker.idle)
    run_through(qtbot, chosen)
    return chosen


def test_failures_are_counted_and_explained(qtbot, damaged):
    assert damaged.results.means.table.rows[0].count == 4
    assert "2" in damaged.results.tabs.tabText(FAILURES)
    damaged.results.tabs.setCurrentIndex(FAILURES)
    table = damaged.results.failures
    reasons = texts(table, column_of(table, "Reason"))
    assert len(reasons) == 2
    assert all("0001_1.png" in reason for reason in reasons)
    state = damaged.results.filters.boxes["state"]
    damaged.results.tabs.setCurrentIndex(ROWS)
    state.setCurrentIndex(state.findData("failed"))
    assert set(texts(damaged.results.list)) == {"fine/0001_1"}


def test_a_failed_row_shows_what_there_is(qtbot, damaged):
    state = damaged.results.filters.boxes["state"]
    state.setCurrentIndex(state.findData("failed"))
    damaged.results.tabs.setCurrentIndex(ROWS)
    viewer = damaged.results.viewer
    until(qtbot, lambda: viewer.case_view is not None)
    assert viewer.case_view.image
    assert not viewer.case_view.truth
    assert "0001_1.png" in plain_text(viewer.problem)


def show_rows_tab(qtbot, window):
    window.results.tabs.setCurrentIndex(ROWS)
    viewer = window.results.viewer
    until(qtbot, lambda: viewer.case_view is not None and window.worker.idle)
    return viewer


def test_the_viewer_shows_a_row_and_its_panes_move_together(qtbot, done):
    viewer = show_rows_tab(qtbot, done)
    assert viewer.case_view.query.row == done.results.list.table.rows[0]
    sizes = {pane.image_rect.size().toTuple() for pane in viewer.panes}
    assert sizes == {(420.0, 300.0)}
    pane = viewer.panes[1]
    before = pane.zoom
    at = QPointF(30, 40)
    event = QWheelEvent(
        at,
        pane.viewport().mapToGlobal(at),
        QPoint(),
        QPoint(0, 240),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(pane.viewport(), event)
    assert pane.zoom > before * 1.3
    for other in viewer.panes:
        assert other.zoom == pytest.approx(pane.zoom)
        gap = other.centre - pane.centre
        assert gap.manhattanLength() * pane.zoom < 4
    qtbot.mousePress(pane.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(60, 60))
    qtbot.mouseMove(pane.viewport(), QPoint(40, 50))
    qtbot.mouseRelease(pane.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(40, 50))
    for other in viewer.panes:
        gap = other.centre - pane.centre
        assert gap.manhattanLength() * pane.zoom < 4


def test_alt_and_arrows_step_through_the_rows(qtbot, done):
    viewer = show_rows_tab(qtbot, done)
    qtbot.keyClick(done, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    second = done.results.list.table.rows[1]
    until(qtbot, lambda: viewer.case_view.query.row == second)


def test_predictions_take_part_and_are_shown_as_they_are(qtbot, chosen, mini, tmp_path):
    folder = tmp_path / "Other system"
    shutil.copytree(mini / "matte", folder)
    chosen.setup.systems.add_folder(str(folder))
    run_through(qtbot, chosen)
    names = {row.system for row in chosen.rows.values()}
    assert names == {"zim-tiny", "Other system"}
    perfect = [r for r in chosen.rows.values() if r.system == "Other system"]
    assert {row.metrics["SAD"] for row in perfect} == {0.0}
    system = chosen.results.filters.boxes["system"]
    system.setCurrentIndex(system.findData("Other system"))
    viewer = show_rows_tab(qtbot, chosen)
    assert viewer.case_view.exact
    assert viewer.case_view.prompts


def test_only_the_checked_models_take_part(qtbot, chosen):
    listed = chosen.setup.systems.model_list
    items = [listed.item(i) for i in range(listed.count())]
    [item] = [i for i in items if i.checkState() == Qt.CheckState.Checked]
    item.setCheckState(Qt.CheckState.Unchecked)
    assert not chosen.run_bar.start_button.isEnabled()
    assert chosen.run_bar.start_button.toolTip()
    item.setCheckState(Qt.CheckState.Checked)
    assert chosen.setup.choices.systems == (ModelSystem.from_name("zim-tiny"),)
    assert chosen.run_bar.start_button.isEnabled()


def test_clicks_give_a_curve(qtbot, chosen):
    click(qtbot, chosen.setup.clicks)
    click(qtbot, chosen.setup.point)
    click(qtbot, chosen.setup.box)
    chosen.setup.click_count.setValue(3)
    run_through(qtbot, chosen)
    chosen.results.tabs.setCurrentIndex(CHARTS)
    [series] = chosen.results.curves.plot.series
    assert [x for x, _ in series.points] == [1, 2, 3]
    [counts] = chosen.results.histogram.plot.series
    assert sum(y for _, y in counts.points[:-1]) == 5


@pytest.mark.parametrize("form", WRITERS)
def test_every_form_of_the_report_is_written(qtbot, done, tmp_path, form):
    path = tmp_path / form
    done.export_button.export_to(form, str(path))
    until(qtbot, lambda: path.is_file() and done.worker.idle)
    # One model has no differences.
    expected = "p_adjusted" if form == "comparisons.csv" else "zim-tiny"
    assert expected in path.read_text("utf-8")
    assert form in [action.data() for action in done.export_button.menu().actions()]


def test_the_best_is_bold_and_the_spread_is_a_tip():
    model = MeansModel()
    better = MeansRow(
        *("a", "box", "all", "all", 5, 0, {"SAD": 1.0}),
        deviations={"SAD": 0.25},
        best=frozenset({"SAD"}),
    )
    worse = MeansRow("b", "box", "all", "all", 5, 0, {"SAD": 2.0})
    columns = mean_columns(["SAD"])
    model.show_rows([better, worse], columns)
    cells = [model.index(row, len(columns) - 1) for row in range(2)]
    bold = [cell.data(Qt.ItemDataRole.FontRole).bold() for cell in cells]
    assert bold == [True, False]
    assert "0.2500 over 5 objects" in cells[0].data(Qt.ItemDataRole.ToolTipRole)
    assert model.index(0, 0).data(Qt.ItemDataRole.ToolTipRole) is None


def test_a_report_that_cannot_be_written_is_an_error(qtbot, done, tmp_path):
    done.export_button.export_to("report.csv", str(tmp_path / "no/report.csv"))
    until(qtbot, lambda: "report.csv" in done.banner.text)


def test_whole_mattes_are_kept_with_the_option(qtbot, chosen, model):
    click(qtbot, chosen.setup.keep_mattes)
    run_through(qtbot, chosen)
    count = len(model.requests)
    assert show_rows_tab(qtbot, chosen).case_view.exact
    assert len(model.requests) == count


def test_a_small_set_can_be_made(qtbot, make_window, tmp_path):
    window = make_window()
    window.setup.mini_requested.emit(tmp_path)
    until(qtbot, lambda: window.dataset is not None)
    assert window.setup.choices.root == str(tmp_path / "MicroMat3K")
    window.setup.mini_requested.emit(tmp_path)
    until(qtbot, lambda: "MicroMat3K" in window.banner.text)
