"""Each file job calls its own callbacks only, on the window's thread."""

from __future__ import annotations

import threading

import pytest
from PIL import Image
from PySide6.QtCore import QObject, QThread
from shiboken6 import delete

from zim_app.gui.files.start_page import THUMBNAIL
from zim_app.gui.workers.file_worker import FileWorker


@pytest.fixture
def files(qtbot):
    files = FileWorker()
    yield files
    files.close()


@pytest.fixture
def gate(files):
    """Keeps the jobs waiting until it is set."""
    gate = threading.Event()
    files.submit("gate", gate.wait, files, None, pytest.fail)
    yield gate
    gate.set()


def fail():
    raise OSError("the disk is full")


def test_a_job_ends_in_its_own_callback(qtbot, files):
    done, failed = [], []
    files.submit("export", lambda: 7, files, done.append, pytest.fail)
    files.submit("copy", fail, files, pytest.fail, failed.append)
    qtbot.waitUntil(lambda: bool(done and failed))
    assert done == [7]
    assert [str(error) for error in failed] == ["the disk is full"]


def test_a_callback_is_called_on_the_thread_of_the_window(qtbot, files):
    threads = []

    def note(worked_on):
        threads.extend((worked_on, QThread.currentThread()))

    files.submit("where", QThread.currentThread, files, note, pytest.fail)
    qtbot.waitUntil(lambda: len(threads) == 2)
    assert threads[0] is not threads[1]
    assert threads[1] is files.thread()


@pytest.mark.parametrize("work", [int, fail])
def test_nothing_is_called_for_a_destroyed_receiver(qtbot, files, gate, work, caplog):
    receiver, called = QObject(), []
    files.submit("export", work, receiver, called.append, called.append)
    delete(receiver)
    gate.set()
    qtbot.waitUntil(lambda: files.idle)
    assert not called
    assert ("the disk is full" in caplog.text) == (work is fail)


def test_closing_finishes_what_waits(files, gate):
    ran = []
    files.submit("save", lambda: ran.append("first"), files, None, pytest.fail)
    files.submit("save", lambda: ran.append("second"), files, None, pytest.fail)
    gate.set()
    files.close()
    assert ran == ["first", "second"]


def test_only_the_latest_image_is_opened(qtbot, files):
    gate, opened = threading.Event(), []
    files.open(gate.wait, files, opened.append, pytest.fail)
    for number in range(3):
        files.open(lambda n=number: n, files, opened.append, pytest.fail)
    gate.set()
    qtbot.waitUntil(lambda: files.idle)
    assert opened == [2]


def test_a_cancelled_image_is_not_opened(qtbot, files):
    gate, opened = threading.Event(), []
    files.open(gate.wait, files, opened.append, pytest.fail)
    files.cancel_open()
    gate.set()
    qtbot.waitUntil(lambda: files.idle)
    assert not opened


def test_thumbnails_show_the_middle_upright_or_nothing(qtbot, files, tmp_path):
    exif = Image.Exif()
    exif[274] = 3
    photo = Image.new("RGB", (800, 300), (0, 0, 255))
    photo.paste((255, 0, 0), (400, 0, 800, 300))
    photo.save(tmp_path / "a.jpg", exif=exif)
    (tmp_path / "b.jpg").write_bytes(b"no image")
    read = {}
    files.thumbnail_read.connect(read.__setitem__)
    files.warm_up([tmp_path / "a.jpg", tmp_path / "b.jpg"])
    qtbot.waitUntil(lambda: files.idle, timeout=20_000)
    image = read[tmp_path / "a.jpg"]
    assert image.size() == THUMBNAIL
    assert image.pixelColor(5, 60).red() > 200, "turned by half"
    assert image.pixelColor(160, 60).blue() > 200
    assert read[tmp_path / "b.jpg"].isNull()
