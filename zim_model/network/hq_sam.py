"""HQ-SAM: a SAM whose masks a further token corrects (Ke et al., NeurIPS 2023).

The SAM inside is unchanged.  Beside it are a token, whose mask is predicted from
features that join the pixels of SAM's decoder, the embeddings and early features of the
encoder, and the sum of that mask's logits and SAM's, which is the prediction.
"""

from __future__ import annotations

from typing import ClassVar, Protocol, cast

import torch
from torch import Tensor, nn

from zim_model.network.config import NUM_MASK_TOKENS, ZimConfig
from zim_model.network.decoder import MaskDecoder, Mlp
from zim_model.network.encoder import LayerNorm2d
from zim_model.network.pixel_decoder import ImageTerm
from zim_model.network.zim import Features, Zim


class EarlyEncoder(Protocol):
    """An image encoder whose configuration has an ``early_width``."""

    def with_early(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Embeddings (B, C, G, G) and early features (B, D, G, G) of images."""
        ...


def _upscaling(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    """Layers from (B, inputs, G, G) to (B, outputs, 4G, 4G)."""
    return nn.Sequential(
        nn.ConvTranspose2d(inputs, hidden, 2, 2),
        LayerNorm2d(hidden),
        nn.GELU(),
        nn.ConvTranspose2d(hidden, outputs, 2, 2),
    )


class HqMaskDecoder(MaskDecoder):
    """SAM's mask decoder with the token, the layers and the sum of HQ-SAM."""

    def __init__(self, config: ZimConfig) -> None:
        super().__init__(config)
        dim, pixels = config.embed_dim, config.embed_dim // 8
        self.hf_token = nn.Embedding(1, dim)
        self.hf_mlp = Mlp(dim, dim, pixels)
        self.compress_vit_feat = _upscaling(config.early_width, dim, pixels)
        self.embedding_encoder = _upscaling(dim, dim // 4, pixels)
        self.embedding_maskfeature = nn.Sequential(
            nn.Conv2d(pixels, dim // 4, 3, padding=1),
            LayerNorm2d(dim // 4),
            nn.GELU(),
            nn.Conv2d(dim // 4, pixels, 3, padding=1),
        )

    def own_tokens(self) -> Tensor:
        """See :class:`MaskDecoder`; the last is that of the further mask."""
        return torch.cat([super().own_tokens(), self.hf_token.weight])

    def image_detail(self, embeddings: Tensor, early: Tensor) -> Tensor:
        """What depends on the image alone, (V, C / 8, 4G, 4G)."""
        embedded: Tensor = self.embedding_encoder(embeddings)
        compressed: Tensor = self.compress_vit_feat(early)
        return embedded + compressed

    def predict_masks(
        self, tokens: Tensor, image: Tensor, details: list[Tensor] | list[ImageTerm]
    ) -> Tensor:
        """See :class:`MaskDecoder`; ``details`` is that of :meth:`image_detail`."""
        (detail,) = cast("list[Tensor]", details)
        features = self.upscale(image, [])
        masks = self.masks_from(tokens, features)
        kernel = self.hf_mlp(tokens[:, 1 + NUM_MASK_TOKENS])
        own = self.embedding_maskfeature(features) + detail
        correction = torch.einsum("bc,bchw->bhw", kernel, own)
        return masks + correction[:, None]


class HqSam(Zim):
    """HQ-SAM, with the interface of :class:`Zim`.

    Each of the four masks is corrected.  The authors' predictor, asked for several,
    returns only the best of the last three by predicted IoU.
    """

    DECODER: ClassVar[type[MaskDecoder]] = HqMaskDecoder

    def encode(self, image: Tensor) -> Features:
        """See :class:`Zim`."""
        embeddings, early = cast("EarlyEncoder", self.image_encoder).with_early(image)
        decoder = cast("HqMaskDecoder", self.mask_decoder)
        return Features(embeddings, [decoder.image_detail(embeddings, early)])
