"""Zim-tiny with ONNX Runtime predicts what it predicts with PyTorch."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from zim_app.core.images import load_image
from zim_model.assets import asset_path
from zim_model.backends.tiny_backend import TinyBackend
from zim_model.backends.torch_tiny import TorchTiny
from zim_model.backends.view import View
from zim_model.errors import WeightsError
from zim_model.inference.oom_fallback import open_backend
from zim_model.network.config import TINY_KEY, TinyConfig
from zim_model.network.tiny import ZimTiny
from zim_model.onnx.tiny import SHAPES, OnnxTiny, graph_folder, open_tiny
from zim_model.onnx.tiny_export import (
    GRAPH_CONFIGS,
    export_tiny,
    graphs_without_weights,
    weight_shapes,
)
from zim_model.prompts import Box, Point, PromptSet, Scribble
from zim_model.weights.checkpoint import load_model, save_model

BUNDLED = asset_path("models", "zim-tiny.safetensors")
CONFIG = GRAPH_CONFIGS[0]
WEIGHTS = ["bundled", *(config.encoder.variant for config in GRAPH_CONFIGS)]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The bundled file, and by encoder files of which all layers do something."""
    found = {"bundled": BUNDLED}
    for config in GRAPH_CONFIGS:
        torch.manual_seed(0)
        model = ZimTiny(config)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.normal_(0, 0.05)
        path = tmp_path_factory.mktemp("weights") / "random.safetensors"
        save_model(model, path)
        found[config.encoder.variant] = path
    return found


@pytest.fixture(scope="module")
def random_weights(files: dict[str, Path]) -> Path:
    return files[CONFIG.encoder.variant]


def backends(path: Path) -> tuple[TinyBackend, TinyBackend]:
    network = open_tiny(path)
    assert network is not None
    model = load_model(path)
    assert isinstance(model, ZimTiny)
    return TinyBackend(network), TinyBackend(TorchTiny(model, "cpu"))


def assert_alike(one: np.ndarray, other: np.ndarray) -> None:
    """Logits that give the same alpha."""
    alphas = [1 / (1 + np.exp(-each)) for each in (one, other)]
    np.testing.assert_allclose(*alphas, atol=1e-4)


@pytest.mark.parametrize("weights", WEIGHTS)
def test_predictions_are_those_of_torch(weights: str, files: dict[str, Path]) -> None:
    onnx, torch_ = backends(files[weights])
    image = load_image(asset_path("samples", "astronaut.jpg")).rgb
    view = View(20, 10, 320, 250, 256)
    prompts = PromptSet(
        (Point(100.0, 90.0), Point(30.0, 40.0, positive=False)),
        Box(60.0, 50.0, 200.0, 180.0),
        (Scribble(((80.0, 80.0), (120.0, 100.0))),),
    )
    previous = np.random.default_rng(0).normal(0, 2, (1, 128, 128)).astype(np.float32)
    for mask_input in (None, previous):
        logits, scores = zip(
            *(
                each.decode(each.encode(image, view), prompts, mask_input)
                for each in (onnx, torch_)
            ),
            strict=True,
        )
        assert_alike(*logits)
        np.testing.assert_allclose(*scores, atol=1e-4)
    sets = [prompts, PromptSet((Point(150.0, 100.0),)), PromptSet()]
    logits, scores = zip(
        *(each.decode_many(each.encode(image, view), sets) for each in (onnx, torch_)),
        strict=True,
    )
    assert logits[0].shape[0] == 3
    assert_alike(*logits)
    np.testing.assert_allclose(*scores, atol=1e-4)


@pytest.mark.parametrize("weights", WEIGHTS)
def test_detail_is_that_of_torch(weights: str, files: dict[str, Path]) -> None:
    onnx, torch_ = backends(files[weights])
    image = load_image(asset_path("samples", "astronaut.jpg")).rgb
    size = onnx.config.detail_size
    assert size is not None
    view = View(20, 10, 320, 250, size)
    alpha = np.random.default_rng(0).random((120, 150)).astype(np.float32)
    assert_alike(
        *(each.refine(each.encode(image, view), alpha) for each in (onnx, torch_))
    )


@pytest.mark.parametrize("config", GRAPH_CONFIGS, ids=lambda c: c.encoder.variant)
def test_graphs_are_those_of_their_architecture(config: TinyConfig) -> None:
    shapes = json.loads((graph_folder(config) / SHAPES).read_text())
    assert shapes["config"] == json.loads(json.dumps(config.to_json()))
    graphs = graphs_without_weights(config)
    named = {name: dict(weight_shapes(data)) for name, data in graphs.items()}
    assert named == {name: dict(part) for name, part in shapes["tensors"].items()}


def test_graphs_with_weights_run_by_themselves() -> None:
    import onnxruntime

    model = load_model(BUNDLED)
    assert isinstance(model, ZimTiny)
    graph = export_tiny(model)["predict"]
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    image = np.zeros((1, 3, 256, 256), np.float32)
    maps = np.zeros((3, 4, 256, 256), np.float32)
    maps[1, 0, 120:130, 120:130] = 1
    logits, iou = session.run(None, {"image": image, "maps": maps})
    with torch.inference_mode():
        expected, scores = model(torch.from_numpy(image), torch.from_numpy(maps))
    assert_alike(logits, expected.numpy())
    np.testing.assert_allclose(iou, scores.numpy(), atol=1e-4)
    described = session.get_modelmeta().custom_metadata_map
    places = (*session.get_inputs(), *session.get_outputs())
    assert {place.name for place in places} <= {*described}
    assert "(value - 127) / 128" in described["image"]
    assert "exp(-logits)" in described["logits"]


def test_other_architectures_run_with_torch(tmp_path: Path) -> None:
    path = tmp_path / "wide.safetensors"
    save_model(ZimTiny(replace(CONFIG, head=48)), path)
    assert open_tiny(path) is None
    backend = open_backend(str(path), "cpu")
    assert isinstance(backend, TinyBackend)
    assert isinstance(backend.network, TorchTiny)


def test_damaged_files_are_told_as_torch_tells_them(
    tmp_path: Path, random_weights: Path
) -> None:
    data = random_weights.read_bytes()
    path = tmp_path / "cut.safetensors"
    path.write_bytes(data[: len(data) // 2])
    assert open_tiny(path) is None
    with pytest.raises(WeightsError, match=r"cut\.safetensors is damaged"):
        open_backend(str(path), "cpu")


@pytest.mark.parametrize(
    "change", [{"depth": 0}, {"encoder": 3}, {"image_size": 255}, {"colour": "red"}]
)
def test_malformed_configurations_are_told_with_their_file(
    change: dict[str, object], tmp_path: Path, random_weights: Path
) -> None:
    path = tmp_path / "odd.safetensors"
    described = json.dumps({**CONFIG.to_json(), **change})
    save_file(load_file(random_weights), path, {TINY_KEY: described})
    with pytest.raises(WeightsError, match=r"odd\.safetensors .*onfiguration"):
        open_backend(str(path), "cpu")


def test_equal_weights_have_equal_fingerprints(
    tmp_path: Path, random_weights: Path
) -> None:
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes(random_weights.read_bytes())
    prints = [
        network.fingerprint
        for path in (random_weights, copy, BUNDLED)
        if isinstance(network := open_tiny(path), OnnxTiny)
    ]
    assert prints[0] == prints[1] != prints[2]


def test_cutting_out_needs_no_torch(tmp_path: Path) -> None:
    photo = asset_path("samples", "astronaut.jpg")
    arguments = ["matte", str(photo), "--box", "100,20,380,400"]
    arguments += ["-o", str(tmp_path / "out.png"), "--device", "cpu"]
    code = (
        "import sys\n"
        "from zim_app.__main__ import main\n"
        f"assert main({arguments!r}) == 0\n"
        "assert 'torch' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert load_image(tmp_path / "out.png").source_alpha is not None
