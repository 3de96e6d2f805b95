"""Training loop: steps, log and saved states, in one process or many.

A task provides its trainer and samples; the rest is shared.  A run's complete state is
one file, from which it can be resumed on any machine.
"""

from __future__ import annotations

import argparse
import csv
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TextIO, TypeVar

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler
from tqdm import tqdm

from training.base_trainer import STATE_FILE, BaseTrainer
from training.distributed import ProcessGroup, join_process_group
from training.pack import open_training_folder
from training.run_config import RunSettings
from zim_model.errors import ZimError
from zim_model.runtime.atomic_files import atomic_write, explained_write
from zim_model.runtime.malloc import tune_malloc
from zim_model.runtime.parent import end_with_parent

LOG_FILE, PREVIEW_FILE = "log.csv", "previews.png"
MAX_FAULT_SHARE, MAX_FEW_FAULTS = 0.01, 3
AnyTrainer = BaseTrainer[Any, Any]
TrainerT = TypeVar("TrainerT", bound=AnyTrainer)


class DistributedStepSampler(Sampler[int]):
    """Sample numbers of one process, step after step.

    The samples of a step do not depend on the number of processes and micro-batches.
    """

    def __init__(
        self, config: RunSettings, first_step: int, rank: int, size: int
    ) -> None:
        self.config, self.first = config, first_step
        self.rank, self.size = rank, size

    def __iter__(self) -> Iterator[int]:
        views, part = self.config.views, micro_batch_size(self.config, self.size)
        for step in range(self.first, self.config.steps):
            for begin in range(0, views, part * self.size):
                number = step * views + begin + self.rank * part
                yield from range(number, number + part)

    def __len__(self) -> int:
        steps = self.config.steps - self.first
        return steps * self.config.views // self.size


def micro_batch_size(config: RunSettings, processes: int) -> int:
    """Return the number of views of a micro-batch of one process.

    Raises:
        ZimError: the views of a step cannot be split evenly.
    """
    parts = processes * config.accumulate
    if config.views % parts:
        raise ZimError(
            f"{config.views} views a step cannot be split into {parts} equal parts"
            f" ({processes} processes, accumulate = {config.accumulate}).",
            "Change views or accumulate.",
        )
    return config.views // parts


class _TrainingLog:
    """Writes the mean loss parts since the last row to a CSV file."""

    def __init__(self, file: TextIO, views: int) -> None:
        self.file, self.views = file, views
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
        """Write a row, reset the sums and return the mean loss parts as text."""
        now = time.monotonic()
        rate = self.views * self.count / (now - self.since)
        means = {key: f"{v / self.count:.4f}" for key, v in self.sums.items()}
        line = {
            "step": step,
            "steps_per_s": f"{rate / self.views:.4f}",
            "views_per_s": f"{rate:.2f}",
            "waiting": f"{self.wait_s / (now - self.since):.3f}",
            "peak_mb": f"{peak_memory() / 2**20:.0f}",
            **means,
        }
        writer = csv.DictWriter(self.file, list(line))
        if self.file.tell() == 0:
            writer.writeheader()
        writer.writerow(line)
        self.file.flush()
        self.sums, self.count, self.wait_s, self.since = {}, 0, 0.0, now
        return means


def peak_memory() -> int:
    """Return the peak memory in bytes, of this process's GPU or else of the process."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    if sys.platform == "win32":
        return 0
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


@dataclass(frozen=True, slots=True)
class TrainingRunOptions:
    """Input, output and time limit of a run.

    Attributes:
        data: a folder of images or of shards, or a tar made by ``training.pack``.
        out: folder for the log, the state and the model.
        resume: a ``state.pt`` to resume from.
        init: trained weights to start a new run from.
        minutes: time after which the run saves and stops.
        small_state: see :meth:`BaseTrainer.save`.
    """

    data: Path
    out: Path
    resume: Path | None = None
    init: Path | None = None
    minutes: float = math.inf
    small_state: bool = False


@dataclass(frozen=True, slots=True)
class TrainingTask(Generic[TrainerT]):
    """A training task: settings, trainer, samples and previews.

    Attributes:
        config: settings of the run.
        make_trainer: creates the trainer of a process.
        make_samples: creates the samples from the data folder; item i is the i-th
            sample of the schedule and holds ``fault``, which names a damaged image or
            is "".
        make_previews: creates a function from folder and samples that writes the
            preview sheet of the averaged model; called once, at the first save.
    """

    config: RunSettings
    make_trainer: Callable[[ProcessGroup], TrainerT]
    make_samples: Callable[[Path], Dataset[dict[str, Any]]]
    make_previews: Callable[[Path, Any], Callable[[TrainerT, Path], None]]


def run_task(task: TrainingTask[TrainerT], options: TrainingRunOptions) -> TrainerT:
    """Train until the schedule or the time limit ends; save into ``options.out``.

    Started by ``torchrun``, each process computes its part of each step.  After SIGTERM
    the run finishes the step, saves and ends.

    Raises:
        ZimError: the data or the saved state cannot be used, or a file cannot be
            written.
    """
    deadline = time.monotonic() + 60 * options.minutes
    options.out.mkdir(parents=True, exist_ok=True)
    with (
        join_process_group() as group,
        open_training_folder(options.data) as folder,
        _stop_on_sigterm() as stop_requested,
    ):
        if group.device.type == "cpu":
            tune_malloc(huge=True)
            if task.config.threads:
                torch.set_num_threads(task.config.threads)
        trainer = task.make_trainer(group)
        if options.resume is not None:
            trainer.load(options.resume)
        elif options.init is not None:
            trainer.start_from(options.init)
        samples = task.make_samples(folder)
        goes_on = options.resume is not None or not (options.out / STATE_FILE).exists()
        if group.is_main and goes_on:
            _drop_later_rows(options.out / LOG_FILE, trainer.step)
        sheet: list[Callable[[TrainerT, Path], None]] = []

        def save() -> None:
            if group.is_main:
                trainer.save(options.out, small=options.small_state)
                # Created late: forked workers would hang after OpenCV started threads.
                if not sheet:
                    sheet.append(task.make_previews(folder, samples))
                sheet[0](trainer, options.out / PREVIEW_FILE)

        def should_stop() -> bool:
            return stop_requested.is_set() or time.monotonic() > deadline

        with explained_write(options.out):
            _loop(trainer, samples, options.out / LOG_FILE, should_stop, save)
            save()
    return trainer


def _drop_later_rows(log_file: Path, step: int) -> None:
    """Drop the rows of a log that a killed run wrote after its last saved state."""
    if not log_file.exists():
        return
    header, *rows = log_file.read_bytes().splitlines(keepends=True) or [b""]
    kept = [row for row in rows if row.endswith(b"\n") and _step_of(row) <= step]
    if kept != rows or not header.endswith(b"\n"):
        with atomic_write(log_file) as file:
            file.writelines([header, *kept] if kept else [])


def _step_of(row: bytes) -> float:
    """The step of a row; infinite for a damaged one."""
    number = row.partition(b",")[0]
    return int(number) if number.isdigit() else math.inf


@contextmanager
def _stop_on_sigterm() -> Iterator[threading.Event]:
    """Yield an event that is set on SIGTERM."""
    stop_requested = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop_requested  # only the main thread may handle signals
        return
    before = signal.signal(signal.SIGTERM, lambda number, frame: stop_requested.set())
    try:
        yield stop_requested
    finally:
        signal.signal(signal.SIGTERM, before)


def _loop(
    trainer: AnyTrainer,
    samples: Dataset[dict[str, Any]],
    log_file: Path,
    should_stop: Callable[[], bool],
    save: Callable[[], None],
) -> None:
    """Take steps until the schedule ends or ``should_stop`` is true in any process."""
    config, group = trainer.config, trainer.group
    first_step, batches_of_process = trainer.step, _micro_batches(trainer, samples)
    with (
        (log_file if group.is_main else Path(os.devnull)).open("a", newline="") as file,
        tqdm(
            total=config.steps,
            initial=first_step,
            unit="step",
            disable=not group.is_main,
        ) as progress,
    ):
        log, faults = (
            _TrainingLog(file, config.views),
            FaultCounter(config.views // group.size),
        )
        while trainer.step < config.steps:
            started = time.monotonic()
            batches = [next(batches_of_process) for _ in range(config.accumulate)]
            data_wait_s = time.monotonic() - started
            for batch in batches:
                faults.add(batch.pop("fault"))
            log.add(trainer.train_step(batches), data_wait_s)
            faults.check(trainer.step - first_step)
            progress.update()
            if trainer.step % config.log_every == 0:
                means = log.write(trainer.step)
                progress.set_postfix({k: means[k] for k in trainer.PROGRESS_PARTS})
            if group.any_rank(should_stop()):
                break
            if trainer.step % config.save_every == 0 and trainer.step < config.steps:
                save()
        if group.is_main:
            tqdm.write(log.summary(), file=sys.stderr)


class FaultCounter:
    """Counts unusable images; a few are skipped, more are an error.

    Args:
        views: samples of this process per step.
    """

    def __init__(self, views: int) -> None:
        self.views, self.count = views, 0
        self.reported: dict[str, None] = {}  # ordered

    def add(self, faults: Sequence[str]) -> None:
        """Count the faults of a batch, "" for none, and print new ones."""
        for fault in filter(None, faults):
            self.count += 1
            if fault not in self.reported:
                self.reported[fault] = None
                tqdm.write(f"skipped: {fault}", file=sys.stderr)

    def check(self, steps: int) -> None:
        """Check the number of faults after ``steps`` steps.

        Raises:
            ZimError: more than MAX_FAULT_SHARE of the samples, and more than
                MAX_FEW_FAULTS, had an unusable image.
        """
        if self.count > max(MAX_FEW_FAULTS, MAX_FAULT_SHARE * self.views * steps):
            raise ZimError(
                f"{self.count} of {self.views * steps} samples had unusable images, the"
                f" last one: {next(reversed(self.reported))}",
                "Repair or remove them, then resume: saved states are kept.",
            )


def _micro_batches(
    trainer: AnyTrainer, samples: Dataset[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Return the micro-batches of this process, from the trainer's step on."""
    config, group = trainer.config, trainer.group
    loader = DataLoader(
        samples,
        batch_size=micro_batch_size(config, group.size),
        sampler=DistributedStepSampler(config, trainer.step, group.rank, group.size),
        num_workers=config.workers,
        prefetch_factor=4 if config.workers else None,
        worker_init_fn=_start_worker,
        pin_memory=group.device.type == "cuda",
    )
    return iter(loader)


def _start_worker(worker: int) -> None:
    del worker
    import cv2

    end_with_parent()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # not the handler of the parent

    cv2.setNumThreads(1)
    torch.set_num_threads(1)


def command_line(
    name: str,
    train: Callable[[Path, TrainingRunOptions], AnyTrainer],
    argv: Sequence[str] | None = None,
) -> int:
    """Run the command line of ``python -m training.NAME`` and return the exit code.

    Args:
        name: name of the module.
        train: trains with the settings of a TOML file.
        argv: arguments, None for those of the process.
    """
    parser = argparse.ArgumentParser(prog=f"python -m training.{name}")
    parser.add_argument("config", type=Path, help="a TOML file of training/configs")
    parser.add_argument("--data", type=Path, required=True, help="folder or tar")
    parser.add_argument("--out", type=Path, required=True, help="folder for results")
    begin = parser.add_mutually_exclusive_group()
    begin.add_argument("--resume-from", type=Path, help="state.pt to resume from")
    begin.add_argument(
        *("--init-from", "--sam"),
        type=Path,
        metavar="WEIGHTS",
        help="initial weights: of an earlier run, or SAM's .pth",
    )
    parser.add_argument(
        "--auto-resume",
        action="store_true",
        help="resume from the state.pt in --out, if it exists",
    )
    parser.add_argument(
        "--minutes", type=float, default=math.inf, help="save and stop after this time"
    )
    parser.add_argument(
        "--small-state",
        action="store_true",
        help="smaller state.pt, not exactly resumable",
    )
    arguments = parser.parse_args(argv)
    state = arguments.out / STATE_FILE
    if arguments.auto_resume and arguments.resume_from is None and state.exists():
        arguments.resume_from, arguments.init_from = state, None
    options = TrainingRunOptions(
        arguments.data,
        arguments.out,
        arguments.resume_from,
        arguments.init_from,
        arguments.minutes,
        arguments.small_state,
    )
    try:
        trainer = train(arguments.config, options)
    except ZimError as error:
        print(f"{name}: error: {error}", file=sys.stderr)
        return 1
    print(f"step {trainer.step} of {trainer.config.steps}, saved in {arguments.out}")
    return 0
