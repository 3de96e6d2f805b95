from __future__ import annotations

import threading

import pytest

from zim_model.errors import ZimError
from zim_model.runtime import jobs
from zim_model.runtime.jobs import Progress, RunControl, Shard


def test_every_item_belongs_to_one_shard() -> None:
    names = [f"folder/picture {n}.png" for n in range(200)]
    shards = [Shard.parse(f"{n}/4") for n in range(1, 5)]
    parts = [[name for name in names if shard.contains(name)] for shard in shards]
    assert sorted(name for part in parts for name in part) == sorted(names)
    assert all(len(part) > 25 for part in parts)
    assert Shard().contains("anything")


@pytest.mark.parametrize("text", ["0/4", "5/4", "1", "a/b", "-1/4", "1/0", "1/4/2"])
def test_impossible_shards_are_refused(text: str) -> None:
    with pytest.raises(ZimError, match="There is no part"):
        Shard.parse(text)


def test_the_shards_of_a_job() -> None:
    assert list(map(str, Shard.divide(3))) == ["1/3", "2/3", "3/3"]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time in seconds, as a list of one number."""
    now = [100.0]
    monkeypatch.setattr(jobs.time, "monotonic", lambda: now[0])
    return now


def test_time_left_is_of_the_items_of_this_run(clock: list[float]) -> None:
    progress = Progress(10, done=2)
    assert progress.seconds_left is None
    progress.add(worked=False)
    assert progress.seconds_left is None
    clock[0] += 4
    progress.add()
    progress.add()
    assert progress.done == 5
    assert progress.seconds_left == pytest.approx(4 / 2 * 5)


def test_pauses_do_not_count(clock: list[float]) -> None:
    progress, control = Progress(2), RunControl()
    control.pause()

    def resume() -> None:
        clock[0] += 60
        control.resume()

    resuming = threading.Timer(0.05, resume)
    resuming.start()
    progress.wait(control)
    resuming.join()
    clock[0] += 3
    progress.add()
    assert progress.seconds_left == pytest.approx(3)


def test_cancelling_ends_a_pause() -> None:
    control = RunControl()
    control.pause()
    control.cancel()
    control.wait()
    assert control.cancelled()
