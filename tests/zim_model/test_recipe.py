from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zim_model.errors import PromptError, ZimError
from zim_model.finish import Finish, Stroke
from zim_model.imported_mask import ImportedMask
from zim_model.prompts import Box, Point, PromptSet, Scribble
from zim_model.recipe import Options, Recipe, SceneObject

NUMBERS = st.floats(-1e6, 1e6)
POINTS = st.builds(Point, NUMBERS, NUMBERS, st.booleans())
PROMPTS = st.builds(
    PromptSet,
    st.lists(POINTS, max_size=5).map(tuple),
    st.none() | st.builds(Box, NUMBERS, NUMBERS, NUMBERS, NUMBERS),
    st.lists(
        st.builds(
            Scribble,
            st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=4).map(tuple),
            st.booleans(),
        ),
        max_size=2,
    ).map(tuple),
)
SHARES = st.floats(0, 1)
STROKES = st.builds(
    Stroke,
    st.lists(
        st.tuples(NUMBERS, NUMBERS, st.floats(0.01, 1)), min_size=1, max_size=4
    ).map(tuple),
    st.floats(0.1, 500),
    SHARES,
    st.sampled_from(["add", "erase", "soften"]),
    SHARES,
)
FINISHES = st.builds(
    Finish,
    st.floats(-20, 20),
    st.floats(0, 50),
    SHARES,
    st.lists(STROKES, max_size=2).map(tuple),
    SHARES,
)
RECIPES = st.builds(
    Recipe,
    PROMPTS,
    st.sampled_from(["zim-tiny", "my-model_2.1"]),
    st.builds(
        Options,
        st.none() | st.integers(0, 3),
        st.sampled_from(["guided", "bilinear", "native"]),
    ),
    FINISHES,
    st.lists(PROMPTS, max_size=2).map(tuple),
)
OBJECTS = st.builds(
    SceneObject,
    st.integers(1, 10**6),
    st.text(max_size=8),
    st.integers(0, 0xFFFFFF),
    st.booleans(),
    RECIPES,
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
    assert moved.prompts == replace(recipe.prompts, points=tuple(expected))
    back = moved.with_point_moved(index, points[index].x, points[index].y)
    assert back == recipe


@given(RECIPES)
def test_box_is_set_and_removed_without_touching_the_points(recipe: Recipe) -> None:
    boxed = recipe.with_box(Box(1, 2, 3, 4))
    assert boxed.prompts == replace(recipe.prompts, box=Box(1, 2, 3, 4))
    assert boxed.with_box(None).with_box(recipe.prompts.box) == recipe


VALID = Recipe(PromptSet((Point(1, 2),))).to_json()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ([], "version None"),
        ("text", "version None"),
        (
            VALID | {"version": 6},
            "version 6; known are 1 to 5. It may come from a newer",
        ),
        ({"version": 1}, "recipe has no"),
        (VALID | {"model": None}, "model is None, which is no name"),
        (VALID | {"candidate": "2"}, "candidate is '2', which is no index"),
        (VALID | {"candidate": -1}, "candidate is -1, which is no index"),
        (VALID | {"candidate": True}, "candidate is True, which is no index"),
        (VALID | {"upsampling": "cubic"}, "'cubic'. Known are guided and bilinear"),
        (VALID | {"upsampling": []}, "Known are guided and bilinear"),
        (VALID | {"mirrored": 1}, "mirrored is 1. It must be true or false"),
        (VALID | {"prompts": 5}, "prompts cannot be read"),
    ],
)
def test_other_files_are_refused_in_a_sentence(data: Any, sentence: str) -> None:
    with pytest.raises(ZimError) as caught:
        Recipe.from_json(data)
    assert sentence in str(caught.value)


@given(OBJECTS)
def test_object_survives_a_file(entry: SceneObject) -> None:
    assert SceneObject.from_json(json.loads(json.dumps(entry.to_json()))) == entry


def test_a_recipe_of_the_first_version_is_read() -> None:
    first = {
        "version": 1,
        "prompts": {"points": [[1, 2, 1]], "box": None},
        "model": "zim-tiny",
        "candidate": None,
        "upsampling": "guided",
    }
    assert Recipe.from_json(first) == Recipe(PromptSet((Point(1, 2),)))


def test_flip_tta_survives_a_file() -> None:
    recipe = Recipe(PromptSet((Point(1, 2),)), options=Options(flip_tta=True))
    data = json.loads(json.dumps(recipe.to_json()))
    assert Recipe.from_json(data) == recipe
    del data["mirrored"]  # as earlier versions wrote it
    assert not Recipe.from_json(data).options.flip_tta


def stroke(**changes: Any) -> dict[str, Any]:
    usual = {"path": [[1, 2, 1]], "radius": 5, "hardness": 1, "strength": 1}
    return {"strokes": [usual | {"brush": "add"} | changes]}


@pytest.mark.parametrize(
    ("finish", "sentence"),
    [
        ({"feather": -1}, "feather is -1"),
        ({"feather": 51}, "from 0 to 50"),
        ({"shift_edge": "2"}, "shift_edge is '2'"),
        ({"contrast": True}, "contrast is True"),
        ({"decontaminate": float("nan")}, "decontaminate is nan"),
        (stroke(path=[]), "path"),
        (stroke(path=[[1, 2]]), "finish cannot be read"),
        (stroke(path=[[1, 2, 0]]), "pressure"),
        (stroke(radius=0), "no radius"),
        (stroke(radius=1e9), "no radius"),
        (stroke(brush="burn"), "no brush"),
        (stroke(hardness=2), "hardness"),
        ({"strokes": [{}]}, "finish cannot be read"),
        (5, "finish cannot be read"),
    ],
)
def test_a_malformed_finish_is_refused(finish: Any, sentence: str) -> None:
    with pytest.raises(ZimError) as caught:
        Recipe.from_json(VALID | {"finish": finish})
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"id": 0}, "no positive number"),
        ({"id": "1"}, "no positive number"),
        ({"name": None}, "malformed name"),
        ({"visible": 1}, "malformed name"),
        ({"colour": "blue"}, "cannot be read"),
        ({"colour": "#1234567"}, "has the colour"),
    ],
)
def test_a_malformed_object_is_refused(change: Any, sentence: str) -> None:
    with pytest.raises(ZimError) as caught:
        SceneObject.from_json(SceneObject().to_json() | change)
    assert sentence in str(caught.value)


def test_masks_are_part_of_the_recipe_and_older_ones_have_none() -> None:
    level = np.zeros((6, 8), np.uint8)
    level[2:4] = 255
    mask = ImportedMask.from_level(level, refine=False)
    recipe = Recipe(masks=(mask,))
    assert recipe.has_prompts
    assert Recipe.from_json(json.loads(json.dumps(recipe.to_json()))) == recipe
    older = {k: v for k, v in VALID.items() if k != "masks"} | {"version": 2}
    assert Recipe.from_json(older) == Recipe.from_json(VALID)


def test_masks_are_checked_against_the_image() -> None:
    mask = ImportedMask.from_level(np.full((6, 8), 255, np.uint8))
    away = PromptSet((Point(1, 2, positive=False),))
    recipe = Recipe(away, masks=(mask,))
    assert recipe.validate(6, 8) == recipe
    with pytest.raises(ZimError, match="8 x 6 pixels and the photo 7 x 6"):
        recipe.validate(6, 7)
    with pytest.raises(ZimError, match="Negative points alone"):
        Recipe(away).validate(6, 8)
    for broken in (3, [3], [{}], [mask.to_json()] * 17):
        with pytest.raises(ZimError, match="mask"):
            Recipe.from_json(VALID | {"masks": broken})


def test_the_trimap_network_is_kept():
    recipe = Recipe(options=Options(None, "trimap", trimap_network="vitmatte"))
    data = json.loads(json.dumps(recipe.to_json()))
    assert Recipe.from_json(data) == recipe
    assert "trimap_network" not in Recipe().to_json(), "as files had it before"
    with pytest.raises(ZimError, match="trimap network is 3, which is no name"):
        Recipe.from_json({**data, "trimap_network": 3})


def _recipe_data(**changes) -> dict:
    return Recipe(PromptSet((Point(1, 2),))).to_json() | changes


@pytest.mark.parametrize(
    "name",
    [
        "/models/zim.safetensors",
        "zim.safetensors",
        "ZIM.PTH",
        "../zim",
        "//server/share/zim",
        "C:\\zim",
        "a" * 65,
    ],
)
@pytest.mark.parametrize("key", ["model", "trimap_network"])
def test_a_recipe_names_no_file(key: str, name: str) -> None:
    with pytest.raises(ZimError, match="which is no name"):
        Recipe.from_json(_recipe_data(**{key: name}))


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"prompts": {"points": [[float("inf"), 4, 1]]}}, r"prompts\.points\[0\]"),
        ({"prompts": {"points": [[1, 1, 1], [1e30, 4, 1]]}}, r"prompts\.points\[1\]"),
        ({"prompts": {"box": [0, 0, 1e9, 1]}}, r"prompts\.box"),
        (
            {"prompts": {"scribbles": [{"positive": 1, "path": [[1, 1], [9, -1e30]]}]}},
            r"prompts\.scribbles\[0\]",
        ),
        ({"prompts": {"points": [[1, 1, 1]] * 2000}}, r"2000 prompts\.points"),
        ({"also": [{"points": [[1, 1, 1]] * 2000}]}, r"2000 also\[0\]\.points"),
        ({"also": [{}] * 9999}, "9999 also"),
        ({"also": 5}, "also"),
        ({"finish": {"feather": 10**400}}, "feather"),
        ({"finish": {"strokes": 5}}, "finish"),
        (
            {
                "finish": {
                    "strokes": [
                        {
                            "path": [[1e30, 1, 1]],
                            "radius": 5,
                            "hardness": 1,
                            "brush": "add",
                            "strength": 1,
                        }
                    ]
                }
            },
            r"finish\.strokes\[0\]",
        ),
    ],
)
def test_what_no_photo_needs_is_refused_with_its_place(changes, place) -> None:
    with pytest.raises(ZimError, match=place):
        Recipe.from_json(_recipe_data(**changes))


@pytest.mark.parametrize("version", [True, 1.0, "1", None, 10**400])
def test_a_version_is_a_whole_number(version) -> None:
    with pytest.raises(ZimError, match="version"):
        Recipe.from_json(_recipe_data(version=version))


def test_a_recipe_that_cannot_be_stored_is_told_before() -> None:
    recipe = Recipe(PromptSet(tuple(Point(i, i) for i in range(200))))
    recipe.check_limits()
    with pytest.raises(PromptError, match=r"201 prompts\.points; at most 200"):
        recipe.with_point(Point(1, 1)).check_limits()
    with pytest.raises(PromptError, match="at most 200"):
        recipe.with_point(Point(1, 1)).validate(1000, 1000)
