"""The refinement of mattes, copied between objects and kept for new ones.

A refinement is a recipe without prompts, strokes and candidate: what the panel Refine
sets.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Literal

from PySide6.QtCore import QSettings

from zim_model.errors import ZimError
from zim_model.finish import STANDARD_FINISH
from zim_model.recipe import Recipe

Key = Literal["copied_refinement", "default_refinement"]


def refinement_of(recipe: Recipe) -> Recipe:
    """The refinement of an object's recipe."""
    return Recipe(
        options=replace(recipe.options, candidate=None),
        finish=replace(recipe.finish, strokes=()),
    )


def refine(recipe: Recipe, refinement: Recipe) -> Recipe:
    """A recipe with another refinement; its strokes and its candidate stay."""
    return replace(
        recipe,
        options=replace(refinement.options, candidate=recipe.options.candidate),
        finish=replace(refinement.finish, strokes=recipe.finish.strokes),
    )


def stored_refinement(key: Key) -> Recipe | None:
    """A stored refinement; None if there is none, or it is of a newer version."""
    try:
        return Recipe.from_json(json.loads(str(QSettings().value(key) or "null")))
    except (ValueError, RecursionError, ZimError):
        return None


def store_refinement(key: Key, refinement: Recipe | None) -> None:
    """Store a refinement; None removes it."""
    text = "" if refinement is None else json.dumps(refinement.to_json())
    QSettings().setValue(key, text)


def new_recipe(model: str) -> Recipe:
    """The recipe of a new object, with the refinement that is kept for new ones."""
    recipe = Recipe(model=model, finish=STANDARD_FINISH)
    refinement = stored_refinement("default_refinement")
    return recipe if refinement is None else refine(recipe, refinement)
