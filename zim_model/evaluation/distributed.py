"""One evaluation on many machines: its shards as tasks of a cluster.

All machines need the data set, the predictions and the folder of the results under the
same paths.  Each shard has a journal of its own there, so that a worker that dies, or a
run that is stopped, loses no finished row.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from zim_model.errors import ZimError
from zim_model.evaluation.datasets import open_dataset
from zim_model.evaluation.journal import exists_error, journal_name, merge_journals
from zim_model.evaluation.report import Report
from zim_model.evaluation.runner import DEFAULT_PROMPTS, EvaluationOptions, evaluate
from zim_model.evaluation.systems import ModelSystem, PromptKind, System
from zim_model.inference.process_engine import process_engine
from zim_model.runtime.cluster import run_all
from zim_model.runtime.devices import DeviceChoice
from zim_model.runtime.jobs import Shard

MAX_SHARDS = 64
"""Enough to keep the workers evenly busy to the end."""


@dataclass(frozen=True, slots=True)
class DistributedEvaluation:
    """An evaluation to divide; see :func:`zim_model.evaluation.evaluate`.

    Attributes:
        root, layout: of the data set, see :func:`open_dataset`.
        systems, prompts: see :func:`evaluate`.
        out: folder of the results.
        options: ``shard`` and ``jobs`` are ignored: every worker scores its
            predictions.
        device: where each worker runs its models.
    """

    root: Path
    layout: str | None
    systems: tuple[System, ...]
    out: Path
    prompts: tuple[PromptKind, ...] = DEFAULT_PROMPTS
    options: EvaluationOptions = field(default_factory=EvaluationOptions)
    device: DeviceChoice = field(default_factory=DeviceChoice)


def evaluate_on_cluster(
    cluster: str | None, spread: DistributedEvaluation, workers: int = 1
) -> Iterator[tuple[int, int] | Report]:
    """Evaluate on a cluster.

    Args:
        cluster, workers: see :func:`zim_model.runtime.cluster.run_all`.

    Yields:
        The number of shards done and of all shards, and at last the report.

    Raises:
        ZimError: as of :func:`evaluate`, or the cluster cannot be used.
    """
    dataset = open_dataset(spread.root, spread.layout)
    count = max(1, min(MAX_SHARDS, len(dataset.cases_by_image())))
    tasks = [(spread, shard) for shard in Shard.divide(count)]
    names = [spread.out / journal_name(shard) for _, shard in tasks]
    if not spread.options.resume:
        for path in filter(Path.exists, names):
            raise exists_error(path)
    for done, (_, failure) in enumerate(
        run_all(evaluate_shard, tasks, cluster=cluster, workers=workers), 1
    ):
        if failure is not None:
            raise ZimError(*failure)
        yield done, count
    config, rows = merge_journals(names)
    chosen = {system.name for system in spread.systems}
    kinds = {str(prompt) for prompt in spread.prompts}
    kept = [r for r in rows.values() if r.system in chosen and r.prompt in kinds]
    expected = config.cases * len(chosen) * len(kinds)
    yield Report.from_rows(config, kept, expected, spread.out)


def evaluate_shard(
    spread: DistributedEvaluation, shard: Shard
) -> tuple[str, str] | None:
    """Evaluate one shard in this process; return the message and hint of an error."""
    # Always resumed: another worker may have died over the first half of it.
    options = replace(spread.options, shard=shard, jobs=0, resume=True)
    any_model = any(isinstance(system, ModelSystem) for system in spread.systems)
    try:
        for _ in evaluate(
            open_dataset(spread.root, spread.layout),
            spread.systems,
            spread.out,
            prompts=spread.prompts,
            options=options,
            engine=process_engine(spread.device) if any_model else None,
        ):
            pass
    except ZimError as error:
        return error.message, error.hint
    return None
