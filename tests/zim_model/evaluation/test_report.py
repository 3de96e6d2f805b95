import csv
import io
import json
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from tests.zim_model.evaluation.conftest import BOX, CLICKS, MODEL, POINT, run
from zim_model.errors import ZimError
from zim_model.evaluation import ModelSystem, open_dataset, write_report
from zim_model.evaluation.html import MAX_CASES, difference
from zim_model.evaluation.journal import EvaluationRow, RunConfig, read_journal
from zim_model.evaluation.published import MICROMAT, published_rows
from zim_model.evaluation.report import Report
from zim_model.evaluation.report_formats import (
    CLICKS_FILE,
    WRITERS,
    official_average,
    rows_to_csv,
    to_csv,
    to_html,
    to_json,
    to_latex,
    to_markdown,
)
from zim_model.evaluation.tables import UNLIKE_DEVICES

CONFIG = RunConfig(
    "set", "pairs", {"a": "1", "b": "2"}, ("point", "box"), {"region": "image"}, 4
)


def row(case, system="a", prompt="box", sad=1.0, area=0.5, subset="", **more):
    values = {"metrics": {"SAD": sad, "IoU": 1 / (1 + sad)}} | more
    return EvaluationRow(system, case, prompt, "d", subset, area, **values)


def group(report, **attributes):
    (match,) = [
        g
        for g in report.groups()
        if all(getattr(g, name) == value for name, value in attributes.items())
    ]
    return match


def test_means_weigh_every_row_the_same():
    rows = [row("x", sad=1, area=0.005), row("y", sad=2, area=0.05), row("z", sad=6)]
    report = Report.from_rows(CONFIG, rows, 3)
    assert group(report, size="all").means["SAD"] == 3
    for size, sad in (("S", 1), ("M", 2), ("L", 6)):
        one = group(report, size=size)
        assert (one.count, one.means["SAD"]) == (1, sad)


@pytest.mark.parametrize(
    ("area", "size"), [(0.0099, "S"), (0.01, "M"), (0.0999, "M"), (0.1, "L")]
)
def test_sizes_are_those_of_the_official_evaluation(area, size):
    assert row("x", area=area).size == size


def test_fine_and_coarse_are_separated():
    rows = [row("x", subset="coarse", sad=4), row("y", subset="fine", sad=2)]
    report = Report.from_rows(CONFIG, rows, 2)
    whole = [g for g in report.groups() if g.size == "all"]
    assert [(g.subset, g.means["SAD"]) for g in whole] == [
        ("all", 3),
        ("fine", 2),
        ("coarse", 4),
    ]


def test_failed_rows_count_and_weigh_nothing():
    rows = [row("x", sad=2), row("y", metrics={}, error="no file")]
    report = Report.from_rows(CONFIG, rows, 4)
    one = group(report, size="all")
    assert (one.count, one.failed, one.means["SAD"]) == (1, 1, 2)
    assert report.missing == 2
    assert not report.has_no_failures


def test_an_official_average_is_a_hair_too_small_and_0_of_nothing():
    assert official_average(0, 0) == 0
    assert official_average(30, 3) == 30 / 3.00001


def test_the_order_of_the_rows_changes_nothing():
    rng = np.random.default_rng(0)
    rows = [row(f"{i}", sad=float(v)) for i, v in enumerate(rng.lognormal(0, 9, 500))]
    one = Report.from_rows(CONFIG, rows, 500)
    other = Report.from_rows(CONFIG, reversed(rows), 500)
    assert one == other
    means = group(one, size="all").means["SAD"]
    assert means == group(other, size="all").means["SAD"]


def test_the_worst_rows_come_first():
    rows = [row("x", sad=1), row("y", sad=3), row("z", sad=2)]
    report = Report.from_rows(CONFIG, rows, 3)
    assert [r.case for r in report.worst()] == ["y", "z", "x"]
    assert [r.case for r in report.worst("IoU")] == ["y", "z", "x"]
    lines = list(csv.DictReader(io.StringIO(rows_to_csv(report))))
    assert [line["case"] for line in lines] == ["y", "z", "x"]


def test_csv_and_json_hold_the_exact_means():
    rows = [row("x", sad=1 / 3), row("y", sad=2 / 7, system="b", prompt="point")]
    report = Report.from_rows(CONFIG, rows, 2)
    lines = list(csv.DictReader(io.StringIO(to_csv(report))))
    sads = {
        (line["system"], line["prompt"]): float(line["SAD"])
        for line in lines
        if line["size"] == "all"
    }
    assert sads == {("a", "box"): 1 / 3, ("b", "point"): 2 / 7}
    data = json.loads(to_json(report))
    assert data["groups"][0]["means"]["SAD"] == 1 / 3
    assert [EvaluationRow.from_json(each) for each in data["rows"]] == list(report.rows)


def test_published_numbers_stand_apart():
    config = replace(CONFIG, layout="micromat", cases=3000)
    report = Report.from_rows(config, [row("x", system="a")], 1)
    text = to_markdown(report)
    tables = text.split("\n## ")
    (apart,) = [part for part in tables if "9.961" in part]
    assert "published" in apart.splitlines()[0]
    assert "not measured here" in apart.splitlines()[0]
    assert "| a |" not in apart
    assert all(
        "(published)" in line for line in apart.splitlines() if "ZIM" in line[:8]
    )
    assert not any(g.system == "ZIM" for g in report.groups())
    # Nor beside another set, a set in its layout, or a part of it.
    for other in (CONFIG, replace(config, cases=7), replace(config, layout="pairs")):
        assert published_rows(other) == ()
        assert "9.961" not in to_markdown(Report.from_rows(other, [row("x")], 1))


def test_published_numbers_stay_away_from_the_mini_set(mini, tmp_path, engine):
    report = run(mini, tmp_path, engine)[-1].report
    assert report.config.layout == "micromat"
    for write in WRITERS.values():
        assert "9.961" not in write(report, None)


def test_the_table_of_the_paper_is_complete():
    rows = MICROMAT
    assert len({(r.system, r.prompt, r.subset) for r in rows}) == 20
    best = next(
        r for r in rows if (r.system, r.prompt, r.subset) == ("ZIM", "box", "fine")
    )
    assert list(best.means.values()) == [9.961, 1.893, 3.426, 4.813, 9.655]


def test_strange_names_spoil_no_format():
    name = r"a|b_<i>&%$#{}\~^"
    rows = [row(name, system=name), row("bad", metrics={}, error=f"no <b>{name}")]
    report = Report.from_rows(
        replace(CONFIG, systems={name: "1"}, dataset=name), rows, 2
    )
    page = to_html(report)
    assert "<i>" not in page
    assert "a|b_&lt;i&gt;&amp;" in page
    cell = next(line for line in to_markdown(report).splitlines() if "a\\|b" in line)
    assert cell
    latex = to_latex(report)
    assert r"a|b\_<i>\&\%\$\#\{\}\textbackslash{}\textasciitilde{}" in latex
    for line in latex.splitlines():
        if line.endswith(r"\\"):
            assert len(re.findall(r"(?<!\\)&", line)) >= 3


def test_a_run_is_written_in_every_format(mini, tmp_path, engine):
    (mini.root / "matte").exists()
    systems = (MODEL, ModelSystem("n", "n"))
    events = run(mini, tmp_path, engine, systems, (POINT, BOX, CLICKS))
    files = write_report(events[-1].report, tmp_path, mini)
    assert [file.name for file in files] == [*WRITERS, CLICKS_FILE]
    page = (tmp_path / "report.html").read_text("utf-8")
    assert page.count("data:image/jpeg;base64,") == 4 * MAX_CASES
    assert page.count("<svg") == 3
    assert page.count("<polyline") == 3 * len(systems)
    assert "http" not in page  # it needs no other file
    tags = Balanced()
    tags.feed(page)
    assert tags.open == []
    config, rows = read_journal(tmp_path / "rows.jsonl")
    again = Report.from_rows(config, rows.values(), len(rows))
    assert again.groups() == events[-1].report.groups()


class Balanced(HTMLParser):
    """Checks that elements are closed in order."""

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_a_page_without_its_images_has_the_tables(mini_root, tmp_path, engine):
    copy = tmp_path / "MicroMat3K"
    shutil.copytree(mini_root, copy)
    dataset = open_dataset(copy)
    report = run(dataset, tmp_path / "out", engine)[-1].report
    shutil.rmtree(copy / "img")
    page = to_html(report, dataset)
    assert "data:image" not in page
    assert "<table" in page


def test_failures_are_listed_once_with_their_reason(mini_root, tmp_path, engine):
    copy = tmp_path / "MicroMat3K"
    shutil.copytree(mini_root, copy)
    (copy / "img/0001.png").unlink()
    with (copy / "data_list.txt").open("a") as file:
        file.write("nonsense\n")
    dataset = open_dataset(copy)
    report = run(dataset, tmp_path / "out", engine, prompts=(POINT, BOX))[-1].report
    assert not report.has_no_failures
    for text in (to_markdown(report), to_html(report)):
        assert "1 fields instead of 4" in text
        assert text.count("img/0001.png cannot be read") == 2
        assert "fine/0001_1 (2 rows)" in text
    assert len(json.loads(to_json(report))["failures"]) == 3


def test_difference_is_red_where_too_much_and_blue_where_too_little():
    predicted = np.array([[255, 0, 90]], np.uint8)
    target = np.array([[0, 255, 90]], np.uint8)
    colours = difference(predicted, target)[0].tolist()
    assert colours == [[255, 0, 0], [0, 0, 255], [255, 255, 255]]


def test_names_of_strangers_run_nothing_where_a_report_is_read():
    formula, link = "=1+1", "[x](javascript:alert(1))<script>![y](z)`*"
    rows = [row(formula, system=link), row("bad", metrics={}, error=f"@no {link}")]
    config = replace(CONFIG, systems={link: "1"}, dataset=link)
    report = Report.from_rows(config, rows, 2)
    text = to_markdown(report)
    assert "<script" not in text
    assert not re.search(r"(?<!\\)[\[\]`]", text)
    lines = list(csv.DictReader(io.StringIO(rows_to_csv(report))))
    assert {line["case"] for line in lines} == {"'=1+1", "bad"}
    assert {line["error"][:4] for line in lines} == {"", "'@no"}
    assert all(float(line["SAD"]) == 1 for line in lines if line["SAD"])


def test_names_that_are_not_utf8_are_written(tmp_path):
    report = Report.from_rows(CONFIG, [row("caf\udce9")], 1)
    texts = {
        path.name: path.read_text("utf-8") for path in write_report(report, tmp_path)
    }
    assert "caf" in texts["rows.csv"]
    assert "caf" in texts["report.json"]


def test_a_report_that_cannot_be_written_is_reported(tmp_path):
    (tmp_path / "report.md").mkdir()
    with pytest.raises(ZimError, match=r"report\.md cannot be written"):
        write_report(Report.from_rows(CONFIG, [row("x")], 1), tmp_path)


@pytest.mark.parametrize(
    "line",
    [
        "[]",
        "{",
        "5",
        "[" * 100_000,
        '{"system": 1}',
        '{"format": 9, "config": {}}',
        '{"format": 1, "config": []}',
        *(
            json.dumps(row("x").to_json() | changes)
            for changes in (
                {"area": "x"},
                {"metrics": []},
                {"metrics": {"SAD": "1"}},
                {"metrics": {"SAD": float("inf")}},
                {"curve": [5]},
                {"prompts": {"points": [[1, 2]]}},
                {"subset": None},
                {"encode_ms": None},
                {"curve": [{"SAD": 1.0, "IoU": 1.0}]},
                {"prompts": {"note": float("nan")}},
            )
        ),
    ],
)
def test_a_journal_of_another_form_is_refused(tmp_path, line):
    path = tmp_path / "rows.jsonl"
    path.write_text(f"{line}\n")
    with pytest.raises(ZimError, match=r"rows\.jsonl"):
        read_journal(path)


def test_curves_of_different_lengths_are_averaged_as_far_as_they_go():
    steps = [{"SAD": sad, "MSE": 0.0, "IoU": 1.0} for sad in (1.0, 2.0, 3.0)]
    rows = [row("x", curve=(*steps[:2],)), row("y", curve=(steps[2],))]
    (curve,) = Report.from_rows(CONFIG, rows, 2).curves().values()
    assert [point["SAD"] for point in curve] == [2.0, 2.0]


def test_lines_over_different_rows_are_pointed_out():
    rows = [row("x"), row("y"), row("x", system="b")]
    text = to_markdown(Report.from_rows(CONFIG, rows, 4))
    assert "different rows" in text
    even = to_markdown(Report.from_rows(CONFIG, [rows[0], rows[2]], 2))
    assert "different rows" not in even


def test_masks_are_reported_by_iou_first():
    config = replace(CONFIG, options={"truth": "masks"})
    text = to_markdown(Report.from_rows(config, [row("x"), row("y", sad=3)], 2))
    assert text.index("Masks and outlines") < text.index("ZIM's evaluation")
    assert "## Worst by IoU" in text


def test_times_are_those_of_the_models():
    rows = [
        row("x", encode_ms=100.0, click_ms=10.0, device="CPU (fp32)"),
        row("y", encode_ms=0.0, click_ms=30.0, device="CPU (fp32)"),
        row("x", system="b"),
    ]
    text = to_markdown(Report.from_rows(CONFIG, rows, 3))
    assert "| a | box | CPU (fp32) | 100 | 20 |" in text


def test_rows_of_unlike_precisions_are_told():
    rows = [row("x", device="CPU (fp32)"), row("y", device="CPU (fp32)")]
    alike = to_markdown(Report.from_rows(CONFIG, rows, 2))
    assert "Computed on: CPU (fp32)." in alike
    assert UNLIKE_DEVICES not in alike
    rows.append(row("z", device="CPU (bf16)"))
    unlike = to_markdown(Report.from_rows(CONFIG, rows, 3))
    assert "Computed on: CPU (bf16), CPU (fp32)." in unlike
    assert UNLIKE_DEVICES in unlike
