from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.zim_app.core.test_project import WORK, WORKS
from zim_app.core.images import Image, load_image
from zim_app.core.saved_work import ObjectStack
from zim_app.core.session_store import (
    FileStamp,
    RecoveryState,
    Session,
    SessionStore,
    read_recovery_state,
    session_mark,
    state_folder,
    write_recovery_state,
)
from zim_model.errors import ZimError

SESSION = Session("ab" * 16, "a.png", Path("/pictures/a.png"), WORK)


@pytest.fixture
def store(tmp_path: Path) -> SessionStore:
    return SessionStore(tmp_path / "state" / "sessions")


def numbered(number: int) -> Session:
    return replace(SESSION, digest=f"{number:032x}")


@given(
    stack=WORKS, path=st.none() | st.just(Path("/été/\udcff.png")), done=st.booleans()
)
def test_session_survives_a_file(
    tmp_path_factory: pytest.TempPathFactory,
    stack: ObjectStack,
    path: Path,
    done: bool,
) -> None:
    store = SessionStore(tmp_path_factory.getbasetemp() / "sessions")
    session = Session("cd" * 16, "a.png", path, stack, done)
    store.save(session)
    assert store.load(session.digest) == session


def test_unknown_image_has_no_session(store: SessionStore) -> None:
    assert store.load("ef" * 16) is None
    assert store.marks() == {}


def test_the_oldest_go_first_and_never_the_one_just_saved(tmp_path: Path) -> None:
    store = SessionStore(tmp_path, max_sessions=3)
    for number in range(5):
        store.save(numbered(number))
        file = tmp_path / f"{number:032x}.json"
        os.utime(file, ns=(number * 10**9, number * 10**9))
    remaining = [number for number in range(5) if store.load(f"{number:032x}")]
    assert remaining == [2, 3, 4]
    tight = SessionStore(tmp_path, max_bytes=10)
    tight.save(numbered(9))
    assert [path.stem for path in tmp_path.iterdir()] == [f"{9:032x}"]


def test_damaged_session_is_put_aside_not_lost(store: SessionStore) -> None:
    store.save(SESSION)
    file = store.folder / f"{SESSION.digest}.json"
    file.write_text("{")
    with pytest.raises(ZimError, match=r"cannot be read.*It is kept as .*unreadable"):
        store.load(SESSION.digest)
    [aside] = store.folder.iterdir()
    assert aside.read_text() == "{"
    assert store.load(SESSION.digest) is None


def test_pasted_image_is_kept_and_goes_with_its_session(tmp_path: Path) -> None:
    store = SessionStore(tmp_path, max_sessions=1)
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    image = Image.from_array(pixels, "Pasted")
    path = store.save_image(image)
    assert load_image(path).key == image.key
    assert store.save_image(image) == path
    store.save(Session(image.key, "Pasted", path, WORK))
    os.utime(tmp_path / f"{image.key}.json", ns=(0, 0))
    store.save(SESSION)
    assert not path.exists()


def test_marks_show_the_state_of_the_work(store: SessionStore, tmp_path: Path) -> None:
    paths = [tmp_path / f"{name}.png" for name in "abc"]
    for number, (path, work, done) in enumerate(
        zip(paths, (WORK, WORK, ObjectStack()), (False, True, False), strict=True)
    ):
        path.write_bytes(b"12345")
        store.save(Session(f"{number:032x}", path.name, path, work, done))
    (store.folder / "ff.json").write_text("no JSON")
    stamp = FileStamp.from_path(paths[0])
    assert stamp is not None
    assert stamp.size == 5
    assert store.marks() == {
        paths[0]: ("touched", stamp),
        paths[1]: ("done", FileStamp.from_path(paths[1])),
    }


def test_mark_of_a_session() -> None:
    assert session_mark(replace(SESSION, stack=ObjectStack())) is None
    assert session_mark(SESSION) == "touched"
    assert session_mark(replace(SESSION, exported=True)) == "done"


def test_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = SessionStore(tmp_path / "file" / "sessions")
    with pytest.raises(ZimError, match=r"cannot be made.*ZIM_STUDIO_STATE"):
        store.save(SESSION)


def test_state_folder_can_be_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("ZIM_STUDIO_STATE", raising=False)
    assert state_folder().name == "zim-studio"
    monkeypatch.setenv("ZIM_STUDIO_STATE", str(tmp_path))
    assert SessionStore().folder == tmp_path / "sessions"


def test_recovery_state_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    assert read_recovery_state(path) is None
    for run in (
        RecoveryState("a.png", Path("/a.png"), Path("/a.zimproj")),
        RecoveryState("", None),
    ):
        write_recovery_state(path, run)
        assert read_recovery_state(path) == run
    path.write_text('{"format": "zim-studio run", "version": 1, "picture": 5}')
    assert read_recovery_state(path) == RecoveryState("", None)


@pytest.mark.parametrize(
    "changes",
    [
        *({"path": "/a\0b"}, {"path": 5}, {"digest": "../x"}),
        *({"stamp": [float("inf"), 1]}, {"stamp": [1]}, {"stamp": {}}),
    ],
)
def test_malformed_path_or_stamp_is_named(changes) -> None:
    data = Session("ab", "cat", Path("/cat.png"), ObjectStack()).to_json()
    with pytest.raises(ZimError, match="path or stamp is malformed"):
        Session.from_json(data | changes)


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_sessions_and_pasted_images_are_for_their_user(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "sessions"
    folder.mkdir(parents=True, mode=0o755)
    store = SessionStore(folder)
    store.save(SESSION)
    image = Image.from_array(np.zeros((4, 5, 3), np.uint8), "Pasted")
    files = [folder / f"{SESSION.digest}.json", store.save_image(image)]
    run = tmp_path / "run.json"
    write_recovery_state(run, RecoveryState("a.png", None))
    assert [path.stat().st_mode & 0o777 for path in (*files, run)] == [0o600] * 3
    assert folder.stat().st_mode & 0o777 == 0o700
