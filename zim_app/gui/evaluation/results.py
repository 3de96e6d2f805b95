"""What lies in a folder of results, and the means of rows while they come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from zim_model.evaluation.journal import Config, Key, Row, journals_in, merged
from zim_model.evaluation.published import PublishedRow, published
from zim_model.evaluation.report import ALL, Group, Report

Curves = dict[tuple[str, str], tuple[dict[str, float], ...]]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table of means.

    Attributes:
        system, prompt, subset, size: names, see :class:`Group`.
        count, failed: rows; 0 for published lines.
        means: by measure.
        published: whether somebody printed it, rather than this run measured it.
    """

    system: str
    prompt: str
    subset: str
    size: str
    count: int
    failed: int
    means: dict[str, float]
    published: bool = False


@dataclass(frozen=True, slots=True)
class Summary:
    """What is told of rows as a whole.

    Attributes:
        report: of the rows.
        lines: measured ones first, then the published ones.
        curves: means after 1, 2, ... clicks, by system and prompt.
        measures: names of those that some row has.
    """

    report: Report
    lines: tuple[Line, ...]
    curves: Curves
    measures: tuple[str, ...]


def summarised(report: Report) -> Summary:
    """The summary of a report; slow for many rows, so for a worker thread."""
    groups = [_measured(group) for group in report.groups() if _tells(group)]
    known = [
        Line(*_named(row), 0, 0, dict(row.means), published=True)
        for row in published(report.config.layout)
    ]
    return Summary(report, (*groups, *known), report.curves(), report.measures)


def _named(row: PublishedRow) -> tuple[str, str, str, str]:
    return row.system, row.prompt, row.subset, ALL


def _tells(group: Group) -> bool:
    """Not a size or a subset without rows, which would only be a line of dashes."""
    return bool(group.count or group.failed)


def _measured(group: Group) -> Line:
    return Line(
        *(group.system, group.prompt, group.subset, group.size),
        *(group.count, group.failed, dict(group.means)),
    )


def report_of(
    config: Config, rows: Mapping[Key, Row], total: int | None, out: Path
) -> Report:
    """The report of rows of which more may be to come.

    Args:
        config: of the run under way, or of the journal.
        total: rows of the run under way; None if there is none.
    """
    pairs = {(row.system, row.prompt) for row in rows.values()}
    if total is None:
        expected = config.cases * len(pairs)
    else:  # the folder may have rows of other models from earlier runs
        expected = total + sum(not _of_run(config, row) for row in rows.values())
    return Report.of(config, rows.values(), max(len(rows), expected), out)


def _of_run(config: Config, row: Row) -> bool:
    return row.system in config.systems and row.prompt in config.prompts


def read_results(out: Path) -> Report | None:
    """The report of all journals in a folder; None if there are none.

    What a run there was to make is worked out from what it made: every case for each
    pair of a system and a kind of prompt that occurs.

    Raises:
        ZimError: a journal cannot be read, or they belong to different runs.
    """
    paths = journals_in(out)
    if not paths:
        return None
    config, rows = merged(paths)
    return report_of(config, rows, None, out)
