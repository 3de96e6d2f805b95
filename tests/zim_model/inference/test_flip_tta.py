from dataclasses import replace

import numpy as np
import pytest

from tests.zim_model.conftest import SMALL_TINY, SMALL_VIT, random_model
from zim_model.backends.torch_backend import TorchBackend
from zim_model.backends.view import View
from zim_model.inference.engine import Engine
from zim_model.inference.flip_tta import flip_mask_input, flip_prompts
from zim_model.inference.oom_fallback import backend_of
from zim_model.prompts import Box, Point, PromptSet, Scribble
from zim_model.recipe import Options, Recipe
from zim_model.request import ALPHA_MAX, Request

HEIGHT, WIDTH = 96, 128
IMAGE = np.random.default_rng(2).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
CLICKS = PromptSet((Point(40, 50), Point(90, 20, positive=False)))
BOX = PromptSet((), Box(20, 10, 100, 80))
SCRIBBLE = PromptSet((), None, (Scribble(((30, 30), (60, 40))),))
TWICE = Options(flip_tta=True)


class Counting(TorchBackend):
    """A model that counts the images it encodes."""

    encoded = 0

    def encode(self, image, view):
        self.encoded += 1
        return super().encode(image, view)


def solved(backend, image, prompts, options=TWICE, key="image"):
    request = Request(image, key, Recipe(prompts, options=options))
    return Engine(lambda model, placement: backend).solve(request)


@pytest.mark.parametrize("config", [SMALL_VIT, SMALL_TINY], ids=["vit", "tiny"])
@pytest.mark.parametrize("prompts", [CLICKS, BOX, SCRIBBLE])
@pytest.mark.parametrize("upsampling", ["guided", "native"])
def test_an_image_and_its_mirror_image_get_the_same_matte(config, prompts, upsampling):
    backend = backend_of(random_model(config), "cpu")
    options = Options(upsampling=upsampling, flip_tta=True)
    matte = solved(backend, IMAGE, prompts, options)
    flipped = np.ascontiguousarray(IMAGE[:, ::-1])
    other = solved(backend, flipped, flip_prompts(prompts, WIDTH), options)
    difference = np.abs(matte.alpha.astype(int) - other.alpha[:, ::-1])
    assert difference.max() < 0.01 * ALPHA_MAX
    np.testing.assert_allclose(matte.scores, other.scores, rtol=1e-3)
    once = solved(backend, IMAGE, prompts, replace(options, flip_tta=False))
    assert np.abs(matte.alpha.astype(int) - once.alpha).max() > 0.02 * ALPHA_MAX


def test_the_image_itself_is_encoded_only_once(small_vit):
    backend = Counting(small_vit, "cpu")
    engine = Engine(lambda model, placement: backend)
    request = Request(IMAGE, "image", Recipe(CLICKS))
    engine.solve(request)
    assert backend.encoded == 1
    twice = request.with_recipe(options=TWICE)
    engine.solve(twice)
    assert backend.encoded == 2
    again = engine.solve(twice.with_recipe(prompts=BOX))
    assert backend.encoded == 2
    assert again.timings.encode_ms == 0


def test_both_are_encoded_beforehand(small_vit):
    backend = Counting(small_vit, "cpu")
    engine = Engine(lambda model, placement: backend)
    request = Request(IMAGE, "image", Recipe(CLICKS, options=TWICE))
    engine.prepare(request)
    assert backend.encoded == 2
    engine.solve(request)
    assert backend.encoded == 2


def test_prompts_turn_with_the_image_and_back():
    prompts = PromptSet(
        CLICKS.points,
        BOX.box,
        (
            Scribble(((0.5, 3), (7, 9)), positive=False),
            Scribble(((8, 3), (20, 9), (9, 12)), region=True),
        ),
    )
    turned = flip_prompts(prompts, 128)
    assert turned.points[0] == Point(88, 50)
    assert turned.box == Box(28, 10, 108, 80)
    assert turned.scribbles[0].path == ((127.5, 3), (121, 9))
    assert flip_prompts(turned, 128) == prompts


def test_a_click_on_the_left_border_stays_inside():
    (point,) = flip_prompts(PromptSet((Point(0, 5),)), 128).points
    assert 127.9 < point.x < 128
    assert flip_prompts(PromptSet((Point(0, 5),)), 128).validate(96, 128)


def test_a_view_turns_with_the_image():
    view = View(10, 5, 40, 25, 128)
    assert view.flip(100) == View(60, 5, 90, 25, 128)
    assert view.flip(100).flip(100) == view


def test_padding_of_a_mask_prompt_stays_where_it_is():
    mask = np.arange(8, dtype=np.float32).reshape(1, 1, 8)
    assert flip_mask_input(mask, 5)[0, 0].tolist() == [4, 3, 2, 1, 0, 5, 6, 7]


def test_a_mask_prompt_that_ends_inside_a_cell_is_flipped_about_its_end():
    ramp = np.zeros((1, 1, 8), np.float32)
    ramp[..., :6] = np.arange(6) + 0.5
    flipped = flip_mask_input(ramp, 5.5)[0, 0]
    np.testing.assert_allclose(flipped[1:4], 5.5 - ramp[0, 0, 1:4])
    assert flipped[6:].tolist() == [0, 0]
