import dataclasses
import json

import numpy as np
import pytest
import torch
from PIL import Image

from zim_app.__main__ import main
from zim_model.conversion.config import CONVERTER_TINY, ConvEncoder
from zim_model.conversion.network import ConverterNetwork
from zim_model.conversion.weights import save_converter


@pytest.fixture
def weights(tmp_path):
    """Weights of a small, untrained converter."""
    torch.manual_seed(0)
    config = dataclasses.replace(
        CONVERTER_TINY,
        encoder=ConvEncoder((8, 8, 8, 8, 8, 8), (0, 0, 0, 0, 0, 0)),
        decoder=(8, 8, 8, 8, 8),
    )
    path = tmp_path / "small.safetensors"
    save_converter(ConverterNetwork(config), path)
    return path


@pytest.fixture
def files(tmp_path):
    """A photo of a red disc on green, and its mask."""
    y, x = np.mgrid[:60, :80]
    disc = np.hypot(x - 40, y - 30) < 18
    image = np.where(disc[..., None], (210, 40, 30), (30, 150, 40)).astype(np.uint8)
    Image.fromarray(image).save(tmp_path / "photo.png")
    Image.fromarray(disc.astype(np.uint8) * 255).save(tmp_path / "mask.png")
    return tmp_path / "photo.png", tmp_path / "mask.png"


def convert(*arguments):
    return main(["convert-mask", *map(str, arguments)])


def test_a_matte_is_written_beside_the_photo(files, weights, capsys):
    assert convert(*files, "--model", weights, "--device", "cpu") == 0
    matte = files[0].with_name("photo-matte.png")
    with Image.open(matte) as file:
        assert (file.mode, file.size) == ("L", (80, 60))
        alpha = np.asarray(file)
    assert alpha[30, 40] > 240
    assert alpha[2, 2] == 0
    assert "covered" in capsys.readouterr().out
    assert convert(*files, "--model", weights) == 1, "an existing file is not replaced"
    assert "exists already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "more", "mode"),
    [
        ("m.png", ["--depth", "16"], "I;16"),
        ("m.tif", ["--depth", "8"], "L"),
        ("m.jpg", [], "L"),
        ("m.png", ["--what", "cutout"], "RGBA"),
    ],
)
def test_suffix_and_options_choose_the_file(files, weights, tmp_path, name, more, mode):
    out = tmp_path / "out" / name
    out.parent.mkdir()
    assert convert(*files, "-o", out, "--model", weights, *more) == 0
    with Image.open(out) as file:
        assert file.mode == mode


def test_a_report_for_programs(files, weights, tmp_path, capsys):
    arguments = ["-o", tmp_path / "m.png", "--model", weights, "--json"]
    assert convert(*files, *arguments) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["width"], report["height"]) == (80, 60)
    assert report["threshold"] == 50
    assert report["mask_coverage"] == pytest.approx(report["coverage"], rel=0.1)
    assert len(report["converter"]) == 16


def test_the_threshold_is_reported_for_grey_masks(files, weights, tmp_path, capsys):
    with Image.open(files[1]) as mask:
        mask.point(lambda v: 30 if v == 0 else 180).save(tmp_path / "grey.png")
    arguments = [files[0], tmp_path / "grey.png", "-o", tmp_path / "m.png"]
    assert convert(*arguments, "--model", weights) == 0
    errors = capsys.readouterr().err
    assert "100.0% of grey.png is neither black nor white" in errors
    assert "50 %" in errors
    assert convert(*arguments, "--model", weights, "--threshold", "90") == 1
    assert "empty mask" in capsys.readouterr().err


def test_impossible_conversions_are_refused(files, weights, tmp_path, capsys):
    photo, mask = files
    small = tmp_path / "small.png"
    Image.new("L", (40, 30), 255).save(small)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no image")
    out = ["-o", tmp_path / "m.png"]
    cases = [
        ([photo, small, *out], "40 x 30 pixels and photo.png 80 x 60"),
        ([photo, broken, *out], "broken.png"),
        ([tmp_path / "none.png", mask, *out], "none.png"),
        ([photo, mask, "-o", tmp_path / "m.xyz"], "image format"),
        ([photo, mask, "-o", mask], "is the mask itself"),
        ([photo, mask, "-o", photo], "never overwritten"),
        ([photo, mask, *out, "--model", "converter-huge"], "no label converter"),
        ([photo, mask, *out, "--model", tmp_path / "no.safetensors"], "not exist"),
        ([photo, mask, *out, "--device", "cuda:77"], "cuda:77"),
    ]
    for arguments, message in cases:
        if "--model" not in arguments:
            arguments = [*arguments, "--model", weights]
        assert convert(*arguments) == 1, message
        assert message in capsys.readouterr().err
    assert not (tmp_path / "m.png").exists()
    with Image.open(mask) as file:
        assert file.getpixel((40, 30)) == 255
