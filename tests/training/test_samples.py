import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from tests.training.datasets.test_table import photo
from training.config import ZIM_MINI
from training.prompt_sampling import jitter_box, sample_clicks
from training.samples import (
    MAX_TOKENS,
    PROMPTS_PER_VIEW,
    PromptSamples,
    augment,
    draw_prompts,
)
from training.sources import Scene, SceneReader
from training.validation import held_out_scenes
from zim_model.errors import ZimError
from zim_model.network.decoder import POSITIVE
from zim_model.prompts import Box


@pytest.fixture(scope="module")
def samples(training_folder):
    return PromptSamples(SceneReader(training_folder), ZIM_MINI, [64] * 40, seed=1)


def test_a_sample_depends_on_its_number_alone(samples, training_folder):
    first = samples[7]
    again = PromptSamples(SceneReader(training_folder), ZIM_MINI, [64] * 40, seed=1)[7]
    other = samples[8]
    assert first.pop("fault") == again["fault"] == ""
    for key, value in first.items():
        assert torch.equal(value, again[key]), key
    assert not torch.equal(first["image"], other["image"])


def test_shapes_and_ranges(samples):
    for i in range(40):
        sample = samples[i]
        assert sample["image"].shape == (3, 64, 64)
        assert sample["coords"].shape == (PROMPTS_PER_VIEW, MAX_TOKENS, 2)
        assert sample["labels"].shape == (PROMPTS_PER_VIEW, MAX_TOKENS)
        target, weight = sample["target"], sample["weight"]
        assert target.shape == weight.shape == (PROMPTS_PER_VIEW, 32, 32)
        assert 0 <= target.min() <= target.max() <= 1
        assert set(weight.unique().tolist()) <= {0.0, 1.0}
        assert (target[0] > 0.5).any()


def test_positive_points_lie_on_the_target(samples):
    hits = total = 0
    for i in range(40):
        sample = samples[i]
        for coords, labels, target in zip(
            sample["coords"], sample["labels"], sample["target"], strict=True
        ):
            for x, y in coords[labels == POSITIVE]:
                total += 1
                hits += bool(target[min(31, int(y / 2)), min(31, int(x / 2))] > 0.3)
    assert total > 20
    assert hits / total > 0.95


def test_clicks_follow_the_mask():
    rng = np.random.default_rng(0)
    mask = np.zeros((60, 80), bool)
    mask[20:40, 30:60] = True
    other_objects = np.zeros_like(mask)
    other_objects[:, :10] = True
    for _ in range(100):
        points = sample_clicks(rng, [mask], other_objects, max_points=6)
        assert 1 <= sum(point.positive for point in points) <= 6
        assert sum(not point.positive for point in points) <= 6
        assert points[0].positive
        for point in points:
            assert mask[int(point.y), int(point.x)] == point.positive


def test_clicks_have_ritms_distribution():
    """Counts of each sign, the regions of negative clicks, and the eroded object."""
    rng = np.random.default_rng(0)
    mask = np.zeros((120, 160), bool)
    mask[40:80, 60:120] = True
    others = np.zeros_like(mask)
    others[:, :10] = True
    radius = int(np.ceil(0.1 * np.sqrt(40 * 60)))
    inner = mask.copy()
    inner[:43], inner[77:], inner[:, :63], inner[:, 117:] = (False,) * 4
    drawn = [sample_clicks(rng, [mask], others, max_points=24) for _ in range(3000)]
    positive = np.array([sum(p.positive for p in points) for points in drawn])
    negative = np.array([sum(not p.positive for p in points) for points in drawn])
    weights = 0.8 ** np.arange(24)
    np.testing.assert_allclose(
        (positive == 1).mean(), weights[0] / weights.sum(), atol=0.03
    )
    np.testing.assert_allclose(
        (positive == 2).mean(), weights[1] / weights.sum(), atol=0.03
    )
    weights = 0.8 ** np.arange(25)
    np.testing.assert_allclose(
        (negative == 0).mean(), weights[0] / weights.sum(), atol=0.03
    )
    assert positive.max() > 15
    assert negative.max() > 15
    clicks = [point for points in drawn for point in points]
    inside = [inner[int(p.y), int(p.x)] for p in clicks if p.positive]
    # Nine in ten keep off the edge; the others may fall there.
    edge = 1 - inner.sum() / mask.sum()
    np.testing.assert_allclose(np.mean(inside), 1 - 0.1 * edge, atol=0.02)
    away = [p for p in clicks if not p.positive]
    near = [
        60 - radius <= p.x < 120 + radius and 40 - radius <= p.y < 80 + radius
        for p in away
    ]
    band = (60 + 2 * radius) * (40 + 2 * radius) - 60 * 40
    share = 0.5 + 0.1 * band / (~mask).sum()
    np.testing.assert_allclose(np.mean(near), share, atol=0.03)
    on_others = np.mean([p.x < 10 for p in away])
    np.testing.assert_allclose(
        on_others, 0.4 + 0.1 * others.sum() / (~mask).sum(), atol=0.03
    )


def test_each_of_merged_objects_gets_a_click():
    rng = np.random.default_rng(0)
    first, second = np.zeros((2, 60, 80), bool)
    first[10:50, 5:30], second[10:50, 50:75] = True, True
    nothing = np.zeros_like(first)
    for _ in range(50):
        points = sample_clicks(rng, [first, second], nothing, max_points=6)
        assert points[0].x < 30
        assert points[1].x >= 50
        assert all(point.positive for point in points[:2])
        assert sum(point.positive for point in points) <= 6
        for point in points:
            assert (first | second)[int(point.y), int(point.x)] == point.positive


def test_boxes_are_tight_and_jitter_stays_near():
    mask = np.zeros((60, 80), bool)
    mask[20:40, 30:60] = True
    box = Box.around(mask)
    assert box == Box(30, 20, 60, 40)
    rng = np.random.default_rng(0)
    for _ in range(50):
        moved = jitter_box(rng, box, 60, 80)
        assert abs(moved.x0 - 30) <= 3
        assert abs(moved.y1 - 40) <= 2


def test_prompts_of_both_kinds():
    alpha = np.zeros((60, 80), np.float32)
    alpha[20:40, 30:60] = 1
    nothing = np.zeros((60, 80), bool)
    image = np.zeros((60, 80, 3), np.uint8)
    scene = Scene(image, alpha, ~nothing, nothing, True)
    rng = np.random.default_rng(0)
    assert draw_prompts(rng, scene, with_box=True).box is not None
    points = draw_prompts(rng, scene, with_box=False)
    assert points.box is None
    assert points.points


def test_a_broken_image_is_named(training_folder, tmp_path):
    for kind in ("seg", "background"):
        (tmp_path / kind).mkdir()
    (tmp_path / "seg" / "bsds__1.labels.png").write_bytes(b"x")
    (tmp_path / "seg" / "bsds__1.jpg").write_bytes(b"x")
    (tmp_path / "background" / "b.jpg").write_bytes(b"x")
    with pytest.raises(ZimError, match=r"bsds__1|b\.jpg"):
        PromptSamples(SceneReader(tmp_path), ZIM_MINI, [64] * 4, seed=0)[0]


@pytest.mark.parametrize(("value", "background"), [(0, None), (3, 3)])
def test_a_label_map_without_objects_is_of_no_use(tmp_path, value, background):
    photo(tmp_path / "a.png")
    plane = np.full((60, 80), value, np.uint8)
    Image.fromarray(plane).save(tmp_path / "a.labels.png")
    row = f"background = {background}" if background else ""
    listed = f'[[data]]\npath = "."\nkind = "labels"\n{row}\n'
    (tmp_path / "data.toml").write_text(listed)
    reader = SceneReader(tmp_path / "data.toml")
    scene = reader.draw_scene(np.random.default_rng(0))
    assert not scene.alpha.any()
    assert not held_out_scenes(reader, 4, 0)
    with pytest.raises(ZimError, match="None of 100 images"):
        PromptSamples(reader, ZIM_MINI, [64], seed=0)[0]


def test_held_out_images_are_never_drawn(training_folder, tmp_path):
    folder = shutil.copytree(training_folder, tmp_path / "many")
    for i in range(3, 120):
        for suffix in (".jpg", ".labels.png"):
            for name in (f"bsds__{i}", f"davis__clip{i % 60}_{i}"):
                first = folder / "seg" / f"bsds__0{suffix}"
                shutil.copy(first, folder / "seg" / f"{name}{suffix}")
    training, held_out = SceneReader(folder), SceneReader(folder, held_out=True)

    def names(reader):
        pools = [pool for pool in reader.pools if pool.kind == "labels"]
        return {target.name for pool in pools for _, target in pool.pairs}

    assert names(training)
    assert names(held_out)
    assert not names(training) & names(held_out)
    assert len(names(held_out)) < 0.1 * len(names(training))
    videos = [
        {name.rsplit("_", 1)[0] for name in names(p) if name.startswith("davis")}
        for p in (training, held_out)
    ]
    assert not videos[0] & videos[1]
    assert held_out.draw_scene(np.random.default_rng(0)).alpha.any()


def small_object():
    alpha = np.zeros((200, 200), np.float32)
    alpha[90:120, 60:80] = 1
    image = np.zeros((200, 200, 3), np.uint8)
    nothing = np.zeros(alpha.shape, bool)
    return Scene(image, alpha, ~nothing, nothing, True)


def test_some_objects_fill_the_image():
    rng = np.random.default_rng(4)
    shapes = [augment(rng, small_object()).alpha.shape for _ in range(200)]
    assert 4 < shapes.count((30, 20)) < 30
