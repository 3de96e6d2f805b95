"""Whether a pair of ONNX graphs and a network give the same numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zim_model.errors import Message, WeightsError, msg
from zim_model.network.decoder import (
    BOTTOM_RIGHT,
    NEGATIVE,
    PADDING,
    POSITIVE,
    TOP_LEFT,
    attention_mask,
)
from zim_model.network.zim import Features, Zim
from zim_model.onnx.backend import DECODER_OUTPUTS, ENCODER_OUTPUTS, IMAGE

TOLERANCE = 1e-3
"""The largest difference of a feature or a logit that still counts as agreement."""

LABELS: Mapping[str, tuple[int, ...]] = {
    "one point": (POSITIVE, PADDING),
    "five points": (POSITIVE, NEGATIVE, POSITIVE, POSITIVE, NEGATIVE, PADDING),
    "a box": (TOP_LEFT, BOTTOM_RIGHT),
    "points and a box": (POSITIVE, NEGATIVE, TOP_LEFT, BOTTOM_RIGHT),
}
"""Labels of the tokens of the kinds of prompts that are compared."""


@dataclass(frozen=True, slots=True)
class ParityDifference:
    """How far two results are apart.

    Attributes:
        output: what the graphs call it.
        prompts: the kind of prompts; empty for the encoder.
        largest: the largest absolute difference.
        size: the largest absolute value, to judge it by.
    """

    output: str
    prompts: str
    largest: float
    size: float

    def __str__(self) -> str:
        where = f"{self.output} ({self.prompts})" if self.prompts else self.output
        return f"{where:36} {self.largest:.1e}  of values up to {self.size:.3g}"


@dataclass(frozen=True, slots=True, eq=False)
class PromptCase:
    """The prompts of one comparison of decoders.

    Attributes:
        kind: for people.
        coords: (B, N, 2) float32, input pixels.
        labels: (B, N) int64.
        mask: (B, G, G) float32, the attention mask.
    """

    kind: str
    coords: Tensor
    labels: Tensor
    mask: Tensor

    @property
    def inputs(self) -> dict[str, Any]:
        """As the decoder's graph takes it."""
        return {
            "point_coords": self.coords.numpy(),
            "point_labels": self.labels.float().numpy(),
            "attn_mask": self.mask.numpy(),
        }


def prompt_cases(model: Zim, counts: Sequence[int] = (1,)) -> Iterator[PromptCase]:
    """Random prompts of every kind, the same ones at every call.

    Args:
        model: whose input size and attention mask are meant.
        counts: numbers B of prompt sets to ask at once.
    """
    config = model.config
    generator = torch.Generator().manual_seed(0)
    for count in counts:
        for kind, listed in LABELS.items():
            labels = torch.tensor([listed]).expand(count, -1).contiguous()
            coords = torch.rand(count, len(listed), 2, generator=generator)
            coords = coords * config.image_size
            if BOTTOM_RIGHT in listed:
                coords[:, -2:] = coords[:, -2:].sort(1).values
            mask = attention_mask(coords, labels, config.grid, config.attention_sigma)
            several = f"{count} x " if count > 1 else ""
            yield PromptCase(several + kind, coords, labels, mask.float())


@torch.inference_mode()
def encoder_differences(
    model: Zim, encoder: Any
) -> tuple[list[ParityDifference], Features]:
    """Compare the encoders on a random image.

    Args:
        model: on the CPU.
        encoder: a session of ``encoder.onnx``.

    Returns:
        One difference an output, and the network's features.
    """
    side = model.config.image_size
    generator = torch.Generator().manual_seed(0)
    image = torch.randn(1, 3, side, side, generator=generator)
    actual = encoder.run(list(ENCODER_OUTPUTS), {IMAGE: image.numpy()})
    features = model.encode(image)
    expected = (features.embeddings, *features.details)
    rows = zip(ENCODER_OUTPUTS, actual, expected, strict=True)
    return [_difference(name, "", a, b) for name, a, b in rows], features


@dataclass(frozen=True, slots=True, eq=False)
class DecoderOutput:
    """Outputs of a decoder graph for one prompt case.

    Attributes:
        case: the prompts.
        arrays: mask logits (B, 4, S/2, S/2) and predicted IoU (B, 4).
    """

    case: PromptCase
    arrays: tuple[Any, Any]


def decoder_outputs(
    model: Zim, decoder: Any, features: Features, counts: Sequence[int] = (1,)
) -> list[DecoderOutput]:
    """Run a decoder graph for :func:`prompt_cases` on the features of one image.

    Args:
        decoder: a session of ``decoder.onnx``.
    """
    tensors = (features.embeddings, *features.details)
    maps = {name: t.numpy() for name, t in zip(ENCODER_OUTPUTS, tensors, strict=True)}
    results = []
    for case in prompt_cases(model, counts):
        masks, iou = decoder.run(list(DECODER_OUTPUTS), {**maps, **case.inputs})
        results.append(DecoderOutput(case, (masks, iou)))
    return results


@torch.inference_mode()
def decoder_differences(
    model: Zim, features: Features, outputs: Sequence[DecoderOutput]
) -> list[ParityDifference]:
    """Compare graph outputs with the network's: one difference per case and output."""
    results = []
    for output in outputs:
        case = output.case
        expected = model.decode(features, case.coords, case.labels)
        for name, a, b in zip(DECODER_OUTPUTS, output.arrays, expected, strict=True):
            results.append(_difference(name, case.kind, a, b))
    return results


def _difference(
    output: str, prompts: str, actual: Any, expected: Tensor
) -> ParityDifference:
    want = expected.numpy()
    if actual.shape != want.shape:
        return ParityDifference(output, prompts, float("inf"), 0.0)
    # Not a number on either side is no agreement.
    apart = np.nan_to_num(np.abs(actual - want), nan=np.inf).max()
    return ParityDifference(output, prompts, float(apart), float(np.abs(want).max()))


def check_parity(results: Sequence[ParityDifference], doing: Message) -> None:
    """Refuse results that are further apart than :data:`TOLERANCE`.

    Args:
        doing: begins the sentence, such as ``a/decoder.onnx was converted``.

    Raises:
        WeightsError: naming the worst output.
    """
    worst = max(results, key=lambda each: each.largest)
    if not worst.largest <= TOLERANCE:
        raise WeightsError(
            msg(
                "{doing}, but gives other numbers: {output} differs by {largest:.2g} "
                "for {prompts} (allowed: {tolerance:g}). Nothing was written.",
                doing=doing,
                output=worst.output,
                largest=worst.largest,
                prompts=worst.prompts or msg("a random image"),
                tolerance=TOLERANCE,
            ),
            msg(
                "The graph computes something else with its weights than this "
                "program's ZIM."
            ),
        )
