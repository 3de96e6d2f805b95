"""Mattes of imported masks, and how prompts add to them or subtract from them.

An object starts as the union of its masks' mattes.  Prompt sets that are not purely
negative are predicted and added; negative prompts inside a mask are predicted, too, and
subtracted from it.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from zim_model.arrays import WordArray
from zim_model.imported_mask import ImportedMask
from zim_model.prompts import PromptSet
from zim_model.request import ALPHA_MAX, CancelCheck, Request, raise_if_cancelled

if TYPE_CHECKING:
    from zim_model.conversion.converter import Converter

CACHE_BYTES = 256 << 20


@lru_cache(maxsize=1)
def open_converter(name: str, device: str) -> Converter:
    """The converter of that name on a device; the last one stays loaded."""
    from zim_model.conversion.converter import Converter

    return Converter.load(name, device)


class MaskMatteCache:
    """Mattes of masks, the most recent ones cached.

    Args:
        max_bytes: most memory; the newest matte is kept whatever its size.
    """

    def __init__(self, max_bytes: int = CACHE_BYTES) -> None:
        self.max_bytes = max_bytes
        self._mattes: OrderedDict[tuple[str, ImportedMask, str], WordArray] = (
            OrderedDict()
        )

    def union_alpha(
        self, request: Request, device: str, cancelled: CancelCheck
    ) -> WordArray:
        """The union of the mattes of a request's masks, at least one.

        Args:
            device: where converters run, as torch names it.

        Returns:
            (H, W) uint16, not to be modified.

        Raises:
            ImageError: a mask is damaged, or not of the image's size.
            PromptError: a mask that is to be refined is empty.
            WeightsError: there is no such converter.
            Cancelled: ``cancelled`` became true.
        """
        first, *more = request.recipe.masks
        alpha = self._cached_matte(request, first, device, cancelled)
        for mask in more:
            alpha = np.maximum(
                alpha, self._cached_matte(request, mask, device, cancelled)
            )
        return alpha

    def _cached_matte(
        self, request: Request, mask: ImportedMask, device: str, cancelled: CancelCheck
    ) -> WordArray:
        key = (request.image_key, mask, device)
        if key not in self._mattes:
            self._mattes[key] = _matte(request, mask, device, cancelled)
            self._trim()
        self._mattes.move_to_end(key)
        return self._mattes[key]

    def _trim(self) -> None:
        while (
            len(self._mattes) > 1
            and sum(alpha.nbytes for alpha in self._mattes.values()) > self.max_bytes
        ):
            self._mattes.popitem(last=False)


def _matte(
    request: Request, mask: ImportedMask, device: str, cancelled: CancelCheck
) -> WordArray:
    mask.check_size(*request.image.shape[:2])
    raise_if_cancelled(cancelled)
    coverage = mask.decode()
    if not mask.refine:
        return coverage.astype(np.uint16) * np.uint16(257)
    converter = open_converter(mask.converter, device)
    raise_if_cancelled(cancelled)
    return converter.convert(request.image, coverage, cancelled)


@dataclass(frozen=True, slots=True)
class PromptSplit:
    """Prompts of an object with masks, by what their prediction does to it.

    Attributes:
        added: prompt sets whose mattes are added to the object.
        subtracted: prompts whose matte is subtracted from the masks; None where there
            are none.
    """

    added: tuple[PromptSet, ...]
    subtracted: PromptSet | None = None


def split_prompts(request: Request, base: WordArray | None) -> PromptSplit:
    """Split a request's prompts, checked against its image.

    Args:
        base: (H, W), the masks' matte; None where the request has no mask.

    Raises:
        PromptError: the prompts cannot be answered on the image.
    """
    height, width = request.image.shape[:2]
    prompt_sets = [
        s for s in (request.recipe.prompts, *request.recipe.more_prompt_sets) if s
    ]
    if base is None:
        return PromptSplit(tuple(s.validate(height, width) for s in prompt_sets))
    added = [s.validate(height, width) for s in prompt_sets if not s.only_negative]
    subtracted = _subtracting_prompts(request.recipe.prompts, base)
    if subtracted is not None:
        subtracted.validate(height, width)
    return PromptSplit(tuple(added), subtracted)


def _subtracting_prompts(prompts: PromptSet, base: WordArray) -> PromptSet | None:
    """Prompts for the matte to subtract, signs reversed; None without any on a mask."""

    def inside(x: float, y: float) -> bool:
        height, width = base.shape
        if not (0 <= x < width and 0 <= y < height):
            return False
        return int(base[int(y), int(x)]) > ALPHA_MAX // 2

    points = [
        replace(p, positive=not p.positive)
        for p in prompts.points
        if p.positive or inside(p.x, p.y)
    ]
    scribbles = [
        replace(s, positive=not s.positive)
        for s in prompts.scribbles
        if s.positive or any(inside(x, y) for x, y in s.path)
    ]
    reversed_ = PromptSet(tuple(points), None, tuple(scribbles))
    return reversed_ if reversed_.positive_positions else None


def subtract_alpha(base: WordArray, subtracted: WordArray) -> WordArray:
    """A matte less a second one, both (H, W) uint16."""
    return np.minimum(base, ALPHA_MAX - subtracted)
