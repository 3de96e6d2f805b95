"""Calling functions in helper processes, which never import the caller's main module.

A helper is this program's interpreter, started with the caller's import path and
nothing else of it: a script needs no ``if __name__ == "__main__"``, and a notebook or a
window can start one, which ``multiprocessing`` does only by forking.  It reads requests
from its standard input and ends with it, also in the midst of a call, so that it never
outlives its parent; Ctrl-C is the parent's matter alone.  Values travel pickled, arrays
as raw bytes beside them (PEP 574).
"""

from __future__ import annotations

import contextlib
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

Result = TypeVar("Result")

_LATE = 5.0
"""Seconds after which a helper ends by itself, after those of its parent."""
_ROOT = Path(__file__).resolve().parents[2]
_CODE = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); "
    "sys.path.insert(0, sys.argv[1]); "
    "from zim_model.runtime.helper_process import serve; serve()"
)
_PIPE_BYTES = 1 << 20  # on Linux; the default of 64 kB takes half as long again
_SIZE = struct.Struct("<Q")


class HelperLost(Exception):
    """A helper process ended before it answered.

    Attributes:
        code: its exit status.
        timed_out: whether it was ended because it took too long.
    """

    def __init__(self, code: int, *, timed_out: bool) -> None:
        super().__init__(f"a helper process ended with {code}")
        self.code, self.timed_out = code, timed_out


class HelperNotStarted(Exception):
    """The system starts no further process."""


class _Closed(Exception):
    """The other end of a pipe is gone."""


class HelperPool:
    """Helper processes that call functions, one per calling thread; thread-safe.

    Args:
        prepare: called once in each process, a function of a module.
        quiet: whether what the helpers print on the standard error stream is lost.
    """

    def __init__(
        self, prepare: Callable[[], object] | None = None, *, quiet: bool = False
    ) -> None:
        self._prepare, self._quiet = prepare, quiet
        self._idle: list[_Helper] = []
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start a helper for the first call, without waiting for it."""
        with contextlib.suppress(OSError), self._lock:
            if not self._idle:
                self._idle.append(_Helper(self._prepare, self._quiet))

    def call_within(
        self, seconds: float, function: Callable[..., Result], *args: Any
    ) -> Result:
        """Call a function of a module, with arguments that can be pickled.

        Args:
            seconds: after which the helper is ended; 0 is no limit.
            function: of a module that can be imported.
            args: its arguments.

        Raises:
            HelperLost: the helper crashed or took too long.
            HelperNotStarted: there is none, and no further process can be started.
            Exception: what the function raised.
        """
        with self._lock:
            helper = self._idle.pop() if self._idle else None
        try:
            helper = helper or _Helper(self._prepare, self._quiet)
        except OSError as error:
            raise HelperNotStarted(str(error)) from error
        try:
            succeeded, value = helper.call(seconds, function, args)
        except _Closed:
            code = helper.close()
            raise HelperLost(code, timed_out=helper.timed_out) from None
        except BaseException:  # its answer will not be awaited
            helper.close()
            raise
        with self._lock:
            self._idle.append(helper)
        if succeeded:
            return value  # type: ignore[no-any-return]
        raise value

    def close(self) -> None:
        """End all helpers that are idle."""
        with self._lock:
            helpers, self._idle = self._idle, []
        for helper in helpers:
            helper.close()


class _Helper:
    """One process; used by one thread at a time."""

    def __init__(self, prepare: Callable[[], object] | None, quiet: bool) -> None:
        self.timed_out = False
        self._process = subprocess.Popen(
            [sys.executable, "-c", _CODE, str(_ROOT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if quiet else None,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            pipesize=_PIPE_BYTES,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests, self._answers = self._process.stdin, self._process.stdout
        with contextlib.suppress(OSError):  # the first call finds that it has ended
            _send(self._requests, (list(sys.path), prepare is not None))
            if prepare is not None:
                _send(self._requests, prepare)

    def call(
        self, seconds: float, function: Callable[..., Any], args: tuple[Any, ...]
    ) -> Any:
        timer = threading.Timer(seconds, self._time_out) if seconds else None
        if timer is not None:
            timer.daemon = True
            timer.start()
        try:
            _send(self._requests, (seconds, function, args))
            return _receive(self._answers)
        except OSError as error:  # of a pipe to a process that is gone
            raise _Closed from error
        finally:
            if timer is not None:
                timer.cancel()

    def _time_out(self) -> None:
        self.timed_out = True
        self._process.kill()

    def close(self) -> int:
        """End the process; its exit status."""
        for stream in (self._requests, self._answers):
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
            raise _Closed
        done += got
    return view


# --- The helper -----------------------------------------------------------------------


def serve() -> None:
    """Answer requests from the standard input until it ends."""
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is no answer
    _end_with_input()
    with contextlib.suppress(_Closed, BrokenPipeError):
        sys.path[:], prepared = _receive(requests)
        if prepared:
            _receive(requests)()
        while True:
            seconds, function, args = _receive(requests)
            _limit_time(seconds + _LATE if seconds else 0)
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
