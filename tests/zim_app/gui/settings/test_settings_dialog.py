"""Settings and keys, changed with mouse and keyboard, apply at once."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QColorDialog, QLineEdit, QSpinBox, QToolButton, QWidget

from zim_app.gui.commands import shortcuts
from zim_app.gui.commands.shortcut_page import ShortcutPage
from zim_app.gui.settings import preferences
from zim_app.gui.settings.settings_dialog import SettingsDialog

LEFT = Qt.MouseButton.LeftButton
CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def dialog(qtbot, window):
    """The dialog, opened by its key."""
    qtbot.waitUntil(window.isActiveWindow)
    qtbot.keyClick(window, Qt.Key.Key_Comma, CTRL)
    [dialog] = window.findChildren(SettingsDialog)
    yield dialog
    for left in window.findChildren(SettingsDialog):
        left.close()


@pytest.fixture
def show(dialog, qtbot):
    """A function that opens a page by its title, and returns a widget of it by name."""

    def show(title, name="", kind=QWidget):
        [entry] = dialog.list.findItems(title, Qt.MatchFlag.MatchExactly)
        at = dialog.list.visualItemRect(entry).center()
        qtbot.mouseClick(dialog.list.viewport(), LEFT, pos=at)
        page = dialog.pages.currentWidget()
        assert page.isVisible()
        return page.findChild(kind, name) if name else page

    return show


def test_every_setting_of_a_group_has_a_widget_with_a_tip(dialog):
    for setting in preferences.SETTINGS:
        if setting.group:
            widget = dialog.findChild(QWidget, setting.key)
            assert widget is not None, setting.key
            assert widget.toolTip()


def test_a_check_box_applies_at_once(show, qtbot):
    box = show("Canvas", "hover_preview")
    assert not box.isChecked()
    qtbot.mouseClick(box, LEFT, pos=QPoint(8, box.height() // 2))
    assert preferences.value("hover_preview") is True


def test_a_number_applies_when_it_is_typed(show, qtbot, dialog):
    box = show("Canvas", "marker_size", QSpinBox)
    box.selectAll()
    qtbot.keyClicks(box, "20")
    assert preferences.value("marker_size") == 16, "the number may go on"
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert preferences.value("marker_size") == 20
    assert dialog.isVisible()


def test_a_choice_is_made_with_the_keyboard(show, qtbot):
    box = show("Model and memory", "precision")
    qtbot.keyClick(box, Qt.Key.Key_Down)
    assert preferences.value("precision") == "full"


def test_a_colour_is_chosen_in_a_dialog(show, qtbot):
    button = show("Canvas", "checker_dark")
    qtbot.mouseClick(button, LEFT)
    chooser = button.parentWidget().findChild(QColorDialog)
    chooser.setCurrentColor(QColor("#123456"))
    chooser.accept()
    assert preferences.value("checker_dark") == "#123456"
    assert button.text() == "#123456"


def test_text_applies_with_enter(show, qtbot, dialog):
    line = show("Files", "export_name", QLineEdit)
    line.selectAll()
    qtbot.keyClicks(line, "x-{name}")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert preferences.value("export_name") == "x-{name}"
    assert dialog.isVisible()


def test_one_setting_goes_back_to_its_default(show, qtbot):
    preferences.set_value("marker_size", 30)
    box = show("Canvas", "marker_size", QSpinBox)
    assert box.value() == 30
    button = show("Canvas", "reset_marker_size", QToolButton)
    qtbot.mouseClick(button, LEFT)
    assert box.value() == preferences.value("marker_size") == 16
    assert not button.isEnabled()


def test_a_page_goes_back_to_its_defaults(show, dialog, qtbot):
    preferences.set_value("marker_size", 30)
    preferences.set_value("theme", "dark")
    show("Canvas")
    qtbot.mouseClick(dialog.reset_button, LEFT)
    assert preferences.value("marker_size") == 16
    assert preferences.value("theme") == "dark"


def test_search_shows_what_has_the_words(dialog, qtbot):
    qtbot.keyClicks(dialog.search, "squares light")
    assert dialog.findChild(QWidget, "checker_light").isVisible()
    assert not dialog.findChild(QWidget, "checker_dark").isVisible()
    hidden = [dialog.list.item(i).isHidden() for i in range(dialog.list.count())]
    assert hidden == [True, False, True, True, True]
    dialog.search.clear()
    assert dialog.findChild(QWidget, "checker_dark").isVisible()


def test_escape_closes(dialog, qtbot):
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()


# -- Keys -----------------------------------------------------------------------------


@pytest.fixture
def keys(show) -> ShortcutPage:
    return show("Keys")


@pytest.fixture
def choose(keys, qtbot):
    """A function that selects an action with the mouse and presses a key for it."""

    def choose(id_, key=None, modifier=Qt.KeyboardModifier.NoModifier):
        item = keys.items[id_]
        keys.tree.scrollToItem(item)
        at = keys.tree.visualItemRect(item).center()
        qtbot.mouseClick(keys.tree.viewport(), LEFT, pos=at)
        assert keys.current == id_
        if key is not None:
            qtbot.keyClick(keys.edit, key, modifier)

    return choose


def press(qtbot, button):
    assert button.isVisible()
    qtbot.mouseClick(button, LEFT)


def test_a_free_key_is_taken_at_once(keys, choose, window):
    choose("fit", Qt.Key.Key_F4)
    assert shortcuts.current()["fit"] == ("F4",)
    assert keys.items["fit"].text(1) == "F4"
    assert window.actions_by_id["fit"].shortcut().toString() == "F4"
    assert keys.warning.text() == ""
    assert not keys.take_button.isVisible()


def test_a_used_key_names_its_owner_and_can_be_taken(keys, choose, window, qtbot):
    choose("fit", Qt.Key.Key_E, CTRL)
    assert keys.warning.text() == "Ctrl+E belongs to “Export”."
    assert shortcuts.overrides() == {}
    press(qtbot, keys.take_button)
    assert keys.items["fit"].text(1) == "Ctrl+E"
    assert keys.items["export"].text(1) == ""
    assert window.actions_by_id["export"].shortcut().isEmpty()
    assert keys.warning.text() == ""


def test_the_canvas_does_not_give_its_keys_away(keys, choose):
    choose("fit", Qt.Key.Key_Space)
    assert keys.warning.text() == "Space always does this on the canvas: Pan."
    assert not keys.take_button.isVisible()
    assert shortcuts.overrides() == {}


def test_a_warning_goes_when_another_action_is_chosen(keys, choose):
    choose("fit", Qt.Key.Key_E, CTRL)
    choose("redo")
    assert keys.warning.text() == ""
    assert not keys.take_button.isVisible()


def test_a_key_can_be_removed_and_come_back(keys, choose, qtbot):
    choose("fit")
    press(qtbot, keys.remove_button)
    assert keys.items["fit"].text(1) == ""
    press(qtbot, keys.reset_button)
    assert keys.items["fit"].text(1) == "Ctrl+0"
    assert shortcuts.overrides() == {}


def test_all_keys_come_back(keys, choose, dialog, qtbot):
    shortcuts.store_overrides({"fit": ("F4",), "redo": ()})
    assert keys.items["fit"].text(1) == "F4"
    press(qtbot, dialog.reset_button)
    assert shortcuts.current() == shortcuts.DEFAULTS


def test_keys_are_searched_too(keys, dialog, qtbot):
    qtbot.keyClicks(dialog.search, "ctrl+e")
    assert not keys.items["export"].isHidden()
    assert keys.items["fit"].isHidden()
