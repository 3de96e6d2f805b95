"""BMP: every depth, field layout and header."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from zim_app.core.images import Image, load_image
from zim_model.errors import ImageError

HEADERS = {40: "info", 52: "V2", 56: "V3", 108: "V4", 124: "V5"}
LAYOUTS = {
    "565": (16, (0xF800, 0x07E0, 0x001F, 0)),
    "555": (16, (0x7C00, 0x03E0, 0x001F, 0)),
    "1555": (16, (0x7C00, 0x03E0, 0x001F, 0x8000)),
    "4444": (16, (0x0F00, 0x00F0, 0x000F, 0xF000)),
    "8888": (32, (0xFF0000, 0xFF00, 0xFF, 0xFF000000)),
    "RGBA": (32, (0xFF, 0xFF00, 0xFF0000, 0xFF000000)),
    "ABGR": (32, (0xFF000000, 0xFF0000, 0xFF00, 0xFF)),
    "888": (32, (0xFF0000, 0xFF00, 0xFF, 0)),
    "1010102": (32, (0x3FF00000, 0xFFC00, 0x3FF, 0xC0000000)),
}
SHAPE = (7, 9)


def bmp(
    rows: np.ndarray,
    bits: int,
    *,
    size: int = 40,
    masks: tuple[int, ...] = (),
    palette: bytes = b"",
    top_down: bool = False,
    width: int = SHAPE[1],
    profile: bytes = b"",
) -> bytes:
    """A file of rows of bytes, the upper one first."""
    height, stride = rows.shape[0], -(-rows.shape[1] // 4) * 4
    stored = np.zeros((height, stride), np.uint8)
    stored[:, : rows.shape[1]] = rows
    data = (stored if top_down else stored[::-1]).tobytes()
    behind = b""
    if size == 40 and masks:
        behind = struct.pack("<3I", *masks[:3])
    fields = (size, width, -height if top_down else height, 1, bits)
    header = struct.pack("<IiiHH", *fields) + struct.pack(
        "<IIiiII", 3 if masks else 0, len(data), 11811, 11811, len(palette) // 4, 0
    )
    if size >= 52:
        header += struct.pack("<3I", *(masks or (0, 0, 0))[:3])
    if size >= 56:
        header += struct.pack("<I", (*masks, 0, 0, 0, 0)[3])
    header = header.ljust(size, b"\0")
    offset = 14 + size + len(behind) + len(palette)
    if profile:
        header = header[:56] + b"DEBM" + header[60:112]
        header += struct.pack("<III", offset - 14 + len(data), len(profile), 0)
    total = offset + len(data) + len(profile)
    start = b"BM" + struct.pack("<IHHI", total, 0, 0, offset)
    return start + header + behind + palette + data + profile


def load(tmp_path: Path, data: bytes) -> Image:
    path = tmp_path / "a.bmp"
    path.write_bytes(data)
    return load_image(path)


@pytest.mark.parametrize("top_down", [False, True])
@pytest.mark.parametrize("size", HEADERS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_fields(tmp_path: Path, layout: str, size: int, top_down: bool) -> None:
    bits, masks = LAYOUTS[layout]
    if masks[3] and size < 56:
        masks = (*masks[:3], 0)  # which those headers cannot say
    rng = np.random.default_rng(0)
    words = rng.integers(0, 1 << bits, SHAPE, dtype=np.uint64)
    rows = words.astype(f"<u{bits // 8}").view(np.uint8).reshape(SHAPE[0], -1)
    data = bmp(rows, bits, size=size, masks=masks, top_down=top_down)
    loaded = load(tmp_path, data)
    full = np.iinfo(loaded.source.dtype).max
    for channel in range(3):
        mask = np.uint64(masks[channel])
        expected = (words & mask) / float(mask)
        found = loaded.source[..., channel] / full
        np.testing.assert_allclose(found, expected, atol=0.51 / full)
    if masks[3]:
        assert loaded.source_alpha is not None
        expected = (words & np.uint64(masks[3])) / float(masks[3])
        np.testing.assert_allclose(loaded.source_alpha / 65535, expected, atol=1e-5)
    else:
        assert loaded.source_alpha is None
    assert loaded.dpi == pytest.approx((300, 300), abs=0.01)


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_palettes(tmp_path: Path, bits: int) -> None:
    rng = np.random.default_rng(1)
    indices = rng.integers(0, 1 << bits, SHAPE)
    table = rng.integers(0, 256, (1 << bits, 4), dtype=np.uint8)
    places = np.arange(bits - 1, -1, -1)
    packed = (indices[..., None] >> places & 1).astype(np.uint8).reshape(SHAPE[0], -1)
    rows = np.packbits(packed, axis=1)
    loaded = load(tmp_path, bmp(rows, bits, palette=table.tobytes()))
    np.testing.assert_array_equal(loaded.source, table[indices][..., 2::-1])
    short = load(tmp_path, bmp(rows, bits, palette=table[:1].tobytes()))
    expected = np.where((indices == 0)[..., None], table[0, 2::-1], 0)
    np.testing.assert_array_equal(short.source, expected)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_files_of_pillow(tmp_path: Path, mode: str) -> None:
    rng = np.random.default_rng(2)
    image = PIL.Image.fromarray(rng.integers(0, 256, (*SHAPE, 3), dtype=np.uint8))
    image = image.quantize(50) if mode == "P" else image.convert(mode)
    image.save(tmp_path / "a.bmp", dpi=(300, 300))
    loaded = load_image(tmp_path / "a.bmp")
    np.testing.assert_array_equal(loaded.source, np.asarray(image.convert("RGB")))


def test_run_lengths(tmp_path: Path) -> None:
    palette = bytes([0, 0, 0, 0, *(10, 20, 30, 0), *(40, 50, 60, 0)])
    runs = b"\x02\x01\x01\x02\0\0" + b"\0\x03\x02\x01\x02\0\0\0" + b"\0\1"
    header = struct.pack("<IiiHHIIiiII", 40, 3, 2, 1, 8, 1, len(runs), 0, 0, 3, 0)
    start = b"BM" + struct.pack("<IHHI", 0, 0, 0, 54 + len(palette))
    loaded = load(tmp_path, start + header + palette + runs)
    one, two = [30, 20, 10], [60, 50, 40]
    assert loaded.source.tolist() == [[two, one, two], [one, one, two]]


def test_alpha_that_was_left_unset_is_none(tmp_path: Path) -> None:
    bits, masks = LAYOUTS["8888"]
    rows = np.full((7, 36), 9, np.uint8)
    rows[:, 3::4] = 0
    loaded = load(tmp_path, bmp(rows, bits, size=124, masks=masks))
    assert loaded.source_alpha is None


def test_embedded_profile(tmp_path: Path, p3_profile: bytes) -> None:
    rows = np.full((7, 27), 99, np.uint8)
    loaded = load(tmp_path, bmp(rows, 24, size=124, profile=p3_profile))
    assert loaded.icc == p3_profile
    data = bmp(rows, 24, size=124, profile=p3_profile)[:-5]
    loaded = load(tmp_path, data)
    assert loaded.icc is None
    assert "colour profile" in str(loaded.notice)


def test_other_variants_are_named_and_missing_rows_are_damage(tmp_path: Path) -> None:
    rows = np.zeros((7, 27), np.uint8)
    data = bmp(rows, 24)
    with pytest.raises(ImageError, match="BMP of 24 bits with compression 4"):
        load(tmp_path, data[:30] + struct.pack("<I", 4) + data[34:])
    with pytest.raises(ImageError, match=r"a\.bmp is damaged"):
        load(tmp_path, data[:-20])
    assert load(tmp_path, data[:-1]).rgb.shape == (7, 9, 3)  # padding alone
