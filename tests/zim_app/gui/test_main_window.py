import weakref

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox

from zim_app.core import export as core_export
from zim_app.gui.settings import preferences, window_state
from zim_model.errors import ZimError

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton


@pytest.fixture
def click(opened, qtbot):
    def click(x, y, button=LEFT):
        at = opened.canvas.to_view(x, y).toPoint()
        qtbot.mouseClick(opened.canvas.viewport(), button, pos=at)

    return click


def action(window, name):
    return window.actions_by_id[name]


def test_the_window_starts_empty(window):
    assert window.centralWidget().isVisible()
    assert window.start_page.isVisible()
    assert action(window, "open").isEnabled()
    for name in ("export", "undo", "clear", "fit", "view_matte"):
        assert not action(window, name).isEnabled()


def test_samples_are_shown_and_open(window, settle):
    window.warm_up()
    settle()
    path, button = next(iter(window.start_page.buttons.items()))
    assert not button.icon().isNull()
    button.click()
    settle()
    assert window.document.image.path == path


def test_a_image_is_opened_and_encoded(opened, engine, photo):
    assert opened.document.image.path == photo
    assert opened.canvas.isVisible()
    assert opened.windowTitle() == "photo.png[*] – zim-studio"
    assert engine.calls == ["prepare"]
    assert opened.status.times.text() == "encode 7 ms"
    assert window_state.recent_paths() == [photo.resolve()]


def test_the_latest_image_wins(window, settle, photo, tmp_path):
    last = tmp_path / "last.png"
    Image.new("RGB", (30, 20)).save(last)
    for path in (photo, photo, last):
        window.open_path(path)
    settle()
    assert window.document.image.path == last


def test_clicks_give_mattes(opened, click, settle, engine):
    click(20, 20)
    click(60, 40, RIGHT)
    assert opened.document.state.is_pending
    settle()
    assert opened.document.state.matte is not None
    assert not opened.document.state.is_pending
    assert engine.solved[-1].recipe.prompts == opened.document.state.recipe.prompts
    assert opened.status.times.text() == "encode 7 ms · click 5 ms"
    assert opened.status.model.text() == "zim-tiny · CPU"
    assert opened.isWindowModified()


def test_only_the_time_of_a_click_is_called_one(opened, qtbot, settle):
    view = opened.canvas.viewport()
    start, end = (opened.canvas.to_view(*at).toPoint() for at in ((5, 5), (50, 50)))
    qtbot.mousePress(view, LEFT, pos=start)
    qtbot.mouseMove(view, pos=end)
    qtbot.mouseRelease(view, LEFT, pos=end)
    settle()
    assert opened.document.state.recipe.prompts.box is not None
    assert opened.status.times.text() == "encode 7 ms · matte 5 ms"


def test_a_click_during_encoding_gives_a_matte(window, photo, engine, qtbot, settle):
    engine.gate.clear()
    window.open_path(photo)
    qtbot.waitUntil(lambda: engine.calls == ["prepare"])
    at = window.canvas.to_view(20, 20).toPoint()
    qtbot.mouseClick(window.canvas.viewport(), LEFT, pos=at)
    assert window.document.state.is_pending
    engine.gate.set()
    settle()
    assert window.document.state.matte is not None


def test_undo_shows_the_matte_without_inference(opened, click, settle, engine):
    click(20, 20)
    settle()
    first = opened.document.state.matte
    click(40, 40)
    settle()
    action(opened, "undo").trigger()
    assert opened.document.state.matte is first
    assert action(opened, "redo").text() == "&Redo: Add point"
    settle()
    assert len(engine.solved) == 2


def test_keys(opened, click, qtbot):
    click(20, 20)
    qtbot.keyClick(opened.canvas, Qt.Key.Key_Delete)
    assert not opened.document.state.recipe.prompts
    qtbot.keyClick(opened.canvas, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert opened.document.state.recipe.prompts
    qtbot.keyClick(opened.canvas, Qt.Key.Key_F)
    assert action(opened, "view_cutout").isChecked()
    qtbot.keyClick(opened.canvas, Qt.Key.Key_1, Qt.KeyboardModifier.ControlModifier)
    assert opened.canvas.zoom == pytest.approx(1)


def test_the_status_bar_shows_what_is_under_the_pointer(opened, click, settle, qtbot):
    click(20, 20)
    settle()
    for x, alpha in ((20, "1.00"), (60, "0.00")):
        at = opened.canvas.to_view(x + 0.5, 30.5).toPoint()
        qtbot.mouseMove(opened.canvas.viewport(), at)
        assert opened.status.pointer.text() == f"x {x}  y 30"
        assert opened.status.alpha.text() == f"alpha {alpha}"


def test_a_corrupt_file_shows_a_banner_and_the_image_stays(
    opened, corrupt, settle, photo
):
    opened.open_path(corrupt)
    settle()
    assert "corrupt.jpg" in opened.banner.text
    assert opened.document.image.path == photo
    opened.banner.dismiss()
    assert opened.banner.text == ""


def test_an_engine_error_shows_a_banner_until_the_next_edit(
    opened, click, settle, engine, refusal
):
    engine.error = refusal
    click(20, 20)
    settle()
    assert opened.banner.text == "It does not work.\nTry something else."
    assert not opened.document.state.is_pending
    engine.error = None
    click(30, 30)
    settle()
    assert opened.banner.text == ""
    assert opened.document.state.matte is not None


def test_negative_points_alone_are_explained(opened, click):
    click(20, 20, RIGHT)
    assert "positive point" in opened.banner.text


def test_a_dropped_file_is_opened(window, photo, settle):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(photo))])
    where = (Qt.DropAction.CopyAction, data, LEFT, Qt.KeyboardModifier.NoModifier)
    enter = QDragEnterEvent(QPoint(50, 50), *where)
    QApplication.sendEvent(window, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(window, QDropEvent(QPointF(50, 50), *where))
    settle()
    assert window.document.image.path == photo


def test_prompts_come_back_with_their_image(opened, click, settle, photo, tmp_path):
    click(20, 20)
    click(60, 40, RIGHT)
    prompts = opened.document.state.recipe.prompts
    other = tmp_path / "other.png"
    Image.new("RGB", (30, 20)).save(other)
    opened.open_path(other)
    settle()
    assert not opened.document.state.recipe.prompts
    opened.open_path(photo)
    settle()
    assert opened.document.state.recipe.prompts == prompts
    assert opened.document.state.matte is not None
    for _ in range(2):
        action(opened, "undo").trigger()
    assert not opened.document.state.recipe.prompts


def test_text_cannot_be_dropped(window):
    data = QMimeData()
    data.setText("words")
    where = (Qt.DropAction.CopyAction, data, LEFT, Qt.KeyboardModifier.NoModifier)
    enter = QDragEnterEvent(QPoint(50, 50), *where)
    enter.ignore()
    QApplication.sendEvent(window, enter)
    assert not enter.isAccepted()


def test_export_writes_the_cutout(opened, click, settle, photo):
    click(20, 20)
    assert not action(opened, "export").isEnabled(), "there is no matte yet"
    settle()
    assert action(opened, "export").isEnabled()
    opened.actions_by_id["quick_export"].trigger()
    settle()
    path = photo.parent / "cutouts" / "photo-cutout.png"
    with Image.open(path) as image:
        pixels = np.asarray(image)
    assert pixels.shape == (60, 80, 4)
    assert (pixels[:, :40] == (200, 100, 50, 255)).all()
    assert (pixels[:, 40:, 3] == 0).all()
    assert str(path) in opened.status.success.text
    assert not opened.isWindowModified()


def test_a_failed_export_is_explained_and_stays_unsaved(
    opened, click, settle, monkeypatch
):
    click(20, 20)
    settle()

    def full(*_, **__):
        raise ZimError("The disk is full.")

    monkeypatch.setattr(core_export, "export_to_folder", full)
    opened.actions_by_id["quick_export"].trigger()
    settle()
    assert "The disk is full." in opened.banner.text
    assert opened.isWindowModified()


def test_closing_ends_all_threads(opened, engine, qtbot, click):
    engine.gate.clear()
    click(20, 20)
    qtbot.waitUntil(lambda: engine.calls[-1] == "solve" or len(engine.calls) > 1)
    engine.gate.set()
    opened.close()
    worker_threads = (
        opened.queue._thread,
        opened.file_worker._opener,
        opened.file_worker._jobs,
    )
    assert not any(worker._thread.isRunning() for worker in worker_threads)


def test_recent_images(opened, tmp_path, photo, settle):
    opened._fill_recent_menu()
    [entry] = opened._recent_menu.actions()
    assert entry.text() == "photo.png"
    entry.trigger()
    settle()
    photo.unlink()
    assert window_state.recent_paths() == []


def test_the_memory_of_the_last_image_is_given_back(
    opened, click, settle, qtbot, tmp_path
):
    click(20, 20)
    settle()
    alpha = weakref.ref(opened.document.state.matte.alpha)
    other = tmp_path / "other.png"
    Image.new("RGB", (30, 20)).save(other)
    opened.open_path(other)
    settle()
    qtbot.waitUntil(lambda: alpha() is None)


def test_the_open_dialog_opens_what_is_chosen(window, settle, photo):
    action(window, "open").trigger()
    [dialog] = window.findChildren(QFileDialog)
    dialog.filesSelected.emit([str(photo)])
    dialog.reject()
    settle()
    assert window.document.image.path == photo


def test_about(window):
    action(window, "about").trigger()
    [box] = window.findChildren(QMessageBox)
    assert "zim-studio" in box.text()
    box.accept()


def test_the_number_of_recent_images_follows_the_setting(tmp_path):
    paths = [tmp_path / f"{i}.png" for i in range(4)]
    for path in paths:
        path.touch()
    preferences.set_value("recent_files", 2)
    for path in paths:
        window_state.add_recent_path(path)
    assert window_state.recent_paths() == [paths[3], paths[2]]
    preferences.set_value("recent_files", 0)
    window_state.add_recent_path(paths[0])
    assert window_state.recent_paths() == []
