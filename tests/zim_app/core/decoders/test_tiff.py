"""TIFF: combinations of photometric, depth, planes, order, compression, samples."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import tifffile

from tests.zim_app.core.decoders.tiff_files import (
    ASSOCIATED,
    BLACK_ZERO,
    COMPRESSIONS,
    INKS,
    OTHER,
    PALETTE,
    RGB,
    STRAIGHT,
    WHITE_ZERO,
    Variant,
    directory,
    tiff_file,
)
from zim_app.core.decoding import DecodedImage, decode
from zim_app.core.images import load_image
from zim_model.errors import ImageError

SHAPE = (13, 11)
COLOURS = {WHITE_ZERO: 1, BLACK_ZERO: 1, RGB: 3, PALETTE: 1, INKS: 4}
EXTRAS = (
    (),
    (OTHER,),
    (STRAIGHT,),
    (ASSOCIATED,),
    (OTHER, STRAIGHT),
    (STRAIGHT, OTHER),
)
VARIANTS = [
    Variant(*choice)
    for choice in itertools.product(
        COLOURS,
        (1, 2, 4, 8, 12, 16),
        (False, True),
        "<>",
        (False, True),
        COMPRESSIONS,
        (False, True),
        EXTRAS,
    )
    if not (choice[0] == PALETTE and choice[1] > 8)
    # Predictors are defined for whole bytes and these compressions.
    and not (
        choice[6] and (choice[1] not in (8, 16) or choice[5] in ("none", "packbits"))
    )
]
CHOSEN = random.Random(19).sample(VARIANTS, 150)


def samples_of(variant: Variant) -> np.ndarray:
    rng = np.random.default_rng(3)
    count = COLOURS[variant.photometric] + len(variant.extra)
    samples = rng.integers(0, 1 << variant.bits, (*SHAPE, count))
    if ASSOCIATED in variant.extra:  # colours are at most alpha
        samples[..., :-1] = samples[..., :-1] * samples[..., -1:] >> variant.bits
    return samples


def colour_map(bits: int) -> np.ndarray:
    return np.random.default_rng(4).integers(0, 65536, (3, 1 << bits))


def expected_of(
    samples: np.ndarray, variant: Variant
) -> tuple[np.ndarray, np.ndarray | None]:
    """Colour and alpha from 0 to 1, computed in floating point."""
    values = samples / ((1 << variant.bits) - 1)
    bands = COLOURS[variant.photometric]
    colour, alpha = values[..., :bands], None
    for kind, extra in zip(
        variant.extra, np.moveaxis(values[..., bands:], -1, 0), strict=True
    ):
        if kind != OTHER:
            alpha = extra
    if variant.photometric == PALETTE:
        colour = (colour_map(variant.bits) >> 8)[:, samples[..., 0]] / 255
        colour = np.moveaxis(colour, 0, -1)
    elif ASSOCIATED in variant.extra:
        with np.errstate(divide="ignore", invalid="ignore"):
            colour = np.where(alpha[..., None] > 0, colour / alpha[..., None], 0)
        colour = np.minimum(colour, 1)
    if variant.photometric == WHITE_ZERO:
        colour = 1 - colour
    return colour, alpha


def decoded(tmp_path: Path, data: bytes) -> DecodedImage:
    path = tmp_path / "a.tif"
    path.write_bytes(data)
    return decode(path)


def check(tmp_path: Path, variant: Variant) -> None:
    samples = samples_of(variant)
    tags = []
    if variant.photometric == PALETTE:
        tags.append((320, 3, colour_map(variant.bits).ravel().tolist()))
    found = decoded(tmp_path, tiff_file(samples, variant, tags))
    colour, alpha = expected_of(samples, variant)
    top = np.iinfo(found.colour.dtype).max
    assert found.colour.dtype == (np.uint8 if variant.bits <= 8 else np.uint16)
    pixels = found.colour.reshape(colour.shape) / top
    atol = 0.51 / top
    if ASSOCIATED in variant.extra:
        colour = np.where(alpha[..., None] > 0, colour, pixels)  # of no importance
    np.testing.assert_allclose(pixels, colour, atol=atol)
    if alpha is None:
        assert found.alpha is None
    else:
        np.testing.assert_allclose(found.alpha / 65535, alpha, atol=0.51 / top)
    assert not found.ignored


@pytest.mark.parametrize("part", range(10))
def test_every_variant_has_the_pixels_that_were_written(
    tmp_path: Path, part: int
) -> None:
    for variant in CHOSEN[part::10]:
        try:
            check(tmp_path, variant)
        except Exception as error:
            raise AssertionError(str(variant)) from error


def test_a_colour_map_of_8_bits_is_taken_as_such(tmp_path: Path) -> None:
    indices = np.arange(256).reshape(16, 16, 1)
    ramp = [*range(256), *reversed(range(256)), *([128] * 256)]
    data = tiff_file(indices, Variant(PALETTE), [(320, 3, ramp)])
    colour = decoded(tmp_path, data).colour.reshape(-1, 3)
    assert colour[200].tolist() == [200, 55, 128]


def test_tiles_and_both_orders_of_bits(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (70, 50, 3), dtype=np.uint8)
    path = tmp_path / "a.tif"
    for compression in (None, "lzw", "jpeg"):
        options = {"compressionargs": {"level": 95}} if compression == "jpeg" else {}
        smooth = np.sort(pixels, axis=0) if options else pixels
        tifffile.imwrite(
            path,
            smooth,
            photometric="rgb",
            tile=(32, 16),
            compression=compression,
            **options,
        )
        difference = decode(path).colour.astype(int) - smooth
        assert np.abs(difference).mean() < (12 if options else 1e-9)
    reversed_bits = bytes(int(f"{n:08b}"[::-1], 2) for n in range(256))
    data = tiff_file(pixels[:5], Variant(rows_per_strip=5), [(266, 3, [2])])
    size = pixels[:5].size
    data = data[:8] + data[8 : 8 + size].translate(reversed_bits) + data[8 + size :]
    np.testing.assert_array_equal(decoded(tmp_path, data).colour, pixels[:5])


@pytest.mark.parametrize("compression", ["group3", "group4", "tiff_ccitt"])
def test_fax(tmp_path: Path, compression: str) -> None:
    path = tmp_path / "a.tif"
    bits = np.random.default_rng(1).random((40, 50)) < 0.3
    PIL.Image.fromarray(bits).save(path, compression=compression)
    np.testing.assert_array_equal(decode(path).colour, bits * np.uint8(255))


def test_jpeg_and_plain_ycbcr(tmp_path: Path) -> None:
    image = PIL.Image.new("RGB", (64, 48), (200, 100, 50))
    for options in ({"compression": "jpeg", "quality": 95}, {"compression": "raw"}):
        source = image if "quality" in options else image.convert("YCbCr")
        source.save(tmp_path / "a.tif", **options)
        loaded = load_image(tmp_path / "a.tif")
        np.testing.assert_allclose(loaded.rgb[20, 20], (200, 100, 50), atol=3)


def test_the_page_that_is_no_preview_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as file:
        small = np.zeros((4, 4, 3), np.uint8)
        file.write(small, photometric="rgb", subfiletype=1)
        file.write(np.full((40, 40, 3), 9, np.uint8), photometric="rgb")
        file.write(small, photometric="rgb")
    assert decode(path).colour.shape == (40, 40, 3)


@pytest.mark.parametrize(
    ("samples", "variant", "tags", "reason"),
    [
        (3, Variant(bits=8, sample_format=2), (), "8-bit int8"),
        (1, Variant(BLACK_ZERO, bits=16, sample_format=2), (), "16-bit int16"),
        (3, Variant(8), (), "CIELAB"),
        (4, Variant(INKS), [(332, 3, [2])], "inks are others than CMYK"),
        (2, Variant(RGB), (), "2 samples a pixel"),
    ],
)
def test_other_variants_are_named(
    tmp_path: Path, samples: int, variant: Variant, tags: list, reason: str
) -> None:
    (tmp_path / "a.tif").write_bytes(
        tiff_file(np.zeros((4, 5, samples), int), variant, tags)
    )
    with pytest.raises(
        ImageError, match=rf"a\.tif cannot be used: .*{reason}.* Save it"
    ):
        load_image(tmp_path / "a.tif")


def test_an_unknown_compression_is_named(tmp_path: Path) -> None:
    data = bytearray(tiff_file(np.zeros((4, 5, 3), int), Variant(compression="lzw")))
    at = data.index(b"\x03\x01\x03\0\x01\0\0\0\x05\0")
    data[at + 8 : at + 10] = (34676).to_bytes(2, "little")
    (tmp_path / "a.tif").write_bytes(data)
    with pytest.raises(ImageError, match="its compression is SGILOG"):
        load_image(tmp_path / "a.tif")


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("cut", [0.3, 0.9, 0.999])
def test_missing_pixels_are_damage(
    tmp_path: Path, compression: str, cut: float
) -> None:
    """The directory stands before the pixels, so that only these are cut off."""
    rng = np.random.default_rng(2)
    pixels = rng.integers(0, 256, (60, 50, 3), dtype=np.uint8)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, pixels, photometric="rgb", compression=compression)
    data = path.read_bytes()
    start = data.index(b"tifffile.py")
    path.write_bytes(data[: start + int((len(data) - start) * cut)])
    with pytest.raises(ImageError, match=r"a\.tif is damaged or incomplete"):
        load_image(path)


def test_a_directory_without_pixels_is_damage(tmp_path: Path) -> None:
    variant = Variant()
    empty = b"II*\0\x08\0\0\0" + directory(
        [(256, 3, [4]), (257, 3, [4]), (258, 3, [8]), (262, 3, [1])], 8, variant
    )
    (tmp_path / "a.tif").write_bytes(empty)
    with pytest.raises(ImageError, match="damaged"):
        load_image(tmp_path / "a.tif")


@pytest.mark.parametrize("tag", [34675, 282, 274, 700, 296])
def test_broken_tags_leave_the_pixels_alone(tmp_path: Path, tag: int) -> None:
    pixels = np.random.default_rng(5).integers(0, 256, (9, 7, 3))
    data = tiff_file(pixels, Variant(), [(tag, 7, b"\xff" * 40)])
    found = decoded(tmp_path, data)
    np.testing.assert_array_equal(found.colour, pixels)
    assert (found.dpi, found.orientation) == (None, 1)
