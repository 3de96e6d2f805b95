"""Values on the command line: points, boxes, colours, shards."""

from __future__ import annotations

import argparse
from typing import Any, get_args

from PIL import ImageColor

from zim_app.core.compose import HiddenPixels
from zim_app.core.pixels import Rgb
from zim_model.errors import ZimError
from zim_model.finish import KEY_SOFTNESS, KEY_TOLERANCE, ColourKey
from zim_model.medical.window import Window
from zim_model.prompts import Box, Point
from zim_model.runtime.jobs import Shard

COLOUR_KEY_FORM = "#RRGGBB[,TOLERANCE[,SOFTNESS]]"


def numbers(text: str, counts: tuple[int, ...], example: str) -> list[float]:
    """Parse comma-separated numbers; their number must be in ``counts``."""
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        values = []
    if len(values) not in counts:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form {example}")
    return values


class StoreOnce(argparse.Action):
    """Stores a value, and refuses another: the first one would be lost silently."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        if getattr(namespace, self.dest) is not None:
            raise argparse.ArgumentError(self, "it may be given once")
        setattr(namespace, self.dest, values)


def seed(text: str) -> int:
    """Parse the seed of random numbers, a whole number from 0."""
    if not (text.isascii() and text.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0")
    return int(text)


def point(text: str) -> Point:
    """Parse a point: ``X,Y`` or ``X,Y,LABEL``."""
    x, y, *label = numbers(text, (2, 3), "X,Y or X,Y,LABEL")
    if label not in ([], [0], [1]):
        raise argparse.ArgumentTypeError(
            f"{text!r}: LABEL is 1 (object) or 0 (background)"
        )
    return Point(x, y, label != [0])


def box(text: str) -> Box:
    """Parse a box, given by two corners: ``X0,Y0,X1,Y1``."""
    return Box.from_corners(*numbers(text, (4,), "X0,Y0,X1,Y1"))


def window(text: str) -> Window:
    """Parse a window of grey values: ``LEVEL,WIDTH``, or the name of a preset."""
    try:
        return Window.parse(text)
    except ZimError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def colour(text: str) -> Rgb:
    """Parse a colour: ``R,G,B`` with 0 to 255 each, or ``#RRGGBB``."""
    parts = text.split(",")
    try:
        if len(parts) == 3:
            red, green, blue = map(int, parts)
            if all(0 <= value <= 255 for value in (red, green, blue)):
                return red, green, blue
        elif text.startswith("#") and len(text) in (4, 7):
            return ImageColor.getrgb(text)[:3]
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(
        f"{text!r} is not a colour; write R,G,B with 0 to 255 each, or #RRGGBB"
    )


def colour_key(text: str) -> ColourKey:
    """Parse a colour to remove: ``#RRGGBB[,TOLERANCE[,SOFTNESS]]``."""
    name, *amounts = text.split(",")
    red, green, blue = colour(name)
    values = numbers(",".join(amounts), (1, 2), COLOUR_KEY_FORM) if amounts else []
    if not all(0 <= value <= 1 for value in values):
        raise argparse.ArgumentTypeError(f"{text!r}: TOLERANCE and SOFTNESS are 0 to 1")
    return ColourKey(red << 16 | green << 8 | blue, *values)


def add_colour_key_argument(group: argparse._ActionsContainer) -> None:
    """Add the argument for :attr:`Finish.colour_keys`."""
    group.add_argument(
        "--colour-key",
        type=colour_key,
        action="append",
        default=[],
        metavar=COLOUR_KEY_FORM,
        help="make a colour transparent, as of a green screen, up to TOLERANCE (0 to 1,"
        f" default: {KEY_TOLERANCE}) and softly beyond ({KEY_SOFTNESS}); without other"
        " prompts all the rest is the object; may be repeated",
    )


def add_clean_edge_argument(group: argparse._ActionsContainer, default: str) -> None:
    """Add the argument for :attr:`Finish.clean_edge`, None unless it is given."""
    group.add_argument(
        "--clean-edge",
        action=argparse.BooleanOptionalAction,
        help="make the inside opaque and the background transparent where the model "
        "nearly does, by the matte's own black and white point; not for glass or veils "
        f"(default: {default})",
    )


def shard(text: str) -> Shard:
    """Parse a part of a job: ``I/N``."""
    try:
        return Shard.parse(text)
    except ZimError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def add_subject_argument(group: argparse._ActionsContainer) -> None:
    """Add the argument for :meth:`SubjectSelector.select`."""
    group.add_argument(
        "--subject",
        nargs="?",
        const="",
        metavar="NETWORK",
        help="the main object, without any prompt: found by the model, or by an"
        " automatic network (an ONNX file as of rembg, in the models folder or by its"
        " path)",
    )


def add_hidden_pixels_argument(
    group: argparse._ActionsContainer, default: HiddenPixels | None = "bleed"
) -> None:
    """Add the argument for :attr:`ExportOptions.hidden_pixels`."""
    group.add_argument(
        "--hidden-pixels",
        choices=get_args(HiddenPixels),
        default=default,
        help="colours of a cut-out where it is transparent: the edge's for a few pixels"
        " and then black (bleed, the default), the photo's (keep), or black (clear)",
    )


def add_sharing_arguments(group: argparse._ActionsContainer) -> None:
    """Add the arguments that divide a job among machines."""
    group.add_argument(
        "--shard",
        type=shard,
        default=Shard(),
        metavar="I/N",
        help="only the I-th of N parts, as for N machines that share the folder of "
        "results",
    )
    group.add_argument(
        "--cluster",
        metavar="ADDRESS",
        help="run on a Ray cluster that shares the folders: auto, HOST:PORT, or "
        "local:N for N workers here",
    )
