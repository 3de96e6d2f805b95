"""The preview under the brush equals the engine's result for the stroke."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPointF

from zim_app.gui.canvas.live_stroke import (
    TILE,
    LiveStrokeMatte,
    TiledAlpha,
    empty_matte,
)
from zim_app.gui.tools.brush import BrushGesture, change_hardness, resize_brush
from zim_app.gui.tools.gestures import PointerPress, ToolOptions
from zim_model.matting.edge_and_brush import apply_strokes
from zim_model.matting.pyramid import display_pyramid
from zim_model.recipe import Recipe
from zim_model.request import ALPHA_MAX

SIZE = (601, 1023)
"""Odd, so that levels of the pyramid are no exact halves."""
IMAGE = np.random.default_rng(4).integers(0, 255, (*SIZE, 3)).astype(np.uint8)
IMAGE[200:450, 300:650] = 60, 120, 200  # a smooth part among noise


@pytest.fixture(scope="module")
def matte():
    rng = np.random.default_rng(3)
    alpha = np.zeros(SIZE, np.uint16)
    alpha[100:400, 200:700] = ALPHA_MAX
    alpha[300:500, 600:800] = ALPHA_MAX // 2
    alpha[450:, :300] = rng.integers(0, ALPHA_MAX, (151, 300))
    return replace(empty_matte(SIZE), alpha=alpha, pyramid=display_pyramid(alpha))


def press(position=(0.0, 0.0), *, scale=1.0, recipe=None, straight=False, **options):
    return PointerPress(
        recipe or Recipe(),
        SIZE,
        None,
        positive=True,
        position=QPointF(*position),
        view=QPointF(*position) * scale,
        scale=scale,
        straight=straight,
        options=ToolOptions(**options),
    )


def strokes_of(places, **options):
    """The stroke at every step of a path of the pointer."""
    gesture = BrushGesture.begin(press(places[0][:2], **options))
    for x, y, pressure in places:
        gesture = gesture.move(QPointF(x, y), QPointF(x, y), pressure)
        edit = gesture.edit()
        if edit is not None:
            yield edit.recipe.finish.strokes[-1]


def assert_shows(live, alpha):
    expected = display_pyramid(alpha)
    assert len(expected) == len(live.matte.pyramid)
    for shown, right in zip(live.matte.pyramid, expected, strict=True):
        assert np.abs(shown.astype(int) - right).max() <= 1


PLACES = st.tuples(
    st.floats(-100, SIZE[1] + 100), st.floats(-100, SIZE[0] + 100), st.floats(0.05, 1)
)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(PLACES, min_size=1, max_size=6),
    st.sampled_from(["add", "erase", "soften"]),
    st.floats(0.5, 60),
    st.floats(0, 1),
    st.floats(0.1, 1),
    st.sampled_from([0.0, 0.3]),
)
def test_live_equals_the_engine(
    matte, places, brush, radius, hardness, strength, tolerance
):
    options = {"brush": brush, "radius": radius, "tolerance": tolerance}
    options |= {"hardness": hardness, "strength": strength}
    live, stroke = LiveStrokeMatte(matte, IMAGE), None
    live.begin()
    for stroke in strokes_of(places, **options):
        live.show(stroke)
    strokes = [stroke] if stroke else []
    assert_shows(live, apply_strokes(matte.alpha, strokes, image=IMAGE))


def test_strokes_lie_on_strokes(matte):
    live, done = LiveStrokeMatte(matte, IMAGE), []
    for y, brush in ((200, "erase"), (220, "add"), (210, "soften")):
        live.begin()
        way = [(100 + 40 * i, y + (i % 3) * 9, 0.5 + i / 40) for i in range(20)]
        for stroke in strokes_of(way, brush=brush, radius=25, strength=0.6):
            live.show(stroke)
        done.append(stroke)
        assert_shows(live, apply_strokes(matte.alpha, done))


def test_only_changed_areas_are_reported(matte):
    live = LiveStrokeMatte(matte, IMAGE)
    live.begin()
    before = live.matte.pyramid[0].copy()
    for stroke in strokes_of([(300, 250, 1), (310, 260, 1), (330, 250, 1)], radius=9):
        rows, columns = live.show(replace(stroke, brush="erase"))
        now = live.matte.pyramid[0].copy()
        changed = now != before
        changed[rows, columns] = False
        assert not changed.any()
        before = now


def test_a_cancelled_stroke_leaves_the_earlier_ones(matte):
    live = LiveStrokeMatte(matte, IMAGE)
    live.begin()
    [first] = strokes_of([(300, 250, 1)], brush="erase", radius=30)
    live.show(first)
    live.begin()
    for stroke in strokes_of([(310, 250, 1), (600, 350, 1)], radius=40):
        live.show(stroke)
    live.cancel()
    assert_shows(live, apply_strokes(matte.alpha, [first]))


def test_a_matte_that_arrives_during_a_stroke_goes_under_it(matte):
    live = LiveStrokeMatte(None, IMAGE)
    live.begin()
    way = [(100 + 50 * i, 300 - 9 * i, 1) for i in range(8)]
    shown = list(strokes_of(way, brush="soften", radius=30))
    for stroke in shown[:4]:
        live.show(stroke)
    live.rebase(matte)
    assert_shows(live, apply_strokes(matte.alpha, [shown[3]]))
    for stroke in shown[4:]:
        live.show(stroke)
    assert_shows(live, apply_strokes(matte.alpha, [shown[-1]]))


def test_the_original_matte_is_not_changed(matte):
    before = [level.copy() for level in (matte.alpha, *matte.pyramid)]
    live = LiveStrokeMatte(matte, IMAGE)
    live.begin()
    for stroke in strokes_of([(0, 0, 1), (900, 600, 1)], radius=60):
        live.show(stroke)
    after = (matte.alpha, *matte.pyramid)
    assert all((a == b).all() for a, b in zip(before, after, strict=True))


def test_tiles_hold_what_was_written_and_show_what_is_below():
    below = np.arange(700 * 600, dtype=np.float32).reshape(700, 600)
    tiles = TiledAlpha(below)
    part = (slice(TILE - 6, TILE + 5), slice(500, 600))
    tiles.write(part, np.zeros((11, 100), np.float32))
    above = TiledAlpha(tiles)
    expected = below.copy()
    expected[part] = 0
    everything = (slice(0, 700), slice(0, 600))
    assert (above.read(everything) == expected).all()
    assert below.all() != below[0, 1]  # the array below is as it was
    assert not above.written_tiles
    assert len(tiles.written_tiles) == 4


# -- The pointer's path ------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(st.lists(PLACES, min_size=2, max_size=60))
def test_a_stroke_passes_near_all_places_of_the_pointer(places):
    shown = list(strokes_of(places, radius=30))
    if not shown:
        return
    path = np.array(shown[-1].path)
    if len(path) == 1:
        path = np.repeat(path, 2, 0)
    begin, along = path[:-1, :2], np.diff(path[:, :2], axis=0)
    length = (along**2).sum(1)
    for x, y, _ in places:
        share = ((np.array([x, y]) - begin) * along).sum(1)
        share = np.clip(share / np.where(length, length, 1), 0, 1)
        nearest = begin + share[:, None] * along
        assert np.hypot(*(nearest - [x, y]).T).min() < 0.36


def test_vertices_stay_once_they_are_there():
    way = [(100 + 3 * i, 200 + 40 * np.sin(i / 7), 1.0) for i in range(200)]
    shown = list(strokes_of(way))
    for earlier, later in pairwise(shown):
        common = earlier.path[:-1]
        assert later.path[: len(common)] == common
    assert len(shown[-1].path) < 100


def test_shift_goes_on_from_the_last_stroke():
    first = BrushGesture.begin(press((50, 60))).edit().recipe
    line = BrushGesture.begin(press((150, 90), recipe=first, straight=True)).edit()
    assert line.recipe.finish.strokes[-1].path == ((50, 60, 1), (150, 90, 1))
    alone = BrushGesture.begin(press((150, 90), straight=True)).edit()
    assert alone.recipe.finish.strokes[-1].path == ((150, 90, 1),)


def test_the_other_button_does_the_opposite():
    def brush(**changes):
        edit = BrushGesture.begin(replace(press((9, 9)), **changes)).edit()
        return edit.recipe.finish.strokes[0].brush

    assert brush() == "add"
    assert brush(positive=False) == "erase"
    erase = ToolOptions(brush="erase")
    assert brush(positive=False, options=erase) == "add"


def test_a_stroke_outside_is_none():
    assert BrushGesture.begin(press((-50, 10), radius=20)).edit() is None
    assert BrushGesture.begin(press((-15, 10), radius=20)).edit() is not None


def test_size_and_hardness_have_limits():
    options = ToolOptions()
    assert resize_brush(options, 1).radius > options.radius
    assert resize_brush(options, 1000).radius == 500
    assert resize_brush(options, -1000).radius == 0.5
    assert change_hardness(options, 1).hardness == 0.9
    assert change_hardness(options, 99).hardness == 1
    assert change_hardness(options, -99).hardness == 0
