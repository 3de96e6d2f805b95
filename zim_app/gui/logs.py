"""Logging to rotating files, and the recent lines for crash reports."""

from __future__ import annotations

import atexit
import faulthandler
import logging
import logging.handlers
from collections import deque
from pathlib import Path

import platformdirs
from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler

LINES = 200
"""Number of lines in a report."""
_FILE_BYTES = 1_000_000
_OLD_FILES = 3
_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


class RecentLines(logging.Handler):
    """Stores the last lines in memory, which works even if the disk is full.

    **Threads**: any.
    """

    def __init__(self, count: int = LINES) -> None:
        super().__init__()
        self._lines: deque[str] = deque(maxlen=count)
        self.setFormatter(logging.Formatter(_FORMAT))

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.extend(self.format(record).splitlines())

    @property
    def text(self) -> str:
        """The lines, the oldest first."""
        return "\n".join(tuple(self._lines))


class _LogFile(logging.handlers.RotatingFileHandler):
    """A file with gaps where the disk was full."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Print no trace for each line."""


RECENT = RecentLines()


def log_folder() -> Path:
    """Folder of the log files; it need not exist."""
    return platformdirs.user_log_path("zim-studio", appauthor=False)


def start(folder: Path | None = None) -> None:
    """Log to a file in that folder from now on, and store the last lines.

    None is :func:`log_folder`.  If the folder is not writable, no file is written.
    """
    folder = log_folder() if folder is None else folder
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    root.addHandler(RECENT)
    qInstallMessageHandler(_on_qt_message)
    atexit.register(qInstallMessageHandler, None)  # Qt is shut down after Python
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = _LogFile(
            folder / "zim-studio.log",
            maxBytes=_FILE_BYTES,
            backupCount=_OLD_FILES,
            encoding="utf-8",
        )
        # After a fatal signal, only this is still written.
        faulthandler.enable((folder / "fatal.log").open("a", encoding="utf-8"))
    except OSError as error:
        logging.getLogger(__name__).warning("no log file: %s", error)
        return
    file.setFormatter(logging.Formatter(_FORMAT))
    root.addHandler(file)


def _on_qt_message(
    kind: QtMsgType, context: QMessageLogContext, message: str | None
) -> None:
    name = context.category or "default"
    logging.getLogger(f"qt.{name}").log(_LEVELS[kind], "%s", message)
