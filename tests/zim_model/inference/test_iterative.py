from dataclasses import replace

import numpy as np

from tests.zim_model.conftest import SMALL_TINY, SMALL_VIT, random_model
from tests.zim_model.inference.test_engine import IMAGE, DiscBackend, engine_of, request
from zim_model.inference import iterative
from zim_model.inference.iterative import IterativePredictor
from zim_model.inference.oom_fallback import backend_of
from zim_model.inference.prediction import PredictRequest, prompt_prefixes
from zim_model.prompts import Box, Point, PromptSet, Scribble

A, B, C = Point(80, 70), Point(30, 40, positive=False), Point(150, 110)
CLICKS = PromptSet((A, B, C))


class RecordingBackend(DiscBackend):
    """Records mask inputs; predicts half of the view."""

    def __init__(self, config=SMALL_TINY):
        super().__init__(config)
        self.shown = []

    def decode(self, encoded, prompts, mask_input=None):
        self.decoded.append((encoded.view, prompts))
        self.shown.append(mask_input)
        h, w = (side // 2 for side in encoded.view.input_size)
        logits = np.full((4, h, w), -9, np.float32)
        logits[:, :, : w // (1 + len(prompts.points))] = 9
        return logits, np.full(4, 0.5, np.float32)


def predict(predictor, backend, prompts, **changes):
    def encode(view):
        return backend.encode(IMAGE, view)

    settings = {"image_key": "a", "candidate": 0, "cancelled": lambda: False, **changes}
    return predictor.predict(
        PredictRequest(
            backend, encode, size=IMAGE.shape[:2], prompts=prompts, **settings
        )
    )


def counts(backend):
    return [len(prompts.points) for _, prompts in backend.decoded]


def test_points_are_replayed_one_by_one_from_the_first_solvable_prompts():
    def grown(prompts):
        return [part.points for part in prompt_prefixes(prompts)]

    assert grown(PromptSet((B, A, C))) == [(B, A), (B, A, C)]
    assert grown(PromptSet((B,), Box(0, 0, 9, 9))) == [(), (B,)]
    scribble = Scribble(((5.0, 5.0), (9.0, 9.0)), positive=True)
    assert grown(PromptSet((B,), None, (scribble,))) == [(), (B,)]
    assert grown(PromptSet((), Box(0, 0, 9, 9))) == [()]


def test_the_prediction_does_not_depend_on_earlier_candidates_and_models():
    backends = [backend_of(random_model(SMALL_TINY, seed), "cpu") for seed in (0, 1)]
    shared, seen = IterativePredictor(), []
    for backend in backends:
        for candidate in (0, 2):
            own = predict(shared, backend, CLICKS, candidate=candidate).alphas
            new = predict(IterativePredictor(), backend, CLICKS, candidate=candidate)
            np.testing.assert_array_equal(own, new.alphas)
            assert not any(np.array_equal(own, earlier) for earlier in seen)
            seen.append(own)


def test_the_prediction_does_not_depend_on_the_cache():
    model = random_model(SMALL_TINY)
    engine = engine_of(backend_of(model, "cpu"))
    for count in (1, 2, 3):
        step_by_step = engine.solve(request(PromptSet(CLICKS.points[:count])))
    at_once = engine_of(backend_of(model, "cpu")).solve(request(CLICKS))
    np.testing.assert_array_equal(step_by_step.alpha, at_once.alpha)
    other = PromptSet((*CLICKS.points[:1], *CLICKS.points[2:], B))
    assert (engine.solve(request(other)).alpha != at_once.alpha).any()


def test_a_preview_leaves_no_trace():
    backend = RecordingBackend()
    engine = engine_of(backend)
    engine.solve(replace(request(CLICKS), cacheable=False))
    backend.decoded.clear()
    engine.solve(request(CLICKS))
    assert counts(backend) == [1, 1, 2, 3]


def test_models_without_that_training_decode_once():
    backend = RecordingBackend(SMALL_VIT)
    predict(IterativePredictor(), backend, CLICKS)
    assert counts(backend) == [3]
    assert backend.shown == [None]


def test_one_more_point_is_one_prediction_also_where_not_all_are_remembered(
    monkeypatch,
):
    points = tuple(Point(60 + 5 * i, 70) for i in range(12))
    found = predict(IterativePredictor(), RecordingBackend(), PromptSet(points[:1]))
    monkeypatch.setattr(iterative, "CACHE_BYTES", 3 * found.nbytes)
    predictor, backend = IterativePredictor(), RecordingBackend()
    for count in range(1, len(points)):
        predict(predictor, backend, PromptSet(points[:count]))
    backend.decoded.clear()
    predict(predictor, backend, PromptSet(points))
    assert counts(backend) == [12]
