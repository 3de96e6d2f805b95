"""The finish of a matte: levels, colour keys, edge, strokes; immutable values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from zim_model.errors import MALFORMED, ZimError, msg
from zim_model.json_values import is_number
from zim_model.prompts import MAX_VERTICES, check_count, check_path

Brush = Literal["add", "erase", "soften", "refine"]
MAX_SHIFT = 20.0
MAX_FEATHER = 50.0
MAX_RADIUS = 2000.0
KEY_TOLERANCE, KEY_SOFTNESS = 0.12, 0.1
"""Of new colour keys."""
MAX_COLOUR_KEYS = 16
"""Most colour keys of one recipe."""
MAX_STROKES = 10_000
"""Most strokes of one recipe."""


@dataclass(frozen=True, slots=True)
class Stroke:
    """One stroke of a brush over a matte.

    Attributes:
        path: x, y in image pixels, possibly outside, and pressure in (0, 1], at least
            one vertex; the radius is proportional to the pressure.
        radius: in image pixels, at full pressure; at most ``MAX_RADIUS``.
        hardness: 0 falls off from the centre, 1 is full up to an edge of one pixel.
        brush: whether alpha is raised to opaque, lowered to clear, smoothed, or solved
            anew from the image's colours (:mod:`zim_model.matting.closed_form`).
        strength: maximal effect, in (0, 1].
        tolerance: 0 paints on all colours; above, only on those that differ by less
            from the colours under the path, in units of 100 CIELAB, at most 1.
    """

    path: tuple[tuple[float, float, float], ...]
    radius: float
    hardness: float = 0.8
    brush: Brush = "add"
    strength: float = 1.0
    tolerance: float = 0.0

    @property
    def reads_colours(self) -> bool:
        """Whether its effect depends on the image."""
        return self.brush == "refine" or self.tolerance > 0


@dataclass(frozen=True, slots=True)
class ColourKey:
    """A colour that is removed from a matte, as the green of a screen.

    Distances are Euclidean in CIELAB, in units of 100.

    Attributes:
        colour: 0xRRGGBB.
        tolerance: distance up to which colours become transparent, 0 to 1.
        softness: further distance over which opacity rises to that of the matte, 0 to
            1.
    """

    colour: int
    tolerance: float = KEY_TOLERANCE
    softness: float = KEY_SOFTNESS


@dataclass(frozen=True, slots=True)
class Finish:
    """Processing of a matte after the model; the default changes nothing.

    Attributes:
        shift_edge: image pixels that the edge moves outwards (negative: inwards),
            at most ``MAX_SHIFT`` either way.
        feather: standard deviation, in image pixels, of a blur of the edge, at most
            ``MAX_FEATHER``.
        contrast: 0 to 1; steepens the soft edge around alpha 0.5, never to a hard one.
        strokes: painted over the result, in order.
        decontaminate: 0 to 1; how far the background is removed from the colours of the
            soft edge.  Alpha does not depend on it.
        colour_keys: colours that are removed before the edge is adjusted, at most
            ``MAX_COLOUR_KEYS``.
        clean_edge: begin with the black and white point of the model's own matte, see
            :mod:`zim_model.matting.clean_edge`.
    """

    shift_edge: float = 0.0
    feather: float = 0.0
    contrast: float = 0.0
    strokes: tuple[Stroke, ...] = ()
    decontaminate: float = 0.0
    colour_keys: tuple[ColourKey, ...] = ()
    clean_edge: bool = False

    @property
    def adjusts_edge(self) -> bool:
        """Whether shift, feather or contrast changes alpha."""
        return bool(self.shift_edge or self.feather or self.contrast)

    def check_limits(self) -> None:
        """Check that this finish can be stored and read again.

        Raises:
            PromptError: there are too many strokes or vertices, or one is too far from
                any image; the message names the place.
        """
        check_count("finish.strokes", len(self.strokes), MAX_STROKES)
        for index, stroke in enumerate(self.strokes):
            place = f"finish.strokes[{index}].path"
            check_count(place, len(stroke.path), MAX_VERTICES)
            check_path(place, stroke.path)


STANDARD_FINISH = Finish(clean_edge=True)
"""Of new objects in the window, and of commands that make mattes of prompts."""

_LIMITS = {
    "shift_edge": (-MAX_SHIFT, MAX_SHIFT),
    "feather": (0.0, MAX_FEATHER),
    "contrast": (0.0, 1.0),
    "decontaminate": (0.0, 1.0),
}
"""Ranges of the finish's numbers."""


def finish_to_json(finish: Finish) -> dict[str, Any]:
    """A dictionary of plain values that :func:`finish_from_json` reads back exactly."""
    numbers = {name: float(getattr(finish, name)) for name in _LIMITS}
    strokes = [_stroke_to_json(stroke) for stroke in finish.strokes]
    keys = [
        {**asdict(key), "colour": f"#{key.colour:06x}"} for key in finish.colour_keys
    ]
    data = {**numbers, "strokes": strokes}
    # Keys that earlier versions do not know are written where they are needed.
    data |= {"colour_keys": keys} if keys else {}
    return data | ({"clean_edge": True} if finish.clean_edge else {})


def _stroke_to_json(stroke: Stroke) -> dict[str, Any]:
    path = [list(map(float, vertex)) for vertex in stroke.path]
    data = {**asdict(stroke), "path": path}
    if not stroke.tolerance:  # earlier versions do not know it
        del data["tolerance"]
    return data


def finish_from_json(data: dict[str, Any]) -> Finish:
    """Read the result of :func:`finish_to_json`; what is missing has its default.

    Raises:
        ZimError: the data has another form, or :meth:`Finish.check_limits` refuses it.
    """
    try:
        numbers = {name: data.get(name, 0.0) for name in _LIMITS}
        strokes = tuple(map(_stroke_from_json, data.get("strokes", ())))
        keys = _colour_keys_from_json(data.get("colour_keys", []))
    except MALFORMED as error:
        raise ZimError(
            msg("This recipe's finish cannot be read: {error}.", error=repr(error))
        ) from error
    for name, (low, high) in _LIMITS.items():
        if not is_number(numbers[name], low, high):
            raise ZimError(
                msg(
                    "This recipe's {name} is {value!r:.40}.",
                    name=name,
                    value=numbers[name],
                ),
                msg(
                    "It must be a number from {low:g} to {high:g}.", low=low, high=high
                ),
            )
    clean_edge = data.get("clean_edge", False)
    if not isinstance(clean_edge, bool):
        raise ZimError(
            msg("This recipe's clean_edge is {value!r:.40}.", value=clean_edge),
            msg("It must be true or false."),
        )
    finish = Finish(strokes=strokes, colour_keys=keys, clean_edge=clean_edge, **numbers)
    finish.check_limits()
    return finish


def _colour_keys_from_json(data: list[dict[str, Any]]) -> tuple[ColourKey, ...]:
    if len(data) > MAX_COLOUR_KEYS:
        raise ValueError(f"more than {MAX_COLOUR_KEYS} colour keys")
    return tuple(map(_colour_key_from_json, data))


def _colour_key_from_json(data: dict[str, Any]) -> ColourKey:
    colour = int(data["colour"].removeprefix("#"), 16)
    key = ColourKey(colour, data["tolerance"], data["softness"])
    if not 0 <= colour <= 0xFFFFFF:
        raise ValueError(f"{data['colour']!r} is no colour")
    if not (is_number(key.tolerance, 0, 1) and is_number(key.softness, 0, 1)):
        raise ValueError("a colour key's tolerance or softness is not from 0 to 1")
    return key


def _stroke_from_json(data: dict[str, Any]) -> Stroke:
    path = tuple((x, y, pressure) for x, y, pressure in data["path"])
    stroke = Stroke(
        path,
        data["radius"],
        data["hardness"],
        data["brush"],
        data["strength"],
        data.get("tolerance", 0.0),
    )
    if not path or not all(is_number(v) for v in _flatten(path)):
        raise ValueError("a stroke's path is not made of numbers")
    if not all(0 < pressure <= 1 for _, _, pressure in path):
        raise ValueError("a stroke's pressure is not above 0 and at most 1")
    if stroke.brush not in get_args(Brush):
        raise ValueError(f"{stroke.brush!r} is no brush")
    if not is_number(stroke.radius, 0, MAX_RADIUS) or stroke.radius == 0:
        raise ValueError(f"{stroke.radius!r} is no radius")
    if not (is_number(stroke.hardness, 0, 1) and is_number(stroke.strength, 0, 1)):
        raise ValueError("a stroke's hardness or strength is not from 0 to 1")
    if not is_number(stroke.tolerance, 0, 1):
        raise ValueError("a stroke's tolerance is not from 0 to 1")
    return stroke


def _flatten(path: Iterable[Iterable[float]]) -> Iterable[float]:
    return (value for at in path for value in at)
