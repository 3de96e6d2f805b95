from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from zim_app.__main__ import main
from zim_app.cli import auto
from zim_model.finish import Finish
from zim_model.inference.automatic import AutomaticOptions, FoundObject
from zim_model.network.config import TinyConfig
from zim_model.prompts import Point, PromptSet
from zim_model.recipe import Recipe
from zim_model.request import Matte, Request, Timings

WIDTH, HEIGHT = 40, 30
LEFT = (0, 0, 20, 30)
CORNER = (30, 20, 40, 30)


class Encoder:
    config = TinyConfig()
    device_label = "fake"


class FakeEngine:
    """A fake engine that finds two objects, the left half and a corner."""

    def __init__(self) -> None:
        self.boxes = [LEFT, CORNER]
        self.options: list[AutomaticOptions | None] = []
        self.solved: list[Request] = []
        self.notes: tuple[str, ...] = ()

    def backend(self, model: str) -> Encoder:
        return Encoder()

    def everything(
        self, request: Request, options: Any, progress: Any
    ) -> tuple[FoundObject, ...]:
        self.options.append(options)
        objects = tuple(self._found(box) for box in self.boxes)
        progress(1, 2, objects[:1])
        progress(2, 2, objects)
        return objects

    def _found(self, box: tuple[int, int, int, int]) -> FoundObject:
        small = alpha_of(box).astype(np.uint8)
        prompts = PromptSet((Point(box[0] + 1, box[1] + 1),))
        return FoundObject(
            prompts, 0, small, 0.91, 0.95, box, float(small.mean()) / 255
        )

    def solve(self, request: Request) -> Matte:
        self.solved.append(request)
        click = request.recipe.prompts.points[0]
        box = next(b for b in self.boxes if (b[0] + 1, b[1] + 1) == (click.x, click.y))
        scores = np.ones(4, np.float32)
        timings = Timings(1.0, 1.0, "fake", self.notes)
        return Matte(alpha_of(box), (), scores, 0, box, timings)


def alpha_of(box: tuple[int, int, int, int]) -> np.ndarray:
    alpha = np.zeros((HEIGHT, WIDTH), np.uint16)
    alpha[box[1] : box[3], box[0] : box[2]] = 65535
    return alpha


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    fake = FakeEngine()
    monkeypatch.setattr(auto, "make_engine", lambda args: fake)
    return fake


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    Image.new("RGB", (WIDTH, HEIGHT), (200, 100, 50)).save(path)
    return path


def run(*argv: str | Path) -> int:
    return main(["auto", *(str(word) for word in argv)])


def test_each_object_gets_a_file_and_the_index_lists_them(
    photo: Path, engine: FakeEngine, tmp_path: Path, capsys: Any
) -> None:
    folder = tmp_path / "new" / "folder"
    assert run(photo, "-o", folder) == 0
    names = ["photo-01.png", "photo-02.png", "photo-objects.json"]
    assert sorted(os.listdir(folder)) == names
    with Image.open(folder / "photo-01.png") as image:
        assert image.getpixel((0, 0)) == (200, 100, 50, 255)
        assert image.getpixel((39, 0))[3] == 0
    index = json.loads((folder / "photo-objects.json").read_text("utf-8"))
    assert index["image"] == str(photo)
    assert (index["width"], index["height"]) == (WIDTH, HEIGHT)
    assert (index["model"], index["device"]) == ("zim-tiny", "fake")
    first, second = index["objects"]
    assert first["file"] == "photo-01.png"
    assert first["box"] == list(LEFT)
    assert first["area"] == 0.5
    assert second["score"] == 0.91
    recipe = Recipe.from_json(second["recipe"])
    assert recipe.prompts == PromptSet((Point(31, 21),))
    assert recipe.options == engine.solved[1].recipe.options
    printed = capsys.readouterr()
    assert f"{folder}: 2 objects found in" in printed.out
    assert printed.err == ""


def test_json_prints_the_index(
    photo: Path, engine: FakeEngine, tmp_path: Path, capsys: Any
) -> None:
    assert run(photo, "-o", tmp_path / "out", "--json") == 0
    printed = json.loads(capsys.readouterr().out)
    written = (tmp_path / "out" / "photo-objects.json").read_text("utf-8")
    assert printed == json.loads(written)


def test_fallbacks_for_lack_of_memory_are_reported_once(
    photo: Path, engine: FakeEngine, tmp_path: Path, capsys: Any
) -> None:
    engine.notes = ("Too little memory.",)
    assert run(photo, "-o", tmp_path / "out") == 0
    assert capsys.readouterr().err == "zim-studio: warning: Too little memory.\n"


def test_trimmed_mattes(photo: Path, engine: FakeEngine, tmp_path: Path) -> None:
    assert run(photo, "-o", tmp_path, "--trim", "--what", "matte") == 0
    with Image.open(tmp_path / "photo-02.png") as image:
        assert image.mode == "L"
        assert image.size == (10, 10)


@pytest.mark.parametrize("taken", ["photo-objects.json", "photo-07.png"])
def test_files_of_an_earlier_run_are_replaced_only_with_the_option(
    photo: Path, engine: FakeEngine, tmp_path: Path, capsys: Any, taken: str
) -> None:
    (tmp_path / taken).write_text("mine")
    assert run(photo, "-o", tmp_path) == 1
    assert f"{taken} exists already. Say --replace" in capsys.readouterr().err
    assert (tmp_path / taken).read_text() == "mine"
    assert sorted(os.listdir(tmp_path)) == sorted(["photo.png", taken])
    assert not engine.options
    assert run(photo, "-o", tmp_path, "--replace") == 0
    assert (tmp_path / "photo-02.png").exists()


def test_files_of_other_photos_do_not_interfere(
    photo: Path, engine: FakeEngine, tmp_path: Path
) -> None:
    for name in ("photo-1b.png", "other-01.png", "other-objects.json"):
        (tmp_path / name).write_text("mine")
    assert run(photo, "-o", tmp_path) == 0
    assert (tmp_path / "photo-1b.png").read_text() == "mine"


def test_options_default_to_the_models_own(
    photo: Path, engine: FakeEngine, tmp_path: Path
) -> None:
    said = ["--grid", "5", "--min-area", "0.1", "--min-stability", "0.5"]
    assert run(photo, "-o", tmp_path, *said) == 0
    (options,) = engine.options
    assert options is not None
    assert (options.grid, options.min_area, options.min_stability) == (5, 0.1, 0.5)
    assert options.refine_with_box
    assert options.max_area == AutomaticOptions.for_model(TinyConfig()).max_area


def test_nothing_found_is_no_failure(
    photo: Path, engine: FakeEngine, tmp_path: Path, capsys: Any
) -> None:
    engine.boxes = []
    assert run(photo, "-o", tmp_path) == 0
    assert "0 objects found" in capsys.readouterr().out
    index = json.loads((tmp_path / "photo-objects.json").read_text("utf-8"))
    assert index["objects"] == []


def test_progress_is_shown_on_a_terminal_only(
    photo: Path,
    engine: FakeEngine,
    tmp_path: Path,
    capsys: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert run(photo, "-o", tmp_path) == 0
    err = capsys.readouterr().err
    assert "2/2" in err
    assert "2 objects found" in err


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["gone.png", "-o", "out"], "gone.png cannot be read"),
        (["photo.png", "-o", "photo.png"], "photo.png is a file. Give the path of a"),
        (["photo.png", "-o", "photo.png/a"], "cannot be made: part of the path"),
        (["photo.png", "-o", "out", "--grid", "0"], "grid of 0 clicks"),
        (["photo.png", "-o", "out", "--min-area", "2"], "min_area is 2."),
    ],
)
def test_expected_failures_are_one_line_and_1(
    photo: Path,
    engine: FakeEngine,
    capsys: Any,
    monkeypatch: pytest.MonkeyPatch,
    argv: list[str],
    sentence: str,
) -> None:
    monkeypatch.chdir(photo.parent)
    assert run(*argv) == 1
    printed = capsys.readouterr()
    assert printed.err.startswith("zim-studio: error: ")
    assert printed.err.count("\n") == 1
    assert sentence in printed.err
    assert not engine.options


def test_a_folder_is_needed(photo: Path, capsys: Any) -> None:
    with pytest.raises(SystemExit) as caught:
        run(photo)
    assert caught.value.code == 2
    assert "-o" in capsys.readouterr().err


def test_the_bundled_model_fills_a_folder(tmp_path: Path) -> None:
    colours = np.full((90, 120, 3), 60, np.uint8)
    colours[20:70, 30:90] = (240, 180, 20)
    photo = tmp_path / "card.png"
    Image.fromarray(colours).save(photo)
    assert run(photo, "-o", tmp_path / "out", "--grid", "2") == 0
    index = json.loads((tmp_path / "out" / "card-objects.json").read_text("utf-8"))
    assert index["objects"]
    for row in index["objects"]:
        with Image.open(tmp_path / "out" / row["file"]) as image:
            assert image.size == (120, 90)


@pytest.mark.parametrize("clean", [True, False])
def test_edges_are_clean_unless_that_is_switched_off(
    photo: Path, engine: FakeEngine, tmp_path: Path, clean: bool
) -> None:
    out, switch = tmp_path / "clean", [] if clean else ["--no-clean-edge"]
    assert run(photo, "-o", out, *switch) == 0
    assert {r.recipe.finish for r in engine.solved} == {Finish(clean_edge=clean)}
    index = json.loads((out / f"{photo.stem}-objects.json").read_text("utf-8"))
    recipes = [Recipe.from_json(row["recipe"]) for row in index["objects"]]
    assert recipes == [request.recipe for request in engine.solved]
