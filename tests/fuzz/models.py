"""Small files about models: descriptions, names of folders, configurations."""

from __future__ import annotations

import json
import os
from pathlib import Path
from random import Random

from tests.fuzz.mutation import TEXTS, hostile_json, mutate_bytes
from tests.fuzz.reader import Reader
from zim_model.network.config import (
    ZIM_VIT_B,
    TinyConfig,
    ZimConfig,
)
from zim_model.weights.installed import MODELS_VARIABLE


def _make_description(rng: Random, folder: Path) -> Path:
    data = {"side": 1024, "mean": [0.5] * 3, "std": [1, 1, 1.0], "sigmoid": False}
    (folder / "mine.json").write_bytes(hostile_json(rng, {**data, "stretch": True}))
    (folder / "mine.onnx").write_bytes(b"x")
    return folder / "mine.onnx"


def _read_description(path: Path) -> None:
    from zim_model.weights.automatic import find_automatic, read_config

    read_config(find_automatic(str(path)))


def _make_folder(rng: Random, folder: Path) -> Path:
    """A models folder with folders and files of hostile names and contents."""
    files = ("model.safetensors", "a.onnx", "encoder.onnx", "decoder.onnx", "a.pth")
    files = (*files, "pytorch_model.bin", "a.json")
    for _ in range(rng.choice((1, 3))):
        name = rng.choice((*TEXTS, "mine", "mine.part", "zim-tiny", "a.onnx"))
        for file in rng.sample(files, rng.choice((0, 1, 2, 3))):
            try:
                (folder / name[:200]).mkdir(parents=True, exist_ok=True)
                body = mutate_bytes(rng, b"decoder.convstream." * 4)
                (folder / name[:200] / file).write_bytes(body)
            except (OSError, ValueError):
                continue
    if rng.random() < 0.2:
        os.symlink("loop", folder / "loop")
    return folder


def _read_folder(folder: Path) -> None:
    from zim_model.weights.automatic import automatic_models
    from zim_model.weights.installed import installed_models
    from zim_model.weights.trimap import trimap_networks

    os.environ[MODELS_VARIABLE] = str(folder)
    try:
        installed_models(None)
        trimap_networks()
        automatic_models()
    finally:
        del os.environ[MODELS_VARIABLE]


def _make_config(rng: Random, folder: Path) -> tuple[str, bytes]:
    from zim_model.conversion.config import CONVERTER, CONVERTER_TINY

    del folder
    configs = (ZIM_VIT_B, TinyConfig(), CONVERTER, CONVERTER_TINY)
    config = rng.choice(configs)
    return type(config).__name__, hostile_json(rng, config.to_json())


def _read_config(argument: tuple[str, bytes]) -> None:
    """Read an architecture as those in the metadata of weights are read."""
    from zim_model.conversion.config import ConverterConfig

    kind, text = argument
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):  # as the readers of weights handle it
        return
    kinds = {each.__name__: each for each in (ZimConfig, TinyConfig, ConverterConfig)}
    config = kinds[kind].from_json(data)
    json.dumps(config.to_json(), allow_nan=False)


READERS = (
    Reader("model-description", _make_description, _read_description),
    Reader("models-folder", _make_folder, _read_folder),
    Reader("model-config", _make_config, _read_config),
)
