"""Everything-mode: find all objects of an image without prompts.

Each point of a grid is decoded as if a user had clicked it. Mattes with a low score, or
that a slightly different threshold would change much, are dropped; of mattes of the
same object the best one stays.  A found object has the prompts for which
:meth:`~zim_model.inference.engine.Engine.solve` returns the same matte, so it can
become an ordinary object.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from zim_model.arrays import ByteArray, FloatArray, mask_bounds
from zim_model.backends.backend import Backend, EncodedView
from zim_model.backends.view import View, border_fade, sample_cells
from zim_model.errors import ImageError, PromptError, msg
from zim_model.inference.iterative import IterativePredictor
from zim_model.inference.main_object import main_object
from zim_model.inference.prediction import (
    Prediction,
    PredictRequest,
    alpha_box,
    logits_to_alphas,
)
from zim_model.inference.zoom import predict_zoomed
from zim_model.network.config import NUM_MASK_TOKENS, ModelConfig, TinyConfig
from zim_model.prompts import Box, Point, PromptSet
from zim_model.request import CancelCheck, never_cancelled, raise_if_cancelled

PixelPlane = TypeVar("PixelPlane", npt.NDArray[np.uint8], npt.NDArray[np.uint16])

SMALL_SIDE = 384
"""Longer side of the mattes of found objects."""
SOLID_ALPHA = 128
"""Small alpha from which a pixel counts as part of the object."""
COVERED_ALPHA = 200
"""Small alpha from which a click counts as covered by a found object."""
COVERING_AREA = 0.25
"""Larger mattes may hide further objects: clicks in them are decoded nevertheless."""
FIRST_STABILITY = 0.6
"""Share of the least stability that a prediction needs to be made again, zoomed in."""
MAX_GRID = 128
PROMPTS_PER_BATCH = 4
"""Clicks decoded together, where the backend can, and between two cancel checks."""


@dataclass(frozen=True, slots=True)
class AutomaticOptions:
    """Which points are decoded, and which mattes are kept.

    The defaults are those of SAM's and ZIM's own generators, for their ViT models.

    Attributes:
        grid: clicks along the longer side of the image.
        candidates: which candidates are considered for each click.
        boxed: ask again with a box around the first prediction, which is then a prompt.
        min_score: least score.
        min_stability: least IoU between the matte cut ``stability_offset`` above and
            below alpha 0.5.
        stability_offset: in alpha, above 0 and below 0.5.
        rank_by: of two mattes of the same object, the one with more of this stays.
        max_overlap: soft IoU above which two mattes are the same object.
        min_area, max_area: limits of alpha's mean over the image.
        skip_covered: skip points inside objects that were found already.
    """

    grid: int = 32
    candidates: tuple[int, ...] = (0, 1, 2, 3)
    refine_with_box: bool = False
    min_score: float = 0.88
    min_stability: float = 0.9
    stability_offset: float = 0.1
    rank_by: Literal["score", "stability"] = "score"
    max_overlap: float = 0.7
    min_area: float = 0.0005
    max_area: float = 1.0
    skip_covered: bool = False

    @classmethod
    def for_model(cls, config: ModelConfig) -> AutomaticOptions:
        """What suits a model of this configuration."""
        return FOR_ZIM_TINY if isinstance(config, TinyConfig) else cls()

    def validate(self) -> AutomaticOptions:
        """These options, checked.

        Raises:
            PromptError: a number is out of its range.
        """
        fractions = {
            "min_score": self.min_score,
            "min_stability": self.min_stability,
            "max_overlap": self.max_overlap,
            "min_area": self.min_area,
            "max_area": self.max_area,
        }
        for name, value in fractions.items():
            if not 0 <= value <= 1:
                raise PromptError(
                    msg("{name} is {value:g}.", name=name, value=value),
                    msg("Give a number from 0 to 1."),
                )
        if not 1 <= self.grid <= MAX_GRID:
            raise PromptError(
                msg("A grid of {grid} clicks a side is not possible.", grid=self.grid),
                msg("Give 1 to {limit}.", limit=MAX_GRID),
            )
        if not 0 < self.stability_offset < 0.5:
            raise PromptError(
                msg(
                    "stability_offset is {stability_offset:g}.",
                    stability_offset=self.stability_offset,
                ),
                msg("Give a number above 0 and below 0.5."),
            )
        known = set(range(NUM_MASK_TOKENS))
        if not self.candidates or not set(self.candidates) <= known:
            raise PromptError(
                msg(
                    "There are no candidates {candidates}.", candidates=self.candidates
                ),
                msg("Use some of 0 to 3."),
            )
        return self


FOR_ZIM_TINY = AutomaticOptions(
    grid=8,
    candidates=(0,),
    refine_with_box=True,
    min_score=0.0,
    min_stability=0.8,
    rank_by="stability",
    min_area=0.003,
    max_area=0.9,
    skip_covered=True,
)
"""Chosen by recall on labelled regions and by eye, for the bundled model, whose
score says little about the matte of a single click."""


@dataclass(frozen=True, slots=True, eq=False)
class FoundObject:
    """One result of everything-mode.

    Attributes:
        prompts: give the same matte from the engine, with ``candidate``.
        candidate: for :attr:`zim_model.recipe.Options.candidate`.
        alpha: (h, w) uint8 over the whole image, longer side at most
            :data:`SMALL_SIDE`; read-only.
        score: the IoU that the model predicts.
        stability: see :class:`AutomaticOptions`.
        box: (left, top, right, bottom) in image pixels around alpha of one half.
        area: alpha's mean over the image, 0 to 1.
    """

    prompts: PromptSet
    candidate: int
    alpha: ByteArray
    score: float
    stability: float
    box: tuple[int, int, int, int]
    area: float


SearchProgress = Callable[[int, int, tuple[FoundObject, ...]], None]
"""Called with the clicks done, all clicks, and the objects so far, largest first."""


def ignore_progress(done: int, total: int, objects: tuple[FoundObject, ...]) -> None:
    """A progress callback that does nothing."""


def find_objects(
    backend: Backend,
    encode: Callable[[View], EncodedView],
    size: tuple[int, int],
    options: AutomaticOptions | None = None,
    cancelled: CancelCheck = never_cancelled,
    progress: SearchProgress = ignore_progress,
) -> tuple[FoundObject, ...]:
    """Find the objects of an image, largest first.

    Args:
        backend: the model.
        encode: returns the features of a view of the image, cached or new.
        size: (height, width) of the image in pixels.
        options: None takes the defaults for the model.
        cancelled: polled between steps.
        progress: called after each batch of clicks, on the calling thread.

    Raises:
        PromptError: an option is out of its range.
        Cancelled: ``cancelled`` became true.
    """
    config = backend.config
    chosen = AutomaticOptions.for_model(config) if options is None else options
    search = _Search(backend, encode, size, chosen.validate(), cancelled)
    points = grid_points(*size, chosen.grid)
    total = len(points)
    for start in range(0, total, PROMPTS_PER_BATCH):
        search.decode_points(points[start : start + PROMPTS_PER_BATCH])
        done = min(start + PROMPTS_PER_BATCH, total)
        progress(done, total, search.sorted_objects())
    return search.sorted_objects()


def find_subject(
    backend: Backend,
    encode: Callable[[View], EncodedView],
    size: tuple[int, int],
    cancelled: CancelCheck = never_cancelled,
    predictor: IterativePredictor | None = None,
    image_key: str = "",
) -> FoundObject | None:
    """The main object of an image, or None; arguments as :func:`find_objects`.

    zim-tiny is trained to predict it without prompts; ``predictor`` keeps that under
    the image's key.  Of another model's objects, and where zim-tiny predicts nothing,
    it is that of :func:`main_object`.

    Raises:
        Cancelled: ``cancelled`` became true.
    """
    if isinstance(backend.config, TinyConfig):
        search = _Search(backend, encode, size, FOR_ZIM_TINY, cancelled)
        found = search.predict_subject(predictor or IterativePredictor(), image_key)
        if found is not None:
            return found
    return main_object(find_objects(backend, encode, size, None, cancelled))


def grid_points(height: int, width: int, count: int) -> list[Point]:
    """Clicks evenly over an image, ``count`` along its longer side.

    They are ordered from coarse to fine: any first few are spread over the image.
    """
    longer = max(height, width)
    rows, columns = (max(1, round(count * side / longer)) for side in (height, width))
    row_ranks, column_ranks = (
        _coarse_to_fine_ranks(rows),
        _coarse_to_fine_ranks(columns),
    )
    cells = [(i, j) for i in range(rows) for j in range(columns)]
    cells.sort(key=lambda cell: max(row_ranks[cell[0]], column_ranks[cell[1]]))
    return [
        Point((j + 0.5) * width / columns, (i + 0.5) * height / rows) for i, j in cells
    ]


def _coarse_to_fine_ranks(count: int) -> list[int]:
    """The rank of each of ``count`` positions: middle, quarters, eighths, ..."""
    bits = max(1, (count - 1).bit_length())

    def bit_reversed(index: int) -> int:
        return int(f"{(index + count // 2) % count:0{bits}b}"[::-1], 2)

    ranks = [0] * count
    for rank, index in enumerate(sorted(range(count), key=bit_reversed)):
        ranks[index] = rank
    return ranks


class _Search:
    """Decodes points, filters the mattes, and collects the objects."""

    def __init__(
        self,
        backend: Backend,
        encode: Callable[[View], EncodedView],
        size: tuple[int, int],
        options: AutomaticOptions,
        cancelled: CancelCheck,
    ) -> None:
        self._backend, self._encode_view, self._size = backend, encode, size
        self._options, self._cancelled = options, cancelled
        scale = min(1.0, SMALL_SIDE / max(size))
        self._small = tuple(max(1, round(side * scale)) for side in size)
        self._objects: list[FoundObject] = []
        self._zooms = isinstance(backend.config, TinyConfig)

    def sorted_objects(self) -> tuple[FoundObject, ...]:
        """The objects so far, largest first."""
        return tuple(sorted(self._objects, key=lambda each: -each.area))

    def predict_subject(
        self, predictor: IterativePredictor, image_key: str
    ) -> FoundObject | None:
        """What the model predicts without prompts, which a box of all stands for."""
        height, width = self._size
        prompts = PromptSet((), Box(0, 0, width, height))
        request = replace(self._request(prompts, candidate=0), image_key=image_key)
        prediction = predictor.predict(request, remember=bool(image_key))
        return self._describe_object(prompts, 0, prediction)

    def decode_points(self, points: Sequence[Point]) -> None:
        """Decode clicks and keep the good mattes."""
        raise_if_cancelled(self._cancelled)
        if self._options.skip_covered:
            points = [point for point in points if not self._is_covered(point)]
        if not points:
            return
        encoded = self._encode(View.whole_for(self._backend.config, *self._size))
        prompt_sets = [PromptSet((point,)) for point in points]
        predictions = decode_many(self._backend, encoded, prompt_sets)
        for prompts, (logits, scores) in zip(prompt_sets, predictions, strict=True):
            # An object may have been found by another click of the same batch.
            if self._options.skip_covered and self._is_covered(prompts.points[0]):
                continue
            first = Prediction(encoded.view, logits_to_alphas(logits), scores)
            for candidate in self._options.candidates:
                self._filter_prediction(prompts, candidate, first)

    def _filter_prediction(
        self, prompts: PromptSet, candidate: int, first: Prediction
    ) -> None:
        """Predict again where the engine would, and keep the matte if it is good."""
        found = self._describe_object(prompts, candidate, first)
        if found is None:
            return
        if self._zooms and not self._options.refine_with_box:
            if found.stability < FIRST_STABILITY * self._options.min_stability:
                return
            again = predict_zoomed(self._request(prompts, candidate), prompts, first)
            found = self._describe_object(prompts, candidate, again)
        elif self._options.refine_with_box:
            box = alpha_box(first.alphas[candidate], first.view)
            if box is not None:
                prompts = PromptSet(prompts.points, box.clip(*self._size))
            request = self._request(prompts, candidate)
            again = IterativePredictor().predict(request, remember=False)
            found = self._describe_object(prompts, candidate, again)
        if found is not None and self._passes_thresholds(found):
            self._add_unless_duplicate(found)

    def _request(self, prompts: PromptSet, candidate: int) -> PredictRequest:
        return PredictRequest(
            backend=self._backend,
            encode=self._encode,
            image_key="",
            size=self._size,
            prompts=prompts,
            candidate=candidate,
            cancelled=self._cancelled,
            detailed=False,
        )

    def _paste_view(self, alpha: FloatArray, view: View) -> ByteArray:
        """The matte (h, w) of a view in a small matte of the whole image."""
        alpha, region = alpha * border_fade(alpha.shape, view, *self._size), []
        spans = (view.top, view.bottom), (view.left, view.right)
        scales = np.divide(self._small, self._size).tolist()
        for axis, ((start, stop), scale) in enumerate(zip(spans, scales, strict=True)):
            length = max(1, round((stop - start) * scale))
            if length < alpha.shape[axis]:
                alpha = _shrink(alpha, length, axis)
            cells = np.arange(int(start * scale), math.ceil(stop * scale - 1e-9))
            # The view may begin and end inside a cell.
            positions = ((cells + 0.5) / scale - start) / (stop - start)
            alpha = sample_cells(alpha, positions * alpha.shape[axis] - 0.5, axis)
            region.append(slice(cells[0], cells[-1] + 1))
        small = np.zeros(self._small, np.uint8)
        small[tuple(region)] = np.clip(alpha, 0, 1) * 255 + 0.5
        small.flags.writeable = False
        return small

    def _describe_object(
        self, prompts: PromptSet, candidate: int, prediction: Prediction
    ) -> FoundObject | None:
        """The object of a predicted matte; None if that is empty."""
        small = self._paste_view(prediction.alphas[candidate], prediction.view)
        bounds = mask_bounds(small >= SOLID_ALPHA)
        if bounds is None:
            return None
        left, top, right, bottom = bounds
        down, across = np.divide(self._size, small.shape).tolist()
        box = (
            int(left * across),
            int(top * down),
            min(self._size[1], round(right * across)),
            min(self._size[0], round(bottom * down)),
        )
        stable = stability(small, self._options.stability_offset)
        area = float(small.mean()) / 255
        score = float(prediction.scores[candidate])
        return FoundObject(prompts, candidate, small, score, stable, box, area)

    def _passes_thresholds(self, found_object: FoundObject) -> bool:
        options = self._options
        return (
            found_object.score >= options.min_score
            and found_object.stability >= options.min_stability
            and options.min_area <= found_object.area <= options.max_area
        )

    def _add_unless_duplicate(self, found_object: FoundObject) -> None:
        """Add an object unless a better one has nearly the same matte."""
        limit = self._options.max_overlap
        duplicates = [
            kept for kept in self._objects if soft_iou(kept, found_object) > limit
        ]
        rank = self._options.rank_by
        if all(
            getattr(kept, rank) < getattr(found_object, rank) for kept in duplicates
        ):
            self._objects = [
                kept for kept in self._objects if kept not in duplicates
            ] + [found_object]

    def _is_covered(self, point: Point) -> bool:
        row = int(point.y * self._small[0] / self._size[0])
        column = int(point.x * self._small[1] / self._size[1])
        return any(
            found_object.alpha[row, column] >= COVERED_ALPHA
            for found_object in self._objects
            if found_object.area <= COVERING_AREA
        )

    def _encode(self, view: View) -> EncodedView:
        raise_if_cancelled(self._cancelled)
        encoded = self._encode_view(view)
        raise_if_cancelled(self._cancelled)
        return encoded


def _shrink(alpha: FloatArray, length: int, axis: int) -> FloatArray:
    """Means of alpha (h, w) over ``length`` equal parts of an axis."""
    size = [alpha.shape[1], alpha.shape[0]]
    size[1 - axis] = length
    return np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA), np.float32)


def decode_many(
    backend: Backend, encoded: EncodedView, prompt_sets: Sequence[PromptSet]
) -> list[tuple[FloatArray, FloatArray]]:
    """Logits and scores for prompt sets, in image pixels, on the same view.

    At once where the backend has ``decode_many``, else one after the other.
    """
    inputs = [encoded.view.apply(prompts) for prompts in prompt_sets]
    decode_all = getattr(backend, "decode_many", None)
    if decode_all is not None and len(inputs) > 1:
        return list(zip(*decode_all(encoded, inputs), strict=True))
    return [backend.decode(encoded, prompts) for prompts in inputs]


def stability(alpha: ByteArray, offset: float) -> float:
    """IoU between (h, w) uint8 alpha cut ``offset`` above and below one half."""
    low = np.count_nonzero(alpha > (0.5 - offset) * 255)
    high = np.count_nonzero(alpha > (0.5 + offset) * 255)
    return float(high / low) if low else 0.0


def soft_iou(a: FoundObject, b: FoundObject) -> float:
    """Intersection over union of two mattes of the same image, as fuzzy sets."""
    apart = (
        a.box[2] <= b.box[0]
        or b.box[2] <= a.box[0]
        or a.box[3] <= b.box[1]
        or b.box[3] <= a.box[1]
    )
    if apart:  # nearly always exactly 0, and never near a threshold
        return 0.0
    union = np.maximum(a.alpha, b.alpha).sum(dtype=np.int64)
    return float(np.minimum(a.alpha, b.alpha).sum(dtype=np.int64) / union)


def merge(alphas: Sequence[PixelPlane]) -> PixelPlane:
    """The union of several objects: the largest alpha of each pixel.

    Args:
        alphas: at least one, (H, W) each, all of one type.

    Raises:
        ImageError: there is none, or shapes or types differ.
    """
    if not alphas:
        raise ImageError(msg("There is no matte to merge."))
    kinds = {(alpha.shape, alpha.dtype) for alpha in alphas}
    if len(kinds) > 1:
        raise ImageError(
            msg("Mattes of different sizes or types cannot be merged."),
            msg("Take them from the same photo."),
        )
    result = alphas[0].copy()
    for alpha in alphas[1:]:
        np.maximum(result, alpha, out=result)
    return result
