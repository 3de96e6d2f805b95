"""The brush in the window: mouse, pen, keys; previews and stored strokes."""

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QSettings, Qt
from PySide6.QtGui import QInputDevice, QPointingDevice, QTabletEvent, QWheelEvent
from PySide6.QtWidgets import QApplication

from zim_app.gui.canvas.canvas import Canvas
from zim_app.gui.canvas.overlay import VIEW_MODES
from zim_app.gui.tools.gestures import ToolOptions
from zim_app.gui.tools.tool_options import ToolOptionsBar

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
NONE = Qt.KeyboardModifier.NoModifier


class Hand:
    """A mouse that works in image pixels."""

    def __init__(self, canvas, qtbot):
        self.canvas, self.qtbot = canvas, qtbot

    def at(self, place):
        return self.canvas.to_view(*place).toPoint()

    def press(self, place, button=LEFT, modifier=NONE):
        at = self.at(place)
        self.qtbot.mousePress(self.canvas.viewport(), button, modifier, at)

    def move(self, place):
        self.qtbot.mouseMove(self.canvas.viewport(), self.at(place))

    def release(self, place, button=LEFT, modifier=NONE):
        at = self.at(place)
        self.qtbot.mouseRelease(self.canvas.viewport(), button, modifier, at)

    def draw(self, *places, button=LEFT, modifier=NONE):
        self.press(places[0], button, modifier)
        for place in places[1:]:
            self.move(place)
        self.release(places[-1], button, modifier)


class Pen:
    """A pen on a tablet, or its other end."""

    def __init__(self, canvas, kind=QPointingDevice.PointerType.Pen):
        self.canvas, self.kind = canvas, kind
        self.device = QPointingDevice(
            "pen",
            7,
            QInputDevice.DeviceType.Stylus,
            kind,
            QInputDevice.Capability.Pressure | QInputDevice.Capability.Position,
            1,
            3,
        )

    def send(self, kind, place, pressure, button=LEFT):
        viewport, at = self.canvas.viewport(), self.canvas.to_view(*place)
        held = Qt.MouseButton.NoButton if kind == QEvent.Type.TabletRelease else button
        changed = Qt.MouseButton.NoButton if kind == QEvent.Type.TabletMove else button
        event = QTabletEvent(
            kind,
            self.device,
            at,
            QPointF(viewport.mapToGlobal(at.toPoint())),
            *(pressure, 0.0, 0.0, 0.0, 0.0, 0.0, NONE, changed, held),
        )
        QApplication.sendEvent(viewport, event)
        return event.isAccepted()

    def draw(self, *vertices):
        first, last = vertices[0], vertices[-1]
        assert self.send(QEvent.Type.TabletPress, first[:2], first[2])
        for x, y, pressure in vertices[1:]:
            assert self.send(QEvent.Type.TabletMove, (x, y), pressure)
        assert self.send(QEvent.Type.TabletRelease, last[:2], 0.0)


@pytest.fixture
def canvas(opened, qtbot):
    qtbot.keyClick(opened.canvas, Qt.Key.Key_B)
    assert opened.canvas.tool.id == "brush"
    return opened.canvas


@pytest.fixture
def hand(canvas, qtbot):
    return Hand(canvas, qtbot)


@pytest.fixture
def strokes(opened):
    return lambda: opened.document.state.recipe.finish.strokes


@pytest.fixture
def grey(canvas):
    """The matte on screen at a place, 0 to 255."""
    canvas.set_mode(next(mode for mode in VIEW_MODES if mode.id == "matte"))

    def grey(x, y):
        at = canvas.to_view(x + 0.5, y + 0.5).toPoint()
        canvas._move_pointer(None)  # the ring is not part of the matte
        return canvas.viewport().grab().toImage().pixelColor(at).red()

    return grey


def test_painting_without_a_prompt(opened, hand, strokes, engine, settle):
    hand.draw((20, 20), (30, 25), (40, 20))
    [stroke] = strokes()
    assert stroke.brush == "add"
    assert stroke.path[0][:2] == pytest.approx((20, 20), abs=0.1)
    assert opened.document.undo_stack.undoText() == "Brush: add"
    settle()
    assert engine.solved[-1].recipe.finish.strokes == (stroke,)


def test_a_stroke_is_visible_before_any_matte(opened, hand, grey, engine, settle):
    engine.gate.clear()
    hand.press((20, 20))
    hand.move((60, 20))
    assert grey(40, 20) == 255, "while it is drawn"
    hand.release((60, 20))
    assert grey(40, 20) == 255, "and until there is a matte"
    hand.draw((40, 40), (60, 40))
    assert grey(40, 20) == grey(50, 40) == 255, "further strokes lie beside it"
    hand.draw((40, 10), (40, 30), button=RIGHT)
    assert grey(40, 20) == 0, "or on it"
    assert grey(30, 20) == 255
    engine.gate.set()
    settle()
    assert grey(20, 50) == 255, "then the matte is shown"
    assert grey(60, 20) == 0


def test_undo_takes_the_stroke_off_at_once(opened, hand, grey, engine, settle):
    hand.draw((60, 20), (70, 20))
    settle()
    engine.gate.clear()
    hand.draw((60, 40), (70, 40))
    assert grey(65, 40) == 255
    opened.actions_by_id["undo"].trigger()
    assert grey(65, 40) == 0
    opened.actions_by_id["undo"].trigger()
    assert opened.document.state.matte is None
    engine.gate.set()
    settle()


def test_undo_and_redo_of_strokes_need_no_engine(opened, hand, strokes, engine, settle):
    for y in (10, 20, 30):
        hand.draw((20, y), (60, y))
        settle()
    solved = len(engine.solved)
    for count in (2, 1):
        opened.actions_by_id["undo"].trigger()
        assert len(strokes()) == count
        assert opened.document.state.matte is not None
        assert not opened.document.state.is_pending
    opened.actions_by_id["redo"].trigger()
    settle()
    assert len(strokes()) == 2
    assert len(engine.solved) == solved


def test_escape_aborts_a_stroke(opened, canvas, hand, grey, strokes, qtbot):
    hand.press((60, 20))
    hand.move((70, 20))
    qtbot.keyClick(canvas, Qt.Key.Key_Escape)
    assert grey(65, 20) == 200 or grey(65, 20) == 0
    hand.release((70, 20))
    assert strokes() == ()


def test_a_matte_that_arrives_during_a_stroke_keeps_it(
    opened, canvas, hand, grey, engine, settle
):
    engine.gate.clear()
    hand.draw((60, 10), (70, 10))
    hand.press((60, 40))
    hand.move((70, 40))
    engine.gate.set()
    settle()
    assert opened.document.state.matte is not None
    assert grey(20, 30) == 255, "the fake matte's left half"
    assert grey(65, 40) == 255, "and the stroke on it"
    hand.release((70, 40))
    assert len(opened.document.state.recipe.finish.strokes) == 2


def test_the_other_button_and_alt_erase(hand, strokes):
    hand.draw((20, 20), (40, 20), button=RIGHT)
    hand.draw((20, 30), (40, 30), modifier=Qt.KeyboardModifier.AltModifier)
    assert [stroke.brush for stroke in strokes()] == ["erase", "erase"]


def test_a_line_with_shift(hand, strokes):
    hand.draw((20, 20), (20, 20))
    hand.draw((60, 40), (60, 40), modifier=Qt.KeyboardModifier.ShiftModifier)
    assert strokes()[1].path[0] == strokes()[0].path[-1]
    assert strokes()[1].path[-1][:2] == pytest.approx((60, 40), abs=0.1)


def test_keys_and_wheel_change_the_brush(canvas, qtbot):
    start = canvas.options
    qtbot.keyClick(canvas, Qt.Key.Key_BracketRight)
    assert canvas.options.radius > start.radius
    qtbot.keyClick(canvas, Qt.Key.Key_BracketLeft)
    assert canvas.options.radius == pytest.approx(start.radius)
    shift = Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(canvas, Qt.Key.Key_BracketRight, shift)
    assert canvas.options.hardness == pytest.approx(0.9)
    qtbot.keyClick(canvas, Qt.Key.Key_BracketLeft, shift)
    assert canvas.options.hardness == pytest.approx(0.8)
    zoom = canvas.zoom
    QApplication.sendEvent(
        canvas.viewport(),
        QWheelEvent(
            *(QPointF(50, 50), QPointF(50, 50), QPoint(), QPoint(0, 120)),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.ControlModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        ),
    )
    assert canvas.options.radius > start.radius
    assert canvas.zoom == zoom


def test_the_options_bar_shows_and_sets_the_brush(opened, canvas, hand, strokes, qtbot):
    bar = opened.tools.options_bar.brush
    assert bar.isVisible()
    qtbot.mouseClick(bar.brush.buttons["soften"], LEFT)
    bar.diameter.number.setValue(10)
    bar.hardness.number.setValue(35)
    bar.strength.number.setValue(50)
    hand.draw((20, 20), (40, 20))
    [stroke] = strokes()
    assert (stroke.brush, stroke.radius) == ("soften", 5)
    assert (stroke.hardness, stroke.strength) == pytest.approx((0.35, 0.5))
    canvas.resize_brush(3)
    qtbot.waitUntil(lambda: not bar.diameter.moving)
    canvas.resize_brush(3)
    assert bar.diameter.value == round(2 * canvas.options.radius)
    qtbot.mouseDClick(bar.hardness.label, LEFT)
    assert canvas.options.hardness == 0.8


def test_the_ring_shows_radius_and_hardness(canvas, qtbot):
    canvas.set_options(canvas.options.__class__(radius=10, hardness=0.5))
    qtbot.mouseMove(canvas.viewport(), canvas.to_view(40, 30).toPoint())
    image = canvas.viewport().grab().toImage()
    plain = image.pixelColor(canvas.to_view(43.3, 33.3).toPoint()).getRgb()
    for place in ((50, 30), (30, 30), (40, 20)):
        at = canvas.to_view(*place).toPoint()
        near = {
            image.pixelColor(at + QPoint(dx, dy)).getRgb()
            for dx in range(-2, 3)
            for dy in range(-2, 3)
        }
        assert near - {plain}, place
    assert canvas.viewport().cursor().shape() == Qt.CursorShape.BlankCursor


def test_a_pen_paints_with_its_pressure(canvas, strokes, opened):
    Pen(canvas).draw((20, 20, 0.25), (30, 30, 0.5), (40, 10, 1.0))
    [stroke] = strokes()
    assert stroke.path[0][2] == 0.25
    assert stroke.path[-1][2] == 1.0, "lifting the pen does not thin the end"
    assert opened.document.undo_stack.count() == 1


def test_the_pens_other_end_erases(canvas, strokes):
    Pen(canvas, QPointingDevice.PointerType.Eraser).draw((20, 20, 0.5), (30, 30, 0.5))
    assert strokes()[0].brush == "erase"


def test_a_pen_that_pans_is_left_to_the_mouse(canvas, qtbot):
    qtbot.keyPress(canvas, Qt.Key.Key_Space)
    assert not Pen(canvas).send(QEvent.Type.TabletPress, (20, 20), 1.0)
    qtbot.keyRelease(canvas, Qt.Key.Key_Space)
    assert not Pen(canvas).send(QEvent.Type.TabletMove, (20, 20), 0.0)


def test_a_pen_clicks_too(opened, qtbot):
    qtbot.keyClick(opened.canvas, Qt.Key.Key_V)
    Pen(opened.canvas).draw((20, 20, 0.5), (20, 20, 0.6))
    assert len(opened.document.state.recipe.prompts.points) == 1


def test_strokes_survive_other_prompts(opened, canvas, hand, strokes, settle, qtbot):
    hand.draw((20, 20), (40, 20))
    settle()
    qtbot.keyClick(canvas, Qt.Key.Key_V)
    hand.draw((30, 30))
    settle()
    assert len(strokes()) == 1
    assert opened.document.state.recipe.prompts
    opened.actions_by_id["clear"].trigger()
    assert len(strokes()) == 1
    assert not np.isnan(opened.document.state.matte.alpha).any()


def test_the_next_start_begins_with_the_same_brush(opened, hand, strokes):
    bar = opened.tools.options_bar.brush
    bar.hardness.number.setValue(35)
    bar.strength.number.setValue(50)
    canvas = Canvas()
    ToolOptionsBar(canvas)
    chosen = canvas.options.hardness, canvas.options.strength
    assert chosen == pytest.approx((0.35, 0.5))
    QSettings().setValue("brush", '{"hardness": 7, "strength": "x"}')
    canvas = Canvas()
    ToolOptionsBar(canvas)
    assert canvas.options == ToolOptions()
