"""TinyViT, MobileSAM's image encoder (Wu et al. 2022, Zhang et al. 2023).

A convolutional stem and stage, then three stages of attention in windows with a
learned bias by distance.  The last stage keeps stride 16, other than in TinyViT itself.
Attribute names are those of MobileSAM's published checkpoint.  Shapes: B batch, S input
side, D channels of a stage, C embed_dim, G = S / 16.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zim_model.network.convolution import Conv2d
from zim_model.network.encoder import from_windows, sam_neck, to_windows
from zim_model.network.encoder_configs import TinyVitConfig

STRIDES = (2, 2, 1)
"""Of the steps from each stage to the next."""


class ConvNorm(nn.Module):
    """A convolution without bias and a batch norm."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
    ) -> None:
        super().__init__()
        self.c = Conv2d(
            inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False
        )
        self.bn = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            normalised: Tensor = self.bn(self.c(x))
            return normalised
        # One convolution in place of two passes over the features.
        norm, conv = self.bn, self.c
        assert norm.running_mean is not None
        assert norm.running_var is not None
        scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
        weight = conv.weight * scale[:, None, None, None]
        bias = norm.bias - norm.running_mean * scale
        padding = conv.kernel_size[0] // 2
        return F.conv2d(x, weight, bias, conv.stride, padding, 1, conv.groups)


class ConvBlock(nn.Module):
    """An inverted-residual block with GELU, (B, D, H, W)."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.conv1 = ConvNorm(dim, hidden)
        self.conv2 = ConvNorm(hidden, hidden, 3, groups=hidden)
        self.conv3 = ConvNorm(hidden, dim)

    def forward(self, x: Tensor) -> Tensor:
        inner = F.gelu(self.conv2(F.gelu(self.conv1(x))))
        return F.gelu(x + self.conv3(inner))


class Downsample(nn.Module):
    """From a stage's channels and stride to the next one's, (B, D, H, W)."""

    def __init__(self, dim: int, out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = ConvNorm(dim, out)
        self.conv2 = ConvNorm(out, out, 3, stride, groups=out)
        self.conv3 = ConvNorm(out, out)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv3(F.gelu(self.conv2(F.gelu(self.conv1(x)))))
        return out


class WindowAttention(nn.Module):
    """Self-attention of normalised tokens with a bias by distance, (N, side, side, D).

    The logit of a query and a key gets a number that is learned for each head and for
    each distance, of rows and of columns.
    """

    attention_bias_idxs: Tensor

    def __init__(self, dim: int, heads: int, side: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(dim)
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)
        self.attention_biases = nn.Parameter(torch.zeros(heads, side * side))
        # The published order: distances from the window's first token, row by row.
        places = torch.arange(side)
        apart = (places[:, None] - places).abs()  # (side, side), of one axis
        index = apart[:, None, :, None] * side + apart[None, :, None, :]
        index = index.reshape(side * side, side * side)
        self.register_buffer("attention_bias_idxs", index, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        count, side, _, dim = x.shape
        tokens = self.norm(x.reshape(count, side * side, dim))
        qkv = self.qkv(tokens).reshape(count, side * side, self.heads, -1)
        q, k, v = qkv.transpose(1, 2).chunk(3, -1)  # each (N, heads, side^2, d)
        bias = self.attention_biases[:, self.attention_bias_idxs]
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=bias.to(q.dtype))
        projected: Tensor = self.proj(out.transpose(1, 2).reshape(x.shape))
        return projected


class NormMlp(nn.Module):
    """Layer normalisation and two linear layers with GELU between."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.fc1 = nn.Linear(dim, hidden)
        self.fc2 = nn.Linear(hidden, dim)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.fc2(F.gelu(self.fc1(self.norm(x))))
        return out


class AttentionBlock(nn.Module):
    """Attention in windows, a depthwise convolution and an MLP, (B, D, H, W)."""

    def __init__(self, dim: int, heads: int, window: int, mlp_ratio: float) -> None:
        super().__init__()
        self.window = window
        self.attn = WindowAttention(dim, heads, window)
        self.local_conv = ConvNorm(dim, dim, 3, groups=dim)
        self.mlp = NormMlp(dim, int(dim * mlp_ratio))

    def forward(self, x: Tensor) -> Tensor:
        tokens = x.permute(0, 2, 3, 1)
        # Padded tokens take part, as published.
        attended = self.attn(to_windows(tokens, self.window))
        tokens = tokens + from_windows(attended, self.window, tokens.shape[1:3])
        tokens = self.local_conv(tokens.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        out: Tensor = tokens + self.mlp(tokens)
        return out.permute(0, 3, 1, 2)


class Stage(nn.Module):
    """Blocks of equal width, and the step to the next stage, if there is one."""

    def __init__(self, blocks: list[nn.Module], downsample: Downsample | None) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x)
        if self.downsample is not None:
            x = self.downsample(x)
        return x


class PatchEmbed(nn.Module):
    """Pixels (B, 3, S, S) to features (B, D, S/4, S/4)."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.seq = nn.Sequential(
            ConvNorm(3, dim // 2, 3, 2), nn.GELU(), ConvNorm(dim // 2, dim, 3, 2)
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.seq(x)
        return out


class TinyVitEncoder(nn.Module):
    """MobileSAM's image encoder: (B, 3, S, S) to image embeddings (B, C, G, G).

    Attributes:
        img_size: side S of the input, by SAM's name for it.
    """

    def __init__(self, config: TinyVitConfig, image_size: int, embed_dim: int) -> None:
        super().__init__()
        self.img_size = image_size
        self.patch_embed = PatchEmbed(config.dims[0])
        self.layers = nn.ModuleList(
            Stage(
                [_block(config, stage) for _ in range(depth)],
                Downsample(config.dims[stage], config.dims[stage + 1], STRIDES[stage])
                if stage < len(STRIDES)
                else None,
            )
            for stage, depth in enumerate(config.depths)
        )
        self.neck = sam_neck(config.dims[-1], embed_dim)

    def forward(self, image: Tensor) -> Tensor:
        return self.with_early(image)[0]

    def with_early(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Embeddings, and features (B, D, G, G) as the third stage gets them."""
        first, second, *others = self.layers
        early: Tensor = second(first(self.patch_embed(image)))
        x = early
        for stage in others:
            x = stage(x)
        return self.neck(x), early


def _block(config: TinyVitConfig, stage: int) -> nn.Module:
    dim = config.dims[stage]
    if stage == 0:
        return ConvBlock(dim, int(dim * config.mlp_ratio))
    heads, window = config.heads[stage - 1], config.windows[stage - 1]
    return AttentionBlock(dim, heads, window, config.mlp_ratio)
