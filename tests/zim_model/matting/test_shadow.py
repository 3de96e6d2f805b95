"""Shadows of known opacity are found again; what is none is refused."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from zim_model.errors import Cancelled
from zim_model.matting.shadow import NO_SHADOW, UNEVEN_GROUND, estimate_shadow

HEIGHT, WIDTH = 300, 400


class Scene:
    """An egg on a ground that falls off in brightness, with a known shadow."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(0)
        self.y, self.x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
        falloff = (1 - 0.1 * self.y / HEIGHT) * (1 - 0.05 * self.x / WIDTH)
        self.ground = np.array([235, 232, 228]) * falloff[..., None]
        distance = np.hypot(self.x - 200, (self.y - 140) / 1.3)
        self.alpha = np.clip((60 - distance) / 2 + 0.5, 0, 1)
        self.opacity = np.zeros((HEIGHT, WIDTH), np.float32)

    def with_shadow(self, strength: float) -> Scene:
        around = ((self.x - 215) / 85) ** 2 + ((self.y - 220) / 24) ** 2
        self.opacity = strength * np.exp(-around)
        return self

    def with_texture(self, amount: float) -> Scene:
        noise = self.rng.standard_normal((HEIGHT, WIDTH)).astype(np.float32)
        smooth = cv2.GaussianBlur(noise, (0, 0), 2)
        self.ground = self.ground * (1 + amount * smooth / smooth.std())[..., None]
        return self

    def with_thing(self, tone: tuple[int, int, int]) -> Scene:
        """Something else, which touches the object."""
        self.ground[170:240, 230:330] = tone
        return self

    @property
    def image(self) -> np.ndarray:
        lit = self.ground * (1 - self.opacity)[..., None]
        cover = self.alpha[..., None]
        mixed = lit * (1 - cover) + np.array([40, 90, 170]) * cover
        mixed += self.rng.normal(0, 1.5, mixed.shape)
        return mixed.clip(0, 255).round().astype(np.uint8)

    @property
    def matte(self) -> np.ndarray:
        return (self.alpha * 65535).round().astype(np.uint16)


@pytest.mark.parametrize("strength", [0.15, 0.4, 0.8])
def test_a_known_shadow_is_recovered(strength: float) -> None:
    scene = Scene().with_shadow(strength)
    shadow = estimate_shadow(scene.image, scene.matte)
    assert shadow.opacity is not None
    assert shadow.opacity.shape == (HEIGHT, WIDTH)
    assert not shadow.notice
    seen = scene.alpha == 0
    seen[:25], seen[-25:], seen[:, :25], seen[:, -25:] = 0, 0, 0, 0
    error = np.abs(shadow.opacity - scene.opacity)[seen]
    assert error.mean() < 0.005
    assert np.quantile(error, 0.99) < 0.03
    assert shadow.opacity[seen & (scene.opacity < 1e-3)].max() < 0.01, (
        "no haze elsewhere"
    )


def test_the_shadow_goes_on_below_the_edge_of_the_object() -> None:
    scene = Scene().with_shadow(0.5)
    shadow = estimate_shadow(scene.image, scene.matte)
    assert shadow.opacity is not None
    soft = (scene.alpha > 0) & (scene.alpha < 1) & (scene.opacity > 0.2)
    assert soft.any()
    error = np.abs(shadow.opacity - scene.opacity)[soft]
    assert error.max() < 0.15, "or a light seam would be seen there"


def test_it_fades_out_before_the_border_of_the_image() -> None:
    scene = Scene()
    scene.opacity[200:280, 150:] = 0.4
    scene.opacity = cv2.GaussianBlur(scene.opacity, (0, 0), 6)
    shadow = estimate_shadow(scene.image, scene.matte)
    assert shadow.opacity is not None
    assert shadow.opacity[:, [0, -1]].max() < 0.01
    assert shadow.opacity[240, 300] == pytest.approx(0.4, abs=0.03)


def test_a_larger_image_gets_a_smaller_map_of_the_same_shadow() -> None:
    scene = Scene().with_shadow(0.5)
    large = cv2.resize(scene.image, (2000, 1500), interpolation=cv2.INTER_CUBIC)
    alpha = cv2.resize(scene.matte, (2000, 1500), interpolation=cv2.INTER_LINEAR)
    shadow = estimate_shadow(large, alpha)
    assert shadow.opacity is not None
    assert shadow.opacity.shape == (768, 1024)
    small = cv2.resize(shadow.opacity, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    seen = (scene.alpha == 0) & (scene.opacity > 0.1)
    assert np.abs(small - scene.opacity)[seen].max() < 0.05


def test_an_even_ground_without_a_shadow_has_none() -> None:
    scene = Scene()
    shadow = estimate_shadow(scene.image, scene.matte)
    assert shadow is NO_SHADOW
    assert "shows none" in shadow.notice


def test_darkness_that_does_not_touch_the_object_is_none_of_its() -> None:
    scene = Scene()
    around = ((scene.x - 60) / 20) ** 2 + ((scene.y - 60) / 20) ** 2
    scene.opacity = 0.3 * np.exp(-around)
    assert estimate_shadow(scene.image, scene.matte) is NO_SHADOW


@pytest.mark.parametrize("amount", [0.05, 0.15])
def test_a_textured_ground_is_refused(amount: float) -> None:
    scene = Scene().with_shadow(0.5).with_texture(amount)
    shadow = estimate_shadow(scene.image, scene.matte)
    assert shadow is UNEVEN_GROUND
    assert "not even enough" in shadow.notice


@pytest.mark.parametrize("tone", [(60, 60, 60), (120, 118, 116), (200, 40, 30)])
def test_another_thing_beside_the_object_is_no_shadow(tone) -> None:
    scene = Scene().with_shadow(0.3).with_thing(tone)
    assert estimate_shadow(scene.image, scene.matte) is UNEVEN_GROUND


def test_an_edge_in_the_ground_is_refused() -> None:
    scene = Scene().with_shadow(0.5)
    scene.ground[:150] *= 0.7
    assert estimate_shadow(scene.image, scene.matte) is UNEVEN_GROUND


def test_a_black_ground_is_refused() -> None:
    scene = Scene().with_shadow(0.5)
    scene.ground *= 0.06
    assert estimate_shadow(scene.image, scene.matte) is UNEVEN_GROUND
    assert estimate_shadow(np.zeros_like(scene.image), scene.matte) is UNEVEN_GROUND


@pytest.mark.parametrize(
    ("value", "expected"), [(0, NO_SHADOW), (65535, UNEVEN_GROUND)]
)
def test_nothing_and_everything_have_no_shadow(value: int, expected) -> None:
    alpha = np.full((HEIGHT, WIDTH), value, np.uint16)
    assert estimate_shadow(Scene().image, alpha) is expected


def test_it_is_deterministic_and_can_be_cancelled() -> None:
    scene = Scene().with_shadow(0.5)
    image, matte = scene.image, scene.matte
    first, second = estimate_shadow(image, matte), estimate_shadow(image, matte)
    np.testing.assert_array_equal(first.opacity, second.opacity)
    with pytest.raises(Cancelled):
        estimate_shadow(image, matte, lambda: True)


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 2), (3, 3)])
def test_tiny_images_do_no_harm(shape: tuple[int, int]) -> None:
    alpha = np.zeros(shape, np.uint16)
    alpha[0, 0] = 65535
    image = np.full((*shape, 3), 200, np.uint8)
    assert estimate_shadow(image, alpha).opacity is None
