"""The window's way to the engine: one thread, one answer at a time, the latest wins."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from PySide6.QtCore import QObject, Signal, Slot

from zim_app.gui.workers.shared_engine import Errand, LentEngine
from zim_app.gui.workers.warmup import import_torch
from zim_app.gui.workers.worker_thread import Lane, Task
from zim_model.errors import Cancelled, ZimError
from zim_model.request import CancelCheck, Matte, Request, Timings
from zim_model.runtime.devices import Device, DeviceChoice

if TYPE_CHECKING:
    from zim_model.inference.automatic import Found

    Progress = Callable[[int, int, tuple[Found, ...]], None]


class EngineLike(Protocol):
    """What the queue needs of :class:`zim_model.inference.engine.Engine`."""

    def prepare(self, request: Request, cancelled: CancelCheck = ...) -> Timings:
        """Encode the image, unless its features are cached."""

    def solve(self, request: Request, cancelled: CancelCheck = ...) -> Matte:
        """Answer the request."""

    def devices(self) -> tuple[Device, ...]:
        """The devices of this machine, the best first."""

    def set_device(self, choice: DeviceChoice) -> None:
        """Run models elsewhere or otherwise from now on."""

    def everything(
        self,
        request: Request,
        options: None = ...,
        cancelled: CancelCheck = ...,
        progress: Progress | None = ...,
    ) -> tuple[Found, ...]:
        """Find the objects of the request's image."""


EngineFactory = Callable[[], EngineLike]


def create_engine(cache_bytes: int = 2**30) -> EngineLike:
    """Make the real engine; runs on the worker thread, as all that touches torch.

    Args:
        cache_bytes: most memory for the features of encoded pictures.
    """
    import_torch()
    from zim_model.inference.engine import Engine

    return Engine(cache_bytes=cache_bytes)


class _Solver:
    """Owns the engine; all methods run on the worker thread.

    ``wanted`` is the newest request, ``previews`` says whether any preview is wanted,
    ``sought`` is the request of the search that is wanted, and ``choice`` the newest
    choice of a device: the window's thread writes them, this one reads them.
    ``devices`` goes the other way.  A reference is read or written as a whole, so that
    no lock is needed.
    """

    def __init__(self, factory: EngineFactory) -> None:
        self.wanted: Request | None = None
        self.previews = False
        self.choice = DeviceChoice()
        self.devices: tuple[Device, ...] = ()
        self.sought: Request | None = None
        self.closing = False
        self._factory = factory
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
        timings = engine.prepare(request, lambda: not self._needs(request))
        return self._with_unreported(request, timings)

    def solve(self, request: Request) -> Matte:
        # Features serve every prompt, so a newer click must not stop their making.
        # What they cost is reported with the first answer that is not withdrawn.
        self._unreported = (request, self.prepare(request))
        matte = self.warm_up().solve(request, lambda: self.wanted is not request)
        timings = self._with_unreported(request, matte.timings)
        return replace(matte, timings=timings)

    def preview(self, request: Request, wanted: Request | None) -> Matte:
        """Answer a passing question, unless anything else is wanted meanwhile."""

        def void() -> bool:
            return self.wanted is not wanted or not self.previews

        matte = self.warm_up().solve(request, void)
        if matte.timings.notes:  # the window shows no timings of previews
            noted = Timings(0.0, 0.0, "", matte.timings.notes)
            earlier, spent = self._unreported or (request, noted)
            self._unreported = (earlier, noted.after(spent))
        return matte

    def search(self, request: Request, tell: Progress) -> tuple[Found, ...]:
        wanted = self.wanted  # a newer one is more urgent than a search

        def cancelled() -> bool:
            return self.sought is not request or self.wanted is not wanted

        return self.warm_up().everything(request, None, cancelled, tell)

    def run_errand(self, errand: Errand) -> None:
        wanted = self.wanted  # a newer one is more urgent
        errand.run(self.warm_up(), lambda: self.closing or self.wanted is not wanted)

    def _needs(self, request: Request) -> bool:
        """Whether the newest request uses the features that ``request`` uses."""
        return self.wanted is not None and _features(self.wanted) == _features(request)

    def _with_unreported(self, request: Request, timings: Timings) -> Timings:
        """Timings with what was spent for the request before and not reported."""
        if self._unreported is None:
            return timings
        (earlier, spent), self._unreported = self._unreported, None
        if _features(earlier) != _features(request):
            spent = replace(spent, encode_ms=0.0)
        return timings.after(spent)


def _features(request: Request) -> tuple[str, str]:
    """Requests that agree in it use the same features."""
    return request.image_key, request.model


class InferenceQueue(QObject):
    """Sends requests to the engine, at most one running and one waiting.

    A new request replaces the one that waits, and cancels the one that runs, except
    that encoding goes on as long as the newest request needs the same features: a
    click made while the picture is being encoded is answered after that.

    A preview waits until nothing else is to be done, and gives way to anything else.

    A search for all objects steps aside for any other request and is begun again when
    nothing else is left to do.  Features that it made are remembered, so that it is
    soon where it was.

    ``lent`` is the engine for other threads that have time; see :mod:`.shared_engine`.
    What they ask is done when nothing else is left to do, one question after the other.

    **Signals**

    - ``prepared(request, timings)``, ``solved(request, matte)``: answers, which may be
      stale; compare their keys.
    - ``previewed(request, matte)``: the answer to a preview, which may be stale too.
    - ``failed(request, error)``: a :class:`ZimError` for the newest request.
    - ``search_progressed(request, done, total, found)``: of so many steps; what was
      found so far.  After stepping aside it counts from the beginning.
    - ``search_ended(request, found, error)``: one of found and error is None.
    - ``activity_changed(kind)``: "warm_up", "prepare", "solve", "preview", "search",
      "errand", or "" when idle.

    **Threads**: lives on the window's thread; the engine is made and used on a worker.
    """

    prepared = Signal(object, object)
    solved = Signal(object, object)
    previewed = Signal(object, object)
    failed = Signal(object, object)
    search_progressed = Signal(object, int, int, object)
    search_ended = Signal(object, object, object)
    activity_changed = Signal(str)
    _told = Signal(object, int, int, object)  # on the worker's thread
    _handed_over = Signal(object)  # on a borrower's thread

    def __init__(
        self, factory: EngineFactory = create_engine, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._solver = _Solver(factory)
        self._preview: Request | None = None
        self._errands: deque[Errand] = deque()
        self.lent = LentEngine(self._handed_over.emit)
        self._lane = Lane("inference", waiting=1, parent=self)
        self._answers = {
            "prepare": self.prepared,
            "solve": self.solved,
            "preview": self.previewed,
        }
        self._lane.finished.connect(self._on_lane_finished)
        self._lane.running_changed.connect(self._on_lane_running_changed)
        self._told.connect(self._on_told)
        self._handed_over.connect(self._on_handed_over)

    @property
    def idle(self) -> bool:
        """Whether nothing runs and nothing waits."""
        return self._lane.idle and self._preview is None and not self._errands

    @property
    def activity(self) -> str:
        """What runs now, as in ``activity_changed``."""
        return self._lane.running.kind if self._lane.running else ""

    def warm_up(self) -> None:
        """Make the engine now, so that the first picture need not wait for it."""
        if self._lane.idle:  # else it is made by what is under way, which may not go
            self._lane.submit(Task("warm_up", None, self._solver.warm_up))

    def prepare(self, request: Request) -> None:
        """Encode the request's image."""
        self._submit("prepare", request, self._solver.prepare)

    def solve(self, request: Request) -> None:
        """Answer the request."""
        self._submit("solve", request, self._solver.solve)

    @property
    def devices(self) -> tuple[Device, ...]:
        """The devices of this machine, the best first; empty until they are known."""
        return self._solver.devices

    def set_device(self, choice: DeviceChoice) -> None:
        """Run models elsewhere or otherwise, beginning with what runs next.

        The picture on screen is encoded anew, so that the next click need not wait.
        """
        if choice == self._solver.choice:
            return
        self._solver.choice = choice
        wanted = self._solver.wanted
        if wanted is not None and not self._lane.has_waiting:
            self.prepare(wanted)

    def preview(self, request: Request | None) -> None:
        """Answer this when there is time; the latest wish wins, None withdraws it.

        A preview that runs is finished before a newer one, so that previews come while
        the pointer moves.  It is void when anything else is wanted, and fails silently.
        """
        self._preview = request
        self._solver.previews = request is not None
        self._start_preview()

    def _start_preview(self) -> None:
        request = self._preview
        if request is not None and self._lane.idle:
            self._preview = None
            work = partial(self._solver.preview, request, self._solver.wanted)
            self._lane.submit(Task("preview", request, work))

    def withdraw(self) -> None:
        """Nothing needs to be solved any more; encoding goes on."""
        if self._solver.wanted is not None:
            self.prepare(self._solver.wanted)

    def cancel(self) -> None:
        """Give up all that runs and waits, as soon as its next step."""
        self._solver.wanted = self._solver.sought = None
        self._preview, self._solver.previews = None, False
        self._lane.drop_waiting()

    def search(self, request: Request) -> None:
        """Find all objects of the request's image, when nothing else is to be done."""
        self._solver.sought = request
        self._search_if_idle()

    def end_search(self) -> None:
        """Nobody wants to know all objects any more."""
        self._solver.sought = None

    def _search_if_idle(self) -> None:
        request = self._solver.sought
        if request is not None and self._lane.idle:
            work = partial(
                self._solver.search, request, partial(self._told.emit, request)
            )
            self._lane.submit(Task("search", request, work))

    def close(self) -> None:
        """Cancel everything and return when the thread has ended."""
        self._solver.wanted = self._solver.sought = None
        self._preview, self._solver.previews = None, False
        self._solver.closing = True
        self._lane.close()
        self.lent.close()

    def _submit(
        self, kind: str, request: Request, work: Callable[[Request], object]
    ) -> None:
        self._solver.wanted = request
        self._preview = None
        self._lane.submit(Task(kind, request, partial(work, request)))

    @Slot()
    def _on_lane_running_changed(self) -> None:
        self.activity_changed.emit(self.activity)

    @Slot(object, int, int, object)
    def _on_told(
        self, request: Request, done: int, total: int, found: tuple[Found, ...]
    ) -> None:
        if request is self._solver.sought:
            self.search_progressed.emit(request, done, total, found)

    @Slot(object, object, object)
    def _on_lane_finished(
        self, task: Task, result: Any, error: Exception | None
    ) -> None:
        if task.kind == "errand":
            if error is not None:  # it stepped aside, or the engine cannot be made
                self._take_back(task.subject, error)
        elif task.kind == "search":
            self._end_search(task.subject, result, error)
        elif error is None:
            if task.kind in self._answers:
                self._answers[task.kind].emit(task.subject, result)
        elif isinstance(error, ZimError):
            if task.subject is self._solver.wanted:
                self.failed.emit(task.subject, error)
        elif not isinstance(error, Cancelled):
            raise error
        self._search_if_idle()
        self._start_preview()
        self._start_errand()

    @Slot(object)
    def _on_handed_over(self, errand: Errand) -> None:
        self._errands.append(errand)
        self._start_errand()

    def _start_errand(self) -> None:
        if self._errands and self._lane.idle:
            errand = self._errands.popleft()
            work = partial(self._solver.run_errand, errand)
            self._lane.submit(Task("errand", errand, work))

    def _take_back(self, errand: Errand, error: Exception) -> None:
        if isinstance(error, Cancelled):
            self._errands.appendleft(errand)
        else:
            errand.answer.set_exception(error)

    def _end_search(
        self, request: Request, found: Any, error: Exception | None
    ) -> None:
        """Tell the result of a search, unless it only stepped aside or is void."""
        if request is self._solver.sought and not isinstance(error, Cancelled):
            self._solver.sought = None
            self.search_ended.emit(request, found, error)
