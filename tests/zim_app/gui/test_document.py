import math

import pytest

from zim_app.gui.settings import preferences
from zim_model.errors import PromptError, ZimError
from zim_model.finish import Stroke
from zim_model.prompts import Box, Point, PromptSet
from zim_model.recipe import Recipe


@pytest.fixture
def requests(document):
    """The prompts of every request; None for a withdrawn one."""
    requests = []
    document.request_changed.connect(requests.append)
    return requests


def add(document, x, positive=True):
    point = Point(x, 5, positive)
    document.edit("Add point", document.state.recipe.with_point(point))


def points(document):
    return [point.x for point in document.state.recipe.prompts.points]


def answer(document, make_matte):
    matte = make_matte()
    document.receive_matte(document.request(), matte)
    return matte


def test_an_edit_changes_the_state_and_requests_a_matte(document, requests):
    changes = []
    document.changed.connect(lambda old, new: changes.append((old, new)))
    before = document.state
    add(document, 3)
    assert changes == [(before, document.state)]
    assert document.state.is_pending
    assert [request.recipe.prompts for request in requests] == [
        document.state.recipe.prompts
    ]


def test_the_same_recipe_is_no_edit(document, requests):
    document.edit("Nothing", document.state.recipe)
    assert requests == []
    assert not document.undo_stack.canUndo()


def test_undo_and_redo(document):
    for x in (1, 2, 3):
        add(document, x)
    stack = document.undo_stack
    assert stack.undoText() == "Add point"
    stack.undo()
    stack.undo()
    assert points(document) == [1]
    stack.redo()
    assert points(document) == [1, 2]
    assert stack.count() == 3


def test_undo_of_box_move_and_delete(document):
    start = document.state.recipe
    steps = [
        start.with_point(Point(1, 1)),
        start.with_point(Point(1, 1)).with_box(Box(0, 0, 9, 9)),
        start.with_point(Point(4, 5)).with_box(Box(0, 0, 9, 9)),
        start.with_box(Box(0, 0, 9, 9)),
    ]
    for step in steps:
        document.edit("Step", step)
    for step in [*reversed(steps[:-1]), start]:
        document.undo_stack.undo()
        assert document.state.recipe == step
    for step in steps:
        document.undo_stack.redo()
        assert document.state.recipe == step


def test_the_matte_is_shown(document, make_matte):
    add(document, 1)
    matte = answer(document, make_matte)
    assert document.state.matte is matte
    assert not document.state.is_pending


def test_stale_mattes_are_dropped(document, make_matte):
    add(document, 1)
    old = document.request()
    add(document, 2)
    document.receive_matte(old, make_matte())
    assert document.state.matte is None
    assert document.state.is_pending


def test_the_old_matte_stays_until_the_new_one_comes(document, make_matte):
    add(document, 1)
    matte = answer(document, make_matte)
    add(document, 2)
    assert document.state.matte is matte
    assert document.state.is_pending


def test_undo_and_redo_show_cached_mattes_without_a_request(
    document, requests, make_matte
):
    add(document, 1)
    first = answer(document, make_matte)
    add(document, 2)
    second = answer(document, make_matte)
    requests.clear()
    document.undo_stack.undo()
    assert document.state.matte is first
    document.undo_stack.redo()
    assert document.state.matte is second
    document.undo_stack.undo()
    document.undo_stack.undo()
    assert document.state.matte is None
    assert requests == [None] * 4
    assert not document.state.is_pending


def test_a_refused_request_is_no_longer_pending(document):
    add(document, 1)
    document.receive_matte(document.request(), None)
    assert document.state.matte is None
    assert not document.state.is_pending


def test_negative_points_alone_request_nothing_and_are_explained(document, requests):
    failures = []
    document.failed.connect(failures.append)
    add(document, 1, positive=False)
    assert requests == [None]
    assert [type(error) for error in failures] == [PromptError]
    assert not document.state.is_pending


def test_the_memory_for_results_follows_the_setting(document, make_matte, requests):
    """64 MB hold the mattes of four edits at 2000 x 2500 and no more."""
    for x in range(8):
        add(document, x)
        document.receive_matte(document.request(), make_matte(2000, 2500))
    count = len(requests)
    for _ in range(7):
        document.undo_stack.undo()
    assert requests[count:] == [None] * 7, "512 MB hold all of them"
    preferences.set_value("result_memory", 64)
    for _ in range(6):
        document.undo_stack.redo()
    assert any(requests[count + 7 :]), "some must be computed again"


def test_what_could_not_be_stored_is_refused_when_it_is_made(document):
    """Else every later save would fail, or make a file that cannot be opened."""
    errors = []
    document.failed.connect(errors.append)
    points = tuple(Point(1 + i / 100, 2) for i in range(200))
    assert document.edit("", Recipe(PromptSet(points)))
    before = document.state
    for recipe in (
        before.recipe.with_point(Point(3, 3)),
        before.recipe.with_stroke(Stroke(((1e30, 1, 1),), 5)),
        before.recipe.with_stroke(Stroke(((math.nan, 1, 1),), 5)),
    ):
        assert not document.edit("", recipe)
    assert document.state is before
    assert [isinstance(error, ZimError) for error in errors] == [True] * 3
    assert not document.edit_object("", 0, name="a" * 2000)
