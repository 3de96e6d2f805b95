"""Tests of the evaluation opened from the studio."""

import pytest
from PySide6.QtCore import Qt

from tests.zim_app.gui.evaluation.conftest import click, enter, run_through, until
from zim_app.gui.evaluation.evaluation_worker import EvaluationWorker
from zim_app.gui.evaluation.results_view import ROWS
from zim_model.prompts import Point, PromptSet
from zim_model.recipe import Recipe


@pytest.fixture
def opened_evaluation(qtbot, window, model, mini, tmp_path):
    """The evaluation window, opened by its key, with a data set."""
    window.evaluation.worker = EvaluationWorker(lambda: model, window.evaluation)
    control, shift = (
        Qt.KeyboardModifier.ControlModifier,
        Qt.KeyboardModifier.ShiftModifier,
    )
    window.activateWindow()
    until(qtbot, window.isActiveWindow)
    qtbot.keyClick(window, Qt.Key.Key_U, control | shift)
    evaluation = window.evaluation.window
    assert evaluation.isVisible()
    enter(qtbot, evaluation.setup.root.lineEdit(), str(mini))
    until(qtbot, lambda: evaluation.dataset is not None)
    enter(qtbot, evaluation.setup.out, str(tmp_path / "out"))
    until(qtbot, lambda: evaluation.worker.idle)
    return evaluation


@pytest.fixture
def done(qtbot, opened_evaluation):
    run_through(qtbot, opened_evaluation)
    opened_evaluation.results.tabs.setCurrentIndex(ROWS)
    until(qtbot, lambda: opened_evaluation.worker.idle)
    return opened_evaluation


def open_selected(qtbot, evaluation):
    qtbot.keyClick(evaluation.results.list, Qt.Key.Key_Return)


def test_return_opens_the_case_with_its_prompts_and_model(qtbot, window, done, settle):
    row = done.results.selected
    open_selected(qtbot, done)
    until(qtbot, lambda: window.document is not None)
    settle()
    state = window.document.state
    assert [scene_object.name for scene_object in state.objects] == [row.case]
    assert state.recipe.prompts == row.prompt_set
    assert state.recipe.model == "zim-tiny"
    assert state.matte is not None


def test_the_case_comes_beside_the_work_on_the_same_image(qtbot, window, done, settle):
    open_selected(qtbot, done)
    until(qtbot, lambda: window.document is not None)
    settle()
    document = window.document
    mine = Recipe(PromptSet((Point(5, 5),)))
    new = document.new_object(mine, "mine")
    document.edit_objects("Mine", (new, *document.state.objects), 0)
    open_selected(qtbot, done)  # it is there already
    assert window.document is document
    assert len(document.state.objects) == 2
    assert document.state.object.name == done.results.selected.case
    other = next(
        row
        for row in done.results.list.table.rows
        if row.key != done.results.selected.key
        and row.case.endswith(done.results.selected.case[-6:])
    )
    done.results.open_requested.emit(other)
    assert window.document is document
    assert "mine" in [scene_object.name for scene_object in document.state.objects]
    assert len(document.state.objects) == 3
    document.undo_stack.undo()
    assert len(document.state.objects) == 2
    settle()


def test_work_on_another_image_is_kept(qtbot, opened, done, settle, photo):
    document = opened.document
    document.edit("Click", document.state.recipe.with_point(Point(9, 9)))
    settle()
    open_selected(qtbot, done)
    until(qtbot, lambda: opened.document is not document)
    settle()
    opened.open_path(photo)
    settle()
    assert opened.document.state.recipe.prompts.points == (Point(9, 9),)


def test_an_image_opened_by_hand_gets_no_case(qtbot, window, done, settle, photo):
    open_selected(qtbot, done)
    window.open_path(photo)  # replaces the earlier request
    until(qtbot, lambda: window.document is not None)
    settle()
    assert window.document.image.path == photo
    assert not window.document.state.recipe.has_prompts


def test_the_key_brings_the_same_window_back(qtbot, window, opened_evaluation):
    opened_evaluation.close()
    window.evaluation.show_window()
    assert window.evaluation.window is opened_evaluation
    assert opened_evaluation.isVisible()


def test_closing_the_studio_ends_a_run_and_keeps_its_rows(
    qtbot, window, opened_evaluation, model
):
    model.hold()
    click(qtbot, opened_evaluation.run_bar.start_button)
    model.let(2)
    until(qtbot, lambda: len(opened_evaluation.rows) == 2)
    window.close()
    assert not opened_evaluation.isVisible()
    rows = (opened_evaluation.out / "rows.jsonl").read_text("utf-8")
    assert len(rows.splitlines()) == 3  # with the configuration
