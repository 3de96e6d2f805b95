"""A report as one self-contained HTML page: tables, curves and images."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from html import escape

import cv2
import numpy as np

from zim_model.arrays import ByteArray
from zim_model.errors import ZimError
from zim_model.evaluation.bars import bars, has_modes
from zim_model.evaluation.curves import Line, panel, panels
from zim_model.evaluation.datasets import Case, Dataset
from zim_model.evaluation.journal import EvaluationRow
from zim_model.evaluation.reading import read_image, read_matte, read_truth
from zim_model.evaluation.report import Report
from zim_model.evaluation.scoring import THUMBNAILS, image_path, shrink
from zim_model.evaluation.systems import PromptKind
from zim_model.evaluation.tables import (
    ReportTable,
    failures,
    format_number,
    main_metric,
    notes,
    report_heading,
    tables,
)

MAX_CASES = 12
"""Worst cases with images."""
SIDE = 300
"""Longer side, in pixels, of an image on the page."""
_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem;
  padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2.2rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { border-bottom: 1px solid var(--line); padding: .25rem .7rem;
  text-align: left; }
td.n, th.n { text-align: right; white-space: nowrap; }
tr:hover td { background: var(--soft); }
.scroll { overflow-x: auto; } .published td { font-style: italic; opacity: .8; }
.charts { display: flex; flex-wrap: wrap; gap: 1.5rem; }
.case { display: grid; grid-template-columns: repeat(4, 1fr); gap: .5rem;
  margin: 1rem 0; }
.case p { grid-column: 1 / -1; margin: 0; } figure { margin: 0; }
figure img { width: 100%; display: block; border: 1px solid var(--line); }
figcaption, .note { font-size: .85rem; opacity: .75; }
svg text { fill: currentColor; font-size: 11px; }
"""


def to_html(report: Report, dataset: Dataset | None = None) -> str:
    """The page.

    Args:
        dataset: whose images it shows; without it there are none.
    """
    parts = [
        f"<h1>Evaluation of {escape(report.config.dataset)}</h1>",
        f"<p>{escape(report_heading(report))}</p>",
        *(f'<p class="note">{escape(note)}</p>' for note in notes(report)),
        *map(_table, tables(report)),
        _bars(report),
        _charts(report),
        *_worst(report, dataset),
        _failures(report),
    ]
    title = escape(f"{report.config.dataset} – evaluation")
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title><style>{_STYLE}</style></head>\n<body>\n"
        + "\n".join(part for part in parts if part)
        + "\n</body></html>\n"
    )


def _table(table: ReportTable) -> str:
    def line(tag: str, cells: Sequence[str], number: int = -1) -> str:
        return "".join(
            f"<{tag}{'' if i < table.texts else ' class=n'}>"
            + (
                f"<b>{escape(cell)}</b>"
                if (number, i) in table.marked
                else escape(cell)
            )
            + f"</{tag}>"
            for i, cell in enumerate(cells)
        )

    rows = "\n".join(
        f"<tr>{line('td', row, i)}</tr>" for i, row in enumerate(table.rows)
    )
    kind = ' class="published"' if "published" in table.title else ""
    return (
        f'<h2>{escape(table.title)}</h2><div class="scroll"><table{kind}>\n'
        f"<tr>{line('th', table.header)}</tr>\n{rows}\n</table></div>"
    )


def _failures(report: Report) -> str:
    wrong = failures(report)
    if not wrong:
        return ""
    rows = "\n".join(
        f"<li><b>{escape(case)}</b>: {escape(why)}</li>" for case, why in wrong
    )
    return f"<h2>Not measured ({len(wrong)})</h2><ul>\n{rows}\n</ul>"


# --- bars -----------------------------------------------------------------------------


def _bars(report: Report) -> str:
    if not has_modes(report):
        return ""
    return f"<h2>Mean IoU by prompting mode</h2>{bars(report)}"


# --- curves ---------------------------------------------------------------------------


def _charts(report: Report) -> str:
    charts = [
        f"<div>{panel(lines, metric)}{''.join(map(_legend, lines))}</div>"
        for metric, lines in panels(report).items()
    ]
    if not charts:
        return ""
    return f'<h2>Error against clicks</h2><div class="charts">{"".join(charts)}</div>'


def _legend(line: Line) -> str:
    sign = "┅" if line.published else "■"
    return (
        f'<div class="note"><span style="color:{line.colour}">{sign}</span> '
        f"{escape(line.name)}</div>"
    )


# --- images -------------------------------------------------------------------------


def _worst(report: Report, dataset: Dataset | None) -> Iterator[str]:
    if dataset is None:
        return
    cases = {case.name: case for case in dataset.cases}
    measure = main_metric(report)
    selected = 0
    for row in report.worst(measure):
        images = _case_images(report, row, cases.get(row.case))
        if not images:
            continue
        if not selected:
            yield f"<h2>Worst cases by {escape(measure)}</h2>"
        figures = "".join(
            f'<figure><img src="{_data_url(pixels)}" alt="{name}">'
            f"<figcaption>{name}</figcaption></figure>"
            for name, pixels in images.items()
        )
        caption = (
            f"<b>{escape(row.case)}</b> {escape(row.system)}, {escape(row.prompt)}: "
            f"{escape(measure)} {format_number(row.metrics[measure])}"
        )
        yield f'<div class="case"><p>{caption}</p>{figures}</div>'
        selected += 1
        if selected == MAX_CASES:
            return


def _case_images(
    report: Report, row: EvaluationRow, case: Case | None
) -> dict[str, ByteArray]:
    """The images of a row by name; none where a file is missing."""
    kind = PromptKind.parse(row.prompt).folder
    paths = [
        image_path(folder, THUMBNAILS, row.system, kind, row.case)
        for folder in report.folders
    ]
    path = next((path for path in paths if path.is_file()), None)
    if case is None or path is None:
        return {}
    try:
        image = read_image(case.image, report.config.window)
        matte = (read_matte(path) >> 8).astype(np.uint8)
        truth = (read_truth(case) >> 8).astype(np.uint8)
    except ZimError:
        return {}
    marked = draw_prompts(image, row)
    small = [shrink(pixels, SIDE) for pixels in (marked, matte, truth)]
    size = small[2].shape[1], small[2].shape[0]
    small[1] = np.asarray(cv2.resize(small[1], size), np.uint8)
    return {
        "image": small[0],
        "prediction": small[1],
        "truth": small[2],
        "difference: red too much, blue too little": difference(small[1], small[2]),
    }


def difference(predicted: ByteArray, target: ByteArray) -> ByteArray:
    """Signed difference of two mattes (H, W), (H, W, 3) RGB: excess red, lack blue."""
    gap = predicted.astype(np.int16) - target
    out = np.full((*gap.shape, 3), 255, np.int16)
    out[..., 1] -= np.abs(gap)
    out[..., 0] -= np.clip(-gap, 0, 255)
    out[..., 2] -= np.clip(gap, 0, 255)
    return out.astype(np.uint8)


def draw_prompts(image: ByteArray, row: EvaluationRow) -> ByteArray:
    """A copy of an image (H, W, 3) RGB with a row's prompts drawn on it."""
    marked = np.array(image)
    scale = max(1, round(max(image.shape[:2]) / SIDE))
    boxes = [each.box for each in row.prompt_sets if each.box is not None]
    for box in boxes:
        corners = (int(box.x0), int(box.y0)), (int(box.x1), int(box.y1))
        cv2.rectangle(marked, *corners, (255, 200, 0), 2 * scale)
    for point in (point for each in row.prompt_sets for point in each.points):
        place = int(point.x), int(point.y)
        cv2.circle(marked, place, 5 * scale, (255, 255, 255), -1, cv2.LINE_AA)
        colour = (30, 160, 60) if point.positive else (210, 40, 40)
        cv2.circle(marked, place, 4 * scale, colour, -1, cv2.LINE_AA)
    return marked


def _data_url(pixels: ByteArray) -> str:
    """An image as a ``data:`` address."""
    selected = pixels if pixels.ndim == 2 else pixels[..., ::-1]
    content = cv2.imencode(".jpg", selected, [cv2.IMWRITE_JPEG_QUALITY, 85])[
        1
    ].tobytes()
    return f"data:image/jpeg;base64,{base64.b64encode(content).decode()}"
