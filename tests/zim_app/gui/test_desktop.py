"""What ends while another program is used is told through the desktop."""

import pytest
from PySide6.QtWidgets import QApplication, QSystemTrayIcon, QWidget

from zim_app.gui import desktop


@pytest.fixture
def told(monkeypatch):
    """What the desktop is told."""
    told = []
    monkeypatch.setattr(QApplication, "alert", lambda window: told.append("alert"))
    monkeypatch.setattr(QSystemTrayIcon, "supportsMessages", lambda: True)
    monkeypatch.setattr(QSystemTrayIcon, "show", lambda self: None)
    monkeypatch.setattr(
        QSystemTrayIcon,
        "showMessage",
        lambda self, title, text, *_: told.append((title, text)),
    )
    return told


@pytest.mark.parametrize("tray", [True, False])
@pytest.mark.parametrize("used", [True, False])
def test_only_an_unused_window_announces(qtbot, monkeypatch, told, tray, used):
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", lambda: tray)
    window = QWidget()
    qtbot.addWidget(window)
    monkeypatch.setattr(window, "isActiveWindow", lambda: used)
    desktop.announce(window, "zim-studio", "The batch has ended.")
    note = [("zim-studio", "The batch has ended.")] if tray else []
    assert told == ([] if used else ["alert", *note])
