"""Flip TTA: the mean of the predictions for an image and its mirror image.

A network predicts a little differently for the two, and the mean of the logits is more
accurate (test-time augmentation).  It takes twice as long.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from zim_model.arrays import ByteArray, FloatArray
from zim_model.backends.backend import Backend, EncodedView, RefiningBackend
from zim_model.backends.view import View, sample_cells
from zim_model.prompts import Box, Point, PromptSet


@dataclass(frozen=True, slots=True, eq=False)
class FlippedFeatures(EncodedView):
    """The features of a view and of its mirror image.

    Attributes:
        other: of the mirrored image.
    """

    other: EncodedView

    @classmethod
    def join(cls, encoded: EncodedView, other: EncodedView) -> FlippedFeatures:
        """The pair of both features."""
        return cls(encoded.view, encoded.features, other)


class FlipTta:
    """A :class:`~zim_model.backends.backend.Backend` that runs another one twice.

    Args:
        backend: the model.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.config = backend.config
        self.fingerprint = f"{backend.fingerprint}/both ways"
        self.device_label = backend.device_label

    def encode(self, image: ByteArray, view: View) -> EncodedView:
        """See :class:`~zim_model.backends.backend.Backend`."""
        other = view.flip(image.shape[1])
        return FlippedFeatures.join(
            self._backend.encode(image, view),
            self._backend.encode(image[:, ::-1], other),
        )

    def decode(
        self,
        encoded: EncodedView,
        prompts: PromptSet,
        mask_input: FloatArray | None = None,
    ) -> tuple[FloatArray, FloatArray]:
        """See :class:`~zim_model.backends.backend.Backend`."""
        assert isinstance(encoded, FlippedFeatures)
        width, stride = encoded.view.input_size[1], self.config.prompt_mask_stride
        logits, scores = self._backend.decode(encoded, prompts, mask_input)
        flipped_mask = (
            None if mask_input is None else flip_mask_input(mask_input, width / stride)
        )
        other, other_scores = self._backend.decode(
            encoded.other, flip_prompts(prompts, width), flipped_mask
        )
        return _mean(logits, other[..., ::-1]), _mean(scores, other_scores)

    def refine(self, encoded: EncodedView, alpha: FloatArray) -> FloatArray:
        """See :class:`~zim_model.backends.backend.RefiningBackend`."""
        return cast(RefiningBackend, self._backend).refine(encoded, alpha)


def _mean(a: FloatArray, b: FloatArray) -> FloatArray:
    """The mean of two arrays, float32."""
    return np.asarray((a + b) / 2, np.float32)


def flip_prompts(prompts: PromptSet, width: float) -> PromptSet:
    """Prompts of an image of that width for its mirror image."""
    inside = np.nextafter(np.float32(width), np.float32(0))  # x 0 is no pixel beyond

    def flip_point(x: float) -> float:
        return min(width - x, float(inside))

    box = prompts.box
    if box is not None:
        box = Box(width - box.x1, box.y0, width - box.x0, box.y1)
    return PromptSet(
        tuple(Point(flip_point(p.x), p.y, p.positive) for p in prompts.points),
        box,
        tuple(
            replace(s, path=tuple((flip_point(x), y) for x, y in s.path))
            for s in prompts.scribbles
        ),
    )


def flip_mask_input(mask: FloatArray, cells: float) -> FloatArray:
    """The mask input (1, s, s) of the mirror image; padding stays in place.

    Args:
        cells: width of the image in the mask input, which may end inside a cell.
    """
    columns = math.ceil(cells)
    out = mask.copy()
    mirrored = cells - 1 - np.arange(columns)
    out[..., :columns] = sample_cells(mask[..., :columns], mirrored, -1)
    return out
