"""Everything-mode in the real window: search, hover, pick, add, cancel."""

import pytest
from PIL import Image
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QWheelEvent
from PySide6.QtWidgets import QApplication

from zim_model.errors import ZimError

KEY, BUTTON, MODIFIER = Qt.Key, Qt.MouseButton, Qt.KeyboardModifier


class Hand:
    """Mouse and keys in everything-mode, in pixels of the image."""

    def __init__(self, window, qtbot):
        self.window, self.qtbot = window, qtbot
        self.canvas = window.canvas

    def at(self, x, y):
        return self.canvas.to_view(x, y).toPoint()

    def move(self, x, y):
        self.qtbot.mouseMove(self.canvas.viewport(), self.at(x, y))

    def turn(self, x, y, steps):
        """Turn the wheel with Alt, as systems do that turn it sideways then."""
        port, at = self.canvas.viewport(), QPointF(self.at(x, y))
        for _ in range(abs(steps)):
            event = QWheelEvent(
                at,
                QPointF(port.mapToGlobal(at.toPoint())),
                QPoint(),
                QPoint(120 if steps > 0 else -120, 0),
                BUTTON.NoButton,
                MODIFIER.AltModifier,
                Qt.ScrollPhase.NoScrollPhase,
                False,
            )
            QApplication.sendEvent(port, event)

    def click(self, x, y, modifier=MODIFIER.NoModifier, button=BUTTON.LeftButton):
        self.qtbot.mouseClick(self.canvas.viewport(), button, modifier, self.at(x, y))

    def double_click(self, x, y):
        port = self.canvas.viewport()
        self.qtbot.mouseClick(port, BUTTON.LeftButton, pos=self.at(x, y))
        self.qtbot.mouseDClick(port, BUTTON.LeftButton, pos=self.at(x, y))

    def press(self, button):
        assert button.isVisible()
        assert button.isEnabled()
        self.qtbot.mouseClick(button, BUTTON.LeftButton)

    def key(self, key, modifier=MODIFIER.NoModifier):
        self.qtbot.keyClick(self.canvas, key, modifier)

    def hold(self, key, repeats=3):
        self.qtbot.keyPress(self.canvas, key)
        kind = QEvent.Type.KeyPress
        for _ in range(repeats):
            again = QKeyEvent(kind, key, MODIFIER.NoModifier, "", True)
            QApplication.sendEvent(self.canvas, again)
        self.qtbot.keyRelease(self.canvas, key)

    def toggle(self):
        self.window.actions_by_id["everything"].trigger()


@pytest.fixture
def objects(make_found):
    """A large object, a small one in it, and one beside them."""
    return (
        make_found(5, 5, 45, 55),
        make_found(10, 10, 20, 20),
        make_found(60, 10, 70, 20),
    )


@pytest.fixture
def hand(opened, qtbot, engine, objects):
    engine.found_objects = objects
    return Hand(opened, qtbot)


@pytest.fixture
def mode(hand, settle):
    """The mode after the search."""
    hand.toggle()
    settle()
    return hand.window.everything


@pytest.fixture
def state(opened):
    return lambda: opened.document.state


def test_alt_and_wheel_go_through_overlapping_objects(hand, mode, objects):
    large, small, _ = objects
    zoom = hand.canvas.zoom
    hand.move(15, 15)
    assert mode.selection.hovered is small
    for steps, hovered in ((1, large), (1, small), (-1, large)):
        hand.turn(15, 15, steps)
        assert mode.selection.hovered is hovered
    assert hand.canvas.zoom == zoom
    hand.click(15, 15)
    assert mode.selection.picks == ((large,),)
    hand.move(40, 40)
    hand.move(16, 16)
    assert mode.selection.hovered is small, "elsewhere it begins with the smallest"
    hand.turn(75, 55, 1)
    assert mode.selection.hovered is None


def wait_for_objects(qtbot, mode, count):
    qtbot.waitUntil(lambda: len(mode.selection.objects) == count)


def test_the_mode_shows_what_was_found(mode, opened, objects):
    assert mode.selection.objects == objects
    assert mode.bar.isVisible()
    assert mode.bar.label.text() == "3 found: click to pick, Shift+click to merge"
    assert not mode.bar.cancel_button.isVisible()
    assert not mode.bar.add_button.isEnabled()
    assert opened.actions_by_id["everything"].isChecked()


def test_regions_are_tinted_and_the_hovered_one_more(mode, hand, opened):
    def colours():
        image = opened.canvas.viewport().grab().toImage()
        return [image.pixelColor(hand.at(x, y)) for x, y in ((40, 50), (55, 50))]

    hand.move(55, 50)
    region, bare = colours()
    assert bare.getRgb()[:3] == (200, 100, 50)
    assert region != bare
    hand.move(30, 40)
    hovered, bare = colours()
    assert hovered != region
    assert bare.getRgb()[:3] == (200, 100, 50)


@pytest.mark.parametrize("view", ["view_cutout", "view_matte"])
def test_the_image_is_visible_in_every_view(hand, opened, settle, view):
    hand.click(20, 20)
    settle()
    opened.actions_by_id[view].trigger()
    hand.toggle()
    settle()
    opened.everything.bar.setFocus()  # losing the focus ends showing the photo
    at = hand.at(55, 50)
    colour = opened.canvas.viewport().grab().toImage().pixelColor(at)
    assert colour.getRgb()[:3] == (200, 100, 50)
    hand.toggle()
    colour = opened.canvas.viewport().grab().toImage().pixelColor(at)
    assert colour.getRgb()[:3] != (200, 100, 50)


def test_hovering_finds_the_smallest_region(mode, hand, objects, opened):
    hand.move(15, 15)
    assert mode.selection.hovered is objects[1]
    hand.move(30.5, 40.5)
    assert mode.selection.hovered is objects[0]
    assert opened.status.pointer.text() == "x 30  y 40"
    hand.move(50, 5)
    assert mode.selection.hovered is None


def test_clicks_pick_and_make_no_prompts(mode, hand, objects, state):
    hand.click(15, 15)
    hand.click(65, 15)
    assert mode.selection.picks == ((objects[1],), (objects[2],))
    hand.click(15, 15)
    hand.click(65, 15, button=BUTTON.RightButton)
    assert mode.selection.picks == ((objects[2],),)
    assert not state().recipe.prompts


def test_picked_regions_become_objects_in_one_step(mode, hand, objects, state, settle):
    hand.click(15, 15)
    hand.click(65, 15)
    assert mode.bar.label.text() == "3 found, 2 picked"
    hand.press(mode.bar.add_button)
    settle()
    assert not mode.active
    assert [o.recipe.prompts for o in state().objects] == [
        objects[1].prompts,
        objects[2].prompts,
    ], "the untouched first object makes room"
    assert all(matte is not None for matte in state().mattes)
    stack = hand.window.document.undo_stack
    assert stack.undoText() == "Add found objects"
    stack.undo()
    assert [o.recipe.has_prompts for o in state().objects] == [False]


def test_objects_in_use_stay(hand, opened, state, settle):
    hand.click(30, 30)
    settle()
    used = state().object
    hand.toggle()
    settle()
    hand.key(KEY.Key_A)
    assert len(state().objects) == 4
    assert state().objects[-1] == used


def test_enter_adds_and_escape_leaves(mode, hand, state):
    hand.key(KEY.Key_Return)
    assert mode.active, "nothing is picked yet"
    hand.click(65, 15)
    hand.key(KEY.Key_Return)
    assert not mode.active
    before = state().objects
    hand.toggle()
    hand.click(15, 15)
    hand.key(KEY.Key_Escape)
    assert not mode.active
    assert not mode.bar.isVisible()
    assert state().objects == before
    hand.click(30, 30)
    assert state().object.recipe.prompts.points[-1].x == pytest.approx(30, abs=0.2)


def test_keys_alone_pick_and_add(mode, hand, objects, state):
    large, small, beside = objects
    hand.key(KEY.Key_P)
    assert mode.selection.picks == (), "nothing is highlighted yet"
    for key, hovered in (
        (KEY.Key_Left, beside),
        (KEY.Key_Right, large),
        (KEY.Key_Down, small),
        (KEY.Key_Up, large),
    ):
        hand.key(key)
        assert mode.selection.hovered is hovered
    hand.key(KEY.Key_P)
    hand.key(KEY.Key_Right)
    hand.key(KEY.Key_P)
    hand.key(KEY.Key_P)
    assert mode.selection.picks == ((large,),), "a picked one is left out again"
    hand.key(KEY.Key_Right)
    hand.key(KEY.Key_P, MODIFIER.ShiftModifier)
    assert mode.selection.picks == ((large, beside),)
    hand.key(KEY.Key_Return)
    recipe = state().objects[0].recipe
    assert (recipe.prompts, *recipe.more_prompt_sets) == (large.prompts, beside.prompts)


def test_a_key_held_down_steps_on_but_picks_once(mode, hand, objects):
    large, small, _ = objects
    hand.hold(KEY.Key_Right)
    assert mode.selection.hovered is large, "three objects and round again"
    hand.hold(KEY.Key_P)
    assert mode.selection.picks == ((large,),)
    hand.hold(KEY.Key_Right, repeats=0)
    assert mode.selection.hovered is small


def test_the_highlighted_object_comes_into_view(mode, hand, objects):
    hand.canvas.set_zoom(40.0)
    centres = ((25, 30), (15, 15), (65, 15))
    for _ in objects:
        hand.key(KEY.Key_Right)
        x, y = centres[objects.index(mode.selection.hovered)]
        assert hand.canvas.viewport().rect().contains(hand.at(x, y))


def test_a_double_click_adds_at_once(mode, hand, objects, state):
    hand.double_click(15, 15)
    assert [o.recipe.prompts for o in state().objects] == [objects[1].prompts]


def test_shift_click_merges_into_one_object(mode, hand, objects, state):
    hand.click(15, 15)
    hand.click(65, 15, MODIFIER.ShiftModifier)
    hand.press(mode.bar.add_button)
    [entry] = state().objects
    assert entry.recipe.prompts == objects[1].prompts
    assert entry.recipe.more_prompt_sets == (objects[2].prompts,)


def test_the_merge_button(mode, hand, objects):
    hand.click(15, 15)
    assert not mode.bar.merge_button.isEnabled()
    hand.click(65, 15)
    hand.press(mode.bar.merge_button)
    assert mode.selection.picks == ((objects[1], objects[2]),)


def test_different_candidates_are_not_merged(hand, engine, make_found, settle):
    engine.found_objects = make_found(0, 0, 9, 9), make_found(20, 0, 29, 9, candidate=3)
    hand.toggle()
    settle()
    hand.click(5, 5)
    hand.click(25, 5, MODIFIER.ShiftModifier)
    assert len(hand.window.everything.selection.picks) == 1
    assert "different candidates" in hand.window.banner.text


def test_what_is_there_already_is_not_added_twice(mode, hand, state):
    hand.double_click(15, 15)
    hand.toggle()
    hand.key(KEY.Key_A)
    assert len(state().objects) == 3
    hand.toggle()
    hand.double_click(15, 15)
    assert len(state().objects) == 3
    assert "already" in hand.window.banner.text


def test_entering_again_is_instant(mode, hand, engine, objects):
    hand.click(15, 15)
    hand.toggle()
    hand.toggle()
    assert mode.selection.objects == objects
    assert mode.selection.picks == ((objects[1],),)
    assert engine.calls.count("search") == 1


def test_another_image_has_its_own_regions(mode, hand, engine, settle, tmp_path):
    other = tmp_path / "other.png"
    Image.new("RGB", (80, 60), (9, 9, 9)).save(other)
    hand.window.open_path(other)
    settle()
    assert not mode.active
    engine.found_objects = ()
    hand.toggle()
    settle()
    assert mode.bar.label.text() == "Nothing found"


def test_results_come_while_the_search_runs(hand, engine, qtbot, objects, settle):
    mode = hand.window.everything
    engine.search_gate.clear()
    hand.toggle()
    wait_for_objects(qtbot, mode, 1)
    assert mode.bar.label.text() == "Searching… 1 found"
    assert mode.selection.progress == pytest.approx(1 / 3)
    hand.click(30, 40)
    engine.search_gate.set()
    settle()
    assert mode.selection.finished
    assert mode.selection.picks == ((objects[0],),)


def test_cancelling_is_at_once_and_keeps_what_was_found(
    hand, engine, qtbot, objects, settle
):
    mode = hand.window.everything
    engine.search_gate.clear()
    hand.toggle()
    wait_for_objects(qtbot, mode, 1)
    hand.press(mode.bar.cancel_button)
    assert mode.bar.label.text() == "Search stopped, 1 found"
    settle()  # although the gate is still closed
    assert len(engine.cancelled) == 1
    engine.search_gate.set()
    hand.press(mode.bar.continue_button)
    settle()
    assert mode.selection.objects == objects


def test_leaving_ends_the_search(hand, engine, qtbot, settle, objects):
    mode = hand.window.everything
    engine.search_gate.clear()
    hand.toggle()
    wait_for_objects(qtbot, mode, 1)
    hand.key(KEY.Key_Escape)
    settle()
    assert len(engine.cancelled) == 1
    hand.toggle()
    assert mode.selection.objects == objects[:1], "found objects are kept"


def test_an_edit_goes_first_and_the_search_goes_on(hand, engine, qtbot, settle, state):
    hand.click(30, 30)
    settle()
    hand.window.document.edit_object("Hide", 0, visible=False)
    mode = hand.window.everything
    engine.search_gate.clear()
    hand.toggle()
    wait_for_objects(qtbot, mode, 1)
    hand.window.document.edit(
        "Click", state().recipe.with_box(None).with_finish(feather=2)
    )
    qtbot.waitUntil(lambda: not state().is_pending)
    assert mode.searching
    engine.search_gate.set()
    settle()
    assert mode.selection.finished
    assert engine.calls.count("search") == 2


def test_a_search_waits_for_a_matte_under_way(hand, engine, settle, state):
    engine.gate.clear()
    hand.click(30, 30)
    hand.toggle()
    hand.window.document.edit("Again", state().recipe.with_finish(feather=1))
    engine.gate.set()
    settle()
    assert state().matte is not None
    assert hand.window.everything.selection.finished


def test_choosing_a_tool_leaves_the_mode(mode, hand):
    hand.window.canvas.set_tool(hand.window.canvas.tool)
    assert not mode.active


def test_a_failed_search_is_explained(hand, engine, settle):
    engine.error = ZimError("No memory is left.", "Close something.")
    hand.toggle()
    settle()
    assert hand.window.banner.text == "No memory is left.\nClose something."
    mode = hand.window.everything
    assert mode.bar.label.text() == "Search stopped, 0 found"
    engine.error = None
    hand.press(mode.bar.continue_button)
    settle()
    assert len(mode.selection.objects) == 3


def test_the_window_closes_during_a_search(hand, engine, qtbot):
    engine.search_gate.clear()
    hand.toggle()
    wait_for_objects(qtbot, hand.window.everything, 1)
    hand.window.close()
    assert len(engine.cancelled) == 1
