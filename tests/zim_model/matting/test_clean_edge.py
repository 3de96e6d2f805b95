"""The black and white point of a matte."""

import numpy as np
import pytest

import zim_model.matting.clean_edge
from zim_model.errors import ZimError
from zim_model.finish import Finish, finish_from_json, finish_to_json
from zim_model.matting.clean_edge import (
    LEAST_WHITE,
    MOST_BLACK,
    Levels,
    clean_edge,
    find_levels,
)
from zim_model.recipe import Recipe
from zim_model.request import ALPHA_MAX


def disc(side=300, low=0.02, high=0.94, softness=8.0, radius=0.3):
    """A hazy disc: alpha ``low`` outside, ``high`` inside, a linear edge between."""
    rows, columns = np.mgrid[:side, :side] + 0.5 - side / 2
    inside = radius * side - np.hypot(rows, columns)
    share = np.clip(inside / softness + 0.5, 0, 1)
    return words(low + (high - low) * share)


def words(alpha):
    return np.rint(np.asarray(alpha) * ALPHA_MAX).astype(np.uint16)


def test_the_levels_of_a_hazy_disc_are_found():
    levels = find_levels(disc())
    assert levels.black == pytest.approx(0.02, abs=1e-4)
    assert levels.white == pytest.approx(0.94, abs=1e-4)


def test_a_hazy_disc_becomes_opaque_and_its_ground_transparent():
    hazy = disc()
    kept = hazy.copy()
    clean = clean_edge(hazy)
    assert (hazy == kept).all()
    assert clean.dtype == np.uint16
    assert clean[150, 150] == ALPHA_MAX
    assert clean[0, 0] == 0
    exact = np.clip((hazy / ALPHA_MAX - 0.02) / 0.92, 0, 1) * ALPHA_MAX
    assert np.abs(clean - exact).max() <= 1
    soft = (hazy > hazy.min()) & (hazy < hazy.max())
    assert ((clean > 0) & (clean < ALPHA_MAX))[soft].all(), "the edge stays soft"


def test_noise_of_a_tenth_of_the_interior_does_not_count():
    rng = np.random.default_rng(1)
    alpha = disc(low=0.0, high=1.0)
    hole = rng.random(alpha.shape) < 0.08
    alpha[hole & (alpha == ALPHA_MAX)] = words(0.7)
    assert find_levels(alpha) == Levels()
    assert clean_edge(alpha) is alpha


def test_glass_and_haze_are_limited():
    levels = find_levels(disc(low=0.2, high=0.7))
    assert levels == Levels(MOST_BLACK, LEAST_WHITE)


@pytest.mark.parametrize(
    ("alpha", "levels"),
    [
        (np.zeros((60, 80), np.uint16), Levels()),
        (np.full((60, 80), ALPHA_MAX, np.uint16), Levels()),
        (np.full((1, 1), 60000, np.uint16), Levels(white=60000 / ALPHA_MAX)),
        (words(np.full((60, 80), 0.9)), Levels(white=words(0.9) / ALPHA_MAX)),
        (words(np.full((60, 80), 0.03)), Levels(black=words(0.03) / ALPHA_MAX)),
    ],
    ids=["empty", "full", "pixel", "no exterior", "no interior"],
)
def test_a_missing_side_keeps_its_end(alpha, levels):
    found = find_levels(alpha)
    assert (found.black, found.white) == pytest.approx((levels.black, levels.white))


def test_an_object_too_thin_for_an_interior_keeps_its_alpha():
    alpha = np.zeros((200, 200), np.uint16)
    alpha[:, 98:102] = words(0.8)
    assert clean_edge(alpha) is alpha


def test_soft_hair_stays_soft():
    """A wide soft fringe, and strands that are nowhere opaque, keep their range."""
    alpha = disc(side=600, low=0.0, high=0.97, softness=120, radius=0.25)
    alpha[:, :60:6] = words(0.35)
    clean = clean_edge(alpha)
    soft = (alpha > 0) & (alpha < words(LEAST_WHITE))
    assert ((clean > 0) & (clean < ALPHA_MAX))[soft].all()
    np.testing.assert_allclose(clean[soft], alpha[soft] / LEAST_WHITE, atol=1)


def test_a_large_matte_has_the_levels_of_a_sample(monkeypatch):
    alpha = disc(side=1100, low=0.012, high=0.93)
    noise = np.random.default_rng(2).normal(0, 0.01 * ALPHA_MAX, alpha.shape)
    alpha = np.clip(alpha + noise, 0, ALPHA_MAX).astype(np.uint16)
    sampled = find_levels(alpha)
    monkeypatch.setattr(zim_model.matting.clean_edge, "SAMPLED_PIXELS", alpha.size)
    exact = find_levels(alpha)
    assert exact.white == pytest.approx(0.93 - 1.28 * 0.01, abs=1e-3)
    assert sampled.white == pytest.approx(exact.white, abs=5e-4)
    assert sampled.black == pytest.approx(exact.black, abs=5e-4)


# -- Stored recipes --------------------------------------------------------------------


def test_a_clean_edge_is_stored_in_a_recipe_of_its_own_version():
    stored = Recipe(finish=Finish(clean_edge=True)).to_json()
    assert stored["version"] == 5
    assert stored["finish"]["clean_edge"] is True
    assert Recipe.from_json(stored).finish == Finish(clean_edge=True)


def test_without_one_recipes_are_stored_as_before():
    stored = Recipe().to_json()
    assert stored["version"] == 3
    assert "clean_edge" not in stored["finish"]
    assert not Recipe.from_json(stored).finish.clean_edge


@pytest.mark.parametrize("value", [1, "yes", None, []])
def test_other_values_are_refused(value):
    data = finish_to_json(Finish()) | {"clean_edge": value}
    with pytest.raises(ZimError, match="clean_edge"):
        finish_from_json(data)
