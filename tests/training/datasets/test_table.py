"""Own data: folders, TOML files, and what is told about files that are left out."""

import shutil

import numpy as np
import pytest
from PIL import Image

from training.datasets.opening import open_run_data
from training.datasets.table import KINDS, open_data, read_entries
from training.sources import SceneReader
from zim_model.errors import ZimError


def photo(path, size=(60, 80), seed=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    Image.fromarray(rng.integers(0, 256, (*size, 3), np.uint8)).save(path)


def disc(size=(60, 80), radius=18):
    y, x = np.mgrid[: size[0], : size[1]]
    return np.clip((radius - np.hypot(x - size[1] / 2, y - size[0] / 2)) / 4, 0, 1)


def matte(path, size=(60, 80)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray((disc(size) * 255).astype(np.uint8)).save(path)


def labels(path, size=(60, 80)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.where(disc(size) > 0.5, 1, 2).astype(np.uint8)).save(path)


def names(data):
    return {pool.name: [target.name for _, target in pool.pairs] for pool in data.pools}


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_a_folder_of_photos_with_mattes_beside_them_is_a_data_set(tmp_path, suffix):
    photo(tmp_path / f"my cat{suffix}")
    matte(tmp_path / ("my cat.alpha" + (".png" if suffix == ".jpg" else suffix)))
    scene = SceneReader(tmp_path).draw_scene(np.random.default_rng(0))
    assert scene.exact
    assert scene.image.shape == (60, 80, 3)
    np.testing.assert_allclose(scene.alpha, disc(), atol=0.1)


def test_two_folders_are_a_data_set_as_for_an_evaluation(tmp_path):
    photo(tmp_path / "images" / "a.jpg")
    matte(tmp_path / "mattes" / "a.png")
    photo(tmp_path / "images" / "b.jpg")
    data = open_data(tmp_path)
    assert names(data) == {tmp_path.name: ["a.png"]}
    assert "b.jpg has no matte" in data.problems[0]


def test_incomplete_pairs_are_named(tmp_path):
    photo(tmp_path / "a.jpg")
    matte(tmp_path / "a.alpha.png")
    photo(tmp_path / "photo only.jpg")
    matte(tmp_path / "alone.alpha.png")
    first, second = open_data(tmp_path).problems
    assert "alone.alpha.png has no image" in first
    assert "photo only.jpg has no photo only.alpha.png" in second


def test_sources_that_no_entry_names_are_used_and_told(training_folder, tmp_path):
    folder = shutil.copytree(training_folder, tmp_path / "data")
    for name in ("mine__1", "mine__2", "plain"):
        photo(folder / "seg" / f"{name}.jpg")
        labels(folder / "seg" / f"{name}.labels.png")
    data = open_data(folder)
    (note,) = data.notes
    assert "mine (2)" in note
    pool = next(pool for pool in data.pools if pool.name == "seg, others")
    assert len(pool.pairs) == 3
    assert pool.entry.weight > 0
    known = next(pool for pool in data.pools if pool.name == "seg/bsds")
    assert (known.entry.weight, known.entry.band, len(known.pairs)) == (0.18, 1, 3)


def table(folder, text):
    path = folder / "data.toml"
    path.write_text(text)
    return path


def test_a_toml_file_lists_data_sets(training_folder, tmp_path):
    for i in range(3):
        photo(tmp_path / "mine" / f"a{i}.png")
        matte(tmp_path / "mine" / f"a{i}.alpha.png")
        photo(tmp_path / "maps" / f"x__{i}.jpg")
        labels(tmp_path / "maps" / f"x__{i}.labels.png")
        photo(tmp_path / "maps" / f"y__{i}.jpg")
        labels(tmp_path / "maps" / f"y__{i}.labels.png")
    path = table(
        tmp_path,
        f"""
[[data]]
path = "mine"
weight = 3
[[data]]
path = "maps/x__*"
kind = "labels"
band = 2
[[data]]
path = {str(training_folder)!r}
weight = 0.5
name = "base"
[[data]]
kind = "procedural"
weight = 0.0
""",
    )
    data = open_data(path)
    pools = {pool.name: pool for pool in data.pools}
    assert pools["mine"].entry.weight == 3
    assert pools["maps/x__*"].entry.band == 2
    assert names(data)["maps/x__*"] == [f"x__{i}.labels.png" for i in range(3)]
    assert pools["base/seg/bsds"].entry.weight == 0.09
    assert "procedural" not in pools
    shares = dict(
        zip(
            (pool.name for pool in SceneReader(data).pools),
            SceneReader(data).probabilities,
            strict=True,
        )
    )
    assert shares["mine"] == pytest.approx(3 * shares["maps/x__*"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "lists no data"),
        ('data = ["a"]', "entry 1 is not a table"),
        ('[[data]]\npath = "a"\nwieght = 1', "unknown key wieght"),
        ('[[data]]\npath = "a"\nkind = "mattes"', "matte, cutout, labels"),
        ('[[data]]\npath = "a"\nbackground = -1', "background = -1 is no label"),
        ('[[data]]\npath = "a"\nweight = "x"', "not of type float"),
        ('[[data]]\npath = "a"\nweight = true', "not of type float"),
        ('[[data]]\npath = "a"\nweight = -1', "0 or more"),
        ('[[data]]\npath = "a"\nweight = nan', "0 or more"),
        ('[[data]]\npath = "a"\nband = 1000', "0 to 100"),
        ('[[data]]\npath = "a"\nsplit = "test"', "train, val"),
        ('[[data]]\npath = "nowhere"', "nowhere is not a folder"),
        ('[[data]]\nkind = "matte"', "needs a path"),
    ],
)
def test_mistakes_in_a_list_are_named(tmp_path, text, message):
    with pytest.raises(ZimError, match=message):
        open_data(table(tmp_path, text))


def test_every_kind_is_described():
    assert {"matte", "labels", "aim-500"} <= set(KINDS)
    assert all(KINDS.values())


def test_a_published_data_set_is_a_kind(tmp_path):
    photo(tmp_path / "AIM-500" / "original" / "o.jpg")
    matte(tmp_path / "AIM-500" / "mask" / "o.png")
    path = table(tmp_path, '[[data]]\npath = "AIM-500"\nkind = "aim-500"')
    assert names(open_data(path)) == {"AIM-500": ["o.png"]}


def test_a_few_own_images_are_held_out(tmp_path):
    for i in range(12):
        photo(tmp_path / f"p{i}.png", seed=i)
        matte(tmp_path / f"p{i}.alpha.png")
    data = open_data(tmp_path)
    training, held_out = SceneReader(data), SceneReader(data, held_out=True)
    assert sum(len(pool.pairs) for pool in held_out.pools) == 2
    assert sum(len(pool.pairs) for pool in training.pools) == 10
    for path in [*tmp_path.iterdir()][:16]:  # too few to spare any
        path.unlink()
    assert not SceneReader(tmp_path, held_out=True)


def test_an_entry_may_be_all_held_out(tmp_path):
    for folder in ("mine", "check"):
        for i in range(8):
            photo(tmp_path / folder / f"{folder}{i}.png")
            matte(tmp_path / folder / f"{folder}{i}.alpha.png")
    path = table(
        tmp_path, '[[data]]\npath = "mine"\n[[data]]\npath = "check"\nsplit = "val"'
    )
    for held_out, name in ((False, "mine"), (True, "check")):
        (pool,) = SceneReader(open_data(path), held_out=held_out).pools
        assert (pool.name, len(pool.pairs)) == (name, 8)


def test_own_images_may_be_called_open(tmp_path):
    photo(tmp_path / "mine" / "a.png")
    matte(tmp_path / "mine" / "a.alpha.png")
    path = table(tmp_path, '[[data]]\npath = "mine"')
    with pytest.raises(ZimError, match="open = true"):
        SceneReader(path, weights="open")
    path = table(tmp_path, '[[data]]\npath = "mine"\nopen = true')
    assert SceneReader(path, weights="open")


def test_cut_outs_without_backgrounds_get_painted_ones(tmp_path):
    photo(tmp_path / "mine" / "a.png")
    matte(tmp_path / "mine" / "a.alpha.png")
    path = table(
        tmp_path,
        '[[data]]\npath = "mine"\nkind = "cutout"\n[[data]]\nkind = "procedural"',
    )
    reader = SceneReader(path)
    scenes = [reader.draw_scene(np.random.default_rng(i)) for i in range(6)]
    assert len({scene.image.tobytes() for scene in scenes}) == 6
    again = SceneReader(path).draw_scene(np.random.default_rng(3))
    assert np.array_equal(again.image, scenes[3].image)
    assert "painted" in reader.summary()


def test_the_background_of_own_label_maps_is_no_object(tmp_path):
    photo(tmp_path / "maps" / "a.png")
    labels(tmp_path / "maps" / "a.labels.png")
    path = table(tmp_path, '[[data]]\npath = "maps"\nbackground = 2')
    reader = SceneReader(path)
    for seed in range(20):
        scene = reader.draw_scene(np.random.default_rng(seed))
        assert scene.alpha[30, 40] == 1
        assert not scene.exact


def test_the_list_of_a_training_folder_is_a_list():
    from training.datasets.table import TEMPLATE

    entries = read_entries(TEMPLATE)
    assert len(entries) == len({entry.name or entry.path for entry in entries})


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ('[[data]]\npath = "m"\n[[data]]\npath = "m/none*"\n', "entry 2: m/none"),
        ('[[data]]\npath = "m"\n[[data]]\npath = "m"\nweight = 2\n', "entry 2: m has"),
        ('[data]\npath = "m"\n', r"in place of \[\[data\]\]"),
    ],
)
def test_entries_without_files_are_named(tmp_path, entries, message):
    photo(tmp_path / "m" / "a.png")
    matte(tmp_path / "m" / "a.alpha.png")
    (tmp_path / "data.toml").write_text(entries)
    with pytest.raises(ZimError, match=message):
        open_run_data(
            *(tmp_path / "data.toml", tmp_path, tmp_path), fatal=False, quiet=True
        )
