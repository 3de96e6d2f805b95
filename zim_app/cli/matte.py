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
from typing import Any, get_args

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
from zim_app.cli.progress import about, print_line, progress_bar
from zim_app.cli.prompting import (
    ObjectSolver,
    add_model_arguments,
    add_prompt_arguments,
)
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
from zim_model.errors import ZimError
from zim_model.recipe import Recipe
from zim_model.request import ALPHA_MAX
from zim_model.runtime.atomic_files import write_error


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
    add_prompt_arguments(parser)
    add_model_arguments(parser)
    _configure_result(parser)


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
    command = _Command(args)
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
                print_line(f"zim-studio: {about(photo, error.text)}")
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

    def __init__(self, args: argparse.Namespace) -> None:
        self._args, self._solver = args, ObjectSolver(args)
        self._options = _export_options(args, self._solver.recipe).validate()

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
        matte = self._solver.solve(image)
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
            "model": self._solver.recipe.model,
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


def _milliseconds_since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
