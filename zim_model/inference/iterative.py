"""Iterative prediction: which views a model gets for prompts, and how often.

An object model gets the whole image first when an object is only clicked, then a view
around what it found. A model with mask feedback gets, click after click, its prediction
for the earlier clicks as mask input, as it was trained (iterative training, RITM).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from zim_model.arrays import FloatArray
from zim_model.inference.view import (
    View,
    alpha_to_mask_input,
    choose_view,
    view_around,
)
from zim_model.network.config import ModelConfig, TinyConfig
from zim_model.prompts import Box, PromptSet
from zim_model.request import CancelCheck, raise_if_cancelled

if TYPE_CHECKING:
    from zim_model.inference.backends import Backend, EncodedView

ZOOM_BELOW = 0.7
"""A clicked object is predicted again, zoomed in, if it spans less of the image."""
ZOOM_MARGIN = 0.5
"""Width of the surroundings in that view, on each side, as a fraction of the object."""
SIGMOID_FLOOR = 1 / 512
"""A sigmoid never quite reaches 0 and 1; alpha within half an 8-bit step of them
does, so that a cut-out's surroundings are empty and its inside is opaque."""
MAX_REMEMBERED = 64
"""Predictions that are cached for further clicks, of 0.15 MB each with zim-tiny."""

PredictionKey = tuple[object, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """A backend's decoding of prompts on a view.

    Attributes:
        view: the part of the image.
        alphas: (4, h, w) float32 in [0, 1], a matte of the view per candidate.
        scores: (4,) float32, the predicted IoU of each.
        fine: a finer matte (h', w') of the candidate that is meant, from a model with a
            detail stage.
    """

    view: View
    alphas: FloatArray
    scores: FloatArray
    fine: FloatArray | None = None


@dataclass(frozen=True, slots=True, eq=False)
class PredictRequest:
    """The input of :class:`IterativePredictor`.

    Attributes:
        backend: the model.
        encode: returns a view's features, cached or new.
        image_key: equal keys mean equal pixels.
        size: height and width of the image.
        prompts: in image pixels.
        candidate: which of the four mattes is meant.
        cancelled: polled between looks.
        detailed: make the finer matte, where the model can.
    """

    backend: Backend
    encode: Callable[[View], EncodedView]
    image_key: str
    size: tuple[int, int]
    prompts: PromptSet
    candidate: int
    cancelled: CancelCheck
    detailed: bool = True


class IterativePredictor:
    """Predicts iteratively, and caches the predictions for earlier clicks.

    The result depends on the request alone: the cache only saves time.
    """

    def __init__(self) -> None:
        from zim_model.inference.zoom import ZoomPredictor

        self._predictions: OrderedDict[PredictionKey, Prediction] = OrderedDict()
        self._zoom = ZoomPredictor()

    def predict(self, request: PredictRequest, *, remember: bool = True) -> Prediction:
        """Predict on the first view, then zoomed in where that helps.

        Args:
            remember: cache the predictions for further clicks.

        Raises:
            Cancelled: ``cancelled`` became true.
        """
        backend, prompts = request.backend, request.prompts
        if isinstance(backend.config, TinyConfig):
            return self._zoom.predict(request, remember=remember)
        first = self._predict_first_view(request, remember)
        alpha = first.alphas[request.candidate]
        view = zoomed_view(backend.config, alpha, first.view, prompts, *request.size)
        if view is None:
            return first
        raise_if_cancelled(request.cancelled)
        encoded = request.encode(view)
        return decode_view(
            backend, encoded, prompts, alpha_to_mask_input(alpha, *request.size, view)
        )

    def _predict_first_view(
        self, request: PredictRequest, remember: bool
    ) -> Prediction:
        """Predict for ever more of the points; return the last prediction."""
        backend, prompts = request.backend, request.prompts
        view = choose_view(backend.config, prompts, *request.size)
        key_prefix = (backend.fingerprint, request.image_key, view, request.candidate)
        encoded = None
        prediction = mask_input = None
        for prefix in (
            prompt_prefixes(prompts)
            if uses_mask_feedback(backend.config)
            else (prompts,)
        ):
            key: PredictionKey = (*key_prefix, prefix)
            cached = self._predictions.get(key)
            if cached is None:
                raise_if_cancelled(request.cancelled)
                encoded = encoded or request.encode(view)
                if prediction is not None:
                    mask_input = to_mask_input(
                        prediction.alphas[request.candidate], view
                    )
                cached = decode_view(backend, encoded, prefix, mask_input)
            if remember:
                self._remember(key, cached)
            prediction = cached
        assert prediction is not None, "prompts without any position"
        return prediction

    def _remember(self, key: PredictionKey, prediction: Prediction) -> None:
        self._predictions[key] = prediction
        self._predictions.move_to_end(key)
        if len(self._predictions) > MAX_REMEMBERED:
            self._predictions.popitem(last=False)


def uses_mask_feedback(config: ModelConfig) -> bool:
    """Whether a model was trained to be shown its earlier answer."""
    return isinstance(config, TinyConfig) or config.region_channels is not None


def prompt_prefixes(prompts: PromptSet) -> Iterator[PromptSet]:
    """The prompts with their first points only, ever more of them, all at last.

    The first one is the shortest with a box or anything positive.
    """
    for count in range(len(prompts.points) + 1):
        part = replace(prompts, points=prompts.points[:count])
        if part.box is not None or part.positive_positions:
            yield part


def to_mask_input(alpha: FloatArray, view: View) -> FloatArray:
    """Alpha (h, w) of a view as the mask input of the same view."""
    height, width = view.height, view.width
    return alpha_to_mask_input(
        alpha, height, width, View.whole(height, width, view.image_size)
    )


def decode_view(
    backend: Backend,
    encoded: EncodedView,
    prompts: PromptSet,
    mask_input: FloatArray | None = None,
) -> Prediction:
    """Decode prompts, in image pixels, on an encoded view."""
    view = encoded.view
    logits, scores = backend.decode(encoded, view.apply(prompts), mask_input)
    return Prediction(view, logits_to_alphas(logits), scores)


def zoomed_view(
    config: ModelConfig,
    alpha: FloatArray,
    view: View,
    prompts: PromptSet,
    height: int,
    width: int,
) -> View | None:
    """The view around a clicked object; None if it is large, or another kind of model.

    The object is not made a box prompt: a wrong first prediction could not be
    corrected.

    Args:
        alpha: (h, w) in [0, 1], of ``view``, which is the whole image.
        prompts: in image pixels.
        height, width: of the image.
    """
    if config.view != "object" or prompts.box is not None:
        return None
    found = alpha_box(alpha, view)
    if found is None:
        return None
    # Everything positive belongs into the view, predicted or not.
    corners = ((found.x0, found.y0), (found.x1, found.y1))
    box = Box.enclosing((*corners, *prompts.positive_positions)).clip(height, width)
    if max(box.width, box.height) > ZOOM_BELOW * max(width, height):
        return None
    return view_around(box, height, width, config.image_size, ZOOM_MARGIN)


def alpha_box(alpha: FloatArray, view: View) -> Box | None:
    """The box, in image pixels, around a view's (h, w) alpha above 0.5; None if none.

    It may extend a fraction of a cell beyond the view.
    """
    found = alpha > 0.5
    if not found.any():
        return None
    scale = view.width / alpha.shape[1]
    rows, columns = np.flatnonzero(found.any(1)), np.flatnonzero(found.any(0))
    return Box(
        view.left + float(columns[0] * scale),
        view.top + float(rows[0] * scale),
        view.left + float((columns[-1] + 1) * scale),
        view.top + float((rows[-1] + 1) * scale),
    )


def logits_to_alphas(logits: FloatArray) -> FloatArray:
    """Alpha float32 in [0, 1], exactly 0 and 1 where it is close, from logits."""
    alphas = 1 / (1 + np.exp(-np.clip(logits, -30, 30)))
    alphas = np.clip((alphas - SIGMOID_FLOOR) / (1 - 2 * SIGMOID_FLOOR), 0, 1)
    return alphas.astype(np.float32)
