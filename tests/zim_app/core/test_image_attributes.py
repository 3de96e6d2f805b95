"""Attributes of an image: resolution and key; and its size limit."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import pytest
import tifffile

from zim_app.core.export import ExportOptions, ExportTarget, export
from zim_app.core.images import MAX_PIXELS, Image, load_image
from zim_model.errors import ImageError

RED, BLUE = (255, 0, 0), (0, 0, 255)


def red_and_blue() -> PIL.Image.Image:
    image = PIL.Image.new("RGB", (8, 4), RED)
    image.paste(BLUE, (4, 0, 8, 4))
    return image


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".bmp"])
def test_resolution_is_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    red_and_blue().save(path, dpi=(300, 300))
    np.testing.assert_allclose(load_image(path).dpi, (300, 300), atol=0.05)
    red_and_blue().save(tmp_path / "none.tif")
    assert load_image(tmp_path / "none.tif").dpi is None


def test_16_bit_tiff_resolution_in_centimetres(
    tmp_path: Path, colours: np.ndarray
) -> None:
    path = tmp_path / "a.tif"
    options = {"resolution": (100, 100), "resolutionunit": "CENTIMETER"}
    tifffile.imwrite(path, colours, photometric="rgb", **options)
    np.testing.assert_allclose(load_image(path).dpi, (254, 254))


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp", ".psd", ".ora"])
@pytest.mark.parametrize("dpi", [65_536, 1e9])
def test_a_resolution_that_no_device_has_does_not_stop_an_export(
    tmp_path: Path, colours: np.ndarray, suffix: str, dpi: float
) -> None:
    path, out = tmp_path / "a.tif", tmp_path / f"out{suffix}"
    options = {"resolution": (dpi, dpi), "resolutionunit": "INCH"}
    tifffile.imwrite(path, colours, photometric="rgb", **options)
    image = load_image(path)
    assert image.dpi is None
    alpha = np.full(colours.shape[:2], 65535, np.uint16)
    export(image, [ExportTarget(alpha)], out, ExportOptions("composite"))
    assert out.stat().st_size


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp", ".psd", ".ora"])
@pytest.mark.parametrize(
    "dpi", [(1.2, 1.2), (1.001, 1.001), (1.9, 300), (72.5, 72.4), (65535, 2)]
)
def test_a_resolution_that_a_format_rounds_does_not_stop_an_export(
    tmp_path: Path, colours: np.ndarray, suffix: str, dpi: tuple[float, float]
) -> None:
    path, out = tmp_path / "a.tif", tmp_path / f"out{suffix}"
    options = {"resolution": dpi, "resolutionunit": "INCH"}
    tifffile.imwrite(path, colours, photometric="rgb", **options)
    image = load_image(path)
    assert image.dpi == pytest.approx(dpi)
    alpha = np.full(colours.shape[:2], 65535, np.uint16)
    export(image, [ExportTarget(alpha)], out, ExportOptions("composite"))
    if suffix not in (".psd", ".ora"):  # which are only written
        found = load_image(out).dpi
        assert found is None or found == pytest.approx(dpi, abs=0.5)


def test_key_depends_on_the_models_pixels(tmp_path: Path) -> None:
    red_and_blue().save(tmp_path / "a.png")
    red_and_blue().save(tmp_path / "b.tif")
    red_and_blue().rotate(180).save(tmp_path / "c.png")
    keys = [load_image(tmp_path / name).key for name in ("a.png", "b.tif", "c.png")]
    assert keys[0] == keys[1] != keys[2]
    wide, tall = np.zeros((2, 6, 3), np.uint8), np.zeros((6, 2, 3), np.uint8)
    assert Image.from_array(wide).key != Image.from_array(tall).key


def test_from_array_copies_and_checks() -> None:
    pixels = np.full((4, 5, 3), 9, np.uint8)
    image = Image.from_array(pixels, "pasted")
    pixels[:] = 0
    assert not image.rgb.flags.writeable
    assert not image.source.flags.writeable
    assert (image.rgb == 9).all()
    assert (image.name, image.path) == ("pasted", None)
    deep = Image.from_array(np.full((4, 5, 3), 65535, np.uint16))
    assert deep.source.dtype == np.uint16
    assert (deep.rgb == 255).all()
    for wrong in (np.zeros((4, 5)), np.zeros((0, 5, 3), np.uint8), pixels[..., :2]):
        with pytest.raises(ImageError, match="is not an image"):
            Image.from_array(wrong)


def test_loading_leaves_the_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    exif = PIL.Image.Exif()
    exif[274] = 6
    red_and_blue().save(path, exif=exif)
    before = path.read_bytes(), path.stat().st_mtime_ns
    load_image(path)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


@pytest.mark.slow
def test_a_hundred_megapixels(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    pixels = np.zeros((10_000, 10_000, 3), np.uint8)
    pixels[:, 5_000:] = (0, 0, 255)
    cv2.imwrite(str(path), pixels[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 1])
    assert pixels[..., 0].size < MAX_PIXELS
    image = load_image(path)
    assert image.source is image.rgb
    assert tuple(image.rgb[-1, -1]) == BLUE
