"""Trainer of ZIM."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from training.base_trainer import BaseTrainer, Batch
from training.click_simulation import add_correction_clicks
from training.config import TrainConfig
from training.losses import zim_loss
from zim_model.errors import ZimError
from zim_model.network.decoder import ABSENT
from zim_model.network.encoder import LiteEncoder, VitEncoder
from zim_model.network.tiny import ZimTiny
from zim_model.network.zim import Features, Zim
from zim_model.weights.checkpoint import load_zim, save_model
from zim_model.weights.installed import PICKLE_SUFFIXES
from zim_model.weights.sam_checkpoint import (
    is_sam_safetensors,
    load_sam,
    zim_from_sam,
)


class Trainer(BaseTrainer[TrainConfig, Zim]):
    """Trains ZIM, or its encoder or decoder alone."""

    PROGRESS_PARTS = ("loss", "iou")
    training_module: _ZimTrainingModule

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
        return _ZimTrainingModule(self.model, self.in_bfloat16)

    def _encoder_parts(self) -> list[nn.Module]:
        """Return the modules of the image alone; of a small model, the pretrained."""
        model = self.model
        if isinstance(model.image_encoder, LiteEncoder):
            return [model.image_encoder.backbone]
        parts = (model.image_encoder, model.detail_stream)
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

    def load_encoder_from(self, other: ZimTiny) -> None:
        """Load the weights of zim-tiny's image encoder.

        Raises:
            ZimError: the model has another encoder.
        """
        if self.config.zim.encoder != other.config.encoder:
            raise ZimError(
                f"The encoder of {other.config.name} does not fit {self.config.model}."
            )
        state = other.image_encoder.state_dict()
        for model in (self.model, self.average):
            assert isinstance(model.image_encoder, LiteEncoder)
            model.image_encoder.backbone.load_state_dict(state)

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

    def save_weights(self, path: Path, metadata: Mapping[str, str]) -> None:
        save_model(self.average, path, metadata=metadata)

    def compute_loss(
        self, batch: Batch, number: int
    ) -> tuple[Tensor, dict[str, Tensor]]:
        return self._loss(self._add_correction_clicks(batch, number))

    def _add_correction_clicks(self, batch: Batch, number: int) -> Batch:
        """Add up to ``click_rounds`` rounds of clicks on prediction errors."""
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
            predicted_masks = (logits[:, 0] > 0).cpu().numpy()
            stride = self.config.zim.mask_stride
            batch = add_correction_clicks(rng, batch, predicted_masks, stride)
        return batch

    def _loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        self.model.train()
        if self.config.encoder_lr == 0:
            for part in self._encoder_parts():
                part.eval()
        logits, iou = (self.ddp_module or self.training_module)(batch)
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


class _ZimTrainingModule(nn.Module):
    """Forward pass of the network for a batch of V views with P prompt sets each."""

    def __init__(self, model: Zim, mixed: bool) -> None:
        super().__init__()
        self.model, self.mixed = model, mixed

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Encode and decode."""
        return self.decode(self.encode(batch), batch)

    def encode(self, batch: Batch) -> Features:
        """Encode the views."""
        image = batch["image"].to(self._device, non_blocking=True)
        image = image.contiguous(memory_format=torch.channels_last)
        with self._autocast():
            return self.model.encode(image)

    def decode(self, features: Features, batch: Batch) -> tuple[Tensor, Tensor]:
        """Logits (V * P, 4, h, w) and IoU (V * P, 4), prompt by prompt, in float32."""
        prompts = batch["coords"].shape[1]
        # Places for more prompts than any set has are ABSENT, and come last.
        used = int((batch["labels"] != ABSENT).any(0).any(0).sum())
        coords, labels = (
            batch[key][:, :, :used].flatten(0, 1).to(self._device, non_blocking=True)
            for key in ("coords", "labels")
        )
        with self._autocast():
            repeated = features.repeat_embeddings(prompts)
            logits, iou = self.model.decode(repeated, coords, labels)
        return logits.float(), iou.float()

    @property
    def _device(self) -> torch.device:
        return next(self.model.parameters()).device

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self._device.type, torch.bfloat16, self.mixed)
