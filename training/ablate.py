"""Run a table of the paper's ablations: ``python -m training.ablate 3a --small ...``.

Each variant is trained with the same seeds and number of steps and measured on held-out
images.  The table shows its errors next to the published ones, with the direction of
each effect.  Finished runs are not repeated.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from training import train_converter, train_zim
from training.ablations import METRICS, SETS, TABLES, AblationTable, Variant
from training.arguments import number_between
from training.base_trainer import STATE_FILE
from training.cases import DevCase, case_box, labelled_cases, matte_cases
from training.config import TrainConfig
from training.conversion.config import ConverterTrainConfig
from training.conversion.degradations import coarse_label
from training.datasets.table import name_number
from training.loop import TrainingRunOptions
from training.run_config import format_toml, read_toml
from training.sa1b_matte.shards import read_json, write_json
from zim_model.arrays import FloatArray
from zim_model.conversion.converter import Converter
from zim_model.errors import ZimError
from zim_model.inference.predictor import ZimPredictor
from zim_model.matting.metrics import grad, mse, sad
from zim_model.request import ALPHA_MAX
from zim_model.runtime.atomic_files import (
    atomic_write,
    describe_os_error,
    explained_write,
)
from zim_model.runtime.parent import end_with_parent
from zim_model.weights.checkpoint import load_zim

CONFIGS = Path(__file__).parent / "configs" / "ablations"
RESULTS_FILE, SETTINGS_FILE = "results.json", "settings.toml"
ENCODER = "zim-tiny"
"""Small runs start from this model's encoder; the paper starts from SAM's."""
NOISE_SIGMAS = 2.0
"""Standard errors that an effect must exceed to count as significant."""
METRIC_FUNCTIONS = {"SAD": sad, "MSE": mse, "Grad": grad}
Method = Callable[[DevCase, str], FloatArray]
"""Predicts the alpha (H, W) of a case of one of SETS."""
CaseErrors = dict[str, list[float]]
"""Errors of every case, by set and metric, such as ``fine SAD``."""


@dataclass(frozen=True, slots=True)
class AblationPlan:
    """Options of an ablation run.

    Attributes:
        number: number of the table in the paper.
        data: folder with ``train`` (Table 3c: also ``sa1b`` and ``sa1b_matte``) and
            ``dev``.
        out: folder for runs and results.
        small: small models, few steps.
        seeds: number of seeds for each variant.
        steps: number of steps, 0 for the configuration's.
        limit: number of cases of each set to measure, 0 for all.
        jobs: number of parallel runs, each in its own process; 0 runs them one after
            the other in this process.
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
    def table(self) -> AblationTable:
        """The table of the plan."""
        return TABLES[self.number]

    def settings(self, variant: Variant, seed: int) -> dict[str, Any]:
        """Return the settings of one run.

        Raises:
            ZimError: a configuration cannot be read.
        """
        settings = read_toml(CONFIGS / f"table{self.number}_{variant.name}.toml")
        if self.small:
            settings |= read_toml(CONFIGS / f"small_{self.table.kind}.toml")
        if self.steps:
            settings["steps"] = self.steps
        return {**settings, "seed": seed}

    def folder(self, variant: Variant, seed: int) -> Path:
        """Return the folder of one run."""
        return self.out / f"table{self.number}" / f"{variant.name}-{seed}"


def run_variant(plan: AblationPlan, variant: Variant, seed: int) -> CaseErrors:
    """Train and measure one variant, or read the results of an earlier run.

    Raises:
        ZimError: the data or the results of an earlier run cannot be used.
    """
    out = plan.folder(variant, seed)
    settings = plan.settings(variant, seed)
    try:
        out.mkdir(parents=True, exist_ok=True)
        _save_settings(out / SETTINGS_FILE, settings)
        if (out / RESULTS_FILE).exists():
            done: CaseErrors = read_json(out / RESULTS_FILE)
            return done
        data = plan.data / variant.data
        state = out / STATE_FILE
        options = TrainingRunOptions(data, out, state if state.exists() else None)
        if plan.table.kind == "zim":
            method = _train_zim_method(out / SETTINGS_FILE, options, plan.small)
        else:
            method = _train_converter_method(out / SETTINGS_FILE, options)
        errors = measure_cases(method, plan)
        write_json(out / RESULTS_FILE, errors)
    except OSError as error:
        reason, hint = describe_os_error(error)
        raise ZimError(f"{out} cannot be used: {reason}.", hint) from error
    return errors


def _save_settings(path: Path, settings: Mapping[str, Any]) -> None:
    """Write the settings of a run, or check that an earlier run had the same."""
    if path.exists():
        if read_toml(path) != settings:
            raise ZimError(
                f"{path.parent} holds a run with other settings.",
                "Choose another folder, or remove it.",
            )
        return
    with atomic_write(path) as file:
        file.write(format_toml(settings).encode())


def _train_zim_method(
    settings: Path, options: TrainingRunOptions, small: bool
) -> Method:
    config = TrainConfig.read(settings)
    train_zim.train(config, options, encoder=ENCODER if small else None)
    model = load_zim(options.out / config.weight_file)
    predictor = ZimPredictor(model, "cpu" if small else None)

    def solve(case: DevCase, kind: str) -> FloatArray:
        del kind
        box = case_box(case)
        predictor.set_image(case.image)
        corners = [box.x0, box.y0, box.x1, box.y1]
        masks, _, _ = predictor.predict(box=corners, multimask_output=False)
        return np.asarray(masks[0], np.float32)

    return solve


def _train_converter_method(settings: Path, options: TrainingRunOptions) -> Method:
    config = ConverterTrainConfig.read(settings)
    train_converter.train(config, options)
    converter = Converter.load(options.out / config.weight_file)

    def solve(case: DevCase, kind: str) -> FloatArray:
        label = case.alpha > 0.5
        if kind == "fine":  # the same degradation of a case in every run
            rng = np.random.default_rng(name_number(case.name))
            label = coarse_label(rng, case.alpha)
        return np.asarray(converter.convert(case.image, label) / ALPHA_MAX, np.float32)

    return solve


def measure_cases(method: Method, plan: AblationPlan) -> CaseErrors:
    """Compute the errors of every development case.

    ``fine`` are the cases with mattes; ``coarse`` are labelled objects, whose label is
    the ground truth where it is defined.
    """
    errors: CaseErrors = {}
    for kind, cases in (
        ("fine", matte_cases(plan.data / "dev")),
        ("coarse", labelled_cases(plan.data / "dev")),
    ):
        for case in tqdm(_evenly_spaced(cases, plan.limit), desc=kind, leave=False):
            alpha = np.where(case.valid, method(case, kind), 0).astype(np.float32)
            for metric in METRICS:
                value = METRIC_FUNCTIONS[metric](alpha, case.alpha)
                errors.setdefault(f"{kind} {metric}", []).append(value)
    return errors


def _evenly_spaced(cases: Iterator[DevCase], limit: int) -> list[DevCase]:
    """Return at most ``limit`` evenly spaced cases; 0 for all."""
    every = list(cases)
    if not 0 < limit < len(every):
        return every
    return [every[i * len(every) // limit] for i in range(limit)]


@dataclass(frozen=True, slots=True)
class Effect:
    """Difference between a variant and the first one of its table.

    Attributes:
        measured: difference of the measured means.
        noise: its standard error over cases and seeds.
        paper: published difference, None where the paper reports none.
    """

    measured: float
    noise: float
    paper: float | None

    @property
    def verdict(self) -> str:
        """Comparison with the paper: same, opposite, within noise or empty."""
        if self.paper is None:
            return ""
        if abs(self.measured) < NOISE_SIGMAS * self.noise:
            return "within noise"
        return "same" if self.measured * self.paper > 0 else "opposite"


def measure_effect(
    first: Sequence[Sequence[float]],
    other: Sequence[Sequence[float]],
    paper: float | None,
) -> Effect:
    """Compare the errors of two variants, each by seed and case."""
    differences = np.array(other, float) - np.array(first, float)
    noise = float(
        np.hypot(
            _error_of_mean(differences.mean(0)), _error_of_mean(differences.mean(1))
        )
    )
    single = max(differences.shape) == 1
    return Effect(float(differences.mean()), np.inf if single else noise, paper)


def _error_of_mean(values: FloatArray) -> float:
    """Return the standard error of a mean; 0 for a single value."""
    if len(values) < 2:
        return 0.0
    return float(values.std(ddof=1) / np.sqrt(len(values)))


def report(plan: AblationPlan, results: Mapping[str, Sequence[CaseErrors]]) -> str:
    """Format the table as Markdown.

    Args:
        plan: the plan of the runs.
        results: the errors of each variant, by seed.
    """
    table = plan.table
    first = table.variants[0]
    head = [f"{kind} {metric}" for kind in SETS for metric in METRICS]
    lines = [
        f"### Table {plan.number}: {table.title}",
        "",
        "| variant | "
        + " | ".join(f"{name}: paper / measured" for name in head)
        + " |",
        "|---|" + "---|" * len(head),
    ]
    for variant in table.variants:
        cells = [_cell(variant, results[variant.name], key) for key in head]
        lines.append(f"| {variant.title} | " + " | ".join(cells) + " |")
    for label, paper in table.others.items():
        cells = [f"{value:.3f} /" for kind in SETS for value in paper[kind]]
        lines.append(f"| {label} (published) | " + " | ".join(cells) + " |")
    lines += [
        "",
        f"Measured difference from {first.title!r} with two standard errors, and"
        " whether its direction is the paper's:",
        "",
        "| variant | " + " | ".join(head) + " |",
        "|---|" + "---|" * len(head),
    ]
    for variant in table.variants[1:]:
        cells = []
        for key in head:
            effect = measure_effect(
                [errors[key] for errors in results[first.name]],
                [errors[key] for errors in results[variant.name]],
                _published_difference(first, variant, key),
            )
            wide = NOISE_SIGMAS * effect.noise
            cells.append(
                f"{effect.measured:+.2f} ± {wide:.2f} {effect.verdict}".rstrip()
            )
        lines.append(f"| {variant.title} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _published_value(variant: Variant, key: str) -> float | None:
    if variant.paper is None:
        return None
    kind, metric = key.split()
    return variant.paper[kind][METRICS.index(metric)]


def _published_difference(first: Variant, other: Variant, key: str) -> float | None:
    values = _published_value(first, key), _published_value(other, key)
    # mypy does not follow ``in``.
    return None if None in values else values[1] - values[0]  # type: ignore[operator]


def _cell(variant: Variant, results: Sequence[CaseErrors], key: str) -> str:
    paper = _published_value(variant, key)
    measured = np.mean([errors[key] for errors in results])
    return f"{'' if paper is None else f'{paper:.3f}'} / {measured:.2f}"


def ablate(plan: AblationPlan) -> str:
    """Run a table, write it next to the runs and return it as Markdown.

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
    results: dict[str, list[CaseErrors]] = {v.name: [] for v in plan.table.variants}
    for (variant, _), errors in zip(runs, _run_variants(plan, runs), strict=True):
        results[variant.name].append(errors)
    text = report(plan, results)
    path = plan.out / f"table{plan.number}.md"
    with explained_write(path), atomic_write(path) as file:
        file.write(text.encode())
    return text


def _run_variants(
    plan: AblationPlan, runs: Sequence[tuple[Variant, int]]
) -> Iterator[CaseErrors]:
    """Yield the errors of the runs in order; each runs in its own process.

    Measuring starts OpenCV's threads, and data loader workers forked by a later
    training would then hang.
    """
    if plan.jobs == 0:
        yield from (run_variant(plan, *run) for run in runs)
        return
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        plan.jobs,
        mp_context=spawn,
        initializer=end_with_parent,
        max_tasks_per_child=1,
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
    parser.add_argument(
        "--data", type=Path, required=True, help="folder with train and dev"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the runs")
    parser.add_argument("--small", action="store_true", help="small models, few steps")
    parser.add_argument(
        "--seeds", type=number_between(1), default=1, help="seeds of each variant"
    )
    parser.add_argument(
        "--steps", type=number_between(0), default=0, help="steps of each run"
    )
    parser.add_argument(
        "--limit",
        type=number_between(0),
        default=0,
        help="cases of each set to measure, 0 for all",
    )
    parser.add_argument(
        "--jobs", type=number_between(0), default=1, help="parallel runs"
    )
    arguments = parser.parse_args(argv)
    plan = AblationPlan(
        arguments.table,
        arguments.data,
        arguments.out,
        arguments.small,
        arguments.seeds,
        arguments.steps,
        arguments.limit,
        arguments.jobs,
    )
    try:
        print(ablate(plan))
    except ZimError as error:
        print(f"ablate: error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
