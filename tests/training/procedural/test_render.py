from __future__ import annotations

import numpy as np
import pytest

from training.procedural.render import OBJECT_KINDS, composite, render, render_scene
from training.procedural.textures import noise, paint_texture, ramp, random_palette

SIZE = (96, 128)
SOFT = ("strands", "fur", "smoke", "soft_shape", "glass", "lace")


def photo(seed: int = 0) -> np.ndarray:
    """Make a replacement for a photo, (96, 128, 3) uint8."""
    rng = np.random.default_rng(seed)
    colours = [noise(rng, SIZE, cell=40) for _ in range(3)]
    return (np.stack(colours, axis=2) * 255).astype(np.uint8)


@pytest.mark.parametrize("kind", OBJECT_KINDS)
@pytest.mark.parametrize("seed", range(4))
def test_sample_is_well_formed(kind: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    image, alpha, foreground = render(rng, photo(), kind)
    assert image.shape == foreground.shape == (*SIZE, 3)
    assert image.dtype == foreground.dtype == np.uint8
    assert alpha.shape == SIZE
    assert alpha.dtype == np.float32
    assert alpha.min() >= 0
    assert alpha.max() <= 1
    assert 0.05 <= (alpha > 0.1).mean() <= 0.7


@pytest.mark.parametrize("kind", OBJECT_KINDS)
def test_same_seed_gives_the_same_sample(kind: str) -> None:
    first, second = (render(np.random.default_rng(7), photo(), kind) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)


def test_another_seed_gives_another_sample() -> None:
    first, second = (render(np.random.default_rng(s), photo()) for s in (1, 2))
    assert (first.alpha != second.alpha).any()


@pytest.mark.parametrize("kind", OBJECT_KINDS)
def test_image_is_the_composite(kind: str) -> None:
    sample = render(np.random.default_rng(3), photo(), kind, linear_light=0)
    weight = sample.alpha[..., None].astype(np.float64)
    mixed = weight * sample.foreground + (1 - weight) * photo()
    assert np.abs(mixed - sample.image).max() <= 0.5 + 1e-3


def test_linear_light_is_brighter_in_between() -> None:
    black, white = (np.full((2, 2, 3), value, np.uint8) for value in (0, 255))
    half = np.full((2, 2), 0.5, np.float32)
    assert composite(white, black, half).max() == 128
    assert composite(white, black, half, linear=True).min() == 186
    for value in (0, 1):
        alpha = np.full((2, 2), value, np.float32)
        expected = white if value else black
        np.testing.assert_array_equal(
            composite(white, black, alpha, linear=True), expected
        )


@pytest.mark.parametrize("kind", SOFT)
def test_soft_kinds_have_soft_pixels(kind: str) -> None:
    shares = []
    for seed in range(6):
        alpha = render(np.random.default_rng(seed), photo(), kind).alpha
        soft = (alpha > 0.05) & (alpha < 0.95)
        shares.append(soft.sum() / (alpha > 0.05).sum())
    assert np.median(shares) > 0.1


def test_objects_are_mostly_solid() -> None:
    alpha = render(np.random.default_rng(5), photo(), "object").alpha
    assert (alpha > 0.95).sum() > 0.6 * (alpha > 0.05).sum()


def test_kinds_are_all_drawn_sometimes() -> None:
    assert sum(kind.weight for kind in OBJECT_KINDS.values()) == pytest.approx(1)
    assert all(kind.weight > 0 for kind in OBJECT_KINDS.values())


def test_unknown_kind_is_refused() -> None:
    with pytest.raises(KeyError, match="unicorn"):
        render(np.random.default_rng(0), photo(), "unicorn")


@pytest.mark.parametrize("shape", [(8, 8), (16, 16), (40, 200)])
def test_odd_sizes(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    background = np.zeros((*shape, 3), np.uint8)
    for kind in OBJECT_KINDS:
        assert render(rng, background, kind).alpha.shape == shape


@pytest.mark.parametrize("seed", range(4))
def test_scene_shares_every_pixel(seed: int) -> None:
    image, seen = render_scene(np.random.default_rng(seed), photo(), 3)
    assert image.shape == (*SIZE, 3)
    assert len(seen) == 3
    assert np.add.reduce(seen).max() <= 1 + 1e-5
    assert all(alpha.min() >= 0 and alpha.max() > 0.2 for alpha in seen)
    untouched = np.add.reduce(seen) == 0
    np.testing.assert_array_equal(image[untouched], photo()[untouched])


def test_scene_of_nothing_is_the_background() -> None:
    image, seen = render_scene(np.random.default_rng(0), photo(), 0)
    np.testing.assert_array_equal(image, photo())
    assert seen == []


def test_noise_fills_its_range() -> None:
    field = noise(np.random.default_rng(0), (50, 70), cell=12)
    assert field.dtype == np.float32
    assert field.min() == 0
    assert field.max() == pytest.approx(1)


def test_ramp_runs_along_its_angle() -> None:
    field = ramp((20, 30), 0)
    assert (np.diff(field, axis=1) > 0).all()
    assert field[:, 0] == pytest.approx(0)
    assert field[:, -1] == pytest.approx(1)


def test_camouflage_takes_the_colours_of_the_background() -> None:
    background = np.full((8, 8, 3), (30, 200, 90), np.uint8)
    colours = random_palette(np.random.default_rng(0), background, camouflage=1)
    assert np.abs(colours - background[0, 0]).max() < 60


@pytest.mark.parametrize("calm", [True, False])
def test_a_material_has_the_colours_of_its_palette(calm: bool) -> None:
    rng = np.random.default_rng(0)
    grey = np.full((3, 3), 128, np.float32)
    for _ in range(20):
        colours = paint_texture(rng, (16, 16), grey, calm=calm)
        np.testing.assert_allclose(colours, 128, atol=25)
