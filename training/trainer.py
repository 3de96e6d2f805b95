"""The state of a training run and one step of it."""

from __future__ import annotations

import math
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.parallel import DistributedDataParallel

from training.config import TrainConfig
from training.corrections import Mapper, corrected
from training.distributed import Team
from training.losses import zim_loss
from training.regions import regions_loss
from zim_model.checkpoint import load_model, save_model
from zim_model.errors import ZimError
from zim_model.files import replacing
from zim_model.model import Zim
from zim_model.regions import Regions

STATE_FILE = "state.pt"
SHOWN = 0.6
"""Share of the answers before a click on mistakes that the model is shown again."""
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
        self._pool: ProcessPoolExecutor | None = None
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
        self.optimiser = torch.optim.AdamW(self._groups(), lr=config.lr)

    def _seeing(self) -> list[nn.Module]:
        """The parts that look at the image, whatever is asked of it."""
        model = self.model
        parts = (model.image_encoder, model.detail_stream, model.region_head)
        return [part for part in parts if part is not None]

    def _groups(self) -> list[dict[str, Any]]:
        """The optimiser's groups of parameters, each with its ``share`` of the rate."""
        config = self.config
        seeing = {id(p) for part in self._seeing() for p in part.parameters()}
        groups = []
        for share, own in ((config.encoder_lr, True), (1.0, False)):
            params = [p for p in self.model.parameters() if (id(p) in seeing) is own]
            for p in params:
                p.requires_grad_(share > 0)
            for decay, some in (
                (config.weight_decay, [p for p in params if p.ndim > 1]),
                (0.0, [p for p in params if p.ndim <= 1]),
            ):
                groups.append({"params": some, "weight_decay": decay, "share": share})
        return groups

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
            group["lr"] = group["share"] * learning_rate(self.config, self.step)
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
        if self.config.task == "regions":
            return batch
        seed = (self.config.seed, self.step, number, self.team.rank)
        rng = np.random.default_rng(seed)
        for _ in range(rng.integers(0, self.config.click_rounds + 1)):
            self.model.eval()
            with torch.no_grad():
                logits, _ = self.passes(batch)
            answers = logits[:, :1].float().cpu()
            found = (answers[:, 0] > 0).numpy()
            stride = self.config.zim.mask_stride
            batch = corrected(rng, batch, found, stride, self._mapper())
            shown = torch.from_numpy(rng.random((len(answers), 1, 1, 1)) < SHOWN)
            batch["earlier"] = F.avg_pool2d(answers, 2) * shown
        return batch

    def _mapper(self) -> Mapper:
        """On a GPU, which would wait for them, other processes draw the cue maps."""
        if self.device.type == "cpu" or self.config.workers < 2:
            return map
        if self._pool is None:
            # Forked from a process that holds the GPU it would not start.
            spawn = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self.config.workers, mp_context=spawn)
        return partial(self._pool.map, chunksize=2)

    def _loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        self.model.train()
        if self.config.encoder_lr == 0:
            for part in self._seeing():
                part.eval()
        predicted = (self.shared or self.passes)(batch)
        if self.config.task == "regions":
            maps, embedding = predicted
            labels, single = (batch[k].to(self.device) for k in ("regions", "single"))
            return regions_loss(Regions(maps, embedding), labels, single)
        logits, iou = predicted
        target, weight, exact = (
            batch[key].flatten(0, 1).to(self.device, non_blocking=True)
            for key in ("target", "weight", "exact")
        )
        done = self.step / self.config.steps
        region: str | None = self.config.region_loss
        if done >= self.config.region_share:
            late = self.config.late_region_loss
            region = None if late == "none" else late
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
        """Logits (V * P, 4, h, w) and IoU (V * P, 4) in float32, prompt by prompt.

        Of a batch without prompts, the maps and the embedding of its regions.
        """
        device = next(self.model.parameters()).device
        image = batch["image"].to(device, non_blocking=True)
        image = image.contiguous(memory_format=torch.channels_last)
        if "coords" not in batch:
            with torch.autocast(device.type, torch.bfloat16, self.mixed):
                regions = self.model.encode(image).regions
            if regions is None:
                raise ValueError(f"{self.model.config.name} has no region head")
            return regions.maps.float(), regions.embedding.float()
        views, prompts = batch["coords"].shape[:2]
        index = torch.arange(views, device=device).repeat_interleave(prompts)
        attention: AbstractContextManager[None] = nullcontext()
        if device.type == "cpu":  # whose fused kernel is slow on so few tokens
            attention = sdpa_kernel(SDPBackend.MATH)
        coords, labels, cues = (
            batch[key].flatten(0, 1).to(device, non_blocking=True)
            for key in ("coords", "labels", "cues")
        )
        with attention, torch.autocast(device.type, torch.bfloat16, self.mixed):
            features = self.model.encode(image).select(index)
            earlier = batch.get("earlier")
            if earlier is not None:
                earlier = earlier.to(device, non_blocking=True)
            logits, iou = self.model.decode(features, coords, labels, cues, earlier)
        return logits.float(), iou.float()
