"""Settings common to all training runs, read from a TOML file and validated."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from zim_model.errors import ZimError

SettingsT = TypeVar("SettingsT", bound="RunSettings")
TYPES: dict[str, Any] = {
    "int": int,
    "float": (int, float),
    "str": str,
    "bool": bool,
}
"""Accepted Python types by the annotations of the fields."""

COUNTS = ("steps", "views", "accumulate", "log_every", "save_every")
"""Settings that must be 1 or more; other numbers may be 0."""
MAX_NUMBER = 10**12
"""Largest number of any setting."""


def read_toml(path: Path) -> dict[str, Any]:
    """The content of a TOML file.

    Raises:
        ZimError: the file is missing or malformed.
    """
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ZimError(f"{path} cannot be read: {error}.") from error


@dataclass(frozen=True, slots=True)
class RunSettings:
    """Settings of a run, without the paths of data and results.

    Attributes:
        model: name of the architecture.
        steps: optimiser steps of the whole schedule.
        seed: seed of the initial weights and of all samples.
        views: views per step, over all processes.
        accumulate: number of micro-batches per step and process, to save memory; batch
            norm sees one micro-batch at a time.
        lr: peak learning rate; linear warm-up, then a cosine down to 2% of it.
        warmup: steps of warm-up.
        decay_share: share of the steps after the warm-up, at the end, with the cosine;
            0 keeps the rate at ``lr``, for a later run with a decay.
        weight_decay: weight decay of AdamW.
        precision: ``float32``, or ``bfloat16`` for forward and backward passes
            (autocast) where the processor has instructions for it
            (:func:`training.base_trainer.trains_in_bfloat16`); weights, loss and
            optimiser stay in float32.
        ema: decay of the averaged weights, which are saved as the model.
        clip: largest gradient norm.
        workers: number of data loader processes.
        threads: threads of the training process on a CPU; 0 for torch's default.
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
    """Architectures by name."""
    CHOICES: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "precision": ("float32", "bfloat16")
    }
    """Allowed values of some settings, the default first."""

    @classmethod
    def read(cls: type[SettingsT], path: Path) -> SettingsT:
        """Read and validate a TOML file.

        Raises:
            ZimError: the file is missing or malformed, or a key or model is unknown.
        """
        data = read_toml(path)
        field_types = {field.name: field.type for field in fields(cls)}
        unknown = sorted(set(data) - set(field_types))
        if unknown:
            raise ZimError(
                f"{path} has unknown keys: {', '.join(unknown)}.",
                f"Known: {', '.join(field_types)}.",
            )
        for key in ("model", "steps"):
            if key not in data:
                raise ZimError(f"{path} does not set {key}.")
        if data["model"] not in list(cls.MODELS):  # it may have no hash
            raise ZimError(
                f"{path}: model = {data['model']!r} is unknown.",
                f"Known: {', '.join(cls.MODELS)}.",
            )
        for key, value in data.items():
            kind = str(field_types[key])
            is_valid = isinstance(value, TYPES[kind])
            if not is_valid or isinstance(value, bool) is not (kind == "bool"):
                raise ZimError(f"{path}: {key} = {value!r} is not of type {kind}.")
        for key, choices in cls.CHOICES.items():
            if data.get(key, choices[0]) not in choices:
                raise ZimError(
                    f"{path}: {key} = {data[key]!r} is unknown.",
                    f"Known: {', '.join(choices)}.",
                )
        for key, value in data.items():
            _check_range(path, key, value)
        return cls(**data)


def _check_range(path: Path, key: str, value: Any) -> None:
    """Check a number of a settings file.

    Raises:
        ZimError: it is not finite, or out of its range, which the message says.
    """
    if isinstance(value, str | bool):
        return
    share = key == "ema" or key.endswith("_share")
    low = 1 if key in COUNTS else 0
    high = 1 if share else MAX_NUMBER
    if not low <= value <= high:  # a NaN is not, either
        raise ZimError(f"{path}: {key} = {value} is not from {low} to {high}.")
