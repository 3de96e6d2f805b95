"""The desktop: notifications, windows in front, and files in other programs."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QTimer, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication, QSystemTrayIcon, QWidget

SHOWN_MS = 10_000


def bring_to_front(window: QWidget) -> None:
    """Show a window above all others, with the focus."""
    window.show()
    window.raise_()
    window.activateWindow()


def open_outside(path: Path) -> None:
    """Open a file or folder with the system's default program."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))


def announce(window: QWidget, title: str, text: str) -> None:
    """Tell the user through the desktop, unless the window is being used.

    A click on the notification brings the window to the front.  Desktops without
    notifications mark the window in their bar.
    """
    if window.isActiveWindow():
        return
    QApplication.alert(window)
    available = QSystemTrayIcon.isSystemTrayAvailable()
    if not (available and QSystemTrayIcon.supportsMessages()):
        return
    tray = QSystemTrayIcon(window.windowIcon(), window)
    tray.messageClicked.connect(window.activateWindow)
    tray.show()
    tray.showMessage(title, text, window.windowIcon(), SHOWN_MS)
    QTimer.singleShot(SHOWN_MS, tray, tray.deleteLater)
