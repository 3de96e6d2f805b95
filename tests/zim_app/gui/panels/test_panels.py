"""Refinement, candidates and previews in the window."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QEnterEvent
from PySide6.QtWidgets import QApplication

from zim_app.gui.panels.fields import STEPS, SliderField, SliderScale
from zim_app.gui.settings import preferences
from zim_model.finish import STANDARD_FINISH
from zim_model.prompts import Point, PromptSet
from zim_model.recipe import Recipe
from zim_model.request import Request

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def click(opened, qtbot):
    def click(x, y):
        at = opened.canvas.to_view(x, y).toPoint()
        qtbot.mouseClick(opened.canvas.viewport(), LEFT, pos=at)

    return click


@pytest.fixture
def clicked(opened, click, settle):
    click(20, 20)
    settle()
    return opened


@pytest.fixture
def recipe(opened):
    return lambda: opened.document.state.recipe


@pytest.fixture
def candidates(engine):
    """Let the engine's mattes have candidates."""
    solve = engine.solve
    images = tuple(np.full((6, 8), 60 * i, np.uint8) for i in range(4))
    scores = np.array([0.9, 0.8, 0.7, 0.6], np.float32)

    def with_candidates(request, *rest):
        matte = solve(request, *rest)
        which = request.recipe.options.candidate or 0
        return replace(matte, candidates=images, scores=scores, candidate=which)

    engine.solve = with_candidates


# -- A slider ---------------------------------------------


@pytest.fixture
def field(qtbot):
    field = SliderField("&Feather", "Blurs", SliderScale(0, 50, 0, decimals=1, curve=2))
    qtbot.addWidget(field)
    field.show()
    return field


def test_a_slider_maps_both_ways():
    scale = SliderScale(-20, 20, 0, decimals=1)
    assert scale.value(0) == -20
    assert scale.value(STEPS) == 20
    for value in (-13.2, 0.0, 7.7):
        assert scale.value(scale.position(value)) == pytest.approx(value, abs=0.06)


def test_a_drag_counts_once_at_its_end(field):
    seen = []
    field.changing.connect(lambda value: seen.append(("changing", value)))
    field.changed.connect(lambda value: seen.append(("changed", value)))
    field.slider.setSliderDown(True)
    for position in (100, 300, 500):
        field.slider.setValue(position)
    assert [kind for kind, _ in seen] == ["changing"] * 3
    assert field.moving
    field.slider.setSliderDown(False)
    assert seen[-1] == ("changed", field.value)
    assert len(seen) == 4


def test_a_number_counts_when_it_rests(field, qtbot):
    with qtbot.waitSignal(field.changed) as caught:
        field.number.setValue(3)
        field.number.setValue(4)
    assert caught.args == [4]


def test_a_double_click_resets(field, qtbot):
    field.set_value(9)
    with qtbot.waitSignal(field.changed) as caught:
        qtbot.mouseDClick(field.label, LEFT)
    assert caught.args == [0]


def test_showing_a_value_is_no_change(field):
    seen = []
    field.changing.connect(seen.append)
    field.changed.connect(seen.append)
    field.set_value(12)
    field.commit_pending()
    assert seen == []
    assert field.value == 12


# -- Refinement ---------------------------------------------


def test_a_dragged_slider_is_previewed_and_is_one_step(clicked, recipe, engine, settle):
    field = clicked.tools.refine.fields["feather"]
    steps, before = clicked.document.undo_stack.count(), recipe()
    field.slider.setSliderDown(True)
    for value in (2.0, 5.0, 8.0):
        field.slider.setValue(field.scale.position(value))
    settle()
    assert recipe() == before, "the document stays as it is"
    assert engine.solved[-1].recipe.finish.feather == pytest.approx(8, abs=0.1)
    assert clicked.canvas._preview is not None
    field.slider.setSliderDown(False)
    settle()
    assert recipe().finish.feather == pytest.approx(8, abs=0.1)
    assert clicked.document.undo_stack.count() == steps + 1
    assert clicked.document.undo_stack.undoText() == "Feather"
    assert clicked.canvas._preview is None, "the document has its own matte now"
    clicked.actions_by_id["undo"].trigger()
    assert field.value == 0


@pytest.mark.parametrize(
    ("name", "shown", "value"),
    [
        ("contrast", 40, 0.4),
        ("shift_edge", -3.5, -3.5),
        ("feather", 6, 6),
        ("decontaminate", 75, 0.75),
    ],
)
def test_numbers_reach_the_recipe(clicked, recipe, name, shown, value):
    panel = clicked.tools.refine
    panel.fields[name].number.setValue(shown)
    panel.commit_pending()
    assert getattr(recipe().finish, name) == value


def test_a_slider_keeps_the_strokes(clicked, recipe, qtbot, click):
    qtbot.keyClick(clicked.canvas, Qt.Key.Key_B)
    click(40, 40)
    panel = clicked.tools.refine
    panel.fields["feather"].number.setValue(6)
    panel.commit_pending()
    assert len(recipe().finish.strokes) == 1
    qtbot.mouseClick(panel.reset_button, LEFT)
    assert replace(recipe().finish, strokes=()) == STANDARD_FINISH
    assert recipe().finish.strokes
    assert panel.fields["feather"].value == 0


def test_the_detail_is_chosen(clicked, recipe):
    box = clicked.tools.refine.detail
    box.setCurrentIndex(box.findData("bilinear"))
    box.activated.emit(box.currentIndex())
    assert recipe().options.upsampling == "bilinear"
    clicked.actions_by_id["undo"].trigger()
    assert box.currentData() == "guided"


def test_flip_tta_is_one_undo_step(clicked, engine, recipe, qtbot, settle):
    panel = clicked.tools.refine
    steps = clicked.document.undo_stack.count()
    indicator = QPoint(8, panel.mirrored.height() // 2)
    qtbot.mouseClick(panel.mirrored, LEFT, pos=indicator)
    settle()
    assert recipe().options.flip_tta
    assert engine.solved[-1].recipe.options.flip_tta
    assert clicked.document.undo_stack.count() == steps + 1
    clicked.actions_by_id["undo"].trigger()
    assert not panel.mirrored.isChecked()
    clicked.actions_by_id["redo"].trigger()
    assert panel.mirrored.isChecked()
    qtbot.mouseClick(panel.reset_button, LEFT)
    assert not recipe().options.flip_tta


def test_a_change_goes_to_the_object_it_was_meant_for(clicked, recipe):
    clicked.tools.refine.fields["feather"].number.setValue(6)
    clicked.actions_by_id["object_new"].trigger()
    clicked.tools.refine.commit_pending()
    by_id = {item.id: item.recipe for item in clicked.document.state.objects}
    assert by_id[1].finish.feather == 6
    assert recipe().finish.feather == 0
    assert clicked.tools.refine.fields["feather"].value == 0


# -- Candidates ---------------------------------------------


def test_candidates_are_shown_and_chosen(candidates, clicked, recipe, qtbot, settle):
    strip = clicked.tools.candidates
    assert next(b.text() for b in strip.buttons) == "1 · 0.90"
    assert [b.isChecked() for b in strip.buttons] == [True, False, False, False]
    qtbot.mouseClick(strip.buttons[2], LEFT)
    settle()
    assert recipe().options.candidate == 2
    assert strip.buttons[2].isChecked()
    assert clicked.document.undo_stack.undoText() == "Choose candidate"
    qtbot.keyClick(clicked.canvas, Qt.Key.Key_2)
    settle()
    assert recipe().options.candidate == 1
    clicked.actions_by_id["undo"].trigger()
    assert strip.buttons[2].isChecked()


def test_choosing_the_same_is_no_step(candidates, clicked, qtbot):
    steps = clicked.document.undo_stack.count()
    qtbot.mouseClick(clicked.tools.candidates.buttons[0], LEFT)
    assert clicked.document.undo_stack.count() == steps
    assert clicked.tools.candidates.buttons[0].isChecked()


def test_without_candidates_there_is_nothing_to_choose(opened, qtbot, recipe):
    assert not any(b.isEnabled() for b in opened.tools.candidates.buttons)
    before = recipe()
    qtbot.keyClick(opened.canvas, Qt.Key.Key_3)
    assert recipe() == before


def test_hovering_over_a_candidate_previews_it(
    candidates, clicked, recipe, engine, settle
):
    before, steps = recipe(), clicked.document.undo_stack.count()
    button = clicked.tools.candidates.buttons[3]
    at = QPointF(5, 5)
    QApplication.sendEvent(button, QEnterEvent(at, at, at))
    settle()
    assert engine.solved[-1].recipe.options.candidate == 3
    assert clicked.canvas._preview is not None
    QApplication.sendEvent(button, QEvent(QEvent.Type.Leave))
    assert clicked.canvas._preview is None
    assert (recipe(), clicked.document.undo_stack.count()) == (before, steps)


# -- Preview of a click --------------------------------------------------


@pytest.mark.parametrize("target", ["background", "objects"])
def test_hovering_previews_a_click(clicked, engine, qtbot, settle, recipe, target):
    """As the overlay: by the outline where masked areas are tinted, else by a tint."""
    preferences.set_value("overlay_shows", target)
    without = clicked.canvas.viewport().grab().toImage()
    before = recipe()
    qtbot.keyClick(clicked.canvas, Qt.Key.Key_P)
    assert clicked.actions_by_id["hover_preview"].isChecked()
    for x in (40, 50):  # a pointer that is there already sends nothing
        at = clicked.canvas.to_view(x, 30).toPoint()
        qtbot.mouseMove(clicked.canvas.viewport(), at)
    settle()
    request = engine.solved[-1]
    assert request.recipe.prompts.points[:-1] == before.prompts.points
    assert request.recipe.prompts.points[-1].x == pytest.approx(50, abs=0.1)
    assert request.recipe.options.upsampling == "bilinear"
    assert not request.cacheable
    assert recipe() == before
    shown = clicked.canvas.viewport().grab().toImage()
    inside = clicked.canvas.to_view(10, 50).toPoint()
    same = shown.pixelColor(inside) == without.pixelColor(inside)
    assert same == (target == "background")
    assert shown != without
    qtbot.keyClick(clicked.canvas, Qt.Key.Key_P)
    settle()
    assert clicked.canvas.viewport().grab().toImage() == without


def test_only_the_newest_hover_waits(clicked, engine, qtbot, settle):
    qtbot.keyClick(clicked.canvas, Qt.Key.Key_P)
    settle()
    engine.gate.clear()
    solved = len(engine.solved)
    for x in (30, 40, 50, 60):
        at = clicked.canvas.to_view(x, 30).toPoint()
        qtbot.mouseMove(clicked.canvas.viewport(), at)
    engine.gate.set()
    settle()
    xs = [round(r.recipe.prompts.points[-1].x) for r in engine.solved[solved:]]
    assert xs in ([30, 60], [60])


def test_the_brush_and_the_outside_have_no_preview(clicked, engine, qtbot, settle):
    qtbot.keyClick(clicked.canvas, Qt.Key.Key_P)
    qtbot.mouseMove(clicked.canvas.viewport(), QPoint(1, 1))
    qtbot.keyClick(clicked.canvas, Qt.Key.Key_B)
    settle()
    solved = len(engine.solved)
    qtbot.mouseMove(clicked.canvas.viewport(), clicked.canvas.to_view(50, 30).toPoint())
    settle()
    assert len(engine.solved) == solved


# -- The queue ---------------------------------------------

IMAGE = np.zeros((60, 80, 3), np.uint8)


def make_request(x):
    return Request(IMAGE, "a", Recipe(PromptSet((Point(x, 1),))))


@pytest.fixture
def answers(queue):
    received = []
    queue.solved.connect(lambda request, matte: received.append(("solved", request)))
    queue.previewed.connect(
        lambda request, matte: received.append(("previewed", request))
    )
    queue.failed.connect(lambda request, error: received.append(("failed", request)))
    return received


def test_a_preview_is_solved_when_idle(queue, answers, qtbot):
    preview = make_request(1)
    queue.preview(preview)
    assert not queue.idle
    qtbot.waitUntil(lambda: queue.idle)
    assert answers == [("previewed", preview)]


def test_the_newest_preview_follows_the_running_one(queue, engine, answers, qtbot):
    engine.gate.clear()
    previews = [make_request(x) for x in range(4)]
    for preview in previews:
        queue.preview(preview)
    engine.gate.set()
    qtbot.waitUntil(lambda: queue.idle)
    assert [r for _, r in answers] == [previews[0], previews[-1]]


def test_a_request_drops_previews(queue, engine, answers, qtbot):
    engine.gate.clear()
    running, waiting, request = make_request(1), make_request(2), make_request(3)
    queue.preview(running)
    qtbot.waitUntil(lambda: engine.calls == ["solve"])
    queue.preview(waiting)
    queue.solve(request)
    engine.gate.set()
    qtbot.waitUntil(lambda: queue.idle)
    assert answers == [("solved", request)]
    assert engine.cancelled == [running]


def test_a_preview_waits_for_a_request(queue, engine, answers, qtbot):
    engine.gate.clear()
    request, preview = make_request(1), make_request(2)
    queue.solve(request)
    queue.preview(preview)
    engine.gate.set()
    qtbot.waitUntil(lambda: queue.idle)
    assert answers == [("solved", request), ("previewed", preview)]


def test_a_withdrawn_preview_is_cancelled(queue, engine, answers, qtbot):
    engine.gate.clear()
    queue.preview(make_request(1))
    qtbot.waitUntil(lambda: engine.calls == ["solve"])
    queue.preview(None)
    engine.gate.set()
    qtbot.waitUntil(lambda: queue.idle)
    assert answers == []


def test_a_preview_fails_silently(queue, engine, answers, qtbot, refusal):
    engine.error = refusal
    queue.preview(make_request(1))
    qtbot.waitUntil(lambda: queue.idle)
    assert answers == []
