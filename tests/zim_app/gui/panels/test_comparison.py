"""Two candidates over one another, in the window."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor

from zim_app.gui.canvas.onion_skin import BOTH, FIRST, SECOND, onion_colours
from zim_model.prompts import Point
from zim_model.request import ALPHA_MAX

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture(autouse=True)
def candidates(engine):
    """Candidate n is opaque on the left n + 1 fifths of the image."""
    solve = engine.solve

    def with_candidates(request, *rest):
        matte = solve(request, *rest)
        which = request.recipe.options.candidate or 0
        alpha = np.zeros_like(matte.alpha)
        alpha[:, : 16 * (which + 1)] = ALPHA_MAX
        return replace(
            matte,
            alpha=alpha,
            pyramid=((alpha >> 8).astype(np.uint8),),
            candidates=(np.zeros((6, 8), np.uint8),) * 4,
            candidate=which,
        )

    engine.solve = with_candidates


@pytest.fixture
def cut(opened, qtbot, settle):
    at = opened.canvas.to_view(8, 20).toPoint()
    qtbot.mouseClick(opened.canvas.viewport(), LEFT, pos=at)
    settle()
    opened.canvas.set_prompts_hidden(True)
    return opened


@pytest.fixture
def row(cut):
    return cut.tools.candidates.comparison


@pytest.fixture
def colour(cut):
    """The colour on the screen in the n-th fifth of the photo."""

    def colour(fifth):
        at = cut.canvas.to_view(16 * fifth + 8, 40).toPoint()
        return cut.canvas.viewport().grab().toImage().pixelColor(at)

    return colour


@pytest.fixture
def compared(cut, row, qtbot, settle):
    """Candidate 1, chosen, compared with 2."""
    qtbot.mouseClick(row.button, LEFT)
    settle()
    return cut


def hue_near(colour, expected):
    return abs(colour.hue() - expected.hue()) < 12 and colour.saturation() > 60


def test_nothing_is_compared_at_first(cut, row):
    assert not row.on
    assert not row.slider.isEnabled()
    assert not cut.actions_by_id["compare_candidates"].isChecked()


def test_differences_have_colours_and_agreement_is_grey(compared, colour):
    photo = QColor(200, 100, 50).saturation()
    assert colour(0).saturation() < 0.6 * photo, "greyer than the photo"
    assert hue_near(colour(1), SECOND)
    assert colour(3).getRgb()[:3] == (200, 100, 50), "the photo, in neither of them"


def test_another_pair_can_be_chosen(compared, row, colour, qtbot, settle):
    assert [row.others.itemText(i) for i in range(row.others.count())] == list("234")
    row.others.setFocus()
    qtbot.keyClick(row.others, Qt.Key.Key_End)
    settle()
    assert row.other == 3
    assert hue_near(colour(3), SECOND)
    compared.tools.candidates.choose(3)
    settle()
    assert row.other == 0, "they swap"
    assert hue_near(colour(3), FIRST)
    assert compared.document.undo_stack.count() == 2, "only choosing is an edit"


def test_the_slider_blends_from_one_to_the_other(compared, row, colour, qtbot):
    row.slider.setFocus()
    qtbot.keyClick(row.slider, Qt.Key.Key_Home)
    assert hue_near(colour(0), FIRST)
    assert colour(1).getRgb()[:3] == (200, 100, 50)
    qtbot.keyClick(row.slider, Qt.Key.Key_End)
    assert hue_near(colour(0), SECOND)
    assert hue_near(colour(1), SECOND)


def test_the_key_and_the_menu_toggle_it(cut, row, colour, qtbot, settle):
    cut.canvas.setFocus()
    qtbot.keyClick(cut.canvas, Qt.Key.Key_O)
    settle()
    assert row.on
    assert cut.actions_by_id["compare_candidates"].isChecked()
    assert hue_near(colour(1), SECOND)
    cut.actions_by_id["compare_candidates"].trigger()
    assert not row.on
    assert not hue_near(colour(1), SECOND) or colour(1) == colour(3), "as before"


def test_another_click_is_compared_too(compared, row, colour, engine, settle):
    recipe = compared.document.state.recipe.with_point(Point(40, 30))
    engine.gate.clear()
    compared.document.edit("Add point", recipe)
    assert not hue_near(colour(1), SECOND), "it belongs to other prompts"
    engine.gate.set()
    settle()
    assert hue_near(colour(1), SECOND)


def test_previews_under_the_pointer_do_not_prevent_it(cut, row, colour, qtbot, settle):
    cut.tools.previews.set_hovering(True)
    qtbot.mouseMove(cut.canvas.viewport(), cut.canvas.to_view(60, 20).toPoint())
    qtbot.mouseClick(row.button, LEFT)
    qtbot.mouseMove(cut.canvas.viewport(), cut.canvas.to_view(62, 22).toPoint())
    settle()
    assert hue_near(colour(1), SECOND)


def test_it_ends_without_candidates(compared, row, settle):
    compared.actions_by_id["clear"].trigger()
    settle()
    assert not row.on
    assert not row.button.isEnabled()
    assert not compared.actions_by_id["compare_candidates"].isChecked()


def test_the_photo_is_seen_while_the_key_is_held(compared, colour, qtbot):
    qtbot.keyPress(compared.canvas, Qt.Key.Key_Backslash)
    assert colour(1).getRgb()[:3] == (200, 100, 50)
    qtbot.keyRelease(compared.canvas, Qt.Key.Key_Backslash)
    assert hue_near(colour(1), SECOND)


def test_nothing_is_left_over_found_objects(compared, colour, settle):
    compared.actions_by_id["everything"].trigger()
    settle()
    assert not hue_near(colour(1), SECOND)
    compared.actions_by_id["escape"].trigger()
    assert hue_near(colour(1), SECOND)


def test_a_view_of_the_matte_alone_shows_the_photo_below(compared, cut, colour):
    compared.actions_by_id["view_matte"].trigger()
    assert colour(3).getRgb()[:3] == (200, 100, 50)


@pytest.mark.parametrize(
    ("blend", "first", "second", "expected"),
    [
        (0.5, 63, 63, BOTH),
        (0.5, 63, 0, FIRST),
        (0.5, 0, 63, SECOND),
        (0.0, 63, 63, FIRST),
        (1.0, 63, 63, SECOND),
        (1.0, 63, 0, None),
        (0.5, 0, 0, None),
    ],
)
def test_the_table_of_colours(blend, first, second, expected):
    value = int(onion_colours(blend)[first, second])
    opacity = value >> 24
    if expected is None:
        assert value == 0
        return
    shown = QColor(*(round((value >> s & 255) * 255 / opacity) for s in (16, 8, 0)))
    for name in ("red", "green", "blue"):
        assert abs(getattr(shown, name)() - getattr(expected, name)()) <= 2
