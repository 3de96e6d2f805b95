"""Checkpoints of SAM's relatives, in the layouts that their authors publish."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from tests.zim_model.conftest import random_model
from zim_app.cli import main as cli
from zim_model import load_model
from zim_model.errors import WeightsError
from zim_model.network.config import MOBILE_SAM
from zim_model.network.encoder_configs import TinyVitConfig
from zim_model.weights.checkpoint import check_weights
from zim_model.weights.sam_checkpoint import zim_from_sam

SMALL_TINY_VIT = TinyVitConfig((8, 16, 24, 32), (1, 1, 2, 1), (2, 2, 4), (3, 5, 3))
SMALL = {"MobileSAM": replace(MOBILE_SAM, encoder=SMALL_TINY_VIT)}
"""Each family's model with a small encoder, which its files are recognised as."""


def published(family, model):
    """The tensors of a model as its authors publish it, with all that images lack."""
    state = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    width = model.config.encoder.dims[-1]
    return {
        **state,
        "image_encoder.norm_head.weight": torch.ones(width),
        "image_encoder.norm_head.bias": torch.zeros(width),
        "image_encoder.head.weight": torch.zeros(1000, width),
        "image_encoder.head.bias": torch.zeros(1000),
    }


@pytest.fixture(params=sorted(SMALL), scope="module")
def family(request):
    return request.param


@pytest.fixture(scope="module")
def model(family):
    return random_model(SMALL[family], seed=4)


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
    match change:
        case "missing":
            del state[victim]
            words = r"1 tensors missing \(mask_decoder\.iou_token"
        case "unknown":
            state["image_encoder.gadget.weight"] = torch.zeros(3)
            words = r"1 unknown \(image_encoder\.gadget\.weight\)"
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
    with pytest.raises(WeightsError, match="no SAM with a ViT") as caught:
        zim_from_sam(path)
    assert "sam_vit" in caught.value.hint


def test_a_few_tensors_of_mobile_sam_are_no_model(tmp_path):
    state = {"image_encoder.patch_embed.seq.0.c.weight": torch.zeros(2, 3, 3, 3)}
    with pytest.raises(WeightsError, match="MobileSAM") as caught:
        load_model(write(state, tmp_path / "weights.pt"))
    assert "mobile_sam.pt" in caught.value.hint


def test_absurd_numbers_of_blocks_are_refused_before_anything_is_built(tmp_path):
    model = random_model(SMALL["MobileSAM"])
    state = published("MobileSAM", model)
    state["image_encoder.layers.2.blocks.90000.attn.norm.weight"] = torch.zeros(24)
    with pytest.raises(WeightsError, match="MobileSAM"):
        load_model(write(state, tmp_path / "weights.pt"))
