"""Measure label converters on the development pictures beside simpler methods.

``python -m training.evaluate_converter --data DIR [--model NAME|FILE]...`` prints two
tables of one run: how close mattes come to the true ones from coarse labels of several
kinds, and how little labels change that are to stay as they are.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from training.baselines import solved_in_band
from training.cases import Case, labelled_cases, matte_cases
from training.conversion import degradations
from training.conversion.pairs import COARSE
from training.evaluate_tiny import HALVES, in_half, one_thread
from zim_model.arrays import BoolArray, ByteArray, FloatArray
from zim_model.conversion.converter import Converter
from zim_model.conversion.cues import guided
from zim_model.errors import ZimError
from zim_model.matting.metrics import grad, mae, sad
from zim_model.request import ALPHA_MAX
from zim_model.runtime.cluster import run_all

AMOUNT = 0.008
"""Radius of the degradations, of the picture's shorter side: 5 pixels of 640."""
GUIDED_RADIUS = 8
BAND = 1.5
"""Half the width of closed-form matting's band, in radii of the degradations."""
METRICS = {"MAE": mae, "SAD": sad, "Grad": grad}
Method = Callable[[ByteArray, BoolArray], FloatArray]
Row = dict[str, float]

KINDS: dict[str, Callable[[FloatArray, float], BoolArray]] = {
    "threshold": lambda alpha, _r: alpha > 0.5,
    "down-scaled": lambda alpha, r: degradations.downscaled(alpha > 0.5, 1.4 * r),
    "blurred": lambda alpha, r: degradations.blurred(alpha > 0.5, r),
    "dilated": lambda alpha, r: degradations.dilated(alpha > 0.5, round(r)),
    "eroded": lambda alpha, r: degradations.eroded(alpha > 0.5, round(r)),
    "eroded, then dilated": lambda alpha, r: degradations.dilated(
        degradations.eroded(alpha > 0.5, round(r)), round(r)
    ),
    "dilated, then eroded": lambda alpha, r: degradations.eroded(
        degradations.dilated(alpha > 0.5, round(r)), round(r)
    ),
    "polygon": lambda alpha, r: degradations.polygon(alpha > 0.5, 0.8 * r),
    "convex hull": lambda alpha, _r: degradations.convex_hull(alpha > 0.5),
}
"""Kinds of coarse labels, made of alpha (H, W) with a radius in pixels."""


def label_itself(image: ByteArray, label: BoolArray) -> FloatArray:
    """The label, 0 or 1; (H, W)."""
    del image
    return label.astype(np.float32)


def guided_filter(image: ByteArray, label: BoolArray) -> FloatArray:
    """The label, made soft by a guided filter; (H, W)."""
    pixels = np.asarray(image / np.float32(255), np.float32)
    return guided(pixels, label.astype(np.float32), GUIDED_RADIUS)


def closed_form(image: ByteArray, label: BoolArray) -> FloatArray:
    """Closed-form matting in a band along the label's edge; (H, W).

    Where there is nothing to solve or the solver gives up it is the label.

    Raises:
        ZimError: pymatting is not installed.
    """
    radius = max(3, round(BAND * AMOUNT * min(label.shape)))
    solved = solved_in_band(image, label, radius)
    return label_itself(image, label) if solved is None else solved


@lru_cache(maxsize=4)
def converter(model: str) -> Method:
    """A converter as the application runs it, loaded once a process."""
    loaded = Converter.load(model)

    def convert(image: ByteArray, label: BoolArray) -> FloatArray:
        return np.asarray(loaded.convert(image, label) / ALPHA_MAX, np.float32)

    return convert


BASELINES: dict[str, Method] = {
    "label": label_itself,
    "guided filter": guided_filter,
    "closed-form": closed_form,
}


def label_of(case: Case, kind: str) -> BoolArray:
    """The coarse label of a matte; a kind that would leave nothing is passed over."""
    label = KINDS[kind](case.alpha, AMOUNT * min(case.alpha.shape))
    return label if label.any() else case.alpha > 0.5


def reduced(case: Case, longest: int) -> Case:
    """The case with a picture of at most so many pixels; 0 leaves it."""
    height, width = case.alpha.shape
    if not longest or max(height, width) <= longest:
        return case
    scale = longest / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    planes = (case.image, case.alpha, case.known.astype(np.float32))
    image, alpha, known = (
        cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in planes
    )
    if set(np.unique(case.alpha)) <= {0, 1}:  # a label stays one
        alpha = (alpha > 0.5).astype(np.float32)
    return Case(
        case.name,
        np.asarray(image, np.uint8),
        np.asarray(alpha, np.float32),
        known > 0.5,
    )


def measured(
    case: Case, kinds: Sequence[str], methods: Sequence[str]
) -> dict[tuple[str, str], Row]:
    """The errors of a case by kind of label and method.

    Args:
        case: a matte, or a label that is to be kept, for which kinds is empty.
        kinds: of KINDS.
        methods: of BASELINES, or converters.
    """
    labels = {kind: label_of(case, kind) for kind in kinds} or {
        "kept": case.alpha > 0.5
    }
    rows = {}
    for kind, label in labels.items():
        for method in methods:
            solve = BASELINES.get(method) or converter(method)
            with one_thread():
                alpha = solve(case.image, label)
            rows[kind, method] = {
                name: metric(alpha, case.alpha) for name, metric in METRICS.items()
            }
    return rows


def evaluate(
    cases: Sequence[Case], kinds: Sequence[str], methods: Sequence[str], jobs: int
) -> dict[tuple[str, str], list[Row]]:
    """The errors of all cases by kind of label and method, in the cases' order.

    Raises:
        ZimError: a model cannot be used.
    """
    tasks = [(case, kinds, methods) for case in cases]
    rows: dict[int, dict[tuple[str, str], Row]] = {}
    for number, found in tqdm(
        run_all(measured, tasks, workers=jobs), total=len(tasks), leave=False
    ):
        rows[number] = found
    return (
        {key: [rows[number][key] for number in sorted(rows)] for key in rows[0]}
        if rows
        else {}
    )


def table(rows: dict[tuple[str, str], list[Row]]) -> str:
    """Means as Markdown, ``MAE / SAD / Grad`` in each cell, a row a kind of label.

    In brackets, for how many cases a method's MAE is lower than the label's.
    """
    methods = list(dict.fromkeys(method for _, method in rows))
    kinds = list(dict.fromkeys(kind for kind, _ in rows))
    heads = [_short(method) for method in methods]
    lines = ["| label | " + " | ".join(heads) + " |", "|---|" + "---|" * len(heads)]
    total: dict[str, list[Row]] = {}
    for kind in kinds:
        cells = []
        for method in methods:
            found, before = rows[kind, method], rows[kind, methods[0]]
            total.setdefault(method, []).extend(found)
            cells.append(_cell(found, before))
        lines.append(f"| {kind} | " + " | ".join(cells) + " |")
    if len(kinds) > 1:
        cells = [_cell(total[method], total[methods[0]]) for method in methods]
        lines.append("| all | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(rows: list[Row], before: list[Row]) -> str:
    means = [np.mean([row[name] for row in rows]) for name in METRICS]
    better = sum(r["MAE"] < b["MAE"] for r, b in zip(rows, before, strict=True))
    won = f" ({better} of {len(rows)})" if rows is not before else ""
    return " / ".join(f"{mean:.2f}" for mean in means) + won


def _short(name: str) -> str:
    path = Path(name)
    return f"{path.parent.name}/{path.stem}" if path.suffix == ".safetensors" else name


def kept_cases(root: Path, most: int) -> list[Case]:
    """Objects with hard edges, evenly spread over the sources that have such."""
    found = [
        case
        for case in labelled_cases(root)
        if Path(case.name).name.partition("__")[0] in COARSE
    ]
    step = max(1, len(found) // most) if most else 1
    return found[::step]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.evaluate_converter")
    parser.add_argument("--data", type=Path, required=True, help="development folder")
    parser.add_argument(
        "--model", action="append", help="name or weight file; may be repeated"
    )
    parser.add_argument("--kind", action="append", choices=KINDS, help="default: all")
    parser.add_argument(
        "--kept", type=int, default=60, help="labels to be kept; 0: all"
    )
    parser.add_argument("--longest", type=int, default=0, help="reduce pictures to it")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--alone", action="store_true", help="leave closed-form out")
    parser.add_argument("--half", choices=(*HALVES, "all"), default="all")
    given = parser.parse_args(argv)
    methods = [name for name in BASELINES if not given.alone or name != "closed-form"]
    methods += given.model or ["converter-tiny"]
    kinds = given.kind or list(KINDS)
    try:
        mattes = [c for c in matte_cases(given.data) if in_half(c, given.half)]
        kept = [c for c in kept_cases(given.data, given.kept) if in_half(c, given.half)]
        mattes, kept = (
            [reduced(case, given.longest) for case in cases] for cases in (mattes, kept)
        )
        tables = [
            table(evaluate(mattes, kinds, methods, given.jobs)),
            table(evaluate(kept, (), methods, given.jobs)),
        ]
    except (OSError, ZimError) as error:
        print(f"evaluate_converter: error: {error}", file=sys.stderr)
        return 1
    print("MAE / SAD / Grad (cases whose MAE is lower than the label's)\n")
    print("\n\n".join(tables))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
