"""Prompts: points, boxes, scribbles and regions, as immutable values.

All coordinates outside the network are **image coordinates**: pixels of the upright
original image, x to the right and y down, the origin at the outer corner of the
top-left pixel.  Pixel (row i, column j) covers ``[j, j+1) x [i, i+1)``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from zim_model.arguments import as_doubles, is_finite
from zim_model.arrays import BoolArray, FloatArray, mask_bounds
from zim_model.errors import MALFORMED, PromptError, msg
from zim_model.polygons import inner_position

SCRIBBLE_CLICKS = 8
"""Points per scribble; measured on zim-tiny: fewer find less, and so do many more."""
MAX_POINTS = 200
"""Most points of a prompt set, each of which may cost a prediction."""
MAX_SCRIBBLES = 200
"""Most scribbles of a prompt set."""
MAX_VERTICES = 100_000
"""Most vertices of a scribble or stroke."""
MAX_COORDINATE = 1_000_000.0
"""Largest distance of a stored position from the image's corner, in pixels."""
PADDING_LABEL = -1
"""Label of a point that only fills a batch (as in SAM); it is ignored."""


@dataclass(frozen=True, slots=True)
class Point:
    """A point, on the object (``positive``) or on the background."""

    x: float
    y: float
    positive: bool = True


@dataclass(frozen=True, slots=True)
class Box:
    """An axis-aligned box by its edges, ``x0 < x1`` and ``y0 < y1``."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def width(self) -> float:
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        return self.y1 - self.y0

    @classmethod
    def from_corners(cls, ax: float, ay: float, bx: float, by: float) -> Box:
        """The box with (ax, ay) and (bx, by) as opposite corners, in any order."""
        return cls(min(ax, bx), min(ay, by), max(ax, bx), max(ay, by))

    @classmethod
    def enclosing(cls, positions: Iterable[tuple[float, float]]) -> Box:
        """The smallest box around all of these x and y, at least one."""
        xs, ys = zip(*positions, strict=True)
        return cls(min(xs), min(ys), max(xs), max(ys))

    @classmethod
    def around(cls, mask: BoolArray) -> Box:
        """The smallest box around a mask (H, W), which is not empty."""
        bounds = mask_bounds(mask)
        assert bounds is not None, "an empty mask has no box"
        return cls(*map(float, bounds))

    def clip(self, height: int, width: int) -> Box:
        """The part of this box inside an image of that size."""
        return Box(
            min(max(self.x0, 0.0), width),
            min(max(self.y0, 0.0), height),
            min(max(self.x1, 0.0), width),
            min(max(self.y1, 0.0), height),
        )

    def validate(self, height: int, width: int) -> Box:
        """Return the part inside an image of that size in pixels.

        Raises:
            PromptError: an edge is not finite, there is no area inside, or the part
                inside is smaller than a pixel or no more than the first one, as of
                fractions of width and height.
        """
        edges = (self.x0, self.y0, self.x1, self.y1)
        if not all(map(is_finite, edges)):
            shown = ", ".join(map(str, edges))
            raise PromptError(
                msg("The box ({shown}) has an edge that is not a number.", shown=shown),
                msg("Give the left, top, right and bottom edge in pixels."),
            )
        shown = ", ".join(f"{edge:g}" for edge in edges)
        box = self.clip(height, width)
        if box.width <= 0 or box.height <= 0:
            raise PromptError(
                msg(
                    "The box ({shown}) has no area inside the image ({width} x "
                    "{height} pixels).",
                    shown=shown,
                    width=width,
                    height=height,
                ),
                msg("Give the left, top, right and bottom edge in pixels."),
            )
        in_first_pixel = box.x1 <= 1 and box.y1 <= 1 and (height, width) != (1, 1)
        if min(box.width, box.height) < 1 or in_first_pixel:
            raise PromptError(
                msg(
                    "The box ({shown}) is smaller than a pixel, or only the first one.",
                    shown=shown,
                ),
                msg("Pixels are meant, from the top-left corner, not fractions."),
            )
        return box


@dataclass(frozen=True, slots=True)
class Scribble:
    """A free-hand line, all on the object (``positive``) or all on the background.

    Attributes:
        path: x and y of its vertices.
        positive: whether it is on the object.
        region: whether the line is a loop, closed from its last vertex to the first,
            whose inside is meant.  A positive one goes around the object.
    """

    path: tuple[tuple[float, float], ...]
    positive: bool = True
    region: bool = False

    @property
    def line(self) -> tuple[tuple[float, float], ...]:
        """The vertices of the drawn line; that of a region ends where it begins."""
        return (*self.path, *self.path[:1]) if self.region else self.path

    def sample(self, count: int) -> tuple[Point, ...]:
        """``count`` points at even distances along the line, both ends included.

        A single point is the line's middle.
        """
        path = np.asarray(self.path, np.float64).reshape(-1, 2)
        distances = np.r_[0.0, np.hypot(*np.diff(path, axis=0).T).cumsum()]
        at = np.linspace(0, distances[-1], count) if count > 1 else distances[-1:] / 2
        x, y = (np.interp(at, distances, path[:, axis]) for axis in (0, 1))
        return tuple(
            Point(float(a), float(b), self.positive) for a, b in zip(x, y, strict=True)
        )

    @property
    def clicks(self) -> tuple[Point, ...]:
        """Points that represent the line in models without scribbles.

        A negative region is a point inside it; a positive one is none, but a box, see
        :attr:`PromptSet.extent`.
        """
        if self.region:
            return () if self.positive else (Point(*inner_position(self.path), False),)
        return self.sample(SCRIBBLE_CLICKS if len(self.path) > 1 else 1)


@dataclass(frozen=True, slots=True)
class PromptSet:
    """Points, scribbles, among them regions, and at most one box, decoded together."""

    points: tuple[Point, ...] = ()
    box: Box | None = None
    scribbles: tuple[Scribble, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.points or self.scribbles) or self.box is not None

    @property
    def positive_positions(self) -> tuple[tuple[float, float], ...]:
        """Positions (x, y) of all positive points and scribbles' vertices."""
        points = [(p.x, p.y) for p in self.points if p.positive]
        vertices = [vertex for s in self.scribbles if s.positive for vertex in s.path]
        return (*points, *vertices)

    @property
    def extent(self) -> Box | None:
        """The box, else the one around the positive regions; None without both."""
        loops = [s.path for s in self.scribbles if s.region and s.positive]
        if self.box is not None or not loops:
            return self.box
        return Box.enclosing(chain.from_iterable(loops))

    @property
    def only_negative(self) -> bool:
        """Whether there are prompts, all of them negative."""
        return bool(self) and self.box is None and not self.positive_positions

    @property
    def looks_relative(self) -> bool:
        """Whether all coordinates are 0 to 1 and not all whole: rather fractions."""
        places = [(p.x, p.y) for p in self.points]
        places += [vertex for s in self.scribbles for vertex in s.path]
        if self.box is not None:
            places += [(self.box.x0, self.box.y0), (self.box.x1, self.box.y1)]
        numbers = [number for place in places for number in place]
        return any(0 < number < 1 for number in numbers) and all(
            0 <= number <= 1 for number in numbers
        )

    def validate(self, height: int, width: int) -> PromptSet:
        """Return these prompts, checked against an image of that size in pixels.

        A box may reach beyond the image (a drag that ends outside): it is clipped.

        Raises:
            PromptError: there is no prompt, or more than :meth:`check_limits` allows,
                a number is not finite, a point or a scribble's vertex lies outside the
                image, a region has no area, nothing is positive and there is no box,
                or the box has no area inside the image or is smaller than a pixel.
        """
        if not isinstance(self.box, Box | None) or not all(
            isinstance(point, Point) for point in self.points
        ):
            raise PromptError(
                msg("{prompts!r:.60} has no Box, or no Point.", prompts=self),
                msg("Give Box(left, top, right, bottom) and tuples of Point(x, y)."),
            )
        self._check_counts("prompts")
        if not self:
            raise PromptError(
                msg("There is no prompt."),
                msg("Give at least one positive point or a box."),
            )
        for point in self.points:
            _check_position(msg("point"), point.x, point.y, height, width)
        for scribble in self.scribbles:
            if not scribble.path:
                raise PromptError(
                    msg("A scribble has no points."), msg("Draw it again.")
                )
            for x, y in scribble.path:
                _check_position(msg("scribble's point"), x, y, height, width)
            bounds = Box.enclosing(scribble.path)
            if scribble.region and min(bounds.width, bounds.height) <= 0:
                raise PromptError(
                    msg("A region has no area."), msg("Draw a loop around the object.")
                )
        if self.box is not None:
            return replace(self, box=self.box.validate(height, width))
        if not self.positive_positions:
            raise PromptError(
                msg("Negative points alone do not say what to keep."),
                msg("Add a positive point or a box."),
            )
        return self

    def check_limits(self, place: str = "prompts") -> None:
        """Check that these prompts can be stored and read again.

        Args:
            place: of the prompts in a recipe, for the message.

        Raises:
            PromptError: there are too many, or one is too far from any image.
        """
        self._check_counts(place)
        for index, point in enumerate(self.points):
            check_position(f"{place}.points[{index}]", point.x, point.y)
        if self.box is not None:
            check_position(f"{place}.box", self.box.x0, self.box.y0)
            check_position(f"{place}.box", self.box.x1, self.box.y1)
        for index, scribble in enumerate(self.scribbles):
            check_path(f"{place}.scribbles[{index}].path", scribble.path)

    def _check_counts(self, place: str) -> None:
        check_count(f"{place}.points", len(self.points), MAX_POINTS)
        check_count(f"{place}.scribbles", len(self.scribbles), MAX_SCRIBBLES)
        for index, scribble in enumerate(self.scribbles):
            where = f"{place}.scribbles[{index}].path"
            check_count(where, len(scribble.path), MAX_VERTICES)

    def point_arrays(self) -> tuple[FloatArray, FloatArray]:
        """Coordinates (N, 2) in image pixels and labels (N,) of 0 and 1, float32."""
        coords = np.array([(p.x, p.y) for p in self.points], np.float32).reshape(-1, 2)
        labels = np.array([float(p.positive) for p in self.points], np.float32)
        return coords, labels

    @classmethod
    def from_arrays(
        cls,
        point_coords: npt.ArrayLike | None = None,
        point_labels: npt.ArrayLike | None = None,
        box: npt.ArrayLike | None = None,
    ) -> PromptSet:
        """Build prompts from arrays in the layout of SamPredictor.

        Args:
            point_coords: (N, 2) numbers, x and y in image pixels.
            point_labels: (N,) of 1 positive, 0 negative, -1 padding (dropped).
            box: (4,) or (1, 4): left, top, right, bottom in image pixels.

        Raises:
            PromptError: a shape or label is not one of these.
        """
        points: list[Point] = []
        if point_coords is not None:
            coords = as_doubles(point_coords, "point_coords")
            if point_labels is None:
                raise PromptError(
                    msg("point_labels is missing."), msg("Give one per point.")
                )
            labels = as_doubles(point_labels, "point_labels").reshape(-1)
            if coords.size == 0:
                coords = coords.reshape(0, 2)
            if coords.ndim != 2 or coords.shape[1] != 2 or len(coords) != len(labels):
                raise PromptError(
                    msg(
                        "point_coords has shape {coords_shape} and point_labels "
                        "{labels_shape}.",
                        coords_shape=coords.shape,
                        labels_shape=labels.shape,
                    ),
                    msg("They must be (N, 2) and (N,)."),
                )
            for (x, y), label in zip(coords.tolist(), labels.tolist(), strict=True):
                if label not in (PADDING_LABEL, 0, 1):
                    raise PromptError(
                        msg("{label:g} is no point label.", label=label),
                        msg("Use 1 for positive, 0 for negative, -1 for padding."),
                    )
                if label != PADDING_LABEL:
                    points.append(Point(x, y, label == 1))
        elif point_labels is not None:
            raise PromptError(
                msg("point_labels was given without point_coords."),
                msg("Give both, or none."),
            )
        edges = None
        if box is not None:
            flat = as_doubles(box, "box").reshape(-1)
            if flat.size != 4:
                raise PromptError(
                    msg("The box has {size} numbers.", size=flat.size),
                    msg("Give four: left, top, right, bottom."),
                )
            edges = Box(*flat.tolist())
        return cls(tuple(points), edges)

    def to_json(self) -> dict[str, Any]:
        """A dictionary of plain values that :meth:`from_json` reads back exactly."""
        box = self.box
        return {
            "points": [[float(p.x), float(p.y), int(p.positive)] for p in self.points],
            "box": None
            if box is None
            else [float(edge) for edge in (box.x0, box.y0, box.x1, box.y1)],
            "scribbles": [
                {
                    "positive": int(s.positive),
                    "path": [[float(x), float(y)] for x, y in s.path],
                    **({"region": 1} if s.region else {}),
                }
                for s in self.scribbles
            ],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any], place: str = "prompts") -> PromptSet:
        """Read the result of :meth:`to_json`.

        Args:
            place: of the prompts in a recipe, for messages.

        Raises:
            PromptError: the data has another form, or :meth:`check_limits` refuses it.
        """
        try:
            rows = _checked_rows(data.get("points") or (), 3)
            box = data.get("box")
            prompts = cls(
                tuple(Point(x, y, _is_positive(label)) for x, y, label in rows),
                None if box is None else Box(*_checked_rows([box], 4)[0]),
                tuple(map(_scribble, data.get("scribbles") or ())),
            )
        except MALFORMED as error:
            raise PromptError(
                msg("These prompts cannot be read: {error}.", error=str(error)),
                msg(
                    'Expected {{"points": [[x, y, label], ...], "box": [x0, y0, x1, '
                    'y1], "scribbles": [{{"positive": label, "path": [[x, y], ...]}}, '
                    "...]}}."
                ),
            ) from error
        prompts.check_limits(place)
        return prompts


def check_count(place: str, count: int, limit: int) -> None:
    """Check the number of items of a recipe.

    Raises:
        PromptError: there are more than the limit; the message names the place.
    """
    if count > limit:
        raise PromptError(
            msg(
                "There are {count} {place}; at most {limit} are possible.",
                count=count,
                place=place,
                limit=limit,
            ),
            msg("Use fewer, or several objects."),
        )


def check_position(place: str, x: float, y: float) -> None:
    """Check that a position of a recipe can be stored.

    Raises:
        PromptError: a coordinate is not finite, or beyond ``MAX_COORDINATE``; the
            message names the place.
    """
    # Not "greater": a NaN is refused, too.
    if not (abs(x) <= MAX_COORDINATE and abs(y) <= MAX_COORDINATE):
        raise PromptError(
            msg(
                "{place} has the position ({x:g}, {y:g}), which is far from any photo.",
                place=place,
                x=x,
                y=y,
            ),
            msg("Coordinates are pixels from the top-left corner: x, then y."),
        )


def check_path(place: str, path: Iterable[Sequence[float]]) -> None:
    """Check the vertices of a path, each of which begins with x and y.

    Raises:
        PromptError: as of :func:`check_position`.
    """
    limit = MAX_COORDINATE
    for vertex in path:
        if not (-limit <= vertex[0] <= limit and -limit <= vertex[1] <= limit):
            check_position(place, vertex[0], vertex[1])


def _scribble(data: dict[str, Any]) -> Scribble:
    path = tuple((x, y) for x, y in _checked_rows(data["path"], 2))
    region = _is_positive(data.get("region", 0))
    return Scribble(path, _is_positive(data["positive"]), region)


def _check_position(what: str, x: float, y: float, height: int, width: int) -> None:
    if not (is_finite(x) and is_finite(y)):
        raise PromptError(
            msg("The {what} ({x}, {y}) is not a number.", what=what, x=x, y=y),
            msg("Coordinates are pixels from the top-left corner: x, then y."),
        )
    if not (0 <= x < width and 0 <= y < height):
        raise PromptError(
            msg(
                "The {what} ({x:g}, {y:g}) is outside the image ({width} x {height} "
                "pixels).",
                what=what,
                x=x,
                y=y,
                width=width,
                height=height,
            ),
            msg("Coordinates are pixels from the top-left corner: x, then y."),
        )


def _checked_rows(rows: Iterable[Sequence[float]], length: int) -> list[list[float]]:
    """Rows of ``length`` numbers each, checked; text is no number."""
    for row in rows:
        numbers = isinstance(row, list | tuple) and all(
            isinstance(value, int | float) for value in row
        )
        if not numbers or len(row) != length:
            raise ValueError(f"{row!r:.80} is not {length} numbers")
    return [[float(value) for value in row] for row in rows]


def _is_positive(label: float) -> bool:
    if label not in (0, 1):
        raise ValueError(f"the label {label:g} is neither 1 nor 0")
    return label == 1
