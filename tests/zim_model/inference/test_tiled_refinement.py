import tracemalloc

import cv2
import numpy as np
import pytest

from tests.zim_model.conftest import SMALL_TINY
from zim_model.backends.view import View
from zim_model.errors import Cancelled
from zim_model.inference.engine import Engine
from zim_model.inference.tiled_refinement import _windows, refine_tiles
from zim_model.prompts import Box, PromptSet
from zim_model.recipe import Options, Recipe
from zim_model.request import Request

HEIGHT, WIDTH, SIDE = 420, 600, 128
WHOLE = View.whole(HEIGHT, WIDTH, SIDE)


def comb():
    """Alpha (H, W) in [0, 1] with teeth finer than the coarse matte's cells."""
    alpha = np.zeros((HEIGHT, WIDTH), np.float32)
    alpha[120:220, 80:520] = 1
    for x in range(80, 520, 12):
        alpha[220:270, x : x + 6] = 1
    return cv2.GaussianBlur(alpha, (0, 0), 0.8)


def words(alpha):
    return (alpha * 65535 + 0.5).astype(np.uint16)


def coarse(alpha):
    """Alpha at the resolution of a model whose input has SIDE pixels."""
    size = (SIDE // 2, round(SIDE / 2 * HEIGHT / WIDTH))
    small = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)
    return words(cv2.resize(small, (WIDTH, HEIGHT)))


TRUE = comb()
COARSE = coarse(TRUE)
IMAGE = np.repeat((TRUE * 200 + 20).astype(np.uint8)[..., None], 3, axis=2)


class TruePrediction:
    """Returns the true alpha of a window at half its resolution, or its inverse."""

    def __init__(self, *, inverted=False):
        self.inverted, self.calls = inverted, []

    def __call__(self, view, prompts):
        self.calls.append((view, prompts))
        part = TRUE[view.top : view.bottom, view.left : view.right]
        size = (view.width // 2, view.height // 2)
        alpha = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
        return 1 - alpha if self.inverted else alpha


def error(alpha):
    return float(np.abs(alpha / 65535 - TRUE).mean())


def test_detail_comes_back():
    predict_window = TruePrediction()
    before = COARSE.copy()
    fine = refine_tiles(COARSE, IMAGE, WHOLE, predict_window)
    assert error(fine) < 0.5 * error(COARSE)
    assert fine.dtype == np.uint16
    np.testing.assert_array_equal(COARSE, before)


def test_windows_are_at_the_images_resolution_and_prompted_inside():
    predict_window = TruePrediction()
    refine_tiles(COARSE, IMAGE, WHOLE, predict_window)
    assert len(predict_window.calls) > 4
    for view, prompts in predict_window.calls:
        assert view.width == view.height == view.image_size == SIDE
        assert view.left >= 0
        assert view.right <= WIDTH
        for point in prompts.points:
            assert view.left <= point.x < view.right
            assert view.top <= point.y < view.bottom
            alpha = TRUE[int(point.y), int(point.x)]
            assert alpha > 0.9 if point.positive else alpha < 0.1
        assert view.left <= prompts.box.x0 < prompts.box.x1 <= view.right


def test_far_from_the_edge_nothing_is_predicted_or_changed():
    predict_window = TruePrediction()
    fine = refine_tiles(COARSE, IMAGE, WHOLE, predict_window)
    np.testing.assert_array_equal(fine[:60], COARSE[:60])
    np.testing.assert_array_equal(fine[360:], COARSE[360:])
    assert all(view.bottom > 80 for view, _ in predict_window.calls)


def test_windows_leave_no_seams():
    """A prediction that is equal in every window gives equal alpha along the edge."""
    straight = np.zeros((HEIGHT, WIDTH), np.float32)
    straight[200:] = 1
    image = np.repeat((straight * 200).astype(np.uint8)[..., None], 3, axis=2)

    def predict_window(view, prompts):
        return cv2.resize(
            straight[view.top : view.bottom, view.left : view.right],
            (view.width // 2, view.height // 2),
            interpolation=cv2.INTER_AREA,
        )

    fine = refine_tiles(coarse(straight), image, WHOLE, predict_window)
    assert np.ptp(fine[:, 20:-20].astype(int), axis=1).max() < 700


def test_a_window_that_contradicts_sure_pixels_is_ignored():
    predict_window = TruePrediction(inverted=True)
    np.testing.assert_array_equal(
        refine_tiles(COARSE, IMAGE, WHOLE, predict_window), COARSE
    )
    assert predict_window.calls


def test_a_view_that_was_not_scaled_down_is_left_alone():
    predict_window = TruePrediction()
    view = View.whole(HEIGHT, WIDTH, 512)
    assert refine_tiles(COARSE, IMAGE, view, predict_window) is COARSE
    assert not predict_window.calls


@pytest.mark.parametrize("shape", [(420, 600), (128, 600), (600, 40)])
def test_any_shape_works_and_stays_in_range(shape):
    rng = np.random.default_rng(0)
    alpha = rng.integers(0, 65536, shape, dtype=np.uint16)
    image = rng.integers(0, 256, (*shape, 3), dtype=np.uint8)

    def predict_window(view, prompts):
        return rng.random((view.height // 2, view.width // 2)).astype(np.float32)

    fine = refine_tiles(alpha, image, View.whole(*shape, SIDE), predict_window)
    assert fine.shape == shape


def test_a_withdrawn_request_stops_between_windows():
    predict_window = TruePrediction()
    with pytest.raises(Cancelled):
        refine_tiles(
            COARSE, IMAGE, WHOLE, predict_window, lambda: len(predict_window.calls) == 2
        )
    assert len(predict_window.calls) == 2


class Reader:
    """A model that reads alpha from a grey image; its features are the image."""

    config = SMALL_TINY
    fingerprint = "reader"
    device_label = "fake"

    def __init__(self):
        self.views = []

    def encode(self, image, view):
        self.views.append(view)
        return EncodedCrop(view, view.crop(image))

    def decode(self, encoded, prompts, mask_input=None):
        height, width = (side // 2 for side in encoded.view.input_size)
        grey = cv2.resize(
            encoded.pixels[..., 0], (width, height), interpolation=cv2.INTER_AREA
        )
        alpha = np.clip((grey.astype(np.float32) - 20) / 200, 1e-4, 1 - 1e-4)
        logits = np.log(alpha / (1 - alpha))
        return np.stack([logits] * 4), np.ones(4, np.float32)


class EncodedCrop:
    nbytes = 100

    def __init__(self, view, pixels):
        self.view, self.pixels = view, pixels


def test_the_engine_refines_with_the_option_native():
    def matte(upsampling):
        backend = Reader()
        engine = Engine(lambda model, placement: backend)
        prompts = PromptSet((), Box(60, 100, 540, 290))
        options = Options(upsampling=upsampling)
        request = Request(IMAGE, "comb", Recipe(prompts, "fake", options))
        return engine.solve(request).alpha, backend.views, len(engine.cache)

    plain, few, _ = matte("bilinear")
    native, many, cached = matte("native")
    assert len(few) == cached == 1
    assert len(many) > 5
    assert error(native) < 0.5 * error(plain)


# --- seams, size and memory -----------------------------------------------------------


class BiasedBackend:
    """Returns the true alpha of every window, each with another small offset."""

    def __init__(self, truth, spread):
        self.truth, self.spread = truth, spread
        self.windows = []

    def __call__(self, view, prompts):
        rng = np.random.default_rng(len(self.windows))
        self.windows.append(view)
        part = self.truth[view.top : view.bottom, view.left : view.right]
        size = (view.width // 2, view.height // 2)
        alpha = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
        offset = rng.uniform(-self.spread, self.spread)
        return np.clip(alpha + offset * 4 * alpha * (1 - alpha), 0, 1).astype(
            np.float32
        )


def ramp_band():
    """Alpha (H, W) in [0, 1] whose soft band runs across all columns of windows."""
    rows = np.clip((np.arange(HEIGHT, dtype=np.float32) - 190) / 40, 0, 1)
    return np.repeat(rows[:, None], WIDTH, axis=1)


def test_windows_that_disagree_leave_no_steps_at_their_borders():
    truth = ramp_band()
    image = np.repeat((truth * 200 + 20).astype(np.uint8)[..., None], 3, axis=2)
    biased = BiasedBackend(truth, 0.15)
    fine = refine_tiles(coarse(truth), image, WHOLE, biased)
    assert len(biased.windows) > 8
    borders = {x for view in biased.windows for x in (view.left, view.right)}
    columns = [x for x in range(12, WIDTH - 12) if 0 < x < WIDTH]
    step = np.abs(np.diff(fine[195:225].astype(int), axis=1)).mean(0) / 65535
    at = [step[x - 1] for x in columns if x in borders]
    elsewhere = [step[x - 1] for x in columns if x not in borders]
    assert len(at) > 8
    assert np.mean(at) < 1.25 * np.mean(elsewhere) + 1e-4
    assert max(at) <= max(elsewhere)
    # The offsets exist: hard cuts between windows would show as steps.
    hard = [answer_of(biased, view, n) for n, view in enumerate(biased.windows)]
    assert np.ptp(hard) > 0.05


def answer_of(biased, view, number):
    """Mean prediction of a window in the middle of the band."""
    biased = BiasedBackend(biased.truth, biased.spread)
    biased.windows = [None] * number
    part = biased(view, None)
    soft = (part > 0.2) & (part < 0.8)
    return float(part[soft].mean()) if soft.any() else 0.5


def test_as_many_windows_as_a_huge_image_has_take_little_memory():
    """100 million pixels and an input of 1024 give as many windows."""
    side, shape = 64, (8660 // 16, 11547 // 16)
    truth = np.zeros(shape, np.float32)
    cv2.ellipse(truth, (360, 270), (150, 110), 0, 0, 360, 1.0, -1)
    truth = cv2.GaussianBlur(truth, (0, 0), 1)
    image = np.repeat((truth * 200 + 20).astype(np.uint8)[..., None], 3, axis=2)
    view = View.whole(*shape, side)
    size = (32, round(32 * shape[0] / shape[1]))
    small = cv2.resize(truth, size, interpolation=cv2.INTER_AREA)
    before = words(cv2.resize(small, shape[::-1]))
    biased = BiasedBackend(truth, 0.0)
    tracemalloc.start()
    fine = refine_tiles(before, image, view, biased)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    huge = View.whole(8660, 11547, 1024)
    assert len(list(_windows(view))) == len(list(_windows(huge))) > 300
    assert 40 < len(biased.windows) < 200  # only those along the edge
    # Besides the result, only what one window needs.
    assert peak < fine.nbytes + 120 * side * side * 4
    assert (
        np.abs(fine / 65535 - truth).mean()
        < 0.5 * np.abs(before / 65535 - truth).mean()
    )
