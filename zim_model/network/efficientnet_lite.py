"""EfficientNet-Lite image encoders, batch norm folded into the convolutions.

Tan and Le, "EfficientNet" (2019), in the Lite form: ReLU6, no squeeze-excite, a stem
and a first and last stage of fixed depth.  Shapes: B batch, S input side.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

BN_EPS = 1e-3
"""Epsilon of the published batch norms."""
STEM_CHANNELS = 32


class Stage(NamedTuple):
    """Inverted-residual blocks of equal width; the first one has the stride."""

    repeats: int
    kernel: int
    stride: int
    expansion: int
    channels: int


BASE_STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)
FEATURE_STAGES = (0, 1, 2, 4, 6)
"""Stages whose outputs are the features at strides 2, 4, 8, 16 and 32."""
MULTIPLIERS = {"lite0": (1.0, 1.0), "lite2": (1.1, 1.2)}
"""Width and depth multipliers by variant."""


@dataclass(frozen=True, slots=True)
class LiteConfig:
    """An EfficientNet-Lite encoder."""

    variant: Literal["lite0", "lite2"] = "lite0"

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages of this variant."""
        width, depth = MULTIPLIERS[self.variant]
        last = len(BASE_STAGES) - 1
        return tuple(
            stage._replace(
                channels=_rounded(stage.channels * width),
                repeats=stage.repeats
                if i in (0, last)
                else math.ceil(stage.repeats * depth),
            )
            for i, stage in enumerate(BASE_STAGES)
        )

    @property
    def channels(self) -> tuple[int, ...]:
        """Channels of the features at strides 2, 4, 8, 16 and 32."""
        return tuple(self.stages[i].channels for i in FEATURE_STAGES)


def _rounded(channels: float) -> int:
    """The nearest multiple of 8 that is not below 90 % of ``channels``."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest if nearest >= 0.9 * channels else nearest + 8


class SameConv(nn.Conv2d):
    """Convolution with TensorFlow's "same" padding: an odd pixel goes to the far side.

    (B, C, H, W) to (B, C', ceil(H / stride), ceil(W / stride)).
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1
    ) -> None:
        near = kernel // 2 if stride == 1 else 0
        super().__init__(inputs, outputs, kernel, stride, near, groups=groups)

    def forward(self, x: Tensor) -> Tensor:
        if self.stride[0] > 1:
            kernel, stride = self.kernel_size[0], self.stride[0]
            pads = []
            for side in (x.shape[3], x.shape[2]):
                total = max((math.ceil(side / stride) - 1) * stride + kernel - side, 0)
                pads += [total // 2, total - total // 2]
            x = F.pad(x, pads)
        return super().forward(x)


class InvertedResidual(nn.Module):
    """Expand, depthwise convolution, project; a residual where the shape is kept."""

    def __init__(self, inputs: int, stage: Stage, stride: int) -> None:
        super().__init__()
        hidden = inputs * stage.expansion
        self.expand = SameConv(inputs, hidden, 1) if stage.expansion > 1 else None
        self.depthwise = SameConv(hidden, hidden, stage.kernel, stride, groups=hidden)
        self.project = SameConv(hidden, stage.channels, 1)
        self.residual = stride == 1 and inputs == stage.channels

    def forward(self, x: Tensor) -> Tensor:
        out = x if self.expand is None else F.relu6(self.expand(x))
        out = self.project(F.relu6(self.depthwise(out)))
        return x + out if self.residual else out


class EfficientNetLite(nn.Module):
    """Features of an image (B, 3, S, S) at strides 2 to 32, S a multiple of 32.

    Pixels are scaled by :func:`zim_model.network.tiny.scaled_pixels`.
    """

    def __init__(self, config: LiteConfig) -> None:
        super().__init__()
        self.stem = SameConv(3, STEM_CHANNELS, 3, 2)
        inputs = STEM_CHANNELS
        stages = []
        for stage in config.stages:
            blocks = []
            for i in range(stage.repeats):
                stride = stage.stride if i == 0 else 1
                blocks.append(InvertedResidual(inputs, stage, stride))
                inputs = stage.channels
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.ModuleList(stages)

    def forward(
        self, image: Tensor, added: dict[int, Tensor] | None = None
    ) -> list[Tensor]:
        """Features at strides 2, 4, 8, 16 and 32.

        Args:
            image: (B, 3, S, S).
            added: tensors to add, by place: -1 before the stem's activation
                (B, 32, S/2, S/2), i after stage i.
        """
        added = added or {}
        x = self.stem(image)
        if -1 in added:
            x = x + added[-1]
        x = F.relu6(x)
        features = []
        for i, stage in enumerate(self.stages):
            x = stage(x)
            if i in added:
                x = x + added[i]
            if i in FEATURE_STAGES:
                features.append(x)
        return features

    def _convolutions(self) -> Iterator[tuple[str, SameConv]]:
        """The published names of the convolutions' tensors, with ours."""
        yield "_conv_stem _bn0", self.stem
        number = 0
        for stage in self.stages:
            for block in stage:  # type: ignore[union-attr]
                first = f"_blocks.{number}."
                if block.expand is not None:
                    yield f"{first}_expand_conv {first}_bn0", block.expand
                yield f"{first}_depthwise_conv {first}_bn1", block.depthwise
                yield f"{first}_project_conv {first}_bn2", block.project
                number += 1

    @torch.no_grad()
    def load_published(self, state: dict[str, Tensor]) -> None:
        """Take over published weights, with batch norms folded in.

        Args:
            state: tensors by the names of the published PyTorch files; the
                classification head is not needed.

        Raises:
            KeyError: a tensor is missing.
            ValueError: a tensor has another shape.
        """
        for names, conv in self._convolutions():
            kernel, norm = names.split()
            weight = state[f"{kernel}.weight"]
            if weight.shape != conv.weight.shape:
                raise ValueError(
                    f"{kernel}.weight has shape {tuple(weight.shape)}, not "
                    f"{tuple(conv.weight.shape)}"
                )
            scale = state[f"{norm}.weight"] / torch.sqrt(
                state[f"{norm}.running_var"] + BN_EPS
            )
            assert conv.bias is not None
            conv.weight.copy_(weight * scale[:, None, None, None])
            conv.bias.copy_(
                state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * scale
            )
