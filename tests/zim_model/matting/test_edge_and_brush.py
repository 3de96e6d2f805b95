"""Edges moved, blurred and steepened; strokes painted."""

from dataclasses import replace

import numpy as np
import pytest

from zim_model.errors import Cancelled
from zim_model.finish import Finish, Stroke
from zim_model.matting.edge_and_brush import (
    StrokeCoverageCache,
    apply_edge_adjustments,
    apply_stroke,
    apply_strokes,
    coverage,
    stroke_region,
)
from zim_model.request import ALPHA_MAX

HEIGHT, WIDTH = 60, 80


@pytest.fixture
def step():
    """Opaque in columns 0 to 39, clear in the others."""
    alpha = np.zeros((HEIGHT, WIDTH), np.uint16)
    alpha[:, :40] = ALPHA_MAX
    return alpha


def edge_of(alpha, row=30):
    """Where alpha falls below one half, in columns."""
    return int((alpha[row] > ALPHA_MAX / 2).sum())


def line(*places, radius=5.0, **kwargs):
    return Stroke(tuple((x, y, 1.0) for x, y in places), radius, **kwargs)


def test_the_default_changes_nothing(step):
    assert apply_edge_adjustments(step, Finish()) is step
    assert apply_strokes(step, ()) is step


@pytest.mark.parametrize("pixels", [-7, -1, 1, 7])
def test_the_edge_moves_by_whole_pixels(step, pixels):
    moved = apply_edge_adjustments(step, Finish(shift_edge=pixels))
    assert edge_of(moved) == 40 + pixels
    assert set(np.unique(moved)) <= {0, ALPHA_MAX}


def test_between_whole_pixels_the_edge_is_a_mixture(step):
    moved = apply_edge_adjustments(step, Finish(shift_edge=2.25))
    assert moved[30, 41] == ALPHA_MAX
    assert abs(int(moved[30, 42]) - 0.25 * ALPHA_MAX) <= 1
    assert moved[30, 43] == 0


def test_feather_softens_and_keeps_the_place(step):
    soft = apply_edge_adjustments(step, Finish(feather=4))
    assert edge_of(soft) == 40
    assert 0.1 < soft[30, 44] / ALPHA_MAX < 0.35
    assert soft[30, 0] == ALPHA_MAX, "the image's border is no edge"
    assert (np.diff(soft[30].astype(int)) <= 0).all()


def test_contrast_steepens_but_stays_soft(step):
    soft = apply_edge_adjustments(step, Finish(feather=6))
    steep = apply_edge_adjustments(step, Finish(feather=6, contrast=1.0))

    def width(alpha):
        return int(
            ((alpha[30] > 0.1 * ALPHA_MAX) & (alpha[30] < 0.9 * ALPHA_MAX)).sum()
        )

    assert 0 < width(steep) < width(soft)
    assert edge_of(steep) == edge_of(soft) == 40


def test_nothing_is_adjusted_in_an_empty_matte():
    empty = np.zeros((HEIGHT, WIDTH), np.uint16)
    finish = Finish(shift_edge=5, feather=3, contrast=0.5)
    assert not apply_edge_adjustments(empty, finish).any()


def test_the_original_matte_is_not_changed(step):
    step.flags.writeable = False
    apply_edge_adjustments(step, Finish(shift_edge=3, feather=1, contrast=0.3))
    apply_strokes(step, (line((60, 30)),))


@pytest.mark.parametrize(("brush", "value"), [("add", ALPHA_MAX), ("erase", 0)])
def test_a_stroke_paints_inside_its_radius_only(step, brush, value):
    half = np.full_like(step, ALPHA_MAX // 2)
    out = apply_strokes(half, (line((20, 30), (60, 30), radius=6, brush=brush),))
    assert (out[26:34, 20:60] == value).all()
    outside = np.ones_like(step, bool)
    outside[22:38, 12:68] = False
    assert (out[outside] == half[outside]).all()


def test_a_hard_brush_has_a_smooth_rim():
    empty = np.zeros((HEIGHT, WIDTH), np.uint16)
    out = apply_strokes(empty, (line((40.3, 30.2), radius=9, hardness=1.0),))
    partial = (out > 0) & (out < ALPHA_MAX)
    assert partial.any()
    area = out.sum() / ALPHA_MAX
    assert area == pytest.approx(np.pi * 81, rel=0.02)


def test_a_tiny_brush_marks_what_it_covers():
    empty = np.zeros((HEIGHT, WIDTH), np.uint16)
    out = apply_strokes(empty, (line((10.5, 10.5), radius=0.5, hardness=1.0),))
    assert out[10, 10] > ALPHA_MAX / 2
    assert out.sum() / ALPHA_MAX < 3


def test_a_soft_brush_falls_off():
    empty = np.zeros((HEIGHT, WIDTH), np.uint16)
    row = apply_strokes(empty, (line((40, 30), radius=20, hardness=0.0),))[30]
    assert (np.diff(row[40:62].astype(int)) <= 0).all()
    assert row[41] > 0.9 * ALPHA_MAX
    assert 0.3 < row[50] / ALPHA_MAX < 0.7


def test_crossing_ones_own_stroke_does_not_add_up():
    half = np.full((HEIGHT, WIDTH), ALPHA_MAX // 2, np.uint16)
    there = line((10, 30), (60, 30), strength=0.5)
    there_and_back = line((10, 30), (60, 30), (10, 30), strength=0.5)
    assert (
        apply_strokes(half, (there,)) == apply_strokes(half, (there_and_back,))
    ).all()
    assert (apply_strokes(half, (there, there)) > apply_strokes(half, (there,))).any()


def test_pressure_sets_the_width():
    empty = np.zeros((HEIGHT, WIDTH), np.uint16)
    path = ((10.0, 30.0, 0.2), (70.0, 30.0, 1.0))
    out = apply_strokes(empty, (Stroke(path, 15.0, 1.0),)) > ALPHA_MAX / 2
    thin, thick = out[:, 12].sum(), out[:, 68].sum()
    assert thin == pytest.approx(2 * 15 * 0.22, abs=2)
    assert thick == pytest.approx(2 * 15 * 0.97, abs=2)


def test_softening_blurs_only_under_the_brush(step):
    out = apply_strokes(step, (line((40, 10), radius=8, brush="soften"),))
    assert 0 < out[10, 41] < ALPHA_MAX
    assert (out[40:] == step[40:]).all()


def test_strokes_beyond_the_border_are_cut_off(step):
    out = apply_strokes(step, (line((-50, 30), (200, 30), radius=4),))
    assert (out[28:32] == ALPHA_MAX).all()
    far = line((500, 500), radius=4)
    assert (apply_strokes(step, (far,)) == step).all()


def test_a_stroke_painted_in_parts_is_the_same_stroke(step):
    """So that the preview of a stroke equals its result."""
    stroke = line((10, 10), (30, 40), (70, 20), radius=7, hardness=0.4)
    whole = apply_strokes(step, (stroke,))
    cover = np.zeros(step.shape, np.float32)
    for begin, end in zip(stroke.path, stroke.path[1:], strict=False):
        piece = Stroke((begin, end), stroke.radius, stroke.hardness)
        part = stroke_region(piece, step.shape)
        np.maximum(cover[part], coverage(piece, part), out=cover[part])
    everywhere = (slice(0, HEIGHT), slice(0, WIDTH))
    assert (apply_stroke(step, everywhere, cover, stroke) == whole).all()


# -- Many strokes -------------------------------------------------------------------


def test_remembered_coverage_paints_the_same(step):
    strokes = [
        line((10, y), (70, y + 5), radius=6, hardness=0.3, brush=brush, strength=0.7)
        for y, brush in ((10, "add"), (20, "erase"), (30, "soften"), (12, "erase"))
    ]
    covers = StrokeCoverageCache()
    plain = apply_strokes(step, strokes).astype(int)
    for _ in range(2):
        assert np.abs(apply_strokes(step, strokes, covers) - plain).max() <= 2
    assert len(covers) == len(strokes)
    recoloured = [line((10, 10), (70, 15), radius=6, hardness=0.3, brush="add")]
    apply_strokes(step, recoloured, covers)
    assert len(covers) == len(strokes), "what a stroke does is no matter"


def test_remembered_coverage_is_bounded(step):
    one = stroke_region(line((40, 30)), step.shape)
    size = (one[0].stop - one[0].start) * (one[1].stop - one[1].start) * 2
    covers = StrokeCoverageCache(max_bytes=3 * size)
    apply_strokes(step, [line((x, 30)) for x in range(20, 60, 4)], covers)
    assert len(covers) == 3
    assert covers.nbytes == 3 * size


def test_painting_stops_when_cancelled(step):
    calls = []

    def cancelled():
        calls.append(1)
        return len(calls) > 2

    strokes = [line((x, 30)) for x in range(20, 60, 4)]
    with pytest.raises(Cancelled):
        apply_strokes(step, strokes, cancelled=cancelled)
    assert len(calls) == 3


def test_a_brush_on_half_transparent_alpha_goes_as_far_as_its_strength(step):
    half = np.full_like(step, ALPHA_MAX // 2)
    added = apply_strokes(half, [line((40, 30), strength=0.5)])
    erased = apply_strokes(half, [line((40, 30), strength=0.5, brush="erase")])
    assert added[30, 40] / ALPHA_MAX == pytest.approx(0.75, abs=1e-3)
    assert erased[30, 40] / ALPHA_MAX == pytest.approx(0.25, abs=1e-3)


def test_strokes_cross_the_border_without_a_seam():
    empty = np.zeros((HEIGHT, WIDTH), np.uint16)
    large = np.zeros((3 * HEIGHT, 3 * WIDTH), np.uint16)
    path = [(-20, 10), (30, -15), (95, 70)]
    inside = apply_strokes(empty, [line(*path, radius=9, hardness=0.2)])
    moved = [(x + WIDTH, y + HEIGHT) for x, y in path]
    around = apply_strokes(large, [line(*moved, radius=9, hardness=0.2)])
    middle = around[HEIGHT : 2 * HEIGHT, WIDTH : 2 * WIDTH]
    assert np.abs(inside.astype(int) - middle).max() <= 8, "only rounding differs"


@pytest.mark.parametrize("radius", [0.5, 1.0, 2.0])
def test_a_tiny_brush_keeps_its_weight_between_pixels(radius):
    areas = []
    for shift in (0.0, 0.25, 0.5):
        empty = np.zeros((HEIGHT, WIDTH), np.uint16)
        dab = line((40 + shift, 30 + shift), radius=radius, hardness=1.0)
        areas.append(apply_strokes(empty, [dab]).sum() / ALPHA_MAX)
    assert max(areas) < 1.6 * min(areas)


def test_a_stroke_of_hardly_any_length_is_a_dot():
    part = np.s_[0:8, 0:8]
    dot = Stroke(((4.0, 4.0, 1.0),), radius=3.0)
    short = replace(dot, path=((4.0, 4.0, 1.0), (4.0, 4.0 + 1e-30, 1.0)))
    tiny = replace(dot, path=((0.0, 0.0, 1.0), (0.0, 1.2e-38, 1.0)))
    np.testing.assert_allclose(coverage(short, part), coverage(dot, part), atol=1e-6)
    assert np.isfinite(coverage(tiny, part)).all()
