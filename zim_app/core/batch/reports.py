"""Reports of a batch: a CSV table, and contact sheets of thumbnails."""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from zim_app.core.batch.journal import FOLDER, BatchRow, read_records
from zim_app.core.batch.plan import BatchPlan
from zim_app.core.batch.writing import REPORT, SHEET, THUMBNAIL_SIDE, thumbnail_path
from zim_app.core.folders import natural_key
from zim_model.errors import ZimError, msg
from zim_model.runtime.atomic_files import atomic_write, describe_os_error, write_error
from zim_model.runtime.jobs import Shard
from zim_model.runtime.spreadsheet import literal_cell

COLUMNS, LINES = 8, 25
"""Columns and lines of thumbnails on one sheet."""
MARGIN, CAPTION, CHECK = 10, 34, 10
"""Pixels around a thumbnail, of the text below it, and of a square of the
checkerboard."""
PAPER, INK, ALARM = (245, 245, 245), (40, 40, 40), (178, 34, 34)


def write_reports(plan: BatchPlan, rows: Iterable[BatchRow]) -> list[Path]:
    """Write the table and the contact sheets of a finished batch.

    For a shard, the rows that other shards have written to the same output folder so
    far are included.

    Args:
        plan: of the batch.
        rows: of the processed images.

    Returns:
        The files; none if there are no rows, as of a watch that no photo came to.

    Raises:
        ZimError: a file cannot be written.
    """
    by_image = {row.image: row for row in rows}
    if plan.shard != Shard():
        for name, record in read_records([plan.output]).items():
            if record.row is not None:
                by_image.setdefault(name, record.row)
    ordered = sort_rows(by_image.values())
    if not ordered:
        return []
    return write_report_files(plan.output, [(plan.output, row) for row in ordered])


def merge_folders(
    folders: Sequence[Path], output: Path
) -> tuple[list[BatchRow], list[Path]]:
    """Join the journals of several output folders into one report.

    Args:
        folders: output folders of batches, or of shards of one.
        output: folder of the table and the sheets; made if it does not exist.

    Returns:
        The rows, and the files that were written.

    Raises:
        ZimError: a folder has no journal, a journal cannot be read, or a file
            cannot be written.
    """
    rows: dict[str, tuple[Path, BatchRow]] = {}
    for folder in folders:
        if not (folder / FOLDER).is_dir():
            raise ZimError(
                msg("No batch was written to {folder}.", folder=folder),
                msg("Give the output folders of batches."),
            )
        for name, record in read_records([folder]).items():
            # Of an image in two journals, the successful row is reported.
            if record.row is not None and _is_preferred(record.row, rows.get(name)):
                rows[name] = (folder, record.row)
    order = [rows[row.image] for row in sort_rows(row for _, row in rows.values())]
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason, cure = describe_os_error(error)
        raise ZimError(
            msg("{output} cannot be made: {reason}.", output=output, reason=reason),
            cure,
        ) from error
    return [row for _, row in order], write_report_files(output, order)


def _is_preferred(row: BatchRow, other: tuple[Path, BatchRow] | None) -> bool:
    return other is None or (row.state == "done" and other[1].state != "done")


def sort_rows(rows: Iterable[BatchRow]) -> list[BatchRow]:
    """Sort rows by image path, in natural order, folder by folder."""
    return sorted(rows, key=lambda row: list(map(natural_key, row.image.split("/"))))


def count_states(rows: Iterable[BatchRow]) -> dict[str, int]:
    """Number of rows of each state."""
    result = dict.fromkeys(("done", "kept", "skipped", "failed"), 0)
    for row in rows:
        result[row.state] += 1
    return result


def write_report_files(
    output: Path, rows: Sequence[tuple[Path, BatchRow]]
) -> list[Path]:
    """Write the table and the contact sheets.

    Args:
        output: the folder to write to.
        rows: each with the output folder of its results.

    Raises:
        ZimError: a file cannot be written.
    """
    table = output / REPORT
    _write(table, lambda stream: stream.write(to_csv(row for _, row in rows)))
    sheets = []
    per_sheet = COLUMNS * LINES
    for number, start in enumerate(range(0, len(rows), per_sheet), 1):
        sheet = make_contact_sheet(rows[start : start + per_sheet])
        name = SHEET if len(rows) <= per_sheet else f"{SHEET}-{number:02}"
        path = output / f"{name}.jpg"
        _write(path, partial(_save_jpeg, Image.fromarray(sheet)))
        sheets.append(path)
    return [table, *sheets]


def to_csv(rows: Iterable[BatchRow]) -> bytes:
    """Rows as CSV in UTF-8, one line per image, files and notes joined by ``; ``."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(BatchRow.keys())
    for row in rows:
        values = (getattr(row, each.name) for each in fields(row))
        texts = ("; ".join(v) if isinstance(v, tuple) else v for v in values)
        writer.writerow(map(literal_cell, texts))
    # Names of files may be no text in UTF-8.
    return text.getvalue().encode("utf-8", "backslashreplace")


def make_contact_sheet(rows: Sequence[tuple[Path, BatchRow]]) -> np.ndarray:
    """Thumbnails over a checkerboard, with their names, as (H, W, 3) uint8."""
    side = THUMBNAIL_SIDE
    cell = side + 2 * MARGIN, side + MARGIN + CAPTION
    columns = min(COLUMNS, max(1, len(rows)))
    size = columns * cell[0], max(1, -(-len(rows) // columns)) * cell[1]
    sheet = Image.new("RGB", size, PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(12)
    for number, (output, row) in enumerate(rows):
        left = number % columns * cell[0] + MARGIN
        top = number // columns * cell[1] + MARGIN
        thumbnail = _thumbnail(output, row)
        if thumbnail is None:
            box = (left, top, left + side - 1, top + side - 1)
            draw.rectangle(box, outline=ALARM)
            middle = (left + side / 2, top + side / 2)
            draw.text(middle, row.state, ALARM, font, anchor="mm")
        else:
            across = left + (side - thumbnail.width) // 2
            sheet.paste(thumbnail, (across, top + (side - thumbnail.height) // 2))
        name = _elide(row.image.rpartition("/")[2], side, font)
        colour = ALARM if row.state == "failed" else INK
        draw.text((left + side / 2, top + side + 4), name, colour, font, anchor="ma")
    return np.asarray(sheet)


def _thumbnail(output: Path, row: BatchRow) -> Image.Image | None:
    """The thumbnail of a result, over a checkerboard; None if there is none."""
    if row.state not in ("done", "kept"):
        return None
    with contextlib.suppress(Exception):  # a damaged file counts as missing
        with Image.open(thumbnail_path(output, row.image), formats=("PNG",)) as image:
            image.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
            cut = image.convert("RGBA")
        ground = Image.fromarray(checkerboard(cut.height, cut.width)).convert("RGBA")
        return Image.alpha_composite(ground, cut).convert("RGB")
    return None


def checkerboard(height: int, width: int) -> np.ndarray:
    """Light and dark squares, (H, W, 3) uint8."""
    rows, columns = np.arange(height) // CHECK, np.arange(width) // CHECK
    dark = (rows[:, None] + columns) % 2
    return np.repeat(np.where(dark, 190, 235).astype(np.uint8)[..., None], 3, axis=2)


def _elide(
    name: str, width: int, font: ImageFont.FreeTypeFont | ImageFont.ImageFont
) -> str:
    """A name, with its middle elided if it is wider than ``width`` pixels."""
    length = len(name)
    short = name
    while font.getlength(short) > width and length > 2:
        length -= 1
        short = f"{name[: (length + 1) // 2]}...{name[len(name) - length // 2 :]}"
    return short


def _save_jpeg(image: Image.Image, stream: IO[bytes]) -> None:
    image.save(stream, "JPEG", quality=90)


def _write(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    try:
        with atomic_write(path) as stream:
            write(stream)
    except OSError as error:
        raise write_error(path, error) from error
