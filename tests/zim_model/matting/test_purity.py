"""Histogram and purity of a matte."""

import numpy as np
import pytest

from zim_model.matting.purity import (
    alpha_histogram,
    default_margin,
    measure_purity,
    sample_alpha,
)
from zim_model.request import ALPHA_MAX

SIDE = 200
ROWS, COLUMNS = np.mgrid[:SIDE, :SIDE]
DISTANCE = 60 - np.hypot(ROWS - 100, COLUMNS - 100)
"""To the outline of a disc, positive inside."""


def disc(softness=2.0):
    """A disc whose edge is so many pixels wide."""
    alpha = np.clip(DISTANCE / softness + 0.5, 0, 1)
    return np.rint(alpha * ALPHA_MAX).astype(np.uint16)


def test_a_histogram_counts_every_pixel_once():
    alpha = np.array([[0, 0, 0, 1], [32767, 65534, 65535, 65535]], np.uint16)
    histogram = alpha_histogram(alpha, bins=4)
    assert histogram.transparent == 3 / 8
    assert histogram.opaque == 2 / 8
    assert histogram.soft.tolist() == [1 / 8, 1 / 8, 0, 1 / 8]


def test_a_ramp_is_flat():
    alpha = np.tile(np.arange(1, ALPHA_MAX, dtype=np.uint16), (2, 1))
    soft = alpha_histogram(alpha).soft
    assert soft.sum() == pytest.approx(1)
    assert soft == pytest.approx(1 / 64, rel=0.002)


def test_a_clean_disc_is_pure():
    purity = measure_purity(disc())
    assert (purity.interior_below, purity.exterior_above) == (0, 0)


def test_holes_and_haze_are_measured_beyond_the_margin():
    alpha, margin = disc(), default_margin(SIDE, SIDE)
    interior, exterior = margin + 1 < DISTANCE, -margin - 1 > DISTANCE
    alpha[95:105, 95:105] = 249 / 255 * ALPHA_MAX
    alpha[:4] = 6 / 255 * ALPHA_MAX
    purity = measure_purity(alpha)
    assert purity.interior_below == pytest.approx(100 / interior.sum(), rel=0.1)
    assert purity.exterior_above == pytest.approx(4 * SIDE / exterior.sum(), rel=0.1)


@pytest.mark.parametrize(("value", "impure"), [(249, 1), (250, 0)])
def test_opaque_begins_at_250(value, impure):
    alpha = np.full((20, 20), round(value / 255 * ALPHA_MAX), np.uint16)
    assert measure_purity(alpha).interior_below == impure


def test_an_edge_wider_than_the_margin_is_impure():
    soft = disc(softness=40)
    assert measure_purity(soft, margin=25).interior_below == 0
    assert measure_purity(soft, margin=3).interior_below > 0.3
    assert measure_purity(soft, margin=3).exterior_above > 0.05


@pytest.mark.parametrize(
    ("value", "expected"), [(0, (None, 0)), (ALPHA_MAX, (0, None))]
)
def test_without_an_outline_one_side_is_everything(value, expected):
    purity = measure_purity(np.full((9, 7), value, np.uint16))
    assert (purity.interior_below, purity.exterior_above) == expected


def test_no_pixel_may_be_far_enough():
    purity = measure_purity(disc(), margin=500)
    assert (purity.interior_below, purity.exterior_above) == (None, None)


def test_a_sample_has_the_values_of_the_matte():
    alpha = np.zeros((3000, 2000), np.uint16)
    alpha[:, 1000:] = ALPHA_MAX
    sample, step = sample_alpha(alpha, 500_000)
    assert sample.size <= 500_000
    assert step == 4
    assert set(np.unique(sample)) == {0, ALPHA_MAX}
    small, step = sample_alpha(alpha[:50, :50])
    assert (small.shape, step) == ((50, 50), 1)


def test_a_sample_gives_nearly_the_same_purity():
    large = np.repeat(np.repeat(disc(), 8, 0), 8, 1)
    large[760:840, 760:840] = 0.8 * ALPHA_MAX
    sample, step = sample_alpha(large, 200_000)
    whole = measure_purity(large)
    sampled = measure_purity(sample, default_margin(*large.shape) / step)
    assert sampled.interior_below == pytest.approx(whole.interior_below, rel=0.05)
