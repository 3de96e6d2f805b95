"""Training on shards of mattes, with the paper's settings at a small size."""

import csv
import dataclasses
import json
import os
import shutil
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
import torch
from torch.utils.data import default_collate

from training import distributed
from training.config import MODELS, ZIM_VIT_MINI, TrainConfig
from training.distributed import ProcessGroup
from training.sa1b_matte import data as matte_data
from training.sa1b_matte.building import BuildConfig, build
from training.sa1b_matte.data import (
    MAX_TOKENS,
    PaperSamples,
    ShardSamples,
    ShuffledOrder,
    make_scene,
)
from training.sa1b_matte.sa1b import find_sources
from training.sa1b_matte.sample import make_sample
from training.sa1b_matte.shards import Shards
from training.train_zim import TrainingRunOptions, main, open_samples, train
from training.trainer import Trainer
from zim_model.errors import ZimError
from zim_model.network.config import sam_variant
from zim_model.network.decoder import (
    BOTTOM_RIGHT,
    NEGATIVE,
    PADDING,
    POSITIVE,
    TOP_LEFT,
)
from zim_model.network.zim import Zim

ALONE = ProcessGroup(0, 1, torch.device("cpu"))
SETTINGS = {
    "model": "zim-vit-mini",
    "prompting": "paper",
    "steps": 4,
    "views": 4,
    "lr": 1e-3,
    "warmup": 2,
    "ema": 0.0,
    "region_share": 0.0,
    "recompute": True,
    "workers": 0,
    "log_every": 1,
}


class Soft:
    """Test converter that makes a thin soft rim inside the mask."""

    fingerprint = "soft"

    def convert(self, image, mask):
        import cv2

        distance = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 3)
        return np.rint(np.clip(distance / 3, 0, 1) * 65535).astype(np.uint16)


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    root = tmp_path_factory.mktemp("sa1b")
    make_sample(root, 12)
    out = tmp_path_factory.mktemp("shards")
    build(BuildConfig(out, Soft, "soft", 1.0, 3), find_sources([root]))
    return out


@pytest.fixture(autouse=True)
def on_the_cpu(monkeypatch):
    monkeypatch.setattr(distributed, "default_device", lambda: "cpu")


def a_config(**changes):
    return TrainConfig(**{**SETTINGS, **changes})


def write_config(path, **changes):
    lines = []
    for key, value in {**SETTINGS, **changes}.items():
        text = str(value).lower() if isinstance(value, bool) else repr(value)
        lines.append(f"{key} = {text}".replace("'", '"'))
    path.write_text("\n".join(lines) + "\n")
    return path


def test_two_mattes_are_merged_now_and_then(shards):
    items = [item for shard in Shards(shards).shards for item in shard]
    merged = plain = 0
    for seed in range(120):
        scene = make_scene(np.random.default_rng(seed), items[seed % len(items)])
        mask = scene.alpha > 0.5
        if scene.merged:
            merged += 1
            assert len(scene.merged) == 2
            np.testing.assert_array_equal(mask, scene.merged[0] | scene.merged[1])
            flipped = scene.crop(np.s_[:, ::-1])
            np.testing.assert_array_equal(flipped.merged[1], scene.merged[1][:, ::-1])
        else:
            plain += 1
        assert not (scene.other_objects & mask).any()
    assert 0.05 < merged / (merged + plain) < 0.3


def test_a_sample_is_a_whole_image_with_a_box_and_clicks_for_one_matte(shards):
    samples = open_samples(shards, a_config(), [128] * 12, 0)
    assert isinstance(samples, ShardSamples)
    for item in (samples[number] for number in range(12)):
        assert item["image"].shape == (3, 128, 128)
        assert item["labels"].shape == (2, MAX_TOKENS)
        boxed, clicked = item["labels"].tolist()
        assert boxed[:2] == [TOP_LEFT, BOTTOM_RIGHT]
        assert clicked[0] == POSITIVE
        assert set(clicked) <= {POSITIVE, NEGATIVE, PADDING, -2}
        (left, top), (right, bottom) = item["coords"][0, :2].tolist()
        target = item["target"][0].numpy()
        rows, columns = np.flatnonzero(target.any(1)), np.flatnonzero(target.any(0))
        expected = 2.0 * np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])
        np.testing.assert_allclose([left, top, right, bottom], expected, atol=4)
        x, y = item["coords"][1, 0].tolist()
        assert target[int(y) // 2, int(x) // 2] > 0.2
        assert ((target > 0) & (target < 1)).any(), "soft alpha"
        assert item["exact"].tolist() == [1, 1]


def test_an_epoch_shows_every_image_once_and_few_shards_at_a_time(shards, monkeypatch):
    monkeypatch.setattr(matte_data, "SHARD_WINDOW", 2)
    order = ShuffledOrder(Shards(shards), 3)
    size = len(order.items)
    first = [order.item_at(number) for number in range(size)]
    assert Counter(item.name for item in first) == Counter(
        item.name for item in order.items
    )
    for begin in range(0, size, 6):
        assert len({item.shard for item in first[begin : begin + 6]}) <= 2
    second = [order.item_at(size + number) for number in range(size)]
    assert [i.name for i in first] != [i.name for i in second]
    again = ShuffledOrder(Shards(shards), 3)
    assert [again.item_at(size + n) for n in range(size)] == second
    assert [again.item_at(n) for n in range(size)] == first


@pytest.mark.parametrize(
    "entry", [3, {}, {"name": "a"}, {"name": "../a", "bytes": 0}, {"name": "x" * 5000}]
)
def test_a_manifest_of_another_form_is_refused(tmp_path, entry):
    manifest = {"format": 1, "shards": [entry]}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ZimError, match=r"manifest\.json|cannot be read"):
        Shards(tmp_path)


def test_a_damaged_image_is_named_and_another_takes_its_place(shards, tmp_path):
    folder = shutil.copytree(shards, tmp_path / "damaged")
    path = folder / "sa_000000-0000.tar"
    data = path.read_bytes()
    path.write_bytes(bytes(len(data)))  # right size, but only zeros
    samples = open_samples(folder, a_config(), [128] * 12, 0)
    faults = [samples[number]["fault"] for number in range(12)]
    assert sum(map(bool, faults)) == 3
    assert all("sa_000000-0000.tar" in fault for fault in faults if fault)


def test_the_loss_falls(shards):
    config = a_config(steps=80, lr=2e-3)
    samples = open_samples(shards, config, [128] * 3, 0)
    batch = default_collate([samples[number] for number in range(3)])
    trainer = Trainer(config, ALONE)
    losses = [float(trainer.train_step([batch])["loss"]) for _ in range(30)]
    assert np.mean(losses[-3:]) < 0.6 * losses[0]


def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(shards, tmp_path):
    config = a_config(steps=3)
    whole = train(config, TrainingRunOptions(shards, tmp_path / "a"))
    assert (
        train(config, TrainingRunOptions(shards, tmp_path / "b", minutes=0)).step == 1
    )
    rest = train(
        config, TrainingRunOptions(shards, tmp_path / "c", tmp_path / "b" / "state.pt")
    )
    assert whole.step == rest.step == 3
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, rest.model.state_dict()[name]), name


def test_two_processes_train_what_one_would(shards, tmp_path):
    """One process with two micro-batches equals two processes.

    Compared are AdamW's first moments, which are linear in the gradients: its steps
    are nearly signs of gradients, also of those that are rounding noise; at so low a
    rate they do not reach the gradients of the second step.
    """
    train(
        a_config(steps=2, accumulate=2, lr=1e-7),
        TrainingRunOptions(shards, tmp_path / "one"),
    )
    config = write_config(tmp_path / "config.toml", steps=2, lr=1e-7)
    command = [
        *(sys.executable, "-m", "torch.distributed.run", "--standalone"),
        *("--nproc-per-node", "2", "-m", "training.train_zim", str(config)),
        *("--data", str(shards), "--out", str(tmp_path / "two")),
    ]
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    one, two = (
        torch.load(tmp_path / name / "state.pt", weights_only=True)["optimiser"]
        for name in ("one", "two")
    )
    assert one["state"].keys() == two["state"].keys()
    whole = torch.cat([s["exp_avg"].flatten() for s in one["state"].values()])
    for number, moments in one["state"].items():
        difference = (moments["exp_avg"] - two["state"][number]["exp_avg"]).norm()
        size = moments["exp_avg"].norm()
        assert difference < 1e-3 * size + 1e-6 * whole.norm(), number


def test_recomputing_saves_memory_and_changes_no_gradient(shards):
    gradients = []
    for recompute in (False, True):
        config = a_config(recompute=recompute)
        samples = open_samples(shards, config, [128] * 2, 0)
        trainer = Trainer(config, ALONE)
        saved = []

        def pack(tensor, saved=saved):
            saved.append(tensor.numel())
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            loss, _ = trainer.compute_loss(default_collate([samples[0], samples[1]]), 0)
        loss.backward()
        weight = trainer.model.image_encoder.blocks[0].attn.qkv.weight
        gradients.append((weight.grad, sum(saved)))
    torch.testing.assert_close(gradients[0][0], gradients[1][0], rtol=1e-5, atol=1e-8)
    assert gradients[1][1] < 0.9 * gradients[0][1]


def test_a_run_starts_from_sam_weights(shards, tmp_path, capsys):
    torch.manual_seed(1)
    sam = Zim(sam_variant(ZIM_VIT_MINI))
    for parameter in sam.parameters():
        torch.nn.init.normal_(parameter, std=0.02)
    path = tmp_path / "sam.pth"
    torch.save(sam.state_dict(), path)
    trainer = Trainer(a_config(), ALONE)
    trainer.start_from(path)
    for model in (trainer.model, trainer.average):
        own = model.state_dict()
        for name in ("image_encoder.pos_embed", "mask_decoder.mask_tokens.weight"):
            assert torch.equal(own[name], sam.state_dict()[name]), name
    out = tmp_path / "out"
    config = write_config(tmp_path / "c.toml", steps=1)
    command = [str(config), "--data", str(shards), "--out", str(out)]
    assert main([*command, "--sam", str(path)]) == 0
    assert "step 1 of 1" in capsys.readouterr().out


def test_the_log_reports_throughput_and_memory(shards, tmp_path):
    train(a_config(steps=2), TrainingRunOptions(shards, tmp_path))
    with (tmp_path / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2
    for row in rows:
        steps, views = float(row["steps_per_s"]), float(row["views_per_s"])
        assert 0 < steps < views
        assert 100 < float(row["peak_mb"]) < 100_000


def test_shards_are_for_the_paper_s_prompts(shards):
    with pytest.raises(ZimError, match="this configuration cannot use them"):
        open_samples(shards, a_config(prompting="studio"), [128], 0)


def test_loose_images_serve_the_paper_s_prompts_too(training_folder):
    samples = open_samples(training_folder, a_config(), [128], 0)
    assert isinstance(samples, PaperSamples)
    assert samples[0]["labels"].shape == (2, MAX_TOKENS)


def test_clicks_on_mistakes_fit_among_the_paper_s_clicks(shards):
    trainer = Trainer(a_config(click_rounds=3), ALONE)
    samples = open_samples(shards, trainer.config, [128] * 2, 0)
    batch = default_collate([samples[0], samples[1]])
    clicks = []
    for step in range(4):
        trainer.step = step
        after = trainer._add_correction_clicks(batch, 0)
        clicks.append(int((after["labels"] >= NEGATIVE).sum()))
        assert after["labels"].shape == batch["labels"].shape
    assert max(clicks) > int((batch["labels"] >= NEGATIVE).sum())


def test_a_configuration_changes_parts_of_a_model():
    own = a_config().zim
    assert own == MODELS["zim-vit-mini"]
    changed = a_config(masked_attention="both", pixel_decoder="sam").zim
    assert changed == dataclasses.replace(
        own, masked_attention="both", pixel_decoder="sam"
    )
