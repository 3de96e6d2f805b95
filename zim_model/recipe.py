"""Recipes and objects: the immutable values that determine mattes.

A recipe is the undo snapshot, the cache key, the batch input and the bug report.
Editing returns a new recipe.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from zim_model.errors import ZimError, msg
from zim_model.finish import Finish, Stroke, finish_from_json, finish_to_json
from zim_model.imported_mask import ImportedMask
from zim_model.prompts import Box, Point, PromptSet, Scribble, check_count

VERSION = 5
"""Of the recipe's JSON form; version 4 had neither regions nor a clean edge, version 3
neither colour keys nor strokes that depend on colours, version 2 no masks, version 1
neither scribbles nor a finish."""
MAX_MASKS = 16
"""Most masks of one recipe."""
MAX_PROMPT_SETS = 500
"""Most further prompt sets of one recipe."""
MAX_NAME = 1000
"""Most letters of an object's name."""
_MODEL = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,63})?")
_WEIGHT_FILE = re.compile(r"\.(safetensors|pth|pt|bin|onnx)$", re.IGNORECASE)
Upsampling = Literal["guided", "bilinear", "native", "official", "trimap"]
TRIMAP_SOURCE: Upsampling = "guided"
"""The upsampling of the matte that a trimap is made of."""


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

    @property
    def refines_edge(self) -> bool:
        """Whether the soft edge is computed again at image resolution; takes long."""
        return self.upsampling in ("native", "trimap")


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
    def cleans_edge(self) -> bool:
        """Whether the matte's levels are changed: not those of the official code."""
        return self.finish.clean_edge and self.options.upsampling != "official"

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

    def check_limits(self) -> None:
        """Check that this recipe can be stored and read again.

        Raises:
            PromptError: it has too much of something, or a position that is too far
                from any image; the message names the place.
        """
        check_count("also", len(self.more_prompt_sets), MAX_PROMPT_SETS)
        check_count("masks", len(self.masks), MAX_MASKS)
        self.prompts.check_limits()
        for index, prompts in enumerate(self.more_prompt_sets):
            prompts.check_limits(f"also[{index}]")
        self.finish.check_limits()

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
        """Change attributes of the :class:`~zim_model.finish.Finish`."""
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
            "finish": finish_to_json(self.finish),
        }

    @property
    def _version(self) -> int:
        """The earliest version that can express this recipe."""
        prompt_sets = (self.prompts, *self.more_prompt_sets)
        finish = self.finish
        has_regions = any(s.region for each in prompt_sets for s in each.scribbles)
        if has_regions or finish.clean_edge:
            return 5
        newer = finish.colour_keys or any(s.reads_colours for s in finish.strokes)
        return 4 if newer else 3

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Recipe:
        """Read the result of :meth:`to_json`, also of earlier versions.

        Raises:
            ZimError: a newer version or another form, a model or trimap network that is
                no name, or :meth:`check_limits` refuses it.
        """
        version = data.get("version") if isinstance(data, dict) else None
        if type(version) is not int or version not in range(1, VERSION + 1):
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
        # A name only: a recipe must not choose which file is opened.
        if not _is_model_name(model):
            raise ZimError(
                msg(
                    "This recipe's model is {model!r}, which is no name.",
                    model=_shortened(model),
                ),
                msg("Install the model, or choose its file yourself (--model FILE)."),
            )
        _check_options(options)
        more_prompt_sets = _prompt_sets_from_json(data.get("also", []))
        finish = finish_from_json(data.get("finish", {}))
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
        valid_name = isinstance(name, str) and len(name) <= MAX_NAME
        if not valid_name or not isinstance(visible, bool):
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


def _prompt_sets_from_json(data: Any) -> tuple[PromptSet, ...]:
    if not isinstance(data, list):
        raise ZimError(msg("This recipe's further prompts (also) are no list."))
    check_count("also", len(data), MAX_PROMPT_SETS)
    return tuple(
        PromptSet.from_json(prompts, f"also[{index}]")
        for index, prompts in enumerate(data)
    )


def _is_model_name(value: object) -> bool:
    """Whether a value is the name of a model, or empty, and not that of a file."""
    return (
        isinstance(value, str)
        and bool(_MODEL.fullmatch(value))
        and not _WEIGHT_FILE.search(value)
    )


def _shortened(value: object) -> object:
    """A value for a message, a long text without its end."""
    return value[:80] if isinstance(value, str) else value


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
    if not _is_model_name(options.trimap_network):
        raise ZimError(
            msg(
                "This recipe's trimap network is {name!r}, which is no name.",
                name=_shortened(options.trimap_network),
            ),
            msg("Install the network, or choose its file yourself."),
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
