import shutil
from dataclasses import replace

import pytest
from PIL import Image

from tests.zim_model.evaluation.conftest import BOX, CLICKS, INLINE, blank, rows_of, run
from zim_model.errors import ZimError
from zim_model.evaluation import (
    Finished,
    PredictionFolder,
    evaluate,
    open_dataset,
    write_report,
)
from zim_model.evaluation.mini import write_mini_dataset


def test_predictions_of_other_systems_are_found_and_measured(mini, tmp_path, engine):
    options = replace(INLINE, predictions=True)
    own = run(mini, tmp_path / "a", engine, prompts=(BOX, CLICKS), options=options)
    folder = tmp_path / "a/predictions/m"
    assert len(list(folder.rglob("*.png"))) == 2 * len(mini.cases)
    other = PredictionFolder.parse(f"Other={folder}")
    engine.requests.clear()
    theirs = run(mini, tmp_path / "b", engine, systems=(other,), prompts=(BOX, CLICKS))
    assert not engine.requests
    for a, b in zip(own[-1].report.rows, theirs[-1].report.rows, strict=True):
        assert b.system == "Other"
        assert b.metrics["IoU"] == pytest.approx(a.metrics["IoU"])
        assert b.metrics["SAD"] == pytest.approx(a.metrics["SAD"], rel=0.01)


@pytest.mark.parametrize(
    "name",
    [
        "box/fine/0001_1",
        "bbox/fine/0001_1",
        "fine/box/0001_1",
        "fine/0001_1_box",
        "fine/0001_1-box",
        "fine/0001_1",
        "box/0001_1",
        "0001_1",
    ],
)
def test_names_under_which_a_prediction_is_found(mini, tmp_path, engine, name):
    case = next(case for case in mini.cases if case.name == "fine/0001_1")
    path = tmp_path / "theirs" / f"{name}.png"
    path.parent.mkdir(parents=True)
    shutil.copy(case.matte, path)
    system = PredictionFolder("Other", tmp_path / "theirs")
    rows = {row.case: row for row in rows_of(run(mini, tmp_path, engine, (system,)))}
    assert rows["fine/0001_1"].metrics["SAD"] == 0
    missing = rows["fine/0002_1"]
    assert "no prediction of fine/0002_1 with box" in missing.error


def test_a_name_that_two_cases_share_is_not_guessed(copy, tmp_path, engine):
    shutil.copy(copy / "matte/fine/0001_1.png", copy / "matte/coarse/0001_1.png")
    (copy / "data_list.txt").unlink()
    shutil.copytree(copy / "matte/fine", tmp_path / "theirs")
    shutil.rmtree(copy / "prompt")
    system = PredictionFolder("Other", tmp_path / "theirs")
    rows = rows_of(run(open_dataset(copy), tmp_path / "out", engine, (system,)))
    wrong = {row.case for row in rows if row.error}
    assert {"fine/0001_1", "coarse/0001_1"} <= wrong
    assert "fine/0002_1" not in wrong


def test_a_prediction_of_another_size_fails(mini, tmp_path, engine):
    path = tmp_path / "theirs/fine/0001_1.png"
    path.parent.mkdir(parents=True)
    Image.new("L", (5, 5), 255).save(path)
    system = PredictionFolder("Other", tmp_path / "theirs")
    rows = {row.case: row for row in rows_of(run(mini, tmp_path, engine, (system,)))}
    assert "5 x 5 pixels" in rows["fine/0001_1"].error


def test_a_changed_prediction_is_measured_again(mini, tmp_path, engine):
    theirs = tmp_path / "theirs"
    shutil.copytree(mini.root / "matte", theirs)
    system = PredictionFolder("Other", theirs)
    run(mini, tmp_path / "out", engine, (system,))
    blank(theirs / "fine/0002_1.png")
    options = replace(INLINE, resume=True)
    rows = rows_of(run(mini, tmp_path / "out", engine, (system,), options=options))
    assert [row.case for row in rows] == ["fine/0002_1"]


@pytest.mark.parametrize("text", ["x", "=y", "x=/no/such/folder"])
def test_other_predictions_are_refused(text):
    with pytest.raises(ZimError):
        PredictionFolder.parse(text)


def test_paths_and_prompts_as_text(tmp_path):
    root = write_mini_dataset(str(tmp_path), images=1)
    truth = PredictionFolder("truth", f"{root}/matte")
    out = str(tmp_path / "out")
    events = evaluate(
        open_dataset(str(root)), [truth], out, prompts=["box"], options=INLINE
    )
    *_, last = events
    assert isinstance(last, Finished)
    assert all(row.metrics["SAD"] == 0 for row in last.report.rows)
    assert all(path.exists() for path in write_report(last.report, out))
    with pytest.raises(ZimError, match="no kind of prompt"):
        next(evaluate(open_dataset(str(root)), [truth], out, prompts=["boxx"]))
