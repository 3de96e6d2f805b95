"""The finish of mattes: the order of its steps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from zim_model.finish import ColourKey, Finish, Stroke
from zim_model.inference.finishing import Finisher
from zim_model.matting.clean_edge import clean_edge
from zim_model.matting.edge_and_brush import apply_edge_adjustments, apply_strokes
from zim_model.prompts import Point, PromptSet
from zim_model.recipe import Options, Recipe
from zim_model.request import ALPHA_MAX, Request, never_cancelled

IMAGE = np.full((150, 200, 3), 120, np.uint8)
IMAGE[:75, :, 1] = 250
ROWS, COLUMNS = np.mgrid[:150, :200]
SHARE = np.clip((45 - np.hypot(COLUMNS - 100, ROWS - 75)) / 6 + 0.5, 0, 1)
HAZY = np.rint((0.01 + 0.91 * SHARE) * ALPHA_MAX).astype(np.uint16)
"""A disc that is not quite opaque, on a ground that is not quite transparent."""
CLEAN = Finish(clean_edge=True)
ADD = Stroke(((20.0, 20.0, 1.0),), 8.0, 1.0)
FAINT = Stroke(((100.0, 75.0, 1.0),), 8.0, 1.0, "erase", 0.04)


@pytest.fixture
def finisher():
    return Finisher()


def finished(finisher, finish, *, draft=False, **options):
    recipe = Recipe(PromptSet((Point(100, 75),)), "fake", Options(**options), finish)
    request = Request(IMAGE, "a", recipe, draft=draft)
    return finisher.finish(request, HAZY, never_cancelled)


def test_a_clean_edge_stretches_the_models_matte(finisher):
    clean = finished(finisher, CLEAN)
    assert clean[75, 100] == ALPHA_MAX
    assert clean[5, 5] == 0
    plain = finished(finisher, Finish())
    assert (plain == HAZY).all(), "switching it off gives the plain matte"


def test_it_comes_before_all_other_steps(finisher):
    strokes = (ADD, FAINT)
    finish = replace(CLEAN, feather=2.0, shift_edge=1.5, contrast=0.3, strokes=strokes)
    adjusted = apply_edge_adjustments(clean_edge(HAZY), finish)
    painted = apply_strokes(adjusted, strokes)
    result = finished(finisher, finish)
    # Coverage is cached in 16 bits.
    assert np.abs(result.astype(int) - painted).max() <= 1
    assert result[20, 20] == ALPHA_MAX
    # A stroke that takes little away is not stretched to opaque again.
    assert result[75, 100] == pytest.approx(0.96 * ALPHA_MAX, abs=2)


def test_a_stroke_does_not_move_the_levels(finisher):
    path = ((0.0, 10.0, 1.0), (200.0, 10.0, 1.0))
    wide = Stroke(path, 14.0, 1.0, "add", 0.6)
    clean = finished(finisher, CLEAN)
    painted = finished(finisher, replace(CLEAN, strokes=(wide,)))
    assert painted[10, 100] == pytest.approx(0.6 * ALPHA_MAX, abs=1)
    assert (painted[26:] == clean[26:]).all()


def test_drafts_show_it(finisher):
    draft = finished(finisher, CLEAN, draft=True)
    assert (draft == clean_edge(HAZY)).all()


def test_what_the_official_code_gives_stays_exact(finisher):
    assert (finished(finisher, CLEAN, upsampling="official") == HAZY).all()
    assert finished(finisher, CLEAN, upsampling="native")[75, 100] == ALPHA_MAX


def test_colours_are_removed_from_the_clean_matte(finisher):
    keys = (ColourKey(0x78FA78),)
    result = finished(finisher, replace(CLEAN, colour_keys=keys))
    assert result[60, 100] == 0
    assert result[90, 100] == ALPHA_MAX


def test_it_is_no_prompt_of_its_own():
    assert not Recipe(finish=CLEAN).has_prompts
