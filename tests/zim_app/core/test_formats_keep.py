"""Every format at both depths: the file has the pixels that were written.

Files are read with other libraries than the writing ones where possible.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import cv2
import numpy as np
import PIL.Image
import pytest
import tifffile
from PIL import ExifTags
from psd_tools import PSDImage
from psd_tools.constants import Resource

from zim_app.core.export import ExportOptions, ExportTarget, export
from zim_app.core.formats import FORMATS, FileFormat
from zim_app.core.images import Image, load_image
from zim_app.core.pixels import convert_depth

DPI = (300.0, 254.0)
DEPTHS = {"8": np.uint8, "16": np.uint16}
CASES = [
    pytest.param(entry, depth, id=f"{entry.id}-{depth}")
    for entry in FORMATS
    for depth in DEPTHS
    if (entry.deep or depth == "8") and not entry.float_bits(depth)
]
"""Formats of light in floats are in ``test_floats.py``."""
TRANSPARENT = [case for case in CASES if case.values[0].transparency]  # type: ignore[attr-defined]


@dataclass
class Found:
    """Content of a file read with another library; pixels are (H, W, 3 or 4)."""

    pixels: np.ndarray
    icc: bytes | None
    dpi: tuple[float, float] | None


def read_raster(path: Path) -> Found:
    with PIL.Image.open(path) as image:
        icc, dpi = image.info.get("icc_profile"), image.info.get("dpi")
        if image.format == "WEBP":  # keeps it in the EXIF block only
            exif = image.getexif()
            dpi = (exif[ExifTags.Base.XResolution], exif[ExifTags.Base.YResolution])
            assert exif[ExifTags.Base.ResolutionUnit] == 2
        pixels = np.asarray(image)
    if path.suffix == ".tif":
        pixels = tifffile.imread(path)
    elif path.suffix == ".png":
        pixels = opencv(path.read_bytes())
    return Found(pixels, icc, tuple(map(float, dpi)))


def opencv(data: bytes) -> np.ndarray:
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    return pixels[..., [2, 1, 0, 3][: pixels.shape[2]]]


def read_psd(path: Path) -> Found:
    psd = PSDImage.open(path)
    [layer] = psd
    top = 2**psd.depth - 1
    part = np.round(layer.numpy().astype(np.float64) * top).astype(f"u{psd.depth // 8}")
    whole = np.zeros((psd.height, psd.width, 4), part.dtype)
    left, upper, right, lower = layer.bbox
    whole[upper:lower, left:right] = part
    info = psd.image_resources.get_data(Resource.RESOLUTION_INFO)
    dpi = (info.horizontal / 65536, info.vertical / 65536)
    return Found(whole, psd.image_resources.get_data(Resource.ICC_PROFILE), dpi)


def read_openraster(path: Path) -> Found:
    with zipfile.ZipFile(path) as archive:
        root = ElementTree.fromstring(archive.read("stack.xml"))
        [layer] = root.iter("layer")
        data = archive.read(layer.get("src", ""))
        with PIL.Image.open(io.BytesIO(data)) as image:
            icc = image.info.get("icc_profile")
    part = opencv(data)
    width, height = int(root.get("w", "")), int(root.get("h", ""))
    whole = np.zeros((height, width, 4), part.dtype)
    x, y = int(layer.get("x", "")), int(layer.get("y", ""))
    whole[y : y + part.shape[0], x : x + part.shape[1]] = part
    return Found(whole, icc, (float(root.get("xres", "")), float(root.get("yres", ""))))


READERS: dict[str, Callable[[Path], Found]] = {
    entry.id: read_raster for entry in FORMATS
} | {"psd": read_psd, "ora": read_openraster}


@pytest.fixture
def image(request: Any, p3_profile: bytes) -> Image:
    """All alphas of a byte in 16 x 16 pixels, over colours of every kind."""
    rng = np.random.default_rng(5)
    values = rng.integers(0, 65536, (16, 16, 3), dtype=np.uint16)
    values[:2] = (0, 65535, 32768)  # the extremes under every sort of alpha
    plain = Image.from_array(convert_depth(values, DEPTHS[request.param]), "photo.png")
    return replace(plain, icc=p3_profile, dpi=DPI)


def alphas(depth: str) -> np.ndarray:
    """Every alpha of 8 bits; of 16 bits the smallest, the largest and some between."""
    if depth == "8":
        return np.arange(256, dtype=np.uint16).reshape(16, 16) * np.uint16(257)
    rng = np.random.default_rng(6)
    values = rng.integers(0, 65536, 256, dtype=np.uint16)
    values[:8] = (1, 2, 255, 256, 257, 32767, 65534, 65535)
    return values.reshape(16, 16)


@pytest.mark.parametrize("image", list(DEPTHS), indirect=True)
@pytest.mark.parametrize(("entry", "depth"), TRANSPARENT)
def test_every_half_transparent_pixel_survives(
    tmp_path: Path, image: Image, entry: FileFormat, depth: str
) -> None:
    """Colour and alpha, straight and exact to the last step of the file's depth."""
    path, alpha = tmp_path / f"a{entry.suffixes[0]}", alphas(depth)
    export(image, [ExportTarget(alpha)], path, ExportOptions(depth=depth))  # type: ignore[arg-type]
    read = READERS[entry.id](path).pixels
    assert read.dtype == DEPTHS[depth]
    np.testing.assert_array_equal(read[..., 3], convert_depth(alpha, DEPTHS[depth]))
    shown = read[..., 3] > 0
    expected = convert_depth(image.source, DEPTHS[depth])
    np.testing.assert_array_equal(read[shown][:, :3], expected[shown])


@pytest.mark.parametrize("image", list(DEPTHS), indirect=True)
@pytest.mark.parametrize(("entry", "depth"), CASES)
def test_profile_resolution_and_depth_survive(
    tmp_path: Path, image: Image, entry: FileFormat, depth: str
) -> None:
    path = tmp_path / f"a{entry.suffixes[0]}"
    what = "cutout" if entry.transparency else "composite"
    opaque = np.full((16, 16), 65535, np.uint16)
    export(image, [ExportTarget(opaque)], path, ExportOptions(what, depth=depth))  # type: ignore[arg-type]
    read = READERS[entry.id](path)
    assert read.pixels.dtype == DEPTHS[depth]
    assert read.icc == image.icc
    assert read.dpi == pytest.approx(DPI, abs=0.02)
    if not entry.layered:  # which are only written
        again = load_image(path)
        assert again.dpi == pytest.approx(DPI, abs=0.02)
        assert again.icc == image.icc


@pytest.mark.parametrize(
    ("unit", "sides", "expected"),
    [
        (2, (300, 254), (300, 254)),
        (3, (100, 100), (254, 254)),
        (1, (300, 300), None),
        (2, (0, 300), None),
        (None, (300, 300), (300, 300)),
    ],
)
def test_resolution_of_a_webp_file_is_read(
    tmp_path: Path, unit: Any, sides: Any, expected: Any
) -> None:
    exif = PIL.Image.Exif()
    exif[ExifTags.Base.XResolution], exif[ExifTags.Base.YResolution] = sides
    if unit is not None:
        exif[ExifTags.Base.ResolutionUnit] = unit
    PIL.Image.new("RGB", (4, 3)).save(tmp_path / "a.webp", exif=exif)
    dpi = load_image(tmp_path / "a.webp").dpi
    assert dpi == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize("entry", FORMATS)
def test_place_and_camera_stay_out_of_exports(
    tmp_path: Path, entry: FileFormat
) -> None:
    exif = PIL.Image.Exif()
    exif[ExifTags.Base.Make] = exif[ExifTags.Base.Artist] = "A camera of mine"
    exif.get_ifd(ExifTags.IFD.GPSInfo).update({1: "N", 29: "2026:01:02 at home"})
    photo = tmp_path / "photo.jpg"
    PIL.Image.new("RGB", (16, 16)).save(photo, exif=exif, comment=b"A camera of mine")
    path = tmp_path / f"a{entry.suffixes[0]}"
    what = "cutout" if entry.transparency else "composite"
    opaque = np.full((16, 16), 65535, np.uint16)
    export(load_image(photo), [ExportTarget(opaque)], path, ExportOptions(what))  # type: ignore[arg-type]
    written = path.read_bytes()
    for secret in (b"camera", b"at home"):
        assert secret in photo.read_bytes()
        assert secret not in written


@pytest.mark.parametrize("image", ["16"], indirect=True)
@pytest.mark.parametrize(
    "entry", [each for each in FORMATS if each.deep and not each.float_bits("16")]
)
def test_a_deep_image_stays_deep_unasked(
    tmp_path: Path, image: Image, entry: FileFormat
) -> None:
    path = tmp_path / f"a{entry.suffixes[0]}"
    export(image, [ExportTarget(alphas("16"))], path)
    read = READERS[entry.id](path).pixels
    assert read.dtype == np.uint16
    shown = read[..., 3] > 0
    np.testing.assert_array_equal(read[shown][:, :3], image.source[shown])


@pytest.mark.parametrize("image", list(DEPTHS), indirect=True)
@pytest.mark.parametrize(("entry", "depth"), TRANSPARENT)
def test_away_from_the_edge_decontamination_leaves_the_photograph(
    tmp_path: Path, image: Image, entry: FileFormat, depth: str
) -> None:
    path = tmp_path / f"a{entry.suffixes[0]}"
    alpha = np.full((16, 16), 65535, np.uint16)
    alpha[:, 5], alpha[:, :5] = 30000, 0
    options = ExportOptions(depth=depth, decontaminate=1.0)  # type: ignore[arg-type]
    export(image, [ExportTarget(alpha)], path, options)
    read = READERS[entry.id](path).pixels
    expected = convert_depth(image.source, DEPTHS[depth])
    np.testing.assert_array_equal(read[:, 6:, :3], expected[:, 6:])
    assert (read[:, 5, :3] != expected[:, 5]).any()
