"""Fixtures: a data set, a fake engine that can wait, and the evaluation window."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, Qt, QThread

from tests.zim_model.evaluation.conftest import FakeEngine
from zim_app.gui.evaluation import evaluation_window
from zim_app.gui.evaluation.evaluation_window import EvaluationWindow
from zim_app.gui.evaluation.evaluation_worker import EvaluationWorker
from zim_model.errors import Cancelled
from zim_model.evaluation.mini import write_mini_dataset
from zim_model.runtime.devices import CPU, DeviceChoice


class WaitingEngine(FakeEngine):
    """A fake engine that can be held; refuses to run on the window's thread."""

    def __init__(self):
        super().__init__()
        self.choice = DeviceChoice()
        self._permits = threading.Semaphore(0)
        self._free = threading.Event()
        self._free.set()

    def hold(self):
        """Block further calls of solve until :meth:`let` or :meth:`free`."""
        self._free.clear()

    def let(self, count):
        """Allow so many calls of solve."""
        for _ in range(count):
            self._permits.release()

    def free(self):
        """Allow all calls of solve."""
        self._free.set()

    def devices(self):
        return (CPU,)

    def set_device(self, choice):
        self.choice = choice

    def solve(self, request, cancelled):
        assert QThread.currentThread() != QCoreApplication.instance().thread()
        while not self._free.is_set() and not self._permits.acquire(timeout=0.002):
            if cancelled():
                raise Cancelled
        return super().solve(request, cancelled)


@pytest.fixture
def model():
    engine = WaitingEngine()
    yield engine
    engine.free()


@pytest.fixture(scope="session")
def mini(tmp_path_factory) -> Path:
    """Two images with five objects."""
    return write_mini_dataset(tmp_path_factory.mktemp("mini"), images=2)


@pytest.fixture(autouse=True)
def score_here(monkeypatch):
    """Score on the run's thread: starting processes takes half a second."""
    monkeypatch.setattr(evaluation_window, "default_jobs", lambda: 0)


@pytest.fixture
def worker(qapp, model):
    worker = EvaluationWorker(lambda: model)
    yield worker
    model.free()
    worker.close()


@pytest.fixture
def make_window(qtbot, worker):
    """A function that opens a new window."""
    made = []

    def make():
        window = EvaluationWindow(worker)
        made.append(window)
        qtbot.addWidget(window)
        window.resize(1100, 760)
        window.show()
        return window

    yield make
    for window in made:
        window.close()


@pytest.fixture
def chosen(qtbot, make_window, mini, tmp_path):
    """The window with the data set and a folder for the results."""
    window = make_window()
    enter(qtbot, window.setup.root.lineEdit(), str(mini))
    until(qtbot, lambda: window.dataset is not None)
    window.setup.out.setFocus()
    enter(qtbot, window.setup.out, str(tmp_path / "out"))
    until(qtbot, lambda: window.worker.idle)
    return window


def enter(qtbot, line, text):
    """Type a text into a line."""
    line.selectAll()
    qtbot.keyClicks(line, text)
    qtbot.keyClick(line, Qt.Key.Key_Return)


def click(qtbot, button):
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def until(qtbot, condition):
    """Wait for a condition that other threads fulfil, on a busy machine."""
    qtbot.waitUntil(condition, timeout=30_000)


def run_through(qtbot, window):
    """Start a run, and wait until it is over and all rows are shown."""
    click(qtbot, window.run_bar.start_button)
    settled(qtbot, window)


def settled(qtbot, window):
    """Wait until no task runs and all rows are shown."""
    until(qtbot, lambda: window.worker.idle and not window.busy)


@pytest.fixture
def done(qtbot, chosen):
    """The window after a run."""
    run_through(qtbot, chosen)
    return chosen
