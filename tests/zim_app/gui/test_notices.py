"""The banner: no message hides another for good, and its button acts."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from zim_app.gui.notices import Banner

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def banner(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    QVBoxLayout(window).addWidget(Banner())
    window.show()
    yield window.findChild(Banner)
    window.close()


def press(qtbot, button):
    assert button.isVisible()
    qtbot.mouseClick(button, LEFT)


def test_closing_an_error_shows_the_one_before(banner, qtbot):
    banner.show_error("First.", "Do this.")
    assert not banner.clear_button.isVisible()
    banner.show_error("Second.")
    assert banner.text == "Second."
    assert banner.clear_button.text() == "Close all 2"
    press(qtbot, banner.close_button)
    assert banner.text == banner.label.text() == "First.\nDo this."
    press(qtbot, banner.close_button)
    assert banner.text == ""
    assert banner.isHidden()


def test_all_are_closed_at_once(banner, qtbot):
    for word in "abc":
        banner.show_error(word)
    press(qtbot, banner.clear_button)
    assert banner.isHidden()


def test_the_same_error_again_is_one_message(banner):
    for message in ("one", "two", "one"):
        banner.show_error(message)
    assert banner.text == "one"
    banner.dismiss()
    assert banner.text == "two"
    banner.dismiss()
    assert banner.isHidden()


def test_good_news_does_not_drop_an_error(banner, qtbot):
    banner.show_error("It failed.")
    banner.show_success("Saved this.")
    banner.show_success("Saved that.")
    assert banner.text == "Saved that."
    banner._timer.setInterval(0)
    banner._timer.start()
    qtbot.waitUntil(lambda: banner.text == "It failed.")
    assert not banner._timer.isActive()


def test_the_button_closes_the_message_and_acts(banner, qtbot):
    done = []
    banner.show_error("Oh.", "Hm.", "Undo", lambda: done.append(banner.text))
    assert banner.action_button.text() == "Undo"
    press(qtbot, banner.action_button)
    assert done == [""]
    banner.show_error("Oh.")
    assert not banner.action_button.isVisible()


def test_an_action_may_show_a_message(banner, qtbot):
    banner.show_error("Oh.", "", "Try again", lambda: banner.show_error("Again."))
    press(qtbot, banner.action_button)
    assert banner.text == "Again."
    banner.dismiss()
    assert banner.isHidden()


def test_outdated_messages_are_withdrawn(banner):
    banner.show_error("The export failed.")
    banner.show_error("No answer.", topic="answer")
    banner.remove_topic("answer")
    assert banner.text == "The export failed."
    banner.remove_topic("answer")
    assert banner.text == "The export failed."


def test_a_long_path_does_not_widen_the_window(banner):
    width = banner.window().minimumSizeHint().width()
    path = "/home/somebody/" + "a_very_long_name" * 40 + ".png"
    banner.show_error(f"{path} cannot be read.")
    assert banner.window().minimumSizeHint().width() < width + 400
    assert banner.text == f"{path} cannot be read."
