import cv2
import numpy as np
import pytest

from zim_model.matting.guided_upsampling import (
    FINEST,
    guided_upsample,
    upsample_in_steps,
)
from zim_model.matting.pyramid import display_pyramid


def scene(size=400):
    """A dark disc with ragged edge on a light ground, and its exact alpha."""
    y, x = np.mgrid[:size, :size] / size - 0.5
    angle = np.arctan2(y, x)
    radius = 0.3 + 0.05 * np.sin(17 * angle)
    alpha = np.clip((radius - np.hypot(x, y)) * size / 2 + 0.5, 0, 1)
    colours = 40 * alpha[..., None] + (1 - alpha[..., None]) * np.array([220, 200, 180])
    return colours.astype(np.uint8), alpha.astype(np.float32)


def error(out, alpha):
    return float(np.abs(out / 65535 - alpha).mean())


def test_guided_upsampling_halves_the_error_of_bilinear():
    image, alpha = scene()
    small = cv2.resize(alpha, (100, 100), interpolation=cv2.INTER_AREA)
    guided = guided_upsample(small, image, guided=True)
    plain = guided_upsample(small, image, guided=False)
    assert guided.dtype == np.uint16
    assert error(guided, alpha) < error(plain, alpha) / 2


@pytest.mark.parametrize("factor", [4, 6])
def test_the_small_mattes_means_are_kept(factor):
    """The mean over the pixels of a cell stays the cell's alpha."""
    image, alpha = scene(408)
    size = (408 // factor,) * 2
    small = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)
    for guided in (True, False):
        out = guided_upsample(small, image, guided=guided).astype(np.float32) / 65535
        back = cv2.resize(out, size, interpolation=cv2.INTER_AREA)
        far = np.abs(back - small).max()
        assert far < 0.05 if guided else far > 0.08


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_flat_alpha_stays_exactly_flat(value):
    image, _ = scene()
    out = guided_upsample(np.full((100, 100), value, np.float32), image, guided=True)
    assert (out == round(value * 65535)).all()


def test_nothing_changes_far_from_edges_and_there_are_no_seams():
    image, alpha = scene()
    flat = np.full_like(image, 128)  # no colours to follow: must stay as bilinear
    small = cv2.resize(alpha, (100, 100), interpolation=cv2.INTER_AREA)
    guided = guided_upsample(small, flat, guided=True).astype(int)
    band = cv2.dilate(small, np.ones((9, 9))) - cv2.erode(small, np.ones((9, 9))) > 0
    wide = cv2.resize(band.astype(np.uint8), (400, 400)) > 0
    plain = guided_upsample(small, flat, guided=False).astype(int)
    assert np.abs(guided - plain)[~wide].max() == 0
    assert np.abs(guided - plain).max() < 0.25 * 65535
    assert np.abs(np.diff(guided, axis=0)).max() < 0.4 * 65535


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (300, 1), (300, 8), (37, 41)])
def test_any_shape(shape):
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    small = np.random.default_rng(1).random(
        [max(1, s // 4) for s in shape], dtype=np.float32
    )
    assert guided_upsample(small, image, guided=True).shape == shape


def test_pyramid_halves_until_it_is_small():
    alpha = np.full((1500, 700), 65535, np.uint16)
    levels = display_pyramid(alpha)
    assert [level.shape for level in levels] == [(1500, 700), (750, 350), (375, 175)]
    assert all((level == 255).all() for level in levels)
    assert not levels[0].flags.writeable


def test_steps_narrow_a_hesitant_edge():
    image, alpha = scene()
    unsure = cv2.GaussianBlur(alpha, (0, 0), 5)
    small = cv2.resize(unsure, (60, 60), interpolation=cv2.INTER_AREA)
    finer, _ = upsample_in_steps(small, image)
    assert max(finer.shape) > 150
    once, often = (guided_upsample(a, image, guided=True) for a in (small, finer))
    assert error(often, alpha) < 0.9 * error(once, alpha)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_steps_leave_flat_alpha_flat(value):
    image, _ = scene()
    finer, _ = upsample_in_steps(np.full((60, 60), value, np.float32), image)
    assert (finer == value).all()


def test_a_fine_matte_takes_no_steps():
    alpha = np.random.default_rng(0).random((FINEST, 200), np.float32)
    assert (
        upsample_in_steps(alpha, np.zeros((2 * FINEST, 400, 3), np.uint8))[0] is alpha
    )
    small = alpha[:50, :40]
    assert upsample_in_steps(small, np.zeros((60, 48, 3), np.uint8))[0] is small


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (37, 410), (900, 20)])
def test_steps_take_any_shape(shape):
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    small = np.random.default_rng(1).random(
        [max(1, s // 8) for s in shape], dtype=np.float32
    )
    finer, _ = upsample_in_steps(small, image)
    assert 0 <= finer.min() <= finer.max() <= 1
    assert max(finer.shape) <= max(*shape, *small.shape)


def test_a_large_image_comes_along_at_the_size_of_its_matte():
    image, alpha = scene(2700)
    small = cv2.resize(alpha, (60, 60), interpolation=cv2.INTER_AREA)
    finer, guide = upsample_in_steps(small, image)
    assert guide.shape == (*finer.shape, 3)
    near = cv2.resize(image, finer.shape[::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(near.astype(int) - guide).mean() < 3
    with_guide, without_guide = (
        guided_upsample(finer, image, guided=True, guide=g) for g in (guide, None)
    )
    assert error(with_guide, alpha) < 1.2 * error(without_guide, alpha)
