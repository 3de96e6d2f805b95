"""Automatic networks: small graphs that know the main object by its brightness."""

from __future__ import annotations

import json
import os
import re

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from zim_model.errors import DeviceError, WeightsError
from zim_model.inference import zoom
from zim_model.inference.engine import Engine
from zim_model.inference.prediction import decode_view
from zim_model.inference.subject import SubjectSelector
from zim_model.onnx.automatic import AutomaticNetwork
from zim_model.prompts import Point, PromptSet
from zim_model.recipe import Recipe
from zim_model.request import Request
from zim_model.runtime.devices import DeviceChoice
from zim_model.weights.automatic import (
    AutomaticConfig,
    automatic_models,
    find_automatic,
    read_config,
)
from zim_model.weights.catalogue import MODELS, locate
from zim_model.weights.installed import MODELS_VARIABLE, installed_models

HEIGHT, WIDTH = 90, 160


def write_graph(path, size=("h", "w"), channels=3, kind=TensorProto.FLOAT, outputs=1):
    """A network whose output is the mean of red, green and blue."""
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["x", "axes"], [f"y{n}"], keepdims=1)
            for n in range(outputs)
        ],
        "automatic",
        [helper.make_tensor_value_info("x", kind, [1, channels, *size])],
        [
            helper.make_tensor_value_info(f"y{n}", kind, [1, 1, *size])
            for n in range(outputs)
        ],
        [helper.make_tensor("axes", TensorProto.INT64, [1], [1])],
    )
    opset = [helper.make_opsetid("", 18)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=9)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)
    return path


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(MODELS_VARIABLE, str(tmp_path / "models"))
    (tmp_path / "models").mkdir()
    return tmp_path / "models"


@pytest.fixture
def image():
    """A white disc on black, with a grey rim."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    distance = np.hypot(y - 45, x - 80)
    level = np.clip((34 - distance) / 8, 0, 1) * 255
    return np.repeat(level[..., None].astype(np.uint8), 3, axis=2)


# --- finding --------------------------------------------------------------------------


def test_files_and_folders_of_the_models_folder_are_found(folder):
    write_graph(folder / "isnet-general-use.onnx")
    write_graph(folder / "my-birefnet" / "model.onnx")
    write_graph(folder / "zim" / "encoder.onnx")
    write_graph(folder / "zim" / "decoder.onnx")
    (folder / "notes.txt").write_text("no model")
    models = automatic_models()
    assert [model.name for model in models] == ["isnet-general-use", "my-birefnet"]
    assert read_config(models[1]).sigmoid, "known by the folder's name"
    path = write_graph(folder.parent / "u2netp.onnx")
    assert find_automatic(str(path)).name == "u2netp"
    with pytest.raises(WeightsError, match="no automatic model silueta") as raised:
        find_automatic("silueta")
    assert "isnet-general-use, my-birefnet" in raised.value.hint
    assert str(folder) in raised.value.hint


@pytest.mark.parametrize(
    ("name", "side", "mean", "std"),
    [
        ("u2net_human_seg", 320, 0.485, 0.229),
        ("silueta", 320, 0.485, 0.229),
        ("isnet-general-use", 1024, 0.485, 1.0),
        ("BiRefNet-general-epoch_244", 1024, 0.485, 0.229),
        ("modnet_photographic_portrait_matting", 512, 0.5, 0.5),
    ],
)
def test_families_are_known_by_their_names(folder, name, side, mean, std):
    config = read_config(find_automatic(str(write_graph(folder / f"{name}.onnx"))))
    assert (config.side, config.mean[0], config.std[0]) == (side, mean, std)


def test_others_are_described_by_a_file(folder):
    path = write_graph(folder / "own.onnx")
    with pytest.raises(WeightsError, match="not known") as raised:
        read_config(find_automatic("own"))
    assert "own.json" in raised.value.hint
    path.with_suffix(".json").write_text(
        json.dumps({"side": 64, "mean": [0, 0, 0], "std": [1, 1, 1], "stretch": False})
    )
    expected = AutomaticConfig(64, (0.0,) * 3, (1.0,) * 3, stretch=False)
    assert read_config(find_automatic("own")) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "describes no network"),
        ("[" * 9999, "describes no network"),
        ("[1]", "no JSON object"),
        ('{"size": 3}', "size is not known"),
        ('{"side": 1e9}', "side is not a number"),
        ('{"side": true}', "side is not a number"),
        ('{"mean": [0, 0]}', "mean is not three numbers"),
        ('{"mean": [0, 0, NaN]}', "mean is not three numbers"),
        ('{"std": [1, 1, 0]}', "std is not positive"),
        (f'{{"mean": [0, 0, 1{"0" * 400}]}}', "mean is not three numbers"),
        ('{"sigmoid": 1}', "sigmoid is neither"),
    ],
)
def test_malformed_descriptions_are_refused(folder, text, reason):
    write_graph(folder / "own.onnx").with_suffix(".json").write_text(text)
    with pytest.raises(WeightsError, match=reason):
        read_config(find_automatic("own"))


# --- running --------------------------------------------------------------------------


@pytest.mark.parametrize("size", [("h", "w"), (320, 320)])
@pytest.mark.parametrize("name", ["u2net", "isnet", "birefnet", "modnet"])
def test_a_matte_has_the_size_of_the_image(folder, image, name, size):
    write_graph(folder / f"{name}.onnx", size, outputs=2)
    matte = AutomaticNetwork(find_automatic(name)).predict(image)
    assert matte.shape == (HEIGHT, WIDTH)
    assert matte.dtype == np.uint8
    assert matte[45, 80] > 250
    assert matte[5, 5] < (130 if name == "modnet" else 5)
    assert ((matte[45] > 0) & (matte[45] < 255)).any(), "the rim is soft"


def test_what_a_network_is_given(folder, image):
    """Divided by the largest value, and normalised; the output as it is."""
    path = write_graph(folder / "own.onnx", (HEIGHT, WIDTH))
    path.with_suffix(".json").write_text(
        json.dumps({"mean": [0.25] * 3, "std": [0.5] * 3, "stretch": False})
    )
    matte = AutomaticNetwork(find_automatic("own")).predict(image // 2)
    expected = np.clip((image[..., 0] // 2 / 127 - 0.25) / 0.5, 0, 1) * 255
    assert np.abs(matte - expected).max() <= 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"channels": 1}, "takes no image alone"),
        ({"kind": TensorProto.DOUBLE}, "not 32-bit numbers"),
    ],
)
def test_other_graphs_are_refused(folder, change, reason):
    write_graph(folder / "u2net.onnx", **change)
    with pytest.raises(WeightsError, match=reason):
        AutomaticNetwork(find_automatic("u2net"))


def test_a_damaged_file_is_named(folder):
    (folder / "u2net.onnx").write_bytes(b"no graph")
    with pytest.raises(WeightsError, match=re.escape(str(folder / "u2net.onnx"))):
        AutomaticNetwork(find_automatic("u2net"))


def test_the_runtime_tells_nobody(folder):
    write_graph(folder / "u2net.onnx")
    AutomaticNetwork(find_automatic("u2net"))
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"


@pytest.mark.parametrize(
    "info", [i for i in MODELS if i.kind == "automatic"], ids=lambda info: info.name
)
def test_networks_to_download_are_known_by_their_names(folder, image, info):
    with pytest.raises(WeightsError, match=f"models download {info.name}"):
        find_automatic(info.name)
    (folder / info.name).mkdir()
    write_graph(folder / info.name / info.files[0].name)
    assert AutomaticNetwork(find_automatic(info.name)).predict(image)[45, 80] > 250
    [installed] = installed_models("automatic")
    assert installed.name == info.name
    with pytest.raises(WeightsError, match="takes no prompts"):
        locate(info.name)


# --- the subject ----------------------------------------------------------------------


def test_the_matte_is_a_mask_that_clicks_correct(folder, image):
    write_graph(folder / "isnet.onnx")
    engine = Engine()
    selector = SubjectSelector(engine)
    request = Request(image, "disc", Recipe())
    recipe = selector.select(request, "isnet")
    assert not recipe.prompts
    matte = engine.solve(Request(image, "disc", recipe)).alpha
    expected = AutomaticNetwork(find_automatic("isnet")).predict(image)
    assert np.abs(matte / 257 - expected).max() <= 1
    point = Point(2.0, 2.0, positive=False)
    corrected = Recipe(PromptSet((point,)))
    recipe = selector.select(Request(image, "disc", corrected), "isnet")
    assert recipe.prompts.points == (point,)
    assert recipe.masks


def test_a_network_runs_on_the_device_of_the_models(folder, image):
    """It is loaded again when that changes, and refuses one that is not there."""
    write_graph(folder / "isnet.onnx")
    engine = Engine()
    selector, request = SubjectSelector(engine), Request(image, "disc", Recipe())
    chosen = selector.select(request, "isnet")
    engine.set_device(DeviceChoice("cpu"))
    assert selector.select(request, "isnet") == chosen
    engine.set_device(DeviceChoice("cuda:7"))
    with pytest.raises(DeviceError, match="cuda:7"):
        selector.select(request, "isnet")
    engine.set_device(DeviceChoice())
    assert selector.select(request, "isnet") == chosen


def test_without_a_network_the_model_searches(image):
    engine = Engine()
    recipe = SubjectSelector(engine).select(Request(image, "disc", Recipe()))
    assert recipe.prompts
    assert not recipe.masks
    matte = engine.solve(Request(image, "disc", recipe)).alpha
    assert matte[45, 80] > matte[5, 5]


def test_what_the_search_has_predicted_is_not_predicted_again(image, monkeypatch):
    decoded = []

    def count(*args):
        decoded.append(args)
        return decode_view(*args)

    monkeypatch.setattr(zoom, "decode_view", count)
    engine = Engine()
    recipe = SubjectSelector(engine).select(Request(image, "disc", Recipe()))
    searched = len(decoded)
    matte = engine.solve(Request(image, "disc", recipe)).alpha
    assert searched > 0
    assert len(decoded) == searched
    other = Engine().solve(Request(image, "disc", recipe)).alpha
    assert np.array_equal(matte, other)
