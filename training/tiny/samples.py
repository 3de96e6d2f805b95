"""Training samples of zim-tiny: square views of scenes with prompts drawn into maps.

Every sample is a pure function of (seed, number).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from training.samples import RejectionDataset, augment_colours
from training.sources import Scene, SceneReader
from training.tiny import prompts
from training.tiny.config import TinyTrainConfig
from zim_model.arrays import BoolArray, ByteArray, FloatArray
from zim_model.network.config import PADDING_GREY
from zim_model.prompts import Box

LARGEST_TURN = 15.0
"""Degrees that a view may be turned."""
CLOSEST, FARTHEST = 1.15, 2.2
"""Sides of the views of an object, as multiples of the object's longer side."""
RECOLOURED = 0.7
"""Share of the images whose colours are changed."""
AT_ONCE = 0.12
"""Share of the clicks that are drawn at once, not one after another."""
DRAWN_REGIONS = 0.5
"""Share of scribbles and lassos among the prompts of regions that have no box."""
MIN_AREA = 40
"""Objects of fewer pixels at stride 2 are not targets."""


@dataclass(frozen=True, slots=True, eq=False)
class ViewMaps:
    """A square view of a scene.

    Attributes:
        image: (S, S, 3) uint8, grey outside the image.
        alpha: (S, S) float32, 0 outside.
        valid: (S, S) bool, false outside.
        other_objects: (S, S) bool.
    """

    image: ByteArray
    alpha: FloatArray
    valid: BoolArray
    other_objects: BoolArray


class TinySamples(RejectionDataset):
    """Views with prompts, ready for the network.

    An item holds, at input side S: ``image`` (3, S, S) uint8, ``maps`` (3, S, S) uint8
    (see :mod:`training.tiny.prompts`), ``target`` and ``weight`` (S/2, S/2) float32,
    ``exact`` 1 for real mattes, ``ambiguous`` 1 for a single click or none.  With the
    detail stage the image, ``target`` and ``weight`` have twice the side.
    """

    def __init__(self, scenes: SceneReader, config: TinyTrainConfig, seed: int) -> None:
        super().__init__(config.steps * config.views, seed)
        self.scenes, self.config = scenes, config

    def summary(self) -> str:
        return self.scenes.summary()

    def draw(self, rng: np.random.Generator, index: int) -> dict[str, Tensor] | None:
        size = self.config.input_side(index // self.config.views)
        return self.sample(rng, self.scenes.draw_scene(rng), size)

    def sample(
        self, rng: np.random.Generator, scene: Scene, size: int
    ) -> dict[str, Tensor] | None:
        """The item of a scene at input side ``size``; None if it is of no use."""
        config = self.config
        shown = scene.alpha > 0.5
        if shown.sum() < 32:
            return None
        subject = scene.subject and rng.random() < config.subject_share
        boxed = not subject and rng.random() < config.box_share
        whole = subject or rng.random() < (0.15 if boxed else config.whole_share)
        if rng.random() < RECOLOURED:
            scene = replace(scene, image=augment_colours(rng, scene.image))
        zoom = config.zoom
        fine = sample_view(rng, scene, zoom * size, whole=whole, tight=boxed)
        view = fine if zoom == 1 else halve_view(fine)
        mask = view.alpha > 0.5
        if mask.sum() < 4 * MIN_AREA or mask.mean() > 0.97:
            return None
        maps = np.zeros((3, size, size), np.uint8)
        ambiguous = not boxed
        if boxed:
            prompts.draw_box(rng, maps, view.alpha > 0.1)
            if rng.random() < 0.2:
                prompts.draw_clicks(rng, maps, mask, view.other_objects)
        elif not subject:
            ambiguous = self._draw(rng, maps, mask, view, region=scene.region)
        alpha, valid = (
            cv2.resize(plane, (zoom * size // 2,) * 2, interpolation=cv2.INTER_AREA)
            for plane in (fine.alpha, fine.valid.astype(np.float32))
        )
        return {
            "image": torch.from_numpy(fine.image.transpose(2, 0, 1).copy()),
            "maps": torch.from_numpy(maps),
            "target": torch.from_numpy(alpha.clip(0, 1)),
            "weight": torch.from_numpy((valid > 0.5).astype(np.float32)),
            "exact": torch.tensor(float(scene.exact)),
            "ambiguous": torch.tensor(float(ambiguous)),
        }

    def _draw(
        self,
        rng: np.random.Generator,
        maps: ByteArray,
        mask: BoolArray,
        view: ViewMaps,
        *,
        region: bool,
    ) -> bool:
        """Draw clicks, a scribble or a lasso; whether it is a single click.

        Regions get two clicks or more, because one would mean anything.
        """
        if rng.random() < (DRAWN_REGIONS if region else self.config.drawn_share):
            if rng.random() < 0.35:
                prompts.draw_lasso(rng, maps, mask, self.config.lasso_looseness)
            else:
                prompts.draw_scribble(rng, maps, mask)
            return False
        if region or rng.random() < AT_ONCE:
            fewest = 2 if region else 1
            prompts.draw_clicks(rng, maps, mask, view.other_objects, fewest)
            return False
        prompts.draw_first_click(rng, maps, mask)
        return True


def halve_view(view: ViewMaps) -> ViewMaps:
    """A view at half the side."""
    side = view.alpha.shape[0] // 2
    image, alpha = (
        cv2.resize(plane, (side, side), interpolation=cv2.INTER_AREA)
        for plane in (view.image, view.alpha)
    )
    return ViewMaps(
        np.asarray(image, np.uint8),
        np.asarray(alpha, np.float32),
        view.valid[::2, ::2],
        view.other_objects[::2, ::2],
    )


def sample_view(
    rng: np.random.Generator, scene: Scene, size: int, *, whole: bool, tight: bool
) -> ViewMaps:
    """A square view of a scene, flipped, turned, and stretched at random.

    Args:
        whole: show the whole image, else the object and its surroundings.
        tight: show fewer surroundings, as the engine does for a box.
    """
    height, width = scene.alpha.shape
    if whole:
        left, top, side = 0.0, 0.0, float(max(height, width))
        if rng.random() < 0.3:  # part of an image is an image
            left, top, side = _crop_with(rng, scene, side)
    else:
        box = Box.around(scene.alpha > 0.1)
        farthest = 1.75 if tight else FARTHEST
        side = max(box.width, box.height, 24) * rng.uniform(CLOSEST, farthest)
        side = min(side, 1.1 * max(height, width))
        play = np.maximum(side - np.array([box.width, box.height]), 0) * 0.3
        x, y = rng.uniform(-1, 1, 2) * play / 2
        left = (box.x0 + box.x1 - side) / 2 + x
        top = (box.y0 + box.y1 - side) / 2 + y
        # As the engine's views, which stay inside the image.
        left = min(max(left, 0.0), max(width - side, 0.0))
        top = min(max(top, 0.0), max(height - side, 0.0))
    scale = size / side
    turn = 0.0 if rng.random() < 0.4 else rng.normal(0, LARGEST_TURN / 2)
    turn = float(np.clip(turn, -LARGEST_TURN, LARGEST_TURN))
    flip = -1.0 if rng.random() < 0.5 else 1.0
    stretch = math.exp(rng.normal(0, 0.08))
    return _warp(scene, (left, top, side), size, scale, (turn, flip, stretch))


def _crop_with(
    rng: np.random.Generator, scene: Scene, side: float
) -> tuple[float, float, float]:
    """Left, top and side of a square part of the image that holds the object."""
    height, width = scene.alpha.shape
    box = Box.around(scene.alpha > 0.1)
    smallest = max(box.width, box.height) * 1.05
    if smallest >= side:
        return 0.0, 0.0, side
    side = rng.uniform(smallest, side)
    left = rng.uniform(max(0.0, box.x1 - side), max(0.0, min(box.x0, width - side)) + 1)
    top = rng.uniform(max(0.0, box.y1 - side), max(0.0, min(box.y0, height - side)) + 1)
    return left, top, side


def _warp(
    scene: Scene,
    part: tuple[float, float, float],
    size: int,
    scale: float,
    change: tuple[float, float, float],
) -> ViewMaps:
    """The square part (left, top, side) of a scene at ``size`` pixels.

    Args:
        change: degrees to turn, -1 to mirror, and the ratio of width to height.
    """
    left, top, side = part
    turn, flip, stretch = change
    planes: list[npt.NDArray[Any]] = [
        scene.image,
        scene.alpha,
        scene.valid.astype(np.uint8),
        scene.other_objects.astype(np.uint8),
    ]
    if scale < 0.6:  # warpAffine alone would alias
        height, width = scene.alpha.shape
        small = (max(1, round(width * scale)), max(1, round(height * scale)))
        planes = [
            np.asarray(cv2.resize(plane, small, interpolation=cv2.INTER_AREA))
            for plane in planes
        ]
        left, top, side = left * scale, top * scale, side * scale
        scale = size / side
    angle = math.radians(turn)
    a, b = scale * math.cos(angle), scale * math.sin(angle)
    matrix = np.array([[flip * a * stretch, flip * b * stretch, 0], [-b, a, 0]])
    centre = np.array([left + side / 2, top + side / 2])
    # Pixel centres lie at whole coordinates in OpenCV.
    matrix[:, 2] = size / 2 - 0.5 - matrix[:, :2] @ (centre - 0.5)
    image, alpha, valid, others = (
        np.asarray(
            cv2.warpAffine(
                plane,
                matrix,
                (size, size),
                flags=cv2.INTER_LINEAR if i < 2 else cv2.INTER_NEAREST,
                borderValue=(PADDING_GREY,) * 3 if i == 0 else 0,
            )
        )
        for i, plane in enumerate(planes)
    )
    return ViewMaps(
        np.asarray(image, np.uint8),
        np.asarray(alpha, np.float32),
        valid > 0,
        others > 0,
    )
