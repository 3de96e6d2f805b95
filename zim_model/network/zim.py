"""Zim: the whole network.

``encode`` once per image, ``decode`` once per prompt set.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from zim_model.network.config import STRIDE, ZimConfig
from zim_model.network.decoder import (
    ABSENT,
    MaskDecoder,
    PromptEncoder,
    attention_mask,
)
from zim_model.network.encoder import DetailStream, build_encoder
from zim_model.network.pixel_decoder import ImageTerm
from zim_model.network.sam_interface import (
    MASK_THRESHOLD,
    Size,
    preprocess,
    prompt_tokens_of,
    to_sam_output,
    upsample_logits,
)
from zim_model.network.two_way import ImageProjections


@dataclass(frozen=True, slots=True, eq=False)
class DecoderCache:
    """The parts of decoding that depend on V images alone, computed once.

    Attributes:
        fusions: image terms of the pixel decoder, at strides 2, 4, 8.
        projections: of the image without a mask input, for the transformer.
    """

    fusions: list[ImageTerm]
    projections: ImageProjections

    def tensors(self) -> list[Tensor]:
        """All tensors."""
        return [*(term.value for term in self.fusions), *self.projections]

    def map_tensors(self, change: Callable[[Tensor], Tensor]) -> DecoderCache:
        """A copy with a function applied to every tensor."""
        return DecoderCache(
            [ImageTerm(change(term.value)) for term in self.fusions],
            ImageProjections(*map(change, self.projections)),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """The encoder's result for V images.

    Attributes:
        embeddings: (V, C, G, G).
        details: D0, D1, D2 at strides 2, 4, 8, of SAM 2 at strides 4 and 8, of HQ-SAM
            at stride 4; empty for SAM's own pixel decoder, and where ``decoder_cache``
            replaces them.
        decoder_cache: result of :meth:`Zim.precompute` for inference.
    """

    embeddings: Tensor
    details: list[Tensor]
    decoder_cache: DecoderCache | None = None

    def select(self, index: Tensor) -> Features:
        """Features of B prompt sets, from the index (B,) of each one's image."""
        return self.map_tensors(lambda tensor: tensor[index])

    def repeat_embeddings(self, count: int) -> Features:
        """Embeddings for ``count`` prompt sets of each image, and details for all."""
        return replace(self, embeddings=self.embeddings.repeat_interleave(count, 0))

    def expand(self, count: int) -> Features:
        """The features of one image for ``count`` prompt sets, without copying."""
        return self.map_tensors(lambda tensor: tensor.expand(count, *tensor.shape[1:]))

    def select_or_expand(self, index: Tensor) -> Features:
        """As :meth:`select`; those of one image are repeated, without copying."""
        one = len(self.embeddings) == 1
        return self.expand(len(index)) if one else self.select(index)

    def map_tensors(self, change: Callable[[Tensor], Tensor]) -> Features:
        """A copy with a function applied to every tensor."""
        return Features(
            change(self.embeddings),
            [change(detail) for detail in self.details],
            None
            if self.decoder_cache is None
            else self.decoder_cache.map_tensors(change),
        )

    def tensors(self) -> list[Tensor]:
        """All tensors, in an order that depends on the model alone."""
        tensors = [self.embeddings, *self.details]
        if self.decoder_cache is not None:
            tensors += self.decoder_cache.tensors()
        return tensors

    @property
    def pixel_inputs(self) -> list[Tensor] | list[ImageTerm]:
        """What the pixel decoder gets beside the image tokens."""
        prepared = self.decoder_cache
        return prepared.fusions if prepared and prepared.fusions else self.details

    @property
    def nbytes(self) -> int:
        """Bytes of memory of the tensors."""
        return sum(t.numel() * t.element_size() for t in self.tensors())


class Zim(nn.Module):
    """ZIM: SAM's encoders and two-way transformer with a matting decoder.

    Attributes:
        provenance: further metadata of the file that the weights come from, such as
            their licence.

    Arguments are explained where :meth:`encode` and :meth:`decode` take them.
    """

    DECODER: ClassVar[type[MaskDecoder]] = MaskDecoder

    def __init__(self, config: ZimConfig) -> None:
        super().__init__()
        self.config = config
        self.provenance: dict[str, str] = {}
        self.image_encoder = build_encoder(config)
        self.prompt_encoder = PromptEncoder(config)
        self.mask_decoder = self.DECODER(config)
        hierarchical = config.pixel_decoder == "hierarchical"
        self.detail_stream = (
            DetailStream(config.detail_channels) if hierarchical else None
        )

    def channels_last(self) -> Zim:
        """Lay weights out channels-last, in which convolutions are faster."""
        # torch's stubs lack this overload.
        return self.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]

    def encode(self, image: Tensor) -> Features:
        """Features of images (V, 3, S, S), normalised with PIXEL_MEAN and PIXEL_STD."""
        details = [] if self.detail_stream is None else self.detail_stream(image)
        return Features(self.image_encoder(image), details)

    def precompute(self, features: Features) -> Features:
        """The same features in the form that is fastest to decode, and smaller.

        For inference only: the model must be in evaluation mode, and its weights must
        not change while the features are used.
        """
        if self.training:
            raise ValueError("features are prepared for inference, not for training")
        decoder, count, grid = self.mask_decoder, *features.embeddings.shape[::2]
        image = features.embeddings + self.prompt_encoder.dense(None, count, grid)
        prepared = DecoderCache(
            decoder.pixel_decoder.image_terms(features.details)
            if decoder.hierarchical
            else [],
            decoder.transformer.projections(image, self._dense_positions(features)),
        )
        details = [] if decoder.hierarchical else features.details
        return replace(features, details=details, decoder_cache=prepared)

    def _dense_positions(self, features: Features) -> Tensor:
        return self.prompt_encoder.pe_layer.grid(features.embeddings.shape[-1])

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
        """Predict four mattes for each of B prompt sets.

        Args:
            features: of B images, or of one image for all prompt sets.
            coords: (B, N, 2) float, input pixels, x then y.  A box is two tokens, its
                top-left and bottom-right corner, after the points; with no box one
                PADDING token takes its place; see
                :func:`zim_model.backends.torch_backend.prompt_tokens`.
            labels: (B, N) int64, see ``zim_model.network.decoder``.
            mask_input: (B, 1, 4G, 4G) logits of an earlier mask, as in SAM.
            has_padding: whether some labels may be ABSENT; None checks, which
                synchronises with a GPU.
            wanted: from the predicted IoU (B, 4), which prompt sets' masks to predict,
                (B,) bool; None predicts all.  The masks are most of the time.

        Returns:
            Mask logits (B, 4, S/2, S/2), with SAM's pixel decoder (B, 4, S/4, S/4), of
            the sets that are wanted, and the predicted IoU of all (B, 4).  Alpha is the
            logits' sigmoid.
        """
        count, grid, given = len(coords), features.embeddings.shape[-1], features
        if len(features.embeddings) != count:
            features = features.expand(count)
        prompt_tokens = self.prompt_encoder.tokens(coords, labels, grid * STRIDE)
        absent = labels == ABSENT
        if has_padding is None:
            has_padding = bool(absent.any())
        present = ~absent if has_padding else None
        dense = self.prompt_encoder.dense(mask_input, count, grid)
        prepared = features.decoder_cache
        tokens, image = self.mask_decoder.attend(
            features.embeddings + dense,
            self._dense_positions(features),
            prompt_tokens,
            present,
            attention_mask(coords, labels, grid, self.config.attention_sigma),
            prepared.projections if prepared and mask_input is None else None,
        )
        iou = self.mask_decoder.predict_iou(tokens)
        if wanted is not None:
            kept = wanted(iou).nonzero()[:, 0]
            tokens, image = tokens[kept], image[kept]
            features = given.select_or_expand(kept)
        inputs = features.pixel_inputs
        return self.mask_decoder.predict_masks(tokens, image, inputs), iou

    # -- As in segment_anything.Sam -------------------------------------------------

    mask_threshold = MASK_THRESHOLD
    image_format = "RGB"

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    def preprocess(self, x: Tensor) -> Tensor:
        """The input (..., 3, S, S) from scaled images (..., 3, h, w) in 0 to 255."""
        return preprocess(x, self.config.image_size)

    def postprocess_masks(
        self, masks: Tensor, input_size: Size, original_size: Size
    ) -> Tensor:
        """Logits at the image's size, see :func:`upsample_logits`."""
        return upsample_logits(masks, self.config.image_size, input_size, original_size)

    @torch.no_grad()
    def forward(
        self, batched_input: list[dict[str, Any]], multimask_output: bool
    ) -> list[dict[str, Tensor]]:
        """Predict for several images with their prompts.

        Args:
            batched_input: of each image ``image`` (3, h, w) in 0 to 255, its longer
                side the input's, and ``original_size`` (H, W); and in input pixels any
                of ``point_coords`` (B, N, 2) with ``point_labels`` (B, N), ``boxes``
                (B, 4) and ``mask_inputs`` (B, 1, S/4, S/4).
            multimask_output: all candidates (of a SAM the three for ambiguous
                prompts), else the first.

        Returns:
            Of each image ``masks`` (B, C, H, W), bool for a SAM, else alpha;
            ``iou_predictions`` (B, C); ``low_res_logits`` (B, C, S/4, S/4).

        Raises:
            PromptError: prompts do not belong together, or are malformed.
        """
        outputs = []
        for record in batched_input:
            features = self.encode(self.preprocess(record["image"])[None])
            coords, labels = prompt_tokens_of(
                record.get("point_coords"),
                record.get("point_labels"),
                record.get("boxes"),
                record.get("mask_inputs"),
                self.config.image_size,
            )
            logits, iou = self.decode(
                features,
                coords.to(self.device),
                labels.to(self.device),
                mask_input=record.get("mask_inputs"),
            )
            size = (record["image"].shape[-2], record["image"].shape[-1])
            masks, iou, low = to_sam_output(
                logits,
                iou,
                self.config.image_size,
                (size, record["original_size"]),
                binary=self.config.binary,
                several=multimask_output,
            )
            outputs.append(
                {"masks": masks, "iou_predictions": iou, "low_res_logits": low}
            )
        return outputs
