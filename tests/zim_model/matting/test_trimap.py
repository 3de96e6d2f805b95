import cv2
import numpy as np
import pytest

from zim_model.matting.trimap import make_trimap

SIDE = 300


def words(alpha):
    return (np.clip(alpha, 0, 1) * 65535 + 0.5).astype(np.uint16)


def disc(radius=80):
    rows, columns = np.indices((SIDE, SIDE))
    distance = np.hypot(rows - SIDE / 2, columns - SIDE / 2)
    return np.clip(radius - distance + 0.5, 0, 1).astype(np.float32)


def hair():
    """A disc with thin radial strands, softer than a pixel."""
    alpha = disc(70)
    for angle in np.linspace(0, 2 * np.pi, 60, endpoint=False):
        end = [round(SIDE / 2 + 92 * f(angle)) for f in (np.cos, np.sin)]
        cv2.line(alpha, (SIDE // 2, SIDE // 2), end, 0.7, 1, cv2.LINE_AA)
    return np.maximum(alpha, disc(70))


def holed():
    alpha = disc()
    for x, radius in ((110, 4), (150, 12), (190, 2)):
        cv2.circle(alpha, (x, 150), radius, 0.0, -1)
    return cv2.GaussianBlur(alpha, (0, 0), 0.7)


def predicted(alpha, cell):
    """Alpha on a grid of ``cell`` pixels, enlarged."""
    small = cv2.resize(
        alpha, None, fx=1 / cell, fy=1 / cell, interpolation=cv2.INTER_AREA
    )
    return words(cv2.resize(small, alpha.shape, interpolation=cv2.INTER_CUBIC))


@pytest.mark.parametrize("cell", [1, 4, 10])
@pytest.mark.parametrize("shape", [disc, hair, holed])
def test_the_band_contains_all_true_soft_edges(shape, cell):
    true = shape()
    trimap = make_trimap(predicted(true, cell), cell)
    assert set(np.unique(trimap)) == {0, 128, 255}
    assert true[trimap == 0].max() <= 0.02
    assert true[trimap == 255].min() >= 0.98


def test_what_is_certain_stays_known():
    trimap = make_trimap(predicted(disc(), 4), 4)
    known = (trimap != 128).mean()
    assert known > 0.75
    assert trimap[150, 150] == 255
    assert trimap[5, 5] == 0


def test_a_hard_mask_has_a_band_too():
    trimap = make_trimap(words(disc() > 0.5))
    row = trimap[150]
    inside, outside = np.flatnonzero(row == 128)[[0, -1]]
    assert inside <= 70 - 4 < 230 + 3 <= outside
    assert 0.02 < (trimap == 128).mean() < 0.1


def test_the_band_is_wider_on_a_coarser_grid():
    alpha = words(disc())
    widths = [(make_trimap(alpha, cell) == 128).sum() for cell in (1, 8, 20)]
    assert widths == sorted(set(widths))


def test_the_band_is_wider_where_the_edge_is_softer():
    """Left the edge is hard, right it falls off over 60 pixels."""
    columns = np.arange(SIDE, dtype=np.float32)
    row = np.minimum(np.clip(columns - 100, 0, 1), np.clip((250 - columns) / 60, 0, 1))
    trimap = make_trimap(words(np.tile(row, (SIDE, 1))))[150]
    unknown = np.flatnonzero(trimap == 128)
    left, right = unknown[unknown < 150], unknown[unknown > 150]
    assert len(left) <= 14
    assert 190 - left[-1] > 40
    assert right[0] <= 190 - 10
    assert right[-1] >= 250 + 10


def test_the_margin_is_limited():
    """A pane of glass does not make everything around it unknown."""
    alpha = np.zeros((SIDE, SIDE), np.float32)
    alpha[100:200, 100:200] = 0.5
    trimap = make_trimap(words(alpha))
    assert (trimap[100:200, 100:200] == 128).all()
    assert (trimap[:80] == 0).all()


@pytest.mark.parametrize(("value", "expected"), [(0, 0), (65535, 255), (30000, 128)])
def test_uniform_mattes(value, expected):
    trimap = make_trimap(np.full((20, 30), value, np.uint16))
    assert (trimap == expected).all()
