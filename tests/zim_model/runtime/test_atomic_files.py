from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from zim_model.runtime import atomic_files
from zim_model.runtime.atomic_files import (
    atomic_write,
    describe_os_error,
    exclusive_lock,
    remove_partial_files,
)

ROOT = Path(__file__).resolve().parents[3]


def test_new_content_replaces_the_old(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    path.chmod(0o640)
    with atomic_write(path) as stream:
        stream.write(b"new")
        assert path.read_bytes() == b"old"  # until it is whole
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == ["a.txt"]


def test_new_file_has_ordinary_permissions(tmp_path: Path) -> None:
    (tmp_path / "ordinary").touch()
    with atomic_write(tmp_path / "a.txt") as stream:
        stream.write(b"x")
    modes = {path.stat().st_mode for path in tmp_path.iterdir()}
    assert len(modes) == 1


@pytest.mark.parametrize("error", [OSError("disk"), ValueError(), KeyboardInterrupt()])
def test_failure_leaves_everything_as_it_was(
    tmp_path: Path, error: BaseException
) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    with pytest.raises(type(error)), atomic_write(path) as stream:  # noqa: PT012
        stream.write(b"half")
        raise error
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_exclusive_file_replaces_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with pytest.raises(FileExistsError), atomic_write(path, exclusive=True) as stream:  # noqa: PT012
        stream.write(b"mine")
        path.write_bytes(b"another program's")
    assert path.read_bytes() == b"another program's"
    with pytest.raises(FileExistsError), atomic_write(path, exclusive=True):
        pass
    with atomic_write(tmp_path / "b.txt", exclusive=True) as stream:
        stream.write(b"mine")
    assert (tmp_path / "b.txt").read_bytes() == b"mine"
    assert sorted(os.listdir(tmp_path)) == ["a.txt", "b.txt"]


def test_exclusive_file_on_a_disk_without_hard_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def link(*_: object) -> None:
        raise PermissionError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", link)
    path = tmp_path / "a.txt"
    with atomic_write(path, exclusive=True) as stream:
        stream.write(b"x")
    with pytest.raises(FileExistsError), atomic_write(path, exclusive=True):
        pass
    assert path.read_bytes() == b"x"
    assert os.listdir(tmp_path) == ["a.txt"]


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
def test_private_file_is_for_its_user(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.touch(0o644)
    with atomic_write(path, private=True) as stream:
        assert Path(stream.name).stat().st_mode & 0o777 == 0o600
    assert path.stat().st_mode & 0o777 == 0o600


def test_files_of_killed_programs_are_swept(tmp_path: Path) -> None:
    old, new, other = (
        tmp_path / name
        for name in (f".zim-{'1' * 16}.tmp", f".zim-{'2' * 16}.tmp", ".zim-x.tmp")
    )
    for path in (old, new, other):
        path.touch()
    for path in (old, other):
        os.utime(path, (1e9, 1e9))
    with atomic_write(tmp_path / "a.txt") as stream:  # the first in this folder
        stream.write(b"x")
    assert sorted(p.name for p in tmp_path.iterdir()) == [new.name, other.name, "a.txt"]
    os.utime(new, (1e9, 1e9))
    remove_partial_files(tmp_path)
    assert not new.exists()


def test_link_is_followed(tmp_path: Path) -> None:
    target, link = tmp_path / "folder" / "a.txt", tmp_path / "link.txt"
    target.parent.mkdir()
    target.write_bytes(b"old")
    link.symlink_to(target)
    with atomic_write(link) as stream:
        stream.write(b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_write_protected_file_is_respected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "access", lambda *_: False)  # the tests may run as root
    with pytest.raises(PermissionError), atomic_write(path):
        pass
    assert path.read_bytes() == b"old"


def test_explanations_are_for_people() -> None:
    assert describe_os_error(OSError(errno.ENOSPC, "x"))[0] == "the disk is full"
    assert describe_os_error(OSError(errno.EBUSY, "Device busy")) == ("Device busy", "")
    assert describe_os_error(OSError("encoder error")) == ("encoder error", "")


HOLD = """
import sys
from collections.abc import Iterator
from pathlib import Path
from zim_model.runtime.atomic_files import exclusive_lock

with exclusive_lock(Path(sys.argv[1])) as acquired:
    print(acquired, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock of ``rows`` until its input ends."""
    command = [sys.executable, "-c", HOLD, str(tmp_path / "rows")]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        yield process
        process.kill()


def test_lock_of_another_process_is_respected(
    tmp_path: Path, holder: subprocess.Popen[str]
) -> None:
    with exclusive_lock(tmp_path / "rows") as acquired:
        assert not acquired
    with exclusive_lock(tmp_path / "others") as acquired:
        assert acquired
    holder.communicate()
    assert not os.listdir(tmp_path)
    with exclusive_lock(tmp_path / "rows") as acquired:
        assert acquired
    assert not os.listdir(tmp_path)


def test_lock_of_a_killed_process_does_not_block(
    tmp_path: Path, holder: subprocess.Popen[str]
) -> None:
    holder.kill()
    holder.wait()
    assert os.listdir(tmp_path) == ["rows.lock"]
    with exclusive_lock(tmp_path / "rows") as acquired:
        assert acquired
    assert not os.listdir(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="locks of POSIX")
def test_file_of_a_killed_program_is_swept_by_the_next_one(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path\n"
        "from zim_model.runtime.atomic_files import atomic_write\n"
        "with atomic_write(Path(sys.argv[1])) as stream:\n"
        "    print('writing', flush=True)\n"
        "    time.sleep(60)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "a.txt")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        (partial,) = os.listdir(tmp_path)
        remove_partial_files(tmp_path)
        assert os.listdir(tmp_path) == [partial], "it is still being written"
        process.kill()
    remove_partial_files(tmp_path)
    assert not os.listdir(tmp_path)


def test_file_taken_for_abandoned_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between creating a file and locking it, another program may remove it."""
    lock, stolen = atomic_files._lock_partial, []

    def steal_first(path: Path) -> int | None:
        if not stolen:
            stolen.append(path)
            path.unlink()
        return lock(path)

    monkeypatch.setattr(atomic_files, "_lock_partial", steal_first)
    with atomic_write(tmp_path / "a.txt") as stream:
        stream.write(b"x")
    assert stolen
    assert os.listdir(tmp_path) == ["a.txt"]
