"""The standard streams of the process, of which a caller may have closed some."""

from __future__ import annotations

import codecs
import functools
import io
import os
import sys
from typing import TextIO


def prepare_streams() -> None:
    """Make the standard streams safe to use; call it first.

    A file that is opened later would get the number of a closed stream, and what
    libraries print there would go into it.  Where the standard error stream is closed,
    messages are dropped; ``print`` would send them to the standard output.
    ``sys.stdin`` and ``sys.stdout`` stay None where they are closed: commands that need
    them say so.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(number, True)
    os.close(number)
    if sys.stderr is None:
        sys.stderr = null_stream()
    if isinstance(sys.stdout, io.TextIOWrapper):
        _allow_any_name(sys.stdout)


@functools.cache
def null_stream() -> TextIO:
    """A stream that drops what is written, until the process ends."""
    return open(os.devnull, "w")


def _allow_any_name(stream: io.TextIOWrapper) -> None:
    """Print names that are no text in the stream's encoding in place of failing."""
    is_utf8 = codecs.lookup(stream.encoding).name == "utf-8"
    # In UTF-8 the very bytes of a file's name, which other programs can open.
    errors = "surrogateescape" if is_utf8 else "backslashreplace"
    stream.reconfigure(errors=errors)
