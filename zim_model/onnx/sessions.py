"""Sessions of ONNX Runtime: graphs opened on devices, and errors with their cure."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zim_model.arrays import FloatArray
from zim_model.errors import DOWNLOAD_AGAIN, DeviceError, Message, WeightsError, msg
from zim_model.runtime.devices import is_out_of_memory
from zim_model.runtime.threads import thread_count

if TYPE_CHECKING:
    import onnxruntime as ort

PROVIDERS = {
    "cuda": "CUDAExecutionProvider",
    "mps": "CoreMLExecutionProvider",
    "cpu": "CPUExecutionProvider",
}
"""ONNX Runtime's names for the kinds of devices."""
LABELS = {
    "CUDAExecutionProvider": "CUDA",
    "CoreMLExecutionProvider": "Core ML",
    "CPUExecutionProvider": "CPU",
}


def runtime() -> Any:
    """The ONNX Runtime package."""
    # Else it looks up a host of its makers, and writes an identity to the disk.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    try:
        import onnxruntime
    except ImportError as error:
        raise WeightsError(
            msg("This model is in ONNX format, which needs ONNX Runtime."),
            msg("Install it: pip install onnxruntime (onnxruntime-gpu for CUDA)."),
        ) from error
    return onnxruntime


def open_session(
    path: Path,
    providers: Sequence[Any] = ("CPUExecutionProvider",),
    weights: Mapping[str, FloatArray] | None = None,
) -> ort.InferenceSession:
    """Open one graph.

    Args:
        providers: what ONNX Runtime shall try, in this order.
        weights: float32, by name, of a graph that is stored without them; must live as
            long as the session.

    Raises:
        WeightsError: the file is missing or damaged, or ONNX Runtime is.
        DeviceError: the first provider cannot be used here.
    """
    package = runtime()
    options = package.SessionOptions()
    options.log_severity_level = 4  # fatal: errors come as exceptions, see below
    # Threads that wait in a loop take the processor from the window and other programs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.intra_op_num_threads = thread_count()
    if weights is not None:
        values = map(package.OrtValue.ortvalue_from_numpy, weights.values())
        options.add_external_initializers([*weights], [*values])
    try:
        # Its own fallback to the CPU is silent but for a line on the standard output.
        return package.InferenceSession(
            str(path), options, providers=[*providers], enable_fallback=0
        )
    except Exception as error:  # ONNX Runtime has a kind for each of its status codes
        if is_out_of_memory(error):
            raise
        if is_of_provider(error):
            name, *_ = provider_tuple(providers[0])
            raise device_error(LABELS.get(name, name)) from error
        raise WeightsError(
            msg(
                "{path} is missing, damaged or no ONNX graph ({reason}).",
                path=path,
                reason=first_line(error),
            ),
            DOWNLOAD_AGAIN,
        ) from error


def run_graph(
    session: ort.InferenceSession,
    path: Path,
    inputs: Mapping[str, FloatArray],
    output: str | None = None,
    cure: Message = DOWNLOAD_AGAIN,
) -> Any:
    """One output of a graph, by default its first.

    Args:
        path: of the graph, for the error.
        inputs: by name.
        cure: what to do about a graph that fails.

    Raises:
        WeightsError: the graph fails.
        DeviceError: the device fails.
    """
    try:
        return session.run(output and [output], dict(inputs))[0]
    except Exception as error:  # ONNX Runtime has a kind for each of its status codes
        if is_out_of_memory(error) or isinstance(error, DeviceError):
            raise
        reason = first_line(error)
        raise WeightsError(
            msg("{path} cannot be run ({reason}).", path=path, reason=reason), cure
        ) from error


def first_line(error: Exception) -> str:
    """The first line of an error's text, for people."""
    return next(iter(str(error).splitlines()), type(error).__name__)[:200]


def providers_of(device: str | None) -> list[Any]:
    """Execution providers in order; the CPU runs what others cannot."""
    here = runtime().get_available_providers()
    cpu = PROVIDERS["cpu"]
    if device is None:
        return [name for name in PROVIDERS.values() if name in here]
    kind, _, index = device.partition(":")
    name = PROVIDERS.get(kind, kind)
    if name not in here:
        raise device_error(device)
    if name == cpu:
        return [cpu]
    return [(name, {"device_id": index}) if index else name, cpu]


def provider_tuple(provider: Any) -> tuple[str, ...]:
    """A provider's name, and its options if it has any."""
    return provider if isinstance(provider, tuple) else (provider,)


def is_of_provider(error: Exception) -> bool:
    """Whether a device failed, and not the graph."""
    return type(error).__name__ == "EPFail"


def device_error(device: str) -> DeviceError:
    """The error that ONNX Runtime cannot run on a device."""
    return DeviceError(
        msg("ONNX Runtime cannot use {device} here.", device=device),
        msg(
            "Install the build of it for this device (onnxruntime-gpu for CUDA), or "
            "choose the CPU."
        ),
    )
