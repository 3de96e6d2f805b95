"""Predictions: what goes into one, what comes out, and one decoding of a view."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from zim_model.arrays import ByteArray, FloatArray, mask_bounds
from zim_model.backends.backend import Backend, EncodedView
from zim_model.backends.view import View
from zim_model.prompts import Box, PromptSet
from zim_model.request import CancelCheck, ProgressCallback, ignore_progress

SIGMOID_FLOOR = 1 / 512
"""A sigmoid never quite reaches 0 and 1; alpha within half an 8-bit step of them
does, so that a cut-out's surroundings are empty and its inside is opaque."""


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

    @property
    def nbytes(self) -> int:
        """Bytes of memory of the mattes."""
        return self.alphas.nbytes + (0 if self.fine is None else self.fine.nbytes)


@dataclass(frozen=True, slots=True, eq=False)
class PredictRequest:
    """What to predict: an image, its model, and prompts.

    Attributes:
        backend: the model.
        encode: returns a view's features, cached or new.
        image_key: equal keys mean equal pixels.
        size: height and width of the image.
        prompts: in image pixels.
        candidate: which of the four mattes is meant.
        cancelled: polled between passes.
        detailed: make the finer matte, where the model can.
        progress: called with the finished fraction of long steps.
    """

    backend: Backend
    encode: Callable[[View], EncodedView]
    image_key: str
    size: tuple[int, int]
    prompts: PromptSet
    candidate: int
    cancelled: CancelCheck
    detailed: bool = True
    progress: ProgressCallback = ignore_progress


def prompt_prefixes(prompts: PromptSet) -> Iterator[PromptSet]:
    """The prompts with their first points only, ever more of them, all at last.

    The first one is the shortest with a box or anything positive; all prompts come,
    whatever they are.
    """
    for count in range(len(prompts.points)):
        part = replace(prompts, points=prompts.points[:count])
        if part.box is not None or part.positive_positions:
            yield part
    yield prompts


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


def predict_once(
    backend: Backend, image: ByteArray, view: View, prompts: PromptSet
) -> FloatArray:
    """Alpha (h, w) of a view that is predicted once; its features are not cached."""
    prediction = decode_view(backend, backend.encode(image, view), prompts)
    return np.asarray(prediction.alphas[0], np.float32)


def alpha_box(alpha: FloatArray, view: View) -> Box | None:
    """The box in image pixels of a (h, w) alpha of a view above 0.5; None if empty."""
    bounds = mask_bounds(alpha > 0.5)
    if bounds is None:
        return None
    across, down = view.width / alpha.shape[1], view.height / alpha.shape[0]
    left, top, right, bottom = bounds
    return Box(
        *(view.left + left * across, view.top + top * down),
        *(view.left + right * across, view.top + bottom * down),
    )


def logits_to_alphas(logits: FloatArray) -> FloatArray:
    """Alpha float32 in [0, 1], exactly 0 and 1 where it is close, from logits."""
    alphas = 1 / (1 + np.exp(-np.clip(logits, -30, 30)))
    alphas = np.clip((alphas - SIGMOID_FLOOR) / (1 - 2 * SIGMOID_FLOOR), 0, 1)
    return alphas.astype(np.float32)
