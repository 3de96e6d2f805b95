"""A report as tables and sentences of plain text, common to all formats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from zim_model.evaluation.journal import upsampling_key
from zim_model.evaluation.measures import METRICS
from zim_model.evaluation.report import ALL, MetricGroup, Report

SOURCE = "Kim et al., ZIM: Zero-Shot Image Matting for Anything, ICCV 2025, Table 1"
"""Of published metrics: MicroMat-3K, all ViT-B (arXiv 2411.00626)."""
MARK = "published"
SHOWN_CLICKS = (1, 2, 3, 5, 10, 15, 20, 30, 40, 50)
NO_VALUE = "–"
MAX_WORST = 20
FAMILIES = {
    "zim": "Errors as in ZIM's evaluation (whole image)",
    "dim": "Errors as at alphamatting.com",
    "mask": "Masks and outlines",
}
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
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    texts: int = 2


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
    return (
        "Means over rows, each object of each image with the same weight; rows that "
        "failed are left out. S, M and L: under 1 %, under 10 % and from 10 % of the "
        "image's area.",
        f"(DIM) errors count in: {region}.",
        f"Upsampling of the models' mattes: {_upsampling(report)}; "
        f"mirrored too: {options.get('mirrored', 'no')}.",
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
    first, second = (masks, mattes) if _is_mask_report(report) else (mattes, masks)
    found = [*first, *second, *_curves(report), _times(report), _worst(report)]
    return tuple(table for table in found if table.rows)


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
            *(format_number(group.means.get(name)) for name in names),
        )
        for group in groups
        if names
    )
    header = ("System", "Prompt", "Subset", "Size", "Rows", "Failed", *names)
    return _drop_constant_columns(ReportTable(title, header, rows, 4))


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
    )


def _published(report: Report) -> ReportTable:
    known = published_rows(report.config.layout)
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
    for name in ("IoU", "SAD", "MSE"):
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


# -- Published metrics ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """A row of a published table, for comparison beside computed ones.

    Attributes:
        system, prompt, subset: names, as in a :class:`~.report.Group`.
        means: by metric, as printed there.
    """

    system: str
    prompt: str
    subset: str
    means: Mapping[str, float]


_PUBLISHED_METRICS = ("SAD", "MSE", "MAE", "Grad", "Conn")
_FINE = {
    ("SAM", "point"): (68.076, 21.651, 23.307, 16.496, 67.730),
    ("SAM", "box"): (36.086, 11.057, 12.714, 14.867, 35.834),
    ("HQ-SAM", "point"): (110.681, 36.674, 38.331, 16.855, 110.421),
    ("HQ-SAM", "box"): (124.262, 42.457, 44.144, 13.673, 124.113),
    ("Matte-Any", "point"): (68.797, 20.844, 23.564, 8.118, 68.939),
    ("Matte-Any", "box"): (34.661, 9.746, 12.182, 7.021, 34.856),
    ("Matting-Any", "point"): (275.398, 77.335, 97.141, 20.019, 270.722),
    ("Matting-Any", "box"): (246.214, 68.372, 87.617, 19.185, 241.597),
    ("ZIM", "point"): (31.286, 8.213, 10.740, 5.324, 31.009),
    ("ZIM", "box"): (9.961, 1.893, 3.426, 4.813, 9.655),
}
_COARSE = {
    ("SAM", "point"): (17.093, 5.569, 5.756, 4.800, 17.035),
    ("SAM", "box"): (3.516, 1.044, 1.231, 2.551, 3.450),
    ("HQ-SAM", "point"): (18.842, 6.457, 6.645, 4.599, 18.792),
    ("HQ-SAM", "box"): (8.458, 2.733, 2.920, 2.472, 8.400),
    ("Matte-Any", "point"): (19.717, 6.053, 6.675, 2.633, 19.506),
    ("Matte-Any", "box"): (6.950, 1.983, 2.445, 2.142, 6.905),
    ("Matting-Any", "point"): (164.145, 36.187, 55.943, 23.244, 155.780),
    ("Matting-Any", "box"): (109.639, 23.780, 38.662, 15.841, 102.439),
    ("ZIM", "point"): (6.645, 1.788, 2.320, 1.469, 6.472),
    ("ZIM", "box"): (1.860, 0.448, 0.659, 1.281, 1.807),
}

MICROMAT = tuple(
    PublishedRow(
        system, prompt, subset, dict(zip(_PUBLISHED_METRICS, values, strict=True))
    )
    for subset, table in (("fine", _FINE), ("coarse", _COARSE))
    for (system, prompt), values in table.items()
)


def published_rows(layout: str) -> tuple[PublishedRow, ...]:
    """Published rows for data sets of a layout; often none."""
    return MICROMAT if layout == "micromat" else ()
