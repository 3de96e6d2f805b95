"""Light in floats: TIFF as input, OpenEXR and TIFF as output."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import imagecodecs
import numpy as np
import OpenEXR
import pytest
import tifffile

from zim_app.core.export import ExportOptions, ExportTarget, export
from zim_app.core.formats import BY_ID, check_written
from zim_app.core.images import Image, load_image
from zim_app.core.masks import load_mask
from zim_app.core.rasters import Tags
from zim_model.errors import ImageError

SHAPE = (40, 50)
DTYPES = {"16": np.float16, "32": np.float32}


def light_of(values: np.ndarray) -> np.ndarray:
    """The inverse of the sRGB curve (IEC 61966-2-1), both 0 to 1."""
    return np.where(
        values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4
    )


def encoded(light: np.ndarray) -> np.ndarray:
    """The sRGB curve, 0 to 65535."""
    light = np.clip(light, 0, 1)
    return 65535 * np.where(
        light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055
    )


@pytest.fixture
def photo() -> Image:
    pixels = np.random.default_rng(1).integers(0, 256, (*SHAPE, 3), np.uint8)
    return Image.from_array(pixels, "photo")


@pytest.fixture
def alpha() -> np.ndarray:
    values = np.linspace(0, 65535, SHAPE[0] * SHAPE[1]).astype(np.uint16)
    return values.reshape(SHAPE)


def read_exr(path: Path) -> dict[str, np.ndarray]:
    """Channels by the OpenEXR library."""
    file = OpenEXR.File(str(path), separate_channels=True)
    return {name: part.pixels for name, part in file.channels().items()}


# --- Export ---------------------------------------------------------------------------


@pytest.mark.parametrize("depth", ["source", "8", "16", "32"])
def test_exr_has_light_multiplied_by_alpha(
    tmp_path: Path, photo: Image, alpha: np.ndarray, depth: str
) -> None:
    options = ExportOptions(depth=depth, hidden_pixels="keep")  # type: ignore[arg-type]
    path = tmp_path / "a.exr"
    export(photo, [ExportTarget(alpha)], path, options)
    channels = read_exr(path)
    dtype = DTYPES["32" if depth == "32" else "16"]
    assert {name: part.dtype for name, part in channels.items()} == dict.fromkeys(
        "RGBA", dtype
    )
    opacity = alpha / 65535
    tolerance = 1e-6 if depth == "32" else 5e-4  # half the last of 11 bits
    np.testing.assert_allclose(channels["A"], opacity, atol=tolerance)
    for n, name in enumerate("RGB"):
        expected = light_of(photo.source[..., n] / 255) * opacity
        np.testing.assert_allclose(channels[name], expected, atol=tolerance)
    header = OpenEXR.File(str(path)).header()
    assert header["displayWindow"][1].tolist() == [SHAPE[1] - 1, SHAPE[0] - 1]
    assert header["compression"] == OpenEXR.ZIP_COMPRESSION


@pytest.mark.parametrize("suffix", [".exr", ".tif"])
def test_a_matte_has_no_curve(
    tmp_path: Path, photo: Image, alpha: np.ndarray, suffix: str
) -> None:
    path = tmp_path / f"a{suffix}"
    export(photo, [ExportTarget(alpha)], path, ExportOptions("matte", depth="32"))
    values = read_exr(path)["Y"] if suffix == ".exr" else tifffile.imread(path)
    assert values.dtype == np.float32
    np.testing.assert_allclose(values, alpha / 65535, atol=1e-6)
    read = load_mask(path, photo)  # back again
    np.testing.assert_allclose(read.level, alpha / 257, atol=1)


def test_float_tiff_has_straight_light_with_its_profile(
    tmp_path: Path, photo: Image, alpha: np.ndarray
) -> None:
    path = tmp_path / "a.tif"
    options = ExportOptions(depth="32", hidden_pixels="keep")
    export(photo, [ExportTarget(alpha)], path, options)
    with tifffile.TiffFile(path) as tiff:
        page = tiff.pages[0]
        pixels = page.asarray()
        assert [int(each) for each in page.extrasamples] == [2]  # not premultiplied
        icc = page.tags.valueof(34675)
    assert pixels.dtype == np.float32
    np.testing.assert_allclose(pixels[..., 3], alpha / 65535, atol=1e-6)
    np.testing.assert_allclose(pixels[..., :3], light_of(photo.source / 255), atol=1e-5)
    # By its profile, another program sees the photo's colours.
    seen = imagecodecs.cms_transform(
        np.ascontiguousarray(pixels[..., :3]),
        icc,
        imagecodecs.cms_profile("srgb"),
        colorspace="rgb",
        outcolorspace="rgb",
        outdtype=np.uint8,
    )
    np.testing.assert_allclose(seen.astype(int), photo.source, atol=1)


@pytest.mark.parametrize("name", ["a.exr", "a.tif"])
def test_what_is_exported_opens_as_the_same_colours(
    tmp_path: Path, photo: Image, name: str
) -> None:
    opaque = ExportTarget(np.full(SHAPE, 65535, np.uint16))
    export(photo, [opaque], tmp_path / name, ExportOptions(depth="32"))
    image = load_image(tmp_path / name)
    np.testing.assert_array_equal(image.rgb, photo.rgb)
    assert image.source_alpha is None


def test_wide_colours_keep_values_below_zero(
    tmp_path: Path, p3_profile: bytes, p3_to_srgb: Callable[[np.ndarray], np.ndarray]
) -> None:
    pixels = np.zeros((*SHAPE, 3), np.uint8)
    pixels[..., 1] = 255  # outside sRGB
    pixels[:20] = 90, 120, 100
    tifffile.imwrite(
        tmp_path / "p3.tif", pixels, photometric="rgb", iccprofile=p3_profile
    )
    photo = load_image(tmp_path / "p3.tif")
    opaque = ExportTarget(np.full(SHAPE, 65535, np.uint16))
    export(photo, [opaque], tmp_path / "a.exr", ExportOptions(depth="32"))
    channels = read_exr(tmp_path / "a.exr")
    assert channels["R"][30, 0] < -0.05
    inside = p3_to_srgb(pixels[:1, :1].astype(float))[0, 0] / 255
    found = [channels[name][0, 0] for name in "RGB"]
    np.testing.assert_allclose(found, light_of(inside), atol=2e-3)


def test_composites_and_sizes_of_every_remainder(tmp_path: Path) -> None:
    """Blocks have 16 rows, and bytes are split in two."""
    for height, width in ((1, 1), (15, 3), (16, 4), (17, 5), (33, 1)):
        pixels = np.random.default_rng(2).integers(0, 256, (height, width, 3), np.uint8)
        photo = Image.from_array(pixels, "photo")
        target = ExportTarget(np.full((height, width), 65535, np.uint16))
        path = tmp_path / f"{height}.exr"
        export(photo, [target], path, ExportOptions("composite"))
        channels = read_exr(path)
        assert sorted(channels) == ["B", "G", "R"]
        np.testing.assert_allclose(
            channels["G"], light_of(pixels[..., 1] / 255), atol=5e-4
        )


def test_resolution_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "in.tif"
    tifffile.imwrite(
        path, np.zeros((8, 8, 3), np.uint8), photometric="rgb", resolution=(300, 300)
    )
    target = ExportTarget(np.full((8, 8), 65535, np.uint16))
    export(load_image(path), [target], tmp_path / "a.exr")
    assert load_image(tmp_path / "a.exr").dpi == (300, 300)


@pytest.mark.parametrize("format_id", ["exr", "tiff"])
def test_another_files_pixels_are_noticed(tmp_path: Path, format_id: str) -> None:
    entry, tags = BY_ID[format_id], Tags(float_bits=32)
    pixels = np.full((20, 20, 4), 30_000, np.uint16)
    path = tmp_path / f"a{entry.suffixes[0]}"
    with path.open("wb") as stream:
        entry.write(stream, pixels, tags)
    check_written(path, "a", entry, pixels, tags)
    other = pixels.copy()
    other[5, 5, 1] += 40
    with pytest.raises(ImageError, match="not written correctly"):
        check_written(path, "a", entry, other, tags)


def test_formats_without_floats_have_their_most_bits(
    tmp_path: Path, photo: Image, alpha: np.ndarray
) -> None:
    path = tmp_path / "a.png"
    export(photo, [ExportTarget(alpha)], path, ExportOptions(depth="32"))
    image = load_image(path)
    assert image.source.dtype == np.uint16
    assert not image.linear


# --- TIFF as input --------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"compression": "zlib", "predictor": True}])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_without_a_profile_are_light(
    tmp_path: Path, dtype: type, options: dict[str, object]
) -> None:
    if dtype == np.float64:
        options = {}
    light = np.random.default_rng(3).random((*SHAPE, 3)).astype(dtype)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, light, photometric="rgb", **options)
    image = load_image(path)
    assert image.source.dtype == np.uint16
    assert image.linear
    np.testing.assert_allclose(image.source, encoded(light.astype(float)), atol=3)


def test_grey_floats_and_both_kinds_of_alpha(tmp_path: Path) -> None:
    light = np.random.default_rng(3).random(SHAPE, np.float32)
    opacity = np.full(SHAPE, 0.5, np.float32)
    for kind, factor in (("assocalpha", 0.5), ("unassalpha", 1.0)):
        pixels = np.stack([light * np.float32(factor), opacity], axis=-1)
        path = tmp_path / f"{kind}.tif"
        tifffile.imwrite(path, pixels, photometric="minisblack", extrasamples=[kind])
        image = load_image(path)
        np.testing.assert_allclose(image.source[..., 1], encoded(light), atol=3)
        assert image.source_alpha is not None
        assert image.source_alpha[0, 0] in (32767, 32768)


def test_floats_follow_their_profile(
    tmp_path: Path, p3_profile: bytes, p3_to_srgb: Callable[[np.ndarray], np.ndarray]
) -> None:
    values = np.random.default_rng(3).random((*SHAPE, 3), np.float32)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, values, photometric="rgb", iccprofile=p3_profile)
    expected = p3_to_srgb(values.astype(float) * 255)
    assert np.abs(load_image(path).rgb - expected).max() < 3


def test_light_above_white_is_told_and_a_broken_profile_too(tmp_path: Path) -> None:
    values = np.full((*SHAPE, 3), 3, np.float32)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, values, photometric="rgb", iccprofile=b"x" * 200)
    image = load_image(path)
    assert (image.source == 65535).all()
    assert image.notice is not None
    assert "colour profile, light brighter than white" in str(image.notice.text)
