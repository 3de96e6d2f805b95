"""Measure label converters on the development images, next to baseline methods.

``python -m training.evaluate_converter --data DIR [--model NAME|FILE]...`` prints two
tables: the errors of mattes predicted from several kinds of coarse labels, and the
changes to labels that should be kept as they are.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from training.arguments import number_between
from training.baselines import closed_form_in_band
from training.cases import (
    HALVES,
    DevCase,
    labelled_cases,
    markdown_table,
    matte_cases,
    measure_all,
    method_label,
)
from training.conversion import degradations
from training.conversion.pairs import COARSE_SOURCE_WEIGHTS
from zim_model.arrays import BoolArray, ByteArray, FloatArray, size_within
from zim_model.conversion.converter import Converter
from zim_model.conversion.cues import guided_filter
from zim_model.errors import ZimError
from zim_model.matting.metrics import grad, mae, sad
from zim_model.request import ALPHA_MAX

RADIUS_FRACTION = 0.008
"""Radius of the degradations, as a fraction of the shorter side: 5 pixels of 640."""
GUIDED_RADIUS = 8
BAND_RADII = 1.5
"""Half the width of the band for closed-form matting, in radii of the degradations."""
METRICS = {"MAE": mae, "SAD": sad, "Grad": grad}
Method = Callable[[ByteArray, BoolArray], FloatArray]
MetricRow = dict[str, float]

LABEL_KINDS: dict[str, Callable[[FloatArray, float], BoolArray]] = {
    "threshold": lambda alpha, _r: alpha > 0.5,
    "down-scaled": lambda alpha, r: degradations.downscale(alpha > 0.5, 1.4 * r),
    "blurred": lambda alpha, r: degradations.blur(alpha > 0.5, r),
    "dilated": lambda alpha, r: degradations.dilate(alpha > 0.5, round(r)),
    "eroded": lambda alpha, r: degradations.erode(alpha > 0.5, round(r)),
    "eroded, then dilated": lambda alpha, r: degradations.dilate(
        degradations.erode(alpha > 0.5, round(r)), round(r)
    ),
    "dilated, then eroded": lambda alpha, r: degradations.erode(
        degradations.dilate(alpha > 0.5, round(r)), round(r)
    ),
    "polygon": lambda alpha, r: degradations.to_polygons(alpha > 0.5, 0.8 * r),
    "convex hull": lambda alpha, _r: degradations.convex_hull(alpha > 0.5),
}
"""Kinds of coarse labels: functions of alpha (H, W) and a radius in pixels."""


def label_baseline(image: ByteArray, label: BoolArray) -> FloatArray:
    """Return the label (H, W) as float32, 0 or 1."""
    del image
    return label.astype(np.float32)


def guided_filter_baseline(image: ByteArray, label: BoolArray) -> FloatArray:
    """Smooth the label by a guided filter; (H, W) float32."""
    pixels = np.asarray(image / np.float32(255), np.float32)
    return guided_filter(pixels, label.astype(np.float32), GUIDED_RADIUS)


def closed_form_baseline(image: ByteArray, label: BoolArray) -> FloatArray:
    """Run closed-form matting in a band along the label's edge; (H, W) float32.

    The result is the label if there is nothing to solve or the solver does not
    converge.

    Raises:
        ZimError: pymatting is not installed.
    """
    radius = max(3, round(BAND_RADII * RADIUS_FRACTION * min(label.shape)))
    solved = closed_form_in_band(image, label, radius)
    return label_baseline(image, label) if solved is None else solved


@lru_cache(maxsize=4)
def converter_method(model: str) -> Method:
    """Load a converter as the application does, once per process."""
    loaded = Converter.load(model)

    def convert(image: ByteArray, label: BoolArray) -> FloatArray:
        return np.asarray(loaded.convert(image, label) / ALPHA_MAX, np.float32)

    return convert


BASELINES: dict[str, Method] = {
    "label": label_baseline,
    "guided filter": guided_filter_baseline,
    "closed-form": closed_form_baseline,
}


def coarse_label_of_kind(case: DevCase, kind: str) -> BoolArray:
    """Make the coarse label of a matte; alpha > 1/2 if the degraded one is empty."""
    label = LABEL_KINDS[kind](case.alpha, RADIUS_FRACTION * min(case.alpha.shape))
    return label if label.any() else case.alpha > 0.5


def downscale_case(case: DevCase, longest: int) -> DevCase:
    """Downscale a case to a longest side of ``longest`` pixels; 0 keeps its size."""
    if not longest or max(case.alpha.shape) <= longest:
        return case
    size = size_within(case.alpha.shape, longest)
    planes = (case.image, case.alpha, case.valid.astype(np.float32))
    image, alpha, valid = (
        cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in planes
    )
    if set(np.unique(case.alpha)) <= {0, 1}:  # labels stay binary
        alpha = (alpha > 0.5).astype(np.float32)
    return DevCase(
        case.name,
        np.asarray(image, np.uint8),
        np.asarray(alpha, np.float32),
        valid > 0.5,
    )


def measure_case(
    case: DevCase, kinds: Sequence[str], methods: Sequence[str]
) -> dict[tuple[str, str], MetricRow]:
    """Compute the errors of a case by kind of label and method.

    Args:
        case: a matte, or a label to be kept.
        kinds: keys of LABEL_KINDS; empty for a label to be kept.
        methods: keys of BASELINES, or converters.
    """
    labels = {kind: coarse_label_of_kind(case, kind) for kind in kinds} or {
        "kept": case.alpha > 0.5
    }
    rows = {}
    for kind, label in labels.items():
        for method in methods:
            solve = BASELINES.get(method) or converter_method(method)
            alpha = solve(case.image, label)
            rows[kind, method] = {
                name: metric(alpha, case.alpha) for name, metric in METRICS.items()
            }
    return rows


def evaluate(
    cases: Sequence[DevCase], kinds: Sequence[str], methods: Sequence[str], jobs: int
) -> dict[tuple[str, str], list[MetricRow]]:
    """Compute the errors of all cases by kind of label and method, in order.

    Raises:
        ZimError: a model cannot be used.
    """
    rows = measure_all(measure_case, [(case, kinds, methods) for case in cases], jobs)
    return {key: [row[key] for row in rows] for key in (rows[0] if rows else ())}


def table(rows: dict[tuple[str, str], list[MetricRow]]) -> str:
    """Format the means as Markdown, ``MAE / SAD / Grad``, one row per kind of label.

    In brackets: the number of cases whose MAE is lower than that of the label.
    """
    methods = list(dict.fromkeys(method for _, method in rows))
    kinds = list(dict.fromkeys(kind for kind, _ in rows))
    lines = []
    total: dict[str, list[MetricRow]] = {}
    for kind in kinds:
        cells = []
        for method in methods:
            own_rows, baseline_rows = rows[kind, method], rows[kind, methods[0]]
            total.setdefault(method, []).extend(own_rows)
            cells.append(_cell(own_rows, baseline_rows))
        lines.append([kind, *cells])
    if len(kinds) > 1:
        cells = [_cell(total[method], total[methods[0]]) for method in methods]
        lines.append(["all", *cells])
    return markdown_table(["label", *map(method_label, methods)], lines)


def _cell(rows: list[MetricRow], baseline_rows: list[MetricRow]) -> str:
    means = [np.mean([row[name] for row in rows]) for name in METRICS]
    better = sum(r["MAE"] < b["MAE"] for r, b in zip(rows, baseline_rows, strict=True))
    won = f" ({better} of {len(rows)})" if rows is not baseline_rows else ""
    return " / ".join(f"{mean:.2f}" for mean in means) + won


def select_cases(root: Path, most: int) -> list[DevCase]:
    """Select evenly spaced objects of the sources with accurate labels.

    Args:
        most: about the number of cases, 0 for all.
    """
    cases = [
        case
        for case in labelled_cases(root)
        if Path(case.name).name.partition("__")[0] in COARSE_SOURCE_WEIGHTS
    ]
    step = max(1, len(cases) // most) if most else 1
    return cases[::step]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.evaluate_converter")
    parser.add_argument("--data", type=Path, required=True, help="development folder")
    parser.add_argument(
        "--model", action="append", help="name or weight file; may be repeated"
    )
    parser.add_argument(
        "--kind", action="append", choices=LABEL_KINDS, help="default: all"
    )
    parser.add_argument(
        "--kept",
        type=number_between(0),
        default=60,
        help="number of labels to be kept; 0: all",
    )
    parser.add_argument(
        "--longest",
        type=number_between(0),
        default=0,
        help="downscale images to this longest side; 0: no",
    )
    parser.add_argument("--jobs", type=number_between(1), default=1, help="processes")
    parser.add_argument(
        "--alone", action="store_true", help="without closed-form matting"
    )
    parser.add_argument("--half", choices=(*HALVES, "all"), default="all")
    arguments = parser.parse_args(argv)
    methods = [
        name for name in BASELINES if not arguments.alone or name != "closed-form"
    ]
    methods += arguments.model or ["converter-tiny"]
    kinds = arguments.kind or list(LABEL_KINDS)
    try:
        mattes, kept = (
            [
                downscale_case(case, arguments.longest)
                for case in cases
                if case.is_in_half(arguments.half)
            ]
            for cases in (
                matte_cases(arguments.data),
                select_cases(arguments.data, arguments.kept),
            )
        )
        tables = [
            table(evaluate(mattes, kinds, methods, arguments.jobs)),
            table(evaluate(kept, (), methods, arguments.jobs)),
        ]
    except (OSError, ZimError) as error:
        print(f"evaluate_converter: error: {error}", file=sys.stderr)
        return 1
    print("MAE / SAD / Grad (cases whose MAE is lower than the label's)\n")
    print("\n\n".join(tables))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
