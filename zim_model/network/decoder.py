"""From prompts and image features to mattes: prompt encoder and mask decoder.

Attribute names are those of SAM's published checkpoints.  Shapes: B prompts sets,
N prompt tokens, T = 5 + N tokens, G = S / 16 image tokens per side, C embed_dim.
Coordinates are input pixels, x right and y down.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zim_model.network.config import NUM_MASK_TOKENS, STRIDE, ZimConfig
from zim_model.network.encoder import LayerNorm2d
from zim_model.network.pixel_decoder import (
    HierarchicalPixelDecoder,
    ImageTerm,
)
from zim_model.network.two_way import ImageProjections, TwoWayTransformer

ABSENT, PADDING, NEGATIVE, POSITIVE, TOP_LEFT, BOTTOM_RIGHT = -2, -1, 0, 1, 2, 3
"""Token labels.  All but ABSENT are SAM's; ABSENT pads a batch of unequal lengths and
is excluded from attention.  PADDING is SAM's "not a point", one of which replaces the
box whenever there is none."""


class PositionEmbeddingRandom(nn.Module):
    """Random Fourier features of positions in [0, 1]^2 (SAM)."""

    positional_encoding_gaussian_matrix: Tensor

    def __init__(self, features: int) -> None:
        super().__init__()
        self.register_buffer(
            "positional_encoding_gaussian_matrix", torch.randn(2, features)
        )

    def forward(self, unit: Tensor) -> Tensor:
        """(..., 2) in [0, 1] to (..., 2 * features)."""
        matrix = self.positional_encoding_gaussian_matrix
        x, y = (2 * unit - 1).to(matrix).unbind(-1)
        # No matrix product: autocast would round the angles of thin features away.
        angles = 2 * math.pi * (x[..., None] * matrix[0] + y[..., None] * matrix[1])
        return torch.cat([angles.sin(), angles.cos()], -1)

    def grid(self, size: int) -> Tensor:
        """Encoding of the cell centres of a square grid, (1, C, size, size)."""
        matrix = self.positional_encoding_gaussian_matrix
        centres = (torch.arange(size, device=matrix.device) + 0.5) / size
        y, x = torch.meshgrid(centres, centres, indexing="ij")
        encoded: Tensor = self(torch.stack([x, y], -1))
        return encoded.permute(2, 0, 1)[None]


class PromptEncoder(nn.Module):
    """Points, box and mask to tokens (B, N, C) and a dense prompt (B, C, G, G)."""

    def __init__(self, config: ZimConfig) -> None:
        super().__init__()
        dim = config.embed_dim
        self.pe_layer = PositionEmbeddingRandom(dim // 2)
        self.point_embeddings = nn.ModuleList(nn.Embedding(1, dim) for _ in range(4))
        self.not_a_point_embed = nn.Embedding(1, dim)
        self.no_mask_embed = nn.Embedding(1, dim)
        self.mask_downscaling = nn.Sequential(
            nn.Conv2d(1, 4, 2, 2),
            LayerNorm2d(4),
            nn.GELU(),
            nn.Conv2d(4, 16, 2, 2),
            LayerNorm2d(16),
            nn.GELU(),
            nn.Conv2d(16, dim, 1),
        )

    def tokens(self, coords: Tensor, labels: Tensor, input_size: int) -> Tensor:
        """Sparse prompt tokens (B, N, C).

        Args:
            coords: (B, N, 2) in input pixels.
            labels: (B, N) integers, see the constants of this module.
            input_size: side S of the input.
        """
        encoded = self.pe_layer((coords + 0.5) / input_size)
        no_position = (labels == PADDING) | (labels == ABSENT)
        encoded = encoded * ~no_position[..., None]
        table = torch.stack(
            [
                embedding.get_parameter("weight")[0]
                for embedding in (self.not_a_point_embed, *self.point_embeddings)
            ]
        )
        tokens: Tensor = encoded + table[labels.clamp(min=PADDING) - PADDING]
        return tokens

    def dense(self, mask: Tensor | None, count: int, grid: int) -> Tensor:
        """Dense prompt (B, C, G, G) from a mask (B, 1, 4G, 4G) or from none."""
        if mask is not None:
            out: Tensor = self.mask_downscaling(mask)
            return out
        return self.no_mask_embed.weight[:, :, None, None].expand(count, -1, grid, grid)


def attention_mask(
    coords: Tensor, labels: Tensor, grid: int, sigma_fraction: float
) -> Tensor:
    """The prompt-aware attention mask (B, G, G) in [0, 1] (paper, eq. 4 and 5).

    A box, whichever of its corners come first, is 1 in the cells that it touches and 0
    outside.  Every point, positive or
    negative, is a Gaussian around its cell; they combine by maximum.  Points and a box
    together multiply.  With neither the mask is 1.

    Args:
        coords: (B, N, 2) in input pixels.
        labels: (B, N); PADDING and ABSENT are ignored.
        grid: image tokens per side G.
        sigma_fraction: standard deviation as a fraction of the grid.
    """
    if coords.shape[1] == 0:  # of which there is no maximum
        return coords.new_ones(len(coords), grid, grid)
    cells = torch.arange(grid, device=coords.device, dtype=coords.dtype)
    cell = (coords / STRIDE).floor()
    distance = cells - cell[..., None]  # (B, N, 2, G)
    gauss = torch.exp(-distance.square() / (2 * (sigma_fraction * grid) ** 2))
    is_point = (labels == POSITIVE) | (labels == NEGATIVE)
    bumps = gauss[:, :, 1, :, None] * gauss[:, :, 0, None, :]
    bumps = bumps * is_point[..., None, None]
    points = bumps.amax(1)
    points = torch.where(is_point.any(1)[:, None, None], points, 1.0)

    first = (labels == TOP_LEFT)[..., None]
    last = (labels == BOTTOM_RIGHT)[..., None]
    start = (cell * first).sum(1).clamp(0, grid - 1)  # (B, 2)
    end = (cell * last).sum(1).clamp(0, grid - 1)
    low, high = torch.minimum(start, end), torch.maximum(start, end)
    inside = (cells >= low[..., None]) & (cells <= high[..., None])  # (B, 2, G)
    box = inside[:, 1, :, None] & inside[:, 0, None, :]
    box = box | ~last.any(1)[..., None]
    return points * box


class Mlp(nn.Module):
    """Linear layers with ReLU between, as SAM's heads."""

    def __init__(self, inputs: int, hidden: int, outputs: int) -> None:
        super().__init__()
        widths = (inputs, hidden, hidden, outputs)
        self.layers = nn.ModuleList(
            nn.Linear(widths[i], widths[i + 1]) for i in range(3)
        )

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers[:-1]:
            x = F.relu(layer(x))
        out: Tensor = self.layers[-1](x)
        return out


class MaskDecoder(nn.Module):
    """Tokens and features to 4 mask logits and their predicted IoU."""

    def __init__(self, config: ZimConfig) -> None:
        super().__init__()
        dim, hidden = config.embed_dim, config.head_dim
        self.transformer = TwoWayTransformer(config)
        self.iou_token = nn.Embedding(1, dim)
        self.mask_tokens = nn.Embedding(NUM_MASK_TOKENS, dim)
        if config.pixel_decoder != "hierarchical":
            self.output_upscaling = nn.Sequential(
                nn.ConvTranspose2d(dim, dim // 4, 2, 2),
                LayerNorm2d(dim // 4),
                nn.GELU(),
                nn.ConvTranspose2d(dim // 4, dim // 8, 2, 2),
                nn.GELU(),
            )
        else:
            self.pixel_decoder = HierarchicalPixelDecoder(config)
        self.hierarchical = config.pixel_decoder == "hierarchical"
        self.output_hypernetworks_mlps = nn.ModuleList(
            Mlp(dim, hidden, config.mask_channels) for _ in range(NUM_MASK_TOKENS)
        )
        self.iou_prediction_head = Mlp(dim, hidden, NUM_MASK_TOKENS)

    def forward(
        self,
        image: Tensor,
        image_pe: Tensor,
        prompt_tokens: Tensor,
        present: Tensor | None,
        mask: Tensor,
        details: list[Tensor] | list[ImageTerm],
        known: ImageProjections | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Predict mask logits (B, 4, h, w) and IoU (B, 4).

        Args:
            image: embeddings plus dense prompt, (B, C, G, G).
            image_pe: (1, C, G, G).
            prompt_tokens: (B, N, C).
            present: (B, N) bool or None.
            mask: attention mask (B, G, G).
            details: D0, D1, D2 at strides 2, 4, 8, or their image terms.
            known: the transformer's projections of this image.
        """
        tokens, image = self.attend(
            image, image_pe, prompt_tokens, present, mask, known
        )
        logits = self.predict_masks(tokens, image, details)
        return logits, self.predict_iou(tokens)

    def attend(
        self,
        image: Tensor,
        image_pe: Tensor,
        prompt_tokens: Tensor,
        present: Tensor | None,
        mask: Tensor,
        known: ImageProjections | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Tokens (B, T, C) and image (B, C, G, G) after the transformer."""
        own = self.own_tokens()
        own = own.expand(prompt_tokens.shape[0], -1, -1)  # len() is lost in a trace
        tokens = torch.cat([own, prompt_tokens], 1)
        if present is not None:
            present = torch.cat([present.new_ones(own.shape[:2]), present], 1)
        attended: tuple[Tensor, Tensor] = self.transformer(
            image, image_pe, tokens, mask, present, known
        )
        return attended

    def own_tokens(self) -> Tensor:
        """The tokens that do not depend on prompts: IoU's, and one for each mask."""
        return torch.cat([self.iou_token.weight, self.mask_tokens.weight])

    def predict_iou(self, tokens: Tensor) -> Tensor:
        """Predicted IoU (B, 4) from the tokens of :meth:`attend`."""
        iou: Tensor = self.iou_prediction_head(tokens[:, 0])
        return iou

    def predict_masks(
        self, tokens: Tensor, image: Tensor, details: list[Tensor] | list[ImageTerm]
    ) -> Tensor:
        """Mask logits (B, 4, h, w) from the result of :meth:`attend`."""
        return self.masks_from(tokens, self.upscale(image, details))

    def masks_from(self, tokens: Tensor, features: Tensor) -> Tensor:
        """Mask logits (B, 4, h, w) from tokens and features of pixels (B, c, h, w)."""
        kernels = torch.stack(
            [
                mlp(tokens[:, 1 + i])
                for i, mlp in enumerate(self.output_hypernetworks_mlps)
            ],
            1,
        )
        # A view of channels-last features, which are not copied.
        masks: Any = kernels @ features.flatten(2)  # torch does not type what follows
        logits: Tensor = masks.unflatten(-1, features.shape[-2:])
        return logits

    def upscale(self, image: Tensor, details: list[Tensor] | list[ImageTerm]) -> Tensor:
        """Features (B, c, h, w) of pixels from those of tokens, (B, C, G, G)."""
        out: Tensor = (
            self.pixel_decoder(image, details)
            if self.hierarchical
            else self.output_upscaling(image)
        )
        return out
