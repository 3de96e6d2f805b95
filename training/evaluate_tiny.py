"""Measure models on the development pictures beside methods that learn nothing.

``python -m training.evaluate_tiny --data DIR [--model NAME|FILE]...`` prints two tables
of one run: how well a box and simulated clicks find labelled objects, and how close a
box and three clicks come to real mattes.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
from tqdm import tqdm

from training.baselines import box_filled, closed_form, grabcut, unsolved
from training.cases import Case, box_of, labelled_cases, matte_cases
from zim_model.arrays import FloatArray
from zim_model.errors import ZimError
from zim_model.evaluation import click_by_click, noc
from zim_model.inference.engine import Engine
from zim_model.matting.metrics import conn, grad, iou, mse, sad
from zim_model.prompts import PromptSet
from zim_model.request import ALPHA_MAX, Request

CLICKS = (1, 3, 5)
"""The mean IoU is told after so many."""
NOC = (0.85, 0.90)
"""The mean number of clicks to these IoUs is told."""
MAX_CLICKS = 20
MATTE_CLICKS = 3
HALVES = ("choosing", "reporting")
"""Settings are chosen on one half of the pictures; the other tells what they gave."""
MATTE_METRICS = {"SAD": sad, "MSE": mse, "Grad": grad, "Conn": conn}

Method = Callable[[Case, PromptSet], FloatArray]
Row = dict[str, float]
BASELINES: dict[str, Method] = {
    "GrabCut + closed-form": closed_form,
    "GrabCut": grabcut,
    "box filled": box_filled,
}


def zim(model: str) -> Method:
    """A model through the engine, as the application runs it."""
    engine = Engine()

    def solve(case: Case, prompts: PromptSet) -> FloatArray:
        matte = engine.solve(Request(case.image, case.name, prompts, model))
        return np.asarray(matte.alpha / ALPHA_MAX, np.float32)

    return solve


@dataclass(frozen=True, slots=True)
class Contest:
    """What is compared.

    Attributes:
        models: names or weight files.
        baselines: whether BASELINES take part.
        clicks: most simulated clicks on a labelled object.
    """

    models: tuple[str, ...]
    baselines: bool = True
    clicks: int = MAX_CLICKS

    def methods(self) -> dict[str, Method]:
        """The methods by name; models are loaded on first use."""
        methods = {model: zim(model) for model in self.models}
        return methods | BASELINES if self.baselines else methods

    def labelled(self, case: Case, methods: Mapping[str, Method]) -> dict[str, Row]:
        """The measures of a labelled object, by method."""
        prompts = PromptSet((), box_of(case))
        rows: dict[str, Row] = {}
        for name, method in methods.items():
            found = method(case, prompts) > 0.5
            rows[name] = {"box IoU": iou(found, case.alpha > 0.5, case.known)}
            if name not in self.models:
                continue
            ious = click_ious(case, method, self.clicks)
            for count in CLICKS:
                if count <= self.clicks:
                    rows[name][f"{count}-click IoU"] = ious[count - 1]
            for threshold in NOC:
                clicks = noc(ious, threshold, self.clicks)
                rows[name][f"NoC@{threshold * 100:.0f}"] = clicks
        return rows

    def matte(self, case: Case, methods: Mapping[str, Method]) -> dict[str, Row]:
        """The measures of a matte, by method."""
        rows: dict[str, Row] = {}
        for name, method in methods.items():
            answers = {"box": method(case, PromptSet((), box_of(case)))}
            if name in self.models:
                answers[f"{MATTE_CLICKS} points"] = clicked(case, method, MATTE_CLICKS)
            rows[name] = {
                f"{prompt} {measure}": error(alpha, case.alpha)
                for prompt, alpha in answers.items()
                for measure, error in MATTE_METRICS.items()
            }
        return rows


def click_ious(case: Case, method: Method, clicks: int) -> list[float]:
    """IoU after 1, 2, ... simulated clicks.

    It stops early when nothing is left to learn: the highest threshold of NOC is
    reached and so are all of CLICKS.
    """
    target = case.alpha > 0.5
    values: list[float] = []
    ask = partial(method, case)
    for _, alpha in click_by_click(ask, target, case.known, clicks):
        values.append(iou(alpha > 0.5, target, case.known))
        if len(values) >= max(CLICKS) and max(values) >= max(NOC):
            break
    return values


def clicked(case: Case, method: Method, clicks: int) -> FloatArray:
    """The answer (H, W) to so many simulated clicks, each where it is most wrong."""
    ask, target = partial(method, case), case.alpha > 0.5
    *_, (_, alpha) = click_by_click(ask, target, case.known, clicks)
    return alpha


@contextmanager
def one_thread() -> Iterator[None]:
    """Sums come out the same whatever the number of processes."""
    before = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        cv2.setNumThreads(before[1])


class _Worker:
    """Measures cases in one process; made once there."""

    contest: Contest
    methods: Mapping[str, Method]

    @classmethod
    def start(cls, contest: Contest) -> None:
        cls.contest, cls.methods = contest, contest.methods()

    @classmethod
    def measure(cls, task: tuple[str, Case]) -> tuple[dict[str, Row], int]:
        """The measures of a case by method, and how often a solver gave up."""
        kind, case = task
        measured = cls.contest.matte if kind == "mattes" else cls.contest.labelled
        unsolved.clear()
        with one_thread():
            return measured(case, cls.methods), len(unsolved)


def in_half(case: Case, half: str) -> bool:
    """Whether a case belongs to a half of HALVES; a picture's cases stay together."""
    picture = Path(case.name.partition(":")[0]).name
    return half == "all" or zlib.crc32(picture.encode()) % 2 == HALVES.index(half)


def evaluate(
    root: Path,
    contest: Contest,
    limit: int = 0,
    jobs: int = 1,
    halves: Sequence[str] = ("all",),
) -> dict[str, dict[str, dict[str, Row]]]:
    """Means of every measure: by half, table (``labels``, ``mattes``) and method.

    Args:
        root: a development folder, see ``training/README.md``.
        limit: about so many labelled objects, evenly spread; 0 takes all.
        jobs: processes to spread the cases over; the numbers do not depend on it.
        halves: some of HALVES and ``all``; each case is measured once.

    Raises:
        OSError: a picture is missing or unreadable.
        ZimError: a model cannot be used.
    """

    def wanted(case: Case) -> bool:
        return any(in_half(case, half) for half in halves)

    labelled = list(filter(wanted, labelled_cases(root)))
    step = max(1, len(labelled) // limit) if limit else 1
    tasks = [("labels", case) for case in labelled[::step]]
    tasks += [("mattes", case) for case in filter(wanted, matte_cases(root))]
    rows = _measured(contest, tasks, jobs)
    means: dict[str, dict[str, dict[str, Row]]] = {}
    for half in halves:
        means[half] = {}
        for kind in ("labels", "mattes"):
            own = [
                row
                for (its, case), row in zip(tasks, rows, strict=True)
                if its == kind and in_half(case, half)
            ]
            if own:
                means[half][kind] = {
                    name: _mean([row[name] for row in own]) for name in own[0]
                }
    return means


def _measured(
    contest: Contest, tasks: list[tuple[str, Case]], jobs: int
) -> list[dict[str, Row]]:
    """The measures of every case by method, in so many processes."""
    if jobs == 1:
        _Worker.start(contest)
        measured = list(map(_Worker.measure, tqdm(tasks, leave=False)))
    else:
        spawn = multiprocessing.get_context("spawn")
        with spawn.Pool(jobs, _Worker.start, (contest,)) as pool:
            done = pool.imap(_Worker.measure, tasks)
            measured = list(tqdm(done, total=len(tasks), leave=False))
    if failed := sum(count for _, count in measured):
        print(
            f"Closed-form matting did not converge on {failed} of {len(tasks)} cases;"
            " GrabCut's answer counts there.",
            file=sys.stderr,
        )
    return [rows for rows, _ in measured]


def _mean(rows: Sequence[Row]) -> Row:
    return {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}


def table(rows: Mapping[str, Row]) -> str:
    """The means of one table's methods as Markdown."""
    measures = list(next(iter(rows.values())))
    lines = [
        "| method | " + " | ".join(measures) + " |",
        "|---|" + "---|" * len(measures),
    ]
    for name, row in rows.items():
        cells = [f"{row[m]:.3f}" if m in row else "" for m in measures]
        lines.append(f"| {_label(name)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _label(name: str) -> str:
    """A weight file is known by its folder too: runs give all the same name."""
    path = Path(name)
    return f"{path.parent.name}/{path.stem}" if path.suffix == ".safetensors" else name


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.evaluate_tiny")
    parser.add_argument("--data", type=Path, required=True, help="development folder")
    parser.add_argument(
        "--model", action="append", help="name or weight file; may be repeated"
    )
    parser.add_argument("--limit", type=int, default=0, help="labelled cases to take")
    parser.add_argument("--clicks", type=int, default=MAX_CLICKS, help="most clicks")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--alone", action="store_true", help="leave out the others")
    parser.add_argument(
        "--half",
        nargs="+",
        choices=("all", *HALVES),
        default=["all"],
        help="all pictures, or either half of them, or several of these",
    )
    given = parser.parse_args(argv)
    models = tuple(given.model or ["zim-tiny"])
    contest = Contest(models, not given.alone, given.clicks)
    try:
        results = evaluate(given.data, contest, given.limit, given.jobs, given.half)
    except (OSError, ZimError) as error:
        print(f"evaluate_tiny: error: {error}", file=sys.stderr)
        return 1
    for half, tables in results.items():
        if len(results) > 1:
            print(f"## {half}\n")
        print("\n\n".join(table(rows) for rows in tables.values()) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
