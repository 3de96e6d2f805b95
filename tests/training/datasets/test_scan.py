"""The look at all files before the first step."""

import os
import sys

import numpy as np
import pytest
from PIL import Image

from tests.training.datasets.test_table import labels, matte, photo
from training.adaptation.pairs import CorrectedPairs, check_pairs
from training.datasets import scan
from training.datasets.layouts import DatasetEntry
from training.datasets.reading import read_pair
from training.datasets.scan import FAULT_FILE, report_faults, scan_data
from training.datasets.table import open_data
from training.reading import read_labels
from zim_model.errors import ImageError, ZimError


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "mine"
    for name in ("good", "small", "broken", "cut"):
        photo(root / f"{name}.png")
        matte(root / f"{name}.alpha.png")
    matte(root / "small.alpha.png", (30, 40))
    (root / "broken.png").write_bytes(b"no image")
    whole = (root / "cut.png").read_bytes()
    (root / "cut.png").write_bytes(whole[:-400])
    photo(root / "alone.jpg")
    return root


def test_all_faults_are_found_at_once(folder):
    data = open_data(folder)
    found = scan_data(data, quiet=True)
    assert sorted(path.name for path in found.faults) == [
        "broken.alpha.png",
        "cut.alpha.png",
        "small.alpha.png",
    ]
    texts = " ".join(found.faults.values())
    assert "broken.png cannot be read" in texts
    assert "small.alpha.png is 40 x 30 pixels, but small.png is 80 x 60" in texts
    (pool,) = data.without({*found.faults}).pools
    assert [target.name for _, target in pool.pairs] == ["good.alpha.png"]


def test_faults_are_listed_and_skipped_or_fatal(folder, tmp_path, capsys):
    data = open_data(folder)
    found = scan_data(data, quiet=True)
    report_faults(found, data.problems, tmp_path, fatal=False)
    said = capsys.readouterr().err
    assert "4 faults in the data, skipped" in said
    assert all(name in said for name in ("broken", "cut", "small", "alone.jpg"))
    assert len((tmp_path / FAULT_FILE).read_text().splitlines()) == 4
    with pytest.raises(ZimError, match=r"4 faults(.|\n)*faults = \"skip\""):
        report_faults(found, data.problems, tmp_path, fatal=True)


def test_long_lists_are_cut_on_the_screen(tmp_path, capsys):
    found = scan.Scan({tmp_path / f"{i}": f"fault {i}" for i in range(50)}, 50, "x")
    report_faults(found, (), tmp_path, fatal=False)
    assert len(capsys.readouterr().err.splitlines()) == scan.SHOWN + 2
    assert len((tmp_path / FAULT_FILE).read_text().splitlines()) == 50


def test_unchanged_files_are_not_looked_at_again(folder, monkeypatch):
    first = scan_data(open_data(folder), quiet=True)
    looked = []
    look = scan._look
    monkeypatch.setattr(scan, "_look", lambda path: looked.append(path) or look(path))
    assert scan_data(open_data(folder), quiet=True) == first
    assert not looked
    photo(folder / "broken.png", seed=3)  # mended
    again = scan_data(open_data(folder), quiet=True)
    assert [path.name for path in looked] == ["broken.png"]
    assert len(again.faults) == 2
    assert again.digest != first.digest


def test_equal_data_have_one_digest_wherever_they_lie(folder, tmp_path):
    digest = scan_data(open_data(folder), quiet=True).digest
    (tmp_path / "b").mkdir()
    moved = folder.rename(tmp_path / "b" / "mine")
    assert scan_data(open_data(moved), quiet=True).digest == digest


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
def test_turned_photos_fit_their_upright_mattes(tmp_path, suffix):
    exif = Image.Exif()
    exif[274] = 6
    pixels = np.zeros((40, 60, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / f"a{suffix}", exif=exif)
    matte(tmp_path / "a.alpha.png", (60, 40))
    assert not scan_data(open_data(tmp_path), quiet=True).faults


def test_a_label_map_in_colour_is_a_fault(tmp_path):
    photo(tmp_path / "a.png")
    labels(tmp_path / "a.labels.png")
    photo(tmp_path / "b.png")
    photo(tmp_path / "b.labels.png")
    (fault,) = scan_data(open_data(tmp_path), quiet=True).faults.values()
    assert "in colour" in fault


def test_a_label_map_with_numbers_of_its_compression_is_a_fault(tmp_path):
    photo(tmp_path / "a.png")
    labels(tmp_path / "a.labels.png")
    photo(tmp_path / "b.png")
    labels(tmp_path / "b.labels.jpg")
    data = open_data(tmp_path)
    for _ in range(2):  # the second time from the cache
        ((path, fault),) = scan_data(data, quiet=True).faults.items()
        assert path.name == "b.labels.jpg"
        assert "JPEG, changes numbers" in fault
        assert "PNG" in fault
    with pytest.raises(ImageError, match=r"b\.labels\.jpg is no label map"):
        read_labels(tmp_path / "b.labels.jpg")
    with pytest.raises(ImageError, match=r"b\.labels\.jpg is no label map"):
        read_pair(
            DatasetEntry(tmp_path / "b.png", tmp_path / "b.labels.jpg", "ade-classes"),
            np.random.default_rng(0),
        )


def test_a_cache_that_cannot_be_written_costs_time_only(folder, tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setattr(
        scan.platformdirs, "user_cache_path", lambda *a, **k: blocked / "cache"
    )
    assert len(scan_data(open_data(folder), quiet=True).faults) == 3


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are bytes on Linux")
def test_names_that_are_not_utf8_are_names(tmp_path):
    name = os.fsdecode(b"caf\xe9")
    for i in range(3):
        photo(tmp_path / "in" / f"{name}{i}.png")
        matte(tmp_path / "in" / f"{name}{i}.alpha.png", (60 + i, 80))
    data = open_data(tmp_path / "in")
    found = scan_data(data, quiet=True)
    assert (len(found.faults), found.files) == (2, 6)
    report_faults(found, [], tmp_path, fatal=False)
    told = (tmp_path / FAULT_FILE).read_text("utf-8", "surrogateescape")
    assert told.count(f"{name}1.png is") == 1
    with pytest.raises(ZimError, match="1"):
        check_pairs(tmp_path / "in", data.pools[0].pairs[:1])
    pairs = CorrectedPairs(tmp_path, data.pools[0].pairs, (), "")
    assert sorted(pairs.images) == [f"{name}{i}" for i in range(3)]
