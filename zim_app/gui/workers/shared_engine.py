"""The window's engine for low-priority work on other threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from zim_model.errors import Cancelled
from zim_model.request import (
    CancelCheck,
    Matte,
    ProgressCallback,
    Request,
    Timings,
    never_cancelled,
)
from zim_model.runtime.devices import Device, DeviceChoice

if TYPE_CHECKING:
    from zim_model.inference.automatic import FoundObject

    SearchProgress = Callable[[int, int, tuple[FoundObject, ...]], None]


class EngineLike(Protocol):
    """The methods of :class:`zim_model.inference.engine.Engine` for the window."""

    def prepare(self, request: Request, cancelled: CancelCheck = ...) -> Timings:
        """Encode the image, unless its features are cached."""

    def solve(
        self,
        request: Request,
        cancelled: CancelCheck = ...,
        progress: ProgressCallback = ...,
    ) -> Matte:
        """Compute the matte of the request."""

    def devices(self) -> tuple[Device, ...]:
        """Devices of this machine, the best first."""

    def set_device(self, choice: DeviceChoice) -> None:
        """Change the device and precision of all models."""

    def everything(
        self,
        request: Request,
        options: None = ...,
        cancelled: CancelCheck = ...,
        progress: SearchProgress | None = ...,
    ) -> tuple[FoundObject, ...]:
        """Find the objects of the request's image."""

    def subject(
        self, request: Request, cancelled: CancelCheck = ...
    ) -> FoundObject | None:
        """Find the main object of the request's image."""


EngineWork = Callable[[EngineLike, CancelCheck], Any]


@dataclass(frozen=True, slots=True, eq=False)
class EngineTask:
    """One call of the engine that another thread waits for.

    Attributes:
        work: calls the engine, on the engine's thread.
        cancelled: polled; true if the caller cancelled it.
        future: receives the result or exception.
    """

    work: EngineWork
    cancelled: CancelCheck
    future: Future[Any] = field(default_factory=Future)

    def run(self, engine: EngineLike, yield_check: CancelCheck) -> None:
        """Call the engine and set the result of ``future``.

        Args:
            engine: owned by the calling thread.
            yield_check: polled; true if work of higher priority waits.

        Raises:
            Cancelled: ``yield_check`` became true; the task must be run again.
        """
        try:
            result = self.work(engine, lambda: self.cancelled() or yield_check())
        except Cancelled as error:
            if not self.cancelled():
                raise
            self.future.set_exception(error)
        except BaseException as error:
            self.future.set_exception(error)
        else:
            self.future.set_result(result)


class SharedEngine:
    """An engine interface whose methods block until the window's engine was idle.

    Requests of the window have priority: they interrupt a running task, which is
    restarted afterwards.  Cached results, such as features, are not computed again.

    Args:
        submit: passes an :class:`EngineTask` to the engine's queue; called on the
            calling thread.

    Attributes:
        device: the device that was chosen for models; None takes the best.

    **Threads**: may be called on any but the window's and the engine's.
    """

    def __init__(self, submit: Callable[[EngineTask], None]) -> None:
        self._submit = submit
        self._lock = threading.Lock()
        self._waiting: set[EngineTask] = set()
        self._closed = False
        self.device: str | None = None

    def solve(
        self, request: Request, cancelled: CancelCheck = never_cancelled
    ) -> Matte:
        """Compute the matte of the request.

        Raises:
            ZimError: as :meth:`zim_model.inference.engine.Engine.solve` does.
            Cancelled: ``cancelled`` became true, or the program ends.
        """
        # The engine's cache of its last matte is reserved for the window's next stroke.
        uncached = replace(request, cacheable=False)
        matte: Matte = self._run_on_engine(lambda e, c: e.solve(uncached, c), cancelled)
        return matte

    def everything(
        self,
        request: Request,
        options: None = None,
        cancelled: CancelCheck = never_cancelled,
    ) -> tuple[FoundObject, ...]:
        """Find the objects of the request's image.

        Raises:
            ZimError: as :meth:`zim_model.inference.engine.Engine.everything` does.
            Cancelled: ``cancelled`` became true, or the program ends.
        """

        def work(engine: EngineLike, stop: CancelCheck) -> Any:
            return engine.everything(request, options, stop)

        objects: tuple[FoundObject, ...] = self._run_on_engine(work, cancelled)
        return objects

    def subject(
        self, request: Request, cancelled: CancelCheck = never_cancelled
    ) -> FoundObject | None:
        """Find the main object of the request's image.

        Raises:
            ZimError, Cancelled: as :meth:`everything`.
        """

        def work(engine: EngineLike, stop: CancelCheck) -> Any:
            return engine.subject(request, stop)

        found: FoundObject | None = self._run_on_engine(work, cancelled)
        return found

    def _run_on_engine(self, work: EngineWork, cancelled: CancelCheck) -> Any:
        engine_task = EngineTask(work, cancelled)
        with self._lock:
            if self._closed:
                raise Cancelled
            self._waiting.add(engine_task)
        try:
            self._submit(engine_task)
            return engine_task.future.result()
        finally:
            with self._lock:
                self._waiting.discard(engine_task)

    def close(self) -> None:
        """Cancel all present and future calls; after the engine's thread ended."""
        with self._lock:
            self._closed = True
            for engine_task in self._waiting:
                if not engine_task.future.done():
                    engine_task.future.set_exception(Cancelled())
