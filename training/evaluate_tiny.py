"""Measure a model on the development pictures beside simple methods.

``python -m training.evaluate_tiny --data DIR [--model NAME|FILE]`` prints one table:
how well a box and simulated clicks find labelled objects (mean IoU), and how close a
box comes to real mattes (SAD / 1000, MSE x 1000), in the same run for the model, for
GrabCut from the same box and for the box itself.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from tqdm import tqdm

from training.prompt_sampling import bounding_box
from zim_model import cues
from zim_model.arrays import BoolArray, ByteArray, FloatArray
from zim_model.engine import Engine
from zim_model.errors import ZimError
from zim_model.evaluation import next_click
from zim_model.metrics import iou, mse, sad
from zim_model.prompts import Box, Point, PromptSet
from zim_model.request import ALPHA_MAX, Request

CLICKS = (1, 3)
GRABCUT_ITERATIONS = 5
GRABCUT_SIDE = 512
"""GrabCut takes seconds on larger pictures and finds the same."""


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """An object to find: a picture, alpha (H, W) in [0, 1], and where that is known."""

    name: str
    image: ByteArray
    alpha: FloatArray
    known: BoolArray


def labelled_cases(root: Path) -> Iterator[Case]:
    """The regions of ``targets.json``, in files below the folder above ``root``."""
    targets = json.loads((root / "targets.json").read_text("utf-8"))
    for row in targets:
        with Image.open(root.parent / row["labels"]) as picture:
            labels = np.asarray(picture)
        yield Case(
            f"{row['image']}:{row['region']}",
            _pixels(root.parent / row["image"], "RGB"),
            (labels == row["region"]).astype(np.float32),
            labels > 0,
        )


def matte_cases(root: Path) -> Iterator[Case]:
    """The pictures of ``matte/`` with their alphas."""
    for path in sorted((root / "matte").glob("*.alpha.png")):
        alpha = np.asarray(_pixels(path, "L") / 255, np.float32)
        image = path.with_name(path.name.replace(".alpha.png", ".jpg"))
        yield Case(image.name, _pixels(image, "RGB"), alpha, np.ones(alpha.shape, bool))


def _pixels(path: Path, mode: str) -> ByteArray:
    with Image.open(path) as picture:
        return np.asarray(picture.convert(mode), np.uint8)


Method = Callable[[Case, PromptSet], FloatArray]


def box_filled(case: Case, prompts: PromptSet) -> FloatArray:
    """Alpha 1 in the box."""
    out = np.zeros(case.alpha.shape, np.float32)
    if prompts.box is not None:
        box = prompts.box
        out[int(box.y0) : int(box.y1), int(box.x0) : int(box.x1)] = 1
    return out


def grabcut(case: Case, prompts: PromptSet) -> FloatArray:
    """OpenCV's GrabCut from the box, on at most GRABCUT_SIDE pixels."""
    filled = box_filled(case, prompts)
    height, width = filled.shape
    scale = min(1.0, GRABCUT_SIDE / max(height, width))
    size = (round(width * scale), round(height * scale))
    inside = cv2.resize(filled, size, interpolation=cv2.INTER_NEAREST) > 0
    if (~inside).sum() < 10:
        return filled
    mask = np.where(inside, cv2.GC_PR_FGD, cv2.GC_BGD).astype(np.uint8)
    small = cv2.resize(case.image, size, interpolation=cv2.INTER_AREA)
    found = cues.grabcut(np.asarray(small, np.uint8), mask, GRABCUT_ITERATIONS)
    return np.asarray(cv2.resize(found.astype(np.float32), (width, height)), np.float32)


def zim(model: str) -> Method:
    """A model through the engine, as the application runs it."""
    engine = Engine()

    def solve(case: Case, prompts: PromptSet) -> FloatArray:
        matte = engine.solve(Request(case.image, case.name, prompts, model))
        return np.asarray(matte.alpha / ALPHA_MAX, np.float32)

    return solve


def click_ious(case: Case, method: Method, clicks: int) -> list[float]:
    """IoU after 1, 2, ... simulated clicks."""
    target = case.alpha > 0.5
    predicted = np.zeros(target.shape, bool)
    clicked = np.zeros(target.shape, bool)
    points: tuple[Point, ...] = ()
    values = []
    for _ in range(clicks):
        point = next_click(predicted, target, case.known, clicked)
        clicked[int(point.y), int(point.x)] = True
        points = (*points, point)
        predicted = method(case, PromptSet(points)) > 0.5
        values.append(iou(predicted, target, case.known))
    return values


def box_of(case: Case) -> Box:
    """The tight box of a case's object."""
    return bounding_box(case.alpha > 0.1)


def evaluate(
    root: Path, model: str, limit: int, *, baselines: bool = True
) -> dict[str, dict[str, float]]:
    """Means of every measure, by method; about ``limit`` labelled cases (0: all)."""
    methods: dict[str, Method] = {model: zim(model)}
    if baselines:
        methods |= {"GrabCut": grabcut, "box filled": box_filled}
    sums: dict[str, dict[str, list[float]]] = {name: {} for name in methods}

    def add(name: str, measure: str, value: float) -> None:
        sums[name].setdefault(measure, []).append(value)

    labelled = list(labelled_cases(root))
    step = max(1, len(labelled) // limit) if limit else 1
    for case in tqdm(labelled[::step], desc="labels", leave=False):
        prompts = PromptSet((), box_of(case))
        for name, method in methods.items():
            found = method(case, prompts) > 0.5
            add(name, "box IoU", iou(found, case.alpha > 0.5, case.known))
        values = click_ious(case, methods[model], max(CLICKS))
        for count in CLICKS:
            add(model, f"{count}-click IoU", values[count - 1])
    for case in tqdm(list(matte_cases(root)), desc="mattes", leave=False):
        prompts = PromptSet((), box_of(case))
        for name, method in methods.items():
            alpha = method(case, prompts)
            add(name, "box SAD", sad(alpha, case.alpha))
            add(name, "box MSE", mse(alpha, case.alpha))
    return {
        name: {measure: float(np.mean(values)) for measure, values in row.items()}
        for name, row in sums.items()
    }


def table(results: dict[str, dict[str, float]]) -> str:
    """The results as a Markdown table."""
    measures = list(next(iter(results.values())))
    lines = [
        "| method | " + " | ".join(measures) + " |",
        "|---|" + "---|" * len(measures),
    ]
    for name, row in results.items():
        cells = [f"{row[m]:.3f}" if m in row else "" for m in measures]
        lines.append(f"| {Path(name).stem} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.evaluate_tiny")
    parser.add_argument("--data", type=Path, required=True, help="development folder")
    parser.add_argument("--model", default="zim-tiny", help="name or weight file")
    parser.add_argument("--limit", type=int, default=0, help="labelled cases to take")
    parser.add_argument("--alone", action="store_true", help="leave out the others")
    given = parser.parse_args(argv)
    try:
        results = evaluate(
            given.data, given.model, given.limit, baselines=not given.alone
        )
        print(table(results))
    except (OSError, ZimError) as error:
        print(f"evaluate_tiny: error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
