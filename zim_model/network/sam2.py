"""SAM 2's image predictor: SAM's decoder with details of the image (Ravi et al. 2024).

What it has beside SAM: features at strides 4 and 8, a token for whether the object is
there (which images do not need, but the other tokens attend to it), scores in [0, 1],
and a first mask that gives way to a better one where it is unstable.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Protocol, cast

import torch
from torch import Tensor, nn

from zim_model.network.config import ZimConfig
from zim_model.network.decoder import ABSENT, PADDING, MaskDecoder
from zim_model.network.pixel_decoder import ImageTerm
from zim_model.network.zim import Features, Zim

STABILITY_OFFSET, LEAST_STABILITY = 0.05, 0.98
"""A mask is unstable whose area above the logit falls below this share of that above
minus the logit."""
MASK_LIMIT = 32.0
"""Largest magnitude of the logits of a mask input."""


class PyramidEncoder(Protocol):
    """An image encoder whose configuration has a ``PYRAMID``."""

    def pyramid(self, image: Tensor) -> list[Tensor]:
        """Features of images (B, 3, S, S) at strides 4, 8 and 16, (B, C, h, w)."""
        ...


class Sam2MaskDecoder(MaskDecoder):
    """SAM's mask decoder with details of the image."""

    def __init__(self, config: ZimConfig) -> None:
        super().__init__(config)
        dim = config.embed_dim
        self.obj_score_token = nn.Embedding(1, dim)
        self.conv_s0 = nn.Conv2d(dim, dim // 8, 1)
        self.conv_s1 = nn.Conv2d(dim, dim // 4, 1)

    def own_tokens(self) -> Tensor:
        """See :class:`MaskDecoder`; the last is for whether the object is there."""
        return torch.cat([super().own_tokens(), self.obj_score_token.weight])

    def predict_iou(self, tokens: Tensor) -> Tensor:
        """See :class:`MaskDecoder`; in [0, 1]."""
        return super().predict_iou(tokens).sigmoid()

    def upscale(self, image: Tensor, details: list[Tensor] | list[ImageTerm]) -> Tensor:
        """See :class:`MaskDecoder`; the details are at strides 4 and 8."""
        stride4, stride8 = cast("list[Tensor]", details)
        widen, norm, activation, widen_again, _ = self.output_upscaling
        x = activation(norm(widen(image) + stride8))
        out: Tensor = activation(widen_again(x) + stride4)
        return out


class Sam2(Zim):
    """SAM 2's image predictor, with the interface of :class:`Zim`."""

    DECODER: ClassVar[type[MaskDecoder]] = Sam2MaskDecoder

    def __init__(self, config: ZimConfig) -> None:
        super().__init__(config)
        self.no_mem_embed = nn.Parameter(torch.zeros(1, 1, config.embed_dim))

    def encode(self, image: Tensor) -> Features:
        """See :class:`Zim`."""
        encoder = cast("PyramidEncoder", self.image_encoder)
        decoder = cast("Sam2MaskDecoder", self.mask_decoder)
        stride4, stride8, top = encoder.pyramid(image)
        # An image has no frames before it, which SAM 2 adds a vector for.
        embeddings = top + self.no_mem_embed.reshape(1, -1, 1, 1)
        details = [decoder.conv_s0(stride4), decoder.conv_s1(stride8)]
        return Features(embeddings, details)

    def decode(
        self,
        features: Features,
        coords: Tensor,
        labels: Tensor,
        mask_input: Tensor | None = None,
        *,
        has_padding: bool | None = None,
        wanted: Callable[[Tensor], Tensor] | None = None,
    ) -> tuple[Tensor, Tensor]:
        """See :class:`Zim`."""
        coords, labels = with_padding(coords, labels)
        if mask_input is not None:
            mask_input = mask_input.clamp(-MASK_LIMIT, MASK_LIMIT)
        logits, iou = super().decode(
            *(features, coords, labels, mask_input),
            has_padding=has_padding,
            wanted=wanted,
        )
        if self.training:
            return logits, iou
        kept = slice(None) if wanted is None else wanted(iou)
        first = replace_unstable(logits, iou[kept])
        iou = iou.clone()
        logits, iou[kept] = first
        return logits, iou


def with_padding(coords: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Prompt tokens with PADDING in every set; SAM has none beside a box.

    Args:
        coords: (B, N, 2).
        labels: (B, N).

    Returns:
        The same with a further token, which is ABSENT in sets that have PADDING; no
        tokens at all stay none.
    """
    if not coords.shape[1]:
        return coords, labels
    there = (labels == PADDING).any(1, keepdim=True)
    added = torch.where(there, ABSENT, PADDING).to(labels.dtype)
    nowhere = torch.zeros_like(coords[:, :1])
    return torch.cat([coords, nowhere], 1), torch.cat([labels, added], 1)


def replace_unstable(logits: Tensor, iou: Tensor) -> tuple[Tensor, Tensor]:
    """Predictions whose first mask is the best of the others where it is unstable.

    Args:
        logits: (B, 4, h, w).
        iou: (B, 4).
    """
    first = logits[:, 0].flatten(1)
    inner, outer = (
        (first > limit).sum(1) for limit in (STABILITY_OFFSET, -STABILITY_OFFSET)
    )
    stable = inner >= LEAST_STABILITY * outer
    best = torch.where(stable, 0, 1 + iou[:, 1:].argmax(1))
    rows = torch.arange(len(best), device=best.device)
    return (
        torch.cat([logits[rows, best][:, None], logits[:, 1:]], 1),
        torch.cat([iou[rows, best][:, None], iou[:, 1:]], 1),
    )
