"""Zoom of a model that sees prompts: from the whole image to the object's square.

The first prompt is predicted on the whole image, a box or region at once on its
surroundings.  Every further prediction, and a second one of the first prompt, is made
on the square around the previous one and the prompts, with the previous one as a
prompt.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import cast

import cv2
import numpy as np

from zim_model.arrays import FloatArray, WordArray, mask_bounds
from zim_model.backends.backend import RefiningBackend
from zim_model.backends.view import View
from zim_model.inference.prediction import (
    Prediction,
    PredictRequest,
    alpha_box,
    decode_view,
    logits_to_alphas,
)
from zim_model.network.config import NUM_MASK_TOKENS, TinyConfig
from zim_model.prompts import Box, PromptSet
from zim_model.request import ALPHA_MAX, raise_if_cancelled

SURROUNDINGS = 1.25
"""Side of the view of an object, as a multiple of the object's longer side."""
MIN_VIEW_SIDE, VIEW_STEP = 32, 4
"""Least side of a view, and what it is a multiple of, in image pixels: a view of even
sides is scaled down many times as fast, see :func:`zim_model.arrays.shrink`."""
WHOLE_SHARE = 0.98
"""A box of at least this share of both sides of the image says nothing: the model then
finds the main object, as it is trained to without prompts."""


def predict_zoomed(
    request: PredictRequest, prompts: PromptSet, previous: Prediction | None
) -> Prediction:
    """Predict for prompts, from the prediction for all of them but the last point.

    Args:
        request: all but its prompts counts.
        prompts: in image pixels.
        previous: None for the first of a request's prompts.

    Raises:
        Cancelled: the request was cancelled.
    """
    side = request.backend.config.image_size
    if prompts.box is not None and is_whole(prompts.box, request.size):
        prompts = replace(prompts, box=None)
    if previous is None:
        view = View.whole(*request.size, side)
        if prompts.extent is not None:
            view = object_view(prompts, None, request.size, side)
        previous = _predict_view(request, view, prompts, None)
    found = alpha_box(previous.alphas[request.candidate], previous.view)
    if found is None and not prompts.positive_positions and prompts.box is None:
        return previous
    view = object_view(prompts, found, request.size, side)
    return _predict_view(request, view, prompts, previous)


def is_whole(box: Box, size: tuple[int, int]) -> bool:
    """Whether a box in image pixels holds all of an image of (height, width)."""
    height, width = size
    return box.width >= WHOLE_SHARE * width and box.height >= WHOLE_SHARE * height


def _predict_view(
    request: PredictRequest,
    view: View,
    prompts: PromptSet,
    previous: Prediction | None,
) -> Prediction:
    raise_if_cancelled(request.cancelled)
    encoded = request.encode(view)
    raise_if_cancelled(request.cancelled)
    mask_input = None
    if previous is not None:
        alpha = previous.alphas[request.candidate]
        stride = request.backend.config.prompt_mask_stride
        mask_input = previous_mask_input(alpha, previous.view, view, stride)
    return decode_view(request.backend, encoded, prompts, mask_input)


def refine_detail(request: PredictRequest, prediction: Prediction) -> Prediction:
    """The prediction with its finer matte, if the model can and the request wants it.

    Raises:
        Cancelled: the request was cancelled.
    """
    config = request.backend.config
    size = config.detail_size if isinstance(config, TinyConfig) else None
    if size is None or not request.detailed:
        return prediction
    raise_if_cancelled(request.cancelled)
    encoded = request.encode(replace(prediction.view, image_size=size))
    raise_if_cancelled(request.cancelled)
    backend = cast("RefiningBackend", request.backend)
    logits = backend.refine(encoded, prediction.alphas[request.candidate])
    return replace(prediction, fine=logits_to_alphas(logits))


def prediction_of(matte: WordArray, image_size: int) -> Prediction | None:
    """A matte as if it had been predicted on the square around it; None if empty.

    Args:
        matte: (H, W) uint16.
        image_size: side of the network's input.
    """
    bounds = mask_bounds(matte > ALPHA_MAX // 2)
    if bounds is None:
        return None
    height, width = matte.shape
    box = Box(*map(float, bounds))
    view = object_view(PromptSet(), box, (height, width), image_size)
    part = matte[view.top : view.bottom, view.left : view.right]
    size = view.input_size[::-1]
    small = cv2.resize(part, size, interpolation=cv2.INTER_AREA) / np.float32(ALPHA_MAX)
    alphas = np.broadcast_to(small, (NUM_MASK_TOKENS, *small.shape))
    return Prediction(view, alphas, np.ones(NUM_MASK_TOKENS, np.float32))


def object_view(
    prompts: PromptSet, found: Box | None, size: tuple[int, int], image_size: int
) -> View:
    """The square around prompts and what was found, inside the image.

    Args:
        prompts: in image pixels; a box or a positive place, unless ``found`` is there.
        found: the box of the previous prediction, in image pixels.
        size: (height, width) of the image.
        image_size: side of the network's input.
    """
    places = list(prompts.positive_positions)
    for box in filter(None, (prompts.box, found)):
        places += [(box.x0, box.y0), (box.x1, box.y1)]
    held = Box.enclosing(places)
    height, width = size
    least = max(SURROUNDINGS * max(held.width, held.height), MIN_VIEW_SIDE)
    side = VIEW_STEP * math.ceil(least / VIEW_STEP)
    left = min(max(round((held.x0 + held.x1 - side) / 2), 0), max(width - side, 0))
    top = min(max(round((held.y0 + held.y1 - side) / 2), 0), max(height - side, 0))
    right, bottom = min(left + side, width), min(top + side, height)
    return View(left, top, right, bottom, image_size)


def previous_mask_input(
    alpha: FloatArray, seen: View, view: View, mask_stride: int
) -> FloatArray:
    """A prediction on one view as the mask input of another.

    Args:
        alpha: (h, w) in [0, 1] of ``seen``; nothing is known of the object beyond.
        seen, view: parts of the same image.
        mask_stride: input pixels per pixel of the mask input.

    Returns:
        (1, S/mask_stride, S/mask_stride) float32 logits, low beyond ``seen`` and in
        the padding.
    """
    side = view.image_size // mask_stride
    input_height, input_width = view.input_size
    centres = (np.arange(side, dtype=np.float32) + 0.5) * mask_stride
    # In pixels of the part that was seen.
    x = centres * (view.width / input_width) + (view.left - seen.left)
    y = centres * (view.height / input_height) + (view.top - seen.top)
    inside = ((y >= 0) & (y < seen.height))[:, None] & ((x >= 0) & (x < seen.width))
    columns = np.asarray(x * (alpha.shape[1] / seen.width) - 0.5, np.float32)
    rows = np.asarray(y * (alpha.shape[0] / seen.height) - 0.5, np.float32)
    resampled = cv2.remap(
        np.asarray(alpha, np.float32),
        np.broadcast_to(columns, (side, side)).copy(),
        np.broadcast_to(rows[:, None], (side, side)).copy(),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    resampled = np.clip(resampled * inside, 1e-3, 1 - 1e-3)
    return np.asarray(np.log(resampled / (1 - resampled))[None], np.float32)
