"""A data set, a stand-in for the engine that waits, and the window on both."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, Qt, QThread

from tests.zim_model.evaluation.conftest import FakeEngine
from zim_app.gui.evaluation import evaluation_window
from zim_app.gui.evaluation.evaluation_window import EvaluationWindow
from zim_app.gui.evaluation.evaluation_worker import EvaluationWork
from zim_model.errors import Cancelled
from zim_model.evaluation.mini import make_mini
from zim_model.runtime.devices import CPU, DeviceChoice


class WaitingEngine(FakeEngine):
    """Answers as often as it was let, and then waits; refuses the window's thread."""

    def __init__(self):
        super().__init__()
        self.choice = DeviceChoice()
        self._permits = threading.Semaphore(0)
        self._free = threading.Event()
        self._free.set()

    def hold(self):
        """Wait before every answer from now on."""
        self._free.clear()

    def let(self, answers):
        """Give so many answers."""
        for _ in range(answers):
            self._permits.release()

    def free(self):
        """Wait no more."""
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
    """Two pictures with five objects."""
    return make_mini(tmp_path_factory.mktemp("mini"), images=2)


@pytest.fixture(autouse=True)
def score_here(monkeypatch):
    """Other processes take half a second to start."""
    monkeypatch.setattr(evaluation_window, "default_jobs", lambda: 0)


@pytest.fixture
def work(qapp, model):
    work = EvaluationWork(lambda: model)
    yield work
    model.free()
    work.close()


@pytest.fixture
def make_window(qtbot, work):
    """The window as it is opened anew."""
    made = []

    def make():
        window = EvaluationWindow(work)
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
    until(qtbot, lambda: window.work.idle)
    return window


def enter(qtbot, line, text):
    """Type a text into a line."""
    line.selectAll()
    qtbot.keyClicks(line, text)
    qtbot.keyClick(line, Qt.Key.Key_Return)


def click(qtbot, button):
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def until(qtbot, condition):
    """Wait for something that other threads do, on a machine that does more."""
    qtbot.waitUntil(condition, timeout=30_000)


def run_through(qtbot, window):
    """Start it, and wait until it is over and everything is shown."""
    click(qtbot, window.run_bar.start_button)
    settled(qtbot, window)


def settled(qtbot, window):
    """Wait until nothing runs and everything is shown."""
    until(qtbot, lambda: window.work.idle and not window.busy)


@pytest.fixture
def done(qtbot, chosen):
    """The window after a run."""
    run_through(qtbot, chosen)
    return chosen
