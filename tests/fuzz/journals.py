"""Journals of batches and evaluations, from which runs resume."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

from tests.fuzz.mutation import hostile_json, mutate_bytes
from tests.fuzz.reader import Reader
from zim_app.core.batch import journal as batch
from zim_app.core.session_store import FileStamp
from zim_model.errors import msg
from zim_model.evaluation import journal as evaluation


def _write_lines(rng: Random, path: Path, rows: list[Any]) -> None:
    """A journal, of which one line or more are hostile, or all bytes."""
    lines = [json.dumps(row).encode() for row in rows]
    for _ in range(rng.choice((1, 1, 2, 4))):
        at = rng.randrange(len(rows))
        lines[at] = hostile_json(rng, rows[at])
    if rng.random() < 0.2:
        lines.insert(rng.randrange(len(lines)), rng.choice(lines))
    data = b"\n".join(lines) + (b"\n" if rng.random() < 0.8 else b"")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(mutate_bytes(rng, data) if rng.random() < 0.1 else data)


# -- Batches ---------------------------------------------------------------------------


def _make_batch(rng: Random, folder: Path) -> Path:
    stamp = FileStamp(1_700_000_000_000_000_000, 123)
    row = batch.BatchRow("a.png", "done", "box", outputs=("a-cutout.png",), score=0.9)
    output = batch.Output("a-cutout.png", stamp)
    record = batch.BatchRecord(row, stamp, "0" * 32, "1" * 32, "f", (output,))
    at = 1.7e9
    rows = [
        {"version": batch.VERSION},
        {"at": at, "begun": "a.png", "outputs": ["a-cutout.png"]},
        {"at": at + 1, **batch._record_to_json(record)},
        {"at": at + 2, "begun": "b.png", "outputs": ["b-cutout.png"]},
    ]
    _write_lines(rng, folder / batch.FOLDER / "journal-1-ab.jsonl", rows)
    (folder / "a-cutout.png").write_bytes(b"x")
    return folder


def _read_batch(folder: Path) -> None:
    from zim_app.core.batch.reports import merge_folders

    opened = batch.BatchJournal(folder)
    for record in opened.records.values():
        record.is_complete("f", folder)
        for path in record.owned:
            record.may_replace(path, folder)
    merge_folders([folder], folder / "merged")


# -- Evaluations -----------------------------------------------------------------------


def _make_evaluation(rng: Random, folder: Path) -> Path:
    config = evaluation.RunConfig(
        *("MicroMat3K", "micromat", {"zim-tiny": "f"}, ("box", "clicks:2")),
        *({"upsampling": "guided"}, 2, ("a problem",)),
    )
    metrics = {"SAD": 1.5, "MSE": 0.25, "IoU": 0.9}
    prompts = {"points": [[1, 2, 1]], "box": None, "scribbles": []}
    key = ("zim-tiny", "fine/0001", "clicks:2", "d" * 16, "fine", 0.1)
    good = evaluation.EvaluationRow(*key, metrics, (metrics, metrics), prompts)
    error = msg("{path} is no image.", path="a.png")
    bad = evaluation.EvaluationRow("zim-tiny", "fine/2", "box", "d", error=error)
    header = {"format": evaluation.FORMAT, "config": _plain(config)}
    another = ("zim-tiny", "coarse/1", *key[2:])
    other = evaluation.EvaluationRow(*another, metrics, (metrics,))
    rows = [header, good.to_json(), other.to_json(), bad.to_json()]
    _write_lines(rng, folder / "rows.jsonl", rows)
    return folder


def _plain(config: Any) -> Any:
    from dataclasses import asdict

    return json.loads(json.dumps(asdict(config)))


def _read_evaluation(folder: Path) -> None:
    from zim_model.evaluation.report import Report
    from zim_model.evaluation.report_formats import write_report

    config, rows = evaluation.merge_journals(evaluation.find_journals(folder))
    for row in rows.values():
        json.dumps(row.to_json(), allow_nan=False)
    for system in config.systems:
        config.model_options(system)
    expected = config.cases * len(config.systems) * len(config.prompts)
    report = Report.from_rows(config, rows.values(), expected, folder)
    write_report(report, folder / "report")


READERS = (
    Reader("batch-journal", _make_batch, _read_batch),
    Reader("evaluation-journal", _make_evaluation, _read_evaluation),
)
