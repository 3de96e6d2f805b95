"""Errors against the number of clicks, as lines (SVG), beside published ones.

Published curves come from a table, since papers print them as pictures: they are what
somebody has read off there.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

from zim_model.errors import ZimError, msg
from zim_model.evaluation.bars import COLOURS
from zim_model.evaluation.published import MARK
from zim_model.evaluation.report import PublishedCurve, Report
from zim_model.runtime.atomic_files import read_error

CURVE_METRICS = ("IoU", "SAD", "MSE")
WIDTH, HEIGHT = 360, 240
"""Of a panel, one metric's lines, in units of the drawing."""
_LEFT, _TOP, _BELOW, _RIGHT = 48, 24, 34, 12
_GAP, _LEGEND_LINE = 24, 18
FORM = "system,clicks,SAD,MSE,IoU"
CURVES_CURE = msg(
    "Write a line {form} for each point, with at least one of the three metrics.",
    form=FORM,
)
MAX_POINTS = 10_000
LARGEST = {"IoU": 1.0, "MSE": 1000.0}
"""Of a metric, in the units of reports; SAD grows with the image."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a panel.

    Attributes:
        name: of the legend.
        colour: as SVG has it.
        values: the metric after a number of clicks.
        published: whether it was not measured here; such a line is dashed.
    """

    name: str
    colour: str
    values: Mapping[int, float]
    published: bool = False


def read_curves(path: Path) -> tuple[PublishedCurve, ...]:
    """The curves of a CSV file with the columns system, clicks and SAD, MSE or IoU.

    Raises:
        ZimError: the file cannot be read, or has another form.
    """
    try:
        text = path.read_text("utf-8-sig", "replace")
    except OSError as error:
        raise read_error(path, error) from error
    points: dict[str, dict[int, dict[str, float]]] = {}
    reader = csv.DictReader(text.splitlines())
    try:
        rows = [(reader.line_num, row) for row in reader]
    except csv.Error as error:  # a quotation mark that nothing closes
        raise ZimError(
            msg("{path} is no table of curves.", path=path), CURVES_CURE
        ) from error
    metrics = [name for name in CURVE_METRICS if name in (reader.fieldnames or ())]
    if not metrics or not {"system", "clicks"} <= set(reader.fieldnames or ()):
        raise ZimError(msg("{path} is no table of curves.", path=path), CURVES_CURE)
    for number, row in rows:
        try:
            clicks = int(row["clicks"])
            values = {name: float(row[name]) for name in metrics if row[name]}
        except (TypeError, ValueError):
            clicks, values = 0, {}
        for name, value in values.items():
            if value > LARGEST.get(name, float("inf")):
                raise ZimError(
                    msg(
                        "{path}, line {number}: {name} is {value:g}, above {most:g}.",
                        path=path,
                        number=number,
                        name=name,
                        value=value,
                        most=LARGEST[name],
                    ),
                    msg("Give IoU from 0 to 1, and MSE in thousandths."),
                )
        finite = all(0 <= value < float("inf") for value in values.values())
        if not (0 < clicks <= MAX_POINTS and values and finite and row["system"]):
            raise ZimError(
                msg(
                    "{path}, line {number}, is no point.",
                    path=path,
                    number=number,
                ),
                CURVES_CURE,
            )
        own = points.setdefault(row["system"], {})
        if clicks in own:
            raise ZimError(
                msg(
                    "{path}, line {number}, repeats {clicks} clicks of {system}.",
                    path=path,
                    number=number,
                    clicks=clicks,
                    system=row["system"],
                ),
                CURVES_CURE,
            )
        own[clicks] = values
    if not points:
        raise ZimError(msg("{path} holds no point.", path=path), CURVES_CURE)
    return tuple(PublishedCurve(name, own) for name, own in points.items())


def panels(report: Report) -> dict[str, list[Line]]:
    """The lines of each metric that there are; none without clicks."""
    curves = report.curves()
    found: dict[str, list[Line]] = {}
    for metric in CURVE_METRICS if curves else ():
        colours = _cycle_colours()
        measured = [
            Line(f"{system}, {prompt}", next(colours), _column(curve, metric))
            for (system, prompt), curve in curves.items()
        ]
        published = [
            Line(
                f"{curve.system} ({MARK})",
                next(colours),
                {n: each[metric] for n, each in curve.points.items() if metric in each},
                published=True,
            )
            for curve in report.published_curves
        ]
        found[metric] = [*measured, *published]
    return found


def _column(curve: tuple[dict[str, float], ...], metric: str) -> dict[int, float]:
    return {n: each[metric] for n, each in enumerate(curve, 1) if metric in each}


def _cycle_colours() -> Iterator[str]:
    while True:
        yield from COLOURS


def curves_to_svg(report: Report) -> str:
    """A file with a panel for each metric, black on white; empty without clicks."""
    found = panels(report)
    if not found:
        return ""
    lines = found[CURVE_METRICS[0]]
    width = len(found) * (WIDTH + _GAP)
    height = HEIGHT + _GAP + _LEGEND_LINE * len(lines)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="11" '
        'fill="#000" color="#000">',
        f"<title>Errors on {escape(report.config.dataset)} by clicks</title>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        *(
            # No nested svg, which some viewers leave out.
            f'<g transform="translate({number * (WIDTH + _GAP)} 0)">'
            f"{_panel(own, metric)}</g>"
            for number, (metric, own) in enumerate(found.items())
        ),
    ]
    for number, line in enumerate(lines):
        y = HEIGHT + _GAP // 2 + _LEGEND_LINE * number
        parts.append(
            f'<line x1="{_LEFT}" x2="{_LEFT + 22}" y1="{y}" y2="{y}" {_stroke(line)}/>'
            f'<text x="{_LEFT + 30}" y="{y + 4}">{escape(line.name)}</text>'
        )
    return "\n".join((*parts, "</svg>\n"))


def panel(lines: list[Line], metric: str) -> str:
    """One metric's lines as an SVG element; texts have the colour of those around."""
    return f'<svg width="{WIDTH}" height="{HEIGHT}">{_panel(lines, metric)}</svg>'


def _panel(lines: list[Line], metric: str) -> str:
    """The content of a panel."""
    inner_w, inner_h = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BELOW
    clicks = [n for line in lines for n in line.values]
    values = [value for line in lines for value in line.values.values()]
    most = max(clicks, default=1)
    high = 1.0 if metric == "IoU" else max(values, default=0.0) * 1.05 or 1.0

    def place(click: int, value: float) -> str:
        across = (click - 1) / (most - 1) if most > 1 else 0.5
        x, y = _LEFT + inner_w * across, _TOP + inner_h * (1 - value / high)
        return f"{x:.1f},{y:.1f}"

    bottom = _TOP + inner_h + 16
    parts = [f'<text x="{_LEFT}" y="14" font-weight="600">{escape(metric)}</text>']
    for part in range(5):
        y = _TOP + inner_h * (1 - part / 4)
        parts.append(
            f'<line x1="{_LEFT}" x2="{_LEFT + inner_w}" y1="{y:.1f}" y2="{y:.1f}" '
            'stroke="currentColor" stroke-opacity=".15"/>'
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">'
            f"{high * part / 4:.3g}</text>"
        )
    for click in range(1, most + 1, max(1, round(most / 6))):
        x = place(click, 0).partition(",")[0]
        parts.append(f'<text x="{x}" y="{bottom}" text-anchor="middle">{click}</text>')
    for line in lines:
        places = [place(n, value) for n, value in sorted(line.values.items())]
        parts.append(
            f'<polyline points="{" ".join(places)}" fill="none" {_stroke(line)}>'
            f"<title>{escape(line.name)}</title></polyline>"
        )
    parts.append(
        f'<text x="{_LEFT + inner_w / 2}" y="{HEIGHT - 4}" '
        'text-anchor="middle">clicks</text>'
    )
    return "".join(parts)


def _stroke(line: Line) -> str:
    dashes = ' stroke-dasharray="5 3"' if line.published else ""
    return f'stroke="{line.colour}" stroke-width="2"{dashes}'
