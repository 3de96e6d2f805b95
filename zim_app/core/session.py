"""The Recipe: everything that decides how one matte is made, as one value.

A recipe is the undo snapshot, the cache key, the batch input and the bug report.
Editing returns a new recipe.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, get_args

from zim_model.arrays import ByteArray
from zim_model.errors import ZimError
from zim_model.prompts import Box, Point, PromptSet
from zim_model.request import Options, Request, Upsampling


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one matte is made from an image: ``matte = f(image, recipe)``."""

    prompts: PromptSet = field(default_factory=PromptSet)
    model: str = "zim-tiny"
    options: Options = field(default_factory=Options)

    def with_point(self, point: Point) -> Recipe:
        """Add a point after the others."""
        return self._with(points=(*self.prompts.points, point))

    def with_point_moved(self, index: int, x: float, y: float) -> Recipe:
        """Move point ``index`` to (x, y) in image pixels."""
        points = list(self.prompts.points)
        points[index] = replace(points[index], x=x, y=y)
        return self._with(points=tuple(points))

    def without_point(self, index: int) -> Recipe:
        """Remove point ``index``."""
        points = self.prompts.points
        return self._with(points=points[:index] + points[index + 1 :])

    def with_box(self, box: Box | None) -> Recipe:
        """Set, replace or (None) remove the box."""
        return replace(self, prompts=replace(self.prompts, box=box))

    def _with(self, *, points: tuple[Point, ...]) -> Recipe:
        return replace(self, prompts=replace(self.prompts, points=points))

    def request(self, image: ByteArray, image_key: str) -> Request:
        """The question to the engine that this recipe asks about an image.

        Arguments are those of :class:`~zim_model.request.Request`.
        """
        return Request(image, image_key, self.prompts, self.model, self.options)

    def to_json(self) -> dict[str, Any]:
        """A dictionary of plain values that :meth:`from_json` reads back exactly."""
        return {
            "version": 1,
            "prompts": self.prompts.to_json(),
            "model": self.model,
            "candidate": self.options.candidate,
            "upsampling": self.options.upsampling,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Recipe:
        """Read what :meth:`to_json` wrote.

        Raises:
            ZimError: another version or form.
        """
        version = data.get("version") if isinstance(data, dict) else None
        if version != 1:
            raise ZimError(
                f"This recipe has version {version!r}; known is 1.",
                "It may come from a newer zim-studio.",
            )
        try:
            model, prompts = data["model"], PromptSet.from_json(data["prompts"])
            options = Options(data["candidate"], data["upsampling"])
        except KeyError as error:
            raise ZimError(f"This recipe has no {error.args[0]}.") from error
        if not isinstance(model, str):
            raise ZimError(f"This recipe's model is {model!r}, which is no name.")
        candidate = options.candidate
        if candidate is not None and (type(candidate) is not int or candidate < 0):
            raise ZimError(
                f"This recipe's candidate is {candidate!r}, which is no index."
            )
        if options.upsampling not in get_args(Upsampling):
            raise ZimError(
                f"This recipe's upsampling is {options.upsampling!r}.",
                f"Known are {' and '.join(get_args(Upsampling))}.",
            )
        return cls(prompts, model, options)
