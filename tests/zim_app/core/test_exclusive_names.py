"""Two programs that write at one moment never overwrite each other's files."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from zim_app.core import training_pairs
from zim_app.core.export import (
    ExportOptions,
    ExportTarget,
    NameTakenError,
    export,
    export_to_folder,
)
from zim_app.core.images import Image, load_image
from zim_app.core.presets import PresetStore
from zim_app.core.training_pairs import save_pairs
from zim_model.errors import ZimError
from zim_model.runtime.parent import end_with_parent

FILES = 6
OPAQUE = np.full((8, 8), 65535, np.uint16)


def photo(value: int, name: str = "photo.png") -> Image:
    return Image.from_array(np.full((8, 8, 3), value, np.uint8), name)


def write_exports(folder: Path, process: int) -> None:
    """The same names in every process, with pixels of its own."""
    for number in range(FILES):
        image = photo(process * FILES + number)
        export_to_folder(image, [ExportTarget(OPAQUE)], folder, ExportOptions())


def write_pairs(folder: Path, process: int) -> None:
    for number in range(FILES):
        save_pairs(photo(process * FILES + number), [OPAQUE], folder)


@pytest.mark.parametrize("work", [write_exports, write_pairs])
def test_no_file_is_lost_between_processes(
    tmp_path: Path, work: Callable[[Path, int], None]
) -> None:
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(3, spawn, initializer=end_with_parent) as pool:
        list(pool.map(partial(work, tmp_path), range(3)))
    images = [
        path for path in tmp_path.rglob("*.png") if not path.stem.endswith(".alpha")
    ]
    colours = sorted(int(load_image(path).source[0, 0, 0]) for path in images)
    assert colours == list(range(3 * FILES))
    assert not [*tmp_path.rglob(".zim-*")]


def test_a_file_that_has_just_appeared_is_an_error_or_another_name(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"of another program")
    with pytest.raises(NameTakenError, match=r"a\.png exists already"):
        export(photo(1), [ExportTarget(OPAQUE)], path, exclusive=True)
    written = export(photo(1), [ExportTarget(OPAQUE)], path, taken=())
    assert written.name == "a-2.png"
    assert path.read_bytes() == b"of another program"


def test_a_preset_that_has_just_appeared_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, other = PresetStore(tmp_path), PresetStore(tmp_path)
    other.save("mine", ExportOptions(quality=10))
    other.save("second", ExportOptions(quality=20))
    # As of the moment before the other one had made them.
    monkeypatch.setattr(store, "_file", lambda name: None)
    with pytest.raises(ZimError, match="There is a preset mine already"):
        store.save("mine", ExportOptions(quality=50))
    monkeypatch.setattr(store, "_own_file", lambda name: tmp_path / "second.json")
    monkeypatch.setattr(store, "_files", list)
    with pytest.raises(ZimError, match="There is a preset mine already"):
        store.rename("second", "mine")
    assert other.find("mine").options.quality == 10
    assert other.find("second").options.quality == 20
    assert store.rename("second", "Second") == "Second"
    assert [path.name for path in tmp_path.iterdir()].count("Second.json") == 1


def test_a_pair_that_has_just_appeared_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stem, calls = training_pairs._pair_stem, []

    def late(folder: Path, image: Image, encoded: bytes) -> str:
        name = stem(folder, image, encoded)
        if not calls:
            calls.append(name)
            (folder / f"{name}.alpha.png").write_bytes(b"of another program")
        return name

    monkeypatch.setattr(training_pairs, "_pair_stem", late)
    [matte] = save_pairs(photo(1), [OPAQUE], tmp_path)
    assert matte.name == "studio__photo-2.alpha.png"
    other = tmp_path / "matte" / "studio__photo.alpha.png"
    assert other.read_bytes() == b"of another program"
    assert not (tmp_path / "matte" / "studio__photo.png").exists()


def test_an_equal_matte_of_another_image_that_has_just_appeared_is_another_pair(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stem, calls = training_pairs._pair_stem, []

    def late(folder: Path, image: Image, encoded: bytes) -> str:
        name = stem(folder, image, encoded)
        if not calls:
            calls.append(name)
            save_pairs(photo(2), [OPAQUE], tmp_path)
        return name

    monkeypatch.setattr(training_pairs, "_pair_stem", late)
    save_pairs(photo(1), [OPAQUE], tmp_path)
    images = sorted(tmp_path.glob("matte/*[!a].png"))
    assert {int(load_image(path).source[0, 0, 0]) for path in images} == {1, 2}
