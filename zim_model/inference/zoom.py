"""Answers of a model that sees prompts: from the whole image to the object's square.

The first prompt is answered on the whole image, a box at once on its surroundings.
Every further answer comes from the square around what was found and pointed at, with
the previous answer as a prompt.  Prompts are replayed point by point, so that the
answer depends on the prompts alone; answers to their first points are remembered.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from zim_model.arrays import FloatArray
from zim_model.inference.iterative import (
    MAX_REMEMBERED,
    Prediction,
    PredictionKey,
    PredictRequest,
    alpha_box,
    decode_view,
    logits_to_alphas,
    prompt_prefixes,
)
from zim_model.inference.view import View
from zim_model.network.config import TinyConfig
from zim_model.prompts import Box, PromptSet
from zim_model.request import raise_if_cancelled

if TYPE_CHECKING:
    from zim_model.inference.backends import EncodedView

Refine = Callable[["EncodedView", FloatArray], FloatArray]

SURROUNDINGS = 1.4
"""Side of the view of an object, as a multiple of the object's longer side."""
SMALLEST = 32
"""Least side of a view, in image pixels."""


class ZoomPredictor:
    """Answers questions, and remembers the answers to their first points."""

    def __init__(self) -> None:
        self._remembered: OrderedDict[PredictionKey, Prediction] = OrderedDict()

    def predict(self, question: PredictRequest, *, remember: bool = True) -> Prediction:
        """Answer a question.

        Args:
            remember: keep what a further point can go on from.

        Raises:
            Cancelled: ``cancelled`` became true.
        """
        backend = question.backend
        asked = (backend.fingerprint, question.image_key, question.candidate)
        seen: Prediction | None = None
        for part in (
            prompt_prefixes(question.prompts)
            if question.prompts
            else [question.prompts]
        ):
            key: PredictionKey = (*asked, part)
            found = self._remembered.get(key)
            if found is None:
                found = self._next(question, part, seen)
            if remember:
                self._keep(key, found)
            seen = found
        assert seen is not None, "prompts without any place to look at"
        return self._detailed(question, seen)

    def _detailed(self, question: PredictRequest, seen: Prediction) -> Prediction:
        """The answer with its finer matte, where that can and is to be made."""
        config = question.backend.config
        size = config.detail_size if isinstance(config, TinyConfig) else None
        if size is None or not question.detailed:
            return seen
        raise_if_cancelled(question.cancelled)
        encoded = question.encode(replace(seen.view, image_size=size))
        raise_if_cancelled(question.cancelled)
        refine: Refine = question.backend.refine  # type: ignore[attr-defined]
        logits = refine(encoded, seen.alphas[question.candidate])
        return replace(seen, fine=logits_to_alphas(logits))

    def _next(
        self, question: PredictRequest, prompts: PromptSet, seen: Prediction | None
    ) -> Prediction:
        """The answer to prompts, from the answer to all of them but the last."""
        height, width = question.size
        side = question.backend.config.image_size
        if seen is None:
            if prompts.box is not None:
                view = object_view(prompts, None, question.size, side)
                return self._decoded(question, view, prompts, None)
            whole = View.whole(height, width, side)
            seen = self._decoded(question, whole, prompts, None)
        found = alpha_box(seen.alphas[question.candidate], seen.view)
        if found is None and not prompts.positive_positions and prompts.box is None:
            return seen
        view = object_view(prompts, found, question.size, side)
        return self._decoded(question, view, prompts, seen)

    def _decoded(
        self,
        question: PredictRequest,
        view: View,
        prompts: PromptSet,
        seen: Prediction | None,
    ) -> Prediction:
        raise_if_cancelled(question.cancelled)
        encoded = question.encode(view)
        raise_if_cancelled(question.cancelled)
        previous = None
        if seen is not None:
            stride = question.backend.config.prompt_mask_stride
            alpha = seen.alphas[question.candidate]
            previous = previous_answer(alpha, seen.view, view, stride)
        return decode_view(question.backend, encoded, prompts, previous)

    def _keep(self, key: PredictionKey, seen: Prediction) -> None:
        self._remembered[key] = seen
        self._remembered.move_to_end(key)
        if len(self._remembered) > MAX_REMEMBERED:
            self._remembered.popitem(last=False)


def object_view(
    prompts: PromptSet, found: Box | None, size: tuple[int, int], image_size: int
) -> View:
    """The square around prompts and what was found, inside the image.

    Args:
        prompts: in image pixels; a box or a positive place, unless ``found`` is there.
        found: the box of the previous answer, in image pixels.
        size: (height, width) of the image.
        image_size: side of the network's input.
    """
    places = list(prompts.positive_positions)
    for box in filter(None, (prompts.box, found)):
        places += [(box.x0, box.y0), (box.x1, box.y1)]
    held = Box.enclosing(places)
    height, width = size
    side = math.ceil(max(SURROUNDINGS * max(held.width, held.height), SMALLEST))
    left = min(max(round((held.x0 + held.x1 - side) / 2), 0), max(width - side, 0))
    top = min(max(round((held.y0 + held.y1 - side) / 2), 0), max(height - side, 0))
    right, bottom = min(left + side, width), min(top + side, height)
    return View(left, top, right, bottom, image_size)


def previous_answer(
    alpha: FloatArray, seen: View, view: View, stride: int
) -> FloatArray:
    """An answer for one view as the mask prompt of another.

    Args:
        alpha: (h, w) in [0, 1] of ``seen``; nothing is known of the object beyond.
        seen, view: parts of the same image.
        stride: input pixels per pixel of the mask prompt.

    Returns:
        (1, S/stride, S/stride) float32 logits, low beyond ``seen`` and in the padding.
    """
    side = view.image_size // stride
    scale = max(view.height, view.width) / view.image_size * stride
    centres = (np.arange(side, dtype=np.float32) + 0.5) * scale
    x, y = centres + (view.left - seen.left), centres + (view.top - seen.top)
    inside = ((y >= 0) & (y < seen.height))[:, None] & ((x >= 0) & (x < seen.width))
    cells = seen.image_size / max(seen.height, seen.width)
    # Cells of alpha per image pixel; the last cell may reach beyond the view.
    per_pixel = cells / round(seen.input_size[0] / alpha.shape[0])
    found = cv2.remap(
        np.asarray(alpha, np.float32),
        np.broadcast_to(x * per_pixel - 0.5, (side, side)).astype(np.float32),
        np.broadcast_to((y * per_pixel - 0.5)[:, None], (side, side)).astype(
            np.float32
        ),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    found = np.clip(found * inside, 1e-3, 1 - 1e-3)
    return np.asarray(np.log(found / (1 - found))[None], np.float32)
