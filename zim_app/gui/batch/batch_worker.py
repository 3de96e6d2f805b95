"""Batches off the window's thread: looking ahead, running, pausing, stopping."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal, Slot

from zim_app.core.export_options import ExportOptions
from zim_app.gui.workers.shared_engine import LentEngine
from zim_app.gui.workers.warmup import import_readers
from zim_app.gui.workers.worker_thread import Lane, Task
from zim_model.errors import Cancelled, ZimError
from zim_model.request import CancelCheck
from zim_model.weights.catalogue import DEFAULT_MODEL

if TYPE_CHECKING:
    from zim_app.core.batch.journal import Row
    from zim_app.core.batch.plan import Plan
    from zim_app.core.batch.resume import Foreseen
    from zim_app.core.batch.runner import Event


EXPORT = ExportOptions(scope="together")
"""What is written at first: one cut-out a picture."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the dialog says, before anybody looked at the disk.

    Attributes:
        folder: to read, unless there are ``pictures``.
        pictures: to take instead.
        recursive: also folders in the folder.
        output: folder to write to; None while none was chosen.
        recipes: prompts from the studio and from projects.
        table: a file of prompts.
        box: one relative box for all: left, top, right and bottom, 0 to 1.
        automatic: find the main object.
        model: for prompts that name none.
        export: what is written, and how.
    """

    folder: Path | None = None
    pictures: tuple[Path, ...] = ()
    recursive: bool = False
    output: Path | None = None
    recipes: bool = True
    table: Path | None = None
    box: tuple[float, float, float, float] | None = None
    automatic: bool = False
    model: str = DEFAULT_MODEL
    export: ExportOptions = EXPORT


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a run would do.

    Attributes:
        plan: of the run.
        pictures: what would come of each.
    """

    plan: Plan
    pictures: tuple[Foreseen, ...]


class BatchWork(QObject):
    """Looks at what a batch would do, and runs one at a time.

    Pictures are read and written on threads of the batch's own; the model runs on the
    engine's thread, when the window needs it for nothing else.

    **Signals**

    - ``foreseen(wish, outlook)``: the answer to the newest :meth:`look`.
    - ``objected(wish, error)``: why there is none; any exception.
    - ``told(event)``: a :data:`~zim_app.core.batch.runner.Event` of the run.
    - ``ended(rows, files, error)``: the run is over, or was stopped; ``error`` is None,
      or the exception that ended it.
    - ``state_changed()``: ``running``, ``paused`` or ``stopping`` has changed.

    **Threads**: lives on the window's thread.
    """

    foreseen = Signal(object, object)
    objected = Signal(object, object)
    told = Signal(object)
    ended = Signal(object, object, object)
    state_changed = Signal()
    _heard = Signal(object)  # on the batch's thread

    def __init__(self, engine: LentEngine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._looked_at: threading.Event | None = None
        self._stop = threading.Event()
        self._going = threading.Event()
        self._going.set()
        self.running = False
        self._looking = Lane("batch-plan", waiting=1, parent=self)
        self._lane = Lane("batch", parent=self)
        self._looking.finished.connect(self._on_looking_finished)
        self._lane.finished.connect(self._on_lane_finished)
        self._heard.connect(self.told)

    @property
    def idle(self) -> bool:
        """Whether nothing runs and nobody looks ahead."""
        return self._looking.idle and self._lane.idle

    @property
    def paused(self) -> bool:
        """Whether the run waits before its next picture."""
        return self.running and not self._going.is_set()

    @property
    def stopping(self) -> bool:
        """Whether the run finishes what it is writing."""
        return self.running and self._stop.is_set()

    def look(self, wish: Wish) -> None:
        """Find out what a run would do; the latest wish wins."""
        if self._looked_at is not None:
            self._looked_at.set()
        self._looked_at = over = threading.Event()
        work = partial(_look, wish, over.is_set)
        self._looking.submit(Task("look", wish, work))

    def run(self, plan: Plan) -> None:
        """Begin, or go on where an earlier run of the same plan ended."""
        assert not self.running
        self._stop = threading.Event()
        self._going.set()
        self.running = True
        work = partial(
            _run, plan, self._engine, self._stop, self._going, self._heard.emit
        )
        self._lane.submit(Task("run", plan, work))
        self.state_changed.emit()

    @Slot(bool)
    def set_paused(self, paused: bool) -> None:
        """Wait before the next picture, or go on."""
        if paused:
            self._going.clear()
        else:
            self._going.set()
        self.state_changed.emit()

    @Slot()
    def stop(self) -> None:
        """End the run as soon as the results being written are whole."""
        self._stop.set()
        self._going.set()
        self.state_changed.emit()

    def close(self) -> None:
        """Stop and return when the threads have ended; what is done is kept."""
        if self._looked_at is not None:
            self._looked_at.set()
        self._stop.set()
        self._going.set()
        self._looking.close()
        self._lane.close()

    @Slot(object, object, object)
    def _on_looking_finished(
        self, task: Task, outlook: Any, error: Exception | None
    ) -> None:
        if not self._looking.idle or isinstance(error, Cancelled):
            return  # a later wish is looked at
        if error is None:
            self.foreseen.emit(task.subject, outlook)
        else:
            self.objected.emit(task.subject, error)

    @Slot(object, object, object)
    def _on_lane_finished(
        self, task: Task, result: Any, error: Exception | None
    ) -> None:
        self.running = False
        rows, files = result or ([], [])
        self.state_changed.emit()
        self.ended.emit(rows, files, error)


# -- On other threads ----------------------------------------------------------------


def _look(wish: Wish, over: CancelCheck) -> Outlook:
    import_readers()
    from zim_app.core.batch.resume import foresee

    plan = plan_of(wish)
    pictures = []
    for picture in foresee(plan):
        pictures.append(picture)
        if over():
            raise Cancelled
    return Outlook(plan, tuple(pictures))


def plan_of(wish: Wish) -> Plan:
    """The plan that a wish comes to.

    Raises:
        ZimError: it is impossible.
    """
    from zim_app.core.batch.jobs import jobs_of_folder, jobs_of_pictures
    from zim_app.core.batch.plan import Plan
    from zim_app.core.batch.prompt_sources import Prompting
    from zim_app.core.batch.prompt_table import RelativeBox, read_table

    if wish.folder is None and not wish.pictures:
        raise ZimError("Choose a folder of pictures.")
    if wish.output is None:
        raise ZimError("Choose a folder for the results.")
    if wish.pictures:
        jobs = jobs_of_pictures(wish.pictures)
    else:
        assert wish.folder is not None
        jobs = jobs_of_folder(wish.folder, wish.output, recursive=wish.recursive)
    table = read_table(wish.table) if wish.table else None
    box = RelativeBox(*wish.box) if wish.box else None
    prompting = Prompting(wish.recipes, table, box, wish.automatic, wish.model)
    return Plan(jobs, wish.output, prompting, wish.export).validated()


def _run(
    plan: Plan,
    engine: LentEngine,
    stop: threading.Event,
    going: threading.Event,
    tell: Callable[[Event], None],
) -> tuple[list[Row], list[Path]]:
    import_readers()
    from zim_app.core.batch.reports import write_reports
    from zim_app.core.batch.runner import Ended, run

    rows = []
    for event in run(plan, engine, cancelled=stop.is_set, wait=going.wait):
        tell(event)
        if isinstance(event, Ended):
            rows.append(event.row)
    return rows, write_reports(plan, rows) if rows else []
