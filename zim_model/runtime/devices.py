"""Devices of this machine, and their useful precisions."""

from __future__ import annotations

import functools
import math
import os
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from zim_model.errors import DeviceError, msg

if TYPE_CHECKING:
    import torch

Precision = Literal["auto", "fp32", "fp16", "bf16"]
"""Of the network's arithmetic; ``auto`` takes the best for the device."""


@dataclass(frozen=True, slots=True)
class DeviceChoice:
    """The device and precision that the user chose; the default is the best available.

    Attributes:
        device: the id of a :class:`Device`; None takes the best.
        precision: see :data:`Precision`.
    """

    device: str | None = None
    precision: Precision = "auto"


@dataclass(frozen=True, slots=True)
class Device:
    """A device of this machine that torch can use.

    Attributes:
        id: as torch calls it: ``cuda:0``, ``mps``, ``cpu``.
        name: for display.
        memory: bytes of its own memory; 0 where it shares the main memory.
    """

    id: str
    name: str
    memory: int = 0


CPU = Device("cpu", "CPU")
WORTH_ASKING_FOR, WORTH_TAKING = 0.9, 0.5
"""Times in bf16, as shares of those in fp32, below which a CPU uses it on request, and
by itself."""

_SIGNS = (
    "out of memory",
    "allocate memory",
    "not enough memory",
    "bad allocation",
    "bad_alloc",
    "alloc_failed",
)
"""Parts of out-of-memory messages; the exception classes differ by device."""


@dataclass(frozen=True, slots=True)
class Placement:
    """A device and a precision to run a model with.

    ``auto`` on a CPU, where the best depends on the network
    (:func:`usable_precision`).
    """

    device: str
    precision: Precision


def available_devices() -> tuple[Device, ...]:
    """The devices of this machine, the best first.

    Torch, which takes seconds to load, is asked only where there may be a GPU.
    """
    if not may_have_gpu():
        return (CPU,)
    import torch

    found = []
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            properties = torch.cuda.get_device_properties(index)
            found.append(
                Device(f"cuda:{index}", properties.name, properties.total_memory)
            )
    if torch.backends.mps.is_available():
        found.append(Device("mps", "Apple GPU"))
    return (*found, CPU)


@functools.cache
def may_have_gpu() -> bool:
    """Whether the system has drivers of a GPU that torch knows."""
    drivers: dict[str, tuple[str, ...]] = {
        "linux": ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg"),  # CUDA, ROCm, and in WSL
        "win32": (r"C:\Windows\System32\nvcuda.dll",),
    }
    paths = drivers.get(sys.platform)
    return paths is None or any(map(os.path.exists, paths))


def resolve_device(requested: str | None) -> str:
    """The id of a device that exists; None gives the best.

    Raises:
        DeviceError: this machine has no such device.
    """
    devices = [device.id for device in available_devices()]
    if requested is None:
        return devices[0]
    name = "cuda:0" if str(requested) == "cuda" else str(requested)
    if name not in devices:
        raise DeviceError(
            msg("This machine has no device {requested}.", requested=requested),
            msg("Choose another one: {devices}.", devices=", ".join(devices)),
        )
    return name


def fallback_placements(choice: DeviceChoice) -> tuple[Placement, ...]:
    """Placements of a model, from the chosen one down to the least memory.

    Raises:
        DeviceError: this machine has no such device.
    """
    device = resolve_device(choice.device)
    precision = choice.precision
    if device != "cpu" or precision != "auto":
        precision = usable_precision(device, precision)
    placements = [Placement(device, precision)]
    if device != "cpu":
        half = Placement(device, usable_precision(device, "fp16"))
        placements += [half, Placement("cpu", "fp32")]
    return tuple(dict.fromkeys(placements))


def usable_precision(
    device: str, requested: Precision, *, large_products: bool = False
) -> Precision:
    """The precision that a device runs in when ``requested`` is chosen; never ``auto``.

    CUDA runs in half precision by default: fp16, whose steps are finer than an 8-bit
    matte's, where there are tensor cores.  A CPU runs in fp32, and in bf16 only where
    that was measured to be faster: on request, or by itself where it is several times
    as fast.

    Args:
        large_products: the network's time is in the products of an image encoder, so
            that ``auto`` may take bf16 on a CPU.
    """
    if device == "cpu":
        asked = requested == "bf16" and bf16_time_on_cpu() < WORTH_ASKING_FOR
        if asked or (requested == "auto" and large_products and bf16_pays_on_cpu()):
            return "bf16"
        return "fp32"
    if requested != "auto":
        return requested
    return "fp16" if device.startswith("cuda") and _has_tensor_cores(device) else "fp32"


def _has_tensor_cores(device: str) -> bool:
    import torch

    return torch.cuda.get_device_capability(device) >= (7, 0)


def bf16_pays_on_cpu() -> bool:
    """Whether an image encoder is much faster in bf16 on this CPU.

    With AMX it is, two to three times; with AVX512-BF16 alone conversions take as long
    as the products gain.
    """
    return bf16_time_on_cpu() < WORTH_TAKING


@functools.cache
def bf16_time_on_cpu() -> float:
    """Time of a linear layer in bf16, as a share of that in fp32; measured once.

    Infinite on CPUs without instructions for bf16, which emulate it very slowly.
    """
    import torch

    # Untyped in torch.
    if not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return math.inf

    def time_layer(dtype: torch.dtype) -> float:
        started = time.perf_counter()
        layers[dtype](tokens[dtype])
        return time.perf_counter() - started

    dtypes = torch.bfloat16, torch.float32
    layers = {dtype: torch.nn.Linear(768, 1536).to(dtype) for dtype in dtypes}
    tokens = {dtype: torch.zeros(512, 768, dtype=dtype) for dtype in dtypes}
    with torch.inference_mode():  # in turns: other programs slow down both
        rounds = [(time_layer(dtypes[0]), time_layer(dtypes[1])) for _ in range(8)]
    return min(half for half, _ in rounds) / min(full for _, full in rounds)


def torch_dtype(precision: Precision) -> torch.dtype:
    """The torch dtype of a precision other than ``auto``."""
    import torch

    kinds = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
    return kinds[precision]


def device_name(device: str) -> str:
    """A device's name for display."""
    found = next((d for d in available_devices() if d.id == device), None)
    return found.name if found else device.upper()


def default_device() -> str:
    """The best kind of device of this machine: cuda, mps or cpu."""
    return available_devices()[0].id.partition(":")[0]


def main_memory() -> int:
    """Bytes of this computer's own memory; 0 where that is not known."""
    if sys.platform == "win32":
        import ctypes

        kilobytes = ctypes.c_ulonglong()
        ctypes.windll.kernel32.GetPhysicallyInstalledSystemMemory(
            ctypes.byref(kilobytes)
        )
        return kilobytes.value << 10
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):
        return 0


def within_memory(wanted: int) -> int:
    """Bytes for a cache: those wanted, but no more than a tenth of the main memory."""
    return min(wanted, main_memory() // 10 or wanted)


def is_out_of_memory(error: Exception) -> bool:
    """Whether an error of torch, ONNX Runtime or NumPy means that memory ran out."""
    if isinstance(error, MemoryError):
        return True
    message = str(error).lower()
    relevant = isinstance(error, RuntimeError) or _is_of_onnx_runtime(error)
    return relevant and any(sign in message for sign in _SIGNS)


def _is_of_onnx_runtime(error: Exception) -> bool:
    """Whether ONNX Runtime raised it; its errors have no common base class."""
    return type(error).__module__.startswith("onnxruntime")
