"""Fourth stage: combine the mattes of prompts and of imported masks.

An object starts as the union of its masks' mattes.  Prompt sets that are not purely
negative are predicted and added; negative prompts inside a mask are predicted, too, and
subtracted from it.  A model that takes its earlier prediction as a prompt also gets the
masks as that: points and scribbles then change no more than this prediction changes,
which is rarely more than the part that was clicked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, reduce
from typing import TYPE_CHECKING

import numpy as np

from zim_model.arrays import ByteArray, WordArray
from zim_model.backends.prompt_maps import fill_region
from zim_model.imported_mask import ImportedMask
from zim_model.inference.upsampling import RawMatte
from zim_model.prompts import PromptSet, Scribble
from zim_model.recipe import Recipe
from zim_model.request import ALPHA_MAX, CancelCheck, Request, raise_if_cancelled
from zim_model.runtime.lru import ByteBoundedLru

if TYPE_CHECKING:
    from zim_model.conversion.converter import Converter

CACHE_BYTES = 256 << 20
MASK_GRID = 1024
"""Cells of the longer side of most networks that masks come from."""
MatteKey = tuple[str, ImportedMask, str]
"""Image key, mask, and the converter's device."""


@lru_cache(maxsize=1)
def open_converter(name: str, device: str) -> Converter:
    """The converter of that name on a device; the last one stays loaded."""
    from zim_model.conversion.converter import Converter

    return Converter.load(name, device)


class MaskMattes:
    """Makes the mattes of masks; the most recent ones are cached."""

    def __init__(self) -> None:
        self._mattes = ByteBoundedLru[MatteKey, WordArray](CACHE_BYTES)

    def union_alpha(
        self, request: Request, device: str, cancelled: CancelCheck
    ) -> WordArray | None:
        """The union of the mattes of a request's masks; None without any.

        Args:
            request: its masks have the image's size.
            device: where converters run, as torch names it.

        Returns:
            (H, W) uint16, not to be modified.

        Raises:
            ImageError: a mask is damaged.
            PromptError: a mask that is to be refined is empty.
            WeightsError: there is no such converter.
            Cancelled: ``cancelled`` became true.
        """
        mattes = [
            self._matte(request, mask, device, cancelled)
            for mask in request.recipe.masks
        ]
        return reduce(np.maximum, mattes) if mattes else None

    def _matte(
        self, request: Request, mask: ImportedMask, device: str, cancelled: CancelCheck
    ) -> WordArray:
        key = (request.image_key, mask, device)
        matte = self._mattes.get(key)
        if matte is None:
            matte = _convert(request.image, mask, device, cancelled)
            self._mattes.put(key, matte)
        return matte


def _convert(
    image: ByteArray, mask: ImportedMask, device: str, cancelled: CancelCheck
) -> WordArray:
    raise_if_cancelled(cancelled)
    coverage = mask.decode()
    if not mask.refine:
        return coverage.astype(np.uint16) * np.uint16(257)
    converter = open_converter(mask.converter, device)
    raise_if_cancelled(cancelled)
    return converter.convert(image, coverage, cancelled)


@dataclass(frozen=True, slots=True)
class PromptSplit:
    """Prompts of an object with masks, by what their prediction does to it.

    Attributes:
        added: prompt sets whose mattes are added to the object.
        subtracted: prompts whose matte is subtracted from the masks; None where there
            are none.
        correcting: points and scribbles that change the masks, one of the above; None
            where there are none.
    """

    added: tuple[PromptSet, ...]
    subtracted: PromptSet | None = None
    correcting: PromptSet | None = None


def split_prompts(recipe: Recipe, base: WordArray | None) -> PromptSplit:
    """Split a recipe's prompts.

    Args:
        recipe: validated for its image.
        base: (H, W), the masks' matte; None where the recipe has no mask.

    Raises:
        PromptError: a scribble that subtracts leaves the image.
    """
    prompt_sets = (recipe.prompts, *recipe.more_prompt_sets)
    added = tuple(s for s in prompt_sets if s and not s.only_negative)
    if base is None:
        return PromptSplit(added)
    subtracted = _subtracting_prompts(recipe.prompts, base)
    if subtracted is not None:
        subtracted.validate(*base.shape)
    prompts = recipe.prompts
    changes = prompts in added or subtracted is not None
    # Boxes and regions say by themselves how far they reach.
    reaching = prompts.box is not None or any(s.region for s in prompts.scribbles)
    correcting = prompts if changes and not reaching else None
    return PromptSplit(added, subtracted, correcting)


def _subtracting_prompts(prompts: PromptSet, base: WordArray) -> PromptSet | None:
    """Prompts for the matte to subtract, signs reversed; None without any on a mask."""

    def inside(x: float, y: float) -> bool:
        height, width = base.shape
        if not (0 <= x < width and 0 <= y < height):
            return False
        return int(base[int(y), int(x)]) > ALPHA_MAX // 2

    def touches(scribble: Scribble) -> bool:
        if not scribble.region:
            return any(inside(x, y) for x, y in scribble.path)
        filled = fill_region(scribble.path, *base.shape) > 0
        return bool((base[filled] > ALPHA_MAX // 2).any())

    points = [
        replace(p, positive=not p.positive)
        for p in prompts.points
        if p.positive or inside(p.x, p.y)
    ]
    scribbles = [
        replace(s, positive=not s.positive)
        for s in prompts.scribbles
        if s.positive or touches(s)
    ]
    reversed_ = PromptSet(tuple(points), None, tuple(scribbles))
    return reversed_ if reversed_.positive_positions else None


def limit_changes(
    split: PromptSplit,
    added: Sequence[RawMatte],
    subtracted: RawMatte | None,
    corrected: WordArray,
) -> tuple[list[RawMatte], RawMatte | None]:
    """The mattes that change the masks, but for what the model leaves as it is.

    ``benchmarks/correct_mask.py`` measures what this gains.

    Args:
        split: prompts of an object with masks; ``correcting`` is the first of them.
        added, subtracted: the mattes of its prompt sets.
        corrected: (H, W) uint16, the masks' matte as the model corrects it.
    """
    mattes = list(added)
    if split.correcting in split.added:
        mattes[0] = _limit(mattes[0], corrected, split.added[0])
    if subtracted is not None and split.subtracted is not None:
        rest = ALPHA_MAX - corrected
        subtracted = _limit(subtracted, rest, split.subtracted)
    return mattes, subtracted


def _limit(matte: RawMatte, bound: WordArray, prompts: PromptSet) -> RawMatte:
    """The matte within a bound; unchanged if that lacks a positive prompt of it."""
    height, width = bound.shape
    for x, y in prompts.positive_positions:
        within = 0 <= x < width and 0 <= y < height
        if within and bound[int(y), int(x)] <= ALPHA_MAX // 2:
            return matte
    return replace(matte, alpha=np.minimum(matte.alpha, bound))


def combine(
    size: tuple[int, int],
    added: Sequence[RawMatte],
    base: WordArray | None,
    subtracted: RawMatte | None,
) -> RawMatte:
    """The union of what prompts add and of the masks' matte less what they subtract.

    Args:
        size: (height, width) of the image.
        added: the mattes of prompt sets; the scores and candidates are the first one's.
        base: (H, W), the masks' matte; None without masks.
        subtracted: the matte of the prompts that subtract from it.
    """
    alphas = [matte.alpha for matte in added]
    cells = [matte.cell for matte in (*added, subtracted) if matte is not None]
    if base is not None and subtracted is not None:
        base = np.minimum(base, ALPHA_MAX - subtracted.alpha)
    if base is not None:
        alphas.append(base)
        cells.append(max(size) / MASK_GRID)
    first = added[0] if added else RawMatte.blank(*size)
    if not alphas:
        return first
    return replace(first, alpha=reduce(np.maximum, alphas), cell=max(cells))
