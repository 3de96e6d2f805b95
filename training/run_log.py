"""The log of a run: rows of a CSV file, TensorBoard, Weights & Biases."""

from __future__ import annotations

import csv
import io
import math
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from zim_model.errors import ZimError
from zim_model.runtime.atomic_files import atomic_write

LOG_FILE = "log.csv"
SMALL = ("lr", "grad_norm")
"""Values that are written with four significant digits, not four decimals."""
TRACKERS = ("tensorboard", "wandb")


class CsvTable:
    """Rows of values, appended to a CSV file and flushed one by one.

    Columns that the file of an earlier version lacks are added to it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.columns: list[str] = []

    def drop_after(self, step: int) -> None:
        """Drop the rows that a killed run wrote after its last saved state."""
        if not self.path.exists():
            return
        header, *rows = self.path.read_bytes().splitlines(keepends=True) or [b""]
        kept = [row for row in rows if row.endswith(b"\n") and _step_of(row) <= step]
        if kept != rows or not header.endswith(b"\n"):
            with atomic_write(self.path) as file:
                file.writelines([header, *kept] if kept else [])

    def last_step(self) -> float:
        """The largest step of its whole rows; -1 if there is none."""
        if not self.path.exists():
            return -1
        rows = self.path.read_bytes().splitlines(keepends=True)[1:]
        steps = [_step_of(row) for row in rows if row.endswith(b"\n")]
        return max((step for step in steps if step < math.inf), default=-1)

    def append(self, row: Mapping[str, Any]) -> None:
        """Write a row."""
        if not set(row) <= set(self.columns):
            self._widen(list(row))
        with self.path.open("a", newline="") as file:
            csv.DictWriter(file, self.columns).writerow(row)

    def _widen(self, columns: list[str]) -> None:
        """Write the file anew where it lacks some columns."""
        rows: list[dict[str, str]] = []
        if self.path.exists():
            with self.path.open(newline="") as file:
                reader = csv.DictReader(file)
                rows, self.columns = list(reader), list(reader.fieldnames or [])
        added = [name for name in columns if name not in self.columns]
        if not added:
            return
        self.columns += added
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, self.columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
        with atomic_write(self.path) as stream:
            stream.write(text.getvalue().encode())


def _step_of(row: bytes) -> float:
    """The step of a row; infinite for a damaged one."""
    number = row.partition(b",")[0]
    return int(number) if number.isdigit() else math.inf


class TrainingLog:
    """Writes the mean loss parts since the last row.

    Args:
        out: folder of the run; None writes nothing.
        views: views of a step.
        trackers: get the same numbers.
    """

    def __init__(
        self, out: Path | None, views: int, trackers: Sequence[Tracker] = ()
    ) -> None:
        self.table = None if out is None else CsvTable(out / LOG_FILE)
        self.views, self.trackers = views, trackers
        self.sums: dict[str, float] = {}
        self.count, self.wait_s = 0, 0.0
        self.steps, self.total_wait_s = 0, 0.0
        self.began = self.since = time.monotonic()

    def add(self, parts: dict[str, Tensor], data_wait_s: float) -> None:
        """Add the loss parts of one step and the seconds it waited for its samples."""
        self.wait_s += data_wait_s
        self.total_wait_s += data_wait_s
        for key, value in parts.items():
            self.sums[key] = self.sums.get(key, 0.0) + float(value)
        self.count += 1
        self.steps += 1

    def summary(self) -> str:
        """Return a sentence with the throughput and peak memory of the whole run."""
        seconds = max(time.monotonic() - self.began, 1e-9)
        return (
            f"{self.steps} steps in {seconds:.0f} s:"
            f" {self.steps / seconds:.3f} steps/s,"
            f" {self.views * self.steps / seconds:.2f} images/s; waited for samples"
            f" {self.total_wait_s / seconds:.0%} of the time; peak memory"
            f" {peak_memory() / 2**20:.0f} MB"
        )

    def write(self, step: int) -> dict[str, str]:
        """Write a row, reset the sums and return the mean loss parts as text.

        Nothing is written, and {} returned, if there was no step since the last row.
        """
        if not self.count:
            return {}
        now = time.monotonic()
        seconds = max(now - self.since, 1e-9)  # a step may be shorter than a tick
        rate = self.count / seconds
        means = {key: value / self.count for key, value in self.sums.items()}
        shown = {k: f"{v:.4g}" if k in SMALL else f"{v:.4f}" for k, v in means.items()}
        line = {
            "step": step,
            "steps_per_s": f"{rate:.4f}",
            "views_per_s": f"{rate * self.views:.2f}",
            "waiting": f"{self.wait_s / seconds:.3f}",
            "peak_mb": f"{peak_memory() / 2**20:.0f}",
            **shown,
        }
        if self.table is not None:
            self.table.append(line)
        for tracker in self.trackers:
            tracker.log(step, {f"train/{key}": value for key, value in means.items()})
        self.sums, self.count, self.wait_s, self.since = {}, 0, 0.0, now
        return shown


def peak_memory() -> int:
    """Return the peak memory in bytes, of this process's GPU or else of the process."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    if sys.platform == "win32":
        return 0
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


class Tracker(Protocol):
    """A program that shows the numbers of runs."""

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Send the numbers of a step."""

    def close(self) -> None:
        """Send what is left."""


class _TensorBoard:
    def __init__(self, out: Path, step: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer: Any = SummaryWriter(
            str(out / "tensorboard"), purge_step=step + 1 if step else None
        )

    def log(self, step: int, values: Mapping[str, float]) -> None:
        for key, value in values.items():
            self._writer.add_scalar(key, value, step)
        self._writer.flush()

    def close(self) -> None:
        self._writer.close()


class _Wandb:
    def __init__(self, out: Path, config: Mapping[str, Any]) -> None:
        import wandb

        # The name of the folder continues the same run there when it is resumed.
        self._run: Any = wandb.init(
            project="zim-studio",
            name=out.resolve().name,
            id=out.resolve().name,
            dir=str(out),
            config=dict(config),
            resume="allow",
        )

    def log(self, step: int, values: Mapping[str, float]) -> None:
        self._run.log(dict(values), step=step)

    def close(self) -> None:
        self._run.finish()


def open_trackers(
    names: Sequence[str], out: Path, config: Mapping[str, Any], step: int
) -> list[Tracker]:
    """Open the trackers of a run.

    Args:
        names: some of TRACKERS.
        out: folder of the run.
        config: its settings.
        step: at which it begins; what was logged later is replaced.

    Raises:
        ZimError: the package of one is not installed.
    """
    trackers: list[Tracker] = []
    for name in names:
        try:
            if name == "tensorboard":
                trackers.append(_TensorBoard(out, step))
            else:
                trackers.append(_Wandb(out, config))
        except ImportError as error:
            raise ZimError(
                f"{name} is not installed.", f"Install it: pip install {name}"
            ) from error
    return trackers
