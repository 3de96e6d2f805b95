"""A fake engine with a gate, small images, and a window that is closed again."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import PIL.Image
import pytest
from PySide6.QtCore import QCoreApplication, QSettings, QThread
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from zim_app.core.images import Image
from zim_app.gui.document import Document
from zim_app.gui.main_window import MainWindow
from zim_app.gui.workers.inference_queue import InferenceQueue
from zim_model.errors import Cancelled, ZimError
from zim_model.inference.automatic import FoundObject
from zim_model.inference.main_object import main_object
from zim_model.prompts import Point, PromptSet
from zim_model.request import ALPHA_MAX, Matte, Request, Timings
from zim_model.runtime.devices import CPU, Device, DeviceChoice

HEIGHT, WIDTH = 60, 80


def _make_matte(height: int = HEIGHT, width: int = WIDTH) -> Matte:
    """Opaque on the left half, transparent on the right."""
    alpha = np.zeros((height, width), np.uint16)
    alpha[:, : width // 2] = ALPHA_MAX
    pyramid = ((alpha >> 8).astype(np.uint8),)
    for array in (alpha, *pyramid):
        array.flags.writeable = False
    return Matte(
        alpha=alpha,
        pyramid=pyramid,
        scores=np.ones(4, np.float32),
        candidate=0,
        support=(0, 0, width // 2, height),
        timings=Timings(0.0, 5.0, "CPU"),
    )


def _make_found(
    left: int, top: int, right: int, bottom: int, candidate: int = 0
) -> FoundObject:
    """A rectangle that a search found."""
    alpha = np.zeros((HEIGHT, WIDTH), np.uint8)
    alpha[top:bottom, left:right] = 255
    alpha.flags.writeable = False
    prompts = PromptSet((Point((left + right) / 2, (top + bottom) / 2),))
    box, area = (left, top, right, bottom), float(alpha.mean()) / 255
    return FoundObject(prompts, candidate, alpha, 0.9, 0.95, box, area)


class FakeEngine:
    """Waits at ``gate``, counts its calls, and refuses the window's thread.

    A search reports ``found_objects`` singly, and waits at ``search_gate`` after each.
    """

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.search_gate = threading.Event()
        self.search_gate.set()
        self.found_objects: tuple[FoundObject, ...] = ()
        self.calls: list[str] = []
        self.encoded: set[tuple[str, str]] = set()
        self.solved: list[Request] = []
        self.cancelled: list[Request] = []
        self.error: Exception | None = None
        self.choice = DeviceChoice()
        self.notes: tuple[str, ...] = ()
        self.progress = 0.0

    def devices(self) -> tuple[Device, ...]:
        return Device("cuda:0", "Card", 8 << 30), CPU

    def set_device(self, choice: DeviceChoice) -> None:
        self.choice = choice

    def prepare(
        self, request: Request, cancelled: Callable[[], bool] = lambda: False
    ) -> Timings:
        self._work("prepare", request, cancelled)
        key = (request.image_key, request.recipe.model)
        encode_ms = 0.0 if key in self.encoded else 7.0  # as features are cached
        self.encoded.add(key)
        return Timings(encode_ms, 0.0, "CPU", self.notes)

    def solve(
        self,
        request: Request,
        cancelled: Callable[[], bool] = lambda: False,
        progress: Callable[[float], None] = lambda _: None,
    ) -> Matte:
        progress(self.progress)
        self._work("solve", request, cancelled)
        self.solved.append(request)
        matte = _make_matte(*request.image.shape[:2])
        return replace(matte, timings=replace(matte.timings, notes=self.notes))

    def everything(
        self,
        request: Request,
        options: None = None,
        cancelled: Callable[[], bool] = lambda: False,
        progress: Callable[[int, int, tuple[FoundObject, ...]], None] = lambda *_: None,
    ) -> tuple[FoundObject, ...]:
        self._work("search", request, cancelled)
        total = len(self.found_objects)
        for done in range(1, total + 1):
            progress(done, total, self.found_objects[:done])
            while not self.search_gate.wait(0.002):
                if cancelled():
                    self.cancelled.append(request)
                    raise Cancelled
        return self.found_objects

    def subject(
        self, request: Request, cancelled: Callable[[], bool] = lambda: False
    ) -> FoundObject | None:
        return main_object(self.everything(request, None, cancelled))

    def _work(self, kind: str, request: Request, cancelled: Callable[[], bool]) -> None:
        assert QThread.currentThread() != QCoreApplication.instance().thread()
        self.calls.append(kind)
        assert self.gate.wait(10), "the test never opened the gate"
        if cancelled():
            self.cancelled.append(request)
            raise Cancelled
        if self.error is not None:
            raise self.error


@pytest.fixture(autouse=True)
def settings(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Settings, sessions, models and presets in a folder of this test's own."""
    folder = str(tmp_path_factory.mktemp("settings"))
    monkeypatch.setenv("ZIM_STUDIO_STATE", folder)
    monkeypatch.setenv("ZIM_STUDIO_MODELS", f"{folder}/models")
    monkeypatch.setenv("ZIM_STUDIO_PRESETS", f"{folder}/presets")
    QSettings.setDefaultFormat(QSettings.Format.IniFormat)
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, folder)
    QCoreApplication.setOrganizationName("zim-studio-tests")
    QCoreApplication.setApplicationName("zim-studio-tests")


@pytest.fixture(scope="session", autouse=True)
def empty_clipboard(qapp: QCoreApplication) -> Iterator[None]:
    """Qt would destroy what a test put there after Python has ended, and crash."""
    yield
    QGuiApplication.clipboard().clear()


@pytest.fixture(autouse=True, scope="module")
def little_garbage() -> None:
    """Collect only garbage of this file's tests: it is quicker."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def nothing_left(qapp: QCoreApplication, little_garbage: None) -> Iterator[None]:
    """Fail a test that leaves a window open or a thread running behind."""
    before = set(QApplication.topLevelWidgets())
    yield
    after = [w for w in QApplication.topLevelWidgets() if w not in before]
    left = [widget for widget in after if widget.isVisible()]
    gc.collect()
    threads = [o for o in gc.get_objects() if issubclass(type(o), QThread)]
    running = [t for t in threads if isValid(t) and t.isRunning()]
    running = [t for t in running if t is not qapp.thread()]
    assert not left, f"left open: {left}"
    assert not running, f"left running: {[t.objectName() for t in running]}"


@pytest.fixture
def make_matte() -> Callable[..., Matte]:
    return _make_matte


@pytest.fixture
def make_found() -> Callable[..., FoundObject]:
    return _make_found


@pytest.fixture
def engine() -> Iterator[FakeEngine]:
    engine = FakeEngine()
    yield engine
    engine.gate.set()


@pytest.fixture
def queue(qapp: QCoreApplication, engine: FakeEngine) -> Iterator[InferenceQueue]:
    queue = InferenceQueue(lambda: engine)
    yield queue
    engine.gate.set()
    queue.close()


@pytest.fixture
def image() -> Image:
    return Image.from_array(np.full((HEIGHT, WIDTH, 3), 200, np.uint8), "grey.png")


@pytest.fixture
def document(qapp: QCoreApplication, image: Image) -> Document:
    return Document(image)


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.png"
    PIL.Image.new("RGB", (WIDTH, HEIGHT), (200, 100, 50)).save(path)
    return path


@pytest.fixture
def corrupt(tmp_path):
    path = tmp_path / "corrupt.jpg"
    path.write_bytes(b"\xff\xd8\xff\xe0 this is no image")
    return path


def _close_unasked(window: MainWindow) -> None:
    """Close it without questions about unsaved changes."""
    window.files.project = None
    window.files.close_unasked()


@pytest.fixture
def window(qtbot: QtBot, engine: FakeEngine) -> Iterator[MainWindow]:
    window = MainWindow(InferenceQueue(lambda: engine))
    qtbot.addWidget(window, before_close_func=_close_unasked)
    window.resize(700, 500)
    window.show()
    yield window
    engine.gate.set()
    engine.search_gate.set()
    window.close()


@pytest.fixture
def settle(qtbot: QtBot, window: MainWindow) -> Callable[[], None]:
    """Return when nothing is under way any more."""

    def wait() -> None:
        qtbot.waitUntil(lambda: window.idle)

    return wait


@pytest.fixture
def opened(window: MainWindow, settle: Callable[[], None], photo) -> MainWindow:
    """The window with an image, fitted."""
    window.open_path(photo)
    settle()
    assert window.document is not None
    return window


@pytest.fixture
def refusal() -> ZimError:
    return ZimError("It does not work.", "Try something else.")


@pytest.fixture
def next_window(qtbot, engine):
    """The window of the next start of the program."""
    windows = []

    def make():
        window = MainWindow(InferenceQueue(lambda: engine))
        windows.append(window)
        qtbot.addWidget(window, before_close_func=_close_unasked)
        window.show()
        return window

    yield make
    for window in windows:
        window.close()
