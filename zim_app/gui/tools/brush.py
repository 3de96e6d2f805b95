"""The touch-up brush: converts the pointer's path to a stroke."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise

from PySide6.QtCore import QPointF

from zim_app.gui.document import Document
from zim_app.gui.settings import preferences
from zim_app.gui.tools.gestures import (
    DRAG_DISTANCE,
    Gesture,
    PointerPress,
    RecipeEdit,
    ToolOptions,
    distance,
    make_edit,
)
from zim_model.finish import MAX_RADIUS, Brush, Stroke

TOLERANCE = 0.35
"""Largest distance of the stroke from the pointer's path, in view pixels."""
LONGEST = 24
"""Most pointer positions that one straight segment replaces."""
LEAST_PRESSURE = 0.02
SMALLEST_RADIUS, LARGEST_RADIUS = 0.5, 500.0
"""Range of radii in the options, in image pixels; strokes allow MAX_RADIUS."""
SIZE_STEP = 1.15
HARDNESS_STEP = 0.1

Vertex = tuple[float, float, float]
"""x, y in image pixels, and pressure."""

_OPPOSITE: dict[Brush, Brush] = {"add": "erase", "erase": "add"}
"""Effect of the right button, where it is another one."""


def default_radius(document: Document) -> float:
    """The initial brush radius: the user's setting, or one that fits the image."""
    diameter: int = preferences.value("brush_size")
    side = max(document.image.height, document.image.width)
    return diameter / 2 if diameter else max(side / 60, 2.0)


def resize_brush(options: ToolOptions, steps: float) -> ToolOptions:
    """The options with the brush size changed by a number of steps."""
    radius = options.radius * SIZE_STEP**steps
    # Not rounded: small steps would not change a tiny brush in whole pixels.
    return replace(options, radius=min(max(radius, SMALLEST_RADIUS), LARGEST_RADIUS))


def change_hardness(options: ToolOptions, steps: float) -> ToolOptions:
    """The options with the hardness changed by a number of steps."""
    hardness = options.hardness + steps * HARDNESS_STEP
    return replace(options, hardness=round(min(max(hardness, 0.0), 1.0), 3))


@dataclass(frozen=True, slots=True)
class BrushGesture:
    """Paints alpha; the right button, or Alt, inverts the brush.

    The stroke is simplified while it is drawn: its last segment runs from the newest
    vertex to the pointer as long as it is near all pointer positions since that vertex.
    Vertices are final, so that rendered parts of the stroke stay valid.

    Attributes:
        press: the press that began the gesture.
        vertices: of the stroke, without the pointer's position.
        travelled: pointer positions since the newest vertex.
        position: the pointer's position.
        dragging: whether the pointer moved farther than ``DRAG_DISTANCE``.
    """

    press: PointerPress
    vertices: tuple[Vertex, ...]
    position: Vertex
    travelled: tuple[Vertex, ...] = ()
    dragging: bool = False

    @classmethod
    def begin(cls, press: PointerPress) -> Gesture:
        """Begin a gesture; Shift continues from the end of the last stroke."""
        position = _vertex(press.position, press.pressure)
        strokes = press.recipe.finish.strokes
        start = strokes[-1].path[-1] if press.straight and strokes else position
        return cls(press, (start,), position)

    @property
    def brush(self) -> Brush:
        """The effect of the stroke."""
        chosen = self.press.options.brush
        return chosen if self.press.positive else _OPPOSITE.get(chosen, chosen)

    @property
    def preview_path(self) -> tuple[tuple[float, float], ...]:
        """See :class:`~zim_app.gui.tools.gestures.Gesture`.

        What a refine stroke does is known only when it is solved.
        """
        if self.brush != "refine":
            return ()
        return tuple((x, y) for x, y, _ in (*self.vertices, self.position))

    @property
    def preview_radius(self) -> float:
        """See :class:`~zim_app.gui.tools.gestures.Gesture`."""
        return self.press.options.radius

    def move(self, position: QPointF, view: QPointF, pressure: float = 1.0) -> Gesture:
        """See :class:`~zim_app.gui.tools.gestures.Gesture`."""
        dragging = self.dragging or distance(view, self.press.view) > DRAG_DISTANCE
        vertex = _vertex(position, pressure)
        if vertex == self.position:
            return replace(self, dragging=dragging)
        travelled = (*self.travelled, self.position)
        vertices = self.vertices
        if len(travelled) > LONGEST or not self._is_near_segment(vertex, travelled):
            vertices, travelled = (*vertices, self.position), ()
        return replace(
            self,
            vertices=vertices,
            travelled=travelled,
            position=vertex,
            dragging=dragging,
        )

    def _is_near_segment(self, end: Vertex, travelled: Iterable[Vertex]) -> bool:
        """Whether the segment from the last vertex to ``end`` is near all positions."""
        tolerance = TOLERANCE / self.press.scale
        # Pressure is weighted by its effect on the radius.
        weight = self.press.options.radius
        begin = _apply_pressure(self.vertices[-1], weight)
        along = [
            b - a for a, b in zip(begin, _apply_pressure(end, weight), strict=True)
        ]
        length = sum(a * a for a in along)
        for vertex in travelled:
            out = [
                b - a
                for a, b in zip(begin, _apply_pressure(vertex, weight), strict=True)
            ]
            dot = sum(a * b for a, b in zip(along, out, strict=True))
            fraction = min(max(dot / length, 0.0), 1.0) if length else 0.0
            if math.dist(out, [fraction * a for a in along]) > tolerance:
                return False
        return True

    def edit(self) -> RecipeEdit | None:
        """See :class:`~zim_app.gui.tools.gestures.Gesture`."""
        options, path = self.press.options, self.vertices
        if self.position != path[-1]:
            path = (*path, self.position)
        brush, radius = self.brush, min(options.radius, MAX_RADIUS)
        tolerance = options.tolerance if brush in ("add", "erase") else 0.0
        stroke = Stroke(
            path, radius, options.hardness, brush, options.strength, tolerance
        )
        if not _touches(stroke, self.press.size):
            return None
        return make_edit(f"brush_{brush}", self.press.recipe.with_stroke(stroke))


def _vertex(position: QPointF, pressure: float) -> Vertex:
    return position.x(), position.y(), min(max(pressure, LEAST_PRESSURE), 1.0)


def _apply_pressure(vertex: Vertex, weight: float) -> Vertex:
    return vertex[0], vertex[1], vertex[2] * weight


def _touches(stroke: Stroke, size: tuple[int, int]) -> bool:
    """Whether any segment of a stroke is within its radius of the image."""
    height, width = size
    reach = stroke.radius + 1
    pieces = pairwise(stroke.path if len(stroke.path) > 1 else stroke.path * 2)
    return any(
        max(a[0], b[0]) > -reach
        and min(a[0], b[0]) < width + reach
        and max(a[1], b[1]) > -reach
        and min(a[1], b[1]) < height + reach
        for a, b in pieces
    )
