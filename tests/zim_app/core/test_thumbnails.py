from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from zim_app.core.decoders import jpeg
from zim_app.core.thumbnails import read_reduced_jpeg, read_thumbnail
from zim_model.errors import ImageError


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp", ".bmp", ".gif"])
def test_fits_the_square_in_every_format(tmp_path: Path, suffix: str) -> None:
    Image.new("RGB", (300, 150), (200, 100, 50)).save(tmp_path / f"a{suffix}")
    small = read_thumbnail(tmp_path / f"a{suffix}", 40)
    assert small.shape == (20, 40, 3)
    assert small.dtype == np.uint8
    np.testing.assert_allclose(small[10, 20], (200, 100, 50), atol=6)


def test_is_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6
    stored = Image.new("RGB", (80, 40))
    stored.paste((255, 0, 0), (0, 0, 40, 40))  # the upper half when upright
    stored.save(tmp_path / "a.png", exif=exif)
    small = read_thumbnail(tmp_path / "a.png", 40)
    assert small.shape == (40, 20, 3)
    assert small[2, 10].tolist() == [255, 0, 0]
    assert small[37, 10].tolist() == [0, 0, 0]


def test_transparency_lies_over_grey(tmp_path: Path) -> None:
    Image.new("RGBA", (50, 50), (255, 0, 0, 0)).save(tmp_path / "a.png")
    assert (read_thumbnail(tmp_path / "a.png", 20) == 128).all()


@pytest.mark.parametrize("mode", ["grey16", "rgb16", "rgb16 tif"])
def test_deep_images_keep_their_brightness(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("a.tif" if "tif" in mode else "a.png")
    if mode == "grey16":
        Image.fromarray(np.full((60, 90), 30000, np.uint16)).save(path)
    else:
        values = np.full((60, 90, 3), 30000, np.uint16)
        if "tif" in mode:
            tifffile.imwrite(path, values, photometric="rgb")
        else:
            import cv2

            path.write_bytes(cv2.imencode(".png", values)[1].tobytes())
    small = read_thumbnail(path, 30)
    assert small.shape == (20, 30, 3)
    np.testing.assert_allclose(small[10, 10], 117, atol=1)


def test_very_long_images_keep_a_pixel(tmp_path: Path) -> None:
    Image.new("RGB", (2000, 1)).save(tmp_path / "a.png")
    assert read_thumbnail(tmp_path / "a.png", 50).shape == (1, 50, 3)


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no image")
    with pytest.raises(ImageError, match=r"a\.png"):
        read_thumbnail(tmp_path / "a.png", 50)


def test_a_jpeg_is_reduced_and_other_files_are_not_decoded(tmp_path: Path) -> None:
    Image.new("RGB", (2000, 1000), (200, 100, 50)).save(tmp_path / "a.jpg")
    reduced = read_reduced_jpeg(tmp_path / "a.jpg", 200)
    assert reduced is not None
    assert reduced.shape == (250, 500, 3)
    Image.new("RGB", (2000, 1000)).save(tmp_path / "b.png")
    (tmp_path / "b.jpg").write_bytes((tmp_path / "b.png").read_bytes())
    assert read_reduced_jpeg(tmp_path / "b.jpg", 200) is None


def test_a_progressive_jpeg_is_reduced_from_its_first_scans(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    small = Image.fromarray(rng.integers(0, 256, (6, 8, 3), np.uint8))
    large = small.resize((1600, 1200), Image.Resampling.BICUBIC)
    large.save(tmp_path / "a.jpg", quality=95, progressive=True, subsampling=0)
    reduced = read_reduced_jpeg(tmp_path / "a.jpg", 1000)
    assert reduced is not None
    means = np.asarray(large, np.float32).reshape(150, 8, 200, 8, 3).mean((1, 3))
    np.testing.assert_allclose(reduced, means, atol=8)
    data = (tmp_path / "a.jpg").read_bytes()
    first, _ = jpeg.coarse_picture(data, "a.jpg")
    assert len(first) < len(data) / 2


def test_a_reduced_jpeg_is_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    for progressive in (False, True):
        path = tmp_path / f"{progressive}.jpg"
        Image.new("RGB", (800, 400)).save(path, exif=exif, progressive=progressive)
        reduced = read_reduced_jpeg(path, 50)
        assert reduced is not None
        assert reduced.shape == (100, 50, 3)
