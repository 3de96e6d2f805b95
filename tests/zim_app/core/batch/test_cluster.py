from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.zim_app.core.batch.conftest import FakeEngine, save_photo
from tests.zim_app.core.batch.test_runner import boxed, keep_work
from zim_app.core.batch import cluster
from zim_app.core.batch.cluster import MIN_CHUNKS, run_on_cluster
from zim_app.core.batch.plan import BatchPlan
from zim_app.core.batch.prompt_sources import PromptPolicy
from zim_app.core.session_store import SessionStore

MakePlan = Callable[..., BatchPlan]


@pytest.fixture(autouse=True)
def made(engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Device choices that engines were made for."""
    choices: list[Any] = []

    def make(choice: Any) -> FakeEngine:
        choices.append(choice)
        return engine

    monkeypatch.setattr(cluster, "process_engine", make)
    return choices


def test_all_parts_are_done(
    photos: Path, store: SessionStore, make_plan: MakePlan, made: list[Any]
) -> None:
    for number in range(29):
        save_photo(photos / f"p{number}.png", (number, 2, 3))
    keep_work(store, photos / "a.png", boxed(1, 2, 3, 4))
    rows = list(run_on_cluster(make_plan(), None, store=store))
    assert {row.state for row in rows} == {"done"}
    assert len({row.image for row in rows}) == 32
    assert next(r for r in rows if r.image == "a.png").prompts == "session"
    assert len(made) == MIN_CHUNKS
    again = list(run_on_cluster(make_plan(), None, store=store))
    assert {row.state for row in again} == {"kept"}


def test_tasks_can_be_sent(
    photos: Path,
    make_plan: MakePlan,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[Any] = []

    def run_all(function: Any, tasks: Any, *, cluster: str) -> Any:
        for number, task in enumerate(tasks):
            sent.append(cluster)
            function, task = pickle.loads(pickle.dumps((function, task)))
            yield number, function(*task)

    monkeypatch.setattr(cluster, "run_all", run_all)
    monkeypatch.chdir(photos.parent)
    plan = make_plan(PromptPolicy(automatic=True))
    rows = list(run_on_cluster(plan, "host:1"))
    assert [row.state for row in rows] == ["done"] * 3
    assert sent == ["host:1"] * 3
