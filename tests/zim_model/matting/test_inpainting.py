"""Holes filled from what surrounds them."""

import cv2
import numpy as np
import pytest

from zim_model.errors import Cancelled
from zim_model.matting import inpainting
from zim_model.matting.inpainting import HoleTooLargeError, find_fill

SIDE = 120


@pytest.fixture(scope="module")
def stripes():
    """Diagonal stripes of three colours."""
    y, x = np.mgrid[:SIDE, :SIDE]
    colours = np.array([(220, 200, 40), (30, 60, 160), (120, 20, 30)], np.uint8)
    return colours[(x + y) // 6 % 3]


@pytest.fixture(scope="module")
def hole():
    mask = np.zeros((SIDE, SIDE), np.uint8)
    cv2.ellipse(mask, (60, 55), (20, 14), 20, 0, 360, 1, -1)
    return mask.astype(bool)


@pytest.fixture(scope="module")
def holed(stripes, hole):
    image = stripes.copy()
    image[hole] = (255, 0, 255)
    return image


@pytest.fixture(scope="module")
def filled(holed, hole):
    return find_fill(holed, hole).apply(holed)


def error(image, truth, hole):
    return float(np.abs(image[hole].astype(int) - truth[hole]).mean())


def test_a_pattern_is_continued_through_the_hole(filled, holed, stripes, hole):
    smooth = cv2.inpaint(holed, hole.view(np.uint8), 5, cv2.INPAINT_TELEA)
    assert error(filled, stripes, hole) < 6
    assert error(smooth, stripes, hole) > 40


def test_nothing_outside_the_hole_changes(filled, holed, hole):
    assert np.array_equal(filled[~hole], holed[~hole])


def test_the_fill_does_not_depend_on_what_the_hole_contains(filled, stripes, hole):
    other = stripes.copy()
    other[hole] = 0
    assert np.array_equal(find_fill(other, hole).apply(other)[hole], filled[hole])


def test_16_bits_are_filled_as_8_bits_are(filled, holed, hole):
    deep = holed.astype(np.uint16) * 257
    assert deep.dtype == np.uint16
    result = find_fill(holed, hole).apply(deep)
    assert result.dtype == np.uint16
    assert np.abs(result / 257 - filled).max() <= 0.6


def test_a_large_image_is_filled_sharply(stripes, monkeypatch):
    """Searched at a smaller size, copied at its own."""
    monkeypatch.setattr(inpainting, "SEARCHED_HOLE", 1000)
    large = np.kron(stripes, np.ones((4, 4, 1), np.uint8))
    grain = np.random.default_rng(0).integers(0, 30, large.shape, dtype=np.uint8)
    large = np.minimum(large, 225) + grain
    hole = np.zeros(large.shape[:2], bool)
    hole[160:320, 120:360] = True
    fill = find_fill(large, hole)
    assert max(fill.shape) < 120
    result = fill.apply(large)

    def slopes(image):
        return np.abs(np.diff(image[180:300, 140:340].astype(int), axis=1)).mean()

    assert slopes(result) > 0.7 * slopes(large)


def test_only_usable_pixels_are_copied(holed, hole):
    usable = np.zeros_like(hole)
    usable[:, :40] = True
    image = holed.copy()
    image[:, 85:] = (0, 255, 0)
    result = find_fill(image, hole, usable=usable).apply(image)
    middle = hole.copy()
    middle[:, 70:] = False
    greenish = (result[..., 1] > 210) & (result[..., 0] < 40)
    assert not greenish[middle].any()


@pytest.mark.parametrize("where", [np.s_[:30, :30], np.s_[90:, 50:90], np.s_[40:60, :]])
def test_holes_at_the_edge_of_the_image(stripes, where):
    hole = np.zeros((SIDE, SIDE), bool)
    hole[where] = True
    result = find_fill(stripes, hole).apply(stripes)
    assert error(result, stripes, hole) < 45
    assert np.array_equal(result[~hole], stripes[~hole])


def test_light_that_changes_slowly_goes_on(hole):
    y, x = np.mgrid[:SIDE, :SIDE]
    sky = np.dstack([60 + y, 90 + y, 150 + x // 2]).astype(np.uint8)
    result = find_fill(sky, hole).apply(sky)
    assert error(result, sky, hole) < 6


def test_drafts_come_first_and_show_the_surroundings(holed, hole):
    drafts = []
    find_fill(holed, hole, on_draft=drafts.append)
    assert drafts
    for draft in drafts:
        left, top, right, bottom = draft.bounds
        assert draft.colours.shape == (bottom - top, right - left, 3)
        assert draft.hole.shape == draft.colours.shape[:2]
        magenta = (draft.colours == (255, 0, 255)).all(2)
        assert not magenta.any()


def test_a_hole_that_leaves_nothing_is_refused(holed):
    hole = np.ones((SIDE, SIDE), bool)
    hole[0, 0] = False
    with pytest.raises(HoleTooLargeError, match="leaves nothing"):
        find_fill(holed, hole)


def test_a_fill_can_be_cancelled(holed, hole):
    with pytest.raises(Cancelled):
        find_fill(holed, hole, cancelled=lambda: True)
