"""Recording some steps of a run with torch's profiler."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile, schedule

TRACE_FILE, TABLE_FILE = "profile.json", "profile.txt"
WAIT, WARMUP = 1, 1
"""Steps before the recorded ones."""
ROWS = 30


@contextmanager
def profiling(steps: int, out: Path | None) -> Iterator[Callable[[], object]]:
    """Yield a function to call after each step; record ``steps`` of them.

    Args:
        steps: their number; 0 records none.
        out: gets TRACE_FILE, for chrome://tracing or ui.perfetto.dev, and TABLE_FILE,
            the operations that took longest; None records none.
    """
    if not steps or out is None:
        yield lambda: None
        return

    def write(recorded: Any) -> None:
        recorded.export_chrome_trace(str(out / TRACE_FILE))
        averages = recorded.key_averages()
        order = f"self_{'cuda' if torch.cuda.is_available() else 'cpu'}_time_total"
        table = averages.table(sort_by=order, row_limit=ROWS)
        (out / TABLE_FILE).write_text(table, "utf-8")

    activities = [ProfilerActivity.CPU]
    if torch.cuda.is_available():
        activities.append(ProfilerActivity.CUDA)
    plan = schedule(wait=WAIT, warmup=WARMUP, active=steps, repeat=1)
    with profile(
        activities=activities, schedule=plan, on_trace_ready=write
    ) as profiler:
        yield profiler.step
