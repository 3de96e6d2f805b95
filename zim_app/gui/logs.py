"""The log: a file that does not grow for ever, and the last lines for a report."""

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
"""How many lines a report has."""
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
    """Keeps the last lines in memory, where they are when the disk is full.

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


RECENT = RecentLines()


def log_folder() -> Path:
    """Where the log files are; it need not exist."""
    return platformdirs.user_log_path("zim-studio", appauthor=False)


def start(folder: Path | None = None) -> None:
    """Log to a file in that folder from now on, and keep the last lines.

    None takes :func:`log_folder`.  Without a place to write, there is no file.
    """
    folder = log_folder() if folder is None else folder
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    root.addHandler(RECENT)
    qInstallMessageHandler(_on_qt_message)
    atexit.register(qInstallMessageHandler, None)  # Qt ends after Python
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = logging.handlers.RotatingFileHandler(
            folder / "zim-studio.log",
            maxBytes=_FILE_BYTES,
            backupCount=_OLD_FILES,
            encoding="utf-8",
        )
        # Where the process itself dies, only this still gets a word out.
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
