"""Many images one after the other: memory, threads and widgets stay bounded."""

import gc
import os
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QThread
from PySide6.QtWidgets import QApplication

from zim_app.gui.main_window import MainWindow
from zim_app.gui.workers.inference_queue import InferenceQueue
from zim_app.gui.workers.warmup import import_torch
from zim_model.prompts import Point

IMAGES = 200
SETTLED = 40
"""Images after which caches are full and every module is loaded."""
SIZE = (400, 300)
CACHE_BYTES = 16 << 20
GROWTH = 32 << 20
"""Bytes that the process may still grow by: 200 kB an image, where one image with
its matte and features takes about 2 MB."""


def create_small_engine():
    """The real engine, whose memory for features is soon full."""
    import_torch()
    from zim_model.inference.engine import Engine

    return Engine(cache_bytes=CACHE_BYTES)


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc")
def test_two_hundred_images_leave_nothing_behind(qtbot, tmp_path):
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)
    paths = [tmp_path / f"{n % 8}.png" for n in range(IMAGES)]
    window = MainWindow(InferenceQueue(create_small_engine))
    qtbot.addWidget(window)
    window.show()
    sizes, widgets = [], []
    for number, path in enumerate(paths):
        # Another image every time, under one of eight names.
        small[0, 0] = number
        Image.fromarray(small).resize(SIZE).save(path, compress_level=1)
        window.open_path(path)
        qtbot.waitUntil(lambda: window.idle, timeout=60_000)
        recipe = window.document.state.recipe.with_point(Point(200.0, 150.0))
        window.document.edit("Add point", recipe)
        qtbot.waitUntil(lambda: window.idle, timeout=60_000)
        assert window.document.state.matte is not None
        sizes.append(resident_bytes())
        widgets.append(len(QApplication.allWidgets()))
    gc.collect()
    assert max(sizes[SETTLED:]) - sizes[SETTLED] < GROWTH
    assert max(widgets[SETTLED:]) <= widgets[SETTLED] + 2
    threads = [t for t in window.findChildren(QThread) if t.isRunning()]
    window.close()
    assert threads, "there is something to end"
    assert not any(thread.isRunning() for thread in threads)
    assert threading.active_count() < 20
