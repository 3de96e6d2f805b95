"""Running a training: steps, log, saved states, on one process or many.

A task gives its trainer and its samples; everything else is the same for all.  The
run's whole state is one file, so it can stop at any saved step and go on elsewhere.
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
from training.distributed import Team, team
from training.pack import opened
from training.run_config import Settings
from zim_model.errors import ZimError
from zim_model.runtime.malloc import tune_malloc

LOG_FILE, PREVIEW_FILE = "log.csv", "previews.png"
BAD_SHARE, BAD_FEW = 0.01, 3
AnyTrainer = BaseTrainer[Any, Any]
TrainerT = TypeVar("TrainerT", bound=AnyTrainer)


class Share(Sampler[int]):
    """The sample numbers of one process, step after step.

    A step takes the same samples however many processes and parts it is split into.
    """

    def __init__(self, config: Settings, first_step: int, rank: int, size: int) -> None:
        self.config, self.first = config, first_step
        self.rank, self.size = rank, size

    def __iter__(self) -> Iterator[int]:
        views, part = self.config.views, part_size(self.config, self.size)
        for step in range(self.first, self.config.steps):
            for begin in range(0, views, part * self.size):
                number = step * views + begin + self.rank * part
                yield from range(number, number + part)

    def __len__(self) -> int:
        steps = self.config.steps - self.first
        return steps * self.config.views // self.size


def part_size(config: Settings, processes: int) -> int:
    """Views that a process passes through the network at a time.

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


class _Log:
    """Means of the loss parts since the last line, into a CSV file."""

    def __init__(self, file: TextIO, views: int) -> None:
        self.file, self.views = file, views
        self.sums: dict[str, float] = {}
        self.count, self.waited = 0, 0.0
        self.steps, self.all_waited = 0, 0.0
        self.began = self.since = time.monotonic()

    def add(self, parts: dict[str, Tensor], waited: float) -> None:
        """Count one step, and the seconds in which its samples were not ready."""
        self.waited += waited
        self.all_waited += waited
        for key, value in parts.items():
            self.sums[key] = self.sums.get(key, 0.0) + float(value)
        self.count += 1
        self.steps += 1

    def summary(self) -> str:
        """Throughput and memory of all of the run, for people."""
        seconds = max(time.monotonic() - self.began, 1e-9)
        return (
            f"{self.steps} steps in {seconds:.0f} s:"
            f" {self.steps / seconds:.3f} steps/s,"
            f" {self.views * self.steps / seconds:.2f} images/s; waited for samples"
            f" {self.all_waited / seconds:.0%} of the time; peak memory"
            f" {peak_memory() / 2**20:.0f} MB"
        )

    def write(self, step: int) -> dict[str, str]:
        """Write a line and start anew; returns the line's means."""
        now = time.monotonic()
        rate = self.views * self.count / (now - self.since)
        means = {key: f"{v / self.count:.4f}" for key, v in self.sums.items()}
        line = {
            "step": step,
            "steps_per_s": f"{rate / self.views:.4f}",
            "views_per_s": f"{rate:.2f}",
            "waiting": f"{self.waited / (now - self.since):.3f}",
            "peak_mb": f"{peak_memory() / 2**20:.0f}",
            **means,
        }
        writer = csv.DictWriter(self.file, list(line))
        if self.file.tell() == 0:
            writer.writeheader()
        writer.writerow(line)
        self.file.flush()
        self.sums, self.count, self.waited, self.since = {}, 0, 0.0, now
        return means


def peak_memory() -> int:
    """The most bytes in use so far: of this process's GPU, else of the process."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    if sys.platform == "win32":
        return 0
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


@dataclass(frozen=True, slots=True)
class Run:
    """Where a run reads and writes, and when it stops.

    Attributes:
        data: a folder of pictures or of shards, or a tar made by ``training.pack``.
        out: folder for the log, the state and the model.
        resume: a ``state.pt`` to go on from.
        init: trained weights to begin a new run with.
        minutes: stop and save after so long.
        small_state: see :meth:`BaseTrainer.save`.
    """

    data: Path
    out: Path
    resume: Path | None = None
    init: Path | None = None
    minutes: float = math.inf
    small_state: bool = False


@dataclass(frozen=True, slots=True)
class Task(Generic[TrainerT]):
    """What is trained, on what.

    Attributes:
        config: the run's settings.
        trainer: makes the trainer of a process.
        samples: makes the run's samples from the folder of pictures; item i is the
            i-th sample of the schedule, step after step, and holds ``fault``, the name
            of a damaged picture or "".
        previews: given the folder and the samples, makes what writes the sheet that
            shows how the averaged model is doing; called late, once.
    """

    config: Settings
    trainer: Callable[[Team], TrainerT]
    samples: Callable[[Path], Dataset[dict[str, Any]]]
    previews: Callable[[Path, Any], Callable[[TrainerT, Path], None]]


def run_task(task: Task[TrainerT], run: Run) -> TrainerT:
    """Train until the schedule or the run's minutes end; saves into ``run.out``.

    Started by ``torchrun``, every process computes a share of each step.  When a
    scheduler asks it to go (SIGTERM), it saves after the step and ends.

    Raises:
        ZimError: the data or the state to go on from cannot be used.
    """
    deadline = time.monotonic() + 60 * run.minutes
    run.out.mkdir(parents=True, exist_ok=True)
    with team() as mates, opened(run.data) as folder, _asked_to_go() as leaving:
        if mates.device.type == "cpu":
            tune_malloc(huge=True)
            if task.config.threads:
                torch.set_num_threads(task.config.threads)
        trainer = task.trainer(mates)
        if run.resume is not None:
            trainer.load(run.resume)
        elif run.init is not None:
            trainer.start_from(run.init)
        samples = task.samples(folder)
        sheet: list[Callable[[TrainerT, Path], None]] = []

        def save() -> None:
            if mates.leads:
                trainer.save(run.out, small=run.small_state)
                # Not before: OpenCV's threads would not survive the workers' fork.
                if not sheet:
                    sheet.append(task.previews(folder, samples))
                sheet[0](trainer, run.out / PREVIEW_FILE)

        def ending() -> bool:
            return leaving.is_set() or time.monotonic() > deadline

        _loop(trainer, samples, run.out / LOG_FILE, ending, save)
        save()
    return trainer


@contextmanager
def _asked_to_go() -> Iterator[threading.Event]:
    """An event that is set when this process is told to end."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked  # only the main thread may listen
        return
    before = signal.signal(signal.SIGTERM, lambda number, frame: asked.set())
    try:
        yield asked
    finally:
        signal.signal(signal.SIGTERM, before)


def _loop(
    trainer: AnyTrainer,
    samples: Dataset[dict[str, Any]],
    log_file: Path,
    ending: Callable[[], bool],
    save: Callable[[], None],
) -> None:
    """Take steps until the schedule ends, or ``ending`` says so in any process."""
    config, mates = trainer.config, trainer.team
    first, parts = trainer.step, _parts(trainer, samples)
    with (
        (log_file if mates.leads else Path(os.devnull)).open("a", newline="") as file,
        tqdm(
            total=config.steps, initial=first, unit="step", disable=not mates.leads
        ) as progress,
    ):
        log, faults = _Log(file, config.views), Faults(config.views // mates.size)
        while trainer.step < config.steps:
            asked = time.monotonic()
            batches = [next(parts) for _ in range(config.accumulate)]
            waited = time.monotonic() - asked
            for batch in batches:
                faults.add(batch.pop("fault"))
            log.add(trainer.train_step(batches), waited)
            faults.check(trainer.step - first)
            progress.update()
            if trainer.step % config.log_every == 0:
                means = log.write(trainer.step)
                progress.set_postfix({k: means[k] for k in trainer.SHOWN})
            if mates.agreed(ending()):
                break
            if trainer.step % config.save_every == 0 and trainer.step < config.steps:
                save()
        if mates.leads:
            tqdm.write(log.summary(), file=sys.stderr)


class Faults:
    """Counts pictures that could not be used; a few are skipped, many are an error.

    Args:
        views: samples that this process takes a step.
    """

    def __init__(self, views: int) -> None:
        self.views, self.count = views, 0
        self.named: dict[str, None] = {}  # in order

    def add(self, faults: Sequence[str]) -> None:
        """Count the faults of a batch, "" where there was none, and name new ones."""
        for fault in filter(None, faults):
            self.count += 1
            if fault not in self.named:
                self.named[fault] = None
                tqdm.write(f"skipped: {fault}", file=sys.stderr)

    def check(self, steps: int) -> None:
        """Stop a run whose data is bad.

        Raises:
            ZimError: more than BAD_SHARE of the samples of so many steps, and more
                than BAD_FEW, met a bad picture.
        """
        if self.count > max(BAD_FEW, BAD_SHARE * self.views * steps):
            raise ZimError(
                f"{self.count} of {self.views * steps} samples met pictures that cannot"
                f" be used, the last one: {next(reversed(self.named))}",
                "Repair or remove them; nothing that was saved is lost.",
            )


def _parts(
    trainer: AnyTrainer, samples: Dataset[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """The batches of this process from the trainer's step on."""
    config, mates = trainer.config, trainer.team
    loader = DataLoader(
        samples,
        batch_size=part_size(config, mates.size),
        sampler=Share(config, trainer.step, mates.rank, mates.size),
        num_workers=config.workers,
        prefetch_factor=4 if config.workers else None,
        worker_init_fn=_one_thread,
        pin_memory=mates.device.type == "cuda",
    )
    return iter(loader)


def _one_thread(worker: int) -> None:
    del worker
    import cv2

    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # not as the process that forked it

    cv2.setNumThreads(1)
    torch.set_num_threads(1)


def command_line(
    name: str,
    train: Callable[[Path, Run], AnyTrainer],
    argv: Sequence[str] | None = None,
) -> int:
    """The command line of ``python -m training.NAME``; returns the exit code.

    Args:
        name: of the module.
        train: reads a TOML file and runs what it says.
        argv: arguments, None takes the process's.
    """
    parser = argparse.ArgumentParser(prog=f"python -m training.{name}")
    parser.add_argument("config", type=Path, help="a TOML file of training/configs")
    parser.add_argument("--data", type=Path, required=True, help="folder or tar")
    parser.add_argument("--out", type=Path, required=True, help="folder for results")
    begin = parser.add_mutually_exclusive_group()
    begin.add_argument("--resume-from", type=Path, help="a state.pt to go on from")
    begin.add_argument(
        *("--init-from", "--sam"),
        type=Path,
        metavar="WEIGHTS",
        help="weights to begin with: of an earlier run, or a SAM's .pth",
    )
    parser.add_argument(
        "--auto-resume",
        action="store_true",
        help="go on from the state.pt in --out, if there is one",
    )
    parser.add_argument("--minutes", type=float, default=math.inf, help="stop after")
    parser.add_argument(
        "--small-state", action="store_true", help="a smaller, inexact state.pt"
    )
    given = parser.parse_args(argv)
    state = given.out / STATE_FILE
    if given.auto_resume and given.resume_from is None and state.exists():
        given.resume_from, given.init_from = state, None
    run = Run(
        given.data,
        given.out,
        given.resume_from,
        given.init_from,
        given.minutes,
        given.small_state,
    )
    try:
        trainer = train(given.config, run)
    except ZimError as error:
        print(f"{name}: error: {error}", file=sys.stderr)
        return 1
    print(f"step {trainer.step} of {trainer.config.steps}, saved in {given.out}")
    return 0
