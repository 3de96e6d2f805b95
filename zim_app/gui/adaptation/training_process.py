"""The process that adapts a model, and the events that it prints."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, Signal, Slot

from zim_app.core.adaptation import (
    DISCARD,
    STOP,
    Adapted,
    Failed,
    decode_event,
)
from zim_model.errors import ZimError, msg

ROOT = Path(__file__).resolve().parents[3]
ERROR_CHARACTERS = 2000
"""Of the end of what a crashed process printed, in the error about it."""
END_MS = 3000
"""Time for the process to end, before it is killed."""


@dataclass(frozen=True, slots=True)
class AdaptationOrder:
    """What to adapt to what.

    Attributes:
        folder: of training pairs and projects.
        model: name of the model.
        name: of the new model.
        minutes: of training at most.
        threads: of the training on a CPU.
    """

    folder: Path
    model: str
    name: str
    minutes: float
    threads: int = 1


def training_arguments(order: AdaptationOrder) -> list[str]:
    """Arguments of the Python interpreter for an adaptation."""
    return [
        *("-m", "training.adapt", str(order.folder), "--follow-input"),
        *("--model", order.model, "--install", order.name),
        *("--minutes", str(order.minutes), "--set", f"threads={order.threads}"),
    ]


class TrainingProcess(QObject):
    """Runs one adaptation at a time, in a process of its own.

    Args:
        arguments: gives the arguments of the Python interpreter.

    **Signals**

    - ``happened(event)``: :class:`Prepared`, :class:`Trained` or :class:`Validated`.
    - ``adapted(event)``: the end, with an :class:`Adapted`.
    - ``failed(error)``: the end, with a :class:`ZimError`.
    - ``discarded()``: the end, since the user wants no result.

    **Threads**: the window's only; the process's output arrives by the event loop.
    """

    happened = Signal(object)
    adapted = Signal(object)
    failed = Signal(object)
    discarded = Signal()

    def __init__(
        self,
        parent: QObject | None = None,
        arguments: Callable[[AdaptationOrder], list[str]] = training_arguments,
    ) -> None:
        super().__init__(parent)
        self._arguments = arguments
        self._process: QProcess | None = None
        self._last: Adapted | Failed | None = None
        self._discarding = False
        self._errors = ""

    @property
    def running(self) -> bool:
        """Whether a model is being adapted."""
        return self._process is not None

    def start(self, order: AdaptationOrder) -> None:
        """Start an adaptation; there must be none."""
        assert self._process is None
        self._last, self._discarding, self._errors = None, False, ""
        process = self._process = QProcess(self)
        process.setProcessEnvironment(_environment())
        process.readyReadStandardOutput.connect(self._on_output)
        process.readyReadStandardError.connect(self._on_error_output)
        process.finished.connect(self._on_finished)
        process.errorOccurred.connect(self._on_error)
        process.start(sys.executable, self._arguments(order))

    def stop(self) -> None:
        """End the training early; the result is of what was learned so far."""
        self._write(STOP)

    def discard(self) -> None:
        """End the process without a result."""
        self._discarding = True
        self._write(DISCARD)

    def close(self) -> None:
        """End the process without a result, and wait for it."""
        process = self._process
        if process is not None:
            self.discard()
            if not process.waitForFinished(END_MS):
                process.kill()
                process.waitForFinished(END_MS)

    def _write(self, line: str) -> None:
        if self._process is not None:
            self._process.write(f"{line}\n".encode())

    @Slot()
    def _on_output(self) -> None:
        assert self._process is not None
        while self._process.canReadLine():
            line = bytes(self._process.readLine().data()).decode("utf-8", "replace")
            event = decode_event(line)
            if isinstance(event, Adapted | Failed):
                self._last = event
            elif event is not None:
                self.happened.emit(event)

    @Slot()
    def _on_error_output(self) -> None:
        assert self._process is not None
        text = bytes(self._process.readAllStandardError().data())
        self._errors += text.decode("utf-8", "replace")
        self._errors = self._errors[-ERROR_CHARACTERS:]

    @Slot(QProcess.ProcessError)
    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            assert self._process is not None
            self._errors = self._process.errorString()
            self._end()

    @Slot()
    def _on_finished(self) -> None:
        if self._process is not None:
            self._on_output()
            self._end()

    def _end(self) -> None:
        assert self._process is not None
        self._process.deleteLater()
        self._process = None
        if isinstance(self._last, Adapted):
            self.adapted.emit(self._last)
        elif self._discarding:
            self.discarded.emit()
        elif isinstance(self._last, Failed):
            self.failed.emit(self._last.error)
        else:
            self.failed.emit(_crash(self._errors))


def _environment() -> QProcessEnvironment:
    """This process's environment, with this program's packages on the import path."""
    environment = QProcessEnvironment.systemEnvironment()
    paths = [str(ROOT), *filter(None, [environment.value("PYTHONPATH")])]
    environment.insert("PYTHONPATH", os.pathsep.join(paths))
    environment.insert("PYTHONUTF8", "1")
    return environment


def _crash(output: str) -> ZimError:
    lines = output.strip().splitlines()
    return ZimError(
        msg(
            "The training ended without a result: {reason}",
            reason=lines[-1] if lines else msg("it told no reason."),
        ),
        msg("If there is little memory, close other programs, and try again."),
    )
