"""Reading a folder of results, and summarising the rows of a run under way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from zim_model.evaluation.journal import (
    EvaluationRow,
    RowKey,
    RunConfig,
    find_journals,
    merge_journals,
)
from zim_model.evaluation.published import PublishedRow, published_rows
from zim_model.evaluation.report import ALL, MetricGroup, Report
from zim_model.evaluation.tables import best_means

Curves = dict[tuple[str, str], tuple[dict[str, float], ...]]


@dataclass(frozen=True, slots=True)
class MeansRow:
    """A row of the table of means.

    Attributes:
        system, prompt, subset, size: names, see :class:`MetricGroup`.
        count, failed: numbers of evaluated and failed rows; 0 for published ones.
        means: by name of the metric.
        published: whether the values are from a paper instead of this run.
        deviations: standard deviations by name of the metric.
        best: metrics in which the system is the best of several.
    """

    system: str
    prompt: str
    subset: str
    size: str
    count: int
    failed: int
    means: dict[str, float]
    published: bool = False
    deviations: Mapping[str, float] = field(default_factory=dict)
    best: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ResultsSummary:
    """Means and curves of the rows of a report.

    Attributes:
        report: of the rows.
        rows: means of this run first, then the published ones.
        curves: means after 1, 2, ... clicks, by system and prompt.
        metrics: names of the metrics that occur in some row.
    """

    report: Report
    rows: tuple[MeansRow, ...]
    curves: Curves
    metrics: tuple[str, ...]


def summarise(report: Report) -> ResultsSummary:
    """The summary of a report; slow for many rows, call it on a worker thread."""
    informative = [group for group in report.groups() if _is_informative(group)]
    groups = list(map(_means_row, informative, best_means(informative)))
    published_means = [
        MeansRow(*_group_key(row), 0, 0, dict(row.means), published=True)
        for row in published_rows(report.config)
    ]
    return ResultsSummary(
        report, (*groups, *published_means), report.curves(), report.metrics
    )


def _group_key(row: PublishedRow) -> tuple[str, str, str, str]:
    return row.system, row.prompt, row.subset, ALL


def _is_informative(group: MetricGroup) -> bool:
    """Whether a group has rows; others would be rows of dashes."""
    return bool(group.count or group.failed)


def _means_row(group: MetricGroup, best: frozenset[str]) -> MeansRow:
    return MeansRow(
        *(group.system, group.prompt, group.subset, group.size),
        *(group.count, group.failed, dict(group.means)),
        deviations=group.deviations,
        best=best,
    )


def partial_report(
    config: RunConfig,
    rows: Mapping[RowKey, EvaluationRow],
    total: int | None,
    out: Path,
) -> Report:
    """The report of the rows so far.

    Args:
        config: of the current run, or of the journal.
        total: expected rows of the current run; None without one.
    """
    pairs = {(row.system, row.prompt) for row in rows.values()}
    if total is None:
        expected = config.cases * len(pairs)
    else:  # the folder may have rows of other models from earlier runs
        expected = total + sum(
            not _belongs_to_run(config, row) for row in rows.values()
        )
    return Report.from_rows(config, rows.values(), max(len(rows), expected), out)


def _belongs_to_run(config: RunConfig, row: EvaluationRow) -> bool:
    return row.system in config.systems and row.prompt in config.prompts


def read_results(out: Path) -> Report | None:
    """The report of all journals in a folder; None without journals.

    The expected number of rows is derived from the rows: every case for each pair of a
    system and a kind of prompt that occurs.

    Raises:
        ZimError: a journal cannot be read, or they belong to different runs.
    """
    paths = find_journals(out)
    if not paths:
        return None
    config, rows = merge_journals(paths)
    return partial_report(config, rows, None, out)
