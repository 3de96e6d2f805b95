"""Installed models, adding them from the disk, and the table of known ones."""

import hashlib
import pickle
import socket
from dataclasses import replace
from urllib.parse import urlsplit

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from tests.zim_model.conftest import (
    SMALL_VIT,
    hub_names,
    random_model,
    random_vitmatte,
)
from zim_model import install
from zim_model.errors import WeightsError
from zim_model.inference.engine import Engine
from zim_model.inference.oom_fallback import open_backend
from zim_model.install import install_from_disk
from zim_model.network.config import RELATIVES, sam_variant
from zim_model.prompts import Point, PromptSet
from zim_model.recipe import Recipe
from zim_model.request import Request
from zim_model.weights import catalogue
from zim_model.weights import installed as store
from zim_model.weights.catalogue import MODELS, find_known, locate
from zim_model.weights.checkpoint import save_model
from zim_model.weights.installed import (
    find_installed,
    installed_models,
    models_folder,
    remove_model,
)
from zim_model.weights.trimap import find_trimap_network, trimap_networks

BUNDLED = ["zim-tiny", "zim-tiny-research"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("ZIM_STUDIO_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def weights(small_vit, tmp_path):
    path = tmp_path / "my model.safetensors"
    save_model(small_vit, path)
    return path


def names():
    return [model.name for model in installed_models()]


def test_the_bundled_model_is_always_there(folder):
    assert names() == BUNDLED
    assert not folder.exists(), "listing installs nothing"


def test_the_models_folder_is_the_users_own(monkeypatch):
    monkeypatch.delenv("ZIM_STUDIO_MODELS")
    assert models_folder().parts[-2:] == ("zim-studio", "models")


def test_an_added_model_is_loaded_by_its_name(weights):
    model = install_from_disk(weights)
    assert model.name == "my-model"
    assert names() == [*BUNDLED, "my-model"]
    image = np.zeros((60, 80, 3), np.uint8)
    clicks = PromptSet((Point(40, 30),))
    matte = Engine().solve(Request(image, "a", Recipe(clicks, "my-model")))
    assert matte.alpha.shape == (60, 80)


def test_a_model_outlives_the_file_that_it_came_from(weights):
    model = install_from_disk(weights, "mine")
    weights.unlink()
    assert open_backend("mine").config.name == "small-vit"
    assert model.path.is_file()


def test_where_links_do_not_work_files_are_copied(weights, monkeypatch):
    def refuse(source, target):
        raise OSError

    monkeypatch.setattr(store.os, "link", refuse)
    assert install_from_disk(weights, "mine").size == weights.stat().st_size


def test_a_sam_is_recognised_by_its_tensors(tmp_path, monkeypatch):
    config = replace(sam_variant(SMALL_VIT), name="sam-small")
    for module in ("sam_checkpoint", "families"):
        monkeypatch.setattr(
            f"zim_model.weights.{module}.CONFIGS", {"sam-small": config}
        )
    path = tmp_path / "sam_small.pth"
    torch.save(random_model(config).state_dict(), path)
    assert install_from_disk(path).name == "sam_small"
    assert open_backend("sam_small").config.name == "sam-small"


def test_the_file_of_a_known_model_gets_its_name(weights, monkeypatch):
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    file = catalogue.ModelFile(weights.name, "", weights.stat().st_size, digest)
    info = replace(find_known("sam-vit-b"), files=(file,))
    monkeypatch.setattr(install, "MODELS", (info,))
    assert install_from_disk(weights).name == "sam-vit-b"


def test_a_name_that_is_taken_is_refused(weights):
    install_from_disk(weights, "mine")
    with pytest.raises(WeightsError, match=r"called mine already.*another name"):
        install_from_disk(weights, "mine")
    with pytest.raises(WeightsError, match="zim-tiny already"):
        install_from_disk(weights, "zim-tiny")


@pytest.mark.parametrize("name", ["../evil", "a/b", "", ".hidden", "x.part", "a" * 65])
def test_a_name_leads_nowhere_else(weights, name, tmp_path):
    with pytest.raises(WeightsError, match="is no name for a model"):
        install_from_disk(weights, name)
    with pytest.raises(WeightsError, match="is no name for a model"):
        remove_model(name)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["my model.safetensors"]


class MaliciousPickle:
    def __reduce__(self):
        return print, ("executed",)


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_pickle_is_refused_and_never_run(tmp_path, capsys, suffix):
    path = tmp_path / f"evil{suffix}"
    path.write_bytes(pickle.dumps({"a": MaliciousPickle()}))
    with pytest.raises(WeightsError, match="damaged"):
        install_from_disk(path)
    assert capsys.readouterr().out == ""
    assert names() == BUNDLED


def test_weights_of_another_shape_are_refused(tmp_path, small_vit):
    path = tmp_path / "odd.safetensors"
    odd = replace(small_vit.config, head_dim=24)
    model = random_model(small_vit.config)
    model.config = odd
    save_model(model, path)
    with pytest.raises(WeightsError, match="another architecture"):
        install_from_disk(path)


def test_missing_tensors_are_refused(tmp_path):
    model = random_model(SMALL_VIT)
    del model.mask_decoder.iou_token
    save_model(model, tmp_path / "less.safetensors")
    with pytest.raises(WeightsError, match="tensors missing"):
        install_from_disk(tmp_path / "less.safetensors")


@pytest.mark.parametrize("name", ["x.bin", "x.txt"])
def test_other_files_are_refused_with_what_is_known(tmp_path, name):
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(WeightsError, match=r"\.safetensors, \.pth or \.pt"):
        install_from_disk(tmp_path / name)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(WeightsError, match=r"gone\.pth does not exist"):
        install_from_disk(tmp_path / "gone.pth")


def test_a_removed_model_is_gone(weights):
    install_from_disk(weights, "mine")
    remove_model("mine")
    assert names() == BUNDLED
    assert weights.is_file()
    with pytest.raises(WeightsError, match="No model called mine"):
        remove_model("mine")


def test_the_bundled_model_cannot_be_removed():
    with pytest.raises(WeightsError, match="belongs to the program"):
        remove_model("zim-tiny")


def test_folders_that_hold_no_model_are_passed_over(folder):
    for name in ("empty", "half.part", "two"):
        (folder / name).mkdir(parents=True)
    (folder / "two" / "a.pth").write_bytes(b"")
    (folder / "two" / "b.pth").write_bytes(b"")
    (folder / "file.pth").write_bytes(b"")
    assert names() == BUNDLED


def test_a_model_that_is_not_installed_is_refused_with_the_cure():
    with pytest.raises(WeightsError, match=r"ViT-B is not installed.*models download"):
        locate("sam-vit-b")


def test_an_unknown_model_is_refused_with_the_known_names(weights):
    install_from_disk(weights, "mine")
    with pytest.raises(WeightsError, match=r"'nothing'.*zim-tiny.*, mine"):
        locate("nothing")


def test_a_path_needs_no_installation(weights):
    assert open_backend(str(weights), "cpu").config.name == "small-vit"


@pytest.mark.parametrize("model", ["//server/x.pth", r"\\server\x.safetensors"])
def test_a_path_to_another_computer_is_not_followed(model):
    with pytest.raises(WeightsError, match="lies on another computer"):
        locate(model)


def test_the_table_of_known_models_is_sound():
    assert len({info.name for info in MODELS}) == len(MODELS)
    for info in MODELS:
        store.check_name(info.name)
        assert urlsplit(info.source).scheme == "https"
        assert urlsplit(info.licence.url).scheme == "https"
        assert info.size > 4e6
        for file in info.files:
            assert urlsplit(file.url).scheme == "https"
            assert file.url.endswith(f"/{file.name}")
            assert len(bytes.fromhex(file.sha256)) == 32
    assert [i.name for i in MODELS if i.bundled] == BUNDLED
    official = [i for i in MODELS if i.format == "onnx"]
    assert official
    assert not any(i.licence.commercial for i in official)


def test_sams_relatives_are_offered_for_paid_work_with_what_they_cost():
    infos = [info for name in RELATIVES if (info := find_known(name))]
    assert len(infos) == 5  # HQ-SAM is read from files alone
    for info in infos:
        assert info.kind == "prompt"
        assert info.licence.name == "Apache 2.0"
        assert info.licence.commercial
        photo, click = info.cpu_seconds
        assert photo > click > 0


def test_nothing_but_a_download_touches_the_network(weights, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("the network was touched")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    install_from_disk(weights, "mine")
    image = np.zeros((60, 80, 3), np.uint8)
    for model in names():
        Engine().solve(Request(image, "a", Recipe(PromptSet((Point(40, 30),)), model)))
    with pytest.raises(WeightsError):
        locate("sam-vit-b")
    remove_model("mine")


def test_the_bundled_weights_have_the_terms_of_their_training_images():
    """NOTICE has the same terms; another licence in the manager would mislead."""
    assert find_known("zim-tiny").licence.name == "Apache 2.0"


# --- Trimap networks ------------------------------------------------------------------


def trimap_names():
    return [model.name for model in trimap_networks()]


@pytest.fixture
def vitmatte(tmp_path):
    path = tmp_path / "my matte.safetensors"
    save_file(hub_names(random_vitmatte()), path)
    return path


def test_a_trimap_network_is_a_kind_of_its_own(vitmatte):
    model = install_from_disk(vitmatte)
    assert (model.name, model.kind) == ("my-matte", "trimap")
    assert trimap_names() == ["my-matte"]
    assert names() == BUNDLED, "it answers no prompts"
    assert [m.name for m in installed_models(None)] == [*BUNDLED, "my-matte"]
    assert find_installed("my-matte") is None
    assert find_installed("my-matte", None) == find_trimap_network() == model
    with pytest.raises(WeightsError, match=r"my-matte takes a trimap.*detail"):
        locate("my-matte")
    with pytest.raises(WeightsError, match="called my-matte already"):
        install_from_disk(vitmatte)
    remove_model("my-matte")
    assert not trimap_names()


def test_a_pickle_of_the_hub_is_installed(tmp_path):
    path = tmp_path / "pytorch_model.bin"
    torch.save(hub_names(random_vitmatte()), path)
    assert install_from_disk(path, "mine").kind == "trimap"
    assert trimap_names() == ["mine"]


def test_a_file_of_the_hub_is_called_by_its_repository(tmp_path):
    cache = tmp_path / "models--hustvl--vitmatte-base-composition-1k" / "snapshots"
    for folder in (cache / "6a58ad", tmp_path / "vitmatte-other"):
        folder.mkdir(parents=True)
        save_file(hub_names(random_vitmatte()), folder / "model.safetensors")
        install_from_disk(folder / "model.safetensors")
    assert trimap_names() == ["vitmatte-base-composition-1k", "vitmatte-other"]


def test_a_folder_of_the_hub_can_be_put_into_the_models_folder(folder):
    (folder / "hub").mkdir(parents=True)
    tensors = hub_names(random_vitmatte())
    save_file(tensors, folder / "hub" / "model.safetensors")
    torch.save(tensors, folder / "hub" / "pytorch_model.bin")
    (folder / "hub" / "config.json").write_text("{}")
    assert find_trimap_network("hub").path.name == "model.safetensors"


def test_trimap_networks_of_the_catalogue_come_first(vitmatte):
    for name in (
        "a",
        "vitmatte-base-distinctions-646",
        "vitmatte-small-composition-1k",
    ):
        install_from_disk(vitmatte, name)
    assert trimap_names() == [
        "vitmatte-small-composition-1k",
        "vitmatte-base-distinctions-646",
        "a",
    ]
    assert find_trimap_network().name == "vitmatte-small-composition-1k"
    assert find_trimap_network("a").name == "a"


def test_a_path_of_a_trimap_network_needs_no_installation(vitmatte):
    assert find_trimap_network(str(vitmatte)).path == vitmatte


def test_a_trimap_network_that_is_missing_is_refused_with_the_cure(weights):
    install_from_disk(weights, "mine")
    cure = "models download vitmatte-small-composition-1k"
    with pytest.raises(WeightsError, match=rf"No trimap network is installed.*{cure}"):
        find_trimap_network()
    with pytest.raises(WeightsError, match=rf"mine is no trimap network.*{cure}"):
        find_trimap_network("mine")
    with pytest.raises(WeightsError, match=r"ViTMatte base.*not installed.*-646"):
        find_trimap_network("vitmatte-base-distinctions-646")


def test_another_pickle_of_the_hub_is_refused(tmp_path):
    path = tmp_path / "model.bin"
    torch.save({"decoder.convstream.convs.0.conv.weight": torch.zeros(1)}, path)
    with pytest.raises(WeightsError, match="holds no ViTMatte"):
        install_from_disk(path)
    path.write_bytes(pickle.dumps({"decoder.convstream.": MaliciousPickle()}))
    with pytest.raises(WeightsError, match="damaged"):
        install_from_disk(path)


def test_trimap_networks_are_not_called_free():
    """The weights are, the images that they were trained on are not."""
    known = [info for info in MODELS if info.kind == "trimap"]
    assert known
    assert not any(info.licence.commercial for info in known)
