"""The settings of a training run: a TOML file, checked key by key."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path

from zim_model.config import CONFIGS, ZimConfig
from zim_model.errors import ZimError

CHOICES = {
    "task": ("prompts", "regions"),
    "precision": ("float32", "bfloat16"),
    "region_loss": ("bce", "focal", "iou"),
    "late_region_loss": ("none", "iou"),
}
"""The words that some settings take, the default first."""


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """What a run does, apart from where its data and results lie.

    Attributes:
        model: a named configuration of ``zim_model.config``.
        task: ``prompts``, or ``regions`` for pre-training the encoder and its region
            head on all labelled regions at once; the decoder then learns nothing.
        seed: decides initial weights and every sample.
        steps: optimiser steps of the whole schedule.
        views: views per step, over all processes; each carries
            ``training.data.PROMPTS_PER_VIEW`` prompts.
        accumulate: parts that a process splits its share of a step into, to save
            memory; batch norm sees the parts.
        lr: peak learning rate; linear warm-up, then a cosine down to 2% of it.
        encoder_lr: learning rate of the encoder and the region head, as a share of
            ``lr``; 0 leaves them and their batch norm as they are.
        warmup: steps of warm-up.
        weight_decay: of AdamW.
        precision: ``float32``, or ``bfloat16`` for the network's passes (autocast);
            weights, loss and optimiser stay in float32.
        click_rounds: before a step, up to so many rounds of clicks on the model's own
            mistakes (iterative training, RITM); 0 leaves the drawn prompts alone.
        region_loss: ``bce`` (cross-entropy and soft IoU) or ``focal`` (normalised focal
            loss and Dice, as RITM and SAM).
        region_share: share of the steps with the region loss, and 0 is the paper's
            training.
        late_region_loss: what later steps take beside the paper's loss: ``none``, or
            ``iou``, the soft IoU.  Without cross-entropy answers are less hesitant.
        ema: decay of the averaged weights, which are what is saved as the model.
        clip: largest gradient norm.
        small_size: input side of the first steps; cheaper, so that more is seen.
        small_share: share of the steps at that size.
        workers: processes that make samples.
        threads: threads of the training process on a CPU; 0 leaves torch's choice.
        log_every, save_every: steps between log lines and between saved states.
    """

    model: str
    steps: int
    task: str = "prompts"
    seed: int = 0
    views: int = 8
    accumulate: int = 1
    lr: float = 1e-3
    encoder_lr: float = 1.0
    warmup: int = 100
    weight_decay: float = 0.05
    precision: str = "float32"
    click_rounds: int = 0
    region_loss: str = "bce"
    region_share: float = 1.0
    late_region_loss: str = "none"
    ema: float = 0.998
    clip: float = 1.0
    small_size: int = 0
    small_share: float = 0.0
    workers: int = 1
    threads: int = 0
    log_every: int = 20
    save_every: int = 200

    @property
    def zim(self) -> ZimConfig:
        """The architecture."""
        return CONFIGS[self.model]

    @classmethod
    def read(cls, path: Path) -> TrainConfig:
        """Read a TOML file.

        Raises:
            ZimError: the file is missing or malformed, or a key or model is unknown.
        """
        try:
            data = tomllib.loads(path.read_text("utf-8"))
        except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ZimError(f"{path} cannot be read: {error}.") from error
        known = {field.name: field.type for field in fields(cls)}
        unknown = sorted(set(data) - set(known))
        if unknown:
            raise ZimError(
                f"{path} has unknown keys: {', '.join(unknown)}.",
                f"Known: {', '.join(known)}.",
            )
        for key in ("model", "steps"):
            if key not in data:
                raise ZimError(f"{path} does not set {key}.")
        if data["model"] not in CONFIGS:
            raise ZimError(
                f"{path} names the model {data['model']!r}.",
                f"Known: {', '.join(CONFIGS)}.",
            )
        for key, value in data.items():
            want = {"int": int, "float": (int, float), "str": str}[str(known[key])]
            if not isinstance(value, want) or isinstance(value, bool):  # type: ignore[arg-type]
                raise ZimError(f"{path}: {key} = {value!r} is no {known[key]}.")
        for key, choices in CHOICES.items():
            if data.get(key, choices[0]) not in choices:
                raise ZimError(
                    f"{path}: {key} = {data[key]!r} is unknown.",
                    f"Known: {', '.join(choices)}.",
                )
        for key in ("steps", "views", "accumulate"):
            if data.get(key, 1) < 1:
                raise ZimError(f"{path}: {key} must be 1 or more.")
        return cls(**data)
