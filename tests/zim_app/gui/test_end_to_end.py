"""The real engine and the bundled model, a real photograph, real mouse events."""

import gc
import sys
import threading

import numpy as np
from PIL import Image
from PySide6.QtCore import Qt

from zim_app.gui.inference import InferenceQueue
from zim_app.gui.main_window import MainWindow
from zim_app.gui.warmup import import_torch
from zim_model.assets import asset_path

PHOTO = asset_path("samples")


def test_torch_is_imported_on_another_thread():
    worker = threading.Thread(target=import_torch)
    worker.start()
    worker.join()
    assert "torch" in sys.modules
    assert gc.isenabled()


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
    assert matte.alpha[120, 220] > 32768, "what was clicked belongs to the object"
    assert "CPU" in window.status.model.text() or "cuda" in window.status.model.text()
    window.export_to(tmp_path / "cat.png")
    qtbot.waitUntil(lambda: window.idle, timeout=20_000)
    with Image.open(tmp_path / "cat.png") as image:
        pixels = np.asarray(image)
    expected = matte.alpha.astype(float) / 257
    assert np.abs(pixels[..., 3] - expected).max() <= 1
