import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication

from zim_app.gui.canvas.canvas import Canvas
from zim_app.gui.canvas.view_modes import VIEW_MODES
from zim_app.gui.canvas.viewport import MAX_ZOOM, MIN_ZOOM
from zim_app.gui.tools.gestures import PromptPart
from zim_model.prompts import Box, Point, PromptSet

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
MIDDLE = Qt.MouseButton.MiddleButton


class Hand:
    """A mouse that works in image pixels."""

    def __init__(self, canvas, qtbot):
        self.canvas, self.qtbot = canvas, qtbot

    def at(self, x, y):
        return self.canvas.to_view(x, y).toPoint()

    def click(self, x, y, button=LEFT, modifier=Qt.KeyboardModifier.NoModifier):
        self.qtbot.mouseClick(self.canvas.viewport(), button, modifier, self.at(x, y))

    def press(self, x, y, button=LEFT):
        self.qtbot.mousePress(self.canvas.viewport(), button, pos=self.at(x, y))

    def move(self, x, y):
        self.qtbot.mouseMove(self.canvas.viewport(), self.at(x, y))

    def release(self, x, y, button=LEFT):
        self.qtbot.mouseRelease(self.canvas.viewport(), button, pos=self.at(x, y))

    def drag(self, start, end, button=LEFT):
        self.press(*start, button)
        self.move(*end)
        self.release(*end, button)

    def wheel(self, x, y, steps):
        viewport, at = self.canvas.viewport(), QPointF(self.at(x, y))
        event = QWheelEvent(
            at,
            QPointF(viewport.mapToGlobal(at.toPoint())),
            QPoint(),
            QPoint(0, 120 * steps),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(viewport, event)


@pytest.fixture
def canvas(qtbot, document):
    canvas = Canvas()
    qtbot.addWidget(canvas)
    canvas.resize(672, 512)  # 8 view pixels for each image pixel
    canvas.show()
    canvas.set_document(document)
    return canvas


@pytest.fixture
def hand(canvas, qtbot):
    return Hand(canvas, qtbot)


@pytest.fixture
def prompts(document):
    return lambda: document.state.recipe.prompts


def near(point, x, y, reach=0.1):
    return abs(point.x - x) < reach and abs(point.y - y) < reach


def test_a_image_is_fitted(canvas):
    assert canvas.zoom == pytest.approx(8)
    assert canvas.to_view(40, 30) == QPointF(336, 256)


def test_it_stays_fitted_when_the_window_changes(canvas):
    canvas.resize(352, 512)
    assert canvas.zoom == pytest.approx(4)


def test_a_zoomed_view_keeps_its_middle_when_the_window_changes(canvas):
    canvas.set_zoom(20)
    canvas.resize(400, 400)
    assert canvas.zoom == pytest.approx(20)
    middle = canvas.to_image(QPointF(200, 200))
    assert (middle - QPointF(40, 30)).manhattanLength() < 0.2


def test_left_click_is_positive(hand, prompts):
    hand.click(20, 10)
    assert prompts() == PromptSet((Point(20, 10),))


def test_right_click_and_alt_click_are_negative(hand, prompts):
    hand.click(20, 10, RIGHT)
    hand.click(50, 40, LEFT, Qt.KeyboardModifier.AltModifier)
    assert prompts().points == (Point(20, 10, False), Point(50, 40, False))


def test_clicks_outside_the_image_are_ignored(canvas, document, hand):
    hand.click(-1, 10)
    hand.click(40, 61)
    assert document.undo_stack.count() == 0


@pytest.mark.parametrize("zoom", [0.5, 3.3, 40])
def test_clicks_hit_their_pixel_under_zoom_and_pan(canvas, hand, prompts, zoom):
    canvas.set_zoom(zoom, QPointF(100, 200))
    hand.drag((41, 31), (40, 30), MIDDLE)
    hand.click(33.5, 22.5)
    assert near(prompts().points[0], 33.5, 22.5, reach=0.5 / zoom + 1e-6)


def test_a_drag_draws_a_box_in_one_step(document, hand, prompts):
    hand.press(10, 10)
    for x in range(12, 40, 4):
        hand.move(x, x)
    assert not prompts(), "nothing changes before the button is released"
    hand.release(40, 50)
    assert prompts().box == Box(10, 10, 40, 50)
    assert document.undo_stack.count() == 1


def test_a_box_drag_is_clipped(hand, prompts):
    hand.drag((60, 50), (200, 200))
    assert prompts().box == Box(60, 50, 80, 60)


def test_points_and_box_together(hand, prompts):
    hand.click(20, 20)
    hand.drag((5, 5), (60, 50))
    hand.click(40, 20, RIGHT)
    assert len(prompts().points) == 2
    assert prompts().box == Box(5, 5, 60, 50)


def test_a_point_is_dragged(document, hand, prompts):
    hand.click(20, 20)
    hand.drag((20, 20), (30, 35))
    assert prompts() == PromptSet((Point(30, 35),))
    document.undo_stack.undo()
    assert prompts() == PromptSet((Point(20, 20),))
    assert document.undo_stack.redoText() == "Move point"


def test_a_corner_is_dragged(hand, prompts):
    hand.drag((10, 10), (60, 50))
    hand.drag((60, 50), (70, 40))
    assert prompts().box == Box(10, 10, 70, 40)


def test_delete_removes_the_selected_prompt(canvas, hand, prompts):
    hand.drag((5, 5), (60, 50))
    hand.click(20, 20)
    hand.click(40, 20)
    hand.click(20, 20)
    assert canvas.selected == PromptPart("point", 0)
    canvas.delete_selected()
    assert prompts().points == (Point(40, 20),)
    assert canvas.selected is None
    canvas.delete_selected()
    assert len(prompts().points) == 1
    hand.click(30, 5)
    assert canvas.selected == PromptPart("side", 0)
    canvas.delete_selected()
    assert prompts().box is None


def test_hidden_prompts_are_neither_seen_nor_touched(canvas, hand, prompts):
    hand.drag((5, 5), (60, 50))
    hand.click(20, 20)
    hand.click(70, 55)
    shown = canvas.viewport().grab().toImage()
    canvas.set_prompts_hidden(True)
    hidden = canvas.viewport().grab().toImage()
    assert hidden != shown
    canvas.set_prompts_hidden(False)
    assert canvas.viewport().grab().toImage() == shown


def test_a_new_prompt_shows_the_hidden_ones(canvas, hand, prompts, qtbot):
    hand.click(20, 20)
    canvas.set_prompts_hidden(True)
    with qtbot.waitSignal(canvas.prompts_hidden_changed) as shown:
        hand.drag((20, 20), (60, 50))
    assert shown.args == [False]
    assert prompts().points == (Point(20, 20),)
    assert prompts().box == Box(20, 20, 60, 50)


def test_a_new_prompt_is_selected(canvas, hand):
    hand.click(20, 20)
    assert canvas.selected == PromptPart("point", 0)
    hand.drag((5, 5), (60, 50))
    assert canvas.selected == PromptPart("box")


def test_undo_deselects_what_is_gone(canvas, document, hand):
    hand.click(20, 20)
    document.undo_stack.undo()
    assert canvas.selected is None


def test_escape_aborts_a_drag_then_deselects(canvas, document, hand, prompts):
    hand.click(20, 20)
    hand.press(20, 20)
    hand.move(40, 40)
    assert canvas.shown_prompts.points == (Point(40, 40),)
    canvas.escape()
    hand.release(40, 40)
    assert prompts() == PromptSet((Point(20, 20),))
    assert document.undo_stack.count() == 1
    canvas.escape()
    assert canvas.selected is None


def test_clear(canvas, document, hand, prompts):
    hand.click(20, 20)
    hand.drag((5, 5), (60, 50))
    canvas.clear_prompts()
    assert not prompts()
    document.undo_stack.undo()
    assert prompts().box


def test_the_wheel_zooms_at_the_pointer(canvas, hand):
    for x, y, steps in ((10.3, 50.2, 3), (20.1, 45.6, 4), (19, 46, -5)):
        at = canvas.to_view(x, y).toPoint()
        assert canvas.viewport().rect().contains(at)
        before = canvas.to_image(QPointF(at))
        hand.wheel(x, y, steps)
        after = canvas.to_view(before.x(), before.y())
        assert (after - QPointF(at)).manhattanLength() <= 1.01


def test_zoom_has_limits(canvas, hand):
    hand.wheel(40, 30, 100)
    assert canvas.zoom == pytest.approx(MAX_ZOOM)
    hand.wheel(40, 30, -200)
    assert canvas.zoom == pytest.approx(MIN_ZOOM)


def test_actual_size_fit_and_steps(canvas):
    canvas.actual_size()
    assert canvas.zoom == pytest.approx(1)
    canvas.zoom_in()
    canvas.zoom_out()
    assert canvas.zoom == pytest.approx(1)
    canvas.fit()
    assert canvas.zoom == pytest.approx(8)


@pytest.mark.parametrize("way", ["middle", "space"])
def test_panning(canvas, hand, qtbot, prompts, way):
    if way == "space":
        qtbot.keyPress(canvas, Qt.Key.Key_Space)
    before = canvas.to_view(0, 0)
    hand.drag((10, 10), (20, 5), MIDDLE if way == "middle" else LEFT)
    assert canvas.to_view(0, 0) - before == QPointF(80, -40)
    assert not prompts()
    qtbot.keyRelease(canvas, Qt.Key.Key_Space)
    hand.click(20, 20)
    assert prompts()


def test_pointed_reports_the_pointers_position(canvas, hand):
    seen = []
    canvas.pointer_moved.connect(seen.append)
    hand.move(20, 10)
    hand.move(-1, -1)
    assert [seen[-2], seen[-1]] == [QPointF(20, 10), None]


def test_modes_go_round(canvas):
    seen = []
    canvas.mode_changed.connect(seen.append)
    for _ in VIEW_MODES:
        canvas.next_mode()
    assert tuple(seen) == (*VIEW_MODES[1:], VIEW_MODES[0])


def test_the_canvas_shows_markers_and_matte(canvas, document, hand, make_matte):
    def colour(x, y):
        at = canvas.to_view(x, y).toPoint()
        return canvas.viewport().grab().toImage().pixelColor(at).getRgb()[:3]

    plain = (200, 200, 200)
    assert colour(20, 30) == colour(70, 30) == plain
    hand.click(10, 10)
    hand.click(60, 10, RIGHT)
    document.receive_matte(document.request(), make_matte())
    assert colour(20, 30) == plain, "the object keeps its colour"
    red, green, blue = colour(70, 30)
    assert red < 120 < blue, "the background is veiled"
    red, green, blue = colour(10.4, 10.5)
    assert green > red + 60, "positive is green"
    red, green, blue = colour(60.4, 10.5)
    assert red > green + 60, "negative is red"
    assert colour(10, 10) == (255, 255, 255), "with a sign on it"
