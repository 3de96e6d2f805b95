"""The architectures of the label converter as immutable, serialisable values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from zim_model.network.config import made_of, with_kind

STRIDES = (1, 2, 4, 8, 16, 32)
"""Strides of the features that the encoder passes to the decoder."""


@dataclass(frozen=True, slots=True)
class HieraEncoder:
    """Hiera, a hierarchical vision transformer; the defaults are Hiera-B+.

    Attributes:
        dim: channels at stride 4; they double at strides 8, 16 and 32.
        depths: blocks at strides 4, 8, 16 and 32.
        heads: attention heads at stride 4; they double likewise.
        windowed: SAM 2's variant, whose attention stays in windows but for three
            blocks; else attention is global at strides 16 and 32, which is heavy at
            1024 pixels.
        stem: channels at strides 1 and 2, which Hiera itself does not use.
    """

    dim: int = 112
    depths: tuple[int, int, int, int] = (2, 3, 16, 3)
    heads: int = 2
    windowed: bool = False
    stem: tuple[int, int] = (32, 32)

    @property
    def channels(self) -> tuple[int, ...]:
        """Channels of the features at STRIDES."""
        return (*self.stem, *(self.dim << i for i in range(4)))


@dataclass(frozen=True, slots=True)
class ConvEncoder:
    """A small convolutional encoder.

    Attributes:
        channels: of the features at STRIDES.
        depths: residual blocks at STRIDES.
    """

    channels: tuple[int, int, int, int, int, int]
    depths: tuple[int, int, int, int, int, int]


@dataclass(frozen=True, slots=True)
class ConverterConfig:
    """Everything that decides the shapes of a converter's tensors and what they mean.

    Attributes:
        name: for display and file names.
        image_size: longest side of the network's input, in pixels.
        encoder: Hiera or a small CNN.
        decoder: channels of the decoder at strides 16, 8, 4, 2 and 1.
        decoder_depths: residual blocks there.
        shortcut_convs: convolutions on the way from the encoder to the decoder.
        dilations: of the context module at stride 32; empty for none.
        cues: whether the network gets cue maps, too: the distance to the label's edge,
            a guided filter's matte and mattes from local colours; it then predicts a
            correction of the label.
        square: the input is padded to a square of ``image_size``.
        margin: pixels of the input around the label's object.
    """

    name: str
    image_size: int
    encoder: HieraEncoder | ConvEncoder
    decoder: tuple[int, int, int, int, int] = (256, 128, 64, 32, 32)
    decoder_depths: tuple[int, int, int, int, int] = (2, 3, 3, 2, 0)
    shortcut_convs: int = 2
    dilations: tuple[int, ...] = (1, 2, 4, 8)
    cues: bool = False
    square: bool = True
    margin: int = 64

    def __post_init__(self) -> None:
        if self.image_size % STRIDES[-1]:
            raise ValueError(f"image_size {self.image_size} is no multiple of 32")

    def to_json(self) -> dict[str, Any]:
        """Plain values, with the kind of encoder named."""
        return with_kind(self, ENCODERS)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> ConverterConfig:
        """Read the result of :meth:`to_json`.

        Raises:
            WeightsError: a key is unknown or a value is missing or malformed.
        """
        return made_of(cls, data, ENCODERS)


ENCODERS: dict[str, type[HieraEncoder | ConvEncoder]] = {
    "hiera": HieraEncoder,
    "conv": ConvEncoder,
}
CONVERTER = ConverterConfig("converter", 1024, HieraEncoder())
CONVERTER_TINY = ConverterConfig(
    "converter-tiny",
    1024,
    ConvEncoder((16, 24, 48, 96, 128, 160), (0, 1, 1, 2, 2, 2)),
    decoder=(128, 96, 48, 24, 16),
    decoder_depths=(1, 1, 1, 1, 1),
    shortcut_convs=0,
    dilations=(),
    cues=True,
    square=False,
)
CONVERTERS = {config.name: config for config in (CONVERTER, CONVERTER_TINY)}
"""The named architectures."""
