"""Arguments of the commands for one object of a photo, and its matte."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from zim_app.cli import arguments, models
from zim_app.cli.export_arguments import given
from zim_app.core.images import Image
from zim_app.core.json_keys import check_recipe_keys
from zim_app.core.masks import load_mask
from zim_model.errors import PromptError, ZimError, msg
from zim_model.finish import STANDARD_FINISH
from zim_model.imported_mask import ImportedMask
from zim_model.inference.subject import SubjectSelector
from zim_model.prompts import PromptSet
from zim_model.recipe import Recipe, Upsampling
from zim_model.request import Matte, Request
from zim_model.runtime.atomic_files import read_error

if TYPE_CHECKING:
    from zim_model.inference.engine import Engine


def add_prompt_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say where the object is."""
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
        action=arguments.StoreOnce,
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


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say which model makes the matte, and how."""
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
        help="an installed one for --upsampling trimap, or closed-form, which needs "
        "none (default: that of the recipe, else the first of zim-studio models)",
    )
    parser.add_argument(
        "--mirrored",
        action="store_true",
        help="predict for the mirrored photo too and take the mean of both mattes "
        "(test-time augmentation): slightly more accurate, takes twice as long",
    )
    arguments.add_clean_edge_argument(parser, "that of the recipe, else on")


class ObjectSolver:
    """Makes the matte of the object that the arguments describe, photo after photo.

    The engine is made for the first one.

    Args:
        args: of :func:`add_prompt_arguments` and :func:`add_model_arguments`.

    Attributes:
        recipe: of the arguments, without the mask.

    Raises:
        ZimError: the recipe cannot be read, or coordinates are no pixels.
        argparse.ArgumentError: nothing says where the object is.
    """

    def __init__(self, args: argparse.Namespace) -> None:
        self._args, self.recipe = args, _recipe(args)
        self._loaded: tuple[Engine, SubjectSelector] | None = None
        named = args.subject is not None or args.mask is not None
        if not (self.recipe.has_prompts or named):
            raise argparse.ArgumentError(
                None,
                "give at least one --point, a --box, a --mask, a --colour-key or "
                "--subject",
            )

    def solve(self, image: Image) -> Matte:
        """The matte of the object.

        Raises:
            ZimError: the prompts or the mask do not fit, or no object was found.
        """
        args, recipe = self._args, self.recipe
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
