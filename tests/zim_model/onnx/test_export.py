"""Our ZIM as the official pair, run by a client that follows the official predictor."""

import errno
import os
import sys
import types
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from tests.zim_model.conftest import SMALL_VIT, random_model
from zim_model import ZimPredictor, load_model
from zim_model.backends.torch_backend import TorchBackend
from zim_model.backends.view import View
from zim_model.errors import WeightsError, msg
from zim_model.inference.engine import Engine
from zim_model.install import install_from_disk
from zim_model.network.config import CONFIGS, sam_variant
from zim_model.network.zim import Zim
from zim_model.onnx import parity
from zim_model.onnx.backend import OnnxBackend, check_pair
from zim_model.onnx.convert import convert_pair
from zim_model.onnx.export import DECODER_INPUTS, check_exportable, export_pair
from zim_model.onnx.parity import ParityDifference, encoder_differences
from zim_model.onnx.sessions import open_session
from zim_model.prompts import Box, Point, PromptSet
from zim_model.recipe import Options, Recipe
from zim_model.request import Request
from zim_model.weights.installed import require_onnx

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

IMAGE = np.random.default_rng(0).integers(0, 256, (77, 120, 3), dtype=np.uint8)
POINTS, LABELS = np.array([[40.5, 30.0], [90.0, 70.0]]), np.array([1, 0])
BOX = np.array([10.0, 20.0, 100.0, 70.0])
SIDE, GRID = SMALL_VIT.image_size, SMALL_VIT.grid


@pytest.fixture(scope="module")
def model():
    return random_model(SMALL_VIT)


@pytest.fixture(scope="module")
def pair(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported") / "new" / "pair"
    differences = export_pair(model, folder)
    assert max(each.largest for each in differences) < 1e-4
    return folder


class OfficialClient:
    """The steps of the official predictor, on NumPy arrays and nothing of ours."""

    def __init__(self, folder):
        self.encoder = open_session(folder / "encoder.onnx")
        self.decoder = open_session(folder / "decoder.onnx")

    def set_image(self, rgb):
        height, width = self.native = rgb.shape[:2]
        scale = SIDE / max(height, width)
        self.inner = int(height * scale + 0.5), int(width * scale + 0.5)
        small = Image.fromarray(rgb).resize(self.inner[::-1], Image.BILINEAR)
        mean, std = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
        padded = np.zeros((1, 3, SIDE, SIDE), np.float32)
        rows, columns = self.inner
        padded[0, :, :rows, :columns] = np.moveaxis(
            (np.array(small) - mean) / std, 2, 0
        )
        self.features = self.encoder.run(None, {"image": padded})

    def predict(self, points=None, labels=None, box=None):
        height, width = self.native
        scale = np.array([self.inner[1] / width, self.inner[0] / height])
        mask = np.ones((GRID, GRID), np.float32)
        if points is not None:
            coords, kinds = points * scale, labels
            mask = self.around(coords)
            coords, kinds = np.vstack([coords, [[0, 0]]]), [*labels, -1]
        if box is not None:  # it takes the place of the points, but not of their mask
            coords, kinds = box.reshape(2, 2) * scale, [2, 3]
            mask = self.inside(coords) if points is None else mask
        embeddings, d0, d1, d2 = self.features
        prompts = (np.float32(coords)[None], np.float32(kinds)[None], mask[None])
        inputs = (d0, d1, d2, embeddings, *prompts)
        logits, iou = self.decoder.run(
            None, dict(zip(DECODER_INPUTS, inputs, strict=True))
        )
        return logits[0], iou[0], self.native_alpha(logits)

    @staticmethod
    def inside(corners):
        mask = np.zeros((GRID, GRID), np.float32)
        (left, top), (right, bottom) = np.maximum(corners // 16, 0).astype(int)
        mask[top : min(GRID, bottom + 1), left : min(GRID, right + 1)] = 1
        return mask

    @staticmethod
    def around(coords):
        sigma = 21 / 64 * GRID
        rows, columns = np.mgrid[:GRID, :GRID]
        bumps = [
            np.exp(
                -((rows - int(y / 16)) ** 2 + (columns - int(x / 16)) ** 2)
                / 2
                / sigma**2
            )
            for x, y in coords
        ]
        return np.max(bumps, 0).astype(np.float32)

    def native_alpha(self, logits):
        def scaled(tensor, size):
            return torch.nn.functional.interpolate(
                tensor, size=size, mode="bilinear", align_corners=False
            )

        whole = scaled(torch.from_numpy(logits), (SIDE, SIDE))
        inner = whole[..., : self.inner[0], : self.inner[1]]
        return scaled(inner, self.native).sigmoid()[0].numpy()


@pytest.fixture(scope="module")
def client(pair):
    client = OfficialClient(pair)
    client.set_image(IMAGE)
    return client


def test_the_interface_is_the_official_one(pair):
    encoder, decoder = (
        open_session(pair / f"{x}.onnx") for x in ("encoder", "decoder")
    )
    half, quarter, eighth = SIDE // 2, SIDE // 4, SIDE // 8
    assert [(x.name, x.shape) for x in encoder.get_inputs()] == [
        ("image", [1, 3, SIDE, SIDE])
    ]
    assert [(x.name, x.shape) for x in encoder.get_outputs()] == [
        ("image_embeddings", [1, 32, GRID, GRID]),
        ("feat_D0", [1, 4, half, half]),
        ("feat_D1", [1, 8, quarter, quarter]),
        ("feat_D2", [1, 12, eighth, eighth]),
    ]
    assert [x.name for x in decoder.get_inputs()] == [
        *("feat_D0", "feat_D1", "feat_D2", "image_embeddings"),
        *("point_coords", "point_labels", "attn_mask"),
    ]
    assert all(x.type == "tensor(float)" for x in decoder.get_inputs())
    coords, labels, mask = (x.shape for x in decoder.get_inputs()[4:])
    assert coords == ["sets", "points", 2]
    assert labels == ["sets", "points"]
    assert mask == ["sets", GRID, GRID]
    assert [x.name for x in decoder.get_outputs()] == ["masks", "iou_predictions"]


@pytest.mark.parametrize(
    "prompts",
    [
        {"points": POINTS, "labels": LABELS},
        {"points": POINTS[:1], "labels": LABELS[:1]},
        {"box": BOX},
    ],
    ids=["points", "point", "box"],
)
def test_a_client_of_the_official_package_gets_our_predictors_mattes(
    client, model, prompts
):
    logits, iou, alpha = client.predict(**prompts)
    predictor = ZimPredictor(model, "cpu")
    predictor.set_image(IMAGE)
    ours, scores, low = predictor.predict(
        prompts.get("points"), prompts.get("labels"), prompts.get("box")
    )
    assert logits.shape == (4, SIDE // 2, SIDE // 2)
    means = logits.reshape(4, SIDE // 4, 2, SIDE // 4, 2).mean((2, 4))
    np.testing.assert_allclose(means, low, atol=1e-4)
    np.testing.assert_allclose(iou, scores, atol=1e-4)
    assert alpha.shape == ours.shape == (4, *IMAGE.shape[:2])
    np.testing.assert_allclose(alpha, ours, atol=1e-4)


def test_the_clients_matte_is_the_engines(client, model, tmp_path, monkeypatch, pair):
    monkeypatch.setenv("ZIM_STUDIO_MODELS", str(tmp_path / "models"))
    install_from_disk(pair, "ours")
    prompts = PromptSet((), Box(*BOX))
    options = Options(upsampling="official")
    matte = Engine().solve(Request(IMAGE, "a", Recipe(prompts, "ours", options)))
    alpha = client.predict(box=BOX)[2][matte.candidate]
    np.testing.assert_allclose(alpha, matte.alpha / 65535, atol=1e-4)


def test_points_with_a_box_run_as_the_official_package_sends_them(client):
    together = client.predict(points=POINTS, labels=LABELS, box=BOX)[0]
    assert np.isfinite(together).all()
    assert not np.allclose(together, client.predict(box=BOX)[0], atol=1e-4)


@pytest.mark.parametrize("sets", [1, 2, 5])
@pytest.mark.parametrize("points", [1, 2, 7])
def test_any_number_of_points_and_of_prompt_sets(model, pair, points, sets):
    rng = torch.Generator().manual_seed(points)
    coords = torch.rand(sets, points, 2, generator=rng) * SIDE
    labels = torch.randint(0, 2, (sets, points), generator=rng)
    with torch.inference_mode():
        features = model.encode(torch.randn(1, 3, SIDE, SIDE, generator=rng))
        expected, scores = model.decode(features, coords, labels)
    mask = parity.attention_mask(coords, labels, GRID, 21 / 64)
    values = (*features.details, features.embeddings, coords, labels.float(), mask)
    inputs = {n: t.numpy() for n, t in zip(DECODER_INPUTS, values, strict=True)}
    decoder = open_session(pair / "decoder.onnx")
    logits, iou = decoder.run(None, inputs)
    np.testing.assert_allclose(logits, expected.numpy(), atol=1e-4)
    np.testing.assert_allclose(iou, scores.numpy(), atol=1e-4)
    for name in DECODER_INPUTS[:4]:  # features repeated for every set do too
        inputs[name] = np.repeat(inputs[name], sets, 0)
    np.testing.assert_allclose(decoder.run(None, inputs)[0], logits, atol=1e-5)


def test_global_attention_over_a_large_grid_is_exported(tmp_path):
    """There the network uses another implementation than for few tokens."""
    model = random_model(replace(SMALL_VIT, image_size=384))
    export_pair(model, tmp_path)
    differences, _ = encoder_differences(model, open_session(tmp_path / "encoder.onnx"))
    assert max(each.largest for each in differences) < 1e-4


def test_the_pair_predicts_like_the_network_behind_the_same_backend(model, pair):
    view = View.whole(*IMAGE.shape[:2], SIDE)
    prompts = view.apply(PromptSet((), Box(*BOX)))
    theirs, ours = OnnxBackend(pair, "cpu"), TorchBackend(model, "cpu")
    a, _ = theirs.decode(theirs.encode(IMAGE, view), prompts)
    b, _ = ours.decode(ours.encode(IMAGE, view), prompts)
    np.testing.assert_allclose(a, b, atol=1e-4)


def test_the_width_of_the_attention_mask_is_kept(tmp_path):
    model = random_model(replace(SMALL_VIT, attention_sigma=0.11))
    export_pair(model, tmp_path / "pair")
    theirs, ours = OnnxBackend(tmp_path / "pair", "cpu"), TorchBackend(model, "cpu")
    view = View.whole(*IMAGE.shape[:2], SIDE)
    prompts = view.apply(PromptSet((Point(40, 30),)))
    a, _ = theirs.decode(theirs.encode(IMAGE, view), prompts)
    b, _ = ours.decode(ours.encode(IMAGE, view), prompts)
    np.testing.assert_allclose(a, b, atol=1e-4)
    convert_pair(tmp_path / "pair", tmp_path / "back.safetensors")
    assert load_model(tmp_path / "back.safetensors").config.attention_sigma == 0.11


def test_a_malformed_width_is_named(model, tmp_path):
    export_pair(model, tmp_path)
    path = tmp_path / "decoder.onnx"
    graph = onnx.load(str(path))
    graph.metadata_props[-1].value = "wide"
    onnx.save(graph, str(path))
    with pytest.raises(WeightsError, match=r"decoder\.onnx.*zim_attention_sigma.*wide"):
        check_pair(tmp_path)


def test_a_model_that_the_interface_does_not_suit_is_refused(tmp_path):
    with pytest.raises(WeightsError, match="is a SAM"):
        export_pair(random_model(sam_variant(SMALL_VIT)), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["zim-vit-b", "zim-vit-l", "zim-vit-h"])
def test_all_sizes_of_zim_suit_the_interface(name):
    with torch.device("meta"):
        check_exportable(Zim(CONFIGS[name]))


def listed(folder):
    return sorted(os.listdir(folder)) if folder.exists() else None


def test_graphs_with_other_numbers_are_not_written(model, tmp_path, monkeypatch):
    (tmp_path / "encoder.onnx").write_bytes(b"earlier")
    bad = [ParityDifference("masks", "a box", 0.5, 1.0)]
    monkeypatch.setattr(
        "zim_model.onnx.export.decoder_differences", lambda *a, **k: bad
    )
    with pytest.raises(WeightsError, match=r"masks differs by 0\.5 for a box"):
        export_pair(model, tmp_path, overwrite=True)
    assert (tmp_path / "encoder.onnx").read_bytes() == b"earlier"
    assert listed(tmp_path) == ["encoder.onnx"]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_nan_is_not_counted_as_agreement(value):
    differences = [ParityDifference("masks", "", value, 1.0)]
    with pytest.raises(WeightsError, match="other numbers"):
        parity.check_parity(differences, msg("x was exported"))


def test_a_full_disk_leaves_nothing_behind(model, tmp_path, monkeypatch):
    def fill(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(torch.onnx, "export", fill)
    with pytest.raises(WeightsError, match="the disk is full"):
        export_pair(model, tmp_path / "out")
    assert listed(tmp_path) == []


def test_too_little_space_is_reported_before_the_export(model, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "zim_model.weights.installed.shutil.disk_usage",
        lambda path: types.SimpleNamespace(free=0),
    )
    with pytest.raises(WeightsError, match=r"is too full.*choose a folder"):
        export_pair(model, tmp_path / "out")
    assert listed(tmp_path) == []


def test_a_package_that_cannot_be_loaded_is_not_called_missing(monkeypatch):
    def broken(name, *args, **kwargs):
        raise ImportError("DLL load failed")

    monkeypatch.setattr("builtins.__import__", broken)
    with pytest.raises(WeightsError, match="cannot be loaded: DLL load failed"):
        require_onnx()


@pytest.mark.parametrize("package", ["onnx", "onnxruntime"])
def test_a_missing_package_is_named(model, tmp_path, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(WeightsError, match=rf"package {package}.*zim-studio\[onnx\]"):
        export_pair(model, tmp_path / "out")
    assert listed(tmp_path) == []


def scattered(graph, path, **options):
    """Save a graph with its weights in files beside it."""
    onnx.save_model(
        graph, path, save_as_external_data=True, size_threshold=0, **options
    )


@pytest.mark.parametrize("options", [{"location": "w.bin"}, {"location": "sub/w.bin"}])
def test_weights_in_files_that_would_be_left_behind_are_refused(
    pair, tmp_path, monkeypatch, options
):
    monkeypatch.setenv("ZIM_STUDIO_MODELS", str(tmp_path / "models"))
    folder = tmp_path / "out"
    (folder / "sub").mkdir(parents=True)
    for name in ("encoder.onnx", "decoder.onnx"):
        graph = onnx.load(str(pair / name))
        scattered(graph, str(folder / name), **options)
    with pytest.raises(WeightsError, match=r"other files than encoder\.onnx\.data"):
        install_from_disk(folder, "odd")
    assert listed(tmp_path / "models") == []


def test_weights_are_never_read_from_outside_the_folder(pair, tmp_path):
    from zim_model.onnx.convert import convert_pair

    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "decoder.onnx").write_bytes((pair / "decoder.onnx").read_bytes())
    scattered(onnx.load(str(pair / "encoder.onnx")), str(folder / "encoder.onnx"))
    (data,) = (p for p in folder.iterdir() if p.suffix != ".onnx")
    data.rename(tmp_path / "secret")
    graph = onnx.load(str(folder / "encoder.onnx"), load_external_data=False)
    for tensor in graph.graph.initializer:
        for entry in tensor.external_data:
            entry.value = "../secret" if entry.key == "location" else entry.value
    (folder / "encoder.onnx").write_bytes(graph.SerializeToString())
    for use in (check_pair, lambda folder: convert_pair(folder, tmp_path / "x")):
        with pytest.raises(WeightsError, match=r"encoder\.onnx is missing, damaged"):
            use(folder)


def test_weights_beside_the_graph_become_one_file_that_is_installed_too(
    model, tmp_path, monkeypatch
):
    """The exporter does so above 2 GB, with a file for each tensor."""
    export = torch.onnx.export

    def scatter(module, inputs, path, **kwargs):
        export(module, inputs, path, **kwargs)
        graph = onnx.load(path)
        onnx.save_model(
            graph,
            path,
            save_as_external_data=True,
            all_tensors_to_one_file=False,
            size_threshold=1000,
        )

    monkeypatch.setattr(torch.onnx, "export", scatter)
    monkeypatch.setenv("ZIM_STUDIO_MODELS", str(tmp_path / "models"))
    names = ["decoder.onnx", "decoder.onnx.data", "encoder.onnx", "encoder.onnx.data"]
    export_pair(model, tmp_path / "out")
    assert listed(tmp_path / "out") == names
    assert listed(install_from_disk(tmp_path / "out", "huge").path) == names
    assert OnnxBackend(tmp_path / "models" / "huge", "cpu").config.image_size == SIDE
