"""The engine's input and output: two immutable values, without torch.

Only they cross between the window's thread and the worker's.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from zim_model.arguments import check_pixels
from zim_model.arrays import ByteArray, WordArray
from zim_model.errors import Cancelled, PromptError, msg
from zim_model.recipe import Recipe

ALPHA_MAX = 65535
"""Value of an opaque pixel in :attr:`Matte.alpha`."""

CancelCheck = Callable[[], bool]
"""Polled between steps; true raises :class:`~zim_model.errors.Cancelled`."""
ProgressCallback = Callable[[float], None]
"""Called with the finished fraction of a long step, 0 to 1."""
_PREVIEW_SIDE = 1024
"""Longest side of a matte that a notebook shows, in pixels."""
DRAFT_PIXELS = 2_000_000
"""Most pixels at which a draft is computed; about those of a screen."""


def never_cancelled() -> bool:
    """A cancel check that is never true."""
    return False


def ignore_progress(fraction: float) -> None:
    """A progress callback that does nothing."""


def raise_if_cancelled(cancelled: CancelCheck) -> None:
    """Poll a cancel check.

    Raises:
        Cancelled: it is true.
    """
    if cancelled():
        raise Cancelled


RequestKey = tuple[str, Recipe]


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """One self-contained request to the engine: an image and a recipe.

    Attributes:
        image: (H, W, 3) uint8 sRGB, read-only, upright.
        image_key: digest of the image's pixels; equal keys mean equal pixels.
        recipe: determines the matte; :meth:`Engine.prepare` uses its model alone.
        cacheable: false for a passing request, whose results the engine does not cache.
        draft: true for a quick approximation at about a screen's resolution, in place
            of steps that take long at the image's.

    Raises:
        PromptError: the recipe is none.
    """

    image: ByteArray
    image_key: str
    recipe: Recipe
    cacheable: bool = True
    draft: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.recipe, Recipe):
            raise PromptError(
                msg("{recipe!r:.60} is no recipe.", recipe=self.recipe),
                msg("Give Recipe(PromptSet(box=Box(left, top, right, bottom)))."),
            )

    @property
    def key(self) -> RequestKey:
        """Requests with equal keys have equal mattes."""
        return self.image_key, self.recipe

    @property
    def has_draft(self) -> bool:
        """Whether a draft of the matte is there much sooner than the matte."""
        height, width = self.image.shape[:2]
        options, finish = self.recipe.options, self.recipe.finish
        slow = options.refines_edge or bool(finish.decontaminate)
        return slow and height * width > DRAFT_PIXELS

    def validate(self) -> Request:
        """Return this request with its recipe checked against its image.

        Raises:
            ImageError: the image has another shape or type.
            PromptError: there is no prompt, mask or stroke, or prompts are invalid.
            ImageError: a mask has another size than the image.
        """
        check_pixels(self.image)
        height, width = self.image.shape[:2]
        if not self.recipe.has_prompts:
            self.recipe.prompts.validate(height, width)  # raises: there is none
        return replace(self, recipe=self.recipe.validate(height, width))

    def with_recipe(self, **changes: Any) -> Request:
        """Change attributes of the recipe."""
        return replace(self, recipe=replace(self.recipe, **changes))


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
            image's; empty without decontamination.  A draft's lacks the first levels.
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

    def _repr_png_(self) -> bytes:
        """The alpha as a small PNG, which notebooks show."""
        from PIL import Image

        fits = [x for x in self.pyramid if max(x.shape) <= _PREVIEW_SIDE]
        shown = fits[0] if fits else (self.alpha >> 8).astype(np.uint8)
        stream = io.BytesIO()
        Image.fromarray(shown).save(stream, "PNG")
        return stream.getvalue()

    @property
    def nbytes(self) -> int:
        """Bytes of memory of the arrays."""
        shown = (*self.pyramid, *self.candidates, *self.foreground)
        return self.alpha.nbytes + sum(array.nbytes for array in shown)
