"""The Recipe: everything that decides how one matte is made, as one value.

A recipe is the undo snapshot, the cache key, the batch input and the bug report.
Editing returns a new recipe.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from zim_model.errors import ZimError
from zim_model.prompts import Box, Point, PromptSet
from zim_model.request import Options


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
        if data.get("version") != 1:
            raise ZimError(
                f"This recipe has version {data.get('version')!r}; known is 1.",
                "It may come from a newer zim-studio.",
            )
        try:
            upsampling = data["upsampling"]
            if upsampling not in ("guided", "bilinear"):
                raise ValueError(f"no such upsampling: {upsampling!r}")  # noqa: TRY301
            return cls(
                PromptSet.from_json(data["prompts"]),
                str(data["model"]),
                Options(candidate=data["candidate"], upsampling=upsampling),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ZimError(f"This recipe cannot be read: {error}.") from error
