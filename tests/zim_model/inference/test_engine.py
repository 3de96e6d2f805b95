from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import zim_model.inference.engine
import zim_model.inference.finishing
import zim_model.request
from tests.zim_model.conftest import SMALL_TINY, SMALL_VIT
from zim_model.backends.view import resize_view
from zim_model.errors import Cancelled, PromptError, WeightsError
from zim_model.finish import Finish, Stroke
from zim_model.inference.encoding import FeatureCache
from zim_model.inference.engine import Engine
from zim_model.inference.oom_fallback import backend_of
from zim_model.matting.foreground import estimate_foreground
from zim_model.prompts import Box, Point, PromptSet
from zim_model.recipe import Options, Recipe
from zim_model.request import ALPHA_MAX, Request
from zim_model.runtime.devices import Placement

RNG = np.random.default_rng(0)
IMAGE = RNG.integers(0, 256, (150, 200, 3), dtype=np.uint8)
CLICK = PromptSet((Point(80, 70),))
BOX = PromptSet((), Box(60, 40, 120, 110))


class DiscBackend:
    """Predicts a disc of 20 image pixels around the first point, or fills the box."""

    fingerprint = "disc"
    device_label = "fake"

    def __init__(self, config=SMALL_TINY):
        self.config = config
        self.views = []
        self.decoded = []

    def encode(self, image, view):
        assert image.shape[2] == 3
        self.views.append(view)
        return Encoded(view, resize_view(self.config, image, view))

    def decode(self, encoded, prompts, mask_input=None):
        self.decoded.append((encoded.view, prompts))
        h, w = encoded.view.input_size
        y, x = np.mgrid[: h // 2, : w // 2] * 2 + 1.0
        if prompts.points:
            point = prompts.points[0]
            radius = 20 * w / encoded.view.width
            inside = np.hypot(x - point.x, y - point.y) < radius
        else:
            b = prompts.box
            inside = (x > b.x0) & (x < b.x1) & (y > b.y0) & (y < b.y1)
        logits = np.where(inside, 9.0, -9.0).astype(np.float32)
        return np.stack([logits, -logits, logits, logits]), np.full(4, 0.5, np.float32)


class Encoded:
    nbytes = 100

    def __init__(self, view, pixels):
        self.view, self.pixels = view, pixels


def engine_of(backend, **kwargs):
    return Engine(lambda model, placement: backend, **kwargs)


def request(prompts, key="a", **options):
    return Request(IMAGE, key, Recipe(prompts, "fake", Options(**options)))


def test_the_matte_has_the_image_size_and_is_read_only():
    matte = engine_of(DiscBackend()).solve(request(CLICK))
    assert matte.alpha.shape == (150, 200)
    assert matte.alpha.dtype == np.uint16
    assert matte.alpha[70, 80] == 65535
    assert matte.alpha[10, 10] == 0
    with pytest.raises(ValueError, match="read-only"):
        matte.alpha[0, 0] = 1
    assert matte.pyramid[0].shape == (150, 200)
    assert matte.timings.device == "fake"


def test_the_disc_lies_where_the_click_was():
    for x, y in ((25, 30), (170, 120), (80, 70)):
        matte = engine_of(DiscBackend()).solve(request(PromptSet((Point(x, y),))))
        left, top, right, bottom = matte.support
        assert abs((left + right) / 2 - x) < 4
        assert abs((top + bottom) / 2 - y) < 4
        assert 34 < right - left < 50


def test_an_image_is_encoded_once_for_many_clicks():
    backend = DiscBackend(SMALL_VIT)
    engine = engine_of(backend)
    engine.prepare(request(PromptSet()))
    first = engine.solve(request(CLICK))
    engine.solve(request(BOX))
    assert len(backend.views) == 1
    assert first.timings.encode_ms == 0
    engine.solve(request(CLICK, key="another"))
    assert len(backend.views) == 2


def test_a_cached_matte_needs_no_features():
    backend = DiscBackend(SMALL_VIT)
    engine = engine_of(backend, cache_bytes=1)  # features of one view
    engine.solve(request(CLICK))
    engine.solve(request(CLICK, key="another"))
    again = engine.solve(request(CLICK))
    assert len(backend.views) == 2
    assert again.timings.encode_ms == 0


def test_a_box_shows_an_object_model_its_surroundings():
    backend = DiscBackend()
    engine_of(backend).solve(request(BOX))
    (view,) = backend.views
    assert view.left < 60
    assert view.top < 40
    assert view.right > 120
    assert view.bottom > 110
    assert view.width < 200


def test_a_small_result_of_a_click_is_predicted_again_closer():
    backend = DiscBackend()
    matte = engine_of(backend).solve(request(CLICK))
    whole, closer = backend.views
    assert (whole.width, whole.height) == (200, 150)
    assert closer.width < 100
    assert backend.decoded[1][1].box is None
    assert matte.alpha[70, 80] == 65535


def test_outside_the_view_there_is_nothing():
    matte = engine_of(DiscBackend()).solve(request(BOX))
    assert matte.alpha[:, 160:].max() == 0
    assert matte.alpha[60:90, 80:100].min() == 65535


def test_a_view_ends_without_a_seam():
    class HalfTransparent(DiscBackend):
        def decode(self, encoded, prompts, mask_input=None):
            h, w = encoded.view.input_size
            haze = np.full((4, h // 2, w // 2), -1.0, np.float32)
            return haze, np.full(4, 0.5, np.float32)

    plain = request(BOX, upsampling="bilinear")
    alpha = engine_of(HalfTransparent()).solve(plain).alpha.astype(int)
    assert alpha[75, 90] > 10000
    steps = np.abs(np.diff(alpha, axis=1)).max(), np.abs(np.diff(alpha, axis=0)).max()
    assert max(steps) < 0.35 * alpha[75, 90]
    whole = request(PromptSet((), Box(0, 0, 200, 150)), upsampling="bilinear")
    assert engine_of(HalfTransparent()).solve(whole).alpha.min() > 10000


def test_a_candidate_can_be_chosen():
    backend = DiscBackend(SMALL_VIT)
    engine = engine_of(backend)
    first = engine.solve(request(CLICK)).alpha
    second = engine.solve(request(CLICK, candidate=1)).alpha
    assert first[70, 80] == 65535
    assert second[70, 80] == 0
    with pytest.raises(PromptError, match="candidate 4"):
        engine.solve(request(CLICK, candidate=4))


@pytest.mark.parametrize(
    "prompts",
    [
        PromptSet(),
        PromptSet((Point(200, 10),)),
        PromptSet((Point(-0.1, 10),)),
        PromptSet((Point(5, 5, positive=False),)),
        PromptSet((), Box(300, 0, 400, 50)),
        PromptSet((Point(float("nan"), 1),)),
    ],
)
def test_impossible_prompts_are_refused_before_any_work(prompts):
    backend = DiscBackend()
    with pytest.raises(PromptError):
        engine_of(backend).solve(request(prompts))
    assert backend.views == []


def test_a_withdrawn_request_stops():
    backend = DiscBackend()
    engine = engine_of(backend)
    with pytest.raises(Cancelled):
        engine.solve(request(CLICK), cancelled=lambda: True)
    with pytest.raises(Cancelled):
        engine.prepare(request(CLICK), cancelled=lambda: True)
    assert backend.views == []
    answers = iter([False, False, True])
    with pytest.raises(Cancelled):
        engine.solve(request(CLICK), cancelled=lambda: next(answers))
    assert backend.decoded == []


def test_unknown_model():
    with pytest.raises(WeightsError, match="zim-tiny"):
        Engine().solve(Request(IMAGE, "a", Recipe(CLICK, "nothing")))


def test_the_cache_is_bounded_in_bytes_and_drops_the_longest_unused():
    cache = FeatureCache(max_bytes=250)
    a, b, c = (Encoded(None, None) for _ in range(3))
    cache.put(("a",), a)
    cache.put(("b",), b)
    assert cache.get(("a",)) is a
    cache.put(("c",), c)
    assert cache.nbytes == 200
    assert cache.get(("b",)) is None
    assert cache.get(("a",)) is a


def test_the_real_network_is_deterministic(small_tiny):
    engine = engine_of(backend_of(small_tiny, "cpu"))
    first = engine.solve(request(CLICK))
    again = engine_of(backend_of(small_tiny, "cpu")).solve(request(CLICK))
    np.testing.assert_array_equal(first.alpha, again.alpha)
    assert first.scores.shape == (4,)
    assert first.timings.device == "CPU (fp32)"


DAB = Stroke(((10.0, 10.0, 1.0),), 6.0, 1.0)


def test_strokes_are_painted_over_the_models_matte():
    engine = engine_of(DiscBackend())
    plain = engine.solve(request(CLICK)).alpha
    with_stroke = request(CLICK).with_recipe(finish=Finish(strokes=(DAB,)))
    touched = engine.solve(with_stroke).alpha
    assert plain[10, 10] == 0
    assert touched[10, 10] == ALPHA_MAX
    assert (touched[40:] == plain[40:]).all()


def test_strokes_alone_run_no_model():
    backend = DiscBackend()
    stroke_only = request(PromptSet()).with_recipe(finish=Finish(strokes=(DAB,)))
    matte = engine_of(backend).solve(stroke_only)
    assert matte.alpha[10, 10] == ALPHA_MAX
    assert matte.support[2] < 20
    assert not backend.decoded
    assert matte.candidates == ()


def test_a_further_stroke_needs_neither_model_nor_earlier_strokes():
    backend = DiscBackend()
    engine = engine_of(backend)
    other = Stroke(((60.0, 120.0, 1.0),), 5.0, 1.0, "erase")
    one = request(CLICK).with_recipe(finish=Finish(strokes=(DAB,)))
    both = request(CLICK).with_recipe(finish=Finish(strokes=(DAB, other)))
    engine.solve(one)
    count = len(backend.decoded)
    matte = engine.solve(both)
    assert len(backend.decoded) == count
    assert (matte.alpha == engine_of(DiscBackend()).solve(both).alpha).all()
    # Undoing the last one gives the first matte again.
    fresh = engine_of(DiscBackend()).solve(one).alpha
    assert (engine.solve(one).alpha == fresh).all()


def test_a_finish_belongs_to_its_prompts():
    engine = engine_of(DiscBackend())
    finish = Finish(feather=3, strokes=(DAB,))
    elsewhere = PromptSet((Point(150, 100),))
    engine.solve(request(CLICK).with_recipe(finish=finish))
    moved = request(elsewhere).with_recipe(finish=finish)
    fresh = engine_of(DiscBackend()).solve(moved).alpha
    assert (engine.solve(moved).alpha == fresh).all()


def test_further_prompt_sets_join_the_object():
    engine = engine_of(DiscBackend())
    elsewhere = PromptSet((Point(150, 100),))
    both = engine.solve(request(CLICK).with_recipe(more_prompt_sets=(elsewhere,))).alpha
    apart = [engine.solve(request(p)).alpha for p in (CLICK, elsewhere)]
    assert both[70, 80] == both[100, 150] == ALPHA_MAX
    assert (both == np.maximum(*apart)).all()


def test_candidates_come_along_for_show():
    matte = engine_of(DiscBackend()).solve(request(BOX))
    assert len(matte.candidates) == 4
    left, top, right, bottom = matte.candidates_view
    assert left < 60 < 120 < right
    assert top < 40 < 110 < bottom
    first, second = matte.candidates[:2]
    middle = tuple(side // 2 for side in first.shape)
    assert first[middle] == 255
    assert second[middle] == 0
    assert not first.flags.writeable


# -- Colours, requests without cache ---------------------------------------------------


def test_the_foreground_is_estimated_only_on_request():
    engine = engine_of(DiscBackend())
    request = Request(IMAGE, "a", Recipe(CLICK, finish=Finish(feather=3)))
    plain = engine.solve(request)
    assert plain.foreground == ()
    finish = replace(request.recipe.finish, decontaminate=0.8)
    freed = engine.solve(request.with_recipe(finish=finish))
    assert (freed.alpha == plain.alpha).all(), "alpha does not depend on it"
    [colours] = freed.foreground
    assert colours.shape == IMAGE.shape
    opaque = plain.alpha == ALPHA_MAX
    assert opaque.any()
    assert (colours[opaque] == IMAGE[opaque]).all()
    soft = (plain.alpha > 0) & ~opaque
    assert (colours[soft] != IMAGE[soft]).any()
    quickly = estimate_foreground(IMAGE, freed.alpha, amount=0.8, method="blur-fusion")
    np.testing.assert_array_equal(colours, quickly)
    assert not colours.flags.writeable
    assert freed.nbytes > plain.nbytes


def test_the_foreground_comes_as_an_image_pyramid():
    image = np.zeros((600, 520, 3), np.uint8)
    image[..., 0] = 200
    finish = Finish(strokes=(Stroke(((300.0, 300.0, 1.0),), 50.0),), decontaminate=1.0)
    full, half = (
        engine_of(DiscBackend())
        .solve(Request(image, "b", Recipe(PromptSet(), finish=finish)))
        .foreground
    )
    assert full.shape == (600, 520, 3)
    assert half.shape == (300, 260, 4)
    assert half[150, 130, 2] == 200, "smaller levels are blue first"


@pytest.fixture
def few_pixels(monkeypatch):
    """Drafts have at most 3,000 pixels."""
    monkeypatch.setattr(zim_model.inference.engine, "DRAFT_PIXELS", 3_000)
    monkeypatch.setattr(zim_model.request, "DRAFT_PIXELS", 3_000)


def test_a_draft_has_the_foreground_of_a_smaller_image(few_pixels):
    engine = engine_of(DiscBackend())
    exact = request(CLICK).with_recipe(finish=Finish(feather=3, decontaminate=1.0))
    assert exact.has_draft
    draft = engine.solve(replace(exact, draft=True))
    matte = engine.solve(exact)
    assert (draft.alpha == matte.alpha).all()
    [colours] = draft.foreground
    assert colours.shape == (38, 50, 4), "a quarter of 150 x 200, rounded up"
    assert matte.foreground[0].shape == IMAGE.shape, "the draft was not remembered"


@pytest.mark.parametrize("upsampling", ["native", "trimap"])
def test_a_draft_leaves_out_the_refinement(few_pixels, upsampling):
    engine = engine_of(DiscBackend())
    exact = request(CLICK, upsampling=upsampling)
    assert exact.has_draft
    draft = engine.solve(replace(exact, draft=True))  # no trimap network is needed
    guided = engine.solve(request(CLICK))
    assert (draft.alpha == guided.alpha).all()
    assert not request(CLICK).has_draft


def test_a_rough_refine_stroke_is_solved_again(monkeypatch):
    monkeypatch.setattr(zim_model.inference.finishing, "DRAFT_MAX_PIXELS", 300)
    stroke = Stroke(((80.0, 50.0, 1.0), (100.0, 60.0, 1.0)), 9.0, brush="refine")
    exact = request(CLICK).with_recipe(finish=Finish(strokes=(stroke,)))
    engine = engine_of(DiscBackend())
    draft = engine.solve(replace(exact, draft=True)).alpha
    after = engine.solve(exact).alpha
    alone = engine_of(DiscBackend()).solve(exact).alpha
    assert (after == alone).all()
    assert (draft != alone).any()


def test_decontamination_tells_how_far_it_is():
    told = []
    finish = Finish(decontaminate=1.0)
    engine_of(DiscBackend()).solve(
        request(CLICK).with_recipe(finish=finish), progress=told.append
    )
    assert told == sorted(told)
    assert told[0] == 0


def test_a_request_that_is_not_cacheable_leaves_no_trace():
    backend = DiscBackend()
    engine = engine_of(backend)
    cached = Request(IMAGE, "a", Recipe(CLICK, finish=Finish(feather=2)))
    first = engine.solve(cached)
    count = len(backend.decoded)
    passing = replace(cached, recipe=Recipe(BOX), cacheable=False)
    engine.solve(passing)
    again = engine.solve(cached)
    assert len(backend.decoded) == count + 2, "the first matte was still cached"
    assert (again.alpha == first.alpha).all()
    assert passing.key == replace(passing, cacheable=True).key


def test_choosing_a_device_counts_as_loading_not_as_the_click(monkeypatch):
    """The first time it imports torch, which takes seconds."""
    clock = [0.0]

    def slow_placements(choice):
        clock[0] += 100.0
        return (Placement("cpu", "fp32"),)

    fake_time = SimpleNamespace(perf_counter=lambda: clock[0])
    monkeypatch.setattr("zim_model.inference.stopwatch.time", fake_time)
    monkeypatch.setattr(
        "zim_model.inference.oom_fallback.fallback_placements", slow_placements
    )
    engine = Engine(lambda model, placement: DiscBackend())
    matte = engine.solve(request(CLICK))
    assert clock[0] > 0
    assert matte.timings.click_ms == 0
