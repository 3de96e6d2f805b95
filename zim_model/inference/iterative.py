"""Second stage: which views a model gets for prompts, and how often.

An object model gets the whole image first when an object is only clicked, then a view
around what it found. A model with mask feedback gets, click after click, its prediction
for the earlier clicks as mask input, as it was trained (iterative training, RITM).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache, partial

from zim_model.arrays import FloatArray
from zim_model.backends.view import (
    View,
    alpha_to_mask_input,
    choose_view,
    view_around,
)
from zim_model.inference.prediction import (
    Prediction,
    PredictRequest,
    alpha_box,
    decode_view,
    prompt_prefixes,
)
from zim_model.inference.zoom import predict_zoomed, refine_detail
from zim_model.network.config import ModelConfig, TinyConfig, ZimConfig
from zim_model.prompts import Box, PromptSet
from zim_model.request import raise_if_cancelled
from zim_model.runtime.lru import ByteBoundedLru

ZOOM_BELOW = 0.7
"""A clicked object is predicted again, zoomed in, if it spans less of the image."""
ZOOM_MARGIN = 0.5
"""Width of the surroundings in that view, on each side, as a fraction of the object."""
CACHE_BYTES = 16 << 20
"""Most memory for predictions for earlier clicks, of 0.15 MB each with zim-tiny."""

PredictionKey = tuple[object, ...]
PredictStep = Callable[[PromptSet, Prediction | None], Prediction]
"""Predicts for prompts, from the prediction for all of them but the last point."""


class IterativePredictor:
    """Predicts iteratively, and caches the predictions for earlier clicks.

    The result depends on the request alone: the cache only saves time.
    """

    def __init__(self) -> None:
        self._predictions = ByteBoundedLru[PredictionKey, Prediction](CACHE_BYTES)

    def predict(self, request: PredictRequest, *, remember: bool = True) -> Prediction:
        """Predict on the first view, then zoomed in where that helps.

        Args:
            remember: cache the predictions for further clicks.

        Raises:
            Cancelled: ``cancelled`` became true.
        """
        if isinstance(request.backend.config, TinyConfig):
            step = partial(predict_zoomed, request)
            prefixes = prompt_prefixes(request.prompts)
            return refine_detail(
                request, self._replay(request, prefixes, step, (), remember)
            )
        config, prompts = request.backend.config, request.prompts
        first = self._predict_first_view(request, config, remember)
        alpha = first.alphas[request.candidate]
        view = zoomed_view(config, alpha, first.view, prompts, *request.size)
        if view is None:
            return first
        raise_if_cancelled(request.cancelled)
        mask_input = alpha_to_mask_input(alpha, *request.size, view)
        return decode_view(request.backend, request.encode(view), prompts, mask_input)

    def _predict_first_view(
        self, request: PredictRequest, config: ZimConfig, remember: bool
    ) -> Prediction:
        """Predict for ever more of the points, if the model has mask feedback."""
        view = choose_view(config, request.prompts, *request.size)
        encode = cache(request.encode)

        def step(prompts: PromptSet, previous: Prediction | None) -> Prediction:
            raise_if_cancelled(request.cancelled)
            mask_input = None
            if previous is not None:
                mask_input = to_mask_input(previous.alphas[request.candidate], view)
            return decode_view(request.backend, encode(view), prompts, mask_input)

        feedback = config.region_channels is not None
        prefixes = prompt_prefixes(request.prompts) if feedback else (request.prompts,)
        return self._replay(request, prefixes, step, (view,), remember)

    def _replay(
        self,
        request: PredictRequest,
        prefixes: Iterable[PromptSet],
        step: PredictStep,
        key_part: PredictionKey,
        remember: bool,
    ) -> Prediction:
        """Predict for each prefix of the prompts, from the one before; the last one.

        Args:
            key_part: what predictions depend on besides model, image, candidate and
                prompts.
        """
        key_prefix = (
            *(request.backend.fingerprint, request.image_key, request.candidate),
            *key_part,
        )
        prediction: Prediction | None = None
        for prefix in prefixes:
            key = (*key_prefix, prefix)
            cached = self._predictions.get(key)
            prediction = step(prefix, prediction) if cached is None else cached
            if remember:
                self._predictions.put(key, prediction)
        assert prediction is not None, "there is always the prefix of all prompts"
        return prediction


def to_mask_input(alpha: FloatArray, view: View) -> FloatArray:
    """Alpha (h, w) of a view as the mask input of the same view."""
    height, width = view.height, view.width
    return alpha_to_mask_input(
        alpha, height, width, View.whole(height, width, view.image_size)
    )


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
