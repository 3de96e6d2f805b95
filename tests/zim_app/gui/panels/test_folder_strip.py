"""The strip of a folder's images, with a real window, files and mouse."""

from __future__ import annotations

import os
import threading

import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication

from zim_app.core import images
from zim_app.core.images import load_image
from zim_app.core.session_store import SessionStore
from zim_app.gui.panels.folder_strip import ITEM, MARK, THUMBNAIL_BYTES

LEFT = Qt.MouseButton.LeftButton
DECORATION = Qt.ItemDataRole.DecorationRole


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in (1, 2, 10):
        make(folder / f"p{number}.png", number)
    return folder


def make(path, number):
    Image.new("RGB", (40, 30), (20 * number % 256, number // 13, 0)).save(path)
    return path


@pytest.fixture
def strip(window, settle, folder):
    window.open_path(folder / "p1.png")
    settle()
    return window.strip


def names(strip):
    return [path.name for path in strip.model.paths]


def current(window):
    return window.document.image.path.name


def loaded(strip):
    model = strip.model
    return [r for r in range(model.rowCount()) if model.index(r).data(DECORATION)]


def click_item(strip, row, qtbot):
    at = strip.view.visualRect(strip.model.index(row)).center()
    qtbot.mouseClick(strip.view.viewport(), LEFT, pos=at)


def test_shows_the_folder_in_order_and_marks_the_current_one(strip):
    assert strip.isVisible()
    assert names(strip) == ["p1.png", "p2.png", "p10.png"]
    assert strip.current == 0
    assert loaded(strip) == [0, 1, 2]


def test_one_image_alone_needs_no_strip(window, settle, tmp_path):
    (tmp_path / "one").mkdir()
    window.open_path(make(tmp_path / "one" / "a.png", 3))
    settle()
    assert not window.strip.isVisible()


def test_a_click_opens_a_image(strip, window, settle, qtbot):
    click_item(strip, 2, qtbot)
    settle()
    assert current(window) == "p10.png"
    assert strip.current == 2


def test_page_keys_go_from_image_to_image(strip, window, settle, qtbot):
    seen = []
    for key in ("PageDown", "PageDown", "PageDown", "PageUp", "PageUp", "PageUp"):
        qtbot.keyClick(window.canvas, getattr(Qt.Key, f"Key_{key}"))
        settle()
        seen.append(current(window))
    assert seen == ["p2.png", "p10.png", "p10.png", "p2.png", "p1.png", "p1.png"]


def test_keys_pressed_quickly_skip_images(strip, window, settle, qtbot):
    for _ in range(2):
        qtbot.keyClick(window.canvas, Qt.Key.Key_PageDown)
    settle()
    assert current(window) == "p10.png"


def test_a_damaged_image_does_not_stop_the_way(window, settle, folder, qtbot):
    (folder / "p2.png").write_bytes(b"damaged")
    window.open_path(folder / "p1.png")
    settle()
    assert loaded(window.strip) == [0, 2]
    qtbot.keyClick(window.canvas, Qt.Key.Key_PageDown)
    settle()
    assert "p2.png" in window.banner.text
    assert window.strip.model.paths[window.strip.current].name == "p1.png"
    qtbot.keyClick(window.canvas, Qt.Key.Key_PageDown)
    settle()
    assert current(window) == "p10.png"
    assert window.banner.isHidden(), "the old message is gone"


def test_stopping_goes_back_to_the_image_that_is_open(
    strip, window, settle, qtbot, monkeypatch
):
    gate = threading.Event()

    def slow(path):
        assert gate.wait(10)
        return load_image(path)

    monkeypatch.setattr(images, "load_image", slow)
    click_item(strip, 1, qtbot)
    assert strip.current == 1
    window.actions_by_id["stop"].trigger()
    assert strip.current == 0
    gate.set()
    settle()
    assert current(window) == "p1.png"


def test_marks_show_the_state_of_the_work(strip, window, settle, qtbot):
    def marks():
        return [strip.model.index(row).data(MARK) for row in range(3)]

    assert marks() == [None, None, None]
    at = window.canvas.to_view(20, 20).toPoint()
    qtbot.mouseClick(window.canvas.viewport(), LEFT, pos=at)
    assert marks() == ["touched", None, None]
    settle()
    window.actions_by_id["quick_export"].trigger()
    settle()
    assert marks()[0] == "done"
    assert "exported" in strip.model.index(0).data(Qt.ItemDataRole.ToolTipRole)
    qtbot.mouseClick(window.canvas.viewport(), LEFT, pos=at + QPoint(9, 9))
    assert marks()[0] == "touched"
    window.actions_by_id["undo"].trigger()
    assert marks()[0] == "done"


def test_marks_come_back_at_the_next_start(
    strip, window, settle, qtbot, next_window, folder
):
    at = window.canvas.to_view(20, 20).toPoint()
    qtbot.mouseClick(window.canvas.viewport(), LEFT, pos=at)
    settle()
    window.close()
    make(folder / "p2.png", 99)
    again = next_window()
    again.files.start()
    again.open_path(folder / "p10.png")
    qtbot.waitUntil(lambda: again.idle)
    model = again.strip.model
    assert [model.index(row).data(MARK) for row in range(3)] == ["touched", None, None]
    os.utime(folder / "p1.png", ns=(1, 1))  # another image by now
    again.strip._read_folder()
    qtbot.waitUntil(lambda: again.idle)
    assert model.index(0).data(MARK) is None
    assert SessionStore().marks()


def test_new_and_deleted_files_are_followed(strip, window, settle, folder, qtbot):
    make(folder / "p3.png", 3)
    qtbot.waitUntil(lambda: "p3.png" in names(strip))
    assert names(strip) == ["p1.png", "p2.png", "p3.png", "p10.png"]
    (folder / "p2.png").unlink()
    qtbot.waitUntil(lambda: "p2.png" not in names(strip))
    assert strip.current == 0
    settle()


def test_thousands_of_images_are_read_only_when_visible(
    window, settle, tmp_path, qtbot
):
    folder = tmp_path / "many"
    folder.mkdir()
    first = make(folder / "p0.png", 1)
    for number in range(1, 5000):
        os.link(first, folder / f"p{number}.png")
    window.open_path(first)
    settle()
    strip = window.strip
    assert len(strip.model.paths) == 5000
    fit = strip.view.viewport().width() // ITEM.width() + 2
    assert 0 < len(loaded(strip)) <= fit + 4
    bar = strip.view.horizontalScrollBar()
    bar.setValue(bar.maximum())
    qtbot.waitUntil(lambda: bool(strip.model.index(4999).data(DECORATION)))
    settle()
    assert 4999 in loaded(strip)
    assert len(loaded(strip)) <= 2 * fit + 10


def test_memory_is_bounded(strip):
    pixmap = strip.model.index(0).data(DECORATION)
    each = 4 * pixmap.width() * pixmap.height()
    for number in range(2 * THUMBNAIL_BYTES // each):
        strip.model.set_thumbnail(strip.model.paths[0].parent / str(number), pixmap)
    assert 0 < strip.model._thumbnails.nbytes <= THUMBNAIL_BYTES


def test_several_dropped_files_are_all_shown(window, settle, folder, tmp_path, qtbot):
    other = make(tmp_path / "other.png", 7)
    paths = [folder / "p10.png", other]
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    where = (Qt.DropAction.CopyAction, data, LEFT, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(window, QDragEnterEvent(QPoint(50, 50), *where))
    QApplication.sendEvent(window, QDropEvent(QPointF(50, 50), *where))
    settle()
    assert names(window.strip) == ["p10.png", "other.png"]
    qtbot.keyClick(window.canvas, Qt.Key.Key_PageDown)
    settle()
    assert current(window) == "other.png"
    assert names(window.strip) == ["p10.png", "other.png"]


def test_strip_is_hidden_and_stays_so(strip, window, settle, folder, qtbot):
    assert window.actions_by_id["strip"].isChecked()
    qtbot.keyClick(window.canvas, Qt.Key.Key_F7)
    assert not strip.isVisible()
    window.open_path(folder / "p2.png")
    settle()
    assert not strip.isVisible()
    qtbot.keyClick(window.canvas, Qt.Key.Key_F7)
    assert strip.isVisible()
    settle()


def test_the_current_image_stays_in_view_when_others_appear(
    window, settle, tmp_path, qtbot
):
    for number in range(10, 60):
        Image.new("RGB", (8, 6)).save(tmp_path / f"p{number}.png")
    window.open_path(tmp_path / "p50.png")
    settle()
    strip = window.strip

    def left() -> int:
        return strip.view.visualRect(strip.view.currentIndex()).left()

    before = left()
    assert 0 <= before < strip.view.viewport().width()
    for number in range(60, 65):
        Image.new("RGB", (8, 6)).save(tmp_path / f"o{number}.png")
    strip._read_folder()
    settle()
    assert len(strip.model.paths) == 55
    assert left() == before
    window.resize(500, 500)
    assert 0 <= left() < strip.view.viewport().width()
