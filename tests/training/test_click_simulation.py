import numpy as np
import pytest
import torch

from training.click_simulation import add_correction_clicks, prompts_from_tokens
from training.config import ZIM_MINI
from training.samples import MAX_TOKENS, PromptSamples
from training.sources import SceneReader
from zim_model.backends.torch_backend import prompt_tokens
from zim_model.prompts import Box, Point, PromptSet


@pytest.fixture
def batch(training_folder):
    samples = PromptSamples(SceneReader(training_folder), ZIM_MINI, [64] * 4, 0)
    return torch.utils.data.default_collate([samples[i] for i in range(4)])


@pytest.mark.parametrize(
    "prompts",
    [
        PromptSet((Point(3.5, 4.5),)),
        PromptSet((Point(3.5, 4.5), Point(9.5, 2.5, False)), Box(1, 2, 30, 40)),
        PromptSet((), Box(1, 2, 30, 40)),
    ],
)
def test_tokens_identify_the_prompts(prompts):
    coords, labels = prompt_tokens(prompts, MAX_TOKENS)
    assert (
        prompts_from_tokens(torch.from_numpy(coords), torch.from_numpy(labels))
        == prompts
    )


def test_a_click_lands_on_what_was_missed(batch):
    nothing = np.zeros((8, 32, 32), bool)
    out = add_correction_clicks(np.random.default_rng(0), batch, nothing, 2)
    touched = 0
    for view in range(4):
        for row in range(2):
            before = prompts_from_tokens(
                batch["coords"][view, row], batch["labels"][view, row]
            )
            after = prompts_from_tokens(
                out["coords"][view, row], out["labels"][view, row]
            )
            if after == before:
                continue
            touched += 1
            assert after.points[:-1] == before.points
            assert after.box == before.box
            click = after.points[-1]
            assert click.positive
            target = batch["target"][view, row]
            assert target[int(click.y) // 2, int(click.x) // 2] > 0.5
    assert 0 < touched < 8


def test_a_perfect_prediction_is_not_corrected(batch):
    perfect = (batch["target"] > 0.5).flatten(0, 1).numpy()
    out = add_correction_clicks(np.random.default_rng(0), batch, perfect, 2)
    for key, value in batch.items():
        if key != "fault":
            assert torch.equal(out[key], value), key


def test_full_prompt_sets_take_no_more(batch):
    nothing = np.zeros((8, 32, 32), bool)
    rng = np.random.default_rng(0)
    for _ in range(30):
        batch = add_correction_clicks(rng, batch, nothing, 2)
    assert batch["labels"].shape[-1] == MAX_TOKENS
