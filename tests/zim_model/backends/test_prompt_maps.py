import numpy as np

from zim_model.backends.prompt_maps import BOX, NEGATIVE, POSITIVE, RADIUS, prompt_maps
from zim_model.prompts import Box, Point, PromptSet, Scribble


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
