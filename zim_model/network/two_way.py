"""SAM's two-way transformer, with ZIM's prompt-aware masked attention.

Attribute names are those of SAM's published checkpoints.  Shapes: B prompts sets, T
tokens, G image tokens per side, C embed_dim.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zim_model.network.config import MaskedAttention, ZimConfig
from zim_model.network.encoder import MlpBlock

MASKED_LOGIT = -1e4
"""Attention logit of an excluded position; finite in half precision."""


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
            out = logits.softmax(-1).to(v.dtype) @ v
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
            mask: (B, G, G) in [0, 1], see
                :func:`~zim_model.network.decoder.attention_mask`.
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
