"""Arguments of several commands for presets, canvases and shadows.

Arguments that were not given are None, so that those which were given win over a
preset.
"""

from __future__ import annotations

import argparse
import re
from dataclasses import replace
from typing import Any, get_args

from zim_app.core.canvas import Alignment, Canvas
from zim_app.core.export_options import ExportOptions
from zim_app.core.presets import BUILT_IN, PresetStore
from zim_model.errors import ZimError

NO_CANVAS = "none"
_SIZE = re.compile(r"(\d+)\s*[x×]\s*(\d+)", re.IGNORECASE)
_RATIO = re.compile(r"(\d+):(\d+)")
_PADDING = re.compile(r"(\d+(?:\.\d+)?)\s*(%|px|)")


def add_preset_argument(group: argparse._ActionsContainer) -> None:
    """Add the argument for a preset, which :func:`preset_options` reads."""
    names = ", ".join(preset.name for preset in BUILT_IN)
    group.add_argument(
        "--preset",
        metavar="NAME_OR_FILE",
        help=f"export options by a name: {names}, or one saved in the studio; or from "
        "a .json file; other options that are given win over it",
    )


def add_canvas_arguments(group: argparse._ActionsContainer) -> None:
    """Add the arguments that :func:`with_canvas` reads."""
    group.add_argument(
        "--canvas",
        type=_canvas,
        metavar="SIZE",
        help="place the object on a canvas: WIDTHxHEIGHT in pixels, which it is shrunk "
        "to fit; square or W:H around it, at its own size; none",
    )
    group.add_argument(
        "--padding",
        type=_padding,
        metavar="SIZE",
        help="least room between the object and the canvas's sides: 7.5%% of the "
        "shorter side, or 40px; without a canvas, pixels of the photo around the "
        "trimmed object",
    )
    group.add_argument(
        "--align",
        choices=get_args(Alignment),
        help="the object in the centre of the canvas, or standing at the bottom",
    )
    group.add_argument(
        "--enlarge",
        action=argparse.BooleanOptionalAction,
        help="enlarge small objects to fill the canvas, too",
    )
    group.add_argument(
        "--shadow",
        action=argparse.BooleanOptionalAction,
        help="keep the shadow that the object casts on an even ground in the photo",
    )


def preset_options(args: argparse.Namespace, otherwise: ExportOptions) -> ExportOptions:
    """The options of the chosen preset; ``otherwise`` if none was chosen.

    Raises:
        ZimError: there is no such preset, or it cannot be read.
    """
    if args.preset is None:
        return otherwise
    return PresetStore().find(args.preset).options


def given(args: argparse.Namespace, **names: str) -> dict[str, Any]:
    """Fields of options for the arguments that were given.

    Args:
        args: of the command.
        names: of arguments, by the field.
    """
    values = {field: getattr(args, name) for field, name in names.items()}
    return {field: value for field, value in values.items() if value is not None}


def with_canvas(options: ExportOptions, args: argparse.Namespace) -> ExportOptions:
    """The options with the canvas and shadow of the arguments that were given.

    Raises:
        ArgumentError: an argument needs a canvas that there is none of.
    """
    options = replace(options, **given(args, shadow="shadow"))
    if args.canvas == NO_CANVAS:
        options = replace(options, canvas=None)
    elif args.canvas is not None:
        base, size = options.canvas or Canvas(), args.canvas
        canvas = replace(base, width=size.width, height=size.height, unit=size.unit)
        # These have no effect on a canvas.
        options = replace(
            options,
            canvas=canvas,
            trim=False,
            padding=0,
            scale=1.0,
            longest_side=None,
        )
    changes = given(args, align="align", enlarge="enlarge")
    if options.canvas is not None:
        if args.padding is not None:
            changes |= {"padding": args.padding[0], "padding_unit": args.padding[1]}
        return replace(options, canvas=replace(options.canvas, **changes))
    if changes:
        raise argparse.ArgumentError(None, f"--{next(iter(changes))} needs a --canvas")
    if args.padding is None:
        return options
    pixels, unit = args.padding
    if unit == "%" or pixels != int(pixels):
        raise argparse.ArgumentError(
            None, "--padding in % or in fractions of a pixel needs a --canvas"
        )
    trim = options.trim or pixels > 0
    return replace(options, trim=trim, padding=int(pixels))


def _canvas(text: str) -> Canvas | str:
    if text.lower() == NO_CANVAS:
        return NO_CANVAS
    if text.lower() == "square":
        return Canvas()
    size, ratio = _SIZE.fullmatch(text), _RATIO.fullmatch(text)
    try:
        if size:
            return Canvas(int(size[1]), int(size[2]), "px").validate()
        if ratio:
            return Canvas(int(ratio[1]), int(ratio[2])).validate()
    except ZimError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    raise argparse.ArgumentTypeError(
        f"{text!r} is no canvas; write WIDTHxHEIGHT, square, W:H or none"
    )


def _padding(text: str) -> tuple[float, str]:
    found = _PADDING.fullmatch(text.strip())
    if not found:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no padding; write it as 7.5% or 40px"
        )
    return float(found[1]), found[2] or "px"
