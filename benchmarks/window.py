"""What the window costs: stalls of its event loop by gesture, and memory.

``python benchmarks/window.py [--photo FILE] [--images N]`` drives the real window
with the bundled model through one gesture after the other, then opens N images.
Gestures are synthesised mouse and key events; the longest time in which the event
loop did not turn is printed for each.  The numbers depend on the
machine and on what else it does.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
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


class Session:
    """The window, and somebody's hands."""

    def __init__(self, app: QApplication) -> None:
        self.app, self.monitor = app, StallMonitor()
        self.window = MainWindow(InferenceQueue())
        self.window.resize(1400, 900)

    def settle(self) -> None:
        """Let events run until nothing is under way."""
        for _ in range(3):
            self.app.processEvents()
        while not self.window.idle:
            self.app.processEvents()
            time.sleep(0.001)

    def measure(self, name: str, gesture: Callable[[], object]) -> None:
        """Print the longest gap and the time until everything is answered."""
        self.settle()
        self.monitor.reset()
        started = time.perf_counter()
        gesture()
        self.settle()
        spent = (time.perf_counter() - started) * 1e3
        print(f"| {name} | {self.monitor.longest_ms:.0f} | {spent:.0f} |", flush=True)

    def act(self, name: str) -> None:
        self.window.actions_by_id[name].trigger()

    def at(self, x: float, y: float) -> QPoint:
        """A place of the image, as fractions of its size, in the view."""
        image = self.window.document.image
        view = self.window.canvas.to_view(x * image.width, y * image.height)
        return view.toPoint()

    def click(self, x: float, y: float, button: Qt.MouseButton = LEFT) -> None:
        QTest.mouseClick(self.window.canvas.viewport(), button, pos=self.at(x, y))

    def drag(self, *places: tuple[float, float]) -> None:
        port = self.window.canvas.viewport()
        QTest.mousePress(port, LEFT, pos=self.at(*places[0]))
        for place in places:
            QTest.mouseMove(port, self.at(*place))
            self.app.processEvents()
        QTest.mouseRelease(port, LEFT, pos=self.at(*places[-1]))

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


def gestures(session: Session, photo: Path, folder: Path) -> None:
    """One gesture after the other on one photograph."""
    window, act = session.window, session.act
    wave = [(0.3 + 0.01 * i, 0.6 + 0.05 * np.sin(i / 3)) for i in range(40)]
    print("| gesture | longest gap, ms | until answered, ms |\n|---|---|---|")
    session.measure("show the window", window.show)
    session.measure("load the model", window.warm_up)
    session.measure("open", lambda: window.open_path(photo))
    session.measure("click", lambda: session.click(0.45, 0.4))
    session.measure("negative click", lambda: session.click(0.1, 0.1, RIGHT))
    session.measure("box", lambda: session.drag((0.15, 0.1), (0.5, 0.5), (0.7, 0.98)))
    act("tool_scribble")
    session.measure("scribble", lambda: session.drag(*wave))
    act("tool_brush")
    session.measure("brush stroke", lambda: session.drag(*wave))
    session.measure("undo", lambda: act("undo"))
    session.measure("redo", lambda: act("redo"))
    act("tool_prompt")
    for view in ("cutout", "matte", "outline", "uncertainty", "overlay"):
        session.measure(f"view: {view}", lambda view=view: act(f"view_{view}"))
    session.measure("zoom in", lambda: session.wheel(8))
    session.measure("zoom out", lambda: session.wheel(-8))
    session.measure("new object and click", lambda: _second(session))
    session.measure(
        "decontaminate",
        lambda: window.document.edit(
            "", window.document.state.recipe.with_finish(decontaminate=1.0)
        ),
    )
    session.measure("export", lambda: window.export_to(folder / "cut.png"))


def _second(session: Session) -> None:
    session.act("object_new")
    session.click(0.8, 0.85)


def many(session: Session, count: int, folder: Path) -> None:
    """Open images and click on each; print the process's memory."""
    sample = np.asarray(Image.open(asset_path("samples", "cat.jpg")).convert("RGB"))
    print("\n| photos | resident MB | widgets |\n|---|---|---|")
    for number in range(1, count + 1):
        pixels = cv2.resize(sample, (1500, 1000))
        pixels[:8, :8] = number  # another image every time
        path = folder / f"{number % 8}.jpg"
        Image.fromarray(pixels).save(path)
        session.window.open_path(path)
        session.settle()
        session.click(0.5, 0.5)
        session.settle()
        if number % EVERY == 0:
            pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
            resident = pages * os.sysconf("SC_PAGE_SIZE") / 2**20
            widgets = len(session.app.allWidgets())
            print(f"| {number} | {resident:.0f} | {widgets} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photo", type=Path, help="default: a sample at 12 MP")
    parser.add_argument("--pictures", type=int, default=0, metavar="N")
    given = parser.parse_args()
    app = QApplication([])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ini = QSettings.Format.IniFormat
        QSettings.setDefaultFormat(ini)
        QSettings.setPath(ini, QSettings.Scope.UserScope, name)
        photo = given.photo
        if photo is None:
            photo = folder / "photo.jpg"
            with Image.open(asset_path("samples", "cat.jpg")) as sample:
                sample.resize(SIZE).save(photo)
        session = Session(app)
        gestures(session, photo, folder)
        many(session, given.pictures, folder)
        session.window.close()


if __name__ == "__main__":
    main()
