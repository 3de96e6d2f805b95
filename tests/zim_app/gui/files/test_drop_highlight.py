"""Dragged files light up the place where they can be dropped."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QApplication

from zim_app.gui.files.drop_highlight import DropHighlight

SHIFT = Qt.KeyboardModifier.ShiftModifier
PLAIN = Qt.KeyboardModifier.NoModifier
COPY = Qt.DropAction.CopyAction


@pytest.fixture
def enter(window):
    """Drag something over the window; the data have to live as long as the event."""
    kept = []

    def enter(path=None, modifiers=PLAIN):
        data = QMimeData()
        data.setText("words")
        if path is not None:
            data.setUrls([QUrl.fromLocalFile(str(path))])
        kept.append(data)
        event = QDragEnterEvent(
            QPoint(5, 5), COPY, data, Qt.MouseButton.LeftButton, modifiers
        )
        QApplication.sendEvent(window, event)
        return data

    return enter


@pytest.fixture
def highlight(window):
    [highlight] = window.findChildren(DropHighlight)
    return highlight


def test_a_file_shows_the_place_and_leaving_hides_it(window, highlight, enter, photo):
    enter(photo)
    assert highlight.isVisible()
    assert highlight.text() == "Open"
    assert highlight.geometry() == window.centralWidget().geometry()
    QApplication.sendEvent(window, QDragLeaveEvent())
    assert not highlight.isVisible()


def test_words_show_nothing(highlight, enter):
    enter()
    assert not highlight.isVisible()


def test_it_tells_what_shift_does(opened, highlight, enter, photo):
    enter(photo)
    assert highlight.text() == "Open – with Shift: import as a mask"
    enter(photo, SHIFT)
    assert highlight.text() == "Import as a mask of this photo"


def test_a_drop_hides_it_and_opens(window, highlight, enter, photo, settle):
    data = enter(photo)
    at = QPointF(5, 5)
    event = QDropEvent(at, COPY, data, Qt.MouseButton.LeftButton, PLAIN)
    QApplication.sendEvent(window, event)
    settle()
    assert not highlight.isVisible()
    assert window.document.image.path == photo
