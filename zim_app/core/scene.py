"""The objects of a picture as a stack: ordering them, and making one of several."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import chain

from zim_model.prompts import PromptSet
from zim_model.recipe import Recipe, SceneObject

Objects = tuple[SceneObject, ...]

SHARED = ("model", "candidate", "upsampling", "mirrored", "edge", "mask_prompts")
"""What the recipes of one object's parts have to have in common."""


def moved(objects: Objects, ids: Collection[int], row: int) -> Objects:
    """Put some objects, in their order, before what is at ``row`` now.

    ``row`` counts all objects, from 0, the topmost, to their number, the bottom.
    """
    held = [entry for entry in objects if entry.id in ids]
    above = [entry for entry in objects[:row] if entry.id not in ids]
    below = [entry for entry in objects[row:] if entry.id not in ids]
    return (*above, *held, *below)


def without(objects: Objects, ids: Collection[int]) -> Objects:
    """Take some objects away; others stay in their order."""
    return tuple(entry for entry in objects if entry.id not in ids)


def exported(objects: Objects, active: int, scope: str) -> tuple[int, ...]:
    """Indexes of the objects that an export takes, the lowest first.

    Args:
        objects: the topmost first.
        active: index of the one that edits go to; it is always taken.
        scope: an :data:`~zim_app.core.export_options.Scope`, or "layers" for all of
            them, also those that are hidden.
    """
    taken = [
        index
        for index, entry in enumerate(objects)
        if index == active or scope == "layers" or (scope != "active" and entry.visible)
    ]
    return tuple(reversed(taken))


def differences(recipes: Sequence[Recipe]) -> tuple[str, ...]:
    """In which of ``SHARED`` recipes differ, so that one recipe cannot say them all.

    Recipes that ask for nothing do not count.
    """
    aspects = [_aspects(recipe) for recipe in recipes if recipe.asks]
    found = [
        name
        for place, name in enumerate(SHARED[:-1])
        if len({entry[place] for entry in aspects}) > 1
    ]
    # Prompts on a mask can take away from it, which one recipe says of all its masks.
    on_masks = [recipe for recipe in recipes if recipe.masks and recipe.prompts]
    return (*found, *SHARED[-1:][: len(on_masks) > 1])


def _aspects(recipe: Recipe) -> tuple[object, ...]:
    options, edge = recipe.options, replace(recipe.finish, strokes=())
    candidate = options.candidate or 0
    return recipe.model, candidate, options.upsampling, options.mirrored, edge


def strokes_interfere(recipes: Sequence[Recipe]) -> bool:
    """Whether strokes that take away would act on the other objects after merging."""
    asking = [recipe for recipe in recipes if recipe.asks]
    brushes = {s.brush for recipe in asking for s in recipe.finish.strokes}
    return len(asking) > 1 and bool(brushes - {"add"})


def united(recipes: Sequence[Recipe]) -> Recipe:
    """One recipe for all that several describe, at least one.

    Prompt sets and masks are united, strokes follow one another.  Where ``differences``
    has something, the first recipe that asks for anything decides.
    """
    asking = [recipe for recipe in recipes if recipe.asks] or list(recipes[:1])
    sets = [
        prompts
        for recipe in asking
        for prompts in (recipe.prompts, *recipe.also)
        if prompts
    ]
    masks = tuple(dict.fromkeys(mask for recipe in asking for mask in recipe.masks))
    if masks:  # only what was asked beside a mask may take away from it
        beside = (r.prompts for r in asking if r.masks and r.prompts)
        own = next(beside, PromptSet())
        sets = [own, *(s for s in sets if s != own and not s.only_negative)]
    first, *others = dict.fromkeys(sets) or (PromptSet(),)
    strokes = chain.from_iterable(recipe.finish.strokes for recipe in asking)
    finish = replace(asking[0].finish, strokes=tuple(strokes))
    return replace(
        asking[0], prompts=first, also=tuple(others), finish=finish, masks=masks
    )


def merged(objects: Objects, ids: Collection[int], recipe: Recipe) -> Objects:
    """Replace some objects by one with that recipe; it takes the topmost one's place.

    It also keeps the topmost one's id, name and colour, and is visible.
    """
    first = next(entry for entry in objects if entry.id in ids)
    whole = replace(first, recipe=recipe, visible=True)
    rest = without(objects, set(ids) - {first.id})
    return tuple(whole if entry is first else entry for entry in rest)
