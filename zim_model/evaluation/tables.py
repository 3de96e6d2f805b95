"""A report as tables and sentences of plain text, common to all formats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from zim_model.evaluation.bars import METRIC, has_modes, iou_by_prompt
from zim_model.evaluation.comparison import CONFIDENCE, RESAMPLES
from zim_model.evaluation.curves import CURVE_METRICS
from zim_model.evaluation.journal import WINDOW_KEY, host_key, upsampling_key
from zim_model.evaluation.measures import METRICS
from zim_model.evaluation.modes import MODES
from zim_model.evaluation.published import MARK, SOURCE, published_rows
from zim_model.evaluation.report import ALL, MetricGroup, Report, more_is_better

SHOWN_CLICKS = (1, 2, 3, 5, 10, 15, 20, 30, 40, 50)
NO_VALUE = "–"
MAX_WORST = 20
SIGNIFICANT = 0.05
"""p-values below it are marked."""
COMPARED = {
    "mattes": ("SAD", "MSE", "Grad", "IoU", "NoC@90"),
    "masks": ("IoU", "Boundary IoU", "NoC@90"),
}
"""Metrics of the table of differences, by kind of ground truth; JSON has all."""
FAMILIES = {
    "zim": "Errors as in ZIM's evaluation (whole image)",
    "dim": "Errors as at alphamatting.com",
    "mask": "Masks and outlines",
}
HOSTS = (
    "HOST / SOURCE (UPSAMPLING): a trimap is made of the source's matte or mask, "
    "upsampled so, and the host, closed-form matting or a trimap network, predicts "
    "alpha where it is unknown."
)
UNLIKE_DEVICES = (
    "Careful: rows were computed in different precisions or on different devices, "
    "whose mattes differ by rounding; choose one for all (--device, --precision)."
)
_REGIONS = {
    "image": "whole image",
    "trimap": "unknown region of the data set's trimaps",
    "band": "unknown region of trimaps made from the true mattes",
}


@dataclass(frozen=True, slots=True)
class ReportTable:
    """A table of text cells.

    Attributes:
        title: of the table.
        header: of the columns.
        rows: as many cells each as the header has.
        texts: number of leading columns that are words rather than numbers.
        marked: cells (row, column) in bold: the best of several systems.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    texts: int = 2
    marked: frozenset[tuple[int, int]] = frozenset()


def report_heading(report: Report) -> str:
    """One sentence on the content of the report."""
    config = report.config
    sentences = (
        f"{config.dataset}: {len(report.measured)} of {report.expected} rows measured"
    )
    if report.failed:
        sentences += f", {len(report.failed)} failed"
    if report.missing:
        sentences += f", {report.missing} not done"
    return f"{sentences}."


def notes(report: Report) -> tuple[str, ...]:
    """Sentences on how to read the numbers."""
    options = report.config.options
    uneven = len({(g.count, g.failed) for g in _overall_groups(report)}) > 1
    region = _REGIONS.get(options.get("region", ""), "")
    devices = sorted({row.device for row in report.measured if row.device})
    return (
        "Means over rows, each object of each image with the same weight; rows that "
        "failed are left out. S, M and L: under 1 %, under 10 % and from 10 % of the "
        "image's area.",
        "After ± stands the standard deviation; the best system is in bold.",
        f"(DIM) errors count in: {region}.",
        f"Upsampling of the models' mattes: {_upsampling(report)}; "
        f"mirrored too: {options.get('mirrored', 'no')}.",
        *([f"Computed on: {', '.join(devices)}."] if devices else []),
        *([UNLIKE_DEVICES] * (len(devices) > 1)),
        *([HOSTS] * any(host_key(name) in options for name in report.config.systems)),
        *(f"{name}: {MODES[name]}." for name in report.config.prompts if name in MODES),
        *(
            [f"Window of grey images (level, width): {options[WINDOW_KEY]}."]
            if WINDOW_KEY in options
            else []
        ),
        *(["Careful: the means of different lines are over different rows."] * uneven),
    )


def _upsampling(report: Report) -> str:
    config = report.config
    common = str(config.options.get("upsampling"))
    models = (name for name, kind in config.systems.items() if kind != "predictions")
    own = {upsampling_key(name) in config.options for name in models}
    if own == {True}:
        return "as each line says"
    return f"{common}, unless a line says another" if any(own) else common


def _overall_groups(report: Report) -> list[MetricGroup]:
    """For each system and prompt the group of all its rows."""
    groups: dict[tuple[str, str], MetricGroup] = {}
    for group in report.groups():
        groups.setdefault((group.system, group.prompt), group)
    return list(groups.values())


def tables(report: Report) -> tuple[ReportTable, ...]:
    """All of a report's tables that have rows."""
    groups = report.groups()
    whole = [group for group in groups if group.size == ALL]
    sizes = [
        g for g in groups if g.size != ALL and g.count and g.subset == _main(g, whole)
    ]
    mattes = [
        _family_table(FAMILIES["zim"], ("zim",), whole, report),
        _published(report),
        _family_table("The same by size of the object", ("zim",), sizes, report),
        _family_table(FAMILIES["dim"], ("dim",), whole, report),
    ]
    masks = [
        _family_table(
            FAMILIES["mask"], ("boundary", "purity", "mask", "clicks"), whole, report
        )
    ]
    masks.insert(0, _modes(report))
    first, second = (masks, mattes) if _is_mask_report(report) else (mattes, masks)
    found = [
        *(*first, *second, _differences(report), *_curves(report)),
        *(_times(report), _worst(report)),
    ]
    return tuple(table for table in found if table.rows)


def _modes(report: Report) -> ReportTable:
    """The mean IoU, with a column for each prompt; only of runs that have modes."""
    prompts = iou_by_prompt(report) if has_modes(report) else {}
    systems = [
        s for s in report.config.systems if any(s in g for g in prompts.values())
    ]
    columns = [list(groups.values()) for groups in prompts.values()]
    best = [
        {
            group.system
            for group, names in zip(groups, best_means(groups), strict=True)
            if METRIC in names
        }
        for groups in columns
    ]
    rows = tuple(
        (system, *(_mode_cell(groups.get(system)) for groups in prompts.values()))
        for system in systems
    )
    marked = frozenset(
        (i, j)
        for i, system in enumerate(systems)
        for j, names in enumerate(best, 1)
        if system in names
    )
    title = "Mean IoU by prompting mode"
    return ReportTable(title, ("System", *prompts), rows, 1, marked)


def _mode_cell(group: MetricGroup | None) -> str:
    return NO_VALUE if group is None else _mean_and_spread(group, METRIC)


def _main(group: MetricGroup, whole: Sequence[MetricGroup]) -> str:
    """The first subset of a system and prompt, mostly all of them."""
    return next(
        g.subset for g in whole if (g.system, g.prompt) == (group.system, group.prompt)
    )


def _family_table(
    title: str, families: tuple[str, ...], groups: Sequence[MetricGroup], report: Report
) -> ReportTable:
    family_metrics = [m.name for m in METRICS if m.family in families]
    names = [name for name in report.metrics if name in family_metrics]
    rows = tuple(
        (
            *(group.system, group.prompt, group.subset, group.size),
            *(str(group.count), str(group.failed or "")),
            *(_mean_and_spread(group, name) for name in names),
        )
        for group in groups
        if names
    )
    header = ("System", "Prompt", "Subset", "Size", "Rows", "Failed", *names)
    marked = frozenset(
        (i, header.index(name))
        for i, best in enumerate(best_means(groups))
        for name in best & {*names}
    )
    return _drop_constant_columns(ReportTable(title, header, rows, 4, marked))


def _mean_and_spread(group: MetricGroup, name: str) -> str:
    mean = format_number(group.means.get(name))
    if name not in group.deviations:
        return mean
    return f"{mean} ± {format_number(group.deviations[name])}"


def best_means(groups: Sequence[MetricGroup]) -> list[frozenset[str]]:
    """For each group the metrics in which it has the best mean, as printed.

    Groups of the same prompt, subset and size are compared; where all are equal, none
    is the best.
    """
    values: dict[tuple[str, str, str, str], list[float]] = {}
    for group in groups:
        for name, mean in group.means.items():
            key = (group.prompt, group.subset, group.size, name)
            values.setdefault(key, []).append(mean)

    def is_best(group: MetricGroup, name: str) -> bool:
        others = values[group.prompt, group.subset, group.size, name]
        best = format_number((max if more_is_better(name) else min)(others))
        differ = len(set(map(format_number, others))) > 1
        return differ and format_number(group.means[name]) == best

    return [frozenset(n for n in group.means if is_best(group, n)) for group in groups]


def _drop_constant_columns(table: ReportTable) -> ReportTable:
    """A table without constant columns: subset, size, failures."""
    dull = {
        i
        for i, name in enumerate(table.header)
        if (name in ("Subset", "Size") and {row[i] for row in table.rows} == {ALL})
        or (name == "Failed" and not any(row[i] for row in table.rows))
    }
    keep = [i for i in range(len(table.header)) if i not in dull]
    return ReportTable(
        table.title,
        tuple(table.header[i] for i in keep),
        tuple(tuple(row[i] for i in keep) for row in table.rows),
        len([i for i in keep if i < table.texts]),
        frozenset((row, keep.index(i)) for row, i in table.marked if i in keep),
    )


def _differences(report: Report) -> ReportTable:
    kind = "masks" if _is_mask_report(report) else "mattes"
    shown = [c for c in report.comparisons if c.metric in COMPARED[kind]]
    rows = tuple(
        (
            *(c.system, c.other, c.prompt, c.subset, c.metric, str(c.count)),
            f"{c.difference:+.4f}",
            f"{c.low:+.4f} to {c.high:+.4f}",
            f"{c.p_adjusted:.2g}",
        )
        for c in shown
    )
    marked = ((i, 8) for i, c in enumerate(shown) if c.p_adjusted < SIGNIFICANT)
    title = (
        f"Differences of systems: means, {CONFIDENCE:.0%} intervals of the paired "
        f"bootstrap ({RESAMPLES} resamples of cases), and Wilcoxon's signed-rank test "
        f"(p adjusted by Holm; bold below {SIGNIFICANT})"
    )
    header = (
        *("System", "Less", "Prompt", "Subset", "Metric", "Cases"),
        *("Difference", f"{CONFIDENCE:.0%} interval", "p"),
    )
    return _drop_constant_columns(
        ReportTable(title, header, rows, 5, frozenset(marked))
    )


def _published(report: Report) -> ReportTable:
    known = published_rows(report.config)
    names = list(known[0].means) if known else []
    rows = tuple(
        (
            *(f"{row.system} ({MARK})", row.prompt, row.subset),
            *(f"{row.means[name]:.3f}" for name in names),
        )
        for row in known
    )
    title = f"For comparison, {MARK}, not measured here: {SOURCE}"
    return ReportTable(title, ("System", "Prompt", "Subset", *names), rows, 3)


def _curves(report: Report) -> list[ReportTable]:
    found = []
    curves = report.curves()
    for name in CURVE_METRICS:
        most = max((len(curve) for curve in curves.values()), default=0)
        clicks = [n for n in SHOWN_CLICKS if n < most] + [most]
        rows = tuple(
            (
                *key,
                *(
                    format_number(curve[n - 1][name]) if n <= len(curve) else NO_VALUE
                    for n in clicks
                ),
            )
            for key, curve in curves.items()
        )
        header = ("System", "Prompt", *(str(n) for n in clicks))
        found.append(ReportTable(f"{name} after so many clicks", header, rows))
    return found


def _times(report: Report) -> ReportTable:
    """Durations of the models' predictions; encoding only where it was not cached."""
    rows = []
    for system, prompt in dict.fromkeys((r.system, r.prompt) for r in report.measured):
        own = [
            row
            for row in report.measured
            if (row.system, row.prompt) == (system, prompt) and row.device
        ]
        encoded = [row.encode_ms for row in own if row.encode_ms]
        for device in dict.fromkeys(row.device for row in own):
            clicks = [row.click_ms for row in own if row.device == device]
            encode = f"{fmean(encoded):.0f}" if encoded else NO_VALUE
            rows.append((system, prompt, device, encode, f"{fmean(clicks):.0f}"))
    header = ("System", "Prompt", "Device", "Encode an image, ms", "Answer, ms")
    return ReportTable("Time", header, tuple(rows), 3)


def _worst(report: Report) -> ReportTable:
    measure = main_metric(report)
    rows = tuple(
        (row.case, row.system, row.prompt, format_number(row.metrics[measure]))
        for row in report.worst(measure)[:MAX_WORST]
    )
    header = ("Case", "System", "Prompt", measure)
    return ReportTable(f"Worst by {measure}", header, rows, 3)


def main_metric(report: Report) -> str:
    """The metric for the worst rows: SAD, or IoU for masks."""
    return "IoU" if _is_mask_report(report) else "SAD"


def _is_mask_report(report: Report) -> bool:
    return report.config.options.get("truth") == "masks"


def failures(report: Report) -> tuple[tuple[str, str], ...]:
    """The failed rows or the file concerned, and the error."""
    listed: dict[tuple[str, str], list[str]] = {}
    for row in report.failed:
        # One unreadable file fails a case for every system and prompt.
        listed.setdefault((row.case, row.error), []).append(
            f"{row.system}, {row.prompt}"
        )
    rows = [
        (f"{case} ({who[0] if len(who) == 1 else f'{len(who)} rows'})", error)
        for (case, error), who in listed.items()
    ]
    own = [(report.config.dataset, problem) for problem in report.config.problems]
    return (*own, *rows)


def format_number(value: float | None) -> str:
    """A mean with the digits that tables of this field print."""
    return (
        NO_VALUE
        if value is None
        else f"{value:.4f}"
        if abs(value) < 1e5
        else f"{value:.0f}"
    )
