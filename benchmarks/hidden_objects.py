"""Memory of a document with hidden objects, and stalls while they are hidden and shown.

``python benchmarks/hidden_objects.py [--megapixels 12]`` opens a photo in the real
window, boxes three objects with decontaminated colours, and hides two of them.  Printed
are the bytes of mattes that the document holds, the process's resident memory, and for
each step the longest gap of the event loop and the time until the window is idle.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["ZIM_STUDIO_STATE"] = tempfile.mkdtemp(prefix="zim-state-")

import PIL.Image
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication
from timing import scaled_photo

from zim_app.gui.document import Document
from zim_app.gui.main_window import MainWindow
from zim_app.gui.stall_monitor import StallMonitor
from zim_app.gui.workers.inference_queue import InferenceQueue
from zim_model.finish import STANDARD_FINISH
from zim_model.prompts import Box, PromptSet
from zim_model.recipe import Recipe

BOXES = ((0.1, 0.02, 0.75, 0.98), (0.3, 0.05, 0.55, 0.45), (0.6, 0.02, 0.99, 0.6))
"""Left, top, right and bottom, as fractions of the photo: woman, head, shuttle."""


SECONDS = 1.0
"""Of a step at least, after which freed memory is the system's."""


def settle(app: QApplication, window: MainWindow) -> None:
    """Process events until the window is idle."""
    for _ in range(3):
        app.processEvents()
    while not window.idle:
        app.processEvents()
        time.sleep(0.001)


def add_objects(document: Document) -> None:
    """Three objects with decontaminated colours, the first one active."""
    width, height = document.image.width, document.image.height
    finish = replace(STANDARD_FINISH, decontaminate=1.0)
    objects = []
    for each in (document.state.object, document.new_object(), document.new_object()):
        left, top, right, bottom = BOXES[len(objects)]
        box = Box(left * width, top * height, right * width, bottom * height)
        recipe = Recipe(PromptSet((), box), finish=finish)
        objects.append(replace(each, recipe=recipe))
    document.edit_objects("Add", tuple(objects), 0)


def set_visible(document: Document, *visible: bool) -> None:
    pairs = zip(document.state.objects, visible, strict=True)
    objects = tuple(replace(each, visible=shown) for each, shown in pairs)
    document.edit_objects("Hide", objects, 0)


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def matte_mb(document: Document) -> float:
    """Of the objects' mattes and those for undo."""
    mattes = [matte for matte in document.state.mattes if matte is not None]
    mattes += document._results._entries.values()
    return sum({id(matte): matte.nbytes for matte in mattes}.values()) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megapixels", type=float, default=12)
    args = parser.parse_args()
    app = QApplication([])
    with tempfile.TemporaryDirectory() as name:
        ini = QSettings.Format.IniFormat
        QSettings.setDefaultFormat(ini)
        QSettings.setPath(ini, QSettings.Scope.UserScope, name)
        path = Path(name, "photo.jpg")
        PIL.Image.fromarray(scaled_photo(args.megapixels)).save(path, quality=92)
        window, monitor = MainWindow(InferenceQueue()), StallMonitor()
        window.resize(1400, 900)
        window.show()
        print("| step | mattes, MB | resident, MB | longest gap, ms | until idle, ms |")
        print("|---|---|---|---|---|")

        def measure(step: str, action: Callable[[], object]) -> None:
            settle(app, window)
            monitor.reset()
            started = time.perf_counter()
            action()
            settle(app, window)
            elapsed_ms = (time.perf_counter() - started) * 1e3
            while time.perf_counter() < started + SECONDS:
                app.processEvents()
            mattes = matte_mb(window.document) if window.document else 0
            numbers = f"{mattes:,.0f} | {resident_mb():,.0f} | {monitor.longest_ms:.0f}"
            print(f"| {step} | {numbers} | {elapsed_ms:.0f} |", flush=True)

        measure("open", lambda: window.open_path(path))
        document = window.document
        assert document is not None
        measure("three objects", lambda: add_objects(document))
        measure("hide two", lambda: set_visible(document, True, False, False))
        measure("show two", lambda: set_visible(document, True, True, True))
        measure("solo", lambda: document.set_solo(document.state.object.id))
        measure("solo ends", lambda: document.set_solo(None))
        window.actions_by_id["view_cutout"].trigger()
        measure(
            "hide two, as cut-out", lambda: set_visible(document, True, False, False)
        )
        measure("show two, as cut-out", lambda: set_visible(document, True, True, True))
        measure("hide two again", lambda: set_visible(document, True, False, False))
        measure("select a hidden one", lambda: document.select(1))
        window.close()


if __name__ == "__main__":
    main()
