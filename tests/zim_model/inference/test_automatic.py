from dataclasses import dataclass, replace

import cv2
import numpy as np
import pytest

from tests.zim_model.conftest import SMALL_TINY, SMALL_VIT
from zim_app.core.images import load_image
from zim_model.assets import asset_path
from zim_model.errors import Cancelled, ImageError, PromptError
from zim_model.inference.automatic import (
    FOR_ZIM_TINY,
    SMALL_SIDE,
    AutomaticOptions,
    grid_points,
    merge,
    stability,
)
from zim_model.inference.engine import Engine
from zim_model.inference.oom_fallback import backend_of
from zim_model.matting.metrics import iou
from zim_model.prompts import PromptSet
from zim_model.recipe import Options, Recipe
from zim_model.request import Request

HEIGHT, WIDTH = 300, 400
IMAGE = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
FAST = AutomaticOptions(grid=8, candidates=(0,))
NOTHING = PromptSet()
OBJECTS = replace(FOR_ZIM_TINY, grid=8)


@dataclass(frozen=True)
class Disc:
    x: float
    y: float
    radius: float
    score: float = 0.95
    softness: float = 1.0  # image pixels over which alpha falls

    def holds(self, x, y):
        return np.hypot(x - self.x, y - self.y) < self.radius


BIG, SMALL = Disc(120, 150, 80), Disc(300, 100, 40)


class Scene:
    """A model that predicts the first disc under a click, and nothing elsewhere."""

    fingerprint = "scene"
    device_label = "fake"

    def __init__(self, *discs, config=SMALL_VIT):
        self.discs, self.config = discs, config
        self.views, self.decoded = [], []

    def encode(self, image, view):
        self.views.append(view)
        return Encoded(view)

    def decode(self, encoded, prompts, mask_input=None):
        view = encoded.view
        self.decoded.append((view, prompts))
        scale = view.width / view.input_size[1]
        if prompts.points:
            x, y = prompts.points[0].x, prompts.points[0].y
        else:
            box = prompts.box
            x, y = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
        x, y = x * scale + view.left, y * scale + view.top
        rows, columns = (side // 2 for side in view.input_size)
        j, i = np.meshgrid(np.arange(columns), np.arange(rows))
        logits = np.full((4, rows, columns), -9.0, np.float32)
        scores = np.full(4, 0.3, np.float32)
        for disc in self.discs:
            if disc.holds(x, y):
                px = (2 * j + 1) * scale + view.left - disc.x
                py = (2 * i + 1) * scale + view.top - disc.y
                depth = (disc.radius - np.hypot(px, py)) / disc.softness
                logits[:] = np.clip(depth, -9, 9)
                scores[:] = disc.score
                break
        return logits, scores


class Encoded:
    nbytes = 100

    def __init__(self, view):
        self.view = view


def search(backend, options=FAST, **kwargs):
    engine = Engine(lambda model, placement: backend)
    return engine.everything(make_request(), options, **kwargs)


def make_request(prompts=NOTHING, candidate=None):
    options = Options(candidate, upsampling="bilinear")
    return Request(IMAGE, "scene", Recipe(prompts, "fake", options))


def test_each_object_is_found_once_largest_first():
    big, small = search(Scene(SMALL, BIG))
    assert big.area == pytest.approx(np.pi * 80**2 / (HEIGHT * WIDTH), rel=0.1)
    assert np.abs(np.array(big.box) - (40, 70, 200, 230)).max() <= 5
    assert np.abs(np.array(small.box) - (260, 60, 340, 140)).max() <= 5
    assert big.alpha.shape == (288, 384)
    assert big.alpha.dtype == np.uint8
    assert big.alpha[144, 115] == 255
    assert big.alpha[10, 10] == 0
    with pytest.raises(ValueError, match="read-only"):
        big.alpha[0, 0] = 1
    assert big.score == pytest.approx(0.95)
    assert big.stability > 0.9


def test_results_with_a_low_score_are_dropped():
    assert len(search(Scene(replace(SMALL, score=0.8), BIG))) == 1
    options = replace(FAST, min_score=0.7)
    assert len(search(Scene(replace(SMALL, score=0.8), BIG), options)) == 2


def test_results_with_a_low_stability_are_dropped():
    hazy = replace(BIG, softness=25)
    assert len(search(Scene(SMALL, hazy))) == 1
    assert len(search(Scene(SMALL, hazy), replace(FAST, min_stability=0.5))) == 2


def test_areas_are_limited():
    (only,) = search(Scene(SMALL, BIG), replace(FAST, min_area=0.1))
    assert only.area > 0.1
    (only,) = search(Scene(SMALL, BIG), replace(FAST, max_area=0.1))
    assert only.area < 0.1


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_mattes_of_the_same_thing_the_better_stays(order):
    """In either order: left and right clicks give slightly different discs."""

    class Doubtful(Scene):
        def decode(self, encoded, prompts, mask_input=None):
            logits, scores = super().decode(encoded, prompts, mask_input)
            scale = WIDTH / encoded.view.input_size[1]
            left = order * (prompts.points[0].x * scale - BIG.x) < 0
            return logits, scores if left else scores - np.float32(0.05)

    (result,) = search(Doubtful(BIG))
    assert order * (result.prompts.points[0].x - BIG.x) < 0
    assert result.score == pytest.approx(0.95)


def test_things_that_overlap_little_both_stay():
    left, right = Disc(150, 150, 80), Disc(220, 150, 80)

    class Both(Scene):
        def decode(self, encoded, prompts, mask_input=None):
            scale = WIDTH / encoded.view.input_size[1]
            beyond = prompts.points[0].x * scale > 185
            self.discs = (right, left) if beyond else (left, right)
            return super().decode(encoded, prompts, mask_input)

    assert len(search(Both())) == 2
    assert len(search(Both(), replace(FAST, max_overlap=0.2))) == 1


@pytest.mark.parametrize("boxed", [False, True])
def test_the_engine_solves_the_prompts_to_the_same_matte(boxed):
    backend = Scene(SMALL, BIG, config=SMALL_TINY)
    engine = Engine(lambda model, placement: backend)
    for result in engine.everything(
        make_request(), replace(OBJECTS, refine_with_box=boxed)
    ):
        assert (result.prompts.box is not None) is boxed
        matte = engine.solve(make_request(result.prompts, result.candidate))
        size = result.alpha.shape[::-1]
        again = cv2.resize(matte.pyramid[0], size, interpolation=cv2.INTER_AREA)
        assert np.abs(result.alpha - again.astype(float)).mean() < 2


def test_small_objects_are_predicted_again_in_a_zoomed_view():
    backend = Scene(SMALL, config=SMALL_TINY)
    assert len(search(backend, replace(OBJECTS, refine_with_box=False))) == 1
    assert min(view.width for view in backend.views) < WIDTH / 2


def test_clicks_on_found_objects_are_skipped():
    everything, skipping = Scene(SMALL, BIG), Scene(SMALL, BIG)
    all_objects = search(everything)
    few_prompts = search(skipping, replace(FAST, skip_covered=True))
    assert len(few_prompts) == len(all_objects) == 2
    assert len(everything.decoded) == 48
    assert len(skipping.decoded) <= 40


def test_progress_reports_the_results_so_far():
    reports = []
    result = search(Scene(SMALL, BIG), progress=lambda *report: reports.append(report))
    done = [report[0] for report in reports]
    assert done == sorted(set(done))
    assert reports[-1] == (48, 48, result)
    assert all(report[1] == 48 for report in reports)
    assert len(reports) > 4
    counts = [len(report[2]) for report in reports]
    assert counts[0] <= 1
    assert counts[-1] == 2


def test_a_withdrawn_search_stops():
    backend = Scene(SMALL, BIG)
    with pytest.raises(Cancelled):
        search(backend, cancelled=lambda: True)
    assert backend.views == []
    with pytest.raises(Cancelled):
        search(backend, cancelled=lambda: len(backend.decoded) >= 8)
    assert len(backend.decoded) == 8


def test_prompts_are_decoded_in_batches_where_possible():
    class Together(Scene):
        sizes = ()

        def decode_many(self, encoded, sets):
            self.sizes = (*self.sizes, len(sets))
            logits, scores = zip(*(self.decode(encoded, s) for s in sets), strict=True)
            return np.stack(logits), np.stack(scores)

    backend = Together(SMALL, BIG)
    assert len(search(backend)) == 2
    assert max(backend.sizes) > 1
    assert sum(backend.sizes) == 48


@pytest.mark.parametrize("model", ["small_vit", "small_tiny"])
def test_batched_predictions_equal_single_ones(model, request):
    from zim_model.backends.view import View

    backend = backend_of(request.getfixturevalue(model), "cpu")
    encoded = backend.encode(IMAGE, View.whole(HEIGHT, WIDTH, 128))
    points = grid_points(HEIGHT, WIDTH, 2)
    sets = [encoded.view.apply(PromptSet((point,))) for point in points]
    logits, scores = backend.decode_many(encoded, sets)
    for prompts, many, score in zip(sets, logits, scores, strict=True):
        one, alone = backend.decode(encoded, prompts)
        np.testing.assert_allclose(many, one, rtol=1e-3, atol=2e-3)
        np.testing.assert_allclose(score, alone, atol=1e-4)


@pytest.mark.parametrize("size", [(300, 400), (400, 300), (1, 1), (7, 900)])
def test_the_grid_covers_the_image_from_coarse_to_fine(size):
    points = grid_points(*size, 8)
    assert len(set(points)) == len(points)
    assert all(0 < p.x < size[1] and 0 < p.y < size[0] for p in points)
    if min(size) == 300:
        assert len(points) == 48
        first = points[:9]
        for side, axis in (
            (size[1], [p.x for p in first]),
            (size[0], [p.y for p in first]),
        ):
            assert min(axis) < 0.4 * side
            assert max(axis) > 0.6 * side


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"grid": 0}, "grid of 0 clicks"),
        ({"grid": 1000}, "Give 1 to 128"),
        ({"min_score": 1.5}, r"min_score is 1\.5"),
        ({"min_area": -0.1}, "min_area"),
        ({"stability_offset": 0.5}, "stability_offset"),
        ({"candidates": (4,)}, "candidates"),
        ({"candidates": ()}, "candidates"),
    ],
)
def test_impossible_options_are_refused_before_any_work(wrong, sentence):
    backend = Scene(BIG)
    with pytest.raises(PromptError, match=sentence):
        search(backend, replace(FAST, **wrong))
    assert backend.views == []


def test_options_suit_the_model():
    assert AutomaticOptions.for_model(SMALL_VIT) == AutomaticOptions()
    assert AutomaticOptions.for_model(SMALL_TINY).refine_with_box


def test_stability():
    alpha = np.array([[0, 110, 140, 160, 255]], np.uint8)
    assert stability(alpha, 0.1) == 0.5
    assert stability(np.zeros((2, 2), np.uint8), 0.1) == 0


def test_merging_takes_the_largest_alpha():
    a, b = np.uint16([[0, 5], [9, 0]]), np.uint16([[1, 2], [3, 0]])
    merged = merge([a, b])
    np.testing.assert_array_equal(merged, [[1, 5], [9, 0]])
    assert a[0, 0] == 0
    with pytest.raises(ImageError, match="no matte"):
        merge([])
    with pytest.raises(ImageError, match="different sizes"):
        merge([a, b[:1]])


def test_the_bundled_models_results_can_be_predicted_again():
    image = load_image(asset_path("samples", "coffee.jpg"))
    request = Request(image.rgb, image.key, Recipe(NOTHING))
    engine = Engine()
    results = engine.everything(request, replace(FOR_ZIM_TINY, grid=2))
    assert results
    assert [f.area for f in results] == sorted((f.area for f in results), reverse=True)
    for one in results[:2]:
        assert max(one.alpha.shape) == SMALL_SIDE
        matte = engine.solve(request.with_recipe(prompts=one.prompts))
        again = cv2.resize(matte.pyramid[0], one.alpha.shape[::-1])
        # The search leaves out the detail stage, which makes the soft parts harder.
        assert iou(one.alpha > 127, again > 127) > 0.9
