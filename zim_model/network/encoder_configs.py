"""The image encoders that a model can have, as immutable, serialisable values.

An encoder is its configuration here, an entry of :data:`ENCODERS`, and the module that
``NETWORK`` names; the guide is "Adding an encoder" in ``CONTRIBUTING.md``.  This file
does not load torch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple, Protocol, runtime_checkable

STRIDE = 16
"""Input pixels per image token, in each direction."""


@runtime_checkable
class EncoderConfig(Protocol):
    """What every encoder's configuration has beside the numbers of its own.

    Attributes:
        NETWORK: dotted name of the module class.  It is made of the configuration, the
            side S of the input and the width C of the embeddings, and takes normalised
            images (B, 3, S, S) to embeddings (B, C, S / 16, S / 16).
        PYRAMID: whether it also has a method ``pyramid``, which returns features of
            width C at strides 4 and 8 before the embeddings, for SAM 2's decoder.
    """

    NETWORK: ClassVar[str]
    PYRAMID: ClassVar[bool]

    @property
    def multiple(self) -> int:
        """The input's side is a multiple of it."""
        ...

    @property
    def shared_widths(self) -> tuple[tuple[int, int], ...]:
        """Widths, and the numbers of heads that they are divided among."""
        ...


@runtime_checkable
class EarlyFeatures(Protocol):
    """What the configuration of an encoder has that HQ-SAM's decoder can be put on.

    Attributes:
        early_width: width D of the features that its module's method ``with_early``
            returns beside the embeddings; 0 if it has none.
    """

    @property
    def early_width(self) -> int: ...


@dataclass(frozen=True, slots=True)
class VitConfig:
    """SAM's image encoder: a ViT with windowed and a few global attention blocks."""

    NETWORK: ClassVar[str] = "zim_model.network.encoder.VitEncoder"
    PYRAMID: ClassVar[bool] = False

    dim: int
    depth: int
    heads: int
    global_blocks: tuple[int, ...]
    window: int = 14
    mlp_ratio: float = 4.0

    @property
    def multiple(self) -> int:
        """See :class:`EncoderConfig`."""
        return STRIDE

    @property
    def shared_widths(self) -> tuple[tuple[int, int], ...]:
        """See :class:`EncoderConfig`."""
        return ((self.dim, self.heads),)

    @property
    def early_width(self) -> int:
        """See :class:`EarlyFeatures`."""
        return self.dim if any(i < self.depth for i in self.global_blocks) else 0


VIT_B = VitConfig(768, 12, 12, (2, 5, 8, 11))
"""SAM's and ZIM's base model."""


class LiteStage(NamedTuple):
    """Inverted-residual blocks of equal width; the first one has the stride."""

    repeats: int
    kernel: int
    stride: int
    expansion: int
    channels: int


LITE0_STAGES = (
    LiteStage(1, 3, 1, 1, 16),
    LiteStage(2, 3, 2, 6, 24),
    LiteStage(2, 5, 2, 6, 40),
    LiteStage(3, 3, 2, 6, 80),
    LiteStage(3, 5, 1, 6, 112),
    LiteStage(4, 5, 2, 6, 192),
    LiteStage(1, 3, 1, 6, 320),
)
FEATURE_STAGES = (0, 1, 2, 4, 6)
"""Stages whose outputs are the features at strides 2, 4, 8, 16 and 32."""
LiteVariant = Literal["lite0", "lite2"]
LITE_MULTIPLIERS: dict[LiteVariant, tuple[float, float]] = {
    "lite0": (1.0, 1.0),
    "lite2": (1.1, 1.2),
}
"""Width and depth multipliers by variant."""


@dataclass(frozen=True, slots=True)
class LiteConfig:
    """An EfficientNet-Lite encoder."""

    NETWORK: ClassVar[str] = "zim_model.network.encoder.LiteEncoder"
    PYRAMID: ClassVar[bool] = False

    variant: LiteVariant = "lite0"

    @property
    def stages(self) -> tuple[LiteStage, ...]:
        """The stages of this variant."""
        width, depth = LITE_MULTIPLIERS[self.variant]
        last = len(LITE0_STAGES) - 1
        return tuple(
            stage._replace(
                channels=_rounded(stage.channels * width),
                repeats=stage.repeats
                if i in (0, last)
                else math.ceil(stage.repeats * depth),
            )
            for i, stage in enumerate(LITE0_STAGES)
        )

    @property
    def channels(self) -> tuple[int, ...]:
        """Channels of the features at strides 2, 4, 8, 16 and 32."""
        return tuple(self.stages[i].channels for i in FEATURE_STAGES)

    @property
    def multiple(self) -> int:
        """See :class:`EncoderConfig`."""
        return 2 * STRIDE

    @property
    def shared_widths(self) -> tuple[tuple[int, int], ...]:
        """See :class:`EncoderConfig`."""
        return ()


def _rounded(channels: float) -> int:
    """The nearest multiple of 8 that is not below 90 % of ``channels``."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest if nearest >= 0.9 * channels else nearest + 8


@dataclass(frozen=True, slots=True)
class TinyVitConfig:
    """TinyViT as MobileSAM has it, at strides 4, 8, 16 and 16; its published numbers.

    Attributes:
        dims: channels of the stages.
        depths: blocks of the stages; those of the first one are convolutions.
        heads: attention heads of the second to the last stage.
        windows: sides of their attention windows, in tokens.
        mlp_ratio: hidden width of an MLP, and of a convolutional block, as a multiple.
    """

    NETWORK: ClassVar[str] = "zim_model.network.tiny_vit.TinyVitEncoder"
    PYRAMID: ClassVar[bool] = False

    dims: tuple[int, int, int, int] = (64, 128, 160, 320)
    depths: tuple[int, int, int, int] = (2, 2, 6, 2)
    heads: tuple[int, int, int] = (4, 5, 10)
    windows: tuple[int, int, int] = (7, 14, 7)
    mlp_ratio: float = 4.0

    def __post_init__(self) -> None:
        if min(*self.dims, *self.windows) < 1:
            raise ValueError("a width or window is 0")

    @property
    def multiple(self) -> int:
        """See :class:`EncoderConfig`."""
        return STRIDE

    @property
    def shared_widths(self) -> tuple[tuple[int, int], ...]:
        """See :class:`EncoderConfig`."""
        return tuple(zip(self.dims[1:], self.heads, strict=True))

    @property
    def early_width(self) -> int:
        """See :class:`EarlyFeatures`."""
        return self.dims[2]


@dataclass(frozen=True, slots=True)
class HieraConfig:
    """SAM 2's Hiera, at strides 4, 8, 16 and 32.

    Attributes:
        dim: channels at stride 4; they double from stride to stride.
        heads: attention heads at stride 4; they double likewise.
        depths: blocks at each stride.
        global_blocks: numbers of the blocks whose attention is global.
        windows: sides of the others' windows, in tokens; all but the last are even.
        background: side of the coarse position map.
    """

    NETWORK: ClassVar[str] = "zim_model.network.hiera.HieraEncoder"
    PYRAMID: ClassVar[bool] = True

    dim: int
    heads: int
    depths: tuple[int, int, int, int]
    global_blocks: tuple[int, ...]
    windows: tuple[int, int, int, int] = (8, 4, 14, 7)
    background: int = 7

    def __post_init__(self) -> None:
        numbers = (self.dim, self.background, *self.depths, *self.windows)
        if min(numbers) < 1:
            raise ValueError("a width, depth or window is 0")
        if any(side % 2 for side in self.windows[:-1]):
            raise ValueError(f"windows of {self.windows} tokens cannot be halved")

    @property
    def multiple(self) -> int:
        """See :class:`EncoderConfig`."""
        return math.lcm(2 * STRIDE, 4 * self.windows[0])

    @property
    def shared_widths(self) -> tuple[tuple[int, int], ...]:
        """See :class:`EncoderConfig`."""
        return ((self.dim, self.heads),)


@dataclass(frozen=True, slots=True)
class TimmConfig:
    """A network of the timm package with features at strides 4, 8, 16 and 32.

    Attributes:
        model: its name there, such as ``convnext_tiny``; never one that is downloaded.
    """

    NETWORK: ClassVar[str] = "zim_model.network.timm_encoder.TimmEncoder"
    PYRAMID: ClassVar[bool] = True

    model: str

    @property
    def multiple(self) -> int:
        """See :class:`EncoderConfig`."""
        return 2 * STRIDE

    @property
    def shared_widths(self) -> tuple[tuple[int, int], ...]:
        """See :class:`EncoderConfig`."""
        return ()


ENCODERS: dict[str, type[EncoderConfig]] = {
    "vit": VitConfig,
    "lite": LiteConfig,
    "tiny_vit": TinyVitConfig,
    "hiera": HieraConfig,
    "timm": TimmConfig,
}
"""All encoders, by the kind that files name; a new one is added here."""
