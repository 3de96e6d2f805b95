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
def worker(qapp, request, gate):
    worker = WorkerThread("test", waiting=request.param)
    worker.is_pending = request.param
    worker.answers = []
    worker.finished.connect(
        lambda task, *answer: worker.answers.append((task, *answer))
    )
    yield worker
    gate.set()
    worker.close()


def test_work_runs_on_another_thread(worker, qtbot):
    worker.submit(WorkerTask("where", None, QThread.currentThread))
    qtbot.waitUntil(lambda: worker.idle)
    [(_, thread, error)] = worker.answers
    assert error is None
    assert thread != QCoreApplication.instance().thread()


def test_an_exception_is_a_result(worker, qtbot):
    worker.submit(WorkerTask("fail", None, lambda: 1 / 0))
    qtbot.waitUntil(lambda: worker.idle)
    [(_, result, error)] = worker.answers
    assert result is None
    assert isinstance(error, ZeroDivisionError)


def test_latest_wins_or_all_wait(worker, gate, qtbot):
    worker.submit(WorkerTask("first", 0, gate.wait))
    for number in (1, 2, 3):
        worker.submit(WorkerTask("later", number, int))
    gate.set()
    qtbot.waitUntil(lambda: worker.idle)
    subjects = [task.subject for task, *_ in worker.answers]
    assert subjects == ([0, 3] if worker.is_pending == 1 else [0, 1, 2, 3])


def test_running_changed_names_the_running_task(worker, gate, qtbot):
    kinds = []
    worker.running_changed.connect(lambda task: kinds.append(task and task.kind))
    worker.submit(WorkerTask("a", None, gate.wait))
    worker.submit(WorkerTask("b", None, int))
    gate.set()
    qtbot.waitUntil(lambda: worker.idle)
    assert kinds == ["a", "b", None]


def test_close_finishes_what_runs_and_what_must_be_kept(worker):
    ran = []
    worker.submit(WorkerTask("a", None, lambda: ran.append("a")))
    worker.submit(WorkerTask("b", None, lambda: ran.append("b")))
    worker.close()
    assert ran == (["a"] if worker.is_pending == 1 else ["a", "b"])
    assert not worker._thread.isRunning()
