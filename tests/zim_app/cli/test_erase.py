"""``zim-studio erase``, with masks as prompts, which need no network."""

import io
import json
import sys

import numpy as np
import pytest
from PIL import Image

from tests.zim_model.onnx.test_inpainting import write_mean_graph
from zim_app.__main__ import main
from zim_model.matting import inpainting


@pytest.fixture(autouse=True)
def quick_fill(monkeypatch):
    """Fills that are good enough for what is asserted here."""
    monkeypatch.setattr(inpainting, "ITERATIONS", (1, 1, 1))


@pytest.fixture
def files(tmp_path):
    """A photo of a red disc on green grain, and its mask."""
    y, x = np.mgrid[:60, :80]
    disc = np.hypot(x - 40, y - 30) < 10
    grain = np.random.default_rng(0).integers(0, 30, (60, 80, 1), dtype=np.uint8)
    meadow = np.array((30, 150, 40), np.uint8) + grain
    pixels = np.where(disc[..., None], (210, 40, 30), meadow).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    Image.fromarray(disc.astype(np.uint8) * 255).save(tmp_path / "mask.png")
    return tmp_path / "photo.png", tmp_path / "mask.png"


def erase(photo, mask, *arguments):
    return main(["erase", str(photo), "--mask", str(mask), *map(str, arguments)])


def reddest(path):
    pixels = np.asarray(Image.open(path).convert("RGB"), int)
    return (pixels[..., 0] - pixels[..., 1]).max()


def test_the_clean_plate_is_written_beside_the_photo(files, capsys):
    assert erase(*files) == 0
    plate = files[0].with_name("photo-erased.png")
    assert reddest(plate) < 0
    assert "filled by patches" in capsys.readouterr().out
    assert erase(*files) == 1, "an existing file is not replaced"
    assert "exists already" in capsys.readouterr().err


def test_an_output_that_is_named_is_replaced_and_reported(files, tmp_path, capsys):
    out = tmp_path / "plate.jpg"
    out.write_bytes(b"earlier")
    assert erase(*files, "-o", out, "--margin", 5, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["margin"] == 5
    assert report["output"] == str(out)
    assert 0.1 < report["hole"] < 0.2
    assert reddest(out) < 30


def test_layers_by_the_suffix(files, tmp_path):
    assert erase(*files, "-o", tmp_path / "both.ora") == 0
    assert (tmp_path / "both.ora").read_bytes()[:2] == b"PK"


def test_a_hole_over_all_of_the_photo_is_an_error_with_its_cure(files, capsys):
    assert erase(*files, "--margin", 80) == 1
    error = capsys.readouterr().err
    assert "covers photo.png" in error
    assert "smaller margin" in error


def test_an_unknown_network_is_named(files, capsys):
    assert erase(*files, "--fill", "nothing") == 1
    assert "inpainting network nothing" in capsys.readouterr().err


def test_avoiding_holds_for_a_network_too(files, tmp_path):
    photo, _ = files
    pixels = np.array(Image.open(photo))
    pixels[:, 60:] = (10, 10, 250)
    Image.fromarray(pixels).save(photo)
    avoid = np.zeros(pixels.shape[:2], np.uint8)
    avoid[:, 58:] = 255
    Image.fromarray(avoid).save(tmp_path / "avoid.png")
    fill = ("--fill", write_mean_graph(tmp_path / "mean.onnx"), "-o")
    assert erase(*files, *fill, tmp_path / "seen.png") == 0
    out = tmp_path / "hidden.png"
    assert erase(*files, "--avoid", tmp_path / "avoid.png", *fill, out) == 0
    blue = [
        np.asarray(Image.open(tmp_path / name))[30, 40, 2]
        for name in ("seen.png", "hidden.png")
    ]
    assert blue[0] > 90
    assert blue[1] < 75


def test_prompts_are_needed(files):
    with pytest.raises(SystemExit, match="2"):
        main(["erase", str(files[0])])


def test_standard_input_and_output(files, monkeypatch):
    class Stream(io.StringIO):
        buffer = io.BytesIO()

    source, target = Stream(), Stream()
    source.buffer, target.buffer = io.BytesIO(files[0].read_bytes()), io.BytesIO()
    monkeypatch.setattr(sys, "stdin", source)
    monkeypatch.setattr(sys, "stdout", target)
    assert erase("-", files[1]) == 0
    assert reddest(io.BytesIO(target.buffer.getvalue())) < 0


def test_a_seed_below_0_is_an_error_of_the_argument(files, capsys):
    with pytest.raises(SystemExit):
        erase(*files, "--seed", "-1")
    assert "argument --seed" in capsys.readouterr().err


def test_a_second_box_is_an_error_of_the_argument(files, capsys):
    with pytest.raises(SystemExit):
        erase(*files, "--box", "1,1,20,20", "--box", "30,30,50,50")
    assert "argument --box: it may be given once" in capsys.readouterr().err
