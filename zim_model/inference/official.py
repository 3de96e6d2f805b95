"""Predictions as the official code of ZIM and SAM makes them, for comparisons.

The logits of the padded input are enlarged to the input's size, cropped, and enlarged
to the image's, all bilinearly; ZIM's alpha is their sigmoid, SAM's mask is where they
are positive.  No detail is added, and nothing is rounded to solid or empty.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from zim_model.arrays import BoolArray, FloatArray, WordArray
from zim_model.backends.view import View, align
from zim_model.inference.prediction import (
    Prediction,
    PredictRequest,
    logits_to_alphas,
)
from zim_model.network.config import ModelConfig, ZimConfig
from zim_model.prompts import PromptSet
from zim_model.request import ALPHA_MAX, raise_if_cancelled

if TYPE_CHECKING:
    from torch import Tensor

    from zim_model.backends.backend import Backend, EncodedView, TokenBackend


def has_official_code(config: ModelConfig) -> bool:
    """Whether a model is a ZIM or SAM as published; zim-tiny is not."""
    return isinstance(config, ZimConfig)


def predict_officially(request: PredictRequest) -> tuple[Prediction, WordArray]:
    """Predict on the whole image.

    Args:
        request: its model :func:`has_official_code`.

    Returns:
        The prediction on the network's grid, and the matte (H, W) of the candidate.

    Raises:
        Cancelled: the request was cancelled.
    """
    config = request.backend.config
    view = View.whole_for(config, *request.size)
    encoded = request.encode(view)
    raise_if_cancelled(request.cancelled)
    logits, scores = decode_uncropped(request.backend, encoded, [request.prompts])
    full = upsample_officially(logits[0, request.candidate], view)
    alpha = np.float32(full > 0) if config.binary else 1 / (1 + np.exp(-full))
    grid = align(logits[0], view, config.mask_stride)
    prediction = Prediction(view, logits_to_alphas(grid), scores[0])
    return prediction, np.rint(alpha * ALPHA_MAX).astype(np.uint16)


def decode_uncropped(
    backend: Backend,
    encoded: EncodedView,
    prompt_sets: Sequence[PromptSet],
    wanted: Callable[[FloatArray], BoolArray] | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Logits (N, 4, g, g) of the padded input and scores (N, 4).

    Args:
        backend: its model :func:`has_official_code`.
        prompt_sets: in image pixels, of equal numbers of tokens.
        wanted: from the scores, which sets' logits are returned, (N,) bool.
    """
    import torch

    from zim_model.backends.torch_backend import prompt_tokens

    tokens = [prompt_tokens(encoded.view.apply(prompts)) for prompts in prompt_sets]
    coords, labels = (torch.from_numpy(np.stack(x)) for x in zip(*tokens, strict=True))
    keep = None
    if wanted is not None:

        def keep(iou: Tensor) -> Tensor:
            return torch.from_numpy(wanted(iou.float().cpu().numpy())).to(iou.device)

    logits, scores = cast("TokenBackend", backend).decode_tokens(
        encoded, coords, labels, wanted=keep
    )
    return logits.cpu().numpy(), scores.cpu().numpy()


def upsample_officially(logits: FloatArray, view: View) -> FloatArray:
    """Logits (height, width) of a view's pixels from those (g, g) of its input."""
    import torch

    from zim_model.network.sam_interface import upsample_logits

    size = (view.height, view.width)
    with torch.inference_mode():
        given = torch.from_numpy(logits)[None, None]
        full = upsample_logits(given, view.image_size, view.input_size, size)
    return np.asarray(full[0, 0].numpy(), np.float32)
