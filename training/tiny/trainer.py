"""zim-tiny's training: what a step learns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.base_trainer import BaseTrainer, Batch
from training.tiny.config import TinyTrainConfig
from training.tiny.initial import imagenet_weights
from training.tiny.losses import tiny_loss
from training.tiny.prompts import correct
from zim_model.errors import ZimError
from zim_model.network.tiny import ZimTiny, scaled_pixels
from zim_model.weights.checkpoint import load_model, save_model

ROUND_SHARES = (0.4, 0.3, 0.2, 0.1)
"""Shares of the steps with 0, 1, 2 and 3 passes before the one that is learned from."""
CLICKED = 0.75
"""Share of the answers that a pass corrects by a click; others are only shown again."""
COARSE = 0.3
"""Share of the earlier answers that are blurred, as answers for a larger view are."""
FORGOTTEN = 0.1
"""Share of the earlier answers that are not shown."""


class TinyTrainer(BaseTrainer[TinyTrainConfig, ZimTiny]):
    """Trains all of zim-tiny, its pretrained encoder more slowly."""

    SHOWN = ("loss", "iou")

    def __init__(self, config: TinyTrainConfig, team: Any) -> None:
        super().__init__(config, team)

    def built(self) -> ZimTiny:
        return ZimTiny(self.config.architecture).channels_last()

    def begin(self) -> None:
        """Take over the pretrained encoder, for a run that begins from nothing.

        Raises:
            WeightsError: the package with the weights cannot be used.
        """
        state = imagenet_weights(self.config.architecture.encoder.variant)
        for model in (self.model, self.average):
            model.image_encoder.load_published(state)

    def make_passes(self) -> nn.Module:
        return self.model

    def groups(self) -> list[dict[str, Any]]:
        encoder = set(self.model.image_encoder.parameters())
        others = [p for p in self.model.parameters() if p not in encoder]
        share = self.config.encoder_lr
        return [
            *self.decayed(self.model.image_encoder.parameters(), share),
            *self.decayed(others, 1.0),
        ]

    def start_from(self, path: Path) -> None:
        given = load_model(path)
        if given.config != self.config.architecture:
            raise ZimError(
                f"{path} holds a {given.config.name} of another shape than"
                f" {self.config.model}.",
                "Start without it, or from one trained with the same configuration.",
            )
        self.model.load_state_dict(given.state_dict())
        self.average.load_state_dict(given.state_dict())

    def save_weights(self, folder: Path) -> None:
        save_model(self.average, folder / f"{self.config.model}.safetensors")

    def loss_of(self, batch: Batch, number: int) -> tuple[Tensor, dict[str, Tensor]]:
        self.model.train()
        seed = (self.config.seed, self.step, number, self.team.rank)
        rng = np.random.default_rng(seed)
        image = scaled_pixels(batch["image"].to(self.device, non_blocking=True))
        image = image.contiguous(memory_format=torch.channels_last)
        maps, earlier = batch["maps"].clone(), self._nothing(batch)
        ambiguous = batch["ambiguous"].clone()
        for _ in range(self._rounds(rng)):
            with torch.no_grad():
                logits, _ = self._answers(image, maps, earlier)
            earlier = shown_again(rng, logits[:, :1])
            clicked = corrected(rng, maps, logits[:, 0], batch)
            ambiguous[clicked] = 0
        logits, iou = self._answers(image, maps, earlier)
        target, weight, exact = (
            batch[key].to(self.device, non_blocking=True)
            for key in ("target", "weight", "exact")
        )
        return tiny_loss(
            logits,
            iou,
            target,
            weight,
            exact,
            ambiguous.to(self.device),
            answers_weight=self.config.answers_weight,
            matte_weight=self.config.matte_weight,
        )

    def _rounds(self, rng: np.random.Generator) -> int:
        shares = np.array(ROUND_SHARES[: self.config.rounds + 1])
        return int(rng.choice(len(shares), p=shares / shares.sum()))

    def _nothing(self, batch: Batch) -> Tensor:
        count, _, side, _ = batch["maps"].shape
        return torch.zeros(count, 1, side, side, device=self.device)

    def _answers(
        self, image: Tensor, maps: Tensor, earlier: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Logits and predicted IoU in float32, see :meth:`ZimTiny.forward`."""
        drawn = maps.to(self.device, torch.float32, non_blocking=True)
        inputs = torch.cat([drawn, earlier], 1)
        inputs = inputs.contiguous(memory_format=torch.channels_last)
        mixed = self.config.precision == "bfloat16"
        passes = self.shared or self.passes
        if not torch.is_grad_enabled():
            passes = self.passes
        with torch.autocast(self.device.type, torch.bfloat16, mixed):
            logits, iou = passes(image, inputs)
        return logits.float(), iou.float()


def shown_again(rng: np.random.Generator, logits: Tensor) -> Tensor:
    """Answers (B, 1, h, w) as the fourth prompt map (B, 1, 2h, 2w) of the next pass."""
    alpha = logits.sigmoid()
    side = alpha.shape[-1]
    shown = F.interpolate(alpha, scale_factor=2, mode="bilinear")
    for i in np.flatnonzero(rng.random(len(alpha)) < COARSE):
        coarse = F.avg_pool2d(alpha[i : i + 1], int(rng.integers(2, 5)))
        shown[i] = F.interpolate(coarse, size=(2 * side,) * 2, mode="bilinear")[0]
    shown[torch.from_numpy(rng.random(len(alpha)) < FORGOTTEN)] = 0
    return shown


def corrected(
    rng: np.random.Generator, maps: Tensor, logits: Tensor, batch: Batch
) -> Tensor:
    """Add clicks on the largest errors of most answers; (B,) bool, where there is one.

    Args:
        maps: (B, 3, S, S) uint8, changed in place.
        logits: (B, S/2, S/2).
    """
    found = (logits > 0).cpu().numpy()
    target, known = batch["target"].numpy() > 0.5, batch["weight"].numpy() > 0
    clicked = np.zeros(len(found), bool)
    for i in np.flatnonzero(rng.random(len(found)) < CLICKED):
        clicked[i] = correct(rng, maps[i].numpy(), found[i], target[i], known[i])
    return torch.from_numpy(clicked)
