"""The settings of a training run: a TOML file, checked key by key."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path

from zim_model.config import CONFIGS, ZimConfig
from zim_model.errors import ZimError


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """What a run does, apart from where its data and results lie.

    Attributes:
        model: a named configuration of ``zim_model.config``.
        seed: decides initial weights and every sample.
        steps: optimiser steps of the whole schedule.
        views: views per step; each carries ``training.data.PROMPTS_PER_VIEW`` prompts.
        lr: peak learning rate; linear warm-up, then a cosine down to 2% of it.
        warmup: steps of warm-up.
        weight_decay: of AdamW.
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
    seed: int = 0
    views: int = 8
    lr: float = 1e-3
    warmup: int = 100
    weight_decay: float = 0.05
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
        return cls(**data)
