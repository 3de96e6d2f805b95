"""Reading of each data set from a tiny copy of its published layout."""

import json
import tomllib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.datasets import ade20k, layouts
from training.datasets.layouts import PUBLISHED_DATASETS, list_entries
from training.datasets.reading import coarse_object_ids, read_pair, read_table
from training.manifest import Manifest
from training.train_converter import main
from zim_model.errors import ZimError

SIZE = (48, 64)


def photograph(path, size=SIZE):
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(len(path.name))
    Image.fromarray(rng.integers(0, 256, (*size, 3), np.uint8)).save(path)


def matte(path, mode="L", size=SIZE):
    path.parent.mkdir(parents=True, exist_ok=True)
    y, x = np.mgrid[: size[0], : size[1]]
    alpha = np.clip((18 - np.hypot(x - 32, y - 24)) / 6, 0, 1)
    plane = (alpha * 255).astype(np.uint8)
    if mode == "RGBA":
        plane = np.dstack([np.zeros((*size, 3), np.uint8), plane])
    elif mode == "I;16":
        plane = (alpha * 65535).astype(np.uint16)
    Image.fromarray(plane).save(path)


def label_map(path, planes):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(planes, np.uint8)).save(path)


def quarters(values):
    """Make a map of four regions."""
    out = np.zeros((*SIZE, *np.shape(values[0])), np.uint8)
    for i, value in enumerate(values):
        out[24 * (i // 2) : 24 * (i // 2) + 24, 32 * (i % 2) : 32 * (i % 2) + 32] = (
            value
        )
    return out


def make_aim_500(root):
    for name in ("o_1", "o_2"):
        photograph(root / "AIM-500" / "original" / f"{name}.jpg")
        matte(root / "AIM-500" / "mask" / f"{name}.png")
        matte(root / "AIM-500" / "trimap" / f"{name}.png")
    matte(root / "AIM-500" / "mask" / "without_picture.png")


def make_am_2k(root):
    for part, name in (("train", "m_1"), ("train", "m_2"), ("validation", "m_3")):
        photograph(root / "AM-2k" / part / "original" / f"{name}.jpg")
        photograph(root / "AM-2k" / part / "fg" / f"{name}.png")
        matte(root / "AM-2k" / part / "mask" / f"{name}.png")


def make_p3m_10k(root):
    top = root / "P3M-10k"
    for name in ("p_1", "p_2"):
        photograph(top / "train" / "blurred_image" / f"{name}.jpg")
        matte(top / "train" / "mask" / f"{name}.png")
    for part, images in (
        ("P3M-500-P", "blurred_image"),
        ("P3M-500-NP", "original_image"),
    ):
        photograph(top / "validation" / part / images / "p_3.jpg")
        matte(top / "validation" / part / "mask" / "p_3.png")
        matte(top / "validation" / part / "trimap" / "p_3.png")


def make_rwp_636(root):
    for name in ("02_0030_input", "02_0031_input"):
        photograph(root / "RealWorldPortrait-636" / "image" / f"{name}.jpg")
        matte(root / "RealWorldPortrait-636" / "alpha" / f"{name}.png")
        matte(root / "RealWorldPortrait-636" / "detailmap" / f"{name}.png")


def make_him_2k(root):
    top = root / "HIM2K"
    for kind, name in (("natural", "zzz"), ("comp", "xxx")):
        photograph(top / "images" / kind / f"{name}.jpg")
        for number in range(2 if kind == "comp" else 1):
            matte(top / "alphas" / kind / name / f"{number:02}.png")


def make_refmatte(root):
    top = root / "RefMatte" / "RefMatte"
    for part, name in (("train", "n01"), ("test", "n02")):
        photograph(top / part / "img" / f"{name}.jpg")
        for number in range(2):
            matte(top / part / "mask" / f"{name}_{number}.png")
        (top / part / f"{part}.json").write_text("{}")


def make_ade20k(root):
    for part, name in (("training", "ADE_train_1"), ("validation", "ADE_val_1")):
        folder = (
            root / "ADE20K_2021_17_01" / "images" / "ADE" / part / "urban" / "street"
        )
        photograph(folder / f"{name}.jpg")
        # Two cars (category 400), a tree (category 60), unlabelled.
        regions = quarters([(10, 144, 1), (10, 144, 2), (0, 60, 3), (0, 0, 0)])
        described = [
            {"id": number, "name_ndx": index, "name": words}
            for number, index, words in (
                *((1, 400, "car, auto, automobile"), (2, 400, "car, auto, automobile")),
                (3, 60, "tree"),
            )
        ]
        text = json.dumps({"annotation": {"object": described}})
        (folder / f"{name}.json").write_text(text)
        label_map(folder / f"{name}_seg.png", regions)
        label_map(folder / f"{name}_parts_1.png", regions)


MAKERS = {
    "aim-500": (make_aim_500, 2, 2),
    "am-2k": (make_am_2k, 2, 1),
    "p3m-10k": (make_p3m_10k, 2, 2),
    "rwp-636": (make_rwp_636, 2, 2),
    "him-2k": (make_him_2k, 3, 3),
    "refmatte": (make_refmatte, 2, 2),
    "ade20k": (make_ade20k, 1, 1),
}
"""Function that makes the copy, and numbers of training and test entries."""


def test_every_data_set_is_tried():
    assert MAKERS.keys() == PUBLISHED_DATASETS.keys()


@pytest.mark.parametrize("name", MAKERS)
def test_a_published_layout_is_read(tmp_path, name):
    make, train, test = MAKERS[name]
    make(tmp_path)
    top = next(tmp_path.iterdir())
    for root in (tmp_path, top):  # the parent folder, or the data set's own
        if name == "refmatte" and root == tmp_path:
            continue  # it is nested one folder deeper
        entries = list_entries(name, root)
        assert len(entries) == train
        assert len(list_entries(name, root, "test")) == test
    rng = np.random.default_rng(0)
    for entry in entries:
        pair = read_pair(entry, rng)
        assert pair.image.shape == (*SIZE, 3)
        assert pair.alpha.shape == SIZE
        assert pair.alpha.max() == 1
        soft = ((pair.alpha > 0.2) & (pair.alpha < 0.8)).any()
        assert soft != PUBLISHED_DATASETS[name].coarse
    assert not any(
        "trimap" in str(e.target) or "parts" in str(e.target) for e in entries
    )


def test_objects_of_ade20k_are_distinguished(tmp_path):
    make_ade20k(tmp_path)
    (entry,) = list_entries("ade20k", tmp_path)
    with Image.open(entry.target) as file:
        ids = coarse_object_ids(np.asarray(file), entry)
    assert len(np.unique(ids)) == 3, "two cars, and the tree and unlabelled pixels"
    assert not ids[24:].any()
    drawn = {
        read_pair(entry, np.random.default_rng(seed)).alpha.tobytes()
        for seed in range(20)
    }
    assert len(drawn) == 2


def test_the_description_of_2016_is_read_too(tmp_path):
    make_ade20k(tmp_path)
    (entry,) = list_entries("ade20k", tmp_path)
    stem = entry.target.with_name(entry.target.name.removesuffix("_seg.png"))
    stem.with_suffix(".json").unlink()
    with pytest.raises(ZimError, match=r"ADE_train_1\.json does not exist"):
        read_pair(entry, np.random.default_rng(0))
    rows = ("001 # 0 # 0 # car, auto # car # ", '002 # 0 # 1 # tree # tree # "old"')
    stem.with_name(f"{stem.name}_atr.txt").write_text("\n".join(rows) + "\n")
    alpha = read_pair(entry, np.random.default_rng(0)).alpha
    assert alpha[0, 0] == 1
    assert not alpha[24:].any()


def test_no_category_with_a_fine_outline_is_a_target_of_its_own():
    assert len(ade20k.SCENE_PARSING) == 150
    assert len(ade20k.INSTANCES) == 100
    assert set(ade20k.SCENE_PARSING) >= ade20k.COARSE
    fine = {"person", "animal", "tree", "plant", "flower", "grass", "palm", "curtain"}
    fine |= {"bicycle", "fence", "chandelier", "sky", "water", "flag", "glass"}
    assert not fine & ade20k.COARSE
    # Where the lists of the challenges begin and end, as published.
    assert (ade20k.SCENE_PARSING[0], ade20k.SCENE_PARSING[149]) == ("wall", "flag")
    assert (ade20k.SCENE_PARSING[12], ade20k.SCENE_PARSING[20]) == ("person", "car")
    assert (ade20k.INSTANCES[0], ade20k.INSTANCES[99]) == ("bed", "flag")
    assert (ade20k.INSTANCES[3], ade20k.INSTANCES[8]) == ("person", "car")


@pytest.mark.parametrize("kind", ["annotations", "annotations_instance"])
def test_the_scene_parsing_challenge_is_read_too(tmp_path, kind):
    photograph(tmp_path / "images" / "training" / "ADE_train_1.jpg")
    values = {
        # A car, a bed twice, and a person; two beds, a car, and a person.
        "annotations": [21, 8, 8, 13],
        "annotations_instance": [(1, 1, 0), (1, 2, 0), (9, 1, 0), (4, 1, 0)],
    }[kind]
    label_map(tmp_path / kind / "training" / "ADE_train_1.png", quarters(values))
    (entry,) = list_entries("ade20k", tmp_path)
    drawn = {
        read_pair(entry, np.random.default_rng(seed)).alpha.tobytes()
        for seed in range(20)
    }
    assert len(drawn) == (2 if kind == "annotations" else 3)


@pytest.mark.parametrize("mode", ["RGBA", "I;16"])
def test_mattes_may_be_channels_or_words(tmp_path, mode):
    make_aim_500(tmp_path)
    expected = read_pair(list_entries("aim-500", tmp_path)[0], None).alpha
    matte(tmp_path / "AIM-500" / "mask" / "o_2.png", mode)
    actual = read_pair(list_entries("aim-500", tmp_path)[1], None).alpha
    np.testing.assert_allclose(actual, expected, atol=1 / 255)


def test_what_cannot_be_used_is_named(tmp_path):
    with pytest.raises(ZimError, match="Unknown data set 'coco'"):
        list_entries("coco", tmp_path)
    with pytest.raises(ZimError, match="is not a folder"):
        list_entries("aim-500", tmp_path / "none")
    with pytest.raises(ZimError, match="does not hold AIM-500"):
        list_entries("aim-500", tmp_path)
    make_aim_500(tmp_path)
    first, second = list_entries("aim-500", tmp_path)
    matte(first.target, size=(40, 64))
    with pytest.raises(ZimError, match="64 x 48 and 64 x 40"):
        read_pair(first, np.random.default_rng(0))
    second.image.write_bytes(b"no image")
    with pytest.raises(ZimError, match=r"o_2\.jpg cannot be read"):
        read_pair(second, np.random.default_rng(0))


def test_a_converter_learns_from_a_table_of_data_sets(tmp_path, capsys):
    make_aim_500(tmp_path / "sets")
    make_ade20k(tmp_path / "sets")
    table = tmp_path / "data.toml"
    table.write_text(
        '[data]\naim-500 = "sets/AIM-500"\nade20k = "sets/ADE20K_2021_17_01"\n'
    )
    config = tmp_path / "config.toml"
    config.write_text(
        'model = "converter-tiny"\nsteps = 1\nviews = 2\nsize = 64\nworkers = 0\n'
    )
    command = [str(config), "--data", str(table), "--out", str(tmp_path / "out")]
    assert main(command) == 0, capsys.readouterr().err
    pairs = read_table(table)
    assert pairs.has_coarse
    assert len(np.unique(pairs.draw_coarse_pair(np.random.default_rng(0)).alpha)) == 2


@pytest.mark.parametrize("text", ["[" * 99999, '{"annotation": {"object": [[]]}}'])
def test_a_malformed_description_is_named(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ZimError, match=r"a\.json cannot be read"):
        ade20k.full_categories(tmp_path / "a_seg.png")


@pytest.mark.parametrize("text", ["[" * 99999, '{"files": 3}', '{"files": ["a"]}'])
def test_a_malformed_manifest_is_named(tmp_path, text):
    (tmp_path / "MANIFEST.json").write_text(text)
    with pytest.raises(ZimError, match=r"MANIFEST\.json is not a manifest"):
        Manifest(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no table"),
        ("[data]\naim-500 = 3", "not a folder"),
        ("[data]\n[shares]\nx = 1", "not in .data.: x"),
        ('[data]\nade20k = "sets/ADE20K_2021_17_01"', "has mattes"),
        ('[data]\n[shares]\nx = "much"', "not a number"),
        ("[data", "cannot be read"),
        ("a = " + "[" * 5000, "cannot be read"),
        ("a = " + "9" * 5000, "cannot be read"),
        (f'[data]\naim-500 = "{"x" * 5000}"', "is not a folder"),
    ],
)
def test_mistakes_in_a_table_are_named(tmp_path, text, message):
    make_ade20k(tmp_path / "sets")
    path = tmp_path / "data.toml"
    path.write_text(text)
    with pytest.raises(ZimError, match=message):
        read_table(path)


def test_the_sample_table_names_every_data_set():
    path = Path(layouts.__file__).parents[1] / "configs" / "matting_sets.toml"
    table = tomllib.loads(path.read_text("utf-8"))
    assert table["data"].keys() == PUBLISHED_DATASETS.keys()
    assert table["shares"].keys() <= table["data"].keys()


def test_held_out_images_validate_a_converter_on_a_table(tmp_path, capsys):
    for number in range(20):
        photograph(tmp_path / "AIM-500" / "original" / f"o_{number}.jpg")
        matte(tmp_path / "AIM-500" / "mask" / f"o_{number}.png")
    make_refmatte(tmp_path)  # one image with two mattes
    table = tmp_path / "data.toml"
    table.write_text('[data]\naim-500 = "AIM-500"\nrefmatte = "RefMatte"\n')
    source = read_table(table).split()
    images = {x.image for entries in source.sets.values() for x in entries}
    held_out = [pair for _, pair in source.validation_data().files()]
    assert 0 < len(held_out) < 6
    assert not images & {image for image, _ in held_out}
    config = tmp_path / "config.toml"
    config.write_text(
        'model = "converter-tiny"\nsteps = 6\nviews = 2\nsize = 64\nworkers = 0\n'
        "val_every = 1\npatience = 2\nlr = 0.0\n"
    )
    command = [str(config), "--data", str(table), "--out", str(tmp_path / "out")]
    assert main(command) == 0
    assert "iou" in capsys.readouterr().err
    assert (tmp_path / "out" / "converter-tiny-best.safetensors").is_file()
    lines = (tmp_path / "out" / "validation.csv").read_text().splitlines()
    assert lines[0] == "step,iou,sad,best"
    assert len(lines) < 7, "the run ends without a better score"
