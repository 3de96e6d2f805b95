"""Settings common to all training runs, read from a TOML file and validated."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
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
"""Largest number of any setting but those of LIMITS."""
LIMITS = {"threads": 256, "workers": 256}
MIN_SIDE, MAX_SIDE, SIDE_STEP = 64, 2048, 32
"""Of the views that a network is trained on, in pixels."""


def read_toml(path: Path) -> dict[str, Any]:
    """The content of a TOML file.

    Raises:
        ZimError: the file is missing or malformed.
    """
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ZimError(f"{path} cannot be read: {error}.") from error


def format_toml(settings: Mapping[str, Any]) -> str:
    """The text of a TOML file of numbers, booleans and texts."""
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in settings.items())


def read_overrides(words: Sequence[str]) -> dict[str, Any]:
    """Settings of a command line: ``key=value``, with values as in TOML.

    Text needs no quotes.

    Raises:
        ZimError: a word has another form.
    """
    settings: dict[str, Any] = {}
    for word in words:
        key, equals, text = word.partition("=")
        if not equals or not key.isidentifier():
            raise ZimError(f"{word!r} is not a setting.", "Such as: steps=2000")
        try:
            parsed = tomllib.loads(f"value = {text}")
        except (ValueError, RecursionError):
            parsed = {"value": text}
        settings[key] = parsed["value"] if list(parsed) == ["value"] else text
    return settings


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
        faults: ``skip`` leaves out files that the look at the data finds unusable;
            ``fail`` stops before the first step.
        val_every: steps between validations on held-out images; 0 for ``save_every``.
        val_cases: largest number of held-out images that are validated on; 0 for no
            validation.
        patience: validations without a better score after which the run ends; 0 for
            none.
        best_by: score of the best weights: ``iou``, the higher the better, or ``sad``,
            the lower.
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
    faults: str = "skip"
    val_every: int = 0
    val_cases: int = 16
    patience: int = 0
    best_by: str = "iou"

    MODELS: ClassVar[Mapping[str, Any]] = {}
    """Architectures by name."""
    CHOICES: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "precision": ("float32", "bfloat16"),
        "faults": ("skip", "fail"),
        "best_by": ("iou", "sad"),
    }
    """Allowed values of some settings, the default first."""

    @classmethod
    def read(
        cls: type[SettingsT], path: Path, overrides: Sequence[str] = ()
    ) -> SettingsT:
        """Read and validate a TOML file.

        Args:
            path: the file.
            overrides: settings that replace those of the file, such as ``lr=1e-4``.

        Raises:
            ZimError: the file is missing or malformed, or a key or model is unknown.
        """
        return cls.checked(str(path), read_toml(path) | read_overrides(overrides))

    @classmethod
    def checked(cls: type[SettingsT], where: str, data: Mapping[str, Any]) -> SettingsT:
        """Validate settings.

        Args:
            where: what the messages begin with, such as the file.
            data: the settings.

        Raises:
            ZimError: a key or model is unknown, or a value out of range.
        """
        field_types = {field.name: field.type for field in fields(cls)}
        unknown = sorted(set(data) - set(field_types))
        if unknown:
            raise ZimError(
                f"{where} has unknown keys: {', '.join(unknown)}.",
                f"Known: {', '.join(field_types)}.",
            )
        for key in ("model", "steps"):
            if key not in data:
                raise ZimError(f"{where} does not set {key}.")
        if data["model"] not in list(cls.MODELS):  # it may have no hash
            raise ZimError(
                f"{where}: model = {data['model']!r} is unknown.",
                f"Known: {', '.join(cls.MODELS)}.",
            )
        for key, value in data.items():
            kind = str(field_types[key])
            is_valid = isinstance(value, TYPES[kind])
            if not is_valid or isinstance(value, bool) is not (kind == "bool"):
                raise ZimError(f"{where}: {key} = {value!r} is not of type {kind}.")
        for key, choices in cls.CHOICES.items():
            if data.get(key, choices[0]) not in choices:
                raise ZimError(
                    f"{where}: {key} = {data[key]!r} is unknown.",
                    f"Known: {', '.join(choices)}.",
                )
        for key, value in data.items():
            _check_range(where, key, value)
        return cls(**data)

    @property
    def weight_file(self) -> str:
        """Name of the file of the last weights."""
        return f"{self.model}.safetensors"

    @property
    def best_file(self) -> str:
        """Name of the file of the weights with the best score."""
        return f"{self.model}-best.safetensors"


def _check_range(where: str, key: str, value: Any) -> None:
    """Check a number.

    Raises:
        ZimError: it is not finite, or out of its range, which the message says.
    """
    if isinstance(value, str | bool):
        return
    share = key == "ema" or key.endswith("_share")
    low = 1 if key in COUNTS else 0
    high = 1 if share else LIMITS.get(key, MAX_NUMBER)
    if not low <= value <= high:  # a NaN is not, either
        raise ZimError(f"{where}: {key} = {value} is not from {low} to {high}.")


def check_side(key: str, value: int) -> None:
    """Check the input side of views.

    Raises:
        ZimError: it is too small, too large or not a multiple of SIDE_STEP.
    """
    if not MIN_SIDE <= value <= MAX_SIDE or value % SIDE_STEP:
        raise ZimError(
            f"{key} = {value} is not a multiple of {SIDE_STEP} from {MIN_SIDE} to"
            f" {MAX_SIDE}."
        )
