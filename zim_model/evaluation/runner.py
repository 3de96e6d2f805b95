"""Evaluating systems on a data set: one runner for the command line and the window.

:func:`evaluate` is a generator: it works while it is iterated over, on the calling
thread, and yields :data:`~zim_model.evaluation.events.Event`. Predictions are scored in
other processes meanwhile, and the next image is decoded on a thread.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from zim_model.arrays import ByteArray
from zim_model.errors import Cancelled, DeviceError, WeightsError, ZimError, msg
from zim_model.evaluation.clicks import NOC_IOUS, number_of_clicks
from zim_model.evaluation.datasets import Case, Dataset, EvaluatedRegion
from zim_model.evaluation.events import (
    DegradationEvent,
    Event,
    Finished,
    Paused,
    Resumed,
    RowDone,
    Started,
)
from zim_model.evaluation.journal import (
    WINDOW_KEY,
    EvaluationJournal,
    EvaluationRow,
    RunConfig,
    journal_name,
    prompts_of_row,
)
from zim_model.evaluation.prediction import (
    CasePrediction,
    CaseRunner,
    GroundTruth,
    read_ground_truth,
)
from zim_model.evaluation.reading import check_size, prefetch_images, read_matte
from zim_model.evaluation.report import Report
from zim_model.evaluation.scoring import (
    PREDICTIONS,
    THUMBNAILS,
    ScoringTask,
    image_path,
    initialise_worker,
    score,
)
from zim_model.evaluation.systems import (
    PROMPT_KINDS,
    ModelSystem,
    PredictionFolder,
    PredictionIndex,
    PromptKind,
    System,
    check_unique_names,
    file_digest,
    fingerprint,
    predicts_masks,
    upsampling_options,
)
from zim_model.medical.window import Window
from zim_model.recipe import Recipe, Upsampling
from zim_model.request import Request
from zim_model.runtime.atomic_files import describe_os_error
from zim_model.runtime.helper_process import (
    HelperLost,
    HelperNotStarted,
    HelperPool,
)
from zim_model.runtime.jobs import Progress, RunControl, Shard

if TYPE_CHECKING:
    from zim_model.inference.engine import Engine

DEFAULT_PROMPTS = (PromptKind("point"), PromptKind("box"))
"""The prompts of the paper's table."""
AHEAD = 2
"""Predictions per process that may wait to be scored; it bounds the memory."""


def default_jobs() -> int:
    """Scoring processes: all cores but one, and at most eight."""
    return max(1, min(8, (os.cpu_count() or 2) - 1))


def default_upsampling(dataset: Dataset, *, flip_tta: bool = False) -> Upsampling:
    """That of the official code where the paper's numbers stand beside, else guided."""
    return "official" if dataset.layout == "micromat" and not flip_tta else "guided"


@dataclass(frozen=True, slots=True)
class EvaluationOptions:
    """Options of a run.

    Attributes:
        upsampling: of the mattes of models without one of their own.
        region: where the ``(DIM)`` errors count; None takes the data set's.
        limit: most cases, evenly spread over the data set; 0 takes all.
        shard: the part of the run; images are distributed in turn.
        jobs: processes that score; 0 scores between the predictions.
        resume: keep the finished rows of an earlier run in the same folder.
        thumbnails, predictions: whether mattes are saved as images, small or whole.
        flip_tta: see :class:`Options`.
        window: of grey images of more than 8 bits; None takes the file's, else an
            automatic one, see :class:`~zim_model.medical.window.GreyImage`.
    """

    upsampling: Upsampling = "guided"
    region: EvaluatedRegion | None = None
    limit: int = 0
    shard: Shard = Shard()  # noqa: RUF009 - a frozen value
    jobs: int = field(default_factory=default_jobs)
    resume: bool = False
    thumbnails: bool = True
    predictions: bool = False
    flip_tta: bool = False
    window: Window | None = None


def evaluate(
    dataset: Dataset,
    systems: Sequence[System],
    out: str | os.PathLike[str],
    *,
    prompts: Sequence[PromptKind | str] = DEFAULT_PROMPTS,
    options: EvaluationOptions = EvaluationOptions(),
    control: RunControl | None = None,
    engine: Engine | None = None,
) -> Iterator[Event]:
    """Predict every case with every system and prompt, and compute metrics.

    The events are one :class:`Started`, then a :class:`RowDone` for each row with
    :class:`DegradationEvent`, :class:`Paused` and :class:`Resumed` between them, and
    at last one :class:`Finished` with the :class:`Report`, also of a cancelled run.
    Rows are on the disk (``out/rows.jsonl``) before they are yielded; closing the
    generator loses only rows that were not yet yielded.  A case that cannot be measured
    (a missing or unreadable file, a matte of another size, a prompt outside the image)
    gives a row with ``error`` and never ends the run; it is repeated by a run that
    resumes.

    ::

        control = RunControl()  # .pause(), .resume(), .cancel() from any thread
        dataset = open_dataset(Path("MicroMat3K"))
        other = PredictionFolder("Other", Path("other"))
        systems = [ModelSystem.from_name("zim-tiny"), other]
        for event in evaluate(dataset, systems, Path("results"), control=control):
            match event:
                case RowDone(row, done, total):
                    print(done, total, row.case, row.error or row.metrics["SAD"])
                case Finished(report):
                    write_report(report, Path("results"))

    Args:
        dataset: see :func:`zim_model.evaluation.open_dataset`.
        systems: models and folders of predictions, with different names.
        out: folder of the results; created if missing.
        prompts: kinds of prompts, or their names for :meth:`PromptKind.parse`.
        control: pauses and cancels.
        engine: runs the models, on this thread; None makes one on demand.

    Raises:
        ZimError: the run cannot start: there is no system, a model cannot be
            loaded or its device is missing, or ``out`` holds another run or cannot be
            written.
    """
    check_unique_names(system.name for system in systems)
    if not prompts:
        raise ZimError(msg("There is no kind of prompt."), PROMPT_KINDS)
    kinds = [PromptKind.parse(x) if isinstance(x, str) else x for x in prompts]
    if engine is None and any(isinstance(system, ModelSystem) for system in systems):
        from zim_model.inference.engine import Engine  # imports torch

        engine = Engine()
    folder = Path(out)
    run = _EvaluationRun(
        dataset, systems, kinds, folder, options, control or RunControl(), engine
    )
    path = folder / journal_name(options.shard)
    with EvaluationJournal(path, run.config, resume=options.resume) as journal:
        yield from run.events(journal)


@dataclass(frozen=True, slots=True)
class _EvaluationItem:
    """A row to compute."""

    system: System
    case: Case
    prompt: PromptKind


class _EvaluationRun:
    """One run; constructed on the thread that iterates."""

    def __init__(
        self,
        dataset: Dataset,
        systems: Sequence[System],
        prompts: Sequence[PromptKind],
        out: Path,
        options: EvaluationOptions,
        control: RunControl,
        engine: Engine | None,
    ) -> None:
        self._dataset, self._out = dataset, out
        self._options, self._control, self._engine = options, control, engine
        self._systems, self._prompts = tuple(systems), tuple(dict.fromkeys(prompts))
        self._region: EvaluatedRegion = options.region or dataset.region
        common = options.upsampling
        self._binary = {s.name for s in systems if predicts_masks(s, common, engine)}
        self._index = {
            s.name: PredictionIndex(s, dataset.cases)
            for s in systems
            if isinstance(s, PredictionFolder)
        }
        self._groups = _select_cases(dataset, options)
        self._notes: set[str] = set()
        self._waiting: deque[tuple[EvaluationRow, Future[dict[str, float]]]] = deque()
        self._score: Callable[[ScoringTask], dict[str, float]] = score
        self._most = AHEAD * max(1, options.jobs)
        self.config = RunConfig(
            dataset.name,
            dataset.layout,
            {s.name: fingerprint(s, engine) for s in systems},
            tuple(map(str, self._prompts)),
            {
                **upsampling_options(systems, options.upsampling),
                "mirrored": "yes" if options.flip_tta else "no",
                "region": self._region,
                "truth": "masks" if dataset.masks else "mattes",
                **({WINDOW_KEY: str(options.window)} if options.window else {}),
            },
            sum(len(cases) for cases in _select_all_shards(dataset, options)),
            dataset.problems,
        )

    def events(self, journal: EvaluationJournal) -> Iterator[Event]:
        self._journal = journal
        groups = [(x[0].image, self._pending_items(x)) for x in self._groups]
        planned = [item for group in self._groups for item in self._items(group)]
        left = {self._key(item) for _, items in groups for item in items}
        self._keys = [self._key(item) for item in planned]
        total = len(planned)
        finished = [journal.rows[key] for key in self._keys if key not in left]
        yield Started(total, tuple(finished), self.config)
        self._progress = Progress(total, len(finished))
        with ExitStack() as stack:
            pool = self._pool(stack)
            for items, image in prefetch_images(
                [x for x in groups if x[1]], stack, self._options.window
            ):
                yield from self._group(items, image, pool)
                if self._control.cancelled():
                    break
            yield from self._collect_scores(len(self._waiting))
        kept = [journal.rows[key] for key in self._keys if key in journal.rows]
        report = Report.from_rows(self.config, kept, total, self._out)
        yield Finished(report, self._progress.done == total)

    # --- what is to be done -----------------------------------------------------------

    def _items(self, cases: Sequence[Case]) -> list[_EvaluationItem]:
        return [
            _EvaluationItem(system, case, prompt)
            for case in cases
            for system in self._systems
            for prompt in self._prompts
        ]

    @staticmethod
    def _key(item: _EvaluationItem) -> tuple[str, str, str]:
        return item.system.name, item.case.name, str(item.prompt)

    def _pending_items(self, cases: Sequence[Case]) -> list[_EvaluationItem]:
        """The items of an image without a finished row of an earlier run."""
        digests: dict[str, str] = {}
        left = []
        for item in self._items(cases):
            row = self._journal.rows.get(self._key(item))
            if row is not None and not row.error:
                case = item.case
                if case.name not in digests:
                    digests[case.name] = case.digest()
                if row.digest == self._digest(item, digests[case.name]):
                    continue
            left.append(item)
        return left

    def _digest(self, item: _EvaluationItem, case_digest: str) -> str:
        if item.system.name not in self._index:
            return case_digest
        try:
            path = self._index[item.system.name].find(item.case, item.prompt)
        except ZimError:
            return case_digest
        return f"{case_digest}-{file_digest(path)}"

    # --- the work ---------------------------------------------------------------------

    def _pool(self, stack: ExitStack) -> Executor | None:
        if not self._options.jobs:
            return None
        # Not multiprocessing: it would import the caller's main module again, which is
        # a script that evaluates.
        helpers = HelperPool(initialise_worker)
        stack.callback(helpers.close)
        pool = ThreadPoolExecutor(self._options.jobs, "scoring")
        stack.callback(pool.shutdown, wait=True, cancel_futures=True)
        self._score = partial(helpers.call_within, 0, score)
        return pool

    def _group(
        self,
        items: list[_EvaluationItem],
        image: Future[ByteArray],
        pool: Executor | None,
    ) -> Iterator[Event]:
        """All items of one image."""
        truths: dict[str, GroundTruth | ZimError] = {}
        for item in items:
            yield from self._collect_scores()
            if self._control.paused:
                yield from self._pause()
            if self._control.cancelled():
                return
            case = item.case
            if case.name not in truths:
                # Predictions for the other objects are not needed any more.
                truths = {case.name: read_ground_truth(case, image)}
            truth = truths[case.name]
            row = EvaluationRow(*self._key(item), "", case.subset)
            try:
                if isinstance(truth, ZimError):
                    raise truth
                digest = self._digest(item, truth.digest)
                row = replace(row, digest=digest, area=truth.area)
                prediction = self._predict(item, image.result(), truth)
            except Cancelled:
                return
            except (DeviceError, WeightsError):
                raise
            except ZimError as error:
                yield self._record(replace(row, error=error.text))
                continue
            yield from self._notice_events(prediction)
            row = replace(
                row,
                **prompts_of_row(prediction.prompts),
                curve=prediction.curve,
                encode_ms=round(prediction.encode_ms, 2),
                click_ms=round(prediction.click_ms, 2),
                device=prediction.device,
            )
            self._submit(row, self._task(item, prediction, truth), pool)

    def _task(
        self, item: _EvaluationItem, prediction: CasePrediction, truth: GroundTruth
    ) -> ScoringTask:
        path = partial(
            image_path,
            self._out,
            system=item.system.name,
            prompt=item.prompt.folder,
            case=item.case.name,
        )
        keep = self._options
        return ScoringTask(
            prediction.matte,
            truth.matte,
            self._region,
            item.case.trimap,
            path(kind=THUMBNAILS) if keep.thumbnails else None,
            path(kind=PREDICTIONS) if keep.predictions else None,
        )

    def _submit(
        self, row: EvaluationRow, task: ScoringTask, pool: Executor | None
    ) -> None:
        if pool is not None:
            self._waiting.append((row, pool.submit(self._score, task)))
            return
        scored: Future[dict[str, float]] = Future()
        try:
            scored.set_result(self._score(task))
        except (ZimError, OSError) as error:
            scored.set_exception(error)
        self._waiting.append((row, scored))

    def _collect_scores(self, wait_for: int = 0) -> Iterator[Event]:
        """Yield scored rows; wait for ``wait_for``, and while too many wait."""
        while self._waiting:
            row, future = self._waiting[0]
            if not (future.done() or wait_for > 0 or len(self._waiting) >= self._most):
                return
            self._waiting.popleft()
            wait_for -= 1
            yield self._record(self._finish_row(row, future))

    def _finish_row(
        self, row: EvaluationRow, future: Future[dict[str, float]]
    ) -> EvaluationRow:
        try:
            values = future.result()
        except (HelperLost, HelperNotStarted) as error:
            raise ZimError(
                msg(
                    "A process that scores mattes has died, perhaps for want of memory."
                ),
                msg("Resume the run with fewer processes; the finished rows are kept."),
            ) from error
        except OSError as error:  # of its images
            reason, cure = describe_os_error(error)
            raise ZimError(
                msg(
                    "Images in {out} cannot be written: {reason}.",
                    out=self._out,
                    reason=reason,
                ),
                cure,
            ) from error
        except ZimError as error:
            return replace(row, error=error.text)
        ious = [point["IoU"] for point in row.curve]
        for threshold in NOC_IOUS if ious else ():
            clicks = number_of_clicks(ious, threshold, len(ious))
            values[f"NoC@{threshold * 100:.0f}"] = clicks
        return replace(row, metrics=values)

    def _record(self, row: EvaluationRow) -> RowDone:
        self._journal.add(row)
        progress = self._progress
        progress.add()
        return RowDone(row, progress.done, progress.total, progress.seconds_left)

    def _notice_events(self, prediction: CasePrediction) -> Iterator[Event]:
        for note in prediction.notes:
            if note not in self._notes:
                self._notes.add(note)
                yield DegradationEvent(note)

    def _pause(self) -> Iterator[Event]:
        yield from self._collect_scores(len(self._waiting))
        yield Paused()
        self._progress.wait(self._control)
        if not self._control.cancelled():
            yield Resumed()

    def _predict(
        self, item: _EvaluationItem, image: ByteArray, truth: GroundTruth
    ) -> CasePrediction:
        system, case = item.system, item.case
        if isinstance(system, PredictionFolder):
            path = self._index[system.name].find(case, item.prompt)
            matte = read_matte(path)
            check_size(path, matte, case.image, image.shape)
            return CasePrediction(matte)
        assert self._engine is not None  # there is a model
        request = Request(
            image,
            f"{self._dataset.name}/{case.image} {self._options.window or ''}",
            Recipe(model=system.model, options=self.config.model_options(system.name)),
            # A further click continues the predictions for earlier ones.
            cacheable=item.prompt.kind == "clicks",
        )
        binary = system.name in self._binary
        runner = CaseRunner(self._engine, request, binary, self._control.cancelled)
        return runner.run(case, item.prompt, truth)


def _select_cases(
    dataset: Dataset, options: EvaluationOptions
) -> list[tuple[Case, ...]]:
    """The cases of a run, by image."""
    shard = options.shard
    return _select_all_shards(dataset, options)[shard.number - 1 :: shard.count]


def _select_all_shards(
    dataset: Dataset, options: EvaluationOptions
) -> list[tuple[Case, ...]]:
    """The cases of all shards of a run, by image."""
    cases = dataset.cases
    if 0 < options.limit < len(cases):
        picks = np.linspace(0, len(cases) - 1, options.limit).round().astype(int)
        cases = tuple(cases[i] for i in picks)
    return list(replace(dataset, cases=cases).cases_by_image())
