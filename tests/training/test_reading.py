"""What training reads of files, besides plain JPEG and PNG."""

import numpy as np
import pytest
from PIL import Image

from training.reading import read_alpha, read_labels, read_photo
from zim_model.errors import ImageError

RAMP = np.linspace(0, 65535, 48 * 64).reshape(48, 64)


def test_a_matte_of_16_bits_keeps_its_values(tmp_path):
    Image.fromarray(RAMP.astype(np.uint16)).save(tmp_path / "a.png")
    np.testing.assert_allclose(read_alpha(tmp_path / "a.png"), RAMP / 257, atol=0.51)


def test_of_a_matte_with_transparency_that_counts(tmp_path):
    plane = (RAMP / 257).astype(np.uint8)
    image = np.dstack([np.full((48, 64, 3), 90, np.uint8), plane])
    Image.fromarray(image).save(tmp_path / "cut-out.png")
    assert np.array_equal(read_alpha(tmp_path / "cut-out.png"), plane)
    image[..., 3] = 255
    Image.fromarray(image).save(tmp_path / "opaque.png")
    assert (read_alpha(tmp_path / "opaque.png") == 90).all()


def test_regions_of_16_bits_keep_apart(tmp_path):
    labels = np.zeros((48, 64), np.uint16)
    labels[:20], labels[20:40] = 300, 65000
    Image.fromarray(labels).save(tmp_path / "a.png")
    read = read_labels(tmp_path / "a.png", longest=32)
    assert read.shape == (24, 32)
    assert [read[0, 0], read[15, 0], read[-1, 0]] == [1, 2, 0]
    Image.fromarray(np.arange(48 * 64).reshape(48, 64).astype(np.uint16)).save(
        tmp_path / "many.png"
    )
    with pytest.raises(ImageError, match="more than 255"):
        read_labels(tmp_path / "many.png")
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(tmp_path / "colour.png")
    with pytest.raises(ImageError, match="in colour"):
        read_labels(tmp_path / "colour.png")


def test_photos_are_read_upright(tmp_path):
    pixels = np.zeros((20, 30, 3), np.uint8)
    pixels[0, 0] = 255
    exif = Image.Exif()
    exif[274] = 6
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
    assert read_photo(tmp_path / "a.png").shape == (30, 20, 3)
    assert read_photo(tmp_path / "a.png")[0, -1].min() == 255


def test_an_unreadable_photo_is_named_with_its_folder(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"x")
    with pytest.raises(ImageError, match=f"{tmp_path.name}/a.jpg cannot be read"):
        read_photo(tmp_path / "a.jpg")


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_the_ones_of_a_mask_are_opaque(tmp_path, kind):
    mask = np.array([[0, 1], [1, 0]], kind)
    Image.fromarray(mask).save(tmp_path / "a.png")
    assert (read_alpha(tmp_path / "a.png") == mask * 255).all()
