"""The SAM parts equal an independent implementation (transformers), random weights."""

import re

import numpy as np
import pytest
import torch

from zim_model.inference.backends import prompt_tokens
from zim_model.network.config import VitConfig, ZimConfig, sam_variant
from zim_model.network.zim import Zim
from zim_model.prompts import Box, Point, PromptSet
from zim_model.weights.sam_checkpoint import zim_from_sam
from zim_model.weights.tensors import load_strict

transformers = pytest.importorskip("transformers")

SIZE = 64 * 4
TINY_ZIM = ZimConfig(
    "zim-test",
    image_size=SIZE,
    encoder=VitConfig(dim=32, depth=3, heads=2, global_blocks=(1,), window=5),
    embed_dim=32,
    transformer_heads=4,
    transformer_mlp=48,
    head_dim=32,
    detail_channels=(4, 8, 16),
    fusion_channels=(16, 8, 4),
)
TINY_SAM = sam_variant(TINY_ZIM)

RENAMES = (
    (r"^vision_encoder\.patch_embed\.projection", "image_encoder.patch_embed.proj"),
    (r"^vision_encoder\.layers", "image_encoder.blocks"),
    (r"^vision_encoder\.neck\.conv1", "image_encoder.neck.0"),
    (r"^vision_encoder\.neck\.layer_norm1", "image_encoder.neck.1"),
    (r"^vision_encoder\.neck\.conv2", "image_encoder.neck.2"),
    (r"^vision_encoder\.neck\.layer_norm2", "image_encoder.neck.3"),
    (r"^vision_encoder", "image_encoder"),
    (
        r"^(prompt_encoder\.)?shared_(image_)?embedding\.positional_embedding",
        "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix",
    ),
    (r"prompt_encoder\.point_embed\.", "prompt_encoder.point_embeddings."),
    (r"mask_embed\.conv1", "mask_downscaling.0"),
    (r"mask_embed\.layer_norm1", "mask_downscaling.1"),
    (r"mask_embed\.conv2", "mask_downscaling.3"),
    (r"mask_embed\.layer_norm2", "mask_downscaling.4"),
    (r"mask_embed\.conv3", "mask_downscaling.6"),
    (r"mask_decoder\.upscale_conv1", "mask_decoder.output_upscaling.0"),
    (r"mask_decoder\.upscale_layer_norm", "mask_decoder.output_upscaling.1"),
    (r"mask_decoder\.upscale_conv2", "mask_decoder.output_upscaling.3"),
    (r"(hypernetworks_mlps\.\d|prediction_head)\.layers\.0", r"\1.layers.1"),
    (r"(hypernetworks_mlps\.\d|prediction_head)\.proj_in", r"\1.layers.0"),
    (r"(hypernetworks_mlps\.\d|prediction_head)\.proj_out", r"\1.layers.2"),
    (r"layer_norm_final_attn", "norm_final_attn"),
    (r"layer_norm(\d)", r"norm\1"),
)


def sam_names(state):
    """Tensors of transformers' SamModel under the names of Meta's checkpoints."""
    renamed = {}
    for key, value in state.items():
        for pattern, name in RENAMES:
            key = re.sub(pattern, name, key)
        renamed[key] = value
    return renamed


@pytest.fixture(scope="module")
def reference():
    torch.manual_seed(0)
    vit = TINY_SAM.encoder
    config = transformers.SamConfig(
        vision_config={
            "hidden_size": vit.dim,
            "output_channels": 32,
            "num_hidden_layers": vit.depth,
            "num_attention_heads": vit.heads,
            "image_size": SIZE,
            "patch_size": 16,
            "window_size": vit.window,
            "global_attn_indexes": list(vit.global_blocks),
            "num_pos_feats": 16,
            "mlp_dim": vit.dim * 4,
        },
        prompt_encoder_config={
            "hidden_size": 32,
            "image_size": SIZE,
            "patch_size": 16,
        },
        mask_decoder_config={
            "hidden_size": 32,
            "num_attention_heads": 4,
            "mlp_dim": 48,
            "iou_head_hidden_dim": 32,
        },
    )
    model = transformers.SamModel(config).eval()
    for parameter in model.parameters():  # zero tables would hide mistakes
        parameter.data.normal_(0, 0.2)
    return model


@pytest.fixture(scope="module")
def ours(reference):
    model = Zim(TINY_SAM).eval()
    load_strict(model, sam_names(reference.state_dict()), "reference")
    return model


@pytest.fixture(scope="module")
def image():
    return torch.randn(1, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1))


def assert_close(a, b):
    torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_image_encoder(reference, ours, image):
    assert_close(ours.encode(image).embeddings, reference.get_image_embeddings(image))


PROMPTS = {
    "points": PromptSet((Point(20, 30), Point(200, 90, False))),
    "box": PromptSet((), Box(10, 20, 180, 240)),
    "both": PromptSet((Point(20, 30),), Box(10, 20, 180, 240)),
}


def reference_arguments(prompts):
    arguments = {}
    if prompts.points:
        coords, labels = prompts.point_arrays()
        arguments["input_points"] = torch.from_numpy(coords)[None, None]
        arguments["input_labels"] = torch.from_numpy(labels).int()[None, None]
    if prompts.box:
        box = prompts.box
        edges = [box.x0, box.y0, box.x1, box.y1]
        arguments["input_boxes"] = torch.tensor(edges)[None, None]
    return arguments


@pytest.mark.parametrize("name", PROMPTS)
@torch.no_grad()
def test_masks_and_scores(reference, ours, image, name):
    expected = reference(
        pixel_values=image, **reference_arguments(PROMPTS[name]), multimask_output=True
    )
    single = reference(
        pixel_values=image, **reference_arguments(PROMPTS[name]), multimask_output=False
    )
    coords, labels = prompt_tokens(PROMPTS[name])
    logits, scores = ours.decode(
        ours.encode(image),
        torch.from_numpy(coords)[None],
        torch.from_numpy(labels)[None],
    )
    assert_close(logits[:, 1:], expected.pred_masks[:, 0])
    assert_close(scores[:, 1:], expected.iou_scores[:, 0])
    assert_close(logits[:, :1], single.pred_masks[:, 0])


@torch.no_grad()
def test_prompt_tokens_and_position_encoding(reference, ours):
    coords, labels = prompt_tokens(PROMPTS["points"])
    tokens = ours.prompt_encoder.tokens(
        torch.from_numpy(coords)[None], torch.from_numpy(labels)[None], SIZE
    )
    expected, _ = reference.prompt_encoder(
        input_points=torch.from_numpy(coords)[None, None, :2],
        input_labels=torch.from_numpy(labels)[None, None, :2],
        input_boxes=None,
        input_masks=None,
    )
    assert_close(tokens, expected[:, 0])
    grid = SIZE // 16
    assert_close(
        ours.prompt_encoder.pe_layer.grid(grid),
        reference.get_image_wide_positional_embeddings(),
    )


@torch.no_grad()
def test_mask_input(reference, ours, image):
    mask = torch.randn(1, 1, SIZE // 4, SIZE // 4)
    expected = reference(
        pixel_values=image,
        **reference_arguments(PROMPTS["box"]),
        input_masks=mask,
        multimask_output=False,
    )
    coords, labels = prompt_tokens(PROMPTS["box"])
    logits, _ = ours.decode(
        ours.encode(image),
        torch.from_numpy(coords)[None],
        torch.from_numpy(labels)[None],
        mask_input=mask,
    )
    assert_close(logits[:, :1], expected.pred_masks[:, 0])


@torch.no_grad()
def test_transformer(reference, ours):
    grid = SIZE // 16
    embedding = torch.randn(1, 32, grid, grid)
    positions = torch.randn(1, 32, grid, grid)
    tokens = torch.randn(1, 7, 32)
    out_tokens, out_image = ours.mask_decoder.transformer(
        embedding, positions, tokens, torch.ones(1, grid, grid), None
    )
    expected = reference.mask_decoder.transformer(
        point_embeddings=tokens[:, None],
        image_embeddings=embedding,
        image_positional_embeddings=positions,
        attention_similarity=None,
    )
    assert_close(out_tokens, expected[0][:, 0])
    assert_close(out_image.flatten(2).transpose(1, 2), expected[1][:, 0])


def test_sam_weights_load_into_zim_and_the_new_tensors_are_listed(ours, tmp_path):
    path = tmp_path / "sam.pth"
    torch.save(ours.state_dict(), path)
    zim, report = zim_from_sam(path, TINY_ZIM)
    assert set(report.loaded) | set(report.unused) == set(ours.state_dict())
    assert all("output_upscaling" in name for name in report.unused)
    new = {
        name.split(".")[0:2][-1] if "mask" in name else name.split(".")[0]
        for name in report.new
    }
    assert new == {"pixel_decoder", "detail_stream"}
    for name in report.loaded:
        assert torch.equal(zim.state_dict()[name], ours.state_dict()[name])
    np.testing.assert_equal(zim.config, TINY_ZIM)
