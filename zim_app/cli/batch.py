"""``zim-studio batch``: process a folder of images.

Imports neither Qt nor torch.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, get_args

from zim_app.cli import arguments
from zim_app.cli.export_arguments import (
    NO_CANVAS,
    add_canvas_arguments,
    add_preset_argument,
    given,
    preset_options,
    with_canvas,
)
from zim_app.cli.models import add_device_arguments, make_engine, print_notes
from zim_app.cli.progress import advance_to, print_line, progress_bar
from zim_app.core import isolation
from zim_app.core.batch.jobs import scan_folder
from zim_app.core.batch.journal import BatchRow
from zim_app.core.batch.plan import BatchPlan
from zim_app.core.batch.prompt_sources import PromptPolicy
from zim_app.core.batch.prompt_table import RelativeBox, read_table
from zim_app.core.batch.reports import count_states, merge_folders, write_reports
from zim_app.core.batch.resume import dry_run
from zim_app.core.batch.runner import WORKERS, Event, JobFinished
from zim_app.core.batch.runner import run as run_plan
from zim_app.core.batch.watching import FolderChanges, watch
from zim_app.core.export_options import (
    BATCH_EXPORT,
    Depth,
    ExportKind,
    ExportOptions,
    Scope,
)
from zim_app.core.formats import FORMATS
from zim_model.errors import ZimError
from zim_model.runtime.devices import DeviceChoice
from zim_model.runtime.jobs import RunControl, Shard
from zim_model.weights.catalogue import DEFAULT_MODEL

if TYPE_CHECKING:
    from tqdm import tqdm

    from zim_model.inference.engine import Engine

INTERRUPTED = 130


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``zim-studio batch``."""
    parser.add_argument(
        "folder", type=Path, nargs="?", metavar="FOLDER", help="photos to read"
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="OUT",
        help="folder for results, batch-report.csv and batch-sheet.jpg; made if it "
        "does not exist; with an existing OUT the batch is resumed",
    )
    parser.add_argument(
        "-r",
        "--recursive",
        action="store_true",
        help="include subfolders of FOLDER; OUT gets the same tree",
    )
    _configure_prompts(parser)
    _configure_export(parser)
    _configure_running(parser)


def _configure_prompts(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "prompts; the first source that has any for a photo is used"
    )
    group.add_argument(
        "--no-recipes",
        action="store_true",
        help="ignore prompts of the studio's sessions and of projects (.zimproj) in "
        "the photo's folder",
    )
    group.add_argument(
        "--prompts",
        type=Path,
        metavar="FILE",
        help="CSV with the columns image, object, x, y, label, left, top, right, "
        "bottom, units; or JSON: [{image, objects: [{name, points, box, recipe}]}]",
    )
    group.add_argument(
        "--box",
        type=_relative_box,
        metavar="X0,Y0,X1,Y1",
        help="one box for all photos, in fractions of width and height, such as "
        "0.1,0.1,0.9,0.9",
    )
    arguments.add_colour_key_argument(group)
    group.add_argument(
        "--auto", action="store_true", help="the same as --subject without a NETWORK"
    )
    arguments.add_subject_argument(group)
    group.add_argument(
        "--model",
        metavar="NAME",
        help=f"for prompts that name none (default: {DEFAULT_MODEL})",
    )


def _configure_export(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("results")
    add_preset_argument(group)
    group.add_argument("--what", choices=get_args(ExportKind))
    group.add_argument("--format", choices=[entry.id for entry in FORMATS])
    group.add_argument("--depth", choices=get_args(Depth))
    group.add_argument("--quality", type=int, help="of JPEG, 1 to 100")
    group.add_argument(
        "--background",
        type=_background,
        metavar="COLOUR",
        help="of composites: R,G,B, #RRGGBB, or a photo (default: white)",
    )
    group.add_argument(
        "--trim", action=argparse.BooleanOptionalAction, help="crop to the objects"
    )
    group.add_argument(
        "--trim-alpha",
        type=int,
        metavar="N",
        help="opacity, of 255, up to which a pixel is not seen and does not count in"
        f" trimming (default: {BATCH_EXPORT.trim_alpha})",
    )
    add_canvas_arguments(group)
    size = group.add_mutually_exclusive_group()
    size.add_argument("--scale", type=float, metavar="FACTOR")
    size.add_argument("--longest-side", type=int, metavar="PIXELS")
    group.add_argument(
        "--decontaminate",
        type=float,
        metavar="AMOUNT",
        help="0 to 1: remove the old background's colour from soft edges (default: "
        "that of the recipe)",
    )
    group.add_argument(
        "--objects",
        choices=get_args(Scope),
        help="all visible ones together (default), each in a file, or the active one",
    )
    group.add_argument(
        "--original",
        action=argparse.BooleanOptionalAction,
        help="add it as a hidden layer (psd, ora)",
    )
    arguments.add_clean_edge_argument(group, "on; saved recipes keep their own")
    arguments.add_hidden_pixels_argument(group, default=None)
    group.add_argument(
        "--name",
        metavar="TEMPLATE",
        help="of the files, with {name}, and {object} {what} {n} {width} {height} "
        f"{{date}} if wanted (default: {BATCH_EXPORT.template})",
    )
    group.add_argument(
        "--replace",
        action="store_true",
        help="overwrite files that are not of this batch; else they are kept, and the "
        "new file gets a number",
    )


def _configure_running(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("running")
    add_device_arguments(parser)
    group.add_argument(
        "--jobs",
        type=int,
        default=WORKERS,
        metavar="N",
        help="threads that read photos, and as many that write, while the model runs; "
        "0 for none (default: %(default)s)",
    )
    group.add_argument(
        "--watch",
        action="store_true",
        help="then wait for new photos in FOLDER, until Ctrl-C",
    )
    group.add_argument(
        "--dry-run", action="store_true", help="only list what would be written"
    )
    arguments.add_sharing_arguments(group)
    group.add_argument(
        "--merge",
        type=Path,
        nargs="+",
        metavar="DIR",
        help="only join the reports of these output folders, into OUT or the first one",
    )
    group.add_argument(
        "--json", action="store_true", help="print a line of JSON for each photo"
    )


def _relative_box(text: str) -> RelativeBox:
    try:
        return RelativeBox(*arguments.numbers(text, (4,), "X0,Y0,X1,Y1"))
    except ZimError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _background(text: str) -> Any:
    try:
        return arguments.colour(text)
    except argparse.ArgumentTypeError:
        if Path(text).is_file():
            return Path(text)
        raise


# -- Running ---------------------------------------------------------------------------


def run(args: argparse.Namespace) -> int:
    """Run the subcommand; return the exit code.

    Raises:
        ZimError: the batch cannot run; errors of single photos are in the report.
        ArgumentError: the arguments contradict each other.
    """
    if args.merge:
        return _merge(args)
    if args.folder is None or args.output is None:
        raise argparse.ArgumentError(None, "give a FOLDER and -o OUT")
    if args.jobs < 0:
        raise argparse.ArgumentError(None, "--jobs is a number of threads, 0 or more")
    if args.cluster and args.shard != Shard():
        raise argparse.ArgumentError(
            None, "a cluster does all parts: leave out --shard"
        )
    if args.watch and (args.cluster or args.dry_run):
        raise argparse.ArgumentError(
            None, "--watch runs here: leave out --cluster and --dry-run"
        )
    plan = _plan(args).validate()
    if args.dry_run:
        return _dry_run(plan, args)
    isolation.isolate()  # one broken photo does not end the others
    return _run_on_cluster(plan, args) if args.cluster else _run_here(plan, args)


def _plan(args: argparse.Namespace) -> BatchPlan:
    scan = scan_folder(
        args.folder, args.output, recursive=args.recursive, may_be_empty=args.watch
    )
    policy = PromptPolicy(
        not args.no_recipes,
        read_table(args.prompts) if args.prompts else None,
        args.box,
        args.auto or args.subject is not None,
        args.model or DEFAULT_MODEL,
        args.subject or "",
        tuple(args.colour_key),
        args.clean_edge is not False,
    )
    return BatchPlan(
        scan.jobs,
        args.output,
        policy,
        _export_options(args),
        args.replace,
        args.shard,
        scan.obstacles,
    )


def _export_options(args: argparse.Namespace) -> ExportOptions:
    """The options of the preset, or the default ones, with the arguments given."""
    options = preset_options(args, BATCH_EXPORT)
    framing = given(args, trim="trim", scale="scale", longest_side="longest_side")
    if framing:
        if args.canvas not in (None, NO_CANVAS):
            name = next(iter(framing)).replace("_", "-")
            raise argparse.ArgumentError(None, f"--{name} has no effect on a --canvas")
        options = replace(options, canvas=None)
    if "scale" in framing:
        framing["longest_side"] = None
    elif "longest_side" in framing:
        framing["scale"] = 1.0
    fields = ("what", "format", "depth", "quality", "trim_alpha", "decontaminate")
    names = {field: field for field in (*fields, "original", "hidden_pixels")}
    changes = given(args, **names, scope="objects", template="name")
    if isinstance(args.background, Path):
        changes["background_image"] = args.background
    elif args.background is not None:
        changes |= {"background": args.background, "background_image": None}
    return with_canvas(replace(options, **framing, **changes), args)


def _dry_run(plan: BatchPlan, args: argparse.Namespace) -> int:
    failed = 0
    for entry in dry_run(plan):
        failed += entry.state == "failed"
        if args.json:
            line = {
                "picture": entry.image,
                "state": entry.state,
                "prompts": entry.prompts,
                "outputs": entry.outputs,
                "message": entry.message,
                "hint": entry.hint,
            }
            print(json.dumps(line))
        elif entry.outputs:
            source = entry.prompts or entry.message
            print(f"{entry.image} -> {', '.join(entry.outputs)} ({source})")
        else:
            print(f"{entry.image}: {entry.state}: {entry.message} {entry.hint}")
    return 1 if failed else 0


def _run_here(plan: BatchPlan, args: argparse.Namespace) -> int:
    engine = make_engine(args)
    if args.device is not None:
        from zim_model.runtime.devices import resolve_device

        resolve_device(args.device)
    if args.model is not None:
        engine.backend(args.model)  # a wrong name fails once, not for every image
    control = RunControl()
    started = time.perf_counter()
    rows: dict[str, BatchRow] = {}
    with (
        _interruptible(control),
        progress_bar("photo", total=len(plan.own_jobs)) as bar,
        closing(_events(plan, engine, control, args)) as events,
    ):
        printer = _RowPrinter(bar, as_json=args.json)
        for event in events:
            if isinstance(event, JobFinished):
                rows[event.row.image] = event.row
                printer.show_event(event)
    files = write_reports(plan, rows.values())
    seconds = time.perf_counter() - started
    interrupted = control.cancelled() and not args.watch
    return _summarise(
        args, list(rows.values()), files, seconds, interrupted=interrupted
    )


def _events(
    plan: BatchPlan, engine: Engine, control: RunControl, args: argparse.Namespace
) -> Generator[Event, None, None]:
    """The events of the batch, and of the photos that arrive later, if wanted."""
    if not args.watch:
        yield from run_plan(plan, engine, workers=args.jobs, control=control)
        return
    with closing(FolderChanges(args.folder, recursive=args.recursive)) as changes:
        print_line(f"zim-studio: watching {args.folder} until Ctrl-C")
        yield from watch(
            lambda: _plan(args).validate(),
            *(engine, changes, control),
            notify=lambda text: print_line(f"zim-studio: {' '.join(text.split())}"),
            workers=args.jobs,
        )


def _run_on_cluster(plan: BatchPlan, args: argparse.Namespace) -> int:
    from zim_app.core.batch.cluster import run_on_cluster

    choice = DeviceChoice(args.device, args.precision)
    started = time.perf_counter()
    rows: list[BatchRow] = []
    with progress_bar("photo", total=len(plan.jobs)) as bar:
        printer = _RowPrinter(bar, as_json=args.json)
        for row in run_on_cluster(plan, args.cluster, choice, workers=args.jobs):
            rows.append(row)
            total = max(len(rows), len(plan.jobs))
            printer.show_event(JobFinished(row, len(rows), total, None))
    files = write_reports(plan, rows)
    return _summarise(args, rows, files, time.perf_counter() - started)


def _summarise(
    args: argparse.Namespace,
    rows: list[BatchRow],
    files: list[Path],
    seconds: float,
    *,
    interrupted: bool = False,
) -> int:
    number = count_states(rows)
    if args.json:
        line = {**number, "seconds": round(seconds, 2), "interrupted": interrupted}
        print(json.dumps(line | {"reports": [str(file) for file in files]}))
    else:
        words = ("{done} made", "{kept} made before", "{skipped} skipped")
        text = ", ".join((*words, "{failed} failed")).format(**number)
        made = number["done"]
        rate = f" in {seconds:.1f} s" if seconds else ""
        per_photo = f", {seconds / made:.2f} s per photo" if made and seconds else ""
        see = f"; see {files[0]}" if files else ""
        print(f"{text}{rate}{per_photo}{see}")
    if interrupted:
        print("zim-studio: interrupted; run it again to resume.", file=sys.stderr)
        return INTERRUPTED
    return 1 if number["failed"] else 0


def _merge(args: argparse.Namespace) -> int:
    if args.folder is not None:
        args.merge.insert(0, args.folder)
    rows, files = merge_folders(args.merge, args.output or args.merge[0])
    return _summarise(args, rows, files, 0.0)


@contextmanager
def _interruptible(control: RunControl) -> Iterator[None]:
    """Make Ctrl+C cancel the batch, which ends it cleanly; a second one interrupts."""

    def end(number: int, frame: FrameType | None) -> None:
        if control.cancelled():
            raise KeyboardInterrupt
        control.cancel()
        print("\nzim-studio: finishing what is being written...", file=sys.stderr)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    old = {
        number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)


class _RowPrinter:
    """Prints rows as JSON, or their files where no bar is shown, and what failed."""

    def __init__(self, bar: tqdm[Any], *, as_json: bool) -> None:
        self._bar, self._json = bar, as_json
        self._printed_notes: set[str] = set()

    def show_event(self, event: JobFinished) -> None:
        row = event.row
        if self._json:
            print_line(json.dumps(row.to_json()), sys.stdout)
        elif self._bar.disable and row.state == "done":
            print_line(f"{row.image} -> {', '.join(row.outputs)}", sys.stdout)
        if row.state in ("failed", "skipped"):
            text = f"{row.image}: {row.state}: {row.message} {row.hint}"
            print_line(f"zim-studio: {' '.join(text.split())}")
        print_notes(tuple(x for x in row.notes if x not in self._printed_notes))
        self._printed_notes.update(row.notes)
        advance_to(self._bar, event.done, event.total)
