import numpy as np
import PIL.Image
import pytest
import tifffile

from zim_app.core.images import Image
from zim_app.core.masks import load_mask
from zim_model.errors import ZimError


@pytest.fixture
def image():
    return Image.from_array(np.zeros((20, 30, 3), np.uint8), "photo")


@pytest.fixture
def square():
    mask = np.zeros((20, 30), bool)
    mask[5:15, 10:20] = True
    return mask


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "I;16"])
def test_white_is_the_object(tmp_path, image, square, mode):
    path = tmp_path / "mask.png"
    if mode == "I;16":
        PIL.Image.fromarray(square.astype(np.uint16) * 65535).save(path)
    else:
        PIL.Image.fromarray(square.astype(np.uint8) * 255).convert(mode).save(path)
    read = load_mask(path, image)
    assert (read.mask == square).all()
    assert read.between == 0
    assert not read.transparency


def test_transparency_counts_where_there_is_any(tmp_path, image, square):
    pixels = np.full((20, 30, 4), 255, np.uint8)  # all white
    pixels[..., 3] = square * 255
    PIL.Image.fromarray(pixels).save(tmp_path / "cutout.png")
    read = load_mask(tmp_path / "cutout.png", image)
    assert (read.mask == square).all()
    assert read.transparency


@pytest.mark.parametrize("threshold", [1, 50, 100])
@pytest.mark.parametrize("kind", ["L", "RGB", "I;16", "P", "RGBA", "tif"])
def test_masks_of_0_and_1_count_as_black_and_white(
    tmp_path, image, square, kind, threshold
):
    path, small = tmp_path / "classes.png", square.astype(np.uint8)
    if kind == "tif":
        path = tmp_path / "classes.tif"
        tifffile.imwrite(path, small.astype(np.uint16))
    elif kind == "I;16":
        PIL.Image.fromarray(small.astype(np.uint16)).save(path)
    elif kind == "P":
        palette = PIL.Image.fromarray(small, "P")
        palette.putpalette([0, 0, 0, 1, 1, 1])
        palette.save(path)
    elif kind == "RGBA":
        white = np.full((20, 30, 4), 255, np.uint8)
        white[..., 3] = small
        PIL.Image.fromarray(white).save(path)
    else:
        PIL.Image.fromarray(small).convert(kind).save(path)
    read = load_mask(path, image, threshold)
    assert (read.mask == square).all()
    assert read.between == 0
    assert (read.level == square * 255).all()


def test_classes_above_1_are_no_mask_of_two_values(tmp_path, image, square):
    classes = square.astype(np.uint8)
    classes[0, 0] = 2
    PIL.Image.fromarray(classes).save(tmp_path / "classes.png")
    with pytest.raises(ZimError, match="empty mask"):
        load_mask(tmp_path / "classes.png", image)


def test_the_threshold_decides_on_greys(tmp_path, image):
    ramp = np.tile(np.linspace(0, 255, 30).astype(np.uint8), (20, 1))
    PIL.Image.fromarray(ramp).save(tmp_path / "soft.png")
    half = load_mask(tmp_path / "soft.png", image)
    assert half.mask.sum(1).tolist() == [15] * 20
    assert half.between == pytest.approx(28 / 30)
    low = load_mask(tmp_path / "soft.png", image, 10)
    assert low.mask.sum() > half.mask.sum()


@pytest.mark.parametrize("threshold", [0, 101, -3])
def test_thresholds_out_of_range(tmp_path, image, threshold):
    with pytest.raises(ZimError, match=f"threshold is {threshold}"):
        load_mask(tmp_path / "any.png", image, threshold)


def test_masks_that_do_not_fit(tmp_path, image):
    PIL.Image.new("L", (31, 20), 255).save(tmp_path / "large.png")
    with pytest.raises(ZimError, match="31 x 20 pixels and photo 30 x 20"):
        load_mask(tmp_path / "large.png", image)
    PIL.Image.new("L", (30, 20), 100).save(tmp_path / "dark.png")
    with pytest.raises(ZimError, match="empty mask: no pixel is 50 % of white"):
        load_mask(tmp_path / "dark.png", image)
    PIL.Image.new("RGBA", (30, 20), (255, 255, 255, 0)).save(tmp_path / "clear.png")
    with pytest.raises(ZimError, match="50 % opaque"):
        load_mask(tmp_path / "clear.png", image)
    (tmp_path / "broken.png").write_bytes(b"no image")
    with pytest.raises(ZimError, match=r"broken\.png"):
        load_mask(tmp_path / "broken.png", image)
    with pytest.raises(ZimError, match=r"none\.png"):
        load_mask(tmp_path / "none.png", image)
