"""The eyedropper: removes a colour from the matte, as the green of a screen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import QPointF

from zim_app.gui.tools.gestures import (
    DRAG_DISTANCE,
    Gesture,
    PointerPress,
    RecipeEdit,
    distance,
    make_edit,
)
from zim_model.finish import MAX_COLOUR_KEYS, ColourKey
from zim_model.recipe import Recipe

FULL_DRAG = 300.0
"""Distance in view pixels by which a drag raises the tolerance from 0 to 1."""


@dataclass(frozen=True, slots=True)
class ColourKeyGesture:
    """Removes the colour at the press; a drag away from it sets the tolerance.

    A negative press restores the removed colour that is nearest to it.

    Attributes:
        press: the press that began the gesture.
        tolerance: of the new key.
        dragging: whether the pointer moved farther than ``DRAG_DISTANCE``.
        preview_path: empty.
        preview_radius: 0.
    """

    press: PointerPress
    tolerance: float
    dragging: bool = False
    preview_path: tuple[tuple[float, float], ...] = ()
    preview_radius: float = 0.0

    @classmethod
    def begin(cls, press: PointerPress) -> Gesture | None:
        """Begin a gesture; None outside the image."""
        return cls(press, press.options.key_tolerance) if press.inside else None

    def move(self, position: QPointF, view: QPointF, pressure: float = 1.0) -> Gesture:
        """See :class:`~zim_app.gui.tools.gestures.Gesture`."""
        away = distance(view, self.press.view)
        if not self.dragging and away <= DRAG_DISTANCE:
            return self
        tolerance = round(min(away / FULL_DRAG, 1.0), 3)
        return replace(self, tolerance=tolerance, dragging=True)

    def edit(self) -> RecipeEdit | None:
        """See :class:`~zim_app.gui.tools.gestures.Gesture`."""
        press, keys = self.press, self.press.recipe.finish.colour_keys
        if not press.positive:
            restored = _without_nearest(keys, press.colour)
            edited = press.recipe.with_finish(colour_keys=restored)
            return make_edit("restore_colour", edited) if keys else None
        if len(keys) == MAX_COLOUR_KEYS:
            keys = keys[1:]
        key = ColourKey(press.colour, self.tolerance, press.options.key_softness)
        edited = press.recipe.with_finish(colour_keys=(*keys, key))
        return make_edit("colour_key", edited)


def with_last_key(recipe: Recipe, **changes: Any) -> Recipe:
    """A copy of a recipe with other attributes of its last colour key, if any."""
    *earlier, last = recipe.finish.colour_keys or (None,)
    if last is None:
        return recipe
    return recipe.with_finish(colour_keys=(*earlier, replace(last, **changes)))


def _without_nearest(keys: tuple[ColourKey, ...], colour: int) -> tuple[ColourKey, ...]:
    """The keys without the one whose colour is nearest in RGB."""
    nearest = min(keys, key=lambda key: _difference(key.colour, colour), default=None)
    return tuple(key for key in keys if key is not nearest)


def _difference(a: int, b: int) -> int:
    shifts = (16, 8, 0)
    return sum(((a >> shift & 0xFF) - (b >> shift & 0xFF)) ** 2 for shift in shifts)
