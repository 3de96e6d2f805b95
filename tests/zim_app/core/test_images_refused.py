"""Files that cannot be loaded raise ImageError with a message for the user."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from zim_app.core.images import load_image
from zim_model.errors import ImageError


def encoded(kind: str) -> bytes:
    noise = np.random.default_rng(1).integers(0, 65536, (40, 50, 3), dtype=np.uint16)
    if kind == "png16":
        return cv2.imencode(".png", noise)[1].tobytes()
    stream = io.BytesIO()
    if kind == "tif16":
        tifffile.imwrite(stream, noise, photometric="rgb", compression="zlib")
    else:
        Image.fromarray((noise >> 8).astype(np.uint8)).save(stream, kind)
    return stream.getvalue()


KINDS = ["png", "jpeg", "tiff", "webp", "bmp", "gif", "png16", "tif16"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("part", [0.02, 0.5, 0.95])
def test_truncated_files_are_refused(tmp_path: Path, kind: str, part: float) -> None:
    data = encoded(kind)
    path = tmp_path / "cut.img"
    path.write_bytes(data[: int(len(data) * part)])
    with pytest.raises(ImageError, match=r"cut\.img") as caught:
        load_image(path)
    assert caught.value.hint


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
@pytest.mark.parametrize("kind", KINDS)
def test_damage_is_never_a_traceback(
    tmp_path: Path, kind: str, data: st.DataObject
) -> None:
    content = bytearray(encoded(kind))
    positions = st.one_of(st.integers(0, 120), st.integers(0, len(content) - 1))
    for position in data.draw(st.lists(positions, min_size=1, max_size=4)):
        content[position] = data.draw(st.integers(0, 255))
    path = tmp_path / "damaged"
    path.write_bytes(content)
    try:
        image = load_image(path)
    except ImageError:
        return
    assert image.rgb.shape == image.source.shape


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", r"odd\.jpg is empty\. Copy or download"),
        (b"hello, this is text", r"odd\.jpg is not a photo .* Convert it to JPEG"),
        (b"\x89PNG\r\n\x1a\n", r"odd\.jpg is damaged or incomplete"),
        (b"RIFF\0\0\0\0WEBPVP8 ", r"odd\.jpg is damaged or incomplete"),
        (b"II*\0" + b"\xff" * 60, r"odd\.jpg is damaged or incomplete"),
        (b"\xff\x0a" + b"\xff" * 4, r"odd\.jpg is damaged or incomplete"),
        (b"v/1\x01\2" + bytes(60), r"odd\.jpg is damaged or incomplete"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", r"odd\.jpg .* format is JPEG 2000\. Convert"),
        (b"8BPS\0\1" + bytes(60), r"odd\.jpg .* format is Photoshop\. Convert"),
    ],
)
def test_files_that_are_no_images(
    tmp_path: Path, content: bytes, sentence: str
) -> None:
    path = tmp_path / "odd.jpg"
    path.write_bytes(content)
    with pytest.raises(ImageError, match=sentence):
        load_image(path)


def test_paths_that_are_no_files(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="is a folder"):
        load_image(tmp_path)
    with pytest.raises(ImageError, match=r"gone\.png cannot be read: there is no such"):
        load_image(tmp_path / "gone.png")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ImageError, match="is a device, not a file"):
        load_image(tmp_path / "pipe")
    with pytest.raises(ImageError, match="too long"):
        load_image(tmp_path / ("n" * 300))


def test_unreadable_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encoded("png"))

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ImageError, match=r"a\.png cannot be read: permission is"):
        load_image(path)


def png_header(width: int, height: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    checksum = struct.pack(">I", zlib.crc32(header))
    pixels = encoded("png")[33:]
    return b"\x89PNG\r\n\x1a\n\0\0\0\x0d" + header + checksum + pixels


@pytest.mark.parametrize("side", [13_000, 30_000])
def test_bombs_are_refused_before_decoding(tmp_path: Path, side: int) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_header(side, side))
    millions = side * side // 1_000_000
    with pytest.raises(ImageError, match=f"bomb.png has {millions} million.*is 150 mi"):
        load_image(path)


def test_deep_tiff_bomb_is_refused_before_decoding(tmp_path: Path) -> None:
    path = tmp_path / "bomb.tif"
    tifffile.imwrite(path, np.zeros((1, 1, 3), np.uint16), photometric="rgb")
    with tifffile.TiffFile(path, mode="r+b") as tiff:
        tiff.pages[0].tags["ImageWidth"].overwrite(65535)
        tiff.pages[0].tags["ImageLength"].overwrite(65535)
    with pytest.raises(ImageError, match="4295 million pixels"):
        load_image(path)


def test_not_enough_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encoded("png"))

    def exhausted(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("zim_app.core.images.decode", exhausted)
    with pytest.raises(ImageError, match=r"not enough memory for a\.png"):
        load_image(path)
