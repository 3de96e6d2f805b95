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
class Part:
    """What can be held of a prompt set: a point, a scribble, the box by some part.

    ``index`` counts the points, the scribbles, or the box's corners clockwise from the
    top left.
    """

    kind: Literal["point", "scribble", "corner", "edge"]
    index: int = 0

    @property
    def of_box(self) -> bool:
        """Whether this belongs to the box."""
        return self.kind in ("corner", "edge")

    def exists_in(self, prompts: PromptSet) -> bool:
        """Whether those prompts still have this part."""
        if self.of_box:
            return prompts.box is not None
        if self.kind == "scribble":
            return self.index < len(prompts.scribbles)
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


def part_at(
    prompts: PromptSet, at: QPointF, to_view: ToView, scale: float = 1.0
) -> Part | None:
    """The part under view position ``at``: the newest point first, the box last.

    Points are drawn ``scale`` times as large as usual.
    """
    for part, x, y in _handles(prompts):
        reach = REACH * max(scale, 1.0) if part.kind == "point" else REACH
        if distance(at, to_view(x, y)) <= reach:
            return part
    for index, scribble in reversed(tuple(enumerate(prompts.scribbles))):
        if _on_line(at, [to_view(x, y) for x, y in scribble.path]):
            return Part("scribble", index)
    if prompts.box is not None:
        ends = [to_view(x, y) for x, y in corners(prompts.box)]
        if _on_line(at, [*ends, ends[0]]):
            return Part("edge")
    return None


def parts_of(prompts: PromptSet) -> tuple[Part, ...]:
    """All that can be selected, in the order in which it was made: each part once."""
    return (
        *(Part("point", index) for index in range(len(prompts.points))),
        *(Part("scribble", index) for index in range(len(prompts.scribbles))),
        *((Part("edge"),) if prompts.box is not None else ()),
    )


def _handles(prompts: PromptSet) -> Iterator[tuple[Part, float, float]]:
    for index, point in reversed(tuple(enumerate(prompts.points))):
        yield Part("point", index), point.x, point.y
    if prompts.box is not None:
        for index, (x, y) in enumerate(corners(prompts.box)):
            yield Part("corner", index), x, y


def distance(a: QPointF, b: QPointF) -> float:
    """Between two positions of one frame."""
    return math.hypot(a.x() - b.x(), a.y() - b.y())


def _on_line(at: QPointF, path: list[QPointF]) -> bool:
    if len(path) == 1:
        return distance(at, path[0]) <= REACH / 2
    return any(_distance_to_side(at, a, b) <= REACH / 2 for a, b in pairwise(path))


def _distance_to_side(at: QPointF, a: QPointF, b: QPointF) -> float:
    along = b - a
    length = QPointF.dotProduct(along, along)
    t = QPointF.dotProduct(at - a, along) / length if length else 0.0
    return distance(at, a + along * min(max(t, 0.0), 1.0))


def without(recipe: Recipe, part: Part) -> Edit:
    """Delete a point, a scribble, or the box whichever part of it is meant."""
    if part.of_box:
        return edit_named("delete_box", recipe.with_box(None))
    if part.kind == "scribble":
        return edit_named("delete_scribble", recipe.without_scribble(part.index))
    return edit_named("delete_point", recipe.without_point(part.index))


def cleared(recipe: Recipe) -> Edit:
    """Delete all prompts."""
    return edit_named("clear", replace(recipe, prompts=PromptSet(), also=()))


def edit_named(text: str, recipe: Recipe, selected: Part | None = None) -> Edit:
    """An edit whose undo step is named ``TEXTS[text]``."""
    return Edit(QCoreApplication.translate("Gesture", TEXTS[text]), recipe, selected)


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
        straight: Shift is held.
        options: of the tools.
    """

    recipe: Recipe
    size: tuple[int, int]
    part: Part | None
    positive: bool
    at: QPointF
    view: QPointF
    pressure: float = 1.0
    scale: float = 1.0
    straight: bool = False
    options: ToolOptions = field(default_factory=ToolOptions)

    @property
    def inside(self) -> bool:
        """Whether it is on the image."""
        height, width = self.size
        return 0 <= self.at.x() < width and 0 <= self.at.y() < height


class Gesture(Protocol):
    """A button held down: what it would do if it were released now; frozen.

    Attributes:
        dragging: the pointer has left its place.
        trace: x and y of a line to be shown meanwhile, in image pixels.
    """

    @property
    def dragging(self) -> bool: ...

    @property
    def trace(self) -> tuple[tuple[float, float], ...]: ...

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
        paints: it changes alpha itself, under a round brush.
        pans: every button moves the picture.
    """

    id: str
    text: str
    key: str
    icon: str
    tip: str
    begin: Callable[[Press], Gesture | None]
    takes_parts: bool = True
    paints: bool = False
    pans: bool = False


@dataclass(frozen=True, slots=True)
class PromptGesture:
    """Click for a point, drag for a box, or drag a point or the box elsewhere.

    Attributes:
        press: how it began.
        now: where the pointer is, in image pixels.
        dragging: the pointer has left its place.
        trace: none.
    """

    press: Press
    now: QPointF
    dragging: bool = False
    trace: tuple[tuple[float, float], ...] = ()

    @classmethod
    def begin(cls, press: Press) -> PromptGesture:
        """The gesture at its start."""
        return cls(press, press.at)

    def moved(self, now: QPointF, view: QPointF, pressure: float = 1.0) -> Gesture:
        """See :class:`Gesture`."""
        dragging = self.dragging or distance(view, self.press.view) > DRAG_DISTANCE
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
        if part.kind == "scribble":
            return self._move_scribble(part)
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
        return edit_named(
            "move", self.press.recipe.with_point_moved(part.index, x, y), part
        )

    def _move_scribble(self, part: Part) -> Edit:
        scribble = self.press.recipe.prompts.scribbles[part.index]
        # Its last place is half a pixel inside: the image's far edges are outside.
        bounds = Box.enclosing(scribble.path)
        by = self._box_delta(replace(bounds, x1=bounds.x1 + 0.5, y1=bounds.y1 + 0.5))
        path = tuple((x + by.x(), y + by.y()) for x, y in scribble.path)
        moved = replace(scribble, path=path)
        recipe = self.press.recipe.with_scribble_replaced(part.index, moved)
        return edit_named("move_scribble", recipe, part)

    def _box_delta(self, box: Box) -> QPointF:
        """How far the box goes with the pointer, without leaving the image."""
        height, width = self.press.size
        delta = self.now - self.press.at
        return QPointF(
            _clamp(delta.x(), -box.x0, max(width - box.x1, -box.x0)),
            _clamp(delta.y(), -box.y0, max(height - box.y1, -box.y0)),
        )

    def _draw_box(self, text: str, a: QPointF, b: QPointF) -> Edit | None:
        box = Box.spanning(a.x(), a.y(), b.x(), b.y()).clipped(*self.press.size)
        if box.width <= 0 or box.height <= 0:
            return None
        return edit_named(text, self.press.recipe.with_box(box), Part("edge"))

    def _add_point(self) -> Edit | None:
        return point_added(self.press, positive=self.press.positive)


def point_added(press: Press, *, positive: bool) -> Edit | None:
    """A point where the button went down; None if that is outside the image."""
    if not press.inside:
        return None
    recipe = press.recipe.with_point(Point(press.at.x(), press.at.y(), positive))
    added = Part("point", len(recipe.prompts.points) - 1)
    return edit_named("add" if positive else "exclude", recipe, added)


def _clamp(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)
