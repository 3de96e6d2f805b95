"""JPEG: what is beside the pixels, a missing end, variants of the coding."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import imagecodecs
import numpy as np
import PIL.Image
import pytest

from zim_app.core.decoders import jpeg as decoder
from zim_app.core.decoders.jpeg import coarse_picture, still_picture
from zim_app.core.images import Image, load_image
from zim_app.core.thumbnails import read_thumbnail
from zim_model.errors import ImageError

SIZE = (83, 61)


def scene() -> np.ndarray:
    rng = np.random.default_rng(0)
    small = PIL.Image.fromarray(rng.integers(0, 256, (8, 10, 3), dtype=np.uint8))
    return np.asarray(small.resize(SIZE, PIL.Image.Resampling.BICUBIC))


def jpeg(mode: str = "RGB", **options: object) -> bytes:
    stream = io.BytesIO()
    PIL.Image.fromarray(scene()).convert(mode).save(stream, "JPEG", **options)
    return stream.getvalue()


def load(tmp_path: Path, data: bytes) -> Image:
    path = tmp_path / "a.jpg"
    path.write_bytes(data)
    return load_image(path)


def pillow(data: bytes) -> np.ndarray:
    with PIL.Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


def segment(kind: int, body: bytes) -> bytes:
    return bytes([0xFF, kind]) + struct.pack(">H", len(body) + 2) + body


def with_segment(data: bytes, part: bytes) -> bytes:
    """After the JFIF header, which has 18 bytes."""
    return data[:20] + part + data[20:]


OPTIONS = {
    "baseline": {},
    "progressive": {"progressive": True},
    "full colour": {"subsampling": 0},
    "restarts": {"restart_marker_rows": 1},
    "best": {"quality": 100, "optimize": True},
}


@pytest.mark.parametrize("kind", OPTIONS)
@pytest.mark.parametrize("chunk", [1, 2, 7, 256])
def test_scans_end_where_they_end_however_they_are_read(
    monkeypatch: pytest.MonkeyPatch, kind: str, chunk: int
) -> None:
    data = jpeg(**OPTIONS[kind])
    whole, _ = still_picture(data, "a.jpg")
    monkeypatch.setattr(decoder, "_FIRST_CHUNK", chunk)
    monkeypatch.setattr(decoder, "_LARGEST_CHUNK", 4 * chunk)
    assert still_picture(data, "a.jpg")[0] == whole
    end = data.rindex(b"\xff\xd9")
    padded = data[:end] + b"\xff\xff" + data[end:]  # fill bytes before a marker
    assert still_picture(padded, "a.jpg")[0] == whole


def test_many_small_scans_cost_no_more_than_their_bytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = jpeg("L", progressive=True)
    start = data.index(b"\xff\xda")
    end = data.index(b"\xff", start + 2)
    many = data[:end] + 500 * data[start:end] + data[end:-2] + bytes(1 << 20)
    searched, frombuffer = [], np.frombuffer

    def count(*args: object) -> np.ndarray:
        searched.append(args[2])
        return frombuffer(*args)

    monkeypatch.setattr(np, "frombuffer", count)
    coarse_picture(many, "a.jpg")
    with pytest.raises(decoder.Damaged):
        still_picture(many, "a.jpg")
    assert len(searched) > 500
    assert sum(searched) < 10 * len(many)


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("kind", OPTIONS)
def test_pixels_are_those_of_another_decoder(
    tmp_path: Path, kind: str, mode: str
) -> None:
    options = OPTIONS[kind] | ({} if mode == "RGB" else {"subsampling": 0})
    data = jpeg(mode, **options)
    loaded = load(tmp_path, data)
    np.testing.assert_array_equal(loaded.rgb, pillow(data))
    assert loaded.notice is None
    if mode != "CMYK":
        other = imagecodecs.jpeg8_decode(data)
        other = other[..., None].repeat(3, -1) if other.ndim == 2 else other
        np.testing.assert_allclose(loaded.rgb.astype(int), other, atol=3)


@pytest.mark.parametrize("kind", OPTIONS)
@pytest.mark.parametrize("end", [b"", b"\xff", b"\0" * 500, b"\xff\xd7"])
def test_without_its_end_marker_a_complete_file_is_read(
    tmp_path: Path, kind: str, end: bytes
) -> None:
    data = jpeg(**OPTIONS[kind])
    loaded = load(tmp_path, data[:-2] + end)
    np.testing.assert_array_equal(loaded.rgb, pillow(data))
    assert loaded.notice is not None
    assert "end marker" in str(loaded.notice)
    assert read_thumbnail(tmp_path / "a.jpg", 40).shape == (29, 40, 3)


@pytest.mark.parametrize("kind", OPTIONS)
@pytest.mark.parametrize("lost", [4, 8, 40, 400])
@pytest.mark.parametrize("end", [b"", b"\0" * 500])
def test_missing_pixels_are_damage(
    tmp_path: Path, kind: str, lost: int, end: bytes
) -> None:
    data = jpeg(**OPTIONS[kind])
    with pytest.raises(ImageError, match=r"a\.jpg is damaged or incomplete"):
        load(tmp_path, data[:-lost] + end)


def test_a_progressive_file_without_its_last_scans_is_damaged(tmp_path: Path) -> None:
    data = jpeg(progressive=True)
    last = data.rindex(b"\xff\xda")
    with pytest.raises(ImageError, match="damaged"):
        load(tmp_path, data[:last])


PROFILE = b"ICC_PROFILE\0"
BROKEN = {
    "EXIF data": segment(0xE1, b"Exif\0\0no exif at all"),
    "colour profile": segment(0xE2, PROFILE + b"\1\2half of a profile"),
    "colour profile ": segment(0xE2, PROFILE + b"\1\1no profile at all"),
    "": segment(0xE1, b"Exif"),
    " ": segment(0xE2, b"MPF\0nonsense"),
    "  ": segment(0xED, b"Photoshop 3.0\0nonsense"),
    "   ": segment(0xFE, b"\xff" * 60000),
    "    ": segment(0xE2, b"ICC_PROFILE"),
    "     ": segment(0xEE, b"Adobe"),
    "      ": b"garbage between segments",
}


@pytest.mark.parametrize("part", BROKEN)
def test_broken_metadata_cost_themselves_alone(tmp_path: Path, part: str) -> None:
    data = jpeg(dpi=(300, 200))
    loaded = load(tmp_path, with_segment(data, BROKEN[part]))
    np.testing.assert_array_equal(loaded.rgb, pillow(data))
    assert loaded.dpi == (300, 200)
    if part.strip():
        assert loaded.notice is not None
        assert f"ignored in a.jpg: {part.strip()}." in str(loaded.notice)
    else:
        assert loaded.notice is None


@pytest.mark.parametrize("length", [5, 7, 9, 13])
def test_a_short_jfif_header(tmp_path: Path, length: int) -> None:
    data = jpeg()
    loaded = load(tmp_path, data[:2] + segment(0xE0, data[6 : 6 + length]) + data[20:])
    np.testing.assert_array_equal(loaded.rgb, pillow(data))
    assert "JFIF header" in str(loaded.notice)


def test_a_wrong_length_of_an_unneeded_segment_at_the_end(tmp_path: Path) -> None:
    data = jpeg()
    loaded = load(tmp_path, data[:-2] + b"\xff\xfe\xff\xf0abc")
    np.testing.assert_array_equal(loaded.rgb, pillow(data))


@pytest.mark.parametrize(
    ("kind", "depth", "reason"),
    [(0xC3, 8, "lossless"), (0xC9, 8, "arithmetic"), (0xC1, 12, "of 12 bits")],
)
def test_other_codings_are_named(
    tmp_path: Path, kind: int, depth: int, reason: str
) -> None:
    data = jpeg()
    at = data.index(b"\xff\xc0")
    changed = data[: at + 1] + bytes([kind]) + data[at + 2 : at + 4] + bytes([depth])
    with pytest.raises(ImageError, match=rf"a\.jpg cannot be used: .*{reason}"):
        load(tmp_path, changed + data[at + 5 :])


def test_a_bomb_is_refused_before_decoding(tmp_path: Path) -> None:
    data = jpeg()
    at = data.index(b"\xff\xc0") + 5
    with pytest.raises(ImageError, match="4225 million pixels"):
        load(tmp_path, data[:at] + struct.pack(">HH", 65000, 65000) + data[at + 4 :])


def test_thumbnails_are_upright_and_small(tmp_path: Path) -> None:
    exif = PIL.Image.Exif()
    exif[274] = 6
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg(exif=exif))
    assert load_image(path).rgb.shape == (83, 61, 3)
    small = read_thumbnail(path, 20)
    assert small.shape[0] == 20
    assert small.shape[1] in (14, 15)
