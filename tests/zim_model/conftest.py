import re
from dataclasses import replace

import pytest
import torch

from zim_model.network.config import (
    TinyConfig,
    VitConfig,
    ZimConfig,
    hq_variant,
    sam_variant,
)
from zim_model.network.encoder_configs import HieraConfig, TinyVitConfig
from zim_model.network.vitmatte import VitMatte, VitMatteConfig
from zim_model.weights.checkpoint import build

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
SMALL_SAM2 = replace(
    sam_variant(SMALL_VIT),
    name="small-sam2",
    # Windows that do not divide their stages.
    encoder=HieraConfig(16, 1, (1, 2, 3, 2), (4, 5), (4, 2, 6, 3), background=5),
    pixel_decoder="sam2",
    head_dim=32,
)
SMALL_MOBILE_SAM = replace(
    sam_variant(SMALL_VIT),
    name="small-mobile-sam",
    encoder=TinyVitConfig((8, 16, 24, 32), (1, 1, 2, 1), (2, 2, 4), (3, 5, 3)),
)
SMALL_HQ_SAM = replace(
    hq_variant(sam_variant(SMALL_VIT)),
    name="small-hq-sam",
    # Two blocks attend globally, of which the first counts.
    encoder=VitConfig(dim=32, depth=4, heads=2, global_blocks=(1, 3), window=3),
    head_dim=32,
)
SMALL_TINY = TinyConfig(
    "small-tiny",
    image_size=128,
    widths=(16, 16, 8, 8),
    depth=1,
    head=8,
    prompt_widths=(8, 8, 8, 8),
)

TINY_VITMATTE = VitMatteConfig(
    "tiny-vitmatte",
    VitConfig(dim=32, depth=4, heads=2, global_blocks=(1, 3), window=3),
    grid=5,
    position_grid=4,
    detail_channels=(4, 6, 8),
    fusion_channels=(16, 12, 8, 6),
)


def random_vitmatte(seed=0):
    """A small trimap network whose every weight matters, with alpha of all values."""
    torch.manual_seed(seed)
    network = VitMatte(TINY_VITMATTE)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            scale = 0.5 if "pos" in name else 0.1
            parameter.add_(scale * torch.randn_like(parameter))
        norms = [m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d)]
        for norm in norms:
            norm.momentum = 1.0
        network.train()(2 * torch.rand(1, 4, 96, 64) - 1)  # sets the norms' statistics
        for norm in norms:
            norm.momentum = 0.1
    return network.eval()


HUB_NAMES = (
    (r"^patch_embed\.proj", "backbone.embeddings.projection"),
    (r"^pos_embed", "backbone.embeddings.position_embeddings"),
    (r"^blocks", "backbone.encoder.layer"),
    (r"\.attn\.", ".attention."),
    (r"\.mlp\.lin", ".mlp.fc"),
    (r"^(details\.convs\.\d)\.0", r"\1.conv"),
    (r"^(details\.convs\.\d)\.1", r"\1.batch_norm"),
    (r"^details", "decoder.convstream"),
    (r"^fusions\.(\d)\.0", r"decoder.fusion_blocks.\1.conv.conv"),
    (r"^fusions\.(\d)\.1", r"decoder.fusion_blocks.\1.conv.batch_norm"),
    (r"^head", "decoder.matting_head.matting_convs"),
)


def hub_names(network):
    """Tensors of a VitMatte under the names of the published checkpoints."""
    renamed = {}
    for name, tensor in network.state_dict().items():
        for pattern, replacement in HUB_NAMES:
            name = re.sub(pattern, replacement, name)
        renamed[name] = tensor
    return renamed


def random_model(config, seed=0):
    """A model whose every weight matters (what starts at zero is moved)."""
    torch.manual_seed(seed)
    model = build(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
        if isinstance(config, TinyConfig):  # alpha of all values
            model.head_answers.weight.mul_(40)
    return model


@pytest.fixture(scope="session")
def small_vit():
    return random_model(SMALL_VIT)


@pytest.fixture(scope="session")
def small_tiny():
    return random_model(SMALL_TINY)
