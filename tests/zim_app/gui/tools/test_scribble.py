"""Scribbles and the lasso: stored prompts and gestures."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPointF, Qt

from zim_app.gui.canvas.markers import sign_positions
from zim_app.gui.tools.gestures import (
    PointerPress,
    PromptPart,
    ToolOptions,
    find_part_at,
    list_parts,
)
from zim_app.gui.tools.scribble import LassoGesture, ScribbleGesture, simplify_path
from zim_model.prompts import Point, PromptSet, Scribble
from zim_model.recipe import Recipe

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
SIZE = (60, 80)
PLACES = st.tuples(st.floats(0, 80), st.floats(0, 60))


def drawn(kind, *places, positive=True, options=None, recipe=None):
    """The edit of a line through these places, at 4 view pixels for each pixel."""
    first = QPointF(*places[0])
    press = PointerPress(
        recipe or Recipe(),
        SIZE,
        None,
        positive,
        first,
        first * 4,
        scale=4.0,
        options=options or ToolOptions(),
    )
    gesture = kind.begin(press)
    for place in places[1:]:
        gesture = gesture.move(QPointF(*place), QPointF(*place) * 4)
    return gesture.edit()


def distance_to(path, x, y):
    path = np.array(path if len(path) > 1 else path * 2)
    begin, along = path[:-1], np.diff(path, axis=0)
    length = (along**2).sum(1)
    share = ((np.array([x, y]) - begin) * along).sum(1) / np.where(length, length, 1)
    nearest = begin + np.clip(share, 0, 1)[:, None] * along
    return np.hypot(*(nearest - [x, y]).T).min()


@given(st.lists(PLACES, min_size=1, max_size=40), st.floats(0.01, 5))
def test_a_simplified_line_stays_near(path, tolerance):
    short = simplify_path(path, tolerance)
    assert short[0] == path[0]
    assert short[-1] == path[-1]
    assert set(short) <= set(path)
    assert all(distance_to(short, x, y) <= tolerance + 1e-6 for x, y in path)


def test_a_straight_line_needs_two_vertices():
    path = [(float(x), 2.0 * x) for x in range(50)]
    assert simplify_path(path, 0.1) == (path[0], path[-1])


@pytest.mark.parametrize("positive", [True, False])
@pytest.mark.parametrize("chosen", [True, False])
def test_the_button_and_the_option_choose_the_sign(positive, chosen):
    options = ToolOptions(positive=chosen)
    edit = drawn(ScribbleGesture, (5, 5), (30, 5), positive=positive, options=options)
    [scribble] = edit.recipe.prompts.scribbles
    assert scribble == Scribble(((5, 5), (30, 5)), positive == chosen)
    assert edit.selected == PromptPart("scribble", 0)


def test_a_scribble_stays_in_the_image():
    edit = drawn(ScribbleGesture, (70, 30), (200, 40), (50, -20))
    edit.recipe.prompts.validate(*SIZE)
    assert max(x for x, _ in edit.recipe.prompts.scribbles[0].path) == 79.5


def test_a_click_with_the_scribble_is_a_point():
    edit = drawn(ScribbleGesture, (5, 5), (5.5, 5), positive=False)
    assert edit.recipe.prompts == PromptSet((Point(5, 5, False),))
    assert drawn(ScribbleGesture, (-5, 5), (-5.5, 5)) is None


@pytest.mark.parametrize("positive", [True, False])
def test_a_lasso_is_a_region(positive):
    path = ((20, 10), (40, 20), (30, 50), (10, 30))
    edit = drawn(LassoGesture, *path, positive=positive)
    assert edit.recipe.prompts.scribbles == (Scribble(path, positive, region=True),)
    assert edit.selected == PromptPart("scribble", 0)
    assert drawn(LassoGesture, (20, 10), (20.5, 10)) is None, "a click is no loop"
    assert drawn(LassoGesture, (20, 10), (40, 10)) is None, "nor is a line"


def test_a_scribble_is_held_anywhere_on_its_line():
    path = ((20, 20), (60, 20))
    prompts = PromptSet((Point(20, 20),), None, (Scribble(path), Scribble(((70, 50),))))

    def under(x, y):
        return find_part_at(
            prompts, QPointF(4 * x, 4 * y), lambda x, y: QPointF(x, y) * 4
        )

    assert under(20, 20) == PromptPart("point", 0), "points lie on top"
    assert under(45, 20.8) == PromptPart("scribble", 0)
    assert under(70, 50) == PromptPart("scribble", 1)
    assert under(45, 25) is None
    loop = Scribble(((20, 20), (60, 20), (60, 50)), region=True)
    prompts = PromptSet((), None, (loop,))
    assert under(40, 35) == PromptPart("scribble", 0), "the side that closes it"
    assert under(55, 30) is None, "its inside is free for further prompts"
    prompts = PromptSet((Point(20, 20),), None, (Scribble(path), Scribble(((70, 50),))))
    assert list_parts(prompts) == (
        PromptPart("point", 0),
        PromptPart("scribble", 0),
        PromptPart("scribble", 1),
    )


def test_signs_stay_where_they_are_while_a_line_grows():
    short = [QPointF(0, 0), QPointF(200, 0)]
    long = [*short, QPointF(200, 200)]
    assert sign_positions(long)[: len(sign_positions(short))] == sign_positions(short)
    assert sign_positions([QPointF(0, 0), QPointF(10, 0)]) == [QPointF(5, 0)]
    assert sign_positions([QPointF(3, 3)]) == [QPointF(3, 3)]


# -- In the window ------------------------------------------------------------------


@pytest.fixture
def stroke(opened, qtbot):
    """Press, drag through places in image pixels, release."""

    def stroke(*places, button=LEFT, modifier=Qt.KeyboardModifier.NoModifier):
        canvas = opened.canvas
        ats = [canvas.to_view(*place).toPoint() for place in places]
        qtbot.mousePress(canvas.viewport(), button, modifier, ats[0])
        for at in ats[1:]:
            qtbot.mouseMove(canvas.viewport(), at)
        qtbot.mouseRelease(canvas.viewport(), button, modifier, ats[-1])

    return stroke


@pytest.fixture
def prompts(opened):
    return lambda: opened.document.state.recipe.prompts


def test_scribbling_in_the_window(opened, qtbot, stroke, prompts, settle, engine):
    qtbot.keyClick(opened.canvas, Qt.Key.Key_S)
    assert opened.actions_by_id["tool_scribble"].isChecked()
    assert opened.canvas.tool.id == "scribble"
    stroke((20, 10), (25, 20), (20, 40))
    stroke((50, 10), (70, 10), button=RIGHT)
    stroke((50, 50), (70, 50), modifier=Qt.KeyboardModifier.AltModifier)
    assert [s.positive for s in prompts().scribbles] == [True, False, False]
    assert opened.document.undo_stack.count() == 3
    settle()
    assert engine.solved[-1].recipe.prompts == prompts()
    opened.actions_by_id["undo"].trigger()
    assert len(prompts().scribbles) == 2


def test_a_scribble_is_moved_and_deleted(opened, qtbot, stroke, prompts):
    qtbot.keyClick(opened.canvas, Qt.Key.Key_S)
    stroke((20, 10), (40, 10))
    [before] = prompts().scribbles
    stroke((30, 10), (30, 200))
    [after] = prompts().scribbles
    assert after.path[0] == pytest.approx((before.path[0][0], 59.5), abs=0.2)
    assert opened.document.undo_stack.undoText() == "Move scribble"
    qtbot.keyClick(opened.canvas, Qt.Key.Key_V)
    stroke((30, 59), (30, 59))
    assert opened.canvas.selected == PromptPart("scribble", 0)
    qtbot.keyClick(opened.canvas, Qt.Key.Key_Delete)
    assert not prompts()


def test_escape_aborts_a_scribble(opened, qtbot, prompts):
    canvas = opened.canvas
    qtbot.keyClick(canvas, Qt.Key.Key_S)
    qtbot.mousePress(canvas.viewport(), LEFT, pos=canvas.to_view(20, 10).toPoint())
    qtbot.mouseMove(canvas.viewport(), canvas.to_view(40, 30).toPoint())
    assert canvas.shown_prompts.scribbles, "it is visible while it is drawn"
    qtbot.keyClick(canvas, Qt.Key.Key_Escape)
    assert not canvas.shown_prompts
    qtbot.mouseRelease(canvas.viewport(), LEFT, pos=canvas.to_view(40, 30).toPoint())
    assert not prompts()


def test_the_lasso_in_the_window(opened, qtbot, stroke, prompts, settle, engine):
    qtbot.keyClick(opened.canvas, Qt.Key.Key_K)
    stroke((10, 10), (60, 10), (60, 50), (10, 50), (10, 12))
    stroke((30, 20), (50, 20), (40, 40), button=RIGHT)
    stroke((20, 20), (24, 20), (22, 40), modifier=Qt.KeyboardModifier.AltModifier)
    assert [s.positive for s in prompts().scribbles] == [True, False, False]
    assert all(s.region for s in prompts().scribbles)
    box = prompts().extent
    assert (box.x0, box.y0, box.x1, box.y1) == pytest.approx((10, 10, 60, 50), abs=0.2)
    assert opened.document.undo_stack.undoText() == "Negative lasso"
    settle()
    assert engine.solved[-1].recipe.prompts == prompts()
    opened.actions_by_id["undo"].trigger()
    assert len(prompts().scribbles) == 2


def test_a_lasso_is_moved_and_deleted(opened, qtbot, stroke, prompts):
    qtbot.keyClick(opened.canvas, Qt.Key.Key_K)
    stroke((10, 10), (40, 10), (40, 40))
    [before] = prompts().scribbles
    stroke((25, 25), (35, 25))  # the side that closes it
    [after] = prompts().scribbles
    assert after.path[0] == pytest.approx((before.path[0][0] + 10, 10), abs=0.3)
    assert after.region
    assert opened.document.undo_stack.undoText() == "Move lasso"
    qtbot.keyClick(opened.canvas, Qt.Key.Key_Delete)
    assert not prompts()
    assert opened.document.undo_stack.undoText() == "Delete lasso"


def test_the_inside_of_a_lasso_is_tinted_while_it_is_drawn(opened, qtbot):
    canvas = opened.canvas
    middle = canvas.to_view(35, 30).toPoint()

    def colour():
        image = canvas.viewport().grab().toImage()
        return image.pixelColor(middle * image.devicePixelRatio()).rgb()

    before = colour()
    qtbot.keyClick(canvas, Qt.Key.Key_K)
    qtbot.mousePress(canvas.viewport(), LEFT, pos=canvas.to_view(10, 10).toPoint())
    for place in ((60, 10), (60, 50), (10, 50)):
        qtbot.mouseMove(canvas.viewport(), canvas.to_view(*place).toPoint())
    assert colour() != before
    qtbot.keyClick(canvas, Qt.Key.Key_Escape)
    assert colour() == before


def test_the_hand_pans(opened, qtbot, stroke, prompts):
    opened.actions_by_id["tool_hand"].trigger()
    before = opened.canvas.to_view(0, 0)
    stroke((20, 10), (30, 20))
    assert opened.canvas.to_view(0, 0) != before
    assert not prompts()


def test_options_follow_the_tool(opened, qtbot, stroke, prompts):
    bar = opened.tools.options_bar
    assert not bar.sign.isVisible()
    qtbot.mouseClick(
        opened.tools.tool_bar.widgetForAction(opened.actions_by_id["tool_scribble"]),
        LEFT,
    )
    assert bar.sign.isVisible()
    qtbot.mouseClick(bar.sign.buttons[False], LEFT)
    stroke((20, 10), (40, 10))
    assert not prompts().scribbles[0].positive


def test_every_tool_shows_its_key(opened):
    for id_ in ("prompt", "scribble", "lasso", "hand"):
        action = opened.actions_by_id[f"tool_{id_}"]
        assert f"({action.shortcut().toString()})" in action.toolTip()
