"""Building a data set of matte shards, in local processes or on a cluster.

The unit of work is a shard of some images.  It is written atomically, with a report,
and its bytes depend only on its images, the converter and the options.  A stopped build
can therefore be resumed, and the result does not depend on the number of workers.
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

from training.sa1b_matte.labels import Filters, Labeller, make_mattes
from training.sa1b_matte.sa1b import (
    Sa1bEntry,
    Sa1bSource,
    is_selected,
    list_entries,
    read_entry,
)
from training.sa1b_matte.shards import (
    ShardReport,
    ShardWriter,
    file_sha256,
    read_json,
    write_json,
    write_manifest,
)
from zim_model.errors import ZimError
from zim_model.runtime.atomic_files import (
    atomic_write,
    describe_os_error,
    explained_write,
)
from zim_model.runtime.cluster import RETRIES, connect_ray, run_all, worker_capacity

OPTIONS_FILE = "options.json"
STALE_AFTER_S = 3600.0
"""Age in seconds from which a partial file is considered abandoned."""


@dataclass(frozen=True, slots=True)
class BuildConfig:
    """Configuration shared by all shards of a data set.

    Attributes:
        out: folder of the data set.
        labeller: loads the label converter; cached in each worker.
        converter: the converter's name and fingerprint.
        fraction: fraction of SA-1B's images.
        shard_size: images per shard.
        filters: which mattes to keep.
        rebuild_faulty: rebuild shards with faults.
    """

    out: Path
    labeller: Callable[[], Labeller]
    converter: str
    fraction: float = 0.01
    shard_size: int = 100
    filters: Filters = field(default_factory=Filters)
    rebuild_faulty: bool = False

    @property
    def manifest_head(self) -> dict[str, Any]:
        """The options that determine the shards' bytes, for the manifest."""
        filters = asdict(self.filters)
        if filters["mask_fraction"] == 1:  # keeps the digests of earlier data sets
            del filters["mask_fraction"]
        return {
            "converter": self.converter,
            "fraction": self.fraction,
            "shard_size": self.shard_size,
            "filters": filters,
        }

    @property
    def provenance(self) -> str:
        """Digest of :attr:`manifest_head`."""
        text = json.dumps(self.manifest_head, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class ShardTask:
    """One shard to build: its name, its images, and faults of its source."""

    shard: str
    entries: tuple[Sa1bEntry, ...]
    faults: tuple[str, ...] = ()


def plan_shards(config: BuildConfig, source: Sa1bSource) -> list[ShardTask]:
    """Return the shards to build from a source, in order."""
    entries, faults = list_entries(source)
    entries = [entry for entry in entries if is_selected(entry.name, config.fraction)]
    tasks = [
        ShardTask(
            f"{source.name}-{begin // config.shard_size:04}",
            tuple(entries[begin : begin + config.shard_size]),
        )
        for begin in range(0, len(entries), config.shard_size)
    ]
    if faults:
        first = tasks[0] if tasks else ShardTask(f"{source.name}-0000", ())
        tasks[:1] = [replace(first, faults=tuple(faults))]
    return tasks


def build_shard(config: BuildConfig, task: ShardTask) -> ShardReport:
    """Build one shard, unless it exists, complete and undamaged.

    Raises:
        ZimError: the shard cannot be written.
    """
    done = _read_finished(config, task)
    if done is not None:
        return replace(done, again=True)
    try:
        report = _build(config, task)
        report.write(config.out)
    except OSError as error:
        reason, hint = describe_os_error(error)
        raise ZimError(
            f"{config.out / task.shard}.tar cannot be written: {reason}.",
            f"{hint} Then run the same command: finished shards are kept.".strip(),
        ) from error
    return report


def _read_finished(config: BuildConfig, task: ShardTask) -> ShardReport | None:
    path = config.out / f"{task.shard}.json"
    if not path.is_file():
        return None
    try:
        report = ShardReport.read(path)
    except ZimError:
        return None
    names = tuple(entry.name for entry in task.entries)
    same = report.made_with == config.provenance and report.asked == names
    if not same or (report.faults and config.rebuild_faulty):
        return None
    return report if file_sha256(path.with_suffix(".tar")) == report.sha256 else None


def _build(config: BuildConfig, task: ShardTask) -> ShardReport:
    dropped: Counter[str] = Counter()
    faults = list(task.faults)
    names = tuple(entry.name for entry in task.entries)
    report = ShardReport(task.shard, config.provenance, names)
    path = config.out / f"{task.shard}.tar"
    if task.entries:
        with atomic_write(path) as file:
            writer = ShardWriter(file)
            for entry in task.entries:
                _add_entry(config, entry, writer, dropped, faults)
            digest, size = writer.close()
        counts = {
            "pictures": len(writer.images),
            "mattes": writer.mattes,
            "matte_bytes": writer.matte_bytes,
        }
        report = replace(
            report,
            sha256=digest,
            size=size,
            pictures=tuple(writer.images),
            counts=counts,
        )
    return replace(report, dropped=dict(dropped), faults=tuple(faults))


def _add_entry(
    config: BuildConfig,
    entry: Sa1bEntry,
    writer: ShardWriter,
    dropped: Counter[str],
    faults: list[str],
) -> None:
    """Convert the masks of an image one by one, to limit memory."""
    try:
        image = read_entry(entry)
    except ZimError as error:
        faults.append(str(error))
        return
    add_fault = partial(_add_fault, faults, entry.name)
    mattes = make_mattes(config.labeller(), image, config.filters, dropped, add_fault)
    writer.add(entry.name, image.encoded, image.pixels.shape[:2], mattes)


def _add_fault(faults: list[str], name: str, fault: str) -> None:
    faults.append(f"{name}: {fault}")


def build_shards(
    config: BuildConfig,
    sources: Sequence[Sa1bSource],
    *,
    cluster: str | None,
    workers: int,
) -> Iterator[ShardReport]:
    """Build all shards, in local processes or on a cluster; yield their reports.

    Raises:
        ZimError: a shard cannot be written, or the cluster fails.
    """
    if cluster is not None:
        yield from _on_ray_data(config, sources, cluster)
        return
    tasks = (
        (config, task) for source in sources for task in plan_shards(config, source)
    )
    for _, report in run_all(build_shard, tasks, workers=workers):
        yield report


class _ShardWorker:
    """A Ray Data worker; the converter is loaded once per worker."""

    def __call__(self, row: dict[str, bytes]) -> dict[str, bytes]:
        """Build the shard of a row; a `ZimError` is returned, not raised."""
        config, task, run = pickle.loads(row["work"])
        outcome: ShardReport | ZimError
        try:
            with _count_attempt(
                config.out / f".zim-{run}-{task.shard}.tmp", task.shard
            ):
                outcome = build_shard(config, task)
        except ZimError as error:
            outcome = error
        return {"outcome": pickle.dumps(outcome)}


@contextmanager
def _count_attempt(path: Path, shard: str) -> Iterator[None]:
    """Count the attempts at a shard in a file, which remains only if the worker dies.

    Ray Data would retry a shard that kills its workers forever.

    Raises:
        ZimError: too many attempts, or the file cannot be written.
    """
    with explained_write(path), path.open("ab") as file:
        file.write(b".")
        attempts = file.tell()
    try:
        if attempts > 1 + RETRIES:
            raise ZimError(
                f"Shard {shard} was given up: its worker died {attempts - 1} times.",
                "Usually there is too little memory. Finished shards are kept: run the"
                " same command to resume.",
            )
        yield
    finally:
        path.unlink(missing_ok=True)


def _on_ray_data(
    config: BuildConfig, sources: Sequence[Sa1bSource], cluster: str
) -> Iterator[ShardReport]:
    """List the sources, then build shards with Ray Data, one worker per GPU.

    Ray Data replaces a killed worker and retries its shard.
    """
    with connect_ray(cluster) as ray:
        data = _ray_data()
        workers, resources = worker_capacity(ray)
        plans = ((config, source) for source in sources)
        planned = [shards for _, shards in run_all(plan_shards, plans, cluster=cluster)]
        tasks = sorted(chain.from_iterable(planned), key=lambda task: task.shard)
        if not tasks:
            return
        run = secrets.token_hex(4)
        rows = [{"work": pickle.dumps((config, task, run))} for task in tasks]
        # One block per shard, so that only one is retried if a worker dies.
        blocks = data.from_items(rows, override_num_blocks=len(rows))
        concurrency = min(workers, len(rows))
        try:
            for row in blocks.map(
                _ShardWorker, concurrency=concurrency, **resources
            ).iter_rows():
                outcome = pickle.loads(row["outcome"])
                if isinstance(outcome, ZimError):
                    raise outcome
                yield outcome
        except ray.exceptions.RayError as error:
            raise ZimError(
                f"The cluster failed: {str(error).splitlines()[0]}",
                "Finished shards are kept: run the same command to resume.",
            ) from error


def _ray_data() -> ModuleType:
    """Import Ray Data with progress bars and logging turned off."""
    import ray.data

    with warnings.catch_warnings():
        # Ray warns about its own default settings.
        warnings.simplefilter("ignore", DeprecationWarning)
        context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    module: ModuleType = ray.data
    return module


def build(
    config: BuildConfig,
    sources: Sequence[Sa1bSource],
    *,
    cluster: str | None = None,
    workers: int = 1,
) -> dict[str, Any]:
    """Build a whole data set and return its manifest.

    Args:
        config: configuration with the output folder.
        sources: see :func:`training.sa1b_matte.sa1b.find_sources`.
        cluster, workers: see :func:`zim_model.runtime.cluster.run_all`.

    Raises:
        ZimError: the folder holds another data set, a shard cannot be written, or the
            workers failed.  Finished shards are kept.
    """
    with explained_write(config.out):
        config.out.mkdir(parents=True, exist_ok=True)
        _save_options(config)
        _remove_partial_files(config.out)
        done = []
        with tqdm(unit="shard") as progress:
            for report in build_shards(
                config, sources, cluster=cluster, workers=workers
            ):
                done.append(report)
                for fault in report.faults:
                    tqdm.write(f"unusable: {fault}", file=sys.stderr)
                progress.update()
        return write_manifest(config.out, config.manifest_head, done)


def _save_options(config: BuildConfig) -> None:
    """Write the options, or check that those of an earlier build are the same.

    Raises:
        ZimError: the folder holds a data set built with other options.
    """
    path = config.out / OPTIONS_FILE
    if path.exists():
        other = read_json(path)
        changed = [
            f"{key}: {other.get(key)!r} -> {value!r}"
            for key, value in config.manifest_head.items()
            if other.get(key) != value
        ]
        if changed:
            raise ZimError(
                f"{config.out} was built with other options: {'; '.join(changed)}.",
                "Choose another folder, or the same options.",
            )
    write_json(path, config.manifest_head)


def _remove_partial_files(folder: Path) -> None:
    """Remove abandoned partial files of killed workers."""
    for path in folder.glob(".zim-*.tmp"):
        try:
            if time.time() - path.stat().st_mtime > STALE_AFTER_S:
                path.unlink()
        except FileNotFoundError:
            continue
