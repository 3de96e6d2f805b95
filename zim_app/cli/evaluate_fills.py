"""``zim-studio evaluate --protocol inpainting``: measure what fills holes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from zim_app.cli.models import print_notes
from zim_app.cli.progress import advance_to, progress_bar
from zim_model.evaluation.inpainting import (
    NO_CLIP,
    PATCHES,
    TELEA,
    FillReport,
    FillRow,
    check_fill_target,
    evaluate_fills,
    list_cases,
    write_fill_report,
)
from zim_model.evaluation.systems import PredictionFolder
from zim_model.runtime.jobs import Shard

UNKNOWN = (
    *("model", "prompts", "layout", "upsampling", "mirrored", "region", "window"),
    *("cluster", "resume", "published_curves"),
)
"""Arguments of the protocol matting that this one does not take, nor --refine and
--shard."""


def add_fill_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the protocol inpainting."""
    group = parser.add_argument_group("with --protocol inpainting")
    group.add_argument(
        "--fill",
        action="append",
        default=[],
        metavar="NAME",
        help=f"{PATCHES} (this program's fill), {TELEA} (OpenCV's), an inpainting "
        "network, such as lama, or its ONNX file; may be repeated (default: "
        f"{PATCHES}, if there are no predictions)",
    )
    group.add_argument(
        "--clip",
        type=Path,
        metavar="FILE.onnx",
        help="CLIP's image encoder, for the CLIP distance between object and fill; "
        "without it the report says that it was not measured",
    )


def run_fills(args: argparse.Namespace, out: Path) -> int:
    """Evaluate fills, write and print the report; return the exit code.

    Args:
        args: of ``zim-studio evaluate``.
        out: folder of the results.

    Raises:
        ZimError: the data set, a network or the folder cannot be used.
        argparse.ArgumentError: an argument belongs to the other protocol.
    """
    given = [f"--{name.replace('_', '-')}" for name in UNKNOWN if getattr(args, name)]
    if args.refine != "none":
        given.append("--refine")
    if args.shard != Shard():
        given.append("--shard")
    if given:
        raise argparse.ArgumentError(
            None, f"--protocol inpainting does not take {', '.join(given)}"
        )
    cases = list_cases(args.root)
    if 0 < args.limit < len(cases):
        picks = np.linspace(0, len(cases) - 1, args.limit).round().astype(int)
        cases = tuple(cases[i] for i in picks)
    predictions = [PredictionFolder.parse(text) for text in args.predictions]
    fills = args.fill or ([] if predictions else [PATCHES])
    fills = list(dict.fromkeys(fills))
    check_fill_target(out)
    total = len(cases) * (len(fills) + len(predictions))
    keep = out / "filled" if args.save_predictions else None
    rows: list[FillRow] = []
    with progress_bar("hole", total=total) as bar:
        for row in evaluate_fills(cases, fills, predictions, clip=args.clip, keep=keep):
            rows.append(row)
            if row.error:
                print_notes((f"{row.case}, {row.system}: {row.error}",))
            advance_to(bar, len(rows), total, row.case)
    untrue = sum(case.truth is None for case in cases)
    notes = [] if args.clip is not None else [NO_CLIP]
    if untrue:
        notes.append(f"{untrue} of {len(cases)} holes have no truth to compare with.")
    report = FillReport(args.root.resolve().name, tuple(rows), tuple(notes))
    written = write_fill_report(report, out)
    print(report.to_json() if args.json else report.to_markdown())
    print(", ".join(map(str, written)), file=sys.stderr)
    return 1 if report.failed else 0
