"""The window's messages about work in progress, and stopping it."""

import threading

import pytest
from PIL import Image
from PySide6.QtCore import Qt

from zim_app.gui import activity

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """The button to stop comes without a delay."""
    monkeypatch.setattr(activity, "STOP_DELAY_MS", 0)


@pytest.fixture
def click(opened, qtbot):
    def click(x, y):
        at = opened.canvas.to_view(x, y).toPoint()
        qtbot.mouseClick(opened.canvas.viewport(), LEFT, pos=at)

    return click


@pytest.fixture
def stop(qtbot):
    def stop(window):
        button = window.activity.stop_button
        qtbot.waitUntil(button.isVisible)
        qtbot.mouseClick(button, LEFT)

    return stop


def test_there_is_nothing_to_stop_at_first(opened):
    assert not opened.actions_by_id["stop"].isEnabled()
    assert not opened.activity.stop_button.isVisible()


def test_stopping_keeps_the_click_and_explains_how_to_continue(
    opened, click, engine, settle, stop, qtbot
):
    click(10, 10)
    settle()
    first = opened.document.state.matte
    engine.gate.clear()
    click(20, 20)
    stop(opened)
    assert opened.status.activity.text() == "Stopping…"
    assert not opened.actions_by_id["stop"].isEnabled()
    assert "Matting was stopped" in opened.banner.text
    engine.gate.set()
    settle()
    state = opened.document.state
    assert len(state.recipe.prompts.points) == 2
    assert state.matte is first
    assert state.is_pending, "the matte is not that of the prompts"
    assert not opened.actions_by_id["export"].isEnabled()
    assert not opened.activity.stop_button.isVisible()
    opened.banner.action_button.click()
    settle()
    assert not opened.document.state.is_pending
    assert opened.document.state.matte is not first


def test_the_next_click_goes_on_too(opened, click, engine, settle, stop):
    engine.gate.clear()
    click(10, 10)
    stop(opened)
    engine.gate.set()
    settle()
    click(20, 20)
    settle()
    assert opened.document.state.matte is not None
    assert opened.banner.text == ""


def test_stopping_stops_all_objects(opened, click, engine, settle, stop):
    click(10, 10)
    opened.actions_by_id["object_new"].trigger()
    engine.gate.clear()
    click(20, 20)
    stop(opened)
    engine.gate.set()
    settle()
    solved = len(engine.solved)
    opened.document.request_again()
    settle()
    assert opened.document.state.is_complete
    assert len(engine.solved) > solved


def test_a_matte_that_still_arrives_ends_the_message(
    opened, click, settle, engine, make_matte
):
    engine.gate.clear()
    click(10, 10)
    opened.actions_by_id["stop"].trigger()
    opened.document.receive_matte(opened.document.request(), make_matte())
    assert opened.banner.text == ""
    engine.gate.set()
    settle()


def test_encoding_can_be_stopped(window, photo, engine, settle, stop, qtbot):
    engine.gate.clear()
    window.open_path(photo)
    qtbot.waitUntil(lambda: engine.calls == ["prepare"])
    stop(window)
    engine.gate.set()
    settle()
    assert len(engine.cancelled) == 1
    assert window.banner.text == "", "nothing is missing"
    at = window.canvas.to_view(20, 20).toPoint()
    qtbot.mouseClick(window.canvas.viewport(), LEFT, pos=at)
    settle()
    assert window.document.state.matte is not None


def test_reading_an_image_can_be_cancelled(
    opened, settle, stop, tmp_path, monkeypatch, photo
):
    gate = threading.Event()
    other = tmp_path / "other.png"
    Image.new("RGB", (30, 20)).save(other)
    from zim_app.core import images

    load = images.load_image

    def slow(*args, **options):
        assert gate.wait(10)
        return load(*args, **options)

    monkeypatch.setattr(images, "load_image", slow)
    opened.open_path(other)
    stop(opened)
    gate.set()
    settle()
    assert opened.document.image.path == photo
    opened.open_path(other)
    settle()
    assert opened.document.image.path == other


def test_a_search_can_be_stopped_from_there_too(
    opened, engine, make_found, settle, stop, qtbot
):
    engine.found_objects = (make_found(0, 0, 9, 9), make_found(20, 20, 29, 29))
    engine.search_gate.clear()
    opened.actions_by_id["everything"].trigger()
    qtbot.waitUntil(lambda: len(opened.everything.selection.objects) == 1)
    assert opened.busy_bar.isHidden(), "the search has its own bar"
    stop(opened)
    settle()
    assert len(engine.cancelled) == 1
    assert opened.everything.bar.label.text() == "Search stopped, 1 found"
