"""The eyedropper and the refine brush, with real mouse events and the real engine."""

from __future__ import annotations

import numpy as np
import PIL.Image
import pytest
from PySide6.QtCore import QPointF, Qt

from zim_app.gui.main_window import MainWindow
from zim_app.gui.tools.colour_key import ColourKeyGesture
from zim_app.gui.tools.gestures import PointerPress
from zim_app.gui.workers.inference_queue import InferenceQueue
from zim_model.finish import MAX_COLOUR_KEYS, ColourKey
from zim_model.recipe import Recipe
from zim_model.request import ALPHA_MAX

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
GREEN, RED = (30, 170, 60), (190, 40, 50)


@pytest.fixture
def screen(qtbot, tmp_path):
    """The window with a red square, rows and columns 40 to 80, on green."""
    pixels = np.empty((120, 160, 3), np.uint8)
    pixels[:] = GREEN
    pixels[40:80, 40:80] = RED
    PIL.Image.fromarray(pixels).save(tmp_path / "screen.png")
    window = MainWindow(InferenceQueue())
    qtbot.addWidget(window)
    window.resize(900, 700)
    window.show()
    window.open_path(tmp_path / "screen.png")
    qtbot.waitUntil(lambda: window.document is not None and window.idle, timeout=60_000)
    window.actions_by_id["tool_colour_key"].trigger()
    return window


def settle(window, qtbot):
    qtbot.waitUntil(lambda: window.idle, timeout=60_000)


def at(window, x, y):
    return window.canvas.to_view(x, y).toPoint()


def keys(window):
    return window.document.state.recipe.finish.colour_keys


def test_one_click_on_the_screen_cuts_out_the_rest(screen, qtbot):
    qtbot.mouseClick(screen.canvas.viewport(), LEFT, pos=at(screen, 10, 10))
    settle(screen, qtbot)
    alpha = screen.document.state.matte.alpha
    assert (alpha[40:80, 40:80] == ALPHA_MAX).all()
    assert not alpha[:40].any()
    assert screen.document.undo_stack.undoText() == "Remove colour"
    assert not screen.document.state.recipe.prompts


def test_a_right_click_restores_the_nearest_colour(screen, qtbot):
    viewport = screen.canvas.viewport()
    for place in ((10, 10), (60, 60)):
        qtbot.mouseClick(viewport, LEFT, pos=at(screen, *place))
    assert len(keys(screen)) == 2
    qtbot.mouseClick(viewport, RIGHT, pos=at(screen, 70, 70))
    assert [key.colour for key in keys(screen)] == [0x1EAA3C]


def test_a_drag_shows_and_sets_the_tolerance(screen, qtbot):
    viewport, start = screen.canvas.viewport(), at(screen, 10, 10)
    qtbot.mousePress(viewport, LEFT, pos=start)
    qtbot.mouseMove(viewport, start + QPointF(60, 80).toPoint())
    qtbot.waitUntil(lambda: screen.canvas._preview is not None)
    qtbot.mouseRelease(viewport, LEFT, pos=start + QPointF(60, 80).toPoint())
    assert keys(screen)[0].tolerance == pytest.approx(1 / 3, abs=0.01)


def test_escape_during_a_drag_leaves_the_matte(screen, qtbot):
    viewport, start = screen.canvas.viewport(), at(screen, 10, 10)
    qtbot.mousePress(viewport, LEFT, pos=start)
    qtbot.mouseMove(viewport, start + QPointF(60, 80).toPoint())
    screen.actions_by_id["escape"].trigger()
    qtbot.mouseRelease(viewport, LEFT, pos=start)
    assert keys(screen) == ()
    assert screen.canvas._preview is None


def test_sliders_change_the_last_colour(screen, qtbot):
    qtbot.mouseClick(screen.canvas.viewport(), LEFT, pos=at(screen, 10, 10))
    options = screen.tools.options_bar.key
    options.tolerance.number.setValue(30)
    options.tolerance.commit_pending()
    assert [key.tolerance for key in keys(screen)] == [0.3]
    screen.document.undo_stack.undo()
    assert [key.tolerance for key in keys(screen)] == [0.12]
    assert options.tolerance.value == 12
    screen.document.undo_stack.undo()
    assert keys(screen) == ()
    assert not screen.document.state.recipe.has_prompts


def test_a_slider_changes_the_object_that_it_was_moved_for(screen, qtbot):
    qtbot.mouseClick(screen.canvas.viewport(), LEFT, pos=at(screen, 10, 10))
    tolerance = screen.tools.options_bar.key.tolerance
    tolerance.number.setValue(30)
    screen.actions_by_id["object_duplicate"].trigger()
    tolerance.commit_pending()
    finishes = [each.recipe.finish for each in screen.document.state.objects]
    assert [each.colour_keys[0].tolerance for each in finishes] == [0.12, 0.3]
    assert tolerance.value == 12


def test_kept_refinements_leave_colours_out(screen, qtbot):
    qtbot.mouseClick(screen.canvas.viewport(), LEFT, pos=at(screen, 10, 10))
    refine = screen.tools.refine
    refine.fields["feather"].number.setValue(3)
    refine.fields["feather"].commit_pending()
    refine.keep_button.click()
    screen.actions_by_id["object_new"].trigger()
    finish = screen.document.state.recipe.finish
    assert (finish.feather, finish.colour_keys) == (3, ())


def test_a_refine_stroke_is_previewed_and_solved(screen, qtbot):
    screen.actions_by_id["tool_brush"].trigger()
    bar, viewport = screen.tools.options_bar, screen.canvas.viewport()

    def paint(brush, radius, *places):
        bar.brush.brush.buttons[brush].click()
        bar.set_option("radius", radius)
        ats = [at(screen, *place) for place in places]
        qtbot.mousePress(viewport, LEFT, pos=ats[0])
        for each in ats[1:]:
            qtbot.mouseMove(viewport, each)
        if brush == "refine":
            qtbot.waitUntil(lambda: screen.canvas._preview is not None, timeout=60_000)
        qtbot.mouseRelease(viewport, LEFT, pos=ats[-1])
        settle(screen, qtbot)

    paint("add", 30.0, (60, 56), (60, 64))  # beyond the square on all sides
    assert screen.document.state.matte.alpha[60, 82] == ALPHA_MAX
    paint("refine", 8.0, (84, 46), (84, 76))
    alpha = screen.document.state.matte.alpha
    assert screen.document.undo_stack.undoText() == "Brush: refine edge"
    assert (alpha[50:70, 82:90] < ALPHA_MAX // 10).all()
    assert (alpha[50:70, 60:78] > 0.9 * ALPHA_MAX).all()
    assert screen.canvas._preview is None


def test_the_oldest_of_too_many_colours_goes():
    full = tuple(ColourKey(colour) for colour in range(MAX_COLOUR_KEYS))
    recipe = Recipe().with_finish(colour_keys=full)
    press = PointerPress(
        recipe, (9, 9), None, True, QPointF(4, 4), QPointF(4, 4), colour=0xFFFFFF
    )
    edited = ColourKeyGesture.begin(press).edit().recipe.finish.colour_keys
    assert [key.colour for key in edited] == [*range(1, MAX_COLOUR_KEYS), 0xFFFFFF]
