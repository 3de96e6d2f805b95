"""Pointing with the mouse: what lies under it, and what a gesture does to a recipe.

Pure functions over frozen values.  Two frames meet here: image pixels, as everywhere,
and view pixels, in which distances are what the hand feels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, QPointF

from zim_app.core.session import Recipe
from zim_model.prompts import Box, Point, PromptSet

DRAG_DISTANCE = 4.0
"""View pixels that the pointer must travel before a click becomes a drag."""
REACH = 10.0
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
    "clear": QT_TRANSLATE_NOOP("Gesture", "Clear prompts"),
}


@dataclass(frozen=True, slots=True)
class Part:
    """Something of a prompt set that can be held: a point, or the box by some part.

    ``index`` counts the points, or the box's corners clockwise from the top left.
    """

    kind: Literal["point", "corner", "edge"]
    index: int = 0

    @property
    def of_box(self) -> bool:
        """Whether this belongs to the box."""
        return self.kind != "point"

    def exists_in(self, prompts: PromptSet) -> bool:
        """Whether those prompts still have this part."""
        if self.of_box:
            return prompts.box is not None
        return self.index < len(prompts.points)


@dataclass(frozen=True, slots=True)
class Edit:
    """A change to a recipe: ``text`` names the undo step, ``selected`` the new part."""

    text: str
    recipe: Recipe
    selected: Part | None = None


def corners(box: Box) -> tuple[tuple[float, float], ...]:
    """The box's corners clockwise from the top left, x and y."""
    return (
        (box.x0, box.y0),
        (box.x1, box.y0),
        (box.x1, box.y1),
        (box.x0, box.y1),
    )


def part_at(prompts: PromptSet, at: QPointF, to_view: ToView) -> Part | None:
    """The part under view position ``at``: the newest point first, the box last."""
    for part, x, y in _handles(prompts):
        if _distance(at, to_view(x, y)) <= REACH:
            return part
    if prompts.box is not None:
        ends = [to_view(x, y) for x, y in corners(prompts.box)]
        sides = zip(ends, ends[1:] + ends[:1], strict=True)
        if any(_distance_to_side(at, a, b) <= REACH / 2 for a, b in sides):
            return Part("edge")
    return None


def _handles(prompts: PromptSet) -> Iterator[tuple[Part, float, float]]:
    for index, point in reversed(tuple(enumerate(prompts.points))):
        yield Part("point", index), point.x, point.y
    if prompts.box is not None:
        for index, (x, y) in enumerate(corners(prompts.box)):
            yield Part("corner", index), x, y


def _distance(a: QPointF, b: QPointF) -> float:
    return math.hypot(a.x() - b.x(), a.y() - b.y())


def _distance_to_side(at: QPointF, a: QPointF, b: QPointF) -> float:
    along = b - a
    length = QPointF.dotProduct(along, along)
    t = QPointF.dotProduct(at - a, along) / length if length else 0.0
    return _distance(at, a + along * min(max(t, 0.0), 1.0))


def without(recipe: Recipe, part: Part) -> Edit:
    """Delete a point, or the box whichever part of it is meant."""
    if part.of_box:
        return _edit("delete_box", recipe.with_box(None))
    return _edit("delete_point", recipe.without_point(part.index))


def cleared(recipe: Recipe) -> Edit:
    """Delete all prompts."""
    return _edit("clear", replace(recipe, prompts=PromptSet()))


def _edit(text: str, recipe: Recipe, selected: Part | None = None) -> Edit:
    return Edit(QCoreApplication.translate("Gesture", TEXTS[text]), recipe, selected)


@dataclass(frozen=True, slots=True)
class Press:
    """A mouse button or pen that went down on the picture.

    Attributes:
        recipe: of the active object.
        size: height and width of the image.
        part: the prompt under the pointer.
        positive: whether it means "this belongs to the object".
        at: in image pixels, possibly outside the image.
        view: in view pixels.
        pressure: of a pen, in (0, 1]; 1 for a mouse.
        scale: view pixels per image pixel.
    """

    recipe: Recipe
    size: tuple[int, int]
    part: Part | None
    positive: bool
    at: QPointF
    view: QPointF
    pressure: float = 1.0
    scale: float = 1.0


class Gesture(Protocol):
    """A button held down: what it would do if it were released now; frozen.

    Attributes:
        dragging: the pointer has left its place.
    """

    @property
    def dragging(self) -> bool: ...

    def moved(self, now: QPointF, view: QPointF, pressure: float = 1.0) -> Gesture:
        """The gesture with the pointer somewhere else, in image and view pixels."""
        ...

    def edit(self) -> Edit | None:
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
        takes_parts: a prompt under the pointer is taken hold of.
    """

    id: str
    text: str
    key: str
    icon: str
    tip: str
    begin: Callable[[Press], Gesture | None]
    takes_parts: bool = True


@dataclass(frozen=True, slots=True)
class PromptGesture:
    """Click for a point, drag for a box, or drag a point or the box elsewhere.

    Attributes:
        press: how it began.
        now: where the pointer is, in image pixels.
        dragging: the pointer has left its place.
    """

    press: Press
    now: QPointF
    dragging: bool = False

    @classmethod
    def begin(cls, press: Press) -> PromptGesture:
        """The gesture at its start."""
        return cls(press, press.at)

    def moved(self, now: QPointF, view: QPointF, pressure: float = 1.0) -> Gesture:
        """See :class:`Gesture`."""
        dragging = self.dragging or _distance(view, self.press.view) > DRAG_DISTANCE
        return replace(self, now=now, dragging=dragging)

    def edit(self) -> Edit | None:
        """See :class:`Gesture`."""
        if self.press.part is not None:
            return self._drag_part(self.press.part) if self.dragging else None
        if self.dragging and self.press.positive:
            return self._draw_box("draw_box", self.press.at, self.now)
        return self._add_point()

    def _drag_part(self, part: Part) -> Edit | None:
        if part.kind == "point":
            return self._move_point(part)
        box = self.press.recipe.prompts.box
        assert box is not None
        if part.kind == "corner":
            fixed = QPointF(*corners(box)[(part.index + 2) % 4])
            return self._draw_box("change_box", fixed, self.now)
        delta = self._box_delta(box)
        return self._draw_box(
            "change_box",
            QPointF(box.x0, box.y0) + delta,
            QPointF(box.x1, box.y1) + delta,
        )

    def _move_point(self, part: Part) -> Edit:
        point = self.press.recipe.prompts.points[part.index]
        height, width = self.press.size
        x = _clamp(point.x + self.now.x() - self.press.at.x(), 0.0, width - 0.5)
        y = _clamp(point.y + self.now.y() - self.press.at.y(), 0.0, height - 0.5)
        return _edit("move", self.press.recipe.with_point_moved(part.index, x, y), part)

    def _box_delta(self, box: Box) -> QPointF:
        """How far the box goes with the pointer, without leaving the image."""
        height, width = self.press.size
        delta = self.now - self.press.at
        return QPointF(
            _clamp(delta.x(), -box.x0, width - box.x1),
            _clamp(delta.y(), -box.y0, height - box.y1),
        )

    def _draw_box(self, text: str, a: QPointF, b: QPointF) -> Edit | None:
        box = Box.spanning(a.x(), a.y(), b.x(), b.y()).clipped(*self.press.size)
        if box.width <= 0 or box.height <= 0:
            return None
        return _edit(text, self.press.recipe.with_box(box), Part("edge"))

    def _add_point(self) -> Edit | None:
        x, y = self.press.at.x(), self.press.at.y()
        height, width = self.press.size
        if not (0 <= x < width and 0 <= y < height):
            return None
        recipe = self.press.recipe.with_point(Point(x, y, self.press.positive))
        added = Part("point", len(recipe.prompts.points) - 1)
        return _edit("add" if self.press.positive else "exclude", recipe, added)


def _clamp(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


TOOLS = (
    Tool(
        "prompt",
        QT_TRANSLATE_NOOP("Tool", "Point and box"),
        "V",
        "cursor-default-click-outline",
        QT_TRANSLATE_NOOP(
            "Tool", "Click what belongs to the object, or drag a box around it"
        ),
        PromptGesture.begin,
    ),
)
"""Every tool; the first is chosen at the start."""
