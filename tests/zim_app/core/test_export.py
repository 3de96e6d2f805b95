from __future__ import annotations

import builtins
import errno
import io
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import PIL.Image
import pytest
import tifffile

from zim_app.core.export import (
    FORMATS,
    ExportKind,
    ExportOptions,
    ExportTarget,
    check_target,
)
from zim_app.core.export import export as export_targets
from zim_app.core.images import Image, load_image
from zim_model.errors import ImageError

ALPHA = np.array([[0, 1, 32768, 65535], [257, 300, 40000, 65000]], np.uint16)


def export(
    photo: Image,
    alpha: np.ndarray,
    path: Path,
    what: ExportKind = "cutout",
    background: tuple[int, int, int] = (255, 255, 255),
) -> None:
    options = ExportOptions(what, background=background, hidden_pixels="keep")
    export_targets(photo, [ExportTarget(alpha)], path, options)


@pytest.fixture(params=[8, 16])
def photo(request, tmp_path, p3_profile) -> Image:
    """2 x 4 pixels with a profile and 254 dots per inch, of 8 or 16 bits."""
    values = np.random.default_rng(3).integers(0, 65536, (2, 4, 3), dtype=np.uint16)
    path = tmp_path / "source.tif"
    tifffile.imwrite(
        path,
        values if request.param == 16 else (values >> 8).astype(np.uint8),
        photometric="rgb",
        iccprofile=p3_profile,
        resolution=(254, 254),
        resolutionunit="INCH",
    )
    return load_image(path)


def read(path: Path) -> np.ndarray:
    """Decode with another library than the writing one where possible; RGB order."""
    if path.suffix == ".tif":
        return tifffile.imread(path)
    if path.suffix == ".webp":
        return np.asarray(PIL.Image.open(path))
    pixels = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels.ndim == 2:
        return pixels
    return pixels[..., [2, 1, 0, 3][: pixels.shape[2]]]


def at(values: np.ndarray, dtype: Any) -> np.ndarray:
    """Convert 16-bit values to a depth."""
    if values.dtype == dtype:
        return values
    return np.round(values / 257).astype(np.uint8)


def tags(path: Path) -> tuple[bytes | None, tuple[float, float] | None, Any]:
    with PIL.Image.open(path) as image:
        dpi = image.info.get("dpi")
        return (
            image.info.get("icc_profile"),
            dpi and (float(dpi[0]), float(dpi[1])),
            image.getexif().get(274),
        )


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp"])
def test_cutout_keeps_colours_alpha_profile_and_resolution(
    tmp_path: Path, photo: Image, suffix: str
) -> None:
    path = tmp_path / f"out{suffix}"
    export(photo, ALPHA, path)
    written = read(path)
    depth = np.uint8 if suffix == ".webp" else photo.source.dtype
    assert written.dtype == depth
    np.testing.assert_array_equal(written[..., :3], at(photo.source, depth))
    np.testing.assert_array_equal(written[..., 3], at(ALPHA, depth))
    icc, dpi, orientation = tags(path)
    assert icc == photo.icc
    assert orientation in (None, 1)
    if suffix != ".webp":
        np.testing.assert_allclose(dpi, (254, 254), atol=0.02)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp", ".jpg"])
def test_composite_in_every_format(tmp_path: Path, photo: Image, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    export(photo, np.zeros_like(ALPHA), path, "composite", (255, 255, 255))
    with PIL.Image.open(path) as image:
        assert image.mode == "RGB"
    deep = suffix in (".png", ".tif") and photo.source.dtype == np.uint16
    assert (read(path) == (65535 if deep else 255)).all()
    assert tags(path)[0] == photo.icc


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg"])
def test_matte_is_grey_without_a_profile(
    tmp_path: Path, photo: Image, suffix: str
) -> None:
    path = tmp_path / f"out{suffix}"
    export(photo, ALPHA, path, "matte")
    written = read(path)
    depth = np.uint8 if suffix == ".jpg" else photo.source.dtype
    assert written.dtype == depth
    tolerance = 6 if suffix == ".jpg" else 0
    np.testing.assert_allclose(
        written.astype(int), at(ALPHA, depth).astype(int), atol=tolerance
    )
    icc, dpi, _ = tags(path)
    assert icc is None
    np.testing.assert_allclose(dpi, (254, 254), atol=0.5)


def test_half_transparent_pixel_reads_back_to_the_bit(tmp_path: Path) -> None:
    """Premultiplied colour, or alpha applied twice, would change the value."""
    photo = Image.from_array(np.full((1, 1, 3), (200, 100, 50), np.uint8))
    export(photo, np.full((1, 1), 128 * 257, np.uint16), tmp_path / "a.png")
    with PIL.Image.open(tmp_path / "a.png") as image:
        assert image.getpixel((0, 0)) == (200, 100, 50, 128)


def test_16_bit_png_is_well_formed_chunk_by_chunk(tmp_path: Path, photo: Image) -> None:
    export(photo, ALPHA, tmp_path / "a.png")
    stream = io.BytesIO((tmp_path / "a.png").read_bytes())
    assert stream.read(8) == b"\x89PNG\r\n\x1a\n"
    chunks = {}
    while head := stream.read(8):
        length, kind = struct.unpack(">I4s", head)
        body = stream.read(length)
        assert struct.unpack(">I", stream.read(4))[0] == zlib.crc32(kind + body)
        chunks[kind] = body
    order = list(chunks)
    assert order[0] == b"IHDR"
    assert order[-1] == b"IEND"
    assert order.index(b"iCCP") < order.index(b"IDAT") > order.index(b"pHYs")
    assert chunks[b"pHYs"] == struct.pack(">IIB", 10_000, 10_000, 1)
    assert zlib.decompress(chunks[b"iCCP"].split(b"\0\0", 1)[1]) == photo.icc


def test_export_loads_again_as_the_same_image(tmp_path: Path, photo: Image) -> None:
    export(photo, ALPHA, tmp_path / "a.png")
    again = load_image(tmp_path / "a.png")
    np.testing.assert_array_equal(again.source, photo.source)
    assert again.icc == photo.icc
    assert again.source_alpha is not None
    np.testing.assert_allclose(again.source_alpha / 257, ALPHA / 257, atol=0.5)


def test_rotated_photo_is_exported_upright_without_the_tag(tmp_path: Path) -> None:
    exif = PIL.Image.Exif()
    exif[274] = 6
    stored = PIL.Image.new("RGB", (6, 4))
    stored.putpixel((0, 0), (255, 0, 0))  # its top right corner when upright
    stored.save(tmp_path / "a.png", exif=exif)
    photo = load_image(tmp_path / "a.png")
    for suffix in (".png", ".tif", ".webp"):
        path = tmp_path / f"out{suffix}"
        export(photo, np.full((6, 4), 65535, np.uint16), path)
        assert tags(path)[2] in (None, 1)
        with PIL.Image.open(path) as image:
            assert image.size == (4, 6)
            assert image.getpixel((3, 0))[:3] == (255, 0, 0)


def test_untagged_image_stays_untagged(tmp_path: Path) -> None:
    photo = Image.from_array(np.zeros((2, 4, 3), np.uint16))
    for suffix in (".png", ".tif", ".webp"):
        export(photo, ALPHA, tmp_path / f"a{suffix}")
        assert tags(tmp_path / f"a{suffix}")[0] is None
    assert load_image(tmp_path / "a.png").dpi is None
    assert load_image(tmp_path / "a.tif").dpi is None


# --- refusals and failures ------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "what", "sentence"),
    [
        ("a.jpg", "cutout", r"JPEG cannot hold the transparency .* \.png"),
        ("a.xcf", "cutout", r"a\.xcf does not end in .* Use one of \.png, \.tif"),
        ("a", "matte", r"a does not end in"),
        ("missing/a.png", "cutout", r"folder .*missing does not exist\. Create it"),
        ("folder.png", "cutout", r"folder\.png is a folder"),
    ],
)
def test_impossible_targets_are_refused_with_the_cure(
    tmp_path: Path, photo: Image, name: str, what: Any, sentence: str
) -> None:
    (tmp_path / "folder.png").mkdir()
    for refuse in (
        lambda: check_target(photo, tmp_path / name, ExportOptions(what)),
        lambda: export(photo, ALPHA, tmp_path / name, what),
    ):
        with pytest.raises(ImageError, match=sentence):
            refuse()


def test_source_is_never_overwritten(tmp_path: Path, photo: Image) -> None:
    source = tmp_path / "source.tif"
    before = source.read_bytes()
    (tmp_path / "link.tif").symlink_to(source)
    os.link(source, tmp_path / "hard.tif")
    (tmp_path / "sub").mkdir()
    for name in ("source.tif", "link.tif", "hard.tif", "sub/../source.tif"):
        with pytest.raises(ImageError, match=r"is the source photo.*another name"):
            export(photo, ALPHA, tmp_path / name)
    assert source.read_bytes() == before


def test_webp_and_jpeg_have_a_largest_size(tmp_path: Path) -> None:
    photo = Image.from_array(np.zeros((1, 16384, 3), np.uint8))
    alpha = np.zeros((1, 16384), np.uint16)
    with pytest.raises(ImageError, match=r"at most 16383 .* 16384 x 1.* \.png"):
        export(photo, alpha, tmp_path / "a.webp")
    export(photo, alpha, tmp_path / "a.jpg", "matte")
    assert load_image(tmp_path / "a.jpg").width == 16384


def test_largest_sides_are_what_the_encoders_take(tmp_path: Path) -> None:
    for file_format in FORMATS:
        if file_format.max_side > 100_000:
            continue
        side = file_format.max_side
        photo = Image.from_array(np.zeros((1, side, 3), np.uint8))
        path = tmp_path / f"a{file_format.suffixes[0]}"
        export(photo, np.zeros((1, side), np.uint16), path, "composite")


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp", ".jpg", ".psd", ".ora"])
@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (errno.ENOSPC, "the disk is full. Free some space"),
        (errno.EACCES, "permission is denied. Choose another folder"),
    ],
)
def test_failed_save_keeps_the_old_file_and_leaves_nothing_behind(
    tmp_path: Path,
    photo: Image,
    monkeypatch: pytest.MonkeyPatch,
    suffix: str,
    code: int,
    sentence: str,
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    path = folder / f"a{suffix}"
    path.write_bytes(b"precious")

    def fail(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(ImageError, match=f"a{suffix} cannot be written: {sentence}"):
        export(photo, ALPHA, path, "composite")
    assert path.read_bytes() == b"precious"
    assert os.listdir(folder) == [path.name]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_disk_that_fills_up_while_encoding(
    tmp_path: Path, photo: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = open

    def open_full(file: Any, mode: str = "r", *rest: Any, **options: Any) -> Any:
        if mode != "x+b":
            return original(file, mode, *rest, **options)
        Path(file).touch()
        return original("/dev/full", "r+b")

    monkeypatch.setattr(builtins, "open", open_full)
    for name in ("a.png", "a.webp"):
        with pytest.raises(ImageError, match="the disk is full"):
            export(photo, ALPHA, tmp_path / name)
        assert not (tmp_path / name).exists()


def test_replaces_an_existing_result(tmp_path: Path, photo: Image) -> None:
    path = tmp_path / "a.PNG"
    path.write_bytes(b"old")
    export(photo, ALPHA, path)
    assert load_image(path).width == 4


def test_background_is_meant_in_srgb(
    tmp_path: Path, p3_profile: bytes, p3_to_srgb: Any
) -> None:
    PIL.Image.new("RGB", (4, 2)).save(tmp_path / "a.png", icc_profile=p3_profile)
    photo = load_image(tmp_path / "a.png")
    clear = np.zeros((2, 4), np.uint16)
    export(photo, clear, tmp_path / "out.png", "composite", (180, 60, 40))
    stored = read(tmp_path / "out.png")[0, 0]
    assert tuple(stored) != (180, 60, 40)
    np.testing.assert_allclose(p3_to_srgb(stored), (180, 60, 40), atol=2.5)
