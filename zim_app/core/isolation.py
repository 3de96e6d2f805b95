"""Decode files in helper processes, whose crash is an error of one file.

Native decoders of damaged or hostile files may crash, hang or exhaust memory, which no
check beforehand excludes.  The window and batches call :func:`isolate`; from then on,
functions passed to :func:`run` are called in a helper process, one per calling thread
at a time, that stays for the next file.  Without it they are called directly, as for
scripts, which have no other work to lose.

A helper is this program's interpreter without Qt and torch.  It reads requests from its
standard input and ends with it, also in the midst of a file, so that it never outlives
its parent; Ctrl-C is the parent's matter alone.  Values travel
pickled, arrays as raw bytes beside them (PEP 574).
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import pickle
import select
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, TypeVar

import numpy as np

from zim_model.errors import ImageError, msg

Result = TypeVar("Result")

SECONDS = 60.0
"""For a file, besides a second for every million bytes."""
MEMORY = 12 << 30
"""Address space of a helper, in bytes, where the system can limit it (Linux); the
largest images need half of it."""
_LATE = 5.0
"""Seconds after which a helper ends by itself, after those of its parent."""

_ROOT = Path(__file__).resolve().parents[2]
_CODE = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); "
    "sys.path.insert(0, sys.argv[1]); import zim_app.core.thumbnails; "
    "from zim_app.core.isolation import serve; serve()"
)
_PIPE_BYTES = 1 << 20  # on Linux; the default of 64 kB takes half as long again
_SIZE = struct.Struct("<Q")
_log = logging.getLogger(__name__)


class _Lost(Exception):
    """The helper ended before it answered."""


class Helpers:
    """Helper processes that call functions; thread-safe."""

    def __init__(self) -> None:
        self._idle: list[_Helper] = []
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start a helper for the first call, without waiting for it."""
        with contextlib.suppress(OSError), self._lock:
            if not self._idle:
                self._idle.append(_Helper())

    def call(
        self, name: str, seconds: float, function: Callable[..., Result], *args: Any
    ) -> Result:
        """Call a function of a module, with arguments that can be pickled.

        Args:
            name: of the file, for errors.
            seconds: after which the helper is ended.
            function: of a module.
            args: its arguments.

        Raises:
            ImageError: the helper crashed or took too long.
            Exception: what the function raised.
        """
        with self._lock:
            helper = self._idle.pop() if self._idle else None
        try:
            helper = helper or _Helper()
        except OSError as error:  # no more processes
            _log.warning("no helper process for %s: %s", name, error)
            return function(*args)
        try:
            succeeded, value = helper.call(seconds, (seconds, function, args))
        except _Lost:
            raise self._error(name, helper, seconds) from None
        except BaseException:  # its answer will not be awaited
            helper.close()
            raise
        with self._lock:
            self._idle.append(helper)
        if succeeded:
            return value  # type: ignore[no-any-return]
        raise value

    @staticmethod
    def _error(name: str, helper: _Helper, seconds: float) -> ImageError:
        code = helper.close()
        _log.warning("decoding %s ended a helper process with %s", name, code)
        if helper.timed_out:
            return ImageError(
                msg("{name} took longer than {n:.0f} s to read.", name=name, n=seconds),
                msg("It is probably damaged: convert it in another program."),
            )
        return ImageError(
            msg("{name} is damaged: it made its decoder crash.", name=name),
            msg("Copy or download it again, or convert it in another program."),
        )

    def close(self) -> None:
        """End all helpers that are idle."""
        with self._lock:
            helpers, self._idle = self._idle, []
        for helper in helpers:
            helper.close()


class _Helper:
    """One process; used by one thread at a time."""

    def __init__(self) -> None:
        self.timed_out = False
        self._process = subprocess.Popen(
            [sys.executable, "-c", _CODE, str(_ROOT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            pipesize=_PIPE_BYTES,
        )

    def call(self, seconds: float, request: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        timer = threading.Timer(seconds, self._time_out)
        timer.daemon = True
        timer.start()
        try:
            _send(self._process.stdin, request)
            return _receive(self._process.stdout)
        except OSError as error:  # of a pipe to a process that is gone
            raise _Lost from error
        finally:
            timer.cancel()

    def _time_out(self) -> None:
        self.timed_out = True
        self._process.kill()

    def close(self) -> int:
        """End the process; its exit status."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        try:
            return self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()


# --- Messages -------------------------------------------------------------------------


def _send(stream: IO[bytes], value: Any) -> None:
    buffers: list[pickle.PickleBuffer] = []
    body = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    parts = [memoryview(body), *(buffer.raw() for buffer in buffers)]
    stream.write(_SIZE.pack(len(parts)))
    stream.write(b"".join(_SIZE.pack(part.nbytes) for part in parts))
    for part in parts:
        stream.write(part)
    stream.flush()


def _receive(stream: IO[bytes]) -> Any:
    (count,) = _SIZE.unpack(_read(stream, _SIZE.size))
    sizes = _SIZE.iter_unpack(_read(stream, _SIZE.size * count))
    body, *buffers = [_read(stream, size) for (size,) in sizes]
    return pickle.loads(body, buffers=[view.toreadonly() for view in buffers])


def _read(stream: IO[bytes], count: int) -> memoryview:
    view = memoryview(np.empty(count, np.uint8))  # type: ignore[arg-type]
    done = 0
    while done < count:
        got = stream.readinto(view[done:])  # type: ignore[attr-defined]
        if not got:
            raise _Lost
        done += got
    return view


# --- The helper -----------------------------------------------------------------------


def serve() -> None:
    """Answer requests from the standard input until it ends."""
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is no answer
    _limit_memory()
    _end_with_input()
    with contextlib.suppress(_Lost, BrokenPipeError):
        while True:
            seconds, function, args = _receive(requests)
            _limit_time(seconds + _LATE)
            try:
                answer = (True, function(*args))
            except Exception as error:
                answer = (False, error.with_traceback(None))
            _limit_time(0)
            _send(answers, answer)


def _limit_time(seconds: float) -> None:
    """End this process after that time, where the system can; 0 is no limit.

    The parent does so, too, but may have been killed; and native code that hangs may
    let no other thread run, so that :func:`_end_with_input` has no effect.
    """
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _end_with_input() -> None:
    """End this process as soon as nobody can send it anything."""
    if hasattr(select, "poll"):
        poller = select.poll()
        poller.register(0, 0)  # only that the other end was closed
        threading.Thread(target=_wait_and_end, args=(poller,), daemon=True).start()


def _wait_and_end(poller: select.poll) -> None:
    poller.poll()
    os._exit(1)


def _limit_memory() -> None:
    if sys.platform.startswith("linux"):
        import resource

        _, largest = resource.getrlimit(resource.RLIMIT_AS)
        limit = MEMORY if largest < 0 else min(MEMORY, largest)
        resource.setrlimit(resource.RLIMIT_AS, (limit, largest))


# --- Whether to isolate ---------------------------------------------------------------

_helpers: Helpers | None = None


def isolate() -> None:
    """Decode files in helper processes from now on."""
    global _helpers
    if _helpers is None:
        _helpers = Helpers()
        atexit.register(_helpers.close)


def warm_up() -> None:
    """Start the first helper process, if files are decoded in such."""
    if _helpers is not None:
        _helpers.start()


def run(path: Path, function: Callable[..., Result], *args: Any) -> Result:
    """Call a function that decodes a file, in a helper process after :func:`isolate`.

    Raises:
        ImageError: the helper crashed or took too long.
        Exception: what the function raised.
    """
    if _helpers is None:
        return function(*args)
    try:
        size = path.stat().st_size
    except OSError:  # which the function reports
        size = 0
    return _helpers.call(path.name, SECONDS + size / 1e6, function, *args)
