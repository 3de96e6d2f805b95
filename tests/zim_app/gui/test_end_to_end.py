"""The real engine and the bundled model, a real photo, real mouse events."""

import gc
import sys
import threading

import cv2
import numpy as np
from PIL import Image
from PySide6.QtCore import Qt

from zim_app.gui.main_window import MainWindow
from zim_app.gui.settings import preferences
from zim_app.gui.workers.inference_queue import InferenceQueue
from zim_app.gui.workers.warmup import import_torch
from zim_model.assets import asset_path

PHOTO = asset_path("samples")


def test_torch_is_imported_on_another_thread():
    worker = threading.Thread(target=import_torch)
    worker.start()
    worker.join()
    assert "torch" in sys.modules
    assert gc.isenabled()


def test_scribble_and_brush(qtbot):
    window = MainWindow(InferenceQueue())
    qtbot.addWidget(window)
    window.resize(900, 700)
    window.show()
    window.open_path(PHOTO / "cat.jpg")
    qtbot.waitUntil(lambda: window.document is not None, timeout=20_000)
    canvas, left = window.canvas, Qt.MouseButton.LeftButton

    def draw(*places):
        ats = [canvas.to_view(*place).toPoint() for place in places]
        qtbot.mousePress(canvas.viewport(), left, pos=ats[0])
        for at in ats[1:]:
            qtbot.mouseMove(canvas.viewport(), at)
        qtbot.mouseRelease(canvas.viewport(), left, pos=ats[-1])

    window.actions_by_id["tool_scribble"].trigger()
    draw((180, 100), (200, 120), (220, 130))
    qtbot.waitUntil(lambda: window.idle, timeout=60_000)
    alpha = window.document.state.matte.alpha
    assert alpha[120, 200] > 32768, "the scribble belongs to the object"
    window.actions_by_id["tool_brush"].trigger()
    draw((400, 20), (430, 60))
    shown = window.canvas._stroke_preview.matte.pyramid[0].copy()
    qtbot.waitUntil(lambda: window.idle, timeout=60_000)
    matte = window.document.state.matte
    assert matte.alpha[40, 415] == 65535
    assert matte.alpha[120, 200] == alpha[120, 200]
    assert np.abs(shown.astype(int) - matte.pyramid[0]).max() <= 1


def test_click_and_export(qtbot, tmp_path):
    window = MainWindow(InferenceQueue())
    qtbot.addWidget(window)
    window.resize(900, 700)
    window.show()
    window.open_path(PHOTO / "cat.jpg")
    qtbot.waitUntil(lambda: window.document is not None, timeout=20_000)
    at = window.canvas.to_view(220, 120).toPoint()
    qtbot.mouseClick(window.canvas.viewport(), Qt.MouseButton.LeftButton, pos=at)
    qtbot.waitUntil(lambda: window.idle, timeout=60_000)
    matte = window.document.state.matte
    assert matte.alpha[120, 220] > 32768, "the click belongs to the object"
    assert "CPU" in window.status.model.text() or "cuda" in window.status.model.text()
    preferences.set_value("export_folder", str(tmp_path))
    window.actions_by_id["quick_export"].trigger()
    qtbot.waitUntil(lambda: window.idle, timeout=20_000)
    with Image.open(tmp_path / "cat-cutout.png") as image:
        pixels = np.asarray(image)
    expected = matte.alpha.astype(float) / 257
    assert np.abs(pixels[..., 3] - expected).max() <= 1


def test_what_a_search_finds_becomes_an_object_with_the_same_matte(qtbot):
    window = MainWindow(InferenceQueue())
    qtbot.addWidget(window)
    window.resize(900, 700)
    window.show()
    window.open_path(PHOTO / "cat.jpg")
    qtbot.waitUntil(lambda: window.document is not None, timeout=20_000)
    mode = window.everything
    window.actions_by_id["everything"].trigger()
    qtbot.waitUntil(lambda: bool(mode.selection.objects), timeout=60_000)
    qtbot.mouseClick(mode.bar.cancel_button, Qt.MouseButton.LeftButton)
    found_object = mode.selection.objects[0]
    height, width = found_object.alpha.shape
    rows, columns = np.nonzero(found_object.alpha > 250)
    hits = (
        (column, row)
        for row, column in zip(rows, columns, strict=True)
        if mode.selection.found_at(*_in_image(window, found_object, column, row))
        is found_object
    )
    at = window.canvas.to_view(*_in_image(window, found_object, *next(hits))).toPoint()
    viewport = window.canvas.viewport()
    qtbot.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=at)
    qtbot.mouseDClick(viewport, Qt.MouseButton.LeftButton, pos=at)
    qtbot.waitUntil(lambda: window.idle, timeout=60_000)
    [entry] = window.document.state.objects
    assert entry.recipe.prompts == found_object.prompts
    alpha = window.document.state.matte.pyramid[0]
    small = cv2.resize(alpha, (width, height), interpolation=cv2.INTER_AREA)
    difference = np.abs(small.astype(float) - found_object.alpha)
    assert difference.mean() < 12, "the search showed the object's matte"


def _in_image(window, found_object, column, row):
    """The middle of a pixel of a small matte, in pixels of the image."""
    image, (height, width) = window.document.image, found_object.alpha.shape
    return (column + 0.5) * image.width / width, (row + 0.5) * image.height / height
