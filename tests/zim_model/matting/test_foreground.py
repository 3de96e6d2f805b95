import cv2
import numpy as np
import pytest
from pymatting import estimate_foreground_ml

from zim_model.errors import Cancelled, ImageError, ZimError
from zim_model.matting import foreground
from zim_model.matting.foreground import SPREAD, estimate_foreground

RNG = np.random.default_rng(0)


def texture(shape, low, high, seed):
    """Smooth random colours (H, W, 3) in [low, high]."""
    small = np.random.default_rng(seed).random((7, 9, 3)).astype(np.float32)
    colours = cv2.resize(small, shape[::-1], interpolation=cv2.INTER_CUBIC)
    return np.clip(low + (high - low) * colours, 0, 1)


def furry(shape, hairs=150):
    """Alpha (H, W) in [0, 1] of a ball with hairs."""
    height, width = shape
    alpha = np.zeros((height * 4, width * 4), np.uint8)
    centre = np.array((width * 2, height * 2))
    radius = height * 4 * 0.22
    cv2.circle(alpha, centre.tolist(), int(radius), 255, -1)
    for angle in np.random.default_rng(1).uniform(0, 2 * np.pi, hairs):
        way = np.array((np.cos(angle), np.sin(angle)))
        start, end = centre + way * radius * 0.9, centre + way * radius * 1.7
        cv2.line(alpha, start.astype(int).tolist(), end.astype(int).tolist(), 255, 3)
    alpha = cv2.resize(alpha, (width, height), interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(alpha.astype(np.float32) / 255, (0, 0), 0.7)


def composite(shape=(240, 320)):
    """True colours, alpha as uint16, and the image that they make over green."""
    true = texture(shape, 0.4, 0.9, 2) * np.float32((1, 0.5, 0.4))
    behind = texture(shape, 0.3, 0.8, 3) * np.float32((0.3, 1, 0.5))
    alpha = furry(shape)
    share = alpha[..., None]
    image = true * share + behind * (1 - share)
    return (
        true,
        (alpha * 65535 + 0.5).astype(np.uint16),
        (image * 255 + 0.5).astype(np.uint8),
    )


def error(colours, true, alpha):
    """Mean error of the cut-out over black where alpha is soft."""
    soft = (alpha > 1000) & (alpha < 64500)
    share = alpha[..., None] / 65535
    return float(np.abs((colours - true) * share)[soft].mean())


def test_a_cutout_loses_its_halo_as_well_as_with_pymatting():
    true, alpha, image = composite()
    ours = error(estimate_foreground(image, alpha) / 255, true, alpha)
    theirs = error(estimate_foreground_ml(image / 255, alpha / 65535), true, alpha)
    assert ours < 0.25 * error(image / 255, true, alpha)
    assert ours < 1.1 * theirs


def test_sixteen_bits_give_the_same_colours():
    _, alpha, image = composite()
    coarse = estimate_foreground(image, alpha)
    fine = estimate_foreground(image.astype(np.uint16) * 257, alpha)
    assert fine.dtype == np.uint16
    assert np.abs(fine / 257 - coarse).max() < 0.52


def test_opaque_and_far_pixels_keep_their_colours_exactly():
    _, alpha, image = composite()
    image.setflags(write=False)
    alpha[alpha > 65000] = 65535
    out = estimate_foreground(image, alpha)
    opaque = alpha == 65535
    kernel = np.ones((2 * SPREAD + 1,) * 2, np.uint8)
    far = cv2.dilate((alpha > 0).astype(np.uint8), kernel) == 0
    assert opaque.any()
    assert far.any()
    np.testing.assert_array_equal(out[opaque | far], image[opaque | far])
    assert (out != image).any()


def test_colours_are_spread_beyond_a_hard_edge():
    image = np.full((60, 80, 3), (0, 200, 0), np.uint8)
    image[:, :40] = (200, 0, 0)
    alpha = np.zeros((60, 80), np.uint16)
    alpha[:, :40] = 65535
    out = estimate_foreground(image, alpha)
    assert (out[:, :40] == (200, 0, 0)).all()
    assert np.abs(out[:, 40 : 40 + SPREAD].astype(int) - (200, 0, 0)).max() < 25
    assert (out[:, 40 + SPREAD :] == (0, 200, 0)).all()


def test_the_amount_mixes():
    _, alpha, image = composite()
    np.testing.assert_array_equal(estimate_foreground(image, alpha, amount=0), image)
    whole = estimate_foreground(image, alpha).astype(float)
    half = estimate_foreground(image, alpha, amount=0.5)
    assert np.abs(half - (whole + image) / 2).max() <= 1


@pytest.mark.parametrize("fine_levels", [1, 3])
def test_tiles_leave_no_seams(monkeypatch, fine_levels):
    """Whichever way the image falls into tiles, the colours are the same."""
    _, alpha, image = composite((530, 700))
    monkeypatch.setattr(foreground, "COARSE_PIXELS", alpha.size >> 2 * fine_levels)
    usual = estimate_foreground(image, alpha).astype(int)
    monkeypatch.setattr(foreground, "TILE", 1024)
    assert np.abs(estimate_foreground(image, alpha) - usual).max() <= 1


def test_tiles_are_as_good_as_the_whole(monkeypatch):
    true, alpha, image = composite((530, 700))
    whole = error(estimate_foreground(image, alpha) / 255, true, alpha)
    monkeypatch.setattr(foreground, "COARSE_PIXELS", 10_000)
    tiled = error(estimate_foreground(image, alpha) / 255, true, alpha)
    assert tiled < 1.1 * whole


@pytest.mark.parametrize("method", ["multi-level", "blur-fusion"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (7, 1), (3, 700), (257, 300)])
def test_any_size_works(monkeypatch, shape, method):
    monkeypatch.setattr(foreground, "COARSE_PIXELS", 1000)
    image = RNG.integers(0, 256, (*shape, 3), dtype=np.uint8)
    alpha = RNG.integers(0, 65536, shape, dtype=np.uint16)
    out = estimate_foreground(image, alpha, method=method)
    assert out.shape == image.shape


@pytest.mark.parametrize("method", ["multi-level", "blur-fusion"])
def test_an_image_longer_than_opencv_samples_is_treated_like_its_parts(method):
    shape = (3, 140_000)  # 70 000 coarse columns
    image = RNG.integers(0, 256, (*shape, 3), dtype=np.uint8)
    alpha = np.zeros(shape, np.uint16)
    alpha[:, 69_000:71_000] = RNG.integers(0, 65536, (3, 2000), dtype=np.uint16)
    part = np.s_[:, 60_416:80_384]  # whole tiles
    out = estimate_foreground(image, alpha, method=method)
    expected = _in_tiles(image[part], alpha[part], method)
    # The coarsest level, where the multi-level estimate begins, is of all or the part.
    assert np.abs(out[part].astype(int) - expected).max() <= 4
    turned = estimate_foreground(
        np.ascontiguousarray(image.swapaxes(0, 1)),
        np.ascontiguousarray(alpha.T),
        method=method,
    )
    assert np.abs(turned.swapaxes(0, 1).astype(int) - out).max() <= 1


def _in_tiles(image, alpha, method):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(foreground, "COARSE_PIXELS", alpha.size // 2)
        return estimate_foreground(image, alpha, method=method).astype(int)


def test_nothing_or_everything_opaque_changes_nothing():
    _, alpha, image = composite()
    for value in (0, 65535):
        out = estimate_foreground(image, np.full_like(alpha, value))
        np.testing.assert_array_equal(out, image)
        assert out is not image


def test_a_withdrawn_request_stops_between_tiles(monkeypatch):
    _, alpha, image = composite((530, 700))
    monkeypatch.setattr(foreground, "COARSE_PIXELS", 10_000)
    monkeypatch.setattr(foreground.os, "cpu_count", lambda: 1)
    cancelled = iter([False, False, True])
    with pytest.raises(Cancelled):
        estimate_foreground(image, alpha, cancelled=lambda: next(cancelled))
    with pytest.raises(StopIteration):
        next(cancelled)


def test_wrong_arrays_are_refused():
    _, alpha, image = composite()
    with pytest.raises(ImageError, match="uint8 or uint16"):
        estimate_foreground(image.astype(np.float32), alpha)
    with pytest.raises(ImageError, match="alpha has shape"):
        estimate_foreground(image, alpha[1:])
    with pytest.raises(ZimError, match=r"amount is 1\.5"):
        estimate_foreground(image, alpha, amount=1.5)


@pytest.mark.parametrize(("method", "most"), [("multi-level", 1.5), ("blur-fusion", 5)])
def test_colours_are_near_to_pymattings(method, most):
    """Mean difference in the soft band, as far as it shows, in steps of 255.

    The image's own colours are 12 steps away.
    """
    _, alpha, image = composite()
    theirs = estimate_foreground_ml(image / 255, alpha / 65535) * 255

    def distance(colours):
        return error(colours, theirs, alpha)

    assert distance(image) > 11
    assert distance(estimate_foreground(image, alpha, method=method)) < most


@pytest.mark.parametrize("method", ["multi-level", "blur-fusion"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_outside_the_band_the_photograph_stays_to_the_bit(method, dtype):
    _, alpha, image = composite()
    image = image.astype(dtype) * dtype(257 if dtype == np.uint16 else 1)
    image += RNG.integers(0, 3, image.shape, dtype=dtype)
    alpha[alpha > 65000] = 65535
    out = estimate_foreground(image, alpha, method=method)
    kernel = np.ones((2 * SPREAD + 1,) * 2, np.uint8)
    far = cv2.dilate((alpha > 0).astype(np.uint8), kernel) == 0
    band = (alpha < 65535) & ~far
    np.testing.assert_array_equal(out[~band], image[~band])
    assert (out[band] != image[band]).mean() > 0.5


@pytest.mark.parametrize("fine_levels", [0, 2])
def test_blur_fusion_does_not_depend_on_the_tiles(monkeypatch, fine_levels):
    _, alpha, image = composite((530, 700))
    monkeypatch.setattr(foreground, "COARSE_PIXELS", alpha.size >> 2 * fine_levels)
    usual = estimate_foreground(image, alpha, method="blur-fusion").astype(int)
    monkeypatch.setattr(foreground, "TILE", 1024)
    whole = estimate_foreground(image, alpha, method="blur-fusion")
    assert np.abs(whole - usual).max() <= 1


@pytest.mark.parametrize("fine_levels", [0, 1, 3])
def test_blur_fusion_takes_most_of_the_halo(monkeypatch, fine_levels):
    true, alpha, image = composite((530, 700))
    monkeypatch.setattr(foreground, "COARSE_PIXELS", alpha.size >> 2 * fine_levels)
    out = estimate_foreground(image, alpha, method="blur-fusion")
    assert error(out / 255, true, alpha) < 0.6 * error(image / 255, true, alpha)
