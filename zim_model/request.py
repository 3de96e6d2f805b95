"""What goes into the engine and what comes out: two immutable values, no torch.

They are all that crosses between the window's thread and the worker's, so neither can
change after it was made.
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
"""Polled between steps; true means that the answer is no longer wanted."""


def never_cancelled() -> bool:
    """The cancel check of what nobody withdraws."""
    return False


def raise_if_cancelled(cancelled: CancelCheck) -> None:
    """Stop here if that is wanted.

    Raises:
        Cancelled: it is.
    """
    if cancelled():
        raise Cancelled


@dataclass(frozen=True, slots=True)
class Options:
    """How a matte is made, besides its prompts.

    Attributes:
        candidate: which of the model's mattes to take; None takes the model's answer
            for unambiguous prompts (mask token 0, as SAM and ZIM do).
        upsampling: from the network's grid to the image: ``guided`` follows the
            image's own edges, ``bilinear`` is what official ZIM does; ``native`` is
            ``guided`` and then asks the model again along the edge, in windows of the
            image at its own resolution, which takes many times as long.
        mirrored: ask about the mirror image too and take the mean of both answers,
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
            one vertex; the radius goes with the pressure.
        radius: in image pixels, at full pressure; at most ``MAX_RADIUS``.
        hardness: 0 falls off from the middle on, 1 is full up to an edge of a pixel.
        brush: whether alpha is raised to opaque, lowered to clear, or smoothed.
        strength: the most that the stroke does, in (0, 1].
    """

    path: tuple[tuple[float, float, float], ...]
    radius: float
    hardness: float = 0.8
    brush: Brush = "add"
    strength: float = 1.0


@dataclass(frozen=True, slots=True)
class Finish:
    """What is done to a matte after the model; the default leaves it as it is.

    Attributes:
        shift_edge: image pixels that the edge moves outwards (negative: inwards),
            at most ``MAX_SHIFT`` either way.
        feather: standard deviation, in image pixels, of a blur of the edge, at most
            ``MAX_FEATHER``.
        contrast: 0 to 1; steepens the soft edge around alpha 0.5, never to a hard one.
        strokes: painted over the result, in order.
        decontaminate: 0 to 1; how far the colours of the soft edge are freed from the
            background's.  Alpha does not depend on it.
    """

    shift_edge: float = 0.0
    feather: float = 0.0
    contrast: float = 0.0
    strokes: tuple[Stroke, ...] = ()
    decontaminate: float = 0.0

    @property
    def adjusts_edge(self) -> bool:
        """Whether alpha is changed by anything but strokes."""
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
    """One self-contained question to the engine.

    Attributes:
        image: (H, W, 3) uint8 sRGB, read-only, upright.
        image_key: identity of that image's content; equal keys mean equal pixels.
        prompts: in image pixels; :meth:`Engine.prepare` does not look at them.  They
            may be empty where there are masks, or strokes are painted on nothing.
        model: name of a known model, see :mod:`zim_model.weights.catalogue`.
        options: how the model's matte is made.
        finish: what is done to it then.
        also: further prompt sets, each answered by itself; the object is all of them
            together.
        remembered: false for a passing question, of which the engine keeps nothing
            that it needs for the others.
        masks: of the whole image; the object is their union to begin with, and prompts
            add to it or take away from it, see
            :mod:`zim_model.inference.mask_composition`.
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
        """Two requests with equal keys have the same answer."""
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
        """Whether there is anything to answer: a prompt, a mask or a stroke."""
        return bool(
            self.prompts or self.more_prompt_sets or self.masks or self.finish.strokes
        )


@dataclass(frozen=True, slots=True)
class Timings:
    """Milliseconds of wall-clock time, and where they were spent.

    ``encode_ms`` is 0 when the features came from the cache.

    Attributes:
        device: that really ran, for people: ``CPU (fp32)``.
        notes: what had to be done for want of memory, as sentences; mostly none.
    """

    encode_ms: float
    click_ms: float
    device: str
    notes: tuple[str, ...] = ()

    def plus(self, earlier: Timings) -> Timings:
        """These, with what an earlier step of the same work took and noted."""
        return Timings(
            self.encode_ms + earlier.encode_ms,
            self.click_ms + earlier.click_ms,
            self.device,
            tuple(dict.fromkeys((*earlier.notes, *self.notes))),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Matte:
    """The engine's answer; all arrays are read-only.

    Attributes:
        alpha: (H, W) uint16, 0 transparent to 65535 opaque, at the image's size.
        pyramid: the same as uint8 at 1, 1/2, 1/4, ... of the size, for display;
            the last level's longer side is below 512.
        scores: (4,) float32, the IoU that the model predicts for each candidate.
        candidate: index of the candidate that ``alpha`` shows.
        support: (left, top, right, bottom) in pixels around all alpha > 0.
        timings: what it cost, and the device that really ran.
        candidates: the model's four mattes, each (h, w) uint8, of that part of the
            image that ``candidates_view`` names; empty where no model was asked.
        candidates_view: (left, top, right, bottom) in image pixels.
        colours: the image with the soft edge freed from its background, as a pyramid
            like an image's; empty where the request does not ask for it.
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
        """Bytes of memory that the arrays take."""
        shown = (*self.pyramid, *self.candidates, *self.foreground)
        return self.alpha.nbytes + sum(array.nbytes for array in shown)
