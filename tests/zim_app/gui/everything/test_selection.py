"""What everything-mode knows, hits and picks, without a window."""

import numpy as np
import pytest

from zim_app.gui.everything.selection import (
    Regions,
    candidates_differ,
    hue_of,
    recipe_of,
    tinted,
)

SIZE = 600, 800  # ten times the regions' own size


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
def regions(big, small, far):
    return Regions(SIZE, (big, small, far))


def test_the_smallest_region_under_the_pointer_is_hit(regions, big, small):
    assert regions.at(250.5, 250) is small
    assert regions.at(150, 150) is big
    assert regions.at(5, 5) is None


@pytest.mark.parametrize(("x", "y"), [(-0.5, 3), (3, -0.5), (800, 3), (3, 600)])
def test_outside_of_the_picture_is_nothing(make_found, x, y):
    regions = Regions(SIZE, (make_found(0, 0, 80, 60),))
    assert regions.at(799.9, 599.9) is regions.found[0]
    assert regions.at(x, y) is None


def test_clicks_toggle(regions, big, small):
    both = regions.toggled(small).toggled(big)
    assert both.picks == ((small,), (big,))
    assert both.toggled(small).picks == ((big,),)
    assert both.picked(small) is both


def test_joining_goes_to_the_newest_pick(regions, big, small, far):
    assert regions.joined(big).picks == ((big,),)
    picked = regions.toggled(big).toggled(small)
    assert picked.joined(far).picks == ((big,), (small, far))
    assert picked.joined(big).picks == ((small, big),)
    assert picked.joined(far).toggled(small).picks == ((big,), (far,))


def test_merging_makes_one_pick(regions, big, small, far):
    picked = regions.toggled(small).toggled(big).joined(far)
    assert picked.merged().picks == ((small, big, far),)
    assert regions.merged().picks == ()


def test_picking_all_keeps_what_was_merged(regions, big, small, far):
    picked = regions.toggled(far).joined(small).all_picked()
    assert picked.picks == ((far, small), (big,))


def test_a_better_matte_takes_the_place_of_a_picked_one(regions, make_found, far):
    better = make_found(10, 10, 59, 50)
    picked = regions.toggled(regions.found[0]).progressed(3, 9, (better, far))
    assert picked.picks == ((better,),)
    assert picked.found == (better, far)


def test_a_picked_region_that_the_search_drops_is_kept(regions, small, far):
    picked = regions.toggled(small).progressed(3, 9, (far,))
    assert picked.found == (small, far), "largest first"
    assert picked.picks == ((small,),)


def test_two_picks_do_not_become_the_same_region(regions, big, make_found):
    twin = make_found(10, 10, 60, 49)
    both = Regions(SIZE, (big, twin)).toggled(big).toggled(twin)
    better = make_found(10, 10, 58, 50)
    assert both.progressed(1, 2, (better,)).picks == ((better,),)


def test_what_is_gone_is_not_hovered_any_more(regions, big, far):
    hovering = Regions(SIZE, regions.found, hovered=big)
    assert hovering.progressed(1, 2, (big, far)).hovered is big
    assert hovering.progressed(1, 2, (far,)).hovered is None


def test_a_search_that_begins_again_takes_nothing_back(regions, big, far):
    ahead = regions.progressed(6, 9, (big, far))
    assert ahead.progressed(2, 9, (big,)) is ahead
    assert ahead.fraction == pytest.approx(2 / 3)
    assert ahead.ended((big,)).fraction == 1
    assert Regions(SIZE).fraction == 0


def test_a_pick_becomes_an_ordinary_recipe(make_found):
    pick = make_found(0, 0, 9, 9, candidate=2), make_found(20, 0, 29, 9, candidate=2)
    recipe = recipe_of(pick, "zim-vit-b")
    assert recipe.prompts == pick[0].prompts
    assert recipe.also == (pick[1].prompts,)
    assert (recipe.model, recipe.options.candidate) == ("zim-vit-b", 2)
    assert recipe_of((make_found(0, 0, 9, 9),), "zim-tiny").options.candidate is None


def test_different_candidates_are_no_one_object(make_found):
    one, other = make_found(0, 0, 9, 9), make_found(20, 0, 29, 9, candidate=3)
    assert candidates_differ((one, other))
    assert not candidates_differ((one, one))


def test_smaller_regions_show_through_larger_ones(big, small):
    pixels = tinted(
        [(big.alpha, (255, 0, 0), 0.5), (small.alpha, (0, 0, 255), 0.5)], (60, 80)
    )
    assert pixels[15, 15].tolist() == [0, 0, 128, 128]
    assert pixels[25, 25].tolist() == [128, 0, 0, 128]
    assert not pixels[:10].any()
    assert pixels.dtype == np.uint8


def test_hues_differ():
    hues = [hue_of(number) for number in range(8)]
    gaps = [abs(a - b) for i, a in enumerate(hues) for b in hues[:i]]
    assert min(min(gap, 1 - gap) for gap in gaps) > 0.05
