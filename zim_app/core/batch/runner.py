"""Doing a batch: pictures are read ahead and results written behind the model.

The thread that runs the generator is the one that asks the engine.  Others decode the
next pictures and write the earlier ones meanwhile, as many as the memory allows.  What
goes wrong with one picture is told, and never stops the others.
"""

from __future__ import annotations

import logging
import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from zim_app.core.batch.jobs import Job
from zim_app.core.batch.journal import Journal, Record, Row, State
from zim_app.core.batch.plan import Plan
from zim_app.core.batch.prompt_sources import Asked, Sources
from zim_app.core.batch.resume import NOTHING_ASKED, Earlier
from zim_app.core.batch.writing import Results, Solved, keep_record, remove_remains
from zim_app.core.images import Picture, load_picture
from zim_app.core.saved_work import Work
from zim_app.core.session_store import SessionStore
from zim_model.errors import Cancelled, ZimError
from zim_model.recipe import Recipe, SceneObject
from zim_model.request import CancelCheck, Matte, Options, Request, never
from zim_model.runtime.atomic_files import explain

if TYPE_CHECKING:
    from zim_model.inference.automatic import Found

WORKERS = max(1, min(8, (os.cpu_count() or 1) // 2))
"""Threads that read, and as many that write: packing the pixels of a file takes longer
than a card takes for their matte."""
MEMORY = 1 << 30
"""Bytes of decoded pictures and mattes, beyond the one that is worked on."""


class BatchEngine(Protocol):
    """What a batch needs of :class:`zim_model.inference.engine.Engine`."""

    def solve(self, request: Request, cancelled: CancelCheck = ...) -> Matte:
        """Answer the request."""

    def everything(
        self, request: Request, options: None = ..., cancelled: CancelCheck = ...
    ) -> tuple[Found, ...]:
        """Find the objects of the request's image."""


@dataclass(frozen=True, slots=True)
class Begun:
    """The model is about to work on a picture."""

    picture: str


@dataclass(frozen=True, slots=True)
class Ended:
    """A picture is dealt with.

    Attributes:
        row: what came of it.
        done: how many are dealt with by now.
        total: how many there are.
    """

    row: Row
    done: int
    total: int


Event = Begun | Ended


@dataclass(frozen=True, slots=True, eq=False)
class Ready:
    """A picture that was read, and what is asked of it."""

    job: Job
    picture: Picture
    asked: Asked
    record: Record
    read_ms: float

    @property
    def nbytes(self) -> int:
        """Bytes of memory that the picture takes, with a matte."""
        return picture_bytes(self.picture)


def picture_bytes(picture: Picture) -> int:
    """Bytes of memory of a decoded picture and one matte of it."""
    arrays = [picture.rgb, picture.source_alpha]
    if picture.source is not picture.rgb:
        arrays.append(picture.source)
    pixels = picture.height * picture.width
    return sum(a.nbytes for a in arrays if a is not None) + 2 * pixels


class _AtOnce:
    """An executor that does the work where it is submitted."""

    def submit(self, work: Callable[[], Any]) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)
        return future

    def shutdown(self) -> None:
        pass


def run(
    plan: Plan,
    engine: BatchEngine,
    *,
    workers: int = WORKERS,
    memory: int = MEMORY,
    store: SessionStore | None = None,
    cancelled: CancelCheck = never,
    wait: Callable[[], object] = lambda: None,
) -> Iterator[Event]:
    """Do a batch, but for what earlier runs did; the work goes on as events are taken.

    Closing the generator, or ``cancelled``, ends it as soon as the results being
    written are whole; they are kept.

    Args:
        plan: what to do.
        engine: asked on the calling thread only.
        workers: threads that read ahead, and as many that write behind; 0 does
            everything on the calling thread.
        memory: bytes of pictures read ahead and results not yet written.
        store: of the studio's sessions; None takes the usual one.
        cancelled: polled now and then, and by the engine.
        wait: called before each picture; may take its time, as when paused.

    Raises:
        ZimError: the plan cannot be followed, or the journal not be read.
    """
    plan.validated()
    yield from _Run(plan, engine, workers, memory, store, cancelled, wait).events()


class _Run:
    def __init__(
        self,
        plan: Plan,
        engine: BatchEngine,
        workers: int,
        memory: int,
        store: SessionStore | None,
        cancelled: CancelCheck,
        wait: Callable[[], object],
    ) -> None:
        self._plan, self._engine = plan, engine
        self._cancelled, self._wait, self._memory = cancelled, wait, memory
        self._jobs = plan.own_jobs
        self._sources = Sources(plan.prompting, plan.jobs, store)
        self._journal = Journal.open(plan.output)
        self._results = Results(plan, self._journal)
        self._earlier = Earlier(plan, self._sources, self._journal.records)
        self._ahead = 2 * workers or 1
        self._readers, self._writers = (
            ThreadPoolExecutor(workers, f"batch-{name}") if workers else _AtOnce()
            for name in ("read", "write")
        )
        self._reading: deque[tuple[Job, Future[Ready | Row]]] = deque()
        self._writing: deque[tuple[int, Future[Row]]] = deque()
        self._largest = 0
        self._done = 0

    def events(self) -> Iterator[Event]:
        absent = [
            image
            for image in self._sources.unused_entries(self._plan.jobs)
            if self._plan.shard.has(image)
        ]
        self._total = len(self._jobs) + len(absent)
        remove_remains(self._plan)
        try:
            for image in absent:
                yield self._ended(self._absent(image))
            try:
                yield from self._worked_on()
            except Cancelled:
                self._give_up_reading()
            while self._writing:
                yield self._ended(self._writing.popleft()[1].result())
        finally:
            self._wind_up()

    def _worked_on(self) -> Iterator[Event]:
        waiting = deque(self._jobs)
        while waiting or self._reading:
            self._wait()
            if self._cancelled():
                raise Cancelled
            self._read_ahead(waiting)
            job, future = self._reading.popleft()
            read = future.result()
            row = read if isinstance(read, Row) else None
            if isinstance(read, Ready):
                self._largest = max(self._largest, read.nbytes)
            if self._ahead > 1:  # else it would be read here and now
                self._read_ahead(waiting)
            if isinstance(read, Ready):
                yield Begun(job.relative)
                row = self._answered(read)
            if row is not None:
                yield self._ended(row)
            yield from self._written()

    def _give_up_reading(self) -> None:
        for _, future in self._reading:
            future.cancel()
        self._reading.clear()

    def _wind_up(self) -> None:
        """Let what is being written become whole, and end the threads."""
        self._give_up_reading()
        self._readers.shutdown()
        self._writers.shutdown()
        self._journal.close()

    def _ended(self, row: Row) -> Ended:
        self._done += 1
        return Ended(row, self._done, self._total)

    # -- Reading ---------------------------------------------------------------------

    def _read_ahead(self, waiting: deque[Job]) -> None:
        """Have the next pictures read, at least one, within the memory allowed."""
        # How large they are is known from the first one on.
        most = self._ahead if self._largest else max(1, self._ahead // 2)
        while waiting and len(self._reading) < most:
            held = len(self._reading) * self._largest
            held += sum(nbytes for nbytes, _ in self._writing)
            if self._reading and held + self._largest > self._memory:
                return
            job = waiting.popleft()
            work = partial(self._read, job)
            self._reading.append((job, self._readers.submit(work)))

    def _read(self, job: Job) -> Ready | Row:
        try:
            return self._opened(job)
        except ZimError as error:
            return self._failed(job, error)
        except Exception as error:
            return self._failed(job, _surprise(job, error))

    def _opened(self, job: Job) -> Ready | Row:
        started = time.perf_counter()
        kept = self._earlier.kept(job)
        if kept is not None:
            return kept
        picture = load_picture(job.path)
        asked = self._sources.decide(job, picture.key, picture.height, picture.width)
        if asked is None:
            return self._failed(job, NOTHING_ASKED, state="skipped")
        record = self._earlier.new_record(job, picture.key, asked)
        read_ms = (time.perf_counter() - started) * 1e3
        return Ready(job, picture, asked, record, read_ms)

    # -- The engine ------------------------------------------------------------------

    def _answered(self, ready: Ready) -> Row | None:
        """Ask the engine, and have the answer written; a row where it has none."""
        try:
            solved = self._solved(ready)
        except ZimError as error:
            return self._failed(ready.job, error, ready.asked)
        except Cancelled:
            raise
        except Exception as error:
            return self._failed(ready.job, _surprise(ready.job, error), ready.asked)
        work = partial(self._write, solved)
        self._writing.append((solved.nbytes, self._writers.submit(work)))
        return None

    def _solved(self, ready: Ready) -> Solved:
        work = ready.asked.work
        found_ms = 0.0
        if work is None:
            started = time.perf_counter()
            work = self._main_object(ready)
            found_ms = (time.perf_counter() - started) * 1e3
        solved = Solved.of(ready.job, ready.picture, ready.asked.source, ready.record)
        for entry in solved.chosen(work, self._plan.export):
            finish = replace(
                entry.recipe.finish, decontaminate=0.0
            )  # the export's task
            recipe = replace(entry.recipe, finish=finish)
            request = recipe.request(ready.picture.rgb, ready.picture.key)
            matte = self._engine.solve(request, self._cancelled)
            solved = solved.with_answer(entry, matte)
        return solved.timed(ready.read_ms, found_ms)

    def _main_object(self, ready: Ready) -> Work:
        """The object that the picture is about, found by the model.

        Raises:
            ZimError: there is none.
        """
        from zim_model.inference.main_object import main_object

        base = Recipe(model=ready.asked.model)
        request = base.request(ready.picture.rgb, ready.picture.key)
        found = main_object(self._engine.everything(request, None, self._cancelled))
        if found is None:
            raise ZimError(
                "No object was found in this picture.", "Give it prompts instead."
            )
        options = Options(candidate=found.candidate)
        recipe = replace(base, prompts=found.prompts, options=options)
        return Work((SceneObject(recipe=recipe),))

    # -- Writing ---------------------------------------------------------------------

    def _written(self) -> Iterator[Event]:
        """Tell of what was written; wait for it where too much is waiting."""
        while self._writing:
            held = sum(nbytes for nbytes, _ in self._writing)
            full = len(self._writing) >= self._ahead or held > self._memory
            if not full and not self._writing[0][1].done():
                return
            yield self._ended(self._writing.popleft()[1].result())

    def _write(self, solved: Solved) -> Row:
        try:
            return self._results.write(solved)
        except ZimError as error:
            problem = error
        except OSError as error:
            reason, cure = explain(error)
            problem = ZimError(f"Its results cannot be written: {reason}.", cure)
        except Exception as error:
            problem = _surprise(solved.job, error)
        return self._failed(solved.job, problem, row=solved.row)

    # -- Failures --------------------------------------------------------------------

    def _failed(
        self,
        job: Job,
        error: ZimError,
        asked: Asked | None = None,
        row: Row | None = None,
        state: State = "failed",
    ) -> Row:
        row = row or Row(job.relative, state, asked.source if asked else "")
        row = replace(
            row, state=state, outputs=(), message=error.message, hint=error.hint
        )
        keep_record(self._journal, Record(row))
        return row

    def _absent(self, image: str) -> Row:
        table = self._plan.prompting.table
        entry = table.entries[image] if table else None
        problem = entry.problem if entry else ""
        name = table.name if table else ""
        message = (
            problem or f"{name} names it, but there is no such picture, or several."
        )
        row = Row(image, "failed", "table", message)
        keep_record(self._journal, Record(row))
        return row


def _surprise(job: Job, error: Exception) -> ZimError:
    """An error that nobody expected: one picture's, not the end of the batch."""
    logging.getLogger(__name__).exception("batch: %s", job.path)
    what = f"{type(error).__name__}: {error}".rstrip(": ")
    return ZimError(f"Something unexpected happened ({what}).", "Please report this.")
