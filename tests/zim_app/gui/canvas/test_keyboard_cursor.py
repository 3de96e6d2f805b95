"""Prompting with keys alone."""

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication

from zim_app.gui.tools.gestures import PromptPart
from zim_model.prompts import Box, Point

KEY = Qt.Key
NONE = Qt.KeyboardModifier.NoModifier
SHIFT, CONTROL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def canvas(opened):
    opened.canvas.setFocus()
    return opened.canvas


@pytest.fixture
def keys(canvas, qtbot):
    def keys(*presses, modifier=NONE):
        for key in presses:
            qtbot.keyClick(canvas, key, modifier)

    return keys


@pytest.fixture
def prompts(opened):
    return lambda: opened.document.state.recipe.prompts


@pytest.fixture
def step(canvas):
    """How far an arrow key goes, in image pixels."""
    return 10 / canvas.view_scale


def test_enter_clicks_at_the_cursor(opened, keys, prompts, step, settle, engine):
    keys(KEY.Key_Right, KEY.Key_Right, KEY.Key_Up)
    keys(KEY.Key_Return)
    [point] = prompts().points
    assert point.positive
    assert (point.x, point.y) == pytest.approx((40 + 2 * step, 30 - step), abs=0.2)
    settle()
    assert engine.solved[-1].recipe.prompts == prompts()


def test_the_cursor_is_visible_and_acts_as_pointer(opened, canvas, keys):
    before = canvas.viewport().grab().toImage()
    keys(KEY.Key_Right)
    assert canvas.viewport().grab().toImage() != before
    assert opened.status.pointer.text() != ""


def test_shift_goes_farther(canvas, keys, step):
    keys(KEY.Key_Right)
    first = canvas.keyboard.position.x()
    keys(KEY.Key_Right, modifier=SHIFT)
    assert canvas.keyboard.position.x() - first == pytest.approx(5 * step)


def test_the_cursor_stays_in_the_image_and_in_view(canvas, keys):
    canvas.set_zoom(40)
    keys(*[KEY.Key_Left] * 60, modifier=SHIFT)
    assert canvas.keyboard.position.x() == 0
    at = canvas.to_view(canvas.keyboard.position.x(), canvas.keyboard.position.y())
    assert canvas.viewport().rect().contains(at.toPoint())


def test_n_and_control_enter_are_negative(keys, prompts):
    keys(KEY.Key_N)
    keys(KEY.Key_Left)
    keys(KEY.Key_Return, modifier=CONTROL)
    assert [point.positive for point in prompts().points] == [False, False]


def test_shift_enter_twice_makes_a_box(opened, canvas, keys, prompts, step):
    keys(KEY.Key_Return, modifier=SHIFT)
    keys(KEY.Key_Right, KEY.Key_Down)
    assert canvas.shown_prompts.box is not None, "it is visible while it is made"
    assert prompts().box is None
    keys(KEY.Key_Return, modifier=SHIFT)
    box = prompts().box
    expected = Box(40, 30, 40 + step, 30 + step)
    assert (box.x0, box.y0, box.x1, box.y1) == pytest.approx(
        (expected.x0, expected.y0, expected.x1, expected.y1), abs=0.3
    )
    assert opened.document.undo_stack.count() == 1


def test_escape_gives_a_box_up(canvas, keys, prompts):
    keys(KEY.Key_Return, modifier=SHIFT)
    keys(KEY.Key_Right, KEY.Key_Down)
    keys(KEY.Key_Escape)
    assert not canvas.shown_prompts
    keys(KEY.Key_Return)
    assert len(prompts().points) == 1


def test_tab_goes_through_the_prompts(opened, canvas, keys):
    keys(KEY.Key_Return)
    keys(KEY.Key_Right)
    keys(KEY.Key_Return)
    assert canvas.selected is None
    keys(KEY.Key_Tab)
    assert canvas.selected == PromptPart("point", 0)
    keys(KEY.Key_Tab)
    assert canvas.selected == PromptPart("point", 1)
    keys(KEY.Key_Backtab, modifier=SHIFT)
    assert canvas.selected == PromptPart("point", 0)
    keys(KEY.Key_Delete)
    assert len(opened.document.state.recipe.prompts.points) == 1


def test_tab_leaves_the_canvas_after_the_last_prompt(canvas, keys):
    keys(KEY.Key_Return)
    keys(KEY.Key_Tab)
    assert canvas.hasFocus()
    keys(KEY.Key_Tab)
    assert not canvas.hasFocus()


def test_arrows_move_the_selected_prompt_in_one_step(
    opened, canvas, keys, prompts, step
):
    recipe = opened.document.state.recipe.with_point(Point(40, 30))
    opened.document.edit("Add point", recipe)
    keys(KEY.Key_Tab)

    def send(kind, *, repeated):
        event = QKeyEvent(kind, KEY.Key_Right, NONE, "", repeated)
        QApplication.sendEvent(canvas, event)

    send(QEvent.Type.KeyPress, repeated=False)
    for _ in range(3):
        send(QEvent.Type.KeyRelease, repeated=True)
        send(QEvent.Type.KeyPress, repeated=True)
    assert canvas.shown_prompts.points[0].x == pytest.approx(40 + 4 * step)
    assert prompts().points == (Point(40, 30),), "not before the key is released"
    send(QEvent.Type.KeyRelease, repeated=False)
    assert prompts().points[0].x == pytest.approx(40 + 4 * step)
    assert opened.document.undo_stack.count() == 2
    assert opened.document.undo_stack.undoText() == "Move point"
    assert canvas.selected == PromptPart("point", 0)


def test_arrows_move_the_box(opened, keys, prompts, step):
    recipe = opened.document.state.recipe.with_box(Box(10, 10, 30, 40))
    opened.document.edit("Draw box", recipe)
    keys(KEY.Key_Tab)
    keys(KEY.Key_Down)
    assert prompts().box == Box(10, 10 + step, 30, 40 + step)


def test_the_brush_dabs_at_the_cursor(opened, keys):
    keys(KEY.Key_B)
    keys(KEY.Key_Right)
    keys(KEY.Key_Return)
    keys(KEY.Key_N)
    brushes = [stroke.brush for stroke in opened.document.state.recipe.finish.strokes]
    assert brushes == ["add", "erase"]


def test_the_mouse_takes_over(canvas, keys, qtbot):
    keys(KEY.Key_Right)
    assert canvas.keyboard.position is not None
    qtbot.mouseMove(canvas.viewport(), canvas.to_view(10, 10).toPoint())
    assert canvas.keyboard.position is None


def test_the_canvas_has_an_accessible_name(opened):
    assert opened.canvas.accessibleName()
    assert "Enter" in opened.canvas.accessibleDescription()
    refine = opened.tools.refine.fields["feather"]
    assert refine.slider.accessibleName() == "Feather"
    assert refine.number.accessibleDescription()
