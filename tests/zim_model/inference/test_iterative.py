from dataclasses import replace

import numpy as np
import pytest

from tests.zim_model.conftest import SMALL_CNN, SMALL_VIT, random_model
from tests.zim_model.inference.test_engine import IMAGE, DiscBackend, engine_of, request
from zim_model.backends.torch_backend import TorchBackend
from zim_model.errors import Cancelled
from zim_model.inference.iterative import IterativePredictor
from zim_model.inference.prediction import PredictRequest, prompt_prefixes
from zim_model.prompts import Box, Point, PromptSet, Scribble

RECALLING = replace(SMALL_CNN, region_channels=(4, 6, 8))
A, B, C = Point(80, 70), Point(30, 40, positive=False), Point(150, 110)
CLICKS = PromptSet((A, B, C))


class Attentive(DiscBackend):
    """Keeps what it was shown of earlier answers; finds half of the view."""

    def __init__(self, config=RECALLING):
        super().__init__(config)
        self.shown = []

    def decode(self, encoded, prompts, mask_input=None):
        self.asked.append((encoded.view, prompts))
        self.shown.append(mask_input)
        h, w = (side // 2 for side in encoded.view.input_size)
        logits = np.full((4, h, w), -9, np.float32)
        logits[:, :, : w // (1 + len(prompts.points))] = 9
        return logits, np.full(4, 0.5, np.float32)


def ask(looks, backend, prompts, **changes):
    def encode(view):
        return backend.encode(IMAGE, view)

    asked = {"image_key": "a", "candidate": 0, "cancelled": lambda: False, **changes}
    return looks.predict(
        PredictRequest(backend, encode, size=IMAGE.shape[:2], prompts=prompts, **asked)
    )


def counts(backend):
    return [len(prompts.points) for _, prompts in backend.asked]


def test_points_come_one_by_one_from_the_first_that_says_what_to_keep():
    def grown(prompts):
        return [part.points for part in prompt_prefixes(prompts)]

    assert grown(PromptSet((B, A, C))) == [(B, A), (B, A, C)]
    assert grown(PromptSet((B,), Box(0, 0, 9, 9))) == [(), (B,)]
    scribble = Scribble(((5.0, 5.0), (9.0, 9.0)), positive=True)
    assert grown(PromptSet((B,), None, (scribble,))) == [(), (B,)]
    assert grown(PromptSet((), Box(0, 0, 9, 9))) == [()]


def test_each_answer_is_shown_to_the_next_click():
    backend = Attentive()
    ask(IterativePredictor(), backend, CLICKS)
    assert counts(backend)[:3] == [1, 2, 3]
    assert backend.shown[0] is None
    grid = RECALLING.grid * 4
    for shown, share in zip(backend.shown[1:3], (1 / 2, 1 / 3), strict=True):
        assert shown.shape == (1, grid, grid)
        assert (shown[0, 0] > 0).mean() == pytest.approx(share, abs=0.05)


def test_a_further_click_goes_on_from_what_is_remembered():
    looks, backend = IterativePredictor(), Attentive()
    ask(looks, backend, PromptSet((A, B)))
    backend.asked.clear()
    ask(looks, backend, CLICKS)
    assert counts(backend)[0] == 3
    backend.asked.clear()
    ask(looks, backend, CLICKS, image_key="another")
    assert counts(backend)[:3] == [1, 2, 3]


def test_the_answer_does_not_depend_on_what_is_remembered():
    model = random_model(RECALLING)
    engine = engine_of(TorchBackend(model, "cpu"))
    for count in (1, 2, 3):
        step_by_step = engine.solve(request(PromptSet(CLICKS.points[:count])))
    at_once = engine_of(TorchBackend(model, "cpu")).solve(request(CLICKS))
    np.testing.assert_array_equal(step_by_step.alpha, at_once.alpha)
    other = PromptSet((*CLICKS.points[:1], *CLICKS.points[2:], B))
    assert (engine.solve(request(other)).alpha != at_once.alpha).any()


def test_a_preview_leaves_no_trace():
    backend = Attentive()
    engine = engine_of(backend)
    engine.solve(replace(request(CLICKS), cacheable=False))
    backend.asked.clear()
    engine.solve(request(CLICKS))
    assert counts(backend)[:3] == [1, 2, 3]


def test_models_without_that_training_are_asked_once():
    for config in (SMALL_VIT, SMALL_CNN):
        backend = Attentive(config)
        ask(IterativePredictor(), backend, CLICKS)
        assert counts(backend)[0] == 3
        assert backend.shown[0] is None


def test_a_cancelled_question_stops_between_looks():
    backend = Attentive()
    with pytest.raises(Cancelled):
        ask(
            IterativePredictor(),
            backend,
            CLICKS,
            cancelled=lambda: len(backend.asked) >= 2,
        )
    assert counts(backend) == [1, 2]
