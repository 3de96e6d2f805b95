"""Runs the window's requests on the engine's thread; the latest request wins."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal, Slot

from zim_app.gui.workers.shared_engine import EngineLike, EngineTask, SharedEngine
from zim_app.gui.workers.warmup import import_torch
from zim_app.gui.workers.worker_thread import WorkerTask, WorkerThread
from zim_model.errors import Cancelled, ZimError
from zim_model.request import Matte, ProgressCallback, Request, Timings
from zim_model.runtime.devices import (
    Device,
    DeviceChoice,
    Placement,
    may_have_gpu,
)

if TYPE_CHECKING:
    from zim_app.gui.workers.shared_engine import SearchProgress
    from zim_model.inference.automatic import FoundObject
    from zim_model.inference.trimap_refinement import TrimapSolver

EngineFactory = Callable[[], EngineLike]


def create_engine(cache_bytes: int = 2**30) -> EngineLike:
    """Create the real engine; called on the worker thread.

    It loads torch where a model or a GPU needs it, without blocking the window.

    Args:
        cache_bytes: most memory for the features of encoded images; no more than a
            tenth of what the computer has.
    """
    if may_have_gpu():  # only torch knows more
        import_torch()
    from zim_model.inference import oom_fallback
    from zim_model.inference.engine import Engine

    open_model = partial(oom_fallback.open_placement, before_torch=import_torch)

    def open_trimap(name: str, placement: Placement) -> TrimapSolver:
        import_torch()
        return oom_fallback.open_trimap_network(name, placement)

    return Engine(open_model, cache_bytes, open_trimap)


class _EngineWorker:
    """Owns the engine; all methods run on the worker thread.

    The window's thread writes, and this one reads, ``newest_request``,
    ``preview_wanted`` (whether previews are still wanted), ``search_request`` (of the
    search that is still wanted) and ``choice`` (of the device).  ``devices`` goes the
    other way.  References are read and written atomically, so that no lock is needed.
    """

    def __init__(
        self,
        factory: EngineFactory,
        on_draft: Callable[[Request, Matte], object],
        on_progress: ProgressCallback,
    ) -> None:
        self.newest_request: Request | None = None
        self.preview_wanted = False
        self.choice = DeviceChoice()
        self.devices: tuple[Device, ...] = ()
        self.search_request: Request | None = None
        self.closing = False
        self._factory = factory
        self._on_draft, self._on_progress = on_draft, on_progress
        self._engine: EngineLike | None = None
        self._unreported: tuple[Request, Timings] | None = None

    def warm_up(self) -> EngineLike:
        if self._engine is None:
            self._engine = self._factory()
            self.devices = self._engine.devices()
        self._engine.set_device(self.choice)
        return self._engine

    def prepare(self, request: Request) -> Timings:
        engine = self.warm_up()
        timings = engine.prepare(request, lambda: not self._uses_features_of(request))
        return self._with_unreported(request, timings)

    def solve(self, request: Request) -> Matte:
        # Features serve all prompts, so a newer click must not cancel the encoding.
        # Its time is reported with the first matte that is not cancelled.
        self._unreported = (request, self.prepare(request))
        engine = self.warm_up()

        def superseded() -> bool:
            return self.newest_request is not request

        if request.has_draft:
            draft = engine.solve(replace(request, draft=True), superseded)
            self._on_draft(request, draft)
        matte = engine.solve(request, superseded, self._on_progress)
        timings = self._with_unreported(request, matte.timings)
        return replace(matte, timings=timings)

    def preview(self, request: Request, newest: Request | None) -> Matte:
        """Compute a preview; cancelled by any newer request."""

        def superseded() -> bool:
            return self.newest_request is not newest or not self.preview_wanted

        matte = self.warm_up().solve(request, superseded)
        if matte.timings.notes:  # the window does not show timings of previews
            noted = Timings(0.0, 0.0, "", matte.timings.notes)
            earlier, unreported = self._unreported or (request, noted)
            self._unreported = (earlier, noted.plus(unreported))
        return matte

    def search(
        self, request: Request, on_progress: SearchProgress
    ) -> tuple[FoundObject, ...]:
        newest = self.newest_request  # a newer one has priority over the search

        def cancelled() -> bool:
            return (
                self.search_request is not request or self.newest_request is not newest
            )

        return self.warm_up().everything(request, None, cancelled, on_progress)

    def run_engine_task(self, engine_task: EngineTask) -> None:
        newest = self.newest_request  # a newer one has priority
        engine_task.run(
            self.warm_up(),
            lambda: self.closing or self.newest_request is not newest,
        )

    def _uses_features_of(self, request: Request) -> bool:
        """Whether the newest request uses the features that ``request`` uses."""
        return self.newest_request is not None and _features(
            self.newest_request
        ) == _features(request)

    def _with_unreported(self, request: Request, timings: Timings) -> Timings:
        """Timings plus those of earlier steps that were not reported."""
        if self._unreported is None:
            return timings
        (earlier, unreported), self._unreported = self._unreported, None
        if _features(earlier) != _features(request):
            unreported = replace(unreported, encode_ms=0.0)
        return timings.plus(unreported)


def _features(request: Request) -> tuple[str, str]:
    """Key of the features that a request uses."""
    return request.image_key, request.recipe.model


class InferenceQueue(QObject):
    """Sends requests to the engine, at most one running and one waiting.

    A new request replaces the waiting one and cancels the running one, except that
    encoding continues as long as the newest request needs the same features: a click
    made during encoding is solved after that.

    A preview starts only when the queue is idle, and any other request cancels it.

    A search for all objects is interrupted by any other request and restarted when the
    queue is idle.  Its features are cached, so that it soon reaches the same point.

    ``shared_engine`` serves other threads at low priority, see :mod:`.shared_engine`:
    its tasks run when the queue is idle, one after the other.

    **Signals**

    - ``prepared(request, timings)``, ``solved(request, matte)``: results, which may be
      stale; compare their keys.
    - ``previewed(request, matte)``: the result of a preview, which may be stale too.
    - ``drafted(request, matte)``: an approximation of a matte that takes long.
    - ``progressed(fraction)``: of the running step of a matte, 0 to 1.
    - ``failed(request, error)``: a :class:`ZimError` for the newest request.
    - ``search_progressed(request, done, total, found)``: steps done, and the
      objects found so far.  After an interruption it counts from the beginning.
    - ``search_ended(request, found, error)``: one of found and error is None.
    - ``activity_changed(kind)``: "warm_up", "prepare", "solve", "preview", "search",
      "engine_task", or "" when idle.

    **Threads**: belongs to the window's; the engine is created and used on another.
    """

    prepared = Signal(object, object)
    solved = Signal(object, object)
    previewed = Signal(object, object)
    drafted = Signal(object, object)
    progressed = Signal(float)
    failed = Signal(object, object)
    search_progressed = Signal(object, int, int, object)
    search_ended = Signal(object, object, object)
    activity_changed = Signal(str)
    _search_progressed_on_worker = Signal(
        object, int, int, object
    )  # emitted on the worker thread
    _task_submitted = Signal(object)  # emitted on the submitting thread

    def __init__(
        self, factory: EngineFactory = create_engine, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._engine_worker = _EngineWorker(
            factory, self.drafted.emit, self.progressed.emit
        )
        self._preview: Request | None = None
        self._engine_tasks: deque[EngineTask] = deque()
        self.shared_engine = SharedEngine(self._task_submitted.emit)
        self._thread = WorkerThread("inference", waiting=1, parent=self)
        self._signals = {
            "prepare": self.prepared,
            "solve": self.solved,
            "preview": self.previewed,
        }
        self._thread.finished.connect(self._on_thread_finished)
        self._thread.running_changed.connect(self._on_thread_running_changed)
        self._search_progressed_on_worker.connect(self._on_search_progressed_on_worker)
        self._task_submitted.connect(self._on_task_submitted)

    @property
    def idle(self) -> bool:
        """Whether nothing runs and nothing waits."""
        return self._thread.idle and self._preview is None and not self._engine_tasks

    @property
    def activity(self) -> str:
        """Kind of the running work, as in ``activity_changed``."""
        return self._thread.running.kind if self._thread.running else ""

    def warm_up(self) -> None:
        """Create the engine now, so that the first image need not wait for it."""
        if self._thread.idle:  # else running work creates it, and must not be dropped
            self._thread.submit(
                WorkerTask("warm_up", None, self._engine_worker.warm_up)
            )

    def prepare(self, request: Request) -> None:
        """Encode the request's image."""
        self._submit("prepare", request, self._engine_worker.prepare)

    def solve(self, request: Request) -> None:
        """Compute the matte of the request."""
        self._submit("solve", request, self._engine_worker.solve)

    @property
    def devices(self) -> tuple[Device, ...]:
        """Devices of this machine, the best first; empty until the engine exists."""
        return self._engine_worker.devices

    def set_device(self, choice: DeviceChoice) -> None:
        """Change the device and precision from the next request on.

        The current image is encoded again, so that the next click need not wait.
        """
        if choice == self._engine_worker.choice:
            return
        self._engine_worker.choice = choice
        self.shared_engine.device = choice.device
        newest = self._engine_worker.newest_request
        if newest is not None and not self._thread.has_waiting:
            self.prepare(newest)

    def preview(self, request: Request | None) -> None:
        """Compute a preview when idle; the latest wins, None withdraws it.

        A running preview is finished before a newer one, so that previews appear while
        the pointer moves.  Any other request cancels it; errors are ignored.
        """
        self._preview = request
        self._engine_worker.preview_wanted = request is not None
        self._start_preview()

    def _start_preview(self) -> None:
        request = self._preview
        if request is not None and self._thread.idle:
            self._preview = None
            work = partial(
                self._engine_worker.preview, request, self._engine_worker.newest_request
            )
            self._thread.submit(WorkerTask("preview", request, work))

    def withdraw(self) -> None:
        """Cancel solving; encoding continues."""
        if self._engine_worker.newest_request is not None:
            self.prepare(self._engine_worker.newest_request)

    def cancel(self) -> None:
        """Cancel all running and waiting work, at its next step."""
        self._engine_worker.newest_request = self._engine_worker.search_request = None
        self._preview, self._engine_worker.preview_wanted = None, False
        self._thread.drop_waiting()

    def search(self, request: Request) -> None:
        """Find all objects of the request's image, when the queue is idle."""
        self._engine_worker.search_request = request
        self._search_if_idle()

    def end_search(self) -> None:
        """Cancel the search for all objects."""
        self._engine_worker.search_request = None

    def _search_if_idle(self) -> None:
        request = self._engine_worker.search_request
        if request is not None and self._thread.idle:
            work = partial(
                self._engine_worker.search,
                request,
                partial(self._search_progressed_on_worker.emit, request),
            )
            self._thread.submit(WorkerTask("search", request, work))

    def close(self) -> None:
        """Cancel everything, stop the thread and wait for its end."""
        self._engine_worker.newest_request = self._engine_worker.search_request = None
        self._preview, self._engine_worker.preview_wanted = None, False
        self._engine_worker.closing = True
        self._thread.close()
        self.shared_engine.close()

    def _submit(
        self, kind: str, request: Request, work: Callable[[Request], object]
    ) -> None:
        self._engine_worker.newest_request = request
        self._preview = None
        self._thread.submit(WorkerTask(kind, request, partial(work, request)))

    @Slot()
    def _on_thread_running_changed(self) -> None:
        self.activity_changed.emit(self.activity)

    @Slot(object, int, int, object)
    def _on_search_progressed_on_worker(
        self, request: Request, done: int, total: int, objects: tuple[FoundObject, ...]
    ) -> None:
        if request is self._engine_worker.search_request:
            self.search_progressed.emit(request, done, total, objects)

    @Slot(object, object, object)
    def _on_thread_finished(
        self, task: WorkerTask, result: Any, error: Exception | None
    ) -> None:
        if task.kind == "engine_task":
            if error is not None:  # interrupted, or the engine cannot be created
                self._requeue(task.subject, error)
        elif task.kind == "search":
            self._end_search(task.subject, result, error)
        elif error is None:
            if task.kind in self._signals:
                self._signals[task.kind].emit(task.subject, result)
        elif isinstance(error, ZimError):
            if task.subject is self._engine_worker.newest_request:
                self.failed.emit(task.subject, error)
        elif not isinstance(error, Cancelled):
            raise error
        self._search_if_idle()
        self._start_preview()
        self._start_engine_task()

    @Slot(object)
    def _on_task_submitted(self, engine_task: EngineTask) -> None:
        self._engine_tasks.append(engine_task)
        self._start_engine_task()

    def _start_engine_task(self) -> None:
        if self._engine_tasks and self._thread.idle:
            engine_task = self._engine_tasks.popleft()
            work = partial(self._engine_worker.run_engine_task, engine_task)
            self._thread.submit(WorkerTask("engine_task", engine_task, work))

    def _requeue(self, engine_task: EngineTask, error: Exception) -> None:
        if isinstance(error, Cancelled):
            self._engine_tasks.appendleft(engine_task)
        else:
            engine_task.future.set_exception(error)

    def _end_search(
        self, request: Request, objects: Any, error: Exception | None
    ) -> None:
        """Emit the result of a search, unless it was interrupted or cancelled."""
        if request is self._engine_worker.search_request and not isinstance(
            error, Cancelled
        ):
            self._engine_worker.search_request = None
            self.search_ended.emit(request, objects, error)
