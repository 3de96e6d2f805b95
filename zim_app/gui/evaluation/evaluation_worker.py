"""What the evaluation window has done on other threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal, Slot

from zim_app.gui.evaluation.case_images import Look, Sight, answer, given_prompts, see
from zim_app.gui.evaluation.results import Summary, read_results, report_of, summarised
from zim_app.gui.workers.warmup import import_readers, import_torch
from zim_app.gui.workers.worker_thread import Lane, Task
from zim_model.errors import Cancelled, ZimError
from zim_model.evaluation.datasets import Dataset, open_dataset
from zim_model.evaluation.events import Control, Event, Finished, Paused
from zim_model.evaluation.journal import Config, Key, Row
from zim_model.evaluation.mini import make_mini
from zim_model.evaluation.report import Report
from zim_model.evaluation.report_formats import WRITERS, write_report
from zim_model.evaluation.runner import RunOptions, evaluate
from zim_model.evaluation.systems import Model, PromptKind, System
from zim_model.runtime.atomic_files import explain, replacing
from zim_model.runtime.devices import DeviceChoice

if TYPE_CHECKING:
    from zim_model.inference.engine import Engine

CACHE_BYTES = 256 * 2**20
"""Features are of use only while the questions about one picture are answered."""


def make_engine() -> Engine:
    """The evaluation's own engine; runs on the worker thread."""
    import_torch()
    from zim_model.inference.engine import Engine

    return Engine(cache_bytes=CACHE_BYTES)


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """A run that the user wants.

    Attributes:
        dataset, systems, prompts, out, options: see :func:`evaluate`.
        device: of the models.
    """

    dataset: Dataset
    systems: tuple[System, ...]
    prompts: tuple[PromptKind, ...]
    out: Path
    options: RunOptions
    device: DeviceChoice

    @property
    def config(self) -> Config:
        """What its journal will say of it, but for the models' fingerprints."""
        dataset = self.dataset
        return Config(
            dataset.name,
            dataset.layout,
            {
                system.name: "model" if isinstance(system, Model) else "predictions"
                for system in self.systems
            },
            tuple(map(str, self.prompts)),
            {
                "upsampling": self.options.upsampling,
                "region": self.options.region or dataset.region,
                "truth": "masks" if dataset.masks else "mattes",
            },
            len(dataset.cases),
            dataset.problems,
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended.

    Attributes:
        complete: whether all rows are there; false when it was stopped.
        report: of all that lies in the folder of results.
        written: files of the report; none when it was stopped.
    """

    complete: bool
    report: Report
    written: tuple[Path, ...] = ()


class _Evaluator:
    """Owns the engine; all methods run on the worker thread.

    ``wanted`` is the newest sight that somebody waits for: the window's thread writes
    it, this one reads it.  A reference is read or written as a whole, so that no lock
    is needed; ``woken`` is set after it was written.
    """

    def __init__(
        self,
        factory: Callable[[], Engine],
        tell: Callable[[Event], None],
        show: Callable[[Sight | None, object], None],
    ) -> None:
        self.wanted: Sight | None = None
        self.woken = threading.Event()
        self.device = DeviceChoice()
        self._served: Sight | None = None
        self._factory, self._tell, self._show = factory, tell, show
        self._engine: Engine | None = None

    def run(self, job: Job, control: Control) -> Outcome:
        """Do a run; between its rows, and while it waits, sights are served."""
        complete = False
        self.device = job.device
        events = evaluate(
            job.dataset,
            job.systems,
            job.out,
            prompts=job.prompts,
            options=job.options,
            control=control,
            engine=self.engine(),
        )
        for event in events:
            if isinstance(event, Finished):
                complete = event.complete
            else:
                self._tell(event)
            self.serve()
            if isinstance(event, Paused):
                self._wait(control)
        report = read_results(job.out)
        assert report is not None
        if not complete:
            return Outcome(complete, report)
        return Outcome(complete, report, write_report(report, job.out, job.dataset))

    def _wait(self, control: Control) -> None:
        """Serve sights until the run may go on."""
        while control.paused:
            self.woken.wait()
            self.woken.clear()
            self.serve()

    def serve(self) -> None:
        """Make the answer to what somebody looks at, unless it is made already."""
        sight = self.wanted
        if sight is None or sight is self._served:
            return
        self._served = sight
        try:
            engine = self.engine()
            self._show(answer(sight, engine, lambda: self.wanted is not sight), None)
        except Cancelled:
            return
        except ZimError as error:
            self._show(sight, error)

    def engine(self) -> Engine:
        """The engine, made when it is first needed."""
        if self._engine is None:
            self._engine = self._factory()
        self._engine.set_device(self.device)
        return self._engine

    def forget(self) -> None:
        """Free the models."""
        self._engine = None


class EvaluationWork(QObject):
    """Runs evaluations, and reads and writes what they are about.

    A run has a thread and an engine of its own, so that a click in the studio waits
    for no row of it.  That costs the memory of the models a second time, on the device
    that is chosen for the evaluation (a second copy of ViT-B is 0.4 GB, and up to
    CACHE_BYTES of features), until :meth:`rest` frees it.  Answers are scored by the
    runner's processes.

    Args:
        factory: makes the engine, on the worker thread.

    **Signals**

    - ``told(event)``: an :class:`Event` of the run, but not the last.
    - ``ended(outcome, error)``: the run is over; one of them is None, unless it was
      stopped before it began, when both are.
    - ``opened(root, dataset, error)``: a folder was looked through for a data set.
    - ``found(out, report, error)``: the results in a folder; both are None if there
      are none.
    - ``summarised(summary)``: of the report that was given.
    - ``seen(sight, error)``: a :class:`Sight`; it may come twice, first with a small
      picture of the answer.  The error says why the whole one cannot be made.
    - ``prompts_found(look, prompts)``: of a row.
    - ``made(root, error)``: the small set.
    - ``exported(paths, error)``: files of a report.
    - ``activity_changed()``: ``running`` may have changed.

    **Threads**: lives on the window's thread.  Runs are on one other, pictures are
    read for the viewer on a second, everything else on a third.
    """

    told = Signal(object)
    ended = Signal(object, object)
    opened = Signal(object, object, object)
    found = Signal(object, object, object)
    summarised = Signal(object)
    seen = Signal(object, object)
    prompts_found = Signal(object, object)
    made = Signal(object, object)
    exported = Signal(object, object)
    activity_changed = Signal()
    _event_told = Signal(object)  # on the worker's thread
    _sight_made = Signal(object, object)  # likewise

    def __init__(
        self,
        factory: Callable[[], Engine] = make_engine,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.control: Control | None = None
        self._evaluator = _Evaluator(
            factory, self._event_told.emit, self._sight_made.emit
        )
        self._runs = Lane("evaluation", parent=self)
        self._looks = Lane("evaluation-looks", waiting=1, parent=self)
        self._files = Lane("evaluation-files", parent=self)
        self._event_told.connect(self.told)
        self._sight_made.connect(self._on_sight_made)
        for lane in (self._runs, self._looks, self._files):
            lane.finished.connect(self._on_lane_finished)

    @property
    def running(self) -> bool:
        """Whether a run is under way, paused ones too."""
        return self.control is not None

    @property
    def idle(self) -> bool:
        """Whether nothing is under way."""
        return all(lane.idle for lane in (self._runs, self._looks, self._files))

    # -- The run ----------------------------------------------------------------------

    def start(self, job: Job) -> None:
        """Begin a run, or go on with the one in its folder."""
        assert not self.running
        job = replace(job, options=replace(job.options, resume=True))
        self.control = Control()
        work = partial(self._evaluator.run, job, self.control)
        self._runs.submit(Task("run", job, work))
        self.activity_changed.emit()

    def pause(self) -> None:
        """Have the run wait after the row under way."""
        if self.control is not None:
            self.control.pause()

    def resume(self) -> None:
        """Have it go on."""
        if self.control is not None:
            self.control.resume()
            self._evaluator.woken.set()

    def stop(self) -> None:
        """End the run; its rows are kept."""
        if self.control is not None:
            self.control.cancel()
            self._evaluator.woken.set()

    def rest(self) -> None:
        """End the run and free the models; the window is not seen any more."""
        self.stop()
        self._evaluator.wanted = None
        self._looks.drop_waiting()
        self._runs.submit(Task("forget", None, self._evaluator.forget))

    def close(self) -> None:
        """End everything and return when the threads have ended."""
        self.rest()
        for lane in (self._runs, self._looks, self._files):
            lane.close()

    # -- Everything else --------------------------------------------------------------

    def open(self, root: Path) -> None:
        """Look through a folder for a data set."""
        self._files.submit(Task("open", root, partial(open_dataset, root)))

    def find(self, out: Path) -> None:
        """Look for results in a folder."""
        self._files.submit(Task("find", out, partial(read_results, out)))

    def summarise(
        self, config: Config, rows: Mapping[Key, Row], total: int | None, out: Path
    ) -> None:
        """Work out the means; arguments are those of :func:`report_of`."""
        kept = dict(rows)  # more come while the other thread reads them
        work = partial(_summarised, config, kept, total, out)
        self._files.submit(Task("summarise", None, work))

    def make_mini(self, folder: Path) -> None:
        """Write a small data set below a folder."""
        self._files.submit(Task("make", folder, partial(make_mini, folder)))

    def look(self, look: Look, device: DeviceChoice) -> None:
        """Show a row; the latest wish wins.

        Args:
            device: where its model runs if its answer has to be made again.
        """
        self._evaluator.wanted = None
        self._looks.submit(Task("look", device, partial(_seen, look)))

    def find_prompts(self, look: Look) -> None:
        """Work out the prompts of a row."""
        self._files.submit(Task("prompts", look, partial(given_prompts, look)))

    def export(
        self, report: Report, dataset: Dataset | None, path: Path, form: str
    ) -> None:
        """Write one file of a report.

        Args:
            form: a name in WRITERS.
        """
        work = partial(_exported, report, dataset, path, form)
        self._files.submit(Task("export", path, work))

    def export_all(self, report: Report, dataset: Dataset | None, out: Path) -> None:
        """Write all files of a report into a folder."""
        work = partial(write_report, report, out, dataset)
        self._files.submit(Task("export", out, work))

    # -- Answers ----------------------------------------------------------------------

    @Slot(object, object, object)
    def _on_lane_finished(
        self, task: Task, result: Any, error: Exception | None
    ) -> None:
        if error is not None and not isinstance(error, ZimError | Cancelled):
            if task.kind == "run":
                self._end_run()
            raise error
        match task.kind:
            case "run":
                self._end_run()
                told = None if isinstance(error, Cancelled) else error
                self.ended.emit(result, told)
            case "look":
                self._show(task.subject, result)
            case "open":
                self.opened.emit(task.subject, result, error)
            case "find":
                self.found.emit(task.subject, result, error)
            case "summarise":
                self.summarised.emit(result)
            case "prompts":
                self.prompts_found.emit(task.subject, result)
            case "make":
                self.made.emit(result, error)
            case "export":
                self.exported.emit(result, error)

    def _end_run(self) -> None:
        self.control = None
        self.activity_changed.emit()

    def _show(self, device: DeviceChoice, sight: Sight) -> None:
        """Show what was read, and have the rest of it made."""
        self.seen.emit(sight, None)
        if not sight.can_be_asked or self._looks.has_waiting:
            return
        self._evaluator.wanted = sight
        if self.running:
            self._evaluator.woken.set()
        else:
            self._evaluator.device = device
            self._runs.submit(Task("serve", None, self._evaluator.serve))

    @Slot(object, object)
    def _on_sight_made(self, sight: Sight, error: ZimError | None) -> None:
        wanted = self._evaluator.wanted
        if wanted is not None and sight.look == wanted.look:
            self.seen.emit(sight, error)


def _summarised(
    config: Config, rows: Mapping[Key, Row], total: int | None, out: Path
) -> Summary:
    return summarised(report_of(config, rows, total, out))


def _seen(look: Look) -> Sight:
    import_readers()
    return see(look)


def _exported(
    report: Report, dataset: Dataset | None, path: Path, form: str
) -> tuple[Path, ...]:
    text = WRITERS[form](report, dataset)
    try:
        with replacing(path) as stream:
            stream.write(text.encode())
    except OSError as error:
        reason, cure = explain(error)
        raise ZimError(f"{path} cannot be written: {reason}.", cure) from error
    return (path,)
