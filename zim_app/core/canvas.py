"""The canvas of an export: a size or an aspect, and the object's place on it."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from zim_app.core.framing import ExportFrame, Rect
from zim_model.errors import ZimError, msg
from zim_model.json_values import is_number

CanvasUnit = Literal["px", "ratio"]
PaddingUnit = Literal["%", "px"]
Alignment = Literal["centre", "bottom"]
MAX_CANVAS = 30_000
"""Largest side of a canvas in pixels, and largest number of a ratio."""
MAX_PERCENT = 49
"""Largest padding in percent: a little of the canvas must remain for the object."""
ENLARGING_MARGIN = 2
"""Pixels around an enlarged object that are resampled with it, as its edge needs."""


@dataclass(frozen=True, slots=True)
class Canvas:
    """A canvas that the object is placed on; the default is a square around it.

    A canvas in pixels has that size; the object is scaled to fit.  One with a ratio is
    the smallest of that aspect which holds the object, at the size it has in the image.

    Attributes:
        width: in pixels of the file, or the ratio's first number.
        height: in pixels of the file, or the ratio's second number.
        unit: of width and height.
        padding: least room between the object and each side, in percent of the
            canvas's shorter side or in pixels of the file.
        padding_unit: of the padding.
        align: the object in the centre, or centred horizontally and standing on the
            padding at the bottom.
        enlarge: scale objects above 100 % of their size in the image, too; for a canvas
            in pixels.
    """

    width: int = 1
    height: int = 1
    unit: CanvasUnit = "ratio"
    padding: float = 0.0
    padding_unit: PaddingUnit = "%"
    align: Alignment = "centre"
    enlarge: bool = False

    @property
    def is_fixed(self) -> bool:
        """Whether the size of the file is known without the object."""
        return self.unit == "px"

    def validate(self) -> Canvas:
        """Check all values; return the canvas.

        Raises:
            ZimError: a value is invalid, or the padding leaves no room for the object.
        """
        choices: dict[str, tuple[object, ...]] = {
            "unit": get_args(CanvasUnit),
            "padding_unit": get_args(PaddingUnit),
            "align": get_args(Alignment),
            "enlarge": (True, False),
        }
        for name, allowed in choices.items():
            value = getattr(self, name)
            if type(value) is not type(allowed[0]) or value not in allowed:
                one = ", ".join(map(str, allowed))
                raise _canvas_error(name, value, msg("one of {names}", names=one))
        for name in ("width", "height"):
            value = getattr(self, name)
            if type(value) is not int or not 1 <= value <= MAX_CANVAS:
                whole = msg(
                    "a whole number from {low} to {high}", low=1, high=MAX_CANVAS
                )
                raise _canvas_error(name, value, whole)
        highest = MAX_PERCENT if self.padding_unit == "%" else MAX_CANVAS
        if not is_number(self.padding, 0, highest):
            number = msg("a number from {low} to {high}", low=0, high=highest)
            raise _canvas_error("padding", self.padding, number)
        if self.is_fixed and min(self._room(self.width, self.height)) < 1:
            raise ZimError(
                msg(
                    "A padding of {padding:g} {unit} leaves no room on a canvas of "
                    "{width} x {height} pixels.",
                    padding=self.padding,
                    unit=self.padding_unit,
                    width=self.width,
                    height=self.height,
                ),
                msg("Choose less padding or a larger canvas."),
            )
        return self

    @classmethod
    def from_json(cls, data: Any) -> Canvas:
        """Read the JSON form of :meth:`to_json`; missing values have their defaults.

        Raises:
            ZimError: it has an unknown field, or a value is malformed or out of range.
        """
        if not isinstance(data, dict):
            raise ZimError(
                msg("The export's canvas is {value!r}.", value=str(data)[:60]),
                msg("It must have fields such as width and height, or be null."),
            )
        names = [each.name for each in fields(cls)]
        for key in data:
            if key not in names:
                raise ZimError(
                    msg("The canvas has the unknown field {key!r}.", key=str(key)[:60]),
                    msg("Known are {fields}.", fields=", ".join(names)),
                )
        return cls(**data).validate()

    def to_json(self) -> dict[str, Any]:
        """A dictionary of plain values that :meth:`from_json` reads back exactly."""
        return asdict(self)

    def frame(self, support: Rect) -> ExportFrame:
        """Where the object is taken from and placed.

        Args:
            support: bounding box of the visible alpha, in pixels of the image.

        Returns:
            A frame whose ``part`` keeps the object's aspect to within half a pixel.
        """
        left, top, right, bottom = support
        old = right - left, bottom - top
        width, height = self._size(*old)
        factor = 1.0
        if self.is_fixed:
            room = self._room(width, height)
            factor = min(room[0] / old[0], room[1] / old[1])
            if not self.enlarge:
                factor = min(1.0, factor)
        new = [max(1, round(side * factor)) for side in old]
        x, y = (width - new[0]) // 2, (height - new[1]) // 2
        if self.align == "bottom":
            y = height - new[1] - round(self._padding(width, height))
        margin = ENLARGING_MARGIN if factor > 1 else 0
        grown = round(margin * factor)
        return ExportFrame(
            (left - margin, top - margin, right + margin, bottom + margin),
            width,
            height,
            (x - grown, y - grown, x + new[0] + grown, y + new[1] + grown),
        )

    def _padding(self, width: float, height: float) -> float:
        """The padding in pixels on a canvas of that size."""
        if self.padding_unit == "px":
            return self.padding
        return self.padding / 100 * min(width, height)

    def _room(self, width: int, height: int) -> tuple[float, float]:
        """Width and height that the padding leaves for the object."""
        padding = self._padding(width, height)
        return width - 2 * padding, height - 2 * padding

    def _size(self, width: int, height: int) -> tuple[int, int]:
        """The size of the canvas around an object of that size, in pixels."""
        if self.is_fixed:
            return self.width, self.height
        # With t pixels per unit of the ratio, t * side - 2 * padding >= the object's.
        sides = self.width, self.height
        fixed, share = 2 * self.padding, 0.0
        if self.padding_unit == "%":
            fixed, share = 0.0, 2 * self.padding / 100 * min(sides)
        t = max(
            (width + fixed) / (sides[0] - share), (height + fixed) / (sides[1] - share)
        )
        # Without the rounding, 1.1 * 10 pixels would need 12.
        return math.ceil(round(t * sides[0], 6)), math.ceil(round(t * sides[1], 6))


def _canvas_error(name: str, value: object, expected: str) -> ZimError:
    shown = name.replace("_", " ")
    return ZimError(
        msg("The canvas's {shown} is {value!r}.", shown=shown, value=value),
        msg("It must be {expected}.", expected=expected),
    )
