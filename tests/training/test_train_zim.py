import csv

import numpy as np
import pytest
import torch

from training import train_zim
from training.config import TrainConfig
from training.data import Samples
from training.pictures import Pictures
from training.train_zim import Run, input_sizes, learning_rate, main, train
from zim_model import load_model
from zim_model.config import CONFIGS, ZIM_TINY
from zim_model.errors import ZimError

CONFIG = """
model = "zim-tiny"
steps = 4
views = 2
lr = 1e-3
warmup = 2
small_size = 64
small_share = 1.0
workers = 0
log_every = 1
save_every = 2
"""


@pytest.fixture
def config_file(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(CONFIG)
    return path


def run(config_file, data, out, *more):
    arguments = [str(config_file), "--data", str(data), "--out", str(out), *more]
    return main(arguments)


def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(
    config_file, pictures_folder, tmp_path, monkeypatch
):
    monkeypatch.setattr(train_zim, "default_device", lambda: "cpu")
    config = TrainConfig.read(config_file)
    whole = train(config, Run(pictures_folder, tmp_path / "a"))
    half = train(config, Run(pictures_folder, tmp_path / "b", minutes=0))
    assert half.step == 1
    state = tmp_path / "b" / "state.pt"
    rest = train(config, Run(pictures_folder, tmp_path / "c", state))
    assert whole.step == rest.step == 4
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, rest.model.state_dict()[name]), name
    for name, value in whole.average.state_dict().items():
        assert torch.equal(value, rest.average.state_dict()[name]), name


def test_a_run_leaves_a_model_and_a_log(config_file, pictures_folder, tmp_path, capsys):
    out = tmp_path / "out"
    assert run(config_file, pictures_folder, out) == 0
    assert "step 4 of 4" in capsys.readouterr().out
    assert load_model(out / "zim-tiny.safetensors").config == ZIM_TINY
    with (out / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == [1, 2, 3, 4]
    assert all(np.isfinite(float(row["loss"])) for row in rows)


def test_learning_lowers_the_loss(pictures_folder):
    config = TrainConfig(
        "zim-tiny", steps=40, views=2, lr=2e-3, warmup=2, small_size=64, small_share=1.0
    )
    trainer = train_zim.Trainer(config, "cpu")
    samples = Samples(Pictures(pictures_folder), config.zim, [64, 64], 0)
    batch = torch.utils.data.default_collate([samples[0], samples[1]])
    losses = [float(trainer.train_step(batch)["loss"]) for _ in range(25)]
    assert np.mean(losses[-3:]) < 0.6 * losses[0]


def test_another_configuration_does_not_resume(
    config_file, pictures_folder, tmp_path, capsys
):
    run(config_file, pictures_folder, tmp_path / "a", "--minutes", "0")
    config_file.write_text(CONFIG.replace("lr = 1e-3", "lr = 5e-4"))
    state = str(tmp_path / "a" / "state.pt")
    code = run(config_file, pictures_folder, tmp_path / "b", "--resume-from", state)
    assert code == 1
    assert "lr: 0.001 -> 0.0005" in capsys.readouterr().err


def test_a_small_state_is_smaller_and_goes_on(config_file, pictures_folder, tmp_path):
    folders = [tmp_path / "exact", tmp_path / "small"]
    for folder, more in zip(folders, ([], ["--small-state"]), strict=True):
        run(config_file, pictures_folder, folder, "--minutes", "0", *more)
    exact, small = ((folder / "state.pt").stat().st_size for folder in folders)
    assert small < 0.8 * exact
    state = str(folders[1] / "state.pt")
    out = tmp_path / "out"
    assert run(config_file, pictures_folder, out, "--resume-from", state) == 0


def test_a_damaged_state_is_refused(config_file, pictures_folder, tmp_path, capsys):
    state = tmp_path / "state.pt"
    state.write_bytes(b"nothing")
    code = run(
        config_file, pictures_folder, tmp_path / "b", "--resume-from", str(state)
    )
    assert code == 1
    assert "no training state" in capsys.readouterr().err


def test_a_folder_without_pictures(config_file, tmp_path, capsys):
    assert run(config_file, tmp_path, tmp_path / "out") == 1
    assert "no training pictures" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('model = "zim-tiny"\nsteps = 1\nspeed = 2', "speed"),
        ('model = "zim-tiny"', "steps"),
        ('model = "zim-huge"\nsteps = 1', "zim-tiny"),
        ('model = "zim-tiny"\nsteps = "many"', "no int"),
        ("model = ", "cannot be read"),
    ],
)
def test_mistakes_in_a_configuration_are_named(tmp_path, text, message):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(ZimError, match=message):
        TrainConfig.read(path)


def test_bundled_configurations_are_valid():
    folder = train_zim.Path(train_zim.__file__).parent / "configs"
    paths = list(folder.glob("*.toml"))
    assert paths
    for path in paths:
        assert TrainConfig.read(path).zim in CONFIGS.values()


def test_the_learning_rate_rises_then_falls():
    config = TrainConfig("zim-tiny", steps=100, warmup=10, lr=1.0)
    rates = [learning_rate(config, step) for step in range(100)]
    assert rates[9] == 1.0
    assert rates[:10] == sorted(rates[:10])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] == pytest.approx(0.02, abs=0.01)


def test_small_inputs_come_first():
    config = TrainConfig("zim-tiny", steps=4, views=2, small_size=64, small_share=0.5)
    assert input_sizes(config) == [64] * 4 + [192] * 4
