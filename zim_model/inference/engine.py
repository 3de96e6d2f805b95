"""The engine: one request in, one matte out, with the expensive stages cached.

``solve`` is the only path from prompts to alpha: the window, the command line, batches
and the evaluation all take it.  Its stages, each with its memory beside it:

1. encode the views: :mod:`zim_model.inference.encoding`
2. predict from each prompt set: :mod:`zim_model.inference.iterative`
3. upsample to the image's size: :mod:`zim_model.inference.upsampling`
4. combine with masks: :mod:`zim_model.inference.mask_composition`
5. solve the soft edge, if asked to: :mod:`zim_model.inference.trimap_refinement`
6. finish: :mod:`zim_model.inference.finishing`
7. make pyramids for display: :mod:`zim_model.matting.pyramid`
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from zim_model.arrays import ByteArray, WordArray, mask_bounds, sparse
from zim_model.backends.backend import Backend, EncodedView
from zim_model.backends.view import View
from zim_model.errors import PromptError, msg
from zim_model.finish import Finish
from zim_model.inference.encoding import FeatureCache, ViewEncoder
from zim_model.inference.finishing import Finisher
from zim_model.inference.flip_tta import FlipTta
from zim_model.inference.iterative import IterativePredictor
from zim_model.inference.mask_composition import (
    MaskMattes,
    combine,
    limit_changes,
    split_prompts,
)
from zim_model.inference.official import has_official_code, predict_officially
from zim_model.inference.oom_fallback import (
    BackendPool,
    OpenBackend,
    OpenTrimapNetwork,
    open_placement,
    open_trimap_network,
)
from zim_model.inference.prediction import PredictRequest
from zim_model.inference.stopwatch import Stopwatch
from zim_model.inference.trimap_refinement import refine_with_trimap
from zim_model.inference.upsampling import RawMatte, upsample_prediction
from zim_model.matting.pyramid import display_pyramid, halve, image_pyramid
from zim_model.network.config import NUM_MASK_TOKENS
from zim_model.prompts import PromptSet
from zim_model.recipe import Options
from zim_model.request import (
    DRAFT_PIXELS,
    CancelCheck,
    Matte,
    ProgressCallback,
    Request,
    RequestKey,
    Timings,
    ignore_progress,
    never_cancelled,
    raise_if_cancelled,
)
from zim_model.runtime.devices import (
    Device,
    DeviceChoice,
    available_devices,
    device_name,
    within_memory,
)
from zim_model.runtime.lru import ByteBoundedLru
from zim_model.weights.trimap import CLOSED_FORM, find_trimap_network

if TYPE_CHECKING:
    from zim_model.inference.automatic import (
        AutomaticOptions,
        FoundObject,
        SearchProgress,
    )

CACHE_BYTES = 1 << 30
RAW_CACHE_BYTES = 16 << 20
"""Most memory for mattes before their finish."""


@dataclass(frozen=True, slots=True, eq=False)
class _Call:
    """One call of the engine: its request, whether it is still wanted, its times."""

    request: Request
    cancelled: CancelCheck
    progress: ProgressCallback = ignore_progress
    stopwatch: Stopwatch = field(default_factory=Stopwatch)


class _Stages:
    """The stages that remember; all that they remember can be made again."""

    def __init__(self, feature_bytes: int) -> None:
        self.features = FeatureCache(feature_bytes)
        self.predictor = IterativePredictor()
        self.mask_mattes = MaskMattes()
        self.raw_mattes = ByteBoundedLru[RequestKey, RawMatte](RAW_CACHE_BYTES)
        self.finisher = Finisher()


class Engine:
    """Turns requests into mattes.  One thread owns an engine; models load on first use.

    When memory runs out, some is freed and the request is repeated with less, see
    :mod:`zim_model.inference.oom_fallback`; the matte's timings say so.

    Args:
        open_model: makes the backend of a model name on a placement.
        cache_bytes: most memory for cached features; no more than a tenth of what the
            computer has.
        open_trimap: loads the trimap network of a name on a placement.
    """

    def __init__(
        self,
        open_model: OpenBackend = open_placement,
        cache_bytes: int = CACHE_BYTES,
        open_trimap: OpenTrimapNetwork = open_trimap_network,
    ) -> None:
        self._open_model, self._open_trimap = open_model, open_trimap
        self._cache_bytes = within_memory(cache_bytes)
        self._pool = BackendPool(open_model)
        self._trimap_pool = BackendPool(open_trimap)
        self._stages = _Stages(self._cache_bytes)

    @property
    def cache(self) -> FeatureCache:
        """The cached features."""
        return self._stages.features

    def backend(self, model: str) -> Backend:
        """The backend of a model, loaded on first use.

        Raises:
            WeightsError: the model cannot be loaded.
        """
        return self._pool.backend(model)

    def devices(self) -> tuple[Device, ...]:
        """The devices of this machine, the best first."""
        return available_devices()

    @property
    def device(self) -> str | None:
        """The device that was chosen for models; None takes the best."""
        return self._pool.choice.device

    def set_device(self, choice: DeviceChoice) -> None:
        """Run models elsewhere or otherwise from now on; they reload on next use."""
        if choice != self._pool.choice:
            self._pool = BackendPool(self._open_model, choice)
            self._trimap_pool = BackendPool(self._open_trimap, choice)
            self._clear_caches()

    def _clear_caches(self) -> None:
        """Drop all that can be made again."""
        self._stages = _Stages(self._cache_bytes)

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
        return self._pool.run_with_fallback(
            request.recipe.model, work, self._clear_caches
        )

    def _prepare(self, request: Request, cancelled: CancelCheck) -> Timings:
        call = _Call(request, cancelled)
        backend = self._load(call)
        height, width = request.image.shape[:2]
        encode = self._encoder(call, backend)
        encode(View.whole_for(backend.config, height, width))
        notes = self._pool.notes(request.recipe.model)
        return Timings(call.stopwatch.encode_ms, 0.0, backend.device_label, notes)

    def solve(
        self,
        request: Request,
        cancelled: CancelCheck = never_cancelled,
        progress: ProgressCallback = ignore_progress,
    ) -> Matte:
        """Make the matte of a request.

        Args:
            cancelled: polled between steps.
            progress: called with the finished fraction of each long step: tiled or
                trimap refinement, decontamination.

        Raises:
            PromptError: the prompts cannot be answered on this image.
            WeightsError: the model or the trimap network cannot be loaded.
            DeviceError: its device is missing, or no memory suffices.
            Cancelled: ``cancelled`` became true.
        """
        work = partial(self._solve, request, cancelled, progress)
        return self._pool.run_with_fallback(
            request.recipe.model, work, self._clear_caches
        )

    def _solve(
        self, request: Request, cancelled: CancelCheck, progress: ProgressCallback
    ) -> Matte:
        request = _drafted(request) if request.draft else _with_trimap_network(request)
        call = _Call(request.validate(), cancelled, progress)
        recipe = call.request.recipe
        raw = self._raw_matte(call)
        alpha = self._stages.finisher.finish(call.request, raw.alpha, cancelled)
        raise_if_cancelled(cancelled)
        support = mask_bounds(alpha) or (0, 0, 0, 0)
        if alpha is not raw.alpha:
            alpha = sparse(alpha, support)
        alpha.flags.writeable = False
        pyramid = display_pyramid(alpha, support)
        foreground = _foreground_pyramid(call, alpha)
        notes = self._pool.notes(recipe.model) if raw.device else ()
        if recipe.options.upsampling == "trimap":
            notes += self._trimap_pool.notes(recipe.options.trimap_network)
        return Matte(
            alpha=alpha,
            pyramid=pyramid,
            scores=raw.scores,
            candidate=recipe.options.candidate or 0,
            support=support,
            timings=call.stopwatch.timings(raw.device, notes),
            candidates=raw.candidates,
            candidates_view=raw.view,
            foreground=foreground,
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
        return self._pool.run_with_fallback(
            request.recipe.model, work, self._clear_caches
        )

    def subject(
        self, request: Request, cancelled: CancelCheck = never_cancelled
    ) -> FoundObject | None:
        """The main object of an image, or None; arguments as :meth:`everything`.

        Raises:
            WeightsError, DeviceError, Cancelled: as :meth:`everything`.
        """
        work = partial(self._subject, request, cancelled)
        return self._pool.run_with_fallback(
            request.recipe.model, work, self._clear_caches
        )

    def _subject(self, request: Request, cancelled: CancelCheck) -> FoundObject | None:
        from zim_model.inference.automatic import find_subject

        backend, encode = self._search_tools(request, cancelled)
        return find_subject(
            *(backend, encode, request.image.shape[:2], cancelled),
            *(self._stages.predictor, request.image_key),
        )

    def _everything(
        self,
        request: Request,
        options: AutomaticOptions | None,
        cancelled: CancelCheck,
        progress: SearchProgress | None,
    ) -> tuple[FoundObject, ...]:
        from zim_model.inference.automatic import find_objects, ignore_progress

        backend, encode = self._search_tools(request, cancelled)
        size, on_progress = request.image.shape[:2], progress or ignore_progress
        return find_objects(backend, encode, size, options, cancelled, on_progress)

    def _search_tools(
        self, request: Request, cancelled: CancelCheck
    ) -> tuple[Backend, Callable[[View], EncodedView]]:
        """The model, and what encodes views of the image."""
        # Without flip TTA: one prediction for each of many prompts.
        call = _Call(request.with_recipe(options=Options()), cancelled)
        backend = self._load(call)
        return backend, self._encoder(call, backend)

    # -- Stages ----------------------------------------------------------------------

    def _raw_matte(self, call: _Call) -> RawMatte:
        """The matte of all prompts and masks, before its finish."""
        request, memory = call.request, self._stages.raw_mattes
        key = request.with_recipe(finish=Finish()).key
        raw = memory.get(key)
        if raw is not None:
            return raw
        with call.stopwatch.loading():  # the first time it imports torch
            device = self._pool.device(request.recipe.model)
        base = self._stages.mask_mattes.union_alpha(request, device, call.cancelled)
        split = split_prompts(request.recipe, base)
        candidate = request.recipe.options.candidate or 0
        added = [self._predicted_matte(call, each, candidate) for each in split.added]
        subtracted = None
        if split.subtracted is not None:
            subtracted = self._predicted_matte(call, split.subtracted, candidate=0)
        if base is not None and split.correcting is not None:
            corrected = self._corrected_alpha(call, base, split.correcting, candidate)
            if corrected is not None:
                added, subtracted = limit_changes(split, added, subtracted, corrected)
        raw = combine(request.image.shape[:2], added, base, subtracted)
        if base is not None and not raw.device:  # converters run in fp32
            raw = replace(raw, device=f"{device_name(device)} (fp32)")
        if request.recipe.options.upsampling == "trimap":
            raw = replace(raw, alpha=self._refined_alpha(call, raw))
        raw = replace(raw, alpha=sparse(raw.alpha))
        if request.cacheable:
            memory.put(key, raw)
        return raw

    def _predicted_matte(
        self, call: _Call, prompts: PromptSet, candidate: int
    ) -> RawMatte:
        """The model's matte for one prompt set, at the image's size."""
        request, options = call.request, call.request.recipe.options
        task = self._task(call, prompts, candidate)
        backend = task.backend
        official = options.upsampling == "official"
        if official and has_official_code(backend.config):
            if options.flip_tta:
                raise PromptError(
                    msg("The official code does not predict for the mirrored image."),
                    msg("Choose another upsampling."),
                )
            predicted, alpha = predict_officially(task)
            return RawMatte.of(predicted, alpha, backend.device_label)
        prediction = self._stages.predictor.predict(task, remember=request.cacheable)
        raise_if_cancelled(call.cancelled)
        return upsample_prediction(task, prediction, request.image, options.upsampling)

    def _task(self, call: _Call, prompts: PromptSet, candidate: int) -> PredictRequest:
        """What to predict for one prompt set."""
        if not 0 <= candidate < NUM_MASK_TOKENS:
            raise PromptError(
                msg("There is no candidate {candidate}.", candidate=candidate),
                msg("Use 0 to 3."),
            )
        request, backend = call.request, self._load(call)
        flipped = request.recipe.options.flip_tta
        return PredictRequest(
            backend=FlipTta(backend) if flipped else backend,
            encode=self._encoder(call, backend),
            image_key=request.image_key,
            size=request.image.shape[:2],
            prompts=prompts,
            candidate=candidate,
            cancelled=call.cancelled,
            progress=call.progress,
        )

    def _corrected_alpha(
        self, call: _Call, base: WordArray, prompts: PromptSet, candidate: int
    ) -> WordArray | None:
        """The masks' matte as the model corrects it; None if it takes no mask."""
        request, task = call.request, self._task(call, prompts, candidate)
        prediction = self._stages.predictor.correct(task, base)
        if prediction is None:
            return None
        raise_if_cancelled(call.cancelled)
        upsampling = request.recipe.options.upsampling
        return upsample_prediction(task, prediction, request.image, upsampling).alpha

    def _refined_alpha(self, call: _Call, raw: RawMatte) -> WordArray:
        """The alpha of a matte with its soft edge solved by the trimap network."""
        name = call.request.recipe.options.trimap_network

        def refine() -> WordArray:
            raise_if_cancelled(call.cancelled)
            with call.stopwatch.loading():
                network = self._trimap_pool.backend(name)
            return refine_with_trimap(
                *(raw.alpha, call.request.image, network, raw.cell),
                *(call.cancelled, call.progress),
                of_mask=raw.of_mask,
            )

        def free() -> None:  # the model's memory, too: it is loaded again
            self._clear_caches()
            self._pool.release()

        return self._trimap_pool.run_with_fallback(name, refine, free)

    def _load(self, call: _Call) -> Backend:
        """The backend of a request's model."""
        raise_if_cancelled(call.cancelled)
        with call.stopwatch.loading():
            backend = self.backend(call.request.recipe.model)
        raise_if_cancelled(call.cancelled)
        return backend

    def _encoder(self, call: _Call, backend: Backend) -> ViewEncoder:
        """Encodes views of a request's image."""
        return ViewEncoder(
            backend=backend,
            image=call.request.image,
            image_key=call.request.image_key,
            cache=self._stages.features,
            flip=call.request.recipe.options.flip_tta,
            stopwatch=call.stopwatch,
        )


def _with_trimap_network(request: Request) -> Request:
    """A request that names the trimap network that it needs.

    Raises:
        WeightsError: it is not installed.
    """
    options = request.recipe.options
    if options.upsampling != "trimap" or options.trimap_network == CLOSED_FORM:
        return request
    found = find_trimap_network(options.trimap_network)
    options = replace(options, trimap_network=options.trimap_network or found.name)
    return request.with_recipe(options=options)


def _drafted(request: Request) -> Request:
    """A request for a draft, without the refinement of the edge."""
    options = request.recipe.options
    if options.refines_edge:
        options = replace(options, upsampling="guided", trimap_network="")
    return request.with_recipe(options=options)


def _foreground_pyramid(call: _Call, alpha: WordArray) -> tuple[ByteArray, ...]:
    """The image's pyramid with decontaminated edges; empty without decontamination.

    This fast estimate is for display while sliders move; an export makes a more exact
    one.  That of a draft begins at the first level of at most ``DRAFT_PIXELS``.
    """
    from zim_model.matting.foreground import estimate_foreground

    image, amount = call.request.image, call.request.recipe.finish.decontaminate
    if amount == 0:
        return ()
    halvings = 0
    if call.request.draft:
        while alpha.size >> 2 * halvings > DRAFT_PIXELS:
            halvings += 1
    pixels = estimate_foreground(
        halve(image, halvings),
        halve(alpha, halvings),
        amount=amount,
        method="blur-fusion",
        cancelled=call.cancelled,
        progress=call.progress,
    )
    pixels.flags.writeable = False
    return image_pyramid(pixels, first=halvings)
