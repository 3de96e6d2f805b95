"""Graphs exported in many ways are converted back to their network."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from tests.zim_model.conftest import SMALL_VIT as FOUR_HEADS
from tests.zim_model.conftest import random_model
from zim_model import load_model
from zim_model.errors import WeightsError
from zim_model.network.config import CONFIGS, VitConfig
from zim_model.network.encoder import ConvBnRelu
from zim_model.network.zim import Zim
from zim_model.onnx.export import OfficialDecoder, OfficialEncoder, export_pair

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from zim_model.onnx.convert import convert_pair  # noqa: E402

DECODER_INPUTS = (
    *("feat_D0", "feat_D1", "feat_D2", "image_embeddings"),
    *("point_coords", "point_labels", "attn_mask"),
)
# Eight heads are tried first; a graph of one layer is exported in half the time.
SMALL_VIT = replace(FOUR_HEADS, transformer_heads=8, transformer_depth=1)
UNKNOWN = (
    "num_batches_tracked",
    "mask_downscaling",  # the graphs have no mask prompt
)


class Renamed(nn.Module):
    """Puts what it holds under another prefix."""

    def __init__(self, inner, *prefixes):
        super().__init__()
        self.inner = inner
        self.names = prefixes
        for prefix in prefixes:
            holder = nn.Module()
            holder.add_module(prefix, self.inner)
            self.inner = holder

    def forward(self, *args):
        module = self.inner
        for prefix in reversed(self.names):
            module = getattr(module, prefix)
        return module(*args)


def export(model, folder, *, encoder=None, decoder=None, **options):
    """Export as users do, with the exporter's own options."""
    config, grid = model.config, model.config.grid
    side, (a, b, c) = config.image_size, config.detail_channels
    folder.mkdir(exist_ok=True)
    settings = {"opset_version": 17, "dynamo": False, **options}
    image = torch.zeros(1, 3, side, side)
    prompts = (
        torch.zeros(1, a, side // 2, side // 2),
        torch.zeros(1, b, side // 4, side // 4),
        torch.zeros(1, c, side // 8, side // 8),
        torch.zeros(1, config.embed_dim, grid, grid),
        torch.zeros(1, 3, 2),
        torch.tensor([[1.0, 0.0, -1.0]]),
        torch.ones(1, grid, grid),
    )
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            (encoder or OfficialEncoder(model)).eval(),
            (image,),
            str(folder / "encoder.onnx"),
            input_names=["image"],
            output_names=["image_embeddings", "feat_D0", "feat_D1", "feat_D2"],
            **settings,
        )
        torch.onnx.export(
            (decoder or OfficialDecoder(model)).eval(),
            prompts,
            str(folder / "decoder.onnx"),
            input_names=list(DECODER_INPUTS),
            output_names=["masks", "iou_predictions"],
            dynamic_axes={"point_coords": {1: "n"}, "point_labels": {1: "n"}},
            **settings,
        )
    return folder


@pytest.fixture(scope="module")
def model():
    return moved(random_model(SMALL_VIT))


def moved(model):
    """Batch norms with statistics, as after a training."""
    torch.manual_seed(1)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    return model


@pytest.fixture(scope="module")
def pair(model, tmp_path_factory):
    return export(model, tmp_path_factory.mktemp("pair") / "small-vit")


def converted(folder, target):
    """The converted model, and the result of the conversion."""
    result = convert_pair(folder, target)
    assert max(each.largest for each in result.differences) < 1e-4
    back = load_model(target)
    assert back.config == result.config
    return back, result


def assert_same_weights(back, model, but=()):
    """Everything but fused batch norms is bit for bit what went in."""
    own, theirs = back.state_dict(), model.state_dict()
    assert own.keys() == theirs.keys()
    for name in own:
        if any(part in name for part in (*UNKNOWN, *but)):
            continue
        torch.testing.assert_close(own[name], theirs[name], atol=2e-6, rtol=1e-5)


FUSED = ("detail_stream", "fusions")


def test_our_own_export_comes_back(model, tmp_path):
    export_pair(model, tmp_path / "pair")
    back, result = converted(tmp_path / "pair", tmp_path / "back.safetensors")
    assert_same_weights(back, model, FUSED)
    assert back.config == replace(SMALL_VIT, name="pair")
    # Biases keep the names of what they belong to; fused convolutions lose theirs.
    assert (result.matched_by_name, result.matched_by_order) == (58, 8)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"opset_version": 14, "do_constant_folding": False},
        {"opset_version": 18},
        {"training": torch.onnx.TrainingMode.PRESERVE},
    ],
    ids=["plain", "opset14-unfolded", "opset18", "preserved"],
)
def test_exports_of_every_kind_come_back(model, tmp_path, options):
    folder = export(model, tmp_path / "pair", **options)
    back, _ = converted(folder, tmp_path / "back.safetensors")
    assert_same_weights(back, model, FUSED)


def test_batch_norms_that_were_not_fused_are_carried_as_they_are(model, tmp_path):
    folder = export(
        model,
        tmp_path / "pair",
        training=torch.onnx.TrainingMode.PRESERVE,
        do_constant_folding=False,
    )
    graph = onnx.load(str(folder / "encoder.onnx"))
    norms = [n for n in graph.graph.node if n.op_type == "BatchNormalization"]
    back, _ = converted(folder, tmp_path / "back.safetensors")
    assert_same_weights(back, model, () if norms else FUSED)


def test_a_network_before_its_training_comes_back(tmp_path):
    """Its tables of positions are all 0 and differ in shape only."""
    torch.manual_seed(0)
    model = Zim(SMALL_VIT).eval()
    back, _ = converted(export(model, tmp_path / "pair"), tmp_path / "b.safetensors")
    assert_same_weights(back, model, FUSED)


def test_names_under_another_prefix_still_count(model, tmp_path):
    folder = export(
        model,
        tmp_path / "pair",
        encoder=Renamed(OfficialEncoder(model), "zim", "net"),
        decoder=Renamed(OfficialDecoder(model), "wrapped"),
    )
    back, result = converted(folder, tmp_path / "back.safetensors")
    assert_same_weights(back, model, FUSED)
    assert result.matched_by_name == 58


def without_names(path, *, ours=()):
    """Give every tensor a number for a name, as optimisers of graphs do."""
    model = onnx.load(str(path))
    graph = model.graph
    public = {x.name for x in (*graph.input, *graph.output)}
    numbers = {"": ""}

    def number(name):
        return name if name in public else numbers.setdefault(name, str(len(numbers)))

    for node in graph.node:
        node.name = ""
        for values in (node.input, node.output):
            values[:] = [number(name) for name in values]
    for tensor in graph.initializer:
        tensor.name = number(tensor.name)
    del graph.value_info[:]
    onnx.save(model, str(path))


def test_without_any_names_the_order_does(model, pair, tmp_path):
    folder = copy_of(pair, tmp_path)
    for name in ("encoder.onnx", "decoder.onnx"):
        without_names(folder / name)
    back, result = converted(folder, tmp_path / "back.safetensors")
    assert_same_weights(back, model, FUSED)
    assert result.matched_by_name == 0


def copy_of(pair, tmp_path):
    folder = tmp_path / "copy"
    folder.mkdir()
    for path in pair.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


@pytest.mark.parametrize(
    "changes",
    [
        {
            "fusion_channels": (20, 6, 10),
            "detail_channels": (6, 10, 14),
            "embed_dim": 16,
        },
        {"head_dim": 24, "masked_attention": "both"},
        {"transformer_heads": 2, "masked_attention": "none"},
        {"mask_zero": "damp"},
        {"mask_final": False, "transformer_heads": 4},
        {
            "image_size": 192,
            "encoder": VitConfig(
                dim=48, depth=3, heads=3, global_blocks=(0, 2), window=4, mlp_ratio=2.0
            ),
            "transformer_depth": 3,
            "transformer_mlp": 40,
        },
    ],
    ids=str,
)
def test_the_architecture_follows_from_the_shapes(tmp_path, changes):
    config = replace(SMALL_VIT, **changes)
    model = moved(random_model(config))
    folder = export(model, tmp_path / "small-vit")
    back, _ = converted(folder, tmp_path / "back.safetensors")
    assert back.config == config
    assert_same_weights(back, model, FUSED)


def test_a_known_architecture_is_recognised(model, pair, tmp_path, monkeypatch):
    known = replace(SMALL_VIT, name="zim-small")
    monkeypatch.setitem(CONFIGS, "zim-small", known)
    back, result = converted(pair, tmp_path / "back.safetensors")
    assert back.config == known
    assert result.config.name == "zim-small"


def test_a_mask_prompt_is_as_none_at_all(model, pair, tmp_path):
    """The graphs do not contain how it would be encoded."""
    back, _ = converted(pair, tmp_path / "back.safetensors")
    features = back.encode(torch.zeros(1, 3, 128, 128))
    point = (torch.full((1, 1, 2), 64.0), torch.ones(1, 1).long())
    mask = torch.randn(1, 1, 32, 32)
    torch.testing.assert_close(
        back.decode(features, *point, mask_input=mask)[0],
        back.decode(features, *point)[0],
    )


class SwappedFusions(nn.Module):
    """The same pixel decoder with the details after what comes from below."""

    def __init__(self, inner, config):
        super().__init__()
        self.details = config.detail_channels[::-1]
        self.fusions = nn.ModuleList()
        for width, old in zip(self.details, inner.fusions, strict=True):
            inputs, outputs = old[0].in_channels, old[0].out_channels
            new = ConvBnRelu(inputs, outputs)
            new.load_state_dict(old.state_dict())
            weight = old[0].weight
            new[0].weight.data = torch.cat([weight[:, width:], weight[:, :width]], 1)
            self.fusions.append(new)

    def forward(self, image, details):
        for i, fusion in enumerate(self.fusions):
            up = nn.functional.interpolate(image, scale_factor=2, mode="bilinear")
            image = fusion(torch.cat([up, details[2 - i]], 1))
        return image


def test_fusion_blocks_may_join_in_either_order(tmp_path):
    model = moved(random_model(SMALL_VIT))
    other = moved(random_model(SMALL_VIT))
    swapped = SwappedFusions(other.mask_decoder.pixel_decoder, SMALL_VIT)
    other.mask_decoder.pixel_decoder = swapped.eval()
    folder = export(other, tmp_path / "pair")
    back, _ = converted(folder, tmp_path / "back.safetensors")
    assert_same_weights(back, model, FUSED)


# --- graphs that do not fit -----------------------------------------------------------


def refused(folder, tmp_path, match):
    target = tmp_path / "back.safetensors"
    with pytest.raises(WeightsError, match=match):
        convert_pair(folder, target)
    assert not target.exists()


class DeeperFusions(nn.Module):
    """A pixel decoder with one convolution more."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner
        self.refine = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, *args):
        return self.refine(self.inner(*args))


def test_a_layer_that_has_no_place_is_named(tmp_path):
    model = random_model(SMALL_VIT)
    decoder = model.mask_decoder
    decoder.pixel_decoder = DeeperFusions(decoder.pixel_decoder).eval()
    folder = export(model, tmp_path / "pair")
    refused(
        folder,
        tmp_path,
        r"decoder\.onnx is of another architecture\. Without a place here: "
        r"model\.mask_decoder\.pixel_decoder\.refine\.weight conv \(4, 4, 3, 3\)\. "
        r"Without a counterpart there: nothing",
    )


def test_a_layer_that_is_missing_is_named(tmp_path):
    model = random_model(SMALL_VIT)
    block = model.image_encoder.blocks[0]
    block.norm2 = nn.Identity()
    folder = export(model, tmp_path / "pair")
    refused(
        folder,
        tmp_path,
        r"encoder\.onnx.*there: image_encoder\.blocks\.0\.norm2 \(32,\)",
    )


class Doubled(nn.Module):
    def forward(self, x):
        return nn.functional.gelu(x)


def test_the_same_layers_with_another_activation_are_found_out(tmp_path):
    model = random_model(SMALL_VIT)
    for fusion in model.mask_decoder.pixel_decoder.fusions:
        fusion[2] = Doubled()
    folder = export(model, tmp_path / "pair")
    refused(folder, tmp_path, r"other numbers: masks differs by .* Nothing was written")


def test_prompts_that_are_encoded_otherwise_are_refused(tmp_path):
    model = random_model(SMALL_VIT)
    inner = model.prompt_encoder.tokens
    model.prompt_encoder.tokens = lambda *args: torch.cat([inner(*args)] * 2, 1)
    folder = export(model, tmp_path / "pair")
    refused(folder, tmp_path, "encodes prompts in another way")


def test_a_truncated_graph_is_refused(pair, tmp_path):
    folder = copy_of(pair, tmp_path)
    whole = (folder / "decoder.onnx").read_bytes()
    for size in (0, 100, len(whole) // 2, len(whole) - 10):
        (folder / "decoder.onnx").write_bytes(whole[:size])
        refused(folder, tmp_path, r"decoder\.onnx is missing, damaged")


def test_a_half_pair_and_other_names_are_refused(pair, tmp_path):
    folder = copy_of(pair, tmp_path)
    (folder / "decoder.onnx").unlink()
    refused(folder, tmp_path, r"has no decoder\.onnx")
    graph = onnx.load(str(pair / "decoder.onnx"))
    graph.graph.input[0].name = "detail"
    for node in graph.graph.node:
        node.input[:] = ["detail" if x == "feat_D0" else x for x in node.input]
    onnx.save(graph, str(folder / "decoder.onnx"))
    refused(folder, tmp_path, "graphs of another model than ZIM")


def test_a_missing_folder_is_reported_before_the_conversion(
    pair, tmp_path, monkeypatch
):
    monkeypatch.setattr("zim_model.onnx.convert.read_graph", None)
    with pytest.raises(WeightsError, match=r"folder .*none does not exist\. Create"):
        convert_pair(pair, tmp_path / "none" / "back.safetensors")


def test_an_earlier_file_survives_a_failure(pair, tmp_path, monkeypatch):
    target = tmp_path / "back.safetensors"
    target.write_bytes(b"earlier")

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("zim_model.weights.checkpoint.atomic_write", full)
    with pytest.raises(WeightsError, match="the disk is full"):
        convert_pair(pair, target, overwrite=True)
    assert target.read_bytes() == b"earlier"
    assert np.array_equal(sorted(p.name for p in tmp_path.iterdir()), [target.name])
