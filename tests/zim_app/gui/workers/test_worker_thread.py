import threading

import pytest
from PySide6.QtCore import QCoreApplication, QThread

from zim_app.gui.workers.worker_thread import WorkerTask, WorkerThread


@pytest.fixture
def gate():
    gate = threading.Event()
    yield gate
    gate.set()


@pytest.fixture(params=[1, None])
def lane(qapp, request, gate):
    lane = WorkerThread("test", waiting=request.param)
    lane.is_pending = request.param
    lane.answers = []
    lane.finished.connect(lambda task, *answer: lane.answers.append((task, *answer)))
    yield lane
    gate.set()
    lane.close()


def test_work_runs_on_another_thread(lane, qtbot):
    lane.submit(WorkerTask("where", None, QThread.currentThread))
    qtbot.waitUntil(lambda: lane.idle)
    [(_, thread, error)] = lane.answers
    assert error is None
    assert thread != QCoreApplication.instance().thread()


def test_an_exception_is_an_answer(lane, qtbot):
    lane.submit(WorkerTask("fail", None, lambda: 1 / 0))
    qtbot.waitUntil(lambda: lane.idle)
    [(_, result, error)] = lane.answers
    assert result is None
    assert isinstance(error, ZeroDivisionError)


def test_latest_wins_or_all_wait(lane, gate, qtbot):
    lane.submit(WorkerTask("first", 0, gate.wait))
    for number in (1, 2, 3):
        lane.submit(WorkerTask("later", number, int))
    gate.set()
    qtbot.waitUntil(lambda: lane.idle)
    subjects = [task.subject for task, *_ in lane.answers]
    assert subjects == ([0, 3] if lane.is_pending == 1 else [0, 1, 2, 3])


def test_running_changed_says_what_runs(lane, gate, qtbot):
    kinds = []
    lane.running_changed.connect(lambda task: kinds.append(task and task.kind))
    lane.submit(WorkerTask("a", None, gate.wait))
    lane.submit(WorkerTask("b", None, int))
    gate.set()
    qtbot.waitUntil(lambda: lane.idle)
    assert kinds == ["a", "b", None]


def test_close_finishes_what_runs_and_what_must_be_kept(lane):
    ran = []
    lane.submit(WorkerTask("a", None, lambda: ran.append("a")))
    lane.submit(WorkerTask("b", None, lambda: ran.append("b")))
    lane.close()
    assert ran == (["a"] if lane.is_pending == 1 else ["a", "b"])
    assert not lane._thread.isRunning()
