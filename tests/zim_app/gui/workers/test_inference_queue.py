import subprocess
import sys

import numpy as np
import pytest

from zim_model.errors import ZimError
from zim_model.prompts import Point, PromptSet
from zim_model.request import Request

IMAGE = np.zeros((60, 80, 3), np.uint8)


def ask(x: float = 1, picture: str = "a") -> Request:
    return Request(IMAGE, picture, PromptSet((Point(x, 1),)))


@pytest.fixture
def answers(queue):
    got = []
    queue.prepared.connect(lambda request, timings: got.append(("prepared", request)))
    queue.solved.connect(lambda request, matte: got.append(("solved", request)))
    queue.failed.connect(lambda request, error: got.append(("failed", request)))
    return got


def test_engine_is_made_and_used_on_the_worker(queue, engine, answers, qtbot):
    request = ask()
    queue.prepare(request)
    qtbot.waitUntil(lambda: queue.idle)
    assert answers == [("prepared", request)]
    assert engine.calls == ["prepare"]  # which asserts the thread


def test_click_during_encode_is_kept_and_answered(queue, engine, answers, qtbot):
    engine.gate.clear()
    picture, click = ask(), ask(2)
    queue.prepare(picture)
    qtbot.waitUntil(lambda: engine.calls == ["prepare"])
    queue.solve(click)
    engine.gate.set()
    qtbot.waitUntil(lambda: queue.idle)
    assert answers == [("prepared", picture), ("solved", click)]
    assert engine.cancelled == []


def test_a_late_warm_up_takes_no_clicks_place(queue, engine, answers, qtbot):
    engine.gate.clear()
    click = ask(2)
    queue.prepare(ask())
    qtbot.waitUntil(lambda: engine.calls == ["prepare"])
    queue.solve(click)
    queue.warm_up()
    engine.gate.set()
    qtbot.waitUntil(lambda: queue.idle)
    assert answers[-1] == ("solved", click)


def test_latest_wins(queue, engine, answers, qtbot):
    engine.gate.clear()
    queue.prepare(ask())
    clicks = [ask(x) for x in (2, 3, 4)]
    for click in clicks:
        queue.solve(click)
    engine.gate.set()
    qtbot.waitUntil(lambda: queue.idle)
    assert engine.solved == [clicks[-1]]
    assert answers[-1] == ("solved", clicks[-1])


def test_a_superseded_solve_is_cancelled(queue, engine, answers, qtbot):
    queue.prepare(ask())
    qtbot.waitUntil(lambda: queue.idle)
    engine.gate.clear()
    old, new = ask(2), ask(3)
    queue.solve(old)
    qtbot.waitUntil(lambda: len(engine.calls) == 2)
    queue.solve(new)
    engine.gate.set()
    qtbot.waitUntil(lambda: queue.idle)
    assert engine.cancelled == [old]
    assert [r for kind, r in answers if kind == "solved"] == [new]


def test_another_picture_cancels_the_encoding(queue, engine, answers, qtbot):
    engine.gate.clear()
    old, new = ask(picture="a"), ask(picture="b")
    queue.prepare(old)
    qtbot.waitUntil(lambda: engine.calls == ["prepare"])
    queue.prepare(new)
    engine.gate.set()
    qtbot.waitUntil(lambda: queue.idle)
    assert engine.cancelled == [old]
    assert answers == [("prepared", new)]


def test_withdraw_cancels_the_solve_but_not_the_encoding(queue, engine, answers, qtbot):
    engine.gate.clear()
    queue.prepare(ask())
    qtbot.waitUntil(lambda: engine.calls == ["prepare"])
    queue.solve(ask(2))
    queue.withdraw()
    engine.gate.set()
    qtbot.waitUntil(lambda: queue.idle)
    assert engine.solved == engine.cancelled == []
    assert [kind for kind, _ in answers] == ["prepared", "prepared"]


def test_errors_are_delivered_and_the_queue_goes_on(
    queue, engine, answers, qtbot, refusal
):
    engine.error = refusal
    bad, good = ask(2), ask(3)
    queue.solve(bad)
    qtbot.waitUntil(lambda: queue.idle)
    engine.error = None
    queue.solve(good)
    qtbot.waitUntil(lambda: queue.idle)
    assert answers == [("failed", bad), ("solved", good)]


def test_a_bug_reaches_the_hook(queue, engine, qtbot):
    engine.error = ZeroDivisionError()
    with qtbot.capture_exceptions() as caught:
        queue.prepare(ask())
        qtbot.waitUntil(lambda: queue.idle)
    assert [kind for kind, *_ in caught] == [ZeroDivisionError]


def test_an_engine_that_cannot_be_made_is_an_error(qtbot, refusal):
    from zim_app.gui.workers.inference_queue import InferenceQueue

    def fail():
        raise refusal

    queue = InferenceQueue(fail)
    failed = []
    queue.failed.connect(lambda request, error: failed.append(error))
    queue.prepare(ask())
    qtbot.waitUntil(lambda: queue.idle)
    queue.close()
    assert failed == [refusal]
    assert isinstance(failed[0], ZimError)


def test_activity_says_what_runs(queue, qtbot):
    seen = []
    queue.activity_changed.connect(seen.append)
    queue.warm_up()
    qtbot.waitUntil(lambda: queue.idle)
    queue.solve(ask())
    qtbot.waitUntil(lambda: queue.idle)
    assert seen == ["warm_up", "", "solve", ""]


def test_close_cancels_what_runs(queue, engine, qtbot):
    engine.gate.clear()
    queue.prepare(ask())
    qtbot.waitUntil(lambda: engine.calls == ["prepare"])
    queue._solver.wanted = None  # what close does first
    engine.gate.set()
    queue.close()
    assert len(engine.cancelled) == 1


def test_the_window_imports_without_torch():
    code = (
        "import sys, zim_app.gui.app; "
        "sys.exit(any(name in sys.modules for name in ('torch', 'cv2', 'scipy')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
