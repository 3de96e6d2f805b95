"""Models by name, path and id on the Hugging Face hub."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.zim_model.onnx.test_automatic import write_graph
from zim_model import ZimPredictor, load_model
from zim_model.backends.trimap_network import TrimapNetwork
from zim_model.errors import WeightsError
from zim_model.network.tiny import ZimTiny
from zim_model.onnx.automatic import AutomaticNetwork
from zim_model.weights.catalogue import MODELS
from zim_model.weights.checkpoint import save_model
from zim_model.weights.installed import MODELS_VARIABLE


@pytest.fixture(autouse=True)
def no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MODELS_VARIABLE, str(tmp_path / "models"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    (tmp_path / "models").mkdir()

    def refuse(*_: object) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr("socket.getaddrinfo", refuse)


def cached(tmp_path: Path, name: str, revision: str = "abc") -> Path:
    """A folder as the hub's client makes it for a revision of a repository."""
    folder = tmp_path / "hub" / f"models--{name.replace('/', '--')}"
    (folder / "refs").mkdir(parents=True, exist_ok=True)
    (folder / "refs" / "main").write_text(revision)
    snapshot = folder / "snapshots" / revision
    snapshot.mkdir(parents=True)
    return snapshot


def test_the_bundled_model_by_its_name() -> None:
    assert isinstance(load_model("zim-tiny"), ZimTiny)
    predictor = ZimPredictor.from_pretrained("zim-tiny", "cpu")
    image = np.zeros((60, 80, 3), np.uint8)
    image[15:45, 20:60] = 200
    predictor.set_image(image)
    masks, _, _ = predictor.predict(box=[15, 10, 65, 50])
    assert masks[0][30, 40] > 0.5


def test_a_repository_in_the_hubs_cache(tmp_path, small_vit) -> None:
    snapshot = cached(tmp_path, "someone/my-zim")
    save_model(small_vit, snapshot / "model.safetensors")
    assert load_model("someone/my-zim").config == small_vit.config
    predictor = ZimPredictor.from_pretrained("someone/my-zim", "cpu")
    assert predictor.backend.config == small_vit.config


def test_a_cache_without_the_main_revision(tmp_path, small_vit) -> None:
    snapshot = cached(tmp_path, "someone/my-zim")
    save_model(small_vit, snapshot / "model.safetensors")
    (snapshot.parents[1] / "refs" / "main").write_text("another")
    assert load_model("someone/my-zim").config == small_vit.config


def test_a_repository_that_is_not_there_says_how_it_is_fetched() -> None:
    with pytest.raises(WeightsError, match=r"hf download someone/my-zim"):
        load_model("someone/my-zim")


def test_a_path(tmp_path, small_vit) -> None:
    save_model(small_vit, tmp_path / "m.safetensors")
    predictor = ZimPredictor.from_pretrained(tmp_path / "m.safetensors", "cpu")
    assert predictor.backend.config == small_vit.config


@pytest.mark.parametrize("info", [x for x in MODELS if x.files], ids=lambda x: x.name)
def test_every_known_model_says_how_it_is_fetched(info) -> None:
    names = [info.name]
    if "huggingface.co" in info.source:
        names.append(info.source.removeprefix("https://huggingface.co/"))
    for name in names:
        with pytest.raises(WeightsError, match=f"models download {info.name}"):
            load_model(name)


def test_an_automatic_network_is_loaded_as_one(tmp_path) -> None:
    write_graph(tmp_path / "models" / "u2netp" / "u2netp.onnx")
    network = load_model("u2netp")
    assert isinstance(network, AutomaticNetwork)
    assert network.predict(np.zeros((30, 40, 3), np.uint8)).shape == (30, 40)
    with pytest.raises(WeightsError, match="takes no prompts"):
        ZimPredictor.from_pretrained("u2netp")


def test_a_trimap_network_is_loaded_as_one(tmp_path, monkeypatch) -> None:
    folder = tmp_path / "models" / "vitmatte-own"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"decoder.convstream.0")
    network = object()
    monkeypatch.setattr(TrimapNetwork, "load", lambda path, device: (network, path))
    assert load_model("vitmatte-own") == (network, folder / "model.safetensors")


@pytest.mark.parametrize("name", ["nothing", "no/where"])
def test_an_unknown_name_lists_what_there_is(name) -> None:
    for use in (load_model, ZimPredictor.from_pretrained):
        with pytest.raises(WeightsError, match=f"{name}.*zim-tiny"):
            use(name)
