"""Coarse labels made from mattes, and what else makes a label converter general.

The network that turns labels into mattes learns from pairs whose label is derived from
the matte: by a threshold, at low resolution, blurred, dilated, eroded, as a convex
hull, as a polygon that an annotator draws, or by several of these.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from zim_model.arrays import BoolArray, FloatArray

Rng = np.random.Generator
LARGEST = 0.016
"""Largest radius of a degradation, of the shorter side of the picture."""


def thresholded(alpha: FloatArray, level: float) -> BoolArray:
    """Alpha (H, W) in [0, 1] above a level."""
    return alpha > level


def downscaled(label: BoolArray, factor: float) -> BoolArray:
    """As seen at ``factor`` times lower resolution and brought back bilinearly."""
    height, width = label.shape
    small = cv2.resize(
        label.astype(np.float32),
        (max(2, round(width / factor)), max(2, round(height / factor))),
        interpolation=cv2.INTER_AREA,
    )
    hard = (small > 0.5).astype(np.float32)
    return np.asarray(cv2.resize(hard, (width, height)) > 0.5)


def blurred(label: BoolArray, sigma: float, level: float = 0.5) -> BoolArray:
    """Rounded: blurred by a Gaussian, in pixels, and thresholded again."""
    soft = cv2.GaussianBlur(label.astype(np.float32), (0, 0), sigma)
    return np.asarray(soft > level)


def dilated(label: BoolArray, radius: int) -> BoolArray:
    """Grown by so many pixels."""
    return _morphed(cv2.dilate, label, radius)


def eroded(label: BoolArray, radius: int) -> BoolArray:
    """Shrunk by so many pixels."""
    return _morphed(cv2.erode, label, radius)


def _morphed(
    change: Callable[..., np.ndarray], label: BoolArray, radius: int
) -> BoolArray:
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2)
    grown = change(label.astype(np.uint8), brush, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(grown, np.uint8) > 0


def convex_hull(label: BoolArray) -> BoolArray:
    """The convex hull of each connected part."""
    out = np.zeros(label.shape, np.uint8)
    for contour in _contours(label):
        cv2.fillConvexPoly(out, cv2.convexHull(contour), 1)
    return out > 0


def polygon(label: BoolArray, tolerance: float, holes: bool = False) -> BoolArray:
    """Polygons around the parts, as annotators draw them.

    Args:
        label: (H, W).
        tolerance: largest distance of the polygon from the outline, in pixels.
        holes: whether holes are drawn too; most annotators fill them.
    """
    out = np.zeros(label.shape, np.uint8)
    for contour in _contours(label):
        cv2.fillPoly(out, [cv2.approxPolyDP(contour, tolerance, True)], 1)
    if holes:
        inner = (out > 0) & ~label
        for contour in _contours(inner):
            if cv2.contourArea(contour) > 4 * tolerance**2:
                cv2.fillPoly(out, [cv2.approxPolyDP(contour, tolerance, True)], 0)
    return out > 0


def _contours(label: BoolArray) -> list[np.ndarray]:
    found, _ = cv2.findContours(
        label.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    return list(found)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of degradation.

    Attributes:
        draw: degrades a label by a random amount of at most so many pixels.
        share: how often it is drawn (relative).
    """

    draw: Callable[[Rng, BoolArray, float], BoolArray]
    share: float


def _radius(rng: Rng, largest: float) -> float:
    """Small ones are more frequent: labels are mostly good."""
    return float(np.exp(rng.uniform(0, np.log(max(1.5, largest)))))


def _resized(rng: Rng, label: BoolArray, largest: float) -> BoolArray:
    return downscaled(label, 1 + 1.5 * _radius(rng, largest))


def _blurred(rng: Rng, label: BoolArray, largest: float) -> BoolArray:
    return blurred(label, 0.7 * _radius(rng, largest), rng.uniform(0.35, 0.65))


def _dilated(rng: Rng, label: BoolArray, largest: float) -> BoolArray:
    return dilated(label, round(_radius(rng, largest)))


def _eroded(rng: Rng, label: BoolArray, largest: float) -> BoolArray:
    return eroded(label, round(0.8 * _radius(rng, largest)))


def _opened(rng: Rng, label: BoolArray, largest: float) -> BoolArray:
    return _dilated(rng, _eroded(rng, label, largest), largest)


def _closed(rng: Rng, label: BoolArray, largest: float) -> BoolArray:
    return _eroded(rng, _dilated(rng, label, largest), largest)


def _polygon(rng: Rng, label: BoolArray, largest: float) -> BoolArray:
    return polygon(label, 0.6 * _radius(rng, largest), bool(rng.random() < 0.3))


def _hull(rng: Rng, label: BoolArray, largest: float) -> BoolArray:
    del rng, largest
    return convex_hull(label)


KINDS = {
    "threshold": Kind(lambda _rng, label, _largest: label, 0.1),
    "downscale": Kind(_resized, 0.18),
    "blur": Kind(_blurred, 0.14),
    "dilate": Kind(_dilated, 0.14),
    "erode": Kind(_eroded, 0.12),
    "open": Kind(_opened, 0.12),
    "close": Kind(_closed, 0.1),
    "polygon": Kind(_polygon, 0.16),
    "hull": Kind(_hull, 0.03),
}
"""Every kind by its name."""
TWICE = 0.25
"""Share of the labels that are degraded by two kinds."""


def coarse_label(rng: Rng, alpha: FloatArray) -> BoolArray:
    """Draw a coarse label of a matte.

    Args:
        rng: decides kinds and amounts.
        alpha: (H, W) float32 in [0, 1].

    Returns:
        (H, W) bool; never empty where alpha exceeds one half anywhere.
    """
    level = float(rng.choice([0.5, rng.uniform(0.05, 0.95)]))
    label = thresholded(alpha, level)
    if not label.any():
        label = thresholded(alpha, 0.5)
    largest = LARGEST * min(alpha.shape)
    names, shares = list(KINDS), np.array([kind.share for kind in KINDS.values()])
    for _ in range(2 if rng.random() < TWICE else 1):
        name = names[rng.choice(len(names), p=shares / shares.sum())]
        worse = KINDS[name].draw(rng, label, largest)
        if worse.any():
            label = worse
    return label


def same_region_cut(
    rng: Rng, label: BoolArray, alpha: FloatArray
) -> tuple[BoolArray, FloatArray]:
    """Cut the same random region from a label and its matte (the paper's SGA).

    What remains of the object is a part that no one would call an object: the network
    learns to follow the label and not what it knows of objects.

    Args:
        rng: decides the region.
        label: (H, W) bool.
        alpha: (H, W) float32.

    Returns:
        Both, without the region; as they were where the label would be left empty.
    """
    rows, columns = np.flatnonzero(label.any(1)), np.flatnonzero(label.any(0))
    if not len(rows):
        return label, alpha
    extent = np.array([np.ptp(columns), np.ptp(rows)], np.float64) + 1
    start = np.array([columns[0], rows[0]], np.float64)
    # Around a place of the label, or the region might miss it.
    ys, xs = np.nonzero(label)
    place = rng.integers(len(ys))
    centre = np.array([xs[place], ys[place]], np.float64)
    region = np.zeros(label.shape, np.uint8)
    sides = np.maximum(3, extent * rng.uniform(0.15, 0.6, 2))
    shape = rng.integers(3)
    if shape == 0:
        box = cv2.boxPoints((centre.tolist(), sides.tolist(), rng.uniform(0, 180)))
        cv2.fillPoly(region, [np.rint(box).astype(np.int32)], 1)
    elif shape == 1:
        middle = (int(centre[0]), int(centre[1]))
        axes = (max(1, int(sides[0] / 2)), max(1, int(sides[1] / 2)))
        cv2.ellipse(region, middle, axes, rng.uniform(0, 180), 0, 360, 1, -1)
    else:  # one side of a line
        angle = rng.uniform(0, 2 * np.pi)
        through = start + extent * rng.uniform(0.25, 0.75, 2)
        y, x = np.mgrid[: label.shape[0], : label.shape[1]]
        side = (x - through[0]) * np.cos(angle) + (y - through[1]) * np.sin(angle)
        region = (side > 0).astype(np.uint8)
    kept = region == 0
    if (label & kept).sum() < 0.05 * label.sum():
        return label, alpha
    return label & kept, np.where(kept, alpha, 0).astype(np.float32)
