"""Training samples: views of scenes with prompts, ready for the network.

Every sample is a pure function of (seed, number), so that a run can stop and go on at
any step and workers need no common state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import Dataset

from training.prompt_sampling import (
    bounding_box,
    central_click,
    jittered,
    sample_clicks,
)
from training.sources import Pictures, Scene
from zim_model.arrays import ByteArray, FloatArray
from zim_model.errors import ZimError
from zim_model.inference.backends import prompt_tokens
from zim_model.inference.iterative import CLOSER_MARGIN
from zim_model.inference.view import (
    View,
    around,
    choose_view,
    normalised,
    resized_view,
)
from zim_model.network.config import ZimConfig
from zim_model.network.cue_maps import cue_maps
from zim_model.prompts import Box, Point, PromptSet

PROMPTS_PER_VIEW = 2
MAX_POINTS = 8
MAX_TOKENS = MAX_POINTS + 4
"""The box's corners and, at the least, two corrections."""
FIRST_CLICK = 0.6
"""Share of the prompts without a box that are one click in the middle of the object;
clicks on mistakes then go on from there, as a user does."""
ATTEMPTS = 100
"""Draws until a scene is of use."""
OBJECT_VIEW = 0.5
"""Share of samples that show a box's surroundings; the others have no box."""
CLOSER_VIEW = 0.3
"""Share of the samples without a box that show the surroundings of the object, as the
second look at it does; the others show all of the picture."""
FILLED = 0.12
"""Share of the crops that the object fills, so that nothing is outside its box."""


def augmented(rng: np.random.Generator, scene: Scene) -> Scene:
    """Flip, crop and change colours; the object stays in the picture."""
    if rng.random() < 0.5:
        scene = scene.cut(np.s_[:, ::-1])
    if rng.random() < 0.5 and (scene.alpha > 0.5).any():
        box = bounding_box(scene.alpha > 0.5)
        height, width = scene.alpha.shape
        keep = rng.uniform(0, 1, 4)
        if rng.random() < FILLED:
            keep = np.ones(4)
        x0, y0 = int(box.x0 * keep[0]), int(box.y0 * keep[1])
        x1 = int(np.ceil(width - (width - box.x1) * keep[2]))
        y1 = int(np.ceil(height - (height - box.y1) * keep[3]))
        scene = scene.cut(np.s_[y0:y1, x0:x1])
    if rng.random() < 0.7:
        scene = replace(scene, image=recoloured(rng, scene.image))
    return scene


def recoloured(rng: np.random.Generator, image: ByteArray) -> ByteArray:
    """Change brightness, contrast and colours, (H, W, 3) uint8; at times add noise."""
    ramp = np.linspace(0, 1, 256) ** rng.uniform(0.7, 1.4)
    gain = rng.uniform(0.8, 1.2) * rng.uniform(0.92, 1.08, 3)
    shift = rng.uniform(-0.08, 0.08)
    table = np.clip((ramp[:, None] * gain + shift) * 255, 0, 255).astype(np.uint8)
    out = cv2.LUT(image, table[None])
    if rng.random() < 0.1:
        grey = cv2.cvtColor(out, cv2.COLOR_RGB2GRAY)
        out = cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB)
    if rng.random() < 0.15:
        noise = rng.normal(0, rng.uniform(2, 10), out.shape)
        out = np.clip(out + noise, 0, 255)
    return np.asarray(out, np.uint8)


def draw_prompts(
    rng: np.random.Generator, scene: Scene, *, with_box: bool
) -> PromptSet:
    """Prompts in image pixels for the object of a scene, which must not be empty."""
    mask = scene.alpha > 0.5
    if not with_box and rng.random() < FIRST_CLICK:
        return PromptSet((central_click(rng, mask, positive=True),), None)
    if not with_box:
        return PromptSet(
            sample_clicks(rng, mask, scene.others, max_points=MAX_POINTS), None
        )
    box = jittered(rng, bounding_box(scene.alpha > 0.1), *mask.shape)
    points: tuple[Point, ...] = ()
    if rng.random() < 0.4:
        first = bool(rng.random() < 0.5)
        points = sample_clicks(
            rng, mask, scene.others, max_points=5, first_positive=first
        )
    return PromptSet(points, box)


class Repeated(Dataset[dict[str, Any]]):
    """Samples that are drawn at random, again and again until one is of use.

    Every item holds ``fault``, which names a picture that was skipped because it is
    damaged, or is empty.
    """

    def __init__(self, count: int, seed: int) -> None:
        self.count, self.seed = count, seed

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> dict[str, Any]:
        fault = ""
        for attempt in range(ATTEMPTS):
            rng = np.random.default_rng((self.seed, index, attempt))
            try:
                item = self.attempted(rng, index, attempt)
            except ZimError as error:
                fault = str(error)
                continue
            if item is not None:
                return {**item, "fault": fault}
        raise ZimError(f"No picture of {ATTEMPTS} could be used. {fault}".rstrip())

    def attempted(
        self, rng: np.random.Generator, index: int, attempt: int
    ) -> dict[str, Tensor] | None:
        """One attempt at a sample, for those who must know which."""
        del attempt
        return self.drawn(rng, index)

    def drawn(self, rng: np.random.Generator, index: int) -> dict[str, Tensor] | None:
        """One attempt at a sample; None if what was drawn is of no use.

        Raises:
            ZimError: the picture is damaged.
        """
        raise NotImplementedError


class Draws(Repeated):
    """Samples of ZIM's input: sample i has the input side ``sizes[i]``."""

    def __init__(
        self, pictures: Pictures, config: ZimConfig, sizes: Sequence[int], seed: int
    ) -> None:
        super().__init__(len(sizes), seed)
        self.pictures, self.config, self.sizes = pictures, config, sizes


class Samples(Draws):
    """Views with prompts, ready for the network.

    Item i holds, for P prompt sets on one view of side S: ``image`` (3, S, S),
    ``coords`` (P, T, 2), ``labels`` (P, T), ``cues`` (P, K, S/2, S/2), ``target`` and
    ``weight`` (P, S/m, S/m) at the network's mask stride m, ``exact`` (P,), and for a
    model with a region head ``regions`` and ``single``, as those of
    :class:`training.regions.LabelSamples`.  From ``pixels`` (S, S, 3) uint8 with
    padding and ``extent`` (2,), its height and width without, cue maps can be drawn
    anew.
    """

    def drawn(self, rng: np.random.Generator, index: int) -> dict[str, Tensor] | None:
        return self.sample(rng, self.pictures.scene(rng), int(self.sizes[index]))

    def prompted(
        self, rng: np.random.Generator, scene: Scene
    ) -> tuple[Scene, Sequence[PromptSet], int]:
        """The scene, changed at random, its prompts, and the tokens they may take.

        Scenes without prompts are of no use.
        """
        scene = augmented(rng, scene)
        if (scene.alpha > 0.5).sum() < 48 or min(scene.alpha.shape) < 16:
            return scene, (), MAX_TOKENS
        with_box = rng.random() < OBJECT_VIEW
        prompts = [
            draw_prompts(rng, scene, with_box=with_box) for _ in range(PROMPTS_PER_VIEW)
        ]
        return scene, prompts, MAX_TOKENS

    def sample(
        self, rng: np.random.Generator, scene: Scene, size: int
    ) -> dict[str, Tensor] | None:
        """The item of a scene at input side ``size``; None if it is of no use."""
        scene, prompts, length = self.prompted(rng, scene)
        if not prompts:
            return None
        view = self._view(rng, scene, prompts)
        view = View(view.left, view.top, view.right, view.bottom, size)
        pixels = resized_view(self.config, scene.image, view)
        tokens, cues = [], []
        for prompt in prompts:
            inside = view.apply(prompt)
            tokens.append(prompt_tokens(inside, length))
            cues.append(self._cues(pixels, inside, size // 2))
        target, weight = self._targets(scene, view, size)
        count = len(prompts)
        padded = np.zeros((size, size, 3), np.uint8)
        padded[: pixels.shape[0], : pixels.shape[1]] = pixels
        return {
            **self._regions(scene, view, size),
            "image": torch.from_numpy(normalised(pixels, size)),
            "coords": torch.from_numpy(np.stack([t[0] for t in tokens])),
            "labels": torch.from_numpy(np.stack([t[1] for t in tokens])),
            "cues": torch.from_numpy(np.stack(cues)),
            "target": torch.from_numpy(target).expand(count, -1, -1),
            "weight": torch.from_numpy(weight).expand(count, -1, -1),
            "pixels": torch.from_numpy(padded),
            "extent": torch.tensor(pixels.shape[:2]),
            "exact": torch.full((count,), float(scene.exact)),
        }

    def _cues(self, pixels: ByteArray, inside: PromptSet, side: int) -> FloatArray:
        if not self.config.cue_channels:
            return np.zeros((0, side, side), np.float32)
        return cue_maps(pixels, inside, side)

    def _regions(self, scene: Scene, view: View, size: int) -> dict[str, Tensor]:
        if self.config.region_channels is None:
            return {}
        drawn = scene.label_map()
        return {
            "regions": torch.from_numpy(halved_labels(drawn.labels, view, size)),
            "single": torch.tensor(float(drawn.single)),
        }

    def _view(
        self, rng: np.random.Generator, scene: Scene, prompts: Sequence[PromptSet]
    ) -> View:
        """What the model sees: as the first look does or, at times, the second."""
        height, width = scene.alpha.shape
        view = choose_view(self.config, prompts[0], height, width)
        looks_once = self.config.view != "object" or prompts[0].box is not None
        if looks_once or rng.random() >= CLOSER_VIEW:
            return view
        # What was found at first is not quite the object.
        found = jittered(rng, bounding_box(scene.alpha > 0.5), height, width)
        corners = ((found.x0, found.y0), (found.x1, found.y1))
        places = [place for each in prompts for place in each.positive_places]
        box = Box.enclosing((*corners, *places)).clipped(height, width)
        return around(box, height, width, self.config.image_size, CLOSER_MARGIN)

    def _targets(
        self, scene: Scene, view: View, size: int
    ) -> tuple[FloatArray, FloatArray]:
        """Alpha and weight at the network's output size; 0 in the padding."""
        stride = self.config.mask_stride
        side = size // stride
        height, width = (max(1, v // stride) for v in view.input_size)
        part = np.s_[view.top : view.bottom, view.left : view.right]
        out = np.zeros((2, side, side), np.float32)
        for plane, values in zip(
            out, (scene.alpha, scene.known.astype(np.float32)), strict=True
        ):
            plane[:height, :width] = cv2.resize(
                values[part], (width, height), interpolation=cv2.INTER_AREA
            )
        return out[0].clip(0, 1), (out[1] > 0.5).astype(np.float32)


def halved_labels(labels: ByteArray, view: View, size: int) -> npt.NDArray[np.int64]:
    """Labels (H, W) of a view at half the input side: (size/2, size/2), 0 unknown."""
    height, width = (max(1, side // 2) for side in view.input_size)
    part = np.ascontiguousarray(
        labels[view.top : view.bottom, view.left : view.right], np.uint8
    )
    out = np.zeros((size // 2, size // 2), np.int64)
    out[:height, :width] = cv2.resize(
        part, (width, height), interpolation=cv2.INTER_NEAREST
    )
    return out
