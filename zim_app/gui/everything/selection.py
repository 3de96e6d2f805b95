"""Everything-mode as values: found objects and the user's picks.

Pure functions over frozen values; no widgets.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from zim_model.arrays import ByteArray, mask_bounds
from zim_model.recipe import Options, Recipe

if TYPE_CHECKING:
    from zim_model.inference.automatic import FoundObject

SOLID_ALPHA = 128
"""Alpha of the thumbnail from which a pixel belongs to a found object."""
SAME_OBJECT_IOU = 0.5
"""Soft IoU from which a later found object replaces a picked one."""
GOLDEN_RATIO = 0.618034
SMOOTHING = 1.6
"""Standard deviation of the blur for display, in pixels per 384 of the longer side."""

Pick = tuple["FoundObject", ...]
"""Found objects that become one object of the document."""


@dataclass(frozen=True, slots=True)
class FoundSelection:
    """State of everything-mode on an image.

    Attributes:
        size: height and width of the image.
        objects: found objects, largest first.
        picks: in the order in which they were made.
        hovered: the found object under the pointer.
        done: finished steps of the search, of ``total``.
        total: steps of the search; 0 before it has reported them.
        finished: whether the search is complete.
    """

    size: tuple[int, int]
    objects: tuple[FoundObject, ...] = ()
    picks: tuple[Pick, ...] = ()
    hovered: FoundObject | None = None
    done: int = 0
    total: int = 0
    finished: bool = False

    @property
    def nbytes(self) -> int:
        """Bytes of memory of the found objects."""
        return sum(found_object.alpha.nbytes for found_object in self.objects)

    @property
    def progress(self) -> float:
        """Progress of the search, 0 to 1."""
        if self.finished:
            return 1.0
        return self.done / self.total if self.total else 0.0

    def found_at(self, x: float, y: float, depth: int = 0) -> FoundObject | None:
        """A found object at x, y in image coordinates.

        Args:
            depth: 0 is the smallest one, 1 the next larger, and so on; after the
                largest it begins again.
        """
        height, width = self.size
        if not (0 <= x < width and 0 <= y < height):
            return None
        inside = [each for each in self.objects if _covers(each, x, y, self.size)]
        inside.sort(key=lambda found_object: found_object.area)
        return inside[depth % len(inside)] if inside else None

    def neighbour(self, step: int) -> FoundObject | None:
        """The found object ``step`` places after the hovered one, in a circle.

        Without a hovered one the places count from before the first, or from after the
        last.
        """
        if not self.objects:
            return None
        index = -1 if step > 0 else 0
        if self.hovered is not None:
            index = self.objects.index(self.hovered)
        return self.objects[(index + step) % len(self.objects)]

    def pick_index(self, found_object: FoundObject) -> int | None:
        """Index of the pick that contains a found object."""
        return next(
            (i for i, pick in enumerate(self.picks) if found_object in pick), None
        )

    # -- Changes --------------------------------------------------------------------

    def toggle(self, found_object: FoundObject) -> FoundSelection:
        """Pick a found object, or remove it from its pick."""
        if self.pick_index(found_object) is None:
            return replace(self, picks=(*self.picks, (found_object,)))
        left = (tuple(f for f in pick if f is not found_object) for pick in self.picks)
        return replace(self, picks=tuple(filter(None, left)))

    def pick(self, found_object: FoundObject) -> FoundSelection:
        """Pick a found object unless it is picked."""
        picked = self.pick_index(found_object) is not None
        return self if picked else self.toggle(found_object)

    def join_pick(self, found_object: FoundObject) -> FoundSelection:
        """Add a found object to the newest pick, or make it the first pick."""
        picked = self.pick_index(found_object) is not None
        others = self.toggle(found_object) if picked else self
        if not others.picks:
            return self.pick(found_object)
        *earlier, last = others.picks
        return replace(others, picks=(*earlier, (*last, found_object)))

    def merge_picks(self) -> FoundSelection:
        """Merge all picks into one."""
        together = tuple(found_object for pick in self.picks for found_object in pick)
        return replace(self, picks=(together,) if together else ())

    def pick_all(self) -> FoundSelection:
        """Pick all found objects that are not picked, each separately."""
        rest = (
            (found_object,)
            for found_object in self.objects
            if self.pick_index(found_object) is None
        )
        return replace(self, picks=(*self.picks, *rest))

    def with_progress(
        self, done: int, total: int, objects: tuple[FoundObject, ...]
    ) -> FoundSelection:
        """Update with progress of the search, unless a repeated search is behind it."""
        if done < self.done or self.finished:
            return self
        return replace(self, done=done, total=total)._with_objects(objects)

    def with_result(self, objects: tuple[FoundObject, ...]) -> FoundSelection:
        """Update with the result of the search."""
        return replace(self, finished=True)._with_objects(objects)

    def _with_objects(self, objects: tuple[FoundObject, ...]) -> FoundSelection:
        """Replace the found objects; picks are matched with the new ones."""
        missing = [old for pick in self.picks for old in pick if old not in objects]
        replacements = {
            old: match
            for old in missing
            if (match := _best_match(old, objects)) is not None
        }
        picks: list[Pick] = []
        used: set[FoundObject] = set()
        for pick in self.picks:
            new = tuple(dict.fromkeys(replacements.get(old, old) for old in pick))
            new = tuple(each for each in new if each not in used)
            used.update(new)
            picks.append(new)
        # Picked objects that the search dropped are kept: the user chose them.
        kept = [old for old in missing if old not in replacements]
        merged = tuple(sorted((*objects, *kept), key=lambda each: -each.area))
        hovered = self.hovered if self.hovered in merged else None
        return replace(
            self,
            objects=merged,
            picks=tuple(filter(None, picks)),
            hovered=hovered,
        )


def _covers(
    found_object: FoundObject, x: float, y: float, size: tuple[int, int]
) -> bool:
    height, width = found_object.alpha.shape
    row, column = int(y * height / size[0]), int(x * width / size[1])
    return int(found_object.alpha[row, column]) >= SOLID_ALPHA


def _best_match(old: FoundObject, objects: Iterable[FoundObject]) -> FoundObject | None:
    """The found object with the largest overlap with an earlier one, or None."""
    from zim_model.inference.automatic import soft_iou

    overlaps = [(soft_iou(old, new), new) for new in objects]
    best = max(overlaps, key=lambda pair: pair[0], default=(0.0, None))
    return best[1] if best[0] >= SAME_OBJECT_IOU else None


# -- Objects -----------------------------------------------------------------------


def candidates_differ(pick: Pick) -> bool:
    """Whether the objects of a pick are of different candidates.

    A recipe has one candidate for all its prompts, so they cannot be merged.
    """
    return len({found_object.candidate for found_object in pick}) > 1


def pick_recipe(pick: Pick, model: str) -> Recipe:
    """The recipe of the object that a pick becomes."""
    first, *more = (found_object.prompts for found_object in pick)
    options = Options(candidate=pick[0].candidate or None)
    return Recipe(first, model, options, more_prompt_sets=tuple(more))


# -- Display -----------------------------------------------------------------------


def golden_hue(number: int) -> float:
    """A hue in [0, 1) per number; neighbouring numbers have distant hues."""
    return number * GOLDEN_RATIO % 1.0


def smooth_alpha(alpha: ByteArray) -> ByteArray:
    """The alpha of a thumbnail, blurred for display at a larger size."""
    import cv2

    soft = cv2.GaussianBlur(alpha, (0, 0), SMOOTHING * max(alpha.shape) / 384)
    return np.asarray(soft, np.uint8)


TintLayer = tuple[ByteArray, tuple[int, int, int], float]
"""Alpha, (h, w); red, green and blue in 0..255; opacity in 0..1."""


def render_tints(layers: Iterable[TintLayer], size: tuple[int, int]) -> ByteArray:
    """Composite of alphas in translucent colours; each covers the earlier ones.

    Args:
        layers: from the bottom to the top.
        size: height and width of all alphas.

    Returns:
        (h, w, 4) uint8: blue, green, red, alpha, premultiplied.
    """
    result = np.zeros((*size, 4), np.float32)
    for whole, (red, green, blue), opacity in layers:
        colour = np.array([blue, green, red, 255], np.float32) * opacity
        bounds = mask_bounds(whole)
        if bounds is None:
            continue
        left, top, right, bottom = bounds
        region = np.s_[top:bottom, left:right]
        alpha = whole[region][..., None] * np.float32(1 / 255)
        result[region] += (colour - result[region]) * alpha
    return np.asarray(result + 0.5, np.uint8)
