import numpy as np
import pytest
from PIL import Image

from zim_app.core.images import Picture
from zim_app.core.masks import load_mask
from zim_model.errors import ZimError


@pytest.fixture
def picture():
    return Picture.from_array(np.zeros((20, 30, 3), np.uint8), "photo")


@pytest.fixture
def square():
    mask = np.zeros((20, 30), bool)
    mask[5:15, 10:20] = True
    return mask


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "I;16"])
def test_white_is_the_object(tmp_path, picture, square, mode):
    path = tmp_path / "mask.png"
    if mode == "I;16":
        Image.fromarray(square.astype(np.uint16) * 65535).save(path)
    else:
        Image.fromarray(square.astype(np.uint8) * 255).convert(mode).save(path)
    read = load_mask(path, picture)
    assert (read.mask == square).all()
    assert read.between == 0
    assert not read.transparency


def test_transparency_counts_where_there_is_any(tmp_path, picture, square):
    pixels = np.full((20, 30, 4), 255, np.uint8)  # all white
    pixels[..., 3] = square * 255
    Image.fromarray(pixels).save(tmp_path / "cutout.png")
    read = load_mask(tmp_path / "cutout.png", picture)
    assert (read.mask == square).all()
    assert read.transparency


def test_the_threshold_decides_on_greys(tmp_path, picture):
    ramp = np.tile(np.linspace(0, 255, 30).astype(np.uint8), (20, 1))
    Image.fromarray(ramp).save(tmp_path / "soft.png")
    half = load_mask(tmp_path / "soft.png", picture)
    assert half.mask.sum(1).tolist() == [15] * 20
    assert half.between == pytest.approx(28 / 30)
    low = load_mask(tmp_path / "soft.png", picture, 10)
    assert low.mask.sum() > half.mask.sum()


@pytest.mark.parametrize("threshold", [0, 101, -3])
def test_thresholds_out_of_range(tmp_path, picture, threshold):
    with pytest.raises(ZimError, match=f"threshold is {threshold}"):
        load_mask(tmp_path / "any.png", picture, threshold)


def test_masks_that_do_not_fit(tmp_path, picture):
    Image.new("L", (31, 20), 255).save(tmp_path / "large.png")
    with pytest.raises(ZimError, match="31 x 20 pixels and photo 30 x 20"):
        load_mask(tmp_path / "large.png", picture)
    Image.new("L", (30, 20), 100).save(tmp_path / "dark.png")
    with pytest.raises(ZimError, match="empty mask: no pixel is 50 % of white"):
        load_mask(tmp_path / "dark.png", picture)
    Image.new("RGBA", (30, 20), (255, 255, 255, 0)).save(tmp_path / "clear.png")
    with pytest.raises(ZimError, match="50 % opaque"):
        load_mask(tmp_path / "clear.png", picture)
    (tmp_path / "broken.png").write_bytes(b"no picture")
    with pytest.raises(ZimError, match=r"broken\.png"):
        load_mask(tmp_path / "broken.png", picture)
    with pytest.raises(ZimError, match=r"none\.png"):
        load_mask(tmp_path / "none.png", picture)
