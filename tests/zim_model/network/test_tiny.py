from dataclasses import replace

import pytest
import torch

from zim_model.errors import WeightsError
from zim_model.network.config import LiteConfig, TinyConfig
from zim_model.network.efficientnet_lite import scaled_pixels
from zim_model.network.tiny import ZimTiny

SMALL = TinyConfig(
    "small", 64, widths=(16, 16, 16, 8), depth=1, head=8, prompt_widths=(8, 8, 8, 8)
)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    model = ZimTiny(SMALL).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model


def inputs(count=2, side=64, seed=1):
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.randint(0, 256, (count, 3, side, side), generator=generator)
    maps = (torch.rand(count, 4, side, side, generator=generator) > 0.9).float()
    return scaled_pixels(pixels), maps


def test_four_candidates_at_half_the_size(network):
    logits, iou = network(*inputs())
    assert logits.shape == (2, 4, 32, 32)
    assert iou.shape == (2, 4)
    assert (iou > 0).all()
    assert (iou < 1).all()


def test_part_object_and_group_contain_each_other(network):
    logits, _ = network(*inputs())
    assert (logits[:, 2] >= logits[:, 1]).all()
    assert (logits[:, 3] >= logits[:, 2]).all()


@pytest.mark.parametrize("layer", range(4))
def test_every_prompt_map_matters(network, layer):
    image, maps = inputs(1)
    changed = maps.clone()
    changed[:, layer] = 1 - changed[:, layer]
    with torch.no_grad():
        before, after = network(image, maps)[0], network(image, changed)[0]
    assert not torch.allclose(before, after, atol=1e-3)


def test_prompts_do_not_change_the_pretrained_encoder_at_first():
    torch.manual_seed(0)
    model = ZimTiny(SMALL).eval()
    image, maps = inputs(1)
    with torch.no_grad():
        added, _ = model.prompt_stream(maps)
        with_prompts = model.image_encoder(image, added)
        without = model.image_encoder(image)
    for a, b in zip(with_prompts, without, strict=True):
        torch.testing.assert_close(a, b)


def test_predictions_of_a_batch_equal_those_of_its_members(network):
    image, maps = inputs(3)
    with torch.no_grad():
        together, _ = network(image, maps)
        alone = [network(image[i : i + 1], maps[i : i + 1])[0] for i in range(3)]
    torch.testing.assert_close(together, torch.cat(alone), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "config", [SMALL, TinyConfig(), TinyConfig(encoder=LiteConfig("lite2"))]
)
def test_configurations_survive_json(config):
    assert TinyConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize(
    "change",
    [
        {"encoder": {"kind": "lite", "variant": "lite9"}},
        {"encoder": {"kind": "vit"}},
        {"image_size": 100},
        {"image_size": 0},
        {"widths": [16, 16, 16]},
        {"widths": [12, 16, 16, 16]},
        {"depth": 0},
        {"prompt_widths": [0, 8, 8, 8]},
        {"colour": 1},
    ],
)
def test_malformed_configurations_are_refused(change):
    with pytest.raises(WeightsError):
        TinyConfig.from_json({**SMALL.to_json(), **change})


def test_the_input_side_is_a_multiple_of_32():
    with pytest.raises(ValueError, match="multiple of 32"):
        replace(SMALL, image_size=72)
