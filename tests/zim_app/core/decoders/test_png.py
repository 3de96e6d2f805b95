"""PNG: every colour type, depth and order of rows; animations; damaged metadata."""

from __future__ import annotations

import itertools
import struct
import zlib
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from zim_app.core.export import ExportOptions, ExportTarget, export
from zim_app.core.images import Image, load_image
from zim_model.errors import ImageError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE, GREY_ALPHA, RGB_ALPHA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGB_ALPHA: 4}
DEPTHS = {
    GREY: (1, 2, 4, 8, 16),
    RGB: (8, 16),
    PALETTE: (1, 2, 4, 8),
    GREY_ALPHA: (8, 16),
    RGB_ALPHA: (8, 16),
}
CASES = [(kind, depth) for kind in DEPTHS for depth in DEPTHS[kind]]
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4))
ADAM7 = (*ADAM7, (1, 0, 2, 2), (0, 1, 1, 2))


def chunk(kind: bytes, body: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + body))
    return struct.pack(">I", len(body)) + kind + body + checksum


def rows(samples: np.ndarray, depth: int) -> bytes:
    if depth >= 8:
        packed = samples.astype(f">u{depth // 8}").reshape(len(samples), -1)
        lines = [line.tobytes() for line in packed]
    else:
        places = np.arange(depth - 1, -1, -1)
        bits = (samples.reshape(len(samples), -1, 1) >> places & 1).astype(np.uint8)
        lines = [np.packbits(line).tobytes() for line in bits.reshape(len(samples), -1)]
    return b"".join(b"\0" + line for line in lines)


def png(
    samples: np.ndarray,
    kind: int,
    depth: int,
    *,
    interlaced: bool = False,
    before: bytes = b"",
    after: bytes = b"",
) -> bytes:
    """A file written after ISO/IEC 15948, with chunks around the image data."""
    height, width = samples.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, interlaced)
    if interlaced:
        parts = [samples[y::dy, x::dx] for x, y, dx, dy in ADAM7]
        data = b"".join(rows(part, depth) for part in parts if part.size)
    else:
        data = rows(samples, depth)
    packed = zlib.compress(data)
    middle = len(packed) // 2
    return (
        SIGNATURE
        + chunk(b"IHDR", header)
        + before
        + chunk(b"IDAT", packed[:middle])
        + chunk(b"IDAT", packed[middle:])
        + after
        + chunk(b"IEND", b"")
    )


def noise(kind: int, depth: int) -> np.ndarray:
    rng = np.random.default_rng(depth)
    return rng.integers(0, 1 << depth, (11, 13, CHANNELS[kind]))


def load(tmp_path: Path, data: bytes) -> Image:
    path = tmp_path / "a.png"
    path.write_bytes(data)
    return load_image(path)


@pytest.mark.parametrize(
    ("kind", "depth", "interlaced", "transparent"),
    [(*case, *flags) for case in CASES for flags in itertools.product((0, 1), (0, 1))],
)
def test_every_pixel(
    tmp_path: Path, kind: int, depth: int, interlaced: int, transparent: int
) -> None:
    samples = noise(kind, depth)
    samples[0, 0] = 0
    top = (1 << depth) - 1
    before, alpha = b"", None
    palette = np.random.default_rng(1).integers(0, 256, (1 << min(depth, 8), 3))
    if kind == PALETTE:
        before = chunk(b"PLTE", palette.astype(np.uint8).tobytes())
    if transparent and kind == PALETTE:
        before += chunk(b"tRNS", bytes([0, 70]))
        table = np.full(256, 255)
        table[:2] = 0, 70
        alpha = table[samples[..., 0]] / 255
    elif transparent and kind in (GREY, RGB):
        before = chunk(b"tRNS", samples[0, 0].astype(">u2").tobytes())
        alpha = 1.0 - (samples == samples[0, 0]).all(-1)
    elif kind in (GREY_ALPHA, RGB_ALPHA):
        alpha = samples[..., -1] / top
    data = png(samples, kind, depth, interlaced=bool(interlaced), before=before)
    loaded = load(tmp_path, data)
    if kind == PALETTE:
        colour = palette[samples[..., 0]] / 255
    else:
        grey = kind in (GREY, GREY_ALPHA)
        colour = (samples[..., :1].repeat(3, -1) if grey else samples[..., :3]) / top
    assert loaded.source.dtype == (np.uint16 if depth == 16 else np.uint8)
    full = np.iinfo(loaded.source.dtype).max
    np.testing.assert_allclose(loaded.source / full, colour, atol=1e-9)
    if alpha is None:
        assert loaded.source_alpha is None
    else:
        assert loaded.source_alpha is not None
        np.testing.assert_allclose(loaded.source_alpha / 65535, alpha, atol=1e-9)
    assert loaded.notice is None


def frame(number: int, width: int, height: int, x: int = 0) -> bytes:
    return chunk(
        b"fcTL", struct.pack(">5I2H2B", number, width, height, x, 0, 1, 10, 0, 0)
    )


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize(
    ("size", "body"),
    [
        ((16, 16), b""),  # no data
        ((1, 1), b"x\x9cnonsense"),
        ((5000, 5000), zlib.compress(bytes(100))),  # larger than the canvas
        ((16, 16), zlib.compress(bytes(9))),  # too few
    ],
)
def test_frames_of_an_animation_are_never_decoded(
    tmp_path: Path, depth: int, size: tuple[int, int], body: bytes
) -> None:
    samples = np.zeros((16, 16, 4), int)
    samples[..., 0] = samples[..., 3] = (1 << depth) - 1
    before = chunk(b"acTL", struct.pack(">II", 3, 0)) + frame(0, 16, 16)
    after = frame(1, *size, x=40) + chunk(b"fdAT", struct.pack(">I", 2) + body)
    loaded = load(tmp_path, png(samples, RGB_ALPHA, depth, before=before, after=after))
    assert (loaded.rgb == (255, 0, 0)).all()
    assert loaded.source_alpha is None


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize(
    "data",
    [
        zlib.compress(bytes(16 * 20)),  # some rows are missing
        zlib.compress(b"\x07" * (16 * 97)),  # no such filter
        zlib.compress(bytes(100))[:-9],
    ],
)
def test_pixels_that_are_missing_or_impossible(
    tmp_path: Path, depth: int, data: bytes
) -> None:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 16, 16, depth, RGB, 0, 0, 0))
    path = tmp_path / "a.png"
    path.write_bytes(SIGNATURE + header + chunk(b"IDAT", data) + chunk(b"IEND", b""))
    with pytest.raises(ImageError, match=r"a\.png is damaged or incomplete"):
        load_image(path)


def wrong_checksum(part: bytes) -> bytes:
    return part[:-1] + bytes([part[-1] ^ 1])


PROFILE = b"x\0\0" + zlib.compress(b"no profile at all")
BROKEN = {
    "EXIF data": chunk(b"eXIf", b"no exif at all"),
    "EXIF data ": wrong_checksum(chunk(b"eXIf", b"MM\0*\0\0\0\x08\0\0\0\0\0\0")),
    "colour profile": chunk(b"iCCP", PROFILE),
    "colour profile ": chunk(b"iCCP", b"name without end"),
    "colour profile  ": chunk(b"iCCP", b"x\0\0not deflated"),
    "colour profile   ": wrong_checksum(chunk(b"iCCP", PROFILE)),
    "resolution": chunk(b"pHYs", b"abc"),
    "text": chunk(b"zTXt", b"Raw profile type exif\0\0nonsense"),
    "transparent colour": chunk(b"tRNS", b"\0"),
    "": chunk(b"cHRM", b"short"),
    " ": chunk(b"gAMA", b"") + chunk(b"sRGB", b"\xff\xff") + chunk(b"sBIT", b""),
    "  ": chunk(b"tEXt", b"workflow\0" + bytes(2_000_000)),
    "   ": chunk(b"iTXt", b"a\0\1\0\0\0" + zlib.compress(bytes(3_000_000))),
    "    ": chunk(b"tIME", b"") + chunk(b"vpAg", b"?") + chunk(b"bKGD", b""),
}


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("part", BROKEN)
def test_broken_metadata_cost_themselves_alone(
    tmp_path: Path, part: str, depth: int
) -> None:
    samples = noise(RGB, depth)
    sound = chunk(b"pHYs", struct.pack(">IIB", 11811, 11811, 1))
    exif = PIL.Image.Exif()
    exif[274] = 3
    sound += chunk(b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0"))
    loaded = load(tmp_path, png(samples, RGB, depth, before=BROKEN[part] + sound))
    np.testing.assert_array_equal(loaded.source, samples[::-1, ::-1])
    if "resolution" not in part:
        assert loaded.dpi == pytest.approx((300, 300), abs=0.01)
    if part.strip():
        assert loaded.notice is not None
        assert str(loaded.notice) == (
            f"Unusable and ignored in a.png: {part.strip()}. All pixels were read."
        )
    else:
        assert loaded.notice is None


def test_a_missing_end_is_no_damage(tmp_path: Path) -> None:
    samples = noise(RGB, 8)
    for rest in (12, 9, 1):
        loaded = load(tmp_path, png(samples, RGB, 8)[:-rest])
        np.testing.assert_array_equal(loaded.source, samples)
        assert loaded.notice is not None


def test_a_profile_of_megabytes_is_read_and_written(
    tmp_path: Path, p3_profile: bytes
) -> None:
    large = p3_profile + np.random.default_rng(0).bytes(2_500_000)
    body = chunk(b"iCCP", b"x\0\0" + zlib.compress(large))
    loaded = load(tmp_path, png(noise(RGB, 8), RGB, 8, before=body))
    assert loaded.icc == large
    opaque = np.full(loaded.rgb.shape[:2], 65535, np.uint16)
    for suffix in (".png", ".tif", ".webp", ".jpg"):
        path = tmp_path / f"out{suffix}"
        export(loaded, [ExportTarget(opaque)], path, ExportOptions("composite"))
        assert load_image(path).icc == large


def test_a_profile_bomb_is_not_unpacked(tmp_path: Path) -> None:
    body = chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(300_000_000), 9))
    loaded = load(tmp_path, png(noise(RGB, 8), RGB, 8, before=body))
    assert loaded.icc is None
    assert loaded.notice is not None


def test_grey_with_alpha_keeps_its_profile(
    tmp_path: Path, linear_grey_profile: bytes
) -> None:
    body = chunk(b"iCCP", b"x\0\0" + zlib.compress(linear_grey_profile))
    for depth in (8, 16):
        top = (1 << depth) - 1
        samples = np.full((4, 4, 2), round(0.2 * top))
        samples[..., 1] = top // 2
        loaded = load(tmp_path, png(samples, GREY_ALPHA, depth, before=body))
        expected = 1.055 * 0.2 ** (1 / 2.4) - 0.055
        np.testing.assert_allclose(loaded.source / top, expected, atol=1 / 255)


def test_orientation_in_a_text_of_imagemagick(tmp_path: Path) -> None:
    exif = PIL.Image.Exif()
    exif[274] = 6
    digits = exif.tobytes().hex().encode()
    text = b"\nexif\n%8d\n%s\n" % (len(digits) // 2, digits)
    body = chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(text))
    loaded = load(tmp_path, png(noise(RGB, 8), RGB, 8, before=body))
    assert loaded.rgb.shape == (13, 11, 3)
