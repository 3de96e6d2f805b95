"""Makes the application, or says in one line why there can be no window."""

from __future__ import annotations

import os
import sys

from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

_WITHOUT = "Without one, use: zim-studio matte PHOTO --point X,Y -o OUT.png"


def make_application() -> QApplication:
    """The application, which needs a display.

    Where there is none, Qt would print half a dozen lines and abort, for which no
    exception is raised: the program ends with 1 and one line.
    """
    said: list[str] = []

    def on_message(kind: QtMsgType, _: QMessageLogContext, text: str | None) -> None:
        if kind != QtMsgType.QtFatalMsg:
            said.append(text or "")
            return
        reason = next((line for line in said if "to display" in line), " ".join(said))
        line = f"no window can be opened: {reason.strip()}. {_WITHOUT}"
        print(f"zim-studio: error: {' '.join(line.split())}", file=sys.stderr)
        sys.stderr.flush()
        os._exit(1)

    before = qInstallMessageHandler(on_message)
    try:
        app = QApplication(sys.argv[:1])
    finally:
        qInstallMessageHandler(before)
    for text in said:
        print(text, file=sys.stderr)
    return app
