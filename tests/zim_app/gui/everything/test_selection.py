"""Tests of the state of everything-mode, without a window."""

import numpy as np
import pytest

from zim_app.gui.everything.selection import (
    FoundSelection,
    candidates_differ,
    golden_hue,
    pick_recipe,
    render_tints,
)

SIZE = 600, 800  # ten times the size of the thumbnails


@pytest.fixture
def big(make_found):
    return make_found(10, 10, 60, 50)


@pytest.fixture
def small(make_found):
    return make_found(20, 20, 30, 30)


@pytest.fixture
def far(make_found):
    return make_found(70, 5, 78, 9)


@pytest.fixture
def selection(big, small, far):
    return FoundSelection(SIZE, (big, small, far))


def test_the_smallest_region_under_the_pointer_is_hit(selection, big, small):
    assert selection.found_at(250.5, 250) is small
    assert selection.found_at(150, 150) is big
    assert selection.found_at(5, 5) is None


@pytest.mark.parametrize(("x", "y"), [(-0.5, 3), (3, -0.5), (800, 3), (3, 600)])
def test_outside_of_the_image_is_nothing(make_found, x, y):
    selection = FoundSelection(SIZE, (make_found(0, 0, 80, 60),))
    assert selection.found_at(799.9, 599.9) is selection.objects[0]
    assert selection.found_at(x, y) is None


def test_clicks_toggle(selection, big, small):
    both = selection.toggle(small).toggle(big)
    assert both.picks == ((small,), (big,))
    assert both.toggle(small).picks == ((big,),)
    assert both.pick(small) is both


def test_joining_goes_to_the_newest_pick(selection, big, small, far):
    assert selection.join_pick(big).picks == ((big,),)
    picked = selection.toggle(big).toggle(small)
    assert picked.join_pick(far).picks == ((big,), (small, far))
    assert picked.join_pick(big).picks == ((small, big),)
    assert picked.join_pick(far).toggle(small).picks == ((big,), (far,))


def test_merging_makes_one_pick(selection, big, small, far):
    picked = selection.toggle(small).toggle(big).join_pick(far)
    assert picked.merge_picks().picks == ((small, big, far),)
    assert selection.merge_picks().picks == ()


def test_picking_all_keeps_what_was_merged(selection, big, small, far):
    picked = selection.toggle(far).join_pick(small).pick_all()
    assert picked.picks == ((far, small), (big,))


def test_a_better_matte_takes_the_place_of_a_picked_one(selection, make_found, far):
    better = make_found(10, 10, 59, 50)
    picked = selection.toggle(selection.objects[0]).with_progress(3, 9, (better, far))
    assert picked.picks == ((better,),)
    assert picked.objects == (better, far)


def test_a_picked_region_that_the_search_drops_is_kept(selection, small, far):
    picked = selection.toggle(small).with_progress(3, 9, (far,))
    assert picked.objects == (small, far), "largest first"
    assert picked.picks == ((small,),)


def test_two_picks_do_not_become_the_same_region(selection, big, make_found):
    twin = make_found(10, 10, 60, 49)
    both = FoundSelection(SIZE, (big, twin)).toggle(big).toggle(twin)
    better = make_found(10, 10, 58, 50)
    assert both.with_progress(1, 2, (better,)).picks == ((better,),)


def test_what_is_gone_is_not_hovered_any_more(selection, big, far):
    hovering = FoundSelection(SIZE, selection.objects, hovered=big)
    assert hovering.with_progress(1, 2, (big, far)).hovered is big
    assert hovering.with_progress(1, 2, (far,)).hovered is None


def test_a_search_that_begins_again_takes_nothing_back(selection, big, far):
    ahead = selection.with_progress(6, 9, (big, far))
    assert ahead.with_progress(2, 9, (big,)) is ahead
    assert ahead.progress == pytest.approx(2 / 3)
    assert ahead.with_result((big,)).progress == 1
    assert FoundSelection(SIZE).progress == 0


def test_a_pick_becomes_an_ordinary_recipe(make_found):
    pick = make_found(0, 0, 9, 9, candidate=2), make_found(20, 0, 29, 9, candidate=2)
    recipe = pick_recipe(pick, "zim-vit-b")
    assert recipe.prompts == pick[0].prompts
    assert recipe.more_prompt_sets == (pick[1].prompts,)
    assert (recipe.model, recipe.options.candidate) == ("zim-vit-b", 2)
    assert pick_recipe((make_found(0, 0, 9, 9),), "zim-tiny").options.candidate is None


def test_different_candidates_are_no_one_object(make_found):
    one, other = make_found(0, 0, 9, 9), make_found(20, 0, 29, 9, candidate=3)
    assert candidates_differ((one, other))
    assert not candidates_differ((one, one))


def test_smaller_regions_show_through_larger_ones(big, small):
    pixels = render_tints(
        [(big.alpha, (255, 0, 0), 0.5), (small.alpha, (0, 0, 255), 0.5)], (60, 80)
    )
    assert pixels[15, 15].tolist() == [0, 0, 128, 128]
    assert pixels[25, 25].tolist() == [128, 0, 0, 128]
    assert not pixels[:10].any()
    assert pixels.dtype == np.uint8


def test_hues_differ():
    hues = [golden_hue(number) for number in range(8)]
    gaps = [abs(a - b) for i, a in enumerate(hues) for b in hues[:i]]
    assert min(min(gap, 1 - gap) for gap in gaps) > 0.05
