"""What a run writes, refuses and remembers, with a tiny zim-tiny."""

import csv
import json
import os
import signal
import sys
import time
import types

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open

from tests.training.datasets.test_table import matte, photo
from training import loop, train_tiny
from training.base_trainer import BaseTrainer
from training.loop import Interrupted
from training.run_log import CsvTable, TrainingLog
from training.run_record import TRAINING_KEY
from training.tiny import config as tiny_config
from training.tiny.config import TinyTrainConfig
from training.tiny.trainer import TinyTrainer
from training.validation import Validation
from zim_model.network.config import TinyConfig
from zim_model.runtime.atomic_files import exclusive_lock
from zim_model.weights.checkpoint import load_model

SMALL = TinyConfig(
    "zim-tiny", 64, widths=(16, 16, 16, 8), depth=1, head=8, prompt_widths=(8, 8, 8, 8)
)
CONFIG = """
model = "zim-tiny"
weights = "all"
steps = 4
views = 2
size = 64
workers = 0
warmup = 1
log_every = 3
save_every = 2
val_cases = 0
"""
VALIDATED = "val_cases=16"


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setitem(tiny_config.MODELS, "zim-tiny", SMALL)
    monkeypatch.setattr(TinyTrainer, "begin", lambda self: None)
    monkeypatch.setattr(train_tiny, "PREVIEWS", 2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("own") / "mine"
    for i in range(8):
        photo(root / f"p{i}.png", seed=i)
        matte(root / f"p{i}.alpha.png")
    return root


@pytest.fixture
def run(tmp_path, folder):
    (tmp_path / "my.toml").write_text(CONFIG)

    def call(*words, out="run", data=folder):
        command = [str(tmp_path / "my.toml"), "--data", str(data)]
        return train_tiny.main([*command, "--out", str(tmp_path / out), *words])

    call.out = tmp_path / "run"
    return call


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def metadata(path):
    with safe_open(path, "pt") as file:
        return json.loads(file.metadata()[TRAINING_KEY])


def test_a_run_says_what_it_was_made_of(run, folder, capsys):
    assert run("lr=2e-3", "threads=1", VALIDATED) == 0
    assert "mine 7 (100.0%)" in capsys.readouterr().err
    written = TinyTrainConfig.read(run.out / "config.toml")
    assert (written.lr, written.steps) == (2e-3, 4)
    record = json.loads((run.out / "run.json").read_text())
    assert record["made"]["command"] == sys.argv
    assert record["made"]["versions"]["torch"] == torch.__version__
    assert record["made"]["data"]["files"] == 16
    assert len(record["made"]["commit"]) == 40, "the tests run in a checkout"
    for name in ("zim-tiny", "zim-tiny-best"):
        told = metadata(run.out / f"{name}.safetensors")
        assert told["config"]["lr"] == 2e-3
        assert told["data"]["digest"] == record["made"]["data"]["digest"]
        assert str(folder.parent) not in json.dumps(told["data"])
        assert load_model(run.out / f"{name}.safetensors").config == SMALL


def test_the_log_has_rate_norm_and_the_last_step(run):
    run()
    log = rows(run.out / "log.csv")
    assert [row["step"] for row in log] == ["3", "4"]
    assert float(log[0]["lr"]) > float(log[1]["lr"]) > 0
    assert all(float(row["grad_norm"]) > 0 for row in log)


def test_no_run_overwrites_another(run, capsys):
    assert run() == 0
    before = (run.out / "state.pt").read_bytes()
    assert run() == 1
    assert "run already (state.pt)" in capsys.readouterr().err
    (run.out / "state.pt").rename(run.out / "kept.pt")
    assert run() == 1, "the weights alone are worth keeping, too"
    assert "zim-tiny.safetensors" in capsys.readouterr().err
    assert run("--resume-from", str(run.out / "kept.pt"), out="other") == 0
    for left in ("log.csv", "zim-tiny-best.safetensors"):
        out = run.out.parent / f"left-{left}"
        out.mkdir()
        (out / left).write_bytes(b"step,loss\n4,0.5\n")
        assert run(out=out.name) == 1
        assert left in capsys.readouterr().err
    early = run.out.parent / "killed-early"
    early.mkdir()
    (early / "log.csv").write_bytes(b"step,loss\n1,0.5\n")
    assert run(out=early.name) == 0, "nothing was saved"
    (run.out / "kept.pt").rename(run.out / "state.pt")
    state = str(run.out / "state.pt")
    assert run("--resume-from", state, out="other") == 1, "another run's folder"
    assert (run.out / "state.pt").read_bytes() == before


def test_a_file_of_the_user_called_config_stays(tmp_path, folder):
    path = tmp_path / "config.toml"
    path.write_text(CONFIG)
    words = [str(path), "steps=1", "--data", str(folder), "--out", str(tmp_path)]
    assert train_tiny.main(words) == 0
    assert path.read_text() == CONFIG
    assert json.loads((tmp_path / "run.json").read_text())["config"]["steps"] == 1


def test_two_runs_do_not_share_a_folder(run, capsys):
    run.out.mkdir()
    with exclusive_lock(run.out / "state.pt") as locked:
        assert locked
        assert run() == 1
    assert "Another run is training into" in capsys.readouterr().err


def test_a_finished_run_is_extended(run, capsys):
    run()
    assert run("--auto-resume") == 0
    assert "extend the run with steps=N" in capsys.readouterr().err
    assert run("--auto-resume", "steps=6") == 0
    assert "steps: 4 -> 6" in capsys.readouterr().err
    assert [row["step"] for row in rows(run.out / "log.csv")] == ["3", "4", "6"]
    assert metadata(run.out / "zim-tiny.safetensors")["step"] == 6
    assert json.loads((run.out / "run.json").read_text())["resumed"][-1]["step"] == 4
    assert run("--auto-resume", "steps=5") == 1
    assert "steps = 5 is less" in capsys.readouterr().err


def test_a_resumed_run_has_the_files_of_an_uninterrupted_one(run, tmp_path):
    run(VALIDATED, out="whole")
    run(VALIDATED, "--minutes", "0")
    assert run(VALIDATED, "--auto-resume") == 0
    for name in ("zim-tiny", "zim-tiny-best"):
        files = [tmp_path / x / f"{name}.safetensors" for x in ("whole", "run")]
        first, second = (path.read_bytes() for path in files)
        assert first == second
    tables = [rows(tmp_path / x / "validation.csv") for x in ("whole", "run")]
    assert tables[0] == tables[1]
    assert [row["step"] for row in tables[0]] == ["2", "4"]


def test_a_state_of_an_earlier_version_resumes(run):
    run("--minutes", "0")
    state = torch.load(run.out / "state.pt", weights_only=True)
    del state["best"]
    for key in ("faults", "val_every", "val_cases", "patience", "best_by"):
        del state["config"][key]
    torch.save(state, run.out / "state.pt")
    for name in ("run.json", "config.toml", "validation.csv"):
        (run.out / name).unlink(missing_ok=True)
    (run.out / "log.csv").write_text("step,loss\n1,0.5\n")
    assert run("--auto-resume") == 0
    first, *rest = rows(run.out / "log.csv")
    assert (first["step"], first["loss"], first["lr"]) == ("1", "0.5", "")
    assert float(rest[0]["lr"]) > 0


@pytest.mark.parametrize("fault", ["step", "model", "shape"])
def test_a_damaged_state_is_told(run, fault, capsys):
    run("--minutes", "0")
    path = run.out / "state.pt"
    state = torch.load(path, weights_only=True)
    if fault == "shape":
        name = next(iter(state["model"]))
        state["model"][name] = torch.zeros(7)
    else:
        del state[fault]
    torch.save(state, path)
    assert run("--auto-resume") == 1
    printed = capsys.readouterr().err
    assert str(path) in printed
    assert "start a new run" in printed


def test_other_data_are_told_when_a_run_resumes(run, folder, tmp_path, capsys):
    run("--minutes", "0")
    other = tmp_path / "more" / "mine"
    for i in range(8):
        photo(other / f"q{i}.png")
        matte(other / f"q{i}.alpha.png")
    assert run("--auto-resume", data=other) == 0
    assert "not those that the run began with" in capsys.readouterr().err


def test_ctrl_c_saves_and_the_run_goes_on(run, monkeypatch, capsys):
    step = BaseTrainer.train_step

    def step_then_interrupt(self, batches):
        parts = step(self, batches)
        os.kill(os.getpid(), signal.SIGINT)
        return parts

    before = signal.getsignal(signal.SIGINT)
    with monkeypatch.context() as patched:
        patched.setattr(BaseTrainer, "train_step", step_then_interrupt)
        assert run() == 130
    assert "step 1 of 4, saved" in capsys.readouterr().out
    assert signal.getsignal(signal.SIGINT) is before
    assert [row["step"] for row in rows(run.out / "log.csv")] == ["1"]
    assert run("--auto-resume") == 0
    assert "step 4 of 4" in capsys.readouterr().out


def test_ctrl_c_before_the_first_step_ends_at_once(run, monkeypatch, capsys):
    def interrupted(*args, **kwargs):
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(loop, "open_run_data", interrupted)
    assert run() == 130
    assert not (run.out / "state.pt").exists()
    assert issubclass(Interrupted, KeyboardInterrupt)


def test_held_out_images_are_validated_on(run):
    assert run("val_every=1", "best_by=sad", VALIDATED) == 0
    table = rows(run.out / "validation.csv")
    assert [row["step"] for row in table] == ["1", "2", "3", "4"]
    names = ("iou_1", "iou_3", "iou_box", "iou", "sad")
    values = np.array([[float(row[name]) for name in names] for row in table])
    assert (values[:, :4] <= 1).all()
    np.testing.assert_allclose(values[:, :3].mean(1), values[:, 3], atol=2e-4)
    best = metadata(run.out / "zim-tiny-best.safetensors")["best"]
    chosen = [row for row in table if row["best"] == "1"][-1]
    assert int(chosen["step"]) == best["step"]
    assert best["sad"] == pytest.approx(values[:, 4].min(), abs=1e-4)


def test_given_weights_are_what_a_run_has_to_better(run, monkeypatch):
    assert run() == 0
    weights = str(run.out / "zim-tiny.safetensors")
    scores = iter([{"iou": 0.9}, {"iou": 0.4}, {"iou": 0.5}])
    monkeypatch.setattr(train_tiny, "validate_prompts", lambda *_: next(scores))
    assert run(VALIDATED, "--init-from", weights, out="more") == 0
    table = rows(run.out.parent / "more" / "validation.csv")
    assert [(row["step"], row["best"]) for row in table] == [
        *(("0", "1"), ("2", "0"), ("4", "0")),
    ]


def test_without_held_out_images_there_is_no_validation(run, tmp_path, capsys):
    for i in range(2):
        photo(tmp_path / "few" / f"p{i}.png")
        matte(tmp_path / "few" / f"p{i}.alpha.png")
    assert run(VALIDATED, data=tmp_path / "few") == 0
    assert "No usable image is held out" in capsys.readouterr().err
    assert not (run.out / "validation.csv").exists()
    assert not (run.out / "zim-tiny-best.safetensors").exists()


def test_patience_ends_a_run_that_gets_no_better(run, monkeypatch, capsys):
    scores = iter([{"iou": 0.5}, {"iou": 0.4}, {"iou": 0.5}, {"iou": 0.9}])
    monkeypatch.setattr(train_tiny, "validate_prompts", lambda *_: next(scores))
    assert run("steps=9", "val_every=1", "patience=2", VALIDATED) == 0
    said = capsys.readouterr()
    assert "step 3 of 9" in said.out
    assert "no better score since step 1" in said.err


def test_the_lower_sad_is_the_better(folder):
    config = TinyTrainConfig("zim-tiny", 4, best_by="sad")
    validation = Validation(config, None, {})
    assert validation.note({"iou": 0.5, "sad": 9.0}, 1)
    assert not validation.note({"iou": 0.9, "sad": 9.5}, 2)
    assert validation.best == {"iou": 0.5, "sad": 9.0, "step": 1, "stale": 1}
    assert validation.note({"iou": 0.1, "sad": 8.0}, 3)


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("steps=many", "steps = 'many' is not of type int"),
        ("speed=2", "unknown keys: speed"),
        ("steps", "'steps' is not a setting"),
        ("best_by=loss", "iou, sad"),
        ("size=0", "size = 0 is not a multiple of 32 from 64 to 2048"),
        ("size=100", "size = 100 is not a multiple of 32"),
        ("small_size=10000000000", "is not a multiple of 32"),
        ("threads=1000000", "threads = 1000000 is not from 0 to 256"),
        ("faults=ignore", "skip, fail"),
        ("rounds=4", "rounds = 4 is not from 0 to 3"),
    ],
)
def test_mistakes_in_settings_of_the_command_line_are_named(run, word, message, capsys):
    assert run(word) == 1
    assert message in capsys.readouterr().err


def test_settings_of_the_command_line_need_no_quotes(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text(CONFIG)
    words = ["weights=open", "ema=0", 'best_by="sad"', "steps=7"]
    read = TinyTrainConfig.read(path, words)
    assert (read.weights, read.ema, read.best_by, read.steps) == ("open", 0, "sad", 7)


def test_faults_may_be_fatal(run, folder, tmp_path, capsys):
    for i in range(6):
        photo(tmp_path / "bad" / f"p{i}.png")
        matte(tmp_path / "bad" / f"p{i}.alpha.png")
    (tmp_path / "bad" / "p1.png").write_bytes(b"x")
    assert run("faults=fail", data=tmp_path / "bad") == 1
    assert "p1.png cannot be read" in capsys.readouterr().err
    assert run("steps=1", data=tmp_path / "bad") == 0


def test_data_of_other_trainings_are_refused(run, tmp_path, capsys):
    photo(tmp_path / "AIM-500" / "original" / "o.jpg")
    matte(tmp_path / "AIM-500" / "mask" / "o.png")
    (tmp_path / "sets.toml").write_text('[data]\naim-500 = "AIM-500"\n')
    assert run(data=tmp_path / "sets.toml") == 1
    assert "List the data sets as [[data]]" in capsys.readouterr().err
    assert run(data=tmp_path / "nowhere") == 1
    assert "nowhere does not exist" in capsys.readouterr().err


def test_a_profile_is_recorded(run):
    assert run("--profile", "1") == 0
    trace = json.loads((run.out / "profile.json").read_text())
    assert trace["traceEvents"]
    assert "aten::" in (run.out / "profile.txt").read_text()


def test_trackers_get_the_numbers_too(run, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    assert run("--tensorboard", out="without") == 1
    assert "pip install tensorboard" in capsys.readouterr().err
    logged = {}

    class SummaryWriter:
        def __init__(self, log_dir, purge_step=None):
            self.folder = log_dir

        def add_scalar(self, name, value, step):
            logged.setdefault(name, []).append(step)

        def flush(self):
            pass

        close = flush

    module = types.SimpleNamespace(SummaryWriter=SummaryWriter)
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    sent = []
    handle = types.SimpleNamespace(
        log=lambda values, step: sent.append((step, values)), finish=lambda: None
    )
    module = types.SimpleNamespace(init=lambda **options: handle)
    monkeypatch.setitem(sys.modules, "wandb", module)
    assert run("--tensorboard", "--wandb", VALIDATED) == 0
    assert logged["train/loss"] == [3, 4]
    assert logged["val/iou"] == [2, 4]
    assert [step for step, _ in sent] == [2, 3, 4, 4]


def test_trackers_of_a_run_that_fails_are_closed(run, monkeypatch):
    ended = []
    handle = types.SimpleNamespace(
        log=lambda values, step: None, finish=lambda: ended.append(True)
    )
    module = types.SimpleNamespace(init=lambda **options: handle)
    monkeypatch.setitem(sys.modules, "wandb", module)

    def fail(self, batches):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(TinyTrainer, "train_step", fail)
    with pytest.raises(RuntimeError):
        run("--wandb")
    assert ended == [True]


def test_a_table_gets_new_columns_and_keeps_its_rows(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("step,loss\n1,0.5\n2,0.4\n3,0.3\n")
    table = CsvTable(path)
    table.drop_after(2)
    table.append({"step": 3, "loss": "0.2", "lr": "1e-3"})
    table.append({"step": 4, "loss": "0.1", "lr": "1e-3"})
    assert path.read_text().split() == [
        *("step,loss,lr", "1,0.5,", "2,0.4,", "3,0.2,1e-3", "4,0.1,1e-3"),
    ]


def test_steps_within_a_tick_of_the_clock_are_logged(tmp_path, monkeypatch):
    monkeypatch.setattr(time, "monotonic", lambda: 7.0)
    log = TrainingLog(tmp_path, 2)
    log.add({"loss": torch.tensor(0.5)}, 0.0)
    assert log.write(1) == {"loss": "0.5000"}


def test_own_photos_can_be_previewed(run):
    run("steps=1")
    with Image.open(run.out / "previews.png") as sheet:
        assert sheet.height == train_tiny.PREVIEWS * 64


def test_blank_held_out_mattes_end_no_run(run, tmp_path, capsys):
    for i in range(8):
        photo(tmp_path / "train" / f"p{i}.png", seed=i)
        matte(tmp_path / "train" / f"p{i}.alpha.png")
        photo(tmp_path / "val" / f"v{i}.png", seed=i)
        Image.new("L", (80, 60)).save(tmp_path / "val" / f"v{i}.alpha.png")
    data = tmp_path / "data.toml"
    data.write_text('[[data]]\npath = "train"\n[[data]]\npath = "val"\nsplit = "val"\n')
    assert run(VALIDATED, data=data) == 0
    told = capsys.readouterr().err
    assert told.count("No preview sheet") == 1
    assert "No usable image is held out" in told
    assert (run.out / "zim-tiny.safetensors").exists()
    assert not (run.out / "previews.png").exists()


def test_other_use_of_the_same_data_is_told_at_a_resume(run, folder, tmp_path, capsys):
    data = tmp_path / "data.toml"
    data.write_text(f'[[data]]\npath = "{folder}"\nband = 1\n')
    assert run("steps=2", data=data) == 0
    entry = json.loads((run.out / "run.json").read_text())["made"]["data"]["entries"][0]
    assert (entry["name"], entry["kind"], entry["band"]) == ("mine", "matte", 1)
    data.write_text(f'[[data]]\npath = "{folder}"\nband = 3\n')
    capsys.readouterr()
    assert run("steps=3", "--auto-resume", data=data) == 0
    assert "not used as when the run began" in capsys.readouterr().err
    assert run("steps=3", "--auto-resume", data=data) == 0
