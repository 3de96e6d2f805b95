from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import tifffile

from zim_app.core.images import TRANSPARENT_GREY, Image, load_image
from zim_model.errors import ImageError

Convert = Callable[[np.ndarray], np.ndarray]
RED, BLUE = (255, 0, 0), (0, 0, 255)
BLOCK = 32


def red_and_blue() -> PIL.Image.Image:
    """Red on the left, blue on the right; survives chroma subsampling."""
    image = PIL.Image.new("RGB", (2 * BLOCK, BLOCK), RED)
    image.paste(BLUE, (BLOCK, 0, 2 * BLOCK, BLOCK))
    return image


def chunk(kind: bytes, body: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + body))
    return struct.pack(">I", len(body)) + kind + body + checksum


def with_chunk(png: bytes, kind: bytes, body: bytes) -> bytes:
    return png[:33] + chunk(kind, body) + png[33:]


def png16(pixels: np.ndarray) -> bytes:
    """A 16-bit PNG written without any image library; 1 to 4 samples a pixel."""
    height, width, samples = pixels.shape
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[samples]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def exif(orientation: int) -> bytes:
    entries = PIL.Image.Exif()
    entries[274] = orientation
    return entries.tobytes()


def assert_sound(loaded: Image) -> None:
    """Check the invariants of every image."""
    shape = (loaded.height, loaded.width)
    assert loaded.rgb.shape == loaded.source.shape == (*shape, 3)
    assert loaded.rgb.dtype == np.uint8
    assert loaded.source.dtype in (np.uint8, np.uint16)
    for array in (loaded.rgb, loaded.source, loaded.source_alpha):
        if array is not None:
            assert not array.flags.writeable
            assert array.flags.c_contiguous
    if loaded.source_alpha is not None:
        assert loaded.source_alpha.shape == shape
        assert loaded.source_alpha.dtype == np.uint16


# --- formats and modes ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.png", {}),
        ("a.jpg", {"quality": 95}),
        ("a.tif", {}),
        ("lzw.tif", {"compression": "tiff_lzw"}),
        ("a.webp", {"lossless": True}),
        ("a.bmp", {}),
        ("a.gif", {}),
    ],
)
def test_red_stays_red_in_every_format(
    tmp_path: Path, name: str, options: dict[str, Any]
) -> None:
    path = tmp_path / name
    red_and_blue().save(path, **options)
    loaded = load_image(path)
    assert_sound(loaded)
    assert (loaded.path, loaded.name) == (path, name)
    assert (loaded.height, loaded.width) == (BLOCK, 2 * BLOCK)
    np.testing.assert_allclose(loaded.rgb[BLOCK // 2, BLOCK // 2], RED, atol=3)
    np.testing.assert_allclose(loaded.rgb[BLOCK // 2, -BLOCK // 2], BLUE, atol=3)
    assert loaded.source is loaded.rgb
    assert loaded.source_alpha is None
    assert loaded.icc is None


def test_stereo_jpeg_of_a_camera_gives_its_first_image(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    other = PIL.Image.new("RGB", (8, 8), BLUE)
    red_and_blue().save(path, "MPO", save_all=True, append_images=[other])
    assert load_image(path).width == 2 * BLOCK


def test_suffix_does_not_matter_and_names_may_be_foreign(tmp_path: Path) -> None:
    path = tmp_path / "猫 été.jpeg"
    red_and_blue().save(path, "PNG")
    assert tuple(load_image(path).rgb[0, 0]) == RED


@pytest.mark.parametrize(
    ("mode", "value", "expected"),
    [
        ("1", 1, (255, 255, 255)),
        ("L", 77, (77, 77, 77)),
        ("P", 3, (10, 200, 30)),
        ("RGB", (10, 200, 30), (10, 200, 30)),
    ],
)
def test_opaque_modes(tmp_path: Path, mode: str, value: Any, expected: Any) -> None:
    image = PIL.Image.new(mode, (5, 4), value)
    if mode == "P":
        image.putpalette([0] * 9 + [10, 200, 30])
    image.save(tmp_path / "a.png")
    loaded = load_image(tmp_path / "a.png")
    assert_sound(loaded)
    assert (loaded.source == expected).all()
    assert loaded.source is loaded.rgb


def half_clear(mode: str) -> tuple[PIL.Image.Image, dict[str, Any], int]:
    """An image of that mode, how to save it, and the alpha of its pixels."""
    if mode == "LA":
        return PIL.Image.new("LA", (5, 4), (90, 64)), {}, 64
    if mode == "RGBA":
        return PIL.Image.new("RGBA", (5, 4), (200, 100, 50, 64)), {}, 64
    if mode == "P":
        image = PIL.Image.new("P", (5, 4), 1)
        image.putpalette([0, 0, 0, 200, 100, 50])
        return image, {"transparency": bytes([255, 64])}, 64
    return (
        PIL.Image.new("RGB", (5, 4), (200, 100, 50)),
        {"transparency": (200, 100, 50)},
        0,
    )


@pytest.mark.parametrize("mode", ["LA", "RGBA", "P", "RGB"])
def test_transparency_is_kept_and_composited_over_grey_for_the_model(
    tmp_path: Path, mode: str
) -> None:
    image, options, alpha = half_clear(mode)
    image.save(tmp_path / "a.png", **options)
    loaded = load_image(tmp_path / "a.png")
    assert_sound(loaded)
    colour = (90, 90, 90) if mode == "LA" else (200, 100, 50)
    assert (loaded.source == colour).all()
    assert loaded.source_alpha is not None
    assert (loaded.source_alpha == alpha * 257).all()
    expected = np.array(colour) * alpha / 255 + TRANSPARENT_GREY * (1 - alpha / 255)
    np.testing.assert_allclose(loaded.rgb[1, 1], expected, atol=0.5)


def test_colours_hidden_under_full_transparency_do_not_reach_the_model(
    tmp_path: Path,
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (8, 8, 4), dtype=np.uint8)
    noise[..., 3] = 0
    PIL.Image.fromarray(noise).save(tmp_path / "a.png")
    loaded = load_image(tmp_path / "a.png")
    assert (loaded.rgb == TRANSPARENT_GREY).all()
    np.testing.assert_array_equal(loaded.source, noise[..., :3])


def test_alpha_that_is_opaque_everywhere_counts_as_none(tmp_path: Path) -> None:
    PIL.Image.new("RGBA", (5, 4), (1, 2, 3, 255)).save(tmp_path / "a.png")
    loaded = load_image(tmp_path / "a.png")
    assert loaded.source_alpha is None
    assert loaded.source is loaded.rgb


# --- 16 bits --------------------------------------------------------------------------


@pytest.mark.parametrize("samples", [1, 2, 3, 4])
def test_16_bit_png_keeps_every_bit(
    tmp_path: Path, colours: np.ndarray, samples: int
) -> None:
    pixels = np.dstack([colours, colours[::-1, :, :1]])[..., :samples]
    (tmp_path / "a.png").write_bytes(png16(pixels))
    loaded = load_image(tmp_path / "a.png")
    assert_sound(loaded)
    assert loaded.source.dtype == np.uint16
    colour = pixels[..., :3] if samples > 2 else np.repeat(pixels[..., :1], 3, axis=2)
    np.testing.assert_array_equal(loaded.source, colour)
    if samples in (2, 4):
        np.testing.assert_array_equal(loaded.source_alpha, pixels[..., -1])
    else:
        assert loaded.source_alpha is None
        np.testing.assert_allclose(loaded.rgb, colour / 257, atol=0.5)


def test_16_bit_png_with_a_transparent_grey(tmp_path: Path) -> None:
    pixels = np.array([[[1000], [2000]]], np.uint16)
    data = with_chunk(png16(pixels), b"tRNS", struct.pack(">H", 1000))
    (tmp_path / "a.png").write_bytes(data)
    alpha = load_image(tmp_path / "a.png").source_alpha
    assert alpha is not None
    assert alpha.tolist() == [[0, 65535]]


@pytest.mark.parametrize("compression", [None, "zlib", "lzw", "packbits"])
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_16_bit_tiff_keeps_every_bit(
    tmp_path: Path, colours: np.ndarray, compression: str | None, planar: str
) -> None:
    path = tmp_path / "a.tif"
    stored = np.moveaxis(colours, -1, 0) if planar == "separate" else colours
    tifffile.imwrite(
        path, stored, photometric="rgb", planarconfig=planar, compression=compression
    )
    loaded = load_image(path)
    assert_sound(loaded)
    np.testing.assert_array_equal(loaded.source, colours)


@pytest.mark.parametrize("extra", ["unassalpha", "assocalpha"])
def test_16_bit_tiff_alpha_comes_out_straight(tmp_path: Path, extra: str) -> None:
    colour, alpha = np.array([40000, 20000, 10000]), 32768
    stored = colour * alpha / 65535 if extra == "assocalpha" else colour
    pixel = np.array([*np.round(stored), alpha], np.uint16)
    path = tmp_path / "a.tif"
    pixels = np.broadcast_to(pixel, (4, 5, 4))
    tifffile.imwrite(path, pixels, photometric="rgb", extrasamples=[extra])
    loaded = load_image(path)
    np.testing.assert_allclose(loaded.source[0, 0], colour, atol=1)
    assert loaded.source_alpha is not None
    assert (loaded.source_alpha == alpha).all()


def test_16_bit_grey_tiff_in_both_directions(
    tmp_path: Path, colours: np.ndarray
) -> None:
    grey = colours[..., 0]
    for photometric, stored in (("minisblack", grey), ("miniswhite", 65535 - grey)):
        path = tmp_path / f"{photometric}.tif"
        tifffile.imwrite(path, stored, photometric=photometric)
        source = load_image(path).source
        np.testing.assert_array_equal(source, np.repeat(grey[..., None], 3, axis=2))


def test_16_bit_cmyk_tiff_becomes_srgb(tmp_path: Path) -> None:
    pixels = np.broadcast_to(np.array([65535, 0, 0, 0], np.uint16), (4, 5, 4))
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="separated")
    assert (load_image(tmp_path / "a.tif").source == (0, 255, 255)).all()


@pytest.mark.parametrize("dtype", ["complex64", "uint32", "int16"])
def test_tiff_without_an_agreed_range_is_refused(tmp_path: Path, dtype: str) -> None:
    pixels = np.zeros((4, 5, 3), dtype)
    tifffile.imwrite(tmp_path / "hdr.tif", pixels, photometric="rgb")
    with pytest.raises(ImageError, match=f"hdr.tif.*{dtype}.*Save it as"):
        load_image(tmp_path / "hdr.tif")


# --- colour ---------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp"])
def test_profile_is_applied_for_the_model_and_kept_for_the_export(
    tmp_path: Path, p3_profile: bytes, p3_to_srgb: Convert, suffix: str
) -> None:
    pixel = (200, 110, 90)
    path = tmp_path / f"a{suffix}"
    options = {"lossless": True} if suffix == ".webp" else {}
    PIL.Image.new("RGB", (8, 8), pixel).save(path, icc_profile=p3_profile, **options)
    loaded = load_image(path)
    assert_sound(loaded)
    assert loaded.icc == p3_profile
    np.testing.assert_allclose(loaded.source[0, 0], pixel, atol=1)
    np.testing.assert_allclose(
        loaded.rgb[0, 0], p3_to_srgb(loaded.source[0, 0]), atol=1.5
    )
    assert abs(int(loaded.rgb[0, 0, 0]) - 200) > 5  # it is not the identity


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_16_bit_image_with_a_profile(
    tmp_path: Path, p3_profile: bytes, p3_to_srgb: Convert, suffix: str
) -> None:
    pixel = np.array([51401, 28271, 23133], np.uint16)
    pixels = np.broadcast_to(pixel, (4, 5, 3))
    path = tmp_path / f"a{suffix}"
    if suffix == ".tif":
        tifffile.imwrite(path, pixels, photometric="rgb", iccprofile=p3_profile)
    else:
        body = b"x\0\0" + zlib.compress(p3_profile)
        path.write_bytes(with_chunk(png16(pixels), b"iCCP", body))
    loaded = load_image(path)
    assert loaded.icc == p3_profile
    assert (loaded.source == pixel).all()
    np.testing.assert_allclose(loaded.rgb[0, 0], p3_to_srgb(pixel / 257), atol=1.5)


def test_srgb_profile_changes_nothing_but_is_kept(tmp_path: Path) -> None:
    from PIL import ImageCms

    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    red_and_blue().save(tmp_path / "a.png", icc_profile=icc)
    loaded = load_image(tmp_path / "a.png")
    assert loaded.icc == icc
    assert loaded.source is loaded.rgb


@pytest.mark.parametrize("grey", [False, True])
def test_a_linear_profile_at_16_bits_has_no_bands_in_the_shadows(
    tmp_path: Path, linear_grey_profile: bytes, linear_profile: bytes, grey: bool
) -> None:
    """Every level of sRGB up to 60 comes out; with 8 bits it would be one in ten."""
    levels = np.arange(60) / 255
    light = np.where(
        levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4
    )
    values = np.round(light * 65535).astype(np.uint16)
    pixels = values[None, :, None].repeat(1 if grey else 3, axis=2)
    icc = linear_grey_profile if grey else linear_profile
    body = b"x\0\0" + zlib.compress(icc)
    (tmp_path / "a.png").write_bytes(with_chunk(png16(pixels), b"iCCP", body))
    loaded = load_image(tmp_path / "a.png")
    np.testing.assert_allclose(loaded.rgb[0, :, 1], np.arange(60), atol=0.51)
    if grey:
        np.testing.assert_allclose(
            loaded.source[0, :, 0] / 257, levels * 255, atol=0.05
        )
    else:
        assert loaded.icc == icc
        np.testing.assert_array_equal(loaded.source, pixels)


def test_a_wide_profile_at_16_bits_is_exact(
    tmp_path: Path, p3_profile: bytes, p3_to_srgb: Convert, colours: np.ndarray
) -> None:
    body = b"x\0\0" + zlib.compress(p3_profile)
    (tmp_path / "a.png").write_bytes(with_chunk(png16(colours), b"iCCP", body))
    loaded = load_image(tmp_path / "a.png")
    expected = p3_to_srgb(colours.reshape(-1, 3) / 257).reshape(colours.shape)
    np.testing.assert_allclose(loaded.rgb, expected, atol=1.5)


def test_unusable_profiles_are_ignored(tmp_path: Path, cmyk_profile: bytes) -> None:
    for icc in (b"no profile at all", cmyk_profile):
        red_and_blue().save(tmp_path / "a.png", icc_profile=icc)
        loaded = load_image(tmp_path / "a.png")
        assert loaded.icc is None
        assert tuple(loaded.rgb[0, 0]) == RED
        assert "ignored in a.png: colour profile." in str(loaded.notice)


@pytest.mark.parametrize("bits", [8, 16])
def test_grey_profile_is_applied_to_both_versions(
    tmp_path: Path, linear_grey_profile: bytes, bits: int
) -> None:
    path = tmp_path / "a.png"
    if bits == 8:
        image = PIL.Image.new("L", (4, 4), 55)
        image.save(path, icc_profile=linear_grey_profile)
    else:
        body = b"x\0\0" + zlib.compress(linear_grey_profile)
        pixels = np.full((4, 4, 1), 55 * 257, np.uint16)
        path.write_bytes(with_chunk(png16(pixels), b"iCCP", body))
    loaded = load_image(path)
    assert loaded.icc is None
    light = 55 / 255
    expected = 255 * (1.055 * light ** (1 / 2.4) - 0.055)
    np.testing.assert_allclose(loaded.rgb, expected, atol=1.5)
    scale = 257 if bits == 16 else 1
    np.testing.assert_allclose(loaded.source / scale, loaded.rgb, atol=0.5)


def test_cmyk_jpeg_without_a_profile(tmp_path: Path) -> None:
    PIL.Image.new("CMYK", (16, 16), (255, 0, 0, 0)).save(
        tmp_path / "a.jpg", quality=100
    )
    assert b"Adobe" in (tmp_path / "a.jpg").read_bytes()  # that is: stored inverted
    loaded = load_image(tmp_path / "a.jpg")
    assert_sound(loaded)
    np.testing.assert_allclose(loaded.rgb[3, 3], (0, 255, 255), atol=3)
    assert loaded.source is loaded.rgb


def test_cmyk_jpeg_goes_through_its_profile(
    tmp_path: Path, cmyk_profile: bytes
) -> None:
    path = tmp_path / "a.jpg"
    image = PIL.Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    image.save(path, quality=100, icc_profile=cmyk_profile)
    loaded = load_image(path)
    # Lab (55, -37, -50) is outside sRGB on the red side only: red 0, a deep blue.
    np.testing.assert_allclose(loaded.rgb[3, 3], (0, 147, 217), atol=8)
    assert loaded.icc is None  # the export is sRGB
    assert loaded.source is loaded.rgb


# --- orientation ------------------------------------------------

STORED = {
    1: None,
    2: PIL.Image.Transpose.FLIP_LEFT_RIGHT,
    3: PIL.Image.Transpose.ROTATE_180,
    4: PIL.Image.Transpose.FLIP_TOP_BOTTOM,
    5: PIL.Image.Transpose.TRANSPOSE,
    6: PIL.Image.Transpose.ROTATE_90,
    7: PIL.Image.Transpose.TRANSVERSE,
    8: PIL.Image.Transpose.ROTATE_270,
}
"""An upright scene as a camera in that orientation stores it."""


@pytest.mark.parametrize("kind", ["png", "png16", "jpg", "tif", "tif16", "webp"])
@pytest.mark.parametrize("orientation", STORED)
def test_every_orientation_comes_out_upright(
    tmp_path: Path, orientation: int, kind: str
) -> None:
    upright = red_and_blue()
    upright.paste((0, 255, 0), (0, BLOCK // 2, BLOCK, BLOCK))  # three corners differ
    turn = STORED[orientation]
    stored = upright if turn is None else upright.transpose(turn)
    pixels16 = np.asarray(stored).astype(np.uint16) * 257
    path = tmp_path / f"a.{kind.removesuffix('16')}"
    tag = exif(orientation)
    if kind == "png16":
        data = with_chunk(png16(pixels16), b"eXIf", tag.removeprefix(b"Exif\0\0"))
        path.write_bytes(data)
    elif kind == "tif16":
        extra = [(274, "H", 1, orientation, True)]
        tifffile.imwrite(path, pixels16, photometric="rgb", extratags=extra)
    else:
        sharp = {"webp": {"lossless": True}, "jpg": {"quality": 95, "subsampling": 0}}
        stored.save(path, exif=tag, **sharp.get(kind, {}))
    loaded = load_image(path)
    assert_sound(loaded)
    atol = 6 if kind == "jpg" else 0
    np.testing.assert_allclose(
        loaded.rgb.astype(int), np.asarray(upright, int), atol=atol
    )


def test_orientation_turns_transparency_and_resolution_too(tmp_path: Path) -> None:
    upright = PIL.Image.new("RGBA", (6, 4), (9, 8, 7, 255))
    upright.putpixel((5, 0), (9, 8, 7, 0))
    stored = upright.transpose(STORED[6])
    stored.save(tmp_path / "a.png", exif=exif(6), dpi=(100, 200))
    loaded = load_image(tmp_path / "a.png")
    assert loaded.source_alpha is not None
    assert np.argwhere(loaded.source_alpha == 0).tolist() == [[0, 5]]
    np.testing.assert_allclose(loaded.dpi, (200, 100), atol=0.05)
