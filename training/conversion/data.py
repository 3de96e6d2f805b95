"""Training samples of the label converter: crops with coarse labels and true mattes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from training.conversion.config import ConverterTrainConfig
from training.conversion.degradations import coarse_label, same_region_cut
from training.conversion.pairs import Pair, Pairs
from training.samples import Repeated, recoloured
from zim_model.arrays import BoolArray, ByteArray, FloatArray
from zim_model.conversion.cues import label_cues

MARGIN = 40
"""Pixels around a crop that its cues are drawn from too."""
FULL_SCALE = 0.4
"""Share of the crops that are not reduced."""
EMPTY_LABEL = 64
"""Labels of fewer pixels are of no use."""
Rng = np.random.Generator


class ConverterSamples(Repeated):
    """Crops around the edges of labels.

    Item i holds, for P crops of side S of one picture: ``pixels`` (P, S, S, 3) uint8,
    ``planes`` (P, K, S, S), the label and its cues, ``target`` (P, S, S), and
    ``weight`` (P, S, S), which is 0 in padding.
    """

    def __init__(self, pairs: Pairs, config: ConverterTrainConfig, count: int) -> None:
        super().__init__(count, config.seed)
        self.pairs, self.config = pairs, config

    def drawn(self, rng: Rng, index: int) -> dict[str, Tensor] | None:
        del index
        config = self.config
        keep = config.stl and self.pairs.has_coarse and rng.random() < config.stl_share
        pair = self.pairs.coarse(rng) if keep else self.pairs.matte(rng)
        if (
            pair is None
            or (pair.alpha > 0.5).sum() < EMPTY_LABEL
            or min(pair.alpha.shape) < 32
        ):
            return None
        pair = _augmented(rng, pair)
        crops = []
        for _ in range(config.patches):
            alpha = pair.alpha
            label = alpha > 0.5 if keep else coarse_label(rng, alpha)
            if rng.random() < config.sga:
                label, alpha = same_region_cut(rng, label, alpha)
            crops.append(self._crop(rng, pair.image, label, alpha))
        return {key: torch.stack([crop[key] for crop in crops]) for key in crops[0]}

    def _crop(
        self, rng: Rng, image: ByteArray, label: BoolArray, alpha: FloatArray
    ) -> dict[str, Tensor]:
        """A crop around a random place of the label's edge or of the soft matte."""
        size = self.config.size
        least = min(1.0, max(self.config.scale, size / max(min(alpha.shape), 1)))
        full = rng.random() < FULL_SCALE
        scale = 1.0 if full else float(np.exp(rng.uniform(np.log(least), 0)))
        edge = cv2.morphologyEx(
            label.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)
        )
        ys, xs = np.nonzero((edge > 0) | ((alpha > 0.1) & (alpha < 0.9)))
        if len(ys):
            place = rng.integers(len(ys))
            centre = np.array([ys[place], xs[place]]) + rng.integers(-24, 25, 2) / scale
        else:  # the label is all of the picture
            centre = rng.random(2) * alpha.shape
        window = (size / scale, MARGIN / scale)
        corner = [
            int(np.clip(c - window[0] / 2, 0, max(0, side - window[0])))
            for c, side in zip(centre, alpha.shape, strict=True)
        ]
        return _finished(image, label, alpha, corner, scale, size, self.config)


def _finished(
    image: ByteArray,
    label: BoolArray,
    alpha: FloatArray,
    corner: list[int],
    scale: float,
    size: int,
    config: ConverterTrainConfig,
) -> dict[str, Tensor]:
    """The crop at a corner, reduced, with cues that know its surroundings."""
    height, width = alpha.shape
    margin, side = round(MARGIN / scale), round(size / scale)
    top, left = (max(0, c - margin) for c in corner)
    bottom = min(height, corner[0] + side + margin)
    right = min(width, corner[1] + side + margin)
    part = np.s_[top:bottom, left:right]
    shape = (
        max(1, round((right - left) * scale)),
        max(1, round((bottom - top) * scale)),
    )
    pixels = _reduced(image[part], shape)
    hard = _reduced(label[part].astype(np.float32), shape) > 0.5
    target = _reduced(alpha[part], shape)
    planes = label_cues(pixels, hard) if config.converter.cues else hard[None]
    y, x = (
        round((c - start) * scale) for c, start in zip(corner, (top, left), strict=True)
    )
    y, x = (min(v, max(0, n - size)) for v, n in zip((y, x), shape[::-1], strict=True))
    inner = np.s_[y : y + size, x : x + size]

    def padded(values: Any, lead: Callable[[Any], Any] = lambda v: v) -> Any:
        rows, columns = values.shape[:2]
        room = [(0, size - rows), (0, size - columns)]
        room += [(0, 0)] * (values.ndim - 2)
        return lead(np.pad(values, room))

    planes = np.moveaxis(padded(np.moveaxis(planes, 0, -1)[inner]), -1, 0)
    ones = np.ones(target[inner].shape, np.float32)
    return {
        "pixels": torch.from_numpy(padded(pixels[inner])),
        "planes": torch.from_numpy(np.ascontiguousarray(planes, np.float32)),
        "target": torch.from_numpy(padded(target[inner]).clip(0, 1)),
        "weight": torch.from_numpy(padded(ones)),
    }


def _reduced(values: Any, shape: tuple[int, int]) -> Any:
    if values.shape[1::-1] == shape:
        return np.ascontiguousarray(values)
    return cv2.resize(values, shape, interpolation=cv2.INTER_AREA)


def _augmented(rng: Rng, pair: Pair) -> Pair:
    """Mirrored, and in other colours."""
    image, alpha = pair.image, pair.alpha
    if rng.random() < 0.5:
        image, alpha = image[:, ::-1], alpha[:, ::-1]
    if rng.random() < 0.7:
        image = recoloured(rng, np.ascontiguousarray(image))
    return Pair(np.ascontiguousarray(image), np.ascontiguousarray(alpha))
