import json
import math
import os
import pickle
import subprocess
import sys

import pytest
import torch
from safetensors.torch import save_file

from tests.zim_model.conftest import SMALL_VIT
from zim_model import load_model
from zim_model.errors import WeightsError
from zim_model.inference.oom_fallback import open_backend
from zim_model.network.config import CONFIGS, ZimConfig
from zim_model.weights.catalogue import locate
from zim_model.weights.checkpoint import (
    CONFIG_KEY,
    check_weights,
    save_model,
)
from zim_model.weights.sam_checkpoint import load_sam, zim_from_sam
from zim_model.weights.tensors import fingerprint


def test_a_file_that_asks_for_more_memory_than_there_is_is_refused(
    tmp_path, monkeypatch
):
    def load(*args, **options):
        raise MemoryError

    monkeypatch.setattr(torch, "load", load)
    (tmp_path / "a.pth").write_bytes(b"x")
    with pytest.raises(WeightsError, match=r"not enough memory for a\.pth"):
        check_weights(tmp_path / "a.pth")


def test_saved_models_come_back(small_vit, tmp_path):
    path = tmp_path / "m.safetensors"
    save_model(small_vit, path, half=False)
    loaded = load_model(path)
    assert loaded.config == SMALL_VIT
    assert fingerprint(loaded) == fingerprint(small_vit)
    assert not loaded.training
    assert os.listdir(tmp_path) == ["m.safetensors"]


def test_loading_draws_no_random_numbers(small_vit, tmp_path):
    path = tmp_path / "m.safetensors"
    save_model(small_vit, path)
    before = torch.get_rng_state()
    load_model(path)
    load_model("zim-tiny")
    assert torch.equal(torch.get_rng_state(), before)


def test_half_precision_halves_the_file_and_keeps_the_values(small_vit, tmp_path):
    half, full = tmp_path / "half.safetensors", tmp_path / "full.safetensors"
    save_model(small_vit, half)
    save_model(small_vit, full, half=False)
    assert half.stat().st_size < 0.75 * full.stat().st_size
    for name, value in load_model(half).state_dict().items():
        torch.testing.assert_close(
            value, small_vit.state_dict()[name], rtol=1e-3, atol=1e-3
        )


def test_unknown_models_are_refused_with_the_known_ones():
    with pytest.raises(WeightsError, match="zim-tiny"):
        load_model("zim-enormous")


def test_missing_file(tmp_path):
    with pytest.raises(WeightsError, match="does not exist"):
        load_model(tmp_path / "none.safetensors")


def test_truncated_file(small_vit, tmp_path):
    path = tmp_path / "m.safetensors"
    save_model(small_vit, path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(WeightsError, match="damaged"):
        load_model(path)


def test_equal_weights_are_equal_bytes_in_any_order(small_vit, tmp_path):
    """Although safetensors shuffles the metadata."""
    paths = [tmp_path / f"{n}.safetensors" for n in range(6)]
    for number, path in enumerate(paths):
        state = list(small_vit.state_dict().items())
        state = state[::-1] if number % 2 else state
        small_vit.state_dict = lambda state=state: dict(state)  # of another order
        save_model(small_vit, path)
        del small_vit.state_dict
    assert len({path.read_bytes() for path in paths}) == 1
    again = load_model(paths[0])
    save_model(again, paths[1])
    assert paths[1].read_bytes() == paths[0].read_bytes()


def test_tensors_without_a_configuration(tmp_path):
    path = tmp_path / "m.safetensors"
    save_file({"x": torch.zeros(2)}, path)
    with pytest.raises(WeightsError, match="architecture"):
        load_model(path)


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
        {"fusion_channels": 3},
        {"transformer_heads": 0},
        {"transformer_heads": 7},
        {"embed_dim": 10_000_000},
        {"image_size": 16 << 20},
        {"transformer_depth": 2**31},
        {"attention_sigma": math.inf},
        {"encoder": {"kind": "lite", "variant": "lite9"}},
        {"encoder": {**SMALL_VIT.to_json()["encoder"], "global_blocks": [0] * 999}},
        {"encoder": {**SMALL_VIT.to_json()["encoder"], "window": 16_000}},
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
    for config in (*CONFIGS.values(), SMALL_VIT):
        assert ZimConfig.from_json(json.loads(json.dumps(config.to_json()))) == config


@pytest.mark.parametrize(
    "name", ["encoder.onnx", "folder", "folder.pth", "folder.safetensors"]
)
@pytest.mark.parametrize(
    "read", [load_model, load_sam, zim_from_sam, check_weights, locate, open_backend]
)
def test_graphs_and_folders_are_named_for_what_they_are(tmp_path, name, read):
    path = tmp_path / name
    path.mkdir() if "folder" in name else path.write_bytes(b"graph")
    with pytest.raises(WeightsError, match=r"(graph|folder).*models convert"):
        read(str(path) if read in (locate, open_backend) else path)


def test_installed_models_are_found_by_name(small_vit, tmp_path, monkeypatch):
    monkeypatch.setenv("ZIM_STUDIO_MODELS", str(tmp_path))
    (tmp_path / "mine").mkdir()
    save_model(small_vit, tmp_path / "mine" / "weights.safetensors")
    assert load_model("mine").config == small_vit.config
    with pytest.raises(WeightsError, match=r"nothing.*zim-tiny.*, mine"):
        load_model("nothing")


@pytest.mark.parametrize("read", [load_model, check_weights])
def test_a_small_file_of_a_large_model_is_refused_before_it_is_built(
    small_vit, tmp_path, monkeypatch, read
):
    path = tmp_path / "m.safetensors"
    config = {**SMALL_VIT.to_json(), "transformer_mlp": 16_000, "head_dim": 16_000}
    weights = {k: v.contiguous() for k, v in small_vit.state_dict().items()}
    save_file(weights, path, {CONFIG_KEY: json.dumps(config)})
    made = []
    empty = torch.empty

    def recorded(*size, **options):
        made.append(empty(*size, **options))
        return made[-1]

    with torch.device("meta"):  # torch keeps a list of what that changes
        torch.zeros(1)
    monkeypatch.setattr(torch, "empty", recorded)
    with pytest.raises(WeightsError, match="of another architecture"):
        read(path)
    assert all(tensor.is_meta for tensor in made)


def test_a_configuration_nested_too_deep_is_malformed(tmp_path):
    path = tmp_path / "m.safetensors"
    save_file({"x": torch.zeros(2)}, path, {CONFIG_KEY: "[" * 100_000})
    for use in (load_model, check_weights):
        with pytest.raises(WeightsError, match="malformed configuration"):
            use(path)


@pytest.mark.parametrize("wrapped", [True, False])
def test_a_pickle_of_tensors_larger_than_its_data_is_refused(tmp_path, wrapped):
    path = tmp_path / "sam.pth"
    state = {"image_encoder.pos_embed": torch.zeros(1).half().expand(1, 64, 64, 768)}
    torch.save({"model": state} if wrapped else state, path)
    with pytest.raises(WeightsError, match="larger than their data"):
        load_sam(path)


RETIRED = {
    "cue_channels": 0,
    "cue_widths": [24, 48, 96],
    "region_channels": None,
    "region_embedding": 16,
    "view": "image",
}


def save_with_config(model, path, **changes):
    config = {**model.config.to_json(), **changes}
    weights = {k: v.contiguous() for k, v in model.state_dict().items()}
    save_file(weights, path, {CONFIG_KEY: json.dumps(config)})


def test_weights_that_an_earlier_version_saved_are_read(small_vit, tmp_path):
    save_with_config(small_vit, tmp_path / "m.safetensors", **RETIRED)
    loaded = load_model(tmp_path / "m.safetensors")
    assert loaded.config == small_vit.config
    assert fingerprint(loaded) == fingerprint(small_vit)


@pytest.mark.parametrize(
    "changes",
    [
        {"encoder": {"kind": "cnn", "widths": [8, 8, 16], "depths": [1, 1, 2**31]}},
        {"cue_channels": 17},
    ],
)
def test_weights_of_the_first_zim_tiny_are_refused(small_vit, tmp_path, changes):
    save_with_config(small_vit, tmp_path / "m.safetensors", **RETIRED | changes)
    with pytest.raises(WeightsError, match=r"m\.safetensors.* first zim-tiny") as error:
        load_model(tmp_path / "m.safetensors")
    assert "train it again" in str(error.value)


@pytest.mark.skipif(sys.platform != "linux", reason="limits its memory")
def test_a_length_beyond_all_memory_is_damage(tmp_path):
    path = tmp_path / "weights.pth"
    header = b"".join(pickle.dumps(x, 2) for x in (0x1950A86A20F9469CFC6C, 1001, {}))
    path.write_bytes(header + b"\x80\x02}X" + (2**31 - 1).to_bytes(4, "little") + b"a.")
    code = f"""
import resource
from pathlib import Path
from zim_model.errors import WeightsError, msg
from zim_model.weights.tensors import read_state

size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (size + 2**30,) * 2)
try:
    read_state(Path({str(path)!r}), msg("Give weights."))
except WeightsError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert "weights.pth is damaged" in done.stdout


@pytest.mark.parametrize(
    ("metadata", "name", "cure"),
    [
        ({"converter_config": "{}"}, "encoder.stem.weight", "convert-mask --model"),
        ({}, "backbone.encoder.layer.0.norm1.weight", "--trimap-network"),
        ({}, "fc.weight", "saved by zim-studio"),
    ],
)
def test_weights_that_take_no_prompts_say_what_they_are_for(
    tmp_path, metadata, name, cure
):
    path = tmp_path / "other.safetensors"
    save_file({name: torch.zeros(2)}, path, metadata)
    with pytest.raises(WeightsError, match=r"other\.safetensors") as caught:
        load_model(path)
    assert cure in str(caught.value)
