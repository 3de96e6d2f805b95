import json

import numpy as np
import pytest
import torch

from training.sources import Scene, SceneReader
from training.tiny.config import TinyTrainConfig
from training.tiny.samples import TinySamples, sample_view
from zim_model.errors import ZimError
from zim_model.network.config import PADDING_GREY


@pytest.fixture
def config():
    return TinyTrainConfig("zim-tiny", 4, size=96, views=2, weights="all")


def scene(height=120, width=200):
    y, x = np.mgrid[:height, :width]
    mask = np.hypot(y - 50, x - 140) < 25
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0], image[..., 1] = x, y
    image[mask, 2] = 255
    full = np.ones(mask.shape, bool)
    return Scene(image, mask.astype(np.float32), full, ~mask, True, subject=True)


def test_items_have_the_shapes_that_a_step_takes(training_folder, config):
    samples = TinySamples(SceneReader(training_folder), config, 0)
    for i in range(6):
        item = samples[i]
        assert item["image"].shape == (3, 96, 96)
        assert item["image"].dtype == item["maps"].dtype == torch.uint8
        assert item["maps"].shape == (3, 96, 96)
        assert item["target"].shape == item["weight"].shape == (48, 48)
        assert 0 <= item["target"].min() <= item["target"].max() <= 1
        assert item["fault"] == ""


def test_items_depend_on_seed_and_number_alone(training_folder, config):
    first = TinySamples(SceneReader(training_folder), config, 3)
    second = TinySamples(SceneReader(training_folder), config, 3)
    second[0]
    for key, value in first[5].items():
        if key != "fault":
            assert torch.equal(value, second[5][key])


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("seed", range(8))
def test_views_keep_pixels_and_alpha_together(whole, seed):
    rng = np.random.default_rng(seed)
    view = sample_view(rng, scene(), 128, whole=whole, tight=False)
    blue, mask = view.image[..., 2].astype(float) / 255, view.alpha
    inside = view.valid
    assert np.abs(blue - mask)[inside].mean() < 0.03
    assert mask.max() == pytest.approx(1)
    # No part of the object is cut off when its surroundings are shown.
    if not whole:
        assert (mask > 0.5).mean() > np.pi / 4 / 2.3**2 * 0.8


def test_the_padding_is_grey_and_unknown():
    rng = np.random.default_rng(1)
    view = sample_view(rng, scene(), 128, whole=True, tight=False)
    outside = ~view.valid
    assert outside.any()
    assert (np.abs(view.image[outside].astype(int) - PADDING_GREY) <= 127).all()
    corner = view.image[-1, 64] if outside[-1, 64] else view.image[0, 64]
    assert (corner == PADDING_GREY).all()


def test_main_objects_are_sometimes_drawn_without_prompts(config):
    class One:
        def draw_scene(self, rng):
            return scene()

    from dataclasses import replace

    samples = TinySamples(One(), replace(config, subject_share=1.0), 0)
    assert not samples[0]["maps"].any()
    never = TinySamples(One(), replace(config, subject_share=0.0), 0)
    assert all(never[i]["maps"].any() for i in range(8))


def test_no_research_image_enters_open_weights(training_folder, config, tmp_path):
    import shutil

    root = tmp_path / "train"
    shutil.copytree(training_folder, root)
    files = sorted(p for p in root.rglob("*") if p.is_file())
    rows = []
    for path in files:
        kind = "open" if path.name.split(".")[0].endswith(("0", "1")) else "research"
        name = str(path.relative_to(tmp_path))
        rows.append({"file": name, "weights": kind})
    (tmp_path / "MANIFEST.json").write_text(json.dumps({"files": rows}))
    pictures = SceneReader(root, weights="open")
    used = {
        path
        for pool in pictures.pools
        if pool.kind != "procedural"
        for pair in pool.pairs
        for path in pair
    } | {*pictures.backgrounds}
    assert used
    assert all(p.name.split(".")[0].endswith(("0", "1")) for p in used)
    everything = SceneReader(root)
    more = {path for pool in everything.pools for pair in pool.pairs for path in pair}
    assert any(p.name.split(".")[0].endswith("2") for p in more)


def test_images_that_no_manifest_names_are_not_open(training_folder, tmp_path):
    import shutil

    root = tmp_path / "train"
    shutil.copytree(training_folder, root)
    with pytest.raises(ZimError, match=r"no MANIFEST\.json"):
        SceneReader(root, weights="open")
    (tmp_path / "MANIFEST.json").write_text('{"files": []}')
    with pytest.raises(ZimError, match="no training"):
        SceneReader(root, weights="open")
    (tmp_path / "MANIFEST.json").write_text('{"files": 3}')
    with pytest.raises(ZimError, match="not a manifest"):
        SceneReader(root, weights="open")
