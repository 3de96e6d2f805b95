"""Events of a run."""

from __future__ import annotations

from dataclasses import dataclass

from zim_model.evaluation.journal import EvaluationRow, RunConfig
from zim_model.evaluation.report import Report


@dataclass(frozen=True, slots=True)
class Started:
    """Data set and models are loaded.

    Attributes:
        total: rows of this run (or shard), finished ones of an earlier run included.
        rows: the finished ones.
        config: of the run.
    """

    total: int
    rows: tuple[EvaluationRow, ...]
    config: RunConfig


@dataclass(frozen=True, slots=True)
class RowDone:
    """A row was computed, or has failed, and is on the disk.

    Attributes:
        row: see ``row.error``.
        done, total: rows, finished ones of an earlier run included.
        seconds_left: estimated from this run so far; None while unknown.
    """

    row: EvaluationRow
    done: int
    total: int
    seconds_left: float | None


@dataclass(frozen=True, slots=True)
class DegradationEvent:
    """A degradation notice: less memory, another device."""

    text: str


@dataclass(frozen=True, slots=True)
class Paused:
    """The run waits; all predictions so far are scored and on the disk."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """The run continues."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The last event.

    Attributes:
        report: of all rows that are finished.
        complete: whether those are all; false after a cancellation.
    """

    report: Report
    complete: bool


Event = Started | RowDone | DegradationEvent | Paused | Resumed | Finished
