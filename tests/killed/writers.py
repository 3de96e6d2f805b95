"""Writers of one file: saving a project, keeping a session, exporting."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

import numpy as np

from tests.killed.victim import Writer
from zim_app.core.export import ExportTarget, export
from zim_app.core.images import Image, load_image
from zim_app.core.project import read_project, write_project
from zim_app.core.saved_work import ObjectStack
from zim_app.core.session_store import Session, SessionStore
from zim_model.prompts import Point, PromptSet, Scribble
from zim_model.recipe import Recipe, SceneObject

SIDE = 160


@lru_cache
def _image() -> Image:
    rng = np.random.default_rng(0)
    return Image.from_array(rng.integers(0, 256, (SIDE, SIDE, 3), np.uint8), "a")


def _stack(number: int) -> ObjectStack:
    """Objects that only that number has, of some thousand vertices."""
    path = tuple((float(i % SIDE), float(number % SIDE)) for i in range(3_000))
    prompts = PromptSet((Point(number % SIDE, 1.0),), scribbles=(Scribble(path),))
    return ObjectStack((SceneObject(1, f"{number}", recipe=Recipe(prompts)),))


def _check_stack(stack: ObjectStack) -> None:
    assert stack == _stack(int(stack.objects[0].name))


def _save(folder: Path, number: int) -> None:
    write_project(folder / "a.zimproj", _image(), _stack(number))


def _check_saved(folder: Path) -> None:
    project = read_project(folder / "a.zimproj")
    _check_stack(project.stack)
    assert project.reference.path is not None
    assert (
        project.reference.match(load_image(folder / project.reference.path)) == "same"
    )


def _keep(folder: Path, number: int) -> None:
    """Do what autosave does on its thread, for a pasted image."""
    from zim_app.gui.files import autosave

    os.environ["ZIM_STUDIO_STATE"] = str(folder)
    store = SessionStore(folder / "sessions")
    runs = folder / "runs"
    runs.mkdir(exist_ok=True)
    if number % 1000 in (0, 999):  # the first of a start, which looks for crashed runs
        for run in autosave.find_crashed_runs(runs):
            assert run.image is not None
    session = Session(_image().key, "a", None, _stack(number))
    autosave._save(store, session, _image())
    autosave._write_recovery_state(store, runs / "run.json", _image(), None)


def _check_kept(folder: Path) -> None:
    session = SessionStore(folder / "sessions").load(_image().key)
    assert session is not None
    assert session.path is not None
    assert load_image(session.path).key == _image().key
    _check_stack(session.stack)


def _export(folder: Path, number: int) -> None:
    alpha = np.full((SIDE, SIDE), 257 * (number % 200 + 1), np.uint16)
    export(_image(), [ExportTarget(alpha)], folder / "a.png")


def _check_exported(folder: Path) -> None:
    image = load_image(folder / "a.png")
    assert image.source_alpha is not None
    assert len(np.unique(image.source_alpha)) == 1
    assert (image.source == _image().source).all()


WRITERS = (
    Writer("save", _save, _check_saved),
    Writer("autosave", _keep, _check_kept),
    Writer("export", _export, _check_exported),
)
