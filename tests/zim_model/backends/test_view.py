import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from zim_model.backends.view import (
    View,
    normalise,
    resize_view,
)
from zim_model.network.config import PIXEL_MEAN, PIXEL_STD, RELATIVES, ZIM_VIT_B
from zim_model.prompts import Point, PromptSet, Scribble

sizes = st.integers(1, 3000)


@given(sizes, sizes)
def test_the_longer_side_fills_the_input(height, width):
    h, w = View.whole(height, width, 1024).input_size
    assert max(h, w) == 1024
    assert min(h, w) == max(
        1, int(min(height, width) * 1024 / max(height, width) + 0.5)
    )


@given(sizes, sizes)
def test_a_stretched_view_fills_the_input(height, width):
    view = View.whole_for(RELATIVES["sam2.1-hiera-tiny"], height, width)
    assert view.input_size == (1024, 1024)
    assert view.cells(4) == (256, 256)
    assert view.flip(width).stretch
    assert view.part(0, 0, 1, 1).input_size == (1024, 1024)
    assert not View.whole_for(ZIM_VIT_B, height, width).stretch


@given(st.data(), st.integers(2, 500), st.integers(2, 500), st.booleans())
def test_prompts_keep_their_relative_place(data, height, width, stretch):
    x = data.draw(st.floats(0, width, exclude_max=True))
    y = data.draw(st.floats(0, height, exclude_max=True))
    view = View.whole(height, width, 128, stretch=stretch)
    h, w = view.input_size
    (point,) = view.apply(PromptSet((Point(x, y),))).points
    assert np.isclose(point.x / w, x / width)
    assert np.isclose(point.y / h, y / height)


def test_resize_is_that_of_the_official_predictor():
    image = np.random.default_rng(0).integers(0, 256, (700, 1500, 3), dtype=np.uint8)
    view = View.whole(700, 1500, 1024)
    expected = Image.fromarray(image).resize((1024, 478), Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(resize_view(ZIM_VIT_B, image, view), expected)


def test_padding_is_zero_after_normalisation():
    pixels = np.full((10, 16, 3), 200, np.uint8)
    out = normalise(pixels, 16)
    assert out.shape == (3, 16, 16)
    assert not out[:, 10:].any()
    np.testing.assert_allclose(out[:, 0, 0], (200 - PIXEL_MEAN) / PIXEL_STD, rtol=1e-5)


def test_a_scribble_goes_into_the_view_as_a_dense_line():
    view = View(100, 50, 300, 250, 128)  # 200 image pixels are 128 of the input
    line = Scribble(((100, 150), (299, 150)))
    (scaled,) = view.apply(PromptSet(scribbles=(line,))).scribbles
    x, y = np.array(scaled.path).T
    assert (y == 64).all()
    assert x[0] == 0
    assert np.isclose(x[-1], 199 * 0.64)
    assert np.diff(x).max() <= 16


def test_the_part_of_a_scribble_outside_the_view_is_dropped():
    view = View(100, 50, 300, 250, 128)
    crossing = Scribble(((0, 150), (199, 150)))
    outside = Scribble(((0, 0), (50, 20)))
    scribbles = view.apply(PromptSet(scribbles=(crossing, outside))).scribbles
    assert len(scribbles) == 1
    x, _ = np.array(scribbles[0].path).T
    assert 0 <= x.min() <= 16
    assert np.isclose(x.max(), 99 * 0.64)


def test_a_region_is_clipped_to_the_view():
    view = View(100, 50, 300, 250, 128)
    loop = Scribble(((0, 0), (200, 0), (200, 150), (0, 150)), False, region=True)
    beside = Scribble(((0, 0), (50, 0), (50, 300)), region=True)
    (scaled,) = view.apply(PromptSet(scribbles=(loop, beside))).scribbles
    assert set(scaled.path) == {(0, 0), (64, 0), (64, 64), (0, 64)}
    assert (scaled.positive, scaled.region) == (False, True)
