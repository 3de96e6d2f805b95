"""On a full disk every writer names the cure, and leaves the earlier file as it was."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PySide6.QtCore import QSettings

from tests.zim_model.conftest import SMALL_VIT, random_model
from tests.zim_model.conversion.test_converter import SMALL
from tests.zim_model.evaluation.test_report import CONFIG, row
from zim_app.core.batch.journal import BatchJournal, BatchRow
from zim_app.core.batch.reports import write_report_files
from zim_app.core.batch.writing import write_thumbnail
from zim_app.core.export import ExportOptions, ExportTarget, export
from zim_app.core.formats import FORMATS
from zim_app.core.images import Image, load_image
from zim_app.core.presets import PresetStore
from zim_app.core.project import write_project
from zim_app.core.saved_work import ObjectStack
from zim_app.core.session_store import Session, SessionStore
from zim_app.core.training_pairs import save_pairs
from zim_app.gui.settings import preferences
from zim_model.conversion.network import ConverterNetwork
from zim_model.conversion.weights import save_converter
from zim_model.errors import ZimError
from zim_model.evaluation.report import Report
from zim_model.evaluation.report_formats import write_report
from zim_model.runtime.atomic_files import atomic_write, explained_write
from zim_model.runtime.journal import JournalWriter
from zim_model.weights.checkpoint import save_model

SIDE = 160
"""Noise of that size takes 40 kB or more in every format."""


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A disk of one megabyte, where the user may mount one."""
    folder = tmp_path_factory.mktemp("disk")
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("only root may mount a disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def disk(small_disk: Path) -> Iterator[Path]:
    yield small_disk
    for path in sorted(small_disk.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


def fill(disk: Path) -> None:
    """Leave less than a page, and a few names."""
    with (disk / "filler").open("wb", buffering=0) as stream:
        try:
            while stream.write(bytes(1 << 12)):
                pass
        except OSError:
            pass


@pytest.fixture
def image() -> Image:
    pixels = np.random.default_rng(0).integers(0, 65536, (SIDE, SIDE, 3), np.uint16)
    return Image.from_array(pixels, "photo.png")


@pytest.fixture
def alpha() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 65536, (SIDE, SIDE), np.uint16)


def repeat(work: Callable[[], Any], times: int) -> None:
    for _ in range(times):
        work()


def content(disk: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(disk)): path.read_bytes()
        for path in disk.rglob("*")
        if path.is_file() and path.name != "filler" and path.suffix != ".lock"
    }


def check(disk: Path, write: Callable[[], Any], *, appends: bool = False) -> None:
    """Write once, fill the disk, write again."""
    write()
    before = content(disk)
    assert before
    fill(disk)
    times = 200 if appends else 1  # until the last page is full, too
    with pytest.raises(ZimError, match="the disk is full") as caught:
        repeat(write, times)
    assert "Free some space" in (caught.value.hint or "")
    assert "\n" not in str(caught.value)
    after = content(disk)
    if appends:
        assert all(after[name].startswith(data) for name, data in before.items())
    else:
        assert after == before


@pytest.mark.parametrize("entry", FORMATS, ids=lambda entry: entry.id)
def test_exports(disk: Path, image: Image, alpha: np.ndarray, entry: Any) -> None:
    path = disk / f"a{entry.suffixes[0]}"
    what = "cutout" if entry.transparency else "composite"
    check(disk, lambda: export(image, [ExportTarget(alpha)], path, ExportOptions(what)))


def test_pairs_for_training(disk: Path, image: Image, alpha: np.ndarray) -> None:
    mattes = iter([alpha, alpha[::-1].copy()])
    check(disk, lambda: save_pairs(image, [next(mattes)], disk))


@pytest.fixture
def stored(tmp_path: Path, image: Image, alpha: np.ndarray) -> Image:
    """A photo with a file, of which a project holds no copy."""
    export(image, [ExportTarget(alpha)], tmp_path / "photo.png")
    return load_image(tmp_path / "photo.png")


def test_projects(disk: Path, stored: Image) -> None:
    check(disk, lambda: write_project(disk / "a.zimproj", stored, ObjectStack()))


def test_projects_of_pasted_images(disk: Path, image: Image) -> None:
    numbers = iter(range(9))
    check(disk, lambda: write_project(_new(disk, numbers), image, ObjectStack()))


def _new(disk: Path, numbers: Iterator[int]) -> Path:
    return disk / f"{next(numbers)}.zimproj"


def test_sessions(disk: Path, stored: Image) -> None:
    store = SessionStore(disk / "sessions")
    session = Session(stored.key, stored.name, stored.path, ObjectStack())
    check(disk, lambda: store.save(session))


def test_presets(disk: Path) -> None:
    store = PresetStore(disk / "presets")
    check(disk, lambda: store.save("mine", ExportOptions()))


def test_batches(disk: Path, image: Image) -> None:
    journal = BatchJournal(disk)
    check(disk, lambda: journal.record_start("a" * 200, ["b"]), appends=True)
    journal.close()


def test_thumbnails_of_batches(disk: Path) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (400, 400, 3), np.uint8)
    thumbnail = np.random.default_rng(0).integers(0, 256, (256, 256), np.uint8)
    check(disk, lambda: write_thumbnail(disk, "a.png", rgb, thumbnail))


def test_journals(disk: Path) -> None:
    with JournalWriter(disk / "rows.jsonl") as journal:
        check(disk, lambda: journal.append({"a": "b" * 100}), appends=True)
        (disk / "filler").unlink()
        journal.append({"c": 1})  # not behind half a line
    lines = (disk / "rows.jsonl").read_text().splitlines()
    assert set(lines[:-1]) == {json.dumps({"a": "b" * 100})}
    assert lines[-1] == '{"c": 1}'


def test_states_of_training(disk: Path) -> None:
    """Torch reports it as a RuntimeError about positions."""
    state = {"a": torch.zeros(9000)}

    def write() -> None:
        path = disk / "state.pt"
        with explained_write(path), atomic_write(path) as stream:
            torch.save(state, stream)

    check(disk, write)


def test_weights(disk: Path) -> None:
    model = random_model(SMALL_VIT)
    check(disk, lambda: save_model(model, disk / "small.safetensors"))


def test_weights_of_converters(disk: Path) -> None:
    network = ConverterNetwork(SMALL)
    check(disk, lambda: save_converter(network, disk / "small.safetensors"))


def test_reports_of_evaluations(disk: Path) -> None:
    rows = [row(f"case {number}") for number in range(9)]
    report = Report.from_rows(CONFIG, rows, 9)
    check(disk, lambda: write_report(report, disk))


def test_reports_of_batches(disk: Path) -> None:
    rows = [(disk, BatchRow(f"{number}.png", "failed")) for number in range(9)]
    check(disk, lambda: write_report_files(disk, rows))


def test_who_saves_a_session(disk: Path) -> None:
    store = SessionStore(disk / "sessions")
    check(disk, lambda: store.set_owner("0" * 32, "a run"))


def test_settings(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be stored is told, and lasts until the program ends."""
    storage = QSettings(str(disk / "settings.ini"), QSettings.Format.IniFormat)
    monkeypatch.setattr(preferences, "_storage", lambda: storage)
    monkeypatch.setattr(preferences, "_unstored", {})
    preferences.set_value("feature_memory", 300)
    before = content(disk)
    fill(disk)
    told: list[ZimError] = []
    preferences.failed.connect(told.append)
    preferences.set_value("feature_memory", 400)
    preferences.failed.disconnect(told.append)
    assert "cannot be stored" in str(told[0])
    assert content(disk) == before
    assert preferences.value("feature_memory") == 400


LOG = """
import logging, sys
from pathlib import Path
from zim_app.gui import logs
logs.start(Path(sys.argv[1]))
for _ in range(200):
    logging.getLogger("zim_app").info("x" * 100)
"""


def test_the_log(disk: Path) -> None:
    """It has gaps then: a trace for each line would hide what else is printed."""
    fill(disk)
    program = [sys.executable, "-c", LOG, str(disk)]
    done = subprocess.run(program, capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_other_runtime_errors_stay() -> None:
    with pytest.raises(RuntimeError, match="other"), explained_write(Path("a")):
        raise RuntimeError("other")
