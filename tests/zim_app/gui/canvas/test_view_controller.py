"""Menus, keys, tool bar and settings that change the view."""

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QColorDialog, QFileDialog

from zim_app.gui.canvas.view_controller import scale_to_cover
from zim_app.gui.canvas.view_modes import BACKGROUNDS, VIEW_MODES
from zim_app.gui.canvas.wipe import WipeHandle
from zim_app.gui.main_window import MainWindow
from zim_app.gui.settings import preferences
from zim_app.gui.workers.inference_queue import InferenceQueue

LEFT, SHIFT = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def window(opened, settle, qtbot):
    """With an object: opaque on the left half."""
    at = opened.canvas.to_view(20, 20).toPoint()
    qtbot.mouseClick(opened.canvas.viewport(), LEFT, pos=at)
    settle()
    assert opened.document.state.matte is not None
    return opened


@pytest.fixture
def behind(window):
    """The colour on the screen where the matte is transparent."""

    def behind(x=70, y=30):
        at = window.canvas.to_view(x, y).toPoint()
        return window.canvas.viewport().grab().toImage().pixelColor(at).name()

    return behind


@pytest.fixture
def backdrop_file(tmp_path):
    path = tmp_path / "blue.png"
    Image.new("RGB", (50, 200), (10, 20, 200)).save(path)
    return path


def act(window, id_):
    window.actions_by_id[id_].trigger()


def checked(window, ids):
    return [id_ for id_ in ids if window.actions_by_id[id_].isChecked()]


VIEWS = [f"view_{mode.id}" for mode in VIEW_MODES]
BEHINDS = [f"background_{entry.id}" for entry in BACKGROUNDS]


def test_f_goes_through_all_views_and_back(window, qtbot):
    seen = []
    for _ in VIEWS:
        qtbot.keyClick(window.canvas, Qt.Key.Key_F)
        seen += checked(window, VIEWS)
    assert seen == [*VIEWS[1:], VIEWS[0]]
    qtbot.keyClick(window.canvas, Qt.Key.Key_F, SHIFT)
    assert checked(window, VIEWS) == [VIEWS[-1]]


def test_a_fixed_background_is_one_click_away(window, behind):
    act(window, "view_matte")
    act(window, "background_white")
    assert window.canvas.mode.cut_out
    assert behind() == "#ffffff"
    act(window, "background_black")
    assert behind() == "#000000"
    assert checked(window, BEHINDS) == ["background_black"]
    act(window, "background_checker")
    assert behind() in ("#ffffff", "#d0d0d0")


def test_the_button_shows_the_cutout_then_goes_through_backgrounds(window, qtbot):
    seen = []
    for _ in range(5):
        qtbot.mouseClick(
            window.view.button, LEFT, pos=window.view.button.rect().center()
        )
        assert window.canvas.mode.cut_out
        seen += checked(window, BEHINDS)
    names = ["checker", "black", "white", "colour", "checker"]
    assert seen == [f"background_{name}" for name in names]


def test_a_colour_is_shown_while_it_is_chosen_and_remembered(window, behind):
    act(window, "background_black")
    act(window, "choose_colour")
    [dialog] = window.findChildren(QColorDialog)
    dialog.setCurrentColor(QColor("#123456"))
    assert behind() == "#123456"
    dialog.reject()
    assert behind() == "#000000", "nothing was chosen"
    act(window, "choose_colour")
    dialog = window.findChildren(QColorDialog)[-1]
    dialog.setCurrentColor(QColor("#123456"))
    dialog.accept()
    assert behind() == "#123456"
    assert preferences.value("background_colour") == "#123456"
    assert checked(window, BEHINDS) == ["background_colour"]


def test_a_image_is_chosen_and_covers(window, behind, backdrop_file, settle):
    act(window, "background_picture")
    assert checked(window, BEHINDS) == ["background_checker"], "there is none yet"
    [dialog] = window.findChildren(QFileDialog)
    dialog.fileSelected.emit(str(backdrop_file))
    dialog.reject()
    settle()
    assert {behind(79, 1), behind(42, 58)} == {"#0a14c8"}
    assert checked(window, BEHINDS) == ["background_picture"]


def test_the_image_is_fitted_to_the_next_document(
    window, behind, backdrop_file, settle, tmp_path, qtbot
):
    window.view.set_background_image(str(backdrop_file))
    other = tmp_path / "wide.png"
    Image.new("RGB", (300, 40)).save(other)
    window.open_path(other)
    settle()
    at = window.canvas.to_view(20, 20).toPoint()
    qtbot.mouseClick(window.canvas.viewport(), LEFT, pos=at)
    settle()
    assert behind(290, 35) == "#0a14c8"


def test_an_unreadable_image_is_reported_and_dropped(window, behind, settle, corrupt):
    window.view.set_background_image(str(corrupt))
    settle()
    assert "corrupt.jpg" in window.banner.text
    assert behind() in ("#ffffff", "#d0d0d0")
    assert checked(window, BEHINDS) == ["background_checker"]
    assert preferences.value("background_picture") == ""


def test_background_and_view_are_as_before_in_the_next_window(
    window, behind, engine, qtbot
):
    act(window, "background_white")
    preferences.set_value("view_mode", "matte")
    other = MainWindow(InferenceQueue(lambda: engine))
    qtbot.addWidget(other)
    assert checked(other, BEHINDS) == ["background_white"]
    assert checked(other, VIEWS) == ["view_matte"]
    other.close()


def test_settings_of_the_canvas_apply_at_once(window, behind):
    act(window, "background_checker")
    preferences.set_value("checker_light", "#ff0000")
    preferences.set_value("checker_dark", "#ff0000")
    assert behind() == "#ff0000"
    preferences.set_value("surround", 12)
    assert behind(-2, 30) == "#0c0c0c"


def test_keys_of_wipe_and_loupe(window, qtbot):
    qtbot.keyClick(window.canvas, Qt.Key.Key_Y)
    assert window.canvas.wipe_enabled
    handle = window.canvas.findChild(WipeHandle)
    assert handle.hasFocus(), "so that the arrow keys move it"
    qtbot.keyClick(handle, Qt.Key.Key_Left)
    qtbot.keyClick(handle, Qt.Key.Key_Y)
    assert checked(window, ("wipe", "loupe")) == []
    qtbot.keyClick(window.canvas, Qt.Key.Key_L)
    assert checked(window, ("wipe", "loupe")) == ["loupe"]


def test_the_wipe_is_reached_by_tab(window, qtbot):
    act(window, "wipe")
    handle = window.canvas.findChild(WipeHandle)
    window.canvas.setFocus()
    qtbot.keyClick(window.canvas, Qt.Key.Key_Tab)
    assert handle.hasFocus()


def test_the_zoom_is_chosen_in_the_status_bar(window):
    entries = {action.text(): action for action in window.status.zoom.menu().actions()}
    entries["400 %"].trigger()
    assert window.canvas.zoom == pytest.approx(4)
    assert window.status.zoom.text() == "400 %"
    entries["25 %"].trigger()
    assert window.canvas.zoom == pytest.approx(0.25)
    entries["Fit to window"].trigger()
    shown = window.canvas.viewportTransform().mapRect(window.canvas.image_rect)
    view = window.canvas.viewport()
    spare = min(view.height() - shown.height(), view.width() - shown.width())
    assert spare == pytest.approx(32, abs=1)
    window.canvas.set_zoom(0.0333)
    assert window.status.zoom.text() == "3.3 %"


def test_zoom_to_the_object(window, qtbot):
    window.canvas.set_zoom(1)
    act(window, "show_object")
    middle = window.canvas.to_image(window.canvas.viewport().rect().center().toPointF())
    assert abs(middle.x() - 20) < 1
    assert abs(middle.y() - 30) < 1


def test_covering_crops_rows_of_a_high_image():
    rgb = np.empty((40, 10, 3), np.uint8)
    rgb[:] = np.arange(40, dtype=np.uint8)[:, None, None]
    assert (scale_to_cover(rgb, 10, 10)[:, 0, 0] == np.arange(15, 25)).all()
    assert scale_to_cover(rgb, 5, 20).shape == (5, 20, 3)


def test_covering_crops_columns_of_a_wide_image():
    rgb = np.empty((10, 40, 3), np.uint8)
    rgb[:] = np.arange(40, dtype=np.uint8)[:, None]
    covered = scale_to_cover(rgb, 10, 10)
    assert (covered[0, :, 0] == np.arange(15, 25)).all()


def test_covering_by_a_single_pixel():
    assert (scale_to_cover(np.full((1, 1, 3), 7, np.uint8), 30, 2) == 7).all()
