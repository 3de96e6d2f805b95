"""Training samples: views of scenes with prompts, as inputs of the network.

Every sample is a pure function of (seed, number), so that a run can be resumed at any
step and workers share no state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from training.prompt_sampling import (
    jitter_box,
    sample_central_click,
    sample_clicks,
)
from training.sources import Scene, SceneReader
from zim_model.arrays import ByteArray, FloatArray
from zim_model.backends.torch_backend import prompt_tokens
from zim_model.backends.view import View, normalise, resize_view
from zim_model.errors import ZimError
from zim_model.network.config import ZimConfig
from zim_model.prompts import Box, Point, PromptSet

PROMPTS_PER_VIEW = 2
MAX_POINTS = 8
MAX_TOKENS = MAX_POINTS + 4
"""MAX_POINTS, the two corners of a box, and at least two correction clicks."""
SINGLE_CLICK_SHARE = 0.6
"""Share of the prompt sets without a box that are a single central click, to which
correction clicks are added."""
MAX_ATTEMPTS = 100
"""Largest number of attempts at a sample."""
BOX_SHARE = 0.5
"""Share of the samples with boxes."""
FILLED_CROP_SHARE = 0.12
"""Share of the crops that are tight around the object."""


def augment(rng: np.random.Generator, scene: Scene) -> Scene:
    """Flip, crop and change colours at random; crops contain the whole object."""
    if rng.random() < 0.5:
        scene = scene.crop(np.s_[:, ::-1])
    if rng.random() < 0.5 and (scene.alpha > 0.5).any():
        box = Box.around(scene.alpha > 0.5)
        height, width = scene.alpha.shape
        keep = rng.uniform(0, 1, 4)
        if rng.random() < FILLED_CROP_SHARE:
            keep = np.ones(4)
        x0, y0 = int(box.x0 * keep[0]), int(box.y0 * keep[1])
        x1 = int(np.ceil(width - (width - box.x1) * keep[2]))
        y1 = int(np.ceil(height - (height - box.y1) * keep[3]))
        scene = scene.crop(np.s_[y0:y1, x0:x1])
    if rng.random() < 0.7:
        scene = replace(scene, image=augment_colours(rng, scene.image))
    return scene


def augment_colours(rng: np.random.Generator, image: ByteArray) -> ByteArray:
    """Change brightness, contrast and colours of (H, W, 3) uint8; maybe add noise."""
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
    """Draw a prompt set in image pixels for a scene with a non-empty object."""
    mask = scene.alpha > 0.5
    single = not with_box and not scene.region
    if single and rng.random() < SINGLE_CLICK_SHARE:
        return PromptSet((sample_central_click(rng, mask, positive=True),), None)
    if not with_box:
        return PromptSet(
            sample_clicks(rng, [mask], scene.other_objects, max_points=MAX_POINTS // 2),
            None,
        )
    box = jitter_box(rng, Box.around(scene.alpha > 0.1), *mask.shape)
    points: tuple[Point, ...] = ()
    if rng.random() < 0.4:
        points = sample_clicks(
            rng, [mask], scene.other_objects, max_points=3, min_positive=0
        )
    return PromptSet(points, box)


class RejectionDataset(Dataset[dict[str, Any]]):
    """Samples by rejection sampling: each is drawn until it is usable.

    Every item holds ``fault``: a description of a damaged image that was skipped, or
    "".
    """

    def __init__(self, count: int, seed: int) -> None:
        self.count, self.seed = count, seed

    def __len__(self) -> int:
        return self.count

    def summary(self) -> str:
        """What the samples are drawn from; "" for what has a manifest that tells."""
        return ""

    def __getitem__(self, index: int) -> dict[str, Any]:
        fault = ""
        for attempt in range(MAX_ATTEMPTS):
            rng = np.random.default_rng((self.seed, index, attempt))
            try:
                item = self.attempt(rng, index, attempt)
            except ZimError as error:
                fault = error.message
                continue
            if item is not None:
                return {**item, "fault": fault}
        raise ZimError(f"None of {MAX_ATTEMPTS} images could be used. {fault}".rstrip())

    def attempt(
        self, rng: np.random.Generator, index: int, attempt: int
    ) -> dict[str, Tensor] | None:
        """Attempt a sample; subclasses may use the number of the attempt."""
        del attempt
        return self.draw(rng, index)

    def draw(self, rng: np.random.Generator, index: int) -> dict[str, Tensor] | None:
        """Attempt a sample; None if the drawn scene is unusable.

        Raises:
            ZimError: the image is damaged.
        """
        raise NotImplementedError


class PromptDataset(RejectionDataset):
    """Samples from a :class:`SceneReader`; sample i has the input side ``sizes[i]``."""

    def __init__(
        self, scenes: SceneReader, config: ZimConfig, sizes: Sequence[int], seed: int
    ) -> None:
        super().__init__(len(sizes), seed)
        self.scenes, self.config, self.sizes = scenes, config, sizes

    def summary(self) -> str:
        return self.scenes.summary()


class PromptSamples(PromptDataset):
    """Whole images with prompts, as inputs of the network.

    Item i holds, for P prompt sets on one image at input side S: ``image`` (3, S, S),
    ``coords`` (P, T, 2), ``labels`` (P, T), ``target`` and ``weight`` (P, S/m, S/m) at
    the network's mask stride m, ``exact`` (P,), and for previews ``pixels`` (S, S, 3)
    uint8 with padding.
    """

    def draw(self, rng: np.random.Generator, index: int) -> dict[str, Tensor] | None:
        return self.sample(rng, self.scenes.draw_scene(rng), int(self.sizes[index]))

    def draw_prompts(
        self, rng: np.random.Generator, scene: Scene
    ) -> tuple[Scene, Sequence[PromptSet], int]:
        """Augment a scene and draw its prompts.

        Returns:
            Scene, prompt sets and number of tokens; no prompt sets if it is unusable.
        """
        scene = augment(rng, scene)
        if (scene.alpha > 0.5).sum() < 48 or min(scene.alpha.shape) < 16:
            return scene, (), MAX_TOKENS
        with_box = rng.random() < BOX_SHARE
        prompts = [
            draw_prompts(rng, scene, with_box=with_box) for _ in range(PROMPTS_PER_VIEW)
        ]
        return scene, prompts, MAX_TOKENS

    def sample(
        self, rng: np.random.Generator, scene: Scene, size: int
    ) -> dict[str, Tensor] | None:
        """Make the item of a scene at input side ``size``; None if it is unusable."""
        scene, prompts, length = self.draw_prompts(rng, scene)
        if not prompts:
            return None
        height, width = scene.alpha.shape
        view = View.whole(height, width, size)
        pixels = resize_view(self.config, scene.image, view)
        tokens = [prompt_tokens(view.apply(prompt), length) for prompt in prompts]
        target, weight = self._targets(scene, view, size)
        count = len(prompts)
        padded = np.zeros((size, size, 3), np.uint8)
        padded[: pixels.shape[0], : pixels.shape[1]] = pixels
        return {
            "image": torch.from_numpy(normalise(pixels, size)),
            "coords": torch.from_numpy(np.stack([t[0] for t in tokens])),
            "labels": torch.from_numpy(np.stack([t[1] for t in tokens])),
            "target": torch.from_numpy(target).expand(count, -1, -1),
            "weight": torch.from_numpy(weight).expand(count, -1, -1),
            "pixels": torch.from_numpy(padded),
            "exact": torch.full((count,), float(scene.exact)),
        }

    def _targets(
        self, scene: Scene, view: View, size: int
    ) -> tuple[FloatArray, FloatArray]:
        """Return alpha and weight at the network's output size; 0 in the padding."""
        stride = self.config.mask_stride
        height, width = view.input_size
        region = np.s_[view.top : view.bottom, view.left : view.right]
        out = np.zeros((2, size, size), np.float32)
        for plane, values in zip(
            out, (scene.alpha, scene.valid.astype(np.float32)), strict=True
        ):
            plane[:height, :width] = cv2.resize(
                values[region], (width, height), interpolation=cv2.INTER_AREA
            )
        # The cells are those of the input; one that the view fills in part has the mean
        # of that part.
        cells = np.arange(size // stride) * stride
        rows, columns = (
            np.clip((length - cells) / stride, 0, 1) for length in (height, width)
        )
        filled = np.maximum(rows[:, None] * columns, 1e-6).astype(np.float32)
        alpha, valid = (
            cv2.resize(plane, filled.shape, interpolation=cv2.INTER_AREA) / filled
            for plane in out
        )
        weight = (valid > 0.5) & (filled > 0.5 / stride**2)
        return (alpha * weight).clip(0, 1), weight.astype(np.float32)
