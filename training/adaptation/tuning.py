"""Training a copy of a zim-tiny on corrected pairs, within a time limit."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from training.datasets.table import TrainingData
from training.distributed import ProcessGroup
from training.loop import FaultCounter, micro_batches
from training.sources import COMPOSED, MAX_SIDE, Scene, SceneReader
from training.tiny.config import TinyTrainConfig, model_of
from training.tiny.samples import TinySamples
from training.tiny.trainer import TinyTrainer
from training.train_tiny import DETAIL_COMPOSED, DETAIL_LONGEST
from training.validation import Scores, held_out_scenes, mean_scores, score_prompts
from zim_app.core.adaptation import Event, Trained, Validated
from zim_app.core.corrections import image_name
from zim_model.errors import ZimError
from zim_model.network.tiny import ZimTiny
from zim_model.runtime.devices import default_device

SETTINGS: dict[str, Any] = {
    "steps": 1500,
    "views": 6,
    "lr": 2e-4,
    "warmup": 10,
    "ema": 0.97,
    "precision": "bfloat16",
    "weights": "all",
    "workers": 0,
    "val_cases": 24,
}
"""Of every adaptation; a detail stage is trained along."""
VALIDATIONS = 6
"""Of a run, evenly over its time."""
GENERAL_SCENES = 12
"""Rendered scenes on which the model must not become worse."""
State = dict[str, Tensor]


@dataclass(frozen=True, slots=True)
class Tuned:
    """Weights of a moment of the training.

    Attributes:
        state: averaged weights.
        step: of the training.
        iou: mean on the held-out images.
    """

    state: State
    step: int
    iou: float


def adaptation_settings(parent: ZimTiny, changes: dict[str, Any]) -> TinyTrainConfig:
    """The settings of a run from a model.

    Raises:
        ZimError: the model is of no known shape, or a setting is unknown or out of
            range.
    """
    if "model" in changes:
        raise ZimError("--set model: the model is that of --model.")
    name = model_of(parent.config)
    if name is None:
        raise ZimError(
            f"{parent.config.name} is of a shape that cannot be trained.",
            "Choose zim-tiny, or a model that was adapted from it.",
        )
    stage = "answers" if parent.config.detail_widths is None else "joint"
    chosen = {"model": name, **SETTINGS, "stage": stage, **changes}
    return TinyTrainConfig.checked("--set", chosen)


class Tuning:
    """A run of training; every state that it gives is a copy.

    Args:
        parent: is not changed.
        data: see :func:`training.adaptation.pairs.split_pairs`.
        config: see :func:`adaptation_settings`.
        tell: gets the events.
    """

    def __init__(
        self,
        parent: ZimTiny,
        data: TrainingData,
        config: TinyTrainConfig,
        tell: Callable[[Event], None],
    ) -> None:
        self.parent, self.config, self.tell = parent, config, tell
        self.device = torch.device(default_device())
        fine = config.zoom > 1
        reader = partial(
            SceneReader,
            data,
            longest=DETAIL_LONGEST if fine else MAX_SIDE,
            composed=DETAIL_COMPOSED if fine else COMPOSED,
        )
        self.samples = TinySamples(reader(), config, config.seed)
        held_out = reader(held_out=True)
        self.scenes = held_out_scenes(held_out, config.val_cases, config.seed)
        if not self.scenes:
            raise ZimError(
                "None of the held-out mattes can be used.",
                "Save the training pairs again.",
            )
        self.held_out_images = len({image_name(m) for _, m in held_out.pools[0].pairs})
        self.general = _rendered_scenes(self.samples.scenes, config.seed)

    def score(self, model: ZimTiny, scenes: Sequence[Scene]) -> list[Scores]:
        """Scores of a model on scenes, one each."""
        return score_prompts(model, scenes, self.device)

    def run(self, minutes: float, should_stop: Callable[[], bool]) -> Tuned | None:
        """Train until the time or the steps end; the best validated weights.

        Returns:
            None if ``should_stop`` before the first step.
        """
        trainer = TinyTrainer(self.config, ProcessGroup(0, 1, self.device))
        for model in (trainer.model, trainer.average):
            model.load_state_dict(self.parent.state_dict())
        clock = _Clock(60 * minutes, self.config.steps)
        best: Tuned | None = None
        for share in self._steps(trainer, clock, should_stop):
            if not clock.is_validation_due(share):
                continue
            iou = mean_scores(self.score(trainer.average, self.scenes))["iou"]
            self.tell(Validated(trainer.step, iou))
            if best is None or iou > best.iou:
                state = copy.deepcopy(trainer.average.state_dict())
                best = Tuned(state, trainer.step, iou)
        return best

    def _steps(
        self,
        trainer: TinyTrainer,
        clock: _Clock,
        should_stop: Callable[[], bool],
    ) -> Iterator[float]:
        """Take steps; the share of the run that is done after each, at last 1."""
        batches = micro_batches(trainer, self.samples)
        faults = FaultCounter(self.config.views)
        share = 0.0
        while share < 1 and not should_stop():
            batch = next(batches)
            faults.add(batch.pop("fault"))
            # The learning rate falls with the time that is left.
            steps = clock.expected_steps(trainer.step)
            trainer.config = replace(self.config, steps=steps)
            parts = trainer.train_step([batch])
            faults.check(trainer.step)
            share = 1.0 if should_stop() else clock.share(trainer.step)
            self.tell(Trained(trainer.step, share, float(parts["loss"])))
            yield share


class _Clock:
    """How much of a run is done, by time and by steps."""

    def __init__(self, seconds: float, steps: int) -> None:
        self.seconds, self.steps = seconds, steps
        self._started = time.monotonic()
        self._validations = 0

    def share(self, step: int) -> float:
        """The share that is done after a step, in [0, 1]."""
        elapsed = time.monotonic() - self._started
        if elapsed >= self.seconds:
            return 1.0
        return min(1.0, max(elapsed / self.seconds, step / self.steps))

    def expected_steps(self, step: int) -> int:
        """The number of steps of the whole run, as far as can be known now."""
        share = self.share(step)
        return max(step + 1, round(step / share) if step and share else self.steps)

    def is_validation_due(self, share: float) -> bool:
        """Whether it is time for another validation, which is then counted."""
        due = share >= (self._validations + 1) / VALIDATIONS or share >= 1
        if due:
            self._validations = int(share * VALIDATIONS)
        return due


def _rendered_scenes(reader: SceneReader, seed: int) -> list[Scene]:
    """Rendered scenes with an object, always the same."""
    pool = next(pool for pool in reader.pools if pool.kind == "procedural")
    scenes: list[Scene] = []
    number = 0
    while len(scenes) < GENERAL_SCENES:
        rng = np.random.default_rng((seed, number, GENERAL_SCENES))
        scene = reader.draw_scene_from(rng, pool)
        number += 1
        if (scene.alpha > 0.5).mean() > 0.01:
            scenes.append(scene)
    return scenes
