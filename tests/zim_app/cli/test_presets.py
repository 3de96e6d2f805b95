"""Presets and canvases on the command line: flags win, and wrong usage is told."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.zim_app.core.batch.conftest import FakeEngine, save_photo
from zim_app.__main__ import main
from zim_app.cli import batch, models
from zim_app.core.canvas import Canvas
from zim_app.core.export_options import ExportOptions
from zim_app.core.presets import PresetStore, write_preset

MINE = ExportOptions(
    "composite",
    "jpeg",
    background=(10, 20, 200),
    canvas=Canvas(50, 40, "px", padding=10),
    template="{name}-mine",
)


@pytest.fixture(autouse=True)
def presets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> PresetStore:
    """A fake engine, whose objects are the right half, and a preset of the user."""
    monkeypatch.setattr(batch, "make_engine", lambda args: FakeEngine())
    monkeypatch.setattr(models, "make_engine", lambda args: FakeEngine())
    monkeypatch.setenv("ZIM_STUDIO_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("ZIM_STUDIO_PRESETS", str(tmp_path / "presets"))
    store = PresetStore()
    store.save("Mine", MINE)
    return store


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    return save_photo(tmp_path / "photos" / "a.png", (200, 100, 50))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def run_batch(photo: Path, out: Path, *argv: Any) -> int:
    words = [photo.parent, "-o", out, "--box", "0.5,0,1,1", *argv]
    return main(["batch", *map(str, words)])


def run_matte(photo: Path, *argv: Any) -> int:
    return main(["matte", str(photo), "--box", "20,0,40,30", *map(str, argv)])


def refuse(call: Any, *argv: Any) -> None:
    with pytest.raises(SystemExit) as caught:
        call(*argv)
    assert caught.value.code == 2


def image_of(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


@pytest.mark.parametrize("how", ["name", "file"])
def test_a_preset_is_chosen_by_name_or_file(photo, out, tmp_path, how) -> None:
    write_preset(tmp_path / "shared.json", MINE)
    chosen = "mine" if how == "name" else tmp_path / "shared.json"
    assert run_batch(photo, out, "--preset", chosen) == 0
    assert run_matte(photo, "--preset", chosen) == 0
    for file in (out / "a-mine.jpg", photo.parent / "a-mine.jpg"):
        pixels = image_of(file)
        assert pixels.shape == (40, 50, 3)
        assert np.abs(pixels[:3].astype(int) - (10, 20, 200)).max() < 30
    assert (out / "a-mine.jpg").read_bytes() == (
        photo.parent / "a-mine.jpg"
    ).read_bytes()


def test_a_matte_of_a_preset_replaces_nothing_without_a_name(photo, capsys) -> None:
    for name in ("a-mine.jpg", "a-mine-2.jpg"):
        assert run_matte(photo, "--preset", "Mine", "--json") == 0
        line = json.loads(capsys.readouterr().out)
        assert line["output"] == str(photo.with_name(name))
    assert sorted(os.listdir(photo.parent)) == ["a-mine-2.jpg", "a-mine.jpg", "a.png"]


def test_flags_win_over_the_preset(photo, out) -> None:
    flags = ["--what", "cutout", "--format", "png", "--name", "{name}-own"]
    size = ["--canvas", "30x20", "--padding", "2px", "--align", "bottom"]
    assert run_batch(photo, out, "--preset", "mine", *flags, *size) == 0
    pixels = image_of(out / "a-own.png")
    assert pixels.shape == (20, 30, 4)
    rows = np.flatnonzero(pixels[..., 3].any(1))
    assert rows[-1] == 17, "2 pixels are free below"


def test_a_canvas_of_a_flag_keeps_the_presets_padding(photo, out) -> None:
    assert run_batch(photo, out, "--preset", "mine", "--canvas", "100x100") == 0
    pixels = image_of(out / "a-mine.jpg").astype(int)
    assert pixels.shape == (100, 100, 3)
    rows = np.flatnonzero((np.abs(pixels - (10, 20, 200)) > 60).any((1, 2)))
    assert rows[0] >= 30, "not enlarged"


@pytest.mark.parametrize(
    ("flags", "size"),
    [
        (["--canvas", "none"], (40, 30)),
        (["--trim"], (20, 30)),
        (["--scale", "0.5"], (20, 15)),
        (["--longest-side", "80"], (80, 60)),
        (["--canvas", "square", "--padding", "0"], (30, 30)),
        (["--canvas", "2:1", "--padding", "5"], (80, 40)),
        (["--canvas", "none", "--padding", "5"], (30, 40)),
    ],
)
def test_other_sizes_win_over_the_presets_canvas(photo, out, flags, size) -> None:
    assert run_batch(photo, out, "--preset", "mine", *flags) == 0
    height, width, _ = image_of(out / "a-mine.jpg").shape
    assert (width, height) == size


def test_one_photo_on_a_canvas(photo, tmp_path) -> None:
    flags = ["--canvas", "60x60", "--padding", "10%", "--enlarge"]
    assert run_matte(photo, *flags, "-o", tmp_path / "a.png") == 0
    alpha = image_of(tmp_path / "a.png")[..., 3]
    assert alpha.shape == (60, 60)
    rows = np.flatnonzero((alpha > 127).any(1))
    assert (rows[0], rows[-1]) == (6, 53)
    assert run_matte(photo, "--padding", "4", "-o", tmp_path / "b.png") == 0
    assert image_of(tmp_path / "b.png").shape == (38, 28, 4)


def test_a_built_in_preset_without_a_shadow(photo, out) -> None:
    assert run_batch(photo, out, "--preset", "shop", "--no-shadow") == 0
    assert image_of(out / "a.jpg").shape == (2000, 1600, 3)


def test_no_dependable_shadow_is_told_once_a_photo(photo, out, capsys) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (30, 40, 3), dtype=np.uint8)
    Image.fromarray(noise).save(photo)
    Image.fromarray(255 - noise).save(photo.with_name("b.png"))
    assert run_batch(photo, out, "--shadow") == 0
    errors = capsys.readouterr().err
    for name in ("a.png", "b.png"):
        assert errors.count(f"warning: {name}: No dependable shadow") == 1
    assert "No dependable shadow" in (out / "batch-report.csv").read_text("utf-8")
    assert run_matte(photo, "--shadow", "-o", out / "one.png") == 0
    assert "warning: a.png: No dependable shadow" in capsys.readouterr().err


def test_a_change_of_canvas_or_shadow_makes_the_files_again(photo, out, capsys) -> None:
    for flags, expected in (
        (["--canvas", "40x40"], "1 made, 0 made before"),
        (["--canvas", "40x40"], "0 made, 1 made before"),
        (["--canvas", "40x40", "--padding", "5%"], "1 made, 0 made before"),
        (["--canvas", "40x40", "--padding", "5%", "--shadow"], "1 made, 0 made before"),
        (["--canvas", "40x40", "--padding", "5%", "--shadow"], "0 made, 1 made before"),
    ):
        assert run_batch(photo, out, *flags) == 0
        assert expected in capsys.readouterr().out


def test_a_dry_run_knows_the_size_of_a_canvas(photo, out, capsys) -> None:
    flags = ["--name", "{name}-{width}x{height}", "--dry-run"]
    assert run_batch(photo, out, "--canvas", "70x50", *flags) == 0
    assert "a-70x50.png" in capsys.readouterr().out
    assert run_batch(photo, out, "--canvas", "square", *flags) == 0
    assert "a-?x?.png" in capsys.readouterr().out


def test_an_unknown_preset_is_answered_with_the_known_ones(photo, out, capsys) -> None:
    assert run_batch(photo, out, "--preset", "nine") == 1
    error = capsys.readouterr().err
    assert "no preset 'nine'" in error
    assert "marketplace, shop, square, web, Mine" in error
    assert not out.exists()


def test_a_damaged_preset_is_named(photo, presets, capsys) -> None:
    (presets.folder / "bad.json").write_text("{}")
    assert run_matte(photo, "--preset", "bad") == 1
    assert "bad.json" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        (["--canvas", "2000"], "is no canvas; write WIDTHxHEIGHT"),
        (["--canvas", "0x10"], "width is 0"),
        (["--padding", "5em"], "is no padding"),
        (["--padding", "-5"], "is no padding"),
        (["--padding", "5%"], "needs a --canvas"),
        (["--align", "bottom"], "--align needs a --canvas"),
        (["--enlarge"], "--enlarge needs a --canvas"),
        (["--canvas", "40x40", "--trim"], "--trim has no effect on a --canvas"),
        (["--canvas", "40x40", "--longest-side", "9"], "--longest-side has no effect"),
    ],
)
def test_wrong_usage_is_told(photo, out, capsys, flags, reason) -> None:
    refuse(run_batch, photo, out, *flags)
    assert reason in capsys.readouterr().err


def test_a_padding_without_room_is_told(photo, out, capsys) -> None:
    assert run_batch(photo, out, "--canvas", "40x40", "--padding", "20px") == 1
    assert "leaves no room on a canvas of 40 x 40" in capsys.readouterr().err
