"""Colour keys remove a screen; strokes with a tolerance keep to colours."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from zim_model.errors import Cancelled, ZimError
from zim_model.finish import ColourKey, Finish, Stroke
from zim_model.inference.engine import Engine
from zim_model.matting.colour_keys import apply_colour_keys
from zim_model.matting.edge_and_brush import apply_strokes
from zim_model.prompts import Box, PromptSet
from zim_model.recipe import Recipe
from zim_model.request import ALPHA_MAX, Request

GREEN, RED = (30, 170, 60), (190, 40, 50)
KEY = ColourKey(0x1EAA3C)


@pytest.fixture
def screen():
    """A red square before a noisy green screen, in rows and columns 20 to 60."""
    rng = np.random.default_rng(0)
    image = np.array(GREEN) + rng.normal(0, 3, (300, 80, 3))
    image[20:60, 20:60] = RED
    return np.clip(image, 0, 255).astype(np.uint8)


@pytest.fixture
def square(screen):
    mask = np.zeros(screen.shape[:2], bool)
    mask[20:60, 20:60] = True
    return mask


def test_a_key_removes_its_colour_and_keeps_the_others(screen, square):
    full = np.full(square.shape, ALPHA_MAX, np.uint16)
    keyed = apply_colour_keys(full, screen, (KEY,))
    assert (keyed[square] == ALPHA_MAX).all()
    assert (keyed[~square] == 0).all()
    assert (full == ALPHA_MAX).all()
    assert apply_colour_keys(full, screen, ()) is full


def test_opacity_rises_over_the_softness(screen):
    full = np.full(screen.shape[:2], ALPHA_MAX, np.uint16)
    mixed = np.linspace(GREEN, RED, 80).astype(np.uint8)[None].repeat(300, 0)
    hard, soft = (
        apply_colour_keys(full, mixed, (replace(KEY, softness=softness),))[0]
        for softness in (0.0, 0.5)
    )
    assert (np.diff(soft.astype(int)) >= 0).all()
    assert ((soft > 0) & (soft < ALPHA_MAX)).sum() > 10
    assert ((hard > 0) & (hard < ALPHA_MAX)).sum() <= 2


def test_several_keys_each_remove_their_colour(screen):
    full = np.full(screen.shape[:2], ALPHA_MAX, np.uint16)
    assert not apply_colour_keys(full, screen, (KEY, ColourKey(0xBE2832))).any()


def test_a_key_alone_cuts_out_all_but_its_colour(screen, square):
    recipe = Recipe(finish=Finish(colour_keys=(KEY,)))
    matte = Engine().solve(Request(screen, "screen", recipe))
    assert ((matte.alpha > ALPHA_MAX // 2) == square).all()


def test_a_key_on_an_object_only_removes(screen, square):
    recipe = Recipe(PromptSet((), Box(20, 20, 60, 60)))
    engine = Engine()
    plain = engine.solve(Request(screen, "screen", recipe)).alpha
    keyed = engine.solve(
        Request(screen, "screen", recipe.with_finish(colour_keys=(KEY,)))
    ).alpha
    assert (keyed <= plain).all()
    assert not keyed[~square].any()


def test_keying_can_be_cancelled(screen):
    full = np.full(screen.shape[:2], ALPHA_MAX, np.uint16)
    with pytest.raises(Cancelled):
        apply_colour_keys(full, screen, (KEY,), cancelled=lambda: True)


def test_an_eraser_with_a_tolerance_leaves_other_colours(screen, square):
    full = np.full(square.shape, ALPHA_MAX, np.uint16)
    stroke = Stroke(((10.0, 30.0, 1.0), (10.0, 55.0, 1.0)), 25.0, 1.0, "erase")
    plain = apply_strokes(full, [stroke], image=screen)
    kept = apply_strokes(full, [replace(stroke, tolerance=0.2)], image=screen)
    assert not plain[25:55, 20:30].any()
    assert (kept[square] == ALPHA_MAX).all()
    assert not kept[25:55, 2:18].any()


def test_a_refine_stroke_finds_the_edge_in_it(screen, square):
    wrong = np.zeros(square.shape, np.uint16)
    wrong[20:60, 20:68] = ALPHA_MAX  # too wide by 8 pixels
    path = ((64.0, 10.0, 1.0), (64.0, 70.0, 1.0))
    out = apply_strokes(wrong, [Stroke(path, 8.0, 1.0, "refine")], image=screen)
    assert (out[25:55, 60:70] < 0.1 * ALPHA_MAX).all()
    assert (out[25:55, 50:58] > 0.9 * ALPHA_MAX).all()
    untouched = np.s_[:, :50]
    assert (out[untouched] == wrong[untouched]).all()


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(finish=Finish(colour_keys=(KEY, ColourKey(0x000001, 0.0, 1.0)))),
        Recipe(
            finish=Finish(strokes=(Stroke(((1.0, 2.0, 1.0),), 3.0, tolerance=0.2),))
        ),
        Recipe(
            finish=Finish(strokes=(Stroke(((1.0, 2.0, 1.0),), 3.0, brush="refine"),))
        ),
    ],
    ids=["key", "tolerance", "refine"],
)
def test_recipes_with_colours_are_stored_as_a_new_version(recipe):
    stored = recipe.to_json()
    assert stored["version"] == 4
    assert Recipe.from_json(stored) == recipe


@pytest.mark.parametrize(
    "keys",
    [
        [{"colour": "#1234567", "tolerance": 0.1, "softness": 0.1}],
        [{"colour": "green", "tolerance": 0.1, "softness": 0.1}],
        [{"colour": "#00ff00", "tolerance": 1.5, "softness": 0.1}],
        [{"colour": "#00ff00", "tolerance": 0.1, "softness": float("nan")}],
        [{"colour": "#00ff00"}],
        [{"colour": "#00ff00", "tolerance": 0.1, "softness": 0.1}] * 17,
        "green",
        3,
    ],
)
def test_malformed_keys_are_refused(keys):
    stored = Recipe().to_json() | {"version": 4}
    stored["finish"]["colour_keys"] = keys
    with pytest.raises(ZimError, match="finish"):
        Recipe.from_json(stored)
