"""Training loop: steps, log and saved states, in one process or many.

A task provides its trainer and samples; the rest is shared.  A run's complete state is
one file, from which it can be resumed on any machine.
"""

from __future__ import annotations

import math
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

import torch
from torch.utils.data import DataLoader, Dataset, Sampler
from tqdm import tqdm

from training.base_trainer import STATE_FILE, BaseTrainer
from training.datasets.opening import RunData, open_run_data
from training.distributed import ProcessGroup, join_process_group
from training.pack import open_training_folder
from training.profiling import profiling
from training.run_config import RunSettings
from training.run_log import LOG_FILE, CsvTable, Tracker, TrainingLog, open_trackers
from training.run_record import begin_record, check_folder
from training.samples import RejectionDataset
from training.validation import VALIDATION_FILE, Scores, Validation
from zim_model.errors import ZimError
from zim_model.runtime.atomic_files import exclusive_lock, explained_write
from zim_model.runtime.malloc import tune_malloc
from zim_model.runtime.parent import end_with_parent

PREVIEW_FILE = "previews.png"
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


@dataclass(frozen=True, slots=True)
class TrainingRunOptions:
    """Input, output and time limit of a run.

    Attributes:
        data: a folder of images or of shards, a TOML file that lists folders, or a tar
            made by ``training.pack``.
        out: folder for the log, the state and the model.
        resume: a ``state.pt`` to resume from.
        init: trained weights to start a new run from.
        minutes: time after which the run saves and stops.
        small_state: see :meth:`BaseTrainer.save`.
        trackers: of :data:`training.run_log.TRACKERS`, which get the log too.
        profile: steps that torch's profiler records; 0 for none.
    """

    data: Path
    out: Path
    resume: Path | None = None
    init: Path | None = None
    minutes: float = math.inf
    small_state: bool = False
    trackers: tuple[str, ...] = ()
    profile: int = 0


@dataclass(frozen=True, slots=True)
class TrainingTask(Generic[TrainerT]):
    """A training task: settings, trainer, samples, validation and previews.

    Attributes:
        config: settings of the run.
        make_trainer: creates the trainer of a process.
        make_samples: creates the samples from the data; item i is the i-th sample of
            the schedule and holds ``fault``, which names a damaged image or is "".
        make_previews: creates a function from data and samples that writes the
            preview sheet of the averaged model; called once, at the first save.
        make_validation: creates a function from data that gives the scores of the
            averaged model on held-out images; None if there are none.
    """

    config: RunSettings
    make_trainer: Callable[[ProcessGroup], TrainerT]
    make_samples: Callable[[Any], Dataset[dict[str, Any]]]
    make_previews: Callable[[Any, Any], Callable[[TrainerT, Path], None]]
    make_validation: Callable[[Any], Callable[[TrainerT], Scores] | None]


class Interrupted(KeyboardInterrupt):
    """The user interrupted the run; what was learned is saved."""


def run_task(task: TrainingTask[TrainerT], options: TrainingRunOptions) -> TrainerT:
    """Train until the schedule or the time limit ends; save into ``options.out``.

    Started by ``torchrun``, each process computes its part of each step.  After SIGTERM
    or Ctrl-C the run finishes the step, saves and ends.

    Raises:
        ZimError: the data or the saved state cannot be used, ``options.out`` holds
            another run, or a file cannot be written.
        Interrupted: after Ctrl-C.
    """
    deadline = time.monotonic() + 60 * options.minutes
    with (
        join_process_group() as group,
        _own_folder(options.out, group),
        open_training_folder(options.data) as folder,
        _StopRequest() as stop,
    ):
        if group.is_main:
            check_folder(options.out, task.config, options.resume)
        if group.device.type == "cpu":
            tune_malloc(huge=True)
            if task.config.threads:
                torch.set_num_threads(task.config.threads)
        data = open_run_data(
            folder,
            options.data,
            options.out,
            fatal=task.config.faults == "fail",
            quiet=not group.is_main,
        )
        trainer = task.make_trainer(group)
        if options.resume is not None:
            trainer.load(options.resume)
        elif options.init is not None:
            trainer.start_from(options.init)
        with explained_write(options.out):
            run = _Run(task, options, trainer, data)
            stop.at_work = True
            try:
                run.loop(lambda: stop.is_set or time.monotonic() > deadline)
            finally:
                run.close()
            trainer.ddp_module = None  # holds the group, see join_process_group
        if stop.by_user:
            raise Interrupted(trainer.step)
    return trainer


@contextmanager
def _own_folder(out: Path, group: ProcessGroup) -> Iterator[None]:
    """Keep other runs out of a folder, which is made if it is missing.

    One that was made, and in which a failed run left nothing, is removed.

    Raises:
        ZimError: a run is at work in it.
    """
    made = not out.exists()
    with ExitStack() as stack:
        if made and group.is_main:
            stack.push(lambda kind, *_: _remove_if_empty(out) if kind else None)
        with explained_write(out):
            out.mkdir(parents=True, exist_ok=True)
            lock = exclusive_lock(out / STATE_FILE)
            locked = not group.is_main or stack.enter_context(lock)
        if not locked:
            raise ZimError(
                f"Another run is training into {out}.", "Choose another --out."
            )
        yield


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


class _StopRequest:
    """Whether SIGTERM or Ctrl-C has come.

    Ctrl-C interrupts at once if it is the second, or before the first step.

    Attributes:
        is_set: a signal has come.
        by_user: it was Ctrl-C.
        at_work: there is something to save; set by the run.
    """

    def __init__(self) -> None:
        self.is_set = self.by_user = self.at_work = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        # Only the main thread may handle signals.
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _on_signal(self, number: int, frame: object) -> None:
        user = number == signal.SIGINT
        if user and (self.is_set or not self.at_work):
            raise KeyboardInterrupt
        self.is_set, self.by_user = True, self.by_user or user
        if user:
            note = "\nfinishing the step, then saving; Ctrl-C again to stop at once"
            print(note, file=sys.stderr)


class _Run(Generic[TrainerT]):
    """One run: its trainer and samples, and what it writes."""

    def __init__(
        self,
        task: TrainingTask[TrainerT],
        options: TrainingRunOptions,
        trainer: TrainerT,
        data: RunData,
    ) -> None:
        self.task, self.options, self.trainer, self.data = task, options, trainer, data
        self.group, self.out = trainer.group, options.out
        self.is_main = trainer.group.is_main
        self.samples = task.make_samples(data.source)
        self.trackers: list[Tracker] = []
        if self.is_main:
            if isinstance(self.samples, RejectionDataset):
                print(self.samples.summary(), file=sys.stderr)
            self.record = begin_record(self.out, trainer, data)
            for name in (LOG_FILE, VALIDATION_FILE):
                CsvTable(self.out / name).drop_after(trainer.step)
            self.trackers = open_trackers(
                options.trackers, self.out, asdict(task.config), trainer.step
            )
        self._previews: Callable[[TrainerT, Path], None] | None = None
        self._validation: Validation | None = None

    def save(self) -> None:
        """Save state, weights and previews."""
        if not self.is_main:
            return
        small, told = self.options.small_state, self.record.metadata(self.trainer)
        self.trainer.save(self.out, small=small, metadata=told)
        # Created late: forked workers would hang after OpenCV started threads.
        if self._previews is None:
            self._previews = self._make_previews()
        self._previews(self.trainer, self.out / PREVIEW_FILE)

    def _make_previews(self) -> Callable[[TrainerT, Path], None]:
        """The function that writes the sheet; it writes none if none can be made."""
        try:
            return self.task.make_previews(self.data.source, self.samples)
        except ZimError as error:  # such as blank held-out mattes
            tqdm.write(f"No preview sheet: {error.message}", file=sys.stderr)
            return lambda trainer, path: None

    def validate(self) -> bool:
        """Validate if it is time, and save the best weights.

        Returns:
            Whether the run should end, since no validation was better for long.
        """
        config, step = self.trainer.config, self.trainer.step
        if not self.is_main or not config.val_cases:
            return False
        if self._validation is None:  # late, as the previews
            measure = self.task.make_validation(self.data.source)
            if measure is None:
                tqdm.write(
                    "No usable image is held out: no validation.", file=sys.stderr
                )
            own = None if measure is None else partial(measure, self.trainer)
            self._validation = Validation(config, own, self.trainer.best)
        if not self._validation.is_due(step):
            return False
        scores, is_best = self._validation.run(step)
        self._tell(step, scores, is_best)
        if is_best:
            told = self.record.metadata(self.trainer)
            self.trainer.save_weights(self.out / config.best_file, told)
        return self._validation.is_exhausted

    def _tell(self, step: int, scores: Scores, is_best: bool) -> None:
        """Write the scores of a validation to all places."""
        row = {name: f"{value:.4f}" for name, value in scores.items()}
        table = CsvTable(self.out / VALIDATION_FILE)
        table.append({"step": step, **row, "best": int(is_best)})
        for tracker in self.trackers:
            tracker.log(step, {f"val/{name}": x for name, x in scores.items()})
        listed = ", ".join(f"{name} {value}" for name, value in row.items())
        mark = " (best)" if is_best else ""
        tqdm.write(f"step {step}: {listed}{mark}", file=sys.stderr)

    def loop(self, should_stop: Callable[[], bool]) -> None:
        """Take steps until the schedule ends or ``should_stop`` in any process."""
        trainer, config, group = self.trainer, self.trainer.config, self.group
        first_step = trainer.step
        batches_of_process = micro_batches(trainer, self.samples)
        log = TrainingLog(
            self.out if self.is_main else None, config.views, self.trackers
        )
        faults = FaultCounter(config.views // group.size)
        with (
            profiling(self.options.profile, self.out if self.is_main else None) as tick,
            tqdm(
                total=config.steps,
                initial=first_step,
                unit="step",
                disable=not self.is_main,
            ) as progress,
        ):
            if first_step == 0 and self.options.init is not None:
                self.validate()  # what the training has to better
            while trainer.step < config.steps:
                started = time.monotonic()
                batches = [next(batches_of_process) for _ in range(config.accumulate)]
                data_wait_s = time.monotonic() - started
                for batch in batches:
                    faults.add(batch.pop("fault"))
                log.add(trainer.train_step(batches), data_wait_s)
                faults.check(trainer.step - first_step)
                progress.update()
                tick()
                if trainer.step % config.log_every == 0:
                    means = log.write(trainer.step)
                    progress.set_postfix({k: means[k] for k in trainer.PROGRESS_PARTS})
                done = self.validate()
                if group.any_rank(done or should_stop()):
                    break
                if (
                    trainer.step % config.save_every == 0
                    and trainer.step < config.steps
                ):
                    self.save()
            log.write(trainer.step)
        if self.is_main:
            finished = f"finished at step {first_step}; extend the run with steps=N"
            told = log.summary() if trainer.step > first_step else finished
            tqdm.write(told, file=sys.stderr)
            if self._validation is not None and self._validation.is_exhausted:
                best = int(trainer.best["step"])
                tqdm.write(f"no better score since step {best}", file=sys.stderr)
        self.save()

    def close(self) -> None:
        """Have the trackers send what is left, also of a run that fails."""
        for tracker in self.trackers:
            tracker.close()


class FaultCounter:
    """Counts unusable images; a few files are skipped, more are an error.

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
            ZimError: more than MAX_FAULT_SHARE of the samples had an unusable image,
                and these are more than MAX_FEW_FAULTS files.
        """
        few = len(self.reported) <= MAX_FEW_FAULTS
        if not few and self.count > MAX_FAULT_SHARE * self.views * steps:
            raise ZimError(
                f"{self.count} of {self.views * steps} samples had unusable images, the"
                f" last one: {next(reversed(self.reported))}",
                "Repair or remove them, then resume: saved states are kept.",
            )


def micro_batches(
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
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent's matter

    cv2.setNumThreads(1)
    torch.set_num_threads(1)
