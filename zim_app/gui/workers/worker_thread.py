"""Worker threads of the window, each with a queue of tasks."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, QThread, Signal, Slot


@dataclass(frozen=True, slots=True, eq=False)
class WorkerTask:
    """One task.

    Attributes:
        kind: kind of the task, for the receiver of its result.
        subject: what it is about, such as a path or a request; must be immutable.
        work: runs on the worker thread; must not change shared state.
    """

    kind: str
    subject: Any
    work: Callable[[], Any]


class _TaskRunner(QObject):
    """Runs tasks on the worker thread."""

    done = Signal(object, object, object)

    @Slot(object)
    def run(self, task: WorkerTask) -> None:
        """Run a task, and emit its result or exception."""
        try:
            result, error = task.work(), None
        except Exception as caught:
            result, error = None, caught
        self.done.emit(task, result, error)

    @Slot()
    def stop(self) -> None:
        """Stop the thread, after all tasks that were sent before."""
        QThread.currentThread().quit()


class WorkerThread(QObject):
    """One long-lived thread that runs tasks one after the other.

    Args:
        name: name of the thread, for debuggers and logs.
        waiting: most tasks that may wait; the oldest are dropped for newer ones, so
            that with 1 the latest wins.  None is unlimited.

    **Signals**

    - ``finished(task, result, error)``: one of result and error is None.
    - ``running_changed(task)``: the task that starts; None when idle.

    **Threads**: methods and signals belong to the creating thread.  Only tasks, results
    and exceptions cross threads; no lock is needed, because all other state belongs
    to the creating thread.
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
        """Whether no task runs or waits."""
        return self.running is None and not self._waiting

    @property
    def unfinished(self) -> list[WorkerTask]:
        """The running task and those that wait."""
        return [task for task in (self.running, *self._waiting) if task]

    @property
    def has_waiting(self) -> bool:
        """Whether a task waits for the running one."""
        return bool(self._waiting)

    def drop_waiting(self) -> None:
        """Drop the waiting tasks; the running one continues."""
        self._waiting.clear()

    def submit(self, task: WorkerTask) -> None:
        """Run ``task`` as soon as the thread is idle."""
        self._waiting.append(task)
        if self.running is None:
            self._start_next()

    def close(self) -> None:
        """Stop the thread and wait for its end.

        The running task is finished; without a limit, so are the waiting ones.
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
