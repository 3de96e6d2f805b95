"""Gestures of the pointer: hit tests, and the edits that gestures make to a recipe.

Pure functions on immutable values.  Positions are in image pixels or, for distances on
the screen, in view pixels.  The table of tools is :mod:`zim_app.gui.tools.toolbox`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Literal, Protocol

from PySide6.QtCore import QCoreApplication, QPointF, Qt

from zim_app.gui.translatable import QT_TRANSLATE_NOOP
from zim_model.finish import KEY_SOFTNESS, KEY_TOLERANCE, Brush
from zim_model.prompts import Box, Point, PromptSet, Scribble
from zim_model.recipe import Recipe

DRAG_DISTANCE = 4.0
"""Distance in view pixels at which a click becomes a drag."""
HIT_RADIUS = 10.0
"""Distance in view pixels at which a point or corner is hit."""

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
    "negative_lasso": QT_TRANSLATE_NOOP("Gesture", "Negative lasso"),
    "move_lasso": QT_TRANSLATE_NOOP("Gesture", "Move lasso"),
    "delete_lasso": QT_TRANSLATE_NOOP("Gesture", "Delete lasso"),
    "brush_add": QT_TRANSLATE_NOOP("Gesture", "Brush: add"),
    "brush_erase": QT_TRANSLATE_NOOP("Gesture", "Brush: erase"),
    "brush_soften": QT_TRANSLATE_NOOP("Gesture", "Brush: soften"),
    "brush_refine": QT_TRANSLATE_NOOP("Gesture", "Brush: refine edge"),
    "colour_key": QT_TRANSLATE_NOOP("Gesture", "Remove colour"),
    "restore_colour": QT_TRANSLATE_NOOP("Gesture", "Restore colour"),
    "clear": QT_TRANSLATE_NOOP("Gesture", "Clear prompts"),
}


@dataclass(frozen=True, slots=True)
class PromptPart:
    """A draggable part of a prompt set: point, scribble, the box, its corner or side.

    ``index`` is that of the point, of the scribble, or of the box's corner or side,
    clockwise from the top left and from the top.
    """

    kind: Literal["point", "scribble", "corner", "side", "box"]
    index: int = 0

    @property
    def is_box_handle(self) -> bool:
        """Whether this is the box, or a corner or side of it."""
        return self.kind in ("corner", "side", "box")

    @property
    def cursor(self) -> Qt.CursorShape:
        """The shape of the pointer over it."""
        shape = Qt.CursorShape
        diagonals = (shape.SizeFDiagCursor, shape.SizeBDiagCursor)
        straight = (shape.SizeVerCursor, shape.SizeHorCursor)
        shapes = {"corner": diagonals, "side": straight}
        return shapes.get(self.kind, (shape.SizeAllCursor,) * 2)[self.index % 2]

    def exists_in(self, prompts: PromptSet) -> bool:
        """Whether those prompts have this part."""
        if self.is_box_handle:
            return prompts.box is not None
        if self.kind == "scribble":
            return self.index < len(prompts.scribbles)
        return self.index < len(prompts.points)


@dataclass(frozen=True, slots=True)
class RecipeEdit:
    """A new recipe, the name of the undo step, and the part to select afterwards."""

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
    """The part at a view position: the newest point first, the box last; or None.

    ``scale`` is the magnification of point markers.
    """
    for part, x, y in _handles(prompts):
        reach = HIT_RADIUS * max(scale, 1.0) if part.kind == "point" else HIT_RADIUS
        if distance(position, to_view(x, y)) <= reach:
            return part
    for index, scribble in reversed(tuple(enumerate(prompts.scribbles))):
        if _on_line(position, [to_view(x, y) for x, y in scribble.line]):
            return PromptPart("scribble", index)
    if prompts.box is not None:
        ends = [to_view(x, y) for x, y in corners(prompts.box)]
        for index, side in enumerate(pairwise([*ends, ends[0]])):
            if _on_line(position, list(side)):
                return PromptPart("side", index)
    return None


def list_parts(prompts: PromptSet) -> tuple[PromptPart, ...]:
    """All selectable parts: points, scribbles, and the box as one."""
    return (
        *(PromptPart("point", index) for index in range(len(prompts.points))),
        *(PromptPart("scribble", index) for index in range(len(prompts.scribbles))),
        *((PromptPart("box"),) if prompts.box is not None else ()),
    )


def _handles(prompts: PromptSet) -> Iterator[tuple[PromptPart, float, float]]:
    for index, point in reversed(tuple(enumerate(prompts.points))):
        yield PromptPart("point", index), point.x, point.y
    if prompts.box is not None:
        for index, (x, y) in enumerate(corners(prompts.box)):
            yield PromptPart("corner", index), x, y


def distance(a: QPointF, b: QPointF) -> float:
    """Euclidean distance of two positions."""
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
    """An edit that deletes a point, a scribble, or the box of a corner or side."""
    if part.is_box_handle:
        return make_edit("delete_box", recipe.with_box(None))
    if part.kind == "scribble":
        text = f"delete_{_line_name(recipe.prompts.scribbles[part.index])}"
        return make_edit(text, recipe.without_scribble(part.index))
    return make_edit("delete_point", recipe.without_point(part.index))


def _line_name(scribble: Scribble) -> str:
    """The name of a scribble in the keys of ``TEXTS``."""
    return "lasso" if scribble.region else "scribble"


def clear_prompts(recipe: Recipe) -> RecipeEdit:
    """An edit that deletes all prompts."""
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
    """Options of the tools.

    Attributes:
        positive: sign of scribbles.
        brush: effect of strokes on alpha.
        radius: radius of the brush, in image pixels.
        hardness: see :class:`~zim_model.finish.Stroke`.
        strength: see :class:`~zim_model.finish.Stroke`.
        tolerance: see :class:`~zim_model.finish.Stroke`.
        key_tolerance: of new colour keys, see :class:`~zim_model.finish.ColourKey`.
        key_softness: likewise.
    """

    positive: bool = True
    brush: Brush = "add"
    radius: float = 20.0
    hardness: float = 0.8
    strength: float = 1.0
    tolerance: float = 0.0
    key_tolerance: float = KEY_TOLERANCE
    key_softness: float = KEY_SOFTNESS


@dataclass(frozen=True, slots=True)
class PointerPress:
    """The press of a mouse button or pen on the image.

    Attributes:
        recipe: recipe of the active object.
        size: height and width of the image.
        part: the part under the pointer, or None.
        positive: sign of the press.
        position: in image pixels, possibly outside the image.
        view: in view pixels.
        pressure: pressure of a pen, in (0, 1]; 1 for a mouse.
        scale: view pixels per image pixel.
        straight: whether Shift is pressed.
        options: options of the tools.
        colour: the image's mean colour around the position, 0xRRGGBB.
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
    colour: int = 0

    @property
    def inside(self) -> bool:
        """Whether the position is inside the image."""
        height, width = self.size
        return 0 <= self.position.x() < width and 0 <= self.position.y() < height


class Gesture(Protocol):
    """A gesture in progress, immutable.

    Attributes:
        dragging: whether the pointer moved farther than ``DRAG_DISTANCE``.
        preview_path: x and y of a band to show during the gesture, in image pixels.
        preview_radius: half the width of that band, in image pixels.
    """

    @property
    def dragging(self) -> bool: ...

    @property
    def preview_path(self) -> tuple[tuple[float, float], ...]: ...

    @property
    def preview_radius(self) -> float: ...

    def move(self, position: QPointF, view: QPointF, pressure: float = 1.0) -> Gesture:
        """The gesture with the pointer elsewhere, in image and view pixels."""
        ...

    def edit(self) -> RecipeEdit | None:
        """The edit if the gesture ended now; None if it changes nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool of the canvas.

    Attributes:
        id: suffix of the action id, after ``tool_``.
        text: its name, translated in the context "Tool".
        key: its shortcut.
        icon: name of a Material Design icon.
        tip: instructions, translated in the context "Tool".
        begin: starts a gesture; returns None if there is none.
        drags_prompts: whether prompts under the pointer are dragged.
        paints: whether it paints alpha with a round brush.
        pans: whether every button pans.
        engine_previews: whether the engine makes previews of its gestures' edits, with
            these options.
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
    engine_previews: Callable[[ToolOptions], bool] = lambda options: False


@dataclass(frozen=True, slots=True)
class PromptGesture:
    """A click adds a point, a drag draws a box or moves a part.

    A side of the box is moved alone, with Shift the whole box.

    Attributes:
        press: the press that began the gesture.
        position: the pointer in image pixels.
        dragging: whether the pointer moved farther than ``DRAG_DISTANCE``.
        preview_path: empty.
        preview_radius: 0.
    """

    press: PointerPress
    position: QPointF
    dragging: bool = False
    preview_path: tuple[tuple[float, float], ...] = ()
    preview_radius: float = 0.0

    @classmethod
    def begin(cls, press: PointerPress) -> PromptGesture:
        """Begin a gesture."""
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
        if part.kind == "side" and not self.press.straight:
            return self._move_side(box, part.index)
        delta = self._box_delta(box)
        return self._draw_box(
            "change_box",
            QPointF(box.x0, box.y0) + delta,
            QPointF(box.x1, box.y1) + delta,
        )

    def _move_side(self, box: Box, index: int) -> RecipeEdit | None:
        sides = [box.y0, box.x1, box.y1, box.x0]
        sides[index] = self.position.x() if index % 2 else self.position.y()
        top, right, bottom, left = sides
        return self._draw_box("change_box", QPointF(left, top), QPointF(right, bottom))

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
        # Positions lie at least half a pixel inside the image's right and bottom edges.
        bounds = Box.enclosing(scribble.path)
        by = self._box_delta(replace(bounds, x1=bounds.x1 + 0.5, y1=bounds.y1 + 0.5))
        path = tuple((x + by.x(), y + by.y()) for x, y in scribble.path)
        moved_scribble = replace(scribble, path=path)
        recipe = self.press.recipe.with_scribble_replaced(part.index, moved_scribble)
        return make_edit(f"move_{_line_name(scribble)}", recipe, part)

    def _box_delta(self, box: Box) -> QPointF:
        """The pointer's movement, clipped so that the box stays in the image."""
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
        return make_edit(text, self.press.recipe.with_box(box), PromptPart("box"))

    def _add_point(self) -> RecipeEdit | None:
        return add_point_edit(self.press, positive=self.press.positive)


def add_point_edit(press: PointerPress, *, positive: bool) -> RecipeEdit | None:
    """An edit that adds a point at the press; None outside the image."""
    if not press.inside:
        return None
    recipe = press.recipe.with_point(
        Point(press.position.x(), press.position.y(), positive)
    )
    added = PromptPart("point", len(recipe.prompts.points) - 1)
    return make_edit("add" if positive else "exclude", recipe, added)


def _clamp(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)
