import numpy as np
import pytest

from zim_model.network.cue_maps import CUES, cue_maps
from zim_model.prompts import Box, Point, PromptSet, Scribble


def make_image():
    """A red square on noisy green."""
    rng = np.random.default_rng(0)
    image = np.zeros((96, 128, 3), np.uint8)
    image[..., 1] = 120 + rng.integers(0, 30, (96, 128))
    image[30:70, 40:90] = (200, 30, 30)
    return image


INSIDE = np.s_[18:32, 24:42]  # of the maps, at half size
OUTSIDE = np.s_[2:10, 2:60]


@pytest.mark.parametrize(
    "prompts",
    [
        PromptSet((), Box(34, 24, 96, 76)),
        PromptSet((Point(60, 50),)),
        PromptSet((Point(60, 50), Point(10, 10, False))),
        PromptSet((Point(60, 50),), Box(34, 24, 96, 76)),
    ],
)
def test_colour_models_find_an_object_of_one_colour(prompts):
    maps = dict(zip(CUES, cue_maps(make_image(), prompts, 64), strict=True))
    for name in ("colour_coarse", "colour_fine"):
        assert maps[name][INSIDE].min() > 0.5, name
        assert maps[name][OUTSIDE].max() < -0.5, name


def test_padding_is_empty_and_values_are_bounded():
    prompts = PromptSet((Point(60, 50), Point(10, 10, False)), Box(34, 24, 96, 76))
    maps = cue_maps(make_image(), prompts, 64)
    assert maps.shape == (len(CUES), 64, 64)
    assert not maps[:, 48:].any()
    assert np.isfinite(maps).all()
    assert np.abs(maps).max() < 8


def test_crossing_an_edge_makes_the_geodesic_way_long():
    maps = dict(
        zip(CUES, cue_maps(make_image(), PromptSet((Point(60, 50),)), 64), strict=True)
    )
    inside, outside = (25, 22), (25, 17)  # either side of the square's left edge
    straight, along = maps["positive_near"], maps["positive_geodesic"]
    assert along[inside] / along[outside] > 1.2 * straight[inside] / straight[outside]


@pytest.mark.parametrize(
    "prompts",
    [
        PromptSet((), Box(0, 0, 128, 96)),
        PromptSet((), Box(5, 5, 5.5, 90)),
        PromptSet((Point(0, 0),)),
        PromptSet((Point(127.9, 95.9), Point(0, 0, False))),
    ],
)
@pytest.mark.parametrize("flat", [False, True])
def test_degenerate_prompts_and_images_give_maps(prompts, flat):
    image = np.full((96, 128, 3), 90, np.uint8) if flat else make_image()
    assert np.isfinite(cue_maps(image, prompts, 64)).all()


def test_same_input_same_maps():
    prompts = PromptSet((Point(60, 50),), Box(34, 24, 96, 76))
    first, again = (cue_maps(make_image(), prompts, 64) for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_a_scribble_counts_as_its_clicks():
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (96, 128, 3), dtype=np.uint8)
    line = Scribble(((20.0, 30.0), (90.0, 60.0)))
    drawn = cue_maps(pixels, PromptSet((), None, (line,)), 64)
    clicked = cue_maps(pixels, PromptSet(line.clicks), 64)
    assert (drawn == clicked).all()
