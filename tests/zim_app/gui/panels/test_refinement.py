"""Refinements are copied to other objects and images, and kept for new ones."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest
from PySide6.QtCore import QSettings, Qt

from zim_app.gui.settings.refinement import stored_refinement
from zim_model.finish import STANDARD_FINISH, Finish, Stroke
from zim_model.recipe import Options

LEFT = Qt.MouseButton.LeftButton
REFINED = Finish(contrast=0.4, decontaminate=0.8, clean_edge=True)
STROKE = Stroke(((5.0, 5.0, 1.0),), 3.0)


@pytest.fixture
def click(opened, qtbot, settle):
    def click(x, y):
        at = opened.canvas.to_view(x, y).toPoint()
        qtbot.mouseClick(opened.canvas.viewport(), LEFT, pos=at)
        settle()

    return click


@pytest.fixture
def refined(opened, click, settle):
    """The window with a refined object that has a stroke too."""
    click(20, 20)
    recipe = opened.document.state.recipe
    recipe = recipe.with_finish(contrast=0.4, decontaminate=0.8, strokes=(STROKE,))
    recipe = replace(recipe, options=Options(2, "bilinear", flip_tta=True))
    opened.document.edit("Refine", recipe)
    settle()
    return opened


def press(qtbot, button):
    assert button.isEnabled()
    qtbot.mouseClick(button, LEFT)


def test_a_refinement_is_pasted_to_another_object(refined, click, qtbot, settle):
    panel = refined.tools.refine
    assert not panel.paste_button.isEnabled()
    press(qtbot, panel.copy_button)
    refined.actions_by_id["object_new"].trigger()
    click(60, 40)
    before = refined.document.state.recipe
    assert before.finish == STANDARD_FINISH
    press(qtbot, panel.paste_button)
    settle()
    after = refined.document.state.recipe
    assert after.finish == REFINED
    assert after.options == Options(None, "bilinear", flip_tta=True)
    assert after.prompts == before.prompts
    assert panel.fields["contrast"].value == 40
    refined.actions_by_id["undo"].trigger()
    assert refined.document.state.recipe == before


def test_it_is_pasted_to_another_image(refined, photo, qtbot, settle, click):
    press(qtbot, refined.tools.refine.copy_button)
    other = photo.with_name("other.png")
    shutil.copy(photo, other)
    refined.open_path(other)
    settle()
    click(20, 20)
    press(qtbot, refined.tools.refine.paste_button)
    settle()
    assert refined.document.state.recipe.finish.contrast == 0.4


def test_new_objects_begin_with_the_kept_one(refined, photo, qtbot, settle, click):
    panel = refined.tools.refine
    press(qtbot, panel.keep_button)
    assert panel.keep_button.isChecked()
    refined.actions_by_id["object_new"].trigger()
    assert refined.document.state.recipe.finish == REFINED
    other = photo.with_name("other.png")
    shutil.copy(photo, other)
    refined.open_path(other)
    settle()
    recipe = refined.document.state.recipe
    assert recipe.finish == REFINED
    assert not recipe.has_prompts
    press(qtbot, panel.keep_button)
    assert not panel.keep_button.isChecked()
    refined.actions_by_id["object_new"].trigger()
    assert refined.document.state.recipe.finish == STANDARD_FINISH


@pytest.mark.parametrize("text", ["{", "[]", json.dumps({"version": 99})])
def test_a_stored_value_that_cannot_be_read_is_none(text):
    QSettings().setValue("copied_refinement", text)
    assert stored_refinement("copied_refinement") is None
