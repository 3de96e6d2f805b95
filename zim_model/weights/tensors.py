"""Named tensors of a safetensors file, and loading them into a model whole."""

from __future__ import annotations

import hashlib
import json
import traceback
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from zim_model.errors import DOWNLOAD_AGAIN, WeightsError, msg
from zim_model.network.unset_parameters import UnsetParameters
from zim_model.runtime.devices import is_out_of_memory
from zim_model.weights.installed import check_weight_file

CONVERTER_KEY = "converter_config"
"""Metadata key of a label converter's configuration."""
OTHER_FILE = msg(
    "Download or copy it again. If it is whole, it was made by another version or for "
    "another architecture: give the file of this one."
)
"""Of the error that a file's tensors are not those of a model."""
LISTED = 3
"""Most names of tensors in an error message."""
MAX_NESTING = 4
"""Deepest nesting of a pickle's dictionaries that is looked at."""
_BUILD_ERRORS = (
    *(ArithmeticError, AssertionError, LookupError),
    *(RuntimeError, TypeError, ValueError),
)
"""Of constructors, for a network of a malformed configuration."""


class NamedModel(Protocol):
    """A network whose configuration has a name."""

    config: Any

    def state_dict(self) -> dict[str, Tensor]: ...

    def load_state_dict(self, state_dict: dict[str, Tensor]) -> Any: ...


ModelT = TypeVar("ModelT", bound=NamedModel)


def missing_file_error(path: Path) -> WeightsError:
    """The error that there is no such weight file."""
    return WeightsError(
        msg("{path} does not exist.", path=path),
        msg("Give the path of a weight file, or the name of an installed model."),
    )


def read_tensors(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    """The metadata of a safetensors file and its tensors, floats as float32.

    Raises:
        WeightsError: the file is missing, damaged or no weight file.
    """
    check_weight_file(path)
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except FileNotFoundError as error:
        raise missing_file_error(path) from error
    except (OSError, SafetensorError) as error:
        raise WeightsError(
            msg(
                "{path} is damaged or no safetensors file ({error}).",
                path=path,
                error=str(error),
            ),
            DOWNLOAD_AGAIN,
        ) from error
    floats = {
        key: value.float() if value.is_floating_point() else value
        for key, value in tensors.items()
    }
    return metadata, floats


def read_state(path: Path, expected: str) -> dict[str, Any]:
    """What a safetensors file or a pickle of tensors holds by name.

    A pickle is read with ``weights_only``, so that nothing in it is ever executed.

    Args:
        expected: the hint of an error, which says what kind of file is wanted.

    Returns:
        Tensors by name; in a pickle possibly below further keys.

    Raises:
        WeightsError: the file is missing, damaged or holds more than tensors.
    """
    if path.suffix == ".safetensors":
        return dict(read_tensors(path)[1])
    check_weight_file(path)
    try:
        with warnings.catch_warnings():  # about a pickle's version, before it fails
            warnings.simplefilter("ignore")
            state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise missing_file_error(path) from error
    except Exception as error:  # torch raises many kinds for a bad file
        if is_out_of_memory(error) and not _names_a_length(error):
            raise  # the engine frees memory and tries again
        if "torchscript" in str(error).lower():
            raise WeightsError(
                msg("{path} is a TorchScript program, not weights.", path=path),
                expected,
            ) from error
        raise WeightsError(
            msg(
                "{path} is damaged or holds more than tensors, which may be unsafe.",
                path=path,
            ),
            msg("Use the original file, or convert it to safetensors."),
        ) from error
    if not isinstance(state, dict):
        raise WeightsError(msg("{path} holds no named tensors.", path=path), expected)
    if not _is_dense(state, MAX_NESTING):
        raise WeightsError(
            msg("{path} holds tensors that are larger than their data.", path=path),
            msg("Use the original file, or convert it to safetensors."),
        )
    return state


def _names_a_length(error: Exception) -> bool:
    """Whether memory ran out for a text whose length the pickle itself names.

    Tensors are read elsewhere: such a length is wrong.
    """
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    return frame.f_code.co_filename.endswith("_weights_only_unpickler.py")


def _is_dense(state: Any, depth: int) -> bool:
    """Whether all tensors have data of their own for each element.

    A pickle can make a tensor of any size of one number, by strides of 0, and a copy of
    it would take all memory.
    """
    if isinstance(state, Tensor):
        if state.layout != torch.strided:
            return False
        size = state.untyped_storage().nbytes()
        return state.is_quantized or state.numel() * state.element_size() <= size
    if isinstance(state, dict) and depth:
        return all(_is_dense(value, depth - 1) for value in state.values())
    return True


def check_fits(
    build: Callable[[], NamedModel], tensors: dict[str, Tensor], path: Path
) -> None:
    """Check that a file holds all tensors of a model, without memory for the model.

    So what is built afterwards is no larger than the file, whatever its configuration
    says.

    Args:
        build: makes the model.

    Raises:
        WeightsError: a tensor is missing, unexpected or of another shape, or there is
            no such model.
    """
    try:
        with torch.device("meta"), UnsetParameters():
            model = build()
    except WeightsError as error:
        raise WeightsError(
            msg("{path} cannot be used. {reason}", path=path, reason=error.message),
            error.hint,
        ) from error
    except _BUILD_ERRORS as error:
        raise WeightsError(
            msg(
                "No network can be built of the configuration in {path} ({error}).",
                path=path,
                error=str(error)[:80],
            ),
            DOWNLOAD_AGAIN,
        ) from error
    check_tensor_shapes(model.state_dict(), tensors, path)
    check_tensor_names(model, tensors, path)


def load_new(
    build: Callable[[], ModelT], tensors: dict[str, Tensor], path: Path
) -> ModelT:
    """A new model with all tensors of a file.

    Args:
        build: makes the model.

    Raises:
        WeightsError: see :func:`check_fits` and :func:`load_strict`.
    """
    check_fits(build, tensors, path)
    with UnsetParameters():
        model = build()
    load_strict(model, tensors, path)
    return model


def load_strict(model: NamedModel, tensors: dict[str, Tensor], path: Path) -> None:
    """Load all tensors of a file into a model.

    Raises:
        WeightsError: a tensor is missing, unexpected, of another shape or not finite.
    """
    check_tensor_shapes(model.state_dict(), tensors, path)
    check_tensor_names(model, tensors, path)
    check_tensor_values(tensors, path)
    model.load_state_dict(tensors)


def check_tensor_names(
    model: NamedModel, tensors: dict[str, Tensor], path: Path
) -> None:
    """Check that a file holds all tensors of a model and no others.

    Raises:
        WeightsError: it does not.
    """
    own = model.state_dict()
    missing = [key for key in own if key not in tensors]
    extra = [key for key in tensors if key not in own]
    if missing or extra:
        raise WeightsError(
            msg(
                "{path} does not fit {model}: {missing} tensors missing "
                "({first_missing}), {unknown} unknown ({first_unknown}).",
                path=path,
                model=model.config.name,
                missing=len(missing),
                first_missing=_some(missing),
                unknown=len(extra),
                first_unknown=_some(extra),
            ),
            OTHER_FILE,
        )


def _some(names: list[str]) -> str:
    listed = ", ".join(names[:LISTED])
    return f"{listed}, ..." if len(names) > LISTED else listed or "-"


def check_tensor_shapes(
    expected: dict[str, Tensor], loaded: dict[str, Tensor], path: Path
) -> None:
    """Check that a file's tensors have the shapes of a model's own.

    Raises:
        WeightsError: a shape differs.
    """
    for key, tensor in loaded.items():
        if key in expected and expected[key].shape != tensor.shape:
            raise WeightsError(
                msg(
                    "{path} is of another architecture: {key} has shape {shape}, "
                    "expected {expected}.",
                    path=path,
                    key=key,
                    shape=tuple(tensor.shape),
                    expected=tuple(expected[key].shape),
                ),
                OTHER_FILE,
            )


def check_tensor_values(tensors: Mapping[str, Tensor], path: Path) -> None:
    """Check that all floats of a file are finite; takes a fifth of the time to read it.

    Raises:
        WeightsError: they are not, or a tensor is complex or quantized.
    """
    odd = [key for key, tensor in tensors.items() if not _is_finite(tensor)]
    if odd:
        raise WeightsError(
            msg(
                "{path} is damaged: {count} tensors hold no finite numbers ({first}).",
                path=path,
                count=len(odd),
                first=_some(odd),
            ),
            DOWNLOAD_AGAIN,
        )


def _is_finite(tensor: Tensor) -> bool:
    if tensor.is_complex() or tensor.is_quantized:
        return False
    # A sum is ten times as fast as looking at each number, and finite if all are; that
    # of large 16-bit floats may be infinite, too.
    return bool(torch.isfinite(tensor.sum()) or torch.isfinite(tensor).all())


def to_stored_dtype(tensor: Tensor, *, half: bool = True) -> Tensor:
    """A tensor as stored in files: 16-bit floats, except for norms and biases."""
    shrink = half and tensor.is_floating_point() and tensor.ndim > 1
    return (tensor.half() if shrink else tensor).detach().cpu().contiguous()


def encode_safetensors(
    tensors: Mapping[str, Tensor], metadata: Mapping[str, str]
) -> bytes:
    """The bytes of a safetensors file: equal ones for equal content in any order.

    The library sorts the tensors, but shuffles the metadata.
    """
    data = save(dict(tensors), dict(metadata))
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    names = {name: header[name] for name in header if name != "__metadata__"}
    ordered = {"__metadata__": dict(sorted(metadata.items())), **names}
    text = json.dumps(ordered, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + data[8 + size :]


def fingerprint(model: NamedModel) -> str:
    """A short digest of configuration and weights: equal ones predict alike."""
    digest = hashlib.blake2b(json.dumps(model.config.to_json()).encode(), digest_size=8)
    for name, tensor in model.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().numpy().tobytes())
    return digest.hexdigest()
