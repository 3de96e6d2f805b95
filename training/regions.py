"""Regions of a photo that stand out by their colours, found without labels.

Superpixels (Felzenszwalb and Huttenlocher, 2004) are merged, the pair of the weakest
boundary first, into a tree of regions, as in Arbelaez et al. (2011).  Regions that
exist over a long range of boundary strengths are kept, if their outlines are clear.
They have no meaning: a click on one of them may mean anything, but a box around it or
several clicks mean it as well as they mean an object.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from zim_model.arrays import BoolArray, ByteArray, FloatArray

Numbers = np.ndarray[Any, np.dtype[np.int64]]

REST = 255
"""Label of what is in no region."""
MAX_REGIONS = 25
SCALE, SUPERPIXEL_SIGMA, SMALLEST_SUPERPIXEL = 255 * 150.0, 0.8, 60
"""Felzenszwalb's k in units of colour, 255 times as scikit-image counts it; pixels of
the smoothing; pixels of the smallest superpixel."""
AREAS = (0.008, 0.45)
"""Smallest and largest region, as shares of the photo."""
MIN_STRENGTH, MIN_RANGE = 12.0, 3.0
"""Of a region's weakest boundary, and how much it exceeds the strongest inside."""
CLEAR_DISTANCE, CLEAR_SHARE = 15.0, 0.85
"""Difference of the colours on both sides of an outline, and the share of the outline
that must have it."""
SIDE_SIGMA = 3.5
"""Pixels that are averaged on either side of an outline."""


@dataclass(frozen=True, slots=True)
class Node:
    """A region of the tree.

    Attributes:
        superpixels: their numbers.
        pixels: their area.
        birth, death: boundary strengths at which it came to be and was merged.
    """

    superpixels: tuple[int, ...]
    pixels: float
    birth: float
    death: float


def find_regions(image: ByteArray) -> ByteArray | None:
    """Labels of the regions that stand out, and REST; None if there are none.

    Args:
        image: (H, W, 3) uint8 RGB, best of 200 to 400 pixels a side.

    Returns:
        (H, W) uint8: 1, 2, ... by decreasing distinctness.  The largest region has at
        most four times the area of the next, so that none is a main object.
    """
    colours = lab_colours(image)
    superpixels = find_superpixels(colours)
    count = int(superpixels.max()) + 1
    if count < 4:
        return None
    total = superpixels.size
    nodes = [
        node
        for node in merge_tree(colours, superpixels)
        if AREAS[0] < node.pixels / total < AREAS[1]
        and node.death >= MIN_STRENGTH
        and node.death - node.birth >= MIN_RANGE
    ]
    nodes.sort(key=lambda node: node.death - node.birth + 0.4 * node.death)
    masks: list[BoolArray] = []
    taken = np.zeros(superpixels.shape, bool)
    for node in reversed(nodes):
        mask = np.isin(superpixels, node.superpixels)
        if (taken & mask).any():
            continue
        clean = compact_part(mask)
        if clean is not None and outline_clarity(colours, clean) >= CLEAR_SHARE:
            masks.append(clean)
            taken |= clean
        if len(masks) == MAX_REGIONS:
            break
    return _labels(_without_main(masks))


def lab_colours(image: ByteArray) -> FloatArray:
    """Smoothed CIELAB colours (H, W, 3) float32, hue weighted 1.5 times."""
    smooth = cv2.bilateralFilter(image, 5, 30, 3)
    lab = cv2.cvtColor(smooth, cv2.COLOR_RGB2LAB).astype(np.float32)
    lab[..., 1:] *= 1.5
    return np.asarray(lab, np.float32)


def find_superpixels(colours: FloatArray) -> Numbers:
    """Numbers (H, W) from 0 of superpixels, by Felzenszwalb and Huttenlocher."""
    # Of the extra [train].
    from skimage.segmentation import felzenszwalb

    found = felzenszwalb(
        colours.astype(np.float64),
        scale=SCALE,
        sigma=SUPERPIXEL_SIGMA,
        min_size=SMALLEST_SUPERPIXEL,
    )
    return np.asarray(found, np.int64)


def _neighbours(height: int, width: int) -> tuple[Any, Any]:
    """Flat indices of all pairs of pixels that touch by a side."""
    index = np.arange(height * width).reshape(height, width)
    first = np.concatenate([index[:, :-1].ravel(), index[:-1].ravel()])
    return first, np.concatenate([index[:, 1:].ravel(), index[1:].ravel()])


def merge_tree(colours: FloatArray, superpixels: Numbers) -> Iterator[Node]:
    """Yield all regions that arise when superpixels are merged, but the last.

    The strength of a boundary is half the difference of both sides' mean colours and
    twice the mean gradient along it; that of a small region counts less.
    """
    flat, owner = colours.reshape(-1, 3), superpixels.ravel()
    total, count = owner.size, int(owner.max()) + 1
    smooth = cv2.GaussianBlur(colours, (0, 0), 1.2)
    slopes = [cv2.Sobel(smooth, cv2.CV_32F, *d) / 8 for d in ((1, 0), (0, 1))]
    gradient = np.linalg.norm(np.concatenate(slopes, 2), axis=2).ravel()
    areas = [float(n) for n in np.bincount(owner, minlength=count)]
    sums = [*np.stack([np.bincount(owner, flat[:, c], count) for c in range(3)], 1)]
    # Of each boundary, its length and the sum of the gradient along it.
    borders: list[dict[int, list[float]]] = [{} for _ in range(count)]
    first, second = _neighbours(*superpixels.shape)
    across = owner[first] != owner[second]
    first, second = first[across], second[across]
    low = np.minimum(owner[first], owner[second])
    high = np.maximum(owner[first], owner[second])
    keys, which = np.unique(low * count + high, return_inverse=True)
    steep = np.bincount(which, np.maximum(gradient[first], gradient[second]))
    for key, length, slope in zip(keys, np.bincount(which), steep, strict=True):
        i, j = divmod(int(key), count)
        borders[i][j], borders[j][i] = [float(length), slope], [float(length), slope]

    def strength(i: int, j: int) -> float:
        length, slope = borders[i][j]
        contrast = np.linalg.norm(sums[i] / areas[i] - sums[j] / areas[j])
        small = min(1.0, (min(areas[i], areas[j]) / (0.004 * total)) ** 0.3)
        return float((0.5 * contrast + 2 * slope / length) * small)

    members: list[tuple[int, ...]] = [(i,) for i in range(count)]
    births, alive, reached = [0.0] * count, [True] * count, 0.0
    queue = [(strength(i, j), i, j) for i in range(count) for j in borders[i] if j > i]
    heapq.heapify(queue)
    while queue:
        weakest, i, j = heapq.heappop(queue)
        if not (alive[i] and alive[j]):
            continue
        reached = max(reached, weakest)
        for k in (i, j):
            alive[k] = False
            yield Node(members[k], areas[k], births[k], reached)
        new = len(alive)
        alive.append(True)
        births.append(reached)
        members.append(members[i] + members[j])
        areas.append(areas[i] + areas[j])
        sums.append(sums[i] + sums[j])
        borders.append({})
        for k in (i, j):
            for other, (length, slope) in borders[k].items():
                if alive[other]:
                    border = borders[new].setdefault(other, [0.0, 0.0])
                    border[0] += length
                    border[1] += slope
                    borders[other].pop(k, None)
                    borders[other][new] = border
        for other in borders[new]:
            pair = min(new, other), max(new, other)
            heapq.heappush(queue, (strength(*pair), *pair))


def compact_part(mask: BoolArray) -> BoolArray | None:
    """The largest connected part of a region; None if the region is no compact one."""
    opened = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3)))
    count, parts, stats, _ = cv2.connectedComponentsWithStats(opened)
    if count < 2:
        return None
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    area = float(stats[largest, cv2.CC_STAT_AREA])
    box = stats[largest, cv2.CC_STAT_WIDTH] * stats[largest, cv2.CC_STAT_HEIGHT]
    if area < 0.85 * mask.sum() or area < 0.007 * mask.size or area < 0.3 * box:
        return None
    part = (parts == largest).astype(np.uint8)
    outline = cv2.findContours(part, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0][0]
    filled = cv2.drawContours(np.zeros_like(part), [outline], 0, 1, -1)
    if area < 0.55 * cv2.contourArea(cv2.convexHull(outline)):
        return None
    return part > 0 if area >= 0.93 * filled.sum() else None


def outline_clarity(colours: FloatArray, mask: BoolArray) -> float:
    """Share of an outline, 0 to 1, with different colours on both sides.

    The photo's own edge is no outline; 0 where nothing else is left.
    """
    inside = mask.astype(np.float32)[..., None]
    share = cv2.GaussianBlur(inside, (0, 0), SIDE_SIGMA)[..., None]
    sides = (
        cv2.GaussianBlur(colours * part, (0, 0), SIDE_SIGMA) / np.maximum(own, 1e-3)
        for part, own in ((inside, share), (1 - inside, 1 - share))
    )
    kernel = np.ones((3, 3), np.uint8)
    edge = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_GRADIENT, kernel) > 0
    edge[[0, -1]] = False
    edge[:, [0, -1]] = False
    if not edge.any():
        return 0.0
    inner, outer = sides
    differs = np.linalg.norm(inner - outer, axis=2)[edge] > CLEAR_DISTANCE
    return float(differs.mean())


def _without_main(masks: list[BoolArray]) -> list[BoolArray]:
    """The regions, without the largest ones of more than four times the next."""
    kept = list(masks)
    while kept:
        areas = [mask.sum() for mask in kept]
        largest = max(areas)
        if sum(4 * area > largest for area in areas) > 1:
            break
        del kept[int(np.argmax(areas))]
    return kept


def _labels(masks: list[BoolArray]) -> ByteArray | None:
    if not masks:
        return None
    labels = np.full(masks[0].shape, REST, np.uint8)
    for number, mask in enumerate(masks, 1):
        labels[mask] = number
    return labels
