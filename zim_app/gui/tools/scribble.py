"""Freehand gestures: scribbles, and the lasso around an object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from PySide6.QtCore import QPointF

from zim_app.gui.tools.gestures import (
    DRAG_DISTANCE,
    Gesture,
    PointerPress,
    PromptGesture,
    PromptPart,
    RecipeEdit,
    add_point_edit,
    distance,
    make_edit,
)
from zim_model.prompts import Box, Scribble

TOLERANCE = 0.5
"""Largest distance of a simplified line from the drawn one, in view pixels."""

Path = tuple[tuple[float, float], ...]
"""x and y of vertices, in image pixels."""


def simplify_path(path: Sequence[tuple[float, float]], tolerance: float) -> Path:
    """Simplify a line up to a tolerance (Douglas and Peucker); both ends are kept."""
    positions = np.asarray(path, np.float64)
    keep = np.zeros(len(positions), bool)
    keep[[0, -1]] = True
    spans = [(0, len(positions) - 1)]
    while spans:
        first, last = spans.pop()
        if last - first < 2:
            continue
        away = _distances(
            positions[first + 1 : last], positions[first], positions[last]
        )
        farthest = int(away.argmax())
        if away[farthest] > tolerance:
            middle = first + 1 + farthest
            keep[middle] = True
            spans += [(first, middle), (middle, last)]
    return tuple((float(x), float(y)) for x, y in positions[keep])


def _distances(positions: np.ndarray, begin: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Distances (N,) of positions (N, 2) from a line segment."""
    along = end - begin
    length = float(along @ along)
    fraction = (
        np.clip((positions - begin) @ along / length, 0, 1)
        if length
        else np.zeros(len(positions))
    )
    nearest: np.ndarray = np.hypot(*(positions - begin - fraction[:, None] * along).T)
    return nearest


@dataclass(frozen=True, slots=True)
class _FreehandGesture:
    """A line along the pointer's path, clipped to the image.

    Attributes:
        press: the press that began the gesture.
        path: all pointer positions.
        dragging: whether the pointer moved farther than ``DRAG_DISTANCE``.
        preview_path: empty.
        preview_radius: 0.
    """

    press: PointerPress
    path: Path
    dragging: bool = False
    preview_path: Path = ()
    preview_radius: float = 0.0

    def move(self, position: QPointF, view: QPointF, pressure: float = 1.0) -> Self:
        """See :class:`~zim_app.gui.tools.gestures.Gesture`."""
        dragging = self.dragging or distance(view, self.press.view) > DRAG_DISTANCE
        vertex = _inside(position, self.press.size)
        path = self.path if vertex == self.path[-1] else (*self.path, vertex)
        return replace(self, path=path, dragging=dragging)


def _inside(positions: QPointF, size: tuple[int, int]) -> tuple[float, float]:
    """The nearest position inside an image of that height and width."""
    height, width = size
    return min(max(positions.x(), 0.0), width - 0.5), min(
        max(positions.y(), 0.0), height - 0.5
    )


@dataclass(frozen=True, slots=True)
class ScribbleGesture(_FreehandGesture):
    """Draws a positive or negative scribble; a click adds a point."""

    @classmethod
    def begin(cls, press: PointerPress) -> Gesture:
        """Begin a gesture; a part under the pointer is dragged instead."""
        if press.part is not None:
            return PromptGesture.begin(press)
        return cls(press, (_inside(press.position, press.size),))

    def edit(self) -> RecipeEdit | None:
        """See :class:`~zim_app.gui.tools.gestures.Gesture`."""
        positive = self.press.positive == self.press.options.positive
        if not self.dragging:
            return add_point_edit(self.press, positive=positive)
        path = simplify_path(self.path, TOLERANCE / self.press.scale)
        if len(path) < 2:
            return None  # drawn outside along an edge of the image
        text = "scribble" if positive else "negative_scribble"
        return _add_line(text, self.press, Scribble(path, positive))


@dataclass(frozen=True, slots=True)
class LassoGesture(_FreehandGesture):
    """Draws a region around the object, or around what is not part of it."""

    @classmethod
    def begin(cls, press: PointerPress) -> Gesture:
        """Begin a gesture; a part under the pointer is dragged instead."""
        if press.part is not None:
            return PromptGesture.begin(press)
        return cls(press, (_inside(press.position, press.size),))

    def edit(self) -> RecipeEdit | None:
        """See :class:`~zim_app.gui.tools.gestures.Gesture`."""
        box = Box.enclosing(self.path)
        if not self.dragging or min(box.width, box.height) <= 0:
            return None
        positive = self.press.positive
        path = simplify_path(self.path, TOLERANCE / self.press.scale)
        region = Scribble(path, positive, region=True)
        return _add_line("lasso" if positive else "negative_lasso", self.press, region)


def _add_line(text: str, press: PointerPress, scribble: Scribble) -> RecipeEdit:
    """An edit that adds a scribble and selects it."""
    recipe = press.recipe.with_scribble(scribble)
    part = PromptPart("scribble", len(recipe.prompts.scribbles) - 1)
    return make_edit(text, recipe, part)
