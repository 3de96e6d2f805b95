from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from zim_app.core import pixels
from zim_app.core.compose import composite, cutout, matte
from zim_app.core.images import Picture, load_picture
from zim_app.core.pixels import at_depth, strips

OPAQUE = 65535


def flat(value: int, dtype: type = np.uint8) -> Picture:
    return Picture.from_array(np.full((3, 4, 3), value, dtype))


def constant(value: int) -> np.ndarray:
    return np.full((3, 4), value, np.uint16)


@settings(deadline=None)
@given(st.data())
def test_cutout_never_touches_a_colour(data: st.DataObject) -> None:
    dtype = data.draw(st.sampled_from([np.uint8, np.uint16]))
    height, width = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 5))
    colour = data.draw(hnp.arrays(dtype, (height, width, 3)))
    alpha = data.draw(hnp.arrays(np.uint16, (height, width)))
    result = cutout(Picture.from_array(colour), alpha)
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
    result = composite(Picture.from_array(colour), alpha, background)
    opacity = alpha[..., None] / OPAQUE
    backdrop = np.array(background) * (257 if dtype == np.uint16 else 1)
    exact = colour * opacity + backdrop * (1 - opacity)
    assert result.dtype == dtype
    np.testing.assert_allclose(result, exact, atol=0.5001)


def test_opaque_and_transparent_are_exact() -> None:
    for dtype, top in ((np.uint8, 255), (np.uint16, 65535)):
        picture = flat(top // 3, dtype)
        assert (composite(picture, constant(OPAQUE), (9, 9, 9)) == top // 3).all()
        assert (composite(picture, constant(0), (255, 255, 255)) == top).all()
        assert (cutout(picture, constant(OPAQUE))[..., 3] == top).all()


def test_background_is_meant_in_srgb(tmp_path, p3_profile, p3_to_srgb) -> None:
    Image.new("RGB", (4, 3)).save(tmp_path / "a.png", icc_profile=p3_profile)
    picture = load_picture(tmp_path / "a.png")
    stored = composite(picture, constant(0), (180, 60, 40))[0, 0]
    assert tuple(stored) != (180, 60, 40)
    np.testing.assert_allclose(p3_to_srgb(stored), (180, 60, 40), atol=2.5)


def test_own_transparency_multiplies_the_matte(tmp_path) -> None:
    Image.new("RGBA", (4, 3), (200, 100, 50, 51)).save(tmp_path / "a.png")
    picture = load_picture(tmp_path / "a.png")  # 20 % opaque
    half = constant(OPAQUE // 2)
    assert cutout(picture, half)[0, 0].tolist() == [200, 100, 50, 25]
    assert (matte(picture, half) == 25).all()
    assert (matte(picture, constant(OPAQUE)) == 51).all()
    over_black = composite(picture, constant(OPAQUE), (0, 0, 0))
    assert over_black[0, 0].tolist() == [40, 20, 10]


def test_matte_has_the_depth_of_the_source() -> None:
    assert matte(flat(0), constant(257)).dtype == np.uint8
    assert (matte(flat(0), constant(257)) == 1).all()
    assert matte(flat(0, np.uint16), constant(300)).dtype == np.uint16
    assert (matte(flat(0, np.uint16), constant(300)) == 300).all()


def test_wrong_alpha_is_a_bug() -> None:
    for alpha in (np.zeros((4, 3), np.uint16), np.zeros((3, 4), np.uint8)):
        with pytest.raises(ValueError, match="alpha is"):
            cutout(flat(0), alpha)


def test_strips_cover_every_row_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pixels, "_STRIP_PIXELS", 10)
    for height, width in ((7, 3), (1, 100), (30, 1), (10, 10)):
        rows = [row for part in strips(height, width) for row in range(30)[part]]
        assert rows == list(range(height))
    noise = np.random.default_rng(0).integers(0, 65536, (7, 3, 3), dtype=np.uint16)
    alpha = noise[..., 0]
    picture = Picture.from_array(noise)
    in_strips = composite(picture, alpha, (1, 2, 3))
    monkeypatch.undo()
    np.testing.assert_array_equal(in_strips, composite(picture, alpha, (1, 2, 3)))


def test_depths_convert_exactly_and_to_the_nearest() -> None:
    bytes_ = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(
        at_depth(at_depth(bytes_, np.uint16), np.uint8), bytes_
    )
    words = np.arange(65536, dtype=np.uint16)
    nearest = np.round(words / 257).astype(np.uint8)
    np.testing.assert_array_equal(at_depth(words, np.uint8), nearest)
    np.testing.assert_array_equal(at_depth(words[None], np.uint8)[0], nearest)
    assert at_depth(words, np.uint16) is words
