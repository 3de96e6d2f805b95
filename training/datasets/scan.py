"""A look at all files of the data before the first step: headers, ends, sizes, pairs.

Only files that seem cut off are decoded; what is damaged inside is met by the samples.
What headers say is cached by path, size and time of change, so that a further run of
the same data begins at once.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import warnings
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import platformdirs
from PIL import Image
from tqdm import tqdm

from training.datasets.layouts import DatasetEntry, Labels
from training.datasets.table import REGION_KINDS, TrainingData
from training.reading import read_photo
from zim_app.core.decoders.base import ORIENTATION
from zim_model.errors import MALFORMED, ImageError, ZimError
from zim_model.evaluation.reading import lossy_compression, lossy_error
from zim_model.runtime.atomic_files import atomic_write, describe_os_error

SHOWN = 20
"""Most faults on the screen; all are in the file FAULT_FILE of the run."""
FAULT_FILE = "faults.txt"
CACHE_VERSION = 2
ENDS = {"JPEG": b"\xff\xd9", "PNG": b"\0\0\0\0IEND\xaeB`\x82"}
"""Last bytes of whole files; those of others are decoded to know."""
LABEL_KINDS = (*REGION_KINDS, *(kind for kind in get_args(Labels) if kind != "matte"))
"""Kinds of targets whose numbers are regions or classes."""
Row = tuple[str, str, Path, Path]
"""Source, kind of the target, image and target."""


@dataclass(frozen=True, slots=True)
class Scan:
    """What the files of the data look like.

    Attributes:
        faults: what is wrong, by file, in the order of the data.
        files: number of files.
        digest: of the names and sizes of all files, hexadecimal; equal ones mean the
            same data, wherever it lies.
    """

    faults: dict[Path, str]
    files: int
    digest: str


def scan_data(data: TrainingData, *, quiet: bool = False) -> Scan:
    """Look at all files of ``data``.

    Args:
        data: see :func:`training.datasets.table.open_data`.
        quiet: without a progress bar.
    """
    rows = [
        (pool.name, pool.kind, *pair)
        for pool, pair in data.files()
        if pool.kind != "procedural"
    ]
    return scan_pairs(rows, quiet=quiet)


def scan_entries(
    sets: Mapping[str, Sequence[DatasetEntry]], *, quiet: bool = False
) -> Scan:
    """Look at all files of published data sets, by the names of these."""
    rows = [
        (name, each.labels, each.image, each.target)
        for name, entries in sets.items()
        for each in entries
    ]
    return scan_pairs(rows, quiet=quiet)


def scan_pairs(rows: Iterable[Row], *, quiet: bool = False) -> Scan:
    """Look at pairs of image and target; see :class:`Scan`."""
    rows = list(rows)
    headers = _Headers(_cache_file(rows))
    faults: dict[Path, str] = {}
    digest = hashlib.sha256()
    files: set[Path] = set()
    for source, kind, image, target in tqdm(
        rows, desc="looking at the data", unit="pair", leave=False, disable=quiet
    ):
        for path in dict.fromkeys((image, target)):
            if path not in files:
                files.add(path)
                told = f"{source}/{path.name}\0{headers.size_of(path)}\0"
                digest.update(told.encode("utf-8", "surrogateescape"))
        if fault := _fault(headers, kind, image, target):
            faults[target] = fault
    headers.save()
    return Scan(faults, len(files), digest.hexdigest()[:16])


def _fault(headers: _Headers, kind: str, image: Path, target: Path) -> str:
    """What is wrong with a pair, or ""."""
    try:
        shape, shape_of_target = headers.shape(image), headers.shape(target)
        if shape != shape_of_target:  # or a late chunk of the file turns the image
            height, width = read_photo(image).shape[:2]
            shape = (height, width)
    except ImageError as error:
        return error.message
    if shape != shape_of_target:
        return (
            f"{target} is {_text(shape_of_target)} pixels, but {image.name} is"
            f" {_text(shape)}."
        )
    if kind in LABEL_KINDS and (lossy := headers.lossy(target)):
        return lossy_error(target, lossy).text
    if kind in REGION_KINDS and headers.colours(target) > 1:
        return f"{target} is in colour, not a map of regions."
    return ""


def report_faults(
    scan: Scan, problems: Sequence[str], out: Path, *, fatal: bool
) -> None:
    """Print all faults at once and write them to FAULT_FILE.

    Args:
        scan: of the data.
        problems: further sentences, on files that are no pair.
        out: folder of the run.
        fatal: faults are an error.

    Raises:
        ZimError: there are faults, and they are fatal.
    """
    listed = [*dict.fromkeys(scan.faults.values()), *problems]
    path = out / FAULT_FILE
    if not listed:
        path.unlink(missing_ok=True)
        return
    with atomic_write(path) as file:
        text = "".join(f"{each}\n" for each in listed)
        file.write(text.encode("utf-8", "surrogateescape"))
    shown = [*listed[:SHOWN], *([f"... see {path}"] if len(listed) > SHOWN else [])]
    count = f"{len(listed)} {'fault' if len(listed) == 1 else 'faults'} in the data"
    if fatal:
        raise ZimError(
            "\n  ".join([f"{count}:", *shown]) + "\n",
            'Mend or remove them, or set faults = "skip".',
        )
    print("\n  ".join([f"{count}, skipped:", *shown]), file=sys.stderr)


class _Headers:
    """Sizes of files and what their headers say, remembered in a cache file."""

    def __init__(self, cache: Path) -> None:
        self.cache, self.changed = cache, False
        self.known: dict[str, list[object]] = {}
        self.used: dict[str, list[object]] = {}
        with suppress(OSError, *MALFORMED):
            stored = json.loads(cache.read_text("utf-8"))
            if stored["version"] == CACHE_VERSION:
                self.known = dict(stored["files"])

    def save(self) -> None:
        """Write the cache; a folder that cannot be written costs time only."""
        if not self.changed:
            return
        with suppress(OSError):
            self.cache.parent.mkdir(parents=True, exist_ok=True)
            stored = {"version": CACHE_VERSION, "files": self.used}
            with atomic_write(self.cache) as file:
                file.write(json.dumps(stored).encode("utf-8", "replace"))

    def size_of(self, path: Path) -> int:
        """Bytes of a file; -1 if it is missing."""
        size = self._row(path)[0]
        return size if isinstance(size, int) else -1

    def shape(self, path: Path) -> tuple[int, int]:
        """Height and width, upright.

        Raises:
            ImageError: the file cannot be used.
        """
        _, _, fault, height, width, *_ = self._row(path)
        if fault:
            raise ImageError(str(fault))
        return int(str(height)), int(str(width))

    def colours(self, path: Path) -> int:
        """Number of channels."""
        return int(str(self._row(path)[5]))

    def lossy(self, path: Path) -> str:
        """See :func:`zim_model.evaluation.reading.lossy_compression`."""
        return str(self._row(path)[6])

    def _row(self, path: Path) -> list[object]:
        """Size, time of change, fault, height, width, channels, lossy compression."""
        key = str(path)
        if key in self.used:
            return self.used[key]
        try:
            found = path.stat()
        except OSError as error:
            reason, _ = describe_os_error(error)
            row: list[object] = [
                -1,
                0,
                f"{path} cannot be read: {reason}.",
                0,
                0,
                0,
                "",
            ]
        else:
            row = self.known.get(key, [])
            if len(row) != 7 or row[:2] != [found.st_size, found.st_mtime_ns]:
                self.changed = True
                row = [found.st_size, found.st_mtime_ns, *_look(path)]
        self.used[key] = row
        return row


def _look(path: Path) -> tuple[str, int, int, int, str]:
    """The fault of a file or "", its height, width, channels, and lossy compression."""
    lossy = ""
    try:
        with warnings.catch_warnings():  # of Pillow, about large images
            warnings.simplefilter("ignore")
            opened = Image.open(path)
        with opened as file:
            channels, lossy = len(file.getbands()), lossy_compression(file)
            width, height = file.size
            # Of other formats only pixels further on tell it.
            turned = file.format == "JPEG" and file.getexif().get(ORIENTATION, 1) > 4
        whole = _has_end(path, file.format)
    except Exception:  # a format that Pillow does not read, or a damaged file
        whole, channels = False, 3
    if not whole:
        try:
            height, width = read_photo(path).shape[:2]
        except ZimError as error:
            return error.message, 0, 0, 0, ""
        return "", height, width, channels, lossy
    return "", *((width, height) if turned else (height, width)), channels, lossy


def _has_end(path: Path, kind: str | None) -> bool:
    """Whether a file ends as its format does; false for formats without an end."""
    with path.open("rb") as file:
        if kind == "WEBP":
            head = file.read(8)
            return path.stat().st_size >= int.from_bytes(head[4:], "little") + 8
        end = ENDS.get(kind or "")
        if end is None:
            return False
        file.seek(-min(len(end), path.stat().st_size), os.SEEK_END)
        return file.read() == end


def _cache_file(rows: Sequence[Row]) -> Path:
    """File for the headers of the data whose first files are those of ``rows``."""
    folders = sorted({str(image.parent) for _, _, image, _ in rows})
    name = hashlib.sha256("\0".join(folders).encode("utf-8", "replace")).hexdigest()
    folder = platformdirs.user_cache_path("zim-studio", appauthor=False)
    return folder / "training" / f"{name[:16]}.json"


def _text(shape: tuple[int, int]) -> str:
    return f"{shape[1]} x {shape[0]}"
