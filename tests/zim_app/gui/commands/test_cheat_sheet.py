"""Tests of the cheat sheet."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from zim_app.gui.commands import shortcuts
from zim_app.gui.commands.actions import ACTIONS
from zim_app.gui.commands.cheat_sheet import CheatSheet
from zim_app.gui.commands.gesture_help import GESTURES


@pytest.fixture
def open_sheet(qtbot, window):
    def open_sheet():
        qtbot.waitUntil(window.isActiveWindow)
        qtbot.keyClick(window, Qt.Key.Key_Question)
        [sheet] = window.findChildren(CheatSheet)
        return sheet

    yield open_sheet
    for sheet in window.findChildren(CheatSheet):
        sheet.close()


def texts(sheet):
    return [label.text() for label in sheet.findChildren(QLabel) if label.isVisible()]


def test_it_shows_every_key_and_gesture(open_sheet):
    shown = texts(open_sheet())
    for spec in ACTIONS:
        for key in spec.keys:
            assert spec.label in shown
            assert shortcuts.native_text(key) in shown
    for use in GESTURES:
        assert use.text in shown
        assert set(use.how.split(", ")) <= set(shown)


def test_it_shows_the_keys_of_the_user(open_sheet):
    shortcuts.store_overrides({"fit": ("F8",)})
    shown = texts(open_sheet())
    assert "F8" in shown
    assert "Ctrl+0" not in shown


def test_it_can_be_searched(open_sheet, qtbot):
    sheet = open_sheet()
    qtbot.keyClicks(sheet.search, "zoom ctrl++")
    assert texts(sheet) == ["View", "Zoom in", "Ctrl++", "Ctrl+=", "+", "="]
    qtbot.keyClicks(sheet.search, " nothing")
    assert texts(sheet) == []


def test_escape_closes_it(open_sheet, qtbot):
    sheet = open_sheet()
    qtbot.keyClick(sheet.search, Qt.Key.Key_Escape)
    assert not sheet.isVisible()
