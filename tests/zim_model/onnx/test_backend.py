"""The ONNX backend, on a small pair of graphs exported from our own model."""

import shutil
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.zim_model.conftest import SMALL_VIT, random_model
from zim_model.backends.torch_backend import TorchBackend
from zim_model.backends.view import View
from zim_model.errors import DeviceError, WeightsError
from zim_model.inference.engine import Engine
from zim_model.inference.oom_fallback import open_backend
from zim_model.install import install_from_disk
from zim_model.network.zim import Zim
from zim_model.onnx import export
from zim_model.onnx.backend import OnnxBackend, check_pair
from zim_model.onnx.export import export_pair
from zim_model.prompts import Box, Point, PromptSet
from zim_model.recipe import Recipe
from zim_model.request import Request
from zim_model.runtime import devices
from zim_model.runtime.devices import CPU, Device, DeviceChoice
from zim_model.weights.checkpoint import save_model

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

# The official graphs store no sigma: it must be the one that the backend assumes.
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
def test_the_graphs_predict_as_the_network_does(model, pair, prompts):
    backend, reference = OnnxBackend(pair, "cpu"), TorchBackend(model, "cpu")
    view_prompts = VIEW.apply(prompts)
    logits, scores = backend.decode(backend.encode(IMAGE, VIEW), view_prompts)
    expected, ious = reference.decode(reference.encode(IMAGE, VIEW), view_prompts)
    assert logits.shape == expected.shape == (4, 48, 64)
    np.testing.assert_allclose(logits, expected, atol=2e-4)
    np.testing.assert_allclose(scores, ious, atol=2e-4)


def test_an_added_pair_makes_mattes(pair):
    model = install_from_disk(pair, "official")
    assert model.name == "official"
    matte = Engine().solve(Request(IMAGE, "a", Recipe(BOX, "official")))
    assert matte.alpha.shape == (90, 120)
    assert matte.timings.device == "CPU (fp32, ONNX)"
    assert open_backend("official").fingerprint == OnnxBackend(pair).fingerprint


def test_either_file_of_a_pair_stands_for_both(pair):
    assert install_from_disk(pair / "decoder.onnx", "one").path.is_dir()


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


def renamed(data, name, other):
    """A graph with another name for a tensor."""
    model = onnx.load_from_string(data)
    for value in (*model.graph.input, *model.graph.output):
        value.name = other if value.name == name else value.name
    for node in model.graph.node:
        for names in (node.input, node.output):
            names[:] = [other if each == name else each for each in names]
    return model.SerializeToString()


def in_half(data, name):
    """A graph whose input of that name is in half precision."""
    model = onnx.load_from_string(data)
    (value,) = (value for value in model.graph.input if value.name == name)
    value.type.tensor_type.elem_type = onnx.TensorProto.FLOAT16
    wide = f"{name}_wide"
    for node in model.graph.node:
        node.input[:] = [wide if each == name else each for each in node.input]
    cast = onnx.helper.make_node("Cast", [name], [wide], to=onnx.TensorProto.FLOAT)
    model.graph.node.insert(0, cast)
    return model.SerializeToString()


@pytest.mark.parametrize(
    ("file", "change", "reason"),
    [
        (
            "encoder.onnx",
            lambda data: renamed(data, "image", "pixels"),
            r"encoder\.onnx's input image is missing, .*input pixels is not known",
        ),
        (
            "decoder.onnx",
            lambda data: renamed(data, "masks", "low_res_masks"),
            r"decoder\.onnx's output masks is missing",
        ),
        (
            "encoder.onnx",
            lambda data: in_half(data, "image"),
            r"encoder\.onnx's input image is a tensor\(float16\)",
        ),
    ],
)
def test_what_another_graph_has_instead_is_named(pair, tmp_path, file, change, reason):
    other = copied(pair, tmp_path / "other")
    (other / file).write_bytes(change((pair / file).read_bytes()))
    with pytest.raises(WeightsError, match=reason):
        install_from_disk(other)
    assert not (tmp_path / "models").exists()


def copied(pair, folder):
    return shutil.copytree(pair, folder)


def test_graphs_of_two_models_are_no_pair(pair, tmp_path):
    mixed = copied(pair, tmp_path / "mixed")
    larger = random_model(replace(CONFIG, image_size=192))
    export_pair(larger, tmp_path / "larger")
    shutil.copy(tmp_path / "larger" / "decoder.onnx", mixed)
    with pytest.raises(WeightsError, match=r"mixed do not belong together: image_emb"):
        install_from_disk(mixed)
    assert not (tmp_path / "models").exists()


def test_a_graph_that_cannot_be_run_is_named(pair, monkeypatch):
    backend = OnnxBackend(pair, "cpu")
    view = replace(VIEW, image_size=64)  # not what the graph takes
    monkeypatch.setattr(backend, "config", replace(backend.config, image_size=64))
    with pytest.raises(WeightsError, match=f"graph in {pair} cannot be run"):
        backend.encode(IMAGE, view)


def test_weights_that_are_no_numbers_are_reported_and_make_no_matte(model, tmp_path):
    damaged = Zim(CONFIG).eval()
    damaged.load_state_dict(model.state_dict())
    with torch.no_grad():
        damaged.mask_decoder.mask_tokens.weight.fill_(torch.nan)
    save_model(damaged, tmp_path / "nan.safetensors")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(export, "_check_parity", lambda model, folder: [])
        export_pair(damaged, tmp_path / "nan")
    for name, words in (
        ("nan.safetensors", "hold no finite numbers"),
        ("nan", "does not answer with numbers"),
    ):
        request = Request(IMAGE, "a", Recipe(BOX, str(tmp_path / name)))
        with pytest.raises(WeightsError, match=words):
            Engine().solve(request)


def test_a_damaged_graph_is_refused_and_nothing_is_installed(pair, tmp_path):
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "encoder.onnx").write_bytes((pair / "encoder.onnx").read_bytes()[:900])
    (broken / "decoder.onnx").write_bytes((pair / "decoder.onnx").read_bytes())
    with pytest.raises(WeightsError, match=r"encoder\.onnx is missing, damaged"):
        install_from_disk(broken)
    assert not (tmp_path / "models").exists()


def test_half_a_pair_is_refused(tmp_path):
    (tmp_path / "encoder.onnx").write_bytes(b"x")
    with pytest.raises(WeightsError, match=r"has no decoder\.onnx"):
        install_from_disk(tmp_path)


def test_without_onnx_runtime_the_error_names_the_package(pair, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(WeightsError, match="pip install onnxruntime"):
        OnnxBackend(pair)


# --- where it runs --------------------------------------------------------------------

CUDA, ON_CPU = "CUDAExecutionProvider", "CPUExecutionProvider"


class EPFail(RuntimeError):
    """Named as ONNX Runtime's error of a device."""


@pytest.fixture
def card(monkeypatch):
    """An ONNX Runtime for CUDA whose sessions use it, or not: ``uses[file name]``."""
    real = onnxruntime.InferenceSession
    uses = {"encoder.onnx": CUDA, "decoder.onnx": CUDA, "opened": [], "breaks": ""}

    class Session:
        def __init__(self, path, options, providers, **kwargs):
            uses["opened"].append((providers, kwargs))
            self.name = path.replace("\\", "/").rpartition("/")[2]
            if uses["breaks"] == "open":
                raise EPFail("CUDA failure 100: no CUDA-capable device is detected")
            self.on_cpu = providers == [ON_CPU]
            self.real = real(path, options, providers=[ON_CPU])
            self.get_inputs = self.real.get_inputs
            self.get_outputs = self.real.get_outputs
            self.get_modelmeta = self.real.get_modelmeta

        def get_providers(self):
            used = ON_CPU if self.on_cpu else uses[self.name]
            return [*dict.fromkeys([used, ON_CPU])]

        def run(self, *args):
            if uses["breaks"] == "run":
                raise EPFail("CUDNN_STATUS_EXECUTION_FAILED")
            return self.real.run(*args)

    monkeypatch.setattr(onnxruntime, "InferenceSession", Session)
    monkeypatch.setattr(
        onnxruntime, "get_available_providers", lambda: ["TensorrtX", CUDA, ON_CPU]
    )
    return uses


def test_the_provider_that_runs_is_named(pair, card):
    backend = OnnxBackend(pair, "cuda:1")
    assert backend.device_label == "CUDA (fp32, ONNX)"
    assert backend.fingerprint.endswith(CUDA)
    providers, options = card["opened"][0]
    assert providers == [(CUDA, {"device_id": "1"}), ON_CPU]
    assert options == {"enable_fallback": 0}, "falling back must not be left to it"
    assert OnnxBackend(pair).device_label == "CUDA (fp32, ONNX)"


@pytest.mark.parametrize("fallen", ["encoder.onnx", "decoder.onnx"])
def test_a_session_that_fell_back_to_the_cpu_is_an_error(pair, card, fallen):
    card[fallen] = ON_CPU
    with pytest.raises(DeviceError, match="cannot use cuda here"):
        OnnxBackend(pair, "cuda")
    with pytest.warns(RuntimeWarning, match="cannot use CUDA here.*runs on CPU"):
        assert OnnxBackend(pair).device_label == "CPU (fp32, ONNX)"


def test_a_device_that_fails_is_an_error_and_not_the_cpu(pair, card):
    backend = OnnxBackend(pair, "cuda:0")
    card["breaks"] = "run"
    with pytest.raises(DeviceError, match="cannot use cuda:0 here"):
        backend.encode(IMAGE, VIEW)
    card["breaks"] = "open"
    with pytest.raises(DeviceError, match="cannot use CUDA here"):
        OnnxBackend(pair, "cuda:0")


def test_automatic_fallback_is_reported_with_the_matte(pair, card, monkeypatch):
    """Torch has a GPU that ONNX Runtime cannot use; the device was not chosen."""
    available = (Device("cuda:0", "Card", 8 << 30), CPU)
    monkeypatch.setattr(devices, "available_devices", lambda: available)
    monkeypatch.setattr(devices, "_has_tensor_cores", lambda device: True)
    install_from_disk(pair, "official")
    card["decoder.onnx"] = ON_CPU
    engine = Engine()
    matte = engine.solve(Request(IMAGE, "a", Recipe(BOX, "official")))
    (note,) = matte.timings.notes
    assert "ONNX Runtime cannot use cuda:0 here. It runs on CPU (fp32)" in note
    engine.set_device(DeviceChoice("cuda:0"))
    with pytest.raises(DeviceError, match="onnxruntime-gpu"):
        engine.solve(Request(IMAGE, "a", Recipe(BOX, "official")))
