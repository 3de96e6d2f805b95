import csv
import dataclasses
import functools
import os
import re
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from training import distributed, loop, train_zim
from training.base_trainer import learning_rate
from training.config import MODELS, ZIM_MINI, TrainConfig
from training.distributed import ProcessGroup
from training.loop import FaultCounter, TrainingRunOptions
from training.samples import PromptSamples
from training.sources import SceneReader
from training.train_zim import input_sizes, main, train
from training.trainer import Trainer
from zim_model import load_model
from zim_model.errors import ZimError

CONFIG = """
model = "zim-mini"
steps = 4
views = 2
click_rounds = 2
lr = 1e-3
warmup = 2
small_size = 64
small_share = 1.0
workers = 0
log_every = 1
save_every = 4
"""


ALONE = ProcessGroup(0, 1, torch.device("cpu"))


def a_batch(folder, config, count, first=0):
    samples = PromptSamples(SceneReader(folder), config.zim, [64] * (first + count), 0)
    chosen = [samples[first + i] for i in range(count)]
    return torch.utils.data.default_collate(chosen)


@pytest.fixture
def config_file(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(CONFIG)
    return path


def run(config_file, data, out, *more):
    arguments = [str(config_file), "--data", str(data), "--out", str(out), *more]
    return main(arguments)


def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(
    config_file, training_folder, tmp_path, monkeypatch
):
    monkeypatch.setattr(distributed, "default_device", lambda: "cpu")
    config = TrainConfig.read(config_file)
    whole = train(config, TrainingRunOptions(training_folder, tmp_path / "a"))
    half = train(config, TrainingRunOptions(training_folder, tmp_path / "b", minutes=0))
    assert half.step == 1
    state = tmp_path / "b" / "state.pt"
    rest = train(config, TrainingRunOptions(training_folder, tmp_path / "c", state))
    assert whole.step == rest.step == 4
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, rest.model.state_dict()[name]), name
    for name, value in whole.average.state_dict().items():
        assert torch.equal(value, rest.average.state_dict()[name]), name


def test_a_killed_run_leaves_no_step_twice_in_the_log(
    config_file, training_folder, tmp_path, monkeypatch
):
    monkeypatch.setattr(distributed, "default_device", lambda: "cpu")
    config, out = TrainConfig.read(config_file), tmp_path / "out"
    train(config, TrainingRunOptions(training_folder, out, minutes=0))
    header, first = (out / "log.csv").read_text().splitlines()
    later = [first.replace("1,", f"{step},", 1) for step in (2, 3)]
    (out / "log.csv").write_text("\n".join([header, first, *later, "4,0.0"]))
    train(config, TrainingRunOptions(training_folder, out, out / "state.pt"))
    with (out / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == [1, 2, 3, 4]
    assert rows[0]["loss"] != rows[1]["loss"], "the later rows are of this run"


def test_a_preempted_run_saves_and_the_same_command_goes_on(
    config_file, training_folder, tmp_path, monkeypatch, capsys
):
    step = Trainer.train_step

    def step_then_terminate(self, batches):
        parts = step(self, batches)
        if self.step == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return parts

    out = tmp_path / "out"
    listening = signal.getsignal(signal.SIGTERM)
    with monkeypatch.context() as patched:
        patched.setattr(Trainer, "train_step", step_then_terminate)
        assert run(config_file, training_folder, out, "--auto-resume") == 0
    assert "step 2 of 4" in capsys.readouterr().out
    assert signal.getsignal(signal.SIGTERM) is listening
    assert run(config_file, training_folder, out, "--auto-resume") == 0
    assert "step 4 of 4" in capsys.readouterr().out
    with (out / "log.csv").open() as file:
        assert [int(row["step"]) for row in csv.DictReader(file)] == [1, 2, 3, 4]


def test_a_run_leaves_a_model_and_a_log(config_file, training_folder, tmp_path, capsys):
    out = tmp_path / "out"
    assert run(config_file, training_folder, out) == 0
    said = capsys.readouterr()
    assert "step 4 of 4" in said.out
    assert re.search(
        r"4 steps in .* steps/s, .* images/s; .* peak memory \d+ MB", said.err
    )
    assert load_model(out / "zim-mini.safetensors").config == ZIM_MINI
    with (out / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == [1, 2, 3, 4]
    assert all(np.isfinite(float(row["loss"])) for row in rows)


def test_learning_lowers_the_loss(training_folder):
    config = TrainConfig(
        "zim-mini", steps=40, views=2, lr=2e-3, warmup=2, small_size=64, small_share=1.0
    )
    trainer = Trainer(config, ALONE)
    batch = a_batch(training_folder, config, 2)
    losses = [float(trainer.train_step([batch])["loss"]) for _ in range(25)]
    assert np.mean(losses[-3:]) < 0.6 * losses[0]


def test_another_configuration_does_not_resume(
    config_file, training_folder, tmp_path, capsys
):
    run(config_file, training_folder, tmp_path / "a", "--minutes", "0")
    config_file.write_text(CONFIG.replace("lr = 1e-3", "lr = 5e-4"))
    state = str(tmp_path / "a" / "state.pt")
    code = run(config_file, training_folder, tmp_path / "b", "--resume-from", state)
    assert code == 1
    assert "lr: 0.001 -> 0.0005" in capsys.readouterr().err


def test_a_small_state_is_smaller_and_goes_on(config_file, training_folder, tmp_path):
    folders = [tmp_path / "exact", tmp_path / "small"]
    for folder, more in zip(folders, ([], ["--small-state"]), strict=True):
        run(config_file, training_folder, folder, "--minutes", "0", *more)
    exact, small = ((folder / "state.pt").stat().st_size for folder in folders)
    assert small < 0.8 * exact
    state = str(folders[1] / "state.pt")
    out = tmp_path / "out"
    assert run(config_file, training_folder, out, "--resume-from", state) == 0


def test_a_damaged_state_is_refused(config_file, training_folder, tmp_path, capsys):
    state = tmp_path / "state.pt"
    state.write_bytes(b"nothing")
    code = run(
        config_file, training_folder, tmp_path / "b", "--resume-from", str(state)
    )
    assert code == 1
    assert "not a training state" in capsys.readouterr().err


def test_a_folder_without_images(config_file, tmp_path, capsys):
    assert run(config_file, tmp_path, tmp_path / "out") == 1
    assert "no training images" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('model = "zim-mini"\nsteps = 1\nspeed = 2', "speed"),
        ('model = "zim-mini"', "steps"),
        ('model = "zim-huge"\nsteps = 1', "zim-mini"),
        ('model = "zim-mini"\nsteps = "many"', "not of type int"),
        ("model = ", "cannot be read"),
        ('model = "zim-mini"\nsteps = 1\nprecision = "int4"', "bfloat16"),
        ('model = "zim-mini"\nsteps = 1\nregion_loss = "dice"', "focal"),
        ('model = "zim-mini"\nsteps = 1\naccumulate = 0', "not from 1"),
    ],
)
def test_mistakes_in_a_configuration_are_named(tmp_path, text, message):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(ZimError, match=message):
        TrainConfig.read(path)


def test_bundled_configurations_are_valid():
    folder = train_zim.Path(train_zim.__file__).parent / "configs"
    paths = list(folder.glob("zim*.toml"))
    assert paths
    for path in paths:
        assert TrainConfig.read(path).model in MODELS


def test_the_learning_rate_rises_then_falls():
    config = TrainConfig("zim-mini", steps=100, warmup=10, lr=1.0)
    rates = [learning_rate(config, step) for step in range(100)]
    assert rates[9] == 1.0
    assert rates[:10] == sorted(rates[:10])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] == pytest.approx(0.02, abs=0.01)


def test_small_inputs_come_first():
    config = TrainConfig("zim-mini", steps=4, views=2, small_size=64, small_share=0.5)
    assert input_sizes(config) == [64] * 4 + [128] * 4
    without = TrainConfig("zim-mini", steps=4, views=2, small_share=0.5)
    assert input_sizes(without) == [128] * 8


def test_a_step_in_parts_has_the_gradient_of_the_whole(training_folder, monkeypatch):
    config = TrainConfig("zim-mini", steps=4, warmup=1, small_size=64, small_share=1.0)
    whole = a_batch(training_folder, config, 4)
    parts = [{k: v[i : i + 2] for k, v in whole.items()} for i in (0, 2)]
    gradients = []
    for batches in ([whole], parts):
        trainer = Trainer(config, ALONE)
        # Batch norm would use other batches: use its running statistics.
        still = functools.partial(torch.nn.Module.train, trainer.model, False)
        monkeypatch.setattr(trainer.model, "train", still)
        monkeypatch.setattr(trainer.model, "eval", still)
        trainer.train_step(batches)
        weight = trainer.model.mask_decoder.pixel_decoder.fusions[0][0].weight
        gradients.append(weight.grad)
    torch.testing.assert_close(*gradients, rtol=1e-3, atol=1e-6)


def test_views_must_split_evenly(config_file, training_folder, tmp_path, capsys):
    config_file.write_text(CONFIG + "accumulate = 3\n")
    assert run(config_file, training_folder, tmp_path / "out") == 1
    assert "equal parts" in capsys.readouterr().err


def test_two_processes_take_the_same_samples_as_one(training_folder):
    config = TrainConfig("zim-mini", steps=3, views=8, accumulate=2)
    share = loop.DistributedStepSampler
    one = list(share(config, 1, 0, 1))
    two = [list(share(config, 1, rank, 2)) for rank in range(2)]
    assert one == list(range(8, 24))
    assert sorted(two[0] + two[1]) == one
    assert sorted(two[0][:4] + two[1][:4]) == one[:8], "a step has the same samples"
    assert len(share(config, 1, 0, 2)) == len(two[0])


def test_processes_train_one_model_together(config_file, training_folder, tmp_path):
    config = CONFIG.replace("steps = 4", "steps = 2").replace("views = 2", "views = 4")
    config_file.write_text(config + "accumulate = 2\n")
    command = [
        *(sys.executable, "-m", "torch.distributed.run", "--standalone"),
        *("--nproc-per-node", "2", "-m", "training.train_zim", str(config_file)),
        *("--data", str(training_folder), "--out", str(tmp_path / "out")),
    ]
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    with (tmp_path / "out" / "log.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 2, "one process writes the log"
    assert load_model(tmp_path / "out" / "zim-mini.safetensors").config == ZIM_MINI


def test_a_run_begins_with_trained_weights(config_file, training_folder, tmp_path):
    run(config_file, training_folder, tmp_path / "a", "--minutes", "0")
    weights = tmp_path / "a" / "zim-mini.safetensors"
    trainer = Trainer(TrainConfig.read(config_file), ALONE)
    trainer.start_from(weights)
    expected = load_model(weights).state_dict()
    for model in (trainer.model, trainer.average):
        for name, value in model.state_dict().items():
            assert torch.equal(value, expected[name]), name


def test_weights_of_another_shape_are_refused(
    config_file, training_folder, tmp_path, capsys
):
    from zim_model.network.zim import Zim
    from zim_model.weights.checkpoint import save_model

    other = tmp_path / "other.safetensors"
    save_model(Zim(dataclasses.replace(ZIM_MINI, head_dim=64)), other)
    code = run(config_file, training_folder, tmp_path, "--init-from", str(other))
    assert code == 1
    assert "another architecture" in capsys.readouterr().err


def test_previews_show_prompts_prediction_and_target(
    config_file, training_folder, tmp_path
):
    run(config_file, training_folder, tmp_path, "--minutes", "0")
    with Image.open(tmp_path / "previews.png") as sheet:
        assert sheet.size == (3 * 128, train_zim.PREVIEWS * 128)
        cells = np.asarray(sheet)
    truth = cells[:128, 256:]
    assert set(np.unique(truth)) > {0, 255}
    assert (truth[..., 0] == truth[..., 1]).all()


@pytest.fixture
def damaged_folder(training_folder, tmp_path):
    folder = shutil.copytree(training_folder, tmp_path / "damaged")
    (folder / "seg" / "bsds__1.jpg").write_bytes(b"no image")
    return folder


def test_a_damaged_image_is_skipped_and_named(damaged_folder):
    samples = PromptSamples(SceneReader(damaged_folder), ZIM_MINI, [64] * 40, 0)
    faults = [samples[i]["fault"] for i in range(40)]
    assert 0 < sum(map(bool, faults)) < 40
    assert all("bsds__1.jpg" in fault for fault in faults if fault)


def test_too_many_damaged_images_stop_a_run(capsys):
    faults = FaultCounter(views=8)
    faults.add(["a.png cannot be read"] * 3 + [""] * 5)
    faults.check(steps=1)  # a few files never stop a run, however often they are drawn
    faults.add([f"{name}.png cannot be read" for name in "bcd"])
    faults.check(steps=80)
    with pytest.raises(ZimError, match=r"6 of 160 .* d\.png"):
        faults.check(steps=20)
    assert capsys.readouterr().err.count("a.png") == 1


def test_nothing_but_damaged_images_is_an_error(training_folder, tmp_path, capsys):
    folder = shutil.copytree(training_folder, tmp_path / "bad")
    for path in folder.rglob("*.*"):
        path.write_bytes(b"")
    samples = PromptSamples(SceneReader(folder), ZIM_MINI, [64], 0)
    with pytest.raises(ZimError, match="cannot be read"):
        samples[0]


def test_a_cpu_without_bfloat16_trains_in_float32(training_folder, monkeypatch):
    """Its convolutions would take ten times as long."""
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: False)
    losses = []
    for precision in ("float32", "bfloat16"):
        config = TrainConfig("zim-mini", 2, views=2, precision=precision, workers=0)
        batch = a_batch(training_folder, config, 2)
        losses.append(float(Trainer(config, ALONE).train_step([batch])["loss"]))
    assert losses[0] == losses[1]
