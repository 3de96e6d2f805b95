"""Iterative prediction: which views a model gets for prompts, and how often.

SAM and ZIM get the whole image once.  zim-tiny gets, click after click, its prediction
for the earlier clicks, as it was trained (iterative training, RITM), on a view of what
it has found so far.
"""

from __future__ import annotations

from zim_model.arrays import WordArray
from zim_model.backends.view import View
from zim_model.inference.prediction import (
    Prediction,
    PredictRequest,
    decode_view,
    prompt_prefixes,
)
from zim_model.inference.zoom import predict_zoomed, prediction_of, refine_detail
from zim_model.network.config import TinyConfig
from zim_model.request import raise_if_cancelled
from zim_model.runtime.lru import ByteBoundedLru

CACHE_BYTES = 16 << 20
"""Most memory for predictions for earlier clicks, of 0.15 MB each with zim-tiny."""

PredictionKey = tuple[object, ...]


class IterativePredictor:
    """Predicts iteratively, and caches the predictions for earlier clicks.

    The result depends on the request alone: the cache only saves time.
    """

    def __init__(self) -> None:
        self._predictions = ByteBoundedLru[PredictionKey, Prediction](CACHE_BYTES)

    def predict(self, request: PredictRequest, *, remember: bool = True) -> Prediction:
        """Predict for the request's prompts, with the finer matte where it is wanted.

        Args:
            remember: cache the predictions for further clicks.

        Raises:
            Cancelled: ``cancelled`` became true.
        """
        config = request.backend.config
        if isinstance(config, TinyConfig):
            return refine_detail(request, self._replay(request, remember))
        encoded = request.encode(View.whole_for(config, *request.size))
        raise_if_cancelled(request.cancelled)
        return decode_view(request.backend, encoded, request.prompts)

    def correct(self, request: PredictRequest, matte: WordArray) -> Prediction | None:
        """Predict with a given matte as the earlier prediction; nothing is cached.

        Args:
            matte: (H, W) uint16 of the image's size.

        Returns:
            None if the model takes no earlier prediction, or the matte is empty.

        Raises:
            Cancelled: ``cancelled`` became true.
        """
        config = request.backend.config
        if not isinstance(config, TinyConfig):
            return None
        earlier = prediction_of(matte, config.image_size)
        if earlier is None:
            return None
        found = predict_zoomed(request, request.prompts, earlier)
        return refine_detail(request, found)

    def _replay(self, request: PredictRequest, remember: bool) -> Prediction:
        """Predict for each prefix of the prompts, from the one before; the last one."""
        prefixes = list(prompt_prefixes(request.prompts))
        own = (request.backend.fingerprint, request.image_key, request.candidate)
        prediction: Prediction | None = None
        known = len(prefixes)
        # From the longest: a look at all of them would drop each before its turn, where
        # not all fit into the cache.
        while prediction is None and known > 0:
            prediction = self._predictions.get((*own, prefixes[known - 1]))
            known -= prediction is None
        for prefix in prefixes[known:]:
            prediction = predict_zoomed(request, prefix, prediction)
            if remember:
                self._predictions.put((*own, prefix), prediction)
        assert prediction is not None, "there is always the prefix of all prompts"
        return prediction
