"""Measures how long the event loop is blocked."""

from __future__ import annotations

import os
import sys
from time import perf_counter

from PySide6.QtCore import QObject, Qt, QTimer, Slot

VARIABLE = "ZIM_STUDIO_STALLS"
"""Set this environment variable to 1 to print the stalls at exit."""


class StallMonitor(QObject):
    """Records the time between the ticks of a fast timer on the event loop.

    Attributes:
        longest_ms: the longest gap so far.
        stalls: gaps of more than ``limit_ms``, as (seconds since start, milliseconds).

    **Threads**: watches the event loop of the thread that it lives on.
    """

    def __init__(
        self,
        interval_ms: int = 5,
        limit_ms: float = 50.0,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._limit_ms = limit_ms
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(interval_ms)
        self._timer.timeout.connect(self._on_timer_timeout)
        self.reset()
        self._timer.start()

    @classmethod
    def from_environment(cls, parent: QObject | None = None) -> StallMonitor | None:
        """A running monitor if the environment variable is set, else None."""
        return cls(parent=parent) if os.environ.get(VARIABLE) == "1" else None

    def reset(self) -> None:
        """Discard the records."""
        self.longest_ms = 0.0
        self.stalls: list[tuple[float, float]] = []
        self._start = self._last = perf_counter()

    def stop(self) -> None:
        """Stop recording."""
        self._timer.stop()

    def report(self) -> None:
        """Print the records to standard error."""
        lines = [
            f"  at {seconds:7.2f} s: {gap:6.0f} ms" for seconds, gap in self.stalls
        ]
        head = f"longest gap of the event loop: {self.longest_ms:.0f} ms"
        print("\n".join([head, *lines]), file=sys.stderr)

    @Slot()
    def _on_timer_timeout(self) -> None:
        now = perf_counter()
        gap = (now - self._last) * 1000
        self.longest_ms = max(self.longest_ms, gap)
        if gap > self._limit_ms:
            self.stalls.append((self._last - self._start, gap))
        self._last = now
