"""Models as folders with weights and a configuration, and uploads of them."""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import torch

import zim_model
from tests.zim_model.conftest import SMALL_SAM2, SMALL_TINY, SMALL_VIT, random_model
from zim_model import ZimPredictor, load_model, push_to_hub, save_pretrained
from zim_model.errors import WeightsError, ZimError
from zim_model.network.config import sam_variant
from zim_model.weights.installed import PRETRAINED_FILE
from zim_model.weights.pretrained_folder import CONFIG_FILE

IMAGE = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
BOX = [10, 10, 60, 50]


def prediction(predictor: ZimPredictor) -> np.ndarray:
    predictor.set_image(IMAGE)
    return predictor.predict(box=BOX)[0]


@pytest.mark.parametrize(
    "config",
    [SMALL_VIT, sam_variant(SMALL_VIT), SMALL_SAM2, SMALL_TINY],
    ids=["zim", "sam", "sam2", "tiny"],
)
def test_a_saved_model_is_opened_unchanged(tmp_path, config) -> None:
    model = random_model(config)
    folder = save_pretrained(model, tmp_path / "made" / "here")
    assert sorted(path.name for path in folder.iterdir()) == [
        CONFIG_FILE,
        PRETRAINED_FILE,
    ]
    told = json.loads((folder / CONFIG_FILE).read_text())
    assert [each["name"] for each in told.values()] == [config.name]
    again = load_model(folder)
    assert again.config == config
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name]), name
    expected = prediction(ZimPredictor(model, "cpu"))
    opened = prediction(ZimPredictor.from_pretrained(str(folder), "cpu"))
    np.testing.assert_allclose(opened, expected, atol=1e-5)


def test_a_predictor_saves_the_model_that_it_has(tmp_path) -> None:
    predictor = ZimPredictor.from_pretrained("zim-tiny", "cpu")
    half = predictor.save_pretrained(tmp_path / "half", half=True)
    whole = predictor.save_pretrained(tmp_path / "whole")
    sizes = [(place / PRETRAINED_FILE).stat().st_size for place in (half, whole)]
    assert sizes[0] < 0.6 * sizes[1]
    expected = prediction(predictor)
    for place in (half, whole):  # zim-tiny's file has halves itself
        opened = ZimPredictor.from_pretrained(place, "cpu")
        np.testing.assert_array_equal(prediction(opened), expected)
        for path in (place, place / PRETRAINED_FILE):
            np.testing.assert_array_equal(
                zim_model.matte(IMAGE, box=BOX, model=path),
                zim_model.matte(IMAGE, box=BOX),
            )


def test_nothing_is_replaced_unasked(tmp_path, small_vit, small_tiny) -> None:
    save_pretrained(small_vit, tmp_path)
    with pytest.raises(WeightsError, match=r"exists already.*overwrite=True"):
        save_pretrained(small_tiny, tmp_path)
    assert load_model(tmp_path).config == small_vit.config
    save_pretrained(small_tiny, tmp_path, overwrite=True)
    assert load_model(tmp_path).config == small_tiny.config


class Hub:
    """The hub's client, which keeps what it is given."""

    files: dict[str, bytes]

    def __init__(self, token: str | None) -> None:
        self.token = token

    def create_repo(self, repo_id: str, **options: object) -> None:
        if repo_id == "refused/x":
            raise OSError("401, no token")
        if repo_id == "offline/x":  # as httpx's, which is no OSError
            raise type("ConnectError", (Exception,), {})("Name or service not known")

    def upload_folder(
        self, *, repo_id: str, folder_path: str, commit_message: str
    ) -> object:
        Hub.files = {p.name: p.read_bytes() for p in Path(folder_path).iterdir()}
        return types.SimpleNamespace(commit_url=f"https://hub/{repo_id}/commit/1")


def test_a_model_is_uploaded_by_the_hubs_own_client(monkeypatch, small_vit) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ZimError, match="pip install huggingface_hub"):
        push_to_hub(small_vit, "someone/x")
    client = types.ModuleType("huggingface_hub")
    monkeypatch.setattr(client, "HfApi", Hub, raising=False)
    monkeypatch.setitem(sys.modules, "huggingface_hub", client)
    assert push_to_hub(small_vit, "someone/x") == "https://hub/someone/x/commit/1"
    assert sorted(Hub.files) == [CONFIG_FILE, PRETRAINED_FILE]
    for name in ("refused/x", "offline/x"):
        with pytest.raises(ZimError, match=f"{name} cannot be uploaded.*hf auth login"):
            push_to_hub(small_vit, name)
