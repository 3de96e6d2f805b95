"""``zim-studio erase``: remove an object from a photo, and fill in what was behind."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from zim_app.cli import arguments
from zim_app.cli.models import print_notes
from zim_app.cli.photos import (
    STREAM,
    check_stdout,
    default_output,
    path_or_stream,
    read_photo,
)
from zim_app.cli.prompting import (
    ObjectSolver,
    add_model_arguments,
    add_prompt_arguments,
)
from zim_app.core.erasing import (
    CleanPlate,
    EraseOptions,
    check_plate_target,
    encode_plate,
    erase,
    save_plate,
)
from zim_app.core.images import Image
from zim_app.core.masks import load_mask
from zim_model.arrays import WordArray


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``zim-studio erase``."""
    parser.add_argument(
        "photo", type=path_or_stream, metavar="PHOTO", help="- for the standard input"
    )
    add_prompt_arguments(parser)
    add_model_arguments(parser)
    parser.add_argument(
        "--margin",
        type=int,
        metavar="PIXELS",
        help="by which the matte is grown (default: 1.5 %% of the object's longer "
        "side)",
    )
    parser.add_argument(
        "--fill",
        default="",
        metavar="NETWORK",
        help="what fills the hole: an installed network, such as lama, or its ONNX "
        "file (default: patches of the photo itself)",
    )
    parser.add_argument(
        "--avoid",
        type=Path,
        metavar="FILE",
        help="an image of the photo's size, white on what must not be copied into the "
        "hole, such as a person beside it; hidden from a network",
    )
    parser.add_argument(
        "--seed",
        type=arguments.seed,
        default=0,
        metavar="N",
        help="another one fills the hole otherwise (default: 0)",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="OUT",
        help="its suffix chooses the format; .psd and .ora hold the clean plate and, "
        "as a layer above it, the cut-out; an existing file is replaced; - for the "
        "standard output (default: PHOTO-erased.png, beside PHOTO)",
    )
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object about the result"
    )


def run(args: argparse.Namespace) -> int:
    """Remove the object and write the clean plate; return the exit code.

    Raises:
        ZimError: the photo, the prompts, the network or the output cannot be used, or
            too little is left around the hole.
    """
    solver = ObjectSolver(args)
    image = read_photo(args.photo)
    output = _output(args, image)  # checked before the slow part
    avoid = None if args.avoid is None else load_mask(args.avoid, image).mask
    matte = solver.solve(image)
    print_notes(matte.timings.notes)
    started = time.perf_counter()
    options = EraseOptions(args.margin, args.fill, args.seed)
    plate = erase(image, matte.alpha, options, avoid=avoid)
    seconds = time.perf_counter() - started
    written = _save(args, plate, image, matte.alpha, output)
    report: dict[str, Any] = {
        "image": STREAM if args.photo is None else str(args.photo),
        "output": written,
        "width": image.width,
        "height": image.height,
        "model": solver.recipe.model,
        "fill": args.fill or "patches",
        "margin": plate.margin,
        "hole": round(float(np.mean(plate.hole)), 6),
        "fill_seconds": round(seconds, 2),
    }
    sentence = (
        "{output}: {width} x {height}, {hole:.1%} filled by {fill} in "
        "{fill_seconds:.1f} s, margin {margin} px"
    ).format(**report)
    print(
        json.dumps(report) if args.json else sentence,
        file=sys.stderr if output is None else sys.stdout,
    )
    return 0


def _output(args: argparse.Namespace, image: Image) -> Path | None:
    """The file of the clean plate; None for the standard output.

    Raises:
        ImageError: it cannot be written, or exists and was not named.
    """
    output: Path | None = args.output
    if output is None and args.photo is not None:
        output = default_output(args.photo, "erased")
    if output is None or str(output) == STREAM:
        check_stdout()
        return None
    check_plate_target(image, output)
    return output


def _save(
    args: argparse.Namespace,
    plate: CleanPlate,
    image: Image,
    alpha: WordArray,
    output: Path | None,
) -> str:
    if output is None:
        sys.stdout.buffer.write(encode_plate(plate))
        sys.stdout.buffer.flush()
        return STREAM
    exclusive = args.output is None
    return str(save_plate(plate, image, alpha, output, exclusive=exclusive))
