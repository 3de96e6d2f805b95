"""Degradations that make coarse labels from mattes, and random cuts (SGA).

The label converter is trained on coarse labels derived from mattes: thresholded,
downscaled, blurred, dilated, eroded, replaced by the convex hull or by a polygon as
annotators draw it, or by two of these.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from zim_model.arrays import BoolArray, FloatArray, mask_bounds

Rng = np.random.Generator
MAX_RADIUS_FRACTION = 0.016
"""Largest radius of a degradation, as a fraction of the image's shorter side."""


def threshold(alpha: FloatArray, level: float) -> BoolArray:
    """Threshold alpha (H, W) in [0, 1] at a level."""
    return alpha > level


def downscale(label: BoolArray, factor: float) -> BoolArray:
    """Downscale by ``factor``, threshold, and upscale bilinearly to the same size."""
    height, width = label.shape
    small = cv2.resize(
        label.astype(np.float32),
        (max(2, round(width / factor)), max(2, round(height / factor))),
        interpolation=cv2.INTER_AREA,
    )
    binary = (small > 0.5).astype(np.float32)
    return np.asarray(cv2.resize(binary, (width, height)) > 0.5)


def blur(label: BoolArray, sigma: float, level: float = 0.5) -> BoolArray:
    """Blur by a Gaussian of ``sigma`` pixels and threshold again."""
    soft = cv2.GaussianBlur(label.astype(np.float32), (0, 0), sigma)
    return np.asarray(soft > level)


def dilate(label: BoolArray, radius: int) -> BoolArray:
    """Dilate by ``radius`` pixels."""
    return _morph(cv2.dilate, label, radius)


def erode(label: BoolArray, radius: int) -> BoolArray:
    """Erode by ``radius`` pixels."""
    return _morph(cv2.erode, label, radius)


def _morph(
    change: Callable[..., np.ndarray], label: BoolArray, radius: int
) -> BoolArray:
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2)
    grown = change(label.astype(np.uint8), brush, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(grown, np.uint8) > 0


def convex_hull(label: BoolArray) -> BoolArray:
    """Fill the convex hull of each connected component."""
    out = np.zeros(label.shape, np.uint8)
    for contour in _contours(label):
        cv2.fillConvexPoly(out, cv2.convexHull(contour), 1)
    return out > 0


def to_polygons(label: BoolArray, tolerance: float, holes: bool = False) -> BoolArray:
    """Approximate the connected components by polygons, as annotators draw them.

    Args:
        label: (H, W) bool.
        tolerance: largest distance of the polygon from the outline, in pixels.
        holes: whether to keep holes; most annotators fill them.
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
    contours, _ = cv2.findContours(
        label.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    return list(contours)


@dataclass(frozen=True, slots=True)
class Degradation:
    """A kind of degradation.

    Attributes:
        draw: degrades a label by a random amount up to a radius in pixels.
        probability: relative frequency.
    """

    draw: Callable[[Rng, BoolArray, float], BoolArray]
    probability: float


def _radius(rng: Rng, max_radius: float) -> float:
    """Draw a radius, log-uniformly: most labels are good."""
    return float(np.exp(rng.uniform(0, np.log(max(1.5, max_radius)))))


def _draw_downscale(rng: Rng, label: BoolArray, max_radius: float) -> BoolArray:
    return downscale(label, 1 + 1.5 * _radius(rng, max_radius))


def _draw_blur(rng: Rng, label: BoolArray, max_radius: float) -> BoolArray:
    return blur(label, 0.7 * _radius(rng, max_radius), rng.uniform(0.35, 0.65))


def _draw_dilate(rng: Rng, label: BoolArray, max_radius: float) -> BoolArray:
    return dilate(label, round(_radius(rng, max_radius)))


def _draw_erode(rng: Rng, label: BoolArray, max_radius: float) -> BoolArray:
    return erode(label, round(0.8 * _radius(rng, max_radius)))


def _draw_opening(rng: Rng, label: BoolArray, max_radius: float) -> BoolArray:
    return _draw_dilate(rng, _draw_erode(rng, label, max_radius), max_radius)


def _draw_closing(rng: Rng, label: BoolArray, max_radius: float) -> BoolArray:
    return _draw_erode(rng, _draw_dilate(rng, label, max_radius), max_radius)


def _draw_polygon(rng: Rng, label: BoolArray, max_radius: float) -> BoolArray:
    return to_polygons(label, 0.6 * _radius(rng, max_radius), bool(rng.random() < 0.3))


def _draw_hull(rng: Rng, label: BoolArray, max_radius: float) -> BoolArray:
    del rng, max_radius
    return convex_hull(label)


DEGRADATIONS = {
    "threshold": Degradation(lambda _rng, label, _max_radius: label, 0.1),
    "downscale": Degradation(_draw_downscale, 0.18),
    "blur": Degradation(_draw_blur, 0.14),
    "dilate": Degradation(_draw_dilate, 0.14),
    "erode": Degradation(_draw_erode, 0.12),
    "open": Degradation(_draw_opening, 0.12),
    "close": Degradation(_draw_closing, 0.1),
    "polygon": Degradation(_draw_polygon, 0.16),
    "hull": Degradation(_draw_hull, 0.03),
}
"""All degradations by name."""
SECOND_DEGRADATION_SHARE = 0.25
"""Share of the labels that are degraded twice."""


def coarse_label(rng: Rng, alpha: FloatArray) -> BoolArray:
    """Draw a coarse label of a matte.

    Args:
        rng: chooses kinds and amounts.
        alpha: (H, W) float32 in [0, 1].

    Returns:
        (H, W) bool; not empty if alpha exceeds 1/2 anywhere.
    """
    level = float(rng.choice([0.5, rng.uniform(0.05, 0.95)]))
    label = threshold(alpha, level)
    if not label.any():
        label = threshold(alpha, 0.5)
    max_radius = MAX_RADIUS_FRACTION * min(alpha.shape)
    names, probabilities = (
        list(DEGRADATIONS),
        np.array([kind.probability for kind in DEGRADATIONS.values()]),
    )
    for _ in range(2 if rng.random() < SECOND_DEGRADATION_SHARE else 1):
        name = names[rng.choice(len(names), p=probabilities / probabilities.sum())]
        degraded = DEGRADATIONS[name].draw(rng, label, max_radius)
        if degraded.any():
            label = degraded
    return label


def cut_same_region(
    rng: Rng, label: BoolArray, alpha: FloatArray
) -> tuple[BoolArray, FloatArray]:
    """Cut the same random region from a label and its matte (the paper's SGA).

    The rest is no longer a complete object, so that the network learns to follow the
    label instead of object shapes.

    Args:
        rng: chooses the region.
        label: (H, W) bool.
        alpha: (H, W) float32.

    Returns:
        Label and matte without the region; unchanged if too little would remain.
    """
    bounds = mask_bounds(label)
    if bounds is None:
        return label, alpha
    start, stop = np.array(bounds, np.float64).reshape(2, 2)
    extent = stop - start
    # Centred on a pixel of the label, so that the region overlaps it.
    ys, xs = np.nonzero(label)
    pick = rng.integers(len(ys))
    centre = np.array([xs[pick], ys[pick]], np.float64)
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
