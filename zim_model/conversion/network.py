"""The label converter's network: an image and a coarse label in, a matte out.

After MGMatting's progressive refinement network (Yu et al.  2021): an encoder is guided
by the label, a decoder with shortcuts predicts at strides 8, 4 and 1, and each finer
prediction replaces the coarser one only where that is uncertain.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zim_model.conversion.config import (
    STRIDES,
    ConvEncoder,
    ConverterConfig,
    HieraEncoder,
)
from zim_model.conversion.cues import CUES, DISTANCE, SOFT
from zim_model.network.encoder import ConvBnRelu

UNSURE_RANGE = 1 / 255
"""Alpha between this and one minus this is refined at the next scale."""
WIDTHS = (15, 7)
"""Widths of the uncertain bands when scales are fused: at stride 4, at stride 1."""
ALPHA_STRETCH = 0.02
"""Alpha 0 and 1 must be reachable with finite logits: the sigmoid is stretched by
this on either side, and clipped in the end."""
START = 0.05
"""Where the network only corrects the best cue map, that is kept this far from 0 and
1, or nothing could be learnt there."""
LABEL_TRUST = 2.0
"""Initial weight of the best cue map, relative to the others."""


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions with a residual, (B, C, H, W) to the same."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = ConvBnRelu(channels, channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        nn.init.zeros_(self.norm.weight)  # starts as the identity

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.norm(self.conv2(self.conv1(x))))


class MultiScaleAlphas(NamedTuple):
    """Alphas (B, 1, H/s, W/s) of the three heads, a little beyond [0, 1] at most."""

    eighth: Tensor
    quarter: Tensor
    full: Tensor

    def upsample(self) -> tuple[Tensor, Tensor, Tensor]:
        """All at (B, 1, H, W)."""
        size = self.full.shape[-2:]
        eighth, quarter = (
            F.interpolate(alpha, size=size, mode="bilinear")
            for alpha in (self.eighth, self.quarter)
        )
        return eighth, quarter, self.full


def logits_to_alpha(logits: Tensor) -> Tensor:
    """Logits to alpha; see ALPHA_STRETCH."""
    return (1 + 2 * ALPHA_STRETCH) * logits.float().sigmoid() - ALPHA_STRETCH


def _logit(alpha: Tensor) -> Tensor:
    return alpha.clamp(START, 1 - START).logit()


def unsure_band(alpha: Tensor, width: int) -> Tensor:
    """1 within ``width`` pixels around half-transparent alpha, else 0; (B, 1, H, W)."""
    soft = ((alpha > UNSURE_RANGE) & (alpha < 1 - UNSURE_RANGE)).to(alpha.dtype)
    return grown(soft, width // 2)


def grown(region: Tensor, reach: int) -> Tensor:
    """The maximum within ``reach`` pixels along rows and columns, (B, 1, H, W)."""
    side = 2 * reach + 1
    rows = F.max_pool2d(region, (side, 1), 1, (reach, 0))
    return F.max_pool2d(rows, (1, side), 1, (0, reach))


def fuse_scales(
    scales: MultiScaleAlphas,
    widths: tuple[int, int] = WIDTHS,
    unsure: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Alphas at strides 8, 4 and 1, each refined where the coarser one is uncertain.

    Args:
        scales: predictions of the network.
        widths: of the uncertain bands, in pixels.
        unsure: (B, 1, H, W), where to use finer predictions instead; for the first
            steps of training, when predictions are not good enough.

    Returns:
        (B, 1, H, W) each; only the last is of interest after training.
    """
    coarse, quarter, full = scales.upsample()
    found = coarse
    steps = [coarse]
    for finer, width in zip((quarter, full), widths, strict=True):
        region = unsure_band(found.detach(), width) if unsure is None else unsure
        found = torch.where(region > 0, finer, found)
        steps.append(found)
    return steps[0], steps[1], steps[2]


class ConvStages(nn.Module):
    """Features at STRIDES from a few convolutions each."""

    def __init__(self, config: ConvEncoder, inputs: int) -> None:
        super().__init__()
        stages = []
        for i, (width, depth) in enumerate(
            zip(config.channels, config.depths, strict=True)
        ):
            first = ConvBnRelu(inputs, width, stride=1 if i == 0 else 2)
            blocks = (ResidualBlock(width) for _ in range(depth))
            stages.append(nn.Sequential(first, *blocks))
            inputs = width
        self.stages = nn.ModuleList(stages)

    def forward(self, x: Tensor) -> list[Tensor]:
        features = []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        return features


class HieraStages(nn.Module):
    """Features at STRIDES: a small stem of convolutions, then Hiera.

    Hiera's patch embedding has a fourth channel for the label, whose weights are zero
    at first, as pre-trained weights have none for it.

    Raises:
        ZimError: the transformers package is not installed.
    """

    def __init__(self, config: HieraEncoder, inputs: int, image_size: int) -> None:
        super().__init__()
        from zim_model.conversion.hiera import build_hiera

        self.first = ConvBnRelu(inputs, config.stem[0])
        self.second = ConvBnRelu(config.stem[0], config.stem[1], stride=2)
        self.hiera = build_hiera(config, inputs, image_size)

    def forward(self, x: Tensor) -> list[Tensor]:
        fine = self.first(x)
        return [fine, self.second(fine), *self.hiera(x)]


class Context(nn.Module):
    """Dilated convolutions and the global mean, concatenated (ASPP); same shape."""

    def __init__(self, channels: int, dilations: tuple[int, ...]) -> None:
        super().__init__()
        middle = channels // 2
        self.branches = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(channels, middle, 3, 1, d, d, bias=False),
                nn.BatchNorm2d(middle),
                nn.ReLU(inplace=True),
            )
            for d in dilations
        )
        # No batch norm: one value a channel and image has no statistics.
        self.whole = nn.Sequential(nn.Conv2d(channels, middle, 1), nn.ReLU())
        self.joined = nn.Sequential(
            nn.Conv2d(middle * (len(dilations) + 1), channels, 1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
        )

    def forward(self, x: Tensor) -> Tensor:
        mean = self.whole(x.mean((-2, -1), keepdim=True)).expand(-1, -1, *x.shape[-2:])
        out: Tensor = self.joined(torch.cat([*(b(x) for b in self.branches), mean], 1))
        return out


class DecoderStage(nn.Module):
    """Upsample to twice the size, add the shortcut, refine."""

    def __init__(
        self, inputs: int, skip: int, outputs: int, depth: int, convs: int
    ) -> None:
        super().__init__()
        self.change = nn.Conv2d(inputs, outputs, 1, bias=False)
        if convs:
            widths = [skip, *([outputs] * convs)]
            self.shortcut: nn.Module = nn.Sequential(
                *(ConvBnRelu(widths[i], widths[i + 1]) for i in range(convs))
            )
        else:
            self.shortcut = nn.Conv2d(skip, outputs, 1, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.blocks = nn.Sequential(*(ResidualBlock(outputs) for _ in range(depth)))

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        up = F.interpolate(self.change(x), size=skip.shape[-2:], mode="nearest")
        out: Tensor = self.blocks(F.relu(self.norm(up + self.shortcut(skip))))
        return out


class Head(nn.Sequential):
    """Features to planes (B, outputs, H, W), all zero before training."""

    def __init__(self, inputs: int, outputs: int = 1) -> None:
        middle = min(32, inputs)
        last = nn.Conv2d(middle, outputs, 3, 1, 1)
        for parameter in last.parameters():
            nn.init.zeros_(parameter)
        super().__init__(ConvBnRelu(inputs, middle), last)


class MixingHead(nn.Module):
    """Alpha (B, 1, H, W) as a mixture of the cue maps' mattes and a predicted one.

    Mixing weights are learnt from far fewer images than features are.
    """

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.head = Head(inputs, CUES + 1)

    def forward(self, x: Tensor, planes: Tensor) -> Tensor:
        out = self.head(x).float()
        trust, own = out[:, :CUES], _logit(planes[:, SOFT, None]) + out[:, CUES:]
        # In place of the distance, which is no matte, the network's own.
        mattes = planes.clone()
        mattes[:, DISTANCE] = logits_to_alpha(own)[:, 0]
        first = LABEL_TRUST * (torch.arange(CUES, device=out.device) == SOFT)
        weights = (trust + first[:, None, None]).softmax(1)
        alpha: Tensor = (weights * mattes).sum(1, keepdim=True)
        return alpha


class ConverterNetwork(nn.Module):
    """The whole network."""

    def __init__(self, config: ConverterConfig) -> None:
        super().__init__()
        self.config = config
        self.planes = CUES if config.cues else 1
        inputs = 3 + self.planes
        self.encoder: nn.Module
        if isinstance(config.encoder, HieraEncoder):
            self.encoder = HieraStages(config.encoder, inputs, config.image_size)
        else:
            self.encoder = ConvStages(config.encoder, inputs)
        channels = config.encoder.channels
        self.context = (
            Context(channels[-1], config.dilations) if config.dilations else None
        )
        stages = []
        given = channels[-1]
        for skip, width, depth in zip(
            channels[-2::-1], config.decoder, config.decoder_depths, strict=True
        ):
            stages.append(
                DecoderStage(given, skip, width, depth, config.shortcut_convs)
            )
            given = width
        self.decoder = nn.ModuleList(stages)
        self.eighth, self.quarter = (Head(config.decoder[i]) for i in (1, 2))
        fine = MixingHead if config.cues else Head
        self.full: nn.Module = fine(config.decoder[4])

    def forward(self, image: Tensor, planes: Tensor) -> MultiScaleAlphas:
        """Predict at three strides.

        Args:
            image: (B, 3, H, W) normalised RGB; sides are multiples of 32.
            planes: (B, P, H, W), the label in [0, 1] first.
        """
        features = self.encoder(torch.cat([image, planes], 1))
        x = features[-1]
        if self.context is not None:
            x = self.context(x)
        maps = []
        for stage, skip in zip(self.decoder, features[-2::-1], strict=True):
            x = stage(x, skip)
            maps.append(x)
        eighth, quarter = self.eighth(maps[1]).float(), self.quarter(maps[2]).float()
        if not self.config.cues:
            return MultiScaleAlphas(
                *map(logits_to_alpha, (eighth, quarter, self.full(x)))
            )
        soft = planes[:, SOFT, None]
        eighth, quarter = (
            logits + _logit(F.avg_pool2d(soft, stride))
            for logits, stride in ((eighth, STRIDES[3]), (quarter, STRIDES[2]))
        )
        return MultiScaleAlphas(
            logits_to_alpha(eighth), logits_to_alpha(quarter), self.full(x, planes)
        )
