"""Milliseconds from opening a large JPEG photo to its pixels on the screen.

``python benchmarks/opening.py [--photo FILE] [--megapixels 24] [--count 7]`` scales a
photo up, adds noise, saves it as baseline and as progressive JPEG of quality 92, and
opens each in the real window.  Printed are medians of the time until the window has
painted anything of the photo, until it has painted the photo itself, and of the longest
gap of the event loop: of the first one in fresh processes
whose modules are loaded, and of further ones in one process.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["ZIM_STUDIO_STATE"] = tempfile.mkdtemp(prefix="zim-state-")

import cv2
import numpy as np
import PIL.Image
from PySide6.QtCore import QEvent, QEventLoop, QObject, QSettings
from PySide6.QtWidgets import QApplication, QWidget

from zim_app.core import isolation
from zim_app.gui.main_window import MainWindow
from zim_app.gui.stall_monitor import StallMonitor
from zim_app.gui.workers.inference_queue import InferenceQueue
from zim_model.assets import asset_path

NOISE = 6.0
"""Standard deviation; gives files of the size that cameras write."""
FRESH = 3
"""Processes for the first photo."""
Times = tuple[float, float, float]
"""Milliseconds: first pixels, whole photo, longest gap."""


class PaintWatch(QObject):
    """Notes when widgets are painted that show the photo of a path."""

    def __init__(self, app: QApplication, window: MainWindow) -> None:
        super().__init__()
        self._window, self._preview = (
            window,
            window.findChild(QWidget, "openingPreview"),
        )
        self.path: Path | None = None
        self.shown: set[str] = set()
        app.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint and self.path is not None:
            document = self._window.document
            if watched is self._preview:
                self.shown.add("first")
            elif (
                watched is self._window.canvas.viewport()
                and document is not None
                and document.image.path == self.path
            ):
                self.shown |= {"first", "whole"}
        return False


def open_photos(paths: list[Path]) -> list[Times]:
    """Open photos one after the other in a new window."""
    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    with tempfile.TemporaryDirectory() as name:
        ini = QSettings.Format.IniFormat
        QSettings.setDefaultFormat(ini)
        QSettings.setPath(ini, QSettings.Scope.UserScope, name)
        window, monitor = MainWindow(InferenceQueue()), StallMonitor()
        isolation.isolate()
        window.resize(1400, 900)
        window.show()
        window.warm_up()
        watch = PaintWatch(app, window)
        times = [_open(app, window, monitor, watch, path) for path in paths]
        window.close()
    return times


def _open(
    app: QApplication,
    window: MainWindow,
    monitor: StallMonitor,
    watch: PaintWatch,
    path: Path,
) -> Times:
    _settle(app, window)
    watch.path, watch.shown = path, set()
    monitor.reset()
    started, painted = time.perf_counter(), {}
    window.open_path(path)
    while "whole" not in painted:
        app.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
        for what in watch.shown:
            painted.setdefault(what, (time.perf_counter() - started) * 1e3)
    _settle(app, window)
    return painted["first"], painted["whole"], monitor.longest_ms


def _settle(app: QApplication, window: MainWindow) -> None:
    """Process events until the window has been idle for a while."""
    until = time.perf_counter() + 0.3
    while time.perf_counter() < until:
        app.processEvents()
        time.sleep(0.001)
        if not window.idle:
            until = time.perf_counter() + 0.3


def write_photos(
    source: Path, megapixels: float, count: int, folder: Path, progressive: bool
) -> list[Path]:
    """Photos of equal content with different noise, so that each has to be read."""
    with PIL.Image.open(source) as file:
        small = np.asarray(file.convert("RGB"))
    scale = (megapixels * 1e6 / (small.shape[0] * small.shape[1])) ** 0.5
    size = (round(small.shape[1] * scale), round(small.shape[0] * scale))
    large = cv2.resize(small, size, interpolation=cv2.INTER_CUBIC)
    paths = []
    for seed in range(count):
        noise = np.zeros((*large.shape[:2], 1), np.int16)
        cv2.setRNGSeed(seed + 1)
        cv2.randn(noise, 0, NOISE)
        pixels = np.clip(large + noise, 0, 255).astype(np.uint8)
        paths.append(
            folder / f"{'progressive' if progressive else 'baseline'}{seed}.jpg"
        )
        image = PIL.Image.fromarray(pixels)
        image.save(paths[-1], quality=92, progressive=progressive)
    return paths


def _row(name: str, size: float, times: list[Times]) -> str:
    first, whole, gap = map(statistics.median, zip(*times, strict=True))
    longest = max(gap for _, _, gap in times)
    numbers = f"{first:.0f} | {whole:.0f} | {gap:.0f} | {longest:.0f}"
    return f"| {name} | {size:.1f} | {numbers} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photo", type=Path, help="default: a sample")
    parser.add_argument("--megapixels", type=float, default=24)
    parser.add_argument("--count", type=int, default=7, help="photos in one process")
    args = parser.parse_args()
    source = args.photo or asset_path("samples", "cat.jpg")
    print("| photo | MB | first pixels | whole photo | longest gap | longest of all |")
    print("|---|---|---|---|---|---|")
    for progressive in (False, True):
        kind = "progressive" if progressive else "baseline"
        with tempfile.TemporaryDirectory() as name:
            paths = write_photos(
                source, args.megapixels, args.count, Path(name), progressive
            )
            size = statistics.mean(path.stat().st_size for path in paths) / 1e6
            fresh = []
            for path in paths[:FRESH]:
                with ProcessPoolExecutor(1, get_context("spawn")) as pool:
                    fresh += pool.submit(open_photos, [path]).result()
            print(_row(f"{kind}, first", size, fresh), flush=True)
            with ProcessPoolExecutor(1, get_context("spawn")) as pool:
                further = pool.submit(open_photos, paths).result()[1:]
            print(_row(f"{kind}, further", size, further), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
