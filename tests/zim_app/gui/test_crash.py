"""A bug: the work is saved, then there is a report that can be sent."""

import logging
import sys
import threading

import pytest
from PySide6.QtCore import QObject, Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication, QPushButton

from zim_app.core.session_store import SessionStore
from zim_app.gui import crash, logs
from zim_app.gui.crash import CrashDialog
from zim_app.gui.files.autosave import document_stack
from zim_app.gui.settings import preferences

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def hook(qapp, monkeypatch):
    """The hooks of a running program, taken out again."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr(crash, "before_report_hooks", [])
    crash.install_hook()
    yield
    for dialog in dialogs():
        dialog.close()
        dialog.deleteLater()


def dialogs():
    widgets = QApplication.topLevelWidgets()
    return [w for w in widgets if isinstance(w, CrashDialog) and w.isVisible()]


def raise_bug(text="a bug"):
    def fail():
        raise ZeroDivisionError(text)

    try:
        fail()
    except ZeroDivisionError:
        sys.excepthook(*sys.exc_info())


def button(dialog, text):
    [match] = [b for b in dialog.findChildren(QPushButton) if b.text() == text]
    return match


def test_the_report_can_be_copied(hook, qtbot):
    raise_bug()
    [dialog] = dialogs()
    qtbot.mouseClick(button(dialog, "Copy report"), LEFT)
    text = QApplication.clipboard().text()
    assert "ZeroDivisionError: a bug" in text
    assert "raise_bug" in text
    assert "zim-studio" in text
    assert "PySide6" in text


def test_the_report_has_the_last_lines_of_the_log(hook):
    log = logging.getLogger("zim_app.test")
    logging.getLogger().addHandler(logs.RECENT)
    try:
        for number in range(300):
            log.warning("line %d.", number)
        raise_bug()
    finally:
        logging.getLogger().removeHandler(logs.RECENT)
    [dialog] = dialogs()
    text = dialog.report.toPlainText()
    assert "line 299." in text
    assert "line 50." not in text


def test_work_is_saved_before_the_report_shows(hook):
    seen = []
    crash.before_report_hooks.append(lambda: seen.append(list(dialogs())))
    raise_bug()
    assert seen == [[]]
    [dialog] = dialogs()
    labels = [label.text() for label in dialog.children() if hasattr(label, "text")]
    assert any("recovery copy" in text for text in labels)


def test_a_bug_while_saving_hides_nothing(hook, caplog):
    saved = []

    def broken():
        raise OSError("disk full")

    crash.before_report_hooks.extend([broken, lambda: saved.append(True)])
    raise_bug()
    assert saved == [True]
    [dialog] = dialogs()
    assert "a bug" in dialog.report.toPlainText()
    labels = [label.text() for label in dialog.children() if hasattr(label, "text")]
    assert not any("recovery copy" in text for text in labels)
    assert "disk full" in caplog.text


def test_a_second_bug_opens_no_second_dialog(hook):
    raise_bug("first")
    raise_bug("second")
    [dialog] = dialogs()
    assert "first" in dialog.report.toPlainText()


def test_a_bug_on_another_thread_is_shown_on_the_windows(hook, qtbot):
    thread = threading.Thread(target=lambda: 1 / 0)
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: len(dialogs()) == 1)
    assert "division by zero" in dialogs()[0].report.toPlainText()


class _Handler(QObject):
    def __init__(self):
        super().__init__()
        self.urls = []

    @Slot(QUrl)
    def open(self, url):
        self.urls.append(url)


def test_the_log_folder_is_opened(hook, qtbot, tmp_path, monkeypatch):
    folder = tmp_path / "logs" / "zim"
    monkeypatch.setattr(crash, "log_folder", lambda: folder)
    handler = _Handler()
    QDesktopServices.setUrlHandler("file", handler, "open")
    try:
        raise_bug()
        qtbot.mouseClick(button(dialogs()[0], "Open log folder"), LEFT)
    finally:
        QDesktopServices.unsetUrlHandler("file")
    assert [url.toLocalFile() for url in handler.urls] == [str(folder)]
    assert folder.is_dir()


# -- The log file ---------------------------------------------------------------------


@pytest.fixture
def root():
    """The root logger, put back as it was."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield root
    for handler in set(root.handlers) - set(handlers):
        root.removeHandler(handler)
        handler.close()
    root.setLevel(level)


@pytest.fixture
def no_hooks(monkeypatch):
    """pytest has its own message handler and fault handler."""
    monkeypatch.setattr(logs, "qInstallMessageHandler", lambda handler: None)
    monkeypatch.setattr(logs.atexit, "register", lambda *call: None)
    opened = []
    monkeypatch.setattr(logs.faulthandler, "enable", opened.append)
    yield
    for file in opened:
        file.close()


def test_lines_go_to_a_file(root, no_hooks, tmp_path):
    logs.start(tmp_path / "logs")
    logging.getLogger("zim_app.test").info("hello %s", "wörld")
    text = (tmp_path / "logs" / "zim-studio.log").read_text("utf-8")
    assert "INFO zim_app.test: hello wörld" in text


def test_the_file_does_not_grow_for_ever(root, no_hooks, tmp_path):
    logs.start(tmp_path)
    line = "x" * 50_000
    for _ in range(120):
        logging.getLogger("zim_app.test").info(line)
    files = list(tmp_path.glob("zim-studio.log*"))
    assert len(files) == 4
    assert all(path.stat().st_size <= 1_000_000 for path in files)


def test_without_a_place_to_write_lines_are_kept_in_memory(root, no_hooks, tmp_path):
    (tmp_path / "file").touch()
    logs.start(tmp_path / "file" / "logs")
    assert "no log file" in logs.RECENT.text


def test_the_session_is_on_the_disk_after_a_bug(hook, opened, settle, qtbot):
    preferences.set_value("autosave_seconds", 0)
    opened.files.start()
    at = opened.canvas.to_view(20, 20).toPoint()
    qtbot.mouseClick(opened.canvas.viewport(), LEFT, pos=at)
    assert SessionStore().load(opened.document.image.key) is None
    raise_bug()
    settle()
    session = SessionStore().load(opened.document.image.key)
    assert session.stack == document_stack(opened.document)
    for dialog in dialogs():
        dialog.close()


def test_a_window_that_was_closed_saves_nothing_more(hook, opened, settle):
    opened.files.start()
    settle()
    assert len(crash.before_report_hooks) == 1
    opened.close()
    assert crash.before_report_hooks == []
