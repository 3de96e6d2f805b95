"""Evaluation: data sets, simulated users, and one runner for all that measures.

The usual way is :func:`open_dataset`, :func:`evaluate`, :func:`write_report`.  Imports
neither Qt nor torch; models load torch when they are first asked.
"""

from __future__ import annotations

from zim_model.evaluation.clicks import click_by_click, next_click, noc
from zim_model.evaluation.datasets import LAYOUTS, Case, Dataset, Layout, open_dataset
from zim_model.evaluation.events import (
    Control,
    Event,
    Finished,
    Notice,
    Paused,
    Resumed,
    RowDone,
    Started,
)
from zim_model.evaluation.journal import Row
from zim_model.evaluation.measures import MEASURES, Measure, measured
from zim_model.evaluation.report import Group, Report
from zim_model.evaluation.report_formats import write_report
from zim_model.evaluation.runner import RunOptions, evaluate
from zim_model.evaluation.systems import Model, Predictions, PromptKind, System

__all__ = [
    "LAYOUTS",
    "MEASURES",
    "Case",
    "Control",
    "Dataset",
    "Event",
    "Finished",
    "Group",
    "Layout",
    "Measure",
    "Model",
    "Notice",
    "Paused",
    "Predictions",
    "PromptKind",
    "Report",
    "Resumed",
    "Row",
    "RowDone",
    "RunOptions",
    "Started",
    "System",
    "click_by_click",
    "evaluate",
    "measured",
    "next_click",
    "noc",
    "open_dataset",
    "write_report",
]
