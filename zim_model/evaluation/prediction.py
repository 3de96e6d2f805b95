"""Predicting one case with a system, after checking the case."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from zim_model.arrays import BoolArray, ByteArray, FloatArray, WordArray
from zim_model.errors import ImageError, PromptError, ZimError, msg
from zim_model.evaluation.clicks import (
    VISIBLE_ALPHA,
    click_by_click,
    first_click,
    matte_box,
)
from zim_model.evaluation.datasets import Case
from zim_model.evaluation.measures import MASK_ABOVE
from zim_model.evaluation.modes import mode_prompts
from zim_model.evaluation.reading import (
    as_alpha,
    check_size,
    read_prompts,
    read_truth,
    validate_prompts,
)
from zim_model.evaluation.scoring import binarise_matte
from zim_model.evaluation.systems import PromptKind
from zim_model.matting import metrics
from zim_model.prompts import PromptSet
from zim_model.request import CancelCheck, Request

if TYPE_CHECKING:
    from zim_model.inference.engine import Engine

MIN_AREA_ALPHA = 0.3
"""The size of an object is the area of its matte above this alpha."""


@dataclass(frozen=True, slots=True, eq=False)
class GroundTruth:
    """The right matte of a case.

    Attributes:
        matte: (H, W) uint16, 65535 opaque.
        alpha: the same in [0, 1].
        digest: of the case, see :meth:`Case.digest`.
    """

    matte: WordArray
    alpha: FloatArray
    digest: str

    @property
    def area(self) -> float:
        """Of the object, as a fraction of the image."""
        return float(np.count_nonzero(self.alpha > MIN_AREA_ALPHA) / self.alpha.size)

    @property
    def mask(self) -> BoolArray:
        """The object (H, W)."""
        return np.asarray(self.alpha > MASK_ABOVE)


def read_ground_truth(case: Case, image: Future[ByteArray]) -> GroundTruth | ZimError:
    """Read a case's ground truth, checked against its image."""
    try:
        pixels = image.result()
        matte = read_truth(case)
        check_size(case.matte, matte, case.image, pixels.shape)
        if not matte.any():
            raise ImageError(
                msg("{matte} is empty: there is nothing to find.", matte=case.matte)
            )
    except ZimError as error:
        return error
    return GroundTruth(matte, as_alpha(matte), case.digest())


@dataclass(frozen=True, slots=True, eq=False)
class CasePrediction:
    """A system's prediction for a case.

    Attributes:
        matte: (H, W) uint16, 65535 opaque.
        prompts: of the system; the matte is the union of their predictions.
        curve: errors after 1, 2, ... clicks.
        notes: degradations for lack of memory, as sentences.
    """

    matte: WordArray
    prompts: tuple[PromptSet, ...] = ()
    curve: tuple[dict[str, float], ...] = ()
    encode_ms: float = 0.0
    click_ms: float = 0.0
    device: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class CaseRunner:
    """Predicts one case with a model.

    Attributes:
        engine: that runs it.
        request: with the image and the model, without prompts.
        binary: whether mattes are binarised, as a segmenter's are.
        cancelled: polled between the steps.
    """

    engine: Engine
    request: Request
    binary: bool
    cancelled: CancelCheck

    def run(self, case: Case, prompt: PromptKind, truth: GroundTruth) -> CasePrediction:
        """Predict for a kind of prompt.

        Raises:
            ZimError: the case has no such prompt, or they are invalid.
            Cancelled: ``cancelled`` became true.
        """
        if prompt.kind == "clicks":
            return self._solve_clicks(case, truth, prompt.count)
        return self._solve(*case_prompts(case, prompt, truth))

    def _solve(self, *prompts: PromptSet) -> CasePrediction:
        request = self.request.with_recipe(
            prompts=prompts[0], more_prompt_sets=prompts[1:]
        )
        matte = self.engine.solve(request, self.cancelled)
        timings = matte.timings
        alpha = binarise_matte(matte.alpha) if self.binary else matte.alpha
        return CasePrediction(
            alpha,
            prompts,
            (),
            timings.encode_ms,
            timings.click_ms,
            timings.device,
            timings.notes,
        )

    def _solve_clicks(
        self, case: Case, truth: GroundTruth, clicks: int
    ) -> CasePrediction:
        """Predict for simulated clicks, with the metrics after each."""
        target = _target_mask(case, truth)
        predictions: list[CasePrediction] = []
        curve: list[dict[str, float]] = []

        def solve(prompts: PromptSet) -> FloatArray:
            predictions.append(self._solve(prompts))
            return as_alpha(predictions[-1].matte)

        valid = np.ones_like(target)
        for _, alpha in click_by_click(solve, target, valid, clicks):
            curve.append(
                {
                    "SAD": metrics.sad(alpha, truth.alpha),
                    "MSE": metrics.mse(alpha, truth.alpha),
                    "IoU": metrics.iou(alpha > MASK_ABOVE, target),
                }
            )
        return replace(
            predictions[-1],
            curve=tuple(curve),
            encode_ms=sum(each.encode_ms for each in predictions),
            click_ms=sum(each.click_ms for each in predictions) / len(predictions),
            notes=tuple(dict.fromkeys(n for a in predictions for n in a.notes)),
        )


def case_prompts(
    case: Case, prompt: PromptKind, truth: GroundTruth
) -> tuple[PromptSet, ...]:
    """The prompt sets of a case's file, or those derived from its matte.

    There is one, except of a mode that unites predictions.

    Raises:
        PromptError: the file of prompts is missing or malformed, does not have this
            kind, or one lies outside the image.
    """
    if prompt.is_mode:
        return mode_prompts(prompt.kind, _target_mask(case, truth))
    return (_single_prompts(case, prompt, truth),)


def _single_prompts(case: Case, prompt: PromptKind, truth: GroundTruth) -> PromptSet:
    size = truth.matte.shape
    if case.prompts is not None:
        file_prompts = read_prompts(case.prompts)
        if prompt.kind not in file_prompts:
            raise PromptError(
                msg(
                    "{prompts} has no prompt of the kind {prompt}.",
                    prompts=case.prompts,
                    prompt=prompt,
                )
            )
        try:
            return validate_prompts(file_prompts[prompt.kind], (size[0], size[1]))
        except PromptError as error:
            raise PromptError(
                msg("{prompts}: {reason}", prompts=case.prompts, reason=error.message),
                error.hint,
            ) from error
    if prompt.kind == "box":
        if not (truth.alpha > VISIBLE_ALPHA).any():
            raise ImageError(
                msg("{matte} is too faint: it has no box.", matte=case.matte)
            )
        return PromptSet((), matte_box(truth.alpha))
    return PromptSet((first_click(_target_mask(case, truth)),))


def _target_mask(case: Case, truth: GroundTruth) -> BoolArray:
    """The mask for simulated clicks.

    Raises:
        ImageError: nothing of the matte is opaque enough.
    """
    mask = truth.mask
    if not mask.any():
        raise ImageError(
            msg("{matte} is too faint: there is nothing to click on.", matte=case.matte)
        )
    return mask
