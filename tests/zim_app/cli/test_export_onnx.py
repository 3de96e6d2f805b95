"""``zim-studio export-onnx`` and ``zim-studio models convert``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.zim_model.conftest import SMALL_VIT, random_model
from zim_app.__main__ import main
from zim_model.weights.checkpoint import load_model, save_model

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZIM_STUDIO_MODELS", str(tmp_path / "models"))


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "small.safetensors"
    save_model(random_model(SMALL_VIT), path, half=False)
    return path


def run(*argv: str | Path) -> int:
    return main([*map(str, argv)])


@pytest.fixture(scope="module")
def pair(weights: Path) -> Path:
    folder = weights.parent / "pair"
    assert run("export-onnx", "--model", weights, "-o", folder) == 0
    return folder


def test_an_export_prints_files_and_differences(
    weights: Path, tmp_path: Path, capsys: Any
) -> None:
    assert run("export-onnx", "--model", weights, "-o", tmp_path / "out") == 0
    printed = capsys.readouterr().out
    assert "masks (points and a box)" in printed
    assert f"{tmp_path / 'out' / 'decoder.onnx'}: 0." in printed
    assert "128 pixels wide; the official package expects 1024" in printed


def earlier(path: Path) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"of an earlier run")
    return path


def test_an_export_as_json_replaces_files_when_told_so(
    weights: Path, tmp_path: Path, capsys: Any
) -> None:
    taken = earlier(tmp_path / "o" / "decoder.onnx")
    argv = ("export-onnx", "--model", weights, "-o", tmp_path / "o", "--json")
    assert run(*argv, "--replace") == 0
    assert taken.stat().st_size > 1000
    report = json.loads(capsys.readouterr().out)
    assert report["largest_difference"] < 1e-4
    assert sorted(map(Path, report["files"])) == sorted((tmp_path / "o").iterdir())
    assert {each["output"] for each in report["differences"]} >= {"masks", "feat_D0"}


def test_zim_tiny_is_three_graphs(tmp_path: Path, capsys: Any) -> None:
    folder = tmp_path / "tiny"
    taken = earlier(folder / "refine.onnx")
    argv = ("export-onnx", "--model", "zim-tiny", "-o", folder, "--json")
    assert run(*argv, "--replace") == 0
    assert taken.stat().st_size > 1000
    report = json.loads(capsys.readouterr().out)
    assert report["largest_difference"] < 1e-3
    assert sorted(map(Path, report["files"])) == sorted(folder.iterdir())
    assert {path.stem for path in folder.iterdir()} == {
        "predict",
        "detail_features",
        "refine",
    }


def test_a_failed_export_prints_one_line(
    pair: Path, tmp_path: Path, capsys: Any
) -> None:
    for model, reason in (
        (pair, "is a pair of ONNX graphs already"),
        ("nothing", "There is no model called"),
    ):
        assert run("export-onnx", "--model", model, "-o", tmp_path / "out") == 1
        printed = capsys.readouterr().err
        assert reason in printed
        assert printed.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_pair_is_converted_and_reported(
    pair: Path, tmp_path: Path, capsys: Any
) -> None:
    capsys.readouterr()
    target = tmp_path / "back.safetensors"
    assert run("models", "convert", pair, "-o", target) == 0
    printed = capsys.readouterr().out
    assert "76 layers were placed by their names, 8 by their order" in printed
    assert "image_embeddings" in printed
    assert f"{target} (0." in printed
    assert load_model(target).config.image_size == 128


def test_an_installed_pair_is_converted_by_its_name(
    pair: Path, tmp_path: Path, capsys: Any
) -> None:
    assert run("models", "add", pair, "--name", "official") == 0
    capsys.readouterr()
    target = earlier(tmp_path / "back.safetensors")
    argv = ("models", "convert", "official", "-o", target, "--json")
    assert run(*argv, "--replace") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["largest_difference"] < 1e-4
    assert report["config"]["fusion_channels"] == [12, 8, 4]
    assert report["bytes"] == target.stat().st_size
    assert run("models", "add", target, "--name", "ours") == 0


def test_a_failed_conversion_prints_one_line(
    pair: Path, tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "back.safetensors"
    for source, output, reason in (
        (pair, tmp_path / "back.pth", "must end in .safetensors"),
        ("nothing", target, "There is no model called"),
        (tmp_path, target, "has no encoder.onnx and no decoder.onnx"),
        ("zim-tiny", target, "is no pair of ONNX graphs"),
    ):
        assert run("models", "convert", source, "-o", output) == 1
        printed = capsys.readouterr().err
        assert reason in printed
        assert printed.count("\n") == 1
    monkeypatch.setitem(sys.modules, "onnx", None)
    assert run("models", "convert", pair, "-o", target) == 1
    assert "pip install 'zim-studio[onnx]'" in capsys.readouterr().err
    assert not target.exists()
