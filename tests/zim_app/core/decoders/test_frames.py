"""GIF and WebP: the first picture, on the canvas of the file."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from zim_app.core.images import Image, load_image
from zim_model.errors import ImageError

RED, BLUE = (255, 0, 0), (0, 0, 255)


def load(tmp_path: Path, data: bytes) -> Image:
    path = tmp_path / "a"
    path.write_bytes(data)
    return load_image(path)


def gif_frame(colour: int, left: int, top: int, width: int, height: int) -> bytes:
    """A frame of one colour of four, coded with a clear code before every pixel."""
    codes = [code for _ in range(width * height) for code in (4, colour)] + [5]
    bits = "".join(f"{code:03b}"[::-1] for code in codes)
    bits += "0" * (-len(bits) % 8)
    data = bytes(int(bits[n : n + 8][::-1], 2) for n in range(0, len(bits), 8))
    blocks = [data[n : n + 255] for n in range(0, len(data), 255)]
    return (
        b","
        + struct.pack("<HHHHB", left, top, width, height, 0)
        + b"\2"
        + b"".join(bytes([len(block)]) + block for block in blocks)
        + b"\0"
    )


def gif(*parts: bytes, width: int = 6, height: int = 5, end: bytes = b";") -> bytes:
    palette = bytes([0, 0, 0, *RED, *BLUE, 9, 8, 7])
    screen = struct.pack("<HHBBB", width, height, 0x81, 2, 0)
    return b"GIF89a" + screen + palette + b"".join(parts) + end


CONTROL = b"!\xf9\x04\x01\0\0\x02\0"
"""Colour 2 is transparent."""


@pytest.mark.parametrize("control", [b"", CONTROL])
def test_what_the_first_frame_leaves_out_is_transparent(
    tmp_path: Path, control: bytes
) -> None:
    data = gif(control, gif_frame(1, 2, 1, 3, 2), gif_frame(3, 0, 0, 6, 5))
    loaded = load(tmp_path, data)
    assert loaded.source.shape == (5, 6, 3)
    alpha = np.zeros((5, 6), int)
    alpha[1:3, 2:5] = 65535
    np.testing.assert_array_equal(loaded.source_alpha, alpha)
    assert (loaded.source[alpha > 0] == RED).all()


def test_the_transparent_colour_of_a_frame(tmp_path: Path) -> None:
    loaded = load(tmp_path, gif(CONTROL, gif_frame(2, 0, 0, 6, 5)))
    assert loaded.source_alpha is not None
    assert not loaded.source_alpha.any()
    assert load(tmp_path, gif(gif_frame(2, 0, 0, 6, 5))).source_alpha is None


def test_comments_and_applications_are_passed_over(tmp_path: Path) -> None:
    comment = b"!\xfe\x05hello\0" + b"!\xff\x0bNETSCAPE2.0\x03\1\0\0\0"
    loaded = load(tmp_path, gif(comment, gif_frame(1, 0, 0, 6, 5)))
    assert (loaded.rgb == RED).all()


def test_a_gif_of_pillow_has_its_pixels(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    indices = PIL.Image.fromarray(rng.integers(0, 256, (50, 60), dtype=np.uint8))
    indices.putpalette(rng.integers(0, 256, 768, dtype=np.uint8).tobytes())
    for options in ({}, {"interlace": 0}, {"transparency": 7}):
        indices.save(tmp_path / "b.gif", **options)
        with PIL.Image.open(tmp_path / "b.gif") as image:
            expected = np.asarray(image.convert("RGBA"))
        loaded = load_image(tmp_path / "b.gif")
        np.testing.assert_array_equal(loaded.source, expected[..., :3])
        if options.get("transparency"):
            np.testing.assert_array_equal(
                loaded.source_alpha, expected[..., 3].astype(int) * 257
            )


def test_a_gif_without_its_end_is_read_and_one_without_pixels_is_not(
    tmp_path: Path,
) -> None:
    loaded = load(tmp_path, gif(gif_frame(1, 0, 0, 6, 5), end=b""))
    assert (loaded.rgb == RED).all()
    assert loaded.notice is not None
    for damaged in (gif(), gif(gif_frame(1, 0, 0, 6, 5)[:-6], end=b"")):
        with pytest.raises(ImageError, match="a is damaged or incomplete"):
            load(tmp_path, damaged)


def test_a_gif_bomb_is_refused(tmp_path: Path) -> None:
    data = gif(gif_frame(1, 0, 0, 6, 5), width=65000, height=65000)
    with pytest.raises(ImageError, match="4225 million pixels"):
        load(tmp_path, data)


# --- WebP -----------------------------------------------------------------------------


def webp(image: PIL.Image.Image, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "WEBP", **options)
    return stream.getvalue()


def riff(*chunks: bytes) -> bytes:
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


def number(value: int) -> bytes:
    return value.to_bytes(3, "little")


def animation(frame: bytes, x: int, y: int, side: int, canvas: int) -> bytes:
    extended = bytes([2 + 16, 0, 0, 0]) + number(canvas - 1) * 2
    place = number(x // 2) + number(y // 2) + number(side - 1) * 2 + number(100) + b"\0"
    return riff(
        chunk(b"VP8X", extended),
        chunk(b"ANIM", b"\xff\xff\xff\xff\0\0"),
        chunk(b"ANMF", place + frame),
        chunk(b"ANMF", b"nonsense" * 9),
    )


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("lossless", [False, True])
def test_the_first_frame_of_an_animation(
    tmp_path: Path, mode: str, lossless: bool
) -> None:
    value = (200, 100, 50) if mode == "RGB" else (200, 100, 50, 120)
    still = webp(PIL.Image.new(mode, (8, 8), value), lossless=lossless, exact=True)
    start = 30 if still[12:16] == b"VP8X" else 12  # the frame has no header of its own
    loaded = load(tmp_path, animation(still[start:], 4, 6, 8, 20))
    assert loaded.rgb.shape == (20, 20, 3)
    alpha = np.zeros((20, 20), int)
    alpha[6:14, 4:12] = 65535 if mode == "RGB" else 120 * 257
    np.testing.assert_allclose(loaded.source_alpha, alpha, atol=300)
    np.testing.assert_allclose(loaded.source[8, 8], (200, 100, 50), atol=3)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("lossless", [False, True])
def test_stills_are_those_of_another_decoder(
    tmp_path: Path, mode: str, lossless: bool
) -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (21, 33, len(mode)), dtype=np.uint8)
    data = webp(PIL.Image.fromarray(pixels), lossless=lossless, exact=True)
    with PIL.Image.open(io.BytesIO(data)) as image:
        expected = np.asarray(image)
    loaded = load(tmp_path, data)
    np.testing.assert_array_equal(loaded.source, expected[..., :3])
    if mode == "RGBA":
        np.testing.assert_array_equal(
            loaded.source_alpha, expected[..., 3].astype(int) * 257
        )


def test_broken_exif_and_a_broken_end(tmp_path: Path) -> None:
    image = PIL.Image.new("RGB", (8, 8), RED)
    data = webp(image, lossless=True, exif=b"Exif\0\0no exif at all")
    loaded = load(tmp_path, data)
    assert (loaded.rgb == RED).all()
    assert "EXIF data" in str(loaded.notice)
    loaded = load(tmp_path, data[:-9])
    assert (loaded.rgb == RED).all()
    assert "end marker" in str(loaded.notice)
    with pytest.raises(ImageError, match="a is damaged or incomplete"):
        load(tmp_path, webp(image, lossless=True)[:-4])
