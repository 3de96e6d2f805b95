"""What every image encoder does; a new one gets an entry in SMALL."""

import importlib.util
import json
import sys
from dataclasses import replace

import pytest
import torch

from tests.zim_model.conftest import SMALL_VIT, random_model
from tests.zim_model.network import timm_stand_in
from zim_model.errors import WeightsError
from zim_model.network.config import ZimConfig, sam_variant
from zim_model.network.encoder_configs import (
    ENCODERS,
    HieraConfig,
    LiteConfig,
    TimmConfig,
    TinyVitConfig,
    VitConfig,
)
from zim_model.weights.checkpoint import build, check_weights, load_model, save_model

SMALL = {
    "vit": VitConfig(dim=32, depth=2, heads=2, global_blocks=(1,), window=3),
    "lite": LiteConfig(),
    "tiny_vit": TinyVitConfig((8, 16, 24, 32), (1, 1, 2, 1), (2, 2, 4), (3, 5, 3)),
    "hiera": HieraConfig(8, 1, (1, 1, 2, 1), (3,), (4, 2, 6, 3)),
    "timm": TimmConfig("resnet18"),
}
"""A small configuration of each kind."""


@pytest.fixture(scope="module", autouse=True)
def timm():
    """The package, or a stand-in where it is not installed."""
    with pytest.MonkeyPatch.context() as patch:
        if importlib.util.find_spec("timm") is None:
            patch.setitem(sys.modules, "timm", timm_stand_in.module())
        yield


@pytest.fixture(params=sorted(ENCODERS), scope="module")
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def config(kind):
    encoder = SMALL[kind]
    decoder = "sam2" if encoder.PYRAMID else "sam"
    sam = replace(sam_variant(SMALL_VIT), name=f"small-{kind}")
    return replace(sam, encoder=encoder, pixel_decoder=decoder)


@pytest.fixture(scope="module")
def model(config):
    return random_model(config)


def images(config, count=1):
    generator = torch.Generator().manual_seed(2)
    side = config.image_size
    return torch.randn(count, 3, side, side, generator=generator)


@torch.no_grad()
def test_embeddings_are_of_a_grid_of_stride_16_and_of_each_image_alone(config, model):
    both = images(config, 2)
    embeddings = model.encode(both).embeddings
    assert embeddings.shape == (2, config.embed_dim, config.grid, config.grid)
    alone = model.encode(both[1:]).embeddings
    torch.testing.assert_close(embeddings[1:], alone, rtol=1e-4, atol=1e-4)


def test_every_weight_learns(config):
    model = random_model(config, seed=3).train()
    features = model.encode(images(config, 2)).tensors()
    sum(x.square().mean() for x in features).backward()
    still = [
        name
        for name, parameter in model.image_encoder.named_parameters()
        if parameter.grad is None
    ]
    assert not still


def test_the_configuration_is_plain_values_with_the_kind_named(kind, config):
    data = json.loads(json.dumps(config.to_json()))
    assert data["encoder"]["kind"] == kind
    assert ZimConfig.from_json(data) == config


def test_an_input_that_the_strides_do_not_divide_is_refused(config):
    with pytest.raises(ValueError, match="no multiple"):
        replace(config, image_size=config.encoder.multiple * 4 + 8)


def test_a_malformed_configuration_is_refused(config):
    data = config.to_json()
    for name in data["encoder"]:
        if name in ("kind", "global_blocks"):
            continue
        broken = {**data, "encoder": {**data["encoder"], name: [1 << 20]}}
        with pytest.raises(WeightsError, match=r"Malformed|unknown"):
            ZimConfig.from_json(broken)


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("tiny_vit", {"windows": [0, 5, 3]}),
        ("tiny_vit", {"heads": [2, 0, 4]}),
        ("tiny_vit", {"heads": [3, 2, 4]}),
        ("tiny_vit", {"windows": [3, 5, 900]}),
        ("hiera", {"windows": [4, 3, 6, 3]}),
        ("hiera", {"background": 0}),
        ("hiera", {"depths": [1, 0, 2, 1]}),
        ("hiera", {"heads": 3}),
        ("timm", {"model": 5}),
    ],
)
def test_numbers_that_no_network_can_have_are_refused(kind, changes):
    sam = replace(sam_variant(SMALL_VIT), encoder=SMALL[kind]).to_json()
    with pytest.raises(WeightsError, match="Malformed"):
        ZimConfig.from_json({**sam, "encoder": {**sam["encoder"], **changes}})


def test_saved_weights_load_and_predict_alike(config, model, tmp_path):
    path = tmp_path / "model.safetensors"
    save_model(model, path, half=False)
    loaded = load_model(path)
    assert loaded.config == check_weights(path) == config
    image = images(config)
    with torch.no_grad():
        expected, actual = (m.encode(image).embeddings for m in (model, loaded))
    assert torch.equal(expected, actual)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nonsense", "no network called"),
        ("hf-hub:someone/network", "no network called"),
        ("vit_tiny_patch16_224", "no features at strides|one size only"),
        ("swin_tiny_patch4_window7_224", "one size only"),
    ],
)
def test_a_network_of_timm_that_does_not_suit_is_refused(name, words, tmp_path):
    """Also in a stranger's file, which is named, and before anything is fetched."""
    sam = replace(sam_variant(SMALL_VIT), encoder=SMALL["timm"], pixel_decoder="sam2")
    path = tmp_path / "strange.safetensors"
    model = random_model(sam)
    model.config = replace(sam, encoder=TimmConfig(name))
    save_model(model, path)
    for use in (load_model, check_weights):
        with pytest.raises(WeightsError, match=words) as caught:
            use(path)
        assert "strange.safetensors" in caught.value.message
        assert caught.value.hint


def test_without_timm_its_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    sam = replace(sam_variant(SMALL_VIT), encoder=SMALL["timm"])
    with pytest.raises(WeightsError, match="not installed") as caught:
        build(sam)
    assert "zim-studio[timm]" in caught.value.hint


def test_details_need_an_encoder_with_a_pyramid():
    with pytest.raises(ValueError, match="pyramid"):
        replace(sam_variant(SMALL_VIT), pixel_decoder="sam2")
