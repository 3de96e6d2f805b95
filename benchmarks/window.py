"""Stalls of the window's event loop by gesture, and memory.

``python benchmarks/window.py [--photo FILE] [--images N] [--no-gestures]`` drives the
real window with the bundled model through one gesture after the other, then opens N
images and tells by how much the first and the last third of them let memory grow.
Gestures are synthesised mouse and key events; the longest gap between two turns of the
event loop is printed for each.  The numbers depend on the machine and its load.
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

import cv2
import numpy as np
from PIL import Image
from PySide6.QtCore import QPoint, QPointF, QSettings, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from zim_app.gui.main_window import MainWindow
from zim_app.gui.stall_monitor import StallMonitor
from zim_app.gui.workers.inference_queue import InferenceQueue
from zim_model.assets import asset_path

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
SIZE = (4272, 2848)
EVERY = 20
"""Images between two lines about memory."""


class WindowDriver:
    """Drives the window by synthesised events."""

    def __init__(self, app: QApplication) -> None:
        self.app, self.monitor = app, StallMonitor()
        self.window = MainWindow(InferenceQueue())
        self.window.resize(1400, 900)
        self._started, self._draft_ms = 0.0, ""
        self.window.queue.drafted.connect(self._on_queue_drafted)

    def _on_queue_drafted(self) -> None:
        elapsed_ms = (time.perf_counter() - self._started) * 1e3
        self._draft_ms = self._draft_ms or f"{elapsed_ms:.0f}"

    def settle(self) -> None:
        """Process events until the window is idle."""
        for _ in range(3):
            self.app.processEvents()
        while not self.window.idle:
            self.app.processEvents()
            time.sleep(0.001)

    def measure(self, name: str, gesture: Callable[[], object]) -> None:
        """Print the longest gap, and the times until a draft and until it is idle."""
        self.settle()
        self.monitor.reset()
        self._started, self._draft_ms = time.perf_counter(), ""
        gesture()
        self.settle()
        elapsed_ms = (time.perf_counter() - self._started) * 1e3
        times = f"{self.monitor.longest_ms:.0f} | {self._draft_ms} | {elapsed_ms:.0f}"
        print(f"| {name} | {times} |", flush=True)

    def act(self, name: str) -> None:
        self.window.actions_by_id[name].trigger()

    def at(self, x: float, y: float) -> QPoint:
        """A position in the image, as fractions of its size, in view coordinates."""
        image = self.window.document.image
        view = self.window.canvas.to_view(x * image.width, y * image.height)
        return view.toPoint()

    def click(self, x: float, y: float, button: Qt.MouseButton = LEFT) -> None:
        QTest.mouseClick(self.window.canvas.viewport(), button, pos=self.at(x, y))

    def drag(self, *positions: tuple[float, float]) -> None:
        port = self.window.canvas.viewport()
        QTest.mousePress(port, LEFT, pos=self.at(*positions[0]))
        for position in positions:
            QTest.mouseMove(port, self.at(*position))
            self.app.processEvents()
        QTest.mouseRelease(port, LEFT, pos=self.at(*positions[-1]))

    def wheel(self, steps: int) -> None:
        port = self.window.canvas.viewport()
        middle = QPointF(port.rect().center())
        for _ in range(abs(steps)):
            turn = QPoint(0, 120 if steps > 0 else -120)
            event = QWheelEvent(
                middle,
                port.mapToGlobal(middle),
                QPoint(),
                turn,
                Qt.MouseButton.NoButton,
                Qt.KeyboardModifier.NoModifier,
                Qt.ScrollPhase.NoScrollPhase,
                False,
            )
            self.app.sendEvent(port, event)
            self.app.processEvents()


def gestures(driver: WindowDriver, photo: Path, folder: Path) -> None:
    """One gesture after the other on one photo."""
    window, act = driver.window, driver.act
    wave = [(0.3 + 0.01 * i, 0.6 + 0.05 * np.sin(i / 3)) for i in range(40)]
    print("| gesture | longest gap, ms | draft, ms | until answered, ms |")
    print("|---|---|---|---|")
    driver.measure("show the window", window.show)
    driver.measure("load the model", window.warm_up)
    driver.measure("open", lambda: window.open_path(photo))
    driver.measure("click", lambda: driver.click(0.45, 0.4))
    driver.measure("negative click", lambda: driver.click(0.1, 0.1, RIGHT))
    driver.measure("box", lambda: driver.drag((0.15, 0.1), (0.5, 0.5), (0.7, 0.98)))
    act("tool_scribble")
    driver.measure("scribble", lambda: driver.drag(*wave))
    act("tool_brush")
    driver.measure("brush stroke", lambda: driver.drag(*wave))
    driver.measure("undo", lambda: act("undo"))
    driver.measure("redo", lambda: act("redo"))
    act("tool_prompt")
    for view in ("cutout", "matte", "outline", "uncertainty", "overlay"):
        driver.measure(f"view: {view}", lambda view=view: act(f"view_{view}"))
    driver.measure("zoom in", lambda: driver.wheel(8))
    driver.measure("zoom out", lambda: driver.wheel(-8))
    driver.measure("new object and click", lambda: _second(driver))
    driver.measure("decontaminate", lambda: _decontaminate(driver, 1.0))
    driver.measure("decontaminate less", lambda: _decontaminate(driver, 0.5))
    driver.measure("native resolution", lambda: _native(driver))
    act("tool_brush")
    window.tools.options_bar.choose("brush", "refine")
    driver.measure("refine stroke", lambda: driver.drag(*wave))
    act("tool_prompt")
    driver.measure("export", lambda: window.export_to(folder / "cut.png"))


def _decontaminate(driver: WindowDriver, amount: float) -> None:
    recipe = driver.window.document.state.recipe
    driver.window.document.edit("", recipe.with_finish(decontaminate=amount))


def _native(driver: WindowDriver) -> None:
    recipe = driver.window.document.state.recipe
    native = replace(recipe.options, upsampling="native")
    driver.window.document.edit("", replace(recipe, options=native))


def _second(driver: WindowDriver) -> None:
    driver.act("object_new")
    driver.click(0.8, 0.85)


def open_many(driver: WindowDriver, count: int, folder: Path) -> None:
    """Open images and click on each; print the process's memory."""
    sample = np.asarray(Image.open(asset_path("samples", "cat.jpg")).convert("RGB"))
    print("\n| photos | resident MB | widgets |\n|---|---|---|")
    sizes = []
    for number in range(1, count + 1):
        pixels = cv2.resize(sample, (1500, 1000))
        pixels[:8, :8] = (number % 256, number // 256, 0)  # another image every time
        path = folder / f"{number % 8}.jpg"
        Image.fromarray(pixels).save(path)
        driver.window.open_path(path)
        driver.settle()
        driver.click(0.5, 0.5)
        driver.settle()
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
        sizes.append(pages * os.sysconf("SC_PAGE_SIZE") / 2**20)
        if number % EVERY == 0:
            widgets = len(driver.app.allWidgets())
            print(f"| {number} | {sizes[-1]:.0f} | {widgets} |", flush=True)
    third = count // 3
    for name, part in (("first", sizes[:third]), ("last", sizes[-third:])):
        if third > 1:
            slope = np.polyfit(range(third), part, 1)[0] * 100
            print(f"MB per 100 photos in the {name} third: {slope:.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photo", type=Path, help="default: a sample at 12 MP")
    parser.add_argument("--images", type=int, default=0, metavar="N")
    parser.add_argument("--no-gestures", action="store_true")
    args = parser.parse_args()
    app = QApplication([])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ini = QSettings.Format.IniFormat
        QSettings.setDefaultFormat(ini)
        QSettings.setPath(ini, QSettings.Scope.UserScope, name)
        photo = args.photo
        if photo is None:
            photo = folder / "photo.jpg"
            with Image.open(asset_path("samples", "cat.jpg")) as sample:
                sample.resize(SIZE).save(photo)
        driver = WindowDriver(app)
        if args.no_gestures:
            driver.window.show()
        else:
            gestures(driver, photo, folder)
        open_many(driver, args.images, folder)
        driver.window.close()


if __name__ == "__main__":
    main()
