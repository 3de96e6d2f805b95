"""Runs zim-tiny: from views and prompts to its network's arrays, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import cv2
import numpy as np

from zim_model.arrays import ByteArray, FloatArray
from zim_model.backends.backend import (
    EncodedView,
    SizedFeatures,
    non_finite_error,
)
from zim_model.backends.prompt_maps import prompt_maps
from zim_model.backends.view import View, align, resize_view, spread
from zim_model.errors import PrecisionOverflow
from zim_model.network.config import PADDING_GREY, TinyConfig
from zim_model.prompts import PromptSet

LEAST_ALPHA = 1e-5
"""Of the detail stage's input, before it is clamped."""


class TinyNetwork(Protocol):
    """Zim-tiny's network on a device; arrays in, float32 arrays out.

    Shapes: S the side of its input, D = 2 S that of the detail stage.
    """

    config: TinyConfig
    fingerprint: str
    device_label: str
    is_half: bool
    """Whether it may overflow."""

    def predict(
        self, pixels: ByteArray, maps: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Logits (N, 4, S/2, S/2) and predicted IoU (N, 4).

        Args:
            pixels: (S, S, 3).
            maps: (N, 4, S, S) in [0, 1], see :class:`zim_model.network.tiny.ZimTiny`.
        """
        ...

    def detail_features(self, pixels: ByteArray) -> SizedFeatures:
        """The detail stage's features of an image (D, D, 3)."""
        ...

    def refine(self, features: SizedFeatures, logits: FloatArray) -> FloatArray:
        """Finer logits (D/2, D/2) from coarse ones (D/4, D/4)."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class TinyFeatures:
    """The pixels of the network's input (S, S, 3): all that prompts do not change."""

    pixels: ByteArray

    @property
    def nbytes(self) -> int:
        """Bytes of memory that the array takes."""
        return self.pixels.nbytes


class TinyBackend:
    """A :class:`~zim_model.backends.backend.RefiningBackend` for zim-tiny.

    The whole network runs for every prompt set; encoding only scales the pixels.
    """

    def __init__(self, network: TinyNetwork) -> None:
        self.network, self.config = network, network.config
        self.fingerprint = network.fingerprint
        self.device_label = network.device_label

    def encode(self, image: ByteArray, view: View) -> EncodedView:
        """See :class:`~zim_model.backends.backend.Backend`.

        A view of the detail stage's input side gives that stage's features.
        """
        pixels = resize_view(self.config, image, view)
        side = view.image_size
        padded = np.full((side, side, 3), PADDING_GREY, np.uint8)
        padded[: pixels.shape[0], : pixels.shape[1]] = pixels
        if side != self.config.detail_size:
            return EncodedView(view, TinyFeatures(padded))
        return EncodedView(view, self.network.detail_features(padded))

    def refine(self, encoded: EncodedView, alpha: FloatArray) -> FloatArray:
        """See :class:`~zim_model.backends.backend.RefiningBackend`."""
        side = self.config.image_size // self.config.mask_stride
        view = replace(encoded.view, image_size=self.config.image_size)
        grid = spread(alpha, view, self.config.mask_stride)
        # The detail stage's input may reach a fraction of a cell farther.
        near = np.pad(grid, (0, 1), mode="edge")[:side, :side]
        padded = np.zeros((side, side), np.float32)
        padded[: near.shape[0], : near.shape[1]] = near
        clamped = np.clip(padded, LEAST_ALPHA, 1 - LEAST_ALPHA)
        logits = np.log(clamped / (1 - clamped))
        finer = self.network.refine(encoded.features, logits)
        refined: FloatArray = self._aligned(finer[None], encoded.view)[0]
        return refined

    def decode(
        self,
        encoded: EncodedView,
        prompts: PromptSet,
        mask_input: FloatArray | None = None,
    ) -> tuple[FloatArray, FloatArray]:
        """See :class:`~zim_model.backends.backend.Backend`.

        Args:
            mask_input: (1, S/2, S/2) logits of the previous prediction, or None.
        """
        logits, scores = self._predict(encoded, [prompts], mask_input)
        return logits[0], scores[0]

    def decode_many(
        self, encoded: EncodedView, sets: Sequence[PromptSet]
    ) -> tuple[FloatArray, FloatArray]:
        """Results of :meth:`decode` for N prompt sets, (N, 4, h, w) and (N, 4)."""
        return self._predict(encoded, sets)

    def _predict(
        self,
        encoded: EncodedView,
        sets: Sequence[PromptSet],
        mask_input: FloatArray | None = None,
    ) -> tuple[FloatArray, FloatArray]:
        assert isinstance(encoded.features, TinyFeatures)
        side = self.config.image_size
        maps = np.zeros((len(sets), 4, side, side), np.float32)
        for drawn, prompts in zip(maps, sets, strict=True):
            drawn[:3] = prompt_maps(prompts, side)
        if mask_input is not None:
            height, width = encoded.view.input_size
            previous = 1 / (1 + np.exp(-mask_input[0]))
            larger = cv2.resize(previous, None, fx=2, fy=2)
            maps[:, 3, :height, :width] = larger[:height, :width]
        logits, scores = self.network.predict(encoded.features.pixels, maps)
        return self._aligned(logits, encoded.view), scores

    def _aligned(self, logits: FloatArray, view: View) -> FloatArray:
        """Logits (..., h, w) of the padded input on a grid that covers the view."""
        rows, columns = view.cells(self.config.mask_stride)
        cropped = logits[..., :rows, :columns]
        if not np.isfinite(cropped).all():
            if self.network.is_half:
                raise PrecisionOverflow
            raise non_finite_error(self.config.name)
        return align(cropped, view, self.config.mask_stride)
