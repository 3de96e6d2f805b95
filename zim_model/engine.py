"""The engine: one request in, one matte out, with the expensive part remembered.

``solve`` is the only path from prompts to alpha: the window, the command line, batches
and the evaluation all take it.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from zim_model.arrays import FloatArray
from zim_model.errors import Cancelled, PromptError
from zim_model.prompts import Box, PromptSet
from zim_model.refine import display_pyramid, upsampled
from zim_model.registry import open_backend
from zim_model.request import (
    CancelCheck,
    Matte,
    Request,
    Timings,
)
from zim_model.transforms import View, around, border_fade, choose_view

if TYPE_CHECKING:
    from zim_model.backends import Backend, EncodedView
    from zim_model.config import ZimConfig


CACHE_BYTES = 1 << 30
CLOSER_BELOW = 0.5
"""A click's object is looked at again, closer, if it spans less of the picture."""
CLOSER_MARGIN = 0.5
"""Width of the surroundings shown then, on each side, as a fraction of the object."""
FLOOR = 1 / 512
"""A sigmoid never quite reaches 0 and 1; alpha within half an 8-bit step of them does,
so that a cut-out's surroundings are really empty and its inside really opaque."""


def never() -> bool:
    """The cancel check of a request that nobody withdraws."""
    return False


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

    Args:
        open_model: makes the backend of a model name.
        cache_bytes: most memory for remembered features.
    """

    def __init__(
        self,
        open_model: Callable[[str], Backend] = open_backend,
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        self._open_model = open_model
        self._backends: dict[str, Backend] = {}
        self.cache = EmbeddingCache(cache_bytes)

    def backend(self, model: str) -> Backend:
        """The backend of a model, loaded on first use.

        Raises:
            WeightsError: the model cannot be loaded.
        """
        if model not in self._backends:
            self._backends[model] = self._open_model(model)
        return self._backends[model]

    def prepare(self, request: Request, cancelled: CancelCheck = never) -> Timings:
        """Encode the whole image, so that the first click finds it done.

        Raises:
            WeightsError: the model cannot be loaded.
            Cancelled: ``cancelled`` became true.
        """
        _check(cancelled)
        backend = self.backend(request.model)
        _check(cancelled)
        height, width = request.image.shape[:2]
        view = View.whole(height, width, backend.config.image_size)
        _, encode_ms = self._encoded(backend, request, view)
        return Timings(encode_ms, 0.0, backend.device_label)

    def solve(self, request: Request, cancelled: CancelCheck = never) -> Matte:
        """Make the matte of a request.

        Args:
            cancelled: polled between steps.

        Raises:
            PromptError: the prompts cannot be answered on this image.
            WeightsError: the model cannot be loaded.
            Cancelled: ``cancelled`` became true.
        """
        height, width = request.image.shape[:2]
        prompts = request.prompts.validated(height, width)
        candidate = request.options.candidate or 0
        if not 0 <= candidate < 4:
            raise PromptError(f"There is no candidate {candidate}.", "Use 0 to 3.")
        _check(cancelled)
        backend = self.backend(request.model)
        _check(cancelled)
        view = choose_view(backend.config, prompts, height, width)
        encoded, encode_ms = self._encoded(backend, request, view)
        _check(cancelled)
        started = time.perf_counter()
        alpha, scores = _decoded(backend, encoded, prompts, candidate)
        closer = closer_view(backend.config, alpha, view, prompts, height, width)
        if closer is not None:
            view = closer
            _check(cancelled)
            encoded, more_ms = self._encoded(backend, request, view)
            encode_ms += more_ms
            started += more_ms / 1e3
            alpha, scores = _decoded(backend, encoded, prompts, candidate)
        _check(cancelled)
        alpha = alpha * border_fade(alpha.shape, view, height, width)
        full = np.zeros((height, width), np.uint16)
        full[view.top : view.bottom, view.left : view.right] = upsampled(
            alpha,
            view.crop(request.image),
            guided=request.options.upsampling == "guided",
        )
        full.flags.writeable = False
        pyramid = display_pyramid(full)
        click_ms = (time.perf_counter() - started) * 1e3
        return Matte(
            alpha=full,
            pyramid=pyramid,
            scores=scores,
            candidate=candidate,
            support=support(full),
            timings=Timings(encode_ms, click_ms, backend.device_label),
        )

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


def closer_view(
    config: ZimConfig,
    alpha: FloatArray,
    view: View,
    prompts: PromptSet,
    height: int,
    width: int,
) -> View | None:
    """The second look at what clicks alone found, if it is small in the picture.

    A model that looks at objects sees a clicked one in the whole picture first.  The
    answer then comes from a view around what it found there.  What it found is no box
    prompt: a wrong first guess could not be mended.

    Args:
        alpha: (h, w) in [0, 1], found in ``view``, which is the whole image.
        prompts: in image pixels.
        height, width: of the image.
    """
    found = alpha > 0.5
    if config.view != "object" or prompts.box is not None or not found.any():
        return None
    scale = view.width / alpha.shape[1]
    rows, columns = np.flatnonzero(found.any(1)), np.flatnonzero(found.any(0))
    x = [columns[0] * scale, (columns[-1] + 1) * scale]
    y = [rows[0] * scale, (rows[-1] + 1) * scale]
    # What the clicks say belongs into the view, found or not.
    x += [p.x for p in prompts.points if p.positive]
    y += [p.y for p in prompts.points if p.positive]
    box = Box(min(x), min(y), max(x), max(y)).clipped(height, width)
    if max(box.width, box.height) > CLOSER_BELOW * max(width, height):
        return None
    return around(box, height, width, config.image_size, CLOSER_MARGIN)


def _decoded(
    backend: Backend, encoded: EncodedView, prompts: PromptSet, candidate: int
) -> tuple[FloatArray, FloatArray]:
    """Alpha (h, w) float32 in [0, 1] of one candidate, and all scores (4,)."""
    logits, scores = backend.decode(encoded, encoded.view.apply(prompts))
    alpha = 1 / (1 + np.exp(-np.clip(logits[candidate], -30, 30)))
    alpha = np.clip((alpha - FLOOR) / (1 - 2 * FLOOR), 0, 1)
    return alpha.astype(np.float32), scores


def support(alpha: npt.NDArray[np.uint16]) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) around all of alpha (H, W) > 0; zeros if none."""
    rows = np.flatnonzero(alpha.any(1))
    if not len(rows):
        return (0, 0, 0, 0)
    columns = np.flatnonzero(alpha[rows[0] : rows[-1] + 1].any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _check(cancelled: CancelCheck) -> None:
    if cancelled():
        raise Cancelled
