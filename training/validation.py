"""Validation during training: held-out images, simulated users, the best weights.

The averaged model predicts as the application does: from a click, from three clicks,
each on the largest error, and from a box.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import torch

from training.run_config import RunSettings
from training.sources import Scene, SceneReader
from zim_model.arrays import FloatArray
from zim_model.conversion.converter import Converter
from zim_model.conversion.network import ConverterNetwork
from zim_model.errors import ImageError
from zim_model.evaluation.clicks import click_by_click, matte_box
from zim_model.inference.predictor import ZimPredictor
from zim_model.matting.metrics import iou, sad
from zim_model.network.tiny import ZimTiny
from zim_model.network.zim import Zim
from zim_model.prompts import PromptSet
from zim_model.request import ALPHA_MAX

VALIDATION_FILE = "validation.csv"
CLICKS = (1, 3)
Scores = dict[str, float]
"""``iou``, ``sad`` and their parts; means over the cases."""


def held_out_scenes(reader: SceneReader, limit: int, seed: int) -> list[Scene]:
    """Held-out scenes, the same for the same data and seed.

    At most half are regions of label maps, unless there are too few mattes; both are
    evenly spaced over the sources.  Damaged images are left out.

    Args:
        reader: of the held-out images.
        limit: largest number of scenes.
        seed: chooses the regions of label maps.
    """
    pairs = {
        kind: [
            (pool, x) for pool in reader.pools if pool.kind == kind for x in pool.pairs
        ]
        for kind in ("matte", "labels")
    }
    mattes, labels = len(pairs["matte"]), len(pairs["labels"])
    count = {"labels": min(labels, max(limit // 2, limit - mattes))}
    count["matte"] = min(mattes, limit - count["labels"])
    scenes = []
    for kind in ("matte", "labels"):
        for number in range(count[kind]):
            pool, pair = pairs[kind][number * len(pairs[kind]) // count[kind]]
            rng = np.random.default_rng((seed, number))
            with suppress(ImageError):  # a damaged image
                scene = reader.scene_of(rng, pool, pair)
                if (scene.alpha > 0.5).any():
                    scenes.append(scene)
    return scenes


def validate_prompts(
    model: Zim | ZimTiny, scenes: Sequence[Scene], device: torch.device
) -> Scores:
    """Mean scores of a model that takes prompts, see :func:`score_prompts`."""
    return mean_scores(score_prompts(model, scenes, device))


def score_prompts(
    model: Zim | ZimTiny, scenes: Sequence[Scene], device: torch.device
) -> list[Scores]:
    """Scores of each scene: IoU at 1 and 3 clicks and a box, their mean, and SAD.

    SAD is that of mattes from a box, in thousands.

    Args:
        model: is not changed.
        scenes: each with a non-empty object.
        device: where a copy of the model runs.
    """
    predictor = ZimPredictor(copy.deepcopy(model), str(device))

    def solve(prompts: PromptSet) -> FloatArray:
        box = prompts.box
        masks, _, _ = predictor.predict(
            [[point.x, point.y] for point in prompts.points] or None,
            [int(point.positive) for point in prompts.points] or None,
            None if box is None else [box.x0, box.y0, box.x1, box.y1],
            multimask_output=False,
        )
        return np.asarray(masks[0], np.float32)

    rows: list[Scores] = []
    for scene in scenes:
        predictor.set_image(scene.image)
        target, row = scene.alpha > 0.5, {}
        steps = click_by_click(solve, target, scene.valid, max(CLICKS))
        for number, (_, alpha) in enumerate(steps, 1):
            if number in CLICKS:
                row[f"iou_{number}"] = iou(alpha > 0.5, target, scene.valid)
        alpha = solve(PromptSet((), matte_box(scene.alpha)))
        row["iou_box"] = iou(alpha > 0.5, target, scene.valid)
        row["iou"] = float(np.mean(list(row.values())))
        if scene.exact:
            row["sad"] = sad(alpha, scene.alpha)
        rows.append(row)
    return rows


def validate_conversions(
    network: ConverterNetwork,
    pairs: Sequence[tuple[Scene, np.ndarray]],
    device: torch.device,
) -> Scores:
    """Scores of a label converter: IoU and SAD of mattes from coarse labels.

    Args:
        network: is not changed.
        pairs: scenes with a coarse label (H, W) bool each.
        device: where a copy of the network runs.
    """
    converter = Converter(copy.deepcopy(network), str(device))
    rows = []
    for scene, label in pairs:
        matte = converter.convert(scene.image, label)
        alpha = np.asarray(matte / ALPHA_MAX, np.float32)
        overlap = iou(alpha > 0.5, scene.alpha > 0.5, scene.valid)
        rows.append({"iou": overlap, "sad": sad(alpha, scene.alpha)})
    return mean_scores(rows)


def mean_scores(rows: Sequence[Scores]) -> Scores:
    """The mean of every score over the rows that have it."""
    fullest_first = sorted(rows, key=len, reverse=True)  # whose order is that of all
    names = dict.fromkeys(name for row in fullest_first for name in row)
    return {
        name: float(np.mean([row[name] for row in rows if name in row]))
        for name in names
    }


@dataclass
class Validation:
    """Validates a run and remembers the best score.

    Attributes:
        config: when, and by which score.
        measure: the scores of the model as it is; None if no image is held out.
        best: scores and ``step`` of the best validation, and ``stale``, the number of
            validations since; empty before the first.
    """

    config: RunSettings
    measure: Callable[[], Scores] | None
    best: dict[str, float]

    @property
    def every(self) -> int:
        """Steps between validations."""
        return self.config.val_every or self.config.save_every

    def is_due(self, step: int) -> bool:
        """Whether to validate after a step.

        It depends on the step alone, so that a resumed run has the same validations.
        """
        due = step % self.every == 0 or step == self.config.steps
        return due and self.measure is not None

    def run(self, step: int) -> tuple[Scores, bool]:
        """Validate; return the scores and whether they are the best so far.

        Threads are as they were before.
        """
        assert self.measure is not None
        threads = torch.get_num_threads()
        with torch.no_grad():
            scores = self.measure()
        torch.set_num_threads(threads)
        return scores, self.note(scores, step)

    def note(self, scores: Mapping[str, float], step: int) -> bool:
        """Remember the scores of a step; return whether they are the best so far."""
        by = self.config.best_by if self.config.best_by in scores else "iou"
        if by in self.best:
            higher, lower = scores[by] > self.best[by], scores[by] < self.best[by]
            if not (lower if by == "sad" else higher):
                self.best["stale"] += 1
                return False
        self.best.clear()
        self.best.update(scores, step=step, stale=0)
        return True

    @property
    def is_exhausted(self) -> bool:
        """Whether there was no better score for ``patience`` validations."""
        return 0 < self.config.patience <= self.best.get("stale", 0)
