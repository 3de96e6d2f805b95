"""Training samples of the label converter: crops with coarse labels and mattes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from training.conversion.config import ConverterTrainConfig
from training.conversion.degradations import coarse_label, cut_same_region
from training.conversion.pairs import PairSource, TrainingPair
from training.samples import RejectionDataset, augment_colours
from zim_model.arrays import BoolArray, ByteArray, FloatArray
from zim_model.conversion.cues import label_cue_maps

CUE_MARGIN = 40
"""Pixels around a crop that its cue maps are computed from too."""
FULL_SCALE_SHARE = 0.4
"""Share of the crops that are not downscaled."""
MIN_LABEL_AREA = 64
"""Smallest number of pixels of a label."""
Rng = np.random.Generator


class ConverterSamples(RejectionDataset):
    """Crops around the edges of labels.

    Item i holds, for P crops of side S of one image: ``pixels`` (P, S, S, 3) uint8,
    ``planes`` (P, K, S, S), the label and its cue maps, ``target`` (P, S, S), and
    ``weight`` (P, S, S), which is 0 in the padding.
    """

    def __init__(
        self, pairs: PairSource, config: ConverterTrainConfig, count: int
    ) -> None:
        super().__init__(count, config.seed)
        self.pairs, self.config = pairs, config

    def summary(self) -> str:
        return self.pairs.summary()

    def draw(self, rng: Rng, index: int) -> dict[str, Tensor] | None:
        del index
        config = self.config
        keep = config.stl and self.pairs.has_coarse and rng.random() < config.stl_share
        pair = (
            self.pairs.draw_coarse_pair(rng)
            if keep
            else self.pairs.draw_matte_pair(rng)
        )
        if (
            pair is None
            or (pair.alpha > 0.5).sum() < MIN_LABEL_AREA
            or min(pair.alpha.shape) < 32
        ):
            return None
        pair = _augment(rng, pair)
        crops = []
        for _ in range(config.patches):
            alpha = pair.alpha
            label = alpha > 0.5 if keep else coarse_label(rng, alpha)
            if rng.random() < config.sga:
                label, alpha = cut_same_region(rng, label, alpha)
            crops.append(self._crop(rng, pair.image, label, alpha))
        return {key: torch.stack([crop[key] for crop in crops]) for key in crops[0]}

    def _crop(
        self, rng: Rng, image: ByteArray, label: BoolArray, alpha: FloatArray
    ) -> dict[str, Tensor]:
        """Draw a crop around a random pixel of the label's edge or the soft matte."""
        size = self.config.size
        least = min(1.0, max(self.config.scale, size / max(min(alpha.shape), 1)))
        full = rng.random() < FULL_SCALE_SHARE
        scale = 1.0 if full else float(np.exp(rng.uniform(np.log(least), 0)))
        edge = cv2.morphologyEx(
            label.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)
        )
        ys, xs = np.nonzero((edge > 0) | ((alpha > 0.1) & (alpha < 0.9)))
        if len(ys):
            pick = rng.integers(len(ys))
            centre = np.array([ys[pick], xs[pick]]) + rng.integers(-24, 25, 2) / scale
        else:  # the label covers the whole image
            centre = rng.random(2) * alpha.shape
        window = (size / scale, CUE_MARGIN / scale)
        corner = [
            int(np.clip(c - window[0] / 2, 0, max(0, side - window[0])))
            for c, side in zip(centre, alpha.shape, strict=True)
        ]
        return _make_sample(image, label, alpha, corner, scale, size, self.config)


def _make_sample(
    image: ByteArray,
    label: BoolArray,
    alpha: FloatArray,
    corner: list[int],
    scale: float,
    size: int,
    config: ConverterTrainConfig,
) -> dict[str, Tensor]:
    """Make the sample of a crop; its cue maps are computed with a margin.

    Args:
        corner: row and column of the crop in the image.
        scale: factor of downscaling.
        size: side of the crop after downscaling.
    """
    height, width = alpha.shape
    margin, side = round(CUE_MARGIN / scale), round(size / scale)
    top, left = (max(0, c - margin) for c in corner)
    bottom = min(height, corner[0] + side + margin)
    right = min(width, corner[1] + side + margin)
    region = np.s_[top:bottom, left:right]
    shape = (
        max(1, round((right - left) * scale)),
        max(1, round((bottom - top) * scale)),
    )
    pixels = _downscale(image[region], shape)
    binary = _downscale(label[region].astype(np.float32), shape) > 0.5
    target = _downscale(alpha[region], shape)
    planes = label_cue_maps(pixels, binary) if config.converter.cues else binary[None]
    y, x = (
        round((c - start) * scale) for c, start in zip(corner, (top, left), strict=True)
    )
    y, x = (min(v, max(0, n - size)) for v, n in zip((y, x), shape[::-1], strict=True))
    inner = np.s_[y : y + size, x : x + size]

    def pad(values: Any, lead: Callable[[Any], Any] = lambda v: v) -> Any:
        rows, columns = values.shape[:2]
        room = [(0, size - rows), (0, size - columns)]
        room += [(0, 0)] * (values.ndim - 2)
        return lead(np.pad(values, room))

    planes = np.moveaxis(pad(np.moveaxis(planes, 0, -1)[inner]), -1, 0)
    ones = np.ones(target[inner].shape, np.float32)
    return {
        "pixels": torch.from_numpy(pad(pixels[inner])),
        "planes": torch.from_numpy(np.ascontiguousarray(planes, np.float32)),
        "target": torch.from_numpy(pad(target[inner]).clip(0, 1)),
        "weight": torch.from_numpy(pad(ones)),
    }


def _downscale(values: Any, shape: tuple[int, int]) -> Any:
    if values.shape[1::-1] == shape:
        return np.ascontiguousarray(values)
    return cv2.resize(values, shape, interpolation=cv2.INTER_AREA)


def _augment(rng: Rng, pair: TrainingPair) -> TrainingPair:
    """Flip and change colours at random."""
    image, alpha = pair.image, pair.alpha
    if rng.random() < 0.5:
        image, alpha = image[:, ::-1], alpha[:, ::-1]
    if rng.random() < 0.7:
        image = augment_colours(rng, np.ascontiguousarray(image))
    return TrainingPair(np.ascontiguousarray(image), np.ascontiguousarray(alpha))
