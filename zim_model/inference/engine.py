"""The engine: one request in, one matte out, with the expensive steps cached.

``solve`` is the only path from prompts to alpha: the window, the command line, batches
and the evaluation all take it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import cv2
import numpy as np

from zim_model.arrays import ByteArray, FloatArray, WordArray
from zim_model.errors import PromptError, msg
from zim_model.inference.iterative import IterativePredictor
from zim_model.inference.mask_composition import (
    MaskMatteCache,
    split_prompts,
    subtract_alpha,
)
from zim_model.inference.oom_fallback import BackendPool, OpenBackend, open_placement
from zim_model.inference.prediction import PredictRequest, decode_view
from zim_model.inference.tiled_refinement import refine_tiles
from zim_model.inference.view import View, border_fade
from zim_model.matting.edge_and_brush import (
    StrokeCoverageCache,
    apply_edge_adjustments,
    apply_strokes,
    support,
)
from zim_model.matting.guided_upsampling import guided_upsample, upsample_in_steps
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
    never_cancelled,
    raise_if_cancelled,
)
from zim_model.runtime.devices import (
    Device,
    DeviceChoice,
    available_devices,
    device_name,
)
from zim_model.runtime.lru import ByteBoundedLru

if TYPE_CHECKING:
    from zim_model.inference.automatic import (
        AutomaticOptions,
        FoundObject,
        SearchProgress,
    )
    from zim_model.inference.backends import Backend, EncodedView


FeatureCache = ByteBoundedLru[tuple[object, ...], "EncodedView"]
CACHE_BYTES = 1 << 30
THUMBNAIL_SIDE = 128
"""Longer side, in pixels, of a matte's candidates, which are for display."""


@dataclass(frozen=True, slots=True, eq=False)
class _RawMatte:
    """The model's matte for a request, at the image's size, before the finish."""

    alpha: WordArray
    scores: FloatArray
    candidates: tuple[ByteArray, ...]
    view: tuple[int, int, int, int]
    click_ms: float
    device: str

    @classmethod
    def blank(cls, height: int, width: int) -> _RawMatte:
        """An empty matte to paint strokes on; no model has run."""
        alpha = np.zeros((height, width), np.uint16)
        scores = np.zeros(NUM_MASK_TOKENS, np.float32)
        return cls(alpha, scores, (), (0, 0, width, height), 0.0, "")

    def union(self, other: _RawMatte) -> _RawMatte:
        """The union of two mattes."""
        alpha = np.maximum(self.alpha, other.alpha)
        elapsed_ms = self.click_ms + other.click_ms
        return replace(self, alpha=alpha, click_ms=elapsed_ms)

    def combine_with_masks(
        self, base: WordArray, subtracted: _RawMatte | None, base_ms: float
    ) -> _RawMatte:
        """The union of this matte and the masks' ``base`` less ``subtracted``."""
        left, elapsed_ms = base, self.click_ms + base_ms
        if subtracted is not None:
            left = subtract_alpha(base, subtracted.alpha)
            elapsed_ms += subtracted.click_ms
        return replace(self, alpha=np.maximum(self.alpha, left), click_ms=elapsed_ms)


class Engine:
    """Turns requests into mattes.  One thread owns an engine; models load on first use.

    When memory runs out, some is freed and the request is repeated with less, see
    :mod:`zim_model.inference.oom_fallback`; the matte's timings say so.

    Args:
        open_model: makes the backend of a model name on a placement.
        cache_bytes: most memory for cached features.
    """

    def __init__(
        self, open_model: OpenBackend = open_placement, cache_bytes: int = CACHE_BYTES
    ) -> None:
        self._open_model = open_model
        self._pool = BackendPool(open_model)
        self._last_answer: tuple[RequestKey, _RawMatte] | None = None
        self._last_adjusted: tuple[RequestKey, WordArray] | None = None
        self._last_painted: tuple[tuple[Stroke, ...], WordArray] | None = None
        self._stroke_cache = StrokeCoverageCache()
        self._predictor = IterativePredictor()
        self._mask_mattes = MaskMatteCache()
        self.cache = FeatureCache(cache_bytes)

    def backend(self, model: str) -> Backend:
        """The backend of a model, loaded on first use.

        Raises:
            WeightsError: the model cannot be loaded.
        """
        return self._pool.backend(model)

    def devices(self) -> tuple[Device, ...]:
        """The devices of this machine, the best first."""
        return available_devices()

    def set_device(self, choice: DeviceChoice) -> None:
        """Run models elsewhere or otherwise from now on; they reload on next use."""
        if choice != self._pool.choice:
            self._pool = BackendPool(self._open_model, choice)
            self._clear_caches()

    def _clear_caches(self) -> None:
        """Drop all that can be made again."""
        self.cache = FeatureCache(self.cache.max_bytes)
        self._last_answer = self._last_adjusted = self._last_painted = None
        self._stroke_cache = StrokeCoverageCache()
        self._predictor = IterativePredictor()
        self._mask_mattes = MaskMatteCache()

    def prepare(
        self, request: Request, cancelled: CancelCheck = never_cancelled
    ) -> Timings:
        """Encode the whole image, so that the first click need not wait for it.

        Raises:
            WeightsError: the model cannot be loaded.
            DeviceError: its device is missing, or no memory suffices.
            Cancelled: ``cancelled`` became true.
        """
        work = partial(self._prepare, request, cancelled)
        return self._pool.run_with_fallback(request.model, work, self._clear_caches)

    def _prepare(self, request: Request, cancelled: CancelCheck) -> Timings:
        raise_if_cancelled(cancelled)
        backend = self.backend(request.model)
        raise_if_cancelled(cancelled)
        height, width = request.image.shape[:2]
        view = View.whole(height, width, backend.config.image_size)
        _, encode_ms = self._encode_cached(backend, request, view)
        if request.options.flip_tta:
            encode_ms += self._encode_flipped(backend, request, view)[1]
        notes = self._pool.notes(request.model)
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
        return self._pool.run_with_fallback(request.model, work, self._clear_caches)

    def _solve(self, request: Request, cancelled: CancelCheck) -> Matte:
        raw, encode_ms = self._raw_matte(request, cancelled)
        started = time.perf_counter()
        alpha = self._apply_finish(request, raw, cancelled)
        alpha.flags.writeable = False
        raise_if_cancelled(cancelled)
        pyramid = display_pyramid(alpha)
        colours = _decontaminate(request, alpha, cancelled)
        click_ms = raw.click_ms + (time.perf_counter() - started) * 1e3
        notes = self._pool.notes(request.model) if raw.device else ()
        return Matte(
            alpha=alpha,
            pyramid=pyramid,
            scores=raw.scores,
            candidate=request.options.candidate or 0,
            support=support(alpha),
            timings=Timings(encode_ms, click_ms, raw.device, notes),
            candidates=raw.candidates,
            candidates_view=raw.view,
            foreground=colours,
        )

    def everything(
        self,
        request: Request,
        options: AutomaticOptions | None = None,
        cancelled: CancelCheck = never_cancelled,
        progress: SearchProgress | None = None,
    ) -> tuple[FoundObject, ...]:
        """Find the objects of an image, see :mod:`zim_model.inference.automatic`.

        Args:
            request: only its image and model are used.
            options: None takes the defaults for the model.
            cancelled: polled between steps.
            progress: called with the objects found so far, on the calling thread.

        Raises:
            PromptError: an option is out of its range.
            WeightsError: the model cannot be loaded.
            DeviceError: its device is missing, or no memory suffices.
            Cancelled: ``cancelled`` became true.
        """
        work = partial(self._everything, request, options, cancelled, progress)
        return self._pool.run_with_fallback(request.model, work, self._clear_caches)

    def _everything(
        self,
        request: Request,
        options: AutomaticOptions | None,
        cancelled: CancelCheck,
        progress: SearchProgress | None,
    ) -> tuple[FoundObject, ...]:
        from zim_model.inference.automatic import find_objects, ignore_progress

        raise_if_cancelled(cancelled)
        backend = self.backend(request.model)
        height, width = request.image.shape[:2]

        def encode(view: View) -> EncodedView:
            return self._encode_cached(backend, request, view)[0]

        size, on_progress = (height, width), progress or ignore_progress
        return find_objects(backend, encode, size, options, cancelled, on_progress)

    def _raw_matte(
        self, request: Request, cancelled: CancelCheck
    ) -> tuple[_RawMatte, float]:
        """The matte before its finish, and the milliseconds of encoding."""
        height, width = request.image.shape[:2]
        key = replace(request, finish=Finish()).key
        if self._last_answer is not None and self._last_answer[0] == key:
            return replace(self._last_answer[1], click_ms=0.0), 0.0
        base, base_ms = self._mask_matte(request, cancelled)
        split = split_prompts(request, base)
        if not split.added and base is None:
            if not request.finish.strokes:
                request.prompts.validate(height, width)  # raises: there is none
            return _RawMatte.blank(height, width), 0.0
        mattes = [
            self._predict_prompt_set(request, prompts, cancelled)
            for prompts in split.added
        ]
        matte, encode_ms = (
            mattes[0] if mattes else (_RawMatte.blank(height, width), 0.0)
        )
        for other, more_ms in mattes[1:]:
            matte = matte.union(other)
            encode_ms += more_ms
        if base is not None:
            subtracted = None
            if split.subtracted is not None:
                plain = replace(
                    request, options=replace(request.options, candidate=None)
                )
                subtracted, more_ms = self._predict_prompt_set(
                    plain, split.subtracted, cancelled
                )
                encode_ms += more_ms
            matte = matte.combine_with_masks(base, subtracted, base_ms)
            if not matte.device:  # no model has run; converters run in fp32
                device = device_name(self._pool.device(request.model))
                matte = replace(matte, device=f"{device} (fp32)")
        if request.cacheable:
            self._last_answer = (key, matte)
        return matte, encode_ms

    def _mask_matte(
        self, request: Request, cancelled: CancelCheck
    ) -> tuple[WordArray | None, float]:
        """The matte of a request's masks, None without any, and its milliseconds."""
        if not request.masks:
            return None, 0.0
        started, device = time.perf_counter(), self._pool.device(request.model)
        base = self._mask_mattes.union_alpha(request, device, cancelled)
        return base, (time.perf_counter() - started) * 1e3

    def _predict_prompt_set(
        self, request: Request, prompts: PromptSet, cancelled: CancelCheck
    ) -> tuple[_RawMatte, float]:
        """The model's matte for one prompt set, at the image's size."""
        height, width = request.image.shape[:2]
        candidate = request.options.candidate or 0
        if not 0 <= candidate < NUM_MASK_TOKENS:
            raise PromptError(
                msg("There is no candidate {candidate}.", candidate=candidate),
                msg("Use 0 to 3."),
            )
        raise_if_cancelled(cancelled)
        backend = self.backend(request.model)
        raise_if_cancelled(cancelled)
        encode_ms, flipped = 0.0, request.options.flip_tta

        def encode(view: View) -> EncodedView:
            nonlocal encode_ms
            # A detail stage refines the mean of both, so its view is needed once.
            both = flipped and view.image_size == backend.config.image_size
            encode_view = self._encode_flipped if both else self._encode_cached
            encoded, elapsed_ms = encode_view(backend, request, view)
            encode_ms += elapsed_ms
            return encoded

        started = time.perf_counter()
        size, key = (height, width), request.image_key
        used = _flip_tta(backend) if flipped else backend
        task = PredictRequest(used, encode, key, size, prompts, candidate, cancelled)
        prediction = self._predictor.predict(task, remember=request.cacheable)
        raise_if_cancelled(cancelled)
        view, alphas = prediction.view, prediction.alphas
        alphas = alphas * border_fade(alphas.shape[1:], view, height, width)
        small = alphas[candidate]
        if prediction.fine is not None:
            fine = prediction.fine
            small = fine * border_fade(fine.shape, view, height, width)
        full = np.zeros((height, width), np.uint16)
        guided = request.options.upsampling != "bilinear"
        pixels, guide = view.crop(request.image), None
        if guided:
            small, guide = upsample_in_steps(small, pixels)
        full[view.top : view.bottom, view.left : view.right] = guided_upsample(
            small, pixels, guided=guided, guide=guide
        )
        if request.options.upsampling == "native":
            predict = partial(_predict_view, used, request.image)
            full = refine_tiles(full, request.image, view, predict, cancelled)
        matte = _RawMatte(
            alpha=full,
            scores=prediction.scores,
            candidates=_thumbnails(alphas),
            view=(view.left, view.top, view.right, view.bottom),
            click_ms=(time.perf_counter() - started) * 1e3 - encode_ms,
            device=backend.device_label,
        )
        return matte, encode_ms

    def _apply_finish(
        self, request: Request, raw: _RawMatte, cancelled: CancelCheck
    ) -> WordArray:
        """The matte with its edge adjusted and its strokes painted.

        The result is cached: a further stroke is painted over it.
        """
        finish = request.finish
        if not request.cacheable:
            alpha = apply_edge_adjustments(raw.alpha, finish)
            return apply_strokes(alpha, finish.strokes, self._stroke_cache, cancelled)
        before = replace(request, finish=replace(finish, strokes=(), decontaminate=0.0))
        if self._last_adjusted is None or self._last_adjusted[0] != before.key:
            adjusted = apply_edge_adjustments(raw.alpha, finish)
            self._last_adjusted = (before.key, adjusted)
            self._last_painted = None
        raise_if_cancelled(cancelled)
        alpha, done = self._last_adjusted[1], 0
        if self._last_painted is not None:
            strokes, earlier = self._last_painted
            if finish.strokes[: len(strokes)] == strokes:
                alpha, done = earlier, len(strokes)
        alpha = apply_strokes(
            alpha, finish.strokes[done:], self._stroke_cache, cancelled
        )
        self._last_painted = (finish.strokes, alpha)
        return alpha

    def _encode_cached(
        self, backend: Backend, request: Request, view: View
    ) -> tuple[EncodedView, float]:
        """Features of a view, cached or new, and the milliseconds of encoding."""
        key = (backend.fingerprint, request.image_key, view)
        encoded = self.cache.get(key)
        if encoded is not None:
            return encoded, 0.0
        started = time.perf_counter()
        encoded = backend.encode(request.image, view)
        self.cache.put(key, encoded)
        return encoded, (time.perf_counter() - started) * 1e3

    def _encode_flipped(
        self, backend: Backend, request: Request, view: View
    ) -> tuple[EncodedView, float]:
        """As :meth:`_encode_cached`, of a view and its mirror image."""
        from zim_model.inference.flip_tta import FlippedFeatures

        encoded, encode_ms = self._encode_cached(backend, request, view)
        image, key = request.image[:, ::-1], f"{request.image_key} mirrored"
        other, more_ms = self._encode_cached(
            backend,
            replace(request, image=image, image_key=key),
            view.flip(image.shape[1]),
        )
        return FlippedFeatures.join(encoded, other), encode_ms + more_ms


def _flip_tta(backend: Backend) -> Backend:
    from zim_model.inference.flip_tta import FlipTta

    return FlipTta(backend)


def _decontaminate(
    request: Request, alpha: WordArray, cancelled: CancelCheck
) -> tuple[ByteArray, ...]:
    """The image's pyramid with decontaminated edges; empty without decontamination.

    This fast estimate is for display while sliders move; an export makes a more exact
    one.
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


def _predict_view(
    backend: Backend, image: ByteArray, view: View, prompts: PromptSet
) -> FloatArray:
    """Alpha (h, w) of a view that is predicted once; its features are not cached."""
    prediction = decode_view(backend, backend.encode(image, view), prompts)
    return np.asarray(prediction.alphas[0], np.float32)


def _thumbnails(alphas: FloatArray) -> tuple[ByteArray, ...]:
    """Mattes (4, h, w) in [0, 1] as small read-only uint8 images."""
    scale = min(1.0, THUMBNAIL_SIDE / max(alphas.shape[1:]))
    height, width = (max(1, round(side * scale)) for side in alphas.shape[1:])
    small = []
    for alpha in alphas:
        resized = cv2.resize(alpha, (width, height), interpolation=cv2.INTER_AREA)
        small.append((resized * 255 + 0.5).astype(np.uint8))
        small[-1].flags.writeable = False
    return tuple(small)
