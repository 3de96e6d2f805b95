from dataclasses import replace

import pytest
import torch

from tests.zim_model.conftest import SMALL_CNN, random_model
from zim_model.backends.torch_backend import TorchBackend
from zim_model.backends.view import View, alpha_to_mask_input
from zim_model.errors import WeightsError
from zim_model.network.config import ZimConfig
from zim_model.network.cue_maps import CUES
from zim_model.network.region_head import (
    REGION_CUES,
    Regions,
    earlier_cue,
    flooded,
    region_cues,
)
from zim_model.prompts import Box, Point, PromptSet

SEEING = replace(
    SMALL_CNN, name="small-seeing", region_channels=(4, 6, 8), region_embedding=5
)
WALL = 6.0


@pytest.fixture(scope="module")
def region_model():
    return random_model(SEEING)


def walled(gap=False):
    """Logits of a wall from top to bottom in the middle of 16 x 16 cells."""
    barrier = torch.full((1, 1, 16, 16), -6.0)
    barrier[..., 8] = WALL
    if gap:
        barrier[0, 0, 3, 8] = -6.0
    return barrier


def seed(row, column):
    seeds = torch.zeros((1, 1, 16, 16), dtype=torch.bool)
    seeds[0, 0, row, column] = True
    return seeds


def test_a_wall_is_dear_to_cross():
    total, highest = flooded(seed(12, 2), walled())
    before, behind = total[0, 0, 12, 7], total[0, 0, 12, 9]
    assert behind - before > 4
    assert total[0, 0, 2, 2] < before + 2
    assert highest[0, 0, 0, 0] < 0.01
    assert highest[0, 0, 0, 15] > 0.99


def test_a_way_around_the_wall_is_found():
    total, highest = flooded(seed(12, 2), walled(gap=True))
    assert total[0, 0, 12, 15] < 10
    assert highest[0, 0, 12, 15] < 0.01
    assert total[0, 0, 12, 15] > total[0, 0, 3, 15]


def test_without_seeds_nothing_is_reached():
    total, highest = flooded(torch.zeros((1, 1, 16, 16), dtype=torch.bool), walled())
    assert total.min() > 100
    assert (highest == 1).all()


def two_halves():
    """Regions of one view of 64 pixels: the embedding differs on both sides."""
    maps = torch.full((1, 2, 32, 32), -6.0)
    maps[:, 0, :, 15:17] = WALL
    embedding = torch.zeros((1, 5, 16, 16))
    embedding[:, 0, :, 8:] = 4.0
    return Regions(maps, embedding)


def cues_of(**maps):
    cues = torch.zeros((1, len(CUES), 32, 32))
    cues[:, CUES.index("valid")] = 1
    for name, part in maps.items():
        cues[(0, CUES.index(name), *part)] = 1
    return cues


LEFT, RIGHT = (slice(2, 30), slice(2, 12)), (slice(2, 30), slice(20, 30))


def test_clicks_reach_their_own_half_and_are_similar_to_it():
    cues = cues_of(
        positive_disc=(slice(14, 18), slice(4, 8)),
        negative_disc=(slice(14, 18), slice(24, 28)),
    )
    drawn = dict(zip(REGION_CUES, region_cues(two_halves(), cues)[0], strict=True))
    for name in ("positive_reach", "positive_open", "positive_alike", "alike_ratio"):
        assert drawn[name][LEFT].min() > drawn[name][RIGHT].max() + 0.3, name
    for name in ("far_reach", "far_open", "negative_alike"):
        assert drawn[name][RIGHT].min() > drawn[name][LEFT].max() + 0.3, name


def test_a_box_separates_what_is_similar_to_its_surroundings():
    cues = cues_of(box_inside=(slice(2, 30), slice(1, 15)))
    drawn = dict(zip(REGION_CUES, region_cues(two_halves(), cues)[0], strict=True))
    assert drawn["alike_ratio"][LEFT].min() > drawn["alike_ratio"][RIGHT].max() + 0.3
    assert drawn["far_open"][RIGHT].min() > 0.9
    assert not drawn["positive_reach"].any()


def test_without_prompts_the_cues_are_finite_and_bounded():
    drawn = region_cues(two_halves(), torch.zeros((1, len(CUES), 32, 32)))
    assert torch.isfinite(drawn).all()
    assert drawn.abs().max() <= 1


def test_a_mask_input_counts_and_none_equals_an_unknown_one(region_model):
    cues = torch.rand(1, len(CUES), 64, 64)
    coords, labels = torch.zeros(1, 2, 2), torch.tensor([[1, -1]])
    features = region_model.encode(torch.randn(1, 3, 128, 128))
    with torch.inference_mode():
        none, unknown, left = (
            region_model.decode(features, coords, labels, cues, mask)[0]
            for mask in (None, torch.zeros(1, 1, 32, 32), torch.full((1, 1, 32, 32), 9))
        )
    assert torch.equal(none, unknown)
    assert not torch.allclose(none, left)
    assert earlier_cue(None, cues).shape == (1, 1, 64, 64)


def test_prompt_sets_share_the_features_of_their_view(region_model):
    features = region_model.encode(torch.randn(2, 3, 128, 128))
    chosen = features.select(torch.tensor([1, 0, 1]))
    assert torch.equal(chosen.regions.maps[0], features.regions.maps[1])
    assert torch.equal(chosen.regions.embedding[1], features.regions.embedding[0])
    plain = replace(features, regions=None)
    assert features.nbytes > plain.nbytes


def test_a_model_with_region_head_decodes_any_prompts(region_model):
    import numpy as np

    image = np.random.default_rng(0).integers(0, 256, (90, 120, 3), np.uint8)
    backend = TorchBackend(region_model, "cpu")
    encoded = backend.encode(image, View.whole(90, 120, 128))
    for prompts in (
        PromptSet((Point(50, 40),)),
        PromptSet((Point(50, 40), Point(5, 5, False)), Box(20, 20, 90, 80)),
        PromptSet((), Box(0, 0, 120, 90)),
    ):
        logits, scores = backend.decode(encoded, encoded.view.apply(prompts))
        assert logits.shape == (4, 48, 64)
        assert np.isfinite(logits).all()
        assert np.isfinite(scores).all()


def test_a_region_head_survives_json():
    assert ZimConfig.from_json(SEEING.to_json()) == SEEING


def test_weights_of_other_cue_maps_are_refused_by_number():
    older = random_model(replace(SMALL_CNN, cue_channels=len(CUES) + 1))
    with pytest.raises(WeightsError, match=f"{len(CUES) + 1} cue maps"):
        TorchBackend(older, "cpu")


def test_a_mask_input_is_aligned_with_its_view():
    import numpy as np

    alpha = np.zeros((48, 96), np.float32)
    alpha[:, 48:] = 1
    view = View(300, 100, 500, 300, 64)  # of an image of 800 x 400
    mask = alpha_to_mask_input(alpha, 400, 800, view)
    assert mask.shape == (1, 16, 16)
    assert (mask[0, :, :7] < -3).all()
    assert (mask[0, :, 9:] > 3).all()
    wide = alpha_to_mask_input(alpha, 400, 800, View(0, 0, 800, 400, 64))
    assert not wide[0, 8:].any()
