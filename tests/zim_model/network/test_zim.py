from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.zim_model.conftest import SMALL_VIT, random_model
from zim_model.backends.torch_backend import prompt_tokens
from zim_model.errors import WeightsError
from zim_model.network import pixel_decoder
from zim_model.network.config import CONFIGS, ZIM_VIT_B, LiteConfig, ZimConfig
from zim_model.network.decoder import (
    ABSENT,
    BOTTOM_RIGHT,
    NEGATIVE,
    PADDING,
    POSITIVE,
    TOP_LEFT,
    attention_mask,
)
from zim_model.network.encoder import VitAttention, relative_positions
from zim_model.network.zim import Zim
from zim_model.prompts import Box, Point, PromptSet, Scribble

SIGMA = 21 / 64
IMAGE = torch.randn(1, 3, 128, 128, generator=torch.Generator().manual_seed(3))


def decoded(model, prompts, length=0):
    coords, labels = prompt_tokens(prompts, length)
    with torch.no_grad():
        return model.decode(
            model.encode(IMAGE),
            torch.from_numpy(coords)[None],
            torch.from_numpy(labels)[None],
        )


POINT = PromptSet((Point(40, 50),))
BOX = PromptSet((), Box(16, 20, 90, 100))
BOTH = PromptSet(POINT.points, BOX.box)


def test_published_shapes_of_zim_vit_b():
    with torch.device("meta"):
        model = Zim(ZIM_VIT_B)
    features = model.to_empty(device="meta").encode(
        torch.empty(1, 3, 1024, 1024, device="meta")
    )
    assert features.embeddings.shape == (1, 256, 64, 64)
    assert [tuple(d.shape[1:]) for d in features.details] == [
        (64, 512, 512),
        (128, 256, 256),
        (256, 128, 128),
    ]


@pytest.mark.parametrize(
    ("name", "millions"),
    [("sam-vit-b", 93.7), ("sam-vit-l", 312.3), ("sam-vit-h", 641.1)],
)
def test_parameter_counts_of_sam(name, millions):
    with torch.device("meta"):
        model = Zim(CONFIGS[name])
    count = sum(p.numel() for p in model.parameters()) / 1e6
    assert count == pytest.approx(millions, abs=0.1)


@pytest.mark.parametrize("prompts", [POINT, BOX, BOTH])
def test_any_prompts_give_four_masks_at_half_the_input_size(small_vit, prompts):
    logits, iou = decoded(small_vit, prompts)
    assert logits.shape == (1, 4, 64, 64)
    assert iou.shape == (1, 4)


def test_a_point_counts_beside_a_box(small_vit):
    alone, _ = decoded(small_vit, BOX)
    both, _ = decoded(small_vit, BOTH)
    negative, _ = decoded(
        small_vit, PromptSet((Point(40, 50, positive=False),), BOX.box)
    )
    assert not torch.allclose(alone, both)
    assert not torch.allclose(both, negative)


@pytest.mark.parametrize("prompts", [POINT, BOX, BOTH])
@pytest.mark.parametrize("masked", ["none", "t2i", "i2t", "both"])
def test_absent_tokens_change_nothing(prompts, masked):
    model = random_model(replace(SMALL_VIT, masked_attention=masked))
    logits, iou = decoded(model, prompts)
    padded, padded_iou = decoded(model, prompts, length=9)
    torch.testing.assert_close(padded, logits, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(padded_iou, iou, rtol=1e-4, atol=1e-5)


def test_regions_are_boxes_and_negative_points():
    loop = Scribble(((16, 20), (90, 20), (50, 100)), region=True)
    hole = Scribble(((30, 30), (50, 30), (50, 50), (30, 50)), False, region=True)
    tokens = prompt_tokens(PromptSet(scribbles=(loop, hole)))
    expected = prompt_tokens(PromptSet((Point(40, 40, False),), BOX.box))
    np.testing.assert_array_equal(tokens[0], expected[0])
    np.testing.assert_array_equal(tokens[1], expected[1])


def test_a_batch_decodes_as_its_members_alone(small_vit):
    alone = [decoded(small_vit, p)[0] for p in (POINT, BOX, BOTH)]
    tokens = [prompt_tokens(p, 5) for p in (POINT, BOX, BOTH)]
    with torch.no_grad():
        together, _ = small_vit.decode(
            small_vit.encode(IMAGE),
            torch.from_numpy(np.stack([t[0] for t in tokens])),
            torch.from_numpy(np.stack([t[1] for t in tokens])),
        )
    torch.testing.assert_close(together, torch.cat(alone), rtol=1e-4, atol=1e-5)


def test_the_masked_attentions_change_the_prediction():
    answers = {}
    for masked in ("none", "t2i", "i2t", "both"):
        model = random_model(replace(SMALL_VIT, masked_attention=masked))
        answers[masked] = decoded(model, BOX)[0]
    names = list(answers)
    for i, a in enumerate(names):
        for b in names[:i]:
            assert not torch.allclose(answers[a], answers[b]), (a, b)


def test_sam_pixel_decoder_gives_quarter_size_masks():
    model = random_model(replace(SMALL_VIT, pixel_decoder="sam"))
    assert model.detail_stream is None
    assert decoded(model, POINT)[0].shape == (1, 4, 32, 32)


def masks(coords, labels, grid=64, sigma=SIGMA):
    return attention_mask(
        torch.tensor([coords], dtype=torch.float32), torch.tensor([labels]), grid, sigma
    )[0].numpy()


def test_attention_mask_of_points_is_the_largest_gaussian():
    coords, labels = [(100, 500), (900, 30)], [POSITIVE, NEGATIVE]
    y, x = np.mgrid[:64, :64]
    expected = np.maximum(
        np.exp(-((x - 6) ** 2 + (y - 31) ** 2) / (2 * 21**2)),
        np.exp(-((x - 56) ** 2 + (y - 1) ** 2) / (2 * 21**2)),
    )
    np.testing.assert_allclose(masks(coords, labels), expected, rtol=1e-5)


def test_attention_mask_ignores_padding():
    alone = masks([(100, 500)], [POSITIVE])
    padded = masks([(100, 500), (0, 0), (0, 0)], [POSITIVE, PADDING, ABSENT])
    np.testing.assert_array_equal(alone, padded)


def test_attention_mask_of_a_box_covers_the_cells_it_touches():
    mask = masks([(100, 200), (300, 1024)], [TOP_LEFT, BOTTOM_RIGHT])
    expected = np.zeros((64, 64))
    expected[12:64, 6:19] = 1
    np.testing.assert_array_equal(mask, expected)


@pytest.mark.parametrize(
    "corners", [[(300, 200), (100, 700)], [(300, 700), (100, 200)]]
)
def test_attention_mask_of_a_box_does_not_depend_on_its_corners_order(corners):
    expected = masks([(100, 200), (300, 700)], [TOP_LEFT, BOTTOM_RIGHT])
    swapped = masks(corners, [TOP_LEFT, BOTTOM_RIGHT])
    np.testing.assert_array_equal(swapped, expected)


def test_attention_mask_of_a_degenerate_box_keeps_a_cell():
    mask = masks([(1023.9, 5), (1024, 6)], [TOP_LEFT, BOTTOM_RIGHT])
    assert mask.sum() == 1


def test_attention_mask_of_points_and_box_is_the_product():
    point = masks([(100, 500)], [POSITIVE])
    box = masks([(90, 400), (300, 700)], [TOP_LEFT, BOTTOM_RIGHT])
    both = masks(
        [(100, 500), (90, 400), (300, 700)], [POSITIVE, TOP_LEFT, BOTTOM_RIGHT]
    )
    np.testing.assert_allclose(both, point * box)


def test_relative_position_is_query_minus_key():
    table = torch.arange(5.0)[:, None]  # offsets -2 .. 2
    assert relative_positions(table, 3)[..., 0].tolist() == [
        [2, 1, 0],
        [3, 2, 1],
        [4, 3, 2],
    ]


def test_large_grids_take_the_other_kernel_with_the_same_result():
    torch.manual_seed(0)
    attention = VitAttention(16, 2, 24)
    torch.nn.init.normal_(attention.rel_pos_h)
    torch.nn.init.normal_(attention.rel_pos_w)
    x = torch.randn(1, 24, 24, 16)
    q, k, _ = attention.qkv(x).reshape(1, 576, 3, 2, 8).permute(2, 0, 3, 1, 4)
    i, j = 100, 301
    yi, xi, yj, xj = i // 24, i % 24, j // 24, j % 24
    with torch.no_grad():
        out = attention(x)
        logits = q[0] @ k[0].mT / 8**0.5
        grid = q[0].reshape(2, 24, 24, 8)
        h, w = (
            relative_positions(t, 24)
            for t in (attention.rel_pos_h, attention.rel_pos_w)
        )
        rows = torch.einsum("nyxd,ykd->nyxk", grid, h).flatten(1, 2)
        columns = torch.einsum("nyxd,xkd->nyxk", grid, w).flatten(1, 2)
        logits += rows.repeat_interleave(24, -1) + columns.repeat(1, 1, 24)
        direct = q[0, 0, i] @ k[0, 0, j] / 8**0.5
        direct += q[0, 0, i] @ attention.rel_pos_h[yi - yj + 23]
        direct += q[0, 0, i] @ attention.rel_pos_w[xi - xj + 23]
        torch.testing.assert_close(logits[0, i, j], direct, rtol=1e-4, atol=1e-4)
        v = attention.qkv(x).reshape(576, 3, 2, 8)[:, 2].transpose(0, 1)
        expected = (logits.softmax(-1) @ v).transpose(0, 1).reshape(1, 24, 24, 16)
        torch.testing.assert_close(out, attention.proj(expected), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", sorted(CONFIGS))
def test_configurations_survive_json(name):
    assert ZimConfig.from_json(CONFIGS[name].to_json()) == CONFIGS[name]


def test_unknown_configuration_keys_are_named():
    with pytest.raises(WeightsError, match="colour_of_hat"):
        ZimConfig.from_json({**SMALL_VIT.to_json(), "colour_of_hat": 1})


def test_input_size_must_fit_the_stride():
    with pytest.raises(ValueError, match="16"):
        replace(SMALL_VIT, image_size=100)
    with pytest.raises(ValueError, match="32"):
        replace(SMALL_VIT, encoder=LiteConfig(), image_size=144)


def answer_of(model, features, prompts_sets, mask_input=None):
    tokens = [prompt_tokens(p, 6) for p in prompts_sets]
    with torch.no_grad():
        return model.decode(
            features,
            torch.from_numpy(np.stack([t[0] for t in tokens])),
            torch.from_numpy(np.stack([t[1] for t in tokens])),
            mask_input,
        )


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("views", [1, 3])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"masked_attention": "both"},
        {"pixel_decoder": "sam"},
        {"encoder": LiteConfig()},
    ],
    ids=["zim", "both", "sam", "lite"],
)
def test_precomputed_features_give_the_same_predictions(
    changes, views, masked, monkeypatch
):
    monkeypatch.setattr(
        pixel_decoder, "MIN_FUSED_SIDE", 16
    )  # both implementations occur at this size
    model = random_model(replace(SMALL_VIT, **changes))
    for module in model.modules():  # norms that have seen images
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.running_mean, -0.5, 0.5)
            torch.nn.init.uniform_(module.running_var, 0.5, 2)
    draw = torch.Generator().manual_seed(5)
    with torch.no_grad():
        plain = model.encode(torch.randn(views, 3, 128, 128, generator=draw))
        prepared = model.precompute(plain)
    mask = torch.randn(3, 1, 32, 32, generator=draw) if masked else None
    expected = answer_of(model, plain, (POINT, BOX, BOTH), mask)
    actual = answer_of(model, prepared, (POINT, BOX, BOTH), mask)
    for a, b in zip(actual, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_prepared_features_of_zim_vit_b_take_half_the_memory():
    with torch.device("meta"):
        model = Zim(ZIM_VIT_B).eval()
        plain = model.encode(torch.empty(1, 3, 1024, 1024))
        prepared = model.precompute(plain)
    details = sum(d.nbytes for d in plain.details)
    assert sum(s.value.nbytes for s in prepared.decoder_cache.fusions) == details / 2
    assert prepared.nbytes < 0.6 * plain.nbytes


def test_features_are_not_prepared_while_training():
    model = Zim(SMALL_VIT).train()
    with pytest.raises(ValueError, match="training"):
        model.precompute(model.encode(IMAGE))


def test_several_prompt_sets_of_an_image_are_trained_with_one_term_of_it():
    """As if the image's map were copied for each prompt set, with its gradients."""
    torch.manual_seed(0)
    fusion = pixel_decoder.FusionConv(6, 4, 5)
    images, coarse = torch.randn(2, 6, 16, 16), torch.randn(6, 4, 8, 8)
    shared = fusion.fuse(images, coarse)
    shared.sum().backward()
    gradient = fusion[0].weight.grad.clone()
    fusion.zero_grad()
    copied = fusion.fuse(images.repeat_interleave(3, 0), coarse)
    copied.sum().backward()
    assert torch.allclose(shared, copied, atol=1e-5)
    assert torch.allclose(gradient, fusion[0].weight.grad, atol=1e-2, rtol=1e-4)


def test_attention_is_the_same_with_and_without_gradients():
    model = random_model(SMALL_VIT)
    coords, labels = map(torch.from_numpy, prompt_tokens(POINT, 6))
    features = model.encode(IMAGE)
    learned, _ = model.decode(features, coords[None], labels[None])
    assert learned.requires_grad
    assert torch.allclose(learned, decoded(model, POINT, 6)[0], atol=1e-4)
