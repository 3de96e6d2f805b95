import pytest

from tests.zim_model.evaluation.conftest import run
from zim_model.errors import ZimError
from zim_model.evaluation import EvaluationOptions, PredictionFolder, PromptKind
from zim_model.evaluation.distributed import (
    DistributedEvaluation,
    evaluate_on_cluster,
    evaluate_shard,
)
from zim_model.evaluation.journal import read_journal
from zim_model.evaluation.report import Report
from zim_model.runtime.jobs import Shard

BOX = (PromptKind("box"),)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_divided_run_gives_the_same_report(mini, tmp_path, engine, workers):
    system = PredictionFolder("Masks", mini.root / "seg")
    whole = run(mini, tmp_path / "whole", engine, (system,), BOX)[-1].report
    out = tmp_path / "parts"
    spread = DistributedEvaluation(
        mini.root, None, (system,), out, BOX, EvaluationOptions()
    )
    *progress, report = evaluate_on_cluster(None, spread, workers)
    assert progress == [(i, 3) for i in (1, 2, 3)]
    assert isinstance(report, Report)
    assert report.groups() == whole.groups()
    assert report.has_no_failures
    with pytest.raises(ZimError, match="earlier run"):
        list(evaluate_on_cluster(None, spread))
    again = DistributedEvaluation(
        mini.root, None, (system,), out, BOX, EvaluationOptions(resume=True)
    )
    *_, report = evaluate_on_cluster(None, again)
    assert report.groups() == whole.groups()


def test_what_ends_a_part_ends_the_whole(mini, tmp_path):
    spread = DistributedEvaluation(mini.root, None, (), tmp_path, BOX)
    with pytest.raises(ZimError, match="nothing to evaluate"):
        list(evaluate_on_cluster(None, spread))


def test_a_part_whose_worker_died_is_finished_by_another(mini, tmp_path):
    system = PredictionFolder("Masks", mini.root / "seg")
    spread = DistributedEvaluation(mini.root, None, (system,), tmp_path, BOX)
    assert evaluate_shard(spread, Shard(1, 3)) is None
    path = tmp_path / "rows-1-of-3.jsonl"
    whole = read_journal(path)[1]
    path.write_bytes(path.read_bytes()[:-25])  # in the middle of its last row
    assert evaluate_shard(spread, Shard(1, 3)) is None
    assert read_journal(path)[1] == whole
