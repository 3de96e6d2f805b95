from __future__ import annotations

import numpy as np
import PIL.Image
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from zim_app.core import pixels
from zim_app.core.compose import (
    CutOut,
    composite,
    cut_out_pixels,
    stack_cut_outs,
    union_alpha,
)
from zim_app.core.images import Image, load_image
from zim_app.core.pixels import convert_depth, strips

OPAQUE = 65535


def flat(value: int, dtype: type = np.uint8) -> Image:
    return Image.from_array(np.full((3, 4, 3), value, dtype))


def constant(value: int) -> np.ndarray:
    return np.full((3, 4), value, np.uint16)


@settings(deadline=None)
@given(st.data())
def test_cutout_never_touches_a_colour(data: st.DataObject) -> None:
    dtype = data.draw(st.sampled_from([np.uint8, np.uint16]))
    height, width = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 5))
    colour = data.draw(hnp.arrays(dtype, (height, width, 3)))
    alpha = data.draw(hnp.arrays(np.uint16, (height, width)))
    result = cut_out_pixels(CutOut.from_image(Image.from_array(colour), alpha))
    assert result.dtype == dtype
    np.testing.assert_array_equal(result[..., :3], colour)
    exact = alpha if dtype == np.uint16 else np.round(alpha / 257)
    np.testing.assert_array_equal(result[..., 3], exact)


@settings(deadline=None)
@given(st.data())
def test_composite_is_the_blend_within_rounding(data: st.DataObject) -> None:
    dtype = data.draw(st.sampled_from([np.uint8, np.uint16]))
    colour = data.draw(hnp.arrays(dtype, (2, 3, 3)))
    alpha = data.draw(hnp.arrays(np.uint16, (2, 3)))
    background = data.draw(st.tuples(*[st.integers(0, 255)] * 3))
    result = composite(
        CutOut.from_image(Image.from_array(colour), alpha),
        np.array(background, np.uint8),
    )
    opacity = alpha[..., None] / OPAQUE
    backdrop = np.array(background) * (257 if dtype == np.uint16 else 1)
    exact = colour * opacity + backdrop * (1 - opacity)
    assert result.dtype == dtype
    np.testing.assert_allclose(result, exact, atol=0.5001)


def test_opaque_and_transparent_are_exact() -> None:
    for dtype, top in ((np.uint8, 255), (np.uint16, 65535)):
        image = flat(top // 3, dtype)
        opaque, clear = (
            CutOut.from_image(image, constant(value)) for value in (OPAQUE, 0)
        )
        assert (composite(opaque, np.full(3, 9, np.uint8)) == top // 3).all()
        assert (composite(clear, np.full(3, 255, np.uint8)) == top).all()
        assert (cut_out_pixels(opaque)[..., 3] == top).all()


def test_own_transparency_limits_the_matte(tmp_path) -> None:
    PIL.Image.new("RGBA", (4, 3), (200, 100, 50, 51)).save(tmp_path / "a.png")
    image = load_image(tmp_path / "a.png")  # 20 % opaque
    half = constant(OPAQUE // 2)
    opaque = CutOut.from_image(image, constant(OPAQUE))
    assert cut_out_pixels(CutOut.from_image(image, half))[0, 0].tolist() == [
        200,
        100,
        50,
        51,
    ]
    assert (cut_out_pixels(opaque)[..., 3] == 51).all()
    over_black = composite(opaque, np.zeros(3, np.uint8))
    assert over_black[0, 0].tolist() == [40, 20, 10]


@pytest.mark.parametrize("source", [np.uint8, np.uint16])
@pytest.mark.parametrize("depth", [np.uint8, np.uint16, None])
def test_depth_can_be_chosen(source: type, depth: type | None) -> None:
    cut = CutOut.from_image(flat(100, source), constant(300))
    dtype = depth or source
    colour = 100 if dtype == source else {np.uint8: 0, np.uint16: 25700}[dtype]
    alpha = 300 if dtype == np.uint16 else 1
    for result in (cut_out_pixels(cut, depth), composite(cut, cut.colours, depth)):
        assert result.dtype == dtype
        np.testing.assert_allclose(result[0, 0, :3], colour, atol=0.5)
    assert cut_out_pixels(cut, depth)[0, 0, 3] == alpha


def test_composite_over_another_image() -> None:
    backdrop = np.arange(36, dtype=np.uint8).reshape(3, 4, 3)
    cut = CutOut.from_image(flat(200), constant(0))
    np.testing.assert_array_equal(composite(cut, backdrop), backdrop)


def test_two_mattes_together_are_their_layers() -> None:
    half, clear = constant(32768), constant(0)
    assert (union_alpha([half]) == half).all()
    assert (union_alpha([half, clear]) == half).all()
    np.testing.assert_allclose(union_alpha([half, half]), 0.75 * OPAQUE, atol=2)
    assert (union_alpha([half, constant(OPAQUE)]) == OPAQUE).all()


def test_stack_shows_what_layers_show_one_after_the_other() -> None:
    rng = np.random.default_rng(5)
    backdrop = rng.integers(0, 256, (3, 4, 3), dtype=np.uint8)
    cuts = [
        CutOut(
            rng.integers(0, 256, (3, 4, 3), dtype=np.uint8),
            rng.integers(0, 65536, (3, 4), dtype=np.uint16),
        )
        for _ in range(3)
    ]
    composited = backdrop
    for cut in cuts:
        composited = composite(cut, composited)
    both = composite(stack_cut_outs(cuts), backdrop)
    np.testing.assert_allclose(both.astype(int), composited.astype(int), atol=2)


def test_wrong_alpha_is_a_bug() -> None:
    for alpha in (np.zeros((4, 3), np.uint16), np.zeros((3, 4), np.uint8)):
        with pytest.raises(ValueError, match="alpha is"):
            CutOut.from_image(flat(0), alpha)


def test_strips_cover_every_row_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pixels, "_STRIP_PIXELS", 10)
    for height, width in ((7, 3), (1, 100), (30, 1), (10, 10)):
        rows = [row for part in strips(height, width) for row in range(30)[part]]
        assert rows == list(range(height))
    noise = np.random.default_rng(0).integers(0, 65536, (7, 3, 3), dtype=np.uint16)
    alpha = noise[..., 0]
    image = Image.from_array(noise)
    backdrop = np.array((1, 2, 3), np.uint8)
    in_strips = composite(CutOut.from_image(image, alpha), backdrop)
    monkeypatch.undo()
    whole = composite(CutOut.from_image(image, alpha), backdrop)
    np.testing.assert_array_equal(in_strips, whole)


def test_depths_convert_exactly_and_to_the_nearest() -> None:
    bytes_ = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(
        convert_depth(convert_depth(bytes_, np.uint16), np.uint8), bytes_
    )
    words = np.arange(65536, dtype=np.uint16)
    nearest = np.round(words / 257).astype(np.uint8)
    np.testing.assert_array_equal(convert_depth(words, np.uint8), nearest)
    np.testing.assert_array_equal(convert_depth(words[None], np.uint8)[0], nearest)
    assert convert_depth(words, np.uint16) is words
