from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.zim_app.core.batch.conftest import FakeEngine, save_photo
from zim_app.__main__ import main
from zim_app.cli import batch
from zim_app.core.images import load_image
from zim_app.core.project import write_project
from zim_app.core.saved_work import ObjectStack
from zim_model.errors import WeightsError
from zim_model.finish import ColourKey, Finish
from zim_model.prompts import Point, PromptSet
from zim_model.recipe import Recipe, SceneObject

ROOT = Path(__file__).resolve().parents[3]


class Engine(FakeEngine):
    def backend(self, model: str) -> None:
        self.models = [*getattr(self, "models", []), model]


@pytest.fixture(autouse=True)
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Engine:
    fake = Engine()
    monkeypatch.setattr(batch, "make_engine", lambda args: fake)
    monkeypatch.setenv("ZIM_STUDIO_STATE", str(tmp_path / "state"))
    return fake


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number, name in enumerate(("a.png", "b.png")):
        save_photo(tmp_path / "photos" / name, (number * 60, 100, 50))
    return tmp_path / "photos"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def run(*argv: Any) -> int:
    return main(["batch", *(str(word) for word in argv)])


def test_a_colour_to_remove_is_a_prompt_of_its_own(
    folder: Path, out: Path, engine: Engine
) -> None:
    assert run(folder, "-o", out, "--colour-key", "#00ff00,0.2,0.05") == 0
    assert sorted(os.listdir(out))[1:3] == ["a-cutout.png", "b-cutout.png"]
    recipes = [request.recipe for request in engine.solved]
    assert {recipe.finish.colour_keys for recipe in recipes} == {
        (ColourKey(0x00FF00, 0.2, 0.05),)
    }
    assert not any(recipe.prompts for recipe in recipes)


@pytest.mark.parametrize("clean", [True, False])
@pytest.mark.parametrize(
    "source", [["--box", "0,0,1,1"], ["--subject"], ["--colour-key", "#0f0"], ["table"]]
)
def test_edges_are_clean_unless_that_is_switched_off(
    folder: Path, out: Path, engine: Engine, source: list[Any], clean: bool
) -> None:
    switches: tuple[list[str], list[str]] = ["--no-clean-edge"], []
    switch, other = switches[clean], switches[not clean]
    if source == ["table"]:
        table = out.with_name("prompts.csv")
        table.write_text("image,x,y\na.png,5,5\nb.png,6,6\n", "utf-8")
        source = ["--prompts", table]
    assert run(folder, "-o", out, *source, *switch) == 0
    recipes = [request.recipe for request in engine.solved]
    assert [recipe.finish.clean_edge for recipe in recipes] == [clean] * 2
    # The same again makes nothing new; with another edge all is made again.
    assert run(folder, "-o", out, *source, *switch) == 0
    assert len(engine.solved) == 2
    assert run(folder, "-o", out, *source, *other, "--replace") == 0
    assert len(engine.solved) == 4


@pytest.mark.parametrize("saved", [True, False])
def test_recipes_keep_their_own_clean_edge(
    folder: Path, out: Path, engine: Engine, saved: bool
) -> None:
    recipe = Recipe(PromptSet((Point(5, 5),)), finish=Finish(clean_edge=saved))
    table = out.with_name("prompts.json")
    rows = [{"image": "a.png", "recipe": recipe.to_json()}]
    table.write_text(json.dumps(rows), "utf-8")
    image = load_image(folder / "b.png")
    stack = ObjectStack((SceneObject(recipe=recipe),))
    write_project(folder / "b.zimproj", image, stack)
    for number, switch in enumerate(([], ["--no-clean-edge"])):
        into = out / str(number)
        assert run(folder, "-o", into, "--prompts", table, *switch) == 0
    finishes = [request.recipe.finish for request in engine.solved]
    assert finishes == [recipe.finish] * 4


@pytest.mark.parametrize("text", ["green", "#00ff00,2", "#00ff00,-1", "#00ff00,0,0,0"])
def test_malformed_colours_to_remove_are_wrong_usage(
    folder: Path, out: Path, text: str, capsys: Any
) -> None:
    with pytest.raises(SystemExit) as stopped:
        run(folder, "-o", out, f"--colour-key={text}")
    assert stopped.value.code == 2
    assert "--colour-key" in capsys.readouterr().err


def test_makes_a_file_for_each_image_and_two_reports(
    folder: Path, out: Path, capsys: Any
) -> None:
    assert run(folder, "-o", out, "--box", "0.5,0,1,1") == 0
    names = ["a-cutout.png", "b-cutout.png", "batch-report.csv", "batch-sheet.jpg"]
    assert sorted(os.listdir(out))[1:] == names
    with Image.open(out / "a-cutout.png") as image:
        assert image.getpixel((39, 0)) == (0, 100, 50, 255)
        assert image.getpixel((0, 0))[3] == 0
    said = capsys.readouterr().out
    assert "a.png -> a-cutout.png" in said
    assert "2 made, 0 made before, 0 skipped, 0 failed" in said


def test_a_failure_sets_the_exit_code(folder: Path, out: Path, capsys: Any) -> None:
    (folder / "c.jpg").write_bytes(b"no image")
    assert run(folder, "-o", out, "--auto") == 1
    said = capsys.readouterr()
    assert "c.jpg: failed:" in said.err
    assert "2 made, 0 made before, 0 skipped, 1 failed" in said.out


def test_images_without_prompts_are_skipped(
    folder: Path, out: Path, capsys: Any
) -> None:
    assert run(folder, "-o", out) == 0
    assert "a.png: skipped: There are no prompts" in capsys.readouterr().err


def test_json_has_a_line_for_each_image(folder: Path, out: Path, capsys: Any) -> None:
    run(folder, "-o", out, "--auto", "--json")
    run(folder, "-o", out, "--auto", "--json", "--trim", "--name", "{name}")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line.get("outputs") for line in lines[:2]] == [
        ["a-cutout.png"],
        ["b-cutout.png"],
    ]
    assert lines[2]["done"] == 2
    assert [line.get("outputs") for line in lines[3:5]] == [["a.png"], ["b.png"]]


def test_all_export_options_are_taken(folder: Path, out: Path) -> None:
    words = ["--what", "composite", "--background", "#ff0000", "--format", "tiff"]
    words += ["--depth", "16", "--padding", "5", "--longest-side", "60"]
    words += ["--decontaminate", "0.5", "--name", "{name}_{width}", "--jobs", "0"]
    assert run(folder, "-o", out, "--box", "0.25,0,0.75,1", *words) == 0
    [path] = out.glob("a_*.tif")
    image = load_image(path)
    assert max(image.width, image.height) == 60
    assert image.source.dtype == np.uint16
    assert tuple(image.rgb[0, 0]) == (255, 0, 0)


def test_layers_and_a_background_image(folder: Path, out: Path) -> None:
    assert run(folder, "-o", out, "--auto", "--format", "ora", "--original") == 0
    assert (out / "a-layers.ora").exists()
    words = ["--what", "composite", "--background", folder / "b.png"]
    assert run(folder, "-o", out, "--auto", "--format", "jpeg", *words) == 0
    with Image.open(out / "a-composite.jpg") as image:
        assert np.abs(np.array(image.getpixel((39, 5))) - (60, 100, 50)).max() < 6


def test_a_dry_run_writes_nothing(folder: Path, out: Path, capsys: Any) -> None:
    assert run(folder, "-o", out, "--auto", "--dry-run") == 0
    assert "a.png -> a-cutout.png (automatic)" in capsys.readouterr().out
    (folder / "b.png").write_bytes(b"")
    assert run(folder, "-o", out, "--auto", "--dry-run", "--json") == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["state"] for line in lines] == ["done", "failed"]
    assert not out.exists()


def test_a_wrong_model_fails_once(
    folder: Path, out: Path, engine: Engine, capsys: Any, monkeypatch: Any
) -> None:
    def refuse(name: str) -> None:
        raise WeightsError(f"There is no model {name}.")

    monkeypatch.setattr(engine, "backend", refuse)
    assert run(folder, "-o", out, "--auto", "--model", "zim-huge") == 1
    assert "There is no model zim-huge." in capsys.readouterr().err
    assert not out.exists()


def test_parts_are_merged(folder: Path, tmp_path: Path, capsys: Any) -> None:
    parts = [tmp_path / "1", tmp_path / "2"]
    for number, part in enumerate(parts, 1):
        assert run(folder, "-o", part, "--auto", "--shard", f"{number}/2") == 0
    assert run("--merge", *parts, "-o", tmp_path / "all", "--json") == 0
    summary = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert summary["done"] == 2
    assert (tmp_path / "all" / "batch-sheet.jpg").exists()


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["-o", "OUT"], "give a FOLDER"),
        (["FOLDER"], "give a FOLDER and -o OUT"),
        (["FOLDER", "-o", "OUT", "--box", "0,0,2,1"], "relative box"),
        (["FOLDER", "-o", "OUT", "--shard", "3/2"], "There is no part"),
        (["FOLDER", "-o", "OUT", "--background", "pink"], "not a colour"),
        (["FOLDER", "-o", "OUT", "--jobs", "-1"], "0 or more"),
        (["FOLDER", "-o", "OUT", "--scale", "2", "--longest-side", "5"], "not allowed"),
    ],
)
def test_wrong_usage(
    words: list[str], problem: str, folder: Path, out: Path, capsys: Any
) -> None:
    paths = {"FOLDER": folder, "OUT": out}
    with pytest.raises(SystemExit) as caught:
        run(*(paths.get(word, word) for word in words))
    assert caught.value.code == 2
    assert problem in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--no-recipes"], "nowhere that prompts"),
        (["--auto", "--name", "x"], "same for all photos"),
        (["--auto", "--quality", "0"], "quality"),
        (["--auto", "--format", "jpeg"], "cannot hold the transparency"),
        (["--prompts", "nowhere.csv"], "cannot be read"),
    ],
)
def test_impossible_batches(
    words: list[str], problem: str, folder: Path, out: Path, capsys: Any
) -> None:
    assert run(folder, "-o", out, *words) == 1
    assert problem in capsys.readouterr().err
    assert not out.exists()


def test_control_c_keeps_finished_images(
    folder: Path, out: Path, engine: Engine, capsys: Any
) -> None:
    def interrupt(request: Any) -> None:
        if engine.solved:
            os.kill(os.getpid(), signal.SIGINT)

    engine.during = interrupt
    assert run(folder, "-o", out, "--auto", "--jobs", "1") == 130
    assert "run it again to resume" in capsys.readouterr().err
    assert (out / "a-cutout.png").exists()
    assert not (out / "b-cutout.png").exists()
    engine.during = lambda request: None
    assert run(folder, "-o", out, "--auto") == 0
    assert "1 made, 1 made before" in capsys.readouterr().out


def test_a_terminal_gets_a_bar(
    folder: Path, out: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    run(folder, "-o", out, "--auto")
    printed = capsys.readouterr()
    assert "2/2" in printed.err
    assert "->" not in printed.out


def test_help_names_the_columns_of_a_table() -> None:
    command = [sys.executable, "-m", "zim_app", "batch", "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0
    assert "image, object, x, y, label" in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    ("encoding", "printed"), [("utf-8", b"caf\xe9.png"), ("latin-1", rb"caf\udce9.png")]
)
def test_names_that_are_no_utf8_are_printed(
    folder: Path,
    out: Path,
    monkeypatch: pytest.MonkeyPatch,
    encoding: str,
    printed: bytes,
) -> None:
    try:
        save_photo(folder / os.fsdecode(b"caf\xe9.png"), (1, 2, 3))
    except OSError:
        pytest.skip("this file system takes names in UTF-8 only")
    stream = io.BytesIO()
    terminal = io.TextIOWrapper(stream, encoding, errors="strict", write_through=True)
    monkeypatch.setattr(sys, "stdout", terminal)
    assert run(folder, "-o", out, "--box", "0,0,1,1") == 0
    assert run(folder, "-o", out, "--box", "0,0,1,1", "--dry-run") == 0
    assert stream.getvalue().count(printed) == 2


def test_files_in_other_formats_are_named_and_no_failure(
    folder: Path, out: Path, capsys: Any
) -> None:
    (folder / "c.psd").write_bytes(b"8BPS")
    assert run(folder, "-o", out, "--box", "0,0,1,1") == 0
    said = capsys.readouterr()
    assert "c.psd: skipped: Files in the format .psd are not read." in said.err
    assert "2 made, 0 made before, 1 skipped, 0 failed" in said.out
    assert "c.psd" in (out / "batch-report.csv").read_text("utf-8")


def test_an_output_that_cannot_be_written_is_one_line(
    folder: Path, tmp_path: Path, engine: Engine, capsys: Any
) -> None:
    (tmp_path / "file").write_text("no folder")
    assert run(folder, "-o", tmp_path / "file" / "out", "--box", "0,0,1,1") == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "cannot be written" in said
    assert not engine.solved
