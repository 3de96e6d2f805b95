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

from zim_model.errors import ZimError, msg

_FULL = (msg("the disk is full"), msg("Free some space or choose another disk."))
_DENIED = (
    msg("permission is denied"),
    msg("Choose another folder, or allow access to this one."),
)
_REASONS = {
    errno.ENOENT: (msg("there is no such file or folder"), msg("Check the spelling.")),
    errno.ENOTDIR: (
        msg("part of the path is not a folder"),
        msg("Check the spelling."),
    ),
    errno.EISDIR: (msg("it is a folder"), msg("Give the path of a file.")),
    errno.ENAMETOOLONG: (msg("the name is too long"), msg("Choose a shorter name.")),
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EACCES: _DENIED,
    errno.EPERM: _DENIED,
    errno.EROFS: (msg("the disk is read-only"), msg("Choose another disk.")),
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


def read_error(path: Path, error: OSError, kind: type[ZimError] = ZimError) -> ZimError:
    """The error that a file or folder cannot be read, with reason and cure."""
    reason, cure = describe_os_error(error)
    return kind(msg("{path} cannot be read: {reason}.", path=path, reason=reason), cure)


def write_error(
    path: Path, error: OSError, kind: type[ZimError] = ZimError
) -> ZimError:
    """The error that a file or folder cannot be written, with reason and cure."""
    reason, cure = describe_os_error(error)
    message = msg("{path} cannot be written: {reason}.", path=path, reason=reason)
    return kind(message, cure)


def delete_error(
    path: Path, error: OSError, kind: type[ZimError] = ZimError
) -> ZimError:
    """The error that a file or folder cannot be deleted, with reason and cure."""
    reason, cure = describe_os_error(error)
    message = msg("{path} cannot be deleted: {reason}.", path=path, reason=reason)
    return kind(message, cure)


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
