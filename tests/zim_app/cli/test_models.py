"""``zim-studio models``, and the device options of ``matte``."""

from __future__ import annotations

import io
import json
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from tests.zim_model.conftest import hub_names, random_vitmatte
from zim_app.__main__ import main
from zim_model.assets import asset_path
from zim_model.request import Matte, Request, Timings
from zim_model.runtime.devices import DeviceChoice
from zim_model.weights import download as downloads
from zim_model.weights.adapted import ADAPTATION_KEY, Adaptation
from zim_model.weights.download import DownloadProgress
from zim_model.weights.installed import ONNX_FILES, find_installed, models_folder

TINY = asset_path("models", "zim-tiny.safetensors")


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZIM_STUDIO_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of downloaded models; downloads are faked."""
    names: list[str] = []

    def download(info: Any, progress: Any, cancelled: Any) -> Any:
        names.append(info.name)
        progress(DownloadProgress(info.size // 2, info.size, 1e6))
        progress(DownloadProgress(info.size, info.size, 1e6, verifying=True))
        folder = models_folder() / info.name
        folder.mkdir(parents=True)
        shutil.copy(TINY, folder)
        return find_installed(info.name)

    monkeypatch.setattr(downloads, "download", download)
    return names


def run(*argv: str | Path) -> int:
    return main(["models", *map(str, argv)])


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("words", [[], ["list"]])
def test_the_list_names_states_and_licences(words: list[str], capsys: Any) -> None:
    assert run(*words) == 0
    lines = capsys.readouterr().out.splitlines()
    tiny = next(line for line in lines if line.startswith("zim-tiny"))
    assert "bundled" in tiny
    official = next(line for line in lines if line.startswith("zim-vit-b-official"))
    assert "available" in official
    assert "380.0 MB, CC BY-NC 4.0, not for commercial use" in official
    mobile = next(line for line in lines if line.startswith("mobile-sam"))
    assert "40.7 MB, Apache 2.0, 2 s per photo and 0.4 s per click" in mobile


@pytest.mark.parametrize("words", [["--json"], ["list", "--json"], ["--json", "list"]])
def test_the_list_as_json(words: list[str], capsys: Any) -> None:
    assert run(*words) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["zim-tiny"]["state"] == "bundled"
    assert Path(rows["zim-tiny"]["path"]).is_file()
    assert rows["sam-vit-h"]["path"] is None
    assert rows["sam-vit-h"]["bytes"] == 2_564_550_879
    assert rows["sam-vit-h"]["commercial_use"] is True
    assert rows["sam-vit-h"]["cpu_seconds"] is None
    assert rows["mobile-sam"]["cpu_seconds"] == [2.1, 0.37]


def test_a_model_is_added_listed_and_removed(capsys: Any) -> None:
    assert run("add", TINY, "--name", "mine") == 0
    assert "--model mine" in capsys.readouterr().out
    assert run("list", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows[-1]["name"] == "mine"
    assert rows[-1]["state"] == "installed"
    assert rows[-1]["licence"] == "Apache-2.0"  # as its metadata says
    assert run("remove", "mine", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"name": "mine", "state": "removed"}
    assert find_installed("mine") is None


def test_an_adapted_model_has_the_licence_of_its_origin(
    tmp_path: Path, capsys: Any
) -> None:
    tiny = asset_path("models", "zim-tiny-research.safetensors")
    with safe_open(tiny, framework="pt") as file:
        metadata = file.metadata()
    about = Adaptation("mine", 10, "zim-tiny-research")
    metadata[ADAPTATION_KEY] = about.to_json({})
    save_file(load_file(tiny), tmp_path / "plants.safetensors", metadata)
    assert main(["models", "add", str(tmp_path / "plants.safetensors")]) == 0
    (models_folder() / "graphs").mkdir()
    for name in ONNX_FILES:
        (models_folder() / "graphs" / name).touch()
    capsys.readouterr()
    assert main(["models", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    [plants] = [line for line in lines if line.startswith("plants ")]
    assert "CC BY-NC 4.0, not for commercial use" in plants
    [graphs] = [line for line in lines if line.startswith("graphs ")]
    assert "licence not known" in graphs


def test_failures_are_one_line_with_a_cure(tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "poem.txt").write_text("roses")
    for words in (
        ["add", tmp_path / "poem.txt"],
        ["remove", "zim-tiny"],
        ["download", "nothing", "--yes"],
    ):
        assert run(*words) == 1
        assert capsys.readouterr().err.count("\n") == 1


def test_a_download_shows_the_licence_first(fetched: list[str], capsys: Any) -> None:
    assert run("download", "zim-vit-b-official", "--yes", "--json") == 0
    printed = capsys.readouterr()
    assert fetched == ["zim-vit-b-official"]
    assert "CC BY-NC 4.0, not for commercial use" in printed.err
    assert json.loads(printed.out)["state"] == "installed"


def test_nothing_is_fetched_unless_the_licence_is_accepted(
    fetched: list[str], capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for stream in (io.StringIO("y\n"), None):  # None: closed
        monkeypatch.setattr(sys, "stdin", stream)
        assert run("download", "sam-vit-b") == 1, "there is nobody to ask"
        assert "--yes" in capsys.readouterr().err
    monkeypatch.setattr(sys, "stdin", Terminal("\n"))
    assert run("download", "sam-vit-b") == 1
    assert fetched == []
    monkeypatch.setattr(sys, "stdin", Terminal("y\n"))
    assert run("download", "sam-vit-b") == 0
    assert fetched == ["sam-vit-b"]


def test_on_a_terminal_progress_is_shown(
    fetched: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert run("download", "sam-vit-b", "--yes") == 0
    assert "375M/375M" in terminal.getvalue()
    assert "checking" in terminal.getvalue()


def test_an_interrupted_download_reports_that_it_resumes(
    capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def download(*args: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(downloads, "download", download)
    assert run("download", "sam-vit-b", "--yes") == 130
    assert "The partial download is kept" in capsys.readouterr().err


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    Image.new("RGB", (8, 6), (200, 100, 50)).save(path)
    return path


@pytest.fixture
def choices(monkeypatch: pytest.MonkeyPatch) -> list[DeviceChoice]:
    """The device choices that engines were made with."""
    choices: list[DeviceChoice] = []

    class FakeEngine:
        def set_device(self, choice: DeviceChoice) -> None:
            choices.append(choice)

        def solve(self, request: Request) -> Matte:
            timings = Timings(1, 1, "CPU (fp32)", ("Card has too little memory.",))
            alpha = np.full((6, 8), 65535, np.uint16)
            return Matte(alpha, (), np.ones(4, np.float32), 0, (0, 0, 8, 6), timings)

    fake = SimpleNamespace(Engine=FakeEngine)
    monkeypatch.setitem(sys.modules, "zim_model.inference.engine", fake)
    return choices


def test_matte_runs_on_the_chosen_device(
    photo: Path, choices: list[DeviceChoice], capsys: Any
) -> None:
    words = ["matte", str(photo), "--point", "3,2"]
    where = ["--device", "cuda:1", "--precision", "bf16"]
    assert main([*words, *where]) == 0
    assert choices == [DeviceChoice("cuda:1", "bf16")]
    assert "warning: Card has too little memory." in capsys.readouterr().err


def test_matte_names_a_device_that_is_not_there(photo: Path, capsys: Any) -> None:
    words = ["matte", str(photo), "--point", "3,2", "--device", "cuda:9"]
    assert main(words) == 1
    assert "This machine has no device cuda:9. Choose" in capsys.readouterr().err


def test_an_unknown_precision_is_wrong_usage(photo: Path) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["matte", str(photo), "--point", "3,2", "--precision", "fp8"])
    assert caught.value.code == 2


def test_a_trimap_network_is_added_and_listed(
    tmp_path: Path, models: Path, capsys: Any
) -> None:
    path = tmp_path / "hairy.safetensors"
    save_file(hub_names(random_vitmatte()), path)
    assert run("add", path) == 0
    assert "--upsampling trimap --trimap-network hairy" in capsys.readouterr().out
    assert run("list", "--json") == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["hairy"]["kind"] == "trimap"
    assert rows["vitmatte-small-composition-1k"]["state"] == "available"
    assert rows["zim-tiny"]["kind"] == "prompt"
    assert run() == 0
    assert "trimap network" in capsys.readouterr().out
    assert run("remove", "hairy") == 0
    assert not any(models.iterdir())
