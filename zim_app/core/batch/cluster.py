"""A batch on a Ray cluster whose machines share the folders of images and results.

The batch is split into chunks, as for ``--shard``; a worker runs one after the other
and reuses its engine.  Results of a worker that dies are in the journal, so that they
are not made again when its chunk is given to another one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from zim_app.core import isolation
from zim_app.core.batch.journal import BatchRow
from zim_app.core.batch.plan import BatchPlan
from zim_app.core.batch.runner import JobFinished, run
from zim_app.core.session_store import SessionStore
from zim_model.inference.process_engine import process_engine
from zim_model.runtime.cluster import run_all
from zim_model.runtime.devices import DeviceChoice
from zim_model.runtime.jobs import Shard

MAX_IMAGES_PER_CHUNK = 16
"""Largest mean number of images of a chunk."""
MIN_CHUNKS = 8
"""Number of chunks of a small batch, so that several workers can run it."""


def run_on_cluster(
    plan: BatchPlan,
    cluster: str | None,
    choice: DeviceChoice = DeviceChoice(),  # noqa: B008 - a frozen value
    *,
    workers: int = 1,
    store: SessionStore | None = None,
) -> Iterator[BatchRow]:
    """Run a whole batch; rows are yielded as chunks are finished.

    Args:
        plan: of the whole batch, without a shard.
        cluster: as for :func:`zim_model.runtime.cluster.run_all`.
        choice: where models run on each machine.
        workers: threads that read on each worker, and as many that write.
        store: of the studio's sessions, in a folder that the machines share too; None
            is the default one of this machine.

    Raises:
        ZimError: the plan is invalid, or the cluster cannot be used.
    """
    plan = _with_absolute_paths(plan.validate())
    size = min(MAX_IMAGES_PER_CHUNK, max(1, len(plan.jobs) // MIN_CHUNKS))
    count = -(-len(plan.jobs) // size)
    folder = (store or SessionStore()).folder.absolute()
    tasks = (
        (replace(plan, shard=shard), choice, workers, folder)
        for shard in Shard.divide(count)
    )
    for _, rows in run_all(run_chunk, tasks, cluster=cluster):
        yield from rows


def run_chunk(
    plan: BatchPlan, choice: DeviceChoice, workers: int, sessions: Path
) -> list[BatchRow]:
    """Run one chunk of a batch in this process.

    Args:
        plan: with its shard.
        choice: where models run.
        workers: see :func:`run_on_cluster`.
        sessions: folder of the studio's sessions.

    Raises:
        ZimError: the journal cannot be read.
    """
    isolation.isolate()
    store = SessionStore(sessions)
    events = run(plan, process_engine(choice), workers=workers, store=store)
    return [event.row for event in events if isinstance(event, JobFinished)]


def _with_absolute_paths(plan: BatchPlan) -> BatchPlan:
    """The plan with absolute paths, valid in any working folder."""
    jobs = tuple(replace(job, path=job.path.absolute()) for job in plan.jobs)
    backdrop = plan.export.background_image
    export = replace(plan.export, background_image=backdrop and backdrop.absolute())
    return replace(plan, jobs=jobs, output=plan.output.absolute(), export=export)
