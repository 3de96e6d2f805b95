"""The state of a training run and one step of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from training.config import TrainConfig
from training.corrections import corrected
from training.distributed import Team
from training.losses import zim_loss
from zim_model.checkpoint import load_model, save_model
from zim_model.errors import ZimError
from zim_model.files import replacing
from zim_model.model import Zim

STATE_FILE = "state.pt"
Batch = dict[str, Tensor]


def learning_rate(config: TrainConfig, step: int) -> float:
    """Linear warm-up, then a cosine from ``lr`` down to 2% of it."""
    if step < config.warmup:
        return config.lr * (step + 1) / config.warmup
    done = (step - config.warmup) / max(1, config.steps - config.warmup)
    return config.lr * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))


class Trainer:
    """Model, moving average, optimiser and step."""

    def __init__(self, config: TrainConfig, team: Team) -> None:
        torch.manual_seed(config.seed)
        self.config, self.team, self.device, self.step = config, team, team.device, 0
        self.model = Zim(config.zim).to(self.device).channels_last()
        self.average = Zim(config.zim).to(self.device).eval()
        self.average.load_state_dict(self.model.state_dict())
        self.passes = _Passes(self.model, config.precision == "bfloat16")
        self.shared = (
            DistributedDataParallel(
                self.passes,
                # No step uses all: a model with cues leaves out SAM's mask encoder.
                find_unused_parameters=True,
            )
            if team.size > 1
            else None
        )
        decayed = [p for p in self.model.parameters() if p.ndim > 1]
        plain = [p for p in self.model.parameters() if p.ndim <= 1]
        self.optimiser = torch.optim.AdamW(
            [
                {"params": decayed, "weight_decay": config.weight_decay},
                {"params": plain, "weight_decay": 0.0},
            ],
            lr=config.lr,
        )

    def start_from(self, path: Path) -> None:
        """Begin with the weights of a trained model of the same architecture.

        Raises:
            ZimError: the file cannot be used or holds another architecture.
        """
        given = load_model(path)
        if given.config != self.config.zim:
            raise ZimError(
                f"{path} holds a {given.config.name} of another shape than"
                f" {self.config.model}.",
                "Start without it, or from one trained with the same configuration.",
            )
        self.model.load_state_dict(given.state_dict())
        self.average.load_state_dict(given.state_dict())

    def train_step(self, batches: Sequence[Batch]) -> dict[str, Tensor]:
        """One optimiser step; returns the means of the parts of the loss.

        Args:
            batches: this process's part of the step's views.  Their gradients are
                added up, so that a step may be larger than memory.
        """
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.config, self.step)
        self.optimiser.zero_grad(set_to_none=True)
        sums: dict[str, Tensor] = {}
        for number, batch in enumerate(batches):
            apart: AbstractContextManager[None] = nullcontext()
            # The processes' gradients meet once, at the end.
            if self.shared is not None and number < len(batches) - 1:
                apart = self.shared.no_sync()
            with apart:
                loss, parts = self._loss(self._clicked_on(batch, number))
                (loss / len(batches)).backward()  # type: ignore[no-untyped-call]
            for key, value in parts.items():
                sums[key] = sums.get(key, 0.0) + value / len(batches)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip)
        self.optimiser.step()
        self._update_average()
        self.step += 1
        return sums

    def _clicked_on(self, batch: Batch, number: int) -> Batch:
        """The batch with clicks on what the model gets wrong, on some steps."""
        seed = (self.config.seed, self.step, number, self.team.rank)
        rng = np.random.default_rng(seed)
        for _ in range(rng.integers(0, self.config.click_rounds + 1)):
            self.model.eval()
            with torch.no_grad():
                logits, _ = self.passes(batch)
            found = (logits[:, 0] > 0).cpu().numpy()
            batch = corrected(rng, batch, found, self.config.zim.mask_stride)
        return batch

    def _loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        self.model.train()
        logits, iou = (self.shared or self.passes)(batch)
        target, weight, exact = (
            batch[key].flatten(0, 1).to(self.device, non_blocking=True)
            for key in ("target", "weight", "exact")
        )
        done = self.step / self.config.steps
        region = self.config.region_loss if done < self.config.region_share else None
        return zim_loss(logits, iou, target, weight, exact, region)

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
        save_model(self.average, folder / f"{self.config.model}.safetensors")

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
        free = {"workers", "threads", "accumulate", "log_every", "save_every"}
        differ = {
            key: (saved.get(key), value)
            for key, value in asdict(self.config).items()
            if key not in free and saved.get(key) != value
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


class _Passes(nn.Module):
    """The network's passes over a batch of V views with P prompt sets each."""

    def __init__(self, model: Zim, mixed: bool) -> None:
        super().__init__()
        self.model, self.mixed = model, mixed

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Logits (V * P, 4, h, w) and IoU (V * P, 4) in float32, prompt by prompt."""
        device = next(self.model.parameters()).device
        image = batch["image"].to(device, non_blocking=True)
        image = image.contiguous(memory_format=torch.channels_last)
        views, prompts = batch["coords"].shape[:2]
        index = torch.arange(views, device=device).repeat_interleave(prompts)
        coords, labels, cues = (
            batch[key].flatten(0, 1).to(device, non_blocking=True)
            for key in ("coords", "labels", "cues")
        )
        with torch.autocast(device.type, torch.bfloat16, self.mixed):
            features = self.model.encode(image).select(index)
            logits, iou = self.model.decode(features, coords, labels, cues)
        return logits.float(), iou.float()
