"""Errors against clicks as a chart, beside published ones."""

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from tests.zim_model.evaluation.conftest import BOX, CLICKS, MODEL, run
from zim_app.cli import main as cli
from zim_model.errors import ZimError
from zim_model.evaluation import ModelSystem
from zim_model.evaluation.curves import curves_to_svg, panels, read_curves
from zim_model.evaluation.html import to_html
from zim_model.evaluation.report_formats import write_report

TABLE = "system,clicks,SAD,IoU\nZIM,1,31.5,\nZIM,3,12,0.9\nSAM,1,68,0.5\n"


@pytest.fixture
def report(mini, tmp_path, engine):
    systems = (MODEL, ModelSystem("n", "n"))
    return run(mini, tmp_path / "out", engine, systems, (CLICKS, BOX))[-1].report


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "curves.csv"
    path.write_text(TABLE)
    return path


def test_a_chart_has_a_line_for_each_system_and_prompt_with_clicks(report, tmp_path):
    found = panels(report)
    assert list(found) == ["IoU", "SAD", "MSE"]
    for metric, lines in found.items():
        assert [line.name for line in lines] == ["m, clicks:3", "n, clicks:3"]
        means = report.curves()["m", "clicks:3"]
        assert lines[0].values == {n: each[metric] for n, each in enumerate(means, 1)}
    written = {path.name: path for path in write_report(report, tmp_path / "out")}
    root = ElementTree.parse(written["clicks.svg"]).getroot()
    assert len(root.findall(".//{*}polyline")) == 6
    assert "stroke-dasharray" not in written["clicks.svg"].read_text()


def test_published_curves_stand_beside_marked_and_dashed(report, table):
    beside = replace(report, published_curves=read_curves(table))
    lines = {line.name: line for line in panels(beside)["SAD"]}
    assert lines["ZIM (published)"].values == {1: 31.5, 3: 12.0}
    assert lines["SAM (published)"].values == {1: 68.0}
    assert {line.values.get(1) for line in panels(beside)["MSE"][2:]} == {None}
    svg = curves_to_svg(beside)
    assert svg.count("ZIM (published)") == 4  # legend, and a title in each panel
    assert svg.count("stroke-dasharray") == 8
    assert to_html(beside).count("ZIM (published)") == 6


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name,SAD\nZIM,3\n", "no table of curves"),
        ("system,clicks\nZIM,1\n", "no table of curves"),
        ("", "no table of curves"),
        (TABLE + '"' + "many lines\n" * 15_000, "no table of curves"),
        (TABLE + "ZIM,many,3,\n", "line 5, is no point"),
        (TABLE + "ZIM,0,3,\n", "line 5, is no point"),
        (TABLE + "ZIM,2,,\n", "line 5, is no point"),
        (TABLE + "ZIM,2,nan,\n", "line 5, is no point"),
        (TABLE + ",2,1,\n", "line 5, is no point"),
        (TABLE + "ZIM,5\n", "line 5, is no point"),
        (TABLE + "ZIM,3,13,\n", "line 5, repeats 3 clicks of ZIM"),
        ("system,clicks,SAD\n", "holds no point"),
    ],
)
def test_a_malformed_table_names_itself_and_the_form(tmp_path, text, words):
    path = tmp_path / "curves.csv"
    path.write_text(text)
    with pytest.raises(ZimError, match=words) as caught:
        read_curves(path)
    assert str(path) in caught.value.message
    assert "system,clicks,SAD,MSE,IoU" in caught.value.hint


def test_a_metric_in_percent_is_an_error(tmp_path):
    path = tmp_path / "curves.csv"
    path.write_text(TABLE + "ZIM,2,12,88\n")
    with pytest.raises(ZimError, match="line 5: IoU is 88, above 1") as caught:
        read_curves(path)
    assert "from 0 to 1" in caught.value.hint


def test_published_curves_need_clicks(mini_root, table, capsys):
    with pytest.raises(SystemExit):
        cli.run(["evaluate", str(mini_root), "--published-curves", str(table)])
    assert "needs clicks:N" in capsys.readouterr().err


def test_the_command_draws_them(mini_root, table, tmp_path, capsys):
    out = tmp_path / "out"
    command = ["evaluate", str(mini_root), "--prompts", "clicks:2", "--limit", "1"]
    command += ["--jobs", "0", "-o", str(out), "--published-curves"]
    assert cli.run([*command, str(tmp_path / "gone.csv")]) == 1
    assert "gone.csv" in capsys.readouterr().err
    assert not out.exists(), "it is told before the run"
    assert cli.run([*command, str(table)]) == 0
    drawn = (out / "clicks.svg").read_text()
    assert re.search(r"zim-tiny, clicks:2", drawn)
    assert "SAM (published)" in drawn
