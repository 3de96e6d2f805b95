"""OpenEXR files, written by the OpenEXR library."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import OpenEXR
import pytest

from zim_app.core import decoding
from zim_app.core.images import Image, load_image
from zim_app.core.masks import load_mask
from zim_model.errors import ImageError

HEIGHT, WIDTH = 40, 50
COMPRESSIONS = ("NO", "RLE", "ZIPS", "ZIP", "PIZ", "PXR24", "B44", "DWAA")
ACES = (0.7347, 0.2653, 0.0, 1.0, 0.0001, -0.077, 0.32168, 0.33767)


def encoded(light: Any) -> np.ndarray:
    """The sRGB curve (IEC 61966-2-1), 0 to 65535."""
    light = np.clip(np.asarray(light, np.float64), 0, 1)
    values = np.where(
        light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055
    )
    return values * 65535


def write(path: Path, channels: dict[str, np.ndarray], **attributes: Any) -> Path:
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    # The library reads the memory of views wrongly.
    whole = {name: np.ascontiguousarray(part) for name, part in channels.items()}
    OpenEXR.File(header | attributes, whole).write(str(path))
    return path


@pytest.fixture
def light() -> np.ndarray:
    """(H, W, 3) float32 from 0 to 1."""
    x = np.linspace(0, 1, WIDTH, dtype=np.float32)
    y = np.linspace(0, 1, HEIGHT, dtype=np.float32)
    return np.stack(
        [*np.meshgrid(x, y), np.full((HEIGHT, WIDTH), 0.18, np.float32)], axis=-1
    )


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_light_becomes_srgb(
    tmp_path: Path, light: np.ndarray, compression: str, dtype: type
) -> None:
    kind = getattr(OpenEXR, f"{compression}_COMPRESSION")
    path = write(
        tmp_path / "a.exr",
        {name: light[..., n].astype(dtype) for n, name in enumerate("RGB")},
        compression=kind,
    )
    image = load_image(path)
    assert image.source.dtype == np.uint16
    assert image.icc is None
    assert image.linear
    assert image.notice is None
    lossy = compression in ("B44", "DWAA")
    np.testing.assert_allclose(
        image.source, encoded(light.astype(dtype)), atol=1500 if lossy else 4
    )
    # 18 % grey, to a photographer, is the middle of the scale.
    assert image.rgb[0, 0, 2] == pytest.approx(118, abs=3 if lossy else 0)


def test_colours_are_divided_by_alpha_in_light(
    tmp_path: Path, light: np.ndarray
) -> None:
    alpha = np.full((HEIGHT, WIDTH), 0.25, np.float32)
    alpha[:, :10] = 0
    channels = {name: light[..., n] * alpha for n, name in enumerate("RGB")}
    image = load_image(write(tmp_path / "a.exr", channels | {"A": alpha}))
    assert image.source_alpha is not None
    np.testing.assert_allclose(image.source_alpha, alpha * 65535, atol=0.5)
    np.testing.assert_allclose(image.source[:, 10:], encoded(light[:, 10:]), atol=4)


def test_the_image_is_the_display_window(tmp_path: Path, light: np.ndarray) -> None:
    """Overscan is left out, and what is not stored is transparent."""
    channels = {name: light[..., n] for n, name in enumerate("RGB")}
    channels["A"] = np.ones((HEIGHT, WIDTH), np.float32)
    window = (np.array([-10, 5], "i4"), np.array([39, 44], "i4"))
    display = (np.array([0, 0], "i4"), np.array([29, 59], "i4"))
    path = write(tmp_path / "a.exr", channels, dataWindow=window, displayWindow=display)
    image = load_image(path)
    assert image.source.shape == (60, 30, 3)
    assert image.source_alpha is not None
    assert not image.source_alpha[:5].any()
    assert not image.source_alpha[45:].any()
    assert (image.source_alpha[5:45] == 65535).all()
    np.testing.assert_allclose(image.source[5:45], encoded(light[:, 10:40]), atol=4)


def test_what_is_brighter_than_white_or_no_number_is_told(
    tmp_path: Path, light: np.ndarray
) -> None:
    channels = {name: light[..., n].copy() for n, name in enumerate("RGB")}
    channels["R"][0, :3] = 40, np.inf, np.nan
    image = load_image(write(tmp_path / "a.exr", channels))
    assert image.source[0, :3, 0].tolist() == [65535, 65535, 0]
    assert image.notice is not None
    assert "brighter than white" in str(image.notice.text)
    assert "no numbers" in str(image.notice.text)


def test_primaries_are_converted(tmp_path: Path) -> None:
    """White of ACES is white, and its saturated green is outside sRGB."""
    channels = {name: np.ones((8, 8), np.float32) for name in "RGB"}
    channels["R"][:, 4:] = channels["B"][:, 4:] = 0
    image = load_image(write(tmp_path / "a.exr", channels, chromaticities=ACES))
    np.testing.assert_allclose(image.source[0, 0].astype(int), 65535, atol=20)
    assert image.source[0, 7].tolist() == [0, 65535, 0]


def test_impossible_primaries_are_ignored(tmp_path: Path) -> None:
    channels = {name: np.full((8, 8), 0.5, np.float32) for name in "RGB"}
    image = load_image(write(tmp_path / "a.exr", channels, chromaticities=(0.3,) * 8))
    np.testing.assert_allclose(image.source, encoded(np.full((8, 8, 3), 0.5)), atol=2)
    assert "chromaticities" in str(image.notice and image.notice.text)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("Y",), True),
        (("A",), True),
        (("beauty.R", "beauty.G", "beauty.B", "Z"), True),
        (("R", "G", "B", "normal.X", "normal.Y", "normal.Z"), True),
        (("Z", "id"), False),
    ],
)
def test_which_channels_are_the_image(
    tmp_path: Path, names: tuple[str, ...], expected: bool
) -> None:
    channels = {name: np.full((8, 8), 0.5, np.float32) for name in names}
    path = write(tmp_path / "a.exr", channels)
    if expected:
        half = round(encoded(0.5).item())
        assert (load_image(path).source == half).all()
    else:
        with pytest.raises(ImageError, match=r"a\.exr .*channels are.*Z.*red, green"):
            load_image(path)


def test_the_first_part_is_read(tmp_path: Path) -> None:
    parts = [
        OpenEXR.Part(
            {"name": name, "type": kind},
            {each: np.full((8, 8), value, np.float32) for each in "RGB"},
        )
        for name, value, kind in (
            ("left", 1.0, OpenEXR.scanlineimage),
            ("right", 0.0, OpenEXR.scanlineimage),
        )
    ]
    OpenEXR.File(parts).write(str(tmp_path / "a.exr"))
    assert (load_image(tmp_path / "a.exr").source == 65535).all()


def test_a_matte_is_read_as_a_mask_without_a_curve(tmp_path: Path) -> None:
    image = Image.from_array(np.zeros((8, 8, 3), np.uint8))
    matte = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)
    read = load_mask(write(tmp_path / "a.exr", {"Y": matte}), image)
    np.testing.assert_allclose(read.level, matte * 255, atol=0.51)


def test_a_large_size_is_refused_before_it_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.exr", {"Y": np.zeros((8, 8), np.float32)})
    data = path.read_bytes()
    small = np.array([0, 0, 7, 7], "<i4").tobytes()
    large = np.array([0, 0, 999_999, 999_999], "<i4").tobytes()
    path.write_bytes(data.replace(small, large))
    monkeypatch.setattr(OpenEXR, "InputFile", None)
    with pytest.raises(ImageError, match="the limit is"):
        load_image(path)


def test_every_cut_and_every_changed_byte_is_an_error_or_an_image(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    random = np.random.default_rng(3)
    channels = {name: random.random((8, 8), np.float32) for name in "RGBA"}
    data = write(tmp_path / "a.exr", channels).read_bytes()
    path = tmp_path / "b.exr"
    cuts = [data[:n] for n in range(0, len(data), 37)]
    for at in random.integers(4, len(data), 200):
        changed = bytearray(data)
        changed[at] ^= 1 << int(random.integers(8))
        cuts.append(bytes(changed))
    for content in cuts:
        path.write_bytes(content)
        with contextlib.suppress(ImageError):
            assert load_image(path).rgb.ndim == 3
    capfd.readouterr()  # what the library prints


def test_deep_files_are_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.exr", {"Y": np.zeros((8, 8), np.float32)})
    data = bytearray(path.read_bytes())
    data[5] |= 8
    path.write_bytes(data)
    with pytest.raises(ImageError, match="several depths"):
        decoding.decode(path)
