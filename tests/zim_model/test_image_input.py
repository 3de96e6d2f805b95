"""Images of several kinds become what a model sees."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from zim_model.errors import ImageError
from zim_model.image_input import as_rgb, pil_pixels, split_alpha

RGB = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)


def test_bytes_are_passed_as_they_are() -> None:
    assert as_rgb(RGB) is RGB


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_are_the_same_image(dtype: type) -> None:
    np.testing.assert_array_equal(as_rgb((RGB / 255).astype(dtype)), RGB)


def test_16_bits_are_the_same_image() -> None:
    np.testing.assert_array_equal(as_rgb(RGB.astype(np.uint16) * 257), RGB)


@pytest.mark.parametrize("shape", [(6, 9), (6, 9, 1)])
def test_grey_gets_three_channels(shape: tuple[int, ...]) -> None:
    grey = RGB[..., 0].reshape(shape)
    np.testing.assert_array_equal(as_rgb(grey), np.dstack([RGB[..., 0]] * 3))


@pytest.mark.parametrize("channels", [1, 3])
def test_transparent_pixels_are_neutral_grey(channels: int) -> None:
    alpha = np.full((6, 9), 255, np.uint8)
    alpha[:3] = 0
    seen = as_rgb(np.dstack([RGB[..., :channels], alpha]))
    assert (seen[:3] == 128).all()
    np.testing.assert_array_equal(seen[3:, :, 0], RGB[3:, :, 0])


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "I;16", "I"]
)
def test_every_mode_of_pil_is_read(mode: str) -> None:
    image = Image.fromarray(RGB)
    if mode.startswith("I"):
        deep = RGB[..., 0].astype(np.int32 if mode == "I" else np.uint16) * 257
        image = Image.fromarray(deep)
        np.testing.assert_array_equal(as_rgb(image)[..., 0], RGB[..., 0])
    else:
        image = image.convert(mode)
    seen = as_rgb(image)
    assert (seen.shape, seen.dtype) == ((6, 9, 3), np.uint8)
    if mode in ("RGB", "RGBA"):
        np.testing.assert_array_equal(seen, RGB)


def test_a_palettes_transparent_colour_is_transparency() -> None:
    image = Image.new("P", (4, 4), 3)
    image.putpalette([0, 0, 0] * 3 + [255, 0, 0])
    image.info["transparency"] = 3
    _, alpha = split_alpha(pil_pixels(image))
    assert alpha is not None
    assert (alpha == 0).all()


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (RGB.astype(np.float32), "Divide by 255"),
        (np.full((4, 4, 3), np.nan), "Divide by 255"),
        (RGB.astype(np.int64), "uint8, uint16"),
        (RGB.transpose(2, 0, 1), "moveaxis"),
        (np.zeros((0, 4, 3), np.uint8), "shape"),
        (np.zeros((2, 3, 4, 5), np.uint8), "shape"),
        ("a path", "PIL.Image.open"),
        ([[1, 2], [3]], "not an array"),
    ],
)
def test_what_is_no_image_is_refused_with_a_cure(image: object, reason: str) -> None:
    with pytest.raises(ImageError, match=reason):
        as_rgb(image)  # type: ignore[arg-type]


def test_a_closed_file_is_an_image_error(tmp_path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(RGB).save(path)
    with Image.open(path) as image:
        pass
    with pytest.raises(ImageError, match="cannot be read"):
        as_rgb(image)
