"""Trainer of ZIM."""

from __future__ import annotations

import multiprocessing
import sys
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
from training.click_simulation import Mapper, add_correction_clicks
from training.config import TrainConfig
from training.distributed import ProcessGroup
from training.losses import zim_loss
from training.regions import regions_loss
from zim_model.errors import ZimError
from zim_model.network.encoder import VitEncoder
from zim_model.network.region_head import Regions
from zim_model.network.zim import Features, Zim
from zim_model.runtime.parent import end_with_parent
from zim_model.weights.checkpoint import load_zim, save_model
from zim_model.weights.installed import PICKLE_SUFFIXES
from zim_model.weights.sam_checkpoint import (
    is_sam_safetensors,
    load_sam,
    zim_from_sam,
)

MASK_FEEDBACK_SHARE = 0.8
"""Share of the predictions before a correction click that become the mask input."""


class Trainer(BaseTrainer[TrainConfig, Zim]):
    """Trains ZIM, or its encoder or decoder alone."""

    PROGRESS_PARTS = ("loss", "iou")
    training_module: _ZimTrainingModule

    def __init__(self, config: TrainConfig, group: ProcessGroup) -> None:
        super().__init__(config, group)
        self._pool: ProcessPoolExecutor | None = None

    def build_model(self) -> Zim:
        model = Zim(self.config.zim).channels_last()
        if isinstance(model.image_encoder, VitEncoder):
            model.image_encoder.recompute = self.config.recompute
        return model

    def make_training_module(self) -> nn.Module:
        if self.group.size > 1 and self.device.type == "cuda":
            # Too few views per GPU for batch norm statistics of its own.
            convert: Any = nn.SyncBatchNorm.convert_sync_batchnorm
            self.model = convert(self.model)
        return _ZimTrainingModule(self.model, self.config.precision == "bfloat16")

    def _encoder_parts(self) -> list[nn.Module]:
        """Return the modules whose output does not depend on prompts."""
        model = self.model
        parts = (model.image_encoder, model.detail_stream, model.region_head)
        return [part for part in parts if part is not None]

    def parameter_groups(self) -> list[dict[str, Any]]:
        config = self.config
        encoder_ids = {
            id(p) for part in self._encoder_parts() for p in part.parameters()
        }
        groups = []
        for share, own in ((config.encoder_lr, True), (1.0, False)):
            params = [
                p for p in self.model.parameters() if (id(p) in encoder_ids) is own
            ]
            for p in params:
                p.requires_grad_(share > 0)
            groups += self.weight_decay_groups(params, share)
        return groups

    def start_from(self, path: Path) -> None:
        is_sam = path.suffix in PICKLE_SUFFIXES or is_sam_safetensors(path)
        loaded = self._load_sam(path) if is_sam else load_zim(path)
        if loaded.config != self.config.zim:
            raise ZimError(
                f"{path} holds a {loaded.config.name} of another architecture than"
                f" {self.config.model}.",
                "Omit it, or use weights trained with the same configuration.",
            )
        self.model.load_state_dict(loaded.state_dict())
        self.average.load_state_dict(loaded.state_dict())

    def load_encoder_from(self, other: Zim) -> None:
        """Load the weights of encoder and detail stream of another model.

        Raises:
            ZimError: their shapes differ.
        """
        own_parameters, loaded = self.model.state_dict(), other.state_dict()
        parts = ("image_encoder.", "detail_stream.")
        taken = {
            k: v
            for k, v in loaded.items()
            if k in own_parameters and k.startswith(parts)
        }
        if any(
            own_parameters[key].shape != value.shape for key, value in taken.items()
        ):
            raise ZimError(
                f"The encoder of {other.config.name} does not fit {self.config.model}."
            )
        for model in (self.model, self.average):
            model.load_state_dict(taken, strict=False)

    def _load_sam(self, path: Path) -> Zim:
        """Create a model with SAM's weights; the other weights are initialised."""
        config = self.config.zim
        torch.manual_seed(self.config.seed)
        if config.pixel_decoder == "sam":
            return load_sam(path, config)
        model, report = zim_from_sam(path, config)
        if self.group.is_main:
            print(f"initialised from {path}:\n{report}", file=sys.stderr)
        return model

    def save_weights(self, folder: Path) -> None:
        save_model(self.average, folder / f"{self.config.model}.safetensors")

    def compute_loss(
        self, batch: Batch, number: int
    ) -> tuple[Tensor, dict[str, Tensor]]:
        return self._loss(self._add_correction_clicks(batch, number))

    def _add_correction_clicks(self, batch: Batch, number: int) -> Batch:
        """Add up to ``click_rounds`` rounds of clicks on prediction errors."""
        if self.config.task == "regions":
            return batch
        seed = (self.config.seed, self.step, number, self.group.rank)
        rng = np.random.default_rng(seed)
        rounds = rng.integers(0, self.config.click_rounds + 1)
        if rounds:
            self.model.eval()
            with torch.no_grad():
                features = self.training_module.encode(batch)
        for _ in range(rounds):
            with torch.no_grad():
                logits, _ = self.training_module.decode(features, batch)
            predictions = logits[:, :1].cpu()
            predicted_masks = (predictions[:, 0] > 0).numpy()
            stride = self.config.zim.mask_stride
            batch = add_correction_clicks(
                rng, batch, predicted_masks, stride, self._cue_mapper()
            )
            if self.config.zim.region_channels is None:
                continue
            fed_back = torch.from_numpy(
                rng.random((len(predictions), 1, 1, 1)) < MASK_FEEDBACK_SHARE
            )
            batch["mask_input"] = F.avg_pool2d(predictions, 2) * fed_back
        return batch

    def _cue_mapper(self) -> Mapper:
        """Return the mapper of cue maps; with a GPU it uses a process pool."""
        if self.device.type == "cpu" or self.config.workers < 2:
            return map
        if self._pool is None:
            # CUDA does not work in forked processes.
            spawn = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(
                self.config.workers, mp_context=spawn, initializer=end_with_parent
            )
        return partial(self._pool.map, chunksize=2)

    def _loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        self.model.train()
        if self.config.encoder_lr == 0:
            for part in self._encoder_parts():
                part.eval()
        predicted: TrainingPrediction = (self.ddp_module or self.training_module)(batch)
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
            region_head_loss, region_parts = self._regions_loss(predicted, batch)
            loss = loss + self.config.regions_weight * region_head_loss
            parts["regions"] = region_parts["loss"]
        return loss, parts

    def _regions_loss(
        self, predicted: TrainingPrediction, batch: Batch
    ) -> tuple[Tensor, dict[str, Tensor]]:
        if predicted.regions is None:
            raise ZimError(
                f"{self.config.model} has no region head.",
                'Leave out task = "regions" and regions_weight.',
            )
        labels, single = (batch[k].to(self.device) for k in ("regions", "single"))
        return regions_loss(Regions(*predicted.regions), labels, single)


class TrainingPrediction(NamedTuple):
    """Predictions for V views with P prompt sets each, in float32.

    Attributes:
        logits: (V * P, 4, h, w), prompt by prompt; empty without prompts.
        iou: (V * P, 4); empty without prompts.
        regions: maps and embedding of the views'
            :class:`zim_model.network.region_head.Regions`.
    """

    logits: Tensor
    iou: Tensor
    regions: tuple[Tensor, Tensor] | None


class _ZimTrainingModule(nn.Module):
    """Forward pass of the network for a batch of V views with P prompt sets each."""

    def __init__(self, model: Zim, mixed: bool) -> None:
        super().__init__()
        self.model, self.mixed = model, mixed

    def forward(self, batch: Batch) -> TrainingPrediction:
        features = self.encode(batch)
        regions = None
        if (maps := features.regions) is not None:
            regions = maps.maps.float(), maps.embedding.float()
        if "coords" in batch:
            return TrainingPrediction(*self.decode(features, batch), regions)
        nothing = features.embeddings.new_empty(0)
        return TrainingPrediction(nothing, nothing, regions)

    def encode(self, batch: Batch) -> Features:
        """Encode the views."""
        image = batch["image"].to(self._device, non_blocking=True)
        image = image.contiguous(memory_format=torch.channels_last)
        with self._autocast():
            return self.model.encode(image)

    def decode(self, features: Features, batch: Batch) -> tuple[Tensor, Tensor]:
        """Decode all prompt sets to logits and IoU, see :class:`TrainingPrediction`."""
        views, prompts = batch["coords"].shape[:2]
        index = torch.arange(views, device=self._device).repeat_interleave(prompts)
        attention: AbstractContextManager[None] = nullcontext()
        if self._device.type == "cpu":  # the fused kernel is slower for few tokens
            attention = sdpa_kernel(SDPBackend.MATH)
        coords, labels, cues = (
            batch[key].flatten(0, 1).to(self._device, non_blocking=True)
            for key in ("coords", "labels", "cues")
        )
        mask_input = batch.get("mask_input")
        if mask_input is not None:
            mask_input = mask_input.to(self._device, non_blocking=True)
        with attention, self._autocast():
            logits, iou = self.model.decode(
                features.select(index), coords, labels, cues, mask_input
            )
        return logits.float(), iou.float()

    @property
    def _device(self) -> torch.device:
        return next(self.model.parameters()).device

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self._device.type, torch.bfloat16, self.mixed)
