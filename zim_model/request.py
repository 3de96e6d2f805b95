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
from zim_model.prompts import PromptSet

Upsampling = Literal["guided", "bilinear"]
ALPHA_MAX = 65535
"""Value of an opaque pixel in :attr:`Matte.alpha`."""

CancelCheck = Callable[[], bool]
"""Polled between steps; true means that the answer is no longer wanted."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a matte is made, besides its prompts.

    Attributes:
        candidate: which of the model's mattes to take; None takes the model's answer
            for unambiguous prompts (mask token 0, as SAM and ZIM do).
        upsampling: from the network's grid to the image: ``guided`` follows the
            image's own edges, ``bilinear`` is what official ZIM does.
    """

    candidate: int | None = None
    upsampling: Upsampling = "guided"


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """One self-contained question to the engine.

    Attributes:
        image: (H, W, 3) uint8 sRGB, read-only, upright.
        image_key: identity of that image's content; equal keys mean equal pixels.
        prompts: in image pixels; :meth:`Engine.prepare` does not look at them.
        model: name of a known model, see :mod:`zim_model.registry`.
    """

    image: ByteArray
    image_key: str
    prompts: PromptSet
    model: str = "zim-tiny"
    options: Options = Options()

    @property
    def key(self) -> tuple[str, str, PromptSet, Options]:
        """Two requests with equal keys have the same answer."""
        return (self.image_key, self.model, self.prompts, self.options)


@dataclass(frozen=True, slots=True)
class Timings:
    """Milliseconds of wall-clock time, and where they were spent.

    ``encode_ms`` is 0 when the features came from the cache.
    """

    encode_ms: float
    click_ms: float
    device: str


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
    """

    alpha: WordArray
    pyramid: tuple[ByteArray, ...]
    scores: npt.NDArray[np.float32]
    candidate: int
    support: tuple[int, int, int, int]
    timings: Timings
