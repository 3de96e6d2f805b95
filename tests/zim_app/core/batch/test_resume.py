"""Resuming: results that a second run makes again, and results that it keeps."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.zim_app.core.batch.conftest import FakeEngine, save_photo
from tests.zim_app.core.batch.test_runner import boxed, keep_work
from zim_app.core.batch.journal import FOLDER, BatchJournal
from zim_app.core.batch.plan import BATCH_EXPORT, BatchPlan
from zim_app.core.batch.prompt_sources import PromptPolicy
from zim_app.core.batch.resume import dry_run
from zim_app.core.batch.runner import JobFinished, run
from zim_app.core.session_store import SessionStore
from zim_model.errors import ZimError
from zim_model.runtime.jobs import RunControl

MakePlan = Callable[..., BatchPlan]
RowsOf = Callable[..., dict[str, Any]]


def states(rows: dict[str, Any]) -> str:
    """The first letters of the states, by name: "kkd"."""
    return "".join(rows[name].state[0] for name in sorted(rows))


def test_finished_images_are_not_redone(
    make_plan: MakePlan, rows_of: RowsOf, engine: FakeEngine
) -> None:
    first = rows_of(make_plan())
    assert states(first) == "ddd"
    second = rows_of(make_plan())
    assert states(second) == "kkk"
    assert len(engine.solved) == 3
    assert second["a.png"] == replace(first["a.png"], state="kept")


def test_kept_images_are_not_even_decoded(
    make_plan: MakePlan, rows_of: RowsOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows_of(make_plan())
    monkeypatch.setattr("zim_app.core.batch.runner.load_image", None)
    assert states(rows_of(make_plan())) == "kkk"


def test_what_changed_is_redone(
    photos: Path,
    output: Path,
    store: SessionStore,
    make_plan: MakePlan,
    rows_of: RowsOf,
) -> None:
    plan = make_plan(PromptPolicy(automatic=True))
    rows_of(plan)
    before = os.stat(output / "a-cutout.png").st_mtime_ns
    save_photo(photos / "a.png", (7, 7, 7))  # another image
    keep_work(store, photos / "b.png", boxed(1, 2, 3, 4))  # another recipe
    os.utime(photos / "c.png")  # only touched
    rows = rows_of(plan)
    assert states(rows) == "ddk"
    assert rows["a.png"].outputs == ("a-cutout.png",)
    assert os.stat(output / "a-cutout.png").st_mtime_ns > before
    trimmed = replace(BATCH_EXPORT, trim=True)
    assert states(rows_of(make_plan(export=trimmed))) == "ddd"


def test_missing_results_are_made_again(
    output: Path, make_plan: MakePlan, rows_of: RowsOf
) -> None:
    rows_of(make_plan())
    (output / "b-cutout.png").unlink()
    assert states(rows_of(make_plan())) == "kdk"
    assert (output / "b-cutout.png").exists()


def test_retouched_results_stay(
    output: Path,
    store: SessionStore,
    photos: Path,
    make_plan: MakePlan,
    rows_of: RowsOf,
) -> None:
    rows_of(make_plan())
    (output / "a-cutout.png").write_bytes(b"retouched by hand")
    assert states(rows_of(make_plan())) == "kkk"
    keep_work(store, photos / "a.png", boxed(1, 2, 3, 4))
    assert rows_of(make_plan())["a.png"].outputs == ("a-cutout-2.png",)
    assert (output / "a-cutout.png").read_bytes() == b"retouched by hand"


def test_failures_are_tried_again(
    make_plan: MakePlan, rows_of: RowsOf, engine: FakeEngine
) -> None:
    engine.refuse = "no memory"
    assert states(rows_of(make_plan())) == "fff"
    engine.refuse = ""
    assert states(rows_of(make_plan())) == "ddd"


def test_interrupted_batches_keep_what_is_done(
    output: Path, make_plan: MakePlan, rows_of: RowsOf, engine: FakeEngine
) -> None:
    control = RunControl()
    events = run(make_plan(), engine, control=control)
    rows = []
    for event in events:
        if isinstance(event, JobFinished):
            rows.append(event.row)
            control.cancel()
    done = [row.image for row in rows]
    assert done[0] == "a.png"
    assert all(row.state == "done" for row in rows)
    names = {path.name for path in output.iterdir()} - {FOLDER}
    assert names == {f"{name[0]}-cutout.png" for name in done}
    resumed = rows_of(make_plan())
    assert {name for name, row in resumed.items() if row.state == "kept"} == set(done)


def test_a_closed_generator_finishes_what_it_was_writing(
    output: Path, make_plan: MakePlan, rows_of: RowsOf, engine: FakeEngine
) -> None:
    events = run(make_plan(), engine)
    while len(engine.solved) < 2:
        next(events)
    events.close()
    assert {path.name for path in output.iterdir()} >= {"a-cutout.png", "b-cutout.png"}
    assert states(rows_of(make_plan())) == "kkd"


def test_a_killed_batch_takes_its_own_file_again(
    output: Path, make_plan: MakePlan, rows_of: RowsOf
) -> None:
    """The file was written but not recorded; the journal's last line is incomplete."""
    journal = BatchJournal(output)
    journal.record_start("a.png", ["a-cutout.png"])
    journal.close()
    (output / "a-cutout.png").write_bytes(b"from the run that was killed")
    [file] = (output / FOLDER).glob("journal-*.jsonl")
    with file.open("a") as stream:
        stream.write('{"at": 1, "row": {"pict')
    assert rows_of(make_plan())["a.png"].outputs == ("a-cutout.png",)
    assert states(rows_of(make_plan())) == "kkk"


def test_the_journal_needs_no_file_that_a_killed_batch_would_leave(
    output: Path,
) -> None:
    journal = BatchJournal(output)
    journal.record_start("a.png", ["a-cutout.png"])
    assert [path.suffix for path in (output / FOLDER).iterdir()] == [".jsonl"]
    journal.close()


def test_what_a_killed_batch_left_is_cleared_away(
    output: Path, make_plan: MakePlan, rows_of: RowsOf
) -> None:
    output.mkdir()
    names = [f".zim-{digit * 16}.tmp" for digit in "12"] + [".zim-of-others.tmp"]
    for name in names:
        (output / name).write_bytes(b"half")
        os.utime(output / name, (1e9, 1e9))
    os.utime(output / names[1])  # another machine is writing it
    rows_of(make_plan())
    assert [(output / name).exists() for name in names] == [False, True, True]


@pytest.mark.parametrize(
    "line",
    [
        "[]",
        '{"at": "x", "begun": "a.png", "outputs": []}',
        '{"at": 5, "begun": "a.png"}',
        '{"at": 5, "row": {"picture": "a.png", "state": "fine"}, "stamp": null}',
        '{"at": 5, "row": 3}',
        "\\x00\\x00",
    ],
)
def test_a_damaged_journal_costs_time_only(
    line: str, output: Path, make_plan: MakePlan, rows_of: RowsOf
) -> None:
    (output / FOLDER).mkdir(parents=True)
    (output / FOLDER / "journal-1-1.jsonl").write_text(f"{line}\n")
    assert states(rows_of(make_plan())) == "ddd"


def test_a_journal_of_a_newer_version_is_left_alone(
    output: Path, make_plan: MakePlan, rows_of: RowsOf
) -> None:
    (output / FOLDER).mkdir(parents=True)
    (output / FOLDER / "journal-1-1.jsonl").write_text('{"version": 9}\n')
    with pytest.raises(ZimError, match="version 9"):
        rows_of(make_plan())


def test_a_dry_run_reports_and_writes_nothing(
    photos: Path,
    output: Path,
    store: SessionStore,
    make_plan: MakePlan,
    rows_of: RowsOf,
) -> None:
    keep_work(store, photos / "a.png", boxed(1, 2, 3, 4), boxed(5, 6, 7, 8))
    (photos / "b.png").write_bytes(b"")
    each = replace(BATCH_EXPORT, scope="each", template="{name}-{object}-{width}")
    entries = {x.image: x for x in dry_run(make_plan(PromptPolicy(), export=each))}
    assert entries["a.png"].prompts == "session"
    assert entries["a.png"].outputs == ("a-thing 2-40.png", "a-thing 1-40.png")
    assert entries["b.png"].state == "failed"
    assert entries["c.png"].state == "skipped"
    assert not output.exists()
    trimmed = replace(each, trim=True)
    entries = {x.image: x for x in dry_run(make_plan(PromptPolicy(), export=trimmed))}
    assert entries["a.png"].outputs == ("a-thing 2-?.png", "a-thing 1-?.png")
    plain = replace(each, template="{name}")
    entries = {x.image: x for x in dry_run(make_plan(PromptPolicy(), export=plain))}
    rows = rows_of(make_plan(PromptPolicy(), export=plain))
    assert entries["a.png"].outputs == ("a-thing 2.png", "a-thing 1.png")
    assert entries["a.png"].outputs == rows["a.png"].outputs


def test_a_dry_run_recognises_finished_images(
    photos: Path, output: Path, make_plan: MakePlan, rows_of: RowsOf
) -> None:
    rows_of(make_plan())
    save_photo(photos / "d.png", (1, 2, 3))
    entries = {x.image: x for x in dry_run(make_plan())}
    assert entries["a.png"].state == "kept"
    assert entries["d.png"].state == "done"
