"""Files and folders in the way of a batch: reported, while the others are done."""

from __future__ import annotations

import csv
import os
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.zim_app.core.batch.conftest import FakeEngine, save_photo
from tests.zim_app.core.batch.test_resume import states
from zim_app.core.batch.jobs import Obstacle, scan_folder
from zim_app.core.batch.journal import FOLDER
from zim_app.core.batch.plan import BatchPlan
from zim_app.core.batch.prompt_sources import PromptPolicy
from zim_app.core.batch.prompt_table import RelativeBox, read_table
from zim_app.core.batch.reports import write_reports
from zim_app.core.batch.resume import dry_run
from zim_model.errors import ZimError
from zim_model.runtime.jobs import Shard

MakePlan = Callable[..., BatchPlan]
RowsOf = Callable[..., dict[str, Any]]


@pytest.fixture
def plan_of(photos: Path, output: Path) -> Callable[..., BatchPlan]:
    """A plan for the folder with what is found in it."""

    def make(policy: PromptPolicy | None = None, **changes: Any) -> BatchPlan:
        scan = scan_folder(photos, output, recursive=True)
        policy = policy or PromptPolicy(automatic=True)
        return BatchPlan(scan.jobs, output, policy, obstacles=scan.obstacles, **changes)

    return make


def obstacles(folder: Path, output: Path) -> dict[str, Obstacle]:
    scan = scan_folder(folder, output, recursive=True)
    return {each.relative: each for each in scan.obstacles}


# --- Names ----------------------------------------------------------------------------


def test_a_name_that_is_no_utf8_is_a_name(
    photos: Path, output: Path, plan_of: MakePlan, rows_of: RowsOf
) -> None:
    name = os.fsdecode(b"caf\xe9.png")
    try:
        save_photo(photos / name, (1, 2, 3))
    except OSError:
        pytest.skip("this file system takes names in UTF-8 only")
    plan = plan_of()
    rows = rows_of(plan)
    assert rows[name].state == "done"
    assert all((output / file).is_file() for file in rows[name].outputs)
    table, *_ = write_reports(plan, rows.values())
    lines = table.read_text("utf-8").splitlines()
    images = [row["picture"] for row in csv.DictReader(lines)]
    assert r"caf\udce9.png" in images
    assert states(rows_of(plan_of())) == "kkkk"


# --- Folders --------------------------------------------------------------------------


def test_an_unreadable_folder_is_one_failure(
    photos: Path,
    output: Path,
    plan_of: MakePlan,
    rows_of: RowsOf,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("lost+found", "x", "z"):
        save_photo(photos / name / "d.png", (1, 2, 3))
    scandir, stat = os.scandir, os.stat

    def refuse(folder: Any) -> Any:
        if Path(folder).name == "lost+found":
            raise PermissionError(13, "Permission denied", str(folder))
        return scandir(folder)

    def refuse_inside(path: Any, **more: Any) -> Any:
        if Path(os.fsdecode(path)).parent.name == "lost+found":
            raise PermissionError(13, "Permission denied", str(path))
        return stat(path, **more)

    monkeypatch.setattr(os, "scandir", refuse)
    monkeypatch.setattr(os, "stat", refuse_inside)
    rows = rows_of(plan_of())
    assert rows["lost+found"].state == "failed"
    assert "permission is denied" in rows["lost+found"].message
    assert {rows[name].state for name in ("a.png", "x/d.png", "z/d.png")} == {"done"}
    expected = {entry.image: entry.state for entry in dry_run(plan_of())}
    assert expected["lost+found"] == "failed"


def test_a_link_to_nowhere_does_not_hide_its_folder(photos: Path, output: Path) -> None:
    (photos / "gone.png").symlink_to(photos / "nowhere.png")
    (photos / "loop.png").symlink_to(photos / "loop.png")
    scan = scan_folder(photos, output, recursive=False)
    names = {job.relative for job in scan.jobs}
    assert {"a.png", "b.png", "c.png"} <= names


def test_results_of_an_earlier_batch_are_no_input(
    photos: Path, tmp_path: Path, rows_of: RowsOf
) -> None:
    inside = photos / "first"
    scan = scan_folder(photos, inside, recursive=True)
    box = PromptPolicy(box=RelativeBox())
    rows_of(BatchPlan(scan.jobs, inside, box))
    again = scan_folder(photos, tmp_path / "second", recursive=True)
    assert [job.relative for job in again.jobs] == ["a.png", "b.png", "c.png"]
    [obstacle] = again.obstacles
    assert (obstacle.relative, obstacle.harmless) == ("first", True)
    chosen = scan_folder(inside, tmp_path / "second", recursive=True)
    assert len(chosen.jobs) == 3  # given as the input folder itself


# --- Files ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "a-cutout.png",
        "a-matte.tif",
        "a-composite-2.jpg",
        "x/a-cutout.webp",
        "cutouts/a-cutout.png",
        "cutouts/a-left-dog-cutout.png",
    ],
)
def test_results_beside_their_photo_are_left_out_and_named(
    photos: Path, output: Path, plan_of: MakePlan, rows_of: RowsOf, name: str
) -> None:
    save_photo(photos / "x" / "a.png", (9, 9, 9))
    save_photo(photos / name, (1, 2, 3))
    rows = rows_of(plan_of())
    assert rows[name].state == "skipped"
    assert "a.png" in rows[name].message
    assert rows["a.png"].state == "done"


def test_a_photo_that_is_only_called_like_a_result_is_input(
    photos: Path, output: Path
) -> None:
    for name in ("dog-cutout.png", "a-2.png", "b-cutouts.png"):
        save_photo(photos / name, (1, 2, 3))
    assert not obstacles(photos, output)


@pytest.mark.parametrize("suffix", [".heic", ".HEIF", ".jp2", ".psd", ".hdr", ".svg"])
def test_images_of_formats_that_are_not_read_are_in_the_report(
    photos: Path, output: Path, plan_of: MakePlan, rows_of: RowsOf, suffix: str
) -> None:
    from zim_app.core.folders import IMAGE_SUFFIXES

    if suffix.lower() in IMAGE_SUFFIXES:
        pytest.skip("this format is read")
    (photos / f"d{suffix}").write_bytes(b"\0")
    (photos / "notes.txt").write_text("no image")
    (photos / f".hidden{suffix}").write_bytes(b"\0")
    rows = rows_of(plan_of())
    assert sorted(rows) == ["a.png", "b.png", "c.png", f"d{suffix}"]
    assert rows[f"d{suffix}"].state == "skipped"
    assert suffix.lower() in rows[f"d{suffix}"].message


@pytest.mark.parametrize("suffix", [".jfif", ".JPE", ".jif", ".mpo"])
def test_other_suffixes_of_jpeg_are_read(
    photos: Path, plan_of: MakePlan, rows_of: RowsOf, suffix: str
) -> None:
    jpeg = save_photo(photos / "d.jpg", (1, 2, 3))
    jpeg.rename(jpeg.with_suffix(suffix))
    assert rows_of(plan_of())[f"d{suffix}"].state == "done"


def test_a_folder_of_other_formats_only_names_one(tmp_path: Path) -> None:
    (tmp_path / "d.psd").write_bytes(b"\0")
    with pytest.raises(ZimError, match=r"d\.psd"):
        scan_folder(tmp_path, tmp_path / "out", recursive=True)


def test_shards_report_each_obstacle_once(
    photos: Path, plan_of: MakePlan, rows_of: RowsOf
) -> None:
    for number in range(6):
        (photos / f"{number}.psd").write_bytes(b"\0")
    found = [
        name
        for number in (1, 2)
        for name in rows_of(plan_of(shard=Shard(number, 2)))
        if name.endswith(".psd")
    ]
    assert sorted(found) == [f"{number}.psd" for number in range(6)]


# --- Results --------------------------------------------------------------------------


def test_an_output_that_cannot_be_written_is_found_before_the_model_runs(
    photos: Path, tmp_path: Path, rows_of: RowsOf, engine: FakeEngine
) -> None:
    (tmp_path / "file").write_text("no folder")
    output = tmp_path / "file" / "out"
    scan = scan_folder(photos, output, recursive=False)
    with pytest.raises(ZimError, match=r"out cannot be written: part of the path"):
        rows_of(BatchPlan(scan.jobs, output, PromptPolicy(automatic=True)))
    assert not engine.solved


@pytest.mark.parametrize("name", [".", FOLDER])
def test_a_full_or_read_only_output_is_found_before_the_model_runs(
    output: Path,
    plan_of: MakePlan,
    rows_of: RowsOf,
    engine: FakeEngine,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    path_open = Path.open

    def refuse(path: Path, mode: str = "r", *rest: Any, **options: Any) -> Any:
        if "x" in mode and path.parent == output / name:
            raise OSError(30, "Read-only file system", str(path))
        return path_open(path, mode, *rest, **options)

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ZimError, match="the disk is read-only"):
        rows_of(plan_of())
    assert not engine.solved
    assert not list(output.rglob("*.tmp"))


def test_a_protected_folder_of_results_costs_no_prediction(
    photos: Path,
    output: Path,
    plan_of: MakePlan,
    rows_of: RowsOf,
    engine: FakeEngine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    save_photo(photos / "x" / "d.png", (1, 2, 3))
    (output / "x").mkdir(parents=True)
    access = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode: Path(path).name != "x" and access(path, mode)
    )
    rows = rows_of(plan_of())
    assert rows["x/d.png"].state == "failed"
    assert "permission is denied" in rows["x/d.png"].message
    assert len(engine.solved) == 3


# --- The clock ------------------------------------------------------------------------


def test_a_clock_that_was_ahead_once_changes_nothing_later(
    photos: Path,
    output: Path,
    plan_of: MakePlan,
    rows_of: RowsOf,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = time.time
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: now() + 3e7)
        patch.setattr(time, "time_ns", lambda: int((now() + 3e7) * 1e9))
        assert states(rows_of(plan_of())) == "ddd"
    boxed = PromptPolicy(box=RelativeBox(0.1, 0.1, 0.9, 0.9))
    files = sorted(path.name for path in output.glob("*.png"))
    assert states(rows_of(plan_of(boxed))) == "ddd"
    assert states(rows_of(plan_of(boxed))) == "kkk"
    assert states(rows_of(plan_of())) == "ddd"
    assert states(rows_of(plan_of())) == "kkk"
    assert sorted(path.name for path in output.glob("*.png")) == files


# --- Tables ---------------------------------------------------------------------------


def test_rows_of_a_table_that_match_nothing_are_named_with_the_reason(
    photos: Path, tmp_path: Path, plan_of: MakePlan, rows_of: RowsOf
) -> None:
    for folder in "xy":
        save_photo(photos / folder / "e.png", (1, 2, 3))
    (photos / "d.psd").write_bytes(b"\0")
    table = tmp_path / "prompts.csv"
    names = ("b.png", "B.PNG", "c.jpg", "d.psd", "e.png")
    rows_text = "".join(f"{name},9,9\n" for name in names)
    table.write_text(f"image,x,y\n{rows_text}")
    policy = PromptPolicy(table=read_table(table))
    rows = rows_of(plan_of(policy))
    assert rows["b.png"].state == "done"
    assert "no such photo" in rows["c.jpg"].message
    assert "no such photo" in rows["B.PNG"].message
    assert "several photos are called so" in rows["e.png"].message
    assert rows["d.psd"].state == "skipped"


@pytest.mark.parametrize(
    ("file", "written"),
    [
        ("x/d.png", r"x\d.png"),
        ("d.png", "./d.png"),
        (unicodedata.normalize("NFD", "dé.png"), "dé.png"),
        ("dé.png", unicodedata.normalize("NFD", "dé.png")),
    ],
)
def test_names_of_a_table_may_be_written_as_other_systems_do(
    photos: Path,
    tmp_path: Path,
    plan_of: MakePlan,
    rows_of: RowsOf,
    file: str,
    written: str,
) -> None:
    save_photo(photos / file, (1, 2, 3))
    table = tmp_path / "prompts.csv"
    table.write_text(f"image,x,y\n{written},9,9\n", "utf-8")
    rows = rows_of(plan_of(PromptPolicy(table=read_table(table))))
    assert rows[file].state == "done"
    assert len(rows) == 4
