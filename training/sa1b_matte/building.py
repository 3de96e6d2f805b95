"""Building a set of shards of mattes, here or on a cluster.

The unit of work is a shard of some pictures: it is written whole or not at all, with a
report beside it, and its bytes depend on nothing but its pictures, the converter and
the options.  So a second run goes on where an earlier one was stopped, and many workers
make what one would have made.
"""

from __future__ import annotations

import hashlib
import json
import logging
import pickle
import secrets
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import Any

from tqdm import tqdm

from training.sa1b_matte.labels import Filters, Labeller, labelled
from training.sa1b_matte.sa1b import Entry, Source, chosen, entries_of, read_entry
from training.sa1b_matte.shards import (
    Report,
    ShardWriter,
    read_json,
    sha256_of,
    write_json,
    write_manifest,
)
from zim_model.errors import ZimError
from zim_model.runtime.atomic_files import explain, replacing
from zim_model.runtime.cluster import RETRIES, capacity, connected, run_all

OPTIONS = "options.json"
FORGOTTEN = 3600.0
"""Seconds after which a half-written file of a killed worker is nobody's any more."""


@dataclass(frozen=True, slots=True)
class Job:
    """What all shards of a set have in common.

    Attributes:
        out: folder of the set.
        labeller: loads the label converter; called once in each worker.
        converter: the converter's name and fingerprint.
        fraction: share of SA-1B's pictures.
        shard_size: pictures a shard.
        filters: which mattes are kept.
        faulty_again: make shards again in which something could not be used.
    """

    out: Path
    labeller: Callable[[], Labeller]
    converter: str
    fraction: float = 0.01
    shard_size: int = 100
    filters: Filters = field(default_factory=Filters)
    faulty_again: bool = False

    @property
    def head(self) -> dict[str, Any]:
        """What decides the shards' bytes, for the manifest."""
        return {
            "converter": self.converter,
            "fraction": self.fraction,
            "shard_size": self.shard_size,
            "filters": asdict(self.filters),
        }

    @property
    def made_with(self) -> str:
        """Digest of :attr:`head`."""
        text = json.dumps(self.head, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Part:
    """One shard to make: its name, its pictures, and faults of its source."""

    shard: str
    entries: tuple[Entry, ...]
    faults: tuple[str, ...] = ()


def parts_of(job: Job, source: Source) -> list[Part]:
    """The shards to make from a source, in order."""
    entries, faults = entries_of(source)
    entries = [entry for entry in entries if chosen(entry.name, job.fraction)]
    parts = [
        Part(
            f"{source.name}-{begin // job.shard_size:04}",
            tuple(entries[begin : begin + job.shard_size]),
        )
        for begin in range(0, len(entries), job.shard_size)
    ]
    if faults:
        first = parts[0] if parts else Part(f"{source.name}-0000", ())
        parts[:1] = [replace(first, faults=tuple(faults))]
    return parts


def build_part(job: Job, part: Part) -> Report:
    """Make one shard, unless it lies there finished and undamaged.

    Raises:
        ZimError: the shard cannot be written.
    """
    done = _finished(job, part)
    if done is not None:
        return replace(done, again=True)
    try:
        report = _built(job, part)
        report.write(job.out)
    except OSError as error:
        reason, hint = explain(error)
        raise ZimError(
            f"{job.out / part.shard}.tar cannot be written: {reason}.",
            f"{hint} Then run the same command: finished shards stay.".strip(),
        ) from error
    return report


def _finished(job: Job, part: Part) -> Report | None:
    path = job.out / f"{part.shard}.json"
    if not path.is_file():
        return None
    try:
        report = Report.read(path)
    except ZimError:
        return None
    asked = tuple(entry.name for entry in part.entries)
    same = report.made_with == job.made_with and report.asked == asked
    if not same or (report.faults and job.faulty_again):
        return None
    return report if sha256_of(path.with_suffix(".tar")) == report.sha256 else None


def _built(job: Job, part: Part) -> Report:
    dropped: Counter[str] = Counter()
    faults = list(part.faults)
    asked = tuple(entry.name for entry in part.entries)
    report = Report(part.shard, job.made_with, asked)
    path = job.out / f"{part.shard}.tar"
    if part.entries:
        with replacing(path) as file:
            writer = ShardWriter(file)
            for entry in part.entries:
                _add(job, entry, writer, dropped, faults)
            digest, size = writer.close()
        counts = {
            "pictures": len(writer.pictures),
            "mattes": writer.mattes,
            "matte_bytes": writer.matte_bytes,
        }
        report = replace(
            report,
            sha256=digest,
            size=size,
            pictures=tuple(writer.pictures),
            counts=counts,
        )
    return replace(report, dropped=dict(dropped), faults=tuple(faults))


def _add(
    job: Job,
    entry: Entry,
    writer: ShardWriter,
    dropped: Counter[str],
    faults: list[str],
) -> None:
    """Convert a picture's masks one by one, so that few are in memory."""
    try:
        picture = read_entry(entry)
    except ZimError as error:
        faults.append(str(error))
        return
    named = partial(_named, faults, entry.name)
    mattes = labelled(job.labeller(), picture, job.filters, dropped, named)
    writer.add(entry.name, picture.encoded, picture.pixels.shape[:2], mattes)


def _named(faults: list[str], name: str, fault: str) -> None:
    faults.append(f"{name}: {fault}")


def reports(
    job: Job, sources: Sequence[Source], *, cluster: str | None, workers: int
) -> Iterator[Report]:
    """Make all shards, here or on a cluster; yield each one's report when finished.

    Raises:
        ZimError: a shard cannot be written, or the cluster fails.
    """
    if cluster is not None:
        yield from _on_ray_data(job, sources, cluster)
        return
    tasks = ((job, part) for source in sources for part in parts_of(job, source))
    for _, report in run_all(build_part, tasks, workers=workers):
        yield report


class _Worker:
    """A worker of the cluster: what it loads for one shard serves the next."""

    def __call__(self, row: dict[str, bytes]) -> dict[str, bytes]:
        """Make the shard that a row names; a failure is a result too."""
        job, part, run = pickle.loads(row["work"])
        outcome: Report | ZimError
        try:
            with _counted(job.out / f".zim-{run}-{part.shard}.tmp", part.shard):
                outcome = build_part(job, part)
        except ZimError as error:
            outcome = error
        return {"outcome": pickle.dumps(outcome)}


@contextmanager
def _counted(path: Path, shard: str) -> Iterator[None]:
    """Count in a file how often a shard is begun: only a killed worker leaves it.

    Ray Data would go on for ever with a shard that kills its workers.

    Raises:
        ZimError: it was begun too often, or the count cannot be written.
    """
    try:
        with path.open("ab") as file:
            file.write(b".")
            begun = file.tell()
        if begun <= 1 + RETRIES:
            yield
    except OSError as error:
        reason, hint = explain(error)
        raise ZimError(f"{path} cannot be written: {reason}.", hint) from error
    path.unlink(missing_ok=True)
    if begun > 1 + RETRIES:
        raise ZimError(
            f"Shard {shard} was given up: its worker died {begun - 1} times.",
            "Too little memory is the usual cause. Finished shards stay: the same"
            " command goes on.",
        )


def _on_ray_data(job: Job, sources: Sequence[Source], cluster: str) -> Iterator[Report]:
    """Sources are looked through, then shards made by Ray Data, one worker per GPU.

    Ray Data replaces a worker that is killed, and has its shard made again.
    """
    with connected(cluster) as ray:
        data = _ray_data()
        workers, share = capacity(ray)
        tasks = ((job, source) for source in sources)
        planned = [parts for _, parts in run_all(parts_of, tasks, cluster=cluster)]
        parts = sorted(chain.from_iterable(planned), key=lambda part: part.shard)
        if not parts:
            return
        run = secrets.token_hex(4)
        rows = [{"work": pickle.dumps((job, part, run))} for part in parts]
        # A block a shard: a worker that dies has one to make again.
        blocks = data.from_items(rows, override_num_blocks=len(rows))
        some = min(workers, len(rows))
        try:
            for row in blocks.map(_Worker, concurrency=some, **share).iter_rows():
                outcome = pickle.loads(row["outcome"])
                if isinstance(outcome, ZimError):
                    raise outcome
                yield outcome
        except ray.exceptions.RayError as error:
            raise ZimError(
                f"The cluster failed: {str(error).splitlines()[0]}",
                "Finished shards stay: the same command goes on.",
            ) from error


def _ray_data() -> ModuleType:
    """Ray Data, which says nothing while it works."""
    import ray.data

    with warnings.catch_warnings():
        # Of settings of its own, which it reads from its own defaults.
        warnings.simplefilter("ignore", DeprecationWarning)
        context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    module: ModuleType = ray.data
    return module


def build(
    job: Job, sources: Sequence[Source], *, cluster: str | None = None, workers: int = 1
) -> dict[str, Any]:
    """Make a whole set; returns its manifest.

    Args:
        job: what is made, and where.
        sources: see :func:`training.sa1b_matte.sa1b.find_sources`.
        cluster, workers: see :func:`zim_model.runtime.cluster.run_all`.

    Raises:
        ZimError: the folder holds another set, a shard cannot be written, or the
            workers failed.  Shards that are finished stay.
    """
    try:
        job.out.mkdir(parents=True, exist_ok=True)
        _claim(job)
        _tidy(job.out)
        done = []
        with tqdm(unit="shard") as progress:
            for report in reports(job, sources, cluster=cluster, workers=workers):
                done.append(report)
                for fault in report.faults:
                    tqdm.write(f"not used: {fault}", file=sys.stderr)
                progress.update()
        return write_manifest(job.out, job.head, done)
    except OSError as error:
        reason, hint = explain(error)
        raise ZimError(f"{job.out} cannot be written: {reason}.", hint) from error


def _claim(job: Job) -> None:
    """Refuse to mix what other options or another converter made into one set.

    Raises:
        ZimError: the folder holds such a set.
    """
    path = job.out / OPTIONS
    if path.exists():
        other = read_json(path)
        differ = [
            f"{key}: {other.get(key)!r} -> {value!r}"
            for key, value in job.head.items()
            if other.get(key) != value
        ]
        if differ:
            raise ZimError(
                f"{job.out} holds a set that was made otherwise: {'; '.join(differ)}.",
                "Choose another folder, or give the same options.",
            )
    write_json(path, job.head)


def _tidy(folder: Path) -> None:
    """Remove what killed workers left half written."""
    for path in folder.glob(".zim-*.tmp"):
        try:
            if time.time() - path.stat().st_mtime > FORGOTTEN:
                path.unlink()
        except FileNotFoundError:
            continue
