"""From prompts and image features to mattes: prompt encoder, transformer, decoders.

Attribute names are those of SAM's published checkpoints.  Shapes: B prompts sets,
N prompt tokens, T = 5 + N tokens, G = S / 16 image tokens per side, C embed_dim.
Coordinates are input pixels, x right and y down.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zim_model.config import (
    NUM_MASK_TOKENS,
    STRIDE,
    MaskedAttention,
    ZimConfig,
)
from zim_model.encoder import ConvBnRelu, LayerNorm2d, MlpBlock, ResidualBlock
from zim_model.regions import REGION_CUES

ABSENT, PADDING, NEGATIVE, POSITIVE, TOP_LEFT, BOTTOM_RIGHT = -2, -1, 0, 1, 2, 3
"""Token labels.  SAM knows all but ABSENT, which only fills a batch of unequal lengths
and takes no part in attention; PADDING is SAM's "not a point", one of which stands in
for the box whenever there is none."""

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


class CueEncoder(nn.Module):
    """Dense cue maps and detail features to prompt features at strides 2, 4, 8, 16.

    Clicks, box and colour models drawn as maps are much easier to learn from than
    tokens; they meet the image at every level instead of once.
    """

    def __init__(self, config: ZimConfig) -> None:
        super().__init__()
        dim, details = config.embed_dim, config.decoder_details
        a, b, c = config.cue_widths
        maps = config.cue_channels
        if config.region_channels is not None:
            maps += len(REGION_CUES) + 1  # and an earlier answer
        self.first = ConvBnRelu(maps + details[0], a)
        self.down = nn.ModuleList(
            [ConvBnRelu(a, b, 2), ConvBnRelu(b, c, 2), ConvBnRelu(c, dim, 2)]
        )
        self.mix = nn.ModuleList(
            [
                ConvBnRelu(b + details[1], b),
                ConvBnRelu(c + details[2], c),
                ConvBnRelu(2 * dim, dim),
            ]
        )
        self.last = nn.Sequential(ResidualBlock(dim), ResidualBlock(dim))

    def forward(
        self, cues: Tensor, details: list[Tensor], embeddings: Tensor
    ) -> tuple[list[Tensor], Tensor]:
        """Cues (B, K, S/2, S/2) to features at strides 2, 4, 8, dense (B, C, G, G)."""
        x = self.first(torch.cat([cues, details[0]], 1))
        levels = [x]
        for down, mix, beside in zip(
            self.down, self.mix, [*details[1:], embeddings], strict=True
        ):
            x = mix(torch.cat([down(x), beside], 1))
            levels.append(x)
        return levels[:3], self.last(x)


class PromptEncoder(nn.Module):
    """Points, box, mask and cues to tokens (B, N, C) and a dense (B, C, G, G)."""

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
        self.cue_encoder = CueEncoder(config) if config.cue_channels else None

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

    A box is 1 in the cells that it touches and 0 outside.  Every point, positive or
    negative, is a Gaussian around its cell; they combine by maximum.  Points and a box
    together multiply.  With neither the mask is 1.

    Args:
        coords: (B, N, 2) in input pixels.
        labels: (B, N); PADDING and ABSENT are ignored.
        grid: image tokens per side G.
        sigma_fraction: standard deviation as a fraction of the grid.
    """
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
    low = (cell * first).sum(1).clamp(0, grid - 1)  # (B, 2)
    high = (cell * last).sum(1).clamp(0, grid - 1)
    inside = (cells >= low[..., None]) & (cells <= high[..., None])  # (B, 2, G)
    box = inside[:, 1, :, None] & inside[:, 0, None, :]
    box = box | ~last.any(1)[..., None]
    return points * box


class Attention(nn.Module):
    """Multi-head attention with an inner width that may be smaller (SAM)."""

    def __init__(self, dim: int, heads: int, downsample: int = 1) -> None:
        super().__init__()
        self.heads = heads
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
                where it is 0 a position is excluded (paper, eq. 4 and 5).
            present: (B, K) bool; keys to attend to.
        """
        q, k, v = (
            proj(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for proj, x in ((self.q_proj, q), (self.k_proj, k), (self.v_proj, v))
        )
        if scale is None:
            mask = None if present is None else present[:, None, None, :]
            out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        else:
            logits = q @ k.transpose(-1, -2) * (q.shape[-1] ** -0.5)
            scale = scale[:, None]
            logits = (logits * scale).masked_fill(scale == 0, MASKED_LOGIT)
            if present is not None:
                logits = logits.masked_fill(~present[:, None, None, :], -torch.inf)
            out = logits.softmax(-1) @ v
        projected: Tensor = self.out_proj(out.transpose(1, 2).flatten(-2))
        return projected


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
    ) -> tuple[Tensor, Tensor]:
        """Tokens (B, T, C) and image (B, G*G, C) to the same."""
        if self.first:
            tokens = self.self_attn(tokens, tokens, tokens, present=present)
        else:
            q = tokens + token_pe
            tokens = tokens + self.self_attn(q, q, tokens, present=present)
        tokens = self.norm1(tokens)
        q, k = tokens + token_pe, image + image_pe
        tokens = tokens + self.cross_attn_token_to_image(q, k, image, scale=t2i)
        tokens = self.norm2(tokens)
        tokens = self.norm3(tokens + self.mlp(tokens))
        q = tokens + token_pe
        image = image + self.cross_attn_image_to_token(
            k, q, tokens, scale=i2t, present=present
        )
        return tokens, self.norm4(image)


class TwoWayTransformer(nn.Module):
    """SAM's two-way transformer with ZIM's prompt-aware masked attention."""

    def __init__(self, config: ZimConfig) -> None:
        super().__init__()
        self.masked: MaskedAttention = config.masked_attention
        self.layers = nn.ModuleList(
            TwoWayAttentionBlock(config, first=i == 0)
            for i in range(config.transformer_depth)
        )
        self.final_attn_token_to_image = Attention(
            config.embed_dim, config.transformer_heads, downsample=2
        )
        self.norm_final_attn = nn.LayerNorm(config.embed_dim)

    def forward(
        self,
        image: Tensor,
        image_pe: Tensor,
        tokens: Tensor,
        mask: Tensor,
        present: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        """Let image and tokens exchange what they know.

        Args:
            image: (B, C, G, G), dense prompt added.
            image_pe: (1, C, G, G).
            tokens: (B, T, C); also their own positional encoding.
            mask: (B, G, G) in [0, 1], see :func:`attention_mask`.
            present: (B, T) bool, or None when all tokens are.

        Returns:
            Tokens (B, T, C) and image (B, C, G, G).
        """
        b, c, g, _ = image.shape
        flat = image.flatten(2).transpose(1, 2)
        pe = image_pe.flatten(2).transpose(1, 2)
        over_image = mask.flatten(1)
        t2i = over_image[:, None, :] if self.masked in ("t2i", "both") else None
        # A row of equal logits: an excluded image token hears all tokens alike.
        i2t = over_image[:, :, None] if self.masked in ("i2t", "both") else None
        out = tokens
        for layer in self.layers:
            out, flat = layer(out, flat, tokens, pe, present, t2i, i2t)
        q, k = out + tokens, flat + pe
        out = out + self.final_attn_token_to_image(q, k, flat, scale=t2i)
        out = self.norm_final_attn(out)
        return out, flat.transpose(1, 2).reshape(b, c, g, g)


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


class HierarchicalPixelDecoder(nn.Module):
    """ZIM's pixel decoder: fuses details at strides 8, 4, 2 (paper, section 3.2)."""

    def __init__(self, config: ZimConfig) -> None:
        super().__init__()
        details = config.decoder_details[::-1]
        cues = config.cue_widths[::-1] if config.cue_channels else (0, 0, 0)
        below = (config.embed_dim, *config.fusion_channels[:2])
        self.fusions = nn.ModuleList(
            ConvBnRelu(details[i] + cues[i] + below[i], config.fusion_channels[i])
            for i in range(3)
        )

    def forward(
        self, image: Tensor, details: list[Tensor], cues: list[Tensor]
    ) -> Tensor:
        """Image tokens (B, C, G, G) to features (B, F, S/2, S/2)."""
        x = image
        for i, fusion in enumerate(self.fusions):
            beside = [maps[2 - i] for maps in (details, cues) if maps]
            up = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
            x = fusion(torch.cat([*beside, up], 1))
        return x


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
        details: list[Tensor],
        cues: list[Tensor],
    ) -> tuple[Tensor, Tensor]:
        """Predict mask logits (B, 4, h, w) and IoU (B, 4).

        Args:
            image: embeddings plus dense prompt, (B, C, G, G).
            image_pe: (1, C, G, G).
            prompt_tokens: (B, N, C).
            present: (B, N) bool or None.
            mask: attention mask (B, G, G).
            details: D0, D1, D2 at strides 2, 4, 8.
            cues: cue features at strides 2, 4, 8, or empty.
        """
        own = torch.cat([self.iou_token.weight, self.mask_tokens.weight])
        own = own.expand(prompt_tokens.shape[0], -1, -1)  # len() is lost in a trace
        tokens = torch.cat([own, prompt_tokens], 1)
        if present is not None:
            present = torch.cat([present.new_ones(own.shape[:2]), present], 1)
        tokens, image = self.transformer(image, image_pe, tokens, mask, present)
        if self.hierarchical:
            features = self.pixel_decoder(image, details, cues)
        else:
            features = self.output_upscaling(image)
        kernels = torch.stack(
            [
                mlp(tokens[:, 1 + i])
                for i, mlp in enumerate(self.output_hypernetworks_mlps)
            ],
            1,
        )
        logits = torch.einsum("bkc,bchw->bkhw", kernels, features)
        return logits, self.iou_prediction_head(tokens[:, 0])
