"""Atomic writes, locks, and descriptions of system errors."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

_FULL = ("the disk is full", "Free some space or choose another disk.")
_DENIED = (
    "permission is denied",
    "Choose another folder, or allow access to this one.",
)
_REASONS = {
    errno.ENOENT: ("there is no such file or folder", "Check the spelling."),
    errno.ENOTDIR: ("part of the path is not a folder", "Check the spelling."),
    errno.EISDIR: ("it is a folder", "Give the path of a file."),
    errno.ENAMETOOLONG: ("the name is too long", "Choose a shorter name."),
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EACCES: _DENIED,
    errno.EPERM: _DENIED,
    errno.EROFS: ("the disk is read-only", "Choose another disk."),
}
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP)
"""Errors of locks on some network drives."""


def describe_os_error(error: OSError) -> tuple[str, str]:
    """The meaning of a system error and what to do about it, both for the user.

    The first is the end of a sentence without its full stop; the second is a sentence
    or empty.
    """
    reason = _REASONS.get(error.errno or 0)
    return reason or (error.strerror or str(error), "")


@contextmanager
def exclusive_lock(path: Path) -> Iterator[bool]:
    """Lock a file or folder against other programs that use this function.

    The lock is a file beside it, which is removed at the end of the block; one that a
    killed program left behind is not locked any more.  ``path`` itself need not exist
    and may be renamed meanwhile.

    Yields:
        Whether the lock was acquired; true where the disk has no locks.

    Raises:
        OSError: the folder of ``path`` is not writable.
    """
    from filelock import FileLock, Timeout  # slow to import

    lock = FileLock(
        path.with_name(f"{path.name}.lock"), blocking=False, thread_local=False
    )
    try:
        lock.acquire()
    except Timeout:
        yield False
        return
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        yield True
        return
    try:
        yield True
    finally:
        with suppress(OSError):  # Windows removes it on release
            os.unlink(lock.lock_file)
        lock.release()


@contextmanager
def atomic_write(path: Path) -> Iterator[IO[bytes]]:
    """Open a file to write that replaces ``path`` once it is complete.

    The new file lies beside ``path`` under a temporary name; leaving the block normally
    flushes it to the disk and renames it.  If the block raises, ``path`` is unchanged
    and nothing else is left behind.  A link is followed, and an existing file keeps its
    permissions.

    Raises:
        OSError: the folder is missing or not writable, ``path`` is a folder or
            write-protected, the disk is full.
    """
    target = path.resolve()
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    temporary = target.with_name(f".zim-{secrets.token_hex(8)}.tmp")
    stream = temporary.open("x+b")
    try:
        with stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        if target.exists():
            shutil.copymode(target, temporary)
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
