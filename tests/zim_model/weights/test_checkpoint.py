import json
import os
import pickle
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from tests.zim_model.conftest import SMALL_CNN, SMALL_VIT, random_model
from zim_model import load_model
from zim_model.errors import WeightsError
from zim_model.network.config import CONFIGS, ZimConfig, sam_variant
from zim_model.weights.checkpoint import (
    CONFIG_KEY,
    check_weights,
    fingerprint,
    load_sam,
    read_sam,
    save_model,
    zim_from_sam,
)


def test_saved_models_come_back(small_cnn, tmp_path):
    path = tmp_path / "m.safetensors"
    save_model(small_cnn, path, half=False)
    loaded = load_model(path)
    assert loaded.config == SMALL_CNN
    assert fingerprint(loaded) == fingerprint(small_cnn)
    assert not loaded.training
    assert os.listdir(tmp_path) == ["m.safetensors"]


def test_half_precision_halves_the_file_and_keeps_the_values(small_cnn, tmp_path):
    half, full = tmp_path / "half.safetensors", tmp_path / "full.safetensors"
    save_model(small_cnn, half)
    save_model(small_cnn, full, half=False)
    assert half.stat().st_size < 0.75 * full.stat().st_size
    for name, value in load_model(half).state_dict().items():
        torch.testing.assert_close(
            value, small_cnn.state_dict()[name], rtol=1e-3, atol=1e-3
        )


def test_unknown_models_are_refused_with_the_known_ones():
    with pytest.raises(WeightsError, match="zim-tiny"):
        load_model("zim-enormous")


def test_missing_file(tmp_path):
    with pytest.raises(WeightsError, match="does not exist"):
        load_model(tmp_path / "none.safetensors")


def test_truncated_file(small_cnn, tmp_path):
    path = tmp_path / "m.safetensors"
    save_model(small_cnn, path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(WeightsError, match="damaged"):
        load_model(path)


def test_tensors_without_a_configuration(tmp_path):
    path = tmp_path / "m.safetensors"
    save_file({"x": torch.zeros(2)}, path)
    with pytest.raises(WeightsError, match="architecture"):
        load_model(path)


class Evil:
    def __reduce__(self):
        return os.system, ("touch /tmp/zim-studio-was-here",)


@pytest.mark.parametrize(
    "changes",
    [
        {"image_size": -16},
        {"image_size": 0},
        {"image_size": "large"},
        {"head_dim": 1e9},
        {"mask_final": "no"},
        {"attention_sigma": "a third"},
        {"masked_attention": "sometimes"},
        {"detail_channels": [4, 8]},
        {"region_channels": 3},
        {"transformer_heads": 0},
        {"transformer_heads": 7},
        {"encoder": None},
        {"encoder": {**SMALL_VIT.to_json()["encoder"], "heads": 3}},
        None,
    ],
)
def test_a_configuration_of_no_use_is_refused_with_the_file_named(
    small_vit, tmp_path, changes
):
    path = tmp_path / "m.safetensors"
    config = changes and {**SMALL_VIT.to_json(), **changes}
    metadata = {CONFIG_KEY: json.dumps(config)}
    weights = {k: v.contiguous() for k, v in small_vit.state_dict().items()}
    save_file(weights, path, metadata)
    for use in (load_model, check_weights):
        with pytest.raises(WeightsError, match=r"m\.safetensors.*[Mm]alformed"):
            use(path)


def test_all_our_configurations_survive_json():
    for config in (*CONFIGS.values(), SMALL_CNN):
        assert ZimConfig.from_json(json.loads(json.dumps(config.to_json()))) == config


def test_code_in_a_pth_file_is_not_run(tmp_path):
    path = tmp_path / "sam.pth"
    torch.save({"image_encoder.pos_embed": Evil()}, path)
    with pytest.raises(WeightsError, match="unsafe"):
        read_sam(path)
    path.write_bytes(pickle.dumps(Evil()))
    with pytest.raises(WeightsError, match="unsafe"):
        load_model(path)
    assert not os.path.exists("/tmp/zim-studio-was-here")


def test_sam_of_another_size_is_refused_with_the_tensor_named(tmp_path):
    path = tmp_path / "sam.pth"
    torch.save(random_model(sam_variant(SMALL_VIT)).state_dict(), path)
    with pytest.raises(WeightsError, match=r"pos_embed.*expected"):
        load_sam(path, CONFIGS["sam-vit-b"])


def test_a_file_that_is_no_sam(tmp_path):
    path = tmp_path / "sam.pth"
    torch.save({"conv.weight": torch.zeros(3)}, path)
    with pytest.raises(WeightsError, match="not a SAM"):
        load_model(path)


def test_a_zim_starts_from_what_sam_knows(tmp_path):
    path = tmp_path / "sam.pth"
    sam = random_model(sam_variant(SMALL_VIT), seed=1)
    torch.save(sam.state_dict(), path)
    model, report = zim_from_sam(path, SMALL_VIT)
    own, theirs = model.state_dict(), sam.state_dict()
    assert model.training
    for name in report.loaded:
        assert torch.equal(own[name], theirs[name])
    assert {name.split(".")[0] for name in report.loaded} == {
        *("image_encoder", "prompt_encoder", "mask_decoder")
    }
    parts = {".".join(name.split(".")[:2]) for name in report.new}
    assert parts == {"detail_stream.convs", "mask_decoder.pixel_decoder"}
    assert all("output_upscaling" in name for name in report.unused)
    assert "left as initialised" in str(report)
    assert f"detail_stream.convs {len(list(model.detail_stream.state_dict()))}" in str(
        report
    )


def test_a_zim_of_another_input_size_gets_sams_positions_interpolated(tmp_path):
    path = tmp_path / "sam.pth"
    sam = random_model(sam_variant(SMALL_VIT), seed=1)
    torch.save(sam.state_dict(), path)
    model, report = zim_from_sam(path, replace(SMALL_VIT, image_size=192))
    assert set(report.resized) == {
        "image_encoder.pos_embed",
        "image_encoder.blocks.1.attn.rel_pos_h",
        "image_encoder.blocks.1.attn.rel_pos_w",
    }
    small = sam.image_encoder.blocks[1].attn.rel_pos_h
    large = model.image_encoder.blocks[1].attn.rel_pos_h
    torch.testing.assert_close(large.mean(0), small.mean(0), atol=0.02, rtol=0)
    coords = torch.tensor([[[50.0, 60.0]]])
    logits, _ = model.decode(
        model.encode(torch.zeros(1, 3, 192, 192)), coords, torch.ones(1, 1).long()
    )
    assert logits.shape == (1, 4, 96, 96)


def test_a_zim_of_other_fusion_widths_gets_all_but_the_last_layers(tmp_path):
    path = tmp_path / "sam.pth"
    torch.save(random_model(sam_variant(SMALL_VIT)).state_dict(), path)
    config = replace(SMALL_VIT, fusion_channels=(12, 8, 6))
    _, report = zim_from_sam(path, config)
    hyper = "mask_decoder.output_hypernetworks_mlps.0.layers"
    assert f"{hyper}.1.weight" in report.loaded
    assert f"{hyper}.2.weight" in report.new
    assert f"{hyper}.2.weight" in report.unused


def test_what_cannot_start_from_a_sam_is_refused(tmp_path):
    path = tmp_path / "sam.pth"
    torch.save(random_model(sam_variant(SMALL_VIT)).state_dict(), path)
    with pytest.raises(WeightsError, match="no ZIM that could"):
        zim_from_sam(path, SMALL_CNN)
    with pytest.raises(WeightsError, match="not a SAM ViT-B"):
        zim_from_sam(path)
    with pytest.raises(WeightsError, match="another architecture"):
        zim_from_sam(path, replace(SMALL_VIT, transformer_mlp=64))
