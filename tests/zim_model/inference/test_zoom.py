"""Predictions of a model with prompts in its encoder: views, replay, cache."""

import numpy as np
import pytest

from zim_model.backends.view import View
from zim_model.errors import Cancelled
from zim_model.inference.iterative import IterativePredictor
from zim_model.inference.prediction import PredictRequest
from zim_model.inference.zoom import object_view, previous_mask_input
from zim_model.network.config import TinyConfig
from zim_model.prompts import Box, Point, PromptSet, Scribble
from zim_model.request import never_cancelled

SIZE = (400, 600)
DISC = (200.0, 300.0, 40.0)  # row, column, radius


class DiscBackend:
    """Predicts the disc in every view; records its arguments."""

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


def make_request(backend, prompts, key="image", cancelled=never_cancelled):
    return PredictRequest(backend, Encoded, key, SIZE, prompts, 0, cancelled)


def points(*places):
    return PromptSet(tuple(Point(x, y) for x, y in places))


def test_a_first_click_is_predicted_on_the_image_and_then_on_the_object():
    backend = DiscBackend()
    prediction = IterativePredictor().predict(make_request(backend, points((300, 200))))
    whole, closer = (view for view, _, _ in backend.calls)
    assert (whole.width, whole.height) == (600, 400)
    assert closer.view == prediction.view
    assert prediction.view.width == pytest.approx(1.25 * 80, abs=10)
    assert prediction.view.width == prediction.view.height
    assert backend.calls[0][2] is None
    assert backend.calls[1][2] is not None


def test_a_box_is_predicted_on_its_surroundings_at_once_and_again():
    backend = DiscBackend()
    IterativePredictor().predict(
        make_request(backend, PromptSet((), Box(260, 160, 340, 240)))
    )
    (view, _, mask), (again, prompts, mask_input) = backend.calls
    assert view.width == pytest.approx(100, abs=1)
    assert mask is None
    assert again.width == pytest.approx(100, abs=8)
    assert prompts.box is not None
    assert (mask_input > 0).any()


@pytest.mark.parametrize("margin", [0, 3])
def test_a_box_of_the_whole_image_asks_for_the_main_object(margin):
    backend, (height, width) = DiscBackend(), SIZE
    box = Box(margin, 0, width, height - margin)
    prediction = IterativePredictor().predict(make_request(backend, PromptSet((), box)))
    (whole, first, _), (_, second, mask_input) = backend.calls
    assert (whole.width, whole.height) == (width, height)
    assert not first
    assert not second
    assert (mask_input > 0).any()
    assert prediction.view.width == pytest.approx(100, abs=10)


def test_a_large_box_is_meant_as_it_is():
    backend, (height, width) = DiscBackend(), SIZE
    box = Box(0.04 * width, 0, width, height)
    IterativePredictor().predict(make_request(backend, PromptSet((), box)))
    assert backend.calls[0][1].box is not None


def test_a_region_is_predicted_on_its_surroundings_at_once():
    backend = DiscBackend()
    loop = Scribble(((260, 160), (340, 160), (300, 240)), region=True)
    IterativePredictor().predict(make_request(backend, PromptSet((), None, (loop,))))
    (view, prompts, _), (_, again, mask_input) = backend.calls
    assert view.width == view.height == pytest.approx(100, abs=1)
    assert prompts.scribbles[0].region
    assert again.scribbles[0].region
    assert (mask_input > 0).any()


def test_a_further_click_costs_one_pass():
    backend, predictor = DiscBackend(), IterativePredictor()
    predictor.predict(make_request(backend, points((300, 200))))
    predictor.predict(make_request(backend, points((300, 200), (310, 210))))
    assert len(backend.calls) == 3
    predictor.predict(make_request(backend, points((300, 200), (310, 210))))
    assert len(backend.calls) == 3


def test_a_click_outside_the_view_widens_it():
    backend, predictor = DiscBackend(), IterativePredictor()
    prediction = predictor.predict(
        make_request(backend, points((300, 200), (500, 350)))
    )
    assert prediction.view.right > 500
    assert prediction.view.bottom > 350


def test_predictions_depend_on_the_prompts_alone():
    many = [(300 + 3 * i, 200 - 2 * i) for i in range(5)]
    step = IterativePredictor()
    for count in range(1, 6):
        last = step.predict(make_request(DiscBackend(), points(*many[:count])))
    undone = step.predict(make_request(DiscBackend(), points(*many[:2])))
    fresh = IterativePredictor().predict(make_request(DiscBackend(), points(*many)))
    assert last.view == fresh.view
    np.testing.assert_array_equal(last.alphas, fresh.alphas)
    two = IterativePredictor().predict(make_request(DiscBackend(), points(*many[:2])))
    np.testing.assert_array_equal(undone.alphas, two.alphas)


def test_a_request_that_is_not_cacheable_is_not_remembered():
    backend, predictor = DiscBackend(), IterativePredictor()
    for _ in range(2):
        request = make_request(backend, points((300, 200)))
        predictor.predict(request, remember=False)
    assert len(backend.calls) == 4


def test_another_image_is_predicted_anew():
    backend, predictor = DiscBackend(), IterativePredictor()
    predictor.predict(make_request(backend, points((300, 200)), "one"))
    predictor.predict(make_request(backend, points((300, 200)), "two"))
    assert len(backend.calls) == 4


def test_a_prediction_can_be_cancelled():
    backend = DiscBackend()
    request = make_request(backend, points((300, 200)), cancelled=lambda: True)
    with pytest.raises(Cancelled):
        IterativePredictor().predict(request)
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
def test_the_mask_input_is_aligned_with_the_previous_view(view):
    encoded_view = View(230, 130, 371, 270, 256)
    logits = previous_mask_input(disc_alpha(encoded_view), encoded_view, view, 2)
    assert logits.shape == (1, 128, 128)
    height, width = (-(-side // 2) for side in view.input_size)
    expected = disc_alpha(view) > 0.5
    actual = logits[0, :height, :width] > 0
    both = (actual & expected).sum() / (actual | expected).sum()
    assert both > 0.95


def test_the_mask_input_is_unknown_beyond_the_previous_view():
    encoded_view, view = View(300, 200, 340, 240, 256), View.whole(*SIZE, 256)
    logits = previous_mask_input(np.ones((128, 128), np.float32), encoded_view, view, 2)
    shown = logits[0] > 0
    scale = 600 / 128
    assert shown.sum() == pytest.approx((40 / scale) ** 2, rel=0.3)
    assert shown[int(220 / scale), int(320 / scale)]
