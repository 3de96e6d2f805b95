"""Atomic writes, locks, and descriptions of system errors."""

from __future__ import annotations

import errno
import hashlib
import os
import platform
import re
import secrets
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import IO

from zim_model.errors import ZimError, msg

if sys.platform != "win32":
    import fcntl

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
    errno.EEXIST: (msg("there is one already"), msg("Choose another name.")),
    errno.ENAMETOOLONG: (msg("the name is too long"), msg("Choose a shorter name.")),
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EACCES: _DENIED,
    errno.EPERM: _DENIED,
    errno.EROFS: (msg("the disk is read-only"), msg("Choose another disk.")),
}
STALE = 86400.0
"""Seconds after which a temporary file is certainly abandoned."""
_PARTIAL_FILE = re.compile(r"\.zim-[0-9a-f]{16}\.tmp")
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP)
"""Errors of locks on some network drives."""
MAX_ATTEMPTS = 20
"""Temporary files that may vanish before they are locked."""


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


OTHER_FOLDER = msg("Choose another folder.")
"""Cure where a folder to write to holds such files already."""


def check_absent(
    paths: Iterable[Path], cure: str, kind: type[ZimError] = ZimError
) -> None:
    """Check that files that are to be written would replace none.

    Args:
        cure: of the error: how to have them replaced, or to write elsewhere.

    Raises:
        ZimError: of that kind, naming the first one that exists.
    """
    taken = next((path for path in paths if os.path.lexists(path)), None)
    if taken is not None:
        raise kind(msg("{path} exists already.", path=taken), cure)


@contextmanager
def explained_write(path: Path) -> Iterator[None]:
    """Raise :func:`write_error` for a system error in the block, as on a full disk.

    Also for a RuntimeError that follows one, which torch raises where the stream that
    it writes to fails.

    Raises:
        ZimError: ``path``, or what is in it, cannot be written.
    """
    try:
        yield
    except (OSError, RuntimeError) as error:
        cause = error if isinstance(error, OSError) else error.__context__
        if not isinstance(cause, OSError):
            raise
        raise write_error(path, cause) from error


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
def atomic_write(
    path: Path, *, exclusive: bool = False, private: bool = False
) -> Iterator[IO[bytes]]:
    """Open a file to write that replaces ``path`` once it is complete.

    The new file lies beside ``path`` under a temporary name; leaving the block normally
    flushes it to the disk and renames it.  If the block raises, ``path`` is unchanged
    and nothing else is left behind; what a killed program leaves is removed by the next
    one that writes to the folder.  A link is followed, and an existing file keeps its
    permissions.

    Args:
        exclusive: replace nothing, also not what appeared since the block began.
        private: only the user may read the file.

    Raises:
        FileExistsError: ``path`` exists, if ``exclusive``.
        OSError: the folder is missing or not writable, ``path`` is a folder or
            write-protected, the disk is full.
    """
    target = path.absolute() if exclusive else path.resolve()
    if target.is_dir() and not exclusive:
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if exclusive and os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    _sweep_once(target.parent)
    temporary, stream, lock = _create_partial(target.parent, private)
    try:
        with stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        if target.exists() and not private:
            shutil.copymode(target, temporary)
        if exclusive:
            rename_to_new(temporary, target)
        else:
            os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
        if lock is not None:
            os.close(lock)


def _create_partial(folder: Path, private: bool) -> tuple[Path, IO[bytes], int | None]:
    """A new temporary file, and the descriptor that locks it until it is closed."""
    opener = _open_private if private else None
    for _ in range(MAX_ATTEMPTS):
        temporary = folder / f".zim-{_this_system()}{secrets.token_hex(4)}.tmp"
        stream = open(temporary, "x+b", opener=opener)  # noqa: SIM115
        try:
            lock = _lock_partial(temporary)
            if lock is None or temporary.exists():
                return temporary, stream, lock
            os.close(lock)
        except (BlockingIOError, FileNotFoundError):
            pass
        stream.close()  # another program took it for abandoned before it was locked
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(folder))


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _lock_partial(path: Path) -> int | None:
    """Lock a temporary file, until the descriptor is closed or the program has ended.

    Returns:
        The descriptor; None where the system or the disk has no locks.

    Raises:
        BlockingIOError: another program has locked it.
        OSError: it is gone, or may not be read.
    """
    if sys.platform == "win32":
        return None
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if error.errno not in _NO_LOCKS:
            raise
        return None
    return descriptor


@lru_cache(maxsize=1)
def _this_system() -> str:
    """8 digits for the programs among which locks hold, wherever the disk is."""
    try:
        name = Path("/proc/sys/kernel/random/boot_id").read_text("ascii")
    except (OSError, ValueError):
        name = platform.node()
    return hashlib.blake2b(name.encode(), digest_size=4).hexdigest()


def rename_to_new(path: Path, target: Path) -> None:
    """Rename a file; of several programs that want the same name, only one succeeds.

    Raises:
        FileExistsError: there is something of that name.
        OSError: it cannot be renamed.
    """
    try:
        os.link(path, target)
    except FileExistsError:
        raise
    except OSError:  # the disk has no hard links
        target.open("xb").close()
        os.replace(path, target)
    path.unlink(missing_ok=True)


def remove_partial_files(folder: Path, age: float = STALE) -> None:
    """Remove temporary files of programs that were killed while they wrote.

    Those of this system are removed at once, because locks tell that their program is
    gone; others once they are old.

    Args:
        age: seconds since the last write, so that no program at work loses its file.
    """
    now = time.time()
    for path in folder.glob(".zim-*.tmp"):
        with suppress(OSError):
            if not _PARTIAL_FILE.fullmatch(path.name) or not path.is_file():
                continue
            own = path.name.startswith(f".zim-{_this_system()}")
            lock = _lock_partial(path) if own else None
            if lock is not None:
                path.unlink()
                os.close(lock)
            elif now - path.stat().st_mtime > age:
                path.unlink()


@lru_cache(maxsize=1024)
def _sweep_once(folder: Path) -> None:
    """Remove partial files, once for each folder that this program writes to."""
    with suppress(OSError):
        remove_partial_files(folder)
