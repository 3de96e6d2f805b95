"""The objects panel in the real window, by mouse and keys."""

from dataclasses import replace

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QDropEvent
from PySide6.QtWidgets import QApplication, QColorDialog, QLineEdit, QMenu

from zim_app.gui.panels.object_rows import (
    ROW_ROLE,
    ObjectRow,
    cut_out_thumbnail,
    row_parts,
)
from zim_model.finish import Stroke

KEY, BUTTON, MODIFIER = Qt.Key, Qt.MouseButton, Qt.KeyboardModifier


class Hand:
    """Mouse and keys on the window, in rows of the panel and pixels of the image."""

    def __init__(self, window, qtbot):
        self.window, self.qtbot = window, qtbot
        self.list = window.objects.list

    def part(self, row, part):
        self.list.scrollTo(self.list.model().index(row))
        rect = self.list.visualRect(self.list.model().index(row))
        return row_parts(rect)[part].center()

    def click(self, row, part="name", modifier=MODIFIER.NoModifier):
        at = self.part(row, part)
        port = self.list.viewport()
        self.qtbot.mouseClick(port, BUTTON.LeftButton, modifier, at)

    def point(self, x, y=20, modifier=MODIFIER.NoModifier):
        canvas = self.window.canvas
        at = canvas.to_view(x, y).toPoint()
        self.qtbot.mouseClick(canvas.viewport(), BUTTON.LeftButton, modifier, at)

    def key(self, key, modifier=MODIFIER.NoModifier, widget=None):
        self.qtbot.keyClick(widget or self.list, key, modifier)

    def act(self, name):
        action = self.window.actions_by_id[name]
        assert action.isEnabled()
        action.trigger()

    def drop(self, ids_from, row):
        rows = [self.list.model().index(r) for r in ids_from]
        data: QMimeData = self.list.model().mimeData(rows)
        target = self.list.model().index(min(row, 2))
        self.list.scrollTo(target)
        rect = self.list.visualRect(target)
        at = rect.topLeft() if row <= 2 else rect.bottomLeft()
        event = QDropEvent(
            QPointF(at + QPoint(60, 0)),
            Qt.DropAction.MoveAction,
            data,
            BUTTON.LeftButton,
            MODIFIER.NoModifier,
        )
        self.list.dropEvent(event)


@pytest.fixture
def hand(opened, qtbot):
    return Hand(opened, qtbot)


@pytest.fixture
def state(opened):
    return lambda: opened.document.state


@pytest.fixture
def three(hand, opened, settle):
    """Objects 3, 2, 1 from top to bottom, each with one point; 3 is active."""
    hand.point(10)
    for x in (20, 30):
        hand.act("object_new")
        hand.point(x)
    settle()
    opened.document.undo_stack.setClean()
    return hand


def finish_editing(hand, editor):
    hand.qtbot.keyClick(editor, KEY.Key_Return)
    editing = hand.list.State.EditingState
    hand.qtbot.waitUntil(lambda: hand.list.state() != editing)


def names(opened):
    model = opened.objects.model
    return [model.index(row).data() for row in range(model.rowCount())]


def ids(state):
    return [entry.id for entry in state.objects]


def test_the_panel_comes_with_the_first_image(window, photo, settle):
    assert not window.objects.isVisible()
    assert not window.actions_by_id["object_new"].isEnabled()
    window.open_path(photo)
    settle()
    assert window.objects.isVisible()
    assert names(window) == ["Object 1"]
    row: ObjectRow = window.objects.model.index(0).data(ROW_ROLE)
    assert row.empty
    assert row.accessible_text == "Object 1, visible, empty"


def test_clicks_go_to_the_active_object(three, opened, state):
    assert names(opened) == ["Object 3", "Object 2", "Object 1"]
    assert [o.recipe.prompts.points[0].x for o in state().objects] == pytest.approx(
        [30, 20, 10], abs=0.2
    )
    assert len({o.colour for o in state().objects}) == 3
    assert all(matte is not None for matte in state().mattes)


def test_clicking_a_row_makes_it_active_without_an_undo_step(three, opened, state):
    three.click(2)
    assert state().object.id == 1
    assert opened.document.undo_stack.isClean()
    three.key(KEY.Key_Up)
    assert state().object.id == 2
    three.key(KEY.Key_Down, MODIFIER.ControlModifier, opened.canvas)
    assert state().object.id == 1
    assert opened.objects.list.currentIndex().row() == 2


def test_undo_names_the_step_and_the_row_follows(three, opened, state):
    three.click(2)
    three.act("object_delete")
    assert ids(state()) == [3, 2]
    assert opened.actions_by_id["undo"].text() == "&Undo: Delete object"
    three.act("undo")
    assert ids(state()) == [3, 2, 1]
    assert state().object.id == 1
    assert opened.objects.list.currentIndex().row() == 2


def test_the_eye_hides_and_shows_without_selecting(three, opened, state):
    three.click(2, "eye")
    assert [o.visible for o in state().objects] == [True, True, False]
    assert state().object.id == 3
    assert opened.document.undo_stack.undoText() == "Hide object"
    three.click(2, "eye")
    assert state().objects[2].visible
    three.key(KEY.Key_Space)
    assert not state().objects[0].visible


def test_the_eye_hit_twice_quickly_is_as_it_was(three, state, qtbot):
    at = three.part(1, "eye")
    port = three.list.viewport()
    qtbot.mouseClick(port, BUTTON.LeftButton, pos=at)
    qtbot.mouseDClick(port, BUTTON.LeftButton, pos=at)
    assert state().objects[1].visible
    assert three.list.state() != three.list.State.EditingState


@pytest.mark.parametrize(
    ("part", "modifier"),
    [("solo", MODIFIER.NoModifier), ("eye", MODIFIER.AltModifier)],
)
def test_solo_shows_only_one_and_is_no_edit(three, opened, state, part, modifier):
    three.click(1, part, modifier)
    assert [state().is_shown(i) for i in range(3)] == [False, True, False]
    assert opened.document.undo_stack.isClean()
    three.click(1, part, modifier)
    assert all(state().is_shown(i) for i in range(3))


def test_renaming_in_place(three, opened, state, qtbot):
    three.key(KEY.Key_F2)
    editor = three.list.findChild(QLineEdit)
    assert editor.text() == "Object 3"
    qtbot.keyClicks(editor, "dog")
    finish_editing(three, editor)
    assert state().objects[0].name == "dog"
    assert opened.document.undo_stack.undoText() == "Rename object"
    assert names(opened)[0] == "dog"


@pytest.mark.parametrize("text", ["", "   ", "Object 3"])
def test_an_empty_or_equal_name_changes_nothing(three, opened, state, qtbot, text):
    three.key(KEY.Key_F2)
    editor = three.list.findChild(QLineEdit)
    editor.clear()
    qtbot.keyClicks(editor, text)
    finish_editing(three, editor)
    assert state().objects[0].name == ""
    assert opened.document.undo_stack.isClean()


def test_an_arriving_matte_does_not_end_renaming(
    three, opened, state, engine, settle, qtbot
):
    engine.gate.clear()
    three.point(35)
    three.key(KEY.Key_F2, widget=opened.canvas)
    editor = three.list.findChild(QLineEdit)
    qtbot.keyClicks(editor, "lead")
    engine.gate.set()
    settle()
    assert editor.isVisible()
    finish_editing(three, editor)
    assert state().objects[0].name == "lead"


def test_duplicates_lie_above_and_have_their_matte_at_once(
    three, opened, state, engine
):
    count = len(engine.solved)
    three.click(1)
    three.act("object_duplicate")
    assert names(opened) == ["Object 3", "Object 2 copy", "Object 2", "Object 1"]
    assert state().object.id == 4
    assert state().matte is state().mattes[2]
    assert len(engine.solved) == count


def test_delete_key_in_the_list_deletes_objects_not_prompts(three, opened, state):
    three.click(0)
    three.click(1, modifier=MODIFIER.ControlModifier)
    three.key(KEY.Key_Delete)
    assert ids(state()) == [1]
    assert opened.document.undo_stack.undoText() == "Delete 2 objects"
    three.key(KEY.Key_Delete)
    assert ids(state()) == [4], "an empty object takes the last one's place"
    assert not opened.actions_by_id["object_delete"].isEnabled()
    three.key(KEY.Key_Delete)
    assert ids(state()) == [4]


def test_merging_unites_prompts_in_one_step(three, opened, state, engine, settle):
    assert not opened.actions_by_id["object_merge"].isEnabled()
    three.click(0)
    three.click(2, modifier=MODIFIER.ControlModifier)
    before = state()
    three.act("object_merge")
    settle()
    assert ids(state()) == [3, 2]
    recipe = state().object.recipe
    assert recipe.prompts == before.objects[0].recipe.prompts
    assert recipe.more_prompt_sets == (before.objects[2].recipe.prompts,)
    assert engine.solved[-1].recipe.more_prompt_sets == recipe.more_prompt_sets
    three.act("undo")
    assert state().objects == before.objects


def test_merging_what_differs_asks_first(three, opened, state):
    soft = state().objects[2].recipe.with_finish(feather=4.0)
    opened.document.edit_object("Feather", 2, recipe=soft)
    three.click(0)
    three.click(2, modifier=MODIFIER.ShiftModifier)
    three.act("object_merge")
    assert ids(state()) == [3, 2, 1], "nothing happens without a confirmation"
    assert "the refinement" in opened.banner.text
    opened.banner.action_button.click()
    assert ids(state()) == [3]
    assert len(state().object.recipe.more_prompt_sets) == 2


def test_merging_with_an_eraser_asks_first(three, opened, state):
    erased = (
        state().objects[0].recipe.with_stroke(Stroke(((1, 1, 1),), 3, brush="erase"))
    )
    opened.document.edit("Erase", erased)
    three.key(KEY.Key_A, MODIFIER.ControlModifier)
    three.act("object_merge")
    assert "erase or soften" in opened.banner.text
    opened.banner.action_button.click()
    assert state().object.recipe.finish.strokes == erased.finish.strokes


def test_a_late_confirmation_does_no_harm(three, opened, state):
    soft = state().objects[2].recipe.with_finish(feather=4.0)
    opened.document.edit_object("Feather", 2, recipe=soft)
    three.key(KEY.Key_A, MODIFIER.ControlModifier)
    three.act("object_merge")
    opened.document.edit_objects("Delete", state().objects[:1], 0)
    opened.banner.action_button.click()
    assert ids(state()) == [3]


def test_a_question_about_objects_ends_with_their_photo(
    three, opened, state, photo, settle
):
    soft = state().objects[2].recipe.with_finish(feather=4.0)
    opened.document.edit_object("Feather", 2, recipe=soft)
    three.key(KEY.Key_A, MODIFIER.ControlModifier)
    three.act("object_merge")
    assert opened.banner.text
    opened.open_path(photo)
    settle()
    assert not opened.banner.text


def test_rows_are_dragged_to_another_place(three, opened, state):
    three.drop([0], 3)
    assert ids(state()) == [2, 1, 3]
    assert state().object.id == 3
    three.drop([0, 2], 1)
    assert ids(state()) == [2, 3, 1]
    assert opened.document.undo_stack.undoText() == "Reorder objects"
    three.act("undo")
    three.act("undo")
    assert ids(state()) == [3, 2, 1]


def test_a_drop_of_something_else_is_refused(three, opened, state):
    data = QMimeData()
    data.setText("[1]")
    model = opened.objects.model
    index = model.index(-1)
    assert not model.dropMimeData(data, Qt.DropAction.MoveAction, 0, 0, index)
    assert ids(state()) == [3, 2, 1]


def test_rows_are_moved_by_keys_and_stay_selected(three, opened, state):
    three.click(0)
    three.click(1, modifier=MODIFIER.ShiftModifier)
    modifier = MODIFIER.ControlModifier | MODIFIER.ShiftModifier
    three.key(KEY.Key_Down, modifier)
    assert ids(state()) == [1, 3, 2]
    assert opened.objects.selected_ids == [3, 2]
    three.key(KEY.Key_Down, modifier)
    assert ids(state()) == [1, 3, 2], "they are at the bottom"


def test_a_colour_of_the_palette(three, opened, state):
    three.click(1, "swatch")
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    menu.actions()[3].trigger()
    menu.close()
    assert state().objects[1].colour == 0xD65DB1
    assert opened.document.undo_stack.undoText() == "Change colour"


def test_any_other_colour(three, opened, state):
    three.click(1, "swatch")
    menu = QApplication.activePopupWidget()
    menu.actions()[-1].trigger()
    menu.close()
    dialog = opened.objects.findChild(QColorDialog)
    dialog.colorSelected.emit(QColor(1, 2, 3))
    dialog.close()
    assert state().objects[1].colour == 0x010203


def test_the_menu_of_a_row(three, opened):
    opened.objects.list.customContextMenuRequested.emit(three.part(1, "name"))
    menu = QApplication.activePopupWidget()
    texts = [action.text() for action in menu.actions() if not action.isSeparator()]
    menu.close()
    assert "&Merge selected" in texts
    assert "&Clear prompts" in texts


def test_ctrl_click_on_the_canvas_selects_the_object_there(three, opened, state):
    three.click(2)
    three.point(20, modifier=MODIFIER.ControlModifier)
    assert state().object.id == 3, "every matte is opaque there; the topmost is next"
    three.point(70, modifier=MODIFIER.ControlModifier)
    assert state().object.id == 3
    assert opened.document.undo_stack.isClean()


def test_clearing_a_merged_object_clears_all_its_prompts(three, state):
    three.key(KEY.Key_A, MODIFIER.ControlModifier)
    three.act("object_merge")
    three.act("clear")
    assert not state().object.recipe.has_prompts


def test_a_row_shows_that_its_matte_is_pending(three, opened, engine, settle):
    engine.gate.clear()
    three.point(33)
    assert opened.objects.model.index(0).data(ROW_ROLE).is_pending
    engine.gate.set()
    settle()
    assert not opened.objects.model.index(0).data(ROW_ROLE).is_pending


def test_the_thumbnail_shows_what_is_cut_out(three, opened):
    pixmap = opened.objects.model.index(0).data(Qt.ItemDataRole.DecorationRole)
    image = pixmap.toImage()
    middle = image.pixelColor(image.width() // 2, image.height() // 2)
    assert middle.getRgb()[:3] == (200, 100, 50)


def test_a_thumbnail_has_a_checker_board_where_nothing_is(image, make_matte):
    matte = replace(make_matte(), support=(0, 0, 80, 60))
    image = cut_out_thumbnail((image.rgb,), matte, 40)
    assert image.pixelColor(10, 20).getRgb()[:3] == (200, 200, 200)
    right = {image.pixelColor(x, 20).red() for x in range(24, 40)}
    assert {0xFF, 0xD0} <= right


def test_another_image_brings_its_own_objects(three, opened, tmp_path, settle):
    from PIL import Image

    other = tmp_path / "other.png"
    Image.new("RGB", (30, 20)).save(other)
    opened.open_path(other)
    settle()
    assert names(opened) == ["Object 1"]
    assert opened.objects.document is opened.document
