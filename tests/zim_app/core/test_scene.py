"""The stack of objects: order, merging and export."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zim_app.core.scene import (
    differences,
    merge_objects,
    move_objects,
    remove_objects,
    strokes_interfere,
    unite_recipes,
)
from zim_model.finish import Stroke
from zim_model.imported_mask import ImportedMask
from zim_model.prompts import Point, PromptSet
from zim_model.recipe import Options, Recipe, SceneObject

STACK = tuple(SceneObject(id_) for id_ in (4, 2, 7, 1))


def clicked(x, **changes):
    return replace(Recipe(PromptSet((Point(x, 1),))), **changes)


def stroked(recipe, brush):
    return recipe.with_stroke(Stroke(((1, 1, 1),), 3, brush=brush))


def ids(objects):
    return [entry.id for entry in objects]


@pytest.mark.parametrize(
    ("held", "row", "expected"),
    [
        ([4], 0, [4, 2, 7, 1]),
        ([4], 1, [4, 2, 7, 1]),
        ([4], 2, [2, 4, 7, 1]),
        ([4], 4, [2, 7, 1, 4]),
        ([1], 0, [1, 4, 2, 7]),
        ([1, 4], 2, [2, 4, 1, 7]),
        ([4, 7], 1, [4, 7, 2, 1]),
    ],
)
def test_objects_move_to_a_row(held, row, expected):
    assert ids(move_objects(STACK, held, row)) == expected


@given(st.sets(st.sampled_from([1, 2, 4, 7])), st.integers(0, 4))
def test_moving_loses_nothing_and_keeps_each_order(held, row):
    result = move_objects(STACK, held, row)
    assert sorted(ids(result)) == [1, 2, 4, 7]
    for part in (held, {1, 2, 4, 7} - held):
        in_order = [id_ for id_ in ids(result) if id_ in part]
        assert in_order == [id_ for id_ in ids(STACK) if id_ in part]


def test_objects_are_taken_away():
    assert ids(remove_objects(STACK, [2, 1])) == [4, 7]


def test_prompt_sets_are_united_in_order_and_once():
    three = clicked(3, more_prompt_sets=(clicked(4).prompts,))
    recipe = unite_recipes([clicked(1), Recipe(), three, clicked(1)])
    sets = [recipe.prompts, *recipe.more_prompt_sets]
    assert [prompts.points[0].x for prompts in sets] == [1, 3, 4]


def test_strokes_follow_one_another_even_without_prompts():
    recipe = unite_recipes([stroked(Recipe(), "add"), stroked(clicked(2), "erase")])
    assert recipe.prompts == clicked(2).prompts
    assert recipe.more_prompt_sets == ()
    assert [stroke.brush for stroke in recipe.finish.strokes] == ["add", "erase"]


def test_uniting_empty_recipes_gives_an_empty_one():
    assert unite_recipes([Recipe(), Recipe()]) == Recipe()


def test_differences_that_one_recipe_cannot_express_are_named():
    soft = clicked(1).with_finish(feather=3.0)
    assert differences([clicked(1), clicked(2)]) == ()
    assert differences([clicked(1), soft]) == ("edge",)
    assert differences([clicked(1), clicked(2, model="zim-vit-b")]) == ("model",)
    other = clicked(2, options=Options(2, "bilinear"))
    assert differences([clicked(1), other]) == ("candidate", "upsampling")
    twice = clicked(2, options=Options(flip_tta=True))
    assert differences([clicked(1), twice]) == ("mirrored",)
    assert unite_recipes([soft, clicked(2)]).finish.feather == 3.0


def test_empty_prompts_do_not_differ():
    assert differences([Recipe(model="zim-vit-b"), clicked(1)]) == ()
    assert unite_recipes([Recipe(model="zim-vit-b"), clicked(1)]).model == "zim-tiny"


def test_the_automatic_candidate_is_the_first():
    first = clicked(2, options=Options(candidate=0))
    assert differences([clicked(1), first]) == ()


def test_only_strokes_that_take_away_interfere():
    added, erased = stroked(clicked(1), "add"), stroked(clicked(1), "erase")
    assert not strokes_interfere([added, clicked(2)])
    assert strokes_interfere([clicked(2), erased])
    assert not strokes_interfere([erased, Recipe()]), "there is nothing to act on"


def test_the_topmost_stays_with_the_new_recipe():
    stack = tuple(replace(o, visible=o.id != 2, name=f"n{o.id}") for o in STACK)
    result = merge_objects(stack, [1, 2], clicked(9))
    assert ids(result) == [4, 2, 7]
    assert result[1] == replace(stack[1], visible=True, recipe=clicked(9))


def test_merging_keeps_masks_and_what_was_clicked_on_them():
    whole, part = np.full((6, 8), 255, np.uint8), np.eye(6, 8, dtype=np.uint8) * 255
    a, b = (ImportedMask.from_level(level) for level in (whole, part))
    on_a = PromptSet((Point(1, 1, positive=False),))
    clicked = PromptSet((Point(2, 2), Point(3, 3, positive=False)))
    recipes = [Recipe(clicked), Recipe(on_a, masks=(a,)), Recipe(masks=(b, a))]
    assert not differences(recipes)
    one = unite_recipes(recipes)
    assert (one.prompts, one.more_prompt_sets, one.masks) == (on_a, (clicked,), (a, b))
    # A negative point of a recipe without masks must not subtract from a mask.
    other = unite_recipes([recipes[0], recipes[2]])
    assert (other.prompts, other.more_prompt_sets) == (PromptSet(), (clicked,))
    twice = [recipes[1], Recipe(clicked, masks=(b,))]
    assert differences(twice) == ("mask_prompts",)
