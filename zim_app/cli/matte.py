"""``zim-studio matte``: one object of one photo."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
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
from zim_app.cli.photos import default_output, read_photo
from zim_app.core.compose import CutOut
from zim_app.core.export import (
    ExportKind,
    ExportOptions,
    ExportTarget,
    check_target,
    export,
    export_to_folder,
)
from zim_app.core.json_keys import check_recipe_keys
from zim_app.core.masks import load_mask
from zim_model.errors import PromptError, ZimError, msg
from zim_model.finish import STANDARD_FINISH
from zim_model.imported_mask import ImportedMask
from zim_model.inference.subject import SubjectSelector
from zim_model.prompts import PromptSet
from zim_model.recipe import Recipe, Upsampling
from zim_model.request import ALPHA_MAX, Request
from zim_model.runtime.atomic_files import read_error


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``zim-studio matte``."""
    parser.add_argument("photo", type=Path, metavar="PHOTO")
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
        "replaced; default: PHOTO-cutout.png beside PHOTO (or -matte, -composite), "
        "if there is none, or a new file with the preset's name and format",
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
    """Cut out one object of one photo; return the exit code."""
    recipe = _recipe(args)
    if not recipe.has_prompts and args.subject is None and args.mask is None:
        raise argparse.ArgumentError(
            None,
            "give at least one --point, a --box, a --mask, a --colour-key or --subject",
        )
    started = time.perf_counter()
    image = read_photo(args.photo)
    load_ms = _milliseconds_since(started)
    if args.mask is not None:
        mask = ImportedMask.from_level(
            load_mask(args.mask, image, 1).level, refine=False
        )
        recipe = replace(recipe, masks=(*recipe.masks, mask))
    options = _export_options(args, recipe).validate()
    output = args.output
    if output is None and args.preset is None:
        output = default_output(args.photo, options.what)
    if output is not None:
        check_target(image, output, options)  # before the slow part
    engine = models.make_engine(args)
    if args.subject is not None:
        selector = SubjectSelector(engine)
        request = Request(image.rgb, image.key, recipe)
        recipe = selector.select(request, args.subject)
    recipe = recipe.validate(image.height, image.width)
    matte = engine.solve(Request(image.rgb, image.key, recipe))
    models.print_notes(matte.timings.notes)
    started = time.perf_counter()
    notices: list[str] = []
    target, notify = [ExportTarget(matte.alpha)], notices.append
    if output is not None:
        exclusive = args.output is None
        export(image, target, output, options, exclusive=exclusive, notify=notify)
    else:
        folder = args.photo.parent
        [output] = export_to_folder(image, target, folder, options, notify=notify)
    models.print_notes(tuple(notices))
    save_ms = _milliseconds_since(started)
    report = {
        "image": str(args.photo),
        "output": str(output),
        "width": image.width,
        "height": image.height,
        "model": recipe.model,
        "device": matte.timings.device,
        "load_ms": round(load_ms, 1),
        "encode_ms": round(matte.timings.encode_ms, 1),
        "click_ms": round(matte.timings.click_ms, 1),
        "save_ms": round(save_ms, 1),
        "scores": [round(float(score), 4) for score in matte.scores],
        "candidate": int(matte.candidate),
        "support": [int(edge) for edge in matte.support],
        "coverage": round(float(np.mean(matte.alpha)) / ALPHA_MAX, 6),
    }
    if args.json:
        report["halo"] = _measure_edge_halo(
            CutOut.from_image(image, matte.alpha), options
        )
    print(json.dumps(report) if args.json else _summary_line(report))
    return 0


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
