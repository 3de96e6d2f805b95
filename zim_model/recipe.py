"""Recipes and objects: the immutable values that determine mattes.

A recipe is the undo snapshot, the cache key, the batch input and the bug report.
Editing returns a new recipe.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, get_args

from zim_model.errors import ZimError, msg
from zim_model.imported_mask import ImportedMask
from zim_model.prompts import Box, Point, PromptSet, Scribble

VERSION = 4
"""Of the recipe's JSON form; version 3 had neither colour keys nor strokes that depend
on colours, version 2 no masks, version 1 neither scribbles nor a finish."""
MAX_MASKS = 16
"""Most masks of one recipe."""
Upsampling = Literal["guided", "bilinear", "native", "official", "trimap"]


@dataclass(frozen=True, slots=True)
class Options:
    """How a matte is predicted from its prompts.

    Attributes:
        candidate: which candidate to use; None takes the one for unambiguous prompts
            (mask token 0, as SAM and ZIM do).
        upsampling: from the network's grid to the image: ``guided`` follows the image's
            own edges; ``bilinear`` only enlarges the matte; ``native`` is ``guided``
            with tiled refinement, which takes many times as long; ``official`` is
            what the official code does (:mod:`zim_model.inference.official`), for a
            model without such code the same as ``bilinear``; ``trimap`` is ``guided``
            with the soft edge solved by a trimap network.
        flip_tta: take the mean of the predictions for the image and its mirror image,
            which takes twice as long.
        trimap_network: name of the installed one for ``trimap``, see
            :mod:`zim_model.weights.trimap`; empty takes the first.
    """

    candidate: int | None = None
    upsampling: Upsampling = "guided"
    flip_tta: bool = False
    trimap_network: str = ""


Brush = Literal["add", "erase", "soften", "refine"]
MAX_SHIFT = 20.0
MAX_FEATHER = 50.0
MAX_RADIUS = 2000.0
MAX_COLOUR_KEYS = 16
"""Most colour keys of one recipe."""


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
    tolerance: float = 0.12
    softness: float = 0.1


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
        colour_keys: colours that are removed before all else, at most
            ``MAX_COLOUR_KEYS``.
    """

    shift_edge: float = 0.0
    feather: float = 0.0
    contrast: float = 0.0
    strokes: tuple[Stroke, ...] = ()
    decontaminate: float = 0.0
    colour_keys: tuple[ColourKey, ...] = ()

    @property
    def adjusts_edge(self) -> bool:
        """Whether anything but strokes changes alpha."""
        return bool(self.shift_edge or self.feather or self.contrast)


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that determines one object's matte: ``matte = f(image, recipe)``.

    Attributes:
        prompts: in image pixels; they may be empty where there are masks or strokes.
        model: name of a known model, see :mod:`zim_model.weights.catalogue`.
        options: how the matte is predicted.
        finish: processing after the model.
        more_prompt_sets: further prompt sets, each predicted by itself; the object is
            the union of all.
        masks: of the whole image; the object starts as their union, and prompts add to
            it or subtract from it, see :mod:`zim_model.inference.mask_composition`.
    """

    prompts: PromptSet = field(default_factory=PromptSet)
    model: str = "zim-tiny"
    options: Options = field(default_factory=Options)
    finish: Finish = field(default_factory=Finish)
    more_prompt_sets: tuple[PromptSet, ...] = ()
    masks: tuple[ImportedMask, ...] = ()

    @property
    def has_prompts(self) -> bool:
        """Whether there is anything to make a matte of: prompt, mask, stroke, key."""
        finish = self.finish
        return self._has_objects or bool(finish.strokes or finish.colour_keys)

    @property
    def keys_whole_image(self) -> bool:
        """Whether the object is all of the image but the colours of its keys."""
        return bool(self.finish.colour_keys) and not self._has_objects

    @property
    def _has_objects(self) -> bool:
        prompt_sets = (self.prompts, *self.more_prompt_sets)
        return any(prompt_sets) or bool(self.masks)

    def validate(self, height: int, width: int) -> Recipe:
        """Return this recipe with its prompts checked against an image of that size.

        Raises:
            PromptError: prompts are invalid; see :class:`PromptSet`. On a mask,
                negative prompts alone are valid.
            ImageError: a mask has another size.
        """
        for mask in self.masks:
            mask.check_size(height, width)
        prompt_sets = [
            self._validate_prompts(s, height, width)
            for s in (self.prompts, *self.more_prompt_sets)
        ]
        return replace(
            self, prompts=prompt_sets[0], more_prompt_sets=tuple(prompt_sets[1:])
        )

    def _validate_prompts(
        self, prompts: PromptSet, height: int, width: int
    ) -> PromptSet:
        if not prompts or (self.masks and prompts.only_negative):
            return prompts
        return prompts.validate(height, width)

    def with_point(self, point: Point) -> Recipe:
        """Add a point after the others."""
        return self._with_prompts(points=(*self.prompts.points, point))

    def with_point_moved(self, index: int, x: float, y: float) -> Recipe:
        """Move point ``index`` to (x, y) in image pixels."""
        points = list(self.prompts.points)
        points[index] = replace(points[index], x=x, y=y)
        return self._with_prompts(points=tuple(points))

    def without_point(self, index: int) -> Recipe:
        """Remove point ``index``."""
        points = self.prompts.points
        return self._with_prompts(points=points[:index] + points[index + 1 :])

    def with_scribble(self, scribble: Scribble) -> Recipe:
        """Add a scribble after the others."""
        return self._with_prompts(scribbles=(*self.prompts.scribbles, scribble))

    def without_scribble(self, index: int) -> Recipe:
        """Remove scribble ``index``."""
        scribbles = self.prompts.scribbles
        return self._with_prompts(scribbles=scribbles[:index] + scribbles[index + 1 :])

    def with_scribble_replaced(self, index: int, scribble: Scribble) -> Recipe:
        """Replace scribble ``index``."""
        scribbles = list(self.prompts.scribbles)
        scribbles[index] = scribble
        return self._with_prompts(scribbles=tuple(scribbles))

    def with_box(self, box: Box | None) -> Recipe:
        """Set, replace or (None) remove the box."""
        return self._with_prompts(box=box)

    def with_stroke(self, stroke: Stroke) -> Recipe:
        """Paint a stroke over the others."""
        return self.with_finish(strokes=(*self.finish.strokes, stroke))

    def with_finish(self, **changes: Any) -> Recipe:
        """Change attributes of the :class:`~zim_model.request.Finish`."""
        return replace(self, finish=replace(self.finish, **changes))

    def with_candidate(self, candidate: int | None) -> Recipe:
        """Choose a candidate; None for the default one."""
        return replace(self, options=replace(self.options, candidate=candidate))

    def _with_prompts(self, **changes: Any) -> Recipe:
        return replace(self, prompts=replace(self.prompts, **changes))

    def to_json(self) -> dict[str, Any]:
        """A dictionary of plain values that :meth:`from_json` reads back exactly."""
        network = self.options.trimap_network
        return {
            "version": self._version,
            "prompts": self.prompts.to_json(),
            "also": [prompts.to_json() for prompts in self.more_prompt_sets],
            "masks": [mask.to_json() for mask in self.masks],
            "model": self.model,
            "candidate": self.options.candidate,
            "upsampling": self.options.upsampling,
            "mirrored": self.options.flip_tta,
            **({"trimap_network": network} if network else {}),
            "finish": _finish_to_json(self.finish),
        }

    @property
    def _version(self) -> int:
        """The earliest version that can express this recipe."""
        finish = self.finish
        newer = finish.colour_keys or any(s.reads_colours for s in finish.strokes)
        return VERSION if newer else 3

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Recipe:
        """Read the result of :meth:`to_json`, also of earlier versions.

        Raises:
            ZimError: a newer version or another form.
        """
        version = data.get("version") if isinstance(data, dict) else None
        if version not in range(1, VERSION + 1):
            raise ZimError(
                msg(
                    "This recipe has version {version!r}; known are 1 to {newest}.",
                    version=version,
                    newest=VERSION,
                ),
                msg("It may come from a newer zim-studio."),
            )
        try:
            model, prompts = data["model"], PromptSet.from_json(data["prompts"])
            options = Options(
                data["candidate"],
                data["upsampling"],
                data.get("mirrored", False),
                data.get("trimap_network", ""),
            )
        except KeyError as error:
            raise ZimError(
                msg("This recipe has no {field}.", field=error.args[0])
            ) from error
        if not isinstance(model, str):
            raise ZimError(
                msg("This recipe's model is {model!r}, which is no name.", model=model)
            )
        _check_options(options)
        more_prompt_sets = tuple(map(PromptSet.from_json, data.get("also", ())))
        finish = _finish_from_json(data.get("finish", {}))
        masks = _masks_from_json(data.get("masks", []))
        return cls(prompts, model, options, finish, more_prompt_sets, masks)


@dataclass(frozen=True, slots=True)
class SceneObject:
    """One object of an image's stack.

    Attributes:
        id: unique in its image, and never reused.
        name: chosen by the user.
        colour: for display, 0xRRGGBB.
        visible: whether it is displayed and exported with the others.
        recipe: determines its matte.
    """

    id: int = 1
    name: str = ""
    colour: int = 0x2F8FFF
    visible: bool = True
    recipe: Recipe = field(default_factory=Recipe)

    def to_json(self) -> dict[str, Any]:
        """A dictionary of plain values that :meth:`from_json` reads back exactly."""
        return {
            "id": self.id,
            "name": self.name,
            "colour": f"#{self.colour:06x}",
            "visible": self.visible,
            "recipe": self.recipe.to_json(),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> SceneObject:
        """Read the result of :meth:`to_json`.

        Raises:
            ZimError: the data has another form.
        """
        try:
            id_, name, visible = data["id"], data["name"], data["visible"]
            colour = int(data["colour"].removeprefix("#"), 16)
            recipe = data["recipe"]
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ZimError(
                msg("An object cannot be read: {error}.", error=repr(error))
            ) from error
        if type(id_) is not int or id_ < 1:
            raise ZimError(
                msg("An object's id is {id!r}, which is no positive number.", id=id_)
            )
        if not isinstance(name, str) or not isinstance(visible, bool):
            raise ZimError(
                msg("Object {id} has a malformed name or visibility.", id=id_)
            )
        if not 0 <= colour <= 0xFFFFFF:
            raise ZimError(
                msg(
                    "Object {id} has the colour {colour!r}.",
                    id=id_,
                    colour=data["colour"],
                )
            )
        return cls(id_, name, colour, visible, Recipe.from_json(recipe))


def _masks_from_json(data: Any) -> tuple[ImportedMask, ...]:
    if not isinstance(data, list) or len(data) > MAX_MASKS:
        raise ZimError(
            msg("This recipe's masks are no list of at most {limit}.", limit=MAX_MASKS)
        )
    return tuple(map(ImportedMask.from_json, data))


def _check_options(options: Options) -> None:
    candidate = options.candidate
    if not isinstance(options.flip_tta, bool):
        raise ZimError(
            msg("This recipe's mirrored is {flip_tta!r}.", flip_tta=options.flip_tta),
            msg("It must be true or false."),
        )
    if not isinstance(options.trimap_network, str):
        raise ZimError(
            msg(
                "This recipe's trimap network is {name!r}, which is no name.",
                name=options.trimap_network,
            )
        )
    if candidate is not None and (type(candidate) is not int or candidate < 0):
        raise ZimError(
            msg(
                "This recipe's candidate is {candidate!r}, which is no index.",
                candidate=candidate,
            )
        )
    if options.upsampling not in get_args(Upsampling):
        raise ZimError(
            msg(
                "This recipe's upsampling is {upsampling!r}.",
                upsampling=options.upsampling,
            ),
            msg("Known are {known}.", known=" and ".join(get_args(Upsampling))),
        )


_LIMITS = {
    "shift_edge": (-MAX_SHIFT, MAX_SHIFT),
    "feather": (0.0, MAX_FEATHER),
    "contrast": (0.0, 1.0),
    "decontaminate": (0.0, 1.0),
}
"""Ranges of the finish's numbers."""


def _finish_to_json(finish: Finish) -> dict[str, Any]:
    numbers = {name: float(getattr(finish, name)) for name in _LIMITS}
    strokes = [_stroke_to_json(stroke) for stroke in finish.strokes]
    keys = [
        {**asdict(key), "colour": f"#{key.colour:06x}"} for key in finish.colour_keys
    ]
    return {**numbers, "strokes": strokes} | ({"colour_keys": keys} if keys else {})


def _stroke_to_json(stroke: Stroke) -> dict[str, Any]:
    path = [list(map(float, vertex)) for vertex in stroke.path]
    data = {**asdict(stroke), "path": path}
    if not stroke.tolerance:  # earlier versions do not know it
        del data["tolerance"]
    return data


def _finish_from_json(data: dict[str, Any]) -> Finish:
    try:
        numbers = {name: data.get(name, 0.0) for name in _LIMITS}
        strokes = tuple(map(_stroke_from_json, data.get("strokes", ())))
        keys = _colour_keys_from_json(data.get("colour_keys", []))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ZimError(
            msg("This recipe's finish cannot be read: {error}.", error=repr(error))
        ) from error
    for name, (low, high) in _LIMITS.items():
        if not _is_number(numbers[name], low, high):
            raise ZimError(
                msg(
                    "This recipe's {name} is {value!r}.", name=name, value=numbers[name]
                ),
                msg(
                    "It must be a number from {low:g} to {high:g}.", low=low, high=high
                ),
            )
    return Finish(strokes=strokes, colour_keys=keys, **numbers)


def _colour_keys_from_json(data: list[dict[str, Any]]) -> tuple[ColourKey, ...]:
    if len(data) > MAX_COLOUR_KEYS:
        raise ValueError(f"more than {MAX_COLOUR_KEYS} colour keys")
    return tuple(map(_colour_key_from_json, data))


def _colour_key_from_json(data: dict[str, Any]) -> ColourKey:
    colour = int(data["colour"].removeprefix("#"), 16)
    key = ColourKey(colour, data["tolerance"], data["softness"])
    if not 0 <= colour <= 0xFFFFFF:
        raise ValueError(f"{data['colour']!r} is no colour")
    if not (_is_number(key.tolerance, 0, 1) and _is_number(key.softness, 0, 1)):
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
    if not path or not all(_is_number(v) for v in _flatten(path)):
        raise ValueError("a stroke's path is not made of numbers")
    if not all(0 < pressure <= 1 for _, _, pressure in path):
        raise ValueError("a stroke's pressure is not above 0 and at most 1")
    if stroke.brush not in get_args(Brush):
        raise ValueError(f"{stroke.brush!r} is no brush")
    if not _is_number(stroke.radius, 0, MAX_RADIUS) or stroke.radius == 0:
        raise ValueError(f"{stroke.radius!r} is no radius")
    if not (_is_number(stroke.hardness, 0, 1) and _is_number(stroke.strength, 0, 1)):
        raise ValueError("a stroke's hardness or strength is not from 0 to 1")
    if not _is_number(stroke.tolerance, 0, 1):
        raise ValueError("a stroke's tolerance is not from 0 to 1")
    return stroke


def _flatten(path: Iterable[Iterable[float]]) -> Iterable[float]:
    return (value for at in path for value in at)


def _is_number(value: object, low: float = -math.inf, high: float = math.inf) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    # mypy does not follow ``number``.
    return number and math.isfinite(value) and low <= value <= high  # type: ignore[arg-type,operator]
