"""The overview of the photo while the view shows a part of it."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtTest import QTest

from zim_app.gui.canvas.loupe import Loupe
from zim_app.gui.canvas.navigator import Navigator
from zim_app.gui.canvas.viewport import Viewport
from zim_app.gui.settings import preferences

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton


@pytest.fixture
def canvas(opened, qtbot, settle):
    """A canvas with a matte on the left half of the photo."""
    opened.resize(1100, 800)
    at = opened.canvas.to_view(20, 20).toPoint()
    qtbot.mouseClick(opened.canvas.viewport(), LEFT, pos=at)
    settle()
    return opened.canvas


@pytest.fixture
def navigator(opened, canvas):
    return opened.view.navigator


@pytest.fixture
def zoomed(canvas, navigator):
    """The navigator with a quarter of the width in view."""
    canvas.set_zoom(4 * canvas.viewport().width() / 80)
    assert navigator.isVisible()
    return navigator


def at(navigator, x, y):
    """The place on the navigator of a position in image pixels."""
    return (QPointF(x, y) * (navigator.width() / 80)).toPoint()


def centre(canvas):
    return canvas.to_image(QRectF(canvas.viewport().rect()).center())


def test_it_is_there_only_while_the_photo_does_not_fit(opened, canvas, navigator):
    assert not navigator.isVisible()
    canvas.set_zoom(60)
    assert navigator.isVisible()
    assert canvas.rect().contains(navigator.geometry())
    canvas.fit()
    assert not navigator.isVisible()
    canvas.set_zoom(5)
    assert not navigator.isVisible(), "all is in view, and more"
    canvas.horizontalScrollBar().setValue(canvas.horizontalScrollBar().maximum())
    assert navigator.isVisible(), "a part is beyond the border"


def test_it_shows_the_part_in_view(canvas, zoomed):
    canvas.centerOn(60, 20)
    shown = zoomed.shown_area
    assert shown.width() == pytest.approx(20, abs=0.2)
    assert (shown.center() - centre(canvas)).manhattanLength() < 0.2
    image = zoomed.grab().toImage()
    inside = image.pixelColor(at(zoomed, shown.center().x(), shown.center().y()))
    assert inside.getRgb()[:3] == (200, 100, 50)
    outside = image.pixelColor(at(zoomed, 60, 55))
    assert outside.lightness() < inside.lightness()


def test_it_shows_the_outline_of_the_matte(opened, canvas, zoomed):
    canvas.horizontalScrollBar().setValue(0)
    before = zoomed.overview(1).toImage()
    edge = at(zoomed, 40, 30)
    assert before.pixelColor(edge).lightness() > 180, "white, on the alpha of one half"
    opened.actions_by_id["object_visible"].trigger()
    assert zoomed.overview(1).toImage().pixelColor(edge).lightness() < 130


def test_a_click_moves_the_view(opened, canvas, zoomed, qtbot):
    for x, y in ((20, 20), (60, 45), (40, 30)):
        qtbot.mouseClick(zoomed, LEFT, pos=at(zoomed, x, y))
        assert (centre(canvas) - QPointF(x, y)).manhattanLength() < 1
    assert len(opened.document.state.recipe.prompts.points) == 1, "it is no prompt"
    qtbot.mouseClick(zoomed, RIGHT, pos=at(zoomed, 20, 20))
    assert len(opened.document.state.recipe.prompts.points) == 1
    assert (centre(canvas) - QPointF(40, 30)).manhattanLength() < 1


def test_the_part_in_view_is_dragged(canvas, zoomed):
    held = centre(canvas) + QPointF(6, 4)
    QTest.mousePress(zoomed, LEFT, pos=at(zoomed, held.x(), held.y()))
    before = centre(canvas)
    assert (before - QPointF(40, 30)).manhattanLength() < 1, "it does not jump"
    for step in range(1, 6):
        QTest.mouseMove(zoomed, at(zoomed, held.x() - 2 * step, held.y() + step))
    QTest.mouseRelease(zoomed, LEFT, pos=at(zoomed, held.x() - 10, held.y() + 5))
    assert (centre(canvas) - (before + QPointF(-10, 5))).manhattanLength() < 1.5


def test_it_stays_while_it_is_dragged_over_the_border(canvas, zoomed):
    """Though all of the photo may be in view at some moments."""
    canvas.set_zoom(canvas.viewport().width() / 80 * 1.05)
    QTest.mousePress(zoomed, LEFT, pos=at(zoomed, 40, 30))
    for x in (-500, 0, 40, 500):
        QTest.mouseMove(zoomed, at(zoomed, x, 30))
        assert zoomed.isVisible()
    QTest.mouseRelease(zoomed, LEFT, pos=at(zoomed, 500, 30))


def test_the_wheel_zooms_around_the_centre(canvas, zoomed):
    zoom, middle = canvas.zoom, centre(canvas)
    place = zoomed.mapTo(canvas.window(), zoomed.rect().center())
    QTest.wheelEvent(canvas.window().windowHandle(), QPointF(place), QPoint(0, 120))
    assert canvas.zoom == pytest.approx(1.25 * zoom)
    assert (centre(canvas) - middle).manhattanLength() < 0.5


def test_it_can_be_switched_off_for_good(opened, canvas, zoomed, next_window):
    action = opened.actions_by_id["navigator"]
    assert action.isChecked()
    action.trigger()
    assert not zoomed.isVisible()
    canvas.set_zoom(30)
    assert not zoomed.isVisible()
    assert not preferences.value("navigator")
    assert not next_window().actions_by_id["navigator"].isChecked()
    action.trigger()
    assert zoomed.isVisible()


def test_it_gives_way_to_the_loupe(canvas, zoomed, qtbot):
    canvas.set_loupe(True)
    loupe = canvas.findChild(Loupe)
    near = zoomed.geometry().topLeft() - QPoint(60, 60)
    qtbot.mouseMove(canvas.viewport(), QPoint(100, 100))
    assert loupe.isVisible()
    assert zoomed.isVisible()
    qtbot.mouseMove(canvas.viewport(), near)
    hidden = loupe.geometry().intersects(zoomed.geometry())
    assert hidden != zoomed.isVisible()
    for x in range(300, canvas.width(), 50):
        qtbot.mouseMove(canvas.viewport(), QPoint(x, canvas.height() - 80))
        overlap = loupe.isVisible() and loupe.geometry().intersects(zoomed.geometry())
        assert overlap != zoomed.isVisible()


def test_it_gives_way_to_a_bar_in_a_narrow_window(opened, canvas, zoomed, settle):
    opened.resize(760, 600)
    opened.actions_by_id["everything"].trigger()
    settle()
    assert opened.everything.bar.isVisible()
    overlap = opened.everything.bar.geometry().intersects(zoomed.geometry())
    assert overlap != zoomed.isVisible()
    opened.actions_by_id["escape"].trigger()
    assert zoomed.isVisible()


@pytest.mark.parametrize(("side", "shown"), [(150, False), (400, True)])
def test_there_is_none_in_a_tiny_view(qtbot, side, shown):
    view = Viewport()
    qtbot.addWidget(view)
    navigator = Navigator(view)
    view.resize(side, side)
    view.show()
    view.show_image((np.zeros((60, 80, 3), np.uint8),))
    view.set_zoom(60)
    assert navigator.isVisible() == shown


def test_a_very_long_photo_has_an_overview(qtbot):
    view = Viewport()
    qtbot.addWidget(view)
    navigator = Navigator(view)
    view.resize(600, 500)
    view.show()
    view.show_image((np.zeros((5000, 8, 3), np.uint8),))
    view.set_zoom(1)
    assert navigator.isVisible()
    assert navigator.grab().height() > 100


def test_it_is_as_sharp_as_the_screen(zoomed):
    picture = zoomed.overview(2.0)
    assert picture.devicePixelRatio() == 2
    assert picture.size() == zoomed.size() * 2
    edge = picture.toImage().pixelColor(at(zoomed, 40, 30) * 2)
    assert edge.lightness() > 180
