"""ZimTiny: a small promptable matting network with early prompt fusion.

Prompts are maps at input size that are added to the first layers of a pretrained
EfficientNet-Lite (RITM's "Conv1S"), so that the whole network runs for every prompt
set.  Shapes: B batch, S input side, a multiple of 32.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zim_model.network.config import TinyConfig
from zim_model.network.convolution import Conv2d
from zim_model.network.efficientnet_lite import (
    STEM_CHANNELS,
    EfficientNetLite,
    SameConv,
)

PROMPT_MAPS = 4
"""Positive points, negative points, the filled box, and the previous prediction."""
NUM_ANSWERS = 4
"""Best, part, object and group, in this order."""
LARGEST_LOGIT = 8.0
"""Of the detail stage's input: alpha 0.9997."""
GROUPS = 8
"""Groups of the decoder's group norms."""
KERNELS = (5, 5, 5, 3)
"""Of the decoder's depthwise convolutions at strides 32, 16, 8 and 4."""


class SeparableBlock(nn.Module):
    """Depthwise, group norm, two pointwise layers, residual; keeps the shape."""

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.depthwise = Conv2d(
            channels, channels, kernel, padding=kernel // 2, groups=channels
        )
        self.norm = nn.GroupNorm(GROUPS, channels)
        self.expand = nn.Conv2d(channels, 2 * channels, 1)
        self.project = nn.Conv2d(2 * channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        hidden = F.gelu(self.expand(self.norm(self.depthwise(x))))
        out: Tensor = x + self.project(hidden)
        return out


class PromptStream(nn.Module):
    """Features of prompt maps (B, 4, S, S) for the encoder's first layers.

    The layers that lead into the encoder start at zero, so that training begins at the
    pretrained network.
    """

    PLACES = (-1, 1, 2, 4)
    """Where they are added, see :meth:`EfficientNetLite.forward`: strides 2 to 16."""

    def __init__(self, config: TinyConfig) -> None:
        super().__init__()
        encoder = config.encoder.channels
        outputs = (STEM_CHANNELS, *encoder[1:4])
        inputs = (PROMPT_MAPS, *config.prompt_widths[:3])
        self.convs = nn.ModuleList(
            SameConv(before, after, 3, 2)
            for before, after in zip(inputs, config.prompt_widths, strict=True)
        )
        self.into = nn.ModuleList(
            nn.Conv2d(width, channels, 1)
            for width, channels in zip(config.prompt_widths, outputs, strict=True)
        )
        for layer in self.into:
            # A layer of a ModuleList is a Module to mypy.
            nn.init.zeros_(layer.weight)  # type: ignore[arg-type]
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def forward(self, maps: Tensor) -> tuple[dict[int, Tensor], Tensor]:
        """What to add in the encoder, by place, and the features at stride 2."""
        features, added = [], {}
        for place, conv, into in zip(self.PLACES, self.convs, self.into, strict=True):
            maps = F.relu(conv(maps))
            features.append(maps)
            added[place] = into(maps)
        return added, features[0]


class TopDown(nn.Module):
    """The encoder's features at strides 4 to 32 brought together at stride 4."""

    def __init__(self, config: TinyConfig) -> None:
        super().__init__()
        encoder = config.encoder.channels[:0:-1]  # strides 32, 16, 8, 4
        self.laterals = nn.ModuleList(
            nn.Conv2d(channels, width, 1)
            for channels, width in zip(encoder, config.widths, strict=True)
        )
        self.context = nn.Linear(config.widths[0], config.widths[0])
        self.down = nn.ModuleList(
            nn.Conv2d(coarse, fine, 1)
            for coarse, fine in zip(config.widths, config.widths[1:], strict=False)
        )
        self.blocks = nn.ModuleList(
            nn.Sequential(*(SeparableBlock(width, kernel) for _ in range(config.depth)))
            for width, kernel in zip(config.widths, KERNELS, strict=True)
        )

    def forward(self, features: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Features (B, C, S/4, S/4), and the global context (B, widths[0])."""
        coarsest, *finer = (
            lateral(x)
            for lateral, x in zip(self.laterals, features[:0:-1], strict=True)
        )
        context = self.context(coarsest.mean((2, 3)))
        x = self.blocks[0](coarsest + context[:, :, None, None])
        for lateral, down, blocks in zip(
            finer, self.down, self.blocks[1:], strict=True
        ):
            x = F.interpolate(down(x), scale_factor=2, mode="bilinear")
            x = blocks(lateral + x)
        return x, context


class IouHead(nn.Module):
    """The IoU that each of K predictions is expected to have, in [0, 1]."""

    def __init__(self, channels: int, context: int, hidden: int = 64) -> None:
        super().__init__()
        self.lin1 = nn.Linear(channels + context + 2, hidden)
        self.lin2 = nn.Linear(hidden, 1)

    def forward(self, features: Tensor, context: Tensor, logits: Tensor) -> Tensor:
        """From features (B, C, h, w), context (B, D) and logits (B, K, 2h, 2w)."""
        alpha = F.avg_pool2d(logits.sigmoid(), 2)
        area = alpha.mean((2, 3))
        inside = torch.einsum("bchw,bkhw->bkc", features, alpha)
        inside = inside / (area[..., None] * alpha.shape[2] * alpha.shape[3] + 1)
        certainty = (2 * alpha - 1).square().mean((2, 3))
        described = torch.cat(
            [
                inside,
                context[:, None].expand(-1, alpha.shape[1], -1),
                area[..., None],
                certainty[..., None],
            ],
            -1,
        )
        scores: Tensor = self.lin2(F.gelu(self.lin1(described)))
        return scores[..., 0].sigmoid()


class DetailStage(nn.Module):
    """A finer matte from a coarse one and the image at twice the resolution.

    D is the side of its input, 2 S.  The image's features do not depend on prompts.
    """

    def __init__(self, widths: tuple[int, int, int]) -> None:
        super().__init__()
        fine, middle, coarse = widths
        self.image2 = nn.Conv2d(3, fine, 3, 2, 1)
        self.image4 = nn.Conv2d(fine, middle, 3, 2, 1)
        self.image4_mix = nn.Conv2d(middle, middle, 3, padding=1)
        self.matte4 = nn.Conv2d(2, middle, 3, padding=1)
        self.down = nn.Conv2d(middle, coarse, 3, 2, 1)
        self.blocks8 = nn.Sequential(
            SeparableBlock(coarse, 5), SeparableBlock(coarse, 5)
        )
        self.up4 = nn.Conv2d(coarse, middle, 1)
        self.blocks4 = nn.Sequential(
            SeparableBlock(middle, 3), SeparableBlock(middle, 3)
        )
        self.up2 = nn.Conv2d(middle, fine, 1)
        self.matte2 = nn.Conv2d(2, fine, 3, padding=1)
        self.mix = nn.Conv2d(fine, fine, 3, padding=1)
        self.change = nn.Conv2d(fine, 1, 3, padding=1)
        nn.init.zeros_(self.change.weight)
        assert self.change.bias is not None
        nn.init.zeros_(self.change.bias)

    def encode(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Features (B, C, D/2, D/2) and (B, C', D/4, D/4) of an image (B, 3, D, D)."""
        fine = F.relu(self.image2(image))
        return fine, F.relu(self.image4_mix(F.relu(self.image4(fine))))

    def forward(self, features: tuple[Tensor, Tensor], logits: Tensor) -> Tensor:
        """Finer logits (B, 1, D/2, D/2) from coarse ones (B, 1, D/4, D/4).

        Args:
            features: of :meth:`encode`.
            logits: of one prediction; the finer ones are these, with what is added.
        """
        fine, middle = features
        logits = logits.clamp(-LARGEST_LOGIT, LARGEST_LOGIT)
        x = F.gelu(middle + self.matte4(described(logits)))
        low = F.gelu(self.down(x))
        low = F.interpolate(
            self.up4(self.blocks8(low)), scale_factor=2, mode="bilinear"
        )
        x = self.blocks4(x + low)
        finer = F.interpolate(logits, scale_factor=2, mode="bilinear")
        x = F.interpolate(self.up2(x), scale_factor=2, mode="bilinear")
        x = F.gelu(x + fine + self.matte2(described(finer)))
        changed: Tensor = finer + self.change(F.gelu(self.mix(x)))
        return changed


def described(logits: Tensor) -> Tensor:
    """A matte as a network's input: alpha, and the logits in about [-1, 1]."""
    return torch.cat([logits.sigmoid(), logits / LARGEST_LOGIT], 1)


class ZimTiny(nn.Module):
    """Four predictions for each prompt set, with the IoU expected of each.

    Attributes:
        provenance: further metadata of the file that the weights come from, such as
            their licence.
    """

    def __init__(self, config: TinyConfig) -> None:
        super().__init__()
        self.config = config
        self.provenance: dict[str, str] = {}
        self.image_encoder = EfficientNetLite(config.encoder)
        self.prompt_stream = PromptStream(config)
        self.decoder = TopDown(config)
        head, fine = config.head, config.widths[3]
        self.head_coarse = nn.Conv2d(fine, head, 1)
        self.head_image = nn.Conv2d(config.encoder.channels[0], head, 1)
        self.head_prompts = nn.Conv2d(config.prompt_widths[0], head, 1)
        self.head_mix = nn.Conv2d(head, head, 3, padding=1)
        self.head_answers = nn.Conv2d(head, NUM_ANSWERS, 1)
        self.iou_head = IouHead(fine, config.widths[0])
        self.detail = (
            None if config.detail_widths is None else DetailStage(config.detail_widths)
        )

    def channels_last(self) -> ZimTiny:
        """Lay weights out channels-last, which convolutions run faster on."""
        # torch's stubs lack this overload.
        return self.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]

    def forward(self, image: Tensor, maps: Tensor) -> tuple[Tensor, Tensor]:
        """Matte logits (B, 4, S/2, S/2) and predicted IoU (B, 4).

        Args:
            image: (B, 3, S, S), see :func:`scaled_pixels`.
            maps: (B, 4, S, S) in [0, 1], see :data:`PROMPT_MAPS`.

        Returns:
            The best prediction, then part, object and group, each of which contains the
            one before it.  Alpha is the logits' sigmoid.
        """
        added, prompts = self.prompt_stream(maps)
        features = self.image_encoder(image, added)
        x, context = self.decoder(features)
        coarse = F.interpolate(self.head_coarse(x), scale_factor=2, mode="bilinear")
        fine = self.head_image(features[0]) + self.head_prompts(prompts)
        hidden = F.gelu(self.head_mix(F.gelu(coarse + fine)))
        best, part, more, most = self.head_answers(hidden).split(1, 1)
        whole = part + F.softplus(more)
        logits = torch.cat([best, part, whole, whole + F.softplus(most)], 1)
        return logits, self.iou_head(x.detach(), context.detach(), logits.detach())
