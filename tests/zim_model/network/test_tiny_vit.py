"""TinyViT equals the definition in the timm package, on weights made by a formula.

What timm computes is stored in ``tests/data/tiny_vit.npy``; where timm is installed, it
is computed anew (``python -m tests.zim_model.network.test_tiny_vit`` stores it).
"""

import re
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest
import torch

from zim_model.network.encoder_configs import TinyVitConfig
from zim_model.network.tiny_vit import STRIDES, TinyVitEncoder

STORED = Path(__file__).parents[2] / "data" / "tiny_vit.npy"
CONFIG = TinyVitConfig((16, 24, 32, 40), (1, 2, 1, 1), (2, 2, 4), (3, 5, 3))
SIDE = 96
TIMM_NAMES = (
    (r"^patch_embed\.seq\.0", "patch_embed.conv1"),
    (r"^patch_embed\.seq\.2", "patch_embed.conv2"),
    (r"^layers\.0\.downsample", "stages.1.downsample"),
    (r"^layers\.1\.downsample", "stages.2.downsample"),
    (r"^layers\.2\.downsample", "stages.3.downsample"),
    (r"^layers", "stages"),
    (r"\.c\.", ".conv."),
)


def by_formula(name, shape):
    """A tensor of numbers that depend on the name and the shape alone."""
    count = int(np.prod(shape))
    places = np.arange(count) * 1.7 + crc32(name.encode()) % 1009
    values = np.sin(places).reshape(shape)
    if name.endswith(("running_var", "bn.weight", "norm.weight")):
        values = 1 + 0.5 * values
    return torch.from_numpy((0.3 * values).astype(np.float32))


def own_encoder():
    encoder = TinyVitEncoder(CONFIG, SIDE, 32).eval()
    for name, tensor in encoder.state_dict().items():
        if tensor.is_floating_point():
            tensor.copy_(by_formula(name, tensor.shape))
    return encoder


def timm_features():
    """Features before the neck, computed by timm."""
    models = pytest.importorskip("timm.models.tiny_vit")
    reference = models.TinyVit(
        num_classes=0,
        embed_dims=CONFIG.dims,
        depths=CONFIG.depths,
        num_heads=(1, *CONFIG.heads),
        window_sizes=(1, *CONFIG.windows),
        drop_path_rate=0.0,
    ).eval()
    # MobileSAM's last stage keeps the stride.
    for stride, stage in zip(STRIDES, reference.stages[1:], strict=True):
        stage.downsample.conv2.conv.stride = (stride, stride)
    state = {}
    for name, tensor in own_encoder().state_dict().items():
        for pattern, replacement in TIMM_NAMES:
            name = re.sub(pattern, replacement, name)
        state[name] = tensor
    own = {k: v for k, v in state.items() if not k.startswith("neck.")}
    missing, unexpected = reference.load_state_dict(own, strict=False)
    assert not unexpected
    assert all(name.startswith("head.") for name in missing)
    with torch.no_grad():
        x = reference.patch_embed(by_formula("image", (1, 3, SIDE, SIDE)))
        return reference.stages(x)[0].numpy()


@torch.no_grad()
def own_features():
    encoder = own_encoder()
    x = encoder.patch_embed(by_formula("image", (1, 3, SIDE, SIDE)))
    for stage in encoder.layers:
        x = stage(x)
    return x[0].numpy()


def test_features_equal_what_timm_computed():
    np.testing.assert_allclose(own_features(), np.load(STORED), rtol=1e-4, atol=1e-4)


def test_features_equal_timms():
    np.testing.assert_allclose(own_features(), timm_features(), rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_the_batch_norms_in_the_convolutions_change_nothing():
    """In evaluation mode they are folded into the convolutions' weights."""
    encoder = own_encoder()
    conv = encoder.layers[1].downsample.conv2
    x = by_formula("x", (1, conv.c.in_channels, 9, 9))
    torch.testing.assert_close(conv(x), conv.bn(conv.c(x)), rtol=1e-5, atol=1e-5)


if __name__ == "__main__":
    np.save(STORED, timm_features())
