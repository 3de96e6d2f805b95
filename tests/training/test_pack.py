import io
import json
import random
import tarfile

import numpy as np
import pytest
from PIL import Image

from training.config import ZIM_MINI
from training.pack import main, open_training_folder, pack
from training.samples import PromptSamples
from training.sources import SceneReader
from zim_model.errors import ZimError


def test_a_packed_folder_trains_like_the_folder(training_folder, tmp_path, capsys):
    tar = tmp_path / "slice.tar"
    assert main([str(training_folder), "-o", str(tar), "--max-mb", "1"]) == 0
    assert "at most 384 px" in capsys.readouterr().out
    with open_training_folder(tar) as folder:
        packed = SceneReader(folder)
        original = SceneReader(training_folder)
        assert [pool.name for pool in packed.pools] == [
            pool.name for pool in original.pools
        ]
        sample = PromptSamples(packed, ZIM_MINI, [64], seed=1)[0]
        assert sample["image"].shape == (3, 64, 64)
        with Image.open(folder / "seg" / "bsds__0.labels.png") as labels:
            assert set(np.unique(labels)) == {0, 1, 2}
    assert not folder.exists()


def test_images_shrink_until_they_fit(training_folder, tmp_path):
    whole = tmp_path / "whole.tar"
    assert pack(training_folder, whole, 1 << 30, 160) == 160
    limit = whole.stat().st_size - 1024
    small = tmp_path / "small.tar"
    assert pack(training_folder, small, limit, 160) < 160
    assert small.stat().st_size <= limit


def test_too_little_room_leaves_no_file(training_folder, tmp_path, capsys):
    out = tmp_path / "out.tar"
    code = main([str(training_folder), "-o", str(out), "--max-mb", "0.001"])
    assert code == 1
    assert "do not fit" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_an_empty_folder(tmp_path):
    with pytest.raises(ZimError, match="no images"):
        pack(tmp_path, tmp_path / "a.tar", 1000, 100)


def test_a_tar_may_not_write_outside_its_folder(tmp_path):
    path = tmp_path / "evil.tar"
    with tarfile.open(path, "w") as tar:
        entry = tarfile.TarInfo("../evil.txt")
        entry.size = 1
        tar.addfile(entry, io.BytesIO(b"x"))
    with pytest.raises(ZimError, match=r"evil\.tar"), open_training_folder(path):
        pass
    assert not (tmp_path / "evil.txt").exists()


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz"])
def test_a_compressed_tar_that_ends_too_early_is_refused(tmp_path, kind):
    path = tmp_path / "slice.tar"
    with tarfile.open(path, f"w:{kind}") as tar:
        entry = tarfile.TarInfo("matte/a.jpg")
        entry.size = 9000
        tar.addfile(entry, io.BytesIO(random.Random(0).randbytes(9000)))
    data = path.read_bytes()
    for end in range(len(data) // 9, len(data) - 20, len(data) // 9):
        path.write_bytes(data[:end])
        with pytest.raises(ZimError, match=r"slice\.tar"), open_training_folder(path):
            pass


@pytest.mark.parametrize(
    ("name", "values"),
    [("matte/a\0b.jpg", {}), ("matte/a.jpg", {"mtime": 2**70})],
)
def test_impossible_names_and_times_are_refused(tmp_path, name, values):
    path = tmp_path / "slice.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        entry = tarfile.TarInfo(name)
        for key, value in values.items():
            setattr(entry, key, value)
        entry.pax_headers = {"path": name}
        tar.addfile(entry)
    with pytest.raises(ZimError, match=r"slice\.tar"), open_training_folder(path):
        pass


def test_what_is_no_tar_is_refused(tmp_path):
    path = tmp_path / "slice.tar"
    path.write_bytes(b"nothing")
    with pytest.raises(ZimError, match=r"slice\.tar"), open_training_folder(path):
        pass


def test_a_packed_folder_of_own_photos_keeps_its_licences(tmp_path):
    from tests.training.datasets.test_table import matte, photo

    root = tmp_path / "mine"
    for name in ("a.webp", "b.tif"):
        photo(root / name)
        matte(root / name.replace(".", ".alpha."))
    rows = [{"file": "a.webp", "weights": "open", "note": "x"}]
    (root / "MANIFEST.json").write_text(json.dumps({"files": rows}))
    tar = tmp_path / "slice.tar"
    pack(root, tar, 1 << 30, 100)
    with open_training_folder(tar) as folder:
        (pool,) = SceneReader(folder).pools
        assert [image.name for image, _ in pool.pairs] == ["a.jpg", "b.jpg"]
        (pool,) = SceneReader(folder, weights="open").pools
        assert [image.name for image, _ in pool.pairs] == ["a.jpg"]
