"""Matte many images one after the other in a window; print what each one left, as JSON.

A process of its own, because resident memory and threads are the whole process's:
``python -m tests.zim_app.gui.soak FOLDER IMAGES``.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from PySide6.QtCore import QThread
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from zim_app.gui.main_window import MainWindow
from zim_app.gui.workers.inference_queue import InferenceQueue
from zim_app.gui.workers.warmup import import_torch
from zim_model.prompts import Point

SIZE = (400, 300)
CACHE_BYTES = 4 << 20
TIMEOUT_SECONDS = 60


def create_small_engine():
    """The real engine, whose memories are soon full."""
    import_torch()
    from zim_model.inference import engine, finishing

    engine.RAW_CACHE_BYTES = finishing.CACHE_BYTES = CACHE_BYTES
    return engine.Engine(cache_bytes=CACHE_BYTES)


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"Nothing within {TIMEOUT_SECONDS} s")
        QTest.qWait(1)


def main(folder: Path, images: int) -> None:
    app = QApplication([])
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)
    window = MainWindow(InferenceQueue(create_small_engine))
    window.show()
    mattes, sizes, widgets = 0, [], []
    for number in range(images):
        # Another image every time, under one of eight names.
        path = folder / f"{number % 8}.png"
        small[0, 0] = number
        Image.fromarray(small).resize(SIZE).save(path, compress_level=1)
        window.open_path(path)
        wait_until(lambda: window.idle)
        recipe = window.document.state.recipe.with_point(Point(200.0, 150.0))
        window.document.edit("Add point", recipe)
        wait_until(lambda: window.idle)
        mattes += window.document.state.matte is not None
        sizes.append(resident_bytes())
        widgets.append(len(QApplication.allWidgets()))
    threads = window.findChildren(QThread)
    before = sum(thread.isRunning() for thread in threads)
    window.close()
    app.processEvents()
    found = {
        "mattes": mattes,
        "resident_bytes": sizes,
        "widgets": widgets,
        "qt_threads": [before, sum(thread.isRunning() for thread in threads)],
        "python_threads": threading.active_count(),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
