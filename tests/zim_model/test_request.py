import io

import numpy as np
import pytest
from PIL import Image

from zim_model.errors import ImageError, PromptError
from zim_model.finish import Stroke
from zim_model.imported_mask import ImportedMask
from zim_model.prompts import Box, Point, PromptSet
from zim_model.recipe import Recipe
from zim_model.request import Matte, Request, Timings

IMAGE = np.zeros((20, 30, 3), np.uint8)
MASK = ImportedMask.from_level(np.full((20, 30), 255, np.uint8))
STROKE = Stroke(((5.0, 5.0, 1.0),), 4.0)


def request(recipe: Recipe) -> Request:
    return Request(IMAGE, "grey", recipe)


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(),
        Recipe(more_prompt_sets=(PromptSet(),)),
        Recipe(PromptSet((Point(30, 5),))),
        Recipe(PromptSet((Point(3, 5, positive=False),))),
        Recipe(masks=(MASK,), more_prompt_sets=(PromptSet((Point(3, 20),)),)),
    ],
)
def test_what_makes_no_matte_is_refused(recipe: Recipe) -> None:
    with pytest.raises(PromptError):
        request(recipe).validate()


def test_a_mask_of_another_image_is_refused() -> None:
    other = ImportedMask.from_level(np.full((5, 5), 255, np.uint8))
    with pytest.raises(ImageError):
        request(Recipe(masks=(other,))).validate()


def test_what_makes_a_matte_is_kept_and_boxes_are_clipped() -> None:
    away = PromptSet((Point(3, 5, positive=False),))
    recipes = (Recipe().with_stroke(STROKE), Recipe(away, masks=(MASK,)))
    for recipe in recipes:
        assert request(recipe).validate().recipe == recipe
    drawn = request(Recipe(PromptSet(box=Box(-5, 2, 99, 10))))
    assert drawn.validate().recipe.prompts.box == Box(0, 2, 30, 10)


def test_requests_of_equal_recipes_have_equal_keys() -> None:
    first = request(Recipe(PromptSet((Point(3, 5),))))
    assert first.key == request(Recipe(PromptSet((Point(3, 5),)))).key
    assert first.key != first.with_recipe(model="another").key
    assert first.key != Request(IMAGE, "another", first.recipe).key


def test_a_notebook_shows_a_small_picture_of_a_matte():
    alpha = np.zeros((3000, 40), np.uint16)
    alpha[:1500] = 65535
    pyramid = tuple((alpha[:: 2**n, :: 2**n] >> 8).astype(np.uint8) for n in range(4))
    matte = Matte(
        *(alpha, pyramid, np.zeros(4, np.float32), 0, (0, 0, 40, 1500)),
        Timings(0, 0, "CPU"),
    )
    with Image.open(io.BytesIO(matte._repr_png_())) as image:
        assert image.format == "PNG"
        assert image.size == (10, 750)
        assert image.getpixel((5, 5)) == 255
