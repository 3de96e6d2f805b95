"""Out-of-memory fallback: free caches, then half precision, then the CPU.

A request that runs out of memory is repeated on the next placement that needs less;
later requests for the same model start where the last one succeeded.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

from zim_model.backends.backend import Backend
from zim_model.errors import DegradationNotice, DeviceError, PrecisionOverflow, msg
from zim_model.runtime.devices import (
    DeviceChoice,
    Placement,
    Precision,
    device_name,
    fallback_placements,
    is_out_of_memory,
    resolve_device,
)
from zim_model.weights.catalogue import locate
from zim_model.weights.trimap import CLOSED_FORM

if TYPE_CHECKING:
    from zim_model.inference.trimap_refinement import TrimapSolver
    from zim_model.network.tiny import ZimTiny
    from zim_model.network.zim import Zim

T = TypeVar("T")
Loaded = TypeVar("Loaded")
"""A network on a device: a :class:`Backend` or a :class:`TrimapSolver`."""

FallbackCause = Literal["memory", "overflow"] | DeviceError
"""Why a model cannot continue on its placement."""

OpenBackend = Callable[[str, Placement], "Backend"]
"""Makes the backend of a model name on a placement."""
OpenTrimapNetwork = Callable[[str, Placement], "TrimapSolver"]
"""Loads the trimap network of a name on a placement."""


def do_nothing() -> None:
    """What is done before torch is loaded, by default."""


def open_backend(
    model: str,
    device: str | None = None,
    precision: Precision = "auto",
    before_torch: Callable[[], object] = do_nothing,
) -> Backend:
    """The backend of a model, ready to run.

    Args:
        model: as in :func:`zim_model.weights.catalogue.locate`.
        device: where it runs, such as ``cuda:0``; None takes the best available.
        precision: of the arithmetic, see :mod:`zim_model.runtime.devices`.
        before_torch: called if the model needs torch, before it is loaded.

    Raises:
        WeightsError: there is no such model, or its file cannot be used.
        DeviceError: this machine has no such device.
    """
    quick = open_without_torch(model, device, precision)
    if quick is not None:
        return quick
    before_torch()
    path = locate(model)
    if path.is_dir():
        from zim_model.onnx.backend import OnnxBackend

        return OnnxBackend(path, device)
    from zim_model.weights.checkpoint import load_model

    return backend_of(load_model(path), device, precision)


def open_without_torch(
    model: str, device: str | None, precision: Precision
) -> Backend | None:
    """A backend that needs no torch, which takes seconds to load; None for others.

    That is zim-tiny's on a CPU.

    Raises:
        WeightsError: there is no such model.
        DeviceError: this machine has no such device.
    """
    path = locate(model)
    if path.is_dir() or precision == "bf16" or resolve_device(device) != "cpu":
        return None
    from zim_model.backends.tiny_backend import TinyBackend
    from zim_model.onnx.tiny import open_tiny

    network = open_tiny(path)
    return None if network is None else TinyBackend(network)


def backend_of(
    network: Zim | ZimTiny, device: str | None = None, precision: Precision = "auto"
) -> Backend:
    """The backend that runs a network, see :func:`open_backend`.

    Raises:
        DeviceError: this machine has no such device.
    """
    from zim_model.backends.tiny_backend import TinyBackend
    from zim_model.backends.torch_backend import TorchBackend
    from zim_model.backends.torch_tiny import TorchTiny
    from zim_model.network.zim import Zim

    if isinstance(network, Zim):
        return TorchBackend(network, device, precision)
    return TinyBackend(TorchTiny(network, device, precision))


def open_placement(
    model: str, placement: Placement, before_torch: Callable[[], object] = do_nothing
) -> Backend:
    """The backend of a model on a placement, see :func:`open_backend`."""
    device, precision = placement.device, placement.precision
    return open_backend(model, device, precision, before_torch)


def open_trimap_network(name: str, placement: Placement) -> TrimapSolver:
    """The trimap network of a name on a placement; or closed-form matting.

    Raises:
        WeightsError: there is none, or its file cannot be used.
        DeviceError: this machine has no such device.
    """
    if name == CLOSED_FORM:
        from zim_model.matting.closed_form import ClosedFormSolver

        return ClosedFormSolver()
    from zim_model.backends.trimap_network import TrimapNetwork

    return TrimapNetwork.load(name, placement.device, placement.precision)


class BackendPool(Generic[Loaded]):
    """The backends of the models in use, each on the best placement that it fits on.

    Args:
        open_model: makes a backend, or loads a trimap network.
        choice: the device and precision that the user chose.
    """

    def __init__(
        self,
        open_model: Callable[[str, Placement], Loaded],
        choice: DeviceChoice | None = None,
    ) -> None:
        self.choice = choice or DeviceChoice()
        self._open_model = open_model
        self._backends: dict[str, Loaded] = {}
        self._tried: dict[str, list[Placement]] = {}
        self._fallback_notes: dict[str, tuple[str, ...]] = {}
        self._cache_freed = False

    def backend(self, model: str) -> Loaded:
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
        """The degradations for lack of memory, as sentences for the user.

        That caches were freed is reported once: with the first result that asks for
        notes, be it one of a later request, where the one that needed the memory was
        cancelled.
        """
        freed = DegradationNotice(
            msg("Memory ran short: the cached features of photos were dropped.")
        )
        freed_notes = (freed.message,) if self._cache_freed else ()
        self._cache_freed = False
        return (*self._fallback_notes.get(model, ()), *freed_notes)

    def run_with_fallback(
        self, model: str, work: Callable[[], T], free: Callable[[], None]
    ) -> T:
        """Call work that uses a model, again with less memory while it runs out.

        Args:
            work: gets its backend from :meth:`backend`.
            free: drops everything that can be computed again.

        Raises:
            DeviceError: it does not fit even on the last placement.
        """
        freed = False
        while True:
            try:
                return work()
            except PrecisionOverflow:
                cause: FallbackCause = "overflow"
            except DeviceError as error:
                if (
                    self.choice.device is not None
                    or self._next_placement(model) is None
                ):
                    raise
                cause = error
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                cause = "memory"
            # Outside the except block, whose traceback references tensors.
            free()
            if cause == "memory" and not freed:
                freed = self._cache_freed = True
                self.release(keep=model)
                continue
            self.release()
            self._fall_back(model, cause)
            self._cache_freed = False

    def _placement(self, model: str) -> Placement:
        """The current placement of a model."""
        if model not in self._tried:
            self._tried[model] = [fallback_placements(self.choice)[0]]
        return self._tried[model][-1]

    def _next_placement(
        self, model: str, *, overflow: bool = False
    ) -> Placement | None:
        """The next placement to try; after an overflow, first full precision."""
        tried = self._tried.get(model, [])
        placements = fallback_placements(self.choice)
        if overflow and tried:
            placements = (Placement(tried[-1].device, "fp32"), *placements)
        return next((p for p in placements if p not in tried), None)

    def _fall_back(self, model: str, cause: FallbackCause) -> None:
        """Move a model to its next placement, and record why."""
        current = self._placement(model)
        label = _placement_label(current)
        fallback = self._next_placement(model, overflow=cause == "overflow")
        if fallback is None:
            raise DeviceError(
                msg(
                    "There is not enough memory for {model} on {label}.",
                    model=model,
                    label=label,
                ),
                msg("Close other programs, or choose a smaller model."),
            )
        new_label = _placement_label(fallback)
        if cause == "memory":
            note = DegradationNotice(
                msg(
                    "{label} has too little memory for {model}: it runs on "
                    "{new_label}.",
                    label=label,
                    model=model,
                    new_label=new_label,
                )
            )
        elif cause == "overflow":
            note = DegradationNotice(
                msg(
                    "{model} overflows in {precision}: it runs on {new_label}.",
                    model=model,
                    precision=_half_name(current),
                    new_label=new_label,
                )
            )
        else:
            note = DegradationNotice(
                msg(
                    "{message} It runs on {new_label}.",
                    message=cause.message,
                    new_label=new_label,
                )
            )
        self._tried[model].append(fallback)
        self._fallback_notes[model] = (
            *self._fallback_notes.get(model, ()),
            note.message,
        )

    def release(self, keep: str = "") -> None:
        """Drop all backends but one, and torch's cached memory."""
        kept = self._backends.get(keep)
        self._backends.clear()
        if kept is not None:
            self._backends[keep] = kept
        _empty_caches()


def _placement_label(placement: Placement) -> str:
    name = device_name(placement.device)
    return name if placement.precision == "auto" else f"{name} ({placement.precision})"


def _half_name(placement: Placement) -> Precision:
    """The half precision that a model has run in."""
    return "bf16" if placement.precision == "auto" else placement.precision


def _empty_caches() -> None:
    """Return the memory that torch caches to the devices."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is None:
        return
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()
