import cv2
import numpy as np
import pytest
from scipy import ndimage

from tests.zim_model.evaluation import plain_metrics as plain
from zim_model.evaluation.measures import BAND, METRICS, compute_metrics, unknown_region

SHAPE = (140, 190)


def in_bytes(alpha):
    return (np.round(np.clip(alpha, 0, 1) * 255) / 255).astype(np.float32)


def blobs(seed, shape=SHAPE, smooth=6.0):
    noise = ndimage.gaussian_filter(
        np.random.default_rng(seed).normal(size=shape), smooth
    )
    return in_bytes(noise / noise.std() * 0.8 + 0.2)


def hairy(seed, shape=SHAPE):
    """One object with hair, as most ground truth has."""
    rng = np.random.default_rng(seed)
    alpha = np.zeros(shape, np.float32)
    centre = np.array([shape[1] / 2, shape[0] / 2])
    cv2.circle(alpha, centre.astype(int).tolist(), shape[0] // 4, 1.0, -1)
    for angle, length, value in rng.uniform((0, 0.2, 0.2), (6.3, 0.45, 1), (60, 3)):
        end = centre + length * shape[0] * np.array([np.cos(angle), np.sin(angle)])
        cv2.line(alpha, centre.astype(int).tolist(), end.astype(int).tolist(), value, 1)
    return in_bytes(cv2.GaussianBlur(alpha, (0, 0), 0.7))


def cases():
    g = hairy(0)
    noise = np.random.default_rng(1).normal(0, 0.04, SHAPE) * ((g > 0) & (g < 1))
    mask = (g > 0.5).astype(np.float32)
    corner = np.zeros(SHAPE, np.float32)
    corner[:50, :70] = blobs(5)[:50, :70]
    corner[:20, :20] = 1
    speckle = in_bytes(np.random.default_rng(2).uniform(size=SHAPE))
    islands = np.zeros(SHAPE, np.float32)
    islands[20:60, 20:60] = 0.75  # the larger one up to 0.7 only
    islands[20:50, 100:130] = 1
    return {
        "hair and its blur": (in_bytes(cv2.GaussianBlur(g, (0, 0), 1.5)), g),
        "nearly right": (in_bytes(g + noise), g),
        "shifted": (np.roll(g, 3, 1), g),
        "a mask": (mask, g),
        "masks": (np.roll(mask, 2, 0), mask),
        "blobs": (blobs(3), blobs(4)),
        "at a corner": (corner, in_bytes(corner * 0.9)),
        "nothing found": (np.zeros_like(g), g),
        "everything found": (np.ones_like(g), g),
        "speckle": (speckle, blobs(4)),
        "islands": (in_bytes(islands * 0.95), islands),
        "equal": (g, g),
    }


@pytest.mark.parametrize("name", cases())
@pytest.mark.parametrize("region", ["image", "band"])
def test_errors_are_those_of_the_definitions(name, region):
    p, g = cases()[name]
    unknown = plain.unknown_region(g, BAND) if region == "band" else None
    expected = plain.zim_errors(p, g) | plain.dim_errors(p, g, unknown)
    expected |= plain.mask_errors(p, g, BAND) | plain.purity_errors(p, g, BAND)
    actual = compute_metrics(p, g, unknown)
    assert actual.keys() == expected.keys()
    for key, value in expected.items():
        assert actual[key] == pytest.approx(value, rel=1e-6, abs=1e-12), key


def test_the_unknown_region_is_what_lies_near_soft_pixels():
    g = hairy(0)
    np.testing.assert_array_equal(unknown_region(g), plain.unknown_region(g, BAND))
    opaque = np.ones(SHAPE, np.float32)
    assert not unknown_region(opaque).any()  # the image's border is no edge


def test_an_error_that_no_pixel_has_is_left_out():
    opaque = np.ones(SHAPE, np.float32)
    metrics = compute_metrics(np.zeros_like(opaque), opaque, unknown_region(opaque))
    assert "MSE (DIM)" not in metrics
    assert "SAD (boundary)" not in metrics
    assert metrics["IoU"] == 0


def test_two_empty_mattes_are_equal():
    empty = np.zeros(SHAPE, np.float32)
    metrics = compute_metrics(empty, empty)
    assert metrics.pop("IoU") == metrics.pop("Boundary IoU") == 1
    assert metrics["Exterior"] == 0
    assert set(metrics.values()) == {0}


def test_errors_come_in_the_order_of_the_table():
    metrics = list(compute_metrics(hairy(0), hairy(1)))
    assert metrics == [m.name for m in METRICS if m.name in metrics]


def test_what_lies_outside_both_mattes_counts_in_the_means():
    """Although the boundary metrics do not cover it."""
    g = hairy(0)
    p = np.roll(g, 2, 0)
    wide = [np.pad(x, ((0, 0), (0, SHAPE[1]))) for x in (p, g)]
    small, large = compute_metrics(p, g), compute_metrics(*wide)
    assert large["SAD"] == pytest.approx(small["SAD"])
    assert large["MSE"] == pytest.approx(small["MSE"] / 2)
    assert large["Conn"] == pytest.approx(small["Conn"])
