"""When there is a bug: log it, and give the user a report to send."""

from __future__ import annotations

import logging
import platform
import sys
import traceback
from types import TracebackType

import PySide6
from PySide6.QtCore import QCoreApplication, Qt
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

from zim_app.gui.dialogs import close_button

_LOG = logging.getLogger(__name__)


def install_hook() -> None:
    """Have exceptions that nobody caught logged and shown, from now on."""
    sys.excepthook = _on_exception


def _on_exception(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        QCoreApplication.quit()
        return
    _LOG.critical("a bug", exc_info=(kind, error, trace))
    # One dialog at a time: a bug in a paint event would open hundreds.
    if not any(isinstance(w, CrashDialog) for w in QApplication.topLevelWidgets()):
        CrashDialog(report(kind, error, trace), QApplication.activeWindow()).open()


def report(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> str:
    """The text to send to the authors."""
    lines = "".join(traceback.format_exception(kind, error, trace))
    return (
        f"zim-studio, Python {platform.python_version()}, "
        f"PySide6 {PySide6.__version__}, {platform.platform()}\n\n{lines}"
    )


class CrashDialog(QDialog):
    """Says that there is a bug, and shows a report that can be copied.

    **Threads**: the window's only.
    """

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Something went wrong"))
        self.resize(640, 420)
        intro = QLabel(
            self.tr(
                "This is a bug in zim-studio, not your mistake. You can go on; "
                "please send this report so that it can be fixed."
            )
        )
        intro.setWordWrap(True)
        self.report = QPlainTextEdit(text)
        self.report.setReadOnly(True)
        self.report.setFont(
            QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        )
        buttons = close_button()
        copy = buttons.addButton(
            self.tr("Copy report"), QDialogButtonBox.ButtonRole.ActionRole
        )
        copy.clicked.connect(self.copy)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        for widget in (intro, self.report, buttons):
            layout.addWidget(widget)

    def copy(self) -> None:
        """Put the report on the clipboard."""
        QGuiApplication.clipboard().setText(self.report.toPlainText())
