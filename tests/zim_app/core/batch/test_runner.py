"""Batches: prompts, results, failures and threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from tests.zim_app.core.batch.conftest import FakeEngine, save_photo
from tests.zim_app.core.crashing import load_or_crash
from tests.zim_model.conftest import SMALL_VIT
from tests.zim_model.inference.test_engine import DiscBackend
from zim_app.core import isolation
from zim_app.core.batch.jobs import folder_jobs
from zim_app.core.batch.journal import BatchJournal
from zim_app.core.batch.plan import BATCH_EXPORT, BatchPlan
from zim_app.core.batch.prompt_sources import PromptPolicy
from zim_app.core.batch.prompt_table import RelativeBox, read_table
from zim_app.core.batch.runner import JobFinished, JobStarted, run
from zim_app.core.export_options import ExportOptions
from zim_app.core.images import load_image
from zim_app.core.project import write_project
from zim_app.core.saved_work import BUNDLED_MODEL, ObjectStack
from zim_app.core.session_store import Session, SessionStore
from zim_model.errors import ZimError
from zim_model.inference.engine import Engine
from zim_model.prompts import Box, Point, PromptSet
from zim_model.recipe import Recipe, SceneObject

MakePlan = Callable[..., BatchPlan]
RowsOf = Callable[..., dict[str, Any]]


def keep_work(
    store: SessionStore, path: Path, *recipes: Recipe, active: int = 0
) -> None:
    """Save a session as the studio does."""
    objects = tuple(
        SceneObject(n, f"thing {n}", recipe=recipe)
        for n, recipe in enumerate(recipes, 1)
    )
    key = load_image(path).key
    work = ObjectStack(objects, active)
    store.save(Session(key, path.name, path.resolve(), work))


def boxed(x0: float, y0: float, x1: float, y1: float) -> Recipe:
    return Recipe(PromptSet(box=Box(x0, y0, x1, y1)))


def alpha_of(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)[..., 3]


# --- Prompts --------------------------------------------------------------------------


def test_prompts_come_from_the_first_source_that_has_any(
    photos: Path, output: Path, store: SessionStore, rows_of: RowsOf, engine: FakeEngine
) -> None:
    for name in ("d.png", "e.png"):
        save_photo(photos / name, (9, len(name), ord(name[0])))
    keep_work(store, photos / "a.png", boxed(1, 2, 3, 4))
    for name in ("a.png", "b.png"):
        image = load_image(photos / name)
        work = ObjectStack((SceneObject(recipe=boxed(5, 6, 7, 8)),))
        write_project(photos / f"{name}.zimproj", image, work)
    table = photos / "prompts.csv"
    rows = "".join(f"{n}.png,10,11\n" for n in "abc")
    table.write_text(f"image,x,y\n{rows}", "utf-8")
    box = RelativeBox(0.5, 0.5, 1, 1)
    prompting = PromptPolicy(True, read_table(table), box, automatic=True)
    jobs = folder_jobs(photos, output, recursive=False)
    rows = rows_of(BatchPlan(jobs, output, prompting))
    assert {name: row.prompts for name, row in rows.items()} == {
        "a.png": "session",
        "b.png": "project",
        "c.png": "table",
        "d.png": "box",
        "e.png": "box",
    }
    prompts = [request.recipe.prompts for request in engine.solved]
    assert prompts == [
        PromptSet(box=Box(1, 2, 3, 4)),
        PromptSet(box=Box(5, 6, 7, 8)),
        PromptSet((Point(10, 11),)),
        PromptSet(box=Box(20, 15, 40, 30)),
        PromptSet(box=Box(20, 15, 40, 30)),
    ]


def test_projects_that_cannot_be_read_are_failures(
    photos: Path, make_plan: MakePlan, rows_of: RowsOf
) -> None:
    image = load_image(photos / "a.png")
    work = ObjectStack((SceneObject(recipe=boxed(5, 6, 7, 8)),))
    write_project(photos / "good.zimproj", image, work)
    text = (photos / "good.zimproj").read_text("utf-8")
    (photos / "bad.zimproj").write_text(text[: len(text) // 2], "utf-8")
    rows = rows_of(make_plan(PromptPolicy()))
    assert rows["a.png"].state == "done"
    assert rows["bad.zimproj"].state == "failed"
    assert "bad.zimproj" in rows["bad.zimproj"].message
    assert rows["bad.zimproj"].hint
    assert "bad.zimproj" not in rows_of(
        make_plan(PromptPolicy(recipes=False, automatic=True))
    )


@pytest.mark.parametrize(
    ("version", "told"), [(BUNDLED_MODEL - 1, True), (None, False)]
)
def test_work_of_an_earlier_bundled_model_is_noted(
    photos: Path, make_plan: MakePlan, rows_of: RowsOf, version: int, told: bool
) -> None:
    image = load_image(photos / "a.png")
    work = ObjectStack((SceneObject(recipe=boxed(5, 6, 7, 8)),))
    if version is not None:
        work = replace(work, bundled_model=version)
    write_project(photos / "a.zimproj", image, work)
    notes = rows_of(make_plan(PromptPolicy()))["a.png"].notes
    assert any("earlier zim-tiny" in note for note in notes) == told


def test_a_moved_image_is_recognised_by_its_pixels(
    photos: Path, store: SessionStore, make_plan: MakePlan, rows_of: RowsOf
) -> None:
    keep_work(store, photos / "a.png", boxed(1, 2, 3, 4))
    (photos / "a.png").rename(photos / "elsewhere.png")
    rows = rows_of(make_plan(PromptPolicy()))
    assert rows["elsewhere.png"].prompts == "session"
    assert rows["b.png"].state == "skipped"
    assert "There are no prompts" in rows["b.png"].message


def test_recipes_can_be_left_out(
    photos: Path, store: SessionStore, make_plan: MakePlan, rows_of: RowsOf
) -> None:
    keep_work(store, photos / "a.png", boxed(1, 2, 3, 4))
    rows = rows_of(make_plan(PromptPolicy(recipes=False, automatic=True)))
    assert {row.prompts for row in rows.values()} == {"automatic"}


def test_the_main_object_is_requested_with_its_found_prompts(
    make_plan: MakePlan, rows_of: RowsOf, engine: FakeEngine
) -> None:
    rows_of(make_plan(PromptPolicy(automatic=True, model="zim-tiny")))
    assert engine.solved[0].recipe.prompts == PromptSet((Point(20, 15),))
    assert engine.solved[0].recipe.options.candidate == 2


def test_an_image_without_any_object_fails(
    make_plan: MakePlan,
    rows_of: RowsOf,
    engine: FakeEngine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine, "subject", lambda *_: None)
    assert "No object was found" in rows_of(make_plan())["a.png"].message


# --- Results --------------------------------------------------------------------------


def test_objects_become_one_file_or_files_or_layers(
    photos: Path,
    output: Path,
    store: SessionStore,
    make_plan: MakePlan,
    rows_of: RowsOf,
) -> None:
    recipes = boxed(0, 0, 10, 10), boxed(20, 0, 30, 10)
    keep_work(store, photos / "a.png", *recipes, active=1)
    together = rows_of(make_plan(PromptPolicy()))["a.png"]
    assert together.outputs == ("a-cutout.png",)
    assert together.objects == 2
    alpha = alpha_of(output / "a-cutout.png")
    assert (alpha[5, 5], alpha[5, 15], alpha[5, 25]) == (255, 0, 255)
    each = ExportOptions("matte", scope="each", template="{name}-{object}")
    row = rows_of(make_plan(PromptPolicy(), export=each))["a.png"]
    assert row.outputs == ("a-thing 2.png", "a-thing 1.png")
    active = ExportOptions(scope="active", template="{name}-active")
    rows_of(make_plan(PromptPolicy(), export=active))
    alpha = alpha_of(output / "a-active.png")
    assert (alpha[5, 5], alpha[5, 25]) == (0, 255)
    psd = ExportOptions(format="psd", scope="together", original=True)
    assert rows_of(make_plan(PromptPolicy(), export=psd))["a.png"].outputs == (
        "a-layers.psd",
    )


def test_results_keep_the_tree_and_the_depth(
    photos: Path, output: Path, make_plan: MakePlan, rows_of: RowsOf
) -> None:
    deep = np.random.default_rng(0).integers(0, 65536, (30, 40, 3), np.uint16)
    (photos / "x").mkdir()
    tifffile.imwrite(photos / "x" / "deep.tif", deep, photometric="rgb")
    rows = rows_of(make_plan(recursive=True))
    assert rows["x/deep.tif"].outputs == ("x/deep-cutout.png",)
    written = load_image(output / "x" / "deep-cutout.png")
    assert np.array_equal(written.source[:, :20], deep[:, :20])


def test_other_peoples_files_stay(
    output: Path, make_plan: MakePlan, rows_of: RowsOf
) -> None:
    output.mkdir()
    (output / "a-cutout.png").write_bytes(b"precious")
    assert rows_of(make_plan())["a.png"].outputs == ("a-cutout-2.png",)
    assert (output / "a-cutout.png").read_bytes() == b"precious"


def test_foreign_files_are_replaced_with_the_option(
    output: Path, make_plan: MakePlan, rows_of: RowsOf
) -> None:
    output.mkdir()
    (output / "a-cutout.png").write_bytes(b"old")
    assert rows_of(make_plan(replace=True))["a.png"].outputs == ("a-cutout.png",)
    assert alpha_of(output / "a-cutout.png").any()


def test_images_of_the_input_are_never_replaced(photos: Path, rows_of: RowsOf) -> None:
    inner = photos / "inner"
    save_photo(inner / "a.png", (1, 2, 3))
    before = (photos / "a.png").read_bytes()
    outer = folder_jobs(photos, photos / "o", recursive=False)
    inside = folder_jobs(inner, photos, recursive=False)
    options = replace(BATCH_EXPORT, template="{name}")
    plan = BatchPlan(
        (*outer, *inside), photos, PromptPolicy(automatic=True), options, True
    )
    rows_of(plan)
    assert (photos / "a.png").read_bytes() == before


def test_a_name_that_is_the_same_for_all_images_is_refused(
    make_plan: MakePlan, engine: FakeEngine
) -> None:
    export = ExportOptions(template="{what}-{n}")
    with pytest.raises(ZimError, match="same for all photos"):
        next(run(make_plan(export=export), engine))
    with pytest.raises(ZimError, match="nowhere that prompts"):
        next(run(make_plan(PromptPolicy(recipes=False)), engine))


def test_rows_describe_the_mattes(
    photos: Path, store: SessionStore, make_plan: MakePlan, rows_of: RowsOf
) -> None:
    keep_work(store, photos / "a.png", boxed(0, 0, 40, 15))
    row = rows_of(make_plan(PromptPolicy()))["a.png"]
    assert (row.width, row.height, row.objects) == (40, 30, 1)
    assert (row.coverage, row.soft, row.score) == (0.5, 0.0, 0.9)
    assert (row.model, row.device, row.encode_ms) == ("zim-tiny", "fake", 3.0)


# --- Failures -------------------------------------------------------------------------


def test_bad_images_are_reported_and_do_not_stop_the_others(
    photos: Path, make_plan: MakePlan, rows_of: RowsOf
) -> None:
    (photos / "0empty.png").write_bytes(b"")
    whole = save_photo(photos / "1cut.png", (1, 2, 3), (400, 300)).read_bytes()
    (photos / "1cut.png").write_bytes(whole[: len(whole) // 2])
    (photos / "2text.jpg").write_text("no image")
    rows = rows_of(make_plan())
    states = {name: row.state for name, row in rows.items()}
    assert [states[n] for n in ("0empty.png", "1cut.png", "2text.jpg")] == [
        "failed"
    ] * 3
    assert all(row.message for row in rows.values() if row.state == "failed")
    assert [states[n] for n in ("a.png", "b.png", "c.png")] == ["done"] * 3


def test_a_photo_that_crashes_its_decoder_does_not_stop_the_others(
    photos: Path, make_plan: MakePlan, rows_of: RowsOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    (photos / "b.png").rename(photos / "bad.png")
    helpers = isolation.Helpers()
    monkeypatch.setattr(isolation, "_helpers", helpers)
    monkeypatch.setattr("zim_app.core.images._load", load_or_crash)
    rows = rows_of(make_plan())
    helpers.close()
    states = {name: row.state for name, row in rows.items()}
    assert states == {"a.png": "done", "bad.png": "failed", "c.png": "done"}
    assert "is damaged: it made its decoder crash" in rows["bad.png"].message


def test_bad_prompts_are_reported_before_the_model_runs(
    photos: Path, tmp_path: Path, make_plan: MakePlan, rows_of: RowsOf, engine: Any
) -> None:
    table = tmp_path / "prompts.csv"
    table.write_text("image,x,y\na.png,400,3\nb.png,x,3\nc.png,1,1\nz.png,1,1\n")
    rows = rows_of(make_plan(PromptPolicy(table=read_table(table))))
    assert "outside the image (40 x 30" in rows["a.png"].message
    assert "line 3" in rows["b.png"].message
    assert rows["c.png"].state == "done"
    assert rows["z.png"].state == "failed"
    assert "no such photo" in rows["z.png"].message
    assert len(engine.solved) == 1


def test_an_engine_that_fails_fails_images(
    make_plan: MakePlan, rows_of: RowsOf, engine: FakeEngine
) -> None:
    engine.refuse = "There is not enough memory."
    rows = rows_of(make_plan())
    assert {row.message for row in rows.values()} == {"There is not enough memory."}


def test_a_bug_is_one_images_failure(
    make_plan: MakePlan, rows_of: RowsOf, engine: FakeEngine
) -> None:
    def stumble(request: Any) -> None:
        if not engine.solved:
            engine.solved.append(request)
            raise ValueError("odd")

    engine.during = stumble
    rows = rows_of(make_plan())
    assert "ValueError: odd" in rows["a.png"].message
    assert rows["b.png"].state == "done"


def test_a_result_that_cannot_be_written_is_reported(
    photos: Path, output: Path, make_plan: MakePlan, rows_of: RowsOf
) -> None:
    save_photo(photos / "x" / "d.png", (1, 2, 3))
    output.mkdir()
    (output / "x").write_text("a file where a folder is needed")
    rows = rows_of(make_plan(recursive=True))
    assert rows["x/d.png"].state == "failed"
    assert "cannot be written" in rows["x/d.png"].message
    assert rows["a.png"].state == "done"


# --- Threads --------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [0, 2])
def test_only_the_calling_thread_calls_the_engine(
    workers: int, make_plan: MakePlan, rows_of: RowsOf, engine: FakeEngine
) -> None:
    assert len(rows_of(make_plan(), workers=workers)) == 3
    assert engine.threads == {threading.current_thread()}


def test_images_are_read_while_the_model_works(
    photos: Path, make_plan: MakePlan, engine: FakeEngine, monkeypatch: Any
) -> None:
    """The model waits, at the first image, until the third one is being read."""
    third = threading.Event()

    def load(path: Path) -> Any:
        if path.name == "c.png":
            third.set()
        return load_image(path)

    monkeypatch.setattr("zim_app.core.batch.runner.load_image", load)
    engine.during = lambda _: pytest.fail("not read ahead") if not third.wait(10) else 0
    assert sum(isinstance(e, JobFinished) for e in run(make_plan(), engine)) == 3


def test_little_memory_means_one_image_after_the_other(
    photos: Path, make_plan: MakePlan, engine: FakeEngine, monkeypatch: Any
) -> None:
    read: list[str] = []

    def load(path: Path) -> Any:
        read.append(path.name)
        return load_image(path)

    for number in range(20):
        save_photo(photos / f"p{number:02}.png", (number, 2, 3))
    monkeypatch.setattr("zim_app.core.batch.runner.load_image", load)
    ahead = []
    engine.during = lambda _: ahead.append(len(read) - len(engine.solved))
    assert len(list(run(make_plan(), engine, memory=1))) == 46
    assert max(ahead[5:]) <= 2  # one in the engine, and one being read


def test_the_engine_encodes_an_image_once_for_all_its_objects(
    photos: Path, store: SessionStore, make_plan: MakePlan
) -> None:
    backend = DiscBackend(SMALL_VIT)
    for name in ("a.png", "b.png"):
        keep_work(store, photos / name, *(boxed(n, 0, 20, 20) for n in range(4)))
    engine = Engine(lambda model, placement: backend)  # type: ignore[arg-type, return-value]
    rows = [
        e.row
        for e in run(make_plan(PromptPolicy()), engine)
        if isinstance(e, JobFinished)
    ]
    assert [row.objects for row in rows if row.state == "done"] == [4, 4]
    assert len(backend.views) == 2


def test_all_objects_of_an_image_come_one_after_the_other(
    photos: Path, store: SessionStore, make_plan: MakePlan, engine: FakeEngine
) -> None:
    """So that features are encoded once for all of them."""
    for name in ("a.png", "b.png"):
        keep_work(store, photos / name, boxed(0, 0, 9, 9), boxed(1, 1, 20, 20))
    events = list(run(make_plan(PromptPolicy()), engine))
    keys = [request.image_key for request in engine.solved]
    assert keys == sorted(keys, key=keys.index)
    assert len(set(keys)) == 2
    assert [e.image for e in events if isinstance(e, JobStarted)] == ["a.png", "b.png"]


def test_a_result_whose_name_another_program_takes_gets_another(
    engine: FakeEngine, make_plan: MakePlan, output: Path, rows_of: RowsOf
) -> None:
    """Even in the moment between the choice of the name and the writing."""
    plan = make_plan()
    start = BatchJournal.record_start

    def record(journal: BatchJournal, image: str, paths: list[str], *lost: str) -> None:
        start(journal, image, paths, *lost)
        if paths == ["b-cutout.png"]:
            (output / paths[0]).write_bytes(b"of another program")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BatchJournal, "record_start", record)
        rows = rows_of(plan)
    assert rows["b.png"].outputs == ("b-cutout-2.png",)
    assert (output / "b-cutout.png").read_bytes() == b"of another program"
    # Run again, it is not taken for a result of the first run either.
    rows = rows_of(replace(plan, export=replace(plan.export, trim=True)))
    assert (output / "b-cutout.png").read_bytes() == b"of another program"
