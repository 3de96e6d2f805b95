"""``zim-studio convert-mask``: make a soft matte from a photo and a coarse mask.

Imports neither Qt nor torch.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import get_args

import numpy as np

from zim_app.cli.arguments import add_hidden_pixels_argument
from zim_app.cli.photos import default_output, read_photo
from zim_app.core.export import Depth, ExportOptions, ExportTarget, check_target, export
from zim_app.core.masks import THRESHOLD, MaskFile, load_mask
from zim_model.errors import ImageError, msg
from zim_model.request import ALPHA_MAX
from zim_model.runtime.devices import resolve_device

GREY_FRACTION_TO_REPORT = 0.001
"""Fraction of grey pixels of a mask above which the threshold is reported."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``zim-studio convert-mask``."""
    parser.add_argument("photo", type=Path, metavar="PHOTO")
    parser.add_argument(
        "mask",
        type=Path,
        metavar="MASK",
        help="an image of the photo's size, white on the object; if it has "
        "transparency, its opacity is used",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="MATTE",
        help="its suffix chooses the format (default: PHOTO-matte.png, beside PHOTO)",
    )
    parser.add_argument(
        "--what",
        choices=("matte", "cutout"),
        default="matte",
        help="the grey matte (default), or the photo with transparency",
    )
    parser.add_argument(
        "--depth",
        choices=get_args(Depth),
        default="source",
        help="bits per channel; source (default) is the depth of the photo, 32 are "
        "floats of light (.tif, .exr)",
    )
    add_hidden_pixels_argument(parser)
    parser.add_argument(
        "--threshold",
        type=int,
        default=THRESHOLD,
        metavar="PERCENT",
        help=f"least brightness of a pixel of the object (default: {THRESHOLD})",
    )
    parser.add_argument(
        "--model",
        default="converter-tiny",
        metavar="NAME",
        help="converter-tiny (default), or a converter's .safetensors file",
    )
    parser.add_argument(
        "--device",
        metavar="ID",
        help="where it runs: cuda, cuda:1, mps or cpu (default: the fastest available)",
    )
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object about the result"
    )


def run(args: argparse.Namespace) -> int:
    """Convert the mask and write the matte; return the exit code.

    Raises:
        ZimError: photo or mask cannot be read or do not fit, the converter cannot be
            loaded, or the file cannot be written.
    """
    image = read_photo(args.photo)
    mask_file = load_mask(args.mask, image, args.threshold)
    output = args.output or default_output(args.photo, args.what)
    if output.exists() and output.samefile(args.mask):
        raise ImageError(
            msg("{output} is the mask itself.", output=output),
            msg("Choose another name for the result."),
        )
    options = ExportOptions(
        args.what, depth=args.depth, hidden_pixels=args.hidden_pixels
    )
    check_target(image, output, options)  # before the slow part
    _print_mask_info(args.mask.name, mask_file, args.threshold)
    from zim_model.conversion.converter import Converter

    converter = Converter.load(args.model, resolve_device(args.device))
    started = time.perf_counter()
    alpha = converter.convert(image.rgb, mask_file.mask)
    seconds = time.perf_counter() - started
    exclusive = args.output is None
    export(image, [ExportTarget(alpha)], output, options, exclusive=exclusive)
    soft = float(((alpha > 0) & (alpha < ALPHA_MAX)).mean())
    report = {
        "image": str(args.photo),
        "mask": str(args.mask),
        "output": str(output),
        "width": image.width,
        "height": image.height,
        "model": args.model,
        "converter": converter.fingerprint,
        "device": str(converter.device),
        "seconds": round(seconds, 3),
        "threshold": args.threshold,
        "by_transparency": mask_file.transparency,
        "mask_coverage": round(float(mask_file.mask.mean()), 6),
        "coverage": round(float(np.mean(alpha)) / ALPHA_MAX, 6),
        "soft": round(soft, 6),
    }
    sentence = (
        f"{output}: {image.width} x {image.height}, {report['coverage']:.1%}"
        f" covered, {soft:.1%} soft, {seconds:.1f} s on {converter.device}"
    )
    print(json.dumps(report) if args.json else sentence)
    return 0


def _print_mask_info(name: str, mask_file: MaskFile, threshold: int) -> None:
    """Print a note if the mask has grey pixels, to which the threshold applies."""
    if mask_file.between > GREY_FRACTION_TO_REPORT:
        kinds = "clear nor opaque" if mask_file.transparency else "black nor white"
        print(
            f"zim-studio: note: {mask_file.between:.1%} of {name} is neither {kinds};"
            f" from {threshold} % on it counts as the object.",
            file=sys.stderr,
        )
