"""A picture looked at as it is and mirrored, and the mean of both answers.

A network answers a picture and its mirror image a little differently, and the mean of
both logits is nearer to the truth (test-time augmentation).  It takes twice as long.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zim_model.arrays import ByteArray, FloatArray
from zim_model.inference.backends import Backend, EncodedView
from zim_model.inference.view import MASK_STRIDE, View
from zim_model.prompts import Box, Point, PromptSet, Scribble


@dataclass(frozen=True, slots=True, eq=False)
class EncodedBothWays(EncodedView):
    """The features of a view, and those of its mirror image.

    Attributes:
        other: of the mirrored image.
    """

    other: EncodedView

    @classmethod
    def of(cls, encoded: EncodedView, other: EncodedView) -> EncodedBothWays:
        """Both ways, from each one's features."""
        return cls(encoded.view, encoded.features, encoded.pixels, other)


class BothWays:
    """A :class:`~zim_model.inference.backends.Backend` that asks another one twice.

    Args:
        backend: the model.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.config = backend.config
        self.fingerprint = f"{backend.fingerprint}/both ways"
        self.device_label = backend.device_label

    def encode(self, image: ByteArray, view: View) -> EncodedView:
        """See :class:`~zim_model.inference.backends.Backend`."""
        other = view.flip(image.shape[1])
        return EncodedBothWays.of(
            self._backend.encode(image, view),
            self._backend.encode(image[:, ::-1], other),
        )

    def decode(
        self,
        encoded: EncodedView,
        prompts: PromptSet,
        mask_input: FloatArray | None = None,
    ) -> tuple[FloatArray, FloatArray]:
        """See :class:`~zim_model.inference.backends.Backend`."""
        assert isinstance(encoded, EncodedBothWays)
        width = encoded.view.input_size[1]
        cells = width / self.config.mask_stride
        logits, scores = self._backend.decode(encoded, prompts, mask_input)
        earlier = None if mask_input is None else mirrored_mask(mask_input, width)
        mirrored = mirrored_prompts(prompts, width)
        other, other_scores = self._backend.decode(encoded.other, mirrored, earlier)
        return mean(logits, mirrored_back(other, cells)), mean(scores, other_scores)

    def refine(self, encoded: EncodedView, alpha: FloatArray) -> FloatArray:
        """See :meth:`zim_model.inference.tiny_backend.TinyBackend.refine`."""
        assert isinstance(encoded, EncodedBothWays)
        refine = self._backend.refine  # type: ignore[attr-defined]
        logits: FloatArray = refine(
            EncodedView(encoded.view, encoded.features, encoded.pixels), alpha
        )
        return logits


def mean(a: FloatArray, b: FloatArray) -> FloatArray:
    """Half of each, float32."""
    return np.asarray((a + b) / 2, np.float32)


def mirrored_prompts(prompts: PromptSet, width: float) -> PromptSet:
    """Prompts on a picture of that width as they are on its mirror image."""
    inside = np.nextafter(np.float32(width), np.float32(0))  # x 0 is no pixel beyond

    def flipped(x: float) -> float:
        return min(width - x, float(inside))

    box = prompts.box
    if box is not None:
        box = Box(width - box.x1, box.y0, width - box.x0, box.y1)
    return PromptSet(
        tuple(Point(flipped(p.x), p.y, p.positive) for p in prompts.points),
        box,
        tuple(
            Scribble(tuple((flipped(x), y) for x, y in s.path), s.positive)
            for s in prompts.scribbles
        ),
    )


def mirrored_mask(mask: FloatArray, width: int) -> FloatArray:
    """A mask prompt (1, S/4, S/4) as it is in the mirror image; padding stays.

    Args:
        width: of the picture inside the input, in input pixels.
    """
    columns = max(1, width // MASK_STRIDE)
    out = mask.copy()
    out[..., :columns] = mask[..., columns - 1 :: -1]
    return out


def mirrored_back(logits: FloatArray, cells: float) -> FloatArray:
    """Logits (4, h, w) of a mirror image, for the picture itself.

    Args:
        cells: width of the picture in cells; the last one may be partly padding, and
            the picture then begins inside a cell of the mirror image.
    """
    flipped = logits[..., ::-1]
    beyond = np.float32(logits.shape[-1] - cells)
    if beyond == 0:
        return flipped
    following = np.concatenate([flipped[..., 1:], flipped[..., -1:]], -1)
    return np.asarray(flipped + beyond * (following - flipped), np.float32)
