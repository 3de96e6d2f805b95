"""Evaluation: data sets, simulated users, and a runner that computes metrics.

The usual way is :func:`open_dataset`, :func:`evaluate`, :func:`write_report`. Imports
neither Qt nor torch; models load torch on first use.
"""

from __future__ import annotations

from zim_model.evaluation.clicks import click_by_click, next_click, number_of_clicks
from zim_model.evaluation.datasets import LAYOUTS, Case, Dataset, Layout, open_dataset
from zim_model.evaluation.events import (
    DegradationEvent,
    Event,
    Finished,
    Paused,
    Resumed,
    RowDone,
    Started,
)
from zim_model.evaluation.journal import EvaluationRow
from zim_model.evaluation.measures import METRICS, Metric, compute_metrics
from zim_model.evaluation.report import MetricGroup, Report
from zim_model.evaluation.report_formats import write_report
from zim_model.evaluation.runner import EvaluationOptions, evaluate
from zim_model.evaluation.systems import (
    ModelSystem,
    PredictionFolder,
    PromptKind,
    System,
)
from zim_model.runtime.jobs import RunControl, Shard

__all__ = [
    "LAYOUTS",
    "METRICS",
    "Case",
    "Dataset",
    "DegradationEvent",
    "EvaluationOptions",
    "EvaluationRow",
    "Event",
    "Finished",
    "Layout",
    "Metric",
    "MetricGroup",
    "ModelSystem",
    "Paused",
    "PredictionFolder",
    "PromptKind",
    "Report",
    "Resumed",
    "RowDone",
    "RunControl",
    "Shard",
    "Started",
    "System",
    "click_by_click",
    "compute_metrics",
    "evaluate",
    "next_click",
    "number_of_clicks",
    "open_dataset",
    "write_report",
]
