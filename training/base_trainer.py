"""The state of any training run and one step of it."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from training.distributed import Team
from training.run_config import Settings
from zim_model.errors import ZimError
from zim_model.runtime.atomic_files import replacing

STATE_FILE = "state.pt"
FREE_SETTINGS = {"workers", "threads", "accumulate", "log_every", "save_every"}
"""Settings that may change when a run is resumed: they do not decide the weights."""
Batch = dict[str, Tensor]
ConfigT = TypeVar("ConfigT", bound=Settings)
ModelT = TypeVar("ModelT", bound=nn.Module)


def learning_rate(config: Settings, step: int) -> float:
    """Linear warm-up, ``lr``, then a cosine from ``lr`` down to 2% of it."""
    if step < config.warmup:
        return config.lr * (step + 1) / config.warmup
    begin = config.warmup + (config.steps - config.warmup) * (1 - config.decay_share)
    done = max(0.0, step - begin) / max(1, config.steps - begin)
    return config.lr * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))


class BaseTrainer(ABC, Generic[ConfigT, ModelT]):
    """Model, moving average, optimiser and step; what is learnt is for subclasses.

    Attributes:
        model: what the optimiser changes.
        average: the moving average of its weights, in evaluation mode; it is what is
            saved as the result.
        passes: the module whose forward takes a batch, for gradients to be shared.
    """

    SHOWN: ClassVar[tuple[str, ...]] = ("loss",)
    """Parts of the loss that the progress bar shows."""

    def __init__(self, config: ConfigT, team: Team) -> None:
        torch.manual_seed(config.seed)
        self.config, self.team, self.device, self.step = config, team, team.device, 0
        self.model = self.built().to(self.device)
        self.average = self.built().to(self.device).eval()
        self.average.load_state_dict(self.model.state_dict())
        self.passes = self.make_passes()
        self.shared = (
            DistributedDataParallel(
                self.passes,
                # No step uses all parts of every model.
                find_unused_parameters=True,
            )
            if team.size > 1
            else None
        )
        self.optimiser = torch.optim.AdamW(self.groups(), lr=config.lr)

    @abstractmethod
    def built(self) -> ModelT:
        """A new model of the configuration's architecture."""

    @abstractmethod
    def make_passes(self) -> nn.Module:
        """The module that takes a batch to the model's answers."""

    @abstractmethod
    def loss_of(self, batch: Batch, number: int) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss of a step's ``number``-th part, and its parts for the log."""

    @abstractmethod
    def save_weights(self, folder: Path) -> None:
        """Write the averaged model into a folder."""

    @abstractmethod
    def start_from(self, path: Path) -> None:
        """Begin with the weights of a trained model of the same architecture.

        Raises:
            ZimError: the file cannot be used or holds another architecture.
        """

    def groups(self) -> list[dict[str, Any]]:
        """The optimiser's groups of parameters, each with its ``share`` of the rate."""
        return self.decayed(self.model.parameters(), 1.0)

    def decayed(self, parameters: Any, share: float) -> list[dict[str, Any]]:
        """Two groups: matrices and kernels, which decay, and norms and biases."""
        given = list(parameters)
        return [
            {"params": some, "weight_decay": decay, "share": share}
            for decay, some in (
                (self.config.weight_decay, [p for p in given if p.ndim > 1]),
                (0.0, [p for p in given if p.ndim <= 1]),
            )
        ]

    def train_step(self, batches: Sequence[Batch]) -> dict[str, Tensor]:
        """One optimiser step; returns the means of the parts of the loss.

        Args:
            batches: this process's part of the step's views.  Their gradients are
                added up, so that a step may be larger than memory.
        """
        for group in self.optimiser.param_groups:
            group["lr"] = group["share"] * learning_rate(self.config, self.step)
        self.optimiser.zero_grad(set_to_none=True)
        sums: dict[str, Tensor] = {}
        for number, batch in enumerate(batches):
            apart: AbstractContextManager[None] = nullcontext()
            # The processes' gradients meet once, at the end.
            if self.shared is not None and number < len(batches) - 1:
                apart = self.shared.no_sync()
            with apart:
                loss, parts = self.loss_of(batch, number)
                (loss / len(batches)).backward()  # type: ignore[no-untyped-call]
            for key, value in parts.items():
                sums[key] = sums.get(key, 0.0) + value / len(batches)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip)
        self.optimiser.step()
        self._update_average()
        self.step += 1
        return sums

    @torch.no_grad()
    def _update_average(self) -> None:
        # Early weights are worth nothing: the average starts short and grows longer.
        decay = min(self.config.ema, (1 + self.step) / (10 + self.step))
        own = self.model.state_dict()
        for key, mean in self.average.state_dict().items():
            if mean.is_floating_point():
                mean.lerp_(own[key], 1 - decay)
            else:
                mean.copy_(own[key])

    def save(self, folder: Path, *, small: bool = False) -> None:
        """Write the run's state and the averaged model; a stop never harms the last.

        Args:
            folder: gets ``state.pt`` and the model's safetensors file.
            small: keep the optimiser's moments in bfloat16.  The file is a quarter
                smaller, and going on from it is no longer exact.
        """
        optimiser = self.optimiser.state_dict()
        if small:
            optimiser["state"] = {
                number: {
                    key: value.bfloat16() if value.ndim else value
                    for key, value in moments.items()
                }
                for number, moments in optimiser["state"].items()
            }
        state = {
            "config": asdict(self.config),
            "step": self.step,
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": optimiser,
        }
        with replacing(folder / STATE_FILE) as file:
            torch.save(state, file)
        self.save_weights(folder)

    def load(self, path: Path) -> None:
        """Go on from a saved state.

        Raises:
            ZimError: the file is damaged or belongs to another configuration.
        """
        try:
            state = torch.load(path, map_location=self.device, weights_only=True)
            saved: dict[str, Any] = state["config"]
        except Exception as error:  # torch raises many kinds for a bad file
            raise ZimError(f"{path} is no training state: {error}.") from error
        differ = {
            key: (saved.get(key), value)
            for key, value in asdict(self.config).items()
            if key not in FREE_SETTINGS and saved.get(key) != value
        }
        if differ:
            listed = "; ".join(f"{k}: {a!r} -> {b!r}" for k, (a, b) in differ.items())
            raise ZimError(
                f"{path} was made with other settings: {listed}.",
                "Use its own configuration, or start anew.",
            )
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step = state["step"]
