"""Prompts drawn as maps of the network's input size, for networks that see prompts."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
import numpy.typing as npt

from zim_model.arrays import ByteArray
from zim_model.prompts import Box, PromptSet, Scribble

POSITIVE, NEGATIVE, BOX = range(3)
"""Maps: positive places, negative places, the filled box."""
RADIUS = 5
"""Of a point's disk, and of a scribble's line, in input pixels."""
MARGIN = 0.04
"""Distance from a region's line where its inside and its outside begin, as a share of
the square root of its area; the line is drawn roughly."""
LEAST_MARGIN = 3
"""Least such distance, in input pixels."""


def prompt_maps(prompts: PromptSet, size: int) -> ByteArray:
    """Prompts in input pixels as maps (3, size, size) uint8 of 0 and 1."""
    maps = np.zeros((3, size, size), np.uint8)
    for point in prompts.points:
        draw_disk(maps, point.x, point.y, positive=point.positive)
    for scribble in prompts.scribbles:
        if scribble.region:
            continue
        # A line of one vertex is not drawn.
        draw_disk(maps, *scribble.path[0], positive=scribble.positive)
        plane = maps[POSITIVE if scribble.positive else NEGATIVE]
        cv2.polylines(plane, [_pixels(scribble.path)], False, 1, 2 * RADIUS + 1)
    _draw_regions(maps, [s for s in prompts.scribbles if s.region])
    if prompts.box is not None:
        fill_box(maps, prompts.box)
    return maps


def _draw_regions(maps: ByteArray, regions: Iterable[Scribble]) -> None:
    """Mark what is well inside regions, and as negative what is far from positive ones.

    Later regions replace earlier ones.  Points and lines, drawn before, say more about
    their places; where one of them is positive far from all regions, the far places are
    not negative.
    """
    inside, near = np.zeros_like(maps[:2]), np.zeros_like(maps[0])
    for region in regions:
        filled = fill_region(region.path, *near.shape)
        margin = max(LEAST_MARGIN, int(MARGIN * np.sqrt(filled.sum())))
        kernel = np.ones((2 * margin + 1,) * 2, np.uint8)
        core = cv2.erode(filled, kernel)
        core = np.asarray(core if core.any() else filled, np.uint8)
        inside[:, core > 0] = 0
        inside[POSITIVE if region.positive else NEGATIVE] |= core
        if region.positive:
            near |= np.asarray(cv2.dilate(filled, kernel), np.uint8)
    if near.any() and not maps[POSITIVE][near == 0].any():
        inside[NEGATIVE] |= 1 - near
    maps[:2] |= inside & (1 - maps[NEGATIVE::-1])


def fill_region(
    path: Iterable[tuple[float, float]], height: int, width: int
) -> ByteArray:
    """The inside of a loop, (height, width) uint8 of 0 and 1, without holes."""
    filled = np.zeros((height, width), np.uint8)
    cv2.fillPoly(filled, [_pixels(path)], 1)
    # OpenCV leaves out what a loop goes around twice.
    outlines, _ = cv2.findContours(filled, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(filled, outlines, -1, (1,), -1)
    return filled


def _pixels(path: Iterable[tuple[float, float]]) -> npt.NDArray[np.int32]:
    """The pixels of vertices (x, y), (N, 1, 2)."""
    vertices = np.floor(np.array(list(path), np.float64))
    return np.asarray(vertices.reshape(-1, 1, 2), np.int32)


def draw_disk(maps: ByteArray, x: float, y: float, *, positive: bool) -> None:
    """Mark a point (x, y) in input pixels in its map."""
    plane = maps[POSITIVE if positive else NEGATIVE]
    cv2.circle(plane, (int(x), int(y)), RADIUS, 1, -1)


def fill_box(maps: ByteArray, box: Box) -> None:
    """Fill a box in input pixels, clipped to the map; at least one pixel."""
    size = maps.shape[1]
    left, top = (min(max(round(edge), 0), size - 1) for edge in (box.x0, box.y0))
    right, bottom = max(round(box.x1), left + 1), max(round(box.y1), top + 1)
    maps[BOX, top:bottom, left:right] = 1
