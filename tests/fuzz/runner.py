"""Runs readers on hostile input in a process of its own, and counts what happens."""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.fuzz.worker import Result, serve

HANG = 20.0
"""Seconds of processor time without an answer after which a reader hangs."""
STUCK = 60.0
"""Seconds without an answer after which it hangs even if it does nothing.  Waiting for
a busy processor does not count."""
BATCH = 200
"""Inputs that are asked for at once."""


@dataclass
class Fault:
    """A fault: how often it was met, the first seed, and its traceback."""

    seed: int
    detail: str
    count: int = 0


@dataclass
class Tally:
    """Counts of one reader."""

    accepted: int = 0
    refused: int = 0
    faults: dict[str, Fault] = field(default_factory=dict)

    @property
    def inputs(self) -> int:
        return self.accepted + self.refused + sum(f.count for f in self.faults.values())

    def add(self, result: Result) -> None:
        if result.fault:
            fault = self.faults.setdefault(
                result.fault, Fault(result.seed, result.detail)
            )
            fault.count += 1
        elif result.accepted:
            self.accepted += 1
        else:
            self.refused += 1


class Fuzzer:
    """A worker process that is started again after crashes; a context manager.

    Args:
        hang: seconds of processor time, see :data:`HANG`.
    """

    def __init__(self, hang: float = HANG) -> None:
        self._hang = hang
        self._context = multiprocessing.get_context("spawn")
        self._log = Path(tempfile.mkstemp(prefix="zim-fuzz-", suffix=".log")[1])
        self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()
        self._log.unlink(missing_ok=True)

    def _start(self) -> None:
        self._pipe, other = self._context.Pipe()
        self._process = self._context.Process(
            target=serve, args=(other, str(self._log)), daemon=True
        )
        self._process.start()
        other.close()

    def _stop(self) -> None:
        self._process.kill()
        self._process.join()
        self._pipe.close()

    def run(self, family: str, name: str, seeds: Iterable[int]) -> Iterable[Result]:
        """Read the inputs of consecutive seeds; the caller may stop at any."""
        seeds = list(seeds)
        while seeds:
            part = seeds[:BATCH]
            self._pipe.send((family, name, part[0], part[-1] + 1))
            for seed in part:
                seeds = seeds[1:]
                result = self._receive()
                yield result or self._crashed(name, seed)
                if result is None:  # what else was asked for is lost
                    break

    def _receive(self) -> Result | None:
        """The next result; None if the worker has died or hangs."""
        began, spent = time.monotonic(), self._processor_time()
        with suppress(EOFError, OSError):
            while not self._pipe.poll(1.0):
                if self._is_ready():
                    began += 1.0
                stuck = time.monotonic() - began > STUCK
                if stuck or self._processor_time() - spent > self._hang:
                    return None
            result = self._pipe.recv()
            assert isinstance(result, Result)
            return result
        return None

    def _processor_time(self) -> float:
        """Seconds of processor time that the worker has taken."""
        ticks = self._status()[11:13]
        return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")

    def _is_ready(self) -> bool:
        """Whether the worker runs, or would if there were a processor for it."""
        return self._status()[:1] == ["R"]

    def _status(self) -> list[str]:
        """What Linux tells about the worker, from its state on; empty without it."""
        try:
            text = Path(f"/proc/{self._process.pid}/stat").read_text()
        except OSError:
            return []
        return text.rpartition(")")[2].split()

    def _crashed(self, name: str, seed: int) -> Result:
        """The result of an input that the worker did not survive; starts another."""
        self._process.join(1.0)
        code = self._process.exitcode
        if code is None:  # it hangs: SIGABRT makes it say where
            self._abort()
        fault = "hangs" if code is None else f"ends its process with {code}"
        said = self._log.read_text("utf-8", "replace")[-4000:]
        self._stop()
        self._start()
        place = next((x.strip() for x in said.splitlines() if "/zim" in x), "")
        return Result(name, seed, False, f"{fault} {place}".strip(), said)

    def _abort(self) -> None:
        assert self._process.pid is not None
        os.kill(self._process.pid, signal.SIGABRT)
        self._process.join(5.0)


def fuzz(
    readers: dict[str, str],
    seconds: float,
    first: int = 0,
    report: Callable[[str, Tally], None] = lambda name, tally: None,
    most: int = 10**9,
) -> dict[str, Tally]:
    """Run readers, each for an equal share of the time that those before it left.

    Args:
        readers: families by reader.
        seconds: of all together.
        first: seed of the first input of each.
        report: called with each reader's counts once it is done.
        most: inputs of each reader.
    """
    tallies = {name: Tally() for name in readers}
    end = time.monotonic() + seconds
    with Fuzzer() as fuzzer:
        for done, (name, family) in enumerate(readers.items()):
            share = (end - time.monotonic()) / (len(readers) - done)
            for result in _within(fuzzer, family, name, first, share, most):
                tallies[name].add(result)
            report(name, tallies[name])
    return tallies


def _within(
    fuzzer: Fuzzer, family: str, name: str, first: int, seconds: float, most: int
) -> Iterable[Result]:
    """Results until the time is over, counted from the first: imports take long."""
    end, seed, size = None, first, 1
    while seed < first + most and (end is None or time.monotonic() < end):
        started = time.monotonic()
        count = min(size, first + most - seed)
        for result in fuzzer.run(family, name, range(seed, seed + count)):
            end = end or time.monotonic() + seconds
            yield result
        seed += count
        # About a tenth of a second at once: answers cost nothing, and few are late.
        each = max(time.monotonic() - started, 1e-6) / count
        size = max(1, min(BATCH, int(0.1 / each)))
