import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from training import loop
from training.config import MODELS, TrainConfig
from training.distributed import ProcessGroup
from training.regions import LabelSamples, boundaries, pair_loss, regions_loss
from training.samples import PromptSamples
from training.sources import SceneReader
from training.train_zim import PREVIEWS, main
from training.trainer import Trainer
from zim_model.network.config import ZIM_TINY
from zim_model.network.region_head import Regions
from zim_model.weights.checkpoint import read_weights

SEEING = ("image_encoder", "detail_stream", "region_head")


@pytest.fixture
def config_file(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(
        'model = "zim-tiny"\ntask = "regions"\nsteps = 3\nviews = 2\n'
        "small_size = 64\nsmall_share = 1.0\nworkers = 0\nlog_every = 1\n"
    )
    return path


def test_samples_depend_on_their_number_alone(training_folder):
    samples, again = (
        LabelSamples(SceneReader(training_folder), ZIM_TINY, [64] * 30, 1)
        for _ in range(2)
    )
    for i in (0, 7, 29):
        assert torch.equal(samples[i]["image"], again[i]["image"])
        assert torch.equal(samples[i]["regions"], again[i]["regions"])
    assert not torch.equal(samples[0]["image"], samples[1]["image"])


def test_labels_lie_on_the_image(training_folder):
    """The objects of the folder are blue: label 1 is, label 2 is not."""
    samples = LabelSamples(SceneReader(training_folder), ZIM_TINY, [64] * 60, 1)
    samples.scenes.pools = [p for p in samples.scenes.pools if "seg/" in p[0]]
    samples.scenes.probabilities = np.ones(1)
    agree = []
    for i in range(60):
        sample = samples[i]
        assert sample["regions"].shape == (32, 32)
        assert sample["single"] == 1
        blueness = (sample["image"][2] - sample["image"][:2].amax(0))[::2, ::2]
        ones, twos = (blueness[sample["regions"] == label] for label in (1, 2))
        if min(len(ones), len(twos)) > 20:
            agree.append(float(ones.mean()) > float(twos.mean()))
    assert len(agree) > 20
    assert np.mean(agree) > 0.95


def test_prompts_come_with_the_regions_of_their_view(training_folder):
    """The objects of the folder, and so the targets, have label 1."""
    samples = PromptSamples(SceneReader(training_folder), ZIM_TINY, [64] * 40, 1)
    samples.scenes.pools = [p for p in samples.scenes.pools if "seg/" in p[0]]
    samples.scenes.probabilities = np.ones(1)
    seen = set()
    for i in range(40):
        sample = samples[i]
        regions, known = sample["regions"], sample["weight"][0] > 0
        seen |= set(regions.unique().tolist())
        inside = (sample["target"][0] > 0.5)[known]
        label = (
            1 if inside.float().mean() == 0 else int(regions[known][inside].mode()[0])
        )
        same = (regions == label)[known] == inside
        assert same.float().mean() > 0.95
    assert seen == {0, 1, 2}
    whole = PromptSamples(SceneReader(training_folder), MODELS["zim-mini"], [64], 1)[0]
    assert "regions" not in whole


def test_two_of_many_regions_are_no_single_object(training_folder, tmp_path):
    folder = shutil.copytree(training_folder, tmp_path / "data")
    bands = np.repeat(np.arange(1, 5, dtype=np.uint8), 40)
    for path in folder.glob("seg/*.labels.png"):
        Image.fromarray(np.tile(bands, (120, 1))).save(path)
    reader = SceneReader(folder)
    pool = next(pool for pool in reader.pools if pool[0] == "seg/bsds")
    scene = reader.draw_scene_from(np.random.default_rng(0), *pool)
    assert not scene.label_map().single
    assert not scene.crop(np.s_[:, :80]).label_map().single
    own = SceneReader(training_folder)
    pool = next(pool for pool in own.pools if pool[0] == "seg/bsds")
    assert own.draw_scene_from(np.random.default_rng(0), *pool).label_map().single


def test_boundaries_run_between_known_regions_only():
    labels = torch.ones((1, 6, 8), dtype=torch.long)
    labels[:, :, 4:] = 2
    labels[:, 4:] = 0
    edge = boundaries(labels)[0]
    assert edge[:4, 3:5].all()
    assert edge.sum() == 8


def perfect(labels):
    edge = boundaries(labels).float() * 40 - 20
    figure = (labels == 1).float() * 40 - 20
    embedding = torch.zeros((len(labels), 4, *(s // 2 for s in labels.shape[1:])))
    embedding[:, 0] = labels[:, ::2, ::2] * 6.0
    return Regions(torch.stack([edge, figure], 1), embedding)


def test_the_loss_falls_as_regions_are_found():
    labels = torch.full((2, 32, 32), 2)
    labels[:, 8:24, 8:24] = 1
    single = torch.ones(2)
    right = perfect(labels)
    torch.manual_seed(0)
    blurred = Regions(right.maps * 0.01, right.embedding * 0.01)
    wrong = Regions(-right.maps * 0.1, torch.randn_like(right.embedding) * 3)
    losses = [
        float(regions_loss(r, labels, single)[0]) for r in (right, blurred, wrong)
    ]
    assert losses[0] < 0.1 < losses[1] < losses[2]


def test_the_background_of_a_single_object_may_be_of_many_regions():
    labels = torch.full((1, 16, 16), 2)
    labels[:, :4, :4] = 1
    embedding = torch.zeros((1, 2, 16, 16))
    embedding[:, 0, :4, :4] = 9.0  # far from all the others
    embedding[:, 1, 8:] = 4.0  # two background regions
    torch.manual_seed(0)
    single, _ = pair_loss(embedding, labels, torch.ones(1))
    every, _ = pair_loss(embedding, labels, torch.zeros(1))
    assert single < 0.1 < every


def test_unknown_pixels_do_not_count():
    labels = torch.full((1, 32, 32), 2)
    labels[:, 8:16, 8:16] = 1
    labels[:, 20:] = 0
    right = perfect(labels)
    maps = right.maps.clone()
    maps[:, :, 22:] = 30
    single = torch.ones(1)
    before = regions_loss(right, labels, single)[1]
    after = regions_loss(Regions(maps, right.embedding), labels, single)[1]
    assert before["boundary"] == after["boundary"]
    assert before["figure"] == after["figure"]


def test_pre_training_leaves_the_decoder_and_prompts_then_leave_the_encoder(
    config_file, training_folder, tmp_path
):
    data = ["--data", str(training_folder)]
    config = str(config_file)
    first, second, third = (tmp_path / name for name in "abc")
    assert main([config, *data, "--out", str(first), "--minutes", "0"]) == 0
    with Image.open(first / loop.PREVIEW_FILE) as sheet:
        assert sheet.size == (4 * 192, PREVIEWS * 192)
    start = str(first / "zim-tiny.safetensors")
    assert main([config, *data, "--out", str(second), "--init-from", start]) == 0
    frozen = tmp_path / "prompts.toml"
    frozen.write_text(
        config_file.read_text().replace('"regions"', '"prompts"') + "encoder_lr = 0\n"
    )
    start = str(second / "zim-tiny.safetensors")
    assert main([str(frozen), *data, "--out", str(third), "--init-from", start]) == 0
    a, b, c = (
        read_weights(out / "zim-tiny.safetensors")[1] for out in (first, second, third)
    )
    for name, value in a.items():
        if name.endswith("num_batches_tracked"):
            continue
        sees = name.startswith(SEEING)
        if not sees:
            assert torch.equal(value, b[name]), name
        else:
            assert torch.equal(b[name], c[name]), name
    changed = [name for name in a if not torch.equal(a[name], b[name])]
    assert any(name.startswith("region_head") for name in changed)
    assert any(name.startswith("image_encoder") for name in changed)
    assert any(not torch.equal(b[n], c[n]) for n in b if n.startswith("mask_decoder"))


def test_learning_regions_lowers_the_loss(training_folder):
    config = TrainConfig(
        "zim-tiny", steps=40, task="regions", views=2, lr=2e-3, warmup=2
    )
    trainer = Trainer(config, ProcessGroup(0, 1, torch.device("cpu")))
    samples = LabelSamples(SceneReader(training_folder), ZIM_TINY, [64] * 2, 0)
    batch = torch.utils.data.default_collate([samples[0], samples[1]])
    losses = [float(trainer.train_step([batch])["loss"]) for _ in range(20)]
    assert np.mean(losses[-3:]) < 0.6 * losses[0]


def test_regions_stay_in_the_loss_while_prompts_are_trained(
    config_file, training_folder, tmp_path
):
    config_file.write_text(
        'model = "zim-tiny"\nsteps = 2\nviews = 2\nregions_weight = 0.3\n'
        "small_size = 64\nsmall_share = 1.0\nworkers = 0\nlog_every = 1\n"
    )
    out = tmp_path / "out"
    arguments = [str(config_file), "--data", str(training_folder), "--out", str(out)]
    assert main(arguments) == 0
    header, *lines = (out / "log.csv").read_text().splitlines()
    column = header.split(",").index("regions")
    assert all(float(line.split(",")[column]) > 0 for line in lines)


def test_a_model_without_region_head_is_refused(
    config_file, training_folder, tmp_path, capsys
):
    config_file.write_text(
        'model = "zim-mini"\nsteps = 1\nviews = 2\nregions_weight = 0.3\n'
        "small_size = 64\nsmall_share = 1.0\nworkers = 0\n"
    )
    arguments = [str(config_file), "--data", str(training_folder)]
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 1
    assert "zim-mini has no region head" in capsys.readouterr().err
