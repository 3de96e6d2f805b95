"""Base class of the trainers: state, optimiser step, saving and loading."""

from __future__ import annotations

import itertools
import math
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import MISSING, asdict, fields
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from training.distributed import ProcessGroup
from training.run_config import RunSettings
from zim_model.errors import MALFORMED, ZimError
from zim_model.runtime.atomic_files import atomic_write

STATE_FILE = "state.pt"
STATE_CURE = "Give the state of another moment, or start a new run."
RESUME_FREE_SETTINGS = {
    *("workers", "threads", "accumulate", "log_every", "save_every", "faults"),
    *("val_every", "val_cases", "patience", "best_by", "steps"),
}
"""Settings that may change when a run is resumed.

But for ``steps`` they do not affect the weights.
"""
Batch = dict[str, Tensor]
ConfigT = TypeVar("ConfigT", bound=RunSettings)
ModelT = TypeVar("ModelT", bound=nn.Module)


def learning_rate(config: RunSettings, step: int) -> float:
    """Return the learning rate: linear warm-up to ``lr``, then cosine down to 2% of it.

    The cosine covers the last ``decay_share`` of the steps; before it the rate is
    ``lr``.
    """
    if step < config.warmup:
        return config.lr * (step + 1) / config.warmup
    begin = config.warmup + (config.steps - config.warmup) * (1 - config.decay_share)
    done = max(0.0, step - begin) / max(1, config.steps - begin)
    return config.lr * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))


def trains_in_bfloat16(config: RunSettings, device: torch.device) -> bool:
    """Whether a run computes in bfloat16: it is wanted, and the processor has it.

    Without instructions of the CPU a convolution in bfloat16 takes ten times as long as
    in float32.
    """
    if config.precision != "bfloat16":
        return False
    # Untyped in torch.
    return device.type != "cpu" or torch.ops.mkldnn._is_mkldnn_bf16_supported()


class BaseTrainer(ABC, Generic[ConfigT, ModelT]):
    """Model, moving average, optimiser and step; subclasses define model and loss.

    Attributes:
        model: the network that is optimised.
        in_bfloat16: whether forward and backward passes are computed in bfloat16.
        average: the exponential moving average of its weights, in evaluation mode; it
            is saved as the result.
        training_module: the module whose ``forward`` takes a batch.
        best: the best validation so far, see :mod:`training.validation`.
        ddp_module: the same wrapped in ``DistributedDataParallel``; None with a single
            process, and after the run.
    """

    PROGRESS_PARTS: ClassVar[tuple[str, ...]] = ("loss",)
    """Parts of the loss that the progress bar displays."""

    def __init__(self, config: ConfigT, group: ProcessGroup) -> None:
        torch.manual_seed(config.seed)
        self.config, self.group, self.device, self.step = config, group, group.device, 0
        self.in_bfloat16 = trains_in_bfloat16(config, self.device)
        self.best: dict[str, float] = {}
        self.model = self.build_model().to(self.device)
        self.average = self.build_model().to(self.device).eval()
        self.average.load_state_dict(self.model.state_dict())
        self.training_module = self.make_training_module()
        self.ddp_module = (
            DistributedDataParallel(
                self.training_module,
                # Some parameters are unused in some steps.
                find_unused_parameters=True,
            )
            if group.size > 1
            else None
        )
        self.optimiser = torch.optim.AdamW(
            self.parameter_groups(), lr=config.lr, fused=self.device.type != "mps"
        )

    @abstractmethod
    def build_model(self) -> ModelT:
        """Create a model of the configured architecture."""

    @abstractmethod
    def make_training_module(self) -> nn.Module:
        """Create the module that maps a batch to predictions."""

    @abstractmethod
    def compute_loss(
        self, batch: Batch, number: int
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss of the ``number``-th micro-batch and its logged parts."""

    @abstractmethod
    def save_weights(self, path: Path, metadata: Mapping[str, str]) -> None:
        """Write the averaged model, with further metadata, to a file."""

    @abstractmethod
    def start_from(self, path: Path) -> None:
        """Load the weights of a trained model of the same architecture.

        Raises:
            ZimError: the file cannot be used or holds another architecture.
        """

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return the optimiser's parameter groups.

        ``share`` of a group is the factor of its learning rate.
        """
        return self.weight_decay_groups(self.model.parameters(), 1.0)

    def weight_decay_groups(
        self, parameters: Any, lr_share: float
    ) -> list[dict[str, Any]]:
        """Return two groups: weights with weight decay; norms and biases without.

        Args:
            parameters: of the model.
            lr_share: factor of the learning rate.
        """
        parameters = list(parameters)
        return [
            {"params": chosen, "weight_decay": decay, "share": lr_share}
            for decay, chosen in (
                (self.config.weight_decay, [p for p in parameters if p.ndim > 1]),
                (0.0, [p for p in parameters if p.ndim <= 1]),
            )
        ]

    def train_step(self, batches: Sequence[Batch]) -> dict[str, Tensor]:
        """Take one optimiser step and return the mean loss parts.

        Among them are ``lr``, the learning rate, and ``grad_norm``, the norm of the
        gradient before clipping.

        Args:
            batches: this process's micro-batches of the step; their gradients are
                accumulated.
        """
        rate = learning_rate(self.config, self.step)
        for parameters in self.optimiser.param_groups:
            parameters["lr"] = parameters["share"] * rate
        self.optimiser.zero_grad(set_to_none=True)
        sums: dict[str, Tensor] = {}
        for number, batch in enumerate(batches):
            sync: AbstractContextManager[None] = nullcontext()
            # Gradients are reduced once, with the last micro-batch.
            if self.ddp_module is not None and number < len(batches) - 1:
                sync = self.ddp_module.no_sync()
            with sync:
                loss, parts = self.compute_loss(batch, number)
                # Untyped in torch.
                (loss / len(batches)).backward()  # type: ignore[no-untyped-call]
            for key, value in parts.items():
                sums[key] = sums.get(key, 0.0) + value / len(batches)
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip)
        self.optimiser.step()
        self._update_average()
        self.step += 1
        return {**sums, "lr": torch.tensor(rate), "grad_norm": norm.detach()}

    @torch.no_grad()
    def _update_average(self) -> None:
        # A short average at first, to forget the initial weights quickly.
        decay = min(self.config.ema, (1 + self.step) / (10 + self.step))
        states = self.average.state_dict(), self.model.state_dict()
        means, own = (list(state.values()) for state in states)
        smooth = [mean.is_floating_point() for mean in means]
        torch._foreach_lerp_(
            list(itertools.compress(means, smooth)),
            list(itertools.compress(own, smooth)),
            1 - decay,
        )
        for mean, value, is_smooth in zip(means, own, smooth, strict=True):
            if not is_smooth:  # the number of batches of a batch norm
                mean.copy_(value)

    def save(
        self,
        folder: Path,
        *,
        small: bool = False,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        """Write the training state and the averaged model, each atomically.

        Args:
            folder: gets ``state.pt`` and the model's safetensors file.
            metadata: of the safetensors file, besides the architecture.
            small: store the optimiser's moments as bfloat16.  The file is a quarter
                smaller, but a resumed run is no longer exactly the same.
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
            "best": self.best,
        }
        with atomic_write(folder / STATE_FILE) as file:
            torch.save(state, file)
        self.save_weights(folder / self.config.weight_file, metadata or {})

    def load(self, path: Path) -> None:
        """Load a saved training state.

        Raises:
            ZimError: the file is damaged or was made with other settings.
        """
        try:
            state = torch.load(path, map_location=self.device, weights_only=True)
            # Settings that the state's version did not have are at their defaults.
            saved: dict[str, Any] = _defaults(self.config) | state["config"]
            step = int(state["step"])
        except Exception as error:  # torch raises many types for a bad file
            raise ZimError(
                f"{path} is not a training state: {error}.", STATE_CURE
            ) from error
        changed = {
            key: (saved.get(key), value)
            for key, value in asdict(self.config).items()
            if key not in RESUME_FREE_SETTINGS and saved.get(key) != value
        }
        if changed:
            listed = "; ".join(f"{k}: {a!r} -> {b!r}" for k, (a, b) in changed.items())
            raise ZimError(
                f"{path} was made with other settings: {listed}.",
                "Use its configuration, or start a new run.",
            )
        if step > self.config.steps:
            raise ZimError(
                f"{path} is at step {step}; steps = {self.config.steps} is less.",
                "Give as many or more.",
            )
        if saved["steps"] != self.config.steps and self.group.is_main:
            print(
                f"steps: {saved['steps']} -> {self.config.steps}; the learning rate"
                " follows the new schedule from here on",
                file=sys.stderr,
            )
        try:
            self.model.load_state_dict(state["model"])
            self.average.load_state_dict(state["average"])
            self.optimiser.load_state_dict(state["optimiser"])
        except (*MALFORMED, RuntimeError) as error:
            reason = " ".join(str(error).split())[:200]
            raise ZimError(
                f"{path} is no state of this model: {reason}.", STATE_CURE
            ) from error
        self.step, self.best = step, dict(state.get("best", {}))


def _defaults(config: RunSettings) -> dict[str, Any]:
    return {
        field.name: field.default
        for field in fields(config)
        if field.default is not MISSING
    }
