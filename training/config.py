"""The settings of ZIM's training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from training.settings import Settings
from zim_model.config import CONFIGS, ZimConfig


@dataclass(frozen=True, slots=True)
class TrainConfig(Settings):
    """What a run of ZIM's training does; see :class:`training.settings.Settings`.

    A view carries ``training.data.PROMPTS_PER_VIEW`` prompts.

    Attributes:
        task: ``prompts``, or ``regions`` for pre-training the encoder and its region
            head on all labelled regions at once; the decoder then learns nothing.
        encoder_lr: learning rate of the encoder and the region head, as a share of
            ``lr``; 0 leaves them and their batch norm as they are.
        click_rounds: before a step, up to so many rounds of clicks on the model's own
            mistakes (iterative training, RITM); 0 leaves the drawn prompts alone.
        region_loss: ``bce`` (cross-entropy and soft IoU) or ``focal`` (normalised focal
            loss and Dice, as RITM and SAM).
        region_share: share of the steps with the region loss, and 0 is the paper's
            training.
        late_region_loss: what later steps take beside the paper's loss: ``none``, or
            ``iou``, the soft IoU.  Without cross-entropy answers are less hesitant.
        small_size: input side of the first steps; cheaper, so that more is seen.
        small_share: share of the steps at that size.
    """

    task: str = "prompts"
    encoder_lr: float = 1.0
    click_rounds: int = 0
    region_loss: str = "bce"
    region_share: float = 1.0
    late_region_loss: str = "none"
    small_size: int = 0
    small_share: float = 0.0

    MODELS: ClassVar[Mapping[str, ZimConfig]] = CONFIGS
    CHOICES: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "task": ("prompts", "regions"),
        "precision": ("float32", "bfloat16"),
        "region_loss": ("bce", "focal", "iou"),
        "late_region_loss": ("none", "iou"),
    }

    @property
    def zim(self) -> ZimConfig:
        """The architecture."""
        return CONFIGS[self.model]
