"""Small images, and a fake engine that returns at once and records its requests."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from zim_app.core.batch.jobs import folder_jobs
from zim_app.core.batch.plan import BatchPlan
from zim_app.core.batch.prompt_sources import PromptPolicy
from zim_app.core.batch.runner import JobFinished, run
from zim_app.core.session_store import SessionStore
from zim_model.errors import Cancelled, DeviceError
from zim_model.inference.automatic import FoundObject
from zim_model.prompts import Point, PromptSet
from zim_model.request import Matte, Request, Timings

WIDTH, HEIGHT = 40, 30


class FakeEngine:
    """Mattes with an opaque box or left half; records requests and calling threads."""

    device = None

    def __init__(self) -> None:
        self.solved: list[Request] = []
        self.threads: set[threading.Thread] = set()
        self.refuse = ""
        self.during: Callable[[Request], Any] = lambda request: None

    def solve(self, request: Request, cancelled: Any = lambda: False) -> Matte:
        self.threads.add(threading.current_thread())
        self.during(request)
        if cancelled():
            raise Cancelled
        if self.refuse:
            raise DeviceError(self.refuse)
        self.solved.append(request)
        height, width = request.image.shape[:2]
        alpha = np.zeros((height, width), np.uint16)
        box = request.recipe.prompts.box
        if box is None:
            alpha[:, : width // 2] = 65535
        else:
            alpha[round(box.y0) : round(box.y1), round(box.x0) : round(box.x1)] = 65535
        pyramid = ((alpha >> 8).astype(np.uint8),)
        timings = Timings(3.0, 2.0, "fake")
        scores = np.full(4, 0.9, np.float32)
        return Matte(alpha, pyramid, scores, 0, (0, 0, width, height), timings)

    def everything(
        self, request: Request, options: None = None, cancelled: Any = lambda: False
    ) -> tuple[FoundObject, ...]:
        small = np.zeros((HEIGHT, WIDTH), np.uint8)
        small[10:20, 10:30] = 255
        prompts = PromptSet((Point(20, 15),))
        return (FoundObject(prompts, 2, small, 0.9, 0.9, (10, 10, 30, 20), 0.17),)

    def subject(self, request: Request, cancelled: Any = lambda: False) -> FoundObject:
        return self.everything(request)[0]


def save_photo(path: Path, colour: tuple[int, int, int], size: Any = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size or (WIDTH, HEIGHT), colour).save(path)
    return path


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the studio's sessions in a temporary folder."""
    monkeypatch.setenv("ZIM_STUDIO_STATE", str(tmp_path / "state"))


@pytest.fixture
def store(state: None) -> SessionStore:
    return SessionStore()


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with three images."""
    folder = tmp_path / "photos"
    for number, name in enumerate(("a.png", "b.png", "c.png")):
        save_photo(folder / name, (number * 60, 100, 50))
    return folder


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def make_plan(photos: Path, output: Path) -> Callable[..., BatchPlan]:
    """A plan for the folder, on the main object unless prompts are given."""

    def make(prompting: PromptPolicy | None = None, **changes: Any) -> BatchPlan:
        recursive = changes.pop("recursive", False)
        jobs = folder_jobs(photos, output, recursive=recursive)
        return BatchPlan(
            jobs, output, prompting or PromptPolicy(automatic=True), **changes
        )

    return make


@pytest.fixture
def rows_of(engine: FakeEngine) -> Callable[..., dict[str, Any]]:
    """Run a plan to its end; rows by image."""

    def rows(plan: BatchPlan, **options: Any) -> dict[str, Any]:
        events = run(plan, engine, **options)
        return {e.row.image: e.row for e in events if isinstance(e, JobFinished)}

    return rows
