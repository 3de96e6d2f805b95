"""Fingers on a touch screen, driven by touch events."""

from functools import cache

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF
from PySide6.QtGui import QInputDevice, QTouchEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from zim_app.gui.canvas.canvas import Canvas
from zim_app.gui.canvas.touch import SETTLE_MS
from zim_app.gui.tools.gestures import PromptPart
from zim_app.gui.tools.toolbox import TOOLS
from zim_model.prompts import Point

HAND = {tool.id: tool for tool in TOOLS}["hand"]
BRUSH = {tool.id: tool for tool in TOOLS}["brush"]
MIDDLE, NOWHERE = QPoint(300, 200), QPoint(0, 0)


@cache
def touch_device(kind):
    """Each stays with Qt until the program ends."""
    return QTest.createTouchDevice(kind)


class Fingers:
    """Fingers on a widget, by number."""

    def __init__(self, target, kind=QInputDevice.DeviceType.TouchScreen):
        self._target, self._down = target, {}
        self._sequence = QTest.touchEvent(target, touch_device(kind))

    def _send(self, acts):
        sequence = self._sequence
        for number in self._down.keys() - acts.keys():
            sequence.stationary(number)
        for number, (act, at) in acts.items():
            getattr(sequence, act)(number, at, self._target)
        sequence.commit()

    def press(self, number, at):
        self._send({number: ("press", at)})
        self._down[number] = at

    def move(self, **to):
        """Move fingers, named ``f0``, ``f1`` ..., in one event."""
        places = {int(name[1:]): at for name, at in to.items()}
        self._send({number: ("move", at) for number, at in places.items()})
        self._down.update(places)

    def release(self, number):
        self._send({number: ("release", self._down[number])})
        del self._down[number]

    def tap(self, at):
        self.press(0, at)
        self.release(0)


@pytest.fixture
def canvas(qtbot, document):
    canvas = Canvas()
    qtbot.addWidget(canvas)
    canvas.resize(672, 512)
    canvas.show()
    canvas.set_document(document)
    return canvas


@pytest.fixture
def fingers(canvas):
    return Fingers(canvas.viewport())


@pytest.fixture
def prompts(document):
    return lambda: document.state.recipe.prompts


# -- One finger --------------------------------------------------------------------


def test_a_tap_is_a_click(canvas, fingers, prompts):
    fingers.tap(canvas.to_view(20, 30).toPoint())
    [point] = prompts().points
    assert (point.x, point.y) == pytest.approx((20, 30), abs=0.2)
    assert point.positive


def test_nothing_happens_before_the_finger_is_lifted_or_has_settled(
    canvas, fingers, prompts, qtbot
):
    canvas.set_tool(BRUSH)
    fingers.press(0, MIDDLE)
    assert not canvas.busy
    qtbot.waitUntil(lambda: canvas.busy, timeout=20 * SETTLE_MS)
    fingers.release(0)
    assert not canvas.busy


def test_dragging_draws_a_box_from_where_the_finger_landed(canvas, fingers, prompts):
    corners = [canvas.to_view(*at).toPoint() for at in ((10, 10), (30, 25), (50, 40))]
    fingers.press(0, corners[0])
    for corner in corners[1:]:
        fingers.move(f0=corner)
    fingers.release(0)
    box = prompts().box
    assert (box.x0, box.y0, box.x1, box.y1) == pytest.approx((10, 10, 50, 40), abs=0.3)


def test_the_hand_pans_with_one_finger(canvas, fingers, prompts):
    canvas.set_tool(HAND)
    canvas.set_zoom(30)
    before = canvas.to_view(40, 30)
    fingers.press(0, MIDDLE)
    fingers.move(f0=MIDDLE + QPoint(40, 0))
    fingers.move(f0=MIDDLE + QPoint(80, -30))
    fingers.release(0)
    assert (canvas.to_view(40, 30) - before).toTuple() == pytest.approx(
        (80, -30), abs=1
    )


def test_no_brush_is_left_where_a_finger_was(canvas, fingers):
    canvas.set_tool(BRUSH)
    fingers.tap(MIDDLE)
    assert canvas.pointer_position is None


# -- Two fingers -------------------------------------------------------------------


def pinch(fingers, spreads, drift=NOWHERE):
    """Two fingers, so many pixels from a centre that drifts with each step."""
    centre = MIDDLE
    fingers.press(0, centre - QPoint(spreads[0], 0))
    fingers.press(1, centre + QPoint(spreads[0], 0))
    for spread in spreads:
        fingers.move(f0=centre - QPoint(spread, 0), f1=centre + QPoint(spread, 0))
        centre += drift


def lift(fingers):
    fingers.release(0)
    fingers.release(1)


def test_two_fingers_zoom_around_their_centre(canvas, fingers):
    canvas.set_zoom(16)
    before = canvas.to_image(QPointF(MIDDLE))
    pinch(fingers, (50, 60, 80, 110, 120))
    lift(fingers)
    assert canvas.zoom == pytest.approx(16 * 2.4)
    assert (canvas.to_image(QPointF(MIDDLE)) - before).manhattanLength() < 0.1


def test_two_fingers_carry_the_image_along(canvas, fingers):
    canvas.set_zoom(16)
    before = canvas.to_view(40, 30)
    pinch(fingers, (100,) * 31, drift=QPoint(1, -2))
    lift(fingers)
    assert canvas.zoom == pytest.approx(16)
    assert (canvas.to_view(40, 30) - before).toTuple() == pytest.approx(
        (30, -60), abs=1
    )


def test_the_finger_that_stays_still_pans(canvas, fingers, prompts):
    canvas.set_zoom(16)
    pinch(fingers, (100,))
    fingers.release(1)
    before, zoom = canvas.to_view(40, 30), canvas.zoom
    fingers.move(f0=MIDDLE - QPoint(60, 20))  # from 100 left of it
    fingers.release(0)
    assert (canvas.to_view(40, 30) - before).toTuple() == pytest.approx(
        (40, -20), abs=1
    )
    assert canvas.zoom == zoom
    assert not prompts()


def test_a_third_finger_makes_nothing_jump(canvas, fingers):
    canvas.set_zoom(16)
    pinch(fingers, (50, 80))
    before, zoom = canvas.to_view(40, 30), canvas.zoom
    fingers.press(2, QPoint(20, 20))
    assert (canvas.to_view(40, 30) - before).manhattanLength() <= 2
    fingers.release(2)
    assert (canvas.to_view(40, 30) - before).manhattanLength() <= 2
    assert canvas.zoom == pytest.approx(zoom)
    lift(fingers)


def test_two_fingers_change_nothing_but_the_view(canvas, fingers, document):
    recipe = document.state.recipe.with_point(Point(40, 30))
    document.edit("Add point", recipe)
    canvas.select(PromptPart("point", 0))
    canvas.set_prompts_hidden(True)
    pinch(fingers, (50, 80, 110))
    lift(fingers)
    assert document.state.recipe == recipe
    assert document.undo_stack.count() == 1
    assert canvas.selected == PromptPart("point", 0)
    assert canvas.prompts_hidden


def test_a_late_second_finger_cancels_the_stroke(canvas, fingers, document):
    canvas.set_tool(BRUSH)
    fingers.press(0, MIDDLE)
    for step in range(1, 5):
        fingers.move(f0=MIDDLE + QPoint(20 * step, 0))
    assert canvas.busy
    fingers.press(1, MIDDLE + QPoint(0, 100))
    assert not canvas.busy
    lift(fingers)
    assert not document.state.recipe.finish.strokes


def test_the_next_tap_is_a_click_again(canvas, fingers, prompts):
    pinch(fingers, (50, 60))
    lift(fingers)
    fingers.tap(MIDDLE)
    assert len(prompts().points) == 1


def test_a_cancelled_touch_leaves_nothing(canvas, fingers, prompts):
    fingers.press(0, MIDDLE)
    fingers.move(f0=MIDDLE + QPoint(60, 60))
    assert canvas.busy
    device = touch_device(QInputDevice.DeviceType.TouchScreen)
    cancel = QTouchEvent(QEvent.Type.TouchCancel, device)
    QApplication.sendEvent(canvas.viewport(), cancel)
    assert not canvas.busy
    fingers.release(0)
    assert not prompts()


def test_a_touch_pad_is_left_to_its_own_events(canvas, prompts):
    pad = Fingers(canvas.viewport(), QInputDevice.DeviceType.TouchPad)
    before = canvas.zoom
    pinch(pad, (50, 100))
    lift(pad)
    assert canvas.zoom == before


# -- Found objects -----------------------------------------------------------------


@pytest.fixture
def found(opened, engine, make_found, settle):
    engine.found_objects = (make_found(5, 5, 35, 50), make_found(45, 5, 75, 50))
    opened.actions_by_id["everything"].trigger()
    settle()
    return opened


def test_fingers_pick_found_objects_and_zoom(found):
    fingers, canvas = Fingers(found.canvas.viewport()), found.canvas
    left, right = (canvas.to_view(x, 25).toPoint() for x in (20, 60))
    fingers.press(0, left)
    fingers.press(1, right)
    lift(fingers)
    assert not found.everything.selection.picks
    fingers.tap(left)
    assert len(found.everything.selection.picks) == 1
    fingers.tap(right)
    fingers.tap(right)
    assert not found.everything.active, "two taps add what is picked"
    assert len(found.document.state.objects) == 2
