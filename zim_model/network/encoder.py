"""Image encoders: SAM's ViT and EfficientNet-Lite, and ZIM's detail stream.

Other encoders have modules of their own, see :mod:`zim_model.network.encoder_configs`.

Attribute names are those of SAM's published checkpoints, so that its weights load by
name.  Shapes: B batch, S input side, G = S / 16 tokens per side, C embed_dim.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from zim_model.network.attention import biased_attention
from zim_model.network.config import (
    PIXEL_MEAN,
    PIXEL_STD,
    STRIDE,
    LiteConfig,
    VitConfig,
    ZimConfig,
)
from zim_model.network.efficientnet_lite import EfficientNetLite, scaled_pixels


class LayerNorm2d(nn.Module):
    """Layer normalisation over the channels of (B, C, H, W)."""

    def __init__(self, channels: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        mean = x.mean(1, keepdim=True)
        variance = (x - mean).square().mean(1, keepdim=True)
        x = (x - mean) * torch.rsqrt(variance + self.eps)
        return x * self.weight[:, None, None] + self.bias[:, None, None]


class ConvBnRelu(nn.Sequential):
    """3 x 3 convolution without bias, batch norm, ReLU."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        )


class MlpBlock(nn.Module):
    """Two linear layers with an activation between (B, ..., dim)."""

    def __init__(self, dim: int, hidden: int, activation: nn.Module) -> None:
        super().__init__()
        self.lin1 = nn.Linear(dim, hidden)
        self.lin2 = nn.Linear(hidden, dim)
        self.act = activation

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.lin2(self.act(self.lin1(x)))
        return out


class VitAttention(nn.Module):
    """Multi-head self-attention with decomposed relative positions, on (B, H, W, D).

    The logit of query i and key j is ``q_i.k_j / sqrt(d) + q_i.Rh[yi-yj] +
    q_i.Rw[xi-xj]``, with q unscaled in the last two terms (SAM, MViTv2).
    """

    def __init__(self, dim: int, heads: int, size: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)
        self.rel_pos_h = nn.Parameter(torch.zeros(2 * size - 1, dim // heads))
        self.rel_pos_w = nn.Parameter(torch.zeros(2 * size - 1, dim // heads))

    def forward(self, x: Tensor) -> Tensor:
        b, h, w, dim = x.shape
        qkv = self.qkv(x).reshape(b, h * w, 3, self.heads, dim // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # each (B, heads, H*W, d)
        grid = q.reshape(b, self.heads, h, w, -1)
        # Bias of a query towards each key row and each key column.
        rows = torch.einsum(
            "bnhwd,hkd->bnhwk", grid, relative_positions(self.rel_pos_h, h)
        )
        columns = torch.einsum(
            "bnhwd,wkd->bnhwk", grid, relative_positions(self.rel_pos_w, w)
        )
        rows = rows.reshape(b, self.heads, h * w, h)
        columns = columns.reshape(b, self.heads, h * w, w)
        out = biased_attention(q, k, v, rows, columns)
        out = out.transpose(1, 2).reshape(b, h, w, dim)
        projected: Tensor = self.proj(out)
        return projected


def relative_positions(table: Tensor, size: int) -> Tensor:
    """Table (2n-1, d) looked up at query row - key row: (size, size, d)."""
    length = 2 * size - 1
    if len(table) != length:
        table = F.interpolate(table.T[None], size=length, mode="linear")[0].T
    index = torch.arange(size, device=table.device)
    return table[index[:, None] - index[None, :] + size - 1]


class VitBlock(nn.Module):
    """Pre-norm transformer block; ``window`` 0 attends globally.  (B, H, W, D)."""

    def __init__(self, config: VitConfig, window: int, grid: int) -> None:
        super().__init__()
        self.window = window
        self.norm1 = nn.LayerNorm(config.dim, eps=1e-6)
        self.attn = VitAttention(config.dim, config.heads, window or grid)
        self.norm2 = nn.LayerNorm(config.dim, eps=1e-6)
        hidden = int(config.dim * config.mlp_ratio)
        self.mlp = MlpBlock(config.dim, hidden, nn.GELU())

    def forward(self, x: Tensor) -> Tensor:
        attended = self.norm1(x)
        attended = (
            self._window_attention(attended) if self.window else self.attn(attended)
        )
        x = x + attended
        out: Tensor = x + self.mlp(self.norm2(x))
        return out

    def _window_attention(self, x: Tensor) -> Tensor:
        """Attention inside windows; padded tokens take part, as in SAM."""
        windows = to_windows(x, self.window)
        return from_windows(self.attn(windows), self.window, x.shape[1:3])


def to_windows(x: Tensor, side: int) -> Tensor:
    """Tokens (B, H, W, D) as square windows (N, side, side, D), padded with zeros."""
    b, h, w, d = x.shape
    x = F.pad(x, (0, 0, 0, -w % side, 0, -h % side))
    rows, columns = x.shape[1] // side, x.shape[2] // side
    x = x.reshape(b, rows, side, columns, side, d).transpose(2, 3)
    return x.reshape(-1, side, side, d)


def from_windows(windows: Tensor, side: int, size: Sequence[int]) -> Tensor:
    """The inverse of :func:`to_windows`, for tokens of that (H, W)."""
    (h, w), d = size, windows.shape[-1]
    # Not -(-h // side): in a traced graph, division rounds towards zero.
    rows, columns = (h + side - 1) // side, (w + side - 1) // side
    x = windows.reshape(-1, rows, columns, side, side, d).transpose(2, 3)
    return x.reshape(-1, rows * side, columns * side, d)[:, :h, :w]


class PatchEmbed(nn.Module):
    """Pixels (B, channels, S, S) to patches (B, G, G, D)."""

    def __init__(self, dim: int, channels: int = 3) -> None:
        super().__init__()
        self.proj = nn.Conv2d(channels, dim, STRIDE, STRIDE)

    def forward(self, x: Tensor) -> Tensor:
        patches: Tensor = self.proj(x)
        return patches.permute(0, 2, 3, 1)


def sam_neck(width: int, embed_dim: int) -> nn.Sequential:
    """SAM's layers from an encoder's width to that of the embeddings, (B, C, G, G)."""
    return nn.Sequential(
        nn.Conv2d(width, embed_dim, 1, bias=False),
        LayerNorm2d(embed_dim),
        nn.Conv2d(embed_dim, embed_dim, 3, padding=1, bias=False),
        LayerNorm2d(embed_dim),
    )


class VitEncoder(nn.Module):
    """SAM's image encoder: (B, 3, S, S) to image embeddings (B, C, G, G).

    Attributes:
        img_size: side S of the input, by SAM's name for it.
        recompute: in training, store only the blocks' inputs and recompute activations
            for the gradients, which saves memory.
    """

    def __init__(self, config: VitConfig, image_size: int, embed_dim: int) -> None:
        super().__init__()
        self.img_size, grid = image_size, image_size // STRIDE
        self.recompute = False
        self.patch_embed = PatchEmbed(config.dim)
        self.pos_embed = nn.Parameter(torch.zeros(1, grid, grid, config.dim))
        self.blocks = nn.ModuleList(
            VitBlock(config, 0 if i in config.global_blocks else config.window, grid)
            for i in range(config.depth)
        )
        self.neck = sam_neck(config.dim, embed_dim)

    def forward(self, image: Tensor) -> Tensor:
        return self._encode(image)[0]

    def with_early(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Embeddings, and features (B, D, G, G) after the first global attention."""
        embeddings, early = self._encode(image)
        assert early is not None, "no block attends globally"
        return embeddings, early.permute(0, 3, 1, 2)

    def _encode(self, image: Tensor) -> tuple[Tensor, Tensor | None]:
        """Embeddings, and tokens (B, G, G, D) after the first global attention."""
        x = self.patch_embed(image) + self.pos_embed
        early: Tensor | None = None
        for block in self.blocks:
            if self.recompute and torch.is_grad_enabled():
                x = checkpoint(block, x, use_reentrant=False)
            else:
                x = block(x)
            if early is None and not block.window:
                early = x
        embeddings: Tensor = self.neck(x.permute(0, 3, 1, 2))
        return embeddings, early


class DetailStream(nn.Module):
    """ZIM's shallow detail features D0, D1, D2 at strides 2, 4 and 8."""

    def __init__(self, channels: tuple[int, int, int], inputs: int = 3) -> None:
        super().__init__()
        widths = (inputs, *channels)
        self.convs = nn.ModuleList(
            ConvBnRelu(widths[i], widths[i + 1], stride=2) for i in range(3)
        )

    def forward(self, image: Tensor) -> list[Tensor]:
        features = []
        for conv in self.convs:
            image = conv(image)
            features.append(image)
        return features


class LiteEncoder(nn.Module):
    """EfficientNet-Lite as the image encoder of small models."""

    mean: Tensor
    std: Tensor

    def __init__(self, config: LiteConfig, _image_size: int, embed_dim: int) -> None:
        super().__init__()
        self.backbone = EfficientNetLite(config)
        self.lateral = nn.Conv2d(config.channels[3], embed_dim, 1)
        self.top_down = nn.Conv2d(config.channels[4], embed_dim, 1)
        self.neck = nn.Conv2d(embed_dim, embed_dim, 3, padding=1)
        for name, values in (("mean", PIXEL_MEAN), ("std", PIXEL_STD)):
            column = torch.from_numpy(values)[:, None, None]
            self.register_buffer(name, column, persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        """Images (B, 3, S, S), normalised as SAM's, to embeddings (B, C, G, G)."""
        scaled = scaled_pixels(image * self.std + self.mean).to(image.dtype)
        *_, s16, s32 = self.backbone(scaled)
        top = F.interpolate(self.top_down(s32), scale_factor=2)
        out: Tensor = self.neck(self.lateral(s16) + top)
        return out


def build_encoder(config: ZimConfig) -> nn.Module:
    """The image encoder of a model, see :mod:`zim_model.network.encoder_configs`."""
    module, _, name = config.encoder.NETWORK.rpartition(".")
    network = getattr(import_module(module), name)
    encoder: nn.Module = network(config.encoder, config.image_size, config.embed_dim)
    return encoder
