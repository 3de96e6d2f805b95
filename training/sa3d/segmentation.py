"""From a prompt in one view to the masks of all: inverse rendering, view after view."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
import torch

from training.sa3d.mask_grid import MaskGrid
from training.sa3d.scene import Array, PosedImage
from training.sa3d.self_prompting import select_points
from zim_model.arrays import BoolArray, FloatArray
from zim_model.matting.metrics import iou
from zim_model.prompts import Box, PromptSet
from zim_model.recipe import Recipe
from zim_model.request import ALPHA_MAX, Matte, Request


class Solver(Protocol):
    """Turns requests into mattes, as the engine does."""

    def solve(self, request: Request) -> Matte:
        """The matte of a request."""
        ...


@dataclass(frozen=True, slots=True)
class SegmentationConfig:
    """How masks go from view to view.

    Attributes:
        model: that predicts the mask of each view.
        points: most self-prompted points of a view.
        box: whether the box around the rendered mask is a prompt, too.
        min_iou: a view is rejected if the IoU of the rendered and the predicted mask is
            below it.
        negative: weight of the rays outside a mask, see ``mask_grid``.
    """

    model: str = "zim-tiny"
    points: int = 5
    box: bool = True
    min_iou: float = 0.5
    negative: float = 1.0


@dataclass(frozen=True, slots=True)
class ViewStep:
    """What happened at a view.

    Attributes:
        name: of the view.
        prompts: that its mask was predicted from, in its pixels; None if the grid shows
            nothing of the object there.
        agreement: IoU of the rendered and the predicted mask; 1 at the first view.
        accepted: whether the grid learnt the predicted mask.
    """

    name: str
    prompts: PromptSet | None
    agreement: float
    accepted: bool


def segment(
    views: Sequence[PosedImage],
    first: int,
    prompts: PromptSet,
    grid: MaskGrid,
    solver: Solver,
    config: SegmentationConfig,
) -> Iterator[ViewStep]:
    """Teach the grid the mask of each view, the nearest to the first one first.

    Args:
        views: all views.
        first: index of the view that the prompts are for.
        prompts: in pixels of that view.
        grid: without a mask; it learns.
        solver: predicts masks.
        config: how.

    Raises:
        ZimError: the prompts or the model cannot be used.
    """
    start = views[first].camera.position
    order = sorted(
        range(len(views)),
        key=lambda i: (i != first, np.linalg.norm(views[i].camera.position - start)),
    )
    for index in order:
        view = views[index]
        samples = grid.trace(view)
        own: PromptSet | None = prompts
        rendered = None
        if index != first:
            shape = view.image.shape[:2]
            rendered = grid.render(samples).cpu().numpy().reshape(shape)
            places = grid.positions(samples).double().cpu().numpy()
            positions = grid.frame.to_world(places).reshape(*shape, 3)
            own = _self_prompts(rendered, positions, config)
        if own is None:
            yield ViewStep(view.name, None, 0.0, accepted=False)
            continue
        matte = solver.solve(Request(view.image, view.name, Recipe(own, config.model)))
        alpha = np.asarray(matte.alpha / ALPHA_MAX, np.float32)
        agreement = 1.0 if rendered is None else iou(rendered > 0, alpha > 0.5)
        accepted = agreement >= config.min_iou
        if accepted:
            mask = torch.from_numpy(alpha.ravel()).to(grid.confidence.device)
            grid.learn(samples, mask)
        yield ViewStep(view.name, own, agreement, accepted)


def _self_prompts(
    rendered: FloatArray, positions: Array, config: SegmentationConfig
) -> PromptSet | None:
    """Prompts from a rendered mask (H, W) and the places (H, W, 3) of its pixels."""
    points = select_points(rendered.astype(np.float64), positions, config.points)
    if not points:
        return None
    if not config.box:
        return PromptSet(points)
    return PromptSet(points, Box.around(largest_region(rendered > 0)))


def largest_region(mask: BoolArray) -> BoolArray:
    """The largest connected region of a mask (H, W) that is not empty."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    return np.asarray(labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax()))


def final_mask(grid: MaskGrid, view: PosedImage) -> BoolArray:
    """The mask (H, W) that the grid shows in a view, at the size of its file."""
    confidence = grid.render(grid.trace(view)).cpu().numpy()
    confidence = confidence.reshape(view.image.shape[:2])
    height, width = view.full_size
    return np.asarray(cv2.resize(confidence, (width, height)) > 0)
