"""Trainer of the label converter."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from training.base_trainer import BaseTrainer, Batch
from training.conversion.config import ConverterTrainConfig
from training.distributed import ProcessGroup
from training.losses import matte_loss
from zim_model.conversion.config import HieraEncoder
from zim_model.conversion.hiera import load_pretrained
from zim_model.conversion.network import ConverterNetwork, fuse_scales, grown
from zim_model.conversion.weights import load_converter, save_converter
from zim_model.errors import ZimError
from zim_model.network.config import PIXEL_MEAN, PIXEL_STD

WIDTHS = (30, 15)
"""Upper limits of the random widths of unsure regions at strides 4 and 1."""
UNSURE_GIVEN_ALWAYS, UNSURE_GIVEN_HALF = 0.01, 0.03
"""Shares of the steps until which the unsure regions are derived from the target:
always, then in half of the steps.  Early predictions are too poor for deriving them."""
HEAD_WEIGHTS = (1, 1, 2)
"""Weights of the losses at strides 8, 4 and 1."""


class ConverterTrainer(BaseTrainer[ConverterTrainConfig, ConverterNetwork]):
    """Trains a label converter.

    Raises:
        ZimError: the pre-trained weights cannot be used.
    """

    PROGRESS_PARTS = ("loss", "mae")

    def __init__(self, config: ConverterTrainConfig, group: ProcessGroup) -> None:
        super().__init__(config, group)
        if not config.pretrained:
            return
        if not isinstance(config.converter.encoder, HieraEncoder):
            raise ZimError(
                f"{config.model} has no Hiera encoder for pretrained weights.",
                "Leave pretrained out, or choose another model.",
            )
        for network in (self.model, self.average):
            stages = network.encoder
            # A part of an encoder is a Module or a Tensor to mypy.
            load_pretrained(stages.hiera, Path(config.pretrained))  # type: ignore[arg-type]

    def build_model(self) -> ConverterNetwork:
        network = ConverterNetwork(self.config.converter)
        if self.group.size > 1 and self.device.type == "cuda":
            # Too few images per process for batch norm statistics of its own.
            # Untyped in torch.
            network = nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
        # torch's stubs lack this overload.
        return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]

    def make_training_module(self) -> nn.Module:
        return ConverterTrainingModule(self.model, self.in_bfloat16)

    def start_from(self, path: Path) -> None:
        loaded = load_converter(path)
        if loaded.config != self.config.converter:
            raise ZimError(
                f"{path} holds a {loaded.config.name} of another architecture than"
                f" {self.config.model}.",
                "Omit it, or use weights trained with the same configuration.",
            )
        self.model.load_state_dict(loaded.state_dict())
        self.average.load_state_dict(loaded.state_dict())

    def save_weights(self, path: Path, metadata: Mapping[str, str]) -> None:
        save_converter(self.average, path, metadata=metadata)

    def compute_loss(
        self, batch: Batch, number: int
    ) -> tuple[Tensor, dict[str, Tensor]]:
        self.model.train()
        seed = (self.config.seed, self.step, number, self.group.rank)
        rng = np.random.default_rng(seed)
        widths = tuple(int(rng.integers(1, most)) for most in WIDTHS)
        done = self.step / self.config.steps
        batch = {
            key: batch[key].flatten(0, 1).to(self.device, non_blocking=True)
            for key in ("pixels", "planes", "target", "weight")
        }
        target, weight = batch["target"], batch["weight"]
        if done < UNSURE_GIVEN_ALWAYS or (
            done < UNSURE_GIVEN_HALF and rng.random() < 0.5
        ):
            label = batch["planes"][:, 0]
            soft = (target > 0.01) & (target < 0.99) | ((target > 0.5) != (label > 0.5))
            unsure = soft.float()[:, None]
            batch["unsure"] = grown(unsure, widths[0])
        predictions = (self.ddp_module or self.training_module)(batch, widths)
        losses = [
            matte_loss(alpha[:, 0], target, weight).mean() for alpha in predictions
        ]
        total = sum(w * v for w, v in zip(HEAD_WEIGHTS, losses, strict=True))
        loss = torch.as_tensor(total) / sum(HEAD_WEIGHTS)
        with torch.no_grad():
            area = weight.sum().clamp(min=1)
            error = (predictions[-1][:, 0].clamp(0, 1) - target).abs() * weight
            label_error = (batch["planes"][:, 0] - target).abs() * weight
        loss_parts = {
            "loss": loss.detach(),
            "full": losses[-1].detach(),
            "eighth": losses[0].detach(),
            "mae": error.sum() / area * 1e3,
            "label_mae": label_error.sum() / area * 1e3,
            "label_loss": matte_loss(batch["planes"][:, 0], target, weight).mean(),
        }
        return loss, loss_parts


class ConverterTrainingModule(nn.Module):
    """Forward pass of the network for a batch of crops."""

    def __init__(self, model: ConverterNetwork, mixed: bool) -> None:
        super().__init__()
        self.model, self.mixed = model, mixed

    def forward(self, batch: Batch, widths: tuple[int, int]) -> tuple[Tensor, ...]:
        """Return the fused alphas (B, 1, S, S) at strides 8, 4 and 1."""
        pixels, planes = batch["pixels"], batch["planes"]
        mean, std = (
            torch.from_numpy(v).to(pixels.device) for v in (PIXEL_MEAN, PIXEL_STD)
        )
        image = ((pixels.float() - mean) / std).permute(0, 3, 1, 2)
        image = image.contiguous(memory_format=torch.channels_last)
        with torch.autocast(image.device.type, torch.bfloat16, self.mixed):
            predictions = self.model(image, planes)
        return fuse_scales(predictions, widths, batch.get("unsure"))
