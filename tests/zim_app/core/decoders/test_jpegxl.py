"""JPEG XL: what libjxl writes, and headers written bit by bit."""

from __future__ import annotations

import contextlib
import io
import struct
from pathlib import Path

import imagecodecs
import numpy as np
import PIL.Image
import pytest

from zim_app.core.decoders.base import Damaged
from zim_app.core.decoders.jpegxl import decode_jpegxl
from zim_app.core.images import load_image
from zim_model.errors import ImageError

HEIGHT, WIDTH = 40, 60
CONTAINER = b"\0\0\0\x0cJXL \r\n\x87\n" + b"\0\0\0\x14ftypjxl \0\0\0\0jxl "


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body


def bits_of(*values: tuple[int, int]) -> bytes:
    """Numbers of so many bits each, the lowest bit first."""
    total, count = 0, 0
    for value, width in values:
        total |= value << count
        count += width
    return total.to_bytes((count + 7) // 8, "little")


def encoded(light: np.ndarray) -> np.ndarray:
    """The sRGB curve (IEC 61966-2-1), 0 to 65535."""
    values = np.where(
        light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055
    )
    return values * 65535


@pytest.fixture
def ramp() -> np.ndarray:
    x = np.linspace(0, 255, WIDTH).astype(np.uint8)
    y = np.linspace(0, 255, HEIGHT).astype(np.uint8)
    return np.stack([*np.meshgrid(x, y), np.full((HEIGHT, WIDTH), 80, np.uint8)], -1)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_lossless_pixels_are_kept(
    tmp_path: Path, channels: int, dtype: type, ramp: np.ndarray
) -> None:
    deep = ramp.astype(dtype) * dtype(257 if dtype == np.uint16 else 1)
    pixels = np.concatenate([deep, deep[..., :1]], axis=2)[..., -channels:]
    stored = pixels[..., 0] if channels == 1 else np.ascontiguousarray(pixels)
    path = tmp_path / "a.jxl"
    path.write_bytes(imagecodecs.jpegxl_encode(stored, lossless=True))
    image = load_image(path)
    colours = pixels[..., :1] if channels <= 2 else pixels[..., :3]
    # libjxl takes 16 bits for light, and grey becomes sRGB.
    is_light = dtype == np.uint16
    expected = np.broadcast_to(colours, ramp.shape)
    if is_light and channels <= 2:
        expected = encoded(expected / 65535)
    np.testing.assert_allclose(image.source, expected, atol=40 * is_light)
    assert image.source.dtype == dtype
    assert (image.icc is not None) == (is_light and channels > 2)
    if channels in (2, 4):
        assert image.source_alpha is not None
        step = 65535 // np.iinfo(dtype).max
        np.testing.assert_array_equal(
            image.source_alpha, pixels[..., -1].astype(int) * step
        )
    else:
        assert image.source_alpha is None


def test_lossy_colours(tmp_path: Path, ramp: np.ndarray) -> None:
    path = tmp_path / "a.jxl"
    path.write_bytes(imagecodecs.jpegxl_encode(ramp, distance=1.0))
    difference = np.abs(load_image(path).rgb.astype(int) - ramp)
    assert difference.mean() < 3


@pytest.mark.parametrize("bits", [10, 12])
def test_depths_between_are_scaled(tmp_path: Path, bits: int) -> None:
    largest = (1 << bits) - 1
    values = np.linspace(0, largest, 64 * 64).reshape(64, 64).astype(np.uint16)
    pixels = np.repeat(values[..., None], 3, axis=2)
    path = tmp_path / "a.jxl"
    path.write_bytes(
        imagecodecs.jpegxl_encode(pixels, lossless=True, bitspersample=bits)
    )
    expected = np.rint(pixels / largest * 65535)
    np.testing.assert_array_equal(load_image(path).source, expected)


@pytest.mark.parametrize("channels", [1, 3])
def test_floats_are_light(tmp_path: Path, channels: int) -> None:
    light = np.linspace(0, 1, 64 * 64, dtype=np.float32).reshape(64, 64)
    pixels = light if channels == 1 else np.repeat(light[..., None], 3, axis=2)
    path = tmp_path / "a.jxl"
    path.write_bytes(imagecodecs.jpegxl_encode(pixels, lossless=True))
    image = load_image(path)
    assert image.linear
    assert image.icc is None
    np.testing.assert_allclose(image.source[..., 0], encoded(light), atol=20)


def test_a_jpeg_that_was_packed_is_that_jpeg(
    tmp_path: Path, ramp: np.ndarray, p3_profile: bytes
) -> None:
    """Profile, resolution and pixels are those of the JPEG."""
    stream = io.BytesIO()
    PIL.Image.fromarray(ramp).save(
        stream, "JPEG", quality=95, icc_profile=p3_profile, dpi=(300, 300)
    )
    (tmp_path / "a.jpg").write_bytes(stream.getvalue())
    (tmp_path / "a.jxl").write_bytes(imagecodecs.jpegxl_encode_jpeg(stream.getvalue()))
    jpeg, image = load_image(tmp_path / "a.jpg"), load_image(tmp_path / "a.jxl")
    assert image.key == jpeg.key
    assert image.icc == p3_profile
    assert image.dpi == (300, 300)


def test_the_turn_is_that_of_the_codestream_not_of_exif(
    tmp_path: Path, ramp: np.ndarray
) -> None:
    """The standard says so: EXIF in a container may be from before the turn."""
    exif = PIL.Image.Exif()
    exif[0x112], exif[0x11A], exif[0x11B], exif[0x128] = 6, 240.0, 240.0, 2
    block = exif.tobytes().removeprefix(b"Exif\0\0")
    stream = imagecodecs.jpegxl_encode(ramp, lossless=True, usecontainer=False)
    path = tmp_path / "a.jxl"
    path.write_bytes(CONTAINER + box(b"Exif", bytes(4) + block) + box(b"jxlc", stream))
    image = load_image(path)
    assert image.source.shape == ramp.shape
    assert image.dpi == (240, 240)
    packed = b"Exif" + imagecodecs.brotli_encode(bytes(4) + block)
    path.write_bytes(CONTAINER + box(b"brob", packed) + box(b"jxlc", stream))
    assert load_image(path).dpi == (240, 240)


def test_parts_of_a_codestream_are_joined(tmp_path: Path, ramp: np.ndarray) -> None:
    stream = imagecodecs.jpegxl_encode(ramp, lossless=True, usecontainer=False)
    path = tmp_path / "a.jxl"
    first, second = box(b"jxlp", bytes(4) + stream[:50]), bytes([128, 0, 0, 1])
    path.write_bytes(CONTAINER + first + box(b"jxlp", second + stream[50:]))
    np.testing.assert_array_equal(load_image(path).source, ramp)


# 64 x 64: small, (64 / 8) - 1 as height, ratio 1:1; then not all as usual.
START = ((1, 1), (7, 5), (1, 3), (0, 1))
DEPTH = ((0, 1), (0, 2), (0, 1))  # integers of 8 bits; no 16-bit buffers
NO_EXTRA, NOT_XYB, RGB = ((0, 2),), ((0, 1),), ((0, 2),)
ENUM = {1: ((1, 2),)} | {n: ((2, 2), (n - 2, 4)) for n in (9, 11, 13, 16)}


def header(*colours: tuple[int, int]) -> bytes:
    plain = (*START, (0, 1), *DEPTH, *NO_EXTRA, *NOT_XYB)
    return b"\xff\x0a" + bits_of(*plain, *colours) + bytes(40)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (header((0, 1), (1, 1), *RGB), "colour profile"),
        (
            header((0, 1), (0, 1), *RGB, *ENUM[1], *ENUM[9], (0, 1), *ENUM[16]),
            "high dynamic range",
        ),
        (header((0, 1), (0, 1), *((2, 2), (0, 4))), "neither RGB nor grey"),
    ],
)
def test_colours_that_are_not_read_are_named(data: bytes, reason: str) -> None:
    with pytest.raises(ImageError, match=f"a.jxl cannot be used: .*{reason}"):
        decode_jpegxl(data, "a.jxl")


def test_a_large_size_is_refused_before_it_is_decoded() -> None:
    size = ((0, 1), (3, 2), (99_999, 30), (1, 3))  # not small, 30 bits, 1:1
    with pytest.raises(ImageError, match="the limit is"):
        decode_jpegxl(b"\xff\x0a" + bits_of(*size, (1, 1)), "a.jxl")


def test_wide_primaries_become_a_profile(tmp_path: Path, ramp: np.ndarray) -> None:
    """The colours of a file with Display P3 by number, with a curve of sRGB."""
    stream = bytes(imagecodecs.jpegxl_encode(ramp, lossless=True, usecontainer=False))
    # 40 x 60: small, (40 / 8) - 1 as height, 3:2; integers of 8 bits; 16-bit buffers.
    start = ((1, 1), (4, 5), (4, 3), (0, 2), (0, 1), (0, 2), (1, 1), *NO_EXTRA)
    rest = ((0, 2), (1, 1))  # no extensions; the usual transform
    srgb = bits_of(*start, *NOT_XYB, (1, 1), *rest)
    assert stream[2:5] == srgb
    # RGB with D65, P3 and the curve of sRGB, perceptual.
    p3 = ((0, 1), (0, 1), *RGB, *ENUM[1], *ENUM[11], (0, 1), *ENUM[13], (0, 2))
    path = tmp_path / "a.jxl"
    path.write_bytes(b"\xff\x0a" + bits_of(*start, *NOT_XYB, *p3, *rest) + stream[5:])
    image = load_image(path)
    np.testing.assert_array_equal(image.source, ramp)
    assert image.icc is not None
    # Saturated red of P3 is outside sRGB, and a grey is the same.
    assert image.rgb[0, -1, 0] == 255
    assert image.rgb[0, -1, 1] == 0
    assert image.rgb[12, 19].tolist() == pytest.approx(ramp[12, 19].tolist(), abs=3)


def test_every_cut_is_an_error_or_an_image(tmp_path: Path, ramp: np.ndarray) -> None:
    data = bytes(imagecodecs.jpegxl_encode(ramp, lossless=True, usecontainer=True))
    path = tmp_path / "b.jxl"
    random = np.random.default_rng(5)
    for n in range(0, len(data), 7):
        changed = bytearray(data)
        changed[n] ^= 1 << int(random.integers(8))
        for content in (data[:n] or b"\xff\x0a", bytes(changed)):
            path.write_bytes(content)
            with contextlib.suppress(ImageError):
                assert load_image(path).rgb.ndim == 3


def test_a_container_without_pixels_is_damaged() -> None:
    with pytest.raises(Damaged, match="pixels are missing"):
        decode_jpegxl(CONTAINER, "a.jxl")
