"""Dense cue maps, computed from clicks, a box and simple colour models.

A small network that is trained on few images does not learn to recognise objects.  The
maps supply part of that: Euclidean and geodesic distances to the prompts, the latter
along the colours of the image, and colour models (histograms) of inside and outside.
They enter where ZIM takes a mask prompt.
"""

from __future__ import annotations

import itertools

import cv2
import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from zim_model.arrays import BoolArray, ByteArray, FloatArray
from zim_model.prompts import Box, PromptSet

CUES = (
    "valid",  # 1 inside the image, 0 in the padding
    "positive_disc",
    "negative_disc",
    "positive_near",  # exp(-distance) to the nearest positive click
    "negative_near",
    "positive_geodesic",  # the same along paths of similar colour
    "negative_geodesic",  # to negative clicks or, with a box, to its outside
    "geodesic_difference",
    "box_inside",
    "box_depth",  # signed distance to the box's edge, positive inside
    "box_u",  # position inside the box, -1 to 1
    "box_v",
    "colour_coarse",  # log-likelihood ratio of object over surroundings
    "colour_fine",
    "colour_positive",  # similarity to the colour at the positive clicks
    "colour_negative",
    "edges",
)
"""Names and order of the maps."""

DISC_RADIUS = 0.025
"""Radius of a click's disc, as a fraction of the map's side."""
GEODESIC_COLOUR = 12.0
"""How much a step across a full colour contrast lengthens a path."""


def cue_maps(pixels: ByteArray, prompts: PromptSet, size: int) -> FloatArray:
    """Compute the cue maps of one prompt set.

    Args:
        pixels: the scaled view without padding, (h, w, 3) uint8 RGB, max(h, w) being
            the input side.
        prompts: in the pixels of that view.
        size: side of the maps; the network takes half the input side.

    Returns:
        (len(CUES), size, size) float32, about -1 to 1, zero in the padding.
    """
    scale = size / max(pixels.shape[:2])
    height = max(1, round(pixels.shape[0] * scale))
    width = max(1, round(pixels.shape[1] * scale))
    small = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
    scene = _Scene(np.asarray(small), prompts, scale, size)
    maps = np.zeros((len(CUES), size, size), np.float32)
    drawn = np.stack([scene.maps[name] for name in CUES])
    maps[:, :height, :width] = drawn
    return maps


class _Scene:
    """Computes the cue maps of one small image: ``maps``, by name."""

    def __init__(
        self, rgb: ByteArray, prompts: PromptSet, scale: float, size: int
    ) -> None:
        self.size = size
        self.shape = rgb.shape[:2]
        self.lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)
        self.colours = self.lab.astype(np.float32) / 255.0
        self.maps: dict[str, FloatArray] = {
            "valid": np.ones(self.shape, np.float32),
            "edges": self._edges(),
        }
        self._scale = scale
        self.positive = self._discs(prompts, positive=True)
        self.negative = self._discs(prompts, positive=False)
        self.inside = self._box(prompts.box)
        self._distances()
        self._colours()

    def _edges(self) -> FloatArray:
        lab = cv2.GaussianBlur(self.colours, (0, 0), 0.7)
        dx = cv2.Sobel(lab, cv2.CV_32F, 1, 0)
        dy = cv2.Sobel(lab, cv2.CV_32F, 0, 1)
        return np.asarray(np.sqrt((dx * dx + dy * dy).sum(-1)), np.float32)

    def _discs(self, prompts: PromptSet, *, positive: bool) -> BoolArray:
        disc = np.zeros(self.shape, np.uint8)
        radius = max(1, round(DISC_RADIUS * self.size))
        # Scribbles enter as clicks, with which the network was trained: drawn as lines
        # they give a lower IoU.
        lines = (scribble.clicks for scribble in prompts.scribbles)
        for point in itertools.chain(prompts.points, *lines):
            if point.positive is positive:
                centre = (int(point.x * self._scale), int(point.y * self._scale))
                cv2.circle(disc, centre, radius, 1, -1)
        drawn: BoolArray = disc > 0
        self.maps["positive_disc" if positive else "negative_disc"] = drawn.astype(
            np.float32
        )
        return drawn

    def _box(self, box: Box | None) -> BoolArray | None:
        names = ("box_inside", "box_depth", "box_u", "box_v")
        if box is None:
            self.maps |= {name: np.zeros(self.shape, np.float32) for name in names}
            return None
        height, width = self.shape
        x = (np.arange(width, dtype=np.float32) + 0.5) / self._scale
        y = ((np.arange(height, dtype=np.float32) + 0.5) / self._scale)[:, None]
        u = (2 * x - box.x0 - box.x1) / max(box.width, 1)
        v = (2 * y - box.y0 - box.y1) / max(box.height, 1)
        inside = (np.abs(u) <= 1) & (np.abs(v) <= 1)
        if not inside.any():  # thinner than a map pixel
            inside = (np.abs(u) == np.abs(u).min()) & (np.abs(v) == np.abs(v).min())
        depth = np.minimum(
            np.minimum(x - box.x0, box.x1 - x), np.minimum(y - box.y0, box.y1 - y)
        )
        half = max(min(box.width, box.height) / 2, 1)
        self.maps |= {
            "box_inside": inside.astype(np.float32),
            "box_depth": np.clip(depth / half, -1, 1).astype(np.float32),
            "box_u": np.broadcast_to(np.clip(u, -1.5, 1.5), self.shape),
            "box_v": np.broadcast_to(np.clip(v, -1.5, 1.5), self.shape),
        }
        return np.asarray(inside)

    def _distances(self) -> None:
        length = 0.2 * self.size
        near = {}
        for name, seeds in (("positive", self.positive), ("negative", self.negative)):
            near[name] = np.zeros(self.shape, np.float32)
            if seeds.any():
                away = cv2.distanceTransform((~seeds).astype(np.uint8), cv2.DIST_L2, 3)
                near[name] = np.exp(-away / length)
            self.maps[f"{name}_near"] = near[name]
        far = self.negative
        if self.inside is not None:
            far = far | ~self.inside
        graph = _colour_graph(self.colours)
        geodesic = {}
        for name, seeds in (("positive", self.positive), ("negative", far)):
            geodesic[name] = _geodesic(graph, seeds)
            self.maps[f"{name}_geodesic"] = np.exp(-geodesic[name] / length)
        difference = geodesic["negative"] - geodesic["positive"]
        known = self.positive.any() and far.any()
        self.maps["geodesic_difference"] = (
            np.tanh(difference / length) if known else np.zeros(self.shape, np.float32)
        ).astype(np.float32)

    def _seed_weights(self) -> tuple[FloatArray, FloatArray]:
        """Each pixel's weight in the colour models of object and surroundings."""
        if self.inside is not None:
            depth = self.maps["box_depth"]
            foreground = np.clip(depth, 0, 1)
            background = (~self.inside).astype(np.float32)
            if background.sum() < 0.02 * background.size:  # the box fills the view
                background += np.clip(0.15 - depth, 0, 1)
        else:
            near = self.maps["positive_geodesic"]
            foreground = near**8
            background = (1 - near) ** 2 * 0.5
        weight = 0.5 * self.size
        if self.positive.any():
            foreground = foreground + weight * self.positive / self.positive.sum()
        if self.negative.any():
            background = background + weight * self.negative / self.negative.sum()
            around = self.maps["negative_geodesic"] ** 8
            foreground = foreground * (1 - around)
        return foreground.astype(np.float32), background.astype(np.float32)

    def _colours(self) -> None:
        foreground, background = self._seed_weights()
        for name, bins in (("colour_coarse", 8), ("colour_fine", 16)):
            cells = (self.lab.astype(np.int32) * bins) >> 8
            index = (cells[..., 0] * bins + cells[..., 1]) * bins + cells[..., 2]
            likelihood = []
            for weights in (foreground, background):
                histogram = np.bincount(
                    index.ravel(), weights.ravel(), minlength=bins**3
                ).reshape(bins, bins, bins)
                smooth = _blur3(histogram.astype(np.float32))
                likelihood.append(smooth / max(smooth.sum(), 1e-6) + 1e-5)
            ratio = np.log(likelihood[0] / likelihood[1]).ravel()[index]
            ratio = cv2.GaussianBlur(ratio.astype(np.float32), (0, 0), 0.8)
            self.maps[name] = np.tanh(ratio / 2).astype(np.float32)
        planes = np.ascontiguousarray(self.colours.transpose(2, 0, 1))
        for name, seeds in (("positive", self.positive), ("negative", self.negative)):
            similar = np.zeros(self.shape, np.float32)
            if seeds.any():
                # A few colours of the seeds; the nearest of them counts.
                colours = self.colours[seeds]
                colours = colours[:: max(1, len(colours) // 12)]
                gaps = planes - colours[..., None, None]
                similar = np.exp(-(gaps**2).sum(1).min(0) / 0.01)
            self.maps[f"colour_{name}"] = similar


def grabcut(rgb: ByteArray, mask: ByteArray, iterations: int) -> BoolArray:
    """OpenCV's GrabCut, the same for the same input.

    Args:
        rgb: (H, W, 3).
        mask: (H, W) of OpenCV's GC_ constants; overwritten.  Object and background
            need a few pixels each.
        iterations: rounds of fitting colours and cutting.

    Returns:
        (H, W), true on the object.
    """
    cv2.setRNGSeed(0)
    bgr = np.ascontiguousarray(rgb[..., ::-1])
    models = np.zeros((1, 65)), np.zeros((1, 65))
    whole = (0, 0, mask.shape[1], mask.shape[0])
    cv2.grabCut(bgr, mask, whole, *models, iterations, cv2.GC_INIT_WITH_MASK)
    return np.asarray((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD))


def _blur3(histogram: FloatArray) -> FloatArray:
    """A [1 2 1] blur along each axis of a 3D histogram, in place of kernel density."""
    for axis in range(3):
        padded = np.pad(histogram, [(1, 1) if i == axis else (0, 0) for i in range(3)])
        low, mid, high = (
            np.take(padded, range(start, start + histogram.shape[axis]), axis)
            for start in range(3)
        )
        histogram = np.asarray((low + 2 * mid + high) / 4, np.float32)
    return histogram


def _colour_graph(colours: FloatArray) -> sparse.csr_matrix:
    """The 4-neighbour graph of the pixels; unlike colours are farther apart."""
    height, width = colours.shape[:2]
    index = np.arange(height * width).reshape(height, width)
    edges = []
    for a, b, first, second in (
        (colours[:, :-1], colours[:, 1:], index[:, :-1], index[:, 1:]),
        (colours[:-1], colours[1:], index[:-1], index[1:]),
    ):
        gap = np.sqrt(((a - b) ** 2).sum(-1))
        cost = 0.2 + GEODESIC_COLOUR * gap
        edges.append((first.ravel(), second.ravel(), cost.ravel()))
    rows, columns, costs = (np.concatenate(part) for part in zip(*edges, strict=True))
    count = height * width
    return sparse.csr_matrix((costs, (rows, columns)), shape=(count, count))


def _geodesic(graph: sparse.csr_matrix, seeds: BoolArray) -> FloatArray:
    """Length of the shortest path from any seed; a large number without seeds."""
    if not seeds.any():
        return np.full(seeds.shape, 1e3, np.float32)
    distance = csgraph.dijkstra(
        graph, directed=False, indices=np.flatnonzero(seeds), min_only=True
    )
    return np.asarray(distance.reshape(seeds.shape), np.float32)
