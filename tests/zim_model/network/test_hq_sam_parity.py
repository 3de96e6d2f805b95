"""HQ-SAM equals an independent implementation (transformers), on random weights."""

import re
from dataclasses import replace

import pytest
import torch

from tests.zim_model.conftest import SMALL_HQ_SAM, random_model
from tests.zim_model.network.test_sam2_parity import PROMPTS, reference_arguments
from tests.zim_model.network.test_sam_parity import assert_close, sam_names
from zim_model.backends.torch_backend import prompt_tokens
from zim_model.network.build import build_zim
from zim_model.network.config import MOBILE_SAM, ZimConfig, hq_variant
from zim_model.network.encoder_configs import LiteConfig, TinyVitConfig
from zim_model.weights.tensors import load_strict

transformers = pytest.importorskip("transformers")

CONFIG = SMALL_HQ_SAM
SIZE = CONFIG.image_size
REFERENCE_KEYS = ("input_points", "input_labels", "input_boxes")
HQ_RENAMES = (
    (r"^mask_decoder\.hq_token", "mask_decoder.hf_token"),
    (r"^mask_decoder\.hq_mask_mlp\.layers\.0", "mask_decoder.hf_mlp.layers.1"),
    (r"^mask_decoder\.hq_mask_mlp\.proj_in", "mask_decoder.hf_mlp.layers.0"),
    (r"^mask_decoder\.hq_mask_mlp\.proj_out", "mask_decoder.hf_mlp.layers.2"),
    (r"\.compress_vit_conv1", ".compress_vit_feat.0"),
    (r"\.compress_vit_norm", ".compress_vit_feat.1"),
    (r"\.compress_vit_conv2", ".compress_vit_feat.3"),
    (r"\.encoder_conv1", ".embedding_encoder.0"),
    (r"\.encoder_norm", ".embedding_encoder.1"),
    (r"\.encoder_conv2", ".embedding_encoder.3"),
    (r"\.mask_conv1", ".embedding_maskfeature.0"),
    (r"\.mask_norm", ".embedding_maskfeature.1"),
    (r"\.mask_conv2", ".embedding_maskfeature.3"),
)


def published_names(state):
    """Tensors of transformers' SamHQModel under the names of the authors' files."""
    renamed = {}
    for name, tensor in state.items():
        for pattern, replacement in HQ_RENAMES:
            name = re.sub(pattern, replacement, name)
        renamed[name] = tensor
    return sam_names(renamed)


@pytest.fixture(scope="module")
def reference():
    torch.manual_seed(0)
    vit, dim = CONFIG.encoder, CONFIG.embed_dim
    config = transformers.SamHQConfig(
        vision_config={
            "hidden_size": vit.dim,
            "output_channels": dim,
            "num_hidden_layers": vit.depth,
            "num_attention_heads": vit.heads,
            "image_size": SIZE,
            "window_size": vit.window,
            "global_attn_indexes": list(vit.global_blocks),
            "num_pos_feats": dim // 2,
        },
        prompt_encoder_config={"hidden_size": dim, "image_size": SIZE},
        mask_decoder_config={
            "hidden_size": dim,
            "num_attention_heads": CONFIG.transformer_heads,
            "mlp_dim": CONFIG.transformer_mlp,
            "iou_head_hidden_dim": CONFIG.head_dim,
            "vit_dim": vit.dim,
            # Of the authors' code, where the package has 1e-6.
            "layer_norm_eps": 1e-5,
        },
    )
    model = transformers.SamHQModel(config).eval()
    for parameter in model.parameters():  # zero tables would hide mistakes
        parameter.data.normal_(0, 0.2)
    # Two copies of one table, as in the published files.
    places = model.prompt_encoder.shared_embedding.positional_embedding
    model.shared_image_embedding.positional_embedding.data.copy_(places)
    return model


@pytest.fixture(scope="module")
def ours(reference):
    model = build_zim(CONFIG).eval()
    load_strict(model, published_names(reference.state_dict()), "reference")
    return model


@pytest.fixture(scope="module")
def image():
    return torch.randn(1, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1))


def decode(model, features, prompts, **further):
    coords, labels = (torch.from_numpy(x)[None] for x in prompt_tokens(prompts))
    return model.decode(features, coords, labels, **further)


def published_decoding(reference, image, prompts, mask=None):
    """SAM's four masks, HQ-SAM's own and four scores, with the reference's layers.

    They are put together here as the authors do: the package's decoder (5.23) gives the
    layers behind its transformer the image from before it.
    """
    decoder, activation = reference.mask_decoder, reference.mask_decoder.activation
    embeddings, after_global = reference.get_image_embeddings(image)
    sparse, dense = reference.prompt_encoder(
        *(reference_arguments(prompts).get(key) for key in REFERENCE_KEYS), mask
    )
    own = [decoder.iou_token, decoder.mask_tokens, decoder.hq_token]
    tokens = torch.cat([*(table.weight for table in own), sparse[0, 0]])
    tokens, keys = decoder.transformer(
        point_embeddings=tokens[None, None],
        image_embeddings=embeddings + dense,
        image_positional_embeddings=reference.get_image_wide_positional_embeddings(),
        attention_similarity=None,
    )
    tokens, seen = tokens[0, 0], keys[:, 0].transpose(1, 2).reshape(embeddings.shape)
    x = activation(decoder.upscale_layer_norm(decoder.upscale_conv1(seen)))
    pixels = activation(decoder.upscale_conv2(x))
    x = decoder.mask_conv2(activation(decoder.mask_norm(decoder.mask_conv1(pixels))))
    y = activation(decoder.encoder_norm(decoder.encoder_conv1(embeddings)))
    early = decoder.compress_vit_conv1(after_global[0].permute(0, 3, 1, 2))
    z = decoder.compress_vit_conv2(activation(decoder.compress_vit_norm(early)))
    hq_pixels = x + decoder.encoder_conv2(y) + z
    mlps = decoder.output_hypernetworks_mlps
    masks = [(mlp(tokens[1 + i]) @ pixels.flatten(2)) for i, mlp in enumerate(mlps)]
    hq_mask = decoder.hq_mask_mlp(tokens[5]) @ hq_pixels.flatten(2)
    size = (-1, SIZE // 4, SIZE // 4)
    scores = decoder.iou_prediction_head(tokens[0])
    return torch.cat(masks).reshape(size), hq_mask.reshape(size), scores


@pytest.mark.parametrize("name", PROMPTS)
@torch.no_grad()
def test_masks_are_sams_and_one_correction(reference, ours, image, name):
    sam, correction, scores = published_decoding(reference, image, PROMPTS[name])
    logits, own_scores = decode(ours, ours.encode(image), PROMPTS[name])
    assert_close(logits[0], sam + correction)
    assert_close(own_scores[0], scores)


@torch.no_grad()
def test_mask_input(reference, ours, image):
    mask, prompts = torch.randn(1, 1, SIZE // 4, SIZE // 4), PROMPTS["point"]
    sam, correction, _ = published_decoding(reference, image, prompts, mask)
    logits, _ = decode(ours, ours.encode(image), prompts, mask_input=mask)
    assert_close(logits[0], sam + correction)


@torch.no_grad()
def test_precomputed_features_and_sets_of_unequal_lengths_decode_alike(ours, image):
    sets = list(PROMPTS.values())
    tokens = [prompt_tokens(prompts, 6) for prompts in sets]
    coords = torch.stack([torch.from_numpy(t[0]) for t in tokens])
    labels = torch.stack([torch.from_numpy(t[1]) for t in tokens])
    features = ours.precompute(ours.encode(image))
    logits, scores = ours.decode(features, coords, labels)
    for i, prompts in enumerate(sets):
        alone, score = decode(ours, ours.encode(image), prompts)
        assert_close(logits[i : i + 1], alone)
        assert_close(scores[i : i + 1], score)
    wanted = torch.tensor([True, False, False, True])
    some, _ = ours.decode(features, coords, labels, wanted=lambda _: wanted)
    assert_close(some, logits[wanted])


@torch.no_grad()
def test_the_small_one_takes_what_the_third_stage_of_tiny_vit_gets():
    encoder = TinyVitConfig((8, 16, 24, 32), (1, 1, 2, 1), (2, 2, 4), (3, 5, 3))
    model = random_model(replace(CONFIG, encoder=encoder), seed=2)
    image = torch.randn(2, 3, SIZE, SIZE)
    inputs = []
    third = model.image_encoder.layers[2]
    third.register_forward_pre_hook(lambda _, args: inputs.append(args[0]))
    embeddings, early = model.image_encoder.with_early(image)
    assert torch.equal(early, inputs[0])
    assert early.shape == (2, 24, SIZE // 16, SIZE // 16)
    assert torch.equal(embeddings, model.image_encoder(image))
    assert model.encode(image).details[0].shape == (2, 4, SIZE // 4, SIZE // 4)
    published = hq_variant(MOBILE_SAM)
    assert (published.name, published.early_width) == ("hq-mobile-sam", 160)


def test_an_encoder_without_early_features_is_refused():
    with pytest.raises(ValueError, match="early features"):
        replace(CONFIG, encoder=LiteConfig())
    nowhere = replace(CONFIG.encoder, global_blocks=())
    with pytest.raises(ValueError, match="early features"):
        replace(CONFIG, encoder=nowhere)
    assert ZimConfig.from_json(CONFIG.to_json()) == CONFIG
