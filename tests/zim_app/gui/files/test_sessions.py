"""Sessions of photos: after restarts, crashes and changes, in several studios."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QMessageBox

from tests.zim_app.gui.files.conftest import idle, project_at, prompts
from zim_app.core.session_store import SessionStore
from zim_app.gui.settings import preferences
from zim_model.prompts import Point

LEFT = Qt.MouseButton.LeftButton
CONTROL = Qt.KeyboardModifier.ControlModifier


# --- sessions -------------------------------------------------------------------------


def test_work_comes_back_at_the_next_start(
    opened, click, settle, photo, next_window, qtbot
):
    click(20, 20)
    click(60, 40)
    expected = prompts(opened)
    settle()
    opened.close()
    window = next_window()
    window.open_path(photo)
    idle(qtbot, window)
    assert prompts(window) == expected
    assert window.document.state.matte is not None


def test_work_is_found_by_the_image_not_by_its_name(
    opened, click, settle, photo, next_window, qtbot
):
    click(20, 20)
    expected = prompts(opened)
    opened.close()
    moved = photo.parent / "renamed.png"
    photo.rename(moved)
    window = next_window()
    window.open_path(moved)
    idle(qtbot, window)
    assert prompts(window) == expected


def test_work_is_written_while_the_window_is_open(opened, click, settle, qtbot):
    click(20, 20)
    key = opened.document.image.key
    qtbot.waitUntil(lambda: SessionStore().load(key) is not None, timeout=5000)
    session = SessionStore().load(key)
    assert session.stack.objects[0].recipe == opened.document.state.recipe
    delay = preferences.BY_KEY["autosave_seconds"].default
    assert delay == 1, "no more than a second of work is lost"


def test_unreadable_session_is_reported_and_kept(
    opened, click, settle, photo, next_window, qtbot
):
    click(20, 20)
    key = opened.document.image.key
    opened.close()
    file = SessionStore().folder / f"{key}.json"
    file.write_text("{")
    window = next_window()
    window.open_path(photo)
    idle(qtbot, window)
    assert "cannot be read" in window.banner.text
    assert "unreadable" in window.banner.text
    assert window.document is not None


def test_session_that_cannot_be_written_is_reported_once(
    opened, click, settle, other, photo
):
    folder = SessionStore().folder
    if folder.exists():
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()
    folder.write_text("in the way")
    click(20, 20)
    opened.open_path(other)
    settle()
    assert "cannot be made" in opened.banner.text
    opened.banner.clear()
    opened.open_path(photo)
    settle()
    click(30, 30)
    opened.open_path(other)
    settle()
    assert opened.banner.text == ""


@pytest.fixture
def obstructed(opened, click):
    """A window whose sessions cannot be written until the path is removed."""
    click(10, 10)
    folder = SessionStore().folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.write_text("in the way")
    click(20, 20)
    return folder


def test_a_session_is_written_once_that_is_possible(
    opened, obstructed, qtbot, monkeypatch
):
    monkeypatch.setattr("zim_app.gui.files.autosave.RETRY_SECONDS", 1)
    qtbot.waitUntil(lambda: opened.banner.text != "")
    obstructed.unlink()
    key = opened.document.image.key
    qtbot.waitUntil(lambda: SessionStore().load(key) is not None, timeout=10_000)
    session = SessionStore().load(key)
    assert session.stack.objects[0].recipe == opened.document.state.recipe


@pytest.mark.parametrize("answer", ["Save", "Discard", "Cancel"])
def test_work_that_cannot_be_saved_is_asked_about_before_the_window_closes(
    opened, obstructed, settle, tmp_path, qtbot, answer
):
    idle(qtbot, opened)
    opened.close()
    assert opened.isVisible()
    [box] = [box for box in opened.findChildren(QMessageBox) if box.isVisible()]
    assert "could not be saved" in box.text()
    assert "cannot be made" in box.informativeText()
    project = tmp_path / "elsewhere.zimproj"
    box.button(getattr(QMessageBox.StandardButton, answer)).click()
    if answer == "Save":
        qtbot.waitUntil(lambda: opened.findChildren(QFileDialog) != [])
        dialog = opened.findChildren(QFileDialog)[-1]
        dialog.selectFile(str(project))
        dialog.accept()
    if answer == "Cancel":
        settle()
        assert opened.isVisible()
        return
    qtbot.waitUntil(lambda: not opened.isVisible())
    assert project.exists() == (answer == "Save")


# --- crashed runs -----------------------------------------------------------------


def test_relative_path_means_one_file(window, settle, photo, monkeypatch):
    monkeypatch.chdir(photo.parent)
    window.open_path(Path(photo.name))
    settle()
    assert window.document.image.path == photo


def test_killed_run_is_offered_at_the_next_start(
    opened, click, settle, photo, next_window, qtbot
):
    opened.files.start()
    opened.open_path(photo)
    settle()
    click(20, 20)
    opened.sessions.flush()
    settle()
    opened.sessions._lock.unlock()  # as the system does for a dead process
    expected = prompts(opened)
    window = next_window()
    window.files.start()
    idle(qtbot, window)
    assert "photo.png" in window.banner.text
    window.banner.action_button.click()
    idle(qtbot, window)
    assert prompts(window) == expected
    again = next_window()
    again.files.start()
    idle(qtbot, again)
    assert again.banner.text == "", "it is offered once"


def test_offer_of_a_killed_run_goes_when_a_image_is_opened(
    opened, settle, photo, next_window, qtbot
):
    opened.files.start()
    opened.open_path(photo)
    settle()
    opened.sessions._lock.unlock()  # as the system does for a dead process
    window = next_window()
    window.files.start()
    idle(qtbot, window)
    assert window.banner.text
    window.open_path(photo)
    idle(qtbot, window)
    assert window.banner.text == ""


def test_run_that_lives_or_ended_well_is_not_offered(
    opened, settle, photo, next_window, qtbot
):
    opened.files.start()
    opened.open_path(photo)
    settle()
    window = next_window()
    window.files.start()
    idle(qtbot, window)
    assert window.banner.text == ""
    opened.close()
    last = next_window()
    last.files.start()
    idle(qtbot, last)
    assert last.banner.text == ""


def test_a_photo_that_was_changed_on_the_disk_offers_its_objects(
    opened, click, settle, photo
):
    click(20, 20)
    settle()
    opened.sessions.flush()
    settle()
    expected = prompts(opened)
    Image.new("RGB", (80, 60), (9, 100, 50)).save(photo)
    opened.open_path(photo)
    settle()
    assert not prompts(opened)
    assert "was changed since you worked on it" in opened.banner.text
    opened.banner.action_button.click()
    settle()
    assert prompts(opened) == expected


def test_a_photo_that_was_changed_in_size_offers_nothing(opened, click, settle, photo):
    click(79, 20)
    settle()
    opened.sessions.flush()
    settle()
    Image.new("RGB", (60, 60), (9, 100, 50)).save(photo)
    opened.open_path(photo)
    settle()
    assert opened.banner.text == ""


@pytest.fixture
def two(opened, click, settle, photo, next_window, qtbot):
    """Two studios with the same photo; the first has one click, the second is told."""
    opened.files.start()
    settle()
    opened.open_path(photo)
    settle()
    click(20, 20)
    opened.sessions.flush()
    settle()
    second = next_window()
    second.files.start()
    idle(qtbot, second)
    second.open_path(photo)
    idle(qtbot, second)
    return opened, second


def saved_points():
    [file] = SessionStore().folder.glob("*.json")
    [saved] = json.loads(file.read_text())["objects"]
    return len(saved["recipe"]["prompts"]["points"])


def add_point(window, x):
    recipe = window.document.state.recipe.with_point(Point(x, 5))
    window.document.edit("click", recipe)
    window.sessions.flush()


def test_the_second_studio_with_a_photo_is_told_and_saves_nothing(two, qtbot):
    first, second = two
    assert "is not saved" in second.banner.text
    assert first.banner.text == ""
    add_point(second, 30)
    add_point(second, 40)
    idle(qtbot, second)
    assert saved_points() == 1
    add_point(first, 50)
    idle(qtbot, first)
    assert saved_points() == 2, "the first one goes on"


def test_taking_over_goes_on_with_what_was_saved_and_tells_the_other(two, qtbot):
    first, second = two
    add_point(second, 30)
    own = prompts(second)
    add_point(first, 50)
    idle(qtbot, first)
    second.banner.action_button.click()
    idle(qtbot, second)
    assert prompts(second) == prompts(first)
    add_point(second, 60)
    idle(qtbot, second)
    assert saved_points() == 3
    add_point(first, 70)
    idle(qtbot, first)
    assert "is not saved" in first.banner.text
    assert saved_points() == 3, "the last writer does not win"
    for _ in range(2):
        second.actions_by_id["undo"].trigger()
    assert prompts(second) == own, "undo goes back to what was here"


def test_a_photo_is_free_again_when_its_studio_has_left_it(two, photo, other, qtbot):
    first, second = two
    first.open_path(other)
    idle(qtbot, first)
    second.open_path(first.document.image.path)  # both have the other one
    idle(qtbot, second)
    assert "is not saved" in second.banner.text
    first.close()
    second.open_path(photo)
    idle(qtbot, second)
    assert second.banner.text == ""
    second.close()
    assert not list(SessionStore().folder.glob("*.owner"))


def test_what_a_killed_run_changed_in_a_project_is_restored(
    opened, click, settle, next_window, qtbot, tmp_path
):
    opened.files.start()
    click(20, 20)
    settle()
    project_at(opened, tmp_path / "work.zimproj")
    settle()
    click(30, 30)
    opened.sessions.flush()
    settle()
    opened.sessions._lock.unlock()  # as the system does for a dead process
    expected = prompts(opened)
    assert len(expected.points) == 2
    window = next_window()
    window.files.start()
    idle(qtbot, window)
    window.banner.action_button.click()
    idle(qtbot, window)
    assert prompts(window) == expected
    assert window.isWindowModified(), "the project's file does not have it"
    window.actions_by_id["undo"].trigger()
    assert len(prompts(window).points) == 1


def test_undo_goes_on_after_other_images(opened, click, settle, photo, other):
    for x in (10, 20, 30):
        click(x, 10)
    opened.actions_by_id["undo"].trigger()
    settle()
    shown = opened.document.state.objects
    opened.open_path(other)
    settle()
    opened.open_path(photo)
    settle()
    stack = opened.document.undo_stack
    assert opened.document.state.objects == shown
    assert (stack.index(), stack.count()) == (2, 3)
    opened.actions_by_id["redo"].trigger()
    assert [point.x for point in prompts(opened).points] == pytest.approx(
        [10, 20, 30], abs=1
    )
    for _ in range(3):
        opened.actions_by_id["undo"].trigger()
    assert not prompts(opened)
    click(15, 10)
    assert (stack.index(), stack.count()) == (1, 1)


def test_the_steps_of_many_images_are_kept(opened, click, settle, photo, tmp_path):
    click(10, 10)
    for number in range(22):
        path = tmp_path / "many" / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        Image.new("RGB", (30, 20), (number, 2, 3)).save(path)
        opened.open_path(path)
        settle()
        click(15, 10)
    opened.open_path(photo)
    settle()
    opened.actions_by_id["undo"].trigger()
    assert not prompts(opened)
