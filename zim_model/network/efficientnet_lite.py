"""EfficientNet-Lite image encoders, batch norm folded into the convolutions.

Tan and Le, "EfficientNet" (2019), in the Lite form: ReLU6, no squeeze-excite, a stem
and a first and last stage of fixed depth.  Shapes: B batch, S input side.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zim_model.network.config import PADDING_GREY, PIXEL_RANGE
from zim_model.network.convolution import Conv2d
from zim_model.network.encoder_configs import FEATURE_STAGES, LiteConfig, LiteStage

BN_EPS = 1e-3
"""Epsilon of the published batch norms."""
STEM_CHANNELS = 32


def scaled_pixels(pixels: Tensor) -> Tensor:
    """The network's input from pixels in [0, 255], as the published weights expect."""
    return (pixels.float() - PADDING_GREY) / PIXEL_RANGE


class SameConv(Conv2d):
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

    def __init__(self, inputs: int, stage: LiteStage, stride: int) -> None:
        super().__init__()
        hidden = inputs * stage.expansion
        self.expand = SameConv(inputs, hidden, 1) if stage.expansion > 1 else None
        self.depthwise = SameConv(hidden, hidden, stage.kernel, stride, groups=hidden)
        self.project = SameConv(hidden, stage.channels, 1)
        self.residual = stride == 1 and inputs == stage.channels

    def forward(self, x: Tensor) -> Tensor:
        out = x if self.expand is None else F.relu6(self.expand(x))
        out = self.project(F.relu6(self.depthwise(out)))
        return cast(Tensor, x + out) if self.residual else cast(Tensor, out)


class EfficientNetLite(nn.Module):
    """Features of an image (B, 3, S, S) at strides 2 to 32, S a multiple of 32.

    Pixels are scaled by :func:`scaled_pixels`.
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
            for block in cast(Iterable[InvertedResidual], stage):
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
