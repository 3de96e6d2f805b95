"""Ends the program in order when the terminal or the system asks for it."""

from __future__ import annotations

import logging
import signal
import socket

from PySide6.QtCore import QObject, QSocketNotifier, Slot
from PySide6.QtGui import QGuiApplication, QSessionManager

from zim_app.gui.main_window import MainWindow

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
_log = logging.getLogger(__name__)


class Termination(QObject):
    """Closes a window on signals; the work is saved before all else.

    Ctrl-C in the terminal does what the window's close button does.  SIGTERM, SIGHUP
    (the terminal is gone) and SIGBREAK (Windows) close it without questions.  At the
    end of the desktop's session the work is saved.

    Python runs a signal's handler only between two instructions of its own, of which an
    idle event loop has none; so signals also write to a socket that Qt listens to.

    **Threads**: the window's.
    """

    def __init__(self, app: QGuiApplication, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._receiver, self._sender = socket.socketpair()
        self._receiver.setblocking(False)
        self._sender.setblocking(False)
        self._notifier = QSocketNotifier(
            self._receiver.fileno(), QSocketNotifier.Type.Read, self
        )
        self._notifier.activated.connect(self._on_notifier_activated)
        app.commitDataRequest.connect(self._on_app_commit_data_request)
        self._numbers = [int(getattr(signal, n)) for n in _NAMES if hasattr(signal, n)]
        self._handlers = {n: signal.signal(n, _ignore) for n in self._numbers}
        self._earlier = signal.set_wakeup_fd(self._sender.fileno())

    def end(self) -> None:
        """Leave signals to Python's own handlers again."""
        signal.set_wakeup_fd(self._earlier)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._notifier.setEnabled(False)
        self._receiver.close()
        self._sender.close()

    @Slot()
    def _on_notifier_activated(self) -> None:
        for number in self._receiver.recv(64):
            if number not in self._numbers:
                continue
            _log.info("received %s", signal.Signals(number).name)
            if number == signal.SIGINT:
                self._window.files.save_now()
                self._window.close()
            else:
                self._window.batch.stop_unasked()
                self._window.adaptation.process.close()
                self._window.files.close_unasked()

    @Slot(QSessionManager)
    def _on_app_commit_data_request(self, manager: QSessionManager) -> None:
        self._window.files.save_now()


def _ignore(number: int, frame: object) -> None:
    """What Python calls; the socket wakes Qt."""
