"""Answers of a model that sees prompts: views, replay, memory."""

import numpy as np
import pytest

from zim_model.backends.view import View
from zim_model.errors import Cancelled
from zim_model.inference.iterative import IterativePredictor
from zim_model.inference.prediction import PredictRequest
from zim_model.inference.zoom import object_view, previous_mask_input
from zim_model.network.config import TinyConfig
from zim_model.prompts import Box, Point, PromptSet
from zim_model.request import never_cancelled

SIZE = (400, 600)
DISC = (200.0, 300.0, 40.0)  # row, column, radius


class DiscBackend:
    """Answers with the disc, wherever the view lies; notes what it was given."""

    config = TinyConfig()
    fingerprint = "disc"
    device_label = "CPU (fp32)"

    def __init__(self):
        self.calls = []

    def decode(self, view, prompts, mask_input=None):
        self.calls.append((view, prompts, mask_input))
        height, width = view.cells(2)
        y, x = np.mgrid[:height, :width] + 0.5
        y, x = y * view.height / height, x * view.width / width
        distance = np.hypot(y + view.top - DISC[0], x + view.left - DISC[1])
        logits = np.repeat(((DISC[2] - distance) / 2)[None], 4, 0).astype(np.float32)
        return logits, np.full(4, 0.9, np.float32)


class Encoded:
    """A view in place of its features."""

    def __init__(self, view):
        self.view = view

    def __getattr__(self, name):
        return getattr(self.view, name)


def question(backend, prompts, key="image", cancelled=never_cancelled):
    return PredictRequest(backend, Encoded, key, SIZE, prompts, 0, cancelled)


def points(*places):
    return PromptSet(tuple(Point(x, y) for x, y in places))


def test_a_first_click_is_answered_on_the_image_and_then_on_the_object():
    backend = DiscBackend()
    seen = IterativePredictor().predict(question(backend, points((300, 200))))
    whole, closer = (view for view, _, _ in backend.calls)
    assert (whole.width, whole.height) == (600, 400)
    assert closer.view == seen.view
    assert seen.view.width == pytest.approx(1.4 * 80, abs=10)
    assert seen.view.width == seen.view.height
    assert backend.calls[0][2] is None
    assert backend.calls[1][2] is not None


def test_a_box_is_answered_on_its_surroundings_at_once():
    backend = DiscBackend()
    IterativePredictor().predict(
        question(backend, PromptSet((), Box(260, 160, 340, 240)))
    )
    ((view, _, mask),) = backend.calls
    assert view.width == pytest.approx(112, abs=1)
    assert mask is None


def test_a_further_click_costs_one_pass():
    backend, predictor = DiscBackend(), IterativePredictor()
    predictor.predict(question(backend, points((300, 200))))
    predictor.predict(question(backend, points((300, 200), (310, 210))))
    assert len(backend.calls) == 3
    predictor.predict(question(backend, points((300, 200), (310, 210))))
    assert len(backend.calls) == 3


def test_a_click_outside_the_view_widens_it():
    backend, predictor = DiscBackend(), IterativePredictor()
    seen = predictor.predict(question(backend, points((300, 200), (500, 350))))
    assert seen.view.right > 500
    assert seen.view.bottom > 350


def test_answers_depend_on_the_prompts_alone():
    many = [(300 + 3 * i, 200 - 2 * i) for i in range(5)]
    step = IterativePredictor()
    for count in range(1, 6):
        last = step.predict(question(DiscBackend(), points(*many[:count])))
    undone = step.predict(question(DiscBackend(), points(*many[:2])))
    fresh = IterativePredictor().predict(question(DiscBackend(), points(*many)))
    assert last.view == fresh.view
    np.testing.assert_array_equal(last.alphas, fresh.alphas)
    two = IterativePredictor().predict(question(DiscBackend(), points(*many[:2])))
    np.testing.assert_array_equal(undone.alphas, two.alphas)


def test_a_passing_question_is_not_remembered():
    backend, predictor = DiscBackend(), IterativePredictor()
    for _ in range(2):
        asked = question(backend, points((300, 200)))
        predictor.predict(asked, remember=False)
    assert len(backend.calls) == 4


def test_another_image_is_answered_anew():
    backend, predictor = DiscBackend(), IterativePredictor()
    predictor.predict(question(backend, points((300, 200)), "one"))
    predictor.predict(question(backend, points((300, 200)), "two"))
    assert len(backend.calls) == 4


def test_an_answer_can_be_cancelled():
    backend = DiscBackend()
    asked = question(backend, points((300, 200)), cancelled=lambda: True)
    with pytest.raises(Cancelled):
        IterativePredictor().predict(asked)
    assert not backend.calls


@pytest.mark.parametrize("size", [(30, 40), (1000, 20), (64, 64), (4000, 6000)])
def test_views_stay_inside_the_image(size):
    height, width = size
    box = Box(0.9 * width, 0.9 * height, width, height)
    view = object_view(PromptSet((), box), None, size, 256)
    assert 0 <= view.left < view.right <= width
    assert 0 <= view.top < view.bottom <= height
    assert view.left <= box.x0
    assert view.top <= box.y0


def disc_alpha(view):
    return 1 / (
        1 + np.exp(-DiscBackend().decode(view, PromptSet())[0][0].clip(-30, 30))
    )


@pytest.mark.parametrize(
    "view",
    [
        View.whole(*SIZE, 256),
        View(240, 140, 360, 260, 256),
        View(300, 200, 501, 393, 256),  # half of the disc, odd sides
    ],
)
def test_the_previous_answer_lies_where_it_was_found(view):
    seen = View(230, 130, 371, 270, 256)
    logits = previous_mask_input(disc_alpha(seen), seen, view, 2)
    assert logits.shape == (1, 128, 128)
    height, width = (-(-side // 2) for side in view.input_size)
    expected = disc_alpha(view) > 0.5
    found = logits[0, :height, :width] > 0
    both = (found & expected).sum() / (found | expected).sum()
    assert both > 0.95


def test_nothing_is_known_beyond_the_previous_view():
    seen, view = View(300, 200, 340, 240, 256), View.whole(*SIZE, 256)
    logits = previous_mask_input(np.ones((128, 128), np.float32), seen, view, 2)
    shown = logits[0] > 0
    scale = 600 / 128
    assert shown.sum() == pytest.approx((40 / scale) ** 2, rel=0.3)
    assert shown[int(220 / scale), int(320 / scale)]
