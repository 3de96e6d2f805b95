from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from zim_app.__main__ import main
from zim_app.cli import main as cli
from zim_model.errors import WeightsError
from zim_model.finish import STANDARD_FINISH, Finish
from zim_model.prompts import Box, Point, PromptSet
from zim_model.recipe import Options, Recipe
from zim_model.request import Matte, Request, Timings

WIDTH, HEIGHT = 8, 6
SUBPROCESS = [sys.executable, "-m", "zim_app"]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    Image.new("RGB", (WIDTH, HEIGHT), (200, 100, 50)).save(path)
    return path


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """Requests to a fake engine, which returns an opaque left half."""
    requests: list[Request] = []

    class FakeEngine:
        def solve(self, request: Request, cancelled: object = None) -> Matte:
            requests.append(request)
            alpha = np.zeros((HEIGHT, WIDTH), np.uint16)
            alpha[:, : WIDTH // 2] = 65535
            scores = np.array([0.9, 0.8, 0.7, 0.25], np.float32)
            timings = Timings(210.04, 84.4, "cpu")
            return Matte(alpha, (), scores, 0, (0, 0, WIDTH // 2, HEIGHT), timings)

    fake = SimpleNamespace(Engine=FakeEngine)
    monkeypatch.setitem(sys.modules, "zim_model.inference.engine", fake)
    return requests


def test_a_mask_is_the_object_to_begin_with(
    tmp_path: Path, requests: list[Request]
) -> None:
    """A photo with transparency may be its own mask."""
    pixels = np.full((HEIGHT, WIDTH, 4), 255, np.uint8)
    pixels[..., 3] = np.arange(WIDTH) * 36
    photo = tmp_path / "cut.png"
    Image.fromarray(pixels).save(photo)
    assert run("matte", photo, "--mask", photo, "-o", tmp_path / "out.png") == 0
    [mask] = requests[0].recipe.masks
    assert not mask.refine
    np.testing.assert_array_equal(mask.decode(), pixels[..., 3])
    found = np.asarray(Image.open(tmp_path / "out.png"))[..., 3]
    np.testing.assert_array_equal(found[:, : WIDTH // 2], pixels[:, : WIDTH // 2, 3])


def usage(*argv: str | Path) -> int:
    with pytest.raises(SystemExit) as caught:
        main([str(word) for word in argv])
    assert isinstance(caught.value.code, int)
    return caught.value.code


def run(*argv: str | Path) -> int:
    return main([str(word) for word in argv])


def test_prompts_reach_the_engine_and_the_cutout_the_disk(
    photo: Path, requests: list[Request], tmp_path: Path, capsys: Any
) -> None:
    out = tmp_path / "out.png"
    points = ["--point", "3,2", "--point", "4.5,1,0", "--point=1,1,1"]
    options = ["--model", "other", "--upsampling", "bilinear"]
    assert run("matte", photo, *points, "--box=-5,-5,6,5", *options, "-o", out) == 0
    (request,) = requests
    points = (Point(3, 2), Point(4.5, 1, False), Point(1, 1))
    prompts = PromptSet(points, Box(0, 0, 6, 5))
    options = Options(None, "bilinear")
    assert request.recipe == Recipe(prompts, "other", options, STANDARD_FINISH)
    assert request.image.shape == (HEIGHT, WIDTH, 3)
    with Image.open(out) as image:
        assert image.getpixel((0, 0)) == (200, 100, 50, 255)
        assert image.getpixel((WIDTH - 1, 0)) == (200, 100, 50, 0)
    printed = capsys.readouterr()
    assert printed.err == ""
    assert "out.png: 8 x 6, 50.0% covered, other on cpu" in printed.out
    assert "encode 210 ms, click 84 ms" in printed.out


def test_a_trimap_network_is_an_option(
    photo: Path, requests: list[Request], tmp_path: Path
) -> None:
    words = ["--upsampling", "trimap", "--trimap-network", "mine"]
    assert run("matte", photo, "--point", "3,2", *words, "-o", tmp_path / "a.png") == 0
    options = Options(upsampling="trimap", trimap_network="mine")
    assert requests[0].recipe.options == options


def test_a_missing_trimap_network_is_told_with_the_cure(
    photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setenv("ZIM_STUDIO_MODELS", str(tmp_path / "models"))
    words = ["--upsampling", "trimap", "-o", tmp_path / "a.png"]
    assert run("matte", photo, "--point", "3,2", *words) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "No trimap network is installed." in line
    assert "zim-studio models download vitmatte-small-composition-1k" in line
    assert not (tmp_path / "a.png").exists()


def test_the_edge_is_clean_unless_that_is_switched_off(
    photo: Path, requests: list[Request], tmp_path: Path
) -> None:
    words = ["--point", "3,2", "-o", tmp_path / "a.png"]
    for switch in ([], ["--no-clean-edge"], ["--clean-edge"]):
        assert run("matte", photo, *words, *switch) == 0
    assert [r.recipe.finish.clean_edge for r in requests] == [True, False, True]


@pytest.mark.parametrize("saved", [True, False])
def test_a_recipe_keeps_its_own_clean_edge_unless_an_argument_says_otherwise(
    photo: Path, requests: list[Request], tmp_path: Path, saved: bool
) -> None:
    file = tmp_path / "recipe.json"
    finish = Finish(feather=2.0, clean_edge=saved)
    file.write_text(json.dumps(Recipe(finish=finish).to_json()), "utf-8")
    words = ["--recipe", file, "--point", "3,2", "-o", tmp_path / "a.png"]
    for switch in ([], ["--no-clean-edge"], ["--clean-edge"]):
        assert run("matte", photo, *words, *switch) == 0
    assert [r.recipe.finish.clean_edge for r in requests] == [saved, False, True]
    assert {request.recipe.finish.feather for request in requests} == {2.0}


def test_flip_tta_is_an_option(
    photo: Path, requests: list[Request], tmp_path: Path
) -> None:
    out = tmp_path / "out.png"
    assert run("matte", photo, "--point", "3,2", "--mirrored", "-o", out) == 0
    assert run("matte", photo, "--point", "3,2", "-o", out) == 0
    assert [request.recipe.options.flip_tta for request in requests] == [True, False]


def test_json_describes_the_result(
    photo: Path, requests: list[Request], tmp_path: Path, capsys: Any
) -> None:
    out = tmp_path / "out.png"
    assert run("matte", photo, "--point", "3,2", "-o", out, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report.pop("load_ms") >= 0
    assert report.pop("save_ms") >= 0
    assert report == {
        "image": str(photo),
        "output": str(out),
        "width": WIDTH,
        "height": HEIGHT,
        "model": "zim-tiny",
        "device": "cpu",
        "encode_ms": 210.0,
        "click_ms": 84.4,
        "scores": [0.9, 0.8, 0.7, 0.25],
        "candidate": 0,
        "support": [0, 0, WIDTH // 2, HEIGHT],
        "coverage": 0.5,
        "halo": None,
    }


@pytest.fixture
def haloed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A photo of orange over blue, and a fake engine with its exact soft edge."""
    ramp = np.clip(np.linspace(1.5, -0.5, 60, dtype=np.float32), 0, 1)
    share = np.repeat(ramp[None], 40, axis=0)[..., None]
    pixels = np.array((230, 120, 30)) * share + np.array((40, 80, 200)) * (1 - share)
    Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / "photo.png")

    class RecordingEngine:
        def solve(self, request: Request) -> Matte:
            alpha = (share[..., 0] * 65535).astype(np.uint16)
            timings = Timings(0.0, 0.0, "cpu")
            scores = np.ones(4, np.float32)
            return Matte(alpha, (), scores, 0, (0, 0, 60, 40), timings)

    fake = SimpleNamespace(Engine=RecordingEngine)
    monkeypatch.setitem(sys.modules, "zim_model.inference.engine", fake)
    return tmp_path / "photo.png"


def test_json_reports_the_halo_and_the_file_has_less_of_it(
    haloed: Path, tmp_path: Path, capsys: Any
) -> None:
    def halo(*options: str) -> Any:
        out = tmp_path / "out.png"
        arguments = ["matte", haloed, "--point", "3,2", "-o", out, "--json"]
        assert run(*arguments, *options) == 0
        return json.loads(capsys.readouterr().out)["halo"]

    whole, half, none = (halo("--decontaminate", x) for x in ("1", "0.5", "0"))
    assert none["before"] == none["after"] > 0.25
    assert whole["after"] < 0.1 < half["after"] < half["before"]
    assert halo() == none
    halo("--decontaminate", "1")
    with Image.open(tmp_path / "out.png") as image:
        assert image.getpixel((30, 20))[0] > 200  # orange, not half blue
    assert halo("--what", "matte") is None


def test_an_impossible_amount_is_refused_before_the_model_runs(
    photo: Path, requests: list[Request], capsys: Any
) -> None:
    assert run("matte", photo, "--point", "3,2", "--decontaminate", "80") == 1
    assert "decontaminate is 80.0. It must be a number from 0 to 1" in (
        capsys.readouterr().err
    )
    assert not requests


@pytest.mark.parametrize("what", ["cutout", "matte", "composite"])
def test_default_output_lies_beside_the_photo_and_replaces_nothing(
    photo: Path, requests: list[Request], capsys: Any, what: str
) -> None:
    command = ("matte", photo, "--point", "3,2", "--what", what)
    assert run(*command) == 0
    out = photo.with_name(f"photo-{what}.png")
    before = out.read_bytes()
    assert run(*command) == 1
    assert f"photo-{what}.png exists already. Say -o" in capsys.readouterr().err
    assert run(*command, "-o", out) == 0
    assert out.read_bytes() == before
    assert len(requests) == 2


@pytest.mark.parametrize("colour", ["#ff8000", "255,128,0", "#f80"])
def test_composite_on_a_colour(
    photo: Path, requests: list[Request], tmp_path: Path, colour: str
) -> None:
    out = tmp_path / "out.png"
    options = ["--what", "composite", "--background", colour]
    assert run("matte", photo, "--point", "3,2", *options, "-o", out) == 0
    with Image.open(out) as image:
        assert image.getpixel((0, 0)) == (200, 100, 50)
        expected = (255, 136, 0) if colour == "#f80" else (255, 128, 0)
        assert image.getpixel((WIDTH - 1, 0)) == expected


def test_recipe_is_the_start_and_options_add_to_it(
    photo: Path, requests: list[Request], tmp_path: Path
) -> None:
    recipe = tmp_path / "recipe.json"
    data = {
        "version": 1,
        "prompts": {"points": [[1, 1, 1]], "box": None},
        "model": "other",
        "candidate": 2,
        "upsampling": "bilinear",
    }
    recipe.write_text(json.dumps(data))
    out = tmp_path / "out.png"
    assert run("matte", photo, "--recipe", recipe, "-o", out) == 0
    more = ["--point", "2,2,0", "--box", "1,1,5,5", "--model", "zim-tiny"]
    assert run("matte", photo, "--recipe", recipe, *more, "-o", out) == 0
    assert requests[0].recipe.prompts == PromptSet((Point(1, 1),))
    assert requests[0].recipe.model == "other"
    assert (
        requests[0].recipe.options
        == requests[1].recipe.options
        == Options(2, "bilinear")
    )
    assert requests[1].recipe.prompts == PromptSet(
        (Point(1, 1), Point(2, 2, False)), Box(1, 1, 5, 5)
    )
    assert requests[1].recipe.model == "zim-tiny"


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"points": [[3, 2, 1]]}, "the recipe has the key 'points'"),
        ({"prompts": {"point_coords": [[3, 2]]}}, "prompts has the key 'point_coords'"),
        ({"also": [{"boxes": [3, 2, 9, 9]}]}, "prompts has the key 'boxes'"),
        ({"finish": {"feathr": 3}}, "finish has the key 'feathr'"),
    ],
)
def test_keys_of_a_recipe_that_would_be_dropped_are_refused(
    photo: Path,
    requests: list[Request],
    tmp_path: Path,
    capsys: Any,
    changes: dict[str, Any],
    key: str,
) -> None:
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps(Recipe().to_json() | changes))
    box = ("--box", "1,1,5,5")
    assert run("matte", photo, "--recipe", path, *box, "-o", tmp_path / "x.png") == 1
    assert key in capsys.readouterr().err
    assert not requests


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["--point", "3"], "'3' is not of the form X,Y or X,Y,LABEL"),
        (["--point", "a,b"], "'a,b' is not of the form"),
        (["--point", "3,2,5"], "LABEL is 1 (object) or 0"),
        (["--box", "1,2,3"], "'1,2,3' is not of the form X0,Y0,X1,Y1"),
        (["--point", "3,2", "--background", "red,1,2"], "is not a colour; write R,G,B"),
        (["--point", "3,2", "--background", "0,0,256"], "is not a colour"),
        (["--point", "3,2", "--background", "#12345"], "is not a colour"),
        (["--point", "3,2", "--what", "mask"], "invalid choice"),
        ([], "a --box, a --mask, a --colour-key or --subject"),
    ],
)
def test_wrong_usage_exits_with_2(
    photo: Path, requests: list[Request], capsys: Any, argv: list[str], sentence: str
) -> None:
    assert usage("matte", photo, *argv) == 2
    error = capsys.readouterr().err
    assert "zim-studio matte: error:" in error
    assert sentence in error
    assert not requests


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["gone.png", "--point", "3,2"], "gone.png cannot be read: there is no such"),
        (["photo.png", "--point", "99,2"], "(99, 2) is outside the image (8 x 6"),
        (["photo.png", "--point", "0.5,0.4"], "but pixels are meant"),
        (["photo.png", "--box", "0.25,0.16,0.75,0.67"], "but pixels are meant"),
        (["photo.png", "--point", "3,2", "--box", "0,0,1,1"], "not fractions"),
        (["photo.png", "--point", "3,2,0"], "Add a positive point or a box."),
        (["photo.png", "--point", "3,2", "-o", "a.jpg"], "JPEG cannot hold the trans"),
        (["photo.png", "--point", "3,2", "-o", "a.xyz"], "Use one of .png, .tif"),
        (["photo.png", "--point", "3,2", "-o", "no/a.png"], "folder no does not exist"),
        (["photo.png", "--point", "3,2", "-o", "photo.png"], "is the source photo"),
        (["photo.png", "--recipe", "gone.json"], "gone.json cannot be read"),
        (["photo.png", "--recipe", "photo.png"], "photo.png is no JSON file"),
        (
            ["photo.png", "--point", "3,2", "-o", f"{'n' * 300}.png"],
            "the name is too long",
        ),
    ],
)
def test_expected_failures_are_one_line_and_1(
    photo: Path,
    requests: list[Request],
    capsys: Any,
    monkeypatch: pytest.MonkeyPatch,
    argv: list[str],
    sentence: str,
) -> None:
    monkeypatch.chdir(photo.parent)
    assert run("matte", *argv) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("zim-studio: error: ")
    assert printed.err.count("\n") == 1
    assert sentence in printed.err
    assert not requests  # refused before the model runs
    assert os.listdir(photo.parent) == ["photo.png"]


@pytest.mark.parametrize(
    ("error", "code"),
    [(WeightsError("No such model.", "Try zim-tiny."), 1), (KeyboardInterrupt(), 130)],
)
def test_failures_of_the_engine(
    photo: Path,
    requests: list[Request],
    capsys: Any,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    code: int,
) -> None:
    def fail(self: object, request: Request) -> Matte:
        raise error

    monkeypatch.setattr(sys.modules["zim_model.inference.engine"].Engine, "solve", fail)
    assert run("matte", photo, "--point", "3,2") == code
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    if code == 1:
        assert message == "zim-studio: error: No such model. Try zim-tiny.\n"


# --- the window, and unknown arguments ------------------------------------------------


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The paths that the window would open."""
    calls: list[Any] = []

    def run_window(paths: Any) -> int:
        calls.append(list(paths))
        return 0

    fake = SimpleNamespace(run_window=run_window)
    monkeypatch.setitem(sys.modules, "zim_app.gui.app", fake)
    return calls


def test_paths_open_the_window(
    photo: Path, opened: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(photo.parent)
    Path("matte").write_bytes(photo.read_bytes())
    assert run() == 0
    assert run(photo, photo) == 0
    assert run("./matte") == 0
    assert opened == [[], [photo, photo], [Path("matte")]]


def test_mistyped_command_is_named(opened: list[Any], capsys: Any) -> None:
    assert usage("mate", "photo.png") == 2
    assert "neither a file nor a command called 'mate'" in capsys.readouterr().err
    assert opened == []


def test_help_lists_every_command(capsys: Any) -> None:
    assert usage("--help") == 0
    printed = capsys.readouterr().out
    width = max(map(len, cli.COMMANDS))
    for name, summary in cli.COMMANDS.items():
        assert f"{name:{width}}  {summary}" in printed
        assert usage(name, "--help") == 0
        assert f"zim-studio {name}" in capsys.readouterr().out


def test_a_name_does_not_control_the_terminal(capsys: Any) -> None:
    assert run("matte", "a\x1b[2J\tb.jpg", "--box", "1,1,5,5") == 1
    error = capsys.readouterr().err
    assert "\\x1b[2J b.jpg" in error
    assert "\x1b" not in error


def test_interrupting_the_imports_of_a_command_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    def interrupt(name: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "import_module", interrupt)
    assert run("matte", "a.jpg") == 130
    assert capsys.readouterr().err == "zim-studio: error: interrupted.\n"


def test_version(capsys: Any) -> None:
    assert usage("--version") == 0
    assert capsys.readouterr().out.startswith("zim-studio ")


def test_a_reader_that_has_enough_is_no_error():
    command = [sys.executable, "-m", "zim_app", "models", "list"]
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert done.returncode == 1
    assert done.stderr == ""
