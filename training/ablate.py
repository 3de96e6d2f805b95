"""Run a table of the paper's ablations: ``python -m training.ablate 3a --small ...``.

Every variant is trained from the same seeds for the same steps, measured on pictures
that were never trained on, and printed beside the paper's numbers with the direction of
each effect.  Runs that are finished are not done again.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import tomllib
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from training import train_converter, train_zim
from training.ablations import MEASURES, SETS, TABLES, Table, Variant
from training.base_trainer import STATE_FILE
from training.cases import Case, box_of, labelled_cases, matte_cases
from training.config import TrainConfig
from training.conversion.config import ConverterTrainConfig
from training.conversion.degradations import coarse_label
from training.loop import Run
from training.sa1b_matte.shards import read_json, write_json
from zim_model.arrays import FloatArray
from zim_model.conversion.converter import Converter
from zim_model.errors import ZimError
from zim_model.inference.predictor import ZimPredictor
from zim_model.matting.metrics import grad, mse, sad
from zim_model.request import ALPHA_MAX
from zim_model.runtime.atomic_files import explain, replacing
from zim_model.weights.checkpoint import load_zim

CONFIGS = Path(__file__).parent / "configs" / "ablations"
RESULTS, SETTINGS = "results.json", "settings.toml"
ENCODER = "zim-tiny"
"""Small runs begin with this model's encoder, as the paper begins with SAM's."""
NOISE = 2.0
"""Standard errors that an effect must exceed to be more than noise."""
ERRORS = {"SAD": sad, "MSE": mse, "Grad": grad}
Method = Callable[[Case, str], FloatArray]
"""Gives the matte of a case of one of SETS."""
Errors = dict[str, list[float]]
"""Errors of every case, by set and measure, such as ``fine SAD``."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is run, and where.

    Attributes:
        number: of the table.
        data: folder with ``train`` (of Table 3c: also ``sa1b`` and ``sa1b_matte``) and
            ``dev``.
        out: folder for runs and results.
        small: small models, few steps.
        seeds: each variant is trained from so many.
        steps: instead of the configuration's, 0 for those.
        limit: cases of each set that are measured, 0 for all.
        jobs: runs at a time, each in a process of its own; 0 runs in this process, one
            after the other.
    """

    number: str
    data: Path
    out: Path
    small: bool = False
    seeds: int = 1
    steps: int = 0
    limit: int = 0
    jobs: int = 1

    @property
    def table(self) -> Table:
        """What is compared."""
        return TABLES[self.number]

    def settings(self, variant: Variant, seed: int) -> dict[str, Any]:
        """The settings of one run.

        Raises:
            ZimError: a configuration cannot be read.
        """
        settings = _toml(CONFIGS / f"table{self.number}_{variant.name}.toml")
        if self.small:
            settings |= _toml(CONFIGS / f"small_{self.table.kind}.toml")
        if self.steps:
            settings["steps"] = self.steps
        return {**settings, "seed": seed}

    def folder(self, variant: Variant, seed: int) -> Path:
        """Where a run lies."""
        return self.out / f"table{self.number}" / f"{variant.name}-{seed}"


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ZimError(f"{path} cannot be read: {error}.") from error


def run_variant(plan: Plan, variant: Variant, seed: int) -> Errors:
    """Train and measure one variant, or take what an earlier run has measured.

    Raises:
        ZimError: the data or the results of an earlier run cannot be used.
    """
    out = plan.folder(variant, seed)
    settings = plan.settings(variant, seed)
    try:
        out.mkdir(parents=True, exist_ok=True)
        _claim(out / SETTINGS, settings)
        if (out / RESULTS).exists():
            done: Errors = read_json(out / RESULTS)
            return done
        data = plan.data / variant.data
        state = out / STATE_FILE
        run = Run(data, out, state if state.exists() else None)
        if plan.table.kind == "zim":
            method = _trained_zim(out / SETTINGS, run, plan.small)
        else:
            method = _trained_converter(out / SETTINGS, run)
        errors = measured(method, plan)
        write_json(out / RESULTS, errors)
    except OSError as error:
        reason, hint = explain(error)
        raise ZimError(f"{out} cannot be used: {reason}.", hint) from error
    return errors


def _claim(path: Path, settings: Mapping[str, Any]) -> None:
    """Write a run's settings; an earlier run's must be the same."""
    if path.exists():
        if _toml(path) != settings:
            raise ZimError(
                f"{path.parent} holds a run with other settings.",
                "Choose another folder, or remove it.",
            )
        return
    lines = [f"{key} = {json.dumps(value)}\n" for key, value in settings.items()]
    with replacing(path) as file:
        file.write("".join(lines).encode())


def _trained_zim(settings: Path, run: Run, small: bool) -> Method:
    config = TrainConfig.read(settings)
    train_zim.train(config, run, encoder=ENCODER if small else None)
    path = run.out / f"{config.model}.safetensors"
    predictor = ZimPredictor(load_zim(path), "cpu" if small else None)

    def solve(case: Case, kind: str) -> FloatArray:
        del kind
        box = box_of(case)
        predictor.set_image(case.image)
        corners = [box.x0, box.y0, box.x1, box.y1]
        masks, _, _ = predictor.predict(box=corners, multimask_output=False)
        return np.asarray(masks[0], np.float32)

    return solve


def _trained_converter(settings: Path, run: Run) -> Method:
    config = ConverterTrainConfig.read(settings)
    train_converter.train(config, run)
    converter = Converter.load(run.out / f"{config.model}.safetensors")

    def solve(case: Case, kind: str) -> FloatArray:
        label = case.alpha > 0.5
        if kind == "fine":  # of a kind and an amount that the case alone decides
            rng = np.random.default_rng(zlib.crc32(case.name.encode()))
            label = coarse_label(rng, case.alpha)
        return np.asarray(converter.convert(case.image, label) / ALPHA_MAX, np.float32)

    return solve


def measured(method: Method, plan: Plan) -> Errors:
    """The errors of every development case.

    ``fine`` are the mattes; ``coarse`` are labelled objects, whose label is the truth
    where it says anything.
    """
    errors: Errors = {}
    for kind, cases in (
        ("fine", matte_cases(plan.data / "dev")),
        ("coarse", labelled_cases(plan.data / "dev")),
    ):
        for case in tqdm(_spread(cases, plan.limit), desc=kind, leave=False):
            alpha = np.where(case.known, method(case, kind), 0).astype(np.float32)
            for measure in MEASURES:
                value = ERRORS[measure](alpha, case.alpha)
                errors.setdefault(f"{kind} {measure}", []).append(value)
    return errors


def _spread(cases: Iterator[Case], limit: int) -> list[Case]:
    """At most so many cases, evenly spread; 0 for all."""
    found = list(cases)
    if not 0 < limit < len(found):
        return found
    return [found[i * len(found) // limit] for i in range(limit)]


@dataclass(frozen=True, slots=True)
class Effect:
    """What a variant changes against the first one of its table.

    Attributes:
        here: difference of the means measured here.
        noise: its standard error, of cases and of seeds together.
        paper: difference in the paper, None where it has none.
    """

    here: float
    noise: float
    paper: float | None

    @property
    def verdict(self) -> str:
        """Whether the effect that the paper reports appears here."""
        if self.paper is None:
            return ""
        if abs(self.here) < NOISE * self.noise:
            return "within noise"
        return "same" if self.here * self.paper > 0 else "opposite"


def effect(
    first: Sequence[Sequence[float]],
    other: Sequence[Sequence[float]],
    paper: float | None,
) -> Effect:
    """Compare the errors of two variants, each by seed and case."""
    gaps = np.array(other, float) - np.array(first, float)
    noise = float(np.hypot(_error_of_mean(gaps.mean(0)), _error_of_mean(gaps.mean(1))))
    alone = max(gaps.shape) == 1
    return Effect(float(gaps.mean()), np.inf if alone else noise, paper)


def _error_of_mean(values: FloatArray) -> float:
    """The standard error of a mean; 0 of one value, which tells nothing of it."""
    if len(values) < 2:
        return 0.0
    return float(values.std(ddof=1) / np.sqrt(len(values)))


def report(plan: Plan, found: Mapping[str, Sequence[Errors]]) -> str:
    """The table as Markdown.

    Args:
        plan: what was run.
        found: the errors of each variant, by seed.
    """
    table = plan.table
    first = table.variants[0]
    head = [f"{kind} {measure}" for kind in SETS for measure in MEASURES]
    lines = [
        f"### Table {plan.number}: {table.title}",
        "",
        "| variant | " + " | ".join(f"{name}: paper / here" for name in head) + " |",
        "|---|" + "---|" * len(head),
    ]
    for variant in table.variants:
        cells = [_cell(variant, found[variant.name], key) for key in head]
        lines.append(f"| {variant.title} | " + " | ".join(cells) + " |")
    lines += [
        "",
        f"Against {first.title!r}, here, with two standard errors, and whether the"
        " direction is the paper's:",
        "",
        "| variant | " + " | ".join(head) + " |",
        "|---|" + "---|" * len(head),
    ]
    for variant in table.variants[1:]:
        cells = []
        for key in head:
            ours = effect(
                [errors[key] for errors in found[first.name]],
                [errors[key] for errors in found[variant.name]],
                _published_gap(first, variant, key),
            )
            wide = NOISE * ours.noise
            cells.append(f"{ours.here:+.2f} ± {wide:.2f} {ours.verdict}".rstrip())
        lines.append(f"| {variant.title} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _published(variant: Variant, key: str) -> float | None:
    if variant.paper is None:
        return None
    kind, measure = key.split()
    return variant.paper[kind][MEASURES.index(measure)]


def _published_gap(first: Variant, other: Variant, key: str) -> float | None:
    values = _published(first, key), _published(other, key)
    return None if None in values else values[1] - values[0]  # type: ignore[operator]


def _cell(variant: Variant, found: Sequence[Errors], key: str) -> str:
    paper = _published(variant, key)
    here = np.mean([errors[key] for errors in found])
    return f"{'' if paper is None else f'{paper:.3f}'} / {here:.2f}"


def ablate(plan: Plan) -> str:
    """Run a table, write it beside the runs and return it.

    Raises:
        ZimError: data are missing, or a run failed.
    """
    for name in sorted({variant.data for variant in plan.table.variants}):
        if not (plan.data / name).is_dir():
            raise ZimError(
                f"{plan.data / name} is missing.",
                f"Table {plan.number} is trained on it: training/README.md.",
            )
    runs = [(v, seed) for seed in range(plan.seeds) for v in plan.table.variants]
    found: dict[str, list[Errors]] = {v.name: [] for v in plan.table.variants}
    for (variant, _), errors in zip(runs, _done(plan, runs), strict=True):
        found[variant.name].append(errors)
    text = report(plan, found)
    with replacing(plan.out / f"table{plan.number}.md") as file:
        file.write(text.encode())
    return text


def _done(plan: Plan, runs: Sequence[tuple[Variant, int]]) -> Iterator[Errors]:
    """The errors of runs, in order, each in a process of its own.

    Measuring leaves OpenCV with threads, which the workers that a later training forks
    would not survive.
    """
    if plan.jobs == 0:
        yield from (run_variant(plan, *run) for run in runs)
        return
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        plan.jobs, mp_context=spawn, max_tasks_per_child=1
    ) as pool:
        try:
            yield from [
                future.result()
                for future in [pool.submit(run_variant, plan, *run) for run in runs]
            ]
        finally:
            pool.shutdown(cancel_futures=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.ablate")
    parser.add_argument("table", choices=TABLES)
    parser.add_argument("--data", type=Path, required=True, help="with train and dev")
    parser.add_argument("--out", type=Path, required=True, help="folder for the runs")
    parser.add_argument("--small", action="store_true", help="small models, few steps")
    parser.add_argument("--seeds", type=int, default=1, help="runs of each variant")
    parser.add_argument("--steps", type=int, default=0, help="of each run")
    parser.add_argument("--limit", type=int, default=0, help="cases to measure")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time")
    given = parser.parse_args(argv)
    plan = Plan(
        given.table,
        given.data,
        given.out,
        given.small,
        given.seeds,
        given.steps,
        given.limit,
        given.jobs,
    )
    try:
        print(ablate(plan))
    except ZimError as error:
        print(f"ablate: error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
