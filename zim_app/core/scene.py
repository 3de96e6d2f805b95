"""Operations on an image's stack of objects: move, remove, merge, select for export."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import chain

from zim_model.prompts import PromptSet
from zim_model.recipe import Recipe, SceneObject

Objects = tuple[SceneObject, ...]

SHARED_SETTINGS = (
    "model",
    "candidate",
    "upsampling",
    "mirrored",
    "edge",
    "mask_prompts",
)
"""Settings that the recipes of objects must share to be merged without loss."""


def move_objects(objects: Objects, ids: Collection[int], row: int) -> Objects:
    """Move objects, in their order, before the object at ``row``.

    ``row`` is an index before the move, from 0, the topmost, to the number of objects.
    """
    moving = [object_ for object_ in objects if object_.id in ids]
    above = [object_ for object_ in objects[:row] if object_.id not in ids]
    below = [object_ for object_ in objects[row:] if object_.id not in ids]
    return (*above, *moving, *below)


def remove_objects(objects: Objects, ids: Collection[int]) -> Objects:
    """Remove objects; the others keep their order."""
    return tuple(object_ for object_ in objects if object_.id not in ids)


def exported_indexes(objects: Objects, active: int, scope: str) -> tuple[int, ...]:
    """Indexes of the objects that an export includes, the lowest first.

    Args:
        objects: the topmost first.
        active: index of the active object; it is always included.
        scope: an :data:`~zim_app.core.export_options.Scope`, or "layers" for all
            objects, hidden ones too.
    """
    indexes = [
        index
        for index, object_ in enumerate(objects)
        if index == active
        or scope == "layers"
        or (scope != "active" and object_.visible)
    ]
    return tuple(reversed(indexes))


def differences(recipes: Sequence[Recipe]) -> tuple[str, ...]:
    """Names of the ``SHARED_SETTINGS`` in which recipes differ.

    Recipes without prompts do not count.
    """
    settings = [_mergeable_settings(recipe) for recipe in recipes if recipe.has_prompts]
    names = [
        name
        for index, name in enumerate(SHARED_SETTINGS[:-1])
        if len({values[index] for values in settings}) > 1
    ]
    # Prompts can subtract from a mask; one recipe would apply them to all its masks.
    on_masks = [recipe for recipe in recipes if recipe.masks and recipe.prompts]
    return (*names, *SHARED_SETTINGS[-1:][: len(on_masks) > 1])


def _mergeable_settings(recipe: Recipe) -> tuple[object, ...]:
    options, edge = recipe.options, replace(recipe.finish, strokes=())
    candidate = options.candidate or 0
    upsampling = options.upsampling, options.trimap_network
    return recipe.model, candidate, upsampling, options.flip_tta, edge


def strokes_interfere(recipes: Sequence[Recipe]) -> bool:
    """Whether erasing or softening strokes would affect other objects after merging."""
    prompted = [recipe for recipe in recipes if recipe.has_prompts]
    brushes = {s.brush for recipe in prompted for s in recipe.finish.strokes}
    return len(prompted) > 1 and bool(brushes - {"add"})


def unite_recipes(recipes: Sequence[Recipe]) -> Recipe:
    """Unite recipes, at least one, into a single one.

    Prompt sets and masks are united, strokes are concatenated.  Settings that differ,
    see :func:`differences`, are taken from the first recipe with prompts.
    """
    prompted = [recipe for recipe in recipes if recipe.has_prompts] or list(recipes[:1])
    sets = [
        prompts
        for recipe in prompted
        for prompts in (recipe.prompts, *recipe.more_prompt_sets)
        if prompts
    ]
    masks = tuple(dict.fromkeys(mask for recipe in prompted for mask in recipe.masks))
    if masks:  # only prompts of a recipe with masks may subtract
        beside = (r.prompts for r in prompted if r.masks and r.prompts)
        own = next(beside, PromptSet())
        sets = [own, *(s for s in sets if s != own and not s.only_negative)]
    first, *others = dict.fromkeys(sets) or (PromptSet(),)
    strokes = chain.from_iterable(recipe.finish.strokes for recipe in prompted)
    finish = replace(prompted[0].finish, strokes=tuple(strokes))
    return replace(
        prompted[0],
        prompts=first,
        more_prompt_sets=tuple(others),
        finish=finish,
        masks=masks,
    )


def merge_objects(objects: Objects, ids: Collection[int], recipe: Recipe) -> Objects:
    """Replace objects by one visible object with that recipe.

    It has place, id, name and colour of the topmost one.
    """
    first = next(object_ for object_ in objects if object_.id in ids)
    whole = replace(first, recipe=recipe, visible=True)
    rest = remove_objects(objects, set(ids) - {first.id})
    return tuple(whole if object_ is first else object_ for object_ in rest)
