"""From prompts and image features to mattes: prompt encoder, transformer, decoders.

Attribute names are those of SAM's published checkpoints.  Shapes: B prompts sets,
N prompt tokens, T = 5 + N tokens, G = S / 16 image tokens per side, C embed_dim.
Coordinates are input pixels, x right and y down.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zim_model.network.config import (
    NUM_MASK_TOKENS,
    STRIDE,
    MaskedAttention,
    ZimConfig,
)
from zim_model.network.encoder import LayerNorm2d, MlpBlock
from zim_model.network.pixel_decoder import (
    HierarchicalPixelDecoder,
    ImageTerm,
)

ABSENT, PADDING, NEGATIVE, POSITIVE, TOP_LEFT, BOTTOM_RIGHT = -2, -1, 0, 1, 2, 3
"""Token labels.  All but ABSENT are SAM's; ABSENT pads a batch of unequal lengths and
is excluded from attention.  PADDING is SAM's "not a point", one of which replaces the
box whenever there is none."""

MASKED_LOGIT = -1e4
"""Attention logit of an excluded position; finite in half precision."""


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


class Attention(nn.Module):
    """Multi-head attention with an inner width that may be smaller (SAM)."""

    def __init__(self, dim: int, heads: int, downsample: int = 1) -> None:
        super().__init__()
        self.heads = heads
        self.excludes = True
        inner = dim // downsample
        self.q_proj = nn.Linear(dim, inner)
        self.k_proj = nn.Linear(dim, inner)
        self.v_proj = nn.Linear(dim, inner)
        self.out_proj = nn.Linear(inner, dim)

    def forward(
        self,
        q: Tensor,
        k: Tensor,
        v: Tensor,
        scale: Tensor | None = None,
        present: Tensor | None = None,
    ) -> Tensor:
        """(B, Q, C), (B, K, C), (B, K, C) to (B, Q, C).

        Args:
            scale: broadcastable to (B, Q, K), in [0, 1]; multiplies the logits, and
                where it is 0 a position is excluded (paper, eq. 4 and 5), unless
                ``excludes`` is false.
            present: (B, K) bool; keys to attend to.
        """
        return self.attend(
            self.q_proj(q), self.k_proj(k), self.v_proj(v), scale, present
        )

    def attend(
        self,
        q: Tensor,
        k: Tensor,
        v: Tensor,
        scale: Tensor | None = None,
        present: Tensor | None = None,
    ) -> Tensor:
        """Attention on projected queries, keys and values, (B, ..., inner width)."""
        q, k, v = (
            x.reshape(*x.shape[:2], self.heads, -1).transpose(1, 2) for x in (q, k, v)
        )
        # torch's own backward pass is slow on a CPU for the few tokens of a decoder.
        slow = q.device.type == "cpu" and torch.is_grad_enabled()
        if scale is None and not slow:
            mask = None if present is None else present[:, None, None, :]
            out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        else:
            logits = q @ k.transpose(-1, -2) * (q.shape[-1] ** -0.5)
            if scale is not None:
                scale = scale[:, None]
                logits = logits * scale
                if self.excludes:  # where the product is 0
                    logits = logits + (scale == 0) * MASKED_LOGIT
            if present is not None:
                logits = logits.masked_fill(~present[:, None, None, :], -torch.inf)
            out = logits.softmax(-1) @ v
        projected: Tensor = self.out_proj(out.transpose(1, 2).flatten(-2))
        return projected


class ImageProjections(NamedTuple):
    """The first two-way block's projections of the image alone, (V, G*G, C / 2) each.

    Attributes:
        keys, values: for the tokens' queries.
        queries: of the image, for the tokens' keys.
    """

    keys: Tensor
    values: Tensor
    queries: Tensor


class TwoWayAttentionBlock(nn.Module):
    """Tokens attend to themselves, to the image, and the image attends back."""

    def __init__(self, config: ZimConfig, first: bool) -> None:
        super().__init__()
        dim, heads = config.embed_dim, config.transformer_heads
        self.first = first
        self.self_attn = Attention(dim, heads)
        self.norm1 = nn.LayerNorm(dim)
        self.cross_attn_token_to_image = Attention(dim, heads, downsample=2)
        self.norm2 = nn.LayerNorm(dim)
        self.mlp = MlpBlock(dim, config.transformer_mlp, nn.ReLU())
        self.norm3 = nn.LayerNorm(dim)
        self.norm4 = nn.LayerNorm(dim)
        self.cross_attn_image_to_token = Attention(dim, heads, downsample=2)

    def forward(
        self,
        tokens: Tensor,
        image: Tensor,
        token_pe: Tensor,
        image_pe: Tensor,
        present: Tensor | None,
        t2i: Tensor | None,
        i2t: Tensor | None,
        known: ImageProjections | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Tokens (B, T, C) and image (B, G*G, C) to the same."""
        if known is None:
            known = self.projections(image, image_pe)
        if self.first:
            tokens = self.self_attn(tokens, tokens, tokens, present=present)
        else:
            q = tokens + token_pe
            tokens = tokens + self.self_attn(q, q, tokens, present=present)
        tokens = self.norm1(tokens)
        t2i_attn = self.cross_attn_token_to_image
        q = t2i_attn.q_proj(tokens + token_pe)
        tokens = tokens + t2i_attn.attend(q, known.keys, known.values, t2i)
        tokens = self.norm2(tokens)
        tokens = self.norm3(tokens + self.mlp(tokens))
        i2t_attn = self.cross_attn_image_to_token
        k, v = i2t_attn.k_proj(tokens + token_pe), i2t_attn.v_proj(tokens)
        image = image + i2t_attn.attend(known.queries, k, v, i2t, present)
        return tokens, self.norm4(image)

    def projections(self, image: Tensor, image_pe: Tensor) -> ImageProjections:
        """Projections of the image (B, G*G, C) for both cross-attentions."""
        placed = image + image_pe
        return ImageProjections(
            self.cross_attn_token_to_image.k_proj(placed),
            self.cross_attn_token_to_image.v_proj(image),
            self.cross_attn_image_to_token.q_proj(placed),
        )


class TwoWayTransformer(nn.Module):
    """SAM's two-way transformer with ZIM's prompt-aware masked attention."""

    def __init__(self, config: ZimConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            TwoWayAttentionBlock(config, first=i == 0)
            for i in range(config.transformer_depth)
        )
        self.final_attn_token_to_image = Attention(
            config.embed_dim, config.transformer_heads, downsample=2
        )
        self.norm_final_attn = nn.LayerNorm(config.embed_dim)
        self.set_options(config)

    def set_options(self, config: ZimConfig) -> None:
        """Set options that have no weights: heads, and how the mask acts."""
        self.masked: MaskedAttention = config.masked_attention
        self.mask_final = config.mask_final
        for module in self.modules():
            if isinstance(module, Attention):
                module.heads = config.transformer_heads
                module.excludes = config.mask_zero == "exclude"

    def forward(
        self,
        image: Tensor,
        image_pe: Tensor,
        tokens: Tensor,
        mask: Tensor,
        present: Tensor | None,
        known: ImageProjections | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Transform image and tokens with attention in both directions.

        Args:
            image: (B, C, G, G), dense prompt added.
            image_pe: (1, C, G, G).
            tokens: (B, T, C); also their own positional encoding.
            mask: (B, G, G) in [0, 1], see :func:`attention_mask`.
            present: (B, T) bool, or None when all tokens are.
            known: result of :meth:`projections` for this image.

        Returns:
            Tokens (B, T, C) and image (B, C, G, G).
        """
        b, c, g, _ = image.shape
        flat, pe = _flat(image), _flat(image_pe)
        over_image = mask.flatten(1)
        t2i = over_image[:, None, :] if self.masked in ("t2i", "both") else None
        # A row of equal logits: an excluded image token hears all tokens alike.
        i2t = over_image[:, :, None] if self.masked in ("i2t", "both") else None
        out = tokens
        for layer in self.layers:
            out, flat = layer(out, flat, tokens, pe, present, t2i, i2t, known)
            known = None
        q, k = out + tokens, flat + pe
        last = t2i if self.mask_final else None
        out = out + self.final_attn_token_to_image(q, k, flat, scale=last)
        out = self.norm_final_attn(out)
        return out, flat.transpose(1, 2).reshape(b, c, g, g)

    def projections(self, image: Tensor, image_pe: Tensor) -> ImageProjections:
        """The prompt-independent part of the first layer, of (V, C, G, G)."""
        first = self.layers[0]
        assert isinstance(first, TwoWayAttentionBlock)
        return first.projections(_flat(image), _flat(image_pe))


def _flat(image: Tensor) -> Tensor:
    """(B, C, G, G) to tokens (B, G*G, C)."""
    return image.flatten(2).transpose(1, 2)


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
        if config.pixel_decoder == "sam":
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
        own = torch.cat([self.iou_token.weight, self.mask_tokens.weight])
        own = own.expand(prompt_tokens.shape[0], -1, -1)  # len() is lost in a trace
        tokens = torch.cat([own, prompt_tokens], 1)
        if present is not None:
            present = torch.cat([present.new_ones(own.shape[:2]), present], 1)
        attended: tuple[Tensor, Tensor] = self.transformer(
            image, image_pe, tokens, mask, present, known
        )
        return attended

    def predict_iou(self, tokens: Tensor) -> Tensor:
        """Predicted IoU (B, 4) from the tokens of :meth:`attend`."""
        iou: Tensor = self.iou_prediction_head(tokens[:, 0])
        return iou

    def predict_masks(
        self, tokens: Tensor, image: Tensor, details: list[Tensor] | list[ImageTerm]
    ) -> Tensor:
        """Mask logits (B, 4, h, w) from the result of :meth:`attend`."""
        if self.hierarchical:
            features = self.pixel_decoder(image, details)
        else:
            features = self.output_upscaling(image)
        kernels = torch.stack(
            [
                mlp(tokens[:, 1 + i])
                for i, mlp in enumerate(self.output_hypernetworks_mlps)
            ],
            1,
        )
        # A view of channels-last features, which are not copied.
        masks: Tensor = (kernels @ features.flatten(2)).unflatten(
            -1, features.shape[-2:]
        )
        return masks
