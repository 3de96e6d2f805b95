"""Opening, sessions, projects, dropping and pasting, with a real window."""

from __future__ import annotations

import json

import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QMessageBox

from tests.zim_app.core.crashing import load_or_crash
from tests.zim_app.gui.files.conftest import idle, project_at, prompts
from zim_app.core import images, isolation
from zim_app.core.images import load_image
from zim_app.core.project import read_project, write_project
from zim_app.core.saved_work import ObjectStack
from zim_app.core.session_store import SessionStore
from zim_app.gui.settings import window_state

LEFT = Qt.MouseButton.LeftButton
CONTROL = Qt.KeyboardModifier.ControlModifier


def message_box(window):
    boxes = [box for box in window.findChildren(QMessageBox) if box.isVisible()]
    return boxes[-1] if boxes else None


# --- projects ----------------------------------------------------------------------


def test_project_is_saved_and_opened(
    opened, click, settle, photo, next_window, qtbot, tmp_path
):
    click(20, 20)
    settle()
    assert opened.isWindowModified()
    path = tmp_path / "work.zimproj"
    project_at(opened, path)
    settle()
    assert not opened.isWindowModified()
    assert opened.windowTitle() == "work.zimproj[*] – zim-studio"
    assert window_state.recent_paths()[0] == path
    expected = prompts(opened)
    assert read_project(path).stack.objects[0].recipe.prompts == expected
    for file in SessionStore().folder.glob("*.json"):
        file.unlink()
    window = next_window()
    window.open_path(path)
    idle(qtbot, window)
    assert prompts(window) == expected
    assert window.document.image.path == photo
    assert not window.isWindowModified()


def test_save_writes_into_the_same_project(opened, click, settle, qtbot, tmp_path):
    click(20, 20)
    path = tmp_path / "work.zimproj"
    project_at(opened, path)
    settle()
    click(60, 40)
    assert opened.isWindowModified()
    settle()
    opened.actions_by_id["save_project"].trigger()
    settle()
    assert not opened.isWindowModified()
    saved = read_project(path).stack.objects[0].recipe.prompts
    assert len(saved.points) == 2


def test_failed_save_stays_unsaved(opened, click, settle, tmp_path):
    click(20, 20)
    project_at(opened, tmp_path / "work.zimproj")
    settle()
    click(30, 30)
    (tmp_path / "work.zimproj").unlink()
    (tmp_path / "work.zimproj").mkdir()
    opened.actions_by_id["save_project"].trigger()
    settle()
    assert "cannot be written" in opened.banner.text
    assert opened.isWindowModified()


@pytest.fixture
def changed_project(opened, click, settle, tmp_path):
    """The window with a project that was changed after it was saved."""
    click(20, 20)
    project_at(opened, tmp_path / "work.zimproj")
    settle()
    click(60, 40)
    settle()
    return tmp_path / "work.zimproj"


@pytest.mark.parametrize("answer", ["Save", "Discard", "Cancel"])
def test_unsaved_project_asks_before_another_is_opened(
    opened, changed_project, settle, other, answer
):
    opened.open_path(other)
    box = message_box(opened)
    assert "work.zimproj" in box.text()
    box.button(getattr(QMessageBox.StandardButton, answer)).click()
    settle()
    stays = answer == "Cancel"
    assert (opened.document.image.path == other) != stays
    assert opened.strip.model.paths[opened.strip.current] == opened.document.image.path
    points = read_project(changed_project).stack.objects[0].recipe.prompts.points
    assert len(points) == (2 if answer == "Save" else 1)


def test_changes_stay_unsaved_where_the_other_photo_cannot_be_opened(
    opened, changed_project, settle, other
):
    other.write_bytes(b"no photo")
    opened.open_path(other)
    message_box(opened).button(QMessageBox.StandardButton.Discard).click()
    settle()
    assert opened.files.has_unsaved_project
    assert opened.files.project == changed_project


@pytest.mark.parametrize("answer", ["Save", "Discard", "Cancel"])
def test_unsaved_project_asks_before_the_window_closes(
    opened, changed_project, settle, qtbot, answer
):
    assert not opened.close()
    box = message_box(opened)
    box.button(getattr(QMessageBox.StandardButton, answer)).click()
    if answer == "Cancel":
        settle()
        assert opened.isVisible()
        return
    qtbot.waitUntil(lambda: not opened.isVisible())
    points = read_project(changed_project).stack.objects[0].recipe.prompts.points
    assert len(points) == (2 if answer == "Save" else 1)


def test_without_a_project_nothing_is_asked(opened, click, settle, other):
    click(20, 20)
    settle()
    opened.open_path(other)
    assert message_box(opened) is None
    settle()
    assert opened.document.image.path == other
    assert opened.close()


def test_missing_image_is_located(opened, click, settle, photo, tmp_path, qtbot):
    click(20, 20)
    path = tmp_path / "work.zimproj"
    project_at(opened, path)
    settle()
    expected = prompts(opened)
    opened.open_path(photo)  # so that no project is in use
    settle()
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    photo.rename(moved / "new.png")
    opened.open_path(path)
    settle()
    assert "The photo photo.png of work.zimproj is missing." in opened.banner.text
    opened.banner.action_button.click()
    [dialog] = [d for d in opened.findChildren(QFileDialog) if d.isVisible()]
    dialog.fileSelected.emit(str(moved / "new.png"))
    dialog.close()
    settle()
    assert prompts(opened) == expected
    assert opened.document.image.path == moved / "new.png"


def test_changed_image_is_reported_and_one_of_another_size_refused(
    window, settle, photo, tmp_path
):
    path = tmp_path / "work.zimproj"
    write_project(path, load_image(photo), ObjectStack())
    Image.new("RGB", (80, 60), (9, 9, 9)).save(photo)
    window.open_path(path)
    settle()
    assert "photo.png was changed" in window.banner.text
    assert window.document is not None
    Image.new("RGB", (8, 6)).save(photo)
    window.open_path(path)
    settle()
    assert "that one has 80 x 60 pixels" in window.banner.text


def test_project_of_an_image_elsewhere_finds_it_by_the_session(
    opened, click, settle, other, tmp_path, qtbot
):
    opened.open_path(other)
    settle()
    at = opened.canvas.to_view(9, 9).toPoint()
    qtbot.mouseClick(opened.canvas.viewport(), LEFT, pos=at)
    path = tmp_path / "work.zimproj"
    project_at(opened, path)
    settle()
    assert json.loads(path.read_text())["picture"]["path"] is None
    opened.sessions.flush()
    settle()
    opened.open_path(path)
    settle()
    assert opened.document.image.path == other
    assert opened.files.project == path


def test_malformed_project_is_refused_in_a_banner(window, settle, tmp_path):
    path = tmp_path / "bad.zimproj"
    path.write_text('{"format": "zim-studio project", "version": 99}')
    window.open_path(path)
    settle()
    assert "bad.zimproj is a zim-studio project of version 99" in window.banner.text
    assert window.document is None


def test_what_follows_opening_is_not_done_for_another_image(
    window, settle, corrupt, photo
):
    done = []
    window.files.open_path(corrupt, done.append)
    settle()
    window.open_path(photo)
    settle()
    assert window.document.image.path == photo
    assert not done


# --- broken photos --------------------------------------------------------------------


def test_a_photo_with_a_broken_end_opens_with_a_warning(
    opened, settle, tmp_path, photo, click
):
    path = tmp_path / "cut.jpg"
    Image.new("RGB", (80, 60), (200, 100, 50)).save(path)
    path.write_bytes(path.read_bytes()[:-2])
    opened.open_path(path)
    settle()
    assert opened.document.image.name == "cut.jpg"
    assert "ignored in cut.jpg: end marker" in opened.banner.text
    opened.open_path(photo)
    settle()
    assert opened.banner.text == "", "the warning goes with its photo"


def test_a_photo_that_crashes_its_decoder_leaves_the_work_alone(
    opened, settle, click, tmp_path, photo, monkeypatch
):
    click(20, 20)
    before = prompts(opened)
    helpers = isolation.Helpers()
    helpers.call("", 60, load_or_crash, photo)  # has started
    monkeypatch.setattr(isolation, "_helpers", helpers)
    monkeypatch.setattr(images, "_load", load_or_crash)
    bad = tmp_path / "bad.png"
    bad.write_bytes(photo.read_bytes())
    opened.open_path(bad)
    settle()
    assert "bad.png is damaged" in opened.banner.text
    assert prompts(opened) == before
    click(60, 40)
    assert len(prompts(opened).points) == 2
    helpers.close()


def test_work_of_the_days_of_the_first_zim_tiny_opens_and_is_told_once(
    opened, click, settle, next_window, qtbot, tmp_path
):
    click(20, 20)
    path, expected = tmp_path / "work.zimproj", prompts(opened)
    project_at(opened, path)
    settle()
    window = next_window()
    window.open_path(path)
    idle(qtbot, window)
    assert window.banner.text == "", "it was made with today's"
    data = json.loads(path.read_text())
    del data["bundled_model"]
    path.write_text(json.dumps(data))
    window.open_path(path)
    idle(qtbot, window)
    assert "earlier zim-tiny" in window.banner.text
    assert prompts(window) == expected
    assert window.document.state.matte is not None
    window.banner.clear()
    window.open_path(path)
    idle(qtbot, window)
    assert window.banner.text == ""
