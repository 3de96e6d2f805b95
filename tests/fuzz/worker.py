"""The process that reads hostile input, limited and with its file access watched."""

from __future__ import annotations

import faulthandler
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any

from tests.fuzz.mutation import OUTSIDE
from tests.fuzz.reader import Reader, load_family

SECONDS = 10.0
"""Of processor time for one input; more is a fault."""
IMPORTED = 6 << 30
"""Address space that the libraries of a reader may take."""
ROOT = Path(__file__).resolve().parents[2]
PACKAGES = tuple(
    f"{ROOT / name}{os.sep}" for name in ("zim_app", "zim_model", "training")
)
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_PATHS = {
    **dict.fromkeys(("os.mkdir", "os.remove", "os.rmdir", "os.truncate"), 1),
    **dict.fromkeys(("os.chmod", "os.utime", "shutil.rmtree"), 1),
    **dict.fromkeys(("os.rename", "os.link", "os.symlink"), 2),
}
"""Events that change files, and how many paths they begin with."""
_FORBIDDEN = ("subprocess.Popen", "os.system", "os.exec", "socket.connect")


@dataclass(frozen=True)
class Result:
    """What one input led to.

    Attributes:
        fault: empty, or where and how the reader failed, equal for equal faults.
        detail: of a fault, for reading.
    """

    reader: str
    seed: int
    accepted: bool
    fault: str = ""
    detail: str = ""


class _Watch:
    """Reports accesses to files that a reader has no business with."""

    def __init__(self, home: Path) -> None:
        self.inside = str(home)
        self.forbidden = (str(home.parent), str(OUTSIDE))
        self.armed = False
        self.found: list[str] = []
        sys.addaudithook(self._on_event)

    def _on_event(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.armed:
            return
        if event in _FORBIDDEN:
            self.found.append(f"{event} {args[0]!r:.100}")
        elif event == "open":
            path, mode, flags = args
            writes = bool((flags or 0) & _WRITING) or any(
                x in (mode or "") for x in "wax+"
            )
            self._check(event, path, writes)
        elif event in _PATHS:
            for path in args[: _PATHS[event]]:
                self._check(event, path, True)

    def _check(self, event: str, path: Any, writes: bool) -> None:
        if not isinstance(path, str | bytes | os.PathLike):
            return
        try:
            full = os.path.abspath(os.fsdecode(path))
        except ValueError:  # a zero byte, which the system refuses
            return
        at_home = full == self.inside or full.startswith(self.inside + os.sep)
        if at_home or full == os.devnull:
            return
        if writes or full.startswith(self.forbidden):
            self.found.append(f"{event} {'outside, to write' if writes else 'outside'}")


def serve(pipe: Connection, log: str) -> None:
    """Read inputs as the parent asks for them: (family, reader, first seed, last seed).

    Each is answered with a :class:`Result`.

    Args:
        pipe: to the parent.
        log: file for what crashing libraries print.
    """
    stream = open(log, "w")  # noqa: SIM115
    for descriptor in (1, 2):
        os.dup2(stream.fileno(), descriptor)
    faulthandler.enable(stream)
    _cut_off()
    sys.dont_write_bytecode = True
    OUTSIDE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="zim-fuzz-") as root:
        home = Path(root, "home")
        home.mkdir()
        os.chdir(home)
        watch = _Watch(home)
        for name in ("TMPDIR", "HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
            os.environ[name] = str(home)
        tempfile.tempdir = str(home)
        warm: set[str] = set()
        while (order := pipe.recv()) is not None:
            family, name, first, last = order
            reader = load_family(family)[name]
            if name not in warm:  # imports take memory that no input asks for
                with _limited_memory(reader.memory + IMPORTED):
                    run_one(reader, -1, home, watch)
                warm.add(name)
            with _limited_memory(reader.memory):
                for seed in range(first, last):
                    pipe.send(run_one(reader, seed, home, watch))


def _cut_off() -> None:
    """No core dumps, no network; no window on a screen."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.environ |= {"QT_QPA_PLATFORM": "offscreen", "HF_HUB_OFFLINE": "1"}
    socket.setdefaulttimeout(0.1)
    warnings.simplefilter("ignore")


def run_one(reader: Reader, seed: int, home: Path, watch: _Watch) -> Result:
    """Make one input in an empty folder, and read it."""
    _empty(home)
    watch.found.clear()
    accepted, fault, detail = False, "", ""
    started = time.process_time()
    try:
        argument = make_input(reader, seed, home)
        started = time.process_time()
        watch.armed = True
        reader.read(argument)
        accepted = True
    except reader.refusals as error:
        if not str(error).strip():
            fault = "an error without words"
    except BaseException as error:  # all of them are what is looked for
        fault, detail = _describe(error), traceback.format_exc(limit=-12)
    finally:
        watch.armed = False
    if time.process_time() - started > SECONDS:
        fault = fault or "slow"
    elif watch.found:
        fault = fault or watch.found[0]
    return Result(reader.name, seed, accepted and not fault, fault, detail[-4000:])


def _empty(folder: Path) -> None:
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.unlink(entry.path)


def make_input(reader: Reader, seed: int, folder: Path) -> Any:
    """Write the input of a seed into a folder; the argument for ``reader.read``."""
    return reader.make(Random(f"{reader.name} {seed}"), folder)


def _describe(error: BaseException) -> str:
    """The kind of an exception, and the last line of the project that it passed."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename.startswith(PACKAGES)]
    last = (own or frames)[-1]
    place = os.path.relpath(last.filename, ROOT)
    return f"{type(error).__name__} at {place}:{last.lineno} in {last.name}"


@contextmanager
def _limited_memory(allowance: int) -> Iterator[None]:
    """Let the process have so many bytes of address space more than it has now."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    with open("/proc/self/statm") as stream:
        pages = int(stream.read().split()[0])
    limit = pages * resource.getpagesize() + allowance
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def has_limits() -> bool:
    """Whether this system can limit memory and tell how much is used (Linux)."""
    return sys.platform.startswith("linux") and hasattr(subprocess, "Popen")
