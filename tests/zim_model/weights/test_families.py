"""Checkpoints of SAM's relatives, in the layouts that their authors publish."""

import functools
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from tests.zim_model.conftest import random_model
from tests.zim_model.network.test_sam2_parity import transformers_config
from zim_app.cli import main as cli
from zim_model import load_model
from zim_model.errors import WeightsError
from zim_model.network.config import (
    CONFIGS,
    MOBILE_SAM,
    RELATIVES,
    ZIM_VIT_B,
    hq_variant,
    sam_variant,
)
from zim_model.network.encoder_configs import HieraConfig, TinyVitConfig, VitConfig
from zim_model.weights.catalogue import find_known
from zim_model.weights.checkpoint import build, check_weights
from zim_model.weights.families import find_family
from zim_model.weights.sam_checkpoint import detect_sam_config, zim_from_sam

SMALL_TINY_VIT = TinyVitConfig((8, 16, 24, 32), (1, 1, 2, 1), (2, 2, 4), (3, 5, 3))
SMALL_HIERA = HieraConfig(16, 1, (1, 2, 3, 2), (4, 5))
SMALL_SAM2 = replace(RELATIVES["sam2.1-hiera-tiny"], encoder=SMALL_HIERA)
SMALL_VIT = VitConfig(24, 3, 2, (1, 2), window=3)
SMALL_SAM = replace(sam_variant(ZIM_VIT_B), encoder=SMALL_VIT, image_size=128)
SMALL_MOBILE_SAM = replace(MOBILE_SAM, encoder=SMALL_TINY_VIT)
SMALL = {
    "HQ-SAM": hq_variant(SMALL_SAM),
    "HQ-SAM of MobileSAM": hq_variant(SMALL_MOBILE_SAM),
    "MobileSAM": SMALL_MOBILE_SAM,
    "SAM 2": SMALL_SAM2,
    "SAM 2 (transformers)": SMALL_SAM2,
}
"""Each family's model with a small encoder, which its files are recognised as."""
META_NAMES = (
    (r"^(prompt_encoder|mask_decoder)\.", r"sam_\1."),
    (r"\.mlp\.lin1\.", ".mlp.layers.0."),
    (r"\.mlp\.lin2\.", ".mlp.layers.1."),
)
META_VIDEO = (
    "maskmem_tpos_enc",
    "no_mem_pos_enc",
    "no_obj_ptr",
    "no_obj_embed_spatial",
    "mask_downsample.weight",
    "memory_attention.layers.0.self_attn.q_proj.weight",
    "memory_attention.norm.bias",
    "memory_encoder.fuser.layers.1.gamma",
    "obj_ptr_proj.layers.2.bias",
    "obj_ptr_tpos_proj.weight",
    "sam_mask_decoder.pred_obj_score_head.layers.0.weight",
)
TRANSFORMERS_VIDEO = (
    "memory_attention.layers.0.self_attn.q_proj.weight",
    "memory_encoder.memory_fuser.layers.0.scale",
    "memory_temporal_positional_encoding",
    "no_memory_positional_encoding",
    "no_object_pointer",
    "occlusion_spatial_embedding_parameter",
    "mask_downsample.bias",
    "object_pointer_proj.proj_in.weight",
    "temporal_positional_encoding_projection_layer.weight",
)
"""Some tensors of the parts for videos, under their published names."""


def published(family, model):
    """The tensors of a model as its authors publish it, with all that images lack."""
    state = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    match family:
        case "HQ-SAM":
            return state
        case "MobileSAM" | "HQ-SAM of MobileSAM":
            width = model.config.encoder.dims[-1]
            state["image_encoder.norm_head.weight"] = torch.ones(width)
            state["image_encoder.norm_head.bias"] = torch.zeros(width)
            state["image_encoder.head.weight"] = torch.zeros(1000, width)
            state["image_encoder.head.bias"] = torch.zeros(1000)
            return state
        case "SAM 2":
            state = renamed(state, META_NAMES)
            return state | {name: torch.zeros(3) for name in META_VIDEO}
    return transformers_state(model) | {
        name: torch.zeros(3) for name in TRANSFORMERS_VIDEO
    }


def renamed(state, names):
    out = {}
    for name, tensor in state.items():
        for pattern, replacement in names:
            name = re.sub(pattern, replacement, name)
        out[name] = tensor
    return out


def transformers_state(model):
    """The tensors under the names of the transformers package, taken from it."""
    transformers = pytest.importorskip("transformers")
    theirs = transformers.Sam2Model(transformers_config(model.config)).state_dict()
    family = find_family(theirs)
    own, filled = model.state_dict(), {}
    for name, tensor in theirs.items():
        pieces = family.own_tensors({name: tensor})
        values = [own[piece].reshape(x.shape) for piece, x in pieces.items()]
        # What is left out keeps the package's numbers.
        filled[name] = torch.cat(values) if values else tensor
    return {name: tensor.clone().contiguous() for name, tensor in filled.items()}


@pytest.fixture(params=sorted(SMALL))
def family(request, monkeypatch):
    monkeypatch.setitem(RELATIVES, "sam2-small", SMALL_SAM2)
    monkeypatch.setitem(CONFIGS, "sam-small", SMALL_SAM)
    return request.param


@functools.cache
def small_model(name):
    return random_model(SMALL[name], seed=4)


@pytest.fixture
def model(family):
    return small_model(family)


def write(state, path, wrapper=None):
    if path.suffix == ".safetensors":
        save_file(state, path)
    else:
        torch.save({wrapper: state} if wrapper else state, path)
    return path


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".safetensors"])
@pytest.mark.parametrize("wrapper", [None, "model"])
def test_a_published_file_loads_whole(family, model, tmp_path, suffix, wrapper):
    path = write(published(family, model), tmp_path / f"weights{suffix}", wrapper)
    loaded = load_model(path)
    assert loaded.config == check_weights(path) == SMALL[family]
    assert not loaded.training
    for name, tensor in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor)


@pytest.mark.parametrize("change", ["missing", "unknown", "shape"])
def test_a_file_that_is_not_whole_is_refused(family, model, tmp_path, change, capsys):
    state = published(family, model)
    victim = next(name for name in state if "mask_decoder.iou_token" in name)
    stranger = next(iter(state)).partition(".")[0] + ".gadget.weight"
    match change:
        case "missing":
            del state[victim]
            words = r"1 tensors missing \(mask_decoder\.iou_token"
        case "unknown":
            state[stranger] = torch.zeros(3)
            words = r"1 unknown \(\w+\.gadget\.weight\)"
        case _:
            state[victim] = torch.zeros(2, 256)
            words = r"another architecture: mask_decoder\.iou_token"
    path = write(state, tmp_path / "weights.pt")
    for use in (load_model, check_weights):
        with pytest.raises(WeightsError, match=words) as caught:
            use(path)
        assert "weights.pt" in caught.value.message
    photo = tmp_path / "photo.png"
    Image.fromarray(np.zeros((40, 60, 3), np.uint8)).save(photo)
    command = ["matte", str(photo), "--box", "8,8,30,30", "--model", str(path)]
    assert cli.run([*command, "-o", str(tmp_path / "out.png")]) == 1
    assert "weights.pt" in capsys.readouterr().err
    assert not (tmp_path / "out.png").exists()


def test_no_zim_grows_from_it(family, model, tmp_path):
    path = write(published(family, model), tmp_path / "weights.pt")
    with pytest.raises(WeightsError, match="no plain SAM with a ViT") as caught:
        zim_from_sam(path)
    assert "sam_vit" in caught.value.hint


def test_a_few_tensors_of_mobile_sam_are_no_model(tmp_path):
    state = {"image_encoder.patch_embed.seq.0.c.weight": torch.zeros(2, 3, 3, 3)}
    with pytest.raises(WeightsError, match="MobileSAM") as caught:
        load_model(write(state, tmp_path / "weights.pt"))
    assert "mobile_sam.pt" in caught.value.hint


@pytest.mark.parametrize("count", [(4, 0), (3, 25), (4, 26), (0, 25)])
def test_windows_or_heads_that_cannot_be_are_refused(tmp_path, count):
    state = published("MobileSAM", small_model("MobileSAM"))
    name = "image_encoder.layers.2.blocks.0.attn.attention_biases"
    state[name] = torch.zeros(count)
    with pytest.raises(WeightsError, match=r"weights\.pt"):
        load_model(write(state, tmp_path / "weights.pt"))


def test_absurd_numbers_of_blocks_are_refused_before_anything_is_built(tmp_path):
    model = random_model(SMALL["MobileSAM"])
    state = published("MobileSAM", model)
    state["image_encoder.layers.2.blocks.90000.attn.norm.weight"] = torch.zeros(24)
    with pytest.raises(WeightsError, match="MobileSAM"):
        load_model(write(state, tmp_path / "weights.pt"))


def test_a_sam2_of_unknown_depth_is_refused(tmp_path):
    state = published("SAM 2", small_model("SAM 2"))  # no published one is so small
    with pytest.raises(WeightsError, match="SAM 2 checkpoint") as caught:
        load_model(write(state, tmp_path / "weights.pt"))
    assert "sam2.1_hiera" in caught.value.hint


@pytest.mark.parametrize("name", sorted(RELATIVES))
def test_the_published_sizes_are_recognised_by_their_shapes(name):
    """Without memory for them."""
    with torch.device("meta"):
        state = build(RELATIVES[name]).state_dict()
    assert detect_sam_config(state, name) == RELATIVES[name]


HQ_MEGABYTES = {
    "sam-vit-b": 379,
    "sam-vit-l": 1250,
    "sam-vit-h": 2570,
    "mobile-sam": 42.5,
}
"""Sizes of HQ-SAM's published files, as those who download them record."""


@pytest.mark.parametrize("name", HQ_MEGABYTES)
def test_hq_sams_files_have_what_sams_lack(name):
    sam = {**CONFIGS, **RELATIVES}[name]
    with torch.device("meta"):
        larger, plain = (
            sum(x.numel() for x in build(config).parameters())
            for config in (hq_variant(sam), sam)
        )
    expected = (find_known(name).size + 4 * (larger - plain)) / 1e6
    assert expected == pytest.approx(HQ_MEGABYTES[name], rel=0.005)


PUBLISHED_MILLIONS = {"tiny": 38.9, "small": 46.0, "base-plus": 80.8, "large": 224.4}
"""Parameters as SAM 2's authors count them, with the parts for videos."""


def test_all_sizes_of_sam2_lack_the_same_parts():
    """The memory is alike in all, so the encoders are of the published sizes."""
    lacking = set()
    for size, millions in PUBLISHED_MILLIONS.items():
        with torch.device("meta"):
            model = build(RELATIVES[f"sam2.1-hiera-{size}"])
        own = sum(parameter.numel() for parameter in model.parameters())
        lacking.add(round(millions - own / 1e6, 1))
    assert lacking == {7.6}
