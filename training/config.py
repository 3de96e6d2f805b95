"""The settings of ZIM's training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from training.run_config import Settings
from zim_model.network.config import CONFIGS, ZIM_TINY, ZIM_VIT_B, VitConfig, ZimConfig

ZIM_MINI = replace(
    ZIM_TINY,
    name="zim-mini",
    image_size=128,
    cue_channels=0,
    region_channels=None,
    view="image",
)
"""zim-tiny without cues: ZIM in small, to compare its parts on a CPU."""
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
"""Every part of ZIM ViT-B, in small, to try its training."""
MODELS = {**CONFIGS, ZIM_MINI.name: ZIM_MINI, ZIM_VIT_MINI.name: ZIM_VIT_MINI}


@dataclass(frozen=True, slots=True)
class TrainConfig(Settings):
    """What a run of ZIM's training does; see :class:`training.run_config.Settings`.

    A view carries ``training.samples.PROMPTS_PER_VIEW`` prompts.

    Attributes:
        task: ``prompts``, or ``regions`` for pre-training the encoder and its region
            head on all labelled regions at once; the decoder then learns nothing.
        encoder_lr: learning rate of the encoder and the region head, as a share of
            ``lr``; 0 leaves them and their batch norm as they are.
        regions_weight: of the loss of ``task = "regions"`` beside that of the prompts,
            so that an encoder that learns from prompts goes on to see regions.
        click_rounds: before a step, up to so many rounds of clicks on the model's own
            mistakes (iterative training, RITM); 0 leaves the drawn prompts alone.
        region_loss: ``bce`` (cross-entropy and soft IoU) or ``focal`` (normalised focal
            loss and Dice, as RITM and SAM).
        region_share: share of the steps with the region loss, and 0 is the paper's
            training.
        late_region_loss: what later steps take beside the paper's loss: ``none``, or
            ``iou``, the soft IoU.  Without cross-entropy answers are less hesitant.
        prompting: ``studio``, views and prompts as the studio's users give them, or
            ``paper``, whole pictures with a box and clicks
            (``training.sa1b_matte.data``).
        masked_attention, pixel_decoder: other than the model's own, see
            :class:`zim_model.network.config.ZimConfig`; "" leaves them.
        recompute: save memory in a ViT at the cost of a second forward pass
            (activation checkpointing).
        small_size: input side of the first steps; cheaper, so that more is seen.
        small_share: share of the steps at that size.
    """

    task: str = "prompts"
    encoder_lr: float = 1.0
    regions_weight: float = 0.0
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
        "task": ("prompts", "regions"),
        "precision": ("float32", "bfloat16"),
        "region_loss": ("bce", "focal", "iou"),
        "late_region_loss": ("none", "iou"),
        "prompting": ("studio", "paper"),
        "masked_attention": ("", "none", "t2i", "i2t", "both"),
        "pixel_decoder": ("", "hierarchical", "sam"),
    }

    @property
    def zim(self) -> ZimConfig:
        """The architecture."""
        own: dict[str, Any] = {
            key: getattr(self, key)
            for key in ("masked_attention", "pixel_decoder")
            if getattr(self, key)
        }
        return replace(MODELS[self.model], **own)
