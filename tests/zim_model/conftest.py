from dataclasses import replace

import pytest
import torch

from zim_model.network.config import CnnConfig, VitConfig, ZimConfig
from zim_model.network.cue_maps import CUES
from zim_model.network.zim import Zim

SMALL_VIT = ZimConfig(
    "small-vit",
    image_size=128,
    encoder=VitConfig(dim=32, depth=2, heads=2, global_blocks=(1,), window=3),
    embed_dim=32,
    transformer_heads=4,
    transformer_mlp=32,
    head_dim=16,
    detail_channels=(4, 8, 12),
    fusion_channels=(12, 8, 4),
)
SMALL_CNN = replace(
    SMALL_VIT,
    name="small-cnn",
    encoder=CnnConfig(widths=(12, 16, 16), depths=(1, 1, 1)),
    cue_channels=len(CUES),
    cue_widths=(6, 8, 12),
    view="object",
    resize="area",
)


def random_model(config, seed=0):
    """A model whose every weight matters (norms that start at zero are moved)."""
    torch.manual_seed(seed)
    model = Zim(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model


@pytest.fixture(scope="session")
def small_vit():
    return random_model(SMALL_VIT)


@pytest.fixture(scope="session")
def small_cnn():
    return random_model(SMALL_CNN)
