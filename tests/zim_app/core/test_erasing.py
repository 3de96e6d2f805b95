"""Objects removed from photos: the hole, the clean plate and its files."""

import io

import numpy as np
import PIL.Image
import pytest
from PIL import ImageCms
from psd_tools import PSDImage

from tests.zim_model.onnx.test_inpainting import write_mean_graph
from zim_app.core.erasing import (
    EraseOptions,
    default_margin,
    encode_plate,
    erase,
    make_hole,
    save_plate,
)
from zim_app.core.images import Image, load_image
from zim_model.errors import Cancelled, ImageError, ZimError
from zim_model.matting import inpainting

HEIGHT, WIDTH = 90, 120


@pytest.fixture(autouse=True, scope="module")
def quick_fill():
    """Fills that are good enough for what is asserted here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inpainting, "ITERATIONS", (1, 1, 1))
        yield


def scene(dtype=np.uint8):
    """A green meadow with grain, and a red disc with a soft edge in it."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    alpha = np.clip(17 - np.hypot(x - 60, y - 45), 0, 1)
    grain = np.random.default_rng(0).integers(0, 40, (HEIGHT, WIDTH, 1))
    meadow = np.array((40, 130, 50)) + grain
    pixels = alpha[..., None] * (230, 20, 20) + (1 - alpha[..., None]) * meadow
    scale = 257 if dtype == np.uint16 else 1
    pixels = np.rint(pixels * scale).astype(dtype)
    return pixels, np.rint(alpha * 65535).astype(np.uint16)


@pytest.fixture(scope="module")
def disc():
    pixels, alpha = scene()
    return Image.from_array(pixels, "disc.png"), alpha


@pytest.fixture(scope="module")
def plate(disc):
    return erase(*disc)


def test_the_object_is_gone_and_the_rest_untouched(disc, plate):
    image, alpha = disc
    red = plate.image.rgb[..., 0].astype(int) - plate.image.rgb[..., 1]
    assert red.max() < 0
    assert np.array_equal(plate.image.rgb[~plate.hole], image.rgb[~plate.hole])
    assert plate.hole[alpha > 655].all()
    assert plate.image.key != image.key


def test_the_margin_grows_the_hole(disc):
    image, alpha = disc
    sizes = [make_hole(image, alpha, margin).sum() for margin in (0, 4, 9)]
    assert sizes[0] == (alpha > 655).sum()
    assert sizes[0] < sizes[1] < sizes[2]
    assert default_margin(alpha) == 3


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_depth_of_the_photo_is_kept(dtype):
    pixels, alpha = scene(dtype)
    image = Image.from_array(pixels, "deep.png")
    source = erase(image, alpha).image.source
    assert source.dtype == dtype
    top = np.iinfo(dtype).max
    assert (source[45, 60] / top)[0] < 0.4


def test_transparent_parts_are_not_copied_and_stay_transparent():
    pixels, alpha = scene()
    own = np.full(alpha.shape, 255, np.uint8)
    own[:, :30] = 0
    pixels[:, :30] = (0, 0, 255)
    image = Image.from_array(pixels, "cut.png", own)
    result = erase(image, alpha).image
    assert result.source[..., 2][:, 40:].max() < 120
    assert np.array_equal(result.source_alpha, image.source_alpha)


@pytest.mark.parametrize("margin", [200, 1000])
def test_a_hole_that_covers_the_photo_names_file_and_cure(disc, margin):
    with pytest.raises(ImageError, match=r"covers disc\.png") as caught:
        erase(*disc, EraseOptions(margin))
    assert "smaller margin" in caught.value.hint


def test_what_leaves_too_little_is_the_same_error(disc):
    image, alpha = disc
    almost = np.full_like(alpha, 65535)
    almost[:4, :4] = 0
    with pytest.raises(ImageError, match=r"covers disc\.png"):
        erase(image, almost, EraseOptions(0))


def test_an_empty_matte_and_a_bad_margin_are_refused(disc):
    image, alpha = disc
    with pytest.raises(ImageError, match="no object to remove"):
        erase(image, np.zeros_like(alpha))
    with pytest.raises(ZimError, match="margin is -1"):
        erase(image, alpha, EraseOptions(-1))


def test_a_removal_can_be_cancelled(disc):
    with pytest.raises(Cancelled):
        erase(*disc, cancelled=lambda: True)


# --- files ----------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp", ".jpg"])
def test_the_plate_is_a_photo_without_transparency(disc, plate, tmp_path, suffix):
    path = save_plate(plate, *disc, tmp_path / f"plate{suffix}")
    read = load_image(path)
    assert read.source_alpha is None
    difference = np.abs(read.rgb.astype(int) - plate.image.rgb).mean()
    assert difference <= (0 if suffix in (".png", ".tif") else 8)


def test_layers_are_the_plate_and_the_cut_out(disc, plate, tmp_path):
    image, alpha = disc
    path = save_plate(plate, image, alpha, tmp_path / "layers.psd")
    below, above = PSDImage.open(path)
    assert [below.name, above.name] == ["Clean plate", "Object"]
    shown = np.asarray(below.topil().convert("RGB"))
    assert np.array_equal(shown, plate.image.rgb)
    assert above.bbox == (43, 28, 78, 63) or above.width < 40
    together = np.asarray(PSDImage.open(path).topil().convert("RGB"), int)
    assert np.abs(together - image.rgb).mean() < 2, "together they are the photo"


def test_profile_and_transparency_are_kept(tmp_path):
    pixels, alpha = scene()
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    own = np.full(alpha.shape, 255, np.uint8)
    own[:20] = 0
    photo = PIL.Image.fromarray(np.dstack([pixels, own]))
    photo.save(tmp_path / "photo.png", icc_profile=icc, dpi=(300, 300))
    image = load_image(tmp_path / "photo.png")
    plate = erase(image, alpha)
    path = save_plate(plate, image, alpha, tmp_path / "plate.png")
    with PIL.Image.open(path) as written:
        assert written.mode == "RGBA"
        assert round(written.info["dpi"][0]) == 300
        assert (written.info.get("icc_profile") is None) == (image.icc is None)
    assert np.array_equal(load_image(path).source_alpha, image.source_alpha)


def test_the_photo_itself_is_never_replaced(tmp_path):
    pixels, alpha = scene()
    path = tmp_path / "photo.png"
    PIL.Image.fromarray(pixels).save(path)
    image = load_image(path)
    with pytest.raises(ImageError, match="never overwritten"):
        save_plate(erase(image, alpha), image, alpha, path)


def test_the_bytes_of_a_plate_are_a_png(plate):
    with PIL.Image.open(io.BytesIO(encode_plate(plate))) as read:
        assert np.array_equal(np.asarray(read), plate.image.rgb)


def test_what_is_to_be_avoided_is_not_copied(disc):
    image, alpha = disc
    pixels = image.rgb.copy()
    pixels[:, 90:] = (20, 20, 250)
    avoid = np.zeros(alpha.shape, bool)
    avoid[:, 88:] = True
    beside = Image.from_array(pixels, "beside.png")
    blue = erase(beside, alpha, avoid=avoid).image.rgb[:, :80, 2]
    assert blue.max() < 120


def test_a_network_does_not_see_what_is_to_be_avoided(disc, tmp_path):
    image, alpha = disc
    pixels = image.rgb.copy()
    pixels[:, 90:] = (20, 20, 250)
    beside = Image.from_array(pixels, "beside.png")
    avoid = np.zeros(alpha.shape, bool)
    avoid[:, 88:] = True
    options = EraseOptions(network=str(write_mean_graph(tmp_path / "mean.onnx")))
    middle = np.s_[45, 60]
    assert erase(beside, alpha, options).image.rgb[middle][2] > 100
    plate = erase(beside, alpha, options, avoid=avoid)
    assert plate.image.rgb[middle][2] < 80
    assert np.array_equal(plate.image.rgb[:, 90:], pixels[:, 90:])
    for each in (options, EraseOptions()):
        with pytest.raises(ImageError, match=r"nothing of beside\.png") as caught:
            erase(beside, alpha, each, avoid=np.ones_like(avoid))
        assert "Avoid less" in caught.value.hint


def test_a_network_does_not_see_what_is_transparent(disc, tmp_path):
    image, alpha = disc
    pixels = np.dstack([image.rgb, np.full(alpha.shape, 255, np.uint8)])
    pixels[:, 90:] = (20, 20, 250, 0)
    PIL.Image.fromarray(pixels).save(tmp_path / "clear.png")
    options = EraseOptions(network=str(write_mean_graph(tmp_path / "mean.onnx")))
    plate = erase(load_image(tmp_path / "clear.png"), alpha, options)
    assert plate.image.rgb[45, 60, 2] < 80
