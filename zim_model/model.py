"""Zim: the whole network, shapes on every line.

``encode`` once per image, ``decode`` once per prompt set.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from zim_model.config import STRIDE, ZimConfig
from zim_model.decoder import (
    ABSENT,
    MaskDecoder,
    PromptEncoder,
    attention_mask,
)
from zim_model.encoder import DetailStream, build_encoder
from zim_model.regions import RegionHead, Regions, earlier_cue, region_cues


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """What the encoder knows of V images.

    Attributes:
        embeddings: (V, C, G, G).
        details: what the decoder gets at strides 2, 4, 8: D0, D1, D2, or the region
            head's features; empty for SAM's own pixel decoder.
        regions: what the region head found, if there is one.
    """

    embeddings: Tensor
    details: list[Tensor]
    regions: Regions | None = None

    def select(self, index: Tensor) -> Features:
        """Features of B prompt sets, from the index (B,) of each one's image."""
        regions = self.regions
        if regions is not None:
            regions = Regions(regions.maps[index], regions.embedding[index])
        return Features(
            self.embeddings[index], [d[index] for d in self.details], regions
        )

    @property
    def nbytes(self) -> int:
        """Bytes of memory that the tensors take."""
        tensors = [self.embeddings, *self.details]
        if self.regions is not None:
            tensors += [self.regions.maps, self.regions.embedding]
        return sum(t.numel() * t.element_size() for t in tensors)


class Zim(nn.Module):
    """ZIM: SAM's encoders and two-way transformer with a matting decoder.

    Arguments are explained where :meth:`encode` and :meth:`decode` take them.
    """

    def __init__(self, config: ZimConfig) -> None:
        super().__init__()
        self.config = config
        self.image_encoder = build_encoder(config)
        self.prompt_encoder = PromptEncoder(config)
        self.mask_decoder = MaskDecoder(config)
        needs_details = config.pixel_decoder == "hierarchical"
        self.detail_stream = (
            DetailStream(config.detail_channels) if needs_details else None
        )
        has_regions = config.region_channels is not None
        self.region_head = RegionHead(config) if has_regions else None

    def channels_last(self) -> Zim:
        """Lay weights out channels-last, which convolutions run faster on."""
        return self.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]

    def encode(self, image: Tensor) -> Features:
        """Features of images (V, 3, S, S), normalised as in ``transforms``."""
        details = [] if self.detail_stream is None else self.detail_stream(image)
        embeddings = self.image_encoder(image, details)
        if self.region_head is None:
            return Features(embeddings, details)
        (fine, *coarser), regions = self.region_head(embeddings, details)
        details = [torch.cat([details[0], fine], 1), *coarser]
        return Features(embeddings, details, regions)

    def decode(
        self,
        features: Features,
        coords: Tensor,
        labels: Tensor,
        cues: Tensor | None = None,
        mask_input: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Predict four mattes for each of B prompt sets.

        Args:
            features: of B images, or of one image for all prompt sets.
            coords: (B, N, 2) float, input pixels, x then y.  A box is two tokens, its
                top-left and bottom-right corner, after the points; with no box one
                PADDING token takes its place (``zim_model.backends`` builds these).
            labels: (B, N) int64, see ``zim_model.decoder``.
            cues: (B, K, S/2, S/2) dense cue maps, for models that have them.
            mask_input: (B, 1, 4G, 4G) logits of an earlier mask, as in SAM; a model
                with cue maps and a region head takes it as one map more, and 0 there
                is the same as no mask.

        Returns:
            Mask logits (B, 4, S/2, S/2), with SAM's pixel decoder (B, 4, S/4, S/4),
            and the predicted IoU of each (B, 4).  Alpha is the logits' sigmoid.
        """
        count, grid = len(coords), features.embeddings.shape[-1]
        if len(features.embeddings) != count:
            features = features.select(coords.new_zeros(count, dtype=torch.long))
        prompt_tokens = self.prompt_encoder.tokens(coords, labels, grid * STRIDE)
        absent = labels == ABSENT
        present = ~absent if bool(absent.any()) else None
        as_cue = features.regions is not None
        dense = self.prompt_encoder.dense(None if as_cue else mask_input, count, grid)
        levels: list[Tensor] = []
        if self.prompt_encoder.cue_encoder is not None:
            if cues is None:
                raise ValueError(f"{self.config.name} needs cue maps")
            if features.regions is not None:
                drawn = region_cues(features.regions, cues)
                earlier = earlier_cue(mask_input, cues)
                cues = torch.cat([cues, drawn.to(cues), earlier], 1)
            levels, from_cues = self.prompt_encoder.cue_encoder(
                cues, features.details, features.embeddings
            )
            dense = dense + from_cues
        logits, iou = self.mask_decoder(
            features.embeddings + dense,
            self.prompt_encoder.pe_layer.grid(grid),
            prompt_tokens,
            present,
            attention_mask(coords, labels, grid, self.config.attention_sigma),
            features.details,
            levels,
        )
        return logits, iou
