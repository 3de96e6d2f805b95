import functools
import os
import signal

import pytest

from zim_model.errors import ZimError
from zim_model.runtime import cluster
from zim_model.runtime.cluster import connect_ray, run_all


def square(number):
    return number * number


def process_of(number):
    return number, os.getpid()


def fails_on_two(number):
    if number == 2:
        raise ZimError("Two is too many.", "Give one.")
    return number


def dies_once(folder, number):
    """The worker that gets task 1 is killed the first time."""
    mark = folder / f"{number}"
    mark.write_text(mark.read_text() + "x" if mark.exists() else "x")
    if number == 1 and mark.read_text() == "x":
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def dies(number):
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture(scope="module")
def two_workers():
    """One cluster for the module; run_all uses the connection that is open."""
    with connect_ray("local:2"):
        yield "local:2"


@pytest.fixture(params=["here", "processes", "cluster"])
def place(request):
    if request.param == "cluster":
        return {"cluster": request.getfixturevalue("two_workers")}
    return {"workers": 2 if request.param == "processes" else 1}


def test_every_task_is_done_once(place):
    results = list(run_all(square, ((n,) for n in range(9)), **place))
    assert sorted(results) == [(n, n * n) for n in range(9)]


def test_nothing_to_do(place):
    assert list(run_all(square, [], **place)) == []


def test_an_exception_arrives_as_it_was_raised(place):
    with pytest.raises(ZimError) as caught:
        list(run_all(fails_on_two, ((n,) for n in range(5)), **place))
    assert caught.value.message == "Two is too many."
    assert caught.value.hint == "Give one."


def test_tasks_are_drawn_little_by_little(place):
    drawn = []

    def tasks():
        for number in range(50):
            drawn.append(number)
            yield (number,)

    results = run_all(square, tasks(), **place)
    next(results)
    assert len(drawn) <= 10
    results.close()


@pytest.fixture(params=["processes", "cluster"])
def elsewhere(request):
    if request.param == "cluster":
        return {"cluster": request.getfixturevalue("two_workers")}
    return {"workers": 2}


def test_work_is_done_in_other_processes(elsewhere):
    results = [
        value for _, value in run_all(process_of, ((n,) for n in range(8)), **elsewhere)
    ]
    assert {number for number, _ in results} == set(range(8))
    assert os.getpid() not in {pid for _, pid in results}


def test_a_killed_worker_costs_nothing(elsewhere, tmp_path):
    function = functools.partial(dies_once, tmp_path)
    results = list(run_all(function, ((n,) for n in range(6)), **elsewhere))
    assert sorted(results) == [(n, n) for n in range(6)]
    assert (tmp_path / "1").read_text() == "xx", "it was done again"


def test_a_task_that_always_kills_is_given_up(elsewhere):
    with pytest.raises(ZimError, match="Task 0 was given up: its worker died 2 times"):
        list(run_all(dies, [(0,)], **elsewhere, retries=1))


def test_without_ray_the_cure_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(ZimError, match="not installed") as caught:
        list(run_all(square, [(1,)], cluster="auto"))
    assert "zim-studio[cluster]" in caught.value.hint


def test_an_address_that_leads_nowhere_is_named(monkeypatch):
    class Ray:
        def is_initialized(self):
            return False

        def init(self, **options):
            raise ConnectionError(f"no answer from {options['address']}")

    monkeypatch.setattr(cluster, "_ray", Ray)
    with pytest.raises(ZimError, match=r"'head:6379' cannot be reached: no answer"):
        list(run_all(square, [(1,)], cluster="head:6379"))


def test_a_worker_has_a_card_of_its_own_or_a_processor():
    class Ray:
        def __init__(self, **resources):
            self.cluster_resources = lambda: resources

    assert cluster.worker_capacity(Ray(CPU=8.0)) == (8, {"num_cpus": 1})
    assert cluster.worker_capacity(Ray(CPU=8.0, GPU=3.0)) == (
        3,
        {"num_cpus": 0, "num_gpus": 1},
    )
