"""Logs uncaught exceptions and shows the user a report to send."""

from __future__ import annotations

import logging
import platform
import sys
import threading
import traceback
from collections.abc import Callable
from types import TracebackType

import PySide6
from PySide6.QtCore import QCoreApplication, QObject, Qt, Signal, Slot
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

import zim_model
from zim_app.gui.desktop import open_outside
from zim_app.gui.files.dialogs import close_button
from zim_app.gui.logs import RECENT, log_folder

_LOG = logging.getLogger(__name__)


before_report_hooks: list[Callable[[], object]] = []
"""Called before a report is shown, to save the user's work."""


class _CrashReporter(QObject):
    """Passes uncaught exceptions of any thread to the window's thread.

    **Signals**: ``crashed(report)``: an exception was not caught.

    **Threads**: made on the window's thread; ``crashed`` may be emitted on any.
    """

    crashed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._dialog: CrashDialog | None = None
        self.crashed.connect(self._on_crashed)

    @Slot(str)
    def _on_crashed(self, text: str) -> None:
        # One dialog at a time: a bug in a paint event would open hundreds.
        if not any(isinstance(w, CrashDialog) for w in QApplication.topLevelWidgets()):
            saved = _save_work()
            # Without a parent, only this reference keeps the dialog alive.
            self._dialog = CrashDialog(text, QApplication.activeWindow(), saved=saved)
            self._dialog.open()


def install_hook() -> None:
    """Log and show uncaught exceptions from now on."""
    reporter = _CrashReporter()

    def on_exception(
        kind: type[BaseException],
        error: BaseException,
        trace: TracebackType | None,
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            QCoreApplication.quit()
            return
        _LOG.critical("uncaught exception", exc_info=(kind, error, trace))
        reporter.crashed.emit(report(kind, error, trace))

    sys.excepthook = on_exception
    threading.excepthook = lambda args: on_exception(
        args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback
    )


def _save_work() -> bool:
    """Call the hooks; an error in one stops neither the others nor the report.

    Returns:
        Whether there are hooks and all succeeded.
    """
    saved = bool(before_report_hooks)
    for hook in tuple(before_report_hooks):
        try:
            hook()
        except Exception:
            _LOG.exception("saving before a report failed")
            saved = False
    return saved


def report(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> str:
    """The text to send to the authors: versions, traceback and recent log lines."""
    lines = "".join(traceback.format_exception(kind, error, trace))
    return f"{versions()}\n\n{lines}\nLog\n{RECENT.text}\n"


def versions() -> str:
    """Versions of the program, its main dependencies and the system."""
    torch = sys.modules.get("torch")
    return (
        f"zim-studio {zim_model.__version__}, Python {platform.python_version()}, "
        f"PySide6 {PySide6.__version__}, "
        f"PyTorch {torch.__version__ if torch else '(not loaded)'}, "
        f"{platform.platform()}"
    )


class CrashDialog(QDialog):
    """Shows a crash report that can be copied.

    Args:
        text: the report.
        saved: whether to tell the user that the work was saved.

    **Threads**: the window's only.
    """

    def __init__(
        self, text: str, parent: QWidget | None = None, *, saved: bool = False
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Something went wrong"))
        self.resize(640, 420)
        words = self.tr(
            "This is a bug in zim-studio, not your mistake. You can go on; "
            "please send this report so that it can be fixed."
        )
        safe = self.tr("A recovery copy of your work has been saved.")
        intro = QLabel(f"{words}\n{safe}" if saved else words)
        intro.setWordWrap(True)
        self.report = QPlainTextEdit(text)
        self.report.setReadOnly(True)
        self.report.setAccessibleName(self.tr("Report"))
        self.report.setFont(
            QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        )
        buttons = close_button()
        copy = buttons.addButton(
            self.tr("Copy report"), QDialogButtonBox.ButtonRole.ActionRole
        )
        copy.setToolTip(self.tr("Put the report on the clipboard"))
        copy.clicked.connect(self.copy)
        folder = buttons.addButton(
            self.tr("Open log folder"), QDialogButtonBox.ButtonRole.ActionRole
        )
        folder.setToolTip(str(log_folder()))
        folder.clicked.connect(open_log_folder)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        for widget in (intro, self.report, buttons):
            layout.addWidget(widget)

    def copy(self) -> None:
        """Put the report on the clipboard."""
        QGuiApplication.clipboard().setText(self.report.toPlainText())


def open_log_folder() -> None:
    """Show the log files in the system's file manager."""
    log_folder().mkdir(parents=True, exist_ok=True)
    open_outside(log_folder())
