"""The engine's input and output: two immutable values, without torch.

Only they cross between the window's thread and the worker's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from zim_model.arrays import ByteArray, WordArray
from zim_model.errors import Cancelled
from zim_model.imported_mask import ImportedMask
from zim_model.prompts import PromptSet

Upsampling = Literal["guided", "bilinear", "native"]
ALPHA_MAX = 65535
"""Value of an opaque pixel in :attr:`Matte.alpha`."""

CancelCheck = Callable[[], bool]
"""Polled between steps; true raises :class:`~zim_model.errors.Cancelled`."""


def never_cancelled() -> bool:
    """A cancel check that is never true."""
    return False


def raise_if_cancelled(cancelled: CancelCheck) -> None:
    """Poll a cancel check.

    Raises:
        Cancelled: it is true.
    """
    if cancelled():
        raise Cancelled


@dataclass(frozen=True, slots=True)
class Options:
    """How a matte is predicted from its prompts.

    Attributes:
        candidate: which candidate to use; None takes the one for unambiguous prompts
            (mask token 0, as SAM and ZIM do).
        upsampling: from the network's grid to the image: ``guided`` follows the image's
            own edges, ``bilinear`` is official ZIM's; ``native`` is ``guided`` with
            tiled refinement, which takes many times as long.
        flip_tta: take the mean of the predictions for the image and its mirror image,
            which takes twice as long.
    """

    candidate: int | None = None
    upsampling: Upsampling = "guided"
    flip_tta: bool = False


Brush = Literal["add", "erase", "soften"]
MAX_SHIFT = 20.0
MAX_FEATHER = 50.0
MAX_RADIUS = 2000.0


@dataclass(frozen=True, slots=True)
class Stroke:
    """One stroke of a brush over a matte.

    Attributes:
        path: x, y in image pixels, possibly outside, and pressure in (0, 1], at least
            one vertex; the radius is proportional to the pressure.
        radius: in image pixels, at full pressure; at most ``MAX_RADIUS``.
        hardness: 0 falls off from the centre, 1 is full up to an edge of one pixel.
        brush: whether alpha is raised to opaque, lowered to clear, or smoothed.
        strength: maximal effect, in (0, 1].
    """

    path: tuple[tuple[float, float, float], ...]
    radius: float
    hardness: float = 0.8
    brush: Brush = "add"
    strength: float = 1.0


@dataclass(frozen=True, slots=True)
class Finish:
    """Processing of a matte after the model; the default changes nothing.

    Attributes:
        shift_edge: image pixels that the edge moves outwards (negative: inwards),
            at most ``MAX_SHIFT`` either way.
        feather: standard deviation, in image pixels, of a blur of the edge, at most
            ``MAX_FEATHER``.
        contrast: 0 to 1; steepens the soft edge around alpha 0.5, never to a hard one.
        strokes: painted over the result, in order.
        decontaminate: 0 to 1; how far the background is removed from the colours of the
            soft edge.  Alpha does not depend on it.
    """

    shift_edge: float = 0.0
    feather: float = 0.0
    contrast: float = 0.0
    strokes: tuple[Stroke, ...] = ()
    decontaminate: float = 0.0

    @property
    def adjusts_edge(self) -> bool:
        """Whether anything but strokes changes alpha."""
        return bool(self.shift_edge or self.feather or self.contrast)


RequestKey = tuple[
    str,
    str,
    PromptSet,
    Options,
    Finish,
    tuple[PromptSet, ...],
    tuple[ImportedMask, ...],
]


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """One self-contained request to the engine.

    Attributes:
        image: (H, W, 3) uint8 sRGB, read-only, upright.
        image_key: digest of the image's pixels; equal keys mean equal pixels.
        prompts: in image pixels; ignored by :meth:`Engine.prepare`. They may be empty
            where there are masks or strokes.
        model: name of a known model, see :mod:`zim_model.weights.catalogue`.
        options: how the matte is predicted.
        finish: processing after the model.
        more_prompt_sets: further prompt sets, each predicted by itself; the object is
            the union of all.
        cacheable: false for a passing request, whose results the engine does not cache.
        masks: of the whole image; the object starts as their union, and prompts add to
            it or subtract from it, see :mod:`zim_model.inference.mask_composition`.
    """

    image: ByteArray
    image_key: str
    prompts: PromptSet
    model: str = "zim-tiny"
    options: Options = Options()
    finish: Finish = Finish()
    more_prompt_sets: tuple[PromptSet, ...] = ()
    cacheable: bool = True
    masks: tuple[ImportedMask, ...] = ()

    @property
    def key(self) -> RequestKey:
        """Requests with equal keys have equal mattes."""
        return (
            self.image_key,
            self.model,
            self.prompts,
            self.options,
            self.finish,
            self.more_prompt_sets,
            self.masks,
        )

    @property
    def has_prompts(self) -> bool:
        """Whether there is anything to make a matte of: a prompt, mask or stroke."""
        return bool(
            self.prompts or self.more_prompt_sets or self.masks or self.finish.strokes
        )


@dataclass(frozen=True, slots=True)
class Timings:
    """Milliseconds of wall-clock time, and the device.

    ``encode_ms`` is 0 when the features came from the cache.

    Attributes:
        device: the one that was used, with its precision, for display: ``CPU (fp32)``.
        notes: degradations for lack of memory, as sentences; mostly none.
    """

    encode_ms: float
    click_ms: float
    device: str
    notes: tuple[str, ...] = ()

    def plus(self, earlier: Timings) -> Timings:
        """The sum with an earlier step of the same task; notes are joined."""
        return Timings(
            self.encode_ms + earlier.encode_ms,
            self.click_ms + earlier.click_ms,
            self.device,
            tuple(dict.fromkeys((*earlier.notes, *self.notes))),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Matte:
    """The result of a request; all arrays are read-only.

    Attributes:
        alpha: (H, W) uint16, 0 transparent to 65535 opaque, at the image's size.
        pyramid: the same as uint8 at 1, 1/2, 1/4, ... of the size, for display;
            the last level's longer side is below 512.
        scores: (4,) float32, the IoU that the model predicts for each candidate.
        candidate: index of the candidate that ``alpha`` shows.
        support: (left, top, right, bottom) in pixels around all alpha > 0.
        timings: milliseconds and device.
        candidates: the model's four mattes, each (h, w) uint8, of the part of the image
            ``candidates_view``; empty where no model has run.
        candidates_view: (left, top, right, bottom) in image pixels.
        foreground: the image with its soft edge decontaminated, as a pyramid like the
            image's; empty without decontamination.
    """

    alpha: WordArray
    pyramid: tuple[ByteArray, ...]
    scores: npt.NDArray[np.float32]
    candidate: int
    support: tuple[int, int, int, int]
    timings: Timings
    candidates: tuple[ByteArray, ...] = ()
    candidates_view: tuple[int, int, int, int] = (0, 0, 0, 0)
    foreground: tuple[ByteArray, ...] = ()

    @property
    def nbytes(self) -> int:
        """Bytes of memory of the arrays."""
        shown = (*self.pyramid, *self.candidates, *self.foreground)
        return self.alpha.nbytes + sum(array.nbytes for array in shown)
