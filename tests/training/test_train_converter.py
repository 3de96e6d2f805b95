import csv
import dataclasses
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from training import distributed, loop, train_converter
from training.conversion.config import ConverterTrainConfig
from training.conversion.data import ConverterSamples
from training.conversion.pairs import FolderPairSource
from training.conversion.trainer import ConverterTrainer
from training.distributed import ProcessGroup
from training.loop import TrainingRunOptions
from training.train_converter import main, train
from zim_model.conversion.config import CONVERTERS, ConverterConfig, HieraEncoder
from zim_model.conversion.weights import load_converter
from zim_model.errors import ZimError

CONFIG = """
model = "converter-tiny"
steps = 3
views = 2
size = 64
warmup = 2
workers = 0
log_every = 1
save_every = 3
"""
ALONE = ProcessGroup(0, 1, torch.device("cpu"))
SMALL = ConverterTrainConfig("converter-tiny", steps=30, size=64, views=2, warmup=2)


@pytest.fixture
def config_file(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(CONFIG)
    return path


def a_batch(folder, config, count=2):
    samples = ConverterSamples(FolderPairSource(folder), config, count)
    items = [samples[i] for i in range(count)]
    return torch.utils.data.default_collate(
        [{k: v for k, v in item.items() if k != "fault"} for item in items]
    )


def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(
    config_file, training_folder, tmp_path, monkeypatch
):
    monkeypatch.setattr(distributed, "default_device", lambda: "cpu")
    config = ConverterTrainConfig.read(config_file)
    whole = train(config, TrainingRunOptions(training_folder, tmp_path / "a"))
    half = train(config, TrainingRunOptions(training_folder, tmp_path / "b", minutes=0))
    assert half.step == 1
    state = tmp_path / "b" / "state.pt"
    rest = train(config, TrainingRunOptions(training_folder, tmp_path / "c", state))
    assert whole.step == rest.step == 3
    for kind in ("model", "average"):
        own = getattr(rest, kind).state_dict()
        for name, value in getattr(whole, kind).state_dict().items():
            assert torch.equal(value, own[name]), name


def test_a_run_leaves_a_converter_a_log_and_previews(
    config_file, training_folder, tmp_path, capsys
):
    arguments = [str(config_file), "--data", str(training_folder)]
    assert main([*arguments, "--out", str(tmp_path)]) == 0
    assert "step 3 of 3" in capsys.readouterr().out
    file = tmp_path / "converter-tiny.safetensors"
    assert load_converter(file).config == CONVERTERS["converter-tiny"]
    with (tmp_path / "log.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [int(row["step"]) for row in rows] == [1, 2, 3]
    assert all(np.isfinite(float(row["loss"])) for row in rows)
    with Image.open(tmp_path / loop.PREVIEW_FILE) as sheet:
        assert sheet.size == (4 * 64, train_converter.PREVIEWS * 64)
    more = ["--out", str(tmp_path / "on"), "--minutes", "0", "--init-from", str(file)]
    assert main([*arguments, *more]) == 0


ROOT = str(Path(__file__).parents[2])
RUN_AND_COUNT_THREADS = """
from pathlib import Path
from training.train_converter import main

code = main()
names = [path.read_text() for path in Path("/proc/self/task").glob("*/comm")]
left = [name.strip() for name in names if "gloo" in name]
assert not left, f"{left} may abort the process at its end"
raise SystemExit(code)
"""


def test_processes_train_one_converter_together(config_file, training_folder, tmp_path):
    config_file.write_text(CONFIG.replace("steps = 3", "steps = 1"))
    script = tmp_path / "run.py"
    script.write_text(RUN_AND_COUNT_THREADS)
    command = [
        *(sys.executable, "-m", "torch.distributed.run", "--standalone"),
        *("--nproc-per-node", "2", str(script)),
        *(str(config_file), "--data", str(training_folder)),
        *("--out", str(tmp_path / "out")),
    ]
    told = {"PYTHONPATH": ROOT, "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    environment = {**os.environ, **told}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr[-4000:]
    with (tmp_path / "out" / "log.csv").open() as stream:
        assert len(list(csv.DictReader(stream))) == 1, "one process writes the log"
    load_converter(tmp_path / "out" / "converter-tiny.safetensors")


def test_learning_lowers_the_loss(training_folder):
    trainer = ConverterTrainer(dataclasses.replace(SMALL, lr=3e-3), ALONE)
    batch = a_batch(training_folder, SMALL)
    losses = [float(trainer.train_step([batch])["loss"]) for _ in range(25)]
    assert np.mean(losses[-3:]) < 0.6 * losses[0]


def test_crops_lie_on_the_edge_and_hold_their_label(training_folder):
    batch = a_batch(training_folder, SMALL, 12)
    label, target = batch["planes"][:, 0, 0], batch["target"][:, 0]
    assert set(label.unique().tolist()) <= {0.0, 1.0}
    both = (label.amin((1, 2)) == 0) & (label.amax((1, 2)) == 1)
    assert both.float().mean() > 0.8, "an edge in nearly every crop"
    wrong = ((label - target).abs() * batch["weight"][:, 0]).mean((1, 2))
    assert 0 < wrong.mean() < 0.3


def test_coarse_objects_keep_their_label(training_folder):
    # The source of the folder's labelled images is not used for coarse pairs.
    for path in list((training_folder / "seg").glob("bsds__*")):
        shutil.copy(path, path.with_name(path.name.replace("bsds", "things")))
    only = dataclasses.replace(SMALL, stl_share=1.0)
    batch = a_batch(training_folder, only, 8)
    assert torch.equal(batch["planes"][:, 0, 0], batch["target"][:, 0].round())
    soft = (batch["target"] % 1 > 0).float().mean()
    assert soft < 0.05, "except for downscaled edges"
    without = a_batch(training_folder, dataclasses.replace(only, stl=False), 8)
    assert len(without["target"].unique()) > 2


def test_padding_does_not_count(training_folder):
    large = dataclasses.replace(SMALL, size=192)  # larger than the images
    batch = a_batch(training_folder, large)
    weight = batch["weight"]
    assert 0 < weight.mean() < 1
    assert not batch["target"][weight == 0].any()


def test_a_damaged_image_is_skipped_and_named(training_folder, tmp_path):
    folder = shutil.copytree(training_folder, tmp_path / "damaged")
    (folder / "matte" / "aim__1.jpg").write_bytes(b"no image")
    samples = ConverterSamples(FolderPairSource(folder), SMALL, 30)
    faults = [samples[i]["fault"] for i in range(30)]
    assert 0 < sum(map(bool, faults)) < 30
    assert all("aim__1.jpg" in fault for fault in faults if fault)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sga = true", "not of type float"),
        ("stl = 1", "not of type bool"),
        ("region_loss = 'bce'", "unknown keys: region_loss"),
        ("size = 100", "multiple of 32"),
        ("size = 32", "from 64 to 2048"),
        ("sga = 1.5", "between 0 and 1"),
        ("lr = nan", "lr = nan is not from 0"),
        ("lr = inf", "lr = inf is not from 0"),
        ("lr = -0.1", "lr = -0.1 is not from 0"),
        ("ema = 5.0", "ema = 5.0 is not from 0 to 1"),
        ("steps = 0", "steps = 0 is not from 1"),
        ("log_every = 0", "log_every = 0 is not from 1"),
        ("workers = -1", "workers = -1 is not from 0"),
        ("decay_share = 1.01", "is not from 0 to 1"),
    ],
)
def test_mistakes_in_a_configuration_are_named(config_file, text, message):
    lines = [x for x in CONFIG.splitlines() if not x.startswith(text.split(" ")[0])]
    config_file.write_text("\n".join([*lines, text]))
    with pytest.raises(ZimError, match=message):
        ConverterTrainConfig.read(config_file)


def test_bundled_configurations_are_valid():
    folder = train_converter.Path(train_converter.__file__).parent / "configs"
    paths = list(folder.glob("converter*.toml"))
    assert len(paths) >= 2
    for path in paths:
        config = ConverterTrainConfig.read(path)
        assert config.converter in CONVERTERS.values()
        assert (config.sga, config.stl) == (0.5, True)


def test_pretrained_weights_fill_hiera_and_the_label_starts_at_zero(
    tmp_path, monkeypatch
):
    tiny = ConverterConfig(
        "small",
        64,
        HieraEncoder(16, (1, 1, 1, 1), 1, stem=(8, 8)),
        decoder=(16, 16, 16, 8, 8),
        decoder_depths=(1, 0, 0, 0, 0),
    )
    monkeypatch.setitem(CONVERTERS, "small", tiny)
    from transformers import HieraConfig, HieraModel

    published = HieraModel(
        HieraConfig(
            embed_dim=16,
            image_size=[32, 32],
            depths=[1, 1, 1, 1],
            num_heads=[1, 2, 4, 8],
        )
    )
    with torch.no_grad():
        for value in published.parameters():
            value.fill_(0.25)
    save_file(
        {k: v.clone() for k, v in published.state_dict().items()},
        tmp_path / "model.safetensors",
    )
    config = dataclasses.replace(SMALL, model="small", pretrained=str(tmp_path))
    trainer = ConverterTrainer(config, ALONE)
    for network in (trainer.model, trainer.average):
        patches = network.encoder.hiera.patches.weight
        assert (patches[:, :3] == 0.25).all()
        assert not patches[:, 3:].any()
        places = network.encoder.hiera.model.embeddings.position_embeddings
        torch.testing.assert_close(places, torch.full_like(places, 0.25))
    with pytest.raises(ZimError, match="does not exist"):
        ConverterTrainer(dataclasses.replace(config, pretrained="nowhere"), ALONE)
    with pytest.raises(ZimError, match="no Hiera"):
        ConverterTrainer(dataclasses.replace(SMALL, pretrained="x"), ALONE)
