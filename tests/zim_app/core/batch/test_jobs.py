from __future__ import annotations

from pathlib import Path

import pytest

from tests.zim_app.core.batch.conftest import save_photo
from zim_app.core.batch.jobs import folder_jobs, image_jobs
from zim_model.errors import ZimError


def test_images_come_as_people_sort_them(tmp_path: Path) -> None:
    for name in ("p10.png", "p2.png", "notes.txt", ".hidden.png"):
        (tmp_path / name).write_bytes(b"x")
    jobs = folder_jobs(tmp_path, tmp_path / "out", recursive=False)
    assert [job.relative for job in jobs] == ["p2.png", "p10.png"]


def test_recursion_keeps_the_tree_and_leaves_the_output_out(tmp_path: Path) -> None:
    for name in ("a.png", "x/a.png", "x/y/b.png", "out/a-cutout.png", ".git/c.png"):
        save_photo(tmp_path / name, (1, 2, 3))
    jobs = folder_jobs(tmp_path, tmp_path / "out", recursive=True)
    names = [(job.relative, job.folder, job.name) for job in jobs]
    assert names == [
        ("a.png", "", "a"),
        ("x/a.png", "x", "a"),
        ("x/y/b.png", "x/y", "b"),
    ]


def test_images_of_one_stem_get_names_of_their_own(tmp_path: Path) -> None:
    for name in ("a.jpg", "A.PNG", "b.png", "a-jpg.png"):
        (tmp_path / name).write_bytes(b"x")
    jobs = folder_jobs(tmp_path, tmp_path / "out", recursive=False)
    names = {job.relative: job.name for job in jobs}
    assert names["b.png"] == "b"
    assert names["a-jpg.png"] == "a-jpg"
    assert names["A.PNG"] == "A-png"
    assert len({name.casefold() for name in names.values()}) == 4


def test_images_from_several_folders_share_one(tmp_path: Path) -> None:
    paths = [save_photo(tmp_path / name / "a.png", (1, 2, 3)) for name in "xy"]
    jobs = image_jobs([*paths, paths[0]])
    assert [job.relative for job in jobs] == [path.as_posix() for path in paths]
    assert {job.folder for job in jobs} == {""}
    assert len({job.name for job in jobs}) == 2


def test_impossible_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ZimError, match="no folder"):
        folder_jobs(tmp_path / "nowhere", tmp_path / "out", recursive=False)
    with pytest.raises(ZimError, match="no photo"):
        folder_jobs(tmp_path, tmp_path / "out", recursive=False)
    save_photo(tmp_path / "a.png", (1, 2, 3))
    with pytest.raises(ZimError, match="is the input folder"):
        folder_jobs(tmp_path, tmp_path / "x" / "..", recursive=False)
