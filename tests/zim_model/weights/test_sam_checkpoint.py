import os
import pickle
import warnings
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from tests.zim_model.conftest import SMALL_VIT, random_model
from zim_app.cli import main as cli
from zim_model import load_model
from zim_model.errors import WeightsError
from zim_model.network.config import CONFIGS, LiteConfig, sam_variant
from zim_model.weights.checkpoint import check_weights
from zim_model.weights.sam_checkpoint import load_sam, read_sam, zim_from_sam

SMALL_SAM = sam_variant(SMALL_VIT)


@pytest.fixture
def sam(monkeypatch):
    """A small SAM whose files are recognised as those of SAM ViT-B are."""
    monkeypatch.setitem(CONFIGS, "sam-small", SMALL_SAM)
    return random_model(SMALL_SAM, seed=1)


class MaliciousPickle:
    def __reduce__(self):
        return os.system, ("touch /tmp/zim-studio-was-here",)


def test_code_in_a_pth_file_is_not_run(tmp_path):
    path = tmp_path / "sam.pth"
    torch.save({"image_encoder.pos_embed": MaliciousPickle()}, path)
    with pytest.raises(WeightsError, match="unsafe"):
        read_sam(path)
    path.write_bytes(pickle.dumps(MaliciousPickle()))
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


def test_a_zim_starts_from_sam_weights(tmp_path):
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


@pytest.mark.parametrize("shape", [(4, 4, 64), (64,), (), (1, 0, 0, 64)])
def test_positions_of_another_shape_are_refused_with_the_tensor_named(tmp_path, shape):
    state = random_model(sam_variant(SMALL_VIT)).state_dict()
    width = state["image_encoder.pos_embed"].shape[-1]
    shape = tuple(width if side == 64 else side for side in shape)
    state["image_encoder.pos_embed"] = torch.zeros(shape)
    torch.save(state, tmp_path / "sam.pth")
    with pytest.raises(WeightsError, match=r"image_encoder\.pos_embed"):
        zim_from_sam(tmp_path / "sam.pth", SMALL_VIT)


def test_what_cannot_start_from_a_sam_is_refused(tmp_path):
    path = tmp_path / "sam.pth"
    torch.save(random_model(sam_variant(SMALL_VIT)).state_dict(), path)
    with pytest.raises(WeightsError, match="no ZIM that could"):
        zim_from_sam(path, sam_variant(SMALL_VIT))
    with pytest.raises(WeightsError, match="no ZIM that could"):
        zim_from_sam(path, replace(SMALL_VIT, encoder=LiteConfig()))
    with pytest.raises(WeightsError, match="not a SAM ViT-B"):
        zim_from_sam(path)
    with pytest.raises(WeightsError, match="another architecture"):
        zim_from_sam(path, replace(SMALL_VIT, transformer_mlp=64))


def wrapped(state, kind):
    """A state dict as different programs save it."""
    match kind:
        case "module.":
            return {f"module.{name}": tensor for name, tensor in state.items()}
        case "state_dict module.":
            return {"state_dict": wrapped(state, "module."), "epoch": 3}
        case "plain":
            return state
    return {kind: state}


@pytest.mark.parametrize("suffix", [".pth", ".pt"])
@pytest.mark.parametrize(
    "kind", ["plain", "model", "state_dict", "module.", "state_dict module."]
)
def test_a_sam_loads_whole_however_it_was_saved(sam, tmp_path, kind, suffix):
    path = tmp_path / f"sam{suffix}"
    torch.save(wrapped(sam.state_dict(), kind), path)
    loaded = load_model(path)
    assert loaded.config == SMALL_SAM
    assert check_weights(path) == SMALL_SAM
    for name, tensor in sam.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor)


def test_sams_tensors_in_safetensors_load(sam, tmp_path):
    path = tmp_path / "sam.safetensors"
    save_file({k: v.contiguous() for k, v in sam.state_dict().items()}, path)
    loaded = load_model(path)
    for name, tensor in sam.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor)
    assert check_weights(path) == SMALL_SAM


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("change", ["missing", "unexpected"])
def test_a_sam_that_is_not_whole_is_refused(sam, tmp_path, change, suffix, capsys):
    state = {k: v.contiguous() for k, v in sam.state_dict().items()}
    if change == "missing":
        state = {k: v for k, v in state.items() if not k.startswith("mask_decoder.")}
        words = "tensors missing.*mask_decoder"
    else:
        state["mask_decoder.extra.weight"] = torch.zeros(2)
        words = "1 unknown .*mask_decoder.extra.weight"
    path = tmp_path / f"sam{suffix}"
    torch.save(state, path) if suffix == ".pth" else save_file(state, path)
    for use in (load_model, load_sam, check_weights):
        with pytest.raises(WeightsError, match=words):
            use(path)
    with pytest.raises(WeightsError, match=words):
        zim_from_sam(path, SMALL_VIT)
    image = "assets/samples/cat.jpg"
    command = ["matte", image, "--box", "80,0,400,300", "--model", str(path)]
    assert cli.run([*command, "-o", str(tmp_path / "out.png")]) == 1
    assert "does not fit" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("tensor", "family"),
    [
        ("mask_decoder.hf_token.weight", "HQ-SAM"),
        ("image_encoder.trunk.pos_embed", "SAM 2"),
        ("vision_encoder.pos_embed", "transformers"),
    ],
)
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_relatives_of_sam_are_named(tmp_path, tensor, family, suffix):
    state = {tensor: torch.zeros(2), "mask_decoder.x": torch.zeros(2)}
    path = tmp_path / f"weights{suffix}"
    torch.save(state, path) if suffix == ".pth" else save_file(state, path)
    with pytest.raises(WeightsError, match=family):
        load_model(path)


def test_a_torchscript_program_is_named(tmp_path):
    path = tmp_path / "program.pt"
    with warnings.catch_warnings():  # TorchScript is deprecated
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), path)
    with pytest.raises(WeightsError, match="TorchScript"):
        load_model(path)
