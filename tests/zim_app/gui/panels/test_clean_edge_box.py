"""The check box for a matte's black and white point, in the panel Refine."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt

from tests.zim_app.gui.conftest import FakeEngine
from zim_app.core.images import load_image
from zim_app.core.saved_work import ObjectStack
from zim_app.core.session_store import Session, SessionStore
from zim_app.gui.settings.refinement import store_refinement
from zim_model.finish import STANDARD_FINISH, Finish
from zim_model.inference.finishing import Finisher
from zim_model.prompts import Point, PromptSet
from zim_model.recipe import Options, Recipe, SceneObject
from zim_model.request import ALPHA_MAX, never_cancelled

LEFT = Qt.MouseButton.LeftButton
HAZE = 60_000


class HazyEngine(FakeEngine):
    """All of a matte is a little below opaque, before its finish."""

    def solve(self, request, *args, **options):
        matte = super().solve(request, *args, **options)
        hazy = np.full(request.image.shape[:2], HAZE, np.uint16)
        alpha = Finisher().finish(request, hazy, never_cancelled)
        return replace(matte, alpha=alpha)


@pytest.fixture
def engine():
    engine = HazyEngine()
    yield engine
    engine.gate.set()


@pytest.fixture
def click(opened, qtbot, settle):
    def click(x, y):
        at = opened.canvas.to_view(x, y).toPoint()
        qtbot.mouseClick(opened.canvas.viewport(), LEFT, pos=at)
        settle()

    return click


@pytest.fixture
def clicked(opened, click):
    click(20, 20)
    return opened


@pytest.fixture
def press(qtbot, settle):
    def press(widget):
        assert widget.isEnabled()
        assert widget.isVisible()
        qtbot.mouseClick(widget, LEFT, pos=QPoint(8, widget.height() // 2))
        settle()

    return press


def finish_of(window):
    return window.document.state.recipe.finish


def opacity_of(window):
    return int(window.document.state.matte.alpha[10, 10])


def test_a_new_object_has_it(clicked):
    assert finish_of(clicked) == STANDARD_FINISH
    assert clicked.tools.refine.clean_edge.isChecked()
    assert opacity_of(clicked) == ALPHA_MAX
    clicked.actions_by_id["object_new"].trigger()
    assert finish_of(clicked) == STANDARD_FINISH


def test_it_is_switched_off_and_on_again_in_undo_steps(clicked, press):
    box = clicked.tools.refine.clean_edge
    press(box)
    assert not finish_of(clicked).clean_edge
    assert opacity_of(clicked) == HAZE
    assert clicked.document.undo_stack.undoText() == "Clean edge"
    clicked.actions_by_id["undo"].trigger()
    assert box.isChecked()
    assert opacity_of(clicked) == ALPHA_MAX
    clicked.actions_by_id["redo"].trigger()
    assert not box.isChecked()
    assert opacity_of(clicked) == HAZE


def test_reset_switches_it_on(clicked, press):
    panel = clicked.tools.refine
    press(panel.clean_edge)
    press(panel.reset_button)
    assert finish_of(clicked) == STANDARD_FINISH


def test_it_is_copied_and_pasted(clicked, click, press):
    panel = clicked.tools.refine
    press(panel.clean_edge)
    press(panel.copy_button)
    clicked.actions_by_id["object_new"].trigger()
    click(60, 40)
    assert panel.clean_edge.isChecked()
    press(panel.paste_button)
    assert not finish_of(clicked).clean_edge
    assert not panel.clean_edge.isChecked()


def test_new_objects_begin_without_it_where_that_is_kept(clicked, press):
    panel = clicked.tools.refine
    press(panel.clean_edge)
    press(panel.keep_button)
    clicked.actions_by_id["object_new"].trigger()
    assert finish_of(clicked) == Finish()
    press(panel.keep_button)
    clicked.actions_by_id["object_new"].trigger()
    assert finish_of(clicked) == STANDARD_FINISH


def test_a_refinement_kept_by_an_earlier_version_has_none(window, photo, settle):
    store_refinement("default_refinement", Recipe(finish=Finish(contrast=0.2)))
    window.open_path(photo)
    settle()
    assert finish_of(window) == Finish(contrast=0.2)


def test_earlier_work_opens_without_it(window, photo, settle):
    recipe = Recipe(PromptSet((Point(20, 20),)))
    assert recipe.to_json()["version"] == 3
    stack = ObjectStack((SceneObject(recipe=recipe),))
    key = load_image(photo).key
    SessionStore().save(Session(key, photo.name, photo.resolve(), stack))
    window.open_path(photo)
    settle()
    assert window.document.state.recipe == recipe
    assert not window.tools.refine.clean_edge.isChecked()
    assert opacity_of(window) == HAZE


def test_it_does_not_go_with_the_official_code(clicked, press, settle):
    box = clicked.tools.refine.clean_edge
    recipe = clicked.document.state.recipe
    official = replace(recipe, options=Options(upsampling="official"))
    clicked.document.edit("Detail", official)
    settle()
    assert not box.isEnabled()
    assert not box.isChecked()
    assert "official" in box.toolTip()
    assert opacity_of(clicked) == HAZE
    clicked.actions_by_id["undo"].trigger()
    settle()
    assert box.isEnabled()
    assert box.isChecked()
    assert opacity_of(clicked) == ALPHA_MAX
