"""``zim-studio export-onnx``: write a model as ONNX graphs, a ZIM as the official pair.

Imports neither Qt nor torch.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from zim_app.cli.replacing import OTHER_FOLDER, add_replace_argument, check_free
from zim_model.errors import WeightsError, msg
from zim_model.weights.catalogue import locate
from zim_model.weights.installed import ONNX_FILES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zim_model.onnx.parity import ParityDifference

OFFICIAL_SIDE = 1024
"""Side of the input, in pixels, that the official package expects."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``zim-studio export-onnx``."""
    parser.add_argument(
        "--model",
        required=True,
        metavar="NAME",
        help="an installed model or a .safetensors file: a ZIM, or zim-tiny",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder of the files, made if it does not exist",
    )
    add_replace_argument(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Run the subcommand; return the exit code.

    Raises:
        ZimError: the model is unknown, is incompatible with the official interface, or
            the files exist already or cannot be written.
    """
    path = locate(args.model)
    if path.is_dir():
        raise WeightsError(
            msg("{model} is a pair of ONNX graphs already.", model=args.model),
            msg("Its files lie in {path}.", path=path),
        )
    # These import torch, which takes seconds.
    from zim_model.network.zim import Zim
    from zim_model.onnx.export import export_pair, with_external_data
    from zim_model.onnx.tiny import GRAPH_FILES
    from zim_model.onnx.tiny_export import write_tiny
    from zim_model.weights.checkpoint import load_model

    started = time.perf_counter()
    model = load_model(path)
    names = ONNX_FILES if isinstance(model, Zim) else GRAPH_FILES
    files = with_external_data(args.output, names)
    check_free(args, files, OTHER_FOLDER)
    if isinstance(model, Zim):
        differences = export_pair(model, args.output, overwrite=args.replace)
    else:
        differences = write_tiny(model, args.output, overwrite=args.replace)
    report = {
        "model": args.model,
        "image_size": model.config.image_size,
        "files": {str(p): p.stat().st_size for p in files if p.is_file()},
        "seconds": round(time.perf_counter() - started, 1),
        "largest_difference": max(each.largest for each in differences),
    }
    if args.json:
        rows = [asdict(each) for each in differences]
        print(json.dumps({**report, "differences": rows}))
        return 0
    print(format_table(differences))
    for file, size in report["files"].items():
        print(f"{file}: {size / 1e6:,.1f} MB")
    if isinstance(model, Zim) and model.config.image_size != OFFICIAL_SIDE:
        print(
            f"Note: the input is {model.config.image_size} pixels wide; the official "
            f"package expects {OFFICIAL_SIDE}."
        )
    return 0


def format_table(differences: Sequence[ParityDifference]) -> str:
    """The largest differences between graphs and network, one per line."""
    return "\n".join(["Largest differences:", *(f"  {each}" for each in differences)])
