"""zim-tiny's training: what a step learns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.base_trainer import BaseTrainer, Batch
from training.tiny.config import ROUND_SHARES, TinyTrainConfig, model_of
from training.tiny.initial import imagenet_weights
from training.tiny.licences import is_for_research
from training.tiny.losses import detail_loss, tiny_loss
from training.tiny.prompts import correct
from zim_model.errors import ZimError
from zim_model.network.efficientnet_lite import scaled_pixels
from zim_model.network.tiny import ZimTiny
from zim_model.weights.checkpoint import load_model, save_model

CLICKED = 0.75
"""Share of the predictions that a click corrects; others are only fed back."""
COARSE = 0.3
"""Share of the fed back predictions that are blurred, as those of larger views are."""
FORGOTTEN = 0.1
"""Share of the previous predictions that are not fed back."""


class Truth(NamedTuple):
    """What a batch's predictions should be.

    Attributes:
        target, weight: (B, H, W), at the size of the predictions.
        exact: (B,) 1 where the target is a real matte.
        ambiguous: (B,) 1 where the prompts leave open what is meant.
    """

    target: Tensor
    weight: Tensor
    exact: Tensor
    ambiguous: Tensor

    def halved(self) -> Truth:
        """The same at half the size."""
        target, weight = (F.avg_pool2d(x[:, None], 2)[:, 0] for x in self[:2])
        return self._replace(target=target, weight=weight)


class TinyTrainer(BaseTrainer[TinyTrainConfig, ZimTiny]):
    """Trains all of zim-tiny, its pretrained encoder more slowly."""

    PROGRESS_PARTS = ("loss", "iou")

    def build_model(self) -> ZimTiny:
        return ZimTiny(self.config.architecture).channels_last()

    def begin(self) -> None:
        """Take over the pretrained encoder, for a run that begins from nothing.

        Raises:
            ZimError: the run trains the detail stage alone, which would learn to
                refine the answers of an untrained network.
            WeightsError: the package with the weights cannot be used.
        """
        if self.config.stage == "detail":
            raise ZimError(
                'stage = "detail" trains the detail stage alone, of a network whose'
                " answers are trained.",
                "Give that network's weights with --init-from.",
            )
        state = imagenet_weights(self.config.architecture.encoder.variant)
        for model in (self.model, self.average):
            model.image_encoder.load_published(state)

    def make_training_module(self) -> nn.Module:
        return _Passes(self.model, self.in_bfloat16)

    def parameter_groups(self) -> list[dict[str, Any]]:
        detail, stage = self.model.detail, self.config.stage
        own = set() if detail is None else set(detail.parameters())
        if detail is None and stage != "answers":
            raise ZimError(
                f"{self.config.model} has no detail stage.",
                f'Leave out stage = "{stage}", or take "zim-tiny-detail".',
            )
        if stage == "detail":
            for parameter in self.model.parameters():
                parameter.requires_grad_(parameter in own)
            return self.weight_decay_groups(own, 1.0)
        if stage == "answers":
            for parameter in own:
                parameter.requires_grad_(False)
        encoder = set(self.model.image_encoder.parameters())
        others = [
            parameter
            for parameter in self.model.parameters()
            if parameter.requires_grad and parameter not in encoder
        ]
        share = self.config.encoder_lr
        return [
            *self.weight_decay_groups(self.model.image_encoder.parameters(), share),
            *self.weight_decay_groups(others, 1.0),
        ]

    def start_from(self, path: Path) -> None:
        initial = load_model(path)
        if not isinstance(initial, ZimTiny):
            raise ZimError(f"{path} holds a {initial.config.name}, not a zim-tiny.")
        own = self.config.architecture
        given = replace(initial.config, detail_widths=own.detail_widths)
        if given != own:
            known = model_of(given)
            raise ZimError(
                f"{path} holds a {initial.config.name} of another shape than"
                f" {self.config.model}.",
                f'Say model = "{known}", or begin with other weights.'
                if known
                else "Start without it, or from weights of the same configuration.",
            )
        if self.config.weights == "open" and is_for_research(path):
            raise ZimError(
                f"{path} was trained on images for research only, and so would be what"
                " is made of it.",
                'Begin with other weights, or say weights = "all".',
            )
        # A detail stage that the file lacks is trained from nothing; one that this
        # model lacks is left out.
        for model in (self.model, self.average):
            state = model.state_dict()
            kept = {k: v for k, v in initial.state_dict().items() if k in state}
            model.load_state_dict({**state, **kept})

    def save_weights(self, path: Path, metadata: Mapping[str, str]) -> None:
        save_model(self.average, path, metadata=metadata)

    def compute_loss(
        self, batch: Batch, number: int
    ) -> tuple[Tensor, dict[str, Tensor]]:
        self.model.train()
        seed = (self.config.seed, self.step, number, self.group.rank)
        rng = np.random.default_rng(seed)
        fine = scaled_pixels(batch["image"].to(self.device, non_blocking=True))
        truth = Truth(
            *(batch[key].to(self.device, non_blocking=True) for key in Truth._fields)
        )
        image, seen = fine, truth
        if self.config.zoom > 1:
            image, seen = F.avg_pool2d(fine, 2), truth.halved()
        image = image.contiguous(memory_format=torch.channels_last)
        maps, previous = batch["maps"].clone(), self._empty_map(batch)
        for _ in range(self._draw_round_count(rng)):
            logits = self._predict(image, maps, previous)
            previous = to_previous_map(rng, logits)
            clicked = add_correction_clicks(rng, maps, logits[:, 0], seen)
            seen = seen._replace(ambiguous=seen.ambiguous * ~clicked.to(self.device))
        learner = self.ddp_module or self.training_module
        if self.config.stage == "detail":
            logits = self._predict(image, maps, previous)
            return self._detail_loss(learner(fine, None, logits), truth)
        inputs = self._inputs(maps, previous)
        if self.config.stage == "answers":
            logits, iou = learner(image, inputs)
            return self._answers_loss(logits, iou, seen)
        logits, iou, finer = learner(image, inputs, None, fine)
        loss, parts = self._answers_loss(logits, iou, seen)
        finer_loss, finer_parts = self._detail_loss(finer, truth)
        named = {f"detail_{key}": value for key, value in finer_parts.items()}
        return loss + self.config.detail_weight * finer_loss, {**parts, **named}

    def _answers_loss(
        self, logits: Tensor, iou: Tensor, truth: Truth
    ) -> tuple[Tensor, dict[str, Tensor]]:
        return tiny_loss(
            logits,
            iou,
            *truth,
            answers_weight=self.config.answers_weight,
            matte_weight=self.config.matte_weight,
        )

    def _detail_loss(
        self, logits: Tensor, truth: Truth
    ) -> tuple[Tensor, dict[str, Tensor]]:
        return detail_loss(
            logits[:, 0],
            truth.target,
            truth.weight,
            truth.exact,
            self.config.purity_weight,
        )

    def _draw_round_count(self, rng: np.random.Generator) -> int:
        shares = np.array(ROUND_SHARES[: self.config.rounds + 1])
        return int(rng.choice(len(shares), p=shares / shares.sum()))

    def _empty_map(self, batch: Batch) -> Tensor:
        count, _, side, _ = batch["maps"].shape
        return torch.zeros(count, 1, side, side, device=self.device)

    def _inputs(self, maps: Tensor, previous: Tensor) -> Tensor:
        drawn = maps.to(self.device, torch.float32, non_blocking=True)
        inputs = torch.cat([drawn, previous], 1)
        return inputs.contiguous(memory_format=torch.channels_last)

    @torch.no_grad()
    def _predict(self, image: Tensor, maps: Tensor, previous: Tensor) -> Tensor:
        """Logits (B, 1, S/2, S/2) of the best answer, which is not learned from."""
        logits, _ = self.training_module(image, self._inputs(maps, previous))
        best: Tensor = logits[:, :1]
        return best


class _Passes(nn.Module):
    """The network's passes, in float32 outside."""

    def __init__(self, model: ZimTiny, mixed: bool) -> None:
        super().__init__()
        self.model, self.mixed = model, mixed

    def forward(
        self,
        image: Tensor,
        inputs: Tensor | None,
        logits: Tensor | None = None,
        fine: Tensor | None = None,
    ) -> Any:
        """Predictions for ``inputs``, or with ``logits`` those of the detail stage.

        Args:
            fine: the image at twice the side, for both kinds of predictions at once.
        """
        with torch.autocast(image.device.type, torch.bfloat16, self.mixed):
            if inputs is None:
                assert logits is not None
                return self._refine(image, logits)
            coarse, iou = self.model(image, inputs)
            coarse, iou = coarse.float(), iou.float()
            if fine is None:
                return coarse, iou
            return coarse, iou, self._refine(fine, coarse[:, :1])

    def _refine(self, fine: Tensor, logits: Tensor) -> Tensor:
        detail = self.model.detail
        assert detail is not None
        finer: Tensor = detail(detail.encode(fine), logits)
        return finer.float()


def to_previous_map(rng: np.random.Generator, logits: Tensor) -> Tensor:
    """Answers (B, 1, h, w) as the fourth prompt map (B, 1, 2h, 2w) of the next pass."""
    alpha = logits.sigmoid()
    side = alpha.shape[-1]
    shown = F.interpolate(alpha, scale_factor=2, mode="bilinear")
    for i in np.flatnonzero(rng.random(len(alpha)) < COARSE):
        coarse = F.avg_pool2d(alpha[i : i + 1], int(rng.integers(2, 5)))
        shown[i] = F.interpolate(coarse, size=(2 * side,) * 2, mode="bilinear")[0]
    shown[torch.from_numpy(rng.random(len(alpha)) < FORGOTTEN)] = 0
    return shown


def add_correction_clicks(
    rng: np.random.Generator, maps: Tensor, logits: Tensor, truth: Truth
) -> Tensor:
    """Add clicks on the largest errors of most predictions; (B,) bool, where one is.

    Args:
        maps: (B, 3, S, S) uint8, changed in place.
        logits: (B, S/2, S/2).
        truth: at the size of the logits.
    """
    found = (logits > 0).cpu().numpy()
    target = truth.target.cpu().numpy() > 0.5
    known = truth.weight.cpu().numpy() > 0
    clicked = np.zeros(len(found), bool)
    for i in np.flatnonzero(rng.random(len(found)) < CLICKED):
        clicked[i] = correct(rng, maps[i].numpy(), found[i], target[i], known[i])
    return torch.from_numpy(clicked)
