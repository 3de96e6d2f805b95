"""Hiera, SAM 2's image encoder (Ryali et al. 2023, Ravi et al. 2024).

A ViT whose tokens are merged 2 x 2 from stage to stage, at strides 4, 8, 16 and 32,
with attention in windows but for a few blocks, and a neck that brings all stages to
one width.  Attribute names are those of SAM 2's published checkpoints, but for the
MLPs'.
Shapes: B batch, D channels of a stage, C embed_dim, S input side.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from zim_model.network.encoder import MlpBlock, from_windows, to_windows
from zim_model.network.encoder_configs import HieraConfig

MLP_RATIO = 4
EPS = 1e-6
"""Of the layer normalisations."""


def merge_tokens(x: Tensor) -> Tensor:
    """The largest of each 2 x 2 tokens, (B, H, W, D) to (B, H/2, W/2, D)."""
    b, h, w, d = x.shape
    return x.reshape(b, h // 2, 2, w // 2, 2, d).amax((2, 4))


class HieraAttention(nn.Module):
    """Multi-head self-attention, (B, H, W, D) to (B, H', W', D').

    Args:
        merges: whether queries are merged 2 x 2, so that H' = H / 2.
    """

    def __init__(self, dim: int, out: int, heads: int, *, merges: bool) -> None:
        super().__init__()
        self.heads, self.merges = heads, merges
        self.qkv = nn.Linear(dim, 3 * out)
        self.proj = nn.Linear(out, out)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(x).chunk(3, -1)
        if self.merges:
            q = merge_tokens(q)
        b, h, w, dim = q.shape
        q, k, v = (
            each.reshape(b, -1, self.heads, dim // self.heads).transpose(1, 2)
            for each in (q, k, v)
        )
        out = F.scaled_dot_product_attention(q, k, v)
        projected: Tensor = self.proj(out.transpose(1, 2).reshape(b, h, w, dim))
        return projected


class HieraBlock(nn.Module):
    """Pre-norm transformer block, (B, H, W, D) to (B, H', W', D').

    Args:
        window: side of the attention's windows; 0 attends globally.
    """

    def __init__(self, dim: int, out: int, heads: int, window: int) -> None:
        super().__init__()
        self.window, self.merges = window, dim != out
        self.norm1 = nn.LayerNorm(dim, eps=EPS)
        self.attn = HieraAttention(dim, out, heads, merges=self.merges)
        self.norm2 = nn.LayerNorm(out, eps=EPS)
        self.mlp = MlpBlock(out, MLP_RATIO * out, nn.GELU())
        if self.merges:
            self.proj = nn.Linear(dim, out)

    def forward(self, x: Tensor) -> Tensor:
        normed = self.norm1(x)
        if self.merges:
            x = merge_tokens(self.proj(normed))
        if self.window:
            attended = self.attn(to_windows(normed, self.window))
            side = attended.shape[1]
            attended = from_windows(attended, side, x.shape[1:3])
        else:
            attended = self.attn(normed)
        x = x + attended
        out: Tensor = x + self.mlp(self.norm2(x))
        return out


class PatchEmbed(nn.Module):
    """Pixels (B, 3, S, S) to overlapping patches (B, S/4, S/4, D)."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, dim, 7, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        patches: Tensor = self.proj(x)
        return patches.permute(0, 2, 3, 1)


class Trunk(nn.Module):
    """Pixels (B, 3, S, S) to features (B, D, h, w) at strides 4, 8, 16 and 32.

    Attributes:
        recompute: as :class:`~zim_model.network.encoder.VitEncoder`'s.
    """

    def __init__(self, config: HieraConfig) -> None:
        super().__init__()
        self.recompute = False
        dim, window = config.dim, config.windows[0]
        self.patch_embed = PatchEmbed(dim)
        coarse = config.background
        self.pos_embed = nn.Parameter(torch.zeros(1, dim, coarse, coarse))
        self.pos_embed_window = nn.Parameter(torch.zeros(1, dim, window, window))
        self.blocks = nn.ModuleList(_blocks(config))
        self.ends = [sum(config.depths[: i + 1]) - 1 for i in range(4)]

    def forward(self, image: Tensor) -> list[Tensor]:
        x = self.patch_embed(image)
        x = x + self._positions(x.shape[1])
        stages = []
        for i, block in enumerate(self.blocks):
            if self.recompute and x.requires_grad:
                x = checkpoint(block, x, use_reentrant=False)
            else:
                x = block(x)
            if i in self.ends:
                stages.append(x.permute(0, 3, 1, 2))
        return stages

    def _positions(self, side: int) -> Tensor:
        """A coarse map over the input plus one that repeats, (1, side, side, D)."""
        coarse = F.interpolate(self.pos_embed, size=(side, side), mode="bicubic")
        count = side // self.pos_embed_window.shape[-1]
        places = coarse + self.pos_embed_window.tile(1, 1, count, count)
        return places.permute(0, 2, 3, 1)


def _blocks(config: HieraConfig) -> list[HieraBlock]:
    blocks: list[HieraBlock] = []
    width, heads, last_window = config.dim, config.heads, config.windows[0]
    for stage, (depth, window) in enumerate(
        zip(config.depths, config.windows, strict=True)
    ):
        out, heads = config.dim << stage, config.heads << stage
        for _ in range(depth):
            # The first block of a stage has the windows of the one before, merged.
            side = 0 if len(blocks) in config.global_blocks else last_window
            blocks.append(HieraBlock(width, out, heads, side))
            width, last_window = out, window
    return blocks


class Lateral(nn.Module):
    """A 1 x 1 convolution."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv(x)
        return out


class Neck(nn.Module):
    """Features of four stages to width C; stride 16 gets those of stride 32, too.

    Args:
        widths: channels at strides 4, 8, 16 and 32.
    """

    def __init__(self, widths: Sequence[int], embed_dim: int) -> None:
        super().__init__()
        # From the coarsest to the finest, as SAM 2's checkpoints have them.
        self.convs = nn.ModuleList(Lateral(width, embed_dim) for width in widths[::-1])

    def forward(self, stages: list[Tensor]) -> list[Tensor]:
        """Features (B, C, h, w) at strides 4, 8 and 16."""
        coarsest, *finer = (
            conv(stage) for conv, stage in zip(self.convs, stages[::-1], strict=True)
        )
        s16, s8, s4 = finer
        return [s4, s8, s16 + F.interpolate(coarsest, scale_factor=2, mode="nearest")]


class HieraEncoder(nn.Module):
    """SAM 2's image encoder: (B, 3, S, S) to image embeddings (B, C, G, G).

    Attributes:
        img_size: side S of the input, by SAM's name for it.
    """

    def __init__(self, config: HieraConfig, image_size: int, embed_dim: int) -> None:
        super().__init__()
        self.img_size = image_size
        self.trunk = Trunk(config)
        self.neck = Neck([config.dim << stage for stage in range(4)], embed_dim)

    def pyramid(self, image: Tensor) -> list[Tensor]:
        """Features (B, C, h, w) at strides 4, 8 and 16."""
        levels: list[Tensor] = self.neck(self.trunk(image))
        return levels

    def forward(self, image: Tensor) -> Tensor:
        return self.pyramid(image)[-1]
