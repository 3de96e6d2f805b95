"""Models as mask sources of matting hosts: trimaps solved without the model."""

import json

import numpy as np
import pytest
from safetensors.torch import save_file

from tests.zim_model.conftest import SMALL_VIT, hub_names, random_model, random_vitmatte
from tests.zim_model.evaluation.conftest import BOX, MODEL, FakeEngine, rows_of, run
from zim_app.cli import main as cli
from zim_model.errors import WeightsError, ZimError
from zim_model.evaluation import EvaluationOptions, ModelSystem, open_dataset
from zim_model.evaluation.journal import read_journal, source_key
from zim_model.evaluation.mini_layouts import MINI_LAYOUTS, write_mini_layout
from zim_model.evaluation.reading import read_matte, read_trimap
from zim_model.evaluation.report_formats import to_json
from zim_model.evaluation.systems import parse_hosts, predicts_masks
from zim_model.evaluation.tables import HOSTS, notes
from zim_model.weights.checkpoint import save_model


@pytest.fixture
def vitmatte(tmp_path, monkeypatch):
    """An installed trimap network; the models folder."""
    models = tmp_path / "models"
    monkeypatch.setattr("zim_model.weights.installed.models_folder", lambda: models)
    (models / "hairy").mkdir(parents=True)
    path = models / "hairy" / "model.safetensors"
    save_file(hub_names(random_vitmatte()), path)
    return path


def test_hosts_by_their_names(vitmatte):
    assert parse_hosts("none") == ("",)
    assert parse_hosts("none, trimap") == ("", "closed-form", "hairy")
    assert parse_hosts("trimap:hairy,trimap:closed-form") == ("hairy", "closed-form")
    assert parse_hosts(f"trimap:{vitmatte}") == (str(vitmatte),)
    for wrong in ("closed-form", "trimap:", "alpha"):
        with pytest.raises(ZimError, match=rf"'{wrong}' is no refinement") as caught:
            parse_hosts(wrong)
        assert "trimap:closed-form" in caught.value.hint
    with pytest.raises(WeightsError, match="missing is not installed"):
        parse_hosts("trimap:missing")


def test_a_line_tells_host_and_mask_source(mini, tmp_path, engine):
    hosted = MODEL.with_host("closed-form")
    events = run(mini, tmp_path, engine, systems=(MODEL, hosted))
    assert hosted.name == "closed-form / m (guided)"
    assert {row.system for row in rows_of(events)} == {"m", "closed-form / m (guided)"}
    config, _ = read_journal(tmp_path / "rows.jsonl")
    alone, inside = map(config.model_options, ("m", hosted.name))
    assert (alone.upsampling, alone.trimap_network) == ("guided", "")
    assert (inside.upsampling, inside.trimap_network) == ("trimap", "closed-form")
    assert HOSTS in notes(events[-1].report)
    assert HOSTS not in notes(run(mini, tmp_path / "2", engine)[-1].report)
    assert ModelSystem.from_report(hosted.name) == hosted
    assert not predicts_masks(hosted, "guided", FakeEngine("sam"))
    options = json.loads(to_json(events[-1].report))["config"]["options"]
    assert options[source_key(hosted.name)] == "guided"
    assert source_key("m") not in options


def test_only_a_mask_source_alone_is_binarised(mini, tmp_path):
    sam = FakeEngine("sam")
    rows = rows_of(run(mini, tmp_path, sam, (MODEL, MODEL.with_host("closed-form"))))
    errors = {
        row.system: row.metrics["MSE"] for row in rows if row.case == "fine/0001_1"
    }
    assert errors["m"] != errors["closed-form / m (guided)"]  # 0.75 of the box is not 1


def test_weights_of_another_family_are_told_before_anything_runs(
    mini, tmp_path, engine
):
    other = tmp_path / "sam" / "weights.safetensors"
    other.parent.mkdir()
    save_model(random_model(SMALL_VIT), other)
    host = MODEL.with_host(str(other))
    assert host.name == "sam/weights / m (guided)"
    with pytest.raises(WeightsError, match=r"weights\.safetensors holds no ViTMatte"):
        run(mini, tmp_path / "out", engine, systems=(host,))
    assert not engine.requests


def test_a_run_with_other_weights_of_the_host_is_not_resumed(
    mini, tmp_path, engine, vitmatte
):
    hosted = (MODEL.with_host("hairy"),)
    run(mini, tmp_path / "out", engine, systems=hosted)
    save_file(hub_names(random_vitmatte(seed=3)), vitmatte)
    resumed = EvaluationOptions(jobs=0, resume=True)
    with pytest.raises(ZimError, match=r"hairy / m \(guided\) is"):
        run(mini, tmp_path / "out", engine, systems=hosted, options=resumed)


@pytest.mark.parametrize("layout", MINI_LAYOUTS)
def test_made_up_sets_have_the_layouts_of_the_published_ones(layout, tmp_path):
    root = write_mini_layout(tmp_path, layout, images=2)
    dataset = open_dataset(root)
    assert dataset.layout == layout
    assert not dataset.problems
    for case in dataset.cases:
        truth = read_matte(case.matte)
        assert 0.01 < (truth > 32767).mean() < 0.6
        assert dataset.masks == (layout == "hqsam")
        if dataset.masks:
            assert set(np.unique(truth)) == {0, 65535}
        if case.trimap is not None:
            soft = (truth > 0) & (truth < 65535)
            assert read_trimap(case.trimap)[soft].all()
    assert (dataset.subsets != ()) == (layout in ("micromat", "hqsam"))
    with pytest.raises(ZimError, match="exists already"):
        write_mini_layout(tmp_path, layout)


def test_the_command_measures_a_model_alone_and_as_a_mask_source(tmp_path, capsys):
    folder, out = str(tmp_path / "sets"), str(tmp_path / "out")
    assert cli.run(["evaluate", "--make-mini", folder, "--mini-layout", "aim500"]) == 0
    capsys.readouterr()
    command = ["evaluate", f"{folder}/MiniAIM-500", "--prompts", str(BOX), "-o", out]
    hosts = ["--refine", "none,trimap:closed-form", "--limit", "1", "--jobs", "0"]
    assert cli.run([*command, *hosts]) == 0
    text = capsys.readouterr().out
    assert "| closed-form / zim-tiny (guided) | box |" in text
    assert "| zim-tiny | box |" in text
    assert cli.run([*command, "--refine", "sharp"]) == 1
    assert "'sharp' is no refinement" in capsys.readouterr().err
