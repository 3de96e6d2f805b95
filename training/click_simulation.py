"""Clicks on a model's own mistakes, for iterative training (RITM)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from zim_model.arrays import BoolArray, ByteArray, FloatArray
from zim_model.evaluation import next_click
from zim_model.inference.backends import prompt_tokens
from zim_model.network.cue_maps import cue_maps
from zim_model.network.decoder import BOTTOM_RIGHT, NEGATIVE, POSITIVE, TOP_LEFT
from zim_model.prompts import Box, Point, PromptSet

CORRECTED_SHARE = 0.7
"""Share of the prompt sets that a round of corrections touches."""


@dataclass(frozen=True, slots=True, eq=False)
class CueJob:
    """Cue maps to draw: arguments of ``zim_model.network.cue_maps.cue_maps``."""

    pixels: ByteArray
    prompts: PromptSet
    size: int


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


Draw = Callable[[CueJob], FloatArray]
Mapper = Callable[[Draw, Iterable[CueJob]], Iterable[FloatArray]]
"""Draws many cue maps, in order: ``map``, or that of a pool of processes."""


def drawn(job: CueJob) -> FloatArray:
    """The cue maps of one job."""
    return cue_maps(job.pixels, job.prompts, job.size)


def corrected(
    rng: np.random.Generator,
    batch: dict[str, Tensor],
    found: BoolArray,
    stride: int,
    mapper: Mapper = map,
) -> dict[str, Tensor]:
    """Add one click to some prompt sets, in the middle of the largest error.

    Args:
        rng: chooses the prompt sets.
        batch: V views with P prompt sets each, as :class:`training.samples.Samples`
            makes them.
        found: (V * P, h, w) masks that the model predicts for them.
        stride: input pixels per mask pixel.
        mapper: draws the new cue maps.

    Returns:
        A batch with new ``coords``, ``labels`` and ``cues``; the given one stays.
    """
    batch = {
        **batch,
        **{key: batch[key].clone() for key in ("coords", "labels", "cues")},
    }
    views, per_view = batch["coords"].shape[:2]
    size, places, jobs = batch["cues"].shape[-1], [], []
    for place in np.flatnonzero(rng.random(views * per_view) < CORRECTED_SHARE):
        view, row = divmod(int(place), per_view)
        prompts = _clicked(batch, view, row, found[place], stride)
        if prompts is None:
            continue
        coords, labels = prompt_tokens(prompts, batch["labels"].shape[2])
        batch["coords"][view, row] = torch.from_numpy(coords)
        batch["labels"][view, row] = torch.from_numpy(labels)
        if not batch["cues"].shape[2]:  # a model that takes tokens alone
            continue
        height, width = batch["extent"][view].tolist()
        pixels = batch["pixels"][view, :height, :width].numpy()
        places.append((view, row))
        jobs.append(CueJob(pixels, prompts, size))
    for (view, row), maps in zip(places, mapper(drawn, jobs), strict=True):
        batch["cues"][view, row] = torch.from_numpy(maps)
    return batch


def _clicked(
    batch: dict[str, Tensor], view: int, row: int, found: BoolArray, stride: int
) -> PromptSet | None:
    """A prompt set with a click more; None if there is no room or nothing is wrong."""
    prompts = prompts_of(batch["coords"][view, row], batch["labels"][view, row])
    if len(prompts.points) + 2 >= batch["labels"].shape[2]:
        return None
    target = batch["target"][view, row].numpy() > 0.5
    known = batch["weight"][view, row].numpy() > 0
    if not ((found != target) & known).any():
        return None
    clicked = np.zeros(target.shape, bool)
    for point in prompts.points:
        clicked[int(point.y) // stride, int(point.x) // stride] = True
    click = next_click(found, target, known, clicked)
    added = Point(click.x * stride, click.y * stride, click.positive)
    return PromptSet((*prompts.points, added), prompts.box)
