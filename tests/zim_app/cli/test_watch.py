"""``batch --watch``: photos are cut out as they arrive in a folder."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.zim_app.core.batch.conftest import FakeEngine, save_photo
from zim_app.__main__ import main
from zim_app.core.batch import watching
from zim_app.core.batch.jobs import scan_folder
from zim_app.core.batch.plan import BatchPlan
from zim_app.core.batch.prompt_sources import PromptPolicy
from zim_app.core.batch.prompt_table import RelativeBox, read_table
from zim_app.core.batch.runner import JobFinished
from zim_app.core.session_store import SessionStore
from zim_model.runtime.jobs import RunControl

BOX = RelativeBox(0.1, 0.1, 0.9, 0.9)


class Watched:
    """A folder that is watched, with what happened so far."""

    def __init__(self, root: Path, policy: PromptPolicy) -> None:
        self.folder, self.out = root / "photos", root / "out"
        self.folder.mkdir(exist_ok=True)
        self.engine, self.control = FakeEngine(), RunControl()
        self.told: list[str] = []
        self._policy = policy
        self.changes = watching.FolderChanges(self.folder, recursive=False)
        self.events = watching.watch(
            self._plan,
            *(self.engine, self.changes, self.control),
            notify=self.told.append,
            workers=0,
            store=SessionStore(root / "sessions"),
        )

    def _plan(self) -> BatchPlan:
        scan = scan_folder(self.folder, self.out, recursive=False, may_be_empty=True)
        return BatchPlan(scan.jobs, self.out, self._policy, obstacles=scan.obstacles)

    def next(self) -> JobFinished:
        return next(x for x in self.events if isinstance(x, JobFinished))

    def close(self) -> None:
        self.control.cancel()
        self.events.close()
        self.changes.close()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "SETTLED", 0.3)


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    made = Watched(tmp_path, PromptPolicy(box=BOX))
    yield made
    made.close()


def during_waits(
    monkeypatch: pytest.MonkeyPatch, *steps: Callable[[], object]
) -> list[Callable[[], object]]:
    """Does one step after the other, each before a wait of the watch."""
    left = list(steps)

    def step(*_: object) -> None:
        if left:
            left.pop(0)()
        time.sleep(0.05)

    monkeypatch.setattr(watching, "_pause", step)
    monkeypatch.setattr(watching.FolderChanges, "wait", step)
    return left


def test_photos_are_cut_out_as_they_arrive(watched: Watched, monkeypatch) -> None:
    save_photo(watched.folder / "a.png", (10, 100, 50))
    first = watched.next()
    assert (first.row.image, first.row.state) == ("a.png", "done")
    during_waits(
        monkeypatch, lambda: save_photo(watched.folder / "b.png", (60, 100, 50))
    )
    second = watched.next()
    assert (second.row.image, second.done, second.total) == ("b.png", 2, 2)
    names = sorted(x.name for x in watched.out.glob("*.png"))
    assert names == ["a-cutout.png", "b-cutout.png"]
    assert len(watched.engine.solved) == 2


def test_a_file_is_read_once_it_is_complete(watched: Watched, monkeypatch) -> None:
    save_photo(watched.folder.parent / "whole.png", (10, 100, 50))
    data = (watched.folder.parent / "whole.png").read_bytes()
    path = watched.folder / "a.png"
    path.write_bytes(b"")
    during_waits(
        monkeypatch,
        *(lambda n=n: path.write_bytes(data[: n * len(data) // 5]) for n in range(5)),
        lambda: path.write_bytes(data),
    )
    assert watched.next().row.state == "done"
    assert len(watched.engine.solved) == 1


def test_a_changed_photo_is_cut_out_again(watched: Watched, monkeypatch) -> None:
    path = watched.folder / "a.png"
    path.write_bytes(b"no photo")
    assert watched.next().row.state == "failed"
    during_waits(monkeypatch, lambda: None, lambda: save_photo(path, (10, 100, 50)))
    assert watched.next().row.state == "done"


def test_earlier_results_are_kept(tmp_path: Path) -> None:
    states = []
    for _ in range(2):
        watched = Watched(tmp_path, PromptPolicy(box=BOX))
        save_photo(watched.folder / "a.png", (10, 100, 50))
        states.append(watched.next().row.state)
        watched.close()
    assert states == ["done", "kept"]


def test_photos_of_a_table_may_still_come(tmp_path: Path, monkeypatch) -> None:
    table = tmp_path / "prompts.csv"
    table.write_text("image,x,y\na.png,5,5\nb.png,6,6\n", "utf-8")
    watched = Watched(tmp_path, PromptPolicy(table=read_table(table)))
    save_photo(watched.folder / "a.png", (10, 100, 50))
    assert watched.next().row.image == "a.png"
    during_waits(
        monkeypatch, lambda: save_photo(watched.folder / "b.png", (60, 100, 50))
    )
    assert watched.next().row.image == "b.png"
    watched.close()


def test_a_folder_that_is_away_is_waited_for(watched: Watched, monkeypatch) -> None:
    away = watched.folder.with_name("away")
    save_photo(watched.folder / "a.png", (10, 100, 50))
    watched.next()
    save_photo(watched.folder / "b.png", (60, 100, 50))
    during_waits(
        monkeypatch,
        lambda: watched.folder.rename(away),
        lambda: None,
        lambda: None,
        lambda: away.rename(watched.folder),
    )
    assert watched.next().row.image == "b.png"
    assert len(watched.told) == 1
    assert "no folder" in watched.told[0]


@pytest.mark.parametrize("installed", [True, False])
def test_a_new_file_ends_the_wait(tmp_path, monkeypatch, installed) -> None:
    if installed:
        pytest.importorskip("watchdog")
    else:
        monkeypatch.setitem(sys.modules, "watchdog.observers", None)
    changes = watching.FolderChanges(tmp_path, recursive=False)
    try:
        assert changes.notified is installed
        (tmp_path / "a.png").write_bytes(b"x")
        started = time.monotonic()
        changes.wait(RunControl())
        assert time.monotonic() - started < watching.LONGEST
    finally:
        changes.close()


def test_the_command_watches_until_it_is_interrupted(tmp_path: Path) -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    save_photo(tmp_path / "a.png", (10, 100, 50))
    command = ["batch", photos, "-o", out, "--box", "0.1,0.1,0.9,0.9", "--watch"]
    process = subprocess.Popen(
        [sys.executable, "-m", "zim_app", *map(str, command)],
        env=os.environ | {"ZIM_STUDIO_STATE": str(tmp_path / "state")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        assert "until Ctrl-C" in process.stderr.readline()
        shutil.copy(tmp_path / "a.png", photos / "new.png")
        assert process.stdout.readline() == "new.png -> new-cutout.png\n"
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        assert printed.startswith("1 made, 0 made before, 0 skipped, 0 failed")
        assert (out / "batch-report.csv").is_file()
    finally:
        process.kill()
        process.communicate()


def test_a_watch_that_no_photo_came_to_makes_no_report(
    tmp_path: Path, monkeypatch, capsys
) -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    during_waits(monkeypatch, lambda: signal.raise_signal(signal.SIGINT))
    assert main(["batch", str(photos), "-o", str(out), "--auto", "--watch"]) == 0
    assert capsys.readouterr().out.startswith("0 made")
    assert not out.exists()


@pytest.mark.parametrize("other", [["--dry-run"], ["--cluster", "auto"]])
def test_what_does_not_go_with_watching_is_refused(tmp_path, other, capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["batch", str(tmp_path), "-o", str(tmp_path / "o"), "--watch", *other])
    assert ended.value.code == 2
    assert "--watch" in capsys.readouterr().err
