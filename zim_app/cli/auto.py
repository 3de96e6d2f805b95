"""``zim-studio auto``: each object of a photo in a file of its own, and an index.

Imports neither Qt nor torch.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zim_app.cli.arguments import add_clean_edge_argument, add_hidden_pixels_argument
from zim_app.cli.models import add_device_arguments, make_engine, print_notes
from zim_app.cli.photos import read_photo
from zim_app.cli.progress import advance_to, progress_bar
from zim_app.cli.replacing import OTHER_FOLDER, add_replace_argument
from zim_app.core.export import ExportOptions, ExportTarget, check_target, export
from zim_app.core.images import Image
from zim_model.errors import ImageError, msg
from zim_model.finish import Finish
from zim_model.recipe import Options, Recipe
from zim_model.request import Request, Timings
from zim_model.runtime.atomic_files import (
    atomic_write,
    check_absent,
    describe_os_error,
    write_error,
)
from zim_model.weights.catalogue import DEFAULT_MODEL

if TYPE_CHECKING:
    from zim_model.inference.automatic import AutomaticOptions, FoundObject
    from zim_model.inference.engine import Engine


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``zim-studio auto``."""
    parser.add_argument("photo", type=Path, metavar="PHOTO")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="made if it does not exist; gets PHOTO-01.png, PHOTO-02.png, ..., the "
        "largest object first, and PHOTO-objects.json, which lists them",
    )
    parser.add_argument("--model", metavar="NAME", help="default: zim-tiny")
    add_device_arguments(parser)
    parser.add_argument(
        "--what",
        choices=("cutout", "matte"),
        default="cutout",
        help="the photo with transparency (default), or the grey matte",
    )
    parser.add_argument("--trim", action="store_true", help="crop to the object")
    add_clean_edge_argument(parser, "on")
    add_hidden_pixels_argument(parser)
    parser.add_argument(
        "--grid",
        type=int,
        metavar="N",
        help="point prompts along the photo's longer side (default: depends on the "
        "model)",
    )
    limits = {
        "--min-area": "smallest object, as a fraction of the photo",
        "--max-area": "largest object, as a fraction of the photo",
        "--min-score": "least predicted IoU, 0 to 1",
        "--min-stability": "least stability of an object's mask, 0 to 1",
    }
    for name, meaning in limits.items():
        parser.add_argument(name, type=float, metavar="X", help=meaning)
    add_replace_argument(parser)
    parser.add_argument(
        "--json", action="store_true", help="print the index in place of a summary"
    )


def run(args: argparse.Namespace) -> int:
    """Find the objects and write them; return the exit code.

    Raises:
        ZimError: the photo cannot be read, an option is out of range, the model
            cannot be loaded, or a file exists already or cannot be written.
    """
    image = read_photo(args.photo)
    names = _OutputNames(args.output, args.photo.stem, replace=args.replace)
    options = ExportOptions(args.what, trim=args.trim, hidden_pixels=args.hidden_pixels)
    names.check_free()
    _make_folder(args.output)
    check_target(image, names.object(1), options)  # before the slow part
    finish = Finish(clean_edge=args.clean_edge is not False)
    base = Recipe(model=args.model or DEFAULT_MODEL, finish=finish)
    engine = make_engine(args)
    started = time.perf_counter()
    with progress_bar("place") as bar:
        objects = engine.everything(
            Request(image.rgb, image.key, base),
            _automatic_options(args, engine, base.model),
            progress=lambda done, total, found: advance_to(
                bar, done, total, f"{_count_text(len(found))} found"
            ),
        )
    seconds = time.perf_counter() - started
    rows = []
    notes: dict[str, None] = {}
    for row, timings in _write_objects(engine, image, objects, base, names, options):
        rows.append(row)
        notes |= dict.fromkeys(timings.notes)
    print_notes(tuple(notes))
    index = {
        "image": str(args.photo),
        "width": image.width,
        "height": image.height,
        "model": base.model,
        "device": engine.backend(base.model).device_label,
        "seconds": round(seconds, 2),
        "objects": rows,
    }
    text = json.dumps(index, indent=2)
    _write_text(names.index, text, exclusive=not args.replace)
    sentence = f"{args.output}: {_count_text(len(rows))} found in {seconds:.1f} s"
    print(text if args.json else sentence)
    return 0


class _OutputNames:
    """Paths of the output files of a photo."""

    def __init__(self, folder: Path, stem: str, *, replace: bool) -> None:
        self._folder, self._stem, self.replace = folder, stem, replace
        self.index = folder / f"{stem}-objects.json"

    def object(self, number: int) -> Path:
        """Path of the file of an object; numbers start at 1."""
        return self._folder / f"{self._stem}-{number:02}.png"

    def check_free(self) -> None:
        """Raise ImageError if files of an earlier run exist and are to be kept."""
        if self.replace:
            return
        start = f"{self._stem}-"
        taken = [self.index]
        if self._folder.is_dir():
            taken += sorted(
                path
                for path in self._folder.iterdir()
                if path.suffix == ".png"
                and path.stem.startswith(start)
                and path.stem.removeprefix(start).isdecimal()
            )
        check_absent(taken, OTHER_FOLDER, ImageError)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise ImageError(
            msg("{folder} is a file.", folder=folder), msg("Give the path of a folder.")
        ) from error
    except OSError as error:
        reason, cure = describe_os_error(error)
        raise ImageError(
            msg("{folder} cannot be made: {reason}.", folder=folder, reason=reason),
            cure,
        ) from error


def _automatic_options(
    args: argparse.Namespace, engine: Engine, model: str
) -> AutomaticOptions:
    """The model's defaults, overridden by the given options."""
    from zim_model.inference.automatic import AutomaticOptions

    defaults = AutomaticOptions.for_model(engine.backend(model).config)
    names = ("grid", "min_area", "max_area", "min_score", "min_stability")
    given = {name: getattr(args, name) for name in names}
    given_options = {name: value for name, value in given.items() if value is not None}
    return replace(defaults, **given_options).validate()


def _write_objects(
    engine: Engine,
    image: Image,
    objects: tuple[FoundObject, ...],
    base: Recipe,
    names: _OutputNames,
    options: ExportOptions,
) -> Iterator[tuple[dict[str, Any], Timings]]:
    """Write the objects one by one; yield the index entry and timings of each."""
    for number, each in enumerate(objects, 1):
        recipe = replace(
            base, prompts=each.prompts, options=Options(candidate=each.candidate)
        )
        matte = engine.solve(Request(image.rgb, image.key, recipe))
        if not matte.alpha.any():  # empty at full size
            continue
        path = names.object(number)
        export(
            *(image, [ExportTarget(matte.alpha)], path, options),
            exclusive=not names.replace,
        )
        row = {
            "file": path.name,
            "box": list(each.box),
            "area": round(each.area, 5),
            "score": round(each.score, 4),
            "stability": round(each.stability, 4),
            "recipe": recipe.to_json(),
        }
        yield row, matte.timings


def _count_text(count: int) -> str:
    return "1 object" if count == 1 else f"{count} objects"


def _write_text(path: Path, text: str, *, exclusive: bool) -> None:
    try:
        with atomic_write(path, exclusive=exclusive) as stream:
            stream.write(f"{text}\n".encode())
    except OSError as error:
        raise write_error(path, error, ImageError) from error
