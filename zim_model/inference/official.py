"""Predictions as the official code of ZIM and SAM makes them, for comparisons.

The logits of the padded input are enlarged to the input's size, cropped, and enlarged
to the image's, all bilinearly; ZIM's alpha is their sigmoid, SAM's mask is where they
are positive.  No detail is added, and nothing is rounded to solid or empty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from zim_model.arrays import WordArray
from zim_model.backends.view import View, align
from zim_model.inference.prediction import (
    Prediction,
    PredictRequest,
    logits_to_alphas,
)
from zim_model.network.config import ModelConfig, ZimConfig
from zim_model.request import ALPHA_MAX, raise_if_cancelled

if TYPE_CHECKING:
    from zim_model.backends.backend import TokenBackend


def has_official_code(config: ModelConfig) -> bool:
    """Whether a model is a ZIM or SAM as published; zim-tiny is not."""
    return isinstance(config, ZimConfig) and not config.cue_channels


def predict_officially(request: PredictRequest) -> tuple[Prediction, WordArray]:
    """Predict on the whole image.

    Args:
        request: its model :func:`has_official_code`.

    Returns:
        The prediction on the network's grid, and the matte (H, W) of the candidate.

    Raises:
        Cancelled: the request was cancelled.
    """
    import torch

    from zim_model.backends.torch_backend import prompt_tokens
    from zim_model.network.sam_interface import upsample_logits

    config = request.backend.config
    backend = cast("TokenBackend", request.backend)
    view = View.whole(*request.size, config.image_size)
    encoded = request.encode(view)
    raise_if_cancelled(request.cancelled)
    coords, labels = map(torch.from_numpy, prompt_tokens(view.apply(request.prompts)))
    with torch.inference_mode():
        logits, scores = backend.decode_tokens(encoded, coords[None], labels[None])
        chosen = logits[:, request.candidate : request.candidate + 1]
        side, size = config.image_size, request.size
        full = upsample_logits(chosen, side, view.input_size, size)[0, 0]
        alpha = (full > 0).float() if config.binary else full.sigmoid()
        words = (alpha * ALPHA_MAX).round().cpu().numpy().astype(np.uint16)
    grid = align(logits[0].cpu().numpy(), view, config.mask_stride)
    prediction = Prediction(view, logits_to_alphas(grid), scores[0].cpu().numpy())
    return prediction, words
