"""Notifications of the desktop, for what ends while another program is used."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QSystemTrayIcon, QWidget

SHOWN_MS = 10_000


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
