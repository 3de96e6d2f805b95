"""The mean IoU of each system by prompt, as bars (SVG)."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from zim_model.evaluation.report import ALL, MetricGroup, Report
from zim_model.evaluation.systems import PromptKind

METRIC = "IoU"
COLOURS = ("#3b7dd8", "#d8703b", "#3ba55d", "#a34fc0", "#c03f5b", "#7a7a2e", "#2e8f8f")
_LEFT, _TOP, _HEIGHT, _BELOW = 44, 16, 240, 26
"""Of the plot, in units of the drawing: its margins and height."""
_BAR, _BETWEEN, _LEGEND_LINE = 30, 22, 18
_NARROWEST = 420
"""A name in the legend finds room in it."""


def iou_by_prompt(report: Report) -> dict[str, dict[str, MetricGroup]]:
    """The groups of all cases that have an IoU, by prompt and then by system."""
    found: dict[str, dict[str, MetricGroup]] = {}
    for group in report.groups():
        if group.size == ALL and METRIC in group.means:
            by_system = found.setdefault(group.prompt, {})
            by_system.setdefault(group.system, group)  # the first is of all subsets
    return found


def has_modes(report: Report) -> bool:
    """Whether a report has prompts of the protocol for medical images."""
    return any(PromptKind.parse(prompt).is_mode for prompt in report.config.prompts)


def bars_to_svg(report: Report) -> str:
    """A file with the chart, black on white."""
    return bars(report, 'xmlns="http://www.w3.org/2000/svg" ', background="#fff")


def bars(report: Report, attributes: str = "", background: str = "none") -> str:
    """The chart as an SVG element; a thin line shows the standard deviation.

    Args:
        attributes: of the element, each with a space after it.
        background: a colour, or none; lines and texts have the colour of the text
            around.
    """
    prompts = iou_by_prompt(report)
    systems = [name for name in report.config.systems if _has_bar(name, prompts)]
    colours = {s: COLOURS[i % len(COLOURS)] for i, s in enumerate(systems)}
    step = _BAR * len(systems) + _BETWEEN
    width = max(_LEFT + step * len(prompts) + _BETWEEN, _NARROWEST)
    legend_top = _TOP + _HEIGHT + _BELOW
    height = legend_top + _LEGEND_LINE * len(systems) + 10
    parts = [
        f'<svg {attributes}width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="11">',
        f"<title>Mean IoU of {escape(report.config.dataset)} by prompt</title>",
        f'<rect width="{width}" height="{height}" fill="{background}"/>',
        *_scale(width),
    ]
    for number, (prompt, groups) in enumerate(prompts.items()):
        left = _LEFT + _BETWEEN + step * number
        for place, system in enumerate(systems):
            if system in groups:
                x = left + _BAR * place
                parts.append(_bar(x, groups[system], colours[system]))
        middle = left + _BAR * len(systems) / 2
        parts.append(_text(middle, _TOP + _HEIGHT + 16, prompt, "middle"))
    for line, (system, colour) in enumerate(colours.items()):
        y = legend_top + _LEGEND_LINE * line
        parts.append(
            f'<rect x="{_LEFT}" y="{y}" width="11" height="11" fill="{colour}"/>'
        )
        parts.append(_text(_LEFT + 18, y + 10, system, "start"))
    return "\n".join((*parts, "</svg>\n"))


def _has_bar(system: str, prompts: Mapping[str, Mapping[str, MetricGroup]]) -> bool:
    return any(system in groups for groups in prompts.values())


def _y(value: float) -> float:
    return _TOP + _HEIGHT * (1 - min(max(value, 0.0), 1.0))


def _scale(width: int) -> list[str]:
    """The lines of the values 0, 0.2, ... 1 and their numbers."""
    parts = []
    for value in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        y = _y(value)
        parts.append(
            f'<line x1="{_LEFT}" x2="{width - 8}" y1="{y:.1f}" y2="{y:.1f}" '
            'stroke="currentColor" stroke-opacity=".15"/>'
        )
        parts.append(_text(_LEFT - 6, y + 4, f"{value:.1f}", "end"))
    middle = _TOP + _HEIGHT / 2
    parts.append(
        f'<text x="12" y="{middle}" text-anchor="middle" fill="currentColor" '
        f'transform="rotate(-90 12 {middle})">mean IoU</text>'
    )
    return parts


def _bar(x: float, group: MetricGroup, colour: str) -> str:
    mean = group.means[METRIC]
    top, middle = _y(mean), x + _BAR / 2
    spread = group.deviations.get(METRIC)
    told = f"{group.system}, {group.prompt}: {mean:.4f}, {group.count} cases"
    parts = [
        f'<rect class="bar" x="{x + 1}" y="{top:.1f}" width="{_BAR - 2}" '
        f'height="{_TOP + _HEIGHT - top:.1f}" fill="{colour}">'
        f"<title>{escape(told)}</title></rect>"
    ]
    if spread is not None:
        ends = f'y1="{_y(mean - spread):.1f}" y2="{_y(mean + spread):.1f}"'
        parts.append(
            f'<line x1="{middle}" x2="{middle}" {ends} stroke="currentColor" '
            'stroke-opacity=".6"/>'
        )
    value_at = _y(mean + (spread or 0.0)) - 4
    parts.append(_text(middle, value_at, f"{mean:.2f}", "middle"))
    return "".join(parts)


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="currentColor">'
        f"{escape(text)}</text>"
    )
