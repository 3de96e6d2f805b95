from dataclasses import replace

import numpy as np

from zim_model.backends.prompt_maps import BOX, NEGATIVE, POSITIVE, RADIUS, prompt_maps
from zim_model.prompts import Box, Point, PromptSet, Scribble

LOOP = Scribble(((30.5, 20.5), (90.5, 20.5), (90.5, 100.5), (30.5, 100.5)), region=True)
"""Around the pixels of rows 20 to 100 and columns 30 to 90."""


def drawn(*scribbles, points=(), size=128):
    return prompt_maps(PromptSet(points, None, scribbles), size)


def filled(top, bottom, left, right, size=128):
    plane = np.zeros((size, size), np.uint8)
    plane[top:bottom, left:right] = 1
    return plane


def test_nothing_is_drawn_without_prompts():
    assert not prompt_maps(PromptSet(), 64).any()


def test_points_are_disks_in_the_map_of_their_label():
    prompts = PromptSet((Point(20.5, 30.5), Point(40.5, 10.5, False)))
    maps = prompt_maps(prompts, 64)
    rows, columns = np.nonzero(maps[POSITIVE])
    assert (rows.mean(), columns.mean()) == (30, 20)
    assert np.ptp(rows) == np.ptp(columns) == 2 * RADIUS
    assert maps[NEGATIVE, 10, 40] == 1
    assert maps[NEGATIVE].sum() == maps[POSITIVE].sum()


def test_the_box_is_filled():
    maps = prompt_maps(PromptSet((), Box(10, 20, 30, 50)), 64)
    assert maps[BOX, 20:50, 10:30].all()
    assert maps.sum() == 20 * 30


def test_a_thin_box_at_the_far_edge_still_shows():
    maps = prompt_maps(PromptSet((), Box(63.9, 63.9, 64, 64)), 64)
    assert maps[BOX].sum() == 1


def test_scribbles_are_drawn_along_their_path():
    line = Scribble(((10.5, 30.5), (50.5, 30.5)))
    maps = prompt_maps(PromptSet((), None, (line,)), 64)
    assert maps[POSITIVE, 30, 10:51].all()
    assert not maps[POSITIVE, : 30 - 2 * RADIUS].any()
    dot = Scribble(((20.5, 20.5),), positive=False)
    assert prompt_maps(PromptSet((), None, (dot,)), 64)[NEGATIVE, 20, 20] == 1


def test_well_inside_a_region_is_positive_and_far_from_it_negative():
    maps = drawn(LOOP)
    np.testing.assert_array_equal(maps[POSITIVE], filled(23, 98, 33, 88))
    np.testing.assert_array_equal(maps[NEGATIVE], 1 - filled(17, 104, 27, 94))
    assert not maps[BOX].any()
    twice = drawn(replace(LOOP, path=LOOP.path * 2))
    np.testing.assert_array_equal(twice, maps)


def test_the_margin_grows_with_the_region():
    path = ((50, 50), (199, 50), (199, 199), (50, 199))  # 0.04 of 150 pixels are 6
    maps = drawn(replace(LOOP, path=path), size=256)
    inside, near = filled(56, 194, 56, 194, 256), filled(44, 206, 44, 206, 256)
    np.testing.assert_array_equal(maps[POSITIVE], inside)
    np.testing.assert_array_equal(maps[NEGATIVE], 1 - near)


def test_a_region_may_end_at_the_border_and_be_tiny():
    corner = replace(LOOP, path=((0.0, 0.0), (128.0, 0.0), (0.0, 128.0)))
    assert drawn(corner)[POSITIVE, 0, 0] == 1
    tiny = replace(LOOP, path=((9.5, 9.5), (12.5, 9.5), (12.5, 12.5)))
    assert drawn(tiny)[POSITIVE, 9:13, 9:13].any()


def test_the_inside_of_a_negative_region_is_negative():
    assert drawn(replace(LOOP, positive=False))[NEGATIVE, 60, 60] == 1
    hole = replace(LOOP, path=((50, 40), (70, 40), (70, 60), (50, 60)), positive=False)
    maps = drawn(LOOP, hole)
    assert maps[NEGATIVE, 50, 60] == 1
    assert maps[POSITIVE, 50, 60] == 0
    assert maps[POSITIVE, 80, 60] == 1
    again = drawn(LOOP, hole, replace(hole, positive=True))
    assert (again[NEGATIVE, 50, 60], again[POSITIVE, 50, 60]) == (0, 1)


def test_a_point_says_more_than_the_region_around_it():
    maps = drawn(LOOP, points=(Point(60.5, 60.5, False),))
    assert (maps[POSITIVE, 60, 60], maps[NEGATIVE, 60, 60]) == (0, 1)
    assert maps[POSITIVE, 60, 60 + 2 * RADIUS] == 1
    # What is far is not negative any more where the object reaches beyond.
    beyond = drawn(LOOP, points=(Point(115.5, 60.5),))
    assert not beyond[NEGATIVE].any()
    near = drawn(LOOP, points=(Point(60.5, 60.5),))
    assert near[NEGATIVE, 5, 5] == 1


def test_several_regions_are_one_object():
    other = replace(LOOP, path=((100, 20), (120, 20), (120, 50), (100, 50)))
    maps = drawn(LOOP, other)
    assert maps[POSITIVE, 35, 110] == maps[POSITIVE, 60, 60] == 1
    assert maps[NEGATIVE, 35, 110] == maps[NEGATIVE, 60, 60] == 0
    assert maps[NEGATIVE, 120, 5] == 1
