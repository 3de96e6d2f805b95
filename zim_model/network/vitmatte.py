"""ViTMatte: alpha from an image and a trimap.

Yao et al., "ViTMatte: Boosting Image Matting with Pretrained Plain Vision
Transformers", 2023: a ViT with windowed and a few global attention blocks (ViTDet, as
SAM's) sees image and trimap together; its features are enlarged step by step, each time
with details of the input.

Shapes: B batch, H and W multiples of 32, C dim.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zim_model.network.config import VitConfig
from zim_model.network.encoder import (
    ConvBnRelu,
    DetailStream,
    LayerNorm2d,
    PatchEmbed,
    VitBlock,
)

CHANNELS = 4
"""Of the input: red, green, blue and the trimap."""
MULTIPLE = 32
"""The input's sides are multiples of it."""
HEAD_CHANNELS = 16


@dataclass(frozen=True, slots=True)
class VitMatteConfig:
    """Everything that decides the shapes of the tensors.

    Attributes:
        encoder: its global blocks are followed by a convolutional one.
        grid: tokens per side for which relative positions of global attention are
            stored; others are interpolated.
        position_grid: the same for absolute positions.
        detail_channels: of the input's details at strides 2, 4 and 8.
        fusion_channels: after the fusion with details of strides 8, 4, 2 and 1.
    """

    name: str
    encoder: VitConfig
    grid: int = 32
    position_grid: int = 14
    detail_channels: tuple[int, int, int] = (48, 96, 192)
    fusion_channels: tuple[int, int, int, int] = (256, 128, 64, 32)


VITMATTE_SMALL = VitMatteConfig("vitmatte-small", VitConfig(384, 12, 6, (2, 5, 8, 11)))
VITMATTE_BASE = VitMatteConfig("vitmatte-base", VitConfig(768, 12, 12, (2, 5, 8, 11)))
"""The published architectures."""


class Bottleneck(nn.Module):
    """Convolutions of 1, 3 and 1 pixels with a residual, (B, C, H, W) to the same."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        inner = dim // 2
        self.conv1 = nn.Conv2d(dim, inner, 1, bias=False)
        self.norm1 = LayerNorm2d(inner)
        self.conv2 = nn.Conv2d(inner, inner, 3, padding=1, bias=False)
        self.norm2 = LayerNorm2d(inner)
        self.conv3 = nn.Conv2d(inner, dim, 1, bias=False)
        self.norm3 = LayerNorm2d(dim)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = F.gelu(self.norm1(self.conv1(x)))
        out = F.gelu(self.norm2(self.conv2(out)))
        out = self.norm3(self.conv3(out))
        return x + out


class BottleneckBlock(VitBlock):
    """A global transformer block with a :class:`Bottleneck` behind, (B, H, W, C)."""

    def __init__(self, config: VitConfig, grid: int) -> None:
        super().__init__(config, 0, grid)
        self.residual = Bottleneck(config.dim)

    def forward(self, x: Tensor) -> Tensor:
        out = self.residual(super().forward(x).permute(0, 3, 1, 2))
        return torch.permute(out, (0, 2, 3, 1))


class VitMatte(nn.Module):
    """Alpha of an image with a trimap."""

    def __init__(self, config: VitMatteConfig) -> None:
        super().__init__()
        self.config = config
        vit, grid = config.encoder, config.position_grid
        self.patch_embed = PatchEmbed(vit.dim, CHANNELS)
        # The first position is that of a class token, which is not used.
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + grid * grid, vit.dim))
        self.blocks = nn.ModuleList(
            BottleneckBlock(vit, config.grid)
            if i in vit.global_blocks
            else VitBlock(vit, vit.window, config.grid)
            for i in range(vit.depth)
        )
        self.details = DetailStream(config.detail_channels, CHANNELS)
        skips = (*reversed(config.detail_channels), CHANNELS)
        inputs = (vit.dim, *config.fusion_channels[:-1])
        self.fusions = nn.ModuleList(
            ConvBnRelu(skip + width, out)
            for skip, width, out in zip(
                skips, inputs, config.fusion_channels, strict=True
            )
        )
        self.head = nn.Sequential(
            nn.Conv2d(config.fusion_channels[-1], HEAD_CHANNELS, 3, padding=1),
            nn.BatchNorm2d(HEAD_CHANNELS),
            nn.ReLU(inplace=True),
            nn.Conv2d(HEAD_CHANNELS, 1, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Logits of alpha, (B, 1, H, W).

        Args:
            x: (B, 4, H, W): red, green and blue in [-1, 1]; and the trimap, 0 on the
                background, 1 on the foreground, about 0.5 where alpha is unknown.
        """
        features = self._encode(x)
        skips = [x, *self.details(x)]
        for fusion in self.fusions:
            # The enlarged features are the largest tensors: none outlives its use.
            enlarged = F.interpolate(features, scale_factor=2, mode="bilinear")
            features = torch.cat([skips.pop(), enlarged], 1)
            del enlarged
            features = fusion(features)
        logits: Tensor = self.head(features)
        return logits

    def _encode(self, x: Tensor) -> Tensor:
        """Features (B, C, H / 16, W / 16)."""
        patches = self.patch_embed(x)
        tokens: Tensor = patches + self._positions(patches.shape[1], patches.shape[2])
        for block in self.blocks:
            tokens = block(tokens)
        return tokens.permute(0, 3, 1, 2)

    def _positions(self, rows: int, columns: int) -> Tensor:
        """Absolute positions (1, rows, columns, C)."""
        grid = self.config.position_grid
        table = self.pos_embed[:, 1:].reshape(1, grid, grid, -1)
        if (rows, columns) == (grid, grid):
            return table
        resized = F.interpolate(
            table.permute(0, 3, 1, 2), size=(rows, columns), mode="bicubic"
        )
        return resized.permute(0, 2, 3, 1)
