"""Settings that the window follows at once."""

import pytest
from PySide6.QtCore import QPoint, Qt

from zim_app.gui.canvas.markers import POSITIVE
from zim_app.gui.settings import preferences

LEFT = Qt.MouseButton.LeftButton


def count(window, colour):
    image = window.canvas.viewport().grab().toImage()
    points = ((x, y) for x in range(image.width()) for y in range(image.height()))
    return sum(image.pixelColor(x, y) == colour for x, y in points)


@pytest.fixture
def click(opened, qtbot, settle):
    def click(x, y, dx=0):
        at = opened.canvas.to_view(x, y).toPoint() + QPoint(dx, 0)
        qtbot.mouseClick(opened.canvas.viewport(), LEFT, pos=at)
        settle()

    return click


def test_the_size_of_points_follows_the_setting(opened, click):
    click(40, 30)
    small = count(opened, POSITIVE)
    preferences.set_value("marker_size", 32)
    assert 3 * small < count(opened, POSITIVE) < 6 * small


def test_a_large_point_is_taken_hold_of_at_its_rim(opened, click):
    click(40, 30)
    preferences.set_value("marker_size", 32)
    click(40, 30, dx=14)
    assert len(opened.document.state.recipe.prompts.points) == 1
    preferences.set_value("marker_size", 16)
    click(40, 30, dx=14)
    assert len(opened.document.state.recipe.prompts.points) == 2


def test_the_grey_around_the_image(opened):
    preferences.set_value("surround", 200)
    image = opened.canvas.viewport().grab().toImage()
    assert image.pixelColor(1, 1).getRgb()[:3] == (200, 200, 200)


def test_the_first_brush_size_follows_the_setting(window, photo, settle):
    preferences.set_value("brush_size", 50)
    window.open_path(photo)
    settle()
    assert window.canvas.options.radius == 25


def test_the_first_brush_fits_the_image_otherwise(opened):
    assert opened.canvas.options.radius == 2


def test_the_preview_at_the_pointer_is_remembered(opened):
    action = opened.actions_by_id["hover_preview"]
    assert not action.isChecked()
    preferences.set_value("hover_preview", True)
    assert action.isChecked()
    action.trigger()
    assert preferences.value("hover_preview") is False
    assert not action.isChecked()
    action.trigger()
    assert preferences.value("hover_preview") is True
    assert action.isChecked()
