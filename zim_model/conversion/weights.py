"""The label converter's weights on disk."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from zim_model.assets import asset_path, bundled_weights
from zim_model.conversion.config import ConverterConfig
from zim_model.conversion.network import ConverterNetwork
from zim_model.errors import DOWNLOAD_AGAIN, WeightsError, msg
from zim_model.runtime.atomic_files import atomic_write
from zim_model.weights.installed import translate_os_errors
from zim_model.weights.tensors import (
    CONVERTER_KEY,
    encode_safetensors,
    load_new,
    read_tensors,
    to_stored_dtype,
)


def load_converter(name_or_path: str | Path) -> ConverterNetwork:
    """A network with its weights, in evaluation mode, on the CPU.

    Args:
        name_or_path: a bundled converter (``"converter-tiny"``) or a ``.safetensors``
            file made by :func:`save_converter`.

    Raises:
        WeightsError: there is none of that name, or the file is missing, damaged or of
            another architecture.
    """
    if not isinstance(name_or_path, str | Path):
        raise WeightsError(
            msg("{name!r:.60} is no name of a label converter.", name=name_or_path),
            msg("Give its name, or the path of a .safetensors file."),
        )
    path = Path(name_or_path)
    if path.suffix != ".safetensors":
        path = asset_path("models", f"{name_or_path}.safetensors")
        if not os.path.isfile(path):  # also where a name is too long
            known = [p.stem for p in bundled_weights(converters=True)]
            raise WeightsError(
                msg(
                    "There is no label converter called {name!r}.",
                    name=str(name_or_path),
                ),
                msg(
                    "Known: {known}; or give a .safetensors file.",
                    known=", ".join(known),
                ),
            )
    metadata, tensors = read_tensors(path)
    if CONVERTER_KEY not in metadata:
        raise WeightsError(
            msg("{path} holds no label converter.", path=path),
            msg("Give a file made by training.train_converter."),
        )
    try:
        config = ConverterConfig.from_json(json.loads(metadata[CONVERTER_KEY]))
    except (ValueError, TypeError, RecursionError) as error:
        raise WeightsError(
            msg("{path} has a malformed configuration.", path=path),
            DOWNLOAD_AGAIN,
        ) from error
    return load_new(lambda: ConverterNetwork(config), tensors, path).eval()


def save_converter(
    network: ConverterNetwork, path: Path, *, metadata: Mapping[str, str] | None = None
) -> None:
    """Write weights, as 16-bit floats, and configuration; whole or not at all.

    Args:
        metadata: further entries of the file's metadata.

    Raises:
        WeightsError: the file cannot be written.
    """
    own = {CONVERTER_KEY: json.dumps(network.config.to_json())}
    tensors = {
        key: to_stored_dtype(value) for key, value in network.state_dict().items()
    }
    data = encode_safetensors(tensors, {**(metadata or {}), **own})
    with translate_os_errors(path), atomic_write(path) as file:
        file.write(data)
