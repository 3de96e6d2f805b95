"""One case for display: image, ground truth, prediction and difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from zim_model.arrays import ByteArray, WordArray
from zim_model.errors import ZimError
from zim_model.evaluation.datasets import Case, Dataset
from zim_model.evaluation.html import difference
from zim_model.evaluation.journal import EvaluationRow, RunConfig
from zim_model.evaluation.prediction import GroundTruth, case_prompts
from zim_model.evaluation.reading import (
    as_alpha,
    read_image,
    read_matte,
    read_truth,
)
from zim_model.evaluation.scoring import (
    PREDICTIONS,
    THUMBNAILS,
    binarise_matte,
    image_path,
)
from zim_model.evaluation.systems import (
    ModelSystem,
    PredictionFolder,
    PredictionIndex,
    PromptKind,
    System,
    predicts_masks,
)
from zim_model.matting.pyramid import image_pyramid
from zim_model.medical.window import Window
from zim_model.prompts import PromptSet
from zim_model.recipe import Options, Recipe
from zim_model.request import CancelCheck, Request

if TYPE_CHECKING:
    from zim_model.inference.engine import Engine

MAX_PIXELS = 24_000_000
"""Larger images are shown at a smaller scale, to limit the memory of four of them."""
Levels = tuple[ByteArray, ...]


@dataclass(frozen=True, slots=True)
class CaseQuery:
    """Which row to display, and where its files are.

    Attributes:
        row: evaluated or failed.
        case: its files; None if the data set is not available.
        system: which made the prediction; None if it is unknown.
        out: folder of results.
        options: of the model's mattes.
        window: of grey images, see :func:`read_image`.
        all_cases: of the data set; file names of predictions must be unique among them.
    """

    row: EvaluationRow
    case: Case | None
    system: System | None
    out: Path
    options: Options
    window: Window | None = None
    all_cases: tuple[Case, ...] = ()

    def recipe(self, prompts: tuple[PromptSet, ...], model: str) -> Recipe:
        """The recipe whose matte is the union of the predictions for prompt sets."""
        first, *more = prompts or (PromptSet(),)
        return Recipe(first, model, self.options, more_prompt_sets=tuple(more))


def case_query(
    row: EvaluationRow,
    config: RunConfig,
    out: Path,
    known_systems: Sequence[System],
    dataset: Dataset | None,
) -> CaseQuery:
    """The query for a row's images.

    Args:
        config: of the row's run.
        known_systems: systems with their models or folders.
        dataset: the evaluated one; None if it is not available.
    """
    cases = dataset.cases if dataset else ()
    system = next((x for x in known_systems if x.name == row.system), None)
    if system is None and config.systems.get(row.system) != "predictions":
        system = ModelSystem.from_report(row.system)
    case = next((case for case in cases if case.name == row.case), None)
    options = config.model_options(row.system)
    return CaseQuery(row, case, system, out, options, config.window, cases)


@dataclass(frozen=True, slots=True, eq=False)
class CaseView:
    """Images of a row for display; a pyramid is empty where there is no image.

    Attributes:
        query: what was requested.
        image, truth: pyramids, see :func:`image_pyramid`.
        prediction, difference: pyramids of the predicted matte, and of its difference
            to the ground truth.
        prompts: sets in image coordinates, whose predictions are united.
        scale: displayed pixels per image pixel.
        exact: whether the prediction is the whole matte, not an enlarged thumbnail.
        problems: sentences about missing or unreadable files.
    """

    query: CaseQuery
    image: Levels = ()
    truth: Levels = ()
    prediction: Levels = ()
    difference: Levels = ()
    prompts: tuple[PromptSet, ...] = ()
    scale: float = 1.0
    exact: bool = False
    problems: tuple[str, ...] = ()

    @property
    def can_predict(self) -> bool:
        """Whether the model can predict the matte that is not stored whole."""
        return bool(
            self.image
            and any(self.prompts)
            and not self.exact
            and isinstance(self.query.system, ModelSystem)
            and not self.query.row.error
        )


def load_case_view(query: CaseQuery) -> CaseView:
    """Read the images of a row; slow, for a worker thread."""
    if query.case is None:
        return CaseView(query)
    problems: list[str] = [query.row.error] if query.row.error else []
    image = truth = None
    try:
        image = read_image(query.case.image, query.window)
    except ZimError as error:
        problems.append(error.text)
    try:
        truth = read_truth(query.case)
    except ZimError as error:
        problems.append(error.text)
    view = CaseView(query, prompts=_find_prompts(query, truth))
    if image is not None:
        size = image.shape[0] * image.shape[1]
        view = replace(view, scale=min(1.0, (MAX_PIXELS / size) ** 0.5))
        view = replace(view, image=image_pyramid(_display_pixels(image, view.scale)))
    if truth is not None:
        shown = _display_pixels(_to_uint8(truth), view.scale)
        view = replace(view, truth=image_pyramid(shown))
    predicted, exact = _read_stored_matte(query, problems)
    if predicted is not None:
        size = (truth if truth is not None else predicted).shape
        # A matte of another size belongs to another image; the row has that error.
        if predicted.shape == size or not exact:
            exact = predicted.shape == size
            view = with_prediction(view, predicted, exact=exact)
    return replace(view, problems=tuple(dict.fromkeys(problems)))


def with_prediction(view: CaseView, matte: WordArray, *, exact: bool) -> CaseView:
    """The view with a prediction (h, w) uint16; a thumbnail is enlarged."""
    grey = _to_uint8(matte)
    base = view.truth or view.image
    if base:
        height, width = base[0].shape[:2]
        if grey.shape != (height, width):
            enlarged = cv2.resize(grey, (width, height))
            grey = np.asarray(enlarged, np.uint8)
    difference_levels: Levels = ()
    if view.truth:
        difference_levels = image_pyramid(difference(grey, view.truth[0][..., 0]))
    return replace(
        view,
        prediction=image_pyramid(_to_rgb(grey)),
        difference=difference_levels,
        exact=exact,
    )


def predict_case(view: CaseView, engine: Engine, cancelled: CancelCheck) -> CaseView:
    """Predict the matte again; for the engine's thread.

    Raises:
        ZimError: the model or the image cannot be read any more.
        Cancelled: ``cancelled`` became true.
    """
    query = view.query
    assert isinstance(query.system, ModelSystem)
    assert query.case is not None
    request = Request(
        read_image(query.case.image, query.window),
        f"evaluation/{query.case.image} {query.window or ''}",
        query.recipe(view.prompts, query.system.model),
        cacheable=False,
    )
    matte = engine.solve(request, cancelled).alpha
    # As the runner does with models that predict masks.
    if predicts_masks(query.system, query.options.upsampling, engine):
        matte = binarise_matte(matte)
    return with_prediction(view, matte, exact=True)


def _display_pixels(pixels: ByteArray, scale: float) -> ByteArray:
    """An image scaled for display, (h, w, 3) uint8."""
    if scale < 1:
        height, width = (max(1, round(side * scale)) for side in pixels.shape[:2])
        smaller = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
        pixels = np.asarray(smaller, np.uint8)
    return _to_rgb(pixels) if pixels.ndim == 2 else pixels


def _to_rgb(grey: ByteArray) -> ByteArray:
    return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), np.uint8)


def _to_uint8(matte: WordArray) -> ByteArray:
    return np.right_shift(matte, 8).astype(np.uint8)


def _find_prompts(query: CaseQuery, truth: WordArray | None) -> tuple[PromptSet, ...]:
    """The row's prompts, or those of its case if the row has none."""
    if query.row.prompts is not None:
        return query.row.prompt_sets
    if query.case is None or truth is None:
        return ()
    kind = PromptKind.parse(query.row.prompt)
    if kind.kind == "clicks":  # each depends on the last prediction
        return ()
    try:
        return case_prompts(query.case, kind, GroundTruth(truth, as_alpha(truth), ""))
    except ZimError:
        return ()


def read_prompts(query: CaseQuery) -> tuple[PromptSet, ...]:
    """The prompts of a row; reads the ground truth if they are not stored."""
    if query.row.prompts is not None or query.case is None:
        return query.row.prompt_sets
    try:
        return _find_prompts(query, read_truth(query.case))
    except ZimError:
        return ()


def _read_stored_matte(
    query: CaseQuery, problems: list[str]
) -> tuple[WordArray | None, bool]:
    """A predicted matte from the disk, and whether it is the whole one."""
    row, kind = query.row, PromptKind.parse(query.row.prompt)
    if isinstance(query.system, PredictionFolder) and query.case is not None:
        try:
            path = PredictionIndex(query.system, query.all_cases).find(query.case, kind)
            return read_matte(path), True
        except ZimError as error:
            problems.append(error.text)
    for name, exact in ((PREDICTIONS, True), (THUMBNAILS, False)):
        path = image_path(query.out, name, row.system, kind.folder, row.case)
        if path.is_file():
            try:
                return read_matte(path), exact
            except ZimError as error:
                problems.append(error.text)
    return None, False
