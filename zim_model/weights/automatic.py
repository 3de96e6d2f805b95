"""Automatic networks on this computer: ONNX files that matte an image without prompts.

A file lies in the models folder itself or alone in a folder there.  How it takes an
image is known by its name (the families of the program *rembg*), or described by a JSON
file of the same name beside it::

    {"side": 1024, "mean": [0.5, 0.5, 0.5], "std": [1, 1, 1], "sigmoid": false,
     "stretch": true}
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from zim_model.errors import WeightsError, msg
from zim_model.json_values import is_number
from zim_model.runtime.atomic_files import read_error
from zim_model.weights.catalogue import find_known
from zim_model.weights.installed import (
    ONNX_FILES,
    is_inpainting_file,
    models_folder,
)

MAX_SIDE = 4096
MAX_DESCRIPTION_BYTES = 1 << 16
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True, slots=True)
class AutomaticConfig:
    """How a network takes an image, and what its output means.

    The image is scaled to a square, whatever its shape, divided by its largest value
    and normalised.

    Attributes:
        side: of the square, in pixels; a graph of a fixed size has its own.
        mean, std: of red, green and blue.
        sigmoid: the output is logits.
        stretch: the output's smallest and largest value become 0 and 1.
    """

    side: int = 1024
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    sigmoid: bool = False
    stretch: bool = True


_HALF, _ONE = (0.5, 0.5, 0.5), (1.0, 1.0, 1.0)
_FAMILIES = {
    "birefnet": AutomaticConfig(sigmoid=True),
    "isnet": AutomaticConfig(std=_ONE),
    "rmbg": AutomaticConfig(mean=_HALF, std=_ONE),
    "silueta": AutomaticConfig(side=320),
    "u2net": AutomaticConfig(side=320),
    "modnet": AutomaticConfig(side=512, mean=_HALF, std=_HALF, stretch=False),
}
"""By a part of the file's name; the first one that fits."""


@dataclass(frozen=True, slots=True)
class AutomaticModel:
    """An automatic network that can be used.

    Attributes:
        name: of the file or its folder, without suffix.
        path: the ONNX file.
        size: bytes on the disk.
    """

    name: str
    path: Path
    size: int


def automatic_models() -> tuple[AutomaticModel, ...]:
    """All automatic networks in the models folder, by name."""
    try:
        entries = sorted(models_folder().iterdir())
    except OSError:  # nothing was ever installed
        return ()
    models: dict[str, Path] = {}
    for entry in entries:
        graph = entry if entry.suffix == ".onnx" else _only_graph(entry)
        if graph is not None and graph.is_file():
            models.setdefault(entry.stem if graph is entry else entry.name, graph)
    return tuple(_model(name, path) for name, path in sorted(models.items()))


def _model(name: str, path: Path) -> AutomaticModel:
    return AutomaticModel(name, path, path.stat().st_size)


def _only_graph(folder: Path) -> Path | None:
    """The one graph in a folder that is neither of a ZIM's pair nor fills holes."""
    try:
        graphs = [p for p in folder.iterdir() if p.suffix == ".onnx"]
    except OSError:
        return None
    if len(graphs) != 1 or graphs[0].name in ONNX_FILES:
        return None
    return None if is_inpainting_file(graphs[0]) else graphs[0]


def find_automatic(name: str) -> AutomaticModel:
    """The automatic network of that name, or in the ONNX file of that path.

    Raises:
        WeightsError: there is none; the message lists those that there are.
    """
    path = Path(name)
    if path.suffix == ".onnx" and path.is_file():
        return _model(path.stem, path)
    models = automatic_models()
    for model in models:
        if model.name == name:
            return model
    info = find_known(name)
    if info is not None and info.kind == "automatic":
        raise WeightsError(
            msg("{title} is not installed.", title=info.title),
            msg(
                "Download it under Model › Manage models, or with: zim-studio models "
                "download {model}",
                model=name,
            ),
        )
    raise WeightsError(
        msg("There is no automatic model {name}.", name=name),
        msg(
            "Put its ONNX file into {folder}; there are: {names}.",
            folder=models_folder(),
            names=", ".join(model.name for model in models) or "-",
        ),
    )


def read_config(model: AutomaticModel) -> AutomaticConfig:
    """The configuration of a network: described beside its file, else by its name.

    Raises:
        WeightsError: the description is malformed, or there is none and the name is
            not known.
    """
    path = model.path.with_suffix(".json")
    if path.is_file():
        return _read_description(path)
    names = (model.path.stem.lower(), model.name.lower())
    for family, config in _FAMILIES.items():
        if any(family in name for name in names):
            return config
    raise WeightsError(
        msg("How {path} takes an image is not known.", path=model.path),
        msg(
            "Describe it in {json}: side, mean, std, sigmoid, stretch.",
            json=path.name,
        ),
    )


def _read_description(path: Path) -> AutomaticConfig:
    try:
        with path.open("rb") as stream:
            return _checked(json.loads(stream.read(MAX_DESCRIPTION_BYTES)))
    except OSError as error:
        raise read_error(path, error, WeightsError) from error
    except (TypeError, ValueError, RecursionError) as error:
        raise WeightsError(
            msg("{path} describes no network: {error}.", path=path, error=str(error)),
            msg("It has side, mean, std, sigmoid and stretch."),
        ) from error


def _checked(data: Any) -> AutomaticConfig:
    if not isinstance(data, dict):
        raise TypeError("it is no JSON object")
    unknown = set(data) - {field.name for field in fields(AutomaticConfig)}
    if unknown:
        raise ValueError(f"{', '.join(sorted(unknown))} is not known")
    for name in ("mean", "std"):
        if name in data:
            data[name] = _three_numbers(name, data[name])
    if any(value <= 0 for value in data.get("std", ())):
        raise ValueError("std is not positive")
    for name in ("sigmoid", "stretch"):
        if not isinstance(data.get(name, True), bool):
            raise TypeError(f"{name} is neither true nor false")
    side = data.get("side", 1024)
    if not is_number(side, 32, MAX_SIDE, whole=True):
        raise ValueError(f"side is not a number from 32 to {MAX_SIDE}")
    return replace(AutomaticConfig(), **data)


def _three_numbers(name: str, value: Any) -> tuple[float, ...]:
    numbers = tuple(value) if isinstance(value, list) else ()
    if len(numbers) != 3 or not all(map(is_number, numbers)):
        raise ValueError(f"{name} is not three numbers")
    return tuple(map(float, numbers))
