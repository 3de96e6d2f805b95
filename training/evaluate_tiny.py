"""Measure models on the development images, next to baselines without learning.

``python -m training.evaluate_tiny --data DIR [--model NAME|FILE]...`` prints tables:
the IoU on labelled objects from a box and simulated clicks, the errors on mattes from a
box and three clicks, and the IoU of main objects that are found without a prompt.
"""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.arguments import number_between
from training.baselines import closed_form, fill_box, grabcut, unsolved_cases
from training.cases import (
    HALVES,
    MORE_TARGETS,
    DevCase,
    case_box,
    labelled_cases,
    markdown_table,
    matte_cases,
    measure_all,
    method_label,
    subject_cases,
)
from training.validation import mean_scores
from zim_model.arrays import FloatArray
from zim_model.errors import ZimError
from zim_model.evaluation.clicks import (
    NOC_IOUS,
    click_by_click,
    number_of_clicks,
)
from zim_model.evaluation.measures import compute_metrics
from zim_model.finish import STANDARD_FINISH, Finish
from zim_model.inference.engine import Engine
from zim_model.inference.zoom import is_whole
from zim_model.matting.metrics import iou
from zim_model.prompts import Box, PromptSet
from zim_model.recipe import Recipe
from zim_model.request import ALPHA_MAX, Request

CLICKS = (1, 3, 5)
"""Numbers of clicks after which the mean IoU is reported."""
MAX_CLICKS = 20
MATTE_CLICKS = 3
MATTE_METRICS = ("SAD", "MSE", "Grad", "Conn", "Interior", "Exterior")
GOOD_SUBJECT = 0.8
"""IoU above which a main object counts as found."""
UNFINISHED = Finish()
KINDS = ("labels", "more labels", "mattes", "subjects")
"""Of cases; each has a table."""
WHOLE = "labels whose box is the whole image"
"""Row of the regions whose box asks for the main object: backgrounds, most of them."""

Method = Callable[[DevCase, PromptSet], FloatArray]
MetricRow = dict[str, float]
BASELINES: dict[str, Method] = {
    "GrabCut + closed-form": closed_form,
    "GrabCut": grabcut,
    "box filled": fill_box,
}


@functools.cache
def zim_method(model: str, finish: Finish = UNFINISHED) -> Method:
    """Run a model with the engine, as the application does; once per process."""
    engine = Engine()

    def solve(case: DevCase, prompts: PromptSet) -> FloatArray:
        recipe = Recipe(prompts, model, finish=finish)
        matte = engine.solve(Request(case.image, case.name, recipe))
        return np.asarray(matte.alpha / ALPHA_MAX, np.float32)

    return solve


@dataclass(frozen=True, slots=True)
class Comparison:
    """The methods of a comparison.

    Attributes:
        models: names or weight files.
        baselines: whether to include BASELINES.
        clicks: largest number of simulated clicks on a labelled object.
        finish: of the models' mattes.
    """

    models: tuple[str, ...]
    baselines: bool = True
    clicks: int = MAX_CLICKS
    finish: Finish = UNFINISHED

    def methods(self) -> dict[str, Method]:
        """Return the methods by name; models are loaded on first use."""
        methods = {model: zim_method(model, self.finish) for model in self.models}
        return methods | BASELINES if self.baselines else methods

    def measure_labelled(self, case: DevCase) -> dict[str, MetricRow]:
        """Compute the metrics of a labelled object by method."""
        prompts = PromptSet((), case_box(case))
        rows: dict[str, MetricRow] = {}
        for name, method in self.methods().items():
            mask = method(case, prompts) > 0.5
            rows[name] = {"box IoU": iou(mask, case.alpha > 0.5, case.valid)}
            if name not in self.models:
                continue
            ious = click_ious(case, method, self.clicks)
            for count in CLICKS:
                if count <= self.clicks:
                    rows[name][f"{count}-click IoU"] = ious[count - 1]
            for threshold in NOC_IOUS:
                clicks = number_of_clicks(ious, threshold, self.clicks)
                rows[name][f"NoC@{threshold * 100:.0f}"] = clicks
        return rows

    def measure_matte(self, case: DevCase) -> dict[str, MetricRow]:
        """Compute the metrics of a matte by method."""
        rows: dict[str, MetricRow] = {}
        for name, method in self.methods().items():
            alphas = {"box": method(case, PromptSet((), case_box(case)))}
            if name in self.models:
                *_, alphas[f"{MATTE_CLICKS} points"] = click_alphas(
                    case, method, MATTE_CLICKS
                )
            rows[name] = {
                f"{prompt} {metric}": value
                for prompt, alpha in alphas.items()
                for metric, value in compute_metrics(alpha, case.alpha).items()
                if metric in MATTE_METRICS
            }
        return rows

    def measure_subject(self, case: DevCase) -> dict[str, MetricRow]:
        """Compute the IoU of the main object, found without a prompt, by model."""
        height, width = case.alpha.shape
        prompts = PromptSet((), Box(0, 0, width, height))
        rows: dict[str, MetricRow] = {}
        for name in self.models:
            mask = self.methods()[name](case, prompts) > 0.5
            value = iou(mask, case.alpha > 0.5, case.valid)
            share = f"share above {GOOD_SUBJECT}"
            rows[name] = {"subject IoU": value, share: float(value > GOOD_SUBJECT)}
        return rows


def click_ious(case: DevCase, method: Method, clicks: int) -> list[float]:
    """Compute the IoU after 1, 2, ... simulated clicks.

    Stops early once the highest of NOC_IOUS and all of CLICKS are reached.
    """
    values: list[float] = []
    for alpha in click_alphas(case, method, clicks):
        values.append(iou(alpha > 0.5, case.alpha > 0.5, case.valid))
        if len(values) >= max(CLICKS) and max(values) >= max(NOC_IOUS):
            break
    return values


def click_alphas(case: DevCase, method: Method, clicks: int) -> Iterator[FloatArray]:
    """Yield the alphas (H, W) after 1, 2, ... clicks, each on the largest error."""
    solve = functools.partial(method, case)
    for _, alpha in click_by_click(solve, case.alpha > 0.5, case.valid, clicks):
        yield alpha


def measure_case(
    comparison: Comparison, kind: str, case: DevCase
) -> tuple[dict[str, MetricRow], int]:
    """Return the metrics of a case by method, and the number of solver failures.

    Args:
        kind: one of KINDS.
    """
    unsolved_cases.clear()
    if kind == "mattes":
        rows = comparison.measure_matte(case)
    elif kind == "subjects":
        rows = comparison.measure_subject(case)
    else:
        rows = comparison.measure_labelled(case)
    return rows, len(unsolved_cases)


def evaluate(
    root: Path,
    comparison: Comparison,
    limit: int = 0,
    jobs: int = 1,
    halves: Sequence[str] = ("all",),
    *,
    by_source: bool = False,
) -> dict[str, dict[str, dict[str, MetricRow]]]:
    """Compute the mean metrics by half, table and method.

    The tables are those of KINDS, and with ``by_source`` one of each method more, of
    labelled regions by source and of those whose box is the whole image.

    Args:
        root: a development folder, see ``training/README.md``.
        limit: about the number of labelled objects, evenly spaced; 0 for all.
        jobs: number of processes; it does not affect the results.
        halves: some of HALVES and ``all``; each case is measured once.

    Raises:
        OSError: an image is missing or unreadable.
        ZimError: a model cannot be used, or the folder is no development folder.
    """

    def in_selected_half(case: DevCase) -> bool:
        return any(case.is_in_half(half) for half in halves)

    sources = {"labels": labelled_cases(root), "mattes": matte_cases(root)}
    if (root / MORE_TARGETS).exists():
        sources["more labels"] = labelled_cases(root, MORE_TARGETS)
    if comparison.models:
        sources["subjects"] = subject_cases(root)
    tasks = []
    for kind, cases in sources.items():
        chosen = list(filter(in_selected_half, cases))
        limited = limit and kind != "mattes"
        step = max(1, len(chosen) // limit) if limited else 1
        tasks += [(kind, case) for case in chosen[::step]]
    rows = _measure_all(comparison, tasks, jobs)
    tables: dict[str, dict[str, dict[str, MetricRow]]] = {half: {} for half in halves}
    for half in halves:
        measured = [
            (kind, case, row)
            for (kind, case), row in zip(tasks, rows, strict=True)
            if case.is_in_half(half)
        ]
        for kind in KINDS:
            own = [row for row_kind, _, row in measured if row_kind == kind]
            if own:
                tables[half][kind] = {
                    n: mean_scores([row[n] for row in own]) for n in own[0]
                }
        if by_source:
            tables[half] |= source_tables(measured)
    return tables


def source_tables(
    measured: Sequence[tuple[str, DevCase, dict[str, MetricRow]]],
) -> dict[str, dict[str, MetricRow]]:
    """Compute a method's mean metrics by source, of labelled regions.

    Args:
        measured: kind, case and metrics by method of each case.

    Returns:
        Tables by method; rows are named with their number of regions.
    """
    groups: dict[str, list[dict[str, MetricRow]]] = {}
    for kind, case, row in measured:
        if kind.endswith("labels"):
            groups.setdefault(case.source, []).append(row)
    whole = [
        row
        for kind, case, row in measured
        if kind == "labels" and is_whole(case_box(case), case.alpha.shape)
    ]
    named = dict(sorted(groups.items())) | ({WHOLE: whole} if whole else {})
    methods = next(iter(groups.values()))[0] if groups else {}
    return {
        f"{method_label(method)} by source": {
            f"{name} ({len(rows)})": mean_scores([row[method] for row in rows])
            for name, rows in named.items()
        }
        for method in methods
    }


def _measure_all(
    comparison: Comparison, tasks: list[tuple[str, DevCase]], jobs: int
) -> list[dict[str, MetricRow]]:
    """Compute the metrics of all cases by method in ``jobs`` processes."""
    measured = measure_all(measure_case, [(comparison, *task) for task in tasks], jobs)
    if failed := sum(count for _, count in measured):
        print(
            f"Closed-form matting did not converge on {failed} of {len(tasks)} cases;"
            " GrabCut's result is used there.",
            file=sys.stderr,
        )
    return [rows for rows, _ in measured]


def table(kind: str, rows: Mapping[str, MetricRow]) -> str:
    """Format the means of one table as Markdown."""
    head = "method" if kind in KINDS else "source"
    metrics = list(next(iter(rows.values())))
    cells = (
        [method_label(name), *(f"{row[m]:.3f}" if m in row else "" for m in metrics)]
        for name, row in rows.items()
    )
    return markdown_table([head, *metrics], cells)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.evaluate_tiny")
    parser.add_argument("--data", type=Path, required=True, help="development folder")
    parser.add_argument(
        "--model", action="append", help="name or weight file; may be repeated"
    )
    parser.add_argument(
        "--limit",
        type=number_between(0),
        default=0,
        help="cases of each table but mattes, 0 for all",
    )
    parser.add_argument(
        "--clicks",
        type=number_between(1),
        default=MAX_CLICKS,
        help="largest number of clicks",
    )
    parser.add_argument(
        "--clean-edge",
        action="store_true",
        help="finish the mattes as the application does by default",
    )
    parser.add_argument("--jobs", type=number_between(1), default=1, help="processes")
    parser.add_argument("--alone", action="store_true", help="without the baselines")
    parser.add_argument(
        "--half",
        nargs="+",
        choices=("all", *HALVES),
        default=["all"],
        help="all images, one half of them, or several of these",
    )
    parser.add_argument(
        "--by-source", action="store_true", help="labelled regions by source as well"
    )
    arguments = parser.parse_args(argv)
    models = tuple(arguments.model or ["zim-tiny"])
    finish = STANDARD_FINISH if arguments.clean_edge else UNFINISHED
    comparison = Comparison(models, not arguments.alone, arguments.clicks, finish)
    try:
        results = evaluate(
            *(arguments.data, comparison, arguments.limit, arguments.jobs),
            arguments.half,
            by_source=arguments.by_source,
        )
    except (OSError, ZimError) as error:
        print(f"evaluate_tiny: error: {error}", file=sys.stderr)
        return 1
    for half, tables in results.items():
        if len(results) > 1:
            print(f"## {half}\n")
        for kind, rows in tables.items():
            print(f"{kind}:\n\n{table(kind, rows)}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
