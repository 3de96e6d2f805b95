import os
import pickle

import pytest
import torch
from safetensors.torch import save_file

from tests.zim_model.conftest import SMALL_CNN, SMALL_VIT, random_model
from zim_model import load_model
from zim_model.checkpoint import fingerprint, load_sam, read_sam, save_model
from zim_model.config import CONFIGS, sam_variant
from zim_model.errors import WeightsError


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
