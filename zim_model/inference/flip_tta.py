"""Flip TTA: the mean of the predictions for an image and its mirror image.

A network predicts a little differently for the two, and the mean of the logits is more
accurate (test-time augmentation).  It takes twice as long.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from zim_model.arrays import ByteArray, FloatArray
from zim_model.backends.backend import Backend, EncodedView, RefiningBackend
from zim_model.backends.view import MASK_STRIDE, View
from zim_model.prompts import Box, Point, PromptSet, Scribble


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
        return cls(encoded.view, encoded.features, encoded.pixels, other)


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
        width = encoded.view.input_size[1]
        cells = width / self.config.mask_stride
        logits, scores = self._backend.decode(encoded, prompts, mask_input)
        flipped_mask = (
            None if mask_input is None else flip_mask_input(mask_input, width)
        )
        flipped_prompts = flip_prompts(prompts, width)
        other, other_scores = self._backend.decode(
            encoded.other, flipped_prompts, flipped_mask
        )
        return mean_features(logits, unflip_logits(other, cells)), mean_features(
            scores, other_scores
        )

    def refine(self, encoded: EncodedView, alpha: FloatArray) -> FloatArray:
        """See :class:`~zim_model.backends.backend.RefiningBackend`."""
        return cast(RefiningBackend, self._backend).refine(encoded, alpha)


def mean_features(a: FloatArray, b: FloatArray) -> FloatArray:
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
            Scribble(tuple((flip_point(x), y) for x, y in s.path), s.positive)
            for s in prompts.scribbles
        ),
    )


def flip_mask_input(mask: FloatArray, width: int) -> FloatArray:
    """The mask input (1, S/4, S/4) of the mirror image; padding stays in place.

    Args:
        width: of the image inside the input, in input pixels.
    """
    columns = max(1, width // MASK_STRIDE)
    out = mask.copy()
    out[..., :columns] = mask[..., columns - 1 :: -1]
    return out


def unflip_logits(logits: FloatArray, cells: float) -> FloatArray:
    """Logits (4, h, w) of a mirror image, flipped back.

    Args:
        cells: width of the image in cells; the last one may be partly padding, and
            the image then begins inside a cell of the mirror image.
    """
    flip_point = logits[..., ::-1]
    beyond = np.float32(logits.shape[-1] - cells)
    if beyond == 0:
        return flip_point
    following = np.concatenate([flip_point[..., 1:], flip_point[..., -1:]], -1)
    return np.asarray(flip_point + beyond * (following - flip_point), np.float32)
