"""Decode files in helper processes, whose crash is an error of one file.

Native decoders of damaged or hostile files may crash, hang or exhaust memory, which no
check beforehand excludes.  The window and batches call :func:`isolate`; from then on,
functions passed to :func:`run` are called in a helper process, one per calling thread
at a time, that stays for the next file.  Without it they are called directly, as for
scripts, which have no other work to lose.  See
:mod:`zim_model.runtime.helper_process` for the processes.
"""

from __future__ import annotations

import atexit
import logging
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from zim_model.errors import ImageError, msg
from zim_model.runtime.helper_process import HelperLost, HelperNotStarted, HelperPool

Result = TypeVar("Result")

SECONDS = 60.0
"""For a file, besides a second for every million bytes."""
MEMORY = 12 << 30
"""Address space of a helper, in bytes, where the system can limit it (Linux); the
largest images need half of it."""
_log = logging.getLogger(__name__)


def _prepare() -> None:
    """Load the decoders, then limit the memory of a helper process."""
    import_module("zim_app.core.thumbnails")  # above this one, with all readers
    import_module("PIL.Image").preinit()  # which the first file would wait for
    if sys.platform.startswith("linux"):
        import resource

        _, largest = resource.getrlimit(resource.RLIMIT_AS)
        limit = MEMORY if largest < 0 else min(MEMORY, largest)
        resource.setrlimit(resource.RLIMIT_AS, (limit, largest))


class Helpers:
    """Helper processes that decode files; thread-safe."""

    def __init__(self) -> None:
        self.pool = HelperPool(_prepare, quiet=True)
        self.start, self.close = self.pool.start, self.pool.close

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
        try:
            return self.pool.call_within(seconds, function, *args)
        except HelperNotStarted as error:
            _log.warning("no helper process for %s: %s", name, error)
            return function(*args)
        except HelperLost as lost:
            _log.warning("decoding %s ended a helper process: %s", name, lost)
            if lost.timed_out:
                raise ImageError(
                    msg(
                        "{name} took longer than {n:.0f} s to read.",
                        name=name,
                        n=seconds,
                    ),
                    msg("It is probably damaged: convert it in another program."),
                ) from None
            raise ImageError(
                msg("{name} is damaged: it made its decoder crash.", name=name),
                msg("Copy or download it again, or convert it in another program."),
            ) from None


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
