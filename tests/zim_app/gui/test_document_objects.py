"""Several objects in one document: ids, order, requests, undo and redo."""

from dataclasses import replace

import pytest

from zim_app.gui.document import Document, find_object_at
from zim_model.prompts import Point
from zim_model.recipe import Recipe
from zim_model.runtime.lru import ByteBoundedLru


class RequestRecorder:
    """Keeps the newest request, as the queue does, and solves it on demand."""

    def __init__(self, document, make_matte):
        self.document, self.make_matte = document, make_matte
        self.order = []
        self.request = None
        document.request_changed.connect(self.take)

    def take(self, request):
        self.request = request
        if request is not None:
            self.order.append(request.recipe.prompts.points[0].x)

    def answer(self):
        request, self.request = self.request, None
        matte = self.make_matte()
        self.document.receive_matte(request, matte)
        return matte

    def answer_all(self):
        while self.request is not None:
            self.answer()


@pytest.fixture
def requests(document, make_matte):
    return RequestRecorder(document, make_matte)


def recipe(x):
    return Recipe().with_point(Point(x, 5))


@pytest.fixture
def three(document):
    """Objects with points at x = 1, 2 and 3; the second is the active one."""
    first = replace(document.state.object, recipe=recipe(1))
    others = [document.new_object(recipe(x)) for x in (2, 3)]
    document.edit_objects("Add", (first, *others), 1)
    return document


def ids(document):
    return [entry.id for entry in document.state.objects]


def test_all_visible_objects_are_requested_the_active_one_first(requests, three):
    assert three.state.unsolved == {1, 2, 3}
    requests.answer_all()
    assert requests.order == [2, 1, 3]
    assert three.state.unsolved == frozenset()
    assert all(matte is not None for matte in three.state.mattes)


def test_hidden_objects_are_requested_when_they_are_shown(requests, three):
    three.edit_object("Hide", 2, visible=False)
    requests.answer_all()
    assert requests.order[-1] == 1
    assert three.state.is_complete, "hidden objects are not waited for"
    assert three.state.unsolved == {3}
    three.edit_object("Show", 2, visible=True)
    assert not three.state.is_complete
    requests.answer_all()
    assert requests.order[-1] == 3


def test_solo_requests_only_visible_objects(requests, document):
    document.set_solo(1)
    other = document.new_object(recipe(2))
    document.edit_objects("Add", (*document.state.objects, other), 0)
    assert document.state.solo is None, "a new object is not hidden from the start"
    document.set_solo(1)
    requests.order.clear()
    document.edit("Click", recipe(1))
    requests.answer_all()
    assert requests.order == [1]
    document.set_solo(None)
    requests.answer_all()
    assert requests.order == [1, 2]


def test_an_edit_during_the_round_goes_first_and_the_round_goes_on(requests, three):
    requests.answer()
    assert requests.order == [2, 1]
    three.edit("Click", recipe(9))
    assert requests.order[-1] == 9
    requests.answer_all()
    assert requests.order == [2, 1, 9, 1, 3]


def test_a_matte_that_no_object_needs_is_dropped(requests, three, make_matte):
    stale = three.request(recipe(3))
    three.edit_object("Click", 2, recipe=recipe(8))
    before = three.state
    three.receive_matte(stale, make_matte())
    assert three.state is before


def test_equal_recipes_are_requested_once(requests, three):
    copy = three.new_object(recipe(1))
    three.edit_objects("Duplicate", (*three.state.objects, copy), 1)
    requests.answer_all()
    assert sorted(requests.order).count(1) == 1
    assert three.state.mattes[0] is three.state.mattes[3]


def test_selecting_is_no_edit(requests, three):
    requests.answer_all()
    count = three.undo_stack.count()
    three.select(0)
    assert three.state.object.id == 1
    assert three.undo_stack.count() == count
    assert requests.request is None


def test_undo_and_redo_bring_back_objects_order_and_the_active_one(requests, three):
    requests.answer_all()
    before = three.state
    one, two, last = three.state.objects
    three.edit_objects("Reorder", (last, one, two), 2)
    three.edit_objects("Delete", (last, two), 0)
    three.select(1)
    after = three.state.objects
    three.undo_stack.undo()
    assert ids(three) == [3, 1, 2]
    assert three.state.object.id == 2
    three.undo_stack.undo()
    assert (three.state.objects, three.state.active) == (before.objects, 1)
    assert three.state.mattes == before.mattes
    three.undo_stack.redo()
    three.undo_stack.redo()
    assert three.state.objects == after
    assert three.state.object.id == 3


def test_ids_are_never_given_again(three):
    one, two, _ = three.state.objects
    three.edit_objects("Delete", (one, two), 0)
    assert three.new_object().id == 4
    three.undo_stack.undo()
    assert ids(three) == [1, 2, 3]
    assert three.new_object().id == 5


def test_ids_that_came_from_elsewhere_are_not_given_again(three, image):
    other = Document(image)
    other.edit_objects("Restore", three.state.objects, 1)
    other.edit_objects("Delete", three.state.objects[:1], 0)
    assert other.new_object().id == 4


def test_restored_objects_without_matte_are_requested_again(requests, three):
    three._results = ByteBoundedLru(1)
    requests.answer_all()
    three.edit_objects("Delete", three.state.objects[:2], 0)
    three.edit("Click", recipe(7))
    requests.answer_all()
    three.undo_stack.undo()
    three.undo_stack.undo()
    requests.answer_all()
    assert three.state.unsolved == frozenset()
    assert all(matte is not None for matte in three.state.mattes)


def test_a_refusal_of_one_object_does_not_stop_the_others(requests, three):
    three.receive_matte(requests.request, None)
    requests.answer_all()
    assert [matte is None for matte in three.state.mattes] == [False, True, False]
    assert three.state.is_complete


def test_solo_ends_with_its_object(requests, three):
    three.set_solo(3)
    three.edit_objects("Delete", three.state.objects[:2], 0)
    assert three.state.solo is None


def test_objects_under_a_place_are_gone_through_from_the_top(requests, three):
    three.edit_object("Hide", 2, visible=False)
    requests.answer_all()  # every matte is opaque on the left half
    assert find_object_at(three.state, 10, 5) == 0
    three.select(0)
    assert find_object_at(three.state, 10, 5) == 1
    assert find_object_at(three.state, 79, 5) is None
    assert find_object_at(three.state, -1, 5) is None
    assert find_object_at(three.state, 10, 60) is None
    three.set_solo(2)
    assert find_object_at(three.state, 10, 5) == 1
