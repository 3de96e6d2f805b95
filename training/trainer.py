"""ZIM's training: what a step learns, and its passes through the network."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from training.base_trainer import BaseTrainer, Batch
from training.click_simulation import Mapper, corrected
from training.config import TrainConfig
from training.distributed import Team
from training.losses import zim_loss
from training.regions import regions_loss
from zim_model.errors import ZimError
from zim_model.network.encoder import VitEncoder
from zim_model.network.region_head import Regions
from zim_model.network.zim import Features, Zim
from zim_model.weights.checkpoint import load_sam, load_zim, save_model, zim_from_sam

SHOWN_AGAIN = 0.8
"""Share of the answers before a click on mistakes that the model is shown again."""


class Trainer(BaseTrainer[TrainConfig, Zim]):
    """Trains ZIM, its encoder alone, or its decoder alone."""

    SHOWN = ("loss", "iou")
    passes: _Passes

    def __init__(self, config: TrainConfig, team: Team) -> None:
        super().__init__(config, team)
        self._pool: ProcessPoolExecutor | None = None

    def built(self) -> Zim:
        model = Zim(self.config.zim).channels_last()
        if isinstance(model.image_encoder, VitEncoder):
            model.image_encoder.recompute = self.config.recompute
        return model

    def make_passes(self) -> nn.Module:
        if self.team.size > 1 and self.device.type == "cuda":
            # Large models leave room for few views a GPU: too few for batch norm.
            convert: Any = nn.SyncBatchNorm.convert_sync_batchnorm
            self.model = convert(self.model)
        return _Passes(self.model, self.config.precision == "bfloat16")

    def _seeing(self) -> list[nn.Module]:
        """The parts that look at the image, whatever is asked of it."""
        model = self.model
        parts = (model.image_encoder, model.detail_stream, model.region_head)
        return [part for part in parts if part is not None]

    def groups(self) -> list[dict[str, Any]]:
        config = self.config
        seeing = {id(p) for part in self._seeing() for p in part.parameters()}
        groups = []
        for share, own in ((config.encoder_lr, True), (1.0, False)):
            params = [p for p in self.model.parameters() if (id(p) in seeing) is own]
            for p in params:
                p.requires_grad_(share > 0)
            groups += self.decayed(params, share)
        return groups

    def start_from(self, path: Path) -> None:
        given = self._from_sam(path) if path.suffix == ".pth" else load_zim(path)
        if given.config != self.config.zim:
            raise ZimError(
                f"{path} holds a {given.config.name} of another shape than"
                f" {self.config.model}.",
                "Start without it, or from one trained with the same configuration.",
            )
        self.model.load_state_dict(given.state_dict())
        self.average.load_state_dict(given.state_dict())

    def see_as(self, other: Zim) -> None:
        """Begin with the encoder and the detail stream of another model.

        Raises:
            ZimError: they are of another shape.
        """
        ours, given = self.model.state_dict(), other.state_dict()
        parts = ("image_encoder.", "detail_stream.")
        taken = {k: v for k, v in given.items() if k in ours and k.startswith(parts)}
        if any(ours[key].shape != value.shape for key, value in taken.items()):
            raise ZimError(
                f"{other.config.name} sees otherwise than {self.config.model}."
            )
        for model in (self.model, self.average):
            model.load_state_dict(taken, strict=False)

    def _from_sam(self, path: Path) -> Zim:
        """A model that knows what a SAM knows; what SAM lacks is as it was."""
        config = self.config.zim
        start = load_sam if config.pixel_decoder == "sam" else zim_from_sam
        torch.manual_seed(self.config.seed)
        return start(path, config)[0]

    def save_weights(self, folder: Path) -> None:
        save_model(self.average, folder / f"{self.config.model}.safetensors")

    def loss_of(self, batch: Batch, number: int) -> tuple[Tensor, dict[str, Tensor]]:
        return self._loss(self._clicked_on(batch, number))

    def _clicked_on(self, batch: Batch, number: int) -> Batch:
        """The batch with clicks on what the model gets wrong, on some steps."""
        if self.config.task == "regions":
            return batch
        seed = (self.config.seed, self.step, number, self.team.rank)
        rng = np.random.default_rng(seed)
        rounds = rng.integers(0, self.config.click_rounds + 1)
        if rounds:
            self.model.eval()
            with torch.no_grad():
                features = self.passes.seen(batch)
        for _ in range(rounds):
            with torch.no_grad():
                logits, _ = self.passes.answered(features, batch)
            answers = logits[:, :1].cpu()
            found = (answers[:, 0] > 0).numpy()
            stride = self.config.zim.mask_stride
            batch = corrected(rng, batch, found, stride, self._mapper())
            if self.config.zim.region_channels is None:
                continue
            shown = torch.from_numpy(rng.random((len(answers), 1, 1, 1)) < SHOWN_AGAIN)
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
        predicted: Predicted = (self.shared or self.passes)(batch)
        if self.config.task == "regions":
            return self._regions_loss(predicted, batch)
        target, weight, exact = (
            batch[key].flatten(0, 1).to(self.device, non_blocking=True)
            for key in ("target", "weight", "exact")
        )
        done = self.step / self.config.steps
        region: str | None = self.config.region_loss
        if done >= self.config.region_share:
            late = self.config.late_region_loss
            region = None if late == "none" else late
        loss, parts = zim_loss(
            predicted.logits, predicted.iou, target, weight, exact, region
        )
        if self.config.regions_weight:
            seen, seen_parts = self._regions_loss(predicted, batch)
            loss = loss + self.config.regions_weight * seen
            parts["regions"] = seen_parts["loss"]
        return loss, parts

    def _regions_loss(
        self, predicted: Predicted, batch: Batch
    ) -> tuple[Tensor, dict[str, Tensor]]:
        if predicted.regions is None:
            raise ZimError(
                f"{self.config.model} has no region head.",
                'Leave out task = "regions" and regions_weight.',
            )
        labels, single = (batch[k].to(self.device) for k in ("regions", "single"))
        return regions_loss(Regions(*predicted.regions), labels, single)


class Predicted(NamedTuple):
    """What the network makes of V views with P prompt sets each, in float32.

    Attributes:
        logits: (V * P, 4, h, w), prompt by prompt; empty without prompts.
        iou: (V * P, 4); empty without prompts.
        regions: maps and embedding of the views'
            :class:`zim_model.network.region_head.Regions`.
    """

    logits: Tensor
    iou: Tensor
    regions: tuple[Tensor, Tensor] | None


class _Passes(nn.Module):
    """The network's passes over a batch of V views with P prompt sets each."""

    def __init__(self, model: Zim, mixed: bool) -> None:
        super().__init__()
        self.model, self.mixed = model, mixed

    def forward(self, batch: Batch) -> Predicted:
        features = self.seen(batch)
        regions = None
        if (found := features.regions) is not None:
            regions = found.maps.float(), found.embedding.float()
        if "coords" in batch:
            return Predicted(*self.answered(features, batch), regions)
        nothing = features.embeddings.new_empty(0)
        return Predicted(nothing, nothing, regions)

    def seen(self, batch: Batch) -> Features:
        """Features of the views."""
        image = batch["image"].to(self._device, non_blocking=True)
        image = image.contiguous(memory_format=torch.channels_last)
        with self._autocast():
            return self.model.encode(image)

    def answered(self, features: Features, batch: Batch) -> tuple[Tensor, Tensor]:
        """Logits and predicted IoU of every prompt set, see :class:`Predicted`."""
        views, prompts = batch["coords"].shape[:2]
        index = torch.arange(views, device=self._device).repeat_interleave(prompts)
        attention: AbstractContextManager[None] = nullcontext()
        if self._device.type == "cpu":  # whose fused kernel is slow on so few tokens
            attention = sdpa_kernel(SDPBackend.MATH)
        coords, labels, cues = (
            batch[key].flatten(0, 1).to(self._device, non_blocking=True)
            for key in ("coords", "labels", "cues")
        )
        earlier = batch.get("earlier")
        if earlier is not None:
            earlier = earlier.to(self._device, non_blocking=True)
        with attention, self._autocast():
            logits, iou = self.model.decode(
                features.select(index), coords, labels, cues, earlier
            )
        return logits.float(), iou.float()

    @property
    def _device(self) -> torch.device:
        return next(self.model.parameters()).device

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self._device.type, torch.bfloat16, self.mixed)
