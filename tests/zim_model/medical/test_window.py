import numpy as np
import pytest
from PIL import Image

from zim_model.errors import ZimError
from zim_model.evaluation.reading import read_image
from zim_model.medical.window import GreyImage, Window, automatic_window


def test_a_window_goes_from_black_to_white():
    values = np.array([[-1000, -160, 40, 240, 3000]], np.int16)
    window = Window.parse("soft-tissue")
    assert window.apply(values, np.uint8).tolist() == [[0, 0, 128, 255, 255]]
    assert window.apply(values, np.uint16, inverted=True)[0, [0, -1]].tolist() == [
        65535,
        0,
    ]


def test_the_automatic_window_leaves_out_a_few_bright_pixels():
    values = np.full((100, 100), 500, np.uint16)
    values[:50] = 300
    values[0, :20] = 60000
    window = automatic_window(values)
    assert (window.low, window.high) == (300, 500)


@pytest.mark.parametrize("values", [np.zeros((3, 3)), np.full((3, 3), np.nan)])
def test_an_even_image_is_rendered(values):
    assert GreyImage(values).render(np.uint8).shape == (3, 3)


@pytest.mark.parametrize("text", ["", "40", "40;400", "a,b", "40,0", "40,-1", "nan,1"])
def test_what_is_no_window_is_refused(text):
    with pytest.raises(ZimError):
        Window.parse(text)
    assert str(Window.parse("-600,1500")) == "-600,1500"


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_grey_of_16_bits_is_scaled_not_clipped(tmp_path, name):
    ramp = np.linspace(900, 1900, 64 * 64).astype(np.uint16).reshape(64, 64)
    Image.fromarray(ramp).save(tmp_path / name)
    pixels = read_image(tmp_path / name)
    assert pixels.shape == (64, 64, 3)
    assert pixels.min() == 0
    assert pixels.max() == 255
    assert 120 < np.median(pixels) < 135
    fixed = read_image(tmp_path / name, Window(32768, 65536))
    assert fixed.max() == round(1900 / 65536 * 255)
