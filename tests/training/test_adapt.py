"""Tests of adapting a model to corrections, with a small network and few steps."""

import json
from importlib import import_module
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image as PilImage

from training import adapt
from training.adaptation import run as run_module
from training.adaptation import tuning
from training.adaptation.blending import blend, choose_share
from training.run_config import read_overrides
from training.tiny import config as tiny_config
from zim_app.core.adaptation import Adapted, Failed, Validated, decode_event
from zim_app.core.images import load_image
from zim_app.core.project import write_project
from zim_app.core.saved_work import ObjectStack
from zim_model.errors import ZimError
from zim_model.network.config import TinyConfig
from zim_model.network.tiny import ZimTiny
from zim_model.prompts import Point, PromptSet
from zim_model.recipe import Recipe, SceneObject
from zim_model.weights.adapted import adaptable_models, read_adaptation
from zim_model.weights.checkpoint import load_model, save_model
from zim_model.weights.installed import MODELS_VARIABLE, install_files

SMALL = TinyConfig(
    "zim-tiny", 64, widths=(16, 16, 16, 8), depth=1, head=8, prompt_widths=(8, 8, 8, 8)
)
QUICK = ["--set=views=2", "--set=size=64", "--set=warmup=1", "--set=precision=float32"]


@pytest.fixture(autouse=True)
def small(monkeypatch, tmp_path):
    """A small model, installed as ``small``, and few rendered scenes."""
    monkeypatch.setitem(tiny_config.MODELS, "small", SMALL)
    monkeypatch.setattr(tuning, "GENERAL_SCENES", 1)
    monkeypatch.setattr(tuning, "VALIDATIONS", 1)
    monkeypatch.setattr(run_module, "SHARES", (0.0, 0.5))
    monkeypatch.setenv(MODELS_VARIABLE, str(tmp_path / "models"))
    torch.manual_seed(0)
    save_model(ZimTiny(SMALL), tmp_path / "small.safetensors", half=False)
    install_files("small", [tmp_path / "small.safetensors"])


def write_pair(folder, name, seed):
    """A red disc on noise."""
    rng = np.random.default_rng(seed)
    image = cv2.resize(rng.integers(0, 256, (6, 8, 3), np.uint8), (80, 60))
    y, x = np.mgrid[:60, :80]
    disc = np.hypot(x - 25 - 3 * seed, y - 30) < 16
    image[disc] = (220, 30, 30)
    folder.mkdir(parents=True, exist_ok=True)
    PilImage.fromarray(image).save(folder / f"{name}.png")
    alpha = (disc * 255).astype(np.uint8)
    PilImage.fromarray(alpha).save(folder / f"{name}.alpha.png")


@pytest.fixture
def pairs(tmp_path):
    for number in range(5):
        write_pair(tmp_path / "train" / "matte", f"studio__{number}", number)
    return tmp_path / "train"


def run(capsys, *arguments):
    """The exit code and the events of the command."""
    code = adapt.main([str(each) for each in (*arguments, *QUICK)])
    lines = capsys.readouterr().out.splitlines()
    return code, [event for event in map(decode_event, lines) if event]


def test_it_learns_from_pairs_and_installs_the_model(capsys, pairs, monkeypatch):
    monkeypatch.setattr(run_module, "choose_share", lambda *_: 0.5)
    settings = ["--set=steps=2", "--set=lr=1e-3"]
    code, events = run(
        capsys, pairs, "--model", "small", "--install", "mine", *settings
    )
    assert code == 0
    prepared, first, *_, result = events
    assert (prepared.images, prepared.held_out) == (3, 2)
    assert first == Validated(0, pytest.approx(result.before["iou"]))
    assert result.share == 0.5
    assert {"iou_1", "iou_3", "iou_box", "sad"} <= set(result.after)
    assert "mine" in [model.name for model in adaptable_models()]
    about = read_adaptation(Path(result.weights))
    assert (about.parent, about.images) == ("small", 5)
    old, new = (load_model(name).state_dict() for name in ("small", "mine"))
    assert any(not torch.equal(old[key], new[key]) for key in old)
    with PilImage.open(result.sheet) as sheet:
        assert sheet.width > sheet.height


def test_the_folder_of_the_result_is_made(capsys, pairs, tmp_path, monkeypatch):
    monkeypatch.setattr(run_module, "choose_share", lambda *_: 0.5)
    out = tmp_path / "new" / "folder" / "out.safetensors"
    code, events = run(capsys, pairs, "--model=small", "--out", out, "--set=steps=1")
    assert (code, events[-1].weights) == (0, str(out))
    assert out.exists()
    (tmp_path / "file").touch()
    taken = tmp_path / "file" / "out.safetensors"
    code, events = run(capsys, pairs, "--model=small", "--out", taken)
    assert code == 1
    assert str(taken.parent) in events[0].message, "before the training"


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("foo=1", "unknown keys: foo"),
        ("views=0", "views = 0 is not from 1"),
        ("size=100", "size = 100 is not a multiple of 32 from 64 to 2048"),
        ("model=zim-tiny", "--model"),
        ("lr=fast", "lr = 'fast' is not of type float"),
    ],
)
def test_mistakes_in_settings_are_named(setting, message, pairs, tmp_path):
    out = tmp_path / "out.safetensors"
    settings = read_overrides([setting])
    options = run_module.AdaptationOptions((pairs,), "small", out, 1.0, settings)
    with pytest.raises(ZimError, match=message):
        run_module.adapt_model(options, tmp_path, lambda _: None, lambda: True)


@pytest.mark.parametrize("minutes", ["nan", "-1", "soon"])
def test_a_time_that_is_none_is_refused(minutes, pairs, tmp_path, capsys):
    options = ["--out", str(tmp_path / "a.safetensors"), "--minutes", minutes]
    for module in (["adapt", str(pairs)], ["train_tiny", "a.toml", "--data", "."]):
        main = import_module(f"training.{module[0]}").main
        with pytest.raises(SystemExit):
            main([*module[1:], *options])
        assert f"{minutes!r} is not a number of minutes" in capsys.readouterr().err


def test_no_time_is_one_step(capsys, pairs, tmp_path):
    out = ("--out", tmp_path / "a.safetensors", "--minutes", 0)
    code, events = run(capsys, pairs, "--model", "small", *out)
    assert code == 0
    assert events[-1].steps == 1


def test_the_result_is_a_safetensors_file(capsys, pairs, tmp_path):
    code, events = run(capsys, pairs, "--model=small", "--out", tmp_path / "m.png")
    assert code == 1
    assert ".safetensors" in events[-1].hint


def test_nothing_gained_writes_nothing(capsys, pairs, tmp_path):
    out = tmp_path / "out.safetensors"
    code, events = run(
        capsys, pairs, "--model=small", "--out", out, "--set=steps=1", "--set=lr=0"
    )
    assert code == 0
    assert isinstance(events[-1], Adapted)
    assert events[-1].share == 0
    assert not out.exists()
    adapt.main(
        [
            str(pairs),
            "--model=small",
            f"--out={out}",
            "--set=steps=1",
            *QUICK,
            "--set=lr=0",
        ]
    )
    assert "nothing was written" in capsys.readouterr().err


def test_objects_of_projects_are_learned_from(capsys, pairs, tmp_path):
    folder = tmp_path / "projects"
    write_pair(folder, "photo", 3)
    (folder / "photo.alpha.png").unlink()
    image = load_image(folder / "photo.png")
    recipe = Recipe(PromptSet((Point(34, 30),)), model="zim-tiny")
    write_project(
        folder / "a.zimproj", image, ObjectStack((SceneObject(recipe=recipe),))
    )
    (folder / "b.zimproj").write_text("{}")
    for number in (0, 1):
        (pairs / "matte" / f"studio__{number}.alpha.png").unlink()
    _, events = run(
        capsys,
        *(pairs, folder, "--model=small", "--out", tmp_path / "o.safetensors"),
        "--set=steps=1",
    )
    assert events[0].images + events[0].held_out == 4
    assert any("b.zimproj" in fault for fault in events[0].faults)


def test_errors_name_the_file_and_the_cure(capsys, pairs, tmp_path):
    for number in (0, 1):
        path = pairs / "matte" / f"studio__{number}.alpha.png"
        path.write_bytes(path.read_bytes()[:60])
    code, events = run(capsys, pairs, "--model=small", "--install=mine")
    assert code == 1
    assert isinstance(events[-1], Failed)
    assert "3 photos; at least 4" in events[-1].message
    assert "studio__0.alpha.png" in events[-1].message
    assert "training pair" in events[-1].hint
    code, events = run(capsys, pairs, "--model=small", "--install=small")
    assert "small already" in events[-1].message
    taken = tmp_path / "taken.safetensors"
    taken.touch()
    code, events = run(capsys, pairs, "--model=small", "--out", taken)
    assert str(taken) in events[-1].message


def test_a_stop_before_the_first_step_makes_no_model(pairs, tmp_path):
    out = tmp_path / "out.safetensors"
    options = run_module.AdaptationOptions((pairs,), "small", out, 1.0, {"size": 64})
    result = run_module.adapt_model(options, tmp_path, lambda _: None, lambda: True)
    assert result.share == 0
    assert not out.exists()


def test_lines_of_libraries_are_no_events():
    for line in ("", "loading", "{}", '{"event": "prepared"}', '{"event": []}', "[1]"):
        assert decode_event(line) is None, line


def test_blends_lie_between_the_weights():
    old = {"w": torch.zeros(3), "n": torch.tensor(1)}
    new = {"w": torch.ones(3), "n": torch.tensor(2)}
    mixed = blend(old, new, 0.25)
    assert torch.equal(mixed["w"], torch.full((3,), 0.25))
    assert mixed["n"] == 1


@pytest.mark.parametrize(
    ("own", "general", "chosen"),
    [
        ({0: [0.5, 0.6], 0.5: [0.7, 0.81], 1: [0.71, 0.8]}, {}, 0.5),
        ({0: [0.5, 0.6], 0.5: [0.6, 0.7], 1: [0.9, 1.0]}, {}, 1),
        ({0: [0.5, 0.6], 0.5: [0.6, 0.7], 1: [0.9, 1.0]}, {1: [0.7, 0.8]}, 0.5),
        ({0: [0.5, 0.6], 0.5: [0.4, 0.75], 1: [0.3, 0.2]}, {}, 0),
        ({0: [0.5, 0.6], 0.5: [0.5, 0.6], 1: [0.5, 0.6]}, {}, 0),
    ],
)
def test_the_smallest_share_that_is_as_good_is_chosen(own, general, chosen):
    same = {share: [0.8, 0.9] for share in own}
    assert choose_share(own, same | general) == chosen


def test_events_are_lines_of_json(capsys, pairs):
    adapt.tell(Validated(3, 0.5))
    line = capsys.readouterr().out
    assert json.loads(line) == {"event": "validated", "step": 3, "iou": 0.5}
