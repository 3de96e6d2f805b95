"""The ONNX backend, on a small pair of graphs exported from our own model."""

import sys
from dataclasses import replace

import numpy as np
import pytest

from tests.zim_model.conftest import SMALL_VIT, random_model
from zim_model.adding import add_from_disk
from zim_model.backends import TorchBackend
from zim_model.engine import Engine
from zim_model.errors import DeviceError, WeightsError
from zim_model.onnx_backend import OnnxBackend, check_pair
from zim_model.onnx_export import export_pair
from zim_model.prompts import Box, Point, PromptSet
from zim_model.registry import open_backend
from zim_model.request import Request
from zim_model.transforms import View

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

# The official graphs know no sigma: it must be the one that the backend assumes.
CONFIG = replace(SMALL_VIT, detail_channels=(4, 8, 12))
IMAGE = np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8)
VIEW = View.whole(90, 120, CONFIG.image_size)
POINTS = PromptSet((Point(40, 30), Point(90, 70, positive=False)))
BOX = PromptSet((), Box(10, 20, 100, 80))
BOTH = PromptSet(POINTS.points, BOX.box)


@pytest.fixture(scope="module")
def model():
    return random_model(CONFIG)


@pytest.fixture(scope="module")
def pair(model, tmp_path_factory):
    """A folder with a pair of graphs."""
    folder = tmp_path_factory.mktemp("zim-small")
    export_pair(model, folder)
    return folder


@pytest.fixture(autouse=True)
def models(tmp_path, monkeypatch):
    monkeypatch.setenv("ZIM_STUDIO_MODELS", str(tmp_path / "models"))


@pytest.mark.parametrize("prompts", [POINTS, BOX, BOTH], ids=["points", "box", "both"])
def test_the_graphs_answer_as_the_network_does(model, pair, prompts):
    backend, reference = OnnxBackend(pair, "cpu"), TorchBackend(model, "cpu")
    asked = VIEW.apply(prompts)
    logits, scores = backend.decode(backend.encode(IMAGE, VIEW), asked)
    expected, ious = reference.decode(reference.encode(IMAGE, VIEW), asked)
    assert logits.shape == expected.shape == (4, 48, 64)
    np.testing.assert_allclose(logits, expected, atol=2e-4)
    np.testing.assert_allclose(scores, ious, atol=2e-4)


def test_an_added_pair_makes_mattes(pair):
    model = add_from_disk(pair, "official")
    assert model.name == "official"
    matte = Engine().solve(Request(IMAGE, "a", BOX, "official"))
    assert matte.alpha.shape == (90, 120)
    assert matte.timings.device == "CPU (fp32, ONNX)"
    assert open_backend("official").fingerprint == OnnxBackend(pair).fingerprint


def test_either_file_of_a_pair_stands_for_both(pair):
    assert add_from_disk(pair / "decoder.onnx", "one").path.is_dir()


def test_a_device_that_onnx_runtime_lacks_is_named(pair):
    with pytest.raises(DeviceError, match=r"cuda:0.*onnxruntime-gpu"):
        OnnxBackend(pair, "cuda:0")


def test_the_graphs_of_another_model_are_refused(pair, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    for name in ("encoder.onnx", "decoder.onnx"):
        (other / name).write_bytes((pair / "decoder.onnx").read_bytes())
    with pytest.raises(WeightsError, match="another model than ZIM"):
        check_pair(other)


def test_a_damaged_graph_is_refused_and_nothing_is_installed(pair, tmp_path):
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "encoder.onnx").write_bytes((pair / "encoder.onnx").read_bytes()[:900])
    (broken / "decoder.onnx").write_bytes((pair / "decoder.onnx").read_bytes())
    with pytest.raises(WeightsError, match=r"encoder\.onnx is missing, damaged"):
        add_from_disk(broken)
    assert not (tmp_path / "models").exists()


def test_half_a_pair_is_refused(tmp_path):
    (tmp_path / "encoder.onnx").write_bytes(b"x")
    with pytest.raises(WeightsError, match=r"has no decoder\.onnx"):
        add_from_disk(tmp_path)


def test_without_onnx_runtime_the_error_says_what_to_install(pair, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(WeightsError, match="pip install onnxruntime"):
        OnnxBackend(pair)
