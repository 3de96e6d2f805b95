"""Work off the window's thread: one lane is one thread with its waiting tasks."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, QThread, Signal, Slot


@dataclass(frozen=True, slots=True, eq=False)
class WorkerTask:
    """One piece of work.

    Attributes:
        kind: what it is, for the one who receives the answer.
        subject: what it is about, such as a path or a request; must be immutable.
        work: runs on the lane's thread; captures all it needs and changes nothing.
    """

    kind: str
    subject: Any
    work: Callable[[], Any]


class _TaskRunner(QObject):
    """Lives on the lane's thread and runs what it is sent."""

    done = Signal(object, object, object)

    @Slot(object)
    def run(self, task: WorkerTask) -> None:
        """Run a task; whatever it raises is part of the answer."""
        try:
            result, error = task.work(), None
        except Exception as caught:
            result, error = None, caught
        self.done.emit(task, result, error)

    @Slot()
    def stop(self) -> None:
        """End the thread, after everything that was sent before."""
        QThread.currentThread().quit()


class WorkerThread(QObject):
    """One long-lived thread that runs tasks one after the other.

    Args:
        name: of the thread, for debuggers and logs.
        waiting: how many tasks may wait; the oldest are dropped for newer ones, so
            that 1 means "the latest wins".  None keeps them all.

    **Signals**

    - ``finished(task, result, error)``: one of result and error is None.
    - ``running_changed(task)``: the task that runs from now on; None when idle.

    **Threads**: methods and signals belong to the thread that made the lane.  Only
    tasks, results and exceptions cross; there is no lock because all of the lane's
    state lives on this side.
    """

    finished = Signal(object, object, object)
    running_changed = Signal(object)
    _submitted = Signal(object)
    _closed = Signal()

    def __init__(
        self, name: str, *, waiting: int | None = None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.running: WorkerTask | None = None
        self._waiting: deque[WorkerTask] = deque(maxlen=waiting)
        self._thread = QThread(self)
        self._thread.setObjectName(name)
        self._runner = _TaskRunner()
        self._runner.moveToThread(self._thread)
        self._submitted.connect(self._runner.run)
        self._closed.connect(self._runner.stop)
        self._runner.done.connect(self._on_runner_done)
        self._thread.start()

    @property
    def idle(self) -> bool:
        """Whether nothing runs and nothing waits."""
        return self.running is None and not self._waiting

    @property
    def has_waiting(self) -> bool:
        """Whether a task waits for the one that runs."""
        return bool(self._waiting)

    def drop_waiting(self) -> None:
        """Forget what waits; what runs goes on."""
        self._waiting.clear()

    def submit(self, task: WorkerTask) -> None:
        """Run ``task`` as soon as the thread is free."""
        self._waiting.append(task)
        if self.running is None:
            self._start_next()

    def close(self) -> None:
        """End the thread and return when it has ended.

        What runs is finished; so is what waits, in a lane that keeps everything.
        """
        if self._waiting.maxlen is None:
            for task in self._waiting:
                self._submitted.emit(task)
        self._waiting.clear()
        self._closed.emit()
        self._thread.wait()

    def _start_next(self) -> None:
        self.running = self._waiting.popleft() if self._waiting else None
        self.running_changed.emit(self.running)
        if self.running is not None:
            self._submitted.emit(self.running)

    @Slot(object, object, object)
    def _on_runner_done(self, task: WorkerTask, result: Any, error: Any) -> None:
        self._start_next()
        self.finished.emit(task, result, error)
