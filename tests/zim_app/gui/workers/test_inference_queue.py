import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from tests.zim_app.gui.conftest import FakeEngine
from zim_app.gui.workers.inference_queue import InferenceQueue, create_engine
from zim_model.errors import Cancelled, ZimError
from zim_model.prompts import Point, PromptSet
from zim_model.recipe import Recipe
from zim_model.request import Request, Timings

IMAGE = np.zeros((60, 80, 3), np.uint8)


def make_request(x: float = 1, image: str = "a") -> Request:
    return Request(IMAGE, image, Recipe(PromptSet((Point(x, 1),))))


@pytest.fixture
def answers(queue):
    received = []
    queue.prepared.connect(
        lambda request, timings: received.append(("prepared", request))
    )
    queue.solved.connect(lambda request, matte: received.append(("solved", request)))
    queue.failed.connect(lambda request, error: received.append(("failed", request)))
    return received


def test_engine_is_made_and_used_on_the_worker(queue, engine, answers, qtbot):
    request = make_request()
    queue.prepare(request)
    qtbot.waitUntil(lambda: queue.idle)
    assert answers == [("prepared", request)]
    assert engine.calls == ["prepare"]  # which asserts the thread


def test_click_during_encode_is_kept_and_solved(queue, engine, answers, qtbot):
    engine.gate.clear()
    image, click = make_request(), make_request(2)
    queue.prepare(image)
    qtbot.waitUntil(lambda: engine.calls == ["prepare"])
    queue.solve(click)
    engine.gate.set()
    qtbot.waitUntil(lambda: queue.idle)
    assert answers == [("prepared", image), ("solved", click)]
    assert engine.cancelled == []


def test_a_late_warm_up_takes_no_clicks_place(queue, engine, answers, qtbot):
    engine.gate.clear()
    click = make_request(2)
    queue.prepare(make_request())
    qtbot.waitUntil(lambda: engine.calls == ["prepare"])
    queue.solve(click)
    queue.warm_up()
    engine.gate.set()
    qtbot.waitUntil(lambda: queue.idle)
    assert answers[-1] == ("solved", click)


def test_latest_wins(queue, engine, answers, qtbot):
    engine.gate.clear()
    queue.prepare(make_request())
    clicks = [make_request(x) for x in (2, 3, 4)]
    for click in clicks:
        queue.solve(click)
    engine.gate.set()
    qtbot.waitUntil(lambda: queue.idle)
    assert engine.solved == [clicks[-1]]
    assert answers[-1] == ("solved", clicks[-1])


def test_a_superseded_solve_is_cancelled(queue, engine, answers, qtbot):
    queue.prepare(make_request())
    qtbot.waitUntil(lambda: queue.idle)
    engine.gate.clear()
    old, new = make_request(2), make_request(3)
    queue.solve(old)
    qtbot.waitUntil(lambda: len(engine.calls) == 2)
    queue.solve(new)
    engine.gate.set()
    qtbot.waitUntil(lambda: queue.idle)
    assert engine.cancelled == [old]
    assert [r for kind, r in answers if kind == "solved"] == [new]


def test_another_image_cancels_the_encoding(queue, engine, answers, qtbot):
    engine.gate.clear()
    old, new = make_request(image="a"), make_request(image="b")
    queue.prepare(old)
    qtbot.waitUntil(lambda: engine.calls == ["prepare"])
    queue.prepare(new)
    engine.gate.set()
    qtbot.waitUntil(lambda: queue.idle)
    assert engine.cancelled == [old]
    assert answers == [("prepared", new)]


def test_withdraw_cancels_the_solve_but_not_the_encoding(queue, engine, answers, qtbot):
    engine.gate.clear()
    queue.prepare(make_request())
    qtbot.waitUntil(lambda: engine.calls == ["prepare"])
    queue.solve(make_request(2))
    queue.withdraw()
    engine.gate.set()
    qtbot.waitUntil(lambda: queue.idle)
    assert engine.solved == engine.cancelled == []
    assert [kind for kind, _ in answers] == ["prepared", "prepared"]


def test_errors_are_delivered_and_the_queue_goes_on(
    queue, engine, answers, qtbot, refusal
):
    engine.error = refusal
    bad, good = make_request(2), make_request(3)
    queue.solve(bad)
    qtbot.waitUntil(lambda: queue.idle)
    engine.error = None
    queue.solve(good)
    qtbot.waitUntil(lambda: queue.idle)
    assert answers == [("failed", bad), ("solved", good)]


def test_a_bug_reaches_the_hook(queue, engine, qtbot):
    engine.error = ZeroDivisionError()
    with qtbot.capture_exceptions() as caught:
        queue.prepare(make_request())
        qtbot.waitUntil(lambda: queue.idle)
    assert [kind for kind, *_ in caught] == [ZeroDivisionError]


def test_an_engine_that_cannot_be_made_is_an_error(qtbot, refusal):
    def fail():
        raise refusal

    queue = InferenceQueue(fail)
    failed = []
    queue.failed.connect(lambda request, error: failed.append(error))
    queue.prepare(make_request())
    qtbot.waitUntil(lambda: queue.idle)
    queue.close()
    assert failed == [refusal]
    assert isinstance(failed[0], ZimError)


# -- Reports of encoding: its time, and notes about memory ----------------------------

FREED = "Memory ran short."


class RememberingEngine(FakeEngine):
    """Encodes each image once, in 7 ms, and notes once that memory ran short."""

    def __init__(self):
        super().__init__()
        self.encoded = set()
        self.notes = (FREED,)

    def prepare(self, request, cancelled=lambda: False):
        timings = super().prepare(request, cancelled)
        if request.image_key in self.encoded:
            return replace(timings, encode_ms=0.0)
        self.encoded.add(request.image_key)
        self.notes = ()
        return timings

    def solve(self, request, *args):
        matte = super().solve(request, *args)
        self.notes = ()
        return matte


@pytest.fixture
def engine():
    engine = RememberingEngine()
    yield engine
    engine.gate.set()


@pytest.fixture
def reported(queue):
    timings_received: list[Timings] = []
    queue.prepared.connect(lambda request, timings: timings_received.append(timings))
    queue.solved.connect(lambda request, matte: timings_received.append(matte.timings))
    return timings_received


def test_the_first_matte_reports_its_encoding(queue, reported, qtbot):
    for x in (1, 2):
        queue.solve(make_request(x))
        qtbot.waitUntil(lambda: queue.idle)
    first, second = reported
    assert (first.encode_ms, first.click_ms, first.notes) == (7.0, 5.0, (FREED,))
    assert (second.encode_ms, second.click_ms, second.notes) == (0.0, 5.0, ())


def test_an_encoding_is_reported_once(queue, reported, qtbot):
    queue.prepare(make_request())
    qtbot.waitUntil(lambda: queue.idle)
    queue.solve(make_request(2))
    qtbot.waitUntil(lambda: queue.idle)
    assert [timings.encode_ms for timings in reported] == [7.0, 0.0]
    assert [timings.notes for timings in reported] == [(FREED,), ()]


@pytest.mark.parametrize("withdrawn_by", ["Cancelled", "ZimError"])
def test_the_next_matte_reports_for_a_withdrawn_click(
    queue, engine, reported, qtbot, monkeypatch, refusal, withdrawn_by
):
    error = Cancelled() if withdrawn_by == "Cancelled" else refusal

    def cancel_pending(request, *args):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(engine, "solve", cancel_pending)
        queue.solve(make_request(1))
        qtbot.waitUntil(lambda: queue.idle)
    queue.solve(make_request(2))
    qtbot.waitUntil(lambda: queue.idle)
    (timings,) = reported
    assert (timings.encode_ms, timings.notes) == (7.0, (FREED,))


def test_another_image_does_not_inherit_the_encode_time(
    queue, engine, reported, qtbot, monkeypatch
):
    def cancel_pending(request, *args):
        raise Cancelled

    with monkeypatch.context() as patch:
        patch.setattr(engine, "solve", cancel_pending)
        queue.solve(make_request(image="a"))
        qtbot.waitUntil(lambda: queue.idle)
    engine.encoded.add("b")
    queue.solve(make_request(image="b"))
    qtbot.waitUntil(lambda: queue.idle)
    (timings,) = reported
    assert (timings.encode_ms, timings.notes) == (0.0, (FREED,))


def test_notes_of_a_preview_are_reported_with_the_next_matte(
    queue, engine, reported, qtbot
):
    engine.encoded.add("a")
    queue.preview(make_request(1))
    qtbot.waitUntil(lambda: queue.idle)
    assert reported == []
    queue.solve(make_request(2))
    qtbot.waitUntil(lambda: queue.idle)
    (timings,) = reported
    assert timings.notes == (FREED,)


def test_activity_names_the_running_task(queue, qtbot):
    seen = []
    queue.activity_changed.connect(seen.append)
    queue.warm_up()
    qtbot.waitUntil(lambda: queue.idle)
    queue.solve(make_request())
    qtbot.waitUntil(lambda: queue.idle)
    assert seen == ["warm_up", "", "solve", ""]


def test_close_cancels_what_runs(queue, engine, qtbot):
    engine.gate.clear()
    queue.prepare(make_request())
    qtbot.waitUntil(lambda: engine.calls == ["prepare"])
    queue._engine_worker.newest_request = None  # what close does first
    engine.gate.set()
    queue.close()
    assert len(engine.cancelled) == 1


@pytest.mark.parametrize(
    ("memory", "wanted", "expected"),
    [(5, 1.0, 0.5), (64, 1.0, 1.0), (80, 16.0, 8.0), (0, 1.0, 1.0)],
)
def test_features_take_no_more_than_a_tenth_of_the_memory(
    memory, wanted, expected, monkeypatch
):
    """In GB; that of some systems is not known."""
    monkeypatch.setattr("zim_model.runtime.devices.main_memory", lambda: memory << 30)
    engine = create_engine(int(wanted * 2**30))
    assert engine.cache.max_bytes == expected * 2**30


def test_the_window_imports_without_torch():
    code = (
        "import sys, zim_app.gui.app; "
        "sys.exit(any(name in sys.modules for name in ('torch', 'cv2', 'scipy')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
