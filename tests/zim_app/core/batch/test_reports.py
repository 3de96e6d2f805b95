from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from zim_app.core.batch.journal import FOLDER, BatchRow, read_records
from zim_app.core.batch.plan import BATCH_EXPORT, BatchPlan
from zim_app.core.batch.reports import (
    count_states,
    make_contact_sheet,
    merge_folders,
    to_csv,
    write_report_files,
    write_reports,
)
from zim_model.errors import ZimError
from zim_model.runtime.jobs import Shard

MakePlan = Callable[..., BatchPlan]
RowsOf = Callable[..., dict[str, Any]]


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_table_has_a_line_for_each_image(
    photos: Path, make_plan: MakePlan, rows_of: RowsOf
) -> None:
    (photos / "b.png").write_bytes(b"")
    plan = make_plan()
    files = write_reports(plan, rows_of(plan).values())
    lines = table(files[0])
    assert [line["picture"] for line in lines] == ["a.png", "b.png", "c.png"]
    assert [line["state"] for line in lines] == ["done", "failed", "done"]
    assert lines[0]["outputs"] == "a-cutout.png"
    assert "empty" in lines[1]["message"]
    assert lines[1]["outputs"] == ""


@pytest.mark.parametrize("name", ["=1+1.png", "+a.png", "-b.png", "@SUM(1).png"])
def test_no_name_is_a_formula_in_a_spreadsheet(name: str) -> None:
    row = BatchRow(name, "failed", message=f"{name} is empty", outputs=(name,))
    text = to_csv([row]).decode()
    [line] = csv.DictReader(io.StringIO(text))
    assert line["picture"] == line["outputs"] == f"'{name}"
    assert line["coverage"] == "0.0"


@pytest.mark.parametrize(
    "line",
    [
        "[" * 100_000,
        '{"at": 1e400, "begun": "x", "outputs": []}',
        '{"at": 5, "begun": "x"}',
        '{"at": 5, "row": [], "outputs": []}',
        '{"at": 5, "row": {"picture": "x", "state": "done", "outputs": [], "score": '
        '"high"}, "stamp": null, "content": "", "key": "", "fingerprint": "", '
        '"outputs": []}',
        '{"at": 5, "row": {"picture": "x", "state": "done", "outputs": []}, "stamp": '
        '[1e400, 1], "content": "", "key": "", "fingerprint": "", "outputs": []}',
    ],
)
def test_a_malformed_line_of_a_journal_is_left_out(tmp_path: Path, line: str) -> None:
    folder = tmp_path / FOLDER
    folder.mkdir()
    (folder / "journal-1.jsonl").write_text(
        f'{line}\n{{"at": 6, "begun": "y", "outputs": ["y.png"]}}\n'
    )
    assert list(read_records([tmp_path])) == ["y"]


def test_the_sheet_shows_cut_outs_on_a_checkerboard(
    output: Path, make_plan: MakePlan, rows_of: RowsOf
) -> None:
    plan = make_plan()
    write_reports(plan, rows_of(plan).values())
    with Image.open(output / "batch-sheet.jpg") as image:
        pixels = np.asarray(image).astype(int)
    cell = pixels[:, :180]  # of a.png: its left half is opaque, (0, 100, 50)
    assert np.abs(cell[90, 50] - (0, 100, 50)).max() < 12
    right = cell[60:120, 100:165]
    assert right.std() > 10  # squares
    assert np.ptp(right.mean(axis=(0, 1))) < 3  # that are grey


def test_failures_have_a_place_on_the_sheet(tmp_path: Path) -> None:
    rows = [(tmp_path, BatchRow("x/a rather long name of a picture.png", "failed"))]
    red = make_contact_sheet(rows).astype(int)
    assert ((red[..., 0] - red[..., 1]) > 100).any()


def test_many_images_take_several_sheets(tmp_path: Path) -> None:
    rows = [(tmp_path, BatchRow(f"{n}.png", "failed")) for n in range(201)]
    names = [path.name for path in write_report_files(tmp_path, rows)]
    assert names == ["batch-report.csv", "batch-sheet-01.jpg", "batch-sheet-02.jpg"]


def test_no_result_takes_the_name_of_a_report(
    photos: Path, make_plan: MakePlan, rows_of: RowsOf
) -> None:
    (photos / "a.png").rename(photos / "batch-sheet.png")
    on_white = replace(BATCH_EXPORT, what="composite", format="jpeg", template="{name}")
    [name] = rows_of(make_plan(export=on_white))["batch-sheet.png"].outputs
    assert name == "batch-sheet-2.jpg"


def test_parts_that_share_a_folder_make_one_report(
    make_plan: MakePlan, rows_of: RowsOf
) -> None:
    plans = [make_plan(shard=Shard(n, 3)) for n in (1, 2, 3)]
    rows = [rows_of(plan) for plan in plans]
    assert sum(map(len, rows)) == 3
    files = write_reports(plans[-1], rows[-1].values())
    assert [line["picture"] for line in table(files[0])] == ["a.png", "b.png", "c.png"]


def test_parts_in_folders_of_their_own_are_merged(
    photos: Path,
    tmp_path: Path,
    make_plan: MakePlan,
    rows_of: RowsOf,
) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for number, folder in enumerate(folders, 1):
        plan = make_plan(shard=Shard(number, 2))
        rows_of(replace(plan, output=folder))
    rows, files = merge_folders(folders, tmp_path / "all")
    assert [row.image for row in rows] == ["a.png", "b.png", "c.png"]
    assert count_states(rows) == {"done": 3, "kept": 0, "skipped": 0, "failed": 0}
    assert files[0] == tmp_path / "all" / "batch-report.csv"
    with Image.open(files[1]) as image:
        assert image.width == 3 * 180
    with pytest.raises(ZimError, match="No batch was written"):
        merge_folders([tmp_path], tmp_path)
