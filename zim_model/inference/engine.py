"""The engine: one request in, one matte out, with the expensive part remembered.

``solve`` is the only path from prompts to alpha: the window, the command line, batches
and the evaluation all take it.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import cv2
import numpy as np

from zim_model.arrays import ByteArray, FloatArray, WordArray
from zim_model.errors import PromptError
from zim_model.inference.iterative import Looks, Question, decoded
from zim_model.inference.mask_composition import MaskMattes, questions, without
from zim_model.inference.oom_fallback import Ladder, OpenModel, open_on
from zim_model.inference.tiled_refinement import refine_native
from zim_model.inference.view import View, border_fade
from zim_model.matting.edge_and_brush import CoverCache, adjusted, painted, support
from zim_model.matting.guided_upsampling import guided_upsample, stepped
from zim_model.matting.pyramid import display_pyramid, image_pyramid
from zim_model.network.config import NUM_MASK_TOKENS
from zim_model.prompts import PromptSet
from zim_model.request import (
    CancelCheck,
    Finish,
    Matte,
    Request,
    RequestKey,
    Stroke,
    Timings,
    check,
    never_cancelled,
)
from zim_model.runtime.devices import (
    Device,
    DeviceChoice,
    available_devices,
    device_name,
)

if TYPE_CHECKING:
    from zim_model.inference.automatic import AutomaticOptions, FoundObject, Progress
    from zim_model.inference.backends import Backend, EncodedView


CACHE_BYTES = 1 << 30
THUMBNAIL_SIDE = 128
"""Longer side, in pixels, of the candidates that an answer carries for show."""


@dataclass(frozen=True, slots=True, eq=False)
class _Answer:
    """What the model says to a request, at the image's size and before its finish."""

    alpha: WordArray
    scores: FloatArray
    candidates: tuple[ByteArray, ...]
    view: tuple[int, int, int, int]
    click_ms: float
    device: str

    @classmethod
    def blank(cls, height: int, width: int) -> _Answer:
        """Nothing, for strokes to be painted on; no model was asked."""
        alpha = np.zeros((height, width), np.uint16)
        scores = np.zeros(NUM_MASK_TOKENS, np.float32)
        return cls(alpha, scores, (), (0, 0, width, height), 0.0, "")

    def united(self, other: _Answer) -> _Answer:
        """This object and another one as one object."""
        alpha = np.maximum(self.alpha, other.alpha)
        spent = self.click_ms + other.click_ms
        return replace(self, alpha=alpha, click_ms=spent)

    def on(self, base: WordArray, removed: _Answer | None, base_ms: float) -> _Answer:
        """This object and what is left of masks whose matte took so long."""
        left, spent = base, self.click_ms + base_ms
        if removed is not None:
            left, spent = without(base, removed.alpha), spent + removed.click_ms
        return replace(self, alpha=np.maximum(self.alpha, left), click_ms=spent)


class EmbeddingCache:
    """Features by key, the longest unused dropped first, bounded in bytes."""

    def __init__(self, max_bytes: int = CACHE_BYTES) -> None:
        self.max_bytes = max_bytes
        self.nbytes = 0
        self._entries: OrderedDict[tuple[object, ...], EncodedView] = OrderedDict()

    def get(self, key: tuple[object, ...]) -> EncodedView | None:
        """The entry, marked as used, or None."""
        if key in self._entries:
            self._entries.move_to_end(key)
        return self._entries.get(key)

    def put(self, key: tuple[object, ...], value: EncodedView) -> None:
        """Keep an entry; one larger than the cache is kept alone."""
        self._entries[key] = value
        self.nbytes += value.nbytes
        while self.nbytes > self.max_bytes and len(self._entries) > 1:
            _, dropped = self._entries.popitem(last=False)
            self.nbytes -= dropped.nbytes

    def __len__(self) -> int:
        return len(self._entries)


class Engine:
    """Answers requests.  One thread owns an engine; models load on first use.

    When memory runs out it is freed, and the work done again with less of it, see
    :mod:`zim_model.inference.oom_fallback`; the answers' timings say so.

    Args:
        open_model: makes the backend of a model name on a rung of the ladder.
        cache_bytes: most memory for remembered features.
    """

    def __init__(
        self, open_model: OpenModel = open_on, cache_bytes: int = CACHE_BYTES
    ) -> None:
        self._open_model = open_model
        self._ladder = Ladder(open_model)
        self._last_answer: tuple[RequestKey, _Answer] | None = None
        self._last_adjusted: tuple[RequestKey, WordArray] | None = None
        self._last_painted: tuple[tuple[Stroke, ...], WordArray] | None = None
        self._covers = CoverCache()
        self._looks = Looks()
        self._masks = MaskMattes()
        self.cache = EmbeddingCache(cache_bytes)

    def backend(self, model: str) -> Backend:
        """The backend of a model, loaded on first use.

        Raises:
            WeightsError: the model cannot be loaded.
        """
        return self._ladder.backend(model)

    def devices(self) -> tuple[Device, ...]:
        """The devices of this machine, the best first."""
        return available_devices()

    def set_device(self, choice: DeviceChoice) -> None:
        """Run models elsewhere or otherwise from now on; they load again when used."""
        if choice != self._ladder.choice:
            self._ladder = Ladder(self._open_model, choice)
            self._forget()

    def _forget(self) -> None:
        """Drop all that can be made again."""
        self.cache = EmbeddingCache(self.cache.max_bytes)
        self._last_answer = self._last_adjusted = self._last_painted = None
        self._covers = CoverCache()
        self._looks = Looks()
        self._masks = MaskMattes()

    def prepare(
        self, request: Request, cancelled: CancelCheck = never_cancelled
    ) -> Timings:
        """Encode the whole image, so that the first click finds it done.

        Raises:
            WeightsError: the model cannot be loaded.
            DeviceError: its device is missing, or no memory suffices.
            Cancelled: ``cancelled`` became true.
        """
        work = partial(self._prepare, request, cancelled)
        return self._ladder.run(request.model, work, self._forget)

    def _prepare(self, request: Request, cancelled: CancelCheck) -> Timings:
        check(cancelled)
        backend = self.backend(request.model)
        check(cancelled)
        height, width = request.image.shape[:2]
        view = View.whole(height, width, backend.config.image_size)
        _, encode_ms = self._encoded(backend, request, view)
        if request.options.flip_tta:
            encode_ms += self._encoded_both_ways(backend, request, view)[1]
        notes = self._ladder.notes(request.model)
        return Timings(encode_ms, 0.0, backend.device_label, notes)

    def solve(
        self, request: Request, cancelled: CancelCheck = never_cancelled
    ) -> Matte:
        """Make the matte of a request.

        Args:
            cancelled: polled between steps.

        Raises:
            PromptError: the prompts cannot be answered on this image.
            WeightsError: the model cannot be loaded.
            DeviceError: its device is missing, or no memory suffices.
            Cancelled: ``cancelled`` became true.
        """
        work = partial(self._solve, request, cancelled)
        return self._ladder.run(request.model, work, self._forget)

    def _solve(self, request: Request, cancelled: CancelCheck) -> Matte:
        answer, encode_ms = self._answer(request, cancelled)
        started = time.perf_counter()
        alpha = self._finished(request, answer, cancelled)
        alpha.flags.writeable = False
        check(cancelled)
        pyramid = display_pyramid(alpha)
        colours = _freed(request, alpha, cancelled)
        click_ms = answer.click_ms + (time.perf_counter() - started) * 1e3
        notes = self._ladder.notes(request.model) if answer.device else ()
        return Matte(
            alpha=alpha,
            pyramid=pyramid,
            scores=answer.scores,
            candidate=request.options.candidate or 0,
            support=support(alpha),
            timings=Timings(encode_ms, click_ms, answer.device, notes),
            candidates=answer.candidates,
            candidates_view=answer.view,
            colours=colours,
        )

    def everything(
        self,
        request: Request,
        options: AutomaticOptions | None = None,
        cancelled: CancelCheck = never_cancelled,
        progress: Progress | None = None,
    ) -> tuple[FoundObject, ...]:
        """Find the objects of an image, see :mod:`zim_model.inference.automatic`.

        Args:
            request: its image and model count.
            options: None takes what suits the model.
            cancelled: polled between steps.
            progress: told what was found so far, on the calling thread.

        Raises:
            PromptError: an option is out of its range.
            WeightsError: the model cannot be loaded.
            DeviceError: its device is missing, or no memory suffices.
            Cancelled: ``cancelled`` became true.
        """
        work = partial(self._everything, request, options, cancelled, progress)
        return self._ladder.run(request.model, work, self._forget)

    def _everything(
        self,
        request: Request,
        options: AutomaticOptions | None,
        cancelled: CancelCheck,
        progress: Progress | None,
    ) -> tuple[FoundObject, ...]:
        from zim_model.inference.automatic import generate, unheard

        check(cancelled)
        backend = self.backend(request.model)
        height, width = request.image.shape[:2]

        def encode(view: View) -> EncodedView:
            return self._encoded(backend, request, view)[0]

        size, told = (height, width), progress or unheard
        return generate(backend, encode, size, options, cancelled, told)

    def _answer(
        self, request: Request, cancelled: CancelCheck
    ) -> tuple[_Answer, float]:
        """The model's matte before its finish, and the milliseconds of encoding."""
        height, width = request.image.shape[:2]
        key = replace(request, finish=Finish()).key
        if self._last_answer is not None and self._last_answer[0] == key:
            return replace(self._last_answer[1], click_ms=0.0), 0.0
        base, base_ms = self._base(request, cancelled)
        asked = questions(request, base)
        if not asked.added and base is None:
            if not request.finish.strokes:
                request.prompts.validate(height, width)  # says that there is none
            return _Answer.blank(height, width), 0.0
        found = [
            self._solve_one(request, prompts, cancelled) for prompts in asked.added
        ]
        answer, encode_ms = found[0] if found else (_Answer.blank(height, width), 0.0)
        for other, more_ms in found[1:]:
            answer = answer.united(other)
            encode_ms += more_ms
        if base is not None:
            removed = None
            if asked.removed is not None:
                plain = replace(
                    request, options=replace(request.options, candidate=None)
                )
                removed, more_ms = self._solve_one(plain, asked.removed, cancelled)
                encode_ms += more_ms
            answer = answer.on(base, removed, base_ms)
            if not answer.device:  # no model was asked; converters run in fp32
                device = device_name(self._ladder.device(request.model))
                answer = replace(answer, device=f"{device} (fp32)")
        if request.cacheable:
            self._last_answer = (key, answer)
        return answer, encode_ms

    def _base(
        self, request: Request, cancelled: CancelCheck
    ) -> tuple[WordArray | None, float]:
        """The matte of a request's masks, if it has any, and the milliseconds spent."""
        if not request.masks:
            return None, 0.0
        started, device = time.perf_counter(), self._ladder.device(request.model)
        base = self._masks.union_alpha(request, device, cancelled)
        return base, (time.perf_counter() - started) * 1e3

    def _solve_one(
        self, request: Request, prompts: PromptSet, cancelled: CancelCheck
    ) -> tuple[_Answer, float]:
        """The model's matte for one prompt set, at the image's size."""
        height, width = request.image.shape[:2]
        candidate = request.options.candidate or 0
        if not 0 <= candidate < NUM_MASK_TOKENS:
            raise PromptError(f"There is no candidate {candidate}.", "Use 0 to 3.")
        check(cancelled)
        backend = self.backend(request.model)
        check(cancelled)
        encode_ms, mirrored = 0.0, request.options.flip_tta

        def encode(view: View) -> EncodedView:
            nonlocal encode_ms
            see = self._encoded_both_ways if mirrored else self._encoded
            encoded, spent = see(backend, request, view)
            encode_ms += spent
            return encoded

        started = time.perf_counter()
        size, key = (height, width), request.image_key
        asked = _both_ways(backend) if mirrored else backend
        question = Question(asked, encode, key, size, prompts, candidate, cancelled)
        seen = self._looks.answer(question, remember=request.cacheable)
        check(cancelled)
        view, alphas = seen.view, seen.alphas
        alphas = alphas * border_fade(alphas.shape[1:], view, height, width)
        small = alphas[candidate]
        if seen.fine is not None:
            small = seen.fine * border_fade(seen.fine.shape, view, height, width)
        full = np.zeros((height, width), np.uint16)
        guided = request.options.upsampling != "bilinear"
        pixels, guide = view.crop(request.image), None
        if guided:
            small, guide = stepped(small, pixels)
        full[view.top : view.bottom, view.left : view.right] = guided_upsample(
            small, pixels, guided=guided, guide=guide
        )
        if request.options.upsampling == "native":
            ask = partial(_asked, asked, request.image)
            full = refine_native(full, request.image, view, ask, cancelled)
        answer = _Answer(
            alpha=full,
            scores=seen.scores,
            candidates=_thumbnails(alphas),
            view=(view.left, view.top, view.right, view.bottom),
            click_ms=(time.perf_counter() - started) * 1e3 - encode_ms,
            device=backend.device_label,
        )
        return answer, encode_ms

    def _finished(
        self, request: Request, answer: _Answer, cancelled: CancelCheck
    ) -> WordArray:
        """The matte with its edge adjusted and its strokes painted.

        The last steps are remembered: a further stroke is painted on what the earlier
        ones gave.
        """
        finish = request.finish
        if not request.cacheable:
            alpha = adjusted(answer.alpha, finish)
            return painted(alpha, finish.strokes, self._covers, cancelled)
        before = replace(request, finish=replace(finish, strokes=(), decontaminate=0.0))
        if self._last_adjusted is None or self._last_adjusted[0] != before.key:
            self._last_adjusted = (before.key, adjusted(answer.alpha, finish))
            self._last_painted = None
        check(cancelled)
        alpha, done = self._last_adjusted[1], 0
        if self._last_painted is not None:
            strokes, earlier = self._last_painted
            if finish.strokes[: len(strokes)] == strokes:
                alpha, done = earlier, len(strokes)
        alpha = painted(alpha, finish.strokes[done:], self._covers, cancelled)
        self._last_painted = (finish.strokes, alpha)
        return alpha

    def _encoded(
        self, backend: Backend, request: Request, view: View
    ) -> tuple[EncodedView, float]:
        """Features of a view, from the cache or new, and the milliseconds spent."""
        key = (backend.fingerprint, request.image_key, view)
        found = self.cache.get(key)
        if found is not None:
            return found, 0.0
        started = time.perf_counter()
        found = backend.encode(request.image, view)
        self.cache.put(key, found)
        return found, (time.perf_counter() - started) * 1e3

    def _encoded_both_ways(
        self, backend: Backend, request: Request, view: View
    ) -> tuple[EncodedView, float]:
        """The same for a view and its mirror image."""
        from zim_model.inference.flip_tta import EncodedBothWays

        encoded, encode_ms = self._encoded(backend, request, view)
        image, key = request.image[:, ::-1], f"{request.image_key} mirrored"
        other, more_ms = self._encoded(
            backend,
            replace(request, image=image, image_key=key),
            view.flip(image.shape[1]),
        )
        return EncodedBothWays.of(encoded, other), encode_ms + more_ms


def _both_ways(backend: Backend) -> Backend:
    from zim_model.inference.flip_tta import BothWays

    return BothWays(backend)


def _freed(
    request: Request, alpha: WordArray, cancelled: CancelCheck
) -> tuple[ByteArray, ...]:
    """The picture's levels freed from the background, if that is asked for.

    They are looked at while sliders move; an export makes its own, more exactly.
    """
    from zim_model.matting.foreground import estimate_foreground

    amount = request.finish.decontaminate
    if amount == 0:
        return ()
    pixels = estimate_foreground(
        request.image, alpha, amount=amount, method="blur-fusion", cancelled=cancelled
    )
    pixels.flags.writeable = False
    return image_pyramid(pixels)


def _asked(
    backend: Backend, image: ByteArray, view: View, prompts: PromptSet
) -> FloatArray:
    """Alpha (h, w) of a view that is looked at once, so its features are not kept."""
    seen = decoded(backend, backend.encode(image, view), prompts)
    return np.asarray(seen.alphas[0], np.float32)


def _thumbnails(alphas: FloatArray) -> tuple[ByteArray, ...]:
    """Mattes (4, h, w) in [0, 1] as small read-only uint8 pictures."""
    scale = min(1.0, THUMBNAIL_SIDE / max(alphas.shape[1:]))
    height, width = (max(1, round(side * scale)) for side in alphas.shape[1:])
    small = []
    for alpha in alphas:
        resized = cv2.resize(alpha, (width, height), interpolation=cv2.INTER_AREA)
        small.append((resized * 255 + 0.5).astype(np.uint8))
        small[-1].flags.writeable = False
    return tuple(small)
