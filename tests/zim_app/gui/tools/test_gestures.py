import pytest
from PySide6.QtCore import QPointF, Qt

from zim_app.gui.tools.gestures import (
    PointerPress,
    PromptGesture,
    PromptPart,
    clear_prompts,
    find_part_at,
    remove_part,
)
from zim_model.prompts import Box, Point, PromptSet
from zim_model.recipe import Recipe

SIZE = (60, 80)
ZOOM = 4.0


def to_view(x, y):
    return QPointF(x * ZOOM, y * ZOOM)


def gesture(recipe, start, end, positive=True, straight=False):
    """Press at ``start`` and drag to ``end``, in image pixels."""
    at = to_view(*start)
    part = find_part_at(recipe.prompts, at, to_view)
    press = PointerPress(
        recipe, SIZE, part, positive, QPointF(*start), at, straight=straight
    )
    return PromptGesture.begin(press).move(QPointF(*end), to_view(*end))


@pytest.fixture
def recipe():
    return Recipe(PromptSet((Point(20, 20), Point(40, 30)), Box(10, 10, 50, 50)))


@pytest.mark.parametrize(
    ("x", "y", "part"),
    [
        (20, 20, PromptPart("point", 0)),
        (41, 31, PromptPart("point", 1)),
        (10, 10, PromptPart("corner", 0)),
        (50, 50, PromptPart("corner", 2)),
        (30, 10.5, PromptPart("side", 0)),
        (30, 20, None),
        (70, 10, None),
    ],
)
def test_what_lies_under_the_pointer(recipe, x, y, part):
    assert find_part_at(recipe.prompts, to_view(x, y), to_view) == part


def test_the_newest_point_lies_on_top():
    prompts = PromptSet((Point(5, 5), Point(5, 5)))
    assert find_part_at(prompts, to_view(5, 5), to_view) == PromptPart("point", 1)


@pytest.mark.parametrize("positive", [True, False])
def test_a_click_adds_a_point(positive):
    edit = gesture(Recipe(), (7.5, 8.25), (7.5, 8.25), positive).edit()
    assert edit.recipe.prompts.points == (Point(7.5, 8.25, positive),)
    assert edit.selected == PromptPart("point", 0)


def test_a_hand_that_shakes_still_clicks():
    edit = gesture(Recipe(), (7, 8), (7.5, 8.5)).edit()
    assert edit.recipe.prompts == PromptSet((Point(7, 8),))


def test_a_negative_drag_is_a_click():
    edit = gesture(Recipe(), (7, 8), (30, 30), positive=False).edit()
    assert edit.recipe.prompts == PromptSet((Point(7, 8, positive=False),))


@pytest.mark.parametrize("where", [(-1, 5), (5, -0.1), (80, 5), (5, 60)])
def test_a_click_outside_does_nothing(where):
    assert gesture(Recipe(), where, where).edit() is None


def test_a_drag_draws_a_box_whatever_its_direction():
    edit = gesture(Recipe(), (30, 40), (10, 15)).edit()
    assert edit.recipe.prompts.box == Box(10, 15, 30, 40)


def test_a_box_is_clipped_to_the_image():
    edit = gesture(Recipe(), (30, 40), (500, -10)).edit()
    assert edit.recipe.prompts.box == Box(30, 0, 80, 40)


def test_a_box_outside_is_none():
    assert gesture(Recipe(), (100, 100), (200, 200)).edit() is None


def test_a_click_on_a_part_only_selects(recipe):
    assert gesture(recipe, (20, 20), (20, 20)).edit() is None


def test_a_point_is_dragged_by_where_it_was_taken(recipe):
    edit = gesture(recipe, (21, 20), (31, 25)).edit()
    assert edit.recipe.prompts.points[0] == Point(30, 25)
    assert edit.recipe.prompts.box == recipe.prompts.box


def test_a_dragged_point_stays_in_the_image(recipe):
    edit = gesture(recipe, (20, 20), (500, -500)).edit()
    assert edit.recipe.prompts.points[0] == Point(79.5, 0)
    edit.recipe.prompts.validate(*SIZE)


def test_a_corner_resizes_the_box(recipe):
    edit = gesture(recipe, (10, 10), (5, 20)).edit()
    assert edit.recipe.prompts.box == Box(5, 20, 50, 50)


@pytest.mark.parametrize(
    ("start", "end", "box"),
    [
        ((30, 10), (35, 12), Box(10, 12, 50, 50)),
        ((50, 30), (60, 99), Box(10, 10, 60, 50)),
        ((30, 50), (5, 45), Box(10, 10, 50, 45)),
        ((10, 30), (-9, 30), Box(0, 10, 50, 50)),
        ((10, 30), (70, 30), Box(50, 10, 70, 50)),
    ],
)
def test_a_side_is_moved_alone(recipe, start, end, box):
    edit = gesture(recipe, start, end).edit()
    assert edit.recipe.prompts.box == box
    assert edit.selected == PromptPart("box")


def test_a_side_with_shift_moves_the_box_and_keeps_it_inside(recipe):
    moved = gesture(recipe, (30, 10), (35, 12), straight=True).edit()
    assert moved.recipe.prompts.box == Box(15, 12, 55, 52)
    pushed = gesture(recipe, (30, 10), (300, 100), straight=True).edit()
    assert pushed.recipe.prompts.box == Box(40, 20, 80, 60)


@pytest.mark.parametrize(
    ("part", "shape"),
    [
        (PromptPart("point"), Qt.CursorShape.SizeAllCursor),
        (PromptPart("corner", 0), Qt.CursorShape.SizeFDiagCursor),
        (PromptPart("corner", 1), Qt.CursorShape.SizeBDiagCursor),
        (PromptPart("side", 0), Qt.CursorShape.SizeVerCursor),
        (PromptPart("side", 3), Qt.CursorShape.SizeHorCursor),
    ],
)
def test_the_pointer_shows_what_a_drag_does(part, shape):
    assert part.cursor == shape


def test_delete_and_clear(recipe):
    assert remove_part(recipe, PromptPart("point", 0)).recipe.prompts.points == (
        Point(40, 30),
    )
    assert remove_part(recipe, PromptPart("corner", 2)).recipe.prompts.box is None
    assert not clear_prompts(recipe).recipe.prompts
