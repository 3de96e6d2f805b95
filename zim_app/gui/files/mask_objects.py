"""Imported masks as objects of a document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from zim_app.gui.document import Document
from zim_app.gui.settings.refinement import new_recipe
from zim_model.imported_mask import ImportedMask
from zim_model.recipe import Recipe, SceneObject


def add_masks(
    document: Document, masks: Sequence[tuple[str, ImportedMask]], text: str
) -> None:
    """Add named masks as objects on top; an empty active object is used for the first.

    Args:
        document: of an image of the masks' size.
        masks: names and masks, the first on top.
        text: of the step, for undo.
    """
    state = document.state
    scene_objects: list[SceneObject] = []
    for name, mask in masks:
        # A soft matte is taken as it is.
        blank = new_recipe(state.recipe.model) if mask.refine else Recipe()
        recipe = replace(blank, model=state.recipe.model, masks=(mask,))
        if not scene_objects and not state.recipe.has_prompts:
            own = state.object.name or name
            scene_objects.append(replace(state.object, name=own, recipe=recipe))
        else:
            scene_objects.append(document.new_object(recipe, name))
    taken = {scene_object.id for scene_object in scene_objects}
    rest = tuple(each for each in state.objects if each.id not in taken)
    document.edit_objects(text, (*scene_objects, *rest), 0)
