"""Settings of ZIM's training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from training.losses import REGION_LOSSES
from training.run_config import RunSettings, check_side
from zim_model.network.config import (
    CONFIGS,
    ZIM_VIT_B,
    LiteConfig,
    VitConfig,
    ZimConfig,
)

ZIM_MINI = replace(
    ZIM_VIT_B,
    name="zim-mini",
    image_size=128,
    encoder=LiteConfig("lite2"),
    embed_dim=128,
    transformer_mlp=512,
    head_dim=128,
    detail_channels=(16, 32, 64),
    fusion_channels=(64, 32, 16),
)
"""ZIM with a small encoder that is pretrained, for ablations on a CPU."""
ZIM_VIT_MINI = replace(
    ZIM_VIT_B,
    name="zim-vit-mini",
    image_size=128,
    encoder=VitConfig(64, 4, 2, (1, 3), window=4),
    embed_dim=64,
    transformer_mlp=128,
    head_dim=64,
    detail_channels=(8, 16, 32),
    fusion_channels=(32, 16, 8),
)
"""ZIM ViT-B with all its parts at a small size, to test its training."""
MODELS = {**CONFIGS, ZIM_MINI.name: ZIM_MINI, ZIM_VIT_MINI.name: ZIM_VIT_MINI}


@dataclass(frozen=True, slots=True)
class TrainConfig(RunSettings):
    """Settings of one run; see also :class:`training.run_config.RunSettings`.

    A view has ``training.samples.PROMPTS_PER_VIEW`` prompt sets.

    Attributes:
        encoder_lr: learning rate of the encoder and the detail stream, as a factor of
            ``lr``; 0 freezes them and their batch norm statistics.
        click_rounds: largest number of rounds of clicks on prediction errors before a
            step (iterative training, RITM); 0 uses the sampled prompts only.
        region_loss: a name in :data:`training.losses.REGION_LOSSES`.
        region_share: share of the steps with the region loss; 0 is the paper's
            training.
        late_region_loss: added to the paper's loss in the later steps: ``none``, or
            ``iou``, the soft IoU.  Without cross-entropy predictions are closer to 0
            and 1.
        prompting: ``studio``, prompts like those of the studio, or ``paper``, a box and
            clicks for each object (``training.sa1b_matte.data``).
        masked_attention, pixel_decoder: override those of the model, see
            :class:`zim_model.network.config.ZimConfig`; "" keeps them.
        recompute: save memory in a ViT at the cost of a second forward pass
            (activation checkpointing).
        small_size: smaller and cheaper input side in the first steps; 0 for none.
        small_share: share of the steps at that size.
    """

    encoder_lr: float = 1.0
    click_rounds: int = 0
    region_loss: str = "bce"
    region_share: float = 1.0
    late_region_loss: str = "none"
    prompting: str = "studio"
    masked_attention: str = ""
    pixel_decoder: str = ""
    recompute: bool = False
    small_size: int = 0
    small_share: float = 0.0

    MODELS: ClassVar[Mapping[str, ZimConfig]] = MODELS
    CHOICES: ClassVar[Mapping[str, tuple[str, ...]]] = {
        **RunSettings.CHOICES,
        "region_loss": tuple(REGION_LOSSES),
        "late_region_loss": (
            "none",
            *(name for name, loss in REGION_LOSSES.items() if not loss.replaces_l1),
        ),
        "prompting": ("studio", "paper"),
        "masked_attention": ("", "none", "t2i", "i2t", "both"),
        "pixel_decoder": ("", "hierarchical", "sam"),
    }

    def __post_init__(self) -> None:
        """Check the side.

        Raises:
            ZimError: it is out of range.
        """
        if self.small_size:
            check_side("small_size", self.small_size)

    @property
    def zim(self) -> ZimConfig:
        """The architecture with the overrides applied."""
        own: dict[str, Any] = {
            key: getattr(self, key)
            for key in ("masked_attention", "pixel_decoder")
            if getattr(self, key)
        }
        return replace(MODELS[self.model], **own)
