"""The main object of an image among the found ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

import numpy as np

from zim_model.arrays import ByteArray, FloatArray

BACKGROUND_EDGES = 3
"""A matte that touches this many of the image's edges is background."""
TOUCHING = 0.1
"""Fraction of an edge that has to be covered for an object to touch it."""


class HasAlpha(Protocol):
    """What is chosen among, by its small matte (h, w)."""

    @property
    def alpha(self) -> ByteArray: ...


Object = TypeVar("Object", bound=HasAlpha)


def main_object(objects: Sequence[Object]) -> Object | None:
    """The object with the greatest area, weighted by nearness to the centre.

    A pixel in the centre of the image has weight 1; the weight falls, as a cosine does,
    to zero at the edges.  Objects that touch three or more edges of the image are left
    out, unless there are no others: they are walls, skies and floors.

    Args:
        objects: of one image, see :func:`zim_model.inference.automatic.find_objects`.

    Returns:
        One of them; None if there is none.
    """
    if not objects:
        return None
    foreground = [each for each in objects if not is_background(each.alpha)]
    weights = centre_weights(*objects[0].alpha.shape)
    return max(
        foreground or objects, key=lambda each: float((each.alpha * weights).sum())
    )


def is_background(alpha: ByteArray) -> bool:
    """Whether a matte, (h, w) uint8, touches three or more edges of its image."""
    edges = (alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1])
    touched = sum(float((edge > 127).mean()) > TOUCHING for edge in edges)
    return touched >= BACKGROUND_EDGES


def centre_weights(height: int, width: int) -> FloatArray:
    """(H, W) float32: 1 in the middle, falling to 0 at the edges."""
    rows, columns = (
        np.sin(np.pi * (np.arange(side, dtype=np.float32) + 0.5) / side)
        for side in (height, width)
    )
    return np.outer(rows, columns).astype(np.float32)
