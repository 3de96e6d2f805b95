"""Models from weight files, and our own format.

It is safetensors with the configuration in the metadata.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from zim_model.errors import DOWNLOAD_AGAIN, WeightsError, msg
from zim_model.network.build import build as build
from zim_model.network.config import TINY_KEY, ModelConfig, TinyConfig, ZimConfig
from zim_model.network.tiny import ZimTiny
from zim_model.network.zim import Zim
from zim_model.runtime.atomic_files import atomic_write
from zim_model.runtime.devices import resolve_device
from zim_model.weights.installed import (
    PICKLE_SUFFIXES,
    check_weight_file,
    find_installed,
    installed_models,
    translate_os_errors,
)
from zim_model.weights.sam_checkpoint import (
    detect_sam_config,
    is_sam_safetensors,
    load_sam,
    read_sam,
)
from zim_model.weights.tensors import (
    CONVERTER_KEY,
    check_fits,
    check_tensor_values,
    encode_safetensors,
    load_new,
    read_tensors,
    to_stored_dtype,
)

CONFIG_KEY = "zim_config"
"""Metadata key of a ZimConfig; that of a TinyConfig is TINY_KEY."""
FORMAT_KEY = "zim_format"
FORMAT = "1"


def load_model(name_or_path: str | Path, device: str = "cpu") -> Zim | ZimTiny:
    """A model with its weights, in evaluation mode.

    Args:
        name_or_path: an installed model (``"zim-tiny"``), a ``.safetensors`` file of
            ours, or a checkpoint of SAM, MobileSAM or SAM 2 (``.pth``, ``.pt``,
            ``.safetensors``), which gives a model of that kind.
        device: as torch names it, for example ``"cuda"``.

    Raises:
        WeightsError: no such model, or the file is damaged, unsafe or of another
            architecture.
        DeviceError: this machine has no such device.
    """
    place = resolve_device(str(device))
    installed = find_installed(str(name_or_path))
    path = Path(name_or_path) if installed is None else installed.path
    check_weight_file(path)
    if path.suffix in PICKLE_SUFFIXES:
        return load_sam(path).to(place).eval()
    if path.suffix != ".safetensors":
        known = ", ".join(model.name for model in installed_models())
        raise WeightsError(
            msg("There is no model called {name!r}.", name=str(name_or_path)),
            msg("Known: {known}; or give a .safetensors or .pth file.", known=known),
        )
    if is_sam_safetensors(path):
        return load_sam(path).to(place).eval()
    config, tensors, provenance = read_weights(path)
    model = load_new(lambda: build(config), tensors, path).to(place).eval()
    model.provenance = provenance
    return model


def load_zim(name_or_path: str | Path, device: str = "cpu") -> Zim:
    """A ZIM or SAM with its weights, see :func:`load_model`.

    Raises:
        WeightsError: as :func:`load_model`, or the model is of zim-tiny's architecture.
    """
    model = load_model(name_or_path, device)
    if not isinstance(model, Zim):
        raise WeightsError(
            msg("{name} is of zim-tiny's architecture.", name=name_or_path),
            msg("Give the weights of a ZIM or SAM with a ViT."),
        )
    return model


def _other_family_error(
    path: Path, metadata: Mapping[str, str], tensors: Mapping[str, Tensor]
) -> WeightsError:
    """The error about weights that are no model's that takes prompts."""
    if CONVERTER_KEY in metadata:
        return WeightsError(
            msg("{path} holds a label converter, which takes no prompts.", path=path),
            msg("Use it with: zim-studio convert-mask --model {path}", path=path),
        )
    if any(name.startswith("backbone.") for name in tensors):
        return WeightsError(
            msg("{path} holds a trimap network, which takes no prompts.", path=path),
            msg("Use it with --upsampling trimap --trimap-network {path}", path=path),
        )
    return WeightsError(
        msg("{path} holds weights but not for which architecture.", path=path),
        msg(
            "It must be saved by zim-studio (metadata key {key}).",
            key=f"{CONFIG_KEY} / {TINY_KEY}",
        ),
    )


def read_weights(
    path: Path,
) -> tuple[ModelConfig, dict[str, Tensor], dict[str, str]]:
    """Configuration, float32 tensors and further metadata of one of our weight files.

    Raises:
        WeightsError: see :func:`load_model`.
    """
    metadata, tensors = read_tensors(path)
    kinds: dict[str, type[ZimConfig | TinyConfig]] = {
        CONFIG_KEY: ZimConfig,
        TINY_KEY: TinyConfig,
    }
    key = next((key for key in kinds if key in metadata), None)
    if key is None:
        raise _other_family_error(path, metadata, tensors)
    try:
        config = kinds[key].from_json(json.loads(metadata[key]))
    except (ValueError, RecursionError) as error:  # no JSON
        raise WeightsError(
            msg(
                "{path} has a malformed configuration ({error}).",
                path=path,
                error=str(error),
            ),
            DOWNLOAD_AGAIN,
        ) from error
    except WeightsError as error:
        raise WeightsError(
            msg("{path} cannot be used. {reason}", path=path, reason=error.message),
            error.hint or DOWNLOAD_AGAIN,
        ) from error
    own = (*kinds, FORMAT_KEY)
    return config, tensors, {k: metadata[k] for k in metadata if k not in own}


def check_weights(path: Path) -> ModelConfig:
    """Check that a file holds all weights of a model, without building it.

    Args:
        path: one of our ``.safetensors`` files, or a SAM checkpoint.

    Returns:
        The configuration of the model.

    Raises:
        WeightsError: see :func:`load_model`.
    """
    try:
        if path.suffix in PICKLE_SUFFIXES or is_sam_safetensors(path):
            tensors = read_sam(path)
            config: ModelConfig = detect_sam_config(tensors, path)
        else:
            config, tensors, _ = read_weights(path)
    except MemoryError as error:
        raise WeightsError(
            msg("There is not enough memory for {name}.", name=path.name),
            msg("Close other programs; if it is a small file, it is damaged."),
        ) from error
    check_fits(lambda: build(config), tensors, path)
    check_tensor_values(tensors, path)
    return config


def config_key(model: Zim | ZimTiny) -> str:
    """The key of a model's configuration in the metadata of its weight file."""
    return TINY_KEY if isinstance(model, ZimTiny) else CONFIG_KEY


def save_model(
    model: Zim | ZimTiny,
    path: Path,
    *,
    half: bool = True,
    metadata: Mapping[str, str] | None = None,
    exclusive: bool = False,
) -> None:
    """Write weights and configuration to a safetensors file, whole or not at all.

    Args:
        half: store 16-bit floats, except for small tensors (norms, biases).
        metadata: further entries of the file's metadata.
        exclusive: replace no file.

    Raises:
        WeightsError: the file cannot be written, or exists, if ``exclusive``.
    """
    own = {FORMAT_KEY: FORMAT, config_key(model): json.dumps(model.config.to_json())}
    data = encode_safetensors(
        {
            key: to_stored_dtype(value, half=half)
            for key, value in model.state_dict().items()
        },
        {**(metadata or {}), **own},
    )
    with translate_os_errors(path), atomic_write(path, exclusive=exclusive) as file:
        file.write(data)
