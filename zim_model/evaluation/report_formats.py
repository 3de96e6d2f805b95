"""Writing a report: CSV, JSON, Markdown, LaTeX, HTML and a chart (SVG)."""

from __future__ import annotations

import csv
import io
import json
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, astuple, fields
from pathlib import Path
from typing import Any

from zim_model.evaluation.bars import bars_to_svg
from zim_model.evaluation.comparison import Comparison
from zim_model.evaluation.curves import curves_to_svg
from zim_model.evaluation.datasets import Dataset
from zim_model.evaluation.html import to_html
from zim_model.evaluation.journal import EvaluationRow
from zim_model.evaluation.published import SOURCE, published_rows
from zim_model.evaluation.report import Report
from zim_model.evaluation.tables import (
    ReportTable,
    failures,
    main_metric,
    notes,
    report_heading,
    tables,
)
from zim_model.runtime.atomic_files import atomic_write, write_error
from zim_model.runtime.spreadsheet import literal_cell

Writer = Callable[[Report, Dataset | None], str]


def write_report(
    report: Report,
    folder: str | os.PathLike[str],
    dataset: Dataset | None = None,
    formats: Sequence[str] | None = None,
) -> tuple[Path, ...]:
    """Write a report's files, replacing those of an earlier one.

    Args:
        folder: created if missing.
        dataset: whose images the HTML page shows; without it there are none.
        formats: names in WRITERS; None writes all, and CLICKS_FILE.

    Returns:
        The files.

    Raises:
        ZimError: a file cannot be written.
    """
    texts = {name: WRITERS[name](report, dataset) for name in formats or WRITERS}
    if formats is None and (drawn := curves_to_svg(report)):
        texts[CLICKS_FILE] = drawn
    written = []
    for name, text in texts.items():
        path = Path(folder, name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_write(path) as stream:
                # Names of files need not be UTF-8.
                stream.write(text.encode("utf-8", "backslashreplace"))
        except OSError as error:
            raise write_error(path, error) from error
        written.append(path)
    return tuple(written)


def to_csv(report: Report, dataset: Dataset | None = None) -> str:
    """The means and deviations: a row for each system, prompt, subset and size."""
    names = report.metrics
    spreads = (f"{name} (standard deviation)" for name in names)
    lines = [("system", "prompt", "subset", "size", "rows", "failed", *names, *spreads)]
    for group in report.groups():
        values = (
            _format_exact(column.get(name))
            for column in (group.means, group.deviations)
            for name in names
        )
        who = (group.system, group.prompt, group.subset, group.size)
        lines.append((*who, str(group.count), str(group.failed), *values))
    return _csv(lines)


def comparisons_to_csv(report: Report, dataset: Dataset | None = None) -> str:
    """The differences of all pairs of systems in all metrics."""
    lines = [tuple(each.name for each in fields(Comparison))]
    lines += [tuple(map(str, astuple(each))) for each in report.comparisons]
    return _csv(lines)


def rows_to_csv(report: Report, dataset: Dataset | None = None) -> str:
    """Every row, failed ones first, then the worst first."""
    names = report.metrics
    head = ("case", "system", "prompt", "subset", "size", "area", *names)
    lines = [(*head, "encode_ms", "click_ms", "device", "error")]
    worst = report.worst(main_metric(report))
    for row in (*report.failed, *worst):
        lines.append(
            (
                *(row.case, row.system, row.prompt, row.subset),
                *("" if row.error else row.size, f"{row.area:.6f}"),
                *(_format_exact(row.metrics.get(name)) for name in names),
                *(f"{row.encode_ms}", f"{row.click_ms}", row.device, row.error),
            )
        )
    return _csv(lines)


def _format_exact(value: float | None) -> str:
    return "" if value is None else repr(value)


def _csv(lines: Sequence[Sequence[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(
        map(literal_cell, line) for line in lines
    )
    return out.getvalue()


def to_json(report: Report, dataset: Dataset | None = None) -> str:
    """Everything, with the official averages beside the means."""
    groups = []
    for group in report.groups():
        official = {
            name: official_average(mean * group.count, group.count)
            for name, mean in group.means.items()
        }
        groups.append(asdict(group) | {"official_average": official})
    curves: list[dict[str, Any]] = [
        {"system": system, "prompt": prompt, "clicks": list(curve)}
        for (system, prompt), curve in report.curves().items()
    ]
    data = {
        "config": asdict(report.config),
        "expected_rows": report.expected,
        "missing_rows": report.missing,
        "groups": groups,
        "comparisons": [asdict(each) for each in report.comparisons],
        "curves": curves,
        "published": {
            "source": SOURCE,
            "rows": [asdict(row) for row in published_rows(report.config)],
        },
        "failures": [{"case": case, "reason": why} for case, why in failures(report)],
        "rows": [_plain_values(row) for row in report.rows],
    }
    return json.dumps(data, indent=1) + "\n"


def _plain_values(row: EvaluationRow) -> dict[str, Any]:
    return row.to_json()


def official_average(total: float, count: int) -> float:
    """The average of ZIM's evaluation: slightly too small, and 0 of nothing."""
    average = total / (count + 1e-5)
    return average if math.isfinite(average) else 0.0


def to_markdown(report: Report, dataset: Dataset | None = None) -> str:
    """The tables, the notes and the failures."""
    parts = [
        "# Evaluation",
        _cell(report_heading(report)),
        *(f"- {_cell(note)}" for note in notes(report)),
    ]
    text = "\n\n".join(parts[:2]) + "\n\n" + "\n".join(parts[2:]) + "\n"
    for table in tables(report):
        rule = ["---"] * table.texts + ["--:"] * (len(table.header) - table.texts)
        lines = [tuple(map(_cell, table.header)), tuple(rule)]
        lines += _marked_rows(table, _cell, "**{}**")
        body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        text += f"\n## {_cell(table.title)}\n\n{body}\n"
    wrong = failures(report)
    if wrong:
        text += f"\n## Not measured ({len(wrong)})\n\n"
        text += "".join(f"- {_cell(case)}: {_cell(why)}\n" for case, why in wrong)
    return text


def to_svg(report: Report, dataset: Dataset | None = None) -> str:
    """The mean IoU of each system by prompt, as bars."""
    return bars_to_svg(report)


def _marked_rows(
    table: ReportTable, escape: Callable[[str], str], bold: str
) -> list[tuple[str, ...]]:
    """The cells of a table, escaped, and the marked ones put into ``bold``."""
    return [
        tuple(
            bold.format(escape(cell)) if (i, j) in table.marked else escape(cell)
            for j, cell in enumerate(row)
        )
        for i, row in enumerate(table.rows)
    ]


_MARKDOWN = str.maketrans(
    {
        **{sign: f"\\{sign}" for sign in "\\|[]`*"},
        **{"&": "&amp;", "<": "&lt;", ">": "&gt;"},
        **dict.fromkeys("\r\n", " "),
    }
)


def _cell(text: str) -> str:
    """A text that Markdown shows as it is, without markup, links or HTML."""
    return text.translate(_MARKDOWN)


def to_latex(report: Report, dataset: Dataset | None = None) -> str:
    """The tables as ``tabular`` of booktabs, each in a ``table``."""
    return "\n".join(map(_latex_table, tables(report)))


def _latex_table(table: ReportTable) -> str:
    columns = "l" * table.texts + "r" * (len(table.header) - table.texts)
    rows = _marked_rows(table, _latex, r"\textbf{{{}}}")
    lines = [" & ".join(row) + r" \\" for row in rows]
    header = " & ".join(map(_latex, table.header)) + r" \\"
    return "\n".join(
        (
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{_latex(table.title)}}}",
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            header,
            r"\midrule",
            *lines,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        )
    )


_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "–": "--",
    "±": r"$\pm$",
} | {sign: f"\\{sign}" for sign in "&%$#_{}"}


def _latex(text: str) -> str:
    return "".join(_LATEX.get(sign, sign) for sign in text)


WRITERS: dict[str, Writer] = {
    "report.md": to_markdown,
    "report.csv": to_csv,
    "rows.csv": rows_to_csv,
    "comparisons.csv": comparisons_to_csv,
    "report.json": to_json,
    "report.tex": to_latex,
    "report.html": to_html,
    "iou.svg": to_svg,
}
"""Writers by file name."""
CLICKS_FILE = "clicks.svg"
"""Written with all others where there are clicks."""
