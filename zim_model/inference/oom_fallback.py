"""What happens when memory runs out: free some, then half precision, then the CPU.

A model that does not fit is no reason to lose a click.  The work is done again, each
time with less; where it went well is where the next work of that model begins.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, TypeVar

from zim_model.errors import DegradationNotice, DeviceError, PrecisionOverflow
from zim_model.runtime.devices import (
    DeviceChoice,
    Placement,
    Precision,
    device_name,
    fallback_placements,
    is_out_of_memory,
)
from zim_model.weights.catalogue import locate

if TYPE_CHECKING:
    from zim_model.inference.backends import Backend
    from zim_model.network.tiny import ZimTiny
    from zim_model.network.zim import Zim

T = TypeVar("T")

FallbackCause = Literal["memory", "overflow"] | DeviceError
"""Why a model cannot go on where it is."""

OpenBackend = Callable[[str, Placement], "Backend"]
"""Makes the backend of a model name on a rung."""


def open_backend(
    model: str, device: str | None = None, precision: Precision = "auto"
) -> Backend:
    """The backend of a model, ready to run.

    Args:
        model: as in :func:`zim_model.weights.catalogue.locate`.
        device: where it runs, such as ``cuda:0``; None takes the best of this machine.
        precision: of the arithmetic, see :mod:`zim_model.runtime.devices`.

    Raises:
        WeightsError: there is no such model, or its file cannot be used.
        DeviceError: this machine has no such device.
    """
    path = locate(model)
    if path.is_dir():
        from zim_model.onnx.backend import OnnxBackend

        return OnnxBackend(path, device)
    from zim_model.weights.checkpoint import load_model

    return backend_of(load_model(path), device, precision)


def backend_of(
    network: Zim | ZimTiny, device: str | None = None, precision: Precision = "auto"
) -> Backend:
    """The backend that runs a network, see :func:`open_backend`.

    Raises:
        DeviceError: this machine has no such device.
    """
    from zim_model.inference.backends import TorchBackend
    from zim_model.inference.tiny_backend import TinyBackend
    from zim_model.network.zim import Zim

    if isinstance(network, Zim):
        return TorchBackend(network, device, precision)
    return TinyBackend(network, device, precision)


def open_placement(model: str, placement: Placement) -> Backend:
    """The backend of a model on a rung, see :func:`open_backend`."""
    return open_backend(model, placement.device, placement.precision)


class BackendPool:
    """The backends of the models in use, each on the highest rung that it fits on.

    Args:
        open_model: makes a backend.
        choice: where the user wants models to run.
    """

    def __init__(
        self, open_model: OpenBackend, choice: DeviceChoice | None = None
    ) -> None:
        self.choice = choice or DeviceChoice()
        self._open_model = open_model
        self._backends: dict[str, Backend] = {}
        self._tried: dict[str, list[Placement]] = {}
        self._fallback_notes: dict[str, tuple[str, ...]] = {}
        self._cache_freed = False

    def backend(self, model: str) -> Backend:
        """The backend of a model, loaded on first use.

        Raises:
            WeightsError: the model cannot be loaded.
            DeviceError: the chosen device does not exist.
        """
        if model not in self._backends:
            self._backends[model] = self._open_model(model, self._placement(model))
        return self._backends[model]

    def device(self, model: str) -> str:
        """Where that model runs now, as torch names it."""
        return self._placement(model).device

    def notes(self, model: str) -> tuple[str, ...]:
        """What had to be done for want of memory, as sentences for the user.

        That memory was freed is noted once: in the first answer that asks for notes,
        be it one to later work, where the work that needed the memory was withdrawn.
        """
        freed = DegradationNotice(
            "Memory ran short: the cached features of photos were dropped."
        )
        freed_now = (freed.message,) if self._cache_freed else ()
        self._cache_freed = False
        return (*self._fallback_notes.get(model, ()), *freed_now)

    def run_with_fallback(
        self, model: str, work: Callable[[], T], free: Callable[[], None]
    ) -> T:
        """Do work that uses a model, again and with less while memory runs out.

        Args:
            work: takes its backend from :meth:`backend`.
            free: forgets what can be made again.

        Raises:
            DeviceError: it does not even fit on the last rung.
        """
        freed = False
        while True:
            try:
                return work()
            except PrecisionOverflow:
                problem: FallbackCause = "overflow"
            except DeviceError as error:
                if (
                    self.choice.device is not None
                    or self._next_placement(model) is None
                ):
                    raise
                problem = error
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                problem = "memory"
            # Out of the except block, whose traceback holds on to tensors.
            free()
            if problem == "memory" and not freed:
                freed = self._cache_freed = True
                self._release(keep=model)
                continue
            self._release()
            self._fall_back(model, problem)
            self._cache_freed = False

    def _placement(self, model: str) -> Placement:
        """Where that model is to run now."""
        if model not in self._tried:
            self._tried[model] = [fallback_placements(self.choice)[0]]
        return self._tried[model][-1]

    def _next_placement(
        self, model: str, *, overflow: bool = False
    ) -> Placement | None:
        """The next rung to try; after an overflow first the full precision."""
        tried = self._tried.get(model, [])
        rungs = fallback_placements(self.choice)
        if overflow and tried:
            rungs = (Placement(tried[-1].device, "fp32"), *rungs)
        return next((placement for placement in rungs if placement not in tried), None)

    def _fall_back(self, model: str, problem: FallbackCause) -> None:
        """Go on to the next rung, and note why."""
        now = self._placement(model)
        fallback = self._next_placement(model, overflow=problem == "overflow")
        if fallback is None:
            raise DeviceError(
                f"There is not enough memory for {model} on {_placement_label(now)}.",
                "Close other programs, or choose a smaller model.",
            )
        then = _placement_label(fallback)
        if problem == "memory":
            before = _placement_label(now)
            note = DegradationNotice(
                f"{before} has too little memory for {model}: it runs on {then}."
            )
        elif problem == "overflow":
            note = DegradationNotice(
                f"{model} overflows in {now.precision}: it runs on {then}."
            )
        else:
            note = DegradationNotice(f"{problem.message} It runs on {then}.")
        self._tried[model].append(fallback)
        self._fallback_notes[model] = (
            *self._fallback_notes.get(model, ()),
            note.message,
        )

    def _release(self, keep: str = "") -> None:
        """Let go of all backends but one, and of what torch keeps for later."""
        kept = self._backends.get(keep)
        self._backends.clear()
        if kept is not None:
            self._backends[keep] = kept
        _empty_caches()


def _placement_label(placement: Placement) -> str:
    return f"{device_name(placement.device)} ({placement.precision})"


def _empty_caches() -> None:
    """Give the memory that torch keeps for later back to the devices."""
    import gc

    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()
