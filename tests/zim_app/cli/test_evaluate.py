from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.zim_model.evaluation.conftest import FakeEngine
from zim_app.__main__ import main
from zim_app.cli import evaluate
from zim_model.evaluation import ModelSystem, micromat
from zim_model.evaluation.journal import find_journals, read_journal


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    fake = FakeEngine()
    monkeypatch.setattr(evaluate, "make_engine", lambda args: fake)
    return fake


@pytest.fixture(scope="module")
def mini(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mini")
    assert main(["evaluate", "--make-mini", str(folder)]) == 0
    return folder / "MicroMat3K"


def test_a_run_prints_and_writes_its_report(
    mini: Path, tmp_path: Path, engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["evaluate", str(mini), "-o", str(tmp_path), "--jobs", "0", "--limit", "3"]
    assert main(argv) == 0
    printed = capsys.readouterr()
    assert "| zim-tiny | box | all | 3 |" in printed.out
    assert "6 of 6 rows measured" in printed.err
    assert (tmp_path / "report.md").read_text("utf-8").strip() == printed.out.strip()
    assert main([*argv, "--resume", "--json"]) == 0
    printed = capsys.readouterr()
    assert "6 of 6 rows are finished." in printed.err
    assert len(json.loads(printed.out)["rows"]) == 6
    assert len(engine.requests) == 6
    assert main(argv) == 1  # an earlier run is not overwritten
    assert "--resume" in capsys.readouterr().err


def test_models_and_predictions_stand_side_by_side(
    mini: Path, tmp_path: Path, engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["evaluate", str(mini), "-o", str(tmp_path), "--jobs", "0"]
    argv += ["--model", "zim-tiny", "--predictions", f"Perfect={mini / 'matte'}"]
    assert main([*argv, "--prompts", "box,clicks:2"]) == 0
    rows = json.loads((tmp_path / "report.json").read_text("utf-8"))["groups"]
    whole = {(g["system"], g["prompt"]): g["means"]["SAD"] for g in rows[::12]}
    assert whole["Perfect", "box"] == 0
    assert whole["zim-tiny", "box"] > 0
    assert whole["zim-tiny", "clicks:2"] > 0


def test_shards_are_merged(
    mini: Path, tmp_path: Path, engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = tmp_path / "parts"
    whole = ["evaluate", str(mini), "--jobs", "0", "--prompts", "box", "-o"]
    assert main([*whole, str(tmp_path / "whole")]) == 0
    assert main([*whole, str(parts), "--shard", "1/2"]) == 0
    joined = ["evaluate", str(mini), "-o", str(tmp_path / "all"), "--merge", str(parts)]
    assert main(joined) == 1
    assert "not done" in capsys.readouterr().err
    assert main([*whole, str(parts), "--shard", "2/2"]) == 0
    assert main(joined) == 0
    for name in ("report.csv", "report.html", "report.tex"):
        one = (tmp_path / "whole" / name).read_bytes()
        assert (tmp_path / "all" / name).read_bytes() == one, name


def test_failures_are_named_and_set_the_exit_code(
    mini: Path, tmp_path: Path, engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "MicroMat3K"
    shutil.copytree(mini, copy)
    (copy / "prompt/fine/0002_1.json").write_text("{")
    argv = ["evaluate", str(copy), "-o", str(tmp_path / "out"), "--jobs", "0"]
    assert main(argv) == 1
    printed = capsys.readouterr()
    assert "fine/0002_1" in printed.err
    assert "prompt/fine/0002_1.json is no JSON file" in printed.out


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["--shard", "3/2"],
        ["--limit", "x"],
        ["ROOT", "--layout", "nonsense"],
        ["--merge", "a"],
    ],
)
def test_wrong_usage_is_reported(argv: list[str], engine: FakeEngine) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["evaluate", *argv])
    assert caught.value.code == 2


@pytest.mark.parametrize(
    ("argv", "reason"),
    [
        (["/no/such/folder"], "is no folder"),
        (["ROOT", "--prompts", "lasso"], "is no kind of prompt"),
        (["ROOT", "--prompts", ","], "no kind of prompt"),
        (["ROOT", "--predictions", "x"], "NAME=DIR"),
        (["ROOT", "--merge", "/no/such", "-o", "x"], "no journal"),
    ],
)
def test_expected_failures_print_one_line(
    argv: list[str],
    reason: str,
    mini: Path,
    engine: FakeEngine,
    capsys: pytest.CaptureFixture[str],
) -> None:
    real = [str(mini) if part == "ROOT" else part for part in argv]
    assert main(["evaluate", *real]) == 1
    error = capsys.readouterr().err.strip()
    assert error.startswith("zim-studio: error:")
    assert reason in error
    assert "\n" not in error


def test_nothing_is_downloaded_before_the_licence_is_accepted(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folders = []

    def download(folder: Path, progress: object, cancelled: object) -> Path:
        folders.append(folder)
        return folder / "MicroMat3K"

    monkeypatch.setattr(micromat, "download_micromat", download)
    argv = ["evaluate", "--download", str(tmp_path)]
    assert main(argv) == 1
    error = capsys.readouterr().err
    assert "CC BY 4.0" in error
    assert "licence is not accepted" in error
    assert not folders
    assert main([*argv, "--yes"]) == 0
    assert folders == [tmp_path]


@pytest.mark.slow
def test_a_cluster_gives_the_same_report(
    mini: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("ray")
    argv = ["evaluate", str(mini), "--predictions", f"Masks={mini / 'seg'}"]
    one, other = tmp_path / "one", tmp_path / "other"
    assert main([*argv, "-o", str(one), "--jobs", "0"]) == 0
    assert main([*argv, "-o", str(other), "--cluster", "local:1"]) == 0
    assert (one / "report.csv").read_bytes() == (other / "report.csv").read_bytes()


def test_the_bundled_model_is_measured(mini: Path, tmp_path: Path) -> None:
    argv = ["evaluate", str(mini), "-o", str(tmp_path), "--limit", "1", "--jobs", "1"]
    assert main([*argv, "--prompts", "box", "--device", "cpu"]) == 0
    data = json.loads((tmp_path / "report.json").read_text("utf-8"))
    (row,) = data["rows"]
    assert row["device"].startswith("CPU")
    assert row["metrics"]["IoU"] > 0.5
    assert (tmp_path / "thumbnails/zim-tiny/box" / f"{row['case']}.png").is_file()


def test_one_report_has_a_line_for_each_upsampling(
    mini: Path, tmp_path: Path, engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["evaluate", str(mini), "-o", str(tmp_path), "--jobs", "0", "--limit", "2"]
    argv += ["--prompts", "box", "--upsampling", "official,guided"]
    assert main(argv) == 0
    printed = capsys.readouterr().out
    assert "| zim-tiny (official) | box | all | 2 |" in printed
    assert "| zim-tiny (guided) | box | all | 2 |" in printed
    assert "Upsampling of the models' mattes: as each line says" in printed
    modes = [request.recipe.options.upsampling for request in engine.requests]
    assert sorted(modes) == ["guided", "guided", "official", "official"]
    # A row that is opened in the studio is predicted as it was.
    config, _ = read_journal(find_journals(tmp_path)[0])
    assert config.model_options("zim-tiny (official)").upsampling == "official"
    assert config.model_options("zim-tiny (guided)").upsampling == "guided"
    # Their order does not matter, and other models may be added with the common one.
    assert main([*argv[:-1], "guided,official", "--resume"]) == 0
    other = [*argv[:-1], "guided,bilinear", "--model", "zim-tiny", "--resume"]
    assert main(other) == 0
    assert len(engine.requests) == 6
    assert main([*argv[:-2], "--resume"]) == 0
    capsys.readouterr()
    assert (
        main(["evaluate", "--merge", str(tmp_path), "-o", str(tmp_path / "all")]) == 0
    )
    printed = capsys.readouterr().out
    assert "mattes: official, unless a line says another" in printed
    with pytest.raises(SystemExit):
        main([*argv[:-1], "official,sharp"])
    assert "'sharp' is none of" in capsys.readouterr().err


@pytest.mark.parametrize("upsampling", ["official", "native"])
def test_a_report_line_names_the_model_and_its_upsampling(upsampling: str) -> None:
    system = ModelSystem.from_name("models/zim.safetensors")
    own = system.with_upsampling(upsampling)  # type: ignore[arg-type]  # a parameter
    assert ModelSystem.from_report(own.name) == ModelSystem(
        system.name, own.name, own.upsampling
    )
    assert ModelSystem.from_report("zim-tiny") == ModelSystem.from_name("zim-tiny")
