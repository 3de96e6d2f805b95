"""Running a batch: images are read ahead and results written in background threads.

The engine is called on the thread that runs the generator.  Other threads decode the
next images and write earlier results meanwhile, as many as the memory limit allows.  An
error of one image is reported and does not stop the others.
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
from zim_app.core.batch.journal import BatchJournal, BatchRecord, BatchRow, State
from zim_app.core.batch.plan import BatchPlan
from zim_app.core.batch.prompt_sources import PromptResolver, ResolvedPrompts
from zim_app.core.batch.resume import NO_PROMPTS, ResumeIndex, rows_without_job
from zim_app.core.batch.writing import (
    ResultWriter,
    SolvedImage,
    check_folder,
    prepare_output,
    record_failure,
    remove_partial_files,
)
from zim_app.core.images import Image, load_image
from zim_app.core.saved_work import ObjectStack
from zim_app.core.session_store import SessionStore
from zim_model.errors import Cancelled, ZimError, msg
from zim_model.finish import Finish
from zim_model.inference.subject import SubjectSelector
from zim_model.recipe import Recipe, SceneObject
from zim_model.request import CancelCheck, Matte, Request
from zim_model.runtime.atomic_files import describe_os_error
from zim_model.runtime.jobs import Progress, RunControl

if TYPE_CHECKING:
    from zim_model.inference.automatic import FoundObject

WORKERS = max(1, min(8, (os.cpu_count() or 1) // 2))
"""Threads that read, and as many that write: compressing the pixels of a file takes
longer than a GPU takes for their matte."""
MEMORY = 1 << 30
"""Bytes of decoded images and mattes, beyond the image in the engine."""


class BatchEngine(Protocol):
    """The part of :class:`zim_model.inference.engine.Engine` that a batch uses."""

    @property
    def device(self) -> str | None:
        """The device that was chosen for models; None takes the best."""

    def solve(self, request: Request, cancelled: CancelCheck = ...) -> Matte:
        """The matte of a request."""

    def subject(
        self, request: Request, cancelled: CancelCheck = ...
    ) -> FoundObject | None:
        """The main object of the request's image."""


@dataclass(frozen=True, slots=True)
class JobStarted:
    """The model starts on an image."""

    image: str


@dataclass(frozen=True, slots=True)
class JobFinished:
    """An image is finished.

    Attributes:
        row: its result.
        done: number of finished images.
        total: number of all images.
        seconds_left: estimated from this run so far; None while unknown.
    """

    row: BatchRow
    done: int
    total: int
    seconds_left: float | None


Event = JobStarted | JobFinished


@dataclass(frozen=True, slots=True, eq=False)
class LoadedJob:
    """A decoded image with its prompts."""

    job: Job
    image: Image
    resolved: ResolvedPrompts
    record: BatchRecord
    read_ms: float

    @property
    def nbytes(self) -> int:
        """Bytes of memory of the image with one matte."""
        return image_bytes(self.image)


def image_bytes(image: Image) -> int:
    """Bytes of memory of a decoded image and one matte of it."""
    arrays = [image.rgb, image.source_alpha]
    if image.source is not image.rgb:
        arrays.append(image.source)
    pixels = image.height * image.width
    return sum(a.nbytes for a in arrays if a is not None) + 2 * pixels


class _SynchronousExecutor:
    """An executor that calls the function in ``submit``, on the calling thread."""

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
    plan: BatchPlan,
    engine: BatchEngine,
    *,
    workers: int = WORKERS,
    memory: int = MEMORY,
    store: SessionStore | None = None,
    control: RunControl | None = None,
) -> Iterator[Event]:
    """Run a batch, without images that earlier runs finished; a generator of events.

    The batch proceeds as events are taken.  Closing the generator, or cancelling,
    ends it after the results that are being written are complete; they are kept.

    Args:
        plan: of the batch.
        engine: called on the calling thread only.
        workers: threads that read ahead, and as many that write; with 0 all is done on
            the calling thread.
        memory: bytes of images read ahead and results not yet written.
        store: of the studio's sessions; None is the default one.
        control: pauses before an image, and cancels, the engine too.

    Raises:
        ZimError: the plan is invalid, the journal cannot be read, or the output folder
            cannot be written to.
    """
    plan.validate()
    prepare_output(plan)
    control = control or RunControl()
    yield from _BatchRun(plan, engine, workers, memory, store, control).events()


class _BatchRun:
    def __init__(
        self,
        plan: BatchPlan,
        engine: BatchEngine,
        workers: int,
        memory: int,
        store: SessionStore | None,
        control: RunControl,
    ) -> None:
        self._plan, self._engine = plan, engine
        self._subjects = SubjectSelector(engine)
        self._control, self._memory = control, memory
        self._jobs = plan.own_jobs
        self._resolver = PromptResolver(plan.prompt_policy, plan.jobs, store)
        self._journal = BatchJournal(plan.output)
        self._writer = ResultWriter(plan, self._journal)
        self._resume_index = ResumeIndex(plan, self._resolver, self._journal.records)
        self._ahead = 2 * workers or 1
        self._readers, self._writers = (
            ThreadPoolExecutor(workers, f"batch-{name}")
            if workers
            else _SynchronousExecutor()
            for name in ("read", "write")
        )
        self._reading: deque[tuple[Job, Future[LoadedJob | BatchRow]]] = deque()
        self._writing: deque[tuple[int, Future[BatchRow]]] = deque()
        self._largest = 0

    def events(self) -> Iterator[Event]:
        without_job = rows_without_job(self._plan, self._resolver)
        self._progress = Progress(len(self._jobs) + len(without_job))
        remove_partial_files(self._plan)
        try:
            for row in without_job:
                record_failure(self._journal, BatchRecord(row))
                yield self._finished_event(row)
            try:
                yield from self._process_jobs()
            except Cancelled:
                self._cancel_reads()
            while self._writing:
                yield self._finished_event(self._writing.popleft()[1].result())
        finally:
            self._shut_down()

    def _process_jobs(self) -> Iterator[Event]:
        waiting = deque(self._jobs)
        while waiting or self._reading:
            self._progress.wait(self._control)
            if self._control.cancelled():
                raise Cancelled
            self._read_ahead(waiting)
            job, future = self._reading.popleft()
            read = future.result()
            row = read if isinstance(read, BatchRow) else None
            if isinstance(read, LoadedJob):
                self._largest = max(self._largest, read.nbytes)
            if self._ahead > 1:  # else reading would block here
                self._read_ahead(waiting)
            if isinstance(read, LoadedJob):
                yield JobStarted(job.relative)
                row = self._predict_and_write(read)
            if row is not None:
                yield self._finished_event(row)
            yield from self._written_events()

    def _cancel_reads(self) -> None:
        for _, future in self._reading:
            future.cancel()
        self._reading.clear()

    def _shut_down(self) -> None:
        """Wait for the files that are being written, and end the threads."""
        self._cancel_reads()
        self._readers.shutdown()
        self._writers.shutdown()
        self._journal.close()

    def _finished_event(self, row: BatchRow) -> JobFinished:
        progress = self._progress
        progress.add(worked=row.state != "kept")
        return JobFinished(row, progress.done, progress.total, progress.seconds_left)

    # -- Reading ---------------------------------------------------------------------

    def _read_ahead(self, waiting: deque[Job]) -> None:
        """Submit reads of the next images, at least one, within the memory limit."""
        # Their size is estimated from the images read so far.
        limit = self._ahead if self._largest else max(1, self._ahead // 2)
        while waiting and len(self._reading) < limit:
            held = len(self._reading) * self._largest
            held += sum(nbytes for nbytes, _ in self._writing)
            if self._reading and held + self._largest > self._memory:
                return
            job = waiting.popleft()
            work = partial(self._read, job)
            self._reading.append((job, self._readers.submit(work)))

    def _read(self, job: Job) -> LoadedJob | BatchRow:
        try:
            return self._load(job)
        except ZimError as error:
            return self._failure_row(job, error)
        except Exception as error:
            return self._failure_row(job, _unexpected_error(job, error))

    def _load(self, job: Job) -> LoadedJob | BatchRow:
        started = time.perf_counter()
        row = self._resume_index.reusable_row(job)
        if row is not None:
            return row
        check_folder(self._plan.output / job.folder)
        image = load_image(job.path)
        resolved = self._resolver.resolve(job, image.key, image.height, image.width)
        if resolved is None:
            return self._failure_row(job, NO_PROMPTS, state="skipped")
        record = self._resume_index.new_record(job, image.key, resolved)
        read_ms = (time.perf_counter() - started) * 1e3
        return LoadedJob(job, image, resolved, record, read_ms)

    # -- The engine ------------------------------------------------------------------

    def _predict_and_write(self, loaded: LoadedJob) -> BatchRow | None:
        """Run the engine and submit the writing; the row if the engine failed."""
        try:
            solved = self._solve_objects(loaded)
        except ZimError as error:
            return self._failure_row(loaded.job, error, loaded.resolved)
        except Cancelled:
            raise
        except Exception as error:
            return self._failure_row(
                loaded.job, _unexpected_error(loaded.job, error), loaded.resolved
            )
        work = partial(self._write, solved)
        self._writing.append((solved.nbytes, self._writers.submit(work)))
        return None

    def _solve_objects(self, loaded: LoadedJob) -> SolvedImage:
        stack = loaded.resolved.stack
        search_ms = 0.0
        if stack is None:
            started = time.perf_counter()
            stack = self._find_main_object(loaded)
            search_ms = (time.perf_counter() - started) * 1e3
        solved = SolvedImage.start(
            *(loaded.job, loaded.image, loaded.resolved.source, loaded.record),
            earlier_model=stack.was_made_by_earlier_model,
        )
        for entry in solved.objects_to_solve(stack, self._plan.export):
            finish = replace(
                entry.recipe.finish, decontaminate=0.0
            )  # the export's task
            recipe = replace(entry.recipe, finish=finish)
            request = Request(loaded.image.rgb, loaded.image.key, recipe)
            matte = self._engine.solve(request, self._control.cancelled)
            solved = solved.with_matte(entry, matte)
        return solved.with_timings(loaded.read_ms, search_ms)

    def _find_main_object(self, loaded: LoadedJob) -> ObjectStack:
        """The main object of an image.

        Raises:
            ZimError: no object was found, or the automatic network cannot be used.
        """
        finish = Finish(clean_edge=loaded.resolved.clean_edge)
        base = Recipe(model=loaded.resolved.model, finish=finish)
        request = Request(loaded.image.rgb, loaded.image.key, base)
        network = loaded.resolved.subject_network
        recipe = self._subjects.select(request, network, self._control.cancelled)
        return ObjectStack((SceneObject(recipe=recipe),))

    # -- Writing ---------------------------------------------------------------------

    def _written_events(self) -> Iterator[Event]:
        """Events of written results; blocks while the queue is over its limits."""
        while self._writing:
            held = sum(nbytes for nbytes, _ in self._writing)
            full = len(self._writing) >= self._ahead or held > self._memory
            if not full and not self._writing[0][1].done():
                return
            yield self._finished_event(self._writing.popleft()[1].result())

    def _write(self, solved: SolvedImage) -> BatchRow:
        try:
            return self._writer.write(solved)
        except ZimError as error:
            problem = error
        except OSError as error:
            reason, cure = describe_os_error(error)
            problem = ZimError(
                msg("Its results cannot be written: {reason}.", reason=reason), cure
            )
        except Exception as error:
            problem = _unexpected_error(solved.job, error)
        return self._failure_row(solved.job, problem, row=solved.row)

    # -- Failures --------------------------------------------------------------------

    def _failure_row(
        self,
        job: Job,
        error: ZimError,
        resolved: ResolvedPrompts | None = None,
        row: BatchRow | None = None,
        state: State = "failed",
    ) -> BatchRow:
        row = row or BatchRow(job.relative, state, resolved.source if resolved else "")
        row = replace(
            row, state=state, outputs=(), message=error.message, hint=error.hint
        )
        record_failure(self._journal, BatchRecord(row))
        return row


def _unexpected_error(job: Job, error: Exception) -> ZimError:
    """Log an unexpected exception; the error for the row of its image."""
    logging.getLogger(__name__).exception("batch: %s", job.path)
    what = f"{type(error).__name__}: {error}".rstrip(": ")
    return ZimError(
        msg("Something unexpected happened ({what}).", what=what),
        msg("Please report this."),
    )
