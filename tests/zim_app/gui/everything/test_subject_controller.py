"""Select subject: by the model's own search, and by an automatic network."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from PySide6.QtCore import Qt

from tests.zim_model.onnx.test_automatic import write_graph
from zim_app.gui.settings import preferences
from zim_model.weights.installed import MODELS_VARIABLE

CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def press(opened, qtbot, settle):
    def press():
        qtbot.keyClick(opened.canvas, Qt.Key.Key_J, CONTROL)
        settle()

    return press


@pytest.fixture
def folder(tmp_path, monkeypatch):
    folder = tmp_path / "models"
    folder.mkdir()
    monkeypatch.setenv(MODELS_VARIABLE, str(folder))
    return folder


def test_the_largest_found_object_is_the_subject(
    opened, press, engine, make_found, settle
):
    engine.found_objects = (make_found(2, 2, 8, 8), make_found(20, 10, 60, 50))
    press()
    recipe = opened.document.state.recipe
    assert recipe.prompts == engine.found_objects[1].prompts
    assert opened.document.state.matte is not None
    opened.actions_by_id["undo"].trigger()
    settle()
    assert not opened.document.state.recipe.has_prompts


def test_an_object_that_has_clicks_is_left_alone(
    opened, press, engine, make_found, qtbot, settle
):
    at = opened.canvas.to_view(70, 50).toPoint()
    qtbot.mouseClick(opened.canvas.viewport(), Qt.MouseButton.LeftButton, pos=at)
    settle()
    before = opened.document.state.object
    engine.found_objects = (make_found(20, 10, 60, 50),)
    press()
    state = opened.document.state
    assert [each.name for each in state.objects] == ["Subject", before.name]
    assert state.objects[1] == before
    assert state.active == 0


def test_an_automatic_network_gives_a_mask(opened, press, engine, folder):
    write_graph(folder / "isnet-general-use.onnx")
    opened.models.menus["subject"].aboutToShow.emit()
    [action] = [
        action
        for action in opened.models.menus["subject"].actions()
        if action.text() == "IS-Net"
    ]
    action.trigger()
    assert preferences.value("subject") == "isnet-general-use"
    press()
    recipe = opened.document.state.recipe
    [mask] = recipe.masks
    assert mask.decode().shape == (60, 80)
    assert not mask.refine
    assert not recipe.prompts
    assert np.ptp(mask.decode()) == 0, "the photo is of one colour"


def test_what_goes_wrong_is_told(opened, press, engine, folder):
    press()
    assert "No object was found" in opened.banner.text
    write_graph(folder / "isnet.onnx")
    preferences.set_value("subject", "isnet")
    shutil.rmtree(folder)
    press()
    assert "no automatic model isnet" in opened.banner.text
    assert not opened.document.state.recipe.has_prompts


def test_another_image_ends_the_search(opened, press, engine, make_found, photo, qtbot):
    engine.found_objects = (make_found(20, 10, 60, 50),)
    engine.search_gate.clear()
    opened.actions_by_id["select_subject"].trigger()
    qtbot.waitUntil(lambda: "search" in engine.calls)
    other = photo.with_name("other.png")
    shutil.copy(photo, other)
    opened.open_path(other)
    qtbot.waitUntil(lambda: opened.document.image.path == other)
    engine.search_gate.set()
    qtbot.waitUntil(lambda: opened.idle)
    assert not opened.document.state.recipe.has_prompts
    assert opened.banner.isHidden()
