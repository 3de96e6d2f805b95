"""Processes that are killed: forked from one that has imported everything once."""

from __future__ import annotations

import multiprocessing
import os
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any

PRELOADED = ("tests.killed.preloaded",)
LIMIT = 300.0
"""Seconds that a run may take to its end on a busy machine."""
ORPHANS_END = 20.0
"""Seconds in which the helpers of a killed process must have ended."""


@dataclass(frozen=True)
class Writer:
    """Something that writes one file again and again, each time whole.

    Attributes:
        write: called in a process with the folder, and a number that counts up.
        check: called after each kill with the folder; raises if a file is no whole one.
    """

    name: str
    write: Callable[[Path, int], None]
    check: Callable[[Path], None]


@dataclass(frozen=True)
class Run:
    """A job that goes on where an earlier one of the same folder was killed.

    Attributes:
        work: called in a process with the folder; ends when all is done.
        result: of a finished folder, equal for equal results.
    """

    name: str
    work: Callable[[Path], None]
    result: Callable[[Path], Any]


@dataclass
class Kills:
    """How often processes were killed, and jobs came to their end."""

    kills: int = 0
    ends: int = 0
    moments: list[float] = field(default_factory=list)


def context() -> ForkServerContext:
    """Processes begin within milliseconds, with all libraries imported."""
    made = multiprocessing.get_context("forkserver")
    made.set_forkserver_preload(list(PRELOADED))
    return made


def kill_writer(writer: Writer, folder: Path, times: int, seed: int = 0) -> Kills:
    """Kill a process that writes, some moment after its first file."""
    rng, result = random.Random(seed), Kills()
    for number in range(times):
        writing = context().Event()
        process = _start(_write_on, writer, folder, number * 1000, writing)
        assert writing.wait(LIMIT), f"{writer.name} does not begin"
        _kill(process, rng.expovariate(1 / 0.2), result)
        writer.check(folder)
        process = _start(writer.write, folder, number * 1000 + 999)
        process.join(LIMIT)
        assert process.exitcode == 0, f"{writer.name} does not write again"
        writer.check(folder)
        assert not leftovers(folder), f"{leftovers(folder)} are left"
        result.ends += 1
    return result


def _write_on(writer: Writer, folder: Path, first: int, writing: Any) -> None:
    _be_quiet()
    for number in range(first, sys.maxsize):
        writer.write(folder, number)
        writing.set()


def kill_run(run: Run, make: Callable[[str], Path], times: int, seed: int = 0) -> Kills:
    """Kill a job at random moments, start it again, and compare its result.

    Args:
        make: makes the folder of a job of that name.
    """
    rng, result = random.Random(seed), Kills()
    whole = make("whole")
    _start(_be_quiet).join()  # the first process waits for all imports
    started = time.monotonic()
    _finish(run, whole)
    duration, expected = time.monotonic() - started, run.result(whole)
    while result.kills < times:
        folder = make(f"cut-{result.ends}")
        process = None
        while result.kills < times:
            process = _start(_work, run, folder)
            if not _kill(process, rng.uniform(0.02, 1) * duration, result):
                break
        _finish(run, folder)
        assert run.result(folder) == expected, f"{run.name} has another result"
        assert not leftovers(folder), f"{leftovers(folder)} are left"
        result.ends += 1
    return result


def _finish(run: Run, folder: Path) -> None:
    process = _start(_work, run, folder)
    process.join(LIMIT)
    assert process.exitcode == 0, f"{run.name} does not end well: {process.exitcode}"


def _work(run: Run, folder: Path) -> None:
    _be_quiet()
    run.work(folder)


def _be_quiet() -> None:
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)


def _start(function: Callable[..., None], *args: Any) -> ForkServerProcess:
    process = context().Process(target=function, args=args)
    process.start()
    return process


def _kill(process: ForkServerProcess, delay: float, result: Kills) -> bool:
    """Kill a process after a while; false if it had ended before."""
    process.join(delay)
    if process.exitcode is not None:
        assert process.exitcode == 0, f"it ended with {process.exitcode}"
        return False
    assert process.pid is not None
    helpers = descendants(process.pid)
    process.kill()
    process.join()
    result.kills += 1
    result.moments.append(delay)
    end = time.monotonic() + ORPHANS_END
    while left := [pid for pid in helpers if is_alive(pid)]:
        assert time.monotonic() < end, f"helpers {left} outlive what they help"
        time.sleep(0.05)
    return True


def descendants(pid: int) -> list[int]:
    """The processes that one has started, and those have; none without ``/proc``."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(entry.name)] = int(_status(entry)[1])
        except (OSError, ValueError, IndexError):
            continue
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found[1:]


def is_alive(pid: int) -> bool:
    try:
        return _status(Path(f"/proc/{pid}"))[0] not in ("Z", "X")
    except (OSError, IndexError):
        return False


def _status(process: Path) -> list[str]:
    """State and parent of a process."""
    return (process / "stat").read_text().rpartition(")")[2].split()


def leftovers(folder: Path) -> list[str]:
    """Hidden temporary files and locks in a folder, after a run or a start."""
    return [
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.name.endswith((".tmp", ".lock", ".unreadable"))
    ]
