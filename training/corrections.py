"""Clicks on a model's own mistakes, for iterative training (RITM)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from training.data import MAX_TOKENS
from zim_model.arrays import BoolArray
from zim_model.backends import prompt_tokens
from zim_model.cues import cue_maps
from zim_model.decoder import BOTTOM_RIGHT, NEGATIVE, POSITIVE, TOP_LEFT
from zim_model.evaluation import next_click
from zim_model.prompts import Box, Point, PromptSet

CORRECTED_SHARE = 0.5
"""Share of the prompt sets that a round of corrections touches."""


def prompts_of(coords: Tensor, labels: Tensor) -> PromptSet:
    """The prompts that tokens (T, 2) and (T,) stand for, in the same pixels."""
    points, corners = [], {}
    for (x, y), label in zip(coords.tolist(), labels.tolist(), strict=True):
        if label in (NEGATIVE, POSITIVE):
            points.append(Point(x, y, label == POSITIVE))
        elif label in (TOP_LEFT, BOTTOM_RIGHT):
            corners[label] = (x, y)
    box = Box(*corners[TOP_LEFT], *corners[BOTTOM_RIGHT]) if corners else None
    return PromptSet(tuple(points), box)


def corrected(
    rng: np.random.Generator, batch: dict[str, Tensor], found: BoolArray, stride: int
) -> dict[str, Tensor]:
    """Add one click to some prompt sets, in the middle of the largest error.

    Args:
        rng: chooses the prompt sets.
        batch: V views with P prompt sets each, as :class:`training.data.Samples` makes
            them.
        found: (V * P, h, w) masks that the model predicts for them.
        stride: input pixels per mask pixel.

    Returns:
        A batch with new ``coords``, ``labels`` and ``cues``; the given one stays.
    """
    batch = {
        **batch,
        **{key: batch[key].clone() for key in ("coords", "labels", "cues")},
    }
    views, per_view = batch["coords"].shape[:2]
    for place in np.flatnonzero(rng.random(views * per_view) < CORRECTED_SHARE):
        view, row = divmod(int(place), per_view)
        prompts = prompts_of(batch["coords"][view, row], batch["labels"][view, row])
        if len(prompts.points) + 2 >= MAX_TOKENS:
            continue
        target = batch["target"][view, row].numpy() > 0.5
        known = batch["weight"][view, row].numpy() > 0
        if not ((found[place] != target) & known).any():
            continue
        clicked = np.zeros(target.shape, bool)
        for point in prompts.points:
            clicked[int(point.y) // stride, int(point.x) // stride] = True
        click = next_click(found[place], target, known, clicked)
        added = Point(click.x * stride, click.y * stride, click.positive)
        prompts = PromptSet((*prompts.points, added), prompts.box)
        coords, labels = prompt_tokens(prompts, MAX_TOKENS)
        height, width = batch["extent"][view].tolist()
        pixels = batch["pixels"][view, :height, :width].numpy()
        size = batch["cues"].shape[-1]
        batch["coords"][view, row] = torch.from_numpy(coords)
        batch["labels"][view, row] = torch.from_numpy(labels)
        batch["cues"][view, row] = torch.from_numpy(cue_maps(pixels, prompts, size))
    return batch
