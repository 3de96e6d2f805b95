"""``--subject``: the main object without a prompt, in single photos and batches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.zim_model.onnx.test_automatic import write_graph
from zim_app.__main__ import main
from zim_model.weights.installed import MODELS_VARIABLE

HEIGHT, WIDTH = 90, 160


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(MODELS_VARIABLE, str(tmp_path / "models"))
    write_graph(tmp_path / "models" / "isnet-general-use.onnx")
    return tmp_path


@pytest.fixture
def photo(folder: Path) -> Path:
    """A white square on black."""
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    pixels[30:60, 60:100] = 255
    path = folder / "photos" / "photo.png"
    path.parent.mkdir()
    Image.fromarray(pixels).save(path)
    return path


def opaque(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.array(image)[..., 3] > 127


@pytest.mark.parametrize("by_path", [False, True])
def test_an_automatic_network_mattes_one_photo(
    folder: Path, photo: Path, by_path: bool
) -> None:
    name = "isnet-general-use"
    if by_path:
        name = str(write_graph(folder / "elsewhere" / "u2netp.onnx"))
    out = folder / "out.png"
    assert main(["matte", str(photo), "--subject", name, "-o", str(out)]) == 0
    found = opaque(out)
    assert found[32:58, 62:98].all()
    assert found.sum() < 1.1 * 30 * 40


def test_prompts_correct_the_subject(folder: Path, photo: Path) -> None:
    out = folder / "out.png"
    argv = ["matte", str(photo), "--subject", "isnet-general-use", "-o", str(out)]
    assert main([*argv, "--box", "0,0,40,40"]) == 0
    assert opaque(out)[32:58, 62:98].all(), "a box adds to the mask"


def test_a_batch_takes_the_network_too(folder: Path, photo: Path) -> None:
    argv = ["batch", str(photo.parent), "-o", str(folder / "out")]
    assert main([*argv, "--subject", "isnet-general-use"]) == 0
    assert opaque(folder / "out" / "photo-cutout.png")[32:58, 62:98].all()


def test_without_a_network_the_model_searches(folder: Path, photo: Path) -> None:
    out = folder / "out.png"
    assert main(["matte", str(photo), "--subject", "-o", str(out)]) == 0
    assert opaque(out).any()


@pytest.mark.parametrize("command", ["matte", "batch"])
def test_a_missing_network_is_named(
    folder: Path, photo: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = {"matte": photo, "batch": photo.parent}[command]
    argv = [command, str(given), "-o", str(folder / "o.png"), "--subject", "silueta"]
    assert main(argv) == 1
    printed = capsys.readouterr()
    assert "no automatic model silueta" in printed.err + printed.out
