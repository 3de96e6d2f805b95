"""Opening the data of a run: a folder, a TOML file or shards, looked at as a whole."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from training.datasets.reading import PublishedPairSource, read_table
from training.datasets.scan import Scan, report_faults, scan_data, scan_entries
from training.datasets.table import DataEntry, TrainingData, no_images, open_data
from training.run_config import read_toml
from training.sa1b_matte.shards import MANIFEST as SHARD_MANIFEST

Source = TrainingData | PublishedPairSource | Path
"""A folder of images or a list of them; a table of published data sets; shards."""


@dataclass(frozen=True, slots=True)
class RunData:
    """The data of a run.

    Attributes:
        path: as it was given.
        source: what samples are drawn from, without unusable files.
        digest: see :class:`training.datasets.scan.Scan`; of shards, of their manifest.
        files: number of files; 0 for shards.
        entries: how each source is used: its weight, split and the like.
    """

    path: Path
    source: Source
    digest: str
    files: int = 0
    entries: tuple[dict[str, Any], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Where the data are, and what identifies them."""
        return {
            "path": str(self.path),
            "digest": self.digest,
            "files": self.files,
            "entries": list(self.entries),
        }


def open_run_data(
    folder: Path, named: Path, out: Path, *, fatal: bool, quiet: bool
) -> RunData:
    """Open data and look at all files; unusable ones are told at once and left out.

    Args:
        folder: training folder, TOML file or folder of shards.
        named: as the user gave it; ``folder`` may be an extracted tar.
        out: folder of the run, for the list of faults.
        fatal: unusable files are an error.
        quiet: print and write nothing, as in all processes but the main one.

    Raises:
        ZimError: there is nothing to train on, a list is malformed, or there are
            faults, and they are fatal.
    """
    manifest = folder / SHARD_MANIFEST
    if manifest.is_file():
        digest = hashlib.sha256(manifest.read_bytes()).hexdigest()[:16]
        return RunData(named, folder, digest)
    if folder.suffix == ".toml" and _lists_published(folder):
        published = read_table(folder)
        scan = scan_entries(published.sets, quiet=quiet)
        _tell(scan, [], out, fatal=fatal, quiet=quiet)
        source = published.without({*scan.faults}).split()
        shares = tuple({"name": k, "weight": v} for k, v in source.weights.items())
        return RunData(named, source, scan.digest, scan.files, shares)
    data = open_data(folder)
    scan = scan_data(data, quiet=quiet)
    _tell(scan, data.problems, out, fatal=fatal, quiet=quiet)
    data = data.without({*scan.faults})
    if not any(pool.kind not in ("background", "procedural") for pool in data.pools):
        raise no_images(named)
    if not quiet:
        for line in data.notes:
            print(line, file=sys.stderr)
    entries = tuple(_use_of(pool.entry) for pool in data.pools)
    return RunData(named, data, scan.digest, scan.files, entries)


def _use_of(entry: DataEntry) -> dict[str, Any]:
    """An entry without the folders that it lies in."""
    use = asdict(entry) | {"name": Path(entry.name).name}
    del use["path"]
    return use


def _lists_published(path: Path) -> bool:
    """Whether a TOML file has the table of :func:`read_table`."""
    data = read_toml(path).get("data")
    return isinstance(data, dict) and "path" not in data


def _tell(
    scan: Scan,
    problems: Sequence[str],
    out: Path,
    *,
    fatal: bool,
    quiet: bool,
) -> None:
    if not quiet or fatal:
        report_faults(scan, problems, out, fatal=fatal)
