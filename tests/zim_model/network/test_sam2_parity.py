"""SAM 2 equals an independent implementation (transformers), on random weights."""

from dataclasses import replace

import pytest
import torch

from tests.zim_model.conftest import SMALL_SAM2
from zim_model.backends.torch_backend import prompt_tokens
from zim_model.network.build import build_zim
from zim_model.network.config import RELATIVES
from zim_model.network.sam2 import replace_unstable, with_padding
from zim_model.prompts import Box, Point, PromptSet
from zim_model.weights.families import find_family
from zim_model.weights.tensors import load_strict

transformers = pytest.importorskip("transformers")

CONFIG = SMALL_SAM2
SIZE = CONFIG.image_size


def transformers_config(config):
    encoder = config.encoder
    widths = [encoder.dim << stage for stage in range(4)]
    side, dim = config.image_size, config.embed_dim
    return transformers.Sam2Config(
        vision_config={
            "backbone_config": transformers.Sam2HieraDetConfig(
                hidden_size=encoder.dim,
                num_attention_heads=encoder.heads,
                image_size=[side, side],
                blocks_per_stage=list(encoder.depths),
                embed_dim_per_stage=widths,
                num_attention_heads_per_stage=[encoder.heads << i for i in range(4)],
                window_size_per_stage=list(encoder.windows),
                window_positional_embedding_background_size=[encoder.background] * 2,
                global_attention_blocks=list(encoder.global_blocks),
            ),
            "backbone_channel_list": widths[::-1],
            "backbone_feature_sizes": [[side // n] * 2 for n in (4, 8, 16)],
            "fpn_hidden_size": dim,
        },
        prompt_encoder_config={"hidden_size": dim, "image_size": side},
        mask_decoder_config={
            "hidden_size": dim,
            "mlp_dim": config.transformer_mlp,
            "num_attention_heads": config.transformer_heads,
            "iou_head_hidden_dim": config.head_dim,
        },
    )


def pair(config, seed=0):
    """A model of transformers with random weights, and ours with the same."""
    torch.manual_seed(seed)
    theirs = transformers.Sam2Model(transformers_config(config)).eval()
    for parameter in theirs.parameters():  # zero tables would hide mistakes
        parameter.data.normal_(0, 0.2)
    # Two copies of one table, as in the published files.
    places = theirs.prompt_encoder.shared_embedding.positional_embedding
    theirs.shared_image_embedding.positional_embedding.copy_(places)
    state = theirs.state_dict()
    model = build_zim(config).eval()
    load_strict(model, find_family(state).own_tensors(state), "reference")
    return theirs, model


@pytest.fixture(scope="module")
def models():
    return pair(CONFIG)


@pytest.fixture(scope="module")
def reference(models):
    return models[0]


@pytest.fixture(scope="module")
def ours(models):
    return models[1]


@pytest.fixture(scope="module")
def image():
    return torch.randn(1, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1))


def assert_close(a, b):
    torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_image_features(reference, ours, image):
    stride4, stride8, top = reference.get_image_embeddings(image)
    features = ours.encode(image)
    assert_close(features.embeddings, top)
    assert_close(features.details[0], stride4)
    assert_close(features.details[1], stride8)


@pytest.mark.parametrize(
    "name", ["sam2.1-hiera-tiny", "sam2.1-hiera-base-plus", "sam2.1-hiera-large"]
)
@torch.no_grad()
def test_the_published_trunks(name):
    """At a smaller input; their depths and windows are the real ones."""
    encoder = RELATIVES[name].encoder
    # Narrower, so that the test is quick.
    small = replace(encoder, dim=8 * encoder.heads)
    config = replace(CONFIG, encoder=small, image_size=128)
    theirs, model = pair(config, seed=3)
    image = torch.randn(1, 3, 128, 128)
    expected = theirs.get_image_embeddings(image)
    features = model.encode(image)
    for own, other in zip(
        (*features.details, features.embeddings), expected, strict=True
    ):
        assert_close(own / other.abs().max(), other / other.abs().max())


PROMPTS = {
    "point": PromptSet((Point(20, 30),)),
    "points": PromptSet((Point(20, 30), Point(100, 90, False))),
    "box": PromptSet((), Box(10, 20, 90, 120)),
    "both": PromptSet((Point(20, 30),), Box(10, 20, 90, 120)),
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


def decode(model, image, prompts, **further):
    coords, labels = (torch.from_numpy(x)[None] for x in prompt_tokens(prompts))
    return model.decode(model.encode(image), coords, labels, **further)


@pytest.mark.parametrize("name", PROMPTS)
@torch.no_grad()
def test_masks_and_scores(reference, ours, image, name):
    arguments = {"pixel_values": image, **reference_arguments(PROMPTS[name])}
    several = reference(**arguments, multimask_output=True)
    one = reference(**arguments, multimask_output=False)
    logits, scores = decode(ours, image, PROMPTS[name])
    assert_close(logits[:, 1:], several.pred_masks[:, 0])
    assert_close(scores[:, 1:], several.iou_scores[:, 0])
    assert_close(logits[:, :1], one.pred_masks[:, 0])
    assert_close(scores[:, :1], one.iou_scores[:, 0])


@torch.no_grad()
def test_mask_input(reference, ours, image):
    mask = torch.randn(1, 1, SIZE // 4, SIZE // 4)
    expected = reference(
        pixel_values=image,
        **reference_arguments(PROMPTS["point"]),
        input_masks=mask,
        multimask_output=True,
    )
    logits, scores = decode(ours, image, PROMPTS["point"], mask_input=mask)
    assert_close(logits[:, 1:], expected.pred_masks[:, 0])
    assert_close(scores[:, 1:], expected.iou_scores[:, 0])


@torch.no_grad()
def test_precomputed_features_and_sets_of_unequal_lengths_decode_alike(ours, image):
    sets = list(PROMPTS.values())
    tokens = [prompt_tokens(prompts, 6) for prompts in sets]
    coords = torch.stack([torch.from_numpy(t[0]) for t in tokens])
    labels = torch.stack([torch.from_numpy(t[1]) for t in tokens])
    features = ours.precompute(ours.encode(image))
    logits, scores = ours.decode(features, coords, labels)
    for i, prompts in enumerate(sets):
        alone, score = decode(ours, image, prompts)
        assert_close(logits[i : i + 1], alone)
        assert_close(scores[i : i + 1], score)
    wanted = torch.tensor([True, False, False, True])
    some, all_scores = ours.decode(features, coords, labels, wanted=lambda _: wanted)
    assert_close(some, logits[wanted])
    assert_close(all_scores[wanted], scores[wanted])


def test_the_first_mask_gives_way_to_the_best_where_it_is_unstable():
    stable = torch.full((4, 4), 3.0)
    unstable = torch.tensor([3.0, 0.01, 0.01, -3.0]).repeat(4, 1)
    others = [torch.full((4, 4), float(value)) for value in (5, 6, 7)]
    logits = torch.stack(
        [torch.stack([stable, *others]), torch.stack([unstable, *others])]
    )
    iou = torch.tensor([[0.2, 0.1, 0.9, 0.3], [0.2, 0.1, 0.9, 0.3]])
    chosen, scores = replace_unstable(logits, iou)
    assert torch.equal(chosen[0], logits[0])
    assert torch.equal(chosen[1, 0], others[1])
    assert torch.equal(chosen[1, 1:], logits[1, 1:])
    torch.testing.assert_close(scores[:, 0], torch.tensor([0.2, 0.9]))
    # A mask without any pixel is stable, as published.
    nothing = torch.full((1, 4, 4, 4), -9.0)
    assert replace_unstable(nothing, iou[:1])[1][0, 0] == iou[0, 0]


def test_no_prompts_get_no_padding():
    coords, labels = with_padding(torch.zeros(1, 0, 2), torch.zeros(1, 0).long())
    assert coords.shape == (1, 0, 2)
    assert labels.shape == (1, 0)
