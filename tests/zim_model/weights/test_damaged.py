"""Weight files with a fault: every loader names the file, the fault and a cure."""

import json
import math
from dataclasses import replace

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from tests.zim_model.conftest import SMALL_VIT, hub_names, random_model, random_vitmatte
from tests.zim_model.weights.test_families import (
    SMALL_SAM,
    SMALL_SAM2,
    published,
    small_model,
)
from zim_model.assets import asset_path
from zim_model.conversion.weights import load_converter
from zim_model.errors import WeightsError
from zim_model.network.config import CONFIGS, RELATIVES, ZIM_VIT_B
from zim_model.onnx.tiny import open_tiny
from zim_model.weights.checkpoint import CONFIG_KEY, check_weights, load_model
from zim_model.weights.sam_checkpoint import zim_from_sam
from zim_model.weights.vitmatte_checkpoint import check_vitmatte, load_vitmatte

SAM = "SAM"
SMALL_ZIM = replace(ZIM_VIT_B, encoder=SMALL_SAM.encoder, image_size=128)
MODELS = (load_model, check_weights)
LOADERS = {
    "ZIM": MODELS,
    "zim-tiny": MODELS,
    **dict.fromkeys(("HQ-SAM", "MobileSAM", "SAM 2"), MODELS),
    SAM: (*MODELS, lambda path: zim_from_sam(path, SMALL_ZIM)),
    "converter-tiny": (load_converter,),
    "ViTMatte": (load_vitmatte, check_vitmatte),
}
SUFFIXES = {SAM: ".pth", "SAM 2": ".pt", "MobileSAM": ".pt", "HQ-SAM": ".pth"}
FAULTS = {
    "missing": "1 tensors missing",
    "unknown": "1 unknown",
    "shape": "has shape (7,)",
    "nan": "1 tensors hold no finite numbers",
    "infinite": "1 tensors hold no finite numbers",
    "complex": "1 tensors hold no finite numbers",
}


def whole_file(name, random_zim):
    """The tensors and the metadata of a sound file."""
    if name in ("zim-tiny", "converter-tiny"):
        path = asset_path("models", f"{name}.safetensors")
        with safe_open(path, framework="pt") as file:
            return load_file(path), file.metadata()
    if name == "ViTMatte":
        return hub_names(random_vitmatte()), {}
    if name == "ZIM":
        metadata = {CONFIG_KEY: json.dumps(SMALL_VIT.to_json())}
        return dict(random_zim.state_dict()), metadata
    if name == SAM:
        return dict(random_model(SMALL_SAM).state_dict()), {}
    return published(name, small_model(name)), {}


def damage(state, fault):
    """Make a fault in the first bias, which tells no configuration."""
    victim = next(name for name in state if name.endswith(".bias"))
    value = state[victim].clone()
    match fault:
        case "missing":
            del state[victim]
        case "unknown":
            state[f"{victim}.gadget"] = value
        case "shape":
            state[victim] = torch.zeros(7)
        case "complex":
            state[victim] = value.to(torch.complex64)
        case _:
            value.view(-1)[-1] = math.nan if fault == "nan" else -math.inf
            state[victim] = value


@pytest.fixture(params=sorted(LOADERS))
def kind(request, monkeypatch, small_vit, tmp_path):
    """The name of a kind and a function that writes a file of it with a fault."""
    monkeypatch.setitem(RELATIVES, "sam2-small", SMALL_SAM2)
    monkeypatch.setitem(CONFIGS, "sam-small", SMALL_SAM)
    name = request.param
    sound, metadata = whole_file(name, small_vit)

    def write(fault):
        state = {key: value.contiguous() for key, value in sound.items()}
        damage(state, fault)
        path = tmp_path / f"{fault}{SUFFIXES.get(name, '.safetensors')}"
        if path.suffix == ".safetensors":
            save_file(state, path, metadata)
        else:
            torch.save({"model": state}, path)
        return path

    return name, write


def test_a_fault_is_told_with_file_and_cure(kind):
    name, write = kind
    for fault, words in FAULTS.items():
        path = write(fault)
        loaders = LOADERS[name] if fault in ("missing", "nan") else LOADERS[name][:1]
        for load in loaders:
            with pytest.raises(WeightsError) as caught:
                load(path)
            assert str(path) in caught.value.message, fault
            assert words in caught.value.message, fault
            assert "again" in caught.value.hint, fault
        if name == "zim-tiny":  # is left to torch, which tells the fault
            assert open_tiny(path) is None
