import numpy as np
import pytest

from training.tiny.prompts import (
    correct,
    draw_box,
    draw_clicks,
    draw_first_click,
    draw_lasso,
    draw_scribble,
)
from zim_model.backends.prompt_maps import BOX, NEGATIVE, POSITIVE, RADIUS

SIDE = 128


def disc(row, column, radius, side=SIDE):
    y, x = np.mgrid[:side, :side]
    return np.hypot(y - row, x - column) < radius


def empty():
    return np.zeros((3, SIDE, SIDE), np.uint8)


@pytest.mark.parametrize("seed", range(20))
def test_first_clicks_are_well_inside(seed):
    maps, mask = empty(), disc(60, 70, 30)
    draw_first_click(np.random.default_rng(seed), maps, mask)
    assert mask[maps[POSITIVE] > 0].all()
    assert not maps[NEGATIVE].any()


@pytest.mark.parametrize("seed", range(10))
def test_boxes_are_near_the_object(seed):
    maps, mask = empty(), disc(60, 70, 30)
    draw_box(np.random.default_rng(seed), maps, mask)
    rows, columns = np.nonzero(maps[BOX])
    for edge, true in zip(
        (rows.min(), rows.max(), columns.min(), columns.max()),
        (31, 89, 41, 99),
        strict=True,
    ):
        assert abs(edge - true) <= 0.12 * 60 + 1


def test_boxes_at_the_border_are_cut_there():
    maps = empty()
    draw_box(np.random.default_rng(0), maps, disc(0, 0, 40))
    assert maps[BOX, 5, 5]
    assert not maps[BOX, 50:].any()


@pytest.mark.parametrize("seed", range(10))
def test_scribbles_stay_on_the_object(seed):
    maps, mask = empty(), disc(60, 70, 30)
    draw_scribble(np.random.default_rng(seed), maps, mask)
    assert maps[POSITIVE].any()
    assert mask[maps[POSITIVE] > 0].all()


@pytest.mark.parametrize("seed", range(10))
def test_a_lasso_leaves_a_margin_around_the_object(seed):
    maps, mask = empty(), disc(60, 70, 30)
    draw_lasso(np.random.default_rng(seed), maps, mask)
    assert maps[POSITIVE, 60, 70]
    assert maps[NEGATIVE, 0, 0]
    assert not (maps[NEGATIVE].astype(bool) & mask).any()


def test_clicks_are_of_both_kinds():
    mask = disc(60, 70, 30)
    drawn = []
    for seed in range(20):
        maps = empty()
        draw_clicks(np.random.default_rng(seed), maps, mask, ~mask)
        drawn.append(maps[:2].any((1, 2)))
        assert mask[maps[POSITIVE] > 0].mean() > 0.5
    assert np.any(drawn, 0).all()


def half(mask):
    return mask[::2, ::2]


@pytest.mark.parametrize("seed", range(10))
def test_a_missed_part_gets_a_positive_click(seed):
    maps, target = empty(), disc(60, 70, 30)
    predicted = target & (np.arange(SIDE) < 70)
    known = np.ones_like(target)
    rng = np.random.default_rng(seed)
    assert correct(rng, maps, half(predicted), half(target), half(known))
    rows, columns = np.nonzero(maps[POSITIVE])
    assert target[int(rows.mean()), int(columns.mean())]
    assert columns.mean() > 70
    assert not maps[NEGATIVE].any()


def test_an_excess_gets_a_negative_click():
    maps, target = empty(), disc(60, 40, 20)
    predicted = target | disc(60, 95, 25)
    known = np.ones_like(target)
    rng = np.random.default_rng(0)
    assert correct(rng, maps, half(predicted), half(target), half(known))
    assert maps[NEGATIVE].any()
    assert not maps[POSITIVE].any()


def test_unknown_and_correct_pixels_get_no_click():
    maps, target = empty(), disc(60, 70, 30)
    rng, known = np.random.default_rng(0), np.ones_like(target)
    assert not correct(rng, maps, half(target), half(target), half(known))
    assert not correct(rng, maps, half(~target), half(target), half(~known))
    assert not maps.any()


def test_a_place_is_not_clicked_twice():
    maps, target = empty(), disc(60, 70, 30)
    nothing, known = np.zeros_like(target), np.ones_like(target)
    rng = np.random.default_rng(0)
    for count in range(1, 4):
        assert correct(rng, maps, half(nothing), half(target), half(known))
        area = maps[POSITIVE].sum()
        assert area > (count - 0.5) * np.pi * RADIUS**2 * 0.8
