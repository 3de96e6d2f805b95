"""Segment an object in all views of a scene: ``python -m training.sa3d SCENE``.

From posed photos in the layout of LLFF and prompts in one view to masks in all views.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import torch

from training.arguments import INTERRUPTED, number_between
from training.sa3d import report
from training.sa3d.field_files import load_field, save_field
from training.sa3d.fitting import FitConfig, check_fit, fit_field, view_psnr
from training.sa3d.frame import fit_frame
from training.sa3d.mask_grid import MaskGrid
from training.sa3d.nvos import read_task
from training.sa3d.pose_check import check_poses
from training.sa3d.scene import POSES_FILE, PosedImage, read_scene
from training.sa3d.segmentation import SegmentationConfig, Solver, final_mask, segment
from zim_model.arrays import BoolArray
from zim_model.errors import PromptError, ZimError
from zim_model.inference.engine import Engine
from zim_model.prompts import Box, Point, PromptSet
from zim_model.runtime.atomic_files import explained_write
from zim_model.runtime.devices import resolve_device
from zim_model.weights.catalogue import locate

FIELD_FILE = "field.safetensors"
SHOW_EVERY = 50
MIN_RESOLUTION = 4
"""Of a grid that is fitted."""


def main(
    argv: Sequence[str] | None = None, make_solver: Callable[[], Solver] = Engine
) -> int:
    """Run the command line and return the exit code.

    Args:
        argv: arguments, None for those of the process.
        make_solver: predicts the masks of views.
    """
    arguments = _parser().parse_args(argv)
    try:
        _run(arguments, make_solver)
    except ZimError as error:
        print(f"sa3d: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("sa3d: interrupted", file=sys.stderr)
        return INTERRUPTED
    return 0


def _run(arguments: argparse.Namespace, make_solver: Callable[[], Solver]) -> None:
    out: Path = arguments.out
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ZimError(f"{out} exists.", "Choose a new or an empty folder for --out.")
    views = read_scene(arguments.scene, arguments.longest)
    first, prompts, truth = _prompts_and_truth(arguments, views)
    prompts.validate(*views[first].full_size)
    poses = str(arguments.scene / POSES_FILE)
    if not arguments.trust_poses:
        check_poses(views, poses)
    locate(arguments.model)  # before minutes are spent
    # An Apple GPU is taken only where it is named: none was ever tried.
    best = "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(resolve_device(arguments.device or best))
    started = time.monotonic()
    frame = fit_frame([view.camera for view in views])
    fit = FitConfig(
        arguments.resolution, arguments.steps, arguments.batch, seed=arguments.seed
    )
    if arguments.field:
        field = load_field(arguments.field, frame).to(device)
    else:
        field = fit_field(views, frame, fit, device, _show)
    psnrs = [view_psnr(field, frame, view) for view in views]
    check_fit(views, psnrs, poses)
    with explained_write(out):
        out.mkdir(parents=True, exist_ok=True)
        if not arguments.field:
            save_field(out / FIELD_FILE, field, frame)
    fitted = time.monotonic()
    config = SegmentationConfig(
        arguments.model,
        arguments.points,
        not arguments.no_box,
        arguments.min_iou,
        arguments.negative,
    )
    grid = MaskGrid(field, frame, config.negative)
    prompts = _scaled(prompts, views[first].scale)
    steps = {}
    for step in segment(views, first, prompts, grid, make_solver(), config):
        steps[step.name] = step
    masks = {view.name: final_mask(grid, view) for view in views}
    results = [
        report.measure(steps[v.name], psnr, masks[v.name], truth.get(v.name))
        for v, psnr in zip(views, psnrs, strict=True)
    ]
    ended = time.monotonic()
    settings = {
        "scene": str(arguments.scene),
        "view": views[first].name,
        "fit": asdict(fit) if not arguments.field else str(arguments.field),
        "segmentation": asdict(config),
        "seconds": {"fit": fitted - started, "segment": ended - fitted},
    }
    with explained_write(out):
        report.write_masks(out, masks)
        report.write_overview(out, views, masks)
        report.write_report(out, results, settings)
    print(report.format_table(results))
    print(
        f"{out}: masks of {len(views)} views;"
        f" field {fitted - started:.0f} s, masks {ended - fitted:.0f} s"
    )


def _prompts_and_truth(
    arguments: argparse.Namespace, views: Sequence[PosedImage]
) -> tuple[int, PromptSet, dict[str, BoolArray]]:
    """The first view, its prompts in pixels of its file, and known masks by view."""
    names = [view.name for view in views]
    by_name = dict(zip(names, views, strict=True))
    if arguments.nvos:
        if not arguments.task or arguments.prompt:
            raise PromptError("--nvos needs --task and brings its own prompts.")
        task = read_task(arguments.nvos, arguments.task, views)
        truth = {task.target: report.read_mask(task.truth, by_name[task.target])}
        return names.index(task.view), task.prompts, truth
    if not arguments.prompt:
        raise PromptError("There is no prompt.", "Give --prompt, or --nvos and --task.")
    view = arguments.view or names[0]
    if view not in by_name:
        raise ZimError(
            f"{arguments.scene} has no photo {view}.",
            f"Give the name of one, such as {names[0]}.",
        )
    truth = report.read_truth(arguments.truth, views) if arguments.truth else {}
    return names.index(view), _read_prompts(arguments.prompt), truth


def _read_prompts(texts: Sequence[str]) -> PromptSet:
    """Prompts of ``X,Y``, ``X,Y,LABEL`` and ``X0,Y0,X1,Y1``."""
    points: list[Point] = []
    box = None
    for text in texts:
        try:
            numbers = [float(part) for part in text.split(",")]
        except ValueError:
            numbers = []
        if len(numbers) == 4 and box is None:
            box = Box.from_corners(*numbers)
        elif len(numbers) == 2 or (len(numbers) == 3 and numbers[2] in (0, 1)):
            points.append(Point(numbers[0], numbers[1], numbers[2:] != [0.0]))
        else:
            raise PromptError(
                f"{text} is no prompt.",
                "Give X,Y for a point, X,Y,0 for one on the background, or once"
                " X0,Y0,X1,Y1 for a box, in pixels.",
            )
    return PromptSet(tuple(points), box)


def _scaled(prompts: PromptSet, scale: float) -> PromptSet:
    """The prompts in pixels of a view that is so much smaller than its file."""
    points = tuple(replace(p, x=p.x * scale, y=p.y * scale) for p in prompts.points)
    box = prompts.box
    if box is not None:
        box = Box(*(edge * scale for edge in (box.x0, box.y0, box.x1, box.y1)))
    return PromptSet(points, box)


def _show(step: int, steps: int, psnr: float) -> None:
    if step % SHOW_EVERY == 0 or step == steps:
        print(f"step {step} of {steps}: {psnr:.1f} dB", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.sa3d")
    parser.add_argument(
        "scene", type=Path, help="folder with images/ and poses_bounds.npy, as LLFF's"
    )
    parser.add_argument(
        "-o", "--out", type=Path, required=True, help="a new or an empty folder"
    )
    parser.add_argument(
        "--prompt",
        action="append",
        metavar="NUMBERS",
        help="X,Y of a point, X,Y,0 of one on the background, or X0,Y0,X1,Y1 of a box,"
        " in pixels; may be repeated",
    )
    parser.add_argument("--view", help="photo that the prompts are for (the first)")
    parser.add_argument(
        "--truth", type=Path, help="folder of masks named as the photos"
    )
    parser.add_argument("--nvos", type=Path, help="folder of NVOS's labels")
    parser.add_argument("--task", help="object of NVOS, such as horns_center")
    parser.add_argument(
        "--trust-poses",
        action="store_true",
        help="go on where photos and poses seem not to fit",
    )
    _add_fit_arguments(parser)
    _add_segmentation_arguments(parser)
    return parser


def _add_fit_arguments(parser: argparse.ArgumentParser) -> None:
    fit = FitConfig()
    parser.add_argument(
        "--longest",
        type=number_between(0),
        default=504,
        help="pixels of a photo's longer side (504)",
    )
    parser.add_argument(
        "--resolution",
        type=number_between(MIN_RESOLUTION),
        default=fit.resolution,
        help=f"corners of the grid along each side ({fit.resolution})",
    )
    parser.add_argument(
        "--steps",
        type=number_between(1),
        default=fit.steps,
        help=f"of the field ({fit.steps})",
    )
    parser.add_argument(
        "--batch",
        type=number_between(1),
        default=fit.batch,
        help=f"rays of a step ({fit.batch})",
    )
    parser.add_argument(
        "--seed", type=number_between(0), default=0, help="of the field (0)"
    )
    parser.add_argument(
        "--field", type=Path, help=f"{FIELD_FILE} of an earlier run, not to fit again"
    )
    parser.add_argument("--device", help="of the field, such as cuda or cpu")


def _add_segmentation_arguments(parser: argparse.ArgumentParser) -> None:
    masks = SegmentationConfig()
    parser.add_argument("--model", default=masks.model, help=f"({masks.model})")
    parser.add_argument(
        "--points",
        type=number_between(1),
        default=masks.points,
        help=f"most self-prompted points of a view ({masks.points})",
    )
    parser.add_argument(
        "--no-box", action="store_true", help="self-prompt with points alone, as SA3D"
    )
    parser.add_argument(
        "--min-iou",
        type=number_between(0, 1, float),
        default=masks.min_iou,
        help="of rendered and predicted mask, below which a view is rejected"
        f" ({masks.min_iou})",
    )
    parser.add_argument(
        "--negative",
        type=number_between(0, kind=float),
        default=masks.negative,
        help=f"weight of the rays outside a mask ({masks.negative:g})",
    )


if __name__ == "__main__":
    raise SystemExit(main())
