"""``zim-studio evaluate``: measure models and predictions of others on a data set.

Imports neither Qt nor torch.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from zim_app.cli import arguments
from zim_app.cli.evaluate_fills import add_fill_arguments, run_fills
from zim_app.cli.models import (
    add_device_arguments,
    confirm_licence,
    download_progress,
    make_engine,
    print_notes,
)
from zim_app.cli.progress import advance_to, print_line, progress_bar, start_at
from zim_model.errors import ZimError, msg
from zim_model.evaluation.curves import FORM, read_curves
from zim_model.evaluation.datasets import (
    LAYOUTS,
    Dataset,
    EvaluatedRegion,
    open_dataset,
)
from zim_model.evaluation.events import DegradationEvent, Finished, RowDone, Started
from zim_model.evaluation.journal import find_journals, merge_journals
from zim_model.evaluation.mini_layouts import MINI_LAYOUTS, write_mini_layout
from zim_model.evaluation.mini_slices import write_mini_slices
from zim_model.evaluation.modes import MODES
from zim_model.evaluation.report import Report
from zim_model.evaluation.report_formats import to_json, to_markdown, write_report
from zim_model.evaluation.runner import (
    DEFAULT_PROMPTS,
    EvaluationOptions,
    default_jobs,
    default_upsampling,
    evaluate,
)
from zim_model.evaluation.systems import (
    ModelSystem,
    PredictionFolder,
    PromptKind,
    System,
    parse_hosts,
)
from zim_model.evaluation.tables import report_heading
from zim_model.medical.window import PRESETS, TAILS
from zim_model.recipe import Upsampling
from zim_model.request import never_cancelled
from zim_model.runtime.devices import DeviceChoice
from zim_model.runtime.jobs import Shard
from zim_model.weights.catalogue import DEFAULT_MODEL

if TYPE_CHECKING:
    from collections.abc import Iterable

    from zim_model.evaluation.events import Event

DEFAULT_OUT = "evaluation"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``zim-studio evaluate``."""
    parser.add_argument(
        "root", type=Path, nargs="?", metavar="ROOT", help="folder of the data set"
    )
    parser.add_argument(
        "--layout",
        choices=[layout.name for layout in LAYOUTS],
        help="of ROOT (default: detected)",
    )
    parser.add_argument(
        "--protocol",
        choices=("matting", "inpainting"),
        default="matting",
        help="what is measured: mattes (default), or holes filled, of a folder with "
        "images/, masks/, white in the hole, and truth/ where it is known",
    )
    parser.add_argument(
        "--model",
        action="append",
        default=[],
        metavar="NAME",
        help="a model or weight file; may be repeated (default: zim-tiny, if there are "
        "no predictions)",
    )
    parser.add_argument(
        "--predictions",
        action="append",
        default=[],
        metavar="NAME=DIR",
        help="mattes that another system made, as DIR/PROMPT/CASE.png, "
        "DIR/CASE_PROMPT.png or DIR/CASE.png; may be repeated",
    )
    parser.add_argument(
        "--prompts",
        metavar="KINDS",
        help="any of point, box, clicks:N, mode1 to mode5, with commas (default: "
        "point,box); clicks are placed by the standard simulated user, modes are those "
        "of the protocol for medical images",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FOLDER",
        help=f"of the results (default: {DEFAULT_OUT})",
    )
    add_device_arguments(parser)
    _add_run_arguments(parser)
    add_fill_arguments(parser)
    _add_other_jobs(parser)


def _add_other_jobs(parser: argparse.ArgumentParser) -> None:
    others = parser.add_argument_group("instead of a run")
    others.add_argument(
        "--merge",
        type=Path,
        nargs="+",
        metavar="FOLDER",
        help="join the rows of shards' results into one report in -o FOLDER; with ROOT "
        "before it the report shows images",
    )
    others.add_argument(
        "--make-mini",
        type=Path,
        metavar="FOLDER",
        help="write a small procedural data set",
    )
    others.add_argument(
        "--mini-layout",
        choices=MINI_LAYOUTS,
        default=MINI_LAYOUTS[0],
        help="of --make-mini: that of MicroMat-3K (default), AIM-500, AM-2K, "
        "P3M-500-NP or HQ-SAM's four sets",
    )
    others.add_argument(
        "--make-mini-slices",
        type=Path,
        metavar="FOLDER",
        help="write a small made-up set of 16-bit grey slices with masks",
    )
    others.add_argument(
        "--download",
        type=Path,
        metavar="FOLDER",
        help="fetch MicroMat-3K from its authors' page, once its licence is accepted; "
        "run it again to resume",
    )
    others.add_argument(
        "--yes", action="store_true", help="accept the licence without asking"
    )


def _add_run_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--upsampling",
        type=_upsamplings,
        metavar=f"{{{','.join(get_args(Upsampling))}}}",
        help="of the models' mattes: official (what the code of ZIM and SAM does),"
        " guided, bilinear, native or trimap; several with commas give each model a"
        " line for each (default: official on MicroMat-3K, beside whose published"
        " numbers it stands; else guided)",
    )
    parser.add_argument(
        "--refine",
        default="none",
        metavar="HOSTS",
        help="the models as mask sources of a matting host, which gets a trimap made "
        "of the matte or mask: trimap (closed-form matting and all installed trimap "
        "networks), trimap:closed-form, trimap:NAME, and none, the models alone; "
        "several with commas give each model a line for each (default: none)",
    )
    parser.add_argument(
        "--mirrored",
        action="store_true",
        help="predict for the mirrored images too and take the mean",
    )
    parser.add_argument(
        "--region",
        choices=get_args(EvaluatedRegion),
        help="where (DIM) errors are measured: the image, the unknown region of the "
        "data set's trimaps, or of trimaps made from the ground truth (default: "
        "depends on the data set)",
    )
    parser.add_argument(
        "--window",
        type=arguments.window,
        metavar="LEVEL,WIDTH",
        help="grey values from black to white in images of more than 8 bits, DICOM and "
        f"NIfTI; or one of {', '.join(PRESETS)} (default: the file's own, else "
        f"from the {TAILS[0]:g}th to the {TAILS[1]:g}th percentile)",
    )
    parser.add_argument(
        "--limit",
        type=_count,
        default=0,
        metavar="N",
        help="take N cases, spread evenly",
    )
    arguments.add_sharing_arguments(parser)
    parser.add_argument(
        "--jobs",
        type=_count,
        default=default_jobs(),
        metavar="N",
        help=f"processes that compute metrics (default: {default_jobs()})",
    )
    parser.add_argument(
        "--resume", action="store_true", help="resume a run in the same FOLDER"
    )
    parser.add_argument(
        "--published-curves",
        type=Path,
        metavar="FILE.csv",
        help="draw these errors beside those after each click, marked as published: a "
        f"table with the columns {FORM}",
    )
    parser.add_argument(
        "--save-predictions", action="store_true", help="keep the mattes as PNG files"
    )
    parser.add_argument(
        "--json", action="store_true", help="print the report as JSON, not Markdown"
    )


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a number of cases or processes"
        )
    return int(text)


def _upsamplings(text: str) -> tuple[Upsampling, ...]:
    known: dict[str, Upsampling] = {mode: mode for mode in get_args(Upsampling)}
    modes = [part.strip() for part in text.split(",")]
    for mode in modes:
        if mode not in known:
            choices = ", ".join(known)
            raise argparse.ArgumentTypeError(f"{mode!r} is none of {choices}")
    return tuple(known[mode] for mode in dict.fromkeys(modes))


def run(args: argparse.Namespace) -> int:
    """Run the subcommand; return 0, or 1 if a row could not be measured.

    Raises:
        ZimError: the data set, a model, the predictions or the folder of the results
            cannot be used.
        argparse.ArgumentError: ROOT is missing, or arguments do not fit together.
    """
    if args.make_mini is not None:
        root = write_mini_layout(args.make_mini, args.mini_layout)
        print(f"{root}: a small data set; evaluate it with:")
        print(f"zim-studio evaluate {root}")
        return 0
    if args.make_mini_slices is not None:
        root = write_mini_slices(args.make_mini_slices)
        print(f"{root}: a small made-up set; evaluate it with:")
        print(f"zim-studio evaluate {root} --prompts {','.join(MODES)}")
        return 0
    if args.download is not None:
        return _download(args)
    if args.merge is not None:
        return _merge(args)
    if args.root is None:
        raise argparse.ArgumentError(None, "give ROOT, the folder of a data set")
    out = args.output or Path(DEFAULT_OUT)
    if args.protocol == "inpainting":
        return run_fills(args, out)
    if args.fill or args.clip is not None:
        raise argparse.ArgumentError(
            None, "--fill and --clip need --protocol inpainting"
        )
    if args.published_curves is not None:  # what is wrong is told before a run
        if all(prompt.kind != "clicks" for prompt in _prompts(args.prompts)):
            raise argparse.ArgumentError(
                None, "--published-curves needs clicks:N among --prompts"
            )
        read_curves(args.published_curves)
    dataset = open_dataset(args.root, args.layout)
    options = EvaluationOptions(
        args.upsampling[0]
        if args.upsampling and len(args.upsampling) == 1
        else default_upsampling(dataset, flip_tta=args.mirrored),
        args.region,
        args.limit,
        args.shard,
        args.jobs,
        args.resume,
        predictions=args.save_predictions,
        flip_tta=args.mirrored,
        window=args.window,
    )
    if args.cluster is not None:
        return _output_report(args, _run_on_cluster(args, out, options), out, dataset)
    systems = _systems(args)
    events = evaluate(
        dataset,
        systems,
        out,
        prompts=_prompts(args.prompts),
        options=options,
        engine=make_engine(args) if _includes_models(systems) else None,
    )
    try:
        report = _print_events(events)
    except KeyboardInterrupt:
        print(
            f"Finished rows are kept in {out}: run it again with --resume.",
            file=sys.stderr,
        )
        raise
    if args.shard != Shard():  # reports of shards would overwrite each other
        print(report_heading(report), file=sys.stderr)
        print(f"When all shards are done: zim-studio evaluate --merge {out} -o FOLDER")
        return 0 if report.has_no_failures else 1
    return _output_report(args, report, out, dataset)


def _run_on_cluster(
    args: argparse.Namespace, out: Path, options: EvaluationOptions
) -> Report:
    """Run the evaluation on a cluster."""
    from zim_model.evaluation.distributed import (
        DistributedEvaluation,
        evaluate_on_cluster,
    )

    systems, prompts = tuple(_systems(args)), tuple(_prompts(args.prompts))
    device = DeviceChoice(args.device, args.precision)
    run = DistributedEvaluation(
        args.root, args.layout, systems, out, prompts, options, device
    )
    with progress_bar("part") as bar:
        for outcome in evaluate_on_cluster(args.cluster, run):
            if isinstance(outcome, Report):
                return outcome
            advance_to(bar, *outcome)
    raise ZimError(msg("The evaluation did not finish."))


def _systems(args: argparse.Namespace) -> list[System]:
    names = args.model or ([] if args.predictions else [DEFAULT_MODEL])
    models = [ModelSystem.from_name(name) for name in names]
    several = args.upsampling if args.upsampling and len(args.upsampling) > 1 else ()
    lines: list[System] = []
    for model in models:
        for host in parse_hosts(args.refine) or ("",):
            if host:
                lines.append(model.with_host(host))
            else:
                lines += [model.with_upsampling(mode) for mode in several] or [model]
    return [
        *lines,
        *map(PredictionFolder.parse, args.predictions),
    ]


def _includes_models(systems: Iterable[System]) -> bool:
    return any(isinstance(system, ModelSystem) for system in systems)


def _prompts(text: str | None) -> list[PromptKind]:
    if text is None:
        return list(DEFAULT_PROMPTS)
    return [PromptKind.parse(part) for part in text.split(",") if part.strip()]


def _print_events(events: Iterable[Event]) -> Report:
    """Print progress on the standard error stream until the run is finished."""
    with progress_bar("row") as bar:
        for event in events:
            match event:
                case Started(total, rows):
                    if rows:
                        print_line(f"{len(rows)} of {total} rows are finished.")
                    start_at(bar, len(rows), total)
                case RowDone(row, done, total):
                    if row.error:
                        print_notes((f"{row.case}, {row.prompt}: {row.error}",))
                    advance_to(bar, done, total, row.case)
                case DegradationEvent(text):
                    print_notes((text,))
                case Finished(report):
                    return report
    raise ZimError(msg("The evaluation did not finish."))


def _download(args: argparse.Namespace) -> int:
    from zim_model.evaluation.micromat import TERMS, download_micromat

    print(TERMS, file=sys.stderr)
    confirm_licence(accepted=args.yes)
    with download_progress() as on_progress:
        root = download_micromat(args.download, on_progress, never_cancelled)
    print(f"{root}: MicroMat-3K; evaluate it with: zim-studio evaluate {root}")
    return 0


def _merge(args: argparse.Namespace) -> int:
    if args.output is None:
        raise argparse.ArgumentError(None, "give -o FOLDER for the joint report")
    paths = [path for folder in args.merge for path in find_journals(folder)]
    config, rows = merge_journals(paths)
    expected = config.cases * len(config.systems) * len(config.prompts)
    report = Report.from_rows(config, rows.values(), expected, *args.merge)
    dataset = None if args.root is None else open_dataset(args.root, args.layout)
    return _output_report(args, report, args.output, dataset)


def _output_report(
    args: argparse.Namespace, report: Report, out: Path, dataset: Dataset | None
) -> int:
    """Write and print a report; return the exit code."""
    if args.published_curves is not None:
        report = replace(report, published_curves=read_curves(args.published_curves))
    written = write_report(report, out, dataset)
    print(to_json(report) if args.json else to_markdown(report))
    names = ", ".join(path.name for path in written)
    print(f"{report_heading(report)} {out}: {names}", file=sys.stderr)
    if count := len(report.failed) + len(report.config.problems):
        print(f"zim-studio: error: {count} could not be measured.", file=sys.stderr)
    return 0 if report.has_no_failures else 1
