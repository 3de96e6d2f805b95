"""Sixth stage: levels, colour keys, edge, strokes; painted mattes are cached."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from zim_model.arrays import WordArray
from zim_model.finish import Stroke
from zim_model.matting.clean_edge import clean_edge
from zim_model.matting.closed_form import DRAFT_MAX_PIXELS, MAX_PIXELS
from zim_model.matting.colour_keys import apply_colour_keys
from zim_model.matting.edge_and_brush import (
    StrokeCoverageCache,
    apply_edge_adjustments,
    apply_strokes,
)
from zim_model.request import (
    ALPHA_MAX,
    CancelCheck,
    Request,
    RequestKey,
    raise_if_cancelled,
)
from zim_model.runtime.lru import ByteBoundedLru

CACHE_BYTES = 16 << 20


@dataclass(frozen=True, slots=True, eq=False)
class _PaintedMatte:
    """A matte with its edge adjusted, and the same with strokes over it."""

    adjusted: WordArray
    strokes: tuple[Stroke, ...]
    alpha: WordArray

    @classmethod
    def unpainted(cls, adjusted: WordArray) -> _PaintedMatte:
        return cls(adjusted, (), adjusted)

    @property
    def nbytes(self) -> int:
        return self.adjusted.nbytes + self.alpha.nbytes


class Finisher:
    """Finishes mattes; a further stroke is painted over what was painted before."""

    def __init__(self) -> None:
        self._painted = ByteBoundedLru[RequestKey, _PaintedMatte](CACHE_BYTES)
        self._coverage_cache = StrokeCoverageCache()

    def finish(
        self, request: Request, alpha: WordArray, cancelled: CancelCheck
    ) -> WordArray:
        """Set the levels, remove key colours, adjust the edge and paint strokes.

        Args:
            alpha: (H, W), the matte before its finish; not modified.

        Returns:
            (H, W) uint16, not to be modified: ``alpha`` itself or a cached array.

        Raises:
            Cancelled: ``cancelled`` became true.
        """
        finish = request.recipe.finish
        unpainted = replace(finish, strokes=(), decontaminate=0.0)
        key = request.with_recipe(finish=unpainted).key
        painted = self._painted.get(key)
        if painted is None:
            if request.recipe.keys_whole_image:
                alpha = np.full_like(alpha, ALPHA_MAX)
            elif request.recipe.cleans_edge:
                alpha = clean_edge(alpha)
            image, keys = request.image, finish.colour_keys
            keyed = apply_colour_keys(alpha, image, keys, cancelled)
            adjusted = apply_edge_adjustments(keyed, finish)
            painted = _PaintedMatte.unpainted(adjusted)
        raise_if_cancelled(cancelled)
        count = len(painted.strokes)
        if finish.strokes[:count] != painted.strokes:
            painted, count = _PaintedMatte.unpainted(painted.adjusted), 0
        further = finish.strokes[count:]
        alpha = apply_strokes(
            painted.alpha,
            further,
            self._coverage_cache,
            cancelled,
            image=request.image,
            max_pixels=DRAFT_MAX_PIXELS if request.draft else MAX_PIXELS,
        )
        rough = request.draft and any(stroke.brush == "refine" for stroke in further)
        if request.cacheable and not rough:
            painted = _PaintedMatte(painted.adjusted, finish.strokes, alpha)
            self._painted.put(key, painted)
        return alpha
