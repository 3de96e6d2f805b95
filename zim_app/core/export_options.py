"""Options of an export as one value, which can be stored as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

from zim_app.core.canvas import Canvas
from zim_app.core.compose import HiddenPixels
from zim_app.core.formats import BY_ID, FileFormat
from zim_app.core.framing import ExportFrame, Rect
from zim_app.core.naming import check_template
from zim_app.core.pixels import TRIM_ALPHA, Rgb
from zim_model.errors import Message, ZimError, msg
from zim_model.json_values import is_number

ExportKind = Literal["cutout", "matte", "composite"]
Depth = Literal["source", "8", "16", "32"]
Scope = Literal["active", "each", "together"]
_KEYS = {"background_image": "background_picture"}
"""Fields of :class:`ExportOptions` that are stored under another key."""
_WHOLE = ("quality", "trim_alpha", "padding", "longest_side")
"""Fields that are whole numbers."""
_OPTIONAL = ("longest_side", "decontaminate")
"""Fields that may be None."""
WHITE: Rgb = (255, 255, 255)
MAX_PADDING = 10_000
MAX_SIDE = 100_000


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """Options of an export; the default is a cut-out of the image's size as PNG.

    Attributes:
        what: the image with transparency, its grey matte, or the image over a
            background.  Formats with layers always hold cut-outs.
        format: an id in :data:`~zim_app.core.formats.FORMATS`, used where a name is
            made; where a path is given, its suffix decides.
        depth: bits per channel; "source" is the depth of the image.  Formats without 16
            bits are written with 8.  32 is floats of light, in TIFF and OpenEXR, else
            16 bits; OpenEXR has halves for every other depth.
        quality: 1 to 100, of lossy formats.
        background: of the composite, sRGB.
        background_image: in place of that colour; scaled to cover.
        trim: crop to the visible part of the objects.
        padding: transparent or background pixels around the support, in pixels of the
            image.
        scale: factor for width and height.
        longest_side: in place of the factor, the longer side in pixels.
        decontaminate: 0 to 1, amount of decontamination of soft edges; None uses the
            amount of each object.
        scope: the active object, each object in a file of its own, or all visible ones
            together.
        original: add the unchanged image as a hidden lowest layer.
        template: of file names, see :mod:`zim_app.core.naming`.
        trim_alpha: largest alpha, 0 to 254 of 255, that trimming takes for invisible.
        hidden_pixels: colours where alpha is 0, see
            :func:`~zim_app.core.compose.recolour_hidden_pixels`.
        canvas: place the object on it, in place of ``trim``, ``padding``, ``scale`` and
            ``longest_side``; None for no canvas.
        shadow: keep the shadow that the objects cast in the image, below them; not in
            a matte.  See :func:`~zim_model.matting.shadow.estimate_shadow`.
    """

    what: ExportKind = "cutout"
    format: str = "png"
    depth: Depth = "source"
    quality: int = 95
    background: Rgb = WHITE
    background_image: Path | None = None
    trim: bool = False
    padding: int = 0
    scale: float = 1.0
    longest_side: int | None = None
    decontaminate: float | None = None
    scope: Scope = "active"
    original: bool = False
    template: str = "{name}-{what}"
    trim_alpha: int = TRIM_ALPHA
    hidden_pixels: HiddenPixels = "bleed"
    canvas: Canvas | None = None
    shadow: bool = False

    @property
    def file_format(self) -> FileFormat:
        """The format as a :class:`~zim_app.core.formats.FileFormat`."""
        return BY_ID[self.format]

    @property
    def label(self) -> str:
        """The value of ``{what}`` in a template."""
        return "layers" if self.file_format.layered else self.what

    @property
    def objects(self) -> str:
        """The scope, or "layers" where hidden objects are exported as hidden layers."""
        layered = self.file_format.layered and self.scope == "together"
        return "layers" if layered else self.scope

    @property
    def needs_support(self) -> bool:
        """Whether :meth:`frame` depends on the objects, not only on the image."""
        return self.trim or self.canvas is not None

    @property
    def size_is_known(self) -> bool:
        """Whether the size of the file depends on the image's size only."""
        return not self.trim if self.canvas is None else self.canvas.is_fixed

    def validate(self) -> ExportOptions:
        """Check the options, each and in combination; return them.

        Raises:
            ZimError: an option is invalid; the message has its name and range.
        """
        self._check_choices()
        limits = {
            "quality": (1, 100),
            "trim_alpha": (0, 254),
            "padding": (0, MAX_PADDING),
            "scale": (0.001, 100),
            "longest_side": (1, MAX_SIDE),
            "decontaminate": (0, 1),
        }
        for name, (low, high) in limits.items():
            value = getattr(self, name)
            whole = name in _WHOLE
            if value is None and name in _OPTIONAL:
                continue
            if not is_number(value, low, high, whole=whole):
                expected = msg("a number from {low} to {high}", low=low, high=high)
                if whole:
                    expected = msg(
                        "a whole number from {low} to {high}", low=low, high=high
                    )
                raise _option_error(name, value, expected)
        for channel in self.background:
            if not is_number(channel, 0, 255, whole=True):
                raise _option_error(
                    "background", self.background, msg("three of 0 to 255")
                )
        if not isinstance(self.template, str):
            raise _option_error("template", self.template, msg("text"))
        check_template(self.template)
        if self.canvas is not None:
            self.canvas.validate()
        if self.what == "cutout" and not self.file_format.transparency:
            raise ZimError(
                msg(
                    "{name} cannot hold the transparency of a cut-out.",
                    name=self.file_format.name,
                ),
                msg(
                    "Save as PNG, TIFF or WebP, or save the matte or a composite "
                    "instead."
                ),
            )
        return self

    def _check_choices(self) -> None:
        choices: dict[str, tuple[object, ...]] = {
            "what": get_args(ExportKind),
            "format": tuple(BY_ID),
            "depth": get_args(Depth),
            "scope": get_args(Scope),
            "trim": (True, False),
            "original": (True, False),
            "hidden_pixels": get_args(HiddenPixels),
            "shadow": (True, False),
        }
        for name, allowed in choices.items():
            value = getattr(self, name)
            if type(value) is not type(allowed[0]) or value not in allowed:
                one = ", ".join(map(str, allowed))
                raise _option_error(name, value, msg("one of {names}", names=one))

    def to_json(self) -> dict[str, Any]:
        """A dictionary of plain values that :meth:`from_json` reads back exactly."""
        path = self.background_image
        values = {_KEYS.get(name, name): value for name, value in asdict(self).items()}
        return values | {
            "background": list(self.background),
            "background_picture": None if path is None else str(path),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> ExportOptions:
        """Read the JSON form of :meth:`to_json`; missing values have their defaults.

        Raises:
            ZimError: a value is malformed or out of range.
        """
        names = {_KEYS.get(each.name, each.name): each.name for each in fields(cls)}
        try:
            options = cls(**{names[key]: data[key] for key in data if key in names})
            red, green, blue = options.background
            path = options.background_image
            options = replace(
                options,
                background=(red, green, blue),
                background_image=None if path is None else Path(path),
                canvas=_read_canvas(options.canvas),
            )
            return options.validate()
        except (TypeError, ValueError) as error:
            raise ZimError(
                msg("The export options cannot be read: {error}.", error=str(error))
            ) from error

    def frame(self, width: int, height: int, support: Rect | None) -> ExportFrame:
        """The region of an image that is written, and its size in the file.

        Args:
            width: of the image in pixels.
            height: of the image in pixels.
            support: bounding box of the visible alpha; None if there is none.

        Raises:
            ZimError: there is nothing to trim to.
        """
        if self.needs_support and support is None:
            raise ZimError(
                msg("There is nothing to export: all is transparent."),
                msg("Add a prompt on the object, or export the whole photo."),
            )
        if self.canvas is not None and support is not None:
            return self.canvas.frame(support)
        rect = (0, 0, width, height)
        if self.trim and support is not None:
            left, top, right, bottom = support
            pad = self.padding
            rect = (left - pad, top - pad, right + pad, bottom + pad)
        sides = rect[2] - rect[0], rect[3] - rect[1]
        factor = self.scale
        if self.longest_side is not None:
            factor = self.longest_side / max(sides)
        new_width, new_height = (max(1, round(side * factor)) for side in sides)
        return ExportFrame(rect, new_width, new_height)


EARLIER_BEHAVIOUR = {
    **{"trim_alpha": 0, "hidden_pixels": "keep"},
    **{"canvas": None, "shadow": False},
}
"""What exports did before these could be chosen, by their keys in JSON."""
BATCH_EXPORT = ExportOptions(scope="together")
"""Default options of a batch: one cut-out per image."""


def _read_canvas(data: Any) -> Canvas | None:
    return None if data is None else Canvas.from_json(data)


def _option_error(name: str, value: object, expected: Message) -> ZimError:
    shown = name.replace("_", " ")
    return ZimError(
        msg("The export's {shown} is {value!r}.", shown=shown, value=value),
        msg("It must be {expected}.", expected=expected),
    )
