"""``zim-studio matte``: one object of a photo, or of each of several.

Photos come from files or the standard input, results go to files or the standard
output.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from zim_app.cli import arguments, models
from zim_app.cli.export_arguments import (
    add_canvas_arguments,
    add_preset_argument,
    given,
    preset_options,
    with_canvas,
)
from zim_app.cli.photos import (
    STREAM,
    check_stdout,
    default_output,
    path_or_stream,
    read_photo,
)
from zim_app.cli.progress import print_line, progress_bar
from zim_app.core import isolation
from zim_app.core.compose import CutOut
from zim_app.core.export import (
    ExportKind,
    ExportOptions,
    ExportTarget,
    check_target,
    encode,
    export,
    export_to_folder,
)
from zim_app.core.images import Image
from zim_app.core.json_keys import check_recipe_keys
from zim_app.core.masks import load_mask
from zim_model.errors import PromptError, ZimError, msg
from zim_model.finish import STANDARD_FINISH
from zim_model.imported_mask import ImportedMask
from zim_model.inference.subject import SubjectSelector
from zim_model.prompts import PromptSet
from zim_model.recipe import Recipe, Upsampling
from zim_model.request import ALPHA_MAX, Matte, Request
from zim_model.runtime.atomic_files import read_error, write_error

if TYPE_CHECKING:
    from zim_model.inference.engine import Engine


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``zim-studio matte``."""
    parser.add_argument(
        "photos",
        type=path_or_stream,
        nargs="+",
        metavar="PHOTO",
        help="- for the standard input; of several, an error in one does not stop the "
        "others",
    )
    _configure_prompts(parser)
    _configure_model(parser)
    _configure_result(parser)


def _configure_prompts(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--point",
        type=arguments.point,
        action="append",
        default=[],
        metavar="X,Y[,LABEL]",
        help="a point, in pixels from the top left; LABEL 1 (the default) is on the "
        "object, 0 on the background; may be repeated",
    )
    parser.add_argument(
        "--box",
        type=arguments.box,
        metavar="X0,Y0,X1,Y1",
        help="two opposite corners around the object; write --box=-5,... if the first "
        "number is negative",
    )
    parser.add_argument(
        "--mask",
        type=Path,
        metavar="FILE",
        help="an image of the photo's size, white on the object: the object to begin "
        "with, which points change; of one with transparency, such as PHOTO itself, "
        "the opacity is used",
    )
    arguments.add_colour_key_argument(parser)
    arguments.add_subject_argument(parser)
    parser.add_argument(
        "--recipe",
        type=Path,
        metavar="FILE.json",
        help="start from a saved recipe; points are added to it, the rest replaces",
    )


def _configure_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", metavar="NAME", help="default: zim-tiny")
    models.add_device_arguments(parser)
    parser.add_argument(
        "--upsampling",
        choices=get_args(Upsampling),
        help="how the matte reaches the photo's size: guided by its edges (default), "
        "bilinear, native, which predicts again along the edge and takes longer, "
        "official, as the code of the model's authors does it, or trimap, guided with "
        "the soft edge solved by a trimap network, which takes longest",
    )
    parser.add_argument(
        "--trimap-network",
        metavar="NAME",
        help="an installed one, for --upsampling trimap (default: that of the recipe, "
        "else the first of zim-studio models)",
    )
    parser.add_argument(
        "--mirrored",
        action="store_true",
        help="predict for the mirrored photo too and take the mean of both mattes "
        "(test-time augmentation): slightly more accurate, takes twice as long",
    )


def _configure_result(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="OUT.png",
        help=".png, .tif, .exr, .webp, or .jpg (matte, composite); an existing file is "
        "replaced; - for the standard output; default: PHOTO-cutout.png beside PHOTO "
        "(or -matte, -composite), if there is none, or a new file with the preset's "
        "name and format; the standard output for a PHOTO from the standard input; of "
        "several photos: a folder, made if it does not exist, in which nothing is "
        "replaced",
    )
    add_preset_argument(parser)
    parser.add_argument(
        "--what",
        choices=get_args(ExportKind),
        help="the photo with transparency (default), its grey matte, or the photo on "
        "a background",
    )
    parser.add_argument(
        "--background",
        type=arguments.colour,
        metavar="COLOUR",
        help="of the composite: R,G,B or #RRGGBB (default: white)",
    )
    parser.add_argument(
        "--decontaminate",
        type=float,
        metavar="AMOUNT",
        help="0 to 1: remove the old background's colour from soft edges (default: "
        "that of the recipe, else 0)",
    )
    arguments.add_clean_edge_argument(parser, "that of the recipe, else on")
    arguments.add_hidden_pixels_argument(parser, default=None)
    add_canvas_arguments(parser)
    parser.add_argument(
        "--json",
        action="store_true",
        help="print one JSON object about the result; its halo is the share of old "
        "background in the soft edge's colours, before and after",
    )


def run(args: argparse.Namespace) -> int:
    """Cut out one object of each photo; return the exit code."""
    recipe = _recipe(args)
    if not recipe.has_prompts and args.subject is None and args.mask is None:
        raise argparse.ArgumentError(
            None,
            "give at least one --point, a --box, a --mask, a --colour-key or --subject",
        )
    command = _Command(args, recipe)
    if len(args.photos) > 1:
        return _cut_out_each(command, args)
    command.cut_out(args.photos[0])
    return 0


def _cut_out_each(command: _Command, args: argparse.Namespace) -> int:
    """Cut out the object of several photos; return the exit code."""
    if None in args.photos or str(args.output) == STREAM:
        raise argparse.ArgumentError(
            None, "the standard input and output hold one photo"
        )
    if args.output is not None:
        try:
            args.output.mkdir(parents=True, exist_ok=True)
        except OSError as error:  # such as FileExistsError: it is a file
            raise write_error(args.output, error) from error
    isolation.isolate()  # one broken photo does not end the others
    failed = 0
    with progress_bar("photo", total=len(args.photos)) as bar:
        for photo in args.photos:
            try:
                command.cut_out(photo)
            except ZimError as error:
                failed += 1
                print_line(f"zim-studio: {photo}: {' '.join(error.text.split())}")
            bar.update()
    return 1 if failed else 0


@dataclass(frozen=True, slots=True)
class _Output:
    """Where a result goes.

    Attributes:
        path: a file or a folder; None for the standard output.
        is_folder: whether it gets a new file of the options' name.
        exclusive: whether an existing file is an error; else it is replaced.
    """

    path: Path | None
    is_folder: bool = False
    exclusive: bool = False

    def check(self, image: Image, options: ExportOptions) -> None:
        """Check what can be checked before the slow part.

        Raises:
            ZimError: it cannot be written to.
        """
        if self.path is None:
            check_stdout()
        elif not self.is_folder:
            check_target(image, self.path, options)

    def save(
        self,
        image: Image,
        target: ExportTarget,
        options: ExportOptions,
        notify: Callable[[str], object],
    ) -> str:
        """Write a result; return the file's path.

        Raises:
            ZimError: it cannot be written.
        """
        if self.path is None:
            data = encode(
                *(image, [target], options),
                file_format=options.file_format,
                notify=notify,
            )
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
            return STREAM
        if self.is_folder:
            [path] = export_to_folder(
                image, [target], self.path, options, notify=notify
            )
            return str(path)
        return str(
            export(
                *(image, [target], self.path, options),
                exclusive=self.exclusive,
                notify=notify,
            )
        )


class _Command:
    """Cuts out photos, with one engine that is made for the first."""

    def __init__(self, args: argparse.Namespace, recipe: Recipe) -> None:
        self._args, self._recipe = args, recipe
        self._options = _export_options(args, recipe).validate()
        self._loaded: tuple[Engine, SubjectSelector] | None = None

    def cut_out(self, photo: Path | None) -> None:
        """Cut out a photo's object and print a report.

        Args:
            photo: None for the standard input.

        Raises:
            ZimError: the photo, the prompts or the output cannot be used.
        """
        options = self._options
        started = time.perf_counter()
        image = read_photo(photo)
        load_ms = _milliseconds_since(started)
        output = self._output(photo)
        output.check(image, options)
        matte = self._solve(image)
        models.print_notes(matte.timings.notes)
        started = time.perf_counter()
        notices: list[str] = []
        target = ExportTarget(matte.alpha)
        written = output.save(image, target, options, notices.append)
        models.print_notes(tuple(notices))
        report = {
            "image": STREAM if photo is None else str(photo),
            "output": written,
            "width": image.width,
            "height": image.height,
            "model": self._recipe.model,
            "device": matte.timings.device,
            "load_ms": round(load_ms, 1),
            "encode_ms": round(matte.timings.encode_ms, 1),
            "click_ms": round(matte.timings.click_ms, 1),
            "save_ms": round(_milliseconds_since(started), 1),
            "scores": [round(float(score), 4) for score in matte.scores],
            "candidate": int(matte.candidate),
            "support": [int(edge) for edge in matte.support],
            "coverage": round(float(np.mean(matte.alpha)) / ALPHA_MAX, 6),
        }
        as_json = self._args.json
        if as_json:
            cut_out = CutOut.from_image(image, matte.alpha)
            report["halo"] = _measure_edge_halo(cut_out, options)
        line = json.dumps(report) if as_json else _summary_line(report)
        show = print_line if len(self._args.photos) > 1 else print
        show(line, file=sys.stderr if output.path is None else sys.stdout)

    def _output(self, photo: Path | None) -> _Output:
        """Where the result of a photo goes.

        Raises:
            ImageError: there is such a file, and no output was named.
        """
        output: Path | None = self._args.output
        if len(self._args.photos) > 1 and output is not None:
            return _Output(output, is_folder=True)
        if output is not None:
            return _Output(None if str(output) == STREAM else output)
        if photo is None:
            return _Output(None)
        if self._args.preset is not None:
            return _Output(photo.parent, is_folder=True)
        return _Output(default_output(photo, self._options.what), exclusive=True)

    def _solve(self, image: Image) -> Matte:
        """The matte of the object.

        Raises:
            ZimError: the prompts or the mask do not fit, or no object was found.
        """
        args, recipe = self._args, self._recipe
        if args.mask is not None:
            level = load_mask(args.mask, image, 1).level
            mask = ImportedMask.from_level(level, refine=False)
            recipe = replace(recipe, masks=(*recipe.masks, mask))
        if self._loaded is None:
            engine = models.make_engine(args)
            self._loaded = engine, SubjectSelector(engine)
        engine, selector = self._loaded
        request = Request(image.rgb, image.key, recipe)
        if args.subject is not None:
            recipe = selector.select(request, args.subject)
            request = replace(request, recipe=recipe)
        return engine.solve(request.validate())


def _measure_edge_halo(
    cut_out: CutOut, options: ExportOptions
) -> dict[str, float] | None:
    """The halo before and after decontamination; None where it cannot be measured."""
    from zim_model.matting.halo import measure_halo

    found = None
    if options.what != "matte":
        found = measure_halo(cut_out.colours, cut_out.alpha)
    if found is None:
        return None
    after = found.after_decontamination(options.decontaminate or 0.0)
    return {"before": round(found.before, 4), "after": round(after, 4)}


def _summary_line(report: dict[str, Any]) -> str:
    return (
        "{output}: {width} x {height}, {coverage:.1%} covered, {model} on {device}, "
        "encode {encode_ms:.0f} ms, click {click_ms:.0f} ms"
    ).format(**report)


def _export_options(args: argparse.Namespace, recipe: Recipe) -> ExportOptions:
    """The options of the preset, or the default ones, with the arguments given."""
    options = replace(preset_options(args, ExportOptions()), scope="active")
    names = ("what", "background", "decontaminate", "hidden_pixels")
    changes = given(args, **{name: name for name in names})
    if "background" in changes:
        changes["background_image"] = None
    options = replace(options, **changes)
    if options.decontaminate is None:
        amount = recipe.finish.decontaminate
        options = replace(options, decontaminate=amount)
    return with_canvas(options, args)


def _recipe(args: argparse.Namespace) -> Recipe:
    if PromptSet(tuple(args.point), args.box).looks_relative:
        raise PromptError(
            msg("All coordinates are from 0 to 1, but pixels are meant."),
            msg("Give pixels from the top left."),
        )
    recipe = Recipe(finish=STANDARD_FINISH)
    if args.recipe is not None:
        recipe = _read_recipe(args.recipe, args)
    if args.clean_edge is not None:
        recipe = recipe.with_finish(clean_edge=args.clean_edge)
    for point in args.point:
        recipe = recipe.with_point(point)
    if args.box is not None:
        recipe = recipe.with_box(args.box)
    if args.colour_key:
        keys = (*recipe.finish.colour_keys, *args.colour_key)
        recipe = recipe.with_finish(colour_keys=keys)
    if args.model is not None:
        recipe = replace(recipe, model=args.model)
    if args.mirrored:
        recipe = replace(recipe, options=replace(recipe.options, flip_tta=True))
    if args.upsampling is not None:
        options = replace(recipe.options, upsampling=args.upsampling)
        recipe = replace(recipe, options=options)
    if args.trimap_network is not None:
        options = replace(recipe.options, trimap_network=args.trimap_network)
        recipe = replace(recipe, options=options)
    return recipe


def _read_recipe(path: Path, args: argparse.Namespace) -> Recipe:
    """The recipe in a file; names given as arguments take the place of its own."""
    names = given(args, model="model", trimap_network="trimap_network")
    try:
        data = json.loads(path.read_text("utf-8"))
        # Files that the user names may be opened, those that the recipe names not.
        data = {**data, **dict.fromkeys(names, "")} if isinstance(data, dict) else data
        recipe = Recipe.from_json(data)
        check_recipe_keys(data)
    except OSError as error:
        raise read_error(path, error) from error
    except (ValueError, RecursionError) as error:  # neither UTF-8 nor JSON
        raise ZimError(
            msg("{name} is no JSON file: {error}.", name=path.name, error=str(error)),
            msg("Give a saved recipe."),
        ) from error
    return recipe


def _milliseconds_since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
