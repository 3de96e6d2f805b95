"""HEIC by a stand-in for ``pillow-heif``, which the tests do not install; AVIF."""

from __future__ import annotations

import io
import struct
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from PIL import features

from zim_app.core.images import load_image
from zim_model.errors import ImageError

HEIC = b"\0\0\0\x1cftypmif1\0\0\0\0mif1heicmiaf" + bytes(40)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "a.heic"
    path.write_bytes(HEIC)
    return path


def stand_in(pixels: np.ndarray, **info: Any) -> types.ModuleType:
    """A ``pillow_heif`` whose every file has these pixels."""

    class HeifFile:
        size = pixels.shape[1::-1]

        def __init__(self) -> None:
            self.info = info

        def __array__(self, *_: object, **__: object) -> np.ndarray:
            return pixels

    def open_heif(stream: io.BytesIO, *, convert_hdr_to_8bit: bool) -> HeifFile:
        assert stream.read() == HEIC
        assert not convert_hdr_to_8bit
        return HeifFile()

    module = types.ModuleType("pillow_heif")
    module.open_heif = open_heif  # type: ignore[attr-defined]
    return module


def test_without_the_extra_the_message_names_it(
    photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(ImageError, match=r"a\.heic .* HEIC photo.*extra \[heif\]"):
        load_image(photo)


def test_every_bit_and_the_profile_are_read_and_turned_once(
    photo: Path, monkeypatch: pytest.MonkeyPatch, p3_profile: bytes
) -> None:
    exif = PIL.Image.Exif()
    exif[274] = 6  # as the file says for others; libheif has turned the pixels
    rng = np.random.default_rng(0)
    values = rng.integers(0, 1024, (5, 7, 4), dtype=np.uint16)
    values[0, 0] = 1023
    info = {"bit_depth": 10, "icc_profile": p3_profile, "exif": exif.tobytes()}
    monkeypatch.setitem(sys.modules, "pillow_heif", stand_in(values << 6, **info))
    image = load_image(photo)
    np.testing.assert_allclose(image.source / 65535, values[..., :3] / 1023, atol=1e-5)
    assert image.source_alpha is not None
    assert image.source_alpha[0, 0] == 65535
    assert image.icc == p3_profile


def avif(image: PIL.Image.Image, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "AVIF", quality=95, **options)
    return stream.getvalue()


@pytest.mark.skipif(not features.check("avif"), reason="Pillow was built without it")
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_avif(tmp_path: Path, mode: str, p3_profile: bytes) -> None:
    exif = PIL.Image.Exif()
    exif[274] = 6
    value = (200, 100, 50, 120)[: len(mode)]
    data = avif(PIL.Image.new(mode, (64, 32), value), icc_profile=p3_profile, exif=exif)
    (tmp_path / "a.avif").write_bytes(data)
    image = load_image(tmp_path / "a.avif")
    assert image.source.shape == (64, 32, 3)
    np.testing.assert_allclose(image.source[9, 9], (200, 100, 50), atol=4)
    assert image.icc == p3_profile
    if mode == "RGBA":
        assert image.source_alpha is not None
        np.testing.assert_allclose(image.source_alpha / 257, 120, atol=3)
    for part in (0.3, 0.9):
        (tmp_path / "cut.avif").write_bytes(data[: int(len(data) * part)])
        with pytest.raises(ImageError, match=r"cut\.avif is damaged"):
            load_image(tmp_path / "cut.avif")


@pytest.mark.skipif(not features.check("avif"), reason="Pillow was built without it")
def test_colours_of_high_dynamic_range_are_named(tmp_path: Path) -> None:
    data = avif(PIL.Image.new("RGB", (64, 32), (200, 100, 50)))
    at = data.index(b"colrnclx") + 8
    changed = data[:at] + struct.pack(">HH", 9, 16) + data[at + 4 :]
    (tmp_path / "a.avif").write_bytes(changed)
    with pytest.raises(ImageError, match="high dynamic range or of a wide gamut"):
        load_image(tmp_path / "a.avif")
