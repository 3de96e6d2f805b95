"""Pointing with the mouse: what lies under it, and what a gesture does to a recipe.

Pure functions over frozen values.  Two frames meet here: image pixels, as everywhere,
and view pixels, in which distances are what the hand feels.  What each tool is called
and which key it has is in :mod:`zim_app.gui.tools.toolbox`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Literal, Protocol

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, QPointF

from zim_model.prompts import Box, Point, PromptSet
from zim_model.recipe import Recipe
from zim_model.request import Brush

DRAG_DISTANCE = 4.0
"""View pixels that the pointer must travel before a click becomes a drag."""
HIT_RADIUS = 10.0
"""View pixels around a point or corner that take hold of it."""

ToView = Callable[[float, float], QPointF]
"""Maps x, y in image pixels to view pixels."""

TEXTS = {
    "add": QT_TRANSLATE_NOOP("Gesture", "Add point"),
    "exclude": QT_TRANSLATE_NOOP("Gesture", "Add negative point"),
    "move": QT_TRANSLATE_NOOP("Gesture", "Move point"),
    "draw_box": QT_TRANSLATE_NOOP("Gesture", "Draw box"),
    "change_box": QT_TRANSLATE_NOOP("Gesture", "Change box"),
    "delete_point": QT_TRANSLATE_NOOP("Gesture", "Delete point"),
    "delete_box": QT_TRANSLATE_NOOP("Gesture", "Delete box"),
    "scribble": QT_TRANSLATE_NOOP("Gesture", "Scribble"),
    "negative_scribble": QT_TRANSLATE_NOOP("Gesture", "Negative scribble"),
    "move_scribble": QT_TRANSLATE_NOOP("Gesture", "Move scribble"),
    "delete_scribble": QT_TRANSLATE_NOOP("Gesture", "Delete scribble"),
    "lasso": QT_TRANSLATE_NOOP("Gesture", "Lasso"),
    "brush_add": QT_TRANSLATE_NOOP("Gesture", "Brush: add"),
    "brush_erase": QT_TRANSLATE_NOOP("Gesture", "Brush: erase"),
    "brush_soften": QT_TRANSLATE_NOOP("Gesture", "Brush: soften"),
    "clear": QT_TRANSLATE_NOOP("Gesture", "Clear prompts"),
}


@dataclass(frozen=True, slots=True)
class PromptPart:
    """What can be held of a prompt set: a point, a scribble, the box by some part.

    ``index`` counts the points, the scribbles, or the box's corners clockwise from the
    top left.
    """

    kind: Literal["point", "scribble", "corner", "edge"]
    index: int = 0

    @property
    def is_box_handle(self) -> bool:
        """Whether this belongs to the box."""
        return self.kind in ("corner", "edge")

    def exists_in(self, prompts: PromptSet) -> bool:
        """Whether those prompts still have this part."""
        if self.is_box_handle:
            return prompts.box is not None
        if self.kind == "scribble":
            return self.index < len(prompts.scribbles)
        return self.index < len(prompts.points)


@dataclass(frozen=True, slots=True)
class RecipeEdit:
    """A change to a recipe: ``text`` names the undo step, ``selected`` the new part."""

    text: str
    recipe: Recipe
    selected: PromptPart | None = None


def corners(box: Box) -> tuple[tuple[float, float], ...]:
    """The box's corners clockwise from the top left, x and y."""
    return (
        (box.x0, box.y0),
        (box.x1, box.y0),
        (box.x1, box.y1),
        (box.x0, box.y1),
    )


def find_part_at(
    prompts: PromptSet, position: QPointF, to_view: ToView, scale: float = 1.0
) -> PromptPart | None:
    """The part under view position ``at``: the newest point first, the box last.

    Points are drawn ``scale`` times as large as usual.
    """
    for part, x, y in _handles(prompts):
        reach = HIT_RADIUS * max(scale, 1.0) if part.kind == "point" else HIT_RADIUS
        if distance(position, to_view(x, y)) <= reach:
            return part
    for index, scribble in reversed(tuple(enumerate(prompts.scribbles))):
        if _on_line(position, [to_view(x, y) for x, y in scribble.path]):
            return PromptPart("scribble", index)
    if prompts.box is not None:
        ends = [to_view(x, y) for x, y in corners(prompts.box)]
        if _on_line(position, [*ends, ends[0]]):
            return PromptPart("edge")
    return None


def list_parts(prompts: PromptSet) -> tuple[PromptPart, ...]:
    """All that can be selected, in the order in which it was made: each part once."""
    return (
        *(PromptPart("point", index) for index in range(len(prompts.points))),
        *(PromptPart("scribble", index) for index in range(len(prompts.scribbles))),
        *((PromptPart("edge"),) if prompts.box is not None else ()),
    )


def _handles(prompts: PromptSet) -> Iterator[tuple[PromptPart, float, float]]:
    for index, point in reversed(tuple(enumerate(prompts.points))):
        yield PromptPart("point", index), point.x, point.y
    if prompts.box is not None:
        for index, (x, y) in enumerate(corners(prompts.box)):
            yield PromptPart("corner", index), x, y


def distance(a: QPointF, b: QPointF) -> float:
    """Between two positions of one frame."""
    return math.hypot(a.x() - b.x(), a.y() - b.y())


def _on_line(position: QPointF, path: list[QPointF]) -> bool:
    if len(path) == 1:
        return distance(position, path[0]) <= HIT_RADIUS / 2
    return any(
        _distance_to_side(position, a, b) <= HIT_RADIUS / 2 for a, b in pairwise(path)
    )


def _distance_to_side(position: QPointF, a: QPointF, b: QPointF) -> float:
    along = b - a
    length = QPointF.dotProduct(along, along)
    t = QPointF.dotProduct(position - a, along) / length if length else 0.0
    return distance(position, a + along * min(max(t, 0.0), 1.0))


def remove_part(recipe: Recipe, part: PromptPart) -> RecipeEdit:
    """Delete a point, a scribble, or the box whichever part of it is meant."""
    if part.is_box_handle:
        return make_edit("delete_box", recipe.with_box(None))
    if part.kind == "scribble":
        return make_edit("delete_scribble", recipe.without_scribble(part.index))
    return make_edit("delete_point", recipe.without_point(part.index))


def clear_prompts(recipe: Recipe) -> RecipeEdit:
    """Delete all prompts."""
    return make_edit("clear", replace(recipe, prompts=PromptSet(), more_prompt_sets=()))


def make_edit(
    text: str, recipe: Recipe, selected: PromptPart | None = None
) -> RecipeEdit:
    """An edit whose undo step is named ``TEXTS[text]``."""
    return RecipeEdit(
        QCoreApplication.translate("Gesture", TEXTS[text]), recipe, selected
    )


@dataclass(frozen=True, slots=True)
class ToolOptions:
    """What the user can choose about the tools.

    Attributes:
        positive: scribbles say "this belongs to the object".
        brush: what strokes do to alpha.
        radius: of the brush, in image pixels.
        hardness: see :class:`~zim_model.request.Stroke`.
        strength: likewise.
    """

    positive: bool = True
    brush: Brush = "add"
    radius: float = 20.0
    hardness: float = 0.8
    strength: float = 1.0


@dataclass(frozen=True, slots=True)
class PointerPress:
    """A mouse button or pen that went down on the picture.

    Attributes:
        recipe: of the active object.
        size: height and width of the image.
        part: the prompt under the pointer.
        positive: whether it means "this belongs to the object".
        position: in image pixels, possibly outside the image.
        view: in view pixels.
        pressure: of a pen, in (0, 1]; 1 for a mouse.
        scale: view pixels per image pixel.
        straight: Shift is held.
        options: of the tools.
    """

    recipe: Recipe
    size: tuple[int, int]
    part: PromptPart | None
    positive: bool
    position: QPointF
    view: QPointF
    pressure: float = 1.0
    scale: float = 1.0
    straight: bool = False
    options: ToolOptions = field(default_factory=ToolOptions)

    @property
    def inside(self) -> bool:
        """Whether it is on the image."""
        height, width = self.size
        return 0 <= self.position.x() < width and 0 <= self.position.y() < height


class Gesture(Protocol):
    """A button held down: what it would do if it were released now; frozen.

    Attributes:
        dragging: the pointer has left its place.
        preview_path: x and y of a line to be shown meanwhile, in image pixels.
    """

    @property
    def dragging(self) -> bool: ...

    @property
    def preview_path(self) -> tuple[tuple[float, float], ...]: ...

    def move(self, position: QPointF, view: QPointF, pressure: float = 1.0) -> Gesture:
        """The gesture with the pointer somewhere else, in image and view pixels."""
        ...

    def edit(self) -> RecipeEdit | None:
        """What this gesture does; None if it only selects, or does nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Tool:
    """What the pointer does on the picture.

    Attributes:
        id: of the action that chooses it, after ``tool_``.
        text: its name, to be translated in the context "Tool".
        key: chooses it.
        icon: a Material Design name.
        tip: how it is used, to be translated in the context "Tool".
        begin: starts a gesture; None if nothing begins there.
        drags_prompts: a prompt under the pointer is taken hold of.
        paints: it changes alpha itself, under a round brush.
        pans: every button moves the picture.
    """

    id: str
    text: str
    key: str
    icon: str
    tip: str
    begin: Callable[[PointerPress], Gesture | None]
    drags_prompts: bool = True
    paints: bool = False
    pans: bool = False


@dataclass(frozen=True, slots=True)
class PromptGesture:
    """Click for a point, drag for a box, or drag a point or the box elsewhere.

    Attributes:
        press: how it began.
        position: where the pointer is, in image pixels.
        dragging: the pointer has left its place.
        preview_path: none.
    """

    press: PointerPress
    position: QPointF
    dragging: bool = False
    preview_path: tuple[tuple[float, float], ...] = ()

    @classmethod
    def begin(cls, press: PointerPress) -> PromptGesture:
        """The gesture at its start."""
        return cls(press, press.position)

    def move(self, position: QPointF, view: QPointF, pressure: float = 1.0) -> Gesture:
        """See :class:`Gesture`."""
        dragging = self.dragging or distance(view, self.press.view) > DRAG_DISTANCE
        return replace(self, position=position, dragging=dragging)

    def edit(self) -> RecipeEdit | None:
        """See :class:`Gesture`."""
        if self.press.part is not None:
            return self._drag_part(self.press.part) if self.dragging else None
        if self.dragging and self.press.positive:
            return self._draw_box("draw_box", self.press.position, self.position)
        return self._add_point()

    def _drag_part(self, part: PromptPart) -> RecipeEdit | None:
        if part.kind == "point":
            return self._move_point(part)
        if part.kind == "scribble":
            return self._move_scribble(part)
        box = self.press.recipe.prompts.box
        assert box is not None
        if part.kind == "corner":
            fixed = QPointF(*corners(box)[(part.index + 2) % 4])
            return self._draw_box("change_box", fixed, self.position)
        delta = self._box_delta(box)
        return self._draw_box(
            "change_box",
            QPointF(box.x0, box.y0) + delta,
            QPointF(box.x1, box.y1) + delta,
        )

    def _move_point(self, part: PromptPart) -> RecipeEdit:
        point = self.press.recipe.prompts.points[part.index]
        height, width = self.press.size
        x = _clamp(
            point.x + self.position.x() - self.press.position.x(), 0.0, width - 0.5
        )
        y = _clamp(
            point.y + self.position.y() - self.press.position.y(), 0.0, height - 0.5
        )
        return make_edit(
            "move", self.press.recipe.with_point_moved(part.index, x, y), part
        )

    def _move_scribble(self, part: PromptPart) -> RecipeEdit:
        scribble = self.press.recipe.prompts.scribbles[part.index]
        # Its last place is half a pixel inside: the image's far edges are outside.
        bounds = Box.enclosing(scribble.path)
        by = self._box_delta(replace(bounds, x1=bounds.x1 + 0.5, y1=bounds.y1 + 0.5))
        path = tuple((x + by.x(), y + by.y()) for x, y in scribble.path)
        move = replace(scribble, path=path)
        recipe = self.press.recipe.with_scribble_replaced(part.index, move)
        return make_edit("move_scribble", recipe, part)

    def _box_delta(self, box: Box) -> QPointF:
        """How far the box goes with the pointer, without leaving the image."""
        height, width = self.press.size
        delta = self.position - self.press.position
        return QPointF(
            _clamp(delta.x(), -box.x0, max(width - box.x1, -box.x0)),
            _clamp(delta.y(), -box.y0, max(height - box.y1, -box.y0)),
        )

    def _draw_box(self, text: str, a: QPointF, b: QPointF) -> RecipeEdit | None:
        box = Box.from_corners(a.x(), a.y(), b.x(), b.y()).clip(*self.press.size)
        if box.width <= 0 or box.height <= 0:
            return None
        return make_edit(text, self.press.recipe.with_box(box), PromptPart("edge"))

    def _add_point(self) -> RecipeEdit | None:
        return add_point_edit(self.press, positive=self.press.positive)


def add_point_edit(press: PointerPress, *, positive: bool) -> RecipeEdit | None:
    """A point where the button went down; None if that is outside the image."""
    if not press.inside:
        return None
    recipe = press.recipe.with_point(
        Point(press.position.x(), press.position.y(), positive)
    )
    added = PromptPart("point", len(recipe.prompts.points) - 1)
    return make_edit("add" if positive else "exclude", recipe, added)


def _clamp(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)
