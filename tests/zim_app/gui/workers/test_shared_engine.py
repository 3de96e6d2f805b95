"""The engine, shared with another thread."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from zim_app.gui.workers.inference_queue import InferenceQueue
from zim_model.errors import Cancelled, WeightsError
from zim_model.prompts import Point, PromptSet
from zim_model.recipe import Recipe
from zim_model.request import Request

IMAGE = np.zeros((60, 80, 3), np.uint8)


def request(key="other"):
    return Request(IMAGE, key, Recipe(PromptSet((Point(1, 1),))))


@pytest.fixture
def batch_thread():
    with ThreadPoolExecutor(1) as pool:
        yield pool


def test_results_come_to_the_calling_thread(qtbot, queue, engine, batch_thread):
    answer = batch_thread.submit(queue.shared_engine.solve, request())
    qtbot.waitUntil(answer.done)
    assert answer.result().alpha[0, 0] == 65535
    qtbot.waitUntil(lambda: queue.idle)


def test_errors_do_as_well(qtbot, queue, engine, batch_thread):
    engine.error = ValueError("odd")
    answer = batch_thread.submit(queue.shared_engine.everything, request())
    qtbot.waitUntil(answer.done)
    assert repr(answer.exception()) == "ValueError('odd')"


def test_the_windows_requests_come_first(qtbot, queue, engine, batch_thread):
    engine.gate.clear()
    answer = batch_thread.submit(queue.shared_engine.solve, request())
    qtbot.waitUntil(lambda: engine.calls == ["solve"])
    queue.solve(request("shown"))
    engine.gate.set()
    qtbot.waitUntil(answer.done)
    assert [r.image_key for r in engine.solved] == ["shown", "other"]
    assert [r.image_key for r in engine.cancelled] == ["other"]


def test_the_caller_can_cancel(qtbot, queue, engine, batch_thread):
    stop = threading.Event()
    engine.gate.clear()
    answer = batch_thread.submit(queue.shared_engine.solve, request(), stop.is_set)
    qtbot.waitUntil(lambda: engine.calls == ["solve"])
    stop.set()
    engine.gate.set()
    qtbot.waitUntil(answer.done)
    assert isinstance(answer.exception(), Cancelled)
    qtbot.waitUntil(lambda: queue.idle)


def test_an_engine_that_cannot_be_made_is_reported(qtbot, batch_thread):
    def fail():
        raise WeightsError("There is none.")

    queue = InferenceQueue(fail)
    answer = batch_thread.submit(queue.shared_engine.solve, request())
    qtbot.waitUntil(answer.done)
    assert isinstance(answer.exception(), WeightsError)
    queue.close()


def test_closing_ends_all_waiting(qtbot, engine, batch_thread):
    queue = InferenceQueue(lambda: engine)
    engine.gate.clear()
    running = batch_thread.submit(queue.shared_engine.solve, request())
    qtbot.waitUntil(lambda: engine.calls == ["solve"])
    engine.gate.set()
    queue.close()
    later = batch_thread.submit(queue.shared_engine.solve, request())
    for answer in (running, later):
        error = answer.exception(timeout=10)
        assert error is None or isinstance(error, Cancelled)
    assert isinstance(later.exception(), Cancelled)
