"""Times of a request's stages."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from zim_model.request import Timings


class Stopwatch:
    """Wall-clock time from its making on; encoding and loading of models apart."""

    def __init__(self) -> None:
        self.encode_ms = 0.0
        self._load_ms = 0.0
        self._started = time.perf_counter()

    @contextmanager
    def encoding(self) -> Iterator[None]:
        """Count the time of a block as encoding."""
        started = time.perf_counter()
        yield
        self.encode_ms += _milliseconds_since(started)

    @contextmanager
    def loading(self) -> Iterator[None]:
        """Leave the time of a block out."""
        started = time.perf_counter()
        yield
        self._load_ms += _milliseconds_since(started)

    def timings(self, device: str, notes: tuple[str, ...]) -> Timings:
        """The times up to now; see :class:`~zim_model.request.Timings`."""
        click_ms = _milliseconds_since(self._started) - self.encode_ms - self._load_ms
        return Timings(self.encode_ms, click_ms, device, notes)


def _milliseconds_since(started: float) -> float:
    return (time.perf_counter() - started) * 1e3
