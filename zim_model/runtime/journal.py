"""Journals: append-only files from which jobs resume.

A journal is a file of one JSON object a line: a header with its version and settings,
then rows in the order in which they were finished.  A program that is killed leaves at
most one incomplete line.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from zim_model.errors import ZimError, msg
from zim_model.runtime.atomic_files import exclusive_lock, explained_write, read_error


def read_lines(path: Path) -> list[bytes]:
    """The complete lines of a journal.

    Raises:
        ZimError: the file cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise read_error(path, error) from error
    return content[: content.rfind(b"\n") + 1].splitlines(keepends=True)


class JournalWriter:
    """Appends to a journal while no other program does.

    A context manager.

    Args:
        path: need not exist; its folder is made.
        locked: false for a name that no other program makes, which needs no lock.

    Raises:
        ZimError: another program is writing to the file, or it cannot be written.
    """

    def __init__(self, path: Path, *, locked: bool = True) -> None:
        self.path = path
        with explained_write(path), ExitStack() as stack:
            path.parent.mkdir(parents=True, exist_ok=True)
            if locked and not stack.enter_context(exclusive_lock(path)):
                raise ZimError(
                    msg("Another run is writing to {path}.", path=path),
                    msg(
                        "Wait for it, stop it, or choose another folder for the "
                        "results."
                    ),
                )
            # Appending: whatever else writes to the file, no line is written over.
            # Without a buffer, which could not be written on closing either.
            self._file = stack.enter_context(path.open("ab", buffering=0))
            self._stack = stack.pop_all()

    def truncate(self, size: int) -> None:
        """Drop all after ``size`` bytes, such as an incomplete line.

        Raises:
            ZimError: the file cannot be written.
        """
        with explained_write(self.path):
            self._file.truncate(size)

    def append(self, data: Mapping[str, Any]) -> None:
        """Write a line; it is on the disk when this returns, or not at all.

        Raises:
            ZimError: the file cannot be written, as on a full disk.
        """
        line = memoryview(f"{json.dumps(data, allow_nan=False)}\n".encode())
        file = self._file
        with explained_write(self.path):
            size = os.fstat(file.fileno()).st_size
            try:
                while line:
                    line = line[file.write(line) :]
                os.fsync(file.fileno())
            except OSError:
                with suppress(OSError):  # half a line would spoil the next one
                    file.truncate(size)
                raise

    def close(self) -> None:
        """Close the file."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
