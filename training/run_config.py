"""What every training run is told: a TOML file, checked key by key."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from zim_model.errors import ZimError

Own = TypeVar("Own", bound="Settings")
TYPES: dict[str, Any] = {
    "int": int,
    "float": (int, float),
    "str": str,
    "bool": bool,
}
"""TOML's values by the names of the fields' types."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run does, apart from where its data and results lie.

    Attributes:
        model: a named architecture.
        steps: optimiser steps of the whole schedule.
        seed: decides initial weights and every sample.
        views: views per step, over all processes.
        accumulate: parts that a process splits its share of a step into, to save
            memory; batch norm sees the parts.
        lr: peak learning rate; linear warm-up, then a cosine down to 2% of it.
        warmup: steps of warm-up.
        decay_share: last part of the other steps over which the cosine falls; with 0
            the rate stays at ``lr``, and a later run brings it down.
        weight_decay: of AdamW.
        precision: ``float32``, or ``bfloat16`` for the network's passes (autocast);
            weights, loss and optimiser stay in float32.
        ema: decay of the averaged weights, which are what is saved as the model.
        clip: largest gradient norm.
        workers: processes that make samples.
        threads: threads of the training process on a CPU; 0 leaves torch's choice.
        log_every, save_every: steps between log lines and between saved states.
    """

    model: str
    steps: int
    seed: int = 0
    views: int = 8
    accumulate: int = 1
    lr: float = 1e-3
    warmup: int = 100
    decay_share: float = 1.0
    weight_decay: float = 0.05
    precision: str = "float32"
    ema: float = 0.998
    clip: float = 1.0
    workers: int = 1
    threads: int = 0
    log_every: int = 20
    save_every: int = 200

    MODELS: ClassVar[Mapping[str, Any]] = {}
    """The architectures by name."""
    CHOICES: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "precision": ("float32", "bfloat16")
    }
    """The words that some settings take, the default first."""

    @classmethod
    def read(cls: type[Own], path: Path) -> Own:
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
        if data["model"] not in cls.MODELS:
            raise ZimError(
                f"{path} names the model {data['model']!r}.",
                f"Known: {', '.join(cls.MODELS)}.",
            )
        for key, value in data.items():
            kind = str(known[key])
            right = isinstance(value, TYPES[kind])
            if not right or isinstance(value, bool) is not (kind == "bool"):
                raise ZimError(f"{path}: {key} = {value!r} is no {kind}.")
        for key, choices in cls.CHOICES.items():
            if data.get(key, choices[0]) not in choices:
                raise ZimError(
                    f"{path}: {key} = {data[key]!r} is unknown.",
                    f"Known: {', '.join(choices)}.",
                )
        for key in ("steps", "views", "accumulate"):
            if data.get(key, 1) < 1:
                raise ZimError(f"{path}: {key} must be 1 or more.")
        return cls(**data)
