"""The journal of a batch: a record of results, from which runs resume.

Every run appends to a file of its own (see :mod:`zim_model.runtime.journal`) in a
subfolder of the output folder; together they are the journal.  So several machines can
share one output folder, and shards are merged by reading all files.

Lines are ordered by the order of appending: ``at`` is the time, or just more than that
of the latest line read, if the clock was set back since.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import secrets
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from os.path import isfile
from pathlib import Path
from typing import Any, Literal, get_args, get_type_hints

from zim_app.core.session_store import FileStamp
from zim_model.errors import MALFORMED, ZimError, msg
from zim_model.json_values import is_number
from zim_model.runtime.journal import JournalWriter, read_lines

FOLDER = ".zim-batch"
"""Subfolder of the output folder with the journal and thumbnails of the results."""
VERSION = 1

LATEST = 1e11
"""Seconds since 1970 beyond which a time is malformed."""
_KEYS = {"image": "picture"}
"""Fields of :class:`BatchRow` that journals and reports store under another key."""

State = Literal["done", "kept", "skipped", "failed"]
"""Made by this run, made by an earlier run, no prompts, or an error."""


@dataclass(frozen=True, slots=True)
class Output:
    """A file that was written.

    Attributes:
        path: relative to the output folder, with slashes.
        stamp: when it was written, to detect later changes.
    """

    path: str
    stamp: FileStamp


@dataclass(frozen=True, slots=True)
class BatchRow:
    """The result of one image; a line of the report.

    Attributes:
        image: :attr:`Job.relative`.
        state: see :data:`State`.
        prompts: the :data:`~.prompt_sources.PromptSource` of its prompts.
        message: why it failed or was skipped.
        hint: advice for the user.
        outputs: files, relative to the output folder.
        objects: number of written objects.
        width: of the image in pixels.
        height: of the image in pixels.
        model: name of the model; several are joined by commas.
        device: that the model ran on.
        read_ms: milliseconds to read and decode the image.
        encode_ms: to encode it; 0 if its features were cached.
        click_ms: for everything else in the engine.
        write_ms: to compute the files' pixels, and to write and verify them.
        coverage: mean of alpha over the image, 0 to 1.
        soft: fraction of soft pixels among those with alpha > 0, 0 to 1; large for
            uncertain mattes and for hair.
        score: the IoU that the model predicts, the least of all objects.
        notes: degradation notices of the engine and of the export, and what of the
            file was unusable.
    """

    image: str
    state: State
    prompts: str = ""
    message: str = ""
    hint: str = ""
    outputs: tuple[str, ...] = ()
    objects: int = 0
    width: int = 0
    height: int = 0
    model: str = ""
    device: str = ""
    read_ms: float = 0.0
    encode_ms: float = 0.0
    click_ms: float = 0.0
    write_ms: float = 0.0
    coverage: float = 0.0
    soft: float = 0.0
    score: float = 0.0
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain values under the stored keys; lists in place of tuples."""
        values = {_KEYS.get(name, name): value for name, value in asdict(self).items()}
        return values | {
            "outputs": list(self.outputs),
            "notes": list(self.notes),
        }

    @staticmethod
    def keys() -> list[str]:
        """Names of the fields as journals and reports have them."""
        return [_KEYS.get(each.name, each.name) for each in fields(BatchRow)]


@dataclass(frozen=True, slots=True)
class BatchRecord:
    """The journal's record of one image.

    Attributes:
        row: the latest result; None if there is none yet.
        stamp: of the image's file at that time.
        content: digest of the image's file at that time.
        key: :attr:`Image.key`.
        fingerprint: of prompts, models and export options.
        outputs: files of the latest result.
        owned: all files that were ever written for this image, with their stamps; None
            for a file whose writing was started but not recorded as finished.
    """

    row: BatchRow | None = None
    stamp: FileStamp | None = None
    content: str = ""
    key: str = ""
    fingerprint: str = ""
    outputs: tuple[Output, ...] = ()
    owned: Mapping[str, FileStamp | None] = field(default_factory=dict)

    def is_complete(self, fingerprint: str, folder: Path) -> bool:
        """Whether the result for that fingerprint was made and all files exist."""
        return (
            self.row is not None
            and self.row.state == "done"
            and self.fingerprint == fingerprint
            and bool(self.outputs)
            and all(isfile(folder / output.path) for output in self.outputs)
        )

    def may_replace(self, path: str, folder: Path) -> bool:
        """Whether a file was written by a batch for this image and is unchanged."""
        stamp = self.owned.get(path)
        return path in self.owned and stamp in (
            None,
            FileStamp.from_path(folder / path),
        )


class BatchJournal:
    """The journal in an output folder: its earlier records, and appending new ones.

    Nothing is written before the first record.  Any thread may append.

    Args:
        output: the output folder.

    Attributes:
        records: by relative path of the image, as of the time of opening.

    Raises:
        ZimError: it cannot be read.
    """

    def __init__(self, output: Path) -> None:
        lines = _read_ordered([output])
        self.records = _records_of(lines)
        self._latest = _time_of(lines[-1]) if lines else 0.0
        self._folder = output / FOLDER
        self._writer: JournalWriter | None = None
        self._lock = threading.Lock()

    def record_start(
        self, image: str, outputs: Iterable[str], lost: str | None = None
    ) -> None:
        """Record which files are about to be written for an image.

        Args:
            image: relative path of the image.
            outputs: paths relative to the output folder.
            lost: a path that was recorded before, but that another program has taken.

        Raises:
            ZimError: the journal cannot be written.
        """
        line = {"begun": image, "outputs": list(outputs)}
        self._append(line if lost is None else {**line, "lost": lost})

    def record_end(self, record: BatchRecord) -> None:
        """Record the result of an image.

        Raises:
            ZimError: the journal cannot be written.
        """
        self._append(_record_to_json(record))

    def close(self) -> None:
        """Close the file; the next append makes another."""
        with self._lock:
            if self._writer is not None:
                self._writer.close()
                self._writer = None

    def _append(self, data: dict[str, Any]) -> None:
        with self._lock:
            if self._writer is None:
                name = f"journal-{time.time_ns()}-{secrets.token_hex(4)}.jsonl"
                self._writer = JournalWriter(self._folder / name, locked=False)
                self._writer.append({"version": VERSION})
            self._latest = max(time.time(), math.nextafter(self._latest, math.inf))
            self._writer.append({"at": self._latest, **data})


def read_records(outputs: Iterable[Path]) -> dict[str, BatchRecord]:
    """Records of the journals of output folders, by relative path of the image.

    Malformed lines, as of a machine that died while writing, are skipped.

    Raises:
        ZimError: a journal cannot be read, or is of a newer version.
    """
    return _records_of(_read_ordered(outputs))


def _read_ordered(outputs: Iterable[Path]) -> list[dict[str, Any]]:
    """The lines of all journals of output folders, in the order of appending."""
    lines: list[dict[str, Any]] = []
    for output in outputs:
        for path in sorted((output / FOLDER).glob("journal-*.jsonl")):
            lines += _parse(path)
    return sorted(lines, key=_time_of)


def _time_of(line: dict[str, Any]) -> float:
    return float(line["at"])


def _records_of(lines: Iterable[dict[str, Any]]) -> dict[str, BatchRecord]:
    records: dict[str, BatchRecord] = {}
    for line in lines:
        with contextlib.suppress(*MALFORMED):
            if "begun" in line:
                name, files = str(line["begun"]), map(str, line["outputs"])
                old = records.get(name, BatchRecord())
                owned = {**old.owned, **dict.fromkeys(files)}
                owned.pop(str(line.get("lost")), None)
                records[name] = replace(old, owned=owned)
            else:
                record = _record_from_json(line)
                assert record.row is not None
                name = record.row.image
                records[name] = _merge_records(records.get(name, BatchRecord()), record)
    return records


def _merge_records(old: BatchRecord, new: BatchRecord) -> BatchRecord:
    """The newer record, with the files of the older one still owned."""
    owned = {**old.owned, **{each.path: each.stamp for each in new.outputs}}
    if new.outputs:
        return replace(new, owned=owned)
    return replace(new, owned=owned, outputs=old.outputs)


def _parse(path: Path) -> Iterator[dict[str, Any]]:
    for line in read_lines(path):
        try:
            data = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if not isinstance(data, dict):
            continue
        if data.get("version", VERSION) != VERSION:
            raise ZimError(
                msg(
                    "{path} has the version {version!r}; known is {newest}.",
                    path=path,
                    version=data["version"],
                    newest=VERSION,
                ),
                msg(
                    "Use the newer zim-studio that wrote it, or another output folder."
                ),
            )
        at = data.get("at")
        if isinstance(at, int | float) and 0 <= at < LATEST:
            yield data


def _record_to_json(record: BatchRecord) -> dict[str, Any]:
    assert record.row is not None
    stamp = record.stamp
    return {
        "row": record.row.to_json(),
        "stamp": None if stamp is None else [stamp.modified_ns, stamp.size],
        "content": record.content,
        "key": record.key,
        "fingerprint": record.fingerprint,
        "outputs": [
            [o.path, o.stamp.modified_ns, o.stamp.size] for o in record.outputs
        ],
    }


def _record_from_json(data: dict[str, Any]) -> BatchRecord:
    names = zip(BatchRow.keys(), (each.name for each in fields(BatchRow)), strict=True)
    values = {name: data["row"][key] for key, name in names if key in data["row"]}
    values["outputs"] = tuple(map(str, values["outputs"]))
    values["notes"] = tuple(map(str, values.get("notes", ())))
    row = BatchRow(**values)
    if row.state not in get_args(State) or not _is_well_typed(row):
        raise ValueError(row.state)
    stamp = data["stamp"]
    return BatchRecord(
        row,
        None if stamp is None else FileStamp(int(stamp[0]), int(stamp[1])),
        str(data["content"]),
        str(data["key"]),
        str(data["fingerprint"]),
        tuple(Output(str(p), FileStamp(int(m), int(s))) for p, m, s in data["outputs"]),
    )


def _is_well_typed(row: BatchRow) -> bool:
    """Whether the texts of a row are texts and its numbers finite numbers."""
    for name, kind in get_type_hints(BatchRow).items():
        value = getattr(row, name)
        if kind is str and not isinstance(value, str):
            return False
        if kind in (int, float) and not is_number(value):
            return False
    return True


def content_digest(path: Path) -> str:
    """Hexadecimal digest of a file's bytes, or of all files in a folder.

    Raises:
        OSError: it cannot be read.
    """
    digest = hashlib.blake2b(digest_size=16)
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    for file in files:
        if file.is_file():
            with file.open("rb") as stream:
                while block := stream.read(1 << 20):
                    digest.update(block)
    return digest.hexdigest()
