"""Inpainting networks: a made-up graph with LaMa's inputs."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from zim_model.errors import WeightsError
from zim_model.install import install_from_disk
from zim_model.onnx.inpainting import InpaintingNetwork
from zim_model.weights.catalogue import find_known, locate
from zim_model.weights.inpainting import find_inpainting_network, inpainting_networks
from zim_model.weights.installed import models_folder


def write_graph(path, scale=255.0, side=512, planes=("image", "mask")):
    """A graph that paints holes green: image * (1 - mask) + green * mask."""
    sizes = {"image": 3, "mask": 1}
    inputs = [
        helper.make_tensor_value_info(
            name, TensorProto.FLOAT, [1, sizes.get(name, 3), side, side]
        )
        for name in planes
    ]
    output = helper.make_tensor_value_info("output", TensorProto.FLOAT, None)
    green = helper.make_tensor("green", TensorProto.FLOAT, [1, 3, 1, 1], [0.0, 1.0, 0])
    one = helper.make_tensor("one", TensorProto.FLOAT, [], [1.0])
    full = helper.make_tensor("full", TensorProto.FLOAT, [], [scale])
    first, last = planes[0], planes[-1]
    nodes = [
        helper.make_node("Sub", ["one", last], ["rest"]),
        helper.make_node("Mul", [first, "rest"], ["kept"]),
        helper.make_node("Mul", ["green", last], ["drawn"]),
        helper.make_node("Add", ["kept", "drawn"], ["both"]),
        helper.make_node("Mul", ["both", "full"], ["output"]),
    ]
    graph = helper.make_graph(nodes, "fill", inputs, [output], [green, one, full])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.save(model, path)
    return path


def write_mean_graph(path):
    """A graph that fills with the mean colour of all that it sees."""
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, planes, "h", "w"])
        for name, planes in (("image", 3), ("mask", 1))
    ]
    output = helper.make_tensor_value_info("output", TensorProto.FLOAT, None)
    one = helper.make_tensor("one", TensorProto.FLOAT, [], [1.0])
    nodes = [
        helper.make_node("Sub", ["one", "mask"], ["seen"]),
        helper.make_node("Mul", ["image", "seen"], ["shown"]),
        helper.make_node("ReduceSum", ["shown", "sides"], ["sum"]),
        helper.make_node("ReduceSum", ["seen", "sides"], ["count"]),
        helper.make_node("Div", ["sum", "count"], ["mean"]),
        helper.make_node("Mul", ["mean", "mask"], ["drawn"]),
        helper.make_node("Add", ["shown", "drawn"], ["output"]),
    ]
    sides = helper.make_tensor("sides", TensorProto.INT64, [2], [2, 3])
    graph = helper.make_graph(nodes, "mean", inputs, [output], [one, sides])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.save(model, path)
    return path


@pytest.fixture(autouse=True)
def own_models(tmp_path, monkeypatch):
    monkeypatch.setenv("ZIM_STUDIO_MODELS", str(tmp_path / "models"))


@pytest.fixture
def holed():
    image = np.full((90, 140, 3), (200, 30, 30), np.uint8)
    hole = np.zeros((90, 140), bool)
    hole[30:60, 40:80] = True
    return image, hole


@pytest.mark.parametrize(("scale", "side"), [(255.0, 512), (1.0, 512), (255.0, "n")])
def test_a_hole_is_drawn_and_the_rest_is_kept(tmp_path, holed, scale, side):
    image, hole = holed
    network = InpaintingNetwork(write_graph(tmp_path / "g.onnx", scale, side), "cpu")
    filled = network.fill(image, hole)
    assert (filled[45, 60] == (0, 255, 0)).all()
    assert np.array_equal(filled[~hole], image[~hole])


def test_what_is_not_usable_is_hidden_from_the_network(tmp_path, holed):
    image, hole = holed
    image[:, 90:] = (0, 0, 250)
    network = InpaintingNetwork(write_mean_graph(tmp_path / "mean.onnx"), "cpu")
    usable = np.ones(hole.shape, bool)
    assert network.fill(image, hole)[45, 60, 2] > 90
    usable[:, 88:] = False
    filled = network.fill(image, hole, usable)
    assert np.abs(filled[45, 60] - (200.0, 30, 30)).max() < 2
    assert np.array_equal(filled[~hole], image[~hole])


def test_the_network_sees_past_what_hides_the_surroundings(tmp_path):
    image = np.full((60, 2000, 3), (0, 0, 250), np.uint8)
    image[:, :500] = (200, 30, 30)
    hole = np.zeros(image.shape[:2], bool)
    hole[20:40, 1000:1020] = True
    usable = np.zeros(hole.shape, bool)
    usable[:, :480] = True
    network = InpaintingNetwork(write_mean_graph(tmp_path / "mean.onnx"), "cpu")
    filled = network.fill(image, hole, usable)
    assert np.abs(filled[30, 1010] - (200.0, 30, 30)).max() < 2


def test_a_graph_with_other_inputs_is_named_with_what_is_needed(tmp_path):
    path = write_graph(tmp_path / "other.onnx", planes=("pixels",))
    with pytest.raises(WeightsError, match="no inpainting network: it takes pixels"):
        InpaintingNetwork(path, "cpu")


def test_a_file_that_is_no_graph(tmp_path):
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"nothing")
    with pytest.raises(WeightsError, match=r"broken\.onnx is missing, damaged"):
        InpaintingNetwork(path, "cpu")


def test_a_graph_is_installed_by_its_inputs_and_found_by_its_name(tmp_path):
    path = write_graph(tmp_path / "painter.onnx")
    model = install_from_disk(path)
    assert (model.name, model.kind) == ("painter", "inpainting")
    assert [each.name for each in inpainting_networks()] == ["painter"]
    assert find_inpainting_network("painter").parent.parent == models_folder()
    assert find_inpainting_network(str(path)) == path
    with pytest.raises(WeightsError, match="takes no prompts"):
        locate("painter")


def test_a_missing_network_says_how_to_get_it():
    with pytest.raises(WeightsError, match="LaMa") as caught:
        find_inpainting_network("lama")
    assert "models download lama" in caught.value.hint


def test_lama_is_in_the_catalogue_with_its_terms():
    lama = find_known("lama")
    assert lama.kind == "inpainting"
    assert lama.licence.commercial
    assert len(lama.files[0].sha256) == 64
