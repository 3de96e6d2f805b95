"""Mattes of hidden objects are packed, in the real window."""

from dataclasses import replace

import numpy as np
import PIL.Image
import pytest

from zim_app.core.export_options import ExportOptions
from zim_app.core.packed_mattes import PackedMatte
from zim_app.gui.files.export_controller import export_targets
from zim_model.finish import Stroke
from zim_model.prompts import Point
from zim_model.recipe import Recipe
from zim_model.request import Matte


@pytest.fixture
def document(opened, settle):
    """Objects 1, 2 and 3, of which 1 is active."""
    document = opened.document
    first = replace(document.state.object, recipe=Recipe().with_point(Point(1, 5)))
    others = [document.new_object(Recipe().with_point(Point(x, 5))) for x in (2, 3)]
    document.edit_objects("Add", (first, *others), 0)
    settle()
    return document


@pytest.fixture
def hide(document, settle):
    def hide_object(index):
        document.edit_object("Hide", index, visible=False)
        settle()

    return hide_object


def packed(document):
    return [isinstance(matte, PackedMatte) for matte in document.state.mattes]


def held(document):
    """Bytes of all mattes that the document holds, those for undo included."""
    mattes = (*document.state.mattes, *document._results._entries.values())
    return sum(matte.nbytes for matte in {id(each): each for each in mattes}.values())


def test_hiding_frees_memory_and_showing_gives_equal_pixels(document, hide, settle):
    before, memory = document.state.mattes, held(document)
    hide(1)
    assert packed(document) == [False, True, False]
    assert held(document) < memory - before[1].nbytes / 2
    np.testing.assert_array_equal(document.state.mattes[1].alpha, before[1].alpha)
    document.undo_stack.undo()
    settle()
    shown = document.state.mattes[1]
    assert type(shown) is Matte
    np.testing.assert_array_equal(shown.alpha, before[1].alpha)
    np.testing.assert_array_equal(shown.pyramid[0], before[1].pyramid[0])
    assert held(document) == memory


def test_nothing_is_computed_again(document, hide, settle, engine):
    hide(1)
    solved = len(engine.solved)
    document.undo_stack.undo()
    document.undo_stack.redo()
    document.select(1)
    settle()
    assert len(engine.solved) == solved


def test_the_active_object_is_unpacked_though_hidden(document, hide, settle):
    hide(1)
    document.select(1)
    settle()
    assert packed(document) == [False, False, False]
    document.select(0)
    settle()
    assert packed(document) == [False, True, False]


def test_solo_packs_all_others_until_it_ends(document, settle):
    document.select(1)
    document.set_solo(document.state.object.id)
    settle()
    assert packed(document) == [True, False, True]
    document.set_solo(None)
    settle()
    assert packed(document) == [False, False, False]


def test_many_objects_that_are_shown_are_painted_a_few_times(document, settle):
    points = [Point(x, 7) for x in range(30)]
    more = [document.new_object(Recipe().with_point(point)) for point in points]
    document.edit_objects("Add", tuple(more), 0)
    settle()
    document.set_solo(more[0].id)
    settle()
    assert packed(document) == [False] + [True] * 29
    changes = []
    document.changed.connect(lambda *_: changes.append(packed(document)))
    document.set_solo(None)
    settle()
    assert packed(document) == [False] * 30
    assert len(changes) < 15


def test_an_object_that_is_shown_again_at_once_stays_as_it_is(document, settle):
    matte = document.state.mattes[1]
    document.edit_object("Hide", 1, visible=False)
    document.edit_object("Show", 1, visible=True)
    settle()
    assert document.state.mattes[1] is matte


def test_a_newer_matte_is_not_replaced_by_a_packed_older_one(document, settle, engine):
    document.edit_object("Hide", 1, visible=False)
    document.select(1)
    document.edit("Click", Recipe().with_point(Point(9, 9)))
    document.edit_object("Show", 1, visible=True)
    settle()
    assert engine.solved[-1].recipe == document.state.recipe
    assert document.state.has_current_matte
    assert packed(document) == [False, False, False]


def test_duplicates_share_a_matte_which_stays_while_one_is_shown(document, settle):
    copy = replace(document.new_object(), recipe=document.state.objects[1].recipe)
    hidden = replace(copy, visible=False)
    document.edit_objects("Duplicate", (*document.state.objects, hidden), 0)
    settle()
    assert document.state.mattes[3] is document.state.mattes[1]
    document.edit_object("Hide", 1, visible=False)
    settle()
    assert packed(document) == [False, True, False, True]
    assert document.state.mattes[3] is document.state.mattes[1]


def test_hidden_objects_are_exported_as_layers(document, hide):
    layered = ExportOptions(format="psd", scope="together")
    before = export_targets(document, layered)
    hide(2)
    after = export_targets(document, layered)
    assert [target.visible for target in after] == [False, True, True]
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one.alpha, other.alpha)


def test_hidden_rows_keep_their_thumbnails(document, hide, opened):
    def picture():
        return opened.objects.model._thumbnail(1).toImage()

    before = picture()
    hide(1)
    assert picture() == before


def test_the_document_that_is_open_is_followed(document, opened, settle, tmp_path):
    path = tmp_path / "other.png"
    PIL.Image.new("RGB", (80, 60)).save(path)
    objects = document.state.objects
    opened.open_path(path)
    settle()
    opened.document.edit_objects("Add", objects, 0)
    settle()
    opened.document.edit_object("Hide", 1, visible=False)
    settle()
    assert packed(opened.document) == [False, True, False]


def test_strokes_stay_while_the_matte_below_is_unpacked(document, hide, settle, opened):
    hide(1)
    document.select(1)
    assert packed(document)[1]
    preview, image = opened.canvas._stroke_preview, document.image.rgb
    recipe = document.state.recipe
    for x in (50.0, 70.0):  # where the matte is transparent
        stroke = Stroke(((x, 30.0, 1.0),), radius=4.0)
        finish = replace(recipe.finish, strokes=(*recipe.finish.strokes, stroke))
        recipe = replace(recipe, finish=finish)
        preview.begin(document.state, image)
        preview.show(recipe)
    settle()
    assert not packed(document)[1]
    shown = preview.matte.pyramid[0]
    assert shown[30, 50] == shown[30, 70] == 255
    preview.cancel(document.state)


def test_without_memory_for_packing_mattes_stay_as_they_are(
    document, hide, monkeypatch
):
    def fail(*arguments):
        raise MemoryError

    before = document.state.mattes
    monkeypatch.setattr(PackedMatte, "pack", fail)
    hide(1)
    assert document.state.mattes == before
