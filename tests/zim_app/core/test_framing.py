from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zim_app.core.compose import CutOut
from zim_app.core.framing import (
    crop,
    scale,
    scale_alpha,
    scale_to_cover,
)
from zim_model.errors import Cancelled

OPAQUE = 65535


def disc(size: int = 64) -> CutOut:
    """A red disc with an edge of several pixels; hidden colours are bright green."""
    y, x = np.mgrid[:size, :size] + 0.5
    distance = np.hypot(x - size / 2, y - size / 2)
    alpha = np.clip((size / 3 - distance) / 6, 0, 1)
    colours = np.zeros((size, size, 3), np.uint8)
    colours[alpha > 0] = (200, 30, 10)
    colours[alpha == 0] = (0, 255, 0)
    return CutOut(colours, (alpha * OPAQUE).astype(np.uint16))


@pytest.mark.parametrize("size", [7, 20, 50, 96, 201])
def test_nothing_hidden_bleeds_into_the_edge(size: int) -> None:
    small = scale(disc(), size, size, lambda: False)
    assert small.alpha.shape == (size, size)
    visible = small.alpha > 300
    assert visible.any()
    expected = np.broadcast_to((200, 30, 10), small.colours.shape)
    np.testing.assert_allclose(small.colours[visible], expected[visible], atol=1)


def test_hidden_colours_are_not_black_after_scaling() -> None:
    """Filtering straight alpha without weights would draw a dark fringe."""
    small = scale(disc(), 32, 32, lambda: False)
    assert small.colours[0, 0].tolist() == [0, 255, 0]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_scaling_keeps_a_flat_image_flat(dtype: type) -> None:
    cut = CutOut(np.full((9, 13, 3), 77, dtype), np.full((9, 13), 40000, np.uint16))
    for width, height in ((4, 3), (26, 18), (13, 2), (5, 30)):
        result = scale(cut, width, height, lambda: False)
        assert (result.colours == 77).all()
        assert (result.alpha == 40000).all()
        assert result.colours.dtype == dtype


def test_shrinking_averages_coverage() -> None:
    alpha = np.zeros((4, 4), np.uint16)
    alpha[:, :1] = OPAQUE
    assert scale_alpha(alpha, 2, 2)[0].tolist() == [32768, 0]


def test_scaling_can_be_cancelled() -> None:
    with pytest.raises(Cancelled):
        scale(disc(), 9, 9, lambda: True)


def test_same_size_is_the_same_cut() -> None:
    cut = disc()
    assert scale(cut, 64, 64, lambda: True) is cut
    assert crop(cut, (0, 0, 64, 64)) is cut


@given(st.data())
def test_crop_is_a_window_on_an_endless_transparent_plane(data: st.DataObject) -> None:
    alpha = np.arange(1, 13, dtype=np.uint16).reshape(3, 4)
    colours = np.arange(36, dtype=np.uint8).reshape(3, 4, 3)
    left, top = data.draw(st.integers(-5, 3)), data.draw(st.integers(-5, 2))
    right, bottom = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 8))
    if left >= right or top >= bottom:
        return
    part = crop(CutOut(colours, alpha), (left, top, right, bottom))
    assert part.alpha.shape == (bottom - top, right - left)
    for row in range(top, bottom):
        for column in range(left, right):
            inside = 0 <= row < 3 and 0 <= column < 4
            expected = alpha[row, column] if inside else 0
            assert part.alpha[row - top, column - left] == expected
            nearest = colours[np.clip(row, 0, 2), np.clip(column, 0, 3)]
            assert (part.colours[row - top, column - left] == nearest).all()


def test_cover_takes_the_middle() -> None:
    wide = np.zeros((10, 30, 3), np.uint8)
    wide[:, 10:20] = 255
    assert (scale_to_cover(wide, 20, 20) == 255).all()
    tall = np.swapaxes(wide, 0, 1)
    assert (scale_to_cover(tall, 5, 5) == 255).all()
    assert scale_to_cover(wide, 7, 3).shape == (3, 7, 3)
