"""Zoom, pan, wipe, loupe and peeking, with a mouse, a touch pad and keys."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QNativeGestureEvent, QPointingDevice, QWheelEvent
from PySide6.QtWidgets import QApplication

from zim_app.gui.canvas.loupe import MAGNIFICATIONS, Loupe, place_beside
from zim_app.gui.canvas.overlay import Backdrop, OverlayLayer
from zim_app.gui.canvas.view_modes import VIEW_MODES
from zim_app.gui.canvas.viewport import MAX_ZOOM, MIN_VISIBLE_PIXELS, MIN_ZOOM, Viewport
from zim_app.gui.canvas.wipe import WipeHandle
from zim_model.matting.purity import measure_purity
from zim_model.request import ALPHA_MAX

LEFT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton
NONE = Qt.MouseButton.NoButton
ALT = Qt.KeyboardModifier.AltModifier
PLAIN = Qt.KeyboardModifier.NoModifier
MODES = {mode.id: mode for mode in VIEW_MODES}
GREY = 200


@pytest.fixture
def view(qtbot, make_matte):
    view = Viewport()
    qtbot.addWidget(view)
    view.resize(672, 512)  # 8 view pixels for each image pixel
    view.show()
    view.show_image((np.full((60, 80, 3), GREY, np.uint8),))
    view.show_layers((OverlayLayer(make_matte(), 0xFF0000),))
    return view


@pytest.fixture
def colour(view):
    def colour(x, y):
        image = view.grab().toImage()
        return image.pixelColor(view.to_view(x, y).toPoint()).getRgb()[:3]

    return colour


def send_wheel(view, at, angle=(0, 0), pixels=(0, 0), modifiers=PLAIN, phase=None):
    target, at = view.viewport(), QPointF(at)
    place = QPointF(target.mapToGlobal(at.toPoint()))
    phases = Qt.ScrollPhase
    phase = phase or (phases.ScrollUpdate if any(pixels) else phases.NoScrollPhase)
    event = QWheelEvent(
        at, place, QPoint(*pixels), QPoint(*angle), NONE, modifiers, phase, False
    )
    QApplication.sendEvent(target, event)


def send_gesture(view, kind, at, value=0.0, delta=(0, 0)):
    device, at = QPointingDevice.primaryPointingDevice(), QPointF(at)
    event = QNativeGestureEvent(kind, device, 2, at, at, at, value, QPointF(*delta), 0)
    QApplication.sendEvent(view.viewport(), event)


# -- Zoom -------------------------------------------------------------------------


def test_two_fingers_scrolling_zoom_smoothly(view):
    view.set_zoom(16)
    at = view.to_view(41, 31)
    for _ in range(120):
        send_wheel(view, at, pixels=(0, 5))
        send_wheel(view, at, pixels=(0, -5))
    for _ in range(12):
        send_wheel(view, at, pixels=(0, 5))
    assert view.zoom == pytest.approx(16 * 1.25)
    assert (view.to_view(41, 31) - at).manhattanLength() <= 1.01
    send_wheel(view, at, angle=(0, 8), pixels=(0, 5))
    assert view.zoom == pytest.approx(16 * 1.25 ** (1 + 8 / 120)), "counted once"


def test_the_zoom_stops_when_the_fingers_let_go(view):
    before = view.zoom
    momentum = Qt.ScrollPhase.ScrollMomentum
    send_wheel(view, QPointF(300, 200), pixels=(0, 50), phase=momentum)
    assert view.zoom == before


def test_scrolling_sideways_changes_nothing(view):
    before = view.viewportTransform()
    send_wheel(view, QPointF(300, 200), angle=(120, 0))
    assert view.viewportTransform() == before


def test_pinching_zooms_at_the_fingers(view):
    view.set_zoom(16)
    at = view.to_view(45, 25)
    for value in (0.25, 0.2, -0.1):
        send_gesture(view, Qt.NativeGestureType.ZoomNativeGesture, at, value)
    assert view.zoom == pytest.approx(16 * 1.25 * 1.2 * 0.9)
    assert (view.to_view(45, 25) - at).manhattanLength() < 3
    send_gesture(view, Qt.NativeGestureType.ZoomNativeGesture, at, -5)
    assert view.zoom == pytest.approx(16 * 1.25 * 1.2 * 0.9 * 0.1)


def test_two_fingers_that_pinch_move_the_image_too(view):
    view.set_zoom(16)
    before = view.to_view(45, 25)
    send_gesture(view, Qt.NativeGestureType.PanNativeGesture, before, delta=(12, -7))
    assert (view.to_view(45, 25) - before).toTuple() == (12, -7)


def test_tapping_with_two_fingers_goes_to_actual_size_and_back(view):
    kind = Qt.NativeGestureType.SmartZoomNativeGesture
    send_gesture(view, kind, QPointF(336, 256))
    assert view.zoom == pytest.approx(1)
    send_gesture(view, kind, QPointF(336, 256))
    assert view.zoom == pytest.approx(8)


def test_the_zoom_is_reported(view):
    seen = []
    view.zoom_changed.connect(seen.append)
    view.set_zoom(3)
    view.set_zoom(1e9)
    view.set_zoom(0)
    assert seen == pytest.approx([3, MAX_ZOOM, MIN_ZOOM])


def test_an_area_fills_most_of_the_view(view):
    view.show_area(QRectF(10, 10, 40, 30))
    assert view.zoom == pytest.approx(8), "a larger zoom is not useful"
    view.show_image((np.zeros((3000, 4000, 3), np.uint8),))
    view.show_area(QRectF(1000, 500, 1000, 300))
    assert view.zoom == pytest.approx(0.85 * 672 / 1000, rel=0.01)
    middle = view.to_image(QPointF(336, 256))
    assert (middle - QPointF(1500, 650)).manhattanLength() < 5
    before = view.viewportTransform()
    view.show_area(QRectF())
    view.show_area(QRectF(9000, 9000, 10, 10))
    assert view.viewportTransform() == before, "there is nothing there"


# -- Pan --------------------------------------------------------------------------


@pytest.mark.parametrize("zoom", [0.5, 8, 60])
@pytest.mark.parametrize("way", [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, -1)])
def test_the_image_cannot_be_moved_out_of_the_view(view, qtbot, zoom, way):
    view.set_zoom(zoom)
    start = QPoint(336, 256)
    for _ in range(30):
        qtbot.mousePress(view.viewport(), MIDDLE, pos=start)
        qtbot.mouseMove(view.viewport(), start + QPoint(*way) * 250)
        qtbot.mouseRelease(view.viewport(), MIDDLE, pos=start + QPoint(*way) * 250)
    shown = view.viewportTransform().mapRect(view.image_rect)
    visible = shown & QRectF(view.viewport().rect())
    assert visible.width() >= min(MIN_VISIBLE_PIXELS, shown.width()) - 2
    assert visible.height() >= min(MIN_VISIBLE_PIXELS, shown.height()) - 2
    moved = view.to_image(QPointF(start)) - QPointF(40, 30)
    assert (moved.x() * way[0], moved.y() * way[1]) < (0, 0), "but it was moved"


def test_the_image_stays_in_view_when_that_shrinks(view):
    view.set_zoom(60)
    view.horizontalScrollBar().setValue(view.horizontalScrollBar().maximum())
    view.resize(200, 150)
    shown = view.viewportTransform().mapRect(view.image_rect)
    visible = shown & QRectF(view.viewport().rect())
    assert visible.width() >= MIN_VISIBLE_PIXELS - 2


# -- Peek -------------------------------------------------------------------------


@pytest.mark.parametrize("key", [Qt.Key.Key_Backslash, Qt.Key.Key_NumberSign])
def test_the_photograph_is_shown_while_a_key_is_held(view, colour, qtbot, key):
    view.set_mode(MODES["matte"])
    assert colour(70, 30) == (0, 0, 0)
    qtbot.keyPress(view, key)
    assert colour(70, 30) == (GREY,) * 3
    qtbot.keyRelease(view, key)
    assert colour(70, 30) == (0, 0, 0)


def test_the_matte_is_back_when_the_release_goes_elsewhere(view, colour, qtbot):
    view.set_mode(MODES["matte"])
    view.setFocus()
    qtbot.keyPress(view, Qt.Key.Key_Backslash)
    view.clearFocus()
    assert colour(70, 30) == (0, 0, 0)


# -- Wipe -------------------------------------------------------------------------


@pytest.fixture
def handle(view):
    view.set_mode(MODES["matte"])
    view.set_wipe_enabled(True)
    return view.findChild(WipeHandle)


def test_there_is_no_wipe_at_first(view):
    assert not view.wipe_enabled
    assert not view.findChild(WipeHandle).isVisible()


def test_the_photograph_is_left_of_the_line(handle, colour):
    assert handle.position == 336
    assert colour(37, 20) == (GREY,) * 3
    assert colour(43, 20) == (0, 0, 0)


def test_the_line_is_dragged(view, handle, colour, qtbot):
    for x in (336, 300, 600):
        qtbot.mousePress(handle, LEFT, pos=handle.mapFromParent(QPoint(x, 256)))
        qtbot.mouseMove(handle, handle.mapFromParent(QPoint(x + 10, 200)))
        qtbot.mouseRelease(handle, LEFT, pos=handle.mapFromParent(QPoint(x + 10, 200)))
    assert handle.position == 366
    qtbot.mousePress(handle, LEFT, pos=QPoint(13, 256))
    qtbot.mouseMove(handle, handle.mapFromParent(QPoint(560, 256)))
    qtbot.mouseRelease(handle, LEFT, pos=QPoint(13, 256))
    assert colour(60, 20) == (GREY,) * 3
    assert colour(78, 20) == (0, 0, 0)


def test_the_line_stays_inside(view, handle, qtbot):
    qtbot.mousePress(handle, LEFT, pos=QPoint(13, 256))
    qtbot.mouseMove(handle, handle.mapFromParent(QPoint(5000, 256)))
    assert handle.position == view.width()
    qtbot.mouseMove(handle, handle.mapFromParent(QPoint(-5000, 256)))
    assert handle.position == 0


def test_the_line_is_moved_by_keys(view, handle, qtbot):
    shift = Qt.KeyboardModifier.ShiftModifier
    view.resize(1000, 500)
    for key, modifier, line in (
        (Qt.Key.Key_Right, PLAIN, 510),
        (Qt.Key.Key_Right, shift, 610),
        (Qt.Key.Key_Left, PLAIN, 600),
        (Qt.Key.Key_Home, PLAIN, 0),
        (Qt.Key.Key_Left, shift, 0),
        (Qt.Key.Key_End, PLAIN, 1000),
    ):
        qtbot.keyClick(handle, key, modifier)
        assert handle.position == line


def test_the_line_is_remembered_while_it_is_off(view, handle, colour, qtbot):
    qtbot.keyClick(handle, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    line = handle.position
    view.set_wipe_enabled(False)
    assert colour(10, 20) == (255, 255, 255), "the matte is everywhere"
    view.set_wipe_enabled(True)
    assert handle.position == line


def test_keys_that_are_not_the_lines_reach_the_view(view, handle, colour, qtbot):
    qtbot.keyPress(handle, Qt.Key.Key_Backslash)
    assert colour(43, 20) == (GREY,) * 3
    qtbot.keyRelease(handle, Qt.Key.Key_Backslash)
    assert colour(43, 20) == (0, 0, 0)


def test_the_line_stays_on_screen_when_the_image_is_panned(view, handle, qtbot):
    view.viewport().grab()
    qtbot.mousePress(view.viewport(), MIDDLE, pos=QPoint(100, 100))
    qtbot.mouseMove(view.viewport(), QPoint(200, 100))
    qtbot.mouseRelease(view.viewport(), MIDDLE, pos=QPoint(200, 100))
    image = view.viewport().grab().toImage()
    assert handle.position == 336
    assert image.pixelColor(330, 60).red() == GREY
    assert image.pixelColor(345, 60).red() == 255


def test_clicks_beside_the_line_are_the_views(view, handle):
    assert view.childAt(QPoint(336, 100)) is handle
    assert view.childAt(QPoint(326, 256)) is handle, "the knob is wider"
    assert view.childAt(QPoint(326, 100)) is not handle


# -- Loupe ------------------------------------------------------------------------


@pytest.fixture
def loupe(view):
    view.set_loupe(True)
    return view.findChild(Loupe)


def move(view, qtbot, x, y):
    at = view.to_view(x, y).toPoint()
    qtbot.mouseMove(view.viewport(), at)
    return at


def test_the_loupe_is_off_at_first(view, qtbot):
    move(view, qtbot, 20, 20)
    assert not view.findChild(Loupe).isVisible()


def test_the_loupe_follows_the_pointer_and_does_not_cover_it(view, loupe, qtbot):
    for x in range(1, 80, 13):
        for y in range(1, 60, 9):
            at = move(view, qtbot, x, y)
            assert loupe.isVisible()
            assert view.rect().contains(loupe.geometry())
            assert not loupe.geometry().contains(at)
            assert loupe.panes()[0].shape[2] == 3


def test_the_loupe_goes_where_there_is_no_image(view, loupe, qtbot):
    move(view, qtbot, 20, 20)
    move(view, qtbot, -1, 20)
    assert not loupe.isVisible()
    move(view, qtbot, 20, 20)
    view.set_loupe(False)
    assert not loupe.isVisible()
    view.set_loupe(True)
    move(view, qtbot, 30, 20)
    assert loupe.isVisible()


def test_the_loupe_shows_image_matte_and_cutout(view, loupe, qtbot, make_matte):
    generator = np.random.default_rng(0)
    rgb = generator.integers(0, 256, (60, 80, 3), np.uint8)
    view.show_image((rgb,))
    matte = make_matte()
    view.show_layers((OverlayLayer(matte, 0xFF0000),))
    view.set_backdrop(Backdrop(QColor(1, 2, 3)))
    move(view, qtbot, 40.5, 30.5)
    image, grey, cut = loupe.panes()
    assert (image == rgb[23:38, 33:48]).all()
    assert (grey[..., 0] == matte.pyramid[0][23:38, 33:48]).all()
    assert (cut[:, :7] == rgb[23:38, 33:40]).all()
    assert (cut[:, 7:] == (1, 2, 3)).all()
    red, green, blue = rgb[30, 40]
    assert loupe.readings() == (f"RGB {red} {green} {blue}", "alpha 0.000", "8 ×")
    move(view, qtbot, 39.5, 30.5)
    assert loupe.readings()[1] == "alpha 1.000"


def test_beyond_the_border_is_no_image(view, loupe, qtbot):
    move(view, qtbot, 0.5, 59.5)
    image, grey, _ = loupe.panes()
    assert (image[:8, 7:] == GREY).all()
    assert (image[8:] < 100).all()
    assert (image[:, :7] < 100).all()
    assert (grey[:8, 7:] == 255).all()


def test_alt_and_the_wheel_magnify(view, loupe, qtbot):
    at = move(view, qtbot, 20, 20)
    zoom = view.zoom
    send_wheel(view, at, angle=(0, 120), modifiers=ALT)
    assert loupe.magnification == 12
    send_wheel(view, at, angle=(-240, 0), modifiers=ALT)
    assert loupe.magnification == 6, "some systems turn the wheel sideways"
    for _ in range(4):
        send_wheel(view, at, angle=(0, 30), modifiers=ALT)
    assert loupe.magnification == 8, "a fine wheel"
    send_wheel(view, at, angle=(0, 12000), modifiers=ALT)
    assert loupe.magnification == MAGNIFICATIONS[-1]
    assert loupe.panes()[0].shape == (9, 9, 3)
    assert view.zoom == zoom
    view.set_loupe(False)
    send_wheel(view, at, angle=(0, 120), modifiers=ALT)
    assert view.zoom > zoom


@pytest.fixture
def hazy(view, make_matte):
    """A matte with a hole in its opaque half and haze in the other one."""
    matte = make_matte()
    alpha = matte.alpha.copy()
    alpha[10:20, 5:15] = ALPHA_MAX // 2 + 1  # an inner outline of its own
    alpha[40:, :20] = round(0.9 * ALPHA_MAX)
    alpha[:6, 60:] = round(0.1 * ALPHA_MAX)
    matte = replace(matte, alpha=alpha, pyramid=((alpha >> 8).astype(np.uint8),))
    view.show_layers((OverlayLayer(matte, 0xFF0000),))
    return matte


def test_the_loupe_tells_how_pure_the_matte_is(view, loupe, qtbot, hazy):
    view.resize(900, 700)
    at = move(view, qtbot, 20, 20)
    low = loupe.height()
    statistics = loupe.statistics()
    (transparent, opaque), (exterior, interior) = statistics.texts()
    zeros, ones = (100 * np.mean(hazy.alpha == x) for x in (0, ALPHA_MAX))
    assert transparent == f"alpha 0: {zeros:.1f} %"
    assert opaque == f"alpha 1: {ones:.1f} %"
    purity = measure_purity(hazy.alpha)
    assert exterior == f"exterior above 5/255: {100 * purity.exterior_above:.1f} %"
    assert interior == f"interior below 250/255: {100 * purity.interior_below:.1f} %"
    assert 0 < purity.exterior_above < purity.interior_below < 1
    bars = statistics.bar_heights()
    tallest = np.argsort(bars)[-3:] / len(bars)
    assert sorted(tallest) == pytest.approx([0.1, 0.5, 0.9], abs=0.02)
    assert not loupe.geometry().contains(at)
    view.show_layers(())
    assert loupe.isVisible()
    assert loupe.height() < low, "there is nothing to tell without a matte"
    assert loupe.statistics() is None


def test_the_statistics_are_of_the_active_object(view, loupe, qtbot, hazy, make_matte):
    view.resize(900, 700)
    other = make_matte()
    view.show_layers(
        (OverlayLayer(hazy, 0xFF, active=False), OverlayLayer(other, 0xFF00))
    )
    move(view, qtbot, 20, 20)
    assert loupe.statistics().purity == measure_purity(other.alpha)


def test_a_low_view_keeps_the_loupe_without_statistics(view, loupe, qtbot, hazy):
    view.resize(900, 400)
    at = move(view, qtbot, 40, 30)
    assert loupe.isVisible()
    assert not loupe.geometry().contains(at)


def test_the_loupe_lets_clicks_through(view, loupe, qtbot):
    move(view, qtbot, 20, 20)
    middle = loupe.geometry().center()
    assert view.childAt(middle) is view.viewport()


sizes = st.integers(0, 900)


@given(st.integers(-50, 950), st.integers(-50, 950), sizes, sizes)
def test_a_place_beside_the_pointer_is_in_the_room_or_there_is_none(
    x, y, width, height
):
    size, pointer = QSize(380, 150), QPoint(x, y)
    place = place_beside(pointer, size, QSize(width, height))
    if place is not None:
        assert QRect(0, 0, width, height).contains(QRect(place, size))
        assert not QRect(place, size).contains(pointer)
    elif 0 <= x < width and 0 <= y < height:
        assert width < 2 * 380 + 60 or height < 2 * 150 + 60
