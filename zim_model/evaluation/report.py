"""Reports: means of a run's rows by system, prompt, subset and size.

A mean is over rows, each (image, object) with the same weight, as in ZIM's evaluation.
Failed rows are counted and left out.  The official average divides by the count plus
1e-5, which no printed digit shows, and prints 0 where there is no row, which here is a
dash.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import zip_longest
from pathlib import Path

from zim_model.evaluation.comparison import Comparison, compare
from zim_model.evaluation.journal import EvaluationRow, RunConfig
from zim_model.evaluation.measures import METRICS

SIZES = ("S", "M", "L")
"""Of objects: under 1 %, under 10 % and from 10 % of the image."""
ALL = "all"


@dataclass(frozen=True, slots=True)
class MetricGroup:
    """The means of one row of a report's table.

    Attributes:
        system, prompt: names.
        subset: of the data set, or ``all``.
        size: one of SIZES, or ``all``.
        count: rows with metrics.
        failed: rows with an error.
        means: by metric; metrics without any row are missing.
        deviations: standard deviations of the samples, of metrics with two rows.
    """

    system: str
    prompt: str
    subset: str
    size: str
    count: int
    failed: int
    means: Mapping[str, float]
    deviations: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PublishedCurve:
    """Errors against clicks as a paper has them, for comparison beside computed ones.

    Attributes:
        system: its name.
        points: metrics (SAD, MSE, IoU) after a number of clicks.
    """

    system: str
    points: Mapping[int, Mapping[str, float]]


@dataclass(frozen=True)
class Report:
    """The rows of a run, in an order that does not depend on the execution.

    Attributes:
        config: of the run.
        rows: by system, prompt and case.
        expected: rows of the complete run.
        folders: with the images of predictions.
        published_curves: drawn beside its own.
    """

    config: RunConfig
    rows: tuple[EvaluationRow, ...]
    expected: int
    folders: tuple[Path, ...] = ()
    published_curves: tuple[PublishedCurve, ...] = ()

    @classmethod
    def from_rows(
        cls,
        config: RunConfig,
        rows: Iterable[EvaluationRow],
        expected: int,
        *folders: Path,
    ) -> Report:
        """The report of rows in any order."""
        systems = {name: i for i, name in enumerate(config.systems)}
        prompts = {name: i for i, name in enumerate(config.prompts)}
        last = len(systems) + len(prompts)

        def rank(row: EvaluationRow) -> tuple[int, int, str, str, str]:
            first = systems.get(row.system, last), prompts.get(row.prompt, last)
            return (*first, *row.key)

        return cls(config, tuple(sorted(rows, key=rank)), expected, folders)

    @property
    def measured(self) -> tuple[EvaluationRow, ...]:
        """The rows without an error."""
        return tuple(row for row in self.rows if not row.error)

    @property
    def failed(self) -> tuple[EvaluationRow, ...]:
        """The rows with an error."""
        return tuple(row for row in self.rows if row.error)

    @property
    def missing(self) -> int:
        """Number of missing rows of the complete run."""
        return max(0, self.expected - len(self.rows))

    @property
    def has_no_failures(self) -> bool:
        """Whether every row of the complete run has metrics."""
        return not (self.failed or self.missing or self.config.problems)

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the metrics that any row has, in order."""
        present = {name for row in self.rows for name in row.metrics}
        return tuple(m.name for m in METRICS if m.name in present)

    def groups(self) -> tuple[MetricGroup, ...]:
        """All groups: by system and prompt, all and by subset, all and by size."""
        result = []
        for system, prompt in dict.fromkeys((r.system, r.prompt) for r in self.rows):
            rows = [r for r in self.rows if (r.system, r.prompt) == (system, prompt)]
            for subset in self._subsets(rows):
                part = [r for r in rows if subset in (ALL, r.subset)]
                for size in (ALL, *SIZES):
                    own = [r for r in part if size in (ALL, r.size)]
                    result.append(_group(system, prompt, subset, size, own))
        return tuple(result)

    @staticmethod
    def _subsets(rows: Sequence[EvaluationRow]) -> list[str]:
        named = sorted({row.subset for row in rows if row.subset})
        # Official tables have them the fine ones first.
        named.sort(key=lambda name: name != "fine")
        return (
            [ALL, *named]
            if len(named) != 1 or any(not r.subset for r in rows)
            else named
        )

    @cached_property
    def comparisons(self) -> tuple[Comparison, ...]:
        """All pairs of systems, by prompt and subset; slow for many rows."""
        found: list[Comparison] = []
        for prompt in dict.fromkeys(row.prompt for row in self.measured):
            rows = [row for row in self.measured if row.prompt == prompt]
            for subset in self._subsets(rows):
                part = [row for row in rows if subset in (ALL, row.subset)]
                found += compare(part, self.metrics, subset)
        return tuple(found)

    def curves(self) -> dict[tuple[str, str], tuple[dict[str, float], ...]]:
        """Mean SAD, MSE and IoU after 1, 2, ... clicks, by system and prompt.

        Each is over the rows with so many clicks.
        """
        result = {}
        for system, prompt in dict.fromkeys(
            (r.system, r.prompt) for r in self.measured
        ):
            curves = [
                r.curve
                for r in self.measured
                if (r.system, r.prompt) == (system, prompt) and r.curve
            ]
            if curves:
                steps = zip_longest(*curves, fillvalue={})
                result[system, prompt] = tuple(map(means, steps))
        return result

    def worst(self, measure: str = "SAD") -> tuple[EvaluationRow, ...]:
        """The rows that have the metric, the worst first."""
        rows = [row for row in self.measured if measure in row.metrics]
        sign = 1 if more_is_better(measure) else -1
        return tuple(sorted(rows, key=lambda row: sign * row.metrics[measure]))


def more_is_better(measure: str) -> bool:
    """Whether larger values of a metric are better."""
    return any(m.name == measure and m.better == "more" for m in METRICS)


def _group(
    system: str, prompt: str, subset: str, size: str, rows: Sequence[EvaluationRow]
) -> MetricGroup:
    measured = [row for row in rows if not row.error]
    # What failed has no size, except where all sizes are meant.
    failed = len(rows) - len(measured) if size == ALL else 0
    metrics = [row.metrics for row in measured]
    count = len(measured)
    return MetricGroup(
        *(system, prompt, subset, size, count, failed),
        means(metrics),
        deviations(metrics),
    )


def means(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of each name over the rows that have it.

    The sums are exact, so that the order of the rows, and thus how a run was divided,
    changes nothing.
    """
    return {
        name: math.fsum(values) / len(values) for name, values in _columns(rows).items()
    }


def deviations(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The sample standard deviation of each name that two rows have.

    It does not depend on the order of the rows either.
    """
    result: dict[str, float] = {}
    for name, values in _columns(rows).items():
        if len(values) > 1:
            mean = math.fsum(values) / len(values)
            squares = math.fsum((value - mean) ** 2 for value in values)
            result[name] = math.sqrt(squares / (len(values) - 1))
    return result


def _columns(rows: Sequence[Mapping[str, float]]) -> dict[str, list[float]]:
    """The values of each name."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row[name] for row in rows if name in row] for name in names}
