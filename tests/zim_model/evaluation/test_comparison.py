import csv
import io
import json

import numpy as np
import pytest
from scipy import stats

from tests.zim_model.evaluation.test_report import CONFIG, row
from zim_model.evaluation.comparison import RESAMPLES, compare, holm, signed_rank
from zim_model.evaluation.report import Report
from zim_model.evaluation.report_formats import (
    comparisons_to_csv,
    to_csv,
    to_html,
    to_json,
    to_latex,
    to_markdown,
)


def rows_of(system, sads, prompt="box"):
    return [
        row(f"{i:03}", system, prompt, sad=sad)
        for i, sad in enumerate(map(float, sads))
    ]


@pytest.fixture
def report():
    """30 cases on which b is better than a by 1, give or take 0.5."""
    rng = np.random.default_rng(1)
    first = 5 + rng.normal(0, 3, 30)
    return Report.from_rows(
        CONFIG,
        [*rows_of("a", first), *rows_of("b", first - 1 + rng.normal(0, 0.5, 30))],
        60,
    )


def of_sad(report):
    return next(each for each in report.comparisons if each.metric == "SAD")


def test_a_difference_has_its_mean_interval_and_test(report):
    found = of_sad(report)
    sads = {
        name: np.array([r.metrics["SAD"] for r in report.rows if r.system == name])
        for name in "ab"
    }
    gap = sads["a"] - sads["b"]
    assert (found.system, found.other, found.prompt, found.count) == (
        "a",
        "b",
        "box",
        30,
    )
    assert found.difference == pytest.approx(gap.mean())
    assert found.p_value == stats.wilcoxon(gap).pvalue
    assert found.p_adjusted == found.p_value
    known = stats.bootstrap(
        (gap,), np.mean, n_resamples=RESAMPLES, method="percentile", rng=3
    ).confidence_interval
    assert (found.low, found.high) == pytest.approx((known.low, known.high), abs=0.01)
    # Of pairs: the systems' own spread, 3, would give an interval of 2.
    assert found.high - found.low < 0.5


def test_the_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(2)
    covered = 0
    for _ in range(40):
        rows = [*rows_of("a", rng.normal(1, 1, 40)), *rows_of("b", np.zeros(40))]
        (found,) = compare(rows, ["SAD"], "all")
        covered += found.low <= 1 <= found.high
    assert covered >= 33  # of 38 expected


def test_comparing_again_and_in_another_order_gives_the_same(report):
    again = Report.from_rows(CONFIG, reversed(report.rows), 60)
    assert again.comparisons == report.comparisons


def test_only_cases_of_both_systems_count():
    rows = [*rows_of("a", [1, 2, 3, 50]), *rows_of("b", [2, 3, 4])]
    found = of_sad(Report.from_rows(CONFIG, rows, 8))
    assert (found.count, found.difference) == (3, -1)
    assert (found.low, found.high) == (-1, -1)


def test_equal_systems_do_not_differ():
    rows = [*rows_of("a", range(9)), *rows_of("b", range(9))]
    found = of_sad(Report.from_rows(CONFIG, rows, 18))
    assert (found.low, found.high, found.p_value) == (0, 0, 1)


@pytest.mark.parametrize("sads", [[], [1.0]])
def test_one_case_compares_nothing(sads):
    rows = [*rows_of("a", sads), *rows_of("b", sads)]
    assert Report.from_rows(CONFIG, rows, 2).comparisons == ()


def test_prompts_and_subsets_are_compared_apart():
    rows = [
        row(f"{subset}/{i}", system, prompt, sad=i, subset=subset)
        for subset in ("fine", "coarse")
        for system in "ab"
        for prompt in ("point", "box")
        for i in range(3)
    ]
    found = {
        (c.prompt, c.subset) for c in Report.from_rows(CONFIG, rows, 24).comparisons
    }
    assert found == {
        (p, s) for p in ("point", "box") for s in ("all", "fine", "coarse")
    }


def test_p_values_of_several_pairs_are_adjusted():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []
    three = [*rows_of("a", range(8)), *rows_of("b", np.arange(8) + 1)]
    three += rows_of("c", np.arange(8) + 2)
    found = [
        c for c in Report.from_rows(CONFIG, three, 24).comparisons if c.metric == "SAD"
    ]
    assert [(c.system, c.other) for c in found] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert [c.p_adjusted for c in found] == [3 * c.p_value for c in found]


def test_missing_values_are_left_out_of_the_test():
    values = np.array([1.0, np.nan, 2.0, 0.0, 3.0])
    assert signed_rank(values) == signed_rank(np.array([1.0, 2.0, 3.0]))


def test_rounding_is_no_difference():
    assert signed_rank(np.full(8, 1e-17)) == 1.0
    values = np.array([1.0, -1.0, 2.0, 3.0, -2.0])
    assert signed_rank(values + 1e-15) == signed_rank(values)


def test_the_reports_show_spread_best_and_differences(report):
    text = to_markdown(report)
    group = next(g for g in report.groups() if g.system == "b")
    sad = [r.metrics["SAD"] for r in report.rows if r.system == "b"]
    assert group.deviations["SAD"] == pytest.approx(np.std(sad, ddof=1))
    cell = f"{group.means['SAD']:.4f} ± {group.deviations['SAD']:.4f}"
    assert f"| **{cell}** |" in text
    table = text.partition("## Errors as in ZIM")[2].partition("##")[0]
    assert table.count("**") == 2  # b alone
    assert f"<b>{cell}</b>" in to_html(report)
    latex = to_latex(report)
    assert rf"\textbf{{{cell.replace('±', '$' + chr(92) + 'pm$')}}}" in latex
    found = of_sad(report)
    line = next(x for x in text.splitlines() if x.startswith("| a | b | box | SAD"))
    assert f"{found.difference:+.4f} | {found.low:+.4f} to {found.high:+.4f}" in line


def test_one_system_is_not_the_best():
    report = Report.from_rows(CONFIG, rows_of("a", [1, 2]), 2)
    assert "**" not in to_markdown(report)
    assert "Differences" not in to_markdown(report)


def test_equal_numbers_are_both_the_best_unless_all_are():
    rows = [*rows_of("a", [1, 2]), *rows_of("b", [2, 1.00001])]
    assert "**1.5000" not in to_markdown(Report.from_rows(CONFIG, rows, 4))
    rows += rows_of("c", [3, 3])
    text = to_markdown(Report.from_rows(CONFIG, rows, 6))
    table = text.partition("## Errors as in ZIM")[2].partition("##")[0]
    assert table.count("**1.5000") == 2


def test_files_for_programs_have_everything(report):
    (line,) = [x for x in read_csv(comparisons_to_csv(report)) if x["metric"] == "SAD"]
    found = of_sad(report)
    assert float(line["low"]) == found.low
    assert float(line["p_value"]) == found.p_value
    data = json.loads(to_json(report))
    assert data["comparisons"][0]["difference"] == found.difference
    assert data["groups"][0]["deviations"].keys() == {"SAD", "IoU"}
    means = read_csv(to_csv(report))[0]
    assert float(means["SAD (standard deviation)"]) > 0


def read_csv(text):
    return list(csv.DictReader(io.StringIO(text)))
