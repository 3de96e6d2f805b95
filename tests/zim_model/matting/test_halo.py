import cv2
import numpy as np
import pytest

from zim_model.errors import Cancelled, ImageError
from zim_model.matting.halo import background_share, measure_halo

BLUE, ORANGE = np.array((40, 80, 200)), np.array((230, 120, 30))
HEIGHT, WIDTH = 160, 220


def soft_disc(sigma=4.0):
    """Alpha (H, W) in [0, 1] with an edge as soft as hair."""
    alpha = np.zeros((HEIGHT, WIDTH), np.float32)
    cv2.circle(alpha, (110, 80), 45, 1.0, -1)
    return cv2.GaussianBlur(alpha, (0, 0), sigma)


def over(alpha, above, below):
    share = alpha[..., None]
    return (above * share + below * (1 - share) + 0.5).astype(np.uint8)


ALPHA = soft_disc()
WORDS = (ALPHA * 65535 + 0.5).astype(np.uint16)
PHOTO = over(ALPHA, ORANGE, BLUE)
CLEAN = np.full_like(PHOTO, ORANGE)


def mixed(share):
    """Colours with that share of background wherever the edge is soft."""
    out = PHOTO.copy()
    soft = (WORDS > 0) & (WORDS < 65535)
    out[soft] = (ORANGE * (1 - share) + BLUE * share + 0.5).astype(np.uint8)
    return out


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 1.0])
def test_a_known_share_is_estimated(share):
    estimate = background_share(mixed(share), PHOTO, WORDS)
    assert estimate == pytest.approx(share, abs=0.02)


def test_a_photograph_shows_what_alpha_leaves_over():
    soft = (ALPHA > 0.05) & (ALPHA < 0.95)
    visible = ALPHA[soft]
    expected = float((visible * (1 - visible)).sum() / visible.sum())
    assert background_share(PHOTO, PHOTO, WORDS) == pytest.approx(expected, abs=0.01)


def test_both_depths_give_the_same():
    deep = background_share(mixed(0.3).astype(np.uint16) * 257, deepened(), WORDS)
    assert deep == pytest.approx(background_share(mixed(0.3), PHOTO, WORDS), abs=1e-4)


def deepened():
    return PHOTO.astype(np.uint16) * 257


def test_a_matte_that_is_too_wide_shows():
    """The halo itself: the matte covers pixels that are background."""
    wide = (soft_disc() > 0.02).astype(np.float32)
    wide = (cv2.GaussianBlur(wide, (0, 0), 2) * 65535 + 0.5).astype(np.uint16)
    assert background_share(PHOTO, PHOTO, wide) > 0.6


def test_texture_and_light_that_changes_do_not_mislead():
    rng = np.random.default_rng(0)
    ramp = np.linspace(-40, 40, WIDTH)[None, :, None]
    noise = rng.normal(0, 12, (HEIGHT, WIDTH, 3))
    above = np.clip(ORANGE + ramp * 0.5 + noise, 0, 255)
    below = np.clip(BLUE + ramp + noise[::-1], 0, 255)
    photo = over(ALPHA, above, below)
    clean = above.astype(np.uint8)
    assert background_share(clean, photo, WORDS) < 0.05
    half = ((above + photo) / 2).astype(np.uint8)
    whole = background_share(photo, photo, WORDS)
    assert background_share(half, photo, WORDS) == pytest.approx(whole / 2, abs=0.04)


def test_decontamination_takes_the_halo_away_in_proportion():
    halo = measure_halo(PHOTO, WORDS)
    assert halo.before > 0.3
    assert halo.after < 0.05
    assert halo.after_decontamination(0) == halo.before
    assert halo.after_decontamination(1) == pytest.approx(halo.after)
    assert halo.after_decontamination(0.5) == pytest.approx(
        (halo.before + halo.after) / 2
    )


def test_a_large_object_is_sampled():
    size = (WIDTH * 12, HEIGHT * 12)
    photo = cv2.resize(PHOTO, size, interpolation=cv2.INTER_LINEAR)
    alpha = cv2.resize(WORDS, size, interpolation=cv2.INTER_LINEAR)
    whole = background_share(PHOTO, PHOTO, WORDS)
    assert background_share(photo, photo, alpha) == pytest.approx(whole, abs=0.02)


@pytest.mark.parametrize(
    "alpha",
    [
        np.zeros_like(WORDS),
        np.full_like(WORDS, 65535),
        np.full_like(WORDS, 30000),
        np.where(ALPHA > 0.5, 65535, 0).astype(np.uint16),
    ],
    ids=["nothing", "everything", "half", "hard"],
)
def test_without_a_soft_edge_there_is_no_estimate(alpha):
    assert background_share(PHOTO, PHOTO, alpha) is None
    assert measure_halo(PHOTO, alpha) is None


def test_one_colour_on_both_sides_gives_no_estimate():
    assert background_share(CLEAN, CLEAN, WORDS) is None


def test_arrays_that_do_not_fit_are_refused():
    with pytest.raises(ImageError, match="alpha has shape"):
        measure_halo(PHOTO, WORDS[1:])
    with pytest.raises(ImageError, match="colours have shape"):
        background_share(PHOTO[:, 1:], PHOTO, WORDS)


def test_a_withdrawn_measurement_stops():
    with pytest.raises(Cancelled):
        measure_halo(PHOTO, WORDS, lambda: True)
