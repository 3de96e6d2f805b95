"""Everything-mode as values: what was found, hit and picked.

Pure functions over frozen values; no widgets.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from zim_model.arrays import ByteArray
from zim_model.recipe import Recipe
from zim_model.request import Options

if TYPE_CHECKING:
    from zim_model.inference.automatic import Found

SOLID = 128
"""Small alpha from which a pixel belongs to a region."""
SAME = 0.5
"""Overlap, as a soft IoU, from which a better matte takes the place of a picked one."""
GOLDEN = 0.618034
SMOOTHING = 1.6
"""Standard deviation of the blur of what is shown, in pixels where 384 are a side."""

Pick = tuple["Found", ...]
"""What will be one object: one region, or several that were merged."""


@dataclass(frozen=True, slots=True)
class Regions:
    """What everything-mode knows of a picture.

    Attributes:
        size: height and width of the picture.
        found: largest first.
        picks: in the order in which they were made.
        hovered: the region under the pointer.
        done: steps of the search that are done, of ``total``.
        total: 0 until the search has said so.
        finished: the search came to its end.
    """

    size: tuple[int, int]
    found: tuple[Found, ...] = ()
    picks: tuple[Pick, ...] = ()
    hovered: Found | None = None
    done: int = 0
    total: int = 0
    finished: bool = False

    @property
    def fraction(self) -> float:
        """How much of the search is done, 0 to 1."""
        if self.finished:
            return 1.0
        return self.done / self.total if self.total else 0.0

    def at(self, x: float, y: float) -> Found | None:
        """The smallest region at x, y in image pixels."""
        height, width = self.size
        if not (0 <= x < width and 0 <= y < height):
            return None
        inside = [found for found in self.found if _covers(found, x, y, self.size)]
        return min(inside, key=lambda found: found.area, default=None)

    def pick_of(self, found: Found) -> int | None:
        """Index of the pick that a region belongs to."""
        return next((i for i, pick in enumerate(self.picks) if found in pick), None)

    # -- Changes --------------------------------------------------------------------

    def toggled(self, found: Found) -> Regions:
        """Pick a region, or take it out of its pick."""
        if self.pick_of(found) is None:
            return replace(self, picks=(*self.picks, (found,)))
        left = (tuple(f for f in pick if f is not found) for pick in self.picks)
        return replace(self, picks=tuple(filter(None, left)))

    def picked(self, found: Found) -> Regions:
        """Pick a region unless it is picked."""
        return self if self.pick_of(found) is not None else self.toggled(found)

    def joined(self, found: Found) -> Regions:
        """Make a region part of the newest pick, or the first one if there is none."""
        others = self.toggled(found) if self.pick_of(found) is not None else self
        if not others.picks:
            return self.picked(found)
        *rest, last = others.picks
        return replace(others, picks=(*rest, (*last, found)))

    def merged(self) -> Regions:
        """Make one pick of all."""
        together = tuple(found for pick in self.picks for found in pick)
        return replace(self, picks=(together,) if together else ())

    def all_picked(self) -> Regions:
        """Pick all regions that are not picked, each by itself."""
        rest = ((found,) for found in self.found if self.pick_of(found) is None)
        return replace(self, picks=(*self.picks, *rest))

    def progressed(self, done: int, total: int, found: tuple[Found, ...]) -> Regions:
        """Take what a search tells; one begun again tells nothing new at first."""
        if done < self.done or self.finished:
            return self
        return replace(self, done=done, total=total)._with_found(found)

    def ended(self, found: tuple[Found, ...]) -> Regions:
        """Take the result of a search."""
        return replace(self, finished=True)._with_found(found)

    def _with_found(self, found: tuple[Found, ...]) -> Regions:
        """Take other regions; what is picked goes over to its better matte."""
        gone = [old for pick in self.picks for old in pick if old not in found]
        heirs = {old: heir for old in gone if (heir := _same(old, found)) is not None}
        picks: list[Pick] = []
        taken: set[Found] = set()
        for pick in self.picks:
            now = tuple(dict.fromkeys(heirs.get(old, old) for old in pick))
            now = tuple(region for region in now if region not in taken)
            taken.update(now)
            picks.append(now)
        # A picked region that the search dropped is kept: the user wants it.
        kept = [old for old in gone if old not in heirs]
        regions = tuple(sorted((*found, *kept), key=lambda region: -region.area))
        hovered = self.hovered if self.hovered in regions else None
        return replace(
            self, found=regions, picks=tuple(filter(None, picks)), hovered=hovered
        )


def _covers(found: Found, x: float, y: float, size: tuple[int, int]) -> bool:
    height, width = found.alpha.shape
    row, column = int(y * height / size[0]), int(x * width / size[1])
    return int(found.alpha[row, column]) >= SOLID


def _same(old: Found, found: Iterable[Found]) -> Found | None:
    """The region that shows best what an old one showed."""
    from zim_model.inference.automatic import soft_iou

    overlaps = [(soft_iou(old, new), new) for new in found]
    best = max(overlaps, key=lambda pair: pair[0], default=(0.0, None))
    return best[1] if best[0] >= SAME else None


# -- Objects -----------------------------------------------------------------------


def candidates_differ(pick: Pick) -> bool:
    """Whether a pick's regions come from different candidates of the model.

    An object has one for all its prompts, so that these are no one object.
    """
    return len({found.candidate for found in pick}) > 1


def recipe_of(pick: Pick, model: str) -> Recipe:
    """The recipe that makes a pick an ordinary object."""
    first, *others = (found.prompts for found in pick)
    options = Options(candidate=pick[0].candidate or None)
    return Recipe(first, model, options, also=tuple(others))


# -- How it looks ------------------------------------------------------------------


def hue_of(number: int) -> float:
    """The hue in [0, 1) of a region's number; unlike those of the numbers near it."""
    return number * GOLDEN % 1.0


def smoothed(alpha: ByteArray) -> ByteArray:
    """A region's alpha without the steps of its few pixels, for display."""
    import cv2

    soft = cv2.GaussianBlur(alpha, (0, 0), SMOOTHING * max(alpha.shape) / 384)
    return np.asarray(soft, np.uint8)


Layer = tuple[ByteArray, tuple[int, int, int], float]
"""Alpha, (h, w); red, green and blue in 0..255; opacity in 0..1."""


def tinted(layers: Iterable[Layer], size: tuple[int, int]) -> ByteArray:
    """Regions in translucent colours, one over the other; what is smaller shows.

    Args:
        layers: from the bottom to the top.
        size: height and width of all alpha.

    Returns:
        (h, w, 4) uint8: blue, green, red, alpha, premultiplied.
    """
    result = np.zeros((*size, 4), np.float32)
    for whole, (red, green, blue), opacity in layers:
        colour = np.array([blue, green, red, 255], np.float32) * opacity
        part = _extent(whole)
        alpha = whole[part][..., None] * np.float32(1 / 255)
        result[part] += (colour - result[part]) * alpha
    return np.asarray(result + 0.5, np.uint8)


def _extent(alpha: ByteArray) -> tuple[slice, slice]:
    """Rows and columns that hold all alpha above 0."""
    rows, columns = np.flatnonzero(alpha.any(1)), np.flatnonzero(alpha.any(0))
    if not rows.size:
        return slice(0, 0), slice(0, 0)
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
