import cv2
import numpy as np
import pytest

from training.conversion.degradations import (
    DEGRADATIONS,
    blur,
    coarse_label,
    convex_hull,
    cut_same_region,
    dilate,
    downscale,
    erode,
    to_polygons,
)


@pytest.fixture
def star():
    """A star with a hole, (120, 160), which every degradation changes."""
    y, x = np.mgrid[:120, :160]
    angle = np.arctan2(y - 60, x - 80)
    radius = np.hypot(x - 80, y - 60)
    return (radius < 35 + 14 * np.sin(5 * angle)) & (radius > 8)


def distance_to_edge(label):
    inside = label.astype(np.uint8)
    return np.maximum(
        cv2.distanceTransform(inside, cv2.DIST_L2, 5),
        cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5),
    )


def test_each_kind_degrades_as_documented(star):
    assert dilate(star, 3).sum() > star.sum() > erode(star, 3).sum()
    assert not (star & ~dilate(star, 3)).any()
    assert not (erode(star, 3) & ~star).any()
    hull = convex_hull(star)
    assert not (star & ~hull).any()
    assert hull[60, 80], "the hole is in the hull"
    assert to_polygons(star, 2)[60, 80], "annotators fill holes"
    assert not to_polygons(star, 2, holes=True)[60, 80]
    for changed in (downscale(star, 5), blur(star, 3), to_polygons(star, 3, True)):
        wrong = changed != star
        assert wrong.any()
        assert distance_to_edge(star)[wrong].max() <= 6


def test_a_polygon_stays_within_its_tolerance(star):
    filled = to_polygons(star, 0, holes=False)
    wrong = to_polygons(star, 4) != filled
    assert wrong.any()
    assert distance_to_edge(filled)[wrong].max() <= 5.5


def test_every_kind_is_drawn_and_none_empties_a_label(star):
    soft = cv2.GaussianBlur(star.astype(np.float32), (0, 0), 2)
    for name, kind in DEGRADATIONS.items():
        label = kind.draw(np.random.default_rng(1), star, 3.0)
        assert label.shape == star.shape, name
        assert label.dtype == bool, name
    thin = np.zeros((100, 100), np.float32)
    thin[50] = 0.8  # one pixel: erosion alone would remove it
    for seed in range(40):
        assert coarse_label(np.random.default_rng(seed), soft).any()
        assert coarse_label(np.random.default_rng(seed), thin).any()


def test_labels_are_decided_by_the_generator(star):
    alpha = star.astype(np.float32)
    first, again, other = (
        coarse_label(np.random.default_rng(seed), alpha) for seed in (3, 3, 4)
    )
    assert (first == again).all()
    assert (first != other).any()


def test_the_same_region_goes_from_label_and_matte(star):
    alpha = cv2.GaussianBlur(star.astype(np.float32), (0, 0), 2)
    changed = 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        label, matte = cut_same_region(rng, dilate(star, 4), alpha)
        gone = dilate(star, 4) & ~label
        changed += gone.any()
        assert label.any()
        assert not matte[gone].any(), "cut from label and matte"
        unchanged = label
        assert (matte[unchanged] == alpha[unchanged]).all()
    assert changed > 20


def test_cutting_leaves_an_empty_label_alone():
    nothing = np.zeros((10, 10), bool)
    rng = np.random.default_rng(0)
    label, matte = cut_same_region(rng, nothing, nothing.astype(np.float32))
    assert not label.any()
    assert not matte.any()
