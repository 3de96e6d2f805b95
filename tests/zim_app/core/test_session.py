from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zim_app.core.session import Recipe
from zim_model.errors import ZimError
from zim_model.prompts import Box, Point, PromptSet
from zim_model.request import Options

NUMBERS = st.floats(-1e6, 1e6)
POINTS = st.builds(Point, NUMBERS, NUMBERS, st.booleans())
PROMPTS = st.builds(
    PromptSet,
    st.lists(POINTS, max_size=5).map(tuple),
    st.none() | st.builds(Box, NUMBERS, NUMBERS, NUMBERS, NUMBERS),
)
RECIPES = st.builds(
    Recipe,
    PROMPTS,
    st.sampled_from(["zim-tiny", "/models/été.safetensors"]),
    st.builds(
        Options,
        st.none() | st.integers(0, 3),
        st.sampled_from(["guided", "bilinear"]),
    ),
)


@given(RECIPES)
def test_recipe_survives_a_file(recipe: Recipe) -> None:
    again = Recipe.from_json(json.loads(json.dumps(recipe.to_json())))
    assert again == recipe
    assert hash(again) == hash(recipe)  # it is a cache key


@given(RECIPES, POINTS)
def test_added_point_is_last_and_can_be_taken_away(
    recipe: Recipe, point: Point
) -> None:
    added = recipe.with_point(point)
    assert added.prompts.points == (*recipe.prompts.points, point)
    assert added.without_point(len(recipe.prompts.points)) == recipe


@given(RECIPES.filter(lambda recipe: recipe.prompts.points), st.data())
def test_moved_point_keeps_its_place_and_kind(
    recipe: Recipe, data: st.DataObject
) -> None:
    points = recipe.prompts.points
    index = data.draw(st.integers(0, len(points) - 1))
    moved = recipe.with_point_moved(index, 3.5, 4.5)
    expected = list(points)
    expected[index] = Point(3.5, 4.5, points[index].positive)
    assert moved.prompts == PromptSet(tuple(expected), recipe.prompts.box)
    back = moved.with_point_moved(index, points[index].x, points[index].y)
    assert back == recipe


@given(RECIPES)
def test_box_is_set_and_removed_without_touching_the_points(recipe: Recipe) -> None:
    boxed = recipe.with_box(Box(1, 2, 3, 4))
    assert boxed.prompts == PromptSet(recipe.prompts.points, Box(1, 2, 3, 4))
    assert boxed.with_box(None).with_box(recipe.prompts.box) == recipe


VALID = Recipe(PromptSet((Point(1, 2),))).to_json()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ([], "version None"),
        ("text", "version None"),
        (
            VALID | {"version": 3},
            "version 3; known are 1 and 2. It may come from a newer",
        ),
        ({"version": 1}, "recipe has no"),
        (VALID | {"model": None}, "model is None, which is no name"),
        (VALID | {"candidate": "2"}, "candidate is '2', which is no index"),
        (VALID | {"candidate": -1}, "candidate is -1, which is no index"),
        (VALID | {"candidate": True}, "candidate is True, which is no index"),
        (VALID | {"upsampling": "cubic"}, "'cubic'. Known are guided and bilinear"),
        (VALID | {"upsampling": []}, "Known are guided and bilinear"),
        (VALID | {"prompts": 5}, "prompts cannot be read"),
    ],
)
def test_other_files_are_refused_in_a_sentence(data: Any, sentence: str) -> None:
    with pytest.raises(ZimError) as caught:
        Recipe.from_json(data)
    assert sentence in str(caught.value)
