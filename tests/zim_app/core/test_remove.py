"""``zim_model.remove``: the studio's cut-outs of images of any kind, in one call."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

import zim_model
from tests.zim_app.core.conftest import P3_COLORANTS, matrix_profile
from tests.zim_model.onnx.test_automatic import write_graph
from zim_app.__main__ import main
from zim_model.assets import asset_path
from zim_model.errors import (
    DeviceError,
    ImageError,
    PromptError,
    WeightsError,
    ZimError,
)
from zim_model.weights.installed import MODELS_VARIABLE

BOX = (20, 10, 60, 50)


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    """A bright disc on a dark ground, (60, 80, 3)."""
    y, x = np.mgrid[:60, :80]
    disc = np.hypot(x - 40, y - 30) < 17
    return np.where(disc[..., None], [230, 200, 60], [20, 40, 60]).astype(np.uint8)


@pytest.fixture(scope="module")
def cut(pixels: np.ndarray) -> np.ndarray:
    return zim_model.remove(pixels, box=BOX)


def png(pixels: np.ndarray, **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", **options)
    return stream.getvalue()


def test_the_object_stays_and_the_rest_goes(pixels, cut) -> None:
    assert (cut.shape, cut.dtype) == ((60, 80, 4), np.uint8)
    assert cut[30, 40, 3] > 250
    assert cut[2, 2, 3] < 5
    np.testing.assert_array_equal(cut[25:35, 35:45, :3], pixels[25:35, 35:45])


def test_it_is_the_file_that_the_command_writes(tmp_path: Path) -> None:
    photo, out = Path(asset_path("samples", "cat.jpg")), tmp_path / "out.png"
    assert main(["matte", str(photo), "--box", "80,0,400,300", "-o", str(out)]) == 0
    made = zim_model.remove(photo.read_bytes(), box=(80, 0, 400, 300))
    assert made == out.read_bytes()


def test_each_kind_comes_back_as_it_came(tmp_path, pixels, cut) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(png(pixels))
    for source in (path, str(path), Image.fromarray(pixels)):
        made = zim_model.remove(source, box=BOX)
        assert isinstance(made, Image.Image)
        np.testing.assert_array_equal(np.asarray(made), cut)
    for source in (path.read_bytes(), bytearray(path.read_bytes())):
        made = zim_model.remove(source, box=BOX)
        with Image.open(io.BytesIO(made)) as image:
            assert image.format == "PNG"
            np.testing.assert_array_equal(np.asarray(image), cut)


@pytest.mark.parametrize("dtype", [np.uint16, np.float32, np.float64])
def test_an_array_keeps_its_type(pixels, cut, dtype) -> None:
    full = 65535 if dtype is np.uint16 else 1
    made = zim_model.remove((pixels / 255 * full).astype(dtype), box=BOX)
    assert (made.dtype, made.shape) == (dtype, (60, 80, 4))
    difference = made / full - cut / 255
    assert np.abs(difference[..., 3]).max() < 0.003
    visible = cut[..., 3] > 0
    assert np.abs(difference[visible]).max() < 0.003


def test_a_grey_array(pixels) -> None:
    assert zim_model.remove(pixels[..., 0], box=BOX).shape == (60, 80, 4)
    assert zim_model.matte(pixels[..., 0], box=BOX).shape == (60, 80)


def test_the_matte_alone(pixels, cut) -> None:
    for made in (
        zim_model.matte(pixels, box=BOX),
        zim_model.remove(pixels, box=BOX, only_mask=True),
    ):
        np.testing.assert_array_equal(made, cut[..., 3])
    assert zim_model.matte(Image.fromarray(pixels), box=BOX).mode == "L"


@pytest.mark.parametrize("colour", [(255, 0, 0), "#ff0000", "red"])
def test_a_background_colour(pixels, colour) -> None:
    made = zim_model.remove(pixels, box=BOX, background=colour)
    assert made.shape == (60, 80, 3)
    assert tuple(made[0, 0]) == (255, 0, 0)


def test_a_background_photo(tmp_path, pixels) -> None:
    path = tmp_path / "wall.png"
    path.write_bytes(png(np.full((30, 30, 3), (0, 200, 0), np.uint8)))
    made = zim_model.remove(pixels, box=BOX, background=path)
    assert tuple(made[0, 0]) == (0, 200, 0)


def test_its_own_transparency_stays(pixels) -> None:
    alpha = np.full((60, 80, 1), 255, np.uint8)
    alpha[:, :40] = 0
    made = zim_model.remove(np.concatenate([pixels, alpha], 2), box=BOX)
    assert (made[:, :40, 3] == 0).all()
    assert made[30, 45, 3] > 250


def test_the_colour_profile_is_kept(pixels) -> None:
    profile = matrix_profile(P3_COLORANTS)
    image = Image.fromarray(pixels)
    image.info["icc_profile"] = profile
    assert zim_model.remove(image, box=BOX).info["icc_profile"] == profile
    made = zim_model.remove(png(pixels, icc_profile=profile), box=BOX)
    with Image.open(io.BytesIO(made)) as image:
        assert image.info["icc_profile"] == profile
        ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))


@pytest.mark.parametrize("kind", ["bytes", "pil"])
def test_the_orientation_is_applied(pixels, kind) -> None:
    exif = Image.Exif()
    exif[274] = 6  # turned right when shown
    data = png(np.ascontiguousarray(np.rot90(pixels)), exif=exif)
    if kind == "bytes":
        made = Image.open(io.BytesIO(zim_model.remove(data, box=BOX)))
    else:
        made = zim_model.remove(Image.open(io.BytesIO(data)), box=BOX)
    assert made.size == (80, 60)
    assert 274 not in made.getexif()
    assert made.getpixel((40, 30))[3] > 250


def test_cmyk_becomes_rgb(pixels) -> None:
    made = zim_model.remove(Image.fromarray(pixels).convert("CMYK"), box=BOX)
    assert made.mode == "RGBA"


def test_without_prompts_the_main_object_is_found(pixels) -> None:
    assert zim_model.matte(pixels)[30, 40] > 200


def test_points_say_what_is_kept(pixels) -> None:
    made = zim_model.matte(pixels, points=[(40, 30), (5, 5, 0)])
    assert made[30, 40] > 250
    assert made[5, 5] < 5


@pytest.mark.parametrize("how", ["model", "subject"])
def test_an_automatic_network_as_rembg_names_it(tmp_path, monkeypatch, how) -> None:
    monkeypatch.setenv(MODELS_VARIABLE, str(tmp_path))
    write_graph(tmp_path / "isnet-general-use" / "isnet-general-use.onnx")
    square = np.zeros((90, 160, 3), np.uint8)
    square[30:60, 60:100] = 255
    made = zim_model.matte(square, **{how: "isnet-general-use"})
    assert (made[32:58, 62:98] > 127).all()
    assert (made > 127).sum() < 1.1 * 30 * 40


@pytest.mark.parametrize(
    ("options", "error", "reason"),
    [
        ({"box": (0.1, 0.1, 0.9, 0.9)}, PromptError, "pixels are meant"),
        ({"box": (1, 2, 3)}, PromptError, "four numbers"),
        ({"box": "here"}, PromptError, "four numbers"),
        ({"box": (200, 200, 300, 300)}, PromptError, "no area"),
        ({"points": (3, 4)}, PromptError, "list of"),
        ({"points": [(3, 4, 2)]}, PromptError, "label 0 or 1"),
        ({"points": [(900, 4)]}, PromptError, "outside"),
        ({"subject": False}, PromptError, "no prompt"),
        ({"model": "zim-enormous"}, WeightsError, "zim-enormous"),
        ({"model": "sam-vit-b"}, WeightsError, "models download"),
        ({"model": 3}, ZimError, "no model"),
        ({"subject": "u2net-missing"}, WeightsError, "u2net-missing"),
        ({"background": "mauvish"}, ZimError, "no colour"),
        ({"background": (1, 2)}, ZimError, "no colour"),
        ({"background": (1, 2, 300)}, ZimError, "0 to 255"),
        ({"background": Path("/no/wall.png")}, ImageError, "wall.png"),
        ({"decontaminate": 2}, ZimError, "decontaminate"),
    ],
)
def test_wrong_options_are_named(pixels, options, error, reason) -> None:
    with pytest.raises(error, match=reason):
        zim_model.remove(pixels, **options)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (b"no photo", "not a photo"),
        (b"", "empty"),
        ("/no/such.jpg", "such.jpg"),
        (None, "NoneType is no image"),
        (np.zeros((4, 4, 3), np.int32), "uint8"),
        (np.full((4, 4, 3), 7.0), "Divide by 255"),
        (Image.new("RGB", (0, 5)), "empty"),
    ],
)
def test_what_is_no_image_is_refused(source, reason) -> None:
    with pytest.raises(ImageError, match=reason):
        zim_model.remove(source)


def test_a_truncated_file_opened_with_pil_is_an_image_error(pixels) -> None:
    data = png(pixels)
    image = Image.open(io.BytesIO(data[: len(data) * 2 // 3]))
    with pytest.raises(ImageError, match="cannot be read"):
        zim_model.remove(image)


def test_threads_take_turns(pixels, cut) -> None:
    made: list[np.ndarray] = []
    threads = [
        threading.Thread(target=lambda: made.append(zim_model.remove(pixels, box=BOX)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 4
    assert all(np.array_equal(each, cut) for each in made)


def test_it_needs_no_torch_and_survives_a_fork(tmp_path, pixels) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(png(pixels))
    code = (
        "import os, sys, zim_model\n"
        "assert not {'numpy', 'PIL', 'torch'} & set(sys.modules)\n"
        "assert {'remove', 'matte', '__version__'} <= set(dir(zim_model))\n"
        "assert not {'os', 'Any', 'import_module'} & set(dir(zim_model))\n"
        f"zim_model.remove(sys.argv[1], box={BOX})\n"
        "assert not {'torch', 'PySide6'} & set(sys.modules)\n"
        "if hasattr(os, 'fork'):\n"
        "    child = os.fork()\n"
        "    if not child:\n"
        f"        zim_model.remove(sys.argv[1], box={BOX})\n"
        "        os._exit(7)\n"
        "    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7\n"
    )
    command = [sys.executable, "-c", code, str(path)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=300,
        # Sessions with threads of their own, which a child does not have.
        env={**os.environ, "OMP_NUM_THREADS": "2"},
    )
    assert done.returncode == 0, done.stderr


def test_a_subject_is_a_network_or_an_error(pixels, tmp_path):
    with pytest.raises(ZimError, match=r"x\.onnx"):
        zim_model.remove(pixels, subject=tmp_path / "x.onnx")
    with pytest.raises(ZimError, match="names no automatic network"):
        zim_model.remove(pixels, subject=5)


def test_predictors_want_a_loaded_model_and_a_list():
    with pytest.raises(WeightsError, match="from_pretrained"):
        zim_model.ZimPredictor("zim-tiny")
    with pytest.raises(DeviceError, match="no device nodev"):
        zim_model.load_model("zim-tiny", "nodev")
    predictor = zim_model.ZimPredictor.from_pretrained("zim-tiny")
    with pytest.raises(ImageError, match="no image"):
        predictor.set_image_batch(5)
