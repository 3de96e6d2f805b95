"""The architecture of a model as one immutable, serialisable value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import (
    Any,
    Literal,
    TypeVar,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

import numpy as np

from zim_model.errors import WeightsError, msg
from zim_model.network.encoder_configs import (
    ENCODERS,
    VIT_B,
    EarlyFeatures,
    EncoderConfig,
    HieraConfig,
    TinyVitConfig,
)

# Also read from here.
from zim_model.network.encoder_configs import STRIDE as STRIDE
from zim_model.network.encoder_configs import LiteConfig as LiteConfig
from zim_model.network.encoder_configs import VitConfig as VitConfig

MaskedAttention = Literal["none", "t2i", "i2t", "both"]
"""Where the prompt-aware attention mask acts: on token-to-image attention (the paper's
choice), on image-to-token attention, on both or on none (as SAM)."""

MaskZero = Literal["exclude", "damp"]
"""What a 0 of the mask does to a position: nothing attends to it (the paper), or its
logit only becomes 0, which is what a bare product gives."""

PixelDecoder = Literal["hierarchical", "sam", "sam2", "hq"]
"""ZIM's, with masks at stride 2, SAM's, SAM 2's with details, and HQ-SAM's, which adds
a mask to SAM's, at stride 4."""
NUM_MASK_TOKENS = 4
RETIRED = frozenset(
    ("cue_channels", "cue_widths", "region_channels", "region_embedding", "view")
)
"""Keys of files of earlier versions, of the first zim-tiny's architecture alone."""
MAX_NUMBER = 16_384
"""Largest width or other number of an architecture that is read from a file."""
MAX_DEPTH = 128
"""Most blocks of one stage, and most stages."""
MAX_SIDE = 4096
"""Largest side of a network's input in pixels."""
MAX_WINDOW = 64
"""Largest side of an attention window in tokens; smaller grids are padded to it."""

TINY_KEY = "zim_tiny_config"
"""Entry of a weight file's metadata with a :class:`TinyConfig`."""
PADDING_GREY, PIXEL_RANGE = 127, 128
"""Of zim-tiny's input (pixels - PADDING_GREY) / PIXEL_RANGE; grey, so 0 in the input,
is around images."""
PIXEL_MEAN = np.array((123.675, 116.28, 103.53), np.float32)
PIXEL_STD = np.array((58.395, 57.12, 57.375), np.float32)


@dataclass(frozen=True, slots=True)
class ZimConfig:
    """Everything that decides the shapes of a model's tensors and what they mean.

    Attributes:
        image_size: side of the square input in pixels, a multiple of the encoder's
            ``multiple``.
        encoder: one of :data:`zim_model.network.encoder_configs.ENCODERS`.
        embed_dim: width C of image embeddings and prompt tokens.
        transformer_depth, transformer_heads, transformer_mlp: the two-way transformer.
        head_dim: hidden width of the hypernetworks and of the IoU head.
        pixel_decoder: see :data:`PixelDecoder`; SAM 2's needs an encoder with a
            pyramid, and decides how images are scaled, too; HQ-SAM's needs one with
            early features.
        detail_channels: channels of the detail stream at strides 2, 4 and 8.
        fusion_channels: output channels of the fusion blocks at strides 8, 4 and 2;
            the last is also the length of the mask kernels.
        masked_attention: where the prompt-aware mask acts.
        mask_zero: what it does outside a box.
        mask_final: whether it acts on the last token-to-image attention too.
        attention_sigma: standard deviation of a point's Gaussian as a fraction of the
            input side; the paper's 21 tokens of 64 are 21 / 64.
        resize: ``pil`` as SAM and ZIM, or ``area``, which is faster on big images.
    """

    name: str
    image_size: int = 1024
    encoder: EncoderConfig = VIT_B
    embed_dim: int = 256
    transformer_depth: int = 2
    transformer_heads: int = 8
    transformer_mlp: int = 2048
    head_dim: int = 256
    pixel_decoder: PixelDecoder = "hierarchical"
    detail_channels: tuple[int, int, int] = (64, 128, 256)
    fusion_channels: tuple[int, int, int] = (128, 64, 32)
    masked_attention: MaskedAttention = "t2i"
    mask_zero: MaskZero = "exclude"
    mask_final: bool = True
    attention_sigma: float = 21 / 64
    resize: Literal["pil", "area"] = "pil"

    def __post_init__(self) -> None:
        multiple = self.encoder.multiple
        if not isinstance(self.image_size, int) or self.image_size % multiple:
            raise ValueError(
                f"image_size {self.image_size} is no multiple of {multiple}"
            )
        if self.pixel_decoder == "sam2" and not self.encoder.PYRAMID:
            raise ValueError("SAM 2's decoder needs an encoder with a pyramid")
        if self.pixel_decoder == "hq" and not self.early_width:
            raise ValueError("HQ-SAM's decoder needs an encoder with early features")

    @property
    def grid(self) -> int:
        """Image tokens per side."""
        return self.image_size // STRIDE

    @property
    def early_width(self) -> int:
        """Width of the encoder's features for HQ-SAM's decoder; 0 if it has none."""
        encoder = self.encoder
        return encoder.early_width if isinstance(encoder, EarlyFeatures) else 0

    @property
    def mask_stride(self) -> int:
        """Input pixels per pixel of the predicted masks."""
        return 2 if self.pixel_decoder == "hierarchical" else 4

    @property
    def prompt_mask_stride(self) -> int:
        """Input pixels per pixel of a mask prompt (SAM)."""
        return 4

    @property
    def binary(self) -> bool:
        """Whether its mattes are masks by training, as SAM's."""
        return self.pixel_decoder != "hierarchical"

    @property
    def stretch(self) -> bool:
        """Whether a view is scaled to fill the square input, whatever its shape.

        SAM 2 is trained so; others get the view in its shape, with padding.
        """
        return self.pixel_decoder == "sam2"

    @property
    def mask_channels(self) -> int:
        """Length of the kernels that the mask tokens turn into."""
        if self.pixel_decoder == "hierarchical":
            return self.fusion_channels[2]
        return self.embed_dim // 8

    def to_json(self) -> dict[str, Any]:
        """Plain values, with the kind of encoder named."""
        return with_kind(self, ENCODERS)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> ZimConfig:
        """Read what :meth:`to_json` wrote.

        Raises:
            WeightsError: a key is unknown, a value is missing or malformed, or the
                architecture is the first zim-tiny's.
        """
        config = made_of(cls, _without_retired(data), ENCODERS)
        heads = (config.embed_dim // 2, config.transformer_heads)
        shared = (heads, *config.encoder.shared_widths)
        if not config.image_size or any(h < 1 or width % h for width, h in shared):
            raise WeightsError(
                msg(
                    "Malformed model configuration: no input, or heads of unequal "
                    "widths."
                )
            )
        return config


@dataclass(frozen=True, slots=True)
class TinyConfig:
    """Everything that decides the shapes of :class:`ZimTiny`'s tensors.

    Attributes:
        name: of the model.
        image_size: side of the square input in pixels, a multiple of 32.
        encoder: the pretrained encoder.
        widths: the decoder's channels at strides 32, 16, 8 and 4, multiples of 8.
        depth: residual blocks at each of these strides.
        head: channels at stride 2.
        prompt_widths: channels of the prompt maps' features at strides 2, 4, 8 and 16.
        detail_widths: channels of the detail stage at strides 2, 4 and 8 of its own
            input, which has twice the side; None for no detail stage.
    """

    name: str = "zim-tiny"
    image_size: int = 256
    encoder: LiteConfig = field(default_factory=LiteConfig)
    widths: tuple[int, int, int, int] = (128, 128, 96, 64)
    depth: int = 2
    head: int = 32
    prompt_widths: tuple[int, int, int, int] = (16, 24, 32, 48)
    detail_widths: tuple[int, int, int] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.image_size, int) or self.image_size % 32:
            raise ValueError(f"image_size {self.image_size} is no multiple of 32")

    @property
    def mask_stride(self) -> int:
        """Input pixels per pixel of the predicted mattes."""
        return 2

    @property
    def prompt_mask_stride(self) -> int:
        """Input pixels per pixel of the previous prediction, as a prompt."""
        return 2

    @property
    def detail_size(self) -> int | None:
        """Side of the detail stage's input in pixels; None where there is none."""
        return None if self.detail_widths is None else 2 * self.image_size

    @property
    def resize(self) -> Literal["pil", "area"]:
        """See :class:`ZimConfig`."""
        return "area"

    @property
    def binary(self) -> bool:
        """See :class:`ZimConfig`."""
        return False

    @property
    def stretch(self) -> bool:
        """See :class:`ZimConfig`."""
        return False

    def to_json(self) -> dict[str, Any]:
        """Plain values, with the kind of encoder named."""
        return with_kind(self, TINY_ENCODERS)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> TinyConfig:
        """Read what :meth:`to_json` wrote.

        Raises:
            WeightsError: a key is unknown or a value is missing or malformed.
        """
        config = made_of(cls, data, TINY_ENCODERS)
        detail = config.detail_widths or ()
        widths = (*config.widths, *config.prompt_widths, config.head, *detail)
        if any(width < 8 or width % 8 for width in widths) or config.depth < 1:
            raise WeightsError(
                msg(
                    "Malformed model configuration: a width is no multiple of 8, or the"
                    " depth is 0."
                )
            )
        if not 32 <= config.image_size <= LARGEST_INPUT:
            raise WeightsError(
                msg(
                    "Malformed model configuration: image_size is not from 32 to"
                    " {largest}.",
                    largest=LARGEST_INPUT,
                )
            )
        return config


LARGEST_INPUT = 2048
"""Largest side of zim-tiny's input that is read from a file."""
DETAIL_WIDTHS = (16, 32, 48)
"""Of the detail stage that zim-tiny is trained with."""
ModelConfig = ZimConfig | TinyConfig
"""The architectures that predict from prompts."""
Config = TypeVar("Config")
TINY_ENCODERS: dict[str, type] = {"lite": LiteConfig}


def _without_retired(data: Any) -> Any:
    """A ZIM's configuration without the keys of the first zim-tiny's architecture.

    Raises:
        WeightsError: it is of that architecture.
    """
    if not isinstance(data, dict):
        return data
    encoder = data.get("encoder")
    if data.get("cue_channels") or (
        isinstance(encoder, dict) and encoder.get("kind") == "cnn"
    ):
        raise WeightsError(
            msg("It is of the first zim-tiny's architecture, which is no longer run."),
            msg("Use the bundled zim-tiny, or train it again."),
        )
    return {key: value for key, value in data.items() if key not in RETIRED}


def with_kind(config: Any, encoders: Mapping[str, type]) -> dict[str, Any]:
    """An architecture as plain values, with the kind of its ``encoder`` named.

    Args:
        config: a dataclass.
        encoders: the dataclasses that its encoder may be, by kind.
    """
    kind = next(k for k, own in encoders.items() if isinstance(config.encoder, own))
    return {**asdict(config), "encoder": {"kind": kind, **asdict(config.encoder)}}


def made_of(
    cls: type[Config], data: dict[str, Any], encoders: Mapping[str, type]
) -> Config:
    """The configuration that :func:`with_kind` made plain values of.

    Raises:
        WeightsError: a key is unknown or a value is missing or malformed.
    """
    if not isinstance(data, dict):
        raise WeightsError(
            msg("Malformed model configuration: {data!r:.40}.", data=data)
        )
    unknown = sorted(set(data) - {field.name for field in fields(cast(Any, cls))})
    if unknown:
        raise WeightsError(
            msg(
                "The model configuration has unknown keys: {unknown}.",
                unknown=", ".join(unknown),
            ),
            msg("It may come from a newer version."),
        )
    try:
        encoder = dict(data["encoder"])
        kind = encoders[encoder.pop("kind")]
        values = {k: _frozen(v) for k, v in data.items()}
        values["encoder"] = kind(**{k: _frozen(v) for k, v in encoder.items()})
        config = cls(**values)
        for made in (values["encoder"], config):
            _check_types(made)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise WeightsError(
            msg("Malformed model configuration: {error}.", error=str(error))
        ) from error
    return config


def _check_types(config: Any) -> None:
    """Compare the values of a dataclass with its annotations and with the limits.

    A small file can name any number of layers, which would take all memory to build.

    Raises:
        ValueError: one is of another type, no known choice, negative or too large.
    """
    for name, expected in get_type_hints(type(config)).items():
        value = getattr(config, name)
        limits = {"image_size": MAX_SIDE, "window": MAX_WINDOW, "windows": MAX_WINDOW}
        limit = limits.get(name, MAX_NUMBER)
        if "depth" in name or name == "shortcut_convs":
            limit = MAX_DEPTH
        if not _is_of(value, expected, limit):
            raise ValueError(f"{name} is {str(value)[:40]}")


def _is_of(value: Any, expected: Any, limit: int) -> bool:
    """Whether a value has an annotated type; numbers must be from 0 to a limit."""
    kind, inner = get_origin(expected), get_args(expected)
    if kind is Literal:
        return value in inner
    if kind is tuple:
        if not isinstance(value, tuple) or len(value) > MAX_DEPTH:
            return False
        each = inner[:1] * len(value) if inner[1:] == (...,) else inner
        return len(value) == len(each) and all(
            _is_of(one, of, limit) for one, of in zip(value, each, strict=True)
        )
    if kind is not None:  # a union
        return any(_is_of(value, one, limit) for one in inner)
    if expected in (int, float):
        kinds = (int, float) if expected is float else int
        number = type(value) is not bool and isinstance(value, kinds)
        return number and 0 <= value <= limit
    return isinstance(value, expected)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def sam_variant(config: ZimConfig) -> ZimConfig:
    """The plain SAM that a ZIM configuration grew from."""
    return replace(
        config,
        name=config.name.replace("zim", "sam"),
        pixel_decoder="sam",
        masked_attention="none",
    )


def hq_variant(config: ZimConfig) -> ZimConfig:
    """The HQ-SAM that was made of a SAM."""
    return replace(config, name=f"hq-{config.name}", pixel_decoder="hq")


ZIM_VIT_B = ZimConfig("zim-vit-b")
ZIM_VIT_L = ZimConfig("zim-vit-l", encoder=VitConfig(1024, 24, 16, (5, 11, 17, 23)))
ZIM_VIT_H = ZimConfig("zim-vit-h", encoder=VitConfig(1280, 32, 16, (7, 15, 23, 31)))
MOBILE_SAM = ZimConfig(
    "mobile-sam",
    encoder=TinyVitConfig(),
    pixel_decoder="sam",
    masked_attention="none",
)
SAM2 = tuple(
    ZimConfig(
        f"sam2.1-hiera-{size}",
        encoder=encoder,
        pixel_decoder="sam2",
        masked_attention="none",
    )
    for size, encoder in {
        "tiny": HieraConfig(96, 1, (1, 2, 7, 2), (5, 7, 9)),
        "small": HieraConfig(96, 1, (1, 2, 11, 2), (7, 10, 13)),
        "base-plus": HieraConfig(112, 2, (2, 3, 16, 3), (12, 16, 20), background=14),
        "large": HieraConfig(144, 2, (2, 6, 36, 4), (23, 33, 43), (8, 4, 16, 8)),
    }.items()
)
CONFIGS = {
    config.name: config
    for zim in (ZIM_VIT_B, ZIM_VIT_L, ZIM_VIT_H)
    for config in (zim, sam_variant(zim))
}
"""ZIM and the SAM that it grew from, by name."""
HQ_SAM = tuple(
    hq_variant(sam)
    for sam in (*map(sam_variant, (ZIM_VIT_B, ZIM_VIT_L, ZIM_VIT_H)), MOBILE_SAM)
)
RELATIVES = {config.name: config for config in (MOBILE_SAM, *SAM2, *HQ_SAM)}
"""Published models of SAM's kind that no ZIM grows from, by name."""
