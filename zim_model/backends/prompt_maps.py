"""Prompts drawn as maps of the network's input size, for networks that see prompts."""

from __future__ import annotations

import cv2
import numpy as np

from zim_model.arrays import ByteArray
from zim_model.prompts import Box, PromptSet

POSITIVE, NEGATIVE, BOX = range(3)
"""Maps: positive places, negative places, the filled box."""
RADIUS = 5
"""Of a point's disk, and of a scribble's line, in input pixels."""


def prompt_maps(prompts: PromptSet, size: int) -> ByteArray:
    """Prompts in input pixels as maps (3, size, size) uint8 of 0 and 1."""
    maps = np.zeros((3, size, size), np.uint8)
    for point in prompts.points:
        draw_disk(maps, point.x, point.y, positive=point.positive)
    for scribble in prompts.scribbles:
        # A line of one vertex is not drawn.
        draw_disk(maps, *scribble.path[0], positive=scribble.positive)
        path = np.floor(np.array(scribble.path)).astype(np.int32)
        plane = maps[POSITIVE if scribble.positive else NEGATIVE]
        cv2.polylines(plane, [path.reshape(-1, 1, 2)], False, 1, 2 * RADIUS + 1)
    if prompts.box is not None:
        fill_box(maps, prompts.box)
    return maps


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
