import numpy as np
import pytest
from scipy import ndimage

from zim_model.evaluation import number_of_clicks
from zim_model.matting import metrics
from zim_model.matting.metrics import conn, grad, iou, mae, mse, sad


def a_matte(seed, shape=(60, 80)):
    """Soft blobs with empty corners."""
    rng = np.random.default_rng(seed)
    noise = ndimage.gaussian_filter(rng.normal(size=shape), 5)
    alpha = np.clip(noise / noise.std() * 0.6 + 0.3, 0, 1)
    alpha[:9] = 0
    alpha[:, 70:] = 0
    return alpha.astype(np.float32)


def plain_grad(p, g):
    def length(alpha):
        alpha = alpha.astype(np.float64)
        x, y = (ndimage.sobel(alpha, axis, mode="constant") for axis in (1, 0))
        return np.sqrt(x**2 + y**2 + 1e-8)

    return np.abs(length(p) - length(g)).mean() * 1e3


def plain_conn(p, g):
    level = -np.ones(p.shape)
    steps = np.arange(0, 1.1, 0.1)
    for i in range(1, len(steps)):
        both = (p >= steps[i]) & (g >= steps[i])
        labels, count = ndimage.label(both)
        omega = np.zeros(p.shape, bool)
        if count:
            sizes = [(labels == k).sum() for k in range(1, count + 1)]
            omega = labels == 1 + int(np.argmax(sizes))
        level[(level == -1) & ~omega] = steps[i - 1]
    level[level == -1] = 1

    def phi(alpha):
        off = alpha - level
        return 1 - off * (off >= 0.15)

    return np.abs(phi(p) - phi(g)).sum() / 1e3


@pytest.mark.parametrize("seed", range(4))
def test_grad_and_conn_follow_their_definitions(seed):
    p, g = a_matte(seed), a_matte(seed + 100)
    assert grad(p, g) == pytest.approx(plain_grad(p, g), rel=1e-6)
    assert conn(p, g) == pytest.approx(plain_conn(p, g), rel=1e-6)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_grad_and_conn_of_a_matte_that_is_all_one_value(value):
    g = a_matte(0)
    for p, q in ((np.full_like(g, value), g), (g, np.full_like(g, value))):
        assert grad(p, q) == pytest.approx(plain_grad(p, q), rel=1e-6)
        assert conn(p, q) == pytest.approx(plain_conn(p, q), rel=1e-6)


def test_simple_errors_by_hand():
    p = np.zeros((10, 10), np.float32)
    g = np.zeros((10, 10), np.float32)
    g[:5] = 0.5
    assert sad(p, g) == pytest.approx(0.025)
    assert mse(p, g) == pytest.approx(125)
    assert mae(p, g) == pytest.approx(250)


def test_an_alpha_of_one_has_an_edge_at_the_border():
    ones = np.ones((8, 8), np.float32)
    # 24 border pixels of slope 4 and 4 corners of 3 * sqrt(2), less the offset.
    expected = (24 * 4 + 4 * 3 * np.sqrt(2)) / 64 * 1e3
    assert grad(ones, np.zeros_like(ones)) == pytest.approx(expected, rel=1e-3)


def test_a_detached_piece_is_a_connectivity_error():
    target = np.zeros((20, 40), np.float32)
    target[5:15, 2:20] = 1
    predicted = target.copy()
    predicted[5:15, 30:35] = 1
    assert conn(predicted, target) == pytest.approx(0.05)


@pytest.mark.parametrize("metric", [sad, mse, mae, grad, conn])
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_equal_mattes_have_no_error(metric, value):
    for alpha in (np.full((6, 7), value, np.float32), a_matte(0)):
        assert metric(alpha, alpha.copy()) == 0


def test_iou_counts_only_what_is_known():
    p = np.array([[True, True, False, False]])
    g = np.array([[True, False, False, True]])
    assert iou(p, g, np.array([[True, True, True, False]])) == pytest.approx(1 / 2)


def test_noc_is_the_first_click_that_is_good_enough():
    assert number_of_clicks([0.5, 0.86, 0.8, 0.91], 0.85, 20) == 2
    assert number_of_clicks([0.5, 0.86, 0.8, 0.91], 0.90, 20) == 4
    assert number_of_clicks([0.5, 0.6], 0.90, 20) == 20
    assert number_of_clicks([0.5, 0.6, 0.95], 0.90, 2) == 2


def test_levels_are_exact_next_to_the_thresholds():
    steps = np.float32(metrics.STEPS[1:])
    values = [
        steps,
        np.nextafter(steps, np.float32(0)),
        np.nextafter(steps, np.float32(2)),
    ]
    values += [np.float32(np.arange(256) / 255), np.float32(np.arange(65536) / 65535)]
    alpha = np.minimum(np.concatenate(values), 1)[None]
    expected = sum((alpha >= step).astype(np.uint8) for step in steps)
    np.testing.assert_array_equal(metrics.levels_reached(alpha), expected)
