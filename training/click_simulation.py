"""Simulated clicks on prediction errors, for iterative training (RITM)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from zim_model.arrays import BoolArray
from zim_model.backends.torch_backend import prompt_tokens
from zim_model.evaluation import next_click
from zim_model.network.decoder import BOTTOM_RIGHT, NEGATIVE, POSITIVE, TOP_LEFT
from zim_model.prompts import Box, Point, PromptSet

CORRECTED_SHARE = 0.7
"""Share of the prompt sets that get a click in a round of corrections."""


def prompts_from_tokens(coords: Tensor, labels: Tensor) -> PromptSet:
    """Convert tokens (T, 2) and (T,) back to prompts, in the same pixel coordinates."""
    points, corners = [], {}
    for (x, y), label in zip(coords.tolist(), labels.tolist(), strict=True):
        if label in (NEGATIVE, POSITIVE):
            points.append(Point(x, y, label == POSITIVE))
        elif label in (TOP_LEFT, BOTTOM_RIGHT):
            corners[label] = (x, y)
    box = Box(*corners[TOP_LEFT], *corners[BOTTOM_RIGHT]) if corners else None
    return PromptSet(tuple(points), box)


def add_correction_clicks(
    rng: np.random.Generator,
    batch: dict[str, Tensor],
    predicted: BoolArray,
    stride: int,
) -> dict[str, Tensor]:
    """Add one click to some prompt sets, at the centre of the largest error.

    Args:
        rng: selects the prompt sets.
        batch: V views with P prompt sets each, as made by
            :class:`training.samples.PromptSamples`.
        predicted: (V * P, h, w) bool, the predicted masks.
        stride: input pixels per mask pixel.

    Returns:
        A batch with new ``coords`` and ``labels``; the input is not modified.
    """
    batch = {**batch, **{key: batch[key].clone() for key in ("coords", "labels")}}
    views, per_view = batch["coords"].shape[:2]
    for place in np.flatnonzero(rng.random(views * per_view) < CORRECTED_SHARE):
        view, row = divmod(int(place), per_view)
        prompts = _add_click(batch, view, row, predicted[place], stride)
        if prompts is None:
            continue
        coords, labels = prompt_tokens(prompts, batch["labels"].shape[2])
        batch["coords"][view, row] = torch.from_numpy(coords)
        batch["labels"][view, row] = torch.from_numpy(labels)
    return batch


def _add_click(
    batch: dict[str, Tensor], view: int, row: int, predicted: BoolArray, stride: int
) -> PromptSet | None:
    """Return a prompt set with one more click.

    None if all tokens are in use or nothing is wrong.
    """
    prompts = prompts_from_tokens(
        batch["coords"][view, row], batch["labels"][view, row]
    )
    if len(prompts.points) + 2 >= batch["labels"].shape[2]:
        return None
    target = batch["target"][view, row].numpy() > 0.5
    valid = batch["weight"][view, row].numpy() > 0
    if not ((predicted != target) & valid).any():
        return None
    clicked = np.zeros(target.shape, bool)
    for point in prompts.points:
        clicked[int(point.y) // stride, int(point.x) // stride] = True
    click = next_click(predicted, target, valid, clicked)
    added = Point(click.x * stride, click.y * stride, click.positive)
    return PromptSet((*prompts.points, added), prompts.box)
