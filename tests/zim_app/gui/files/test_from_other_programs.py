"""Images and files dropped and pasted from other programs."""

from __future__ import annotations

import numpy as np
from PIL import Image
from PySide6.QtCore import QBuffer, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication, QImage
from PySide6.QtWidgets import QApplication

from tests.zim_app.gui.files.test_file_controller import idle, project_at

LEFT = Qt.MouseButton.LeftButton
CONTROL = Qt.KeyboardModifier.ControlModifier


def drop(window, data):
    where = (Qt.DropAction.CopyAction, data, LEFT, Qt.KeyboardModifier.NoModifier)
    enter = QDragEnterEvent(QPoint(50, 50), *where)
    QApplication.sendEvent(window, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(window, QDropEvent(QPointF(50, 50), *where))


def colours():
    """Pixels that are wrong if channels or rows are swapped."""
    pixels = np.zeros((3, 5, 4), np.uint8)
    pixels[..., 3] = 255
    pixels[0, :, 0] = 200
    pixels[:, 4] = (0, 0, 90, 128)
    return pixels


def as_qimage(pixels):
    height, width = pixels.shape[:2]
    form = QImage.Format.Format_RGBA8888
    return QImage(pixels.tobytes(), width, height, 4 * width, form).copy()


def test_dropped_folder_opens_its_first_image(window, settle, tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    for name in ("b10.png", "b2.png", "notes.txt", ".a.png"):
        Image.new("RGB", (8, 6)).save(folder / name, "PNG")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(folder))])
    drop(window, data)
    settle()
    assert window.document.image.path == folder / "b2.png"


def test_empty_folder_is_reported(window, settle, tmp_path):
    (tmp_path / "empty").mkdir()
    window.open_path(tmp_path / "empty")
    settle()
    assert "There is no photo in the folder empty." in window.banner.text


def test_image_dragged_from_a_browser(window, settle):
    data = QMimeData()
    data.setUrls([QUrl("https://example.org/a.png")])
    data.setImageData(as_qimage(colours()))
    drop(window, data)
    settle()
    image = window.document.image
    assert image.path is None
    assert image.name == "Pasted image"
    np.testing.assert_array_equal(image.source, colours()[..., :3])
    np.testing.assert_array_equal(
        image.source_alpha, colours()[..., 3] * np.uint16(257)
    )


def test_pasted_png_keeps_its_pixels(window, settle, qtbot, tmp_path):
    deep = np.arange(30, dtype=np.uint16).reshape(3, 10) * 2000
    Image.fromarray(deep).save(tmp_path / "deep.png")
    data = QMimeData()
    data.setData("image/png", (tmp_path / "deep.png").read_bytes())
    QGuiApplication.clipboard().setMimeData(data)
    qtbot.keyClick(window, Qt.Key.Key_V, CONTROL)
    settle()
    source = window.document.image.source
    np.testing.assert_array_equal(source[..., 0], deep)
    assert window.windowTitle().startswith("Pasted image")


def test_pasted_file_is_opened(window, settle, photo):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(photo))])
    QGuiApplication.clipboard().setMimeData(data)
    window.actions_by_id["paste"].trigger()
    settle()
    assert window.document.image.path == photo


def test_nothing_to_paste_is_reported(window, settle):
    data = QMimeData()
    data.setText("words")
    QGuiApplication.clipboard().setMimeData(data)
    window.actions_by_id["paste"].trigger()
    settle()
    assert "no photo in the clipboard" in window.banner.text


def test_damaged_data_in_the_clipboard_is_reported(window, settle):
    data = QMimeData()
    data.setData("image/png", b"\x89PNG\r\n\x1a\n no")
    QGuiApplication.clipboard().setMimeData(data)
    window.actions_by_id["paste"].trigger()
    settle()
    assert window.banner.text
    assert window.document is None


def test_pasted_image_survives_a_crash_and_can_be_a_project(
    window, settle, next_window, qtbot, tmp_path
):
    window.files.start()
    buffer = QBuffer()
    as_qimage(colours()).save(buffer, "PNG")
    data = QMimeData()
    data.setData("image/png", buffer.data())
    drop(window, data)
    settle()
    key = window.document.image.key
    path = tmp_path / "pasted.zimproj"
    project_at(window, path)
    settle()
    window.sessions._lock.unlock()
    again = next_window()
    again.files.start()
    idle(qtbot, again)
    assert "Pasted image" in again.banner.text
    again.banner.action_button.click()
    idle(qtbot, again)
    assert again.document.image.key == key
    assert again.files.project == path
    assert again.document.image.path == tmp_path / "pasted-picture.png"
